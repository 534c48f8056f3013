//! What a file may be: how long, how deep, how finished, and that somebody uses it.

use super::code::{self, Token};
use super::{Complaint, House, holds, says};

/// Longer files hide two things; the median should stay near a quarter of this.
const FILE_LINES: usize = 600;
/// A function that fits a screen can be checked by eye.
const FUNCTION_LINES: usize = 70;
/// Folders below `src`.
const DEPTH: usize = 2;

fn size(house: &House) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (path, text) in house.all_rust() {
        let lines = text.lines().count();
        if lines > FILE_LINES {
            let what = format!("{lines} lines; a file has at most {FILE_LINES}");
            complaints.push(Complaint::at(path, lines, what, "split it by noun"));
        }
        // A test may be a long table of cases: that is data.
        let functions = code::functions(&code::tokens(text)).into_iter();
        for function in functions.filter(|_| path.starts_with("src/")) {
            if function.lines > FUNCTION_LINES {
                let what = format!(
                    "fn {} has {} lines; a function has at most {FUNCTION_LINES}",
                    function.name, function.lines
                );
                let help = "keep the control flow here and move the leaves out";
                complaints.push(Complaint::at(path, function.line, what, help));
            }
        }
    }
    complaints
}

fn depth(house: &House) -> Vec<Complaint> {
    let folders = |path: &str| path.matches('/').count() - 1;
    house
        .rust("src/")
        .filter(|(path, _)| folders(path) > DEPTH)
        .map(|(path, _)| {
            let what = format!("{} folders deep; at most {DEPTH} below src", folders(path));
            Complaint::at(path, 1, what, "move it up: depth is not order")
        })
        .collect()
}

fn finished(house: &House) -> Vec<Complaint> {
    const MARKS: &[(&[&str], &str)] = &[
        (&["todo", "!"], "todo!"),
        (&["unimplemented", "!"], "unimplemented!"),
        (&["#", "[", "ignore"], "#[ignore]"),
    ];
    let mut complaints = Vec::new();
    for (path, text) in house.all_rust() {
        let tokens = code::tokens(text);
        for (at, token) in tokens.iter().enumerate() {
            let mark = MARKS
                .iter()
                .find(|(words, _)| code::starts(&tokens[at..], words));
            let named = |(_, name): &(&[&str], &str)| format!("{name} is unfinished work");
            let help = "finish it, or leave it out and say so in the CHANGELOG";
            complaints.extend(mark.map(|mark| Complaint::at(path, token.line, named(mark), help)));
        }
    }
    complaints
}

/// A Rust file is a target of the manifest, or declared by the module above it.
fn alive(house: &House) -> Vec<Complaint> {
    const ROOTS: &[&str] = &["src/lib.rs", "src/main.rs", "tests/main.rs"];
    let manifests = format!(
        "{}{}",
        house.text("Cargo.toml"),
        house.text("fuzz/Cargo.toml")
    );
    house
        .all_rust()
        .map(|(path, _)| path)
        .filter(|path| !ROOTS.contains(path))
        .filter(|path| !declared(house, path) && !target(&manifests, path))
        .map(|path| {
            let what = "nothing declares this file".to_owned();
            Complaint::at(
                path,
                1,
                what,
                "add its `mod` line to the module above it, or delete it",
            )
        })
        .collect()
}

fn target(manifests: &str, path: &str) -> bool {
    let inside = path.split_once('/').map_or(path, |(_, inside)| inside);
    let file = inside.rsplit_once('/').map_or(inside, |(_, file)| file);
    let quoted = [path, inside].map(|path| format!("path = \"{path}\""));
    let named = format!("[[bench]]\nname = \"{}\"", file.trim_end_matches(".rs"));
    quoted.iter().any(|path| manifests.contains(path))
        || path.starts_with("benches/") && manifests.contains(&named)
}

fn declared(house: &House, path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let (folder, name) = match file {
        "mod.rs" => folder.rsplit_once('/').unwrap_or(("", folder)),
        _ => (folder, file.trim_end_matches(".rs")),
    };
    let parents = ["/mod.rs", "/lib.rs", "/main.rs", ".rs"].map(|end| format!("{folder}{end}"));
    parents
        .iter()
        .filter(|parent| *parent != path)
        .any(|parent| {
            let tokens: Vec<Token<'_>> = code::tokens(house.text(parent));
            tokens
                .windows(3)
                .any(|words| code::starts(words, &["mod", name, ";"]))
        })
}

#[test]
fn files_and_functions_stay_small() {
    holds(size);
}

#[test]
fn folders_stay_shallow() {
    holds(depth);
}

#[test]
fn nothing_is_left_unfinished() {
    holds(finished);
}

#[test]
fn every_file_is_declared() {
    holds(alive);
}

#[test]
fn a_long_file_is_caught() {
    let long = "\n".repeat(FILE_LINES + 1);
    let fits = "\n".repeat(FILE_LINES);
    let expected = ["src/long.rs:601: 601 lines; a file has at most 600"];
    says(
        size,
        &[("src/fits.rs", &fits), ("src/long.rs", &long)],
        &expected,
    );
}

#[test]
fn a_long_function_is_caught() {
    let body = |lines| format!("/// Doc.\nfn f() {{\n{}}}\n", "    a();\n".repeat(lines));
    let (fits, long) = (body(FUNCTION_LINES - 2), body(FUNCTION_LINES - 1));
    let expected = ["src/long.rs:2: fn f has 71 lines; a function has at most 70"];
    says(
        size,
        &[("src/fits.rs", &fits), ("src/long.rs", &long)],
        &expected,
    );
}

#[test]
fn a_deep_folder_is_caught() {
    let files = [("src/a/b/c.rs", ""), ("src/a/b/c/d.rs", "")];
    says(
        depth,
        &files,
        &["src/a/b/c/d.rs:1: 3 folders deep; at most 2 below src"],
    );
}

#[test]
fn unfinished_work_is_caught() {
    let text = "fn f() {\n    todo!()\n}\n// todo!()\n#[test]\n#[ignore = \"slow\"]\nfn g() {}\n";
    let expected = [
        "tests/a.rs:2: todo! is unfinished work",
        "tests/a.rs:6: #[ignore] is unfinished work",
    ];
    says(finished, &[("tests/a.rs", text)], &expected);
}

#[test]
fn a_dead_file_is_caught() {
    let files = [
        ("Cargo.toml", "[[bench]]\nname = \"speed\"\n"),
        ("benches/speed.rs", ""),
        ("benches/slow.rs", ""),
        ("src/lib.rs", "pub mod x12;"),
        ("src/x12/mod.rs", "mod read;\n// mod write;"),
        ("src/x12/read.rs", ""),
        ("src/x12/write.rs", ""),
        ("tests/main.rs", "mod tidy;"),
        ("tests/tidy.rs", "mod code;"),
        ("tests/tidy/code.rs", ""),
    ];
    let expected = [
        "src/x12/write.rs:1: nothing declares this file",
        "benches/slow.rs:1: nothing declares this file",
    ];
    says(alive, &files, &expected);
}
