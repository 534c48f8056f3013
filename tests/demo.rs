//! `transload demo`, and what somebody can prove of it with the `openssl` command alone.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail like tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const ORDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/demo/order.edi");

fn demo(temp: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command.args(["demo", "--json"]).env("TMPDIR", temp);
    command
        .env_remove("TRANSLOAD_PARTNERS")
        .env_remove("TRANSLOAD_MAPPINGS");
    command.stdin(Stdio::null());
    command
}

/// Runs the whole demo with an order, and gives what it says: it is sound, and nothing is left.
#[track_caller]
fn sound(order: &Path) -> Value {
    let temp = tempfile::tempdir().unwrap();
    let output = demo(temp.path()).arg("--order").arg(order).output();
    let output = output.unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let left: Vec<_> = std::fs::read_dir(temp.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    holds(&said);
    said
}

/// Six messages, each confirmed, and the same on both sides.
#[track_caller]
fn holds(said: &Value) {
    assert_eq!(said["sound"], true, "{said}");
    let messages = said["messages"].as_array().unwrap();
    let steps: Vec<_> = messages
        .iter()
        .map(|message| {
            ["from", "to", "set", "document"].map(|name| message[name].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        steps,
        [
            ["buyer", "seller", "850", "accepted"],
            ["seller", "buyer", "997", "sent"],
            ["seller", "buyer", "855", "accepted"],
            ["buyer", "seller", "997", "sent"],
            ["seller", "buyer", "810", "accepted"],
            ["buyer", "seller", "997", "sent"],
        ]
    );
    for message in messages {
        assert_eq!(message["state"], "confirmed", "{message}");
        assert_eq!(message["same_receipt"], true, "{message}");
        for both in ["mic", "payload_sha256"] {
            let [ours, theirs] = ["sender", "receiver"].map(|side| message[both][side].as_str());
            assert!(ours.is_some_and(|text| text.len() > 40), "{message}");
            assert_eq!(ours, theirs, "{message}");
        }
        assert_eq!(
            message["receipt"]["Received-Content-MIC"],
            message["mic"]["receiver"]
        );
    }
}

/// Runs `openssl ARGS` in a folder.
fn openssl(folder: &Path, args: &str) -> std::process::Output {
    let mut command = Command::new("openssl");
    command.args(args.split_whitespace()).current_dir(folder);
    let output = command.stdin(Stdio::null()).output();
    output.expect("the openssl command is installed")
}

/// The same, which has to succeed; what it prints.
#[track_caller]
fn must(folder: &Path, args: &str) -> String {
    let output = openssl(folder, args);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {args}: {err}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// SHA-256 in hexadecimal, as openssl reckons it.
fn sha256(path: &Path) -> String {
    let folder = path.parent().unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let line = must(folder, &format!("dgst -sha256 -r {name}"));
    line.split(' ').next().unwrap().to_owned()
}

#[test]
fn the_order_arrives_as_it_was_written() {
    let said = sound(Path::new(ORDER));
    let digest = &said["messages"][0]["payload_sha256"]["receiver"];
    assert_eq!(*digest, sha256(Path::new(ORDER)));
    assert!(said["kept"].is_null());

    let order = std::fs::read_to_string(ORDER).unwrap();
    let segments: Vec<Vec<&str>> = order
        .split('~')
        .map(|segment| segment.trim().split('*').collect())
        .collect();
    let of = |tag: &'static str| segments.iter().filter(move |segment| segment[0] == tag);
    let number = of("BEG").next().unwrap()[3];
    assert_eq!(
        (&said["order"], &said["canonical"]["number"]),
        (&number.into(), &number.into())
    );
    let written: Vec<[&str; 4]> = of("PO1")
        .zip(of("PID"))
        .map(|(line, text)| [line[1], line[2], line[4], text[5]])
        .collect();
    let lines = said["canonical"]["lines"].as_array().unwrap().iter();
    let arrived: Vec<[&str; 4]> = lines
        .map(|line| {
            [
                "/number",
                "/quantity/value",
                "/price/amount",
                "/descriptions/0/text",
            ]
            .map(|field| line.pointer(field).unwrap().as_str().unwrap())
        })
        .collect();
    assert_eq!(arrived, written);
    assert_eq!(arrived.len(), 3);
}

#[test]
fn one_byte_of_the_order_is_one_field_of_the_delivery() {
    let base = sound(Path::new(ORDER));
    let order = std::fs::read_to_string(ORDER).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("order.edi");
    for (from, to, field, value) in [
        ("*17.25*", "*17.26*", "/lines/0/price/amount", "17.26"),
        ("*24*EA*", "*25*EA*", "/lines/1/quantity/value", "25"),
        (
            "strainer, fine",
            "strainer, fire",
            "/lines/2/descriptions/0/text",
            "Tea strainer, fire mesh, six to a case",
        ),
    ] {
        assert_eq!(order.matches(from).count(), 1, "{from}");
        std::fs::write(&path, order.replace(from, to)).unwrap();
        let said = sound(&path);

        let mut expected = base["canonical"].clone();
        let old = expected.pointer_mut(field).unwrap();
        assert_ne!(*old, value);
        *old = value.into();
        assert_eq!(said["canonical"], expected, "{to}");

        let digest = |said: &Value| said["messages"][0]["payload_sha256"]["receiver"].clone();
        assert_eq!(digest(&said), sha256(&path));
        assert_ne!(digest(&said), digest(&base));
    }
}

/// A `demo --keep` that runs, and is killed with this value.
struct Kept {
    child: Child,
    said: Value,
    temp: TempDir,
}

impl Kept {
    fn start() -> Kept {
        let temp = tempfile::tempdir().unwrap();
        let mut command = demo(temp.path());
        command.arg("--keep").stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line).expect("the demo says what it did");
        Kept { child, said, temp }
    }

    /// What the demo says of a side that it keeps.
    fn of(&self, side: &str, name: &str) -> &str {
        self.said["kept"][side][name].as_str().unwrap()
    }

    fn folder(&self, side: &str) -> PathBuf {
        self.of(side, "folder").into()
    }

    /// The 850s that the seller's own system finds.
    fn orders(&self) -> usize {
        let out = self.folder("seller").join("bridge/buyer/out");
        let entries = std::fs::read_dir(out).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".json")).count()
    }

    /// Ends it as Ctrl-C does, and gives its exit code.
    fn interrupt(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-INT", &id]).status();
        assert!(told.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The head of a message, its last CRLF with it, and its body.
fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let blank = message.windows(4).position(|four| four == b"\r\n\r\n");
    let blank = blank.expect("an empty line ends the head");
    (&message[..blank + 2], &message[blank + 4..])
}

/// Says a request over a socket, and gives the whole answer.
fn ask(url: &str, method: &str, head: &[u8], body: &[u8]) -> Vec<u8> {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    let line = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n"
    );
    let request = [line.as_bytes(), head, b"\r\n", body].concat();
    stream.write_all(&request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// Opens a request and its receipt with openssl alone; the payload and the report's text.
fn proven(kept: &Kept, from: &str, to: &str, name: &str) -> (PathBuf, String) {
    let folder = tempfile::tempdir_in(kept.folder(from)).unwrap().keep();
    let sent = kept.folder(from).join("sent");
    let request = std::fs::read(sent.join(format!("{name}.request"))).unwrap();
    let receipt = std::fs::read(sent.join(format!("{name}.mdn"))).unwrap();
    std::fs::write(folder.join("body"), split(&request).1).unwrap();
    std::fs::write(folder.join("receipt"), receipt).unwrap();

    let keys = format!("../../{to}/{to}");
    let key = format!("pkcs12 -in {keys}.p12 -passin file:{keys}.password -nocerts -nodes");
    must(&folder, &format!("{key} -out key"));
    must(
        &folder,
        "cms -decrypt -inform DER -in body -inkey key -out signed",
    );
    let verify = |file: &str, signer: &str, out: &str| {
        let pem = format!("../../{signer}/{signer}.pem");
        format!(
            "cms -verify {file} -out {out} -nointern -certfile {pem} -CAfile {pem} -partial_chain"
        )
    };
    must(
        &folder,
        &verify("-binary -crlfeol -in signed", from, "content"),
    );
    must(&folder, &verify("-in receipt", to, "report"));
    // What verifies says something: with the other's certificate neither does.
    for (file, wrong) in [("-binary -crlfeol -in signed", to), ("-in receipt", from)] {
        assert!(
            !openssl(&folder, &verify(file, wrong, "none"))
                .status
                .success()
        );
    }

    let content = std::fs::read(folder.join("content")).unwrap();
    std::fs::write(folder.join("payload"), split(&content).1).unwrap();
    must(&folder, "dgst -sha256 -binary -out digest content");
    let mic = must(&folder, "base64 -A -in digest");
    let report = std::fs::read_to_string(folder.join("report")).unwrap();
    let line = format!("Received-Content-MIC: {mic}, sha-256\r\n");
    assert!(report.contains(&line), "{line}{report}");
    (folder.join("payload"), report)
}

#[test]
fn openssl_alone_proves_every_message_and_receipt() {
    let kept = Kept::start();
    holds(&kept.said);
    for (from, to) in [("buyer", "seller"), ("seller", "buyer")] {
        let messages = kept.said["messages"].as_array().unwrap().iter();
        let ours = messages.filter(|message| message["from"] == from);
        for (number, message) in ours.enumerate() {
            let name = format!("{}-{}", number + 1, message["set"].as_str().unwrap());
            let (payload, report) = proven(&kept, from, to, &name);
            let digest = sha256(&payload);
            assert_eq!(message["payload_sha256"]["sender"], digest, "{name}");
            assert_eq!(message["payload_sha256"]["receiver"], digest, "{name}");
            let id = message["message_id"].as_str().unwrap();
            assert!(report.contains(&format!("Original-Message-ID: <{id}>\r\n")));
            assert!(report.contains("; processed\r\n"), "{report}");
            if name == "1-850" {
                let payload = std::fs::read(payload).unwrap();
                assert!(payload == std::fs::read(ORDER).unwrap());
            }
        }
    }
}

#[test]
fn what_is_kept_runs_and_takes_an_order_once() {
    let mut kept = Kept::start();
    for side in ["buyer", "seller"] {
        let ready = ask(
            &format!("{}/readyz", kept.of(side, "admin")),
            "GET",
            b"",
            b"",
        );
        assert!(ready.starts_with(b"HTTP/1.1 200"), "{side}");
    }
    assert_eq!(kept.orders(), 1);
    let sent = kept.folder("buyer").join("sent");
    let request = std::fs::read(sent.join("1-850.request")).unwrap();
    let receipt = std::fs::read(sent.join("1-850.mdn")).unwrap();
    let (head, body) = split(&request);
    let seller = kept.of("seller", "as2").to_owned();
    let answer = ask(&seller, "POST", head, body);
    let [(head, body), (stored_head, stored)] = [split(&answer), split(&receipt)];
    let lines = |head: &[u8]| -> Vec<String> {
        let head = String::from_utf8(head.to_vec()).unwrap();
        head.lines().map(str::to_owned).collect()
    };
    let head = lines(head);
    assert_eq!(head[0], "HTTP/1.1 200 OK");
    for line in lines(stored_head) {
        assert!(head.contains(&line), "no {line:?} in {head:#?}");
    }
    assert!(body == stored, "the stored receipt, byte for byte");
    assert_eq!(kept.orders(), 1);

    assert_eq!(kept.interrupt(), Some(0));
    assert_eq!(kept.orders(), 1, "and nothing was under way");
    let host = seller.strip_prefix("http://").unwrap();
    TcpStream::connect(host.trim_end_matches("/as2")).expect_err("nobody listens");
    let left: Vec<_> = std::fs::read_dir(kept.temp.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(
        left,
        [PathBuf::from(kept.said["kept"]["folder"].as_str().unwrap())]
    );
}
