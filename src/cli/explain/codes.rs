//! What the codes of TA1, 997 and 999 say, in our words, and what to do about each.

use serde::Serialize;

/// The elements that hold codes, by the name that a finding gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// TA105.
    Interchange,
    /// AK905 to AK909.
    Group,
    /// AK502 to AK506, IK502 to IK506.
    Set,
    /// AK304, IK304.
    Segment,
    /// AK403, IK403.
    Element,
}

/// A code with what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Meaning {
    /// The element and the code, as `AK403=7`.
    pub(super) code: String,
    /// What it says.
    pub(super) meaning: &'static str,
    /// What to do.
    pub(super) fix: &'static str,
}

/// Code, meaning, what to do.
type Row = (&'static str, &'static str, &'static str);

const RESEND: &str = "send the whole file again; if it was whole, compare sizes on both sides";
const SECURITY: &str =
    "agree with the partner on keys and services of X12.58 security, or use none";
const GUIDE: &str = "read the partner's guide at this place";

#[rustfmt::skip]
const INTERCHANGE: &[Row] = &[
    ("000", "nothing is wrong with the envelope", "nothing"),
    ("001", "the control numbers of ISA13 and IEA02 differ", "write the number of ISA13 into IEA02"),
    ("002", "the standard that ISA11 names is not supported", "write U into ISA11 (^ from release 00402 on)"),
    ("003", "the release in ISA12 is not supported", "ask the partner which release they take, mostly 00401"),
    ("004", "the segment terminator cannot be used", "end every segment in the byte after ISA16, mostly ~"),
    ("005", "the sender's qualifier, ISA05, is not known", "compare ISA05 with the partner's set-up sheet"),
    ("006", "the sender's id, ISA06, is not known", "compare ISA06 with the partner's set-up sheet; test and production ids differ"),
    ("007", "the receiver's qualifier, ISA07, is not known", "compare ISA07 with the partner's set-up sheet"),
    ("008", "the receiver's id, ISA08, is not known", "compare ISA08 with the partner's set-up sheet; test and production ids differ"),
    ("009", "the receiver is not known at this place", "check that the file went to the right address"),
    ("010", "the authorization qualifier, ISA01, is wrong", "write 00 into ISA01 and ten blanks into ISA02"),
    ("011", "the authorization in ISA02 is wrong", "write ten blanks into ISA02, unless the partner gave you a value"),
    ("012", "the security qualifier, ISA03, is wrong", "write 00 into ISA03 and ten blanks into ISA04"),
    ("013", "the password in ISA04 is wrong", "write ten blanks into ISA04, unless the partner gave you a value"),
    ("014", "the date in ISA09 is wrong", "write it as YYMMDD"),
    ("015", "the time in ISA10 is wrong", "write it as HHMM"),
    ("016", "ISA11 is wrong", "write U before release 00402, the repetition separator from it on"),
    ("017", "the release in ISA12 is wrong", "write five digits, such as 00401"),
    ("018", "the control number in ISA13 is wrong", "write nine digits"),
    ("019", "ISA14 is wrong", "write 0, or 1 to ask for a TA1"),
    ("020", "ISA15 is wrong", "write P for production or T for test"),
    ("021", "IEA01 does not count the groups", "write the number of groups into IEA01"),
    ("022", "the envelope is not built as it must be", "check ISA for its 106 bytes, and that GS, GE and IEA are there"),
    ("023", "the file ends too early", RESEND),
    ("024", "something in the interchange is wrong, mostly a GS", "run `transload check` on what you sent"),
    ("025", "an interchange with this number came before", "send it with a new ISA13, unless it was sent twice by mistake"),
    ("026", "the element separator cannot be used", "choose a byte that is in no data, mostly *"),
    ("027", "the component separator cannot be used", "choose a byte that is in no data, mostly >"),
    ("028", "the delivery date that was asked for is wrong", GUIDE),
    ("029", "the delivery time that was asked for is wrong", GUIDE),
    ("030", "the delivery time code is wrong", GUIDE),
    ("031", "the grade of service is wrong", GUIDE),
];

#[rustfmt::skip]
const GROUP: &[Row] = &[
    ("1", "this kind of group is not supported, or GS01 does not fit the sets in it", "compare GS01 with the set: PO for 850, IN for 810, SH for 856"),
    ("2", "the release in GS08 is not supported", "ask the partner which release they take"),
    ("3", "the group has no GE", RESEND),
    ("4", "the control numbers of GS06 and GE02 differ", "write the number of GS06 into GE02"),
    ("5", "GE01 does not count the sets", "write the number of sets into GE01"),
    ("6", "the control number in GS06 is wrong", "write one to nine digits"),
    ("10", "the authentication key is not known", SECURITY),
    ("11", "the encryption key is not known", SECURITY),
    ("12", "the service that was asked for is not there", SECURITY),
    ("13", "the security recipient is not known", SECURITY),
    ("14", "the security originator is not known", SECURITY),
    ("15", "what was decrypted is not sound", SECURITY),
    ("16", "security is not supported", SECURITY),
    ("17", "the encrypted message has a wrong length", SECURITY),
    ("18", "the message authentication code is wrong", SECURITY),
    ("19", "a group with this number came before", "send it with a new GS06, unless it was sent twice by mistake"),
    ("23", "the security trailer S3E is missing", SECURITY),
    ("24", "the security header S3S is missing", SECURITY),
    ("25", "the security trailer S4E is missing", SECURITY),
    ("26", "the security header S4S is missing", SECURITY),
];

#[rustfmt::skip]
const SET: &[Row] = &[
    ("1", "the partner does not take this kind of document", "ask the partner whether it is set up, and for which ids"),
    ("2", "the set has no SE", RESEND),
    ("3", "the control numbers of ST02 and SE02 differ", "write the number of ST02 into SE02"),
    ("4", "SE01 does not count the segments", "write the number of segments from ST to SE, both counted, into SE01"),
    ("5", "one or more segments are wrong", "mend the segments that are named"),
    ("6", "ST01 is missing or wrong", "write the number of the set, such as 850"),
    ("7", "ST02 is missing or wrong", "write a control number of four to nine characters"),
    ("8", "the authentication key is not known", SECURITY),
    ("9", "the encryption key is not known", SECURITY),
    ("10", "the service that was asked for is not there", SECURITY),
    ("11", "the security recipient is not known", SECURITY),
    ("12", "the encrypted message has a wrong length", SECURITY),
    ("13", "the message authentication code is wrong", SECURITY),
    ("15", "the security originator is not known", SECURITY),
    ("16", "what was decrypted is not sound", SECURITY),
    ("17", "security is not supported", SECURITY),
    ("18", "the set does not belong into this group", "put it into a group whose GS01 fits"),
    ("19", "the guide in ST03 is not known", "compare ST03 with the partner's guide"),
    ("23", "a set with this number came before in the group", "give every set of a group a number of its own in ST02"),
    ("24", "the security trailer S3E is missing", SECURITY),
    ("25", "the security header S3S is missing", SECURITY),
    ("26", "the security trailer S4E is missing", SECURITY),
    ("27", "the security header S4S is missing", SECURITY),
    ("I5", "one or more segments break the partner's guide", "mend the segments that are named"),
    ("I6", "the guide in ST03 is not supported", "compare ST03 with the partner's guide"),
];

#[rustfmt::skip]
const SEGMENT: &[Row] = &[
    ("1", "the standard has no such segment", "take it out, or correct its tag; look for a separator in the data before it"),
    ("2", "the segment has no place here", "move it to where the guide has it, or take it out"),
    ("3", "a mandatory segment is missing here", "add it"),
    ("4", "the loop that it opens comes too often", "send fewer of them, or split the document"),
    ("5", "the segment comes too often", "send fewer of them"),
    ("6", "the segment is not part of this set", "take it out, or look for the set that has it"),
    ("7", "the segment stands in the wrong order", "move it to where the guide has it"),
    ("8", "elements of the segment are wrong", "mend the elements that are named"),
    ("I4", "the partner's guide does not use the segment", "take it out"),
    ("I6", "a segment that the partner's guide makes due here is missing", "add it"),
    ("I7", "the loop comes too seldom for the partner's guide", "add what is missing"),
    ("I8", "the segment comes too seldom for the partner's guide", "add what is missing"),
    ("I9", "the partner's guide does not use the segment here", "take it out"),
];

#[rustfmt::skip]
const ELEMENT: &[Row] = &[
    ("1", "a mandatory element is missing", "fill it"),
    ("2", "an element is missing that others ask for", "fill it, or leave the others empty too"),
    ("3", "the segment has more elements than the standard", "take the extra ones out; look for a separator in the data"),
    ("4", "the value is too short", "send it at its least length; codes and numbers keep leading zeros"),
    ("5", "the value is too long", "shorten it, or correct it where a code or a date was due"),
    ("6", "a character is not allowed here", "send digits where a number is due, and no control characters"),
    ("7", "the code is not one that is allowed here", "send a code of the partner's guide"),
    ("8", "it is not a date", "send it as CCYYMMDD"),
    ("9", "it is not a time", "send it as HHMM or HHMMSS"),
    ("10", "two elements came that exclude each other", "leave one of them empty"),
    ("11", "the element repeats too often", "send fewer repetitions"),
    ("12", "the composite has too many components", "take the extra ones out; look for a component separator in the data"),
    ("I6", "the partner's guide does not use this code", "send a code of the partner's guide"),
    ("I9", "an element that the partner's guide makes due here is missing", "fill it"),
    ("I10", "the partner's guide does not use the element", "leave it empty"),
    ("I11", "the element repeats too seldom for the partner's guide", "add what is missing"),
    ("I12", "the value has not the form that the partner's guide asks for", "compare it with the guide, character by character"),
    ("I13", "the partner's guide does not use the element here", "leave it empty"),
];

impl Of {
    const ALL: [Of; 5] = [
        Of::Interchange,
        Of::Group,
        Of::Set,
        Of::Segment,
        Of::Element,
    ];

    /// The names of the element in a 997 (TA1) and in a 999.
    fn names(self) -> [&'static str; 2] {
        match self {
            Of::Interchange => ["TA105", "TA105"],
            Of::Group => ["AK905", "AK905"],
            Of::Set => ["AK502", "IK502"],
            Of::Segment => ["AK304", "IK304"],
            Of::Element => ["AK403", "IK403"],
        }
    }

    fn rows(self) -> &'static [Row] {
        match self {
            Of::Interchange => INTERCHANGE,
            Of::Group => GROUP,
            Of::Set => SET,
            Of::Segment => SEGMENT,
            Of::Element => ELEMENT,
        }
    }

    /// What `code` says; in a 999 the element has another name.
    pub(super) fn meaning(self, code: &str, in_999: bool) -> Meaning {
        let name = self.names()[usize::from(in_999)];
        let row = self.rows().iter().find(|(known, ..)| *known == code);
        let (_, meaning, fix) = row.copied().unwrap_or((
            "",
            "a code that the standard does not have",
            "ask the partner what they mean by it",
        ));
        Meaning {
            code: format!("{name}={code}"),
            meaning,
            fix,
        }
    }
}

/// What a value of this data element says, where it is one that holds such codes.
pub(in crate::cli) fn of_element(number: &str, code: &str) -> Option<&'static str> {
    let of = match number {
        "I18" => Of::Interchange,
        "716" => Of::Group,
        "718" => Of::Set,
        "720" => Of::Segment,
        "723" => Of::Element,
        _ => return None,
    };
    let row = of.rows().iter().find(|(known, ..)| *known == code)?;
    Some(row.1)
}

/// The code that `text` names, as `AK403=7`, `ik304=i4` or `TA105=021`.
pub(super) fn named(text: &str) -> Option<Meaning> {
    let (name, code) = text.split_once('=')?;
    let (name, code) = (name.to_ascii_uppercase(), code.to_ascii_uppercase());
    let of = Of::ALL.into_iter();
    let mut of = of.filter(|of| of.names().contains(&name.as_str()));
    let of = of.next()?;
    let known = of.rows().iter().any(|(known, ..)| *known == code);
    known.then(|| of.meaning(&code, name.starts_with('I')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::Fault;

    #[test]
    fn each_code_that_a_finding_earns_is_explained() {
        for fault in Fault::ALL {
            if let Some(code) = fault.code_997() {
                assert!(named(code).is_some(), "{code} of {}", fault.rule());
            }
        }
    }

    #[test]
    fn codes_are_found_in_either_vocabulary() {
        assert_eq!(named("ik403=i10").unwrap().code, "IK403=I10");
        assert_eq!(named("AK403=99"), None);
        assert_eq!(named("850"), None);
    }
}
