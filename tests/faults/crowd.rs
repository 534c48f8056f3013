//! F1, F2, F3, F16, F21: crowds at the real program's door, and what a partner notices of them.
//!
//! A few hundred in an ordinary run; thousands, which no debug build is quick at, with
//! `TRANSLOAD_FAULTS=full`. Each hundred come from an address of their own (127.0.0.0/8).

use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use transload::as2::{self, Document, Keys, Profile};
use transload::net;

use super::{figure, often};
use crate::exchange::pair::identities;
use crate::houses::{Receipts, Side, Who, free_port, side};

/// Connections from one address.
const EACH: usize = 100;

/// The program, with one partner.
struct Program {
    child: Child,
    address: SocketAddr,
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
    fn start(more: &str) -> Program {
        let port = free_port();
        let side = side(Who::Seller, Receipts::Sync, (port, free_port()));
        let file = side.path("transload.toml");
        let settings = std::fs::read_to_string(&file).unwrap() + more;
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
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
            _side: side,
        };
        while std::net::TcpStream::connect(address).is_err() {
            assert!(program.child.try_wait().unwrap().is_none(), "it ended");
            std::thread::yield_now();
        }
        program
    }

    /// The memory that it has now, in MiB.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024.0
    }

    /// The time in milliseconds below which 99 of 100 messages of a partner are answered, one after
    /// the other, each on a connection of its own.
    fn p99(&self, runtime: &Runtime, many: usize) -> f64 {
        let mut times = Vec::new();
        for _ in 0..many {
            let request = sealed();
            let from = Instant::now();
            let answer = runtime.block_on(post(self.address, &request));
            times.push(from.elapsed().as_secs_f64() * 1e3);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        times.sort_by(f64::total_cmp);
        times[times.len() * 99 / 100]
    }
}

/// A message of the partner's, as it goes over a connection that ends with it.
fn sealed() -> Vec<u8> {
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
    let entropy = &mut net::entropy;
    let id = as2::message_id("QUILLFEATHER", entropy, Utc::now());
    let document = Document {
        content_type: "application/octet-stream",
        file_name: None,
        message_id: &id,
    };
    let (mut body, payload) = (Vec::new(), Cursor::new(id.as_bytes()));
    let sealed = as2::seal(
        payload,
        &mut body,
        document,
        &keys,
        &profile,
        entropy,
        Utc::now(),
    );
    let mut head = b"POST /as2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".to_vec();
    head.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
    [head, sealed.unwrap().headers.to_bytes(), body].concat()
}

async fn post(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The nth of a crowd.
async fn connect(address: SocketAddr, n: usize) -> TcpStream {
    let number = u32::try_from(n / EACH).unwrap() + 2;
    let own = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + number);
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((own, 0).into()).unwrap();
    socket.connect(address).await.unwrap()
}

/// Each writes some bytes at once, and then one every second until it is cut; how many were.
async fn drip(streams: &mut Vec<TcpStream>, seconds: usize) -> usize {
    let before = streams.len();
    for _ in 0..seconds {
        let from = Instant::now();
        let mut left = Vec::new();
        for stream in streams.drain(..) {
            let (mut end, mut gone) = ([0; 256], false);
            match stream.try_read(&mut end) {
                Ok(_) => gone = true,
                Err(why) => gone |= why.kind() != std::io::ErrorKind::WouldBlock,
            }
            gone = gone || stream.try_write(b"x").is_err();
            if !gone {
                left.push(stream);
            }
        }
        *streams = left;
        tokio::time::sleep(Duration::from_secs(1).saturating_sub(from.elapsed())).await;
    }
    before - streams.len()
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    { runtime }.worker_threads(1).enable_all().build().unwrap()
}

/// A crowd that says `first` and then drips: memory, p99 before and meanwhile, how many were cut.
fn slow(row: &str, crowd: usize, first: &[u8], limits: &str, text: &str) {
    let (runtime, probes) = (runtime(), often(10, 200));
    let program = Program::start(limits);
    let quiet = program.p99(&runtime, probes);
    let before = program.memory();
    let mut streams = runtime.block_on(async {
        let mut streams = Vec::new();
        for n in 0..crowd {
            let mut stream = connect(program.address, n).await;
            let _ = stream.write_all(first).await;
            streams.push(stream);
        }
        streams
    });
    let seconds = often(0, 40);
    let dripping = runtime.spawn(async move {
        let cut = drip(&mut streams, seconds).await;
        (cut, streams)
    });
    let crowded = program.p99(&runtime, probes);
    let memory = program.memory() - before;
    let (cut, streams) = runtime.block_on(dripping).unwrap();
    drop(streams);
    let after = program.p99(&runtime, 5);
    assert!(after.is_finite());
    let told = format!(
        "{crowd} {text}: a partner's p99 {quiet:.0} ms before, {crowded:.0} ms meanwhile; {memory:.0} \
         MiB more ({:.1} KiB each); {cut} were cut in {seconds} s (a debug build)",
        memory * 1024.0 / crowd as f64
    );
    figure(row, crowd as u64, 0, &told);
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
    let crowd = often(40, 5000);
    let runtime = runtime();
    let program = Program::start("");
    let requests: Vec<_> = (0..crowd).map(|_| sealed()).collect();
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
         {peak:.0} MiB at most (a debug build)",
        from.elapsed().as_secs_f64()
    );
    figure("F21", crowd as u64, 0, &told);
}
