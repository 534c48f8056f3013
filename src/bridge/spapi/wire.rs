//! Records of the API: read leniently, written strictly.
//!
//! Reading never fails inside a record: a value of another type than the model's, an unknown
//! property and an unknown word of a list stay as they are (`rest`, or the text itself), so that
//! nothing vanishes. What we are about to send is [checked](Wire::check) for everything that the
//! model says and a lenient server lets through: what is required, exact words, forms of text,
//! lengths, unknown properties. A `null` is never written.

use chrono::{DateTime, NaiveDate};
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

/// How a text must be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Anything but nothing.
    #[default]
    Any,
    /// A decimal number, with an exponent where it has one.
    Decimal,
    /// A date and time with its zone (RFC 3339).
    Instant,
    /// Two of them with `--` between.
    Interval,
    /// A day, `2026-01-31`.
    Date,
    /// Two capital letters.
    Country,
    /// Letters and digits.
    Alphanumeric,
}

/// What the model says of one property.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rule {
    key: &'static str,
    required: bool,
    form: Form,
    max: Option<usize>,
    min_items: usize,
    words: &'static [&'static str],
}

macro_rules! forms {
    ($($(#[$about:meta])* $name:ident $form:ident)*) => {$(
        $(#[$about])*
        #[must_use]
        pub const fn $name(mut self) -> Rule {
            self.form = Form::$form;
            self
        }
    )*};
}

impl Rule {
    /// Nothing yet, of the property `key`.
    #[must_use]
    pub const fn new(key: &'static str) -> Rule {
        Rule {
            key,
            required: false,
            form: Form::Any,
            max: None,
            min_items: 0,
            words: &[],
        }
    }

    /// It must be there.
    #[must_use]
    pub const fn required(mut self) -> Rule {
        self.required = true;
        self
    }

    /// At most so many characters.
    #[must_use]
    pub const fn max(mut self, characters: usize) -> Rule {
        self.max = Some(characters);
        self
    }

    /// At least so many items.
    #[must_use]
    pub const fn min_items(mut self, items: usize) -> Rule {
        self.min_items = items;
        self
    }

    /// One of these words, exactly.
    #[must_use]
    pub const fn one_of(mut self, words: &'static [&'static str]) -> Rule {
        self.words = words;
        self
    }

    forms! {
        /// A decimal number as text.
        decimal Decimal
        /// A date and time with its zone.
        instant Instant
        /// Two instants.
        interval Interval
        /// A day.
        date Date
        /// A country.
        country Country
        /// Letters and digits.
        alphanumeric Alphanumeric
    }

    fn problem(&self, text: &str) -> Option<String> {
        if !self.words.is_empty() && !self.words.contains(&text) {
            return Some(format!("{text:?} is none of {}", self.words.join(", ")));
        }
        if let Some(max) = self.max.filter(|max| text.chars().count() > *max) {
            return Some(format!("longer than {max} characters"));
        }
        (!fits(self.form, text)).then(|| match self.form {
            Form::Any => "it is empty".into(),
            form => format!("{text:?} is not written as {form:?}").to_lowercase(),
        })
    }
}

fn fits(form: Form, text: &str) -> bool {
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).is_ok();
    match form {
        Form::Any => !text.is_empty(),
        Form::Decimal => decimal(text),
        Form::Instant => instant(text),
        Form::Interval => text
            .split_once("--")
            .is_some_and(|(from, to)| instant(from) && instant(to)),
        Form::Date => text.parse::<NaiveDate>().is_ok(),
        Form::Country => text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()),
        Form::Alphanumeric => !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric()),
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

/// A value of the API.
pub trait Wire: Sized {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// The value itself, where it is of another type.
    fn read(value: Value) -> Result<Self, Value>;

    /// Writes it as JSON.
    fn write(&self) -> Value;

    /// Adds what the model does not allow of it to `faults`; `at` is where it stands.
    fn check(&self, rule: &Rule, at: &str, faults: &mut Vec<Fault>);

    /// All that the model does not allow of a whole request.
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.check(&Rule::default(), "", &mut faults);
        faults
    }
}

impl Wire for String {
    fn read(value: Value) -> Result<String, Value> {
        match value {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(yes) => Ok(yes.to_string()),
            other => Err(other),
        }
    }

    fn write(&self) -> Value {
        Value::String(self.clone())
    }

    fn check(&self, rule: &Rule, at: &str, faults: &mut Vec<Fault>) {
        if let Some(problem) = rule.problem(self) {
            fault(at, problem, faults);
        }
    }
}

impl Wire for i64 {
    fn read(value: Value) -> Result<i64, Value> {
        let read = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        read.ok_or(value)
    }

    fn write(&self) -> Value {
        Value::from(*self)
    }

    fn check(&self, _: &Rule, _: &str, _: &mut Vec<Fault>) {}
}

impl Wire for bool {
    fn read(value: Value) -> Result<bool, Value> {
        let read = match &value {
            Value::Bool(yes) => Some(*yes),
            Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        };
        read.ok_or(value)
    }

    fn write(&self) -> Value {
        Value::Bool(*self)
    }

    fn check(&self, _: &Rule, _: &str, _: &mut Vec<Fault>) {}
}

impl Wire for Number {
    fn read(value: Value) -> Result<Number, Value> {
        match value {
            Value::Number(number) => Ok(number),
            Value::String(text) => text.trim().parse().map_err(|_| Value::String(text)),
            other => Err(other),
        }
    }

    fn write(&self) -> Value {
        Value::Number(self.clone())
    }

    fn check(&self, _: &Rule, _: &str, _: &mut Vec<Fault>) {}
}

impl<T: Wire> Wire for Vec<T> {
    fn read(value: Value) -> Result<Vec<T>, Value> {
        let Value::Array(items) = value else {
            return Err(value);
        };
        if items.iter().any(|item| T::read(item.clone()).is_err()) {
            return Err(Value::Array(items));
        }
        Ok(items
            .into_iter()
            .filter_map(|item| T::read(item).ok())
            .collect())
    }

    fn write(&self) -> Value {
        self.iter().map(T::write).collect()
    }

    fn check(&self, rule: &Rule, at: &str, faults: &mut Vec<Fault>) {
        if self.len() < rule.min_items {
            fault(at, format!("fewer than {} items", rule.min_items), faults);
        }
        for (n, item) in self.iter().enumerate() {
            item.check(rule, &format!("{at}[{n}]"), faults);
        }
    }
}

fn fault(at: &str, problem: impl Into<String>, faults: &mut Vec<Fault>) {
    faults.push(Fault {
        at: at.into(),
        problem: problem.into(),
    });
}

/// Takes a property out of an object, if it is of the type that is wanted.
pub(super) fn field<T: Wire>(map: &mut Map<String, Value>, key: &str) -> Option<T> {
    match T::read(map.shift_remove(key)?) {
        Ok(value) => Some(value),
        Err(Value::Null) => None,
        Err(other) => {
            map.insert(key.into(), other);
            None
        }
    }
}

/// Checks a property of the record at `at`.
pub(super) fn check_field<T: Wire>(
    value: Option<&T>,
    rule: &Rule,
    at: &str,
    faults: &mut Vec<Fault>,
) {
    let at = match at {
        "" => rule.key.to_owned(),
        at => format!("{at}.{}", rule.key),
    };
    match value {
        Some(value) => value.check(rule, &at, faults),
        None if rule.required => fault(&at, "it is required", faults),
        None => {}
    }
}

/// What is wrong with a property that the model does not have, or not with such a value.
pub(super) const UNKNOWN: &str = "the model has no such property of this type";

/// Says of each property that the model does not have that it is unknown.
pub(super) fn check_rest(rest: &Map<String, Value>, at: &str, faults: &mut Vec<Fault>) {
    for key in rest.keys() {
        let at = match at {
            "" => key.clone(),
            at => format!("{at}.{key}"),
        };
        fault(&at, UNKNOWN, faults);
    }
}

/// Records: `field: Type = "key", rule, rule(argument);`. Each field is optional and the rest of
/// the object is kept.
macro_rules! wire {
    ($($(#[$about:meta])* $name:ident {
        $($field:ident: $type:ty = $key:literal $(, $rule:ident $(($($argument:expr),*))?)*;)*
    })*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $(
                #[doc = concat!("`", $key, "`.")]
                pub $field: Option<$type>,
            )*
            /// What else stood there, and what was of another type.
            pub rest: serde_json::Map<String, serde_json::Value>,
        }

        impl $crate::bridge::spapi::Wire for $name {
            fn read(value: serde_json::Value) -> Result<$name, serde_json::Value> {
                let serde_json::Value::Object(mut map) = value else {
                    return Err(value);
                };
                Ok($name {
                    $($field: $crate::bridge::spapi::wire::field(&mut map, $key),)*
                    rest: map,
                })
            }

            fn write(&self) -> serde_json::Value {
                let mut map = serde_json::Map::new();
                $(if let Some(value) = &self.$field {
                    map.insert($key.into(), $crate::bridge::spapi::Wire::write(value));
                })*
                map.extend(self.rest.clone());
                serde_json::Value::Object(map)
            }

            fn check(
                &self,
                _: &$crate::bridge::spapi::wire::Rule,
                at: &str,
                faults: &mut Vec<$crate::bridge::spapi::Fault>,
            ) {
                use $crate::bridge::spapi::wire::{Rule, check_field, check_rest};
                $({
                    const RULE: Rule = Rule::new($key)$(.$rule($($($argument),*)?))*;
                    check_field(self.$field.as_ref(), &RULE, at, faults);
                })*
                check_rest(&self.rest, at, faults);
            }
        }
    )*};
}
pub(super) use wire;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bridge::spapi::api_orders::OrderItem;

    fn item(change: &str, value: Value) -> OrderItem {
        let mut item = json!({
            "itemSequenceNumber": "1", "isBackOrderAllowed": false,
            "orderedQuantity": {"amount": 3, "unitOfMeasure": "Eaches"},
            "netCost": {"amount": "1.5", "currencyCode": "USD"},
        });
        item[change] = value;
        OrderItem::read(item).unwrap()
    }

    #[test]
    fn what_is_odd_is_kept_and_what_is_only_spelt_otherwise_is_read() {
        let odd = json!({"amount": "10", "unitOfMeasure": "EACHES", "colour": 3, "unitSize": [1]});
        let read = item("orderedQuantity", odd);
        let quantity = read.ordered_quantity.as_ref().unwrap();
        assert_eq!((quantity.amount, quantity.unit_size), (Some(10), None));
        assert_eq!(quantity.rest.len(), 2);
        assert_eq!(read.write()["orderedQuantity"]["colour"], 3);
        assert_eq!(read.write()["orderedQuantity"]["unitSize"], json!([1]));
    }

    #[test]
    fn each_fault_is_told_with_its_path() {
        let told = |change: &str, value: Value| -> Vec<String> {
            item(change, value)
                .faults()
                .iter()
                .map(ToString::to_string)
                .collect()
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
                "netCost.currencyCode: longer than 3 characters",
                "netCost.amount: \"01.5\" is not written as decimal",
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
