//! The real program: killed after the commit, ended by a signal, and `send`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use super::hostile::{Request, seal};
use super::pair::{
    Kind, Pair, buyer_keys, buyer_profile, files, identities, sample, sellers_buyer,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A seller's folder: settings, partner file, keys.
pub(super) fn house(url: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("partners")).unwrap();
    let partner = sellers_buyer(path, url);
    std::fs::write(path.join("partners/quillfeather.toml"), partner).unwrap();
    let p12 = identities()[1].to_pkcs12("seller", "secret").unwrap();
    std::fs::write(path.join("seller.p12"), p12).unwrap();
    std::fs::write(path.join("password"), "secret\n").unwrap();
    let settings = "[identity]\np12 = \"seller.p12\"\npassword_file = \"password\"\n";
    std::fs::write(path.join("transload.toml"), settings).unwrap();
    folder
}

pub(super) fn transload(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command
        .args(arguments)
        .arg("--config")
        .arg(folder.join("transload.toml"));
    command.stdin(Stdio::null());
    command
}

/// A `serve` that runs, and is killed with this value.
pub(super) struct Serve {
    pub(super) child: Child,
    out: BufReader<ChildStdout>,
    pub(super) as2: String,
    admin: String,
}

impl Serve {
    pub(super) fn start(folder: &Path) -> Serve {
        let any = "127.0.0.1:0";
        let arguments = [
            "serve",
            "--json",
            "--as2-listen",
            any,
            "--admin-listen",
            any,
        ];
        let mut command = transload(folder, &arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("serve says where it listens");
        let address = |name: &str| said[name].as_str().unwrap().to_owned();
        Serve {
            child,
            out,
            as2: address("as2"),
            admin: address("admin"),
        }
    }

    /// Sends a request, and does not wait for the answer.
    pub(super) fn post(&self, request: &Request) -> TcpStream {
        let mut stream = TcpStream::connect(&self.as2).unwrap();
        let mut head = String::from("POST /as2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", request.body.len()));
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&request.body).unwrap();
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to end, as a supervisor does.
    fn signal(&self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.unwrap().success());
    }

    /// Begins a request and gives it when the gateway asks for its body.
    fn begin(&self, request: &Request) -> TcpStream {
        let mut stream = TcpStream::connect(&self.as2).unwrap();
        let mut head = String::from("POST /as2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = request.body.len();
        head.push_str(&format!(
            "Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        ));
        stream.write_all(head.as_bytes()).unwrap();
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream
    }

    /// Waits until it says that it stops.
    fn stopping(&self) {
        while !self
            .get("/readyz")
            .contains(r#"{"ready":false,"reason":"stopping"}"#)
        {
            std::thread::yield_now();
        }
    }

    /// Ends it as a supervisor does, and gives its exit code.
    fn terminate(mut self) -> Option<i32> {
        self.signal();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "one line and no more");
        self.child.wait().unwrap().code()
    }
}

/// Looks into the store of another process until a query gives a row.
pub(super) fn watched<T>(
    folder: &Path,
    sql: &str,
    row: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> T {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = Connection::open_with_flags(folder.join("data/transload.db"), flags).unwrap();
    let start = Instant::now();
    loop {
        match database.query_row(sql, [], &row) {
            Ok(found) => return found,
            Err(_) if start.elapsed() < PATIENCE => std::thread::yield_now(),
            Err(why) => panic!("{sql}: {why}"),
        }
    }
}

#[test]
fn killed_after_the_commit_the_second_try_gets_the_stored_receipt() {
    let folder = house("http://127.0.0.1:9/");
    let path = folder.path();
    let (keys, profile) = (buyer_keys(), buyer_profile());
    let order = String::from_utf8(sample("demo/order.edi")).unwrap();
    for round in 1..=5 {
        let order = order.replace("000000041", &format!("{round:09}"));
        let request = seal(order.as_bytes(), &format!("<{round}@x>"), &keys, &profile);
        let serve = Serve::start(path);
        let unread = serve.post(&request);
        let by_id = format!("FROM message WHERE message_id = '{round}@x'");
        let stored: Vec<u8> = watched(path, &format!("SELECT answer_body {by_id}"), |row| {
            row.get(0)
        });
        serve.kill();
        drop(unread);

        let serve = Serve::start(path);
        let mut answer = Vec::new();
        serve.post(&request).read_to_end(&mut answer).unwrap();
        assert!(
            answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        assert!(
            answer.ends_with(&stored),
            "round {round}: the stored receipt, byte for byte"
        );
        let done = "SELECT count(*) FROM document WHERE state = 'delivered' AND set_id = '850' \
                    HAVING count(*) = ";
        let _: i64 = watched(path, &format!("{done}{round}"), |row| row.get(0));
        assert_eq!(files(&path.join("bridge/quillfeather/out")).len(), round);
        let copies: i64 = watched(path, &format!("SELECT count(*) {by_id}"), |row| row.get(0));
        assert_eq!(copies, 1);
        serve.kill();
    }
}

#[test]
fn serve_says_that_it_is_ready_and_ends_when_told() {
    let folder = house("http://127.0.0.1:9/");
    let serve = Serve::start(folder.path());
    assert!(serve.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(serve.get("/readyz").contains(r#"{"ready":true}"#));
    // The folder has one owner.
    let any = "127.0.0.1:0";
    let arguments = ["serve", "--as2-listen", any, "--admin-listen", any];
    let second = transload(folder.path(), &arguments).output().unwrap();
    assert_eq!(second.status.code(), Some(4));
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(told.contains("data folder is in use"), "{told}");
    assert_eq!(serve.terminate(), Some(0));
}

/// L1: what was begun is answered and stored; nothing new is begun; operators are told meanwhile.
#[test]
fn a_drain_answers_what_was_begun() {
    let folder = house("http://127.0.0.1:9/");
    let serve = Serve::start(folder.path());
    let order = sample("demo/order.edi");
    let request = seal(&order, "<1@x>", &buyer_keys(), &buyer_profile());
    let mut begun = serve.begin(&request);
    serve.signal();
    serve.stopping();
    // The one listener says it a moment before the other one closes.
    let from = Instant::now();
    while TcpStream::connect(&serve.as2).is_ok() {
        assert!(from.elapsed() < PATIENCE, "nothing new is taken");
        std::thread::yield_now();
    }
    assert!(serve.get("/healthz").starts_with("HTTP/1.1 200"));
    begun.write_all(&request.body).unwrap();
    let mut answer = Vec::new();
    begun.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    let mut child = serve.child;
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let sql = "SELECT answer_body FROM message WHERE message_id = '1@x'";
    let stored: Vec<u8> = watched(folder.path(), sql, |row| row.get(0));
    assert!(answer.ends_with(&stored));
    // The log was folded in.
    let log = folder.path().join("data/transload.db-wal");
    assert!(log.metadata().is_ok_and(|log| log.len() == 0) || !log.exists());
}

/// L2: the second signal does not wait for anybody.
#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = house("http://127.0.0.1:9/");
    let serve = Serve::start(folder.path());
    let order = sample("demo/order.edi");
    let request = seal(&order, "<1@x>", &buyer_keys(), &buyer_profile());
    let begun = serve.begin(&request);
    serve.signal();
    serve.stopping();
    serve.signal();
    let mut child = serve.child;
    assert_eq!(
        child.wait().unwrap().code(),
        Some(0),
        "its request is still open"
    );
    drop(begun);
}

#[tokio::test]
async fn send_tells_what_became_of_a_file() {
    let pair = Pair::start(Kind::Memory).await;
    let folder = house(&pair.buyer.url());
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/x12/004010/855/pass");
    let good = sample.join("accepted.edi").to_string_lossy().into_owned();
    let run = |folder: &TempDir, partner: &str, file: &str| {
        let mut command = transload(folder.path(), &["send", "--json", partner, file]);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let sent = run(&folder, "quillfeather", &good).await.unwrap();
    let line = said(&sent, 0);
    assert_eq!(line["state"], "confirmed");
    assert_eq!(line["mic"]["ours"], line["mic"]["theirs"]);
    assert!(
        line["disposition"]
            .as_str()
            .unwrap()
            .ends_with("; processed")
    );

    // Nobody listens: the message stays, and serve would go on.
    let alone = house("http://127.0.0.1:9/");
    let line = said(&run(&alone, "quillfeather", &good).await.unwrap(), 3);
    assert_eq!(line["state"], "sealed");
    assert!(
        line["note"]
            .as_str()
            .unwrap()
            .contains("serve will try again"),
        "{line}"
    );

    // They do not know us.
    let unknown = house(&pair.seller.url());
    let line = said(&run(&unknown, "quillfeather", &good).await.unwrap(), 3);
    assert_eq!(
        (line["state"].as_str(), line["note"].as_str()),
        (Some("dead"), Some("HTTP status 403"))
    );

    let nobody = run(&alone, "nobody", &good).await.unwrap();
    assert_eq!(nobody.status.code(), Some(2));
    let toml = alone
        .path()
        .join("transload.toml")
        .to_string_lossy()
        .into_owned();
    assert_eq!(
        run(&alone, "quillfeather", &toml)
            .await
            .unwrap()
            .status
            .code(),
        Some(2)
    );
    pair.stop().await;
}

fn said(output: &Output, code: i32) -> Value {
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{err}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {err}"))
}
