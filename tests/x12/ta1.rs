//! TA1: when one is due, what it says, and that it goes back in an interchange of its own.

use chrono::NaiveDate;
use transload::x12::*;

const ISA: &str = "ISA*00*          *00*          *ZZ*BUYER          *01*SELLER         *260102*0304*U*00401*000000042*0*P*>~";
const REST: &str = "GS*PO*BUY*SELL*20260102*0304*77*X*004010~ST*850*0001~BEG*00*NE*4711**20260102~SE*3*0001~GE*1*77~IEA*1*000000042~";

fn due(text: &str) -> Option<String> {
    let reading = read(text.as_bytes()).unwrap();
    let ta1 = InterchangeAcknowledgment::due(&reading.interchanges[0], &reading.findings)?;
    let body = ta1.write();
    Some(format!("{:?}", body.get(0).unwrap()))
}

fn with(from: &str, to: &str) -> String {
    let file = ISA.to_owned() + REST;
    assert!(file.contains(from), "{from}");
    file.replace(from, to)
}

/// Wanted or not, what is said of the file with `from` replaced: TA104 and TA105.
fn said(from: &str, to: &str) -> (&'static str, String) {
    let text = with(from, to);
    let reading = read(text.as_bytes()).unwrap();
    let ta1 = InterchangeAcknowledgment::of(&reading.interchanges[0], &reading.findings);
    let verdict = match ta1.verdict {
        Verdict::Accepted => "A",
        Verdict::AcceptedWithErrors => "E",
        Verdict::Rejected => "R",
        other => panic!("{other:?}"),
    };
    (verdict, ta1.code)
}

#[test]
fn x12_case_086_isa14_asks_for_a_ta1_and_faults_do() {
    assert_eq!(due(&with("", "")), None);
    let asked = with("*000000042*0*P", "*000000042*1*P");
    assert_eq!(due(&asked).unwrap(), "TA1*000000042*260102*0304*A*000");
    assert_eq!(
        due(&with("IEA*1*000000042", "IEA*1*000000043")).unwrap(),
        "TA1*000000042*260102*0304*R*001"
    );
}

#[test]
fn x12_case_086_each_fault_has_its_code() {
    let cases = [
        ("IEA*1*000000042", "IEA*1*000000043", "R", "001"),
        ("*ZZ*BUYER          *", "*ZZ*               *", "E", "006"),
        ("*01*SELLER         *", "*01*               *", "E", "008"),
        ("*260102*0304*U", "*261302*0304*U", "E", "014"),
        ("*260102*0304*U", "*260102*2575*U", "E", "015"),
        ("*00401*", "*0040A*", "E", "017"),
        ("000000042", "00000004A", "E", "018"),
        ("*0*P*>~", "*7*P*>~", "E", "019"),
        ("*0*P*>~", "*0*Q*>~", "E", "020"),
        ("IEA*1*", "IEA*2*", "R", "021"),
        ("*BUYER          *", "*BUYER*", "E", "022"),
        ("IEA*1*000000042~", "", "R", "023"),
        ("GE*1*77~IEA*1*000000042~", "", "R", "023"),
        ("GS*PO*", "XX*PO*", "R", "024"),
        (&REST[..REST.len() - 16], "IEA*0*000000042", "R", "024"),
        ("*20260102*0304*77", "*260102*0304*77", "E", "024"),
        ("*>~GS", "**~GS", "R", "026"),
    ];
    for (from, to, verdict, code) in cases {
        assert_eq!(said(from, to), (verdict, code.to_owned()), "{from} -> {to}");
    }
}

#[test]
fn x12_case_086_a_lost_set_is_told_by_its_997() {
    assert_eq!(said("ST*850", "T*850"), ("E", "024".to_owned()));
    let reading = read(with("ST*850", "T*850").as_bytes()).unwrap();
    let said = acknowledge(&reading.interchanges[0], &reading.findings, Form::F997);
    assert_eq!(
        (&said[0].verdict, said[0].received),
        (&Verdict::Rejected, 0)
    );
}

#[test]
fn x12_case_086_one_for_each_interchange() {
    let second = (ISA.to_owned() + REST).replace("000000042", "000000043");
    // The first has no IEA; that is not the second's fault.
    let text = with("IEA*1*000000042~", "") + &second;
    let reading = read(text.as_bytes()).unwrap();
    let due =
        |i: usize| InterchangeAcknowledgment::due(&reading.interchanges[i], &reading.findings);
    assert_eq!(due(0).unwrap().code, "023");
    assert_eq!(due(1), None);
    let twice = with("", "") + &with("", "");
    let reading = read(twice.as_bytes()).unwrap();
    let due =
        |i: usize| InterchangeAcknowledgment::due(&reading.interchanges[i], &reading.findings);
    assert_eq!(due(0), None);
    assert_eq!(due(1).unwrap().code, "025");
}

#[test]
fn a_ta1_is_not_answered_by_a_ta1() {
    let asked = ISA.replace("*0*P", "*1*P");
    let text = format!("{asked}TA1*000000007*260102*0304*A*000~IEA*0*000000042~");
    assert_eq!(due(&text), None);
}

#[test]
fn x12_case_086_it_goes_back_in_an_interchange_of_its_own() {
    let reading = read(with("*0*P", "*1*P").as_bytes()).unwrap();
    let inbound = &reading.interchanges[0];
    let ta1 = InterchangeAcknowledgment::due(inbound, &reading.findings).unwrap();
    let day = NaiveDate::from_ymd_opt(2026, 1, 3).unwrap();
    let at = day.and_hms_opt(4, 5, 6).unwrap();
    let bytes = ta1.reply(inbound, 9, at).to_bytes().unwrap();
    let expected = "ISA*00*          *00*          *01*SELLER         *ZZ*BUYER          *260103*0405*U*00401*000000009*0*P*>~\
        TA1*000000042*260102*0304*A*000~IEA*0*000000009~";
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
    let back = read(&bytes[..]).unwrap();
    assert_eq!(back.findings, vec![]);
    let (answers, findings) = answers(&back.interchanges[0]);
    assert_eq!((answers, findings), (vec![ta1.answer()], vec![]));
}
