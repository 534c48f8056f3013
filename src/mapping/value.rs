//! One value: X12's text ⇄ the canonical text of a slot.
//!
//! | type | X12 | canonical |
//! |---|---|---|
//! | AN, ID | `B0ABC` | `B0ABC` |
//! | ID with a code list | `EA` | `each`; an unknown code is `other:XX` |
//! | R | `12.50` | `12.50` (the scale is kept) |
//! | N2 | `1250` | `12.50` |
//! | DT | `20261122` | `2026-11-22` |
//! | TM | `130559` | `13:05:59` |
//!
//! Both directions write into a buffer that is reused, because they run once an element.

use chrono::NaiveDate;

use super::dictionary::{DataType, ElementDef};
use super::packed::{self, Packed};
use super::slots::stands;
use super::source::{GuideError, Node, Word};
use crate::x12::{Fault, text};

/// A code list: X12 code ⇄ canonical word, one to one.
#[derive(Debug, Default)]
pub struct CodeList {
    /// Codes, sorted, and their words; `numbers` finds the place of a short code.
    sorted: Vec<Word>,
    words: Vec<Word>,
    /// Whether all words surely stand in JSON as they are.
    pub(super) stand: bool,
    numbers: Packed,
    /// The places again, sorted by word.
    by_word: Vec<u32>,
    /// What people write instead of a code, in lower case, and the code.
    meant: Vec<(String, Word)>,
}

/// The table of a list that says what people write instead of its codes.
const MEANT: &str = "meant";

/// What stands before a code that the list does not have.
pub(crate) const OTHER: &str = "other:";

/// Most digits a number may have: what a canonical decimal holds exactly.
const MAX_DIGITS: usize = 28;

impl CodeList {
    /// Reads `EA = "each"` lines, and under `[meant]` lines like `pcs = "PC"`.
    pub(crate) fn parse(root: &Node) -> Result<CodeList, GuideError> {
        let mut list = CodeList::default();
        let mut meant = None;
        for (code, node) in root.table()? {
            if code == MEANT {
                meant = Some(node.table()?);
                continue;
            }
            let word = node.word()?.clone();
            if word.starts_with(OTHER) {
                return Err(node.error(text!("a word may not begin with \"other:\"")));
            }
            if code.is_empty() {
                return Err(node.error(text!("a code has a character at least")));
            }
            // A table's entries are sorted.
            list.words.push(word);
            list.sorted.push(code.clone());
        }
        if list.sorted.is_empty() {
            return Err(root.error(text!("a list of codes needs at least one")));
        }
        list.sort_words(root)?;
        list.stand = list.words.iter().all(|word| stands(word.as_bytes()));
        let key = |code: &Word| packed::key(code.as_bytes()).unwrap_or_default();
        list.numbers = Packed::of(list.sorted.iter().map(key));
        for (wrong, node) in meant.into_iter().flatten() {
            let code = node.word()?;
            if !list.has(code.as_bytes()) {
                return Err(node.error(text!(
                    "{code} is not a code of this list",
                    code = crate::x12::Value::quoted(code)
                )));
            }
            list.meant.push((wrong.to_ascii_lowercase(), code.clone()));
        }
        Ok(list)
    }

    fn sort_words(&mut self, root: &Node) -> Result<(), GuideError> {
        let word = |at: &u32| &self.words[*at as usize];
        let mut places: Vec<u32> = (0..self.words.len() as u32).collect();
        places.sort_by_key(word);
        if let Some(two) = places.windows(2).find(|two| word(&two[0]) == word(&two[1])) {
            let [first, code] = [two[0], two[1]].map(|at| &self.sorted[at as usize]);
            let message = text!(
                "{word} is {first} already: a list is one to one",
                word = crate::x12::Value::quoted(word(&two[0])),
                first = first.as_ref()
            );
            return Err(root.get(code).unwrap_or(root).error(message));
        }
        self.by_word = places;
        Ok(())
    }

    /// The place of a code.
    #[inline]
    fn number(&self, code: &[u8]) -> Option<usize> {
        match packed::key(code) {
            Some(key) => self.numbers.get(key),
            None => self
                .sorted
                .binary_search_by(|c| c.as_bytes().cmp(code))
                .ok(),
        }
    }

    /// The word for `code`.
    #[inline]
    pub fn word(&self, code: &str) -> Option<&str> {
        self.word_of(code.as_bytes())
    }

    /// The same, of a code that may not be text.
    #[inline]
    pub(crate) fn word_of(&self, code: &[u8]) -> Option<&str> {
        Some(&self.words[self.number(code)?])
    }

    /// Whether it has the code.
    #[inline]
    pub(crate) fn has(&self, code: &[u8]) -> bool {
        self.number(code).is_some()
    }

    /// The code for `word`; `other:XX` gives `XX`.
    pub fn code<'a>(&'a self, word: &'a str) -> Option<&'a str> {
        match word.strip_prefix(OTHER) {
            Some(code) => Some(code),
            None => self.of_word(word),
        }
    }

    fn of_word(&self, word: &str) -> Option<&str> {
        let order = |at: &u32| (*self.words[*at as usize]).cmp(word);
        let at = self.by_word.binary_search_by(order).ok()?;
        Some(&self.sorted[self.by_word[at] as usize])
    }

    /// All codes, sorted.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &str> {
        self.sorted.iter().map(AsRef::as_ref)
    }

    /// The code that a wrong one was probably meant to be: what it [surely](Self::surely) means, or
    /// a code that it begins with.
    pub fn nearest(&self, wrong: &str) -> Option<&str> {
        let upper = wrong.trim().to_ascii_uppercase();
        let begins = |code: &&Word| upper.len() > code.len() && upper.starts_with(&***code);
        let begun = || self.sorted.iter().find(begins).map(AsRef::as_ref);
        self.surely(wrong).or_else(begun)
    }

    /// The one code that a wrong one can only be meant to be: the same in another case, what the
    /// list says that people write, its word or the plural of it.
    pub fn surely(&self, wrong: &str) -> Option<&str> {
        let plain = wrong.trim().trim_end_matches('.');
        let upper = plain.to_ascii_uppercase();
        let word = plain.to_ascii_lowercase().replace([' ', '-'], "_");
        let of_word = |word: &str| {
            let meant = self.meant.iter().find(|(wrong, _)| wrong == word);
            let meant = meant.map(|(_, code)| code.as_ref());
            meant.or_else(|| self.of_word(word))
        };
        let same = self.sorted.binary_search_by(|code| (**code).cmp(&upper));
        same.ok()
            .map(|at| self.sorted[at].as_ref())
            .or_else(|| of_word(&word))
            .or_else(|| word.strip_suffix('s').and_then(of_word))
            .or_else(|| word.strip_suffix("es").and_then(of_word))
    }
}

/// Checks a value's length and characters against its definition: the first fault, if any.
pub(crate) fn fault(raw: &str, def: &ElementDef) -> Option<Fault> {
    let number = matches!(def.data, DataType::Decimal | DataType::Implied(_));
    let length = match number {
        true => raw.bytes().filter(u8::is_ascii_digit).count(),
        false if raw.is_ascii() => raw.len(),
        false => raw.chars().count(),
    };
    if !(number || raw.bytes().all(|b| b >= b' ' && b != 0x7f)) {
        return Some(Fault::ElementCharacter);
    }
    if number && !is_number(raw, def.data) {
        return Some(Fault::ElementCharacter);
    }
    match def.data {
        DataType::Date if !raw.bytes().all(|b| b.is_ascii_digit()) => Some(Fault::ElementDate),
        DataType::Time if !raw.bytes().all(|b| b.is_ascii_digit()) => Some(Fault::ElementTime),
        _ if length < def.min => Some(Fault::ElementTooShort),
        _ if length > def.max => Some(Fault::ElementTooLong),
        DataType::Date if date(raw).is_none() => Some(Fault::ElementDate),
        DataType::Time if !is_time(raw) => Some(Fault::ElementTime),
        _ => None,
    }
}

fn is_number(raw: &str, data: DataType) -> bool {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let points = digits.bytes().filter(|&b| b == b'.').count();
    let allowed = usize::from(data == DataType::Decimal);
    points <= allowed
        && digits.len() > points
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn date(raw: &str) -> Option<NaiveDate> {
    if !raw.is_ascii() {
        return None;
    }
    let number = |from: usize, to: usize| raw.get(from..to)?.parse::<u32>().ok();
    let (year, rest) = match raw.len() {
        8 => (number(0, 4)?, 4),
        6 => (2000 + number(0, 2)?, 2),
        _ => return None,
    };
    NaiveDate::from_ymd_opt(
        year as i32,
        number(rest, rest + 2)?,
        number(rest + 2, rest + 4)?,
    )
}

fn is_time(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    (4..=8).contains(&bytes.len())
        && bytes.len() != 5
        && bytes.iter().all(u8::is_ascii_digit)
        && &bytes[..2] < b"24".as_slice()
        && bytes[2] < b'6'
        && bytes.get(4).is_none_or(|&b| b < b'6')
}

/// Whether all bytes meet a test that has no branches: many are tested at a time.
#[inline]
pub(crate) fn every(bytes: &[u8], test: impl Fn(u8) -> bool) -> bool {
    /// Without an end in between: so the compiler makes one comparison of all.
    const BLOCK: usize = 16;
    const HALF: usize = BLOCK / 2;
    let all = |block: &[u8]| block.iter().fold(true, |all, &b| all & test(b));
    let block = |block: &[u8; BLOCK]| all(block);
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    blocks.iter().all(block)
        && match bytes.last_chunk::<BLOCK>() {
            // The end once more with what stands before it is quicker than byte by byte.
            Some(last) => rest.is_empty() || block(last),
            // Short ones are most of all: two halves that may overlap.
            None => match (bytes.first_chunk::<HALF>(), bytes.last_chunk::<HALF>()) {
                (Some(first), Some(last)) => all(first) && all(last),
                _ => all(rest),
            },
        }
}

/// Whether all bytes are digits.
#[inline]
fn are_digits(bytes: &[u8]) -> bool {
    every(bytes, |b| b.wrapping_sub(b'0') < 10)
}

/// Whether a number is surely right and stays as it is: digits without zeros in front, at most
/// one point with digits on both sides, no minus before zero.
#[inline]
pub(crate) fn is_plain_number(raw: &[u8], point: bool, min: u32, max: u32) -> bool {
    let max = (max as usize).min(MAX_DIGITS - 1);
    // Most are digits alone.
    if raw.first() != Some(&b'0') && are_digits(raw) {
        return (min as usize..=max).contains(&raw.len());
    }
    let unsigned = raw.strip_prefix(b"-").unwrap_or(raw);
    let (mut points, mut zeros) = (0, 0);
    for &b in unsigned {
        if !b.is_ascii_digit() && b != b'.' {
            return false;
        }
        points += usize::from(b == b'.');
        zeros += usize::from(b == b'0');
    }
    let digits = unsigned.len() - points;
    let zero_first = unsigned.first() == Some(&b'0') && unsigned.get(1).is_some_and(|&b| b != b'.');
    let nothing = zeros == digits && unsigned.len() != raw.len();
    points <= usize::from(point)
        && (min as usize..=max).contains(&digits)
        && !zero_first
        && !nothing
        && unsigned.first() != Some(&b'.')
        && unsigned.last() != Some(&b'.')
}

/// Whether `CCYYMMDD` is surely a date of the calendar.
#[inline]
pub(crate) fn is_plain_date(raw: &[u8]) -> bool {
    let &[c, e, y, z, m, n, d, f] = raw else {
        return false;
    };
    if !raw.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let two = |a: u8, b: u8| u32::from(a - b'0') * 10 + u32::from(b - b'0');
    let (year, month, day) = (two(c, e) * 100 + two(y, z), two(m, n), two(d, f));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether `HHMM`, with or without seconds and their parts, is surely a time of day.
pub(crate) fn is_plain_time(raw: &[u8]) -> bool {
    raw.is_ascii() && std::str::from_utf8(raw).is_ok_and(is_time)
}

/// X12 → canonical. `raw` has passed [`fault`]; `false` where it cannot be held all the same.
pub(crate) fn decode(
    raw: &str,
    data: DataType,
    codes: Option<&CodeList>,
    out: &mut String,
) -> bool {
    out.clear();
    match (codes, data) {
        (Some(codes), _) => match codes.word(raw) {
            Some(word) => out.push_str(word),
            None => out.extend([OTHER, raw]),
        },
        (None, DataType::Decimal) => return decode_number(raw, 0, out),
        (None, DataType::Implied(places)) => return decode_number(raw, usize::from(places), out),
        (None, DataType::Date) => match date(raw) {
            Some(_) => {
                let (year, day) = raw.split_at(raw.len() - 4);
                let century = if year.len() == 2 { "20" } else { "" };
                out.extend([century, year, "-", &day[..2], "-", &day[2..]]);
            }
            None => return false,
        },
        (None, DataType::Time) if is_time(raw) => decode_time(raw, out),
        (None, DataType::Time) => return false,
        (None, _) => out.push_str(raw),
    }
    true
}

fn decode_number(raw: &str, places: usize, out: &mut String) -> bool {
    let (sign, digits) = match raw.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", raw),
    };
    if digits.len() > MAX_DIGITS {
        return false;
    }
    let (whole, part) = match digits.split_once('.') {
        Some((whole, part)) => (whole, part),
        None => digits.split_at(digits.len().saturating_sub(places)),
    };
    let whole = whole.trim_start_matches('0');
    out.push_str(sign);
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !part.is_empty() {
        out.push('.');
        out.extend(std::iter::repeat_n('0', places.saturating_sub(part.len())));
        out.push_str(part);
    }
    if out.bytes().all(|b| matches!(b, b'-' | b'0' | b'.')) && !sign.is_empty() {
        out.remove(0);
    }
    true
}

fn decode_time(raw: &str, out: &mut String) {
    for (index, two) in [0, 2, 4].into_iter().enumerate() {
        let Some(two) = raw.get(two..two + 2) else {
            break;
        };
        if index > 0 {
            out.push(':');
        }
        out.push_str(two);
    }
    if let Some(part) = raw.get(6..).filter(|p| !p.is_empty()) {
        out.push('.');
        out.push_str(part);
    }
}

/// Canonical → X12; `None` where the value has no X12 form under `def`.
pub(crate) fn encode(
    text: &str,
    def: &ElementDef,
    codes: Option<&CodeList>,
    out: &mut String,
) -> bool {
    out.clear();
    match (codes, def.data) {
        (Some(codes), _) => match codes.code(text) {
            Some(code) => out.push_str(code),
            None => return false,
        },
        (None, DataType::Implied(places)) => return encode_implied(text, usize::from(places), out),
        (None, DataType::Date) => {
            let digits = text.bytes().filter(u8::is_ascii_digit).map(char::from);
            out.extend(digits.skip(if def.max == 6 { 2 } else { 0 }));
        }
        (None, DataType::Time) => out.extend(text.chars().filter(char::is_ascii_digit)),
        (None, _) => out.push_str(text),
    }
    true
}

fn encode_implied(text: &str, places: usize, out: &mut String) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let (part, beyond) = part.split_at(part.len().min(places));
    if beyond.bytes().any(|b| b != b'0') {
        return false;
    }
    let (sign, whole) = match whole.strip_prefix('-') {
        Some(whole) => ("-", whole),
        None => ("", whole),
    };
    let digits = format!("{whole}{part:0<places$}");
    let digits = digits.trim_start_matches('0');
    out.push_str(if digits.is_empty() { "" } else { sign });
    out.push_str(if digits.is_empty() { "0" } else { digits });
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn def(text: &str) -> ElementDef {
        let text = format!(
            "version = \"1\"\n[elements]\n1 = \"{text} x\"\n[segments]\nA = {{ name = \"a\", elements = \"1 O\" }}\n"
        );
        let dictionary =
            super::super::dictionary::Dictionary::parse(&Node::parse("d", text.into()).unwrap());
        dictionary.unwrap().segment("A").unwrap().places[0].parts[0]
            .def
            .as_ref()
            .clone()
    }

    #[track_caller]
    fn check(kind: &str, raw: &str, canonical: &str, again: &str) {
        let def = def(kind);
        assert_eq!(fault(raw, &def), None);
        let mut out = String::new();
        assert!(decode(raw, def.data, None, &mut out));
        assert_eq!(out, canonical);
        let text = out.clone();
        assert!(encode(&text, &def, None, &mut out));
        assert_eq!(out, again);
    }

    #[test]
    fn numbers() {
        check("R 1/15", "10.00", "10.00", "10.00");
        check("R 1/15", ".5", "0.5", "0.5");
        check("R 1/15", "007", "7", "7");
        check("R 1/15", "-12.5", "-12.5", "-12.5");
        check("N2 1/15", "1250", "12.50", "1250");
        check("N2 1/15", "5", "0.05", "5");
        check("N2 1/15", "-5", "-0.05", "-5");
        check("N0 1/9", "0012", "12", "12");
        check("N2 1/9", "0", "0.00", "0");
    }

    #[test]
    fn dates_and_times() {
        check("DT 8/8", "20261122", "2026-11-22", "20261122");
        check("DT 6/6", "261122", "2026-11-22", "261122");
        check("TM 4/8", "1305", "13:05", "1305");
        check("TM 4/8", "130559", "13:05:59", "130559");
        check("TM 4/8", "13055907", "13:05:59.07", "13055907");
    }

    #[test]
    fn faults() {
        let of = |kind: &str, raw: &str| fault(raw, &def(kind));
        assert_eq!(of("DT 8/8", "20260230"), Some(Fault::ElementDate));
        assert_eq!(of("DT 8/8", "260102"), Some(Fault::ElementTooShort));
        assert_eq!(of("TM 4/8", "2400"), Some(Fault::ElementTime));
        assert_eq!(of("TM 4/8", "12345"), Some(Fault::ElementTime));
        assert_eq!(of("R 1/3", "-1.23"), None);
        assert_eq!(of("R 1/9", "1E5"), Some(Fault::ElementCharacter));
        assert_eq!(of("N2 1/9", "1.5"), Some(Fault::ElementCharacter));
        assert_eq!(of("AN 1/3", "abcd"), Some(Fault::ElementTooLong));
        assert_eq!(of("AN 1/4", "äöüß"), None);
    }

    #[test]
    fn codes_are_one_to_one_and_keep_the_unknown() {
        let list =
            CodeList::parse(&Node::parse("u", "EA = \"each\"\nCA = \"case\"\n".into()).unwrap())
                .unwrap();
        let mut out = String::new();
        decode("XX", DataType::Id, Some(&list), &mut out);
        assert_eq!(
            (out.as_str(), list.code("other:XX"), list.code("each")),
            ("other:XX", Some("XX"), Some("EA"))
        );
        for near in ["EACH", "ea", "each", "Ea.", "EAC", "eaches"] {
            assert_eq!(list.nearest(near), Some("EA"), "{near}");
        }
        assert_eq!(list.nearest("CASES"), Some("CA"));
        assert_eq!(list.nearest("BOX"), None);
        for sure in ["EACH", "ea", "Case", "CASES"] {
            assert!(list.surely(sure).is_some(), "{sure}");
        }
        assert_eq!((list.surely("CAR"), list.surely("")), (None, None));
        let text = "PC = \"piece\"\n[meant]\npcs = \"PC\"\n";
        let list = CodeList::parse(&Node::parse("u", text.into()).unwrap()).unwrap();
        assert_eq!((list.nearest("PCS"), list.all().len()), (Some("PC"), 1));
        let broken = "PC = \"piece\"\n[meant]\npcs = \"PX\"\n";
        assert!(CodeList::parse(&Node::parse("u", broken.into()).unwrap()).is_err());
        for broken in ["EA = \"each\"\nCA = \"each\"\n", "# none\n"] {
            assert!(CodeList::parse(&Node::parse("u", broken.into()).unwrap()).is_err());
        }
    }
}
