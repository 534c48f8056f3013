//! The AS2 listener (RFC 4130): what comes at one path goes to a handler, and nothing else does.
//!
//! | request | answer |
//! |---|---|
//! | `POST` at the path | the handler's |
//! | the same with a `Content-Encoding` | 415: only identity; AS2 compresses inside (RFC 5402) |
//! | `HEAD` at the path, with the `ETag` of a transfer | the handler's: how much of that is here |
//! | `HEAD` at the path | 200 and no body: peers try an address so before they send an MDN there |
//! | another method at the path | 405 with `Allow` |
//! | another path | 404 |
//!
//! One line is logged for each request, with the message id and never a byte of content.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use tokio::net::TcpListener;

use super::forwarded::{Believed, Origin, origin};
use crate::net::body::{Body, Intake, Refused};
use crate::net::interim::Interim;
use crate::net::latin1;
use crate::net::serve::{Limits, serve};
use crate::net::tls::{Server, Shown};
use crate::net::transfer::Transfer;
use crate::net::whole::Told;

/// How many seconds a sender is asked to wait when a body could not be spooled.
const RETRY_AFTER: u32 = 60;
/// Characters of a header that are logged: a Message-ID has up to 998, ours 255.
const LOGGED: usize = 255;

/// What the listener is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The one path that is served, from its slash: `/as2`.
    pub path: String,
    /// The folder for large bodies, on the disk of the store.
    pub spool: PathBuf,
    /// Limits of heads, bodies and connections.
    pub limits: Limits,
    /// What it shows where it speaks TLS.
    pub tls: Option<Arc<Server>>,
    /// Whose word is taken for who sent a request, and how.
    pub believed: Believed,
}

/// A request that arrived, its body not yet read.
#[derive(Debug)]
pub struct Arrival {
    /// Who sent it; behind a proxy that is trusted, who that says it was.
    pub peer: IpAddr,
    /// Whether it came by TLS, to us or to a proxy that is trusted.
    pub secure: bool,
    /// The fingerprint of the certificate that the client showed, to us or to a proxy that is trusted:
    /// SHA-256 in lower-case hex.
    pub certificate: Option<String>,
    /// The headers: names in lower case, values with each byte as one character (ISO 8859-1).
    /// Lines of one name are in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// Whether it only asks how much of a transfer is here: a `HEAD` with an `ETag`.
    pub asks: bool,
    /// Gives interim answers once the body is read; a client of HTTP/1.0 gets none.
    pub interim: Option<Interim>,
    /// The body.
    pub body: Upload,
}

impl Arrival {
    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }
}

/// A body still on the wire. Who drops it unread refuses it, and the connection closes.
#[derive(Debug)]
pub struct Upload {
    incoming: Incoming,
    headers: HeaderMap,
    intake: Arc<Intake>,
}

impl Upload {
    /// Reads the whole body within the listener's limits.
    ///
    /// # Errors
    /// The answer for the sender: 413 too large, 400 cut short or malformed, 408 too slow, 503
    /// where we cannot spool. Nothing of the body is left then.
    pub async fn read(self) -> Result<Body, Answer> {
        let read = self.intake.read(&self.headers, self.incoming).await;
        read.map_err(|refused| told(&refused))
    }

    /// Reads the whole of a body that may be the rest of a transfer, and keeps what comes of it.
    ///
    /// # Errors
    /// As [`Upload::read`]; 416 where another part of it is due.
    pub async fn resume(self, transfer: &Arc<Transfer>) -> Result<Body, Answer> {
        let read = self.intake.resume(&self.headers, self.incoming, transfer);
        read.await.map_err(|refused| told(&refused))
    }
}

fn told(refused: &Refused) -> Answer {
    match refused {
        Refused::Spool { source, .. } => tracing::error!(%refused, %source, "body lost"),
        _ => tracing::info!(%refused, "body refused"),
    }
    let mut answer = Answer::from(refused);
    if let Refused::Elsewhere { held } = refused {
        let range = format!("bytes */{held}");
        answer.headers.push(("content-range".into(), range));
    }
    answer
}

/// What is written back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers, values in ISO 8859-1. `Content-Length` and `Date` are added.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A line of text with a status.
    #[must_use]
    pub fn text(status: u16, line: impl std::fmt::Display) -> Self {
        let headers = vec![("content-type".into(), "text/plain; charset=utf-8".into())];
        Self {
            status,
            headers,
            body: Bytes::from(format!("{line}\n")),
        }
    }

    /// 503, and when to come back, in seconds: for every failure of ours before the commit.
    #[must_use]
    pub fn unavailable(seconds: u32) -> Self {
        let mut answer = Self::text(503, "not now, please try again");
        answer
            .headers
            .push(("retry-after".into(), seconds.to_string()));
        answer
    }

    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    fn response(self) -> Response<Full<Bytes>> {
        let Answer {
            status,
            headers,
            body,
        } = self;
        let told = Told {
            status,
            headers,
            body,
        };
        told.response()
    }
}

impl From<&Refused> for Answer {
    fn from(refused: &Refused) -> Self {
        match refused.status() {
            503 => Self::unavailable(RETRY_AFTER),
            status => Self::text(status, refused),
        }
    }
}

/// Serves `listener` until `shutdown` resolves and its requests are drained. `handler` gets every
/// `POST` at the path and gives the answer; it reads the body itself, so that a stranger can be
/// refused before it.
pub async fn listen<H, F>(
    listener: TcpListener,
    settings: Settings,
    handler: H,
    shutdown: impl Future<Output = ()>,
) where
    H: Fn(Arrival) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let Settings {
        path,
        spool,
        limits,
        tls,
        believed,
    } = settings;
    let intake = Arc::new(Intake::new(&limits, spool));
    let (route, secure) = (Arc::new((path, believed, handler)), tls.is_some());
    let answer = move |request: Request<Incoming>, peer: SocketAddr| {
        let (route, intake) = (Arc::clone(&route), Arc::clone(&intake));
        async move {
            let start = Instant::now();
            let seen = Seen::of(&request);
            let shown = (secure, request.extensions().get::<Shown>());
            let from = origin(request.headers(), peer.ip(), shown, &route.1);
            let client = from.address;
            let answer = match turned_away(&request, &route.0) {
                Some(answer) => answer,
                None => (route.2)(arrival(request, from, intake)).await,
            };
            seen.log(client, answer.status, start);
            answer.response()
        }
    };
    serve(listener, tls, limits, answer, shutdown).await;
}

/// The answer to a request that is none of the handler's.
fn turned_away(request: &Request<Incoming>, path: &str) -> Option<Answer> {
    if request.uri().path() != path {
        return Some(Answer::text(404, "nothing here"));
    }
    let allow = ("allow".into(), "HEAD, POST".into());
    match *request.method() {
        Method::POST => {}
        Method::HEAD if request.headers().contains_key(ETAG) => {}
        Method::HEAD => {
            return Some(Answer {
                status: 200,
                headers: vec![("content-length".into(), "0".into())],
                body: Bytes::new(),
            });
        }
        _ => {
            let mut answer = Answer::text(405, "this address takes AS2 messages by POST");
            answer.headers.push(allow);
            return Some(answer);
        }
    }
    let coding = request.headers().get(CONTENT_ENCODING)?;
    (!coding.as_bytes().eq_ignore_ascii_case(b"identity")).then(|| {
        Answer::text(
            415,
            "no Content-Encoding is taken; compress inside the message",
        )
    })
}

fn arrival(request: Request<Incoming>, from: Origin, intake: Arc<Intake>) -> Arrival {
    let (head, incoming) = request.into_parts();
    let interim = head.extensions.get::<Interim>().cloned();
    let asks = head.method == Method::HEAD;
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), latin1(value.as_bytes()))
    };
    let headers = head.headers.iter().map(pair).collect();
    Arrival {
        peer: from.address,
        secure: from.secure,
        certificate: from.certificate,
        interim,
        headers,
        asks,
        body: Upload {
            incoming,
            headers: head.headers,
            intake,
        },
    }
}

fn first<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// What the log says of a request: nothing that a partner would mind.
struct Seen {
    method: Method,
    message_id: String,
    from: String,
    to: String,
}

impl Seen {
    fn of(request: &Request<Incoming>) -> Self {
        let text = |name: &str| {
            let value = request
                .headers()
                .get(name)
                .map(HeaderValue::as_bytes)
                .unwrap_or_default();
            value[..value.len().min(LOGGED)].escape_ascii().to_string()
        };
        let method = request.method().clone();
        Self {
            method,
            message_id: text("message-id"),
            from: text("as2-from"),
            to: text("as2-to"),
        }
    }

    fn log(&self, peer: IpAddr, status: u16, start: Instant) {
        let millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            %peer,
            method = %self.method,
            status,
            millis,
            message_id = self.message_id,
            as2_from = self.from,
            as2_to = self.to,
            "as2 request"
        );
    }
}
