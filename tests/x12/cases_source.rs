//! Cases about bytes: line ends, encodings, what stands around an interchange, and ISA with the
//! separators that it settles.

use transload::x12::{self, Fault, LineBreak};

use super::cases::*;

cases! {
    x12_case_001_ok_lf: order().replace('~', "~\n") => 9 [];
    x12_case_002_ok_nowrap: order() => 9 [];
    x12_case_003_ok_crlf: order().replace('~', "~\r\n") => 9 [];
    x12_case_004_ok_cr: order().replace('~', "~\r") => 9 [];
    x12_case_005_term_lf: order().replace('~', "\n") => 9 [];
    x12_case_006_term_crlf: order().replace('~', "\r\n") => 9 [];
    x12_case_007_no_final_term: order().trim_end_matches('~') => 9 ["info source.no-final-terminator - IEA@9"];
    x12_case_008_bom: format!("\u{FEFF}{}", order()) => 9 ["info source.bom - @0"];
    x12_case_010_leading_ws: format!("  \r\n\t{}", order()) => 9 ["info source.padding - @0"];
    x12_case_011_leading_junk: format!("From: van\nI say: ISAAC\n{}", order()) => 9 ["warning source.stray-bytes - @0"];
    x12_case_012_trailing_ctrlz: order() + "\x1A" => 9 ["info source.padding - @9"];
    x12_case_013_trailing_nul: order() + &"\0".repeat(3000) => 9 ["info source.padding - @9"];
    x12_case_014_isa_short: with("*SELLER         *", "*SELLER*") => 9 ["error isa.element TA105=022 ISA08@1"];
    x12_case_014_isa_short_twice: with("*SELLER         *", "*SELLER*").replace("*BUYER          *", "*BUYER*") => 9 ["error isa.element TA105=022 ISA06@1", "error isa.element TA105=022 ISA08@1"];
    x12_case_015_isa_long: with("*SELLER         *", "*SELLER            *") => 9 ["error isa.element TA105=022 ISA08@1"];
    x12_case_016_isa_space_term: with(">~GS", "> ~GS") => 9 ["warning isa.length TA105=022 ISA16@1"];
    x12_case_018_caret_4010: with("*U*", "*^*").replace("A-1", "A^C") => 9 ["warning isa.repetition-early - ISA11@1"];
    x12_case_019_rep_5010: order_5010("^").replace("A-1", "A^C") => 9 [];
    x12_case_020_alpha_rep_5010: order_5010("A") => 9 ["error isa.repetition TA105=026 ISA11@1"];
    x12_case_020_digit_rep_5010: order_5010("7") => 9 ["error isa.repetition TA105=026 ISA11@1"];
    x12_case_020_space_rep_5010: order_5010(" ") => 9 ["error isa.repetition TA105=026 ISA11@1"];
    x12_case_021_delims_pipe: order().replace('*', "|") => 9 [];
    x12_case_022_delims_ctrl: order().replace('*', "\x1D").replace('~', "\x1C").replace('>', "\x1F") => 9 [];
    x12_case_023_delims_same: order().replace('~', "*") => 1 ["error isa.delimiter-clash TA105=026 ISA16@1"];
    x12_case_023_delims_same_component: with("*>~", "**~") => 9 ["error isa.delimiter-clash TA105=026 ISA16@1"];
    x12_case_024_lowercase_ids: order().replace("PO1*", "po1*") => 9 ["error segment.lowercase AK304=1 PO1@5"];
    x12_case_024_lowercase_isa: order().replace("ISA*", "isa*") => 9 ["error segment.lowercase AK304=1 ISA@1"];
    x12_case_025_utf8_data_in_the_extended_set: with("A-1", "Größe".trim_end_matches("ße")) => 9 [];
    x12_case_025_utf8_data: with("A-1", "Größe") => 9 ["warning value.character-set - PO1@5"];
    x12_case_063_transcoded_term: order().replace('~', "Ö") => 9 ["warning isa.terminator-transcoded - ISA16@1"];
    x12_case_063_transcoded_term_ellipsis: order().replace('~', "…\n") => 9 ["warning isa.terminator-transcoded - ISA16@1"];
    x12_case_063_transcoded_term_replacement: order().replace('~', "\u{FFFD}") => 9 ["warning isa.terminator-transcoded - ISA16@1"];
    x12_case_074_newline_after_isa16: order().replacen('~', "\n", 1).replace('~', "~\n") => 9 ["warning isa.length TA105=022 ISA16@1"];
    x12_case_095_bytes_between: order() + "--- van marker ---\n\n" + &second() => 18 ["warning source.stray-bytes - @9"];
    x12_case_095_blank_lines_between: order() + "\n\n" + &second() + "\n" => 18 [];
    x12_case_099_collapsed_blanks: order().replace("          ", " ").replace("         ", " ") => 9 ["error isa.element TA105=022 ISA02@1", "error isa.element TA105=022 ISA04@1", "error isa.element TA105=022 ISA06@1", "error isa.element TA105=022 ISA08@1"];
    x12_case_101_indented: order().replace('~', "~\n   \t").trim_end() => 9 [];
    no_terminator_at_all: order().replace('~', "") => 1 ["error isa.terminator TA105=004 ISA16@1"];
}

/// Byte `offset` on which the only finding about `input` points.
fn offset(input: &str) -> u64 {
    let findings = read(input).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings[0].location.offset
}

#[test]
fn x12_case_005_term_lf_is_kept_by_the_writer() {
    let file = order().replace('~', "\n");
    let written = read(&file).interchanges[0].to_bytes().unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), file);
}

#[test]
fn x12_case_008_bom_leaves_offsets_the_files_own() {
    let file = format!("\u{FEFF}{}", order());
    let set = &read(&file).interchanges[0].groups[0].sets[0];
    assert!(file.as_bytes()[set.position.offset as usize..].starts_with(b"ST*850"));
}

#[test]
fn x12_case_009_utf16() {
    let le: Vec<u8> = order().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let be: Vec<u8> = order().encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (mark, body) in [
        (&[0xFF, 0xFE][..], &le),
        (&[0xFE, 0xFF], &be),
        (&[], &le),
        (&[], &be),
    ] {
        let (segments, lines) = check([mark, body].concat());
        assert_eq!(segments, 9);
        assert_eq!(lines[0], "warning source.encoding - @0");
        let file = [mark, body].concat();
        let reading = read(&file);
        let at = reading.interchanges[0].groups[0].sets[0].position.offset as usize;
        let tag = file[at..at + 4].iter().filter(|b| **b != 0);
        assert_eq!(tag.copied().collect::<Vec<u8>>(), b"ST");
    }
}

#[test]
fn x12_case_011_leading_junk_is_told_with_its_range() {
    let findings = read(format!("From: van\n{}", order())).findings;
    assert_eq!(
        findings[0].message,
        "10 bytes of stray bytes before ISA, at offsets 0 to 9"
    );
}

#[test]
fn x12_case_014_isa_short_names_each_element_with_its_width() {
    let findings = read(with("*SELLER         *", "*SELLER*")).findings;
    assert_eq!(
        findings[0].message,
        "ISA08 `SELLER` has 6 bytes instead of 15"
    );
    let isa = &read(with("*SELLER         *", "*SELLER*")).interchanges[0].header;
    assert_eq!(
        (&isa.receiver.id[..], &isa.control_number[..]),
        ("SELLER", "000000001")
    );
}

#[test]
fn x12_case_017_u_in_data() {
    assert_eq!(check(with("A-1", "B005UO5D12")), (9, vec![]));
    assert_eq!(value(with("A-1", "B005UO5D12"), 1, 7), "B005UO5D12");
    assert_eq!(read(order()).interchanges[0].delimiters.repetition, None);
}

#[test]
fn x12_case_018_caret_4010_splits_nothing() {
    let file = with("*U*", "*^*").replace("A-1", "A^C");
    let reading = read(&file);
    let delimiters = &reading.interchanges[0].delimiters;
    assert_eq!(delimiters.repetition, None);
    let set = &reading.interchanges[0].groups[0].sets[0];
    let element = set.segments.get(1).unwrap().element(7);
    assert_eq!(
        x12::repetitions(element, delimiters).collect::<Vec<_>>(),
        [b"A^C"]
    );
}

#[test]
fn x12_case_019_rep_5010_splits() {
    let reading = read(order_5010("^").replace("A-1", "A^C"));
    let delimiters = &reading.interchanges[0].delimiters;
    let set = &reading.interchanges[0].groups[0].sets[0];
    let element = set.segments.get(1).unwrap().element(7);
    assert_eq!(
        x12::repetitions(element, delimiters).collect::<Vec<_>>(),
        [b"A", b"C"]
    );
}

/// `U` was due there before release 00402 and is left standing by many: nothing is meant by it.
#[test]
fn x12_case_020_u_as_repetition_is_a_warning_and_splits_nothing() {
    let (_, lines) = check(order_5010("U"));
    assert_eq!(lines, ["warning isa.repetition TA105=026 ISA11@1"]);
    for letter in ["U", "A", "7", " "] {
        assert_eq!(
            read(order_5010(letter)).interchanges[0]
                .delimiters
                .repetition,
            None
        );
    }
}

#[test]
fn x12_case_022_delims_ctrl_are_shown_as_escapes() {
    let file = order().replace(['*', '>'], "\x1D");
    let findings = read(file).findings;
    assert_eq!(findings[0].fault, Fault::DelimiterClash);
    assert_eq!(
        findings[0].message,
        "`\\x1d` is component and element separator at once"
    );
}

#[test]
fn x12_case_024_lowercase_ids_are_read_by_upper_case() {
    let reading = read(with("PO1*", "po1*"));
    let set = &reading.interchanges[0].groups[0].sets[0];
    assert_eq!(set.segments.get(1).unwrap().tag(), b"PO1");
}

#[test]
fn x12_case_025_utf8_data_keeps_its_bytes() {
    assert_eq!(value(with("A-1", "Größe 中"), 1, 7), "Größe 中");
}

#[test]
fn x12_case_026_latin1_data() {
    let mut bytes = with("A-1", "Gr@@e").into_bytes();
    bytes
        .iter_mut()
        .filter(|b| **b == b'@')
        .for_each(|b| *b = 0xF6);
    let (segments, lines) = check(&bytes);
    assert_eq!(
        (segments, &lines[..]),
        (9, &["warning value.charset - PO1@5".to_owned()][..])
    );
    let reading = read(&bytes);
    let set = &reading.interchanges[0].groups[0].sets[0];
    assert_eq!(set.segments.get(1).unwrap().element(7), b"Gr\xF6\xF6e");
}

#[test]
fn x12_case_051_hard_wrap_80() {
    let cut = |text: &str| {
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(80)
            .map(String::from_utf8_lossy)
            .collect();
        lines.join("\n")
    };
    let long = cut(&with("A-1", &"A WORD ".repeat(40)));
    assert_eq!(
        check(&long),
        (9, vec!["warning source.encoding - @0".to_owned()])
    );
    assert_eq!(value(&long, 1, 7), "A WORD ".repeat(40));
    let reading = read(&long);
    let trailer = reading.interchanges[0].trailer.clone().unwrap();
    let at = trailer.position.offset as usize;
    assert_eq!(&long[at..at + 4], "IEA*");
}

#[test]
fn x12_case_095_bytes_between_are_told_with_their_range() {
    let file = order() + "--- van ---\n" + &second();
    let from = order().len() as u64;
    assert_eq!(offset(&file), from);
    let message = &read(&file).findings[0].message;
    assert!(
        message
            .to_string()
            .starts_with("12 bytes of stray bytes after IEA"),
        "{message}"
    );
}

#[test]
fn x12_case_099_collapsed_blanks_are_split_by_sixteen_separators() {
    let file = order().replace("          ", " ").replace("         ", " ");
    let header = &read(file).interchanges[0].header;
    assert_eq!((&header.sender.id[..], &header.usage[..]), ("BUYER", "P"));
}

#[test]
fn x12_case_101_indented_keeps_blanks_inside_elements() {
    let file = with("VN*A-1", "VN*  A-1 ").replace('~', "~\n    ");
    assert_eq!(value(file.trim_end(), 1, 7), "  A-1 ");
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
