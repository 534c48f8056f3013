//! What only this store promises; the rest is in the suite.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::store::suite::{arrival, at, conformance, id, payload};
use crate::store::{Accepted, Retry};

conformance!(opened);

fn opened() -> (Arc<dyn Store>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(Sqlite::open(folder.path()).unwrap()), folder)
}

/// Jobs that wait together share a commit: the writer is held up by the first, the rest queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_accepts_share_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(folder.path()).unwrap());
    let (go, gate) = std::sync::mpsc::channel();
    let (busy, is_busy) = tokio::sync::oneshot::channel();
    let first = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            store
                .write(move |_| {
                    busy.send(()).unwrap();
                    gate.recv()
                        .map_err(|error| Error::new(Kind::Bug, error.to_string()))
                })
                .await
        })
    };
    is_busy.await.unwrap();
    let before = store.commits();
    let accepts: Vec<_> = (0..64)
        .map(|n| {
            let message = arrival(n, &format!("m{n}"), &format!("order {n}"));
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.accept(message, at(0)).await })
        })
        .collect();
    while store.writer.waiting() < accepts.len() {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    first.await.unwrap().unwrap();
    for accept in accepts {
        assert_eq!(
            accept.await.unwrap().unwrap(),
            Accepted::New { resend_of: None }
        );
    }
    assert_eq!(
        store.commits() - before,
        1,
        "one commit for 64 accepts, and for the first job"
    );
}

/// One that fails, or panics, takes nothing with it.
#[tokio::test]
async fn a_failed_job_leaves_the_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path()).unwrap();
    let fails = store.write(|c| {
        inbound::refuse(c, &arrival(1, "m1", "order"), at(0))?;
        Err::<(), _>(Error::invalid("changed my mind"))
    });
    let panics = store.write(|c| -> Result<(), Error> {
        inbound::refuse(c, &arrival(2, "m2", "order"), at(0))?;
        panic!("a planted panic")
    });
    let works = store.accept(arrival(3, "m3", "order"), at(0));
    let (failed, panicked, worked) = tokio::join!(fails, panics, works);
    assert_eq!(failed.unwrap_err().kind(), Kind::Invalid);
    assert_eq!(panicked.unwrap_err().kind(), Kind::Bug);
    worked.unwrap();
    let rows = store.messages(Filter::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [id(3)]);
}

/// After an I/O error nothing is trusted: every later call fails, and a new start recovers.
#[tokio::test]
async fn a_failed_store_stays_failed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path()).unwrap();
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    let planted = store
        .write(|c| {
            inbound::refuse(c, &arrival(2, "m2", "order"), at(0))?;
            Err::<(), _>(Error::new(Kind::Failed, "fsync: input/output error"))
        })
        .await;
    assert_eq!(planted.unwrap_err().kind(), Kind::Failed);
    let accept = store
        .accept(arrival(3, "m3", "order"), at(0))
        .await
        .unwrap_err();
    assert_eq!(accept.kind(), Kind::Failed);
    assert!(matches!(accept.retry(), Retry::After(_)));
    assert_eq!(store.ready().await.unwrap_err().kind(), Kind::Failed);
    assert_eq!(store.counts().await.unwrap_err().kind(), Kind::Failed);
    drop(store);
    let store = Sqlite::open(folder.path()).unwrap();
    assert_eq!(store.messages(Filter::default()).await.unwrap().len(), 1);
}

/// A full disk refuses, and is forgiven once there is room.
#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path()).unwrap();
    let limit = |pages: u32| {
        store.write(move |c| {
            c.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
            Ok(())
        })
    };
    limit(1).await.unwrap();
    let large = "ISA*".repeat(12_000);
    let full = store
        .accept(arrival(1, "m1", &large), at(0))
        .await
        .unwrap_err();
    assert_eq!(full.kind(), Kind::Full);
    assert!(matches!(full.retry(), Retry::After(_)));
    limit(1_000_000).await.unwrap();
    let accepted = store.accept(arrival(1, "m1", &large), at(0)).await.unwrap();
    assert_eq!(accepted, Accepted::New { resend_of: None });
}

/// What was answered for is there after the store is dropped and opened again, large or small.
#[tokio::test]
async fn what_was_stored_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let large = "ISA*".repeat(50_000);
    let store = Sqlite::open(folder.path()).unwrap();
    store.accept(arrival(1, "m1", &large), at(0)).await.unwrap();
    let before = store.message(id(1)).await.unwrap();
    drop(store);
    let store = Sqlite::open(folder.path()).unwrap();
    assert_eq!(store.message(id(1)).await.unwrap(), before);
    let digest = payload(&large).digest;
    let kept = store.payload(digest).await.unwrap().unwrap();
    assert_eq!(kept.read().unwrap(), large);

    std::fs::remove_dir_all(folder.path().join("payloads")).unwrap();
    let lost = store.payload(digest).await.unwrap_err();
    assert_eq!(
        (lost.kind(), lost.retry()),
        (Kind::Unreadable, Retry::Never)
    );
    store.ready().await.unwrap();
}

#[test]
fn a_folder_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path()).unwrap();
    let second = Sqlite::open(folder.path()).err().unwrap();
    assert_eq!(second.kind(), Kind::Locked);
    drop(store);
    Sqlite::open(folder.path()).unwrap();
}

/// Another process looks at the folder, and orders; the one that has it sees that.
#[tokio::test]
async fn a_second_one_stands_beside_the_owner() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Sqlite::beside(folder.path()).is_err(), "there is no store");
    let store = Sqlite::open(folder.path()).unwrap();
    let large = "ISA*".repeat(50_000);
    let beside = Sqlite::beside(folder.path()).unwrap();
    let draft = crate::store::Draft {
        partner: "acme".into(),
        document: crate::store::suite::new_document(1, DocumentState::Drafted),
        payload: Some(payload(&large)),
    };
    beside.draft(draft, at(0)).await.unwrap();
    let kinds = [WorkKind::Compose];
    let lease = Duration::from_secs(30);
    let claimed = store.claim(&kinds, 9, lease, at(0)).await.unwrap().work;
    assert_eq!(claimed[0].subject, id(1));
    let kept = store
        .payload(payload(&large).digest)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.read().unwrap(), large);
    let queue = beside.queue(9).await.unwrap().waiting;
    assert!(queue[0].leased, "and the other way round");
    beside.close().await.unwrap();
    store.ready().await.unwrap();
}

#[test]
fn another_programs_or_a_newer_database_is_refused() {
    let refused = |sql: &str| {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("transload.db")).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        let error = Sqlite::open(folder.path()).err().unwrap();
        assert_eq!(error.kind(), Kind::Invalid);
        error.to_string()
    };
    assert!(refused("CREATE TABLE theirs (a)").contains("another program's"));
    assert!(refused("PRAGMA user_version = 99").contains("newer version"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("transload.db"), [b'x'; 4096]).unwrap();
    assert_eq!(
        Sqlite::open(folder.path()).err().unwrap().kind(),
        Kind::Failed
    );
}

/// The settings that durability hangs on.
#[tokio::test]
async fn the_writer_is_set_to_last() {
    let (folder, setting) = (tempfile::tempdir().unwrap(), |name: &'static str| {
        move |c: &Connection| -> Result<String, Error> {
            let value = c.query_row(&format!("PRAGMA {name}"), [], |row| {
                row.get::<_, rusqlite::types::Value>(0)
            })?;
            Ok(format!("{value:?}"))
        }
    });
    let store = Sqlite::open(folder.path()).unwrap();
    for (name, value) in [
        ("journal_mode", "Text(\"wal\")"),
        ("synchronous", "Integer(2)"),
        ("foreign_keys", "Integer(1)"),
        ("trusted_schema", "Integer(0)"),
        ("cell_size_check", "Integer(1)"),
        ("busy_timeout", "Integer(5000)"),
    ] {
        assert_eq!(store.write(setting(name)).await.unwrap(), value, "{name}");
    }
}

/// SQLite numbers `$n` by first appearance: every statement uses `$1`, `$2` … in that order.
#[test]
fn placeholders_ascend() {
    let sources = [
        include_str!("inbound.rs"),
        include_str!("orders.rs"),
        include_str!("outbound.rs"),
        include_str!("queries.rs"),
        include_str!("queue.rs"),
    ];
    let mut statements = 0;
    for literal in sources
        .iter()
        .flat_map(|source| source.split('"').skip(1).step_by(2))
    {
        let mut seen = HashSet::new();
        for rest in literal.split('$').skip(1) {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let number: usize = digits.parse().unwrap_or_else(|_| panic!("{literal}"));
            if seen.insert(number) {
                assert_eq!(number, seen.len(), "{literal}");
            }
        }
        statements += usize::from(!seen.is_empty());
    }
    assert!(statements > 40, "only {statements} statements were found");
}

/// History is only ever added to.
#[tokio::test]
async fn events_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path()).unwrap();
    store
        .accept(arrival(1, "m1", "order"), at(0))
        .await
        .unwrap();
    for sql in ["DELETE FROM event", "UPDATE event SET what = 'other'"] {
        let error = store
            .write(move |c| Ok(c.execute_batch(sql)?))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("only ever added"), "{error}");
    }
}

/// Rows of the queue as they lie there, written past the transactions that make them.
fn queued(c: &Connection, partner: &str, count: u32) {
    let sql = "INSERT INTO turn (partner, served) VALUES ($1, 0)";
    queue::run(c, sql, &[&partner]).unwrap();
    let sql = "INSERT INTO work (kind, subject, partner, due, leased, attempt, deaths, queued)
               VALUES ('send', randomblob(16), $1, $2, 0, 0, 0, $2)";
    let due = at(0).timestamp_micros();
    for _ in 0..count {
        queue::run(c, sql, rusqlite::params![partner, due]).unwrap();
    }
}

/// A database in which a partner has `dead` waiting, and twenty others three each.
fn crowded(folder: &Path, dead: u32) -> Connection {
    let c = schema::open(&folder.join(format!("{dead}.db"))).unwrap();
    c.execute_batch("BEGIN").unwrap();
    queued(&c, "dead", dead);
    for live in 0..20 {
        queued(&c, &format!("live {live:02}"), 3);
    }
    c
}

/// Instructions of SQLite that one claim of twenty takes where `how` says how the partner with many
/// does; and who was served.
fn claimed(c: &mut Connection, how: &str) -> (u64, Vec<String>) {
    c.execute_batch(&format!("SAVEPOINT one; {how}")).unwrap();
    let steps = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&steps);
    let more = move || {
        count.fetch_add(1, Ordering::Relaxed);
        false
    };
    c.progress_handler(1, Some(more)).unwrap();
    let kinds = [WorkKind::Send, WorkKind::Answer];
    let claimed = queue::claim(c, &kinds, 20, LEASE, at(1)).unwrap();
    c.progress_handler(0, None::<fn() -> bool>).unwrap();
    c.execute_batch("ROLLBACK TO one; RELEASE one").unwrap();
    let served = claimed.work.into_iter().map(|work| work.partner).collect();
    (steps.load(Ordering::Relaxed), served)
}

const LEASE: Duration = Duration::from_secs(30);

/// Partners who only wait cost a look nothing, and whoever has something to do is found, whichever
/// write made it due.
#[test]
fn a_thousand_partners_who_wait_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut c = crowded(folder.path(), 1);
    let (alone, _) = claimed(&mut c, "");
    for absent in 0..1000 {
        queued(&c, &format!("absent {absent}"), 1);
    }
    let later = "UPDATE work SET due = 9000000000000000 WHERE partner LIKE 'absent%'";
    c.execute_batch(later).unwrap();
    // The first look that finds something notes who waits.
    let kinds = [WorkKind::Send];
    let first = queue::claim(&c, &kinds, 1, LEASE, at(1)).unwrap();
    assert_eq!(first.work.len(), 1);
    let (beside, _) = claimed(&mut c, "");
    assert!(
        beside < alone + alone / 4,
        "{alone} steps, {beside} beside a thousand"
    );
    let due = at(0).timestamp_micros();
    for sooner in [
        format!("UPDATE work SET due = {due} WHERE partner = 'absent 7'"),
        format!(
            "INSERT INTO work (kind, subject, partner, due, leased, attempt, deaths, queued)
             VALUES ('answer', randomblob(16), 'absent 7', {due}, 0, 0, 0, {due})"
        ),
    ] {
        let (_, served) = claimed(&mut c, &sooner);
        assert!(served.contains(&"absent 7".to_owned()), "{sooner}");
    }
}

/// One dead partner with 50,000 messages costs twenty live ones nothing: each is served, and the
/// claim takes as many steps as beside a dead partner with 50. Steps are counted and not time.
#[test]
fn a_dead_partner_with_fifty_thousand_queued_slows_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let [mut small, mut large] = [50, 50_000].map(|dead| crowded(folder.path(), dead));
    for how in [
        // Left in peace for a while.
        "UPDATE turn SET missed = 9, shut = 9000000000000000 WHERE partner = 'dead'",
        // One probe is out, and hangs.
        "UPDATE turn SET missed = 9 WHERE partner = 'dead';
         UPDATE work SET leased = 1, due = 9000000000000000 WHERE id = 1",
        // As much is out as he bears, and hangs.
        "UPDATE work SET leased = 1, due = 9000000000000000 WHERE id <= 4",
        // All of it was tried, and waits for its next try.
        "UPDATE work SET due = 9000000000000000 WHERE partner = 'dead'",
    ] {
        let (few, served) = claimed(&mut small, how);
        let (many, also) = claimed(&mut large, how);
        let mut live: Vec<_> = (0..20).map(|live| format!("live {live:02}")).collect();
        live.sort();
        assert_eq!((&served, &also), (&live, &live), "each in turn: {how}");
        assert!(
            many < few + few / 4,
            "{few} steps, {many} with 50,000: {how}"
        );
    }
}

/// Who ends in order gives back what it had: nobody is counted as dead for it.
#[tokio::test]
async fn a_store_that_is_closed_gives_its_leases_back() {
    let folder = tempfile::tempdir().unwrap();
    let claim = async |store: &Sqlite| {
        let claimed = store.claim(&[WorkKind::Read], 9, LEASE, at(0)).await;
        claimed.unwrap().work
    };
    for turn in 0..crate::store::DEATHS + 1 {
        let store = Sqlite::open(folder.path()).unwrap();
        if turn == 0 {
            store
                .accept(arrival(1, "m1", "order"), at(0))
                .await
                .unwrap();
        }
        assert_eq!(claim(&store).await.len(), 1, "turn {turn}");
        store.close().await.unwrap();
    }
    let store = Sqlite::open(folder.path()).unwrap();
    let events = store.message(id(1)).await.unwrap().unwrap().events;
    assert!(
        events.iter().all(|event| event.what != "worker died"),
        "{events:?}"
    );
}
