//! Which certificate is used when: lists with dates, and two rules.
//!
//! | use | whose | rule |
//! |---|---|---|
//! | `sign` | ours | the newest in force signs |
//! | `decrypt` | ours | each that is accepted decrypts |
//! | `verify` | the partner's | each that is accepted verifies |
//! | `encrypt` | the partner's | the newest in force is encrypted to |
//! | `tls` | both | ours: the newest in force is shown; theirs: each that is accepted is trusted |
//!
//! `from` is the time of a switch, and binds what *we* choose. What the other side does with a
//! certificate that was agreed is accepted as soon as it is listed, for no two clocks agree and
//! partners switch early; `until` ends both. So a change of certificates has an overlap by itself,
//! in both directions.
//!
//! ```
//! use chrono::{DateTime, TimeDelta};
//! use transload::partner::keyring::{Dated, Use, accepted, in_force};
//!
//! let day = |n| DateTime::UNIX_EPOCH + TimeDelta::days(n);
//! let old = Dated::new("old", (day(0), day(100)));
//! let new = Dated { from: Some(day(50)), ..Dated::new("new", (day(40), day(400))) };
//! let list = [old, new];
//! let signs = |n| in_force(&list, Use::Sign, day(n)).first().map(|one| one.item);
//! assert_eq!([49, 50, 400, 401].map(signs), [Some("old"), Some("new"), Some("new"), None]);
//! assert_eq!(accepted(&list, Use::Decrypt, day(45)).len(), 2);
//! ```
//!
//! Pure: lists and the time are arguments. Whether a key is strong and may sign at all, `as2` asks.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};

use super::check;
use crate::as2::{Certificate, Identity};

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Ours: messages and receipts are signed with it.
    Sign,
    /// Ours: messages come encrypted to it.
    Decrypt,
    /// The partner's: their signatures verify with it.
    Verify,
    /// The partner's: messages are encrypted to it.
    Encrypt,
    /// Either's: of a connection, not of a message.
    Tls,
}

impl Use {
    /// Every use.
    pub const ALL: [Use; 5] = [Use::Sign, Use::Decrypt, Use::Verify, Use::Encrypt, Use::Tls];

    /// The word for it in files and lists.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Use::Sign => "sign",
            Use::Decrypt => "decrypt",
            Use::Verify => "verify",
            Use::Encrypt => "encrypt",
            Use::Tls => "tls",
        }
    }

    /// The word of old: a certificate in a store under this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Use> {
        Use::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// Something with a certificate, and when it is used for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated<T> {
    /// What is chosen.
    pub item: T,
    /// What for. TLS certificates are others than those of messages, so none is for it unless it
    /// says so.
    pub uses: Vec<Use>,
    /// When we begin to choose it; `None` for one that was there before all others.
    pub from: Option<DateTime<Utc>>,
    /// When it ends, that moment not included.
    pub until: Option<DateTime<Utc>>,
    /// The first and the last moment of the certificate itself.
    pub valid: (DateTime<Utc>, DateTime<Utc>),
}

impl<T> Dated<T> {
    /// For all uses on messages, from ever to its own end.
    pub fn new(item: T, valid: (DateTime<Utc>, DateTime<Utc>)) -> Self {
        Self {
            item,
            uses: vec![Use::Sign, Use::Decrypt, Use::Verify, Use::Encrypt],
            from: None,
            until: None,
            valid,
        }
    }

    /// Whether we may choose it.
    #[must_use]
    pub fn in_force(&self, purpose: Use, now: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= now) && self.accepted(purpose, now)
    }

    /// Whether it is good when the other side chose it.
    #[must_use]
    pub fn accepted(&self, purpose: Use, now: DateTime<Utc>) -> bool {
        self.listed(purpose, now) && self.valid.0 <= now && now <= self.valid.1
    }

    /// Whether it is agreed, whatever its own dates say.
    #[must_use]
    pub fn listed(&self, purpose: Use, now: DateTime<Utc>) -> bool {
        self.uses.contains(&purpose) && self.until.is_none_or(|until| now < until)
    }

    /// The last moment of it: what ends first of the certificate and its use.
    #[must_use]
    pub fn end(&self) -> DateTime<Utc> {
        self.until
            .map_or(self.valid.1, |until| until.min(self.valid.1))
    }
}

impl From<Identity> for Dated<Identity> {
    fn from(identity: Identity) -> Self {
        let own = &identity.certificate;
        let valid = (own.not_before(), own.not_after());
        Self {
            uses: vec![Use::Sign, Use::Decrypt],
            ..Self::new(identity, valid)
        }
    }
}

impl From<Certificate> for Dated<Certificate> {
    fn from(certificate: Certificate) -> Self {
        let valid = (certificate.not_before(), certificate.not_after());
        Self {
            uses: vec![Use::Verify, Use::Encrypt],
            ..Self::new(certificate, valid)
        }
    }
}

/// What we may choose from, the newest first: the one whose `from` is latest, and among equals the
/// one that stands first. The first of them is used; the others count where it is not fit.
pub fn in_force<T>(list: &[Dated<T>], purpose: Use, now: DateTime<Utc>) -> Vec<&Dated<T>> {
    let mut found: Vec<_> = list
        .iter()
        .filter(|one| one.in_force(purpose, now))
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.from));
    found
}

/// What is good when the other side chose it, in the order of the list.
pub fn accepted<T>(list: &[Dated<T>], purpose: Use, now: DateTime<Utc>) -> Vec<&Dated<T>> {
    list.iter()
        .filter(|one| one.accepted(purpose, now))
        .collect()
}

/// What is agreed, those too that are not valid yet or any more: who verifies can say of them
/// that they expired, and not that nobody knows them.
pub fn listed<T>(list: &[Dated<T>], purpose: Use, now: DateTime<Utc>) -> Vec<&Dated<T>> {
    list.iter().filter(|one| one.listed(purpose, now)).collect()
}

/// A certificate as a partner file names it: `"new.pem"`, or `{ file = "new.pem", from = … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The PEM or DER file, relative to the partner file.
    pub file: PathBuf,
    /// What for; without a word, what a certificate of messages is for: verifying, encrypting.
    pub uses: Vec<Use>,
    /// See [`Dated::from`].
    pub from: Option<DateTime<Utc>>,
    /// See [`Dated::until`].
    pub until: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    file: PathBuf,
    #[serde(default = "theirs")]
    uses: Vec<Use>,
    #[serde(default, deserialize_with = "check::moment")]
    from: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "check::moment")]
    until: Option<DateTime<Utc>>,
}

fn theirs() -> Vec<Use> {
    vec![Use::Verify, Use::Encrypt]
}

impl Entry {
    /// The certificate with the dates of the entry.
    pub fn dated(&self, certificate: Certificate) -> Dated<Certificate> {
        Dated {
            uses: self.uses.clone(),
            from: self.from,
            until: self.until,
            ..certificate.into()
        }
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let value = toml::Value::deserialize(input)?;
        if let Some(file) = value.as_str() {
            return Ok(Self {
                file: file.into(),
                uses: theirs(),
                from: None,
                until: None,
            });
        }
        let wrong = |why: toml::de::Error| D::Error::custom(why.message());
        let Table {
            file,
            uses,
            from,
            until,
        } = value.try_into().map_err(wrong)?;
        if let Some(ours) = uses
            .iter()
            .find(|one| matches!(one, Use::Sign | Use::Decrypt))
        {
            let why = format!(
                "a certificate of theirs is for `verify`, `encrypt` or `tls`, not to {}",
                ours.as_str()
            );
            return Err(D::Error::custom(why));
        }
        if uses.is_empty() || matches!((from, until), (Some(from), Some(until)) if until <= from) {
            return Err(D::Error::custom(format!(
                "the certificate {} would never be used: name a use, and an `until` after `from`",
                file.display()
            )));
        }
        Ok(Self {
            file,
            uses,
            from,
            until,
        })
    }
}

/// What is done with certificates that come by a message (certificate exchange messaging,
/// draft-meadors-certificate-exchange).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cem {
    /// They are rejected.
    Off,
    /// They wait for `cert accept`.
    #[default]
    Ask,
    /// They are accepted: a certificate in force signed the message.
    Accept,
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    prop_compose! {
        fn dated()(
            item in 0..1000usize,
            uses in proptest::sample::subsequence(&Use::ALL[..], 0..=5),
            from in proptest::option::of(0..100i64),
            until in proptest::option::of(0..100i64),
            start in 0..50i64,
            length in 0..80i64,
        ) -> Dated<usize> {
            let (from, until) = (from.map(at), until.map(at));
            Dated { item, uses, from, until, valid: (at(start), at(start + length)) }
        }
    }

    proptest! {
        /// At each instant exactly one is used where any may be, and it is the newest.
        #[test]
        fn exactly_one_is_used(list in proptest::collection::vec(dated(), 0..8), now in -1..140i64) {
            let now = at(now);
            for purpose in Use::ALL {
                let may: Vec<_> = list.iter().filter(|one| one.in_force(purpose, now)).collect();
                let order = in_force(&list, purpose, now);
                prop_assert_eq!(order.len(), may.len());
                if let Some(used) = order.first() {
                    prop_assert!(may.iter().all(|one| one.from <= used.from));
                    let equal = may.iter().find(|one| one.from == used.from);
                    prop_assert!(std::ptr::eq(*used, *equal.unwrap()));
                }
            }
        }

        /// What one side may choose by its clock the other accepts by its own, early or late, until
        /// the end of it: that is the overlap.
        #[test]
        fn what_is_chosen_is_accepted_around_the_switch(
            list in proptest::collection::vec(dated(), 1..6), now in 0..140i64, late in -5..5i64,
        ) {
            for purpose in Use::ALL {
                for chosen in in_force(&list, purpose, at(now)) {
                    let theirs = at(now + late);
                    let over = theirs > chosen.end() || chosen.until == Some(theirs);
                    let early = theirs < chosen.valid.0;
                    let good = accepted(&list, purpose, theirs).iter().any(|one| one.item == chosen.item);
                    prop_assert!(good || over || early);
                }
            }
        }

        /// Nothing changes but at a date of somebody's.
        #[test]
        fn between_dates_nothing_changes(
            list in proptest::collection::vec(dated(), 0..6), now in 0..140i64,
        ) {
            let dates = |one: &Dated<usize>| {
                let after = one.valid.1 + TimeDelta::nanoseconds(1);
                [one.from, one.until, Some(one.valid.0), Some(after)]
            };
            let (now, next) = (at(now), at(now + 1));
            let between = |date: &DateTime<Utc>| now < *date && *date <= next;
            if list.iter().flat_map(dates).flatten().any(|date| between(&date)) {
                return Ok(());
            }
            for purpose in Use::ALL {
                prop_assert_eq!(in_force(&list, purpose, now), in_force(&list, purpose, next));
                prop_assert_eq!(accepted(&list, purpose, now), accepted(&list, purpose, next));
            }
        }
    }

    #[test]
    fn a_plain_list_takes_the_first_valid_one() {
        let list = [1, 2].map(|n| Dated::new(n, (at(0), at(10 * n))));
        let used = |hour| {
            in_force(&list, Use::Encrypt, at(hour))
                .first()
                .map(|one| one.item)
        };
        assert_eq!(
            [0, 10, 11, 20, 21].map(used),
            [Some(1), Some(1), Some(2), Some(2), None]
        );
    }

    #[test]
    fn entries_read_as_they_are_written() {
        #[derive(Deserialize)]
        struct File {
            list: Vec<Entry>,
        }
        let read = |text: &str| toml::from_str::<File>(&format!("list = [{text}]"));
        let one = "\"a.pem\", { file = \"b.pem\", uses = [\"verify\"], from = 2026-12-01, \
                   until = \"2027-01-01T08:00:00+08:00\" }";
        let list = read(one).unwrap().list;
        assert_eq!(list[0].uses, [Use::Verify, Use::Encrypt]);
        assert_eq!(
            list[1].until,
            list[1].from.map(|from| from + TimeDelta::days(31))
        );
        for (text, want) in [
            ("{ file = \"a\", frm = 1 }", "unknown field `frm`"),
            ("{ file = \"a\", uses = [\"sign\"] }", "not to sign"),
            ("{ file = \"a\", uses = [] }", "never be used"),
            (
                "{ file = \"a\", from = 2027-01-01, until = 2026-01-01 }",
                "never be used",
            ),
            (
                "{ file = \"a\", from = \"soon\" }",
                "\"soon\" is not a time",
            ),
            ("{ uses = [\"tls\"] }", "missing field `file`"),
        ] {
            let why = read(text).map(|file| file.list.len()).unwrap_err();
            assert!(why.message().contains(want), "{why}");
        }
    }
}
