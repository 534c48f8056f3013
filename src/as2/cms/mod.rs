//! Cryptographic Message Syntax (RFC 5652): the framing, in safe Rust, so that no C parser sees
//! bytes that nobody has authenticated. OpenSSL does the primitives.
//!
//! | content type | read | written |
//! |---|---|---|
//! | SignedData, detached or not | BER | DER |
//! | EnvelopedData, AuthEnvelopedData (RFC 5083) | BER, as a stream | DER, as a stream |
//! | CompressedData (RFC 3274) | BER, as a stream | DER, as a stream |
//!
//! It does not do AES-CCM, password or key-encryption-key recipients, or more than one signer.

pub(crate) mod agreement;
pub(crate) mod ber;
pub(crate) mod cipher;
pub(crate) mod der;
pub(crate) mod enveloped;
mod gcm;
mod padding;
mod rc2;
pub(crate) mod recipient;
pub(crate) mod signed;

use ber::{Ber, Der, Tlv};

use super::error::Error;
use super::mic::Digest;

/// Encoded object identifiers.
pub(crate) mod oid {
    /// 1.2.840.113549.1.7.1 id-data
    pub(crate) const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    /// 1.2.840.113549.1.7.2
    pub(crate) const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    /// 1.2.840.113549.1.7.3
    pub(crate) const ENVELOPED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
    /// 1.2.840.113549.1.9.16.1.23
    pub(crate) const AUTH_ENVELOPED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17";
    /// 1.2.840.113549.1.9.16.1.9
    pub(crate) const COMPRESSED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09";
    /// 1.2.840.113549.1.9.16.3.8
    pub(crate) const ZLIB: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08";
    /// 1.2.840.113549.1.9.3
    pub(crate) const CONTENT_TYPE: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03";
    /// 1.2.840.113549.1.9.4
    pub(crate) const MESSAGE_DIGEST: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04";
    /// 1.2.840.113549.1.9.5
    pub(crate) const SIGNING_TIME: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05";
    /// 1.2.840.113549.1.1.1 rsaEncryption
    pub(crate) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
    /// 1.2.840.113549.1.1.7 id-RSAES-OAEP
    pub(crate) const OAEP: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07";
    /// 1.2.840.113549.1.1.8 id-mgf1
    pub(crate) const MGF1: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08";
    /// 1.2.840.113549.1.1.9 id-pSpecified
    pub(crate) const P_SPECIFIED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x09";
    /// 1.2.840.113549.1.1.10 id-RSASSA-PSS
    pub(crate) const PSS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
    /// 1.2.840.10045.2.1 id-ecPublicKey
    pub(crate) const EC_KEY: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
}

/// A digest, its identifier, and those of its PKCS #1 v1.5 and ECDSA signatures.
struct Named {
    digest: Digest,
    oid: &'static [u8],
    rsa: &'static [u8],
    ecdsa: &'static [u8],
}

const DIGESTS: [Named; 5] = [
    Named {
        digest: Digest::Md5,
        oid: b"\x2a\x86\x48\x86\xf7\x0d\x02\x05",
        rsa: b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04",
        ecdsa: b"",
    },
    Named {
        digest: Digest::Sha1,
        oid: b"\x2b\x0e\x03\x02\x1a",
        rsa: b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05",
        ecdsa: b"\x2a\x86\x48\xce\x3d\x04\x01",
    },
    Named {
        digest: Digest::Sha256,
        oid: b"\x60\x86\x48\x01\x65\x03\x04\x02\x01",
        rsa: b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
        ecdsa: b"\x2a\x86\x48\xce\x3d\x04\x03\x02",
    },
    Named {
        digest: Digest::Sha384,
        oid: b"\x60\x86\x48\x01\x65\x03\x04\x02\x02",
        rsa: b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c",
        ecdsa: b"\x2a\x86\x48\xce\x3d\x04\x03\x03",
    },
    Named {
        digest: Digest::Sha512,
        oid: b"\x60\x86\x48\x01\x65\x03\x04\x02\x03",
        rsa: b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d",
        ecdsa: b"\x2a\x86\x48\xce\x3d\x04\x03\x04",
    },
];

pub(crate) fn digest_oid(digest: Digest) -> &'static [u8] {
    DIGESTS
        .iter()
        .find(|row| row.digest == digest)
        .map_or(b"", |row| row.oid)
}

pub(crate) fn digest_of(oid: &[u8]) -> Option<Digest> {
    DIGESTS
        .iter()
        .find(|row| row.oid == oid)
        .map(|row| row.digest)
}

/// AlgorithmIdentifier: an object identifier and what follows it.
#[derive(Clone, Copy)]
pub(crate) struct Algorithm<'a> {
    pub(crate) oid: &'a [u8],
    pub(crate) parameters: Option<Tlv<'a>>,
}

impl<'a> Algorithm<'a> {
    pub(crate) fn read(from: &mut Der<'a>) -> Result<Algorithm<'a>, Error> {
        let mut inside = from.sequence()?;
        let oid = inside.expect(0x06)?.content;
        let parameters = if inside.is_empty() {
            None
        } else {
            Some(inside.next()?)
        };
        inside.finish()?;
        Ok(Algorithm { oid, parameters })
    }

    /// Absent or NULL parameters: both are written for the same algorithm.
    pub(crate) fn plain(&self) -> Result<(), Error> {
        match self.parameters {
            None => Ok(()),
            Some(Tlv {
                raw: [0x05, 0x00], ..
            }) => Ok(()),
            Some(_) => Err(Error::Cms(format!("parameters of {}", dotted(self.oid)))),
        }
    }

    pub(crate) fn digest(&self) -> Result<Digest, Error> {
        self.plain()?;
        digest_of(self.oid).ok_or_else(|| unknown("digest", self.oid))
    }
}

/// What RSASSA-PSS-params and RSAES-OAEP-params share (RFC 4055): a digest and MGF1's digest.
pub(crate) fn hash_and_mgf(parameters: &mut Der<'_>) -> Result<(Digest, Digest), Error> {
    let hash = match parameters.optional(0xA0)? {
        Some(tagged) => Algorithm::read(&mut tagged.der())?.digest()?,
        None => Digest::Sha1,
    };
    let mgf = match parameters.optional(0xA1)? {
        None => Digest::Sha1,
        Some(tagged) => {
            let mgf = Algorithm::read(&mut tagged.der())?;
            let hash = mgf.parameters.filter(|_| mgf.oid == oid::MGF1);
            let hash = hash.ok_or_else(|| unknown("mask generation", mgf.oid))?;
            Algorithm::read(&mut Der::new(hash.raw))?.digest()?
        }
    };
    Ok((hash, mgf))
}

/// Writes them, RFC 4055's defaults (SHA-1) left out, as DER wants it.
pub(crate) fn write_hash_and_mgf(hash: Digest, mgf: Digest) -> Vec<u8> {
    let named = |digest| der::element(0x30, &[&der::oid(digest_oid(digest)), &[0x05, 0x00]]);
    let mut out = Vec::new();
    if hash != Digest::Sha1 {
        out.extend(der::element(0xA0, &[&named(hash)]));
    }
    if mgf != Digest::Sha1 {
        let mgf = der::element(0x30, &[&der::oid(oid::MGF1), &named(mgf)]);
        out.extend(der::element(0xA1, &[&mgf]));
    }
    out
}

/// Enters ContentInfo and its `[0]`, and says which content type it holds.
pub(crate) fn enter(ber: &mut Ber<'_>) -> Result<Vec<u8>, Error> {
    ber.enter(0x30)?;
    let kind = Der::new(&ber.element()?).expect(0x06)?.content.to_vec();
    ber.enter(0xA0)?;
    Ok(kind)
}

/// Leaves what [`enter`] entered.
pub(crate) fn leave(ber: &mut Ber<'_>) -> Result<(), Error> {
    ber.leave()?;
    ber.leave()
}

/// `SEQUENCE { id-data, … }`: enters it and refuses other content types.
pub(crate) fn enter_data(ber: &mut Ber<'_>) -> Result<(), Error> {
    ber.enter(0x30)?;
    match Der::new(&ber.element()?).expect(0x06)?.content {
        oid::DATA => Ok(()),
        other => Err(unknown("content type", other)),
    }
}

pub(crate) fn unknown(what: &str, oid: &[u8]) -> Error {
    Error::Unsupported(format!("{what} {}", dotted(oid)))
}

/// An object identifier as people write it.
pub(crate) fn dotted(oid: &[u8]) -> String {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc = 0u64;
    for byte in oid.iter().take(64) {
        arc = arc
            .saturating_mul(128)
            .saturating_add(u64::from(byte & 0x7F));
        if byte & 0x80 == 0 {
            arcs.push(std::mem::take(&mut arc));
        }
    }
    let first = arcs.first().copied().unwrap_or(0);
    let root = (first / 40).min(2);
    let rest = arcs
        .iter()
        .skip(1)
        .map(|arc| format!(".{arc}"))
        .collect::<String>();
    format!("{root}.{}{rest}", first - root * 40)
}

#[cfg(test)]
mod tests {
    #[test]
    fn identifiers_in_words() {
        assert_eq!(super::dotted(super::oid::DATA), "1.2.840.113549.1.7.1");
        assert_eq!(
            super::dotted(b"\x60\x86\x48\x01\x65\x03\x04\x02\x01"),
            "2.16.840.1.101.3.4.2.1"
        );
        assert_eq!(super::dotted(b""), "0.0");
    }
}
