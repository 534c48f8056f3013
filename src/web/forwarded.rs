//! Who sent a request that came through proxies of ours: `X-Forwarded-For` and `X-Forwarded-Proto`,
//! from the last proxy back to the first address that is nobody's we trust. What anybody else
//! writes there is not read.

use std::net::IpAddr;

use hyper::header::HeaderMap;

use crate::net::Network;

/// Where a request comes from.
pub(super) struct Origin {
    pub(super) address: IpAddr,
    /// Whether it came by TLS.
    pub(super) secure: bool,
}

/// `peer` sent it to us, by TLS or not; `proxies` are those of ours.
pub(super) fn origin(
    headers: &HeaderMap,
    peer: IpAddr,
    secure: bool,
    proxies: &[Network],
) -> Origin {
    let trusted = |address: IpAddr| proxies.iter().any(|known| known.holds(address));
    if !trusted(peer) {
        return Origin {
            address: peer,
            secure,
        };
    }
    let lines = headers.get_all("x-forwarded-for").iter();
    let told: Vec<&str> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    let mut address = peer;
    for hop in told.iter().rev() {
        // Some proxies add the port, and put an IPv6 address in brackets then.
        let plain = hop.parse().or_else(|_| {
            let socket = hop.parse::<std::net::SocketAddr>();
            socket.map(|socket| socket.ip())
        });
        let Ok(plain) = plain else { break };
        address = plain;
        if !trusted(plain) {
            break;
        }
    }
    let way = headers.get_all("x-forwarded-proto").iter().next_back();
    let way = way.and_then(|way| way.to_str().ok()?.rsplit(',').next());
    Origin {
        address: address.to_canonical(),
        secure: way.map_or(secure, |way| way.trim().eq_ignore_ascii_case("https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let proxies: Vec<Network> = ["127.0.0.1", "10.0.0.0/8"]
            .map(|known| known.parse().unwrap())
            .into();
        for (peer, told, proto, address, secure) in [
            ("192.0.2.1", "203.0.113.9", "https", "192.0.2.1", false),
            ("127.0.0.1", "203.0.113.9", "https", "203.0.113.9", true),
            (
                "127.0.0.1",
                "1.1.1.1, 203.0.113.9",
                "http",
                "203.0.113.9",
                false,
            ),
            (
                "127.0.0.1",
                "203.0.113.9, 10.1.1.1",
                "https",
                "203.0.113.9",
                true,
            ),
            (
                "::ffff:127.0.0.1",
                "203.0.113.9:4711",
                "",
                "203.0.113.9",
                false,
            ),
            (
                "127.0.0.1",
                "203.0.113.9, unknown",
                "https",
                "127.0.0.1",
                true,
            ),
            ("10.9.9.9", "", "https", "10.9.9.9", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", told.parse().unwrap());
            headers.insert("x-forwarded-proto", proto.parse().unwrap());
            let found = origin(&headers, peer.parse().unwrap(), false, &proxies);
            assert_eq!(
                (found.address, found.secure),
                (address.parse().unwrap(), secure),
                "{peer} {told}"
            );
        }
    }
}
