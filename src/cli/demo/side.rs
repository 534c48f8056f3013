//! One of the two gateways: its folder, its files, and what is awaited of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::timeout;
use uuid::Uuid;

use super::super::Failure;
use crate::as2::{Headers, Identity};
use crate::clock::{Clock, System};
use crate::gateway::{Gateway, Limits, Settings};
use crate::net::client::Trust;
use crate::partner;
use crate::store::{
    self, Direction, Document, DocumentState, Filter, Message, MessageDetail, MessageState, Sqlite,
};
use crate::web::{self, Listeners, Running};
use crate::x12::Qualified;

/// How long a step may take before the demo says what it waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the demo's certificates hold.
const VALID: TimeDelta = TimeDelta::days(30);
/// How often folders are looked at: a demo is watched.
const POLL: Duration = Duration::from_millis(20);

/// How one side is known to the other.
pub(super) struct Relation {
    pub(super) name: &'static str,
    pub(super) as2_id: &'static str,
    pub(super) x12: Qualified,
}

/// A gateway that runs.
pub(super) struct Side {
    /// Its name at the other side.
    pub(super) name: String,
    other: String,
    pub(super) folder: PathBuf,
    pub(super) running: Running,
}

fn told(path: &Path) -> impl Fn(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |why| Failure::state(format!("{path}: {why}"))
}

/// Makes keys, partner files and settings for both, and starts them.
pub(super) async fn pair(
    folder: &Path,
    buyer: &Relation,
    seller: &Relation,
) -> Result<(Side, Side), Failure> {
    let any = ([127, 0, 0, 1], 0).into();
    let bind = || async { Listeners::bind(any, any).await.map_err(Failure::network) };
    let (at_buyer, at_seller) = (bind().await?, bind().await?);
    let url = |listeners: &Listeners| listeners.url().map_err(Failure::network);
    let (to_buyer, to_seller) = (url(&at_buyer)?, url(&at_seller)?);
    let (buyers, sellers) = (identity(folder, buyer)?, identity(folder, seller)?);
    let buying = start(folder, (buyer, buyers), (seller, &to_seller), at_buyer)?;
    let selling = start(folder, (seller, sellers), (buyer, &to_buyer), at_seller)?;
    Ok((buying, selling))
}

/// A key and certificate of a side, kept as `cert new` would.
fn identity(folder: &Path, side: &Relation) -> Result<Identity, Failure> {
    let folder = folder.join(side.name);
    std::fs::create_dir_all(folder.join("partners")).map_err(told(&folder))?;
    let now = System.now();
    let (id, from, to) = (Uuid::now_v7(), now - TimeDelta::hours(1), now + VALID);
    let serial = id.as_u64_pair().1 >> 1;
    let identity = Identity::generate(side.name, serial, from, to).map_err(Failure::state)?;
    // The folder is its owner's alone, so the password may lie beside the key.
    let password = id.to_string();
    let p12 = identity
        .to_pkcs12(side.name, &password)
        .map_err(Failure::state)?;
    let pem = identity.certificate.to_pem().map_err(Failure::state)?;
    let file = |name: String, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(told(&path))
    };
    file(format!("{}.p12", side.name), &p12)?;
    file(format!("{}.password", side.name), password.as_bytes())?;
    file(format!("{}.pem", side.name), &pem)?;
    Ok(identity)
}

fn start(
    root: &Path,
    (us, identity): (&Relation, Identity),
    (them, url): (&Relation, &str),
    listeners: Listeners,
) -> Result<Side, Failure> {
    let folder = root.join(us.name);
    let party = |x12: &Qualified| {
        format!(
            "{{ qualifier = {:?}, id = {:?} }}",
            x12.qualifier.trim(),
            x12.id.trim()
        )
    };
    let file = format!(
        "name = {:?}\n\n[as2]\nid = {:?}\nour_id = {:?}\nurl = {url:?}\n\
         certificates = [\"../../{}/{}.pem\"]\nsign = \"sha-256\"\nencrypt = \"aes-256-cbc\"\n\n\
         [x12]\nours = {}\ntheirs = {}\n\n[documents.850]\n[documents.855]\n[documents.810]\n",
        them.name,
        them.as2_id,
        us.as2_id,
        them.name,
        them.name,
        party(&us.x12),
        party(&them.x12),
    );
    let partners = folder.join("partners");
    let path = partners.join(format!("{}.toml", them.name));
    std::fs::write(&path, file).map_err(told(&path))?;
    let partners = partner::load(&partners).map_err(|errors| {
        Failure::state(
            errors
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    })?;
    let store = Sqlite::open(&folder.join("data")).map_err(Failure::state)?;
    let settings = Settings {
        identities: vec![identity],
        // Both ends are on this machine: no authority is asked.
        trust: Trust::Only(Vec::new()),
        limits: Limits {
            poll: POLL,
            ..Limits::default()
        },
        ..Settings::new(Arc::new(store), partners, &folder.join("bridge"))
    };
    let gateway = Gateway::new(settings).map_err(Failure::state)?;
    let running = web::run(gateway, listeners, folder.join("spool")).map_err(Failure::state)?;
    Ok(Side {
        name: us.name.to_owned(),
        other: them.name.to_owned(),
        folder,
        running,
    })
}

impl Side {
    fn store(&self) -> &Arc<dyn store::Store> {
        self.running.gateway.store()
    }

    /// Looks after each step of the gateway until there is something.
    async fn until<T, F>(&self, what: &str, look: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<Option<T>, store::Error>>,
    {
        let mut moved = self.running.gateway.moved();
        let found = async {
            loop {
                moved.borrow_and_update();
                if let Some(found) = look().await.map_err(Failure::state)? {
                    return Ok(found);
                }
                moved.changed().await.map_err(Failure::state)?;
            }
        };
        match timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => Err(Failure::state(format!(
                "{} waited in vain for {what}{}",
                self.name,
                self.trouble().await
            ))),
        }
    }

    /// What the documents that did not get on say of themselves.
    async fn trouble(&self) -> String {
        let documents = self
            .store()
            .documents(Filter::default())
            .await
            .unwrap_or_default();
        let told = documents.iter().filter(|d| !d.note.is_empty());
        told.map(|d| format!("\n  {} {} is {}: {}", d.set, d.number, d.state, d.note))
            .collect()
    }

    /// The document of a set, once it is in a state.
    pub(super) async fn document(
        &self,
        direction: Direction,
        set: &str,
        state: DocumentState,
    ) -> Result<Document, Failure> {
        let what = format!("an {direction} {set} that is {state}");
        self.until(&what, || async {
            let filter = Filter {
                direction: Some(direction),
                state: Some(state),
                ..Filter::default()
            };
            let found = self.store().documents(filter).await?;
            Ok(found.into_iter().find(|document| document.set == set))
        })
        .await
    }

    /// Waits until the other side's 997 has accepted a document of ours.
    pub(super) async fn settled(&self, id: Uuid) -> Result<(), Failure> {
        self.until("the 997 for the order", || async {
            let detail = self.store().document(id).await?;
            Ok(detail
                .filter(|d| d.document.state == DocumentState::Accepted)
                .map(drop))
        })
        .await
    }

    /// The canonical order in the bridge's folder: its path and bytes.
    pub(super) async fn delivered(&self) -> Result<(PathBuf, Vec<u8>), Failure> {
        let folder = self.folder.join("bridge").join(&self.other).join("out");
        let entries = std::fs::read_dir(&folder).map_err(told(&folder))?;
        let mut files = entries.flatten().map(|entry| entry.path());
        let path = files.find(|path| path.extension().is_some_and(|e| e == "json"));
        let path =
            path.ok_or_else(|| Failure::state(format!("{}: no order is there", folder.display())))?;
        let bytes = std::fs::read(&path).map_err(told(&path))?;
        Ok((path, bytes))
    }

    /// Puts an answer where the seller's own system would: a whole file, by a rename.
    pub(super) fn answer(&self, answer: &crate::canonical::Document) -> Result<(), Failure> {
        let folder = self.folder.join("bridge").join(&self.other).join("in");
        let json = serde_json::to_vec_pretty(answer).map_err(Failure::state)?;
        let path = folder.join(format!("{}.json", answer.kind()));
        let part = path.with_extension("tmp");
        std::fs::write(&part, json).map_err(told(&part))?;
        std::fs::rename(&part, &path).map_err(told(&path))
    }

    /// All messages that this side sent, oldest first.
    pub(super) async fn sent(&self) -> Result<Vec<MessageDetail>, Failure> {
        let filter = Filter::<MessageState> {
            direction: Some(Direction::Outbound),
            ..Filter::default()
        };
        let mut messages = self
            .store()
            .messages(filter)
            .await
            .map_err(Failure::state)?;
        messages.reverse();
        let mut details = Vec::new();
        for message in messages {
            details.extend(
                self.store()
                    .message(message.id)
                    .await
                    .map_err(Failure::state)?,
            );
        }
        Ok(details)
    }

    /// What this side has of a message that the other sent.
    pub(super) async fn received(&self, sent: &Message) -> Result<Option<MessageDetail>, Failure> {
        let key = store::Key {
            our_id: sent.key.partner_id.clone(),
            partner_id: sent.key.our_id.clone(),
            message_id: sent.key.message_id.clone(),
        };
        let found = self
            .store()
            .find(Direction::Inbound, key)
            .await
            .map_err(Failure::state)?;
        match found {
            Some(message) => self
                .store()
                .message(message.id)
                .await
                .map_err(Failure::state),
            None => Ok(None),
        }
    }

    /// The X12 of a message.
    pub(super) async fn content(&self, detail: &MessageDetail) -> Result<String, Failure> {
        let Some(digest) = detail.message.content else {
            return Ok(String::new());
        };
        Ok(String::from_utf8_lossy(&self.bytes(digest).await?).into_owned())
    }

    async fn bytes(&self, digest: store::Digest) -> Result<Vec<u8>, Failure> {
        let kept = self.store().payload(digest).await.map_err(Failure::state)?;
        let read = kept.map(|kept| kept.read()).transpose();
        Ok(read.map_err(Failure::state)?.unwrap_or_default().to_vec())
    }

    /// Waits until every message of ours has its receipt: 997s are the last to go.
    pub(super) async fn quiet(&self) -> Result<(), Failure> {
        self.until("the last receipts", || async {
            let counts = self.store().counts().await?;
            Ok(counts
                .work
                .iter()
                .all(|(_, count)| *count == 0)
                .then_some(()))
        })
        .await
    }

    /// Writes this side's own copies of what it sent and got: requests, receipts, payloads.
    pub(super) async fn copies(&self) -> Result<(), Failure> {
        let folder = self.folder.join("sent");
        std::fs::create_dir_all(&folder).map_err(told(&folder))?;
        for (number, detail) in self.sent().await?.iter().enumerate() {
            let set = detail
                .documents
                .first()
                .map_or("message", |d| d.set.as_str());
            let name = format!("{}-{set}", number + 1);
            let keep = |suffix: &str, bytes: &[u8]| {
                let path = folder.join(format!("{name}.{suffix}"));
                std::fs::write(&path, bytes).map_err(told(&path))
            };
            let body = self.bytes(detail.message.body).await?;
            keep("request", &whole(&detail.headers, &body))?;
            if let Some(answer) = &detail.answer {
                keep("mdn", &whole(&answer.headers, &answer.body))?;
            }
            if let Some(content) = detail.message.content {
                keep("edi", &self.bytes(content).await?)?;
            }
        }
        Ok(())
    }
}

/// Headers and body as one file, which `as2 open` reads.
fn whole(headers: &store::Headers, body: &[u8]) -> Vec<u8> {
    let headers: Headers = headers.iter().cloned().collect();
    // With the empty line that ends them.
    let mut bytes = headers.to_bytes();
    bytes.extend_from_slice(body);
    bytes
}
