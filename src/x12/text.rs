//! Words with values in them: what a [`Finding`](super::Finding) says, in a form that another
//! language can say too.
//!
//! A [`Text`] keeps its template and its values apart, and puts them together only when somebody
//! reads it. English is the template itself; a catalogue gives another template with the same
//! placeholders.
//!
//! ```
//! use transload::x12::Text;
//! let values = [("tag", "SE".into()), ("due", "ST".into())];
//! let told = Text::new("{tag} without {due} before it", values);
//! assert_eq!(told.to_string(), "SE without ST before it");
//! let said = told.in_words(&|_| Some("there is no {due} before {tag}"));
//! assert_eq!(said, "there is no ST before SE");
//! ```
//!
//! It does not format: a value is given as it is to stand there.

use std::fmt::{self, Write};

use serde::{Serialize, Serializer};

/// A template and its values. A placeholder is a name in braces; a brace cannot be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    template: &'static str,
    values: Vec<(&'static str, Value)>,
}

/// A catalogue: what stands for a template of ours, or for one of our words.
pub type Words<'a> = &'a dyn Fn(&str) -> Option<&'static str>;

/// What stands for a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The same in every language: bytes of the partner, codes, designators.
    Plain(Box<str>),
    /// A number.
    Number(u64),
    /// A word of ours that a catalogue may have, such as the name of an element.
    Word(Box<str>),
    /// Words with values of their own.
    Text(Box<Text>),
}

impl Value {
    /// A word of ours that a catalogue may have.
    pub fn word(text: &str) -> Value {
        Value::Word(text.into())
    }

    /// What a partner sent, in quotes and with its control characters escaped.
    pub fn quoted(text: &str) -> Value {
        Value::Plain(format!("{text:?}").into())
    }
}

/// A value `$from`, seen as `$value`, is `$kind`.
macro_rules! values {
    ($($from:ty: $value:pat => $made:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Value {
                $made
            }
        }
    )*};
}

values! {
    &str: text => Value::Plain(text.into());
    &String: text => Value::Plain(text.as_str().into());
    String: text => Value::Plain(text.into());
    std::borrow::Cow<'_, str>: text => Value::Plain(text.into());
    char: c => Value::Plain(c.to_string().into());
    u8: n => Value::Number(n.into());
    u32: n => Value::Number(n.into());
    u64: n => Value::Number(n);
    usize: n => Value::Number(n as u64);
    Text: text => Value::Text(Box::new(text));
}

impl From<&str> for Text {
    /// Words that are the same in every language.
    fn from(text: &str) -> Text {
        Text::new("{text}", [("text", text.into())])
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        text.as_str().into()
    }
}

impl Text {
    /// Of a template and the values of its placeholders. In the crate `text!` makes it, which sees
    /// to it that the names are those of the template.
    pub fn new<const N: usize>(template: &'static str, values: [(&'static str, Value); N]) -> Text {
        Text {
            template,
            values: values.into(),
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.template.is_empty()
    }

    /// The text in other words; what they do not have stays English.
    pub fn in_words(&self, words: Words<'_>) -> String {
        let mut said = String::new();
        self.say(words, &mut said)
            .expect("a string takes everything");
        said
    }

    fn say(&self, words: Words<'_>, out: &mut dyn Write) -> fmt::Result {
        for (plain, name) in parts(words(self.template).unwrap_or(self.template)) {
            out.write_str(plain)?;
            match self.values.iter().find(|(known, _)| *known == name) {
                Some((_, Value::Plain(text))) => out.write_str(text)?,
                Some((_, Value::Number(n))) => write!(out, "{n}")?,
                Some((_, Value::Word(word))) => out.write_str(words(word).unwrap_or(word))?,
                Some((_, Value::Text(text))) => text.say(words, out)?,
                None => {}
            }
        }
        Ok(())
    }
}

/// The parts of a template: text, and the name of the placeholder behind it, if there is one.
fn parts(template: &str) -> impl Iterator<Item = (&str, &str)> {
    template
        .split('}')
        .map(|part| part.split_once('{').unwrap_or((part, "")))
}

impl fmt::Display for Text {
    /// In English.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say(&|_| None, f)
    }
}

impl PartialEq<&str> for Text {
    /// Whether that is what it says in English.
    fn eq(&self, said: &&str) -> bool {
        let english = self.to_string();
        english == **said
    }
}

impl Serialize for Text {
    /// In English.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A [`Text`]: a template, then its values as `name = value`, or `name` alone
/// where a variable has that name. That the names are those of the template is checked when it is
/// compiled.
macro_rules! text {
    (@value $name:ident) => { $name };
    (@value $name:ident $value:expr) => { $value };
    ($template:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {{
        const { assert!($crate::x12::fits($template, &[$(stringify!($name)),*])) };
        $crate::x12::Text::new(
            $template,
            [$((stringify!($name), $crate::x12::text!(@value $name $($value)?).into())),*],
        )
    }};
}
pub(crate) use text;

/// Whether the placeholders of `template` are `names`, each at least once, and no other.
pub(crate) const fn fits(template: &str, names: &[&str]) -> bool {
    let template = template.as_bytes();
    let (mut at, mut open, mut found) = (0, None, 0_u64);
    while at < template.len() {
        match (template[at], open) {
            (b'{', None) => open = Some(at + 1),
            (b'}', Some(from)) => {
                let mut n = 0;
                while n < names.len() && !is_at(names[n].as_bytes(), template, from, at) {
                    n += 1;
                }
                if n == names.len() {
                    return false;
                }
                found |= 1 << n;
                open = None;
            }
            (b'{' | b'}', _) => return false,
            _ => {}
        }
        at += 1;
    }
    open.is_none() && found == (1 << names.len()) - 1
}

/// Whether `name` stands at `from..to`.
const fn is_at(name: &[u8], text: &[u8], from: usize, to: usize) -> bool {
    let mut at = 0;
    while at < name.len() && from + at < to && name[at] == text[from + at] {
        at += 1;
    }
    at == name.len() && from + at == to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_their_names_are() {
        let inner = text!("line {n}", n = 3_u32);
        let name = Value::word("City Name");
        let outer = text!(
            "{inner}: {name} {shown} ({name})",
            inner,
            name,
            shown = Value::quoted("a\n")
        );
        assert_eq!(outer.to_string(), "line 3: City Name \"a\\n\" (City Name)");
        let words = |text: &str| match text {
            "line {n}" => Some("第{n}行"),
            "City Name" => Some("城市"),
            _ => None,
        };
        assert_eq!(outer.in_words(&words), "第3行: 城市 \"a\\n\" (城市)");
        assert!(Text::default().is_empty());
        assert_eq!(Text::default().to_string(), "");
    }

    #[test]
    fn names_that_are_not_the_templates_do_not_fit() {
        assert!(fits("{a} and {b}, {a}", &["b", "a"]));
        assert!(fits("", &[]));
        assert!(!fits("{a} and {b}", &["a"]));
        assert!(!fits("{a}", &["a", "b"]));
        assert!(!fits("{ab}", &["a"]));
        assert!(!fits("{a", &["a"]));
        assert!(!fits("a}", &[]));
        assert!(!fits("{{a}}", &["a"]));
    }
}
