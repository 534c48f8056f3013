//! Levels (HL): written depth first, numbered from 1, each naming the one that holds it.

use super::super::guide::{LevelRule, Path, Step, Use, UseId};
use super::super::level::{MAX_LEVEL_DEPTH, pack};
use super::super::reach::nodes;
use super::super::slots::{Kind, NodeId};
use super::{Emission, Writer, raw};
use crate::x12::{Fault, text};

/// The level that is being written; at the top nothing.
#[derive(Clone, Copy, Default)]
pub(super) struct Here {
    id: UseId,
    code: u32,
    /// Its number; 0 at the top.
    pub(super) number: u32,
    /// That of the level around it.
    pub(super) parent: u32,
    /// Whether it holds levels.
    pub(super) children: bool,
    pub(super) depth: u8,
}

impl Writer<'_> {
    /// Goes into a level, and gives the one around it, which becomes the present one again.
    pub(super) fn open(&mut self, emission: &Emission, one: &Use, rule: &LevelRule) -> Here {
        let around = self.level;
        self.levels += 1;
        let code = one.places.get(2).map(|place| {
            let raw = raw(&self.slots, &place.parts[0], emission.scope);
            (pack(raw.as_bytes()), raw)
        });
        let (code, raw) = code.unwrap_or_default();
        self.level = Here {
            id: emission.id,
            code,
            number: self.levels,
            parent: around.number,
            children: !self.held(emission.scope, rule).is_empty(),
            depth: around.depth + 1,
        };
        // Below a level that the guide does not list anything may stand.
        let may = match around.number {
            0 => rule.top,
            _ => rule.admits(around.code) || self.guide.uses[around.id].when.is_empty(),
        };
        if !may {
            let place = match around.number {
                0 => text!("at the top"),
                number => text!(
                    "below HL {number} ({level})",
                    number,
                    level = &self.guide.uses[around.id].key
                ),
            };
            let message = text!(
                "a level {code} stands {may}, not {place}",
                code = raw,
                may = rule.places(),
                place
            );
            let fix = text!("move it, or agree on another guide with the partner");
            self.fault(one, (2, 0), Fault::LevelParent, message, fix);
        }
        around
    }

    /// The levels that an item holds.
    fn held(&self, item: NodeId, rule: &LevelRule) -> Vec<NodeId> {
        let Some(slot) = rule.nested else {
            return Vec::new();
        };
        let kind = Kind::List;
        nodes(&self.slots, item, &Path::from([Step { slot, kind }]))
    }

    /// Writes the levels that a level holds.
    pub(super) fn below(&mut self, emission: &Emission, one: &Use, path: &str) {
        let Some(rule) = &one.level else { return };
        let guide = self.guide;
        let is_mate = |id: &&UseId| guide.uses[**id].order == one.order;
        let mates: Vec<UseId> = guide.roots.iter().filter(is_mate).copied().collect();
        for (scope, occurrence) in self.held(emission.scope, rule).into_iter().zip(0..) {
            if let Some(id) = self.takes(&mates, scope) {
                let emission = Emission {
                    id,
                    scope,
                    occurrence,
                };
                self.emit(&emission, path);
            }
        }
    }

    /// Refuses a level below the limit.
    pub(super) fn too_deep(&mut self, one: &Use) {
        let message = text!(
            "more than {limit} levels stand below one another",
            limit = MAX_LEVEL_DEPTH
        );
        let fix = text!("make the tree flatter");
        self.fault(one, (1, 0), Fault::Unwritable, message, fix);
    }
}
