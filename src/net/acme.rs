//! A certificate for our listener from an authority, by order (ACME, RFC 8555).
//!
//! ```text
//! enrol  ─ a key of our own, and an account with it: once
//! order  ─ the names ─ a token for each, answered at http://NAME/.well-known/acme-challenge/
//!          (http-01, section 8.3) ─ a fresh key's request ─ the certificate and its chain
//! ```
//!
//! ```
//! use transload::net::acme::Challenges;
//!
//! let challenges = Challenges::default();
//! assert_eq!(challenges.answer("/.well-known/acme-challenge/token"), None);
//! let held = challenges.hold("token", "token.thumbprint");
//! assert_eq!(challenges.answer("/.well-known/acme-challenge/token").as_deref(), Some("token.thumbprint"));
//! assert_eq!(challenges.answer("/token"), None);
//! drop(held);
//! assert_eq!(challenges.answer("/.well-known/acme-challenge/token"), None);
//! ```
//!
//! It keeps no file and knows no time: what is due when, and where keys lie, is for who calls it.
//! It proves names only by http-01, and revokes nothing.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType,
    ExternalAccountKey, HttpClient, Identifier, NewAccount, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name, X509Req};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::client::Client;
use super::serve::{Limits, serve};
use super::tls::{self, Bundle, moment};
use super::{latin1, latin1_bytes};

/// Where an authority looks for a token (RFC 8555 section 8.3).
const PATH: &str = "/.well-known/acme-challenge/";
/// Time for a whole order: authorities look from several places, and some queue.
const ORDER_TIME: Duration = Duration::from_secs(300);
/// Time for each of an order's two waits.
const WAIT: Duration = Duration::from_secs(120);
/// What every AS2 partner reads, old ones too.
const RSA_BITS: u32 = 2048;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The authority was not reached, or said no.
    #[error("the authority: {0}")]
    Authority(#[from] instant_acme::Error),
    /// It does not believe that a name is ours.
    #[error(
        "the authority does not believe that {name} is ours: {why}; it asks port 80 of that name \
         over plain HTTP, which has to arrive at acme.listen"
    )]
    NotOurs {
        /// The name.
        name: String,
        /// What it said.
        why: String,
    },
    /// It offers no http-01 for a name.
    #[error("the authority offers no http-01 for {0}")]
    NoChallenge(String),
    /// It took too long.
    #[error("the authority did not come to an end within {} s", ORDER_TIME.as_secs())]
    Late,
    /// The file of the account cannot be used.
    #[error("the account's key does not open: {0}; is the password the right one?")]
    Account(String),
    /// A key file cannot be used, or OpenSSL cannot.
    #[error(transparent)]
    Tls(#[from] tls::Error),
}

impl From<ErrorStack> for Error {
    fn from(why: ErrorStack) -> Error {
        Error::Tls(tls::Error::Setup(why))
    }
}

/// Tokens that the authority will ask for, and what it wants to hear.
#[derive(Debug, Clone, Default)]
pub struct Challenges(Arc<Mutex<HashMap<String, String>>>);

/// A token is answered until this is dropped.
#[derive(Debug)]
pub struct Held(Challenges, String);

impl Challenges {
    fn all(&self) -> MutexGuard<'_, HashMap<String, String>> {
        // Each change is one move, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a token.
    #[must_use]
    pub fn hold(&self, token: &str, answer: &str) -> Held {
        self.all().insert(token.to_owned(), answer.to_owned());
        Held(self.clone(), token.to_owned())
    }

    /// What is answered at this path.
    #[must_use]
    pub fn answer(&self, path: &str) -> Option<String> {
        self.all().get(path.strip_prefix(PATH)?).cloned()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.all().remove(&self.1);
    }
}

/// Answers authorities until `shutdown` resolves: tokens of [`Challenges`], and 404 for the rest.
pub async fn listen(
    listener: TcpListener,
    challenges: Challenges,
    shutdown: impl Future<Output = ()>,
) {
    let answer = move |request: Request<Incoming>, peer| {
        let asked = request.method() == Method::GET;
        let told = challenges.answer(request.uri().path()).filter(|_| asked);
        tracing::info!(%peer, known = told.is_some(), "an authority, or somebody else, looked");
        async move { response(told) }
    };
    serve(listener, None, Limits::default(), answer, shutdown).await;
}

fn response(told: Option<String>) -> Response<Full<Bytes>> {
    let status = match told {
        Some(_) => StatusCode::OK,
        None => StatusCode::NOT_FOUND,
    };
    let mut response = Response::new(Full::from(told.unwrap_or_default()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// An authority, and what it wants to know of us.
#[derive(Clone)]
pub struct Authority {
    /// The URL of its directory.
    pub directory: String,
    /// Where it reaches a person: `mailto:edi@example.com`.
    pub contact: Option<String>,
    /// The account that we have there by another way (RFC 8555 section 7.3.4): its id, and the key
    /// that came with it.
    pub external: Option<(String, Vec<u8>)>,
}

/// Opens an account with a fresh key, and agrees to the authority's terms. What it gives is to be
/// kept for [`order`]: the account's names, and its key under the password.
///
/// # Errors
/// [`Error`].
pub async fn enrol(
    client: &Arc<Client>,
    authority: &Authority,
    password: &str,
) -> Result<Vec<u8>, Error> {
    let contact: Vec<&str> = authority.contact.iter().map(String::as_str).collect();
    let wish = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let external = authority.external.as_ref();
    let external = external.map(|(id, key)| ExternalAccountKey::new(id.clone(), key));
    let builder = Account::builder_with_http(Box::new(Asking(Arc::clone(client))));
    let made = builder.create(&wish, authority.directory.clone(), external.as_ref());
    let (_, credentials) = timeout(ORDER_TIME, made).await.map_err(|_| Error::Late)??;
    let told = serde_json::to_value(&credentials).map_err(instant_acme::Error::Json)?;
    let part = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let key = unpadded(&part("key_pkcs8")).ok_or_else(|| Error::Account("it is none".into()))?;
    let key = PKey::private_key_from_pkcs8(&key)?;
    let sealed =
        key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), password.as_bytes())?;
    let head = format!(
        "directory: {}\naccount: {}\n",
        authority.directory,
        part("id")
    );
    Ok([head.into_bytes(), sealed].concat())
}

/// Whether what [`enrol`] gave is an account at this directory.
#[must_use]
pub fn is_at(account: &[u8], directory: &str) -> bool {
    line(account, "directory").is_some_and(|known| known == directory)
}

fn line(account: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(account);
    let mut lines = text.lines().filter_map(|line| line.split_once(": "));
    lines.find_map(|(known, value)| (known == name).then(|| value.to_owned()))
}

/// Orders a certificate for these names: a PKCS#12 file under the password, with a fresh key and
/// the chain. `account` is what [`enrol`] gave. While it runs, `challenges` has to be answered
/// ([`listen`]).
///
/// # Errors
/// [`Error`].
pub async fn order(
    client: &Arc<Client>,
    account: &[u8],
    names: &[String],
    password: &str,
    challenges: &Challenges,
) -> Result<Vec<u8>, Error> {
    let whole = ordered(client, account, names, password, challenges);
    timeout(ORDER_TIME, whole).await.map_err(|_| Error::Late)?
}

async fn ordered(
    client: &Arc<Client>,
    account: &[u8],
    names: &[String],
    password: &str,
    challenges: &Challenges,
) -> Result<Vec<u8>, Error> {
    let account = opened(client, account, password).await?;
    let wanted: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&wanted)).await?;
    let held = prove(&mut order, challenges).await?;
    let patience = RetryPolicy::new().timeout(WAIT);
    let status = order.poll_ready(&patience).await;
    drop(held);
    if !matches!(status, Ok(OrderStatus::Ready)) {
        return Err(match (refusal(&mut order).await, status) {
            (Some(refused), _) => refused,
            (None, Err(why)) => why.into(),
            (None, Ok(status)) => {
                instant_acme::Error::Other(format!("the order is {status:?}").into()).into()
            }
        });
    }
    let wanted = names.to_vec();
    let (key, request) = tokio::task::spawn_blocking(move || request(&wanted))
        .await
        .expect("making a key does not panic")?;
    order.finalize_csr(&request).await?;
    let chain = order.poll_certificate(&patience).await?;
    let sealed = bundle(&key, chain.as_bytes(), password)?;
    Ok(sealed)
}

async fn opened(client: &Arc<Client>, account: &[u8], password: &str) -> Result<Account, Error> {
    let unread = |why: &dyn std::fmt::Display| Error::Account(why.to_string());
    let key = PKey::private_key_from_pem_passphrase(account, password.as_bytes());
    let key = key.and_then(|key| key.private_key_to_pkcs8());
    let key = key.map_err(|why| unread(&why))?;
    let encoded = openssl::base64::encode_block(&key);
    let encoded: String = encoded
        .trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_");
    let credentials = json!({
        "id": line(account, "account"),
        "directory": line(account, "directory"),
        "key_pkcs8": encoded,
    });
    let credentials: AccountCredentials =
        serde_json::from_value(credentials).map_err(|why| unread(&why))?;
    let builder = Account::builder_with_http(Box::new(Asking(Arc::clone(client))));
    Ok(builder.from_credentials(credentials).await?)
}

/// Base64 as JOSE writes it (RFC 7515 section 2).
fn unpadded(text: &str) -> Option<Vec<u8>> {
    let mut plain = text.replace('-', "+").replace('_', "/");
    while !plain.len().is_multiple_of(4) {
        plain.push('=');
    }
    openssl::base64::decode_block(&plain).ok()
}

/// The key of [`Authority::external`], as authorities hand it out.
///
/// # Errors
/// Where it is not base64url.
pub fn external_key(text: &str) -> Result<Vec<u8>, &'static str> {
    unpadded(text.trim()).ok_or("it is not base64url, as authorities write such keys")
}

/// Makes the token of each name answerable, and says so.
async fn prove(order: &mut Order, challenges: &Challenges) -> Result<Vec<Held>, Error> {
    let mut held = Vec::new();
    let mut names = order.authorizations();
    while let Some(name) = names.next().await {
        let mut name = name?;
        if name.status == AuthorizationStatus::Valid {
            continue;
        }
        let what = name.identifier().to_string();
        let Some(mut challenge) = name.challenge(ChallengeType::Http01) else {
            return Err(Error::NoChallenge(what));
        };
        held.push(challenges.hold(&challenge.token, challenge.key_authorization().as_str()));
        challenge.set_ready().await?;
    }
    Ok(held)
}

/// What the authority said of a name that it does not believe.
async fn refusal(order: &mut Order) -> Option<Error> {
    let mut names = order.authorizations();
    while let Some(name) = names.next().await {
        let mut name = name.ok()?;
        let said = name.refresh().await.ok()?.challenges.iter();
        let why = said.filter_map(|one| one.error.as_ref()).next();
        if let Some(why) = why.map(ToString::to_string) {
            let name = name.identifier().to_string();
            return Some(Error::NotOurs { name, why });
        }
    }
    None
}

/// A fresh key, and the request for a certificate with these names (RFC 2986), as DER.
fn request(names: &[String]) -> Result<(PKey<Private>, Vec<u8>), ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(RSA_BITS)?)?;
    let mut request = X509Req::builder()?;
    request.set_version(0)?;
    // Who a server is, its alternative names say (RFC 9525 section 2).
    request.set_subject_name(&X509Name::builder()?.build())?;
    request.set_pubkey(&key)?;
    let mut all = SubjectAlternativeName::new();
    for name in names {
        all.dns(name);
    }
    let all = all.build(&request.x509v3_context(None))?;
    let mut extensions = Stack::new()?;
    extensions.push(all)?;
    request.add_extensions(&extensions)?;
    request.sign(&key, MessageDigest::sha256())?;
    let der = request.build().to_der()?;
    Ok((key, der))
}

/// A key and what came for it, as PKCS#12 under a password.
fn bundle(key: &PKey<Private>, chain: &[u8], password: &str) -> Result<Vec<u8>, tls::Error> {
    let mut chain = X509::stack_from_pem(chain)?.into_iter();
    let own = chain.next().ok_or(tls::Error::Missing("certificate"))?;
    if !own.public_key()?.public_eq(key) {
        return Err(tls::Error::Missing("certificate for our key"));
    }
    let mut above = Stack::new()?;
    for one in chain {
        above.push(one)?;
    }
    let mut file = Pkcs12::builder();
    file.name("edi").pkey(key).cert(&own).ca(above);
    Ok(file.build2(password)?.to_der()?)
}

/// What a TLS key of ours is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its first moment.
    pub from: DateTime<Utc>,
    /// Its last.
    pub until: DateTime<Utc>,
    /// The hosts that it names, in lower case.
    pub names: Vec<String>,
}

impl Standing {
    /// How a PKCS#12 file stands.
    ///
    /// # Errors
    /// [`tls::Error`].
    pub fn of(der: &[u8], password: &str) -> Result<Standing, tls::Error> {
        let own = Bundle::open(der, password)?.certificate;
        let names = own.subject_alt_names().into_iter().flatten();
        let names = names.filter_map(|name| name.dnsname().map(str::to_ascii_lowercase));
        Ok(Standing {
            from: moment(own.not_before())?,
            until: moment(own.not_after())?,
            names: names.collect(),
        })
    }

    /// Whether another one is due for these names: when a third of its time is left, whatever that
    /// is, or where it does not name one of them.
    ///
    /// ```
    /// # use chrono::{DateTime, TimeDelta};
    /// # use transload::net::acme::Standing;
    /// let from = DateTime::UNIX_EPOCH;
    /// let names = vec!["edi.example".to_owned()];
    /// let own = Standing { from, until: from + TimeDelta::days(90), names: names.clone() };
    /// let due = |day| own.due(&names, from + TimeDelta::days(day));
    /// assert_eq!([0, 59, 60, 100].map(due), [false, false, true, true]);
    /// assert!(own.due(&["other.example".to_owned()], from));
    /// ```
    #[must_use]
    pub fn due(&self, names: &[String], now: DateTime<Utc>) -> bool {
        let named = |name: &String| self.names.contains(&name.to_ascii_lowercase());
        let left = self.until - now;
        left <= (self.until - self.from) / 3 || !names.iter().all(named)
    }
}

/// Our client, as the library asks.
struct Asking(Arc<Client>);

impl HttpClient for Asking {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let client = Arc::clone(&self.0);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            // RFC 8555 section 6.1; what a directory names is no exception.
            if head.uri.scheme_str() != Some("https") {
                return Err(instant_acme::Error::Str("an https URL"));
            }
            let body = body.collect().await;
            let body = body
                .unwrap_or_else(|never: Infallible| match never {})
                .to_bytes();
            let pair = |(name, value): (&hyper::header::HeaderName, &HeaderValue)| {
                (name.to_string(), latin1(value.as_bytes()))
            };
            let headers: Vec<_> = head.headers.iter().map(pair).collect();
            let url = head.uri.to_string();
            let answer = client
                .send(head.method.as_str(), &url, &headers, body)
                .await;
            let answer = answer.map_err(|why| instant_acme::Error::Other(Box::new(why)))?;
            let mut response = Response::builder().status(answer.status);
            for (name, value) in &answer.headers {
                response = response.header(name, latin1_bytes(value).unwrap_or_default());
            }
            Ok(response.body(Full::new(answer.body))?.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use openssl::asn1::Asn1Time;

    use super::*;

    #[test]
    fn a_file_has_the_key_its_certificate_and_the_chain() {
        let names = ["edi.example.com".to_owned(), "EDI.example.org".to_owned()];
        let (key, der) = request(&names).unwrap();
        let asked = X509Req::from_der(&der).unwrap();
        assert!(asked.verify(&key).unwrap());
        let issue = |key: &PKey<Private>| {
            let mut made = X509::builder().unwrap();
            let (from, to) = (
                Asn1Time::from_unix(0).unwrap(),
                Asn1Time::from_unix(86_400).unwrap(),
            );
            made.set_not_before(&from).unwrap();
            made.set_not_after(&to).unwrap();
            made.set_pubkey(key).unwrap();
            for one in asked.extensions().unwrap() {
                made.append_extension(one).unwrap();
            }
            made.sign(key, MessageDigest::sha256()).unwrap();
            made.build().to_pem().unwrap()
        };
        let (other, _) = request(&[]).unwrap();
        let chain = [issue(&key), issue(&other)].concat();
        let file = bundle(&key, &chain, "open").unwrap();
        assert_eq!(Bundle::open(&file, "open").unwrap().chain.len(), 1);
        let standing = Standing::of(&file, "open").unwrap();
        assert_eq!(standing.names, ["edi.example.com", "edi.example.org"]);
        assert_eq!(standing.until - standing.from, TimeDelta::days(1));
        assert!(!standing.due(&names, standing.from));
        assert!(
            bundle(&other, &chain, "open").is_err(),
            "another's certificate"
        );
    }

    #[test]
    fn keys_from_authorities_are_base64url() {
        assert_eq!(external_key("-_8\n").unwrap(), [0xfb, 0xff]);
        assert!(external_key("a b").is_err());
    }
}
