//! One pass over an X12 file, set by set: envelopes by `x12`, content by `mapping`, and both's
//! findings together in the order of the file. `check`, `show` and `translate` look on.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;

use super::Failure;
use super::excerpt::{Excerpt, Recent, Remembering, segment_at};
use crate::mapping::{self, Guide, GuideError, Library};
use crate::x12::{
    self, Delimiters, Envelopes, Event, Fault, Finding, GroupHeader, InterchangeHeader, Location,
    TransactionSet,
};

/// The guides that files are read by.
#[derive(Clone)]
pub struct Guides {
    /// All there are.
    pub library: Library,
    /// Whose overlays come before the standard's guides.
    pub partner: Option<String>,
}

/// A finding and the segment that it is about.
#[derive(Clone, Debug)]
pub struct Noted {
    /// What, where, why.
    pub finding: Finding,
    /// The source, where it is still at hand.
    pub excerpt: Option<Excerpt>,
}

/// A set, its envelope and what it says.
pub(super) struct SeenSet<'a> {
    pub(super) interchange: &'a InterchangeHeader,
    pub(super) group: &'a GroupHeader,
    pub(super) delimiters: &'a Delimiters,
    pub(super) set: &'a TransactionSet,
    pub(super) guide: Option<Arc<Guide>>,
    pub(super) reading: mapping::Reading,
    /// What is wrong in it; `reading` keeps none of it.
    pub(super) findings: Vec<Noted>,
}

/// What goes by.
pub(super) enum Seen<'a> {
    Interchange(&'a InterchangeHeader),
    Set(Box<SeenSet<'a>>),
    /// What is wrong outside of sets.
    Findings(Vec<Noted>),
}

/// Why a file could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It is not X12, or its source failed.
    #[error(transparent)]
    Unreadable(#[from] x12::Error),
    /// A guide that it needs is broken.
    #[error("a guide is broken:\n{}", list(.0))]
    Guide(Vec<GuideError>),
    /// The result cannot be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}

fn list(errors: &[GuideError]) -> String {
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    all.join("\n")
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        match trouble {
            Trouble::Output(error) => error.into(),
            trouble => Failure::usage(trouble),
        }
    }
}

/// What a file held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Segments, envelopes included.
    pub(super) segments: u32,
    pub(super) interchanges: u32,
}

/// Which sets are made documents of. Checking needs none, and takes a fraction of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Documents {
    All,
    First,
}

/// Walks a file and shows each interchange, set and finding to `see`.
pub(super) fn walk(
    source: impl Read,
    guides: &Guides,
    documents: Documents,
    see: &mut dyn FnMut(Seen<'_>) -> io::Result<()>,
) -> Result<Totals, Trouble> {
    let recent = Rc::new(RefCell::new(Recent::default()));
    let source = Remembering {
        source,
        recent: recent.clone(),
    };
    let mut envelopes = Envelopes::new(source);
    let mut walker = Walker {
        guides,
        interchange: InterchangeHeader::default(),
        group: GroupHeader::default(),
        told: HashSet::new(),
        documents,
        first: true,
    };
    let mut totals = Totals::default();
    // Changes places with the set of `envelopes`, so that the memory of both is used again.
    let mut set = TransactionSet::default();
    loop {
        let is_set = match envelopes.next()? {
            Some(Event::Interchange(header, ..)) => {
                walker.interchange = header.clone();
                totals.interchanges += 1;
                see(Seen::Interchange(&walker.interchange))?;
                false
            }
            Some(Event::Group(header, _)) => {
                walker.group = header.clone();
                false
            }
            Some(Event::Set(read)) => {
                std::mem::swap(read, &mut set);
                true
            }
            Some(_) => false,
            None => break,
        };
        let delimiters = *envelopes.delimiters();
        let found = envelopes.take_findings();
        match is_set {
            true => {
                let seen = walker.set(&set, &delimiters, found, &recent.borrow())?;
                see(Seen::Set(Box::new(seen)))?;
            }
            false => outside(found, &delimiters, &recent.borrow(), see)?,
        }
    }
    let delimiters = *envelopes.delimiters();
    outside(
        envelopes.take_findings(),
        &delimiters,
        &recent.borrow(),
        see,
    )?;
    totals.segments = envelopes.segments();
    Ok(totals)
}

fn outside(
    found: Vec<Finding>,
    delimiters: &Delimiters,
    recent: &Recent,
    see: &mut dyn FnMut(Seen<'_>) -> io::Result<()>,
) -> io::Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let noted = found.into_iter().map(|finding| Noted {
        excerpt: recent.excerpt(&finding, delimiters),
        finding,
    });
    see(Seen::Findings(noted.collect()))
}

struct Walker<'g> {
    guides: &'g Guides,
    interchange: InterchangeHeader,
    group: GroupHeader,
    /// Sets and releases without a guide that were told.
    told: HashSet<(String, String)>,
    documents: Documents,
    /// No set came yet.
    first: bool,
}

impl Walker<'_> {
    fn set<'a>(
        &'a mut self,
        set: &'a TransactionSet,
        delimiters: &'a Delimiters,
        mut found: Vec<Finding>,
        recent: &Recent,
    ) -> Result<SeenSet<'a>, Trouble> {
        let Guides { library, partner } = self.guides;
        let guide = library.guide(partner.as_deref(), &self.group.version, &set.id);
        let guide = guide.transpose().map_err(Trouble::Guide)?;
        let mut reading = match &guide {
            Some(guide) if self.wants_document() => mapping::read(guide, &set.segments, delimiters),
            Some(guide) => mapping::check(guide, &set.segments, delimiters).into(),
            None => self
                .without_guide(set)
                .into_iter()
                .collect::<Vec<_>>()
                .into(),
        };
        found.append(&mut reading.findings);
        found.sort_by_key(|finding| (finding.location.segment, finding.location.offset));
        let noted = found.into_iter().map(|finding| {
            let segment = segment_at(&set.segments, finding.location.segment);
            let excerpt = match segment {
                Some(segment) => Some(Excerpt::of(&segment, &finding.location, delimiters)),
                None => recent.excerpt(&finding, delimiters),
            };
            Noted { finding, excerpt }
        });
        let findings = noted.collect();
        Ok(SeenSet {
            interchange: &self.interchange,
            group: &self.group,
            delimiters,
            set,
            guide,
            reading,
            findings,
        })
    }

    fn wants_document(&mut self) -> bool {
        self.documents == Documents::All || std::mem::take(&mut self.first)
    }

    /// Tells once a file that a set has no guide.
    fn without_guide(&mut self, set: &TransactionSet) -> Option<Finding> {
        let release = self.group.release().to_owned();
        if !self.told.insert((set.id.clone(), release.clone())) {
            return None;
        }
        let id = &set.id;
        let message =
            format!("no guide describes set {id} of release {release}: its content is not checked");
        let fix = format!("write x12/{release}/{id}.toml and give its folder as --mappings");
        let location = Location {
            tag: "ST".to_owned(),
            ..set.position.into()
        };
        Some(Finding::new(Fault::NoGuide, location, message, fix))
    }
}
