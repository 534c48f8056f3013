//! The queue, and the small steps that every transaction is made of.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use uuid::Uuid;

use super::columns::{id, time, word};
use crate::store::state::Subject;
use crate::store::{
    AT_ONCE, Aside, Claimed, DEATHS, DocumentState, Error, Kind, Lease, MISSES, MessageState, Work,
    WorkKind,
};

/// A leased row of the queue.
pub(super) struct Leased {
    pub(super) kind: WorkKind,
    pub(super) subject: Uuid,
    pub(super) partner: String,
}

/// Runs one statement, prepared once for each connection.
pub(super) fn run(c: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<usize, Error> {
    Ok(c.prepare_cached(sql)?.execute(values)?)
}

/// The first row of a query.
pub(super) fn first<T>(
    c: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Error> {
    Ok(c.prepare_cached(sql)?.query_row(values, read).optional()?)
}

/// All rows of a query.
pub(super) fn all<T>(
    c: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Error> {
    Ok(c.prepare_cached(sql)?
        .query_map(values, read)?
        .collect::<Result<_, _>>()?)
}

/// Adds a line to the history.
pub(super) fn log(
    c: &Connection,
    subject: Uuid,
    what: &str,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "INSERT INTO event (at, subject, what, detail) VALUES ($1, $2, $3, $4)";
    let at = now.timestamp_micros();
    run(c, sql, params![at, subject.as_bytes(), what, detail]).map(drop)
}

/// Queues work that is due at once.
pub(super) fn enqueue(
    c: &Connection,
    kind: WorkKind,
    subject: Uuid,
    partner: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "INSERT INTO turn (partner, served) VALUES ($1, 0) ON CONFLICT DO NOTHING";
    run(c, sql, params![partner])?;
    let sql = "INSERT INTO work (kind, subject, partner, due, leased, attempt, deaths, queued)
               VALUES ($1, $2, $3, $4, 0, 0, 0, $4)";
    let at = now.timestamp_micros();
    run(
        c,
        sql,
        params![kind.as_str(), subject.as_bytes(), partner, at],
    )
    .map(drop)
}

/// What a lease is for, or that it was lost: whoever claimed the row since has another attempt.
pub(super) fn leased(c: &Connection, lease: Lease) -> Result<Leased, Error> {
    let sql = planted!(
        "lease-not-fenced",
        "SELECT kind, subject, partner FROM work WHERE id = $1 AND attempt >= $2 AND leased = 1",
        "SELECT kind, subject, partner FROM work WHERE id = $1 AND attempt = $2 AND leased = 1"
    );
    let row = first(c, sql, params![lease.work, lease.attempt], |row| {
        Ok(Leased {
            kind: word(row, 0)?,
            subject: id(row, 1)?,
            partner: row.get(2)?,
        })
    })?;
    row.ok_or_else(|| Error::new(Kind::Stale, format!("work {}", lease.work)))
}

/// The same, where only one kind of work can end this way. The row is gone with it.
pub(super) fn finish(c: &Connection, lease: Lease, kind: WorkKind) -> Result<Leased, Error> {
    let work = of_kind(c, lease, kind)?;
    run(c, "DELETE FROM work WHERE id = $1", params![lease.work])?;
    Ok(work)
}

fn of_kind(c: &Connection, lease: Lease, kind: WorkKind) -> Result<Leased, Error> {
    let work = leased(c, lease)?;
    if work.kind != kind {
        return Err(Error::invalid(format!(
            "work to {} does not end as work to {kind}",
            work.kind
        )));
    }
    Ok(work)
}

/// Notes how much of a piece of work is recorded; it stays, and its worker has given word.
pub(super) fn progress(
    c: &Connection,
    lease: Lease,
    kind: WorkKind,
    done: u64,
) -> Result<Leased, Error> {
    let work = of_kind(c, lease, kind)?;
    let sql = "UPDATE work SET done = $1, deaths = 0, crashes = 0 WHERE id = $2";
    run(c, sql, params![done.cast_signed(), lease.work])?;
    Ok(work)
}

/// Seconds before a row is taken up again whose workers died with the whole process, by how often
/// they did in a row. Once is chance: a power cut, a kill. What is in hand each time is a suspect, and
/// waits, so that a process which is killed again and again does not take all of it for guilty; and
/// one row that does kill the process leaves it alone meanwhile.
const CRASHES: [i64; 5] = [0, 1, 10, 60, 300];

/// The folder has one process, and it is us: whoever held a lease died with the last one. The work
/// is free, now or a little later; what was in hand more often than [`CRASHES`] has waits goes aside.
pub(super) fn crashed(c: &Connection, now: DateTime<Utc>) -> Result<(), Error> {
    let (second, at) = (
        if hurried!() { 20_000 } else { 1_000_000 },
        now.timestamp_micros(),
    );
    let sql = "UPDATE work SET leased = 0, crashes = crashes + 1 WHERE leased = 1";
    let transaction = c.unchecked_transaction()?;
    run(c, sql, params![])?;
    for (times, wait) in (1..).zip(CRASHES) {
        let sql = "UPDATE work SET due = $1 WHERE crashes = $2 AND due > $1";
        run(c, sql, params![at + wait * second, times])?;
    }
    let sql = "SELECT id, kind, subject FROM work WHERE crashes > $1";
    let guilty = all(c, sql, params![CRASHES.len().cast_signed()], |row| {
        Ok((row.get::<_, i64>(0)?, word(row, 1)?, id(row, 2)?))
    })?;
    for (work, kind, subject) in guilty {
        run(c, "DELETE FROM work WHERE id = $1", params![work])?;
        let note = format!(
            "the process ended {} times at work to {kind}",
            CRASHES.len() + 1
        );
        set_aside(c, kind, subject, WorkKind::poisoned(kind), &note, now)?;
    }
    Ok(transaction.commit()?)
}

pub(super) fn claim(
    c: &Connection,
    kinds: &[WorkKind],
    limit: usize,
    lease: Duration,
    now: DateTime<Utc>,
) -> Result<Claimed, Error> {
    if kinds.is_empty() {
        return Ok(Claimed::default());
    }
    let mut work = Vec::new();
    while work.len() < limit {
        let due = next_due(c, kinds, limit - work.len(), now)?;
        if due.is_empty() {
            break;
        }
        for (found, leased, deaths) in due {
            work.extend(take(c, found, leased, deaths, now + lease, now)?);
        }
    }
    // A look that finds nothing writes nothing.
    if !work.is_empty() {
        pass_over(c, now)?;
    }
    let next = of_kinds(kinds, next_of);
    let sql = format!("SELECT due FROM ({next}) WHERE due IS NOT NULL ORDER BY due LIMIT 1");
    let now: &[&dyn ToSql] = match kinds.iter().any(|kind| kind.asks_partner()) {
        true => params![now.timestamp_micros()],
        false => &[],
    };
    let next = first(c, &sql, now, |row| time(row, 0))?;
    Ok(Claimed { work, next })
}

/// Leases a due row until then, or sets it aside where it has stopped too many workers.
fn take(
    c: &Connection,
    found: Work,
    leased: bool,
    deaths: u32,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Work>, Error> {
    let Lease { work, attempt } = found.lease;
    let (kind, subject) = (found.kind, found.subject);
    let deaths = deaths + u32::from(leased);
    if leased {
        let detail = format!("{deaths} of {DEATHS}");
        log(c, subject, "worker died", &detail, now)?;
    }
    if deaths >= DEATHS {
        run(c, "DELETE FROM work WHERE id = $1", params![work])?;
        let note = format!("work to {kind} stopped {DEATHS} workers");
        set_aside(c, kind, subject, kind.poisoned(), &note, now)?;
        return Ok(None);
    }
    let sql = "UPDATE work SET leased = 1, attempt = $1, deaths = $2, due = $3 WHERE id = $4";
    let until = until.timestamp_micros();
    run(c, sql, params![attempt, deaths, until, work])?;
    let sql = "UPDATE turn SET served = (SELECT max(served) + 1 FROM turn) WHERE partner = $1";
    run(c, sql, params![found.partner])?;
    Ok(Some(found))
}

/// Where a partner has no rows at all.
const NEVER: i64 = i64::MAX;

/// Notes of partners until when they only wait. What is due sooner than that the schema notes with the
/// row, wherever it is written.
fn pass_over(c: &Connection, now: DateTime<Utc>) -> Result<(), Error> {
    let firsts = of_kinds(WorkKind::ALL, |kind| {
        format!(
            "SELECT * FROM (SELECT due FROM work WHERE partner = turn.partner AND kind = '{kind}'
             ORDER BY due LIMIT 1)"
        )
    });
    let sql = format!(
        "UPDATE turn INDEXED BY turn_due SET due = coalesce((SELECT min(due) FROM ({firsts})), {NEVER})
         WHERE due <= $1 AND NOT EXISTS (SELECT 1 FROM ({firsts}) WHERE due <= $1)"
    );
    run(c, &sql, params![now.timestamp_micros()]).map(drop)
}

/// When the next row of a kind is looked at: once it is due; and what is due and waits for a partner's
/// server once that may be asked, but not while enough of it is out, whose end is looked at anyhow.
fn next_of(kind: WorkKind) -> String {
    if !kind.asks_partner() {
        return format!(
            "SELECT * FROM (SELECT due FROM work WHERE kind = '{kind}' ORDER BY due LIMIT 1)"
        );
    }
    format!(
        "SELECT * FROM (SELECT due FROM work WHERE kind = '{kind}' AND due > $1 ORDER BY due LIMIT 1)
         UNION ALL SELECT min(due) AS due FROM (SELECT max(t.shut, (SELECT due FROM work
             WHERE partner = t.partner AND kind = '{kind}' AND due <= $1 ORDER BY due LIMIT 1)) AS due
             FROM turn t INDEXED BY turn_due WHERE t.due <= $1 AND {})",
        room()
    )
}

/// Whether one more piece of work may go to a partner's server at `$1`, its circuit apart. Its index
/// has the few rows that are out; the one by time has all that waits for a next try, too.
fn room() -> String {
    format!(
        "(SELECT count(*) FROM work o INDEXED BY work_leased WHERE o.partner = t.partner AND o.leased = 1
             AND o.kind IN ('send', 'answer') AND o.due > $1)
         < CASE WHEN t.missed >= coalesce(t.misses, {MISSES}) THEN 1
                ELSE coalesce(t.at_once, {AT_ONCE}) END"
    )
}

/// One query for each kind: an index has the rows of a kind in order, and a queue of ten thousand
/// others costs nothing.
fn of_kinds(kinds: &[WorkKind], query: impl Fn(WorkKind) -> String) -> String {
    let queries: Vec<String> = kinds.iter().map(|kind| query(*kind)).collect();
    queries.join(" UNION ALL ")
}

/// A due row of each partner, at most so many, of those served longest ago first: with the lease it
/// would get, whether its last lease ran out, and its deaths until then. It looks at every partner who
/// has anything due, so it is asked once for many rows.
fn next_due(
    c: &Connection,
    kinds: &[WorkKind],
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Vec<(Work, bool, u32)>, Error> {
    let due = of_kinds(kinds, |kind| {
        let first = format!(
            "SELECT id FROM work WHERE partner = t.partner AND kind = '{kind}' AND due <= $1
             ORDER BY due, id LIMIT 1"
        );
        // Asked once for a partner, and not for each of the 50,000 rows of one who is down.
        let first = match kind.asks_partner() {
            true => format!("CASE WHEN t.shut <= $1 AND {} THEN ({first}) END", room()),
            false => format!("({first})"),
        };
        format!("SELECT id, due FROM work WHERE id = {first}")
    });
    let sql = format!(
        "SELECT w.id, w.attempt, w.kind, w.subject, w.partner, w.queued, w.error, w.leased,
                w.deaths, w.done, t.missed
         FROM turn t INDEXED BY turn_due
             JOIN work w ON w.id = (SELECT id FROM ({due}) ORDER BY due, id LIMIT 1)
         WHERE t.due <= $1 ORDER BY t.served, t.partner LIMIT $2"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(c, &sql, params![now.timestamp_micros(), limit], |row| {
        let lease = Lease {
            work: row.get(0)?,
            attempt: row.get::<_, u32>(1)? + 1,
        };
        let work = Work {
            lease,
            kind: word(row, 2)?,
            subject: id(row, 3)?,
            partner: row.get(4)?,
            queued: time(row, 5)?,
            error: row.get(6)?,
            done: row.get::<_, i64>(9)?.cast_unsigned(),
            missed: row.get(10)?,
        };
        Ok((work, row.get(7)?, row.get(8)?))
    })
}

pub(super) fn extend(c: &Connection, lease: Lease, until: DateTime<Utc>) -> Result<(), Error> {
    leased(c, lease)?;
    let sql = "UPDATE work SET due = $1 WHERE id = $2";
    run(c, sql, params![until.timestamp_micros(), lease.work]).map(drop)
}

/// Gives a row back, to be claimed at `at`.
pub(super) fn release(
    c: &Connection,
    lease: Lease,
    at: DateTime<Utc>,
    error: Option<&str>,
) -> Result<(), Error> {
    let sql = "UPDATE work SET due = $1, leased = 0, deaths = 0, crashes = 0, error = $2
               WHERE id = $3";
    run(c, sql, params![at.timestamp_micros(), error, lease.work]).map(drop)
}

pub(super) fn retry(
    c: &Connection,
    lease: Lease,
    at: DateTime<Utc>,
    error: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let work = leased(c, lease)?;
    release(c, lease, at, Some(error))?;
    log(c, work.subject, "retry", error, now)
}

pub(super) fn bury(
    c: &Connection,
    lease: Lease,
    aside: Aside,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let work = leased(c, lease)?;
    run(c, "DELETE FROM work WHERE id = $1", params![lease.work])?;
    set_aside(c, work.kind, work.subject, aside, note, now)
}

pub(super) fn set_aside(
    c: &Connection,
    kind: WorkKind,
    subject: Uuid,
    aside: Aside,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    match kind.subject() {
        Subject::Document => move_document(c, subject, aside.document()?, note, now),
        Subject::Interchange => {
            let state = aside.document()?;
            let sql = "SELECT id FROM document WHERE interchange = $1 ORDER BY seq";
            for document in all(c, sql, params![subject.as_bytes()], |row| id(row, 0))? {
                move_document(c, document, state, note, now)?;
            }
            Ok(())
        }
        Subject::Message if kind == WorkKind::Answer => {
            // What the note says of the message itself stays true.
            let state = aside.message()?;
            let sql = "UPDATE message SET state = $1, updated = $2
                       WHERE id = $3 AND state = 'received'";
            let at = now.timestamp_micros();
            run(c, sql, params![state.as_str(), at, subject.as_bytes()])?;
            log(c, subject, "answer given up", note, now)
        }
        Subject::Message => {
            move_message(c, subject, aside.message()?, note, now)?;
            if kind == WorkKind::Send && matches!(aside, Aside::Refused | Aside::Dead) {
                let from = [DocumentState::Drafted];
                move_documents_of(c, subject, &from, DocumentState::Failed, now)?;
            }
            Ok(())
        }
    }
}

/// Moves a message, and says so in its history.
pub(super) fn move_message(
    c: &Connection,
    message: Uuid,
    state: MessageState,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "UPDATE message SET state = $1, note = $2, updated = $3 WHERE id = $4";
    let at = now.timestamp_micros();
    run(
        c,
        sql,
        params![state.as_str(), note, at, message.as_bytes()],
    )?;
    log(c, message, state.as_str(), note, now)
}

/// Moves a document, and says so in its history.
pub(super) fn move_document(
    c: &Connection,
    document: Uuid,
    state: DocumentState,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "UPDATE document SET state = $1, note = $2, updated = $3 WHERE id = $4";
    let at = now.timestamp_micros();
    match run(
        c,
        sql,
        params![state.as_str(), note, at, document.as_bytes()],
    )? {
        0 => Err(Error::missing("document", document)),
        _ => log(c, document, state.as_str(), note, now),
    }
}

/// Moves those documents of a message that are in one of the states `from`.
pub(super) fn move_documents_of(
    c: &Connection,
    message: Uuid,
    from: &[DocumentState],
    to: DocumentState,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "SELECT id, state FROM document
               WHERE interchange IN (SELECT id FROM interchange WHERE message = $1) ORDER BY seq";
    let read = |row: &Row<'_>| Ok((id(row, 0)?, word::<DocumentState>(row, 1)?));
    for (document, state) in all(c, sql, params![message.as_bytes()], read)? {
        if from.contains(&state) {
            move_document(c, document, to, "", now)?;
        }
    }
    Ok(())
}
