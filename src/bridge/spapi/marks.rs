//! Marks on packages: ranges of them, one by one.

/// Most cartons that one range of marks may stand for: a truck holds fewer.
const MAX_RANGE: u64 = 10_000;

/// How many marks a range has, if it is one: same length, same letters before the number.
pub(super) fn range(first: &str, last: &str) -> Option<u64> {
    let (prefix, from) = numbered(first)?;
    let (other, to) = numbered(last)?;
    let (from, to) = match sscc(first) && sscc(last) {
        true => (from / 10, to / 10),
        false => (from, to),
    };
    let count = to.checked_sub(from)?.checked_add(1)?;
    (prefix == other && first.len() == last.len() && count <= MAX_RANGE).then_some(count)
}

/// The mark `nth` after the first; an SSCC gets its own check digit.
pub(super) fn nth_mark(first: &str, nth: u64) -> Option<String> {
    if nth == 0 {
        return Some(first.to_owned());
    }
    let (prefix, number) = numbered(first)?;
    let width = first.len() - prefix.len();
    if sscc(first) {
        let body = format!("{prefix}{:0width$}", number / 10 + nth, width = width - 1);
        return Some(format!("{body}{}", check_digit(&body)));
    }
    Some(format!("{prefix}{:0width$}", number + nth))
}

/// What stands before a mark's number, and the number: its last digits, at most eighteen.
fn numbered(mark: &str) -> Option<(&str, u64)> {
    let digits = mark
        .bytes()
        .rev()
        .take(18)
        .take_while(u8::is_ascii_digit)
        .count();
    let (prefix, number) = mark.split_at_checked(mark.len() - digits)?;
    Some((prefix, number.parse().ok()?))
}

/// Eighteen digits, or twenty with `00` in front, whose last is their check digit.
fn sscc(mark: &str) -> bool {
    let digits = matches!(mark.len(), 18 | 20) && mark.bytes().all(|byte| byte.is_ascii_digit());
    digits && mark.ends_with(&check_digit(&mark[..mark.len() - 1]).to_string())
}

fn check_digit(body: &str) -> u32 {
    let weighed = body.bytes().rev().zip([3, 1].into_iter().cycle());
    let sum: u32 = weighed
        .map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight)
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_marks_is_as_many_cartons() {
        assert_eq!(range("00001", "00012"), Some(12));
        assert_eq!(range("1Z04170001", "1Z04170012"), Some(12));
        assert_eq!(range("A1", "B3"), None);
        assert_eq!(range("3", "1"), None);
        assert_eq!(range("1", "9999999"), None);
        assert_eq!(nth_mark("1Z04170009", 3).as_deref(), Some("1Z04170012"));
    }

    #[test]
    fn the_next_sscc_has_its_own_check_digit() {
        let body = "0010731200000000001";
        let first = format!("{body}{}", check_digit(body));
        let second = nth_mark(&first, 1).unwrap();
        assert!(
            sscc(&second) && second.starts_with("0010731200000000002"),
            "{second}"
        );
        assert_eq!(range(&first, &second), Some(2));
    }
}
