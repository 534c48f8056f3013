//! Cases about ISA, GS, ST and their trailers: counts, control numbers, nesting, releases.

use transload::x12::{Form, Verdict, acknowledge, answers, split};

use super::cases::*;

cases! {
    x12_case_027_two_isa: order() + &second() => 18 [];
    x12_case_028_two_isa_delims: order() + "\n" + &second().replace('*', "|").replace('~', "'") => 18 [];
    x12_case_029_dup_isa13: order() + &order() => 18 ["error isa.duplicate TA105=025 ISA13@10"];
    x12_case_030_ta1_only: format!("{ISA}TA1*000000007*260102*0304*A*000~IEA*0*000000001~") => 3 [];
    x12_case_031_ta1_gs: with("~GS*", "~TA1*000000007*260102*0304*A*000~GS*") => 10 [];
    x12_case_032_empty_seg: with("~PO1", "~~PO1") => 9 ["error segment.empty AK304=8 @4"];
    x12_case_032_empty_seg_counted: with("~PO1", "~~PO1").replace("SE*5", "SE*6") => 9 ["error segment.empty AK304=8 @4"];
    x12_case_033_trailing_seps: with("CTT*1~", "CTT*1**~") => 9 ["warning segment.trailing-separators - CTT@6"];
    x12_case_034_no_se: with("SE*5*0001~", "") => 8 ["error se.missing AK502=2 GE@7"];
    x12_case_035_no_ge: with("GE*1*1~", "") => 8 ["error ge.missing AK905=3 IEA@8"];
    x12_case_036_no_iea: with("IEA*1*000000001~", "") => 8 ["error iea.missing TA105=023 @8"];
    x12_case_037_truncated: &order()[..200] => 5 ["error source.truncated TA105=023 @5"];
    x12_case_037_truncated_after_a_segment: order().split_inclusive('~').take(5).collect::<String>() => 5 ["error source.truncated TA105=023 @5"];
    x12_case_038_se_count: with("SE*5*", "SE*7*") => 9 ["error se.count AK502=4 SE01@7"];
    x12_case_038_se_count_no_number: with("SE*5*", "SE*five*") => 9 ["error se.count AK502=4 SE01@7"];
    x12_case_039_se_count_zeros: with("SE*5*", "SE*005*") => 9 ["info count.leading-zeros - SE01@7"];
    x12_case_040_st_se_ctl: with("SE*5*0001", "SE*5*0002") => 9 ["error se.control-number AK502=3 SE02@7"];
    x12_case_041_ge_count: with("GE*1*", "GE*2*") => 9 ["error ge.count AK905=5 GE01@8"];
    x12_case_042_ge_ctl: with("GE*1*1~", "GE*1*2~") => 9 ["error ge.control-number AK905=4 GE02@8"];
    x12_case_043_iea_count: with("IEA*1*", "IEA*2*") => 9 ["error iea.count TA105=021 IEA01@9"];
    x12_case_044_iea_ctl: with("IEA*1*000000001", "IEA*1*000000002") => 9 ["error iea.control-number TA105=001 IEA02@9"];
    x12_case_045_gs01_mismatch: with("GS*PO*", "GS*IN*") => 9 ["error gs.functional-id AK905=1 ST01@3"];
    x12_case_046_dup_st02: with(SET, &SET.repeat(2)).replace("GE*1*", "GE*2*") => 14 ["error st.duplicate AK502=23 ST02@8"];
    x12_case_047_two_groups: with("GE*1*1~IEA*1", &format!("GE*1*1~GS*PO*A*B*20260102*0304*2*X*004010~{SET}GE*1*2~IEA*2")) => 16 [];
    x12_case_048_empty_group: with(SET, "").replace("GE*1*", "GE*0*") => 4 ["warning gs.empty - GE@3"];
    x12_case_049_isa_in_data: with("A-1", "ISA").replace("BEG*00", "BEG*ISA*00") => 9 [];
    x12_case_067_leading_zeros: with("GE*1*1~", "GE*1*01~").replace("IEA*1*", "IEA*01*") => 9 ["info count.leading-zeros - GE02@8", "info count.leading-zeros - IEA01@9"];
    x12_case_071_st_with_two: order_5010("^") => 9 [];
    x12_case_072_adjacent_empties: with("SE*5*0001~", "SE**~") => 9 ["warning segment.trailing-separators - SE@7", "error se.count AK502=4 SE01@7", "error se.control-number AK502=3 SE02@7"];
    x12_case_073_bare_tag: with("CTT*1~", "CTT~") => 9 [];
    x12_case_087_ta1_before_999: with("A-1", "A-1").replace(&order()[ISA.len()..], "TA1*000000007*260102*0304*A*000~GS*FA*A*B*20260102*0304*1*X*004010~ST*999*0001*005010X231A1~AK1*PO*7~AK9*A*1*1*1~SE*4*0001~GE*1*1~IEA*1*000000001~") => 9 [];
    x12_case_088_dup_gs06: with("GE*1*1~IEA*1", &format!("GE*1*1~GS*PO*A*B*20260102*0304*1*X*004010~{SET}GE*1*1~IEA*2")) => 16 ["error gs.duplicate AK905=19 GS06@9"];
    x12_case_089_version_mismatch: with("*004010~", "*005010~") => 9 ["warning gs.version - GS08@2"];
    x12_case_089_version_suffix: with("*004010~", "*004010VICS~") => 9 [];
    x12_case_090_short_date_in_004010: with("*20260102*0304*1*X", "*260102*0304*1*X") => 9 ["warning gs.value TA105=024 GS04@2"];
    x12_case_090_short_date_in_003010: with("*20260102*0304*1*X*004010", "*260102*0304*1*X*003010").replace("*00401*", "*00301*") => 9 [];
    x12_case_090_long_date_in_003010: with("*X*004010", "*X*003010").replace("*00401*", "*00301*") => 9 ["warning gs.value TA105=024 GS04@2"];
    x12_case_090_isa09_is_short_in_005010: order_5010("^").replace("*260102*", "*261302*") => 9 ["warning isa.value TA105=014 ISA09@1"];
    x12_case_090_seconds: with("*20260102*0304*1*X", "*20260102*030405*1*X") => 9 [];
    x12_case_090_hundredths: with("*20260102*0304*1*X", "*20260102*03040599*1*X") => 9 [];
    x12_case_090_no_time_of_day: with("*20260102*0304*1*X", "*20260102*2504*1*X") => 9 ["warning gs.value TA105=024 GS05@2"];
    x12_case_091_mixed_group: with(SET, &format!("{SET}ST*810*0002~BIG*20260102*1~SE*3*0002~")).replace("GE*1*", "GE*2*") => 12 ["error gs.functional-id AK905=1 ST01@8"];
    x12_case_092_corrupt_st: with("ST*850*0001", "T*850*0001") => 9 ["error segment.outside-set TA105=024 T@3"];
    x12_case_092_corrupt_gs: with("GS*PO", "XX*PO") => 9 ["error segment.outside-set TA105=024 XX@2"];
    x12_case_098_first_isa_kept: with("IEA*1*000000001~", "") + &second() => 17 ["error iea.missing TA105=023 ISA@9"];
    x12_case_102_no_group: format!("{ISA}IEA*0*000000001~") => 2 ["error isa.empty TA105=024 IEA@2"];
    nested_ends_are_one_finding: with("SE*5*0001~GE*1*1~IEA*1*000000001~", "") + &second() => 15 ["error se.missing AK502=2 ISA@7"];
    segment_after_se: with("GE*1", "REF*X*1~GE*1") => 10 ["error segment.outside-set TA105=024 REF@8"];
}

#[test]
fn x12_case_028_two_isa_delims_are_each_its_own() {
    let file = order() + "\n" + &second().replace('*', "|").replace('~', "'");
    let reading = read(file);
    let of = |i: usize| {
        let d = &reading.interchanges[i].delimiters;
        (d.element, d.segment)
    };
    assert_eq!((of(0), of(1)), ((b'*', b'~'), (b'|', b'\'')));
}

#[test]
fn x12_case_037_truncated_keeps_what_was_read() {
    let cut = &order()[..200];
    let reading = read(cut);
    assert_eq!(reading.findings[0].location.offset, 200);
    let set = &reading.interchanges[0].groups[0].sets[0];
    assert_eq!(set.segments.len(), 2);
}

#[test]
fn x12_case_034_no_se_closes_the_set_at_the_next_header() {
    let two = with(
        SET,
        &(SET.replace("SE*5*0001~", "") + &SET.replace("0001", "0002")),
    );
    let reading = read(two.replace("GE*1*", "GE*2*"));
    let sets = &reading.interchanges[0].groups[0].sets;
    assert_eq!((sets[0].segments.len(), sets[1].segments.len()), (3, 3));
    assert_eq!(reading.findings.len(), 1);
}

#[test]
fn x12_case_045_gs01_mismatch_says_what_was_due() {
    let findings = read(with("GS*PO*", "GS*IN*")).findings;
    assert_eq!(
        findings[0].message,
        "a set 850 in a group with GS01 = IN; PO was due"
    );
}

#[test]
fn x12_case_049_isa_in_data_opens_nothing() {
    let file = with("A-1", "ISA").replace("BEG*00", "BEG*ISA*00");
    assert_eq!(read(&file).interchanges.len(), 1);
    assert_eq!(value(&file, 0, 1), "ISA");
}

#[test]
fn x12_case_067_leading_zeros_are_not_written_again() {
    let file = with("GE*1*1~", "GE*01*1~")
        .replace("IEA*1*", "IEA*01*")
        .replace("SE*5*", "SE*005*");
    let reading = read(file);
    let written = reading.interchanges[0].to_bytes().unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), order());
}

#[test]
fn x12_case_071_st03() {
    let with_it = order_5010("^").replace("ST*850*0001", "ST*850*0001*005010X1");
    let of = |file: &str| {
        read(file).interchanges[0].groups[0].sets[0]
            .implementation
            .clone()
    };
    assert_eq!(of(&with_it).as_deref(), Some("005010X1"));
    assert_eq!(of(&order_5010("^")), None);
    assert_eq!(check(&with_it), (9, vec![]));
}

#[test]
fn x12_case_072_adjacent_empties_are_two_elements() {
    let file = with("CTT*1~", "REF*DP***X~CTT*1~");
    let reading = read(&file);
    let set = &reading.interchanges[0].groups[0].sets[0];
    let segment = set.segments.get(2).unwrap();
    assert_eq!(
        (segment.count(), segment.element(2), segment.element(4)),
        (4, &b""[..], &b"X"[..])
    );
}

#[test]
fn x12_case_073_bare_tag_has_no_element() {
    let reading = read(with("CTT*1~", "CTT~"));
    let set = &reading.interchanges[0].groups[0].sets[0];
    assert_eq!(set.segments.get(2).unwrap().count(), 0);
}

#[test]
fn x12_case_087_ta1_before_999_gives_both_verdicts() {
    let file = with("~GS*", "~TA1*000000007*260102*0304*R*023~GS*");
    let reading = read(file);
    let (said, findings) = answers(&reading.interchanges[0]);
    assert_eq!(
        (said.len(), &said[0].verdict, findings.len()),
        (1, &Verdict::Rejected, 0)
    );
    assert_eq!(reading.interchanges[0].sets().count(), 1);
    let file = order().replace(
        &order()[ISA.len()..],
        "TA1*000000007*260102*0304*A*000~GS*FA*A*B*20260102*0304*1*X*004010~\
         ST*999*0001*005010X231A1~AK1*PO*7~AK2*850*0001~IK5*R*5~AK9*R*1*1*0~SE*6*0001~GE*1*1~IEA*1*000000001~",
    );
    let (said, findings) = answers(&read(file).interchanges[0]);
    let verdicts: Vec<&str> = said.iter().map(|a| a.verdict.code()).collect();
    assert_eq!((&verdicts[..], findings.len()), (&["A", "R"][..], 0));
}

/// What was seen before from a partner, in other files, is the store's to know.
#[test]
fn x12_case_088_duplicates_within_a_file_are_told_at_each_level() {
    let rules = |file: String| -> Vec<String> { check(file).1 };
    assert_eq!(
        rules(order() + &order()),
        ["error isa.duplicate TA105=025 ISA13@10"]
    );
    let twice = with(SET, &SET.repeat(2)).replace("GE*1*", "GE*2*");
    assert_eq!(rules(twice), ["error st.duplicate AK502=23 ST02@8"]);
    // The same number from another sender is another interchange.
    assert_eq!(
        rules(order() + &order().replace("BUYER ", "OTHER ")),
        Vec::<String>::new()
    );
}

#[test]
fn x12_case_089_version_suffix_is_not_the_release() {
    let reading = read(with("*004010~", "*004010VICS~"));
    let header = &reading.interchanges[0].groups[0].header;
    assert_eq!(
        (header.release(), &header.version[..]),
        ("004010", "004010VICS")
    );
}

#[test]
fn x12_case_091_mixed_group_is_still_read_and_rejected() {
    let more = format!("{SET}ST*810*0002~BIG*20260102*1~SE*3*0002~");
    let reading = read(with(SET, &more).replace("GE*1*", "GE*2*"));
    let interchange = &reading.interchanges[0];
    assert_eq!(interchange.sets().count(), 2);
    let said = &acknowledge(interchange, &reading.findings, Form::F997)[0];
    assert_eq!(
        (&said.verdict, &said.codes[..]),
        (&Verdict::Rejected, &["1".to_owned()][..])
    );
}

#[test]
fn x12_case_092_corrupt_st_is_left_at_the_next_header() {
    let two = with(
        SET,
        &(SET.replace("ST*850", "T*850") + &SET.replace("0001", "0002")),
    );
    let reading = read(two.replace("GE*1*", "GE*2*"));
    let sets = &reading.interchanges[0].groups[0].sets;
    assert_eq!((sets.len(), &sets[0].control_number[..]), (1, "0002"));
    assert_eq!(reading.findings.len(), 1);
}

#[test]
fn x12_case_097_split_gives_each_set_its_envelope_and_counts() {
    let second = format!("GE*1*1~GS*PO*A*B*20260102*0304*2*X*004010~{SET}GE*1*2~IEA*2");
    let file = with("GE*1*1~IEA*1", &second);
    let parts: Vec<_> = split(&read(file).interchanges[0])
        .map(|part| part.to_bytes().unwrap())
        .collect();
    assert_eq!(parts.len(), 2);
    assert_eq!(String::from_utf8(parts[0].clone()).unwrap(), order());
    for part in parts {
        assert_eq!(check(part), (9, vec![]));
    }
}

#[test]
fn x12_case_098_every_envelope_is_kept() {
    let file = with("IEA*1*000000001~", "") + &second();
    let reading = read(file);
    let numbers = reading.interchanges.iter();
    let numbers: Vec<&str> = numbers.map(|i| &i.header.control_number[..]).collect();
    assert_eq!(numbers, ["000000001", "000000002"]);
}
