//! Transfers that break and go on (draft-harding-as2-restart-07): what came of a body stays, until
//! the rest follows.
//!
//! | request | answer |
//! |---|---|
//! | `HEAD` with the transfer's `ETag` | `Content-Length`: how many bytes of it are here |
//! | `POST` with the `ETag` | a new transfer; what was there under that tag is forgotten |
//! | the same with `Content-Range: bytes a-b/total`, `a` bytes being here | it goes on |
//! | the same where all is here, of the last byte | it is as if all of it came |
//! | another range | 416 with `Content-Range: bytes */here` |
//! | any, while a request of that transfer is open | 500 |
//!
//! Nothing here is trusted: the whole is opened and verified like any other body. A file is only
//! ever added to, and nothing more once it is whole.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap};
use uuid::Uuid;

use super::body::{Body, Intake, Pace, Refused};
use super::spool::{BLOCK, Spooled};

/// Transfers that are kept at once: a name alone begins one, and each may have a body's size.
const TRANSFERS: usize = 16;
/// How long one is kept without a request: the time for which a sender tries.
const KEPT: Duration = Duration::from_secs(72 * 60 * 60);

/// The transfers of one listener.
#[derive(Debug, Clone)]
pub struct Transfers {
    folder: PathBuf,
    open: Arc<Mutex<HashSet<String>>>,
}

/// One transfer; no other request of it is taken while this is held.
#[derive(Debug)]
pub struct Transfer {
    name: String,
    of: Transfers,
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.of.names().remove(&self.name);
    }
}

impl Transfers {
    /// Transfers in `folder`, which is on the disk of the spool; what an earlier process kept in it
    /// goes on.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn new(folder: impl Into<PathBuf>) -> io::Result<Transfers> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        Ok(Transfers {
            folder,
            open: Arc::default(),
        })
    }

    fn names(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        // A name is put in or taken out in one move, so a panic elsewhere spoils nothing.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transfer of a name (letters and digits alone); `None` while another request has it.
    #[must_use]
    pub fn take(&self, name: &str) -> Option<Transfer> {
        let new = self.names().insert(name.to_owned());
        new.then(|| Transfer {
            name: name.to_owned(),
            of: self.clone(),
        })
    }

    /// Removes what nobody asked for in a long time; whether there is room for one more. Blocks.
    fn room(&self) -> io::Result<bool> {
        let (mut count, now) = (0, SystemTime::now());
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let changed = fs::metadata(&path).and_then(|file| file.modified())?;
            match now.duration_since(changed).is_ok_and(|age| age > KEPT) {
                true => fs::remove_file(&path)?,
                false => count += 1,
            }
        }
        Ok(count < TRANSFERS)
    }
}

impl Transfer {
    fn partial(&self) -> PathBuf {
        self.of.folder.join(&self.name)
    }

    fn whole(&self) -> PathBuf {
        self.of.folder.join(format!("{}.whole", self.name))
    }

    /// How many bytes are here.
    #[must_use]
    pub fn held(&self) -> u64 {
        let whole = fs::metadata(self.whole());
        whole
            .or_else(|_| fs::metadata(self.partial()))
            .map_or(0, |file| file.len())
    }

    /// Where a request's bytes go. Blocks.
    fn begin(&self, range: &Range) -> io::Result<Begun> {
        let held = self.held();
        if range.until < range.total {
            return Ok(Begun::Elsewhere(held));
        }
        if range.from == 0 {
            for old in [self.partial(), self.whole()] {
                match fs::remove_file(old) {
                    Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
                    _ => {}
                }
            }
            if !self.of.room()? {
                return Ok(Begun::Full);
            }
            let new = OpenOptions::new()
                .append(true)
                .create_new(true)
                .open(self.partial());
            return new.map(Begun::Add);
        }
        match self.whole().exists() {
            true if range.from + 1 == held && held == range.total => Ok(Begun::All),
            false if range.from == held => {
                let file = OpenOptions::new().append(true).open(self.partial())?;
                Ok(Begun::Add(file))
            }
            _ => Ok(Begun::Elsewhere(held)),
        }
    }

    /// The last byte that is here.
    fn last(&self) -> io::Result<u8> {
        let mut file = File::open(self.whole())?;
        file.seek(SeekFrom::End(-1))?;
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    /// All of it as a body: a link of its own in `spool`, which may be taken away.
    fn body(&self, spool: &Path) -> io::Result<Spooled> {
        let whole = self.whole();
        if !whole.exists() {
            fs::rename(self.partial(), &whole)?;
        }
        let link = spool.join(format!("{}.part", Uuid::now_v7()));
        fs::hard_link(&whole, &link)?;
        Spooled::file_of(link)
    }
}

/// What becomes of a request's bytes.
#[derive(Debug)]
enum Begun {
    /// They are added to this file.
    Add(File),
    /// All is here: they are the last byte.
    All,
    /// Others are due, after so many.
    Elsewhere(u64),
    /// They are read like any other body, and not kept: there are enough transfers.
    Full,
}

/// The bytes of a transfer that a request brings: up to `until`, which it does not.
struct Range {
    from: u64,
    until: u64,
    total: u64,
}

impl Range {
    /// What the headers say; `None` where they say nothing that holds together.
    fn of(headers: &HeaderMap) -> Option<Range> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let length: u64 = text(CONTENT_LENGTH)?.parse().ok()?;
        let Some(range) = headers.get(CONTENT_RANGE) else {
            return Some(Range {
                from: 0,
                until: length,
                total: length,
            });
        };
        let range = range.to_str().ok()?.trim().strip_prefix("bytes")?;
        let (range, total) = range.trim_start().split_once('/')?;
        let (from, last) = range.split_once('-')?;
        let (from, last): (u64, u64) = (from.trim().parse().ok()?, last.trim().parse().ok()?);
        let total = total.trim().parse().ok()?;
        let until = last.checked_add(1)?;
        let sound = from < until && until <= total && until - from == length;
        sound.then_some(Range { from, until, total })
    }
}

impl Intake {
    /// Reads a body that may be the rest of one: what comes of it is kept, whether all comes or
    /// not.
    ///
    /// # Errors
    /// As [`Intake::read`]; [`Refused::Elsewhere`] where another part of it is due.
    pub async fn resume(
        &self,
        headers: &HeaderMap,
        mut body: Incoming,
        transfer: &Arc<Transfer>,
    ) -> Result<Body, Refused> {
        let range = Range::of(headers).ok_or(Refused::Malformed)?;
        let limit = self.limits.body;
        if range.total > limit {
            return Err(Refused::TooLarge { limit });
        }
        let (path, total) = (transfer.partial(), range.total);
        let this = Arc::clone(transfer);
        let begun = self.blocking(&path, move || this.begin(&range)).await?;
        let mut pace = Pace::new(&self.limits);
        let mut file = match begun {
            Begun::Add(file) => file,
            Begun::Elsewhere(held) => return Err(Refused::Elsewhere { held }),
            Begun::Full => return self.read(headers, body).await,
            Begun::All => {
                let mut last = Vec::new();
                while let Some(data) = pace.next(&mut body).await? {
                    last.extend_from_slice(&data[..data.len().min(2)]);
                }
                let this = Arc::clone(transfer);
                let held = self.blocking(&path, move || this.last()).await?;
                return match last == [held] {
                    true => self.whole(transfer).await,
                    false => Err(Refused::Elsewhere { held: total }),
                };
            }
        };
        let (mut held, mut came) = (Vec::with_capacity(2 * BLOCK), transfer.held());
        let ended = loop {
            match pace.next(&mut body).await {
                Err(refused) => break Err(refused),
                Ok(None) => break Ok(()),
                Ok(Some(data)) => {
                    came += data.len() as u64;
                    if came > total {
                        break Err(Refused::Malformed);
                    }
                    held.extend_from_slice(&data);
                }
            }
            if held.len() >= BLOCK {
                (file, held) = self.blocking(&path, move || append(file, held)).await?;
            }
        };
        // Of what broke off, all that came is kept: that is what this is for.
        let synced = move || append(file, held).and_then(|(file, _)| file.sync_all());
        self.blocking(&path, synced).await?;
        ended?;
        match came == total {
            true => self.whole(transfer).await,
            false => Err(Refused::CutShort { received: came }),
        }
    }

    async fn whole(&self, transfer: &Arc<Transfer>) -> Result<Body, Refused> {
        let (this, spool) = (Arc::clone(transfer), self.folder.clone());
        let body = self.blocking(&self.folder, move || this.body(&spool));
        Ok(Body::of(body.await?))
    }

    /// Does what blocks beside the tasks.
    async fn blocking<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Refused> {
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.unwrap_or_else(|why| Err(io::Error::other(why)));
        done.map_err(|source| Refused::Spool {
            path: path.to_path_buf(),
            source,
        })
    }
}

/// Adds a block, and gives the buffer back.
fn append(mut file: File, mut block: Vec<u8>) -> io::Result<(File, Vec<u8>)> {
    file.write_all(&block)?;
    block.clear();
    Ok((file, block))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(length: &str, said: Option<&str>) -> Option<(u64, u64, u64)> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, length.parse().unwrap());
        if let Some(said) = said {
            headers.insert(CONTENT_RANGE, said.parse().unwrap());
        }
        Range::of(&headers).map(|range| (range.from, range.until, range.total))
    }

    #[test]
    fn ranges_hold_together() {
        assert_eq!(range("10", None), Some((0, 10, 10)));
        assert_eq!(range("4", Some("bytes 6-9/10")), Some((6, 10, 10)));
        assert_eq!(range("1", Some("bytes 9-9/10")), Some((9, 10, 10)));
        for (length, wrong) in [
            ("5", "bytes 6-9/10"),
            ("4", "bytes 6-9/9"),
            ("4", "bytes 9-6/10"),
            ("4", "bytes 6-9/*"),
            ("4", "lines 6-9/10"),
            ("4", "6-9/10"),
            ("4", "bytes 6-18446744073709551615/10"),
        ] {
            assert_eq!(range(length, Some(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn one_request_has_a_transfer_and_a_whole_one_takes_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let transfers = Transfers::new(folder.path().join("transfers")).unwrap();
        let transfer = transfers.take("a").unwrap();
        assert!(transfers.take("a").is_none() && transfers.take("b").is_some());
        let range = |from, total| Range {
            from,
            until: total,
            total,
        };
        let begin = |from, total| transfer.begin(&range(from, total)).unwrap();
        let add = |from, bytes: &[u8]| match begin(from, 5) {
            Begun::Add(file) => drop(append(file, bytes.to_vec()).unwrap()),
            other => panic!("{other:?}"),
        };
        add(0, b"abc");
        assert_eq!(transfer.held(), 3);
        assert!(matches!(begin(2, 5), Begun::Elsewhere(3)));
        add(3, b"de");
        let body = transfer.body(folder.path()).unwrap();
        assert_eq!((body.len(), transfer.held()), (5, 5));
        assert!(matches!(begin(4, 5), Begun::All));
        assert_eq!(transfer.last().unwrap(), b'e');
        assert!(matches!(begin(5, 9), Begun::Elsewhere(5)));
        drop(body);
        assert_eq!(transfer.held(), 5, "the body was a link of its own");
        // From its start it is a new one.
        add(0, b"abc");
        for n in 0..TRANSFERS {
            let _ = transfers
                .take(&format!("n{n}"))
                .unwrap()
                .begin(&range(0, 9));
        }
        let full = transfers.take("more").unwrap().begin(&range(0, 9)).unwrap();
        assert!(matches!(full, Begun::Full), "there is an end to them");
    }
}
