//! What a receipt says happened (RFC 4130 §7.4.3, §7.5), and what a failure may tell.
//!
//! ```text
//! Disposition = mode ";" type [ "/" modifier [ ":" text ] ]
//! ```

use std::fmt;

use super::error::Error;

/// Type and modifier together: the four outcomes that a partner can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `processed`.
    Processed,
    /// `processed/warning: text`: delivered all the same.
    Warning,
    /// `processed/error: text`: the message was refused.
    Error,
    /// `failed/Failure: text`: the receipt that was asked for cannot be made.
    Failure,
}

/// A disposition: outcome and modifier text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposition {
    /// The outcome.
    pub outcome: Outcome,
    /// The modifier's text, such as `decryption-failed`; empty for `processed`.
    pub detail: String,
}

/// The error modifiers that came after RFC 4130 §7.5.
#[rustfmt::skip]
const EXPLAINED: &[(&str, &str)] = &[
    ("decompression-failed", "the compressed data could not be expanded"),
    ("duplicate-filename", "the file name was used before, and names have to be unique"),
    ("illegal-filename", "the file name cannot be used here"),
    ("insufficient-message-security", "the message has less protection than was agreed"),
    ("invalid-message-id", "the Message-ID is missing, or has blanks or control characters in it"),
    ("unknown-trading-relationship", "AS2-From and AS2-To name no relationship that we know"),
];

/// Old spellings of the field, and what they mean.
#[rustfmt::skip]
const RESPELT: &[(&str, &str)] = &[
    ("decompresion-failed", "decompression-failed"),
    ("unknown-trading-partner", "unknown-trading-relationship"),
    ("unsupported mic-algorithm", "unsupported MIC-algorithms"),
    ("unsupported mic-algorithms", "unsupported MIC-algorithms"),
    ("unsupported-mic-algorithm", "unsupported MIC-algorithms"),
    ("unsupported-mic-algorithms", "unsupported MIC-algorithms"),
];

impl Disposition {
    /// `processed`: we have the message.
    pub fn processed() -> Disposition {
        Disposition {
            outcome: Outcome::Processed,
            detail: String::new(),
        }
    }

    /// `processed/error: detail`.
    pub fn error(detail: &str) -> Disposition {
        Disposition {
            outcome: Outcome::Error,
            detail: detail.to_owned(),
        }
    }

    /// `failed/Failure: detail`.
    pub fn failure(detail: &str) -> Disposition {
        Disposition {
            outcome: Outcome::Failure,
            detail: detail.to_owned(),
        }
    }

    /// Why, in a sentence, for modifiers that are newer than RFC 4130: partners may not know
    /// them, and the coming revision (§8.4.3) wants them explained.
    pub fn explanation(&self) -> Option<&'static str> {
        let told = EXPLAINED.iter().find(|(word, _)| *word == self.detail);
        told.filter(|_| self.outcome == Outcome::Error)
            .map(|(_, why)| *why)
    }

    /// Whether the partner says that he has the message.
    pub fn is_positive(&self) -> bool {
        matches!(self.outcome, Outcome::Processed | Outcome::Warning)
    }

    /// Reads a `Disposition` field in any letter case, with blanks anywhere, and with the
    /// typos of the field. What is not clearly positive is negative.
    ///
    /// ```
    /// use transload::as2::Disposition;
    /// let read = Disposition::parse("automatic-action/MDN-sent-automatically;processed/Error: decompresion-failed");
    /// assert_eq!(read, Disposition::error("decompression-failed"));
    /// assert!(Disposition::parse("automatic-action/mdn-sent-automatically ;\tProcessed").is_positive());
    /// assert!(!Disposition::parse("nonsense").is_positive());
    /// ```
    pub fn parse(field: &str) -> Disposition {
        let is_mode = |text: &str| {
            let text = text.to_ascii_lowercase();
            text.contains("action") || text.contains("mdn-sent") || !text.contains("processed")
        };
        let mode = field.split_once(';').filter(|(mode, _)| is_mode(mode));
        let after_mode = mode.map_or(field, |(_, rest)| rest);
        let (kind, modifier) = after_mode.split_once('/').unwrap_or((after_mode, ""));
        let (word, text) = modifier.split_once(':').unwrap_or((modifier, ""));
        let word = word.trim().to_ascii_lowercase();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let detail = if text.is_empty() { word.clone() } else { text };
        let respelt = RESPELT
            .iter()
            .find(|(old, _)| detail.eq_ignore_ascii_case(old));
        let detail = respelt.map_or(detail, |(_, new)| (*new).to_owned());
        // What stands in parentheses is a comment (RFC 8098 §3.1).
        let kind = kind.split('(').next().unwrap_or_default();
        let outcome = match (kind.trim().to_ascii_lowercase().as_str(), word.as_str()) {
            ("processed", "") => Outcome::Processed,
            ("processed", word) if word.starts_with("warning") => Outcome::Warning,
            ("processed", _) => Outcome::Error,
            _ => Outcome::Failure,
        };
        Disposition { outcome, detail }
    }
}

impl fmt::Display for Disposition {
    /// The whole field, mode included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("automatic-action/MDN-sent-automatically; ")?;
        match self.outcome {
            Outcome::Processed => f.write_str("processed"),
            Outcome::Warning => write!(f, "processed/warning: {}", self.detail),
            Outcome::Error => write!(f, "processed/error: {}", self.detail),
            Outcome::Failure => write!(f, "failed/Failure: {}", self.detail),
        }
    }
}

impl From<&Error> for Disposition {
    /// The one table, exact. What a partner is told is [`Error::disposition`].
    fn from(error: &Error) -> Disposition {
        Disposition::error(match error {
            Error::NotForUs(_) | Error::Decryption(_) => "decryption-failed",
            Error::Decompression(_) => "decompression-failed",
            Error::UnknownSigner(_) | Error::Validity(_) | Error::Signature(_) => {
                "authentication-failed"
            }
            Error::Integrity { .. } => "integrity-check-failed",
            Error::Weak(_) | Error::Unprotected(_) => "insufficient-message-security",
            Error::Encrypted(inner) => return Disposition::from(inner.as_ref()),
            Error::Header { name, .. } if name == "Message-ID" => "invalid-message-id",
            Error::Header { .. }
            | Error::Mime(_)
            | Error::Cms(_)
            | Error::Unsupported(_)
            | Error::Truncated(_)
            | Error::Limit { .. }
            | Error::Key(_)
            | Error::Io(_)
            | Error::OpenSsl(_) => "unexpected-processing-error",
        })
    }
}

impl Error {
    /// What the partner is told. For an encrypted message everything from key unwrap to
    /// signature is `decryption-failed`, because a gateway that tells them apart is a
    /// decryption oracle; `diagnostic` lifts that while a connection is being tested.
    pub fn disposition(&self, diagnostic: bool) -> Disposition {
        match self {
            Error::Encrypted(_) if !diagnostic && !planted!("decryption-failures-told-apart") => {
                Disposition::error("decryption-failed")
            }
            _ => Disposition::from(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for outcome in [
            Outcome::Processed,
            Outcome::Warning,
            Outcome::Error,
            Outcome::Failure,
        ] {
            let detail = if outcome == Outcome::Processed {
                ""
            } else {
                "some text: more"
            };
            let written = Disposition {
                outcome,
                detail: detail.to_owned(),
            };
            assert_eq!(Disposition::parse(&written.to_string()), written);
        }
    }

    #[test]
    fn historic_forms() {
        let parse = Disposition::parse;
        assert!(!parse("automatic-action/MDN-sent-automatically; failed").is_positive());
        assert!(!parse("x; processed/error").is_positive());
        assert!(!parse("x; processed/authentication-failed").is_positive());
        assert!(parse("x; processed/Warning: duplicate-document").is_positive());
        assert!(!parse("").is_positive());
    }

    #[test]
    fn an_encrypted_message_tells_one_thing() {
        let signature = Error::Encrypted(Box::new(Error::Signature("x".into())));
        let unprotected = Error::Encrypted(Box::new(Error::Unprotected("signed")));
        assert_eq!(signature.disposition(false), unprotected.disposition(false));
        assert_eq!(
            signature.disposition(true),
            Disposition::error("authentication-failed")
        );
    }
}
