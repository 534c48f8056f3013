//! Trying again, and what came before (rows of `retry` and `duplicate`, cases R).

use std::sync::Arc;

use chrono::TimeDelta;
use transload::as2::Disposition;
use transload::store::MessageState;

use super::wire::{LAX, Relation, Request, Stub, Us, fresh, status};

/// A server that says `first` to the first request and gives a good receipt for the second.
fn stub(first: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Stub {
    Stub::new(move |n, seen| match n {
        0 => first(),
        _ => seen.receipt(|_| {}),
    })
}

/// The state after the first try, and after one more much later.
fn two_tries(stub: &Stub) -> (MessageState, MessageState) {
    let us = Us::to(&stub.url, "");
    let document = us.send();
    let first = us.tried(document, 1).message.state;
    us.later(TimeDelta::hours(2));
    (first, us.tried(document, 2).message.state)
}

#[test]
fn as2_170_what_may_pass_is_tried_again() {
    for code in [408, 425, 429, 500, 502, 503, 504] {
        let stub = stub(move || status(code));
        assert_eq!(two_tries(&stub).1, MessageState::Confirmed, "{code}");
        assert_eq!(stub.seen().len(), 2, "{code}");
    }
    let reset = stub(Vec::new);
    assert_eq!(
        two_tries(&reset).1,
        MessageState::Confirmed,
        "no answer at all"
    );
}

#[test]
fn as2_171_each_try_is_the_same_bytes() {
    let stub = Stub::new(|n, seen| match n {
        0 | 1 => status(503),
        _ => seen.receipt(|_| {}),
    });
    let us = Us::to(&stub.url, "");
    let document = us.send();
    for tries in 1..=3 {
        us.tried(document, tries);
        us.later(TimeDelta::hours(2));
    }
    let seen = stub.seen();
    assert_eq!(seen.len(), 3);
    for again in &seen[1..] {
        assert_eq!((&again.head, &again.body), (&seen[0].head, &seen[0].body));
    }
    us.sent();
    let anew = stub.seen().pop().unwrap();
    assert_ne!(
        anew.get("Message-ID"),
        seen[0].get("Message-ID"),
        "sent anew by hand: a new id"
    );
}

#[test]
fn as2_172_what_is_confirmed_rests() {
    let stub = Stub::good();
    let us = Us::to(&stub.url, "");
    assert_eq!(us.sent().message.state, MessageState::Confirmed);
    us.later(TimeDelta::days(7));
    // What was queued later is done later.
    us.sent();
    assert_eq!(stub.seen().len(), 2);
}

#[test]
fn as2_173_a_4xx_ends_it() {
    for code in [400, 401, 403, 404, 405, 413, 415] {
        let stub = Stub::new(move |_, _| status(code));
        let us = Us::to(&stub.url, "");
        assert_eq!(us.sent().message.state, MessageState::Dead, "{code}");
        us.later(TimeDelta::days(1));
        us.sent();
        assert_eq!(stub.seen().len(), 2, "{code}: once each");
    }
}

#[test]
fn as2_175_a_signed_no_ends_it() {
    for no in [
        Disposition::failure("unsupported format"),
        Disposition::error("decryption-failed"),
    ] {
        let stub = Stub::new(move |_, seen| seen.receipt(|mdn| mdn.disposition = no.clone()));
        let us = Us::to(&stub.url, "");
        let sent = us.sent();
        assert_eq!(sent.message.state, MessageState::Refused);
        assert!(
            sent.message.note.contains(": "),
            "with its words: {}",
            sent.message.note
        );
        us.later(TimeDelta::days(1));
        us.sent();
        assert_eq!(stub.seen().len(), 2);
    }
}

#[test]
fn as2_176_an_interim_answer_decides_nothing() {
    const INTERIM: &[u8] = b"HTTP/1.1 102 Processing\r\n\r\n";
    for then in [status(503), Vec::new()] {
        let stub = stub(move || [INTERIM, &then].concat());
        let (first, second) = two_tries(&stub);
        assert_ne!(first, MessageState::Confirmed);
        assert_eq!(second, MessageState::Confirmed);
    }
}

#[test]
fn as2_177_a_receipt_that_does_not_come_is_asked_for_again() {
    let stub = stub(|| status(200));
    assert_eq!(
        two_tries(&stub),
        (MessageState::Sent, MessageState::Confirmed)
    );
    let seen = stub.seen();
    assert_eq!(seen[0].get("Message-ID"), seen[1].get("Message-ID"));
}

#[test]
fn as2_179_one_message_is_delivered_once() {
    let us = Us::new("");
    let request = Request::sealed(b"once");
    for _ in 0..3 {
        assert_eq!(us.post(&request).said(), "processed");
    }
    assert_eq!(us.inbox(), [b"once"]);
}

#[test]
fn as2_180_a_copy_gets_the_stored_receipt() {
    let us = Us::new("");
    let request = Request::sealed(b"once");
    let first = us.post(&request);
    us.later(TimeDelta::days(3));
    let again = us.post(&request);
    assert_eq!(again.body, first.body);
    assert_eq!(again.get("Message-ID"), first.get("Message-ID"));
}

#[test]
fn as2_181_copies_at_once_are_one_delivery() {
    let us = Arc::new(Us::new(""));
    let request = Arc::new(Request::sealed(b"twenty times"));
    let posts: Vec<_> = (0..20)
        .map(|_| {
            let (us, request) = (Arc::clone(&us), Arc::clone(&request));
            std::thread::spawn(move || us.post(&request))
        })
        .collect();
    let replies: Vec<_> = posts.into_iter().map(|post| post.join().unwrap()).collect();
    for reply in &replies {
        assert_eq!(reply.said(), "processed");
        assert_eq!(reply.body, replies[0].body);
    }
    assert_eq!(us.inbox(), [b"twenty times"]);
}

#[test]
fn as2_182_ids_are_a_pairs_own() {
    let relations = ["ACME", "OTHER"].map(|name| Relation::default().names("WE", name).more(LAX));
    let us = Us::with(&relations, 1 << 20);
    let id = fresh();
    for (name, payload) in [("ACME", b"a"), ("OTHER", b"b"), ("ACME", b"a")] {
        let request = Request::plain(payload)
            .set("AS2-From", name)
            .set("Message-ID", &id);
        assert_eq!(us.post(&request).said(), "processed", "{name}");
    }
    assert_eq!(us.inbox(), [b"a", b"b"]);
}

#[test]
fn as2_183_other_content_under_a_known_id_is_told() {
    let us = Us::lax();
    let first = Request::plain(b"first");
    let (id, answer) = (first.id().to_owned(), us.post(&first));
    let said = us
        .post(&Request::plain(b"second").set("Message-ID", &id))
        .said();
    assert!(said.starts_with("processed/error"), "{said}");
    assert_eq!(us.post(&first).body, answer.body, "the first is as it was");
    assert_eq!(us.inbox(), [b"first"]);
}

#[test]
fn as2_184_duplicate_document_ends_it() {
    use transload::as2::Outcome::{Error, Warning};
    for (outcome, state) in [
        (Warning, MessageState::Confirmed),
        (Error, MessageState::Uncertain),
    ] {
        let stub = Stub::new(move |_, seen| {
            seen.receipt(|mdn| {
                let detail = "duplicate-document".into();
                mdn.disposition = Disposition { outcome, detail };
            })
        });
        let us = Us::to(&stub.url, "");
        assert_eq!(us.sent().message.state, state);
        us.later(TimeDelta::days(1));
        us.sent();
        assert_eq!(stub.seen().len(), 2, "and is not sent again");
    }
}

#[test]
fn as2_case_r2_a_failed_first_try_does_not_block_the_second() {
    let us = Us::new("");
    let sound = Request::sealed(b"second try");
    let mut broken = sound.clone();
    let last = broken.body.len() - 1;
    broken.body[last] ^= 1;
    assert_eq!(
        us.post(&broken).said(),
        "processed/error: decryption-failed"
    );
    assert_eq!(us.post(&sound).said(), "processed");
    assert_eq!(us.inbox(), [b"second try"]);
}
