//! What authenticated attributes add to a GCM tag (NIST SP 800-38D).
//!
//! GCM wants them before the content, AuthEnvelopedData has them after it (RFC 5083 §2.1). GHASH
//! is linear in its blocks, so the tag without them differs from the tag with them by
//!
//! ```text
//! GHASH(attributes) · H^(blocks of content + 1)  ⊕  (bits of attributes · 2^64) · H
//! ```
//!
//! and a stream that has gone by need not be kept.

use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;

use crate::as2::error::Error;

/// Bytes of a block.
const BLOCK: usize = 16;

/// What to XOR to the tag over `content` bytes, so that it is the tag without `attributes`.
pub(super) fn shift(key: &[u8], attributes: &[u8], content: u64) -> Result<[u8; BLOCK], Error> {
    let h = hash_key(key)?;
    let mut sum = 0;
    for block in attributes.chunks(BLOCK) {
        let mut padded = [0; BLOCK];
        padded[..block.len()].copy_from_slice(block);
        sum = multiply(sum ^ u128::from_be_bytes(padded), h);
    }
    let blocks = content.div_ceil(BLOCK as u64);
    let bits = (attributes.len() as u128 * 8) << 64;
    let shift = multiply(sum, power(h, blocks + 1)) ^ multiply(bits, h);
    Ok(shift.to_be_bytes())
}

/// H: the block of zeros, encrypted.
fn hash_key(key: &[u8]) -> Result<u128, Error> {
    let cipher = match key.len() {
        16 => Cipher::aes_128_ecb(),
        24 => Cipher::aes_192_ecb(),
        _ => Cipher::aes_256_ecb(),
    };
    let mut context = CipherCtx::new()?;
    context.encrypt_init(Some(cipher), Some(key), None)?;
    let mut out = [0; 2 * BLOCK];
    context.cipher_update(&[0; BLOCK], Some(&mut out))?;
    let mut h = [0; BLOCK];
    h.copy_from_slice(&out[..BLOCK]);
    Ok(u128::from_be_bytes(h))
}

/// The product in GF(2^128) in GCM's order of bits; no branch depends on a secret.
fn multiply(x: u128, y: u128) -> u128 {
    let (mut product, mut factor) = (0, y);
    for bit in (0..128).rev() {
        product ^= factor & 0u128.wrapping_sub((x >> bit) & 1);
        let carry = 0u128.wrapping_sub(factor & 1);
        factor = (factor >> 1) ^ (carry & (0xE1 << 120));
    }
    product
}

/// The exponent is public: it is a length.
fn power(mut base: u128, mut exponent: u64) -> u128 {
    // The one of GCM's field has its first bit set.
    let mut out = 1 << 127;
    while exponent > 0 {
        if exponent & 1 == 1 {
            out = multiply(out, base);
        }
        base = multiply(base, base);
        exponent >>= 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &[u8], attributes: &[u8], content: &[u8]) -> [u8; BLOCK] {
        let mut context = CipherCtx::new().unwrap();
        let cipher = Cipher::aes_128_gcm();
        context
            .encrypt_init(Some(cipher), Some(key), Some(&[3; 12]))
            .unwrap();
        if !attributes.is_empty() {
            context.cipher_update(attributes, None).unwrap();
        }
        let mut out = vec![0; content.len() + 32];
        context.cipher_update(content, Some(&mut out)).unwrap();
        context.cipher_final(&mut out).unwrap();
        let mut tag = [0; BLOCK];
        context.tag(&mut tag).unwrap();
        tag
    }

    #[test]
    fn shifted_tags_are_those_that_openssl_makes() {
        let key = [9; 16];
        for attributes in [1, 15, 16, 17, 100] {
            for content in [0, 1, 16, 33, 5000] {
                let (attributes, content) = (vec![0x31; attributes], vec![7; content]);
                let mut with = tag(&key, &attributes, &content);
                let shift = shift(&key, &attributes, content.len() as u64).unwrap();
                with.iter_mut()
                    .zip(shift)
                    .for_each(|(byte, by)| *byte ^= by);
                assert_eq!(with, tag(&key, b"", &content));
            }
        }
    }
}
