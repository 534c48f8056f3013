//! Mapping files by the events of `toml_parser`, which become our tables without one of `toml`'s in
//! between: most of what a command does for a small file is to load its guide.
//!
//! Here stands only how keys and headers make tables, and of that what mapping files mostly use.
//! Dotted keys, lists of tables, and everything wrong are left to `toml`: so a file has one meaning,
//! and one reader tells its errors. Tests hold the two to each other.

use std::borrow::Cow;
use std::sync::Arc;

use toml_parser::decoder::{Encoding, IntegerRadix, ScalarKind};
use toml_parser::parser::{EventReceiver, RecursionGuard, ValidateWhitespace, parse_document};
use toml_parser::{ErrorSink, Span};

use super::source::{Node, Source, Table, Value, Word};

/// Lists and tables in one another; deeper ones are left to `toml`, which has a limit too.
const DEPTH: u32 = 8;

/// Bytes read at a time, up to the next header: so the tokens of a large file are not held at once.
const PIECE: usize = 4096;

/// The table that a file is; `None` where it is left to `toml`.
pub(super) fn read(source: &Arc<Source>) -> Option<Value> {
    match &source.text {
        Cow::Borrowed(text) => over(source, text, true, |word| word),
        Cow::Owned(text) => over(source, text, false, |word| Cow::Owned(word.into_owned())),
    }
}

/// Reads `rest`. What comes with the program is sound between its words: tests say so, and it is
/// not looked at again.
fn over<'t>(
    source: &Arc<Source>,
    mut rest: &'t str,
    is_sound: bool,
    keep: fn(Cow<'t, str>) -> Word,
) -> Option<Value> {
    let mut events = Events {
        source: source.clone(),
        keep,
        text: toml_parser::Source::new(""),
        base: 0,
        root: Draft::default(),
        path: Vec::new(),
        in_header: false,
        key: None,
        open: Vec::new(),
        is_plain: true,
    };
    while !rest.is_empty() {
        // Where a line that begins so is none of a header, what stands before it is not whole.
        let later = rest.as_bytes().get(PIECE..).unwrap_or_default();
        let header = later.windows(2).position(|two| two == b"\n[");
        let (piece, after) = rest.split_at(header.map_or(rest.len(), |at| PIECE + at + 1));
        events.text = toml_parser::Source::new(piece);
        let tokens = events.text.lex().into_vec();
        let (text, mut wrong) = (events.text, None);
        let mut guarded = RecursionGuard::new(&mut events, DEPTH);
        match is_sound {
            true => parse_document(&tokens, &mut guarded, &mut wrong),
            false => {
                let mut valid = ValidateWhitespace::new(&mut guarded, text);
                parse_document(&tokens, &mut valid, &mut wrong);
            }
        }
        if wrong.is_some() || !events.is_plain {
            return None;
        }
        events.base += piece.len();
        rest = after;
    }
    events.root.finish(source)
}

/// A key and where it stands.
type Key = (Word, Span);

/// A table that may still grow.
#[derive(Default)]
struct Draft {
    entries: Vec<(Key, Entry)>,
    /// It has had a header of its own.
    declared: bool,
}

enum Entry {
    Value(Value),
    Table(Draft),
}

impl Draft {
    /// The table at a path, made where nothing is there yet.
    fn table(&mut self, path: &[Key]) -> Option<&mut Draft> {
        path.iter().try_fold(self, |table, key| {
            let known = table.entries.iter().rposition(|(k, _)| k.0 == key.0);
            let at = known.unwrap_or_else(|| {
                let made = Entry::Table(Draft::default());
                table.entries.push((key.clone(), made));
                table.entries.len() - 1
            });
            match &mut table.entries[at].1 {
                Entry::Table(table) => Some(table),
                Entry::Value(_) => None,
            }
        })
    }

    /// Takes the header of a table, which may have been made by those of tables in it.
    fn declare(&mut self, path: &[Key]) -> Option<()> {
        let (last, outer) = path.split_last()?;
        let parent = self.table(outer)?;
        let declared = &mut parent.table(std::slice::from_ref(last))?.declared;
        if std::mem::replace(declared, true) {
            return None;
        }
        let mut entries = parent.entries.iter_mut().rev();
        entries.find(|(key, _)| key.0 == last.0)?.0 = last.clone();
        Some(())
    }

    fn finish(self, source: &Arc<Source>) -> Option<Value> {
        let node = |(key, entry)| {
            let value = match entry {
                Entry::Value(value) => value,
                Entry::Table(table) => Draft::finish(table, source)?,
            };
            Some(named(source, key, value))
        };
        let nodes = self.entries.into_iter().map(node);
        Table::of(nodes.collect::<Option<_>>()?)
    }
}

fn named(source: &Arc<Source>, (key, span): Key, value: Value) -> (Word, Node) {
    let node = Node {
        source: source.clone(),
        span: span.start()..span.end(),
        value,
    };
    (key, node)
}

/// A list or an inline table that is being read.
struct Open {
    /// Where it begins, and the key that it is the value of.
    start: usize,
    key: Option<Key>,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Table(Vec<(Word, Node)>),
}

/// A file as far as it was read.
struct Events<'t> {
    source: Arc<Source>,
    /// Makes a word of the file one that may stay.
    keep: fn(Cow<'t, str>) -> Word,
    /// The piece that is being read, and where it stands in the file.
    text: toml_parser::Source<'t>,
    base: usize,
    root: Draft,
    /// The table that entries go into.
    path: Vec<Key>,
    in_header: bool,
    /// The key whose value is due.
    key: Option<Key>,
    open: Vec<Open>,
    is_plain: bool,
}

impl<'t> Events<'t> {
    fn open(&mut self, span: Span, items: Items) -> bool {
        let key = self.key.take();
        let start = self.base + span.start();
        self.open.push(Open { start, key, items });
        true
    }

    fn close(&mut self, span: Span) {
        let Some(Open { start, key, items }) = self.open.pop() else {
            return;
        };
        let value = match items {
            Items::List(list) => Some(Value::List(list)),
            Items::Table(entries) => Table::of(entries),
        };
        self.key = key;
        self.put(value, start, self.base + span.end());
    }

    /// Puts a value where one is due; `None` is one that is not plain.
    fn put(&mut self, value: Option<Value>, start: usize, end: usize) {
        let key = self.key.take();
        let put = value.and_then(|value| {
            let items = self.open.last_mut().map(|open| &mut open.items);
            match (items, key) {
                (Some(Items::List(list)), None) => list.push(Node {
                    source: self.source.clone(),
                    span: start..end,
                    value,
                }),
                (Some(Items::Table(entries)), Some(key)) => {
                    entries.push(named(&self.source, key, value));
                }
                (None, Some(key)) => {
                    let entries = &mut self.root.table(&self.path)?.entries;
                    entries.push((key, Entry::Value(value)));
                }
                _ => return None,
            }
            Some(())
        });
        self.is_plain &= put.is_some();
    }
}

impl EventReceiver for Events<'_> {
    fn std_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.path.clear();
        self.in_header = true;
    }

    fn std_table_close(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.in_header = false;
        self.is_plain &= self.root.declare(&self.path).is_some();
    }

    fn array_table_open(&mut self, _: Span, _: &mut dyn ErrorSink) {
        self.is_plain = false;
    }

    fn inline_table_open(&mut self, span: Span, _: &mut dyn ErrorSink) -> bool {
        self.open(span, Items::Table(Vec::new()))
    }

    fn inline_table_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.close(span);
    }

    fn array_open(&mut self, span: Span, _: &mut dyn ErrorSink) -> bool {
        self.open(span, Items::List(Vec::new()))
    }

    fn array_close(&mut self, span: Span, _: &mut dyn ErrorSink) {
        self.close(span);
    }

    fn simple_key(&mut self, span: Span, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        let mut key = Cow::Borrowed("");
        if let Some(raw) = self.text.get(span) {
            let raw = toml_parser::Raw::new_unchecked(raw.as_str(), kind, span);
            raw.decode_key(&mut key, error);
        }
        let (key, span) = ((self.keep)(key), self.base + span);
        match self.in_header {
            true => self.path.push((key, span)),
            // A dotted key.
            false => self.is_plain &= self.key.replace((key, span)).is_none(),
        }
    }

    fn scalar(&mut self, span: Span, kind: Option<Encoding>, error: &mut dyn ErrorSink) {
        let mut text = Cow::Borrowed("");
        let kind = self.text.get(span).map(|raw| {
            let raw = toml_parser::Raw::new_unchecked(raw.as_str(), kind, span);
            raw.decode_scalar(&mut text, error)
        });
        let value = match kind {
            Some(ScalarKind::String) => Some(Value::Text((self.keep)(text))),
            Some(ScalarKind::Boolean(_)) => Some(Value::Flag),
            Some(ScalarKind::Integer(IntegerRadix::Dec)) => text.parse().ok().map(Value::Number),
            _ => None,
        };
        let (start, end) = (self.base + span.start(), self.base + span.end());
        self.put(value, start, end);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Library;
    use super::*;

    /// A value with the places of all in it.
    fn show(value: &Value) -> String {
        let node = |node: &Node| format!("{:?} {}", node.span, show(&node.value));
        match value {
            Value::List(list) => format!("{:?}", list.iter().map(node).collect::<Vec<_>>()),
            Value::Table(table) => {
                let entries = table.into_iter().map(|(key, at)| (key, node(at)));
                format!("{:?}", entries.collect::<Vec<_>>())
            }
            leaf => format!("{leaf:?}"),
        }
    }

    /// What `toml` reads of a text, and what is read here; both `None` where it cannot be read.
    fn both(text: Word) -> (Option<String>, Option<String>) {
        let source = Arc::new(Source {
            name: "t".to_owned(),
            text,
        });
        let by_toml = Node::by_toml(&source).ok();
        let by_toml = by_toml.map(|node| show(&node.value));
        (read(&source).as_ref().map(show), by_toml)
    }

    #[test]
    fn our_files_are_plain_and_mean_what_toml_says() {
        let library = Library::embedded();
        let mut slow = Vec::new();
        for path in library.paths() {
            let text = library.kept(path).unwrap();
            // As what is embedded, and as what is not.
            for text in [text.clone(), text.into_owned().into()] {
                match both(text) {
                    (None, _) => slow.push(path),
                    (plain, by_toml) => assert!(plain == by_toml, "{path}"),
                }
            }
        }
        // A partner's overlay may say more than plain TOML does, and a bridge's tables too; what
        // every command reads is plain.
        slow.retain(|path| path.starts_with("x12/") || path.starts_with("codes/"));
        slow.retain(|path| !path.starts_with("codes/spapi"));
        assert!(slow.is_empty(), "{slow:?}");
    }

    /// Lines that mean something together, and some that are wrong or not plain.
    const LINES: &[&str] = &[
        "[a]",
        "[a.b]",
        "[a.b.c]",
        "[ a . d ]",
        "[b]",
        "[[a]]",
        "[a.b",
        "a = 1",
        "b = 2",
        "c = \"x\"",
        "a = {}",
        "b = { c = 1 }",
        "b = { c = 1, c = 2 }",
        "b = { c = 1, }",
        "c = [1, \"x\", [2]]",
        "c = [1,]",
        "c = []",
        "c = [1 2]",
        "d = 007",
        "d = -1",
        "d = 1_000",
        "d = \"\"\"x\"\"\"",
        "d = \"\\u0041\"",
        "d = 'x'",
        "d = \"é\"",
        "d = \"\t\"",
        "d = \"x",
        "e.f = 1",
        "\"q\" = 1",
        "f = true",
        "f = tru",
        "f = 1.5",
        "f = 1979-05-27",
        "# note",
        "\u{1}",
        "f = 1 # note \u{7f}",
        "f = 99999999999999999999",
        "",
        "  a = 1  # note",
        "é = 1",
        "f = 0",
        "f = \"a\" b",
    ];

    proptest! {
        /// Whatever is read here is what `toml` reads.
        #[test]
        fn what_is_plain_means_what_toml_says(
            lines in prop::collection::vec(prop::sample::select(LINES), 0..8),
            end in prop::sample::select(&["\n", "", "\r\n", "\n\n"][..]),
        ) {
            let (plain, by_toml) = both((lines.join("\n") + end).into());
            prop_assert!(plain.is_none() || plain == by_toml, "{:?}\n{:?}", plain, by_toml);
        }

        /// The same where bytes of a file of ours are lost or doubled.
        #[test]
        fn what_is_damaged_means_what_toml_says(at in 0_usize..12_000, lost in 0_usize..9, piece in "[\\[\\]{}=,.\"# \na1]{0,2}") {
            let library = Library::embedded();
            let mut text = library.text("x12/004010/856.toml").unwrap().to_owned();
            let end = text.len();
            if text.is_char_boundary(at.min(end)) && text.is_char_boundary((at + lost).min(end)) {
                text.replace_range(at.min(end)..(at + lost).min(end), &piece);
            }
            let (plain, by_toml) = both(text.into());
            prop_assert!(plain.is_none() || plain == by_toml);
        }
    }
}
