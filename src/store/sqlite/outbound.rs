//! The transactions of the outbound walk.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::columns;
use super::columns::{digest, headers_text, word};
use super::inbound::{inline, keep};
use super::orders::reached;
use super::payloads::Payloads;
use super::queue::{
    enqueue, finish, first, leased, log, move_document, move_documents_of, move_message, release,
    run,
};
use crate::store::{
    Compose, ControlNumbers, Direction, DocumentState, Envelope, Error, Kind, LAST_CONTROL_NUMBER,
    Lease, MessageState, Placed, REMARKS, Receipt, Sealed, WorkKind,
};

pub(super) fn compose(
    c: &Connection,
    payloads: &Payloads,
    lease: Lease,
    envelope: &Envelope,
    compose: Compose,
    now: DateTime<Utc>,
) -> Result<ControlNumbers, Error> {
    let work = finish(c, lease, WorkKind::Compose)?;
    let Envelope { id, pair, groups } = envelope;
    let (epoch, interchange) = count(c, pair, "interchange", step())?;
    let groups = (0..*groups)
        .map(|_| count(c, pair, "group", 1).map(|(_, number)| number))
        .collect::<Result<_, _>>()?;
    let numbers = ControlNumbers {
        interchange,
        groups,
    };
    kill!("numbered");
    let composed = compose(&numbers).map_err(|why| Error::new(Kind::Compose, why))?;
    if !composed
        .documents
        .iter()
        .any(|placed| placed.document == work.subject)
    {
        return Err(Error::invalid(
            "the interchange leaves out the document that it was for",
        ));
    }
    if inline(&composed.payload).is_none() {
        payloads.put(&composed.payload)?;
    }
    keep(c, &composed.payload)?;
    let sql = "INSERT INTO interchange (id, direction, partner, pair, control, epoch, payload,
                   verdict, created)
               VALUES ($1, 'outbound', $2, $3, $4, $5, $6, '', $7)";
    let control = format!("{interchange:09}");
    let at = now.timestamp_micros();
    let digest = composed.payload.digest;
    run(
        c,
        sql,
        params![
            id.as_bytes(),
            work.partner,
            pair,
            control,
            epoch,
            digest,
            at
        ],
    )?;
    log(c, *id, "composed", &control, now)?;
    for placed in &composed.documents {
        place(c, *id, placed, &work.partner, now)?;
    }
    enqueue(c, WorkKind::Seal, *id, &work.partner, now)?;
    Ok(numbers)
}

/// Puts a drafted document into its interchange; the work to compose it is done.
fn place(
    c: &Connection,
    interchange: Uuid,
    placed: &Placed,
    partner: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "UPDATE document
               SET interchange = $1, group_control = $2, set_control = $3, updated = $4
               WHERE id = $5 AND partner = $6 AND state = 'drafted' AND interchange IS NULL";
    let id = placed.document;
    let values = params![
        interchange.as_bytes(),
        placed.group_control,
        placed.set_control,
        now.timestamp_micros(),
        id.as_bytes(),
        partner,
    ];
    if run(c, sql, values)? == 0 {
        return Err(Error::invalid(format!(
            "document {id} is not a draft for {partner}"
        )));
    }
    run(
        c,
        "DELETE FROM work WHERE subject = $1 AND kind = 'compose'",
        params![id.as_bytes()],
    )?;
    Ok(())
}

/// How far the transaction that stores an interchange goes on: no other takes a number for it.
pub(super) fn step() -> u32 {
    planted!("number-outside-transaction", 0, 1)
}

/// Goes `by` numbers on, from the last number back to 1; the epoch counts how often.
pub(super) fn count(c: &Connection, pair: &str, kind: &str, by: u32) -> Result<(i64, u32), Error> {
    let sql = "INSERT INTO counter (pair, kind, epoch, number)
               SELECT $1, $2, (base + $3 - 1) / $4, (base + $3 - 1) % $4 + 1
               FROM (SELECT coalesce(max(number), 0) AS base FROM counter WHERE kind = 'floor')
               WHERE true
               ON CONFLICT (pair, kind) DO UPDATE SET
                   epoch = epoch + (number + $3 - 1) / $4, number = (number + $3 - 1) % $4 + 1
               RETURNING epoch, number";
    let values = params![pair, kind, by, LAST_CONTROL_NUMBER];
    let row = first(c, sql, values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    row.ok_or_else(|| Error::new(Kind::Bug, "a counter did not count"))
}

/// Lets pairs that are not known yet begin `by` numbers later: after a restore, one may have been
/// new since the backup.
pub(super) fn raise_floor(c: &Connection, by: u32) -> Result<(), Error> {
    let sql = "INSERT INTO counter (pair, kind, epoch, number) VALUES ('', 'floor', 0, $1)
               ON CONFLICT (pair, kind) DO UPDATE SET number = min(number + $1, $2)";
    run(c, sql, params![by, LAST_CONTROL_NUMBER - 1]).map(drop)
}

pub(super) fn advance(
    c: &Connection,
    pair: &str,
    by: u32,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if by == 0 {
        return Ok(());
    }
    count(c, pair, "interchange", by)?;
    count(c, pair, "group", by)?;
    log(
        c,
        Uuid::nil(),
        "numbers left out",
        &format!("{by} of {pair}"),
        now,
    )
}

pub(super) fn seal(
    c: &Connection,
    lease: Lease,
    sealed: &Sealed,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let work = finish(c, lease, WorkKind::Seal)?;
    let interchange = work.subject.as_bytes();
    let sql = "SELECT payload FROM interchange WHERE id = $1";
    let content = first(c, sql, params![interchange], digest)?.flatten();
    keep(c, &sealed.body)?;
    let sql = "INSERT INTO message (id, direction, partner, transport, our_id, partner_id,
                   message_id, state, mic, headers, body, content, note, created, updated,
                   content_type, file_name)
               VALUES ($1, 'outbound', $2, $3, $4, $5, $6, 'sealed', $7, $8, $9, $10, $11, $12, $12,
                   $13, $14)";
    let values = params![
        sealed.id.as_bytes(),
        work.partner,
        sealed.transport,
        sealed.key.our_id,
        sealed.key.partner_id,
        sealed.key.message_id,
        sealed.mic,
        headers_text(&sealed.headers),
        sealed.body.digest,
        content,
        sealed.note,
        now.timestamp_micros(),
        sealed.content_type,
        sealed.file_name,
    ];
    run(c, sql, values)?;
    let sql = "UPDATE interchange SET message = $1 WHERE id = $2";
    run(c, sql, params![sealed.id.as_bytes(), interchange])?;
    log(c, sealed.id, "sealed", &sealed.note, now)?;
    enqueue(c, WorkKind::Send, sealed.id, &work.partner, now)
}

pub(super) fn sent(
    c: &Connection,
    lease: Lease,
    until: DateTime<Utc>,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let work = leased(c, lease)?;
    if work.kind != WorkKind::Send {
        return Err(Error::invalid(format!(
            "work to {} does not send",
            work.kind
        )));
    }
    release(c, lease, until, None)?;
    reached(c, &work.partner)?;
    move_message(c, work.subject, MessageState::Sent, why, now)
}

pub(super) fn receipt(
    c: &Connection,
    message: Uuid,
    receipt: &Receipt,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "SELECT direction, state FROM message WHERE id = $1";
    let row = first(c, sql, params![message.as_bytes()], |row| {
        Ok((word(row, 0)?, columns::word(row, 1)?))
    })?;
    match row {
        None => return Err(Error::missing("message", message)),
        Some((Direction::Inbound, _)) => {
            return Err(Error::invalid("a receipt is for a message that we sent"));
        }
        Some((Direction::Outbound, known)) if !receipt.changes(known)? => {
            return log(c, message, "receipt ignored", &receipt.note, now);
        }
        Some((Direction::Outbound, _)) => {}
    }
    if let Some(answer) = &receipt.answer {
        let sql = "UPDATE message SET answer_status = $1, answer_headers = $2, answer_body = $3
                   WHERE id = $4";
        let headers = headers_text(&answer.headers);
        run(
            c,
            sql,
            params![answer.status, headers, &answer.body[..], message.as_bytes()],
        )?;
    }
    let sql = "DELETE FROM work WHERE subject = $1 AND kind = 'send' RETURNING leased, partner";
    let work = first(c, sql, params![message.as_bytes()], |row| {
        Ok((row.get(0)?, row.get::<_, String>(1)?))
    })?;
    // Where a worker has it, their server has just answered.
    if let Some((true, partner)) = work {
        reached(c, &partner)?;
    }
    use DocumentState::{Drafted, Failed, Sent};
    move_message(c, message, receipt.state, &receipt.note, now)?;
    match receipt.state {
        MessageState::Confirmed => move_documents_of(c, message, &[Drafted, Failed], Sent, now),
        MessageState::Refused => move_documents_of(c, message, &[Drafted], Failed, now),
        _ => Ok(()),
    }
}

pub(super) fn remark(
    c: &Connection,
    message: Uuid,
    what: &str,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "SELECT 1 FROM message WHERE id = $1";
    if first(c, sql, params![message.as_bytes()], |_| Ok(()))?.is_none() {
        return Err(Error::missing("message", message));
    }
    let sql = "SELECT count(*) FROM event WHERE subject = $1 AND what = $2";
    let count = |row: &Row<'_>| row.get::<_, i64>(0);
    match first(c, sql, params![message.as_bytes(), what], count)? {
        Some(known) if known >= REMARKS as i64 => Ok(()),
        _ => log(c, message, what, detail, now),
    }
}

pub(super) fn settle(
    c: &Connection,
    document: Uuid,
    state: DocumentState,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if !matches!(state, DocumentState::Settled | DocumentState::Rejected) {
        return Err(Error::invalid(format!("business does not end {state}")));
    }
    move_document(c, document, state, note, now)
}
