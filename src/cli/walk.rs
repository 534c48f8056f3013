//! One pass over an X12 file, set by set: envelopes by `x12`, content by `mapping`, and both's
//! findings together in the order of the file. `check`, `show` and `translate` look on.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;

use super::Failure;
use super::across::Facts;
use super::crew::{Crew, Done, Task};
use super::envelope::origin;
use super::excerpt::{Excerpt, Recent, Remembering, segment_at};
use super::pull::{Body, Pulled};
use crate::canonical::{Document, Provenance};
use crate::mapping::{Gist, Guide, GuideError, Library, Reader};
use crate::x12::{
    self, Delimiters, Envelopes, Event, Fault, Finding, GroupHeader, InterchangeHeader, Location,
    Segments, TransactionSet, text,
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
    pub(super) group: &'a GroupHeader,
    pub(super) delimiters: &'a Delimiters,
    /// With a body only where documents are made; else with what something is told of.
    pub(super) set: &'a TransactionSet,
    /// Segments of its body.
    pub(super) length: usize,
    pub(super) guide: Option<Arc<Guide>>,
    /// What it says, where a document was asked for.
    pub(super) document: Option<Document>,
    /// What it is about, where that was asked for.
    pub(super) gist: Option<Gist>,
    /// The document's JSON, where that was asked for.
    pub(super) json: &'a [u8],
    /// What is wrong in it.
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
            trouble => Failure::usage(super::words::refusal(&trouble)),
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

/// What is made of the sets. Checking needs no documents, and takes a fraction of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    /// A document of each.
    Documents,
    /// The gist of the first, and nothing of the others. Bodies are not kept: no set can be read
    /// again.
    First,
    /// The JSON of each set's document, with where it came from.
    Json,
}

/// Walks a file and shows each interchange, set and finding to `see`, in the order of the file.
/// With more than one of `jobs`, sets are translated on as many threads.
pub(super) fn walk(
    source: impl Read,
    guides: &Guides,
    make: Make,
    jobs: usize,
    see: &mut dyn FnMut(Seen<'_>) -> io::Result<()>,
) -> Result<Totals, Trouble> {
    // What is only translated is not doubted.
    let mut facts = (make != Make::Json).then(|| Facts::new(0, false));
    walk_keeping(source, guides, make, jobs, facts.as_mut(), see)
}

/// As [`walk`], keeping the keys of its documents to be compared with others.
pub(super) fn walk_keeping(
    source: impl Read,
    guides: &Guides,
    make: Make,
    jobs: usize,
    facts: Option<&mut Facts>,
    see: &mut dyn FnMut(Seen<'_>) -> io::Result<()>,
) -> Result<Totals, Trouble> {
    std::thread::scope(|scope| {
        let crew = match jobs {
            0 | 1 => None,
            jobs => Some(Crew::new(scope, jobs, Task::run)),
        };
        Walker::new(guides, make, crew, facts).walk(source, see)
    })
}

/// Findings with their sources: segments of the set, or what was read last where that is at hand.
pub(super) fn noted(
    found: Vec<Finding>,
    segments: &Segments,
    delimiters: &Delimiters,
    recent: Option<&Recent>,
) -> Vec<Noted> {
    let noted = found.into_iter().map(|finding| {
        let segment = segment_at(segments, finding.location.segment);
        let excerpt = match segment {
            Some(segment) => Some(Excerpt::of(&segment, &finding.location, delimiters)),
            None => recent.and_then(|recent| recent.excerpt(&finding, delimiters)),
        };
        Noted { finding, excerpt }
    });
    noted.collect()
}

struct Walker<'g> {
    guides: &'g Guides,
    make: Make,
    crew: Option<Crew<Task, Done>>,
    interchange: InterchangeHeader,
    group: Arc<GroupHeader>,
    /// What the group says of the origin of its sets, once one was asked for.
    origin: Option<Arc<Provenance>>,
    /// The guide of the last set, its release and its number.
    guide: Option<(String, String, Option<Arc<Guide>>)>,
    /// Sets and releases without a guide that were told.
    told: HashSet<(String, String)>,
    /// No set came yet.
    first: bool,
    /// A set whose memory is used again.
    spare: TransactionSet,
    /// The body of the current set, where it was read on its way.
    pulled: Option<Pulled>,
    /// Who keeps the keys of what goes by.
    facts: Option<&'g mut Facts>,
}

impl<'g> Walker<'g> {
    fn new(
        guides: &'g Guides,
        make: Make,
        crew: Option<Crew<Task, Done>>,
        facts: Option<&'g mut Facts>,
    ) -> Walker<'g> {
        Walker {
            guides,
            make,
            crew,
            interchange: InterchangeHeader::default(),
            group: Arc::default(),
            origin: None,
            guide: None,
            told: HashSet::new(),
            first: true,
            spare: TransactionSet::default(),
            pulled: None,
            facts,
        }
    }

    fn walk(
        mut self,
        source: impl Read,
        see: &mut dyn FnMut(Seen<'_>) -> io::Result<()>,
    ) -> Result<Totals, Trouble> {
        let recent = Rc::new(RefCell::new(Recent::default()));
        let source = Remembering {
            source,
            recent: recent.clone(),
        };
        let mut envelopes = Envelopes::new(source);
        let mut totals = Totals::default();
        loop {
            let mut is_set = false;
            match envelopes.next()? {
                Some(Event::Interchange(header, by, at)) => {
                    self.interchange = header.clone();
                    if let Some(facts) = &mut self.facts {
                        facts.interchange(header, by, at);
                    }
                    self.wait(0, see)?;
                    totals.interchanges += 1;
                    see(Seen::Interchange(&self.interchange))?;
                }
                Some(Event::Group(header, at)) => {
                    if let Some(facts) = &mut self.facts {
                        facts.group(header, at);
                    }
                    self.group = Arc::new(header.clone());
                    self.origin = None;
                }
                Some(Event::SetBegin(set)) => {
                    if let Some(facts) = &mut self.facts {
                        facts.begin(set);
                    }
                    let (id, number) = (set.id.clone(), set.control_number.clone());
                    self.pull(&id, &number, &mut envelopes, &recent)?;
                    continue;
                }
                Some(Event::Set(read)) => {
                    // It changes places with another, so that the memory of both is used again.
                    std::mem::swap(read, &mut self.spare);
                    is_set = true;
                }
                Some(_) => {}
                None => break,
            };
            let delimiters = *envelopes.delimiters();
            let found = envelopes.take_findings();
            match is_set {
                true => self.set(delimiters, envelopes.length(), found, &recent.borrow(), see)?,
                false => self.outside(found, &delimiters, &recent.borrow(), see)?,
            }
        }
        let delimiters = *envelopes.delimiters();
        let found = envelopes.take_findings();
        self.wait(0, see)?;
        self.outside(found, &delimiters, &recent.borrow(), see)?;
        totals.segments = envelopes.segments();
        Ok(totals)
    }

    /// Reads the body of the set that was begun.
    fn pull<R: Read>(
        &mut self,
        set: &str,
        number: &str,
        envelopes: &mut Envelopes<R>,
        recent: &RefCell<Recent>,
    ) -> Result<(), Trouble> {
        let guide = self.guide(set)?;
        let Some(guide) = guide.filter(|_| self.make != Make::Documents) else {
            return Ok(());
        };
        let delimiters = *envelopes.delimiters();
        let origin = (self.make == Make::Json).then(|| {
            let mut origin = Provenance::clone(&self.origin(&delimiters));
            origin.set = Some(number.to_owned());
            origin
        });
        let body = Body {
            delimiters: &delimiters,
            recent,
            kept: std::mem::take(&mut self.spare.segments),
            found: Vec::new(),
            facts: self.facts.as_deref_mut().filter(|facts| facts.listens()),
        };
        let collect = self.crew.is_some();
        self.pulled = Some(match origin {
            Some(origin) => {
                let begin = || Reader::new(&guide, &delimiters);
                body.read(envelopes, collect, begin, |reader| {
                    let mut json = Vec::new();
                    (reader.json(origin, &mut json), json)
                })?
            }
            // The gist of the first set is asked for.
            None => {
                let begin = || Reader::checking(&guide, &delimiters);
                body.read(envelopes, collect || self.first, begin, |reader| {
                    (reader.findings(), Vec::new())
                })?
            }
        });
        Ok(())
    }

    /// Shows findings outside of sets, after the sets before them.
    fn outside(
        &mut self,
        found: Vec<Finding>,
        delimiters: &Delimiters,
        recent: &Recent,
        see: &mut dyn FnMut(Seen<'_>) -> io::Result<()>,
    ) -> Result<(), Trouble> {
        if found.is_empty() {
            return Ok(());
        }
        self.wait(0, see)?;
        Ok(see(Seen::Findings(noted(
            found,
            &Segments::default(),
            delimiters,
            Some(recent),
        )))?)
    }

    /// Has the set that was read translated, and shown when those before it have been.
    fn set(
        &mut self,
        delimiters: Delimiters,
        length: u32,
        mut found: Vec<Finding>,
        recent: &Recent,
        see: &mut dyn FnMut(Seen<'_>) -> io::Result<()>,
    ) -> Result<(), Trouble> {
        let mut set = std::mem::take(&mut self.spare);
        let guide = self.guide(&set.id)?;
        let pulled = self.pulled.take().map(|pulled| {
            set.segments = pulled.segments;
            (pulled.found, pulled.reading)
        });
        let (noted_before, reading) = pulled.unwrap_or_default();
        if let Some(facts) = &mut self.facts {
            // Its segments went by, or are all here.
            if reading.is_none() && facts.listens() {
                set.segments
                    .iter()
                    .for_each(|segment| facts.segment(&segment));
            }
            found.extend(facts.end());
        }
        if guide.is_none() {
            found.extend(self.without_guide(&set));
        }
        let make = match self.make {
            Make::First if !std::mem::take(&mut self.first) => None,
            make => Some(make),
        };
        let mut found = noted(found, &set.segments, &delimiters, Some(recent));
        found.extend(noted_before);
        let task = Task {
            group: self.group.clone(),
            delimiters,
            found,
            origin: match make {
                Some(Make::Json) => Some(self.origin(&delimiters)),
                _ => None,
            },
            set,
            length,
            guide,
            make,
            reading,
        };
        match &mut self.crew {
            None => {
                let done = task.run();
                self.show(done, see)
            }
            Some(crew) => {
                crew.start(task);
                let room = crew.room();
                self.wait(room, see)
            }
        }
    }

    /// Shows what the crew has done, until no more than `left` sets are under way.
    fn wait(
        &mut self,
        left: usize,
        see: &mut dyn FnMut(Seen<'_>) -> io::Result<()>,
    ) -> Result<(), Trouble> {
        while let Some(done) = self.crew.as_mut().and_then(|crew| crew.next(left)) {
            self.show(done, see)?;
        }
        Ok(())
    }

    fn show(
        &mut self,
        done: Done,
        see: &mut dyn FnMut(Seen<'_>) -> io::Result<()>,
    ) -> Result<(), Trouble> {
        let task = done.task;
        see(Seen::Set(Box::new(SeenSet {
            group: &task.group,
            delimiters: &task.delimiters,
            set: &task.set,
            length: task.length as usize,
            guide: task.guide,
            document: done.document,
            gist: done.gist,
            json: &done.json,
            findings: done.findings,
        })))?;
        self.spare = task.set;
        Ok(())
    }

    /// The guide of a set of the current group; of none where no file describes it.
    fn guide(&mut self, set: &str) -> Result<Option<Arc<Guide>>, Trouble> {
        let version = &self.group.version;
        if let Some((last, id, guide)) = &self.guide
            && last == version
            && id == set
        {
            return Ok(guide.clone());
        }
        let Guides { library, partner } = self.guides;
        let guide = library.guide(partner.as_deref(), version, set);
        let guide = guide.transpose().map_err(Trouble::Guide)?;
        self.guide = Some((version.clone(), set.to_owned(), guide.clone()));
        Ok(guide)
    }

    fn origin(&mut self, delimiters: &Delimiters) -> Arc<Provenance> {
        let origin = || Arc::new(origin(&self.interchange, &self.group, delimiters));
        self.origin.get_or_insert_with(origin).clone()
    }

    /// Tells once a file that a set has no guide.
    fn without_guide(&mut self, set: &TransactionSet) -> Option<Finding> {
        let release = self.group.release().to_owned();
        if !self.told.insert((set.id.clone(), release.clone())) {
            return None;
        }
        let id = &set.id;
        let message = text!(
            "no guide describes set {id} of release {release}: its content is not checked",
            id,
            release = &release
        );
        let fix = text!(
            "write x12/{release}/{id}.toml and give its folder as --mappings",
            release,
            id
        );
        let location = Location {
            tag: "ST".to_owned(),
            ..set.position.into()
        };
        Some(Finding::new(Fault::NoGuide, location, message, fix))
    }
}
