//! AS2 (RFC 4130): messages between trading partners over HTTP, and their receipts.
//!
//! A pipe over `Read` and `Write`: [`open()`] takes a request's headers and body and gives the
//! payload, [`seal()`] the other way; [`Mdn`] writes and reads the receipts. Time, keys and the
//! fresh bytes that we draw are arguments.
//!
//! ```text
//! message = encrypted(entity) / compressed(entity) / signed(entity) / payload      ; RFC 5652
//! entity  = header lines, empty line, message                                      ; RFC 2045
//! ```
//!
//! | room | is about |
//! |---|---|
//! | `headers` | header fields, AS2 names |
//! | `mime`, `multipart` | header blocks, transfer encodings, exact parts |
//! | `wrapper` | what the headers inside an envelope may hold |
//! | `cms` | BER and DER, SignedData, EnvelopedData, AuthEnvelopedData |
//! | `attachments` | several documents in one message |
//! | [`cem`] | certificates by messages |
//! | `compress` | CompressedData, within limits |
//! | `mic` | digests and the message integrity check |
//! | `receipt`, `disposition`, `mdn` | what is asked, what happened, how it is said |
//! | `version` | the headers of AS2 1.0 to 1.3 |
//! | `key`, `keys`, `profile` | whom we trust, what was agreed |
//!
//! ```
//! use std::io::Cursor;
//! use chrono::{DateTime, TimeDelta};
//! use transload::as2::{self, Document, Identity, Keys, Profile};
//!
//! let at = DateTime::UNIX_EPOCH;
//! let (from, to) = (at - TimeDelta::days(1), at + TimeDelta::days(1));
//! let us = Identity::generate("us", 1, from, to).unwrap();
//! let them = Identity::generate("them", 2, from, to).unwrap();
//! let ours = Keys { ours: vec![us.clone()], theirs: vec![them.certificate.clone()] };
//! let theirs = Keys { ours: vec![them], theirs: vec![us.certificate] };
//! let profile = Profile { our_id: "US".into(), their_id: "THEM".into(), ..Profile::default() };
//! let document =
//!     Document { content_type: "application/EDI-X12", file_name: None, message_id: "<1@us>" };
//!
//! let (mut body, mut payload) = (Vec::new(), Vec::new());
//! let sealed = as2::seal(
//!     Cursor::new(b"ISA*00~"), &mut body, document, &ours, &profile,
//!     &mut transload::net::entropy, at,
//! ).unwrap();
//! let opened =
//!     as2::open(&sealed.headers, body.as_slice(), &mut payload, &theirs, &profile, at).unwrap();
//! assert_eq!(payload, b"ISA*00~");
//! assert_eq!(opened.mic, sealed.mic);
//! ```
//!
//! It does no HTTP, keeps nothing, and trusts no certificate that is not pinned. It does not do
//! AES-CCM, or signatures in signatures.

mod attachments;
pub mod cem;
pub(crate) mod cms;
mod compress;
mod disposition;
mod error;
mod headers;
mod key;
mod keys;
mod mdn;
mod mic;
mod mime;
mod multipart;
mod open;
mod peel;
mod profile;
mod receipt;
mod seal;
mod secret;
mod version;
mod wrapper;

pub use attachments::{ATTACHMENTS, Attachment, Related, attachments, content_id, is_related};
pub use cms::ber::{BER_DEPTH, ELEMENT_BYTES};
pub use cms::cipher::Cipher;
pub use cms::recipient::{KeyTransport, RECIPIENTS};
pub use cms::signed::RsaSignature;
pub use compress::{INFLATED_BYTES, RATIO, RATIO_FROM};
pub use disposition::{Disposition, Outcome};
pub use error::Error;
pub use headers::{HEADER_BYTES, Headers, NAME_LENGTH, quote_name, unquote_name};
pub(crate) use keys::hex;
pub use keys::{Certificate, Entropy, Identity, KeyKind, Keys};
pub use mdn::{MDN_BYTES, MDN_PARTS, Mdn, MdnFields};
pub use mic::{Digest, Mic, sha256};
pub use mime::PART_HEADER_BYTES;
pub use multipart::BOUNDARY_LENGTH;
pub use open::{Encryption, LAYERS, Opened, Secured, Signature, open};
pub use peel::{Layer, PEELED, peel, verifies};
pub use profile::{Compression, Profile, Receipt};
pub use receipt::ReceiptRequest;
pub use seal::{Document, Sealed, Sealing, digested, message_id, seal};
pub use secret::{SECRET_BYTES, lock, unlock};
pub use version::Version;
