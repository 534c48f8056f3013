//! What somebody has to look at: one table of conditions, asked for and never sent.
//!
//! | kind | while |
//! |---|---|
//! | `certificate` | one in use that nothing follows ends soon, or has ended ([`WARNED_AT`](crate::partner::expiry::WARNED_AT)) |
//! | `circuit` | a partner's server was not reached for so long that it is left in peace |
//! | `api` | nothing was heard of an account for longer than its file allows, or orders of the last days may be missing |
//! | `undecrypted` | from one address came so much that does not decrypt that most of it is not looked at |
//! | `held` | work is held since a restore |
//! | `message` | messages of the last days are `dead`, `uncertain` or `quarantined` |
//! | `document` | documents of the last days are `held` or `failed` |
//!
//! What a person did not look at for [`RECENT`] is history, and no alert any more: `messages` lists it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::Gateway;
use super::orders::polled;
use crate::store::{self, DocumentState, Filter, MessageState};

/// How long something that went wrong is an alert: over a weekend, and a holiday beside it.
pub const RECENT: TimeDelta = TimeDelta::days(7);
/// Rows that are counted of one kind and state: more are as bad.
const COUNTED: usize = 1000;

/// Something that somebody has to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// The first column of the table.
    pub kind: &'static str,
    /// Whose it is; none for what is ours.
    pub partner: Option<String>,
    /// The fingerprint of a certificate; `silent`, `gap` or `unknown` of an account; an address; the
    /// state of messages and documents.
    pub subject: String,
    /// How many there are, up to a thousand.
    pub count: usize,
    /// One line for people.
    pub said: String,
    /// Until when: the end of a certificate, or of the pause of a circuit.
    pub until: Option<DateTime<Utc>>,
}

impl Gateway {
    /// All that somebody has to look at now.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn alerts(&self) -> Result<Vec<Alert>, store::Error> {
        let now = self.now();
        let mut all: Vec<Alert> = self.expiring(now).collect();
        let queue = self.store.queue(0).await?;
        all.extend((queue.held > 0).then(|| held(queue.held)));
        for circuit in queue.circuits {
            let Some(until) = circuit.shut else { continue };
            let missed = circuit.missed;
            all.push(Alert {
                kind: "circuit",
                partner: Some(circuit.partner),
                subject: "shut".into(),
                count: missed as usize,
                said: format!("{missed} tries in a row did not reach it"),
                until: Some(until),
            });
        }
        all.extend(self.accounts(now).await);
        all.extend(self.throttled(now));
        use MessageState::{Dead, Quarantined, Uncertain};
        for state in [Dead, Uncertain, Quarantined] {
            let rows = self.store.messages(recent(state, now)).await?;
            let rows = rows.into_iter().map(|row| (row.partner, row.id));
            all.extend(counted("message", state.as_str(), rows));
        }
        for state in [DocumentState::Held, DocumentState::Failed] {
            let rows = self.store.documents(recent(state, now)).await?;
            let rows = rows.into_iter().map(|row| (row.partner, row.id));
            all.extend(counted("document", state.as_str(), rows));
        }
        Ok(all)
    }

    /// Accounts that are silent, and what their silence left out.
    async fn accounts(&self, now: DateTime<Utc>) -> Vec<Alert> {
        let mut all = Vec::new();
        for known in &self.agreed().partnerships {
            let Some(api) = polled(known) else { continue };
            let mut alert = |subject: &str, count, said| {
                all.push(Alert {
                    kind: "api",
                    partner: Some(known.partner.name.clone()),
                    subject: subject.into(),
                    count,
                    said,
                    until: None,
                });
            };
            let marks = match self.marks(api).await {
                Ok(marks) => marks.unwrap_or_default(),
                Err(why) => {
                    alert(
                        "unknown",
                        1,
                        format!("how far it was read is not known: {why}"),
                    );
                    continue;
                }
            };
            let plan = api.plan(marks.began.unwrap_or(now));
            if let Some(silent) = marks.silent(&plan, now) {
                let minutes = silent.num_minutes();
                let said = format!("nothing was heard for {minutes} minutes; the doctor says why");
                alert("silent", 1, said);
            }
            let gaps = marks.gaps.iter().filter(|gap| gap.to > now - RECENT);
            if let Some(newest) = gaps.clone().next_back() {
                let (from, to, why) = (newest.from, newest.to, &newest.why);
                let said = format!("orders may be missing, last those from {from} to {to}: {why}");
                alert("gap", gaps.count(), said);
            }
        }
        all
    }

    fn expiring(&self, now: DateTime<Utc>) -> impl Iterator<Item = Alert> {
        let standing = self.certificates().into_iter();
        let due = standing.filter(move |one| !one.followed && one.warning(now).is_some());
        due.map(move |one| Alert {
            kind: "certificate",
            said: match one.days(now) {
                ended @ ..0 => format!("{} ended {} days ago", one.subject, -ended),
                days => format!("{} ends in {days} days", one.subject),
            },
            partner: one.partner,
            subject: one.fingerprint,
            count: 1,
            until: Some(one.until),
        })
    }
}

/// What a restore left for a person.
fn held(count: u64) -> Alert {
    Alert {
        kind: "held",
        partner: None,
        subject: "work".into(),
        count: usize::try_from(count).unwrap_or(usize::MAX),
        said: format!(
            "{count} pieces of work are held since a restore; `transload release` lets go"
        ),
        until: None,
    }
}

fn recent<S>(state: S, now: DateTime<Utc>) -> Filter<S> {
    Filter {
        direction: None,
        state: Some(state),
        partner: None,
        since: Some(now - RECENT),
        limit: COUNTED,
    }
}

/// One alert a partner; rows are the newest first.
fn counted(
    kind: &'static str,
    state: &'static str,
    rows: impl Iterator<Item = (String, uuid::Uuid)>,
) -> impl Iterator<Item = Alert> {
    let mut partners = BTreeMap::new();
    for (partner, id) in rows {
        partners.entry(partner).or_insert((id, 0)).1 += 1;
    }
    partners
        .into_iter()
        .map(move |(partner, (newest, count))| Alert {
            kind,
            partner: Some(partner),
            subject: state.into(),
            count,
            said: format!("{count} {state}, the newest is {newest}"),
            until: None,
        })
}

/// What was said of alerts: each once, when it begins and when it is over.
#[derive(Debug, Default)]
pub struct Told(BTreeSet<(&'static str, Option<String>, String)>);

impl Told {
    /// Says in the log what is new and what is over. Certificates have warnings of their own
    /// ([`Gateway::warn`]).
    pub async fn tell(&mut self, gateway: &Gateway) {
        let all = match gateway.alerts().await {
            Ok(all) => all,
            Err(why) => return tracing::error!(%why, "cannot look for what is wrong"),
        };
        let mut now = BTreeSet::new();
        for alert in all.into_iter().filter(|one| one.kind != "certificate") {
            let Alert {
                kind,
                partner,
                subject,
                said,
                ..
            } = alert;
            let key = (kind, partner.clone(), subject.clone());
            if !self.0.contains(&key) {
                tracing::warn!(kind, partner, subject, said, "somebody has to look at this");
            }
            now.insert(key);
        }
        for (kind, partner, subject) in self.0.difference(&now) {
            tracing::info!(
                kind,
                partner,
                subject,
                "nobody has to look at this any more"
            );
        }
        self.0 = now;
    }
}
