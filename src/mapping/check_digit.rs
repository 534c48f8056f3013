//! Where check digits of GS1 numbers stand: UPC and EAN of an item, GTIN-14 of a case, SSCC of a carton.

use super::guide::Use;
use crate::canonical::check_digit;
use crate::x12::Segment;

/// A qualifier's element and that of the number it tells of.
pub(super) type Pair = (u16, u16);

/// The pairs of elements in a segment that may hold such numbers: 235 and 234, product id with
/// its qualifier; 88 and 87, a mark with its qualifier.
pub(super) fn pairs(one: &Use) -> Vec<Pair> {
    let number = |index: usize| one.places[index].parts[0].def.number.as_ref();
    let at = (1..one.places.len()).filter(|&index| {
        matches!(
            (number(index - 1), number(index)),
            ("235", "234") | ("88", "87")
        )
    });
    at.map(|index| (index as u16, index as u16 + 1)).collect()
}

/// The digit that the number of this pair should end in, where it ends in another.
pub(super) fn due(segment: &Segment<'_>, (qualifier, number): Pair) -> Option<char> {
    let mut length = match segment.element(usize::from(qualifier)) {
        b"UP" => 12,
        b"EN" => 13,
        b"UK" | b"UC" => 14,
        b"GM" => 18,
        _ => return None,
    };
    let text = segment.element(usize::from(number));
    // SSCC-18 with its application identifier.
    if length == 18 && text.len() == 20 && text.starts_with(b"00") {
        length = 20;
    }
    if text.len() != length {
        return None;
    }
    let (last, rest) = text.split_last()?;
    let due = check_digit(rest).filter(|_| last.is_ascii_digit())?;
    (due != *last).then_some(char::from(due))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::{Position, Segments};

    fn wrong(qualifier: &str, number: &str) -> Option<char> {
        let mut segments = Segments::default();
        let parts = [b"MAN", qualifier.as_bytes(), number.as_bytes()];
        segments.push_parts(&parts, Position::default());
        due(&segments.get(0).unwrap(), (1, 2))
    }

    #[test]
    fn each_kind_has_its_length() {
        assert_eq!(wrong("UP", "036000291452"), None);
        assert_eq!(wrong("UP", "036000291450"), Some('2'));
        assert_eq!(wrong("EN", "4006381333931"), None);
        assert_eq!(wrong("EN", "4006381333930"), Some('1'));
        assert_eq!(wrong("UK", "10036000291459"), None);
        assert_eq!(wrong("GM", "106141412345678908"), None);
        assert_eq!(wrong("GM", "00106141412345678907"), Some('8'));
        // Of another kind or length, or with a letter, nothing is known.
        assert_eq!(wrong("UP", "O36000291450"), None);
        assert_eq!(wrong("UP", "03600029145O"), None);
        assert_eq!(wrong("VN", "036000291450"), None);
        assert_eq!(wrong("UP", "36000291450"), None);
    }
}
