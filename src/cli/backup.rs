//! `transload backup`, `restore` and `release`: the gateway in one file, a gateway from it, and a
//! person's word about what was under way.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::RangedU64ValueParser;
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::messages::{Desk, failed};
use super::resend::order;
use super::serve::Place;
use super::words::said;
use super::{Exit, Failure, Outcome, as2::password};
use crate::as2::{Certificate, Identity};
use crate::backup::{self, Error, Lock, Opener, Restored, Sources, Taken};
use crate::clock::{Clock, System};
use crate::store::{LAST_CONTROL_NUMBER, Store};
use crate::x12::text;

/// How far numbers go ahead where nobody says: more than a busy pair uses in a day.
const ADVANCE: u32 = 1000;

/// Back the gateway up into one shut file, while it runs: store, payloads, partners, settings
#[derive(clap::Args)]
pub(super) struct Backup {
    /// The file to make
    file: PathBuf,
    /// The file of the passphrase that shuts it
    #[arg(long, value_name = "FILE", required_unless_present = "to")]
    passphrase_file: Option<PathBuf>,
    /// A certificate (PEM): who has its key can open it, and not even we can
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    to: Option<PathBuf>,
    /// Our keys too, with their passwords
    #[arg(long)]
    with_keys: bool,
    #[command(flatten)]
    place: Place,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Make a gateway's folder from a backup: numbers go ahead, and nothing is sent or delivered twice
#[derive(clap::Args)]
pub(super) struct Restore {
    /// The backup
    file: PathBuf,
    /// The folder to make; it is not there yet, or empty
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// The file of the passphrase that shut it
    #[arg(long, value_name = "FILE", required_unless_present = "key")]
    passphrase_file: Option<PathBuf>,
    /// The PKCS#12 file of the key that it was shut for
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "passphrase_file",
        requires = "password_file"
    )]
    key: Option<PathBuf>,
    /// The file of that key's password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// How far each pair's control numbers go ahead: more than were used since the backup
    #[arg(long, value_name = "N", default_value_t = ADVANCE, value_parser = RangedU64ValueParser::<u32>::new().range(1..LAST_CONTROL_NUMBER as u64))]
    advance: u32,
    /// Read all of it and say what it holds; write nothing
    #[arg(long)]
    check: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Let go of what a restore holds: it is sent or delivered then, under the ids that it had
#[derive(clap::Args)]
pub(super) struct Release {
    /// The message, interchange or document, as `transload queue` names it
    #[arg(required_unless_present = "all")]
    subjects: Vec<Uuid>,
    /// All that is held
    #[arg(long, conflicts_with = "subjects")]
    all: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    place: Place,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let config = self.place.config(&[])?;
        let lock = match (&self.to, &self.passphrase_file) {
            (Some(to), _) => Lock::Certificate(Box::new(certificate(to)?)),
            (None, Some(file)) => Lock::Passphrase(words(file)?),
            (None, None) => return Err(Failure::usage("give --passphrase-file or --to")),
        };
        let settings = self.place.file()?.0;
        let sources = Sources {
            data: config.data.clone(),
            settings: (!settings.is_empty()).then_some(settings),
            partners: config.partners.clone(),
            mappings: config.mappings.clone(),
            keys: self.with_keys.then(|| config.keys.clone()),
        };
        let taken = backup::take(&sources, &self.file, &lock, System.now());
        self.tell(&taken.map_err(told)?, out)
    }

    fn tell(&self, taken: &Taken, out: &mut dyn Write) -> Outcome {
        let Taken {
            card,
            files,
            content,
            size,
        } = taken;
        let file = self.file.display().to_string();
        if self.json {
            let told = json!({ "file": file, "card": card, "files": files, "content": content, "size": size });
            writeln!(out, "{told}")?;
            return Ok(Exit::Clean);
        }
        let told = text!(
            "{file}: {files} files, {messages} messages, {documents} documents, as of {made}; read back and \
             found whole",
            file,
            files = *files,
            messages = card.messages,
            documents = card.documents,
            made = card.made.format("%F %T UTC").to_string(),
        );
        writeln!(out, "{}", said(&told))?;
        if !card.keys {
            let told = text!("our keys are not in it: keep them apart, or say --with-keys");
            writeln!(out, "{}", said(&told))?;
        }
        let told = text!(
            "files in the folders of the folder bridge are not in it: they are the business side's"
        );
        writeln!(out, "{}", said(&told))?;
        Ok(Exit::Clean)
    }
}

impl Restore {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let by = match (&self.key, &self.password_file, &self.passphrase_file) {
            (Some(key), Some(own), _) => Opener::Keys(vec![identity(key, own)?]),
            (_, _, Some(file)) => Opener::Passphrase(words(file)?),
            _ => {
                return Err(Failure::usage(
                    "give --passphrase-file, or --key and --password-file",
                ));
            }
        };
        if self.check {
            let (card, files) = backup::check(&self.file, &by).map_err(told)?;
            if self.json {
                writeln!(out, "{}", json!({ "card": card, "files": files }))?;
                return Ok(Exit::Clean);
            }
            let told = text!(
                "the backup is whole: {files} files, {messages} messages, {documents} documents, as of {made}",
                files,
                messages = card.messages,
                documents = card.documents,
                made = card.made.format("%F %T UTC").to_string(),
            );
            writeln!(out, "{}", said(&told))?;
            return Ok(Exit::Clean);
        }
        let restored = backup::restore(&self.file, &by, &self.into, self.advance, System.now());
        self.tell(&restored.map_err(told)?, out)
    }

    fn tell(&self, restored: &Restored, out: &mut dyn Write) -> Outcome {
        let Restored { card, files, store } = restored;
        let into = self.into.display().to_string();
        if self.json {
            let told = json!({
                "into": into,
                "card": card,
                "files": files,
                "pairs": store.pairs,
                "advanced": store.advanced,
                "uncertain": store.uncertain,
                "held": store.held,
            });
            writeln!(out, "{told}")?;
            return Ok(Exit::Clean);
        }
        let made = card.made.format("%F %T UTC").to_string();
        let lines = [
            text!(
                "{into}: {files} files, {messages} messages, {documents} documents, as of {made}",
                into,
                files = *files,
                messages = card.messages,
                documents = card.documents,
                made = made.clone(),
            ),
            text!(
                "control numbers of {pairs} pairs went {n} ahead, and new pairs begin behind as many",
                pairs = store.pairs,
                n = store.advanced,
            ),
            text!(
                "{uncertain} messages may have gone since and are uncertain; {held} other pieces of work are \
                 held: `transload queue` lists them, `transload release` lets go",
                uncertain = store.uncertain,
                held = store.held,
            ),
            text!(
                "nobody knows what came after {made}: ask each partner what he sent since; what he sends again \
                 is taken for new, because its ids are not in the backup",
                made = made.clone(),
            ),
            text!(
                "documents that are delivered again have the same id as before: whoever takes them can tell; \
                 an API's orders that changed since are read again"
            ),
            match card.keys {
                true => text!(
                    "our keys are in {into}/keys",
                    into = self.into.display().to_string()
                ),
                false => text!("our keys were not in it: put them where the settings say"),
            },
            text!(
                "the old store must not run any more; then: cd {into} && transload doctor && transload serve",
                into = self.into.display().to_string(),
            ),
        ];
        for line in &lines {
            writeln!(out, "{}", said(line))?;
        }
        Ok(Exit::Clean)
    }
}

impl Release {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let order = order(&self.reason)?;
        let subjects: Vec<_> = match self.all {
            true => vec![None],
            false => self.subjects.iter().copied().map(Some).collect(),
        };
        let released = Desk::with(&self.place, async |desk, _| {
            let mut released = 0;
            for subject in subjects {
                let now = System.now();
                let count = desk
                    .store
                    .release(subject, order.clone(), now)
                    .await
                    .map_err(failed)?;
                if let (Some(subject), 0) = (subject, count) {
                    return Err(Failure::usage(format!(
                        "nothing about {subject} is held; `transload queue` lists what is"
                    )));
                }
                released += count;
            }
            Ok(released)
        })?;
        if self.json {
            writeln!(out, "{}", json!({ "released": released }))?;
            return Ok(Exit::Clean);
        }
        let told = text!(
            "{n} pieces of work are released; `serve` takes them up",
            n = released
        );
        writeln!(out, "{}", said(&told))?;
        Ok(Exit::Clean)
    }
}

fn words(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let words = Zeroizing::new(password(file)?);
    match words.is_empty() {
        true => Err(Failure::usage(format!(
            "{} is empty: a backup needs a passphrase",
            file.display()
        ))),
        false => Ok(words),
    }
}

fn certificate(path: &Path) -> Result<Certificate, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
    let pem = fs::read(path).map_err(|why| wrong(&why))?;
    Certificate::from_pem(&pem).map_err(|why| wrong(&why))
}

fn identity(path: &Path, own: &Path) -> Result<Identity, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
    let der = fs::read(path).map_err(|why| wrong(&why))?;
    Identity::from_pkcs12(&der, &password(own)?).map_err(|why| wrong(&why))
}

/// What went wrong, by whose fault: the arguments', or the state's.
fn told(why: Error) -> Failure {
    match &why {
        Error::WrongKey
        | Error::AsksKey(_)
        | Error::AsksPassphrase
        | Error::Taken(_)
        | Error::NoBackup(_) => Failure::usage(why),
        Error::Io(_, error) if error.kind() == io::ErrorKind::NotFound => Failure::usage(why),
        _ => Failure::state(why),
    }
}
