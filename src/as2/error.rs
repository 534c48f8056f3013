//! What can go wrong with a message or a receipt, in exact words, for our own log.
//!
//! What the partner is told is [`super::Disposition`]: less, where more would be an oracle.

use std::io;

/// Why a message could not be opened, sealed, or a receipt read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A header is missing, doubled or not in its grammar.
    #[error("header {name}: {problem}")]
    Header {
        /// The header's name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The MIME structure is broken (RFC 2045, 2046, 1847).
    #[error("mime: {0}")]
    Mime(String),
    /// The CMS structure is broken (RFC 5652).
    #[error("cms: {0}")]
    Cms(String),
    /// An algorithm or a form that this gateway does not have.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// An algorithm or key that the profile of this partner does not allow.
    #[error("too weak for this partner: {0}")]
    Weak(String),
    /// The message is less protected than the profile asks for.
    #[error("the message is not {0}, and this partner's messages have to be")]
    Unprotected(&'static str),
    /// No recipient of the envelope is a certificate of ours.
    #[error("encrypted for other certificates than ours: {0}")]
    NotForUs(String),
    /// The envelope is for us and does not decrypt.
    #[error("decryption: {0}")]
    Decryption(String),
    /// The compressed data are not what zlib writes, or grow beyond the limit.
    #[error("decompression: {0}")]
    Decompression(String),
    /// The signer is none of the partner's pinned certificates.
    #[error("signed by {0}, which is no pinned certificate of this partner")]
    UnknownSigner(String),
    /// The signer's pinned certificate is not valid at the time given.
    #[error("the signer's certificate {0}")]
    Validity(String),
    /// The signature is not the pinned certificate's.
    #[error("the signature does not verify with the pinned certificate {0}")]
    Signature(String),
    /// The signature holds, but the content is not what was signed.
    #[error("the content is not what was signed: its {digest} differs")]
    Integrity {
        /// The digest algorithm of the signature.
        digest: super::Digest,
    },
    /// The body ends before its structure does.
    #[error("cut short: {0}")]
    Truncated(String),
    /// A named limit is exceeded.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A key or certificate file cannot be used.
    #[error("key: {0}")]
    Key(String),
    /// Anything from the envelope on: the partner learns no more than that.
    #[error("in an encrypted message: {0}")]
    Encrypted(Box<Error>),
    /// Reading the body or writing the payload failed: ours to repair, and no answer to a partner.
    #[error("input or output: {0}")]
    Io(io::Error),
    /// OpenSSL refused an operation that should work.
    #[error("openssl: {0}")]
    OpenSsl(#[from] openssl::error::ErrorStack),
}

impl Error {
    /// Whether it is our fault and the partner should try again (a 503, no MDN).
    pub fn is_ours(&self) -> bool {
        match self {
            Error::Io(_) | Error::OpenSsl(_) | Error::Key(_) => true,
            Error::Encrypted(inner) => inner.is_ours(),
            _ => false,
        }
    }

    pub(crate) fn header(name: &str, problem: impl Into<String>) -> Error {
        Error::Header {
            name: name.to_owned(),
            problem: problem.into(),
        }
    }
}

impl From<io::Error> for Error {
    /// An error of ours that went through a `Read` comes out as it was.
    fn from(error: io::Error) -> Error {
        let kind = error.kind();
        match error.downcast::<Error>() {
            Ok(ours) => ours,
            Err(_) if kind == io::ErrorKind::UnexpectedEof => Error::Truncated("body".to_owned()),
            Err(other) => Error::Io(other),
        }
    }
}
