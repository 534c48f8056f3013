//! How many columns of a terminal a text takes.

use unicode_width::UnicodeWidthChar;

/// Columns that `text` takes on a terminal.
///
/// ```
/// use transload::lang::width;
/// assert_eq!(width("PO103"), 5);
/// assert_eq!(width("采购订单"), 8);
/// ```
pub fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

/// `text` and as many blanks as make it `columns` wide.
pub fn pad(text: &str, columns: usize) -> String {
    let blanks = columns.saturating_sub(width(text));
    format!("{text}{:blanks$}", "")
}

/// Columns that one character takes: 0, 1 or 2.
pub fn width_of(c: char) -> usize {
    // A control character is shown as another, which takes one.
    c.width().unwrap_or(1)
}
