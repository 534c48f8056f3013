//! F: hostile HTTP by raw sockets. The crowds (F1, F2, F3, F16, F21) are here with a few; with
//! thousands they are `cargo bench --bench crowd`.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use transload::store::{Direction, Sqlite};

use super::{figure, often};
use crate::conformance::wire::{LAX, Relation, Reply, Request, Us, ask, swap};

/// A gateway that holds few connections, and waits long for a head.
fn narrow(connections: usize) -> Us {
    Us::made(&[Relation::default().more(LAX)], |listeners, _| {
        listeners.limits.connections = connections;
        listeners.limits.per_address = 10 * connections;
        listeners.limits.header_time = Duration::from_secs(600);
    })
}

fn connected(us: &Us, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(us.address()).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

#[test]
fn f1_f3_who_owes_a_head_makes_room() {
    let (places, crowd) = (20, 150);
    let us = narrow(places);
    let half = Request::plain(b"x").head("");
    for bytes in [&half[..half.len() / 2], b"", b"P"] {
        let slow: Vec<_> = (0..crowd).map(|_| connected(&us, bytes)).collect();
        for _ in 0..5 {
            assert_eq!(us.post(&Request::plain(b"x")).said(), "processed");
        }
        drop(slow);
    }
    // Who has sent a request and idles is in the same line; who is at work is not.
    let request = Request::plain(b"idle").bytes();
    let request = swap(&request, b"Connection: close\r\n", b"");
    let mut working = connected(&us, &Request::plain(b"half").head("Content-Length: 4\r\n"));
    let idle: Vec<_> = (0..crowd).map(|_| connected(&us, &request)).collect();
    assert_eq!(us.post(&Request::plain(b"x")).said(), "processed");
    working.write_all(b"half").unwrap();
    let mut answer = Vec::new();
    working.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "who is at work is cut");
    drop(idle);
}

/// A request that may be a break of the rules, and what may be answered.
struct Case {
    bytes: Vec<u8>,
    due: &'static [u16],
}

fn case(due: &'static [u16], bytes: impl AsRef<[u8]>) -> Case {
    Case {
        bytes: bytes.as_ref().to_vec(),
        due,
    }
}

/// A request with this framing and these bytes behind its head.
pub(super) fn framed(framing: &str, body: &[u8]) -> Vec<u8> {
    [Request::plain(b"").head(framing), body.to_vec()].concat()
}

/// Every case is answered once, as it may be, and leaves nothing behind; then all is well.
fn refused(row: &str, cases: &[Case], text: &str) {
    let us = Us::lax();
    for Case { bytes, due } in cases {
        let what = String::from_utf8_lossy(&bytes[..bytes.len().min(500)]).into_owned();
        let replies = ask(us.address(), &[bytes]);
        let told: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        match due {
            [] => assert_eq!(told, [0; 0], "{row}: {what:?}"),
            due => assert!(
                told.len() == 1 && due.contains(&told[0]),
                "{row}: {told:?} to {what:?}"
            ),
        }
    }
    assert!(us.inbox().is_empty(), "{row}: something was taken");
    assert_eq!(us.post(&Request::plain(b"well")).said(), "processed");
    figure(row, cases.len() as u64, 0, text);
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

#[test]
fn f4_heads_without_end() {
    let many: String = (0..20_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let wide = format!("X-Wide: {}\r\n", "y".repeat(1 << 20));
    let long = format!("POST /as2{} HTTP/1.1\r\n", "y".repeat(64 << 10));
    let plain = Request::plain(b"x").bytes();
    let cases = [
        case(&[431], framed(&many, b"")),
        case(&[431], framed(&wide, b"")),
        case(
            &[414, 431],
            swap(&plain, b"POST /as2 HTTP/1.1\r\n", long.as_bytes()),
        ),
        case(
            &[431],
            [b"POST /as2 HTTP/1.1\r\n".as_slice(), &[b'x'; 1 << 20]].concat(),
        ),
    ];
    refused("F4", &cases, "431 each, and closed");
}

#[test]
fn f5_framing_that_can_be_read_two_ways() {
    let second = Request::plain(b"smuggled").bytes();
    let behind = [b"1\r\nx\r\n0\r\n\r\n".as_slice(), &second].concat();
    let framings = [
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: 1, 2\r\n",
        "Content-Length: 1\r\nContent-Length: x\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity, chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length : 1\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
    ];
    let kept = |bytes: Vec<u8>| swap(&bytes, b"Connection: close\r\n", b"");
    let framings = framings.map(|framing| case(&[400], kept(framed(framing, &behind))));
    let mut cases = Vec::from(framings);
    let old = kept(framed(CHUNKED, &behind));
    cases.push(case(&[400], swap(&old, b"HTTP/1.1", b"HTTP/1.0")));
    refused("F5", &cases, "400 each; no second request is seen");
}

#[test]
fn f6_chunk_sizes_that_are_none() {
    let sizes = [
        "11111111111111111\r\nx",
        "FFFFFFFFFFFFFFFFF\r\nx",
        "+1\r\nx\r\n0\r\n\r\n",
        "-1\r\nx\r\n0\r\n\r\n",
        "0x1\r\nx\r\n0\r\n\r\n",
        "1g\r\nx\r\n0\r\n\r\n",
        "\r\nx\r\n0\r\n\r\n",
        "1\nx\n0\n\n",
        "1\rx\r\n0\r\n\r\n",
        "1\r\nxx\r\n0\r\n\r\n",
        "1\r\nx0\r\n\r\n",
        "1\r\nx\n0\r\n\r\n",
        "1;a\nx\r\n0\r\n\r\n",
        "1 1\r\nx\r\n0\r\n\r\n",
    ];
    let cases = sizes.map(|body| case(&[400], framed(CHUNKED, body.as_bytes())));
    refused("F6", &cases, "400 each");
}

#[test]
fn f7_extensions_and_trailers_without_end() {
    let long = format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(1 << 20));
    let often = format!("1;{}\r\nx\r\n", "e".repeat(4 << 10)).repeat(256) + "0\r\n\r\n";
    let trailer = format!("1\r\nx\r\n0\r\nT: {}\r\n\r\n", "t".repeat(1 << 20));
    let trailers = format!("1\r\nx\r\n0\r\n{}\r\n", "T: t\r\n".repeat(200_000));
    let cases =
        [long, often, trailer, trailers].map(|body| case(&[400], framed(CHUNKED, body.as_bytes())));
    refused("F7", &cases, "a mebibyte each, cut at 16 KiB: 400");
}

#[test]
fn f8_bytes_that_do_not_belong_in_a_head() {
    let sound = Request::plain(b"x").bytes();
    let mut cases = Vec::new();
    for odd in ["\r", "\n", "\0", "\x01", "\x0b", "\x7f"] {
        for (place, with) in [
            ("POST", format!("PO{odd}ST")),
            ("/as2", format!("/a{odd}s2")),
            ("HTTP/1.1", format!("HTTP/{odd}1.1")),
            ("AS2-Version", format!("AS2{odd}-Version")),
            ("AS2-Version:", format!("AS2-Version{odd}:")),
            ("edi@acme.example", format!("edi@{odd}acme.example")),
        ] {
            cases.push(case(
                &[400],
                swap(&sound, place.as_bytes(), with.as_bytes()),
            ));
        }
    }
    for (place, with) in [
        ("AS2-Version:", "AS2-Version :"),
        ("AS2-Version:", "AS2-Version\t:"),
        ("AS2-Version:", "AS2 Version:"),
        ("AS2-Version:", ":"),
        ("AS2-Version:", "AS2-Version"),
        (
            "Host: we.example\r\n",
            " folded: first\r\nHost: we.example\r\n",
        ),
        ("Host: we.example\r\n", ""),
        ("Host: we.example\r\n", "Host: a\r\nHost: b\r\n"),
        ("HTTP/1.1", "HTTP/1.1 "),
        ("HTTP/1.1", "HTTP/9.9"),
        ("HTTP/1.1", "XTTP/1.1"),
    ] {
        cases.push(case(
            &[400, 505],
            swap(&sound, place.as_bytes(), with.as_bytes()),
        ));
    }
    refused("F8", &cases, "400 each");
}

#[test]
fn f9_f20_other_methods_and_other_protocols() {
    let us = Us::lax();
    let line =
        |request: &str| format!("{request} HTTP/1.1\r\nHost: we\r\nConnection: close\r\n\r\n");
    let mut told = BTreeSet::new();
    for (request, due) in [
        ("GET /as2", 405),
        ("OPTIONS /as2", 405),
        ("OPTIONS *", 404),
        ("TRACE /as2", 405),
        ("CONNECT /as2", 405),
        ("CONNECT inside.example:22", 404),
        ("HEAD /as2", 200),
        ("GET /", 404),
    ] {
        let reply = ask(us.address(), &[line(request).as_bytes()]).remove(0);
        assert_eq!(reply.status, due, "{request}");
        assert!(reply.body.len() < 100, "{request}");
        assert!(
            !reply.head.to_ascii_lowercase().contains("server"),
            "{}",
            reply.head
        );
        told.insert(reply.body);
    }
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let names = |body: &Vec<u8>| crate::conformance::wire::find(body, version).is_some();
    assert!(!told.iter().any(names), "tells its version");
    for upgrade in ["h2c", "websocket", "TLS/1.2"] {
        let asked = Request::plain(b"x")
            .also("Upgrade", upgrade)
            .also("HTTP2-Settings", "AAMAAABk");
        let reply = us.post(&asked);
        assert_eq!(reply.status, 200, "{upgrade}: an upgrade is passed over");
    }
    let mut stream = connected(&us, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
        "{answer:?}"
    );
    figure("F9", 8, 0, "405, 404, closed; no upgrade is taken");
    figure(
        "F20",
        8,
        0,
        "fixed answers below 100 bytes that name no version",
    );
}

#[test]
fn f10_f11_f12_lengths_that_are_not_so() {
    let lengths = [
        "10995116277760",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "+5",
        "0x10",
        "1e3",
        "5 5",
        "5,5,6",
        "",
        "\u{ff15}",
    ];
    let length = |length: &&str| {
        let framing = format!("Content-Length: {length}\r\n");
        case(&[413, 400, 431], framed(&framing, b"x"))
    };
    let cases: Vec<_> = lengths.iter().map(length).collect();
    refused("F11", &cases, "413, 400 or 431 before any of it is read");
    let asks = ["1048577", "10995116277760"].map(|length| {
        let framing = format!("Expect: 100-continue\r\nContent-Length: {length}\r\n");
        case(&[413], framed(&framing, b""))
    });
    refused("F10", &asks, "413 without 100 Continue");

    let us = Us::lax();
    let mut stream = connected(&us, &framed("Content-Length: 9\r\n", b"short"));
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    assert!(us.inbox().is_empty());
    let long = swap(
        &framed("Content-Length: 4\r\n", b"longer\r\n\r\n"),
        b"Connection: close\r\n",
        b"",
    );
    let told: Vec<u16> = ask(us.address(), &[&long])
        .iter()
        .map(|one| one.status)
        .collect();
    assert_eq!(told, [200, 400], "the rest is no request");
    assert_eq!(us.inbox(), [b"long"]);
    figure(
        "F12",
        2,
        0,
        "400 to the shorter; what is behind the longer is answered with 400 and closed",
    );
}

#[test]
fn f13_a_body_that_inflates() {
    let codings = [
        "gzip",
        "deflate",
        "br",
        "zstd",
        "gzip, gzip",
        "identity, gzip",
    ];
    let bomb = vec![0x1f; 1 << 10];
    let cases = codings.map(|coding| {
        let framing = format!(
            "Content-Encoding: {coding}\r\nContent-Length: {}\r\n",
            bomb.len()
        );
        case(&[415], framed(&framing, &bomb))
    });
    refused(
        "F13",
        &cases,
        "415 each; what inflates inside a message is G19",
    );
}

#[test]
fn f15_nothing_of_theirs_becomes_a_line_of_ours() {
    let us = Us::lax();
    let heads = |reply: &Reply| {
        let names = reply.head.lines().filter_map(|line| line.split_once(':'));
        names
            .map(|(name, _)| name.to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    let usual = heads(&us.post(&Request::plain(b"x")));
    let odd = [
        "a%0d%0aX-Evil: 1",
        "a%0D%0ASet-Cookie:%20x",
        "a\\r\\nX-Evil: 1",
        "a\u{e9}\u{8a}\u{85}",
        "=?utf-8?q?=0D=0AX-Evil=3A_1?=",
        "\"; X-Evil: 1",
        "a;b,c=d",
        "${jndi:ldap://x}",
        "\tX-Evil: 1",
    ];
    let fields = [
        "Message-ID",
        "Subject",
        "AS2-From",
        "AS2-To",
        "From",
        "Disposition-Notification-To",
    ];
    for field in fields {
        for value in odd {
            let reply = us.post(&Request::plain(b"x").set(field, value));
            let names = heads(&reply);
            let unknown = names
                .iter()
                .find(|name| !usual.contains(name) && *name != "retry-after");
            assert_eq!(unknown, None, "{field}: {value}: {}", reply.head);
            let text = reply.text();
            let own_line = |line: &str| line.to_ascii_lowercase().starts_with("x-evil");
            assert!(!text.lines().any(own_line), "{field}: {text}");
            us.later(TimeDelta::seconds(2));
        }
    }
    figure(
        "F15",
        (fields.len() * odd.len()) as u64,
        0,
        "no header and no line of theirs in an answer",
    );
}

#[test]
fn f19_names_cannot_be_tried_for_long() {
    let us = Us::lax();
    let many = often(300, 10_000);
    let known = Request::plain(b"known");
    let probe = |n: usize| us.post(&known.clone().set("AS2-From", &format!("P{n}")));
    let strange = probe(0);
    let mut looked_up = 1;
    for n in 1..many {
        let reply = probe(n);
        match reply.status {
            403 => {
                assert_eq!(reply.body, strange.body, "the same for all");
                looked_up += 1;
            }
            status => assert_eq!(status, 429, "{reply:?}"),
        }
    }
    assert_eq!(looked_up, 60);
    let silent = us.post(&known);
    assert_eq!(
        (silent.status, silent.get("Retry-After")),
        (429, Some("1")),
        "whoever he asks for"
    );
    us.later(TimeDelta::seconds(60));
    assert_eq!(us.post(&known).said(), "processed");
    let told = format!("of {many} names tried at once 60 were looked up, then one a second");
    figure("F19", many as u64, 0, &told);
}

#[test]
fn f21_many_at_once() {
    let many = 64;
    let us = Us::made(&[Relation::default()], |_, settings| {
        let folder = settings.bridge.with_file_name("data");
        settings.store = Arc::new(Sqlite::open(&folder).unwrap());
    });
    let all: Vec<_> = (0..many)
        .map(|n| Request::sealed(format!("{n}").as_bytes()))
        .collect();
    std::thread::scope(|scope| {
        for request in &all {
            scope.spawn(|| {
                loop {
                    let reply = us.post(request);
                    match reply.status {
                        503 => continue,
                        200 => break assert_eq!(reply.said(), "processed"),
                        other => panic!("{other}"),
                    }
                }
            });
        }
    });
    assert_eq!(us.messages(Direction::Inbound).len(), many);
}
