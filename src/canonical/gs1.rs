//! Check digits of GS1 numbers: UPC and EAN of an item, GTIN-14 of a case, GLN of a place, SSCC of a
//! carton.

/// The check digit of a number without it, in ASCII; `None` where that is not all digits.
///
/// The digits are weighted 3, 1, 3 … from the last one leftwards, and the sum with the check digit is
/// a multiple of ten (GS1 General Specifications, section 7.9).
///
/// ```
/// assert_eq!(transload::canonical::check_digit(b"03600029145"), Some(b'2'));
/// ```
#[must_use]
#[inline]
pub fn check_digit(rest: &[u8]) -> Option<u8> {
    let (first, pairs) = rest.as_rchunks::<2>();
    let value = |b: u8| u32::from(b.wrapping_sub(b'0'));
    // The digits at even and at odd distance from the end.
    let (mut near, mut far, mut most) = (0, 0, 0);
    for &[a, b] in pairs {
        (far, near) = (far + value(a), near + value(b));
        most = most.max(value(a)).max(value(b));
    }
    for &b in first {
        near += value(b);
        most = most.max(value(b));
    }
    let sum: u32 = 3 * near + far;
    (most < 10).then_some(b'0' + ((10 - sum % 10) % 10) as u8)
}
