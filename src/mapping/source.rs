//! Mapping files as text: TOML read into nodes that remember file and place, deep-merged, and
//! errors that point at a line with a caret and name the nearest word.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::plain;
use crate::x12::{Text, Words, text};

/// One mapping file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path below the mappings folder, as errors show it.
    pub(crate) name: String,
    /// Its whole text.
    pub(crate) text: Cow<'static, str>,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) source: Arc<Source>,
    /// The key's bytes where it has one, else the value's.
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

/// TOML's kinds, as far as mapping files use them.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Word),
    Number(i64),
    Flag,
    List(Vec<Node>),
    Table(Table),
}

/// A name or a text. Those of the embedded files stand in the program, and are not copied.
pub(crate) type Word = Cow<'static, str>;

/// A table's entries, sorted by name. They are shared, because each use keeps its own table for
/// errors and loops hold those of their children; and most are one or two, so there is no room for
/// more.
#[derive(Clone, Debug)]
pub(crate) struct Table(Arc<[(Word, Node)]>);

impl Table {
    /// Of its entries; `None` where two have one name.
    pub(super) fn of(mut entries: Vec<(Word, Node)>) -> Option<Value> {
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let unique = entries.windows(2).all(|two| two[0].0 != two[1].0);
        unique.then(|| Value::Table(Table(entries.into())))
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(key, _)| (**key).cmp(name))
    }

    /// Entry `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.place(name).ok().map(|at| &self.0[at].1)
    }

    /// Takes entries out.
    pub(crate) fn leave_out(&mut self, names: &[&str]) {
        let kept = self.0.iter().filter(|(key, _)| !names.contains(&&**key));
        self.0 = kept.cloned().collect();
    }

    /// The names, sorted.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| &**key)
    }

    /// Puts the entries of another on top.
    fn merge(&mut self, over: &Table) {
        let is_new = |(key, _): &&(Word, Node)| self.place(key).is_err();
        let more: Vec<_> = over.0.iter().filter(is_new).cloned().collect();
        if !more.is_empty() {
            let mut all = [&self.0, &more[..]].concat();
            all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            self.0 = all.into();
        }
        if more.len() == over.0.len() {
            return;
        }
        let own = Arc::make_mut(&mut self.0);
        for (key, node) in over {
            if let Ok(at) = own.binary_search_by(|(k, _)| k.cmp(key)) {
                own[at].1.merge(node);
            }
        }
    }
}

impl<'a> IntoIterator for &'a Table {
    type Item = &'a (Word, Node);
    type IntoIter = std::slice::Iter<'a, (Word, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A mapping file that cannot be used: where, what, why, and the nearest name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuideError {
    /// Path of the file below the mappings folder.
    pub file: String,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: Text,
    /// The line of the file.
    pub excerpt: String,
    /// How many characters the caret line underlines.
    pub width: usize,
}

impl fmt::Display for GuideError {
    /// ```text
    /// mappings/acme/850.toml:7:1: element PO199 is not in segment PO1
    ///   7 | PO199 = { as = "x" }
    ///     | ^^^^^
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words(&|_| None))
    }
}

impl std::error::Error for GuideError {}

impl GuideError {
    /// The error with its line, in other words; what they do not have stays English.
    pub fn in_words(&self, words: Words<'_>) -> String {
        let message = self.message.in_words(words);
        if self.line == 0 {
            return format!("{}: {message}", self.file);
        }
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let carets = "^".repeat(self.width.max(1));
        let indent = " ".repeat(self.column.saturating_sub(1));
        let (file, line, column, excerpt) = (&self.file, self.line, self.column, &self.excerpt);
        format!(
            "{file}:{line}:{column}: {message}\n  {number} | {excerpt}\n  {margin} | {indent}{carets}"
        )
    }

    /// An error about a file as a whole.
    pub(crate) fn whole(file: &str, message: impl Into<Text>) -> GuideError {
        GuideError {
            file: file.to_owned(),
            line: 0,
            column: 0,
            message: message.into(),
            excerpt: String::new(),
            width: 0,
        }
    }

    fn at(source: &Source, span: &Range<usize>, message: impl Into<Text>) -> GuideError {
        let start = span.start.min(source.text.len());
        let before = &source.text[..start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let rest = &source.text[line_start..];
        let excerpt = rest.lines().next().unwrap_or_default();
        let column = before[line_start..].chars().count();
        let width = source.text.get(span.clone()).map_or(1, |s| {
            let first = s.lines().next().unwrap_or_default().chars().count();
            first.min(excerpt.chars().count().saturating_sub(column))
        });
        GuideError {
            file: source.name.clone(),
            line: before.matches('\n').count() + 1,
            column: column + 1,
            message: message.into(),
            excerpt: excerpt.to_owned(),
            width,
        }
    }
}

impl Node {
    /// Reads one file. TOML's own errors keep their place.
    pub(crate) fn parse(name: &str, text: Cow<'static, str>) -> Result<Node, GuideError> {
        let source = Arc::new(Source {
            name: name.to_owned(),
            text,
        });
        let Some(value) = plain::read(&source) else {
            return Node::by_toml(&source);
        };
        Ok(Node {
            source,
            span: 0..0,
            value,
        })
    }

    /// Reads any TOML, and says what is wrong with it.
    pub(super) fn by_toml(source: &Arc<Source>) -> Result<Node, GuideError> {
        let table = DeTable::parse(&source.text).map_err(|e| {
            let span = e.span().unwrap_or(0..0);
            // What the reader of TOML says is English.
            GuideError::at(source, &span, text!("{error}", error = e.message()))
        })?;
        let value = from_table(source, table.get_ref())?;
        Ok(Node {
            source: source.clone(),
            span: 0..0,
            value,
        })
    }

    /// An error that points at this node.
    pub(crate) fn error(&self, message: impl Into<Text>) -> GuideError {
        GuideError::at(&self.source, &self.span, message)
    }

    /// An error about a name that is not among `known`, with the nearest of them.
    pub(crate) fn unknown(&self, what: Text, name: &str, known: &[&str]) -> GuideError {
        self.error(text!(
            "{what} {name} is not known{near}",
            what,
            name = crate::x12::Value::quoted(name),
            near = suggestion(name, known)
        ))
    }

    /// The table's entries, or an error that says that a table was due.
    pub(crate) fn table(&self) -> Result<&Table, GuideError> {
        match &self.value {
            Value::Table(table) => Ok(table),
            _ => Err(self.error(text!(
                "a table is due here, as in {example}",
                example = "{ as = \"number\" }"
            ))),
        }
    }

    /// The text, or an error.
    pub(crate) fn text(&self) -> Result<&str, GuideError> {
        self.word().map(AsRef::as_ref)
    }

    /// The end of its text, from a byte on, to be kept.
    pub(crate) fn tail(&self, from: usize) -> Word {
        match &self.value {
            Value::Text(Cow::Borrowed(text)) => Cow::Borrowed(text.get(from..).unwrap_or_default()),
            Value::Text(text) => Cow::Owned(text.get(from..).unwrap_or_default().to_owned()),
            _ => Word::default(),
        }
    }

    /// The text as it may be kept, or an error.
    pub(crate) fn word(&self) -> Result<&Word, GuideError> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.error(text!("a text in quotes is due here"))),
        }
    }

    /// A number from 0 up, or an error.
    pub(crate) fn number(&self) -> Result<u32, GuideError> {
        match self.value {
            Value::Number(n) if (0..=i64::from(u32::MAX)).contains(&n) => Ok(n as u32),
            _ => Err(self.error(text!("a whole number is due here"))),
        }
    }

    /// One text or a list of them.
    pub(crate) fn texts(&self) -> Result<Vec<String>, GuideError> {
        match &self.value {
            Value::List(list) => list.iter().map(|n| Ok(n.text()?.to_owned())).collect(),
            _ => Ok(vec![self.text()?.to_owned()]),
        }
    }

    /// Entry `name` of a table.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(table) => table.get(name),
            _ => None,
        }
    }

    /// Puts `over` on top: tables merge key by key, anything else is replaced.
    pub(crate) fn merge(&mut self, over: &Node) {
        match (&mut self.value, &over.value) {
            (Value::Table(base), Value::Table(table)) => base.merge(table),
            _ => *self = over.clone(),
        }
    }
}

/// `; did you mean "city"?`, or nothing where no known name is near.
///
/// ```
/// use transload::mapping::suggestion;
/// assert_eq!(suggestion("nmae", &["name", "city"]).to_string(), "; did you mean \"name\"?");
/// assert!(suggestion("zzz", &["name"]).is_empty());
/// ```
pub fn suggestion(name: &str, known: &[&str]) -> Text {
    match nearest(name, known.iter().copied()) {
        Some(near) => text!(
            "; did you mean {name}?",
            name = crate::x12::Value::quoted(near)
        ),
        None => Text::default(),
    }
}

/// The known name that was probably meant: one letter is different, and one more for every four.
///
/// ```
/// use transload::mapping::nearest;
/// assert_eq!(nearest("reciept", ["receipt", "url"]), Some("receipt"));
/// assert_eq!(nearest("banana", ["receipt", "url"]), None);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known));
    let (distance, near) = scored.min()?;
    (distance <= 1 + name.len() / 4).then_some(near)
}

fn from_table(source: &Arc<Source>, table: &DeTable<'_>) -> Result<Value, GuideError> {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        let span = key.span();
        let node = Node {
            source: source.clone(),
            value: from_value(source, &value.span(), value.get_ref())?,
            span,
        };
        entries.push((key.get_ref().to_string().into(), node));
    }
    Ok(Table::of(entries).expect("TOML has no name twice"))
}

fn from_value(
    source: &Arc<Source>,
    span: &Range<usize>,
    value: &DeValue<'_>,
) -> Result<Value, GuideError> {
    Ok(match value {
        DeValue::String(text) => Value::Text(text.to_string().into()),
        DeValue::Integer(n) => Value::Number(
            n.as_str()
                .replace('_', "")
                .parse()
                .map_err(|_| GuideError::at(source, span, text!("a whole number is due here")))?,
        ),
        DeValue::Boolean(_) => Value::Flag,
        DeValue::Array(list) => Value::List(
            list.iter()
                .map(|v| {
                    Ok(Node {
                        source: source.clone(),
                        span: v.span(),
                        value: from_value(source, &v.span(), v.get_ref())?,
                    })
                })
                .collect::<Result<_, GuideError>>()?,
        ),
        DeValue::Table(table) => from_table(source, table)?,
        _ => {
            let message = text!("mapping files use texts, whole numbers, lists and tables only");
            return Err(GuideError::at(source, span, message));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_points_at_line_with_caret() {
        let node =
            Node::parse("p/850.toml", "set = \"850\"\n[heading]\nBEGG = 1\n".into()).unwrap();
        let error = node.get("heading").unwrap().get("BEGG").unwrap().unknown(
            text!("segment"),
            "BEGG",
            &["BEG", "REF"],
        );
        let shown = error.to_string();
        assert!(
            shown.contains("p/850.toml:3:1: segment \"BEGG\""),
            "{shown}"
        );
        assert!(shown.contains("did you mean \"BEG\"?"), "{shown}");
        assert!(shown.ends_with("  3 | BEGG = 1\n    | ^^^^"), "{shown}");
    }

    #[test]
    fn broken_toml_keeps_its_place() {
        let error = Node::parse("a.toml", "set = \"850\npos = 1".into()).unwrap_err();
        assert_eq!(error.line, 1);
    }

    #[test]
    fn merge_is_deep() {
        let mut base = Node::parse("b", "[a]\nx = 1\ny = 2\n".into()).unwrap();
        base.merge(&Node::parse("o", "[a]\ny = 3\n".into()).unwrap());
        let a = base.get("a").unwrap();
        assert_eq!(a.get("x").unwrap().number().unwrap(), 1);
        assert_eq!(a.get("y").unwrap().number().unwrap(), 3);
    }
}
