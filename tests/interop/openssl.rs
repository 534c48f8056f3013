//! The `openssl` command as a peer: the language of `Peer.java`, spoken by `openssl cms`.

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use transload::as2::Headers;

use super::Answer;

/// Runs `openssl LINE` in a folder, and gives its stdout.
pub(super) fn run(folder: &Path, line: &str) -> Result<Vec<u8>, String> {
    let mut command = Command::new("openssl");
    let command = command.args(line.split_whitespace()).current_dir(folder);
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|why| format!("no openssl command: {why}"))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Answers as a driver does.
pub(super) fn ask(folder: &Path, command: &str, words: &[(&str, &str)]) -> Result<Answer, String> {
    let said = Said { folder, words };
    match command {
        "seal" => said.seal(),
        "open" => said.open(),
        other => panic!("no such command: {other}"),
    }
}

struct Said<'s> {
    folder: &'s Path,
    words: &'s [(&'s str, &'s str)],
}

impl Said<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.words.iter().find(|word| word.0 == name);
        found.map(|word| word.1)
    }

    fn need(&self, name: &str) -> &str {
        self.get(name).unwrap_or_else(|| panic!("no word {name}"))
    }

    fn run(&self, line: &str) -> Result<Vec<u8>, String> {
        run(self.folder, line).map_err(|why| format!("openssl {line}: {why}"))
    }

    fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(file)).expect("the file is there")
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        std::fs::write(self.folder.join(file), bytes).expect("a temporary folder is writable");
    }

    /// A digest of a file as it stands in a MIC.
    fn mic(&self, digest: &str, file: &str) -> Result<String, String> {
        let value = self.run(&format!("dgst -{digest} -binary {file}"))?;
        Ok(STANDARD.encode(value))
    }

    fn seal(&self) -> Result<Answer, String> {
        self.write("layer.0", &self.read(self.need("in")));
        let layers = self
            .need("layers")
            .split(',')
            .filter(|layer| !layer.is_empty());
        let (mut inner, mut mic) = ("layer.0".to_owned(), None);
        for (at, layer) in layers.enumerate() {
            let outer = format!("layer.{}", at + 1);
            match layer {
                "sign" => {
                    mic = Some(self.mic(self.need("sign"), &inner)?);
                    self.sign(&inner, &outer)?;
                }
                "encrypt" => {
                    let digest = self.need("mic");
                    mic = mic.map_or_else(|| self.mic(digest, &inner), Ok).map(Some)?;
                    self.encrypt(&inner, &outer)?;
                }
                other => return Err(format!("it is built without {other}")),
            }
            inner = outer;
        }
        let whole = self.read(&inner);
        if mic.is_none() {
            let mut content = whole.as_slice();
            Headers::read(&mut content).map_err(|why| why.to_string())?;
            self.write("content", content);
            mic = Some(self.mic(self.need("mic"), "content")?);
        }
        self.write(self.need("out"), &whole);
        Ok([("mic".to_owned(), mic.unwrap_or_default())].into())
    }

    fn sign(&self, inner: &str, outer: &str) -> Result<(), String> {
        let scheme = match self.get("scheme") {
            Some("pss") => "-keyopt rsa_padding_mode:pss",
            _ => "",
        };
        let (digest, key, certificate) = (self.need("sign"), self.need("key"), self.need("cert"));
        self.run(&format!(
            "cms -sign -binary -crlfeol -md {digest} -signer {certificate} -inkey {key} {scheme} \
             -in {inner} -out {outer}"
        ))?;
        Ok(())
    }

    fn encrypt(&self, inner: &str, outer: &str) -> Result<(), String> {
        let cipher = match self.need("cipher") {
            "3des" => "des3",
            "rc2-128-cbc" => "rc2-cbc",
            other => other,
        };
        let hash = self.get("hash").unwrap_or("sha1");
        let recipient = match self.get("transport") {
            Some("oaep") => format!(
                "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:{hash} -keyopt rsa_mgf1_md:{}",
                self.get("mgf").unwrap_or(hash)
            ),
            Some("ecdh") => format!("-keyopt ecdh_kdf_md:{hash}"),
            _ => String::new(),
        };
        let to = self.need("to");
        self.run(&format!(
            "cms -encrypt {LEGACY} -binary -outform DER -{cipher} -in {inner} -out cms \
             -recip {to} {recipient}"
        ))?;
        let kind = match cipher.ends_with("gcm") {
            true => "authEnveloped-data",
            false => "enveloped-data",
        };
        let head = format!("Content-Type: application/pkcs7-mime; smime-type={kind}\r\n\r\n");
        self.write(outer, &[head.as_bytes(), &self.read("cms")].concat());
        Ok(())
    }

    fn open(&self) -> Result<Answer, String> {
        let (mut mic, mut layers) = (None, 0);
        self.write("layer", &self.read(self.need("in")));
        loop {
            let whole = self.read("layer");
            let mut body = whole.as_slice();
            let headers = Headers::read(&mut body).map_err(|why| why.to_string())?;
            let kind = headers.get("Content-Type").unwrap_or_default();
            if kind.starts_with("multipart/signed") {
                // Only the pinned certificate counts, whatever the message brings along.
                self.run(&format!(
                    "cms -verify -binary -crlfeol -nointern -noverify -certfile {} -in layer \
                     -out inner",
                    self.need("from")
                ))?;
                mic = Some(self.mic(self.need("sign"), "inner")?);
            } else if kind.starts_with("application/pkcs7-mime") {
                self.write("cms", body);
                let (key, certificate) = (self.need("key"), self.need("cert"));
                let does = match kind.contains("compressed-data") {
                    true => "-uncompress".to_owned(),
                    false => format!("-decrypt {LEGACY} -inkey {key} -recip {certificate}"),
                };
                self.run(&format!(
                    "cms {does} -binary -inform DER -in cms -out inner"
                ))?;
            } else {
                self.write(self.need("out"), body);
                let bare = if layers == 0 {
                    self.need("out")
                } else {
                    "layer"
                };
                let mic = mic.map_or_else(|| self.mic(self.need("mic"), bare), Ok)?;
                return Ok([("mic".to_owned(), mic)].into());
            }
            self.write("layer", &self.read("inner"));
            layers += 1;
        }
    }
}

/// RC2 is in the legacy provider.
const LEGACY: &str = "-provider default -provider legacy";
