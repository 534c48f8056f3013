//! What was agreed with one partner about security.

use super::cms::enveloped::Cipher;
use super::mic::Digest;

/// Which receipt we ask for with what we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// None.
    No,
    /// A synchronous MDN without signature.
    Unsigned,
    /// A signed synchronous MDN: the only kind that proves anything.
    Signed,
}

/// The agreement with one partner. The default is the safe one: signed with SHA-256,
/// encrypted with AES-256, a signed receipt, nothing weaker accepted.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Our AS2 id, without quotes.
    pub our_id: String,
    /// The partner's AS2 id, without quotes.
    pub their_id: String,
    /// Refuse what is not signed.
    pub require_signed: bool,
    /// Refuse what is not encrypted.
    pub require_encrypted: bool,
    /// The digest that we sign with; `None` sends unsigned.
    pub sign: Option<Digest>,
    /// The cipher that we encrypt with; `None` sends in clear.
    pub encrypt: Option<Cipher>,
    /// Compress before signing.
    pub compress: bool,
    /// The receipt that we ask for.
    pub receipt: Receipt,
    /// The MIC algorithm that we ask for where we do not sign.
    pub micalg: Digest,
    /// Accept SHA-1, Triple DES and short RSA keys from this partner. Never written.
    pub legacy: bool,
    /// Tell the partner exactly what is wrong with an encrypted message. A decryption oracle:
    /// only for the days on which a connection is tested.
    pub diagnostic: bool,
    /// The offline reader: refuse no algorithm, no missing protection, no expired certificate,
    /// and note it instead.
    pub accept_anything: bool,
    /// Most bytes that compressed data may grow to.
    pub inflated_limit: u64,
}

impl Default for Profile {
    fn default() -> Profile {
        Profile {
            our_id: String::new(),
            their_id: String::new(),
            require_signed: true,
            require_encrypted: true,
            sign: Some(Digest::Sha256),
            encrypt: Some(Cipher::Aes256Cbc),
            compress: false,
            receipt: Receipt::Signed,
            micalg: Digest::Sha256,
            legacy: false,
            diagnostic: false,
            accept_anything: false,
            inflated_limit: super::compress::INFLATED_BYTES,
        }
    }
}

impl Profile {
    /// The profile of the offline reader.
    pub fn accept_anything() -> Profile {
        Profile {
            require_signed: false,
            require_encrypted: false,
            legacy: true,
            diagnostic: true,
            accept_anything: true,
            ..Profile::default()
        }
    }

    pub(crate) fn allows_weak(&self) -> bool {
        self.legacy || self.accept_anything
    }
}
