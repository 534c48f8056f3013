//! EnvelopedData (RFC 5652 §6) and AuthEnvelopedData (RFC 5083): content encrypted with a fresh
//! key, and that key encrypted for each recipient.
//!
//! ```text
//! EnvelopedData     = SEQ { version, [0] originator?, SET OF recipient, content,
//!                           [1] attributes? }
//! AuthEnvelopedData = SEQ { 0, [0] originator?, SET OF recipient, content,
//!                           [1] attributes?, tag, [2] attributes? }
//! content           = SEQ { id-data, cipher, [0] octets }
//! ```

use std::io::{BufRead, Write};

use zeroize::Zeroizing;

use super::ber::{Ber, Der};
use super::cipher::{Cipher, Content, Decrypting, Encrypting, Opening, TAG};
use super::recipient::{self, ContentKey, KeyTransport, Recipient};
use super::{der, oid};
use crate::as2::error::Error;
use crate::as2::keys::{Certificate, Identity};

/// What stands before the encrypted content.
pub(crate) struct Envelope {
    version: u16,
    /// Whether it is an AuthEnvelopedData.
    authenticated: bool,
    /// What the recipients alone make the version (0), before attributes are seen.
    plain: bool,
    recipients: Vec<Recipient>,
    pub(crate) content: Content,
}

impl Envelope {
    /// Reads up to the encrypted octets, which [`Ber::octets`] with tag 80 gives next.
    pub(crate) fn read(ber: &mut Ber<'_>, authenticated: bool) -> Result<Envelope, Error> {
        ber.enter(0x30)?;
        let version = Der::new(&ber.element()?).small()?;
        let originator = ber.peek()? == Some(0xA0);
        if originator {
            ber.element()?;
        }
        let (recipients, plain) = Recipient::read_all(&ber.element()?)?;
        super::enter_data(ber)?;
        let content = Content::read(&ber.element()?)?;
        if authenticated && !content.cipher.authenticates() {
            let cipher = content.cipher;
            return Err(Error::Cms(format!("AuthEnvelopedData with {cipher}")));
        }
        Ok(Envelope {
            version,
            authenticated,
            plain: plain && !originator,
            recipients,
            content,
        })
    }

    /// What of it only an option of the partner allows, in words.
    pub(crate) fn oddity(&self) -> Option<String> {
        let Content { cipher, tag, .. } = self.content;
        match cipher.authenticates() {
            true if !self.authenticated => Some(format!("{cipher} in EnvelopedData")),
            true if tag < TAG => Some(format!("{cipher} with a tag of {tag} bytes")),
            _ => None,
        }
    }

    /// Whether that is GCM where RFC 5084 does not allow it.
    pub(crate) fn misplaced(&self) -> bool {
        self.content.cipher.authenticates() && !self.authenticated
    }

    /// The content key, for the first recipient that is one of us.
    ///
    /// # Errors
    /// No recipient is one of us, or the key came in a way that we do not know.
    pub(crate) fn content_key(&self, ours: &[Identity]) -> Result<ContentKey, Error> {
        let most = planted!("first-recipient-taken", 1, usize::MAX);
        let matching = self.recipients.iter().take(most).find_map(|recipient| {
            let us = ours.iter().find(|us| recipient.name.is(&us.certificate))?;
            Some((recipient, us))
        });
        let (recipient, us) = matching.ok_or_else(|| {
            let names = self
                .recipients
                .iter()
                .map(|recipient| recipient.name.shown());
            Error::NotForUs(names.collect::<Vec<_>>().join(", "))
        })?;
        recipient.content_key(us, self.content.cipher.key_length())
    }

    /// The plain content of the octets. Bytes come out before they are known to be sound.
    pub(crate) fn decrypt<R: BufRead>(
        &self,
        octets: R,
        key: &ContentKey,
    ) -> Result<Decrypting<R>, Error> {
        self.content.decrypt(octets, &key.key, !self.authenticated)
    }

    /// Reads what follows the octets, and checks their padding or their tag. The version number has
    /// to be the one of RFC 5652 §6.1: it is the only byte of the frame that nothing else would miss.
    pub(crate) fn finish(&self, ber: &mut Ber<'_>, mut opening: Opening) -> Result<(), Error> {
        opening.padding()?;
        ber.leave()?;
        let attributes = match ber.peek()? {
            Some(0xA1) => Some(ber.element()?),
            _ => None,
        };
        if self.authenticated {
            let mut authenticated = Vec::new();
            if let Some(attributes) = &attributes {
                let content = Der::new(attributes).expect(0xA1)?.content;
                authenticated = der::element(0x31, &[content]);
            }
            let tag = ber.element()?;
            opening.verify(&authenticated, Der::new(&tag).expect(0x04)?.content)?;
            if ber.peek()? == Some(0xA2) {
                ber.element()?;
            }
        }
        let due = match self.authenticated || (self.plain && attributes.is_none()) {
            true => 0..=0,
            false => 2..=4,
        };
        if !due.contains(&self.version) {
            return Err(Error::Cms(format!(
                "an envelope of version {}",
                self.version
            )));
        }
        ber.leave()
    }
}

/// For whom and how an envelope is written.
pub(crate) struct Wrapping<'s> {
    pub(crate) cipher: Cipher,
    pub(crate) recipients: Vec<&'s Certificate>,
    pub(crate) transport: KeyTransport,
}

/// An envelope before its content: its first bytes, and what encrypts.
pub(crate) struct Prepared {
    beginning: Vec<u8>,
    content: Content,
    key: Zeroizing<Vec<u8>>,
    /// The length of the whole.
    pub(crate) length: u64,
}

impl Wrapping<'_> {
    /// Prepares the envelope around `length` bytes: AuthEnvelopedData where the cipher
    /// authenticates, else EnvelopedData.
    pub(crate) fn prepare(
        &self,
        length: u64,
        entropy: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Prepared, Error> {
        let mut key = Zeroizing::new(vec![0; self.cipher.key_length()]);
        entropy(&mut key);
        let content = Content::fresh(self.cipher, entropy);
        let (infos, plain) = recipient::write(&self.recipients, &key, self.transport)?;
        let authenticated = self.cipher.authenticates();
        let (kind, version, after) = match (authenticated, plain) {
            // The tag is an OCTET STRING.
            (true, _) => (oid::AUTH_ENVELOPED_DATA, 0, TAG as u64 + 2),
            (false, true) => (oid::ENVELOPED_DATA, 0, 0),
            (false, false) => (oid::ENVELOPED_DATA, 2, 0),
        };
        let before = [&[0x02, 0x01, version], infos.as_slice()].concat();
        let inside = [der::oid(oid::DATA), content.to_der()].concat();
        let encrypted = content.encrypted_length(length);
        let beginning = der::beginning(
            &[
                (0x30, &der::oid(kind), 0),
                (0xA0, b"", 0),
                (0x30, &before, after),
                (0x30, &inside, 0),
                (0x80, b"", 0),
            ],
            encrypted,
        );
        Ok(Prepared {
            length: beginning.len() as u64 + encrypted + after,
            beginning,
            content,
            key,
        })
    }
}

impl Prepared {
    /// RFC 8551 §3.2.2.
    pub(crate) fn smime_type(&self) -> &'static str {
        match self.content.cipher.authenticates() {
            true => "authEnveloped-data",
            false => "enveloped-data",
        }
    }

    /// Writes the beginning. The content goes into what is returned; then [`Encrypting::finish`].
    /// Once only: a nonce is for one content.
    pub(crate) fn write<W: Write>(self, mut out: W) -> Result<Encrypting<W>, Error> {
        out.write_all(&self.beginning)?;
        self.content.encrypt(out, &self.key)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use openssl::symm::{self, encrypt_aead};

    use super::*;
    use crate::as2::{Disposition, Headers, Keys, Profile, open};

    const AES_256_GCM: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x2e";
    /// An attribute: content type, data.
    const ATTRIBUTES: &[u8] = b"\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03\
        \x31\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

    /// An envelope that others could have written.
    #[derive(Clone, Copy)]
    struct Odd {
        attributes: &'static [u8],
        tag: usize,
        /// GCM in EnvelopedData, the tag at the end of the octets.
        misplaced: bool,
        /// The nonce alone as parameters.
        bare_nonce: bool,
    }

    impl Odd {
        fn write(self, us: &Identity) -> Vec<u8> {
            let (key, plain) = ([7; 32], b"Content-Type: x/y\r\n\r\nhello");
            let nonce = vec![9; if self.bare_nonce { 16 } else { 12 }];
            let covered = match self.attributes {
                b"" => Vec::new(),
                attributes => der::element(0x31, &[attributes]),
            };
            let mut tag = vec![0; self.tag];
            let cipher = symm::Cipher::aes_256_gcm();
            let octets = encrypt_aead(cipher, &key, Some(&nonce), &covered, plain, &mut tag);
            let mut octets = octets.unwrap();
            let nonce = der::element(0x04, &[&nonce]);
            let length = [0x02, 0x01, self.tag as u8];
            let parameters = match (self.bare_nonce, self.tag) {
                (true, _) => nonce,
                (false, 12) => der::element(0x30, &[&nonce]),
                (false, _) => der::element(0x30, &[&nonce, &length]),
            };
            let algorithm = der::element(0x30, &[&der::oid(AES_256_GCM), &parameters]);
            let (kind, mut after) = match self.misplaced {
                true => (oid::ENVELOPED_DATA, Vec::new()),
                false => (oid::AUTH_ENVELOPED_DATA, der::element(0x04, &[&tag])),
            };
            if self.misplaced {
                octets.extend(&tag);
            }
            if !self.attributes.is_empty() {
                after = [der::element(0xA1, &[self.attributes]), after].concat();
            }
            let octets = der::element(0x80, &[&octets]);
            let content = der::element(0x30, &[&der::oid(oid::DATA), &algorithm, &octets]);
            let transport = KeyTransport::Pkcs1;
            let (infos, _) = recipient::write(&[&us.certificate], &key, transport).unwrap();
            let data = der::element(0x30, &[&[0x02, 0x01, 0x00], &infos, &content, &after]);
            der::element(0x30, &[&der::oid(kind), &der::element(0xA0, &[&data])])
        }
    }

    const PLAIN: Odd = Odd {
        attributes: b"",
        tag: 16,
        misplaced: false,
        bare_nonce: false,
    };
    const ATTRIBUTED: Odd = Odd {
        attributes: ATTRIBUTES,
        ..PLAIN
    };
    const INSIDE: Odd = Odd {
        misplaced: true,
        ..PLAIN
    };
    const BARE_NONCE: Odd = Odd {
        bare_nonce: true,
        ..INSIDE
    };

    fn with_tag(tag: usize, odd: Odd) -> Odd {
        Odd { tag, ..odd }
    }

    /// What a partner may do by option, and whether it then opens.
    fn table() -> Vec<(Odd, Profile, bool)> {
        let strict = || Profile {
            require_signed: false,
            ..Profile::default()
        };
        let short = || Profile {
            short_tags: true,
            ..strict()
        };
        let misplaced = || Profile {
            gcm_in_enveloped_data: true,
            ..strict()
        };
        vec![
            (PLAIN, strict(), true),
            (ATTRIBUTED, strict(), true),
            (with_tag(15, PLAIN), strict(), false),
            (with_tag(15, PLAIN), short(), true),
            (with_tag(12, ATTRIBUTED), strict(), false),
            (with_tag(12, ATTRIBUTED), short(), true),
            (with_tag(8, PLAIN), short(), false),
            (INSIDE, strict(), false),
            (INSIDE, short(), false),
            (INSIDE, misplaced(), true),
            (BARE_NONCE, misplaced(), true),
        ]
    }

    #[test]
    fn tags_attributes_and_places() {
        let at = DateTime::UNIX_EPOCH;
        let (from, to) = (at - TimeDelta::days(1), at + TimeDelta::days(1));
        let us = Identity::generate("us", 1, from, to).unwrap();
        let keys = Keys {
            ours: vec![us.clone()],
            theirs: vec![],
        };
        let headers: Headers = [("Content-Type", "application/pkcs7-mime")]
            .into_iter()
            .collect();
        let opened = |body: &[u8], profile: &Profile| {
            let mut payload = Vec::new();
            let opened = open(&headers, body, &mut payload, &keys, profile, at)?;
            Ok::<_, Error>((opened, payload))
        };
        for (n, (odd, profile, sound)) in table().into_iter().enumerate() {
            let body = odd.write(&us);
            let told = opened(&body, &Profile::accept_anything());
            match odd.tag {
                8 => assert!(told.is_err()),
                tag => {
                    let odd = odd.misplaced || tag < 16;
                    assert_eq!(!told.unwrap().0.secured.weak.is_empty(), odd, "row {n}");
                }
            }
            let first = opened(&body, &profile);
            assert_eq!(first.is_ok(), sound, "row {n}: {:?}", first.err());
            if !sound {
                continue;
            }
            assert_eq!(first.unwrap().1, b"hello");
            // Any byte of the content, the attributes or the tag.
            for byte in body.len() - 40..body.len() {
                let mut body = body.clone();
                body[byte] ^= 1;
                let answer = opened(&body, &profile).map(|_| ()).unwrap_err();
                let due = Disposition::error("decryption-failed");
                assert_eq!(
                    answer.disposition(false),
                    due,
                    "row {n}, byte {byte}: {answer}"
                );
            }
        }
    }
}
