//! What stands at a path of the slots: nodes, and the counts and sums over them.

use super::guide::{ITEM, Path, Rule, Step};
use super::shape::Schema;
use super::slots::{Kind, NodeId, ROOT, Slots};
use crate::canonical::Decimal;

/// Follows steps, making what is not there.
#[inline]
pub(crate) fn walk(slots: &mut Slots, scope: NodeId, steps: &[Step]) -> NodeId {
    steps.iter().fold(scope, |node, step| match step.slot {
        ITEM => slots.push(node, 0, step.kind),
        slot => slots.child_or_push(node, slot, step.kind),
    })
}

/// The node at a path that goes through no list.
pub(crate) fn node(slots: &Slots, scope: NodeId, path: &Path) -> Option<NodeId> {
    path.iter()
        .try_fold(scope, |id, step| slots.child(id, step.slot))
}

/// Whether anything stands at a path; an empty list is nothing.
pub(crate) fn has(slots: &Slots, scope: NodeId, path: &Path) -> bool {
    if path.iter().any(|step| step.slot == ITEM) {
        return !nodes(slots, scope, path).is_empty();
    }
    node(slots, scope, path)
        .is_some_and(|id| slots.kind(id) != Kind::List || slots.children(id).next().is_some())
}

/// All nodes at a path; a list gives its items.
pub(crate) fn nodes(slots: &Slots, scope: NodeId, path: &Path) -> Vec<NodeId> {
    let mut all = vec![scope];
    for step in path {
        all = match step.slot {
            ITEM => all.iter().flat_map(|&id| slots.children(id)).collect(),
            slot => all.iter().filter_map(|&id| slots.child(id, slot)).collect(),
        };
    }
    match path.last() {
        Some(step) if step.kind == Kind::List => {
            all.iter().flat_map(|&id| slots.children(id)).collect()
        }
        _ => all,
    }
}

/// What a `count()` or `sum()` gives.
pub(crate) fn reckon(slots: &Slots, scope: NodeId, rule: &Rule) -> String {
    match rule {
        Rule::Sum(path) => sum(slots, scope, path),
        Rule::Count(path, tree) => {
            let mut open = nodes(slots, scope, path);
            let mut count = 0_usize;
            while let Some(id) = open.pop() {
                count += 1;
                let below = tree.and_then(|slot| slots.child(id, slot));
                open.extend(below.into_iter().flat_map(|list| slots.children(list)));
            }
            count.to_string()
        }
        _ => String::new(),
    }
}

/// The sum of the decimals at a path.
fn sum(slots: &Slots, scope: NodeId, path: &Path) -> String {
    let values = nodes(slots, scope, path).into_iter();
    let values = values.filter_map(|id| slots.text(id).parse::<Decimal>().ok());
    let total = values
        .map(Decimal::value)
        .reduce(|a, b| a.checked_add(b).unwrap_or(a));
    total.map_or_else(|| "0".to_owned(), |t| t.normalize().to_string())
}

/// How many stand at a path of names, such as `levels.item`; a list in its own items is a tree.
pub(crate) fn count(slots: &Slots, schema: &Schema, path: &str) -> usize {
    let mut all = vec![ROOT];
    for name in path.split('.') {
        let mut open = std::mem::take(&mut all);
        while let Some(id) = open.pop() {
            let Some(found) = named(slots, schema, id, name) else {
                continue;
            };
            let from = all.len();
            match slots.kind(found) {
                Kind::List => all.extend(slots.children(found)),
                _ => all.push(found),
            }
            open.extend(&all[from..]);
        }
    }
    all.len()
}

/// The field of a record by its name.
pub(crate) fn named(slots: &Slots, schema: &Schema, record: NodeId, name: &str) -> Option<NodeId> {
    let Kind::Struct(index) = slots.kind(record) else {
        return None;
    };
    slots.child(record, schema.slot(index as usize, name)?.0)
}
