//! Transactions taken apart, as a careless change would: bugs that `tests/faults` has to see. No part
//! of anything that is shipped.

use chrono::{DateTime, Utc};
use rusqlite::params;

use super::{INLINE, Sqlite, inbound, outbound, queue};
use crate::store::{Accepted, Arrival, Envelope, Error, WorkKind};

/// How an acceptance is taken apart.
#[derive(Clone, Copy)]
pub(super) enum Apart {
    /// The payload's file is written after the commit that names it.
    Payload,
    /// The work that follows is queued in a transaction of its own.
    Work,
}

pub(super) fn acceptance() -> Option<Apart> {
    match (
        planted!("claimed-before-payload"),
        planted!("work-in-second-transaction"),
    ) {
        (true, _) => Some(Apart::Payload),
        (_, true) => Some(Apart::Work),
        _ => None,
    }
}

pub(super) async fn accept(
    store: &Sqlite,
    arrival: Arrival,
    now: DateTime<Utc>,
    apart: Apart,
) -> Result<Accepted, Error> {
    let own = arrival.clone();
    if let Apart::Payload = apart {
        let accepted = store.write(move |c| inbound::accept(c, &own, now)).await?;
        // A question that comes again has its answer, so nobody writes its file.
        if let Accepted::New { .. } = accepted {
            if arrival.body.len() > INLINE as u64 {
                kill!("apart");
            }
            let spilled = store.spill([Some(&arrival.body), arrival.content.as_ref()]);
            spilled.await?;
        }
        return Ok(accepted);
    }
    store
        .spill([Some(&arrival.body), arrival.content.as_ref()])
        .await?;
    let job = move |c: &rusqlite::Connection| {
        let accepted = inbound::accept(c, &own, now)?;
        let sql = "DELETE FROM work WHERE subject = $1 AND kind = 'read'";
        queue::run(c, sql, params![own.id.as_bytes()])?;
        Ok(accepted)
    };
    let accepted = store.write(job).await?;
    if let Accepted::New { .. } = accepted {
        kill!("apart");
        let queued = store
            .write(move |c| queue::enqueue(c, WorkKind::Read, arrival.id, &arrival.partner, now));
        queued.await?;
    }
    Ok(accepted)
}

/// Takes the control number of an interchange in a transaction of its own.
pub(super) async fn number(store: &Sqlite, envelope: &Envelope) -> Result<(), Error> {
    if outbound::step() > 0 {
        return Ok(());
    }
    let pair = envelope.pair.clone();
    let taken = store.write(move |c| outbound::count(c, &pair, "interchange", 1));
    taken.await?;
    kill!("apart");
    Ok(())
}
