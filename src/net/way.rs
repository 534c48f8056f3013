//! The way to a peer: whose certificates are trusted, what is shown, and the proxy between.
//!
//! ```
//! use transload::net::way::{Login, Proxy};
//!
//! let login = Login::new("us", "open sesame");
//! assert!(login.is(Some("Basic dXM6b3BlbiBzZXNhbWU=")) && !login.is(Some("Basic dXM6")) && !login.is(None));
//!
//! let proxy = Proxy::new("http://proxy.example:3128", None, &["internal", "10.0.0.0/8"])?;
//! assert!(proxy.serves("edi.example") && !proxy.serves("edi.internal") && !proxy.serves("10.1.2.3"));
//! # Ok::<(), String>(())
//! ```
//!
//! https goes through a proxy by CONNECT (RFC 9110 section 9.3.6), and TLS is with the peer;
//! http by the whole URL in the request line (RFC 9112 section 3.2.2).

use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509VerifyResult};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Network;
use super::tls::{Bundle, Error as TlsError, fingerprint};

/// Bytes of a proxy's answer to CONNECT: a status line and a few headers.
const PROXY_HEAD: usize = 16 << 10;

/// What OpenSSL calls a certificate that is sound, and for another host or address
/// (X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH).
pub(super) const OTHER_NAME: [i32; 2] = [62, 64];

/// Whose word is taken for a server's certificate.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// The certificate authorities of the system.
    #[default]
    System,
    /// Only these: certificates as PEM text, an authority's or the server's own. The server's own
    /// need not name the host: it is that one, and no other.
    Only(Vec<u8>),
}

/// How a peer is reached. The default is: directly, and by the system's authorities.
#[derive(Clone, Default)]
pub struct Way {
    /// Whose word is taken for its certificate.
    pub trust: Trust,
    /// The key and certificate that are shown to a server that asks, as PKCS#12 and its password.
    pub client: Option<(Vec<u8>, String)>,
    /// The name and password that are shown, and the URL of the peer: nobody else sees them.
    pub login: Option<(Login, String)>,
    /// The proxy between.
    pub proxy: Option<Proxy>,
}

/// A name and a password (RFC 7617).
#[derive(Clone)]
pub struct Login {
    header: String,
}

impl Login {
    /// `user` has no colon in it.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Login {
        let pair = openssl::base64::encode_block(format!("{user}:{password}").as_bytes());
        Login {
            header: format!("Basic {pair}"),
        }
    }

    /// The value of `Authorization`.
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Whether a request showed this name and password. The time it takes says nothing about
    /// them.
    #[must_use]
    pub fn is(&self, authorization: Option<&str>) -> bool {
        let (scheme, pair) = authorization
            .unwrap_or_default()
            .split_once(' ')
            .unwrap_or_default();
        let shown = format!("Basic {}", pair.trim());
        let digest = |text: &str| openssl::sha::sha256(text.as_bytes());
        let same = openssl::memcmp::eq(&digest(&shown), &digest(&self.header));
        scheme.eq_ignore_ascii_case("basic") && same
    }
}

/// An HTTP proxy.
#[derive(Clone)]
pub struct Proxy {
    uri: Uri,
    login: Option<Login>,
    except: Vec<Except>,
}

/// Who is reached without a proxy.
#[derive(Clone)]
enum Except {
    Network(Network),
    /// A host and all below it.
    Host(String),
}

impl Proxy {
    /// A proxy at `url`, which is http and has a port. `except` names hosts (and all below them),
    /// addresses and networks that are reached without it.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn new(
        url: &str,
        login: Option<Login>,
        except: &[impl AsRef<str>],
    ) -> Result<Proxy, String> {
        let uri: Uri = url.parse().map_err(|why| format!("{url:?}: {why}"))?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(format!(
                "{url:?} is not the address of a proxy, http://HOST:PORT"
            ));
        }
        let except = except.iter().map(|one| {
            let one = one.as_ref().trim();
            one.parse().map_or_else(
                |_| {
                    Except::Host(
                        one.trim_start_matches("*.")
                            .trim_matches('.')
                            .to_ascii_lowercase(),
                    )
                },
                Except::Network,
            )
        });
        Ok(Proxy {
            login,
            except: except.collect(),
            uri,
        })
    }

    /// Whether it is used for this host.
    #[must_use]
    pub fn serves(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        !self.except.iter().any(|known| match known {
            Except::Network(network) => address.is_some_and(|address| network.holds(address)),
            Except::Host(name) => host
                .strip_suffix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        })
    }

    /// Host and port, as errors call it.
    #[must_use]
    pub fn address(&self) -> String {
        self.uri
            .authority()
            .map_or_else(String::new, ToString::to_string)
    }

    /// The value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<&str> {
        self.login.as_ref().map(Login::header)
    }
}

impl Way {
    /// The proxy for this host, if there is one.
    pub(super) fn proxy(&self, host: &str) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|proxy| proxy.serves(host))
    }

    /// What is shown at this URL.
    pub(super) fn authorization(&self, uri: &Uri) -> Option<&str> {
        let (login, home) = self.login.as_ref()?;
        let home: Uri = home.parse().ok()?;
        let place = |uri: &Uri| {
            let secure = uri.scheme_str() == Some("https");
            let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
            (secure, port, uri.host().map(str::to_ascii_lowercase))
        };
        (place(uri) == place(&home)).then(|| login.header())
    }

    /// OpenSSL's side of it.
    pub(super) fn tls(&self) -> Result<SslConnectorBuilder, TlsError> {
        let mut tls = SslConnector::builder(SslMethod::tls_client())?;
        tls.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        if let Trust::Only(pem) = &self.trust {
            only(&mut tls, pem)?;
        }
        if let Some((der, password)) = &self.client {
            let own = Bundle::open(der, password)?;
            tls.set_private_key(&own.key)?;
            tls.set_certificate(&own.certificate)?;
            for one in own.chain {
                tls.add_extra_chain_cert(one)?;
            }
        }
        Ok(tls)
    }
}

/// Trusts these certificates and no other.
fn only(tls: &mut SslConnectorBuilder, pem: &[u8]) -> Result<(), ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    // A server's own certificate may come from an authority that nobody else knows.
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    let mut pinned = Vec::new();
    for certificate in X509::stack_from_pem(pem)? {
        pinned.push(fingerprint(&certificate));
        store.add_cert(certificate)?;
    }
    tls.set_cert_store(store.build());
    tls.set_verify_callback(SslVerifyMode::PEER, move |sound, chain| {
        let own = || {
            chain
                .current_cert()
                .is_some_and(|own| pinned.contains(&fingerprint(own)))
        };
        let named =
            chain.error_depth() == 0 && OTHER_NAME.contains(&chain.error().as_raw()) && own();
        if named {
            chain.set_error(X509VerifyResult::OK);
        }
        sound || named
    });
    Ok(())
}

/// Why a proxy did not let us through.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) proxy: String,
    pub(super) why: String,
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {}: {}", self.proxy, self.why)
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connects to a peer, or to the proxy before it.
#[derive(Clone)]
pub(super) struct Dial {
    direct: HttpConnector,
    proxy: Option<Arc<Proxy>>,
    time: Duration,
}

impl Dial {
    pub(super) fn new(way: &Way, time: Duration) -> Dial {
        let mut direct = HttpConnector::new();
        direct.set_connect_timeout(Some(time));
        direct.set_nodelay(true);
        direct.enforce_http(false);
        Dial {
            direct,
            proxy: way.proxy.clone().map(Arc::new),
            time,
        }
    }

    /// A connection on which the peer at `uri` is, or the proxy that is to be asked for it.
    pub(super) async fn dial(self, uri: Uri) -> Result<Line, BoxError> {
        let host = uri.host().unwrap_or_default();
        let proxy = self.proxy.as_ref().filter(|proxy| proxy.serves(host));
        let direct = |uri: Uri| tower_service::Service::call(&mut self.direct.clone(), uri);
        let Some(proxy) = proxy else {
            let stream = direct(uri.clone()).await?;
            return Ok(Line {
                stream,
                asks: false,
            });
        };
        let refused = |why: String| Refused {
            proxy: proxy.address(),
            why,
        };
        let reached = direct(proxy.uri.clone()).await;
        let mut stream = reached.map_err(|why| refused(super::client::chain(&why)))?;
        let secure = uri.scheme_str() == Some("https");
        if secure {
            let opened = timeout(self.time, tunnel(stream.inner_mut(), &uri, proxy)).await;
            let opened = opened.unwrap_or_else(|_| Err("no answer in time".to_owned()));
            opened.map_err(refused)?;
        }
        Ok(Line {
            stream,
            asks: !secure,
        })
    }
}

/// Asks a proxy for a connection to the peer.
async fn tunnel(stream: &mut TcpStream, uri: &Uri, proxy: &Proxy) -> Result<(), String> {
    let told = |why: io::Error| why.to_string();
    let (host, port) = (
        uri.host().unwrap_or_default(),
        uri.port_u16().unwrap_or(443),
    );
    let login = proxy
        .authorization()
        .map(|shown| format!("Proxy-Authorization: {shown}\r\n"));
    let login = login.unwrap_or_default();
    let head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n");
    stream.write_all(head.as_bytes()).await.map_err(told)?;
    // A byte at a time: what follows the head is TLS, and not ours to take.
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.map_err(told)? == 0 || answer.len() == PROXY_HEAD {
            return Err("its answer is none".to_owned());
        }
        answer.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&answer);
    let line = line.lines().next().unwrap_or_default();
    let status = line.split(' ').nth(1).unwrap_or_default();
    match status {
        "200" => Ok(()),
        "407" => Err("HTTP status 407: it wants a user and a password".to_owned()),
        _ => Err(format!("it answered {line:?}")),
    }
}

impl tower_service::Service<Uri> for Dial {
    type Response = Line;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Line, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().dial(uri))
    }
}

/// A connection.
pub(super) struct Line {
    pub(super) stream: TokioIo<TcpStream>,
    /// At its end is a proxy that wants whole URLs.
    asks: bool,
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.asks)
    }
}

/// Does the same with the stream below.
macro_rules! below {
    ($line:expr, $method:ident ( $($argument:expr),* )) => {
        Pin::new(&mut $line.get_mut().stream).$method($($argument),*)
    };
}

impl Read for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        below!(self, poll_read(cx, buf))
    }
}

impl Write for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        below!(self, poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        below!(self, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        below!(self, poll_shutdown(cx))
    }
}
