//! Malformed files of the corpus: for each thing that its index says is wrong with one, a finding
//! names it.

use std::collections::BTreeSet;

use transload::cli::{Guides, check};
use transload::mapping::Library;

use super::corpus;

/// What the index calls a fault, up to a colon or a width, and the rules that name it.
const NOTES: &[(&str, &[&str])] = &[
    ("se01", &["se.count"]),
    ("ge01", &["ge.count"]),
    ("iea01", &["iea.count"]),
    ("st02!=se02", &["se.control-number"]),
    // The same number with other zeros in front is a note, and no difference.
    ("gs06!=ge02", &["ge.control-number", "count.leading-zeros"]),
    (
        "isa13!=iea02",
        &["iea.control-number", "count.leading-zeros"],
    ),
    ("isa-len-", &["isa.length", "isa.element", "isa.terminator"]),
    ("duplicate-isa13", &["isa.duplicate"]),
    ("missing-iea", &["iea.missing"]),
    ("terminator-missing-or-space", &["isa.terminator"]),
    ("trailing-data-or-no-terminator", &["isa.terminator"]),
    ("term-multibyte-", &["isa.terminator-transcoded"]),
    ("no-final-terminator", &["source.no-final-terminator"]),
    ("segment-outside-set", &["segment.outside-set"]),
    ("st-outside-group", &["segment.outside-set"]),
    ("ge-without-gs", &["segment.outside-set"]),
    ("hl-parent", &["hl.parent"]),
    ("trailing-empty-elements", &["segment.trailing-separators"]),
    // What may stand in a set that no guide describes, nobody knows.
    (
        "segment-id:",
        &["segment.unknown", "segment.lowercase", "set.no-guide"],
    ),
];

/// Where one finding tells the cause of all that the index lists: the file, the rule.
const ONE_CAUSE: &[(&str, &str)] = &[
    // A line feed inside ISA, in a file whose segments end with line feeds.
    ("004010__PR855__fail__2.edi", "isa.element"),
    // Cut into lines of 80 bytes: joined again nothing is wrong with it.
    ("issue128__ts210_80char.edi", "source.encoding"),
    // No terminator at all: there is no IEA to be found.
    ("x12.no.line.break.no.delim.txt", "isa.terminator"),
    // GS is not one, so that no group was counted.
    ("x12.wrong.GS.txt", "segment.outside-set"),
];

/// Of the files' form, which nothing is wrong with.
const FORM: &[&str] = &[
    "term-lf",
    "segment-term",
    "one-line",
    "blank-segments",
    "interchanges-",
    "ta1",
    "non-ascii",
];

#[test]
fn malformed_files_are_told_for_what_they_are() {
    let Some(folder) = corpus() else { return };
    let guides = Guides {
        library: Library::embedded(),
        partner: None,
    };
    let index = std::fs::read_to_string(folder.join("index.tsv")).unwrap();
    let rows = index.lines().map(|row| row.split('\t').collect::<Vec<_>>());
    let (mut told, mut untold) = (0, Vec::new());
    for row in rows.filter(|row| row[9] == "malformed") {
        let bytes = std::fs::read(folder.join(row[0])).unwrap();
        let findings = check(&bytes[..], &guides).unwrap().findings;
        let rules: BTreeSet<&str> = findings.iter().map(|n| n.finding.fault.rule()).collect();
        let cause = ONE_CAUSE.iter().find(|(file, _)| row[0].ends_with(file));
        if let Some((file, rule)) = cause {
            assert!(rules.contains(rule), "{file}: {rules:?}");
            told += 1;
            continue;
        }
        for note in row[10].split(';') {
            if FORM.iter().any(|form| note.starts_with(form)) {
                continue;
            }
            let known = NOTES.iter().find(|(name, _)| note.starts_with(name));
            let (_, named) = known.unwrap_or_else(|| panic!("{}: {note}?", row[0]));
            match named.iter().any(|rule| rules.contains(rule)) {
                true => told += 1,
                false => untold.push((row[0], note, rules.clone())),
            }
        }
    }
    say!("{told} faults of malformed files are named");
    assert!(untold.is_empty(), "{untold:#?}");
    assert!(told > 70, "{told}");
}
