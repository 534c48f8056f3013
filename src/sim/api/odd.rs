//! Misbehaviour, as a scenario wants it: each was seen by somebody, and a client must live with it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::sim::{What, World};

/// Whether something that lasts is going on. Its hours count from the first order's time.
pub(super) fn during(world: &World, what: What, now: DateTime<Utc>) -> bool {
    let all = world
        .scenario()
        .happens
        .iter()
        .filter(|one| one.what == what);
    let mut spans = all.map(|one| {
        let from = world.start() + one.delay();
        match one.lasts {
            0 => (from, DateTime::<Utc>::MAX_UTC),
            hours => (from, from + TimeDelta::hours(hours)),
        }
    });
    spans.any(|(from, to)| (from..to).contains(&now))
}

/// Whether something has begun that does not end.
pub(super) fn since(world: &World, what: What, now: DateTime<Utc>) -> bool {
    let mut all = world
        .scenario()
        .happens
        .iter()
        .filter(|one| one.what == what);
    all.any(|one| now >= world.start() + one.delay())
}

/// Words in another case, and numbers as text, as real answers have them.
pub(super) fn in_another_case(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match (name.as_str(), &*value) {
                    ("unitOfMeasure", Value::String(text)) => *value = text.to_uppercase().into(),
                    ("amount", Value::Number(number)) => *value = number.to_string().into(),
                    _ => in_another_case(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(in_another_case),
        _ => {}
    }
}
