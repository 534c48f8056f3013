//! A19: the API has a document, and the process dies before it knows. The server is the test's, and a
//! partner of the test; the gateway is the real program.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use rusqlite::Connection;
use tempfile::TempDir;
use transload::clock::Moved;

use super::{figure, often};
use crate::api::server::Server;
use crate::api::world;

/// How long what never happens is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const POST: &str = "vendorOrders.submitAcknowledgement";

/// The program, killed with this value.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A vendor's folder, whose partner is his own system and whose bridge is the API.
fn folder(url: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    world::credential(path, &[(crate::api::SECRET, None)]);
    let since = format!(
        "since = {:?}",
        (Utc::now() - TimeDelta::hours(1)).to_rfc3339()
    );
    let told = |line: &str| match line.starts_with("since") {
        true => since.clone(),
        false => line.to_owned(),
    };
    let file: Vec<String> = world::file(path, url).lines().map(told).collect();
    std::fs::create_dir(path.join("partners")).unwrap();
    std::fs::write(path.join("partners/erp.toml"), file.join("\n")).unwrap();
    let settings = "[as2]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(path.join("transload.toml"), settings).unwrap();
    folder
}

fn start(folder: &Path) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command.args(["serve", "--config"]);
    command.arg(folder.join("transload.toml"));
    let log = std::fs::File::create(folder.join("log")).unwrap();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    Program(command.spawn().unwrap())
}

/// Looks until there is something.
fn until<T>(folder: &Path, what: &str, look: impl Fn() -> Option<T>) -> T {
    let from = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        let said = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(from.elapsed() < PATIENCE, "never {what}: {}", said());
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn database(folder: &Path) -> Connection {
    let database = Connection::open(folder.join("data/transload.db")).unwrap();
    database.busy_timeout(PATIENCE).unwrap();
    database
}

/// How many submissions are in a stage.
fn staged(folder: &Path, stage: &str) -> usize {
    let sql = "SELECT count(*) FROM submission WHERE stage = $1";
    let count = database(folder).query_row(sql, [stage], |row| row.get::<_, i64>(0));
    usize::try_from(count.unwrap()).unwrap()
}

/// The time until somebody asks is two minutes: they pass while nobody is there.
fn minutes_pass(folder: &Path) {
    let at = (Utc::now() - TimeDelta::minutes(5)).to_rfc3339();
    let sql = "UPDATE submission SET detail = json_set(detail, '$.posted', $1)
               WHERE stage = 'posting' AND transaction_id IS NULL";
    assert_eq!(database(folder).execute(sql, [at]).unwrap(), 1);
}

#[test]
fn a19_what_was_posted_is_asked_about_and_not_posted_again() {
    let many = often(5, 200);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let clock = Arc::new(Moved::to(Utc::now()));
    let server = runtime.block_on(Server::start(clock));
    server.set(|state| state.visible = TimeDelta::zero());
    let folder = folder(&server.url);
    let path = folder.path();
    let mut program = start(path);
    for n in 1..=many {
        server.set(|state| state.hold = true);
        let number = u32::try_from(n).unwrap();
        let text = world::acknowledgment(number, &format!("PO{n:06}"), 24);
        let inbox = path.join("files/in");
        until(path, "an inbox", || inbox.is_dir().then_some(()));
        std::fs::write(inbox.join("answer.part"), text).unwrap();
        std::fs::rename(
            inbox.join("answer.part"),
            inbox.join(format!("answer-{n}.x12")),
        )
        .unwrap();
        until(path, "posted", || {
            (server.had(POST).len() == n).then_some(())
        });
        drop(program);
        minutes_pass(path);
        server.set(|state| state.hold = false);
        program = start(path);
        until(path, "confirmed", || {
            (staged(path, "confirmed") == n).then_some(())
        });
    }
    let posts = server.had(POST).len();
    let told = "each was asked about and found: one POST a document";
    figure("A19", many as u64, (posts - many) as u64, told);
}
