//! The words `fits` and `with`: read, written, linted, shown, compared and sampled.

use serde_json::Value;
use transload::mapping::{Fill, Guide, GuideError, Library, diff, read, sample, write};
use transload::x12::{Delimiters, Fault, Position, Segments, Severity};

use super::{put, run};

const GUIDE: &str = r#"
base = "x12/004010/850"
[heading.REF-QQ]
like = "REF"
usage = "M"
when = { REF01 = "QQ" }
with = { FOB.FOB01 = ["CC", "PC"], CUR = { CUR02 = "" } }
REF02 = { fits = "'D' n3" }
[heading.BEG]
BEG04 = { usage = "N", with = { BEG02 = "N*" } }
BEG07 = { usage = "M", with = { BEG04 = "*" } }
[heading.DTM-063]
DTM02 = { fits = [">= DTM-064.DTM02", "<= BEG.BEG05 + 30"] }
[detail.PO1]
PO102 = { fits = ["> 0", "<= 999"], with = { PO103 = "EA" } }
PO104 = { usage = "M", with = { CTP.CTP02 = "*" } }
[detail.PO1.SCH]
SCH01 = { fits = "<= PO1.PO102" }
[detail.PO1.PKG]
usage = "N"
with = { PO1.PO103 = "CA", BEG.BEG02 = "SA" }
"#;

fn library(text: &str) -> Library {
    Library::embedded().with([("partners/acme/850.toml".to_owned(), text.to_owned())])
}

fn guide(text: &str) -> Result<std::sync::Arc<Guide>, Vec<GuideError>> {
    library(text).named("partners/acme/850").unwrap()
}

fn body(lines: &[&str]) -> Segments {
    let mut set = Segments::default();
    for (line, ordinal) in lines.iter().zip(2..) {
        let parts: Vec<&[u8]> = line.split('*').map(str::as_bytes).collect();
        let position = Position {
            ordinal,
            ..Position::default()
        };
        set.push_parts(&parts, position);
    }
    set
}

const BEG: &str = "BEG*00*SA*4711**20260302";

const GOOD: &[&str] = &[
    BEG,
    "FOB*PP",
    "DTM*064*20260310",
    "DTM*063*20260312",
    "PO1*1*10*EA*4.50**VN*TK-1",
    "SCH*10*EA***002*20260310",
    "PO1*2*5000*CA*4.50**VN*TK-2",
    "CTT*2",
];

/// What is changed, the lines and what is put for them, the rules and places that it gives.
type Row<'a> = (&'a str, &'a [Pair], &'a [Pair]);
type Pair = (&'static str, &'static str);

/// What is told of the good set with a line changed into another, and where.
fn told(changes: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let guide = guide(GUIDE).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let mut lines: Vec<String> = GOOD.iter().map(|line| (*line).to_owned()).collect();
    for (from, to) in changes {
        let at = lines.iter().position(|line| line == from).unwrap();
        let to = to
            .split('\n')
            .filter(|line| !line.is_empty())
            .map(str::to_owned);
        lines.splice(at..=at, to);
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = read(&guide, &body(&lines), &Delimiters::default()).findings;
    let found = found.iter().filter(|f| f.severity > Severity::Info);
    found
        .map(|f| (f.fault.rule(), f.location.designator()))
        .collect()
}

#[test]
fn what_is_asked_is_told_where_it_is_broken() {
    #[rustfmt::skip]
    let rows: &[Row] = &[
        ("nothing", &[], &[]),
        ("a use that a value asks for", &[("FOB*PP", "FOB*CC")], &[("segment.with", "REF")]),
        ("not with the second value", &[("FOB*PP", "CUR*BY*USD\nFOB*CC")], &[]),
        ("it is there", &[("FOB*PP", "REF*QQ*D417\nFOB*CC")], &[]),
        ("and has its form, asked for or not", &[("FOB*PP", "REF*QQ*D41\nFOB*PP")], &[("element.form", "REF02")]),
        ("an element that is forbidden", &[(BEG, "BEG*00*NE*4711*R1*20260302**AC")], &[("element.without", "BEG04")]),
        ("one that another asks for", &[(BEG, "BEG*00*SA*4711*R1*20260302")], &[("element.with", "BEG07")]),
        ("and has", &[(BEG, "BEG*00*SA*4711*R1*20260302**AC")], &[]),
        ("before the other", &[("DTM*063*20260312", "DTM*063*20260309")], &[("value.bounds", "DTM02")]),
        ("too far after a third", &[("DTM*063*20260312", "DTM*063*20260402")], &[("value.bounds", "DTM02")]),
        ("on its last day", &[("DTM*063*20260312", "DTM*063*20260401")], &[]),
        ("without the other", &[("DTM*064*20260310", "")], &[]),
        ("a number of one unit only", &[(GOOD[4], "PO1*1*1000*EA*4.50**VN*TK-1")], &[("value.bounds", "PO102")]),
        ("more than the loop around says", &[(GOOD[5], "SCH*11*EA***002*20260310")], &[("value.bounds", "SCH01")]),
        ("of its own loop, not of the one before", &[(GOOD[6], "PO1*2*5*CA*4.50**VN*TK-2\nSCH*6*CA***002*20260310")], &[("value.bounds", "SCH01")]),
        ("a price that a segment below asks for", &[(GOOD[4], "PO1*1*10*EA***VN*TK-1\nCTP**NET")], &[("element.with", "PO104")]),
        ("a use that two values forbid", &[(GOOD[6], "PO1*2*5*CA*4.50**VN*TK-2\nPKG*F****box")], &[("segment.without", "PKG")]),
        ("one alone does not", &[(GOOD[5], "PKG*F****box")], &[]),
    ];
    for (what, changes, due) in rows {
        let due: Vec<(&str, String)> = due.iter().map(|(r, p)| (*r, (*p).to_owned())).collect();
        assert_eq!(told(changes), due, "{what}");
    }
}

/// Writing refuses what reading only warns of.
#[test]
fn what_breaks_a_demand_is_not_written() {
    let guide = guide(GUIDE).unwrap();
    let delimiters = Delimiters::default();
    let mut lines = GOOD.to_vec();
    lines[3] = "DTM*063*20260309";
    let document = read(&guide, &body(&lines), &delimiters).document.unwrap();
    let writing = write(&guide, &document, &delimiters);
    assert!(!writing.is_sound());
    let finding = writing
        .findings
        .iter()
        .find(|f| f.fault == Fault::ValueBounds)
        .unwrap();
    let said = "DTM02: Date is \"20260309\" where >= DTM-064.DTM02 (20260310) is due";
    assert_eq!(finding.message.to_string(), said);
    lines[3] = GOOD[3];
    let document = read(&guide, &body(&lines), &delimiters).document.unwrap();
    assert!(write(&guide, &document, &delimiters).is_sound());
}

#[test]
fn a_demand_that_cannot_be_is_refused_at_its_line() {
    #[rustfmt::skip]
    let rows = [
        ("[heading.BEG]\nBEG03 = { fits = \"x9\" }", "\"x9\" is no form"),
        ("[heading.BEG]\nBEG03 = { fits = \"n..4 n..5\" }", "only one piece"),
        ("[heading.BEG]\nBEG05 = { fits = \">= BEG03\" }", "a date cannot be compared with text"),
        ("[heading.BEG]\nBEG05 = { fits = \">= DTN.DTM02\" }", "segment \"DTN\" is not known"),
        ("[heading.BEG]\nBEG05 = { fits = \"<= today + many\" }", "days are written as"),
        ("[heading.BEG]\nBEG03 = { fits = \"= BEG99\" }", "BEG99 is no element of BEG"),
        ("[heading.BEG]\nBEG04 = { with = { BEG02 = \"SA\" } }", "write usage = \"M\" or \"N\""),
        ("[heading.BEG]\nBEG04 = { usage = \"M\", with = {} }", "with needs a value"),
        ("[heading.BEG]\nwith = { BEG02 = \"SA\" }\nusage = \"N\"", "name the segment too"),
        ("[heading.BEG]\nBEG04 = { usage = \"M\", with = { PO1.PKG.PKG01 = \"F\" } }", "PO1 repeats"),
        ("[detail.PO1]\nPO102 = { fits = \"<= CTT.CTT01\" }", "CTT comes later"),
    ];
    for (text, due) in rows {
        let errors = guide(&format!("base = \"x12/004010/850\"\n{text}\n")).unwrap_err();
        assert!(
            errors[0].message.to_string().contains(due),
            "{text}: {}",
            errors[0]
        );
        assert!(errors[0].line > 1, "{}", errors[0]);
    }
}

#[test]
fn a_demand_is_shown_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &[("partners/acme/850.toml", GUIDE)]);
    let mappings = folder.path().to_str().unwrap();
    let asked = [
        "mappings",
        "show",
        "850",
        "--partner",
        "acme",
        "--mappings",
        mappings,
    ];
    let (text, _) = run(0, &asked);
    for due in [
        "REF01 = QQ, M where CUR.CUR02 is empty and FOB.FOB01 is CC or PC",
        "REF02: \"D\" and 3 digits",
        "DTM02: >= DTM-064.DTM02",
        "DTM02: <= BEG.BEG05 + 30 days",
        "PO102: <= 999 where PO103 is EA",
        "BEG07: M where BEG04 is there",
    ] {
        assert!(text.contains(due), "{due}\n{text}");
    }
    let (page, _) = run(0, &[&asked[..], &["--html"]].concat());
    assert!(
        page.contains("PO102: &lt;= 999 where PO103 is EA"),
        "{page}"
    );
    let (json, _) = run(0, &[&asked[..], &["--json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    let beg = json["segments"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["use"] == "BEG")
        .unwrap();
    assert_eq!(beg["elements"][6]["with"], "M where BEG04 is there");
    let changes = diff(
        &Library::embedded()
            .named("x12/004010/850")
            .unwrap()
            .unwrap(),
        &guide(GUIDE).unwrap(),
    );
    let said = |word: &str, element: &str| {
        let mut all = changes
            .iter()
            .filter(|c| c.word == word && c.element == element);
        all.find_map(|c| c.new.as_ref().map(ToString::to_string))
    };
    assert_eq!(said("fits", "SCH01").as_deref(), Some("<= PO1.PO102"));
    assert_eq!(
        said("with", "BEG04").as_deref(),
        Some("N where BEG02 is N…")
    );
}

/// What the generators make breaks no demand, whatever is drawn.
#[test]
fn samples_meet_demands() {
    let (own, embedded) = (library(GUIDE), Library::embedded());
    let of = |library: &Library, name: &str| library.named(name).unwrap().unwrap();
    let mut guides = vec![of(&own, "partners/acme/850")];
    let names = embedded.names();
    guides.extend(
        names
            .iter()
            .filter(|n| n.starts_with("partners/amazon/"))
            .map(|n| of(&embedded, n)),
    );
    let delimiters = Delimiters::default();
    let mut tried = 0;
    for guide in guides.iter().filter(|guide| guide.document.is_some()) {
        for seed in 0..30_u64 {
            let mut state = seed;
            let mut draw = |n: u32| {
                state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                ((state >> 33) as u32) % n.max(1)
            };
            let document = sample(guide, Fill::Some, &mut draw).unwrap();
            let broken = write(guide, &document, &delimiters).findings;
            let broken = broken.iter().filter(|f| f.fault.is_demand());
            let broken: Vec<String> = broken.map(|f| f.message.to_string()).collect();
            assert_eq!(broken, [""; 0], "{} seed {seed}", guide.name);
            tried += 1;
        }
    }
    assert!(tried > 100);
}
