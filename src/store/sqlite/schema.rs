//! Opening the database: settings, checks and migrations.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::store::{Error, Kind};

/// Numbered migrations, in order; the database remembers in `user_version` how many it has had.
const MIGRATIONS: &[&str] = &[
    include_str!("../schema/0001.sql"),
    include_str!("../schema/0002.sql"),
    include_str!("../schema/0003.sql"),
    include_str!("../schema/0004.sql"),
    include_str!("../schema/0005.sql"),
    include_str!("../schema/0006.sql"),
    include_str!("../schema/0007.sql"),
    include_str!("../schema/0008.sql"),
    include_str!("../schema/0009.sql"),
    include_str!("../schema/0010.sql"),
    include_str!("../schema/0011.sql"),
    include_str!("../schema/0012.sql"),
];

/// Marks the file as ours (`PRAGMA application_id`): "TrLd".
const APPLICATION: i64 = 0x5472_4c64;

/// Statements kept prepared on each connection: more than there are.
const STATEMENTS: usize = 128;

/// Memory for the writer's pages: a batch's own, and the ways to them. With SQLite's 2 MB a batch spills
/// into the log before its COMMIT, and a page that is written twice is logged twice.
const CACHE_KIB: i64 = 16 * 1024;

/// How long to wait for a lock that a backup or a person's shell may hold.
const BUSY: Duration = Duration::from_secs(5);
/// Between two looks at a database that is being migrated.
const GLANCE: Duration = Duration::from_millis(10);

/// Locks the data folder against a second process. The lock ends with the file.
pub(super) fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lock");
    let io = |error: &std::io::Error| Error::io(format_args!("{}", path.display()), error);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| io(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::new(
            Kind::Locked,
            format!(
                "{} is open in another process; stop that one first",
                folder.display()
            ),
        )),
        Err(std::fs::TryLockError::Error(error)) => Err(io(&error)),
    }
}

/// Opens the writer's connection: set, checked and migrated.
pub(super) fn open(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    harden(&connection)?;
    // FULL: with NORMAL a power cut loses commits that were answered (measured: all of them).
    // MEMORY: each job's savepoint keeps the pages that it changes, by default in a file.
    let synchronous = planted!("commits-not-synced", "NORMAL", "FULL");
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON; PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -{CACHE_KIB}; PRAGMA temp_store = MEMORY;",
    ))?;
    check(&connection, path)?;
    migrate(&connection, path)?;
    Ok(connection)
}

/// Opens the database of another process beside it: what that one set and checked stands.
pub(super) fn beside(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    harden(&connection)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;")?;
    let until = Instant::now() + BUSY;
    let version = loop {
        let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        // Who opened it just now may still be at its migrations.
        if version as usize >= MIGRATIONS.len() || Instant::now() > until {
            break version;
        }
        std::thread::sleep(GLANCE);
    };
    if version as usize != MIGRATIONS.len() {
        let detail = format!(
            "{} has schema {version}, this version {}; use the version that has it open",
            path.display(),
            MIGRATIONS.len()
        );
        return Err(Error::new(Kind::Invalid, detail));
    }
    Ok(connection)
}

/// The settings that every connection needs.
pub(super) fn harden(connection: &Connection) -> Result<(), Error> {
    connection.busy_timeout(BUSY)?;
    // The writer folds the log in when all went well. After an fsync that failed, nobody does: what
    // the kernel holds may be what the disk has not.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )?;
    Ok(())
}

/// Refuses a file that is broken, or another program's.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), Error> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        let detail = format!("{}: {verdict}; restore a backup", path.display());
        return Err(Error::new(Kind::Failed, detail));
    }
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    if application != APPLICATION && tables > 0 {
        let detail = format!("{} is another program's database", path.display());
        return Err(Error::new(Kind::Invalid, detail));
    }
    Ok(())
}

/// Applies the migrations that are missing, each in a transaction with its number.
fn migrate(connection: &Connection, path: &Path) -> Result<(), Error> {
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let version = version as usize;
    if version > MIGRATIONS.len() {
        let detail = format!(
            "{} was written by a newer version (schema {version}, this one knows {})",
            path.display(),
            MIGRATIONS.len()
        );
        return Err(Error::new(Kind::Invalid, detail));
    }
    for (number, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        connection.execute_batch(&format!(
            "BEGIN EXCLUSIVE; {migration}
             PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {};",
            number + 1
        ))?;
        kill!("migrating");
        connection.execute_batch("COMMIT")?;
        kill!("migrated");
    }
    Ok(())
}
