//! The way to a peer, looked at layer by layer: its name, a connection, TLS. Nothing is said to it.
//!
//! ```
//! use transload::net::client::Way;
//! use transload::net::probe::probe;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let url = format!("http://{}/as2", listener.local_addr()?);
//! let seen = probe(&url, &Way::default(), std::time::Duration::from_secs(5)).await?;
//! assert!(seen.names.result.is_ok() && seen.connection.unwrap().result.is_ok() && seen.tls.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

use std::net::IpAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use hyper::Uri;
use openssl::ssl::{ConnectConfiguration, SslVerifyMode};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_openssl::SslStream;

use super::way::{Dial, OTHER_NAME, Way};

/// What came of one layer, and how long it took.
#[derive(Debug)]
pub struct Step<T, E = String> {
    /// What was found, or why nothing was.
    pub result: Result<T, E>,
    /// From its start to its end.
    pub took: Duration,
}

/// What was found, up to the first layer that failed.
#[derive(Debug)]
pub struct Probe {
    /// Host and port that were looked for: the peer's, or its proxy's.
    pub host: String,
    /// Whether that is a proxy.
    pub proxied: bool,
    /// The host's addresses.
    pub names: Step<Vec<IpAddr>>,
    /// A connection, through the proxy where there is one.
    pub connection: Option<Step<()>>,
    /// The handshake, where the URL is https.
    pub tls: Option<Step<Handshake, Refusal>>,
}

/// A handshake that went well.
#[derive(Debug)]
pub struct Handshake {
    /// As `TLSv1.3`.
    pub version: String,
    /// The certificate that the server showed, as DER.
    pub certificate: Vec<u8>,
}

/// Why there was none.
#[derive(Debug)]
pub struct Refusal {
    /// What OpenSSL said.
    pub why: String,
    /// What is wrong with the server's certificate, where that is the reason.
    pub distrust: Option<Distrust>,
    /// The certificate that the server shows to anybody, as DER.
    pub certificate: Option<Vec<u8>>,
    /// The server does not speak TLS at all.
    pub clear: bool,
}

/// Why a server's certificate is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody who is trusted vouches for it.
    Unknown,
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    Early,
    /// It names another host.
    OtherName,
    /// Anything else.
    Other,
}

/// Looks at the way to `url`; each layer may take `limit`.
///
/// # Errors
/// Where the URL is none, or a key or certificate of ours cannot be used.
pub async fn probe(url: &str, way: &Way, limit: Duration) -> Result<Probe, String> {
    let uri: Uri = url.parse().map_err(|why| format!("{url:?}: {why}"))?;
    let host = uri.host().unwrap_or_default().to_owned();
    let secure = uri.scheme_str() == Some("https");
    let proxy = way.proxy(&host);
    let address = match proxy {
        Some(proxy) => proxy.address(),
        None => {
            let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
            format!("{host}:{port}")
        }
    };
    let mut seen = Probe {
        host: address.clone(),
        proxied: proxy.is_some(),
        names: timed(limit, names(&address)).await,
        connection: None,
        tls: None,
    };
    if seen.names.result.is_err() {
        return Ok(seen);
    }
    let dial = async || {
        let dialled = Dial::new(way, limit).dial(uri.clone()).await;
        dialled.map_err(|why| super::client::chain(why.as_ref()))
    };
    let connected = timed(limit, dial()).await;
    let took = connected.took;
    let line = connected.result;
    let result = line.as_ref().map(drop).map_err(Clone::clone);
    seen.connection = Some(Step { result, took });
    let Ok(line) = line else { return Ok(seen) };
    if !secure {
        return Ok(seen);
    }
    let connector = way.tls().map_err(|why| why.to_string())?.build();
    let configure = || connector.configure().map_err(|why| why.to_string());
    let start = Instant::now();
    let strict = configure()?;
    let shaken = timeout(limit, shake(line.stream.into_inner(), strict, &host)).await;
    let mut shaken = shaken.unwrap_or_else(|_| Err(refusal("no answer in time")));
    let took = start.elapsed();
    if let Err(refused) = &mut shaken
        && !refused.clear
    {
        // The same again, and whatever it shows is looked at.
        let mut lax = configure()?;
        lax.set_verify(SslVerifyMode::NONE);
        if let Ok(line) = dial().await
            && let Ok(Ok(shown)) = timeout(limit, shake(line.stream.into_inner(), lax, &host)).await
        {
            refused.certificate = Some(shown.certificate);
        }
    }
    seen.tls = Some(Step {
        result: shaken,
        took,
    });
    Ok(seen)
}

async fn timed<T>(limit: Duration, work: impl Future<Output = Result<T, String>>) -> Step<T> {
    let start = Instant::now();
    let late = |_| Err(format!("nothing within {} s", limit.as_secs()));
    Step {
        result: timeout(limit, work).await.unwrap_or_else(late),
        took: start.elapsed(),
    }
}

async fn names(address: &str) -> Result<Vec<IpAddr>, String> {
    let found = tokio::net::lookup_host(address).await;
    let mut found: Vec<IpAddr> = found
        .map_err(|why| why.to_string())?
        .map(|socket| socket.ip())
        .collect();
    found.dedup();
    match found.is_empty() {
        true => Err("it has no address".to_owned()),
        false => Ok(found),
    }
}

fn refusal(why: impl ToString) -> Refusal {
    Refusal {
        why: why.to_string(),
        distrust: None,
        certificate: None,
        clear: false,
    }
}

async fn shake(
    stream: TcpStream,
    configured: ConnectConfiguration,
    host: &str,
) -> Result<Handshake, Refusal> {
    let host = host.trim_matches(['[', ']']);
    let ssl = configured.into_ssl(host).map_err(refusal)?;
    let mut stream = SslStream::new(ssl, stream).map_err(refusal)?;
    if let Err(why) = Pin::new(&mut stream).connect().await {
        let result = stream.ssl().verify_result();
        let why = why.to_string();
        // What OpenSSL says of bytes that are no TLS record.
        let clear = [
            "wrong version number",
            "packet length too long",
            "http request",
        ];
        return Err(Refusal {
            clear: clear.iter().any(|known| why.contains(known)),
            distrust: why
                .contains("certificate verify failed")
                .then(|| distrust(result.as_raw())),
            why: match result.as_raw() {
                0 => why,
                _ => result.error_string().to_owned(),
            },
            certificate: None,
        });
    }
    let certificate = stream.ssl().peer_certificate();
    let certificate = certificate.and_then(|own| own.to_der().ok());
    Ok(Handshake {
        version: stream.ssl().version_str().to_owned(),
        certificate: certificate.unwrap_or_default(),
    })
}

/// Of OpenSSL's codes of verification (`X509_V_ERR_…`).
fn distrust(code: i32) -> Distrust {
    match code {
        2 | 18..=21 => Distrust::Unknown,
        9 => Distrust::Early,
        10 => Distrust::Expired,
        code if OTHER_NAME.contains(&code) => Distrust::OtherName,
        _ => Distrust::Other,
    }
}
