//! Receipts that travel by requests of their own (rows of `mdn-async`, cases T9 to T13 and D).

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use chrono::TimeDelta;
use transload::as2::{Headers, Mdn};
use transload::store::{Direction, MessageState};

use super::wire::{
    LAX, Reply, Request, Seen, Stub, Us, day, fresh, parsed, status, stranger, their_keys, theirs,
    them,
};

const ASYNC: &str = "receipt_mode = \"async\"\n";

/// A message in clear that wants its receipt there.
fn wanting(url: &str) -> Request {
    Request::plain(b"x").also("Receipt-Delivery-Option", url)
}

/// The requests that came to a server, once there are so many.
fn came(us: &Us, stub: &Stub, count: usize) -> Vec<Seen> {
    us.until(|| Some(stub.seen()).filter(|seen| seen.len() >= count))
}

/// A receipt of ours, as the partner reads it.
fn read(seen: &Seen) -> Mdn {
    let (keys, profile) = (their_keys(), theirs());
    Mdn::read(&seen.headers, &seen.body, &keys, &profile, day()).unwrap()
}

/// Posts a receipt of the partner's.
fn post_receipt(us: &Us, (headers, body): &(Headers, Vec<u8>)) -> Reply {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    us.post(&Request {
        headers: headers.iter().map(owned).collect(),
        body: body.clone(),
    })
}

fn state(us: &Us) -> MessageState {
    us.messages(Direction::Outbound)[0].state
}

/// A gateway that waits for receipts, what it sent first, and who got it.
fn waiting() -> (Us, Seen, Stub) {
    let stub = Stub::new(|_, _| status(200));
    let us = Us::to(&stub.url, ASYNC);
    us.sent();
    let seen = stub.first();
    (us, seen, stub)
}

#[test]
fn as2_115_the_receipt_that_was_asked_for() {
    let stub = Stub::new(|_, _| status(200));
    let us = Us::to(&stub.url, LAX);
    for n in 1..=3 {
        assert_eq!(us.post(&Request::plain(b"x")).said(), "processed");
        let apart = us.post(&wanting(&stub.url));
        assert!((200..300).contains(&apart.status) && apart.body.is_empty());
        assert!(read(&came(&us, &stub, n)[n - 1]).disposition.is_positive());
    }
    // As a sender: both kinds settle.
    assert_eq!(
        Us::to(&Stub::good().url, "").sent().message.state,
        MessageState::Confirmed
    );
    let (us, seen, _stub) = waiting();
    assert_eq!(
        post_receipt(&us, &seen.mdn(Some(them()), |_| {})).status / 100,
        2
    );
    assert_eq!(state(&us), MessageState::Confirmed);
}

#[test]
fn as2_119_an_early_answer_without_a_body() {
    let stub = Stub::new(|_, _| status(200));
    let reply = Us::to(&stub.url, LAX).post(&wanting(&stub.url));
    assert_eq!((reply.status, reply.body.len()), (202, 0), "{reply:?}");
}

#[test]
fn as2_120_any_2xx_is_a_transfer_and_no_more() {
    for code in [200, 202, 204] {
        let stub = Stub::new(move |_, _| match code {
            204 => status(204),
            code => super::wire::respond(code, &Headers::new(), b"thank you"),
        });
        let sent = Us::to(&stub.url, ASYNC).sent();
        assert_eq!(sent.message.state, MessageState::Sent, "{code}");
        assert!(sent.answer.is_none());
    }
}

#[test]
fn as2_121_the_receipt_is_a_request_of_its_own() {
    let stub = Stub::new(|_, _| status(200));
    let us = Us::to(&stub.url, LAX);
    let request = wanting(&stub.url);
    assert!(us.post(&request).body.is_empty());
    let seen = came(&us, &stub, 1).remove(0);
    for name in [
        "AS2-From",
        "AS2-To",
        "AS2-Version",
        "Host",
        "Content-Type",
        "Message-ID",
    ] {
        assert_eq!(seen.count(name), 1, "{name}");
    }
    assert_eq!((seen.get("AS2-From"), seen.get("AS2-To")), ("WE", "ACME"));
    let mdn = read(&seen);
    assert!(mdn.answers(request.id()) && mdn.signature.is_some());
    assert_eq!(mdn.final_recipient.as_deref(), Some("WE"));
    assert!(!seen.head.contains("\n ") && seen.count("Disposition-Notification-To") == 0);
}

#[test]
fn as2_122_no_receipt_for_a_receipt() {
    let (us, seen, stub) = waiting();
    let (mut headers, body) = seen.mdn(Some(them()), |_| {});
    headers.push("Disposition-Notification-To", "edi@acme.example");
    headers.push("Receipt-Delivery-Option", &stub.url);
    let reply = post_receipt(&us, &(headers, body));
    assert!(
        (200..300).contains(&reply.status) && reply.body.is_empty(),
        "{reply:?}"
    );
    assert!(us.messages(Direction::Inbound).is_empty());
    assert_eq!(state(&us), MessageState::Confirmed);
}

#[test]
fn as2_123_a_receipt_for_nothing_changes_nothing() {
    let (us, seen, _stub) = waiting();
    let other = seen.mdn(Some(them()), |mdn| mdn.original_message_id = fresh());
    let mut turned = seen.mdn(Some(them()), |_| {});
    turned.0.set("AS2-From", "OTHER");
    for (receipt, due) in [(other, 200), (turned, 403)] {
        assert_eq!(post_receipt(&us, &receipt).status, due);
        assert_eq!(state(&us), MessageState::Sent);
    }
}

#[test]
fn as2_124_a_receipt_may_come_before_the_answer() {
    let address: Arc<OnceLock<SocketAddr>> = Arc::default();
    let known = Arc::clone(&address);
    let stub = Stub::new(move |_, seen| {
        let (headers, body) = seen.mdn(Some(them()), |_| {});
        let mut bytes = b"POST /as2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".to_vec();
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(&headers.to_bytes());
        bytes.extend_from_slice(&body);
        assert_eq!(
            super::wire::ask(*known.get().unwrap(), &[&bytes])[0].status / 100,
            2
        );
        status(200)
    });
    let us = Us::to(&stub.url, ASYNC);
    address.set(us.address()).unwrap();
    us.send();
    us.until(|| {
        let sent = us.messages(Direction::Outbound).into_iter().next()?;
        (sent.state == MessageState::Confirmed).then_some(())
    });
    us.later(TimeDelta::days(1));
    us.sent();
    assert_eq!(stub.seen().len(), 2, "it rests");
}

#[test]
fn as2_125_posting_a_receipt_is_tried_again() {
    let stub = Stub::new(|n, _| match n {
        0 => Vec::new(),
        1 => status(503),
        _ => status(200),
    });
    let us = Us::to(&stub.url, LAX);
    us.post(&wanting(&stub.url));
    for n in 1..=2 {
        us.failed(n);
        us.later(TimeDelta::hours(2));
    }
    let seen = came(&us, &stub, 3);
    assert_eq!(
        (&seen[1].head, &seen[1].body),
        (&seen[0].head, &seen[0].body)
    );
    assert_eq!(
        (&seen[2].head, &seen[2].body),
        (&seen[0].head, &seen[0].body)
    );
}

#[test]
fn as2_126_http_and_https_and_nothing_else() {
    let other = Stub::new(|_, _| status(200));
    let origin = other.url.trim_end_matches("/as2").to_owned();
    let us = Us::new(&format!("{LAX}receipts_to = [{origin:?}]\n"));
    us.post(&wanting(&other.url));
    assert!(
        read(&came(&us, &other, 1)[0]).disposition.is_positive(),
        "another host than theirs"
    );
    for bad in [
        "mailto:edi@acme.example",
        "ftp://127.0.0.1/x",
        "nonsense",
        "http://",
        "/as2",
    ] {
        let reply = us.post(&wanting(bad));
        let due = (403, "failed/Failure: receipt address not agreed".to_owned());
        assert_eq!((reply.status, reply.said()), due, "{bad}");
    }
    assert_eq!(us.inbox().len(), 1);
}

#[test]
fn as2_167_a_receipt_delivery_option_means_another_request() {
    let stub = Stub::new(|_, _| status(200));
    let us = Us::to(&stub.url, LAX);
    assert!(us.post(&wanting(&stub.url)).body.is_empty());
    assert_eq!(
        us.post(&wanting("")).said(),
        "processed",
        "an empty one is none"
    );
    let relative = us.post(&wanting("/as2"));
    assert!(
        relative.said().starts_with("failed/Failure"),
        "{relative:?}"
    );
    let (_us, seen, _stub) = waiting();
    assert!(
        seen.get("Receipt-Delivery-Option")
            .starts_with("http://127.0.0.1:")
    );
    let plain = Stub::good();
    Us::to(&plain.url, "").sent();
    assert_eq!(plain.first().count("Receipt-Delivery-Option"), 0);
}

#[test]
fn as2_185_a_receipt_twice_is_one() {
    let (us, seen, _stub) = waiting();
    let receipt = seen.mdn(Some(them()), |_| {});
    for _ in 0..2 {
        assert_eq!(post_receipt(&us, &receipt).status / 100, 2);
    }
    let message = us.messages(Direction::Outbound).remove(0);
    let events = us.detail(&message).events;
    let confirmed = events.iter().filter(|event| event.what == "confirmed");
    assert_eq!(
        (message.state, confirmed.count()),
        (MessageState::Confirmed, 1)
    );
}

#[test]
fn as2_229_only_an_agreed_address_is_asked() {
    let inside = Stub::new(|_, _| status(200));
    for more in [LAX, ""] {
        let us = Us::new(more);
        assert_eq!(us.post(&wanting(&inside.url)).status, 403);
        us.idle();
        assert!(us.inbox().is_empty());
    }
    assert!(inside.seen().is_empty());
}

#[test]
fn as2_case_t9_nothing_waits_for_the_receipt_to_be_posted() {
    // Nobody listens there, and the answer is there all the same.
    let us = Us::lax();
    let reply = us.post(&wanting("http://127.0.0.1:9/as2"));
    assert!((200..300).contains(&reply.status), "{reply:?}");
    assert_eq!(us.inbox(), [b"x"]);
}

#[test]
fn as2_case_t12_long_addresses_with_a_query() {
    let stub = Stub::new(|_, _| status(200));
    let us = Us::to(&stub.url, LAX);
    let path = format!("/in?partner=WE&x={}", "y".repeat(1500));
    us.post(&wanting(&stub.url.replace("/as2", &path)));
    let head = &came(&us, &stub, 1)[0].head;
    assert!(
        head.starts_with(&format!("POST {path} HTTP/1.1\r\n")),
        "{head}"
    );
    let as2 = parsed("receipts_to = [\"https://acme.example\"]").unwrap();
    assert!(
        as2.takes_receipts_at("https://acme.example:443/x"),
        "443 where none is said"
    );
}

#[test]
fn as2_case_d10_a_receipt_at_the_address_of_messages() {
    let (us, seen, _stub) = waiting();
    let unsigned = seen.mdn(None, |_| {});
    assert_eq!(post_receipt(&us, &unsigned).status / 100, 2);
    assert_eq!(
        state(&us),
        MessageState::Sent,
        "unsigned, it settles nothing"
    );
    let forged = seen.mdn(Some(stranger()), |_| {});
    assert_eq!(post_receipt(&us, &forged).status / 100, 2);
    assert_eq!(state(&us), MessageState::Sent, "forged, neither");
    post_receipt(&us, &seen.mdn(Some(them()), |_| {}));
    assert_eq!(state(&us), MessageState::Confirmed);
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_case_d11_a_receipt_that_nobody_takes() {
    let stub = Stub::new(|_, _| status(503));
    let us = Us::to(&stub.url, LAX);
    us.post(&wanting(&stub.url));
    us.failed(1);
    us.later(TimeDelta::hours(80));
    came(&us, &stub, 2);
    us.until(|| {
        let message = us.messages(Direction::Inbound).remove(0);
        (message.state == MessageState::Uncertain).then_some(())
    });
    assert_eq!(us.inbox(), [b"x"], "the payload goes its way");
}
