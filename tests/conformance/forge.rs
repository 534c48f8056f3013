//! A second writer of CMS and MIME, with a knob for each thing that products do differently.
//!
//! It shares no line with the gateway's own, so that both cannot be wrong in the same way.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::encrypt::Encrypter;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use openssl::symm::{self, Crypter, Mode};
use openssl::x509::extension::{
    BasicConstraints, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Extension, X509Name, X509Ref};
use transload::as2::Certificate;

use super::wire::{Party, day, them, us};

/// How lengths are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Rule {
    #[default]
    Der,
    /// Indefinite lengths, octet strings in segments of so many bytes.
    Ber(usize),
}

pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match content.len() {
        short @ 0..128 => out.push(short as u8),
        long => {
            let bytes = long.to_be_bytes();
            let from = bytes.iter().position(|byte| *byte != 0).unwrap();
            out.push(0x80 | (bytes.len() - from) as u8);
            out.extend_from_slice(&bytes[from..]);
        }
    }
    [out, content].concat()
}

impl Rule {
    /// A constructed element.
    pub(crate) fn wrap(self, tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Rule::Der => tlv(tag, parts),
            Rule::Ber(_) => [&[tag, 0x80][..], &parts.concat(), &[0, 0]].concat(),
        }
    }

    /// An octet string, or what is one under a tag of its own.
    pub(crate) fn octets(self, tag: u8, content: &[u8]) -> Vec<u8> {
        match self {
            Rule::Der => tlv(tag, &[content]),
            Rule::Ber(size) => {
                let segments: Vec<_> = content.chunks(size).map(|c| tlv(0x04, &[c])).collect();
                self.wrap(tag | 0x20, &[&segments.concat()])
            }
        }
    }
}

pub(crate) fn oid(text: &str) -> Vec<u8> {
    let object = openssl::asn1::Asn1Object::from_str(text).unwrap();
    tlv(0x06, &[object.as_slice()])
}

const DATA: &str = "1.2.840.113549.1.7.1";
const NULL: &[u8] = &[0x05, 0x00];

fn content_info(rule: Rule, kind: &str, content: &[u8]) -> Vec<u8> {
    rule.wrap(0x30, &[&oid(kind), &rule.wrap(0xA0, &[content])])
}

/// A digest with its identifiers.
#[derive(Clone, Copy)]
pub(crate) struct Hash {
    pub(crate) md: fn() -> MessageDigest,
    pub(crate) oid: &'static str,
    /// With RSA.
    pub(crate) rsa: &'static str,
    /// With ECDSA.
    pub(crate) ecdsa: &'static str,
}

pub(crate) const SHA1: Hash = Hash {
    md: MessageDigest::sha1,
    oid: "1.3.14.3.2.26",
    rsa: "1.2.840.113549.1.1.5",
    ecdsa: "1.2.840.10045.4.1",
};
pub(crate) const SHA256: Hash = Hash {
    md: MessageDigest::sha256,
    oid: "2.16.840.1.101.3.4.2.1",
    rsa: "1.2.840.113549.1.1.11",
    ecdsa: "1.2.840.10045.4.3.2",
};
pub(crate) const SHA384: Hash = Hash {
    md: MessageDigest::sha384,
    oid: "2.16.840.1.101.3.4.2.2",
    rsa: "1.2.840.113549.1.1.12",
    ecdsa: "1.2.840.10045.4.3.3",
};
pub(crate) const SHA512: Hash = Hash {
    md: MessageDigest::sha512,
    oid: "2.16.840.1.101.3.4.2.3",
    rsa: "1.2.840.113549.1.1.13",
    ecdsa: "1.2.840.10045.4.3.4",
};

/// How the signature algorithm is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// `rsaEncryption`.
    Rsa,
    /// The digest and the key in one identifier; of an EC key too.
    Combined,
    /// RSASSA-PSS, its parameters written out.
    Pss,
    /// RSASSA-PSS with nothing written, which says SHA-1 and 20 bytes of salt.
    PssDefault,
}

/// A SignedData and its knobs.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) rule: Rule,
    pub(crate) hash: Hash,
    pub(crate) scheme: Scheme,
    /// NULL parameters of the digest.
    pub(crate) null: bool,
    /// By subject key identifier.
    pub(crate) key_id: bool,
    /// The attributes that are signed, each whole; `None`: the content is signed itself.
    pub(crate) attributes: Option<Vec<Vec<u8>>>,
    /// The attributes stand as they are listed, not as DER sorts them; DER is signed all the same.
    pub(crate) as_listed: bool,
    /// The certificates inside.
    pub(crate) embedded: Vec<Vec<u8>>,
    /// Content of its own.
    pub(crate) content: Option<Vec<u8>>,
}

impl Signed {
    /// Detached, as most products write it.
    pub(crate) fn of(content: &[u8]) -> Signed {
        Signed::with(content, SHA256)
    }

    pub(crate) fn with(content: &[u8], hash: Hash) -> Signed {
        Signed {
            rule: Rule::Der,
            hash,
            scheme: Scheme::Rsa,
            null: false,
            key_id: false,
            attributes: Some(attributes(content, hash)),
            as_listed: false,
            embedded: vec![them().x509.to_der().unwrap()],
            content: None,
        }
    }

    /// The CMS, signed by `who`; without attributes the signature is over `content`.
    pub(crate) fn by(&self, who: &Party, content: &[u8]) -> Vec<u8> {
        self.by_key(&who.x509, &who.key, content)
    }

    pub(crate) fn by_key(&self, x509: &X509, key: &PKey<Private>, content: &[u8]) -> Vec<u8> {
        let rule = self.rule;
        let null = if self.null { NULL } else { &[] };
        let digest = tlv(0x30, &[&oid(self.hash.oid), null]);
        let (signed, kept) = match &self.attributes {
            Some(list) => {
                let mut sorted = list.clone();
                // DER's order of a SET OF (X.690 section 11.6).
                sorted.sort();
                let kept = if self.as_listed { list } else { &sorted };
                (tlv(0x31, &[&sorted.concat()]), tlv(0xA0, &[&kept.concat()]))
            }
            None => (content.to_vec(), Vec::new()),
        };
        let signature = sign(self.hash, self.scheme, key, &signed);
        let algorithm = match self.scheme {
            Scheme::Rsa => tlv(0x30, &[&oid("1.2.840.113549.1.1.1"), NULL]),
            Scheme::Combined if key.rsa().is_ok() => tlv(0x30, &[&oid(self.hash.rsa), NULL]),
            Scheme::Combined => tlv(0x30, &[&oid(self.hash.ecdsa)]),
            Scheme::Pss => tlv(0x30, &[&oid("1.2.840.113549.1.1.10"), &pss(self.hash)]),
            Scheme::PssDefault => tlv(0x30, &[&oid("1.2.840.113549.1.1.10"), &tlv(0x30, &[])]),
        };
        let (version, name) = name(x509, self.key_id, [1, 3]);
        let version = [0x02, 0x01, version];
        let signature = tlv(0x04, &[&signature]);
        let info = tlv(
            0x30,
            &[&version, &name, &digest, &kept, &algorithm, &signature],
        );
        let inside = match &self.content {
            Some(content) => rule.wrap(0xA0, &[&rule.octets(0x04, content)]),
            None => Vec::new(),
        };
        let content = rule.wrap(0x30, &[&oid(DATA), &inside]);
        let certificates = match self.embedded.is_empty() {
            true => Vec::new(),
            false => rule.wrap(0xA0, &[&self.embedded.concat()]),
        };
        let digests = rule.wrap(0x31, &[&digest]);
        let infos = rule.wrap(0x31, &[&info]);
        let parts: [&[u8]; 5] = [&version, &digests, &content, &certificates, &infos];
        content_info(rule, "1.2.840.113549.1.7.2", &rule.wrap(0x30, &parts))
    }
}

fn sign(hash: Hash, scheme: Scheme, key: &PKey<Private>, data: &[u8]) -> Vec<u8> {
    let mut signer = Signer::new((hash.md)(), key).unwrap();
    if matches!(scheme, Scheme::Pss | Scheme::PssDefault) {
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer
            .set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
            .unwrap();
        signer.set_rsa_mgf1_md((hash.md)()).unwrap();
    }
    signer.sign_oneshot_to_vec(data).unwrap()
}

fn pss(hash: Hash) -> Vec<u8> {
    let digest = tlv(0x30, &[&oid(hash.oid)]);
    let mgf = tlv(0x30, &[&oid("1.2.840.113549.1.1.8"), &digest]);
    let salt = [0x02, 0x01, (hash.md)().size() as u8];
    tlv(
        0x30,
        &[
            &tlv(0xA0, &[&digest]),
            &tlv(0xA1, &[&mgf]),
            &tlv(0xA2, &[&salt]),
        ],
    )
}

/// `SEQUENCE { type, SET { value } }`.
pub(crate) fn attribute(name: &str, value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&oid(name), &tlv(0x31, &[value])])
}

/// The two attributes that are due.
pub(crate) fn attributes(content: &[u8], digest: Hash) -> Vec<Vec<u8>> {
    let digest = hash((digest.md)(), content).unwrap();
    vec![
        attribute("1.2.840.113549.1.9.3", &oid(DATA)),
        attribute("1.2.840.113549.1.9.4", &tlv(0x04, &[&digest])),
    ]
}

/// A certificate as CMS names it, and the version that goes with the form.
fn name(x509: &X509Ref, key_id: bool, versions: [u8; 2]) -> (u8, Vec<u8>) {
    if key_id {
        let id = x509.subject_key_id().unwrap();
        return (versions[1], tlv(0x80, &[id.as_slice()]));
    }
    let issuer = x509.issuer_name().to_der().unwrap();
    let serial = x509.serial_number().to_bn().unwrap().to_vec();
    let sign: &[u8] = if serial[0] & 0x80 != 0 { &[0] } else { &[] };
    let serial = tlv(0x02, &[sign, &serial]);
    (versions[0], tlv(0x30, &[&issuer, &serial]))
}

/// An EnvelopedData and its knobs.
#[derive(Clone)]
pub(crate) struct Enveloped {
    pub(crate) rule: Rule,
    pub(crate) cipher: &'static str,
    /// Recipients by subject key identifier.
    pub(crate) key_id: bool,
    /// RSA-OAEP with this digest, and with this one for the mask.
    pub(crate) oaep: Option<(Hash, Hash)>,
    /// Recipients of another kind, before the others.
    pub(crate) before: Vec<u8>,
}

impl Default for Enveloped {
    fn default() -> Enveloped {
        Enveloped {
            rule: Rule::Der,
            cipher: "2.16.840.1.101.3.4.1.42",
            key_id: false,
            oaep: None,
            before: Vec::new(),
        }
    }
}

impl Enveloped {
    /// Encrypted for the gateway.
    pub(crate) fn for_us(&self, plain: &[u8]) -> Vec<u8> {
        self.to(&[&us().x509], plain)
    }

    pub(crate) fn to(&self, recipients: &[&X509], plain: &[u8]) -> Vec<u8> {
        let cipher = match self.cipher {
            "2.16.840.1.101.3.4.1.2" => symm::Cipher::aes_128_cbc(),
            "2.16.840.1.101.3.4.1.22" => symm::Cipher::aes_192_cbc(),
            "2.16.840.1.101.3.4.1.42" => symm::Cipher::aes_256_cbc(),
            "1.2.840.113549.3.7" => symm::Cipher::des_ede3_cbc(),
            other => panic!("{other}"),
        };
        let (mut key, mut iv) = (vec![0; cipher.key_len()], vec![0; cipher.iv_len().unwrap()]);
        openssl::rand::rand_bytes(&mut key).unwrap();
        openssl::rand::rand_bytes(&mut iv).unwrap();
        let mut crypter = Crypter::new(cipher, Mode::Encrypt, &key, Some(&iv)).unwrap();
        let mut encrypted = vec![0; plain.len() + 32];
        let length = crypter.update(plain, &mut encrypted).unwrap();
        let length = length + crypter.finalize(&mut encrypted[length..]).unwrap();
        encrypted.truncate(length);
        self.around(recipients, &key, &iv, &encrypted)
    }

    /// What was encrypted elsewhere.
    pub(crate) fn around(
        &self,
        recipients: &[&X509],
        key: &[u8],
        iv: &[u8],
        encrypted: &[u8],
    ) -> Vec<u8> {
        let rule = self.rule;
        let infos = recipients.iter().map(|x509| self.recipient(x509, key));
        let infos = infos.collect::<Vec<_>>().concat();
        let infos = rule.wrap(0x31, &[&self.before, &infos]);
        let cipher = tlv(0x30, &[&oid(self.cipher), &tlv(0x04, &[iv])]);
        let content = rule.octets(0x80, encrypted);
        let content = rule.wrap(0x30, &[&oid(DATA), &cipher, &content]);
        let version = if self.key_id || !self.before.is_empty() {
            2
        } else {
            0
        };
        let parts: [&[u8]; 3] = [&[0x02, 0x01, version], &infos, &content];
        content_info(rule, "1.2.840.113549.1.7.3", &rule.wrap(0x30, &parts))
    }

    fn recipient(&self, x509: &X509, key: &[u8]) -> Vec<u8> {
        let public = x509.public_key().unwrap();
        let mut encrypter = Encrypter::new(&public).unwrap();
        let algorithm = match self.oaep {
            None => {
                encrypter.set_rsa_padding(Padding::PKCS1).unwrap();
                tlv(0x30, &[&oid("1.2.840.113549.1.1.1"), NULL])
            }
            Some((digest, mask)) => {
                encrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
                encrypter.set_rsa_oaep_md((digest.md)()).unwrap();
                encrypter.set_rsa_mgf1_md((mask.md)()).unwrap();
                let digest = tlv(0x30, &[&oid(digest.oid)]);
                let mask = tlv(0x30, &[&oid(mask.oid), NULL]);
                let mgf = tlv(0x30, &[&oid("1.2.840.113549.1.1.8"), &mask]);
                let inside = tlv(0x30, &[&tlv(0xA0, &[&digest]), &tlv(0xA1, &[&mgf])]);
                tlv(0x30, &[&oid("1.2.840.113549.1.1.7"), &inside])
            }
        };
        let mut wrapped = vec![0; encrypter.encrypt_len(key).unwrap()];
        let length = encrypter.encrypt(key, &mut wrapped).unwrap();
        let (version, name) = name(x509, self.key_id, [0, 2]);
        let wrapped = tlv(0x04, &[&wrapped[..length]]);
        tlv(0x30, &[&[0x02, 0x01, version], &name, &algorithm, &wrapped])
    }
}

/// A CompressedData around an entity.
pub(crate) fn compressed(rule: Rule, null: bool, entity: &[u8]) -> Vec<u8> {
    compressed_as(rule, null, "1.2.840.113549.1.9.16.3.8", &zlib(entity))
}

pub(crate) fn compressed_as(rule: Rule, null: bool, algorithm: &str, stream: &[u8]) -> Vec<u8> {
    let null = if null { NULL } else { &[] };
    let algorithm = tlv(0x30, &[&oid(algorithm), null]);
    let content = rule.wrap(0xA0, &[&rule.octets(0x04, stream)]);
    let content = rule.wrap(0x30, &[&oid(DATA), &content]);
    let parts: [&[u8]; 3] = [&[0x02, 0x01, 0x00], &algorithm, &content];
    content_info(rule, "1.2.840.113549.1.9.16.1.9", &rule.wrap(0x30, &parts))
}

pub(crate) fn zlib(plain: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// What zlib wrote, plain again: an inflate of the tests' own.
pub(crate) fn inflated(stream: &[u8]) -> Vec<u8> {
    let mut decoder = flate2::write::ZlibDecoder::new(Vec::new());
    decoder.write_all(stream).unwrap();
    decoder.finish().unwrap()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The digest of some bytes as a receipt writes it.
pub(crate) fn mic(bytes: &[u8]) -> String {
    let digest = hash(MessageDigest::sha256(), bytes).unwrap();
    format!("{}, sha-256", base64(&digest))
}

/// `name: value` lines, an empty line, a body: with CRLF.
pub(crate) fn entity(head: &[&str], body: &[u8]) -> Vec<u8> {
    let lines: String = head.iter().map(|line| format!("{line}\r\n")).collect();
    [lines.as_bytes(), b"\r\n", body].concat()
}

/// A payload's entity as every product writes it.
pub(crate) fn x12(payload: &[u8]) -> Vec<u8> {
    entity(&["Content-Type: application/EDI-X12"], payload)
}

/// What most products say of what they signed.
pub(crate) const SIGNED: &str = "multipart/signed; \
    protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"b\"";

/// The CMS types.
pub(crate) const ENVELOPED: &str =
    "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m";
pub(crate) const COMPRESSED: &str =
    "application/pkcs7-mime; smime-type=compressed-data; name=smime.p7z";

/// A multipart/signed with boundary `b`, the signature in binary.
pub(crate) fn multipart(entity: &[u8], signature: &[u8]) -> Vec<u8> {
    multipart_with(
        entity,
        &["Content-Type: application/pkcs7-signature"],
        signature,
    )
}

pub(crate) fn multipart_with(first: &[u8], head: &[&str], signature: &[u8]) -> Vec<u8> {
    let second = entity(head, signature);
    [b"--b\r\n", first, b"\r\n--b\r\n", &second, b"\r\n--b--\r\n"].concat()
}

/// An entity signed by the partner, in a multipart with boundary `b`.
pub(crate) fn signed(entity: &[u8]) -> Vec<u8> {
    multipart(entity, &Signed::of(entity).by(them(), entity))
}

/// The same as an entity of its own.
pub(crate) fn signed_entity(inner: &[u8]) -> Vec<u8> {
    entity(&[&format!("Content-Type: {SIGNED}")], &signed(inner))
}

/// A body of CMS as an entity.
pub(crate) fn cms_entity(kind: &str, cms: &[u8]) -> Vec<u8> {
    entity(&[&format!("Content-Type: {kind}")], cms)
}

/// A self-signed certificate with a key of our choice.
pub(crate) struct Forged {
    pub(crate) x509: X509,
    pub(crate) key: PKey<Private>,
}

impl Forged {
    pub(crate) fn rsa(bits: u32) -> Forged {
        Forged::new(PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap(), None)
    }

    pub(crate) fn ec(curve: Nid) -> Forged {
        let group = EcGroup::from_curve_name(curve).unwrap();
        Forged::new(
            PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap(),
            None,
        )
    }

    pub(crate) fn new(key: PKey<Private>, usage: Option<&mut KeyUsage>) -> Forged {
        let usage = usage.map(|usage| usage.critical().build().unwrap());
        Forged::made("forged", key, None, false, usage)
    }

    /// For a server at 127.0.0.1.
    pub(crate) fn for_address() -> Forged {
        Forged::made("127.0.0.1", p256(), None, true, None)
    }

    /// Signed by `by`, or by itself; where it may sign others, so it does.
    fn made(
        name: &str,
        key: PKey<Private>,
        by: Option<&Authority>,
        authority: bool,
        usage: Option<X509Extension>,
    ) -> Forged {
        let mut subject = X509Name::builder().unwrap();
        subject.append_entry_by_text("CN", name).unwrap();
        let subject = subject.build();
        let mut x509 = X509::builder().unwrap();
        x509.set_version(2).unwrap();
        let serial = Asn1Integer::from_bn(&BigNum::from_u32(77).unwrap()).unwrap();
        x509.set_serial_number(&serial).unwrap();
        x509.set_subject_name(&subject).unwrap();
        let issuer = by.map_or(&*subject, |by| by.x509.subject_name());
        x509.set_issuer_name(issuer).unwrap();
        // TLS looks at the machine's clock, the rest at the day of the tests.
        let unix = |days: i64| Asn1Time::from_unix(day().timestamp() + days * 86_400).unwrap();
        x509.set_not_before(&unix(-365)).unwrap();
        x509.set_not_after(&unix(365)).unwrap();
        x509.set_pubkey(&key).unwrap();
        let mut constraints = BasicConstraints::new();
        constraints.critical();
        if authority {
            constraints.ca();
        }
        x509.append_extension(constraints.build().unwrap()).unwrap();
        if let Some(usage) = usage {
            x509.append_extension(usage).unwrap();
        }
        let context = x509.x509v3_context(by.map(|by| &*by.x509), None);
        let key_id = SubjectKeyIdentifier::new().build(&context).unwrap();
        let mut address = SubjectAlternativeName::new();
        let address = address.ip("127.0.0.1").build(&context).unwrap();
        x509.append_extension(key_id).unwrap();
        x509.append_extension(address).unwrap();
        x509.sign(by.map_or(&key, |by| &by.key), MessageDigest::sha256())
            .unwrap();
        Forged {
            x509: x509.build(),
            key,
        }
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_der(&self.x509.to_der().unwrap()).unwrap()
    }
}

fn p256() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// Who signs others' certificates.
pub(crate) struct Authority {
    pub(crate) x509: X509,
    key: PKey<Private>,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let Forged { x509, key } = Forged::made("root", p256(), None, true, None);
        Authority { x509, key }
    }

    /// One below this.
    pub(crate) fn authority(&self) -> Authority {
        let Forged { x509, key } = Forged::made("middle", p256(), Some(self), true, None);
        Authority { x509, key }
    }

    /// A certificate of somebody's, good for 127.0.0.1.
    pub(crate) fn issue(&self, name: &str) -> Forged {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        Forged::made(name, key, Some(self), false, None)
    }
}

/// A disposition notification of these fields, as a report with boundary `r`.
pub(crate) fn report(fields: &[&str]) -> Vec<u8> {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    [
        b"--r\r\nContent-Type: text/plain\r\n\r\nfor people\r\n".as_slice(),
        b"--r\r\nContent-Type: message/disposition-notification\r\n\r\n",
        fields.as_bytes(),
        b"\r\n--r--\r\n",
    ]
    .concat()
}

pub(crate) const REPORT: &str =
    "multipart/report; report-type=disposition-notification; boundary=r";

/// The same, signed by the partner.
pub(crate) fn signed_report(report: &[u8]) -> Vec<u8> {
    signed(&entity(&[&format!("Content-Type: {REPORT}")], report))
}
