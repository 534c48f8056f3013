//! `show`: the file as a person reads it.

use super::{FAULTY, run, run_on};

const RETAIL: &str = "samples/x12/004010/850/pass/retail.edi";

#[test]
fn a2_one_sentence_says_what_the_file_is() {
    let (out, _) = run(0, &["show", RETAIL]);
    let head: Vec<&str> = out.lines().take(3).collect();
    assert_eq!(
        head[0],
        "Interchange 000000002, test, release 00401: ZZ:QUILLFEATHER to ZZ:TINDERBOX, written 2026-03-02 09:15."
    );
    assert_eq!(
        head[2],
        "Purchase order 50-118822 of 2026-03-02: Quillfeather Retail orders 2 lines from Tinderbox Kettle Works, to Quillfeather Depot Ashby; 1353.60 USD in all."
    );
}

/// The words of the line that begins with this element and holds this value.
fn line<'o>(out: &'o str, element: &str, value: &str) -> Vec<&'o str> {
    let mut lines = out.lines().map(str::trim_start);
    let found = lines.find(|line| line.starts_with(element) && line.contains(value));
    let found = found.unwrap_or_else(|| panic!("{element} {value}:\n{out}"));
    found
        .split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect()
}

#[test]
fn a3_each_value_has_its_name_and_its_meaning() {
    let (out, _) = run(0, &["show", RETAIL]);
    assert_eq!(line(&out, "PO103", "EA"), ["PO103", "Unit", "EA", "each"]);
    assert_eq!(line(&out, "BEG02", "SA")[3], "stand alone");
    assert_eq!(line(&out, "N101", "ST")[3], "ship to");
    assert_eq!(line(&out, "REF01", "DP")[3], "department");
    assert_eq!(line(&out, "DTM01", "010")[3], "ship requested");
}

#[test]
fn a3_qualifiers_are_joined_to_their_values() {
    let (out, _) = run(0, &["show", RETAIL]);
    assert_eq!(line(&out, "PO107", "731200000117")[3], "upc");
    assert_eq!(line(&out, "REF02", "042")[3], "department");
    assert_eq!(
        line(&out, "DTM02", "20260312")[3],
        "2026-03-12, ship requested"
    );
    assert_eq!(line(&out, "PER06", "buying@")[3], "email");
    assert_eq!(line(&out, "N104", "ASH4")[3], "assigned by buyer");
}

#[test]
fn levels_are_indented_as_they_are_nested() {
    let (out, _) = run(0, &["show", "samples/x12/004010/856/pass/s-o-t-p-i.edi"]);
    let indents = out
        .lines()
        .filter(|line| line.trim_start().starts_with("HL  "));
    let indents: Vec<usize> = indents
        .map(|line| line.len() - line.trim_start().len())
        .collect();
    assert_eq!(indents[..5], [2, 4, 6, 8, 10], "{out}");
    let total = out
        .lines()
        .find(|line| line.trim_start().starts_with("CTT  "));
    assert!(total.is_none_or(|line| line.starts_with("  CTT")), "{out}");
}

#[test]
fn an_acknowledgment_is_a_sentence_too() {
    let file = "samples/x12/004010/997/pass/rejected-with-reasons.edi";
    let (out, _) = run(0, &["show", file]);
    let due = "TINDERBOX says to QUILLFEATHER that group PO 3 is partly accepted, 2 of 3 sets.";
    assert!(out.contains(due), "{out}");
    assert_eq!(
        line(&out, "AK403", "7")[3],
        "the code is not one that is allowed here"
    );
    assert_eq!(line(&out, "AK501", "R")[3], "rejected");
    assert_eq!(line(&out, "AK201", "850")[3], "purchase order");
}

#[test]
fn findings_stand_where_they_belong() {
    let (out, _) = run(1, &["show", FAULTY]);
    let place = |text: &str| out.find(text).unwrap_or_else(|| panic!("{text}:\n{out}"));
    assert!(place("EACH") < place("did you mean EA?"));
    assert!(place("did you mean EA?") < place("CTT  "));
}

#[test]
fn levels_of_a_damaged_tree_do_not_run_away() {
    let file = std::fs::read_to_string("samples/x12/004010/856/pass/s-o-i.edi").unwrap();
    let looped = file.replace("HL*1**S", "HL*1*1*S");
    assert_ne!(file, looped);
    let (out, _) = run_on(1, &["show", "-"], looped.as_bytes());
    assert!(
        out.lines().all(|line| !line.starts_with(&" ".repeat(40))),
        "{out}"
    );
}
