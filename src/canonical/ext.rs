//! Free fields: what a partner sends and no record has a field for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Date, Decimal, Time};

/// Free fields by name, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Ext(pub BTreeMap<String, ExtValue>);

/// A free field with its type. In JSON a text is a string, a list an array, and the others say
/// what they are: `{"decimal": "10.00"}`.
#[derive(Clone, Debug, PartialEq)]
pub enum ExtValue {
    /// `"text"`
    Text(String),
    /// `{"decimal": "10.00"}`
    Decimal(Decimal),
    /// `{"date": "2026-01-31"}`
    Date(Date),
    /// `{"time": "08:00"}`
    Time(Time),
    /// `["text", {"decimal": "1"}]`; lists do not stand in lists.
    List(Vec<ExtValue>),
}

impl Serialize for ExtValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ExtValue::Text(text) => serializer.serialize_str(text),
            ExtValue::Decimal(value) => serializer.collect_map([("decimal", value)]),
            ExtValue::Date(value) => serializer.collect_map([("date", value)]),
            ExtValue::Time(value) => serializer.collect_map([("time", value)]),
            ExtValue::List(values) => serializer.collect_seq(values),
        }
    }
}

impl<'de> Deserialize<'de> for ExtValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ExtValue, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = ExtValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list, or {\"decimal\" | \"date\" | \"time\": a text}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ExtValue, E> {
        Ok(ExtValue::Text(text.into()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<ExtValue, E> {
        Ok(ExtValue::Text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ExtValue, A::Error> {
        let expected = &["decimal", "date", "time"];
        let value = match map.next_key::<Cow<'_, str>>()?.as_deref() {
            Some("decimal") => ExtValue::Decimal(map.next_value()?),
            Some("date") => ExtValue::Date(map.next_value()?),
            Some("time") => ExtValue::Time(map.next_value()?),
            Some(unknown) => return Err(A::Error::unknown_field(unknown, expected)),
            None => return Err(A::Error::custom("an empty object is not a value")),
        };
        match map.next_key::<Cow<'_, str>>()? {
            Some(second) => Err(A::Error::custom(format!(
                "a second key {second:?} in one value"
            ))),
            None => Ok(value),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ExtValue, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            if matches!(value, ExtValue::List(_)) {
                return Err(A::Error::custom("a list does not stand in a list"));
            }
            values.push(value);
        }
        Ok(ExtValue::List(values))
    }
}

impl JsonSchema for ExtValue {
    fn schema_name() -> Cow<'static, str> {
        "ExtValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let keyed = |name: &str, schema: Schema| {
            json_schema!({ "type": "object", "properties": { name: schema }, "required": [name],
                "additionalProperties": false })
        };
        let one = [
            json_schema!({ "type": "string" }),
            keyed("decimal", Decimal::json_schema(generator)),
            keyed("date", Date::json_schema(generator)),
            keyed("time", Time::json_schema(generator)),
        ];
        let list = json_schema!({ "type": "array", "items": { "oneOf": one.clone() } });
        let all: Vec<Schema> = one.into_iter().chain([list]).collect();
        json_schema!({ "description": "A free field with its type.", "oneOf": all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_is_the_same_after_json() {
        let json = r#"{"a":"x","b":{"decimal":"1.50"},"c":{"date":"2026-01-31"},"d":{"time":"08:00"},"e":["x",{"decimal":"2"}]}"#;
        let ext: Ext = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&ext).unwrap(), json);
    }

    #[test]
    fn what_is_not_a_value_is_told() {
        for json in [
            r#"{"a":{}}"#,
            r#"{"a":{"decimal":"1","date":"x"}}"#,
            r#"{"a":{"number":"1"}}"#,
            r#"{"a":1}"#,
            r#"{"a":[["x"]]}"#,
            r#"{"a":{"decimal":"1e3"}}"#,
        ] {
            assert!(serde_json::from_str::<Ext>(json).is_err(), "{json}");
        }
    }
}
