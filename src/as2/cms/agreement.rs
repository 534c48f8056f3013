//! Key agreement with EC keys: ephemeral-static ECDH (RFC 5753).
//!
//! ```text
//! [1] SEQ { 3, [0] [1] SEQ { id-ecPublicKey, point }, [1] ukm?, SEQ { kdf, SEQ { wrap } }, … }
//! key-encryption key = X9.63-KDF(ECDH(point, ours), SEQ { wrap, [0] ukm?, [2] bits })
//! ```
//!
//! It does not do static-static agreement, MQV, or Triple DES key wrap.

use openssl::aes::{AesKey, unwrap_key, wrap_key};
use openssl::bn::BigNumContext;
use openssl::derive::Deriver;
use openssl::ec::{EcGroupRef, EcKey, EcPoint, PointConversionForm};
use openssl::hash::Hasher;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Public};
use zeroize::Zeroizing;

use super::ber::{Der, Tlv};
use super::{Algorithm, der, oid, unknown};
use crate::as2::error::Error;
use crate::as2::keys::{Certificate, Identity};
use crate::as2::mic::Digest;

/// What AES key wrap adds (RFC 3394).
const WRAPPED: usize = 8;

/// Schemes with a standard KDF, without and with the cofactor, which is 1 on the curves of ours.
const SCHEMES: [(Digest, &[u8]); 8] = [
    (Digest::Sha1, b"\x2b\x81\x05\x10\x86\x48\x3f\x00\x02"),
    (Digest::Sha256, b"\x2b\x81\x04\x01\x0b\x01"),
    (Digest::Sha384, b"\x2b\x81\x04\x01\x0b\x02"),
    (Digest::Sha512, b"\x2b\x81\x04\x01\x0b\x03"),
    (Digest::Sha1, b"\x2b\x81\x05\x10\x86\x48\x3f\x00\x03"),
    (Digest::Sha256, b"\x2b\x81\x04\x01\x0e\x01"),
    (Digest::Sha384, b"\x2b\x81\x04\x01\x0e\x02"),
    (Digest::Sha512, b"\x2b\x81\x04\x01\x0e\x03"),
];

/// AES key wrap, by the bytes of its key.
const WRAPS: [(usize, &[u8]); 3] = [
    (16, b"\x60\x86\x48\x01\x65\x03\x04\x01\x05"),
    (24, b"\x60\x86\x48\x01\x65\x03\x04\x01\x19"),
    (32, b"\x60\x86\x48\x01\x65\x03\x04\x01\x2d"),
];

/// How a key-encryption key is agreed on.
#[derive(Clone)]
pub(super) struct Agreement {
    /// The originator's ephemeral point.
    point: Vec<u8>,
    digest: Digest,
    /// Bytes of the key-encryption key.
    wrap: usize,
    /// ECC-CMS-SharedInfo in DER.
    shared: Vec<u8>,
}

/// An agreement, or why it is none of ours.
type Known = Result<Agreement, Error>;

impl Agreement {
    /// Reads up to the encrypted keys, which are the second result. An agreement of a kind that
    /// we do not know is the inner error: it may be for somebody else.
    pub(super) fn read<'a>(from: &mut Der<'a>) -> Result<(Known, Tlv<'a>), Error> {
        match from.small()? {
            3 => {}
            version => return Err(Error::Cms(format!("an agreement of version {version}"))),
        }
        let originator = from.expect(0xA0)?;
        let ukm = from.optional(0xA1)?;
        let algorithm = Algorithm::read(from)?;
        let keys = from.expect(0x30)?;
        from.finish()?;
        let agreement = Agreement::known(originator, ukm, &algorithm);
        Ok((agreement, keys))
    }

    fn known(originator: Tlv<'_>, ukm: Option<Tlv<'_>>, algorithm: &Algorithm<'_>) -> Known {
        let mut originator = originator.der();
        let Some(key) = originator.optional(0xA1)? else {
            return Err(Error::Unsupported("static-static key agreement".into()));
        };
        originator.finish()?;
        let mut key = key.der();
        let kind = Algorithm::read(&mut key)?;
        if kind.oid != oid::EC_KEY {
            return Err(unknown("key agreement with a key", kind.oid));
        }
        let point = match key.expect(0x03)?.content {
            [0, point @ ..] => point.to_vec(),
            _ => return Err(Error::Cms("an ephemeral key that is no point".into())),
        };
        key.finish()?;
        let scheme = SCHEMES.iter().find(|row| row.1 == algorithm.oid);
        let (digest, _) = *scheme.ok_or_else(|| unknown("key agreement", algorithm.oid))?;
        let wrapping = algorithm
            .parameters
            .ok_or_else(|| Error::Cms("a key agreement without key wrap".into()))?;
        let wrap = Algorithm::read(&mut Der::new(wrapping.raw))?;
        wrap.plain()?;
        let row = WRAPS.iter().find(|row| row.1 == wrap.oid);
        let (length, _) = *row.ok_or_else(|| unknown("key wrap", wrap.oid))?;
        let ukm = ukm.map(|ukm| ukm.der().expect(0x04)?.octets());
        let shared = shared(wrapping.raw, ukm.transpose()?.as_deref(), length);
        Ok(Agreement {
            point,
            digest,
            wrap: length,
            shared,
        })
    }

    pub(super) fn name(&self) -> String {
        format!("ecdh {} aes-{}-wrap", self.digest, self.wrap * 8)
    }

    /// The key that was wrapped for us. A point that is none of our curve's costs as much as one
    /// that is: ours stands in for it, and the key wrap then fails.
    pub(super) fn unwrap(
        &self,
        us: &Identity,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let ours = us.key.ec_key()?;
        let peer = match peer(ours.group(), &self.point) {
            Ok(peer) => peer,
            Err(_) => peer_of(ours.group(), ours.public_key())?,
        };
        let secret = secret(&us.key, &peer)?;
        let key = derive(self.digest, &secret, &self.shared, self.wrap)?;
        let unsound = || Error::Decryption("the wrapped key is not sound".into());
        let key = AesKey::new_decrypt(&key).map_err(|_| unsound())?;
        if wrapped.len() < 3 * WRAPPED || !wrapped.len().is_multiple_of(WRAPPED) {
            return Err(unsound());
        }
        let mut out = Zeroizing::new(vec![0; wrapped.len() - WRAPPED]);
        unwrap_key(&key, None, &mut out, wrapped).map_err(|_| unsound())?;
        Ok(out)
    }
}

fn peer(group: &EcGroupRef, point: &[u8]) -> Result<PKey<Public>, Error> {
    let mut context = BigNumContext::new()?;
    let point = EcPoint::from_bytes(group, point, &mut context)?;
    peer_of(group, &point)
}

fn peer_of(group: &EcGroupRef, point: &openssl::ec::EcPointRef) -> Result<PKey<Public>, Error> {
    let key = EcKey::from_public_key(group, point)?;
    key.check_key()?;
    Ok(PKey::from_ec_key(key)?)
}

fn secret<T: openssl::pkey::HasPrivate>(
    ours: &PKey<T>,
    peer: &PKey<Public>,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut deriver = Deriver::new(ours)?;
    deriver.set_peer(peer)?;
    Ok(Zeroizing::new(deriver.derive_to_vec()?))
}

/// ECC-CMS-SharedInfo (RFC 5753 §7.2).
fn shared(wrap: &[u8], ukm: Option<&[u8]>, length: usize) -> Vec<u8> {
    let ukm = ukm.map(|ukm| der::element(0xA0, &[&der::element(0x04, &[ukm])]));
    let bits = (length as u32 * 8).to_be_bytes();
    let bits = der::element(0xA2, &[&der::element(0x04, &[&bits])]);
    der::element(0x30, &[wrap, &ukm.unwrap_or_default(), &bits])
}

/// The KDF of ANSI X9.63 (SEC 1 §3.6.1).
fn derive(
    digest: Digest,
    secret: &[u8],
    shared: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut out = Zeroizing::new(Vec::new());
    let mut counter = 1u32;
    while out.len() < length {
        let mut hasher = Hasher::new(digest.openssl())?;
        hasher.update(secret)?;
        hasher.update(&counter.to_be_bytes())?;
        hasher.update(shared)?;
        out.extend_from_slice(&hasher.finish()?);
        counter += 1;
    }
    out.truncate(length);
    Ok(out)
}

/// A KeyAgreeRecipientInfo for one certificate: the KDF's digest fits its curve (RFC 5753 §8), and
/// the key that wraps is as long as the one that is wrapped.
pub(super) fn write(certificate: &Certificate, key: &[u8]) -> Result<Vec<u8>, Error> {
    let theirs = certificate.key.ec_key()?;
    let digest = match theirs.group().curve_name() {
        Some(Nid::SECP521R1) => Digest::Sha512,
        Some(Nid::SECP384R1) => Digest::Sha384,
        _ => Digest::Sha256,
    };
    let ephemeral = EcKey::generate(theirs.group())?;
    let mut context = BigNumContext::new()?;
    let form = PointConversionForm::UNCOMPRESSED;
    let point = ephemeral
        .public_key()
        .to_bytes(theirs.group(), form, &mut context)?;
    let secret = secret(&PKey::from_ec_key(ephemeral)?, &certificate.key)?;

    let row = |rows: &[(usize, &'static [u8])]| rows.iter().find(|row| row.0 == key.len()).copied();
    let (length, wrap) = row(&WRAPS).ok_or_else(|| Error::Key("no AES key".into()))?;
    let wrap = der::element(0x30, &[&der::oid(wrap)]);
    let wrapping = derive(digest, &secret, &shared(&wrap, None, length), length)?;
    let wrapping = AesKey::new_encrypt(&wrapping).map_err(|_| Error::Key("no AES key".into()))?;
    let mut wrapped = vec![0; key.len() + WRAPPED];
    wrap_key(&wrapping, None, &mut wrapped, key)
        .map_err(|_| Error::Key("the key wrap failed".into()))?;

    let scheme = SCHEMES.iter().find(|row| row.0 == digest);
    let scheme = scheme.map_or(&b""[..], |row| row.1);
    let public = der::element(
        0xA1,
        &[
            &der::element(0x30, &[&der::oid(oid::EC_KEY)]),
            &der::element(0x03, &[&[0], &point]),
        ],
    );
    let name = der::element(0x30, &[&certificate.issuer_serial]);
    let one = der::element(0x30, &[&name, &der::element(0x04, &[&wrapped])]);
    Ok(der::element(
        0xA1,
        &[
            &[0x02, 0x01, 0x03],
            &der::element(0xA0, &[&public]),
            &der::element(0x30, &[&der::oid(scheme), &wrap]),
            &der::element(0x30, &[&one]),
        ],
    ))
}
