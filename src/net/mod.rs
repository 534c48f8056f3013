//! HTTP over sockets, with a limit on everything: the one outgoing client, and the plumbing under
//! every listener.
//!
//! | file | is |
//! |---|---|
//! | [`client`] | one `POST` or `HEAD`, with time-outs, size caps and certificates verified; no redirect is followed |
//! | [`way`] | whose certificates the client trusts, what it shows, the proxy between |
//! | [`probe`] | the way to a peer, looked at layer by layer |
//! | [`serve`] | the HTTP/1.1 accept loop: slots, header and body limits, drain on shutdown |
//! | [`acme`] | a certificate for a listener, ordered from an authority |
//! | [`tls`] | TLS under a listener: a key that is replaced while it runs, certificates of clients |
//! | [`interim`] | `102 Processing` while a request is worked on |
//! | [`body`] | a request body into memory, or into a spool file when it is large |
//! | [`whole`] | a listener of whole requests, for handlers that know no HTTP library |
//! | [`spool`] | bytes on their way to disk and back, digested |
//! | [`transfer`] | a request body that breaks off and goes on |
//! | [`loopback`] | a listener on this machine only, by the type that binds |
//! | [`quota`] | how often something may go wrong, a key at a time |
//! | `waiting` | connections that owe a request head, and who of them makes room |
//! | `outgoing` | a request body from memory or from a file |
//! | `framing` | what the HTTP parser forgives and we do not (two ways of saying a body's length, bare line feeds), and the other way round: folded headers |
//!
//! ```
//! use transload::net::client::Error;
//!
//! // What a sender asks of an error: is it worth trying again?
//! assert!(Error::TimedOut { seconds: 60 }.retry());
//! assert!(!Error::TooLarge { limit: 1 << 20 }.retry());
//! ```
//!
//! It does not know AS2, routes or pages (`web` does), speaks no HTTP/2, and keeps no queue: who
//! calls it decides when to try again.

pub mod acme;
pub mod body;
pub mod client;
mod framing;
pub mod interim;
pub mod loopback;
mod network;
mod outgoing;
pub mod probe;
pub mod quota;
pub mod serve;
pub mod spool;
pub mod tls;
pub mod transfer;
mod waiting;
pub mod way;
pub mod whole;

pub use network::Network;

/// Fresh bytes from the system's generator: what `as2` takes as its entropy.
///
/// # Panics
/// Where the operating system gives no entropy: nothing can be sent safely then.
pub fn entropy(out: &mut [u8]) {
    openssl::rand::rand_bytes(out).expect("the operating system gives entropy");
}

/// Bytes as characters, one for one (ISO 8859-1): header values may hold any byte but controls.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Characters as bytes, the other way; none where one is not ISO 8859-1.
pub(crate) fn latin1_bytes(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}
