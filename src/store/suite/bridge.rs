//! What a bridge to an API keeps.

use super::*;

fn seen(number: &str, changed: &str, document: u128) -> Observation {
    let mut document = new_document(document, DocumentState::Drafted);
    document.key = Some(format!("{number} {changed}"));
    Observation {
        account: "simulator/na/acme".into(),
        number: number.into(),
        changed: changed.into(),
        content: format!("{{\"changed\":\"{changed}\"}}"),
        drafts: vec![Draft {
            partner: "acme".into(),
            document,
            payload: None,
        }],
    }
}

fn submission(document: u128, stage: &str) -> Submission {
    Submission {
        document: id(document),
        account: "simulator/na/acme".into(),
        operation: "vendorOrders.submitAcknowledgement".into(),
        stage: stage.into(),
        transaction: (stage == "submitted").then(|| "t-1".into()),
        detail: format!("{{\"stage\":\"{stage}\"}}"),
        listed: None,
        seen: None,
    }
}

pub(in crate::store) async fn a_named_state_takes_a_step(store: Subject) {
    let step = |after: &'static str| -> Step {
        Box::new(move |before| format!("{}{after}", before.unwrap_or_default()))
    };
    let name = || "bucket a".to_owned();
    assert_eq!(store.step(name(), step("1"), at(0)).await.unwrap(), None);
    let before = store.step(name(), step("2"), at(1)).await.unwrap();
    assert_eq!(before.as_deref(), Some("1"));
    store.step("poll b".into(), step("3"), at(1)).await.unwrap();
    let kept = store.kept("bucket ".into()).await.unwrap();
    assert_eq!(kept, [("bucket a".to_owned(), "12".to_owned())]);
    assert_eq!(store.kept(String::new()).await.unwrap().len(), 2);
}

pub(in crate::store) async fn steps_at_once_are_all_taken(store: Subject) {
    let all = (0..40).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let count = |before: Option<&str>| {
                let n: u32 = before.map_or(0, |n| n.parse().unwrap());
                (n + 1).to_string()
            };
            store
                .step("n".into(), Box::new(count), at(0))
                .await
                .unwrap();
        })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    assert_eq!(store.kept("n".into()).await.unwrap()[0].1, "40");
}

pub(in crate::store) async fn an_order_is_seen_once_in_each_form(store: Subject) {
    assert!(store.observe(seen("P1", "d1", 1), at(0)).await.unwrap());
    assert!(!store.observe(seen("P1", "d1", 2), at(1)).await.unwrap());
    assert!(store.observe(seen("P1", "d2", 3), at(2)).await.unwrap());
    // Back to what it was: the document was made before, and is not made again.
    assert!(store.observe(seen("P1", "d1", 4), at(3)).await.unwrap());
    let drafted = store.documents(Filter::default()).await.unwrap();
    let ids: Vec<Uuid> = drafted.iter().map(|row| row.id).collect();
    assert_eq!(ids, [id(3), id(1)]);
    let known = store
        .observed("simulator/na/acme".into(), "P1".into())
        .await;
    assert_eq!(known.unwrap().unwrap().changed, "d1");
    let other = store
        .observed("production/na/acme".into(), "P1".into())
        .await;
    assert_eq!(other.unwrap(), None);
}

/// An inbound document, and the work to deliver it.
async fn delivering(store: &Subject) -> (u128, Work) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let read = store
        .claim(&[WorkKind::Read], 1, LEASE, at(0))
        .await
        .unwrap();
    let reading = Reading {
        interchanges: vec![new_interchange(
            2,
            "1",
            vec![new_document(3, DocumentState::Read)],
        )],
        ..Reading::default()
    };
    store
        .read(read.work[0].lease, reading, at(0))
        .await
        .unwrap();
    let work = store.claim(&[WorkKind::Deliver], 1, LEASE, at(0)).await;
    (3, work.unwrap().work.remove(0))
}

async fn state(store: &Subject, document: u128) -> (DocumentState, String) {
    let detail = store.document(id(document)).await.unwrap().unwrap();
    (detail.document.state, detail.document.note)
}

pub(in crate::store) async fn a_submission_is_kept_before_and_after(store: Subject) {
    let (document, work) = delivering(&store).await;
    assert_eq!(store.submission(id(document)).await.unwrap(), None);
    let posting = submission(document, "posting");
    let kept = store.submit(work.lease, posting.clone(), Then::Stay, at(1));
    kept.await.unwrap();
    assert_eq!(store.submission(id(document)).await.unwrap(), Some(posting));
    let other = store.submit(work.lease, submission(9, "new"), Then::Stay, at(1));
    assert_eq!(other.await.unwrap_err().kind(), Kind::Invalid);
    let taken = vec![new_document(6, DocumentState::Drafted)];
    let then = Then::Ask(at(900), "taken as t-1".into(), taken);
    let taken = store.submit(work.lease, submission(document, "submitted"), then, at(2));
    taken.await.unwrap();
    assert_eq!(
        state(&store, document).await,
        (DocumentState::Delivered, "taken as t-1".into())
    );
    let again = store.submit(work.lease, submission(document, "new"), Then::Stay, at(3));
    assert_eq!(again.await.unwrap_err().kind(), Kind::Stale);

    let early = store
        .claim(&[WorkKind::Ask], 1, LEASE, at(899))
        .await
        .unwrap();
    assert_eq!((early.work.len(), early.next), (0, Some(at(900))));
    let mut due = store
        .claim(&[WorkKind::Ask], 1, LEASE, at(900))
        .await
        .unwrap();
    let ask = due.work.remove(0);
    let then = Then::Ask(at(2000), "processing".into(), Vec::new());
    let asked = store.submit(ask.lease, submission(document, "presumed"), then, at(901));
    asked.await.unwrap();
    let mut due = store
        .claim(&[WorkKind::Ask], 1, LEASE, at(2000))
        .await
        .unwrap();
    let ask = due.work.remove(0);
    let told = new_document(7, DocumentState::Drafted);
    let wrong = Then::End(DocumentState::Drafted, String::new(), Vec::new());
    let wrong = store.submit(ask.lease, submission(document, "failed"), wrong, at(2001));
    assert_eq!(wrong.await.unwrap_err().kind(), Kind::Invalid);
    let then = Then::End(DocumentState::Rejected, "no".into(), vec![told]);
    let ended = store.submit(ask.lease, submission(document, "failed"), then, at(2001));
    ended.await.unwrap();
    assert_eq!(
        state(&store, document).await,
        (DocumentState::Rejected, "no".into())
    );
    assert_eq!(state(&store, 6).await.0, DocumentState::Drafted);
    assert_eq!(state(&store, 7).await.0, DocumentState::Drafted);
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.work, [(WorkKind::Compose, 2)]);
}

pub(in crate::store) async fn who_is_named_by_a_list_is_due(store: Subject) {
    let (document, work) = delivering(&store).await;
    let listed = |name: &str| Submission {
        listed: Some(("day".into(), name.into())),
        ..submission(document, "submitted")
    };
    let sighted = |list: &str, names: &[(&str, &str)]| {
        let pair = |(name, word): &(&str, &str)| ((*name).to_owned(), (*word).to_owned());
        let names = names.iter().map(pair).collect();
        store.sighted(list.into(), names, at(10))
    };
    let then = Then::Ask(at(900), "taken".into(), Vec::new());
    let kept = store.submit(work.lease, listed("I-1"), then, at(1));
    kept.await.unwrap();
    let seen = async || store.submission(id(document)).await.unwrap().unwrap().seen;
    // Another name, and the same name in another list, are not it.
    assert!(sighted("day", &[("I-2", "there")]).await.unwrap());
    assert!(!sighted("other", &[("I-1", "there")]).await.unwrap());
    assert_eq!(seen().await, None);
    let due = async |second| {
        let claim = store.claim(&[WorkKind::Ask], 1, LEASE, at(second)).await;
        claim.unwrap().work.pop()
    };
    assert_eq!(due(10).await, None);
    let page = [("I-1", "there"), ("I-3", "there")];
    assert!(!sighted("day", &page).await.unwrap());
    let work = due(10).await.expect("it is due now");
    // The first word stands, whatever is submitted meanwhile, until it waits no longer.
    sighted("day", &[("I-1", "rejected")]).await.unwrap();
    let then = Then::Again(at(20), "not told yet".into());
    let kept = store.submit(work.lease, listed("I-1"), then, at(11));
    kept.await.unwrap();
    assert_eq!(seen().await.as_deref(), Some("there"));
    let work = due(20).await.unwrap();
    let then = Then::End(DocumentState::Settled, "seen".into(), Vec::new());
    let ended = store.submit(work.lease, submission(document, "confirmed"), then, at(21));
    ended.await.unwrap();
    assert_eq!(seen().await, None);
}

pub(in crate::store) async fn a_submission_waits_for_its_time(store: Subject) {
    let (document, work) = delivering(&store).await;
    let then = Then::Again(at(60), "busy".into());
    let put_off = store.submit(work.lease, submission(document, "new"), then, at(1));
    put_off.await.unwrap();
    let early = store.claim(&[WorkKind::Deliver], 1, LEASE, at(59)).await;
    assert!(early.unwrap().work.is_empty());
    let due = store.claim(&[WorkKind::Deliver], 1, LEASE, at(60)).await;
    assert_eq!(due.unwrap().work[0].error.as_deref(), Some("busy"));
}
