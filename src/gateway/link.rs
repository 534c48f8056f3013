//! The way to a partner's server, and what a request of theirs has to show.

use std::path::Path;
use std::time::Duration;

use super::answer::text;
use super::inbound::Caller;
use crate::as2::{Certificate, Headers};
use crate::net::client::{Client, Limits, Way};
use crate::net::way::{self, Login};
use crate::partner::{self, As2, ProxyUse};
use crate::store::Answer;

/// The header of what a side does beyond RFC 4130 (RFC 6017), and the claim that a repeated message
/// is taken for one (draft-duker-as2-reliability-16).
const FEATURES: &str = "EDIINT-Features";
const RELIABILITY: &str = "AS2-Reliability";

/// What a partner file says of HTTP and TLS, with its files read.
#[derive(Default)]
pub(super) struct Link {
    /// Where the partner's server is not reached like any other.
    client: Option<Client>,
    login: Option<Login>,
    /// Fingerprints in lower-case hex, where one has to be shown.
    certificates: Vec<String>,
}

impl Link {
    /// Reads certificates and passwords; `usual` is the way to who has no wishes, and `servers` are
    /// certificates of their server beside those of the file. Blocks.
    pub(super) fn open(
        as2: &As2,
        usual: &Way,
        servers: &[&Certificate],
        limits: &Limits,
    ) -> Result<Link, String> {
        let demand = &as2.demand;
        let login = demand.login.as_ref().map(self::login).transpose()?;
        let shown = demand.client_certificates.iter().map(|path| {
            let certificate = super::route::certificate(&bytes(path)?);
            let certificate = certificate.map_err(|why| told(path, &why))?;
            Ok(certificate.fingerprint().to_owned())
        });
        let certificates = shown.collect::<Result<_, String>>()?;
        let client = way_to(as2, usual, servers)?.map(|way| Client::by(way, limits.clone()));
        Ok(Link {
            client,
            login,
            certificates,
        })
    }

    /// The client for this partner.
    pub(super) fn client<'a>(&'a self, usual: &'a Client) -> &'a Client {
        self.client.as_ref().unwrap_or(usual)
    }

    /// The answer for a request that does not show what was agreed; `certificate` is the
    /// fingerprint of what its client showed, `shown` its `Authorization`.
    pub(super) fn refuses(
        &self,
        shown: &[(String, String)],
        certificate: Option<&str>,
    ) -> Option<Answer> {
        let pinned = &self.certificates;
        if !pinned.is_empty() && !pinned.iter().any(|one| Some(one.as_str()) == certificate) {
            tracing::info!(shown = certificate, "refused another client certificate");
            return Some(text(403, "another client certificate is agreed"));
        }
        let login = self.login.as_ref()?;
        if let [(_, shown)] = shown
            && login.is(Some(shown))
        {
            return None;
        }
        tracing::info!("refused without the agreed user and password");
        let mut answer = text(401, "a user and a password are agreed");
        let challenge = ("www-authenticate".into(), "Basic realm=\"AS2\"".into());
        answer.headers.push(challenge);
        Some(answer)
    }
}

/// Leaves the claim of reliability out of what goes to a partner who does not want it.
pub(super) fn claim(as2: &As2, headers: &mut Headers) {
    if as2.reliability {
        return;
    }
    let said = headers.get(FEATURES).unwrap_or_default().to_owned();
    let kept: Vec<_> = said
        .split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty() && !one.eq_ignore_ascii_case(RELIABILITY))
        .collect();
    if !said.is_empty() {
        headers.set(FEATURES, &kept.join(", "));
    }
}

impl Caller {
    /// How often its sender wants to hear that we are at it.
    #[must_use]
    pub fn interim(&self) -> Option<Duration> {
        let as2 = self.partnership.partner.as2.as_ref()?;
        let seconds = as2.interim_seconds?;
        Some(Duration::from_secs(seconds.into()))
    }
}

/// Whether all that `[as2.connect]` and `[as2.demand]` name can be used; paths are resolved.
///
/// # Errors
/// The first file or password that cannot.
pub fn usable(as2: &As2) -> Result<(), String> {
    let link = Link::open(as2, &Way::default(), &[], &Limits::default())?;
    link.client.as_ref().map_or(Ok(()), Client::usable)
}

/// The way to this partner, where it is not the usual one.
pub(super) fn way(as2: &As2, usual: &Way) -> Result<Option<Way>, String> {
    way_to(as2, usual, &[])
}

fn way_to(as2: &As2, usual: &Way, servers: &[&Certificate]) -> Result<Option<Way>, String> {
    let connect = &as2.connect;
    if *connect == partner::Connect::default() && servers.is_empty() {
        return Ok(None);
    }
    let mut way = usual.clone();
    if !connect.server_certificates.is_empty() || !servers.is_empty() {
        let mut all = Vec::new();
        for certificate in servers {
            all.extend(certificate.to_pem().map_err(|why| why.to_string())?);
        }
        for path in &connect.server_certificates {
            let certificate = super::route::certificate(&bytes(path)?);
            let certificate = certificate.map_err(|why| told(path, &why))?;
            all.extend(certificate.to_pem().map_err(|why| told(path, &why))?);
        }
        way.trust = way::Trust::Only(all);
    }
    if let Some(own) = &connect.client {
        let password = secret(own.password_file.as_deref(), own.password_env.as_deref())?;
        way.client = Some((bytes(&own.p12)?, password));
    }
    if let Some(login) = &connect.login {
        way.login = Some((self::login(login)?, as2.url.clone()));
    }
    match &connect.proxy {
        None => {}
        Some(ProxyUse::None) => way.proxy = None,
        Some(ProxyUse::By(by)) => way.proxy = Some(proxy(by)?),
    }
    Ok(Some(way))
}

/// A proxy with its password read. Blocks.
///
/// # Errors
/// What cannot be read.
pub fn proxy(named: &partner::Proxy) -> Result<way::Proxy, String> {
    let login = named.login.as_ref().map(login).transpose()?;
    way::Proxy::new(&named.url, login, &named.no_proxy)
}

fn login(named: &partner::Login) -> Result<Login, String> {
    let password = secret(
        named.password_file.as_deref(),
        named.password_env.as_deref(),
    )?;
    Ok(Login::new(&named.user, &password))
}

/// A password from its file or its variable.
///
/// # Errors
/// Where it is not there.
pub fn secret(file: Option<&Path>, variable: Option<&str>) -> Result<String, String> {
    match (file, variable) {
        (Some(_), Some(_)) => Err("both password_file and password_env are named; keep one".into()),
        (Some(file), None) => {
            let text = std::fs::read_to_string(file).map_err(|why| told(file, &why))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (None, Some(name)) => {
            std::env::var(name).map_err(|_| format!("the variable {name} has no password in it"))
        }
        (None, None) => Ok(String::new()),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|why| told(path, &why))
}

fn told(path: &Path, why: &dyn std::fmt::Display) -> String {
    format!("{}: {why}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wants_no_claim_of_reliability_gets_none() {
        let file = |more: &str| {
            let text = format!(
                "name = \"acme\"\n[as2]\nid = \"A\"\nour_id = \"U\"\ncertificates = [\"a.pem\"]\n\
                 url = \"https://edi.example/as2\"\n{more}"
            );
            partner::parse(&text, "acme.toml").unwrap().as2.unwrap()
        };
        let said = |more: &str, version: crate::as2::Version| {
            let (as2, mut headers) = (file(more), Headers::default());
            version.dress(&mut headers);
            claim(&as2, &mut headers);
            headers.get(FEATURES).map(str::to_owned)
        };
        let usual = said("", crate::as2::Version::V1_2).unwrap();
        assert!(usual.split(", ").any(|one| one == RELIABILITY), "{usual}");
        let without = said("reliability = false", crate::as2::Version::V1_2).unwrap();
        let rest: Vec<_> = usual
            .split(", ")
            .filter(|one| *one != RELIABILITY)
            .collect();
        assert_eq!(without, rest.join(", "));
        assert_eq!(said("reliability = false", crate::as2::Version::V1_1), None);
    }
}
