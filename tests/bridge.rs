//! The folder bridge: whole files, once, under safe names; nothing lost.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use transload::bridge::folder::Folder;
use transload::bridge::{Bridge, Outgoing, Status};
use uuid::Uuid;

fn open() -> (TempDir, Folder) {
    let root = tempfile::tempdir().unwrap();
    let folder = Folder::open(root.path()).unwrap();
    (root, folder)
}

fn put(root: &TempDir, name: &str, text: &str) {
    fs::write(root.path().join("in").join(name), text).unwrap();
}

/// The names of the plain files of a folder below the root.
fn files(root: &TempDir, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root.path().join(folder))
        .unwrap()
        .map(Result::unwrap);
    let plain = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut names: Vec<_> = plain
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn order<'a>(id: u128, number: &'a str, json: &'a [u8]) -> Outgoing<'a> {
    Outgoing {
        id: Uuid::from_u128(id),
        kind: "purchase_order",
        number,
        json,
    }
}

#[test]
fn a_document_appears_once_whoever_takes_it() {
    let (root, folder) = open();
    let first = folder.submit(&order(7, "4500/17", b"{\"a\":1}")).unwrap();
    let name = "purchase_order-4500-17-00000000-0000-0000-0000-000000000007.json";
    assert!(!first.repeated);
    assert_eq!(files(&root, "out"), [name], "and no leftover");
    assert_eq!(fs::read(&first.place).unwrap(), b"{\"a\":1}");
    assert!(
        folder
            .submit(&order(7, "4500/17", b"{\"a\":2}"))
            .unwrap()
            .repeated
    );
    assert_eq!(
        fs::read(&first.place).unwrap(),
        b"{\"a\":1}",
        "the first stays"
    );
    fs::remove_file(&first.place).unwrap();
    assert!(folder.submit(&order(7, "4500/17", b"{}")).unwrap().repeated);
    let again = Folder::open(root.path()).unwrap();
    assert!(
        again
            .submit(&order(7, "another number", b"{}"))
            .unwrap()
            .repeated
    );
    assert_eq!(files(&root, "out"), <[&str; 0]>::default(), "it was taken");
    assert!(
        !folder.submit(&order(8, "4500/17", b"{}")).unwrap().repeated,
        "another id"
    );
    assert_eq!(folder.status().unwrap().handed_over, 1);
}

#[test]
fn a_crash_before_the_id_was_noted_does_not_double() {
    let (root, folder) = open();
    let receipt = folder.submit(&order(7, "1", b"{}")).unwrap();
    fs::remove_file(
        root.path()
            .join("out/.delivered")
            .join(Uuid::from_u128(7).to_string()),
    )
    .unwrap();
    assert!(
        folder
            .submit(&order(7, "1", b"{\"b\":2}"))
            .unwrap()
            .repeated
    );
    assert_eq!(fs::read(&receipt.place).unwrap(), b"{}");
}

#[test]
fn no_number_leaves_the_folder() {
    let (root, folder) = open();
    let numbers = [
        "../../evil",
        "/etc/passwd",
        "..",
        "",
        "a\0b",
        "C:\\x",
        &"9".repeat(500),
        ".hid",
    ];
    for (id, number) in (0..).zip(numbers) {
        let receipt = folder.submit(&order(id, number, b"{}")).unwrap();
        let place = Path::new(&receipt.place);
        assert_eq!(
            place.parent().unwrap(),
            root.path().join("out"),
            "{number:?}"
        );
        assert!(place.is_file(), "{number:?}");
    }
    assert_eq!(files(&root, "out").len(), numbers.len());
    assert_eq!(files(&root, "."), <[&str; 0]>::default());
}

#[test]
fn answers_are_claimed_then_kept() {
    let (root, folder) = open();
    for name in [
        "b.json",
        "a.json",
        ".hidden.json",
        "c.json.tmp",
        "d.part",
        "e.json~",
    ] {
        put(&root, name, &format!("{{\"from\":\"{name}\"}}"));
    }
    fs::create_dir(root.path().join("in/f.json")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/hostname", root.path().join("in/g.json")).unwrap();
    assert_eq!(
        folder.status().unwrap(),
        Status {
            waiting: 2,
            ..Status::default()
        }
    );
    let one = folder.poll(1).unwrap();
    assert_eq!(
        one.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(),
        ["a.json"]
    );
    assert_eq!(one[0].bytes, b"{\"from\":\"a.json\"}");
    let rest = folder.poll(10).unwrap();
    assert_eq!(
        rest.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(),
        ["b.json"]
    );
    assert_eq!(folder.poll(10).unwrap(), [], "each is claimed once");
    folder.done(&one[0]).unwrap();
    folder.done(&one[0]).unwrap();
    folder.refuse(&rest[0], "line 3 has no quantity").unwrap();
    assert_eq!(files(&root, "in/taken"), ["a.json"]);
    assert_eq!(files(&root, "in/bad"), ["b.json", "b.json.error.txt"]);
    let why = fs::read_to_string(root.path().join("in/bad/b.json.error.txt")).unwrap();
    assert_eq!(why, "line 3 has no quantity\n");
    assert_eq!(
        folder.status().unwrap(),
        Status {
            refused: 1,
            ..Status::default()
        }
    );
}

#[test]
fn a_crash_before_done_brings_the_answer_again() {
    let (root, folder) = open();
    put(&root, "a.json", "{}");
    assert_eq!(folder.poll(10).unwrap().len(), 1);
    drop(folder);
    put(&root, "a.json", "{\"newer\":true}");
    let folder = Folder::open(root.path()).unwrap();
    let mut both: Vec<_> = folder
        .poll(10)
        .unwrap()
        .into_iter()
        .map(|i| i.bytes)
        .collect();
    both.sort();
    assert_eq!(
        both,
        [b"{\"newer\":true}".as_slice(), b"{}"],
        "and the newer one is not lost"
    );
}

#[test]
fn one_name_many_times_loses_nothing() {
    let (root, folder) = open();
    for text in ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"] {
        put(&root, "same.json", text);
        let polled = folder.poll(10).unwrap();
        assert_eq!(polled[0].bytes, text.as_bytes());
        folder.done(&polled[0]).unwrap();
    }
    assert_eq!(files(&root, "in/taken").len(), 3);
    put(&root, "same.json", "{\"n\":4}");
    let polled = folder.poll(10).unwrap();
    put(&root, "same.json", "{\"n\":5}");
    folder.done(&polled[0]).unwrap();
    assert_eq!(
        folder.poll(10).unwrap()[0].bytes,
        b"{\"n\":5}",
        "put while the other was ours"
    );
}

#[test]
fn bad_answers_are_set_aside_with_a_reason() {
    let (root, folder) = open();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let table = [
        ("list.json", "[1]", "not an object"),
        (
            "xml.json",
            "<order/>",
            "not JSON: expected value at line 1 column 1",
        ),
        ("bytes.json", "\u{0}\u{1}", "not JSON"),
        ("two.json", "{}{}", "not JSON: trailing characters"),
        ("deep.json", &deep, "not an object"),
    ];
    for (name, text, _) in table {
        put(&root, name, text);
    }
    put(&root, "good.json", "{}");
    let polled = folder.poll(100).unwrap();
    assert_eq!(
        polled.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(),
        ["good.json"]
    );
    for (name, text, want) in table {
        let bad = root.path().join("in/bad");
        let why = fs::read_to_string(bad.join(format!("{name}.error.txt"))).unwrap();
        assert!(why.contains(want), "{name}: {why}");
        assert_eq!(fs::read_to_string(bad.join(name)).unwrap(), text);
    }
}

#[test]
fn a_file_in_the_making_is_waited_for() {
    let (root, folder) = open();
    for text in ["", "{\"a\"", "{\"a\": [1, 2"] {
        put(&root, "slow.json", text);
        assert_eq!(folder.poll(10).unwrap(), [], "{text:?}");
        assert_eq!(files(&root, "in/bad"), <[&str; 0]>::default(), "{text:?}");
    }
    put(&root, "slow.json", "{\"a\": [1, 2]}");
    assert_eq!(folder.poll(10).unwrap().len(), 1);
    put(&root, "cut.json", "{\"a\"");
    assert_eq!(folder.poll(10).unwrap(), []);
    assert_eq!(folder.poll(10).unwrap(), []);
    assert_eq!(
        files(&root, "in/bad"),
        ["cut.json", "cut.json.error.txt"],
        "it grows no more"
    );
}

#[test]
fn a_folder_that_is_gone_says_which() {
    let (root, folder) = open();
    fs::remove_dir_all(root.path()).unwrap();
    let error = folder.submit(&order(1, "1", b"{}")).unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
    assert!(error.to_string().contains("out") && error.retry());
    assert!(folder.poll(1).is_err() && folder.status().is_err());
}

#[test]
fn a_file_that_changes_while_it_is_looked_at_is_put_back() {
    use transload::bridge::folder::{Inbox, Look};
    let root = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(root.path()).unwrap();
    let file = root.path().join("a.edi");
    fs::write(&file, "first").unwrap();
    let rewritten = inbox.take(10, |_| {
        fs::write(&file, "second").unwrap();
        Look::Whole
    });
    assert_eq!(rewritten.unwrap(), []);
    let taken = inbox.take(10, |_| Look::Whole).unwrap();
    assert_eq!(taken[0].bytes, b"second");
}
