//! The law: whatever is done to two stores, in whatever order, both answer the same and end the
//! same. Memory is the model; sloppy workers, lost leases and repeated bytes are part of it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use proptest::prelude::*;

use super::suite::{
    arrival, at, composing, envelope, id, key, new_document, new_interchange, receipt, sealed,
};
use super::*;

/// One call. Small numbers choose among what exists, so that calls meet.
#[derive(Debug, Clone)]
enum Step {
    Accept {
        name: u8,
        content: u8,
        partner: bool,
    },
    Refuse {
        name: u8,
    },
    Answered {
        row: u8,
    },
    Claim {
        kinds: u8,
        limit: u8,
    },
    Finish {
        work: u8,
        way: u8,
    },
    Extend {
        work: u8,
    },
    Retry {
        work: u8,
    },
    Bury {
        work: u8,
        aside: u8,
    },
    Unreached {
        work: u8,
        way: u8,
    },
    Resend {
        row: u8,
        anew: bool,
    },
    Cancel {
        row: u8,
    },
    Draft {
        partner: bool,
        key: Option<u8>,
    },
    Receipt {
        row: u8,
        state: u8,
    },
    Remark {
        row: u8,
    },
    Settle {
        row: u8,
        state: u8,
    },
    Advance {
        by: u8,
    },
    Keep,
    Observe {
        number: u8,
        changed: u8,
    },
    Wait {
        seconds: u32,
    },
}

fn step() -> impl Strategy<Value = Step> {
    use self::Step::*;
    prop_oneof![
        4 => (0..4u8, 0..2u8, any::<bool>())
            .prop_map(|(name, content, partner)| Accept { name, content, partner }),
        1 => (0..4u8).prop_map(|name| Refuse { name }),
        1 => any::<u8>().prop_map(|row| Answered { row }),
        8 => (prop_oneof![any::<u8>(), Just(0xff)], 0..4u8)
            .prop_map(|(kinds, limit)| Claim { kinds, limit }),
        24 => (prop_oneof![Just(0), any::<u8>()], any::<u8>()).prop_map(|(work, way)| Finish { work, way }),
        1 => any::<u8>().prop_map(|work| Extend { work }),
        2 => any::<u8>().prop_map(|work| Retry { work }),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(work, aside)| Bury { work, aside }),
        6 => (prop_oneof![Just(0), any::<u8>()], any::<u8>())
            .prop_map(|(work, way)| Unreached { work, way }),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(row, anew)| Resend { row, anew }),
        1 => any::<u8>().prop_map(|row| Cancel { row }),
        4 => (any::<bool>(), proptest::option::of(0..3u8))
            .prop_map(|(partner, key)| Draft { partner, key }),
        3 => (any::<u8>(), prop_oneof![4 => 4..7u8, 1 => any::<u8>()])
            .prop_map(|(row, state)| Receipt { row, state }),
        1 => any::<u8>().prop_map(|row| Remark { row }),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(row, state)| Settle { row, state }),
        1 => any::<u8>().prop_map(|by| Advance { by }),
        2 => Just(Keep),
        2 => (0..3u8, 0..3u8).prop_map(|(number, changed)| Observe { number, changed }),
        4 => prop_oneof![8 => 1..4u32, 4 => 8..40u32, 1 => Just(91 * 86_400)].prop_map(|seconds| Wait { seconds }),
    ]
}

/// What the caller knows: the clock, the ids it made, the work it was given.
struct World {
    now: i64,
    /// Ids of the present step start here; messages end in 1, interchanges in 2, documents in more.
    base: u128,
    work: Vec<Work>,
    /// What was worked on, the newest first.
    rows: Vec<Uuid>,
}

fn partner(second: bool) -> String {
    if second { "other" } else { "acme" }.into()
}

fn pick<T>(from: &[T], by: u8) -> Option<&T> {
    (!from.is_empty()).then(|| &from[usize::from(by) % from.len()])
}

fn order() -> Order {
    Order {
        by: "mira".into(),
        why: "asked for".into(),
    }
}

/// An answer as text: both stores word their errors alike in kind only.
fn told<T: Debug>(answer: Result<T, Error>) -> String {
    format!("{:?}", answer.map_err(|error| error.kind()))
}

impl World {
    fn now(&self) -> DateTime<Utc> {
        at(self.now)
    }

    /// A lease that was given, or one that never was.
    fn lease(&self, by: u8) -> Lease {
        let lost = Lease {
            work: 9,
            attempt: 9,
        };
        pick(&self.work, by).map_or(lost, |work| work.lease)
    }

    /// Does a step to one store.
    async fn apply(&self, store: &dyn Store, step: &Step) -> String {
        let (now, base) = (self.now(), self.base);
        let lease = |by: &u8| self.lease(*by);
        let row = |by: &u8| pick(&self.rows, *by).copied().unwrap_or(id(9));
        match step {
            Step::Accept {
                name,
                content,
                partner: other,
            } => {
                let content = format!("order {content}");
                let mut message = arrival(base + 1, &format!("m{name}"), &content);
                message.partner = partner(*other);
                message.answer_to = name.is_multiple_of(2).then(|| content.clone());
                told(store.accept(message, now).await)
            }
            Step::Refuse { name } => {
                let mut message = arrival(base + 1, &format!("m{name}"), "order 0");
                message.answer_to = name.is_multiple_of(2).then(|| "there".into());
                told(store.refuse(message, now).await)
            }
            Step::Answered { row: by } => told(store.answered(row(by), now).await),
            Step::Claim { .. } => unreachable!("claims are for both at once"),
            Step::Finish { work, way } => self.finish(store, *work, *way).await,
            Step::Extend { work } => told(store.extend(lease(work), at(self.now + 30)).await),
            Step::Retry { .. }
            | Step::Bury { .. }
            | Step::Unreached { .. }
            | Step::Resend { .. }
            | Step::Cancel { .. } => self.order(store, step).await,
            Step::Draft {
                partner: other,
                key,
            } => {
                let mut document = new_document(base + 3, DocumentState::Drafted);
                document.key = key.map(|key| format!("file {key}"));
                let partner = partner(*other);
                let draft = Draft {
                    partner,
                    document,
                    payload: None,
                };
                told(store.draft(draft, now).await)
            }
            Step::Receipt { row: by, state } => {
                let state = *pick(MessageState::ALL, *state).unwrap();
                told(store.receipt(row(by), receipt(state), now).await)
            }
            Step::Remark { row: by } => told(store.remark(row(by), "seen", "so".into(), now).await),
            Step::Settle { row: by, state } => {
                let state = *pick(DocumentState::ALL, *state).unwrap();
                told(store.settle(row(by), state, "said".into(), now).await)
            }
            Step::Advance { by } => {
                let by = u32::from(*by) * (LAST_CONTROL_NUMBER / 128);
                told(store.advance("ZZUS/ZZTHEM".into(), by, now).await)
            }
            Step::Keep | Step::Observe { .. } => self.bridge(store, step).await,
            Step::Wait { .. } => String::new(),
        }
    }

    /// What people order, and what does not reach a partner.
    async fn order(&self, store: &dyn Store, step: &Step) -> String {
        let (now, base) = (self.now(), self.base);
        let row = |by: &u8| pick(&self.rows, *by).copied().unwrap_or(id(9));
        let lease = |by: &u8| self.lease(*by);
        match step {
            Step::Retry { work } => told(
                store
                    .retry(lease(work), at(self.now + 9), "not yet".into(), now)
                    .await,
            ),
            Step::Bury { work, aside } => {
                let aside = *pick(Aside::ALL, *aside).unwrap();
                told(store.bury(lease(work), aside, "given up".into(), now).await)
            }
            Step::Unreached { work, way } => {
                let missed = Missed {
                    why: "not there".into(),
                    perhaps_there: way.is_multiple_of(3),
                    again: at(self.now + i64::from(way % 5)),
                    pause: TimeDelta::seconds(i64::from(way % 11)),
                    give_up: at(self.now - i64::from(way % 50)),
                };
                told(store.unreached(lease(work), missed, now).await)
            }
            Step::Resend { row: by, anew } => {
                let order = order();
                let anew = anew.then(|| Anew {
                    id: id(base + 1),
                    message_id: "out@us".into(),
                    headers: Vec::new(),
                });
                told(store.resend(row(by), Resend { order, anew }, now).await)
            }
            Step::Cancel { row: by } => told(store.cancel(row(by), order(), now).await),
            _ => unreachable!("they are done elsewhere"),
        }
    }

    /// Ends a piece of work the way its kind ends, or now and then another way.
    async fn finish(&self, store: &dyn Store, work: u8, way: u8) -> String {
        let (now, base) = (self.now(), self.base);
        let Some(work) = pick(&self.work, work) else {
            return String::new();
        };
        let kind = if way.is_multiple_of(16) {
            WorkKind::Seal
        } else {
            work.kind
        };
        match kind {
            WorkKind::Read => told(store.read(work.lease, self.reading(way), now).await),
            WorkKind::Ask => self.submit(store, work, way).await,
            WorkKind::Deliver if way.is_multiple_of(2) => self.submit(store, work, way).await,
            WorkKind::Deliver => {
                let state = *pick(DocumentState::ALL, if way < 192 { 1 } else { way % 9 }).unwrap();
                told(
                    store
                        .delivered(work.lease, state, "there".into(), now)
                        .await,
                )
            }
            WorkKind::Compose => {
                let mut documents = vec![work.subject.as_u128()];
                if way.is_multiple_of(7) {
                    documents.extend(pick(&self.rows, way).map(Uuid::as_u128));
                }
                let compose = if way.is_multiple_of(5) {
                    Box::new(|_: &ControlNumbers| Err("no".to_owned()))
                } else {
                    composing(documents)
                };
                told(
                    store
                        .compose(work.lease, envelope(base + 2), compose, now)
                        .await,
                )
            }
            WorkKind::Seal => told(
                store
                    .seal(work.lease, sealed(base + 1, "out@us"), now)
                    .await,
            ),
            WorkKind::Send => {
                let why = "no receipt yet".to_owned();
                told(store.sent(work.lease, at(self.now + 60), why, now).await)
            }
            WorkKind::Answer => told(store.posted(work.lease, "there".into(), now).await),
        }
    }

    async fn bridge(&self, store: &dyn Store, step: &Step) -> String {
        let (now, base) = (self.now(), self.base);
        let Step::Observe { number, changed } = step else {
            let step = move |before: Option<&str>| format!("{base}{}", before.is_some());
            let stepped = told(store.step("s".into(), Box::new(step), now).await);
            let named = vec![((base % 3).to_string(), base.to_string())];
            return stepped + &told(store.sighted("l".into(), named, now).await);
        };
        let mut document = new_document(base + 3, DocumentState::Drafted);
        document.key = Some(format!("{number} {changed}"));
        let draft = Draft {
            partner: partner(number.is_multiple_of(2)),
            document,
            payload: None,
        };
        let seen = Observation {
            account: "a".into(),
            number: number.to_string(),
            changed: changed.to_string(),
            content: base.to_string(),
            drafts: vec![draft],
        };
        told(store.observe(seen, now).await)
    }

    async fn submit(&self, store: &dyn Store, work: &Work, way: u8) -> String {
        let then = match way % 5 {
            0 => Then::Stay,
            1 => Then::Again(at(self.now + 5), "busy".into()),
            2 | 3 => Then::Ask(at(self.now + 7), "taken".into(), Vec::new()),
            _ => {
                let state = *pick(DocumentState::ALL, way / 8).unwrap();
                let drafts = vec![new_document(self.base + 3, DocumentState::Drafted)];
                Then::End(state, "done".into(), drafts)
            }
        };
        let submission = Submission {
            document: work.subject,
            stage: way.to_string(),
            transaction: way.is_multiple_of(3).then(|| "t".into()),
            listed: (way % 4 < 2).then(|| ("l".into(), (way % 3).to_string())),
            ..Submission::default()
        };
        told(store.submit(work.lease, submission, then, self.now()).await)
    }

    fn reading(&self, way: u8) -> Reading {
        let states = [
            DocumentState::Read,
            DocumentState::Held,
            DocumentState::Settled,
        ];
        let documents = (0..way % 3)
            .map(|n| {
                let state = states[usize::from(n + way) % 3];
                new_document(self.base + 4 + u128::from(n), state)
            })
            .collect();
        let verdict = Verdict {
            group_control: (way % 4).to_string(),
            set_control: way.is_multiple_of(2).then(|| "0001".into()),
            accepted: !way.is_multiple_of(3),
            note: "ak5".into(),
        };
        Reading {
            interchanges: vec![new_interchange(
                self.base + 2,
                &format!("{}", way % 3),
                documents,
            )],
            drafts: vec![new_document(self.base + 3, DocumentState::Drafted)],
            verdicts: vec![verdict],
            on_duplicate: if way.is_multiple_of(2) {
                OnDuplicate::Hold
            } else {
                OnDuplicate::Pass
            },
            note: "read".into(),
            more: way.is_multiple_of(11).then_some(u64::from(way)),
        }
    }
}

/// All that can be asked, as text.
async fn everything(store: &dyn Store) -> Vec<String> {
    let limit = usize::MAX;
    let messages = store
        .messages(Filter {
            limit,
            ..Filter::default()
        })
        .await
        .unwrap();
    let documents = store
        .documents(Filter {
            limit,
            ..Filter::default()
        })
        .await
        .unwrap();
    let mut told = vec![
        format!("{:?}", store.counts().await.unwrap()),
        format!("{:?}", store.queue(limit).await.unwrap()),
        format!("{:?}", store.kept(String::new()).await.unwrap()),
    ];
    for number in ["0", "1", "2"] {
        let seen = store.observed("a".into(), number.into()).await.unwrap();
        told.push(format!("{seen:?}"));
    }
    for name in ["m0", "m1", "m2", "m3", "out@us"] {
        for direction in Direction::ALL {
            told.push(format!(
                "{:?}",
                store.find(*direction, key(name)).await.unwrap()
            ));
        }
    }
    for row in messages {
        told.push(format!(
            "{row:?} {:?}",
            store.message(row.id).await.unwrap()
        ));
    }
    for row in documents {
        told.push(format!(
            "{row:?} {:?}",
            store.document(row.id).await.unwrap()
        ));
        told.push(format!("{:?}", store.submission(row.id).await.unwrap()));
        if let Some(interchange) = row.interchange {
            told.push(format!(
                "{:?}",
                store.interchange(interchange).await.unwrap()
            ));
        }
    }
    told
}

/// What every message and every document of ours is in, and the state of a document's message.
type States = (
    BTreeMap<Uuid, MessageState>,
    BTreeMap<Uuid, (DocumentState, Option<MessageState>)>,
);

fn ours<State>() -> Filter<State> {
    Filter {
        limit: usize::MAX,
        direction: Some(Direction::Outbound),
        ..Filter::default()
    }
}

async fn states(store: &dyn Store) -> States {
    let (mut messages, mut documents) = States::default();
    for row in store.messages(ours()).await.unwrap() {
        messages.insert(row.id, row.state);
    }
    for row in store.documents(ours()).await.unwrap() {
        let mut carrier = None;
        if let Some(interchange) = row.interchange {
            let found = store.interchange(interchange).await.unwrap().unwrap();
            carrier = found.0.message.map(|message| messages[&message]);
        }
        documents.insert(row.id, (row.state, carrier));
    }
    (messages, documents)
}

/// The table of the state machine: what one call may make of a message of ours, and of a document.
fn wrong(before: &States, after: &States) -> Option<String> {
    use DocumentState as D;
    use MessageState::{Confirmed, Dead, Quarantined, Refused, Sealed, Sent, Uncertain};
    for (id, now) in &after.0 {
        let lawful: &[MessageState] = match before.0.get(id) {
            None => &[Sealed],
            // Proved is proved.
            Some(Confirmed) => &[Confirmed],
            Some(Sealed) => &[
                Sealed,
                Sent,
                Confirmed,
                Refused,
                Uncertain,
                Dead,
                Quarantined,
            ],
            // What may be there is not as if it had never gone.
            Some(Sent) => &[Sent, Confirmed, Refused, Uncertain, Dead, Quarantined],
            Some(Uncertain) => &[Uncertain, Sent, Confirmed, Refused, Dead],
            Some(Refused) => &[Refused, Sealed, Confirmed],
            Some(Dead | Quarantined) => &[Dead, Quarantined, Sealed, Confirmed, Refused, Uncertain],
            Some(inbound) => return Some(format!("a message of ours is {inbound}")),
        };
        if !lawful.contains(now) {
            return Some(format!("{:?} became {now}", before.0.get(id)));
        }
    }
    for (id, (now, carrier)) in &after.1 {
        let known = before.1.get(id).map(|known| known.0);
        // "Sent" is what a verified receipt says, and nothing else.
        if *now == D::Sent && *carrier != Some(Confirmed) {
            return Some(format!("a document is sent, its message {carrier:?}"));
        }
        if matches!(now, D::Read | D::Delivered) {
            return Some(format!("a document of ours is {now}"));
        }
        let back = *now == D::Drafted && !matches!(known, None | Some(D::Drafted | D::Failed));
        let lost = *now == D::Failed && *carrier == Some(Confirmed) && known != Some(D::Failed);
        if back || lost {
            return Some(format!("{known:?} became {now}, its message {carrier:?}"));
        }
    }
    None
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    // In memory where there is such a folder: the law is not about durability, and fsync is slow.
    let folder = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let stores: [Box<dyn Store>; 2] = [
        Box::new(Memory::default()),
        Box::new(Sqlite::open(folder.path()).unwrap()),
    ];
    let mut world = World {
        now: 0,
        base: 0,
        work: Vec::new(),
        rows: Vec::new(),
    };
    let mut before = States::default();
    for step in steps {
        world.base += 100;
        if let Step::Wait { seconds } = step {
            world.now += i64::from(seconds);
        } else if let Step::Claim { kinds, limit } = step {
            let wanted = WorkKind::ALL
                .iter()
                .enumerate()
                .filter(|(n, _)| kinds >> n & 1 == 1);
            let wanted: Vec<_> = wanted.map(|(_, kind)| *kind).collect();
            let claim = async |store: &dyn Store| {
                let lease = Duration::from_secs(30);
                store
                    .claim(&wanted, limit.into(), lease, world.now())
                    .await
                    .unwrap()
            };
            let claimed = [claim(&*stores[0]).await, claim(&*stores[1]).await];
            prop_assert_eq!(&claimed[0], &claimed[1], "{:?}", &step);
            let [claimed, _] = claimed;
            world
                .rows
                .splice(0..0, claimed.work.iter().map(|work| work.subject));
            world.rows.truncate(8);
            world.work.splice(0..0, claimed.work);
            world.work.truncate(6);
        } else {
            let [model, tested] = [
                world.apply(&*stores[0], &step).await,
                world.apply(&*stores[1], &step).await,
            ];
            prop_assert_eq!(model, tested, "{:?}", &step);
        }
        let after = states(&*stores[0]).await;
        prop_assert_eq!(wrong(&before, &after), None, "{:?}", &step);
        before = after;
    }
    let model = everything(&*stores[0]).await;
    let tested = everything(&*stores[1]).await;
    prop_assert_eq!(model.len(), tested.len());
    for (model, tested) in model.into_iter().zip(tested) {
        prop_assert_eq!(model, tested);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn stores_agree(steps in proptest::collection::vec(step(), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps))?;
    }
}
