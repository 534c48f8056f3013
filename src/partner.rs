//! A partner is one TOML file: who they are, how they are reached, which guide, transport and
//! bridge each document takes. No line of code knows one.
//!
//! ```
//! use transload::partner;
//!
//! let acme = partner::parse(
//!     r#"
//!     name = "acme"
//!     [x12]
//!     ours   = { qualifier = "ZZ", id = "VENDOR" }
//!     theirs = { qualifier = "ZZ", id = "ACME" }
//!     [folder]
//!     inbox  = "in"
//!     outbox = "out"
//!     [documents.850]
//!     "#,
//!     "acme.toml",
//! )?;
//! assert_eq!(acme.documents["850"].version, "004010");
//!
//! let error = partner::parse("name = \"acme\"\n[as2]\nencrpt = \"none\"\n", "acme.toml").unwrap_err();
//! assert_eq!((error.line, error.nearest.as_deref()), (Some(3), Some("encrypt")));
//! # Ok::<(), partner::Error>(())
//! ```
//!
//! It holds plain values only: the walks make profiles and envelopes of them. It opens no
//! certificate, and nothing secret stands in a partner file. [`load`] is all that touches a disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;

use crate::as2::{Compression, KeyTransport, RsaSignature, Version};

mod bridge;
mod check;
pub mod expiry;
pub mod keyring;
pub mod keys;
mod link;
pub mod preset;
pub mod sheet;
mod strict;
mod words;

pub use bridge::{Bridge, SITE_FILE, Spapi};
pub(crate) use check::is_url;
pub use check::moment_of;
pub use keyring::{Cem, Entry};
pub use link::{Connect, Demand, KeyFile, Login, Proxy, ProxyUse};
pub use strict::{Error, strict};
pub use words::{Encrypt, Receipt, ReceiptMode, Sign};

/// One trading partner: the whole of one file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// What we call them, everywhere: 1 to 64 of `a-z A-Z 0-9 . _ -`. Unique.
    #[serde(deserialize_with = "check::name")]
    pub name: String,
    /// The AS2 relationship, where there is one.
    pub as2: Option<As2>,
    /// The X12 envelope, where X12 is spoken.
    pub x12: Option<X12>,
    /// A folder for X12 files, instead of AS2 or beside it.
    pub folder: Option<Folder>,
    /// An account of an API, where that is the business side of documents.
    pub spapi: Option<Spapi>,
    /// What is exchanged, by X12 transaction set (`850`).
    #[serde(default)]
    pub documents: BTreeMap<String, Document>,
}

/// An AS2 relationship (RFC 4130).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct As2 {
    /// Their AS2 name, exactly as `AS2-From` says it: case counts.
    #[serde(deserialize_with = "check::as2_name")]
    pub id: String,
    /// Our AS2 name for them.
    #[serde(deserialize_with = "check::as2_name")]
    pub our_id: String,
    /// Where their messages are posted; http or https.
    #[serde(deserialize_with = "check::url")]
    pub url: String,
    /// Their certificates: PEM or DER files, relative to the partner file, each with what it is for
    /// and from when to when where it says so. One of them must have signed.
    #[serde(deserialize_with = "check::certificates")]
    pub certificates: Vec<Entry>,
    /// What is done with certificates that come by a message of theirs.
    #[serde(default)]
    pub cem: Cem,
    /// How we sign.
    #[serde(default)]
    pub sign: Sign,
    /// How we encrypt.
    #[serde(default)]
    pub encrypt: Encrypt,
    /// How an RSA key of ours signs messages and receipts: `rsa-pkcs1` or `rsa-pss`. An EC key signs
    /// ECDSA.
    #[serde(default, deserialize_with = "check::rsa_signature")]
    pub signature: RsaSignature,
    /// How content keys are encrypted for an RSA key of theirs: `rsa-pkcs1`, `rsa-oaep-sha-256`,
    /// `rsa-oaep-sha-256-mgf1-sha-1` … For an EC key it is ECDH.
    #[serde(default, deserialize_with = "check::key_transport")]
    pub key_transport: KeyTransport,
    /// Whether we encrypt for every valid certificate of theirs, not for the first one alone.
    #[serde(default)]
    pub encrypt_for_all: bool,
    /// Whether we encrypt for ourselves as well. Some old receivers cannot bear it.
    #[serde(default)]
    pub encrypt_for_us: bool,
    /// Whether we compress (RFC 5402): `before-signing` or `after-signing`; `true` is the first.
    #[serde(default, deserialize_with = "check::compression")]
    pub compress: Option<Compression>,
    /// Whether what we send goes in chunks, its length untold; some peers need the one, some the
    /// other.
    #[serde(default)]
    pub chunked: bool,
    /// Whether the transfer of a message that broke goes on where it broke, either way
    /// (draft-harding-as2-restart-07). What is sent so is not chunked.
    #[serde(default)]
    pub restart: bool,
    /// The receipt that we ask for.
    #[serde(default)]
    pub receipt: Receipt,
    /// How it comes.
    #[serde(default)]
    pub receipt_mode: ReceiptMode,
    /// How many minutes an asynchronous receipt is waited for before the message is sent again,
    /// the same bytes under the same id; each further wait is twice as long.
    #[serde(default = "receipt_minutes", deserialize_with = "check::minutes")]
    pub receipt_minutes: u32,
    /// Whether a receipt has to repeat the digest of what we sent. Without it, a receipt says that
    /// something arrived under our id.
    #[serde(default = "yes")]
    pub require_mic: bool,
    /// For how many hours a message, or a receipt of ours, is tried before it is given up.
    #[serde(default = "give_up_hours", deserialize_with = "check::hours")]
    pub give_up_hours: u32,
    /// How many of our messages and receipts are with their server at once; without it, as many as
    /// [`AT_ONCE`](crate::store::AT_ONCE) says.
    #[serde(default, deserialize_with = "check::at_once")]
    pub at_once: Option<u32>,
    /// After how many tries in a row that did not reach their server it is left in peace for a
    /// while; without it, [`MISSES`](crate::store::MISSES).
    #[serde(default, deserialize_with = "check::misses")]
    pub misses: Option<u32>,
    /// Every so many seconds, while a message of theirs is being opened, an interim answer (HTTP
    /// 102) says that we are at it. Some clients cannot bear it; without this, none goes.
    #[serde(default, deserialize_with = "check::interim")]
    pub interim_seconds: Option<u32>,
    /// Whether what we send them says that a repeated message is taken for one, and answered with
    /// the receipt of the first (`EDIINT-Features: AS2-Reliability`,
    /// draft-duker-as2-reliability-16). It is so whether it is said or not.
    #[serde(default = "yes")]
    pub reliability: bool,
    /// Where else they may have our receipts posted: URLs of which scheme, host and port count.
    /// Those of `url` are always allowed; a message that names another address is refused.
    #[serde(default, deserialize_with = "check::urls")]
    pub receipts_to: Vec<String>,
    /// The AS2 version that we write: `1.0` to `1.3`.
    #[serde(default, deserialize_with = "check::as2_version")]
    pub version: Version,
    /// Whether an unsigned message of theirs is refused.
    #[serde(default = "yes")]
    pub require_signed: bool,
    /// Whether an unencrypted message of theirs is refused.
    #[serde(default = "yes")]
    pub require_encrypted: bool,
    /// Whether GCM tags of 12 to 15 bytes are read, beside those of 16.
    #[serde(default)]
    pub short_tags: bool,
    /// Whether AES-GCM is read in EnvelopedData as well, where old software puts it.
    #[serde(default)]
    pub gcm_in_enveloped_data: bool,
    /// The first day on which SHA-1, 3DES and RC2 are no longer read.
    #[serde(default, deserialize_with = "check::date")]
    pub legacy_until: Option<NaiveDate>,
    /// The first day on which dispositions of encrypted messages are uniform again. Exact ones
    /// tell an attacker what failed: for the days of a connection test only.
    #[serde(default, deserialize_with = "check::date")]
    pub diagnostic_dispositions_until: Option<NaiveDate>,
    /// How their server is reached, where plain HTTP or TLS with the system's authorities is not
    /// what it takes.
    #[serde(default)]
    pub connect: Connect,
    /// What their requests have to show before they are listened to.
    #[serde(default)]
    pub demand: Demand,
}

impl As2 {
    /// Whether SHA-1, 3DES and RC2 are read on this day (UTC).
    #[must_use]
    pub fn legacy(&self, today: NaiveDate) -> bool {
        self.legacy_until.is_some_and(|until| today < until)
    }

    /// Whether a receipt may be posted there: at the scheme, host and port of `url` or of one of
    /// `receipts_to`. What a message asks for can only choose among what this file names.
    ///
    /// ```
    /// # use transload::partner;
    /// # let text = "name = \"acme\"\n[as2]\nid = \"A\"\nour_id = \"U\"\ncertificates = [\"a.pem\"]\n\
    /// #     url = \"https://edi.example/as2\"\nreceipts_to = [\"http://mdn.example:8080\"]\n";
    /// let as2 = partner::parse(text, "acme.toml")?.as2.unwrap();
    /// assert!(as2.takes_receipts_at("https://EDI.example:443/other?q=1"));
    /// assert!(as2.takes_receipts_at("http://mdn.example:8080/"));
    /// assert!(!as2.takes_receipts_at("http://edi.example/as2"));
    /// assert!(!as2.takes_receipts_at("https://edi.example@127.0.0.1/as2"));
    /// # Ok::<(), partner::Error>(())
    /// ```
    #[must_use]
    pub fn takes_receipts_at(&self, url: &str) -> bool {
        let wanted = origin(url);
        let named = std::iter::once(&self.url).chain(&self.receipts_to);
        let anywhere = planted!("receipt-posted-anywhere");
        wanted.is_some() && (anywhere || named.map(|url| origin(url)).any(|one| one == wanted))
    }

    /// Whether dispositions are exact on this day (UTC).
    #[must_use]
    pub fn diagnostic(&self, today: NaiveDate) -> bool {
        self.diagnostic_dispositions_until
            .is_some_and(|until| today < until)
    }
}

/// The X12 envelope between us.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct X12 {
    /// We, in ISA05/06 when we send and ISA07/08 when they do.
    pub ours: Party,
    /// They, the other way round.
    pub theirs: Party,
    /// ISA15.
    #[serde(default)]
    pub usage: Usage,
    /// Whether each functional group of theirs is answered with a 997.
    #[serde(default = "yes")]
    pub acknowledge: bool,
    /// The delimiters that we write. What they write, their ISA says.
    #[serde(default, deserialize_with = "check::delimiters")]
    pub delimiters: Delimiters,
}

/// A party of an interchange: ISA05 and ISA06, or ISA07 and ISA08.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Two characters, such as `ZZ` (mutually defined), `01` (DUNS), `12` (telephone).
    #[serde(deserialize_with = "check::qualifier")]
    pub qualifier: String,
    /// 1 to 15 characters, without the padding.
    #[serde(deserialize_with = "check::isa_id")]
    pub id: String,
}

impl Party {
    /// Whether an envelope names this party; padding does not count.
    #[must_use]
    pub fn is(&self, qualifier: &str, id: &str) -> bool {
        self.qualifier == qualifier.trim_end() && self.id == id.trim_end()
    }
}

/// ISA15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Usage {
    /// Test.
    #[default]
    T,
    /// Production.
    P,
}

/// The characters that part what we write. All differ, none is a letter, a digit or a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delimiters {
    /// Between elements.
    pub element: char,
    /// Between components (ISA16).
    pub component: char,
    /// After a segment.
    pub segment: char,
    /// Between repetitions (ISA11, from version 00402 on).
    pub repetition: char,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self {
            element: '*',
            component: '>',
            segment: '~',
            repetition: '^',
        }
    }
}

/// A folder transport: X12 files, each of whole interchanges.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Where their files appear; relative to the partner file.
    pub inbox: PathBuf,
    /// Where we put ours; relative to the partner file.
    pub outbox: PathBuf,
}

/// How one kind of document is exchanged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The overlay folder under `mappings/partners`; none is the standard.
    #[serde(default, deserialize_with = "check::guide")]
    pub guide: Option<String>,
    /// The X12 version, as GS08 begins.
    #[serde(default = "version", deserialize_with = "check::version")]
    pub version: String,
    /// How ours go out; where the file does not say, by AS2 if there is an `[as2]`.
    pub transport: Option<Transport>,
    /// Where theirs go, and where ours come from.
    #[serde(default)]
    pub bridge: Bridge,
}

/// A way to the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// The `[as2]` relationship.
    As2,
    /// The `[folder]`.
    Folder,
}

impl Partner {
    /// How documents of this set go out; none where the file has no such document.
    #[must_use]
    pub fn transport(&self, set: &str) -> Option<Transport> {
        let fallback = if self.as2.is_some() {
            Transport::As2
        } else {
            Transport::Folder
        };
        self.documents
            .get(set)
            .map(|document| document.transport.unwrap_or(fallback))
    }

    /// Every path that the file names.
    pub(crate) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let mut own = self.clone();
        let all: Vec<PathBuf> = own.paths_mut().map(|path| path.clone()).collect();
        all.into_iter()
    }

    fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let as2 = self.as2.iter_mut().flat_map(|as2| {
            let listed = as2.certificates.iter_mut().map(|one| &mut one.file);
            listed.chain(as2.connect.paths()).chain(as2.demand.paths())
        });
        let spapi = self.spapi.iter_mut().map(|own| &mut own.credential);
        let folder = self.folder.iter_mut();
        let folder = folder.flat_map(|own| [&mut own.inbox, &mut own.outbox]);
        as2.chain(spapi).chain(folder)
    }

    /// Makes the file's relative paths relative to `folder`.
    pub(crate) fn rebase(&mut self, folder: &Path) {
        for path in self.paths_mut() {
            *path = folder.join(&*path);
        }
        let sites = self.spapi.iter_mut().map(|own| &mut own.site);
        for site in sites.filter(|site| site.ends_with(SITE_FILE)) {
            *site = folder.join(&*site).to_string_lossy().into_owned();
        }
    }
}

fn yes() -> bool {
    true
}

/// How long a message is tried for: a long weekend without anybody at the partner's.
pub const GIVE_UP_HOURS: u32 = 72;

fn give_up_hours() -> u32 {
    GIVE_UP_HOURS
}

/// Partners answer in seconds; an hour is a queue at their side, not a loss.
fn receipt_minutes() -> u32 {
    60
}

/// Scheme, host and port of an http or https URL, as they compare; none where there is anything
/// about it that could be read in two ways.
fn origin(url: &str) -> Option<(bool, String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let secure = match scheme {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let authority = rest.split(['/', '?']).next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if !authority.bytes().all(plain) || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    // An IPv6 address keeps its brackets.
    let end = authority.find(']').map_or(0, |at| at + 1);
    let colon = authority[end..].find(':').map(|at| at + end);
    let (host, port) = match colon {
        None => (authority, if secure { 443 } else { 80 }),
        Some(at) => (&authority[..at], authority[at + 1..].parse().ok()?),
    };
    (!host.is_empty()).then(|| (secure, host.to_ascii_lowercase(), port))
}

fn version() -> String {
    "004010".to_owned()
}

/// Reads a partner file's text. `file` is its name in errors; paths stay as they are written.
///
/// # Errors
/// The first thing that is wrong: what, where, and the nearest name for a typing error.
pub fn parse(text: &str, file: &str) -> Result<Partner, Error> {
    let partner: Partner = strict(text, file)?;
    let at = |section: &str, what: String| Error::at_section(text, file, section, what);
    if let Some(as2) = &partner.as2 {
        let wrong = match as2.version {
            Version::V1_0 if as2.compress.is_some() => {
                "AS2 1.0 knows no compression; say version 1.1 or later, or leave it out"
            }
            Version::V1_3 if as2.legacy_until.is_some() => {
                "AS2 1.3 knows no SHA-1 and no 3DES; say version 1.2, or leave legacy_until out"
            }
            _ => "",
        };
        if !wrong.is_empty() {
            return Err(at("as2", wrong.to_owned()));
        }
    }
    for (set, document) in &partner.documents {
        let section = format!("documents.{set}");
        if set.len() != 3 || !set.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(at(
                &section,
                format!("`{set}` is not a transaction set such as 850"),
            ));
        }
        if partner.x12.is_none() {
            return Err(at(
                &section,
                format!("a {set} needs an [x12] section for its envelope"),
            ));
        }
        if document.bridge == Bridge::Spapi && partner.spapi.is_none() {
            let what = "bridge = \"spapi\" needs an [spapi] section for its account";
            return Err(at(&section, what.to_owned()));
        }
        let twice = |x12: &X12, own: &Spapi| x12.acknowledge && own.acknowledge;
        if let (Some(x12), Some(own)) = (&partner.x12, &partner.spapi)
            && twice(x12, own)
        {
            let what = "the API's 997 and ours would be two for one set: say `acknowledge = false` \
                        in [x12] or in [spapi]";
            return Err(at("spapi", what.to_owned()));
        }
        let missing = match (partner.transport(set), document.transport) {
            (Some(Transport::As2), _) if partner.as2.is_none() => "[as2]",
            (Some(Transport::Folder), Some(_)) if partner.folder.is_none() => "[folder]",
            (Some(Transport::Folder), None) if partner.folder.is_none() => "[as2] or [folder]",
            _ => continue,
        };
        return Err(at(
            &section,
            format!("the {set} has no way out: there is no {missing} section"),
        ));
    }
    Ok(partner)
}

/// All partners, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partners(Vec<Partner>);

impl Partners {
    /// Puts partners together.
    ///
    /// # Errors
    /// Where two have the same name, AS2 pair or ISA pair: what came could be either's.
    pub fn new(mut partners: Vec<Partner>) -> Result<Self, String> {
        partners.sort_by(|a, b| a.name.cmp(&b.name));
        for (n, one) in partners.iter().enumerate() {
            for other in &partners[n + 1..] {
                let same_as2 = matches!((&one.as2, &other.as2), (Some(a), Some(b))
                    if (&a.id, &a.our_id) == (&b.id, &b.our_id));
                let same_isa = matches!((&one.x12, &other.x12), (Some(a), Some(b))
                    if (&a.ours, &a.theirs) == (&b.ours, &b.theirs));
                let what = match (one.name == other.name, same_as2, same_isa) {
                    (true, ..) => "name",
                    (_, true, _) => "pair of AS2 names",
                    (.., true) => "pair of ISA identifiers",
                    _ => continue,
                };
                return Err(format!(
                    "{} and {} have the same {what}",
                    one.name, other.name
                ));
            }
        }
        Ok(Self(partners))
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> std::slice::Iter<'_, Partner> {
        self.0.iter()
    }

    /// The partner of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Partner> {
        self.0.iter().find(|partner| partner.name == name)
    }

    /// The partner whose message this is, by `AS2-From` and `AS2-To`, unquoted and exact.
    #[must_use]
    pub fn find_as2(&self, from: &str, to: &str) -> Option<&Partner> {
        let is = |as2: &As2| as2.id == from && as2.our_id == to;
        self.0
            .iter()
            .find(|partner| partner.as2.as_ref().is_some_and(is))
    }

    /// The partner whose interchange this is, by (ISA05, ISA06) and (ISA07, ISA08), padded or
    /// not.
    #[must_use]
    pub fn find_isa(&self, sender: (&str, &str), receiver: (&str, &str)) -> Option<&Partner> {
        let is =
            |x12: &X12| x12.theirs.is(sender.0, sender.1) && x12.ours.is(receiver.0, receiver.1);
        self.0
            .iter()
            .find(|partner| partner.x12.as_ref().is_some_and(is))
    }
}

/// Reads every `*.toml` of a folder; a folder that does not exist has none. Relative paths in a
/// file are then relative to the folder.
///
/// # Errors
/// Everything that is wrong in any file.
pub fn load(folder: &Path) -> Result<Partners, Vec<Error>> {
    let unreadable = |path: &Path, why: &io::Error| Error::plain(&path.to_string_lossy(), why);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Partners::default()),
        Err(why) => return Err(vec![unreadable(folder, &why)]),
    };
    let (mut partners, mut errors) = (Vec::new(), Vec::new());
    for entry in entries {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(why) => return Err(vec![unreadable(folder, &why)]),
        };
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let read = std::fs::read_to_string(&path).map_err(|why| unreadable(&path, &why));
        match read.and_then(|text| parse(&text, &path.to_string_lossy())) {
            Ok(mut partner) => {
                partner.rebase(folder);
                partners.push(partner);
            }
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        errors.sort_by(|a, b| a.file.cmp(&b.file));
        return Err(errors);
    }
    Partners::new(partners).map_err(|why| vec![Error::plain(&folder.to_string_lossy(), why)])
}
