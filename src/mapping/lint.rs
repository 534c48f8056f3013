//! A guide against itself, before any file arrives: what the compiler cannot see one use at a
//! time. Names, positions, code lists and paths are the compiler's; ambiguity and loss are here.

use std::collections::BTreeMap;

use super::dictionary::Usage;
use super::guide::{Guide, ITEM, LevelRule, Pattern, Step, Use, UseId};
use super::level::pack;
use super::source::GuideError;
use crate::x12::text;

/// All that is wrong, in one pass; empty for a guide that may be used.
pub(crate) fn lint(guide: &Guide) -> Vec<GuideError> {
    let mut errors = Vec::new();
    if guide.roots.is_empty() {
        errors.push(GuideError::whole(
            &guide.name,
            text!("a guide needs at least one segment"),
        ));
    }
    for one in &guide.uses {
        transparent(one, &mut errors);
        qualifiers(one, &mut errors);
        loops(guide, one, &mut errors);
    }
    siblings(guide, &guide.roots, &mut errors);
    for one in &guide.uses {
        siblings(guide, &one.children, &mut errors);
    }
    slots(guide, &mut errors);
    levels(guide, &mut errors);
    errors
}

/// Levels stand at one position and each can be reached from the top by their `under`.
fn levels(guide: &Guide, errors: &mut Vec<GuideError>) {
    let rules = guide.roots.iter().map(|&id| &guide.uses[id]);
    let all: Vec<(&Use, &LevelRule)> = rules
        .filter_map(|one| Some((one, one.level.as_ref()?)))
        .collect();
    let codes = |one: &Use| -> Vec<u32> {
        let when = one.when.iter().filter(|w| w.element == 3);
        let codes = when.flat_map(|w| &w.patterns).filter_map(|p| match p {
            Pattern::Is(code) => Some(pack(code.as_bytes())),
            Pattern::Begins(_) => None,
        });
        codes.collect()
    };
    let known: Vec<u32> = all.iter().flat_map(|(one, _)| codes(one)).collect();
    for (one, rule) in &all {
        if one.order != all[0].0.order {
            let message = text!(
                "{key} is a level: all levels stand at one pos",
                key = &one.key
            );
            errors.push(one.node.error(message));
        }
        let words = rule.under.iter().map(String::as_str);
        let words = words.filter(|w| ![LevelRule::TOP, LevelRule::ANYWHERE].contains(w));
        for word in words.filter(|w| !known.contains(&pack(w.as_bytes()))) {
            let message = text!(
                "{key} stands under {word}, which no HL of this guide is",
                key = &one.key,
                word = crate::x12::Value::quoted(word)
            );
            errors.push(one.node.get("under").unwrap_or(&one.node).error(message));
        }
    }
    // A level whose codes are not known, by a prefix or no `when` at all, may hold any other.
    let mut reached: Vec<bool> = all.iter().map(|(_, rule)| rule.top).collect();
    for _ in 0..all.len() {
        let open = |of: &Use| codes(of).is_empty();
        for at in 0..all.len() {
            let holder = |(of, done): (&(&Use, &LevelRule), &bool)| {
                let admits = codes(of.0).iter().any(|&code| all[at].1.admits(code));
                *done && of.0.usage != Usage::NotUsed && !open(of.0) && admits
            };
            reached[at] |= all.iter().zip(&reached).any(holder);
        }
    }
    for ((one, _), reached) in all.iter().zip(reached) {
        if !reached && one.usage != Usage::NotUsed {
            let message = text!(
                "{key} can be reached from no level at the top",
                key = &one.key
            );
            errors.push(one.node.error(message));
        }
    }
}

/// Values of a use that repeats need a list to go to.
fn transparent(one: &Use, errors: &mut Vec<GuideError>) {
    let single = one.parts().any(|p| !p.target.is_empty());
    let maps_below = !one.children.is_empty();
    if one.scope.is_empty() && one.max > 1 && (single || (maps_below && one.maps())) {
        let message = text!(
            "{key} repeats but has no as: its second occurrence would have no place; add as = \"…[]\"",
            key = &one.key
        );
        errors.push(one.node.error(message));
    }
    if one.max == 0 {
        errors.push(one.node.error(text!(
            "max = 0: write usage = \"N\" for a segment that is not used"
        )));
    }
}

/// A `when` of several values needs an `as`, so that writing gives the same one back.
fn qualifiers(one: &Use, errors: &mut Vec<GuideError>) {
    for when in &one.when {
        let part = &one.places[when.element - 1].parts[when.component.saturating_sub(1)];
        let fixed = matches!(&when.patterns[..], [Pattern::Is(_)]);
        if one.pool.is_some() && part.target.is_empty() {
            let message = text!(
                "{place} tells {key} from others that fill the same list: give it an as",
                place = format!("{}{:02}", one.tag, when.element),
                key = &one.key
            );
            errors.push(one.node.error(message));
        } else if !fixed && part.target.is_empty() && part.run.is_none() && one.maps() {
            let message = text!(
                "{place} may be several values: give it an as",
                place = format!("{}{:02}", one.tag, when.element)
            );
            errors.push(one.node.error(message));
        }
    }
}

/// A loop's first segment may not also stand inside it at the same qualifier: nobody could tell
/// where the next repeat begins.
fn loops(guide: &Guide, one: &Use, errors: &mut Vec<GuideError>) {
    for &id in &one.children {
        let child = &guide.uses[id];
        if child.tag == one.tag && overlap(child, one) {
            let message = text!(
                "{key} inside the loop {other} looks like its next repeat",
                key = &child.key,
                other = &one.key
            );
            errors.push(child.node.error(message));
        }
    }
}

/// Two uses of one tag at one position must be told apart, by values or by how exact they are.
fn siblings(guide: &Guide, ids: &[UseId], errors: &mut Vec<GuideError>) {
    for (index, &a) in ids.iter().enumerate() {
        for &b in &ids[index + 1..] {
            let (a, b) = (&guide.uses[a], &guide.uses[b]);
            if a.order != b.order {
                break;
            }
            if a.tag != b.tag {
                let message = text!(
                    "{key} and {other} stand at one position: give each its own pos",
                    key = &a.key,
                    other = &b.key
                );
                errors.push(b.node.error(message));
            } else if weight(a) == weight(b) && overlap(a, b) {
                let message = text!(
                    "{key} and {other} cannot be told apart: give them different when",
                    key = &a.key,
                    other = &b.key
                );
                errors.push(b.node.error(message));
            }
        }
    }
}

fn weight(one: &Use) -> usize {
    one.when.iter().map(super::guide::When::weight).sum()
}

/// Whether one segment can be meant by both.
fn overlap(a: &Use, b: &Use) -> bool {
    a.when.iter().all(|x| {
        let same = b
            .when
            .iter()
            .find(|y| (y.element, y.component) == (x.element, x.component));
        same.is_none_or(|y| {
            x.patterns
                .iter()
                .any(|p| y.patterns.iter().any(|q| meet(p, q)))
        })
    })
}

fn meet(a: &Pattern, b: &Pattern) -> bool {
    match (a, b) {
        (Pattern::Is(a), Pattern::Is(b)) => a == b,
        (Pattern::Is(a), Pattern::Begins(b)) | (Pattern::Begins(b), Pattern::Is(a)) => {
            a.starts_with(b)
        }
        (Pattern::Begins(a), Pattern::Begins(b)) => a.starts_with(b) || b.starts_with(a),
    }
}

/// No two elements may fill one slot: reading would lose one of them.
fn slots(guide: &Guide, errors: &mut Vec<GuideError>) {
    let mut taken: BTreeMap<Vec<u32>, String> = BTreeMap::new();
    for one in &guide.uses {
        let scope = absolute(guide, one);
        let mut claim = |steps: &[Step], name: String| {
            let path = scope.iter().copied().chain(steps.iter().map(|s| s.slot));
            if let Some(first) = taken.insert(path.collect(), name.clone()) {
                let message = text!(
                    "{name} and {first} fill the same field: one value would be lost",
                    name,
                    first
                );
                errors.push(one.node.error(message));
            }
        };
        if !one.scope.is_empty() {
            claim(&[], one.key.clone());
        }
        for (number, place) in one.places.iter().enumerate() {
            for (index, part) in place.parts.iter().enumerate() {
                if !part.target.is_empty() {
                    let component = if place.composite {
                        format!("-{}", index + 1)
                    } else {
                        String::new()
                    };
                    claim(
                        &part.target,
                        format!("{}.{}{:02}{component}", one.key, one.tag, number + 1),
                    );
                }
            }
        }
        for run in &one.runs {
            claim(
                &run.list,
                format!("{}.{}{:02}", one.key, one.tag, run.first),
            );
        }
    }
}

/// A use's scope from the document down; each list-making use has items of its own.
fn absolute(guide: &Guide, one: &Use) -> Vec<u32> {
    let mut path = match one.parent {
        Some(id) => absolute(guide, &guide.uses[id]),
        None => Vec::new(),
    };
    let own = &one.scope;
    path.extend(own.iter().map(|s| s.slot));
    if own.last().is_some_and(|s| s.slot == ITEM) {
        // Uses that fill one list make different items: they do not share slots.
        path.push(
            guide
                .uses
                .iter()
                .position(|u| std::ptr::eq(u, one))
                .unwrap_or(0) as u32,
        );
    }
    path
}
