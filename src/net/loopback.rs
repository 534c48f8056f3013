//! A port of this machine that this machine alone can reach: what a simulator's doors stand on.
//!
//! It is bound by a port and never by an address, so that nothing outside this machine can reach it;
//! a request whose `Host` is another name (a web page whose name was pointed here) is refused.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::str::FromStr;

use hyper::Uri;
use tokio::net::TcpListener;

use super::whole::{self, Asked, Told};

/// Where something on this machine listens: of a URL its port and its path are kept, and no name, so
/// that what is posted to it goes nowhere else.
///
/// ```
/// use transload::net::loopback::Here;
///
/// let here: Here = "http://localhost:4080/as2".parse().unwrap();
/// assert_eq!(here.to_string(), "http://127.0.0.1:4080/as2");
/// assert!("http://127.0.0.1:80@elsewhere.test/as2".parse::<Here>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Here {
    port: u16,
    path: String,
}

impl FromStr for Here {
    type Err = String;

    fn from_str(url: &str) -> Result<Here, String> {
        let wrong = || format!("{url:?} is not on this machine: http://127.0.0.1:PORT/PATH is");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        let own = ["127.0.0.1", "localhost"].contains(&authority.host());
        let plain = uri.scheme_str() == Some("http") && !authority.as_str().contains('@');
        match (own && plain, authority.port_u16()) {
            (true, Some(port)) => Ok(Here {
                port,
                path: uri.path().to_owned(),
            }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Here {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "http://{}:{}{}",
            Ipv4Addr::LOCALHOST,
            self.port,
            self.path
        )
    }
}

/// A port of this machine.
#[derive(Debug)]
pub struct Loopback(TcpListener);

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

    /// Its address as the beginning of a URL.
    ///
    /// # Errors
    /// The system does not say which port it is.
    pub fn url(&self) -> io::Result<String> {
        Ok(format!("http://{}", self.0.local_addr()?))
    }

    /// Answers requests until `shutdown` resolves.
    pub async fn serve<H, F>(self, handler: H, shutdown: impl Future<Output = ()>)
    where
        H: Fn(Asked) -> F + Send + Sync + 'static,
        F: Future<Output = Told> + Send + 'static,
    {
        let handler = std::sync::Arc::new(handler);
        let answer = move |asked: Asked| {
            let handler = std::sync::Arc::clone(&handler);
            async move {
                match here(&asked) {
                    true => handler(asked).await,
                    false => Told::new(421, "this listener is 127.0.0.1, and no other name\n"),
                }
            }
        };
        whole::listen(self.0, answer, shutdown).await;
    }
}

/// Whether a request means this machine by a name that nobody can point elsewhere.
fn here(asked: &Asked) -> bool {
    let host = asked.header("host").unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_elsewhere_is_here() {
        for url in [
            "http://elsewhere.test:4080/as2",
            "http://127.0.0.1.elsewhere.test:4080/as2",
            "http://127.0.0.1:80@elsewhere.test/as2",
            "http://user@127.0.0.1:4080/as2",
            "https://127.0.0.1:4080/as2",
            "http://127.0.0.1/as2",
            "/as2",
            "",
        ] {
            assert!(url.parse::<Here>().is_err(), "{url}");
        }
    }

    #[test]
    fn a_name_that_can_be_pointed_here_is_refused() {
        let asked = |host: &str| Asked {
            headers: vec![("host".to_owned(), host.to_owned())],
            ..Asked::default()
        };
        assert!(here(&asked("127.0.0.1:8425")) && here(&asked("localhost")));
        for host in ["", "evil.test", "evil.test:8425", "127.0.0.1.evil.test"] {
            assert!(!here(&asked(host)), "{host}");
        }
    }
}
