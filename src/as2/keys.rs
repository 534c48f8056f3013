//! Our identities, the partners' pinned certificates, and the fresh bytes that we draw.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use openssl::asn1::{Asn1Integer, Asn1Time, Asn1TimeRef};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectKeyIdentifier};
use openssl::x509::{X509, X509NameBuilder};
use zeroize::{Zeroize, Zeroizing};

use super::cms::ber::Der;
use super::error::Error;

/// Where fresh bytes come from: content keys, IVs, message ids, boundaries.
pub type Entropy<'a> = &'a mut dyn FnMut(&mut [u8]);

/// RSA key sizes that are used: shorter is broken, longer is a way to waste our time.
pub(crate) const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// A pinned certificate: used by its key, never by a chain.
#[derive(Clone)]
pub struct Certificate {
    x509: X509,
    pub(crate) key: PKey<Public>,
    /// DER of issuer and serial number, one after the other, as CMS names a certificate.
    pub(crate) issuer_serial: Vec<u8>,
    pub(crate) key_id: Option<Vec<u8>>,
    fingerprint: String,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
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
        Ok(Certificate {
            key: x509
                .public_key()
                .map_err(|_| bad("the certificate's public key is not usable"))?,
            issuer_serial: issuer_serial(&der)?,
            key_id: x509.subject_key_id().map(|id| id.as_slice().to_vec()),
            fingerprint: hex(&x509.digest(MessageDigest::sha256())?),
            not_before: moment(x509.not_before())?,
            not_after: moment(x509.not_after())?,
            x509,
        })
    }

    /// SHA-256 of the certificate, 64 lower-case hex digits.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The subject on one line, such as `CN=partner, O=ACME`.
    pub fn subject(&self) -> String {
        let entries = self.x509.subject_name().entries().map(|entry| {
            let value = entry.data().to_string().unwrap_or_default();
            format!(
                "{}={value}",
                entry.object().nid().short_name().unwrap_or("?")
            )
        });
        entries.collect::<Vec<_>>().join(", ")
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

    /// What is wrong with its key, if anything: `None` for RSA of 2048 to 8192 bits and EC.
    pub fn weakness(&self) -> Option<String> {
        let bits = self.key.bits();
        let rsa = self.key.id() == Id::RSA;
        (rsa && !RSA_BITS.contains(&bits)).then(|| format!("RSA key of {bits} bits"))
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
    pub(crate) key: PKey<Private>,
    /// Secret and fixed for a key: what a content key is made from when unwrapping fails.
    pub(crate) rejection: Zeroizing<[u8; 32]>,
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

    /// A fresh self-signed RSA-2048 identity. The key is drawn inside OpenSSL.
    ///
    /// # Errors
    /// A name that X.509 cannot hold (64 characters) or dates that it cannot write.
    pub fn generate(
        common_name: &str,
        serial: u64,
        not_before: DateTime<Utc>,
        not_after: DateTime<Utc>,
    ) -> Result<Identity, Error> {
        let key = PKey::from_rsa(Rsa::generate(2048)?)?;
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
        let usage = KeyUsage::new()
            .critical()
            .digital_signature()
            .key_encipherment()
            .build()?;
        x509.append_extension(usage)?;
        let key_id = SubjectKeyIdentifier::new().build(&x509.x509v3_context(None, None))?;
        x509.append_extension(key_id)?;
        x509.sign(&key, MessageDigest::sha256())?;
        Identity::new(x509.build(), key)
    }

    fn new(x509: X509, key: PKey<Private>) -> Result<Identity, Error> {
        let certificate = Certificate::new(x509)?;
        if key.id() != Id::RSA {
            return Err(bad("our own key has to be RSA: every AS2 partner knows it"));
        }
        if !certificate.key.public_eq(&key) {
            return Err(bad("the private key is not the certificate's"));
        }
        let mut der = key.private_key_to_der()?;
        let rejection = Zeroizing::new(openssl::sha::sha256(&der));
        der.zeroize();
        Ok(Identity {
            certificate,
            key,
            rejection,
        })
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
        let valid = self
            .ours
            .iter()
            .find(|identity| identity.certificate.valid_at(at));
        valid.ok_or_else(|| bad("none of our certificates is valid now"))
    }

    pub(crate) fn recipient(&self, at: DateTime<Utc>) -> Result<&Certificate, Error> {
        let valid = self
            .theirs
            .iter()
            .find(|certificate| certificate.valid_at(at));
        valid.ok_or_else(|| bad("none of the partner's certificates is valid now"))
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
