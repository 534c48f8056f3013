//! The language of this run: what the command line says to people goes through here.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use super::Failure;
use super::walk::Trouble;
use crate::lang::Language;
use crate::mapping::GuideError;
use crate::x12::{self, Text, Value, text};

/// Chosen once, before the command runs: it is the process's, as the terminal is.
static LANGUAGE: OnceLock<Language> = OnceLock::new();

/// Speaks `language` from now on; only the first call counts.
pub(super) fn speak(language: Language) {
    let _ = LANGUAGE.set(language);
}

/// The language that is spoken.
pub(super) fn language() -> Language {
    LANGUAGE.get().copied().unwrap_or_default()
}

/// A text in the language that is spoken.
pub(super) fn said(text: &Text) -> String {
    let language = language();
    text.in_words(&|english| language.say(english))
}

/// A word or a whole sentence in the language that is spoken.
pub(super) fn say(english: &str) -> &str {
    language().say(english).unwrap_or(english)
}

/// What a partner said, for a terminal: control characters, which could write anywhere on it, are
/// shown as what they are.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    match text.contains(char::is_control) {
        false => text.into(),
        true => {
            let shown = |c: char| match c.is_control() {
                true => c.escape_default().to_string(),
                false => c.to_string(),
            };
            text.chars().map(shown).collect::<String>().into()
        }
    }
}

/// `1 line`, `2 lines`.
pub(super) fn count(n: usize, what: &str) -> String {
    match (language().say(&format!("{{n}} {what}s")), n) {
        (Some(template), _) => template.replace("{n}", &n.to_string()),
        (None, 1) => format!("1 {what}"),
        (None, _) => format!("{n} {what}s"),
    }
}

/// An error of a guide in the language that is spoken.
pub(super) fn in_words(error: &GuideError) -> String {
    let language = language();
    error.in_words(&|english| language.say(english))
}

/// Why a file could not be read, in the language that is spoken.
pub(super) fn refusal(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Unreadable(error) => said(&unread(error)),
        Trouble::Guide(errors) => broken(errors),
        Trouble::Output(error) => said(&cause(error)),
    }
}

/// Guides that cannot be used, with what is wrong in each.
fn broken(errors: &[GuideError]) -> String {
    let errors: Vec<String> = errors.iter().map(in_words).collect();
    format!("{}\n{}", say("a guide is broken:"), errors.join("\n"))
}

fn unread(error: &x12::Error) -> Text {
    match error {
        x12::Error::NotX12(what) => {
            text!("not X12: {what}", what = Value::word(&what.to_string()))
        }
        x12::Error::Io(error) => text!("cannot read the file: {error}", error = cause(error)),
    }
}

/// Why a file could not be read or written, in words that need no manual.
pub(super) fn cause(error: &io::Error) -> Text {
    match error.kind() {
        io::ErrorKind::NotFound => text!("there is no such file or folder"),
        io::ErrorKind::PermissionDenied => text!("you may not: look at its permissions"),
        io::ErrorKind::IsADirectory => text!("it is a folder, and a file is due"),
        io::ErrorKind::NotADirectory => text!("it is a file, and a folder is due"),
        io::ErrorKind::StorageFull => text!("the disk is full"),
        _ => text!("{error}", error = error.to_string()),
    }
}

/// Of a file: what is wrong with it.
pub(super) fn of(name: &str, why: impl Into<Value>) -> String {
    said(&text!("{name}: {why}", name, why = why.into()))
}

/// A file that cannot be read.
pub(super) fn unreadable(name: &str, error: &x12::Error) -> Failure {
    Failure::usage(of(name, unread(error)))
}

/// A place that cannot be written to.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let path = path.display().to_string();
    Failure::state(said(&text!(
        "cannot write {path}: {why}",
        path,
        why = cause(error)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_partner_says_moves_the_cursor() {
        assert_eq!(
            plain("\u{1b}[2Jok\r\n\u{9b}1m"),
            "\\u{1b}[2Jok\\r\\n\\u{9b}1m"
        );
        assert_eq!(plain("processed, 订单"), "processed, 订单");
    }
}
