//! `transload cert new`: a key and its certificate, without another program and without a question.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::told::spoken;
use crate::as2::{Certificate, Error, Identity, KeyKind};
use crate::cli::as2::password;
use crate::cli::{Exit, Failure, Outcome};
use crate::net;

/// The certificate's validity begins this long ago, for partners whose clocks are late.
const LATE_CLOCKS: TimeDelta = TimeDelta::hours(1);

/// Random bytes of a password: as many bits as the key protects.
const PASSWORD_BYTES: usize = 16;

#[derive(clap::Args)]
pub(super) struct New {
    /// The common name, such as our AS2 name; the files are called after it
    #[arg(long, value_name = "CN")]
    name: String,
    /// How many days the certificate is valid
    #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// The kind of key: rsa-2048, rsa-3072, rsa-4096, p-256, p-384 or p-521. Many partners know
    /// RSA only
    #[arg(long, value_name = "KIND", default_value = "rsa-2048", value_parser = kind)]
    key: KeyKind,
    /// The folder for the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// The file that holds the password of the .p12 [default: a new one, NAME.password]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Where the files of a key go.
pub(super) struct Places {
    folder: PathBuf,
    pub(super) p12: PathBuf,
    pub(super) pem: PathBuf,
    pub(super) password: PathBuf,
}

impl Places {
    pub(super) fn new(folder: &Path, stem: &str, password: Option<PathBuf>) -> Places {
        let place = |kind: &str| folder.join(format!("{stem}.{kind}"));
        Places {
            folder: folder.to_owned(),
            p12: place("p12"),
            pem: place("pem"),
            password: password.unwrap_or_else(|| place("password")),
        }
    }

    /// Refuses places that are taken; `given` says that the password is there already.
    pub(super) fn free(&self, given: bool) -> Result<(), Failure> {
        let fresh = (!given).then_some(&self.password);
        let mut all = [&self.p12, &self.pem].into_iter().chain(fresh);
        all.find(|path| path.exists())
            .map_or(Ok(()), |path| Err(taken(path)))
    }

    /// Writes a key under a password, which is a new one unless it is given. The key comes last: a
    /// key without its password cannot be read.
    pub(super) fn fill(
        &self,
        identity: &Identity,
        name: &str,
        given: Option<String>,
    ) -> Result<(), Failure> {
        let internal = |why: Error| Failure::state(format!("cannot make the files: {why}"));
        fs::create_dir_all(&self.folder).map_err(|why| unwritable(&self.folder, &why))?;
        let fresh_password = given.is_none();
        let password = given.unwrap_or_else(fresh);
        let p12 = identity.to_pkcs12(name, &password).map_err(internal)?;
        let pem = identity.certificate.to_pem().map_err(internal)?;
        if fresh_password {
            create(&self.password, format!("{password}\n").as_bytes(), true)?;
        }
        create(&self.pem, &pem, false)?;
        create(&self.p12, &p12, true)
    }
}

/// A fresh identity, valid from an hour ago.
pub(super) fn made(kind: KeyKind, name: &str, days: u32) -> Result<Identity, Failure> {
    let mut serial = [0; 8];
    net::entropy(&mut serial);
    let now = Utc::now();
    let until = now + TimeDelta::days(days.into());
    let serial = u64::from_be_bytes(serial).max(1);
    Identity::generate_as(kind, name, serial, now - LATE_CLOCKS, until).map_err(|why| {
        Failure::usage(format!(
            "cannot make a certificate for {name:?}: {why}; choose another --name"
        ))
    })
}

impl New {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let given = self.password_file.as_deref().map(chosen).transpose()?;
        let places = Places::new(
            &self.out,
            &file_stem(&self.name),
            self.password_file.clone(),
        );
        places.free(given.is_some())?;
        let identity = made(self.key, &self.name, self.days)?;
        places.fill(&identity, &self.name, given)?;
        self.tell(&places, &identity.certificate, out)
    }

    fn tell(&self, places: &Places, made: &Certificate, out: &mut dyn Write) -> Outcome {
        let (p12, pem, password) = (
            places.p12.display().to_string(),
            places.pem.display().to_string(),
            places.password.display().to_string(),
        );
        if self.json {
            let told = json!({
                "subject": made.subject(),
                "key": self.key.to_string(),
                "fingerprint": made.fingerprint(),
                "not_before": made.not_before(),
                "not_after": made.not_after(),
                "p12": p12,
                "password_file": password,
                "pem": pem,
            });
            writeln!(out, "{told}")?;
            return Ok(Exit::Clean);
        }
        let until = made.not_after().date_naive();
        let width = p12.len().max(pem.len()).max(password.len());
        writeln!(
            out,
            "{}, {}, valid until {until}\n\n  \
             {p12:width$}  key and certificate: keep it secret\n  \
             {password:width$}  its password: keep it secret\n  \
             {pem:width$}  certificate: give it to your partners\n\n\
             SHA-256 fingerprint, to be read out and compared before it is trusted:\n",
            made.subject(),
            self.key
        )?;
        for line in spoken(made.fingerprint()).chunks(4) {
            writeln!(out, "  {}", line.join(" "))?;
        }
        Ok(Exit::Clean)
    }
}

pub(super) fn kind(name: &str) -> Result<KeyKind, String> {
    name.parse().map_err(|why: Error| why.to_string())
}

/// A password that the caller chose.
pub(super) fn chosen(file: &Path) -> Result<String, Failure> {
    let password = password(file)?;
    if password.is_empty() {
        let file = file.display();
        return Err(Failure::usage(format!(
            "{file} is empty: a key needs a password; write one into it, or leave out \
             --password-file and get a random one"
        )));
    }
    Ok(password)
}

/// Random, in hex: nothing in it that a shell or a settings file reads otherwise.
pub(in crate::cli) fn fresh() -> String {
    let mut random = [0; PASSWORD_BYTES];
    net::entropy(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file name made of a common name: what is no letter, digit, `.`, `_` or `-` becomes `-`.
pub(super) fn file_stem(name: &str) -> String {
    let safe = |c: char| match c {
        _ if c.is_alphanumeric() || "._-".contains(c) => c,
        _ => '-',
    };
    let stem: String = name.chars().map(safe).collect();
    match stem.starts_with('.') {
        true => format!("-{stem}"),
        false => stem,
    }
}

fn create(path: &Path, bytes: &[u8], secret: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let write = |mut file: File| file.write_all(bytes).and_then(|()| file.sync_all());
    options
        .open(path)
        .and_then(write)
        .map_err(|why| match why.kind() {
            io::ErrorKind::AlreadyExists => taken(path),
            _ => unwritable(path, &why),
        })
}

fn taken(path: &Path) -> Failure {
    let path = path.display();
    Failure::state(format!(
        "{path} is there already, and a key that is overwritten is lost for good: choose another \
         --name or --out, or move the old files away"
    ))
}

pub(super) fn unwritable(path: &Path, why: &io::Error) -> Failure {
    let path = path.display();
    Failure::state(format!(
        "cannot write {path}: {why}; check --out and your permission"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_folder() {
        let table = [
            ("ACME", "ACME"),
            ("Acme & Söhne", "Acme---Söhne"),
            ("../../etc/passwd", "-..-..-etc-passwd"),
        ];
        for (name, want) in table {
            assert_eq!(file_stem(name), want);
        }
    }

    #[test]
    fn passwords_differ() {
        assert_eq!(fresh().len(), 2 * PASSWORD_BYTES);
        assert_ne!(fresh(), fresh());
    }
}
