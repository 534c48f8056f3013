//! How many columns of a terminal a text takes.

/// Characters of two columns, first and last of each range: the blocks whose characters are Wide
/// or Fullwidth (Unicode Standard Annex 11), and pictographs.
const WIDE: [(char, char); 10] = [
    ('\u{1100}', '\u{115F}'),
    ('\u{2E80}', '\u{303E}'),
    ('\u{3041}', '\u{A4CF}'),
    ('\u{A960}', '\u{A97F}'),
    ('\u{AC00}', '\u{D7A3}'),
    ('\u{F900}', '\u{FAFF}'),
    ('\u{FE30}', '\u{FE6F}'),
    ('\u{FF01}', '\u{FF60}'),
    ('\u{FFE0}', '\u{FFE6}'),
    ('\u{1F300}', '\u{3FFFD}'),
];

/// Characters of no column: combining marks, joiners and variation selectors.
const NONE: [(char, char); 4] = [
    ('\u{0300}', '\u{036F}'),
    ('\u{200B}', '\u{200F}'),
    ('\u{20D0}', '\u{20FF}'),
    ('\u{FE00}', '\u{FE0F}'),
];

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
    let within = |ranges: &[(char, char)]| ranges.iter().any(|(a, b)| (*a..=*b).contains(&c));
    match c {
        '\0'..='\u{2FF}' => 1,
        _ if within(&NONE) => 0,
        _ if within(&WIDE) => 2,
        _ => 1,
    }
}
