//! H: receipts that prove nothing, and addresses that nobody agreed on.

use std::net::TcpListener;

use chrono::TimeDelta;
use transload::as2::{Disposition, Headers, Mdn};
use transload::store::{Direction, MessageState};

use super::{figure, often};
use crate::conformance::forge::{self, REPORT, SIGNED};
use crate::conformance::wire::{
    LAX, Relation, Reply, Request, Seen, Stub, Us, day, our_keys, status, stranger, them,
};

const ASYNC: &str = "receipt_mode = \"async\"\n";

fn post(us: &Us, (headers, body): (Headers, Vec<u8>)) -> Reply {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    us.post(&Request {
        headers: headers.iter().map(owned).collect(),
        body,
    })
}

/// A gateway that waits for receipts, and what it sent.
fn waiting() -> (Us, Seen, Stub) {
    let stub = Stub::new(|_, _| status(200));
    let us = Us::to(&stub.url, ASYNC);
    us.sent();
    let seen = stub.first();
    (us, seen, stub)
}

fn states(us: &Us) -> Vec<MessageState> {
    let all = us.messages(Direction::Outbound).into_iter();
    all.map(|message| message.state).collect()
}

#[test]
fn h5_h6_receipts_for_other_messages() {
    let stub = Stub::new(|_, _| status(200));
    let relation = |name: &str| {
        Relation::default()
            .names("WE", name)
            .url(&stub.url)
            .more(ASYNC)
    };
    let us = Us::with(&[relation("ACME"), relation("OTHER")], 1 << 20);
    us.sent();
    let first = stub.first();
    let (mut headers, body) = first.mdn(Some(them()), |_| {});
    headers.set("AS2-From", "OTHER");
    assert_eq!(post(&us, (headers, body)).status, 200);
    assert_eq!(states(&us), [MessageState::Sent], "by another partner");
    figure("H5", 1, 0, "the message waits on");

    let replayed = first.mdn(Some(them()), |_| {});
    assert_eq!(post(&us, replayed.clone()).status, 200);
    us.sent();
    let many = 20;
    for _ in 0..many {
        post(&us, replayed.clone());
    }
    use MessageState::{Confirmed, Sent};
    assert_eq!(states(&us), [Confirmed, Sent], "an older one again");
    figure("H6", many, 0, "the newer message waits on");
}

#[test]
fn h7_forged_refusals_cancel_nothing() {
    let many = often(60, 10_000);
    let (us, seen, _stub) = waiting();
    let no = |detail: &'static str| {
        move |mdn: &mut transload::as2::MdnFields| {
            mdn.disposition = Disposition::error(detail);
        }
    };
    let unsigned = seen.mdn(None, no("unexpected-processing-error"));
    let foreign = seen.mdn(Some(stranger()), no("authentication-failed"));
    let mut altered = seen.mdn(Some(them()), |_| {});
    let text = String::from_utf8_lossy(&altered.1).replace("; processed", "; processed/error: x");
    altered.1 = text.into_bytes();
    let plain = (
        seen.mdn(None, |_| {}).0,
        b"--r\r\n\r\nfailed\r\n--r--\r\n".to_vec(),
    );
    for n in 0..many {
        let one = [&unsigned, &foreign, &altered, &plain][n % 4].clone();
        assert!(post(&us, one).status < 500);
        if n % 50 == 0 {
            assert_eq!(states(&us), [MessageState::Sent]);
        }
    }
    assert_eq!(states(&us), [MessageState::Sent], "0 cancelled");
    post(&us, seen.mdn(Some(them()), |_| {}));
    assert_eq!(states(&us), [MessageState::Confirmed]);
    figure(
        "H7",
        many as u64,
        0,
        "0 messages cancelled; the true receipt confirms afterwards",
    );
}

#[test]
fn h8_dispositions_in_every_form() {
    let many = often(400, 20_000);
    let words = [
        "automatic-action",
        "manual-action",
        "MDN-sent-automatically",
        "mdn-sent-manually",
        "/",
        ";",
        "processed",
        "PROCESSED",
        "failed",
        "error",
        "Error",
        "warning",
        "failure",
        ":",
        ",",
        " ",
        "\t",
        "decryption-failed",
        "duplicate-document",
        "authentication-failed",
        "\u{e9}",
        "=?utf-8?q?x?=",
        "(",
        ")",
        "\"",
        "\\",
        "",
        "unsupported MIC-algorithms",
        "0",
        "\r\n ",
    ];
    let mut seed = 2_463_534_242_u64;
    let mut next = |most: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % most as u64).unwrap()
    };
    let (mut positive, mut errors) = (0, 0);
    for _ in 0..many {
        let text: String = (0..next(12)).map(|_| words[next(words.len())]).collect();
        let read = Disposition::parse(&text);
        let again = Disposition::parse(&read.to_string());
        assert_eq!(again.is_positive(), read.is_positive(), "{text:?}");
        let field = format!("Disposition: {text}");
        let body = forge::signed_report(&forge::report(&["Original-Message-ID: <1@x>", &field]));
        let headers: Headers = [("Content-Type", SIGNED)].into_iter().collect();
        match Mdn::read(
            &headers,
            &body,
            &our_keys(),
            &crate::conformance::wire::lax(),
            day(),
        ) {
            Ok(mdn) if mdn.disposition.is_positive() => {
                positive += 1;
                let lower = text.to_ascii_lowercase();
                assert!(lower.contains("processed"), "{text:?} is no yes");
                assert!(!lower.contains("processed/error:"), "{text:?} is a no");
            }
            Ok(_) => {}
            Err(_) => errors += 1,
        }
    }
    let told =
        format!("{positive} read as a yes, {errors} as no receipt at all, the others as a no");
    figure("H8", many as u64, 0, &told);
}

#[test]
fn h9_receipts_without_end() {
    let (us, seen, _stub) = waiting();
    let headers = |kind: &str| {
        let mut headers = seen.mdn(None, |_| {}).0;
        headers.set("Content-Type", kind);
        headers
    };
    let parts = [b"--r\r\n\r\nx\r\n".repeat(1000), b"--r--\r\n".to_vec()].concat();
    let large = [
        b"--r\r\n\r\n".to_vec(),
        vec![b'x'; 900 << 10],
        b"\r\n--r--\r\n".to_vec(),
    ]
    .concat();
    for body in [parts, large] {
        let reply = post(&us, (headers(REPORT), body));
        assert!(reply.status < 500, "{reply:?}");
    }
    let huge = us.raw(
        &[
            b"POST /as2 HTTP/1.1\r\nHost: we\r\n".as_slice(),
            &headers(REPORT).to_bytes()[..headers(REPORT).to_bytes().len() - 2],
            b"Content-Length: 104857601\r\n\r\n",
        ]
        .concat(),
    );
    assert_eq!(huge[0].status, 413);
    assert_eq!(states(&us), [MessageState::Sent]);
    // In an answer.
    let stub = Stub::new(|_, seen| {
        let (mut headers, _) = seen.mdn(None, |_| {});
        headers.set("Content-Type", REPORT);
        let body = b"--r\r\n\r\nx\r\n".repeat(50_000);
        crate::conformance::wire::respond(200, &headers, &body)
    });
    let sent = Us::to(&stub.url, "").sent();
    assert_ne!(sent.message.state, MessageState::Confirmed);
    figure(
        "H9",
        4,
        0,
        "a thousand parts, 900 KiB, 100 MiB (413), fifty thousand parts in an answer: none settles anything",
    );
}

#[test]
fn h11_no_address_but_those_agreed_is_asked() {
    // Whoever is asked by mistake is one of these: every port that a test names is listened at.
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    let stub = Stub::new(|_, _| status(200));
    let origin = stub.url.trim_end_matches("/as2").to_owned();
    let own = origin.rsplit(':').next().unwrap().to_owned();
    let us = Us::to(&stub.url, LAX);
    let table = [
        format!("http://127.0.0.1:{port}/as2"),
        format!("http://localhost:{port}/as2"),
        format!("http://[::1]:{port}/as2"),
        format!("http://[::ffff:127.0.0.1]:{port}/as2"),
        format!("http://[::ffff:10.0.0.1]:{port}/as2"),
        format!("http://169.254.169.254/latest/meta-data"),
        format!("http://0x7f.1:{port}/as2"),
        format!("http://2130706433:{port}/as2"),
        format!("http://127.1:{port}/as2"),
        format!("http://0:{port}/as2"),
        format!("http://0177.0.0.1:{port}/as2"),
        format!("http://127.0.0.1.:{port}/as2"),
        format!("http://127.0.0.1:{own}@127.0.0.1:{port}/as2"),
        format!("{origin}@127.0.0.1:{port}/as2"),
        format!("{origin}#@127.0.0.1:{port}/as2"),
        format!("http://127.0.0.1:{port}\\@127.0.0.1:{own}/as2"),
        format!("http://user@127.0.0.1:{port}/as2"),
        format!("http://127.0.0.1:{port}%23.acme.example/as2"),
        format!("http://\u{ff11}27.0.0.1:{port}/as2"),
        format!("http://\u{2460}27.0.0.1:{port}/as2"),
        format!("https://127.0.0.1:{own}/as2"),
        format!("http://localhost:{own}/as2"),
        format!("http:/127.0.0.1:{port}/as2"),
        format!("http:127.0.0.1:{port}/as2"),
        format!("//127.0.0.1:{port}/as2"),
        format!(" http://127.0.0.1:{port}/as2"),
        format!("http://127.0.0.1:{port}/as2 {origin}"),
        "file:///etc/passwd".into(),
        "gopher://127.0.0.1/x".into(),
        "ftp://127.0.0.1/x".into(),
        "dict://127.0.0.1/x".into(),
        "jar:http://127.0.0.1!/".into(),
        "mailto:edi@acme.example".into(),
        "unix:/var/run/x".into(),
    ];
    for url in &table {
        let request = Request::plain(b"x").also("Receipt-Delivery-Option", url);
        let reply = us.post(&request);
        assert_eq!(reply.status, 403, "{url}");
        assert_eq!(
            reply.said(),
            "failed/Failure: receipt address not agreed",
            "{url}"
        );
        // Who cannot be heard for a while would not be asked for what he wants.
        us.later(TimeDelta::seconds(2));
    }
    us.idle();
    assert!(inside.accept().is_err(), "somebody came");
    assert!(stub.seen().is_empty());
    assert!(us.inbox().is_empty());
    figure(
        "H11",
        table.len() as u64,
        0,
        "0 connections; each is refused before it is looked at",
    );
}
