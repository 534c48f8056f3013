//! Every algorithm × every peer × both directions: what we write is opened by the peer, what the
//! peer writes is opened by us, payload and MIC equal byte for byte.
//!
//! `table.md` beside this file is what came out; a run that gives anything else fails and prints
//! the table anew.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use tempfile::TempDir;
use transload::as2::{
    self, Certificate, Cipher, Digest, Disposition, Headers, Identity, Keys, Mdn, MdnFields, Mic,
    Profile, Secured,
};
use transload::net;

use super::{Answer, Peer, keys, openssl};

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
    "layers=encrypt cipher=rc2-128",
    "layers=encrypt cipher=rc2-40",
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

/// Line ends of every kind, also where they may be mistaken for a frame's; not text.
const PAYLOAD: &[u8] = b"\r\nISA*00*~\nGS*PO~\r\r\n--\r\n\xff\0--b--\r\n\r\n\n";

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
        (Some("pss"), _) if wrote => return Some("not yet: says no parameters"),
        (_, Some("oaep")) if wrote && row.get("hash") == Some("sha1") => {
            return Some("not yet: says no parameters");
        }
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
        || matches!(row.get("cipher"), Some("3des" | "rc2-128" | "rc2-40"));
    let unbuilt = row.get("scheme") == Some("pss") && wrote
        || row.get("scheme") == Some("ecdsa")
        || row.get("transport") == Some("oaep") && wrote
        || row.get("transport") == Some("ecdh")
        || row
            .get("cipher")
            .is_some_and(|cipher| cipher.ends_with("gcm"))
        || wrote
            && row
                .get("layers")
                .is_some_and(|layers| layers.starts_with("sign,compress"))
        || row
            .get("cipher")
            .is_some_and(|cipher| cipher.starts_with("rc2"));
    match (weak && wrote, unbuilt) {
        (true, _) => Some("only read"),
        (_, true) => Some("not yet"),
        _ => None,
    }
}

type Word<'w> = (&'w str, &'w str);

struct Row<'r> {
    words: Vec<Word<'r>>,
}

impl Row<'_> {
    fn read(line: &str) -> Row<'_> {
        let pair = |word| str::split_once(word, '=').expect("a name and a value");
        Row {
            words: line.split(' ').map(pair).collect(),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.words.iter().find(|word| word.0 == name);
        found.map(|word| word.1)
    }

    fn has(&self, layer: &str) -> bool {
        let mut layers = self.get("layers").unwrap_or_default().split(',');
        layers.any(|one| one == layer)
    }

    /// Who signs and who decrypts, as which key: `house`, or `house-ec` on a curve.
    fn signer(&self, who: &str) -> String {
        let curve = self.get("scheme") == Some("ecdsa");
        format!("{who}{}", if curve { "-ec" } else { "" })
    }

    fn recipient(&self, who: &str) -> String {
        let curve = self.get("transport") == Some("ecdh");
        format!("{who}{}", if curve { "-ec" } else { "" })
    }

    fn digest(&self) -> Option<Digest> {
        self.get("sign").and_then(Digest::parse)
    }

    /// How the row reads in the table.
    fn title(&self) -> String {
        let kind = if self.get("receipt").is_some() {
            "receipt"
        } else {
            ""
        };
        let words = self.words.iter().filter(|word| word.0 != "receipt");
        let values = words.map(|(name, value)| match *name {
            "layers" => value.replace(',', ", then "),
            "hash" => format!("({value}"),
            "mgf" => format!("mgf1 {value})"),
            _ => (*value).to_owned(),
        });
        let values: Vec<String> = values.filter(|value| !value.is_empty()).collect();
        let title = format!("{kind} {}", values.join(" "));
        let closed = match title.contains('(') && !title.contains(')') {
            true => format!("{title})"),
            false => title,
        };
        match closed.trim() {
            "" => "in clear".to_owned(),
            text => text.to_owned(),
        }
    }
}

/// Our side, in a folder with the keys of both.
struct House {
    folder: TempDir,
}

impl House {
    fn new() -> House {
        let house = House { folder: keys() };
        let head = b"Content-Type: application/octet-stream\r\n\
                     Content-Transfer-Encoding: binary\r\n\r\n";
        house.write("entity", &[head, PAYLOAD].concat());
        house
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).expect("the peer wrote it")
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(name), bytes).expect("a temporary folder is writable");
    }

    fn identity(&self, name: &str) -> Result<Identity, String> {
        let (certificate, key) = (format!("{name}.crt"), format!("{name}.key"));
        let identity = Identity::from_pem(&self.read(&certificate), &self.read(&key));
        identity.map_err(|why| why.to_string())
    }

    /// The keys that sign and encrypt a row.
    fn keys(&self, row: &Row<'_>) -> Result<Keys, String> {
        let pinned = |name: String| {
            let pem = self.read(&format!("{name}.crt"));
            Certificate::from_pem(&pem).expect("the certificate is sound")
        };
        let mut ours = vec![self.identity(&row.signer("house"))?];
        if row.signer("house") != row.recipient("house") {
            ours.push(self.identity(&row.recipient("house"))?);
        }
        let mut theirs = vec![pinned(row.recipient("peer"))];
        if row.signer("peer") != row.recipient("peer") {
            theirs.push(pinned(row.signer("peer")));
        }
        Ok(Keys { ours, theirs })
    }

    fn profile(row: &Row<'_>) -> Result<Profile, String> {
        let cipher = row.get("cipher").map(str::parse::<Cipher>).transpose();
        Ok(Profile {
            our_id: "house".into(),
            their_id: "peer".into(),
            require_signed: false,
            require_encrypted: false,
            sign: row.digest(),
            encrypt: cipher.map_err(|why| why.to_string())?,
            compress: row
                .has("compress")
                .then_some(transload::as2::Compression::BeforeSigning),
            legacy: true,
            ..Profile::default()
        })
    }

    /// Seals into the file `sealed`, and gives the MIC.
    fn seal(&self, row: &Row<'_>) -> Result<String, String> {
        if row.get("receipt").is_some() {
            return self.write_receipt(row);
        }
        // What no profile can say yet.
        let unsaid = row.get("scheme") == Some("pss")
            || row.get("transport") == Some("oaep")
            || row
                .get("layers")
                .is_some_and(|layers| layers.starts_with("sign,compress"));
        if unsaid {
            return Err("not yet".into());
        }
        let profile = House::profile(row)?;
        let document = as2::Document {
            content_type: "application/octet-stream",
            file_name: None,
            message_id: "<1@house>",
        };
        let mut body = Vec::new();
        let payload = std::io::Cursor::new(PAYLOAD);
        let (keys, entropy) = (self.keys(row)?, &mut net::entropy);
        let sealed = as2::seal(
            payload,
            &mut body,
            document,
            &keys,
            &profile,
            entropy,
            Utc::now(),
        );
        let sealed = sealed.map_err(|why| why.to_string())?;
        self.write("sealed", &entity(&sealed.headers, &body));
        Ok(STANDARD.encode(&sealed.mic.value))
    }

    /// Opens what the peer sealed.
    fn open(&self, row: &Row<'_>, mic: Option<&str>) -> Result<(), String> {
        let whole = self.read("sealed");
        let mut body = whole.as_slice();
        let headers = Headers::read(&mut body).map_err(|why| why.to_string())?;
        let (keys, profile) = (self.keys(row)?, House::profile(row)?);
        if row.get("receipt").is_some() {
            let mdn = Mdn::read(&headers, body, &keys, &profile, Utc::now());
            return receipt_is_sound(row, &mdn.map_err(|why| why.to_string())?, mic);
        }
        let mut payload = Vec::new();
        let opened = as2::open(&headers, body, &mut payload, &keys, &profile, Utc::now());
        let opened = opened.map_err(|why| why.to_string())?;
        same("payload", payload.as_slice(), PAYLOAD)?;
        let reckoned = STANDARD.encode(&opened.mic.value);
        secured_as(row, &opened.secured)?;
        // pyas2lib reckons no MIC of what is not signed.
        mic.map_or(Ok(()), |mic| same("MIC", mic, reckoned.as_str()))
    }

    /// A receipt of ours into the file `sealed`.
    fn write_receipt(&self, row: &Row<'_>) -> Result<String, String> {
        if row.digest().is_some_and(Digest::weak) {
            return Err("the gateway takes another digest".into());
        }
        if row.get("scheme") == Some("pss") {
            return Err("not yet".into());
        }
        let signer = self.identity(&row.signer("house"))?;
        let digest = row.digest().expect("a receipt of the table is signed");
        let fields = receipt_fields(digest);
        let written = Mdn::write(
            &fields,
            Some((&signer, digest)),
            &mut net::entropy,
            Utc::now(),
        );
        let (headers, body) = written.map_err(|why| why.to_string())?;
        self.write("sealed", &entity(&headers, &body));
        Ok(String::new())
    }
}

/// Layers, the innermost first, and algorithms are those of the row.
fn secured_as(row: &Row<'_>, secured: &Secured) -> Result<(), String> {
    let layers = secured.layers.iter().rev().map(|layer| match *layer {
        "compressed" => "compress",
        "signed" => "sign",
        _ => "encrypt",
    });
    let layers: Vec<&str> = layers.collect();
    same(
        "layers",
        layers.join(",").as_str(),
        row.get("layers").unwrap_or_default(),
    )?;
    if let Some(signature) = &secured.signed {
        let scheme = match row.get("scheme") {
            Some("pss") => "rsa-pss",
            Some("ecdsa") => "ecdsa",
            _ => "rsa-pkcs1",
        };
        let digest = row
            .digest()
            .map_or(String::new(), |digest| digest.to_string());
        same(
            "signature",
            signature.algorithm.as_str(),
            &format!("{scheme} {digest}"),
        )?;
    }
    let Some(encryption) = &secured.encrypted else {
        return Ok(());
    };
    same(
        "cipher",
        encryption.cipher.name(),
        row.get("cipher").unwrap_or_default(),
    )?;
    let transport = match row.get("transport") {
        Some("oaep") => "rsa-oaep",
        Some("ecdh") => "ecdh",
        _ => "rsa-pkcs1",
    };
    same(
        "key transport",
        &encryption.key_transport.starts_with(transport),
        &true,
    )
}

/// Headers and body as one MIME entity, without what belongs to AS2.
fn entity(headers: &Headers, body: &[u8]) -> Vec<u8> {
    let mime = headers
        .iter()
        .filter(|(name, _)| name.starts_with("Content-"));
    let mime: Headers = mime.collect();
    [mime.to_bytes(), body.to_vec()].concat()
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(
    what: &str,
    have: &T,
    want: &T,
) -> Result<(), String> {
    match have == want {
        true => Ok(()),
        false => Err(format!("{what}: {have:?}, not {want:?}")),
    }
}

/// The MIC that the receipts of the table repeat.
fn told() -> Mic {
    Mic {
        digest: Digest::Sha256,
        value: as2::sha256(PAYLOAD).to_vec(),
    }
}

fn receipt_fields(digest: Digest) -> MdnFields {
    let request: Headers = [
        ("AS2-From", "peer"),
        ("AS2-To", "house"),
        ("Message-ID", "<1@peer>"),
    ]
    .into_iter()
    .collect();
    let id = format!("<{digest}@house>");
    MdnFields::answer(&request, &id, Disposition::processed(), Some(told()))
}

fn receipt_is_sound(row: &Row<'_>, mdn: &Mdn, mic: Option<&str>) -> Result<(), String> {
    let signature = mdn.signature.as_ref().ok_or("it is not signed")?;
    same("digest", &Some(signature.digest), &row.digest())?;
    same("positive", &mdn.disposition.is_positive(), &true)?;
    let told = mdn.mic.as_ref().map(|mic| STANDARD.encode(&mic.value));
    same("MIC", &told.as_deref(), &mic)
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
    let golden = include_str!("table.md")
        .lines()
        .filter(|line| line.starts_with("| "));
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
