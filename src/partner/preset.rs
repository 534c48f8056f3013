//! Presets: settings that fit a peer's software, as data, each with its reason and source.
//!
//! ```
//! use transload::partner::preset;
//!
//! for name in preset::names() {
//!     let preset = preset::named(name).unwrap()?;
//!     assert!(preset.as2.contains_key("encrypt") && !preset.reasons.is_empty());
//! }
//! assert!(preset::named("nobody").is_none());
//! # Ok::<(), transload::partner::Error>(())
//! ```

use serde::Deserialize;

use super::{Error, strict};
use crate::mapping::shipped;

/// The folder of presets, below that of mappings.
const FOLDER: &str = "presets";

/// Settings that fit a peer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Whose software it is.
    pub about: String,
    /// Lines of an `[as2]` section.
    pub as2: toml::Table,
    /// Why, setting by setting.
    pub reasons: Vec<Reason>,
}

/// Why a setting is as it is, or why there is nothing to set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The setting; none where we do what fits without being told.
    pub setting: Option<String>,
    /// What fits.
    pub why: String,
    /// Who says so.
    pub source: String,
}

/// The names of all presets, sorted.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = shipped(FOLDER).map(|(name, _)| name).collect();
    names.sort_unstable();
    names
}

/// The preset of this name.
#[must_use]
pub fn named(name: &str) -> Option<Result<Preset, Error>> {
    let (_, text) = shipped(FOLDER).find(|(known, _)| *known == name)?;
    Some(strict(text, &format!("{FOLDER}/{name}.toml")))
}
