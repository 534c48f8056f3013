//! What the words beside the code must say, and what no word may.

use super::{Complaint, House, holds, says};
use std::collections::BTreeSet;
use std::path::Path;

/// Partners that everybody in the trade knows, whether or not we hold files for them.
const KNOWN_PARTNERS: &[&str] = &["amazon", "walmart", "costco", "kroger", "wayfair"];
/// The crate says once what it is for. The API is a bridge; the partner is files.
const PURPOSE: (&str, &str) = ("src/lib.rs", "Amazon's Vendor API");
/// The bridge to that API knows it, and the command that people connect with.
const API: [&str; 4] = [
    "src/bridge/spapi",
    "src/cli/amazon",
    "src/sim",
    "src/cli/sim",
];
/// Where that command is listed among the others, and has its examples.
const LISTED: ([&str; 2], &str) = (["src/cli/mod.rs", "src/cli/help.rs"], "amazon");

/// A partner is files: no line of `src`, comments and strings included, knows one's name.
fn no_partner(house: &House) -> Vec<Complaint> {
    let folders = house.files.keys().filter_map(|path| {
        let (name, _) = path.strip_prefix("mappings/partners/")?.split_once('/')?;
        Some(name.to_lowercase())
    });
    let partners: BTreeSet<String> = folders
        .chain(KNOWN_PARTNERS.iter().map(|name| (*name).to_owned()))
        .collect();
    let mut complaints = Vec::new();
    let sources = house
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("src/"));
    for (path, text) in sources.filter(|(path, _)| !API.iter().any(|api| path.starts_with(api))) {
        let allowed = match path.as_str() {
            path if path == PURPOSE.0 => PURPOSE.1,
            path if LISTED.0.contains(&path) => LISTED.1,
            _ => "\0",
        };
        for (at, line) in text.lines().enumerate() {
            let line = line.to_lowercase().replace(&allowed.to_lowercase(), "");
            let mut words = line.split(|c: char| !c.is_alphanumeric());
            if let Some(name) = words.find(|word| partners.contains(*word)) {
                let what = format!("src knows the partner {name}");
                let help = "a partner is files: put what is its own under mappings/partners";
                complaints.push(Complaint::at(path, at + 1, what, help));
            }
        }
    }
    complaints
}

/// The CHANGELOG says what is not released yet.
fn changelog(house: &House) -> Vec<Complaint> {
    const PATH: &str = "CHANGELOG.md";
    let lines = house.text(PATH).lines();
    let unreleased = lines.skip_while(|line| *line != "## [Unreleased]").skip(1);
    if unreleased
        .take_while(|line| !line.starts_with("## "))
        .any(|line| line.starts_with("- "))
    {
        return Vec::new();
    }
    let what = "no entry under `## [Unreleased]`".to_owned();
    vec![Complaint::at(
        PATH,
        1,
        what,
        "say there what a user will notice, one `- ` line each",
    )]
}

/// The commands in README's `sh` fences are the ones that `.ci/run` runs, to the letter.
fn readme(house: &House) -> Vec<Complaint> {
    const PATH: &str = "README.md";
    let commands = commands(house.text(PATH));
    let script = || {
        house
            .text(".ci/run")
            .lines()
            .filter(|line| !line.trim().starts_with('#'))
    };
    let run = |command: &str| script().any(|line| line.ends_with(command));
    let mut complaints = Vec::new();
    for (line, command) in commands.iter().filter(|(_, command)| !run(command)) {
        let what = format!("nobody runs `{command}`");
        let help = "let a line of .ci/run end with it, or fence it as `console`, not `sh`";
        complaints.push(Complaint::at(PATH, *line, what, help));
    }
    for wanted in ["cargo run --release -- demo", "cargo test"] {
        if !commands.iter().any(|(_, command)| *command == wanted) {
            let what = format!("`{wanted}` does not stand in a `sh` fence");
            complaints.push(Complaint::at(
                PATH,
                1,
                what,
                "a newcomer needs these two commands",
            ));
        }
    }
    complaints
}

fn commands(readme: &str) -> Vec<(usize, &str)> {
    let (mut commands, mut inside) = (Vec::new(), false);
    for (at, line) in readme.lines().enumerate() {
        let bare = line.split(" #").next().unwrap_or(line).trim();
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside && !bare.is_empty() && !bare.starts_with('#') => {
                commands.push((at + 1, bare));
            }
            _ => {}
        }
    }
    commands
}

/// No file names a folder of the machine it was written on.
fn no_machine(house: &House, folders: &[String]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (path, text) in &house.files {
        for (at, line) in text.lines().enumerate() {
            if let Some(folder) = folders.iter().find(|folder| line.contains(folder.as_str())) {
                let what = format!("names {folder}, a folder of one machine");
                let help = "use a path from the project's root";
                complaints.push(Complaint::at(path, at + 1, what, help));
            }
        }
    }
    complaints
}

/// The folder that holds the project, and the home of who builds it, unless they are such as
/// every machine has.
fn own_folders(root: &Path, home: Option<String>) -> Vec<String> {
    const ORDINARY: &[&str] = &[
        "", "tmp", "var/tmp", "home", "opt", "srv", "root", "usr/src",
    ];
    let folders = [
        root.parent().map(|folder| folder.display().to_string()),
        home,
    ];
    let folders = folders
        .into_iter()
        .flatten()
        .map(|folder| format!("{folder}/"));
    folders
        .filter(|folder| !ORDINARY.contains(&folder.trim_matches('/')))
        .collect()
}

fn no_machine_of_ours(house: &House) -> Vec<Complaint> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    no_machine(house, &own_folders(root, std::env::var("HOME").ok()))
}

#[test]
fn source_knows_no_partner() {
    holds(no_partner);
}

#[test]
fn the_changelog_is_kept() {
    holds(changelog);
}

#[test]
fn the_commands_of_the_readme_run() {
    holds(readme);
}

#[test]
fn no_file_names_this_machine() {
    holds(no_machine_of_ours);
}

#[test]
fn a_partner_in_the_source_is_caught() {
    let files = [
        ("mappings/partners/acme/850.toml", ""),
        (
            "src/lib.rs",
            "//! A bridge to Amazon's Vendor API.\n//! And to Amazon.\n",
        ),
        ("src/bridge/spapi/mod.rs", "// Amazon\n"),
        (
            "src/x12/mod.rs",
            "\n// amazonite\nconst A: &str = \"ACME-4\";\n",
        ),
    ];
    let expected = [
        "src/lib.rs:2: src knows the partner amazon",
        "src/x12/mod.rs:3: src knows the partner acme",
    ];
    says(no_partner, &files, &expected);
}

#[test]
fn an_empty_changelog_is_caught() {
    let says_nothing = [("CHANGELOG.md", "## [Unreleased]\n\n## [0.1.0]\n\n- a\n")];
    says(
        changelog,
        &says_nothing,
        &["CHANGELOG.md:1: no entry under `## [Unreleased]`"],
    );
    says(
        changelog,
        &[(
            "CHANGELOG.md",
            "# Changelog\n## [Unreleased]\n### X12\n- a\n",
        )],
        &[],
    );
}

#[test]
fn a_command_that_nobody_runs_is_caught() {
    let text = "```sh\ncargo run --release -- demo  # a minute\n```\n```console\n$ ls\n```\n\
                ```sh\ncargo test\nmake\n```\n";
    let run = "step demo cargo run --release -- demo\nstep tests cargo test\n";
    says(
        readme,
        &[("README.md", text), (".ci/run", run)],
        &["README.md:9: nobody runs `make`"],
    );
    let expected = [
        "README.md:1: `cargo run --release -- demo` does not stand in a `sh` fence",
        "README.md:1: `cargo test` does not stand in a `sh` fence",
    ];
    says(
        readme,
        &[("README.md", "```\ncargo test\n```"), (".ci/run", run)],
        &expected,
    );
}

#[test]
fn a_path_of_one_machine_is_caught() {
    let folders = own_folders(
        Path::new("/home/eva/edi/transload"),
        Some("/root".to_owned()),
    );
    assert_eq!(folders, ["/home/eva/edi/"]);
    let text = "see ../shared\nsee /home/eva/edi/shared\n";
    let house = House {
        files: [("notes.md".to_owned(), text.to_owned())].into(),
    };
    let said = no_machine(&house, &folders);
    assert_eq!((said.len(), said[0].line), (1, 2));
}
