//! Rollover under load: both sides change their signing, encryption and TLS certificates while
//! messages go both ways, and their clocks are moved over each date.
//!
//! The two clocks are not the same: no two are. Keys are made, scheduled, handed over and taken in
//! by the command line, as two operators would. 200 messages; `TRANSLOAD_ROLLOVER=10000` sends as
//! many as it says.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;
use transload::as2::Identity;
use transload::clock::{Clock, Moved};
use transload::gateway::{Gateway, Limits, Settings};
use transload::net::tls::{Clients, Server};
use transload::partner;
use transload::store::{Counts, Direction, MessageState, Sqlite, WorkKind};
use transload::web::{self, Listeners, Running};

/// How long something that never happens is waited for before the test fails.
const PATIENCE: Duration = Duration::from_secs(900);
/// So far the right side's clock is ahead of the left one's.
const AHEAD: TimeDelta = TimeDelta::seconds(90);
/// A load goes over a date in so many steps of the clock, a quarter of a second each: shorter than
/// any lease, as time is.
const STEPS: usize = 8;

struct Side {
    name: &'static str,
    folder: TempDir,
    clock: Arc<Moved>,
    server: Arc<Server>,
    running: Running,
    start: DateTime<Utc>,
}

fn command(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command.args(args).current_dir(folder);
    for variable in ["TRANSLOAD_PARTNERS", "TRANSLOAD_KEYS", "TRANSLOAD_DATA"] {
        command.env_remove(variable);
    }
    let ran = command.output().unwrap();
    let (out, err) = (
        String::from_utf8(ran.stdout).unwrap(),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(
        ran.status.code().is_some_and(|code| code < 2),
        "{args:?}: {err}"
    );
    out
}

/// The first keys of a side: one a use, made here, so that the clock may begin anywhere.
fn first_keys(folder: &Path, name: &str, now: DateTime<Utc>) -> Identity {
    let keys = folder.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    let mut tls = None;
    for (serial, purpose) in (1..).zip(["sign", "decrypt", "tls"]) {
        let (from, until) = (now - TimeDelta::days(1), now + TimeDelta::days(60));
        let called = format!("{name}-{purpose}");
        let made = Identity::generate(&called, serial, from, until).unwrap();
        let place = |kind: &str| keys.join(format!("{called}.{kind}"));
        std::fs::write(place("toml"), format!("uses = [{purpose:?}]\n")).unwrap();
        std::fs::write(place("password"), "secret\n").unwrap();
        std::fs::write(place("pem"), made.certificate.to_pem().unwrap()).unwrap();
        std::fs::write(place("p12"), made.to_pkcs12(&called, "secret").unwrap()).unwrap();
        tls = Some(made);
    }
    tls.unwrap()
}

fn partner_file(us: &str, them: &str, url: &str, folder: &Path) {
    let pem = |purpose: &str| format!("../mail/{them}-{purpose}.pem");
    let (sign, decrypt, tls) = (pem("sign"), pem("decrypt"), pem("tls"));
    let text = format!(
        "name = {them:?}\n[as2]\nid = {them:?}\nour_id = {us:?}\nurl = {url:?}\n\
         certificates = [{{ file = {sign:?}, uses = [\"verify\"] }}, \
         {{ file = {decrypt:?}, uses = [\"encrypt\"] }}, {{ file = {tls:?}, uses = [\"tls\"] }}]\n\
         [x12]\nours = {{ qualifier = \"ZZ\", id = {us:?} }}\n\
         theirs = {{ qualifier = \"ZZ\", id = {them:?} }}\nacknowledge = false\n[documents.850]\n"
    );
    let partners = folder.join("partners");
    std::fs::create_dir_all(&partners).unwrap();
    std::fs::write(partners.join(format!("{them}.toml")), text).unwrap();
}

impl Side {
    fn settings(folder: &Path, clock: &Arc<Moved>) -> Settings {
        let partners = partner::load(&folder.join("partners")).unwrap();
        let store = Arc::new(Sqlite::open(&folder.join("data")).unwrap());
        Settings {
            keys: Some(folder.join("keys")),
            clock: Arc::<Moved>::clone(clock),
            limits: Limits {
                poll: Duration::from_secs(3600),
                ..Limits::default()
            },
            ..Settings::new(store, partners, &folder.join("bridge"))
        }
    }

    fn gateway(&self) -> &Arc<Gateway> {
        &self.running.gateway
    }

    fn command(&self, args: &[&str]) -> String {
        command(self.folder.path(), args)
    }

    /// What `serve` does when files change: all of it, or nothing.
    fn reload(&self) {
        let partners = partner::load(&self.folder.path().join("partners")).unwrap();
        let library = (*self.gateway().library()).clone();
        self.gateway().agree(library, &partners).unwrap();
        self.tick();
    }

    /// What `serve` does every two seconds.
    fn tick(&self) {
        assert!(self.gateway().show_tls(&self.server).unwrap());
        self.gateway().poke();
    }

    fn counts(&self, all: &Counts, direction: Direction, states: &[MessageState]) -> u64 {
        let rows = all.messages.iter();
        let rows = rows.filter(|(way, state, _)| *way == direction && states.contains(state));
        rows.map(|(.., count)| *count).sum()
    }

    /// Waits until so many messages of ours are confirmed, and nothing is left to send.
    async fn confirmed(&self, count: u64) {
        let mut moved = self.gateway().moved();
        let look = async {
            loop {
                moved.borrow_and_update();
                let all = self.gateway().store().counts().await.unwrap();
                let open = all.work.iter().any(|(kind, _)| *kind == WorkKind::Send);
                let done = self.counts(&all, Direction::Outbound, &[MessageState::Confirmed]);
                if done >= count && !open {
                    return;
                }
                moved.changed().await.unwrap();
            }
        };
        if timeout(PATIENCE, look).await.is_err() {
            panic!(
                "{}: {:#?}",
                self.name,
                self.gateway().store().counts().await
            );
        }
    }

    /// The rows of `cert list` as it would be told now.
    fn list(&self) -> Vec<Value> {
        let now = self.clock.now().to_rfc3339();
        let told = self.command(&["cert", "list", "--json", "--at", &now]);
        told.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Who was seen with a key of ours after we changed to a newer one.
    fn still(&self, name: &str) -> Vec<String> {
        let list = self.list();
        let row = list
            .iter()
            .find(|row| row["whose"] == "ours" && row["name"] == name);
        let seen = row.unwrap_or_else(|| panic!("{name} in {list:#?}"))["seen"]
            .as_array()
            .unwrap();
        let late = seen.iter().filter(|seen| seen["after_the_switch"] == true);
        late.map(|seen| seen["partner"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn order(from: &str, to: &str, number: usize) -> Vec<u8> {
    format!(
        "ISA*00*          *00*          *ZZ*{from:<15}*ZZ*{to:<15}*261122*0915*U*00401*{number:09}*0*T*>~\
         GS*PO*{from}*{to}*20261122*0915*{number}*X*004010~ST*850*0001~BEG*00*SA*PO{number}**20261122~\
         PO1*1*1*EA*1.00**UP*012345678905~CTT*1~SE*5*0001~GE*1*{number}~IEA*1*{number:09}~"
    )
    .into_bytes()
}

async fn start() -> [Side; 2] {
    let now = Utc::now();
    let mut halves = Vec::new();
    for (name, ahead) in [("LEFT", TimeDelta::zero()), ("RIGHT", AHEAD)] {
        let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        let clock = Arc::new(Moved::to(now + ahead));
        let tls = first_keys(folder.path(), name, now);
        let p12 = tls.to_pkcs12("tls", "tls").unwrap();
        let server = Server::from_pkcs12(&p12, "tls", Clients::Ignored).unwrap();
        let any = ([127, 0, 0, 1], 0).into();
        let mut listeners = Listeners::bind(any, any).await.unwrap();
        let server = Arc::new(server);
        listeners.tls = Some(Arc::clone(&server));
        halves.push((name, folder, clock, server, listeners));
    }
    let links: Vec<(String, PathBuf)> = halves
        .iter()
        .map(|(_, folder, _, _, at)| (at.url().unwrap(), folder.path().to_path_buf()))
        .collect();
    for (n, (name, folder, ..)) in halves.iter().enumerate() {
        let (them, (url, theirs)) = (halves[1 - n].0, &links[1 - n]);
        // Where the partner file looks for what was sent by mail.
        let mail = folder.path().join("mail");
        std::fs::create_dir_all(&mail).unwrap();
        for purpose in ["sign", "decrypt", "tls"] {
            let pem = format!("{them}-{purpose}.pem");
            std::fs::copy(theirs.join("keys").join(&pem), mail.join(&pem)).unwrap();
        }
        partner_file(name, them, url, folder.path());
    }
    let started = halves
        .into_iter()
        .map(|(name, folder, clock, server, listeners)| {
            let gateway = Gateway::new(Side::settings(folder.path(), &clock)).unwrap();
            let running = web::run(gateway, listeners, folder.path().join("spool")).unwrap();
            Side {
                name,
                folder,
                clock,
                server,
                running,
                start: now,
            }
        });
    let sides: Vec<Side> = started.collect();
    sides.try_into().ok().unwrap()
}

/// A side makes its next key for a use, and the other takes its certificate in: encrypting from
/// the day that it was told, or later.
fn roll(us: &Side, them: &Side, (purpose, day): (&str, i64), late: i64) {
    let at = |day: i64| (us.start + TimeDelta::days(day)).to_rfc3339();
    let name = format!("{}-{purpose}", us.name);
    let told = us.command(&[
        "cert",
        "roll",
        "--use",
        purpose,
        "--activate",
        &at(day),
        "--overlap",
        "14d",
        "--name",
        &name,
        "--json",
    ]);
    let told: Value = serde_json::from_str(&told).unwrap();
    let pem = us.folder.path().join(told["pem"].as_str().unwrap());
    let theirs = match purpose {
        "sign" => "verify",
        "decrypt" => "encrypt",
        other => other,
    };
    let args = [
        "cert".into(),
        "import".into(),
        pem.into_os_string(),
        "--partner".into(),
        us.name.into(),
        "--use".into(),
        theirs.into(),
        "--activate".into(),
        at(day + late).into(),
        "--fingerprint".into(),
        told["fingerprint"].as_str().unwrap().into(),
    ];
    let args: Vec<OsString> = args.into();
    let args: Vec<&str> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
    them.command(&args);
}

/// Sends `count` orders each way, while the clocks go over a date in small steps.
async fn load(sides: &[Side; 2], sent: &mut usize, count: usize) {
    let at_once = count.div_ceil(STEPS).max(1);
    let until = *sent + count;
    while *sent < until {
        for _ in 0..at_once.min(until - *sent) {
            *sent += 1;
            for (us, them) in [(0, 1), (1, 0)] {
                let (us, them) = (&sides[us], &sides[them]);
                let order = order(us.name, them.name, *sent);
                us.gateway().send(them.name, &order).await.unwrap();
            }
        }
        for side in sides {
            side.clock.forward(TimeDelta::milliseconds(250));
            side.tick();
        }
    }
    for side in sides {
        side.confirmed(*sent as u64).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_refused_and_nothing_lost() {
    let wanted = std::env::var("TRANSLOAD_ROLLOVER").ok();
    let wanted: usize = wanted.and_then(|text| text.parse().ok()).unwrap_or(200);
    let sides = start().await;
    let [left, right] = &sides;
    // Nobody has to do anything yet, and nothing was seen.
    assert!(
        left.list().iter().all(|row| row["state"] == "in use"),
        "{:#?}",
        left.list()
    );
    let rolls = [("sign", 10), ("decrypt", 12), ("tls", 14)];
    for one in rolls {
        // The right side encrypts to the left one's new key five days late.
        roll(left, right, one, if one.0 == "decrypt" { 5 } else { 0 });
        roll(right, left, (one.0, one.1 + 1), 0);
    }
    let dates = [0, 10, 11, 12, 13, 14, 15, 17, 24, 26, 29, 30];
    let (each, mut sent) = (wanted.div_ceil(2 * dates.len()), 0);
    let old = "LEFT-decrypt";
    for date in dates {
        for side in &sides {
            // A second before the date, by the left clock.
            let now = left.clock.now();
            let next = left.start + TimeDelta::days(date) - TimeDelta::seconds(1);
            if std::ptr::eq(side, left) {
                right.clock.forward(next - now);
                left.clock.forward(next - now);
            }
            side.reload();
        }
        load(&sides, &mut sent, each).await;
        // On the day itself it depends on the hour of the last note.
        if date == 12 {
            continue;
        }
        let still = left.still(old);
        let expected: &[&str] = if (13..17).contains(&date) {
            &["RIGHT"]
        } else {
            &[]
        };
        assert_eq!(still, expected, "on day {date}");
    }
    for side in &sides {
        let all = side.gateway().store().counts().await.unwrap();
        let sent = sent as u64;
        let count = |way, states: &[MessageState]| side.counts(&all, way, states);
        assert_eq!(
            count(Direction::Outbound, MessageState::ALL),
            sent,
            "{all:#?}"
        );
        assert_eq!(
            count(Direction::Outbound, &[MessageState::Confirmed]),
            sent,
            "{all:#?}"
        );
        assert_eq!(
            count(Direction::Inbound, MessageState::ALL),
            sent,
            "{all:#?}"
        );
        assert_eq!(
            count(Direction::Inbound, &[MessageState::Refused]),
            0,
            "{all:#?}"
        );
        // Each use of each side has changed, and the new one is what was seen last.
        let (now, list) = (side.clock.now(), side.list());
        assert!(list.iter().all(|row| row["warn"] == false), "{list:#?}");
        for purpose in ["verify", "decrypt"] {
            let seen = list
                .iter()
                .filter(|row| row["uses"][0] == purpose && row["state"] == "in use");
            let seen: Vec<_> = seen
                .flat_map(|row| row["seen"].as_array().unwrap())
                .collect();
            let at: DateTime<Utc> = seen[0]["at"].as_str().unwrap().parse().unwrap();
            assert!(
                seen.len() == 1 && now - at < TimeDelta::days(1),
                "{purpose}: {list:#?}"
            );
        }
        let ours: Vec<_> = list.iter().filter(|row| row["whose"] == "ours").collect();
        assert_eq!(
            ours.iter().filter(|row| row["state"] == "in use").count(),
            3,
            "{ours:#?}"
        );
        assert_eq!(
            ours.iter().filter(|row| row["state"] == "ended").count(),
            3,
            "{ours:#?}"
        );
        let shown = ours
            .iter()
            .find(|row| row["uses"][0] == "tls" && row["state"] == "in use");
        assert_eq!(
            side.server.fingerprint(),
            shown.unwrap()["fingerprint"].as_str().unwrap()
        );
    }
    println!(
        "{} messages, {} dates: 0 refused, 0 lost",
        2 * sent,
        dates.len()
    );
    for side in sides {
        side.running.stop().await.unwrap();
    }
}
