//! F1, F2, F3, F21: crowds at the real program's door, and what a partner notices of them.
//!
//! A few hundred in an ordinary run; thousands, which no debug build is quick at, with
//! `TRANSLOAD_FAULTS=full` and, in `TRANSLOAD_FAULTS_PROGRAM`, an optimised build of the program. Each
//! hundred come from an address of their own (127.0.0.0/8).

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use openssl::ssl::{Ssl, SslContext};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio_openssl::SslStream;
use transload::as2::{self, Keys, Profile};
use transload::net;

use super::{figure, often};
use crate::conformance::wire::Request;
use crate::exchange::hostile::seal;
use crate::exchange::pair::identities;
use crate::houses::{Receipts, Side, Who, free_port, side};

/// Connections from one address.
const EACH: usize = 100;

/// Parts of a second in which a crowd writes: slow peers are not slow in step.
const PARTS: usize = 50;

/// The program, with one partner.
pub(super) struct Program {
    child: Child,
    pub(super) address: SocketAddr,
    /// How it was built, for who reads a figure.
    pub(super) built: &'static str,
    _side: Side,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// With these lines at the end of its settings.
    pub(super) fn start(more: &str) -> Program {
        let port = free_port();
        let side = side(Who::Seller, Receipts::Sync, (port, free_port()));
        let file = side.path("transload.toml");
        let settings = std::fs::read_to_string(&file).unwrap() + more;
        std::fs::write(&file, settings).unwrap();
        let (program, built) = binary();
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(&file);
        command.env("TRANSLOAD_LOG", crate::canary::level());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut program = Program {
            child,
            address,
            built,
            _side: side,
        };
        while std::net::TcpStream::connect(address).is_err() {
            assert!(program.child.try_wait().unwrap().is_none(), "it ended");
            std::thread::yield_now();
        }
        program
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A line of what the kernel says of its memory, in KiB.
    pub(super) fn kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// The memory that it has now, in MiB.
    pub(super) fn memory(&self) -> f64 {
        self.kib("VmRSS:") as f64 / 1024.0
    }

    /// The time in milliseconds below which 99 of 100 messages of a partner are answered, one after
    /// the other, each on a connection of its own (by TLS where there is a client for it); as long as
    /// something is so.
    pub(super) fn p99(
        &self,
        runtime: &Runtime,
        tls: Option<&SslContext>,
        many: usize,
        so: impl Fn() -> bool,
    ) -> f64 {
        let mut times = Vec::new();
        while times.len() < many && (so() || times.is_empty()) {
            let request = sealed(b"x");
            let from = Instant::now();
            let answer = match tls {
                None => runtime.block_on(post(self.address, request)),
                Some(client) => runtime.block_on(post_by(client, self.address, request)),
            };
            times.push(from.elapsed().as_secs_f64() * 1e3);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        times.sort_by(f64::total_cmp);
        times[times.len() * 99 / 100]
    }
}

/// A message of the partner's.
pub(super) fn sealed(payload: &[u8]) -> Request {
    let [buyer, seller, _] = identities();
    let keys = Keys {
        ours: vec![buyer.clone()],
        theirs: vec![seller.certificate.clone()],
    };
    let profile = Profile {
        our_id: "QUILLFEATHER".into(),
        their_id: "TINDERBOX".into(),
        ..Profile::default()
    };
    let id = as2::message_id("QUILLFEATHER", &mut net::entropy, Utc::now());
    // Or each would be suspected to be the last one again.
    let payload = [payload, id.as_bytes()].concat();
    let sealed = seal(&payload, &id, &keys, &profile);
    Request {
        headers: sealed.headers,
        body: sealed.body,
    }
}

/// What a message is answered, on a connection that ends with it.
pub(super) async fn post(address: SocketAddr, request: Request) -> String {
    say(TcpStream::connect(address).await.unwrap(), request).await
}

/// The same by TLS.
async fn post_by(client: &SslContext, address: SocketAddr, request: Request) -> String {
    let ssl = Ssl::new(client).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = SslStream::new(ssl, stream).unwrap();
    Pin::new(&mut stream).connect().await.unwrap();
    say(stream, request).await
}

async fn say(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: Request) -> String {
    let _ = stream.write_all(&request.bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The nth of a crowd.
pub(super) async fn connect(address: SocketAddr, n: usize) -> TcpStream {
    let number = u32::try_from(n / EACH).unwrap() + 2;
    let own = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + number);
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((own, 0).into()).unwrap();
    socket.connect(address).await.unwrap()
}

/// Each writes a byte every second until it is cut; `left` is how many are there.
async fn drip(mut streams: Vec<TcpStream>, seconds: usize, left: &AtomicUsize) {
    for _ in 0..seconds {
        let (from, size) = (Instant::now(), streams.len().div_ceil(PARTS).max(1));
        let mut still = Vec::new();
        for (part, own) in (1..).zip(streams.chunks(size)) {
            let mut all = own.len();
            for stream in own {
                let mut end = [0; 256];
                let read = stream.try_read(&mut end);
                let waits = read.is_err_and(|why| why.kind() == std::io::ErrorKind::WouldBlock);
                let there = waits && stream.try_write(b"x").is_ok();
                all -= usize::from(!there);
                still.push(there);
            }
            left.fetch_sub(own.len() - all, Ordering::Relaxed);
            let due = Duration::from_secs(1) / PARTS as u32 * part;
            tokio::time::sleep(due.saturating_sub(from.elapsed())).await;
        }
        let mut still = still.into_iter();
        streams.retain(|_| still.next().unwrap());
    }
}

/// A runtime of one thread.
pub(super) fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    { runtime }.worker_threads(1).enable_all().build().unwrap()
}

/// One whose thread has what the gateway and its partner leave: a crowd is elsewhere, and takes no
/// processor from them.
pub(super) fn aside() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().on_thread_start(|| {
        let thread = std::fs::read_link("/proc/thread-self").unwrap();
        let thread = thread.file_name().unwrap().to_os_string();
        let mut nice = Command::new("renice");
        let nice = nice.args(["-n", "19", "-p"]).arg(thread);
        let _ = nice.stdout(Stdio::null()).stderr(Stdio::null()).status();
    });
    runtime.build().unwrap()
}

/// A crowd that says `first` and then drips: memory, p99 before, meanwhile and after it, how many were
/// cut.
fn slow(row: &str, crowd: usize, first: &'static [u8], limits: &str, text: &str) {
    let (runtime, elsewhere, probes) = (runtime(), aside(), often(10, 400));
    let (program, seconds) = (Program::start(limits), often(1, 40));
    let quiet = program.p99(&runtime, None, probes, || true);
    let (before, address) = (program.memory(), program.address);
    let open = elsewhere.spawn(async move {
        let mut streams = Vec::new();
        for n in 0..crowd {
            let mut stream = connect(address, n).await;
            let _ = stream.write_all(first).await;
            streams.push(stream);
        }
        streams
    });
    let streams = runtime.block_on(open).unwrap();
    let left = Arc::new(AtomicUsize::new(crowd));
    let (own, from) = (Arc::clone(&left), Instant::now());
    let dripping = elsewhere.spawn(async move {
        drip(streams, seconds, &own).await;
        from.elapsed()
    });
    let there = || left.load(Ordering::Relaxed) * 10 > crowd * 9;
    let crowded = program.p99(&runtime, None, probes, there);
    let memory = program.memory() - before;
    let took = runtime.block_on(dripping).unwrap();
    let after = program.p99(&runtime, None, probes, || true);
    let cut = crowd - left.load(Ordering::Relaxed);
    let told = format!(
        "{crowd} {text}: a partner's p99 {quiet:.1} ms before, {crowded:.1} ms meanwhile, {after:.1} ms \
         after; {memory:.0} MiB more ({:.1} KiB each); {cut} were cut in {:.0} s ({})",
        memory * 1024.0 / crowd as f64,
        took.as_secs_f64(),
        program.built
    );
    figure(row, crowd as u64, 0, &told);
}

/// The program, and how it was built: `TRANSLOAD_FAULTS_PROGRAM` names an optimised one.
fn binary() -> (OsString, &'static str) {
    match std::env::var_os("TRANSLOAD_FAULTS_PROGRAM") {
        Some(path) => (path, "an optimised build"),
        None => (env!("CARGO_BIN_EXE_transload").into(), "a debug build"),
    }
}

#[test]
fn f1_a_crowd_that_writes_heads_slowly() {
    let head = b"POST /as2 HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    slow(
        "F1",
        often(200, 10_000),
        head,
        "",
        "heads a byte a second, from 100 addresses",
    );
}

#[test]
fn f2_a_crowd_that_writes_bodies_slowly() {
    let head = b"POST /as2 HTTP/1.1\r\nHost: x\r\nAS2-From: QUILLFEATHER\r\nAS2-To: TINDERBOX\r\n\
        Message-ID: <slow@x>\r\nContent-Type: application/pkcs7-mime\r\nContent-Length: 100000\r\n\r\n";
    slow("F2", often(150, 5000), head, "", "bodies a byte a second");
}

#[test]
fn f3_a_crowd_that_is_idle() {
    let request = b"HEAD /as2 HTTP/1.1\r\nHost: x\r\n\r\n";
    let limits = "[limits]\nheader_seconds = 60\n";
    slow(
        "F3",
        often(200, 10_000),
        request,
        limits,
        "idle connections, each after a request",
    );
}

#[test]
fn f21_a_crowd_of_messages() {
    let crowd = often(40, 10_000);
    let runtime = runtime();
    let program = Program::start("");
    let requests: Vec<_> = (0..crowd).map(|_| sealed(b"x").bytes()).collect();
    let address = program.address;
    let from = Instant::now();
    let (mut later, mut peak) = (0, 0.0_f64);
    runtime.block_on(async {
        let mut all = tokio::task::JoinSet::new();
        for (n, request) in requests.into_iter().enumerate() {
            all.spawn(async move {
                let mut later = 0;
                loop {
                    let mut stream = connect(address, n).await;
                    let _ = stream.write_all(&request).await;
                    let mut answer = Vec::new();
                    let _ = stream.read_to_end(&mut answer).await;
                    match answer.get(9..12) {
                        Some(b"200") => return later,
                        Some(b"503") => later += 1,
                        _ => panic!("{}", String::from_utf8_lossy(&answer)),
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
        }
        while let Some(one) = all.join_next().await {
            later += one.unwrap();
            peak = peak.max(program.memory());
        }
    });
    let told = format!(
        "{crowd} at once, each answered with its receipt within {:.0} s; 503 was said {later} times; \
         {peak:.0} MiB at most ({})",
        from.elapsed().as_secs_f64(),
        program.built
    );
    figure("F21", crowd as u64, 0, &told);
}
