//! Paths into the document: the words of an `as`, a `count()` and a `sum()`.

use super::super::guide::{ITEM, Path, Step};
use super::super::shape::{Form, Shape};
use super::super::slots::Kind;
use super::super::source::Node;
use super::Compiler;
use crate::x12::text;

impl Compiler<'_> {
    /// An `as` path: its steps from `scope`, and what stands at its end.
    pub(super) fn path(
        &mut self,
        node: &Node,
        scope: &Shape,
        ext: Option<Form>,
    ) -> Option<(Path, Shape)> {
        if !self.mapped {
            self.errors
                .push(node.error(text!("this guide has no document = \"…\" to map to")));
            return None;
        }
        let text = self.ok(node.text())?;
        self.steps(node, text, scope, ext)
    }

    pub(super) fn steps(
        &mut self,
        node: &Node,
        text: &str,
        scope: &Shape,
        ext: Option<Form>,
    ) -> Option<(Path, Shape)> {
        let mut path = Path::new();
        let mut shape = scope.clone();
        for word in text.split('.') {
            let (name, item) = match word.strip_suffix("[]") {
                Some(name) => (name, true),
                None => (word, false),
            };
            // Inside count() and sum() a list is walked without being marked as such.
            if let (Shape::List(inner), None) = (&shape, path.last().filter(|s| s.slot == ITEM)) {
                let inner = (**inner).clone();
                path.push(Step {
                    slot: ITEM,
                    kind: kind(&inner),
                });
                shape = inner;
            }
            match shape {
                Shape::Struct(index) => {
                    let Some((slot, found)) = self.schema.slot(index, name) else {
                        let owner = &self.schema.structs[index];
                        let known: Vec<&str> = owner.fields.iter().map(|f| f.0).collect();
                        self.errors.push(node.unknown(text!("field"), name, &known));
                        return None;
                    };
                    path.push(Step {
                        slot,
                        kind: kind(found),
                    });
                    shape = found.clone();
                }
                Shape::Ext => {
                    let form = ext.unwrap_or(Form::Text);
                    path.push(Step {
                        slot: self.name(name),
                        kind: Kind::ExtLeaf(form),
                    });
                    shape = Shape::Leaf(form);
                }
                _ => {
                    self.errors.push(node.error(text!(
                        "{name} is asked of a single value",
                        name = crate::x12::Value::quoted(name)
                    )));
                    return None;
                }
            }
            if item {
                let Shape::List(inner) = shape else {
                    self.errors.push(node.error(text!(
                        "{name} is not a list: leave out []",
                        name = crate::x12::Value::quoted(name)
                    )));
                    return None;
                };
                path.push(Step {
                    slot: ITEM,
                    kind: kind(&inner),
                });
                shape = *inner;
            }
        }
        Some((path, shape))
    }

    fn name(&mut self, name: &str) -> u32 {
        let known = self.names.iter().position(|n| n == name);
        known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        }) as u32
    }
}

/// What a node of this shape is.
pub(super) fn kind(shape: &Shape) -> Kind {
    match shape {
        Shape::Struct(index) => Kind::Struct(*index as u16),
        Shape::List(_) => Kind::List,
        Shape::Leaf(form) => Kind::Leaf(*form),
        Shape::Ext => Kind::Ext,
    }
}
