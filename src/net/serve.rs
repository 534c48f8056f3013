//! The accept loop under every listener: HTTP/1.1 only, and a limit on whatever a peer can hold.
//!
//! ```text
//! accept ─ slot, address ─ TLS ─ watched bytes ─ hyper http1 ─ handler ─ linger ─ close
//!                                      └ verdict on each head (framing)
//! ```
//!
//! A peer that sends nothing, or the preface of HTTP/2, is closed by the header time-out: nothing
//! waits to find out which protocol it might be. Where all places are taken, who has waited longest
//! for his own request head gives up his (`waiting`): slow heads cost nobody else a place.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Network;
use super::framing::{Verdicts, Watched};
use super::interim::Interim;
use super::quota::site;
use super::tls::{Server, Shown, Wire};
use super::waiting::{Seat, Waiting};

/// Time for a whole request head, and for the next request on an idle connection: a slow head
/// costs a slot for no longer. A real head is one packet.
pub const HEADER_TIME: Duration = Duration::from_secs(10);
/// Headers of one request. AS2 uses about 20; proxies add as many.
pub const HEADERS: usize = 100;
/// Bytes of one request head, and of hyper's read buffer.
pub const HEAD_BYTES: usize = 32 << 10;
/// Requests on one connection, so that a balancer can move a busy peer.
pub const REQUESTS: usize = 100;
/// Connections at once; past this, a new one takes the place of who owes a request head, or waits in
/// the system's backlog where nobody does.
pub const CONNECTIONS: usize = 10_000;
/// Connections at once from one address (an IPv6 /64 is one), trusted proxies excepted.
pub const PER_ADDRESS: usize = 200;
/// Bytes of one body: twice what the large hosted AS2 services take.
pub const BODY: u64 = 100 << 20;
/// Bytes of one body that stay in memory: most orders are far smaller.
pub const BODY_MEMORY: usize = 256 << 10;
/// Bytes of all bodies in memory together; past this they go to disk.
pub const MEMORY: usize = 256 << 20;
/// Time for a whole body: the largest one at 120 kB/s.
pub const BODY_TIME: Duration = Duration::from_secs(15 * 60);
/// Bytes a second that a body must bring, over [`RATE_WINDOW`]: below a modem's speed.
pub const BODY_RATE: u64 = 1 << 10;
/// How long a body may stall before its rate is looked at.
pub const RATE_WINDOW: Duration = Duration::from_secs(30);
/// Age at which a connection is told to end, whatever it does: twice the longest request.
pub const AGE: Duration = Duration::from_secs(30 * 60);
/// Time for requests in flight when the listener stops; supervisors kill after more than this.
pub const DRAIN: Duration = Duration::from_secs(30);
/// How long bytes that nobody wants are read after an early answer: closing with unread bytes
/// resets the connection, and the peer may lose the answer.
const LINGER: Duration = Duration::from_secs(2);
/// Pause after `accept` failed: most often there are no file descriptors for the moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What an address over its limit hears.
const CROWDED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

/// What a listener allows. The default is the constants of this module.
#[derive(Debug, Clone)]
pub struct Limits {
    /// See [`HEADER_TIME`].
    pub header_time: Duration,
    /// See [`HEADERS`].
    pub headers: usize,
    /// See [`HEAD_BYTES`]; at least 8 KiB.
    pub head_bytes: usize,
    /// See [`REQUESTS`].
    pub requests: usize,
    /// See [`CONNECTIONS`].
    pub connections: usize,
    /// See [`PER_ADDRESS`].
    pub per_address: usize,
    /// Addresses that [`PER_ADDRESS`] does not bind: the proxies in front of us.
    pub exempt: Vec<Network>,
    /// See [`BODY`].
    pub body: u64,
    /// See [`BODY_MEMORY`].
    pub body_memory: usize,
    /// See [`MEMORY`].
    pub memory: usize,
    /// See [`BODY_TIME`].
    pub body_time: Duration,
    /// See [`BODY_RATE`].
    pub body_rate: u64,
    /// See [`RATE_WINDOW`].
    pub rate_window: Duration,
    /// See [`AGE`].
    pub age: Duration,
    /// See [`DRAIN`].
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_time: HEADER_TIME,
            headers: HEADERS,
            head_bytes: HEAD_BYTES,
            requests: REQUESTS,
            connections: CONNECTIONS,
            per_address: PER_ADDRESS,
            exempt: Vec::new(),
            body: BODY,
            body_memory: BODY_MEMORY,
            memory: MEMORY,
            body_time: BODY_TIME,
            body_rate: BODY_RATE,
            rate_window: RATE_WINDOW,
            age: AGE,
            drain: DRAIN,
        }
    }
}

/// What can go wrong inside an answer's body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// An answer, whatever its body was made of.
type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// Serves `listener`, by TLS where there is a key for it, until `shutdown` resolves, then drains: no new connection, requests in
/// flight get [`Limits::drain`], the rest is cut. Returns when the last connection is closed.
///
/// The handler is called once for each request whose head is sound; it need not read the body.
pub async fn serve<H, F, B>(
    listener: TcpListener,
    tls: Option<Arc<Server>>,
    limits: Limits,
    handler: H,
    shutdown: impl Future<Output = ()>,
) where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let slots = Arc::new(Semaphore::new(limits.connections));
    let (addresses, waiting) = (Addresses::default(), Waiting::default());
    let (stop, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    let drain = limits.drain;
    let (limits, handler) = (Arc::new(limits), Arc::new(handler));
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = open.join_next() => { report(ended); continue }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match addresses.enter(peer.ip(), &limits) {
                Some(place) => {
                    let slot = tokio::select! {
                        () = &mut shutdown => break,
                        slot = slot(&slots, &waiting) => slot,
                    };
                    let ticket = (slot, place, waiting.seat());
                    let (limits, handler) = (Arc::clone(&limits), Arc::clone(&handler));
                    let wire = (stream, tls.clone());
                    let stopped = stopped.clone();
                    open.spawn(connection(wire, peer, limits, handler, stopped, ticket));
                }
                None => crowded(&stream, peer),
            },
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    let all = async {
        while let Some(ended) = open.join_next().await {
            report(ended)
        }
    };
    if timeout(drain, all).await.is_err() {
        tracing::warn!(
            connections = open.len(),
            "connections were cut at the end of the drain"
        );
    }
}

/// A place among all connections: a free one, or that of who has owed us a head for longest.
async fn slot(slots: &Arc<Semaphore>, waiting: &Waiting) -> OwnedSemaphorePermit {
    let free = Arc::clone(slots).acquire_owned();
    tokio::pin!(free);
    loop {
        let ended = slots.available_permits() == 0 && waiting.end_one();
        tokio::select! {
            biased;
            slot = &mut free => return slot.expect("the semaphore is never closed"),
            () = waiting.stayed(), if ended => {}
            () = waiting.came(), if !ended => {}
        }
    }
}

/// A panic in a handler ends its own connection and is a defect of ours.
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a request handler panicked");
    }
}

fn crowded(stream: &TcpStream, peer: SocketAddr) {
    tracing::debug!(%peer, "too many connections from one address");
    // A fresh socket takes these few bytes at once, or the peer hears nothing but the close.
    let _ = stream.try_write(CROWDED);
}

/// One connection, from its first byte to its close. The ticket holds its slots until then.
async fn connection<H, F, B>(
    (stream, tls): (TcpStream, Option<Arc<Server>>),
    peer: SocketAddr,
    limits: Arc<Limits>,
    handler: Arc<H>,
    mut stopped: watch::Receiver<bool>,
    (_slot, _place, seat): (OwnedSemaphorePermit, Place, Seat),
) where
    H: Fn(Request<Incoming>, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let Some((wire, shown)) = opened(stream, tls, peer, limits.header_time, &seat).await else {
        return;
    };
    let watched = Watched::new(wire, limits.head_bytes);
    let interim = watched.interim();
    let turns = Turns {
        verdicts: watched.verdicts(),
        left: AtomicUsize::new(limits.requests),
        seat,
    };
    let turns = Arc::new(turns);
    let seen = Arc::clone(&turns);
    let service = service_fn(move |mut request: Request<Incoming>| {
        extend(&mut request, shown.as_ref(), &interim);
        Box::pin(answer(
            Arc::clone(&turns),
            Arc::clone(&handler),
            request,
            peer,
        ))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_headers(limits.headers)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(watched), service);
    let mut deadline = Instant::now() + limits.age;
    let mut ending = false;
    let ended = loop {
        tokio::select! {
            // A request that is here comes before whatever would end its connection.
            biased;
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break Some(ended),
            _ = stopped.changed(), if !ending => {}
            () = seen.seat.over() => break None,
            () = sleep_until(deadline) => if ending { break None },
        }
        ending = true;
        deadline = Instant::now() + limits.drain;
        Pin::new(&mut connection).graceful_shutdown();
    };
    match ended {
        Some(Ok(())) => {}
        Some(Err(error)) if error.is_timeout() => {
            tracing::debug!(%peer, "no request head in time");
            return;
        }
        Some(Err(error)) => tracing::debug!(%peer, %error, "connection ended"),
        None => return,
    }
    linger(connection.into_parts().io.into_inner()).await;
}

/// The connection as its requests come by it, once TLS is through where it is spoken.
async fn opened(
    stream: TcpStream,
    tls: Option<Arc<Server>>,
    peer: SocketAddr,
    time: Duration,
    seat: &Seat,
) -> Option<(Wire, Option<Shown>)> {
    // An answer is small; waiting to fill a packet only delays it. A failure costs nothing else.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return Some((Wire::Clear(stream), None));
    };
    let accepted = tokio::select! {
        biased;
        accepted = tls.accept(stream, time) => accepted,
        () = seat.over() => return None,
    };
    match accepted {
        Ok((stream, shown)) => Some((Wire::Secure(Box::new(stream)), shown)),
        Err(why) => {
            tracing::info!(%peer, why, "no TLS");
            None
        }
    }
}

/// What the handler may want to know of the connection.
fn extend(request: &mut Request<Incoming>, shown: Option<&Shown>, interim: &Interim) {
    let new = request.version() == Version::HTTP_11;
    let all = request.extensions_mut();
    if let Some(shown) = shown {
        all.insert(shown.clone());
    }
    if new {
        all.insert(interim.clone());
    }
}

/// Says that we are done, and reads on for a moment, so that the answer arrives.
async fn linger(mut stream: Watched<Wire>) {
    let quiet = async {
        stream.shutdown().await?;
        let mut waste = [0; 4096];
        while stream.read(&mut waste).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // The peer is gone, or goes on talking: either way it had its moment.
    let _ = timeout(LINGER, quiet).await;
}

/// What is counted along one connection.
struct Turns {
    verdicts: Verdicts,
    left: AtomicUsize,
    seat: Seat,
}

/// The handler's answer, or the refusal of a head that is not sound.
async fn answer<H, F, B>(
    turns: Arc<Turns>,
    handler: Arc<H>,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Answer, Infallible>
where
    H: Fn(Request<Incoming>, SocketAddr) -> F,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    turns.seat.works();
    let verdict = turns.verdicts.next();
    let last = turns.left.fetch_sub(1, Ordering::Relaxed) <= 1;
    let mut answer = match verdict.refuse {
        Some(why) => {
            tracing::info!(%peer, status = 400, why, "refused a request head");
            let body = Full::new(Bytes::from(format!("{why}\n")));
            let mut answer = Response::new(body.map_err(Into::into).boxed_unsync());
            *answer.status_mut() = StatusCode::BAD_REQUEST;
            answer
        }
        None => handler(request, peer)
            .await
            .map(|body| body.map_err(Into::into).boxed_unsync()),
    };
    if last || verdict.close {
        answer
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    turns.seat.waits();
    Ok(answer)
}

/// How many connections each address has open.
#[derive(Debug, Clone, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Addresses {
    /// A place for one more connection from `address`, where it has one left.
    fn enter(&self, address: IpAddr, limits: &Limits) -> Option<Place> {
        if limits.exempt.iter().any(|exempt| exempt.holds(address)) {
            return Some(Place(None));
        }
        let address = site(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= limits.per_address {
            return None;
        }
        *count += 1;
        Some(Place(Some((self.clone(), address))))
    }
}

/// One connection's count, given back when it is dropped.
#[derive(Debug)]
struct Place(Option<(Addresses, IpAddr)>);

impl Drop for Place {
    fn drop(&mut self) {
        let Some((addresses, address)) = &self.0 else {
            return;
        };
        let mut counts = addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let limits = Limits {
            per_address: 2,
            exempt: vec!["10.0.0.1".parse().unwrap()],
            ..Limits::default()
        };
        let addresses = Addresses::default();
        let enter = |text: &str| addresses.enter(text.parse().unwrap(), &limits);
        let first = enter("192.0.2.1");
        let _second = enter("::ffff:192.0.2.1");
        assert!(enter("192.0.2.1").is_none(), "a third");
        assert!(enter("192.0.2.2").is_some(), "another address");
        drop(first);
        assert!(enter("192.0.2.1").is_some(), "a place given back");
        let _net = (enter("2001:db8::1"), enter("2001:db8::2"));
        assert!(enter("2001:db8::3").is_none(), "one /64");
        let proxied: Vec<_> = (0..5).map(|_| enter("10.0.0.1")).collect();
        assert!(proxied.iter().all(Option::is_some), "exempt");
        drop((proxied, _second, _net));
        assert!(
            addresses.0.lock().unwrap().is_empty(),
            "nothing is left behind"
        );
    }
}
