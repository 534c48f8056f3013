//! What polling and submitting keep, whatever the other side does.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::json;
use transload::bridge::spapi::outcome::{self, Said, Sight, Stage, Submission};
use transload::bridge::spapi::poll::{self, Failure, Marks, Plan, Stream, Window};
use transload::bridge::spapi::{Again, Answer, Endpoint, RETRY_CAP, Verdict};

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap()
}

/// An order: when it became available, when that became visible, when it was changed.
#[derive(Clone, Debug)]
struct Order {
    created: i64,
    late: i64,
    changed: Option<i64>,
}

const DAY: i64 = 24 * 60;

fn order(days: i64) -> impl Strategy<Value = Order> {
    (0..days * DAY, 0..9i64, proptest::option::of(1..days * DAY)).prop_map(
        |(created, late, changed)| Order {
            created,
            late,
            changed: changed.map(|later| created + later),
        },
    )
}

/// What the server lists for a window at a minute, a page at a time.
fn listed(orders: &[Order], window: &Window, now: i64) -> Vec<(usize, Option<i64>)> {
    let within = |minute: i64| at(minute) >= window.from && at(minute) <= window.to;
    let mut found = Vec::new();
    for (n, order) in orders.iter().enumerate() {
        let changed = order.changed.filter(|changed| changed + order.late <= now);
        let visible = order.created + order.late <= now;
        let here = match window.stream {
            Stream::Created | Stream::Open => within(order.created),
            Stream::Changed => changed.is_some_and(within),
        };
        if visible && here {
            found.push((n, changed));
        }
    }
    found
}

/// Orders by their place, and what they were last changed at.
type Found = BTreeSet<(usize, Option<i64>)>;

/// Runs a poller from day 0 to the last, against a server that is down in `outages`, refuses windows
/// that begin in a minute of `odd`, and has three orders on a page.
fn run(
    orders: &[Order],
    outages: &[(i64, i64)],
    odd: u32,
    days: i64,
) -> (Marks, Found, Vec<Window>) {
    let plan = Plan {
        every: TimeDelta::hours(3),
        ..Plan::since(at(0))
    };
    let (mut marks, mut seen, mut asked) = (Marks::default(), BTreeSet::new(), Vec::new());
    let (mut now, end) = (at(0), at(days * DAY));
    let mut draw = 1u64;
    while now < end {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let window = match marks.next(&plan, now) {
            poll::Next::Wait(until) => {
                assert!(until > now, "it waits for what is past");
                now = until;
                continue;
            }
            poll::Next::Ask(window) => window,
        };
        // What is kept comes back as it was.
        let kept = serde_json::to_string(&marks).unwrap();
        assert_eq!(serde_json::from_str::<Marks>(&kept).unwrap(), marks);
        asked.push(window.clone());
        let minute = (now - at(0)).num_minutes();
        let down = outages
            .iter()
            .any(|(from, to)| (*from..*to).contains(&minute));
        let strange = odd > 0 && window.from.timestamp() % 600 == i64::from(odd);
        marks = if down {
            marks.failed(&window, Failure::Later(None), &plan, now, draw)
        } else if strange {
            marks.failed(&window, Failure::Invalid, &plan, now, draw)
        } else {
            let all = listed(orders, &window, minute);
            let page: usize = window
                .page
                .as_deref()
                .map_or(0, |page| page.parse().unwrap());
            seen.extend(all.iter().skip(page * 3).take(3));
            let more = (page * 3 + 3 < all.len()).then(|| (page + 1).to_string());
            marks.answered(&window, more.as_deref(), &plan, now)
        };
        now += TimeDelta::milliseconds(300);
    }
    (marks, seen, asked)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever outages there are: every order is seen, and every change; no window is longer than
    /// the API takes, looks into the future, or asks for what is before the beginning.
    #[test]
    fn nothing_is_missed_and_no_window_is_wrong(
        orders in proptest::collection::vec(order(20), 0..60),
        outages in proptest::collection::vec((0..18 * DAY, 1..4 * DAY), 0..4),
        odd in prop_oneof![3 => Just(0u32), 1 => 1..600u32],
    ) {
        let outages: Vec<(i64, i64)> =
            outages.into_iter().map(|(from, long)| (from, (from + long).min(21 * DAY))).collect();
        let (marks, seen, asked) = run(&orders, &outages, odd, 23);
        prop_assert!(marks.gaps.is_empty(), "{:?}", marks.gaps);
        for (n, order) in orders.iter().enumerate() {
            prop_assert!(seen.iter().any(|(known, _)| *known == n), "{order:?} was not seen");
            if let Some(changed) = order.changed.filter(|changed| *changed < 22 * DAY) {
                prop_assert!(seen.contains(&(n, Some(changed))), "the change of {order:?}");
            }
        }
        for window in &asked {
            prop_assert!(window.to - window.from <= poll::WINDOW);
            prop_assert!(window.from < window.to && window.from >= at(0));
        }
        let sweeps = asked.iter().filter(|window| window.stream == Stream::Open).count();
        prop_assert!(sweeps >= 4, "{sweeps} windows of what is open");
    }
}

#[test]
fn what_the_api_does_not_reach_is_a_gap_with_a_name() {
    let plan = Plan::since(at(0));
    let ask = |marks: &Marks, now| match marks.next(&plan, now) {
        poll::Next::Ask(window) => window,
        poll::Next::Wait(until) => panic!("it waits until {until}"),
    };
    let mut marks = Marks::default();
    for _ in 0..2 {
        let window = ask(&marks, at(1));
        marks = marks.answered(&window, None, &plan, at(1));
    }
    let later = at(0) + TimeDelta::days(200);
    let window = ask(&marks, later);
    assert_eq!(window.from, later - poll::REACH);
    let marks = marks.answered(&window, None, &plan, later);
    let gap = &marks.gaps[0];
    assert_eq!(
        (gap.stream, gap.from, gap.to),
        (Stream::Created, at(1), window.from)
    );
    assert!(gap.why.contains("further back"));
}

#[test]
fn a_window_that_is_refused_gets_shorter_and_is_named_at_last() {
    let plan = Plan::since(at(0));
    let (mut marks, mut now, mut widths) = (Marks::default(), at(3 * DAY), Vec::new());
    while marks.gaps.is_empty() {
        match marks.next(&plan, now) {
            poll::Next::Wait(until) => now = until,
            poll::Next::Ask(window) => {
                widths.push((window.to - window.from).num_seconds());
                marks = marks.failed(&window, Failure::Invalid, &plan, now, 5);
            }
        }
    }
    assert_eq!(widths[..3], [3 * 86_400, 3 * 43_200, 3 * 21_600]);
    assert!(widths.len() < 20, "{widths:?}");
    assert!(marks.gaps[0].why.contains("refuses"), "{:?}", marks.gaps);
    assert!(
        marks.created.unwrap() < at(2),
        "the rest is still asked for"
    );
}

#[test]
fn windows_overlap_by_as_much_as_our_clock_is_ahead() {
    let plan = Plan::since(at(0));
    let (now, behind) = (at(3 * DAY), TimeDelta::minutes(30));
    let mut marks = Marks::default();
    let asked = |marks: &Marks, now| match marks.next(&plan, now) {
        poll::Next::Ask(window) => window,
        poll::Next::Wait(until) => panic!("it waits until {until}"),
    };
    let window = asked(&marks, now);
    assert_eq!(window.to, now);
    marks = marks.answered(&window, None, &plan, now);
    let (true_clock, ahead) = (
        marks.clone().dated(Some(now), now),
        marks.dated(Some(now - behind), now),
    );
    let later = now + plan.every;
    // Of the stream that was read, once the other was too.
    let next = |marks: &Marks| {
        let window = asked(marks, now);
        asked(&marks.clone().answered(&window, None, &plan, now), later).from
    };
    assert_eq!(next(&true_clock), now - poll::OVERLAP);
    assert_eq!(next(&ahead), now - poll::OVERLAP - behind);
    // A date of another day is no clock of theirs, and none says nothing.
    let nonsense = ahead.dated(Some(now - TimeDelta::days(9)), now);
    assert_eq!(next(&nonsense), now - poll::OVERLAP);
}

#[test]
fn a_list_that_is_always_refused_in_its_middle_gets_shorter() {
    let plan = Plan::since(at(0));
    let (mut marks, mut now, mut widths) = (Marks::default(), at(3 * DAY), Vec::new());
    while marks.gaps.is_empty() {
        match marks.next(&plan, now) {
            poll::Next::Wait(until) => now = until,
            poll::Next::Ask(window) if window.page.is_some() => {
                marks = marks.failed(&window, Failure::Invalid, &plan, now, 5);
            }
            poll::Next::Ask(window) => {
                widths.push((window.to - window.from).num_seconds());
                marks = marks.answered(&window, Some("p2"), &plan, now);
            }
        }
    }
    assert_eq!(
        widths[..4],
        [3 * 86_400, 3 * 86_400, 3 * 86_400, 3 * 43_200]
    );
    assert!(widths.len() < 60, "{widths:?}");
}

#[test]
fn silence_is_told() {
    let plan = Plan::since(at(-1));
    let mut marks = Marks::default();
    assert_eq!(marks.silent(&plan, at(500)), None, "nothing began");
    let poll::Next::Ask(window) = marks.next(&plan, at(0)) else {
        panic!("nothing is asked")
    };
    marks = marks.failed(&window, Failure::Later(None), &plan, at(0), 3);
    assert_eq!(marks.silent(&plan, at(60)), None);
    assert_eq!(marks.silent(&plan, at(61)), Some(TimeDelta::minutes(61)));
    let marks = marks.answered(&window, None, &plan, at(61));
    assert_eq!(marks.silent(&plan, at(62)), None);
}

/// What happens around one request of a submission.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The server does and says what it should.
    Sound,
    /// The server does it, and its answer is lost.
    Lost,
    /// The server does not do it, and says so in no usable way.
    Broken,
    /// It says that it is busy.
    Busy,
    /// We crash before it leaves.
    CrashBefore,
    /// We crash when the server has it, before anything is kept.
    CrashAfter,
}

fn event() -> impl Strategy<Value = Event> {
    use Event::{Broken, Busy, CrashAfter, CrashBefore, Lost, Sound};
    prop_oneof![
        4 => Just(Sound), 1 => Just(Lost), 1 => Just(Broken), 1 => Just(Busy),
        1 => Just(CrashBefore), 1 => Just(CrashAfter),
    ]
}

fn answer(body: serde_json::Value) -> Answer {
    Answer {
        status: 200,
        request: None,
        date: None,
        rate: None,
        body,
    }
}

/// The API: which posts it has, and since when.
#[derive(Default)]
struct Api {
    had: Vec<DateTime<Utc>>,
    told: Option<bool>,
}

/// Takes a submission to its end; gives the end, and how many posts the server had.
fn settle(
    operation: &str,
    events: &[Event],
    delay: i64,
    says: Option<bool>,
) -> (poll_end::End, usize) {
    let endpoint = Endpoint::find(operation).unwrap();
    let body = json!({
        "acknowledgements": [{"purchaseOrderNumber": "P", "acknowledgementDate": "2026-11-02T10:00:00Z"}],
        "invoices": [{"id": "I", "date": "2026-11-02T10:00:00Z"}],
        "shipmentConfirmations": [{"shipmentIdentifier": "S"}],
    });
    let mut kept = Submission::new(endpoint, None, body);
    let (mut api, mut now) = (
        Api {
            told: says,
            ..Api::default()
        },
        at(0),
    );
    let mut events = events.iter().copied();
    for _ in 0..400 {
        match kept.next("M", now) {
            outcome::Next::Wait(until) => {
                assert!(until > now);
                now = until;
            }
            outcome::Next::Post(_) => {
                kept = kept.posting(now);
                let event = events.next().unwrap_or(Event::Sound);
                post(&mut kept, &mut api, event, now);
                now += RETRY_CAP;
            }
            outcome::Next::Ask(_) => {
                let said = match api.told {
                    Some(true) => Said::Success,
                    Some(false) => Said::Failure,
                    None => Said::Processing,
                };
                kept = kept.told(&said, &[], now);
            }
            outcome::Next::Witness(_) => {
                let visible = api
                    .had
                    .iter()
                    .any(|since| *since + TimeDelta::minutes(delay) <= now);
                let seen = if visible && api.told != Some(false) {
                    Sight::There
                } else {
                    Sight::Nothing
                };
                kept = kept.witnessed(seen, now);
            }
            outcome::Next::Settled(yes) => return (poll_end::End::Settled(yes), api.had.len()),
            outcome::Next::Left => return (poll_end::End::Left, api.had.len()),
            outcome::Next::Person => return (poll_end::End::Person, api.had.len()),
        }
        // A restart between any two steps.
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Submission>(&text).unwrap(), kept);
    }
    panic!("it does not end: {kept:?}")
}

mod poll_end {
    /// How a submission ended.
    #[derive(Debug, PartialEq)]
    pub(super) enum End {
        Settled(bool),
        Left,
        Person,
    }
}

fn post(kept: &mut Submission, api: &mut Api, event: Event, now: DateTime<Utc>) {
    let verdict = match event {
        Event::CrashBefore => return,
        Event::CrashAfter => {
            api.had.push(now);
            return;
        }
        Event::Busy => Verdict::Empty(None),
        Event::Broken => Verdict::Uncertain("HTTP status 500".into()),
        Event::Lost => {
            api.had.push(now);
            Verdict::Uncertain("no answer within 60 s".into())
        }
        Event::Sound => {
            api.had.push(now);
            let mut taken = answer(json!({"payload": {"transactionId": "t"}}));
            taken.status = 202;
            Verdict::Taken(taken)
        }
    };
    *kept = kept.clone().posted(&verdict);
}

proptest! {
    /// Whatever is lost and whoever crashes: what the API has is never posted a second time, and
    /// what is settled is there exactly once. What shows itself nowhere goes to a person.
    #[test]
    fn a_document_is_there_once_or_a_person_knows(
        operation in prop_oneof![
            Just("vendorOrders.submitAcknowledgement"),
            Just("vendorInvoices.submitInvoices"),
            Just("vendorShipments.SubmitShipmentConfirmations"),
        ],
        events in proptest::collection::vec(event(), 0..6),
        delay in 0..44i64,
        says in prop_oneof![Just(None), Just(Some(true)), Just(Some(false))],
    ) {
        let (end, had) = settle(operation, &events, delay, says);
        let lost = events.iter().any(|event| !matches!(event, Event::Sound | Event::Busy));
        match end {
            poll_end::End::Settled(true) => prop_assert_eq!(had, 1),
            poll_end::End::Settled(false) => prop_assert!(says == Some(false) && had >= 1),
            poll_end::End::Left => prop_assert!(false, "a witness saw it"),
            poll_end::End::Person => prop_assert!(lost && (had <= 1 || says == Some(false))),
        }
        if says != Some(false) {
            prop_assert!(had <= 1, "posted {had} times");
        }
    }
}

#[test]
fn processing_alone_settles_nothing() {
    let endpoint = Endpoint::find("vendorOrders.submitAcknowledgement").unwrap();
    let body = json!({"acknowledgements": [{"purchaseOrderNumber": "P"}]});
    let mut kept = Submission::new(endpoint, None, body).posting(at(0));
    post(&mut kept, &mut Api::default(), Event::Sound, at(0));
    assert_eq!(kept.stage, Stage::Submitted);
    kept = kept.told(&Said::Processing, &[], at(2));
    assert_eq!(kept.stage, Stage::Submitted);
    kept = kept.told(&Said::Processing, &[], at(15));
    assert_eq!(kept.stage, Stage::Presumed);
    let mut now = at(15);
    loop {
        match kept.next("M", now) {
            outcome::Next::Wait(until) => now = until,
            outcome::Next::Ask(_) => kept = kept.told(&Said::Processing, &[], now),
            outcome::Next::Witness(_) => kept = kept.witnessed(Sight::Nothing, now),
            other => {
                assert_eq!(other, outcome::Next::Left);
                break;
            }
        }
        assert_eq!(kept.stage, Stage::Presumed);
    }
    assert!(now - at(0) >= outcome::PATIENCE);
    // A refusal of the second of two, where a second is refused, says that the first arrived.
    assert_eq!(
        Endpoint::find("vendorInvoices.submitInvoices")
            .unwrap()
            .again,
        Again::Refused
    );
}

#[test]
fn a_witness_shows_this_very_answer() {
    let endpoint = Endpoint::find("vendorOrders.submitAcknowledgement").unwrap();
    let body = json!({"acknowledgements": [
        {"purchaseOrderNumber": "P", "acknowledgementDate": "2026-11-02T10:00:00Z"}
    ]});
    let submission = Submission::new(endpoint, None, body);
    let call = outcome::witness(&submission, "M").unwrap();
    assert!(call.faults().is_empty());
    let status = |status: &str, dates: &[&str]| {
        let dates: Vec<_> = dates
            .iter()
            .map(|date| json!({"acknowledgementDate": date}))
            .collect();
        let line = json!({"acknowledgementStatus":
            {"confirmationStatus": status, "acknowledgementStatusDetails": dates}});
        let order = json!({"purchaseOrderNumber": "P", "itemStatus": [line]});
        answer(json!({"payload": {"ordersStatus": [order]}}))
    };
    let sight = |answer: &Answer| outcome::sight(&submission, answer);
    assert_eq!(sight(&status("UNCONFIRMED", &[])), Sight::Nothing);
    assert_eq!(sight(&status("ACCEPTED", &[])), Sight::There);
    let before = status("ACCEPTED", &["2026-10-01T10:00:00Z"]);
    assert_eq!(sight(&before), Sight::Nothing, "an answer before this one");
    let both = status(
        "ACCEPTED",
        &["2026-10-01T10:00:00Z", "2026-11-02T11:00:00+01:00"],
    );
    assert_eq!(sight(&both), Sight::There);

    let endpoint = Endpoint::find("vendorInvoices.submitInvoices").unwrap();
    let body = json!({"invoices": [{"id": "I", "date": "2026-11-02T10:00:00Z"}]});
    let submission = Submission::new(endpoint, None, body);
    let call = outcome::witness(&submission, "M").unwrap();
    assert!(call.faults().is_empty());
    let headers = |number: &str, status: &str| {
        answer(json!({"invoices": [{"invoiceNumber": number, "invoiceStatus": status}]}))
    };
    let sight = |answer: &Answer| outcome::sight(&submission, answer);
    assert_eq!(sight(&headers("J", "PAID")), Sight::Nothing);
    assert_eq!(sight(&headers("I", "IN_PROGRESS")), Sight::There);
    assert_eq!(sight(&headers("I", "REJECTED")), Sight::Rejected);
}

/// Requests a second and at once, as the table in an operation's description says them.
fn usage(description: &str) -> Option<(f64, u32)> {
    let mut lines = description.lines().map(|line| line.replace(' ', ""));
    lines.find(|line| line.starts_with("|Rate(requestspersecond)|Burst|"))?;
    let row = lines.nth(1)?;
    let mut cells = row.trim_matches('|').split('|');
    Some((cells.next()?.parse().ok()?, cells.next()?.parse().ok()?))
}

#[test]
fn the_table_is_that_of_the_models() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/spapi/models");
    if !std::path::Path::new(folder).exists() {
        say!("skipped: no ../shared");
        return;
    }
    let mut seen = 0;
    for one in Endpoint::all() {
        let text = std::fs::read_to_string(format!("{folder}/{}.json", one.api)).unwrap();
        let model: serde_json::Value = serde_json::from_str(&text).unwrap();
        let method = one.method.to_ascii_lowercase();
        let operation = &model["paths"][&one.path][&method];
        assert_eq!(operation["operationId"], one.name.as_str(), "{}", one.key());
        assert!(operation["responses"].get(one.taken.to_string()).is_some());
        let told = operation["description"].as_str().unwrap_or_default();
        // Once a second where no rate is published, which is so of one API alone.
        let published = usage(told);
        assert_eq!(
            published.is_none(),
            one.api.starts_with("financesInvoices"),
            "{}",
            one.key()
        );
        assert_eq!(
            published.unwrap_or((1.0, 1)),
            (one.rate, one.burst),
            "{}",
            one.key()
        );
        let parameters = [
            &operation["parameters"],
            &model["paths"][&one.path]["parameters"],
        ];
        let parameters = parameters
            .into_iter()
            .filter_map(|list| list.as_array())
            .flatten();
        let query = parameters.filter(|parameter| parameter["in"] == "query");
        let theirs: BTreeSet<(&str, bool)> = query
            .map(|one| (one["name"].as_str().unwrap(), one["required"] == true))
            .collect();
        assert_eq!(
            one.parameters().collect::<BTreeSet<_>>(),
            theirs,
            "{}",
            one.key()
        );
        seen += 1;
    }
    assert!(seen > 45, "{seen}");
}
