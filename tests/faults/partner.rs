//! The answering partner: takes what the gateway sends, answers with receipts, and keeps what it saw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use transload::as2::{self, Digest, Disposition, Headers, Mdn, MdnFields};
use transload::net;
use transload::net::client::{self, Client, Trust};
use transload::net::serve::Limits;
use transload::web::Believed;
use transload::web::as2::{Answer, Arrival, Settings, listen};

use super::order::{Relation, keys};

/// What came from the gateway, by Message-ID.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Digests of the bytes of each message.
    pub(super) wire: BTreeMap<String, BTreeSet<[u8; 32]>>,
    /// How often something came.
    pub(super) requests: u64,
    /// The messages that carried each control number of a relation.
    pub(super) numbers: BTreeMap<(Relation, u32), BTreeSet<String>>,
    /// The digests of receipts that were posted, by the Message-ID that they answer.
    pub(super) receipts: BTreeMap<String, BTreeSet<[u8; 32]>>,
    /// What is wrong with what came.
    pub(super) wrong: Vec<String>,
}

/// An answer that is held back.
#[derive(Debug, Default)]
struct Holding {
    wanted: AtomicBool,
    held: AtomicBool,
}

/// A partner's server, in a runtime of its own.
pub(super) struct Partner {
    pub(super) url: String,
    pub(super) seen: Arc<Mutex<Seen>>,
    holding: Arc<Holding>,
    runtime: Option<Runtime>,
    _spool: TempDir,
}

impl Partner {
    pub(super) fn new() -> Partner {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let spool = tempfile::tempdir().unwrap();
        let bound = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(bound).unwrap();
        let url = format!("http://{}/as2", listener.local_addr().unwrap());
        let settings = Settings {
            path: "/as2".into(),
            spool: spool.path().into(),
            limits: Limits {
                per_address: 10_000,
                ..Limits::default()
            },
            tls: None,
            believed: Believed::default(),
        };
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let holding: Arc<Holding> = Arc::default();
        let shared = (Arc::clone(&seen), Arc::clone(&holding));
        let handler = move |arrival: Arrival| {
            let (kept, holding) = shared.clone();
            async move {
                let headers: Headers = arrival.headers.iter().cloned().collect();
                // A gateway that is killed breaks its connections.
                let Ok(body) = arrival.body.read().await else {
                    return Answer::text(400, "cut");
                };
                let body = body.memory().cloned().unwrap_or_default();
                let answer = take(&kept, &headers, &body);
                if !Mdn::is(&headers, &body) && holding.wanted.load(Ordering::Relaxed) {
                    holding.held.store(true, Ordering::Relaxed);
                    while holding.wanted.load(Ordering::Relaxed) {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
                answer
            }
        };
        runtime.spawn(listen(listener, settings, handler, std::future::pending()));
        Partner {
            url,
            seen,
            holding,
            runtime: Some(runtime),
            _spool: spool,
        }
    }
}

impl Partner {
    /// Asks for the next answer to be held back, and says whether one is.
    pub(super) fn hold(&self) -> bool {
        self.holding.wanted.store(true, Ordering::Relaxed);
        self.holding.held.load(Ordering::Relaxed)
    }

    /// Lets go of what is held.
    pub(super) fn release(&self) {
        self.holding.wanted.store(false, Ordering::Relaxed);
        self.holding.held.store(false, Ordering::Relaxed);
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

fn take(kept: &Arc<Mutex<Seen>>, headers: &Headers, body: &Bytes) -> Answer {
    let relation = Relation::ALL
        .into_iter()
        .find(|relation| headers.as2_to().is_ok_and(|to| to == relation.id()));
    let Some(relation) = relation else {
        let wrong = format!("for nobody: {:?}", headers.as2_to());
        kept.lock().unwrap().wrong.push(wrong);
        return Answer::text(403, "for nobody");
    };
    match Mdn::is(headers, body) {
        true => receipt(kept, relation, headers, body),
        false => message(kept, relation, headers, body),
    }
}

/// A receipt for a message of ours that wanted it so.
fn receipt(kept: &Mutex<Seen>, relation: Relation, headers: &Headers, body: &[u8]) -> Answer {
    let read = Mdn::read(headers, body, &keys(), &relation.profile(), Utc::now());
    let mut seen = kept.lock().unwrap();
    match read {
        Ok(mdn) if mdn.signature.is_some() && mdn.disposition.is_positive() => {
            let id = mdn.original().to_owned();
            let digest = as2::sha256(body);
            seen.receipts.entry(id).or_default().insert(digest);
        }
        other => seen.wrong.push(format!("a receipt: {other:?}")),
    }
    Answer {
        status: 200,
        headers: Vec::new(),
        body: Bytes::new(),
    }
}

/// A 997: kept first, and answered after.
fn message(kept: &Arc<Mutex<Seen>>, relation: Relation, headers: &Headers, body: &[u8]) -> Answer {
    let id = headers.message_id().unwrap_or_default().to_owned();
    let mut payload = Vec::new();
    let (keys, profile) = (keys(), relation.profile());
    let opened = as2::open(headers, body, &mut payload, &keys, &profile, Utc::now());
    let mut seen = kept.lock().unwrap();
    let opened = match opened {
        Ok(opened) => opened,
        Err(why) => {
            seen.wrong.push(format!("{id} does not open: {why}"));
            return Answer::text(400, "does not open");
        }
    };
    let wire = [
        headers.get("Content-Type").unwrap_or_default().as_bytes(),
        body,
    ]
    .concat();
    seen.requests += 1;
    let all = seen.wire.entry(id.clone()).or_default();
    all.insert(as2::sha256(&wire));
    let text = String::from_utf8_lossy(&payload).into_owned();
    let number = text.split('*').nth(13).and_then(|n| n.parse().ok());
    let number = (relation, number.unwrap_or(0));
    seen.numbers.entry(number).or_default().insert(id.clone());
    drop(seen);
    let done = Disposition::processed();
    let receipt_id = format!("<receipt.of.{}", id.trim_start_matches('<'));
    let fields = MdnFields::answer(headers, &receipt_id, done, Some(opened.mic));
    let signer = Some((&keys.ours[0], Digest::Sha256));
    let written = Mdn::write(&fields, signer, &mut net::entropy, Utc::now());
    let (headers_out, body) = written.unwrap();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let headers_out: Vec<_> = headers_out.iter().map(owned).collect();
    match headers.get("Receipt-Delivery-Option") {
        None => Answer {
            status: 200,
            headers: headers_out,
            body: body.into(),
        },
        Some(url) => {
            tokio::spawn(post(url.to_owned(), headers_out, body.into()));
            Answer {
                status: 202,
                headers: Vec::new(),
                body: Bytes::new(),
            }
        }
    }
}

/// Posts a receipt until it is taken: the gateway may be down.
async fn post(url: String, headers: Vec<(String, String)>, body: Bytes) {
    let client = Client::new(Trust::System, client::Limits::default());
    for _ in 0..2000 {
        let posted = client.post(&url, &headers, body.clone()).await;
        if posted.is_ok_and(|answer| answer.status == 200) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
