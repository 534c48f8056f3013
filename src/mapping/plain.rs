//! Mapping files that are plain TOML, read quickly: most of what a command does for a small file
//! is to load its guide.
//!
//! Plain is `key = value` with bare keys, `[tables.by.name]`, texts in double quotes without
//! escapes, whole numbers, `true` and `false`, lists and tables on one line, and comments.
//! Everything else, and everything wrong, is left to `toml`: so a file has one meaning, and one
//! reader tells its errors. Tests hold the two to each other.

use std::ops::Range;
use std::sync::Arc;

use super::source::{Node, Source, Table, Value};

/// Lists and tables in one another; deeper ones are not plain.
const DEPTH: u32 = 8;

/// Digits of a whole number that surely fits.
const DIGITS: usize = 18;

/// The table that a file is; `None` where it is not plain.
pub(super) fn read(source: &Arc<Source>) -> Option<Value> {
    let mut plain = Plain { source, at: 0 };
    let mut root = Draft::default();
    let mut path = Vec::new();
    loop {
        plain.spaces();
        match plain.peek() {
            None => return root.finish(source),
            Some(b'\n' | b'#') => {}
            Some(b'[') => {
                path.clear();
                plain.header(&mut path)?;
                root.declare(&path)?;
            }
            Some(_) => {
                let (key, value) = plain.entry(DEPTH)?;
                root.table(&path)?.entries.push((key, Entry::Value(value)));
            }
        }
        plain.line_end()?;
    }
}

/// A key and where it stands.
type Key<'t> = (&'t str, usize);

/// A table that may still grow.
#[derive(Default)]
struct Draft<'t> {
    entries: Vec<(Key<'t>, Entry<'t>)>,
    /// It has had a header of its own.
    declared: bool,
}

enum Entry<'t> {
    Value(Value),
    Table(Draft<'t>),
}

impl<'t> Draft<'t> {
    /// The table at a path, made where nothing is there yet.
    fn table(&mut self, path: &[Key<'t>]) -> Option<&mut Draft<'t>> {
        path.iter().try_fold(self, |table, key| {
            let known = table.entries.iter().rposition(|(k, _)| k.0 == key.0);
            let at = known.unwrap_or_else(|| {
                table.entries.push((*key, Entry::Table(Draft::default())));
                table.entries.len() - 1
            });
            match &mut table.entries[at].1 {
                Entry::Table(table) => Some(table),
                Entry::Value(_) => None,
            }
        })
    }

    /// Takes the header of a table, which may have been made by those of tables in it.
    fn declare(&mut self, path: &[Key<'t>]) -> Option<()> {
        let (last, outer) = path.split_last()?;
        let parent = self.table(outer)?;
        let declared = &mut parent.table(&[*last])?.declared;
        if std::mem::replace(declared, true) {
            return None;
        }
        let mut entries = parent.entries.iter_mut().rev();
        entries.find(|(key, _)| key.0 == last.0)?.0 = *last;
        Some(())
    }

    fn finish(self, source: &Arc<Source>) -> Option<Value> {
        let node = |((key, start), entry)| {
            let value = match entry {
                Entry::Value(value) => value,
                Entry::Table(table) => Draft::finish(table, source)?,
            };
            Some(named(source, (key, start), value))
        };
        let nodes = self.entries.into_iter().map(node);
        Table::of(nodes.collect::<Option<_>>()?)
    }
}

fn named(source: &Arc<Source>, (key, start): Key<'_>, value: Value) -> (String, Node) {
    let node = Node {
        source: source.clone(),
        span: start..start + key.len(),
        value,
    };
    (key.to_owned(), node)
}

/// A file and how far it was read.
struct Plain<'t> {
    source: &'t Arc<Source>,
    at: usize,
}

impl<'t> Plain<'t> {
    fn text(&self) -> &'t str {
        &self.source.text
    }

    fn peek(&self) -> Option<u8> {
        self.text().as_bytes().get(self.at).copied()
    }

    /// Passes over bytes of a kind and gives them.
    fn run(&mut self, of: impl Fn(u8) -> bool) -> &'t str {
        let rest = &self.text().as_bytes()[self.at..];
        let length = rest.iter().position(|&b| !of(b)).unwrap_or(rest.len());
        let from = self.at;
        self.at += length;
        // Runs end at ASCII bytes; an empty text is not plain where one is due.
        self.text().get(from..self.at).unwrap_or_default()
    }

    fn spaces(&mut self) {
        self.run(|b| b == b' ' || b == b'\t');
    }

    /// Takes `byte`, and the spaces before and behind it.
    fn take(&mut self, byte: u8) -> Option<()> {
        self.spaces();
        (self.peek() == Some(byte)).then(|| self.at += 1)?;
        self.spaces();
        Some(())
    }

    /// The end of a line, with the comment before it.
    fn line_end(&mut self) -> Option<()> {
        self.spaces();
        if self.peek() == Some(b'#') {
            self.run(|b| b >= b' ' && b != 0x7f || b == b'\t');
        }
        match self.peek() {
            Some(b'\n') => self.at += 1,
            Some(_) => return None,
            None => {}
        }
        Some(())
    }

    fn key(&mut self) -> Option<Key<'t>> {
        let start = self.at;
        let key = self.run(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (!key.is_empty()).then_some((key, start))
    }

    /// `[heading.N1-ST.N4]`
    fn header(&mut self, path: &mut Vec<Key<'t>>) -> Option<()> {
        self.take(b'[')?;
        loop {
            path.push(self.key()?);
            if self.take(b'.').is_none() {
                return self.take(b']');
            }
        }
    }

    /// `key = value`
    fn entry(&mut self, depth: u32) -> Option<(Key<'t>, Value)> {
        let key = self.key()?;
        self.take(b'=')?;
        Some((key, self.value(depth)?.0))
    }

    /// A value and where it stands.
    fn value(&mut self, depth: u32) -> Option<(Value, Range<usize>)> {
        let start = self.at;
        let value = match self.peek()? {
            b'"' => {
                self.at += 1;
                let text = self.run(|b| b >= b' ' && b != b'"' && b != b'\\' && b != 0x7f);
                (self.peek() == Some(b'"')).then(|| self.at += 1)?;
                Value::Text(text.to_owned())
            }
            b'[' => self.list(depth.checked_sub(1)?)?,
            b'{' => self.inline(depth.checked_sub(1)?)?,
            b't' | b'f' => match self.key()?.0 {
                "true" | "false" => Value::Flag,
                _ => return None,
            },
            _ => {
                let digits = self.run(|b| b.is_ascii_digit());
                let plain = digits == "0" || !digits.starts_with('0');
                let number = digits.parse().ok();
                Value::Number(number.filter(|_| plain && digits.len() <= DIGITS)?)
            }
        };
        Some((value, start..self.at))
    }

    /// `["O", "T"]`
    fn list(&mut self, depth: u32) -> Option<Value> {
        let mut list = Vec::new();
        self.take(b'[')?;
        while self.peek() != Some(b']') {
            let (value, span) = self.value(depth)?;
            list.push(Node {
                source: self.source.clone(),
                span,
                value,
            });
            if self.take(b',').is_none() {
                break;
            }
        }
        self.spaces();
        (self.peek() == Some(b']')).then(|| self.at += 1)?;
        Some(Value::List(list))
    }

    /// `{ as = "number" }`
    fn inline(&mut self, depth: u32) -> Option<Value> {
        let mut nodes = Vec::new();
        self.take(b'{')?;
        while self.peek() != Some(b'}') {
            let (key, value) = self.entry(depth)?;
            nodes.push(named(self.source, key, value));
            if self.take(b',').is_none() {
                break;
            }
            // A comma with nothing behind it is not every TOML's.
            (self.peek() != Some(b'}')).then_some(())?;
        }
        self.spaces();
        (self.peek() == Some(b'}')).then(|| self.at += 1)?;
        Table::of(nodes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Library;
    use super::*;

    /// What `toml` reads of a text, and what is read here; both `None` where it cannot be read.
    fn both(text: &str) -> (Option<String>, Option<String>) {
        let source = Arc::new(Source {
            name: "t".to_owned(),
            text: text.to_owned().into(),
        });
        let show = |value: Value| format!("{value:?}").replace(&format!("{source:?}"), "");
        let by_toml = Node::by_toml(&source).ok().map(|node| show(node.value));
        (read(&source).map(show), by_toml)
    }

    #[test]
    fn our_files_are_plain_and_mean_what_toml_says() {
        let library = Library::embedded();
        let mut slow = Vec::new();
        for path in library.paths() {
            match both(library.text(path).unwrap()) {
                (None, _) => slow.push(path),
                (plain, by_toml) => assert!(plain == by_toml, "{path}"),
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
            let (plain, by_toml) = both(&(lines.join("\n") + end));
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
            let (plain, by_toml) = both(&text);
            prop_assert!(plain.is_none() || plain == by_toml);
        }
    }
}
