//! Every layer of an exchange as files, for who has to see what went over the wire: `--trace DIR`.
//!
//! ```text
//! DIR/000017-in-acme/01-request.http      the head as it came
//!                    02-body.bin          what it carried
//!                    03-encrypted.bin     what was inside that layer, and so on inwards
//!                    04-signed.bin
//!                    05-payload.bin
//!                    06-response.http
//!                    07-receipt.bin
//! ```
//!
//! Off unless it is asked for. What a head shows to prove who is there (`Authorization` …) is left
//! out, and no key is ever near. What cannot be written is a line in the log, and no setback.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};

use super::Gateway;
use super::inbound::Caller;
use super::route::Partnership;
use crate::as2::{Headers, Keys, Profile, peel};
use crate::net::body::Body;
use crate::net::client::{self, Response};
use crate::store::{self, Arrival, MessageDetail, Payload};

/// Exchanges that are kept, unless the settings say otherwise: an afternoon's tests.
pub const TRACED: usize = 100;
/// Bytes of one file; the rest is left out.
pub const TRACED_BYTES: usize = 16 << 20;
/// Header fields that are never written.
const SECRET: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
];

/// Whether a header field proves who is there: it is never written for people.
#[must_use]
pub fn secret_field(name: &str) -> bool {
    SECRET.iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// A folder of exchanges, the newest of them.
#[derive(Debug)]
pub struct Trace {
    folder: PathBuf,
    most: u64,
    next: AtomicU64,
}

/// One exchange, file by file.
pub(super) struct Exchange {
    folder: PathBuf,
    files: usize,
}

impl Trace {
    /// Traces into `folder`, which nobody else may read; the newest `most` exchanges stay.
    ///
    /// # Errors
    /// Where the folder cannot be made or read.
    pub fn new(folder: &Path, most: usize) -> io::Result<Trace> {
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder);
        made.and_then(|()| numbers(folder)).map(|known| Trace {
            folder: folder.to_path_buf(),
            most: u64::try_from(most.max(1)).unwrap_or(u64::MAX),
            next: AtomicU64::new(known.into_iter().max().unwrap_or(0) + 1),
        })
    }

    /// A new exchange: `what` is `in` or `out`. The oldest makes room. Blocks.
    pub(super) fn exchange(&self, what: &str, partner: &str) -> Option<Exchange> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let begun = || -> io::Result<Exchange> {
            for entry in fs::read_dir(&self.folder)? {
                let path = entry?.path();
                if number_of(&path).is_some_and(|old| old + self.most <= number) {
                    fs::remove_dir_all(path)?;
                }
            }
            // A partner's name is letters, digits, dots and dashes, and begins with none of these.
            let folder = self.folder.join(format!("{number:06}-{what}-{partner}"));
            fs::DirBuilder::new().mode(0o700).create(&folder)?;
            Ok(Exchange { folder, files: 0 })
        };
        let begun = begun();
        begun
            .inspect_err(|why| tracing::warn!(%why, "an exchange is not traced"))
            .ok()
    }
}

fn number_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_string_lossy();
    name.split_once('-')?.0.parse().ok()
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let entries = fs::read_dir(folder)?;
    let numbers = entries.map(|entry| Ok(number_of(&entry?.path())));
    Ok(numbers
        .collect::<io::Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

impl Exchange {
    /// The next file.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) {
        self.files += 1;
        let path = self.folder.join(format!("{:02}-{name}", self.files));
        let bytes = &bytes[..bytes.len().min(TRACED_BYTES)];
        if let Err(why) = fs::write(&path, bytes) {
            tracing::warn!(path = %path.display(), %why, "not traced");
        }
    }

    /// A head: its first line, and its fields but for those that prove who is there.
    pub(super) fn head(&mut self, name: &str, first: &str, headers: &store::Headers) {
        let mut text = format!("{first}\r\n");
        for (field, value) in headers {
            let value = if secret_field(field) {
                "(left out)"
            } else {
                value
            };
            text += &format!("{field}: {value}\r\n");
        }
        self.put(name, text.as_bytes());
    }

    /// What is inside a message or a receipt, layer by layer inwards, and the payload.
    pub(super) fn layers(
        &mut self,
        headers: &Headers,
        body: &[u8],
        keys: &Keys,
        at: DateTime<Utc>,
    ) {
        let (layers, opened) = peel(headers, body, keys, &Profile::accept_anything(), at);
        for layer in &layers {
            self.put(&format!("{}.bin", layer.kind), &layer.content);
            if let Some(signature) = &layer.signature {
                self.put("signature.p7s", signature);
            }
        }
        if let Err(why) = opened {
            self.put("error.txt", format!("{why}\n").as_bytes());
        }
    }
}

impl Gateway {
    /// Traces a message of ours, and what came of it.
    pub(super) async fn trace_sent(
        &self,
        partnership: &Arc<Partnership>,
        detail: &MessageDetail,
        body: Payload,
        answer: &Result<Response, client::Error>,
    ) {
        let Some(trace) = self.trace.clone() else {
            return;
        };
        let content = match detail.message.content {
            Some(digest) => self.store.payload(digest).await.ok().flatten(),
            None => None,
        };
        let (known, detail, at) = (Arc::clone(partnership), detail.clone(), self.clock.now());
        let answer = match answer {
            Ok(answer) => Ok(answer.clone()),
            Err(why) => Err(why.to_string()),
        };
        let traced = tokio::task::spawn_blocking(move || {
            let Some(mut exchange) = trace.exchange("out", &known.partner.name) else {
                return;
            };
            if let Some(bytes) = content.and_then(|content| content.read().ok()) {
                exchange.put("payload.bin", &bytes);
            }
            exchange.head("request.http", "POST", &detail.headers);
            exchange.put("body.bin", &body.read().unwrap_or_default());
            match answer {
                Ok(answer) => {
                    let first = format!("HTTP/1.1 {}", answer.status);
                    exchange.head("response.http", &first, &answer.headers);
                    exchange.put("receipt.bin", &answer.body);
                    let headers: Headers = answer.headers.into_iter().collect();
                    exchange.layers(&headers, &answer.body, &known.keys.opening(at), at);
                }
                Err(why) => exchange.put("error.txt", format!("{why}\n").as_bytes()),
            }
        });
        // What is not traced is no setback.
        let _ = traced.await;
    }

    /// Traces what came: its layers, the payload, and what is answered. Blocks.
    pub(super) fn trace_came(&self, caller: &Caller, body: &Body, arrival: &Arrival) {
        let Some(mut exchange) = self
            .trace
            .as_ref()
            .and_then(|trace| trace.exchange("in", &caller.partnership.partner.name))
        else {
            return;
        };
        exchange.head("request.http", "POST", &arrival.headers);
        let (mut bytes, at) = (Vec::new(), self.clock.now());
        let read = body
            .open()
            .and_then(|source| source.take(TRACED_BYTES as u64).read_to_end(&mut bytes));
        if let Err(why) = read {
            exchange.put("error.txt", format!("{why}\n").as_bytes());
        }
        exchange.put("body.bin", &bytes);
        let keys = caller.partnership.keys.opening(at);
        exchange.layers(&caller.headers, &bytes, &keys, at);
        if let Some(bytes) = arrival
            .content
            .as_ref()
            .and_then(|content| content.read().ok())
        {
            exchange.put("payload.bin", &bytes);
        }
        if let Some(answer) = &arrival.answer {
            let first = format!("HTTP/1.1 {}", answer.status);
            exchange.head("response.http", &first, &answer.headers);
            exchange.put("receipt.bin", &answer.body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay_and_no_secret_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("trace");
        let trace = Trace::new(&here, 2).unwrap();
        for _ in 0..3 {
            let mut exchange = trace.exchange("in", "acme").unwrap();
            let headers = [("Authorization", "Basic c2VjcmV0"), ("AS2-To", "US")];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            exchange.head("request.http", "POST /as2 HTTP/1.1", &headers.to_vec());
            exchange.put("body.bin", b"ISA");
        }
        let mut names: Vec<_> = fs::read_dir(&here)
            .unwrap()
            .map(|one| one.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["000002-in-acme", "000003-in-acme"]);
        let head = fs::read_to_string(here.join("000003-in-acme/01-request.http")).unwrap();
        assert_eq!(
            head,
            "POST /as2 HTTP/1.1\r\nAuthorization: (left out)\r\nAS2-To: US\r\n"
        );
        assert_eq!(
            fs::read(here.join("000003-in-acme/02-body.bin")).unwrap(),
            b"ISA"
        );
        // A restart goes on.
        let trace = Trace::new(&here, 2).unwrap();
        assert!(
            trace
                .exchange("out", "acme")
                .unwrap()
                .folder
                .ends_with("000004-out-acme")
        );
    }
}
