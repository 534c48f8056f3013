//! Settings: flag over environment over file over default. None is needed to start.
//!
//! | setting | environment | default |
//! |---|---|---|
//! | `data` | `TRANSLOAD_DATA` | `data` |
//! | `partners` | `TRANSLOAD_PARTNERS` | `partners` |
//! | `mappings` | `TRANSLOAD_MAPPINGS` (parted as `PATH` is) | the embedded ones alone |
//! | `as2.listen`, `as2.path` | `TRANSLOAD_AS2_LISTEN`, `TRANSLOAD_AS2_PATH` | `0.0.0.0:4080`, `/as2` |
//! | `as2.id` | `TRANSLOAD_AS2_ID` | none: our usual AS2 name, for new partners |
//! | `as2.url` | `TRANSLOAD_AS2_URL` | none: what partners post to, seen from outside |
//! | `as2.receipt_url` | `TRANSLOAD_AS2_RECEIPT_URL` | `as2.url`; without both, no asynchronous receipt is asked for |
//! | `as2.trusted_proxies` | | none: nobody's `X-Forwarded-For` is read |
//! | `as2.client_certificate_header` | | none: no certificate that a proxy tells of counts |
//! | `as2.tls.p12`, `as2.tls.password_file` | | none: plain HTTP |
//! | `as2.tls.acme.*` | | none: nobody is asked for a certificate |
//! | `as2.tell_strangers` | | false |
//! | `admin.listen` | `TRANSLOAD_ADMIN_LISTEN` | `127.0.0.1:4081` |
//! | `identity.p12`, `identity.password_file` | `TRANSLOAD_IDENTITY_P12`, `TRANSLOAD_IDENTITY_PASSWORD_FILE` | none |
//! | `keys` | `TRANSLOAD_KEYS` | `keys` |
//! | `bridge.folder` | `TRANSLOAD_BRIDGE_FOLDER` | `bridge` |
//! | `x12.qualifier`, `x12.id` | | none: our usual X12 name, for new partners |
//! | `proxy.url` | `TRANSLOAD_PROXY_URL` | none: partners are reached directly |
//! | `trace.folder` | `TRANSLOAD_TRACE` | none: nothing is traced |
//! | `trace.max` | | [`TRACED`](gateway::TRACED) exchanges |
//! | `limits.*` | | those of [`serve`] and [`gateway`] |
//!
//! ```
//! use transload::config::Config;
//!
//! let config = Config::parse("[as2]\nlisten = \"127.0.0.1:5080\"", "transload.toml", &|_| None)?;
//! assert_eq!(config.as2.listen.port(), 5080);
//! # Ok::<(), transload::partner::Error>(())
//! ```
//!
//! Pure: the text and the environment are arguments. A command's flags go first in the function
//! that looks the environment up. No secret is a setting: a password is named by its file or its
//! variable, and read by who uses it.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::gateway;
use crate::net::{Network, serve};
use crate::partner::{Error, Party, Proxy, is_url, strict};

mod tls;

pub use tls::{Acme, External, Tls};

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder of the store and its payloads.
    pub data: PathBuf,
    /// The folder of partner files.
    pub partners: PathBuf,
    /// The folder of keys and of certificates that partners gave us.
    pub keys: PathBuf,
    /// Folders of guides that come before the embedded ones.
    pub mappings: Vec<PathBuf>,
    /// The AS2 listener.
    pub as2: As2,
    /// The admin listener.
    pub admin: Admin,
    /// Our key and certificate, where there is AS2.
    pub identity: Option<Identity>,
    /// The bridges.
    pub bridge: Bridge,
    /// Our usual X12 name.
    pub x12: Option<Party>,
    /// The HTTP proxy to partners whose files name none.
    pub proxy: Option<Proxy>,
    /// Where every layer of every exchange is written, for who looks for a fault.
    pub trace: Trace,
    /// Limits that differ from the defaults.
    pub limits: Limits,
}

/// What is traced, and how much of it stays.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trace {
    /// The folder; none traces nothing.
    pub folder: Option<PathBuf>,
    /// How many exchanges stay, the newest.
    pub max: usize,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            folder: None,
            max: gateway::TRACED,
        }
    }
}

/// The AS2 listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct As2 {
    /// Address and port.
    pub listen: SocketAddr,
    /// The one path that it serves.
    #[serde(deserialize_with = "url_path")]
    pub path: String,
    /// Our usual AS2 name: what partner sheets say, and what a new partner file takes.
    pub id: Option<String>,
    /// The URL at which partners reach it from outside, where that is another than its address
    /// says: through a reverse proxy, by a name, under another path.
    #[serde(deserialize_with = "public_url")]
    pub url: Option<String>,
    /// Where they post asynchronous receipts, if not to `url`.
    #[serde(deserialize_with = "public_url")]
    pub receipt_url: Option<String>,
    /// Reverse proxies of ours, as addresses or networks: their `X-Forwarded-For` and
    /// `X-Forwarded-Proto` are believed, and no number of connections binds them.
    pub trusted_proxies: Vec<Network>,
    /// The header in which those proxies pass on the certificate that a client showed to them, as
    /// `client-cert` (RFC 9440), PEM with percent signs, or base64 of DER. They have to write it
    /// anew in every request, or a client could; without `trusted_proxies` it says nothing.
    #[serde(default, deserialize_with = "tls::header_name")]
    pub client_certificate_header: Option<String>,
    /// The key to speak TLS with; without it, what is in front of us does.
    pub tls: Option<Tls>,
    /// Whether a stranger who asks for a receipt is told in an unsigned one that we do not know
    /// him, instead of by status 403.
    pub tell_strangers: bool,
}

/// The admin listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address and port: loopback, unless something in front of it asks who is there.
    pub listen: SocketAddr,
}

/// Our key and certificate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// A PKCS#12 file.
    pub p12: PathBuf,
    /// The file that holds its password, and nothing else but a line end.
    pub password_file: Option<PathBuf>,
    /// The environment variable that holds its password.
    pub password_env: Option<String>,
    /// The systemd credential that holds its password.
    pub password_credential: Option<String>,
}

/// The bridges.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bridge {
    /// The folder under which documents are put out and answers taken in.
    pub folder: PathBuf,
}

/// Limits that differ from the defaults of [`serve`] and [`gateway`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of one body.
    pub body: Option<u64>,
    /// Bytes that a compressed message may grow to.
    pub inflated: Option<u64>,
    /// Bytes of one body that stay in memory.
    pub body_memory: Option<usize>,
    /// Seconds for a whole body, theirs or ours.
    pub body_seconds: Option<u64>,
    /// Seconds for a request's head.
    pub header_seconds: Option<u64>,
    /// Connections at once.
    pub connections: Option<usize>,
    /// Connections at once from one address.
    pub per_address: Option<usize>,
    /// Addresses that `per_address` does not bind: the proxies in front of us.
    pub exempt: Vec<IpAddr>,
    /// Messages from one address that do not decrypt, before one a minute is looked at.
    pub undecrypted: Option<u32>,
    /// Seconds for requests in flight at the end.
    pub drain_seconds: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "data".into(),
            partners: "partners".into(),
            keys: "keys".into(),
            mappings: Vec::new(),
            as2: As2::default(),
            admin: Admin::default(),
            identity: None,
            bridge: Bridge::default(),
            x12: None,
            proxy: None,
            trace: Trace::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for As2 {
    fn default() -> Self {
        // Partners come from outside; 4080 is the port that AS2 servers have by habit.
        Self {
            listen: ([0, 0, 0, 0], 4080).into(),
            path: "/as2".into(),
            id: None,
            url: None,
            receipt_url: None,
            trusted_proxies: Vec::new(),
            client_certificate_header: None,
            tls: None,
            tell_strangers: false,
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 4081).into(),
        }
    }
}

impl Default for Bridge {
    fn default() -> Self {
        Self {
            folder: "bridge".into(),
        }
    }
}

impl Config {
    /// Reads a settings file's text, then lets the environment override it. Relative paths,
    /// defaults too, are relative to the folder of `file`; those of the environment to the
    /// working directory.
    ///
    /// # Errors
    /// What is wrong, where, and the nearest name for a typing error.
    pub fn parse(
        text: &str,
        file: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let mut config: Self = strict(text, file)?;
        config.rebase(Path::new(file).parent().unwrap_or(Path::new("")));
        config.overlay(env)?;
        let places = config.identity.as_ref().map_or(0, |own| {
            let named = [
                own.password_file.is_some(),
                own.password_env.is_some(),
                own.password_credential.is_some(),
            ];
            named.into_iter().filter(|named| *named).count()
        });
        if places > 1 {
            let why = "identity names several of password_file, password_env and \
                       password_credential; keep one";
            return Err(Error::plain(file, why));
        }
        let tls = config.as2.tls.as_ref();
        if let Some(why) = tls.and_then(|own| own.unkeepable(&config.keys)) {
            return Err(Error::plain(file, why));
        }
        Ok(config)
    }

    /// What every listener allows.
    #[must_use]
    pub fn serve_limits(&self) -> serve::Limits {
        let (own, base) = (&self.limits, serve::Limits::default());
        let seconds = |own: Option<u64>, base| own.map_or(base, Duration::from_secs);
        serve::Limits {
            body: own.body.unwrap_or(base.body),
            body_memory: own.body_memory.unwrap_or(base.body_memory),
            body_time: seconds(own.body_seconds, base.body_time),
            header_time: seconds(own.header_seconds, base.header_time),
            connections: own.connections.unwrap_or(base.connections),
            per_address: own.per_address.unwrap_or(base.per_address),
            exempt: {
                let exempt = own.exempt.iter().map(|one| Network::from(*one));
                exempt
                    .chain(self.as2.trusted_proxies.iter().copied())
                    .collect()
            },
            drain: seconds(own.drain_seconds, base.drain),
            ..base
        }
    }

    /// Where partners post asynchronous receipts.
    #[must_use]
    pub fn receipt_url(&self) -> Option<&String> {
        self.as2.receipt_url.as_ref().or(self.as2.url.as_ref())
    }

    /// What a gateway allows.
    #[must_use]
    pub fn gateway_limits(&self) -> gateway::Limits {
        let (own, mut limits) = (&self.limits, gateway::Limits::default());
        limits.inflated = own.inflated.unwrap_or(limits.inflated);
        limits.undecrypted = own.undecrypted.unwrap_or(limits.undecrypted);
        let seconds = own.body_seconds.map(Duration::from_secs);
        limits.client.upload_time = seconds.unwrap_or(limits.client.upload_time);
        limits
    }

    fn rebase(&mut self, folder: &Path) {
        let keys = self.identity.iter_mut();
        let keys = keys.flat_map(|own| std::iter::once(&mut own.p12).chain(&mut own.password_file));
        let tls = self.as2.tls.iter_mut().flat_map(Tls::paths);
        let logins = self.proxy.iter_mut().flat_map(|proxy| &mut proxy.login);
        let keys = keys
            .chain(tls)
            .chain(logins.flat_map(|login| &mut login.password_file));
        let folders = [
            &mut self.data,
            &mut self.partners,
            &mut self.keys,
            &mut self.bridge.folder,
        ];
        let folders = folders.into_iter().chain(&mut self.trace.folder);
        for path in folders.chain(&mut self.mappings).chain(keys) {
            *path = folder.join(&*path);
        }
    }

    fn overlay(&mut self, env: &dyn Fn(&str) -> Option<String>) -> Result<(), Error> {
        for (name, slot) in [
            ("TRANSLOAD_DATA", &mut self.data),
            ("TRANSLOAD_PARTNERS", &mut self.partners),
            ("TRANSLOAD_KEYS", &mut self.keys),
            ("TRANSLOAD_BRIDGE_FOLDER", &mut self.bridge.folder),
        ] {
            env(name).into_iter().for_each(|value| *slot = value.into());
        }
        for (name, slot) in [
            ("TRANSLOAD_AS2_LISTEN", &mut self.as2.listen),
            ("TRANSLOAD_ADMIN_LISTEN", &mut self.admin.listen),
        ] {
            let Some(value) = env(name) else { continue };
            let wrong = || wrong(name, &value, "an address and port such as 127.0.0.1:4080");
            *slot = value.parse().map_err(|_| wrong())?;
        }
        if let Some(value) = env("TRANSLOAD_AS2_PATH") {
            if !is_path(&value) {
                return Err(wrong("TRANSLOAD_AS2_PATH", &value, A_PATH));
            }
            self.as2.path = value;
        }
        if let Some(id) = env("TRANSLOAD_AS2_ID") {
            self.as2.id = Some(id);
        }
        for (name, slot) in [
            ("TRANSLOAD_AS2_URL", &mut self.as2.url),
            ("TRANSLOAD_AS2_RECEIPT_URL", &mut self.as2.receipt_url),
        ] {
            let Some(value) = env(name) else { continue };
            if !is_url(&value) {
                return Err(wrong(name, &value, A_URL));
            }
            *slot = Some(value);
        }
        if let Some(url) = env("TRANSLOAD_PROXY_URL") {
            let (login, no_proxy) = self
                .proxy
                .take()
                .map_or((None, Vec::new()), |proxy| (proxy.login, proxy.no_proxy));
            self.proxy = Some(Proxy {
                url,
                login,
                no_proxy,
            });
        }
        if let Some(folder) = env("TRANSLOAD_TRACE") {
            self.trace.folder = Some(folder.into());
        }
        if let Some(value) = env("TRANSLOAD_MAPPINGS") {
            self.mappings = std::env::split_paths(&value).collect();
        }
        if let Some(p12) = env("TRANSLOAD_IDENTITY_P12") {
            self.identity = Some(Identity {
                p12: p12.into(),
                password_file: None,
                password_env: None,
                password_credential: None,
            });
        }
        if let (Some(own), Some(file)) =
            (&mut self.identity, env("TRANSLOAD_IDENTITY_PASSWORD_FILE"))
        {
            (own.password_file, own.password_env) = (Some(file.into()), None);
            own.password_credential = None;
        }
        Ok(())
    }
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This flag.
    Flag(String),
    /// This variable of the environment.
    Environment(String),
    /// The settings file of this name.
    File(String),
    /// Nobody said it.
    Default,
}

/// One setting in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the settings file, as `as2.listen`.
    pub name: &'static str,
    /// Its value, `-` where there is none.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// A setting's value as text.
type Value = fn(&Config) -> Option<String>;

/// Every setting: its name, its variable if it has one, its value.
#[rustfmt::skip]
const SETTINGS: &[(&str, &str, Value)] = &[
    ("data", "TRANSLOAD_DATA", |c| Some(shown(&c.data))),
    ("partners", "TRANSLOAD_PARTNERS", |c| Some(shown(&c.partners))),
    ("keys", "TRANSLOAD_KEYS", |c| Some(shown(&c.keys))),
    ("mappings", "TRANSLOAD_MAPPINGS", |c| listed(c.mappings.iter().map(|path| shown(path)))),
    ("as2.listen", "TRANSLOAD_AS2_LISTEN", |c| Some(c.as2.listen.to_string())),
    ("as2.path", "TRANSLOAD_AS2_PATH", |c| Some(c.as2.path.clone())),
    ("as2.id", "TRANSLOAD_AS2_ID", |c| c.as2.id.clone()),
    ("as2.url", "TRANSLOAD_AS2_URL", |c| c.as2.url.clone()),
    ("as2.receipt_url", "TRANSLOAD_AS2_RECEIPT_URL", |c| c.receipt_url().cloned()),
    ("as2.trusted_proxies", "", |c| listed(c.as2.trusted_proxies.iter().map(Network::to_string))),
    ("as2.tls.p12", "", |c| Some(shown(&c.as2.tls.as_ref()?.p12))),
    ("as2.tls.password_file", "", |c| Some(shown(c.as2.tls.as_ref()?.password_file.as_ref()?))),
    ("as2.tls.password_env", "", |c| c.as2.tls.as_ref()?.password_env.clone()),
    ("as2.tls.clients", "", |c| Some(format!("{:?}", c.as2.tls.as_ref()?.clients).to_lowercase())),
    ("as2.client_certificate_header", "", |c| c.as2.client_certificate_header.clone()),
    ("as2.tls.acme.directory", "", |c| Some(c.as2.tls.as_ref()?.acme.as_ref()?.directory.clone())),
    ("as2.tls.acme.domains", "", |c| listed(c.as2.tls.as_ref()?.acme.as_ref()?.domains.iter().cloned())),
    ("as2.tls.acme.listen", "", |c| Some(c.as2.tls.as_ref()?.acme.as_ref()?.listen.to_string())),
    ("as2.tell_strangers", "", |c| Some(c.as2.tell_strangers.to_string())),
    ("admin.listen", "TRANSLOAD_ADMIN_LISTEN", |c| Some(c.admin.listen.to_string())),
    ("identity.p12", "TRANSLOAD_IDENTITY_P12", |c| Some(shown(&c.identity.as_ref()?.p12))),
    ("identity.password_file", "TRANSLOAD_IDENTITY_PASSWORD_FILE", |c| Some(shown(c.identity.as_ref()?.password_file.as_ref()?))),
    ("identity.password_env", "", |c| c.identity.as_ref()?.password_env.clone()),
    ("identity.password_credential", "", |c| c.identity.as_ref()?.password_credential.clone()),
    ("bridge.folder", "TRANSLOAD_BRIDGE_FOLDER", |c| Some(shown(&c.bridge.folder))),
    ("x12.qualifier", "", |c| Some(c.x12.as_ref()?.qualifier.clone())),
    ("x12.id", "", |c| Some(c.x12.as_ref()?.id.clone())),
    ("proxy.url", "TRANSLOAD_PROXY_URL", |c| Some(c.proxy.as_ref()?.url.clone())),
    ("proxy.no_proxy", "", |c| listed(c.proxy.as_ref()?.no_proxy.iter().cloned())),
    ("trace.folder", "TRANSLOAD_TRACE", |c| c.trace.folder.as_deref().map(shown)),
    ("trace.max", "", |c| Some(c.trace.max.to_string())),
    ("limits.body", "", |c| Some(c.serve_limits().body.to_string())),
    ("limits.inflated", "", |c| Some(c.gateway_limits().inflated.to_string())),
    ("limits.body_memory", "", |c| Some(c.serve_limits().body_memory.to_string())),
    ("limits.body_seconds", "", |c| Some(c.serve_limits().body_time.as_secs().to_string())),
    ("limits.header_seconds", "", |c| Some(c.serve_limits().header_time.as_secs().to_string())),
    ("limits.connections", "", |c| Some(c.serve_limits().connections.to_string())),
    ("limits.per_address", "", |c| Some(c.serve_limits().per_address.to_string())),
    ("limits.exempt", "", |c| listed(c.limits.exempt.iter().map(IpAddr::to_string))),
    ("limits.undecrypted", "", |c| Some(c.gateway_limits().undecrypted.to_string())),
    ("limits.drain_seconds", "", |c| Some(c.serve_limits().drain.as_secs().to_string())),
];

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn listed(values: impl Iterator<Item = String>) -> Option<String> {
    let values: Vec<String> = values.collect();
    (!values.is_empty()).then(|| values.join(", "))
}

impl Config {
    /// Every setting, its value and where that comes from. `flag` names the flag, if one was
    /// given, that `env` answers a variable from.
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn settings(
        text: &str,
        file: &str,
        env: &dyn Fn(&str) -> Option<String>,
        flag: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<Setting>, Error> {
        let config = Config::parse(text, file, env)?;
        let said: toml::Table = strict(text, file)?;
        let in_file = |name: &str| {
            let mut keys = name.split('.');
            let first = keys.next().and_then(|key| said.get(key));
            keys.try_fold(first?, |value, key| value.get(key)).map(drop)
        };
        let setting = |&(name, variable, value): &(&'static str, &str, Value)| {
            let value = value(&config);
            let origin = match (flag(variable), &value) {
                (Some(flag), _) => Origin::Flag(flag),
                _ if env(variable).is_some() => Origin::Environment(variable.to_owned()),
                (_, Some(_)) if in_file(name).is_some() => Origin::File(file.to_owned()),
                _ => Origin::Default,
            };
            Setting {
                name,
                value: value.unwrap_or_else(|| "-".to_owned()),
                origin,
            }
        };
        Ok(SETTINGS.iter().map(setting).collect())
    }
}

fn wrong(name: &str, value: &str, want: &str) -> Error {
    Error::plain("environment", format!("{name}: {value:?} is not {want}"))
}

const A_URL: &str = "an http or https URL such as https://edi.example.com/as2";
const A_PATH: &str = "a path such as /as2";

fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"?#".contains(&b))
}

fn url_path<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let text = String::deserialize(input)?;
    if is_path(&text) {
        Ok(text)
    } else {
        Err(D::Error::custom(format!("{text:?} is not {A_PATH}")))
    }
}

fn public_url<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(input)?;
    match is_url(&text) {
        true => Ok(Some(text)),
        false => Err(D::Error::custom(format!("{text:?} is not {A_URL}"))),
    }
}
