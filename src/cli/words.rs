//! The language of this run: what the command line says to people goes through here.

use std::sync::OnceLock;

use super::walk::Trouble;
use crate::lang::Language;
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

/// `1 line`, `2 lines`.
pub(super) fn count(n: usize, what: &str) -> String {
    match (language().say(&format!("{{n}} {what}s")), n) {
        (Some(template), _) => template.replace("{n}", &n.to_string()),
        (None, 1) => format!("1 {what}"),
        (None, _) => format!("{n} {what}s"),
    }
}

/// Why a file could not be read, in the language that is spoken.
pub(super) fn refusal(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Unreadable(x12::Error::NotX12(what)) => said(&text!(
            "not X12: {what}",
            what = Value::word(&what.to_string())
        )),
        Trouble::Unreadable(x12::Error::Io(error)) => said(&text!(
            "cannot read the file: {error}",
            error = error.to_string()
        )),
        trouble => trouble.to_string(),
    }
}
