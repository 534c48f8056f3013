//! The gateway against its floor: what the real program costs, in CPU of its own process.
//!
//! | figure | is |
//! |---|---|
//! | receive | distinct, pre-sealed orders of 10 KB over HTTP: opened, stored, answered with a signed MDN; next to the two private RSA operations that each needs |
//! | and on | the same with all that follows: read, delivered |
//! | large, in and out | one interchange of 1 GB from one process to another over loopback; next to the digests and the cipher alone |
//! | store | messages that the store makes durable, next to the disk alone; fsyncs by strace |
//! | paced | signed receipts at 100 messages a second, by when each was due (`-- paced 600` for ten minutes) |
//! | chunked | a body of 50 MB in chunks of 8 KiB, next to the same with its length |
//!
//! `cargo bench --bench gateway`; with `-- --brief` it only shows that it runs. The generator is this
//! process, and its CPU is not counted.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "gateway/paced.rs"]
mod paced;
#[path = "gateway/store.rs"]
mod store;

use std::hint::black_box;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt, encrypt};
use transload::as2::{self, Document, Identity, Keys, Profile};
use transload::gateway::{Gateway, Settings};
use transload::net::serve::Limits;
use transload::partner::{self, Partners};
use transload::store::Sqlite;
use transload::web;

/// Says to this program that it is the receiver, and in which folder.
const RECEIVER: &str = "TRANSLOAD_BENCH_RECEIVER";
/// Clock ticks of `/proc/PID/stat` in a second: 100 on every Linux.
const TICKS: f64 = 100.0;
/// Connections that the generator keeps busy.
const CONNECTIONS: usize = 16;

/// Sizes: the real ones, or small ones that only show that it runs.
struct Sizes {
    messages: usize,
    large: usize,
    body: usize,
    bodies: usize,
}

/// CPU of a process, user and system, in seconds.
fn cpu(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name may hold blanks; what follows its bracket does not.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |n: usize| fields[n].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / TICKS
}

/// The most memory that a process had, in MiB.
fn peak(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<f64>()
        .ok()
        .map(|kib| kib / 1024.0)
}

/// Seconds of CPU of one private RSA-2048 operation.
fn private_operation() -> f64 {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let own = std::process::id();
    let (start, from, mut count) = (Instant::now(), cpu(own), 0);
    while start.elapsed() < Duration::from_secs(1) {
        let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
        black_box(signer.sign_oneshot_to_vec(b"x").unwrap());
        count += 1;
    }
    (cpu(own) - from) / f64::from(count)
}

/// Seconds of CPU that a megabyte costs in SHA-256, in AES-256-CBC, and in AES-256-CBC undone: what
/// no gateway can be without.
fn passes() -> [f64; 3] {
    let (own, data) = (std::process::id(), vec![7; 1 << 20]);
    let spent = |work: &dyn Fn()| {
        let (start, from, mut count) = (Instant::now(), cpu(own), 0);
        while start.elapsed() < Duration::from_millis(500) {
            work();
            count += 1;
        }
        (cpu(own) - from) / (f64::from(count) * f64::from(1 << 20) / 1e6)
    };
    let (cipher, key, iv) = (Cipher::aes_256_cbc(), [1; 32], [2; 16]);
    let sealed = encrypt(cipher, &key, Some(&iv), &data).unwrap();
    [
        spent(&|| {
            black_box(openssl::sha::sha256(&data));
        }),
        spent(&|| drop(black_box(encrypt(cipher, &key, Some(&iv), &data).unwrap()))),
        spent(&|| {
            drop(black_box(
                decrypt(cipher, &key, Some(&iv), &sealed).unwrap(),
            ))
        }),
    ]
}

/// One of the two who exchange: a folder with settings, keys and the other's file.
struct House {
    folder: tempfile::TempDir,
}

impl House {
    /// On the disk that the project is on: /tmp may be memory.
    fn folder() -> tempfile::TempDir {
        let tmp = option_env!("CARGO_TARGET_TMPDIR").map(Path::new);
        match tmp.filter(|tmp| tmp.is_dir()) {
            Some(tmp) => tempfile::tempdir_in(tmp).unwrap(),
            None => tempfile::tempdir().unwrap(),
        }
    }

    fn new(
        own: &Identity,
        (us, them): (&str, &str),
        other: &Identity,
        url: &str,
        more: &str,
    ) -> House {
        let folder = House::folder();
        let path = folder.path();
        std::fs::create_dir(path.join("partners")).unwrap();
        std::fs::write(
            path.join("own.p12"),
            own.to_pkcs12("own", "secret").unwrap(),
        )
        .unwrap();
        std::fs::write(path.join("password"), "secret").unwrap();
        let pem = other.certificate.to_pem().unwrap();
        std::fs::write(path.join("partners/other.pem"), pem).unwrap();
        let file = format!(
            "name = \"other\"\n[as2]\nour_id = {us:?}\nid = {them:?}\nurl = {url:?}\n{more}\
             certificates = [\"other.pem\"]\n[x12]\n\
             ours = {{ qualifier = \"ZZ\", id = {us:?} }}\n\
             theirs = {{ qualifier = \"ZZ\", id = {them:?} }}\n[documents.850]\n"
        );
        std::fs::write(path.join("partners/other.toml"), file).unwrap();
        let settings = "[identity]\np12 = \"own.p12\"\npassword_file = \"password\"\n\
                        [limits]\nbody = 2000000000\ninflated = 2000000000\n";
        std::fs::write(path.join("transload.toml"), settings).unwrap();
        House { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn transload(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
        let settings = self.path().join("transload.toml");
        command.args(arguments).arg("--config").arg(settings);
        command
            .env("TRANSLOAD_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }

    /// The whole gateway.
    fn serve(&self) -> Server {
        let any = "127.0.0.1:0";
        let arguments = [
            "serve",
            "--json",
            "--as2-listen",
            any,
            "--admin-listen",
            any,
        ];
        Server::start(self.transload(&arguments))
    }

    /// The gateway up to its answer, without the worker that takes it from there.
    fn receiver(&self) -> Server {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .env(RECEIVER, self.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        Server::start(command)
    }
}

/// A process that says where it listens, and ends with this value.
struct Server {
    child: Child,
    as2: SocketAddr,
}

impl Server {
    fn start(mut command: Command) -> Server {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said: serde_json::Value = serde_json::from_str(&line).unwrap();
        let as2 = said["as2"].as_str().unwrap().parse().unwrap();
        Server { child, as2 }
    }

    fn cpu(&self) -> f64 {
        cpu(self.child.id())
    }

    /// Waits until it has nothing to do for a moment.
    fn settle(&self) {
        let mut last = self.cpu();
        loop {
            std::thread::sleep(Duration::from_millis(300));
            let now = self.cpu();
            if now - last < 0.015 {
                return;
            }
            last = now;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the receiver process does.
fn receive_only(folder: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let file = std::fs::read_to_string(folder.join("partners/other.toml")).unwrap();
        let file = file.replace(
            "other.pem",
            &folder.join("partners/other.pem").to_string_lossy(),
        );
        let partner = partner::parse(&file, "other.toml").unwrap();
        let p12 = std::fs::read(folder.join("own.p12")).unwrap();
        let store = Arc::new(Sqlite::open(&folder.join("data")).unwrap());
        let partners = Partners::new(vec![partner]).unwrap();
        let settings = Settings {
            identities: vec![Identity::from_pkcs12(&p12, "secret").unwrap()],
            ..Settings::new(store, partners, &folder.join("bridge"))
        };
        let gateway = Gateway::new(settings).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{{\"as2\":\"{}\"}}", listener.local_addr().unwrap());
        let spool = folder.join("spool");
        std::fs::create_dir_all(&spool).unwrap();
        let settings = web::as2::Settings {
            path: "/as2".into(),
            spool,
            limits: Limits {
                requests: usize::MAX,
                ..Limits::default()
            },
            tls: None,
            believed: web::Believed::default(),
        };
        let handler = move |arrival: web::as2::Arrival| {
            let gateway = Arc::clone(&gateway);
            async move {
                let caller = gateway
                    .admit(arrival.headers, None)
                    .unwrap_or_else(|_| panic!("admitted"));
                match arrival.body.read().await {
                    Ok(body) => gateway.receive(caller, body).await.into(),
                    Err(answer) => answer,
                }
            }
        };
        web::as2::listen(listener, settings, handler, std::future::pending()).await;
    });
}

/// One order with a number of its own, filled to a length.
fn order(n: usize, length: usize) -> Vec<u8> {
    let mut text = format!(
        "ISA*00*          *00*          *ZZ*THEM           *ZZ*US             *260102*0304*U*00401\
         *{n:09}*0*P*>~GS*PO*THEM*US*20260102*0304*{n}*X*004010~ST*850*0001~\
         BEG*00*SA*PO{n}**20260102~"
    );
    let mut lines = 0;
    while text.len() + 90 < length {
        lines += 1;
        text.push_str(&format!("PO1*{lines}*12*EA*9.95**UP*012345678905~"));
    }
    text.push_str(&format!(
        "CTT*{lines}~SE*{}*0001~GE*1*{n}~IEA*1*{n:09}~",
        lines + 4
    ));
    text.into_bytes()
}

/// A request, head and body, as it goes over a kept connection.
fn request(payload: &[u8], id: &str, keys: &Keys, chunk: Option<usize>) -> Vec<u8> {
    let profile = Profile {
        our_id: "THEM".into(),
        their_id: "US".into(),
        ..Profile::default()
    };
    let document = Document {
        content_type: "application/EDI-X12",
        file_name: None,
        message_id: id,
    };
    let (mut body, entropy) = (Vec::new(), &mut transload::net::entropy);
    let source = Cursor::new(payload);
    let sealed = as2::seal(
        source,
        &mut body,
        document,
        keys,
        &profile,
        entropy,
        Utc::now(),
    );
    let mut out = b"POST /as2 HTTP/1.1\r\nHost: x\r\n".to_vec();
    for (name, value) in sealed.unwrap().headers.iter() {
        write!(out, "{name}: {value}\r\n").unwrap();
    }
    let Some(chunk) = chunk else {
        write!(out, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
        out.extend(body);
        return out;
    };
    out.extend(b"Transfer-Encoding: chunked\r\n\r\n");
    for part in body.chunks(chunk) {
        write!(out, "{:x}\r\n", part.len()).unwrap();
        out.extend(part);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\n\r\n");
    out
}

/// Reads one answer; panics unless it is a 200.
fn answered(stream: &mut BufReader<TcpStream>) {
    let (mut line, mut length, mut close) = (String::new(), 0, false);
    stream.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200"), "{line:?}");
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        let lower = line.trim().to_ascii_lowercase();
        if lower.is_empty() {
            break;
        }
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        close |= lower == "connection: close";
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    assert!(body.windows(9).any(|nine| nine == b"processed"));
    if close {
        let peer = stream.get_ref().peer_addr().unwrap();
        *stream = BufReader::new(TcpStream::connect(peer).unwrap());
    }
}

/// Posts all requests over a few connections, and gives the server's CPU for it.
fn post(server: &Server, requests: &[Vec<u8>]) -> f64 {
    let from = server.cpu();
    let share = requests.len().div_ceil(CONNECTIONS).max(1);
    std::thread::scope(|scope| {
        for part in requests.chunks(share) {
            scope.spawn(move || {
                let mut stream = BufReader::new(TcpStream::connect(server.as2).unwrap());
                for request in part {
                    stream.get_mut().write_all(request).unwrap();
                    answered(&mut stream);
                }
            });
        }
    });
    server.cpu() - from
}

/// An interchange of about `length` bytes: sets of a megabyte for which no guide is agreed, so that
/// they are read and held.
fn large(path: &Path, length: usize) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    write!(
        file,
        "ISA*00*          *00*          *ZZ*THEM           *ZZ*US             *260102*0304*U*00401\
         *000000007*0*P*>~GS*TX*THEM*US*20260102*0304*7*X*004010~"
    )
    .unwrap();
    let line = b"MIT*012345678905*A line of text as long as lines of text are in real sets~";
    let lines = 1_000_000 / line.len();
    let sets = (length / (lines * line.len())).max(1);
    for set in 1..=sets {
        write!(file, "ST*864*{set:04}~").unwrap();
        (0..lines).for_each(|_| file.write_all(line).unwrap());
        write!(file, "SE*{}*{set:04}~", lines + 2).unwrap();
    }
    write!(file, "GE*{sets}*7~IEA*1*000000007~").unwrap();
    file.flush().unwrap();
}

/// Sends a file with the real program from one process to another.
fn exchange(sizes: &Sizes, us: &Identity, them: &Identity, more: &str) {
    let seller = House::new(us, ("US", "THEM"), them, "http://127.0.0.1:9/", "");
    let server = seller.serve();
    let url = format!("http://{}/as2", server.as2);
    let buyer = House::new(them, ("THEM", "US"), us, &url, more);
    let file: PathBuf = buyer.path().join("large.edi");
    large(&file, sizes.large);
    let bytes = std::fs::metadata(&file).unwrap().len() as f64;
    let (from, start) = (server.cpu(), Instant::now());
    let mut send = buyer.transload(&["send", "--json", "other", &file.to_string_lossy()]);
    let mut child = send.spawn().unwrap();
    let (mut memory, mut spent) = (0.0f64, 0.0f64);
    let mut answer = child.stdout.take().unwrap();
    let status = loop {
        memory = memory.max(peak(child.id()).unwrap_or_default());
        spent = spent.max(cpu(child.id()));
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let (took, received) = (start.elapsed(), server.cpu() - from);
    let mut said = String::new();
    answer.read_to_string(&mut said).unwrap();
    assert!(status.success() && said.contains("confirmed"), "{said}");
    let at_answer = peak(server.child.id()).unwrap_or_default();
    server.settle();
    let (megabytes, all) = (bytes / 1e6, server.cpu() - from);
    let told = if more.is_empty() {
        "with its length"
    } else {
        "in chunks"
    };
    println!(
        "{megabytes:>10.0} MB {told}, in {:.1} s:",
        took.as_secs_f64()
    );
    let [digest, seal, open] = passes();
    println!(
        "{:>10.0} and {:.0} MB/s are the three digests and the cipher alone, out and in",
        1.0 / (3.0 * digest + seal),
        1.0 / (3.0 * digest + open)
    );
    println!(
        "{:>10.0} MB/s of CPU out, {memory:.0} MiB at most",
        megabytes / spent
    );
    println!(
        "{:>10.0} MB/s of CPU in, up to the MDN, {at_answer:.0} MiB at most",
        megabytes / received
    );
    println!(
        "{:>10.0} MB/s of CPU in, read and held too, {:.0} MiB at most",
        megabytes / all,
        peak(server.child.id()).unwrap_or_default()
    );
}

fn small(sizes: &Sizes, us: &Identity, them: &Identity, keys: &Keys) {
    let floor = 2.0 * private_operation();
    let seal = |n: usize| request(&order(n, 10_000), &format!("<{n}@them>"), keys, None);
    let requests: Vec<Vec<u8>> = (1..=sizes.messages).map(seal).collect();
    for (name, worker) in [("received", false), ("received, read and delivered", true)] {
        let house = House::new(us, ("US", "THEM"), them, "http://127.0.0.1:9/", "");
        let server = match worker {
            true => house.serve(),
            false => house.receiver(),
        };
        let (from, start) = (server.cpu(), Instant::now());
        let mut spent = post(&server, &requests);
        let took = start.elapsed().as_secs_f64();
        if worker {
            server.settle();
            spent = server.cpu() - from;
        }
        let each = spent / requests.len() as f64;
        println!(
            "{:>10.0} orders of 10 KB {name}, each CPU second ({:.2} x its two RSA operations; {:.0}/s)",
            1.0 / each,
            each / floor,
            requests.len() as f64 / took
        );
    }
}

fn chunks(sizes: &Sizes, us: &Identity, them: &Identity, keys: &Keys) {
    let payload = order(1, sizes.body);
    let mut costs = [f64::MAX; 2];
    // The least of three: the machine has other things to do.
    for _ in 0..3 {
        for (chunk, cost) in [None, Some(8192)].into_iter().zip(&mut costs) {
            let house = House::new(us, ("US", "THEM"), them, "http://127.0.0.1:9/", "");
            let server = house.receiver();
            let one = vec![request(&payload, "<1@them>", keys, chunk)];
            let posted: f64 = (0..sizes.bodies).map(|_| post(&server, &one)).sum();
            *cost = cost.min(posted / sizes.bodies as f64);
        }
    }
    println!(
        "{:>10.2} x the CPU in chunks of 8 KiB as with its length ({:.0} ms for {} MB)",
        costs[1] / costs[0],
        costs[0] * 1e3,
        sizes.body / 1_000_000
    );
}

fn main() {
    if let Some(folder) = std::env::var_os(store::FILLER) {
        return store::fill_only(Path::new(&folder));
    }
    if let Some(folder) = std::env::var_os(RECEIVER) {
        return receive_only(Path::new(&folder));
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let brief = words.iter().any(|word| word == "--brief");
    let wants = |name: &str| {
        let named = words.iter().filter(|word| !word.starts_with("--"));
        named.clone().next().is_none() || named.clone().any(|word| word == name)
    };
    let sizes = match brief {
        true => Sizes {
            messages: 32,
            large: 4_000_000,
            body: 2_000_000,
            bodies: 1,
        },
        false => Sizes {
            messages: 6000,
            large: 1_000_000_000,
            body: 50_000_000,
            bodies: 8,
        },
    };
    let (from, to) = (
        Utc::now() - TimeDelta::days(1),
        Utc::now() + TimeDelta::days(1),
    );
    let us = Identity::generate("us", 1, from, to).unwrap();
    let them = Identity::generate("them", 2, from, to).unwrap();
    let keys = Keys {
        ours: vec![them.clone()],
        theirs: vec![us.certificate.clone()],
    };
    if wants("small") {
        small(&sizes, &us, &them, &keys);
    }
    if wants("store") {
        let count = if brief { 500 } else { 30_000 };
        store::figures(count, House::folder);
    }
    if wants("paced") {
        let seconds = words.iter().find_map(|word| word.parse().ok());
        let usual = if brief { 1 } else { 30 };
        paced::figure(seconds.unwrap_or(usual), &us, &them, &keys);
    }
    if wants("chunks") {
        chunks(&sizes, &us, &them, &keys);
    }
    if wants("large") {
        exchange(&sizes, &us, &them, "");
        exchange(&sizes, &us, &them, "chunked = true\n");
    }
}
