//! Which AS2 we say that we speak, and the headers that come with it (RFC 4130 §6.1, RFC 6017,
//! its coming revision §6.2).
//!
//! | version | adds |
//! |---|---|
//! | 1.0 | RFC 4130 |
//! | 1.1 | compression (RFC 5402) |
//! | 1.2 | `EDIINT-Features` in every message and receipt (RFC 6017) |
//! | 1.3 | `AS2-Product` in every message and receipt |
//!
//! What a partner says is never compared: an absent version is 1.0, a higher one than ours is
//! ours, and features that we do not know are ignored.

use super::error::Error;
use super::headers::Headers;

/// Who we are, from version 1.3 on.
const PRODUCT: &str = concat!("transload:", env!("CARGO_PKG_VERSION"));

/// What we do beyond RFC 4130 (RFC 6017): several documents in one message (RFC 6362), and the
/// receipt of the first message for each copy, certificates by messages.
const FEATURES: &str = "multiple-attachments, AS2-Reliability, CEM";

/// A version of AS2 to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.0.
    V1_0,
    /// 1.1.
    V1_1,
    /// 1.2, what most partners know.
    #[default]
    V1_2,
    /// 1.3.
    V1_3,
}

/// Each version with its name.
const NAMES: [(&str, Version); 4] = [
    ("1.0", Version::V1_0),
    ("1.1", Version::V1_1),
    ("1.2", Version::V1_2),
    ("1.3", Version::V1_3),
];

impl std::str::FromStr for Version {
    type Err = Error;

    /// Reads `1.0` to `1.3`.
    fn from_str(name: &str) -> Result<Version, Error> {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        let known = known.map(|(_, version)| *version);
        known.ok_or_else(|| Error::Unsupported(format!("AS2 version {name:?}")))
    }
}

impl Version {
    /// As `AS2-Version` says it.
    pub fn as_str(self) -> &'static str {
        NAMES[self as usize].0
    }

    /// Sets the headers of this version, of a message or of a receipt.
    ///
    /// ```
    /// use transload::as2::{Headers, Version};
    /// let mut headers: Headers = [("AS2-Version", "1.2")].into_iter().collect();
    /// Version::V1_3.dress(&mut headers);
    /// assert_eq!(headers.get("AS2-Version"), Some("1.3"));
    /// assert!(headers.get("AS2-Product").unwrap().starts_with("transload:"));
    /// ```
    pub fn dress(self, headers: &mut Headers) {
        headers.set("AS2-Version", self.as_str());
        if self >= Version::V1_2 {
            headers.set("EDIINT-Features", FEATURES);
        }
        if self >= Version::V1_3 {
            headers.set("AS2-Product", PRODUCT);
        }
    }
}
