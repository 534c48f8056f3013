//! Document → slots: a serde [`Serializer`] into the table, the twin of `empty.rs`.

use std::sync::Arc;

use serde::ser::{self, Impossible, Serialize, Serializer};

use super::empty::{Misfit, tag};
use super::shape::{Form, PROVENANCE, Schema, Shape};
use super::slots::{Kind, NodeId, ROOT, Slots};
use crate::canonical::Document;

/// Fills an empty table from a document.
pub(crate) fn fill(document: &Document, slots: &mut Slots, schema: &Schema) -> Result<(), Misfit> {
    let place = Place {
        schema,
        shape: &Shape::Struct(0),
        parent: None,
        slot: 0,
        form: None,
    };
    document.serialize_record(Filler { slots, place })
}

/// Where the next value goes.
#[derive(Clone, Copy)]
struct Place<'a> {
    schema: &'a Schema,
    shape: &'a Shape,
    /// `None` for the document itself.
    parent: Option<NodeId>,
    slot: u32,
    /// For a free field's value that has a tag: what the tag said.
    form: Option<Form>,
}

struct Filler<'a> {
    slots: &'a mut Slots,
    place: Place<'a>,
}

impl<'a> Filler<'a> {
    fn leaf(self, text: &str) -> Result<(), Misfit> {
        let Some(parent) = self.place.parent else {
            return Err(Misfit("a document is a struct".into()));
        };
        let kind = match self.place.shape {
            Shape::Leaf(form) => Kind::Leaf(*form),
            Shape::Ext => Kind::ExtLeaf(self.place.form.unwrap_or(Form::Text)),
            _ => {
                return Err(Misfit(format!(
                    "{text:?} stands where a struct or list is due"
                )));
            }
        };
        if !text.is_empty() {
            self.slots.push_leaf(parent, self.place.slot, kind, text);
        }
        Ok(())
    }

    fn open(self, kind: Kind) -> Many<'a> {
        let id = match self.place.parent {
            Some(parent) => self.slots.push(parent, self.place.slot, kind),
            None => ROOT,
        };
        Many {
            slots: self.slots,
            place: self.place,
            id,
            next: 0,
        }
    }
}

/// A list, struct or set of free fields that is being filled.
struct Many<'a> {
    slots: &'a mut Slots,
    place: Place<'a>,
    id: NodeId,
    next: u32,
}

macro_rules! numbers {
    ($($name:ident $kind:ty),*) => {$(
        fn $name(self, v: $kind) -> Result<(), Misfit> { self.leaf(&v.to_string()) }
    )*};
}

impl<'a> Serializer for Filler<'a> {
    type Ok = ();
    type Error = Misfit;
    type SerializeSeq = Many<'a>;
    type SerializeTuple = Impossible<(), Misfit>;
    type SerializeTupleStruct = Impossible<(), Misfit>;
    type SerializeTupleVariant = Impossible<(), Misfit>;
    type SerializeMap = Many<'a>;
    type SerializeStruct = Many<'a>;
    type SerializeStructVariant = Impossible<(), Misfit>;

    numbers!(serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64,
        serialize_f32 f32, serialize_f64 f64, serialize_bool bool, serialize_char char);

    fn serialize_str(self, v: &str) -> Result<(), Misfit> {
        self.leaf(v)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Misfit> {
        Err(Misfit("documents hold no bytes".into()))
    }

    fn serialize_none(self) -> Result<(), Misfit> {
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Misfit> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Misfit> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Misfit> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Misfit> {
        self.leaf(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Misfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Misfit> {
        let form = form_of(variant);
        value.serialize(Filler {
            slots: self.slots,
            place: Place { form, ..self.place },
        })
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Many<'a>, Misfit> {
        match self.place.shape {
            Shape::List(_) => Ok(self.open(Kind::List)),
            // A free field's list: its values share the field's slot.
            Shape::Ext => Ok(Many {
                id: ROOT,
                slots: self.slots,
                place: self.place,
                next: 0,
            }),
            _ => Err(Misfit("a list stands where one value is due".into())),
        }
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Misfit> {
        Err(Misfit("documents hold no tuples".into()))
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTuple, Misfit> {
        Err(Misfit("documents hold no tuples".into()))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTuple, Misfit> {
        Err(Misfit("documents hold no tuples".into()))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Many<'a>, Misfit> {
        match (self.place.shape, self.place.parent) {
            // A tagged value of a free field: its one entry takes the field's own place.
            (Shape::Ext, Some(parent)) if self.slots.kind(parent) == Kind::Ext => Ok(Many {
                slots: self.slots,
                place: self.place,
                id: parent,
                next: 0,
            }),
            (Shape::Ext, _) => Ok(self.open(Kind::Ext)),
            _ => Err(Misfit("a map stands where no free fields are".into())),
        }
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Many<'a>, Misfit> {
        match self.place.shape {
            Shape::Struct(index) => Ok(self.open(Kind::Struct(*index as u16))),
            _ => Err(Misfit("a struct stands where one value is due".into())),
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Misfit> {
        Err(Misfit("documents hold no variants with fields".into()))
    }
}

fn form_of(name: &str) -> Option<Form> {
    [Form::Decimal, Form::Date, Form::Time]
        .into_iter()
        .find(|&form| tag(form).is_some_and(|t| t.eq_ignore_ascii_case(name)))
}

impl ser::SerializeSeq for Many<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Misfit> {
        let Shape::List(inner) = self.place.shape else {
            return value.serialize(Filler {
                slots: self.slots,
                place: self.place,
            });
        };
        let place = Place {
            shape: inner,
            parent: Some(self.id),
            slot: self.next,
            ..self.place
        };
        self.next += 1;
        value.serialize(Filler {
            slots: self.slots,
            place,
        })
    }

    fn end(self) -> Result<(), Misfit> {
        Ok(())
    }
}

impl ser::SerializeStruct for Many<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Misfit> {
        let Shape::Struct(index) = *self.place.shape else {
            return Err(Misfit("a struct stands where one value is due".into()));
        };
        if index == 0 && key == PROVENANCE {
            return Ok(());
        }
        let schema = self.place.schema;
        let (slot, shape) = schema
            .slot(index, key)
            .ok_or_else(|| Misfit(format!("{key} is not in the schema of its struct")))?;
        let place = Place {
            schema,
            shape,
            parent: Some(self.id),
            slot,
            form: None,
        };
        value.serialize(Filler {
            slots: self.slots,
            place,
        })
    }

    fn end(self) -> Result<(), Misfit> {
        Ok(())
    }
}

impl ser::SerializeMap for Many<'_> {
    type Ok = ();
    type Error = Misfit;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Misfit> {
        let name = match serde_json::to_value(key) {
            Ok(serde_json::Value::String(name)) => name,
            _ => return Err(Misfit("a free field's name is text".into())),
        };
        if self.place.parent == Some(self.id) {
            self.place.form = form_of(&name);
            return Ok(());
        }
        let known = self.slots.names.iter().position(|n| *n == name);
        self.next = known.unwrap_or(self.slots.names.len()) as u32;
        if known.is_none() {
            Arc::make_mut(&mut self.slots.names).push(name);
        }
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Misfit> {
        let place = if self.place.parent == Some(self.id) {
            self.place
        } else {
            Place {
                parent: Some(self.id),
                slot: self.next,
                form: None,
                ..self.place
            }
        };
        value.serialize(Filler {
            slots: self.slots,
            place,
        })
    }

    fn end(self) -> Result<(), Misfit> {
        Ok(())
    }
}
