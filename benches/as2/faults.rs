//! Whether what is wrong with an encrypted message can be told by our answer or by our time.
//!
//! Welch's t over the times of two kinds of fault, which take turns at random: beyond ±4.5 they
//! differ. What is slow is the machine's doing and not ours: the slowest hundredth, tenth and half
//! are left out in turn, and the largest t counts. Told are the time of opening alone, and the time
//! after which the gateway answers, who waits for a beat: this is what a sender sees.

use std::thread::sleep;
use std::time::Instant;

use openssl::encrypt::Encrypter;
use openssl::pkey::{PKey, Public};
use openssl::x509::X509;
use transload::as2::{self, Cipher, Disposition, Headers, Keys, Profile};
use transload::gateway::until_beat;

use super::{AT, keys, payload, seal};

/// Bytes of an RSA-2048 operation.
const WRAPPED: usize = 256;

/// A generator that is the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }

    fn fill(&mut self, out: &mut [u8]) {
        out.iter_mut().for_each(|byte| *byte = self.next(256) as u8);
    }
}

struct Message {
    headers: Headers,
    body: Vec<u8>,
    /// Where the wrapped key starts.
    wrapped: usize,
    profile: Profile,
    keys: Keys,
    public: PKey<Public>,
}

impl Message {
    fn new(cipher: Cipher) -> Message {
        let (keys, profile) = (
            keys(),
            Profile {
                encrypt: Some(cipher),
                ..Profile::default()
            },
        );
        let (sealed, body) = seal(&payload(1000), &keys, &profile);
        let head = [0x04, 0x82, 0x01, 0x00];
        let wrapped = body.windows(4).position(|four| four == head);
        let pem = keys.ours[0].certificate.to_pem().expect("a certificate");
        let x509 = X509::from_pem(&pem).expect("a certificate");
        Message {
            headers: sealed.headers,
            wrapped: wrapped.expect("a wrapped key of RSA-2048") + 4,
            body,
            profile,
            keys,
            public: x509.public_key().expect("a key"),
        }
    }

    fn answer(&self, body: &[u8]) -> Option<Disposition> {
        let mut sink = Vec::with_capacity(body.len());
        let opened = as2::open(
            &self.headers,
            body,
            &mut sink,
            &self.keys,
            &self.profile,
            AT,
        );
        opened.err().map(|error| error.disposition(false))
    }

    /// The message with this in place of its wrapped key.
    fn with_key(&self, key: &[u8; WRAPPED]) -> Vec<u8> {
        let mut body = self.body.clone();
        body[self.wrapped..self.wrapped + WRAPPED].copy_from_slice(key);
        body
    }

    /// With a wrapped key whose padding is wrong.
    fn bad_padding(&self, random: &mut Random) -> Vec<u8> {
        let mut key = [0; WRAPPED];
        random.fill(&mut key[1..]);
        self.with_key(&key)
    }

    /// With another key of that length, well wrapped.
    fn other_key(&self, random: &mut Random, length: usize) -> Vec<u8> {
        let mut key = vec![0; length];
        random.fill(&mut key);
        let mut wrapped = [0; WRAPPED];
        let encrypter = Encrypter::new(&self.public);
        let written = encrypter.and_then(|encrypter| encrypter.encrypt(&key, &mut wrapped));
        written.expect("a wrapped key");
        self.with_key(&wrapped)
    }

    /// With one byte flipped, so far from the end.
    fn flipped(&self, random: &mut Random, from_end: usize) -> Vec<u8> {
        let mut body = self.body.clone();
        let at = body.len() - 1 - from_end;
        body[at] ^= 1 + random.next(255) as u8;
        body
    }
}

type Fault<'f> = &'f dyn Fn(&mut Random) -> Vec<u8>;

/// Welch's t of two kinds of fault, half of `trials` each: of opening alone, and of the answer.
fn t(
    message: &Message,
    random: &mut Random,
    trials: usize,
    faults: [Fault<'_>; 2],
) -> [(&'static str, f64); 2] {
    let mut alone = [Vec::new(), Vec::new()];
    let mut answered = alone.clone();
    for _ in 0..trials {
        // Both are made, so that making one leaves no other traces in the caches.
        let bodies = faults.map(|fault| fault(random));
        let kind = random.next(2);
        let body = &bodies[kind];
        let start = Instant::now();
        let answer = message.answer(body);
        alone[kind].push(start.elapsed().as_nanos() as f64);
        sleep(until_beat(start.elapsed()));
        answered[kind].push(start.elapsed().as_nanos() as f64);
        let due = Disposition::error("decryption-failed");
        assert_eq!(answer, Some(due), "another answer, or none");
    }
    [("opening alone", alone), ("the answer", answered)].map(|(what, times)| {
        println!(" {what}:");
        (what, largest(&times))
    })
}

/// The largest t, with the slowest times left out or not.
fn largest(times: &[Vec<f64>; 2]) -> f64 {
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let cut = |hundredths: usize| welch(times, all[all.len() * hundredths / 100]);
    let larger = |a: f64, b: f64| if a.abs() > b.abs() { a } else { b };
    [99, 90, 50].map(cut).into_iter().fold(0.0, larger)
}

/// Welch's t of the times below a limit.
fn welch(times: &[Vec<f64>; 2], limit: f64) -> f64 {
    let [a, b] = times.each_ref().map(|times| {
        let kept: Vec<f64> = times.iter().copied().filter(|time| *time < limit).collect();
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let spread = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>();
        (mean, spread / (count - 1.0) / count)
    });
    let t = (a.0 - b.0) / (a.1 + b.1).sqrt();
    println!("  {:.2} and {:.2} µs: {t:.2}", a.0 / 1000.0, b.0 / 1000.0);
    t
}

/// Flips bytes anywhere behind the head of the envelope; the answer is always the same.
fn mutations(message: &Message, random: &mut Random, trials: usize) {
    // ContentInfo and its content type come first, and name what nobody hides.
    let start = 30;
    for _ in 0..trials {
        let mut body = message.body.clone();
        for _ in 0..=random.next(3) {
            let at = start + random.next(body.len() - start);
            body[at] ^= 1 + random.next(255) as u8;
        }
        if random.next(8) == 0 {
            body.truncate(start + random.next(body.len() - start));
        }
        if body == message.body {
            continue;
        }
        let due = Disposition::error("decryption-failed");
        assert_eq!(message.answer(&body), Some(due), "another answer, or none");
    }
}

/// Prints t for pairs of faults, and tries mutations: those whose name has this word in it.
pub(crate) fn run(trials: usize, word: &str) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (cbc, gcm) = (
        Message::new(Cipher::Aes256Cbc),
        Message::new(Cipher::Aes256Gcm),
    );
    let m = &cbc;
    let pairs: [(&str, &Message, [Fault<'_>; 2]); 6] = [
        (
            "wrong padding of the key, another key",
            m,
            [&|r| m.bad_padding(r), &|r| m.other_key(r, 32)],
        ),
        (
            "wrong padding of the key, a key that is too short",
            m,
            [&|r| m.bad_padding(r), &|r| m.other_key(r, 16)],
        ),
        (
            // The last byte of the block before the last is the padding's length; the block
            // before that is base64 of the signature.
            "wrong padding of the content, a wrong signature",
            m,
            [&|r| m.flipped(r, 16), &|r| m.flipped(r, 320)],
        ),
        (
            "wrong padding of the content, changed content",
            m,
            [&|r| m.flipped(r, 16), &|r| m.flipped(r, 3000)],
        ),
        (
            "GCM: another key, a wrong tag",
            &gcm,
            [&|r| gcm.other_key(r, 32), &|r| gcm.flipped(r, 3)],
        ),
        (
            "GCM: wrong padding of the key, another key",
            &gcm,
            [&|r| gcm.bad_padding(r), &|r| gcm.other_key(r, 32)],
        ),
    ];
    for (name, message, faults) in pairs.into_iter().filter(|pair| pair.0.contains(word)) {
        println!("{name}, {trials} trials:");
        for (what, t) in t(message, &mut random, trials, faults) {
            let differ = if t.abs() < 4.5 { "" } else { ": they differ" };
            println!("  {what}: t = {t:.2}{differ}");
        }
    }
    for (name, message) in [("mutations in CBC", &cbc), ("mutations in GCM", &gcm)] {
        if name.contains(word) {
            mutations(message, &mut random, trials);
            println!("{trials} {name}: one answer");
        }
    }
}
