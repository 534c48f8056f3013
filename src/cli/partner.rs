//! `transload partner`.

use std::io::Write;

use super::{Failure, Outcome};

/// See the command's help.
#[derive(clap::Args)]
pub(super) struct Partner {}

impl Partner {
    pub(super) fn run(self, _out: &mut dyn Write) -> Outcome {
        Err(Failure::usage("not written yet"))
    }
}
