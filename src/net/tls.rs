//! TLS under a listener: 1.2 and newer, its key replaced while connections go on.
//!
//! ```
//! use transload::as2::Identity;
//! use transload::net::tls::{Clients, Server};
//! # use chrono::{TimeDelta, Utc};
//! # let (from, to) = (Utc::now(), Utc::now() + TimeDelta::days(30));
//! let (old, new) = (Identity::generate("edi", 1, from, to)?, Identity::generate("edi", 2, from, to)?);
//! let server = Server::from_pkcs12(&old.to_pkcs12("edi", "open")?, "open", Clients::Ignored)?;
//! assert_eq!(server.fingerprint(), old.certificate.fingerprint());
//!
//! // Who connects from here on is shown the new certificate; nobody is cut off.
//! server.replace(&new.to_pkcs12("edi", "open")?, "open")?;
//! assert_eq!(server.fingerprint(), new.certificate.fingerprint());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a client shows is proved to be its own, and handed on as a fingerprint: who may come with
//! it, partner files say. No authority vouches for a client here. Sessions are not resumed: each
//! connection is shown the certificate of its day.

use std::io;
use std::pin::Pin;
use std::sync::{PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::ssl::{
    Ssl, SslAcceptor, SslMethod, SslOptions, SslSessionCacheMode, SslVerifyMode, SslVersion,
};
use openssl::x509::{X509, X509Ref};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_openssl::SslStream;

/// The first byte of a TLS record that begins a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 0x16;
/// What a client hears that speaks HTTP in clear to a listener of TLS.
const CLEAR: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
    Content-Length: 35\r\nConnection: close\r\n\r\nthis port speaks TLS: use https://\n";

/// Why there is no key to listen with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The PKCS#12 file does not open.
    #[error("the PKCS#12 file does not open: {0}; is the password the right one?")]
    Pkcs12(ErrorStack),
    /// It holds no key, or no certificate.
    #[error("the PKCS#12 file holds no {0}")]
    Missing(&'static str),
    /// OpenSSL cannot use them.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] ErrorStack),
}

/// Whether clients are asked for a certificate of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clients {
    /// They are not asked.
    #[default]
    Ignored,
    /// They are asked, and may have none: partner files say who needs one.
    Asked,
    /// Nobody connects without one.
    Required,
}

/// The fingerprint of the certificate that a client showed, and whose key it has: SHA-256 in
/// lower-case hex. An extension of each of its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(pub String);

/// The fingerprint of a certificate as proxies pass it on in a header: base64 of DER, between colons
/// (RFC 9440) or not, or PEM, with percent signs for what a header cannot hold. Of several, the first.
#[must_use]
pub fn told(value: &str) -> Option<String> {
    let plain = unescaped(value)?;
    let inner = match plain.split_once("-----BEGIN CERTIFICATE-----") {
        Some((_, rest)) => rest.split_once("-----END CERTIFICATE-----")?.0,
        None => plain.trim().trim_matches(':'),
    };
    let base64: String = inner.split_ascii_whitespace().collect();
    let der = openssl::base64::decode_block(&base64).ok()?;
    X509::from_der(&der).ok().map(|own| fingerprint(&own))
}

/// A text without percent signs (RFC 3986 section 2.1).
fn unescaped(value: &str) -> Option<String> {
    let mut parts = value.split('%');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let byte = u8::from_str_radix(part.get(..2)?, 16).ok()?;
        plain.push(char::from(byte));
        plain.push_str(&part[2..]);
    }
    Some(plain)
}

/// A key, its certificate and what leads from that to an authority.
pub(super) struct Bundle {
    pub(super) key: openssl::pkey::PKey<openssl::pkey::Private>,
    pub(super) certificate: X509,
    pub(super) chain: Vec<X509>,
}

impl Bundle {
    pub(super) fn open(der: &[u8], password: &str) -> Result<Bundle, Error> {
        let parsed = Pkcs12::from_der(der).and_then(|file| file.parse2(password));
        let parsed = parsed.map_err(Error::Pkcs12)?;
        let chain = parsed.ca.map(|chain| chain.into_iter().collect());
        Ok(Bundle {
            key: parsed.pkey.ok_or(Error::Missing("key"))?,
            certificate: parsed.cert.ok_or(Error::Missing("certificate"))?,
            chain: chain.unwrap_or_default(),
        })
    }
}

/// The certificate of a PKCS#12 file as PEM, where nobody but itself vouches for it: what a partner
/// has to pin.
///
/// # Errors
/// [`Error`].
pub fn self_signed(der: &[u8], password: &str) -> Result<Option<Vec<u8>>, Error> {
    let own = Bundle::open(der, password)?.certificate;
    match own.issuer_name().to_der()? == own.subject_name().to_der()? {
        true => Ok(Some(own.to_pem()?)),
        false => Ok(None),
    }
}

/// What a listener shows to who connects.
pub struct Server {
    clients: Clients,
    shown: RwLock<Face>,
}

/// A key and its certificate, ready to be shown.
struct Face {
    acceptor: SslAcceptor,
    fingerprint: String,
    validity: (DateTime<Utc>, DateTime<Utc>),
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.fingerprint())
    }
}

impl Server {
    /// Shows the certificate of a PKCS#12 file, and proves that it has the key.
    ///
    /// # Errors
    /// [`Error`].
    pub fn from_pkcs12(der: &[u8], password: &str, clients: Clients) -> Result<Server, Error> {
        let shown = RwLock::new(acceptor(der, password, clients)?);
        Ok(Server { clients, shown })
    }

    /// Shows another certificate to who connects from here on. Connections that are open stay so.
    ///
    /// # Errors
    /// [`Error`]; the one before is shown then.
    pub fn replace(&self, der: &[u8], password: &str) -> Result<(), Error> {
        let next = acceptor(der, password, self.clients)?;
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// The SHA-256 fingerprint of the certificate that is shown now, in lower-case hex.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        shown.fingerprint.clone()
    }

    /// The first and the last moment of the certificate that is shown now.
    #[must_use]
    pub fn validity(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        shown.validity
    }

    /// Shakes hands within `limit`, and says what the client showed.
    ///
    /// # Errors
    /// Why there is no TLS, for the log.
    pub(super) async fn accept(
        &self,
        mut stream: TcpStream,
        limit: Duration,
    ) -> Result<(SslStream<TcpStream>, Option<Shown>), String> {
        let handshake = async {
            let mut first = [0];
            let looked = stream.peek(&mut first).await;
            if looked.is_ok_and(|got| got == 1) && first[0] != HANDSHAKE {
                // The client is told, or is gone.
                let _ = stream.write_all(CLEAR).await;
                linger(&mut stream).await;
                return Err("no TLS was spoken".to_owned());
            }
            let acceptor = {
                let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
                shown.acceptor.clone()
            };
            let ssl = Ssl::new(acceptor.context()).map_err(|why| why.to_string())?;
            let mut stream = SslStream::new(ssl, stream).map_err(|why| why.to_string())?;
            if let Err(why) = Pin::new(&mut stream).accept().await {
                linger(stream.get_mut()).await;
                return Err(why.to_string());
            }
            let shown = stream.ssl().peer_certificate();
            Ok((stream, shown.map(|own| Shown(fingerprint(&own)))))
        };
        let late = |_| Err("no TLS handshake in time".to_owned());
        timeout(limit, handshake).await.unwrap_or_else(late)
    }
}

/// Reads what still comes: closed at once, a client might not hear why.
async fn linger(stream: &mut TcpStream) {
    let _ = stream.shutdown().await;
    while stream.read(&mut [0; 4096]).await.is_ok_and(|got| got > 0) {}
}

/// SHA-256 in lower-case hex.
pub(super) fn fingerprint(certificate: &X509Ref) -> String {
    let digest = certificate.digest(MessageDigest::sha256());
    let digest = digest.expect("SHA-256 is in every OpenSSL that we run with");
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn acceptor(der: &[u8], password: &str, clients: Clients) -> Result<Face, Error> {
    let Bundle {
        key,
        certificate,
        chain,
    } = Bundle::open(der, password)?;
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    acceptor.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    acceptor.set_session_cache_mode(SslSessionCacheMode::OFF);
    // Neither of 1.2 nor of 1.3, which would be made and sent, and be good for nothing.
    acceptor.set_options(SslOptions::NO_TICKET);
    acceptor.set_num_tickets(0)?;
    acceptor.set_private_key(&key)?;
    acceptor.set_certificate(&certificate)?;
    for one in chain {
        acceptor.add_extra_chain_cert(one)?;
    }
    acceptor.check_private_key()?;
    let verify = match clients {
        Clients::Ignored => SslVerifyMode::NONE,
        Clients::Asked => SslVerifyMode::PEER,
        Clients::Required => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    };
    // Partner files pin what they want to see; most of it is self-signed.
    acceptor.set_verify_callback(verify, |_, _| true);
    Ok(Face {
        acceptor: acceptor.build(),
        fingerprint: fingerprint(&certificate),
        validity: (
            moment(certificate.not_before())?,
            moment(certificate.not_after())?,
        ),
    })
}

pub(super) fn moment(time: &Asn1TimeRef) -> Result<DateTime<Utc>, ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    let since = TimeDelta::days(since.days.into()) + TimeDelta::seconds(since.secs.into());
    Ok(DateTime::UNIX_EPOCH + since)
}

/// A connection, in clear or not.
pub(super) enum Wire {
    Clear(TcpStream),
    Secure(Box<SslStream<TcpStream>>),
}

/// Does the same with whatever the wire is made of.
macro_rules! through {
    ($wire:expr, $method:ident ( $($argument:expr),* )) => {
        match $wire.get_mut() {
            Wire::Clear(stream) => Pin::new(stream).$method($($argument),*),
            Wire::Secure(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        through!(self, poll_read(cx, buf))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        through!(self, poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        through!(self, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        through!(self, poll_shutdown(cx))
    }
}
