//! 997 and 999: what is said about a group, where it points, and to whom it goes back.

use chrono::NaiveDate;
use transload::x12::*;

const ISA: &str = "ISA*00*          *00*          *ZZ*BUYER          *01*SELLER         *260102*0304*U*00401*000000001*0*P*>~";

const NUMBERS: ReplyNumbers = ReplyNumbers {
    interchange: 5,
    group: 6,
    set: 7,
};

fn at() -> chrono::NaiveDateTime {
    let day = NaiveDate::from_ymd_opt(2026, 1, 3).unwrap();
    day.and_hms_opt(4, 5, 6).unwrap()
}

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
    answer_as(Form::F997, reading, more)
}

fn answer_as(form: Form, reading: &Reading, more: &[Finding]) -> String {
    let interchange = &reading.interchanges[0];
    let findings = [&reading.findings, more].concat();
    let acknowledgments = acknowledge(interchange, &findings, form);
    let body = acknowledgments[0].write(&Delimiters::default());
    let lines: Vec<String> = body.iter().map(|s| format!("{s:?}")).collect();
    lines.join("~")
}

/// A finding about element `element` of segment `index` of the first set.
fn finding(reading: &Reading, fault: Fault, index: usize, element: usize) -> Finding {
    let set = &reading.interchanges[0].groups[0].sets[0];
    let segment = set.segments.get(index).unwrap();
    let location = Location::of_element(&segment, element);
    Finding::new(fault, location, Text::new("what", []), Text::default())
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
fn a_trailer_that_one_lacks_is_not_the_next_ones_fault() {
    let no_end = set("0001").replace("SE*4*0001~", "");
    let reading = file(&(no_end + &set("0002")), "GE*2*77~");
    assert!(answer(&reading, &[]).ends_with("AK2*850*0001~AK5*R*2~AK2*850*0002~AK5*A~AK9*P*2*2*1"));
    let second = "GS*PO*BUY*SELL*20260102*0304*78*X*004010~".to_owned() + &set("0001") + "GE*1*78~";
    let reading = file(&set("0001"), &second);
    let said = acknowledge(&reading.interchanges[0], &reading.findings, Form::F997);
    assert_eq!(said[0].codes, ["3"]);
    assert_eq!(said[1].verdict, Verdict::Accepted);
}

#[test]
fn a_999_names_release_loop_and_dictionary_number() {
    let reading = file(&set("0001"), "GE*1*77~");
    let mut date = finding(&reading, Fault::ElementDate, 0, 5);
    date.location.data_element = Some(373);
    let mut unit = finding(&reading, Fault::ElementCode, 1, 3);
    unit.location.in_loop = Some("PO1-1".to_owned());
    let unused = finding(&reading, Fault::SegmentNotUsed, 1, 4);
    let order = Finding {
        location: Location {
            element: None,
            ..unused.location.clone()
        },
        ..finding(&reading, Fault::SegmentNotUsed, 1, 0)
    };
    assert_eq!(
        answer_as(Form::F999, &reading, &[date, unit, unused, order]),
        "AK1*PO*77*004010VICS~AK2*850*0001~IK3*BEG*2**8~IK4*5*373*8*20260102~\
         IK3*PO1*3*PO1*8~IK4*3**7*EA~IK4*4**I10*9.95~IK3*PO1*3**I4~IK5*R*5~AK9*R*1*1*0"
    );
}

#[test]
fn a_997_of_release_005010_names_the_version_and_the_repetition() {
    let text = format!(
        "{ISA}GS*PO*BUY*SELL*20260102*0304*77*X*005010~{}GE*1*77~IEA*1*000000001~",
        set("0001")
    )
    .replace("*U*00401*", "*^*00501*")
    .replace("A-1", "A^B>C^D");
    let reading = read(text.as_bytes()).unwrap();
    let mut code = finding(&reading, Fault::ElementCode, 1, 7);
    code.location.repetition = Some(2);
    let mut component = code.clone();
    component.location.component = Some(2);
    assert_eq!(
        answer(&reading, &[code, component]),
        "AK1*PO*77*005010~AK2*850*0001~AK3*PO1*3**8~AK4*7>>2**7~AK4*7>2>2**7*C~AK5*E*5~AK9*E*1*1*1"
    );
}

#[test]
fn a_999_goes_back_in_its_own_release() {
    let reading = file(&set("0001"), "GE*1*77~");
    let inbound = &reading.interchanges[0];
    let said = acknowledge(inbound, &reading.findings, Form::F999);
    let bytes = reply(inbound, &said, NUMBERS, at()).to_bytes().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains("*^*00501*"), "{text}");
    assert!(
        text.contains("*6*X*005010X231A1~ST*999*0007*005010X231A1~AK1*PO*77*004010VICS~"),
        "{text}"
    );
    let again = read(&bytes[..]).unwrap();
    assert_eq!(again.findings, vec![]);
    let (answers, findings) = answers(&again.interchanges[0]);
    assert_eq!((answers, findings), (said[0].answers(), vec![]));
}

#[test]
fn a_rejected_group_rejects_each_of_its_sets_and_ctx_is_understood() {
    let text = format!(
        "{ISA}GS*FA*A*B*20260102*0304*1*X*005010X231A1~ST*999*0001*005010X231A1~AK1*PO*7*005010~AK2*850*0001~\
         IK3*PO1*3**8~CTX*PO102~IK4*2*380*6*1O~CTX*SITUATIONAL TRIGGER*PO1*3~IK5*R*5~AK2*850*0002~IK5*A~AK9*R*2*2*0*5~SE*11*0001~GE*1*1~IEA*1*000000001~"
    );
    let (answers, findings) = answers(&read(text.as_bytes()).unwrap().interchanges[0]);
    assert_eq!(findings, vec![]);
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0].codes, ["5"]);
    assert!(answers.iter().all(|a| a.verdict == Verdict::Rejected));
}

#[test]
fn x12_case_084_an_acknowledgment_is_never_acknowledged() {
    let text = format!(
        "{ISA}GS*FA*A*B*20260102*0304*1*X*004010~ST*997*0001~AK1*PO*7~AK9*A*1*1*1~SE*4*0001~GE*1*1~IEA*1*000000001~"
    );
    let reading = read(text.as_bytes()).unwrap();
    assert!(acknowledge(&reading.interchanges[0], &reading.findings, Form::F997).is_empty());
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
fn x12_case_083_the_reply_is_addressed_back() {
    let reading = file(&set("0001"), "GE*1*77~");
    let inbound = &reading.interchanges[0];
    let acknowledgments = acknowledge(inbound, &reading.findings, Form::F997);
    let bytes = reply(inbound, &acknowledgments, NUMBERS, at())
        .to_bytes()
        .unwrap();
    let expected = "ISA*00*          *00*          *01*SELLER         *ZZ*BUYER          *260103*0405*U*00401*000000005*0*P*>~\
        GS*FA*SELL*BUY*20260103*0405*6*X*004010VICS~ST*997*0007~AK1*PO*77~AK2*850*0001~AK5*A~AK9*A*1*1*1~SE*6*0007~GE*1*6~IEA*1*000000005~";
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
    let again = read(&bytes[..]).unwrap();
    assert_eq!(again.findings, vec![]);
    let set = &again.interchanges[0].groups[0].sets[0];
    let (read, findings) =
        FunctionalAcknowledgment::read(Form::F997, &set.segments, &Delimiters::default());
    assert_eq!((read, findings), (acknowledgments[0].clone(), vec![]));
}

#[test]
fn x12_case_082_the_reply_is_in_the_release_that_came() {
    for (isa12, gs08) in [
        ("00401", "004010"),
        ("00404", "004040VICS"),
        ("00501", "005010"),
    ] {
        let isa11 = if isa12 == "00401" { "U" } else { "^" };
        let text = format!(
            "{ISA}GS*PO*BUY*SELL*20260102*0304*77*X*{gs08}~{}GE*1*77~IEA*1*000000001~",
            set("0001")
        )
        .replace("*U*00401*", &format!("*{isa11}*{isa12}*"));
        let reading = read(text.as_bytes()).unwrap();
        let inbound = &reading.interchanges[0];
        let said = acknowledge(inbound, &reading.findings, Form::F997);
        let back = reply(inbound, &said, NUMBERS, at());
        assert_eq!(
            (&*back.header.version, &*back.groups[0].header.version),
            (isa12, gs08)
        );
        assert!(
            read(&back.to_bytes().unwrap()[..])
                .unwrap()
                .findings
                .is_empty()
        );
    }
}

#[test]
fn x12_case_084_codes_counts_and_verdicts() {
    let two = set("0001").replace("SE*4", "SE*9") + &set("0002");
    let reading = file(&two, "GE*2*77~");
    let unit = Finding::new(
        Fault::ElementCode,
        Location::of_element(
            &reading.interchanges[0].groups[0].sets[1]
                .segments
                .get(1)
                .unwrap(),
            3,
        ),
        Text::new("what", []),
        Text::default(),
    );
    assert_eq!(
        answer(&reading, &[unit]),
        "AK1*PO*77~AK2*850*0001~AK5*R*4~AK2*850*0002~AK3*PO1*3**8~AK4*3**7*EA~AK5*E*5~AK9*P*2*2*1"
    );
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
    let (read, findings) =
        FunctionalAcknowledgment::read(Form::F997, &body, &Delimiters::default());
    assert_eq!(findings.len(), 1);
    assert_eq!(read.sets[0].verdict, Verdict::Rejected);
}
