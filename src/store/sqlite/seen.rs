//! Which certificate a partner was last seen with.

use std::path::Path;

use rusqlite::{Connection, params};

use super::columns::time;
use super::queue::{all, run};
use super::readers;
use crate::store::{Error, Seen};

pub(super) fn note(c: &Connection, seen: &[Seen]) -> Result<(), Error> {
    let sql = "INSERT INTO seen (partner, purpose, fingerprint, at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (partner, purpose, fingerprint) DO UPDATE SET at = max(at, excluded.at)";
    for one in seen {
        let at = one.at.timestamp_micros();
        run(
            c,
            sql,
            params![one.partner, one.purpose, one.fingerprint, at],
        )?;
    }
    Ok(())
}

pub(super) fn list(c: &Connection) -> Result<Vec<Seen>, Error> {
    let sql = "SELECT partner, purpose, fingerprint, at FROM seen ORDER BY 1, 2, 3";
    all(c, sql, &[], |row| {
        Ok(Seen {
            partner: row.get(0)?,
            purpose: row.get(1)?,
            fingerprint: row.get(2)?,
            at: time(row, 3)?,
        })
    })
}

/// The same from a folder that another process may have open: nothing is written and no lock is
/// taken. A folder without a store, or with one of before, has seen nothing.
pub(super) fn look(folder: &Path) -> Result<Vec<Seen>, Error> {
    let path = folder.join(super::DATABASE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let connection = readers::open(path)?;
    let there = "SELECT 1 FROM sqlite_schema WHERE name = 'seen'";
    match all(&connection, there, &[], |_| Ok(()))?.is_empty() {
        true => Ok(Vec::new()),
        false => list(&connection),
    }
}
