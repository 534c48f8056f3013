//! Values that have one answer only: what the guide derives, codes and dates that were spelled out.

use std::collections::HashMap;

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
    walk(file, guides, Make::First, 1, &mut |seen| {
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
    let written = document.map(|document| mapping::write(guide, &document, delimiters).segments);
    let written = written.map(|segments| Bound::new(guide, segments, delimiters));
    let first = segments.get(0).map_or(0, |s| s.position().ordinal);
    let mut wrong: Vec<_> = findings.filter(|finding| due(finding.fault)).collect();
    // A wrong code is mostly too long as well, and is told as what it is.
    wrong.sort_by_key(|finding| finding.fault != ElementCode);
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
                .and_then(|written| written.value(&bound, index, location, delimiters)),
            _ => spelled(view, location, &old),
        };
        // Where nothing is left to count, what was counted is lost.
        let sure = |new: &String| *new != old && new != "0";
        let told = |edit: &Edit| edit.location == *location;
        if let Some(new) = new.filter(sure)
            && !edits.iter().any(told)
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

/// A set as it would be written, and which uses of the guide its segments are.
struct Bound {
    segments: Segments,
    uses: Vec<Option<String>>,
}

impl Bound {
    fn new(guide: &Guide, segments: Segments, delimiters: &Delimiters) -> Bound {
        let bound = bind(guide, &segments, delimiters).1;
        Bound {
            uses: bound.iter().map(|view| view.map(UseView::path)).collect(),
            segments,
        }
    }

    /// What is written where segment `index` of the set that was read has this place: the nth of
    /// a use there is the nth of it here.
    fn value(
        &self,
        read: &[Option<UseView<'_>>],
        index: usize,
        location: &Location,
        delimiters: &Delimiters,
    ) -> Option<String> {
        let path = read[index]?.path();
        let same = |view: &Option<UseView<'_>>| view.is_some_and(|view| view.path() == path);
        let nth = read[..index].iter().filter(|view| same(view)).count();
        let all = read.iter().filter(|view| same(view)).count();
        let mut here = self.uses.iter().zip(0..);
        let here = here.by_ref().filter(|(one, _)| one.as_ref() == Some(&path));
        let here: Vec<usize> = here.map(|(_, at)| at).collect();
        let at = here.get(nth).filter(|_| here.len() == all)?;
        let value = value(&self.segments.get(*at)?, location, delimiters);
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
