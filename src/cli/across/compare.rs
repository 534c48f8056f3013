//! Papers of one order against each other, groups against their 997s, numbers against numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Facts, Kind, Line, Noted, Paper, Parties, Spot};
use crate::canonical::Decimal;
use crate::cli::explain::alike;
use crate::x12::{self, Fault, Severity, Text, TransactionSet, text};

/// A file's name and what is kept of it.
pub(in crate::cli) type Known = (String, Facts);

/// What the files tell of each other, by the number of the file that it is about.
pub(in crate::cli) fn all(
    files: &[Known],
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> BTreeMap<usize, Vec<Noted>> {
    let mut told = Told::default();
    twice(files, &mut told);
    answers(files, read, &mut told);
    papers(files, &mut told);
    for findings in told.0.values_mut() {
        findings.sort_by_key(|noted| noted.finding.location.offset);
    }
    told.0
}

#[derive(Default)]
struct Told(BTreeMap<usize, Vec<Noted>>);

impl Told {
    fn tell(&mut self, file: usize, noted: Noted) {
        self.0.entry(file).or_default().push(noted);
    }
}

/// One interchange number of one sender, in two files.
fn twice(files: &[Known], told: &mut Told) {
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (file, (_, facts)) in files.iter().enumerate() {
        for sent in &facts.interchanges {
            let first = *seen.entry((&sent.sender, &sent.number)).or_insert(file);
            if first != file {
                let message = text!(
                    "interchange {number} of {sender} is in {file} too",
                    number = &sent.number,
                    sender = &sent.sender,
                    file = &files[first].0
                );
                let fix = text!("give every interchange a control number of its own");
                told.tell(
                    file,
                    sent.at
                        .finding(13, Fault::DuplicateInterchange, message, fix),
                );
            }
        }
    }
}

/// A group by who sent it to whom, its kind and its number without zeros in front.
type Name<'a> = (&'a Parties, &'a str, &'a str);

fn bare(number: &str) -> &str {
    number.trim().trim_start_matches('0')
}

/// Groups and what answers them.
fn answers(files: &[Known], read: &dyn Fn(&str) -> Option<Vec<u8>>, told: &mut Told) {
    let mut groups: BTreeMap<Name<'_>, (usize, usize, usize)> = BTreeMap::new();
    let mut kinds: BTreeSet<(&Parties, &str)> = BTreeSet::new();
    for (file, (_, facts)) in files.iter().enumerate() {
        for (at, sent) in facts.interchanges.iter().enumerate() {
            for (number, group) in sent.groups.iter().enumerate() {
                let (parties, id) = (&group.parties, group.id.as_str());
                groups.insert((parties, id, bare(&group.number)), (file, at, number));
                kinds.insert((parties, id));
            }
        }
    }
    let mut answered = BTreeSet::new();
    let mut speakers = BTreeSet::new();
    for (file, (name, facts)) in files.iter().enumerate() {
        for answer in &facts.answers {
            let of = answer.parties.back();
            let (id, number) = (
                answer.said.functional_id.as_str(),
                bare(&answer.said.control_number),
            );
            speakers.insert(of.clone());
            match groups.get(&(&of, id, number)) {
                Some(place) => {
                    answered.insert(*place);
                    rejected(files, *place, name, answer, read, told);
                }
                None if kinds.contains(&(&of, id)) => {
                    told.tell(file, unknown(answer));
                }
                None => {}
            }
        }
    }
    for ((parties, id, _), place) in &groups {
        let (file, at, number) = *place;
        let sent = &files[file].1.interchanges[at];
        if speakers.contains(*parties) && *id != "FA" && !answered.contains(place) {
            let group = &sent.groups[number];
            let message = text!(
                "no 997 among these files answers group {id} {number}",
                id = &group.id,
                number = &group.number
            );
            let fix = text!("look into the transport log, then ask the partner for the 997");
            told.tell(
                file,
                group.at.finding(0, Fault::AnswerMissing, message, fix),
            );
        }
    }
}

fn unknown(answer: &Answer) -> Noted {
    let message = text!(
        "it answers group {id} {number}, which is in none of these files",
        id = &answer.said.functional_id,
        number = &answer.said.control_number
    );
    let fix = text!(
        "compare AK102 with the numbers of the groups that you sent: was it meant for another?"
    );
    answer.at.finding(2, Fault::AnswerUnknown, message, fix)
}

/// What an answer rejects, at its place in the file that was sent.
fn rejected(
    files: &[Known],
    (file, at, number): (usize, usize, usize),
    answer_file: &str,
    answer: &Answer,
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
    told: &mut Told,
) {
    let group = &files[file].1.interchanges[at].groups[number];
    let refused = answer
        .said
        .sets
        .iter()
        .filter(|set| !set.verdict.is_accepted());
    for verdict in refused {
        let mut sets = group.sets.iter();
        let Some((_, st)) = sets.find(|(set, _)| alike(set, &verdict.control_number)) else {
            continue;
        };
        let fix = || {
            text!(
                "`transload explain {answer} --original {file}` says more",
                answer = answer_file,
                file = &files[file].0
            )
        };
        if verdict.segments.is_empty() {
            let codes = verdict.codes.join(" ");
            let message = text!(
                "{answer} rejects set {set} of this group ({codes})",
                answer = answer_file,
                set = &verdict.control_number,
                codes
            );
            told.tell(
                file,
                group.at.finding(0, Fault::AnswerRejected, message, fix()),
            );
        }
        // Rare enough to read the file again.
        let sent = read(&files[file].0).and_then(|bytes| Sent::find(&bytes, *st));
        for fault in &verdict.segments {
            let place = |element: u32, code: &str| {
                let message = text!(
                    "{answer} rejects it with code {code}",
                    answer = answer_file,
                    code
                );
                let here = sent.as_ref().and_then(|sent| sent.spot(fault.position));
                here.unwrap_or_else(|| group.at.clone()).finding(
                    element,
                    Fault::AnswerRejected,
                    message,
                    fix(),
                )
            };
            if fault.elements.is_empty() {
                told.tell(file, place(0, &fault.codes.join(" ")));
            }
            for element in &fault.elements {
                told.tell(file, place(element.element, &element.code));
            }
        }
    }
}

/// A set that was sent, read again.
struct Sent {
    set: TransactionSet,
    delimiters: x12::Delimiters,
}

impl Sent {
    /// The set whose ST has this ordinal in the file.
    fn find(bytes: &[u8], st: u32) -> Option<Sent> {
        let read = x12::read(bytes).ok()?;
        for interchange in read.interchanges {
            let delimiters = interchange.delimiters;
            let mut sets = interchange.groups.into_iter().flat_map(|group| group.sets);
            if let Some(set) = sets.find(|set| set.position.ordinal == st) {
                return Some(Sent { set, delimiters });
            }
        }
        None
    }

    /// The segment at a position of the set, ST being 1.
    fn spot(&self, position: u32) -> Option<Spot> {
        let st = self.set.position.ordinal;
        let ordinal = st.checked_add(position.checked_sub(1)?)?;
        let segment = crate::cli::excerpt::segment_at(&self.set.segments, ordinal)?;
        Some(Spot::of(&segment, &self.delimiters, Some(st)))
    }
}

/// What is known of one order.
#[derive(Default)]
struct Deal<'f> {
    /// The last order of this number, and the others: a second one replaces it.
    order: Option<(usize, &'f Paper)>,
    orders: usize,
    /// Papers that answer it.
    others: Vec<(usize, &'f Paper)>,
}

/// Orders against what answers them.
fn papers(files: &[Known], told: &mut Told) {
    let mut deals: BTreeMap<(String, Parties), Deal<'_>> = BTreeMap::new();
    for (file, (_, facts)) in files.iter().enumerate() {
        for paper in &facts.papers {
            if paper.kind == Kind::Order {
                let deal = deals.entry((paper.order.clone(), paper.parties.clone()));
                let deal = deal.or_default();
                deal.order = Some((file, paper));
                deal.orders += 1;
                continue;
            }
            let own = [&paper.order].into_iter();
            let orders: BTreeSet<&String> = own
                .chain(paper.lines.iter().map(|line| &line.order))
                .collect();
            for order in orders {
                let deal = deals
                    .entry((order.clone(), paper.parties.back()))
                    .or_default();
                deal.others.push((file, paper));
            }
        }
    }
    for ((number, _), deal) in &deals {
        // Of two orders with one number nobody can tell which is meant.
        let Some((file, order)) = deal.order.filter(|_| deal.orders == 1) else {
            continue;
        };
        for (at, paper) in &deal.others {
            prices(&files[file].0, order, number, (*at, paper), told);
            unanswered(&files[file].0, order, number, (*at, paper), told);
        }
        quantities(&files[file].0, order, number, &deal.others, told);
        times(files, (file, order), &deal.others, told);
    }
}

impl Line {
    /// Whether two lines are one: by an id of the same kind, else by their number.
    fn is(&self, other: &Line) -> bool {
        let kinds = |line: &Line, kind: &str| line.ids.iter().any(|(k, _)| k == kind);
        let comparable = self.ids.iter().any(|(kind, _)| kinds(other, kind));
        match comparable {
            true => self.ids.iter().any(|id| other.ids.contains(id)),
            false => !self.number.is_empty() && bare(&self.number) == bare(&other.number),
        }
    }

    fn unit_is(&self, other: &Line) -> bool {
        self.unit.is_empty() || other.unit.is_empty() || self.unit == other.unit
    }

    /// `line 2 (UP 731200000117)`.
    fn name(&self) -> Text {
        match self.ids.first() {
            Some((kind, id)) => text!("{kind} {id}", kind, id),
            None => text!("line {number}", number = &self.number),
        }
    }
}

/// A price that is not the order's.
fn prices(
    order_file: &str,
    order: &Paper,
    number: &str,
    (file, paper): (usize, &Paper),
    told: &mut Told,
) {
    for line in paper.lines.iter().filter(|line| line.order == number) {
        let Some(due) = order
            .lines
            .iter()
            .find(|due| due.is(line) && due.unit_is(line))
        else {
            continue;
        };
        let (Some(price), Some(ordered)) = (line.price, due.price) else {
            continue;
        };
        if price.value() != ordered.value() {
            let message = text!(
                "the price of {item} is {price}; order {order} says {ordered} ({file})",
                item = line.name(),
                price = price.to_string(),
                order = number,
                ordered = ordered.to_string(),
                file = order_file
            );
            let fix =
                text!("agree on the price before you send: a buyer pays the lower one, or nothing");
            told.tell(
                file,
                line.at
                    .finding(line.price_at, Fault::LinePrice, message, fix),
            );
        }
    }
}

/// A line of the order that its answer leaves out.
fn unanswered(
    order_file: &str,
    order: &Paper,
    number: &str,
    (file, paper): (usize, &Paper),
    told: &mut Told,
) {
    // An answer without any line speaks of the order as a whole.
    if paper.kind != Kind::Answer || paper.lines.is_empty() {
        return;
    }
    for due in &order.lines {
        if !paper.lines.iter().any(|line| line.is(due)) {
            let message = text!(
                "{item} of order {order} is not answered ({file})",
                item = due.name(),
                order = number,
                file = order_file
            );
            let fix = text!("answer every line: one that is left out counts as rejected");
            told.tell(file, paper.at.finding(3, Fault::LineMissing, message, fix));
        }
    }
}

/// What was shipped or billed of each line, all papers together, against what was ordered.
fn quantities(
    order_file: &str,
    order: &Paper,
    number: &str,
    others: &[(usize, &Paper)],
    told: &mut Told,
) {
    for due in &order.lines {
        let Some(ordered) = due.quantity else {
            continue;
        };
        for kind in [Kind::Answer, Kind::Notice, Kind::Invoice] {
            let papers = others.iter().filter(|(_, paper)| paper.kind == kind);
            let lines =
                papers.flat_map(|(file, paper)| paper.lines.iter().map(|line| (*file, line)));
            let same: Vec<(usize, &Line)> = lines
                .filter(|(_, line)| line.order == number && line.is(due) && line.unit_is(due))
                .collect();
            let sum = same.iter().try_fold(Decimal::default(), |sum, (_, line)| {
                sum.checked_add(line.quantity?)
            });
            let (Some((file, last)), Some(sum)) = (same.last(), sum) else {
                continue;
            };
            let order_of = sum.value().cmp(&ordered.value());
            if order_of.is_eq() {
                continue;
            }
            let (item, quantity) = (due.name(), sum.value().normalize().to_string());
            let ordered = ordered.to_string();
            let message = match kind {
                Kind::Notice => text!(
                    "{quantity} of {item} are shipped; order {order} asks for {ordered} ({file})",
                    quantity,
                    item,
                    order = number,
                    ordered,
                    file = order_file
                ),
                Kind::Invoice => text!(
                    "{quantity} of {item} are billed; order {order} asks for {ordered} ({file})",
                    quantity,
                    item,
                    order = number,
                    ordered,
                    file = order_file
                ),
                _ => text!(
                    "{quantity} of {item} are answered; order {order} asks for {ordered} ({file})",
                    quantity,
                    item,
                    order = number,
                    ordered,
                    file = order_file
                ),
            };
            let fix =
                text!("compare the two: what is missing may follow, what is too much is refused");
            let mut noted = last
                .at
                .finding(last.quantity_at, Fault::LineQuantity, message, fix);
            // The rest may be on its way.
            if order_of.is_lt() && kind != Kind::Answer {
                noted.finding.severity = Severity::Info;
            }
            told.tell(*file, noted);
        }
    }
}

/// A paper that was written before the one that it follows.
fn times(files: &[Known], order: (usize, &Paper), others: &[(usize, &Paper)], told: &mut Told) {
    let mut flow: Vec<(usize, &Paper)> =
        [order].into_iter().chain(others.iter().copied()).collect();
    flow.sort_by_key(|(_, paper)| paper.kind);
    for (at, (file, paper)) in flow.iter().enumerate() {
        let before = flow[..at]
            .iter()
            .filter(|(_, other)| other.kind < paper.kind);
        let mut later =
            before.filter(|(_, other)| other.written > paper.written && paper.written.is_some());
        if let Some((other, earlier)) = later.next_back() {
            let of = |paper: &Paper| {
                paper
                    .written
                    .map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M").to_string())
            };
            let message = text!(
                "it was written at {written}, before what it follows: {file}, {other}",
                written = of(paper),
                file = &files[*other].0,
                other = of(earlier)
            );
            let fix = text!("stamp ISA09 and ISA10 when the interchange is made, in one time zone");
            told.tell(*file, paper.at.finding(0, Fault::FlowOrder, message, fix));
        }
    }
}
