//! What the standard says of elements, composites and segments, in its printed notation.
//!
//! ```toml
//! version = "004010"
//! [elements]
//! 353 = "ID 2/2 Transaction Set Purpose Code"
//! [composites]
//! C040 = { name = "Reference Identifier", elements = "128 M, 127 M, 128 X, 127 X" }
//! [segments]
//! N1 = { name = "Name", elements = "98 M, 93 X, 66 X, 67 X", notes = ["R0203", "P0304"] }
//! ```
//!
//! A note with a question mark (`R0203?`) is one that trade breaks every day: a file that breaks it is
//! warned of, and accepted with errors. What we write keeps it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::source::{GuideError, Node, Word};
use crate::x12::text;

/// An element's data type (X12.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// `AN`: any text.
    Text,
    /// `ID`: a code.
    Id,
    /// `R`: a number with its point, if it has one.
    Decimal,
    /// `N0` to `N9`: a number with that many implied places.
    Implied(u8),
    /// `DT`: `CCYYMMDD` or `YYMMDD`.
    Date,
    /// `TM`: `HHMM`, `HHMMSS`, `HHMMSSD` or `HHMMSSDD`.
    Time,
    /// `B`: bytes.
    Binary,
}

/// One simple element.
#[derive(Clone, Debug)]
pub struct ElementDef {
    /// Its number in the data element dictionary.
    pub number: Cow<'static, str>,
    /// Its type.
    pub data: DataType,
    /// Least length in characters; a sign and a decimal point do not count.
    pub min: usize,
    /// Greatest length.
    pub max: usize,
    /// Its name, in our words.
    pub name: Cow<'static, str>,
}

/// Whether something must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// M.
    Mandatory,
    /// O.
    Optional,
    /// X: a syntax note says when.
    Conditional,
    /// N: an overlay says that the partner does not use it.
    NotUsed,
}

/// An element's or a composite's place in a segment.
#[derive(Clone, Debug)]
pub struct Place {
    /// M, O or X.
    pub usage: Usage,
    /// What stands there: one for a simple element, several for a composite.
    pub parts: Vec<Part>,
    /// The composite's identifier and name.
    pub composite: Option<(Cow<'static, str>, Cow<'static, str>)>,
}

/// A simple element in a segment or composite.
#[derive(Clone, Debug)]
pub struct Part {
    /// M, O or X within its composite.
    pub usage: Usage,
    /// Its definition.
    pub def: Arc<ElementDef>,
}

/// A syntax note's kind (X12.6): which elements need or exclude which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// P: all or none.
    Paired,
    /// R: at least one.
    Required,
    /// E: at most one.
    Exclusion,
    /// C: where the first is, all others are.
    Conditional,
    /// L: where the first is, one of the others is.
    ListConditional,
}

/// One syntax note, as `P0304`.
#[derive(Clone, Debug)]
pub struct Note {
    /// Its kind.
    pub kind: NoteKind,
    /// The element numbers that it ties together.
    pub elements: Vec<usize>,
    /// Breaking it is a warning when reading.
    pub tolerated: bool,
    /// As printed.
    pub text: String,
}

/// One segment.
#[derive(Clone, Debug)]
pub struct SegmentDef {
    /// Its name, in our words.
    pub name: Cow<'static, str>,
    /// Its elements; index 0 is element 01.
    pub places: Vec<Place>,
    /// Its syntax notes.
    pub notes: Arc<[Note]>,
}

/// The dictionary of one release.
#[derive(Clone, Debug)]
pub struct Dictionary {
    /// The release, as `004010`.
    pub version: String,
    segments: BTreeMap<Word, SegmentDef>,
}

impl Dictionary {
    /// Segment `tag`.
    pub fn segment(&self, tag: &str) -> Option<&SegmentDef> {
        self.segments.get(tag)
    }

    /// All tags, sorted.
    pub fn tags(&self) -> Vec<&str> {
        self.segments.keys().map(AsRef::as_ref).collect()
    }

    /// Reads a dictionary file.
    pub(crate) fn parse(root: &Node) -> Result<Dictionary, GuideError> {
        let section = |name: &str| {
            root.get(name)
                .ok_or_else(|| root.error(text!("a dictionary needs a [{name}] table", name)))
        };
        let version = section("version")?.text()?.to_owned();
        let mut elements = BTreeMap::new();
        for (number, node) in section("elements")?.table()? {
            elements.insert(&**number, Arc::new(element(number, node)?));
        }
        let mut composites = BTreeMap::new();
        if let Some(node) = root.get("composites") {
            for (id, node) in node.table()? {
                composites.insert(&**id, (id, composite(node, &elements)?));
            }
        }
        let mut segments = BTreeMap::new();
        for (tag, node) in section("segments")?.table()? {
            segments.insert(tag.clone(), segment(node, &elements, &composites)?);
        }
        Ok(Dictionary { version, segments })
    }
}

/// `ID 2/2 Transaction Set Purpose Code`
fn element(number: &Word, node: &Node) -> Result<ElementDef, GuideError> {
    let text = node.text()?;
    let form = || node.error(text!("an element is written as \"ID 2/2 Name\""));
    let mut words = text.splitn(3, ' ');
    let (data, lengths) = (words.next().unwrap_or(""), words.next().ok_or_else(form)?);
    let (min, max) = lengths.split_once('/').ok_or_else(form)?;
    let [min, max]: [Result<usize, _>; 2] = [min.parse(), max.parse()];
    let (min, max) = (min.map_err(|_| form())?, max.map_err(|_| form())?);
    if min == 0 || max < min {
        return Err(node.error(text!(
            "lengths are at least 1, and the first is not above the second"
        )));
    }
    Ok(ElementDef {
        number: number.clone(),
        data: match data {
            "AN" => DataType::Text,
            "ID" => DataType::Id,
            "R" => DataType::Decimal,
            "DT" => DataType::Date,
            "TM" => DataType::Time,
            "B" => DataType::Binary,
            _ => match data.strip_prefix('N').map(str::parse) {
                Some(Ok(places)) if places <= 9 => DataType::Implied(places),
                _ => {
                    return Err(node.unknown(
                        text!("type"),
                        data,
                        &["AN", "ID", "R", "N0", "N2", "DT", "TM", "B"],
                    ));
                }
            },
        },
        min,
        max,
        name: node.tail(text.len() - words.next().unwrap_or_default().len()),
    })
}

/// A composite's name and parts.
type Composite = (Word, Vec<Part>);

fn composite(
    node: &Node,
    elements: &BTreeMap<&str, Arc<ElementDef>>,
) -> Result<Composite, GuideError> {
    let mut parts = Vec::new();
    for (number, usage) in items(node)? {
        let def = elements
            .get(number)
            .ok_or_else(|| node.error(text!("element {number} is not under [elements]", number)))?;
        parts.push(Part {
            usage,
            def: def.clone(),
        });
    }
    Ok((name(node)?, parts))
}

fn segment(
    node: &Node,
    elements: &BTreeMap<&str, Arc<ElementDef>>,
    composites: &BTreeMap<&str, (&Word, Composite)>,
) -> Result<SegmentDef, GuideError> {
    let mut places = Vec::new();
    for (number, usage) in items(node)? {
        let place = if let Some(def) = elements.get(number) {
            Place {
                usage,
                parts: vec![Part {
                    usage,
                    def: def.clone(),
                }],
                composite: None,
            }
        } else if let Some((id, (name, parts))) = composites.get(number) {
            Place {
                usage,
                parts: parts.clone(),
                composite: Some(((*id).clone(), name.clone())),
            }
        } else {
            let message = text!(
                "{number} is neither under [elements] nor under [composites]",
                number
            );
            return Err(node.error(message));
        };
        places.push(place);
    }
    let mut notes = Vec::new();
    if let Some(list) = node.get("notes") {
        for text in list.texts()? {
            let note =
                note(&text).filter(|n| n.elements.iter().all(|&e| (1..=places.len()).contains(&e)));
            notes.push(note.ok_or_else(|| {
                list.error(text!(
                    "{text} is not a syntax note over this segment, as P0304",
                    text = crate::x12::Value::quoted(&text)
                ))
            })?);
        }
    }
    Ok(SegmentDef {
        name: name(node)?,
        places,
        notes: notes.into(),
    })
}

fn name(node: &Node) -> Result<Word, GuideError> {
    match node.get("name") {
        Some(name) => name.word().cloned(),
        None => Err(node.error(text!("a segment or composite needs a name"))),
    }
}

/// `353 M, 92 M, 324 O`
fn items(node: &Node) -> Result<Vec<(&str, Usage)>, GuideError> {
    let list = node
        .get("elements")
        .ok_or_else(|| node.error(text!("elements are due, as elements = \"353 M, 92 O\"")))?;
    list.text()?
        .split(',')
        .map(|item| {
            let (number, usage) = item.trim().split_once(' ').ok_or_else(|| {
                list.error(text!(
                    "{item} lacks M, O or X",
                    item = crate::x12::Value::quoted(item.trim())
                ))
            })?;
            Ok((number, usage_of(usage.trim(), list)?))
        })
        .collect()
}

/// `M`, `O`, `X` or `N`.
pub(crate) fn usage_of(text: &str, node: &Node) -> Result<Usage, GuideError> {
    match text {
        "M" => Ok(Usage::Mandatory),
        "O" => Ok(Usage::Optional),
        "X" => Ok(Usage::Conditional),
        "N" => Ok(Usage::NotUsed),
        _ => Err(node.unknown(text!("usage"), text, &["M", "O", "X", "N"])),
    }
}

/// `P0304`
fn note(text: &str) -> Option<Note> {
    let printed = text.strip_suffix('?').unwrap_or(text);
    let (kind, digits) = printed.split_at_checked(1)?;
    let kind = match kind {
        "P" => NoteKind::Paired,
        "R" => NoteKind::Required,
        "E" => NoteKind::Exclusion,
        "C" => NoteKind::Conditional,
        "L" => NoteKind::ListConditional,
        _ => return None,
    };
    if digits.len() < 4 || digits.len() % 2 != 0 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let elements = digits
        .as_bytes()
        .chunks(2)
        .map(|two| usize::from(two[0] - b'0') * 10 + usize::from(two[1] - b'0'))
        .collect();
    Some(Note {
        kind,
        elements,
        tolerated: printed != text,
        text: printed.to_owned(),
    })
}

impl Note {
    /// Whether the note holds, given which elements are present.
    pub fn holds(&self, present: impl Fn(usize) -> bool) -> bool {
        let mut rest = self.elements.iter().skip(1).map(|&e| present(e));
        let count = self.elements.iter().filter(|&&e| present(e)).count();
        match self.kind {
            NoteKind::Paired => count == 0 || count == self.elements.len(),
            NoteKind::Required => count > 0,
            NoteKind::Exclusion => count <= 1,
            NoteKind::Conditional => !present(self.elements[0]) || rest.all(|there| there),
            NoteKind::ListConditional => !present(self.elements[0]) || rest.any(|there| there),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_hold() {
        let holds = |text: &str, there: &[usize]| note(text).unwrap().holds(|e| there.contains(&e));
        assert!(holds("P0304", &[]) && holds("P0304", &[3, 4]) && !holds("P0304", &[3]));
        assert!(holds("R0203", &[3]) && !holds("R0203", &[]));
        assert!(holds("E0102", &[1]) && !holds("E0102", &[1, 2]));
        assert!(holds("C0506", &[6]) && !holds("C0506", &[5]));
        assert!(holds("L070809", &[7, 9]) && !holds("L070809", &[7]));
        assert!(note("R0203?").unwrap().tolerated && !note("R0203").unwrap().tolerated);
        assert!(note("P3").is_none() && note("Q0102").is_none());
    }

    #[test]
    fn dictionary_reads_its_notation() {
        let text = "version = \"004010\"\n[elements]\n98 = \"ID 2/3 Entity\"\n782 = \"N2 1/9 Amount\"\n\
            [composites]\nC1 = { name = \"c\", elements = \"98 M, 782 O\" }\n\
            [segments]\nN1 = { name = \"Name\", elements = \"98 M, C1 O\", notes = [\"P0102\"] }\n";
        let dictionary = Dictionary::parse(&Node::parse("d", text.into()).unwrap()).unwrap();
        let n1 = dictionary.segment("N1").unwrap();
        assert_eq!(n1.places[1].parts[1].def.data, DataType::Implied(2));
        for wrong in ["IX 2/3", "ID 0/3", "ID 3/2"] {
            let broken = text.replace("ID 2/3", wrong);
            let error = Dictionary::parse(&Node::parse("d", broken.into()).unwrap()).unwrap_err();
            assert_eq!(error.line, 3, "{wrong}");
        }
    }
}
