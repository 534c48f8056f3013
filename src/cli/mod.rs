//! The command line: one file a command.
//!
//! stdout is the result, stderr the talk; `-` is stdin; `--json` prints one object a line; a
//! broken pipe is success.
//!
//! | exit code | says |
//! |---|---|
//! | 0 | clean |
//! | 1 | findings, a difference, a refused message |
//! | 2 | wrong usage, or input that cannot be read |
//! | 3 | network or partner |
//! | 4 | state or settings |
//! | 74 | the disk or the database failed while `serve` ran (`EX_IOERR`) |

mod ack;
mod acme;
mod across;
mod amazon;
mod as2;
mod backup;
mod cert;
mod check;
mod completions;
mod config;
mod crew;
mod demo;
mod diff;
mod envelope;
mod evidence;
mod excerpt;
mod explain;
mod files;
mod fix;
mod help;
mod here;
mod init;
mod junit;
mod mappings;
mod messages;
mod partner;
mod play;
mod progress;
mod pull;
mod redact;
mod rehearse;
mod reload;
mod report;
mod resend;
mod rows;
mod sarif;
mod send;
mod sentence;
mod serve;
mod show;
mod sim;
mod spapi;
mod split;
mod topics;
mod translate;
mod walk;
mod window;
mod words;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::builder::TypedValueParser;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use check::check;
pub use excerpt::Excerpt;
use help::manners;
pub use report::{Counts, Report};
pub use translate::{Envelope, to_json, to_x12};
pub use walk::{Guides, Noted, Trouble};

use crate::lang::Language;

/// Receives, checks, translates and sends EDI: an AS2 gateway and X12 translator.
#[derive(Parser)]
#[command(
    name = "transload",
    version,
    propagate_version = true,
    max_term_width = 100,
    disable_help_subcommand = true
)]
struct Arguments {
    /// The language of findings and sentences [default: of LC_ALL, LC_MESSAGES or LANG]
    #[arg(long, global = true, value_name = "LANGUAGE", value_parser = language())]
    lang: Option<Language>,
    #[command(flatten)]
    talk: help::Talk,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Show(show::Show),
    Translate(translate::Translate),
    Ack(ack::Ack),
    Explain(explain::Explain),
    Diff(diff::Diff),
    Fix(fix::Fix),
    Split(split::Split),
    Redact(redact::Redact),
    /// Open or seal AS2 messages offline
    As2(as2::As2),
    Init(init::Init),
    /// Run the gateway: AS2 listener, worker, bridges
    Serve(serve::Serve),
    /// Send X12 files to a partner
    Send(send::Send),
    Resend(resend::Resend),
    Cancel(resend::Cancel),
    Release(backup::Release),
    Queue(messages::Queue),
    Messages(messages::Messages),
    Message(messages::One),
    Evidence(evidence::Evidence),
    /// Play order-to-cash with a simulated buyer on this machine, to the last cent
    Demo(demo::Demo),
    /// Add, list, check and test partners
    Partner(partner::Partner),
    Amazon(amazon::Amazon),
    Sim(sim::Sim),
    Rehearse(rehearse::Rehearse),
    /// Make keys and certificates
    Cert(cert::Cert),
    Mappings(mappings::Mappings),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Config(config::Config),
    Completions(completions::Completions),
    Man(completions::Man),
    Help(topics::Help),
}

/// How a command ended, when it ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing to complain of.
    Clean = 0,
    /// Findings, a difference, a refused message.
    Findings = 1,
    /// Wrong usage, or input that cannot be read.
    Usage = 2,
    /// The network or the partner.
    Network = 3,
    /// State or settings of ours.
    State = 4,
    /// The disk or the database failed under us: `EX_IOERR` of `sysexits.h`, so that a supervisor
    /// can tell it from a crash.
    Broken = 74,
}

/// Why a command could not do its work: where, what, why, what next, for stderr.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// Input that cannot be read, or wrong usage.
    pub(crate) fn usage(message: impl ToString) -> Failure {
        Failure {
            exit: Exit::Usage,
            message: message.to_string(),
        }
    }

    /// The network or the partner.
    pub(crate) fn network(message: impl ToString) -> Failure {
        Failure {
            exit: Exit::Network,
            message: message.to_string(),
        }
    }

    /// The disk or the database failed under us.
    pub(crate) fn broken(message: impl ToString) -> Failure {
        Failure {
            exit: Exit::Broken,
            message: message.to_string(),
        }
    }

    /// State or settings of ours.
    pub(crate) fn state(message: impl ToString) -> Failure {
        Failure {
            exit: Exit::State,
            message: message.to_string(),
        }
    }
}

impl From<io::Error> for Failure {
    /// Writing a result failed. A reader that has seen enough is no failure.
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure {
                exit: Exit::Clean,
                message: String::new(),
            },
            _ => Failure::state(words::said(&crate::x12::text!(
                "cannot write the result: {why}",
                why = words::cause(&error)
            ))),
        }
    }
}

/// What every command returns.
pub(crate) type Outcome = Result<Exit, Failure>;

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    // Help has its shape where it is shown: most runs show none.
    let parsed = Arguments::command().try_get_matches();
    let parsed = parsed.or_else(|_| help::command().try_get_matches());
    let parsed = parsed.and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            let help = !error.use_stderr();
            let _ = error.print();
            return ExitCode::from(if help {
                Exit::Clean as u8
            } else {
                Exit::Usage as u8
            });
        }
    };
    let variable = |name: &str| std::env::var(name).ok();
    words::speak(
        arguments
            .lang
            .unwrap_or_else(|| Language::of_environment(&variable)),
    );
    arguments.talk.settle();
    let stdout = io::stdout();
    let mut out = io::BufWriter::new(stdout.lock());
    let outcome = match arguments.command {
        Some(command) => dispatch(command, &mut out),
        None => here::list(Path::new("."), &mut out),
    };
    let outcome = outcome.and_then(|exit| out.flush().map(|()| exit).map_err(Failure::from));
    match outcome {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(failure) => {
            if !failure.message.is_empty() {
                let _ = writeln!(io::stderr(), "transload: {}", failure.message);
            }
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// The languages that `--lang` knows.
fn language() -> impl clap::builder::TypedValueParser<Value = Language> {
    let tags = Language::ALL.map(Language::tag);
    clap::builder::PossibleValuesParser::new(tags)
        .map(|tag| Language::of_locale(&tag).expect("the tags of languages are locales"))
}

fn dispatch(command: Command, out: &mut dyn Write) -> Outcome {
    match command {
        Command::Check(command) => command.run(out),
        Command::Show(command) => command.run(out),
        Command::Translate(command) => command.run(out),
        Command::Ack(command) => command.run(out),
        Command::Explain(command) => command.run(out),
        Command::Diff(command) => command.run(out),
        Command::Fix(command) => command.run(out),
        Command::Split(command) => command.run(out),
        Command::Redact(command) => command.run(out),
        Command::As2(command) => command.run(out),
        Command::Init(command) => command.run(out),
        Command::Serve(command) => command.run(out),
        Command::Send(command) => command.run(out),
        Command::Resend(command) => command.run(out),
        Command::Cancel(command) => command.run(out),
        Command::Release(command) => command.run(out),
        Command::Queue(command) => command.run(out),
        Command::Messages(command) => command.run(out),
        Command::Message(command) => command.run(out),
        Command::Evidence(command) => command.run(out),
        Command::Demo(command) => command.run(out),
        Command::Partner(command) => command.run(out),
        Command::Amazon(command) => command.run(out),
        Command::Sim(command) => command.run(out),
        Command::Rehearse(command) => command.run(out),
        Command::Cert(command) => command.run(out),
        Command::Mappings(command) => command.run(out),
        Command::Backup(command) => command.run(out),
        Command::Restore(command) => command.run(out),
        Command::Config(command) => command.run(out),
        Command::Completions(command) => command.run(out),
        Command::Man(command) => command.run(out),
        Command::Help(command) => command.run(out),
    }
}
