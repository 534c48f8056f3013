//! Documents of one order against each other.
//!
//! Of several answers the last one holds, line by line; of several notices, or invoices, of one
//! number the last. What is told is told of the later document.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Kind, Line, Paper, Part, Parties, Purpose, Remark, Verdict, What};
use crate::canonical::Decimal;

/// What these documents say of each other. Between 10,000 orders this takes as long as looking each
/// of their lines up a few times.
pub fn reconcile<P: Clone>(papers: &[Paper<P>]) -> Vec<Remark<P>> {
    let mut told = Vec::new();
    twice(papers, &mut told);
    let mut deals: BTreeMap<(&str, Parties), Deal<'_, P>> = BTreeMap::new();
    for paper in papers {
        if paper.kind == Kind::Order {
            let deal = deals.entry((&paper.order, paper.parties.clone()));
            deal.or_default().orders.push(paper);
            continue;
        }
        let own = [&*paper.order].into_iter();
        let orders: BTreeSet<&str> = own
            .chain(paper.lines.iter().map(|line| &*line.order))
            .collect();
        for order in orders {
            let deal = deals.entry((order, paper.parties.back()));
            deal.or_default().others.push(paper);
        }
    }
    for ((number, _), deal) in deals {
        deal.judge(number, &mut told);
    }
    told
}

/// A number of an invoice, a notice or a package that its sender used before.
fn twice<P: Clone>(papers: &[Paper<P>], told: &mut Vec<Remark<P>>) {
    let mut numbers: HashMap<(Option<Kind>, &str, &str), &P> = HashMap::new();
    for paper in papers {
        let sender = &*paper.parties.0;
        let own = matches!(paper.kind, Kind::Notice | Kind::Invoice);
        let own = own && paper.purpose == Purpose::New && !paper.number.is_empty();
        let own = own.then_some((Some(paper.kind), &*paper.number, &paper.at));
        // A notice that takes another's place names the same packages again.
        let new = paper.purpose == Purpose::New;
        let packages = paper.packages.iter().filter(|_| new);
        let packages = packages.map(|(number, at)| (None, &**number, at));
        for (of, number, at) in own.into_iter().chain(packages) {
            match numbers.get(&(of, sender, number)) {
                None => drop(numbers.insert((of, sender, number), at)),
                Some(by) => {
                    let (number, by) = (number.to_owned(), P::clone(by));
                    told.push(Remark::new(
                        at.clone(),
                        Part::Number,
                        What::Twice { of, number, by },
                    ));
                }
            }
        }
    }
}

/// What is known of one order.
struct Deal<'p, P> {
    orders: Vec<&'p Paper<P>>,
    /// What answers it.
    others: Vec<&'p Paper<P>>,
}

impl<P> Default for Deal<'_, P> {
    fn default() -> Self {
        Deal {
            orders: Vec::new(),
            others: Vec::new(),
        }
    }
}

/// Sums of one line of the order: how much, and where the last part of it stands.
type Sum<'p, P> = (Decimal, &'p Line<P>);

impl<'p, P: Clone> Deal<'p, P> {
    fn judge(mut self, number: &str, told: &mut Vec<Remark<P>>) {
        self.others.sort_by_key(|paper| (paper.kind, paper.written));
        self.revived(number, told);
        let answers: Vec<&Paper<P>> = self.of(Kind::Answer);
        let answered = Lines::of(&answers, number);
        // Of two orders with one number nobody can tell which is meant.
        let [order] = self.orders[..] else {
            self.prices(number, None, &answered, told);
            return;
        };
        let ordered = Lines::of(&[order], number);
        self.prices(number, Some((order, &ordered)), &answered, told);
        for answer in &answers {
            unanswered(number, order, answer, told);
        }
        self.quantities(number, order, &ordered, told);
        self.times(order, told);
    }

    /// The documents of a kind that hold: none that another of its number replaced or took back.
    fn of(&self, kind: Kind) -> Vec<&'p Paper<P>> {
        let all = self
            .others
            .iter()
            .copied()
            .filter(|paper| paper.kind == kind);
        let all: Vec<&Paper<P>> = all.collect();
        if kind == Kind::Answer {
            return all;
        }
        let last: HashMap<&str, usize> = all
            .iter()
            .zip(0..)
            .map(|(paper, at)| (&*paper.number, at))
            .collect();
        let holds = |(at, paper): &(usize, &Paper<P>)| {
            paper.purpose != Purpose::Void && last.get(&*paper.number) == Some(at)
        };
        all.into_iter()
            .enumerate()
            .filter(holds)
            .map(|(_, paper)| paper)
            .collect()
    }

    /// A price that is not that of the last answer, or else of the order.
    fn prices(
        &self,
        number: &str,
        order: Option<(&'p Paper<P>, &Lines<'p, P>)>,
        answered: &Lines<'p, P>,
        told: &mut Vec<Remark<P>>,
    ) {
        for paper in &self.others {
            let by_order = order.map(|(_, lines)| (Kind::Order, lines));
            let by_answer = (paper.kind == Kind::Invoice).then_some((Kind::Answer, answered));
            for line in paper.lines.iter().filter(|line| *line.order == *number) {
                let Some(price) = line.price else {
                    continue;
                };
                let found = [by_answer, by_order]
                    .into_iter()
                    .flatten()
                    .find_map(|(of, lines)| {
                        let due = lines.last(line)?;
                        Some((of, due, due.price?))
                    });
                let Some((of, by, due)) = found.filter(|(.., due)| due.value() != price.value())
                else {
                    continue;
                };
                let what = What::Price {
                    due,
                    of,
                    price,
                    item: line.item(),
                    order: number.to_owned(),
                    by: by.at.clone(),
                };
                told.push(Remark::new(line.at.clone(), Part::Price, what));
            }
        }
    }

    /// A line that an answer accepts after one before has rejected it.
    fn revived(&self, number: &str, told: &mut Vec<Remark<P>>) {
        let mut before = Lines::default();
        for answer in self.of(Kind::Answer) {
            for line in answer
                .lines
                .iter()
                .filter(|line| line.verdict == Some(Verdict::Taken))
            {
                let known = before.last(line);
                if let Some(known) = known.filter(|known| known.verdict == Some(Verdict::Rejected))
                {
                    let (item, order, by) = (line.item(), number.to_owned(), known.at.clone());
                    let what = What::Revived { item, order, by };
                    told.push(Remark::new(line.at.clone(), Part::Whole, what));
                }
            }
            before.add(answer, number);
        }
    }

    /// What was answered, shipped and billed of each line, all documents of a kind together.
    fn quantities(
        &self,
        number: &str,
        order: &'p Paper<P>,
        ordered: &Lines<'p, P>,
        told: &mut Vec<Remark<P>>,
    ) {
        let mut shipped = HashMap::new();
        for how in [Kind::Answer, Kind::Notice, Kind::Invoice] {
            let sums = self.sums(how, number, ordered);
            for (at, due) in order.lines.iter().enumerate() {
                let (Some(ask), Some((quantity, last))) = (due.quantity, sums.get(&at)) else {
                    continue;
                };
                let (item, order, place) = (due.item(), number.to_owned(), last.at.clone());
                let sent = shipped
                    .get(&at)
                    .map(|(sent, by): &Sum<'p, P>| (*sent, by.at.clone()));
                if let (Kind::Invoice, Some((sent, by))) = (how, sent)
                    && quantity.value() > sent.value()
                {
                    let (billed, shipped, item, order) =
                        (*quantity, sent, item.clone(), order.clone());
                    let what = What::Unshipped {
                        item,
                        billed,
                        shipped,
                        order,
                        by,
                    };
                    told.push(Remark::new(place.clone(), Part::Quantity, what));
                }
                if quantity.value() != ask.value() {
                    let (quantity, due, by) = (*quantity, ask, due.at.clone());
                    let what = What::Quantity {
                        item,
                        how,
                        quantity,
                        due,
                        order,
                        by,
                    };
                    told.push(Remark::new(place, Part::Quantity, what));
                }
            }
            if how == Kind::Notice {
                shipped = sums;
            }
        }
    }

    /// The sum of each line of the order, by its place; of answers the last one's.
    fn sums(&self, kind: Kind, number: &str, ordered: &Lines<'p, P>) -> HashMap<usize, Sum<'p, P>> {
        let mut sums: HashMap<usize, (usize, Option<Decimal>, &Line<P>)> = HashMap::new();
        for (at, paper) in self.of(kind).into_iter().enumerate() {
            for line in paper.lines.iter().filter(|line| *line.order == *number) {
                let Some(due) = ordered.place(line) else {
                    continue;
                };
                let sum = sums
                    .entry(due)
                    .or_insert((at, Some(Decimal::default()), line));
                if kind == Kind::Answer && sum.0 != at {
                    *sum = (at, Some(Decimal::default()), line);
                }
                sum.1 = sum.1.and_then(|sum| sum.checked_add(line.quantity?));
                sum.2 = line;
            }
        }
        let known = sums.into_iter();
        known
            .filter_map(|(due, (_, sum, line))| Some((due, (sum?, line))))
            .collect()
    }

    /// A document that was written before the one that it follows.
    fn times(&self, order: &'p Paper<P>, told: &mut Vec<Remark<P>>) {
        let flow: Vec<&Paper<P>> = [order]
            .into_iter()
            .chain(self.others.iter().copied())
            .collect();
        // The latest of each kind, in the order of kinds: no document looks at all the others.
        let mut latest: BTreeMap<Kind, &Paper<P>> = BTreeMap::new();
        for paper in flow {
            let before = latest.range(..paper.kind).map(|(_, other)| *other);
            let mut later =
                before.filter(|other| paper.written.is_some() && other.written > paper.written);
            if let Some((other, written)) = later.next_back().zip(paper.written) {
                let (at, by) = (paper.at.clone(), other.at.clone());
                let other = other.written.unwrap_or(written);
                told.push(Remark::new(
                    at,
                    Part::Whole,
                    What::Early { written, other, by },
                ));
            }
            let known = latest.entry(paper.kind).or_insert(paper);
            if paper.written > known.written {
                *known = paper;
            }
        }
    }
}

/// A line of the order that its answer leaves out.
fn unanswered<P: Clone>(
    number: &str,
    order: &Paper<P>,
    answer: &Paper<P>,
    told: &mut Vec<Remark<P>>,
) {
    // An answer without any line speaks of the order as a whole.
    if answer.lines.is_empty() {
        return;
    }
    let answered = Lines::of(&[answer], number);
    for due in &order.lines {
        if !answered.has(due) {
            let (item, order, by) = (due.item(), number.to_owned(), due.at.clone());
            let what = What::Unanswered { item, order, by };
            told.push(Remark::new(answer.at.clone(), Part::Order, what));
        }
    }
}

/// Lines of one order, to be found by their ids and numbers.
struct Lines<'p, P> {
    all: Vec<&'p Line<P>>,
    by_id: HashMap<(&'p str, &'p str), Vec<usize>>,
    by_number: HashMap<&'p str, Vec<usize>>,
}

impl<P> Default for Lines<'_, P> {
    fn default() -> Self {
        Lines {
            all: Vec::new(),
            by_id: HashMap::new(),
            by_number: HashMap::new(),
        }
    }
}

impl<'p, P> Lines<'p, P> {
    fn of(papers: &[&'p Paper<P>], number: &str) -> Lines<'p, P> {
        let mut lines = Lines::default();
        for paper in papers {
            lines.add(paper, number);
        }
        lines
    }

    /// Adds the lines of a paper that are of this order.
    fn add(&mut self, paper: &'p Paper<P>, number: &str) {
        for line in paper.lines.iter().filter(|line| *line.order == *number) {
            let at = self.all.len();
            self.all.push(line);
            for (kind, id) in &line.ids {
                self.by_id.entry((&**kind, &**id)).or_default().push(at);
            }
            if !line.number.is_empty() {
                self.by_number
                    .entry(bare(&line.number))
                    .or_default()
                    .push(at);
            }
        }
    }

    /// The places of lines that may be this one, in lists that ascend.
    fn lists<'l>(&'l self, line: &'l Line<P>) -> impl Iterator<Item = &'l Vec<usize>> {
        let ids = line
            .ids
            .iter()
            .filter_map(|(kind, id)| self.by_id.get(&(&**kind, &**id)));
        ids.chain(self.by_number.get(bare(&line.number)))
    }

    /// The place of the first line that is this one, in the same unit.
    fn place(&self, line: &Line<P>) -> Option<usize> {
        let fits = |at: &&usize| is(self.all[**at], line) && unit_is(self.all[**at], line);
        self.lists(line)
            .filter_map(|list| list.iter().find(fits))
            .min()
            .copied()
    }

    fn last(&self, line: &Line<P>) -> Option<&'p Line<P>> {
        let fits = |at: &&usize| is(self.all[**at], line) && unit_is(self.all[**at], line);
        let found = self
            .lists(line)
            .filter_map(|list| list.iter().rev().find(fits));
        found.max().map(|at| self.all[*at])
    }

    fn has(&self, line: &Line<P>) -> bool {
        self.lists(line)
            .any(|list| list.iter().any(|at| is(self.all[*at], line)))
    }
}

fn unit_is<P>(one: &Line<P>, other: &Line<P>) -> bool {
    one.unit.is_empty() || other.unit.is_empty() || one.unit == other.unit
}

fn bare(number: &str) -> &str {
    number.trim().trim_start_matches('0')
}

/// Whether two lines are one: by an id of the same kind, else by their number.
fn is<P>(one: &Line<P>, other: &Line<P>) -> bool {
    let has = |kind: &str| other.ids.iter().any(|(known, _)| **known == *kind);
    match one.ids.iter().any(|(kind, _)| has(kind)) {
        true => one.ids.iter().any(|id| other.ids.contains(id)),
        false => !one.number.is_empty() && bare(&one.number) == bare(&other.number),
    }
}
