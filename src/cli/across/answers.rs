//! Interchange numbers against each other, and groups against their 997s.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Due, Group, Known, Spot};
use crate::cli::explain::alike;
use crate::lifecycle::Parties;
use crate::x12::{Fault, Position, SegmentFault, text};

/// A group by who sent it to whom, its kind and its number without zeros in front.
type Name<'a> = (&'a Parties, &'a str, &'a str);

fn bare(number: &str) -> &str {
    number.trim().trim_start_matches('0')
}

impl Known {
    /// One interchange number of one sender, in two files.
    pub(super) fn twice(&self, told: &mut Vec<Due>) {
        let mut seen: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        for sent in self.facts.iter().flat_map(|facts| &facts.interchanges) {
            let first = *seen
                .entry((&sent.sender, &sent.number))
                .or_insert(sent.at.file);
            if first != sent.at.file {
                let message = text!(
                    "interchange {number} of {sender} is in {file} too",
                    number = &sent.number,
                    sender = &sent.sender,
                    file = self.name(first)
                );
                let fix = text!("give every interchange a control number of its own");
                told.push(Due::new(
                    &sent.at,
                    13,
                    Fault::DuplicateInterchange,
                    message,
                    fix,
                ));
            }
        }
    }

    /// Groups and what answers them. Where not all files are known nothing is missing.
    pub(super) fn answers(&self, whole: bool, told: &mut Vec<Due>) {
        let mut groups: BTreeMap<Name<'_>, (usize, usize, usize)> = BTreeMap::new();
        let mut kinds: BTreeSet<(&Parties, &str)> = BTreeSet::new();
        for (file, facts) in self.facts.iter().enumerate() {
            for (at, sent) in facts.interchanges.iter().enumerate() {
                for (number, group) in sent.groups.iter().enumerate() {
                    let (parties, id) = (&group.parties, group.id.as_str());
                    groups.insert((parties, id, bare(&group.number)), (file, at, number));
                    kinds.insert((parties, id));
                }
            }
        }
        let (mut answered, mut speakers) = (BTreeSet::new(), BTreeSet::new());
        for answer in self.facts.iter().flat_map(|facts| &facts.answers) {
            let of = answer.parties.back();
            let (id, number) = (
                answer.said.functional_id.as_str(),
                bare(&answer.said.control_number),
            );
            speakers.insert(of.clone());
            match groups.get(&(&of, id, number)) {
                Some(place) => {
                    answered.insert(*place);
                    self.rejected(*place, answer, told);
                }
                None if whole && kinds.contains(&(&of, id)) => told.push(unknown(answer)),
                None => {}
            }
        }
        for ((parties, id, _), place) in groups.iter().filter(|_| whole) {
            let (file, at, number) = *place;
            if speakers.contains(*parties) && *id != "FA" && !answered.contains(place) {
                let group = &self.facts[file].interchanges[at].groups[number];
                let message = text!(
                    "no 997 among these files answers group {id} {number}",
                    id = &group.id,
                    number = &group.number
                );
                let fix = text!("look into the transport log, then ask the partner for the 997");
                told.push(Due::new(&group.at, 0, Fault::AnswerMissing, message, fix));
            }
        }
    }

    /// What an answer rejects, at its place in the file that was sent.
    fn rejected(
        &self,
        (file, at, number): (usize, usize, usize),
        answer: &Answer,
        told: &mut Vec<Due>,
    ) {
        let group = &self.facts[file].interchanges[at].groups[number];
        let by = self.name(answer.at.file);
        let mut tell = |at: &Spot, element, message| {
            let sent = self.name(group.at.file);
            let fix = text!(
                "`transload explain {answer} --original {file}` says more",
                answer = by,
                file = sent
            );
            told.push(Due::new(at, element, Fault::AnswerRejected, message, fix));
        };
        let sets = answer.said.sets.iter();
        for verdict in sets.filter(|set| !set.verdict.is_accepted()) {
            let mut sets = group.sets.iter();
            let Some((_, st)) = sets.find(|(set, _)| alike(set, &verdict.control_number)) else {
                continue;
            };
            if verdict.segments.is_empty() {
                let message = text!(
                    "{answer} rejects set {set} of this group ({codes})",
                    answer = by,
                    set = &verdict.control_number,
                    codes = verdict.codes.join(" ")
                );
                tell(&group.at, 0, message);
            }
            for fault in &verdict.segments {
                let spot = place(group, *st, fault);
                let code =
                    |code: &str| text!("{answer} rejects it with code {code}", answer = by, code);
                if fault.elements.is_empty() {
                    tell(&spot, 0, code(&fault.codes.join(" ")));
                }
                for element in &fault.elements {
                    tell(&spot, element.element, code(&element.code));
                }
            }
        }
    }
}

/// The segment of a set that is rejected; the rest of its place is known when the file is read again.
fn place(group: &Group, st: u32, fault: &SegmentFault) -> Spot {
    let ordinal = fault
        .position
        .checked_sub(1)
        .and_then(|n| st.checked_add(n));
    ordinal.map_or(group.at, |ordinal| {
        let position = Position {
            ordinal,
            ..Position::default()
        };
        let place = Spot::place(group.at.file, fault.tag.as_bytes(), position);
        Spot { set: st, ..place }
    })
}

fn unknown(answer: &Answer) -> Due {
    let message = text!(
        "it answers group {id} {number}, which is in none of these files",
        id = &answer.said.functional_id,
        number = &answer.said.control_number
    );
    let fix = text!(
        "compare AK102 with the numbers of the groups that you sent: was it meant for another?"
    );
    Due::new(&answer.at, 2, Fault::AnswerUnknown, message, fix)
}
