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
        let matching = self.recipients.iter().find_map(|recipient| {
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

    /// Reads what follows the octets, and checks the tag. The version number has to be the one of
    /// RFC 5652 §6.1: it is the only byte of the frame that nothing else would miss.
    pub(crate) fn finish(&self, ber: &mut Ber<'_>, mut opening: Opening) -> Result<(), Error> {
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
