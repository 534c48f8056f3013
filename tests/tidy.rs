//! The rules of the house as a test: `ARCHITECTURE.md` is read, and the source is held to it.
//!
//! A check takes the whole tree as text and returns its complaints, each with file, line, what
//! is wrong and what to do. So each can be shown a tree that breaks its rule, and is.

mod code;
mod papers;
mod ratchets;
mod rooms;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The text files of a project, by path from its root with `/` between names.
struct House {
    files: BTreeMap<String, String>,
}

/// One broken rule.
#[derive(Debug, PartialEq)]
struct Complaint {
    path: String,
    line: usize,
    what: String,
    help: String,
}

impl Complaint {
    fn at(path: &str, line: usize, what: String, help: &str) -> Complaint {
        Complaint {
            path: path.to_owned(),
            line,
            what,
            help: help.to_owned(),
        }
    }
}

type Check = fn(&House) -> Vec<Complaint>;

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}\n    {}",
            self.path, self.line, self.what, self.help
        )
    }
}

impl House {
    /// What Git would see, roughly: no build output, no file that is not text.
    fn at(root: &Path) -> House {
        let mut files = BTreeMap::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).expect("a folder of the project is readable");
            for path in entries.map(|entry| entry.expect("a folder entry").path()) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if path.is_dir() && name != "target" && name != ".git" {
                    folders.push(path);
                } else if let Ok(text) = std::fs::read_to_string(&path) {
                    let short = path.strip_prefix(root).expect("walked from root");
                    files.insert(short.to_string_lossy().replace('\\', "/"), text);
                }
            }
        }
        House { files }
    }

    fn text(&self, path: &str) -> &str {
        self.files.get(path).map_or("", String::as_str)
    }

    /// The Rust files under a folder, in order of their paths.
    fn rust<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.starts_with(folder) && path.ends_with(".rs"))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// All Rust of the project.
    fn all_rust(&self) -> impl Iterator<Item = (&str, &str)> {
        ["src/", "tests/", "benches/", "fuzz/"]
            .into_iter()
            .flat_map(|folder| self.rust(folder))
    }
}

/// Holds this project to one rule.
#[track_caller]
fn holds(check: Check) {
    let complaints = check(&House::at(Path::new(env!("CARGO_MANIFEST_DIR"))));
    let text: String = complaints
        .iter()
        .map(|complaint| format!("{complaint}\n"))
        .collect();
    assert!(complaints.is_empty(), "\n{text}");
}

/// Shows a check a tree and compares what it says, as `path:line: what`.
#[track_caller]
fn says(check: Check, files: &[(&str, &str)], expected: &[&str]) {
    let own = |&(path, text): &(&str, &str)| (path.to_owned(), text.to_owned());
    let house = House {
        files: files.iter().map(own).collect(),
    };
    let said: Vec<String> = check(&house)
        .iter()
        .map(|c| format!("{}:{}: {}", c.path, c.line, c.what))
        .collect();
    assert_eq!(said, expected);
}
