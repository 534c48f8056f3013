//! Connections for queries, beside the writer's: WAL lets them read while it writes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::schema;
use crate::store::{Error, Kind};

/// Enough that a slow list does not stop a worker's look-up; each costs a page cache of 2 MB.
const READERS: usize = 4;

/// A few read-only connections, opened as they are needed.
pub(super) struct Readers {
    path: PathBuf,
    permits: Semaphore,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            permits: Semaphore::new(READERS),
            idle: Arc::default(),
        }
    }

    /// Runs `query` on a thread where it may block.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let closed = |_| Error::new(Kind::Closed, "no more calls are taken");
        let permit = self.permits.acquire().await.map_err(closed)?;
        let idle = Arc::clone(&self.idle);
        let path = self.path.clone();
        let task = tokio::task::spawn_blocking(move || {
            let connection = idle.lock().expect("nothing panics under this lock").pop();
            let connection = match connection {
                Some(connection) => connection,
                // The writer has it open: what is missing is a file of ours, most likely.
                None => open(path).map_err(|why| Error::new(Kind::Busy, why.to_string()))?,
            };
            // One snapshot for all statements of the query.
            let result = connection
                .unchecked_transaction()
                .map_err(Error::from)
                .and_then(|snapshot| query(&snapshot));
            idle.lock()
                .expect("nothing panics under this lock")
                .push(connection);
            result
        });
        let result = task
            .await
            .map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
        drop(permit);
        result
    }

    /// Refuses every later query, and closes what is open.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle
            .lock()
            .expect("nothing panics under this lock")
            .clear();
    }
}

pub(super) fn open(path: PathBuf) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    schema::harden(&connection)?;
    Ok(connection)
}
