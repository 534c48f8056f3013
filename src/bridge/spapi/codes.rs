//! Code tables: a word of the API and the canonical words that it stands for.
//!
//! `mappings/codes/spapi.toml` has a table for each kind of code. Several canonical words may share
//! one of the API's; the first of them is what the API's word is read as, and each other one that
//! is translated is told as a loss.

use std::collections::BTreeMap;
use std::sync::LazyLock;

type Table = BTreeMap<String, Vec<String>>;

static TABLES: LazyLock<BTreeMap<String, Table>> = LazyLock::new(|| {
    let text = include_str!("../../../mappings/codes/spapi.toml");
    toml::from_str(text).expect("the code tables are tested")
});

fn table(name: &str) -> Option<&'static Table> {
    TABLES.get(name)
}

/// The API's word for one of ours, and whether it is read as the same again.
pub(super) fn theirs(name: &str, ours: &str) -> Option<(&'static str, bool)> {
    table(name)?.iter().find_map(|(word, all)| {
        let place = all.iter().position(|one| one == ours)?;
        Some((word.as_str(), place == 0))
    })
}

/// Our word for one of the API's, in whatever case it is written; and whether that case is its own.
pub(super) fn ours(name: &str, theirs: &str) -> Option<(&'static str, bool)> {
    let (word, all) = table(name)?
        .iter()
        .find(|(word, _)| word.trim().eq_ignore_ascii_case(theirs.trim()))?;
    Some((all.first()?.as_str(), word == theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_our_words_has_one_of_theirs() {
        for (name, table) in TABLES.iter() {
            let mut seen = std::collections::BTreeSet::new();
            for word in table.values().flatten() {
                assert!(seen.insert(word), "{name}: {word} stands twice");
            }
        }
    }

    #[test]
    fn a_word_is_read_in_any_case() {
        assert_eq!(ours("unit", "EACHES"), Some(("each", false)));
        assert_eq!(ours("unit", "Eaches"), Some(("each", true)));
        assert_eq!(theirs("unit", "unit"), Some(("Eaches", false)));
    }
}
