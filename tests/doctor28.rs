//! The 28 situations that x12-doctor 0.1.0 knows, a line each: what is done to a good file, and what
//! `check` says of it. Those that one file alone does not show are listed with the place that does.

use transload::cli::{Guides, check};
use transload::mapping::Library;
use transload::x12;

/// A good order.
const ORDER: &str = "ISA*00*          *00*          *ZZ*QUILLFEATHER   *ZZ*TINDERBOX      *260302*0915*U*00401*000000011*0*T*>~\n\
    GS*PO*QUILLFEATHER*TINDERBOX*20260302*0915*11*X*004010~\nST*850*0001~\n\
    BEG*00*SA*PO-2001**20260302~\nDTM*002*20260316~\nN1*ST*Quillfeather Depot*92*ASH4~\n\
    PO1*1*10*EA*4.50*PE*VN*TK-1200~\nPO1*2*5*CA*21.00*PE*VN*TC-0004-6~\nCTT*2*15~\nSE*8*0001~\n\
    GE*1*11~\nIEA*1*000000011~\n";

/// A good ship notice.
const NOTICE: &str = "ISA*00*          *00*          *ZZ*TINDERBOX      *ZZ*QUILLFEATHER   *260302*0915*U*00401*000000012*0*T*>~\n\
    GS*SH*TINDERBOX*QUILLFEATHER*20260302*0915*12*X*004010~\nST*856*0001~\n\
    BSN*00*SN-1*20260302*0915~\nHL*1**S~\nTD1*CTN*1~\nHL*2*1*O~\nPRF*PO-2001~\nHL*3*2*P~\n\
    MAN*GM*00107312000000000015~\nHL*4*3*I~\nLIN*1*VN*TK-1200~\nSN1**10*EA~\nCTT*4~\nSE*13*0001~\n\
    GE*1*12~\nIEA*1*000000012~\n";

/// A 997 that accepts.
const ANSWER: &str = "ISA*00*          *00*          *ZZ*TINDERBOX      *ZZ*QUILLFEATHER   *260302*0915*U*00401*000000013*0*T*>~\n\
    GS*FA*TINDERBOX*QUILLFEATHER*20260302*0915*13*X*004010~\nST*997*0001~\nAK1*PO*11~\n\
    AK2*850*0001~\nAK5*A~\nAK9*A*1*1*1~\nSE*6*0001~\nGE*1*13~\nIEA*1*000000013~\n";

/// Situation, the file, what is replaced in it (each by the next), the rule and the place it gives.
/// `+` appends.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("A01", ORDER, &["TINDERBOX      *260302", "TINDERBOX*260302"], "isa.element", "ISA08"),
    ("A02", ORDER, &["SE*8", "SE*11"], "se.count", "SE01"),
    ("A03", ORDER, &["IEA*1*000000011", "IEA*1*000000012"], "iea.control-number", "IEA02"),
    ("A03", ORDER, &["GE*1*11", "GE*1*12"], "ge.control-number", "GE02"),
    ("A03", ORDER, &["SE*8*0001", "SE*8*0002"], "se.control-number", "SE02"),
    ("A04", ORDER, &["+", ORDER], "isa.duplicate", "ISA13"),
    ("A05", ORDER, &["*T*>~", "*T**~"], "isa.delimiter-clash", "ISA16"),
    ("A05", ORDER, &["*T*>~\n", "*T*>\n"], "isa.length", "ISA16"),
    ("A06", ORDER, &["GE*1*", "GE*2*"], "ge.count", "GE01"),
    ("A07", ORDER, &["IEA*1*", "IEA*3*"], "iea.count", "IEA01"),
    ("A08", ORDER, &["X*004010", "X*005010"], "gs.version", "GS08"),
    ("A09", ORDER, &["+", "-- sent by mail --"], "source.stray-bytes", ""),
    ("A10", ORDER, &["IEA*1*000000011~\n", ""], "iea.missing", ""),
    ("A10", ORDER, &["SE*8*0001~\n", ""], "se.missing", "GE"),
    ("A11", ORDER, &["ST*850*0001~\nBEG", "BEG"], "segment.outside-set", "BEG"),
    ("A11", ORDER, &["IEA*1*000000011~\n", "", "+", NOTICE], "iea.missing", "ISA"),
    ("B01", ORDER, &["10*EA*", "10*EACH*"], "element.code", "PO103"),
    ("B03", ORDER, &["20260316", "2026-03-16"], "element.date", "DTM02"),
    ("B04", ORDER, &["CTT*2*15", "CTT*3*15"], "value.differs", "CTT01"),
    ("B05", ORDER, &["partner", "amazon"], "segment.missing", "REF"),
    ("B06", ORDER, &["BEG*00*SA*PO-2001**20260302~\n", ""], "segment.missing", "BEG"),
    ("D01", NOTICE, &["HL*4*3*I", "HL*4*9*I"], "hl.parent", "HL02"),
    ("D02", NOTICE, &["00107312000000000015", "00107312000000000016"], "value.check-digit", "MAN02"),
];

/// Codes that one line above cannot show, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "A00",
        "no finding but an error: a_file_that_is_not_x12_is_refused",
    ),
    (
        "B02",
        "not done: nobody compares a price with its neighbours",
    ),
    (
        "C01",
        "what a 997 says: a_997_says_what_was_rejected_and_where",
    ),
    (
        "C02",
        "which groups were sent is known to the gateway, not to a file",
    ),
    ("C03", "as C01"),
    ("C04", "as C01; the original's bytes are shown by `explain`"),
    ("C05", "what waits for its 997 is known to the gateway"),
    ("C06", "the order of interchanges is known to the gateway"),
    ("D03", "not done: the order is another file"),
    ("D04", "not done: nobody compares dates of a shipment"),
];

#[test]
fn each_situation_is_found() {
    for (code, file, changes, rule, place) in ROWS {
        let (mut text, mut partner) = ((*file).to_owned(), None);
        for change in changes.chunks(2) {
            match change[0] {
                "+" => text += change[1],
                "partner" => partner = Some(change[1].to_owned()),
                from => {
                    assert!(text.contains(from), "{code}: {from}");
                    text = text.replacen(from, change[1], 1);
                }
            }
        }
        let guides = Guides {
            library: Library::embedded(),
            partner,
        };
        let report = check(text.as_bytes(), &guides).unwrap();
        let found = report.findings.iter().find(|noted| {
            let finding = &noted.finding;
            finding.fault.rule() == *rule && finding.location.designator() == *place
        });
        let found = found.unwrap_or_else(|| panic!("{code}:\n{}", report.plain("it")));
        assert!(!found.finding.fix.is_empty(), "{code}: no fix");
    }
}

#[test]
fn files_that_are_changed_are_good_before() {
    let guides = Guides {
        library: Library::embedded(),
        partner: None,
    };
    for file in [ORDER, NOTICE, ANSWER] {
        let report = check(file.as_bytes(), &guides).unwrap();
        assert!(
            !report.counts.reach(x12::Severity::Warning),
            "{}",
            report.plain("it")
        );
    }
}

#[test]
fn all_28_are_here() {
    let rows = ROWS
        .iter()
        .map(|row| row.0)
        .chain(ELSEWHERE.iter().map(|row| row.0));
    let codes: std::collections::BTreeSet<&str> = rows.collect();
    let due = [("A", 0..=11), ("B", 1..=6), ("C", 1..=6), ("D", 1..=4)];
    let due = due
        .into_iter()
        .flat_map(|(kind, all)| all.map(move |n| format!("{kind}{n:02}")));
    assert!(codes.iter().map(|code| (*code).to_owned()).eq(due));
    assert_eq!(codes.len(), 28);
}

#[test]
fn a_file_that_is_not_x12_is_refused() {
    let guides = Guides {
        library: Library::embedded(),
        partner: None,
    };
    let trouble = check(&b"{\"order\": 1}"[..], &guides).unwrap_err();
    assert!(
        trouble
            .to_string()
            .starts_with("not X12: the file looks like JSON"),
        "{trouble}"
    );
}

#[test]
fn a_997_says_what_was_rejected_and_where() {
    let bad = ANSWER
        .replace("AK5*A~", "AK3*PO1*5*PO1~\nAK4*3*355*7*EACH~\nAK5*R*5~")
        .replace("AK9*A*1*1*1", "AK9*R*1*1*0")
        .replace("SE*6", "SE*8");
    let said = |text: &str| {
        let interchange = x12::read(text.as_bytes()).unwrap().interchanges.remove(0);
        let (set, separators) = (&interchange.groups[0].sets[0], &interchange.delimiters);
        x12::FunctionalAcknowledgment::read(x12::Form::F997, &set.segments, separators).0
    };
    assert!(said(ANSWER).sets[0].verdict.is_accepted());
    let set = &said(&bad).sets[0];
    assert!(!set.verdict.is_accepted());
    let segment = &set.segments[0];
    assert_eq!((segment.tag.as_str(), segment.position), ("PO1", 5));
    let element = &segment.elements[0];
    assert_eq!(
        (element.code.as_str(), element.copy.as_deref()),
        ("7", Some("EACH"))
    );
}

/// The four planted faults of `samples`: all in one pass, each with what to do.
#[test]
fn four_planted_faults_are_found_in_one_pass() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/samples/x12/004010/850/fail/four-faults.edi"
    );
    let guides = Guides {
        library: Library::embedded(),
        partner: None,
    };
    let report = check(&std::fs::read(path).unwrap()[..], &guides).unwrap();
    let found: Vec<(String, String)> = report
        .findings
        .iter()
        .map(|noted| {
            (
                noted.finding.location.designator(),
                noted.finding.fix.to_string(),
            )
        })
        .collect();
    let due = [
        ("PO103", "send EA, or another of the list's 169 codes"),
        ("CTT01", "send 2, or look for what is missing"),
        ("SE01", "write 10 into SE01"),
        ("IEA02", "write the value of ISA13 into IEA02"),
    ];
    let due = due.map(|(place, fix)| (place.to_owned(), fix.to_owned()));
    for one in due {
        assert!(
            found.contains(&one),
            "{one:?}\n{}",
            report.plain("four-faults.edi")
        );
    }
    let wrong = report.counts.errors + report.counts.warnings;
    assert_eq!(wrong, 4, "{}", report.plain("four-faults.edi"));
}
