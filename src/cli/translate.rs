//! `transload translate`.

use std::io::Write;

use super::{Failure, Outcome};

/// See the command's help.
#[derive(clap::Args)]
pub(super) struct Translate {}

impl Translate {
    pub(super) fn run(self, _out: &mut dyn Write) -> Outcome {
        Err(Failure::usage("not written yet"))
    }
}
