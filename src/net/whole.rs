//! Requests that fit in memory: a handler from a whole request to a whole answer, over [`serve`].
//!
//! For listeners whose handlers know no HTTP library. What is larger than [`BODY`] is refused with
//! 413.
//!
//! [`serve`]: super::serve::serve

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;

use super::body::Intake;
use super::serve::{Limits, serve};
use super::{latin1, latin1_bytes};

/// Bytes of one body: an invoice of ten thousand lines.
pub const BODY: usize = 16 << 20;

/// A request, all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// `GET`, `POST` …
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// Names in lower case, values with each byte as one character (ISO 8859-1).
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The HTTP status.
    pub status: u16,
    /// Headers, values in ISO 8859-1. `Content-Length` and `Date` are added.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Asked {
    /// The first header of a name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The path, without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&self.target, |(path, _)| path)
    }
}

impl Told {
    /// An answer without headers.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Bytes>) -> Told {
        Told {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// As HTTP has it. A header that it cannot carry (a line break in it) is our own defect: nothing
    /// of that answer goes out, but a 500.
    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        self.build().unwrap_or_else(|| {
            tracing::error!("an answer with an impossible header or status was not sent");
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }

    fn build(self) -> Option<Response<Full<Bytes>>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).ok()?;
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let value = HeaderValue::from_bytes(&latin1_bytes(value)?).ok()?;
            response.headers_mut().append(name, value);
        }
        Some(response)
    }
}

/// Serves `listener` until `shutdown` resolves. An answer that HTTP cannot carry is a 500.
pub async fn listen<H, F>(listener: TcpListener, handler: H, shutdown: impl Future<Output = ()>)
where
    H: Fn(Asked) -> F + Send + Sync + 'static,
    F: Future<Output = Told> + Send + 'static,
{
    let limits = Limits {
        body: BODY as u64,
        body_memory: BODY,
        ..Limits::default()
    };
    // Nothing of a body that fits in memory is spooled.
    let intake = Arc::new(Intake::new(&limits, PathBuf::new()));
    let handler = Arc::new(handler);
    let answer = move |request: Request<Incoming>, _: SocketAddr| {
        let (intake, handler) = (Arc::clone(&intake), Arc::clone(&handler));
        async move {
            let (head, incoming) = request.into_parts();
            let told = match intake.read(&head.headers, incoming).await {
                Err(why) => Told::new(why.status(), format!("{why}\n")),
                Ok(body) => {
                    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
                        (name.as_str().to_owned(), latin1(value.as_bytes()))
                    };
                    let target = head.uri.path_and_query();
                    let asked = Asked {
                        method: head.method.to_string(),
                        target: target.map_or_else(String::new, ToString::to_string),
                        headers: head.headers.iter().map(pair).collect(),
                        body: body.memory().cloned().unwrap_or_default(),
                    };
                    handler(asked).await
                }
            };
            told.response()
        }
    };
    serve(listener, None, limits, answer, shutdown).await;
}
