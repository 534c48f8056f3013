//! `transload cert export`, `import`, `accept` and `reject`: what goes from hand to hand.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::new::{Places, chosen, file_stem, unwritable};
use super::roll::purpose as own_purpose;
use super::told::{All, bare, handed, spoken, time};
use crate::as2::{Certificate, Identity};
use crate::cli::serve::Place;
use crate::cli::{Exit, Failure, Outcome};
use crate::config::Config;
use crate::partner::keyring::Use;
use crate::partner::keys::{self, Card, Held, State};
use crate::partner::{self, moment_of};

/// Hex digits of a fingerprint that are enough to say yes to it: what nobody can make to fit.
const ENOUGH: usize = 16;

/// Write a certificate, ours or a partner's, as PEM: never a key
#[derive(clap::Args)]
pub(super) struct Export {
    /// Its name, or the beginning of its fingerprint
    certificate: String,
    /// The file to write; - is stdout
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl Export {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let all = All::read(&self.place.config(&[])?, Utc::now())?;
        let pem = all.one(&self.certificate)?.certificate.to_pem();
        let pem = pem.map_err(Failure::state)?;
        match self.out.as_os_str() == "-" {
            true => out.write_all(&pem)?,
            false => fs::write(&self.out, pem).map_err(|why| unwritable(&self.out, &why))?,
        }
        Ok(Exit::Clean)
    }
}

/// Take in a partner's new certificate, or a key that we have already
///
/// A partner's certificate is trusted once its fingerprint is confirmed: by --fingerprint here, or
/// by `cert accept`. His old one stays beside it. A key of ours is kept under a new password.
#[derive(clap::Args)]
pub(super) struct Import {
    /// The certificate, PEM or DER; or, with --ours, a PKCS#12 file or the certificate of --key
    file: PathBuf,
    /// Whose certificate it is
    #[arg(long, value_name = "NAME", required_unless_present = "ours")]
    partner: Option<String>,
    /// It is ours, with its key
    #[arg(long, conflicts_with_all = ["partner", "fingerprint"])]
    ours: bool,
    /// With --ours: the PEM private key, if it is not in the PKCS#12 file
    #[arg(long, value_name = "FILE", requires = "ours")]
    key: Option<PathBuf>,
    /// With --ours: the file with the password of what is taken in
    #[arg(long, value_name = "FILE", requires = "ours")]
    password_file: Option<PathBuf>,
    /// With --ours: what the files are called [default: the common name]
    #[arg(long, value_name = "NAME", requires = "ours")]
    name: Option<String>,
    /// When we begin to use it, as the partner schedules it: a time or a date [default: at once]
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    activate: Option<DateTime<Utc>>,
    /// When it ends before its own last day
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    until: Option<DateTime<Utc>>,
    /// What it is for: verify, encrypt, tls; with --ours sign, decrypt, tls [default: messages]
    #[arg(long = "use", value_name = "USE", value_delimiter = ',')]
    uses: Vec<String>,
    /// The SHA-256 fingerprint that the partner read out, or its first 16 digits
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let config = self.place.config(&[])?;
        match self.partner.clone() {
            Some(partner) => self.theirs(&config, &partner, out),
            None => self.own(&config, out),
        }
    }

    fn theirs(&self, config: &Config, partner: &str, out: &mut dyn Write) -> Outcome {
        known(config, partner)?;
        let read = handed(&self.file)?;
        if let Some(weakness) = read.weakness() {
            let file = self.file.display();
            return Err(Failure::usage(format!(
                "{file} has an {weakness}; ask the partner for one of 2048 bits or more"
            )));
        }
        let state = match &self.fingerprint {
            None => State::Pending,
            Some(said) => confirmed(&read, said)?,
        };
        let card = Card {
            uses: self.words(their_purpose)?,
            from: Some(self.activate.unwrap_or_else(Utc::now)),
            until: self.until,
            state,
            ..Card::default()
        };
        let path = keys::hold(&config.keys, partner, &read, &card)
            .map_err(|why| unwritable(&config.keys, &why))?;
        told(partner, &read, &card, &path, self.json, out)
    }

    fn own(&self, config: &Config, out: &mut dyn Write) -> Outcome {
        let identity = self.identity()?;
        let certificate = identity.certificate.clone();
        let subject = certificate.subject();
        let common = subject
            .split(", ")
            .find_map(|part| part.strip_prefix("CN="));
        let name = self.name.as_deref().or(common).unwrap_or("key");
        let places = Places::new(&config.keys, &file_stem(name), None);
        places.free(false)?;
        fs::create_dir_all(&config.keys).map_err(|why| unwritable(&config.keys, &why))?;
        let card = Card {
            uses: self.words(own_purpose)?,
            from: self.activate,
            until: self.until,
            ..Card::default()
        };
        keys::write_card(&places.p12, &card).map_err(|why| unwritable(&places.p12, &why))?;
        places.fill(&identity, name, None)?;
        told("ours", &certificate, &card, &places.p12, self.json, out)
    }

    fn identity(&self) -> Result<Identity, Failure> {
        let password = self.password_file.as_deref().map(chosen).transpose()?;
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
        };
        let bytes = read(&self.file)?;
        let identity = match (&self.key, &password) {
            (None, password) => {
                Identity::from_pkcs12(&bytes, password.as_deref().unwrap_or_default())
            }
            (Some(key), None) => Identity::from_pem(&bytes, &read(key)?),
            (Some(key), Some(password)) => Identity::from_sealed_pem(&bytes, &read(key)?, password),
        };
        identity.map_err(|why| {
            let file = self.file.display();
            Failure::usage(format!("{file}: {why}; check --key and --password-file"))
        })
    }

    fn words(&self, read: fn(&str) -> Result<Use, String>) -> Result<Vec<Use>, Failure> {
        let words = self.uses.iter().map(|word| read(word));
        words.collect::<Result<_, _>>().map_err(Failure::usage)
    }
}

fn their_purpose(word: &str) -> Result<Use, String> {
    let known = Use::of(word).filter(|one| matches!(one, Use::Verify | Use::Encrypt | Use::Tls));
    known.ok_or_else(|| format!("{word:?} is neither verify, encrypt nor tls"))
}

/// Accepted, where what was said is the certificate's fingerprint.
fn confirmed(read: &Certificate, said: &str) -> Result<State, Failure> {
    let digits = bare(said);
    if digits.len() < ENOUGH {
        return Err(Failure::usage(format!(
            "give at least {ENOUGH} digits of the fingerprint, as the partner reads them out"
        )));
    }
    match read.fingerprint().starts_with(&digits) {
        true => Ok(State::Accepted),
        false => Err(Failure::usage(format!(
            "this is another certificate: its fingerprint is {}; do not take it in, and ask the \
             partner whose it is",
            spoken(read.fingerprint()).join(" ")
        ))),
    }
}

fn known(config: &Config, name: &str) -> Result<(), Failure> {
    let partners = partner::load(&config.partners).unwrap_or_default();
    match partners.get(name) {
        Some(_) => Ok(()),
        None => Err(Failure::usage(format!(
            "there is no partner {name:?} in {}",
            config.partners.display()
        ))),
    }
}

fn told(
    whose: &str,
    read: &Certificate,
    card: &Card,
    path: &std::path::Path,
    json: bool,
    out: &mut dyn Write,
) -> Outcome {
    let digits = read.fingerprint();
    if json {
        let told = json!({
            "whose": whose,
            "subject": read.subject(),
            "fingerprint": digits,
            "state": card.state.as_str(),
            "from": card.from,
            "until": card.until.unwrap_or(read.not_after()),
            "file": path.display().to_string(),
        });
        writeln!(out, "{told}")?;
        return Ok(Exit::Clean);
    }
    writeln!(out, "{whose}: {}, {}", read.subject(), card.state.as_str())?;
    for line in spoken(digits).chunks(4) {
        writeln!(out, "  {}", line.join(" "))?;
    }
    match card.state {
        State::Accepted => writeln!(out, "in use from {}", time(card.from))?,
        State::Rejected => writeln!(out, "not used")?,
        State::Pending => writeln!(
            out,
            "not used yet: compare the fingerprint with {whose} by telephone, then\n  transload \
             cert accept {whose} {}",
            digits.get(..ENOUGH).unwrap_or_default()
        )?,
    }
    Ok(Exit::Clean)
}

/// Say yes to a partner's certificate, after its fingerprint was compared
#[derive(clap::Args)]
pub(super) struct Accept {
    #[command(flatten)]
    which: Which,
    /// When we begin to use it [default: as it says, or at once]
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    activate: Option<DateTime<Utc>>,
}

/// Say no to a partner's certificate
#[derive(clap::Args)]
pub(super) struct Reject {
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
struct Which {
    /// The partner's name
    partner: String,
    /// The certificate's SHA-256 fingerprint, its first 16 digits at least
    fingerprint: String,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Which {
    fn find(&self) -> Result<Held, Failure> {
        let config = self.place.config(&[])?;
        known(&config, &self.partner)?;
        let mut held = keys::load(&config.keys).map_err(Failure::state)?;
        let all = held.theirs.remove(&self.partner).unwrap_or_default();
        let digits = bare(&self.fingerprint);
        let is = |one: &Held| {
            digits.len() >= ENOUGH && one.dated.item.fingerprint().starts_with(&digits)
        };
        all.into_iter().find(is).ok_or_else(|| {
            let partner = &self.partner;
            Failure::usage(format!(
                "{partner} has no certificate to decide on that begins with {:?} ({ENOUGH} digits \
                 at least); `transload cert list` has them",
                self.fingerprint
            ))
        })
    }

    fn decide(&self, change: impl FnOnce(&mut Card), out: &mut dyn Write) -> Outcome {
        let Held {
            path,
            mut card,
            dated,
        } = self.find()?;
        change(&mut card);
        keys::write_card(&path, &card).map_err(|why| unwritable(&path, &why))?;
        told(&self.partner, &dated.item, &card, &path, self.json, out)
    }
}

impl Accept {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let activate = self.activate;
        self.which.decide(
            |card| {
                card.state = State::Accepted;
                card.from = activate.or(card.from).or(Some(Utc::now()));
            },
            out,
        )
    }
}

impl Reject {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        self.which.decide(|card| card.state = State::Rejected, out)
    }
}
