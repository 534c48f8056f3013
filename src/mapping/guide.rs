//! A guide: one transaction set's structure and meaning, compiled from its merged tables.
//!
//! Everything that a partner's bytes cannot change is settled here, once: `as` paths become slot
//! numbers, code lists are found, uses are sorted by position and by how exact their `when` is.

use std::sync::{Arc, OnceLock};

use super::demand::{Demand, Form as ValueForm};
use super::dictionary::{DataType, Dictionary, ElementDef, Note, Usage};
use super::plan::Plan;
use super::shape::{Form, Schema};
use super::slots::Kind;
use super::source::Node;
use super::value::CodeList;
use crate::canonical::DocumentKind;
use crate::x12::{Text, text};

/// A use's number in its guide.
pub(crate) type UseId = usize;

/// One transaction set of one release, with a partner's overlay if there is one.
#[derive(Debug)]
pub struct Guide {
    /// Its path below the mappings folder, without `.toml`.
    pub name: String,
    /// `850`.
    pub set: String,
    /// `004010`.
    pub version: String,
    /// What it maps to; `None` for a guide that is structure only.
    pub document: Option<DocumentKind>,
    pub(crate) uses: Vec<Use>,
    /// Heading, detail and summary in one list: the area is the high part of [`Use::order`].
    pub(crate) roots: Vec<UseId>,
    pub(crate) schema: Arc<Schema>,
    /// Names of free fields, in order of their slot.
    pub(crate) names: Arc<Vec<String>>,
    pub(crate) dictionary: Arc<Dictionary>,
    /// What is asked of values beyond their type.
    pub(crate) demands: Vec<Demand>,
    /// The day that is today, where somebody said it: what `fits` compares dates with.
    pub(crate) today: Option<chrono::NaiveDate>,
    /// Made when the guide first reads.
    pub(crate) plan: OnceLock<Plan>,
}

/// One use of a segment, or of a loop if it has children.
#[derive(Debug)]
pub(crate) struct Use {
    /// `N1-ST`.
    pub(crate) key: String,
    /// `N1`.
    pub(crate) tag: String,
    /// Sorts the uses under one parent; at the top the area (1 to 3) times 2^24 is added.
    pub(crate) order: u32,
    pub(crate) max: u32,
    /// Of a level (HL): where in the tree it may stand.
    pub(crate) level: Option<LevelRule>,
    /// The first of its neighbours that fills the same list, itself included; `None` where no
    /// other does.
    pub(crate) pool: Option<UseId>,
    /// How many of its tag may stand at its position: the largest `max` there.
    pub(crate) group_max: u32,
    /// Whether other uses share tag and position.
    pub(crate) shares: bool,
    pub(crate) usage: Usage,
    pub(crate) when: Vec<When>,
    /// Where its values go, relative to the parent's scope; empty when transparent.
    pub(crate) scope: Path,
    pub(crate) places: Vec<PlaceUse>,
    pub(crate) runs: Vec<Run>,
    pub(crate) notes: Arc<[Note]>,
    pub(crate) children: Vec<UseId>,
    pub(crate) parent: Option<UseId>,
    /// The last element that must be there; 0 for none.
    pub(crate) last_due: usize,
    /// Where demands look at it: how deep its segments stand, and how deep the loop is until whose
    /// end they are needed.
    pub(crate) watch: Option<(usize, usize)>,
    /// Its table, for errors.
    pub(crate) node: Node,
}

impl Use {
    /// Whether values of this use, without those of its children, have a place in the document.
    pub(crate) fn maps(&self) -> bool {
        !self.runs.is_empty() || self.parts().any(|p| !p.target.is_empty())
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = &PartUse> {
        self.places.iter().flat_map(|p| &p.parts)
    }

    /// Whether the scope is a list, so that each occurrence is an item.
    pub(crate) fn repeats(&self) -> bool {
        self.scope.last().is_some_and(|s| s.slot == ITEM)
    }

    /// How many occurrences have a place of their own in the document.
    pub(crate) fn capacity(&self) -> u32 {
        let lists_only = self.scope.is_empty() && self.parts().all(|p| p.target.is_empty());
        if self.repeats() || lists_only {
            self.max.max(self.group_max)
        } else {
            1
        }
    }

    /// Whether the guide makes it out of the rest of the document, so that it is written even if
    /// the document says nothing for it.
    pub(crate) fn is_made(&self) -> bool {
        let reckoned = |p: &PartUse| matches!(p.is, Some(Rule::Count(..) | Rule::Sum(_)));
        self.parent.is_none() && self.usage != Usage::NotUsed && self.parts().any(reckoned)
    }

    /// Whether it is written even if the document says nothing for it.
    pub(crate) fn is_due(&self) -> bool {
        self.is_made() || (self.usage == Usage::Mandatory && self.maps())
    }

    /// `850 heading.N1-ST`-like name of the position's area.
    pub(crate) fn area(&self) -> &'static str {
        AREAS
            .get((self.order >> 24) as usize)
            .copied()
            .unwrap_or("")
    }
}

/// Areas in order; index 0 is for uses inside loops.
pub(crate) const AREAS: [&str; 4] = ["", "heading", "detail", "summary"];

/// One element that must have a value for a use to be meant.
#[derive(Debug)]
pub(crate) struct When {
    /// Element number, from 1.
    pub(crate) element: usize,
    /// Component number, from 1; 0 for the whole element.
    pub(crate) component: usize,
    pub(crate) patterns: Vec<Pattern>,
}

/// A value or the beginning of one.
#[derive(Debug)]
pub(crate) enum Pattern {
    Is(String),
    Begins(String),
}

impl Pattern {
    #[inline]
    pub(crate) fn fits(&self, value: &[u8]) -> bool {
        match self {
            // Qualifiers are too short for a call of memcmp to pay.
            Pattern::Is(text) => {
                text.len() == value.len() && text.bytes().zip(value).all(|(a, &b)| a == b)
            }
            Pattern::Begins(text) => value.starts_with(text.as_bytes()),
        }
    }
}

impl When {
    /// How exact it is: a value beats a list, a list beats a prefix, a long prefix a short one.
    pub(crate) fn weight(&self) -> usize {
        match &self.patterns[..] {
            [Pattern::Is(_)] => 100,
            all => all
                .iter()
                .map(|p| match p {
                    Pattern::Is(_) => 80,
                    Pattern::Begins(text) => 10 + text.len(),
                })
                .min()
                .unwrap_or(0),
        }
    }
}

/// Steps through slots.
pub(crate) type Path = Vec<Step>;

/// One step: the slot, and what is made there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) slot: u32,
    pub(crate) kind: Kind,
}

/// The slot of a step that makes a new item of a list.
pub(crate) const ITEM: u32 = u32::MAX;

/// An element of a use.
#[derive(Debug)]
pub(crate) struct PlaceUse {
    pub(crate) usage: Usage,
    pub(crate) composite: bool,
    /// How often the element may repeat (from release 00402 on).
    pub(crate) max: u32,
    pub(crate) parts: Vec<PartUse>,
}

/// A simple element, or a component of a composite.
#[derive(Debug)]
pub(crate) struct PartUse {
    pub(crate) def: Arc<ElementDef>,
    pub(crate) usage: Usage,
    /// Where its value goes; empty where no `as` says.
    pub(crate) target: Path,
    pub(crate) is: Option<Rule>,
    pub(crate) codes: Option<Arc<CodeList>>,
    /// The forms of which its value has one; empty where any will do.
    pub(crate) forms: Vec<ValueForm>,
    /// Index into [`Use::runs`], group and field in it.
    pub(crate) run: Option<(usize, u32, usize)>,
}

impl PartUse {
    /// Whether its field holds whole numbers only.
    pub(crate) fn counts(&self) -> bool {
        let last = self.target.last();
        last.is_some_and(|step| step.kind == Kind::Leaf(Form::Integer))
    }

    /// The form its value takes in a free field.
    pub(crate) fn ext_form(&self) -> Form {
        form_of(self.def.data)
    }
}

/// The canonical form that a type has where the schema does not say.
pub(crate) fn form_of(data: DataType) -> Form {
    match data {
        DataType::Decimal | DataType::Implied(_) => Form::Decimal,
        DataType::Date => Form::Date,
        DataType::Time => Form::Time,
        _ => Form::Text,
    }
}

/// Repeated element groups inside a segment.
#[derive(Debug)]
pub(crate) struct Run {
    /// First element, from 1.
    pub(crate) first: usize,
    pub(crate) n: usize,
    /// The list, and what its items are.
    pub(crate) list: Path,
    pub(crate) item: Kind,
    /// For each element of a group its slot in the item; empty where the item is a leaf.
    pub(crate) fields: Vec<Step>,
}

/// A value that is made and not taken from the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Constant(String),
    /// How many items a list has; and, by the slot of the list in its own items, all below them.
    Count(Path, Option<u32>),
    /// The sum of a decimal over a list.
    Sum(Path),
    /// The ordinal of the loop among its repeats, from 1.
    Seq,
    /// The ordinal of the level in the set, from 1.
    Level,
    /// That of the level it stands below; nothing at the top.
    LevelParent,
    /// 1 where levels stand below it, else 0.
    LevelChildren,
}

/// Where in the tree a level may stand.
#[derive(Debug)]
pub(crate) struct LevelRule {
    /// The words of `under`; none means the top.
    pub(crate) under: Vec<String>,
    /// Whether it may stand at the top.
    pub(crate) top: bool,
    /// Whether it may stand below any level.
    pub(crate) anywhere: bool,
    /// The codes (HL03) of the levels that it may stand below, packed.
    pub(crate) codes: Vec<u32>,
    /// The slot of the list in the document, and of the list in a level: levels stand in levels.
    pub(crate) list: Option<u32>,
    pub(crate) nested: Option<u32>,
    /// What a level's record is.
    pub(crate) item: Kind,
    /// Whether the guide makes HL04.
    pub(crate) makes_children: bool,
}

impl LevelRule {
    /// The word for the top in `under`.
    pub(crate) const TOP: &str = "top";
    /// The word for everywhere in `under`.
    pub(crate) const ANYWHERE: &str = "*";

    /// Whether it may stand below a level of this code.
    pub(crate) fn admits(&self, code: u32) -> bool {
        self.anywhere || self.codes.contains(&code)
    }

    /// `below O or P`, `at the top`: for messages.
    pub(crate) fn places(&self) -> Text {
        let codes = self.under.iter().map(String::as_str);
        let codes: Vec<&str> = codes.filter(|code| *code != Self::TOP).collect();
        let below = match codes.split_last() {
            _ if self.anywhere => return text!("anywhere"),
            None => return text!("at the top"),
            Some((last, [])) => text!("below {last}", last = *last),
            Some((last, rest)) => text!(
                "below {codes} or {last}",
                codes = rest.join(", "),
                last = *last
            ),
        };
        match self.top {
            true => text!("at the top or {below}", below),
            false => below,
        }
    }
}

impl Guide {
    /// The guide as reading uses it.
    pub(crate) fn plan(&self) -> &Plan {
        self.plan.get_or_init(|| Plan::new(self))
    }

    /// Every `as` of the guide, as `heading.N1-ST.N102 -> ship_to.name`, for coverage.
    pub fn mapped(&self) -> Vec<String> {
        let mut all = Vec::new();
        for one in &self.uses {
            if let Some(node) = one.node.get("as") {
                all.push(format!("{} -> {}", self.path(one), text(node)));
            }
            for (key, node) in elements(one) {
                let fills = designator(key, &one.tag).is_some_and(|(element, component)| {
                    let part = &one.places[element - 1].parts[component.saturating_sub(1)];
                    part.run.is_some() || !part.target.is_empty()
                });
                if let Some(target) = node.get("as").filter(|_| fills) {
                    all.push(format!("{}.{key} -> {}", self.path(one), text(target)));
                }
            }
        }
        all
    }

    /// `heading.N1-ST.N4`.
    pub(crate) fn path(&self, one: &Use) -> String {
        match one.parent {
            Some(parent) => format!("{}.{}", self.path(&self.uses[parent]), one.key),
            None => format!("{}.{}", one.area(), one.key),
        }
    }

    /// The uses under `parent`, sorted by order, the exact before the general.
    #[inline]
    pub(crate) fn children(&self, parent: Option<UseId>) -> &[UseId] {
        match parent {
            Some(id) => &self.uses[id].children,
            None => &self.roots,
        }
    }
}

fn text(node: &Node) -> String {
    node.text().unwrap_or_default().to_owned()
}

/// The element tables of a use.
pub(crate) fn elements(one: &Use) -> impl Iterator<Item = (&str, &Node)> {
    let entries = one.node.table().into_iter().flatten();
    entries
        .filter(|(key, _)| designator(key, &one.tag).is_some())
        .map(|(key, node)| (&**key, node))
}

/// `PO104` → (4, 0), `REF04-1` → (4, 1) where the tag is the segment's own.
pub(crate) fn designator(key: &str, tag: &str) -> Option<(usize, usize)> {
    let rest = key.strip_prefix(tag)?;
    let (element, component) = match rest.split_once('-') {
        Some((element, component)) => (element, component.parse().ok()?),
        None => (rest, 0),
    };
    let two = element.len() == 2 && element.bytes().all(|b| b.is_ascii_digit());
    let number = element.parse().ok()?;
    (two && number > 0).then_some((number, component))
}
