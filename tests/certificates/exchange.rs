//! Certificates by messages: two gateways, one of which has a new key.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tempfile::TempDir;
use transload::clock::{Clock, Moved};
use transload::gateway::{Gateway, Limits, Settings, offer};
use transload::net;
use transload::partner::{self, keys, keys::State};
use transload::store::{Direction, Filter, Memory, Message, MessageState, Store};
use transload::web::{self, Listeners, Running};

use super::{key, run};
use crate::exchange::pair::until;

struct Side {
    folder: TempDir,
    clock: Arc<Moved>,
    running: Running,
}

impl Side {
    fn gateway(&self) -> &Arc<Gateway> {
        &self.running.gateway
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        until(self.gateway(), what, look).await
    }

    /// The messages of a direction, the newest first.
    async fn messages(&self, direction: Direction) -> Vec<Message> {
        let filter = Filter {
            direction: Some(direction),
            ..Filter::default()
        };
        self.gateway().store().messages(filter).await.unwrap()
    }

    /// What the partner says of a certificate of ours, once it does.
    async fn said(&self, print: &str) -> String {
        self.until("an answer", async || {
            let seen = self.gateway().store().all_seen().await.unwrap();
            let word = |purpose: &str| purpose == "accepted" || purpose == "rejected";
            let mut seen = seen.into_iter();
            seen.find(|one| one.fingerprint == print && word(&one.purpose))
                .map(|one| one.purpose)
        })
        .await
    }

    /// What is held of the partner, once something is.
    fn held(&self) -> Vec<keys::Held> {
        let mut held = keys::load(&self.path().join("keys")).unwrap();
        held.theirs.remove("left").unwrap_or_default()
    }

    /// Sends an order, and gives what became of it.
    async fn order(&self, partner: &str) -> MessageState {
        let order = "ISA*00*          *00*          *ZZ*US             *ZZ*THEM           *261122*0915*U\
            *00401*000000001*0*T*>~GS*PO*US*THEM*20261122*0915*1*X*004010~ST*850*0001~\
            BEG*00*SA*PO1**20261122~PO1*1*1*EA*1.00**UP*012345678905~CTT*1~SE*5*0001~GE*1*1~\
            IEA*1*000000001~";
        let id = self
            .gateway()
            .send(partner, order.as_bytes())
            .await
            .unwrap();
        let row = self
            .gateway()
            .store()
            .document(id)
            .await
            .unwrap()
            .unwrap()
            .document;
        self.until("an end of the order", async || {
            let row = self
                .gateway()
                .store()
                .document(row.id)
                .await
                .unwrap()?
                .document;
            let sent = self.gateway().carrier(&row).await.unwrap()?.message.state;
            (!matches!(sent, MessageState::Sealed | MessageState::Sent)).then_some(sent)
        })
        .await
    }

    /// Offers our newest key, and gives its fingerprint.
    async fn offers(&self) -> String {
        let partners = partner::load(&self.path().join("partners")).unwrap();
        let held = keys::load(&self.path().join("keys")).unwrap();
        let new = held.ours.iter().max_by_key(|own| own.dated.from).unwrap();
        let (now, mut entropy) = (self.clock.now(), net::entropy);
        let right = partners.get("right").unwrap();
        let draft = offer(right, &[new], "http://us.example/as2", &mut entropy, now).unwrap();
        self.gateway().store().draft(draft, now).await.unwrap();
        self.gateway().poke();
        new.dated.item.certificate.fingerprint().to_owned()
    }
}

/// Two gateways; the right one's file of the left one has these lines too, and the left one's of
/// the right one.
async fn pair(rights: &str, lefts: &str) -> [Side; 2] {
    let any = ([127, 0, 0, 1], 0).into();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let listeners = [
        Listeners::bind(any, any).await.unwrap(),
        Listeners::bind(any, any).await.unwrap(),
    ];
    let urls = listeners.each_ref().map(|one| one.url().unwrap());
    for (folder, name) in folders.iter().zip(["left", "right"]) {
        key(folder.path(), name, (-1, 100), "");
    }
    for (n, more) in [lefts, rights].into_iter().enumerate() {
        let (us, them) = (["left", "right"][n], ["right", "left"][n]);
        let partners = folders[n].path().join("partners");
        std::fs::create_dir_all(&partners).unwrap();
        let pem = folders[1 - n].path().join(format!("keys/{them}.pem"));
        std::fs::copy(pem, partners.join(format!("{them}.pem"))).unwrap();
        let url = &urls[1 - n];
        let text = format!(
            "name = {them:?}\n[as2]\nid = {them:?}\nour_id = {us:?}\nurl = {url:?}\n\
             certificates = [\"{them}.pem\"]\n{more}\n"
        );
        std::fs::write(partners.join(format!("{them}.toml")), text).unwrap();
    }
    let mut listeners = listeners.into_iter();
    folders.map(|folder| {
        let clock = Arc::new(Moved::to(chrono::Utc::now()));
        let partners = partner::load(&folder.path().join("partners")).unwrap();
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let settings = Settings {
            keys: Some(folder.path().join("keys")),
            clock: Arc::<Moved>::clone(&clock),
            limits: Limits {
                poll: Duration::from_secs(3600),
                ..Limits::default()
            },
            ..Settings::new(store, partners, &folder.path().join("bridge"))
        };
        let gateway = Gateway::new(settings).unwrap();
        let spool = folder.path().join("spool");
        let running = web::run(gateway, listeners.next().unwrap(), spool).unwrap();
        Side {
            folder,
            clock,
            running,
        }
    })
}

/// The left side makes a key that it changes to in ten days.
fn roll(left: &Side) {
    let activate = super::at(10).to_rfc3339();
    run(
        left.path(),
        &["cert", "roll", "--activate", &activate, "--key", "p-256"],
    )
    .says(0, &[]);
    left.gateway().renew().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_who_accepts_has_the_new_key_before_we_change() {
    let [left, right] = pair("cem = \"accept\"", "").await;
    roll(&left);
    let print = left.offers().await;
    assert_eq!(left.said(&print).await, "accepted");
    let held = right.held();
    assert_eq!((held.len(), held[0].card.state), (1, State::Accepted));
    assert_eq!(held[0].dated.item.fingerprint(), print);
    // From the day on which it is in use here.
    let from = held[0].dated.from.unwrap() - super::at(10);
    assert!(from.num_minutes().abs() < 10, "{from}");
    for side in [&left, &right] {
        side.clock.forward(TimeDelta::days(11));
    }
    assert_eq!(left.order("right").await, MessageState::Confirmed);
    assert_eq!(right.order("left").await, MessageState::Confirmed);
    // The right side has signed its receipts, and encrypts to the new key.
    let seen = left.gateway().store().all_seen().await.unwrap();
    assert!(
        seen.iter()
            .any(|one| one.purpose == "decrypt" && one.fingerprint == print)
    );
    for side in [left, right] {
        side.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_receipts_alone_is_seen_with_his_certificate() {
    let [left, right] = pair("", "").await;
    assert_eq!(left.order("right").await, MessageState::Confirmed);
    let held = keys::load(&right.path().join("keys")).unwrap();
    let print = held.ours[0].dated.item.certificate.fingerprint().to_owned();
    let seen = left.gateway().store().all_seen().await.unwrap();
    let seen: Vec<_> = seen
        .iter()
        .map(|one| (&*one.partner, &*one.purpose, &one.fingerprint))
        .collect();
    assert_eq!(seen, [("right", "verify", &print)]);
    for side in [left, right] {
        side.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_who_asks_waits_for_a_person() {
    let [left, right] = pair("", "").await;
    roll(&left);
    let print = left.offers().await;
    right
        .until("a certificate that waits", async || {
            let read = right.messages(Direction::Inbound).await;
            (!read.is_empty() && !right.held().is_empty()).then_some(())
        })
        .await;
    assert_eq!(right.held()[0].card.state, State::Pending);
    run(right.path(), &["cert", "list"]).says(0, &["pending", "cert accept left"]);
    // Nothing that it signs counts yet, and nobody was answered.
    right.gateway().exchange().await.unwrap();
    assert_eq!(right.messages(Direction::Outbound).await.len(), 0);
    run(right.path(), &["cert", "accept", "left", &print]).says(0, &["accepted"]);
    right.gateway().renew().unwrap();
    for _ in 0..3 {
        right.gateway().exchange().await.unwrap();
    }
    assert_eq!(left.said(&print).await, "accepted");
    assert_eq!(
        right.messages(Direction::Outbound).await.len(),
        1,
        "one answer"
    );
    for side in [left, right] {
        side.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_none_says_so_and_what_nobody_signed_is_refused() {
    let [left, right] = pair("cem = \"off\"\nrequire_signed = false", "").await;
    roll(&left);
    let print = left.offers().await;
    assert_eq!(left.said(&print).await, "rejected");
    assert_eq!(right.held()[0].card.state, State::Rejected);
    for side in [left, right] {
        side.running.stop().await.unwrap();
    }
    let [left, right] = pair(
        "cem = \"accept\"\nrequire_signed = false",
        "sign = \"none\"",
    )
    .await;
    roll(&left);
    left.offers().await;
    let note = left
        .until("a refusal", async || {
            let sent = left.messages(Direction::Outbound).await;
            let refused = sent
                .into_iter()
                .find(|one| one.state == MessageState::Refused);
            refused.map(|one| one.note)
        })
        .await;
    assert!(
        note.contains("insufficient-message-security") || note.contains("error"),
        "{note}"
    );
    assert!(right.held().is_empty());
    for side in [left, right] {
        side.running.stop().await.unwrap();
    }
}
