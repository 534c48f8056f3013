//! Between rows of SQLite and our types.
//!
//! Statements number their parameters `$1`, `$2` … in the order of first use: SQLite numbers
//! `$n` by first appearance, PostgreSQL by `n`, and only so do both agree (a test reads them all).

use std::error::Error as StdError;
use std::hash::Hasher;
use std::str::FromStr;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{ErrorCode, Result, Row};
use twox_hash::XxHash3_64;
use uuid::Uuid;

use crate::store::{
    Answer, Digest, Document, Error, Event, Headers, Interchange, Key, Kind, Message,
};

/// The columns of [`message`], in its order.
pub(super) const MESSAGE: &str = "id, direction, partner, transport, our_id, partner_id, \
     message_id, state, mic, body, content, resend_of, note, created, updated, content_type, \
     file_name";

/// The columns of [`interchange`], in its order.
pub(super) const INTERCHANGE: &str = "id, direction, partner, message, pair, control, payload, \
     duplicate_of, verdict, created";

/// The columns of [`document`], in its order.
pub(super) const DOCUMENT: &str = "id, direction, partner, interchange, kind, set_id, number, \
     group_control, set_control, state, note, created, updated";

pub(super) fn message(row: &Row<'_>) -> Result<Message> {
    Ok(Message {
        id: id(row, 0)?,
        direction: word(row, 1)?,
        partner: row.get(2)?,
        transport: row.get(3)?,
        key: Key {
            our_id: row.get(4)?,
            partner_id: row.get(5)?,
            message_id: row.get(6)?,
        },
        state: word(row, 7)?,
        mic: row.get(8)?,
        body: row.get(9)?,
        content: row.get(10)?,
        resend_of: some_id(row, 11)?,
        note: row.get(12)?,
        created: time(row, 13)?,
        updated: time(row, 14)?,
        content_type: row.get(15)?,
        file_name: row.get(16)?,
    })
}

pub(super) fn interchange(row: &Row<'_>) -> Result<Interchange> {
    Ok(Interchange {
        id: id(row, 0)?,
        direction: word(row, 1)?,
        partner: row.get(2)?,
        message: some_id(row, 3)?,
        pair: row.get(4)?,
        control: row.get(5)?,
        payload: row.get(6)?,
        duplicate_of: some_id(row, 7)?,
        verdict: row.get(8)?,
        created: time(row, 9)?,
    })
}

pub(super) fn document(row: &Row<'_>) -> Result<Document> {
    Ok(Document {
        id: id(row, 0)?,
        direction: word(row, 1)?,
        partner: row.get(2)?,
        interchange: some_id(row, 3)?,
        kind: row.get(4)?,
        set: row.get(5)?,
        number: row.get(6)?,
        group_control: row.get(7)?,
        set_control: row.get(8)?,
        state: word(row, 9)?,
        note: row.get(10)?,
        created: time(row, 11)?,
        updated: time(row, 12)?,
    })
}

/// `at, subject, what, detail`.
pub(super) fn event(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        at: time(row, 0)?,
        subject: id(row, 1)?,
        what: row.get(2)?,
        detail: row.get(3)?,
    })
}

/// `answer_status, answer_headers, answer_body`, from column `first` on.
pub(super) fn answer(row: &Row<'_>, first: usize) -> Result<Option<Answer>> {
    let Some(status) = row.get(first)? else {
        return Ok(None);
    };
    let body: Vec<u8> = row.get(first + 2)?;
    Ok(Some(Answer {
        status,
        headers: headers(row, first + 1)?,
        body: Bytes::from(body),
    }))
}

pub(super) fn headers(row: &Row<'_>, column: usize) -> Result<Headers> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| broken(column, error))
}

/// Header fields as they are stored.
pub(super) fn headers_text(headers: &Headers) -> String {
    serde_json::to_string(headers).expect("pairs of strings are JSON")
}

pub(super) fn id(row: &Row<'_>, column: usize) -> Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

pub(super) fn some_id(row: &Row<'_>, column: usize) -> Result<Option<Uuid>> {
    Ok(row
        .get::<_, Option<[u8; 16]>>(column)?
        .map(Uuid::from_bytes))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> Result<DateTime<Utc>> {
    let micros = row.get(column)?;
    DateTime::from_timestamp_micros(micros)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, micros))
}

pub(super) fn word<W: FromStr<Err = Error>>(row: &Row<'_>, column: usize) -> Result<W> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| broken(column, error))
}

/// A digest, where the column may be empty.
pub(super) fn digest(row: &Row<'_>) -> Result<Option<Digest>> {
    row.get(0)
}

fn broken(column: usize, error: impl StdError + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

/// What a document is known by when it is read again: a page of the database has no digest.
pub(super) fn sum(kind: &str, number: &str, content: &str) -> i64 {
    let mut sum = XxHash3_64::new();
    for part in [kind, number, content] {
        sum.write(part.as_bytes());
        sum.write(&[0]);
    }
    sum.finish().cast_signed()
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Kind::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Busy,
            Some(ErrorCode::ConstraintViolation) => Kind::Invalid,
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::FileLockingProtocolFailed,
            ) => Kind::Failed,
            _ => Kind::Bug,
        };
        Self::new(kind, error.to_string())
    }
}
