//! What a value's faults are called, and what to do about them.

use super::dictionary::{DataType, Note, NoteKind};
use super::guide::PartUse;
use super::value::CodeList;
use crate::x12::Fault;

/// What a broken syntax note means where element `number` is the one to look at.
pub(crate) fn broken(note: &Note, tag: &str, number: usize) -> (Fault, String, String) {
    let name = |e: &usize| format!("{tag}{e:02}");
    let list = |all: &[usize], word: &str| match all {
        [before @ .., last] if !before.is_empty() => {
            let before: Vec<String> = before.iter().map(name).collect();
            format!("{} {word} {}", before.join(", "), name(last))
        }
        all => all.iter().map(name).collect(),
    };
    let (first, rest) = (name(&note.elements[0]), &note.elements[1..]);
    let fill = format!("fill {}", name(&number));
    let (what, fix) = match note.kind {
        NoteKind::Exclusion => {
            let message = format!("only one of {} may come", list(&note.elements, "and"));
            let message = format!("{message} (syntax note {})", note.text);
            return (
                Fault::ElementExclusive,
                message,
                "leave one empty".to_owned(),
            );
        }
        NoteKind::Paired => (
            format!(
                "{} come together or not at all",
                list(&note.elements, "and")
            ),
            format!("{fill}, or leave the others empty too"),
        ),
        NoteKind::Required => (
            format!("one of {} is due", list(&note.elements, "and")),
            "fill one of them".to_owned(),
        ),
        NoteKind::Conditional => (
            format!("where {first} is, {} must be", list(rest, "and")),
            format!("{fill}, or leave {first} empty"),
        ),
        NoteKind::ListConditional => (
            format!("where {first} is, one of {} must be", list(rest, "and")),
            format!("fill one of them, or leave {first} empty"),
        ),
    };
    let message = format!("it is missing: {what} (syntax note {})", note.text);
    (Fault::ElementConditional, message, fix)
}

/// Where to go with a code that the list does not have.
pub(crate) fn instead(codes: &CodeList, near: Option<&str>) -> String {
    /// Codes that are read at a glance.
    const FEW: usize = 24;
    let all = codes.all();
    match near {
        _ if all.len() <= FEW => format!("use one of {}", all.join(" ")),
        Some(near) => format!("send {near}, or another of the list's {} codes", all.len()),
        None => format!(
            "send one of the list's {} codes, or add it to the list in guides of your own",
            all.len()
        ),
    }
}

/// Of a value that stands nowhere in the document: because no `as` names it, or because it is wrong.
pub(crate) fn placeless(name: &str, text: &str, right: bool) -> (String, &'static str) {
    match right {
        true => (
            format!("{name} = {text:?} has no place in the document"),
            "nothing, or give it an `as` in a guide of your own, such as ext.name",
        ),
        false => (
            format!("{name} = {text:?} is left out of the document"),
            "correct the value",
        ),
    }
}

/// What a fault of a value means and what to do.
pub(crate) fn explain(fault: Fault, text: &str, part: &PartUse) -> (String, String) {
    let def = &part.def;
    let name = &def.name;
    let shown: String = text.chars().take(80).collect();
    match fault {
        Fault::ElementTooShort => (
            format!("{name} {shown:?} is shorter than {} characters", def.min),
            format!("send {} to {} characters", def.min, def.max),
        ),
        Fault::ElementTooLong => (
            format!("{name} {shown:?} is longer than {} characters", def.max),
            format!("send at most {} characters", def.max),
        ),
        Fault::ElementDate => (
            format!("{name} {shown:?} is not a date"),
            match text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
                true => "correct the month or the day: a date is CCYYMMDD".to_owned(),
                false => "send it as CCYYMMDD, without hyphens".to_owned(),
            },
        ),
        Fault::ElementTime => (
            format!("{name} {shown:?} is not a time"),
            "send it as HHMM or HHMMSS, from 0000 to 235959".to_owned(),
        ),
        _ => (
            format!("{name} {shown:?} holds a character that its type does not allow"),
            match def.data {
                DataType::Decimal => "send digits, with a point if need be".to_owned(),
                DataType::Implied(0) => "send digits only".to_owned(),
                DataType::Implied(n) => {
                    format!("send digits only: the last {n} are decimals")
                }
                _ => "remove control characters".to_owned(),
            },
        ),
    }
}
