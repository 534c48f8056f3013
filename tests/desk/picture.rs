//! README's pictures of the desk are what the program prints now.

use std::path::Path;
use std::process::Command;

const FOUR_FAULTS: &str = "samples/x12/004010/850/fail/four-faults.edi";

/// The commands of README's first picture with what stands below them.
fn pictures() -> Vec<(String, Vec<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let block = readme.split("```text\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let mut pictures: Vec<(String, Vec<String>)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ transload "), pictures.last_mut()) {
            (Some(command), _) => pictures.push((command.to_owned(), Vec::new())),
            (None, Some((_, lines))) => lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    pictures
}

/// `…` alone stands for lines that are left out. The demo makes new keys each time, and has a test
/// of its own.
#[test]
fn readme_shows_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(
        root.join(FOUR_FAULTS),
        folder.path().join("four-faults.edi"),
    )
    .unwrap();
    let mut shown = 0;
    for (command, lines) in pictures() {
        let words: Vec<&str> = command.split(' ').collect();
        if words[0] == "demo" {
            continue;
        }
        let mut program = Command::new(env!("CARGO_BIN_EXE_transload"));
        let output = program
            .args(&words)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        // A terminal shows both.
        let printed: Vec<&str> = out.lines().chain(err.lines()).collect();
        let mut at = 0;
        let mut skips = false;
        let due = lines.iter().map(String::as_str);
        let last = lines.iter().rposition(|line| !line.is_empty()).unwrap();
        for line in due.take(last + 1) {
            if line.trim() == "…" {
                skips = true;
                continue;
            }
            let found = printed[at..].iter().position(|one| *one == line);
            let found =
                found.unwrap_or_else(|| panic!("{command}: {line:?} is not in\n{out}{err}"));
            assert!(
                found == 0 || skips,
                "{command}: lines are missing before {line:?}\n{out}{err}"
            );
            at += found + 1;
            skips = false;
        }
        shown += 1;
    }
    assert!(shown >= 3, "{shown}");
}
