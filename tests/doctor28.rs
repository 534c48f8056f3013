//! The 28 situations that x12-doctor 0.1.0 knows, a line each: what is done to a good file, and what
//! `check` says of it; of those that one file alone does not show, of several files in a folder.

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
    ("B02", PRICED, &["3*5*EA*5.10", "3*5*EA*445"], "value.scale", "PO104"),
    ("B02", BILL, &["TDS*15000", "TDS*1500000"], "value.scale", "TDS01"),
    ("D04", NOTICE, &["HL*2*1*O", "DTM*011*20260310~\nDTM*017*20260309~\nHL*2*1*O", "SE*13", "SE*15"], "value.date-order", "DTM02"),
    ("D04", NOTICE, &["HL*2*1*O", "DTM*017*20260301~\nHL*2*1*O", "SE*13", "SE*14"], "value.date-order", "BSN03"),
    ("D02", NOTICE, &["00107312000000000015", "00107312000000000016"], "value.check-digit", "MAN02"),
];

/// An order of three lines, so that one price stands out.
const PRICED: &str = "ISA*00*          *00*          *ZZ*QUILLFEATHER   *ZZ*TINDERBOX      *260302*0915*U*00401*000000014*0*T*>~\n\
    GS*PO*QUILLFEATHER*TINDERBOX*20260302*0915*14*X*004010~\nST*850*0001~\n\
    BEG*00*SA*PO-2002**20260302~\nPO1*1*10*EA*4.50*PE*VN*TK-1200~\nPO1*2*5*EA*3.95*PE*VN*TK-1300~\n\
    PO1*3*5*EA*5.10*PE*VN*TK-1400~\nCTT*3~\nSE*7*0001~\nGE*1*14~\nIEA*1*000000014~\n";

/// A bill for that order.
const BILL: &str = "ISA*00*          *00*          *ZZ*TINDERBOX      *ZZ*QUILLFEATHER   *260305*0915*U*00401*000000015*0*T*>~\n\
    GS*IN*TINDERBOX*QUILLFEATHER*20260305*0915*15*X*004010~\nST*810*0001~\n\
    BIG*20260305*R-1*20260302*PO-2001~\nIT1*1*10*EA*4.50*PE*VN*TK-1200~\nIT1*2*5*CA*21.00*PE*VN*TC-0004-6~\n\
    TDS*15000~\nCTT*2~\nSE*7*0001~\nGE*1*15~\nIEA*1*000000015~\n";

/// An acknowledgment of that order.
const REPLY: &str = "ISA*00*          *00*          *ZZ*TINDERBOX      *ZZ*QUILLFEATHER   *260302*0915*U*00401*000000016*0*T*>~\n\
    GS*PR*TINDERBOX*QUILLFEATHER*20260303*0915*16*X*004010~\nST*855*0001~\n\
    BAK*00*AC*PO-2001*20260302~\nPO1*1*10*EA*4.50*PE*VN*TK-1200~\nACK*IA*10*EA~\n\
    PO1*2*5*CA*21.00*PE*VN*TC-0004-6~\nACK*IA*5*CA~\nCTT*2~\nSE*8*0001~\nGE*1*16~\nIEA*1*000000016~\n";

/// Situation, the files, what is replaced in the last, the file that it is told of, rule and place.
type Several = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    usize,
    &'static str,
    &'static str,
);

/// What several files show together, by `check FOLDER`: the situations of x12-doctor, and those that
/// follow from the same keys.
#[rustfmt::skip]
const SEVERAL: &[Several] = &[
    ("C02", &[ORDER, ANSWER], &["AK1*PO*11", "AK1*PO*12"], 1, "answer.unknown-group", "AK102"),
    ("C03", &[ORDER, ANSWER], &["AK5*A~", "AK5*R*5~", "AK9*A*1*1*1", "AK9*R*1*1*0"], 0, "answer.rejected", "GS"),
    ("C04", &[ORDER, ANSWER], &["AK5*A~", "AK3*PO1*5*PO1~\nAK4*3*355*7*EACH~\nAK5*R*5~", "AK9*A*1*1*1", "AK9*R*1*1*0", "SE*6", "SE*8"], 0, "answer.rejected", "PO103"),
    ("C05", &[ORDER, PRICED, ANSWER], &[], 1, "answer.missing", "GS"),
    ("C06", &[ORDER, NOTICE], &["*260302*0915*U", "*260301*0915*U"], 1, "flow.order", "BSN"),
    ("D03", &[ORDER, NOTICE], &["SN1**10", "SN1**12"], 1, "line.quantity", "SN102"),
    ("duplicate", &[ORDER, ORDER], &[], 1, "isa.duplicate", "ISA13"),
    ("billed", &[ORDER, BILL], &["IT1*2*5*", "IT1*2*6*"], 1, "line.quantity", "IT102"),
    ("price", &[ORDER, BILL], &["*4.50*", "*4.75*"], 1, "line.price", "IT104"),
    ("price of the answer", &[ORDER, REPLY], &["*4.50*", "*4.75*"], 1, "line.price", "PO104"),
    ("answered", &[ORDER, REPLY], &["PO1*2*5*CA", "PO1*2*6*CA"], 1, "line.quantity", "PO102"),
    ("price of the answer, billed", &[REPLY, BILL], &["*4.50*", "*4.75*"], 1, "line.price", "IT104"),
    ("accepted after all", &[REJECTION, REPLY], &["*U*00401*000000016", "*U*00401*000000018", "260302*0915", "260304*0915"], 1, "line.revived", "PO1"),
    ("billed before it is shipped", &[ORDER, NOTICE, BILL], &["IT1*1*10*", "IT1*1*11*"], 2, "line.quantity", "IT102"),
    ("an invoice twice", &[BILL, BILL], &["000000015*0*T", "000000019*0*T"], 1, "number.twice", "BIG02"),
    ("a notice twice", &[NOTICE, NOTICE], &["000000012*0*T", "000000019*0*T"], 1, "number.twice", "BSN02"),
    ("a package twice", &[NOTICE, NOTICE], &["BSN*00*SN-1", "BSN*00*SN-2"], 1, "number.twice", "MAN02"),
    ("a line left out", &[ORDER, REPLY], &["PO1*2*5*CA*21.00*PE*VN*TC-0004-6~\nACK*IA*5*CA~\n", ""], 1, "line.missing", "BAK03"),
];

/// A reply that rejects the first line.
const REJECTION: &str = "ISA*00*          *00*          *ZZ*TINDERBOX      *ZZ*QUILLFEATHER   *260303*0915*U*00401*000000017*0*T*>~\n\
    GS*PR*TINDERBOX*QUILLFEATHER*20260303*0915*17*X*004010~\nST*855*0001~\n\
    BAK*00*AC*PO-2001*20260302~\nPO1*1*10*EA*4.50*PE*VN*TK-1200~\nACK*IR*10*EA~\n\
    CTT*1~\nSE*6*0001~\nGE*1*17~\nIEA*1*000000017~\n";

/// Codes that no line above shows, and where they are.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "A00",
        "no finding but an error: a_file_that_is_not_x12_is_refused",
    ),
    (
        "C01",
        "what a 997 says: a_997_says_what_was_rejected_and_where",
    ),
];

fn changed(text: &str, changes: &[&str]) -> String {
    let mut text = text.to_owned();
    for change in changes.chunks(2) {
        assert!(text.contains(change[0]), "{}", change[0]);
        text = text.replacen(change[0], change[1], 1);
    }
    text
}

/// What `check FOLDER` tells of the files beside each other: file, rule, place.
fn beside(files: &[String], more: &[&str]) -> (Vec<(usize, String, String)>, String) {
    let folder = tempfile::tempdir().unwrap();
    for (file, number) in files.iter().zip(0..) {
        std::fs::write(folder.path().join(format!("{number}.edi")), file).unwrap();
    }
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_transload"));
    let command = command
        .args(["check", "--json", "."])
        .args(more)
        .current_dir(folder.path());
    let output = command.output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let mut told = Vec::new();
    for line in out.lines() {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        if report["beside"].is_null() && files.len() > 1 {
            continue;
        }
        let name = report["file"].as_str().unwrap().trim_start_matches("./");
        let file = name.trim_end_matches(".edi").parse().unwrap();
        for finding in report["findings"].as_array().unwrap() {
            let place = &finding["location"];
            let element = place["element"]
                .as_u64()
                .map_or_else(String::new, |n| format!("{n:02}"));
            let place = format!("{}{element}", place["tag"].as_str().unwrap_or_default());
            told.push((file, finding["rule"].as_str().unwrap().to_owned(), place));
        }
    }
    (told, out)
}

#[test]
fn several_files_show_what_one_does_not() {
    for (code, files, changes, file, rule, place) in SEVERAL {
        let mut all: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let last = all.pop().unwrap();
        all.push(changed(&last, changes));
        let (told, out) = beside(&all, &[]);
        let due = (*file, (*rule).to_owned(), (*place).to_owned());
        assert!(told.contains(&due), "{code}: {due:?} in {told:?}\n{out}");
        // And in the words of each.
        let chinese = beside(&all, &["--lang", "zh-CN"]).0;
        assert_eq!(told, chinese, "{code}");
    }
}

/// Papers that fit each other are told nothing of.
#[test]
fn files_that_fit_are_told_nothing_of() {
    let notice = changed(
        NOTICE,
        &[
            "CTT*4~",
            "HL*5*3*I~\nLIN*2*VN*TC-0004-6~\nSN1**5*CA~\nCTT*5~",
            "SE*13",
            "SE*16",
        ],
    );
    let files = [ORDER, ANSWER, &notice, BILL, REPLY].map(str::to_owned);
    let (told, out) = beside(&files, &[]);
    let wrong = told.iter().filter(|(_, rule, _)| rule != "answer.missing");
    assert_eq!(
        wrong.collect::<Vec<_>>(),
        Vec::<&(usize, String, String)>::new(),
        "{out}"
    );
}

/// What takes the place of another is not told of, and the other counts no more.
#[test]
fn the_last_holds() {
    #[rustfmt::skip]
    let rows: [(&str, &[&str], &[&str]); 2] = [
        ("the last answer holds", &[ORDER, REPLY, REPLY], &["*260302*0915*U*00401*000000016", "*260303*0915*U*00401*000000017", "PR*TINDERBOX*QUILLFEATHER*20260303*0915*16", "PR*TINDERBOX*QUILLFEATHER*20260303*0915*17"]),
        ("a notice again", &[NOTICE, NOTICE], &["000000012*0*T", "000000019*0*T", "BSN*00", "BSN*05"]),
    ];
    for (what, files, changes) in rows {
        let mut all: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let last = all.pop().unwrap();
        all.push(changed(&last, changes));
        let (told, out) = beside(&all, &[]);
        assert_eq!(told, [], "{what}\n{out}");
    }
}

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
    for file in [ORDER, NOTICE, ANSWER, PRICED, BILL, REPLY] {
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
        .chain(
            SEVERAL
                .iter()
                .map(|row| row.0)
                .filter(|code| code.len() == 3),
        )
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
