//! What every command has alike: how much it talks, its colours, and help that begins with examples.

use std::sync::OnceLock;

use clap::{Command, CommandFactory};

use super::Arguments;

/// About, usage, examples, and only then every option.
const TEMPLATE: &str = "{before-help}{about-with-newline}
{usage-heading} {usage}{after-help}

{all-args}";

/// Examples of commands that have none of their own beside their options: one a line.
#[rustfmt::skip]
const EXAMPLES: &[(&str, &[&str])] = &[
    ("transload", &[
        "transload check order.edi", "transload show order.edi", "transload translate order.edi", "transload demo",
        "transload mappings show 850 --partner acme",
    ]),
    ("check", &["transload check order.edi", "transload check inbox --json", "transload check - < order.edi"]),
    ("show", &["transload show order.edi", "transload show order.edi --partner acme"]),
    ("ack", &["transload ack order.edi > 997.edi"]),
    ("init", &["transload init --as2-id MYCO", "transload init --as2-id MYCO --url https://edi.myco.example/as2"]),
    ("serve", &["transload serve", "transload serve --config transload.toml --data data"]),
    ("send", &["transload send acme invoice.edi", "transload send acme invoice.edi asn.edi --wait 60", "transload send acme invoice.edi --dry-run"]),
    ("resend", &["transload resend 0192f0c1-7a3e-7000-8000-000000000001 --reason lost"]),
    ("cancel", &["transload cancel 0192f0c1-7a3e-7000-8000-000000000001 --reason superseded"]),
    ("backup", &["transload backup monday.backup --passphrase-file backup.words", "transload backup monday.backup --to office.pem --with-keys"]),
    ("restore", &["transload restore monday.backup --into gateway --passphrase-file backup.words", "transload restore monday.backup --into gateway --key office.p12 --password-file office.password --advance 5000", "transload restore monday.backup --into gateway --passphrase-file backup.words --check"]),
    ("release", &["transload release --all --reason restored", "transload release 0192f0c1-7a3e-7000-8000-000000000001 --reason asked"]),
    ("queue", &["transload queue", "transload queue --json"]),
    ("messages", &["transload messages --state uncertain", "transload messages --partner acme --json"]),
    ("evidence", &["transload evidence 0192f0c1-7a3e-7000-8000-000000000001 -o evidence"]),
    ("message", &["transload message 0192f0c1-7a3e-7000-8000-000000000001"]),
    ("demo", &["transload demo", "transload demo --keep"]),
    ("sim", &["transload sim amazon", "transload sim clock +23h"]),
    ("sim amazon", &["transload sim amazon --scenario standard --orders 20 --seed 7", "transload sim amazon --listen", "transload sim amazon --listen --vendor http://127.0.0.1:4080/as2 --certificate keys/MYCO.pem"]),
    ("rehearse", &["transload rehearse acme", "transload rehearse acme --met survey --note ticket-88", "transload rehearse acme --production"]),
    ("sim clock", &["transload sim clock", "transload sim clock +23h"]),
    ("sim state", &["transload sim state"]),
    ("sim ledger", &["transload sim ledger"]),
    ("sim scenarios", &["transload sim scenarios"]),
    ("as2", &["transload as2 open message.http --key us.p12 --password-file us.password", "transload as2 seal order.edi --from MYCO --to ACME"]),
    ("as2 open", &["transload as2 open message.http --key us.p12 --password-file us.password"]),
    ("as2 seal", &["transload as2 seal order.edi --from MYCO --to ACME --key us.p12 --password-file us.password --partner-cert acme.pem"]),
    ("partner", &["transload partner list", "transload partner check", "transload partner bundle export acme -o acme.json"]),
    ("partner list", &["transload partner list", "transload partner list --json"]),
    ("partner check", &["transload partner check --partners partners --mappings mappings"]),
    ("partner sheet", &["transload partner sheet > myco.sheet", "transload partner sheet acme --json"]),
    ("partner add", &["transload partner add acme --from acme.sheet", "transload partner add acme --from acme.sheet --preset openas2"]),
    ("partner test", &["transload partner test acme", "transload partner test acme --json"]),
    ("partner presets", &["transload partner presets", "transload partner presets mendelson"]),
    ("partner show", &["transload partner show acme"]),
    ("partner bundle", &["transload partner bundle export acme -o acme.json", "transload partner bundle import acme.json"]),
    ("partner bundle export", &["transload partner bundle export acme -o acme.json --mappings mappings"]),
    ("partner bundle import", &["transload partner bundle import acme.json --partners partners --mappings mappings"]),
    ("cert", &["transload cert new --name MYCO"]),
    ("cert new", &["transload cert new --name MYCO --out keys --days 365"]),
    ("cert list", &["transload cert list", "transload cert list --json --at 2027-01-15"]),
    ("cert show", &["transload cert show MYCO", "transload cert show acme.pem --json"]),
    ("cert roll", &["transload cert roll --activate 2027-01-15T08:00:00Z --overlap 14d"]),
    ("cert export", &["transload cert export MYCO > myco.pem"]),
    ("cert import", &["transload cert import acme-2027.pem --partner acme --activate 2027-01-15", "transload cert import old.p12 --ours --password-file old.password"]),
    ("cert accept", &["transload cert accept acme 3f9a12cd00ab77e1"]),
    ("cert reject", &["transload cert reject acme 3f9a12cd00ab77e1"]),
    ("cert send", &["transload cert send acme"]),
    ("amazon", &["transload amazon doctor acme"]),
    ("amazon ask", &["transload amazon ask", "transload amazon ask us getPurchaseOrder purchaseOrderNumber=7QK4M2XD", "transload amazon ask us getInvoiceHeaders --all | transload translate --from spapi -"]),
    ("amazon connect", &["transload amazon connect us.credential --application amzn1.application-oa2-client.1 --environment sandbox < secrets"]),
    ("amazon curl", &["transload amazon curl 019d0000-0000-7000-8000-000000000001"]),
    ("amazon site", &["transload amazon site list"]),
    ("amazon site list", &["transload amazon site list"]),
    ("amazon site clone", &["transload amazon site clone us us-west.toml"]),
    ("amazon doctor", &["transload amazon doctor acme", "transload amazon doctor acme --curl"]),
    ("mappings", &["transload mappings show 850 --partner acme", "transload mappings check my-mappings"]),
    ("mappings check", &["transload mappings check", "transload mappings check my-mappings --json"]),
    ("mappings schema", &["transload mappings schema > guide.json"]),
    ("completions", &["transload completions bash > transload.bash", "transload completions zsh > _transload"]),
    ("man", &["transload man | man -l -", "transload man man1"]),
    ("config", &["transload config show --origin"]),
    ("config show", &["transload config show --origin", "transload config show --json"]),
];

/// How much is said beside the result, and how.
#[derive(clap::Args)]
#[command(next_help_heading = "Talk")]
pub(super) struct Talk {
    /// Log more: once for details, twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say only what is wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// No colours; `NO_COLOR` says the same
    #[arg(long, global = true)]
    no_color: bool,
}

/// What [`Talk`] came to.
#[derive(Clone, Copy, Default)]
pub(super) struct Manners {
    /// The level of the log, where somebody asked for one.
    pub(super) level: Option<&'static str>,
    /// No progress, no hints, no counts.
    pub(super) quiet: bool,
    /// No colours.
    pub(super) plain: bool,
}

static MANNERS: OnceLock<Manners> = OnceLock::new();

/// How this process talks.
pub(super) fn manners() -> Manners {
    MANNERS.get().copied().unwrap_or_default()
}

impl Talk {
    /// Settles it for the process.
    pub(super) fn settle(&self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => Some("error"),
            (_, 0) => None,
            (_, 1) => Some("transload=debug,info"),
            _ => Some("debug"),
        };
        // Set once: a process runs one command.
        let _ = MANNERS.set(Manners {
            level,
            quiet: self.quiet,
            plain: self.no_color,
        });
    }
}

/// The whole command line, with help as people want it.
pub(super) fn command() -> Command {
    shaped(Arguments::command(), "transload")
}

fn shaped(mut command: Command, path: &str) -> Command {
    let own = EXAMPLES.iter().find(|(known, _)| *known == path);
    if let (Some((_, examples)), None) = (own, command.get_after_help()) {
        let lines: Vec<String> = examples.iter().map(|line| format!("  {line}")).collect();
        command = command.after_help(format!("Examples:\n{}", lines.join("\n")));
    }
    let names = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned());
    let names: Vec<String> = names.collect();
    for name in names {
        let below = match path {
            "transload" => name.clone(),
            path => format!("{path} {name}"),
        };
        command = command.mut_subcommand(name, |sub| shaped(sub, &below));
    }
    match command.get_after_help() {
        Some(_) => command.help_template(TEMPLATE),
        None => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command with its path, the program itself included.
    fn walk(command: &Command, path: &str, see: &mut dyn FnMut(&Command, &str)) {
        see(command, path);
        for sub in command.get_subcommands() {
            walk(sub, &format!("{path} {}", sub.get_name()), see);
        }
    }

    #[test]
    fn every_command_has_examples_and_each_of_them_parses() {
        command().debug_assert();
        let mut count = 0;
        walk(&command(), "transload", &mut |sub, path| {
            let help = sub
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let lines = help.lines().filter(|line| line.contains("transload"));
            let before = count;
            for line in lines {
                let line = &line[line.find("transload").unwrap_or(0)..];
                // What stands behind a pipe or an arrow is the shell's.
                let own = line.split(['|', '<', '>']).next().unwrap_or_default();
                let own = own.strip_suffix(" 2").unwrap_or(own);
                assert!(own.starts_with(path), "an example of {path}: {line}");
                let parsed = command().try_get_matches_from(own.split_whitespace());
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
                count += 1;
            }
            assert!(
                count > before,
                "{path} has no examples: add some to EXAMPLES"
            );
        });
        assert!(count > 30, "{count}");
    }

    #[test]
    fn no_examples_are_of_a_command_that_is_gone() {
        let mut known = Vec::new();
        walk(&command(), "transload", &mut |_, path| {
            known.push(path.to_owned())
        });
        for (path, _) in EXAMPLES.iter().filter(|(path, _)| *path != "transload") {
            assert!(known.contains(&format!("transload {path}")), "{path}");
        }
    }
}
