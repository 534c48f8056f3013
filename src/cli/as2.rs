//! `transload as2`: messages on disk, without a network and without a store.

mod open;
mod parts;
mod seal;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::words::{cause, said};
use super::{Failure, Outcome};
use crate::as2::{Certificate, Identity, Keys};
use crate::partner::moment_of;
use crate::x12::text;

/// Open or seal AS2 messages offline.
#[derive(clap::Args)]
pub(super) struct As2 {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Open a recorded request, a bare CMS body or a receipt, and tell all about it in JSON
    Open(open::Open),
    /// Seal files as the request that would be posted to the partner
    Seal(seal::Seal),
}

impl As2 {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            Command::Open(command) => command.run(out),
            Command::Seal(command) => command.run(out),
        }
    }
}

/// Whose keys, and what time it is taken to be.
#[derive(clap::Args)]
struct Trust {
    /// Our key and certificate, as PKCS#12
    #[arg(long, value_name = "P12", requires = "password_file")]
    key: Option<PathBuf>,
    /// The file that holds the password of the PKCS#12 file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The partner's certificate, PEM or DER; may be given again
    #[arg(long, value_name = "PEM")]
    partner_cert: Vec<PathBuf>,
    /// The time at which certificates have to be valid, such as 2026-11-22 or
    /// 2026-11-22T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    at: Option<DateTime<Utc>>,
}

impl Trust {
    fn keys(&self) -> Result<Keys, Failure> {
        let ours = match (&self.key, &self.password_file) {
            (Some(key), Some(password)) => vec![identity(key, password)?],
            _ => Vec::new(),
        };
        let theirs = self.partner_cert.iter().map(|path| certificate(path));
        let theirs = theirs.collect::<Result<_, _>>().map_err(Failure::usage)?;
        Ok(Keys { ours, theirs })
    }

    fn at(&self) -> DateTime<Utc> {
        self.at.unwrap_or_else(Utc::now)
    }
}

fn identity(key: &Path, password_file: &Path) -> Result<Identity, Failure> {
    let p12 = read(key, "--key")?;
    let password = password(password_file)?;
    Identity::from_pkcs12(&p12, &password).map_err(|why| {
        Failure::usage(said(&text!(
            "{key} does not open with the password in {file}: {why}; check that both belong \
             together, or make new ones with `transload cert new`",
            key = key.display().to_string(),
            file = password_file.display().to_string(),
            why = why.to_string()
        )))
    })
}

/// A certificate file, PEM or DER; the error says where, what, why and what next.
pub(super) fn certificate(path: &Path) -> Result<Certificate, String> {
    let shown = path.display().to_string();
    let bytes = fs::read(path).map_err(|why| {
        said(&text!(
            "cannot read the certificate {shown}: {why}; ask the partner for it, and put it there",
            shown = &shown,
            why = cause(&why)
        ))
    })?;
    let read = if bytes.first() == Some(&0x30) {
        Certificate::from_der(&bytes)
    } else {
        Certificate::from_pem(&bytes)
    };
    read.map_err(|why| {
        said(&text!(
            "{shown} is no certificate: {why}; a PEM file holds a line \
             `-----BEGIN CERTIFICATE-----`",
            shown = &shown,
            why = why.to_string()
        ))
    })
}

/// The password in a file: its text without one line end.
pub(super) fn password(path: &Path) -> Result<String, Failure> {
    let mut text = String::from_utf8(read(path, "--password-file")?).map_err(|_| {
        Failure::usage(said(&text!(
            "{shown} holds no password: it is not UTF-8; write the password alone into it",
            shown = path.display().to_string()
        )))
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

fn read(path: &Path, flag: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|why| unreadable(path, flag, &why))
}

fn unreadable(path: &Path, what: &str, why: &io::Error) -> Failure {
    let path = path.display().to_string();
    Failure::usage(said(&text!(
        "cannot read {path} ({what}): {why}; check the path and your permission",
        path,
        what,
        why = why.to_string()
    )))
}

/// The file, or stdin for `-`.
fn input(path: &Path, what: &str) -> Result<Box<dyn BufRead>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|why| unreadable(path, what, &why))?;
    if file.metadata().is_ok_and(|about| about.is_dir()) {
        let shown = path.display().to_string();
        let told = text!("{shown} is a folder; name one file ({what})", shown, what);
        return Err(Failure::usage(said(&told)));
    }
    Ok(Box::new(BufReader::new(file)))
}

/// A file that appears whole or not at all: written beside its place, then renamed into it.
struct Landing {
    file: File,
    beside: PathBuf,
    place: PathBuf,
}

impl Landing {
    fn new(place: &Path) -> Result<Landing, Failure> {
        let mut beside = place.as_os_str().to_owned();
        beside.push(".partial");
        let beside = PathBuf::from(beside);
        let file = File::create(&beside).map_err(|why| unwritable(place, &why))?;
        Ok(Landing {
            file,
            beside,
            place: place.to_owned(),
        })
    }

    fn keep(self) -> Result<(), Failure> {
        let renamed = fs::rename(&self.beside, &self.place);
        renamed.map_err(|why| unwritable(&self.place, &why))
    }
}

impl Drop for Landing {
    /// What was not kept goes; what was kept is not there any more under this name.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.beside);
    }
}

fn unwritable(path: &Path, why: &io::Error) -> Failure {
    let path = path.display().to_string();
    Failure::state(said(&text!(
        "cannot write {path}: {why}; check that the folder exists and has room",
        path,
        why = why.to_string()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_moments() {
        let table = [
            ("2026-11-22", "2026-11-22T00:00:00+00:00"),
            ("2026-11-22T08:00:00Z", "2026-11-22T08:00:00+00:00"),
            ("2026-11-22T08:00:00+08:00", "2026-11-22T00:00:00+00:00"),
        ];
        for (text, want) in table {
            assert_eq!(moment_of(text).unwrap().to_rfc3339(), want);
        }
        assert!(moment_of("yesterday").unwrap_err().contains("2027-01-31"));
    }

    #[test]
    fn one_line_end_is_no_part_of_a_password() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        for (text, want) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a \n\n", "a \n")] {
            fs::write(&file, text).unwrap();
            assert_eq!(password(&file).ok().as_deref(), Some(want));
        }
    }

    #[test]
    fn what_is_not_kept_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("payload");
        drop(Landing::new(&place).ok().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        Landing::new(&place).ok().unwrap().keep().ok().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
