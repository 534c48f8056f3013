//! A disk that fills up: first nothing new is taken, then nothing is sent, and nothing breaks.
//!
//! | level | room | what goes on |
//! |---|---|---|
//! | ample | above both marks | everything |
//! | low | below [`Marks::low`] | what is here is read, delivered, sent; receipts are taken; a new message gets 503 and `Retry-After` |
//! | out | below [`Marks::out`] | nothing is begun; the ballast is given free, so that what was begun can be recorded |

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::Gateway;
use super::answer::unavailable;
use crate::store::Answer;
use crate::store::disk::{Room, reserve, room};

/// Bytes of the ballast: what SQLite's log grows to, and as much again as a batch of commits.
pub const BALLAST: u64 = 64 << 20;
/// A disk has to be so many times its ballast free before that is taken from it.
const PLENTY: u64 = 16;
/// Seconds until a sender should look whether somebody made room: people do, not machines.
const MAKING_ROOM: u64 = 300;

/// Room under which something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// In percent of the disk.
    pub percent: u8,
    /// But never more than so many bytes: 15 % of a large disk is much more than anybody needs.
    pub most: u64,
}

impl Mark {
    fn is_over(self, room: Room) -> bool {
        let share = room.total / 100 * u64::from(self.percent);
        room.free < share.min(self.most)
    }
}

/// When the disk counts as nearly full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// Nothing new is taken.
    pub low: Mark,
    /// Nothing is begun.
    pub out: Mark,
    /// A file that holds room back, and its size; without it none is held back.
    pub ballast: Option<(PathBuf, u64)>,
}

impl Default for Marks {
    fn default() -> Marks {
        Marks {
            low: Mark {
                percent: 15,
                most: 4 << 30,
            },
            out: Mark {
                percent: 5,
                most: 1 << 30,
            },
            ballast: None,
        }
    }
}

impl Marks {
    /// What that much room is.
    #[must_use]
    pub fn level(&self, room: Room) -> Level {
        match () {
            () if self.out.is_over(room) => Level::Out,
            () if self.low.is_over(room) => Level::Low,
            () => Level::Ample,
        }
    }
}

/// How the disk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// There is room.
    #[default]
    Ample,
    /// No new message is taken.
    Low,
    /// Nothing is begun.
    Out,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Ample => "ample",
            Level::Low => "low",
            Level::Out => "out",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Ample => "the disk has room",
            Level::Low => "the disk is nearly full: no new message is taken until there is room",
            Level::Out => {
                "the disk is full: nothing is taken and nothing is sent until there is room"
            }
        })
    }
}

/// What was last seen of the disk: told once.
#[derive(Default)]
pub(super) struct Disk(Mutex<Level>);

impl Gateway {
    /// How the disk of the store does.
    #[must_use]
    pub fn level(&self) -> Level {
        // A system that does not say is no reason to stop: a write that fails is seen.
        let room = room(self.store.spool());
        room.map_or(Level::Ample, |room| self.limits.disk.level(room))
    }

    /// Whether there is room; how little there is where there is not.
    pub(super) fn roomy(&self) -> Result<(), Level> {
        match self.level() {
            Level::Ample => Ok(()),
            level => Err(level),
        }
    }

    /// The answer to everybody while nothing can be written, before a body is read.
    #[must_use]
    pub fn shut(&self) -> Option<Answer> {
        (self.level() == Level::Out).then(|| unavailable(MAKING_ROOM))
    }

    /// The answer to a new message that is not taken now, though it came: a receipt would have been.
    pub(super) fn not_now(&self) -> Option<Answer> {
        self.roomy().is_err().then(|| unavailable(MAKING_ROOM))
    }

    /// Looks at the disk, says what changed, and gives the ballast free or takes it again.
    pub(super) fn watch_disk(&self) -> Level {
        let level = self.level();
        let mut last = self.disk.0.lock().unwrap_or_else(PoisonError::into_inner);
        match level {
            Level::Ample if *last != level => tracing::info!("the disk has room again"),
            Level::Ample => {}
            _ if *last != level => tracing::error!("{level}"),
            _ => {}
        }
        *last = level;
        drop(last);
        let Some((path, size)) = &self.limits.disk.ballast else {
            return level;
        };
        match level {
            Level::Out if std::fs::remove_file(path).is_ok() => {
                tracing::warn!(size, "the ballast was given free");
            }
            Level::Ample if !path.exists() => {
                let free = room(self.store.spool()).map_or(0, |room| room.free);
                if free / PLENTY > *size {
                    // Without it there is less to give free, and nothing else.
                    let _ = reserve(path, *size);
                }
            }
            _ => {}
        }
        level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_shares_of_a_small_disk_and_bytes_of_a_large_one() {
        let marks = Marks::default();
        let gib = |n: u64| n << 30;
        let mib = |n: u64| n << 20;
        for (free, total, want) in [
            (mib(16), mib(100), Level::Ample),
            (mib(14), mib(100), Level::Low),
            (mib(4), mib(100), Level::Out),
            (gib(5), gib(1000), Level::Ample),
            (gib(3), gib(1000), Level::Low),
            (mib(900), gib(1000), Level::Out),
            (0, 0, Level::Ample),
        ] {
            assert_eq!(marks.level(Room { free, total }), want, "{free} of {total}");
        }
        let never = Mark {
            percent: 0,
            most: u64::MAX,
        };
        assert!(!never.is_over(Room {
            free: 0,
            total: gib(1)
        }));
    }
}
