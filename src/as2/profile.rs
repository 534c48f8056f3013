//! What was agreed with one partner about security.

use super::cms::cipher::Cipher;
use super::cms::recipient::KeyTransport;
use super::cms::signed::RsaSignature;
use super::error::Error;
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

/// Where compression stands (RFC 5402 §3). Never inside and outside of a signature at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// The payload is compressed, and that is signed: the usual order.
    BeforeSigning,
    /// What was signed is compressed, signature and all.
    AfterSigning,
}

impl std::str::FromStr for Compression {
    type Err = Error;

    /// Reads `before-signing` and `after-signing`.
    fn from_str(name: &str) -> Result<Compression, Error> {
        match name {
            "before-signing" => Ok(Compression::BeforeSigning),
            "after-signing" => Ok(Compression::AfterSigning),
            _ => Err(Error::Unsupported(format!("compression {name:?}"))),
        }
    }
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
    /// How an RSA key of ours signs.
    pub rsa_signature: RsaSignature,
    /// The cipher that we encrypt with; `None` sends in clear.
    pub encrypt: Option<Cipher>,
    /// How the content key is encrypted for an RSA key of theirs.
    pub key_transport: KeyTransport,
    /// Encrypt for every valid certificate of the partner, not for the first one alone.
    pub encrypt_for_all: bool,
    /// Encrypt for ourselves as well, so that we can read what we sent. Some old receivers take
    /// the first recipient for their own.
    pub encrypt_for_us: bool,
    /// Compress, and when.
    pub compress: Option<Compression>,
    /// The receipt that we ask for.
    pub receipt: Receipt,
    /// The MIC algorithm that we ask for where we do not sign.
    pub micalg: Digest,
    /// Accept SHA-1, Triple DES, RC2 and weak keys from this partner. Never written.
    pub legacy: bool,
    /// Accept GCM tags of 12 to 15 bytes from this partner.
    pub short_tags: bool,
    /// Accept AES-GCM in EnvelopedData, with the tag at the end of the octets: what some software
    /// wrote before it knew AuthEnvelopedData.
    pub gcm_in_enveloped_data: bool,
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
            rsa_signature: RsaSignature::Pkcs1,
            encrypt: Some(Cipher::Aes256Cbc),
            key_transport: KeyTransport::Pkcs1,
            encrypt_for_all: false,
            encrypt_for_us: false,
            compress: None,
            receipt: Receipt::Signed,
            micalg: Digest::Sha256,
            legacy: false,
            short_tags: false,
            gcm_in_enveloped_data: false,
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
