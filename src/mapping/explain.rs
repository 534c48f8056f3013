//! What a value's faults are called, and what to do about them.

use super::demand::{Form, forms_in_words};
use super::dictionary::{DataType, Note, NoteKind};
use super::guide::PartUse;
use super::value::CodeList;
use crate::x12::{Fault, Text, Value, text};

/// What a broken syntax note means where element `number` is the one to look at.
pub(crate) fn broken(note: &Note, tag: &str, number: usize) -> (Fault, Text, Text) {
    let name = |e: &usize| format!("{tag}{e:02}");
    let names = |all: &[usize]| all.iter().map(name).collect::<Vec<_>>().join(", ");
    let list = |all: &[usize]| match all {
        [before @ .., last] if !before.is_empty() => text!(
            "{before} and {last}",
            before = names(before),
            last = name(last)
        )
        .into(),
        all => Value::from(names(all)),
    };
    let (first, rest) = (name(&note.elements[0]), &note.elements[1..]);
    let (all, empty, note_text) = (list(&note.elements), name(&number), &note.text);
    let (what, fix) = match note.kind {
        NoteKind::Exclusion => {
            let message = text!(
                "only one of {all} may come (syntax note {note})",
                all,
                note = note_text
            );
            return (Fault::ElementExclusive, message, text!("leave one empty"));
        }
        NoteKind::Paired => (
            text!("{all} come together or not at all", all),
            text!("fill {empty}, or leave the others empty too", empty),
        ),
        NoteKind::Required => (text!("one of {all} is due", all), text!("fill one of them")),
        NoteKind::Conditional => (
            text!(
                "where {first} is, {rest} must be",
                first = &first,
                rest = list(rest)
            ),
            text!("fill {empty}, or leave {first} empty", empty, first),
        ),
        NoteKind::ListConditional => (
            text!(
                "where {first} is, one of {rest} must be",
                first = &first,
                rest = list(rest)
            ),
            text!("fill one of them, or leave {first} empty", first),
        ),
    };
    let message = text!(
        "it is missing: {what} (syntax note {note})",
        what,
        note = note_text
    );
    (Fault::ElementConditional, message, fix)
}

/// Where to go with a code that the list does not have.
pub(crate) fn instead(codes: &CodeList, near: Option<&str>) -> Text {
    /// Codes that are read at a glance.
    const FEW: usize = 24;
    let all: Vec<&str> = codes.all().collect();
    match near {
        _ if all.len() <= FEW => text!("use one of {codes}", codes = all.join(" ")),
        Some(near) => text!(
            "send {near}, or another of the list's {count} codes",
            near,
            count = all.len()
        ),
        None => text!(
            "send one of the list's {count} codes, or add it to the list in guides of your own",
            count = all.len()
        ),
    }
}

/// Of a value that stands nowhere in the document: because no `as` names it, or because it is wrong.
pub(crate) fn placeless(name: &str, text: &str, right: bool) -> (Text, Text) {
    match right {
        true => (
            text!(
                "{name} = {text} has no place in the document",
                name = Value::word(name),
                text = Value::quoted(text)
            ),
            text!("nothing, or give it an `as` in a guide of your own, such as ext.name"),
        ),
        false => (
            text!(
                "{name} = {text} is left out of the document",
                name = Value::word(name),
                text = Value::quoted(text)
            ),
            text!("correct the value"),
        ),
    }
}

/// What a fault of a value means and what to do.
pub(crate) fn explain(fault: Fault, text: &str, part: &PartUse) -> (Text, Text) {
    let def = &part.def;
    let name = Value::word(&def.name);
    let shown = Value::quoted(&text.chars().take(80).collect::<String>());
    match fault {
        Fault::ElementTooShort => (
            text!(
                "{name} {shown} is shorter than {min} characters",
                name,
                shown,
                min = def.min
            ),
            text!(
                "send {min} to {max} characters",
                min = def.min,
                max = def.max
            ),
        ),
        Fault::ElementTooLong => (
            text!(
                "{name} {shown} is longer than {max} characters",
                name,
                shown,
                max = def.max
            ),
            text!("send at most {max} characters", max = def.max),
        ),
        Fault::ElementDate => (
            text!("{name} {shown} is not a date", name, shown),
            match text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
                true => text!("correct the month or the day: a date is CCYYMMDD"),
                false => text!("send it as CCYYMMDD, without hyphens"),
            },
        ),
        Fault::ElementTime => (
            text!("{name} {shown} is not a time", name, shown),
            text!("send it as HHMM or HHMMSS, from 0000 to 235959"),
        ),
        _ => (
            text!(
                "{name} {shown} holds a character that its type does not allow",
                name,
                shown
            ),
            match def.data {
                DataType::Decimal => text!("send digits, with a point if need be"),
                DataType::Implied(0) => text!("send digits only"),
                DataType::Implied(n) => {
                    text!("send digits only: the last {n} are decimals", n)
                }
                _ => text!("remove control characters"),
            },
        ),
    }
}

/// Of a value that has none of the forms that a guide gives it.
pub(crate) fn forms(part: &PartUse, value: &str, forms: &[Form]) -> (Text, Text) {
    let due = forms_in_words(forms);
    (
        text!(
            "{name} {shown} is not {due}",
            name = Value::word(&part.def.name),
            shown = Value::quoted(&value.chars().take(80).collect::<String>()),
            due = due.clone()
        ),
        text!("write {due}", due),
    )
}

/// Of a value that stands to another as it may not. `other` is nothing where the guide says it.
pub(crate) fn related(
    part: &PartUse,
    value: &str,
    sign: &'static str,
    operand: Text,
    other: &str,
) -> (Text, Text) {
    let (name, shown) = (Value::word(&part.def.name), Value::quoted(value));
    match other {
        "" => (
            text!(
                "{name} is {shown} where {sign} {operand} is due",
                name,
                shown,
                sign,
                operand
            ),
            text!("correct the value"),
        ),
        other => (
            text!(
                "{name} is {shown} where {sign} {operand} ({other}) is due",
                name,
                shown,
                sign,
                operand,
                other
            ),
            text!("correct the one or the other"),
        ),
    }
}
