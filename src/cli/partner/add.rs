//! `transload partner add`: a partner file with its certificates, made of a sheet or of flags.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::presets;
use super::sheet::enclose;
use crate::as2::Certificate;
use crate::cli::cert::spoken;
use crate::cli::files::whole;
use crate::cli::serve::Place;
use crate::cli::{Exit, Failure, Outcome};
use crate::config::Config;
use crate::partner::sheet::{Agreed, Made, Purpose, Sheet, X12};
use crate::partner::{self, Partners, keys};

/// Add a partner: his file and certificates, of the sheet that he sent, or of flags
///
/// Compare the fingerprint that is shown with what he reads out to you: the certificate is trusted
/// from here on. `serve` takes the file over while it runs.
#[derive(clap::Args)]
pub(super) struct Add {
    /// What we call him: letters, digits, `-`, `_` and `.`
    name: String,
    /// His sheet, as `partner sheet` writes it; - is stdin
    #[arg(long, value_name = "FILE", required_unless_present_all = ["as2_id", "url", "cert"])]
    from: Option<PathBuf>,
    /// His AS2 name, where there is no sheet
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    as2_id: Option<String>,
    /// Where he takes messages
    #[arg(long, value_name = "URL", conflicts_with = "from")]
    url: Option<String>,
    /// His certificate, PEM or DER; several where he has several
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    cert: Vec<PathBuf>,
    /// His X12 name (ISA06), where there is no sheet
    #[arg(long, value_name = "ID", conflicts_with = "from")]
    x12_id: Option<String>,
    /// Its qualifier (ISA05)
    #[arg(long, value_name = "CODE", default_value = "ZZ")]
    x12_qualifier: String,
    /// Our AS2 name for him [default: as2.id of the settings]
    #[arg(long, value_name = "NAME")]
    our_id: Option<String>,
    /// Settings that fit his software: see `partner presets`
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// The transaction sets that are exchanged, where both sides have an X12 name
    #[arg(
        long,
        value_name = "SETS",
        value_delimiter = ',',
        default_value = "850,855,856,810"
    )]
    documents: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Add {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let config = self.place.config(&[])?;
        let sheet = match &self.from {
            Some(file) => read(file)?,
            None => self.flags()?,
        };
        let our_id = self.our_id.as_ref().or(config.as2.id.as_ref());
        let our_id = our_id.ok_or_else(|| {
            Failure::usage("which AS2 name is ours? say --our-id, or as2.id in the settings")
        })?;
        let preset = match self.preset.as_deref() {
            Some(name) => Some((name, presets::find(name)?)),
            None => None,
        };
        let agreed = Agreed {
            name: &self.name,
            our_id,
            x12: config.x12.as_ref().map(|ours| X12 {
                qualifier: ours.qualifier.clone(),
                id: ours.id.clone(),
            }),
            documents: &self.documents,
            preset: preset.as_ref().map(|(name, preset)| (*name, &preset.as2)),
        };
        let made = sheet.partner(&agreed);
        self.sound(&made, &config)?;
        let file = self.write(&made, &config.partners)?;
        self.tell(&sheet, &file, out)
    }

    /// What the flags say, as a sheet.
    fn flags(&self) -> Result<Sheet, Failure> {
        let missing = || Failure::usage("without --from, --as2-id, --url and --cert are needed");
        let mut certificates = Vec::new();
        for path in &self.cert {
            let one = crate::cli::as2::certificate(path).map_err(Failure::usage)?;
            certificates.push(enclose(&one, Purpose::Messages)?);
        }
        Ok(Sheet {
            sheet: Sheet::form(),
            as2_id: self.as2_id.clone().ok_or_else(missing)?,
            url: self.url.clone().ok_or_else(missing)?,
            sign: Vec::new(),
            encrypt: Vec::new(),
            receipt: "signed".to_owned(),
            x12: self.x12_id.as_ref().map(|id| X12 {
                qualifier: self.x12_qualifier.clone(),
                id: id.clone(),
            }),
            certificates,
        })
    }

    /// Refuses what could not be taken beside the partners that there are.
    fn sound(&self, made: &Made, config: &Config) -> Result<(), Failure> {
        let file = format!("{}.toml", self.name);
        let partner = partner::parse(&made.file, &file).map_err(Failure::usage)?;
        let mut all: Vec<_> = super::sheet::partners(config)?.iter().cloned().collect();
        all.push(partner);
        let together = Partners::new(all).map(drop);
        together.map_err(|why| Failure::usage(format!("{why}: this partner is there already")))
    }

    /// Writes certificates, then the partner file: `serve` may look at any moment.
    fn write(&self, made: &Made, folder: &Path) -> Result<PathBuf, Failure> {
        fs::create_dir_all(folder).map_err(|why| unwritable(folder, &why))?;
        let file = folder.join(format!("{}.toml", self.name));
        let certificates = made.certificates.iter();
        let certificates = certificates.map(|(name, pem)| (folder.join(name), pem.as_str()));
        let all: Vec<_> = certificates
            .chain([(file.clone(), made.file.as_str())])
            .collect();
        if let Some((taken, _)) = all.iter().find(|(path, _)| path.exists()) {
            let taken = taken.display();
            return Err(Failure::state(format!(
                "{taken} is there already: choose another name, or move it away"
            )));
        }
        for (path, text) in &all {
            keys::write(path, text.as_bytes()).map_err(|why| unwritable(path, &why))?;
        }
        Ok(file)
    }

    fn tell(&self, sheet: &Sheet, file: &Path, out: &mut dyn Write) -> Outcome {
        if self.json {
            let certificates = sheet.certificates.iter().map(|one| {
                json!({
                    "for": one.purpose,
                    "subject": one.subject,
                    "fingerprint": one.fingerprint,
                    "valid_until": one.valid_until,
                })
            });
            let told = json!({
                "name": self.name,
                "file": file,
                "as2_id": sheet.as2_id,
                "url": sheet.url,
                "certificates": certificates.collect::<Vec<_>>(),
            });
            writeln!(out, "{told}")?;
            return Ok(Exit::Clean);
        }
        let (name, id, url) = (&self.name, &sheet.as2_id, &sheet.url);
        writeln!(out, "{name}: {id} at {url}, in {}\n", file.display())?;
        for one in &sheet.certificates {
            let until = &one.valid_until;
            writeln!(
                out,
                "{}, valid until {until}; is this the SHA-256 fingerprint that they read out?\n",
                one.subject
            )?;
            let groups: Vec<&str> = one.fingerprint.split(' ').collect();
            for line in groups.chunks(8) {
                writeln!(out, "  {}", line.join(" "))?;
            }
            writeln!(out)?;
        }
        writeln!(out, "next: `transload partner test {name}`")?;
        Ok(Exit::Clean)
    }
}

/// A sheet whose certificates are what it says of them.
fn read(file: &Path) -> Result<Sheet, Failure> {
    let shown = file.display();
    let text = String::from_utf8(whole(file)?)
        .map_err(|_| Failure::usage(format!("{shown} is no sheet: it is not UTF-8")))?;
    let mut sheet = Sheet::parse(&text, &file.to_string_lossy()).map_err(Failure::usage)?;
    let messages = |one: &&crate::partner::sheet::Enclosed| one.purpose == Purpose::Messages;
    if sheet.certificates.iter().find(messages).is_none() {
        return Err(Failure::usage(format!(
            "{shown} has no certificate for messages: ask the partner for one that has"
        )));
    }
    for one in &mut sheet.certificates {
        let read = Certificate::from_pem(one.pem.as_bytes()).map_err(|why| {
            Failure::usage(format!(
                "{shown}: the certificate of {} does not read: {why}",
                one.subject
            ))
        })?;
        if spoken(read.fingerprint()).concat() != one.fingerprint.replace(' ', "").to_uppercase() {
            return Err(Failure::usage(format!(
                "{shown}: the certificate of {} has not the fingerprint that the sheet says: \
                 somebody changed one of them; ask for the sheet again",
                one.subject
            )));
        }
        // What is shown and kept is what the certificate says of itself.
        *one = enclose(&read, one.purpose)?;
    }
    Ok(sheet)
}

fn unwritable(path: &Path, why: &io::Error) -> Failure {
    Failure::state(format!("cannot write {}: {why}", path.display()))
}
