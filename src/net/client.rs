//! The one outgoing HTTP client: a request, its answer, and nothing that waits for ever.
//!
//! Certificates are always verified. A redirect is an answer like any other: following one would
//! send a partner's document where no partner file says.

use std::error::Error as _;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_openssl::client::legacy::HttpsConnector;
use hyper_util::client::legacy::{self, Client as Pool};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use openssl::error::ErrorStack;
use tokio::time::{Instant, timeout_at};

pub use super::outgoing::Outgoing;
use super::outgoing::{Progress, Stream};
use super::way::{Dial, Refused};
pub use super::way::{Proxy, Trust, Way};
use super::{latin1, latin1_bytes};

/// Time to reach a peer: a TCP handshake, and one repeat of a lost packet.
pub const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Time from the last byte out (of a body in memory: the first) to the last byte in. An MDN takes a
/// peer seconds, not minutes.
pub const TOTAL_TIME: Duration = Duration::from_secs(60);
/// Time that interim answers (RFC 9110 section 15.2) can prolong that to: who is at it for longer
/// will not come to an end.
pub const INTERIM_TIME: Duration = Duration::from_secs(15 * 60);
/// Time for a whole body from a file: as long as our own listener gives a peer.
pub const UPLOAD_TIME: Duration = Duration::from_secs(15 * 60);
/// Bytes a second that a peer must take of it, over [`RATE_WINDOW`]: below a modem's speed.
pub const UPLOAD_RATE: u64 = 1 << 10;
/// How long a peer may stall before its rate is looked at.
pub const RATE_WINDOW: Duration = Duration::from_secs(30);
/// Bytes of one answer: an MDN is a few kB, with a certificate and a page of text in it less
/// than 1 MiB.
pub const ANSWER: usize = 1 << 20;
/// Headers of one answer.
pub const HEADERS: usize = 100;
/// Bytes of an answer's head.
const HEAD_BYTES: usize = 32 << 10;
/// How long an idle connection is kept: short, because a peer that closes it at the moment that
/// we use it costs a retry.
const IDLE: Duration = Duration::from_secs(5);

/// What the client allows. The default is the constants of this module.
#[derive(Debug, Clone)]
pub struct Limits {
    /// See [`CONNECT_TIME`].
    pub connect_time: Duration,
    /// See [`TOTAL_TIME`].
    pub total_time: Duration,
    /// See [`UPLOAD_TIME`].
    pub upload_time: Duration,
    /// See [`UPLOAD_RATE`].
    pub upload_rate: u64,
    /// See [`RATE_WINDOW`].
    pub rate_window: Duration,
    /// See [`ANSWER`].
    pub answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_time: CONNECT_TIME,
            total_time: TOTAL_TIME,
            upload_time: UPLOAD_TIME,
            upload_rate: UPLOAD_RATE,
            rate_window: RATE_WINDOW,
            answer: ANSWER,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL, a header or the pinned certificates cannot be used.
    #[error("cannot ask: {0}")]
    Request(String),
    /// Nobody was reached, and nothing was sent.
    #[error("cannot connect to {host}: {why}")]
    Connect {
        /// Host and port.
        host: String,
        /// What the system said.
        why: String,
    },
    /// TLS failed, and nothing was sent.
    #[error(
        "no TLS with {host}: {why}; if its certificate is self-signed, pin it in `server_certificates`"
    )]
    Tls {
        /// Host and port.
        host: String,
        /// What OpenSSL said.
        why: String,
    },
    /// The proxy did not let us through, and the peer was sent nothing.
    #[error("the proxy {proxy}: {why}")]
    Proxy {
        /// Host and port.
        proxy: String,
        /// What it said, or the system.
        why: String,
    },
    /// No whole answer in time. Whether the peer has the request is unknown.
    #[error("no answer within {seconds} s")]
    TimedOut {
        /// The limit that stands.
        seconds: u64,
    },
    /// The peer took the body at less than the minimum rate. It cannot have all of it.
    #[error("{host} took the body at less than {rate} bytes/s")]
    TooSlow {
        /// Host and port.
        host: String,
        /// The limit that stands.
        rate: u64,
    },
    /// The body could not be read, and the peer cannot have all of it.
    #[error("the body cannot be read: {why}")]
    Body {
        /// What went wrong.
        why: String,
        /// The file does not hold what was stored in it.
        lost: bool,
    },
    /// The connection broke, or what came was not HTTP. Whether the peer has the request is
    /// unknown.
    #[error("the answer of {host} broke off: {why}")]
    Broken {
        /// Host and port.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// The answer is larger than the limit.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit that stands.
        limit: usize,
    },
}

impl Error {
    /// Whether the same request may do better later. A TLS failure may (a certificate is
    /// renewed, and nothing was sent); a wrong URL, an endless answer or a lost body will not.
    #[must_use]
    pub fn retry(&self) -> bool {
        !matches!(
            self,
            Self::Request(_) | Self::TooLarge { .. } | Self::Body { lost: true, .. }
        )
    }

    /// Whether the peer may have had the request.
    #[must_use]
    pub fn sent(&self) -> bool {
        matches!(
            self,
            Self::TimedOut { .. } | Self::Broken { .. } | Self::TooLarge { .. }
        )
    }
}

/// A whole answer, of any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code, 200 to 999; interim answers are skipped.
    pub status: u16,
    /// Names in lower case, values with each byte as one character (ISO 8859-1).
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// Whether the peer says that it took the request: any 2xx.
    #[must_use]
    pub fn taken(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the status says that the same request may do better later: 408, 425, 429 and 5xx
    /// but for 501 and 505, which say that it never will.
    #[must_use]
    pub fn retry(&self) -> bool {
        matches!(self.status, 408 | 425 | 429 | 500 | 502..=504 | 506..=599)
    }
}

type Plain = Pool<Dial, Stream>;
type Secure = Pool<HttpsConnector<Dial>, Stream>;

/// The client. One holds the connections to all its peers; it is made once for each [`Way`].
pub struct Client {
    limits: Limits,
    way: Way,
    plain: OnceLock<Plain>,
    // Lazy, because loading the system's authorities takes 20 ms that plain HTTP need not spend.
    secure: OnceLock<Result<Secure, String>>,
}

impl Client {
    /// A client that has done nothing yet, and reaches its peers directly.
    #[must_use]
    pub fn new(trust: Trust, limits: Limits) -> Self {
        let way = Way {
            trust,
            ..Way::default()
        };
        Self::by(way, limits)
    }

    /// A client that has done nothing yet.
    #[must_use]
    pub fn by(way: Way, limits: Limits) -> Self {
        Self {
            limits,
            way,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// Asks for the head of `url`: an answer without a body.
    ///
    /// # Errors
    /// [`Error`], where there is no answer.
    pub async fn head(&self, url: &str, headers: &[(String, String)]) -> Result<Response, Error> {
        self.send("HEAD", url, headers, Bytes::new()).await
    }

    /// Whether its keys and certificates can be used.
    ///
    /// # Errors
    /// What OpenSSL says of them.
    pub fn usable(&self) -> Result<(), String> {
        self.way.tls().map(drop).map_err(|why| why.to_string())
    }

    /// Posts `body` to `url` and reads the whole answer, whatever its status. Header values are
    /// ISO 8859-1; `Host` and `Content-Length` (or `Transfer-Encoding`) are added.
    ///
    /// # Errors
    /// [`Error`], where there is no answer.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: impl Into<Outgoing>,
    ) -> Result<Response, Error> {
        self.send("POST", url, headers, body).await
    }

    /// The same by another method, such as `GET`, whose body is empty.
    ///
    /// # Errors
    /// [`Error`], where there is no answer.
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: impl Into<Outgoing>,
    ) -> Result<Response, Error> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|why| Error::Request(format!("{method:?}: {why}")))?;
        let uri: Uri = url
            .parse()
            .map_err(|why| Error::Request(format!("{url:?}: {why}")))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => {
                return Err(Error::Request(format!(
                    "{url:?} is not an http or https URL"
                )));
            }
        };
        let host = uri
            .authority()
            .map_or_else(String::new, ToString::to_string);
        let body = body.into().start();
        let (body, progress) = body.map_err(|why| Error::Body {
            why: why.to_string(),
            lost: why.kind() == std::io::ErrorKind::NotFound,
        })?;
        let proxy = uri.host().and_then(|host| self.way.proxy(host));
        let mut request = request(method, uri.clone(), headers, body)?;
        let alive = Arc::clone(&progress);
        hyper::ext::on_informational(&mut request, move |_| alive.alive());
        let shown = [
            (AUTHORIZATION, self.way.authorization(&uri)),
            // What is for the proxy goes to the peer only where the proxy reads the request.
            (
                PROXY_AUTHORIZATION,
                proxy.filter(|_| !secure).and_then(Proxy::authorization),
            ),
        ];
        for (name, value) in shown {
            let Some(value) = value else { continue };
            let mut value = HeaderValue::from_str(value).expect("base64 is printable");
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        let exchange = async {
            let answer = match secure {
                true => self.secure()?.request(request).await,
                false => self.plain().request(request).await,
            };
            self.collect(answer.map_err(|error| failed(&host, &error))?, &host)
                .await
        };
        let answer = self.in_time(&progress, &host, exchange).await;
        match (answer, progress.failed()) {
            (Err(_), Some((lost, why))) => Err(Error::Body { why, lost }),
            (Ok(answer), _) if answer.status == 407 => Err(Error::Proxy {
                proxy: proxy.map_or(host, Proxy::address),
                why: "HTTP status 407: it wants a user and a password".to_owned(),
            }),
            (answer, _) => answer,
        }
    }

    /// Gives an exchange its time: while the body goes out by its rate, from then on the rest.
    async fn in_time(
        &self,
        progress: &Progress,
        host: &str,
        exchange: impl Future<Output = Result<Response, Error>>,
    ) -> Result<Response, Error> {
        let limits = &self.limits;
        let late = |limit: Duration| {
            let seconds = limit.as_secs();
            // A peer that takes the connection and never ends its TLS was sent nothing.
            Err(match progress.untouched() {
                true => Error::Connect {
                    host: host.to_owned(),
                    why: format!("not ready within {seconds} s"),
                },
                false => Error::TimedOut { seconds },
            })
        };
        tokio::pin!(exchange);
        let start = Instant::now();
        let (mut window, mut before) = (start, 0);
        let due = || progress.due(limits.total_time, INTERIM_TIME);
        loop {
            let deadline = match due() {
                Some(due) => due,
                None => (window + limits.rate_window).min(start + limits.upload_time),
            };
            if let Ok(answer) = timeout_at(deadline, &mut exchange).await {
                return answer;
            }
            let now = Instant::now();
            match due() {
                Some(due) if now >= due => return late(limits.total_time),
                // The body went, or an interim answer came.
                Some(_) => continue,
                None if now >= start + limits.upload_time => return late(limits.upload_time),
                None => {}
            }
            let taken = progress.taken();
            #[expect(clippy::cast_precision_loss, reason = "a rate, not a count")]
            let least = limits.upload_rate as f64 * limits.rate_window.as_secs_f64();
            #[expect(clippy::cast_precision_loss, reason = "a rate, not a count")]
            if ((taken - before) as f64) < least {
                let (host, rate) = (host.to_owned(), limits.upload_rate);
                return Err(Error::TooSlow { host, rate });
            }
            (window, before) = (now, taken);
        }
    }

    async fn collect(
        &self,
        answer: hyper::Response<Incoming>,
        host: &str,
    ) -> Result<Response, Error> {
        let limit = self.limits.answer;
        let (head, mut incoming) = answer.into_parts();
        let mut body = BytesMut::new();
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| Error::Broken {
                host: host.into(),
                why: chain(&error),
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if body.len() + data.len() > limit {
                return Err(Error::TooLarge { limit });
            }
            body.extend_from_slice(&data);
        }
        let pair = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            (name.to_string(), latin1(value.as_bytes()))
        };
        let headers = head.headers.iter().map(pair).collect();
        Ok(Response {
            status: head.status.as_u16(),
            headers,
            body: body.freeze(),
        })
    }

    fn plain(&self) -> &Plain {
        self.plain.get_or_init(|| pool().build(self.dial()))
    }

    fn secure(&self) -> Result<&Secure, Error> {
        let build = || {
            let tls = HttpsConnector::with_connector(self.dial(), self.way.tls()?)?;
            Ok(pool().build(tls))
        };
        let built = self
            .secure
            .get_or_init(|| build().map_err(|e: super::tls::Error| e.to_string()));
        built
            .as_ref()
            .map_err(|why| Error::Request(format!("TLS cannot be set up: {why}")))
    }

    fn dial(&self) -> Dial {
        Dial::new(&self.way, self.limits.connect_time)
    }
}

fn request(
    method: Method,
    uri: Uri,
    headers: &[(String, String)],
    body: Stream,
) -> Result<Request<Stream>, Error> {
    let mut request = Request::builder().method(method).uri(uri);
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case(USER_AGENT.as_str()))
    {
        request = request.header(USER_AGENT, "Transload");
    }
    for (name, value) in headers {
        let value = latin1_bytes(value)
            .ok_or_else(|| Error::Request(format!("header {name} is not ISO 8859-1")))?;
        request = request.header(name, value);
    }
    request
        .body(body)
        .map_err(|why| Error::Request(why.to_string()))
}

fn pool() -> legacy::Builder {
    let mut pool = Pool::builder(TokioExecutor::new());
    pool.pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http1_max_headers(HEADERS)
        // The header of a receipt names four parameters, and some servers fold it.
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_max_buf_size(HEAD_BYTES);
    pool
}

fn failed(host: &str, error: &legacy::Error) -> Error {
    let mut source = error.source();
    let mut tls = false;
    while let Some(inner) = source {
        tls |= inner.is::<openssl::ssl::Error>() || inner.is::<ErrorStack>();
        if let Some(Refused { proxy, why }) = inner.downcast_ref() {
            let (proxy, why) = (proxy.clone(), why.clone());
            return Error::Proxy { proxy, why };
        }
        source = inner.source();
    }
    let (host, why) = (host.to_owned(), chain(error));
    match (error.is_connect(), tls) {
        (true, true) => Error::Tls { host, why },
        (true, false) => Error::Connect { host, why },
        (false, _) => Error::Broken { host, why },
    }
}

/// An error and what lies under it, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
