//! Recipients: for whom a content key is encrypted, and how (RFC 5652 §6.2).
//!
//! ```text
//! recipient = SEQ { version, issuer+serial | [0] key id, transport, octets }        ; RSA
//!           / [1] SEQ { 3, originator, ukm?, agreement, SEQ OF SEQ { name, octets } } ; ECDH
//! ```

use openssl::pkey::Id;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use zeroize::{Zeroize, Zeroizing};

use super::agreement::{self, Agreement};
use super::ber::{Der, Tlv};
use super::{Algorithm, der, oid, unknown};
use crate::as2::error::Error;
use crate::as2::key::md;
use crate::as2::keys::{Certificate, Identity, hex};
use crate::as2::mic::Digest;

/// Most recipients of one envelope: a message has one or two.
pub const RECIPIENTS: usize = 16;

/// How a content key is encrypted for a certificate with an RSA key. For one with an EC key it is
/// always ECDH (RFC 5753).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyTransport {
    /// PKCS #1 v1.5: what every AS2 partner reads.
    #[default]
    Pkcs1,
    /// RSAES-OAEP (RFC 3560) with that digest, and MGF1 with its own.
    Oaep {
        /// The digest.
        hash: Digest,
        /// MGF1's digest; nearly always the same.
        mgf: Digest,
    },
}

impl KeyTransport {
    /// OAEP with one digest.
    pub fn oaep(hash: Digest) -> KeyTransport {
        KeyTransport::Oaep { hash, mgf: hash }
    }

    fn apply<T>(self, context: &mut PkeyCtx<T>) -> Result<(), Error> {
        match self {
            KeyTransport::Pkcs1 => context.set_rsa_padding(Padding::PKCS1)?,
            KeyTransport::Oaep { hash, mgf } => {
                context.set_rsa_padding(Padding::PKCS1_OAEP)?;
                context.set_rsa_oaep_md(md(hash))?;
                context.set_rsa_mgf1_md(md(mgf))?;
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for KeyTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeyTransport::Pkcs1 => f.write_str("rsa-pkcs1"),
            KeyTransport::Oaep { hash, mgf } if hash == mgf => write!(f, "rsa-oaep {hash}"),
            KeyTransport::Oaep { hash, mgf } => write!(f, "rsa-oaep {hash} mgf1 {mgf}"),
        }
    }
}

impl std::str::FromStr for KeyTransport {
    type Err = Error;

    /// Reads `rsa-pkcs1`, `rsa-oaep` (SHA-256), `rsa-oaep-sha-512`, `rsa-oaep-sha-256-mgf1-sha-1`.
    ///
    /// ```
    /// use transload::as2::{Digest, KeyTransport};
    /// let read: KeyTransport = "rsa-oaep-sha-256-mgf1-sha-1".parse().unwrap();
    /// assert_eq!(read, KeyTransport::Oaep { hash: Digest::Sha256, mgf: Digest::Sha1 });
    /// assert_eq!(read.to_string().parse::<KeyTransport>().unwrap(), read);
    /// ```
    fn from_str(name: &str) -> Result<KeyTransport, Error> {
        let bare = name.trim().to_ascii_lowercase().replace([' ', '_'], "-");
        let digest = |name: &str| {
            Digest::parse(name)
                .filter(|digest| *digest != Digest::Md5)
                .ok_or_else(|| Error::Unsupported(format!("digest {name:?} in a key transport")))
        };
        match bare.as_str() {
            "rsa-pkcs1" | "pkcs1" => return Ok(KeyTransport::Pkcs1),
            "rsa-oaep" | "oaep" => return Ok(KeyTransport::oaep(Digest::Sha256)),
            _ => {}
        }
        let digests = bare.trim_start_matches("rsa-").strip_prefix("oaep-");
        let digests =
            digests.ok_or_else(|| Error::Unsupported(format!("key transport {name:?}")))?;
        let (hash, mgf) = digests.split_once("-mgf1-").unwrap_or((digests, digests));
        Ok(KeyTransport::Oaep {
            hash: digest(hash)?,
            mgf: digest(mgf)?,
        })
    }
}

/// How CMS names a certificate: DER of issuer and serial number, or the subject key identifier.
#[derive(PartialEq, Eq)]
pub(crate) enum Name {
    IssuerSerial(Vec<u8>),
    KeyId(Vec<u8>),
}

impl Name {
    /// Reads it, and the version number that goes with it has to agree.
    pub(crate) fn read(from: &mut Der<'_>, version: [u16; 2]) -> Result<Name, Error> {
        let have = from.small()?;
        let (name, due) = match from.optional(0x80)? {
            Some(key_id) => (Name::KeyId(key_id.content.to_vec()), version[1]),
            None => (Name::issuer_serial(from.expect(0x30)?)?, version[0]),
        };
        match have == due {
            true => Ok(name),
            false => Err(Error::Cms(format!("version {have} where {due} is due"))),
        }
    }

    fn issuer_serial(pair: Tlv<'_>) -> Result<Name, Error> {
        let mut pair = pair.der();
        let raw = [pair.expect(0x30)?.raw, pair.expect(0x02)?.raw].concat();
        pair.finish()?;
        Ok(Name::IssuerSerial(raw))
    }

    /// KeyAgreeRecipientIdentifier: issuer+serial, or `[0] SEQ { key id, … }`.
    fn agreed(from: &mut Der<'_>) -> Result<Name, Error> {
        match from.optional(0xA0)? {
            Some(named) => Ok(Name::KeyId(named.der().expect(0x04)?.content.to_vec())),
            None => Name::issuer_serial(from.expect(0x30)?),
        }
    }

    pub(crate) fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Name::IssuerSerial(raw) => *raw == certificate.issuer_serial,
            Name::KeyId(id) => certificate.key_id.as_ref() == Some(id),
        }
    }

    /// For an error message: the serial number or the key identifier in hex.
    pub(crate) fn shown(&self) -> String {
        match self {
            Name::KeyId(id) => format!("key id {}", hex(id)),
            Name::IssuerSerial(raw) => {
                let mut pair = Der::new(raw);
                let serial = pair
                    .next()
                    .and_then(|_| pair.next())
                    .map(|serial| serial.content);
                format!("serial {}", hex(serial.unwrap_or_default()))
            }
        }
    }
}

/// How the content key comes.
#[derive(Clone)]
enum Way {
    Rsa(KeyTransport, Vec<u8>),
    Ecdh(Agreement),
}

/// One name and the key that was encrypted for it.
pub(crate) struct Recipient {
    pub(crate) name: Name,
    way: Result<Way, String>,
    key: Vec<u8>,
}

/// A content key, wiped when dropped, and how it came.
pub(crate) struct ContentKey {
    pub(crate) key: Zeroizing<Vec<u8>>,
    pub(crate) transport: String,
    /// The fingerprint of the certificate that it was encrypted to.
    pub(crate) recipient: String,
}

impl Recipient {
    /// Reads the SET OF RecipientInfo. Kinds that we do not know are passed over.
    ///
    /// The second is whether each of them is a KeyTransRecipientInfo of version 0.
    pub(crate) fn read_all(set: &[u8]) -> Result<(Vec<Recipient>, bool), Error> {
        let mut infos = Der::new(set).expect(0x31)?.der();
        let (mut recipients, mut plain) = (Vec::new(), true);
        let mut count = 0;
        while !infos.is_empty() {
            let info = infos.next()?;
            let before = recipients.len();
            match info.tag {
                0x30 => recipients.push(Recipient::transported(info.der())?),
                0xA1 => Recipient::agreed(info.der(), &mut recipients)?,
                0xA2..=0xA4 => {}
                _ => return Err(Error::Cms("a recipient of no known kind".into())),
            }
            let by_issuer = |r: &Recipient| matches!(r.name, Name::IssuerSerial(_));
            plain &= info.tag == 0x30 && recipients[before..].iter().all(by_issuer);
            count += (recipients.len() - before).max(1);
            if count > RECIPIENTS {
                return Err(Error::Limit {
                    what: "recipients",
                    limit: RECIPIENTS as u64,
                });
            }
        }
        Ok((recipients, plain))
    }

    /// KeyTransRecipientInfo (RFC 5652 §6.2.1).
    fn transported(mut from: Der<'_>) -> Result<Recipient, Error> {
        let name = Name::read(&mut from, [0, 2])?;
        let algorithm = Algorithm::read(&mut from)?;
        let key = from.expect(0x04)?.content.to_vec();
        from.finish()?;
        Ok(Recipient {
            name,
            way: transport(&algorithm).map_err(|why| why.to_string()),
            key,
        })
    }

    /// KeyAgreeRecipientInfo (RFC 5652 §6.2.2): a recipient for each name in it.
    fn agreed(mut from: Der<'_>, out: &mut Vec<Recipient>) -> Result<(), Error> {
        let (agreement, keys) = Agreement::read(&mut from)?;
        let agreement = agreement.map_err(|why| why.to_string());
        let mut keys = keys.der();
        while !keys.is_empty() && out.len() <= RECIPIENTS {
            let mut one = keys.sequence()?;
            let name = Name::agreed(&mut one)?;
            let key = one.expect(0x04)?.content.to_vec();
            one.finish()?;
            out.push(Recipient {
                name,
                way: agreement.clone().map(Way::Ecdh),
                key,
            });
        }
        Ok(())
    }

    /// The content key of `length` bytes.
    ///
    /// When unwrapping fails the key is made from a secret of ours and the wrapped bytes, and
    /// decryption goes on with it (RFC 3218 §2.3.2): a wrong padding shows nowhere.
    pub(crate) fn content_key(&self, us: &Identity, length: usize) -> Result<ContentKey, Error> {
        let way = self.way.as_ref();
        let way = way.map_err(|why| Error::Unsupported(why.clone()))?;
        let seed = Zeroizing::new([us.rejection.as_slice(), &self.key].concat());
        let mut fallback = openssl::sha::sha512(&seed);
        let mut key = Zeroizing::new(fallback[..length].to_vec());
        fallback.zeroize();
        let (unwrapped, transport) = match way {
            Way::Rsa(how, label) => (rsa(*how, label, us, &self.key), how.to_string()),
            Way::Ecdh(how) => (how.unwrap(us, &self.key), how.name()),
        };
        if let Some(sound) = unwrapped.ok().filter(|unwrapped| unwrapped.len() == length) {
            key.copy_from_slice(&sound);
        }
        let recipient = us.certificate.fingerprint().to_owned();
        Ok(ContentKey {
            key,
            transport,
            recipient,
        })
    }
}

fn transport(algorithm: &Algorithm<'_>) -> Result<Way, Error> {
    if algorithm.oid == oid::RSA {
        algorithm.plain()?;
        return Ok(Way::Rsa(KeyTransport::Pkcs1, Vec::new()));
    }
    if algorithm.oid != oid::OAEP {
        return Err(unknown("key transport", algorithm.oid));
    }
    // Parameters are due (RFC 4055 §4.1); who leaves them out means the defaults.
    let parameters = algorithm.parameters.map(|parameters| parameters.der());
    let mut inside = parameters.unwrap_or(Der::new(&[]));
    let (hash, mgf) = super::hash_and_mgf(&mut inside)?;
    let label = match inside.optional(0xA2)? {
        None => Vec::new(),
        Some(tagged) => {
            let source = Algorithm::read(&mut tagged.der())?;
            let label = source.parameters.filter(|_| source.oid == oid::P_SPECIFIED);
            label
                .ok_or_else(|| unknown("OAEP label", source.oid))?
                .octets()?
        }
    };
    inside.finish()?;
    Ok(Way::Rsa(KeyTransport::Oaep { hash, mgf }, label))
}

fn rsa(
    how: KeyTransport,
    label: &[u8],
    us: &Identity,
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    us.key.with(|context| {
        context.decrypt_init()?;
        how.apply(context)?;
        if !label.is_empty() {
            context.set_rsa_oaep_label(label)?;
        }
        let mut out = Zeroizing::new(vec![0; us.key.size()]);
        let length = context.decrypt(wrapped, Some(&mut out))?;
        out.truncate(length);
        Ok(out)
    })
}

/// The SET OF RecipientInfo of a content key for these certificates, and whether all of them are
/// of version 0.
pub(crate) fn write(
    certificates: &[&Certificate],
    key: &[u8],
    transport: KeyTransport,
) -> Result<(Vec<u8>, bool), Error> {
    let mut infos = Vec::new();
    let mut plain = true;
    for certificate in certificates {
        infos.push(match certificate.key.id() {
            Id::EC => {
                plain = false;
                agreement::write(certificate, key)?
            }
            _ => write_transport(certificate, key, transport)?,
        });
    }
    Ok((der::set_of(0x31, infos), plain))
}

fn write_transport(
    certificate: &Certificate,
    key: &[u8],
    transport: KeyTransport,
) -> Result<Vec<u8>, Error> {
    let algorithm = match transport {
        KeyTransport::Pkcs1 => der::element(0x30, &[&der::oid(oid::RSA), &[0x05, 0x00]]),
        KeyTransport::Oaep { hash, mgf } => {
            let parameters = der::element(0x30, &[&super::write_hash_and_mgf(hash, mgf)]);
            der::element(0x30, &[&der::oid(oid::OAEP), &parameters])
        }
    };
    let wrapped = certificate.key.with(|context| {
        context.encrypt_init()?;
        transport.apply(context)?;
        let mut wrapped = Vec::new();
        context.encrypt_to_vec(key, &mut wrapped)?;
        Ok(wrapped)
    })?;
    let name = der::element(0x30, &[&certificate.issuer_serial]);
    let octets = der::element(0x04, &[&wrapped]);
    let version = [0x02, 0x01, 0x00];
    Ok(der::element(0x30, &[&version, &name, &algorithm, &octets]))
}
