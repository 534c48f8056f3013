//! What the layers below HTTP say, and the setting that would likely help. Pure.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Found, Verdict, called, failed, passed, skipped};
use crate::as2::Certificate;
use crate::net::probe::{Distrust, Handshake, Probe, Refusal};
use crate::partner::As2;
use crate::x12::{Text, text};

/// A stage, before it is told.
type Layer = (&'static str, Duration, Found);

/// The layers below HTTP.
pub(super) fn layers(seen: &Probe, as2: &As2, now: DateTime<Utc>) -> Vec<Layer> {
    let (host, proxied) = (&seen.host, seen.proxied);
    let setting = if proxied { "`proxy`" } else { "`url`" };
    let names = match &seen.names.result {
        Ok(found) => {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            passed(text!(
                "{host} is {addresses}",
                host,
                addresses = found.join(", ")
            ))
        }
        Err(why) => failed(
            text!("{host} has no address: {why}", host, why),
            text!(
                "{setting}: is the host spelt right? Or does our name server not know it?",
                setting
            ),
        ),
    };
    let mut all = vec![("DNS", seen.names.took, names)];
    if let Some(step) = &seen.connection {
        let found = match &step.result {
            Ok(()) if proxied => passed(text!("by the proxy {host}", host)),
            Ok(()) => passed(text!("{host} is open", host)),
            Err(why) => unreached(why, host, proxied),
        };
        all.push(("TCP", step.took, found));
    }
    match &seen.tls {
        Some(step) => {
            let found = match &step.result {
                Ok(shaken) => shown(shaken, now),
                Err(refused) => refusal(refused, as2, now),
            };
            all.push(("TLS", step.took, found));
        }
        None if seen
            .connection
            .as_ref()
            .is_some_and(|one| one.result.is_ok()) =>
        {
            let all_of = |found: &Vec<IpAddr>| found.iter().copied().any(public);
            let open = !proxied && seen.names.result.as_ref().is_ok_and(all_of);
            let found = match open {
                false => skipped(text!("the URL is http")),
                true => Found {
                    verdict: Verdict::Warned,
                    said: text!("plain HTTP to a public address: who sends to whom is open to all"),
                    help: Some(text!("`url`: ask the partner for his https address")),
                },
            };
            all.push(("TLS", Duration::ZERO, found));
        }
        None => {}
    }
    all
}

/// Whether an address is one that anybody can reach.
fn public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            !(v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified())
        }
        IpAddr::V6(v6) => {
            let local = v6.is_unique_local() || v6.is_unicast_link_local();
            !(v6.is_loopback() || v6.is_unspecified() || local)
        }
    }
}

fn unreached(why: &str, host: &str, proxied: bool) -> Found {
    let help = match (proxied, why.contains("407"), why.contains("refused")) {
        (true, true, _) => text!("`login` of the proxy: its user and its password_file"),
        (true, ..) => {
            text!("`proxy`: is it there, and may it connect to the partner's host and port?")
        }
        (false, _, true) => text!(
            "`url`: is the port right? If it is, their server is down, or a firewall says no: tell \
             them our address"
        ),
        (false, ..) => text!(
            "a firewall, theirs or ours, or our way out is a proxy: set `proxy`; tell them our \
             address"
        ),
    };
    failed(text!("{host} does not connect: {why}", host, why), help)
}

fn shown(shaken: &Handshake, now: DateTime<Utc>) -> Found {
    let said = match Certificate::from_der(&shaken.certificate) {
        Ok(known) => {
            let days = (known.not_after() - now).num_days().to_string();
            let (version, who) = (&shaken.version, called(&known));
            text!("{version}, {who}, {days} days left", version, who, days)
        }
        Err(_) => Text::from(shaken.version.as_str()),
    };
    passed(said)
}

fn refusal(refused: &Refusal, as2: &As2, now: DateTime<Utc>) -> Found {
    let shown = refused.certificate.as_deref();
    let shown = shown.and_then(|der| Certificate::from_der(der).ok());
    let who = shown
        .as_ref()
        .map_or_else(|| text!("none that reads"), |known| called(known).into());
    let pinned = !as2.connect.server_certificates.is_empty();
    if refused.clear {
        return failed(
            text!("the server speaks plain HTTP on this port, and no TLS"),
            text!("`url`: say http://, or the port of its TLS"),
        );
    }
    let (what, help) = match refused.distrust {
        Some(Distrust::Unknown) if pinned => (
            text!("the server's certificate is not the one that is pinned"),
            text!(
                "`server_certificates`: ask the partner whether this is his new one, compare the \
                 fingerprint by telephone, and put its file there"
            ),
        ),
        Some(Distrust::Unknown) => (
            text!("nobody we trust vouches for the server's certificate"),
            text!(
                "`server_certificates` in [as2.connect]: pin this one (or its authority), once the \
                 fingerprint is compared by telephone"
            ),
        ),
        Some(Distrust::Expired) => {
            let day = shown.as_ref().map(|known| known.not_after().date_naive());
            let day = day.map_or_else(String::new, |day| day.to_string());
            (
                text!("the server's certificate has expired"),
                text!(
                    "it ended {day}: the partner has to renew it; by our clock it is {now}",
                    day,
                    now = now.to_string()
                ),
            )
        }
        Some(Distrust::Early) => (
            text!("the server's certificate is not valid yet"),
            text!(
                "is our clock right? By it, it is {now}",
                now = now.to_string()
            ),
        ),
        Some(Distrust::OtherName) => (
            text!("the server's certificate is for another host"),
            text!(
                "`url`: use the name in the certificate; or pin this very certificate in \
                 `server_certificates`"
            ),
        ),
        Some(Distrust::Other) => (
            text!("the server's certificate is refused"),
            text!("`server_certificates`: pin what the partner gives you"),
        ),
        None => return handshake(&refused.why),
    };
    let why = &refused.why;
    failed(text!("{what}: {who} ({why})", what, who, why), help)
}

/// A handshake that ended for no fault of the server's certificate.
pub(super) fn handshake(why: &str) -> Found {
    match wants_client_certificate(why) {
        true => failed(
            text!("the server wants a certificate of ours for TLS: {why}", why),
            text!(
                "`client` in [as2.connect]: the p12 and password_file whose certificate the \
                 partner has"
            ),
        ),
        false => failed(
            text!("no TLS: {why}", why),
            text!(
                "`url`: is it a port of TLS? The server may know nothing newer than TLS 1.1, or \
                 demand `client` in [as2.connect]"
            ),
        ),
    }
}

pub(super) fn wants_client_certificate(why: &str) -> bool {
    let alerts = [
        "certificate required",
        "bad certificate",
        "handshake failure",
    ];
    alerts.iter().any(|alert| why.contains(alert))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_be_reached_by_anybody_is_public() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "::1",
            "fd00::1",
            "fe80::1",
        ] {
            assert!(!public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["93.184.216.34", "::ffff:93.184.216.34", "2001:4860::1"] {
            assert!(public(outside.parse().unwrap()), "{outside}");
        }
    }
}
