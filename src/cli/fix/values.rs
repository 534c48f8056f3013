//! Values that have one answer only: what the guide derives, codes and dates that were spelled out.

use std::collections::{HashMap, HashSet};

use chrono::{NaiveDate, NaiveTime};

use crate::cli::excerpt::segment_at;
use crate::cli::walk::{Guides, Make, Seen, SeenSet, Trouble, walk};
use crate::mapping::{self, DataType, Guide, UseView, bind};
use crate::x12::{Delimiters, Fault, Location, Segment, Segments, components, repetitions};

/// A value to be put in another's place.
pub(super) struct Edit {
    pub(super) fault: Fault,
    pub(super) location: Location,
    pub(super) old: String,
    pub(super) new: String,
}

/// The edits of a file, by the ordinals of their segments.
pub(super) type Edits = HashMap<u32, Vec<Edit>>;

/// All values of a file that have one answer only.
pub(super) fn edits(file: &[u8], guides: &Guides) -> Result<Edits, Trouble> {
    let mut all = Edits::new();
    // Bodies are needed whole, and only documents are made of whole ones.
    walk(file, guides, Make::Documents, 1, &mut |seen| {
        if let Seen::Set(seen) = seen
            && let Some(guide) = &seen.guide
        {
            for edit in of_set(&seen, guide) {
                all.entry(edit.location.segment).or_default().push(edit);
            }
        }
        Ok(())
    })?;
    Ok(all)
}

fn of_set(seen: &SeenSet<'_>, guide: &Guide) -> Vec<Edit> {
    use Fault::*;
    let findings = seen.findings.iter().map(|noted| &noted.finding);
    let due = |fault| {
        matches!(
            fault,
            ElementCode | ElementDate | ElementTime | ElementTooLong | ValueDiffers
        )
    };
    let mut edits: Vec<Edit> = Vec::new();
    if !findings.clone().any(|finding| due(finding.fault)) {
        return edits;
    }
    let (segments, delimiters) = (&seen.set.segments, seen.delimiters);
    let (reading, bound) = bind(guide, segments, delimiters);
    // What was lost may be what the derived value still counts.
    let whole = !findings.clone().any(|finding| loses(finding.fault));
    let document = reading.document.filter(|_| whole);
    let written = document.map(|document| {
        let segments = mapping::write(guide, &document, delimiters).segments;
        Written {
            bound: Bound::new(&bind(guide, &segments, delimiters).1),
            read: Bound::new(&bound),
            segments,
        }
    });
    let first = segments.get(0).map_or(0, |s| s.position().ordinal);
    let mut wrong: Vec<_> = findings.filter(|finding| due(finding.fault)).collect();
    // A wrong code is mostly too long as well, and is told as what it is.
    wrong.sort_by_key(|finding| finding.fault != ElementCode);
    let mut told = HashSet::new();
    for finding in wrong {
        let location = &finding.location;
        let index = location.segment.saturating_sub(first) as usize;
        let view = bound.get(index).copied().flatten();
        let segment = segment_at(segments, location.segment);
        let (Some(view), Some(segment)) = (view, segment) else {
            continue;
        };
        let old = value(&segment, location, delimiters);
        let new = match finding.fault {
            ValueDiffers => written
                .as_ref()
                .and_then(|written| written.value(index, location, delimiters)),
            _ => spelled(view, location, &old),
        };
        // Where nothing is left to count, what was counted is lost.
        let sure = |new: &String| *new != old && new != "0";
        let place = (
            location.segment,
            location.element,
            location.component,
            location.repetition,
        );
        if let Some(new) = new.filter(sure)
            && told.insert(place)
        {
            edits.push(Edit {
                fault: finding.fault,
                location: location.clone(),
                old,
                new,
            });
        }
    }
    edits
}

/// Whether a fault means that something of the set is not in its document.
fn loses(fault: Fault) -> bool {
    use Fault::*;
    matches!(
        fault,
        Truncated
            | TooLong
            | SegmentUnknown
            | SegmentUnexpected
            | SegmentMissing
            | SegmentOrder
            | SegmentTooMany
            | LoopTooMany
            | LevelParent
            | ElementCharacter
    )
}

/// Which uses of the guide a set's segments are.
struct Bound {
    paths: Vec<Option<String>>,
    /// The segments of each use, in order.
    places: HashMap<String, Vec<usize>>,
}

impl Bound {
    fn new(views: &[Option<UseView<'_>>]) -> Bound {
        let paths: Vec<_> = views.iter().map(|view| view.map(UseView::path)).collect();
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, path) in paths.iter().enumerate() {
            if let Some(path) = path {
                places.entry(path.clone()).or_default().push(at);
            }
        }
        Bound { paths, places }
    }

    /// The segment of `other` that is what segment `index` is here: the nth of its use, where both
    /// have as many.
    fn twin(&self, index: usize, other: &Bound) -> Option<usize> {
        let path = self.paths.get(index)?.as_ref()?;
        let (here, there) = (self.places.get(path)?, other.places.get(path)?);
        let nth = here.binary_search(&index).ok()?;
        there
            .get(nth)
            .copied()
            .filter(|_| here.len() == there.len())
    }
}

/// A set as it would be written, beside the set that was read.
struct Written {
    segments: Segments,
    bound: Bound,
    read: Bound,
}

impl Written {
    /// What is written where segment `index` of the set that was read has this place.
    fn value(&self, index: usize, location: &Location, delimiters: &Delimiters) -> Option<String> {
        let at = self.read.twin(index, &self.bound)?;
        let value = value(&self.segments.get(at)?, location, delimiters);
        (!value.is_empty()).then_some(value)
    }
}

/// A value that says in words what a code, a date or a time says.
fn spelled(view: UseView<'_>, location: &Location, old: &str) -> Option<String> {
    let component = location.component.unwrap_or(0) as usize;
    let element = view.element(location.element? as usize, component)?;
    if let Some(codes) = element.codes() {
        return codes.surely(old).map(str::to_owned);
    }
    let digits: String = old.chars().filter(char::is_ascii_digit).collect();
    let form = |form: &str| -> bool { NaiveDate::parse_from_str(old.trim(), form).is_ok() };
    let clock = |form: &str| NaiveTime::parse_from_str(old.trim(), form).is_ok();
    match element.def().data {
        DataType::Date if element.def().max == 8 && digits.len() == 8 => {
            (form("%Y-%m-%d") || form("%Y/%m/%d") || form("%Y.%m.%d")).then_some(digits)
        }
        DataType::Time if matches!(digits.len(), 4 | 6) => {
            (clock("%H:%M") || clock("%H:%M:%S")).then_some(digits)
        }
        _ => None,
    }
}

/// The value at a place of a segment.
fn value(segment: &Segment<'_>, location: &Location, delimiters: &Delimiters) -> String {
    let mut value = segment.element(location.element.unwrap_or(0) as usize);
    let nth = |n: u32| (n as usize).saturating_sub(1);
    if location.component.is_some() || location.repetition.is_some() {
        let n = nth(location.repetition.unwrap_or(1));
        value = repetitions(value, delimiters).nth(n).unwrap_or_default();
    }
    if let Some(n) = location.component.map(nth) {
        value = components(value, delimiters).nth(n).unwrap_or_default();
    }
    String::from_utf8_lossy(value).into_owned()
}
