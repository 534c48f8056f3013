//! How many messages a second the store makes durable, next to the disk alone: the same bytes appended
//! to a file, and synced as often.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chrono::Utc;
use transload::store::{Answer, Arrival, Key, Payload, Sqlite, Store};
use uuid::Uuid;

/// Says to this program that it is to fill the store in this folder, and be counted.
pub(super) const FILLER: &str = "TRANSLOAD_BENCH_FILLER";
/// Bytes of a payload: an order of a hundred lines.
const PAYLOAD: usize = 10_000;
/// Bytes of a signed receipt.
const RECEIPT: usize = 2_500;
/// Messages that wait for their commit at once: what two hundred connections of a few partners bring.
const WAITING: usize = 256;

/// A message that was sent in clear and signed: its body is stored, and its content; `twice` says that
/// they differ, as they do where it was encrypted.
fn arrival(n: usize, twice: bool) -> Arrival {
    let payload = |kind: u8| {
        let mut digest = [kind; 32];
        digest[..8].copy_from_slice(&(n as u64).to_le_bytes());
        // No two alike, and nothing that a page would make smaller.
        let mut bytes = vec![kind; PAYLOAD];
        bytes[..8].copy_from_slice(&(n as u64).to_le_bytes());
        Payload::new(bytes, digest)
    };
    Arrival {
        id: Uuid::now_v7(),
        partner: format!("partner {}", n % 20),
        transport: "as2".into(),
        key: Key {
            our_id: "US".into(),
            partner_id: format!("THEM{}", n % 20),
            message_id: format!("{n}.{}@them", Uuid::now_v7()),
        },
        headers: vec![("AS2-Version".into(), "1.2".into()); 12],
        body: payload(1),
        content: Some(payload(if twice { 2 } else { 1 })),
        content_type: Some("application/EDI-X12".into()),
        file_name: None,
        mic: Some("x".repeat(40)),
        answer: Some(Answer {
            status: 200,
            headers: vec![("Content-Type".into(), "multipart/signed".into()); 6],
            body: vec![3; RECEIPT].into(),
        }),
        answer_to: None,
        note: "signed".into(),
    }
}

/// Accepts `count` messages; seconds and commits.
fn fill(folder: &Path, count: usize, twice: bool) -> (f64, u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Arc::new(Sqlite::open(folder).unwrap());
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let tasks = (0..WAITING).map(|_| {
            let (store, next) = (Arc::clone(&store), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return;
                    }
                    store.accept(arrival(n, twice), Utc::now()).await.unwrap();
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let took = start.elapsed().as_secs_f64();
        let commits = store.commits();
        store.close().await.unwrap();
        (took, commits)
    })
}

/// What the filler process does.
pub(super) fn fill_only(folder: &Path) {
    fill(folder, 5_000, false);
}

/// Seconds that the disk needs for as many bytes, synced so often.
fn disk(folder: &Path, bytes: usize, syncs: u64) -> f64 {
    let block = vec![7; bytes / usize::try_from(syncs).unwrap()];
    let mut file = File::create(folder.join("floor")).unwrap();
    let start = Instant::now();
    for _ in 0..syncs {
        file.write_all(&block).unwrap();
        file.sync_data().unwrap();
    }
    start.elapsed().as_secs_f64()
}

/// How often a process like this one syncs for 5,000 messages, by the kernel's word; none without strace.
fn counted(folder: &Path) -> Option<u64> {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-c", "-e", "trace=fsync,fdatasync"]);
    command
        .arg(std::env::current_exe().ok()?)
        .env(FILLER, folder);
    let output = command.stdin(Stdio::null()).output().ok()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let calls = |line: &str| line.split_whitespace().nth(3)?.parse::<u64>().ok();
    let own = told.lines().filter(|line| line.ends_with("sync"));
    Some(own.filter_map(calls).sum()).filter(|count| *count > 0)
}

pub(super) fn figures(count: usize, tmp: impl Fn() -> tempfile::TempDir) {
    for (name, twice) in [
        ("with their body", false),
        ("with body and content apart", true),
    ] {
        let folder = tmp();
        let (took, commits) = fill(&folder.path().join("data"), count, twice);
        let bytes = count * (PAYLOAD * if twice { 2 } else { 1 } + RECEIPT);
        let floor = disk(folder.path(), bytes, commits);
        println!(
            "{:>10.0} messages a second made durable, 10 KB each {name} ({:.1} a commit; {:.2} x the time \
             of the disk alone)",
            count as f64 / took,
            count as f64 / commits as f64,
            took / floor
        );
    }
    let folder = tmp();
    if let Some(syncs) = counted(&folder.path().join("data")) {
        println!(
            "{:>10.1} messages an fsync, by strace's count",
            5_000.0 / syncs as f64
        );
    }
}
