//! Requests, answers and connections (rows of `http`, cases T).

use std::io::{Read, Write};
use std::net::TcpStream;

use chrono::TimeDelta;
use transload::as2::{ATTACHMENTS, Headers, Profile};
use transload::store::MessageState;

use super::forge::{self, SIGNED};
use super::wire::{LAX, Relation, Request, Stub, Us, respond, status, swap, theirs};

#[test]
fn as2_001_one_post_to_the_configured_target() {
    let stub = Stub::good();
    let us = Us::to(&format!("{}/in/x?a=1&b=%20", stub.url), "");
    assert_eq!(us.sent().message.state, MessageState::Confirmed);
    assert_eq!(stub.seen().len(), 1);
    let head = stub.first().head;
    assert!(
        head.starts_with("POST /as2/in/x?a=1&b=%20 HTTP/1.1\r\n"),
        "{head}"
    );
}

#[test]
fn as2_002_one_host_header() {
    let stub = Stub::good();
    Us::to(&stub.url, "").sent();
    let seen = stub.first();
    assert_eq!(seen.count("Host"), 1);
    assert!(stub.url.contains(seen.get("Host")));
    let us = Us::lax();
    let sound = Request::plain(b"x").bytes();
    for lines in ["", "Host: a\r\nHost: b\r\n"] {
        let replies = us.raw(&swap(&sound, b"Host: we.example\r\n", lines.as_bytes()));
        assert_eq!(replies[0].status, 400, "{lines:?}");
    }
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_003_a_length_or_chunks_never_both() {
    let stub = Stub::good();
    Us::to(&stub.url, "").sent();
    let seen = stub.first();
    assert_eq!(
        (
            seen.count("Content-Length"),
            seen.count("Transfer-Encoding")
        ),
        (1, 0)
    );
    assert_eq!(seen.get("Content-Length"), seen.body.len().to_string());
}

#[test]
fn as2_004_chunks_are_read_as_a_length_is() {
    let us = Us::lax();
    for (size, extension) in [(1, ""), (7, ";a=b"), (65536, ";n=\"v\" ; w")] {
        let mut request = Request::sealed(b"ISA*chunked~");
        let fixed = us.post(&request).mdn();
        request = request.set("Message-ID", &super::wire::fresh());
        let chunked = us
            .raw(&request.chunked(size, extension))
            .pop()
            .unwrap()
            .mdn();
        assert_eq!(
            (chunked.mic, chunked.disposition),
            (fixed.mic, fixed.disposition)
        );
    }
    let trailer = Request::plain(b"T").chunked(1, "");
    let trailer = swap(&trailer, b"0\r\n\r\n", b"0\r\nX-Trailer: 1\r\n\r\n");
    assert_eq!(us.raw(&trailer)[0].said(), "processed");
    assert_eq!(us.inbox().last().unwrap(), b"T");
}

#[test]
fn as2_005_a_body_cut_short_was_not_received() {
    let us = Us::lax();
    let request = Request::plain(vec![b'x'; 1000]);
    for whole in [request.bytes(), request.chunked(100, "")] {
        let mut stream = TcpStream::connect(us.address()).unwrap();
        stream.write_all(&whole[..whole.len() - 500]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{answer}"
        );
    }
    assert!(us.inbox().is_empty());
    assert_eq!(us.post(&request).said(), "processed");
    assert_eq!(us.inbox(), [request.body]);
}

#[test]
fn as2_006_an_answer_cut_short_is_no_receipt() {
    let stub = Stub::new(|_, seen| {
        let whole = seen.receipt(|_| {});
        whole[..whole.len() - 500].to_vec()
    });
    let sent = Us::to(&stub.url, "").sent();
    assert_eq!(
        sent.message.state,
        MessageState::Sent,
        "{}",
        sent.message.note
    );
    assert!(sent.answer.is_none());
}

#[test]
fn as2_007_the_status_speaks_of_the_transfer_alone() {
    let us = Us::new("");
    let unsigned = Profile {
        sign: None,
        ..theirs()
    };
    let unsigned = Request::sealed_with(b"x", &super::wire::their_keys(), &unsigned);
    let mut garbled = Request::sealed(b"x");
    let last = garbled.body.len() - 1;
    garbled.body[last] ^= 1;
    for (request, error) in [
        (Request::sealed(b"x"), false),
        (garbled, true),
        (unsigned, true),
    ] {
        let reply = us.post(&request);
        assert_eq!((reply.status, reply.said().contains("error")), (200, error));
    }
}

#[test]
fn as2_008_errors_of_as2_are_told_with_a_2xx() {
    let us = Us::lax();
    let quiet = Request::plain(b"x").without("Disposition-Notification-To");
    let reply = us.post(&quiet);
    assert!((200..300).contains(&reply.status) && reply.body.is_empty());
    let garbage = Request::new(forge::ENVELOPED, b"0\x80garbage");
    let reply = us.post(&garbage);
    assert_eq!(
        (reply.status, reply.said().starts_with("processed/error")),
        (200, true)
    );
}

#[test]
fn as2_009_no_interim_answer_but_100() {
    let us = Us::lax();
    let sound = Request::plain(b"x").bytes();
    assert_eq!(us.raw(&sound).len(), 1, "no 102");
    let old = swap(&sound, b"HTTP/1.1", b"HTTP/1.0");
    let old = swap(&old, b"AS2-Version", b"Expect: 100-continue\r\nAS2-Version");
    let replies = us.raw(&old);
    assert_eq!((replies.len(), replies[0].status), (1, 200), "{replies:?}");
}

#[test]
fn as2_010_interim_answers_are_passed_over() {
    let stub = Stub::new(|_, seen| {
        let interim = [
            "100 Continue",
            "102 Processing",
            "103 Early Hints",
            "102 Processing",
        ];
        let interim = interim
            .map(|line| format!("HTTP/1.1 {line}\r\n\r\n"))
            .concat();
        [interim.into_bytes(), seen.receipt(|_| {})].concat()
    });
    Us::to(&stub.url, "").confirmed();
    assert_eq!(stub.seen().len(), 1);
}

#[test]
fn as2_012_connections_are_kept_or_closed() {
    // The server closes after each answer, and says so in every other one.
    let stub = Stub::new(|n, seen| {
        let whole = seen.receipt(|_| {});
        match n % 2 {
            0 => whole,
            _ => swap(&whole, b"Connection: close\r\n", b""),
        }
    });
    let us = Us::to(&stub.url, LAX);
    for _ in 0..5 {
        // A connection that was closed at the moment of its use costs one more try, no message.
        let document = us.send();
        let confirmed = (1..4).any(|tries| {
            let confirmed = us.tried(document, tries).message.state == MessageState::Confirmed;
            us.later(TimeDelta::hours(1));
            confirmed
        });
        assert!(confirmed);
    }
    let kept = Request::plain(b"x").bytes();
    let kept = swap(&kept, b"Connection: close\r\n", b"");
    let replies = us.raw(&[kept, Request::plain(b"y").bytes()].concat());
    assert_eq!(replies.len(), 2, "two on one connection");
}

#[test]
fn as2_013_too_large_is_refused_unread() {
    let us = Us::with(&[Relation::default().more(LAX)], 1000);
    let large = Request::plain(vec![b'x'; 1001]);
    assert_eq!(us.post(&large).status, 413);
    assert_eq!(us.raw(&large.chunked(100, ""))[0].status, 413);
    let head = large.head("Content-Length: 9223372036854775807\r\n");
    assert_eq!(us.raw(&head)[0].status, 413, "by what it says");
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_016_a_client_that_waits_for_100_gets_it() {
    let us = Us::lax();
    let request = Request::plain(b"waited").also("Expect", "100-continue");
    let mut stream = TcpStream::connect(us.address()).unwrap();
    stream
        .write_all(&request.head("Content-Length: 6\r\n"))
        .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"waited").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(super::wire::replies(&answer)[0].said(), "processed");
    let elsewhere = swap(&request.head("Content-Length: 6\r\n"), b"/as2 ", b"/no ");
    assert_eq!(us.raw(&elsewhere)[0].status, 404, "a final answer first");
}

#[test]
fn as2_017_other_methods_are_not_allowed() {
    let us = Us::lax();
    for method in ["GET", "PUT", "DELETE"] {
        let line = format!("{method} /as2 HTTP/1.1");
        let request = swap(
            &Request::plain(b"x").bytes(),
            b"POST /as2 HTTP/1.1",
            line.as_bytes(),
        );
        let reply = us.raw(&request).remove(0);
        assert_eq!(reply.status, 405, "{method}");
        assert!(reply.get("Allow").unwrap().contains("POST"));
    }
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_018_nothing_written_is_folded() {
    let (ours, long) = ("w".repeat(128), format!("a {}", "x".repeat(126)));
    let stub = Stub::good();
    let relation = Relation::default()
        .names(&ours, &long)
        .url(&stub.url)
        .more(LAX);
    let us = Us::with(&[relation], 1 << 20);
    us.sent();
    let request = Request::plain(b"x").set("AS2-To", &ours);
    let reply = us.post(&request.set("AS2-From", &format!("\"{long}\"")));
    let inside = reply.text();
    assert!(
        !inside.contains("\r\n ") && !inside.contains("\r\n\t"),
        "nor in a part: {inside}"
    );
    for head in [stub.first().head, reply.head] {
        assert!(head.contains(&ours));
        assert!(!head.contains("\n ") && !head.contains("\n\t"), "{head}");
    }
}

#[test]
fn as2_019_folded_headers_are_understood_or_refused() {
    let us = Us::lax();
    let options = "signed-receipt-protocol=optional,\r\n pkcs7-signature;\r\n\
                   \tsigned-receipt-micalg=optional, sha-256";
    let folded = Request::plain(b"x").set("Disposition-Notification-Options", options);
    let reply = us.post(&folded);
    assert!(reply.mdn().signature.is_some(), "{reply:?}");
    // In an answer, too.
    let stub = Stub::new(|_, seen| {
        swap(
            &seen.receipt(|_| {}),
            b"micalg=sha-256; boundary",
            b"micalg=sha-256;\r\n\tboundary",
        )
    });
    Us::to(&stub.url, "").confirmed();
}

#[test]
fn as2_020_header_names_in_any_case_but_without_a_blank() {
    let us = Us::lax();
    let request = Request::plain(b"x");
    for change in [str::to_lowercase, str::to_uppercase] as [fn(&str) -> String; 2] {
        let mut request = request.clone().set("Message-ID", &super::wire::fresh());
        for (name, value) in &mut request.headers {
            (*name, *value) = (change(name), format!("  {value} \t"));
        }
        assert_eq!(us.post(&request).said(), "processed");
    }
    let spaced = swap(&request.bytes(), b"AS2-From:", b"AS2-From :");
    assert_eq!(us.raw(&spaced)[0].status, 400);
}

#[test]
fn as2_227_what_grows_is_bounded() {
    let us = Us::lax();
    let bomb = forge::x12(&vec![b' '; 24 << 20]);
    let bomb = forge::compressed(forge::Rule::Der, false, &bomb);
    assert_eq!(
        us.says(forge::COMPRESSED, &bomb),
        "processed/error: decompression-failed"
    );
    let mut nested = forge::x12(b"x");
    for _ in 0..100 {
        nested = forge::cms_entity(
            forge::COMPRESSED,
            &forge::compressed(forge::Rule::Der, false, &nested),
        );
    }
    let body = &nested[super::wire::find(&nested, b"\r\n\r\n").unwrap() + 4..];
    assert!(
        us.says(forge::COMPRESSED, body)
            .starts_with("processed/error")
    );
    let related = |parts: usize| {
        let body = [b"--b\r\n\r\nx\r\n".repeat(parts), b"--b--\r\n".to_vec()].concat();
        us.says("multipart/related; boundary=b", &body)
    };
    assert_eq!(related(ATTACHMENTS), "processed");
    assert!(related(ATTACHMENTS + 1).starts_with("processed/error"));
    let wide = Request::plain(b"x").also("X-Wide", &"x".repeat(100_000));
    assert_eq!(us.post(&wide).status, 431);
    assert_eq!(us.inbox().len(), 1);
}

#[test]
fn as2_228_framing_that_can_be_read_two_ways_is_refused() {
    let us = Us::lax();
    let request = Request::plain(b"x");
    let second = Request::plain(b"smuggled").bytes();
    for framing in [
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 1, 2\r\n",
        "Content-Length: 0x1\r\n",
    ] {
        let head = swap(&request.head(framing), b"Connection: close\r\n", b"");
        let replies = us.raw(&[&head[..], b"1\r\nx\r\n0\r\n\r\n", &second].concat());
        assert_eq!(
            (replies.len(), replies[0].status),
            (1, 400),
            "{framing}: {replies:?}"
        );
    }
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_case_t4_content_lengths() {
    let us = Us::lax();
    let post = |framing: &str| us.raw(&[Request::plain(b"x").head(framing), b"x".into()].concat());
    assert_eq!(
        post("Content-Length: 0001\r\n")[0].status,
        200,
        "leading zeros"
    );
    let twice = post("Content-Length: 1\r\nContent-Length: 1\r\n");
    assert_eq!(twice[0].status, 200, "equal ones are one");
    for more in ["3000000000", "2147483648", "9223372036854775807"] {
        assert_eq!(
            post(&format!("Content-Length: {more}\r\n"))[0].status,
            413,
            "{more}"
        );
    }
    assert_eq!(
        post("Content-Length: 99999999999999999999\r\n")[0].status,
        400
    );
}

#[test]
fn as2_case_t5_a_packet_for_each_byte() {
    let us = Us::lax();
    let bytes = Request::plain(b"in pieces").bytes();
    let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(us.pieces(&pieces)[0].said(), "processed");
    assert_eq!(us.inbox(), [b"in pieces"]);
}

#[test]
fn as2_case_t8_any_2xx_is_received_and_none_is_a_receipt() {
    for code in [200, 202, 204, 299] {
        let stub = Stub::new(move |_, _| status(code));
        let none = Us::to(&stub.url, "receipt = \"none\"\n").sent();
        assert_eq!(none.message.state, MessageState::Confirmed, "{code}");
        let signed = Us::to(&stub.url, "").sent();
        assert_eq!(
            signed.message.state,
            MessageState::Sent,
            "{code}: to be tried again"
        );
    }
}

#[test]
fn as2_case_t10_a_receipt_has_its_length() {
    let us = Us::lax();
    let reply = us.post(&Request::plain(b"x"));
    assert_eq!(
        reply.get("Content-Length").unwrap(),
        reply.body.len().to_string()
    );
    assert!(reply.get("Transfer-Encoding").is_none());
}

#[test]
fn as2_case_t11_head_is_answered() {
    let us = Us::lax();
    let request = b"HEAD /as2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let reply = us.raw(request).remove(0);
    assert_eq!(
        (reply.status, reply.get("Content-Length")),
        (200, Some("0"))
    );
}

#[test]
fn as2_case_t15_types_and_names_in_any_case() {
    let us = Us::lax();
    let body = forge::signed(&forge::x12(b"x"));
    let body = swap(
        &body,
        b"application/pkcs7-signature",
        b"Application/PKCS7-Signature",
    );
    let kind = "Multipart/Signed ; MICALG=SHA-256; Boundary = b; \
                PROTOCOL=\"Application/pkcs7-signature\"";
    assert_eq!(us.says(kind, &body), "processed");
}

#[test]
fn as2_case_t16_credentials_that_nobody_asked_for() {
    let us = Us::lax();
    let request = Request::plain(b"x").also("Authorization", "Basic eDp5");
    assert_eq!(us.post(&request).said(), "processed");
}

#[test]
fn as2_case_t17_a_transfer_encoding_that_is_not_true() {
    let us = Us::lax();
    let signed = forge::cms_entity(SIGNED, &forge::signed(&forge::x12(b"x")));
    let cms = forge::Enveloped::default().for_us(&signed);
    let base64 = forge::base64(&cms);
    for body in [cms, base64.into_bytes()] {
        let claimed = Request::new(forge::ENVELOPED, body);
        let reply = us.post(&claimed.also("Content-Transfer-Encoding", "base64"));
        assert_eq!(reply.said(), "processed");
    }
    // We never write it on HTTP.
    let stub = Stub::good();
    Us::to(&stub.url, "").sent();
    assert_eq!(stub.first().count("Content-Transfer-Encoding"), 0);
}

#[test]
fn as2_case_t18_headers_repeated_in_the_body() {
    let us = Us::lax();
    let cms = forge::Enveloped::default().for_us(&forge::x12(b"twice"));
    let body = forge::entity(
        &[
            "Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data",
            "Content-Transfer-Encoding: base64",
        ],
        forge::base64(&cms).as_bytes(),
    );
    assert_eq!(us.says("application/pkcs7-mime", &body), "processed");
    assert_eq!(us.inbox(), [b"twice"]);
}

#[test]
fn as2_117_a_receipt_in_any_framing() {
    for framing in 0..3 {
        let stub = Stub::new(move |_, seen| {
            let (mut headers, body) = seen.mdn(Some(super::wire::them()), |_| {});
            match framing {
                0 => respond(200, &headers, &body),
                1 => {
                    headers.push("Transfer-Encoding", "chunked");
                    let chunks = body.chunks(100).map(|chunk| {
                        [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()
                    });
                    let chunks: Vec<u8> = chunks.collect::<Vec<_>>().concat();
                    let head = [b"HTTP/1.1 200 OK\r\n".to_vec(), headers.to_bytes()].concat();
                    [head, chunks, b"0\r\n\r\n".to_vec()].concat()
                }
                _ => [b"HTTP/1.1 200 OK\r\n".to_vec(), headers.to_bytes(), body].concat(),
            }
        });
        let sent = Us::to(&stub.url, "").sent();
        assert_eq!(
            sent.message.state,
            MessageState::Confirmed,
            "{framing}: {:?}",
            sent.events
        );
    }
}

#[test]
fn as2_116_what_is_no_receipt_does_not_count() {
    let page: Headers = [("Content-Type", "text/html")].into_iter().collect();
    for body in [&b""[..], b"<html>thank you</html>"] {
        let answer = respond(200, &page, body);
        let stub = Stub::new(move |_, _| answer.clone());
        assert_eq!(
            Us::to(&stub.url, "").sent().message.state,
            MessageState::Sent
        );
    }
    let other = Stub::new(|_, seen| seen.receipt(|mdn| mdn.original_message_id = "<o@x>".into()));
    assert_eq!(
        Us::to(&other.url, "").sent().message.state,
        MessageState::Sent
    );
}
