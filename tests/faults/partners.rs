//! D: the network to a partner, and the partner, fail.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use transload::as2::Headers;
use transload::clock::Clock;
use transload::store::{Direction, MessageState, Sqlite, WorkKind};

use super::proxy::{Fault, Proxy};
use super::{figure, often};
use crate::conformance::wire::{Relation, Stub, Us, day, respond, status, them};

/// The port of nobody.
pub(super) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/as2", listener.local_addr().unwrap())
}

/// A gateway whose patience with an answer is short.
fn hasty(url: &str, more: &str) -> Us {
    Us::made(&[Relation::default().url(url).more(more)], |_, settings| {
        settings.limits.client.total_time = Duration::from_millis(300);
    })
}

/// When the next message may go, in this gateway's time.
fn next(us: &Us) -> Option<DateTime<Utc>> {
    let kinds = [WorkKind::Send, WorkKind::Compose, WorkKind::Seal];
    let store = us.gateway().store();
    let claim = store.claim(&kinds, 0, Duration::ZERO, us.clock.now());
    us.wait(claim).unwrap().next
}

/// Waits until nothing can go now, nor is under way.
fn rest(us: &Us) {
    us.until(|| {
        let now = us.clock.now();
        if next(us).is_some_and(|next| next <= now) {
            return None;
        }
        let queue = us.wait(us.gateway().store().queue(usize::MAX)).unwrap();
        let busy = queue.waiting.iter().any(|row| row.leased);
        // A long queue is not looked through at each step.
        std::thread::sleep(Duration::from_micros(10 * queue.waiting.len() as u64));
        (!busy).then_some(())
    });
}

/// Of the newest hundred at most.
fn states(us: &Us) -> Vec<MessageState> {
    let all = us.messages(Direction::Outbound).into_iter();
    all.map(|message| message.state).collect()
}

/// Lets hours pass until all messages, so many, are confirmed.
fn all_confirmed(us: &Us, many: usize) {
    let all = [(Direction::Outbound, MessageState::Confirmed, many as u64)];
    for _ in 0..72 {
        rest(us);
        let counts = us.wait(us.gateway().store().counts()).unwrap();
        if counts.messages == all {
            return;
        }
        us.later(TimeDelta::hours(1));
    }
    panic!(
        "{:?}",
        us.wait(us.gateway().store().counts()).unwrap().messages
    );
}

#[test]
fn d1_each_way_not_to_reach_a_partner_has_its_name_and_is_tried_again() {
    let plain = server(|stream| drop(stream.write_all(&status(400))));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let table = [
        (nobody(), "cannot connect"),
        ("http://nosuch.invalid/as2".into(), "cannot connect"),
        (plain.replace("http:", "https:"), "no TLS with"),
        (
            format!("https://{}/as2", silent.local_addr().unwrap()),
            "not ready within",
        ),
    ];
    for (url, class) in &table {
        let us = hasty(url, "");
        let document = us.send();
        for tries in 1..=2 {
            let message = us.tried(document, tries);
            assert_eq!(message.message.state, MessageState::Sealed, "{url}");
            let told = message.events.iter().filter(|e| e.what == "retry");
            assert!(told.clone().all(|e| e.detail.contains(class)), "{url}");
            assert_eq!(told.count(), tries);
            us.later(TimeDelta::hours(1));
        }
    }
    figure("D1", table.len() as u64, 0, "each told by its own words");
}

#[test]
fn d2_d3_what_a_connection_loses_goes_again_as_it_was() {
    let long = 2000;
    let faults = [
        Fault::Reset(1),
        Fault::Reset(700),
        Fault::Reset(long),
        Fault::Cut(0),
        Fault::Cut(1),
        Fault::Cut(200),
        Fault::Cut(long),
        Fault::Corrupt,
        Fault::Twice,
    ];
    let (mut lost, mut doubled) = (0, 0);
    for fault in faults {
        let stub = Stub::good();
        let proxy = Proxy::to(&stub.url, move |number| match number {
            0 => fault,
            _ => Fault::None,
        });
        let us = Us::to(&proxy.url, "");
        let document = us.send();
        let first = us.tried(document, 1).message;
        if fault != Fault::Twice {
            assert_ne!(first.state, MessageState::Confirmed, "{fault:?}");
            us.later(TimeDelta::hours(1));
            let second = us.tried(document, 2);
            assert_eq!(
                second.message.state,
                MessageState::Confirmed,
                "{fault:?}: {:?}",
                second.events
            );
        }
        let seen = stub.seen();
        for one in &seen {
            let same = (&one.head, &one.body) == (&seen[0].head, &seen[0].body);
            assert!(same, "{fault:?}: other bytes");
        }
        match fault {
            Fault::Reset(_) => lost += u64::from(seen.len() == 1),
            _ => doubled += u64::from(seen.len() == 2),
        }
    }
    assert_eq!((lost, doubled), (3, 6));
    figure(
        "D2",
        3,
        0,
        "cut at three places; the partner got one whole copy each time",
    );
    let told = "six ways to lose an answer; head and body of the second copy equal the first's";
    figure("D3", 6, 0, told);
}

#[test]
fn d6_who_asks_for_time_is_not_asked_before() {
    let codes = [408, 425, 429, 500, 502, 503, 504];
    for code in codes {
        let stub = Stub::new(move |n, seen| match n {
            0 => {
                let wait: Headers = [("Retry-After", "120")].into_iter().collect();
                respond(code, &wait, b"")
            }
            _ => seen.receipt(|_| {}),
        });
        let us = Us::to(&stub.url, "");
        let document = us.send();
        us.tried(document, 1);
        let wait = next(&us).unwrap() - day();
        // The store keeps microseconds; our own first wait is 60 s at most.
        assert!(wait > TimeDelta::seconds(119), "{code}: {wait}");
        us.later(TimeDelta::seconds(121));
        let confirmed = us.tried(document, 2).message.state;
        assert_eq!(confirmed, MessageState::Confirmed, "{code}");
    }
    figure(
        "D6",
        codes.len() as u64,
        0,
        "no gap below the 120 s that were asked for",
    );
}

#[test]
fn d7_what_is_refused_for_good_is_tried_once() {
    let codes = [400, 401, 403, 404, 405, 410, 413, 415, 422, 501, 505];
    for code in codes {
        let stub = Stub::new(move |_, _| status(code));
        let us = Us::to(&stub.url, "");
        assert_eq!(us.sent().message.state, MessageState::Dead, "{code}");
        us.later(TimeDelta::hours(80));
        rest(&us);
        assert_eq!(stub.seen().len(), 1, "{code}");
    }
    figure("D7", codes.len() as u64, 0, "one try each");
}

#[test]
fn d8_h12_no_redirect_is_followed() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let target = format!("http://{}/as2", inside.local_addr().unwrap());
    let codes = [301, 302, 303, 307, 308];
    for code in codes {
        let target = target.clone();
        let away = move |_: usize, _: &_| {
            let there: Headers = [("Location", target.as_str())].into_iter().collect();
            respond(code, &there, b"")
        };
        let stub = Stub::new(away.clone());
        assert_eq!(
            Us::to(&stub.url, "").sent().message.state,
            MessageState::Dead
        );
        // The same for a receipt of ours that is posted.
        let stub = Stub::new(away);
        let us = Us::to(&stub.url, crate::conformance::wire::LAX);
        let request = crate::conformance::wire::Request::plain(b"x");
        us.post(&request.also("Receipt-Delivery-Option", &stub.url));
        us.until(|| (stub.seen().len() == 1).then_some(()));
        us.idle();
    }
    assert!(inside.accept().is_err(), "somebody went there");
    let told = "0 connections to where they point";
    figure("D8", codes.len() as u64, 0, told);
    figure("H12", codes.len() as u64, 0, told);
}

/// A server of one connection at a time, which gets its request read.
fn server(answer: impl Fn(&mut TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/as2", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1 << 16]);
            answer(&mut stream);
        }
    });
    url
}

#[test]
fn d9_a_receipt_without_end_is_cut() {
    let stub = Stub::good();
    let pause = Duration::from_millis(20);
    let proxy = Proxy::to(&stub.url, move |_| Fault::Trickle(pause));
    let slow = hasty(&proxy.url, "").sent();
    assert_ne!(slow.message.state, MessageState::Confirmed);
    let cut = slow
        .events
        .iter()
        .any(|e| e.detail.contains("no answer within"));
    assert!(cut, "{:?}", slow.events);

    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let large = server(move |stream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n";
        let mut more = stream.write_all(head);
        while more.is_ok() {
            more = stream.write_all(&[b'x'; 1 << 16]);
            count.fetch_add(1 << 16, Ordering::Relaxed);
        }
    });
    let sent = Us::to(&large, "").sent();
    assert_eq!(
        sent.message.state,
        MessageState::Uncertain,
        "{:?}",
        sent.events
    );
    let written = written.load(Ordering::Relaxed);
    assert!(written < 64 << 20, "{written} bytes");
    let told = format!(
        "a gigabyte is left after 1 MiB ({} MiB with what sockets hold)",
        written >> 20
    );
    figure("D9", 2, 0, &told);
}

#[test]
fn d10_an_interim_answer_gives_time() {
    let stub = Stub::good();
    let inner = stub.url.clone();
    let url = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/as2", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // Each interim answer comes within the patience of the sender, all of them do not.
                for _ in 0..5 {
                    std::thread::sleep(Duration::from_millis(100));
                    let _ = stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n");
                }
                let mut server = TcpStream::connect(
                    inner.trim_start_matches("http://").trim_end_matches("/as2"),
                )
                .unwrap();
                let mut back = (server.try_clone().unwrap(), stream.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut stream, &mut server));
                let _ = std::io::copy(&mut back.0, &mut back.1);
                let _ = back.1.shutdown(std::net::Shutdown::Both);
            }
        });
        url
    };
    hasty(&url, "").confirmed();
    assert_eq!(stub.seen().len(), 1);
    figure(
        "D10",
        1,
        0,
        "one try; the receipt came after twice the usual patience",
    );
}

#[test]
fn d11_a_partner_who_is_away_for_three_days() {
    let us = Us::to(&nobody(), "");
    let document = us.send();
    let (mut tries, mut at) = (1, Vec::new());
    let dead = loop {
        let message = us.tried(document, tries);
        at.push(us.clock.now() - day());
        if message.message.state != MessageState::Sealed {
            break message.message;
        }
        if at.len() == 8 {
            let alerts = us.wait(us.gateway().alerts()).unwrap();
            assert!(alerts.iter().any(|one| one.kind == "circuit"), "{alerts:?}");
        }
        let due = next(&us).unwrap();
        us.later(due - us.clock.now());
        tries += 1;
    };
    assert_eq!(dead.state, MessageState::Dead);
    let given_up = at.pop().unwrap();
    assert!(
        TimeDelta::hours(72) <= given_up && given_up <= TimeDelta::hours(74),
        "{given_up}"
    );
    let gaps: Vec<_> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps[0] <= TimeDelta::seconds(60));
    assert!(gaps.iter().all(|gap| *gap <= TimeDelta::hours(1)));
    let distinct: BTreeSet<_> = gaps.iter().map(TimeDelta::num_milliseconds).collect();
    assert!(distinct.len() * 2 > gaps.len(), "no jitter: {gaps:?}");
    let alerts = us.wait(us.gateway().alerts()).unwrap();
    assert!(alerts.iter().any(|one| one.subject == "dead"), "{alerts:?}");
    let within = |hours: i64| {
        at.iter()
            .filter(|at| **at < TimeDelta::hours(hours))
            .count()
    };
    let told = format!(
        "{} tries: {} in the first hour, {} in the first 6, {} in the first 24; given up after {} h",
        at.len(),
        within(1),
        within(6),
        within(24),
        given_up.num_hours()
    );
    figure("D11", at.len() as u64, 0, &told);
}

#[test]
fn d12_half_of_all_tries_fail_and_all_are_confirmed() {
    let many = often(40, 10_000);
    // A generator of our own: the same run each time.
    let seed = AtomicUsize::new(88_172_645_463_325_252);
    let stub = Stub::new(move |_, seen| {
        let turn = |x: usize| {
            let x = x ^ (x << 13);
            let x = x ^ (x >> 7);
            x ^ (x << 17)
        };
        let value = seed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |x| Some(turn(x)));
        match value.unwrap() {
            x if x % 16 < 8 => seen.receipt(|_| {}),
            x => match x / 16 % 4 {
                0 => status(503),
                1 => Vec::new(),
                2 => status(200),
                _ => {
                    let whole = seen.receipt(|_| {});
                    whole[..whole.len() / 2].to_vec()
                }
            },
        }
    });
    let us = Us::made(&[Relation::default().url(&stub.url)], |_, settings| {
        let folder = settings.bridge.with_file_name("data");
        settings.store = Arc::new(Sqlite::open(&folder).unwrap());
    });
    for _ in 0..many {
        us.send();
    }
    all_confirmed(&us, many);
    let seen = stub.seen();
    let ids: BTreeSet<_> = seen
        .iter()
        .map(|one| one.get("Message-ID").to_owned())
        .collect();
    assert_eq!(ids.len(), many, "one id a message");
    let told = format!(
        "all {many} confirmed; {:.2} tries a message",
        seen.len() as f64 / many as f64
    );
    figure("D12", many as u64, 0, &told);
}

#[test]
fn d13_a_connection_that_has_died_silently_is_left() {
    let stub = Stub::good();
    let proxy = Proxy::to(&stub.url, |number| match number {
        0 => Fault::Hole,
        _ => Fault::None,
    });
    let us = hasty(&proxy.url, "");
    let document = us.send();
    let from = Instant::now();
    let first = us.tried(document, 1);
    let waited = from.elapsed();
    assert!(
        first
            .events
            .iter()
            .any(|e| e.detail.contains("no answer within"))
    );
    us.later(TimeDelta::hours(1));
    assert_eq!(us.tried(document, 2).message.state, MessageState::Confirmed);
    let told = format!(
        "left after {:.1} s where 0.3 s are allowed",
        waited.as_secs_f64()
    );
    figure("D13", 1, 0, &told);
}

#[test]
fn d15_who_lives_does_not_notice_who_is_dead() {
    let (queued, live) = (often(100, 50_000), 20);
    let stub = Stub::good();
    let mut relations = vec![Relation::default().names("WE", "DEAD").url(&nobody())];
    for n in 0..live {
        let own = Relation::default().names("WE", &format!("ACME{n}"));
        relations.push(own.url(&stub.url));
    }
    let us = Us::made(&relations, |_, settings| {
        let folder = settings.bridge.with_file_name("data");
        settings.store = Arc::new(Sqlite::open(&folder).unwrap());
    });
    let send = |name: &str| {
        let bytes = crate::conformance::wire::INTERCHANGE;
        us.wait(us.gateway().send(name, bytes)).unwrap();
    };
    for _ in 0..queued {
        send("acme");
    }
    // What is queued is still being made into messages: the live ones come in the midst of that.
    let mut times = Vec::new();
    for n in 1..=live {
        let from = Instant::now();
        send(&format!("acme-{n}"));
        us.until(|| (stub.seen().len() == n).then_some(()));
        times.push(from.elapsed());
    }
    times.sort();
    let confirmed = (Direction::Outbound, MessageState::Confirmed, live as u64);
    us.until(|| {
        let counts = us.wait(us.gateway().store().counts()).unwrap();
        counts.messages.contains(&confirmed).then_some(())
    });
    let told = format!(
        "beside {queued} that wait for a dead partner, each of {live} live ones has his at once: \
         the slowest after {:.0} ms",
        times[live - 1].as_secs_f64() * 1e3
    );
    figure("D15", live as u64, 0, &told);
}

#[test]
fn d16_a_late_receipt_confirms_what_was_given_up() {
    let more = "receipt_mode = \"async\"\n";
    for (answer, given_up) in [(404, MessageState::Dead), (200, MessageState::Uncertain)] {
        let stub = Stub::new(move |_, _| status(answer));
        let us = Us::to(&stub.url, more);
        let document = us.send();
        us.tried(document, 1);
        if given_up == MessageState::Uncertain {
            us.later(TimeDelta::hours(80));
        }
        us.until(|| (states(&us) == [given_up]).then_some(()));
        let (headers, body) = stub.first().mdn(Some(them()), |_| {});
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let late = crate::conformance::wire::Request {
            headers: headers.iter().map(owned).collect(),
            body,
        };
        assert_eq!(us.post(&late).status, 200);
        assert_eq!(states(&us), [MessageState::Confirmed]);
    }
    figure("D16", 2, 0, "dead and uncertain become confirmed");
}

#[test]
fn d18_many_who_come_back_are_no_stampede() {
    let (partners, each) = (often(12, 1000), often(5, 10));
    let (now, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let up = Arc::new(AtomicUsize::new(0));
    let (here, most, is_up) = (Arc::clone(&now), Arc::clone(&peak), Arc::clone(&up));
    let stub = Stub::new(move |_, seen| {
        let count = here.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(count, Ordering::SeqCst);
        let answer = match is_up.load(Ordering::SeqCst) {
            0 => status(503),
            _ => seen.receipt(|_| {}),
        };
        here.fetch_sub(1, Ordering::SeqCst);
        answer
    });
    let relation = |n| {
        Relation::default()
            .names("WE", &format!("ACME{n}"))
            .url(&stub.url)
    };
    let relations: Vec<_> = (0..partners).map(relation).collect();
    let us = Us::made(&relations, |_, settings| {
        let folder = settings.bridge.with_file_name("data");
        settings.store = Arc::new(Sqlite::open(&folder).unwrap());
    });
    for n in 0..partners {
        let name = match n {
            0 => "acme".to_owned(),
            n => format!("acme-{n}"),
        };
        for _ in 0..each {
            let bytes = crate::conformance::wire::INTERCHANGE;
            us.wait(us.gateway().send(&name, bytes)).unwrap();
        }
    }
    rest(&us);
    let asked = stub.seen().len();
    up.store(1, Ordering::SeqCst);
    all_confirmed(&us, partners * each);
    let peak = peak.load(Ordering::SeqCst);
    assert!(peak <= 32, "{peak} at once");
    let told = format!(
        "{partners} partners with {each} messages each were down ({asked} tries) and came back: at \
         most {peak} connections at once"
    );
    figure("D18", (partners * each) as u64, 0, &told);
}
