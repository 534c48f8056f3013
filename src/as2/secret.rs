//! A short secret for whoever has a key: an AuthEnvelopedData (RFC 5083) with AES-256-GCM around it.
//!
//! What `openssl cms -decrypt` reads as well. It says who can read the secret, never who wrote it:
//! anybody has the certificate.

use std::io::{BufRead, Read, Write};

use zeroize::Zeroizing;

use super::cms::ber::Ber;
use super::cms::cipher::Cipher;
use super::cms::enveloped::{Envelope, Wrapping};
use super::cms::recipient::KeyTransport;
use super::cms::{self, oid};
use super::error::Error;
use super::keys::{Certificate, Entropy, Identity};
use super::mic::Digest;

/// Most bytes of a secret: keys, and nothing longer.
pub const SECRET_BYTES: usize = 64;

/// Locks a secret of at most [`SECRET_BYTES`] for the holder of each certificate's key.
///
/// # Errors
/// [`Error::Limit`] for a longer one, [`Error::OpenSsl`] where a certificate's key cannot encrypt.
pub fn lock(secret: &[u8], to: &[&Certificate], entropy: Entropy<'_>) -> Result<Vec<u8>, Error> {
    if secret.len() > SECRET_BYTES {
        let (what, limit) = ("a secret", SECRET_BYTES as u64);
        return Err(Error::Limit { what, limit });
    }
    let wrapping = Wrapping {
        cipher: Cipher::Aes256Gcm,
        recipients: to.to_vec(),
        transport: KeyTransport::oaep(Digest::Sha256),
    };
    let mut out = Vec::new();
    let prepared = wrapping.prepare(secret.len() as u64, entropy)?;
    let mut inside = prepared.write(&mut out)?;
    inside.write_all(secret)?;
    inside.finish()?;
    Ok(out)
}

/// The secret that [`lock`] locked, where one of our keys opens it.
///
/// # Errors
/// [`Error::NotForUs`], [`Error::Decryption`] and what is wrong with its frame.
pub fn unlock(locked: &[u8], ours: &[Identity]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut locked = locked;
    let source: &mut dyn BufRead = &mut locked;
    let mut ber = Ber::new(source);
    let kind = cms::enter(&mut ber)?;
    if kind != oid::AUTH_ENVELOPED_DATA {
        return Err(cms::unknown("content type", &kind));
    }
    let envelope = Envelope::read(&mut ber, true)?;
    let key = envelope.content_key(ours)?;
    let mut plain = envelope.decrypt(ber.octets(0x80)?, &key)?;
    let mut secret = Zeroizing::new(Vec::with_capacity(SECRET_BYTES + 1));
    (&mut plain)
        .take(SECRET_BYTES as u64 + 1)
        .read_to_end(&mut secret)?;
    if secret.len() > SECRET_BYTES {
        let (what, limit) = ("a secret", SECRET_BYTES as u64);
        return Err(Error::Limit { what, limit });
    }
    let opening = plain.opening();
    envelope.finish(&mut ber, opening)?;
    cms::leave(&mut ber)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::as2::KeyKind;

    #[test]
    fn who_has_the_key_reads_it_and_nobody_else() {
        let at = DateTime::UNIX_EPOCH;
        let made = |kind: &str, serial| {
            let kind: KeyKind = kind.parse().unwrap();
            Identity::generate_as(kind, "us", serial, at, at + TimeDelta::days(1)).unwrap()
        };
        let mut entropy = |out: &mut [u8]| out.fill(7);
        let other = made("p-256", 9);
        for (kind, serial) in [("rsa-2048", 1), ("p-256", 2)] {
            let us = made(kind, serial);
            let locked = lock(&[5; 32], &[&us.certificate], &mut entropy).unwrap();
            assert_eq!(
                *unlock(&locked, std::slice::from_ref(&us)).unwrap(),
                [5; 32],
                "{kind}"
            );
            assert!(
                unlock(&locked, std::slice::from_ref(&other)).is_err(),
                "{kind}"
            );
            for at in [locked.len() - 1, locked.len() - 20, locked.len() / 2] {
                let mut turned = locked.clone();
                turned[at] ^= 1;
                assert!(
                    unlock(&turned, std::slice::from_ref(&us)).is_err(),
                    "{kind} at {at}"
                );
            }
        }
        assert!(lock(&[0; 65], &[&other.certificate], &mut entropy).is_err());
    }
}
