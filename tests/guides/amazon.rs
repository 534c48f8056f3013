//! What one retailer asks of its vendors beyond the standard, a line a rule: what is done to a good
//! file, and the rule and the place that `check --partner` then names.

use std::path::Path;

use chrono::NaiveDate;
use transload::cli::{Guides, check};
use transload::mapping::Library;

/// What is asked, the good file, each text in it that is replaced by the next, and what is told: rules
/// and their places.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Orders.
    ("a vendor code", "850", &["REF*CR*TNDBX~\n", ""], &[("segment.missing", "REF")]),
    ("whether to back-order", "850", &["CSH*N~\n", ""], &[("segment.missing", "CSH")]),
    ("a window that opens before it closes", "850", &["DTM*063*20260317", "DTM*063*20260301"], &[("value.bounds", "DTM02")]),
    // Acknowledgments.
    ("an answer to every line", "855", &["ACK*IA*6*CA*068*20260314~\n", ""], &[("segment.missing", "ACK")]),
    ("no more than was ordered", "855", &["ACK*IA*6*", "ACK*IA*7*"], &[("value.bounds", "ACK02")]),
    ("a day that has come", "855", &["*20260303", "*20260501"], &[("value.bounds", "BAK09")]),
    ("an answer after the order", "855", &["*20260303", "*20260301"], &[("value.bounds", "BAK09")]),
    // Ship notices.
    ("a bill of lading by truck", "856", &["REF*BM*TNDBX00417~\n", ""], &[("segment.with", "REF")]),
    ("none for a parcel", "856", &["REF*BM*TNDBX00417~\n", "", "UPSN*M*", "UPSN*U*"], &[]),
    ("a bill of lading of 8 characters", "856", &["TNDBX00417", "TNDBX17"], &[("element.form", "REF02")]),
    ("a PRO number in North America", "856", &["REF*CN*1Z0417~\n", ""], &[("segment.with", "REF")]),
    ("none from elsewhere", "856", &["REF*CN*1Z0417~\n", "", "RI*02809*US", "*BS1 4ST*GB"], &[]),
    ("its reference number for collect freight", "856", &["REF*BX*ARN0417004~\n", ""], &[("segment.with", "REF")]),
    ("none for prepaid freight", "856", &["REF*BX*ARN0417004~\n", "", "FOB*CC", "FOB*PP"], &[]),
    ("a carrier code of 2 to 4 letters", "856", &["*UPSN*M", "*UPSN - UNITED*M"], &[("element.form", "TD503")]),
    ("how many cartons", "856", &["TD1*CTN*2****G*120.5*LB~\n", ""], &[("segment.missing", "TD1")]),
    ("where it leaves from, to the postal code", "856", &["*RI*02809*US", "*RI**US"], &[("element.missing", "N403")]),
    ("and to the country", "856", &["*02809*US", "*02809"], &[("element.missing", "N404")]),
    ("an SSCC of 18 digits", "856", &["MAN*GM*00107312000000000015", "MAN*GM*0107312000000000015"], &[("element.form", "MAN02")]),
    ("its check digit", "856", &["00107312000000000015", "00107312000000000016"], &[("value.check-digit", "MAN02")]),
    ("any number of a parcel", "856", &["MAN*GM*00107312000000000015", "MAN*CP*1Z0417"], &[]),
    ("a mark on every carton", "856", &["MAN*GM*00107312000000000022~\n", ""], &[("segment.missing", "MAN")]),
    ("a notice within a week of leaving", "856", &["DTM*011*20261122", "DTM*011*20261114"], &[("value.bounds", "DTM02")]),
    ("and no more than two days before", "856", &["DTM*011*20261122", "DTM*011*20261125"], &[("value.bounds", "DTM02")]),
    ("arrival after leaving", "856", &["DTM*017*20261125", "DTM*017*20261121"], &[("value.date-order", "BSN03"), ("value.date-order", "DTM02"), ("value.bounds", "DTM02")]),
    ("a lot of what expires", "856", &["SN1**6*EA~\n", "SN1**6*EA~\nDTM*036*20270301~\n"], &[("segment.with", "REF")]),
    ("a last day of a lot", "856", &["SN1**6*EA~\n", "SN1**6*EA~\nREF*LT*L-17~\n"], &[("segment.with", "DTM")]),
    ("or the day of its making", "856", &["SN1**6*EA~\n", "SN1**6*EA~\nREF*LT*L-17~\nDTM*094*20261101~\n"], &[]),
    // Invoices.
    ("an invoice of something", "810", &["TDS*82800", "TDS*0"], &[("total.differs", "TDS01"), ("value.bounds", "TDS01")]),
    ("an invoice after its order", "810", &["BIG*20260315", "BIG*20260301"], &[("value.bounds", "BIG01")]),
    ("an invoice of today at the latest", "810", &["BIG*20260315", "BIG*20260402"], &[("value.bounds", "BIG01")]),
    ("more than none of an item", "810", &["IT1*1*48*", "IT1*1*0*", "TDS*82800", "TDS*1"], &[("value.bounds", "IT102"), ("total.differs", "TDS01")]),
    ("whole items", "810", &["IT1*1*48*", "IT1*1*4.5*", "TDS*82800", "TDS*7763"], &[("element.form", "IT102")]),
    ("where the bill goes, with its street", "810", &["N3*400 Market Street~\n", ""], &[("segment.missing", "N3")]),
    ("and its country", "810", &["*97201*US", "*97201"], &[("element.missing", "N404")]),
    ("no credit note in North America", "810", &["4QX7TRB9~\nCUR", "4QX7TRB9***CR~\nCUR"], &[("element.without", "BIG07")]),
    ("a credit note in Europe", "810", &["4QX7TRB9~\nCUR", "4QX7TRB9***CR~\nCUR", "*OR*97201*US", "**1000*BE"], &[]),
    ("one order an invoice in India", "810", &["*OR*97201*US", "**560001*IN"], &[("segment.without", "REF")]),
    ("a total of its lines", "810", &["TDS*82800", "TDS*82900"], &[("total.differs", "TDS01")]),
    ("and of its charges", "810", &["CTT*1", "SAC*C*D240***1500~\nCTT*1"], &[("total.differs", "TDS01")]),
    ("which are then in it", "810", &["CTT*1", "SAC*C*D240***1500~\nCTT*1", "TDS*82800", "TDS*84300"], &[]),
    ("less its allowances", "810", &["CTT*1", "SAC*A*C310***1500~\nCTT*1", "TDS*82800", "TDS*81300"], &[]),
    ("and of its tax", "810", &["TDS*82800~", "TDS*88596~\nTXI*ST*57.96*7~"], &[]),
    ("a tax that is that of its lines", "810", &["*UP*731200000117~", "*UP*731200000117~\nTXI*ST*57.96*7~", "TDS*82800~", "TDS*89396~\nTXI*ST*65.96*7~"], &[("total.tax", "TXI02")]),
    ("the terms", "810", &["ITD*01*3*****60~\n", ""], &[("segment.missing", "ITD")]),
];

/// A rule, the rows above that hold it, the rows of `doctor28` that do, and what no file can show.
type Rule = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

/// Every rule of the retailer's that the facts name, and who holds it.
#[rustfmt::skip]
const RULES: &[Rule] = &[
    ("every line is answered", &["an answer to every line"], &["a line left out"], ""),
    ("no quantity above the order's", &["no more than was ordered"], &["answered"], ""),
    ("no price above the order's", &[], &["price of the answer"], ""),
    ("a rejected line is never accepted", &[], &["accepted after all"], "answers that came before these files: the gateway's memory"),
    ("each answer replaces the one before it, line by line", &[], &["the last answer holds"], ""),
    ("the invoice's price is the answer's", &[], &["price of the answer, billed"], ""),
    ("an answer within 24 hours, a change within 48", &[], &[], "a deadline passes while no file arrives: a gateway that runs tells it"),
    ("after 48 hours only dates may change", &[], &[], "when the order arrived: the gateway's memory"),
    ("a product that is rejected as obsolete twice is gone", &[], &[], "two answers 48 hours apart: the gateway's memory"),
    ("a notice within half an hour of leaving, six hours before the appointment", &[], &[], "no set carries the appointment: the gateway's clock"),
    ("shipped in the past 7 days or the next 2", &["a notice within a week of leaving", "and no more than two days before"], &[], ""),
    ("a notice before the goods arrive", &["arrival after leaving"], &["D04"], ""),
    ("a shipment's number is used once", &[], &["a notice twice"], "over 365 days: the gateway's memory"),
    ("a bill of lading is used once", &[], &[], "over 365 days: the gateway's memory; among files other buyers let the orders of a truck share one"),
    ("a bill of lading of 8 characters", &["a bill of lading of 8 characters"], &[], ""),
    ("a bill of lading begins with the vendor's code", &[], &[], "the code is the account's: an overlay of one's own says fits = \"'TNDBX' an..25\""),
    ("a bill of lading is not a date", &[], &[], "eight digits may be one, or not"),
    ("one truck, one centre, one vendor, one day a notice", &[], &[], "the guide's max = 1 of the shipment's N1 and DTM"),
    ("100 notices a truckload at most", &[], &[], "what a truck holds is not in the set: the gateway's memory"),
    ("a parcel has a notice of its own", &[], &[], "how many parcels left is not in the set"),
    ("a notice that takes another's place", &[], &["a notice again"], "its quantities only fall: the gateway's memory"),
    ("a notice by one channel only", &[], &[], "a setting of a migration, not of a file"),
    ("an SSCC of 18 digits, with its check digit", &["an SSCC of 18 digits", "its check digit"], &["D02"], ""),
    ("an SSCC is used once", &[], &["a package twice"], "over 365 days: the gateway's memory"),
    ("the label says what the message says", &[], &[], "no file has the label"),
    ("a mark on every carton", &["a mark on every carton"], &[], ""),
    ("lot and last day of what expires", &["a lot of what expires", "a last day of a lot", "or the day of its making"], &[], ""),
    ("one lot an item and carton", &[], &[], "the guide's max = 1 of an item's lot"),
    ("carrier, PRO number, bill of lading, reference for collect freight", &["a bill of lading by truck", "a PRO number in North America", "its reference number for collect freight", "a carrier code of 2 to 4 letters"], &[], ""),
    ("carton count", &["how many cartons"], &[], ""),
    ("where it leaves from", &["where it leaves from, to the postal code", "and to the country"], &[], ""),
    ("an invoice after the answer and the shipment", &[], &["billed before it is shipped", "C06"], ""),
    ("an invoice's number is used once", &[], &["an invoice twice"], "over the years: the gateway's memory"),
    ("a total that is not nothing", &["an invoice of something"], &[], ""),
    ("the total is lines, charges and allowances", &["a total of its lines", "and of its charges", "which are then in it", "less its allowances", "and of its tax"], &[], ""),
    ("the tax is the sum of the lines' taxes", &["a tax that is that of its lines"], &[], ""),
    ("each charge by itself", &["and of its charges"], &[], "a charge inside of a price cannot be seen"),
    ("the address of the bill", &["where the bill goes, with its street", "and its country"], &[], "that it is the very one: an overlay of one's own"),
    ("the terms as agreed", &["the terms"], &[], "which they are: an overlay of one's own"),
    ("not of a day to come, nor older than its order", &["an invoice after its order", "an invoice of today at the latest"], &[], ""),
    ("one order an invoice in India, several elsewhere", &["one order an invoice in India"], &[], ""),
    ("credit notes in Europe alone", &["no credit note in North America", "a credit note in Europe"], &[], ""),
    ("a parallel test before the start", &[], &[], "a matter of people"),
    ("the portal is locked", &[], &[], "a matter of the portal"),
    ("chargebacks", &[], &[], "what a breach costs: each breach is a row above"),
    ("direct fulfillment: answered and confirmed within hours", &[], &[], "a deadline: a gateway that runs tells it"),
];

/// Whoever is named as holding a rule is there.
#[test]
fn every_rule_has_its_test_or_its_reason() {
    let doctor = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor28.rs");
    let doctor = std::fs::read_to_string(doctor).unwrap();
    for (rule, rows, of_doctor, why) in RULES {
        for name in *rows {
            assert!(
                ROWS.iter().any(|row| row.0 == *name),
                "{rule}: no row {name}"
            );
        }
        for name in *of_doctor {
            assert!(
                doctor.contains(&format!("(\"{name}\", ")),
                "{rule}: no row {name}"
            );
        }
        assert!(
            !(rows.is_empty() && of_doctor.is_empty() && why.is_empty()),
            "{rule}"
        );
    }
    let held = |name: &str| RULES.iter().any(|(_, rows, ..)| rows.contains(&name));
    let orders = ["850"];
    let alone = ROWS
        .iter()
        .filter(|row| !orders.contains(&row.1) && !held(row.0))
        .count();
    assert!(alone < 12, "{alone} rows hold no rule");
}

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

/// What is found in a file on the first of April 2026, without the count that an edit spoils.
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
    all.filter(|(rule, _)| *rule != "se.count").collect()
}

#[test]
fn each_rule_has_its_finding() {
    let mut wrong = Vec::new();
    for (asked, set, changes, due) in ROWS {
        let mut text = good(set);
        for change in changes.chunks(2) {
            assert!(text.contains(change[0]), "{asked}: {}", change[0]);
            text = text.replacen(change[0], change[1], 1);
        }
        let due = due.iter().map(|(rule, place)| (*rule, (*place).to_owned()));
        let due: Vec<(&str, String)> = due.collect();
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
