//! What holds for all inputs: writing and reading are twins, and reading never depends on how
//! bytes arrive, never panics, and never hangs.

use std::io::Read;

use proptest::collection::vec;
use proptest::prelude::*;
use transload::x12::*;

/// A source that gives `step` bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(into.len());
        (&self.0[..self.0.len().min(n)])
            .read(into)
            .inspect(|&n| self.0 = &self.0[n..])
    }
}

fn delimiters() -> impl Strategy<Value = Delimiters> {
    let of = |element, component, segment, line_break| Delimiters {
        element,
        component,
        repetition: None,
        segment,
        line_break,
    };
    prop_oneof![
        Just(of(b'*', b'>', b'~', LineBreak::Lf)),
        Just(of(b'*', b':', b'~', LineBreak::CrLf)),
        Just(of(b'|', b'>', b'\'', LineBreak::None)),
        Just(of(0x1D, 0x1F, 0x1C, LineBreak::None)),
        Just(of(b'*', b'>', b'\n', LineBreak::None)),
    ]
}

/// Text without the separators of any of the above.
fn word() -> impl Strategy<Value = String> {
    "[A-Z0-9a-zäö中 ().,/&#-]{0,12}"
}

fn segments() -> impl Strategy<Value = Segments> {
    let segment = ("[A-HJ-RT-Z][A-Z0-9]{2}", vec(word(), 0..6), "[A-Z0-9]{1,5}");
    vec(segment, 0..8).prop_map(|all| {
        let mut body = Segments::default();
        for (tag, words, last) in &all {
            let mut parts: Vec<&[u8]> = vec![tag.as_bytes()];
            parts.extend(words.iter().map(|w| w.as_bytes()));
            parts.push(last.as_bytes());
            if tag != "BIN" && tag != "BDS" && tag != "GS" && tag != "TA1" {
                body.push_parts(&parts, Position::default());
            }
        }
        body
    })
}

fn groups() -> impl Strategy<Value = Vec<FunctionalGroup>> {
    vec(vec(segments(), 1..4), 1..4).prop_map(|groups| {
        let group = |(i, bodies): (usize, Vec<Segments>)| {
            let set = |(n, body)| TransactionSet::new("850", &format!("{:04}", n + 1), body);
            let header = GroupHeader {
                functional_id: "PO".to_owned(),
                sender: "A".to_owned(),
                receiver: "B".to_owned(),
                date: "20260102".to_owned(),
                time: "0304".to_owned(),
                control_number: (i + 1).to_string(),
                agency: "X".to_owned(),
                version: "004010".to_owned(),
            };
            FunctionalGroup::new(header, bodies.into_iter().enumerate().map(set).collect())
        };
        groups.into_iter().enumerate().map(group).collect()
    })
}

fn interchange() -> impl Strategy<Value = Interchange> {
    (delimiters(), groups(), "[A-Z0-9]{1,15}", any::<bool>()).prop_map(
        |(mut d, groups, id, new)| {
            let (version, standard) = if new { ("00501", "^") } else { ("00401", "U") };
            d.repetition = new.then_some(b'^');
            let mut groups = groups;
            if new {
                groups
                    .iter_mut()
                    .for_each(|g| g.header.version = "005010".to_owned());
            }
            let header = InterchangeHeader {
                sender: Qualified::new("ZZ", &id),
                receiver: Qualified::new("01", "RECEIVER"),
                date: "260102".to_owned(),
                time: "0304".to_owned(),
                standard: standard.to_owned(),
                version: version.to_owned(),
                control_number: "000000042".to_owned(),
                ..InterchangeHeader::default()
            };
            Interchange::new(header, d, groups)
        },
    )
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Accepted),
        Just(Verdict::AcceptedWithErrors),
        Just(Verdict::Rejected),
        Just(Verdict::Other("M".to_owned())),
    ]
}

fn acknowledgment() -> impl Strategy<Value = FunctionalAcknowledgment> {
    let codes = || vec("[1-9]", 0..5);
    let some = |pattern| proptest::option::of(pattern);
    let element = (
        1u32..40,
        proptest::option::of(1u32..9),
        proptest::option::of(2u32..9),
        some("[1-9]{1,4}"),
        "[1-9]|I1[0-3]",
        some("[A-Z ]{1,20}"),
    );
    let element =
        element.prop_map(
            |(element, component, repetition, reference, code, copy)| ElementFault {
                element,
                component,
                repetition,
                reference,
                code,
                copy,
            },
        );
    let fault = (
        "[A-Z]{2,3}",
        1u32..9999,
        some("[A-Z]{1,4}"),
        codes(),
        vec(element, 0..4),
    );
    let fault = fault.prop_map(|(tag, position, in_loop, codes, elements)| SegmentFault {
        tag,
        position,
        in_loop,
        codes,
        elements,
    });
    let set = (
        "[0-9]{3}",
        "[0-9]{4,9}",
        some("[A-Z0-9]{3,9}"),
        vec(fault, 0..4),
        verdict(),
        codes(),
    );
    let set = set.prop_map(
        |(id, control_number, implementation, segments, verdict, codes)| SetVerdict {
            id,
            control_number,
            implementation,
            segments,
            verdict,
            codes,
        },
    );
    let group = (
        "[A-Z]{2}",
        "[0-9]{1,9}",
        some("[0-9]{6}"),
        vec(set, 0..4),
        verdict(),
        codes(),
    );
    let form = prop_oneof![Just(Form::F997), Just(Form::F999)];
    (form, group, 0u64..99, 0u64..99, 0u64..99).prop_map(
        |(form, group, included, received, accepted)| {
            let (functional_id, control_number, version, sets, verdict, codes) = group;
            FunctionalAcknowledgment {
                form,
                functional_id,
                control_number,
                version,
                sets,
                verdict,
                included,
                received,
                accepted,
                codes,
            }
        },
    )
}

/// Bytes that look enough like X12 to reach every branch.
pub(super) fn soup() -> impl Strategy<Value = Vec<u8>> {
    let isa = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260102*0304*^*00501*000000001*0*P*>~";
    let piece = prop_oneof![
        4 => Just(isa.as_bytes().to_vec()),
        1 => Just(isa.replace('*', "|").replace('~', "\u{85}").into_bytes()),
        3 => Just(b"GS*PO*A*B*20260102*0304*1*X*005010~".to_vec()),
        3 => Just(b"ST*850*0001~".to_vec()),
        2 => Just(b"SE*2*0001~".to_vec()),
        2 => Just(b"GE*1*1~".to_vec()),
        2 => Just(b"IEA*1*000000001~\n".to_vec()),
        2 => Just(b"BIN*20*~~".to_vec()),
        1 => Just("ISA*00*  *".repeat(12).into_bytes()),
        1 => Just(vec![b'x'; 70_000]),
        1 => Just("\u{FEFF}".as_bytes().to_vec()),
        3 => vec(any::<u8>(), 0..40),
        3 => "[A-Z*~>\n ]{0,40}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(interchange in interchange()) {
        let bytes = interchange.to_bytes().unwrap();
        let reading = read(&bytes[..]).unwrap();
        prop_assert_eq!(&reading.interchanges, &vec![interchange]);
        // A word may hold a character that partners have to agree on.
        let other = reading.findings.iter().find(|f| f.fault != Fault::CharacterSet);
        prop_assert_eq!(other, None);
        prop_assert_eq!(reading.interchanges[0].to_bytes().unwrap(), bytes);
    }

    #[test]
    fn a_997_or_999_written_is_read_back(acknowledgment in acknowledgment(), delimiters in delimiters()) {
        let body = acknowledgment.write(&delimiters);
        let (read, findings) = FunctionalAcknowledgment::read(acknowledgment.form, &body, &delimiters);
        prop_assert_eq!(findings, vec![]);
        prop_assert_eq!(read.answers(), acknowledgment.answers());
        prop_assert_eq!(read, acknowledgment);
    }

    #[test]
    fn a_ta1_written_is_read_back(control in "[0-9]{9}", verdict in verdict(), code in "0[0-3][0-9]") {
        let ta1 = InterchangeAcknowledgment {
            control_number: control,
            date: "260102".to_owned(),
            time: "0304".to_owned(),
            verdict,
            code,
        };
        prop_assert_eq!(InterchangeAcknowledgment::read(&ta1.write().get(0).unwrap()), ta1);
    }

    #[test]
    fn what_is_answered_is_addressed_written_and_read_back(bytes in soup(), newer in any::<bool>()) {
        let Ok(reading) = read(&bytes[..]) else { return Ok(()) };
        let form = if newer { Form::F999 } else { Form::F997 };
        let numbers = ReplyNumbers { interchange: 1, group: 1, set: 1 };
        let at = chrono::NaiveDate::from_ymd_opt(2026, 1, 3).unwrap().and_hms_opt(4, 5, 6).unwrap();
        for inbound in &reading.interchanges {
            let said = acknowledge(inbound, &reading.findings, form);
            let reply = reply(inbound, &said, numbers, at);
            // What came with separators in ISA cannot be addressed back.
            let Ok(bytes) = reply.to_bytes() else { continue };
            let back = read(&bytes[..]).unwrap();
            let (answers, findings) = answers(&back.interchanges[0]);
            prop_assert_eq!(findings, vec![]);
            let due: Vec<Answer> = said.iter().flat_map(|s| s.answers()).collect();
            prop_assert_eq!(answers, due);
        }
    }

    #[test]
    fn reading_does_not_depend_on_how_bytes_arrive(bytes in soup(), step in 1usize..200) {
        match (read(&bytes[..]), read(Slow(&bytes, step))) {
            (Ok(whole), Ok(slow)) => {
                prop_assert_eq!(whole.findings, slow.findings);
                prop_assert_eq!(whole.segments, slow.segments);
                prop_assert_eq!(whole.interchanges, slow.interchanges);
            }
            (whole, slow) => prop_assert!(whole.is_err() && slow.is_err()),
        }
    }

    #[test]
    fn what_can_be_written_is_stable(bytes in soup()) {
        let Ok(reading) = read(&bytes[..]) else { return Ok(()) };
        for interchange in &reading.interchanges {
            let Ok(first) = interchange.to_bytes() else { continue };
            let again = read(&first[..]).unwrap();
            prop_assert_eq!(interchange.sets().count(), again.interchanges[0].sets().count());
            if let Ok(second) = again.interchanges[0].to_bytes() {
                prop_assert_eq!(String::from_utf8_lossy(&first), String::from_utf8_lossy(&second));
            }
        }
    }

    #[test]
    fn positions_point_at_their_segments(bytes in soup()) {
        let mut reader = Reader::new(&bytes[..]);
        let mut found = Vec::new();
        while let Ok(Some(segment)) = reader.next() {
            found.push((segment.position().offset as usize, segment.tag().to_vec()));
        }
        prop_assert!(found.is_sorted_by_key(|f| f.0));
        // A file that is decoded or unwrapped does not hold the tags as they are given.
        let plain = reader.take_findings().iter().all(|f| f.fault != Fault::Transcoded);
        for (at, tag) in found.iter().filter(|_| plain) {
            prop_assert!(bytes[*at..at + tag.len()].eq_ignore_ascii_case(tag));
        }
    }
}
