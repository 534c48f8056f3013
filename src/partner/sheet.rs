//! A partner sheet: all that one side gives the other so that messages can go, in one file that is
//! mailed. It is TOML that people read, or the same in JSON.
//!
//! ```
//! use transload::partner::sheet::Sheet;
//!
//! let text = "sheet = 1\nas2_id = \"ACME\"\nurl = \"https://edi.example/as2\"\n\
//!             sign = [\"sha-256\"]\nencrypt = [\"aes-256-cbc\"]\nreceipt = \"signed\"\n";
//! let sheet = Sheet::parse(text, "acme.sheet")?;
//! assert_eq!(Sheet::parse(&sheet.to_toml(), "again")?, sheet);
//! # Ok::<(), transload::partner::Error>(())
//! ```
//!
//! No secret is in it: passwords and private keys go other ways. A certificate in it is trusted
//! because somebody read its fingerprint out, not because it was mailed.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Error, strict};

/// The form of sheets that we write and read.
const FORM: u32 = 1;

/// What one side says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// Its form: 1.
    pub sheet: u32,
    /// Its AS2 name, exactly.
    pub as2_id: String,
    /// Where it takes messages.
    pub url: String,
    /// Digests that it reads, the preferred one first.
    #[serde(default)]
    pub sign: Vec<String>,
    /// Ciphers that it reads, the preferred one first.
    #[serde(default)]
    pub encrypt: Vec<String>,
    /// The receipt that it asks for: `signed`, `unsigned` or `none`.
    #[serde(default = "signed")]
    pub receipt: String,
    /// Its X12 name, where it speaks X12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x12: Option<X12>,
    /// Its certificates.
    #[serde(default)]
    pub certificates: Vec<Enclosed>,
}

/// A name of X12: ISA05 and ISA06.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct X12 {
    /// As `ZZ`.
    pub qualifier: String,
    /// Without padding.
    pub id: String,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enclosed {
    /// What for: `messages` (signatures and encryption) or `tls` (its server's).
    #[serde(rename = "for")]
    pub purpose: Purpose,
    /// SHA-256 in groups of four, to be read out.
    pub fingerprint: String,
    /// Whose name is in it.
    pub subject: String,
    /// Its last day.
    pub valid_until: String,
    /// The certificate.
    pub pem: String,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Signatures and encryption of messages.
    Messages,
    /// TLS of its server.
    Tls,
}

fn signed() -> String {
    "signed".to_owned()
}

impl Sheet {
    /// The form that this program writes.
    #[must_use]
    pub fn form() -> u32 {
        FORM
    }

    /// Reads a sheet, TOML or JSON.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str, file: &str) -> Result<Sheet, Error> {
        let sheet: Sheet = match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text).map_err(|why| Error::plain(file, why))?,
            false => strict(text, file)?,
        };
        let id = &sheet.as2_id;
        let why = match () {
            () if sheet.sheet != FORM => format!(
                "it is a sheet of form {}, and this program reads form {FORM}",
                sheet.sheet
            ),
            () if !super::check::is_as2_name(id) => {
                format!("as2_id {id:?} is no AS2 name: 1 to 128 printable ASCII characters")
            }
            () if !super::is_url(&sheet.url) => {
                format!("url {:?} is not an http or https URL", sheet.url)
            }
            () => return Ok(sheet),
        };
        Err(Error::plain(file, why))
    }

    /// The sheet as people read it, which is TOML.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = format!(
            "# Partner sheet of {}. Save it, and add it: transload partner add NAME --from FILE\n\
             # Read the fingerprints out to each other before they are trusted: by telephone, not \
             by mail.\n\n",
            self.as2_id.escape_debug()
        );
        for one in &self.certificates {
            let purpose = match one.purpose {
                Purpose::Messages => "messages",
                Purpose::Tls => "TLS",
            };
            let _ = writeln!(out, "# {purpose}, valid until {}:", one.valid_until);
            let groups: Vec<&str> = one.fingerprint.split(' ').collect();
            for line in groups.chunks(8) {
                let _ = writeln!(out, "#   {}", line.join(" "));
            }
        }
        out.push('\n');
        out.push_str(&toml::to_string_pretty(self).expect("a sheet is plain values"));
        out
    }
}

/// A partner file made of a sheet.
pub struct Made {
    /// The text of `NAME.toml`.
    pub file: String,
    /// Certificate files beside it: their names, and PEM.
    pub certificates: Vec<(String, String)>,
}

/// What is agreed beside the sheet.
#[derive(Debug, Clone, Default)]
pub struct Agreed<'a> {
    /// What we call them.
    pub name: &'a str,
    /// Our AS2 name for them.
    pub our_id: &'a str,
    /// Our X12 name.
    pub x12: Option<X12>,
    /// Transaction sets that are exchanged.
    pub documents: &'a [String],
    /// The preset's name and its lines.
    pub preset: Option<(&'a str, &'a toml::Table)>,
}

impl Sheet {
    /// The partner file that this sheet makes. What a preset says goes before what the sheet
    /// prefers.
    #[must_use]
    pub fn partner(&self, agreed: &Agreed<'_>) -> Made {
        let name = agreed.name;
        let (mut messages, mut tls, mut certificates) = (Vec::new(), Vec::new(), Vec::new());
        for one in &self.certificates {
            let (list, kind) = match one.purpose {
                Purpose::Messages => (&mut messages, ""),
                Purpose::Tls => (&mut tls, "-tls"),
            };
            let number = match list.len() {
                0 => String::new(),
                n => format!("-{}", n + 1),
            };
            let file = format!("{name}{kind}{number}.pem");
            list.push(file.clone());
            certificates.push((file, one.pem.clone()));
        }
        let mut as2 = toml::Table::new();
        let mut put = |key: &str, value: toml::Value| as2.insert(key.to_owned(), value);
        put("id", self.as2_id.clone().into());
        put("our_id", agreed.our_id.into());
        put("url", self.url.clone().into());
        put("certificates", messages.into());
        for (key, list) in [("sign", &self.sign), ("encrypt", &self.encrypt)] {
            if let Some(first) = list.first() {
                put(key, first.clone().into());
            }
        }
        let (named, lines) = agreed.preset.unzip();
        for (key, value) in lines.into_iter().flatten() {
            put(key, value.clone());
        }
        let mut file = format!("# Made by `transload partner add {name}`");
        if let Some(named) = named {
            let _ = write!(
                file,
                " with the preset {named}: `partner presets {named}` says why"
            );
        }
        let text = |text: &str| toml::Value::from(text);
        let _ = write!(file, ".\nname = {}\n\n[as2]\n", text(name));
        file.push_str(&as2.to_string());
        if !tls.is_empty() {
            let tls = toml::Value::from(tls);
            let _ = write!(file, "\n[as2.connect]\nserver_certificates = {tls}\n");
        }
        if let (Some(ours), Some(theirs)) = (&agreed.x12, &self.x12) {
            let party = |one: &X12| {
                let (qualifier, id) = (text(&one.qualifier), text(&one.id));
                format!("{{ qualifier = {qualifier}, id = {id} }}")
            };
            let (ours, theirs) = (party(ours), party(theirs));
            let _ = write!(file, "\n[x12]\nours = {ours}\ntheirs = {theirs}\n");
            for set in agreed.documents {
                let _ = write!(file, "\n[documents.{set}]\n");
            }
        }
        Made { file, certificates }
    }
}
