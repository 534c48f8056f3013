//! Hostile and ordinary HTTP through real sockets: the listeners answer, or close, and go on.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use transload::net::serve::Limits;
use transload::web::as2::{Answer, Arrival, Settings, listen};
use transload::web::{Believed, admin};

/// How long a server that never closes is waited for before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A listener whose handler keeps what it is given and echoes its length.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
    spool: TempDir,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let spool = tempfile::tempdir().unwrap();
        let settings = Settings {
            path: "/as2".into(),
            spool: spool.path().into(),
            limits,
            tls: None,
            believed: Believed::default(),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let keep = Arc::clone(&kept);
        let handler = move |arrival: Arrival| handle(arrival, Arc::clone(&keep));
        let shutdown = async { drop(stopped.await) };
        let running = tokio::spawn(listen(listener, settings, handler, shutdown));
        Self {
            address,
            kept,
            spool,
            stop: Some(stop),
            running,
        }
    }

    /// Sends the pieces, each in its own packet, and reads until the server closes.
    async fn talk(&self, pieces: &[&[u8]]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for piece in pieces {
            // The server may have closed already; what it said counts.
            if stream.write_all(piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        read_all(stream).await
    }

    /// The same, with the sending side closed after the last piece.
    async fn talk_and_end(&self, pieces: &[&[u8]]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        for piece in pieces {
            stream.write_all(piece).await.unwrap();
        }
        stream.shutdown().await.unwrap();
        read_all(stream).await
    }

    fn kept(&self) -> Vec<Vec<u8>> {
        self.kept.lock().unwrap().clone()
    }

    /// The server still answers, and nothing lies in its spool folder.
    async fn is_well(&self) {
        let good = self
            .talk(&[&post("connection: close\r\ncontent-length: 4", "well")])
            .await;
        assert_eq!(status(&good), "200", "the server is not well: {good:?}");
        assert_eq!(
            std::fs::read_dir(self.spool.path()).unwrap().count(),
            0,
            "spool left behind"
        );
    }
}

async fn handle(arrival: Arrival, kept: Arc<Mutex<Vec<Vec<u8>>>>) -> Answer {
    if arrival.header("AS2-From") == Some("panic") {
        panic!("as the test asks");
    }
    if arrival.header("AS2-From") == Some("injector") {
        let mut answer = Answer::text(200, "never seen");
        answer.headers.push(("x".into(), "a\r\nb: c".into()));
        return answer;
    }
    if arrival.header("AS2-From") == Some("stranger") {
        return Answer::text(403, "unknown");
    }
    if arrival.header("AS2-From") == Some("early") {
        return Answer::unavailable(30);
    }
    let slow = arrival.header("AS2-From") == Some("slow");
    let interim = arrival.interim.clone();
    let body = match arrival.body.read().await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let mut bytes = Vec::new();
    body.open().unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(body.len(), bytes.len() as u64);
    let place = if body.file().is_some() {
        "file"
    } else {
        "memory"
    };
    kept.lock().unwrap().push(bytes);
    if slow {
        // Until something else came.
        let before = kept.lock().unwrap().len();
        let work = async {
            while kept.lock().unwrap().len() == before {
                tokio::task::yield_now().await;
            }
        };
        match interim {
            Some(interim) => interim.during(Duration::from_millis(1), work).await,
            None => work.await,
        }
    }
    Answer::text(200, format!("{} in {place}", body.len()))
}

async fn read_all(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let closed = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A reset after the answer is a close too.
    let _ = closed.expect("the server closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /as2 HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n{body}").into_bytes()
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

/// Limits at which a test waits for nothing long.
pub(crate) fn short() -> Limits {
    Limits {
        header_time: Duration::from_millis(200),
        body_time: Duration::from_secs(5),
        rate_window: Duration::from_millis(200),
        body: 100_000,
        body_memory: 1000,
        ..Limits::default()
    }
}

#[tokio::test]
async fn requests_that_break_the_rules_are_refused_and_hand_nothing_over() {
    let server = Server::start(short()).await;
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let many = format!("{many}content-length: 0");
    let wide = format!("x: {}\r\ncontent-length: 0", "y".repeat(60_000));
    let end = "0\r\n\r\n";
    let table: &[(&str, &str, &str)] = &[
        ("413", "content-length: 100001", ""),
        ("413", "content-length: 10995116277760", ""),
        ("413", "expect: 100-continue\r\ncontent-length: 100001", ""),
        (
            "400",
            "transfer-encoding: chunked\r\ncontent-length: 5",
            end,
        ),
        (
            "400",
            "content-length: 5\r\ntransfer-encoding: chunked",
            end,
        ),
        ("400", "content-length: 5\r\ncontent-length: 6", "abcdef"),
        ("400", "content-length: -1", ""),
        ("400", "content-length: +5", "abcde"),
        ("400", "content-length: 0x10", "abcde"),
        ("400", "transfer-encoding: chunked, identity", end),
        ("400", "transfer-encoding: chunked", "11111111111111111\r\n"),
        (
            "400",
            "transfer-encoding: chunked",
            "+5\r\nabcde\r\n0\r\n\r\n",
        ),
        ("400", "host: b\r\ncontent-length: 4", "host"),
        ("400", "content-length : 4", "colo"),
        ("400", "x: bare\ny: line feed\r\ncontent-length: 4", "feed"),
        ("400", "x: a\0b\r\ncontent-length: 4", "null"),
        ("431", &many, ""),
        ("431", &wide, ""),
        ("415", "content-encoding: gzip\r\ncontent-length: 4", "gzip"),
    ];
    let mut requests: Vec<_> = table
        .iter()
        .map(|(want, headers, body)| (*want, post(headers, body)))
        .collect();
    let old = "POST /as2 HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    requests.push(("400", old.into()));
    let first = "POST /as2 HTTP/1.1\r\n folded: first\r\nhost: a\r\n\r\n";
    requests.push(("400", first.into()));
    let hostless = "POST /as2 HTTP/1.1\r\ncontent-length: 0\r\n\r\n";
    requests.push(("400", hostless.into()));
    requests.push((
        "400",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls\r\n\r\n".to_vec(),
    ));
    for (want, request) in requests {
        let answer = server.talk(&[&request]).await;
        let what = request[..request.len().min(200)].escape_ascii();
        assert_eq!(status(&answer), want, "{what}: {answer:?}");
        assert!(
            !answer.contains("100 Continue"),
            "{what}: asked for the body"
        );
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "{what}: one answer, then closed"
        );
    }
    assert_eq!(server.kept(), Vec::<Vec<u8>>::new());
    server.is_well().await;
}

#[tokio::test]
async fn what_follows_an_ambiguous_request_is_never_a_request() {
    let server = Server::start(short()).await;
    let smuggled = "POST /as2 HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nevil";
    for headers in [
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "content-length: 5\r\ntransfer-encoding: chunked",
    ] {
        let body = format!("0\r\n\r\n{smuggled}");
        assert_eq!(status(&server.talk(&[&post(headers, &body)]).await), "400");
    }
    let after_chunked = post(
        "transfer-encoding: chunked",
        &format!("0\r\n\r\n{smuggled}"),
    );
    assert_eq!(status(&server.talk(&[&after_chunked]).await), "200");
    assert_eq!(server.kept(), [b""], "only the empty chunked body");
}

#[tokio::test]
async fn lawful_bodies_arrive_whole() {
    let server = Server::start(short()).await;
    let chunks = "5 \r\nhello\r\n6;name=\"a b\";x\r\n world\r\n0\r\nx-trailer: y\r\n\r\n";
    let table: &[(&str, &str, &str)] = &[
        ("content-length: 5", "plain", "plain"),
        ("content-length: 0005", "zeros", "zeros"),
        ("content-length: 5\r\nCONTENT-LENGTH: 5", "twice", "twice"),
        ("Transfer-Encoding: Chunked", chunks, "hello world"),
        ("x: y", "", ""),
        (
            "x: a\r\n folded\r\n\t line\r\ncontent-length:\r\n 4",
            "fold",
            "fold",
        ),
    ];
    for (headers, sent, body) in table {
        let (what, request) = (
            headers,
            post(&format!("connection: close\r\n{headers}"), sent),
        );
        let answer = server.talk(&[&request]).await;
        assert_eq!(status(&answer), "200", "{what}: {answer:?}");
        assert!(
            answer.contains("content-length: "),
            "{what}: the answer says its length"
        );
        assert_eq!(server.kept().last().unwrap(), body.as_bytes(), "{what}");
    }
    let (mut pieces, whole) = (
        Vec::new(),
        post("connection: close\r\ncontent-length: 5", "bytes"),
    );
    pieces.extend(whole.chunks(1));
    assert_eq!(
        status(&server.talk(&pieces).await),
        "200",
        "a byte a packet"
    );
    assert_eq!(server.kept().last().unwrap(), b"bytes");
}

#[tokio::test]
async fn a_large_body_goes_through_a_spool_file_that_does_not_stay() {
    let server = Server::start(short()).await;
    let body = "0123456789".repeat(9000);
    let headers = format!("connection: close\r\ncontent-length: {}", body.len());
    let answer = server.talk(&[&post(&headers, &body)]).await;
    assert!(answer.ends_with("90000 in file\n"), "{answer:?}");
    assert_eq!(server.kept(), [body.into_bytes()]);
    let chunked = format!("{:x}\r\n{}\r\n0\r\n\r\n", 120_000, "x".repeat(120_000));
    let answer = server
        .talk(&[&post("transfer-encoding: chunked", &chunked)])
        .await;
    assert_eq!(status(&answer), "413", "chunks over the limit: {answer:?}");
    assert_eq!(server.kept().len(), 1);
    server.is_well().await;
}

#[tokio::test]
async fn when_memory_is_short_bodies_go_to_disk() {
    let server = Server::start(Limits {
        memory: 10,
        ..short()
    })
    .await;
    for (body, place) in [("tiny", "4 in memory\n"), ("more than ten", "13 in file\n")] {
        let headers = format!("connection: close\r\ncontent-length: {}", body.len());
        let answer = server.talk(&[&post(&headers, body)]).await;
        assert!(answer.ends_with(place), "{answer:?}");
    }
    server.is_well().await;
}

#[tokio::test]
async fn a_body_cut_short_is_told_and_not_handed_over() {
    let server = Server::start(short()).await;
    let table: &[(&str, Vec<u8>)] = &[
        ("a length", post("content-length: 100", "only this")),
        (
            "a length, in a file",
            post("content-length: 9000", &"x".repeat(5000)),
        ),
        (
            "chunks",
            post("transfer-encoding: chunked", "5\r\nhello\r\n"),
        ),
        (
            "half a chunk",
            post("transfer-encoding: chunked", "5\r\nhe"),
        ),
    ];
    for (what, request) in table {
        let answer = server.talk_and_end(&[request]).await;
        assert_eq!(status(&answer), "400", "{what}: {answer:?}");
    }
    assert_eq!(server.kept(), Vec::<Vec<u8>>::new());
    server.is_well().await;
}

#[tokio::test]
async fn slow_and_silent_peers_are_cut() {
    let server = Server::start(short()).await;
    let table: &[(&str, &[u8], &str)] = &[
        ("nothing", b"", "none"),
        ("half a head", b"POST /as2 HTTP/1.1\r\nhost:", "none"),
        ("the start of http/2", b"PRI", "none"),
        (
            "idle after a request",
            b"HEAD /as2 HTTP/1.1\r\nhost: a\r\n\r\n",
            "200",
        ),
    ];
    for (what, bytes, want) in table {
        // The server must close, or this waits for ever.
        let answer = server.talk(&[bytes]).await;
        assert_eq!(status(&answer), *want, "{what}: {answer:?}");
    }
    let preface = server.talk(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]).await;
    assert_ne!(status(&preface), "200", "the preface of http/2");
    assert_eq!(server.kept(), Vec::<Vec<u8>>::new());
    server.is_well().await;
}

#[tokio::test]
async fn a_body_under_the_minimum_rate_is_cut() {
    let server = Server::start(short()).await;
    let answer = server.talk(&[&post("content-length: 9", "slow")]).await;
    assert_eq!(status(&answer), "408");
    assert!(answer.contains("less than 1024 bytes/s"), "{answer:?}");
    assert_eq!(server.kept(), Vec::<Vec<u8>>::new());
    server.is_well().await;
}

#[tokio::test]
async fn a_body_over_its_total_time_is_cut() {
    let limits = Limits {
        body_time: Duration::from_millis(100),
        body_rate: 0,
        ..short()
    };
    let server = Server::start(limits).await;
    let answer = server.talk(&[&post("content-length: 9", "slow")]).await;
    assert_eq!(status(&answer), "408");
    assert!(answer.contains("took longer"), "{answer:?}");
    server.is_well().await;
}

#[tokio::test]
async fn who_waits_long_hears_that_we_are_at_it() {
    const LINE: &str = "HTTP/1.1 102 Processing\r\n\r\n";
    let server = Server::start(short()).await;
    let slow = "as2-from: slow\r\nconnection: close\r\ncontent-length: 4";
    let quick = post("connection: close\r\ncontent-length: 1", "x");
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&post(slow, "")).await.unwrap();
    stream.write_all(b"slow").await.unwrap();
    let mut interim = [0; 2 * LINE.len()];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(interim.as_slice(), LINE.repeat(2).as_bytes());
    assert_eq!(status(&server.talk(&[&quick]).await), "200");
    let rest = read_all(stream).await;
    let answer = rest.trim_start_matches(LINE);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.ends_with("4 in memory\n") && !answer.contains("102"),
        "{answer}"
    );

    // A client of HTTP/1.0 knows nothing of it.
    let old = String::from_utf8(post(slow, "slow")).unwrap();
    let old = old.replace("HTTP/1.1", "HTTP/1.0");
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(old.as_bytes()).await.unwrap();
    while server.kept().len() < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(status(&server.talk(&[&quick]).await), "200");
    let answer = read_all(stream).await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn expect_continue_is_answered_before_the_body() {
    let server = Server::start(short()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = post(
        "expect: 100-continue\r\nconnection: close\r\ncontent-length: 5",
        "",
    );
    stream.write_all(&head).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"after").await.unwrap();
    assert_eq!(status(&read_all(stream).await), "200");
    assert_eq!(server.kept(), [b"after"]);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_until_their_number_is_up() {
    let server = Server::start(Limits {
        requests: 3,
        ..short()
    })
    .await;
    let bodies = ["a", "bb", "ccc", "dddd"];
    let requests: Vec<u8> = bodies
        .iter()
        .flat_map(|body| post(&format!("content-length: {}", body.len()), body))
        .collect();
    let answers = server.talk(&[&requests]).await;
    let lines: Vec<&str> = answers
        .lines()
        .filter(|line| line.ends_with("in memory"))
        .collect();
    assert_eq!(lines, ["1 in memory", "2 in memory", "3 in memory"]);
    assert_eq!(server.kept().len(), 3, "the fourth needs a new connection");
}

#[tokio::test]
async fn methods_and_paths_that_are_not_served_say_so() {
    let server = Server::start(short()).await;
    let table = [
        ("GET /as2", "405"),
        ("PUT /as2", "405"),
        ("TRACE /as2", "405"),
        ("OPTIONS /as2", "405"),
        ("HEAD /as2", "200"),
        ("POST /", "404"),
        ("GET /as2/", "404"),
        ("GET /admin", "404"),
        ("CONNECT a:1", "404"),
    ];
    for (request, want) in table {
        let bytes = format!("{request} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let answer = server.talk(&[bytes.as_bytes()]).await;
        assert_eq!(status(&answer), want, "{request}: {answer:?}");
        assert!(answer.contains("content-length: "), "{request}: {answer:?}");
        assert_eq!(
            answer.contains("allow: HEAD, POST\r\n"),
            want == "405",
            "{request}"
        );
        assert!(
            !answer.to_lowercase().contains("server:"),
            "{request}: names what we run"
        );
    }
}

#[tokio::test]
async fn the_handler_speaks_for_itself_and_cannot_break_the_server() {
    let server = Server::start(short()).await;
    let from = |who: &str| {
        post(
            &format!("as2-from: {who}\r\nconnection: close\r\ncontent-length: 90000"),
            "",
        )
    };
    let busy = server.talk(&[&from("early")]).await;
    assert_eq!(status(&busy), "503");
    assert!(busy.contains("retry-after: 30\r\n"), "{busy:?}");
    assert_eq!(
        status(&server.talk(&[&from("stranger")]).await),
        "403",
        "before the body"
    );
    let injected = server.talk(&[&from("injector")]).await;
    assert_eq!(status(&injected), "500");
    assert!(
        !injected.contains("b: c"),
        "a line break in a header went out: {injected:?}"
    );
    assert_eq!(
        server.talk(&[&from("panic")]).await,
        "",
        "a panic closes its own connection"
    );
    server.is_well().await;
}

#[tokio::test]
async fn one_address_has_so_many_connections() {
    let server = Server::start(Limits {
        per_address: 1,
        ..Limits::default()
    })
    .await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first
        .write_all(&post("content-length: 1", "a"))
        .await
        .unwrap();
    let mut head = [0; 12];
    first.read_exact(&mut head).await.unwrap();
    let second = server.talk(&[]).await;
    assert_eq!(status(&second), "503");
    assert!(second.contains("Retry-After: 30"), "{second:?}");
}

#[tokio::test]
async fn shutdown_lets_a_request_finish_and_cuts_who_never_does() {
    for (finishes, drain) in [
        (true, Duration::from_secs(20)),
        (false, Duration::from_millis(100)),
    ] {
        let mut server = Server::start(Limits {
            drain,
            ..Limits::default()
        })
        .await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream
            .write_all(&post("expect: 100-continue\r\ncontent-length: 5", ""))
            .await
            .unwrap();
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).await.unwrap();
        drop(server.stop.take());
        if finishes {
            stream.write_all(b"later").await.unwrap();
            let answer = read_all(stream).await;
            assert_eq!(status(&answer), "200");
            server.running.await.unwrap();
            assert_eq!(server.kept.lock().unwrap().concat(), b"later");
        } else {
            server.running.await.unwrap();
            assert_eq!(read_all(stream).await, "");
        }
        assert!(
            TcpStream::connect(server.address).await.is_err(),
            "still listening"
        );
    }
}

#[tokio::test]
async fn the_admin_listener_tells_health_and_readiness() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let address = listener.local_addr().unwrap();
    let ready = Arc::new(Mutex::new(Ok(())));
    let asked = Arc::clone(&ready);
    let router = admin::router(move || std::future::ready(asked.lock().unwrap().clone()));
    tokio::spawn(admin::listen(
        listener,
        Limits::default(),
        router,
        std::future::pending(),
    ));
    let get = async |path: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(url(path).as_bytes()).await.unwrap();
        read_all(stream).await
    };
    assert!(get("/healthz").await.ends_with(r#"{"alive":true}"#));
    assert!(get("/readyz").await.ends_with(r#"{"ready":true}"#));
    *ready.lock().unwrap() = Err("the disk is full".to_owned());
    let not = get("/readyz").await;
    assert_eq!(status(&not), "503");
    assert!(
        not.ends_with(r#"{"ready":false,"reason":"the disk is full"}"#),
        "{not:?}"
    );
    assert_eq!(status(&get("/else").await), "404");
}

#[tokio::test]
async fn who_is_refused_may_go_on_sending_for_a_moment() {
    let server = Server::start(short()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = post("content-length: 200000", "the first bytes");
    stream.write_all(&head).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 413 "));
    // After a reset, the second of these fails, and a sender never looks at the answer.
    for more in ["more", "and more"] {
        stream.write_all(more.as_bytes()).await.unwrap();
    }
}
