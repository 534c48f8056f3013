//! What a guide asks of values beyond their type: the words `fits` and `with`.
//!
//! ```text
//! fits    = one of these, or a list of them, all of which hold
//!           a form        n18 · an8..30 · a2 n..6 · '00' n18 · n12 | n13
//!           a comparison  > 0 · != 0 · >= BIG03 · <= PO1.PO102 · <= BSN.BSN03 + 2 · <= today
//! with    = { FOB.FOB01 = "CC", N1-SF.N4.N404 = ["US", "CA"], REF02 = "*", N104 = "" }
//! ```
//!
//! A form is written as EDIFACT's guides write one: `n` digits, `a` letters, `an` any characters,
//! how many, and text in single quotes. `with` says where the `usage` and the `fits` beside it hold:
//! values as `when` has them, where `"*"` is any value and `""` is none. A name without a point is an element
//! of the same segment; another begins with a segment of the same loop, or of one around it.
//!
//! What can be judged in the segment is judged there; the rest when its loop ends, over the few
//! segments that a demand names ([`judge`]). It does not reckon: totals are `is = "sum(…)"`.

mod bind;
mod judge;

use super::dictionary::Usage;
use super::guide::{Pattern, UseId};
use super::source::{GuideError, Node};
use crate::canonical::Decimal;
use crate::x12::{Text, Value, text};

pub(crate) use bind::bind;
pub(crate) use judge::{Watched, faults};

/// One thing that a guide asks of an element, or of a use.
#[derive(Debug)]
pub(crate) struct Demand {
    pub(crate) owner: UseId,
    /// Element and component, from 1; component 0 is a simple element. `None` is the use itself.
    pub(crate) at: Option<(usize, usize)>,
    pub(crate) what: What,
    /// It holds where all of these do.
    pub(crate) with: Vec<Condition>,
    pub(crate) home: Home,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum What {
    /// One of these forms.
    Form(Vec<Form>),
    Compare(Relation, Operand),
    /// M or N.
    Usage(Usage),
}

/// When it can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// In its segment.
    Segment,
    /// When this loop ends; `None` is the set.
    Loop(Option<UseId>),
}

/// An element somewhere in the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) id: UseId,
    pub(crate) element: usize,
    pub(crate) component: usize,
}

/// A value that another has, or has not.
#[derive(Debug)]
pub(crate) struct Condition {
    /// As the guide names it.
    pub(crate) name: String,
    pub(crate) spot: Spot,
    pub(crate) patterns: Vec<Pattern>,
}

/// How two values stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    AtLeast,
    AtMost,
    Above,
    Below,
    Same,
    Other,
}

/// What a value is compared with.
#[derive(Debug)]
pub(crate) enum Operand {
    Number(Decimal),
    /// The day on which it is judged, and so many days.
    Today(i64),
    /// Another value, by its name in the guide, and so many days where it is a date.
    Value(String, Spot, i64),
}

impl Relation {
    const ALL: [(&'static str, Relation); 6] = [
        (">=", Relation::AtLeast),
        ("<=", Relation::AtMost),
        ("!=", Relation::Other),
        (">", Relation::Above),
        ("<", Relation::Below),
        ("=", Relation::Same),
    ];

    /// As guides write it.
    pub(crate) fn sign(self) -> &'static str {
        let found = Relation::ALL.iter().find(|(_, relation)| *relation == self);
        found.map_or("", |(sign, _)| sign)
    }

    /// Whether it holds for a value that stands so to the other.
    pub(crate) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Relation::AtLeast => order.is_ge(),
            Relation::AtMost => order.is_le(),
            Relation::Above => order.is_gt(),
            Relation::Below => order.is_lt(),
            Relation::Same => order.is_eq(),
            Relation::Other => order.is_ne(),
        }
    }

    /// What stands before the operand, and the rest.
    fn parse(text: &str) -> Option<(Relation, &str)> {
        let mut all = Relation::ALL.into_iter();
        all.find_map(|(sign, relation)| Some((relation, text.strip_prefix(sign)?.trim())))
    }
}

/// One form of a value: pieces, of which at most one has no fixed length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form(pub(crate) Vec<Piece>);

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// So many to so many characters of a kind.
    Some(Class, usize, usize),
}

/// A kind of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Digits,
    Letters,
    Any,
}

impl Class {
    fn has(self, c: char) -> bool {
        match self {
            Class::Digits => c.is_ascii_digit(),
            Class::Letters => c.is_alphabetic(),
            Class::Any => true,
        }
    }
}

/// The longest value that a form may ask for: what the longest element in use holds.
const MAX_FORM: usize = 4_096;

impl Form {
    /// `n12 | n13`, or a list of forms where each is one.
    fn alternatives(node: &Node, text: &str) -> Result<Vec<Form>, GuideError> {
        text.split('|').map(|one| Form::parse(node, one)).collect()
    }

    fn parse(node: &Node, text: &str) -> Result<Form, GuideError> {
        let wrong = || {
            node.error(text!("{text} is no form: write n18, an8..30, a2 n..6, '00' n18, n12 | n13, or compare, as >= BIG03", text = crate::x12::Value::quoted(text.trim())))
        };
        let (mut pieces, mut rest) = (Vec::new(), text.trim());
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('\'') {
                let (inside, after) = quoted.split_once('\'').ok_or_else(wrong)?;
                pieces.push(Piece::Text(inside.to_owned()));
                rest = after.trim_start();
                continue;
            }
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            pieces.push(Piece::parse(word).ok_or_else(wrong)?);
            rest = after.trim_start();
        }
        let open = |piece: &&Piece| matches!(piece, Piece::Some(_, min, max) if min != max);
        match pieces.iter().filter(open).count() {
            _ if pieces.is_empty() => Err(wrong()),
            0 | 1 => Ok(Form(pieces)),
            _ => Err(node.error(text!("only one piece of a form may have no fixed length"))),
        }
    }

    /// Whether a value has the form.
    pub(crate) fn takes(&self, value: &str) -> bool {
        let fixed: usize = self.0.iter().map(Piece::least).sum();
        let chars: Vec<char> = value.chars().collect();
        let Some(spare) = chars.len().checked_sub(fixed) else {
            return false;
        };
        let (mut at, mut left) = (0, spare);
        for piece in &self.0 {
            let length = match piece {
                Piece::Some(_, min, max) if min != max => {
                    left = 0;
                    min + spare.min(max - min)
                }
                piece => piece.least(),
            };
            let Some(part) = chars.get(at..at + length) else {
                return false;
            };
            let right = match piece {
                Piece::Text(text) => text.chars().eq(part.iter().copied()),
                Piece::Some(class, ..) => part.iter().all(|&c| class.has(c)),
            };
            if !right {
                return false;
            }
            at += length;
        }
        left == 0 && at == chars.len()
    }

    /// A plain value of this form, for samples.
    pub(crate) fn plain(&self) -> String {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Some(Class::Digits, min, _) => "4711".chars().cycle().take(*min).collect(),
            Piece::Some(_, min, _) => ('A'..='Z').cycle().take(*min).collect(),
        };
        self.0.iter().map(part).collect()
    }

    /// In words: `18 digits`, `8 to 30 characters`.
    fn words(&self) -> Text {
        let mut all = self.0.iter().map(Piece::words);
        let first = all.next().unwrap_or_default();
        all.fold(first, |before, next| {
            text!("{before} and {next}", before, next)
        })
    }
}

impl Piece {
    /// `n18`, `an8..30`, `n..6`.
    fn parse(word: &str) -> Option<Piece> {
        let (class, lengths) = match word.strip_prefix("an") {
            Some(lengths) => (Class::Any, lengths),
            None => match word.split_at_checked(1)? {
                ("n", lengths) => (Class::Digits, lengths),
                ("a", lengths) => (Class::Letters, lengths),
                _ => return None,
            },
        };
        let number = |text: &str| text.parse().ok().filter(|n| *n <= MAX_FORM);
        let (min, max) = match lengths.split_once("..") {
            Some(("", max)) => (1, number(max)?),
            Some((min, max)) => (number(min)?, number(max)?),
            None => (number(lengths)?, number(lengths)?),
        };
        (0 < max && min <= max).then_some(Piece::Some(class, min, max))
    }

    /// How many characters it has at least.
    pub(crate) fn least(&self) -> usize {
        match self {
            Piece::Text(text) => text.chars().count(),
            Piece::Some(_, min, _) => *min,
        }
    }

    fn words(&self) -> Text {
        let (class, min, max) = match self {
            Piece::Text(text) => return text!("{text}", text = Value::quoted(text)),
            Piece::Some(class, min, max) => (class, *min, *max),
        };
        match (class, min == max) {
            (Class::Digits, true) => text!("{n} digits", n = min),
            (Class::Digits, false) => text!("{min} to {max} digits", min, max),
            (Class::Letters, true) => text!("{n} letters", n = min),
            (Class::Letters, false) => text!("{min} to {max} letters", min, max),
            (Class::Any, true) => text!("{n} characters", n = min),
            (Class::Any, false) => text!("{min} to {max} characters", min, max),
        }
    }
}

/// `18 digits or 20 digits`.
pub(crate) fn forms_in_words(forms: &[Form]) -> Text {
    let mut all = forms.iter().map(Form::words);
    let first = all.next().unwrap_or_default();
    all.fold(first, |before, next| {
        text!("{before} or {next}", before, next)
    })
}

impl Condition {
    /// Whether one of the values, or none where the list is empty, is as it says.
    pub(crate) fn holds(&self, values: &[String]) -> bool {
        let none = [String::new()];
        let values = if values.is_empty() { &none } else { values };
        let fits = |value: &String| {
            self.patterns.iter().any(|pattern| match pattern {
                // `"*"`: any value, but one.
                Pattern::Begins(start) if start.is_empty() => !value.is_empty(),
                pattern => pattern.fits(value.as_bytes()),
            })
        };
        values.iter().any(fits)
    }

    fn words(&self) -> Text {
        let name = &self.name;
        match &self.patterns[..] {
            [Pattern::Is(value)] if value.is_empty() => text!("{name} is empty", name),
            [Pattern::Begins(start)] if start.is_empty() => text!("{name} is there", name),
            patterns => {
                let values = patterns.iter().map(|pattern| match pattern {
                    Pattern::Is(value) => value.clone(),
                    Pattern::Begins(start) => format!("{start}…"),
                });
                let mut values = values.map(|value| text!("{value}", value));
                let first = values.next().unwrap_or_default();
                let all = values.fold(first, |before, next| {
                    text!("{before} or {next}", before, next)
                });
                text!("{name} is {all}", name, all)
            }
        }
    }
}

/// `FOB.FOB01 is CC and N404 is US or CA`.
pub(crate) fn conditions_in_words(conditions: &[Condition]) -> Text {
    let mut all = conditions.iter().map(Condition::words);
    let first = all.next().unwrap_or_default();
    all.fold(first, |before, next| {
        text!("{before} and {next}", before, next)
    })
}

impl Demand {
    /// The places of other values that it needs.
    pub(crate) fn spots(&self) -> impl Iterator<Item = Spot> {
        let value = match &self.what {
            What::Compare(_, Operand::Value(_, spot, _)) => Some(*spot),
            _ => None,
        };
        let conditions = self.with.iter().map(|condition| condition.spot);
        conditions.chain(value)
    }

    /// The word of the guide language that says it.
    pub(crate) fn word(&self) -> &'static str {
        match self.what {
            What::Form(_) | What::Compare(..) => "fits",
            What::Usage(_) => "with",
        }
    }

    /// What is asked, as guides are shown: `M where FOB.FOB01 is CC`, `18 digits`, `>= BIG03`.
    pub(crate) fn words(&self) -> Text {
        let what = match &self.what {
            What::Form(forms) => forms_in_words(forms),
            What::Compare(relation, operand) => {
                let (sign, operand) = (relation.sign(), operand.words());
                text!("{sign} {operand}", sign, operand)
            }
            What::Usage(usage) => text!("{usage}", usage = usage.to_string()),
        };
        match conditions_in_words(&self.with) {
            always if always.is_empty() => what,
            conditions => text!("{what} where {conditions}", what, conditions),
        }
    }
}

impl Operand {
    fn words(&self) -> Text {
        let (from, days) = match self {
            Operand::Number(number) => return text!("{number}", number = number.to_string()),
            Operand::Value(name, _, days) => (text!("{name}", name), *days),
            Operand::Today(days) => (text!("today"), *days),
        };
        match (days, days.unsigned_abs()) {
            (0, _) => from,
            (1.., days) => text!("{from} + {days} days", from, days),
            (_, days) => text!("{from} - {days} days", from, days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(form: &str, value: &str) -> bool {
        let node = Node::parse("a.toml", "x = 1".into()).unwrap();
        let forms = Form::alternatives(&node, form).unwrap();
        forms.iter().any(|form| form.takes(value))
    }

    #[test]
    fn forms_take_what_they_say() {
        #[rustfmt::skip]
        let rows = [
            ("n18", "123456789012345678", true), ("n18", "12345678901234567", false),
            ("n18", "12345678901234567A", false), ("an8..30", "ABC 4711", true),
            ("an8..30", "ABC4711", false), ("n..6", "", false), ("n..6", "1", true),
            ("n..6", "1234567", false), ("'00' n18", "00123456789012345678", true),
            ("'00' n18", "10123456789012345678", false), ("n12 | n13", "1234567890123", true),
            ("n12 | n13", "12345678901", false), ("a2 n..6 '-X'", "AB123-X", true),
            ("a2 n..6 '-X'", "AB-X", false), ("a2 n..6 '-X'", "AB1234567-X", false),
            ("a2", "中文", true),
        ];
        for (form, value, is) in rows {
            assert_eq!(takes(form, value), is, "{form} {value}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let node = Node::parse("a.toml", "x = 1".into()).unwrap();
        for wrong in [
            "",
            "18",
            "n",
            "x3",
            "n3..2",
            "'00",
            "n..3 n..4",
            "n99999",
            "n3 |",
        ] {
            assert!(Form::alternatives(&node, wrong).is_err(), "{wrong}");
        }
    }
}
