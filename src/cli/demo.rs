//! `transload demo`.

use std::io::Write;

use super::{Failure, Outcome};

/// See the command's help.
#[derive(clap::Args)]
pub(super) struct Demo {}

impl Demo {
    pub(super) fn run(self, _out: &mut dyn Write) -> Outcome {
        Err(Failure::usage("not written yet"))
    }
}
