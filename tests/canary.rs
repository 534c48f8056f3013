//! Canaries: words that tests plant in secrets and in orders, and that may stand in no log, no error,
//! no panic and no answer about the state of the program.
//!
//! Where `TRANSLOAD_CANARY` names a folder, what this process logs and every panic of it go there,
//! and so does what a program says that a test started. `tests/canary.sh` scans that folder and all
//! that the run printed; `.ci/run` does so after the tests.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Once};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use transload::clock::Moved;

use crate::api::server::Server;
use crate::api::world::{credential, file, orders};
use crate::api::{CONTENT, NUMBER, SECRET};

/// Names the folder.
const FOLDER: &str = "TRANSLOAD_CANARY";

/// The file of that name in the folder, where one is wanted.
fn open(name: &str) -> Option<File> {
    let folder = PathBuf::from(std::env::var_os(FOLDER)?);
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).open(folder.join(name));
    Some(file.expect("the folder of canaries is there"))
}

/// Keeps what was said somewhere, for the scan.
pub(crate) fn keep(name: &str, bytes: &[u8]) {
    if let Some(mut file) = open(name) {
        file.write_all(bytes)
            .expect("the folder of canaries is writable");
    }
}

/// From here on, what this process logs and every panic of it are kept.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Some(log) = open("process.log") else {
            return;
        };
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("debug,transload=trace")
            .with_ansi(false)
            .with_writer(Arc::new(log))
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else sets one");
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            keep("panics.log", format!("{panic}\n").as_bytes());
            before(panic);
        }));
    });
}

/// The level at which a program is to log that a test starts.
pub(crate) fn level() -> &'static str {
    match std::env::var_os(FOLDER) {
        Some(_) => "trace",
        None => "info",
    }
}

/// The scan, over files.
fn scan(files: &[&Path]) -> (bool, String) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/canary.sh");
    let ended = Command::new("bash")
        .arg(script)
        .args(files)
        .output()
        .unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    (
        ended.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn a_planted_leak_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (clean, leak) = (folder.path().join("clean"), folder.path().join("leak"));
    fs::write(&clean, "WARN account=erp no access token\n").unwrap();
    assert_eq!(scan(&[&clean]), (true, String::new()));
    for word in [
        SECRET,
        super::api::REFRESH,
        super::api::TOKEN,
        CONTENT,
        "CNRY0007",
        "TK-1200",
        "731200000117",
    ] {
        fs::write(&leak, format!("\0binary\nWARN told {word}-1 by mistake\n")).unwrap();
        let (sound, said) = scan(&[&clean, &leak]);
        assert!(!sound && said.contains("leak"), "{word}: {said}");
        // A folder is scanned with all that is in it.
        assert!(!scan(&[folder.path()]).0);
    }
    assert!(!scan(&[]).0, "nothing to scan is no clean run");
    assert!(!scan(&[&folder.path().join("none")]).0);
}

/// A program that ends with this value: it is killed by its id.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A question of the admin listener, whose answer is kept.
fn ask(admin: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(admin).unwrap();
    let asked = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The real program, logging all it can, beside an API that takes, refuses and breaks off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_says_all_it_can_says_no_secret_and_no_content() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_path_buf();
    let clock = Arc::new(Moved::to(Utc::now()));
    let server = Server::start(Arc::clone(&clock)).await;
    server.set(|state| {
        state.orders = orders(Utc::now() - TimeDelta::hours(4), 6);
        state.odd = vec![serde_json::json!({"purchaseOrderNumber": format!("{NUMBER}9999")})];
        state.outcome = "Failure";
        state.lose = 1;
    });
    let program = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
        command.args(arguments).current_dir(&root);
        command.env("TRANSLOAD_LOG", "trace");
        command
    };
    let listen = [
        "--as2-listen",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
    ];
    let made = program(&[&["init", "--as2-id", "US"][..], &listen].concat());
    let made = { made }.output().unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    credential(&root, &[(SECRET, None)]);
    let since = (Utc::now() - TimeDelta::days(2)).to_rfc3339();
    let text = file(&root, &server.url);
    let text: String = text
        .lines()
        .map(|line| match line.starts_with("since = ") {
            true => format!("since = \"{since}\"\n"),
            false => format!("{line}\n"),
        })
        .collect();
    fs::create_dir_all(root.join("files/in")).unwrap();
    fs::create_dir_all(root.join("files/out")).unwrap();
    fs::create_dir_all(root.join("partners")).unwrap();
    fs::write(root.join("partners/erp.toml"), text).unwrap();
    let child = { program(&["serve", "--json"]) }
        .stdout(Stdio::piped())
        .stderr(File::create(root.join("serve.log")).unwrap())
        .spawn();
    let mut serving = Serving(child.unwrap());
    let mut line = String::new();
    let mut out = BufReader::new(serving.0.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let told = || fs::read_to_string(root.join("serve.log")).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}{}", told()));
    let sent = |set: &str| {
        let files = fs::read_dir(root.join("files/out")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(set)).count()
    };
    let waited = |what: &str, so: &dyn Fn() -> bool| {
        let began = std::time::Instant::now();
        while !so() {
            assert!(
                began.elapsed().as_secs() < 40,
                "it never came that {what}: {}",
                told()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    waited("orders went out", &|| sent("850") == 6);
    for n in 0..3 {
        let text = super::api::world::acknowledgment(n + 1, &format!("{NUMBER}000{n}"), 24);
        fs::write(root.join(format!("files/in/a{n}.part")), text).unwrap();
        fs::rename(
            root.join(format!("files/in/a{n}.part")),
            root.join(format!("files/in/a{n}.x12")),
        )
        .unwrap();
    }
    let post = "vendorOrders.submitAcknowledgement";
    waited("answers went there", &|| server.had(post).len() == 3);
    // Refused, in words that repeat what is in a document.
    server.set(|state| state.bad = [post].into());
    let text = super::api::world::acknowledgment(9, &format!("{NUMBER}0004"), 24);
    fs::write(root.join("files/in/b.part"), text).unwrap();
    fs::rename(root.join("files/in/b.part"), root.join("files/in/b.x12")).unwrap();
    waited("a refusal was told", &|| told().contains("InvalidInput"));
    let admin = said["admin"].as_str().unwrap().to_owned();
    let asked: String = ["/healthz", "/readyz", "/metrics", "/none"]
        .map(|path| ask(&admin, path))
        .concat();
    drop(serving);
    fs::write(root.join("admin.log"), &asked).unwrap();
    let log = told();
    assert!(
        log.contains("TRACE") && log.contains("held as it came"),
        "{log}"
    );
    let (sound, leaks) = scan(&[&root.join("serve.log"), &root.join("admin.log")]);
    assert!(sound, "{leaks}");
    keep("serve.log", log.as_bytes());
    keep("admin.log", asked.as_bytes());
}
