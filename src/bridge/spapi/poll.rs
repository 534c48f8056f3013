//! Polling: which window of orders is asked for next, and what its answer changes.
//!
//! ```text
//! created   ├── 7 days ──┤├── 7 days ──┤├─ now      by when an order became available
//! changed   ├── 7 days ──┤├── 7 days ──┤├─ now      by when it was changed
//! open      from the beginning to now, once a day: what is not closed, whatever was said of it
//! ```
//!
//! A watermark says until when a stream was read. A window begins an overlap before it, for what
//! became visible late, and is never longer than the API allows nor reaches back further; who reads
//! drops what he knows (order and change date). A window that is refused as it is becomes shorter,
//! and what cannot be asked for at all is a [`Gap`] with a name. Pure: marks and time in, a window
//! out; the marks are what is kept.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Account, Call, backoff};

/// The longest window that the API takes.
pub const WINDOW: TimeDelta = TimeDelta::days(7);
/// How far back it answers: six months, the shortest there are, and a day less for clocks.
pub const REACH: TimeDelta = TimeDelta::days(180);
/// How far windows overlap: what becomes visible this late is still found.
pub const OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// The shortest window that is tried before it is called a gap.
pub const NARROWEST: TimeDelta = TimeDelta::minutes(1);
/// Orders on a page: the most that the API gives.
pub const PAGE: u32 = 100;
/// Pages of a window; a list that does not end is a defect of the other side.
pub const PAGES: u32 = 1000;
/// How often a list may be refused in its middle before it is asked for in shorter windows: the name
/// of a page becomes old, and one that always is would keep the stream where it stands. As often the
/// shortest window is tried, from a second earlier each time, before it is called a gap.
const TORN: u32 = 3;
/// The most that our clock may be ahead of theirs, in seconds: what is more is no clock of theirs.
const AHEAD: i64 = 86_400;
/// Gaps that are kept: neighbours become one, so there are few.
const GAPS: usize = 100;
/// The states that the sweep asks for, one after the other.
const OPEN: [&str; 2] = ["New", "Acknowledged"];

/// Which orders a window is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Those that became available in it.
    Created,
    /// Those that were changed in it.
    Changed,
    /// Those that became available in it and are still open.
    Open,
}

impl Stream {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Stream::Created => "created",
            Stream::Changed => "changed",
            Stream::Open => "open",
        }
    }
}

/// What to poll, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where reading begins; nothing before it is asked for.
    pub since: DateTime<Utc>,
    /// How often the created and the changed are asked for. The API wants it hourly at least.
    pub every: TimeDelta,
    /// How often all that is open is looked at.
    pub sweep: TimeDelta,
    /// Silence that is told.
    pub silence: TimeDelta,
    /// Whether these are orders of direct fulfillment, which have no changes.
    pub direct: bool,
}

impl Plan {
    /// Every ten minutes, swept once a day, told after an hour.
    #[must_use]
    pub fn since(since: DateTime<Utc>) -> Plan {
        Plan {
            since,
            every: TimeDelta::minutes(10),
            sweep: TimeDelta::days(1),
            silence: TimeDelta::hours(1),
            direct: false,
        }
    }

    fn floor(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.since.max(now - REACH)
    }
}

/// A window, and where in it one is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Which orders.
    pub stream: Stream,
    /// From here.
    pub from: DateTime<Utc>,
    /// To here.
    pub to: DateTime<Utc>,
    /// Which page, as the page before named it.
    pub page: Option<String>,
    /// How many pages were read.
    #[serde(default)]
    pub pages: u32,
    /// Of a sweep: which state.
    #[serde(default)]
    pub pass: usize,
}

impl Window {
    /// The request for it.
    #[must_use]
    pub fn call(&self, account: &Account) -> Call {
        let call = match account.direct {
            true => Call::of("vendorDirectFulfillmentOrdersV1.getOrders"),
            false => Call::of("vendorOrders.getPurchaseOrders"),
        };
        let call = Call::to(account.version.twin(call.endpoint));
        let call = match self.stream {
            Stream::Changed => call
                .when("changedAfter", self.from)
                .when("changedBefore", self.to),
            Stream::Created | Stream::Open => call
                .when("createdAfter", self.from)
                .when("createdBefore", self.to),
        };
        // No sort order: for some accounts it is refused, and for others ignored.
        let call = call.with("limit", PAGE).with("includeDetails", true);
        let call = match (self.stream, account.direct) {
            (Stream::Open, true) => call.with("status", "NEW"),
            (Stream::Open, false) => call.with("purchaseOrderState", OPEN[self.pass]),
            _ => call,
        };
        let call = match (account.vendor_codes.as_slice(), account.direct) {
            ([only], false) => call.with("orderingVendorCode", only),
            _ => call,
        };
        match &self.page {
            Some(token) => call.with("nextToken", token),
            None => call,
        }
    }
}

/// A span that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Of which stream.
    pub stream: Stream,
    /// From here.
    pub from: DateTime<Utc>,
    /// To here.
    pub to: DateTime<Utc>,
    /// Why.
    pub why: String,
}

/// Where a sweep is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sweep {
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    pass: usize,
}

/// What is kept of polling an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// Until when the created were read.
    pub created: Option<DateTime<Utc>>,
    /// Until when the changed were read.
    pub changed: Option<DateTime<Utc>>,
    /// When the last sweep began that came to its end.
    pub swept: Option<DateTime<Utc>>,
    /// When the API last answered as it should.
    pub heard: Option<DateTime<Utc>>,
    /// When polling began.
    pub began: Option<DateTime<Utc>>,
    /// Spans that could not be read.
    pub gaps: Vec<Gap>,
    /// Failures since the last answer.
    pub failures: u32,
    sweep: Option<Sweep>,
    window: Option<Window>,
    width: Option<i64>,
    /// How often in a row a list was refused in its middle, or as short as it can be.
    torn: u32,
    /// By how many seconds our clock was ahead of theirs.
    ahead: i64,
    not_before: Option<DateTime<Utc>>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask for this.
    Ask(Window),
    /// Nothing until then.
    Wait(DateTime<Utc>),
}

/// Why a window was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The same may be read later, perhaps not sooner than this.
    Later(Option<TimeDelta>),
    /// The request itself is refused.
    Invalid,
}

impl Marks {
    /// What to ask for now.
    #[must_use]
    pub fn next(&self, plan: &Plan, now: DateTime<Utc>) -> Next {
        if let Some(later) = self.not_before.filter(|later| *later > now) {
            return Next::Wait(later);
        }
        if let Some(window) = &self.window {
            return Next::Ask(window.clone());
        }
        let mut due = now + plan.every;
        for stream in [Stream::Created, Stream::Changed] {
            if stream == Stream::Changed && plan.direct {
                continue;
            }
            match self.mark(stream) {
                // Behind by more than an interval, or still catching up.
                Some(mark) if now - mark < plan.every => due = due.min(mark + plan.every),
                // It begins now, or later.
                None if plan.floor(now) >= now => due = due.min(plan.since + plan.every),
                mark => return Next::Ask(self.window(stream, mark, plan, now)),
            }
        }
        match &self.sweep {
            Some(sweep) => Next::Ask(self.swept_window(sweep, plan, now)),
            None => {
                let last = self.swept.or(self.began).unwrap_or(now);
                match last + plan.sweep {
                    later if later > now || plan.floor(now) >= now => Next::Wait(due.min(later)),
                    _ => Next::Ask(self.swept_window(&sweep_from(plan, now), plan, now)),
                }
            }
        }
    }

    fn mark(&self, stream: Stream) -> Option<DateTime<Utc>> {
        match stream {
            Stream::Created => self.created,
            Stream::Changed => self.changed,
            Stream::Open => self.sweep.as_ref().map(|sweep| sweep.at),
        }
    }

    /// By how much a window begins earlier for what failed: some times are refused for no reason that
    /// anybody was told. It goes around, so that it is another beginning however often it failed before.
    fn earlier(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.failures % 60))
    }

    /// The next window of a stream.
    fn window(
        &self,
        stream: Stream,
        mark: Option<DateTime<Utc>>,
        plan: &Plan,
        now: DateTime<Utc>,
    ) -> Window {
        let floor = plan.floor(now);
        // What they place in a window after we read it is what their clock is behind ours.
        let ahead = TimeDelta::seconds(self.ahead.clamp(0, AHEAD));
        let shift = OVERLAP + ahead + self.earlier();
        let from = mark.map_or(floor, |mark| (mark - shift).max(floor));
        let start = mark.unwrap_or(from).max(from);
        let width = self.width.map_or(WINDOW, TimeDelta::seconds);
        let to = (start + width).min(from + WINDOW).min(now);
        Window {
            stream,
            from,
            to: to.max(from + TimeDelta::seconds(1)).min(now.max(from)),
            page: None,
            pages: 0,
            pass: 0,
        }
    }

    fn swept_window(&self, sweep: &Sweep, plan: &Plan, now: DateTime<Utc>) -> Window {
        let floor = plan.floor(now);
        let start = sweep.at.max(floor);
        let from = (start - self.earlier()).max(floor);
        let width = self.width.map_or(WINDOW, TimeDelta::seconds);
        let to = (start + width).min(from + WINDOW).min(sweep.until);
        Window {
            stream: Stream::Open,
            from,
            to: to.max(from),
            page: None,
            pages: 0,
            pass: sweep.pass,
        }
    }

    /// Takes note of the time at the server: while our clock is ahead of it, windows overlap by as
    /// much more.
    #[must_use]
    pub fn dated(self, theirs: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Marks {
        let ahead = theirs.map(|theirs| (now - theirs).num_seconds());
        let ahead = ahead.filter(|ahead| (0..=AHEAD).contains(ahead));
        Marks {
            ahead: ahead.unwrap_or(0),
            ..self
        }
    }

    /// Takes note that a page was read, and all of it is safe. `next` names the page after it.
    #[must_use]
    pub fn answered(
        mut self,
        window: &Window,
        next: Option<&str>,
        plan: &Plan,
        now: DateTime<Utc>,
    ) -> Marks {
        self.heard = Some(now);
        self.began = self.began.or(Some(now));
        (self.failures, self.not_before, self.window) = (0, None, None);
        let more = next.filter(|next| window.page.as_deref() != Some(next));
        if let Some(next) = more.filter(|_| window.pages + 1 < PAGES) {
            self.window = Some(Window {
                page: Some(next.to_owned()),
                pages: window.pages + 1,
                ..window.clone()
            });
            return self;
        }
        if next.is_some() {
            self.gap(window, "its list of pages does not end");
        }
        (self.width, self.torn) = (None, 0);
        self.past(window, plan, now);
        self
    }

    /// Moves the mark of a stream to the end of a window. What the API no longer reaches is a gap.
    fn past(&mut self, window: &Window, plan: &Plan, now: DateTime<Utc>) {
        let mark = self.mark(window.stream);
        if let Some(mark) = mark.filter(|mark| *mark < window.from && window.stream != Stream::Open)
        {
            let missed = Window {
                from: mark,
                to: window.from,
                ..window.clone()
            };
            self.gap(&missed, "it is further back than the API answers");
        }
        let to = mark.map_or(window.to, |mark| mark.max(window.to));
        match window.stream {
            Stream::Created => self.created = Some(to),
            Stream::Changed => self.changed = Some(to),
            Stream::Open => {
                let mut sweep = self.sweep.take().unwrap_or_else(|| sweep_from(plan, now));
                sweep.at = to;
                let passes = if plan.direct { 1 } else { OPEN.len() };
                if to < sweep.until {
                    self.sweep = Some(sweep);
                } else if sweep.pass + 1 < passes {
                    let at = plan.floor(now).min(sweep.until);
                    let pass = sweep.pass + 1;
                    self.sweep = Some(Sweep { at, pass, ..sweep });
                } else {
                    self.swept = Some(sweep.until);
                }
            }
        }
    }

    /// Takes note that a window was not read. `draw` is fresh randomness.
    #[must_use]
    pub fn failed(
        mut self,
        window: &Window,
        failure: Failure,
        plan: &Plan,
        now: DateTime<Utc>,
        draw: u64,
    ) -> Marks {
        self.began = self.began.or(Some(now));
        self.failures = self.failures.saturating_add(1);
        let after = match failure {
            Failure::Later(after) => after,
            Failure::Invalid => None,
        };
        self.not_before = Some(now + backoff(self.failures, after, draw));
        if failure != Failure::Invalid {
            return self;
        }
        // A page's name may have become old: the window is read again from its first page.
        self.window = None;
        let start = self.mark(window.stream).unwrap_or(window.from);
        let width = window.to - start.max(window.from);
        let short = width <= NARROWEST;
        if window.page.is_some() || short {
            self.torn += 1;
            if self.torn < TORN {
                return self;
            }
        }
        if !short {
            let narrower = (width / 2).max(NARROWEST);
            (self.width, self.torn) = (Some(narrower.num_seconds()), 0);
            return self;
        }
        self.gap(window, "the API refuses to list it");
        (self.width, self.torn) = (None, 0);
        self.past(window, plan, now);
        self
    }

    fn gap(&mut self, window: &Window, why: &str) {
        let Window {
            stream, from, to, ..
        } = *window;
        let why = why.to_owned();
        let near = |gap: &&mut Gap| {
            gap.stream == stream && gap.why == why && gap.to + OVERLAP * 7 >= from && gap.from <= to
        };
        if let Some(gap) = self.gaps.iter_mut().find(near) {
            (gap.from, gap.to) = (gap.from.min(from), gap.to.max(to));
        } else if self.gaps.len() < GAPS {
            self.gaps.push(Gap {
                stream,
                from,
                to,
                why,
            });
        }
    }

    /// How long nothing was heard, where that is longer than it may be.
    #[must_use]
    pub fn silent(&self, plan: &Plan, now: DateTime<Utc>) -> Option<TimeDelta> {
        let silent = now - self.heard.or(self.began)?;
        (silent > plan.silence).then_some(silent)
    }
}

fn sweep_from(plan: &Plan, now: DateTime<Utc>) -> Sweep {
    Sweep {
        at: plan.floor(now).min(now),
        until: now,
        pass: 0,
    }
}
