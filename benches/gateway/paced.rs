//! Latencies at a steady rate, open loop.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use transload::as2::{Identity, Keys};

use super::{CONNECTIONS, House, answered, order, request};

/// Messages a second.
const RATE: usize = 100;

/// Latencies of signed receipts in the request, at a steady rate that leaves room.
pub(super) fn figure(seconds: usize, us: &Identity, them: &Identity, keys: &Keys) {
    let seal = |n: usize| request(&order(n, 10_000), &format!("<p{n}@them>"), keys, None);
    let requests: Vec<Vec<u8>> = (1..=seconds * RATE).map(seal).collect();
    let house = House::new(us, ("US", "THEM"), them, "http://127.0.0.1:9/", "");
    let server = house.serve();
    let connect = || BufReader::new(TcpStream::connect(server.as2).unwrap());
    let lanes: Vec<Mutex<_>> = (0..CONNECTIONS).map(|_| Mutex::new(connect())).collect();
    let [half, most, nearly] = paced(&requests, RATE as u64, CONNECTIONS, |lane, request| {
        let mut stream = lanes[lane].lock().unwrap();
        stream.get_mut().write_all(request).unwrap();
        answered(&mut stream);
    });
    println!(
        "{nearly:>10.1} ms p99 of a signed receipt at {RATE} messages a second over {seconds} s, {most:.1} p95, \
         {half:.1} p50; all that follows goes on beside it"
    );
}

/// Posts requests at a steady rate over a few connections, and tells the latencies from when each was
/// due: who waits for another is late by that too.
fn paced(
    requests: &[Vec<u8>],
    rate: u64,
    lanes: usize,
    post: impl Fn(usize, &[u8]) + Sync,
) -> [f64; 3] {
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let mut late: Vec<f64> = std::thread::scope(|scope| {
        let lane = |lane: usize| {
            let (next, post) = (&next, &post);
            scope.spawn(move || {
                let mut own = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(request) = requests.get(n) else {
                        return own;
                    };
                    let due = start + Duration::from_micros(n as u64 * 1_000_000 / rate);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    post(lane, request);
                    own.push(due.elapsed().as_secs_f64() * 1e3);
                }
            })
        };
        let lanes: Vec<_> = (0..lanes).map(lane).collect();
        lanes
            .into_iter()
            .flat_map(|lane| lane.join().unwrap())
            .collect()
    });
    late.sort_by(f64::total_cmp);
    [0.5, 0.95, 0.99].map(|share| late[((late.len() - 1) as f64 * share) as usize])
}
