//! What people order, tries that did not arrive, and the queue as it is looked at.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::columns::{self, MESSAGE, headers_text, id, time, word};
use super::queue::{
    all, enqueue, first, leased, log, move_documents_of, move_message, release, run, set_aside,
};
use crate::store::order::{in_hand, not_ours, open, revived};
use crate::store::{
    Allowance, Anew, Aside, Circuit, Direction, DocumentState, Error, Lease, MISSES, Message,
    MessageState, Missed, Order, Queue, Resend, Waiting, WorkKind, held_until,
};

/// Rows that one miss gives up: a transaction stays short, and the next miss takes the next.
const GIVEN_UP: usize = 1000;

pub(super) fn unreached(
    c: &Connection,
    lease: Lease,
    missed: &Missed,
    now: DateTime<Utc>,
) -> Result<u32, Error> {
    let work = leased(c, lease)?;
    if !work.kind.asks_partner() {
        return Err(Error::invalid(format!(
            "work to {} asks no partner",
            work.kind
        )));
    }
    let Missed { why, again, .. } = missed;
    release(c, lease, *again, Some(why))?;
    match missed.perhaps_there && work.kind == WorkKind::Send {
        true => move_message(c, work.subject, MessageState::Sent, why, now)?,
        false => log(c, work.subject, "retry", why, now)?,
    }
    let sql = "UPDATE turn SET missed = missed + 1 WHERE partner = $1 RETURNING missed, misses";
    let known = first(c, sql, params![work.partner], |row| {
        Ok((row.get(0)?, row.get::<_, Option<u32>>(1)?))
    })?;
    let (count, misses) = known.unwrap_or((0, None));
    if count >= misses.unwrap_or(MISSES) {
        let sql = "UPDATE turn SET shut = max(shut, $1) WHERE partner = $2";
        let until = (now + missed.pause).timestamp_micros();
        run(c, sql, params![until, work.partner])?;
        give_up(c, &work.partner, missed, now)?;
    }
    Ok(count)
}

/// Sets aside what has waited too long for a partner who is not reached.
fn give_up(
    c: &Connection,
    partner: &str,
    missed: &Missed,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = format!(
        "SELECT w.id, w.kind, w.subject, m.state FROM work w JOIN message m ON m.id = w.subject
         WHERE w.partner = $1 AND w.kind IN ('send', 'answer') AND w.leased = 0 AND w.queued < $2
         ORDER BY w.id LIMIT {GIVEN_UP}"
    );
    let values = params![partner, missed.give_up.timestamp_micros()];
    let old = all(c, &sql, values, |row| {
        let work: i64 = row.get(0)?;
        Ok((work, word(row, 1)?, id(row, 2)?, word(row, 3)?))
    })?;
    for (work, kind, subject, state) in old {
        run(c, "DELETE FROM work WHERE id = $1", params![work])?;
        let note = format!("given up: {}", missed.why);
        set_aside(c, kind, subject, Aside::given_up(kind, state), &note, now)?;
    }
    Ok(())
}

/// What partners' servers bear, in place of what was said before.
pub(super) fn allow(c: &Connection, all: &[Allowance]) -> Result<(), Error> {
    let sql = "UPDATE turn SET at_once = NULL, misses = NULL WHERE at_once > 0 OR misses > 0";
    run(c, sql, params![])?;
    let sql = "INSERT INTO turn (partner, served, at_once, misses) VALUES ($1, 0, $2, $3)
               ON CONFLICT (partner) DO UPDATE SET at_once = $2, misses = $3";
    for one in all {
        run(c, sql, params![one.partner, one.at_once, one.misses])?;
    }
    Ok(())
}

/// The partner's server answered: whatever was missed before counts no more.
pub(super) fn reached(c: &Connection, partner: &str) -> Result<(), Error> {
    let sql = "UPDATE turn SET missed = 0, shut = 0 WHERE partner = $1 AND missed > 0";
    run(c, sql, params![partner]).map(drop)
}

/// A message of ours and its partner; an error where it is none, or is in a worker's hand.
fn ordered(c: &Connection, message: Uuid) -> Result<(MessageState, String), Error> {
    let sql = "SELECT direction, state, partner FROM message WHERE id = $1";
    let row = first(c, sql, params![message.as_bytes()], |row| {
        let partner: String = row.get(2)?;
        Ok((
            word::<Direction>(row, 0)?,
            word::<MessageState>(row, 1)?,
            partner,
        ))
    })?;
    let (direction, state, partner) = row.ok_or_else(|| Error::missing("message", message))?;
    if direction == Direction::Inbound {
        return Err(not_ours());
    }
    let sql = "SELECT 1 FROM work WHERE subject = $1 AND kind = 'send' AND leased = 1";
    match first(c, sql, params![message.as_bytes()], |_| Ok(()))? {
        Some(()) => Err(in_hand()),
        None => Ok((state, partner)),
    }
}

fn unqueue(c: &Connection, message: Uuid) -> Result<(), Error> {
    let sql = "DELETE FROM work WHERE subject = $1 AND kind = 'send'";
    run(c, sql, params![message.as_bytes()]).map(drop)
}

pub(super) fn resend(
    c: &Connection,
    message: Uuid,
    resend: &Resend,
    now: DateTime<Utc>,
) -> Result<Uuid, Error> {
    use DocumentState::{Drafted, Failed};
    let (state, partner) = ordered(c, message)?;
    let order = &resend.order;
    let Some(anew) = &resend.anew else {
        let again = revived(state)?;
        log(c, message, "resend", &order.to_string(), now)?;
        if again != state {
            move_message(c, message, again, &order.to_string(), now)?;
        }
        move_documents_of(c, message, &[Failed], Drafted, now)?;
        unqueue(c, message)?;
        enqueue(c, WorkKind::Send, message, &partner, now)?;
        return Ok(message);
    };
    copy(c, message, anew, order, now)?;
    if state != MessageState::Confirmed {
        let sql = "UPDATE interchange SET message = $1 WHERE message = $2";
        run(c, sql, params![anew.id.as_bytes(), message.as_bytes()])?;
        move_documents_of(c, anew.id, &[Failed], Drafted, now)?;
    }
    let told = format!("{order}; as {}", anew.id);
    log(c, message, "resend", &told, now)?;
    if matches!(state, MessageState::Sealed | MessageState::Sent) {
        unqueue(c, message)?;
        let note = format!("sent again as {}", anew.id);
        move_message(c, message, MessageState::Dead, &note, now)?;
    }
    enqueue(c, WorkKind::Send, anew.id, &partner, now)?;
    Ok(anew.id)
}

/// A second message with the body of the first.
fn copy(
    c: &Connection,
    message: Uuid,
    anew: &Anew,
    order: &Order,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "INSERT INTO message (id, direction, partner, transport, our_id, partner_id,
                   message_id, state, mic, headers, body, content, resend_of, note, created,
                   updated, content_type, file_name)
               SELECT $1, direction, partner, transport, our_id, partner_id, $2, 'sealed', mic,
                   $3, body, content, $4, $5, $6, $6, content_type, file_name
               FROM message WHERE id = $4";
    let note = order.to_string();
    let values = params![
        anew.id.as_bytes(),
        anew.message_id,
        headers_text(&anew.headers),
        message.as_bytes(),
        note,
        now.timestamp_micros(),
    ];
    run(c, sql, values)?;
    log(c, anew.id, MessageState::Sealed.as_str(), &note, now)
}

pub(super) fn cancel(
    c: &Connection,
    message: Uuid,
    order: &Order,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (state, _) = ordered(c, message)?;
    open(state)?;
    unqueue(c, message)?;
    log(c, message, "cancel", &order.to_string(), now)?;
    let note = format!("cancelled by {order}");
    move_message(c, message, MessageState::Dead, &note, now)?;
    use DocumentState::{Drafted, Failed};
    move_documents_of(c, message, &[Drafted], Failed, now)
}

pub(super) fn let_go(
    c: &Connection,
    subject: Option<Uuid>,
    order: &Order,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let sql = "SELECT id, subject FROM work
               WHERE due = $1 AND ($2 IS NULL OR subject = $2) ORDER BY id";
    let one = subject.map(|subject| *subject.as_bytes());
    let values = params![held_until().timestamp_micros(), one];
    let rows = all(c, sql, values, |row| {
        Ok((row.get::<_, i64>(0)?, id(row, 1)?))
    })?;
    // It was not late while it was held: its age counts from here.
    let sql = "UPDATE work SET due = $1, queued = $1, error = NULL WHERE id = $2";
    for (work, subject) in &rows {
        log(c, *subject, "released", &order.to_string(), now)?;
        run(c, sql, params![now.timestamp_micros(), work])?;
    }
    Ok(rows.len() as u64)
}

pub(super) fn named(c: &Connection, message_id: &str) -> Result<Vec<Message>, Error> {
    let sql = format!("SELECT {MESSAGE} FROM message WHERE message_id = $1 ORDER BY seq DESC");
    all(c, &sql, params![message_id], columns::message)
}

pub(super) fn queue(c: &Connection, limit: usize) -> Result<Queue, Error> {
    let sql = "SELECT kind, subject, partner, due, leased, attempt, error, queued FROM work
               ORDER BY due, id LIMIT $1";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let waiting = all(c, sql, params![limit], |row| {
        Ok(Waiting {
            kind: word(row, 0)?,
            subject: id(row, 1)?,
            partner: row.get(2)?,
            due: time(row, 3)?,
            leased: row.get(4)?,
            attempt: row.get(5)?,
            error: row.get(6)?,
            queued: time(row, 7)?,
        })
    })?;
    let sql = "SELECT partner, missed, shut FROM turn WHERE missed > 0 ORDER BY partner";
    let circuits = all(c, sql, &[], |row: &Row<'_>| {
        Ok(Circuit {
            partner: row.get(0)?,
            missed: row.get(1)?,
            shut: Some(time(row, 2)?).filter(|shut| shut.timestamp_micros() > 0),
        })
    })?;
    let sql = "SELECT count(*) FROM work WHERE due = $1";
    let until = held_until().timestamp_micros();
    let held = first(c, sql, params![until], |row| row.get::<_, i64>(0))?;
    let held = held.unwrap_or(0).cast_unsigned();
    Ok(Queue {
        waiting,
        circuits,
        held,
    })
}
