//! Cases about what is in a set: binary data, types, codes, syntax notes, loops.

use transload::x12::Fault;

use super::cases::*;

cases! {
    x12_case_050_bin_seg: with("CTT*1~", "BIN*9*a~b*c\n~GS~") => 9 [];
    x12_case_050_bds_seg: with("CTT*1~", "BDS*ASC*9*a~b*c\n~GS~") => 9 [];
    x12_case_062_big_element: with("A-1", &"x".repeat(50_000)) => 9 [];
    x12_case_062_element_beyond_the_limit: with("A-1", &"x".repeat(3_000_000)) => 9 ["error source.limit - PO1@5"];
    x12_case_100_bin01_no_number: with("CTT*1~", "BIN*9a*x~") => 9 ["warning segment.binary-length - BIN@6"];
    x12_case_100_bin01_too_large: with("CTT*1~", "BIN*99999999*x~") => 9 ["warning segment.binary-length - BIN@6"];
}

const BEG: &str = "BEG*00*SA*PO-1001**20260302~";
const PO1: &str = "PO1*1*10*EA*4.50*PE*VN*TK-1200~";

/// An 850 with these segments around one line.
fn lines_of(head: &str, line: &str) -> Vec<String> {
    lines(set("850", &format!("{head}{line}CTT*1~")))
}

/// The only finding about an 850, as its message.
fn message_of(head: &str, line: &str) -> String {
    let found = content(set("850", &format!("{head}{line}CTT*1~")));
    assert_eq!(found.len(), 1, "{found:?}");
    format!("{}; {}", found[0].message, found[0].fix)
}

#[test]
fn x12_case_050_bin_seg_keeps_its_bytes() {
    assert_eq!(
        value(with("CTT*1~", "BIN*9*a~b*c\n~GS~"), 2, 2),
        "a~b*c\n~GS"
    );
    assert_eq!(
        value(with("CTT*1~", "BDS*ASC*9*a~b*c\n~GS~"), 2, 3),
        "a~b*c\n~GS"
    );
}

#[test]
fn x12_case_055_ctt_wrong() {
    let found = lines(set("850", &format!("{BEG}{PO1}CTT*3~")));
    assert_eq!(found, ["warning value.differs - CTT01@6"]);
}

#[test]
fn x12_case_056_dtm_yymmdd() {
    assert_eq!(
        lines_of(&format!("{BEG}DTM*010*260310~"), PO1),
        ["error element.too-short AK403=4 DTM02@5"]
    );
    assert_eq!(
        lines_of(&format!("{BEG}DTM*010*20261301~"), PO1),
        ["error element.date AK403=8 DTM02@5"]
    );
}

/// A warning and not an error: no list of ours has all codes, and the set can be used.
#[test]
fn x12_case_057_bad_code() {
    let short = PO1.replace("*EA*", "*ZE*");
    assert_eq!(
        lines_of(BEG, &short),
        ["warning element.code AK403=7 PO103@5"]
    );
    assert!(message_of(BEG, &short).contains("\"ZE\""));
    let near = content(set(
        "850",
        &format!("{BEG}{}CTT*1~", PO1.replace("*EA*", "*EACH*")),
    ));
    let code = near
        .iter()
        .find(|f| f.code_997() == Some("AK403=7"))
        .unwrap();
    assert!(
        code.message.to_string().contains("did you mean EA?"),
        "{}",
        code.message
    );
}

#[test]
fn x12_case_058_missing_mandatory_seg() {
    let found = content(set("850", &format!("{PO1}CTT*1~")));
    assert_eq!(found[0].fault, Fault::SegmentMissing);
    assert_eq!(line(&found[0]), "error segment.missing AK304=3 BEG@4");
    assert!(
        found[0].message.to_string().contains("BEG"),
        "{}",
        found[0].message
    );
}

#[test]
fn x12_case_059_too_long() {
    let long = format!("{BEG}REF*DP*{}~", "x".repeat(31));
    assert_eq!(
        lines_of(&long, PO1),
        ["error element.too-long AK403=5 REF02@5"]
    );
}

#[test]
fn x12_case_060_unknown_seg() {
    let unknown = format!("{BEG}ZZZ*1~");
    assert_eq!(
        lines_of(&unknown, PO1),
        ["error segment.unknown AK304=1 ZZZ@5"]
    );
}

#[test]
fn x12_case_061_pair_rule() {
    let line = PO1.replace("*TK-1200", "");
    assert_eq!(
        lines_of(BEG, &line),
        ["error element.condition AK403=2 PO107@5"]
    );
    let message = message_of(BEG, &line);
    assert!(message.contains("P0607"), "{message}");
}

#[test]
fn x12_case_062_big_element_takes_linear_time() {
    // Ten times the bytes in one element; a quadratic reader would not come to an end.
    let file = with("A-1", &"x".repeat(30_000_000));
    assert_eq!(check(file).0, 9);
}

#[test]
fn x12_case_064_component_in_simple_element() {
    let line = PO1.replace("TK-1200", "MILL>LIT08");
    assert_eq!(
        value(set("850", &format!("{BEG}{line}")), 1, 7),
        "MILL>LIT08"
    );
    assert_eq!(
        lines_of(BEG, &line),
        ["error element.character AK403=6 PO107@5"]
    );
}

#[test]
fn x12_case_065_implied_decimals() {
    let json = |body: &str| {
        let file = set("810", body);
        let reading = read(&file);
        let interchange = &reading.interchanges[0];
        let library = transload::mapping::Library::embedded();
        let guide = library.guide(None, "004010", "810").unwrap().unwrap();
        let set = &interchange.groups[0].sets[0];
        let read = transload::mapping::read(&guide, &set.segments, &interchange.delimiters);
        let document = read.document.unwrap();
        let written = transload::mapping::write(&guide, &document, &interchange.delimiters);
        let tds = written.segments.iter().find(|s| s.tag() == b"TDS").unwrap();
        let tds = String::from_utf8_lossy(tds.element(1)).into_owned();
        (serde_json::to_string(&document).unwrap(), tds)
    };
    let body = "BIG*20260315*R-1~IT1*1*2*EA*10.5**VN*A~TDS*9588~CTT*1~";
    let (text, tds) = json(body);
    assert!(
        text.contains("\"95.88\"") && text.contains("\"10.5\""),
        "{text}"
    );
    assert_eq!(tds, "9588");
    // N2 never has a point.
    let point = lines(set("810", &body.replace("9588", "95.88")));
    assert_eq!(point, ["error element.character AK403=6 TDS01@6"]);
}

#[test]
fn x12_case_066_negative_numbers() {
    let body = "BIG*20260315*R-1~IT1*1*-2*EA*10.5**VN*A~TDS*-9588~CTT*1~";
    assert_eq!(lines(set("810", body)), Vec::<String>::new());
    // The sign does not count in the length, and stands in front only.
    let longest = format!("-{}", "9".repeat(10));
    assert_eq!(
        lines(set("810", &body.replace("*-2*", &format!("*{longest}*")))),
        Vec::<String>::new()
    );
    let behind = lines(set("810", &body.replace("-9588", "9588-")));
    assert_eq!(behind, ["error element.character AK403=6 TDS01@6"]);
}

#[test]
fn x12_case_075_msg_at_header_and_in_the_line() {
    let head = format!("{BEG}N9*ZZ*GENERAL~MSG*to all~");
    let line = format!("{PO1}N9*ZZ*LINE~MSG*to one~");
    let file = set("850", &format!("{head}{line}CTT*1~"));
    assert_eq!(lines(&file), Vec::<String>::new());
    // Two DTM at the head and one in the line: none is taken by a neighbour.
    let head = format!("{BEG}DTM*002*20260310~DTM*010*20260311~");
    let line = format!("{PO1}DTM*002*20260312~");
    assert_eq!(lines_of(&head, &line), Vec::<String>::new());
}

#[test]
fn x12_case_076_two_n1_loops_with_one_start() {
    let head = format!("{BEG}N1*ST*A*92*A1~N3*Street~N1*BT*B*92*B1~N3*Road~N1*ZZ*C*92*C1~N3*Lane~");
    assert_eq!(lines_of(&head, PO1), Vec::<String>::new());
    // Many of them take no more than their share of time.
    let many = BEG.to_owned() + &"N1*ZZ*C*92*3~N3*Lane~".repeat(190);
    let _ = lines_of(&many, PO1);
}

#[test]
fn x12_case_080_loop_start_missing_is_one_finding() {
    let body = "AK1*PO*7~AK2*850*0001~AK4*1**7~AK5*R*5~AK9*R*1*1*0~";
    assert_eq!(
        lines(set("997", body)),
        ["error segment.unexpected AK304=2 AK4@6"]
    );
}

#[test]
fn x12_case_081_mandatory_seg_missing_is_named_where_it_was_due() {
    let body = "BIG*20260315*R-1~IT1*1*2*EA*10.5**VN*A~CTT*1~";
    let found = content(set("810", body));
    let found: Vec<_> = found.iter().map(|f| (line(f), f.message.clone())).collect();
    assert_eq!(found[0].0, "error segment.missing AK304=3 TDS@6");
    assert!(found[0].1.to_string().contains("TDS"), "{found:?}");
}

#[test]
fn x12_case_093_unit_each_and_hyphenated_date() {
    let line = PO1.replace("*EA*", "*EACH*");
    let found = content(set("850", &format!("{BEG}{line}CTT*1~")));
    let code = found
        .iter()
        .find(|f| f.fault == Fault::ElementCode)
        .unwrap();
    assert!(
        code.message.to_string().contains("did you mean EA?"),
        "{}",
        code.message
    );
    let date = BEG.replace("20260302", "2026-03-02");
    let found = content(set("850", &format!("{date}{PO1}CTT*1~")));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].fix.to_string().contains("without hyphens"),
        "{}",
        found[0].fix
    );
}

#[test]
fn x12_case_094_check_digits() {
    let upc = |code: &str| lines_of(BEG, &PO1.replace("VN*TK-1200", &format!("UP*{code}")));
    assert_eq!(upc("036000291452"), Vec::<String>::new());
    assert_eq!(upc("036000291453"), ["warning value.check-digit - PO107@5"]);
    let ean = |code: &str| lines_of(BEG, &PO1.replace("VN*TK-1200", &format!("EN*{code}")));
    assert_eq!(ean("4006381333931"), Vec::<String>::new());
    assert_eq!(
        ean("4006381333932"),
        ["warning value.check-digit - PO107@5"]
    );
}
