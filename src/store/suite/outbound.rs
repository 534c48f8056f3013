//! The promises of the outbound walk.

use super::*;

pub(in crate::store) async fn a_draft_is_stored_once(store: Subject) {
    let draft = |n, partner: &str, key: Option<&str>| Draft {
        partner: partner.into(),
        document: NewDocument {
            key: key.map(Into::into),
            ..new_document(n, DocumentState::Drafted)
        },
        payload: None,
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
        payload: None,
    };
    assert_eq!(
        store.draft(read, at(0)).await.unwrap_err().kind(),
        Kind::Invalid
    );
}

pub(in crate::store) async fn a_draft_brings_its_bytes(store: Subject) {
    for text in ["ISA*small~".to_owned(), "ISA*".repeat(50_000)] {
        let payload = payload(&text);
        let draft = Draft {
            partner: "acme".into(),
            document: new_document(text.len() as u128, DocumentState::Drafted),
            payload: Some(payload.clone()),
        };
        assert_eq!(store.draft(draft, at(0)).await.unwrap(), Drafted::New);
        assert_eq!(stored(&store, payload.digest).await, text);
    }
}

pub(in crate::store) async fn a_refusal_to_compose_uses_no_number(store: Subject) {
    drafted(&store, 1).await;
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

pub(in crate::store) async fn after_the_last_number_comes_one(store: Subject) {
    store
        .advance("ZZUS/ZZTHEM".into(), LAST_CONTROL_NUMBER - 1, at(0))
        .await
        .unwrap();
    let mut used = Vec::new();
    for n in 1..=3 {
        drafted(&store, n).await;
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
    drafted(&store, 9).await;
    let work = one(&store, WorkKind::Compose, 0).await;
    let numbers = store
        .compose(work.lease, envelope(29), composing(vec![9]), at(0))
        .await
        .unwrap();
    assert_eq!(numbers.interchange, 2);
}

pub(in crate::store) async fn numbers_count_by_pair(store: Subject) {
    let mut used = Vec::new();
    for (n, pair, groups) in [(1, "A/B", 2), (2, "A/C", 1), (3, "A/B", 1)] {
        drafted(&store, n).await;
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

pub(in crate::store) async fn a_document_goes_out_once(store: Subject) {
    sealed_out(&store, 1).await;
    let work = one(&store, WorkKind::Send, 2).await;
    let detail = store.message(work.subject).await.unwrap().unwrap();
    assert_eq!(detail.message.state, MessageState::Sealed);
    assert_eq!(detail.headers, sealed(2, "out@us").headers);
    assert_eq!(detail.message.content, detail.interchanges[0].payload);
    assert_eq!(detail.documents[0].state, DocumentState::Drafted);
    assert_eq!(detail.documents[0].set_control.as_deref(), Some("0001"));
    let digest = detail.interchanges[0].payload.unwrap();
    assert_eq!(stored(&store, digest).await, "ISA*000000001~");

    let why = "no receipt yet".to_owned();
    store.sent(work.lease, at(600), why, at(3)).await.unwrap();
    let sent = store.message(id(2)).await.unwrap().unwrap();
    assert_eq!(
        (sent.message.state, sent.message.note.as_str()),
        (MessageState::Sent, "no receipt yet")
    );
    assert_eq!(state_of(&store, 1).await, DocumentState::Drafted);
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

    store
        .receipt(id(2), receipt(MessageState::Confirmed), at(601))
        .await
        .unwrap();
    store
        .receipt(id(2), receipt(MessageState::Confirmed), at(602))
        .await
        .unwrap();
    store
        .receipt(id(2), receipt(MessageState::Refused), at(603))
        .await
        .unwrap();
    let detail = store.message(id(2)).await.unwrap().unwrap();
    assert_eq!(detail.message.state, MessageState::Confirmed);
    assert_eq!(detail.message.updated, at(601));
    assert_eq!(detail.answer, receipt(MessageState::Confirmed).answer);
    none(&store, WorkKind::Send, 9999).await;
    let lost = store
        .retry(again.lease, at(700), "timed out".into(), at(603))
        .await;
    assert_eq!(lost.unwrap_err().kind(), Kind::Stale);
}

pub(in crate::store) async fn a_verdict_settles_what_it_names(store: Subject) {
    sealed_out(&store, 1).await;
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

pub(in crate::store) async fn documents_share_an_interchange(store: Subject) {
    for n in [1, 2, 3] {
        drafted(&store, n).await;
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

pub(in crate::store) async fn a_verdict_is_on_the_newest_of_equal_numbers(store: Subject) {
    for n in [1, 2] {
        drafted(&store, n).await;
        let work = one(&store, WorkKind::Compose, 0).await;
        store
            .compose(work.lease, envelope(20 + n), composing(vec![n]), at(0))
            .await
            .unwrap();
        store
            .advance("ZZUS/ZZTHEM".into(), LAST_CONTROL_NUMBER - 1, at(0))
            .await
            .unwrap();
    }
    store.accept(arrival(9, "m9", "997"), at(1)).await.unwrap();
    let work = one(&store, WorkKind::Read, 1).await;
    let (group_control, note) = ("1".into(), "A".into());
    let verdict = Verdict {
        group_control,
        set_control: None,
        accepted: true,
        note,
    };
    let reading = Reading {
        verdicts: vec![verdict],
        ..Reading::default()
    };
    let recorded = store.read(work.lease, reading, at(1)).await.unwrap();
    assert_eq!(recorded.judged, [id(2)]);
    assert_eq!(state_of(&store, 1).await, DocumentState::Drafted);
}

pub(in crate::store) async fn a_late_receipt_revives(store: Subject) {
    for (n, aside) in [(0, Aside::Dead), (1, Aside::Uncertain)] {
        drafted(&store, 1 + n).await;
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
            .receipt(id(30 + n), receipt(MessageState::Confirmed), at(2))
            .await
            .unwrap();
        assert_eq!(message_state(&store, 30 + n).await, MessageState::Confirmed);
        assert_eq!(state_of(&store, 1 + n).await, DocumentState::Sent);
    }
}

pub(in crate::store) async fn an_error_receipt_fails_the_documents(store: Subject) {
    sealed_out(&store, 1).await;
    store
        .receipt(id(2), receipt(MessageState::Refused), at(3))
        .await
        .unwrap();
    assert_eq!(message_state(&store, 2).await, MessageState::Refused);
    assert_eq!(state_of(&store, 1).await, DocumentState::Failed);
    none(&store, WorkKind::Send, 9999).await;
    let silent = Receipt {
        answer: None,
        ..receipt(MessageState::Confirmed)
    };
    store.receipt(id(2), silent, at(4)).await.unwrap();
    let detail = store.message(id(2)).await.unwrap().unwrap();
    assert_eq!(detail.message.state, MessageState::Confirmed);
    assert_eq!(detail.answer, receipt(MessageState::Refused).answer);
}

pub(in crate::store) async fn the_dead_fail_their_documents(store: Subject) {
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

pub(in crate::store) async fn a_receipt_about_other_bytes_leaves_it_uncertain(store: Subject) {
    sealed_out(&store, 1).await;
    let uncertain = || receipt(MessageState::Uncertain);
    store.receipt(id(2), uncertain(), at(3)).await.unwrap();
    assert_eq!(message_state(&store, 2).await, MessageState::Uncertain);
    assert_eq!(state_of(&store, 1).await, DocumentState::Drafted);
    let detail = store.message(id(2)).await.unwrap().unwrap();
    assert_eq!(detail.answer, uncertain().answer, "evidence");
    none(&store, WorkKind::Send, 9999).await;
    let refused = receipt(MessageState::Refused);
    store.receipt(id(2), refused, at(4)).await.unwrap();
    store.receipt(id(2), uncertain(), at(5)).await.unwrap();
    assert_eq!(message_state(&store, 2).await, MessageState::Refused);
    let sealed = store.receipt(id(2), receipt(MessageState::Sealed), at(6));
    assert_eq!(sealed.await.unwrap_err().kind(), Kind::Invalid);
}

pub(in crate::store) async fn a_remark_changes_nothing(store: Subject) {
    sealed_out(&store, 1).await;
    let before = store.message(id(2)).await.unwrap().unwrap();
    let remark = store.remark(id(2), "receipt ignored", "not signed".into(), at(9));
    remark.await.unwrap();
    let mut after = store.message(id(2)).await.unwrap().unwrap();
    let event = after.events.pop().unwrap();
    assert_eq!(
        (event.at, event.what.as_str(), event.detail.as_str()),
        (at(9), "receipt ignored", "not signed")
    );
    assert_eq!(before, after);
    for _ in 0..2 * REMARKS {
        let more = store.remark(id(2), "receipt ignored", "forged".into(), at(9));
        more.await.unwrap();
    }
    let after = store.message(id(2)).await.unwrap().unwrap();
    assert_eq!(after.events.len(), before.events.len() + REMARKS);
    let nowhere = store.remark(id(77), "x", "y".into(), at(9)).await;
    assert_eq!(nowhere.unwrap_err().kind(), Kind::Missing);
}
