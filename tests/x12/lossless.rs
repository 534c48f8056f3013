//! What was read can be written back byte for byte, whatever was wrong with it.

use std::path::Path;

use proptest::prelude::*;
use transload::x12::{Fault, Segment, read, rewrite};

use super::cases::{order, second, with};
use super::laws::soup;

/// How a file's bytes stand for those that are read from it.
#[derive(Clone, Copy, Debug)]
enum Kept {
    AsTheyAre,
    Utf16 { big_endian: bool },
    Wrapped,
}

impl Kept {
    fn of(file: &[u8]) -> Kept {
        let decoded = |f: &transload::x12::Finding| f.fault == Fault::Transcoded;
        let told = read(file).map(|r| r.findings).unwrap_or_default();
        match told.into_iter().find(decoded) {
            None => Kept::AsTheyAre,
            Some(f) if f.message.to_string().contains("lines of") => Kept::Wrapped,
            Some(_) => Kept::Utf16 {
                big_endian: file[0] == 0 || file[0] == 0xFE,
            },
        }
    }

    /// What is read from these bytes of the file.
    fn decode(self, raw: &[u8]) -> Vec<u8> {
        match self {
            Kept::AsTheyAre => raw.to_vec(),
            Kept::Wrapped => {
                let kept = raw.iter().filter(|b| !matches!(b, b'\r' | b'\n'));
                kept.copied().collect()
            }
            Kept::Utf16 { big_endian } => {
                let unit = |pair: &[u8]| match big_endian {
                    true => u16::from_be_bytes([pair[0], pair[1]]),
                    false => u16::from_le_bytes([pair[0], pair[1]]),
                };
                let units: Vec<u16> = raw.chunks_exact(2).map(unit).collect();
                String::from_utf16_lossy(&units).into_bytes()
            }
        }
    }
}

/// The file comes back as it was; what was read of each segment is what stands in the file, and
/// between segments there is no other. Gives the number of segments.
#[track_caller]
fn holds(file: &[u8]) -> u32 {
    let kept = Kept::of(file);
    let mut segments = 0;
    let same = |segment: &Segment<'_>, raw: &[u8]| {
        segments += 1;
        if matches!(kept, Kept::Utf16 { .. }) && str::from_utf8(segment.bytes()).is_err() {
            // A wrong length of BIN ends in the midst of a character.
            return None;
        }
        let decoded = kept.decode(raw);
        // A line break in data of a wrapped file cannot be told from the wrapping here.
        let read: Vec<u8> = match kept {
            Kept::Wrapped => kept.decode(segment.bytes()),
            _ => segment.bytes().to_vec(),
        };
        assert_eq!(
            String::from_utf8_lossy(&decoded).to_ascii_uppercase(),
            String::from_utf8_lossy(&read).to_ascii_uppercase(),
            "{kept:?}"
        );
        None
    };
    match rewrite(file, same) {
        Ok(written) => assert!(written == file),
        Err(_) => assert!(read(file).is_err()),
    }
    if let Ok(reading) = read(file) {
        assert_eq!(reading.segments, segments);
    }
    segments
}

fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
    let bytes = |unit: u16| match big_endian {
        true => unit.to_be_bytes(),
        false => unit.to_le_bytes(),
    };
    let marked = format!("\u{FEFF}{text}");
    marked.encode_utf16().flat_map(bytes).collect()
}

fn wrapped(text: &[u8], width: usize, line_break: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.chunks(width).collect();
    lines.join(line_break)
}

#[test]
fn odd_files_come_back_as_they_were() {
    let files: [(Vec<u8>, u32); 9] = [
        (order().into_bytes(), 9),
        ((format!("\u{FEFF}\r\n{}\x1A", order())).into_bytes(), 9),
        (
            ("van\n".to_owned() + &order() + "--\n\n" + &second()).into_bytes(),
            18,
        ),
        (order().replace('~', "…\n").into_bytes(), 9),
        (with("PO1*", "po1*").replace("ISA*", "isa*").into_bytes(), 9),
        (with("~PO1", "~~~ PO1").into_bytes(), 9),
        (with("A-1", &"x".repeat(300_000)).into_bytes(), 9),
        (with("CTT*1~", "BIN*9*a~b*c\n~GS~").into_bytes(), 9),
        (order()[..200].into(), 5),
    ];
    for (file, segments) in files {
        assert_eq!(holds(&file), segments, "{}", String::from_utf8_lossy(&file));
    }
}

#[test]
fn decoded_files_come_back_as_they_were() {
    let long = with("A-1", &"A WORD ".repeat(4000)).replace('~', "~ ");
    for big_endian in [true, false] {
        let text = with("A-1", "größe 中 😀").repeat(900);
        assert_eq!(holds(&utf16(&text, big_endian)), 8100);
    }
    for (width, line_break) in [(80, &b"\n"[..]), (80, b"\r\n"), (106, b"\n"), (44, b"\r\n")] {
        assert_eq!(
            holds(&wrapped(long.as_bytes(), width, line_break)),
            9,
            "{width}"
        );
        let many = order().repeat(1200);
        assert_eq!(holds(&wrapped(many.as_bytes(), width, line_break)), 10_800);
    }
}

#[test]
fn one_segment_is_changed_and_nothing_else() {
    let file = format!(
        "\u{FEFF}junk {}~~ rest",
        with("A-1", "B>2").replace('~', "~\r\n\r\n")
    );
    let changed = rewrite(file.as_bytes(), |segment, _| {
        (segment.tag() == b"CTT").then(|| b"CTT*1*10".to_vec())
    });
    let changed = String::from_utf8(changed.unwrap()).unwrap();
    assert_eq!(changed, file.replace("CTT*1~", "CTT*1*10~"));
}

/// All X12 files below `folder`.
fn files(folder: &Path, all: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, all),
            false => all.push(std::fs::read(path).unwrap()),
        }
    }
}

#[test]
fn samples_and_corpus_come_back_as_they_were() {
    let mut all = Vec::new();
    files(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/samples/x12")),
        &mut all,
    );
    if let Some(corpus) = super::corpus() {
        files(&corpus, &mut all);
    }
    let segments: u32 = all.iter().map(|file| holds(file)).sum();
    say!(
        "{} files, {segments} segments written back byte for byte",
        all.len()
    );
    assert!(segments > 200);
}

/// A sample with some bytes changed, taken out or put in.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let mut all = Vec::new();
    files(
        Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/samples/x12/004010/850"
        )),
        &mut all,
    );
    let edit = (
        any::<prop::sample::Index>(),
        0..3u8,
        prop::sample::select(&b"*~>^\n\r \0IEASTx\xC3\xF6"[..]),
    );
    (
        prop::sample::select(all),
        prop::collection::vec(edit, 1..12),
    )
        .prop_map(|(mut file, edits)| {
            for (at, what, byte) in edits {
                if file.is_empty() {
                    break;
                }
                let at = at.index(file.len());
                match what {
                    0 => file[at] = byte,
                    1 => drop(file.remove(at)),
                    _ => file.insert(at, byte),
                }
            }
            file
        })
}

proptest! {
    // Each reads a file three times, and some are large.
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_bytes_come_back_as_they_were(bytes in soup()) {
        holds(&bytes);
    }

    #[test]
    fn mutated_samples_come_back_as_they_were(bytes in mutated()) {
        holds(&bytes);
    }

    #[test]
    fn decoded_soup_comes_back_as_it_was(bytes in soup(), width in 40usize..120, crlf in any::<bool>(), wide in any::<bool>()) {
        let text = String::from_utf8_lossy(&bytes);
        let line_break: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        match wide {
            true => holds(&utf16(&text, crlf)),
            false => holds(&wrapped(text.replace(['\r', '\n'], "").as_bytes(), width, line_break)),
        };
    }
}
