//! SignedData (RFC 5652 §5): exactly one signer, and it is a pinned certificate.
//!
//! ```text
//! SignedData = SEQ { version, SET OF digest, SEQ { id-data, [0] octets? },
//!                    [0] certificates?, [1] crls?, SET OF signer }
//! signer     = SEQ { version, issuer+serial | [0] key id, digest, [0] attributes?,
//!                    algorithm, octets, [1] attributes? }
//! ```
//!
//! Certificates inside a message are skipped unread: they prove nothing.

use chrono::{DateTime, Utc};
use openssl::pkey::Id;
use openssl::rsa::Padding;
use openssl::sign::RsaPssSaltlen;

use super::ber::{Ber, Der, Tlv};
use super::recipient::Name;
use super::{Algorithm, DIGESTS, der, digest_oid, oid, unknown};
use crate::as2::error::Error;
use crate::as2::key::md;
use crate::as2::keys::{Certificate, Identity};
use crate::as2::mic::{Digest, Digested, Mic};
use crate::as2::{mime, wrapper};

/// Reads up to the content: the digests that the signer says he used. The content is next
/// where [`Ber::peek`] says `A0`; where it does not, it stands elsewhere.
pub(crate) fn read_beginning(ber: &mut Ber<'_>) -> Result<Vec<Digest>, Error> {
    ber.enter(0x30)?;
    Der::new(&ber.element()?).small()?;
    let set = ber.element()?;
    let mut algorithms = Der::new(&set).expect(0x31)?.der();
    let mut digests = Vec::new();
    while !algorithms.is_empty() {
        digests.extend(super::digest_of(Algorithm::read(&mut algorithms)?.oid));
    }
    if digests.is_empty() {
        return Err(Error::Unsupported(
            "a signature without a known digest".into(),
        ));
    }
    super::enter_data(ber)?;
    Ok(digests)
}

/// Reads what follows the content: the one signer.
pub(crate) fn read_end(ber: &mut Ber<'_>) -> Result<SignerInfo, Error> {
    ber.leave()?;
    while matches!(ber.peek()?, Some(0xA0 | 0xA1)) {
        ber.element()?;
    }
    let set = ber.element()?;
    ber.leave()?;
    let mut signers = Der::new(&set).expect(0x31)?.der();
    let signer = SignerInfo::read(signers.sequence()?)?;
    match signers.is_empty() {
        true => Ok(signer),
        false => Err(Error::Unsupported("more than one signer".into())),
    }
}

/// A detached signature in memory.
pub(crate) fn read_detached(mut bytes: &[u8]) -> Result<SignerInfo, Error> {
    let mut ber = Ber::new(&mut bytes);
    match super::enter(&mut ber)?.as_slice() {
        oid::SIGNED_DATA => {}
        other => return Err(unknown("signature", other)),
    }
    read_beginning(&mut ber)?;
    if ber.peek()? == Some(0xA0) {
        return Err(Error::Cms(
            "a detached signature with content of its own".into(),
        ));
    }
    let signer = read_end(&mut ber)?;
    super::leave(&mut ber)?;
    match bytes.trim_ascii_start().is_empty() {
        true => Ok(signer),
        false => Err(Error::Cms("bytes after the signature".into())),
    }
}

/// One signature.
pub(crate) struct SignerInfo {
    name: Name,
    digest: Digest,
    attributes: Option<Attributes>,
    scheme: Scheme,
    signature: Vec<u8>,
}

enum Scheme {
    /// RSA PKCS #1 v1.5 or ECDSA: the key says which.
    Plain,
    Pss {
        /// The digest is the signer's.
        mgf: Digest,
        /// Its length in bytes, or [`SALT_AS_FOUND`].
        salt: i32,
    },
}

/// OpenSSL's word for a salt as long as the one in the signature.
const SALT_AS_FOUND: i32 = -2;

/// Signed attributes: their bytes as a SET, and the two that bind the content.
struct Attributes {
    /// The set as DER sorts it, which is what is signed (RFC 5652 §5.4).
    der: Vec<u8>,
    /// The set as it stands, which some software signs though it is not sorted.
    as_came: Vec<u8>,
    content_digest: Vec<u8>,
}

/// Who signed, and how: after everything held.
pub(crate) struct Verified<'a> {
    pub(crate) digest: Digest,
    pub(crate) algorithm: String,
    pub(crate) signer: &'a Certificate,
}

impl SignerInfo {
    fn read(mut from: Der<'_>) -> Result<SignerInfo, Error> {
        let name = Name::read(&mut from, [1, 3])?;
        let digest = Algorithm::read(&mut from)?.digest()?;
        let attributes = from.optional(0xA0)?.map(Attributes::read).transpose()?;
        let scheme = Scheme::read(&Algorithm::read(&mut from)?, digest)?;
        let signature = from.next()?;
        if signature.tag & !0x20 != 0x04 {
            return Err(Error::Cms("a signer without signature".into()));
        }
        let signature = signature.octets()?;
        from.optional(0xA1)?;
        from.finish()?;
        Ok(SignerInfo {
            name,
            digest,
            attributes,
            scheme,
            signature,
        })
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// Checks the signature against the pinned certificates and the content's digests.
    /// Policy (weak algorithms, validity in time) is the caller's.
    ///
    /// # Errors
    /// No pinned certificate has the signer's name, the signature is not its key's, or the
    /// content is not what was signed.
    pub(crate) fn verify<'a>(
        &self,
        content: &Digested,
        pinned: &'a [Certificate],
    ) -> Result<Verified<'a>, Error> {
        let named: Vec<_> = pinned
            .iter()
            .filter(|pinned| self.name.is(pinned))
            .collect();
        if let Some(signer) = pinned
            .first()
            .filter(|_| planted!("embedded-certificate-trusted"))
        {
            let algorithm = self.digest.to_string();
            return Ok(Verified {
                digest: self.digest,
                algorithm,
                signer,
            });
        }
        if named.is_empty() {
            return Err(Error::UnknownSigner(self.name.shown()));
        }
        let computed = content.get(self.digest).ok_or_else(|| {
            Error::Unsupported(format!(
                "a {} signature announced as something else",
                self.digest
            ))
        })?;
        let holds = |certificate: &&&Certificate| {
            self.signature_holds(certificate, computed, content.first)
                .unwrap_or(false)
        };
        let signer = named
            .iter()
            .find(holds)
            .ok_or_else(|| Error::Signature(named[0].fingerprint().to_owned()))?;
        if let Some(attributes) = &self.attributes {
            let claimed = Mic {
                digest: self.digest,
                value: attributes.content_digest.clone(),
            };
            if claimed != *computed && !planted!("content-digest-not-compared") {
                return Err(Error::Integrity {
                    digest: self.digest,
                });
            }
        }
        let algorithm = match (&self.scheme, signer.key.id()) {
            (Scheme::Pss { .. }, _) => "rsa-pss",
            (Scheme::Plain, Id::EC) => "ecdsa",
            (Scheme::Plain, _) => "rsa-pkcs1",
        };
        let algorithm = format!("{algorithm} {}", self.digest);
        Ok(Verified {
            digest: self.digest,
            algorithm,
            signer,
        })
    }

    fn signature_holds(
        &self,
        certificate: &Certificate,
        content: &Mic,
        first: Option<u8>,
    ) -> Result<bool, Error> {
        let Some(attributes) = &self.attributes else {
            // The signature over a SET of attributes is also one over content with the same
            // bytes: content that begins like such a SET is refused.
            if first == Some(0x31) {
                return Ok(false);
            }
            return self.scheme.holds(certificate, content, &self.signature);
        };
        let holds = |set: &[u8]| {
            let over = Mic::of(set, self.digest)?;
            self.scheme.holds(certificate, &over, &self.signature)
        };
        let sorted = attributes.as_came == attributes.der;
        Ok(holds(&attributes.der)? || (!sorted && holds(&attributes.as_came)?))
    }
}

/// The work of a signature check, for where there is nothing to check: the dummy of `us` is read,
/// and held against a pinned key.
pub(crate) fn verify_nothing(us: &Identity, pinned: &Certificate) -> Result<(), Error> {
    let mut signer = read_detached(&wrapper::signature(&us.dummy[..], true)?)?;
    signer.signature = match pinned.key.id() {
        // Two numbers that are in range.
        Id::EC => b"\x30\x06\x02\x01\x01\x02\x01\x01".to_vec(),
        _ => vec![1; pinned.key.size()],
    };
    let content = Mic {
        digest: signer.digest,
        value: Vec::new(),
    };
    let _ = signer.signature_holds(pinned, &content, None);
    Ok(())
}

/// A signature part as `us` writes it, with nothing for a signature.
pub(crate) fn dummy(us: &Identity) -> Result<Vec<u8>, Error> {
    let digest = Digest::Sha256;
    let nothing = Mic {
        digest,
        value: vec![0; digest.openssl().size()],
    };
    let signature = write_unsigned(RsaSignature::Pkcs1, &nothing, us, DateTime::UNIX_EPOCH)?;
    let part = mime::signature_part("", &signature);
    // Without the boundaries around it.
    Ok(part[b"\r\n--\r\n".len()..part.len() - b"\r\n----\r\n".len()].to_vec())
}

impl Scheme {
    /// Whether it is the signature of this certificate's key over content of that digest.
    fn holds(
        &self,
        certificate: &Certificate,
        over: &Mic,
        signature: &[u8],
    ) -> Result<bool, Error> {
        if let (Scheme::Plain, Id::RSA) = (self, certificate.key.id()) {
            return pkcs1_holds(certificate, over, signature);
        }
        certificate.key.with(|context| {
            context.verify_init()?;
            if let Scheme::Pss { mgf, salt } = self {
                context.set_rsa_padding(Padding::PKCS1_PSS)?;
                context.set_rsa_pss_saltlen(RsaPssSaltlen::custom(*salt))?;
                context.set_rsa_mgf1_md(md(*mgf))?;
            }
            context.set_signature_md(md(over.digest))?;
            Ok(context.verify(&over.value, signature).unwrap_or(false))
        })
    }

    fn read(algorithm: &Algorithm<'_>, digest: Digest) -> Result<Scheme, Error> {
        if algorithm.oid == oid::PSS {
            let Some(parameters) = algorithm.parameters else {
                // They are due (RFC 4056 §3). Who leaves them out means the digest of the signer
                // for all, and says nothing of the salt.
                return Ok(Scheme::Pss {
                    mgf: digest,
                    salt: SALT_AS_FOUND,
                });
            };
            let mut inside = parameters.der();
            let (hash, mgf) = super::hash_and_mgf(&mut inside)?;
            let salt = match inside.optional(0xA2)? {
                Some(tagged) => i32::from(tagged.der().small()?),
                None => 20,
            };
            if inside
                .optional(0xA3)?
                .is_some_and(|field| field.content != [0x02, 0x01, 0x01])
            {
                return Err(Error::Unsupported("an RSASSA-PSS trailer".into()));
            }
            inside.finish()?;
            return match hash == digest {
                true => Ok(Scheme::Pss { mgf, salt }),
                false => Err(Error::Cms("RSASSA-PSS with two digests".into())),
            };
        }
        algorithm.plain()?;
        let same = |row: &super::Named| {
            row.digest == digest && [row.rsa, row.ecdsa].contains(&algorithm.oid)
        };
        match algorithm.oid == oid::RSA || DIGESTS.iter().any(same) {
            true => Ok(Scheme::Plain),
            false => Err(unknown("signature algorithm", algorithm.oid)),
        }
    }
}

impl Attributes {
    /// Each attribute at most once, with one value; the two that bind the content are due.
    fn read(set: Tlv<'_>) -> Result<Attributes, Error> {
        let mut list = set.der();
        let (mut seen, mut each): (Vec<&[u8]>, Vec<Vec<u8>>) = Default::default();
        let (mut kind, mut content_digest) = (None, None);
        while !list.is_empty() {
            let whole = list.expect(0x30)?;
            each.push(whole.raw.to_vec());
            let mut attribute = whole.der();
            let name = attribute.expect(0x06)?.content;
            let mut values = attribute.expect(0x31)?.der();
            attribute.finish()?;
            let value = values.next()?;
            if seen.contains(&name) || !values.is_empty() {
                return Err(Error::Cms("a signed attribute with two values".into()));
            }
            seen.push(name);
            match name {
                oid::CONTENT_TYPE => kind = Some(value.content),
                oid::MESSAGE_DIGEST => content_digest = Some(value.octets()?),
                _ => {}
            }
        }
        let content_digest = content_digest.filter(|_| kind == Some(oid::DATA));
        let content_digest = content_digest.ok_or_else(|| {
            Error::Cms("signed attributes without content type and message digest".into())
        })?;
        Ok(Attributes {
            der: der::set_of(0x31, each),
            as_came: der::element(0x31, &[set.content]),
            content_digest,
        })
    }
}

/// How an RSA key of ours signs. An EC key signs ECDSA whatever is said here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RsaSignature {
    /// PKCS #1 v1.5: what every AS2 partner reads.
    #[default]
    Pkcs1,
    /// RSASSA-PSS (RFC 4056), MGF1 with the same digest, a salt as long as the digest.
    Pss,
}

impl std::str::FromStr for RsaSignature {
    type Err = Error;

    /// Reads `rsa-pkcs1` and `rsa-pss`.
    fn from_str(name: &str) -> Result<RsaSignature, Error> {
        match name {
            "rsa-pkcs1" | "pkcs1" => Ok(RsaSignature::Pkcs1),
            "rsa-pss" | "pss" => Ok(RsaSignature::Pss),
            _ => Err(Error::Unsupported(format!("signature {name:?}"))),
        }
    }
}

/// A detached signature over content of that digest, in DER, with our certificate inside.
pub(crate) fn write(
    rsa: RsaSignature,
    mic: &Mic,
    us: &Identity,
    at: DateTime<Utc>,
) -> Result<Vec<u8>, Error> {
    frame(rsa, mic, us, at, |attributes| {
        sign(rsa, mic.digest, us, attributes)
    })
}

/// As [`write`] with nothing for a signature: as long, and a thousand times cheaper.
pub(crate) fn write_unsigned(
    rsa: RsaSignature,
    mic: &Mic,
    us: &Identity,
    at: DateTime<Utc>,
) -> Result<Vec<u8>, Error> {
    frame(rsa, mic, us, at, |_| Ok(vec![0; signature_length(us)]))
}

/// How often an ECDSA signature of the announced length is tried for: half of them have it.
const TRIES: usize = 128;

/// The length of our signatures. An RSA one is as long as its key. ECDSA's two numbers lose
/// their leading zeros in DER; ours are of the commonest length, so that it is known beforehand.
fn signature_length(us: &Identity) -> usize {
    if us.key.id() != Id::EC {
        return us.key.size();
    }
    let bits = us.key.bits() as usize;
    let (whole, sign) = (bits.div_ceil(8), usize::from(bits.is_multiple_of(8)));
    der::element(0x30, &[&vec![0; 2 * (2 + whole) + sign]]).len()
}

fn sign(
    rsa: RsaSignature,
    digest: Digest,
    us: &Identity,
    attributes: &[u8],
) -> Result<Vec<u8>, Error> {
    let due = signature_length(us);
    let over = Mic::of(attributes, digest)?;
    for _ in 0..TRIES {
        let signature = us.key.with(|context| {
            context.sign_init()?;
            if rsa == RsaSignature::Pss && us.key.id() == Id::RSA {
                context.set_rsa_padding(Padding::PKCS1_PSS)?;
                context.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
                context.set_rsa_mgf1_md(md(digest))?;
            }
            context.set_signature_md(md(digest))?;
            let mut signature = Vec::new();
            context.sign_to_vec(&over.value, &mut signature)?;
            Ok(signature)
        })?;
        if signature.len() == due {
            return Ok(signature);
        }
    }
    Err(Error::Key(format!("no signature of {due} bytes came")))
}

/// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2): the block that is due is made, and compared with the one
/// that the signature holds. OpenSSL makes an error of a wrong one, which takes time; this takes the
/// same for all.
fn pkcs1_holds(certificate: &Certificate, over: &Mic, signature: &[u8]) -> Result<bool, Error> {
    let size = certificate.key.size();
    let algorithm = der::element(0x30, &[&der::oid(digest_oid(over.digest)), &[0x05, 0x00]]);
    let value = der::element(0x04, &[&over.value]);
    let info = der::element(0x30, &[&algorithm, &value]);
    let mut due = vec![0xFF; size];
    let Some(at) = size.checked_sub(info.len() + 1).filter(|at| *at >= 10) else {
        return Ok(false);
    };
    due[..2].copy_from_slice(&[0, 1]);
    due[at] = 0;
    due[at + 1..].copy_from_slice(&info);
    let mut block = vec![0; size];
    certificate.key.with(|context| {
        context.encrypt_init()?;
        context.set_rsa_padding(Padding::NONE)?;
        // What has another length, or is no number below the modulus, is no signature.
        let raised = context.encrypt(signature, Some(&mut block));
        Ok(raised.is_ok_and(|length| length == size) && openssl::memcmp::eq(&block, &due))
    })
}

/// The signature's AlgorithmIdentifier (RFC 3370, 4056, 5754).
fn scheme(rsa: RsaSignature, digest: Digest, us: &Identity) -> Vec<u8> {
    let named = DIGESTS.iter().find(|row| row.digest == digest);
    match (us.key.id(), rsa) {
        (Id::EC, _) => der::element(0x30, &[&der::oid(named.map_or(b"", |row| row.ecdsa))]),
        (_, RsaSignature::Pkcs1) => der::element(0x30, &[&der::oid(oid::RSA), &[0x05, 0x00]]),
        (_, RsaSignature::Pss) => {
            let salt = [0x02, 0x01, digest.openssl().size() as u8];
            let parameters = super::write_hash_and_mgf(digest, digest);
            let parameters = der::element(0x30, &[&parameters, &der::element(0xA2, &[&salt])]);
            der::element(0x30, &[&der::oid(oid::PSS), &parameters])
        }
    }
}

fn frame(
    rsa: RsaSignature,
    mic: &Mic,
    us: &Identity,
    at: DateTime<Utc>,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, Error>,
) -> Result<Vec<u8>, Error> {
    let attribute = |name: &[u8], value: Vec<u8>| {
        der::element(0x30, &[&der::oid(name), &der::element(0x31, &[&value])])
    };
    let attributes = vec![
        attribute(oid::CONTENT_TYPE, der::oid(oid::DATA)),
        attribute(oid::SIGNING_TIME, time(at)),
        attribute(oid::MESSAGE_DIGEST, der::element(0x04, &[&mic.value])),
    ];
    let signature = sign(&der::set_of(0x31, attributes.clone()))?;
    let signature = der::element(0x04, &[&signature]);

    let digest = der::element(0x30, &[&der::oid(digest_oid(mic.digest))]);
    let name = der::element(0x30, &[&us.certificate.issuer_serial]);
    let scheme = scheme(rsa, mic.digest, us);
    let attributes = der::set_of(0xA0, attributes);
    let version = [0x02, 0x01, 0x01];
    let info = der::element(
        0x30,
        &[&version, &name, &digest, &attributes, &scheme, &signature],
    );
    let content = der::element(0x30, &[&der::oid(oid::DATA)]);
    let certificates = der::element(0xA0, &[&us.certificate.to_der()?]);
    let digests = der::element(0x31, &[&digest]);
    let infos = der::element(0x31, &[&info]);
    let data = der::element(0x30, &[&version, &digests, &content, &certificates, &infos]);
    Ok(der::element(
        0x30,
        &[&der::oid(oid::SIGNED_DATA), &der::element(0xA0, &[&data])],
    ))
}

/// UTCTime until 2049, GeneralizedTime from then on (RFC 5652 §11.3).
fn time(at: DateTime<Utc>) -> Vec<u8> {
    use chrono::Datelike;
    match at.year() {
        1950..2050 => der::element(0x17, &[at.format("%y%m%d%H%M%SZ").to_string().as_bytes()]),
        _ => der::element(0x18, &[at.format("%Y%m%d%H%M%SZ").to_string().as_bytes()]),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    /// Only the one block that is due is a signature: no shorter padding, nothing behind the digest.
    #[test]
    fn one_block_holds() {
        let at = DateTime::UNIX_EPOCH;
        let us = Identity::generate("us", 1, at, at + TimeDelta::days(1)).unwrap();
        let rsa = us.key.rsa().unwrap();
        let over = Mic::of(b"content", Digest::Sha256).unwrap();
        let signed = sign(RsaSignature::Pkcs1, Digest::Sha256, &us, b"content").unwrap();
        let holds = |signature: &[u8]| pkcs1_holds(&us.certificate, &over, signature).unwrap();
        assert!(holds(&signed));
        let mut block = vec![0; 256];
        rsa.public_decrypt(&signed, &mut block, Padding::NONE)
            .unwrap();
        let raised = |block: &[u8]| {
            let mut signature = vec![0; 256];
            rsa.private_encrypt(block, &mut signature, Padding::NONE)
                .unwrap();
            signature
        };
        assert!(holds(&raised(&block)));
        for at in [1, 2, 100, 204, 206, 220, 255] {
            let mut other = block.clone();
            other[at] ^= 1;
            assert!(!holds(&raised(&other)), "byte {at}");
        }
        // The digest further left, and something behind it.
        let short = [&block[..10], &block[204..], &[7; 194]];
        assert!(!holds(&raised(&short.concat()[..256])));
        assert!(!holds(&signed[1..]) && !holds(&[0xFF; 256]) && !holds(b""));
    }

    #[test]
    fn a_dummy_is_read_like_a_signature() {
        let at = DateTime::UNIX_EPOCH;
        let us = Identity::generate("us", 1, at, at + TimeDelta::days(1)).unwrap();
        verify_nothing(&us, &us.certificate).unwrap();
    }
}
