//! The rules that `check` holds files to: what each says and what mends it, in general. Why it
//! matters, an input that breaks it and its 997 code stand with the [`Fault`] itself.

use std::io::{self, Write};

use serde::Serialize;

use super::codes;
use crate::cli::report::{Colour, Paint};
use crate::cli::words::say;
use crate::lang::pad;
use crate::mapping::suggestion;
use crate::x12::{Fault, Severity, Text, text};

/// Rule, what it says, how to mend it.
type Row = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const RULES: &[Row] = &[
    ("source.bom", "a byte order mark stands before ISA", "save the file as plain text, without a byte order mark"),
    ("source.encoding", "the file is UTF-16, or is cut into lines of one width", "save it as ASCII or UTF-8, one line or one line a segment"),
    ("source.stray-bytes", "bytes stand before ISA or after IEA", "send nothing but interchanges"),
    ("source.padding", "blanks, line breaks or NULs stand outside the interchange", "nothing; or take them out"),
    ("source.no-final-terminator", "the last segment has no terminator", "end the last segment like all others"),
    ("source.truncated", "the file ends in the midst of a set or a segment", "get the whole file again; no tool knows what was lost"),
    ("source.limit", "a segment or a set is larger than any that is in use", "look for a wrong segment terminator; split very large sets"),
    ("isa.length", "something stands between ISA16 and the segment terminator", "put the terminator right behind ISA16, so that ISA has 106 bytes"),
    ("isa.element", "an element of ISA has not its own width", "fill ids with blanks to 15 bytes, numbers with zeros in front"),
    ("isa.value", "an element of ISA has a value that it may not have", "write dates as YYMMDD, times as HHMM, and the codes of the standard"),
    ("isa.delimiter-clash", "one byte is used as two separators", "choose four different bytes that are in no data"),
    ("isa.terminator", "no terminator stands behind ISA16", "end ISA and every other segment in a terminator, mostly ~"),
    ("isa.repetition", "ISA11 holds a letter, digit or blank where the repetition separator is due", "write ^ into ISA11, or an ISA12 before 00402"),
    ("isa.repetition-early", "ISA11 holds a separator in a release that has none", "write U into ISA11"),
    ("isa.terminator-transcoded", "the terminator was rewritten as several bytes on its way", "choose a terminator below 0x80, and send files as bytes and not as text"),
    ("segment.lowercase", "a segment's tag is in lower case", "write tags in upper case"),
    ("iea.missing", "an interchange has no IEA", "write IEA with the number of groups and the number of ISA13"),
    ("iea.count", "IEA01 is not the number of groups", "write the number of groups into IEA01"),
    ("iea.control-number", "IEA02 is not ISA13", "write the number of ISA13 into IEA02"),
    ("isa.empty", "an interchange holds neither a group nor a TA1", "send none where there is nothing to say"),
    ("isa.duplicate", "one sender uses one ISA13 twice in a file", "count ISA13 up with every interchange"),
    ("gs.version", "ISA12 and GS08 name different releases", "name the release of the group in ISA12 too, unless the partner asks otherwise"),
    ("gs.value", "a date, time or number of GS has not its form", "write GS04 as CCYYMMDD, GS05 as HHMM, GS06 in digits"),
    ("segment.outside-set", "a segment stands outside ST and SE", "look for a damaged ST, SE or GS before it"),
    ("ge.missing", "a group has no GE", "write GE with the number of sets and the number of GS06"),
    ("ge.count", "GE01 is not the number of sets", "write the number of sets into GE01"),
    ("ge.control-number", "GE02 is not GS06", "write the number of GS06 into GE02"),
    ("gs.functional-id", "GS01 does not fit the sets in the group", "write PO for 850, PR for 855, SH for 856, IN for 810"),
    ("gs.duplicate", "one GS06 is used twice in an interchange", "count GS06 up with every group"),
    ("gs.empty", "a group holds no set", "leave the group out"),
    ("se.missing", "a set has no SE", "write SE with the number of segments and the number of ST02"),
    ("se.count", "SE01 is not the number of segments from ST to SE", "count the segments, ST and SE included, into SE01"),
    ("se.control-number", "SE02 is not ST02", "write the number of ST02 into SE02"),
    ("st.duplicate", "one ST02 is used twice in a group", "count ST02 up with every set"),
    ("count.leading-zeros", "a count has zeros in front, or a number has more of them in its trailer", "nothing; or write both alike"),
    ("segment.empty", "a terminator has nothing before it", "take the extra terminator out"),
    ("segment.trailing-separators", "a segment ends in separators", "leave out separators after the last value"),
    ("segment.binary-length", "the length in BIN or BDS does not lead to a terminator", "give the number of bytes of the data"),
    ("set.no-guide", "no guide describes the set in this release", "write a guide for it and give its folder as --mappings"),
    ("segment.unknown", "the standard has no segment with this tag", "take it out, or correct its tag; look for a separator in the data before it"),
    ("segment.unexpected", "the segment has no place here", "move it to where the guide has it, or take it out"),
    ("segment.missing", "a mandatory segment is missing", "add it"),
    ("loop.too-many", "a loop comes too often", "send fewer of them, or split the document"),
    ("segment.too-many", "a segment comes too often", "send fewer of them"),
    ("segment.not-used", "the partner's guide does not use it", "leave it out for this partner"),
    ("segment.order", "a segment stands after one that it must precede", "move it to where the guide has it"),
    ("hl.parent", "an HL names a parent that is not there, or may not hold it", "write HL01 of the level above into HL02"),
    ("hl.number", "two HL have one number", "number HL01 upwards from 1"),
    ("element.missing", "a mandatory element is empty", "fill it"),
    ("element.condition", "an element is missing that others ask for", "fill it, or leave the others empty too"),
    ("element.too-many", "a segment has more elements than the standard", "take the extra ones out; look for a separator in the data"),
    ("element.too-short", "a value is too short", "send it at its least length; codes and numbers keep leading zeros"),
    ("element.too-long", "a value is too long", "shorten it, or correct it where a code or a date was due"),
    ("element.character", "a value holds a character that its type does not allow", "send digits where a number is due, and no control characters"),
    ("element.code", "a code is not in its list", "send a code of the list, or add yours to it in guides of your own"),
    ("element.date", "a value is not a date", "send it as CCYYMMDD"),
    ("element.time", "a value is not a time", "send it as HHMM or HHMMSS"),
    ("element.form", "a value has not the form that the partner's guide asks for", "compare it with the guide, character by character"),
    ("element.with", "an element is missing that the partner's guide asks for where another has a value", "fill it, or correct the value that asks for it"),
    ("element.without", "an element came that the partner's guide forbids where another has a value", "leave it empty, or correct the value that forbids it"),
    ("segment.with", "a segment is missing that the partner's guide asks for where a value says so", "add it, or correct the value that asks for it"),
    ("segment.without", "a segment came that the partner's guide forbids where a value says so", "leave it out, or correct the value that forbids it"),
    ("value.bounds", "a value is above or below what the partner's guide allows, or stands wrongly to another", "correct the one or the other"),
    ("element.exclusive", "two elements came that exclude each other", "leave one of them empty"),
    ("value.differs", "a count, a sum or a constant is not what it must be", "send what is due, or look for what is missing"),
    ("value.scale", "a price or a total looks a hundred times too large, or too small", "look for the decimal point: prices write it, TDS01 does not"),
    ("total.differs", "the total of an invoice is not what its lines, charges and taxes come to", "correct the total, or the line, charge or tax that is wrong or missing"),
    ("total.tax", "the tax of an invoice is not the sum of the taxes of its lines", "correct the tax of the whole, or that of the line"),
    ("line.amount", "the amount of a line is not its quantity times its price", "correct the amount, the quantity or the price"),
    ("value.date-order", "a ship notice has dates that cannot follow each other", "take all dates from one clock, and send the notice when the goods leave"),
    ("answer.unknown-group", "a 997 answers a group that is in none of the files", "compare AK102 with the numbers of the groups that you sent"),
    ("answer.missing", "a group has no 997 among files that hold others", "look into the transport log, then ask the partner for the 997"),
    ("answer.rejected", "a 997 rejects what stands here", "run `transload explain` on the 997 with this file as --original"),
    ("line.quantity", "an answer, a ship notice or an invoice has another quantity than its order", "compare the two: what is missing may follow, what is too much is refused"),
    ("line.price", "an answer or an invoice has another price than its order", "agree on the price before you send"),
    ("line.missing", "an acknowledgment leaves out a line of its order", "answer every line: one that is left out counts as rejected"),
    ("line.revived", "an answer accepts a line that one before has rejected", "ask the buyer for a new order; only the files that are checked together are known, not what was answered before"),
    ("number.twice", "the number of an invoice, of a shipment or of a package comes twice among the files", "give it a number of its own; that it did not come in the last year only the gateway's memory can say, not check"),
    ("flow.order", "a document was written before the one that it follows", "stamp ISA09 and ISA10 when the interchange is made, in one time zone"),
    ("value.unmapped", "a value has no place in the document", "nothing, or give it an `as` in a guide of your own"),
    ("value.normalised", "a value is written in another way than it came", "nothing"),
    ("value.check-digit", "a UPC, EAN, GTIN or SSCC ends in a wrong digit", "compare the number with the label"),
    ("value.charset", "a byte is neither ASCII nor UTF-8", "send ASCII, or agree on a character set"),
    ("value.character-set", "a character is outside X12's extended set", "send ASCII, or agree on a character set"),
    ("value.separator", "a value holds a separator", "choose other separators, or change the value"),
];

/// What is known of one rule.
#[derive(Serialize)]
pub(super) struct Rule {
    rule: &'static str,
    severity: Severity,
    what: &'static str,
    why: &'static str,
    /// An input that breaks it.
    example: &'static str,
    fix: &'static str,
    code_997: Option<&'static str>,
}

impl Rule {
    fn of(fault: Fault) -> Rule {
        let rule = fault.rule();
        let row = RULES.iter().find(|(known, ..)| *known == rule);
        let (_, what, fix) = row.copied().unwrap_or_default();
        Rule {
            rule,
            severity: fault.severity(),
            what,
            why: fault.why(),
            example: fault.example(),
            fix,
            code_997: fault.code_997(),
        }
    }

    /// The rule with this id, in any case.
    pub(super) fn named(id: &str) -> Option<Rule> {
        let mut all = Fault::ALL.iter();
        let found = all.find(|fault| fault.rule().eq_ignore_ascii_case(id))?;
        Some(Rule::of(*found))
    }

    pub(super) fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        let (colour, severity) = colour(self.severity);
        let severity = paint.paint(colour, say(severity));
        let (rule, what) = (paint.bold(self.rule), say(self.what));
        writeln!(out, "{rule} ({severity}): {what}\n")?;
        let earned = self.code_997.and_then(codes::named);
        let earned = earned.map_or_else(
            || say("none: no acknowledgment speaks of it").to_owned(),
            |code| format!("{}: {}", code.code, say(code.meaning)),
        );
        let rows = [
            (say("why"), say(self.why)),
            (say("example"), say(self.example)),
            (say("fix"), say(self.fix)),
            ("997", &earned),
        ];
        for (name, text) in rows {
            writeln!(out, "  {}  {text}", paint.dim(&pad(name, 7)))?;
        }
        Ok(())
    }
}

/// How a severity is shown.
fn colour(severity: Severity) -> (Colour, &'static str) {
    match severity {
        Severity::Error => (Colour::Red, "error"),
        Severity::Warning => (Colour::Yellow, "warning"),
        Severity::Info => (Colour::Blue, "note"),
    }
}

/// `; did you mean "element.code"?`, or nothing.
pub(super) fn near(id: &str) -> Text {
    let all: Vec<&str> = Fault::ALL.iter().map(|fault| fault.rule()).collect();
    let near = suggestion(id, &all);
    if !near.is_empty() {
        return near;
    }
    // A part of a rule's name, as `code` or `se`.
    let holds = |rule: &&&str| rule.split(['.', '-']).any(|word| word == id);
    let some: Vec<&str> = all.iter().filter(holds).copied().collect();
    match some.is_empty() {
        true => Text::default(),
        false => text!("; there are {rules}", rules = some.join(", ")),
    }
}

/// All rules, one a line.
pub(super) fn list(json: bool, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for fault in Fault::ALL {
        let rule = Rule::of(*fault);
        if json {
            let line = serde_json::to_string(&rule).expect("a rule has a JSON form");
            writeln!(out, "{line}")?;
            continue;
        }
        let (colour, severity) = colour(rule.severity);
        let severity = paint.paint(colour, &pad(say(severity), 7));
        writeln!(out, "{:<27}  {severity}  {}", rule.rule, say(rule.what))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_explained() {
        for fault in Fault::ALL {
            let rule = Rule::of(*fault);
            let told = [rule.what, rule.fix, rule.why, rule.example];
            assert!(told.iter().all(|text| !text.is_empty()), "{}", rule.rule);
        }
        let rules = Fault::ALL.iter().map(|fault| fault.rule());
        assert!(
            RULES.iter().map(|row| row.0).eq(rules),
            "order, or one too many"
        );
    }

    #[test]
    fn a_name_that_is_near_is_told() {
        let near = |id| near(id).to_string();
        assert_eq!(near("element.cod"), "; did you mean \"element.code\"?");
        assert_eq!(near("separator"), "; there are value.separator");
        assert_eq!(near("banana"), "");
    }
}
