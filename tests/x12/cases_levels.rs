//! Cases about levels: the HL tree of 856, in whole files. `tests/levels.rs` has every nesting.

use transload::canonical::{Document, Level};
use transload::mapping::Library;

use super::cases::*;

/// A ship notice with these levels and a CTT of `count`.
fn notice(levels: &str, count: usize) -> String {
    set(
        "856",
        &format!("BSN*00*SN-1*20260102*1305~{levels}CTT*{count}~"),
    )
}

/// The tree as letters: `S(O(I I))`.
fn tree(levels: &str) -> String {
    fn of(levels: &[Level]) -> String {
        let one = |level: &Level| {
            let word = level.level.as_ref().map_or("?", |code| code.as_str());
            let raw = word.strip_prefix("other:").map(str::to_owned);
            let letter = raw.unwrap_or_else(|| word[..1].to_uppercase());
            match of(&level.levels) {
                below if below.is_empty() => letter,
                below => format!("{letter}({below})"),
            }
        };
        let all: Vec<String> = levels.iter().map(one).collect();
        all.join(" ")
    }
    let reading = read(notice(levels, levels.matches("HL*").count()));
    let interchange = &reading.interchanges[0];
    let guide = Library::embedded().guide(None, "004010", "856");
    let guide = guide.unwrap().unwrap();
    let set = &interchange.groups[0].sets[0];
    let read = transload::mapping::read(&guide, &set.segments, &interchange.delimiters);
    match read.document {
        Some(Document::ShipNotice(notice)) => of(&notice.levels),
        other => panic!("{other:?}"),
    }
}

const SOPI: &str = "HL*1**S~HL*2*1*O~PRF*4711~HL*3*2*P~HL*4*3*I~LIN**VN*A~SN1**3*EA~";

/// What is found, a line each, where CTT counts the levels.
fn found(levels: &str) -> Vec<String> {
    lines(notice(levels, levels.matches("HL*").count()))
}

#[test]
fn x12_case_052_hl_ok() {
    assert_eq!(found(SOPI), Vec::<String>::new());
    assert_eq!(tree(SOPI), "S(O(P(I)))");
}

#[test]
fn x12_case_053_hl_bad_parent() {
    let orphan = SOPI.replace("HL*4*3*I", "HL*4*9*I");
    assert_eq!(found(&orphan), ["error hl.parent AK403=7 HL02@9"]);
    assert_eq!(tree(&orphan), "S(O(P(I)))");
}

#[test]
fn x12_case_054_hl_gap() {
    let gap = SOPI.replace("HL*4*3*I", "HL*9*3*I");
    assert_eq!(found(&gap), Vec::<String>::new());
    assert_eq!(tree(&gap), "S(O(P(I)))");
}

#[test]
fn x12_case_077_hl_level_not_listed() {
    let other = SOPI.replace("*P~", "*AG~");
    assert_eq!(found(&other), ["warning element.code AK403=7 HL03@8"]);
    assert_eq!(tree(&other), "S(O(AG(I)))");
}

#[test]
fn x12_case_077_hl_without_parent() {
    let levels = "HL*1**S~HL*2**I~LIN**VN*A~";
    assert_eq!(found(levels), ["error hl.parent AK403=7 HL02@6"]);
    assert_eq!(tree(levels), "S(I)");
}

#[test]
fn x12_case_078_hl_nesting_by_level() {
    for (levels, due) in [
        ("HL*1**S~HL*2*1*O~HL*3*2*I~LIN**VN*A~", "S(O(I))"),
        (SOPI, "S(O(P(I)))"),
        (
            "HL*1**S~HL*2*1*O~HL*3*2*T~HL*4*3*P~HL*5*4*I~LIN**VN*A~",
            "S(O(T(P(I))))",
        ),
    ] {
        assert_eq!(found(levels), Vec::<String>::new());
        assert_eq!(tree(levels), due);
    }
}

#[test]
fn x12_case_079_ctt_counts_by_its_set() {
    // Levels in a ship notice, lines in an order.
    assert_eq!(lines(notice(SOPI, 4)), Vec::<String>::new());
    assert_eq!(lines(notice(SOPI, 1)), ["warning value.differs - CTT01@12"]);
    let order = "BEG*00*SA*PO-1**20260302~PO1*1*10*EA*4.50*PE*VN*A~PID*F*08***Kettle~CTT*1~";
    assert_eq!(lines(set("850", order)), Vec::<String>::new());
}

#[test]
fn x12_case_094_check_digit_of_a_carton() {
    let marked = |mark: &str| SOPI.replace("HL*4*3*I", &format!("MAN*GM*{mark}~HL*4*3*I"));
    assert_eq!(found(&marked("00106141412345678908")), Vec::<String>::new());
    assert_eq!(
        found(&marked("00106141412345678907")),
        ["warning value.check-digit - MAN02@9"]
    );
}
