//! The ledgers compared: what was sent and acknowledged, what was delivered, what the store says, and
//! what the partner got.
//!
//! | | says |
//! |---|---|
//! | I1 | what was acknowledged is delivered |
//! | I2 | nothing is delivered twice |
//! | I3 | nothing is delivered that nobody sent |
//! | I4 | what is delivered is what was sent |
//! | I5 | a question has one answer, which is right |
//! | I6 | every message is answered for in the end |
//! | I7 | what goes out has one Message-ID and one form, and is confirmed once it was received |
//! | I8 | control numbers are unique, without a gap |
//! | I10 | the store counts what the ledgers count |
//! | I11 | no file is left that nothing names |

use std::collections::BTreeMap;

use super::house::House;
use super::order::{Order, Relation};
use super::partner::Partner;
use super::slice::Plan;

/// Everything that is not as it should be.
pub(super) fn reconcile(house: &House, partner: &Partner, plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let orders = (0..plan.messages).map(|index| Order {
        seed: plan.seed,
        index,
    });
    let orders: Vec<Order> = orders.collect();
    delivered_of(house, &orders, &mut found);
    stored(house, &orders, &mut found);
    sent(partner, &orders, &mut found);
    swept(house, &mut found);
    found
}

/// What was delivered, beside what is due.
pub(super) fn delivered_of(house: &House, orders: &[Order], found: &mut Vec<String>) {
    for relation in Relation::ALL {
        let own = orders.iter().filter(|order| order.relation() == relation);
        let mut due: BTreeMap<String, String> = own.flat_map(|order| order.delivered()).collect();
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for entry in std::fs::read_dir(house.sink(relation))
            .into_iter()
            .flatten()
        {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some(number) = number(&name) else {
                // What begins with a dot is not delivered yet.
                if !name.starts_with('.') {
                    found.push(format!("I3: {name} is delivered"));
                }
                continue;
            };
            let count = seen.entry(number.to_owned()).or_default();
            *count += 1;
            if *count > 1 {
                found.push(format!("I2: {number} is delivered {count} times"));
                continue;
            }
            match due.remove(number) {
                None => found.push(format!("I3: {number} was sent by nobody")),
                Some(wanted) => {
                    let have = std::fs::read_to_string(&path).unwrap_or_default();
                    if have.trim_end() != wanted {
                        let same = have.bytes().zip(wanted.bytes()).take_while(|(a, b)| a == b);
                        let from = same.count().saturating_sub(30);
                        let [have, wanted] = [&have, &wanted].map(|text| {
                            String::from_utf8_lossy(&text.as_bytes()[from.min(text.len())..])
                                .chars()
                                .take(120)
                                .collect::<String>()
                        });
                        found.push(format!("I4: {number} is {have}, not {wanted}"));
                    }
                }
            }
        }
        let lost = due.keys().map(|number| format!("I1: {number} is lost"));
        found.extend(lost);
    }
}

/// The order's number in `<kind>-<number>-<id>.json`.
fn number(name: &str) -> Option<&str> {
    let stem = name
        .strip_suffix(".json")
        .filter(|_| !name.starts_with('.'))?;
    let end = stem.len().checked_sub(37)?;
    stem.get(end.checked_sub(10)?..end)
}

fn stored(house: &House, orders: &[Order], found: &mut Vec<String>) {
    let mut same = |what: &str, sql: &str, due: usize| {
        let have = house.count(sql);
        if have != due as u64 {
            found.push(format!("I10: {have} {what}, not {due}"));
        }
    };
    let sets: usize = orders.iter().map(|order| order.numbers().len()).sum();
    let spoken = orders.iter().filter(|o| o.relation() != Relation::Quiet);
    let spoken = spoken.count();
    same(
        "messages accepted",
        "SELECT count(*) FROM message WHERE direction = 'inbound' AND state IN ('received', 'answered')",
        orders.len(),
    );
    same(
        "messages refused or aside",
        "SELECT count(*) FROM message WHERE state IN ('refused', 'uncertain', 'quarantined', 'dead')",
        0,
    );
    same("keys", "SELECT count(*) FROM dedupe", orders.len());
    same(
        "documents delivered",
        "SELECT count(*) FROM document WHERE set_id = '850' AND state = 'delivered'",
        sets,
    );
    same(
        "messages confirmed",
        "SELECT count(*) FROM message WHERE direction = 'outbound' AND state = 'confirmed'",
        spoken,
    );
    same(
        "messages of ours",
        "SELECT count(*) FROM message WHERE direction = 'outbound'",
        spoken,
    );
    same("rows of work", "SELECT count(*) FROM work", 0);
    let verdict: String = house
        .database()
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .unwrap();
    if verdict != "ok" {
        found.push(format!("the database is broken: {verdict}"));
    }
}

fn sent(partner: &Partner, orders: &[Order], found: &mut Vec<String>) {
    let seen = partner.seen.lock().unwrap();
    found.extend(seen.wrong.iter().map(|wrong| format!("I7: {wrong}")));
    for (id, forms) in &seen.wire {
        if forms.len() > 1 {
            found.push(format!("I7: {id} came in {} forms", forms.len()));
        }
    }
    for ((relation, number), ids) in &seen.numbers {
        if ids.len() > 1 {
            let name = relation.name();
            found.push(format!("I7, I8: number {number} of {name} came as {ids:?}"));
        }
    }
    for relation in Relation::ALL {
        let of = |(known, _): &&(Relation, u32)| *known == relation;
        let numbers: Vec<u32> = seen.numbers.keys().filter(of).map(|(_, n)| *n).collect();
        let due = match relation {
            Relation::Quiet => 0,
            _ => orders.iter().filter(|o| o.relation() == relation).count(),
        };
        let contiguous = numbers.iter().zip(1..).all(|(have, due)| *have == due);
        if !contiguous || numbers.len() != due {
            let (name, last) = (relation.name(), numbers.last());
            let many = numbers.len();
            found.push(format!(
                "I8: {many} numbers of {name} up to {last:?}, not {due}"
            ));
        }
    }
    // Two forms of one receipt would be two answers to one question.
    for (id, forms) in &seen.receipts {
        if forms.len() > 1 {
            found.push(format!("I5: {} receipts were posted for {id}", forms.len()));
        }
    }
    let later = orders.iter().filter(|o| o.relation() == Relation::Later);
    let due = later.clone().count();
    if seen.receipts.len() != due {
        found.push(format!(
            "I5: {} receipts were posted, not {due}",
            seen.receipts.len()
        ));
    }
}

fn swept(house: &House, found: &mut Vec<String>) {
    for spool in ["data/spool", "data/payloads/spool"] {
        for file in house.files(spool) {
            found.push(format!("I11: {} is left", file.display()));
        }
    }
    // Orphans younger than a day stay, by design; a row never names what is not there.
    let files = house.files("data/payloads").len() as u64;
    let rows = house.count("SELECT count(*) FROM payload WHERE bytes IS NULL");
    if files < rows {
        found.push(format!("I11: {rows} payloads in files, and {files} files"));
    }
}
