//! `transload amazon`: the account at the marketplace's API, from its credential to its health.

mod connect;
mod doctor;

use std::io::Write;

use super::Outcome;

/// Connect to Amazon's API for vendors, and see what is wrong with the connection
#[derive(clap::Args)]
pub(super) struct Amazon {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Connect(connect::Connect),
    Doctor(doctor::Doctor),
}

impl Amazon {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            Command::Connect(command) => command.run(out),
            Command::Doctor(command) => command.run(out),
        }
    }
}
