//! `transload completions` and `transload man`: what a package puts beside the program.

use std::io::Write;
use std::path::PathBuf;

use clap_complete::Shell;

use super::{Exit, Failure, Outcome};

/// Print completions for a shell
///
/// bash: into a file below /etc/bash_completion.d or ~/.local/share/bash-completion/completions.
/// zsh: as `_transload` into a folder of $fpath. fish: below ~/.config/fish/completions.
#[derive(clap::Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_parser = ["bash", "zsh", "fish", "powershell", "elvish"])]
    shell: String,
}

/// Print the manual page, or write one for each command into a folder
#[derive(clap::Args)]
pub(super) struct Man {
    /// The folder; made where it is missing
    dir: Option<PathBuf>,
}

impl Completions {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let shell: Shell = self.shell.parse().map_err(Failure::usage)?;
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut super::help::command(), "transload", &mut script);
        out.write_all(&script)?;
        Ok(Exit::Clean)
    }
}

impl Man {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let command = super::help::command();
        let Some(dir) = self.dir else {
            clap_mangen::Man::new(command).render(out)?;
            return Ok(Exit::Clean);
        };
        let told = |why| Failure::usage(format!("{}: {why}", dir.display()));
        std::fs::create_dir_all(&dir).map_err(told)?;
        clap_mangen::generate_to(command, &dir).map_err(told)?;
        writeln!(out, "{}", dir.display())?;
        Ok(Exit::Clean)
    }
}
