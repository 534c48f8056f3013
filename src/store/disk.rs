//! The disk under a folder: how much room it has, and whether it is one.

use std::fs::File;
use std::io;
use std::path::Path;

/// What a disk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes that we may still write.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

/// The room on the disk of `folder`. A call of a microsecond.
///
/// # Errors
/// The system does not say.
pub fn room(folder: &Path) -> io::Result<Room> {
    let told = rustix::fs::statvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
    Ok(Room {
        free: bytes(told.f_bavail),
        total: bytes(told.f_blocks),
    })
}

/// Takes `size` bytes of the disk for a file, without writing them; they are free again once it is
/// removed.
///
/// # Errors
/// There is no room, or the file system knows no such call; no file is left.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn reserve(path: &Path, size: u64) -> io::Result<()> {
    let file = File::create_new(path)?;
    let none = rustix::fs::FallocateFlags::empty();
    rustix::fs::fallocate(&file, none, 0, size).map_err(|why| {
        let _ = std::fs::remove_file(path);
        why.into()
    })
}

/// The same where only writing takes room.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn reserve(path: &Path, size: u64) -> io::Result<()> {
    let written = File::create_new(path)
        .and_then(|mut file| io::copy(&mut io::Read::take(io::repeat(0), size), &mut file));
    written.map(drop).inspect_err(|_| {
        let _ = std::fs::remove_file(path);
    })
}

/// Whether the disk itself gave bytes up (EIO): what reading them again would bring is chance.
#[must_use]
pub fn lost(why: &io::Error) -> bool {
    why.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// File systems of other machines by their magic numbers (statfs(2)): locks of one are not seen by
/// another, shared memory is not shared, and an fsync says what the client thinks.
#[cfg(target_os = "linux")]
const NETWORK: &[(u32, &str)] = &[
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "SMB"),
    (0xFE53_4D42, "SMB"),
    (0x564C, "NCP"),
    (0x7375_7245, "Coda"),
    (0x5346_414F, "AFS"),
    (0x0102_1997, "9P"),
    (0x00C3_6400, "Ceph"),
    (0x0BD0_0BD0, "Lustre"),
];

/// The name of the network file system that `folder` is on; none for a disk, or where the system
/// does not say.
#[must_use]
pub fn network(folder: &Path) -> Option<&'static str> {
    #[cfg(target_os = "linux")]
    {
        // The kernel's type differs from machine to machine; the number has 32 bits.
        let kind = rustix::fs::statfs(folder).ok()?.f_type as u32;
        named(kind)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        None
    }
}

#[cfg(target_os = "linux")]
fn named(kind: u32) -> Option<&'static str> {
    let found = NETWORK.iter().find(|(magic, _)| *magic == kind);
    found.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_room_and_is_no_network() {
        let folder = tempfile::tempdir().unwrap();
        let before = room(folder.path()).unwrap();
        assert!(before.free > 0 && before.free <= before.total);
        let ballast = folder.path().join("ballast");
        reserve(&ballast, 1 << 20).unwrap();
        assert_eq!(std::fs::metadata(&ballast).unwrap().len(), 1 << 20);
        assert!(reserve(&ballast, 1).is_err(), "it is there");
        assert_eq!(network(folder.path()), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_known() {
        assert_eq!(named(0x6969), Some("NFS"));
        assert_eq!(named(0xFF53_4D42), Some("SMB"));
        for disk in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630] {
            assert_eq!(named(disk), None, "ext4, XFS, Btrfs, tmpfs, overlay");
        }
    }
}
