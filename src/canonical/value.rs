//! Leaves with an exact text form. In JSON each is a string, and the schema's `format` says which.
//!
//! | type | format | text |
//! |---|---|---|
//! | [`Decimal`] | `decimal` | `-?digits[.digits]`, scale kept: `10.00` stays `10.00` |
//! | [`Date`] | `date` | `YYYY-MM-DD` |
//! | [`Time`] | `time` | `HH:MM[:SS[.d[d]]]`, precision kept |
//! | [`Code`] | `code` | a canonical word, or `other:XX` |

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveTime};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not what its field holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}")]
pub struct InvalidValue {
    what: &'static str,
    text: String,
}

fn invalid(what: &'static str, text: &str) -> InvalidValue {
    InvalidValue {
        what,
        text: text.chars().take(40).collect(),
    }
}

/// A number as it was said: `10.00` is not `10`, neither when written nor when compared.
/// At most 28 digits, which is more than any X12 element holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decimal(rust_decimal::Decimal);

impl Decimal {
    /// A number with the scale it has.
    pub fn new(value: rust_decimal::Decimal) -> Decimal {
        Decimal(value)
    }

    /// The sum; `None` where it has more digits than a decimal holds.
    pub fn checked_add(self, other: Decimal) -> Option<Decimal> {
        self.0.checked_add(other.0).map(Decimal)
    }

    /// For arithmetic.
    pub fn value(self) -> rust_decimal::Decimal {
        self.0
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.0 == other.0 && self.0.scale() == other.0.scale()
    }
}

impl Eq for Decimal {}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Decimal {
    type Err = InvalidValue;

    /// Digits with one optional point and one optional minus; no exponent, plus or separators.
    /// `.5` and `5.` are read (X12 allows both) and written `0.5` and `5`.
    fn from_str(text: &str) -> Result<Decimal, InvalidValue> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !plain || !digits.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(invalid("decimal number", text));
        }
        rust_decimal::Decimal::from_str_exact(text)
            .map(Decimal)
            .map_err(|_| invalid("decimal number of at most 28 digits", text))
    }
}

/// A calendar date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NaiveDate);

impl Date {
    /// A date; its year should have four digits.
    pub fn new(date: NaiveDate) -> Date {
        Date(date)
    }

    /// For arithmetic.
    pub fn value(self) -> NaiveDate {
        self.0
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%d").fmt(f)
    }
}

impl FromStr for Date {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Date, InvalidValue> {
        let shape = text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        if !shape || text.len() != 10 {
            return Err(invalid("date (YYYY-MM-DD)", text));
        }
        text.parse()
            .map(Date)
            .map_err(|_| invalid("date of the calendar", text))
    }
}

/// A time of day, with the precision it was given: `08:00` is not `08:00:00`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(String);

impl Time {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For arithmetic; the precision is lost.
    pub fn value(&self) -> NaiveTime {
        let part = |range| {
            self.0
                .get(range)
                .and_then(|text: &str| text.parse().ok())
                .unwrap_or(0)
        };
        let hundredths = match self.0.len() {
            10 => part(9..10) * 10,
            _ => part(9..11),
        };
        NaiveTime::from_hms_milli_opt(part(0..2), part(3..5), part(6..8), hundredths * 10)
            .unwrap_or_default()
    }
}

impl Default for Time {
    fn default() -> Time {
        Time("00:00".into())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Time {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Time, InvalidValue> {
        let shape = text.bytes().enumerate().all(|(at, byte)| match at {
            2 | 5 => byte == b':',
            8 => byte == b'.',
            _ => byte.is_ascii_digit(),
        });
        let below = |range, limit: u8| {
            text.get(range)
                .is_none_or(|part: &str| part.parse::<u8>().is_ok_and(|n| n < limit))
        };
        let whole = matches!(text.len(), 5 | 8 | 10 | 11);
        if shape && whole && below(0..2, 24) && below(3..5, 60) && below(6..8, 60) {
            return Ok(Time(text.into()));
        }
        Err(invalid(
            "time (HH:MM, HH:MM:SS or with tenths or hundredths)",
            text,
        ))
    }
}

/// A word of a code list, or `other:XX` for a code that the list does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);

impl Code {
    /// Before a raw code that has no word.
    pub const OTHER: &'static str = "other:";

    /// A word.
    pub fn new(word: impl Into<String>) -> Code {
        Code(word.into())
    }

    /// A raw code that has no word.
    pub fn other(raw: &str) -> Code {
        Code(format!("{}{raw}", Code::OTHER))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The raw code, where there is no word for it.
    pub fn raw(&self) -> Option<&str> {
        self.0.strip_prefix(Code::OTHER)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Code {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Code, InvalidValue> {
        match text.strip_prefix(Code::OTHER).unwrap_or(text) {
            "" => Err(invalid("code", text)),
            _ => Ok(Code(text.into())),
        }
    }
}

/// Text both ways through serde, and an inline schema with a format.
macro_rules! text_form {
    ($($type:ident $format:literal $pattern:literal)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                deserializer.deserialize_str(Text(std::marker::PhantomData))
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $format, "pattern": $pattern })
            }
        }
    )*};
}

text_form! {
    Decimal "decimal" r"^-?[0-9]+(\.[0-9]+)?$"
    Date "date" r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
    Time "time" r"^[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,2})?)?$"
    Code "code" r"^([a-z0-9_]+|other:.+)$"
}

struct Text<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = InvalidValue>> serde::de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> String {
        text.parse::<Decimal>()
            .map_or_else(|error| error.to_string(), |value| value.to_string())
    }

    #[test]
    fn decimals_keep_their_scale_and_refuse_other_spellings() {
        for text in ["0", "10", "10.00", "-3.5", "0.005", "9999999999999.99"] {
            assert_eq!(decimal(text), text);
        }
        assert_eq!(decimal(".5"), "0.5");
        assert_eq!(decimal("5."), "5");
        for text in [
            "", "-", ".", "+1", "1e3", "1_000", "1,0", " 1", "1.2.3", "NaN",
        ] {
            assert!(decimal(text).contains("is not a decimal"), "{text}");
        }
        assert!(decimal(&"9".repeat(40)).contains("28 digits"));
        assert_ne!("1.0".parse::<Decimal>(), "1".parse::<Decimal>());
    }

    #[test]
    fn dates_are_of_the_calendar() {
        assert_eq!(
            "2026-02-28".parse::<Date>().unwrap().to_string(),
            "2026-02-28"
        );
        for text in [
            "2026-02-29",
            "2026-2-28",
            "20260228",
            "2026-02-28 ",
            "+026-02-28",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_keep_their_precision() {
        for text in ["00:00", "23:59", "08:00:00", "08:00:00.5", "08:00:00.25"] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        }
        for text in [
            "24:00",
            "08:60",
            "08:00:60",
            "8:00",
            "08:00:",
            "08:00:00.",
            "08:00:00.125",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
        let half = "08:00:01.5".parse::<Time>().unwrap().value();
        assert_eq!(half, NaiveTime::from_hms_milli_opt(8, 0, 1, 500).unwrap());
    }

    #[test]
    fn a_code_is_a_word_or_says_that_it_is_not() {
        assert_eq!(Code::other("ZZ").as_str(), "other:ZZ");
        assert_eq!("other:ZZ".parse::<Code>().unwrap().raw(), Some("ZZ"));
        assert_eq!("each".parse::<Code>().unwrap().raw(), None);
        assert!("other:".parse::<Code>().is_err());
        assert!("".parse::<Code>().is_err());
    }
}
