//! The time of day, as an argument: the system's, or one that a test or the simulator moves.
//!
//! Only deadlines, names and stamps come from here. Time-outs on sockets use the runtime's
//! monotonic clock, which nobody can set.
//!
//! ```
//! use chrono::{Duration, TimeZone, Utc};
//! use transload::clock::{Clock, Moved};
//!
//! let clock = Moved::to(Utc.with_ymd_and_hms(2026, 2, 28, 23, 0, 0).unwrap());
//! clock.forward(Duration::hours(2));
//! assert_eq!(clock.now().to_rfc3339(), "2026-03-01T01:00:00+00:00");
//! ```

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};

/// Something that knows what time it is.
pub trait Clock: Send + Sync {
    /// The time now, in UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct Moved(Mutex<DateTime<Utc>>);

impl Moved {
    /// A clock that stands at `time`.
    #[must_use]
    pub fn to(time: DateTime<Utc>) -> Self {
        Self(Mutex::new(time))
    }

    /// Moves the clock; a negative step goes back.
    pub fn forward(&self, step: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += step;
    }
}

impl Clock for Moved {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
