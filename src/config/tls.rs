//! `[as2.tls]`: the key of the AS2 listener, and who issues its certificate.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::net::tls::Clients;
use crate::partner::is_url;

/// TLS of the AS2 listener. The files are looked at while it runs, and taken over when they
/// change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// A PKCS#12 file with the key, its certificate and the chain above it.
    pub p12: PathBuf,
    /// The file that holds its password, and nothing else but a line end.
    pub password_file: Option<PathBuf>,
    /// The environment variable that holds its password.
    pub password_env: Option<String>,
    /// Whether clients are asked for a certificate: `ignored`, `asked` or `required`.
    #[serde(default)]
    pub clients: Clients,
    /// The authority that issues this key's certificate and renews it; without one, somebody puts
    /// the file there.
    pub acme: Option<Acme>,
}

/// Where the authority's questions arrive from outside (RFC 8555 section 8.3): it always asks port
/// 80 of the name.
const HTTP: u16 = 80;

/// An authority that issues the certificate of the AS2 listener (ACME, RFC 8555), and renews it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// The URL of its directory; https.
    #[serde(deserialize_with = "directory")]
    pub directory: String,
    /// The names in the certificate: at least one, no wildcards.
    #[serde(deserialize_with = "domains")]
    pub domains: Vec<String>,
    /// Whether somebody read the authority's terms and agrees to them: `true`.
    #[serde(deserialize_with = "agreed")]
    pub terms_agreed: bool,
    /// Where the authority reaches a person: `mailto:edi@example.com`.
    pub contact: Option<String>,
    /// Where its questions arrive (http-01): port 80, or what port 80 of the names is passed on to.
    #[serde(default = "http")]
    pub listen: SocketAddr,
    /// Whose word is taken for the authority's own server, instead of the system's authorities: PEM
    /// files.
    #[serde(default)]
    pub server_certificates: Vec<PathBuf>,
    /// The account that we have there by another way.
    pub external: Option<External>,
}

/// External account binding (RFC 8555 section 7.3.4).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// Its id.
    pub id: String,
    /// The file that holds its key, in base64url, and nothing else but a line end.
    pub key_file: PathBuf,
}

impl Tls {
    /// Why what an authority issues cannot be kept so; `keys` is the folder of keys.
    pub(super) fn unkeepable(&self, keys: &Path) -> Option<&'static str> {
        self.acme.as_ref()?;
        if self.p12.parent() == Some(keys) {
            return Some(
                "as2.tls.p12 lies in the folder of keys, where a key is one for messages; give \
                 what an authority issues a folder of its own, such as keys/tls/edi.p12",
            );
        }
        let named = self.password_file.is_some() || self.password_env.is_some();
        (!named).then_some(
            "as2.tls.acme keeps a key, and there is no password for it; name a password_file, \
             which is made where it is missing, or a password_env",
        )
    }

    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let acme = self.acme.iter_mut().flat_map(|acme| {
            let external = acme.external.iter_mut().map(|known| &mut known.key_file);
            acme.server_certificates.iter_mut().chain(external)
        });
        let own = std::iter::once(&mut self.p12).chain(&mut self.password_file);
        own.chain(acme)
    }
}

fn http() -> SocketAddr {
    ([0, 0, 0, 0], HTTP).into()
}

fn directory<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let url = String::deserialize(input)?;
    match url.starts_with("https://") && is_url(&url) {
        true => Ok(url),
        false => Err(D::Error::custom(format!(
            "{url:?} is not the https URL of an authority's directory"
        ))),
    }
}

fn domains<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    let all = Vec::<String>::deserialize(input)?;
    match all.iter().find(|name| !is_host(name)) {
        Some(wrong) => Err(D::Error::custom(format!(
            "{wrong:?} is not the name of a host, such as edi.example.com"
        ))),
        None if all.is_empty() => Err(D::Error::custom("a certificate needs a name at least")),
        None => Ok(all),
    }
}

/// Labels of letters, digits and hyphens (RFC 1123 section 2.1).
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(sound)
    };
    name.len() <= 253 && name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}

fn agreed<'de, D: Deserializer<'de>>(input: D) -> Result<bool, D::Error> {
    match bool::deserialize(input)? {
        true => Ok(true),
        false => Err(D::Error::custom(
            "an authority gives nothing to who does not agree to its terms; read them, and say true",
        )),
    }
}

/// A header's name (RFC 9110 section 5.1), in lower case.
pub(super) fn header_name<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(input)?;
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    match !text.is_empty() && text.bytes().all(sound) {
        true => Ok(Some(text.to_ascii_lowercase())),
        false => Err(D::Error::custom(format!(
            "{text:?} is not the name of a header such as client-cert"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    /// What is said of these lines below `[as2.tls.acme]`; nothing where they are sound.
    fn told(lines: &str) -> String {
        let text = format!(
            "[as2.tls]\np12 = \"keys/tls/edi.p12\"\n\
             password_file = \"keys/tls/edi.password\"\n[as2.tls.acme]\n{lines}\n"
        );
        let read = Config::parse(&text, "etc/transload.toml", &|_| None);
        read.map_or_else(|why| why.to_string(), |_| String::new())
    }

    #[test]
    fn an_authority_is_told_whole() {
        let url = "directory = \"https://ca.example/directory\"";
        let sound = format!("{url}\ndomains = [\"edi.example.com\"]\nterms_agreed = true");
        assert_eq!(told(&sound), "");
        for (from, to, want) in [
            ("https://", "http://", "https URL"),
            ("edi.example.com", "*.example.com", "name of a host"),
            ("edi.example.com", "192.0.2.1", "name of a host"),
            ("[\"edi.example.com\"]", "[]", "at least"),
            ("= true", "= false", "agree"),
        ] {
            let said = told(&sound.replacen(from, to, 1));
            assert!(said.contains(want), "{to}: {said}");
        }
    }

    #[test]
    fn its_key_is_not_one_of_messages() {
        let text = "[as2.tls]\np12 = \"keys/edi.p12\"\n[as2.tls.acme]\nterms_agreed = true\n\
                    directory = \"https://ca.example/\"\ndomains = [\"edi.example\"]";
        let why = Config::parse(text, "transload.toml", &|_| None).unwrap_err();
        assert!(why.to_string().contains("a folder of its own"), "{why}");
    }
}
