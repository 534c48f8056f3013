//! `sim state`, `sim ledger`, `sim scenarios`: what a simulator that listens says of itself, and what
//! it can play.

use std::io::Write;

use tokio::runtime::Runtime;

use super::super::words::language;
use super::super::{Exit, Failure, Outcome};
use crate::lang::Language;
use crate::sim::Scenario;
use crate::sim::listen::{PORT, ask};

/// The port of a simulator that listens.
#[derive(clap::Args)]
pub(super) struct Look {
    /// The port that the simulator listens on
    #[arg(long, value_name = "PORT", default_value_t = PORT)]
    port: u16,
}

impl Look {
    /// Prints what the control says of `what`, which is JSON.
    pub(super) fn run(self, what: &str, out: &mut dyn Write) -> Outcome {
        let runtime = Runtime::new().map_err(Failure::state)?;
        let answer = runtime.block_on(ask(self.port, ("GET", what), String::new()));
        let (_, said) = answer.map_err(Failure::network)?;
        writeln!(out, "{said}")?;
        Ok(Exit::Clean)
    }
}

/// Lists what there is to play.
pub(super) fn scenarios(out: &mut dyn Write) -> Outcome {
    for name in Scenario::names() {
        let scenario = Scenario::named(name).map_err(Failure::state)?;
        let about = match language() {
            Language::Chinese => &scenario.about_zh,
            _ => &scenario.about,
        };
        writeln!(out, "{name:<22} {about}")?;
    }
    Ok(Exit::Clean)
}
