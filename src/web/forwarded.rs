//! Who sent a request that came through proxies of ours: `X-Forwarded-For` and `X-Forwarded-Proto`,
//! from the last proxy back to the first address that is nobody's we trust; and the certificate that
//! the client showed to the proxy, in the header that the settings name. What anybody else writes
//! there is not read.

use std::net::IpAddr;

use hyper::header::HeaderMap;

use crate::net::Network;
use crate::net::tls::{self, Shown};

/// Where a request comes from.
pub(super) struct Origin {
    pub(super) address: IpAddr,
    /// Whether it came by TLS.
    pub(super) secure: bool,
    /// The fingerprint of the client's certificate.
    pub(super) certificate: Option<String>,
}

/// Whose word is taken, and for what.
#[derive(Debug, Clone, Default)]
pub struct Believed {
    /// The proxies in front of us.
    pub proxies: Vec<Network>,
    /// The header in which they say what certificate the client showed to them.
    pub certificate: Option<String>,
}

/// `peer` sent it to us, by TLS or not, and showed a certificate or none.
pub(super) fn origin(
    headers: &HeaderMap,
    peer: IpAddr,
    (secure, shown): (bool, Option<&Shown>),
    believed: &Believed,
) -> Origin {
    let trusted = |address: IpAddr| believed.proxies.iter().any(|known| known.holds(address));
    let shown = shown.map(|shown| shown.0.clone());
    if !trusted(peer) {
        return Origin {
            address: peer,
            secure,
            certificate: shown,
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
        certificate: match &believed.certificate {
            // The proxy's own is not the client's.
            Some(header) => certificate(headers, header),
            None => shown,
        },
    }
}

/// The certificate that a proxy tells of; none where it is told twice, since one of the two may be
/// the client's own invention.
fn certificate(headers: &HeaderMap, header: &str) -> Option<String> {
    let mut lines = headers.get_all(header).iter();
    let line = lines.next()?;
    if lines.next().is_some() {
        tracing::warn!(
            header,
            "the certificate of a client is told twice; none is taken"
        );
        return None;
    }
    let line = line.to_str().ok().filter(|line| !line.is_empty())?;
    let shown = tls::told(line);
    if shown.is_none() {
        tracing::warn!(
            header,
            "what a proxy tells of a client's certificate does not read"
        );
    }
    shown
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::as2::{Identity, KeyKind};

    fn believed(certificate: Option<&str>) -> Believed {
        let proxies = ["127.0.0.1", "10.0.0.0/8"].map(|known| known.parse().unwrap());
        Believed {
            proxies: proxies.into(),
            certificate: certificate.map(str::to_owned),
        }
    }

    #[test]
    fn a_client_certificate_is_told_by_trusted_proxies_alone() {
        let (from, to) = (Utc::now(), Utc::now() + chrono::TimeDelta::days(1));
        let own = Identity::generate_as(KeyKind::P256, "acme", 1, from, to).unwrap();
        let pem = String::from_utf8(own.certificate.to_pem().unwrap()).unwrap();
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let escaped = |text: &str| -> String {
            let escape = |byte: u8| match byte.is_ascii_alphanumeric() {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            };
            text.bytes().map(escape).collect()
        };
        let own = Some(own.certificate.fingerprint().to_owned());
        let (rfc, nginx) = (format!(":{base64}:"), escaped(&pem));
        let by_tls = Shown("aa".into());
        let asked = |peer: &str, name: Option<&str>, lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("client-cert", line.parse().unwrap());
            }
            let shown = (true, Some(&by_tls));
            origin(&headers, peer.parse().unwrap(), shown, &believed(name)).certificate
        };
        let name = Some("client-cert");
        for line in [&rfc, &nginx, &base64] {
            assert_eq!(asked("127.0.0.1", name, &[line]), own, "{line}");
        }
        // Who is no proxy of ours shows what he shows, whatever he writes.
        assert_eq!(asked("192.0.2.1", name, &[&rfc]).as_deref(), Some("aa"));
        assert_eq!(asked("127.0.0.1", None, &[&rfc]).as_deref(), Some("aa"));
        // The proxy's own certificate is never its client's.
        assert_eq!(asked("127.0.0.1", name, &[]), None);
        for wrong in ["", "none", "::", "%zz", &rfc[..40]] {
            assert_eq!(asked("127.0.0.1", name, &[wrong]), None, "{wrong}");
        }
        assert_eq!(asked("127.0.0.1", name, &[&rfc, &rfc]), None, "told twice");
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let believed = believed(None);
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
            let found = origin(&headers, peer.parse().unwrap(), (false, None), &believed);
            assert_eq!(
                (found.address, found.secure),
                (address.parse().unwrap(), secure),
                "{peer} {told}"
            );
        }
    }
}
