//! Slots → document: a serde [`Deserializer`] over the table.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::shape::{Form, Schema};
use super::slots::{Children, Kind, NodeId, ROOT, Slots};
use crate::canonical::{Document, DocumentKind};

/// Why the slots do not make the document. The engine checks values before it fills a slot, so
/// that this is a defect of ours and not of a partner's bytes.
#[derive(Debug)]
pub(crate) struct Misfit(pub(crate) String);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Misfit {
        Misfit(message.to_string())
    }
}

impl serde::ser::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Misfit {
        Misfit(message.to_string())
    }
}

/// The document in the table, which is one of `kind`.
pub(crate) fn empty(
    kind: DocumentKind,
    slots: &Slots,
    schema: &Schema,
) -> Result<Document, Misfit> {
    kind.deserialize(Cursor {
        slots,
        schema,
        id: ROOT,
    })
}

#[derive(Clone, Copy)]
struct Cursor<'de> {
    slots: &'de Slots,
    schema: &'de Schema,
    id: NodeId,
}

impl<'de> Deserializer<'de> for Cursor<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let text = self.slots.text(self.id);
        match self.slots.kind(self.id) {
            Kind::Struct(_) | Kind::Ext => visitor.visit_map(Fields {
                cursor: self,
                rest: self.slots.children(self.id),
                current: ROOT,
            }),
            Kind::List => visitor.visit_seq(Items {
                cursor: self,
                rest: self.slots.children(self.id),
            }),
            Kind::Leaf(Form::Integer) => {
                let number = text
                    .parse()
                    .map_err(|_| Misfit(format!("{text:?} is no count")))?;
                visitor.visit_u64(number)
            }
            Kind::ExtLeaf(form) if tag(form).is_some() => visitor.visit_map(Tagged {
                tag: tag(form),
                text,
            }),
            Kind::Leaf(_) | Kind::ExtLeaf(_) => visitor.visit_borrowed_str(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// How a free field's value names its type in a document's JSON; text has no tag.
pub(crate) fn tag(form: Form) -> Option<&'static str> {
    match form {
        Form::Text | Form::Code => None,
        Form::Decimal | Form::Integer => Some("decimal"),
        Form::Date => Some("date"),
        Form::Time => Some("time"),
    }
}

struct Fields<'de> {
    cursor: Cursor<'de>,
    rest: Children<'de>,
    current: NodeId,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some(id) = self.rest.next() else {
            return Ok(None);
        };
        self.current = id;
        let Cursor {
            slots,
            schema,
            id: parent,
        } = self.cursor;
        let slot = slots.slot(id) as usize;
        let name = match slots.kind(parent) {
            Kind::Struct(index) => schema.structs[index as usize].fields[slot].0,
            _ => slots.names[slot].as_str(),
        };
        seed.deserialize(de::value::BorrowedStrDeserializer::new(name))
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        seed.deserialize(Cursor {
            id: self.current,
            ..self.cursor
        })
    }
}

struct Items<'de> {
    cursor: Cursor<'de>,
    rest: Children<'de>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        match self.rest.next() {
            Some(id) => seed.deserialize(Cursor { id, ..self.cursor }).map(Some),
            None => Ok(None),
        }
    }
}

/// `{"decimal": "10.00"}`
struct Tagged<'de> {
    tag: Option<&'static str>,
    text: &'de str,
}

impl<'de> MapAccess<'de> for Tagged<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        match self.tag.take() {
            Some(tag) => seed
                .deserialize(de::value::BorrowedStrDeserializer::new(tag))
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        seed.deserialize(de::value::BorrowedStrDeserializer::new(self.text))
    }
}
