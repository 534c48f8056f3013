//! One suite for every store: what [`Store`] promises, each promise a function.
//!
//! A store joins with `conformance!(open)`, where `open()` gives an `Arc<dyn Store>` and a guard
//! that lives as long as the test.

use std::sync::Arc;
use std::time::Duration;

use super::*;

/// Makes a test of every promise.
macro_rules! conformance {
    ($open:path) => {
        $crate::store::suite::conformance! { $open:
            a_new_message_is_whole
            a_copy_gets_the_stored_answer
            one_of_many_copies_is_new
            an_id_for_other_content_is_reused
            a_refused_message_comes_anew
            the_same_content_under_another_id_seems_resent
            a_large_payload_comes_back
            an_answer_leaves_once
            a_message_becomes_documents
            a_repeated_control_number_is_held
            a_reading_is_all_or_nothing
            a_lost_lease_finishes_nothing
            a_lease_that_is_kept_is_not_lost
            a_retry_waits_for_its_time
            three_deaths_set_aside
            partners_take_turns
            a_draft_is_stored_once
            a_refusal_to_compose_uses_no_number
            after_the_last_number_comes_one
            numbers_count_by_pair
            a_document_goes_out_and_is_accepted
            documents_share_an_interchange
            a_late_receipt_revives
            an_error_receipt_fails_the_documents
            the_dead_fail_their_documents
            a_delivery_ends_and_the_business_speaks
            lists_filter
            what_is_not_there_is_missing
            closed_is_closed
        }
    };
    ($open:path: $($promise:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let (store, _guard) = $open();
                $crate::store::suite::$promise(store).await;
            }
        )*
    };
}
pub(super) use conformance;

type Subject = Arc<dyn Store>;

const LEASE: Duration = Duration::from_secs(30);

/// The n-th id.
pub(super) fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// `seconds` after an arbitrary moment.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

/// Bytes under a digest that is theirs alone; the store does not look inside.
pub(super) fn payload(text: &str) -> Payload {
    let mut digest = [0; 32];
    text.bytes()
        .enumerate()
        .for_each(|(n, byte)| digest[n % 32] ^= byte.rotate_left(n as u32 / 32));
    digest[31] ^= text.len() as u8;
    Payload {
        bytes: Bytes::copy_from_slice(text.as_bytes()),
        digest,
    }
}

pub(super) fn key(message_id: &str) -> Key {
    Key {
        our_id: "US".into(),
        partner_id: "THEM".into(),
        message_id: message_id.into(),
    }
}

pub(super) fn answer(text: &str) -> Answer {
    let headers = vec![("Content-Type".into(), "multipart/report; b=1".into())];
    Answer {
        status: 200,
        headers,
        body: Bytes::copy_from_slice(text.as_bytes()),
    }
}

pub(super) fn arrival(n: u128, message_id: &str, content: &str) -> Arrival {
    Arrival {
        id: id(n),
        partner: "acme".into(),
        transport: "as2".into(),
        key: key(message_id),
        headers: vec![
            ("AS2-From".into(), "THEM".into()),
            ("X".into(), "\"ä\"".into()),
        ],
        body: payload(&format!("sealed {content}")),
        content: Some(payload(content)),
        mic: Some("abc=, sha-256".into()),
        answer: Some(answer(&format!("mdn {n}"))),
        note: "signed, encrypted".into(),
    }
}

pub(super) fn new_document(n: u128, state: DocumentState) -> NewDocument {
    NewDocument {
        id: id(n),
        kind: "purchase_order".into(),
        set: "850".into(),
        number: format!("PO{n}"),
        key: None,
        group_control: None,
        set_control: None,
        content: format!("{{\"number\":\"PO{n}\"}}"),
        findings: "[]".into(),
        state,
    }
}

pub(super) fn new_interchange(
    n: u128,
    control: &str,
    documents: Vec<NewDocument>,
) -> NewInterchange {
    NewInterchange {
        id: id(n),
        pair: "ZZTHEM/ZZUS".into(),
        control: control.into(),
        verdict: "{}".into(),
        documents,
    }
}

pub(super) fn envelope(n: u128) -> Envelope {
    Envelope {
        id: id(n),
        pair: "ZZUS/ZZTHEM".into(),
        groups: 1,
    }
}

/// Puts these documents into one group, as sets 1, 2 …
pub(super) fn composing(documents: Vec<u128>) -> Compose {
    Box::new(move |numbers| {
        let place = |(n, document): (usize, &u128)| Placed {
            document: id(*document),
            group_control: numbers.groups[0].to_string(),
            set_control: format!("{:04}", n + 1),
        };
        Ok(Composed {
            payload: payload(&format!("ISA*{:09}~", numbers.interchange)),
            documents: documents.iter().enumerate().map(place).collect(),
        })
    })
}

pub(super) fn sealed(n: u128, message_id: &str) -> Sealed {
    Sealed {
        id: id(n),
        transport: "as2".into(),
        key: key(message_id),
        headers: vec![("AS2-To".into(), "THEM".into())],
        body: payload(&format!("wire {message_id}")),
        mic: Some("def=, sha-256".into()),
        note: "signed".into(),
    }
}

pub(super) fn receipt(confirmed: bool) -> Receipt {
    Receipt {
        confirmed,
        answer: Some(answer("their mdn")),
        note: "processed".into(),
    }
}

/// Claims the one due piece of work of a kind.
async fn one(store: &Subject, kind: WorkKind, now: i64) -> Work {
    let mut work = store.claim(&[kind], 9, LEASE, at(now)).await.unwrap().work;
    assert_eq!(work.len(), 1, "one piece of work to {kind}");
    work.remove(0)
}

async fn none(store: &Subject, kind: WorkKind, now: i64) {
    let work = store.claim(&[kind], 9, LEASE, at(now)).await.unwrap().work;
    assert_eq!(work, [], "no work to {kind}");
}

async fn state_of(store: &Subject, document: u128) -> DocumentState {
    store
        .document(id(document))
        .await
        .unwrap()
        .unwrap()
        .document
        .state
}

async fn message_state(store: &Subject, message: u128) -> MessageState {
    store
        .message(id(message))
        .await
        .unwrap()
        .unwrap()
        .message
        .state
}

/// Accepts a message, and reads one order in it: message 1, interchange 10, document 100.
async fn order_read(store: &Subject) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let work = one(store, WorkKind::Read, 0).await;
    let document = new_document(100, DocumentState::Read);
    let interchanges = vec![new_interchange(10, "000000007", vec![document])];
    let reading = Reading {
        interchanges,
        ..Reading::default()
    };
    store.read(work.lease, reading, at(1)).await.unwrap();
}

/// Drafts a document, composes it as interchange 20 and seals it as message 2, `out@us`.
async fn sealed_out(store: &Subject, document: u128) {
    let draft = Draft {
        partner: "acme".into(),
        document: new_document(document, DocumentState::Drafted),
    };
    assert_eq!(store.draft(draft, at(0)).await.unwrap(), Drafted::New);
    let work = one(store, WorkKind::Compose, 0).await;
    store
        .compose(work.lease, envelope(20), composing(vec![document]), at(1))
        .await
        .unwrap();
    let work = one(store, WorkKind::Seal, 1).await;
    assert_eq!(work.subject, id(20));
    store
        .seal(work.lease, sealed(2, "out@us"), at(2))
        .await
        .unwrap();
}

pub(super) async fn a_new_message_is_whole(store: Subject) {
    let sent = arrival(1, "m1", "order");
    let accepted = store.accept(sent.clone(), at(0)).await.unwrap();
    assert_eq!(accepted, Accepted::New { resend_of: None });
    let detail = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!(detail.message.state, MessageState::Received);
    assert_eq!(detail.message.direction, Direction::Inbound);
    assert_eq!(detail.message.key, sent.key);
    assert_eq!(detail.message.mic, sent.mic);
    assert_eq!(
        (detail.message.created, detail.message.updated),
        (at(0), at(0))
    );
    assert_eq!((detail.headers, detail.answer), (sent.headers, sent.answer));
    assert_eq!(detail.events.len(), 1);
    let body = store.payload(detail.message.body).await.unwrap();
    assert_eq!(body.unwrap(), "sealed order");
    let content = store
        .payload(detail.message.content.unwrap())
        .await
        .unwrap();
    assert_eq!(content.unwrap(), "order");
    let work = one(&store, WorkKind::Read, 0).await;
    assert_eq!((work.subject, work.partner.as_str()), (id(1), "acme"));
    assert_eq!(
        store
            .find(Direction::Inbound, key("m1"))
            .await
            .unwrap()
            .unwrap()
            .id,
        id(1)
    );
    assert_eq!(
        store.find(Direction::Outbound, key("m1")).await.unwrap(),
        None
    );
    assert_eq!(
        store.find(Direction::Inbound, key("M1")).await.unwrap(),
        None
    );
}

pub(super) async fn a_copy_gets_the_stored_answer(store: Subject) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let mut copy = arrival(2, "m1", "order");
    copy.body = payload("sealed otherwise");
    let accepted = store.accept(copy, at(9)).await.unwrap();
    let answer = Some(answer("mdn 1"));
    assert_eq!(
        accepted,
        Accepted::Duplicate {
            message: id(1),
            answer
        }
    );
    assert_eq!(store.message(id(2)).await.unwrap(), None);
    assert_eq!(
        store.message(id(1)).await.unwrap().unwrap().events[1].what,
        "duplicate"
    );
    one(&store, WorkKind::Read, 9).await;
}

pub(super) async fn one_of_many_copies_is_new(store: Subject) {
    let copies = (1..=64).map(|n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            store
                .accept(arrival(n, "m1", "order"), at(0))
                .await
                .unwrap()
        })
    });
    let (mut new, mut answers) = (0, Vec::new());
    for copy in copies.collect::<Vec<_>>() {
        match copy.await.unwrap() {
            Accepted::New { .. } => new += 1,
            Accepted::Duplicate { answer, .. } => answers.push(answer),
            reused => panic!("{reused:?}"),
        }
    }
    assert_eq!(new, 1);
    let first = &store.messages(Filter::default()).await.unwrap()[0];
    let stored = store.message(first.id).await.unwrap().unwrap().answer;
    assert!(answers.iter().all(|answer| *answer == stored));
    one(&store, WorkKind::Read, 0).await;
}

pub(super) async fn an_id_for_other_content_is_reused(store: Subject) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let accepted = store
        .accept(arrival(2, "m1", "another"), at(1))
        .await
        .unwrap();
    assert_eq!(accepted, Accepted::Reused { message: id(1) });
    store
        .refuse(arrival(2, "m1", "another"), at(1))
        .await
        .unwrap();
    assert_eq!(
        store
            .find(Direction::Inbound, key("m1"))
            .await
            .unwrap()
            .unwrap()
            .id,
        id(1)
    );
    assert_eq!(message_state(&store, 2).await, MessageState::Refused);
    one(&store, WorkKind::Read, 1).await;
}

pub(super) async fn a_refused_message_comes_anew(store: Subject) {
    store
        .refuse(
            Arrival {
                content: None,
                ..arrival(1, "m1", "order")
            },
            at(0),
        )
        .await
        .unwrap();
    assert_eq!(
        store.find(Direction::Inbound, key("m1")).await.unwrap(),
        None
    );
    none(&store, WorkKind::Read, 0).await;
    let accepted = store
        .accept(arrival(2, "m1", "order"), at(1))
        .await
        .unwrap();
    assert_eq!(accepted, Accepted::New { resend_of: None });
    let history = store.messages(Filter::default()).await.unwrap();
    assert_eq!(
        history.iter().map(|row| row.id).collect::<Vec<_>>(),
        [id(2), id(1)]
    );
    let unopened = Arrival {
        content: None,
        ..arrival(3, "m3", "order")
    };
    assert_eq!(
        store.accept(unopened, at(2)).await.unwrap_err().kind(),
        Kind::Invalid
    );
}

pub(super) async fn the_same_content_under_another_id_seems_resent(store: Subject) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let other = Arrival {
        partner: "other".into(),
        ..arrival(2, "m2", "order")
    };
    assert_eq!(
        store.accept(other, at(1)).await.unwrap(),
        Accepted::New { resend_of: None }
    );
    let again = store
        .accept(arrival(3, "m3", "order"), at(2))
        .await
        .unwrap();
    assert_eq!(
        again,
        Accepted::New {
            resend_of: Some(id(1))
        }
    );
    assert_eq!(
        store
            .message(id(3))
            .await
            .unwrap()
            .unwrap()
            .message
            .resend_of,
        Some(id(1))
    );
    let late = at(3) + DUPLICATE_WINDOW;
    let late = store.accept(arrival(4, "m4", "order"), late).await.unwrap();
    assert_eq!(late, Accepted::New { resend_of: None });
}

pub(super) async fn a_large_payload_comes_back(store: Subject) {
    let large = "ISA*".repeat(50_000);
    let message = arrival(1, "m1", &large);
    let digest = message.content.as_ref().unwrap().digest;
    store.accept(message, at(0)).await.unwrap();
    assert_eq!(store.payload(digest).await.unwrap().unwrap(), large);
    assert_eq!(store.payload([9; 32]).await.unwrap(), None);
}

pub(super) async fn an_answer_leaves_once(store: Subject) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    store.answered(id(1), at(1)).await.unwrap();
    store.answered(id(1), at(2)).await.unwrap();
    let detail = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!(detail.message.state, MessageState::Answered);
    assert_eq!(detail.message.updated, at(1));
    assert_eq!(detail.message.note, "signed, encrypted");
    assert_eq!(detail.events.len(), 2);
}

pub(super) async fn a_message_becomes_documents(store: Subject) {
    store
        .accept(arrival(1, "m1", "orders"), at(0))
        .await
        .unwrap();
    let work = one(&store, WorkKind::Read, 0).await;
    let states = [
        DocumentState::Read,
        DocumentState::Rejected,
        DocumentState::Settled,
    ];
    let sets = states
        .iter()
        .zip(100..)
        .map(|(state, n)| new_document(n, *state))
        .collect();
    let reading = Reading {
        interchanges: vec![new_interchange(10, "000000007", sets)],
        drafts: vec![new_document(200, DocumentState::Drafted)],
        note: "3 sets".into(),
        ..Reading::default()
    };
    let recorded = store.read(work.lease, reading, at(1)).await.unwrap();
    assert_eq!(recorded, Recorded::default());
    none(&store, WorkKind::Read, 99).await;
    assert_eq!(one(&store, WorkKind::Deliver, 1).await.subject, id(100));
    assert_eq!(one(&store, WorkKind::Compose, 1).await.subject, id(200));
    let detail = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!(detail.interchanges[0].control, "000000007");
    assert_eq!(detail.interchanges[0].message, Some(id(1)));
    let found: Vec<_> = detail
        .documents
        .iter()
        .map(|row| (row.id, row.state))
        .collect();
    assert_eq!(
        found,
        [
            (id(100), states[0]),
            (id(101), states[1]),
            (id(102), states[2])
        ]
    );
    assert_eq!(detail.events.len(), 5);
    let (interchange, documents) = store.interchange(id(10)).await.unwrap().unwrap();
    assert_eq!(
        (interchange, documents),
        (detail.interchanges[0].clone(), detail.documents)
    );
    let document = store.document(id(100)).await.unwrap().unwrap();
    assert_eq!(document.content, "{\"number\":\"PO100\"}");
    assert_eq!(document.findings, "[]");
}

pub(super) async fn a_repeated_control_number_is_held(store: Subject) {
    order_read(&store).await;
    let policies = [(2, OnDuplicate::Hold), (3, OnDuplicate::Pass)];
    for (n, on_duplicate) in policies {
        store
            .accept(arrival(n, &format!("m{n}"), &format!("order {n}")), at(2))
            .await
            .unwrap();
        let work = one(&store, WorkKind::Read, 2).await;
        let document = new_document(100 + n, DocumentState::Read);
        let interchanges = vec![new_interchange(10 + n, "000000007", vec![document])];
        let reading = Reading {
            interchanges,
            on_duplicate,
            ..Reading::default()
        };
        let recorded = store.read(work.lease, reading, at(2)).await.unwrap();
        assert_eq!(recorded.duplicates, [(id(10 + n), id(10))]);
    }
    assert_eq!(state_of(&store, 102).await, DocumentState::Held);
    assert_eq!(state_of(&store, 103).await, DocumentState::Read);
    let (interchange, _) = store.interchange(id(12)).await.unwrap().unwrap();
    assert_eq!(interchange.duplicate_of, Some(id(10)));
    let due = store
        .claim(&[WorkKind::Deliver], 9, LEASE, at(3))
        .await
        .unwrap()
        .work;
    assert_eq!(
        due.iter().map(|work| work.subject).collect::<Vec<_>>(),
        [id(100), id(103)]
    );
}

pub(super) async fn a_reading_is_all_or_nothing(store: Subject) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let work = one(&store, WorkKind::Read, 0).await;
    let documents =
        [DocumentState::Read, DocumentState::Sent].map(|state| new_document(100, state));
    let interchanges = vec![new_interchange(10, "000000007", documents.to_vec())];
    let reading = Reading {
        interchanges,
        ..Reading::default()
    };
    let error = store.read(work.lease, reading, at(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(store.document(id(100)).await.unwrap(), None);
    assert_eq!(store.interchange(id(10)).await.unwrap(), None);
    store
        .read(work.lease, Reading::default(), at(1))
        .await
        .unwrap();
}

pub(super) async fn a_lost_lease_finishes_nothing(store: Subject) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let slow = one(&store, WorkKind::Read, 0).await;
    none(&store, WorkKind::Read, 29).await;
    let fast = one(&store, WorkKind::Read, 30).await;
    assert_ne!(slow.lease, fast.lease);
    let error = store
        .read(slow.lease, Reading::default(), at(31))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Stale, Retry::Never));
    let stale = |result: Result<(), Error>| assert_eq!(result.unwrap_err().kind(), Kind::Stale);
    stale(store.extend(slow.lease, at(99)).await);
    stale(store.retry(slow.lease, at(99), "slow".into(), at(31)).await);
    stale(
        store
            .bury(slow.lease, Aside::Quarantined, "slow".into(), at(31))
            .await,
    );
    store
        .read(fast.lease, Reading::default(), at(31))
        .await
        .unwrap();
    stale(store.retry(fast.lease, at(99), "done".into(), at(31)).await);
    assert_eq!(message_state(&store, 1).await, MessageState::Received);
}

pub(super) async fn a_lease_that_is_kept_is_not_lost(store: Subject) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let work = one(&store, WorkKind::Read, 0).await;
    store.extend(work.lease, at(60)).await.unwrap();
    none(&store, WorkKind::Read, 59).await;
    let wrong = store
        .delivered(work.lease, DocumentState::Delivered, String::new(), at(59))
        .await;
    assert_eq!(wrong.unwrap_err().kind(), Kind::Invalid);
    store
        .read(work.lease, Reading::default(), at(59))
        .await
        .unwrap();
}

pub(super) async fn a_retry_waits_for_its_time(store: Subject) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    for try_at in [0, 100, 200, 300, 400] {
        let work = one(&store, WorkKind::Read, try_at).await;
        assert_eq!(work.queued, at(0));
        assert_eq!(work.error.is_some(), try_at > 0);
        let again = at(try_at + 100);
        store
            .retry(work.lease, again, "not yet".into(), at(try_at))
            .await
            .unwrap();
        let idle = store
            .claim(&[WorkKind::Read], 9, LEASE, at(try_at + 99))
            .await
            .unwrap();
        assert_eq!(
            idle,
            Claimed {
                work: vec![],
                next: Some(again)
            }
        );
    }
    let other = store
        .claim(&[WorkKind::Send], 9, LEASE, at(999))
        .await
        .unwrap();
    assert_eq!(other, Claimed::default());
}

pub(super) async fn three_deaths_set_aside(store: Subject) {
    order_read(&store).await;
    store
        .accept(arrival(2, "m2", "poison"), at(1))
        .await
        .unwrap();
    let kinds = [WorkKind::Read, WorkKind::Deliver];
    for round in 0..3 {
        let claimed = store
            .claim(&kinds, 9, LEASE, at(1 + 30 * round))
            .await
            .unwrap();
        assert_eq!(claimed.work.len(), 2);
    }
    let claimed = store.claim(&kinds, 9, LEASE, at(91)).await.unwrap();
    assert_eq!(claimed, Claimed::default());
    assert_eq!(message_state(&store, 2).await, MessageState::Quarantined);
    assert_eq!(message_state(&store, 1).await, MessageState::Received);
    assert_eq!(state_of(&store, 100).await, DocumentState::Held);
}

pub(super) async fn partners_take_turns(store: Subject) {
    for n in 1..=6 {
        let partner = if n < 6 { "busy" } else { "quiet" };
        let message = Arrival {
            partner: partner.into(),
            ..arrival(n, &format!("m{n}"), &format!("order {n}"))
        };
        store.accept(message, at(n as i64)).await.unwrap();
    }
    let claimed = store
        .claim(&[WorkKind::Read], 3, LEASE, at(9))
        .await
        .unwrap();
    let order: Vec<_> = claimed.work.iter().map(|work| work.subject).collect();
    assert_eq!(order, [id(1), id(6), id(2)]);
    assert_eq!(claimed.next, Some(at(3)));
}

pub(super) async fn a_draft_is_stored_once(store: Subject) {
    let draft = |n, partner: &str, key: Option<&str>| Draft {
        partner: partner.into(),
        document: NewDocument {
            key: key.map(Into::into),
            ..new_document(n, DocumentState::Drafted)
        },
    };
    let mut became = Vec::new();
    for (n, partner, key) in [
        (1, "acme", Some("file 1")),
        (2, "acme", Some("file 1")),
        (3, "other", Some("file 1")),
        (4, "acme", None),
        (5, "acme", None),
    ] {
        became.push(store.draft(draft(n, partner, key), at(0)).await.unwrap());
    }
    let twice = Drafted::Duplicate(id(1));
    assert_eq!(
        became,
        [
            Drafted::New,
            twice,
            Drafted::New,
            Drafted::New,
            Drafted::New
        ]
    );
    assert_eq!(
        store
            .claim(&[WorkKind::Compose], 9, LEASE, at(0))
            .await
            .unwrap()
            .work
            .len(),
        4
    );
    let read = Draft {
        partner: "acme".into(),
        document: new_document(9, DocumentState::Read),
    };
    assert_eq!(
        store.draft(read, at(0)).await.unwrap_err().kind(),
        Kind::Invalid
    );
}

pub(super) async fn a_refusal_to_compose_uses_no_number(store: Subject) {
    let draft = Draft {
        partner: "acme".into(),
        document: new_document(1, DocumentState::Drafted),
    };
    store.draft(draft, at(0)).await.unwrap();
    let work = one(&store, WorkKind::Compose, 0).await;
    let refusal: Compose = Box::new(|numbers| Err(format!("not {}", numbers.interchange)));
    let error = store
        .compose(work.lease, envelope(20), refusal, at(1))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Compose);
    assert!(error.to_string().ends_with("not 1"), "{error}");
    let stranger = composing(vec![1, 77]);
    let error = store
        .compose(work.lease, envelope(20), stranger, at(1))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    let absent = composing(vec![]);
    let error = store
        .compose(work.lease, envelope(20), absent, at(1))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    let composed = store
        .compose(work.lease, envelope(20), composing(vec![1]), at(1))
        .await;
    assert_eq!(
        composed.unwrap(),
        ControlNumbers {
            interchange: 1,
            groups: vec![1]
        }
    );
}

pub(super) async fn after_the_last_number_comes_one(store: Subject) {
    store
        .advance("ZZUS/ZZTHEM".into(), LAST_CONTROL_NUMBER - 1, at(0))
        .await
        .unwrap();
    let mut used = Vec::new();
    for n in 1..=3 {
        let document = new_document(n, DocumentState::Drafted);
        store
            .draft(
                Draft {
                    partner: "acme".into(),
                    document,
                },
                at(0),
            )
            .await
            .unwrap();
        let work = one(&store, WorkKind::Compose, 0).await;
        let numbers = store
            .compose(work.lease, envelope(20 + n), composing(vec![n]), at(0))
            .await
            .unwrap();
        used.push((numbers.interchange, numbers.groups[0]));
    }
    let last = LAST_CONTROL_NUMBER;
    assert_eq!(used, [(last, last), (1, 1), (2, 2)]);
    assert_eq!(
        store.interchange(id(21)).await.unwrap().unwrap().0.control,
        "999999999"
    );
    assert_eq!(
        store.interchange(id(22)).await.unwrap().unwrap().0.control,
        "000000001"
    );
    // Around a whole circle to the same numbers: another epoch, so no clash.
    store
        .advance("ZZUS/ZZTHEM".into(), last - 1, at(0))
        .await
        .unwrap();
    let document = new_document(9, DocumentState::Drafted);
    store
        .draft(
            Draft {
                partner: "acme".into(),
                document,
            },
            at(0),
        )
        .await
        .unwrap();
    let work = one(&store, WorkKind::Compose, 0).await;
    let numbers = store
        .compose(work.lease, envelope(29), composing(vec![9]), at(0))
        .await
        .unwrap();
    assert_eq!(numbers.interchange, 2);
}

pub(super) async fn numbers_count_by_pair(store: Subject) {
    let mut used = Vec::new();
    for (n, pair, groups) in [(1, "A/B", 2), (2, "A/C", 1), (3, "A/B", 1)] {
        let document = new_document(n, DocumentState::Drafted);
        store
            .draft(
                Draft {
                    partner: "acme".into(),
                    document,
                },
                at(0),
            )
            .await
            .unwrap();
        let work = one(&store, WorkKind::Compose, 0).await;
        let envelope = Envelope {
            id: id(20 + n),
            pair: pair.into(),
            groups,
        };
        let numbers = store
            .compose(work.lease, envelope, composing(vec![n]), at(0))
            .await
            .unwrap();
        used.push((numbers.interchange, numbers.groups));
    }
    assert_eq!(used, [(1, vec![1, 2]), (1, vec![1]), (2, vec![3])]);
}

pub(super) async fn a_document_goes_out_and_is_accepted(store: Subject) {
    sealed_out(&store, 1).await;
    let work = one(&store, WorkKind::Send, 2).await;
    let detail = store.message(work.subject).await.unwrap().unwrap();
    assert_eq!(detail.message.state, MessageState::Sealed);
    assert_eq!(detail.headers, sealed(2, "out@us").headers);
    assert_eq!(detail.message.content, detail.interchanges[0].payload);
    assert_eq!(detail.documents[0].state, DocumentState::Drafted);
    assert_eq!(detail.documents[0].set_control.as_deref(), Some("0001"));
    let bytes = store
        .payload(detail.interchanges[0].payload.unwrap())
        .await
        .unwrap();
    assert_eq!(bytes.unwrap(), "ISA*000000001~");

    store.sent(work.lease, at(600), at(3)).await.unwrap();
    assert_eq!(message_state(&store, 2).await, MessageState::Sent);
    assert_eq!(state_of(&store, 1).await, DocumentState::Sent);
    none(&store, WorkKind::Send, 599).await;
    let again = one(&store, WorkKind::Send, 600).await;
    assert_eq!(
        store
            .message(again.subject)
            .await
            .unwrap()
            .unwrap()
            .message
            .body,
        detail.message.body
    );

    store.receipt(id(2), receipt(true), at(601)).await.unwrap();
    store.receipt(id(2), receipt(true), at(602)).await.unwrap();
    store.receipt(id(2), receipt(false), at(603)).await.unwrap();
    let detail = store.message(id(2)).await.unwrap().unwrap();
    assert_eq!(detail.message.state, MessageState::Confirmed);
    assert_eq!(detail.message.updated, at(601));
    assert_eq!(detail.answer, receipt(true).answer);
    none(&store, WorkKind::Send, 9999).await;
    let lost = store
        .retry(again.lease, at(700), "timed out".into(), at(603))
        .await;
    assert_eq!(lost.unwrap_err().kind(), Kind::Stale);

    store
        .accept(arrival(3, "m3", "997"), at(700))
        .await
        .unwrap();
    let work = one(&store, WorkKind::Read, 700).await;
    let verdict = |group: &str, set: Option<&str>| Verdict {
        group_control: group.into(),
        set_control: set.map(Into::into),
        accepted: true,
        note: "A".into(),
    };
    let verdicts = vec![
        verdict("1", Some("0001")),
        verdict("1", Some("9")),
        verdict("2", None),
    ];
    let reading = Reading {
        verdicts,
        ..Reading::default()
    };
    let recorded = store.read(work.lease, reading, at(701)).await.unwrap();
    assert_eq!((recorded.judged, recorded.unmatched), (vec![id(1)], 2));
    assert_eq!(state_of(&store, 1).await, DocumentState::Accepted);
    store
        .settle(id(1), DocumentState::Settled, "paid".into(), at(702))
        .await
        .unwrap();
    assert_eq!(state_of(&store, 1).await, DocumentState::Settled);
}

pub(super) async fn documents_share_an_interchange(store: Subject) {
    for n in [1, 2, 3] {
        let document = new_document(n, DocumentState::Drafted);
        store
            .draft(
                Draft {
                    partner: "acme".into(),
                    document,
                },
                at(0),
            )
            .await
            .unwrap();
    }
    let due = store
        .claim(&[WorkKind::Compose], 1, LEASE, at(0))
        .await
        .unwrap();
    let lease = due.work[0].lease;
    store
        .compose(lease, envelope(20), composing(vec![1, 2]), at(0))
        .await
        .unwrap();
    assert_eq!(one(&store, WorkKind::Compose, 0).await.subject, id(3));
    let (_, documents) = store.interchange(id(20)).await.unwrap().unwrap();
    assert_eq!(
        documents.iter().map(|row| row.id).collect::<Vec<_>>(),
        [id(1), id(2)]
    );

    store.accept(arrival(9, "m9", "997"), at(1)).await.unwrap();
    let work = one(&store, WorkKind::Read, 1).await;
    let (group_control, note) = ("1".into(), "R".into());
    let verdict = Verdict {
        group_control,
        set_control: None,
        accepted: false,
        note,
    };
    let reading = Reading {
        verdicts: vec![verdict],
        ..Reading::default()
    };
    let recorded = store.read(work.lease, reading, at(1)).await.unwrap();
    assert_eq!(recorded.judged, [id(1), id(2)]);
    assert_eq!(state_of(&store, 2).await, DocumentState::Rejected);
    assert_eq!(state_of(&store, 3).await, DocumentState::Drafted);

    let work = one(&store, WorkKind::Seal, 1).await;
    store
        .bury(work.lease, Aside::Failed, "no key".into(), at(2))
        .await
        .unwrap();
    assert_eq!(state_of(&store, 1).await, DocumentState::Failed);
}

pub(super) async fn a_late_receipt_revives(store: Subject) {
    for (n, aside) in [(0, Aside::Dead), (1, Aside::Uncertain)] {
        let document = new_document(1 + n, DocumentState::Drafted);
        store
            .draft(
                Draft {
                    partner: "acme".into(),
                    document,
                },
                at(0),
            )
            .await
            .unwrap();
        let work = one(&store, WorkKind::Compose, 0).await;
        store
            .compose(work.lease, envelope(20 + n), composing(vec![1 + n]), at(0))
            .await
            .unwrap();
        let work = one(&store, WorkKind::Seal, 0).await;
        store
            .seal(work.lease, sealed(30 + n, &format!("out{n}")), at(0))
            .await
            .unwrap();
        let work = one(&store, WorkKind::Send, 0).await;
        store
            .bury(work.lease, aside, "no answer".into(), at(1))
            .await
            .unwrap();
        store
            .receipt(id(30 + n), receipt(true), at(2))
            .await
            .unwrap();
        assert_eq!(message_state(&store, 30 + n).await, MessageState::Confirmed);
        assert_eq!(state_of(&store, 1 + n).await, DocumentState::Sent);
    }
}

pub(super) async fn an_error_receipt_fails_the_documents(store: Subject) {
    sealed_out(&store, 1).await;
    store.receipt(id(2), receipt(false), at(3)).await.unwrap();
    assert_eq!(message_state(&store, 2).await, MessageState::Refused);
    assert_eq!(state_of(&store, 1).await, DocumentState::Failed);
    none(&store, WorkKind::Send, 9999).await;
    let silent = Receipt {
        answer: None,
        ..receipt(true)
    };
    store.receipt(id(2), silent, at(4)).await.unwrap();
    let detail = store.message(id(2)).await.unwrap().unwrap();
    assert_eq!(detail.message.state, MessageState::Confirmed);
    assert_eq!(detail.answer, receipt(false).answer);
}

pub(super) async fn the_dead_fail_their_documents(store: Subject) {
    sealed_out(&store, 1).await;
    let work = one(&store, WorkKind::Send, 2).await;
    let held = store.bury(work.lease, Aside::Held, "?".into(), at(3)).await;
    assert_eq!(held.unwrap_err().kind(), Kind::Invalid);
    store
        .bury(work.lease, Aside::Dead, "72 h".into(), at(3))
        .await
        .unwrap();
    let detail = store.message(id(2)).await.unwrap().unwrap();
    assert_eq!(
        (detail.message.state, detail.message.note.as_str()),
        (MessageState::Dead, "72 h")
    );
    assert_eq!(detail.documents[0].state, DocumentState::Failed);
}

pub(super) async fn a_delivery_ends_and_the_business_speaks(store: Subject) {
    order_read(&store).await;
    let work = one(&store, WorkKind::Deliver, 1).await;
    let read = store
        .delivered(work.lease, DocumentState::Read, "?".into(), at(2))
        .await;
    assert_eq!(read.unwrap_err().kind(), Kind::Invalid);
    let delivered = DocumentState::Delivered;
    store
        .delivered(work.lease, delivered, "in the folder".into(), at(2))
        .await
        .unwrap();
    let detail = store.document(id(100)).await.unwrap().unwrap();
    assert_eq!(
        (detail.document.state, detail.document.updated),
        (delivered, at(2))
    );
    assert_eq!(detail.document.note, "in the folder");
    none(&store, WorkKind::Deliver, 9999).await;
    let sent = store
        .settle(id(100), DocumentState::Sent, "?".into(), at(3))
        .await;
    assert_eq!(sent.unwrap_err().kind(), Kind::Invalid);
    store
        .settle(
            id(100),
            DocumentState::Rejected,
            "no such item".into(),
            at(3),
        )
        .await
        .unwrap();
    let detail = store.document(id(100)).await.unwrap().unwrap();
    let history: Vec<_> = detail
        .events
        .iter()
        .map(|event| event.what.as_str())
        .collect();
    assert_eq!(history, ["read", "delivered", "rejected"]);
}

pub(super) async fn lists_filter(store: Subject) {
    sealed_out(&store, 1).await;
    for n in 3..=5 {
        let partner = if n == 5 { "other" } else { "acme" };
        let message = Arrival {
            partner: partner.into(),
            ..arrival(n, &format!("m{n}"), &format!("order {n}"))
        };
        store.accept(message, at(n as i64)).await.unwrap();
    }
    let listed = async |filter| {
        let rows = store.messages(filter).await.unwrap();
        rows.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>()
    };
    let all = Filter::default;
    assert_eq!(listed(all()).await, [5, 4, 3, 2]);
    assert_eq!(listed(Filter { limit: 2, ..all() }).await, [5, 4]);
    assert_eq!(
        listed(Filter {
            partner: Some("acme".into()),
            ..all()
        })
        .await,
        [4, 3, 2]
    );
    assert_eq!(
        listed(Filter {
            since: Some(at(4)),
            ..all()
        })
        .await,
        [5, 4]
    );
    assert_eq!(
        listed(Filter {
            direction: Some(Direction::Outbound),
            ..all()
        })
        .await,
        [2]
    );
    assert_eq!(
        listed(Filter {
            state: Some(MessageState::Received),
            ..all()
        })
        .await,
        [5, 4, 3]
    );
    let drafted = Filter {
        state: Some(DocumentState::Drafted),
        ..Filter::default()
    };
    assert_eq!(store.documents(drafted).await.unwrap()[0].id, id(1));
    let read = Filter {
        state: Some(DocumentState::Read),
        ..Filter::default()
    };
    assert_eq!(store.documents(read).await.unwrap(), []);
    let counts = store.counts().await.unwrap();
    let received = (Direction::Inbound, MessageState::Received, 3);
    assert_eq!(
        counts.messages,
        [received, (Direction::Outbound, MessageState::Sealed, 1)]
    );
    assert_eq!(
        counts.documents,
        [(Direction::Outbound, DocumentState::Drafted, 1)]
    );
    assert_eq!(counts.work, [(WorkKind::Read, 3), (WorkKind::Send, 1)]);
}

pub(super) async fn what_is_not_there_is_missing(store: Subject) {
    assert_eq!(store.message(id(1)).await.unwrap(), None);
    assert_eq!(store.interchange(id(1)).await.unwrap(), None);
    assert_eq!(store.document(id(1)).await.unwrap(), None);
    let missing = |result: Result<(), Error>| assert_eq!(result.unwrap_err().kind(), Kind::Missing);
    missing(store.answered(id(1), at(0)).await);
    missing(store.receipt(id(1), receipt(true), at(0)).await);
    missing(
        store
            .settle(id(1), DocumentState::Settled, String::new(), at(0))
            .await,
    );
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let ours = store.receipt(id(1), receipt(true), at(0)).await;
    assert_eq!(ours.unwrap_err().kind(), Kind::Invalid);
}

pub(super) async fn closed_is_closed(store: Subject) {
    store.ready().await.unwrap();
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    store.messages(Filter::default()).await.unwrap();
    store.close().await.unwrap();
    let closed = |error: Error| assert_eq!(error.kind(), Kind::Closed);
    closed(store.ready().await.unwrap_err());
    closed(store.messages(Filter::default()).await.unwrap_err());
    closed(
        store
            .accept(arrival(2, "m2", "order"), at(0))
            .await
            .unwrap_err(),
    );
    store.close().await.unwrap();
}
