//! What `count()` and `sum()` are compared with, added up while a set is read: so no slots are
//! needed for it.

use super::guide::{Guide, ITEM, PartUse, Path, Rule, Use};

/// One `count()` or `sum()` over the whole document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tally {
    path: Path,
    pub(super) sum: bool,
}

/// Steps from the document down to a use's values, an item of a list as [`ITEM`].
pub(super) fn absolute(guide: &Guide, one: &Use) -> Path {
    let mut path = match one.parent {
        Some(id) => absolute(guide, &guide.uses[id]),
        None => Path::new(),
    };
    path.extend_from_slice(&one.scope);
    path
}

/// Whether a use stands for the document itself, so that there is one of what it counts.
pub(super) fn is_global(guide: &Guide, one: &Use) -> bool {
    absolute(guide, one).is_empty()
}

impl Tally {
    /// What a rule asks for. A count over a tree is fed by its levels, each of which has the path
    /// of the outermost list.
    pub(super) fn of(rule: &Rule) -> Option<Tally> {
        let (path, sum) = match rule {
            Rule::Count(path, _) => (path.clone(), false),
            Rule::Sum(path) => (path.clone(), true),
            _ => return None,
        };
        Some(Tally { path, sum })
    }

    /// Whether it is a count of the items that a use with this path makes.
    pub(super) fn counts(&self, path: &Path) -> bool {
        matches!(path.split_last(), Some((last, list)) if last.slot == ITEM && *list == self.path)
    }

    /// Whether it sums the values of this part of a use.
    pub(super) fn sums(&self, path: &Path, part: &PartUse) -> bool {
        !part.target.is_empty()
            && path.len() + part.target.len() == self.path.len()
            && self.path.starts_with(path)
            && self.path.ends_with(&part.target)
    }

    /// Whether some use feeds it. A list that a run fills has no use of its own.
    pub(super) fn is_fed(&self, guide: &Guide) -> bool {
        guide.uses.iter().any(|one| {
            let path = absolute(guide, one);
            match self.sum {
                false => one.repeats() && self.counts(&path),
                true => one.places.iter().any(|place| {
                    !place.composite && place.max <= 1 && self.sums(&path, &place.parts[0])
                }),
            }
        })
    }
}
