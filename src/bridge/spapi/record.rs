//! Records of the API: read leniently, written strictly.
//!
//! What a record may hold stands in `mappings/spapi/`, a line a property: its type, and what else
//! the model says of it. `like` takes all of another record first, and `""` takes a property away.
//!
//! ```text
//! text decimal instant interval country alphanumeric integer number boolean
//! =One|Other        one of these words            [Type]    a list
//! Name              a record                      required  max=64
//! ```
//!
//! Reading never fails: a number that should be text becomes text, and what is of another type, an
//! unknown property and an unknown word stay as they are, so that nothing vanishes. What we are
//! about to send is held to all that the model says and a lenient server lets through.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::LazyLock;

use chrono::DateTime;
use serde_json::{Map, Number, Value};

/// Something wrong with a record that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct Fault {
    /// Where, as `acknowledgements[0].items[2].netCost.amount`.
    pub at: String,
    /// What is wrong there.
    pub problem: String,
}

/// What is wrong with a property that the model does not have, or not with such a value.
pub(super) const UNKNOWN: &str = "the model has no such property of this type";

/// What the model says of a record.
#[derive(Debug)]
pub struct Record {
    properties: BTreeMap<String, Property>,
}

#[derive(Clone, Debug)]
struct Property {
    kind: Kind,
    required: bool,
    /// At most so many characters.
    max: Option<usize>,
}

#[derive(Clone, Debug)]
enum Kind {
    Text(Form),
    /// Exactly one of these.
    Words(Vec<String>),
    Integer,
    Number,
    Boolean,
    Record(String),
    List(Box<Kind>),
}

/// How a text must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Anything but nothing.
    Any,
    /// A decimal number, with an exponent where it has one.
    Decimal,
    /// A date and time with its zone (RFC 3339).
    Instant,
    /// Two of them with `--` between.
    Interval,
    /// Two capital letters.
    Country,
    Alphanumeric,
}

static RECORDS: LazyLock<BTreeMap<String, Record>> = LazyLock::new(|| {
    let files = [
        include_str!("../../../mappings/spapi/direct.toml"),
        include_str!("../../../mappings/spapi/invoice.toml"),
        include_str!("../../../mappings/spapi/order.toml"),
        include_str!("../../../mappings/spapi/party.toml"),
        include_str!("../../../mappings/spapi/quantity.toml"),
        include_str!("../../../mappings/spapi/shipment.toml"),
        include_str!("../../../mappings/spapi/transaction.toml"),
    ];
    let mut lines = Lines::new();
    for text in files {
        lines.extend(toml::from_str::<Lines>(text).expect("the records are tested"));
    }
    let names = lines.keys().cloned();
    names
        .map(|name| (name.clone(), Record::of(&lines, &name)))
        .collect()
});

/// Record → property → what is said of it.
type Lines = BTreeMap<String, BTreeMap<String, String>>;

impl Record {
    /// The record of a name, as `mappings/spapi/` has it.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Record> {
        RECORDS.get(name)
    }

    fn of(lines: &Lines, name: &str) -> Record {
        let own = &lines[name];
        let mut properties = match own.get("like") {
            Some(other) => Record::of(lines, other).properties,
            None => BTreeMap::new(),
        };
        for (key, said) in own.iter().filter(|(key, _)| *key != "like") {
            match said.as_str() {
                "" => properties.remove(key),
                said => {
                    let property = said.parse().expect("the records are tested");
                    properties.insert(key.clone(), property)
                }
            };
        }
        Record { properties }
    }

    /// The value with every leaf of the type that the model says, where that can be; without nulls.
    #[must_use]
    pub fn read(&self, value: Value) -> Value {
        let Value::Object(map) = value else {
            return value;
        };
        let said = map.into_iter().filter(|(_, value)| !value.is_null());
        said.map(|(key, value)| match self.properties.get(&key) {
            Some(property) => (key, property.kind.read(value)),
            None => (key, value),
        })
        .collect::<Map<_, _>>()
        .into()
    }

    /// All that the model does not allow in the value.
    #[must_use]
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.check(value, "", &mut faults);
        faults
    }

    fn check(&self, value: &Value, at: &str, faults: &mut Vec<Fault>) {
        let Value::Object(map) = value else {
            return fault(at, UNKNOWN, faults);
        };
        let below = |key: &str| match at {
            "" => key.to_owned(),
            at => format!("{at}.{key}"),
        };
        for (key, property) in &self.properties {
            if property.required && !map.contains_key(key) {
                fault(&below(key), "it is required", faults);
            }
        }
        for (key, value) in map {
            match self.properties.get(key) {
                Some(property) => property
                    .kind
                    .check(value, property.max, &below(key), faults),
                None => fault(&below(key), UNKNOWN, faults),
            }
        }
    }
}

impl FromStr for Property {
    type Err = String;

    fn from_str(said: &str) -> Result<Property, String> {
        let mut words = said.split(' ');
        let mut property = Property {
            kind: words.next().unwrap_or_default().parse()?,
            required: false,
            max: None,
        };
        for word in words {
            match word.split_once('=') {
                None if word == "required" => property.required = true,
                Some(("max", most)) => {
                    property.max = Some(most.parse().map_err(|_| format!("max={most}"))?);
                }
                _ => return Err(word.to_owned()),
            }
        }
        Ok(property)
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(said: &str) -> Result<Kind, String> {
        if let Some(words) = said.strip_prefix('=') {
            return Ok(Kind::Words(words.split('|').map(str::to_owned).collect()));
        }
        if let Some(items) = said.strip_prefix('[').and_then(|s| s.strip_suffix(']')) {
            return Ok(Kind::List(Box::new(items.parse()?)));
        }
        Ok(match said {
            "text" => Kind::Text(Form::Any),
            "decimal" => Kind::Text(Form::Decimal),
            "instant" => Kind::Text(Form::Instant),
            "interval" => Kind::Text(Form::Interval),
            "country" => Kind::Text(Form::Country),
            "alphanumeric" => Kind::Text(Form::Alphanumeric),
            "integer" => Kind::Integer,
            "number" => Kind::Number,
            "boolean" => Kind::Boolean,
            name if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                Kind::Record(name.to_owned())
            }
            other => return Err(other.to_owned()),
        })
    }
}

impl Kind {
    fn read(&self, value: Value) -> Value {
        match (self, value) {
            (Kind::Text(_) | Kind::Words(_), Value::Number(number)) => number.to_string().into(),
            (Kind::Text(_) | Kind::Words(_), Value::Bool(yes)) => yes.to_string().into(),
            (Kind::Integer, Value::String(text)) => match text.trim().parse::<i64>() {
                Ok(number) => number.into(),
                Err(_) => text.into(),
            },
            (Kind::Number, Value::String(text)) => match text.trim().parse::<Number>() {
                Ok(number) => number.into(),
                Err(_) => text.into(),
            },
            (Kind::Boolean, Value::String(text)) => {
                match text.trim().to_ascii_lowercase().parse::<bool>() {
                    Ok(yes) => yes.into(),
                    Err(_) => text.into(),
                }
            }
            (Kind::Record(name), value) => match Record::named(name) {
                Some(record) => record.read(value),
                None => value,
            },
            (Kind::List(kind), Value::Array(items)) => {
                items.into_iter().map(|item| kind.read(item)).collect()
            }
            (_, value) => value,
        }
    }

    fn check(&self, value: &Value, max: Option<usize>, at: &str, faults: &mut Vec<Fault>) {
        match (self, value) {
            (Kind::Text(form), Value::String(text)) => {
                if let Some(max) = max.filter(|max| text.chars().count() > *max) {
                    fault(at, &format!("longer than {max} characters"), faults);
                }
                if !form.fits(text) {
                    let problem = match form {
                        Form::Any => "it is empty".to_owned(),
                        form => format!("{text:?} is not written as {form:?}").to_lowercase(),
                    };
                    fault(at, &problem, faults);
                }
            }
            (Kind::Words(words), Value::String(text)) => {
                if !words.contains(text) {
                    let problem = format!("{text:?} is none of {}", words.join(", "));
                    fault(at, &problem, faults);
                }
            }
            (Kind::Integer, Value::Number(number)) if number.is_i64() => {}
            (Kind::Number, Value::Number(_)) | (Kind::Boolean, Value::Bool(_)) => {}
            (Kind::Record(name), value) => {
                if let Some(record) = Record::named(name) {
                    record.check(value, at, faults);
                }
            }
            (Kind::List(kind), Value::Array(items)) => {
                for (n, item) in items.iter().enumerate() {
                    kind.check(item, max, &format!("{at}[{n}]"), faults);
                }
            }
            _ => fault(at, UNKNOWN, faults),
        }
    }
}

impl Form {
    fn fits(self, text: &str) -> bool {
        let instant = |text: &str| DateTime::parse_from_rfc3339(text).is_ok();
        match self {
            Form::Any => !text.is_empty(),
            Form::Decimal => decimal(text),
            Form::Instant => instant(text),
            Form::Interval => text
                .split_once("--")
                .is_some_and(|(from, to)| instant(from) && instant(to)),
            Form::Country => text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()),
            Form::Alphanumeric => {
                !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
            }
        }
    }
}

/// `-1.50`, `3e2`: no zeros in front, digits on both sides of the point.
fn decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (
            number,
            exponent.strip_prefix(['+', '-']).unwrap_or(exponent),
        ),
        None => (text, "0"),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let leading = whole.len() > 1 && whole.starts_with('0');
    digits(whole) && !leading && digits(fraction) && digits(exponent)
}

fn fault(at: &str, problem: &str, faults: &mut Vec<Fault>) {
    faults.push(Fault {
        at: at.into(),
        problem: problem.into(),
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(change: &str, value: Value) -> Value {
        let mut item = json!({
            "itemSequenceNumber": "1", "isBackOrderAllowed": false,
            "orderedQuantity": {"amount": 3, "unitOfMeasure": "Eaches"},
            "netCost": {"amount": "1.5", "currencyCode": "USD"},
        });
        item[change] = value;
        Record::named("OrderItem").unwrap().read(item)
    }

    #[test]
    fn each_record_that_is_named_is_there() {
        fn names(kind: &Kind) -> Option<&str> {
            match kind {
                Kind::Record(name) => Some(name),
                Kind::List(kind) => names(kind),
                _ => None,
            }
        }
        for (name, record) in RECORDS.iter() {
            let kinds = record.properties.values().map(|property| &property.kind);
            for other in kinds.filter_map(names) {
                assert!(Record::named(other).is_some(), "{name}: {other}");
            }
        }
    }

    #[test]
    fn what_is_odd_is_kept_and_what_is_only_spelt_otherwise_is_read() {
        let odd = json!({"amount": "10", "unitOfMeasure": "EACHES", "colour": 3, "unitSize": [1]});
        let read = item("orderedQuantity", odd);
        let wanted = json!({"amount": 10, "unitOfMeasure": "EACHES", "colour": 3, "unitSize": [1]});
        assert_eq!(read["orderedQuantity"], wanted);
    }

    #[test]
    fn each_fault_is_told_with_its_path() {
        let told = |change: &str, value: Value| -> Vec<String> {
            let faults = Record::named("OrderItem")
                .unwrap()
                .faults(&item(change, value));
            faults.iter().map(ToString::to_string).collect()
        };
        assert_eq!(told("vendorProductIdentifier", "TK-1".into()), [""; 0]);
        assert_eq!(
            told("isBackOrderAllowed", Value::Null),
            ["isBackOrderAllowed: it is required"]
        );
        assert_eq!(
            told(
                "netCost",
                json!({"amount": "01.5", "currencyCode": "DOLLAR"})
            ),
            [
                "netCost.amount: \"01.5\" is not written as decimal",
                "netCost.currencyCode: longer than 3 characters",
            ]
        );
        assert_eq!(
            told(
                "orderedQuantity",
                json!({"unitOfMeasure": "EACHES", "amonut": 1})
            ),
            [
                "orderedQuantity.unitOfMeasure: \"EACHES\" is none of Cases, Eaches",
                "orderedQuantity.amonut: the model has no such property of this type",
            ]
        );
    }

    #[test]
    fn a_decimal_is_as_the_model_writes_it() {
        for text in ["0", "-1.50", "3e2", "10.0E-3"] {
            assert!(decimal(text), "{text}");
        }
        for text in ["", "01", ".5", "5.", "1e", "+1", "1,5"] {
            assert!(!decimal(text), "{text}");
        }
    }
}
