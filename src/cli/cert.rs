//! `transload cert`: keys and certificates, without another program and without a question.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::as2::password;
use super::{Exit, Failure, Outcome};
use crate::as2::{Certificate, Error, Identity, KeyKind};
use crate::net;

/// Make keys and certificates.
#[derive(clap::Args)]
pub(super) struct Cert {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a key with a self-signed certificate: NAME.p12 to keep, NAME.pem to give away
    New(New),
}

impl Cert {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let Command::New(command) = self.command;
        command.run(out)
    }
}

/// The certificate's validity begins this long ago, for partners whose clocks are late.
const LATE_CLOCKS: TimeDelta = TimeDelta::hours(1);

/// Random bytes of a password: as many bits as the key protects.
const PASSWORD_BYTES: usize = 16;

#[derive(clap::Args)]
struct New {
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

/// Where things go.
struct Places {
    p12: PathBuf,
    pem: PathBuf,
    password: PathBuf,
}

impl New {
    fn run(self, out: &mut dyn Write) -> Outcome {
        let given = self.password_file.as_deref().map(chosen).transpose()?;
        let places = self.places();
        let fresh_password = given.is_none().then_some(&places.password);
        for path in [&places.p12, &places.pem].into_iter().chain(fresh_password) {
            if path.exists() {
                return Err(taken(path));
            }
        }
        fs::create_dir_all(&self.out).map_err(|why| unwritable(&self.out, &why))?;
        let identity = self.identity().map_err(|why| {
            let name = &self.name;
            Failure::usage(format!(
                "cannot make a certificate for {name:?}: {why}; choose another --name"
            ))
        })?;
        let internal = |why: Error| Failure::state(format!("cannot make the files: {why}"));
        let password = given.unwrap_or_else(fresh);
        let p12 = identity
            .to_pkcs12(&self.name, &password)
            .map_err(internal)?;
        if let Some(path) = fresh_password {
            create(path, format!("{password}\n").as_bytes(), true)?;
        }
        create(&places.p12, &p12, true)?;
        let pem = identity.certificate.to_pem().map_err(internal)?;
        create(&places.pem, &pem, false)?;
        self.tell(&places, &identity.certificate, out)
    }

    fn places(&self) -> Places {
        let stem = file_stem(&self.name);
        let place = |kind: &str| self.out.join(format!("{stem}.{kind}"));
        Places {
            p12: place("p12"),
            pem: place("pem"),
            password: self
                .password_file
                .clone()
                .unwrap_or_else(|| place("password")),
        }
    }

    fn identity(&self) -> Result<Identity, Error> {
        let mut serial = [0; 8];
        net::entropy(&mut serial);
        let now = Utc::now();
        let until = now + TimeDelta::days(self.days.into());
        Identity::generate_as(
            self.key,
            &self.name,
            u64::from_be_bytes(serial).max(1),
            now - LATE_CLOCKS,
            until,
        )
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

fn kind(name: &str) -> Result<KeyKind, String> {
    name.parse().map_err(|why: Error| why.to_string())
}

/// A password that the caller chose.
fn chosen(file: &Path) -> Result<String, Failure> {
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
fn fresh() -> String {
    let mut random = [0; PASSWORD_BYTES];
    net::entropy(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A fingerprint in groups of four capitals, as two people read it out to each other.
pub(super) fn spoken(fingerprint: &str) -> Vec<String> {
    let digits: Vec<char> = fingerprint.to_ascii_uppercase().chars().collect();
    digits
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect()
}

/// A file name made of a common name: what is no letter, digit, `.`, `_` or `-` becomes `-`.
fn file_stem(name: &str) -> String {
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

fn unwritable(path: &Path, why: &io::Error) -> Failure {
    let path = path.display();
    Failure::state(format!(
        "cannot write {path}: {why}; check --out and your permission"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_out_in_groups() {
        assert_eq!(spoken("00ab12cdff"), ["00AB", "12CD", "FF"]);
    }

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
