//! Two real processes exchange an answer and its 997, and one of them is killed at a named point of
//! its walk. It starts again, and a ledger on each side shows that nothing was lost or doubled.
//!
//! Run with `cargo test --features planted --test main -- kill`: only then are the points compiled in
//! (`kill!` in `src/lib.rs`), and no wait between tries.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread::{scope, yield_now};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::exchange::pair::{canonical, certificate, files, identities};

/// How long what never happens is waited for before a trial fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// Trials at once: they wait for disks, mostly.
const AT_ONCE: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Sends an 855, and gets the 997 for it.
    Seller,
    /// Gets the 855, delivers it, and sends the 997.
    Buyer,
}
use Who::{Buyer, Seller};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receipts {
    Sync,
    Async,
}
use Receipts::{Async, Sync};

/// Every point of both walks on the side that passes it; the first messages are the 855's.
#[rustfmt::skip]
const TRIALS: &[(Who, Receipts, &[&str])] = &[
    (Seller, Sync, &["drafted", "composing", "composed", "sealing", "sealed", "sending", "asked",
        "missed", "settled", "arrived", "judged", "accepted", "answering", "answered", "reading",
        "read"]),
    (Buyer, Sync, &["arrived", "judged", "accepted", "answering", "answered", "reading", "read",
        "delivering", "handed-over", "delivered", "composing", "composed", "sealing", "sealed",
        "sending", "asked", "settled"]),
    (Seller, Async, &["waiting", "receipt-came", "receipt-kept", "posting", "posted"]),
    (Buyer, Async, &["posting", "posted", "waiting", "receipt-came", "receipt-kept"]),
];

/// One side: a folder with its settings, and the port that it keeps over restarts.
struct Side {
    folder: TempDir,
    port: u16,
}

/// A process that ends with this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// How it ended by itself.
    fn ended(&mut self) -> Result<ExitStatus, String> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait().unwrap() {
                return Ok(status);
            }
            yield_now();
        }
        Err("the point was never reached".into())
    }
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

/// The folder of one side: what it is called, and the other.
fn side(who: Who, receipts: Receipts, (port, other): (u16, u16)) -> Side {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (name, number, ids, own, them) = match who {
        Seller => (
            "quillfeather",
            1,
            ("TINDERBOX", "QUILLFEATHER"),
            "seller",
            "buyer",
        ),
        Buyer => (
            "tinderbox",
            0,
            ("QUILLFEATHER", "TINDERBOX"),
            "buyer",
            "seller",
        ),
    };
    let mode = match receipts {
        Sync => "sync",
        Async => "async",
    };
    let pem = certificate(path, them);
    let (ours, theirs) = ids;
    let partner = format!(
        "name = {name:?}\n[as2]\nour_id = {ours:?}\nid = {theirs:?}\n\
         url = \"http://127.0.0.1:{other}/as2\"\ncertificates = [{pem:?}]\n\
         receipt_mode = {mode:?}\n[x12]\nours = {{ qualifier = \"ZZ\", id = {ours:?} }}\n\
         theirs = {{ qualifier = \"ZZ\", id = {theirs:?} }}\n[documents.855]\n"
    );
    std::fs::create_dir(path.join("partners")).unwrap();
    std::fs::write(path.join(format!("partners/{name}.toml")), partner).unwrap();
    let p12 = identities()[number].to_pkcs12(own, "secret").unwrap();
    std::fs::write(path.join("own.p12"), p12).unwrap();
    std::fs::write(path.join("password"), "secret\n").unwrap();
    let settings = format!(
        "[identity]\np12 = \"own.p12\"\npassword_file = \"password\"\n\
         [as2]\nlisten = \"127.0.0.1:{port}\"\n\
         receipt_url = \"http://127.0.0.1:{port}/as2\"\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n"
    );
    std::fs::write(path.join("transload.toml"), settings).unwrap();
    Side { folder, port }
}

impl Side {
    fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    fn start(&self, kill: Option<&str>) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
        command.args(["serve", "--config"]);
        command.arg(self.path("transload.toml"));
        command.env("TRANSLOAD_PLANTED", "no-wait");
        if let Some(point) = kill {
            command.env("TRANSLOAD_KILL", point);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(self.path("log")).unwrap());
        Process(command.spawn().unwrap())
    }

    /// What the store of this side says now, while its process runs or does not.
    fn ledger(&self) -> Option<Ledger> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let path = self.path("data/transload.db");
        let database = Connection::open_with_flags(path, flags).ok()?;
        let list = |sql: &str| -> Option<Vec<String>> {
            let mut rows = database.prepare(sql).ok()?;
            let rows = rows.query_map([], |row| row.get(0)).ok()?;
            rows.collect::<Result<_, _>>().ok()
        };
        Some(Ledger {
            // Whether an answer reached its socket before the process ended, nobody knows.
            messages: list(
                "SELECT direction || ' ' || replace(state, 'received', 'answered') FROM message
                 ORDER BY direction, state",
            )?,
            documents: list(
                "SELECT direction || ' ' || set_id || ' ' || state FROM document
                 ORDER BY direction, set_id, state",
            )?,
            queue: list("SELECT kind FROM work")?,
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Ledger {
    messages: Vec<String>,
    documents: Vec<String>,
    queue: Vec<String>,
}

/// What each side holds at the end, whatever happened on the way: one message each way, both
/// proved, the answer delivered once, and its 997 where it belongs.
fn whole(who: Who) -> Ledger {
    let documents = match who {
        Seller => ["inbound 997 settled", "outbound 855 accepted"],
        Buyer => ["inbound 855 delivered", "outbound 997 sent"],
    };
    Ledger {
        messages: vec!["inbound answered".into(), "outbound confirmed".into()],
        documents: documents.map(str::to_owned).to_vec(),
        queue: Vec::new(),
    }
}

fn until_whole(side: &Side, who: Who) -> Result<(), String> {
    let start = Instant::now();
    let mut last = None;
    while start.elapsed() < PATIENCE {
        last = side.ledger();
        if last.as_ref() == Some(&whole(who)) {
            return Ok(());
        }
        yield_now();
    }
    let log = std::fs::read_to_string(side.path("log")).unwrap_or_default();
    Err(format!("{who:?} ends with {last:#?}\n{log}"))
}

/// Kills one side at a point, starts it again, and looks at both.
fn trial(answer: &str, who: Who, receipts: Receipts, point: &str) -> Result<(), String> {
    let ports = (free_port(), free_port());
    let seller = side(Seller, receipts, ports);
    let buyer = side(Buyer, receipts, (ports.1, ports.0));
    assert_ne!(seller.port, buyer.port);
    put(&seller.path("bridge/quillfeather/in"), answer);
    let (victim, other) = match who {
        Seller => (&seller, &buyer),
        Buyer => (&buyer, &seller),
    };
    // Whoever is not there is missed.
    let mut beside = (point != "missed").then(|| other.start(None));
    let mut killed = victim.start(Some(point));
    let status = killed.ended()?;
    if status.code().is_some() {
        return Err(format!("it ended by itself: {status}"));
    }
    let again = victim.start(None);
    beside.get_or_insert_with(|| other.start(None));
    until_whole(&seller, Seller)?;
    until_whole(&buyer, Buyer)?;
    drop((again, beside));
    // And nothing more comes: what is on disk is the same once both are gone.
    until_whole(&seller, Seller)?;
    let delivered = files(&buyer.path("bridge/tinderbox/out")).len();
    match delivered {
        1 => Ok(()),
        n => Err(format!("the bridge has {n} files")),
    }
}

fn put(folder: &Path, answer: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("answer.json"), answer).unwrap();
}

#[test]
fn killed_at_every_point_nothing_is_lost_or_doubled() {
    let answer = canonical("x12/004010/855/pass/accepted.edi");
    let mut trials: Vec<(Who, Receipts, &str)> = Vec::new();
    for (who, receipts, points) in TRIALS {
        trials.extend(points.iter().map(|point| (*who, *receipts, *point)));
    }
    let (left, failed) = (Mutex::new(trials.clone()), Mutex::new(Vec::new()));
    scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                loop {
                    let Some((who, receipts, point)) = left.lock().unwrap().pop() else {
                        return;
                    };
                    let start = Instant::now();
                    let ended = trial(&answer, who, receipts, point);
                    let verdict = if ended.is_ok() { "whole" } else { "BROKEN" };
                    let millis = start.elapsed().as_millis();
                    say!("{who:?} {receipts:?} killed at {point:13} {verdict} {millis} ms");
                    if let Err(why) = ended {
                        let at = format!("{who:?} {receipts:?} at {point}: {why}");
                        failed.lock().unwrap().push(at);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    say!("{} kills: {} lost or doubled", trials.len(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Every point that the sources name is tried.
#[test]
fn every_point_is_tried() {
    let mut named = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gateway");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let points = text.split("kill!(\"").skip(1);
        named.extend(points.map(|rest| rest.split('"').next().unwrap().to_owned()));
    }
    let tried: Vec<&str> = TRIALS
        .iter()
        .flat_map(|(.., points)| *points)
        .copied()
        .collect();
    let missing: Vec<_> = named
        .iter()
        .filter(|point| !tried.contains(&point.as_str()))
        .collect();
    assert!(
        missing.is_empty() && named.len() > 15,
        "never killed at {missing:?} of {named:?}"
    );
}
