//! Which OpenSSL is linked, and whether it has holes that are known.
//!
//! A message's frame is parsed in Rust, so a hole of its CMS parsers is not one of ours; but TLS,
//! X.509 and PKCS#12 are its own.

/// The releases that mend what was known in August 2026, by branch; others get no mending any more.
const FLOORS: &[(i64, i64, i64)] = &[(3, 0, 22), (3, 4, 7), (3, 5, 8), (3, 6, 4), (4, 0, 2)];

/// The version that is linked, as it calls itself.
#[must_use]
pub fn linked() -> &'static str {
    openssl::version::version()
}

/// What it should be at least; none where it is. A distribution may have mended an older one without
/// changing its number, so this is a reason to look, and to stop only for who says so.
#[must_use]
pub fn below() -> Option<String> {
    due(openssl::version::number())
}

fn due(number: i64) -> Option<String> {
    let (major, minor, patch) = (number >> 28, (number >> 20) & 0xFF, (number >> 4) & 0xFF);
    let newest = FLOORS
        .iter()
        .all(|floor| (floor.0, floor.1) < (major, minor));
    let own = FLOORS
        .iter()
        .find(|floor| (floor.0, floor.1) == (major, minor));
    match own {
        Some(floor) if patch >= floor.2 => None,
        Some((major, minor, patch)) => Some(format!("{major}.{minor}.{patch}")),
        None if newest => None,
        None => {
            let all = FLOORS
                .iter()
                .map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"));
            Some(all.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_branch_has_its_floor() {
        for (number, want) in [
            (0x3000_0130, Some("3.0.22")),
            (0x3000_0160, None),
            (0x3050_0070, Some("3.5.8")),
            (0x3060_0040, None),
            (0x4000_0010, Some("4.0.2")),
            (0x4010_0000, None),
            (0x3010_0090, Some("3.0.22, 3.4.7, 3.5.8, 3.6.4, 4.0.2")),
            (0x1010_1150, Some("3.0.22, 3.4.7, 3.5.8, 3.6.4, 4.0.2")),
        ] {
            assert_eq!(due(number).as_deref(), want, "{number:x}");
        }
        assert!(linked().starts_with("OpenSSL"));
    }
}
