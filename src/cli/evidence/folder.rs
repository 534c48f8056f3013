//! The folder of evidence: files that are written once, and their digests.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::Failure;
use super::script::{self, Steps};
use crate::as2::{hex, sha256};
use crate::net::spool::Checked;
use crate::store::{Digest, Payload};

/// A folder that was not there.
pub(super) struct Folder {
    path: PathBuf,
    files: Vec<(String, Digest)>,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Result<Folder, Failure> {
        let mut builder = DirBuilder::new();
        // The payload in clear is in it.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made = builder.create(path);
        made.map_err(|why| {
            Failure::usage(format!(
                "{}: {why}; name a folder that is not there yet by -o",
                path.display()
            ))
        })?;
        Ok(Folder {
            path: path.to_path_buf(),
            files: Vec::new(),
        })
    }

    fn create(&mut self, name: &str, digest: Digest) -> Result<File, Failure> {
        let path = self.path.join(name);
        let made = OpenOptions::new().write(true).create_new(true).open(&path);
        self.files.push((name.to_owned(), digest));
        made.map_err(|why| unwritable(&path, &why))
    }

    /// Writes a file; one of that name that is there already stays.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        if self.files.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let mut file = self.create(name, sha256(bytes))?;
        let written = file.write_all(bytes);
        written.map_err(|why| unwritable(&self.path.join(name), &why))
    }

    /// Writes stored bytes, if they are what was stored.
    pub(super) fn copy(&mut self, name: &str, payload: &Payload) -> Result<(), Failure> {
        let mut file = self.create(name, payload.digest)?;
        let source = payload.open().map_err(Failure::state)?;
        let mut source = Checked::new(source, payload.len(), payload.digest);
        io::copy(&mut source, &mut file).map_err(|why| unwritable(&self.path.join(name), &why))?;
        Ok(())
    }

    /// The script, and the digests of all files.
    pub(super) fn finish(mut self, steps: &Steps) -> Result<(), Failure> {
        let script = script::text(steps, self.files.len() + 1);
        self.put("verify.sh", script.as_bytes())?;
        let mut sums = String::new();
        for (name, digest) in &self.files {
            sums += &format!("{} {name}\n", hex(digest));
        }
        self.put("SHA256SUMS", sums.as_bytes())
    }
}

fn unwritable(path: &Path, why: &io::Error) -> Failure {
    Failure::state(format!("{}: {why}", path.display()))
}
