//! Taking a backup of a store that may be in use.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::archive::{self, Writer};
use super::sealed::{ContentKey, Opening, Sealing, head};
use super::{CARD, Card, DATABASE, Error, Lock, PAYLOADS, SETTINGS, sync};
use crate::store::{Snapshot, Sqlite};

/// How deep a folder of partners, guides or keys is copied.
const DEPTH: usize = 8;
/// Largest file of those folders: they are written by hand.
const FILE: u64 = 64 << 20;

/// What is to be in a backup.
pub struct Sources {
    /// The folder of the store.
    pub data: PathBuf,
    /// The settings' text, where there is a file.
    pub settings: Option<String>,
    /// The folder of partner files; nothing where it is missing.
    pub partners: PathBuf,
    /// Folders of guides of one's own.
    pub mappings: Vec<PathBuf>,
    /// The folder of keys, where they are wanted.
    pub keys: Option<PathBuf>,
}

/// A backup that was taken, and read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What it says of itself.
    pub card: Card,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub content: u64,
    /// Bytes of the backup.
    pub size: u64,
}

/// Takes a backup into `to`, which appears whole or not at all, for its owner alone. The store may
/// be open in another process, and goes on. Blocks: reads all of the store, and writes it twice.
///
/// # Errors
/// [`Error::Taken`] where `to` is there; [`Error::Store`] where the copy of the database is not
/// sound, [`Error::Digest`] where a payload is not what its name says, or what was written does not
/// read back.
pub fn take(from: &Sources, to: &Path, lock: &Lock, now: DateTime<Utc>) -> Result<Taken, Error> {
    if to.exists() {
        return Err(Error::Taken(to.to_path_buf()));
    }
    let snapshot = Sqlite::snapshot(&from.data)?;
    let part = to.with_extension("part");
    // What an earlier try left is worth nothing.
    match fs::remove_file(&part) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(Error::at(&part)(why)),
        _ => {}
    }
    let taken = write(from, &snapshot, &part, lock, now);
    let named = taken.and_then(|taken| {
        // Between the look at the start and now nobody else may have put one there.
        fs::hard_link(&part, to).map_err(|why| match why.kind() {
            io::ErrorKind::AlreadyExists => Error::Taken(to.to_path_buf()),
            _ => Error::at(to)(why),
        })?;
        sync(to.parent().unwrap_or(Path::new("")))?;
        Ok(taken)
    });
    let _ = fs::remove_file(&part);
    named
}

fn write(
    from: &Sources,
    snapshot: &Snapshot,
    part: &Path,
    lock: &Lock,
    now: DateTime<Utc>,
) -> Result<Taken, Error> {
    let card = Card {
        made: now,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: snapshot.schema,
        messages: snapshot.messages,
        documents: snapshot.documents,
        waiting: snapshot.waiting,
        keys: from.keys.is_some(),
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(part).map_err(Error::at(part))?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let (key, head) = lock.begin()?;
    out.write_all(head.as_bytes()).map_err(Error::at(part))?;
    let mut packed = Packing::new(Writer::new(Sealing::new(out, key.clone())));
    packed.all(from, snapshot, &card)?;
    let Packing {
        writer,
        written,
        content,
    } = packed;
    let sealing = writer.finish().map_err(Error::at(part))?;
    let out = sealing.finish().map_err(Error::at(part))?;
    let file = out
        .into_inner()
        .map_err(|why| Error::at(part)(why.into_error()))?;
    file.sync_all().map_err(Error::at(part))?;
    read_back(part, key, &written)?;
    let size = fs::metadata(part).map_err(Error::at(part))?.len();
    let files = written.len() as u64;
    Ok(Taken {
        card,
        files,
        content,
        size,
    })
}

/// An archive that is being filled.
struct Packing<W> {
    writer: Writer<W>,
    written: Vec<(String, [u8; 32])>,
    content: u64,
}

impl<W: Write> Packing<W> {
    fn new(writer: Writer<W>) -> Packing<W> {
        Packing {
            writer,
            written: Vec::new(),
            content: 0,
        }
    }

    fn all(&mut self, from: &Sources, snapshot: &Snapshot, card: &Card) -> Result<(), Error> {
        let card = serde_json::to_vec(card).map_err(Error::broken)?;
        self.bytes(CARD, &card)?;
        if let Some(settings) = &from.settings {
            self.bytes(SETTINGS, settings.as_bytes())?;
        }
        self.folder("partners", &from.partners)?;
        for (n, folder) in from.mappings.iter().enumerate() {
            self.folder(&format!("mappings/{n}"), folder)?;
        }
        if let Some(keys) = &from.keys {
            self.folder("keys", keys)?;
        }
        let database = File::open(&snapshot.database).map_err(Error::at(&snapshot.database))?;
        let length = database
            .metadata()
            .map_err(Error::at(&snapshot.database))?
            .len();
        let digest = self.writer.add(DATABASE, length, database)?;
        self.note(DATABASE.to_owned(), digest, length);
        for payload in &snapshot.payloads {
            let name = crate::as2::hex(&payload.digest);
            let name = format!("{PAYLOADS}/{}/{}", &name[..2], &name[2..]);
            let source = payload.open().map_err(|why| Error::Io(name.clone(), why))?;
            let digest = self.writer.add(&name, payload.len(), source)?;
            // Better no backup than one with other bytes: the disk needs a look.
            if digest != payload.digest {
                return Err(Error::Digest(name));
            }
            self.note(name, digest, payload.len());
        }
        Ok(())
    }

    fn note(&mut self, name: String, digest: [u8; 32], length: u64) {
        self.written.push((name, digest));
        self.content += length;
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let digest = self.writer.add_bytes(name, bytes)?;
        self.note(name.to_owned(), digest, bytes.len() as u64);
        Ok(())
    }

    /// Every file below a folder that people write in; links are not followed.
    fn folder(&mut self, name: &str, folder: &Path) -> Result<(), Error> {
        let mut found = Vec::new();
        below(folder, name, DEPTH, &mut found)?;
        found.sort();
        for (name, path) in found {
            let length = fs::metadata(&path).map_err(Error::at(&path))?.len();
            if length > FILE {
                return Err(Error::Io(
                    name,
                    io::Error::other(format!("larger than {FILE} bytes")),
                ));
            }
            let bytes = fs::read(&path).map_err(Error::at(&path))?;
            self.bytes(&name, &bytes)?;
        }
        Ok(())
    }
}

fn below(
    folder: &Path,
    name: &str,
    depth: usize,
    found: &mut Vec<(String, PathBuf)>,
) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(why) => return Err(Error::at(folder)(why)),
    };
    for entry in entries {
        let entry = entry.map_err(Error::at(folder))?;
        let own = entry.file_name();
        let own = own
            .to_str()
            .ok_or_else(|| Error::Name(own.to_string_lossy().into_owned()))?;
        let name = format!("{name}/{own}");
        let kind = entry.file_type().map_err(Error::at(folder))?;
        if kind.is_dir() && depth > 0 {
            below(&entry.path(), &name, depth - 1, found)?;
        } else if kind.is_file() {
            if !archive::stays(&name) {
                return Err(Error::Name(name));
            }
            found.push((name, entry.path()));
        }
    }
    Ok(())
}

/// Reads what was written, from its first byte to its last: all of it is there.
fn read_back(part: &Path, key: ContentKey, written: &[(String, [u8; 32])]) -> Result<(), Error> {
    let mut source = BufReader::new(File::open(part).map_err(Error::at(part))?);
    head(&mut source)?;
    let mut due = written.iter();
    archive::read(
        &mut Opening::new(source, key),
        |_, _| Ok(io::sink()),
        |entry, _| match due.next() {
            Some((name, digest)) if *name == entry.name && *digest == entry.digest => Ok(()),
            _ => Err(Error::Digest(entry.name)),
        },
    )?;
    match due.next() {
        None => Ok(()),
        Some((name, _)) => Err(Error::Digest(name.clone())),
    }
}
