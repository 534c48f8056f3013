//! What is written, and what is refused.

use transload::x12::*;

fn interchange(elements: &[&[u8]]) -> Interchange {
    let mut body = Segments::default();
    body.push_parts(elements, Position::default());
    let header = InterchangeHeader {
        sender: Qualified::new("ZZ", "A"),
        receiver: Qualified::new("ZZ", "B"),
        date: "260102".to_owned(),
        time: "0304".to_owned(),
        control_number: "7".to_owned(),
        ..InterchangeHeader::default()
    };
    let group = GroupHeader {
        functional_id: "PO".to_owned(),
        date: "20260102".to_owned(),
        time: "0304".to_owned(),
        control_number: "1".to_owned(),
        ..GroupHeader::default()
    };
    let sets = vec![TransactionSet::new("850", "0001", body)];
    Interchange::new(
        header,
        Delimiters::default(),
        vec![FunctionalGroup::new(group, sets)],
    )
}

fn refusal(interchange: &Interchange) -> Finding {
    match interchange.to_bytes() {
        Err(WriteError::Unwritable(finding)) => *finding,
        other => panic!("{other:?}"),
    }
}

#[test]
fn x12_case_068_isa_has_106_bytes() {
    let bytes = interchange(&[b"BEG", b"00"]).to_bytes().unwrap();
    assert_eq!(bytes[105], b'~');
    assert!(bytes.starts_with(b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260102*0304*U*00401*000000007*0*P*>~\nGS*PO*"));
}

#[test]
fn x12_case_068_a_value_too_wide_for_isa_is_refused() {
    let mut interchange = interchange(&[b"BEG"]);
    interchange.header.sender.id = "SIXTEEN CHARS ID".to_owned();
    let finding = refusal(&interchange);
    assert_eq!(
        (finding.fault, finding.location.designator()),
        (Fault::IsaElement, "ISA06".to_owned())
    );
}

#[test]
fn x12_case_069_a_separator_in_data_is_refused() {
    let finding = refusal(&interchange(&[b"MSG", b"5 * 4"]));
    assert_eq!(
        (finding.fault, finding.location.designator()),
        (Fault::Unwritable, "MSG01".to_owned())
    );
    assert_eq!(
        refusal(&interchange(&[b"MSG", b"a~b"])).fault,
        Fault::Unwritable
    );
    let error = interchange(&[b"MSG", b"5 * 4"])
        .to_bytes()
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "MSG01: `5 * 4` holds the separator `*`; choose other separators for this partner, or change the value"
    );
}

#[test]
fn x12_case_070_trailing_empties_are_left_out() {
    let bytes = interchange(&[b"REF", b"DP", b"", b""]).to_bytes().unwrap();
    assert!(bytes.windows(8).any(|w| w == b"REF*DP~\n"));
}

#[test]
fn x12_case_070_trailing_empties_are_kept_where_they_are_wanted() {
    let keep = WriteOptions {
        trailing_empties: true,
    };
    for parts in [
        &[&b"REF"[..], b"DP", b"", b""][..],
        &[b"REF", b"", b""],
        &[b"REF", b"DP"],
    ] {
        let interchange = interchange(parts);
        let mut bytes = Vec::new();
        write_with(&interchange, keep, &mut bytes).unwrap();
        let due = [&parts.join(&b'*')[..], b"~\n"].concat();
        assert!(bytes.windows(due.len()).any(|w| w == due));
        assert_eq!(
            read(&bytes[..]).unwrap().interchanges[0].groups,
            interchange.groups
        );
    }
}

#[test]
fn x12_case_050_binary_data_may_hold_separators() {
    let bytes = interchange(&[b"BIN", b"5", b"a~*\nb"]).to_bytes().unwrap();
    let reading = read(&bytes[..]).unwrap();
    assert!(reading.findings.is_empty());
    let set = &reading.interchanges[0].groups[0].sets[0];
    assert_eq!(set.segments.get(0).unwrap().element(2), b"a~*\nb");
    assert_eq!(
        refusal(&interchange(&[b"BIN", b"4", b"a~*\nb"])).fault,
        Fault::BinaryLength
    );
}

#[test]
fn one_byte_cannot_have_two_roles() {
    let mut interchange = interchange(&[b"BEG"]);
    interchange.delimiters.component = b'*';
    assert_eq!(refusal(&interchange).fault, Fault::DelimiterClash);
}

#[test]
fn a_set_holds_no_envelope() {
    assert_eq!(
        refusal(&interchange(&[b"SE", b"2", b"0001"])).fault,
        Fault::OutsideSet
    );
    assert_eq!(refusal(&interchange(&[b""])).fault, Fault::OutsideSet);
}

#[test]
fn isa11_follows_the_release() {
    let mut interchange = interchange(&[b"BEG"]);
    interchange.header.version = "00501".to_owned();
    let bytes = interchange.to_bytes().unwrap();
    assert_eq!(&bytes[82..90], b"^*00501*");
}
