//! Decimals as text: the API writes exponents, X12 does not.

/// A decimal as an integer, where nothing is lost but zeros.
pub(super) fn whole(text: &str) -> Option<i64> {
    let text = plain(text)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    fraction
        .bytes()
        .all(|byte| byte == b'0')
        .then(|| whole.parse().ok())
        .flatten()
}

/// A decimal without its exponent; none where it is no decimal, or of more digits than we hold.
pub(super) fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let number: crate::canonical::Decimal = number.parse().ok()?;
    if exponent == 0 {
        return Some(number.to_string());
    }
    let digits = number.to_string();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if exponent.unsigned_abs() > 28 {
        return None;
    }
    let zeros = "0".repeat(exponent.unsigned_abs() as usize);
    let padded = format!("{zeros}{whole}{fraction}{zeros}");
    let point = usize::try_from(zeros.len() as i32 + whole.len() as i32 + exponent).ok()?;
    let (whole, fraction) = padded.split_at(point);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let text = match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    };
    text.parse::<crate::canonical::Decimal>().ok().map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponent_is_written_out() {
        for (text, wanted) in [
            ("1.5", "1.5"),
            ("-12.50e1", "-125"),
            ("2E-3", "0.002"),
            ("10", "10"),
            ("5e0", "5"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(plain("1e99"), None);
        assert_eq!(whole("10.00"), Some(10));
        assert_eq!(whole("10.5"), None);
    }
}
