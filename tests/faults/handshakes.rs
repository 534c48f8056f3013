//! F16, F17: TLS at the real program's door: very many handshakes, and those that are not to succeed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use openssl::ssl::{Ssl, SslContext, SslMethod, SslSessionCacheMode, SslVersion};
use tokio_openssl::SslStream;

use super::crowd::{Program, aside, connect, runtime};
use super::{figure, often};

/// Its own key does for TLS too; a real one has two.
const TLS: &str = "[as2.tls]\np12 = \"own.p12\"\npassword_file = \"password\"\n";
/// Handshakes that are under way at once, a hundred from each address.
const AT_ONCE: usize = 400;
/// How long what never comes is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A client that trusts whom it meets: it came for the handshake.
fn client(version: SslVersion) -> SslContext {
    let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
    context.set_min_proto_version(Some(version)).unwrap();
    context.build()
}

#[test]
fn f16_a_flood_of_handshakes() {
    let (runtime, elsewhere, probes) = (runtime(), aside(), often(10, 400));
    let program = Program::start(TLS);
    let partner = client(SslVersion::TLS1_3);
    let quiet = program.p99(&runtime, Some(&partner), probes, || true);
    let (before, address) = (program.memory(), program.address);
    let (going, done) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (from, crowd) = (Instant::now(), often(20, AT_ONCE));
    for n in 0..crowd {
        let (going, done, context) = (Arc::clone(&going), Arc::clone(&done), partner.clone());
        elsewhere.spawn(async move {
            while going.load(Ordering::Relaxed) {
                let ssl = Ssl::new(&context).unwrap();
                let mut stream = SslStream::new(ssl, connect(address, n).await).unwrap();
                let shaken = Pin::new(&mut stream).connect().await;
                done.fetch_add(usize::from(shaken.is_ok()), Ordering::Relaxed);
            }
        });
    }
    // As long as a flood is there, and as many as tell a p99.
    let least = often(crowd, 10_000);
    let flooded = program.p99(&runtime, Some(&partner), probes, || true);
    while done.load(Ordering::Relaxed) < least {
        assert!(from.elapsed() < PATIENCE, "{done:?} handshakes");
        std::thread::sleep(Duration::from_millis(10));
    }
    let memory = program.memory() - before;
    going.store(false, Ordering::Relaxed);
    let (done, took) = (done.load(Ordering::Relaxed), from.elapsed().as_secs_f64());
    elsewhere.shutdown_background();
    let after = program.p99(&runtime, Some(&partner), probes, || true);
    let told = format!(
        "{done} handshakes, {:.0} a second, {crowd} at once: a partner's p99, with a handshake for each \
         message, {quiet:.1} ms before, {flooded:.1} ms meanwhile, {after:.1} ms after; {memory:.0} MiB \
         more ({})",
        done as f64 / took,
        program.built
    );
    figure("F16", done as u64, 0, &told);
}

/// Types of records (RFC 8446 section 5.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// A ClientHello (RFC 5246 section 7.4.1.2) of this version with these suites.
fn hello(version: u16, suites: &[u16]) -> Vec<u8> {
    let pairs = |values: &[u16]| {
        values
            .iter()
            .flat_map(|v| v.to_be_bytes())
            .collect::<Vec<u8>>()
    };
    let sized = |bytes: Vec<u8>| [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat();
    // signature_algorithms and supported_groups, without which nobody could agree to anything.
    let extension = |kind: u16, values| [pairs(&[kind]), sized(sized(pairs(values)))].concat();
    let extensions = [
        extension(13, &[0x0804, 0x0401, 0x0403, 0x0201]),
        extension(10, &[0x001d, 0x0017]),
    ];
    let body = [
        pairs(&[version]),
        vec![7; 32],
        vec![0],
        sized(pairs(suites)),
        vec![1, 0],
        sized(extensions.concat()),
    ];
    let body = body.concat();
    let message = [&[1, 0], &(body.len() as u16).to_be_bytes()[..], &body].concat();
    [vec![HANDSHAKE, 3, 1], sized(message)].concat()
}

/// The record that a hello is answered with: its type, and the code of an alert.
fn answer(program: &Program, hello: &[u8]) -> (u8, Option<u8>) {
    let mut stream = TcpStream::connect(program.address).unwrap();
    stream.write_all(hello).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut record = Vec::new();
    let _ = stream.read_to_end(&mut record);
    let kind = record.first().copied().unwrap_or(0);
    (kind, record.get(6).copied().filter(|_| kind == ALERT))
}

/// What `openssl s_client` says where it asks to begin anew on its connection; it is ended where nobody
/// minds.
fn anew(program: &Program) -> String {
    let address = program.address.to_string();
    let mut command = Command::new("timeout");
    command.args(["20", "openssl", "s_client", "-tls1_2", "-connect", &address]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It stays open, or the client would leave by itself.
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"R\n").unwrap();
    let output = child.wait_with_output().unwrap();
    drop(input);
    let both = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// How many tickets a client of TLS 1.3 was given once it has its first answer, which they come before.
fn tickets(program: &Program) -> usize {
    let given = Arc::new(AtomicUsize::new(0));
    let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
    context
        .set_min_proto_version(Some(SslVersion::TLS1_3))
        .unwrap();
    context.set_session_cache_mode(SslSessionCacheMode::CLIENT);
    let count = Arc::clone(&given);
    context.set_new_session_callback(move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let ssl = Ssl::new(&context.build()).unwrap();
    let stream = TcpStream::connect(program.address).unwrap();
    let mut stream = ssl.connect(stream).unwrap();
    let request = b"HEAD /as2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    given.load(Ordering::Relaxed)
}

#[test]
fn f17_what_tls_has_left_behind_is_refused() {
    const GOOD: &[u16] = &[0xc02f, 0xc030, 0xcca8];
    let program = Program::start(TLS);
    // So a hello of ours is one: where nothing is wrong with it, it is answered by one.
    assert_eq!(answer(&program, &hello(0x0303, GOOD)), (HANDSHAKE, None));
    let mut tried = 0;
    // handshake_failure or protocol_version.
    let mut refused = |what: &str, bytes: &[u8]| {
        let (kind, why) = answer(&program, bytes);
        assert!(
            kind == ALERT && matches!(why, Some(40 | 70)),
            "{what}: {kind} {why:?}"
        );
        tried += 1;
    };
    for old in [0x0300, 0x0301, 0x0302] {
        let suites = [GOOD, &[0xc013, 0xc014, 0x002f, 0x0035, 0x000a]].concat();
        refused("an old version", &hello(old, &suites));
    }
    for (what, suites) in [
        (
            "nothing encrypted",
            &[0x0001_u16, 0x0002, 0x003b, 0xc010][..],
        ),
        (
            "export",
            &[0x0003, 0x0006, 0x0008, 0x000b, 0x000e, 0x0011, 0x0014],
        ),
        (
            "nobody authenticated",
            &[0x0018, 0x001b, 0x0034, 0x003a, 0x006c, 0xc018],
        ),
        ("RC4", &[0x0004, 0x0005, 0xc007, 0xc011]),
        ("DES", &[0x0009, 0x0015]),
        ("triple DES", &[0x000a, 0x0016, 0xc012]),
        (
            "no forward secrecy",
            &[0x002f, 0x0035, 0x009c, 0x009d, 0x003c],
        ),
        ("CBC", &[0xc013, 0xc014, 0xc027, 0xc028]),
        ("none that anybody knows", &[0xfafa]),
    ] {
        refused(what, &hello(0x0303, suites));
    }
    let anew = anew(&program);
    assert!(anew.contains("no renegotiation"), "{anew}");
    // Early data is what a client sends with a ticket.
    assert_eq!(tickets(&program), 0);
    let told = format!(
        "{tried} hellos of old versions and weak suites refused by an alert; no renegotiation, and no \
         ticket to send early data with"
    );
    figure("F17", tried + 2, 0, &told);
}
