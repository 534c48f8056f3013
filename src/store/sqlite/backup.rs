//! A copy of a store that is in use, and a store from such a copy.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, params};
use uuid::Uuid;

use super::columns::{id, word};
use super::payloads::Payloads;
use super::queue::{all, first, log, move_message, run};
use super::{DATABASE, Sqlite, outbound, readers, schema};
use crate::store::{Digest, Error, Kind, MessageState, Payload, WorkKind, held_until};

/// A copy of the database as of one moment, checked. Its file goes when this is dropped.
#[derive(Debug)]
pub struct Snapshot {
    /// The copy.
    pub database: PathBuf,
    /// The payloads that it names and does not hold.
    pub payloads: Vec<Payload>,
    /// The number of its schema.
    pub schema: u32,
    /// Messages in it.
    pub messages: u64,
    /// Documents in it.
    pub documents: u64,
    /// Rows of the queue in it.
    pub waiting: u64,
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // It lies in the spool: what is left goes at the next start.
        let _ = fs::remove_file(&self.database);
    }
}

/// What became of a store that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// Pairs of interchange ids whose numbers went ahead.
    pub pairs: u64,
    /// By how many; pairs that the backup does not know begin behind as many.
    pub advanced: u32,
    /// Messages of ours that may have gone since the backup: `uncertain`, and held.
    pub uncertain: u64,
    /// Other pieces of work that are held: documents to deliver, to write, to seal.
    pub held: u64,
}

impl Sqlite {
    /// A checked copy of the store in `folder`, which another process may have open and goes on
    /// writing to. Blocks, for as long as the database takes to copy and to read.
    ///
    /// # Errors
    /// [`Kind::Failed`] where there is no store, it cannot be read, the disk is full, or the copy is
    /// not sound; [`Kind::Unreadable`] where a payload's file is missing.
    pub fn snapshot(folder: &Path) -> Result<Snapshot, Error> {
        let source = folder.join(DATABASE);
        if !source.exists() {
            let detail = format!("there is no store in {}", folder.display());
            return Err(Error::new(Kind::Failed, detail));
        }
        let payloads = Payloads::beside(folder.join("payloads"));
        let name = format!("backup-{}.db", std::process::id());
        let mut snapshot = Snapshot {
            database: payloads.spool().join(name),
            payloads: Vec::new(),
            schema: 0,
            messages: 0,
            documents: 0,
            waiting: 0,
        };
        let _ = fs::remove_file(&snapshot.database);
        let to = snapshot.database.to_string_lossy().into_owned();
        // One read transaction: what commits meanwhile is in the log, and not in the copy.
        readers::open(source)?.execute("VACUUM INTO $1", params![to])?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let copy = Connection::open_with_flags(&snapshot.database, flags)?;
        schema::harden(&copy)?;
        sound(&copy, &snapshot.database)?;
        let rows_of = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            let count = first(&copy, &sql, &[], |row| row.get::<_, i64>(0))?;
            Ok::<_, Error>(count.unwrap_or(0).cast_unsigned())
        };
        snapshot.schema = copy.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        snapshot.messages = rows_of("message")?;
        snapshot.documents = rows_of("document")?;
        snapshot.waiting = rows_of("work")?;
        snapshot.payloads = in_files(&copy, &payloads)?;
        Ok(snapshot)
    }

    /// Reads the database of the store in `folder` once, also beside the process that has it: the number
    /// of its schema, or none where there is no store. Blocks.
    ///
    /// # Errors
    /// [`Kind::Failed`] where it is not sound, or is not one of ours.
    pub fn examine(folder: &Path) -> Result<Option<u32>, Error> {
        let path = folder.join(DATABASE);
        if !path.exists() {
            return Ok(None);
        }
        let connection = readers::open(path.clone())?;
        schema::check(&connection, &path)?;
        let schema = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        Ok(Some(schema))
    }

    /// Makes a copy of [`snapshot`](Sqlite::snapshot), which lies in `folder` under its usual name,
    /// a store that can go to work: every pair's numbers go `advance` on, and what was waiting is
    /// held, because it may have been done between `made` and the end of the store that it was.
    /// Blocks.
    ///
    /// # Errors
    /// As [`Sqlite::open`]; [`Kind::Unreadable`] where a payload's file is missing.
    pub fn restored(
        folder: &Path,
        made: DateTime<Utc>,
        advance: u32,
        now: DateTime<Utc>,
    ) -> Result<Restored, Error> {
        let lock = schema::lock(folder)?;
        let database = folder.join(DATABASE);
        let payloads = Payloads::open(folder.join("payloads"))?;
        let connection = schema::open(&database)?;
        sound(&connection, &database)?;
        in_files(&connection, &payloads)?;
        let transaction = connection.unchecked_transaction()?;
        let restored = settle(&transaction, made, advance, now)?;
        transaction.commit()?;
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        drop(lock);
        Ok(restored)
    }
}

/// Refuses a database that breaks a rule of its own.
fn sound(c: &Connection, path: &Path) -> Result<(), Error> {
    let verdict: String = c.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let stray = first(c, "PRAGMA foreign_key_check", &[], |row| {
        row.get::<_, String>(0)
    })?;
    let why = match (verdict.as_str(), stray) {
        ("ok", None) => return Ok(()),
        ("ok", Some(table)) => format!("a row of {table} names one that is not there"),
        (verdict, _) => verdict.to_owned(),
    };
    Err(Error::new(
        Kind::Failed,
        format!("{}: {why}", path.display()),
    ))
}

/// The payloads that lie in files; an error where one does not.
fn in_files(c: &Connection, payloads: &Payloads) -> Result<Vec<Payload>, Error> {
    let sql = "SELECT digest, size FROM payload WHERE bytes IS NULL";
    let rows = all(c, sql, &[], |row| {
        Ok((
            row.get::<_, Digest>(0)?,
            row.get::<_, i64>(1)?.cast_unsigned(),
        ))
    })?;
    let found = rows.iter().map(|(digest, len)| payloads.get(digest, *len));
    found.collect()
}

fn settle(
    c: &Connection,
    made: DateTime<Utc>,
    advance: u32,
    now: DateTime<Utc>,
) -> Result<Restored, Error> {
    let note = format!("the backup is of {}", made.format("%F %T UTC"));
    log(c, Uuid::nil(), "restored", &note, now)?;
    let mut restored = Restored {
        advanced: advance,
        ..Restored::default()
    };
    let sql = "SELECT DISTINCT pair FROM counter WHERE kind <> 'floor'";
    for pair in all(c, sql, &[], |row| row.get::<_, String>(0))? {
        outbound::advance(c, &pair, advance, now)?;
        restored.pairs += 1;
    }
    outbound::raise_floor(c, advance)?;
    // Reading, delivering, writing, sealing, sending: any of it may have been done since. What only
    // asks, and receipts that are posted again with the same bytes, do no harm.
    let sql = "SELECT kind, subject FROM work
               WHERE kind IN ('read', 'deliver', 'compose', 'seal', 'send') ORDER BY id";
    let rows = all(c, sql, &[], |row| {
        Ok((word::<WorkKind>(row, 0)?, id(row, 1)?))
    })?;
    let note = format!("held by a restore: {note}, and it may have been done since");
    for (kind, subject) in rows {
        if kind == WorkKind::Send {
            move_message(c, subject, MessageState::Uncertain, &note, now)?;
            restored.uncertain += 1;
        } else {
            log(c, subject, "held", &note, now)?;
            restored.held += 1;
        }
    }
    let sql = "UPDATE work SET due = $1, leased = 0, deaths = 0, error = $2
               WHERE kind IN ('read', 'deliver', 'compose', 'seal', 'send')";
    run(c, sql, params![held_until().timestamp_micros(), note])?;
    Ok(restored)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::store::suite::{
        arrival, at, composing, envelope, id, new_document, payload, sealed,
    };
    use crate::store::{DocumentState, Draft, Envelope, Filter, Order, Payload, Store};

    /// Drafts document `n` and composes it for a pair: the number that it got.
    async fn composed(store: &Sqlite, n: u128, pair: &str) -> u32 {
        let draft = Draft {
            partner: "acme".into(),
            document: new_document(n, DocumentState::Drafted),
            payload: None,
        };
        store.draft(draft, at(0)).await.unwrap();
        let lease = Duration::from_secs(30);
        let work = store.claim(&[WorkKind::Compose], 9, lease, at(0)).await;
        let work = work.unwrap().work.remove(0);
        let envelope = Envelope {
            pair: pair.into(),
            ..envelope(1000 + n)
        };
        let numbers = store.compose(work.lease, envelope, composing(vec![n]), at(0));
        let numbers = numbers.await.unwrap();
        assert_eq!(numbers.groups, [numbers.interchange]);
        numbers.interchange
    }

    async fn sealed_as(store: &Sqlite, n: u128) {
        let lease = Duration::from_secs(30);
        let work = store.claim(&[WorkKind::Seal], 1, lease, at(0)).await;
        let lease = work.unwrap().work.remove(0).lease;
        let sealed = sealed(n, &format!("{n}@us"));
        store.seal(lease, sealed, at(1)).await.unwrap();
    }

    fn copied(from: &Snapshot, payloads: &Path, to: &Path) {
        fs::create_dir(to).unwrap();
        fs::copy(&from.database, to.join(DATABASE)).unwrap();
        for payload in &from.payloads {
            let crate::store::Place::File { path, .. } = &payload.place else {
                panic!("in a file")
            };
            let there = to
                .join("payloads")
                .join(path.strip_prefix(payloads).unwrap());
            fs::create_dir_all(there.parent().unwrap()).unwrap();
            fs::copy(path, there).unwrap();
        }
    }

    /// B18, L8: what was issued after the backup is issued by nobody else, what was under way waits.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_restored_store_issues_no_number_twice_and_does_nothing_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        let store = Sqlite::open(&first).unwrap();
        let mut issued = BTreeSet::new();
        for n in 1..=3 {
            issued.insert(("P", composed(&store, n, "P").await));
        }
        sealed_as(&store, 501).await;
        store
            .accept(arrival(700, "m", "order"), at(0))
            .await
            .unwrap();
        let snapshot = Sqlite::snapshot(&first).unwrap();
        let counted = (snapshot.messages, snapshot.documents, snapshot.waiting);
        assert_eq!(
            counted,
            (2, 3, 4),
            "sealed, received; and 2 to seal, 1 to send, 1 to read"
        );
        copied(&snapshot, &first.join("payloads"), &second);
        // It goes on after the backup, also for a partner who is new.
        for n in 4..=40 {
            issued.insert(("P", composed(&store, n, "P").await));
        }
        for n in 41..=45 {
            issued.insert(("Q", composed(&store, n, "Q").await));
        }
        store.close().await.unwrap();

        let restored = Sqlite::restored(&second, at(0), 100, at(9)).unwrap();
        let want = Restored {
            pairs: 1,
            advanced: 100,
            uncertain: 1,
            held: 3,
        };
        assert_eq!(restored, want);
        let store = Sqlite::open(&second).unwrap();
        nothing_moves_until_it_is_released(&store).await;
        for (n, pair) in [(51, "P"), (52, "Q"), (53, "Q"), (54, "P")] {
            let number = composed(&store, n, pair).await;
            assert!(issued.insert((pair, number)), "{number} of {pair} again");
        }
    }

    async fn nothing_moves_until_it_is_released(store: &Sqlite) {
        for kind in WorkKind::ALL {
            let lease = Duration::from_secs(30);
            let work = store
                .claim(&[*kind], 9, lease, at(9_999_999))
                .await
                .unwrap();
            assert_eq!(work.work, [], "nothing to {kind}");
        }
        let uncertain = Filter {
            state: Some(MessageState::Uncertain),
            ..Filter::default()
        };
        let uncertain = store.messages(uncertain).await.unwrap();
        assert_eq!((uncertain.len(), uncertain[0].id), (1, id(501)));
        let order = Order {
            by: "mira".into(),
            why: "asked".into(),
        };
        assert_eq!(store.release(None, order, at(10)).await.unwrap(), 4);
        let lease = Duration::from_secs(30);
        let work = store
            .claim(&[WorkKind::Send], 9, lease, at(10))
            .await
            .unwrap();
        assert_eq!(
            work.work[0].subject,
            id(501),
            "the same message, under its own id"
        );
    }

    /// A copy is of one moment, whatever is written meanwhile; what it names is there.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_snapshot_of_a_store_that_is_written_to_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let first = folder.path().join("first");
        let store = std::sync::Arc::new(Sqlite::open(&first).unwrap());
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let large = |n: u128| {
            let mut large = payload(&"x".repeat(super::super::INLINE + 1));
            large.digest[..16].copy_from_slice(&n.to_be_bytes());
            large
        };
        let writers = (0..2u128).map(|writer| {
            let (store, stopped) = (std::sync::Arc::clone(&store), stopped.clone());
            tokio::spawn(async move {
                let mut n = writer;
                while !*stopped.borrow() {
                    let mut one = arrival(n, &format!("m{n}"), &format!("order {n}"));
                    if n % 5 < 2 {
                        one.content = Some(large(n));
                    }
                    store.accept(one, at(0)).await.unwrap();
                    n += 2;
                }
                n / 2
            })
        });
        let writers: Vec<_> = writers.collect();
        for turn in 0..3 {
            let before = store.counts().await.unwrap();
            let (from, to) = (first.clone(), folder.path().join(turn.to_string()));
            let taken = tokio::task::spawn_blocking(move || {
                let snapshot = Sqlite::snapshot(&from).unwrap();
                copied(&snapshot, &from.join("payloads"), &to);
                Sqlite::restored(&to, at(0), 1000, at(1)).unwrap();
                (snapshot.messages, to)
            });
            let (messages, to) = taken.await.unwrap();
            let copy = Sqlite::open(&to).unwrap();
            let filter = Filter {
                limit: usize::MAX,
                ..Filter::default()
            };
            let rows = copy.messages(filter).await.unwrap();
            assert_eq!(rows.len() as u64, messages);
            let there: u64 = before.messages.iter().map(|(_, _, count)| count).sum();
            assert!(messages >= there, "{messages} of {there}");
            for row in rows {
                let content = copy.payload(row.content.unwrap()).await.unwrap();
                assert!(content.is_some_and(|content| content.read().is_ok()));
            }
        }
        stop.send(true).unwrap();
        for writer in writers {
            assert!(writer.await.unwrap() > 0);
        }
        // Nothing of it stays in the spool.
        let left = fs::read_dir(first.join("payloads/spool")).unwrap();
        assert_eq!(
            left.filter(|file| file
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|e| e == "db"))
                .count(),
            0
        );
    }

    #[test]
    fn a_copy_that_is_not_sound_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(folder.path()).unwrap();
        drop(store);
        let path = folder.path().join(DATABASE);
        let missing = Payload::file("x", 100_000, [9; 32]);
        let c = Connection::open(&path).unwrap();
        let sql = "INSERT INTO payload (digest, size, bytes) VALUES ($1, $2, NULL)";
        c.execute(sql, params![missing.digest, 100_000]).unwrap();
        drop(c);
        let lost = Sqlite::snapshot(folder.path()).unwrap_err();
        assert_eq!(lost.kind(), Kind::Unreadable, "{lost}");
    }
}
