//! E: the same thing twice.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use chrono::TimeDelta;
use transload::as2::{Keys, Profile, sha256};
use transload::store::{
    Accepted, Answer, Arrival, Direction, Document, DocumentState, Filter, Key, Memory, Message,
    MessageState, Payload, Sqlite, Store,
};
use uuid::Uuid;

use super::{figure, often};
use crate::conformance::wire::{
    LAX, Reply, Request, Stub, Us, day, stranger, swap, their_keys, theirs,
};

/// What a partner file says of X12 and one document, after its `[as2]`.
pub(super) const ORDERS: &str = "[x12]\nours = { qualifier = \"ZZ\", id = \"WE\" }\n\
    theirs = { qualifier = \"ZZ\", id = \"ACME\" }\n[documents.850]\n";

/// An order of the partner's with this control number.
pub(super) fn order(control: u32, number: &str) -> Vec<u8> {
    format!(
        "ISA*00*          *00*          *ZZ*ACME           *ZZ*WE             *261122*1200*U*00401\
         *{control:09}*0*T*>~GS*PO*ACME*WE*20261122*1200*{control}*X*004010~ST*850*0001~\
         BEG*00*SA*{number}**20261122~PO1*1*1*EA*1**VN*X~CTT*1~SE*5*0001~GE*1*{control}~\
         IEA*1*{control:09}~"
    )
    .into_bytes()
}

fn same(one: &Reply, other: &Reply) -> bool {
    one.body == other.body
        && ["Message-ID", "Content-Type", "AS2-From", "AS2-To"]
            .iter()
            .all(|name| one.get(name) == other.get(name))
}

pub(super) fn documents(us: &Us, many: usize) -> Vec<Document> {
    us.until(|| {
        let filter = Filter {
            direction: Some(Direction::Inbound),
            limit: usize::MAX,
            ..Filter::default()
        };
        let mut found = us.wait(us.gateway().store().documents(filter)).unwrap();
        found.sort_by_key(|document| document.id);
        let done = |one: &Document| one.state != DocumentState::Read;
        (found.len() >= many && found.iter().all(done)).then_some(found)
    })
}

fn events(us: &Us, message: &Message, what: &str) -> usize {
    let events = us.detail(message).events.into_iter();
    events.filter(|event| event.what == what).count()
}

#[test]
fn e1_one_message_a_thousand_times() {
    let many = often(50, 1000);
    let us = Us::new("");
    let request = Request::sealed(b"once");
    let first = us.post(&request);
    assert_eq!(first.said(), "processed");
    let others = (1..many).filter(|_| !same(&us.post(&request), &first));
    let differ = others.count() as u64;
    assert_eq!(us.inbox(), [b"once"]);
    let copies = events(&us, &us.messages(Direction::Inbound)[0], "duplicate");
    // A history shows its last thousand events.
    assert!(copies == many - 1 || copies > 900, "{copies}");
    let told = format!("1 delivery, {} receipts equal to the first", many - 1);
    figure("E1", many as u64, differ, &told);
}

#[test]
fn e2_e11_one_message_a_hundred_times_at_once() {
    let many = 100;
    let us = Us::made(
        &[crate::conformance::wire::Relation::default().also(ORDERS)],
        |listeners, settings| {
            listeners.limits.per_address = 2 * many;
            let folder = settings.bridge.with_file_name("data");
            settings.store = Arc::new(Sqlite::open(&folder).unwrap());
        },
    );
    let request = Request::sealed(&order(1, "PO1"));
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let ask = || us.post(&request);
        let asked: Vec<_> = (0..many).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let differ = replies.iter().filter(|one| !same(one, &replies[0])).count() as u64;
    assert_eq!(replies[0].said(), "processed");
    assert_eq!(us.messages(Direction::Inbound).len(), 1);
    assert_eq!(documents(&us, 1).len(), 1);
    let told = "1 message, 1 document, 100 equal receipts";
    figure("E2", many as u64, differ, told);
    figure("E11", many as u64, differ, told);
}

#[test]
fn e3_other_content_under_a_known_id() {
    let many = 50;
    let us = Us::lax();
    let first = Request::plain(b"first");
    let answer = us.post(&first);
    for n in 0..many {
        let other = Request::plain(format!("other {n}")).set("Message-ID", first.id());
        let said = us.post(&other).said();
        let told = "processed/error: message-id reused with different content";
        assert_eq!(said, told);
    }
    assert!(same(&us.post(&first), &answer));
    assert_eq!(us.inbox(), [b"first"]);
    let noted = events(&us, &us.messages(Direction::Inbound)[0], "id reused");
    assert_eq!(noted, many);
    figure("E3", many as u64, 0, "each refused, and noted at the first");
}

#[test]
fn e4_e12_a_new_id_or_a_number_again() {
    let us = Us::new(ORDERS);
    let first = order(7, "PO7");
    // As it came, under another id; then other content under its control number.
    for (n, payload) in [&first, &first, &order(7, "PO8")].iter().enumerate() {
        assert_eq!(us.post(&Request::sealed(payload)).said(), "processed");
        documents(&us, n + 1);
    }
    let found = documents(&us, 3);
    let states: Vec<_> = found.iter().map(|one| one.state).collect();
    use DocumentState::{Delivered, Held};
    assert_eq!(states, [Delivered, Held, Held]);
    let came = us.messages(Direction::Inbound);
    assert_eq!(came[1].resend_of, Some(came[0].id), "suspected");
    assert_eq!(came[2].resend_of, None);
    figure(
        "E4",
        1,
        0,
        "taken with a positive receipt, marked, its document held",
    );
    figure(
        "E12",
        1,
        0,
        "taken with a positive receipt, its document held",
    );
}

#[test]
fn e7_spellings_of_an_id() {
    let us = Us::lax();
    let first = Request::plain(b"content").set("Message-ID", "<Case-1@acme.example>");
    let answer = us.post(&first);
    let (copy, other, none) = ("copy", "another", "none");
    let longest = format!("<{}>", "x".repeat(998));
    let longer = format!("<{}>", "x".repeat(999));
    let table = [
        ("<Case-1@acme.example>", copy),
        ("Case-1@acme.example", copy),
        ("  <Case-1@acme.example> \t", copy),
        ("<case-1@acme.example>", other),
        ("<Case-1@ACME.example>", other),
        ("<<Case-1@acme.example>>", other),
        ("<Case-1@acme.example", other),
        ("Case-1@acme.example>", other),
        ("< Case-1@acme.example>", none),
        ("<Case-1@acme.example >", none),
        ("<Case-1\t@acme.example>", none),
        ("<Case-1@acm\u{e9}.example>", none),
        ("", none),
        ("<>", none),
        (&longest, other),
        (&longer, none),
    ];
    for (id, due) in table {
        let reply = us.post(&first.clone().set("Message-ID", id));
        let said = reply.said();
        let is = match (same(&reply, &answer), said.as_str()) {
            (true, _) => copy,
            (false, "processed") => other,
            (false, "processed/error: invalid-message-id") => none,
            _ => said.as_str(),
        };
        assert_eq!(is, due, "{id}");
    }
    let told = "brackets do not count, case does, blanks and what is not ASCII are refused";
    figure("E7", table.len() as u64, 0, told);
}

/// An arrival as a store sees it.
fn arrival(number: u128, id: &str, content: &[u8]) -> Arrival {
    let payload = |bytes: &[u8]| Payload::new(Bytes::copy_from_slice(bytes), sha256(bytes));
    Arrival {
        id: Uuid::from_u128(number),
        partner: "acme".into(),
        transport: "as2".into(),
        key: Key {
            our_id: "WE".into(),
            partner_id: "ACME".into(),
            message_id: id.into(),
        },
        headers: Vec::new(),
        body: payload(content),
        content: Some(payload(content)),
        content_type: None,
        file_name: None,
        mic: None,
        answer: Some(Answer {
            status: 200,
            headers: Vec::new(),
            body: format!("receipt {number}").into(),
        }),
        answer_to: None,
        note: String::new(),
    }
}

#[test]
fn e8_a_copy_after_more_than_a_year() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Box<dyn Store>; 2] = [
        Box::new(Memory::default()),
        Box::new(Sqlite::open(folder.path()).unwrap()),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut trials = 0;
    for store in &stores {
        let accept = |number, id, days| {
            let at = day() + TimeDelta::days(days);
            runtime
                .block_on(store.accept(arrival(number, id, b"x"), at))
                .unwrap()
        };
        accept(1, "a@x", 0);
        for (number, days) in [(2, 399), (3, 401), (4, 4000)] {
            let Accepted::Duplicate { message, answer } = accept(number, "a@x", days) else {
                panic!("taken again after {days} days");
            };
            assert_eq!(message, Uuid::from_u128(1));
            assert_eq!(answer.unwrap().body, "receipt 1");
            trials += 1;
        }
    }
    figure(
        "E8",
        trials,
        0,
        "the same receipt after 399, 401 and 4000 days",
    );
}

#[test]
fn e9_nobody_takes_an_id_before_its_owner() {
    let many = often(8, 100);
    let us = Us::new("require_encrypted = false\n");
    let foreign = Keys {
        ours: vec![stranger().identity.clone()],
        ..their_keys()
    };
    let clear = Profile {
        encrypt: None,
        ..theirs()
    };
    let unsigned = Profile {
        sign: None,
        ..clear.clone()
    };
    for n in 0..many {
        let payload = format!("true {n}");
        let mine = Request::sealed(payload.as_bytes());
        let mut altered = Request::sealed_with(b"false", &their_keys(), &clear);
        altered.body = swap(&altered.body, b"false", b"fakes");
        for other in [
            Request::sealed_with(payload.as_bytes(), &their_keys(), &unsigned),
            Request::sealed_with(b"false", &foreign, &clear),
            altered,
        ] {
            let said = us.post(&other.set("Message-ID", mine.id())).said();
            assert!(said.starts_with("processed/error"), "{said}");
        }
        assert_eq!(us.post(&mine).said(), "processed");
    }
    let taken = us.inbox();
    assert!(!taken.is_empty() && taken.iter().all(|one| one.starts_with(b"true")));
    figure(
        "E9",
        many as u64,
        0,
        "three who are not the owner came before each",
    );
}

#[test]
fn e10_a_copy_that_wants_its_receipt_another_way() {
    let stub = Stub::new(|_, _| crate::conformance::wire::status(200));
    let us = Us::to(&stub.url, LAX);
    for later_first in [false, true] {
        let now = Request::plain(format!("{later_first}"));
        let later = now.clone().also("Receipt-Delivery-Option", &stub.url);
        let elsewhere = now
            .clone()
            .also("Receipt-Delivery-Option", "http://192.0.2.1/as2");
        let before = stub.seen().len();
        let order = match later_first {
            true => [&later, &now],
            false => [&now, &later],
        };
        let replies = order.map(|request| us.post(request));
        let posted = us.until(|| stub.seen().get(before).cloned());
        let (at_once, apart) = match later_first {
            true => (&replies[1], &replies[0]),
            false => (&replies[0], &replies[1]),
        };
        assert_eq!((apart.status, apart.body.len()), (202, 0));
        assert_eq!(posted.body, at_once.body, "the same signed bytes");
        assert_eq!(posted.headers.get("Message-ID"), at_once.get("Message-ID"));
        assert_eq!(
            us.post(&elsewhere).status,
            403,
            "an address that is not agreed"
        );
    }
    assert_eq!(us.inbox().len(), 2);
    figure("E10", 2, 0, "the same bytes both ways round");
}

#[test]
fn e13_a_receipt_a_hundred_times() {
    let stub = Stub::new(|_, _| crate::conformance::wire::status(200));
    let us = Us::to(&stub.url, "receipt_mode = \"async\"\n");
    us.sent();
    let (headers, body) = stub
        .first()
        .mdn(Some(crate::conformance::wire::them()), |_| {});
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let receipt = Request {
        headers: headers.iter().map(owned).collect(),
        body,
    };
    for _ in 0..100 {
        let reply = us.post(&receipt);
        assert_eq!((reply.status, reply.body.len()), (200, 0));
        let sent = &us.messages(Direction::Outbound)[0];
        assert_eq!(sent.state, MessageState::Confirmed);
    }
    let sent = us.messages(Direction::Outbound);
    assert_eq!((sent.len(), events(&us, &sent[0], "confirmed")), (1, 1));
    assert!(us.messages(Direction::Inbound).is_empty());
    figure("E13", 100, 0, "confirmed once");
}

#[test]
fn e14_among_very_many_ids() {
    // Those that have messages, and as many more as there is time for.
    let (many, more) = (500, often(20_000, 50_000_000));
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let id = |n: usize| format!("{:x}@acme.example", n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    runtime.block_on(async {
        for n in 0..many {
            let new = store
                .accept(arrival(n as u128 + 1, &id(n), b"x"), day())
                .await;
            assert!(matches!(new.unwrap(), Accepted::New { .. }));
        }
    });
    // A database that is full of other things would be written long; ids are what counts.
    let mut database = rusqlite::Connection::open(folder.path().join("transload.db")).unwrap();
    let fill = database.transaction().unwrap();
    let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1)
               INSERT INTO dedupe SELECT our_id, partner_id, printf('%016x@other.example', n), message
               FROM n, (SELECT * FROM dedupe LIMIT 1)";
    assert_eq!(fill.execute(sql, [more as i64]).unwrap(), more);
    fill.commit().unwrap();
    let mut times = Vec::new();
    for n in 0..many {
        let key = arrival(1, &id(n), b"x").key;
        let from = Instant::now();
        let found = runtime
            .block_on(store.find(Direction::Inbound, key))
            .unwrap();
        times.push(from.elapsed());
        assert_eq!(found.unwrap().id, Uuid::from_u128(n as u128 + 1));
    }
    times.sort();
    let p99 = times[times.len() * 99 / 100].as_secs_f64() * 1e3;
    let told = format!("one of {} is found in {p99:.2} ms (p99)", many + more);
    figure("E14", times.len() as u64, 0, &told);
}
