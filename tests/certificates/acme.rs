//! A certificate from an authority, by order: the real program, and a real server of the protocol
//! (`pebble`, Debian's package of it) that asks for the proof over HTTP.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chrono::{TimeDelta, Utc};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use serde_json::{Value, json};
use transload::as2::{Identity, KeyKind};
use transload::net::acme::Standing;

/// The name in the certificate; every machine calls itself so.
const NAME: &str = "localhost";

/// Whether it is there.
fn pebble() -> bool {
    let asked = Command::new("pebble")
        .arg("-h")
        .stderr(Stdio::null())
        .status();
    if asked.is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI has pebble");
        say!("skipped: no pebble");
    }
    asked.is_ok()
}

/// A program that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Free ports, by asking for them and giving them back.
fn ports<const N: usize>() -> [u16; N] {
    let taken = [(); N].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    taken.map(|taken| taken.local_addr().unwrap().port())
}

/// An authority that asks this port for proofs. Its server's certificate is `authority.pem`.
fn authority(folder: &Path, directory: u16, asks: u16) -> Running {
    let now = Utc::now();
    let (from, to) = (now - TimeDelta::days(1), now + TimeDelta::days(9));
    let own = Identity::generate_as(KeyKind::P256, "127.0.0.1", 1, from, to).unwrap();
    let pem = own.certificate.to_pem().unwrap();
    std::fs::write(folder.join("authority.pem"), pem).unwrap();
    let key = own.private_key_to_pem().unwrap();
    std::fs::write(folder.join("authority.key"), &*key).unwrap();
    let [management, tls] = ports();
    let settings = json!({ "pebble": {
        "listenAddress": format!("127.0.0.1:{directory}"),
        "managementListenAddress": format!("127.0.0.1:{management}"),
        "certificate": folder.join("authority.pem"),
        "privateKey": folder.join("authority.key"),
        "httpPort": asks,
        "tlsPort": tls,
        "externalAccountBindingRequired": false,
    }});
    std::fs::write(folder.join("pebble.json"), settings.to_string()).unwrap();
    let mut command = Command::new("pebble");
    command
        .args(["-strict", "-config"])
        .arg(folder.join("pebble.json"));
    // It waits seconds at random before it asks, unless it is told not to.
    command.env("PEBBLE_VA_NOSLEEP", "1");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = Running(command.spawn().unwrap());
    while TcpStream::connect(("127.0.0.1", directory)).is_err() {
        assert!(running.0.try_wait().unwrap().is_none(), "pebble ended");
        std::thread::yield_now();
    }
    running
}

/// What serves, its address, and what it says on stderr.
struct Serving {
    _running: Running,
    as2: String,
    talk: BufReader<std::process::ChildStderr>,
}

fn serve(folder: &Path, directory: u16, asks: u16) -> Serving {
    let text = format!(
        "[as2]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [as2.tls]\np12 = \"keys/tls/edi.p12\"\npassword_file = \"keys/tls/edi.password\"\n\
         [as2.tls.acme]\ndirectory = \"https://127.0.0.1:{directory}/dir\"\n\
         domains = [\"{NAME}\"]\nterms_agreed = true\ncontact = \"mailto:edi@example.com\"\n\
         listen = \"127.0.0.1:{asks}\"\nserver_certificates = [\"authority.pem\"]\n"
    );
    std::fs::write(folder.join("transload.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command
        .args(["serve", "--json"])
        .current_dir(folder)
        .env_clear();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let talk = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let running = Running(child);
    let said: Value = serde_json::from_str(&line).expect("it says where it listens");
    assert_eq!(said["acme"], format!("127.0.0.1:{asks}"));
    Serving {
        _running: running,
        as2: said["as2"].as_str().unwrap().to_owned(),
        talk,
    }
}

impl Serving {
    /// Reads its log up to a line that has this in it.
    fn until(&mut self, wanted: &str) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            let read = self.talk.read_line(&mut line).unwrap();
            all.push_str(&line);
            assert!(read > 0, "it ended without {wanted:?}: {all}");
            assert!(
                !all.contains("no certificate from the authority") || wanted.starts_with("no "),
                "{all}"
            );
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// The certificates that it shows, its own first.
    fn shown(&self) -> Vec<X509> {
        let mut tls = SslConnector::builder(SslMethod::tls_client()).unwrap();
        tls.set_verify(SslVerifyMode::NONE);
        let stream = TcpStream::connect(&self.as2).unwrap();
        let stream = tls.build().connect(NAME, stream).unwrap();
        let chain = stream.ssl().peer_cert_chain().unwrap();
        chain.iter().map(|one| one.to_owned()).collect()
    }
}

fn private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o077 == 0
}

#[test]
fn an_authority_issues_a_certificate_and_renews_it_ahead_of_its_end() {
    if !pebble() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [directory, asks] = ports();
    let _authority = authority(folder, directory, asks);
    let place = folder.join("keys/tls");
    let mut serving = serve(folder, directory, asks);
    serving.until("the authority issued a certificate");
    let shown = serving.shown();
    assert!(shown.len() > 1, "with what leads to the authority");
    assert!(shown[0].verify(&shown[1].public_key().unwrap()).unwrap());
    drop(serving);

    // What is kept is under a password, and for us alone.
    let password = std::fs::read_to_string(place.join("edi.password")).unwrap();
    let password = password.trim_end();
    let der = std::fs::read(place.join("edi.p12")).unwrap();
    let standing = Standing::of(&der, password).unwrap();
    assert_eq!(standing.names, [NAME]);
    assert!(Standing::of(&der, "").is_err());
    let listed = super::run(folder, &["cert", "list", "--json"]);
    listed.says(0, &["keys/tls/edi.p12", "\"uses\":[\"tls\"]"]);
    let account = std::fs::read_to_string(place.join("edi.account")).unwrap();
    assert!(account.contains("BEGIN ENCRYPTED PRIVATE KEY"), "{account}");
    for kind in ["p12", "password", "account"] {
        assert!(private(&place.join(format!("edi.{kind}"))), "{kind}");
    }

    // One that is not due is shown again, and nobody is asked.
    let again = serve(folder, directory, asks);
    let same = again.shown()[0]
        .digest(openssl::hash::MessageDigest::sha256())
        .unwrap();
    let first = shown[0]
        .digest(openssl::hash::MessageDigest::sha256())
        .unwrap();
    assert_eq!(*same, *first);
    drop(again);
    assert_eq!(std::fs::read(place.join("edi.p12")).unwrap(), der);

    // One near its end is shown, and replaced while connections go on; the account stays.
    let now = Utc::now();
    let (from, to) = (now - TimeDelta::days(80), now + TimeDelta::days(10));
    let old = Identity::generate(NAME, 7, from, to).unwrap();
    std::fs::write(
        place.join("edi.p12"),
        old.to_pkcs12("edi", password).unwrap(),
    )
    .unwrap();
    let mut serving = serve(folder, directory, asks);
    serving.until("the authority issued a certificate");
    assert!(serving.shown().len() > 1);
    assert_eq!(
        std::fs::read_to_string(place.join("edi.account")).unwrap(),
        account
    );
}

#[test]
fn who_cannot_prove_a_name_hears_why_and_goes_on_serving() {
    if !pebble() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [directory, asks, elsewhere] = ports();
    // The authority asks a port at which nobody is.
    let _authority = authority(folder, directory, elsewhere);
    let mut serving = serve(folder, directory, asks);
    let said = serving.until("no certificate from the authority");
    assert!(
        said.contains("does not believe that localhost is ours"),
        "{said}"
    );
    assert_eq!(serving.shown().len(), 1, "one that nobody vouches for");
    // Whoever looks where the authority does learns nothing.
    let mut stream = TcpStream::connect(("127.0.0.1", asks)).unwrap();
    let request =
        "GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}
