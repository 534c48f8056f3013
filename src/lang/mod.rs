//! The languages that people are spoken to in: a catalogue of words, and how wide they stand.
//!
//! The key of an entry is the English: a template whose placeholders are names in braces, a whole
//! sentence, or a word. The entry says the same with the same placeholders. What has no entry is
//! said in English. Rule ids, codes, segment tags and JSON are never translated.
//!
//! ```
//! use transload::lang::Language;
//! let chinese = Language::of_locale("zh_CN.UTF-8").unwrap();
//! assert_eq!(chinese.say("{n} lines"), Some("{n} 行"));
//! assert_eq!(chinese.say("no such entry"), None);
//! assert_eq!(Language::English.say("{n} lines"), None);
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `zh-CN.toml` | what we say: findings, their reasons, the phrases of the command line |
//! | `zh-CN.names.toml` | what the dictionary calls segments and elements, and the words of code lists |
//!
//! What this room does not do: it reads no environment and remembers no choice (that is `cli`), and
//! it puts no values into templates (that is `x12::Text`).

mod width;

use std::collections::HashMap;
use std::sync::OnceLock;

pub use width::{pad, width, width_of};

/// A language that we speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// The keys of the catalogue.
    #[default]
    English,
    /// Chinese as it is written on the mainland.
    Chinese,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// The language of a locale or a tag: `zh_CN.UTF-8`, `zh-Hans`, `en`, `C`. `None` where we do
    /// not speak it; what is written in Taiwan and Hong Kong is another Chinese.
    pub fn of_locale(locale: &str) -> Option<Language> {
        let plain = locale.split(['.', '@']).next().unwrap_or_default();
        let plain = plain.replace('_', "-").to_ascii_lowercase();
        match plain.as_str() {
            "zh" | "zh-cn" | "zh-sg" | "zh-hans" | "zh-hans-cn" | "zh-hans-sg" => {
                Some(Language::Chinese)
            }
            "c" | "posix" | "en" => Some(Language::English),
            other => other.starts_with("en-").then_some(Language::English),
        }
    }

    /// The language that the environment asks for: the first of `LC_ALL`, `LC_MESSAGES` and `LANG`
    /// that is set and not empty (POSIX, 8.2). English where we do not speak it.
    pub fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> Language {
        let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set);
        locale
            .and_then(|locale| Language::of_locale(&locale))
            .unwrap_or_default()
    }

    /// What stands for `english`; `None` where English does.
    pub fn say(self, english: &str) -> Option<&'static str> {
        match self {
            Language::English => None,
            Language::Chinese => chinese().get(english).map(String::as_str),
        }
    }
}

/// The Chinese catalogue, by its English.
fn chinese() -> &'static HashMap<String, String> {
    static ALL: OnceLock<HashMap<String, String>> = OnceLock::new();
    ALL.get_or_init(|| {
        let files = [include_str!("zh-CN.toml"), include_str!("zh-CN.names.toml")];
        let tables = files.map(|file| {
            let read = toml::from_str::<HashMap<String, HashMap<String, String>>>(file);
            read.expect("the catalogue is compiled in, and a test reads it")
        });
        tables
            .into_iter()
            .flatten()
            .flat_map(|(_, table)| table)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let of = |set: &[(&str, &str)]| {
            Language::of_environment(&|name: &str| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[]), Language::English);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(
            of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")]),
            Language::English
        );
        assert_eq!(
            of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")]),
            Language::Chinese
        );
        assert_eq!(
            of(&[("LANG", "de_DE"), ("LC_MESSAGES", "zh_SG")]),
            Language::Chinese
        );
        assert_eq!(of(&[("LANG", "zh_TW.UTF-8")]), Language::English);
    }

    #[test]
    fn tags_are_locales() {
        for language in Language::ALL {
            assert_eq!(Language::of_locale(language.tag()), Some(language));
        }
    }
}
