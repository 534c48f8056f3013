//! What lets us in: an application's id and secrets, and an account's refresh token.
//!
//! ```toml
//! environment = "production"
//! application = "amzn1.application-oa2-client.0123"
//! refresh_token = "Atzr|…"
//!
//! [[secrets]]
//! value = "amzn1.oa2-cs.v1.…"
//! issued = "2026-08-01"
//! ```
//!
//! One file for each environment and authorisation, readable by its owner alone. Two secrets stand
//! in it while one is being replaced by the other. Nothing here can be printed: no error repeats
//! what stands in the file.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, TimeDelta};
use zeroize::Zeroizing;

use super::Environment;

/// How long a client secret lives.
pub const SECRET_LIFE: TimeDelta = TimeDelta::days(180);
/// How long before its end people are told: a rotation wants a change window.
pub const SECRET_WARNING: TimeDelta = TimeDelta::days(30);
/// Secrets that an application may have at once.
const SECRETS: usize = 2;

/// Text that is not shown. Wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps a text.
    #[must_use]
    pub fn new(text: &str) -> Secret {
        Secret(Zeroizing::new(text.to_owned()))
    }

    /// The text, for the wire and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A client secret, and since when.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret {
    /// The secret.
    pub value: Secret,
    /// The day that it was issued, where somebody said.
    pub issued: Option<NaiveDate>,
}

/// All that lets us in to one account.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Where it may be used.
    pub environment: Environment,
    /// The application's client id.
    pub application: String,
    /// What the account gave the application. It does not end by itself.
    pub refresh_token: Secret,
    /// The application's secrets, the newest first: one, or two during a rotation.
    pub secrets: Vec<ClientSecret>,
}

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read it.
    #[error("{}: others can read it; chmod 600 it", .0.display())]
    Open(PathBuf),
    /// It is not what it should be. What stands in it is not repeated.
    #[error("{}: {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Credential {
    /// Reads a credential's text.
    ///
    /// # Errors
    /// What is wrong with it, and never what stands in it.
    pub fn parse(text: &str) -> Result<Credential, String> {
        let table: toml::Table = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            format!("line {line} is no TOML")
        })?;
        let known = ["environment", "application", "refresh_token", "secrets"];
        if let Some(other) = table.keys().find(|key| !known.contains(&key.as_str())) {
            // A key is no secret, unless a secret was put in a key's place.
            return Err(match other.len() < 32 {
                true => format!("there is no such field as {other:?}"),
                false => "there is a field that is none of ours".to_owned(),
            });
        }
        let word = |name: &str| {
            let text = table.get(name).and_then(toml::Value::as_str).map(str::trim);
            let text = text.filter(|text| !text.is_empty());
            text.ok_or_else(|| format!("{name} is missing, or is no text"))
        };
        let none = Vec::new();
        let secrets = table.get("secrets").and_then(toml::Value::as_array);
        let secrets = secrets.unwrap_or(&none).iter().map(client_secret);
        let mut secrets = secrets.collect::<Result<Vec<_>, _>>()?;
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.issued));
        if !(1..=SECRETS).contains(&secrets.len()) {
            return Err(format!(
                "{} [[secrets]]; an application has one, and two during a rotation",
                secrets.len()
            ));
        }
        Ok(Credential {
            // The word is not repeated: perhaps somebody put a token there.
            environment: word("environment")?
                .parse()
                .map_err(|_| "environment is none of simulator, sandbox, production")?,
            application: word("application")?.to_owned(),
            refresh_token: Secret::new(word("refresh_token")?),
            secrets,
        })
    }

    /// Reads the file of a credential.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn load(path: &Path) -> Result<Credential, Unusable> {
        let file = |source| Unusable::File {
            path: path.to_path_buf(),
            source,
        };
        let mode = fs::metadata(path).map_err(file)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(Unusable::Open(path.to_path_buf()));
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(file)?);
        Credential::parse(&text).map_err(|why| Unusable::Content {
            path: path.to_path_buf(),
            why,
        })
    }

    /// Writes the file, whole and for its owner alone.
    ///
    /// # Errors
    /// [`Unusable::File`].
    pub fn save(&self, path: &Path) -> Result<(), Unusable> {
        let file = |source| Unusable::File {
            path: path.to_path_buf(),
            source,
        };
        let new = path.with_extension("new");
        let write = || {
            let mut options = fs::OpenOptions::new();
            let options = options.write(true).create(true).truncate(true).mode(0o600);
            let mut out = options.open(&new)?;
            out.set_permissions(fs::Permissions::from_mode(0o600))?;
            out.write_all(self.text().as_bytes())?;
            out.sync_all()?;
            fs::rename(&new, path)
        };
        write().map_err(file)
    }

    fn text(&self) -> Zeroizing<String> {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let mut text = Zeroizing::new(format!(
            "environment = {}\napplication = {}\nrefresh_token = {}\n",
            quoted(self.environment.as_str()),
            quoted(&self.application),
            quoted(self.refresh_token.expose()),
        ));
        for secret in &self.secrets {
            let value = quoted(secret.value.expose());
            let _ = write!(text, "\n[[secrets]]\nvalue = {value}\n");
            if let Some(issued) = secret.issued {
                let _ = writeln!(text, "issued = \"{issued}\"");
            }
        }
        text
    }

    /// How many days the application can still log in: until its youngest secret ends. None where
    /// nobody said when one was issued.
    #[must_use]
    pub fn days_left(&self, today: NaiveDate) -> Option<i64> {
        let issued = self.secrets.iter().map(|secret| secret.issued);
        let last = issued.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        Some((last + SECRET_LIFE - today).num_days())
    }
}

fn client_secret(value: &toml::Value) -> Result<ClientSecret, String> {
    let text = |name: &str| value.get(name).and_then(toml::Value::as_str);
    let secret = text("value").filter(|text| !text.trim().is_empty());
    let secret = secret.ok_or("a [[secrets]] has no value")?;
    let issued = match value.get("issued") {
        None => None,
        Some(_) => {
            let day = text("issued").and_then(|day| day.parse().ok());
            Some(day.ok_or("issued is no day such as \"2026-08-01\"")?)
        }
    };
    Ok(ClientSecret {
        value: Secret::new(secret.trim()),
        issued,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "environment = \"sandbox\"\napplication = \"app\"\nrefresh_token = \"canary\"\n\
        [[secrets]]\nvalue = \"canary-old\"\nissued = \"2026-01-01\"\n\
        [[secrets]]\nvalue = \"canary-new\"\nissued = \"2026-06-01\"\n";

    #[test]
    fn the_newest_secret_comes_first_and_ends_last() {
        let credential = Credential::parse(TEXT).unwrap();
        assert_eq!(credential.secrets[0].value.expose(), "canary-new");
        let today = "2026-11-01".parse().unwrap();
        assert_eq!(credential.days_left(today), Some(27));
    }

    #[test]
    fn a_file_comes_back_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("us.credential");
        Credential::parse(TEXT).unwrap().save(&path).unwrap();
        let back = Credential::load(&path).unwrap();
        assert_eq!(back.text(), Credential::parse(TEXT).unwrap().text());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Credential::load(&path).err().unwrap();
        assert!(matches!(refused, Unusable::Open(_)));
    }

    #[test]
    fn what_is_wrong_is_told_and_nothing_of_what_stands_there() {
        let cases = [
            TEXT.replace("refresh_token = \"canary\"", "refresh_token = \"canary"),
            TEXT.replace("refresh_token", "refresh_tokne"),
            TEXT.replace("sandbox", "canary"),
            TEXT.replace("2026-01-01", "canary"),
            TEXT.replace("value = \"canary-old\"", "vlaue = \"canary\""),
            format!("{TEXT}[[secrets]]\nvalue = \"canary\"\n"),
            TEXT.replace("\"app\"", "[\"canary\"]"),
            format!("canary{}=1\n{TEXT}", "x".repeat(40)),
        ];
        for text in &cases {
            let why = Credential::parse(text).err().unwrap();
            assert!(!why.contains("canary"), "{why}");
        }
    }
}
