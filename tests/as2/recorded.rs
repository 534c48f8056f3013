//! Messages that OpenAS2 and mendelson sent: every file of them is opened, with the MIC that the
//! sender's log showed, or that is reckoned from the bytes without us.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use transload::as2::{
    Certificate, Cipher, Digest, Error, Headers, Identity, Keys, Mdn, Mic, Profile,
};

use super::{day, open, shared};

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// Every recorded message and receipt. `mecas2_signed.as2` opens after the CRLF of its part headers,
/// which its recording lost, is put back; `mecas2_signed.mdn` after the certificate inside it, which
/// no file beside it has, is pinned; all others open as they are.
const READ: [&str; 14] = [
    "openas2/base64_crlf",
    "openas2/base64_newline",
    "openas2/binary_crlf_lines",
    "openas2/binary_initial_double_crlf",
    "openas2/binary_initial_double_newline",
    "openas2/binary_newlines",
    "openas2/binary_trailing_double_crlf",
    "openas2/binary_trailing_double_newline",
    "mendelson/mecas2_compressed.as2",
    "mendelson/mecas2_encrypted.as2",
    "mendelson/mecas2_signed.as2",
    "mendelson/mecas2_signed.mdn",
    "mendelson/mecas2_signed_encrypted.as2",
    "mendelson/mecas2_unsigned.mdn",
];

#[test]
fn no_recorded_file_is_left_out() {
    let Some(recorded) = shared("as2/recorded") else {
        return;
    };
    let mut found = BTreeSet::new();
    for folder in ["openas2", "mendelson"] {
        for entry in std::fs::read_dir(recorded.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let views = [".pkcs7", ".mime", ".txt"];
            let stem = views.iter().find_map(|view| name.strip_suffix(view));
            found.insert(format!("{folder}/{}", stem.unwrap_or(&name)));
        }
    }
    assert_eq!(found, READ.map(str::to_owned).into());
}

fn openas2_keys(recorded: &Path) -> Keys {
    let p12 = read(recorded.join("keys/openas2_receiver.p12"));
    Keys {
        ours: vec![Identity::from_pkcs12(&p12, "test").unwrap()],
        theirs: vec![
            Certificate::from_pem(&read(recorded.join("keys/openas2_sender.crt"))).unwrap(),
        ],
    }
}

fn mendelson_keys(recorded: &Path) -> Keys {
    let p12 = read(recorded.join("keys/cert_test.p12"));
    let pem = read(recorded.join("keys/cert_mecas2_public.pem"));
    Keys {
        ours: vec![Identity::from_pkcs12(&p12, "test").unwrap()],
        theirs: vec![Certificate::from_pem(&pem).unwrap()],
    }
}

fn legacy() -> Profile {
    Profile {
        legacy: true,
        ..Profile::default()
    }
}

/// Name and golden MIC of the eight bodies.
fn golden(recorded: &Path) -> Vec<(String, Mic)> {
    let table = String::from_utf8(read(recorded.join("golden-mic.tsv"))).unwrap();
    let rows = table.lines().skip(1).map(|row| {
        let (file, mic) = row.split_once('\t').unwrap();
        (
            file.to_owned(),
            Mic::parse(&format!("{mic}, sha-256")).unwrap(),
        )
    });
    rows.collect()
}

#[test]
fn openas2_bodies_open_verify_and_give_the_golden_mic() {
    let Some(recorded) = shared("as2/recorded") else {
        return;
    };
    let keys = openas2_keys(&recorded);
    let golden = golden(&recorded);
    assert_eq!(golden.len(), 8);
    for (file, mic) in golden {
        let body = read(recorded.join(&file));
        let (opened, payload) = open(&Headers::new(), &body, &keys, &legacy()).unwrap();
        assert_eq!(opened.mic, mic, "{file}");
        assert_eq!(
            payload,
            content(&read(recorded.join(file.replace("pkcs7", "txt")))),
            "{file}"
        );
        assert_eq!(opened.secured.signed.unwrap().digest, Digest::Sha256);
        assert_eq!(opened.secured.encrypted.unwrap().cipher, Cipher::TripleDes);
        let without_legacy = open(&Headers::new(), &body, &keys, &Profile::default());
        assert!(matches!(without_legacy, Err(Error::Weak(_))));
    }
}

/// What decryption gives, `.mime`, is a message too: signed, and its MIC is the same.
#[test]
fn openas2_bodies_open_also_without_their_envelope() {
    let Some(recorded) = shared("as2/recorded") else {
        return;
    };
    let keys = openas2_keys(&recorded);
    let profile = Profile {
        require_encrypted: false,
        ..legacy()
    };
    for (file, mic) in golden(&recorded) {
        let entity = read(recorded.join(file.replace("pkcs7", "mime")));
        let mut body = entity.as_slice();
        let headers = Headers::read(&mut body).unwrap();
        let (opened, payload) = open(&headers, body, &keys, &profile).unwrap();
        assert_eq!(opened.mic, mic, "{file}");
        assert_eq!(sha256_of(first_part(&entity)), mic, "{file}: by hand");
        let text = read(recorded.join(file.replace("pkcs7", "txt")));
        assert_eq!(payload, content(&text), "{file}");
    }
}

fn sha256_of(bytes: &[u8]) -> Mic {
    Mic {
        digest: Digest::Sha256,
        value: transload::as2::sha256(bytes).to_vec(),
    }
}

/// The first part of a multipart, cut out by hand: from the line after the first boundary line to
/// the line end before the next one.
fn first_part(entity: &[u8]) -> &[u8] {
    let find = |from: usize, what: &[u8]| {
        let rest = entity[from..].windows(what.len());
        from + rest.clone().position(|window| window == what).unwrap()
    };
    let at = find(0, b"boundary=\"") + b"boundary=\"".len();
    let boundary = &entity[at..find(at, b"\"")];
    let line = [b"\n--", boundary].concat();
    let start = find(find(0, &line) + 1, b"\n") + 1;
    let end = find(start, &line);
    entity[start..end]
        .strip_suffix(b"\r")
        .unwrap_or(&entity[start..end])
}

/// The content of a `.txt`: what stands between two boundaries, line end and header included.
fn content(part: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let mut rest = part.strip_prefix(b"\r\n").unwrap();
    let headers = Headers::read(&mut rest).unwrap();
    match headers.get("Content-Transfer-Encoding") {
        Some("base64") => base64::engine::general_purpose::STANDARD
            .decode(rest)
            .unwrap(),
        _ => rest.to_vec(),
    }
}

/// Every bit of the frame, and a stride over the rest; TRANSLOAD_EVERY_BIT=1 takes every bit of
/// all eight (a minute in release).
#[test]
fn a_flipped_bit_never_verifies() {
    let Some(recorded) = shared("as2/recorded") else {
        return;
    };
    let keys = openas2_keys(&recorded);
    let profile = Profile {
        accept_anything: true,
        ..legacy()
    };
    let every = std::env::var_os("TRANSLOAD_EVERY_BIT").is_some();
    let mut survivors = Vec::new();
    for (index, (file, mic)) in golden(&recorded).into_iter().enumerate() {
        let mut body = read(recorded.join(&file));
        let frame = if index == 0 { 0..440 * 8 } else { 0..0 };
        let stride = (440 * 8..body.len() * 8).filter(|bit| bit % 97 == index);
        let bits: Vec<usize> = match every {
            true => (0..body.len() * 8).collect(),
            false => frame.chain(stride).collect(),
        };
        for bit in bits {
            body[bit / 8] ^= 1 << (bit % 8);
            if let Ok((opened, _)) = open(&Headers::new(), &body, &keys, &profile) {
                let verifies = opened.secured.signed.is_some() || opened.mic == mic;
                survivors.extend(verifies.then_some((file.clone(), bit / 8, bit % 8)));
            }
            body[bit / 8] ^= 1 << (bit % 8);
        }
    }
    assert_eq!(survivors, []);
}

/// Header lines and structure with CRLF, as they were sent before a tool made them LF.
fn with_crlf(message: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = message
        .iter()
        .copied()
        .filter(|byte| *byte != b'\r')
        .collect();
    let mut out = Vec::new();
    for byte in text {
        if byte == b'\n' {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}

fn mendelson(recorded: &Path, file: &str) -> (Headers, Vec<u8>) {
    let message = read(recorded.join("mendelson").join(file));
    let mut rest = message.as_slice();
    let headers = Headers::read(&mut rest).unwrap();
    (headers, rest.to_vec())
}

/// The folder, the receiver's keys, and what he agreed to.
fn mendelson_party() -> Option<(PathBuf, Keys, Profile)> {
    let recorded = shared("as2/recorded")?;
    let keys = mendelson_keys(&recorded);
    let profile = Profile {
        require_encrypted: false,
        require_signed: false,
        ..legacy()
    };
    Some((recorded, keys, profile))
}

#[test]
fn mendelson_messages_open() {
    let Some((recorded, keys, profile)) = mendelson_party() else {
        return;
    };
    let mut payloads = Vec::new();
    for (file, signed, encrypted, compressed) in [
        ("mecas2_encrypted.as2", false, true, false),
        ("mecas2_signed_encrypted.as2", true, true, false),
        ("mecas2_compressed.as2", true, false, true),
    ] {
        let (headers, body) = mendelson(&recorded, file);
        assert_eq!(headers.as2_from().unwrap(), "mecas2");
        let (opened, payload) = open(&headers, &body, &keys, &profile).unwrap();
        let have = &opened.secured;
        let have = (
            have.signed.is_some(),
            have.encrypted.is_some(),
            have.compressed,
        );
        assert_eq!(have, (signed, encrypted, compressed), "{file}");
        assert!(payload.starts_with(b"UNB+UNOA:2+"), "{file}");
        assert!(opened.file_name.is_some(), "{file}");
        payloads.push(payload);
    }
    assert_eq!(payloads[1], payloads[2]);
}

/// Nobody kept mendelson's own MICs. What `openssl cms` decrypts is digested by hand: the first
/// part where it is signed, all of it where it is not (RFC 4130 §7.3.1).
#[test]
fn mendelson_mics_are_those_of_the_bytes() {
    let Some((recorded, keys, profile)) = mendelson_party() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let key = keys.ours[0].private_key_to_pem().unwrap();
    std::fs::write(folder.path().join("key"), key).unwrap();
    for (file, signed) in [
        ("mecas2_encrypted.as2", false),
        ("mecas2_signed_encrypted.as2", true),
        ("mecas2_compressed.as2", true),
    ] {
        let (headers, body) = mendelson(&recorded, file);
        let (opened, _) = open(&headers, &body, &keys, &profile).unwrap();
        let entity = match opened.secured.encrypted {
            Some(_) => decrypted(folder.path(), &body),
            None => read(recorded.join("mendelson").join(file)),
        };
        let due = match signed {
            true => sha256_of(first_part(&entity)),
            false => sha256_of(&entity),
        };
        assert_eq!(opened.mic, due, "{file}");
    }
}

/// What the command line of OpenSSL makes of an envelope to the key in the folder.
fn decrypted(folder: &Path, body: &[u8]) -> Vec<u8> {
    std::fs::write(folder.join("body"), body).unwrap();
    let args = "cms -decrypt -binary -inform DER -in body -inkey key";
    let output = Command::new("openssl")
        .args(args.split(' '))
        .current_dir(folder)
        .output();
    output.expect("the openssl command is installed").stdout
}

/// `mecas2_signed.as2`: the content is as it was sent, its part headers lost their CR.
#[test]
fn mendelson_signed_verifies_once_its_part_headers_have_their_crlf() {
    let Some(recorded) = shared("as2/recorded") else {
        return;
    };
    let keys = mendelson_keys(&recorded);
    let profile = Profile {
        require_encrypted: false,
        ..legacy()
    };
    let (headers, body) = mendelson(&recorded, "mecas2_signed.as2");
    assert!(open(&headers, &body, &keys, &profile).is_err());
    let blank = body
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair == b"\n\n");
    let head_ends: Vec<usize> = blank.map(|(at, _)| at + 2).collect();
    // The preamble ends at the first empty line, the first part's header at the second.
    let (head, content) = body.split_at(head_ends[1]);
    let repaired = [with_crlf(head), content.to_vec()].concat();
    let (opened, payload) = open(&headers, &repaired, &keys, &profile).unwrap();
    assert!(opened.signer().is_some());
    let boundary = format!("content-type: {}\n", headers.get("Content-Type").unwrap());
    let entity = [boundary.as_bytes(), &repaired].concat();
    assert_eq!(opened.mic, sha256_of(first_part(&entity)));
    assert!(payload.starts_with(b"UNB+UNOA:2+"));
}

#[test]
fn mendelson_receipts_are_read() {
    let Some(recorded) = shared("as2/recorded") else {
        return;
    };
    let (headers, body) = mendelson(&recorded, "mecas2_unsigned.mdn");
    assert!(Mdn::is(&headers, &body));
    let mdn = Mdn::read(&headers, &body, &Keys::default(), &legacy(), day()).unwrap();
    assert_eq!(mdn.disposition.detail, "authentication-failed");
    assert!(mdn.signature.is_none() && !mdn.disposition.is_positive());
    assert!(mdn.answers("<20161230102316.10728.85252@imac.local>"));

    let (headers, body) = mendelson(&recorded, "mecas2_signed.mdn");
    let unknown = Mdn::read(
        &headers,
        &body,
        &mendelson_keys(&recorded),
        &legacy(),
        day(),
    );
    assert!(matches!(unknown, Err(Error::UnknownSigner(_))));
    let pinned = Certificate::from_der(&embedded_certificate(&body)).unwrap();
    let at = pinned.not_after();
    let keys = Keys {
        ours: vec![],
        theirs: vec![pinned],
    };
    let mdn = Mdn::read(&headers, &body, &keys, &legacy(), at).unwrap();
    assert_eq!(mdn.signature.unwrap().digest, Digest::Sha1);
    assert!(mdn.disposition.is_positive());
    assert_eq!(mdn.mic.unwrap().digest, Digest::Sha256);
}

/// The certificate inside a base64 signature at the end of a receipt.
fn embedded_certificate(body: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let text = String::from_utf8_lossy(body);
    let signature = text
        .rsplit("\r\n\r\n")
        .find(|part| part.starts_with("MIA"))
        .unwrap();
    let signature: String = signature
        .split("--")
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(signature)
        .unwrap();
    let start = der
        .windows(2)
        .position(|pair| pair == [0xA0, 0x80])
        .unwrap();
    let start = start
        + der[start..]
            .windows(2)
            .position(|pair| pair == [0x30, 0x82])
            .unwrap();
    let length = usize::from(der[start + 2]) << 8 | usize::from(der[start + 3]);
    der[start..start + 4 + length].to_vec()
}
