//! Large messages: by file from socket to store and back, in memory that does not grow with them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use transload::as2::sha256;
use transload::gateway::{Gateway, Sent, Settings, Until};
use transload::net::client::{self, Client, Outgoing, Trust};
use transload::net::spool::{Mark, Spooled};
use transload::partner::{self, Partners};
use transload::store::{Direction, DocumentState, Filter, MessageState, Place};

use super::hostile::{Request, seal};
use super::killed::{Serve, house, watched};
use super::pair::{Kind, Pair, buyer_keys, buyer_profile, buyers_seller, identities};

/// Bytes of a large payload: half of what a listener takes, and ten times what it may hold.
const LARGE: usize = 64 << 20;
/// Growth of the server's memory that one large message may cost: a body that was held once would
/// be 64 MiB.
const GROWTH: u64 = 40 << 20;
const PATIENCE: Duration = Duration::from_secs(120);

/// An interchange of about `length` bytes in long segments, its sets of eight megabytes.
pub(super) fn interchange(control: u32, (from, to): (&str, &str), length: usize) -> Vec<u8> {
    let mut text = format!(
        "ISA*00*          *00*          *ZZ*{from:<15}*ZZ*{to:<15}*260102*0304*U*00401*{control:09}\
         *0*P*>~GS*PO*{from}*{to}*20260102*0304*{control}*X*004010~"
    )
    .into_bytes();
    let line = format!("MSG*{}~", "x".repeat(60_000));
    let lines = (8 << 20) / line.len();
    let sets = length.div_ceil(lines * line.len()).max(1);
    for set in 1..=sets {
        write!(text, "ST*864*{set:04}~").unwrap();
        (0..lines).for_each(|_| text.extend_from_slice(line.as_bytes()));
        write!(text, "SE*{}*{set:04}~", lines + 2).unwrap();
    }
    write!(text, "GE*{sets}*{control}~IEA*1*{control:09}~").unwrap();
    text
}

/// What `bytes` of a process are in memory at most, in bytes; `None` where the system does not say.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_messages_go_both_ways_chunked_and_not() {
    for chunked in [true, false] {
        let pair = Pair::agreeing(Kind::Sqlite, &format!("chunked = {chunked}\n")).await;
        let ways = [
            (
                &pair.buyer,
                "tinderbox",
                ("QUILLFEATHER", "TINDERBOX"),
                &pair.seller,
            ),
            (
                &pair.seller,
                "quillfeather",
                ("TINDERBOX", "QUILLFEATHER"),
                &pair.buyer,
            ),
        ];
        for (from, name, ids, to) in ways {
            let payload = interchange(7, ids, LARGE);
            let digest = sha256(&payload);
            let sent = from
                .gateway()
                .send_from(name, std::io::Cursor::new(payload));
            let sent = sent.await.unwrap();
            let out = from.outgoing(sent, MessageState::Confirmed).await;
            assert_eq!(out.message.content, Some(digest));
            let held = to.documents(DocumentState::Held, "864").await;
            let came = to.message_of(&held[0]).await;
            assert_eq!(came.message.content, Some(digest), "the same bytes");
            assert_eq!(came.message.body, out.message.body, "on the wire too");
            assert_eq!(came.message.mic, out.message.mic);
            let kept = to.store().payload(digest).await.unwrap().unwrap();
            assert!(kept.len() > LARGE as u64, "{}", kept.len());
            assert_eq!(std::fs::read_dir(to.store().spool()).unwrap().count(), 0);
        }
        pair.stop().await;
    }
}

/// The 997 for what came in parts: every set of it, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_many_orders_is_read_in_parts() {
    let order = String::from_utf8(super::pair::sample("demo/order.edi")).unwrap();
    let set = &order[order.find("ST*").unwrap()..order.find("GE*").unwrap()];
    let (head, tail) = (order.find("ST*").unwrap(), order.find("GE*").unwrap());
    let sets: String = (1..=600)
        .map(|n| {
            set.replace("*0001", &format!("*{n:04}"))
                .replace("7QK4M2XD", &format!("PO{n:06}"))
        })
        .collect();
    let end = order[tail..].replacen("GE*1*", "GE*600*", 1);
    let file = format!("{}{sets}{end}", &order[..head]);
    let pair = Pair::start(Kind::Sqlite).await;
    let sent = pair
        .buyer
        .gateway()
        .send("tinderbox", file.as_bytes())
        .await
        .unwrap();
    let said = pair.buyer.documents(DocumentState::Accepted, "850").await;
    assert_eq!((said[0].id, said[0].note.as_str()), (sent, "997 A"));
    let filter = Filter {
        direction: Some(Direction::Inbound),
        limit: 2000,
        ..Filter::default()
    };
    let came = pair.seller.store().documents(filter).await.unwrap();
    let mut numbers: Vec<String> = came
        .iter()
        .map(|document| document.number.clone())
        .collect();
    numbers.sort();
    let expected: Vec<String> = (1..=600).map(|n| format!("PO{n:06}")).collect();
    assert_eq!(numbers, expected);
    let within: std::collections::HashSet<_> = came.iter().map(|d| d.interchange).collect();
    assert_eq!(within.len(), 1, "one interchange");
    pair.stop().await;
}

/// A request's head, with a body of this length to come.
fn head(request: &Request, length: usize) -> String {
    let mut head = String::from("POST /as2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {length}\r\n\r\n"));
    head
}

/// The files of a folder and of those in it, with their lengths.
fn files(folder: &Path) -> Vec<u64> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(meta) if meta.is_dir() => found.extend(files(&entry.path())),
            Ok(meta) => found.push(meta.len()),
            Err(_) => {}
        }
    }
    found
}

#[test]
fn killed_while_a_large_body_comes_it_comes_again() {
    let folder = house("http://127.0.0.1:9/");
    let path = folder.path();
    let payload = interchange(7, ("QUILLFEATHER", "TINDERBOX"), LARGE);
    let request = seal(&payload, "<1@x>", &buyer_keys(), &buyer_profile());
    let half = request.body.len() / 2;

    let serve = Serve::start(path);
    let mut stream = TcpStream::connect(&serve.as2).unwrap();
    stream
        .write_all(head(&request, request.body.len()).as_bytes())
        .unwrap();
    stream.write_all(&request.body[..half]).unwrap();
    let (spool, start) = (path.join("data/spool"), Instant::now());
    while files(&spool).iter().all(|length| *length < 1 << 20) {
        assert!(start.elapsed() < PATIENCE, "nothing is spooled");
        std::thread::yield_now();
    }
    serve.kill();
    assert_eq!(
        files(&spool).len(),
        1,
        "what came is there, and nobody was answered"
    );

    let serve = Serve::start(path);
    assert_eq!(files(&spool), [0; 0], "it is swept");
    let database = Connection::open(path.join("data/transload.db")).unwrap();
    let stored: i64 = database
        .query_row("SELECT count(*) FROM message", [], |row| row.get(0))
        .unwrap();
    assert_eq!(stored, 0, "nothing was stored of it");
    drop(database);

    let before = peak(serve.child.id());
    let mut answer = Vec::new();
    serve.post(&request).read_to_end(&mut answer).unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let after = peak(serve.child.id());
    if let Some((before, after)) = before.zip(after) {
        assert!(after < before + GROWTH, "from {before} to {after} bytes");
    }
    // Body and content, each a file of its own that its row names.
    let rows: i64 = watched(
        path,
        "SELECT count(*) FROM payload WHERE bytes IS NULL HAVING count(*) = 2",
        |row| row.get(0),
    );
    assert_eq!(
        files(&path.join("data/payloads")).len(),
        usize::try_from(rows).unwrap()
    );
    assert_eq!(files(&spool), [0; 0]);

    // It comes a second time: nothing more is kept.
    let mut again = Vec::new();
    serve.post(&request).read_to_end(&mut again).unwrap();
    let body = |answer: &[u8]| {
        let start = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        answer[start..].to_vec()
    };
    assert_eq!(body(&again), body(&answer), "the stored receipt");
    assert_eq!(files(&path.join("data/payloads")).len(), 2);
    serve.kill();
}

/// A bit that the disk has turned is found before anything is signed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turned_bit_is_not_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Kind::Sqlite.open(&folder.path().join("data"));
    let seller = buyers_seller(folder.path(), "http://127.0.0.1:9/");
    let partners = Partners::new(vec![partner::parse(&seller, "seller.toml").unwrap()]).unwrap();
    let settings = Settings {
        identities: vec![identities()[0].clone()],
        ..Settings::new(store, partners, &folder.path().join("bridge"))
    };
    let gateway = Gateway::new(settings).unwrap();
    for (turned, control) in [(false, 7), (true, 8)] {
        let payload = interchange(control, ("QUILLFEATHER", "TINDERBOX"), 1 << 20);
        let sent = gateway.send("tinderbox", &payload).await.unwrap();
        let kept = gateway.store().payload(sha256(&payload)).await;
        let kept = kept.unwrap().unwrap();
        let Place::File { path, .. } = &kept.place else {
            panic!("it is kept in a file");
        };
        assert!(kept.sum.is_some());
        if turned {
            let mut bytes = payload.clone();
            bytes[1 << 19] ^= 0x10;
            std::fs::write(path, bytes).unwrap();
        }
        let walking = gateway.start_queue();
        match (turned, gateway.wait(sent, Until::Tried).await.unwrap()) {
            (false, Sent::Message(detail)) => {
                assert_eq!(detail.message.state, MessageState::Sealed);
            }
            (true, Sent::Held(why)) => assert!(why.contains("not what was stored"), "{why}"),
            (_, other) => panic!("{other:?}"),
        }
        walking.stop().await;
    }
}

/// A peer that does not take a body, and a file that is not what it was: neither waits for ever,
/// and the file is not sent to its end.
#[tokio::test]
async fn an_upload_has_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    let bytes = vec![b'x'; 32 << 20];
    std::fs::write(&file, &bytes).unwrap();
    let (len, digest) = (bytes.len() as u64, sha256(&bytes));
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", deaf.local_addr().unwrap());
    let limits = client::Limits {
        rate_window: Duration::from_millis(100),
        upload_rate: 1 << 30,
        ..client::Limits::default()
    };
    let client = Client::new(Trust::System, limits);
    let why = client
        .post(&url, &[], Outgoing::file(&file, len, digest))
        .await
        .unwrap_err();
    assert!(
        why.to_string().contains("took the body at less than"),
        "{why}"
    );
    assert!(why.retry() && !why.sent());

    let client = Client::new(Trust::System, client::Limits::default());
    let pair = Pair::start(Kind::Memory).await;
    let other = Spooled::memory_of(&b"other bytes"[..]);
    for mark in [Mark::Sha256(other.sha256().unwrap()), other.sum().into()] {
        let other = Outgoing::file(&file, len, mark).chunked(true);
        let why = client.post(&pair.seller.url(), &[], other).await;
        // The seller answers a stranger at once; who reads on finds the bytes out.
        if let Err(why) = why {
            assert!(why.to_string().contains("not what was stored"), "{why}");
            assert!(!why.retry());
        }
    }
    let gone = Outgoing::file(folder.path().join("gone"), 1, digest);
    let why = client.post(&url, &[], gone).await.unwrap_err();
    assert!(
        !why.retry() && why.to_string().contains("cannot be read"),
        "{why}"
    );
    pair.stop().await;
}
