//! One suite for every store: what [`Store`] promises, each promise a function.
//!
//! A store joins with `conformance!(open)`, where `open()` gives an `Arc<dyn Store>` and a guard
//! that lives as long as the test.

pub(super) mod bridge;
pub(super) mod inbound;
pub(super) mod orders;
pub(super) mod outbound;
pub(super) mod queue;
pub(super) mod seen;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::*;

/// Makes a test of every promise.
macro_rules! conformance {
    ($open:path) => {
        $crate::store::suite::conformance! { $open:
            inbound::a_new_message_is_whole
            inbound::a_copy_gets_the_stored_answer
            inbound::one_of_many_copies_is_new
            inbound::an_id_for_other_content_is_reused
            inbound::a_refused_message_comes_anew
            inbound::the_same_content_under_another_id_seems_resent
            inbound::a_large_payload_comes_back
            inbound::a_file_is_kept_like_bytes
            inbound::an_answer_leaves_once
            inbound::an_answer_is_posted
            inbound::a_copy_has_the_answer_posted_again
            inbound::an_answer_that_cannot_be_posted
            inbound::a_message_becomes_documents
            inbound::a_repeated_control_number_is_held
            inbound::a_reading_is_all_or_nothing
            inbound::a_long_reading_comes_in_parts
            inbound::a_delivery_ends_and_the_business_speaks
            outbound::a_draft_is_stored_once
            outbound::a_draft_brings_its_bytes
            outbound::a_refusal_to_compose_uses_no_number
            outbound::after_the_last_number_comes_one
            outbound::numbers_count_by_pair
            outbound::a_document_goes_out_once
            outbound::a_verdict_settles_what_it_names
            outbound::documents_share_an_interchange
            outbound::a_verdict_is_on_the_newest_of_equal_numbers
            outbound::a_late_receipt_revives
            outbound::an_error_receipt_fails_the_documents
            outbound::a_receipt_about_other_bytes_leaves_it_uncertain
            outbound::a_remark_changes_nothing
            outbound::the_dead_fail_their_documents
            bridge::a_named_state_takes_a_step
            bridge::steps_at_once_are_all_taken
            bridge::an_order_is_seen_once_in_each_form
            bridge::a_submission_is_kept_before_and_after
            bridge::a_submission_waits_for_its_time
            bridge::who_is_named_by_a_list_is_due
            queue::a_lost_lease_finishes_nothing
            queue::a_lease_that_is_kept_is_not_lost
            queue::a_retry_waits_for_its_time
            queue::three_deaths_set_aside
            queue::a_word_from_a_worker_forgives_deaths
            queue::partners_take_turns
            queue::lists_filter
            queue::counts_count
            queue::what_is_not_there_is_missing
            queue::closed_is_closed
            orders::one_partner_has_few_places
            orders::a_partner_file_says_what_is_borne
            orders::a_partner_who_is_down_is_asked_by_one
            orders::who_is_down_too_long_is_given_up
            orders::an_answer_opens_the_circuit
            orders::the_same_message_goes_again
            orders::a_copy_goes_under_another_id
            orders::a_message_is_cancelled
            orders::a_message_is_found_by_its_id
            orders::what_is_held_waits_for_a_word
            seen::what_was_seen_last_is_kept
        }
    };
    ($open:path: $($room:ident :: $promise:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let (store, _guard) = $open();
                $crate::store::suite::$room::$promise(store).await;
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
    Payload::new(Bytes::copy_from_slice(text.as_bytes()), digest)
}

/// What a store gives back under a digest.
pub(super) async fn stored(store: &Subject, digest: Digest) -> Bytes {
    let payload = store.payload(digest).await.unwrap();
    payload.unwrap().read().unwrap()
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
        content_type: Some("application/EDI-X12".into()),
        file_name: Some("order.edi".into()),
        mic: Some("abc=, sha-256".into()),
        answer: Some(answer(&format!("mdn {n}"))),
        answer_to: None,
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
        content_type: Some("application/EDI-X12".into()),
        file_name: None,
        note: "signed".into(),
    }
}

/// An arrival whose answer goes by a request of ours.
pub(super) fn apart(n: u128, message_id: &str, to: &str) -> Arrival {
    Arrival {
        answer_to: Some(to.into()),
        ..arrival(n, message_id, "order")
    }
}

pub(super) fn receipt(state: MessageState) -> Receipt {
    Receipt {
        state,
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

/// Drafts a document for acme, under no key.
async fn drafted(store: &Subject, n: u128) {
    let draft = Draft {
        partner: "acme".into(),
        document: new_document(n, DocumentState::Drafted),
        payload: None,
    };
    assert_eq!(store.draft(draft, at(0)).await.unwrap(), Drafted::New);
}

/// Drafts a document, composes it as interchange 20 and seals it as message 2, `out@us`.
async fn sealed_out(store: &Subject, document: u128) {
    drafted(store, document).await;
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
