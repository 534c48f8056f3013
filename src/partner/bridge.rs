//! The business side of a partnership: a folder, or an account of an API.

use std::path::PathBuf;

use chrono::{DateTime, FixedOffset, Utc};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::check;

/// The longest time between polls, and before silence is told, in minutes: a day.
const MINUTES: u32 = 24 * 60;

/// What ends the name of a site's file, and no site's name.
pub const SITE_FILE: &str = ".toml";

/// A way to our own side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bridge {
    /// Canonical JSON in a folder.
    #[default]
    Folder,
    /// The account in `[spapi]`.
    Spapi,
}

/// An account of the API, as the partner file says it. Its credential is a file of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spapi {
    /// `simulator`, `sandbox` or `production`: part of every identity.
    #[serde(deserialize_with = "environment")]
    pub environment: String,
    /// The site, such as `us` or `de`; or the file of one of one's own, `mine.toml`, relative to the
    /// partner file.
    pub site: String,
    /// Where a simulator on this machine is.
    pub url: Option<String>,
    /// The file with the application's secrets and the account's refresh token; relative to the
    /// partner file.
    pub credential: PathBuf,
    /// The vendor codes that are this partnership's; none is all that the authorisation sees.
    #[serde(default)]
    pub vendor_codes: Vec<String>,
    /// How far the partner's own dates are from UTC, as `-08:00`.
    #[serde(default = "utc", deserialize_with = "zone")]
    pub zone: FixedOffset,
    /// From when on orders are taken: where this partnership began to use the API. Without it, from
    /// a week before the first poll.
    pub since: Option<DateTime<Utc>>,
    /// How often orders are asked for.
    #[serde(default = "ten", deserialize_with = "minutes")]
    pub poll_minutes: u32,
    /// After how long a silence of the API people are told.
    #[serde(default = "sixty", deserialize_with = "minutes")]
    pub silence_minutes: u32,
    /// Whether the buyer pays the freight, so that an order's window is one of shipment.
    #[serde(default)]
    pub collect: bool,
    /// Whether it is direct fulfillment.
    #[serde(default)]
    pub direct: bool,
    /// The version of direct fulfillment's APIs: `v1` or `2021-12-28`.
    #[serde(default = "v1", deserialize_with = "version")]
    pub version: String,
    /// Whether the application serves others, so that what names consumers wants a token of its own.
    #[serde(default)]
    pub restricted: bool,
    /// Whether the API's answer to each set goes back as a 997: accepted when it is taken, rejected
    /// when it is refused for its form. Then `[x12]` says `acknowledge = false`: a set has one 997.
    #[serde(default)]
    pub acknowledge: bool,
}

fn ten() -> u32 {
    10
}

fn sixty() -> u32 {
    60
}

fn utc() -> FixedOffset {
    FixedOffset::east_opt(0).expect("zero is in range")
}

fn minutes<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    check::up_to(input, MINUTES, "minutes")
}

fn environment<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let known = |word: &str| ["simulator", "sandbox", "production"].contains(&word);
    check::text(input, known, "one of simulator, sandbox, production")
}

fn v1() -> String {
    "v1".to_owned()
}

fn version<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let known = |word: &str| ["v1", "2021-12-28"].contains(&word);
    check::text(input, known, "one of v1, 2021-12-28")
}

fn zone<'de, D: Deserializer<'de>>(input: D) -> Result<FixedOffset, D::Error> {
    let text = String::deserialize(input)?;
    let zone = text.parse();
    zone.map_err(|_| D::Error::custom(format!("{text:?} is not an offset such as -08:00")))
}
