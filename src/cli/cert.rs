//! `transload cert`: keys and certificates, ours and the partners', from the first to the last day.
//!
//! All of it is files (see `partner::keys`), so every command works while `serve` runs, which takes
//! over what changed.

mod hand;
mod list;
mod new;
mod roll;
mod send;
mod told;

use std::io::Write;
use std::path::Path;

use super::{Exit, Failure, Outcome};
use crate::as2::{Certificate, KeyKind};
pub(super) use new::fresh;
pub(super) use told::spoken;

/// Make, list, change and exchange keys and certificates
#[derive(clap::Args)]
pub(super) struct Cert {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a key with a self-signed certificate: NAME.p12 to keep, NAME.pem to give away
    New(new::New),
    List(list::List),
    Show(list::Show),
    Roll(roll::Roll),
    Export(hand::Export),
    Import(hand::Import),
    Accept(hand::Accept),
    Reject(hand::Reject),
    Send(send::Send),
}

impl Cert {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            Command::New(command) => command.run(out),
            Command::List(command) => command.run(out),
            Command::Show(command) => command.run(out),
            Command::Roll(command) => command.run(out),
            Command::Export(command) => command.run(out),
            Command::Import(command) => command.run(out),
            Command::Accept(command) => command.run(out),
            Command::Reject(command) => command.run(out),
            Command::Send(command) => command.run(out),
        }
    }
}

/// Makes an RSA key with a certificate of two years in a folder of keys, called after `name`.
///
/// # Errors
/// Where there is one already, or the folder cannot be written.
pub(super) fn make(folder: &Path, name: &str) -> Result<Certificate, Failure> {
    let places = new::Places::new(folder, &new::file_stem(name), None);
    places.free(false)?;
    let identity = new::made(KeyKind::Rsa(2048), name, 730)?;
    places.fill(&identity, name, None)?;
    Ok(identity.certificate)
}

/// A certificate soon ends where it has fewer days than this: partners need weeks to change one.
const SOON: i64 = 30;

/// Exit code 1 where something soon ends.
fn exit(soon: bool) -> Exit {
    match soon {
        true => Exit::Findings,
        false => Exit::Clean,
    }
}
