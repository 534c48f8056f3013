//! What one retailer asks of its vendors beyond the standard, a line a rule: what is done to a good
//! file, and the rule and the place that `check --partner` then names.

use std::path::Path;

use chrono::NaiveDate;
use transload::cli::{Guides, check};
use transload::mapping::Library;

/// What is asked, the good file, each text in it that is replaced by the next, the rule, the place.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Orders.
    ("a vendor code", "850", &["REF*CR*TNDBX~\n", ""], "segment.missing", "REF"),
    ("whether to back-order", "850", &["CSH*N~\n", ""], "segment.missing", "CSH"),
    ("a window that opens before it closes", "850", &["DTM*063*20260317", "DTM*063*20260301"], "value.bounds", "DTM02"),
    // Acknowledgments.
    ("an answer to every line", "855", &["ACK*IA*6*CA*068*20260314~\n", ""], "segment.missing", "ACK"),
    ("no more than was ordered", "855", &["ACK*IA*6*", "ACK*IA*7*"], "value.bounds", "ACK02"),
    ("a day that has come", "855", &["*20260303", "*20260501"], "value.bounds", "BAK09"),
    ("an answer after the order", "855", &["*20260303", "*20260301"], "value.bounds", "BAK09"),
    // Ship notices.
    ("a bill of lading by truck", "856", &["REF*BM*TNDBX00417~\n", ""], "segment.with", "REF"),
    ("none for a parcel", "856", &["REF*BM*TNDBX00417~\n", "", "UPSN*M*", "UPSN*U*"], "", ""),
    ("a bill of lading of 8 characters", "856", &["TNDBX00417", "TNDBX17"], "element.form", "REF02"),
    ("a PRO number in North America", "856", &["REF*CN*1Z0417~\n", ""], "segment.with", "REF"),
    ("none from elsewhere", "856", &["REF*CN*1Z0417~\n", "", "RI*02809*US", "*BS1 4ST*GB"], "", ""),
    ("its reference number for collect freight", "856", &["REF*BX*ARN0417004~\n", ""], "segment.with", "REF"),
    ("none for prepaid freight", "856", &["REF*BX*ARN0417004~\n", "", "FOB*CC", "FOB*PP"], "", ""),
    ("a carrier code of 2 to 4 letters", "856", &["*UPSN*M", "*UPSN - UNITED*M"], "element.form", "TD503"),
    ("how many cartons", "856", &["TD1*CTN*2****G*120.5*LB~\n", ""], "segment.missing", "TD1"),
    ("where it leaves from, to the postal code", "856", &["*RI*02809*US", "*RI**US"], "element.missing", "N403"),
    ("and to the country", "856", &["*02809*US", "*02809"], "element.missing", "N404"),
    ("an SSCC of 18 digits", "856", &["MAN*GM*00107312000000000015", "MAN*GM*0107312000000000015"], "element.form", "MAN02"),
    ("its check digit", "856", &["00107312000000000015", "00107312000000000016"], "value.check-digit", "MAN02"),
    ("any number of a parcel", "856", &["MAN*GM*00107312000000000015", "MAN*CP*1Z0417"], "", ""),
    ("a mark on every carton", "856", &["MAN*GM*00107312000000000022~\n", ""], "segment.missing", "MAN"),
    ("a notice within a week of leaving", "856", &["DTM*011*20261122", "DTM*011*20261114"], "value.bounds", "DTM02"),
    ("and no more than two days before", "856", &["DTM*011*20261122", "DTM*011*20261125"], "value.bounds", "DTM02"),
    ("arrival after leaving", "856", &["DTM*017*20261125", "DTM*017*20261121"], "value.bounds", "DTM02"),
    ("a lot of what expires", "856", &["SN1**6*EA~\n", "SN1**6*EA~\nDTM*036*20270301~\n"], "segment.with", "REF"),
    ("a last day of a lot", "856", &["SN1**6*EA~\n", "SN1**6*EA~\nREF*LT*L-17~\n"], "segment.with", "DTM"),
    ("or the day of its making", "856", &["SN1**6*EA~\n", "SN1**6*EA~\nREF*LT*L-17~\nDTM*094*20261101~\n"], "", ""),
    // Invoices.
    ("an invoice of something", "810", &["TDS*82800", "TDS*0"], "value.bounds", "TDS01"),
    ("an invoice after its order", "810", &["BIG*20260315", "BIG*20260301"], "value.bounds", "BIG01"),
    ("an invoice of today at the latest", "810", &["BIG*20260315", "BIG*20260402"], "value.bounds", "BIG01"),
    ("more than none of an item", "810", &["IT1*1*48*", "IT1*1*0*"], "value.bounds", "IT102"),
    ("whole items", "810", &["IT1*1*48*", "IT1*1*4.5*"], "element.form", "IT102"),
    ("where the bill goes, with its street", "810", &["N3*400 Market Street~\n", ""], "segment.missing", "N3"),
    ("and its country", "810", &["*97201*US", "*97201"], "element.missing", "N404"),
    ("no credit note in North America", "810", &["4QX7TRB9~\nCUR", "4QX7TRB9***CR~\nCUR"], "element.without", "BIG07"),
    ("a credit note in Europe", "810", &["4QX7TRB9~\nCUR", "4QX7TRB9***CR~\nCUR", "*OR*97201*US", "**1000*BE"], "", ""),
    ("one order an invoice in India", "810", &["*OR*97201*US", "**560001*IN"], "segment.without", "REF"),
    ("the terms", "810", &["ITD*01*3*****60~\n", ""], "segment.missing", "ITD"),
];

fn good(set: &str) -> String {
    let name = match set {
        "850" => "order",
        "855" => "every-line",
        "856" => "cartons",
        _ => "invoice",
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(format!("samples/partners/amazon/{set}/pass/{name}.edi"));
    std::fs::read_to_string(path).unwrap()
}

/// What is found in a file on the first of April 2026, without the counts that an edit spoils and
/// the doubts about dates that every file gets.
fn found(text: &str) -> Vec<(&'static str, String)> {
    let today = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
    let guides = Guides {
        library: Library::embedded().on(today),
        partner: Some("amazon".to_owned()),
    };
    let report = check(text.as_bytes(), &guides).unwrap();
    let all = report.findings.iter().map(|noted| &noted.finding);
    let all = all.filter(|f| f.severity > transload::x12::Severity::Info);
    let all = all.map(|f| (f.fault.rule(), f.location.designator()));
    all.filter(|(rule, _)| !["se.count", "value.date-order"].contains(rule))
        .collect()
}

#[test]
fn each_rule_has_its_finding() {
    let mut wrong = Vec::new();
    for (asked, set, changes, rule, place) in ROWS {
        let mut text = good(set);
        for change in changes.chunks(2) {
            assert!(text.contains(change[0]), "{asked}: {}", change[0]);
            text = text.replacen(change[0], change[1], 1);
        }
        let due: Vec<(&str, String)> = match rule.is_empty() {
            true => Vec::new(),
            false => vec![(rule, (*place).to_owned())],
        };
        let told = found(&text);
        if told != due {
            wrong.push(format!("{set} {asked}: {told:?}, not {due:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_files_are_good_before() {
    for set in ["850", "855", "856", "810"] {
        assert_eq!(found(&good(set)), [], "{set}");
    }
}
