//! The promises of the queue and the queries.

use super::*;

pub(in crate::store) async fn a_lost_lease_finishes_nothing(store: Subject) {
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

pub(in crate::store) async fn a_lease_that_is_kept_is_not_lost(store: Subject) {
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

pub(in crate::store) async fn a_retry_waits_for_its_time(store: Subject) {
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

pub(in crate::store) async fn three_deaths_set_aside(store: Subject) {
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

pub(in crate::store) async fn a_word_from_a_worker_forgives_deaths(store: Subject) {
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    for round in 0..4 {
        one(&store, WorkKind::Read, 100 * round).await;
        one(&store, WorkKind::Read, 100 * round + 30).await;
        let work = one(&store, WorkKind::Read, 100 * round + 60).await;
        let now = at(100 * round + 61);
        store
            .retry(work.lease, now, "restart".into(), now)
            .await
            .unwrap();
    }
    one(&store, WorkKind::Read, 999).await;
}

pub(in crate::store) async fn partners_take_turns(store: Subject) {
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

pub(in crate::store) async fn lists_filter(store: Subject) {
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
    let (acme, sent) = (Some("acme".into()), Some(Direction::Outbound));
    let received = Some(MessageState::Received);
    for (filter, wanted) in [
        (all(), vec![5, 4, 3, 2]),
        (Filter { limit: 2, ..all() }, vec![5, 4]),
        (
            Filter {
                partner: acme,
                ..all()
            },
            vec![4, 3, 2],
        ),
        (
            Filter {
                since: Some(at(4)),
                ..all()
            },
            vec![5, 4],
        ),
        (
            Filter {
                direction: sent,
                ..all()
            },
            vec![2],
        ),
        (
            Filter {
                state: received,
                ..all()
            },
            vec![5, 4, 3],
        ),
    ] {
        assert_eq!(listed(filter).await, wanted);
    }
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
}

pub(in crate::store) async fn counts_count(store: Subject) {
    sealed_out(&store, 1).await;
    for n in 3..=5 {
        store
            .accept(arrival(n, &format!("m{n}"), "order"), at(3))
            .await
            .unwrap();
    }
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

pub(in crate::store) async fn what_is_not_there_is_missing(store: Subject) {
    assert_eq!(store.message(id(1)).await.unwrap(), None);
    assert_eq!(store.interchange(id(1)).await.unwrap(), None);
    assert_eq!(store.document(id(1)).await.unwrap(), None);
    let missing = |result: Result<(), Error>| assert_eq!(result.unwrap_err().kind(), Kind::Missing);
    missing(store.answered(id(1), at(0)).await);
    missing(
        store
            .receipt(id(1), receipt(MessageState::Confirmed), at(0))
            .await,
    );
    missing(
        store
            .settle(id(1), DocumentState::Settled, String::new(), at(0))
            .await,
    );
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let ours = store
        .receipt(id(1), receipt(MessageState::Confirmed), at(0))
        .await;
    assert_eq!(ours.unwrap_err().kind(), Kind::Invalid);
}

pub(in crate::store) async fn closed_is_closed(store: Subject) {
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
