//! Queries.

use rusqlite::{Connection, Row, ToSql, params};
use uuid::Uuid;

use super::columns::{self, DOCUMENT, INTERCHANGE, MESSAGE, word};
use super::inbound::holder;
use super::payloads::Payloads;
use super::queue::{all, first};
use crate::store::{
    Counts, DETAIL, Digest, Direction, Document, DocumentDetail, DocumentState, Error, Event,
    Filter, Interchange, Key, Message, MessageDetail, MessageState, Payload,
};

pub(super) fn find(
    c: &Connection,
    direction: Direction,
    key: &Key,
) -> Result<Option<Message>, Error> {
    if direction == Direction::Inbound {
        let Some(id) = holder(c, key)? else {
            return Ok(None);
        };
        let sql = format!("SELECT {MESSAGE} FROM message WHERE id = $1");
        return first(c, &sql, params![id.as_bytes()], columns::message);
    }
    let sql = format!(
        "SELECT {MESSAGE} FROM message WHERE our_id = $1 AND partner_id = $2 AND message_id = $3
         AND direction = 'outbound' ORDER BY seq DESC LIMIT 1"
    );
    first(
        c,
        &sql,
        params![key.our_id, key.partner_id, key.message_id],
        columns::message,
    )
}

pub(super) fn message(c: &Connection, id: Uuid) -> Result<Option<MessageDetail>, Error> {
    let key: &[&dyn ToSql] = params![id.as_bytes()];
    let sql = format!(
        "SELECT {MESSAGE}, headers, answer_status, answer_headers, answer_body, answer_to
         FROM message WHERE id = $1"
    );
    let row = first(c, &sql, key, |row| {
        Ok((
            columns::message(row)?,
            columns::headers(row, 17)?,
            columns::answer(row, 18)?,
            row.get(21)?,
        ))
    })?;
    let Some((message, headers, answer, answer_to)) = row else {
        return Ok(None);
    };
    let sql = format!("SELECT {INTERCHANGE} FROM interchange WHERE message = $1 ORDER BY seq");
    let interchanges = all(c, &sql, key, columns::interchange)?;
    let sql = format!(
        "SELECT {DOCUMENT} FROM document
         WHERE interchange IN (SELECT id FROM interchange WHERE message = $1) ORDER BY seq
         LIMIT {DETAIL}"
    );
    let documents = all(c, &sql, key, columns::document)?;
    let sql = format!(
        "WITH within (id) AS (SELECT id FROM interchange WHERE message = $1)
         SELECT at, subject, what, detail FROM event
         WHERE subject = $1 OR subject IN within
         OR subject IN (SELECT id FROM document WHERE interchange IN within) ORDER BY seq
         LIMIT {DETAIL}"
    );
    let events = all(c, &sql, key, columns::event)?;
    Ok(Some(MessageDetail {
        message,
        headers,
        answer,
        answer_to,
        interchanges,
        documents,
        events,
    }))
}

pub(super) fn messages(
    c: &Connection,
    filter: &Filter<MessageState>,
) -> Result<Vec<Message>, Error> {
    let state = filter.state.map(MessageState::as_str);
    list(c, "message", MESSAGE, filter, state, columns::message)
}

pub(super) fn documents(
    c: &Connection,
    filter: &Filter<DocumentState>,
) -> Result<Vec<Document>, Error> {
    let state = filter.state.map(DocumentState::as_str);
    list(c, "document", DOCUMENT, filter, state, columns::document)
}

fn list<State, T>(
    c: &Connection,
    table: &str,
    columns: &str,
    filter: &Filter<State>,
    state: Option<&str>,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, Error> {
    let sql = format!(
        "SELECT {columns} FROM {table}
         WHERE direction = ifnull($1, direction) AND state = ifnull($2, state)
         AND partner = ifnull($3, partner) AND created >= ifnull($4, created)
         ORDER BY seq DESC LIMIT $5"
    );
    let values = params![
        filter.direction.map(Direction::as_str),
        state,
        filter.partner,
        filter.since.map(|since| since.timestamp_micros()),
        i64::try_from(filter.limit).unwrap_or(i64::MAX),
    ];
    all(c, &sql, values, read)
}

pub(super) fn interchange(
    c: &Connection,
    id: Uuid,
) -> Result<Option<(Interchange, Vec<Document>)>, Error> {
    let key: &[&dyn ToSql] = params![id.as_bytes()];
    let sql = format!("SELECT {INTERCHANGE} FROM interchange WHERE id = $1");
    let Some(interchange) = first(c, &sql, key, columns::interchange)? else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT {DOCUMENT} FROM document WHERE interchange = $1 ORDER BY seq LIMIT {DETAIL}"
    );
    Ok(Some((interchange, all(c, &sql, key, columns::document)?)))
}

pub(super) fn document(c: &Connection, id: Uuid) -> Result<Option<DocumentDetail>, Error> {
    let key: &[&dyn ToSql] = params![id.as_bytes()];
    let sql = format!("SELECT {DOCUMENT}, content, findings, sum FROM document WHERE id = $1");
    let row = first(c, &sql, key, |row| {
        let more: (String, String, Option<i64>) = (row.get(13)?, row.get(14)?, row.get(15)?);
        Ok((columns::document(row)?, more))
    })?;
    let Some((document, (content, findings, sum))) = row else {
        return Ok(None);
    };
    let found = columns::sum(&document.kind, &document.number, &content);
    if sum.is_some_and(|sum| sum != found) {
        let detail = format!("document {id} is not what was stored");
        return Err(Error::new(crate::store::Kind::Unreadable, detail));
    }
    let sql = "SELECT at, subject, what, detail FROM event WHERE subject = $1 ORDER BY seq";
    let events: Vec<Event> = all(c, sql, key, columns::event)?;
    Ok(Some(DocumentDetail {
        document,
        content,
        findings,
        events,
    }))
}

pub(super) fn payload(
    c: &Connection,
    payloads: &Payloads,
    digest: &Digest,
) -> Result<Option<Payload>, Error> {
    let sql = "SELECT size, bytes, sum FROM payload WHERE digest = $1";
    let row = |row: &Row<'_>| {
        let (size, sum): (i64, Option<i64>) = (row.get(0)?, row.get(2)?);
        let bytes: Option<Vec<u8>> = row.get(1)?;
        Ok((size.cast_unsigned(), bytes, sum.map(i64::cast_unsigned)))
    };
    Ok(match first(c, sql, params![digest], row)? {
        None => None,
        Some((_, Some(bytes), _)) => Some(Payload::new(bytes, *digest)),
        Some((size, None, sum)) => Some(payloads.get(digest, size)?.summed(sum)),
    })
}

/// Whether a row names the file of this digest.
pub(super) fn named(c: &Connection, digest: &Digest) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM payload WHERE digest = $1 AND bytes IS NULL";
    Ok(first(c, sql, params![digest], |_| Ok(()))?.is_some())
}

pub(super) fn counts(c: &Connection) -> Result<Counts, Error> {
    let tally = |row: &Row<'_>, column| row.get(column).map(i64::cast_unsigned);
    let sql = "SELECT direction, state, count(*) FROM message GROUP BY 1, 2";
    let mut messages = all(c, sql, &[], |row| {
        Ok((word(row, 0)?, word(row, 1)?, tally(row, 2)?))
    })?;
    let sql = "SELECT direction, state, count(*) FROM document GROUP BY 1, 2";
    let mut documents = all(c, sql, &[], |row| {
        Ok((word(row, 0)?, word(row, 1)?, tally(row, 2)?))
    })?;
    let sql = "SELECT kind, count(*) FROM work GROUP BY 1";
    let mut work = all(c, sql, &[], |row| Ok((word(row, 0)?, tally(row, 1)?)))?;
    messages.sort_unstable();
    documents.sort_unstable();
    work.sort_unstable();
    Ok(Counts {
        messages,
        documents,
        work,
    })
}
