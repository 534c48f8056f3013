//! A list that is mostly empty and takes one word when it is.

use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A list in a record that there are very many of, such as [`Level`](super::Level): in JSON and in
/// its schema a list like any other, in memory eight bytes where a `Vec` has 24.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
#[expect(
    clippy::box_collection,
    reason = "one word where nothing is: a quarter of a million levels have a dozen lists each"
)]
pub struct Few<T>(Option<Box<Vec<T>>>);

impl<T> Default for Few<T> {
    fn default() -> Few<T> {
        Few(None)
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(items: Vec<T>) -> Few<T> {
        match items.is_empty() {
            true => Few(None),
            false => Few(Some(Box::new(items))),
        }
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Few<T> {
        Few::from(Vec::from_iter(items))
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.0.as_ref().map_or(&[], |items| items.as_slice())
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> Few<T> {
    /// Appends an item.
    pub fn push(&mut self, item: T) {
        self.0.get_or_insert_default().push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_a_word() {
        let mut few = Few::default();
        assert_eq!(size_of_val(&few), size_of::<usize>());
        assert!(few.is_empty() && Few::<u8>::from(Vec::new()) == Few::default());
        few.push(1_u8);
        assert_eq!(serde_json::to_string(&few).unwrap(), "[1]");
        assert_eq!(serde_json::from_str::<Few<u8>>("[1]").unwrap(), few);
        assert_eq!(few.iter().count(), 1);
    }
}
