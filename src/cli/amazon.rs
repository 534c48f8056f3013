//! `transload amazon`: the account at the marketplace's API, from its credential to its health.

mod connect;
mod curl;
mod doctor;
mod site;

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
    Curl(curl::Curl),
    Doctor(doctor::Doctor),
    Site(site::Sites),
}

impl Amazon {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        match self.command {
            Command::Connect(command) => command.run(out),
            Command::Curl(command) => command.run(out),
            Command::Doctor(command) => command.run(out),
            Command::Site(command) => command.run(out),
        }
    }
}
