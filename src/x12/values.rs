//! The values of ISA and GS that have a fixed form: dates, times, numbers, and the few codes that
//! routing programs branch on.
//!
//! | element | form |
//! |---|---|
//! | ISA06, ISA08 | not blank |
//! | ISA09, ISA10 | YYMMDD in all releases; HHMM |
//! | ISA12, ISA13 | digits |
//! | ISA14, ISA15 | `0` or `1`; `P`, `T` or `I` |
//! | GS04 | YYMMDD before release 003070, CCYYMMDD from 004010 on, either between |
//! | GS05 | HHMM, HHMMSS, HHMMSSD or HHMMSSDD |
//! | GS06 | digits |

use chrono::{NaiveDate, NaiveTime};

use super::header::text;
use super::isa::WIDTHS;
use super::{Fault, Finding, GroupHeader, Location, Segment, Text, text};

/// The release from which GS04 may, and that from which it must have a century.
const CENTURY_SINCE: &str = "003070";
const CENTURY_ONLY_SINCE: &str = "004010";

/// Whether groups of this release are dated with two digits of the year.
pub(super) fn is_before_century(release: &str) -> bool {
    is_release(release) && release < CENTURY_SINCE
}

fn is_release(release: &str) -> bool {
    release.len() == 6 && digits(release)
}

/// What is wrong with values of ISA. One that has not its width is told by its width alone.
pub(super) fn of_isa(isa: &Segment<'_>) -> Vec<Finding> {
    let value = |number: usize| text(isa.element(number));
    let not_blank = |v: &str| !v.trim().is_empty();
    type Rule = (usize, fn(&str) -> bool, Text);
    let rules: [Rule; 8] = [
        (6, not_blank, text!("write the sender's id")),
        (8, not_blank, text!("write the receiver's id")),
        (9, is_short_date, text!("write a day as YYMMDD")),
        (10, is_time, text!("write a time of day as HHMM")),
        (12, digits, text!("write five digits, such as 00401")),
        (13, digits, text!("write nine digits")),
        (
            14,
            |v| matches!(v, "0" | "1"),
            text!("write 1 to ask for a TA1, else 0"),
        ),
        (
            15,
            |v| matches!(v, "P" | "T" | "I"),
            text!("write P for production or T for test"),
        ),
    ];
    let wide = |n: usize| isa.element(n).len() == WIDTHS[n - 1];
    let wrong = rules
        .into_iter()
        .filter(|(n, holds, _)| wide(*n) && !holds(&value(*n)));
    wrong
        .map(|(n, _, fix)| finding(Fault::IsaValue, isa, n, &value(n), fix))
        .collect()
}

/// What is wrong with values of GS.
pub(super) fn of_gs(gs: &Segment<'_>, header: &GroupHeader) -> Vec<Finding> {
    let release = header.release();
    let long = |v: &str| v.len() == 8 && digits(v) && is_day(v);
    let (dated, date) = if is_before_century(release) {
        (is_short_date(&header.date), text!("write a day as YYMMDD"))
    } else if is_release(release) && release >= CENTURY_ONLY_SINCE {
        (long(&header.date), text!("write a day as CCYYMMDD"))
    } else {
        let dated = long(&header.date) || is_short_date(&header.date);
        (dated, text!("write a day as CCYYMMDD"))
    };
    let rules = [
        (4, dated, &header.date, date),
        (
            5,
            is_time(&header.time),
            &header.time,
            text!("write a time of day as HHMM"),
        ),
        (
            6,
            digits(&header.control_number),
            &header.control_number,
            text!("write one to nine digits"),
        ),
    ];
    let wrong = rules.into_iter().filter(|(_, holds, ..)| !holds);
    wrong
        .map(|(n, _, value, fix)| finding(Fault::GsValue, gs, n, value, fix))
        .collect()
}

fn finding(fault: Fault, segment: &Segment<'_>, number: usize, value: &str, fix: Text) -> Finding {
    let location = Location::of_element(segment, number);
    let place = location.designator();
    let message = match value.trim() {
        "" => text!("{place} is empty", place),
        _ => text!(
            "{place} is `{value}`",
            place,
            value = value.escape_debug().to_string()
        ),
    };
    Finding::new(fault, location, message, fix)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_day(text: &str) -> bool {
    NaiveDate::parse_from_str(text, "%Y%m%d").is_ok()
}

fn is_short_date(text: &str) -> bool {
    // The century does not matter but for 29 February, which 2000 has.
    text.len() == 6 && digits(text) && is_day(&format!("20{text}"))
}

/// HHMM, and seconds and parts of them where they are.
fn is_time(text: &str) -> bool {
    let (clock, parts) = text.split_at_checked(6).unwrap_or((text, ""));
    let form = if clock.len() == 6 { "%H%M%S" } else { "%H%M" };
    matches!(text.len(), 4 | 6 | 7 | 8)
        && digits(text)
        && (parts.is_empty() || digits(parts))
        && NaiveTime::parse_from_str(clock, form).is_ok()
}
