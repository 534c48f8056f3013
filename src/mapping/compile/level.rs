//! Levels: the words `under` and `like`, and `count()` over a tree.

use super::super::guide::{LevelRule, PartUse, Rule, UseId};
use super::super::level::pack;
use super::super::shape::Shape;
use super::super::slots::Kind;
use super::super::source::{Node, Table, Value};
use super::Compiler;
use crate::x12::text;

impl Compiler<'_> {
    /// A table with what it is `like` below it; itself where it is like no other. What tells the
    /// model from its neighbours (`when`), whether it must come and where it stands is its own.
    pub(super) fn like(&mut self, table: &Table, node: &Node) -> Node {
        let Some(name) = node.get("like") else {
            return node.clone();
        };
        let Some(text) = self.ok(name.text()).map(str::to_owned) else {
            return node.clone();
        };
        let Some(model) = table.get(&text) else {
            let known: Vec<&str> = table.keys().collect();
            self.errors
                .push(name.unknown(text!("neighbour"), &text, &known));
            return node.clone();
        };
        if model.get("like").is_some() {
            let message = text!("{text} is like another itself: name that one", text);
            self.errors.push(name.error(message));
        }
        let mut merged = model.clone();
        if let Value::Table(table) = &mut merged.value {
            table.leave_out(&["when", "usage", "with", "under"]);
        }
        merged.merge(node);
        merged.source = node.source.clone();
        merged.span = node.span.clone();
        merged
    }

    /// Makes a use whose first element is `hl()` a level.
    pub(super) fn level(&mut self, id: UseId, node: &Node) {
        let is = |part: &PartUse, rule: &Rule| part.is.as_ref() == Some(rule);
        let numbered = self.uses[id].parts().any(|p| is(p, &Rule::Level));
        let Some(under) = node.get("under").or_else(|| numbered.then_some(node)) else {
            return;
        };
        if !numbered || self.uses[id].parent.is_some() {
            let message = text!(
                "under is for an HL in an area, with HL01 = {rule}",
                rule = "{ is = \"hl()\" }"
            );
            self.errors.push(under.error(message));
            return;
        }
        let codes = match node.get("under") {
            Some(under) => self.ok(under.texts()).unwrap_or_default(),
            None => Vec::new(),
        };
        let mut rule = LevelRule {
            top: codes.is_empty(),
            anywhere: false,
            codes: Vec::new(),
            under: codes,
            list: None,
            nested: None,
            item: Kind::List,
            makes_children: self.uses[id].parts().any(|p| is(p, &Rule::LevelChildren)),
        };
        for code in &rule.under {
            match code.as_str() {
                LevelRule::TOP => rule.top = true,
                LevelRule::ANYWHERE => (rule.top, rule.anywhere) = (true, true),
                code => rule.codes.push(pack(code.as_bytes())),
            }
        }
        match (
            self.uses[id].scope.as_slice(),
            self.tree(Shape::Struct(0), node),
        ) {
            ([], _) => {}
            ([list, item], Some(nested)) => {
                (rule.list, rule.item, rule.nested) = (Some(list.slot), item.kind, Some(nested));
            }
            _ => {
                let message = text!(
                    "levels stand in levels: name a list whose items have a list of the same name, as levels[]"
                );
                self.errors.push(node.error(message));
            }
        }
        self.uses[id].level = Some(rule);
    }

    /// For a use whose list's items have a list of the same name and kind: the slot of that.
    fn tree(&self, outer: Shape, node: &Node) -> Option<u32> {
        let name = node.get("as")?.text().ok()?.strip_suffix("[]")?;
        self.nested(&outer, name)
    }

    /// The slot of list `name` in the items of list `name` of `outer`, where they are of one kind.
    fn nested(&self, outer: &Shape, name: &str) -> Option<u32> {
        let Shape::Struct(outer) = outer else {
            return None;
        };
        let (_, list) = self.schema.slot(*outer, name)?;
        let Shape::List(item) = list else { return None };
        let Shape::Struct(item) = **item else {
            return None;
        };
        let (slot, inner) = self.schema.slot(item, name)?;
        (inner == list).then_some(slot)
    }

    /// `count(path)`, over the whole tree where the list's items have the list again.
    pub(super) fn count(&mut self, node: &Node, path: &str, scope: &Shape) -> Option<Rule> {
        let (steps, _) = self.steps(node, path, scope, None)?;
        let (before, name) = path.rsplit_once('.').unwrap_or(("", path));
        let outer = match before {
            "" => scope.clone(),
            before => self.steps(node, before, scope, None)?.1,
        };
        let outer = match outer {
            Shape::List(item) => *item,
            outer => outer,
        };
        Some(Rule::Count(steps, self.nested(&outer, name)))
    }
}
