//! Messages exchanged over a socket with a program that somebody else wrote: pyas2lib.
//!
//! `tests/interop/setup.sh` installs it and `tests/interop/peer.py` runs it. Where it is not
//! installed these tests say so and pass; in CI they fail.

mod doctor;
mod gateway;

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Python with pyas2lib, as `tests/interop/setup.sh` leaves it.
fn python() -> PathBuf {
    Path::new(ROOT).join("target/interop/venv/bin/python")
}

/// Whether there is a peer to talk to. Where there is none it says so, and in CI it fails.
fn installed() -> bool {
    let here = python().exists();
    assert!(
        here || std::env::var_os("CI").is_none(),
        "no pyas2lib: run tests/interop/setup.sh"
    );
    if !here {
        say!("skipped: no pyas2lib; tests/interop/setup.sh installs it");
    }
    here
}

/// A side's keys in a folder, as the `openssl` command makes them: `NAME.p12` with its password
/// in `password`, `NAME.key.pem` and `NAME.cert.pem`.
fn make_keys(folder: &Path, name: &str) {
    std::fs::write(folder.join("password"), "secret").expect("a temporary folder is writable");
    let run = |line: String| {
        let out = Command::new("openssl")
            .args(line.split(' '))
            .current_dir(folder)
            .output();
        let out = out.expect("the openssl command is installed");
        assert!(
            out.status.success(),
            "openssl {line}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    };
    run(format!(
        "req -x509 -newkey rsa:2048 -nodes -sha256 -days 30 -subj /CN={name} \
         -keyout {name}.key.pem -out {name}.cert.pem"
    ));
    run(format!(
        "pkcs12 -export -inkey {name}.key.pem -in {name}.cert.pem -out {name}.p12 \
         -passout file:password"
    ));
}

/// A running `peer.py`. It ends with this value: its stdin closes, and it is killed by its id.
struct Peer {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts `peer.py MODE` as `name`, whose partner is `partner`, with the keys in `folder`.
    fn start(mode: &str, folder: &Path, name: &str, partner: &str, more: &[&str]) -> Peer {
        let mut child = Command::new(python())
            .arg(Path::new(ROOT).join("tests/interop/peer.py"))
            .args([mode, "--name", name, "--partner", partner])
            .args([
                "--key",
                &format!("{name}.p12"),
                "--password-file",
                "password",
            ])
            .args(["--partner-cert", &format!("{partner}.cert.pem")])
            .args(more)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the peer starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Peer { child, lines }
    }

    /// What the peer says next. It ends by itself, so this does too.
    fn says(&mut self) -> Value {
        let mut line = String::new();
        self.lines
            .read_line(&mut line)
            .expect("the peer's stdout is readable");
        serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut talk = String::new();
            drop(self.child.stdin.take());
            let stderr = self.child.stderr.as_mut().expect("stderr is piped");
            stderr
                .read_to_string(&mut talk)
                .expect("the peer's stderr is readable");
            panic!("the peer said {line:?}, and on stderr: {talk}")
        })
    }

    /// Serves in `folder` one message, and says where.
    fn serve(folder: &Path, name: &str, partner: &str) -> (Peer, String) {
        let mut peer = Peer::start("serve", folder, name, partner, &["--out", name]);
        let url = peer.says()["url"]
            .as_str()
            .expect("the peer says its address")
            .to_owned();
        (peer, url)
    }

    /// Sends a file that is in `folder`, and gives what the MDN said.
    fn send(folder: &Path, name: &str, partner: &str, url: &str, file: &Path) -> Value {
        let file = file.to_str().expect("a path of a test is text");
        let more = ["--url", url, "--file", file];
        Peer::start("send", folder, name, partner, &more).says()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The peer agrees with itself: what fails here is the peer's installation, not our gateway.
#[test]
fn pyas2lib_talks_to_pyas2lib() {
    if !installed() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    make_keys(folder, "buyer");
    make_keys(folder, "seller");
    let order = b"ISA*00*~\r\nIEA*0*1~\r\n";
    std::fs::write(folder.join("order.edi"), order).expect("a temporary folder is writable");

    let (mut seller, url) = Peer::serve(folder, "seller", "buyer");
    let sent = Peer::send(folder, "buyer", "seller", &url, Path::new("order.edi"));
    let got = seller.says();

    assert_eq!(sent["disposition"], "processed", "{sent}\n{got}");
    assert_eq!(sent["mdn_digest"], "sha256");
    assert_eq!(sent["mic_sent"], sent["mic_returned"]);
    assert_eq!(sent["mic_sent"], got["mic"]);
    assert_eq!(
        (&got["signed"], &got["encrypted"]),
        (&Value::Bool(true), &Value::Bool(true))
    );
    let payload = folder.join(got["payload"].as_str().expect("the peer keeps the payload"));
    assert_eq!(
        std::fs::read(payload).expect("the payload is readable"),
        order
    );
}

/// The peer refuses a signature by a key that is not its partner's.
#[test]
fn pyas2lib_refuses_a_stranger() {
    if !installed() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    ["buyer", "seller", "stranger"]
        .iter()
        .for_each(|name| make_keys(folder, name));
    std::fs::write(folder.join("order.edi"), "ISA").expect("a temporary folder is writable");

    let (mut seller, url) = Peer::serve(folder, "seller", "buyer");
    std::fs::copy(folder.join("stranger.p12"), folder.join("buyer.p12")).expect("a copy");
    let sent = Peer::send(folder, "buyer", "seller", &url, Path::new("order.edi"));

    assert_eq!(
        sent["detail"],
        "authentication-failed",
        "{sent}\n{}",
        seller.says()
    );
    assert_eq!(sent["mic_returned"], Value::Null);
}
