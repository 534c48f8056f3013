//! The numbered cases of what partners send: an input of our own for each, how many segments are
//! read from it, and each finding with its severity, rule, acknowledgment code and place.
//!
//! The cases stand in files by subject; what an acknowledgment must say (82 to 86) and what is
//! written (68 to 70, 97) stand with the tests of those. The last test here counts them.

use std::sync::LazyLock;

use transload::mapping::{self, Library};
use transload::x12::{self, Finding, Reading, Severity};

pub(crate) const ISA: &str = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260102*0304*U*00401*000000001*0*P*>~";
pub(crate) const SET: &str =
    "ST*850*0001~BEG*00*NE*4711**20260102~PO1*1*10*EA*9.95**VN*A-1~CTT*1~SE*5*0001~";

/// One 850: nine segments on one line.
pub(crate) fn order() -> String {
    format!("{ISA}GS*PO*BUYER*SELLER*20260102*0304*1*X*004010~{SET}GE*1*1~IEA*1*000000001~")
}

/// The same with `from` replaced, which must be in it.
pub(crate) fn with(from: &str, to: &str) -> String {
    let order = order();
    assert!(order.contains(from), "{from}");
    order.replace(from, to)
}

/// The same with another control number of its interchange.
pub(crate) fn second() -> String {
    order().replace("000000001", "000000002")
}

/// The same as release 005010 with `ISA11` as given.
pub(crate) fn order_5010(isa11: &str) -> String {
    order()
        .replace("*U*00401*", &format!("*{isa11}*00501*"))
        .replace("004010", "005010")
}

/// A set of release 004010 with this body, in its envelope.
pub(crate) fn set(id: &str, body: &str) -> String {
    let group = x12::functional_id(id).expect("a set that we know");
    let count = body.matches('~').count() + 2;
    format!(
        "{ISA}GS*{group}*BUYER*SELLER*20260102*0304*1*X*004010~ST*{id}*0001~{body}SE*{count}*0001~\
         GE*1*1~IEA*1*000000001~"
    )
}

pub(crate) fn read(input: impl AsRef<[u8]>) -> Reading {
    x12::read(input.as_ref()).expect("the case holds an ISA")
}

/// A finding on one line: severity, rule, code, and designator with the segment's ordinal.
pub(crate) fn line(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let (rule, code) = (finding.fault.rule(), finding.code_997().unwrap_or("-"));
    let (place, segment) = (finding.location.designator(), finding.location.segment);
    format!("{severity} {rule} {code} {place}@{segment}")
}

/// Segments read, and what is found in bytes and envelopes.
pub(crate) fn check(input: impl AsRef<[u8]>) -> (u32, Vec<String>) {
    let reading = read(input);
    for finding in &reading.findings {
        assert!(!finding.message.is_empty() && !finding.fix.is_empty());
    }
    (
        reading.segments,
        reading.findings.iter().map(line).collect(),
    )
}

/// What guides find in the sets of a file, warnings and errors.
pub(crate) fn content(input: impl AsRef<[u8]>) -> Vec<Finding> {
    static LIBRARY: LazyLock<Library> = LazyLock::new(Library::embedded);
    let reading = read(input);
    let mut findings = Vec::new();
    for interchange in &reading.interchanges {
        for (group, set) in interchange.sets() {
            let guide = LIBRARY.guide(None, &group.header.version, &set.id);
            let guide = guide.expect("there is a guide").expect("it is sound");
            let read = mapping::read(&guide, &set.segments, &interchange.delimiters);
            findings.extend(read.findings);
        }
    }
    findings.retain(|f| f.severity > Severity::Info);
    findings
}

/// What guides find, a line each.
pub(crate) fn lines(input: impl AsRef<[u8]>) -> Vec<String> {
    content(input).iter().map(line).collect()
}

/// Element `element` of segment `segment` (0 is the first after ST) of the first set.
pub(crate) fn value(input: impl AsRef<[u8]>, segment: usize, element: usize) -> String {
    let reading = read(input);
    let set = &reading.interchanges[0].groups[0].sets[0];
    let segment = set.segments.get(segment).unwrap();
    String::from_utf8_lossy(segment.element(element)).into_owned()
}

/// A test a line: an input, the segments that are read from it, and all findings about its bytes
/// and envelopes.
macro_rules! cases {
    ($($name:ident: $input:expr => $segments:literal [$($line:literal),* $(,)?];)*) => {
        $(#[test] fn $name() {
            let (segments, lines) = check($input);
            let due: &[&str] = &[$($line),*];
            assert_eq!((segments, &lines[..]), ($segments, &due.map_lines()[..]));
        })*
    };
}
pub(crate) use cases;

/// Lines as they are compared.
pub(crate) trait Lines {
    fn map_lines(&self) -> Vec<String>;
}

impl Lines for [&str] {
    fn map_lines(&self) -> Vec<String> {
        self.iter().map(|line| (*line).to_owned()).collect()
    }
}

#[test]
fn all_cases_have_a_test() {
    let sources = [
        include_str!("acks.rs"),
        include_str!("cases_content.rs"),
        include_str!("cases_envelope.rs"),
        include_str!("cases_levels.rs"),
        include_str!("cases_source.rs"),
        include_str!("ta1.rs"),
        include_str!("writing.rs"),
        include_str!("../../src/x12/read.rs"),
    ];
    let named = |n: u32| {
        let name = format!("x12_case_{n:03}_");
        sources.iter().any(|text| text.contains(&name))
    };
    let missing: Vec<u32> = (1..=102).filter(|&n| !named(n)).collect();
    assert_eq!(missing, Vec::<u32>::new());
}
