//! The store across processes: a crash keeps what was answered for, and a folder has one owner.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use transload::store::{
    Accepted, Answer, Arrival, Direction, Filter, Key, Kind, MessageState, Payload, Sqlite, Store,
};
use uuid::Uuid;

/// Where the child process finds its folder.
const FOLDER: &str = "TRANSLOAD_TEST_STORE";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// The n-th message; every tenth is too large for a row.
fn arrival(n: u16) -> Arrival {
    let payload = |kind: u8| {
        let mut digest = [kind; 32];
        digest[..2].copy_from_slice(&n.to_be_bytes());
        let text = format!("{kind} {n} ").repeat(if n.is_multiple_of(10) { 20_000 } else { 9 });
        Payload::new(text, digest)
    };
    let body = Bytes::from(format!("mdn {n}"));
    Arrival {
        id: Uuid::from_u128(u128::from(n) + 1),
        partner: "acme".into(),
        transport: "as2".into(),
        key: key(n),
        headers: vec![],
        body: payload(1),
        content: Some(payload(2)),
        content_type: None,
        file_name: None,
        mic: None,
        answer: Some(Answer {
            status: 200,
            headers: vec![],
            body,
        }),
        answer_to: None,
        note: String::new(),
    }
}

fn key(n: u16) -> Key {
    Key {
        our_id: "US".into(),
        partner_id: "THEM".into(),
        message_id: format!("{n}@them"),
    }
}

/// Starts this test program again, as the process that will be killed.
fn victim(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::accepts_until_it_is_killed",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepts_until_it_is_killed() {
    // The child process of the tests below; by itself it has nothing to do.
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let store = Arc::new(Sqlite::open(Path::new(&folder)).unwrap());
    let tasks = (0..4).map(|worker| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in (worker..u16::MAX).step_by(4) {
                let accepted = store.accept(arrival(n), now()).await.unwrap();
                assert_eq!(accepted, Accepted::New { resend_of: None });
                writeln!(std::io::stdout(), "\naccepted {n}").unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// Reads what the victim says it accepted, until there are `count`; then kills it, and reads on.
fn acknowledged(child: &mut Child, count: usize) -> Vec<u16> {
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut numbers = Vec::new();
    for line in lines {
        // A line that the kill cut short says nothing.
        numbers.extend(
            line.strip_prefix("accepted ")
                .and_then(|n| n.parse::<u16>().ok()),
        );
        if numbers.len() == count {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    numbers
}

/// How many rows have their bytes in a file: each has its file, whole, wherever the kill fell.
fn large_rows(folder: &Path) -> usize {
    let database = rusqlite::Connection::open(folder.join("transload.db")).unwrap();
    let mut rows = database
        .prepare("SELECT lower(hex(digest)), size FROM payload WHERE bytes IS NULL")
        .unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let rows: Vec<(String, i64)> = rows.unwrap().map(Result::unwrap).collect();
    for (digest, size) in &rows {
        let path = folder
            .join("payloads")
            .join(&digest[..2])
            .join(&digest[2..]);
        let length = std::fs::metadata(&path).map(|file| file.len());
        assert_eq!(length.unwrap(), size.cast_unsigned(), "{}", path.display());
    }
    rows.len()
}

/// What was acknowledged before `kill -9` is there after it, answer and payload, and is a duplicate
/// when it comes again.
#[tokio::test]
async fn a_killed_process_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = victim(folder.path());
    let numbers = acknowledged(&mut child, 200);
    assert!(
        numbers.len() >= 200,
        "the child died early: {}",
        numbers.len()
    );
    assert!(
        large_rows(folder.path()) > 0,
        "some were too large for a row"
    );
    let store = Sqlite::open(folder.path()).unwrap();
    for n in numbers {
        let message = store
            .find(Direction::Inbound, key(n))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(message.state, MessageState::Received);
        let sent = arrival(n);
        let content = sent.content.clone().unwrap();
        let kept = store.payload(content.digest).await.unwrap().unwrap();
        assert_eq!(kept.read().unwrap(), content.read().unwrap());
        let answer = sent.answer.clone();
        let again = store.accept(sent, now()).await.unwrap();
        assert_eq!(
            again,
            Accepted::Duplicate {
                message: message.id,
                answer
            }
        );
    }
}

/// The lock is the process's: held while it lives, gone when it is killed.
#[tokio::test]
async fn two_processes_cannot_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = victim(folder.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    lines
        .by_ref()
        .find(|line| line.starts_with("accepted"))
        .expect("the child has the folder");
    let second = Sqlite::open(folder.path())
        .err()
        .expect("the folder is taken");
    assert_eq!(second.kind(), Kind::Locked);
    assert!(second.to_string().contains("another process"), "{second}");
    child.kill().unwrap();
    child.wait().unwrap();
    let store = Sqlite::open(folder.path()).unwrap();
    assert!(!store.messages(Filter::default()).await.unwrap().is_empty());
}
