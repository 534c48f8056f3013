//! What a value of a partner file must be; serde calls these, so that an error has its place.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::de::{Deserialize, Deserializer, Error};

use super::keyring::Entry;
use super::{Compression, Delimiters, KeyTransport, RsaSignature, Version};

/// Characters of an AS2 name (RFC 4130 section 6.2).
const AS2_NAME: usize = 128;
/// Characters of ISA06 and ISA08.
const ISA_ID: usize = 15;
/// Characters of a partner's name: it becomes part of file names.
const NAME: usize = 64;
/// The longest wait for a receipt, in minutes: a day.
const MINUTES: u32 = 24 * 60;
/// The longest that something is tried for, in hours: a month.
const HOURS: u32 = 31 * 24;
/// The most that is with one partner's server at once: half of what a gateway sends in all.
const AT_ONCE: u32 = 16;
/// The most misses before a circuit is shut: with the longest waits, days of them.
const MISSES: u32 = 100;
/// The longest pause between interim answers: proxies cut what is silent for a minute.
const INTERIM: u32 = 300;
/// Characters of GS08.
const VERSION: std::ops::RangeInclusive<usize> = 6..=12;

pub(super) fn text<'de, D: Deserializer<'de>>(
    input: D,
    sound: impl Fn(&str) -> bool,
    want: &str,
) -> Result<String, D::Error> {
    let text = String::deserialize(input)?;
    if sound(&text) {
        Ok(text)
    } else {
        Err(D::Error::custom(format!("{text:?} is not {want}")))
    }
}

/// Printable ASCII, neither empty nor padded.
fn printable(text: &str) -> bool {
    text.trim() == text && !text.is_empty() && text.bytes().all(|b| matches!(b, b' '..=b'~'))
}

fn path_safe(text: &str) -> bool {
    let fits = (1..=NAME).contains(&text.len()) && !text.starts_with('.');
    fits && text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

pub(super) fn name<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    text(
        input,
        path_safe,
        "a name of 1 to 64 letters, digits, `-`, `_` or `.`",
    )
}

pub(super) fn guide<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    name(input).map(Some)
}

pub(super) fn as2_name<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    text(
        input,
        is_as2_name,
        "an AS2 name: 1 to 128 printable ASCII characters",
    )
}

/// Whether a text is an AS2 name.
pub(super) fn is_as2_name(text: &str) -> bool {
    printable(text) && text.len() <= AS2_NAME
}

/// Whether a text is an http or https URL.
pub(crate) fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("http://")
        .or(text.strip_prefix("https://"));
    let host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':', '?']));
    // A password in it would stand in every log; `login` has a place for one.
    let authority = rest.unwrap_or_default().split(['/', '?', '#']).next();
    let host = host && !authority.unwrap_or_default().contains('@');
    host && text.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(super) fn url<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let want = "an http or https URL, without a user in it (`login` has a place for that)";
    text(input, is_url, want)
}

/// URLs of which scheme, host and port can be told.
pub(super) fn urls<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    let urls = Vec::<String>::deserialize(input)?;
    match urls.iter().find(|url| super::origin(url).is_none()) {
        Some(wrong) => Err(D::Error::custom(format!(
            "{wrong:?} is not an http or https URL such as https://edi.example.com:8443"
        ))),
        None => Ok(urls),
    }
}

pub(super) fn minutes<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    up_to(input, MINUTES, "minutes")
}

pub(super) fn hours<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    up_to(input, HOURS, "hours")
}

pub(super) fn at_once<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u32>, D::Error> {
    up_to(input, AT_ONCE, "messages at once").map(Some)
}

pub(super) fn misses<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u32>, D::Error> {
    up_to(input, MISSES, "tries in a row").map(Some)
}

pub(super) fn interim<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u32>, D::Error> {
    up_to(input, INTERIM, "seconds").map(Some)
}

pub(super) fn up_to<'de, D: Deserializer<'de>>(
    input: D,
    most: u32,
    unit: &str,
) -> Result<u32, D::Error> {
    match u32::deserialize(input)? {
        sound if (1..=most).contains(&sound) => Ok(sound),
        wrong => Err(D::Error::custom(format!(
            "{wrong} is not 1 to {most} {unit}"
        ))),
    }
}

pub(super) fn qualifier<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let sound = |text: &str| text.len() == 2 && text.bytes().all(upper);
    text(
        input,
        sound,
        "a qualifier of two capitals or digits, such as ZZ",
    )
}

pub(super) fn isa_id<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let sound = |text: &str| printable(text) && text.len() <= ISA_ID;
    text(
        input,
        sound,
        "an ISA identifier: 1 to 15 printable ASCII characters",
    )
}

pub(super) fn version<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let sound = |text: &str| {
        VERSION.contains(&text.len())
            && text.bytes().take(6).all(|byte| byte.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text(input, sound, "an X12 version such as 004010")
}

pub(super) fn certificates<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Entry>, D::Error> {
    let paths = Vec::<Entry>::deserialize(input)?;
    if paths.is_empty() {
        return Err(D::Error::custom(
            "no certificate: a partner without one cannot be known",
        ));
    }
    Ok(paths)
}

pub(super) fn rsa_signature<'de, D: Deserializer<'de>>(input: D) -> Result<RsaSignature, D::Error> {
    let word = String::deserialize(input)?;
    let wrong = |_| D::Error::custom(format!("{word:?} is neither `rsa-pkcs1` nor `rsa-pss`"));
    word.parse().map_err(wrong)
}

pub(super) fn as2_version<'de, D: Deserializer<'de>>(input: D) -> Result<Version, D::Error> {
    let word = String::deserialize(input)?;
    let wrong = |_| {
        D::Error::custom(format!(
            "{word:?} is not an AS2 version, \"1.0\" to \"1.3\""
        ))
    };
    word.parse().map_err(wrong)
}

pub(super) fn key_transport<'de, D: Deserializer<'de>>(input: D) -> Result<KeyTransport, D::Error> {
    let word = String::deserialize(input)?;
    word.parse().map_err(|_| {
        D::Error::custom(format!(
            "{word:?} is neither `rsa-pkcs1` nor `rsa-oaep-` with a digest such as sha-256"
        ))
    })
}

/// A word, or whether at all.
pub(super) fn compression<'de, D: Deserializer<'de>>(
    input: D,
) -> Result<Option<Compression>, D::Error> {
    let wrong = |value: &toml::Value| {
        D::Error::custom(format!(
            "{value} is neither `before-signing`, `after-signing` nor `none`"
        ))
    };
    let value = toml::Value::deserialize(input)?;
    match (value.as_bool(), value.as_str()) {
        (Some(true), _) => Ok(Some(Compression::BeforeSigning)),
        (Some(false), _) | (_, Some("none")) => Ok(None),
        (_, Some(word)) => word.parse().map(Some).map_err(|_| wrong(&value)),
        _ => Err(wrong(&value)),
    }
}

/// A date as TOML writes one, in quotes or not.
pub(super) fn date<'de, D: Deserializer<'de>>(input: D) -> Result<Option<NaiveDate>, D::Error> {
    let value = toml::Value::deserialize(input)?;
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let wrong = |_| D::Error::custom(format!("{text:?} is not a date such as 2027-01-31"));
    text.parse().map(Some).map_err(wrong)
}

/// A time or a date; a date is its midnight, UTC.
///
/// # Errors
/// What else it is.
pub fn moment_of(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(NaiveTime::MIN).and_utc());
    }
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| {
            format!(
                "{text:?} is not a time such as 2027-01-31T08:00:00Z, nor a date such as 2027-01-31"
            )
        })
}

/// A time as TOML writes one, in quotes or not; a date is its midnight, UTC.
pub(super) fn moment<'de, D: Deserializer<'de>>(
    input: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = toml::Value::deserialize(input)?;
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    moment_of(&text).map(Some).map_err(D::Error::custom)
}

pub(super) fn delimiters<'de, D: Deserializer<'de>>(input: D) -> Result<Delimiters, D::Error> {
    let delimiters = Delimiters::deserialize(input)?;
    let Delimiters {
        element,
        component,
        segment,
        repetition,
    } = delimiters;
    let all = [element, component, segment, repetition];
    for (n, one) in all.iter().enumerate() {
        if !one.is_ascii() || one.is_ascii_alphanumeric() || *one == ' ' {
            return Err(D::Error::custom(format!("{one:?} cannot be a delimiter")));
        }
        if all[..n].contains(one) {
            return Err(D::Error::custom(format!(
                "{one:?} is two delimiters at once"
            )));
        }
    }
    Ok(delimiters)
}
