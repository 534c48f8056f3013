//! 997: what is said about a group, where it points, and to whom it goes back.

use chrono::NaiveDate;
use transload::x12::*;

const ISA: &str = "ISA*00*          *00*          *ZZ*BUYER          *01*SELLER         *260102*0304*U*00401*000000001*0*P*>~";

fn set(number: &str) -> String {
    format!("ST*850*{number}~BEG*00*NE*4711**20260102~PO1*1*10*EA*9.95**VN*A-1~SE*4*{number}~")
}

fn file(sets: &str, ge: &str) -> Reading {
    let file =
        format!("{ISA}GS*PO*BUY*SELL*20260102*0304*77*X*004010VICS~{sets}{ge}IEA*1*000000001~");
    read(file.as_bytes()).unwrap()
}

/// The 997 of the only group, with `more` findings, as text.
fn answer(reading: &Reading, more: &[Finding]) -> String {
    let interchange = &reading.interchanges[0];
    let findings = [&reading.findings, more].concat();
    let acknowledgments = acknowledge(interchange, &findings);
    let body = acknowledgments[0].write(&Delimiters::default());
    let lines: Vec<String> = body.iter().map(|s| format!("{s:?}")).collect();
    lines.join("~")
}

/// A finding about element `element` of segment `index` of the first set.
fn finding(reading: &Reading, fault: Fault, index: usize, element: usize) -> Finding {
    let set = &reading.interchanges[0].groups[0].sets[0];
    let segment = set.segments.get(index).unwrap();
    let location = Location::of_element(&segment, element);
    Finding::new(fault, location, "what", "what to do")
}

#[test]
fn all_is_well() {
    let reading = file(&(set("0001") + &set("0002")), "GE*2*77~");
    assert_eq!(
        answer(&reading, &[]),
        "AK1*PO*77~AK2*850*0001~AK5*A~AK2*850*0002~AK5*A~AK9*A*2*2*2"
    );
}

#[test]
fn an_element_is_named_by_its_place_in_the_set() {
    let reading = file(&set("0001"), "GE*1*77~");
    let date = finding(&reading, Fault::ElementDate, 0, 5);
    assert_eq!(
        answer(&reading, &[date]),
        "AK1*PO*77~AK2*850*0001~AK3*BEG*2**8~AK4*5**8*20260102~AK5*R*5~AK9*R*1*1*0"
    );
}

#[test]
fn a_warning_with_a_code_is_accepted_with_errors() {
    let reading = file(&set("0001"), "GE*1*77~");
    let code = finding(&reading, Fault::ElementCode, 1, 3);
    assert_eq!(
        answer(&reading, &[code]),
        "AK1*PO*77~AK2*850*0001~AK3*PO1*3**8~AK4*3**7*EA~AK5*E*5~AK9*E*1*1*1"
    );
}

#[test]
fn one_of_two_sets_rejected_is_partly_accepted() {
    let reading = file(
        &(set("0001").replace("SE*4", "SE*9") + &set("0002")),
        "GE*2*77~",
    );
    assert!(answer(&reading, &[]).ends_with("AK2*850*0001~AK5*R*4~AK2*850*0002~AK5*A~AK9*P*2*2*1"));
}

#[test]
fn a_missing_se_is_code_2() {
    let reading = file(&set("0001").replace("SE*4*0001~", ""), "GE*1*77~");
    assert!(answer(&reading, &[]).ends_with("AK5*R*2~AK9*R*1*1*0"));
}

#[test]
fn a_fault_of_the_group_rejects_all_sets() {
    let reading = file(&(set("0001") + &set("0002")), "GE*3*77~");
    assert!(answer(&reading, &[]).ends_with("AK5*R~AK2*850*0002~AK5*R~AK9*R*3*2*0*5"));
    let reading = file(&set("0001"), "");
    assert!(answer(&reading, &[]).ends_with("AK9*R*1*1*0*3"));
}

#[test]
fn x12_case_084_an_acknowledgment_is_never_acknowledged() {
    let text = format!(
        "{ISA}GS*FA*A*B*20260102*0304*1*X*004010~ST*997*0001~AK1*PO*7~AK9*A*1*1*1~SE*4*0001~GE*1*1~IEA*1*000000001~"
    );
    let reading = read(text.as_bytes()).unwrap();
    assert!(acknowledge(&reading.interchanges[0], &reading.findings).is_empty());
}

#[test]
fn x12_case_085_copies_of_bad_data_can_be_carried() {
    let long = "x".repeat(200);
    let reading = file(&set("0001").replace("A-1", &long), "GE*1*77~");
    let text = answer(&reading, &[finding(&reading, Fault::ElementTooLong, 1, 7)]);
    assert!(text.contains(&format!("AK4*7**5*{}~", &long[..99])));
    let reading = file(&set("0001").replace("A-1", "A>1"), "GE*1*77~");
    let text = answer(&reading, &[finding(&reading, Fault::ElementTooLong, 1, 7)]);
    assert!(text.contains("AK4*7**5~AK5"));
    let reading = file(&set("0001").replace("A-1", "A\x071"), "GE*1*77~");
    let text = answer(&reading, &[finding(&reading, Fault::ElementTooLong, 1, 7)]);
    assert!(text.contains("AK4*7**5~AK5"));
}

#[test]
fn x12_case_082_083_the_reply_goes_back_in_the_release_that_came() {
    let reading = file(&set("0001"), "GE*1*77~");
    let inbound = &reading.interchanges[0];
    let acknowledgments = acknowledge(inbound, &reading.findings);
    let numbers = ReplyNumbers {
        interchange: 5,
        group: 6,
        set: 7,
    };
    let at = NaiveDate::from_ymd_opt(2026, 1, 3)
        .unwrap()
        .and_hms_opt(4, 5, 6)
        .unwrap();
    let bytes = reply(inbound, &acknowledgments, numbers, at)
        .to_bytes()
        .unwrap();
    let expected = "ISA*00*          *00*          *01*SELLER         *ZZ*BUYER          *260103*0405*U*00401*000000005*0*P*>~\
        GS*FA*SELL*BUY*20260103*0405*6*X*004010VICS~ST*997*0007~AK1*PO*77~AK2*850*0001~AK5*A~AK9*A*1*1*1~SE*6*0007~GE*1*6~IEA*1*000000005~";
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
    let again = read(&bytes[..]).unwrap();
    assert_eq!(again.findings, vec![]);
    let set = &again.interchanges[0].groups[0].sets[0];
    let (read, findings) = FunctionalAcknowledgment::read(&set.segments, &Delimiters::default());
    assert_eq!((read, findings), (acknowledgments[0].clone(), vec![]));
}

#[test]
fn x12_case_080_ak4_without_ak3_is_one_finding() {
    let mut body = Segments::default();
    let parts: [&[&[u8]]; 4] = [
        &[b"AK1", b"PO", b"7"],
        &[b"AK2", b"850", b"1"],
        &[b"AK4", b"1", b"", b"7"],
        &[b"AK5", b"R", b"5"],
    ];
    parts
        .iter()
        .for_each(|p| body.push_parts(p, Position::default()));
    let (read, findings) = FunctionalAcknowledgment::read(&body, &Delimiters::default());
    assert_eq!(findings.len(), 1);
    assert_eq!(read.sets[0].verdict, Verdict::Rejected);
}
