//! A gateway's folder from a backup: nothing is written before all of it was read and found sound.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::archive;
use super::sealed::{ContentKey, Opening, head, unlocked};
use super::{CARD, CARD_BYTES, Card, DATABASE, Error, Opener, PAYLOADS, SETTINGS, sync};
use crate::store::{self, Sqlite};

/// Folders of a backup that go to a folder of the same name.
const FOLDERS: [&str; 3] = ["partners", "mappings", "keys"];
/// The folder of the store in the restored one.
const DATA: &str = "data";

/// What a restore made, and what it left for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself.
    pub card: Card,
    /// Files in it.
    pub files: u64,
    /// What became of the store's rows.
    pub store: store::Restored,
}

/// Makes the folder `into` from a backup: `data`, `partners`, `mappings`, `keys` and the settings.
/// Every pair's control numbers go `advance` on, and work that was waiting is held until somebody
/// releases it. Blocks.
///
/// # Errors
/// [`Error::Taken`] where `into` is there and not empty; then and on every other error nothing is
/// in it. [`Error::Turned`], [`Error::Digest`] and [`Error::NoBackup`] for a file that is not as it
/// was written, [`Error::WrongKey`] and its like, [`Error::Store`] for a newer version's.
pub fn restore(
    file: &Path,
    by: &Opener,
    into: &Path,
    advance: u32,
    now: DateTime<Utc>,
) -> Result<Restored, Error> {
    if fs::read_dir(into).is_ok_and(|mut inside| inside.next().is_some()) || into.is_file() {
        return Err(Error::Taken(into.to_path_buf()));
    }
    let (key, files, card) = verified(file, by)?;
    let beside = beside(into);
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&beside).map_err(|why| match why.kind() {
        io::ErrorKind::AlreadyExists => Error::Taken(beside.clone()),
        _ => Error::at(&beside)(why),
    })?;
    let made = unpack(file, key, &beside).and_then(|()| {
        let store = Sqlite::restored(&beside.join(DATA), card.made, advance, now)?;
        settle(&beside)?;
        fs::rename(&beside, into).map_err(Error::at(into))?;
        sync(into.parent().unwrap_or(Path::new("")))?;
        Ok(store)
    });
    if made.is_err() {
        let _ = fs::remove_dir_all(&beside);
    }
    Ok(Restored {
        card,
        files,
        store: made?,
    })
}

/// Reads a backup to its end, and writes nothing: what it says of itself, and how many files are in
/// it. Blocks.
///
/// # Errors
/// As [`restore`].
pub fn check(file: &Path, by: &Opener) -> Result<(Card, u64), Error> {
    verified(file, by).map(|(_, files, card)| (card, files))
}

/// The folder that is filled before it gets its name: on the same disk.
fn beside(into: &Path) -> PathBuf {
    let name = into.file_name().unwrap_or_default().to_string_lossy();
    into.with_file_name(format!(".{name}.restoring"))
}

/// Reads a backup to its end, and writes nothing.
fn verified(file: &Path, by: &Opener) -> Result<(ContentKey, u64, Card), Error> {
    let mut source = BufReader::with_capacity(1 << 20, File::open(file).map_err(Error::at(file))?);
    let key = unlocked(&mut source, by)?;
    let card = {
        let mut source = BufReader::new(File::open(file).map_err(Error::at(file))?);
        head(&mut source)?;
        card(&mut Opening::new(source, key.clone()))?
    };
    let (mut files, mut database) = (0, false);
    archive::read(
        &mut Opening::new(source, key.clone()),
        |name, _| place(name).map(|_| io::sink()),
        |entry, _| {
            files += 1;
            database |= entry.name == DATABASE;
            let hex = entry
                .name
                .strip_prefix("payloads/")
                .map(|name| name.replace('/', ""));
            match hex.is_none_or(|hex| hex == crate::as2::hex(&entry.digest)) {
                true => Ok(()),
                false => Err(Error::Digest(entry.name)),
            }
        },
    )?;
    match database {
        true => Ok((key, files, card)),
        false => Err(Error::NoBackup("there is no database in it")),
    }
}

/// The first file, which says what the rest is.
pub(super) fn card(source: &mut impl Read) -> Result<Card, Error> {
    const NONE: Error = Error::NoBackup("it does not say what it is");
    let mut head = vec![0; 2 + CARD.len() + 8];
    source.read_exact(&mut head).map_err(Error::reading)?;
    let (name, length) = head.split_at(2 + CARD.len());
    if name[2..] != *CARD.as_bytes() || usize::from(name[1]) != CARD.len() || name[0] != 0 {
        return Err(NONE);
    }
    let length = u64::from_be_bytes(length.try_into().map_err(|_| NONE)?);
    if length > CARD_BYTES {
        return Err(NONE);
    }
    let mut text = Vec::new();
    source
        .take(length)
        .read_to_end(&mut text)
        .map_err(Error::reading)?;
    serde_json::from_slice(&text).map_err(|_| NONE)
}

/// Where a file of a backup goes, below the restored folder; none for the card.
fn place(name: &str) -> Result<Option<PathBuf>, Error> {
    let first = name.split('/').next().unwrap_or_default();
    let to = match name {
        CARD => return Ok(None),
        DATABASE => Path::new(DATA).join(DATABASE),
        SETTINGS => PathBuf::from(SETTINGS),
        _ if first == PAYLOADS => Path::new(DATA).join(name),
        _ if FOLDERS.contains(&first) => PathBuf::from(name),
        _ => return Err(Error::Name(name.to_owned())),
    };
    match archive::stays(name) {
        true => Ok(Some(to)),
        false => Err(Error::Name(name.to_owned())),
    }
}

fn unpack(file: &Path, key: ContentKey, folder: &Path) -> Result<(), Error> {
    let mut source = BufReader::with_capacity(1 << 20, File::open(file).map_err(Error::at(file))?);
    head(&mut source)?;
    archive::read(
        &mut Opening::new(source, key),
        |name, _| Out::at(folder, place(name)?),
        |_, out| out.finish(),
    )
}

/// A file that is being restored.
enum Out {
    File(PathBuf, BufWriter<File>),
    Nowhere,
}

impl Out {
    fn at(folder: &Path, place: Option<PathBuf>) -> Result<Out, Error> {
        let Some(place) = place else {
            return Ok(Out::Nowhere);
        };
        let path = folder.join(place);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let within = path.parent().unwrap_or(folder);
        builder
            .recursive(true)
            .create(within)
            .map_err(Error::at(within))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // Passwords, keys and documents: for their owner, who may open them to others.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(Error::at(&path))?;
        Ok(Out::File(path, BufWriter::new(file)))
    }

    fn finish(self) -> Result<(), Error> {
        let Out::File(path, out) = self else {
            return Ok(());
        };
        let file = out
            .into_inner()
            .map_err(|why| Error::at(&path)(why.into_error()))?;
        file.sync_all().map_err(Error::at(&path))
    }
}

impl Write for Out {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Out::File(_, out) => out.write(data),
            Out::Nowhere => Ok(data.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes every name below a folder durable.
fn settle(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::at(folder))? {
        let entry = entry.map_err(Error::at(folder))?;
        if entry.file_type().map_err(Error::at(folder))?.is_dir() {
            settle(&entry.path())?;
        }
    }
    sync(folder)
}
