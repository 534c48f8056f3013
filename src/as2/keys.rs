//! Our identities, the partners' pinned certificates, and the fresh bytes that we draw.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use openssl::asn1::{Asn1Integer, Asn1Time, Asn1TimeRef};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{HasPublic, Id, PKey, Private, Public};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    BasicConstraints, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509KeyUsage, X509NameBuilder, X509NameRef};
use zeroize::{Zeroize, Zeroizing};

use super::cms::ber::Der;
use super::cms::signed;
use super::error::Error;
use super::key::Key;

/// Where fresh bytes come from: content keys, IVs, message ids, boundaries.
pub type Entropy<'a> = &'a mut dyn FnMut(&mut [u8]);

/// RSA key sizes that are used: shorter is broken, longer is a way to waste our time.
pub(crate) const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// Kinds of keys that an [`Identity`] may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA of so many bits, 2048 to 8192.
    Rsa(u32),
    /// EC on P-256: ECDSA and ECDH. Many AS2 partners know RSA only.
    P256,
    /// EC on P-384.
    P384,
    /// EC on P-521.
    P521,
}

const CURVES: [(KeyKind, &str, Nid); 3] = [
    (KeyKind::P256, "p-256", Nid::X9_62_PRIME256V1),
    (KeyKind::P384, "p-384", Nid::SECP384R1),
    (KeyKind::P521, "p-521", Nid::SECP521R1),
];

impl KeyKind {
    fn draw(self) -> Result<PKey<Private>, Error> {
        let curve = CURVES.iter().find(|row| row.0 == self);
        match (self, curve) {
            (_, Some((_, _, nid))) => {
                let group = EcGroup::from_curve_name(*nid)?;
                Ok(PKey::from_ec_key(EcKey::generate(&group)?)?)
            }
            (KeyKind::Rsa(bits), _) if RSA_BITS.contains(&bits) => {
                Ok(PKey::from_rsa(Rsa::generate(bits)?)?)
            }
            _ => Err(bad("an RSA key has 2048 to 8192 bits")),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let curve = CURVES.iter().find(|row| row.0 == *self);
        match (self, curve) {
            (KeyKind::Rsa(bits), _) => write!(f, "rsa-{bits}"),
            (_, curve) => f.write_str(curve.map_or("", |row| row.1)),
        }
    }
}

impl std::str::FromStr for KeyKind {
    type Err = Error;

    /// Reads `rsa-2048` to `rsa-8192`, `p-256`, `p-384`, `p-521`.
    fn from_str(name: &str) -> Result<KeyKind, Error> {
        let lower = name.to_ascii_lowercase();
        if let Some(row) = CURVES.iter().find(|row| row.1 == lower) {
            return Ok(row.0);
        }
        let bits = lower
            .strip_prefix("rsa-")
            .and_then(|bits| bits.parse().ok());
        bits.filter(|bits| RSA_BITS.contains(bits))
            .map(KeyKind::Rsa)
            .ok_or_else(|| bad("keys are rsa-2048 to rsa-8192, p-256, p-384 and p-521"))
    }
}

/// The curve of an EC key, if it is one of ours.
fn curve<T: HasPublic>(key: &PKey<T>) -> Option<KeyKind> {
    let nid = key.ec_key().ok()?.group().curve_name()?;
    CURVES.iter().find(|row| row.2 == nid).map(|row| row.0)
}

/// A pinned certificate: used by its key, never by a chain.
#[derive(Clone)]
pub struct Certificate {
    x509: X509,
    pub(crate) key: Key<Public>,
    /// DER of issuer and serial number, one after the other, as CMS names a certificate.
    pub(crate) issuer_serial: Vec<u8>,
    pub(crate) key_id: Option<Vec<u8>>,
    fingerprint: String,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    weakness: Option<String>,
}

impl Certificate {
    /// The first certificate of a PEM file.
    ///
    /// # Errors
    /// No certificate in it, or one that OpenSSL cannot read.
    pub fn from_pem(pem: &[u8]) -> Result<Certificate, Error> {
        Certificate::new(X509::from_pem(pem).map_err(|_| bad("no PEM certificate in the file"))?)
    }

    /// A DER certificate. Errors as [`Certificate::from_pem`].
    pub fn from_der(der: &[u8]) -> Result<Certificate, Error> {
        Certificate::new(X509::from_der(der).map_err(|_| bad("no DER certificate"))?)
    }

    pub(crate) fn new(x509: X509) -> Result<Certificate, Error> {
        let der = x509.to_der()?;
        let key = x509.public_key();
        let key = key.map_err(|_| bad("the certificate's public key is not usable"))?;
        Ok(Certificate {
            issuer_serial: issuer_serial(&der)?,
            key_id: x509.subject_key_id().map(|id| id.as_slice().to_vec()),
            fingerprint: hex(&x509.digest(MessageDigest::sha256())?),
            not_before: moment(x509.not_before())?,
            not_after: moment(x509.not_after())?,
            weakness: weakness(&key),
            key: Key::new(key),
            x509,
        })
    }

    /// SHA-256 of the certificate, 64 lower-case hex digits.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The subject on one line, such as `CN=partner, O=ACME`.
    pub fn subject(&self) -> String {
        line(self.x509.subject_name())
    }

    /// The issuer on one line, as the subject is written.
    pub fn issuer(&self) -> String {
        line(self.x509.issuer_name())
    }

    /// The serial number in decimal, as it is written where certificates are named by it.
    pub fn serial(&self) -> String {
        let number = self.x509.serial_number().to_bn();
        let digits = number.and_then(|number| Ok(number.to_dec_str()?.to_string()));
        digits.unwrap_or_default()
    }

    /// The kind of its key: `rsa-2048`, `p-256` …
    pub fn key_name(&self) -> String {
        match (self.key.id(), curve(&self.key)) {
            (_, Some(curve)) => curve.to_string(),
            (Id::RSA | Id::RSA_PSS, _) => KeyKind::Rsa(self.key.bits()).to_string(),
            _ => format!("a key of {} bits", self.key.bits()),
        }
    }

    /// When its validity begins.
    pub fn not_before(&self) -> DateTime<Utc> {
        self.not_before
    }

    /// When its validity ends.
    pub fn not_after(&self) -> DateTime<Utc> {
        self.not_after
    }

    /// Whether it is valid at that time.
    pub fn valid_at(&self, at: DateTime<Utc>) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// What is wrong with its key, if anything: `None` for RSA of 2048 to 8192 bits and for EC on
    /// P-256, P-384 and P-521.
    pub fn weakness(&self) -> Option<String> {
        self.weakness.clone()
    }

    /// Whether its key usage, where it names any, lets it sign (RFC 8550 §4.4.2).
    pub fn signs(&self) -> bool {
        self.used_for(X509KeyUsage::DIGITAL_SIGNATURE | X509KeyUsage::NON_REPUDIATION)
    }

    /// Whether its key usage, where it names any, lets content keys be encrypted to it.
    pub fn encrypts(&self) -> bool {
        self.used_for(match self.key.id() {
            Id::EC => X509KeyUsage::KEY_AGREEMENT,
            _ => X509KeyUsage::KEY_ENCIPHERMENT,
        })
    }

    fn used_for(&self, wanted: X509KeyUsage) -> bool {
        self.x509
            .key_usage()
            .is_none_or(|usage| usage.intersects(wanted))
    }

    /// The certificate as PEM.
    ///
    /// # Errors
    /// Only where OpenSSL has no memory.
    pub fn to_pem(&self) -> Result<Vec<u8>, Error> {
        Ok(self.x509.to_pem()?)
    }

    pub(crate) fn to_der(&self) -> Result<Vec<u8>, Error> {
        Ok(self.x509.to_der()?)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.fingerprint)
    }
}

/// A certificate of ours with its private key. It has no `Debug`, on purpose.
#[derive(Clone)]
pub struct Identity {
    /// The certificate, to be given to partners.
    pub certificate: Certificate,
    pub(crate) key: Key<Private>,
    /// Secret and fixed for a key: what a content key is made from when unwrapping fails.
    pub(crate) rejection: Zeroizing<[u8; 32]>,
    /// A signature part without a signature: what is checked where nothing came to check.
    pub(crate) dummy: Arc<[u8]>,
}

impl Identity {
    /// From a PKCS#12 file.
    ///
    /// # Errors
    /// Not PKCS#12, a wrong password, an algorithm of the last century, no key or no certificate.
    pub fn from_pkcs12(der: &[u8], password: &str) -> Result<Identity, Error> {
        let file = Pkcs12::from_der(der).map_err(|_| bad("not a PKCS#12 file"))?;
        let parsed = file.parse2(password).map_err(|_| {
            bad(
                "the PKCS#12 file does not open: wrong password, or RC2-40 encryption, \
                 which `openssl pkcs12 -legacy` can renew",
            )
        })?;
        let key = parsed
            .pkey
            .ok_or_else(|| bad("no private key in the PKCS#12 file"))?;
        let x509 = parsed
            .cert
            .ok_or_else(|| bad("no certificate for the key in the PKCS#12 file"))?;
        Identity::new(x509, key)
    }

    /// From a PEM certificate and an unencrypted PEM key, which may be one file.
    ///
    /// # Errors
    /// One of them missing, or the key is another certificate's.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Identity, Error> {
        let x509 =
            X509::from_pem(certificate).map_err(|_| bad("no PEM certificate in the file"))?;
        let key = PKey::private_key_from_pem_callback(key, |_| Ok(0))
            .map_err(|_| bad("no unencrypted PEM private key in the file"))?;
        Identity::new(x509, key)
    }

    /// The same from a key under a password: PKCS#8 or what OpenSSL wrote before it.
    ///
    /// # Errors
    /// As [`Identity::from_pem`], and a wrong password.
    pub fn from_sealed_pem(
        certificate: &[u8],
        key: &[u8],
        password: &str,
    ) -> Result<Identity, Error> {
        let x509 =
            X509::from_pem(certificate).map_err(|_| bad("no PEM certificate in the file"))?;
        let key = PKey::private_key_from_pem_passphrase(key, password.as_bytes())
            .map_err(|_| bad("no PEM private key that opens with this password"))?;
        Identity::new(x509, key)
    }

    /// A fresh self-signed RSA-2048 identity: what every AS2 partner reads. The key is drawn
    /// inside OpenSSL. A name that is a host or an address is its subject alternative name too.
    ///
    /// # Errors
    /// A name that X.509 cannot hold (64 characters) or dates that it cannot write.
    pub fn generate(
        common_name: &str,
        serial: u64,
        not_before: DateTime<Utc>,
        not_after: DateTime<Utc>,
    ) -> Result<Identity, Error> {
        Identity::generate_as(
            KeyKind::Rsa(2048),
            common_name,
            serial,
            not_before,
            not_after,
        )
    }

    /// As [`Identity::generate`], with a key of that kind.
    ///
    /// # Errors
    /// As there, and RSA keys that are too short or too long.
    pub fn generate_as(
        kind: KeyKind,
        common_name: &str,
        serial: u64,
        not_before: DateTime<Utc>,
        not_after: DateTime<Utc>,
    ) -> Result<Identity, Error> {
        let key = kind.draw()?;
        let mut name = X509NameBuilder::new()?;
        name.append_entry_by_text("CN", common_name)
            .map_err(|_| bad("a common name has 1 to 64 characters"))?;
        let name = name.build();
        let mut x509 = X509::builder()?;
        x509.set_version(2)?;
        let serial = BigNum::from_slice(&serial.to_be_bytes())?;
        x509.set_serial_number(Asn1Integer::from_bn(&serial)?.as_ref())?;
        x509.set_subject_name(&name)?;
        x509.set_issuer_name(&name)?;
        x509.set_not_before(Asn1Time::from_unix(not_before.timestamp())?.as_ref())?;
        x509.set_not_after(Asn1Time::from_unix(not_after.timestamp())?.as_ref())?;
        x509.set_pubkey(&key)?;
        x509.append_extension(BasicConstraints::new().critical().build()?)?;
        let mut usage = KeyUsage::new();
        usage.critical().digital_signature();
        match kind {
            KeyKind::Rsa(_) => usage.key_encipherment(),
            _ => usage.key_agreement(),
        };
        x509.append_extension(usage.build()?)?;
        let key_id = SubjectKeyIdentifier::new().build(&x509.x509v3_context(None, None))?;
        x509.append_extension(key_id)?;
        if let Some(host) = host(common_name) {
            let host = host.build(&x509.x509v3_context(None, None))?;
            x509.append_extension(host)?;
        }
        x509.sign(&key, MessageDigest::sha256())?;
        Identity::new(x509.build(), key)
    }

    fn new(x509: X509, key: PKey<Private>) -> Result<Identity, Error> {
        let certificate = Certificate::new(x509)?;
        if key.id() != Id::RSA && curve(&key).is_none() {
            return Err(bad(
                "our own key has to be RSA, or EC on P-256, P-384 or P-521",
            ));
        }
        if !certificate.key.public_eq(&key) {
            return Err(bad("the private key is not the certificate's"));
        }
        let mut der = key.private_key_to_der()?;
        let rejection = Zeroizing::new(openssl::sha::sha256(&der));
        der.zeroize();
        let mut identity = Identity {
            certificate,
            key: Key::new(key),
            rejection,
            dummy: Arc::default(),
        };
        identity.dummy = signed::dummy(&identity)?.into();
        Ok(identity)
    }

    /// Certificate and private key as a PKCS#12 file.
    ///
    /// # Errors
    /// Only where OpenSSL refuses the password.
    pub fn to_pkcs12(&self, name: &str, password: &str) -> Result<Vec<u8>, Error> {
        let mut builder = Pkcs12::builder();
        builder
            .name(name)
            .pkey(&self.key)
            .cert(&self.certificate.x509);
        Ok(builder.build2(password)?.to_der()?)
    }

    /// The private key as unencrypted PKCS#8 PEM; wiped when it is dropped.
    ///
    /// # Errors
    /// Only where OpenSSL has no memory.
    pub fn private_key_to_pem(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(Zeroizing::new(self.key.private_key_to_pem_pkcs8()?))
    }
}

/// The keys of one partnership. The first identity and the first certificate that are valid
/// are used for sending; every one is tried by its name for receiving.
#[derive(Clone, Default)]
pub struct Keys {
    /// Our identities, the one that signs first.
    pub ours: Vec<Identity>,
    /// The partner's pinned certificates, the one that we encrypt to first.
    pub theirs: Vec<Certificate>,
}

impl Keys {
    pub(crate) fn signer(&self, at: DateTime<Utc>) -> Result<&Identity, Error> {
        let fits = |us: &&Identity| {
            let certificate = &us.certificate;
            certificate.valid_at(at) && certificate.signs() && certificate.weakness().is_none()
        };
        let signer = self.ours.iter().find(fits);
        signer.ok_or_else(|| bad("none of our certificates is valid now, strong, and may sign"))
    }

    /// The certificate to encrypt to where one is enough.
    pub(crate) fn recipient(&self, at: DateTime<Utc>) -> Result<&Certificate, Error> {
        Ok(self.recipients(at)?[0])
    }

    /// The certificates that may be encrypted to, at least one.
    pub(crate) fn recipients(&self, at: DateTime<Utc>) -> Result<Vec<&Certificate>, Error> {
        let fits = |theirs: &&Certificate| {
            theirs.valid_at(at) && theirs.encrypts() && theirs.weakness().is_none()
        };
        let recipients: Vec<_> = self.theirs.iter().filter(fits).collect();
        match recipients.is_empty() {
            false => Ok(recipients),
            true => Err(bad(
                "none of the partner's certificates is valid now, strong, and may be encrypted to",
            )),
        }
    }
}

fn weakness(key: &PKey<Public>) -> Option<String> {
    let bits = key.bits();
    match key.id() {
        Id::RSA | Id::RSA_PSS if RSA_BITS.contains(&bits) => None,
        Id::RSA | Id::RSA_PSS => Some(format!("RSA key of {bits} bits")),
        Id::EC if curve(key).is_some() => None,
        Id::EC => Some(format!("EC key of {bits} bits on another curve")),
        _ => Some("key that is neither RSA nor EC".to_owned()),
    }
}

/// A distinguished name on one line, such as `CN=partner, O=ACME`.
fn line(name: &X509NameRef) -> String {
    let entries = name.entries().map(|entry| {
        let value = entry.data().to_string().unwrap_or_default();
        let kind = entry.object().nid().short_name().unwrap_or("?");
        format!("{kind}={value}")
    });
    entries.collect::<Vec<_>>().join(", ")
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let digits = |byte: &u8| [digit(byte >> 4), digit(byte & 15)];
    bytes.iter().flat_map(digits).collect()
}

/// The common name as TLS looks for it (RFC 9525 §4.1), where it is a host or an address: such a
/// certificate may stand before a listener.
fn host(common_name: &str) -> Option<SubjectAlternativeName> {
    let mut names = SubjectAlternativeName::new();
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let mut parts = common_name.split('.').map(str::parse::<u8>);
    match parts.clone().count() == 4 && parts.all(|part| part.is_ok()) {
        true => names.ip(common_name),
        false if common_name.contains('.') && common_name.bytes().all(letters) => {
            names.dns(common_name)
        }
        false => return None,
    };
    Some(names)
}

fn bad(problem: &str) -> Error {
    Error::Key(problem.to_owned())
}

fn moment(time: &Asn1TimeRef) -> Result<DateTime<Utc>, Error> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    DateTime::UNIX_EPOCH
        .checked_add_signed(TimeDelta::seconds(seconds))
        .ok_or_else(|| bad("the certificate's dates are out of range"))
}

/// Certificate = SEQ { tbs SEQ { [0] version OPTIONAL, serial, algorithm, issuer, … } … }
fn issuer_serial(certificate: &[u8]) -> Result<Vec<u8>, Error> {
    let mut tbs = Der::new(certificate).sequence()?.sequence()?;
    tbs.optional(0xA0)?;
    let serial = tbs.expect(0x02)?.raw;
    tbs.expect(0x30)?;
    let issuer = tbs.expect(0x30)?.raw;
    Ok([issuer, serial].concat())
}
