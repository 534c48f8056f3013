//! What a bridge to an API keeps.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::columns::id;
use super::inbound::draft;
use super::queue::{all, enqueue, finish, first, leased, log, move_document, release, run};
use crate::store::{
    DocumentState, Error, Lease, Observation, Observed, Step, Submission, Then, WorkKind,
};

pub(super) fn step(
    c: &Connection,
    name: &str,
    step: Step,
    now: DateTime<Utc>,
) -> Result<Option<String>, Error> {
    let sql = "SELECT value FROM bridge WHERE name = $1";
    let before: Option<String> = first(c, sql, params![name], |row| row.get(0))?;
    let sql = "INSERT INTO bridge (name, value, updated) VALUES ($1, $2, $3)
               ON CONFLICT (name) DO UPDATE SET value = $2, updated = $3";
    let after = step(before.as_deref());
    run(c, sql, params![name, after, now.timestamp_micros()])?;
    Ok(before)
}

pub(super) fn kept(c: &Connection, prefix: &str) -> Result<Vec<(String, String)>, Error> {
    let sql = "SELECT name, value FROM bridge WHERE substr(name, 1, length($1)) = $1 ORDER BY name";
    all(c, sql, params![prefix], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

pub(super) fn observe(
    c: &Connection,
    seen: &Observation,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let known = observed(c, &seen.account, &seen.number)?;
    if known.is_some_and(|known| known.changed == seen.changed) {
        return Ok(false);
    }
    let sql = "INSERT INTO observation (account, number, changed, content, updated)
               VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (account, number) DO UPDATE SET changed = $3, content = $4, updated = $5";
    let values = params![
        seen.account,
        seen.number,
        seen.changed,
        seen.content,
        now.timestamp_micros()
    ];
    run(c, sql, values)?;
    for new in &seen.drafts {
        draft(c, &new.partner, &new.document, now)?;
    }
    Ok(true)
}

pub(super) fn observed(
    c: &Connection,
    account: &str,
    number: &str,
) -> Result<Option<Observed>, Error> {
    let sql = "SELECT changed, content FROM observation WHERE account = $1 AND number = $2";
    first(c, sql, params![account, number], |row| {
        Ok(Observed {
            changed: row.get(0)?,
            content: row.get(1)?,
        })
    })
}

pub(super) fn submit(
    c: &Connection,
    lease: Lease,
    submission: &Submission,
    then: &Then,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    then.check()?;
    let work = leased(c, lease)?;
    submission.check(work.kind, work.subject)?;
    let document = work.subject;
    keep(c, submission, now)?;
    match then {
        Then::Stay => {}
        Then::Again(at, why) => {
            release(c, lease, *at, Some(why))?;
            log(c, document, "retry", why, now)?;
        }
        Then::Ask(at, note, _) => {
            if work.kind == WorkKind::Deliver {
                finish(c, lease, WorkKind::Deliver)?;
                move_document(c, document, DocumentState::Delivered, note, now)?;
                enqueue(c, WorkKind::Ask, document, &work.partner, now)?;
            } else {
                release(c, lease, *at, None)?;
                log(c, document, "asked", note, now)?;
            }
            let sql = "UPDATE work SET due = $1 WHERE subject = $2 AND kind = 'ask'";
            run(c, sql, params![at.timestamp_micros(), document.as_bytes()])?;
        }
        Then::End(state, note, _) => {
            finish(c, lease, work.kind)?;
            move_document(c, document, *state, note, now)?;
        }
    }
    for new in then.drafts() {
        draft(c, &work.partner, new, now)?;
    }
    Ok(())
}

fn keep(c: &Connection, submission: &Submission, now: DateTime<Utc>) -> Result<(), Error> {
    let sql = "INSERT INTO submission
                   (document, account, operation, stage, transaction_id, detail, updated, list, name)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
               ON CONFLICT (document) DO UPDATE SET account = $2, operation = $3, stage = $4,
                   transaction_id = $5, detail = $6, updated = $7, list = $8, name = $9,
                   seen = CASE WHEN list = $8 AND name = $9 THEN seen END";
    let listed = submission.listed.as_ref();
    let (list, name) = listed.map(|(list, name)| (list, name)).unzip();
    let values = params![
        submission.document.as_bytes(),
        submission.account,
        submission.operation,
        submission.stage,
        submission.transaction,
        submission.detail,
        now.timestamp_micros(),
        list,
        name
    ];
    run(c, sql, values).map(drop)
}

pub(super) fn sighted(
    c: &Connection,
    list: &str,
    names: &[(String, String)],
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    // Who is at work on one of them sees the mark when he asks for it.
    let wake = "UPDATE work SET due = $1 WHERE leased = 0 AND due > $1 AND subject IN
                    (SELECT document FROM submission WHERE list = $2 AND name = $3 AND seen IS NULL)";
    let mark = "UPDATE submission SET seen = $1 WHERE list = $2 AND name = $3 AND seen IS NULL";
    for (name, seen) in names {
        run(c, wake, params![now.timestamp_micros(), list, name])?;
        run(c, mark, params![seen, list, name])?;
    }
    let sql = "SELECT 1 FROM submission WHERE list = $1 AND seen IS NULL LIMIT 1";
    Ok(first(c, sql, params![list], |_| Ok(()))?.is_some())
}

pub(super) fn submission(c: &Connection, document: Uuid) -> Result<Option<Submission>, Error> {
    let sql = "SELECT document, account, operation, stage, transaction_id, detail, list, name, seen
               FROM submission WHERE document = $1";
    first(c, sql, params![document.as_bytes()], |row| {
        Ok(Submission {
            document: id(row, 0)?,
            account: row.get(1)?,
            operation: row.get(2)?,
            stage: row.get(3)?,
            transaction: row.get(4)?,
            detail: row.get(5)?,
            listed: row.get::<_, Option<_>>(6)?.zip(row.get(7)?),
            seen: row.get(8)?,
        })
    })
}
