//! A strict reader of the API's models: types, what is required, words, lengths, forms, and no
//! property that the model does not have. An independent oracle: it knows nothing of `src`.

use std::collections::BTreeMap;

use serde_json::Value;

/// One model file.
pub(crate) struct Model {
    root: Value,
}

/// The models, or nothing (and a word about it) where there is no `../shared`.
pub(crate) fn models() -> Option<BTreeMap<String, Model>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/spapi/models");
    let Ok(files) = std::fs::read_dir(folder) else {
        say!("skipped: no ../shared");
        return None;
    };
    let model = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let root = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        (name, Model { root })
    };
    Some(files.map(|file| model(file.unwrap().path())).collect())
}

impl Model {
    /// The schema of what an operation answers with a status; none where the model has none.
    pub(crate) fn answer(&self, method: &str, path: &str, status: u16) -> Option<&Value> {
        let operation = self.root["paths"].get(path)?.get(method.to_lowercase())?;
        operation["responses"]
            .get(status.to_string())?
            .get("schema")
    }

    /// The schema called `name`.
    pub(crate) fn named(&self, name: &str) -> &Value {
        &self.root["definitions"][name]
    }

    /// The schema of the body of an operation, if it has one.
    pub(super) fn body(&self, path: &str, method: &str) -> Option<&Value> {
        let operation = &self.root["paths"][path][method.to_ascii_lowercase()];
        let mut parameters = operation["parameters"].as_array()?.iter();
        Some(&parameters.find(|one| one["in"] == "body")?["schema"])
    }

    /// The names of the lists that stand directly in a schema.
    pub(super) fn lists(&self, schema: &Value) -> Vec<String> {
        if let Some(target) = schema["$ref"].as_str() {
            return self.lists(self.named(target.rsplit('/').next().unwrap()));
        }
        let properties = schema["properties"].as_object().into_iter().flatten();
        let lists = properties.filter(|(_, one)| self.whole(one)["type"] == "array");
        lists.map(|(name, _)| name.clone()).collect()
    }

    /// A schema, or the one that it names.
    fn whole<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(target) => self.named(target.rsplit('/').next().unwrap()),
            None => schema,
        }
    }

    /// What `schema` does not allow of `value`.
    pub(crate) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        if let Some(target) = schema["$ref"].as_str() {
            let name = target.rsplit('/').next().unwrap();
            return self.check(self.named(name), value, at, faults);
        }
        let mut wrong = |what: String| faults.push(format!("{at}: {what}"));
        match (schema["type"].as_str(), value) {
            (Some("object"), Value::Object(map)) => {
                let none = serde_json::Map::new();
                let properties = schema["properties"].as_object().unwrap_or(&none);
                for name in schema["required"].as_array().into_iter().flatten() {
                    if !map.contains_key(name.as_str().unwrap()) {
                        wrong(format!("{name} is required"));
                    }
                }
                for (key, item) in map {
                    match properties.get(key) {
                        Some(schema) => self.check(schema, item, &format!("{at}.{key}"), faults),
                        None => faults.push(format!("{at}: {key} is no property")),
                    }
                }
            }
            (Some("array"), Value::Array(items)) => {
                let least = schema["minItems"].as_u64().unwrap_or(0);
                if (items.len() as u64) < least {
                    wrong(format!("fewer than {least} items"));
                }
                for (n, item) in items.iter().enumerate() {
                    self.check(&schema["items"], item, &format!("{at}[{n}]"), faults);
                }
            }
            (Some("string"), Value::String(text)) => {
                let words = schema["enum"].as_array();
                if words.is_some_and(|words| !words.iter().any(|word| word == text)) {
                    wrong(format!("{text:?} is no word of the list"));
                }
                let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
                if text.chars().count() as u64 > most {
                    wrong(format!("{text:?} is longer than {most}"));
                }
                let instant = schema["format"] == "date-time";
                if instant && chrono::DateTime::parse_from_rfc3339(text).is_err() {
                    wrong(format!("{text:?} is no date-time"));
                }
                if let Some(pattern) = schema["pattern"].as_str() {
                    let fits = match pattern {
                        "^[A-Z]{2}$" => {
                            text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
                        }
                        "^[a-zA-Z0-9]+$" => {
                            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
                        }
                        r"^arn:aws:sqs:\S+:\S+:\S+" => text.starts_with("arn:aws:sqs:"),
                        other => panic!("the checker does not know the pattern {other}"),
                    };
                    if !fits {
                        wrong(format!("{text:?} is not {pattern}"));
                    }
                }
            }
            (Some("integer"), Value::Number(number)) if number.is_i64() => {}
            (Some("number"), Value::Number(_)) | (Some("boolean"), Value::Bool(_)) => {}
            (None, _) => {}
            (wanted, other) => wrong(format!("{other} is not {}", wanted.unwrap_or_default())),
        }
    }
}

/// The checker can fail: each kind of fault in one place.
#[test]
fn each_kind_of_fault_is_seen() {
    let Some(models) = models() else { return };
    let orders = &models["vendorOrders"];
    let schema = orders.named("OrderItem");
    let item = |change: &str, value: Value| {
        let mut item = serde_json::json!({
            "itemSequenceNumber": "1", "isBackOrderAllowed": false,
            "orderedQuantity": {"amount": 3, "unitOfMeasure": "Eaches"},
            "netCost": {"amount": "1.5", "currencyCode": "USD"},
        });
        *item.pointer_mut(change).unwrap() = value;
        orders.faults(schema, &item).len()
    };
    assert_eq!(item("/itemSequenceNumber", "2".into()), 0);
    assert_eq!(item("/itemSequenceNumber", 2.into()), 1);
    assert_eq!(item("/orderedQuantity/unitOfMeasure", "EACHES".into()), 1);
    assert_eq!(item("/orderedQuantity/amount", "3".into()), 1);
    assert_eq!(item("/netCost/currencyCode", "DOLLAR".into()), 1);
    assert_eq!(item("/netCost", serde_json::json!({"amonut": "1"})), 1);
    assert_eq!(orders.faults(schema, &serde_json::json!({})).len(), 3);
}
