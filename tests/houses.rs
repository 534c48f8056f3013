//! Two real processes on this machine: a seller who sends an 855, and a buyer who answers it with a
//! 997; each in a folder of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
#[cfg(feature = "planted")]
use std::process::ExitStatus;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::yield_now;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use crate::exchange::pair::{certificate, identities};

/// How long what never happens is waited for before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Sends an 855, and gets the 997 for it.
    Seller,
    /// Gets the 855, delivers it, and sends the 997.
    Buyer,
}
pub(crate) use Who::{Buyer, Seller};

#[cfg_attr(
    not(feature = "planted"),
    allow(dead_code, reason = "only kills ask for both")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receipts {
    Sync,
    Async,
}
pub(crate) use Receipts::{Async, Sync};

/// One side: a folder with its settings, and the port that it keeps over restarts.
pub(crate) struct Side {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
}

/// A process that ends with this value.
pub(crate) struct Process(Child, PathBuf);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        crate::canary::keep("houses.log", &std::fs::read(&self.1).unwrap_or_default());
    }
}

impl Process {
    /// How it ended by itself.
    #[cfg(feature = "planted")]
    pub(crate) fn ended(&mut self) -> Result<ExitStatus, String> {
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

/// Ports that the kernel gives to no connection: who is to listen later has his own until then. One
/// that asks for a port where nobody listens may even be connected to itself.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// A port where nobody listens, and which stays free until somebody does who was told of it.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let many = PORTS.end - PORTS.start;
    // Other processes look for theirs elsewhere first.
    let own = u16::try_from(std::process::id() * 37 % u32::from(many)).unwrap();
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed) % many;
        let port = PORTS.start + (own + next) % many;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The folder of one side: what it is called, and the other.
pub(crate) fn side(who: Who, receipts: Receipts, (port, other): (u16, u16)) -> Side {
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
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    pub(crate) fn start(&self, kill: Option<&str>) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
        command.args(["serve", "--config"]);
        command.arg(self.path("transload.toml"));
        // Without the feature `planted` this says nothing.
        command.env("TRANSLOAD_HURRY", "1");
        command.env("TRANSLOAD_LOG", crate::canary::level());
        if let Some(point) = kill {
            command.env("TRANSLOAD_KILL", point);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(self.path("log")).unwrap());
        Process(command.spawn().unwrap(), self.path("log"))
    }

    /// Waits until its process listens.
    pub(crate) fn bound(&self) {
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "nobody listens");
            yield_now();
        }
    }

    /// Runs a command on this side's folder to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
        command.args(arguments).arg("--config");
        command
            .arg(self.path("transload.toml"))
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    /// The same, with its lines of JSON; it has to end with this code.
    pub(crate) fn told(&self, code: i32, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(arguments);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {err}");
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().map(serde_json::from_str);
        lines
            .collect::<Result<_, _>>()
            .unwrap_or_else(|why| panic!("{why}: {text}"))
    }

    /// What the store of this side says now, while its process runs or does not.
    pub(crate) fn ledger(&self) -> Option<Ledger> {
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
pub(crate) struct Ledger {
    pub(crate) messages: Vec<String>,
    pub(crate) documents: Vec<String>,
    pub(crate) queue: Vec<String>,
}

/// What each side holds at the end, whatever happened on the way: one message each way, both
/// proved, the answer delivered once, and its 997 where it belongs.
pub(crate) fn whole(who: Who) -> Ledger {
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

pub(crate) fn until_whole(side: &Side, who: Who) -> Result<(), String> {
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

pub(crate) fn put(folder: &Path, answer: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("answer.json"), answer).unwrap();
}

/// Both sides, each with the other's port.
pub(crate) fn both(receipts: Receipts) -> (Side, Side) {
    let ports = (free_port(), free_port());
    let seller = side(Seller, receipts, ports);
    let buyer = side(Buyer, receipts, (ports.1, ports.0));
    assert_ne!(seller.port, buyer.port);
    (seller, buyer)
}
