//! How a partner's server is reached, and what its requests have to show: TLS, passwords, proxies.
//!
//! ```toml
//! [as2.connect]
//! server_certificates = ["acme-tls.pem"]
//! client = { p12 = "us-tls.p12", password_file = "us-tls.password" }
//! login  = { user = "us", password_env = "ACME_PASSWORD" }
//! proxy  = "none"
//!
//! [as2.demand]
//! client_certificates = ["acme-client.pem"]
//! login = { user = "acme", password_file = "acme.password" }
//! ```
//!
//! A password is named by its file or its variable, and read by who uses it.

use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, Error};

/// How we reach them.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connect {
    /// Whose word is taken for their server, instead of the system's authorities: PEM files, the
    /// server's own certificate (whatever host it names) or an authority's.
    pub server_certificates: Vec<PathBuf>,
    /// The key and certificate that we show, where their server asks for one.
    pub client: Option<KeyFile>,
    /// The name and password that we show (HTTP basic authentication, RFC 7617).
    pub login: Option<Login>,
    /// The proxy on the way; where nothing is said, that of the settings.
    pub proxy: Option<ProxyUse>,
}

/// What their requests have to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Demand {
    /// One of these certificates, as PEM or DER files, at the TLS handshake with us. `as2.tls` of
    /// the settings has to ask for it.
    pub client_certificates: Vec<PathBuf>,
    /// This name and password.
    pub login: Option<Login>,
}

/// A PKCS#12 file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// The file.
    pub p12: PathBuf,
    /// The file that holds its password, and nothing else but a line end.
    pub password_file: Option<PathBuf>,
    /// The environment variable that holds its password.
    pub password_env: Option<String>,
}

/// A name and a password.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name.
    #[serde(deserialize_with = "user")]
    pub user: String,
    /// The file that holds the password, and nothing else but a line end.
    pub password_file: Option<PathBuf>,
    /// The environment variable that holds the password.
    pub password_env: Option<String>,
}

/// An HTTP proxy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// Its address, as `http://proxy.example:3128`.
    #[serde(deserialize_with = "proxy_url")]
    pub url: String,
    /// What it wants to be shown.
    pub login: Option<Login>,
    /// Hosts that are reached without it: `edi.example` and all below it, `10.0.0.0/8`.
    #[serde(default)]
    pub no_proxy: Vec<String>,
}

/// Whether a proxy is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyUse {
    /// None, whatever the settings say: `"none"`.
    None,
    /// This one.
    By(Proxy),
}

impl<'de> Deserialize<'de> for ProxyUse {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<ProxyUse, D::Error> {
        let value = toml::Value::deserialize(input)?;
        match value.as_str() {
            Some("none") => Ok(ProxyUse::None),
            Some(other) => Err(D::Error::custom(format!(
                "{other:?} is neither \"none\" nor {{ url = \"http://proxy:3128\" }}"
            ))),
            None => Proxy::deserialize(value)
                .map(ProxyUse::By)
                .map_err(D::Error::custom),
        }
    }
}

impl Connect {
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let key = self.client.iter_mut();
        let key = key.flat_map(|own| std::iter::once(&mut own.p12).chain(&mut own.password_file));
        let proxy = self.proxy.iter_mut().flat_map(|proxy| match proxy {
            ProxyUse::None => None,
            ProxyUse::By(proxy) => proxy.login.as_mut(),
        });
        let logins = self.login.iter_mut().chain(proxy);
        let passwords = logins.flat_map(|login| &mut login.password_file);
        self.server_certificates
            .iter_mut()
            .chain(key)
            .chain(passwords)
    }
}

impl Demand {
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let passwords = self
            .login
            .iter_mut()
            .flat_map(|login| &mut login.password_file);
        self.client_certificates.iter_mut().chain(passwords)
    }
}

/// RFC 7617 section 2: a colon would end the name.
fn user<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let name = String::deserialize(input)?;
    match name.is_empty() || name.contains(':') || name.chars().any(char::is_control) {
        true => Err(D::Error::custom(format!(
            "{name:?} is no user: it is empty, or has a colon or a control character"
        ))),
        false => Ok(name),
    }
}

/// An address of a proxy: http, and nothing after the port.
fn proxy_url<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let url = String::deserialize(input)?;
    let rest = url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'));
    match rest.is_some_and(|rest| super::is_url(&url) && !rest.contains(['/', '?', '@'])) {
        true => Ok(url),
        false => Err(D::Error::custom(format!(
            "{url:?} is not the address of a proxy, such as http://proxy.example:3128; its user \
             stands in `login`"
        ))),
    }
}
