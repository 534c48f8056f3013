//! What a stage found, in words, and the setting that would likely help. Pure.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::super::certificates::Ring;
use super::{CLOCKS, Found, Verdict, called, failed, later, passed, skipped};
use crate::as2::{self, Certificate, Keys, Mdn, Mic};
use crate::net::client::{self, Response};
use crate::net::probe::{Distrust, Handshake, Probe, Refusal};
use crate::partner::{As2, Encrypt, Partner, Receipt, Sign};

/// Characters of a server's own words that are repeated.
const REPEATED: usize = 200;

/// What is wrong with a certificate today.
pub(super) fn dated(certificate: &Certificate, now: DateTime<Utc>) -> Option<String> {
    let (from, to) = (certificate.not_before(), certificate.not_after());
    if now > to {
        return Some(format!("expired on {}", to.date_naive()));
    }
    (now < from).then(|| format!("is not valid before {from}; is our clock right?"))
}

pub(super) fn settings(
    partner: &Partner,
    ring: &Ring,
    unusable: &[String],
    now: DateTime<Utc>,
) -> Found {
    let sealing = ring.sealing(now);
    let Some(theirs) = sealing.theirs.iter().find(|one| one.valid_at(now)) else {
        return failed(
            format!(
                "no certificate of theirs can be used: {}",
                unusable.join("; ")
            ),
            "`certificates`: ask the partner for the one in use and put its file there",
        );
    };
    let Some(own) = sealing
        .ours
        .iter()
        .find(|own| own.certificate.valid_at(now))
    else {
        let why = ring.ours.first();
        return match why.and_then(|own| dated(&own.item.certificate, now)) {
            Some(why) => failed(
                format!("our own certificate {why}"),
                "`cert new --out keys` makes another one; send the partner `partner sheet` again",
            ),
            None => failed(
                "we have no key of our own that signs now",
                "`cert new --out keys` makes one; `cert list` shows what there is",
            ),
        };
    };
    let own = &own.certificate;
    let name = &partner.name;
    let said = format!(
        "{name}: we are {}, they are {}",
        called(own),
        called(theirs)
    );
    match unusable {
        [] => passed(said),
        _ => Found {
            verdict: Verdict::Warned,
            said: format!("{said}; not in use: {}", unusable.join("; ")),
            help: Some("`certificates`: take the old file out when nobody signs by it".into()),
        },
    }
}

/// A stage, before it is told.
type Layer = (&'static str, Duration, Found);

/// The layers below HTTP.
pub(super) fn layers(seen: &Probe, as2: &As2, now: DateTime<Utc>) -> Vec<Layer> {
    let (host, proxied) = (&seen.host, seen.proxied);
    let setting = if proxied { "`proxy`" } else { "`url`" };
    let names = match &seen.names.result {
        Ok(found) => {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            passed(format!("{host} is {}", found.join(", ")))
        }
        Err(why) => failed(
            format!("{host} has no address: {why}"),
            format!("{setting}: is the host spelt right? Or does our name server not know it?"),
        ),
    };
    let mut all = vec![("DNS", seen.names.took, names)];
    if let Some(step) = &seen.connection {
        let found = match &step.result {
            Ok(()) if proxied => passed(format!("by the proxy {host}")),
            Ok(()) => passed(format!("{host} is open")),
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
                false => skipped("the URL is http"),
                true => Found {
                    verdict: Verdict::Warned,
                    said: "plain HTTP to a public address: who sends to whom is open to all".into(),
                    help: Some("`url`: ask the partner for his https address".into()),
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
        (true, true, _) => "`login` of the proxy: its user and its password_file",
        (true, ..) => "`proxy`: is it there, and may it connect to the partner's host and port?",
        (false, _, true) => {
            "`url`: is the port right? If it is, their server is down, or a firewall says no: tell \
             them our address"
        }
        (false, ..) => {
            "a firewall, theirs or ours, or our way out is a proxy: set `proxy`; tell them our \
             address"
        }
    };
    failed(format!("{host} does not connect: {why}"), help)
}

fn shown(shaken: &Handshake, now: DateTime<Utc>) -> Found {
    let said = match Certificate::from_der(&shaken.certificate) {
        Ok(known) => {
            let days = (known.not_after() - now).num_days();
            format!("{}, {}, {days} days left", shaken.version, called(&known))
        }
        Err(_) => shaken.version.clone(),
    };
    passed(said)
}

fn refusal(refused: &Refusal, as2: &As2, now: DateTime<Utc>) -> Found {
    let shown = refused.certificate.as_deref();
    let shown = shown.and_then(|der| Certificate::from_der(der).ok());
    let who = shown
        .as_ref()
        .map_or_else(|| "none that reads".to_owned(), called);
    let pinned = !as2.connect.server_certificates.is_empty();
    if refused.clear {
        return failed(
            "the server speaks plain HTTP on this port, and no TLS",
            "`url`: say http://, or the port of its TLS",
        );
    }
    let (what, help) = match refused.distrust {
        Some(Distrust::Unknown) if pinned => (
            "the server's certificate is not the one that is pinned",
            "`server_certificates`: ask the partner whether this is his new one, compare the \
             fingerprint by telephone, and put its file there"
                .to_owned(),
        ),
        Some(Distrust::Unknown) => (
            "nobody we trust vouches for the server's certificate",
            "`server_certificates` in [as2.connect]: pin this one (or its authority), once the \
             fingerprint is compared by telephone"
                .to_owned(),
        ),
        Some(Distrust::Expired) => {
            let day = shown.as_ref().map(|known| known.not_after().date_naive());
            let day = day.map_or_else(String::new, |day| format!(" on {day}"));
            (
                "the server's certificate has expired",
                format!("it ended{day}: the partner has to renew it; by our clock it is {now}"),
            )
        }
        Some(Distrust::Early) => (
            "the server's certificate is not valid yet",
            format!("is our clock right? By it, it is {now}"),
        ),
        Some(Distrust::OtherName) => (
            "the server's certificate is for another host",
            "`url`: use the name in the certificate; or pin this very certificate in \
             `server_certificates`"
                .to_owned(),
        ),
        Some(Distrust::Other) => (
            "the server's certificate is refused",
            "`server_certificates`: pin what the partner gives you".to_owned(),
        ),
        None => return handshake(&refused.why),
    };
    failed(format!("{what}: {who} ({})", refused.why), help)
}

/// A handshake that ended for no fault of the server's certificate.
fn handshake(why: &str) -> Found {
    match wants_client_certificate(why) {
        true => failed(
            format!("the server wants a certificate of ours for TLS: {why}"),
            "`client` in [as2.connect]: the p12 and password_file whose certificate the partner \
             has",
        ),
        false => failed(
            format!("no TLS: {why}"),
            "`url`: is it a port of TLS? The server may know nothing newer than TLS 1.1, or demand \
             `client` in [as2.connect]",
        ),
    }
}

fn wants_client_certificate(why: &str) -> bool {
    let alerts = [
        "certificate required",
        "bad certificate",
        "handshake failure",
    ];
    alerts.iter().any(|alert| why.contains(alert))
}

/// There was no answer.
pub(super) fn unanswered(why: &client::Error, as2: &As2) -> Found {
    let said = why.to_string();
    if as2.url.starts_with("https") && wants_client_certificate(&said) {
        return handshake(&said);
    }
    let help = match why {
        client::Error::Proxy { .. } => "`proxy` and its `login`: its user and its password_file",
        client::Error::TimedOut { .. } => {
            "the server took the message and said nothing: it may be busy, or hang on it; ask the \
             partner for his log of this minute"
        }
        client::Error::Broken { .. } => {
            "`url`: is it an HTTP port at all? Or `chunked`: try the other way; or something \
             between cuts the connection"
        }
        _ => "`url` and [as2.connect]",
    };
    failed(said, help)
}

/// What the HTTP status means, and the server's clock.
pub(super) fn status(answer: &Response, as2: &As2, now: DateTime<Utc>) -> Found {
    let said = format!("HTTP status {}{}", answer.status, words(answer));
    if answer.taken() || mdn(answer) {
        return clocks(answer, &said, now);
    }
    let url = &as2.url;
    let help = match answer.status {
        301 | 302 | 303 | 307 | 308 => {
            let to = header(answer, "location").unwrap_or("another address");
            format!("`url`: the server sends us to {to}; ask the partner, and put that there")
        }
        401 if as2.connect.login.is_some() => {
            "`login` in [as2.connect]: the user or the password is not the one they have".into()
        }
        401 => "`login` in [as2.connect]: they want a user and a password (HTTP basic)".into(),
        400 if hints(answer, "https") || hints(answer, "tls") => {
            format!("`url`: the port speaks TLS: say https, not {url}")
        }
        403 if hints(answer, "certificate") => {
            "`client` in [as2.connect]: they expect another TLS certificate of ours, or one at \
             all; give them ours, or use the one that they have"
                .into()
        }
        403 => strangers(as2),
        404 | 405 | 410 => format!(
            "`url`: the path is wrong, or a reverse proxy has a sub-path before it: {url} is not \
             where their AS2 listens"
        ),
        411 => "`chunked = false`: they want to be told the length".into(),
        413 => "they take nothing as small as this: the server is not set up for AS2".into(),
        502..=504 => {
            "their reverse proxy does not reach the AS2 server behind it: tell them".into()
        }
        _ => "the partner's server says why in its own log: ask for it with this minute".into(),
    };
    failed(said, help)
}

/// Who is not known there.
fn strangers(as2: &As2) -> String {
    let (ours, theirs) = (&as2.our_id, &as2.id);
    format!(
        "`our_id` = {ours:?} and `id` = {theirs:?}: compare them letter by letter with the \
         partner's sheet (case counts, blanks too); or they have not added us yet, or not our \
         address"
    )
}

/// The server's own words, where they are words.
fn words(answer: &Response) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let plain = header(answer, "content-type").is_some_and(|kind| kind.starts_with("text/plain"));
    let line = text.lines().next().unwrap_or_default().trim();
    match plain && !line.is_empty() {
        true => format!(": {}", line.chars().take(REPEATED).collect::<String>()),
        false => String::new(),
    }
}

fn hints(answer: &Response, word: &str) -> bool {
    let text = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    text.contains(word)
}

fn header<'a>(answer: &'a Response, wanted: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.as_str())
}

fn mdn(answer: &Response) -> bool {
    let headers: as2::Headers = answer.headers.iter().cloned().collect();
    Mdn::is(&headers, &answer.body)
}

fn clocks(answer: &Response, said: &str, now: DateTime<Utc>) -> Found {
    let date = header(answer, "date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    match date.map(|date| (date, now - date.to_utc())) {
        Some((date, apart)) if apart.abs() > CLOCKS => {
            let minutes = apart.num_minutes();
            let which = if minutes > 0 { "late" } else { "early" };
            Found {
                verdict: Verdict::Warned,
                said: format!("{said}; it is {} there", date.to_utc()),
                help: Some(format!(
                    "the clock: by ours theirs is {} minutes {which}; certificates and signatures \
                     have times, so the wrong one has to be set",
                    minutes.abs()
                )),
            }
        }
        _ => passed(said),
    }
}

/// Whether a receipt says that the message did not open.
pub(super) fn undecrypted(mdn: &Mdn) -> bool {
    mdn.disposition
        .detail
        .eq_ignore_ascii_case("decryption-failed")
}

/// What a receipt says of the message; `clear` is what another one says of the same in clear.
pub(super) fn disposition(
    read: &Result<Mdn, as2::Error>,
    clear: Option<&Mdn>,
    answer: &Response,
    as2: &As2,
    keys: &Keys,
) -> Found {
    let mdn = match read {
        Ok(mdn) => mdn,
        Err(_) if self::mdn(answer) => return passed("a receipt came"),
        Err(why) => return unreceipted(answer, as2, &why.to_string()),
    };
    let said = mdn.disposition.to_string();
    if mdn.disposition.is_positive() {
        return passed(said);
    }
    let own = keys.ours.first().map(|own| called(&own.certificate));
    let own = own.unwrap_or_default();
    let signing = format!(
        "they have another certificate of ours: send them `partner sheet` again; we sign by {own}"
    );
    let detail = mdn.disposition.detail.to_ascii_lowercase();
    let signed_wrong = |mdn: &Mdn| {
        mdn.disposition
            .detail
            .eq_ignore_ascii_case("authentication-failed")
    };
    let help = match detail.as_str() {
        "decryption-failed" if clear.is_some_and(signed_wrong) => signing,
        "decryption-failed" if as2.sign == Sign::None => {
            "`sign`: what we send is unsigned, and of an encrypted message partners do not say that \
             this is why; or `certificates`: they cannot open it"
                .into()
        }
        "decryption-failed" => unopened(keys),
        "authentication-failed" | "authentification-failed" => signing,
        "insufficient-message-security" => format!(
            "`sign` and `encrypt`: they want more than we do ({}, {})",
            plain(as2.sign == Sign::None, "unsigned", "signed"),
            plain(as2.encrypt == Encrypt::None, "in clear", "encrypted"),
        ),
        known if known.starts_with("unknown-trading") => strangers(as2),
        "decompression-failed" => "`compress`: leave it out".into(),
        "integrity-check-failed" => {
            "something between changes the body; or `compress`: leave it out, or `sign`".into()
        }
        known
            if known.contains("micalg")
                || known.contains("mic-alg")
                || known.contains("mic alg") =>
        {
            "`sign`: they do not know this digest; sha-256 is known to most".into()
        }
        known if known.starts_with("unsupported") => {
            "`sign`, `encrypt` or `compress`: an algorithm that they do not know; sha-256 and \
             aes-256-cbc are known to most"
                .into()
        }
        _ => format!(
            "the partner's log says why; their words: {}",
            mdn.text.trim()
        ),
    };
    failed(said, help)
}

/// They cannot open what we encrypted.
fn unopened(keys: &Keys) -> String {
    let theirs = keys.theirs.first().map(called).unwrap_or_default();
    format!(
        "`certificates`: they cannot open what is encrypted for {theirs}; ask for the one in use. \
         Or `encrypt` and `key_transport`: an algorithm that they do not know"
    )
}

fn plain(is: bool, yes: &'static str, no: &'static str) -> &'static str {
    if is { yes } else { no }
}

/// A 2xx that is no receipt.
fn unreceipted(answer: &Response, as2: &As2, why: &str) -> Found {
    let kind = header(answer, "content-type").unwrap_or("no content type");
    if kind.starts_with("text/html") {
        return failed(
            "the answer is a web page",
            "`url`: it is an address for people, not the one for AS2; ask for that, path included",
        );
    }
    let help = match (answer.body.is_empty(), later(as2)) {
        (true, true) => {
            return Found {
                verdict: Verdict::Warned,
                said: "the message was taken, and the receipt is to come by itself".into(),
                help: Some(
                    "`receipt_mode`: this test asks for a receipt in the answer; `send` shows \
                     whether theirs arrives at `receipt_url`"
                        .into(),
                ),
            };
        }
        (true, false) => {
            "`receipt_mode`: they may send receipts by requests of their own (async), or `url` is \
             not an AS2 server"
        }
        _ => "`url`: is this an AS2 server? Or `receipt`: what came is none",
    };
    failed(format!("no receipt in the answer ({kind}): {why}"), help)
}

/// Whether the receipt is theirs, and for this message.
pub(super) fn receipt(read: &Result<Mdn, as2::Error>, id: &str, as2: &As2, keys: &Keys) -> Found {
    let mdn = match read {
        Ok(mdn) => mdn,
        Err(why) => {
            let known: Vec<String> = keys.theirs.iter().map(called).collect();
            return failed(
                why.to_string(),
                format!(
                    "`certificates`: we know {}; ask the partner for the certificate that he signs \
                     receipts by, and add it there",
                    known.join(", ")
                ),
            );
        }
    };
    if !mdn.answers(id) {
        return failed(
            format!("the receipt is for {}", mdn.original_message_id),
            "something between repeats old answers; ask the partner whether his server does",
        );
    }
    match &mdn.signature {
        Some(signature) => passed(format!("signed, {}", signature.digest)),
        None if as2.receipt == Receipt::Signed => Found {
            verdict: Verdict::Warned,
            said: "the receipt is not signed: it proves nothing".into(),
            help: Some("`receipt = \"unsigned\"`, if they cannot sign it".into()),
        },
        None => passed("unsigned, as agreed"),
    }
}

/// Whether they have our bytes.
pub(super) fn mic(mdn: &Mdn, ours: &Mic) -> Found {
    match &mdn.mic {
        Some(theirs) if theirs == ours => passed(ours.to_string()),
        Some(theirs) => failed(
            format!("ours is {ours}, theirs is {theirs}"),
            "they digest other bytes: something between changes line ends, or their server makes \
             LF to CR LF before it digests; ask them to leave the content alone. `require_mic = \
             false` lives with it",
        ),
        None => failed(
            "the receipt has no MIC",
            "`require_mic = false`, if the partner's receipts never have one",
        ),
    }
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
