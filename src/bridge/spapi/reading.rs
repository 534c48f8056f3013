//! A list that many documents wait to be seen in: one of them reads it, for all of them.
//!
//! ```text
//! question due ─► whose turn? ─ mine ─► page ─ whom it names is told ─► next page … ─► read
//!                     └ another's ─► wait: who is named is woken
//! ```
//!
//! What is kept of it is a bridge's named state, so two workers never read one list, and who is stopped
//! in its middle goes on at the page where he was. A question is answered by a reading that began
//! after it was due, and by nothing older.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::poll::PAGES;

/// How long nothing is heard of a reader before another takes his place, and how long who is not named
/// waits before he asks again: longer than any pause between two pages.
pub const HOLD: TimeDelta = TimeDelta::minutes(5);

/// How often in a row a list may be refused in its middle, before it is one that cannot be read.
const TORN: u32 = 3;

/// What is kept of reading a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// The document that it is read for, and until when the others wait for it.
    reader: Option<(String, DateTime<Utc>)>,
    /// When the reading that is under way began.
    began: Option<DateTime<Utc>>,
    /// Where it goes on, as the page before named it.
    page: Option<String>,
    /// How many pages it has read.
    pages: u32,
    /// How often in a row it could not be read on where it was left.
    torn: u32,
    /// When the last one began that came to its end.
    read: Option<DateTime<Utc>>,
}

/// What a document does whose question was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It reads this page; none is the first.
    Read(Option<String>),
    /// Another one reads.
    Wait,
    /// The list was read since: who was not seen is not in it.
    Over,
}

impl Reading {
    /// As it was kept; what cannot be read is begun anew.
    #[must_use]
    pub fn kept(text: Option<&str>) -> Reading {
        let kept = text.and_then(|text| serde_json::from_str(text).ok());
        kept.unwrap_or_default()
    }

    /// Whose turn it is. `due`: since when the document asks; none where it was seen, and only reads
    /// on for the others.
    pub fn turn(&mut self, who: Uuid, due: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Turn {
        let who = who.to_string();
        let other = self.reader.as_ref().filter(|(reader, _)| *reader != who);
        let mine = self.reader.is_some() && other.is_none();
        let read = due.is_none_or(|due| self.read.is_some_and(|read| read >= due));
        match other {
            _ if read && !mine => Turn::Over,
            Some((_, until)) if *until > now => Turn::Wait,
            _ => {
                self.reader = Some((who, now + HOLD));
                self.began.get_or_insert(now);
                Turn::Read(self.page.clone())
            }
        }
    }

    /// `who` has read his page. `next` is the one after it; none where the list ends there, or where it
    /// names all who wait. Who was so slow that another took his place turns nothing.
    pub fn turned(&mut self, who: Uuid, next: Option<String>) {
        let who = who.to_string();
        if self
            .reader
            .as_ref()
            .is_none_or(|(reader, _)| *reader != who)
        {
            return;
        }
        self.pages += 1;
        // A list that does not end is a defect of the other side.
        self.page = next.filter(|next| self.pages < PAGES && self.page.as_ref() != Some(next));
        if self.page.is_none() {
            let read = self.began;
            *self = Reading {
                read,
                ..Reading::default()
            };
        }
    }

    /// It cannot be read on where it was left, for the name of a page becomes old: whether it is begun
    /// anew, or happens too often.
    pub fn torn(&mut self) -> bool {
        let (read, torn) = (self.read, (self.torn + 1) % TORN);
        *self = Reading {
            read,
            torn,
            ..Reading::default()
        };
        torn > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    const A: Uuid = Uuid::from_u128(1);
    const B: Uuid = Uuid::from_u128(2);

    #[test]
    fn one_reads_for_all() {
        let mut list = Reading::default();
        assert_eq!(list.turn(A, Some(at(0)), at(1)), Turn::Read(None));
        assert_eq!(list.turn(B, Some(at(0)), at(1)), Turn::Wait);
        list.turned(A, Some("2".into()));
        let text = serde_json::to_string(&list).unwrap();
        let mut list = Reading::kept(Some(&text));
        // A was on that page: it reads on for the others, and B settles nothing in between.
        assert_eq!(list.turn(A, None, at(2)), Turn::Read(Some("2".into())));
        assert_eq!(list.turn(B, Some(at(0)), at(2)), Turn::Wait);
        list.turned(A, None);
        assert_eq!(list.turn(A, None, at(3)), Turn::Over);
        assert_eq!(list.turn(B, Some(at(0)), at(3)), Turn::Over);
        // A question that was due after it began is not answered by it.
        assert_eq!(list.turn(B, Some(at(2)), at(3)), Turn::Read(None));
    }

    #[test]
    fn a_reader_who_is_gone_is_replaced_where_he_stopped() {
        let mut list = Reading::default();
        list.turn(A, Some(at(0)), at(0));
        list.turned(A, Some("2".into()));
        let late = at(0) + HOLD;
        assert_eq!(list.turn(B, Some(at(0)), at(299)), Turn::Wait);
        let page = Some("2".to_owned());
        assert_eq!(list.turn(B, Some(at(0)), late), Turn::Read(page));
        assert_eq!(list.turn(A, Some(at(0)), late), Turn::Wait);
        // The answer to A's page comes after all: it is B's reading.
        let before = list.clone();
        list.turned(A, None);
        assert_eq!(list, before);
        for again in [true, true, false] {
            assert_eq!(list.torn(), again);
            assert_eq!(list.turn(A, Some(at(0)), late), Turn::Read(None));
        }
    }

    #[test]
    fn a_list_that_does_not_end_is_ended() {
        let mut list = Reading::default();
        for page in 0..PAGES {
            assert!(matches!(list.turn(A, Some(at(0)), at(0)), Turn::Read(_)));
            list.turned(A, Some(page.to_string()));
        }
        assert_eq!(list.turn(A, Some(at(0)), at(0)), Turn::Over);
        list.turn(A, Some(at(1)), at(1));
        list.turned(A, Some("same".into()));
        list.turned(A, Some("same".into()));
        assert_eq!(list.turn(A, Some(at(1)), at(1)), Turn::Over);
    }
}
