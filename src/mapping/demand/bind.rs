//! The tables of `fits` and `with` → [`Demand`]s: names become places in the guide, once all of it
//! is there.

use super::super::dictionary::{DataType, Usage, usage_of};
use super::super::guide::{Guide, PartUse, Pattern, Use, UseId, designator, elements};
use super::super::source::{GuideError, Node};
use super::{Condition, Demand, Form, Home, Operand, Relation, Spot, What};
use crate::x12::text;

/// Where a name may lead.
#[derive(Clone, Copy)]
struct Looker<'g> {
    guide: &'g Guide,
    owner: UseId,
    /// Whether an element asks, and not the use itself.
    element: bool,
}

/// All that a guide asks, and where reading has to look.
pub(crate) fn bind(guide: &mut Guide, errors: &mut Vec<GuideError>) {
    let mut demands = Vec::new();
    for (owner, one) in guide.uses.iter().enumerate() {
        let looker = |element| Looker {
            guide,
            owner,
            element,
        };
        if let Some(with) = one.node.get("with") {
            let made = looker(false).usage(&one.node, with, None);
            demands.extend(keep(made, errors));
        }
        for (key, node) in elements(one) {
            let Some(at) = designator(key, &one.tag) else {
                continue;
            };
            let (with, fits) = (node.get("with"), node.get("fits"));
            if let Some(with) = with.filter(|_| fits.is_none() || node.get("usage").is_some()) {
                demands.extend(keep(looker(true).usage(node, with, Some(at)), errors));
            }
            for fits in fits.into_iter().flat_map(all) {
                demands.extend(keep(looker(true).fits(fits, with, at), errors));
            }
        }
    }
    watch(guide, &demands);
    for demand in &demands {
        if let (What::Form(forms), Some((element, component))) = (&demand.what, demand.at) {
            let place = &mut guide.uses[demand.owner].places[element - 1];
            place.parts[component.saturating_sub(1)]
                .forms
                .clone_from(forms);
        }
    }
    guide.demands = demands;
}

fn keep(made: Result<Demand, GuideError>, errors: &mut Vec<GuideError>) -> Option<Demand> {
    made.map_err(|error| errors.push(error)).ok()
}

/// A text, or each of a list of them.
fn all(node: &Node) -> Vec<&Node> {
    match &node.value {
        super::super::source::Value::List(list) => list.iter().collect(),
        _ => vec![node],
    }
}

/// Says to each use that a demand names how deep it stands, and in how far out a loop it is still
/// needed.
fn watch(guide: &mut Guide, demands: &[Demand]) {
    let mut needed: Vec<(UseId, usize)> = Vec::new();
    for demand in demands {
        let depth = match demand.home {
            Home::Segment => usize::MAX,
            Home::Loop(home) => home.map_or(0, |id| depth(guide, id) + 1),
        };
        needed.push((demand.owner, depth));
        let others = demand.spots().map(|spot| spot.id);
        needed.extend(others.filter(|id| *id != demand.owner).map(|id| {
            // What stands before in a loop around is there until that one ends.
            (id, depth.min(depth_of(guide, id)))
        }));
    }
    for (id, keep) in needed {
        let here = depth_of(guide, id);
        let one = &mut guide.uses[id];
        let before = one.watch.map_or(usize::MAX, |(_, keep)| keep);
        one.watch = Some((here, keep.min(before)));
    }
}

/// In how many loops a use stands.
fn depth(guide: &Guide, id: UseId) -> usize {
    std::iter::successors(guide.uses[id].parent, |&id| guide.uses[id].parent).count()
}

/// The depth of the loop that a use's segments end with: a loop's first segment with its own.
fn depth_of(guide: &Guide, id: UseId) -> usize {
    depth(guide, id) + usize::from(!guide.uses[id].children.is_empty())
}

impl<'g> Looker<'g> {
    fn one(self) -> &'g Use {
        &self.guide.uses[self.owner]
    }

    fn part(
        self,
        node: &Node,
        (element, component): (usize, usize),
    ) -> Result<&'g PartUse, GuideError> {
        let place = self.one().places.get(element - 1);
        let part = place.filter(|place| place.composite == (component > 0));
        let part = part.and_then(|place| place.parts.get(component.saturating_sub(1)));
        part.ok_or_else(|| node.error(text!("name a component of the composite, as REF04-1")))
    }

    fn demand(self, at: Option<(usize, usize)>, what: What, with: Vec<Condition>) -> Demand {
        let mut demand = Demand {
            owner: self.owner,
            at,
            what,
            with,
            home: Home::Segment,
        };
        let (one, here) = (self.one(), self.owner);
        let parent = Home::Loop(one.parent);
        demand.home = match at {
            None => parent,
            Some(_) if demand.spots().all(|spot| spot.id == here) => Home::Segment,
            // Below it or before it: known when its own loop ends.
            Some(_) if !one.children.is_empty() => {
                let known = |spot: Spot| self.is_below(spot.id) || self.is_before(spot.id);
                match demand.spots().all(known) {
                    true => Home::Loop(Some(here)),
                    false => parent,
                }
            }
            Some(_) => parent,
        };
        demand
    }

    fn is_below(self, id: UseId) -> bool {
        let mut around = std::iter::successors(Some(id), |&id| self.guide.uses[id].parent);
        around.any(|id| id == self.owner)
    }

    /// Whether a use, or the loop around it that is a neighbour of a loop around the owner, comes
    /// before that.
    fn is_before(self, id: UseId) -> bool {
        let chain = |id| -> Vec<UseId> {
            let mut all: Vec<UseId> =
                std::iter::successors(Some(id), |&id: &UseId| self.guide.uses[id].parent).collect();
            all.reverse();
            all
        };
        let (other, own) = (chain(id), chain(self.owner));
        let fork = other.iter().zip(&own).find(|(a, b)| a != b);
        let order = |id: UseId| self.guide.uses[id].order;
        fork.map_or(other.len() < own.len(), |(a, b)| order(*a) < order(*b))
    }

    /// `usage` where `with` holds.
    fn usage(
        self,
        node: &Node,
        with: &Node,
        at: Option<(usize, usize)>,
    ) -> Result<Demand, GuideError> {
        let usage = match node.get("usage") {
            Some(usage) => usage_of(usage.text()?, usage)?,
            None => Usage::Optional,
        };
        if !matches!(usage, Usage::Mandatory | Usage::NotUsed) {
            let message = text!(
                "with says where a usage or a fits holds: write usage = \"M\" or \"N\" beside it"
            );
            return Err(with.error(message));
        }
        if let Some(at) = at {
            self.part(node, (at.0, at.1)).or_else(|error| match at.1 {
                // A composite as a whole may be asked for.
                0 => Ok(&self.one().places[at.0 - 1].parts[0]),
                _ => Err(error),
            })?;
        }
        Ok(self.demand(at, What::Usage(usage), self.with(Some(with))?))
    }

    fn with(self, with: Option<&Node>) -> Result<Vec<Condition>, GuideError> {
        let mut conditions = Vec::new();
        let Some(with) = with else {
            return Ok(conditions);
        };
        for (name, value) in with.table()? {
            // A dotted key is a table in a table.
            self.conditions(name, value, &mut conditions)?;
        }
        match conditions.is_empty() {
            true => Err(with.error(text!(
                "with needs a value to look at, as {example}",
                example = "{ FOB.FOB01 = \"CC\" }"
            ))),
            false => Ok(conditions),
        }
    }

    fn conditions(
        self,
        name: &str,
        value: &Node,
        all: &mut Vec<Condition>,
    ) -> Result<(), GuideError> {
        if let Ok(table) = value.table() {
            for (key, value) in table {
                self.conditions(&format!("{name}.{key}"), value, all)?;
            }
            return Ok(());
        }
        let pattern = |text: String| match text.strip_suffix('*') {
            Some(start) => Pattern::Begins(start.to_owned()),
            None => Pattern::Is(text),
        };
        let patterns: Vec<Pattern> = value.texts()?.into_iter().map(pattern).collect();
        if patterns.is_empty() {
            return Err(value.error(text!(
                "an empty list tells nothing: with needs at least one value"
            )));
        }
        all.push(Condition {
            name: name.to_owned(),
            spot: self.find(value, name)?,
            patterns,
        });
        Ok(())
    }

    fn fits(
        self,
        node: &Node,
        with: Option<&Node>,
        at: (usize, usize),
    ) -> Result<Demand, GuideError> {
        let with = self.with(with)?;
        let text = node.text()?.trim();
        let part = self.part(node, at)?;
        let Some((relation, operand)) = Relation::parse(text) else {
            let forms = Form::alternatives(node, text)?;
            return Ok(self.demand(Some(at), What::Form(forms), with));
        };
        let operand = self.operand(node, operand)?;
        let kind = |part: &PartUse| match part.def.data {
            DataType::Decimal | DataType::Implied(_) => "a number",
            DataType::Date => "a date",
            DataType::Time => "a time",
            _ => "text",
        };
        let other = match &operand {
            Operand::Number(_) => "a number",
            Operand::Today(_) => "a date",
            Operand::Value(_, spot, days) => {
                if *days != 0 && kind(part) != "a date" {
                    return Err(node.error(text!("days are added to dates only")));
                }
                let place = &self.guide.uses[spot.id].places[spot.element - 1];
                kind(&place.parts[spot.component.saturating_sub(1)])
            }
        };
        if kind(part) != other {
            let message = text!(
                "{kind} cannot be compared with {other}",
                kind = kind(part).to_string(),
                other
            );
            return Err(node.error(message));
        }
        Ok(self.demand(Some(at), What::Compare(relation, operand), with))
    }

    /// `0`, `today - 7`, `BIG03`.
    fn operand(self, node: &Node, text: &str) -> Result<Operand, GuideError> {
        if let Ok(number) = text.parse() {
            return Ok(Operand::Number(number));
        }
        // Names have hyphens: a sign stands between blanks.
        let (name, days) = match (text.split_once(" + "), text.split_once(" - ")) {
            (Some((name, days)), _) => (name, days.trim().parse::<u16>().map(i64::from)),
            (_, Some((name, days))) => (name, days.trim().parse::<u16>().map(|n| -i64::from(n))),
            _ => (text, Ok(0)),
        };
        let wrong = |_| node.error(text!("days are written as today + 2, BSN.BSN03 - 7"));
        let (name, days) = (name.trim(), days.map_err(wrong)?);
        match name {
            "today" => Ok(Operand::Today(days)),
            name => Ok(Operand::Value(
                name.to_owned(),
                self.find(node, name)?,
                days,
            )),
        }
    }

    /// The element that a name means.
    fn find(self, node: &Node, name: &str) -> Result<Spot, GuideError> {
        let guide = self.guide;
        let (path, last) = match name.rsplit_once('.') {
            Some((path, last)) => (path.split('.').collect(), last),
            None => (Vec::new(), name),
        };
        let id = match path[..] {
            [] if self.element => self.owner,
            [] => {
                let message = text!("{name}: name the segment too, as FOB.FOB01", name);
                return Err(node.error(message));
            }
            _ => self.place(node, &path)?,
        };
        let one = &guide.uses[id];
        let spot = designator(last, &one.tag).map(|(element, component)| Spot {
            id,
            element,
            component,
        });
        let there = |spot: &Spot| {
            let place = one.places.get(spot.element - 1);
            place.is_some_and(|place| {
                place.composite == (spot.component > 0) && spot.component <= place.parts.len()
            })
        };
        spot.filter(there).ok_or_else(|| {
            node.error(text!(
                "{last} is no element of {tag} with a value of its own",
                last,
                tag = &one.tag
            ))
        })
    }

    /// The use that a path of keys means: from the nearest loop outwards.
    fn place(self, node: &Node, path: &[&str]) -> Result<UseId, GuideError> {
        let guide = self.guide;
        let own = self.element.then_some(Some(self.owner));
        let around = std::iter::successors(Some(self.one().parent), |at| {
            at.map(|id| guide.uses[id].parent)
        });
        let mut known = Vec::new();
        for level in own.into_iter().chain(around) {
            let mut at = level;
            let mut found = None;
            for (step, key) in path.iter().enumerate() {
                let children = guide.children(at);
                known.extend(children.iter().map(|&id| guide.uses[id].key.as_str()));
                let child = children
                    .iter()
                    .copied()
                    .find(|&id| guide.uses[id].key == *key);
                let Some(child) = child else {
                    found = None;
                    break;
                };
                if step > 0 && found.is_some_and(|id: UseId| guide.uses[id].capacity() > 1) {
                    let message = text!(
                        "{key} repeats: of which one the value is meant, nobody can tell",
                        key = path[step - 1]
                    );
                    return Err(node.error(message));
                }
                (at, found) = (Some(child), Some(child));
            }
            if let Some(id) = found {
                return self.reachable(node, id, level);
            }
        }
        Err(node.unknown(text!("segment"), &path.join("."), &known))
    }

    /// A loop that repeats is judged where it ends: what comes after it cannot be asked.
    fn reachable(self, node: &Node, id: UseId, level: Option<UseId>) -> Result<UseId, GuideError> {
        let near = level == self.one().parent || level == Some(self.owner);
        let repeats = self.element && !self.one().children.is_empty() && self.one().capacity() > 1;
        if self.is_below(id) || self.is_before(id) || (near && !repeats) {
            return Ok(id);
        }
        let key = &self.guide.uses[id].key;
        Err(node.error(text!(
            "{key} comes later, outside the loop that this stands in: ask it there",
            key
        )))
    }
}
