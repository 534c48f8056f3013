//! Messages exchanged with programs that somebody else wrote: `openssl cms`, Bouncy Castle (the
//! engine inside most AS2 products) and pyas2lib.
//!
//! `tests/interop/setup.sh` installs what is not a command yet; `Peer.java` and `peer.py` beside it
//! are the drivers, and speak one language: a command a line, an answer a line. Where a peer is not
//! installed these tests say so and pass; in CI they fail.

mod doctor;
mod gateway;
mod house;
mod live;
mod openssl;
mod table;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Where Debian puts the jars of Bouncy Castle and of the mail library that it needs.
const JARS: [&str; 6] = [
    "bcprov",
    "bcutil",
    "bcpkix",
    "bcmail",
    "javax.mail",
    "javax.activation",
];

/// Whether a peer is here. Where it is not, this says so; in CI it fails.
fn here(peer: &str, there: bool) -> bool {
    let ci = std::env::var_os("CI").is_some();
    assert!(there || !ci, "no {peer}: run tests/interop/setup.sh");
    if !there {
        say!("skipped: no {peer}; tests/interop/setup.sh installs it");
    }
    there
}

/// What the command line of `openssl` says of a key pair: an RSA key where nothing else is said.
const RSA: &str = "-newkey rsa:2048";
const EC: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";

/// Who, key, certificate, both PEM.
type Pair = (&'static str, Vec<u8>, Vec<u8>);

/// Private keys and certificates of both sides and of a stranger, made once by the `openssl`
/// command.
fn pairs() -> &'static [Pair] {
    static MADE: OnceLock<Vec<Pair>> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let make = |(name, kind): (&'static str, &str)| {
            let line = format!(
                "req -x509 {kind} -nodes -sha256 -days 30 -subj /CN={name} -keyout key -out cert"
            );
            let made = openssl::run(folder.path(), &line);
            made.unwrap_or_else(|why| panic!("openssl {line}: {why}"));
            let read = |file| std::fs::read(folder.path().join(file)).expect("openssl wrote it");
            (name, read("key"), read("cert"))
        };
        let ends = [("house", RSA), ("peer", RSA), ("stranger", RSA)];
        let curves = [("house-ec", EC), ("peer-ec", EC)];
        ends.into_iter().chain(curves).map(make).collect()
    })
}

/// A folder with the keys, as `NAME.key` and `NAME.crt`.
fn keys() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, key, certificate) in pairs() {
        let put = |kind: &str, bytes: &[u8]| {
            let path = folder.path().join(format!("{name}.{kind}"));
            std::fs::write(path, bytes).expect("a temporary folder is writable");
        };
        put("key", key);
        put("crt", certificate);
    }
    folder
}

/// How the peer listens for what the house sends, signed and encrypted.
const LISTEN: [(&str, &str); 5] = [
    ("key", "peer.key"),
    ("cert", "peer.crt"),
    ("from", "house.crt"),
    ("layers", "sign,encrypt"),
    ("out", "."),
];

/// What a peer says: names and values.
type Answer = BTreeMap<String, String>;

/// A running driver. It ends with this value: its stdin closes, and it is killed by its id.
struct Peer {
    name: &'static str,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Peer {
    /// `peer.py` in a folder; `None` where pyas2lib is not installed.
    fn pyas2lib(folder: &Path) -> Option<Peer> {
        let python = Path::new(ROOT).join("target/interop/venv/bin/python");
        let driver = Path::new(ROOT).join("tests/interop/peer.py");
        here("pyas2lib", python.exists())
            .then(|| Peer::start("pyas2lib", folder, Command::new(python).arg(driver)))
    }

    /// `Peer.java` in a folder; `None` where Bouncy Castle or a Java compiler is not installed.
    fn bouncy_castle(folder: &Path) -> Option<Peer> {
        let jars = JARS.map(|name| PathBuf::from(format!("/usr/share/java/{name}.jar")));
        let compiler = Command::new("javac").arg("-version").output().is_ok();
        let there = compiler && jars.iter().all(|jar| jar.exists());
        here("Bouncy Castle", there).then(|| {
            let path = std::env::join_paths(&jars).expect("no colon in a path");
            let mut java = Command::new("java");
            // It lives for seconds: the second compiler would not pay.
            java.arg("-XX:TieredStopAtLevel=1").arg("-cp").arg(path);
            java.arg(Path::new(ROOT).join("tests/interop/Peer.java"));
            Peer::start("Bouncy Castle", folder, &mut java)
        })
    }

    fn start(name: &'static str, folder: &Path, command: &mut Command) -> Peer {
        let command = command.current_dir(folder);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().expect("the peer starts");
        let to = child.stdin.take().expect("stdin is piped");
        let from = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut peer = Peer {
            name,
            child,
            to,
            from,
        };
        let ready = peer.line();
        assert!(ready.starts_with("ready\t"), "{name} said {ready:?}");
        peer
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.from.read_line(&mut line);
        read.expect("the peer's stdout is readable");
        line.trim_end_matches('\n').to_owned()
    }

    /// Asks, and gives what it answers, or its error.
    fn ask(&mut self, command: &str, words: &[(&str, &str)]) -> Result<Answer, String> {
        let words = words
            .iter()
            .map(|(name, value)| format!("\t{name}={value}"));
        let line = format!("{command}{}", words.collect::<String>());
        writeln!(self.to, "{line}").expect("the peer reads");
        let answer = self.line();
        match answer.split_once('\t').unwrap_or((&answer, "")) {
            ("ok", words) => {
                let pair = |word: &str| {
                    let (name, value) = word.split_once('=').expect("a name and a value");
                    (name.to_owned(), value.to_owned())
                };
                let words = words.split('\t').filter(|word| !word.is_empty());
                Ok(words.map(pair).collect())
            }
            _ => Err(format!("{}: {answer}", self.name)),
        }
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
    let folder = keys();
    let Some(mut buyer) = Peer::pyas2lib(folder.path()) else {
        return;
    };
    let mut seller = Peer::pyas2lib(folder.path()).expect("it is installed");
    let order = b"ISA*00*~\r\nIEA*0*1~\r\n";
    std::fs::write(folder.path().join("order"), order).expect("a temporary folder is writable");
    let url = seller.ask("listen", &LISTEN).expect("it listens")["url"].clone();
    let post = |key, certificate| {
        [
            ("url", url.as_str()),
            ("key", key),
            ("cert", certificate),
            ("to", "peer.crt"),
            ("name", "buyer"),
            ("partner", "seller"),
            ("layers", "sign,encrypt"),
            ("file", "order"),
            ("content_type", "application/edi-x12"),
            ("receipt", "signed"),
        ]
    };

    let sent = buyer
        .ask("post", &post("house.key", "house.crt"))
        .expect("it is sent");
    let got = seller.ask("came", &[]).expect("it came");
    assert_eq!(sent["disposition"], "processed", "{sent:?}\n{got:?}");
    assert_eq!(sent["mdn_digest"], "sha256");
    assert_eq!(sent["mic_sent"], sent["mic_returned"]);
    assert_eq!(sent["mic_sent"], got["mic"]);
    assert_eq!((&*got["signed"], &*got["encrypted"]), ("True", "True"));
    let payload = std::fs::read(folder.path().join(&got["payload"]));
    assert_eq!(payload.expect("the peer keeps the payload"), order);

    // It refuses a signature by a key that is not its partner's.
    let sent = buyer
        .ask("post", &post("stranger.key", "stranger.crt"))
        .expect("it is sent");
    let got = seller.ask("came", &[]).expect("it came");
    assert_eq!(sent["detail"], "authentication-failed", "{sent:?}\n{got:?}");
    assert_eq!(sent.get("mic_returned"), None);
}
