//! I: hostile X12.

use std::io::Read;
use std::path::PathBuf;
use std::time::Instant;

use transload::mapping::{self, Library};
use transload::store::{Direction, DocumentState, Filter};
use transload::x12::{self, Envelopes, Event, FINDINGS_LIMIT, Form, acknowledge};

use super::copies::ORDERS;
use super::{figure, often};
use crate::conformance::wire::{LAX, Relation, Request, Us};
use crate::x12::cases::{ISA, check, lines, order, read, second, set, with};

/// Bytes of a source that are made while they are read.
struct Made<I>(I, Vec<u8>);

impl<I: Iterator<Item = Vec<u8>>> Read for Made<I> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.1.is_empty() {
            match self.0.next() {
                Some(more) => self.1 = more,
                None => return Ok(0),
            }
        }
        let length = out.len().min(self.1.len());
        out[..length].copy_from_slice(&self.1[..length]);
        self.1.drain(..length);
        Ok(length)
    }
}

fn made(parts: impl Iterator<Item = Vec<u8>>) -> Made<impl Iterator<Item = Vec<u8>>> {
    Made(parts, Vec::new())
}

/// What a file comes to, a set at a time.
fn count(source: impl Read) -> (usize, usize) {
    let mut envelopes = Envelopes::new(source);
    let (mut sets, mut findings) = (0, 0);
    while let Some(event) = envelopes.next().unwrap() {
        match event {
            Event::Set(..) => sets += 1,
            _ => {}
        }
        findings += envelopes.take_findings().len();
    }
    findings += envelopes.take_findings().len();
    (sets, findings)
}

#[test]
fn i1_headers_of_every_shape() {
    let sound = order();
    let mut trials = 0;
    let mut errors = 0;
    let mut look = |bytes: &[u8]| {
        trials += 1;
        match x12::read(bytes) {
            Ok(reading) => errors += u64::from(!reading.findings.is_empty()),
            Err(why) => {
                errors += 1;
                assert!(!why.to_string().is_empty());
            }
        }
    };
    // Any byte in the place of each separator.
    for byte in 0..=255 {
        for place in [3, 104, 105] {
            let mut odd = sound.clone().into_bytes();
            odd[place] = byte;
            look(&odd);
            let from = sound.as_bytes()[place];
            let all: Vec<u8> = sound
                .bytes()
                .map(|one| if one == from { byte } else { one })
                .collect();
            look(&all);
        }
    }
    // One byte less or more at each place of the header.
    for place in 0..106 {
        let mut less = sound.clone().into_bytes();
        less.remove(place);
        look(&less);
        let mut more = sound.clone().into_bytes();
        more.insert(place, b'X');
        look(&more);
    }
    assert!(errors > trials / 2);
    let told = format!("{errors} told, the others are another lawful separator; no panic");
    figure("I1", trials, 0, &told);
}

#[test]
fn i2_elements_and_segments_without_end() {
    let many = often(200_000, 10_000_000);
    let chunk = 10_000;
    let head = order();
    let head = head.split("PO1").next().unwrap().as_bytes().to_vec();
    let mut figures = Vec::new();
    for (what, part) in [
        ("elements", "*"),
        ("empty segments", "~"),
        ("segments", "PO1*1~"),
    ] {
        let repeated = part.as_bytes().repeat(chunk);
        let middle = std::iter::repeat_n(repeated, many / chunk);
        let parts = std::iter::once(head.clone()).chain(middle);
        let parts = parts.chain(std::iter::once(
            b"~SE*1*0001~GE*1*1~IEA*1*000000001~".to_vec(),
        ));
        let from = Instant::now();
        let (_, findings) = count(made(parts));
        assert!(
            (1..=FINDINGS_LIMIT + 100).contains(&findings),
            "{what}: {findings}"
        );
        let millis = from.elapsed().as_secs_f64() * 1e3;
        let mib = (many * part.len()) as f64 / f64::from(1 << 20);
        figures.push(format!("{what} {:.0} ms/MiB", millis / mib));
    }
    let told = format!("{many} each: {}", figures.join(", "));
    figure("I2", 3, 0, &told);
}

#[test]
fn i3_levels_of_every_shape() {
    let deep = often(20_000, 1_000_000);
    let chain: String = (1..=deep)
        .map(|n| match n {
            1 => "HL*1**S~".to_owned(),
            n => format!("HL*{n}*{}*I~", n - 1),
        })
        .collect();
    let shapes = [
        ("a chain", chain),
        ("a circle", "HL*1*3*S~HL*2*1*O~HL*3*2*I~".into()),
        ("its own parent", "HL*1*1*S~HL*2*2*O~".into()),
        ("a missing parent", "HL*1**S~HL*2*9*O~HL*3*2*I~".into()),
        ("numbers twice", "HL*1**S~HL*1*1*O~HL*1*1*I~".into()),
        ("no number", "HL***S~HL***O~HL*3**I~".into()),
        ("letters", "HL*A**S~HL*B*A*O~".into()),
        (
            "absurd numbers",
            "HL*99999999999999999999**S~HL*-1*0*O~".into(),
        ),
    ];
    let library = Library::embedded();
    let guide = library.guide(None, "004010", "856").unwrap().unwrap();
    let mut told = Vec::new();
    for (what, levels) in &shapes {
        let file = set("856", &format!("BSN*00*1*20260102*1200~{levels}"));
        let reading = read(file);
        let segments = &reading.interchanges[0].groups[0].sets[0].segments;
        let delimiters = &reading.interchanges[0].delimiters;
        let from = Instant::now();
        // On a stack of the usual size: nothing calls itself as deep as the levels are.
        let read = std::thread::scope(|scope| {
            let work = || mapping::read(&guide, segments, delimiters).findings.len();
            let small = std::thread::Builder::new().stack_size(512 << 10);
            small.spawn_scoped(scope, work).unwrap().join().unwrap()
        });
        if *what == "a chain" {
            told.push(format!(
                "{deep} deep in {:.0} ms",
                from.elapsed().as_secs_f64() * 1e3
            ));
        } else {
            assert!(read > 0, "{what} is not told");
        }
    }
    figure(
        "I3",
        shapes.len() as u64,
        0,
        &format!("{}; on a stack of 512 KiB", told.concat()),
    );
}

#[test]
fn i4_counts_and_numbers() {
    let table = [
        ("SE*5*0001", "SE*6*0001", "4"),
        ("SE*5*0001", "SE*x*0001", "4"),
        ("SE*5*0001", "SE*5*0002", "3"),
        ("SE*5*0001", "SE*5", "3"),
        ("SE*5*0001~", "", "2"),
    ];
    let mut trials = 0;
    for (from, to, code) in table {
        let reading = read(with(from, to));
        let interchange = &reading.interchanges[0];
        for form in [Form::F997, Form::F999] {
            let answer = acknowledge(interchange, &reading.findings, form).remove(0);
            let codes: Vec<&str> = answer.sets[0].codes.iter().map(AsRef::as_ref).collect();
            assert!(codes.contains(&code), "{to}: {codes:?}");
            trials += 1;
        }
    }
    for (from, to) in [
        ("GE*1*1", "GE*2*1"),
        ("GE*1*1", "GE*1*2"),
        ("GE*1*1~", ""),
        ("IEA*1*000000001", "IEA*2*000000001"),
        ("IEA*1*000000001", "IEA*1*000000002"),
        ("IEA*1*000000001~", ""),
    ] {
        let (_, found) = check(with(from, to));
        assert!(!found.is_empty(), "{to}");
        trials += 1;
    }
    figure("I4", trials, 0, "each with its code");
}

/// The samples of X12, the shortest first.
fn samples() -> Vec<PathBuf> {
    fn below(folder: PathBuf, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => below(path, found),
                false if path.extension().is_some_and(|kind| kind == "edi") => found.push(path),
                false => {}
            }
        }
    }
    let mut found = Vec::new();
    below(
        concat!(env!("CARGO_MANIFEST_DIR"), "/samples/x12").into(),
        &mut found,
    );
    found.sort_by_key(|path| (path.metadata().unwrap().len(), path.clone()));
    found
}

#[test]
fn i5_cut_at_every_byte() {
    let (files, stride) = (often(12, 50), often(3, 1));
    let library = Library::embedded();
    let all = samples();
    let step = (all.len() / files).max(1);
    let (mut trials, mut silent) = (0, 0);
    for path in all.iter().step_by(step).take(files) {
        let bytes = std::fs::read(path).unwrap();
        let end = bytes.trim_ascii_end().len();
        for cut in (0..end - 1).step_by(stride) {
            trials += 1;
            let Ok(reading) = x12::read(&bytes[..cut]) else {
                continue;
            };
            silent += u64::from(reading.findings.is_empty());
            for interchange in &reading.interchanges {
                for (group, set) in interchange.sets() {
                    let guide = library.guide(None, &group.header.version, &set.id);
                    if let Some(Ok(guide)) = guide {
                        mapping::read(&guide, &set.segments, &interchange.delimiters);
                    }
                }
            }
        }
    }
    assert_eq!(silent, 0, "a cut file is told");
    figure("I5", trials, silent, "0 panics; each cut is told");
}

#[test]
fn i6_binary_that_lies_about_its_length() {
    let lengths = [
        "-1",
        "0",
        "1",
        "2",
        "4",
        "99",
        "1000000",
        "9999999999",
        "99999999999999999999",
        "x",
        "",
        "1.5",
        "1e9",
        "+3",
        " 3",
        "0x3",
    ];
    let mut told = 0;
    for length in lengths {
        for tag in ["BIN", "BDS"] {
            let body = match tag {
                "BIN" => format!("BIN*{length}*abc~"),
                _ => format!("BDS*ASC*{length}*abc~"),
            };
            let file = with("CTT*1~", &format!("{body}CTT*1~"));
            let reading = read(&file);
            told += reading.findings.len();
            let held: usize = reading
                .interchanges
                .iter()
                .flat_map(|one| one.sets())
                .count();
            assert!(held <= 1);
        }
    }
    assert!(told > 0);
    let told = format!("{told} findings; nothing is held beyond what is there");
    figure("I6", lengths.len() as u64 * 2, 0, &told);
}

#[test]
fn i7_foreign_bytes() {
    let sound = order();
    let utf16 = |big: bool| -> Vec<u8> {
        let mark = std::iter::once(0xFEFF);
        let units = mark.chain(sound.encode_utf16());
        let bytes = |unit: u16| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        units.flat_map(bytes).collect()
    };
    for (what, bytes) in [
        (
            "a byte order mark",
            [b"\xEF\xBB\xBF".as_slice(), sound.as_bytes()].concat(),
        ),
        ("UTF-16, little end first", utf16(false)),
        ("UTF-16, big end first", utf16(true)),
    ] {
        assert_eq!(read(bytes).segments, 9, "{what}");
    }
    // EBCDIC of "ISA*00*": it is said what it is not.
    assert!(x12::read(&b"\xC9\xE2\xC1\x5C\xF0\xF0\x5C"[..]).is_err());
    let mut told = 0;
    for byte in (0..0x20).chain([0x7f, 0x80, 0xff]) {
        let mut odd = sound.clone().into_bytes();
        let at = sound.find("4711").unwrap();
        odd[at] = byte;
        told += lines(&odd).len() + check(&odd).1.len();
    }
    assert!(told >= 30, "{told}");
    figure(
        "I7",
        39,
        0,
        "decoded, refused by name, or told at their element",
    );
}

#[test]
fn i8_line_ends_padding_and_two_in_a_file() {
    let sound = order();
    let broken = |end: &str| sound.replace('~', &format!("~{end}"));
    let table = [
        ("none", sound.clone(), 1),
        ("LF", broken("\n"), 1),
        ("CRLF", broken("\r\n"), 1),
        ("CR", broken("\r"), 1),
        ("LF as terminator", sound.replace('~', "\n"), 1),
        ("CR as terminator", sound.replace('~', "\r"), 1),
        ("blanks behind", format!("{sound}{}", " ".repeat(1000)), 1),
        ("NULs behind", format!("{sound}{}", "\0".repeat(1000)), 1),
        ("Ctrl-Z behind", format!("{sound}\u{1a}"), 1),
        ("two", sound.clone() + &second(), 2),
        (
            "two with a line between",
            sound.clone() + "\r\n" + &second(),
            2,
        ),
        (
            "two with other separators",
            sound.clone() + &second().replace('*', "|").replace('~', "\n"),
            2,
        ),
    ];
    for (what, file, due) in &table {
        let reading = read(file);
        assert_eq!(reading.interchanges.len(), *due, "{what}");
        let sets: usize = reading
            .interchanges
            .iter()
            .map(|one| one.sets().count())
            .sum();
        assert_eq!(sets, *due, "{what}");
    }
    figure("I8", table.len() as u64, 0, "each is read whole");
}

#[test]
fn i9_very_many_sets_and_groups() {
    let (sets, groups) = (often(2000, 100_000), often(500, 10_000));
    let one = |n: usize| {
        format!("ST*850*{n:09}~BEG*00*NE*{n}**20260102~PO1*1*10*EA*9.95**VN*A-1~CTT*1~SE*5*{n:09}~")
    };
    let open =
        std::iter::once(format!("{ISA}GS*PO*BUYER*SELLER*20260102*0304*1*X*004010~").into_bytes());
    let close = format!("GE*{sets}*1~IEA*1*000000001~").into_bytes();
    let file = open
        .chain((1..=sets).map(|n| one(n).into_bytes()))
        .chain(std::iter::once(close));
    let from = Instant::now();
    assert_eq!(count(made(file)), (sets, 0));
    let first = from.elapsed().as_secs_f64();
    let group = |n: usize| {
        format!(
            "GS*PO*BUYER*SELLER*20260102*0304*{n}*X*004010~{}GE*1*{n}~",
            one(1)
        )
        .into_bytes()
    };
    let open = std::iter::once(ISA.as_bytes().to_vec());
    let close = format!("IEA*{groups}*000000001~").into_bytes();
    let file = open
        .chain((1..=groups).map(group))
        .chain(std::iter::once(close));
    let from = Instant::now();
    assert_eq!(count(made(file)), (groups, 0));
    let told = format!(
        "{sets} sets in {first:.1} s, {groups} groups in {:.1} s; one set is held at a time",
        from.elapsed().as_secs_f64()
    );
    figure("I9", 2, 0, &told);
}

#[test]
fn i10_i11_absurd_values() {
    let numbers = [
        "1e400",
        "1E5",
        "--1",
        "-",
        "+1",
        "1,000",
        ".",
        "1.2.3",
        "NaN",
        "inf",
        "0x10",
        " 1",
        "1 ",
        "9999999999999999999999999999999999999999",
    ];
    for number in numbers {
        let found = lines(with("PO1*1*10*", &format!("PO1*1*{number}*")));
        assert!(
            found
                .iter()
                .any(|line| line.starts_with("error") && line.contains("PO102")),
            "{number}: {found:?}"
        );
    }
    for number in ["10", "-10", "0.5", ".5", "10."] {
        let found = lines(with("PO1*1*10*", &format!("PO1*1*{number}*")));
        assert!(
            !found.iter().any(|line| line.contains("PO102")),
            "{number}: {found:?}"
        );
    }
    figure(
        "I10",
        numbers.len() as u64,
        0,
        "each is an error at its element; values are decimal throughout",
    );
    let dates = [
        "00000000",
        "20260000",
        "20260100",
        "20261301",
        "20260132",
        "20260230",
        "20270229",
        "2026010",
        "202601022",
        "2026-1-2",
        "YYYYMMDD",
        "99991332",
    ];
    for date in dates {
        let found = lines(with("4711**20260102", &format!("4711**{date}")));
        assert!(
            found.iter().any(|line| line.contains("BEG05")),
            "{date}: {found:?}"
        );
    }
    for date in ["20280229", "99991231", "00010101"] {
        let found = lines(with("4711**20260102", &format!("4711**{date}")));
        assert!(
            !found.iter().any(|line| line.starts_with("error")),
            "{date}: {found:?}"
        );
    }
    figure(
        "I11",
        dates.len() as u64,
        0,
        "each is told at its element; 29 February of a leap year and 99991231 are dates",
    );
}

#[test]
fn i13_one_bad_set_among_a_thousand() {
    let (many, bad) = (often(60, 1000), often(60, 1000) / 2);
    let us = Us::made(&[Relation::default().more(LAX).also(ORDERS)], |_, _| {});
    let one = |n: usize| {
        let unit = if n == bad { "EACHES" } else { "EA" };
        format!("ST*850*{n:04}~BEG*00*SA*PO{n}**20261122~PO1*1*1*{unit}*1**VN*X~CTT*1~SE*5*{n:04}~")
    };
    let sets: String = (1..=many).map(one).collect();
    let file = format!(
        "ISA*00*          *00*          *ZZ*ACME           *ZZ*WE             *261122*1200*U*00401\
         *000000001*0*T*>~GS*PO*ACME*WE*20261122*1200*1*X*004010~{sets}GE*{many}*1~IEA*1*000000001~"
    );
    assert_eq!(us.post(&Request::plain(file)).said(), "processed");
    let documents = |state| {
        let filter = Filter {
            direction: Some(Direction::Inbound),
            state: Some(state),
            limit: usize::MAX,
            ..Filter::default()
        };
        us.wait(us.gateway().store().documents(filter)).unwrap()
    };
    us.until(|| (documents(DocumentState::Delivered).len() == many - 1).then_some(()));
    let rejected = documents(DocumentState::Rejected);
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].number, format!("PO{bad}"));
    let told = format!("{} delivered, 1 rejected", many - 1);
    figure("I13", many as u64, 0, &told);
}
