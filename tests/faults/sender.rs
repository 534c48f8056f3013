//! The asking partner: sends every message until it is answered for, the same bytes under the same
//! Message-ID, and keeps a ledger.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::Utc;
use transload::as2::Mdn;

use super::chance::Chance;
use super::house::{PATIENCE, Waiting};
use super::order::{Order, Relation, Sealed, keys};
use super::wire::{Answer, Line};

/// Before another try where nobody listens; and where we are asked to come back.
const AGAIN: Duration = Duration::from_millis(4);
const LATER: Duration = Duration::from_millis(20);
/// One in so many messages is asked again after it was answered for; one in so many tries does not
/// listen to the end of the answer.
const REPEATED: usize = 16;
const DEAF: usize = 40;

/// The piece of a request that is on the wire when the gateway is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Head,
    Body,
    /// All of it, and some bytes of the answer.
    Answer,
}

/// What all senders of a run share.
pub(super) struct Run {
    pub(super) seed: u64,
    pub(super) messages: usize,
    pub(super) port: u16,
    pub(super) receipts_to: String,
    next: AtomicUsize,
    /// Messages that were answered for.
    pub(super) acknowledged: AtomicUsize,
    pub(super) attempts: AtomicU64,
    /// Questions that had their answer already.
    pub(super) repeated: AtomicU64,
    /// Answers 503.
    pub(super) refused: AtomicU64,
    /// Set by whoever gives up.
    pub(super) stop: AtomicBool,
    /// A piece that is wanted on the wire, and the connection once it is there.
    pub(super) wanted: Mutex<Option<Piece>>,
    pub(super) granted: Mutex<Option<TcpStream>>,
    pub(super) wrong: Mutex<Vec<String>>,
    /// The ledger: a line for each message that was answered for, written at once.
    ledger: Mutex<File>,
}

impl Run {
    pub(super) fn new(
        (seed, messages): (u64, usize),
        port: u16,
        receipts_to: &str,
        ledger: File,
    ) -> Run {
        Run {
            seed,
            messages,
            port,
            receipts_to: receipts_to.to_owned(),
            next: AtomicUsize::new(0),
            acknowledged: AtomicUsize::new(0),
            attempts: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            wanted: Mutex::default(),
            granted: Mutex::default(),
            wrong: Mutex::default(),
            ledger: Mutex::new(ledger),
        }
    }

    pub(super) fn progress(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    pub(super) fn done(&self) -> bool {
        self.progress() >= self.messages || self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn complain(&self, what: String) {
        let mut wrong = self.wrong.lock().unwrap();
        wrong.push(what);
        // One that goes on for ever tells nothing new.
        if wrong.len() > 20 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    /// One sender: takes messages until there are none.
    pub(super) fn send_all(&self, mut chance: Chance) {
        let mut line = Line::new(self.port);
        while !self.stop.load(Ordering::Relaxed) {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.messages {
                return;
            }
            let order = Order {
                seed: self.seed,
                index,
            };
            let sealed = order.sealed(&self.receipts_to);
            self.send(order, &sealed, &mut line, &mut chance);
        }
    }

    fn send(&self, order: Order, sealed: &Sealed, line: &mut Line, chance: &mut Chance) {
        let mut first: Option<[u8; 32]> = None;
        let mut again = match chance.below(REPEATED) {
            0 => 1 + chance.below(3),
            _ => 0,
        };
        let mut waiting = Waiting::new();
        while !self.stop.load(Ordering::Relaxed) {
            self.grant(sealed, line, chance);
            if chance.below(DEAF) == 0 {
                let _ = line.piece(&sealed.bytes, 1 + chance.below(2000));
            }
            self.attempts.fetch_add(1, Ordering::Relaxed);
            let answer = line.ask(&sealed.bytes);
            match answer {
                Ok(answer) if matches!(answer.status, 200 | 202) => {
                    match first {
                        None => self.acknowledge(order, sealed, &answer),
                        Some(known) => {
                            self.repeated.fetch_add(1, Ordering::Relaxed);
                            if known != answer.digest() && answer.status == 200 {
                                let id = order.message_id();
                                self.complain(format!("I5: {id} was answered in two ways"));
                            }
                        }
                    }
                    first.get_or_insert(answer.digest());
                    if again == 0 {
                        return;
                    }
                    again -= 1;
                }
                // A request that was stopped on its way is late.
                Ok(answer) if matches!(answer.status, 408 | 503) => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(LATER);
                }
                Ok(answer) => {
                    let (id, status) = (order.message_id(), answer.status);
                    return self.complain(format!("I6: {id} was answered {status}"));
                }
                Err(_) => std::thread::sleep(AGAIN),
            }
            if waiting.over(PATIENCE) {
                return self.complain(format!("I6: {} is not answered", order.message_id()));
            }
        }
    }

    /// Puts the piece that is wanted on the wire.
    fn grant(&self, sealed: &Sealed, line: &Line, chance: &mut Chance) {
        let Some(piece) = self.wanted.lock().unwrap().take() else {
            return;
        };
        let body = sealed.bytes.len() - sealed.head;
        let (upto, read) = match piece {
            Piece::Head => (1 + chance.below(sealed.head - 1), 0),
            Piece::Body => (sealed.head + body / 2, 0),
            Piece::Answer => (sealed.bytes.len(), 1 + chance.below(2000)),
        };
        match line.piece(&sealed.bytes[..upto], read) {
            Ok(stream) => *self.granted.lock().unwrap() = Some(stream),
            Err(_) => *self.wanted.lock().unwrap() = Some(piece),
        }
    }

    /// The first answer to a message: looked at, and written down.
    fn acknowledge(&self, order: Order, sealed: &Sealed, answer: &Answer) {
        let relation = order.relation();
        let id = order.message_id();
        if relation == Relation::Later {
            if answer.status != 202 {
                self.complain(format!("I5: {id} was answered {} at once", answer.status));
            }
        } else {
            let (keys, profile) = (keys(), relation.profile());
            let read = Mdn::read(&answer.headers, &answer.body, &keys, &profile, Utc::now());
            match read {
                Ok(mdn)
                    if mdn.signature.is_some()
                        && mdn.answers(&id)
                        && mdn.disposition.is_positive()
                        && mdn
                            .mic
                            .as_ref()
                            .is_some_and(|m| m.to_string() == sealed.mic) => {}
                other => self.complain(format!("I5: {id} has the receipt {other:?}")),
            }
        }
        let digest = answer.digest();
        let line = format!("{} {:02x?}\n", order.index, &digest[..8]);
        self.ledger
            .lock()
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }
}
