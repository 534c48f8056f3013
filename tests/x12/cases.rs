//! Numbered cases of what partners send, a line or two each: how many segments are read, and
//! which rules find something.

use transload::x12::{self, Fault, LineBreak, Reading, Severity};

const ISA: &str = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260102*0304*U*00401*000000001*0*P*>~";
const SET: &str = "ST*850*0001~BEG*00*NE*4711**20260102~PO1*1*10*EA*9.95**VN*A-1~CTT*1~SE*5*0001~";

/// One 850: nine segments on one line.
fn order() -> String {
    format!("{ISA}GS*PO*BUYER*SELLER*20260102*0304*1*X*004010~{SET}GE*1*1~IEA*1*000000001~")
}

/// The same with `from` replaced, which must be in it.
fn with(from: &str, to: &str) -> String {
    let order = order();
    assert!(order.contains(from), "{from}");
    order.replace(from, to)
}

/// The same as release 005010 with `ISA11` as given.
fn order_5010(isa11: &str) -> String {
    order()
        .replace("*U*00401*", &format!("*{isa11}*00501*"))
        .replace("004010", "005010")
}

fn read(input: impl AsRef<[u8]>) -> Reading {
    x12::read(input.as_ref()).expect("the case holds an ISA")
}

/// Segments read, and the rules that found something, each once, in order.
fn check(input: impl AsRef<[u8]>) -> (u32, Vec<&'static str>) {
    let reading = read(input);
    let mut rules: Vec<_> = reading.findings.iter().map(|f| f.fault.rule()).collect();
    for finding in &reading.findings {
        assert!(!finding.message.is_empty() && !finding.fix.is_empty());
    }
    rules.dedup();
    (reading.segments, rules)
}

fn clean(segments: u32) -> (u32, Vec<&'static str>) {
    (segments, vec![])
}

/// Element `element` of segment `segment` (0 is the first after ST) of the first set.
fn value(input: impl AsRef<[u8]>, segment: usize, element: usize) -> String {
    let reading = read(input);
    let set = &reading.interchanges[0].groups[0].sets[0];
    let segment = set.segments.get(segment).unwrap();
    String::from_utf8_lossy(segment.element(element)).into_owned()
}

macro_rules! cases {
    ($($name:ident: $input:expr => $segments:literal [$($rule:literal),*];)*) => {
        $(#[test] fn $name() {
            assert_eq!(check($input), ($segments, vec![$($rule),*] as Vec<&str>));
        })*
    };
}

cases! {
    x12_case_001_ok_lf: order().replace('~', "~\n") => 9 [];
    x12_case_002_ok_nowrap: order() => 9 [];
    x12_case_003_ok_crlf: order().replace('~', "~\r\n") => 9 [];
    x12_case_004_ok_cr: order().replace('~', "~\r") => 9 [];
    x12_case_005_terminator_lf: order().replace('~', "\n") => 9 [];
    x12_case_006_terminator_crlf: order().replace('~', "\r\n") => 9 [];
    x12_case_007_no_final_terminator: order().trim_end_matches('~') => 9 ["source.no-final-terminator"];
    x12_case_008_bom: format!("\u{FEFF}{}", order()) => 9 ["source.bom"];
    x12_case_010_leading_blanks: format!("  \r\n\t{}", order()) => 9 ["source.padding"];
    x12_case_011_leading_junk: format!("From: van\nI say: ISAAC\n{}", order()) => 9 ["source.stray-bytes"];
    x12_case_012_trailing_ctrl_z: order() + "\x1A" => 9 ["source.padding"];
    x12_case_013_trailing_nul: order() + &"\0".repeat(3000) => 9 ["source.padding"];
    x12_case_014_isa_short: with("*SELLER         *", "*SELLER*") => 9 ["isa.element"];
    x12_case_015_isa_long: with("*SELLER         *", "*SELLER            *") => 9 ["isa.element"];
    x12_case_016_isa_space_terminator: with(">~GS", "> ~GS") => 9 ["isa.length"];
    x12_case_018_caret_4010: with("*U*", "*^*").replace("A-1", "A^C") => 9 ["isa.repetition-early"];
    x12_case_019_repetition_5010: order_5010("^") => 9 [];
    x12_case_020_alpha_repetition_5010: order_5010("A") => 9 ["isa.repetition"];
    x12_case_021_delimiters_pipe: order().replace('*', "|") => 9 [];
    x12_case_022_delimiters_control: order().replace('*', "\x1D").replace('~', "\x1C") => 9 [];
    x12_case_023_delimiters_same: order().replace('~', "*") => 1 ["isa.delimiter-clash"];
    x12_case_023_component_is_element: with("*>~", "**~") => 9 ["isa.delimiter-clash"];
    x12_case_024_lowercase_ids: order().replace("PO1*", "po1*").replace("ISA*", "isa*") => 9 ["segment.lowercase"];
    x12_case_025_utf8_data: with("A-1", "Größe") => 9 [];
    x12_case_027_two_isa: order() + &order().replace("000000001", "000000002") => 18 [];
    x12_case_028_two_isa_delimiters: order() + "\n" + &order().replace("000000001", "000000002").replace('*', "|").replace('~', "'") => 18 [];
    x12_case_029_duplicate_isa13: order() + &order() => 18 ["isa.duplicate"];
    x12_case_030_ta1_only: format!("{ISA}TA1*000000007*260102*0304*A*000~IEA*0*000000001~") => 3 [];
    x12_case_031_ta1_and_group: with("~GS*", "~TA1*000000007*260102*0304*A*000~GS*") => 10 [];
    x12_case_032_empty_segment: with("~PO1", "~~PO1") => 9 ["segment.empty"];
    x12_case_032_empty_segment_counted: with("~PO1", "~~PO1").replace("SE*5", "SE*6") => 9 ["segment.empty"];
    x12_case_033_trailing_separators: with("CTT*1~", "CTT*1**~") => 9 ["segment.trailing-separators"];
    x12_case_034_no_se: with("SE*5*0001~", "") => 8 ["se.missing"];
    x12_case_035_no_ge: with("GE*1*1~", "") => 8 ["ge.missing"];
    x12_case_036_no_iea: with("IEA*1*000000001~", "") => 8 ["iea.missing"];
    x12_case_037_truncated_in_segment: &order()[..200] => 5 ["source.truncated"];
    x12_case_037_truncated_after_segment: order().split_inclusive('~').take(5).collect::<String>() => 5 ["source.truncated"];
    x12_case_038_se_count: with("SE*5*", "SE*7*") => 9 ["se.count"];
    x12_case_038_se_count_no_number: with("SE*5*", "SE*five*") => 9 ["se.count"];
    x12_case_039_se_count_zeros: with("SE*5*", "SE*005*") => 9 ["count.leading-zeros"];
    x12_case_040_st_se_control: with("SE*5*0001", "SE*5*0002") => 9 ["se.control-number"];
    x12_case_041_ge_count: with("GE*1*", "GE*2*") => 9 ["ge.count"];
    x12_case_042_ge_control: with("GE*1*1~", "GE*1*2~") => 9 ["ge.control-number"];
    x12_case_043_iea_count: with("IEA*1*", "IEA*2*") => 9 ["iea.count"];
    x12_case_044_iea_control: with("IEA*1*000000001", "IEA*1*000000002") => 9 ["iea.control-number"];
    x12_case_045_gs01_mismatch: with("GS*PO*", "GS*IN*") => 9 ["gs.functional-id"];
    x12_case_046_duplicate_st02: with(SET, &SET.repeat(2)).replace("GE*1*", "GE*2*") => 14 ["st.duplicate"];
    x12_case_047_two_groups: with("GE*1*1~IEA*1", &format!("GE*1*1~GS*PO*A*B*20260102*0304*2*X*004010~{SET}GE*1*2~IEA*2")) => 16 [];
    x12_case_048_empty_group: with(SET, "").replace("GE*1*", "GE*0*") => 4 ["gs.empty"];
    x12_case_049_isa_in_data: with("A-1", "ISA").replace("BEG*00", "BEG*ISA*00") => 9 [];
    x12_case_050_bin: with("CTT*1~", "BIN*9*a~b*c\n~GS~") => 9 [];
    x12_case_050_bds: with("CTT*1~", "BDS*ASC*9*a~b*c\n~GS~") => 9 [];
    x12_case_062_big_element: with("A-1", &"x".repeat(50_000)) => 9 [];
    x12_case_062_element_beyond_the_limit: with("A-1", &"x".repeat(3_000_000)) => 9 ["source.limit"];
    x12_case_063_transcoded_terminator: order().replace('~', "Ö") => 9 ["isa.terminator-transcoded"];
    x12_case_063_ellipsis: order().replace('~', "…\n") => 9 ["isa.terminator-transcoded"];
    x12_case_063_replacement: order().replace('~', "\u{FFFD}") => 9 ["isa.terminator-transcoded"];
    x12_case_067_leading_zeros: with("GE*1*1~", "GE*1*01~").replace("IEA*1*", "IEA*01*") => 9 ["count.leading-zeros"];
    x12_case_071_st03: order_5010("^").replace("ST*850*0001", "ST*850*0001*005010X1") => 9 [];
    x12_case_072_adjacent_empties: with("SE*5*0001~", "SE**~") => 9 ["segment.trailing-separators", "se.count", "se.control-number"];
    x12_case_073_bare_tag: with("CTT*1~", "CTT~") => 9 [];
    x12_case_074_newline_after_isa16: order().replacen('~', "\n", 1).replace('~', "~\n") => 9 ["isa.length"];
    x12_case_088_duplicate_gs06: with("GE*1*1~IEA*1", &format!("GE*1*1~GS*PO*A*B*20260102*0304*1*X*004010~{SET}GE*1*1~IEA*2")) => 16 ["gs.duplicate"];
    x12_case_089_version_mismatch: with("*004010~", "*005010~") => 9 ["gs.version"];
    x12_case_089_vics: with("*004010~", "*004010VICS~") => 9 [];
    x12_case_091_mixed_group: with(SET, &format!("{SET}ST*810*0002~BIG*20260102*1~SE*3*0002~")).replace("GE*1*", "GE*2*") => 12 ["gs.functional-id"];
    x12_case_092_corrupt_st: with("ST*850*0001", "T*850*0001") => 9 ["segment.outside-set"];
    x12_case_092_corrupt_gs: with("GS*PO", "XX*PO") => 9 ["segment.outside-set"];
    x12_case_095_bytes_between: order() + "--- van marker ---\n\n" + &order().replace("000000001", "000000002") => 18 ["source.stray-bytes"];
    x12_case_098_first_isa_kept: with("IEA*1*000000001~", "") + &order().replace("000000001", "000000002") => 17 ["iea.missing"];
    x12_case_099_collapsed_blanks: order().replace("          ", " ").replace("         ", " ") => 9 ["isa.element"];
    x12_case_100_bin01_no_number: with("CTT*1~", "BIN*9a*x~") => 9 ["segment.binary-length"];
    x12_case_100_bin01_too_large: with("CTT*1~", "BIN*99999999*x~") => 9 ["segment.binary-length"];
    x12_case_101_indented: order().replace('~', "~\n   \t").trim_end() => 9 [];
    x12_case_102_no_group: format!("{ISA}IEA*0*000000001~") => 2 ["isa.empty"];
    no_terminator_at_all: order().replace('~', "") => 1 ["isa.terminator"];
    nested_ends_are_one_finding: with("SE*5*0001~GE*1*1~IEA*1*000000001~", "") + &order().replace("000000001", "000000002") => 15 ["se.missing"];
    segment_after_se: with("GE*1", "REF*X*1~GE*1") => 10 ["segment.outside-set"];
}

#[test]
fn x12_case_009_utf16() {
    let le: Vec<u8> = order().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let be: Vec<u8> = order().encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (bom, body) in [
        (&[0xFF, 0xFE][..], &le),
        (&[0xFE, 0xFF], &be),
        (&[], &le),
        (&[], &be),
    ] {
        let (segments, rules) = check([bom, body].concat());
        assert_eq!(segments, 9);
        assert_eq!(rules[0], "source.encoding");
    }
}

#[test]
fn x12_case_017_u_in_data() {
    assert_eq!(check(with("A-1", "B005UO5D12")), clean(9));
    assert_eq!(value(with("A-1", "B005UO5D12"), 1, 7), "B005UO5D12");
    assert_eq!(read(order()).interchanges[0].delimiters.repetition, None);
    assert_eq!(
        read(order_5010("^")).interchanges[0].delimiters.repetition,
        Some(b'^')
    );
}

#[test]
fn x12_case_020_u_as_repetition_is_a_warning_and_splits_nothing() {
    let reading = read(order_5010("U"));
    assert_eq!(reading.findings[0].fault, Fault::RepetitionUnusable);
    assert_eq!(reading.findings[0].severity, Severity::Warning);
    assert_eq!(reading.interchanges[0].delimiters.repetition, None);
}

#[test]
fn x12_case_024_lowercase_is_mapped_by_upper_case() {
    let reading = read(with("PO1*", "po1*"));
    let set = &reading.interchanges[0].groups[0].sets[0];
    assert_eq!(set.segments.get(1).unwrap().tag(), b"PO1");
}

#[test]
fn x12_case_026_latin1_data() {
    let mut bytes = with("A-1", "Gr@@e").into_bytes();
    bytes
        .iter_mut()
        .filter(|b| **b == b'@')
        .for_each(|b| *b = 0xF6);
    assert_eq!(check(&bytes), (9, vec!["value.charset"]));
    let reading = read(&bytes);
    let set = &reading.interchanges[0].groups[0].sets[0];
    assert_eq!(set.segments.get(1).unwrap().element(7), b"Gr\xF6\xF6e");
}

#[test]
fn x12_case_051_hard_wrap_80() {
    let lines = |text: &str| {
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(80)
            .map(String::from_utf8_lossy)
            .collect();
        lines.join("\n")
    };
    let long = with("A-1", &"A WORD ".repeat(40));
    assert_eq!(check(lines(&long)), (9, vec!["source.encoding"]));
    assert_eq!(value(lines(&long), 1, 7), "A WORD ".repeat(40));
    let reading = read(lines(&long));
    let trailer = reading.interchanges[0].trailer.clone().unwrap();
    let at = trailer.position.offset as usize;
    assert_eq!(&lines(&long)[at..at + 4], "IEA*");
}

#[test]
fn x12_case_064_component_in_simple_element() {
    assert_eq!(value(with("A-1", "MILL>LIT08"), 1, 7), "MILL>LIT08");
}

#[test]
fn positions_are_those_of_the_file() {
    for (text, lines) in [
        (order().replace('~', "~\n"), true),
        (format!("\u{FEFF}{}", order().replace('~', "~\r\n")), true),
        (with("A-1", "two\nlines").replace('~', "\n\n~"), false),
        (order().replace('~', "\n"), true),
        (with("CTT*1~", "BIN*9*a~b*c\n~GS~"), false),
    ] {
        let mut reader = x12::Reader::new(text.as_bytes());
        let mut ordinal = 0;
        while let Some(segment) = reader.next().unwrap() {
            ordinal += 1;
            let position = segment.position();
            let before = &text.as_bytes()[..position.offset as usize];
            let tag = &text.as_bytes()[before.len()..];
            assert!(tag.starts_with(segment.tag()), "{segment:?} {position:?}");
            let line = 1 + before.iter().filter(|b| **b == b'\n').count() as u32;
            assert_eq!((position.line, position.ordinal), (line, ordinal));
            assert!(!lines || position.column == 1);
        }
    }
}

#[test]
fn line_breaks_are_kept_with_the_delimiters() {
    let of = |text: String| read(text).interchanges[0].delimiters.line_break;
    assert_eq!(of(order()), LineBreak::None);
    assert_eq!(of(order().replace('~', "~\n")), LineBreak::Lf);
    assert_eq!(of(order().replace('~', "~\r\n")), LineBreak::CrLf);
}

#[test]
fn what_is_not_x12_is_an_error_that_says_what_it_is() {
    let error = |bytes: &[u8]| x12::read(bytes).unwrap_err().to_string();
    assert!(error(b"").contains("empty"));
    assert!(error(b"{\"orders\": []}").contains("JSON"));
    assert!(error(b"UNB+UNOA:1").contains("EDIFACT"));
    assert!(error(b"VISA * card * ISABEL").contains("no segment starts with ISA"));
}

#[test]
fn a_failing_source_is_an_error_of_its_own() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    assert!(matches!(x12::read(Broken), Err(x12::Error::Io(_))));
}
