//! The promises about partners who are not reached, and about what people order.

use super::*;

/// Seals `count` messages for a partner, documents and messages from `first` on.
async fn sealed_for(store: &Subject, partner: &str, first: u128, count: u128) {
    sealed_at(store, partner, first, count, 0).await;
}

async fn sealed_at(store: &Subject, partner: &str, first: u128, count: u128, now: i64) {
    for n in first..first + count {
        let draft = Draft {
            partner: partner.into(),
            document: new_document(n, DocumentState::Drafted),
            payload: None,
        };
        store.draft(draft, at(now)).await.unwrap();
        let work = one(store, WorkKind::Compose, now).await;
        let composing = composing(vec![n]);
        let composed = store.compose(work.lease, envelope(1000 + n), composing, at(now));
        composed.await.unwrap();
        let work = one(store, WorkKind::Seal, now).await;
        let sealed = sealed(2000 + n, &format!("{n}@us"));
        store.seal(work.lease, sealed, at(now)).await.unwrap();
    }
}

async fn sends(store: &Subject, now: i64) -> Claimed {
    let kinds = [WorkKind::Send, WorkKind::Answer];
    store.claim(&kinds, 99, LEASE, at(now)).await.unwrap()
}

fn missed(again: i64, pause: i64) -> Missed {
    Missed {
        why: "cannot connect".into(),
        perhaps_there: false,
        again: at(again),
        pause: TimeDelta::seconds(pause),
        give_up: at(-1),
    }
}

/// Misses with the one thing that is due, until the circuit is shut.
async fn shut(store: &Subject, now: i64, pause: i64) {
    for count in 1..=MISSES {
        let work = sends(store, now).await.work.remove(0);
        let told = store
            .unreached(work.lease, missed(now, pause), at(now))
            .await;
        assert_eq!(told.unwrap(), count);
    }
}

pub(in crate::store) async fn one_partner_has_few_places(store: Subject) {
    sealed_for(&store, "busy", 1, 6).await;
    sealed_for(&store, "quiet", 7, 1).await;
    let claimed = sends(&store, 1).await;
    let busy = claimed.work.iter().filter(|work| work.partner == "busy");
    let most = AT_ONCE as usize;
    assert_eq!((busy.count(), claimed.work.len()), (most, most + 1));
    // What waits for a place is looked at when a step ends, or a lease.
    assert_eq!(claimed.next, Some(at(31)));
    assert_eq!(sends(&store, 2).await.work, vec![]);
    let first = claimed.work.iter().find(|work| work.partner == "busy");
    let first = first.unwrap();
    store
        .receipt(first.subject, receipt(MessageState::Confirmed), at(2))
        .await
        .unwrap();
    assert_eq!(sends(&store, 2).await.work.len(), 1);
}

pub(in crate::store) async fn a_partner_file_says_what_is_borne(store: Subject) {
    let allow = |partner: &str, at_once, misses| Allowance {
        partner: partner.into(),
        at_once,
        misses,
    };
    // Said before there is any work, and in place of what was said before.
    let before = vec![allow("busy", 1, 1), allow("other", 1, 1)];
    store.allow(before).await.unwrap();
    store.allow(vec![allow("busy", 6, 2)]).await.unwrap();
    sealed_for(&store, "busy", 1, 7).await;
    sealed_for(&store, "other", 8, 5).await;
    let work = sends(&store, 1).await.work;
    let of = |name: &str| work.iter().filter(|work| work.partner == name).count();
    assert_eq!((of("busy"), of("other")), (6, AT_ONCE as usize));
    let mut busy = work.iter().filter(|work| work.partner == "busy");
    for (count, open) in [(1, true), (2, false)] {
        let lease = busy.next().unwrap().lease;
        let told = store.unreached(lease, missed(900, 600), at(1)).await;
        assert_eq!(told.unwrap(), count);
        let circuit = &store.queue(99).await.unwrap().circuits[0];
        assert_eq!(circuit.shut.is_none(), open, "after {count}");
    }
    for work in busy {
        let later = store.retry(work.lease, at(2), "later".into(), at(1));
        later.await.unwrap();
    }
    let probe = sends(&store, 601).await.work;
    let probes = probe.iter().filter(|work| work.partner == "busy").count();
    assert_eq!(probes, 1, "one at a time");
}

pub(in crate::store) async fn a_partner_who_is_down_is_asked_by_one(store: Subject) {
    sealed_for(&store, "down", 1, 1).await;
    shut(&store, 0, 600).await;
    sealed_for(&store, "down", 2, 3).await;
    sealed_for(&store, "up", 5, 1).await;
    let claimed = sends(&store, 1).await;
    let partners: Vec<_> = claimed.work.iter().map(|work| &work.partner[..]).collect();
    assert_eq!(partners, ["up"]);
    store
        .receipt(
            claimed.work[0].subject,
            receipt(MessageState::Confirmed),
            at(1),
        )
        .await
        .unwrap();
    let idle = sends(&store, 599).await;
    assert_eq!((idle.work, idle.next), (vec![], Some(at(600))));
    let circuit = Circuit {
        partner: "down".into(),
        missed: MISSES,
        shut: Some(at(600)),
    };
    assert_eq!(store.queue(9).await.unwrap().circuits, [circuit]);
    // Then one at a time.
    let probe = sends(&store, 600).await;
    assert_eq!((probe.work.len(), probe.next), (1, Some(at(630))));
    assert_eq!(probe.work[0].missed, MISSES);
    let told = store.unreached(probe.work[0].lease, missed(601, 1000), at(600));
    assert_eq!(told.await.unwrap(), MISSES + 1);
    assert_eq!(sends(&store, 1599).await.work, vec![]);
    let probe = sends(&store, 1600).await;
    assert_eq!(probe.work.len(), 1);
    store
        .receipt(
            probe.work[0].subject,
            receipt(MessageState::Confirmed),
            at(1600),
        )
        .await
        .unwrap();
    assert_eq!(
        sends(&store, 1600).await.work.len(),
        3,
        "all are tried again"
    );
    assert_eq!(store.queue(9).await.unwrap().circuits, []);
}

pub(in crate::store) async fn who_is_down_too_long_is_given_up(store: Subject) {
    sealed_for(&store, "down", 1, 2).await;
    let work = sends(&store, 0).await.work;
    let why = "no receipt".to_owned();
    store.sent(work[1].lease, at(1), why, at(0)).await.unwrap();
    let again = store.unreached(work[0].lease, missed(9000, 1), at(0));
    again.await.unwrap();
    shut_by(&store, "down", 9000).await;
    assert_eq!(message_state(&store, 2001).await, MessageState::Dead);
    assert_eq!(state_of(&store, 1).await, DocumentState::Failed);
    assert_eq!(message_state(&store, 2002).await, MessageState::Uncertain);
    assert_eq!(state_of(&store, 2).await, DocumentState::Drafted);
    let left = store.queue(9).await.unwrap().waiting;
    assert_eq!(left.len(), 1, "what came later is tried on: {left:?}");
}

/// Shuts the circuit of a partner who was missed once, giving up what was queued at 0.
async fn shut_by(store: &Subject, partner: &str, now: i64) {
    sealed_at(store, partner, 3, 1, 100).await;
    for _ in 1..MISSES {
        let mut work = sends(store, now).await.work;
        let own = work.iter().position(|work| work.subject == id(2003));
        let own = work.swap_remove(own.unwrap());
        for other in work {
            let later = store.retry(other.lease, at(now * 2), "later".into(), at(now));
            later.await.unwrap();
        }
        let missed = Missed {
            give_up: at(1),
            ..missed(now, 1)
        };
        store.unreached(own.lease, missed, at(now)).await.unwrap();
    }
}

pub(in crate::store) async fn an_answer_opens_the_circuit(store: Subject) {
    store.accept(apart(1, "m1", "there"), at(0)).await.unwrap();
    shut(&store, 0, 10).await;
    let work = sends(&store, 10).await.work.remove(0);
    store
        .posted(work.lease, "200".into(), at(10))
        .await
        .unwrap();
    assert_eq!(store.queue(9).await.unwrap().circuits, []);

    sealed_for(&store, "acme", 2, 1).await;
    shut(&store, 10, 10).await;
    // A receipt that came by itself says nothing of their server.
    let receipt = receipt(MessageState::Confirmed);
    store.receipt(id(2002), receipt, at(11)).await.unwrap();
    assert_eq!(store.queue(9).await.unwrap().circuits[0].missed, MISSES);
    let order = one(&store, WorkKind::Read, 11).await;
    let wrong = store.unreached(order.lease, missed(1, 1), at(11)).await;
    assert_eq!(wrong.unwrap_err().kind(), Kind::Invalid);
}

fn order() -> Order {
    Order {
        by: "mira".into(),
        why: "they lost it".into(),
    }
}

async fn again(store: &Subject, message: u128, anew: Option<u128>) -> Result<Uuid, Error> {
    let anew = anew.map(|n| Anew {
        id: id(n),
        message_id: format!("{n}@us"),
        headers: vec![("Message-ID".into(), format!("<{n}@us>"))],
    });
    let order = order();
    let resend = Resend { order, anew };
    store.resend(id(message), resend, at(9)).await
}

pub(in crate::store) async fn the_same_message_goes_again(store: Subject) {
    sealed_out(&store, 1).await;
    let work = one(&store, WorkKind::Send, 2).await;
    let held = again(&store, 2, None).await.unwrap_err();
    assert_eq!(held.kind(), Kind::Invalid, "it is in hand");
    let dead = store.bury(work.lease, Aside::Dead, "404".into(), at(3));
    dead.await.unwrap();
    assert_eq!(state_of(&store, 1).await, DocumentState::Failed);
    assert_eq!(again(&store, 2, None).await.unwrap(), id(2));
    assert_eq!(message_state(&store, 2).await, MessageState::Sealed);
    assert_eq!(state_of(&store, 1).await, DocumentState::Drafted);
    let work = one(&store, WorkKind::Send, 9).await;
    assert_eq!(work.queued, at(9), "its age counts anew");
    let aside = store.bury(work.lease, Aside::Uncertain, "?".into(), at(9));
    aside.await.unwrap();
    again(&store, 2, None).await.unwrap();
    assert_eq!(message_state(&store, 2).await, MessageState::Sent);
    let confirmed = receipt(MessageState::Confirmed);
    store.receipt(id(2), confirmed, at(9)).await.unwrap();
    let settled = again(&store, 2, None).await.unwrap_err();
    assert_eq!(settled.kind(), Kind::Invalid);
    let detail = store.message(id(2)).await.unwrap().unwrap();
    let told = detail.events.iter().filter(|event| event.what == "resend");
    let told: Vec<_> = told.map(|event| &event.detail[..]).collect();
    assert_eq!(told, ["mira: they lost it"; 2]);
    store
        .accept(arrival(5, "m5", "order"), at(9))
        .await
        .unwrap();
    let theirs = again(&store, 5, None).await.unwrap_err();
    assert_eq!(theirs.kind(), Kind::Invalid);
    let nothing = again(&store, 77, None).await.unwrap_err();
    assert_eq!(nothing.kind(), Kind::Missing);
}

pub(in crate::store) async fn a_copy_goes_under_another_id(store: Subject) {
    sealed_out(&store, 1).await;
    assert_eq!(again(&store, 2, Some(3)).await.unwrap(), id(3));
    assert_eq!(message_state(&store, 2).await, MessageState::Dead);
    let work = one(&store, WorkKind::Send, 9).await;
    assert_eq!(work.subject, id(3), "and the first no more");
    let (first, copy) = (
        store.message(id(2)).await.unwrap().unwrap(),
        store.message(id(3)).await.unwrap().unwrap(),
    );
    assert_eq!(copy.message.body, first.message.body);
    assert_eq!(copy.message.mic, first.message.mic);
    assert_eq!(copy.message.key.message_id, "3@us");
    assert_eq!(copy.message.resend_of, Some(id(2)));
    assert_eq!((first.documents.len(), copy.documents.len()), (0, 1));
    let confirmed = receipt(MessageState::Confirmed);
    store.receipt(id(3), confirmed, at(9)).await.unwrap();
    assert_eq!(state_of(&store, 1).await, DocumentState::Sent);
    // What is proved stays with what proves it.
    again(&store, 3, Some(4)).await.unwrap();
    let copy = store.message(id(3)).await.unwrap().unwrap();
    assert_eq!(copy.message.state, MessageState::Confirmed);
    assert_eq!(copy.documents[0].state, DocumentState::Sent);
}

pub(in crate::store) async fn a_message_is_cancelled(store: Subject) {
    sealed_out(&store, 1).await;
    store.cancel(id(2), order(), at(3)).await.unwrap();
    let detail = store.message(id(2)).await.unwrap().unwrap();
    assert_eq!(detail.message.state, MessageState::Dead);
    assert_eq!(detail.message.note, "cancelled by mira: they lost it");
    assert_eq!(detail.documents[0].state, DocumentState::Failed);
    none(&store, WorkKind::Send, 9999).await;
    let twice = store.cancel(id(2), order(), at(3)).await.unwrap_err();
    assert_eq!(twice.kind(), Kind::Invalid);
    // They had it all the same.
    let confirmed = receipt(MessageState::Confirmed);
    store.receipt(id(2), confirmed, at(4)).await.unwrap();
    assert_eq!(state_of(&store, 1).await, DocumentState::Sent);
}

pub(in crate::store) async fn a_message_is_found_by_its_id(store: Subject) {
    sealed_out(&store, 1).await;
    store
        .accept(arrival(5, "out@us", "order"), at(9))
        .await
        .unwrap();
    let found = store.named("out@us".into()).await.unwrap();
    let ids: Vec<_> = found.iter().map(|row| row.id).collect();
    assert_eq!(ids, [id(5), id(2)]);
    assert_eq!(store.named("other".into()).await.unwrap(), []);
}

pub(in crate::store) async fn what_is_held_waits_for_a_word(store: Subject) {
    for n in [1, 2] {
        drafted(&store, n).await;
        let work = one(&store, WorkKind::Compose, 0).await;
        let held = store.retry(work.lease, held_until(), "held".into(), at(1));
        held.await.unwrap();
    }
    none(&store, WorkKind::Compose, 99_999).await;
    assert_eq!(store.queue(0).await.unwrap().held, 2);
    let release = |subject, now| store.release(subject, order(), at(now));
    assert_eq!(release(Some(id(7)), 5).await.unwrap(), 0);
    assert_eq!(release(Some(id(2)), 5).await.unwrap(), 1);
    let freed = one(&store, WorkKind::Compose, 5).await;
    // Its age counts from the word: it was not late while it was held.
    assert_eq!(
        (freed.subject, freed.queued, freed.error),
        (id(2), at(5), None)
    );
    assert_eq!(release(None, 6).await.unwrap(), 1);
    assert_eq!(one(&store, WorkKind::Compose, 6).await.subject, id(1));
    assert_eq!(store.queue(0).await.unwrap().held, 0);
}
