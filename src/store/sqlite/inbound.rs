//! The transactions of the inbound walk.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::INLINE;
use super::columns::{answer, digest, headers_text, id, some_id, word};
use super::orders::reached;
use super::queue::{all, enqueue, finish, first, log, move_document, progress, run};
use crate::store::{
    Accepted, Arrival, DUPLICATE_WINDOW, Direction, DocumentState, Draft, Drafted, Error, Key,
    Lease, MessageState, NewDocument, NewInterchange, OnDuplicate, Payload, Place, Reading,
    Recorded, Verdict, WorkKind,
};

pub(super) fn accept(
    c: &Connection,
    arrival: &Arrival,
    now: DateTime<Utc>,
) -> Result<Accepted, Error> {
    let Some(content) = &arrival.content else {
        return Err(Error::invalid(
            "a message is accepted with its content, or refused",
        ));
    };
    if let Some(message) = holder(c, &arrival.key)? {
        let sql = "SELECT content FROM message WHERE id = $1";
        let known = first(c, sql, params![message.as_bytes()], digest)?.flatten();
        if known != Some(content.digest) {
            log(c, message, "id reused", &arrival.note, now)?;
            return Ok(Accepted::Reused { message });
        }
        log(c, message, "duplicate", &arrival.note, now)?;
        answer_again(c, message, arrival, now)?;
        let sql = "SELECT answer_status, answer_headers, answer_body FROM message WHERE id = $1";
        let answer = first(c, sql, params![message.as_bytes()], |row| answer(row, 0))?.flatten();
        return Ok(Accepted::Duplicate { message, answer });
    }
    let sql = "SELECT id FROM message
               WHERE direction = 'inbound' AND partner = $1 AND content = $2 AND created >= $3
               AND state <> 'refused' ORDER BY seq LIMIT 1";
    let since = (now - DUPLICATE_WINDOW).timestamp_micros();
    let values = params![arrival.partner, content.digest, since];
    let resend_of = first(c, sql, values, |row| id(row, 0))?;
    insert(c, arrival, MessageState::Received, resend_of, now)?;
    kill!("accepting");
    let sql = "INSERT INTO dedupe (our_id, partner_id, message_id, message)
               VALUES ($1, $2, $3, $4)";
    let Key {
        our_id,
        partner_id,
        message_id,
    } = &arrival.key;
    run(
        c,
        sql,
        params![our_id, partner_id, message_id, arrival.id.as_bytes()],
    )?;
    enqueue(c, WorkKind::Read, arrival.id, &arrival.partner, now)?;
    answer_to(c, arrival, now)?;
    if let Some(first) = resend_of {
        log(c, arrival.id, "seems re-sent", &first.to_string(), now)?;
    }
    Ok(Accepted::New { resend_of })
}

/// The accepted message that occupies a key.
pub(super) fn holder(c: &Connection, key: &Key) -> Result<Option<Uuid>, Error> {
    let sql = "SELECT message FROM dedupe
               WHERE our_id = $1 AND partner_id = $2 AND message_id = $3";
    first(
        c,
        sql,
        params![key.our_id, key.partner_id, key.message_id],
        |row| id(row, 0),
    )
}

pub(super) fn refuse(c: &Connection, arrival: &Arrival, now: DateTime<Utc>) -> Result<(), Error> {
    insert(c, arrival, MessageState::Refused, None, now)?;
    answer_to(c, arrival, now)
}

/// Queues the answer that goes by a request of its own.
fn answer_to(c: &Connection, arrival: &Arrival, now: DateTime<Utc>) -> Result<(), Error> {
    match (&arrival.answer, &arrival.answer_to) {
        (Some(_), Some(_)) => enqueue(c, WorkKind::Answer, arrival.id, &arrival.partner, now),
        _ => Ok(()),
    }
}

/// Queues the stored answer once more, to where the copy wants it; one that waits goes now, and
/// one that is on its way is enough.
fn answer_again(
    c: &Connection,
    message: Uuid,
    copy: &Arrival,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let Some(to) = &copy.answer_to else {
        return Ok(());
    };
    let sql = "UPDATE message SET answer_to = $1 WHERE id = $2 AND answer_status IS NOT NULL";
    if run(c, sql, params![to, message.as_bytes()])? == 0 {
        return Ok(());
    }
    let sql = "SELECT leased FROM work WHERE subject = $1 AND kind = 'answer'";
    match first(c, sql, params![message.as_bytes()], |row| row.get(0))? {
        None => enqueue(c, WorkKind::Answer, message, &copy.partner, now),
        Some(true) => Ok(()),
        Some(false) => {
            let sql = "UPDATE work SET due = min(due, $1) WHERE subject = $2 AND kind = 'answer'";
            let at = now.timestamp_micros();
            run(c, sql, params![at, message.as_bytes()]).map(drop)
        }
    }
}

pub(super) fn posted(
    c: &Connection,
    lease: Lease,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let work = finish(c, lease, WorkKind::Answer)?;
    let message = work.subject;
    reached(c, &work.partner)?;
    let sql = "UPDATE message SET state = 'answered', updated = $1
               WHERE id = $2 AND state IN ('received', 'uncertain')";
    run(c, sql, params![now.timestamp_micros(), message.as_bytes()])?;
    log(c, message, "answered", note, now)
}

fn insert(
    c: &Connection,
    arrival: &Arrival,
    state: MessageState,
    resend_of: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    keep(c, &arrival.body)?;
    if let Some(content) = &arrival.content {
        keep(c, content)?;
    }
    let sql = "INSERT INTO message (id, direction, partner, transport, our_id, partner_id,
                   message_id, state, mic, headers, body, content, answer_status, answer_headers,
                   answer_body, answer_to, resend_of, note, created, updated, content_type,
                   file_name)
               VALUES ($1, 'inbound', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
                   $16, $17, $18, $18, $19, $20)";
    let values = params![
        arrival.id.as_bytes(),
        arrival.partner,
        arrival.transport,
        arrival.key.our_id,
        arrival.key.partner_id,
        arrival.key.message_id,
        state.as_str(),
        arrival.mic,
        headers_text(&arrival.headers),
        arrival.body.digest,
        arrival.content.as_ref().map(|content| content.digest),
        arrival.answer.as_ref().map(|answer| answer.status),
        arrival
            .answer
            .as_ref()
            .map(|answer| headers_text(&answer.headers)),
        arrival.answer.as_ref().map(|answer| &answer.body[..]),
        arrival.answer_to,
        resend_of.as_ref().map(Uuid::as_bytes),
        arrival.note,
        now.timestamp_micros(),
        arrival.content_type,
        arrival.file_name,
    ];
    run(c, sql, values)?;
    log(c, arrival.id, state.as_str(), &arrival.note, now)
}

/// Stores a payload's row, with its bytes where they are few; where they are many its file is
/// durable already.
pub(super) fn keep(c: &Connection, payload: &Payload) -> Result<(), Error> {
    let sql = "INSERT INTO payload (digest, size, bytes, sum) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING";
    let size = payload.len().cast_signed();
    let sum = payload.sum.map(u64::cast_signed);
    run(c, sql, params![payload.digest, size, inline(payload), sum]).map(drop)
}

/// The bytes of a payload that lies in its row.
pub(super) fn inline(payload: &Payload) -> Option<&[u8]> {
    match &payload.place {
        Place::Memory(bytes) if bytes.len() <= INLINE => Some(&bytes[..]),
        _ => None,
    }
}

pub(super) fn answered(c: &Connection, message: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
    let sql = "SELECT state FROM message WHERE id = $1";
    match first(c, sql, params![message.as_bytes()], |row| word(row, 0))? {
        None => Err(Error::missing("message", message)),
        Some(MessageState::Received) => {
            let sql = "UPDATE message SET state = 'answered', updated = $1 WHERE id = $2";
            run(c, sql, params![now.timestamp_micros(), message.as_bytes()])?;
            log(c, message, "answered", "", now)
        }
        Some(_) => Ok(()),
    }
}

pub(super) fn read(
    c: &Connection,
    lease: Lease,
    reading: &Reading,
    now: DateTime<Utc>,
) -> Result<Recorded, Error> {
    let mut recorded = Recorded::default();
    let work = match reading.more {
        Some(done) => progress(c, lease, WorkKind::Read, done)?,
        None => finish(c, lease, WorkKind::Read)?,
    };
    if reading.more.is_none() {
        log(c, work.subject, "read", &reading.note, now)?;
    }
    for interchange in &reading.interchanges {
        let first = insert_interchange(c, work.subject, &work.partner, interchange, now)?;
        recorded
            .duplicates
            .extend(first.map(|first| (interchange.id, first)));
        let hold = first.is_some() && reading.on_duplicate == OnDuplicate::Hold;
        for document in &interchange.documents {
            let state = match document.state {
                DocumentState::Read if hold => DocumentState::Held,
                state => state,
            };
            let placed = Within::Inbound(interchange.id);
            insert_document(c, &work.partner, document, placed, state, now)?;
            kill!("splitting");
        }
    }
    for draft in &reading.drafts {
        self::draft(c, &work.partner, draft, now)?;
    }
    for verdict in &reading.verdicts {
        let judged = judge(c, &work.partner, verdict, now)?;
        if judged.is_empty() {
            recorded.unmatched += 1;
            let set = verdict.set_control.as_deref().unwrap_or("-");
            let detail = format!("group {} set {set}", verdict.group_control);
            log(c, work.subject, "verdict on nothing of ours", &detail, now)?;
        }
        recorded.judged.extend(judged);
    }
    Ok(recorded)
}

/// Stores an interchange, and finds the one that came before under the same number.
fn insert_interchange(
    c: &Connection,
    message: Uuid,
    partner: &str,
    interchange: &NewInterchange,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, Error> {
    let NewInterchange {
        id: new,
        pair,
        control,
        verdict,
        ..
    } = interchange;
    let sql = "SELECT message, duplicate_of FROM interchange WHERE id = $1";
    let begun = first(c, sql, params![new.as_bytes()], |row| {
        Ok((some_id(row, 0)?, some_id(row, 1)?))
    })?;
    match begun {
        Some((of, known)) if of == Some(message) => return Ok(known),
        Some(_) => {
            let detail = format!("interchange {new} is there already");
            return Err(Error::invalid(detail));
        }
        None => {}
    }
    let sql = "SELECT id FROM interchange
               WHERE direction = 'inbound' AND partner = $1 AND pair = $2 AND control = $3
               AND created >= $4 ORDER BY seq LIMIT 1";
    let since = (now - DUPLICATE_WINDOW).timestamp_micros();
    let known = first(c, sql, params![partner, pair, control, since], |row| {
        id(row, 0)
    })?;
    let sql = "INSERT INTO interchange (id, direction, partner, message, pair, control, epoch,
                   duplicate_of, verdict, created)
               VALUES ($1, 'inbound', $2, $3, $4, $5, 0, $6, $7, $8)";
    let values = params![
        new.as_bytes(),
        partner,
        message.as_bytes(),
        pair,
        control,
        known.as_ref().map(Uuid::as_bytes),
        verdict,
        now.timestamp_micros(),
    ];
    run(c, sql, values)?;
    if let Some(known) = known {
        log(c, *new, "number came before", &known.to_string(), now)?;
    }
    Ok(known)
}

/// Where a new document stands.
#[derive(Clone, Copy)]
enum Within {
    Inbound(Uuid),
    Outbound,
}

/// Stores a document, and queues what its state asks for.
fn insert_document(
    c: &Connection,
    partner: &str,
    document: &NewDocument,
    place: Within,
    state: DocumentState,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    use DocumentState::{Drafted, Held, Read, Rejected, Settled};
    let (direction, interchange, work) = match (place, state) {
        (Within::Inbound(within), Read) => {
            (Direction::Inbound, Some(within), Some(WorkKind::Deliver))
        }
        (Within::Inbound(within), Held | Rejected | Settled) => {
            (Direction::Inbound, Some(within), None)
        }
        (Within::Outbound, Drafted) => (Direction::Outbound, None, Some(WorkKind::Compose)),
        (Within::Outbound, Held) => (Direction::Outbound, None, None),
        (_, state) => return Err(Error::invalid(format!("a new document cannot be {state}"))),
    };
    let sql =
        "INSERT INTO document (id, direction, partner, interchange, kind, set_id, number, key,
                   group_control, set_control, state, note, created, updated, content, findings)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', $12, $12, $13, $14)";
    let values = params![
        document.id.as_bytes(),
        direction.as_str(),
        partner,
        interchange.as_ref().map(Uuid::as_bytes),
        document.kind,
        document.set,
        document.number,
        document.key.as_ref().filter(|_| interchange.is_none()),
        document.group_control,
        document.set_control,
        state.as_str(),
        now.timestamp_micros(),
        document.content,
        document.findings,
    ];
    run(c, sql, values)?;
    log(c, document.id, state.as_str(), "", now)?;
    work.map_or(Ok(()), |kind| enqueue(c, kind, document.id, partner, now))
}

/// The same for one that comes with bytes.
pub(super) fn draft_with(
    c: &Connection,
    new: &Draft,
    now: DateTime<Utc>,
) -> Result<Drafted, Error> {
    if let Some(payload) = &new.payload {
        keep(c, payload)?;
    }
    draft(c, &new.partner, &new.document, now)
}

pub(super) fn draft(
    c: &Connection,
    partner: &str,
    document: &NewDocument,
    now: DateTime<Utc>,
) -> Result<Drafted, Error> {
    let sql = "SELECT id FROM document WHERE partner = $1 AND key = $2";
    if let Some(known) = first(c, sql, params![partner, document.key], |row| id(row, 0))? {
        return Ok(Drafted::Duplicate(known));
    }
    insert_document(c, partner, document, Within::Outbound, document.state, now)?;
    Ok(Drafted::New)
}

/// Applies a 997's verdict to what it names, in the newest interchange with that group number.
fn judge(
    c: &Connection,
    partner: &str,
    verdict: &Verdict,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, Error> {
    let sql = "SELECT i.id FROM document d JOIN interchange i ON i.id = d.interchange
               WHERE d.direction = 'outbound' AND d.partner = $1 AND d.group_control = $2
               ORDER BY i.seq DESC LIMIT 1";
    let group = &verdict.group_control;
    let Some(within) = first(c, sql, params![partner, group], |row| id(row, 0))? else {
        return Ok(Vec::new());
    };
    let sql = "SELECT id, state FROM document
               WHERE interchange = $1 AND group_control = $2 AND set_control = ifnull($3, set_control)
               ORDER BY seq";
    let values = params![within.as_bytes(), group, verdict.set_control];
    let named = all(c, sql, values, |row| {
        Ok((id(row, 0)?, word::<DocumentState>(row, 1)?))
    })?;
    let state = if verdict.accepted {
        DocumentState::Accepted
    } else {
        DocumentState::Rejected
    };
    for (document, known) in &named {
        // The business has spoken already; the syntax cannot take it back.
        if *known != DocumentState::Settled {
            move_document(c, *document, state, &verdict.note, now)?;
        }
    }
    Ok(named.into_iter().map(|(document, _)| document).collect())
}

pub(super) fn delivered(
    c: &Connection,
    lease: Lease,
    state: DocumentState,
    note: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if !matches!(state, DocumentState::Delivered | DocumentState::Settled) {
        return Err(Error::invalid(format!("a delivery does not end {state}")));
    }
    let work = finish(c, lease, WorkKind::Deliver)?;
    move_document(c, work.subject, state, note, now)
}
