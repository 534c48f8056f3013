//! The folder of keys: ours, and the certificates that partners gave us since.
//!
//! ```text
//! keys/us-2027.p12            key and certificate, encrypted
//! keys/us-2027.password       its password, unless the card names another place
//! keys/us-2027.pem            the certificate, to give away
//! keys/us-2027.toml           its card: uses, from, until
//! keys/partners/acme/3f9a….pem  .toml      a certificate of theirs, and its card
//! ```
//!
//! Both halves of a pair are files that appear whole, so a folder that is read while it is written
//! is as it was before or as it is after. A card that is missing says nothing: a key signs and
//! decrypts from the first day of its certificate.
//!
//! ```
//! use transload::partner::keys;
//!
//! let folder = tempfile::tempdir()?;
//! assert!(keys::load(folder.path())?.ours.is_empty());
//! std::fs::write(folder.path().join("us.key"), "-----BEGIN PRIVATE KEY-----")?;
//! assert!(keys::load(folder.path()).err().unwrap().to_string().contains("in clear"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It reads no key without a password, and trusts no certificate that its card does not accept.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::keyring::{Dated, Use};
use super::{Error, check, strict};
use crate::as2::{Certificate, Identity};

/// Where partners' certificates lie below the folder of keys.
const PARTNERS: &str = "partners";
/// Bytes of a file in the folder: a PKCS#12 file with a chain has a few thousand.
const FILE_BYTES: u64 = 1 << 20;

/// Whether a certificate of theirs is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It waits for a person.
    Pending,
    /// It is trusted within its dates.
    #[default]
    Accepted,
    /// It was refused, and is kept so that it is not asked for again.
    Rejected,
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Accepted => "accepted",
            State::Rejected => "rejected",
        }
    }
}

/// What is said of a key or certificate beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Card {
    /// What for; nothing said is what certificates of messages are for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
    /// See [`Dated::from`].
    #[serde(
        deserialize_with = "check::moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub from: Option<DateTime<Utc>>,
    /// See [`Dated::until`].
    #[serde(
        deserialize_with = "check::moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub until: Option<DateTime<Utc>>,
    /// Theirs: whether it is trusted.
    pub state: State,
    /// Theirs: the id of the request that brought it, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Ours: the file with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Ours: the variable of the environment with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
    /// Ours: the credential with the password, as systemd passes it (`LoadCredential=`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_credential: Option<String>,
}

/// A key of ours. It has no `Debug`, as its identity has none.
#[derive(Clone)]
pub struct Own {
    /// What the files are called.
    pub name: String,
    /// What is said of it.
    pub card: Card,
    /// The key and its dates.
    pub dated: Dated<Identity>,
}

/// A certificate of a partner's.
#[derive(Debug, Clone)]
pub struct Held {
    /// The PEM file.
    pub path: PathBuf,
    /// What is said of it.
    pub card: Card,
    /// The certificate and its dates.
    pub dated: Dated<Certificate>,
}

/// All that the folder holds.
#[derive(Clone, Default)]
pub struct Keys {
    /// Ours, by name.
    pub ours: Vec<Own>,
    /// Theirs, by partner.
    pub theirs: BTreeMap<String, Vec<Held>>,
    /// What is not as it should be, and works all the same.
    pub warnings: Vec<String>,
}

impl Keys {
    /// A partner's certificates that are trusted.
    pub fn accepted(&self, partner: &str) -> impl Iterator<Item = &Dated<Certificate>> {
        let held = self.theirs.get(partner).into_iter().flatten();
        held.filter(|one| one.card.state == State::Accepted)
            .map(|one| &one.dated)
    }
}

/// Reads the folder; one that does not exist holds nothing. Blocks.
///
/// # Errors
/// The first file that cannot be used: a key without a password, a private key in clear.
pub fn load(folder: &Path) -> Result<Keys, Error> {
    let mut keys = Keys::default();
    for path in files(folder)? {
        match extension(&path) {
            "p12" => {
                let own = own(folder, &path, &mut keys.warnings)?;
                let uses = &own.dated.uses;
                if uses.contains(&Use::Tls) && uses.len() > 1 {
                    let path = path.display();
                    keys.warnings.push(format!(
                        "{path} is for TLS and for messages; let each have a key of its own"
                    ));
                }
                keys.ours.push(own);
            }
            "key" | "pem" => sealed(&path)?,
            _ => {}
        }
    }
    for partner in files(&folder.join(PARTNERS))? {
        let name = stem(&partner);
        for path in files(&partner)? {
            if extension(&path) == "pem" {
                let held = held(&path)?;
                keys.theirs.entry(name.clone()).or_default().push(held);
            }
        }
    }
    Ok(keys)
}

fn own(folder: &Path, path: &Path, warnings: &mut Vec<String>) -> Result<Own, Error> {
    let card = card(path)?;
    let password = password(folder, path, &card, warnings)?;
    open_to_others(path, warnings);
    let identity =
        Identity::from_pkcs12(&bytes(path)?, &password).map_err(|why| wrong(path, why))?;
    let dated = Dated::from(identity);
    let from = card.from.unwrap_or(dated.valid.0);
    let dated = Dated {
        from: Some(from),
        until: card.until,
        uses: uses(&card, &dated.uses),
        ..dated
    };
    let name = stem(path);
    Ok(Own { name, card, dated })
}

fn held(path: &Path) -> Result<Held, Error> {
    let card = card(path)?;
    let certificate = Certificate::from_pem(&bytes(path)?).map_err(|why| wrong(path, why))?;
    let dated = Dated::from(certificate);
    let dated = Dated {
        from: card.from,
        until: card.until,
        uses: uses(&card, &dated.uses),
        ..dated
    };
    let path = path.to_owned();
    Ok(Held { path, card, dated })
}

fn uses(card: &Card, usual: &[Use]) -> Vec<Use> {
    match card.uses.is_empty() {
        true => usual.to_vec(),
        false => card.uses.clone(),
    }
}

/// The card beside a file.
fn card(path: &Path) -> Result<Card, Error> {
    let card = path.with_extension("toml");
    match fs::read_to_string(&card) {
        Ok(text) => strict(&text, &card.to_string_lossy()),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Card::default()),
        Err(why) => Err(wrong(&card, why)),
    }
}

fn password(
    folder: &Path,
    path: &Path,
    card: &Card,
    warnings: &mut Vec<String>,
) -> Result<Zeroizing<String>, Error> {
    let file = match card {
        Card {
            password_env: Some(name),
            ..
        } => {
            let word = std::env::var(name).map(Zeroizing::new);
            return word
                .map_err(|_| wrong(path, format!("the variable {name} has no password in it")));
        }
        Card {
            password_file: Some(file),
            ..
        } => folder.join(file),
        Card {
            password_credential: Some(name),
            ..
        } => credential(name).ok_or_else(|| {
            let why = "systemd passes no credentials; name it in LoadCredential= of the service";
            wrong(path, why)
        })?,
        _ => path.with_extension("password"),
    };
    let read = fs::read_to_string(&file).map(Zeroizing::new);
    let word =
        read.map_err(|why| wrong(&file, format!("the password of {}: {why}", path.display())))?;
    if card.password_credential.is_none() {
        open_to_others(&file, warnings);
    }
    let word = Zeroizing::new(word.trim_end_matches(['\r', '\n']).to_owned());
    match word.is_empty() {
        true => Err(wrong(
            &file,
            "it is empty, and a key without a password is a key in clear",
        )),
        false => Ok(word),
    }
}

/// The file that systemd puts a credential into.
#[must_use]
pub fn credential(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
    Some(Path::new(&folder).join(name))
}

/// Refuses a private key in clear.
fn sealed(path: &Path) -> Result<(), Error> {
    let text = String::from_utf8_lossy(&bytes(path)?).into_owned();
    let open = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
    let open = open.map(|kind| format!("-----BEGIN {kind}-----"));
    let encrypted = text.contains("Proc-Type: 4,ENCRYPTED");
    match !encrypted && open.iter().any(|kind| text.contains(kind)) {
        true => Err(wrong(
            path,
            "a private key in clear; take it in with `transload cert import --key`, which encrypts \
             it, and remove the file",
        )),
        false => Ok(()),
    }
}

/// Warns of a secret that others than its owner may read.
#[cfg(unix)]
fn open_to_others(path: &Path, warnings: &mut Vec<String>) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_or(0, |about| about.permissions().mode());
    if mode & 0o077 != 0 {
        let path = path.display();
        warnings.push(format!(
            "{path} can be read by others (mode {:03o}); chmod 600 {path}",
            mode & 0o777
        ));
    }
}

#[cfg(not(unix))]
fn open_to_others(_: &Path, _: &mut Vec<String>) {}

/// Keeps a certificate of a partner's with its card; the file's path. One that is there gets the
/// card.
///
/// # Errors
/// The folder cannot be written.
pub fn hold(
    folder: &Path,
    partner: &str,
    certificate: &Certificate,
    card: &Card,
) -> io::Result<PathBuf> {
    let folder = folder.join(PARTNERS).join(partner);
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}.pem", certificate.fingerprint()));
    // The card first: without it a certificate would be trusted.
    write_card(&path, card)?;
    if !path.exists() {
        let pem = certificate.to_pem().map_err(io::Error::other)?;
        write(&path, &pem)?;
    }
    Ok(path)
}

/// Writes the card of a key or certificate file.
///
/// # Errors
/// The folder cannot be written.
pub fn write_card(path: &Path, card: &Card) -> io::Result<()> {
    let text = toml::to_string(card).map_err(io::Error::other)?;
    write(&path.with_extension("toml"), text.as_bytes())
}

/// Writes a file that appears whole: durable, then renamed into its place.
///
/// # Errors
/// The folder cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    appear(
        path,
        bytes,
        fs::OpenOptions::new().write(true).create_new(true),
    )
}

/// The same, for its owner alone.
///
/// # Errors
/// The folder cannot be written.
pub fn write_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    appear(path, bytes, &options)
}

fn appear(path: &Path, bytes: &[u8], options: &fs::OpenOptions) -> io::Result<()> {
    let beside = path.with_extension("partial");
    // What a crash left there would keep its mode.
    match fs::remove_file(&beside) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        _ => {}
    }
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// What a folder holds, by name; nothing where it does not exist.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why)
            if matches!(
                why.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(why) => return Err(wrong(folder, why)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<_> = paths
        .collect::<Result<_, _>>()
        .map_err(|why| wrong(folder, why))?;
    paths.sort();
    Ok(paths)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let size = fs::metadata(path).map_err(|why| wrong(path, why))?.len();
    match size <= FILE_BYTES {
        true => fs::read(path).map_err(|why| wrong(path, why)),
        false => Err(wrong(path, format!("larger than {FILE_BYTES} bytes"))),
    }
}

fn extension(path: &Path) -> &str {
    path.extension()
        .and_then(|kind| kind.to_str())
        .unwrap_or_default()
}

fn stem(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn wrong(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::plain(&path.to_string_lossy(), why)
}
