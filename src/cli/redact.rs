//! `transload redact`: a file for others' eyes, with parties and prices masked.
//!
//! Which elements those are is said by their numbers in the data element dictionary, so that each
//! segment of each set is known. A mask has the shape of its value, letter for letter and digit for
//! digit, and one value has one mask in all of a file: what was equal stays equal. The masks of two
//! runs differ, unless they are given the same --seed.

use std::collections::HashMap;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::ack::findings;
use super::files::{GuideOptions, whole};
use super::rows::NAMES_FROM;
use super::sentence::count;
use super::walk::{Guides, Trouble};
use super::words::{of, refusal, said, unreadable};
use super::{Exit, Failure, Outcome};
use crate::mapping::Dictionary;
use crate::x12::{self, Finding, Segment, text};

/// Data elements that name a party, or say where or how it is reached.
#[rustfmt::skip]
const PARTIES: &[&str] = &[
    "19" /* city */, "67" /* id */, "93" /* name */, "116" /* postal code */, "124", "142", /* GS02, GS03 */
    "127" /* reference */, "166" /* address */, "310" /* location */, "325" /* tax number */,
    "364" /* telephone, mail */, "443" /* contact reference */, "507", "508", /* bank, account */
    "509", "510" /* originating company */, "1035", "1036", "1037", /* person */
    "I02", "I04", "I06", "I07" /* ISA02, ISA04, ISA06, ISA08 */,
];

/// Free text, in which anything may be said.
const TEXTS: &[&str] = &["352", "369", "387", "933", "1196", "1551"];

/// Prices and amounts.
#[rustfmt::skip]
const AMOUNTS: &[&str] = &[
    "118" /* rate */, "212" /* unit price */, "362" /* discount */, "389" /* deferred */,
    "610" /* in cents */, "655", "657" /* discount base and limit */, "782" /* money */, "828", /* base of a percent */
];

/// What stands in ISA: its dictionary is the interchange's, and not a release's.
const ISA: [(usize, &str); 4] = [(2, "I02"), (4, "I04"), (6, "I06"), (8, "I07")];
/// What stands in GS.
const GS: [(usize, &str); 2] = [(2, "142"), (3, "124")];

/// Mask parties and prices of an X12 file, so that it can be shown to others
///
/// Names, addresses, contacts, ids, references, free text, prices and amounts get values of the same
/// shape; the same value gets the same mask. Control numbers, document numbers, codes, dates,
/// quantities, item ids and every fault stay. The result goes to stdout. Exit code: 0 masked, 1 masked, but `check` finds
/// other things in it than before, 2 not readable.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  transload redact order.edi > for-the-report.edi\n  \
    transload redact order.edi --also 234 --keep 352 > without-items.edi"
)]
pub(super) struct Redact {
    /// Mask these data elements too, by their numbers (234 an item's id, 87 a package's mark)
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    also: Vec<String>,
    /// Do not mask these
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    keep: Vec<String>,
    /// The same masks for all files that are given the same words here
    #[arg(long, value_name = "WORDS")]
    seed: Option<String>,
    #[command(flatten)]
    guides: GuideOptions,
    /// An X12 file; `-` is stdin
    file: PathBuf,
}

impl Redact {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let guides = self.guides.load()?;
        let name = self.file.to_string_lossy().into_owned();
        let bytes = whole(&self.file)?;
        let refused = |trouble: Trouble| Failure::usage(of(&name, refusal(&trouble)));
        let before = findings(&bytes, &guides).map_err(refused)?;
        let mut masker = Masker::new(&self, &guides);
        let mut ends = vec![0];
        let masked = x12::rewrite(&bytes, |segment, raw| {
            let start = segment.position().offset as usize;
            ends.extend([start, start + raw.len()]);
            masker.segment(segment, raw)
        });
        let mut masked = masked.map_err(|error| unreadable(&name, &error))?;
        ends.push(masked.len());
        masker.between(&ends, &mut masked);
        let after = findings(&masked, &guides).map_err(refused)?;
        out.write_all(&masked)?;
        out.flush()?;
        let places = |all: &[Finding]| -> Vec<_> {
            // Prices are masked one by one: their sums hold no more.
            let kept = all.iter().filter(|finding| !finding.fault.is_sum());
            kept.map(|f| (f.fault, f.location.segment, f.location.element))
                .collect()
        };
        let same = places(&before) == places(&after);
        let values = count(masker.masked, "value");
        let verdict = match same {
            true => text!("`check` finds the same in it"),
            false => {
                text!("`check` finds other things in it than before: compare before you send it")
            }
        };
        let summary = text!("{name}: {values} masked; {verdict}", name, values, verdict);
        let _ = writeln!(io::stderr(), "{}", said(&summary));
        if masker.unknown > 0 {
            let segments = count(masker.unknown, "segment");
            let strange = text!(
                "{segments} that the standard does not have: masked but for short codes",
                segments
            );
            let _ = writeln!(io::stderr(), "{}", said(&strange));
        }
        Ok(match same {
            true => Exit::Clean,
            false => Exit::Findings,
        })
    }
}

/// What a value is masked as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Amount,
}

struct Masker<'a> {
    guides: &'a Guides,
    kinds: HashMap<String, Kind>,
    key: Key,
    dictionary: Option<Arc<Dictionary>>,
    /// Of components and of repetitions, in the current interchange.
    separators: (u8, Option<u8>),
    masked: usize,
    /// Segments that no dictionary has.
    unknown: usize,
}

/// What makes masks unguessable, or the same in several files.
enum Key {
    Drawn(RandomState),
    Given(String),
}

impl<'a> Masker<'a> {
    fn new(options: &Redact, guides: &'a Guides) -> Masker<'a> {
        let texts = PARTIES.iter().chain(TEXTS).map(|n| (*n, Kind::Text));
        let amounts = AMOUNTS.iter().map(|n| (*n, Kind::Amount));
        let also = options.also.iter().map(|n| (n.as_str(), Kind::Text));
        let all = also.chain(texts).chain(amounts);
        let kept = |number: &str| options.keep.iter().any(|keep| keep == number);
        let all = all.filter(|(number, _)| !kept(number));
        Masker {
            guides,
            kinds: all.map(|(n, kind)| (n.to_owned(), kind)).collect(),
            key: match &options.seed {
                Some(words) => Key::Given(words.clone()),
                None => Key::Drawn(RandomState::new()),
            },
            dictionary: guides.library.dictionary(NAMES_FROM).ok(),
            separators: (b'>', None),
            masked: 0,
            unknown: 0,
        }
    }

    /// The segment with its masks, in the bytes that it has in the file.
    fn segment(&mut self, segment: &Segment<'_>, raw: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = segment.bytes().to_vec();
        match segment.tag() {
            b"ISA" => {
                let byte = |number: usize| segment.element(number).first().copied();
                let repeats = byte(11).filter(u8::is_ascii_punctuation);
                self.separators = (byte(16).unwrap_or(b'>'), repeats);
                self.envelope(segment, &ISA, &mut bytes);
            }
            b"GS" => {
                let release = String::from_utf8_lossy(segment.element(8)).into_owned();
                let release = release.get(..6).unwrap_or(&release);
                let library = &self.guides.library;
                let own = library.dictionary(release);
                self.dictionary = own.or_else(|_| library.dictionary(NAMES_FROM)).ok();
                self.envelope(segment, &GS, &mut bytes);
            }
            _ => self.elements(segment, &mut bytes),
        }
        (bytes != segment.bytes()).then(|| laid_over(raw, segment.bytes(), &bytes))
    }

    /// Masks what stands outside of segments, such as a mail's head: anything may be said there.
    /// `ends` are where each stretch of it starts and ends. Masks have the length of what they
    /// mask, so these are places of the file too.
    fn between(&mut self, ends: &[usize], bytes: &mut [u8]) {
        for stretch in ends.chunks_exact(2) {
            if let Some(bytes) = bytes.get_mut(stretch[0]..stretch[1])
                && bytes.iter().any(u8::is_ascii_alphanumeric)
            {
                self.mask(Kind::Text, bytes);
            }
        }
    }

    fn envelope(&mut self, segment: &Segment<'_>, places: &[(usize, &str)], bytes: &mut [u8]) {
        for (number, of) in places {
            if self.kinds.contains_key(*of) {
                let from = segment.start(*number);
                let to = from + segment.element(*number).len();
                self.mask(Kind::Text, &mut bytes[from..to]);
            }
        }
    }

    fn elements(&mut self, segment: &Segment<'_>, bytes: &mut [u8]) {
        /// A code, which says nothing of anybody.
        const SHORT: usize = 3;
        let tag = String::from_utf8_lossy(segment.tag());
        let dictionary = self.dictionary.clone();
        let def = dictionary.as_ref().and_then(|d| d.segment(&tag));
        let envelope = matches!(segment.tag(), b"ST" | b"SE" | b"GE" | b"IEA" | b"TA1");
        self.unknown += usize::from(def.is_none() && !envelope);
        for number in 1..=segment.count() {
            let value = segment.element(number);
            let from = segment.start(number);
            let here = from..from + value.len();
            let Some(place) = def.and_then(|def| def.places.get(number - 1)) else {
                if !envelope && value.len() > SHORT {
                    self.mask(Kind::Text, &mut bytes[here]);
                }
                continue;
            };
            let kinds = place
                .parts
                .iter()
                .map(|part| self.kinds.get(&*part.def.number));
            match place.composite {
                None => {
                    if let Some(kind) = kinds.flatten().next().copied() {
                        self.mask(kind, &mut bytes[here]);
                    }
                }
                Some(_) => {
                    let kinds: Vec<Option<Kind>> = kinds.map(|kind| kind.copied()).collect();
                    self.parts(&kinds, &mut bytes[here]);
                }
            }
        }
    }

    /// The components of a composite, in each of its repetitions.
    fn parts(&mut self, kinds: &[Option<Kind>], bytes: &mut [u8]) {
        let (component, repetition) = self.separators;
        for one in bytes.split_mut(|b| Some(*b) == repetition) {
            for (part, kind) in one.split_mut(|b| *b == component).zip(kinds) {
                if let Some(kind) = kind {
                    self.mask(*kind, part);
                }
            }
        }
    }

    /// Masks a value in its place. Padding is no part of a value.
    fn mask(&mut self, kind: Kind, bytes: &mut [u8]) {
        let length = bytes.trim_ascii_end().len();
        let bytes = &mut bytes[..length];
        let says = |b: &u8| match kind {
            Kind::Text => b.is_ascii_alphanumeric() || !b.is_ascii(),
            Kind::Amount => matches!(b, b'1'..=b'9'),
        };
        if !bytes.iter().any(says) {
            return;
        }
        self.masked += 1;
        let mut random = Stream::new(&self.key, bytes);
        let text = std::str::from_utf8(bytes).map(str::to_owned);
        let mut leading = true;
        let Ok(text) = text else {
            for byte in bytes {
                *byte = match *byte {
                    // Never the second byte of a letter: what was no UTF-8 stays none.
                    0x80.. => 0xE0 + random.below(16),
                    byte => random.ascii(byte, &mut leading),
                };
            }
            return;
        };
        let mut at = 0;
        for c in text.chars() {
            let end = at + c.len_utf8();
            match u8::try_from(c).ok().filter(u8::is_ascii) {
                Some(byte) => bytes[at] = random.ascii(byte, &mut leading),
                None => {
                    random.letter(c).encode_utf8(&mut bytes[at..end]);
                }
            }
            at = end;
        }
    }
}

/// Bytes that follow from a value, and that nobody else can work out without the key.
struct Stream<'a> {
    key: &'a Key,
    value: Vec<u8>,
    count: u64,
}

impl<'a> Stream<'a> {
    fn new(key: &'a Key, value: &[u8]) -> Stream<'a> {
        Stream {
            key,
            value: value.to_vec(),
            count: 0,
        }
    }

    /// A letter for a letter, a digit for a digit. Zeros in front are part of the shape.
    fn ascii(&mut self, byte: u8, leading: &mut bool) -> u8 {
        match byte {
            b'0' if *leading => b'0',
            b'0'..=b'9' => {
                let least = u8::from(std::mem::replace(leading, false));
                b'0' + least + self.below(10 - least)
            }
            b'A'..=b'Z' => b'A' + self.below(26),
            b'a'..=b'z' => b'a' + self.below(26),
            other => other,
        }
    }

    /// Another letter of as many bytes, which is in X12's extended set where this one is.
    fn letter(&mut self, c: char) -> char {
        const SELECT: &str = "ÀÁÂÄàáâäÈÉÊèéêëÌÍÎìíîïÒÓÔÖòóôöÙÚÛÜùúûüÇçÑñ";
        let from = |first: u32, n: u8| char::from_u32(first + u32::from(n)).unwrap_or(c);
        match (c.is_alphanumeric(), c.len_utf8()) {
            (false, _) => c,
            (true, 2) if SELECT.contains(c) => {
                let at = self.below(SELECT.chars().count() as u8);
                SELECT.chars().nth(usize::from(at)).unwrap_or(c)
            }
            // Cyrillic, Chinese, and Chinese beyond the basic plane.
            (true, 2) => from(0x430, self.below(32)),
            (true, 3) => from(0x4E00, self.below(200)),
            (true, _) => from(0x20000, self.below(200)),
        }
    }

    fn below(&mut self, limit: u8) -> u8 {
        self.count += 1;
        let drawn = match self.key {
            Key::Drawn(state) => state.hash_one((&self.value, self.count)),
            Key::Given(words) => {
                let mut hasher = DefaultHasher::new();
                (words, &self.value, self.count).hash(&mut hasher);
                hasher.finish()
            }
        };
        (drawn % u64::from(limit)) as u8
    }
}

/// `masked` in the form that `plain` has in the file: with the line breaks of a wrapped file, or in
/// two bytes a character.
fn laid_over(raw: &[u8], plain: &[u8], masked: &[u8]) -> Vec<u8> {
    if raw.len() == plain.len() {
        let pairs = raw.iter().zip(plain.iter().zip(masked));
        // The case of a tag is the file's own.
        return pairs
            .map(|(raw, (old, new))| if old == new { *raw } else { *new })
            .collect();
    }
    let wrapped = raw.iter().filter(|b| !matches!(b, b'\r' | b'\n')).count() == plain.len();
    if wrapped && !raw.contains(&0) {
        let mut masked = masked.iter();
        let next = |b: &u8| match b {
            b'\r' | b'\n' => *b,
            _ => masked.next().copied().unwrap_or(*b),
        };
        return raw.iter().map(next).collect();
    }
    let big = raw.first() == Some(&0);
    let text = String::from_utf8_lossy(masked);
    let units = text.encode_utf16();
    let bytes = units.flat_map(|unit| match big {
        true => unit.to_be_bytes(),
        false => unit.to_le_bytes(),
    });
    bytes.collect()
}
