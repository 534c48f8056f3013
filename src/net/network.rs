//! Addresses that belong together, as settings name them: `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
//!
//! ```
//! use transload::net::Network;
//!
//! let inside: Network = "10.0.0.0/8".parse()?;
//! assert!(inside.holds("10.1.2.3".parse()?) && inside.holds("::ffff:10.1.2.3".parse()?));
//! assert!(!inside.holds("11.0.0.1".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};

/// An address, or all that begin with the same bits (CIDR, RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address is one of them. An IPv4 address that is written as IPv6 is itself.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        let (width, first) = number(self.first);
        let (other, address) = number(address.to_canonical());
        let shift = u32::from(width - self.bits);
        let cut = |number: u128| number.checked_shr(shift).unwrap_or(0);
        width == other && cut(first) == cut(address)
    }
}

/// An address as a number, and how many bits it has.
fn number(address: IpAddr) -> (u8, u128) {
    match address {
        IpAddr::V4(v4) => (32, u32::from(v4).into()),
        IpAddr::V6(v6) => (128, v6.into()),
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Network {
        let first = address.to_canonical();
        let bits = number(first).0;
        Network { first, bits }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || format!("{text:?} is no address or network such as 10.0.0.0/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| wrong())?;
        let all = number(first).0;
        let bits = bits.map_or(Ok(all), str::parse).map_err(|_| wrong())?;
        match bits <= all {
            true => Ok(Network { first, bits }),
            false => Err(wrong()),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits == number(self.first).0 {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}/{}", self.first, self.bits),
        }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Network, D::Error> {
        String::deserialize(input)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_begins_alike() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.7/32", "::ffff:192.0.2.7", "::1"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("fd00::/8", "fdff::1", "fe00::"),
            ("::/0", "1::", "1.2.3.4"),
        ] {
            let known: Network = network.parse().unwrap();
            assert!(known.holds(inside.parse().unwrap()), "{network} {inside}");
            assert!(
                !known.holds(outside.parse().unwrap()),
                "{network} {outside}"
            );
        }
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "x",
            "1.2.3.4/",
            "1.2.3.4/-1",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        assert_eq!(
            "10.0.0.0/8".parse::<Network>().unwrap().to_string(),
            "10.0.0.0/8"
        );
    }
}
