//! Our side of the table: one row in words, sealed and opened in a folder with the keys of both.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use tempfile::TempDir;
use transload::as2::{
    self, Certificate, Cipher, Compression, Digest, Disposition, Headers, Identity, KeyTransport,
    Keys, Mdn, MdnFields, Mic, Profile, RsaSignature, Secured,
};
use transload::net;

use super::keys;

/// Line ends of every kind, also where they may be mistaken for a frame's; not text.
pub(super) const PAYLOAD: &[u8] = b"\r\nISA*00*~\nGS*PO~\r\r\n--\r\n\xff\0--b--\r\n\r\n\n";

pub(super) type Word<'w> = (&'w str, &'w str);

pub(super) struct Row<'r> {
    pub(super) words: Vec<Word<'r>>,
}

impl Row<'_> {
    pub(super) fn read(line: &str) -> Row<'_> {
        let pair = |word| str::split_once(word, '=').expect("a name and a value");
        Row {
            words: line.split(' ').map(pair).collect(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.words.iter().find(|word| word.0 == name);
        found.map(|word| word.1)
    }

    pub(super) fn has(&self, layer: &str) -> bool {
        let mut layers = self.get("layers").unwrap_or_default().split(',');
        layers.any(|one| one == layer)
    }

    /// Who signs and who decrypts, as which key: `house`, or `house-ec` on a curve.
    pub(super) fn signer(&self, who: &str) -> String {
        let curve = self.get("scheme") == Some("ecdsa");
        format!("{who}{}", if curve { "-ec" } else { "" })
    }

    pub(super) fn recipient(&self, who: &str) -> String {
        let curve = self.get("transport") == Some("ecdh");
        format!("{who}{}", if curve { "-ec" } else { "" })
    }

    pub(super) fn digest(&self) -> Option<Digest> {
        self.get("sign").and_then(Digest::parse)
    }

    /// How the row reads in the table.
    pub(super) fn title(&self) -> String {
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
pub(super) struct House {
    folder: TempDir,
}

impl House {
    pub(super) fn new() -> House {
        let house = House { folder: keys() };
        let head = b"Content-Type: application/octet-stream\r\n\
                     Content-Transfer-Encoding: binary\r\n\r\n";
        house.write("entity", &[head, PAYLOAD].concat());
        house
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).expect("the peer wrote it")
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(name), bytes).expect("a temporary folder is writable");
    }

    fn identity(&self, name: &str) -> Result<Identity, String> {
        let (certificate, key) = (format!("{name}.crt"), format!("{name}.key"));
        let identity = Identity::from_pem(&self.read(&certificate), &self.read(&key));
        identity.map_err(|why| why.to_string())
    }

    /// The keys that sign and encrypt a row.
    fn keys(&self, row: &Row<'_>) -> Result<Keys, String> {
        self.keys_of(row, "house", "peer")
    }

    fn keys_of(&self, row: &Row<'_>, us: &str, them: &str) -> Result<Keys, String> {
        let pinned = |name: String| {
            let pem = self.read(&format!("{name}.crt"));
            Certificate::from_pem(&pem).expect("the certificate is sound")
        };
        let mut ours = vec![self.identity(&row.signer(us))?];
        if row.signer(us) != row.recipient(us) {
            ours.push(self.identity(&row.recipient(us))?);
        }
        let mut theirs = vec![pinned(row.recipient(them))];
        if row.signer(them) != row.recipient(them) {
            theirs.push(pinned(row.signer(them)));
        }
        Ok(Keys { ours, theirs })
    }

    fn profile(row: &Row<'_>) -> Result<Profile, String> {
        let cipher = row.get("cipher").map(str::parse::<Cipher>).transpose();
        let hash = |name| row.get(name).and_then(Digest::parse);
        let key_transport = match (row.get("transport"), hash("hash"), hash("mgf")) {
            (Some("oaep"), Some(hash), Some(mgf)) => KeyTransport::Oaep { hash, mgf },
            _ => KeyTransport::Pkcs1,
        };
        let layers = row.get("layers").unwrap_or_default();
        let after = layers.starts_with("sign,compress");
        let compressed = match after {
            true => Compression::AfterSigning,
            false => Compression::BeforeSigning,
        };
        Ok(Profile {
            our_id: "house".into(),
            their_id: "peer".into(),
            require_signed: false,
            require_encrypted: false,
            sign: row.digest(),
            rsa_signature: scheme(row),
            encrypt: cipher.map_err(|why| why.to_string())?,
            key_transport,
            compress: row.has("compress").then_some(compressed),
            legacy: true,
            ..Profile::default()
        })
    }

    /// Seals into the file `sealed`, and gives the MIC.
    pub(super) fn seal(&self, row: &Row<'_>) -> Result<String, String> {
        if row.get("receipt").is_some() {
            return self.write_receipt(row);
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
        self.sealed_as(row, &sealed.headers, &body, &profile)?;
        Ok(STANDARD.encode(&sealed.mic.value))
    }

    /// Whether what we sealed has the algorithms of the row, as we would see it at the peer's.
    fn sealed_as(
        &self,
        row: &Row<'_>,
        headers: &Headers,
        body: &[u8],
        profile: &Profile,
    ) -> Result<(), String> {
        let keys = self.keys_of(row, "peer", "house")?;
        let payload = std::io::sink();
        let opened = as2::open(headers, body, payload, &keys, profile, Utc::now());
        secured_as(row, &opened.map_err(|why| why.to_string())?.secured)
    }

    /// Opens what the peer sealed.
    pub(super) fn open(&self, row: &Row<'_>, mic: Option<&str>) -> Result<(), String> {
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
        let signer = self.identity(&row.signer("house"))?;
        let digest = row.digest().expect("a receipt of the table is signed");
        let fields = MdnFields {
            scheme: scheme(row),
            ..receipt_fields(digest)
        };
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

fn scheme(row: &Row<'_>) -> RsaSignature {
    match row.get("scheme") {
        Some("pss") => RsaSignature::Pss,
        _ => RsaSignature::Pkcs1,
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
    let hash = |name| row.get(name).and_then(Digest::parse);
    let due = match (row.get("transport"), hash("hash"), hash("mgf")) {
        (Some("oaep"), Some(hash), Some(mgf)) => KeyTransport::Oaep { hash, mgf }.to_string(),
        (Some("ecdh"), Some(hash), _) => format!("ecdh {hash} "),
        _ => KeyTransport::Pkcs1.to_string(),
    };
    let have = &encryption.key_transport;
    match have.starts_with(&due) {
        true => Ok(()),
        false => Err(format!("key transport: {have}, not {due}")),
    }
}

/// Headers and body as one MIME entity, without what belongs to AS2.
pub(super) fn entity(headers: &Headers, body: &[u8]) -> Vec<u8> {
    let mime = headers
        .iter()
        .filter(|(name, _)| name.starts_with("Content-"));
    let mime: Headers = mime.collect();
    [mime.to_bytes(), body.to_vec()].concat()
}

pub(super) fn same<T: PartialEq + std::fmt::Debug + ?Sized>(
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
pub(super) fn told() -> Mic {
    Mic {
        digest: Digest::Sha256,
        value: as2::sha256(PAYLOAD).to_vec(),
    }
}

pub(super) fn receipt_fields(digest: Digest) -> MdnFields {
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
