//! The promises of the inbound walk.

use super::*;

pub(in crate::store) async fn a_new_message_is_whole(store: Subject) {
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
    assert_eq!(stored(&store, detail.message.body).await, "sealed order");
    let content = detail.message.content.unwrap();
    assert_eq!(stored(&store, content).await, "order");
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

pub(in crate::store) async fn a_copy_gets_the_stored_answer(store: Subject) {
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

pub(in crate::store) async fn one_of_many_copies_is_new(store: Subject) {
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

pub(in crate::store) async fn an_id_for_other_content_is_reused(store: Subject) {
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

pub(in crate::store) async fn a_refused_message_comes_anew(store: Subject) {
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

pub(in crate::store) async fn the_same_content_under_another_id_seems_resent(store: Subject) {
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

pub(in crate::store) async fn a_large_payload_comes_back(store: Subject) {
    let large = "ISA*".repeat(50_000);
    let message = arrival(1, "m1", &large);
    let digest = message.content.as_ref().unwrap().digest;
    store.accept(message, at(0)).await.unwrap();
    assert_eq!(stored(&store, digest).await, large);
    assert_eq!(store.payload([9; 32]).await.unwrap(), None);
}

/// A file that is handed in is there, under its digest, however often it comes and whatever
/// becomes of its own place.
pub(in crate::store) async fn a_file_is_kept_like_bytes(store: Subject) {
    let large = "ISA*".repeat(50_000);
    let digest = payload(&large).digest;
    for n in 1..=2 {
        let path = store.spool().join(format!("{}.part", Uuid::now_v7()));
        std::fs::write(&path, &large).unwrap();
        let file = Payload::file(&path, large.len() as u64, digest);
        let message = Arrival {
            body: file.clone(),
            content: Some(file),
            ..arrival(n, &format!("m{n}"), "")
        };
        let accepted = store.accept(message, at(0)).await.unwrap();
        assert!(matches!(accepted, Accepted::New { .. }), "{accepted:?}");
        let _ = std::fs::remove_file(path);
    }
    let kept = store.payload(digest).await.unwrap().unwrap();
    assert_eq!((kept.len(), kept.digest), (large.len() as u64, digest));
    assert_eq!(stored(&store, digest).await, large);
}

pub(in crate::store) async fn an_answer_leaves_once(store: Subject) {
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

pub(in crate::store) async fn a_message_becomes_documents(store: Subject) {
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

pub(in crate::store) async fn a_repeated_control_number_is_held(store: Subject) {
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

pub(in crate::store) async fn a_reading_is_all_or_nothing(store: Subject) {
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

/// A reading in parts: what is recorded is there at once, and who goes on is told how far it got.
pub(in crate::store) async fn a_long_reading_comes_in_parts(store: Subject) {
    order_read(&store).await;
    store
        .accept(arrival(2, "m2", "orders"), at(2))
        .await
        .unwrap();
    let part = |n: u128, more| Reading {
        interchanges: vec![new_interchange(
            20,
            "000000007",
            vec![new_document(n, DocumentState::Read)],
        )],
        note: "2 sets".into(),
        more,
        ..Reading::default()
    };
    let work = one(&store, WorkKind::Read, 2).await;
    assert_eq!(work.done, 0);
    let recorded = store.read(work.lease, part(200, Some(1)), at(2)).await;
    // The number came before: all parts of it are held.
    assert_eq!(recorded.unwrap().duplicates, [(id(20), id(10))]);
    assert_eq!(state_of(&store, 200).await, DocumentState::Held);
    none(&store, WorkKind::Read, 2).await;
    // That worker died after its first part.
    let again = one(&store, WorkKind::Read, 40).await;
    assert_eq!((again.subject, again.done), (id(2), 1));
    let stale = store.read(work.lease, part(201, None), at(41)).await;
    assert_eq!(stale.unwrap_err().kind(), Kind::Stale);
    store
        .read(again.lease, part(202, None), at(41))
        .await
        .unwrap();
    assert_eq!(state_of(&store, 202).await, DocumentState::Held);
    assert_eq!(store.document(id(201)).await.unwrap(), None);
    none(&store, WorkKind::Read, 99).await;
    let detail = store.message(id(2)).await.unwrap().unwrap();
    assert_eq!(detail.interchanges.len(), 1);
    assert_eq!(detail.documents.len(), 2);
    // Another message's interchange is not added to.
    store
        .accept(arrival(3, "m3", "more"), at(42))
        .await
        .unwrap();
    let work = one(&store, WorkKind::Read, 42).await;
    let foreign = store.read(work.lease, part(203, None), at(42)).await;
    assert_eq!(foreign.unwrap_err().kind(), Kind::Invalid);
}

pub(in crate::store) async fn a_delivery_ends_and_the_business_speaks(store: Subject) {
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

pub(in crate::store) async fn an_answer_is_posted(store: Subject) {
    let there = "https://them.example/receipts";
    store.accept(apart(1, "m1", there), at(0)).await.unwrap();
    let refused = Arrival {
        content: None,
        ..apart(2, "m2", there)
    };
    store.refuse(refused, at(0)).await.unwrap();
    for (n, before, after) in [
        (1, MessageState::Received, MessageState::Answered),
        (2, MessageState::Refused, MessageState::Refused),
    ] {
        let claimed = store.claim(&[WorkKind::Answer], 1, LEASE, at(1)).await;
        let work = claimed.unwrap().work.remove(0);
        assert_eq!(work.subject, id(n));
        assert_eq!(message_state(&store, n).await, before);
        let detail = store.message(id(n)).await.unwrap().unwrap();
        assert_eq!(detail.answer_to.as_deref(), Some(there));
        let posted = store.posted(work.lease, "HTTP 200".into(), at(2));
        posted.await.unwrap();
        assert_eq!(message_state(&store, n).await, after);
        let detail = store.message(id(n)).await.unwrap().unwrap();
        assert_eq!(detail.message.note, "signed, encrypted");
        let last = detail.events.last().unwrap();
        assert_eq!(
            (last.what.as_str(), last.detail.as_str()),
            ("answered", "HTTP 200")
        );
    }
    none(&store, WorkKind::Answer, 9999).await;
}

pub(in crate::store) async fn a_copy_has_the_answer_posted_again(store: Subject) {
    store
        .accept(apart(1, "m1", "http://a/"), at(0))
        .await
        .unwrap();
    let copy = async |n, now| {
        let copied = store.accept(apart(n, "m1", "http://b/"), at(now)).await;
        let first = Accepted::Duplicate {
            message: id(1),
            answer: Some(answer("mdn 1")),
        };
        assert_eq!(copied.unwrap(), first);
    };
    let work = one(&store, WorkKind::Answer, 0).await;
    copy(2, 1).await;
    none(&store, WorkKind::Answer, 1).await;
    let refused = store.retry(work.lease, at(600), "refused".into(), at(2));
    refused.await.unwrap();
    none(&store, WorkKind::Answer, 3).await;
    copy(3, 3).await;
    let work = one(&store, WorkKind::Answer, 3).await;
    let detail = store.message(work.subject).await.unwrap().unwrap();
    assert_eq!(detail.answer_to.as_deref(), Some("http://b/"));
    store
        .posted(work.lease, String::new(), at(4))
        .await
        .unwrap();
    copy(4, 5).await;
    one(&store, WorkKind::Answer, 5).await;
    // Who was given no answer gets none later.
    let silent = Arrival {
        answer: None,
        ..arrival(9, "m9", "other order")
    };
    store.accept(silent, at(6)).await.unwrap();
    let asking = Arrival {
        answer_to: Some("http://b/".into()),
        ..arrival(10, "m9", "other order")
    };
    store.accept(asking, at(7)).await.unwrap();
    none(&store, WorkKind::Answer, 7).await;
}

pub(in crate::store) async fn an_answer_that_cannot_be_posted(store: Subject) {
    store
        .accept(apart(1, "m1", "http://a/"), at(0))
        .await
        .unwrap();
    let work = one(&store, WorkKind::Answer, 0).await;
    let buried = store.bury(work.lease, Aside::Uncertain, "72 h".into(), at(1));
    buried.await.unwrap();
    let detail = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!(detail.message.state, MessageState::Uncertain);
    assert_eq!(
        detail.message.note, "signed, encrypted",
        "what it is stays said"
    );
    assert_eq!(detail.events.last().unwrap().what, "answer given up");
    // It is ours all the same, and a copy asks for the answer again.
    one(&store, WorkKind::Read, 1).await;
    store
        .accept(apart(2, "m1", "http://a/"), at(2))
        .await
        .unwrap();
    let work = one(&store, WorkKind::Answer, 2).await;
    store
        .posted(work.lease, String::new(), at(3))
        .await
        .unwrap();
    assert_eq!(message_state(&store, 1).await, MessageState::Answered);
}
