//! One answer to whatever is wrong with an encrypted message. `cargo bench --bench as2 -- --faults`
//! makes a hundred thousand of each, and measures the time as well.

use transload::as2::{Cipher, Disposition, KeyKind, KeyTransport, Keys, Profile, RsaSignature};

use super::{open, partners, partners_with, profile, seal};

/// Messages that are made wrong, of each kind.
const TRIALS: usize = 300;

fn answers_are_one(ours: &Keys, theirs: &Keys, profile: &Profile) {
    let (sealed, body) = seal(b"ISA*00*~GS*PO~ST*850*0001~", ours, profile);
    open(&sealed.headers, &body, theirs, profile).unwrap();
    let mut random = 1u64;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (random >> 33) as usize % below
    };
    // The name of the content type comes first, and is no secret.
    let start = 30;
    for trial in 0..TRIALS {
        let mut wrong = body.clone();
        match trial % 8 {
            0 => wrong.truncate(start + next(body.len() - start)),
            _ => {
                for _ in 0..=next(2) {
                    wrong[start + next(body.len() - start)] ^= 1 + next(255) as u8;
                }
            }
        }
        if wrong == body {
            continue;
        }
        let answer = open(&sealed.headers, &wrong, theirs, profile);
        let answer = answer.map(|_| ()).unwrap_err();
        assert_eq!(
            answer.disposition(false),
            Disposition::error("decryption-failed"),
            "{answer}"
        );
    }
}

#[test]
fn every_fault_of_every_kind_of_envelope_gives_one_answer() {
    let rsa = partners();
    let elliptic = partners_with(KeyKind::P256);
    let table = [
        (&rsa, Cipher::Aes256Cbc, KeyTransport::Pkcs1),
        (&rsa, Cipher::Aes256Gcm, KeyTransport::Pkcs1),
        (&rsa, Cipher::Aes128Cbc, "rsa-oaep-sha-256".parse().unwrap()),
        (&elliptic, Cipher::Aes256Cbc, KeyTransport::Pkcs1),
        (&elliptic, Cipher::Aes256Gcm, KeyTransport::Pkcs1),
    ];
    for ((ours, theirs), cipher, key_transport) in table {
        let profile = Profile {
            encrypt: Some(cipher),
            key_transport,
            rsa_signature: RsaSignature::Pss,
            ..profile()
        };
        answers_are_one(ours, theirs, &profile);
    }
}
