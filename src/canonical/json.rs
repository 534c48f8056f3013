//! JSON → document, with the place of what is wrong: `lines[1].quantty: there is no such field`.
//!
//! A document that is right is read by serde in one pass. Only one that is wrong is walked beside
//! its schema, to find out where.

use serde_json::Value;

use super::{Code, Date, Decimal, Document, DocumentKind, ExtValue, Time};

/// A JSON document that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Misread {
    /// Where, as `lines[1].quantity.unit`; empty for the whole.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

fn misread(path: &str, problem: impl ToString) -> Misread {
    Misread {
        path: path.into(),
        problem: problem.to_string(),
    }
}

impl Document {
    /// Reads one document from JSON.
    ///
    /// # Errors
    /// Not JSON, no `document` or an unknown one, an unknown field, a value of another type or
    /// form: the first of them, with its path.
    pub fn from_json(json: &[u8]) -> Result<Document, Misread> {
        let error = match serde_json::from_slice(json) {
            Ok(document) => return Ok(document),
            Err(error) => error,
        };
        let value: Value = serde_json::from_slice(json).map_err(|error| misread("", error))?;
        let Value::Object(mut fields) = value else {
            return Err(misread("", "a document is a JSON object"));
        };
        let kind = match fields.shift_remove("document") {
            Some(Value::String(kind)) => kind,
            _ => return Err(misread("document", "it must say which document this is")),
        };
        let Some(kind) = DocumentKind::find(&kind) else {
            let known = DocumentKind::ALL.map(DocumentKind::as_str).join(", ");
            return Err(misread("document", format!("{kind:?} is none of {known}")));
        };
        let schema = kind.schema();
        let found = check(
            schema.as_value(),
            schema.as_value(),
            &Value::Object(fields),
            "",
        );
        Err(found.unwrap_or_else(|| misread("", error)))
    }
}

/// The first thing in `value` that `schema` does not allow.
fn check(root: &Value, schema: &Value, value: &Value, path: &str) -> Option<Misread> {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|target| target.rsplit('/').next())
    {
        return match name {
            "ExtValue" => serde_json::from_value::<ExtValue>(value.clone())
                .err()
                .map(|error| misread(path, error)),
            _ => check(root, &root["$defs"][name], value, path),
        };
    }
    match (schema["type"].as_str(), value) {
        (Some("object"), Value::Object(fields)) => fields.iter().find_map(|(name, value)| {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            match (&schema["properties"][name], &schema["additionalProperties"]) {
                (Value::Null, Value::Object(_)) => {
                    check(root, &schema["additionalProperties"], value, &path)
                }
                (Value::Null, _) => Some(misread(&path, "there is no such field")),
                (field, _) => check(root, field, value, &path),
            }
        }),
        (Some("array"), Value::Array(items)) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| check(root, &schema["items"], item, &format!("{path}[{at}]"))),
        (Some("integer"), Value::Number(number)) => {
            let fits = number
                .as_u64()
                .is_some_and(|number| u32::try_from(number).is_ok());
            (!fits).then(|| {
                misread(
                    path,
                    format!("{number} is not a number from 0 to {}", u32::MAX),
                )
            })
        }
        (Some("string"), Value::String(text)) => leaf(schema["format"].as_str(), text)
            .err()
            .map(|error| misread(path, error)),
        (Some("string"), _) => Some(misread(path, format!("a text is due, not {value}"))),
        (Some(due), _) => Some(misread(path, format!("an {due} is due here"))),
        (None, _) => None,
    }
}

fn leaf(format: Option<&str>, text: &str) -> Result<(), super::InvalidValue> {
    match format {
        Some("decimal") => text.parse::<Decimal>().map(drop),
        Some("date") => text.parse::<Date>().map(drop),
        Some("time") => text.parse::<Time>().map(drop),
        Some("code") => text.parse::<Code>().map(drop),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let order = |rest: &str| format!(r#"{{"document":"purchase_order",{rest}}}"#);
        let kinds = DocumentKind::ALL.map(DocumentKind::as_str).join(", ");
        let none = format!("document: \"order\" is none of {kinds}");
        for (json, told) in [
            (order(r#""numbr":"1""#), "numbr: there is no such field"),
            (
                order(r#""lines":[{},{"quantity":{"valu":"1"}}]"#),
                "lines[1].quantity.valu: there is no such field",
            ),
            (
                order(r#""lines":[{"quantity":{"value":"1e3"}}]"#),
                "lines[0].quantity.value: \"1e3\" is not a decimal number",
            ),
            (
                order(r#""lines":[{"quantity":{"value":10}}]"#),
                "lines[0].quantity.value: a text is due, not 10",
            ),
            (
                order(r#""ordered_on":"2026-02-30""#),
                "ordered_on: \"2026-02-30\" is not a date of the calendar",
            ),
            (order(r#""terms":{}"#), "terms: an array is due here"),
            (
                order(r#""terms":[{"net_days":-1}]"#),
                "terms[0].net_days: -1 is not a number from 0 to 4294967295",
            ),
            (r#"{"document":"order"}"#.into(), &none),
            (
                r#"{"number":"1"}"#.into(),
                "document: it must say which document this is",
            ),
            ("[]".into(), "a document is a JSON object"),
        ] {
            assert_eq!(
                Document::from_json(json.as_bytes())
                    .unwrap_err()
                    .to_string(),
                told,
                "{json}"
            );
        }
        let ext =
            Document::from_json(order(r#""ext":{"a":{"number":"1"}}"#).as_bytes()).unwrap_err();
        assert_eq!(ext.path, "ext.a");
        assert!(
            Document::from_json(b"{")
                .unwrap_err()
                .to_string()
                .contains("line 1")
        );
        assert!(Document::from_json(order(r#""number":"1""#).as_bytes()).is_ok());
    }
}
