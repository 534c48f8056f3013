//! The words that an `[as2]` section chooses from.

use serde::Deserialize;

/// The digest of our signatures, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Sign {
    /// SHA-256.
    #[default]
    #[serde(rename = "sha-256")]
    Sha256,
    /// SHA-384.
    #[serde(rename = "sha-384")]
    Sha384,
    /// SHA-512.
    #[serde(rename = "sha-512")]
    Sha512,
    /// We do not sign.
    #[serde(rename = "none")]
    None,
}

/// The cipher of our messages, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Encrypt {
    /// AES-256 in CBC mode.
    #[default]
    #[serde(rename = "aes-256-cbc")]
    Aes256Cbc,
    /// AES-192 in CBC mode.
    #[serde(rename = "aes-192-cbc")]
    Aes192Cbc,
    /// AES-128 in CBC mode.
    #[serde(rename = "aes-128-cbc")]
    Aes128Cbc,
    /// AES-256 in GCM (RFC 5084): it notices by itself what was changed.
    #[serde(rename = "aes-256-gcm")]
    Aes256Gcm,
    /// AES-192 in GCM.
    #[serde(rename = "aes-192-gcm")]
    Aes192Gcm,
    /// AES-128 in GCM.
    #[serde(rename = "aes-128-gcm")]
    Aes128Gcm,
    /// We do not encrypt.
    #[serde(rename = "none")]
    None,
}

/// How a receipt comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptMode {
    /// In the answer to the request that carries the message.
    #[default]
    Sync,
    /// By a request of theirs, to the `receipt_url` of our settings.
    Async,
}

/// The receipt (MDN) that we ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Receipt {
    /// A signed one: it proves that they have our bytes.
    #[default]
    Signed,
    /// An unsigned one: it says so.
    Unsigned,
    /// None: any 2xx must do.
    None,
}
