//! What a stage found, in words, and the setting that would likely help. Pure.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::super::certificates::Ring;
use super::{CLOCKS, Found, Verdict, called, failed, later, passed, skipped};
use crate::as2::{self, Certificate, Keys, Mdn, Mic};
use crate::net::client::{self, Response};
use crate::net::probe::{Distrust, Handshake, Probe, Refusal};
use crate::partner::{As2, Encrypt, Partner, Receipt, Sign};
use crate::x12::{Text, Value, text};

/// Characters of a server's own words that are repeated.
const REPEATED: usize = 200;

/// What is wrong with a certificate today.
pub(super) fn dated(certificate: &Certificate, now: DateTime<Utc>) -> Option<Text> {
    let (from, to) = (certificate.not_before(), certificate.not_after());
    if now > to {
        let day = to.date_naive().to_string();
        return Some(text!("expired on {day}", day));
    }
    let from_then = from.to_string();
    (now < from).then(|| {
        text!(
            "is not valid before {from}; is our clock right?",
            from = from_then
        )
    })
}

pub(super) fn settings(
    partner: &Partner,
    ring: &Ring,
    unusable: &[Text],
    now: DateTime<Utc>,
) -> Found {
    let sealing = ring.sealing(now);
    let Some(theirs) = sealing.theirs.iter().find(|one| one.valid_at(now)) else {
        return failed(
            text!(
                "no certificate of theirs can be used: {why}",
                why = listed(unusable)
            ),
            text!("`certificates`: ask the partner for the one in use and put its file there"),
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
                text!("our own certificate {why}", why),
                text!(
                    "`cert new --out keys` makes another one; send the partner `partner sheet` again"
                ),
            ),
            None => failed(
                text!("we have no key of our own that signs now"),
                text!("`cert new --out keys` makes one; `cert list` shows what there is"),
            ),
        };
    };
    let own = &own.certificate;
    let name = &partner.name;
    let said = text!(
        "{name}: we are {ours}, they are {theirs}",
        name,
        ours = called(own),
        theirs = called(theirs)
    );
    match unusable {
        [] => passed(said),
        _ => Found {
            verdict: Verdict::Warned,
            said: text!("{said}; not in use: {why}", said, why = listed(unusable)),
            help: Some(text!(
                "`certificates`: take the old file out when nobody signs by it"
            )),
        },
    }
}

/// Several reasons in one.
fn listed(all: &[Text]) -> Text {
    let mut all = all.iter().cloned();
    let first = all.next().unwrap_or_default();
    all.fold(first, |said, next| text!("{said}; {next}", said, next))
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
fn handshake(why: &str) -> Found {
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
        client::Error::Proxy { .. } => {
            text!("`proxy` and its `login`: its user and its password_file")
        }
        client::Error::TimedOut { .. } => text!(
            "the server took the message and said nothing: it may be busy, or hang on it; ask the \
             partner for his log of this minute"
        ),
        client::Error::Broken { .. } => text!(
            "`url`: is it an HTTP port at all? Or `chunked`: try the other way; or something \
             between cuts the connection"
        ),
        _ => text!("`url` and [as2.connect]"),
    };
    failed(said, help)
}

/// What the HTTP status means, and the server's clock.
pub(super) fn status(answer: &Response, as2: &As2, now: DateTime<Utc>) -> Found {
    let status = u32::from(answer.status);
    let said = match words(answer) {
        None => text!("HTTP status {status}", status),
        Some(words) => text!("HTTP status {status}: {words}", status, words),
    };
    if answer.taken() || mdn(answer) {
        return clocks(answer, said, now);
    }
    let url = &as2.url;
    let help = match answer.status {
        301 | 302 | 303 | 307 | 308 => {
            let to = header(answer, "location").unwrap_or("another address");
            text!(
                "`url`: the server sends us to {to}; ask the partner, and put that there",
                to
            )
        }
        401 if as2.connect.login.is_some() => {
            text!("`login` in [as2.connect]: the user or the password is not the one they have")
        }
        401 => text!("`login` in [as2.connect]: they want a user and a password (HTTP basic)"),
        400 if hints(answer, "https") || hints(answer, "tls") => {
            text!("`url`: the port speaks TLS: say https, not {url}", url)
        }
        403 if hints(answer, "certificate") => text!(
            "`client` in [as2.connect]: they expect another TLS certificate of ours, or one at \
             all; give them ours, or use the one that they have"
        ),
        403 => strangers(as2),
        404 | 405 | 410 => text!(
            "`url`: the path is wrong, or a reverse proxy has a sub-path before it: {url} is not \
             where their AS2 listens",
            url
        ),
        411 => text!("`chunked = false`: they want to be told the length"),
        413 => text!("they take nothing as small as this: the server is not set up for AS2"),
        502..=504 => {
            text!("their reverse proxy does not reach the AS2 server behind it: tell them")
        }
        _ => text!("the partner's server says why in its own log: ask for it with this minute"),
    };
    failed(said, help)
}

/// Who is not known there.
fn strangers(as2: &As2) -> Text {
    let (ours, theirs) = (Value::quoted(&as2.our_id), Value::quoted(&as2.id));
    text!(
        "`our_id` = {ours} and `id` = {theirs}: compare them letter by letter with the partner's \
         sheet (case counts, blanks too); or they have not added us yet, or not our address",
        ours,
        theirs
    )
}

/// The server's own words, where they are words.
fn words(answer: &Response) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.body);
    let plain = header(answer, "content-type").is_some_and(|kind| kind.starts_with("text/plain"));
    let line = text.lines().next().unwrap_or_default().trim();
    (plain && !line.is_empty()).then(|| line.chars().take(REPEATED).collect())
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

fn clocks(answer: &Response, said: Text, now: DateTime<Utc>) -> Found {
    let date = header(answer, "date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    match date.map(|date| (date, now - date.to_utc())) {
        Some((date, apart)) if apart.abs() > CLOCKS => {
            let n = apart.num_minutes().unsigned_abs();
            let help = match apart > TimeDelta::zero() {
                true => text!(
                    "the clock: by ours theirs is {n} minutes late; certificates and signatures \
                     have times, so the wrong one has to be set",
                    n
                ),
                false => text!(
                    "the clock: by ours theirs is {n} minutes early; certificates and signatures \
                     have times, so the wrong one has to be set",
                    n
                ),
            };
            let time = date.to_utc().to_string();
            Found {
                verdict: Verdict::Warned,
                said: text!("{said}; it is {time} there", said, time),
                help: Some(help),
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
        Err(_) if self::mdn(answer) => return passed(text!("a receipt came")),
        Err(why) => return unreceipted(answer, as2, &why.to_string()),
    };
    let said = mdn.disposition.to_string();
    if mdn.disposition.is_positive() {
        return passed(said);
    }
    let own = keys.ours.first().map(|own| called(&own.certificate));
    let own = own.unwrap_or_default();
    let signing = text!(
        "they have another certificate of ours: send them `partner sheet` again; we sign by {own}",
        own
    );
    let detail = mdn.disposition.detail.to_ascii_lowercase();
    let signed_wrong = |mdn: &Mdn| {
        mdn.disposition
            .detail
            .eq_ignore_ascii_case("authentication-failed")
    };
    let help = match detail.as_str() {
        "decryption-failed" if clear.is_some_and(signed_wrong) => signing,
        "decryption-failed" if as2.sign == Sign::None => text!(
            "`sign`: what we send is unsigned, and of an encrypted message partners do not say that \
             this is why; or `certificates`: they cannot open it"
        ),
        "decryption-failed" => unopened(keys),
        "authentication-failed" | "authentification-failed" => signing,
        "insufficient-message-security" => {
            let ours = match (as2.sign == Sign::None, as2.encrypt == Encrypt::None) {
                (true, true) => text!("unsigned, in clear"),
                (true, false) => text!("unsigned, encrypted"),
                (false, true) => text!("signed, in clear"),
                (false, false) => text!("signed, encrypted"),
            };
            text!(
                "`sign` and `encrypt`: they want more than we do ({ours})",
                ours
            )
        }
        known if known.starts_with("unknown-trading") => strangers(as2),
        "decompression-failed" => text!("`compress`: leave it out"),
        "integrity-check-failed" => {
            text!("something between changes the body; or `compress`: leave it out, or `sign`")
        }
        known
            if known.contains("micalg")
                || known.contains("mic-alg")
                || known.contains("mic alg") =>
        {
            text!("`sign`: they do not know this digest; sha-256 is known to most")
        }
        known if known.starts_with("unsupported") => text!(
            "`sign`, `encrypt` or `compress`: an algorithm that they do not know; sha-256 and \
             aes-256-cbc are known to most"
        ),
        _ => text!(
            "the partner's log says why; their words: {words}",
            words = mdn.text.trim()
        ),
    };
    failed(said, help)
}

/// They cannot open what we encrypted.
fn unopened(keys: &Keys) -> Text {
    let theirs = keys.theirs.first().map(called).unwrap_or_default();
    text!(
        "`certificates`: they cannot open what is encrypted for {theirs}; ask for the one in use. \
         Or `encrypt` and `key_transport`: an algorithm that they do not know",
        theirs
    )
}

/// A 2xx that is no receipt.
fn unreceipted(answer: &Response, as2: &As2, why: &str) -> Found {
    let said = header(answer, "content-type");
    let kind = said.unwrap_or_default();
    if kind.starts_with("text/html") {
        return failed(
            text!("the answer is a web page"),
            text!(
                "`url`: it is an address for people, not the one for AS2; ask for that, path \
                 included"
            ),
        );
    }
    let help = match (answer.body.is_empty(), later(as2)) {
        (true, true) => {
            return Found {
                verdict: Verdict::Warned,
                said: text!("the message was taken, and the receipt is to come by itself"),
                help: Some(text!(
                    "`receipt_mode`: this test asks for a receipt in the answer; `send` shows \
                     whether theirs arrives at `receipt_url`"
                )),
            };
        }
        (true, false) => text!(
            "`receipt_mode`: they may send receipts by requests of their own (async), or `url` is \
             not an AS2 server"
        ),
        _ => text!("`url`: is this an AS2 server? Or `receipt`: what came is none"),
    };
    let said = match said {
        Some(kind) => text!("no receipt in the answer ({kind}): {why}", kind, why),
        None => text!("no receipt in the answer (no content type): {why}", why),
    };
    failed(said, help)
}

/// Whether the receipt is theirs, and for this message.
pub(super) fn receipt(read: &Result<Mdn, as2::Error>, id: &str, as2: &As2, keys: &Keys) -> Found {
    let mdn = match read {
        Ok(mdn) => mdn,
        Err(why) => {
            let known: Vec<String> = keys.theirs.iter().map(called).collect();
            return failed(
                why.to_string(),
                text!(
                    "`certificates`: we know {known}; ask the partner for the certificate that he \
                     signs receipts by, and add it there",
                    known = known.join(", ")
                ),
            );
        }
    };
    if !mdn.answers(id) {
        return failed(
            text!("the receipt is for {id}", id = &mdn.original_message_id),
            text!("something between repeats old answers; ask the partner whether his server does"),
        );
    }
    match &mdn.signature {
        Some(signature) => passed(text!(
            "signed, {digest}",
            digest = signature.digest.to_string()
        )),
        None if as2.receipt == Receipt::Signed => Found {
            verdict: Verdict::Warned,
            said: text!("the receipt is not signed: it proves nothing"),
            help: Some(text!("`receipt = \"unsigned\"`, if they cannot sign it")),
        },
        None => passed(text!("unsigned, as agreed")),
    }
}

/// Whether they have our bytes.
pub(super) fn mic(mdn: &Mdn, ours: &Mic) -> Found {
    match &mdn.mic {
        Some(theirs) if theirs == ours => passed(ours.to_string()),
        Some(theirs) => failed(
            text!(
                "ours is {ours}, theirs is {theirs}",
                ours = ours.to_string(),
                theirs = theirs.to_string()
            ),
            text!(
                "they digest other bytes: something between changes line ends, or their server \
                 makes LF to CR LF before it digests; ask them to leave the content alone. \
                 `require_mic = false` lives with it"
            ),
        ),
        None => failed(
            text!("the receipt has no MIC"),
            text!("`require_mic = false`, if the partner's receipts never have one"),
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
