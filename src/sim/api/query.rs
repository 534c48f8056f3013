//! What a query may say: the names of the operation, windows of time, pages.
//!
//! The API ignores a name that it does not know; the simulator refuses it and says so, because a
//! filter that is silently ignored answers with everything.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Reply, invalid};
use crate::bridge::spapi::Endpoint;

/// A query that was read.
pub(super) struct Query(Vec<(String, String)>);

/// A window of time.
#[derive(Clone, Copy)]
pub(super) struct Window {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

impl Window {
    pub(super) fn has(self, at: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at <= to)
    }

    pub(super) fn said(self) -> bool {
        self.from.is_some() || self.to.is_some()
    }
}

impl Query {
    /// Reads a query of an operation.
    pub(super) fn read(endpoint: &Endpoint, text: &str) -> Result<Query, Reply> {
        let query = Query(pairs(text));
        for (name, _) in &query.0 {
            if endpoint.parameters().any(|(known, _)| known == name) {
                continue;
            }
            let alike = endpoint
                .parameters()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            let message = match alike {
                Some((known, _)) => format!("{name} is written {known}"),
                None => format!("{} has no parameter {name}", endpoint.name),
            };
            return Err(invalid(&message, name));
        }
        for (name, _) in endpoint.parameters().filter(|(_, must)| *must) {
            if !query.has(name) {
                return Err(invalid(&format!("{name} is required"), name));
            }
        }
        Ok(query)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// One of these words.
    pub(super) fn word(&self, name: &str, words: &[&str]) -> Result<Option<&str>, Reply> {
        match self.text(name) {
            Some(text) if !words.contains(&text) => {
                let message = format!("{name} is {text:?}, and none of {}", words.join(", "));
                Err(invalid(&message, name))
            }
            text => Ok(text),
        }
    }

    /// The window of two names, at most `most` long and not before `reach` ago.
    pub(super) fn window(
        &self,
        (from, to): (&str, &str),
        now: DateTime<Utc>,
        (most, reach): (TimeDelta, TimeDelta),
    ) -> Result<Window, Reply> {
        let window = Window {
            from: self.instant(from)?,
            to: self.instant(to)?,
        };
        if let Some(start) = window.from {
            let end = window.to.unwrap_or(now);
            if end < start {
                return Err(invalid(&format!("{to} is before {from}"), to));
            }
            if window.to.is_some() && end - start > most {
                let message = format!("{from} to {to} is longer than {} days", most.num_days());
                return Err(invalid(&message, from));
            }
            if now - start > reach {
                let message = format!("{from} is more than {} days ago", reach.num_days());
                return Err(invalid(&message, from));
            }
        }
        Ok(window)
    }

    fn instant(&self, name: &str) -> Result<Option<DateTime<Utc>>, Reply> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match DateTime::parse_from_rfc3339(text) {
            Ok(at) => Ok(Some(at.to_utc())),
            Err(_) => Err(invalid(
                &format!("{name} is {text:?}, and no ISO 8601 time"),
                name,
            )),
        }
    }

    /// Cuts a page out of all that was found: at most `limit`, which is 1 to `most`.
    pub(super) fn page<T>(
        &self,
        all: Vec<T>,
        most: usize,
    ) -> Result<(Vec<T>, Option<String>), Reply> {
        let limit = match self.text("limit").map(|text| (text, text.parse::<usize>())) {
            None => most,
            Some((_, Ok(limit))) if (1..=most).contains(&limit) => limit,
            Some((text, _)) => {
                return Err(invalid(
                    &format!("limit is {text:?}, and not 1 to {most}"),
                    "limit",
                ));
            }
        };
        let from: usize = match self
            .text("nextToken")
            .map(|token| token.strip_prefix("sim-page-"))
        {
            None => 0,
            Some(Some(from)) if from.parse::<usize>().is_ok() => from.parse().unwrap_or(0),
            Some(_) => return Err(invalid("nextToken is none that was given", "nextToken")),
        };
        let rest = all.len().saturating_sub(from.saturating_add(limit));
        let page = all.into_iter().skip(from).take(limit).collect();
        Ok((
            page,
            (rest > 0).then(|| format!("sim-page-{}", from + limit)),
        ))
    }
}

/// The pairs of a query or of a form.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (unescaped(name), unescaped(&value.replace('+', " ")))
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(pair)
        .collect()
}

/// A value without its percent signs (RFC 3986 section 2.1); one that escapes nothing stays.
pub(super) fn unescaped(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, more @ ..] = rest {
        let hex = more.get(..2).filter(|_| *first == b'%');
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = &more[if byte.is_some() { 2 } else { 0 }..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
