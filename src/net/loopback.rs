//! A listener on this machine only, for whole small requests: what a simulator's doors stand on.
//!
//! It is bound by a port and never by an address, so that nothing outside this machine can reach it;
//! a request whose `Host` is another name (a web page whose name was pointed here) is refused.

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;

use super::serve::{self, Limits};

/// Bytes of one request's body: the largest message that a test sends.
const BODY: usize = 64 << 20;
/// Connections at once from this machine: every client is on it.
const CONNECTIONS: usize = 1000;
/// Requests on one connection.
const REQUESTS: usize = 10_000;

/// A port of this machine, which this machine alone can reach.
#[derive(Debug)]
pub struct Loopback(TcpListener);

/// A request, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `GET`, `POST` …
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The HTTP status.
    pub status: u16,
    /// Headers.
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

impl Loopback {
    /// Takes a port of 127.0.0.1; 0 is any that is free.
    ///
    /// # Errors
    /// The port is taken, or may not be used.
    pub async fn bind(port: u16) -> io::Result<Loopback> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map(Loopback)
    }

    /// Its port.
    ///
    /// # Errors
    /// The system does not say.
    pub fn port(&self) -> io::Result<u16> {
        self.0.local_addr().map(|address| address.port())
    }

    /// Its address as the beginning of a URL.
    ///
    /// # Errors
    /// As [`Loopback::port`].
    pub fn url(&self) -> io::Result<String> {
        Ok(format!("http://127.0.0.1:{}", self.port()?))
    }

    /// Answers requests until `shutdown` resolves.
    pub async fn serve<H, F>(self, handler: H, shutdown: impl Future<Output = ()>)
    where
        H: Fn(Asked) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Told> + Send,
    {
        let limits = Limits {
            per_address: CONNECTIONS,
            requests: REQUESTS,
            body: BODY as u64,
            ..Limits::default()
        };
        let answer = move |request: Request<Incoming>, _| {
            let handler = handler.clone();
            async move {
                let told = match asked(request).await {
                    Ok(asked) => handler(asked).await,
                    Err(told) => told,
                };
                told.response()
            }
        };
        serve::serve(self.0, None, limits, answer, shutdown).await;
    }
}

/// Reads a request, or says why not.
async fn asked(request: Request<Incoming>) -> Result<Asked, Told> {
    let refused = |status: u16, why: &'static str| Told {
        status,
        body: Bytes::from_static(why.as_bytes()),
        ..Told::default()
    };
    let (head, body) = request.into_parts();
    let pair = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.as_str().to_owned(), super::latin1(value.as_bytes()))
    };
    let asked = Asked {
        method: head.method.as_str().to_owned(),
        target: head
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str())
            .to_owned(),
        headers: head.headers.iter().map(pair).collect(),
        body: Bytes::new(),
    };
    let host = asked.header("host").unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    if !matches!(host, "127.0.0.1" | "localhost") {
        return Err(refused(
            421,
            "this listener is 127.0.0.1, and no other name\n",
        ));
    }
    match Limited::new(body, BODY).collect().await {
        Ok(body) => Ok(Asked {
            body: body.to_bytes(),
            ..asked
        }),
        Err(_) => Err(refused(413, "the body is too large or was cut short\n")),
    }
}

impl Told {
    fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            let name = hyper::header::HeaderName::from_bytes(name.as_bytes());
            let value = hyper::header::HeaderValue::from_str(&value);
            if let (Ok(name), Ok(value)) = (name, value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
