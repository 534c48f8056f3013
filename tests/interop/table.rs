//! Every algorithm × every peer × both directions: what we write is opened by the peer, what the
//! peer writes is opened by us, payload and MIC equal byte for byte.
//!
//! `table.md` beside this file is what came out; a run that gives anything else fails and prints
//! the table anew.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use transload::as2::{Digest, Mdn};
use transload::net;

use super::house::{House, PAYLOAD, Row, Word, entity, receipt_fields, same, told};
use super::{Answer, Peer, ROOT, openssl};

/// A row each, in the words that the drivers take. `layers` go from the inside out.
const ROWS: &[&str] = &[
    "layers=",
    "layers=compress",
    "layers=sign sign=sha1",
    "layers=sign sign=sha256",
    "layers=sign sign=sha384",
    "layers=sign sign=sha512",
    "layers=sign sign=sha256 scheme=pss",
    "layers=sign sign=sha384 scheme=pss",
    "layers=sign sign=sha512 scheme=pss",
    "layers=sign sign=sha256 scheme=ecdsa",
    "layers=sign sign=sha384 scheme=ecdsa",
    "layers=sign sign=sha512 scheme=ecdsa",
    "layers=encrypt cipher=aes-128-cbc",
    "layers=encrypt cipher=aes-192-cbc",
    "layers=encrypt cipher=aes-256-cbc",
    "layers=encrypt cipher=aes-128-gcm",
    "layers=encrypt cipher=aes-192-gcm",
    "layers=encrypt cipher=aes-256-gcm",
    "layers=encrypt cipher=3des",
    "layers=encrypt cipher=rc2-128-cbc",
    "layers=encrypt cipher=rc2-64-cbc",
    "layers=encrypt cipher=rc2-40-cbc",
    "layers=encrypt cipher=aes-256-cbc transport=oaep hash=sha1 mgf=sha1",
    "layers=encrypt cipher=aes-256-cbc transport=oaep hash=sha256 mgf=sha1",
    "layers=encrypt cipher=aes-256-cbc transport=oaep hash=sha256 mgf=sha256",
    "layers=encrypt cipher=aes-256-cbc transport=oaep hash=sha384 mgf=sha384",
    "layers=encrypt cipher=aes-256-cbc transport=oaep hash=sha512 mgf=sha512",
    "layers=encrypt cipher=aes-256-gcm transport=oaep hash=sha256 mgf=sha256",
    "layers=encrypt cipher=aes-256-cbc transport=ecdh hash=sha1",
    "layers=encrypt cipher=aes-256-cbc transport=ecdh hash=sha256",
    "layers=encrypt cipher=aes-256-cbc transport=ecdh hash=sha384",
    "layers=encrypt cipher=aes-256-cbc transport=ecdh hash=sha512",
    "layers=encrypt cipher=aes-128-cbc transport=ecdh hash=sha256",
    "layers=encrypt cipher=aes-256-gcm transport=ecdh hash=sha256",
    "layers=compress,sign sign=sha256",
    "layers=sign,compress sign=sha256",
    "layers=compress,encrypt cipher=aes-256-cbc",
    "layers=sign,encrypt sign=sha256 cipher=aes-256-cbc",
    "layers=compress,sign,encrypt sign=sha256 cipher=aes-256-cbc",
    "layers=sign,compress,encrypt sign=sha256 cipher=aes-256-cbc",
    "layers=sign,encrypt sign=sha256 cipher=aes-256-gcm",
    "layers=sign,encrypt sign=sha512 scheme=pss cipher=aes-256-gcm transport=oaep hash=sha256 mgf=sha256",
    "layers=sign,encrypt sign=sha256 scheme=ecdsa cipher=aes-128-gcm transport=ecdh hash=sha256",
    "layers=sign sign=sha1 receipt=yes",
    "layers=sign sign=sha256 receipt=yes",
    "layers=sign sign=sha384 receipt=yes",
    "layers=sign sign=sha512 receipt=yes",
    "layers=sign sign=sha256 scheme=pss receipt=yes",
    "layers=sign sign=sha256 scheme=ecdsa receipt=yes",
];

/// Which end of the table.
enum Other {
    Openssl,
    Driver(Peer),
}

impl Other {
    fn ask(&mut self, folder: &Path, command: &str, words: &[Word<'_>]) -> Result<Answer, String> {
        match self {
            Other::Openssl => openssl::ask(folder, command, words),
            Other::Driver(peer) => peer.ask(command, words),
        }
    }

    /// Why the peer cannot, where it cannot; `wrote` is its writing, not its reading.
    fn cannot(&self, row: &Row<'_>, wrote: bool) -> Option<&'static str> {
        match self {
            Other::Openssl => row.has("compress").then_some("built without zlib"),
            Other::Driver(peer) if peer.name == "pyas2lib" => pyas2lib_cannot(row, wrote),
            Other::Driver(_) => None,
        }
    }
}

fn pyas2lib_cannot(row: &Row<'_>, wrote: bool) -> Option<&'static str> {
    let cipher = row.get("cipher").unwrap_or_default();
    match (row.get("scheme"), row.get("transport")) {
        (Some("ecdsa"), _) => return Some("RSA only"),
        (_, Some("ecdh")) => return Some("RSA only"),
        (_, Some("oaep")) if row.get("hash") != Some("sha1") => {
            return Some("OAEP with SHA-1 only");
        }
        _ => {}
    }
    match cipher {
        _ if cipher.ends_with("gcm") => Some("no AuthEnvelopedData"),
        _ if cipher.starts_with("rc2") => Some("no RC2 in OpenSSL 3"),
        _ if wrote && row.get("layers") == Some("sign,compress") => Some("compresses first"),
        _ if wrote && row.get("layers") == Some("sign,compress,encrypt") => {
            Some("compresses first")
        }
        _ => None,
    }
}

/// Why we do not, where we do not; `wrote` is our writing.
fn we_cannot(row: &Row<'_>, wrote: bool) -> Option<&'static str> {
    let weak = row.get("sign") == Some("sha1")
        || matches!(
            row.get("cipher"),
            Some("3des" | "rc2-128-cbc" | "rc2-64-cbc" | "rc2-40-cbc")
        );
    if weak && wrote {
        return Some("only read");
    }
    let other = matches!(row.get("hash"), Some("sha1" | "sha384" | "sha512"));
    let agreed = row.get("transport") == Some("ecdh");
    (wrote && agreed && other).then_some("written with SHA-256")
}

/// The peer seals a row into the file `sealed`, and says its MIC.
fn peer_seals(house: &House, other: &mut Other, row: &Row<'_>) -> Result<Option<String>, String> {
    let (signer, recipient) = (row.signer("peer"), row.recipient("house"));
    let (key, certificate) = (format!("{signer}.key"), format!("{signer}.crt"));
    let to = format!("{recipient}.crt");
    let mut words = row.words.clone();
    words.extend([
        ("key", key.as_str()),
        ("cert", &certificate),
        ("mic", "sha256"),
    ]);
    if row.get("receipt").is_none() {
        words.extend([("in", "entity"), ("out", "sealed"), ("to", &to)]);
        let said = other.ask(house.path(), "seal", &words)?;
        return Ok(said.get("mic").cloned());
    }
    let pinned = format!("{}.crt", row.signer("house"));
    words.push(("from", &pinned));
    if matches!(other, Other::Driver(peer) if peer.name == "pyas2lib") {
        // It has receipts of its own: this one answers a message of ours.
        let mic = house.seal(&Row::read("layers=sign sign=sha256"))?;
        let micalg = row.get("sign").unwrap_or_default();
        words.extend([("in", "sealed"), ("out", "payload"), ("receipt", "sealed")]);
        words.retain(|word| *word != ("receipt", "yes"));
        words.push(("micalg", micalg));
        other.ask(house.path(), "open", &words)?;
        return Ok(Some(mic));
    }
    let written = Mdn::write(
        &receipt_fields(Digest::Sha256),
        None,
        &mut net::entropy,
        Utc::now(),
    );
    let (headers, body) = written.map_err(|why| why.to_string())?;
    house.write("report", &entity(&headers, &body));
    words.extend([("in", "report"), ("out", "sealed")]);
    other.ask(house.path(), "seal", &words)?;
    Ok(Some(STANDARD.encode(told().value)))
}

/// The peer opens the file `sealed`.
fn peer_opens(house: &House, other: &mut Other, row: &Row<'_>, mic: &str) -> Result<(), String> {
    let recipient = row.recipient("peer");
    let (key, certificate) = (format!("{recipient}.key"), format!("{recipient}.crt"));
    let from = format!("{}.crt", row.signer("house"));
    let mut words = row.words.clone();
    words.retain(|word| word.0 != "receipt");
    words.extend([
        ("key", key.as_str()),
        ("cert", &certificate),
        ("from", &from),
    ]);
    words.extend([("in", "sealed"), ("out", "payload")]);
    let receipt = row.get("receipt").is_some();
    if receipt && matches!(other, Other::Driver(peer) if peer.name == "pyas2lib") {
        let told = STANDARD.encode(told().value);
        words.push(("mic", &told));
        let said = other.ask(house.path(), "receipt", &words)?;
        let get = |name: &str| said.get(name).map_or("", String::as_str);
        same("disposition", get("disposition"), "processed")?;
        same(
            "digest",
            get("mdn_digest"),
            row.get("sign").unwrap_or_default(),
        )?;
        return same("MIC", get("mic_returned"), told.as_str());
    }
    words.push(("mic", "sha256"));
    let said = other.ask(house.path(), "open", &words)?;
    if receipt {
        let report = String::from_utf8_lossy(&house.read("payload")).into_owned();
        let told = report.contains("\r\nOriginal-Message-ID: <1@peer>\r\n");
        return same("the report as it was", &told, &true);
    }
    same("payload", house.read("payload").as_slice(), PAYLOAD)?;
    said.get("mic")
        .map_or(Ok(()), |said| same("MIC", said.as_str(), mic))
}

/// Both directions of a row with one peer, as two cells: `yes`, or why not.
fn cells(house: &House, other: &mut Other, row: &Row<'_>) -> [String; 2] {
    let show = |done: Result<(), String>, cannot: Option<&str>| match (done, cannot) {
        (Ok(()), None) => "yes".to_owned(),
        (Err(_), Some(why)) => why.to_owned(),
        (Ok(()), Some(why)) => format!("FAILS: works, though {why}"),
        (Err(why), None) => format!("FAILS: {}", why.trim()),
    };
    let ours = house
        .seal(row)
        .and_then(|mic| peer_opens(house, other, row, &mic));
    let cannot = we_cannot(row, true).or(other.cannot(row, false));
    let ours = show(ours, cannot);
    let theirs = peer_seals(house, other, row).and_then(|mic| house.open(row, mic.as_deref()));
    [
        ours,
        show(theirs, other.cannot(row, true).or(we_cannot(row, false))),
    ]
}

/// A peer's two columns of `table.md` are what comes out now.
fn columns(at: usize, start: impl FnOnce(&Path) -> Option<Other>) {
    let house = House::new();
    let Some(mut other) = start(house.path()) else {
        return;
    };
    let golden = std::fs::read_to_string(Path::new(ROOT).join("tests/interop/table.md"));
    let golden = golden.expect("the table is there");
    let golden = golden.lines().filter(|line| line.starts_with("| "));
    let golden: Vec<Vec<&str>> = golden
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let mut wrong = Vec::new();
    for (n, line) in ROWS.iter().enumerate() {
        let row = Row::read(line);
        let [ours, theirs] = cells(&house, &mut other, &row);
        let have = [row.title(), ours, theirs];
        let cell = |at: usize| golden.get(n + 1).and_then(|row| row.get(at));
        let want = [0, at, at + 1].map(|at| cell(at).copied().unwrap_or_default());
        if have != want || have[1..].iter().any(|cell| cell.starts_with("FAILS")) {
            wrong.push(have.join(" | "));
        }
    }
    assert!(
        wrong.is_empty(),
        "not as in table.md:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn openssl_knows_what_the_table_says() {
    columns(1, |_| Some(Other::Openssl));
}

#[test]
fn bouncy_castle_knows_what_the_table_says() {
    columns(3, |folder| Peer::bouncy_castle(folder).map(Other::Driver));
}

#[test]
fn pyas2lib_knows_what_the_table_says() {
    columns(5, |folder| Peer::pyas2lib(folder).map(Other::Driver));
}
