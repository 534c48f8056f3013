//! A disk whose power fails: an ext4 file system in a file.
//!
//! What the program wrote and did not sync is in the kernel's memory, not in the file. So the process
//! is stopped, the file is copied, the process is killed, and the copy is mounted in its place: what a
//! machine finds after a power cut (but for what the kernel chose to write by itself, which can only
//! add). `kill -9` alone leaves that memory, and would miss it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Large enough for a slice, small enough to be copied in no time.
const SIZE: u64 = 192 << 20;

/// Copies until the disk is at rest, whose only writer is stopped.
const COPIES: usize = 50;

pub(super) struct Image {
    folder: TempDir,
    turn: u32,
}

impl Image {
    /// A new file system, mounted; nothing where the system does not let us.
    pub(super) fn new() -> Result<Image, String> {
        // In memory where there is room: copying is all that it is for.
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let image = Image { folder, turn: 0 };
        std::fs::create_dir(image.mounted()).unwrap();
        let file = std::fs::File::create(image.backing()).unwrap();
        file.set_len(SIZE).unwrap();
        let backing = image.backing().to_string_lossy().into_owned();
        run("mkfs.ext4", &["-q", "-F", "-m", "0", &backing])?;
        image.mount()?;
        Ok(image)
    }

    pub(super) fn mounted(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn backing(&self) -> PathBuf {
        self.folder.path().join(format!("image.{}", self.turn))
    }

    fn mount(&self) -> Result<(), String> {
        let (file, folder) = (self.backing(), self.mounted());
        let (file, folder) = (file.to_string_lossy(), folder.to_string_lossy());
        run("mount", &["-o", "loop", &file, &folder])
    }

    /// What is on the disk now. Nobody may write meanwhile.
    pub(super) fn freeze(&mut self) {
        let from = self.backing();
        self.turn += 1;
        let (from, to) = (from.to_string_lossy().into_owned(), self.backing());
        let to = to.to_string_lossy();
        // The kernel may move what its journal holds to where it belongs while we copy: then the copy
        // has the old of the one and the new of the other, which no disk ever had. One that is the same
        // afterwards is of one moment.
        for _ in 0..COPIES {
            run("cp", &["--sparse=always", &from, &to]).unwrap();
            if run("cmp", &["-s", &from, &to]).is_ok() {
                return;
            }
        }
        panic!("the disk does not come to rest");
    }

    /// Puts the frozen disk in place of the one that is mounted. Whoever used that is gone.
    pub(super) fn replace(&self) {
        self.unmount();
        self.mount().unwrap();
        let old = self.folder.path().join(format!("image.{}", self.turn - 1));
        std::fs::remove_file(old).unwrap();
    }

    fn unmount(&self) {
        let folder = self.mounted();
        let folder = folder.to_string_lossy();
        // A process that was killed may still be on its way out.
        for _ in 0..500 {
            if run("umount", &[&folder]).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let _ = run("umount", &["-l", &folder]);
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        self.unmount();
    }
}

pub(super) fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .map_err(|why| format!("{program}: {why}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{program}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
    }
}
