//! `transload as2 seal`: the twin of `open`.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::json;

use super::parts::{self, Source};
use super::{Landing, Trust, unwritable};
use crate::as2::{
    self, Cipher, Compression, Digest, Document, KeyTransport, Profile, RsaSignature, Sealing,
    quote_name, unquote_name,
};
use crate::cli::words::{said, say};
use crate::cli::{Exit, Failure, Outcome};
use crate::net;
use crate::x12::text;

/// Writes headers and body to stdout, or with --out to a file; what a receipt has to repeat is
/// told in JSON, on stderr or stdout.
#[derive(clap::Args)]
pub(super) struct Seal {
    /// The payload; `-` is stdin. Several files go as one message (RFC 6362), the main one first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Our AS2 name
    #[arg(long, value_name = "ID", value_parser = as2_name)]
    from: String,
    /// The partner's AS2 name
    #[arg(long, value_name = "ID", value_parser = as2_name)]
    to: String,
    #[command(flatten)]
    trust: Trust,
    /// The digest to sign with: sha-256, sha-384, sha-512 or none
    #[arg(long, value_name = "DIGEST", default_value = "sha-256", value_parser = digest)]
    sign: Choice<Digest>,
    /// How an RSA key signs: rsa-pkcs1 or rsa-pss
    #[arg(long, value_name = "SCHEME", default_value = "rsa-pkcs1", value_parser = rsa_signature)]
    signature: RsaSignature,
    /// The cipher to encrypt with: aes-128-cbc, aes-192-cbc, aes-256-cbc, the same with gcm, or
    /// none
    #[arg(long, value_name = "CIPHER", default_value = "aes-256-cbc", value_parser = cipher)]
    encrypt: Choice<Cipher>,
    /// How the content key is encrypted for an RSA key: rsa-pkcs1, rsa-oaep-sha-256, ...
    #[arg(long, value_name = "HOW", default_value = "rsa-pkcs1", value_parser = key_transport)]
    key_transport: KeyTransport,
    /// Encrypt for each of the partner's certificates, not for the first one alone
    #[arg(long)]
    encrypt_for_all: bool,
    /// Encrypt for ourselves as well
    #[arg(long)]
    encrypt_for_us: bool,
    /// Compress: before-signing or after-signing
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true,
          default_missing_value = "before-signing", value_parser = compression)]
    compress: Option<Compression>,
    /// The media type of the payload, of the first one where there are several
    #[arg(long, value_name = "TYPE", default_value = "application/EDI-X12")]
    content_type: String,
    /// The Message-ID, such as <1@example.org> [default: a fresh one]
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
    /// Write the request to this file
    #[arg(long, value_name = "REQUEST")]
    out: Option<PathBuf>,
}

/// An algorithm, or `none`. A type of its own, because clap reads `Option` as "may be absent".
#[derive(Clone, Copy)]
struct Choice<T>(Option<T>);

fn digest(name: &str) -> Result<Choice<Digest>, String> {
    let strong = |digest: &Digest| !digest.weak();
    choice(
        name,
        Digest::parse(name).filter(strong),
        "sha-256, sha-384, sha-512",
    )
}

fn rsa_signature(name: &str) -> Result<RsaSignature, String> {
    let why = |_| "choose rsa-pkcs1 or rsa-pss".to_owned();
    name.parse().map_err(why)
}

fn key_transport(name: &str) -> Result<KeyTransport, String> {
    let why = |_| "choose rsa-pkcs1, or rsa-oaep- with a digest, such as rsa-oaep-sha-256".into();
    name.parse().map_err(why)
}

fn compression(name: &str) -> Result<Compression, String> {
    let why = |_| "choose before-signing or after-signing".to_owned();
    name.parse().map_err(why)
}

fn cipher(name: &str) -> Result<Choice<Cipher>, String> {
    let strong = |cipher: &Cipher| !cipher.weak();
    let known = name.parse().ok().filter(strong);
    let all = "aes-128-cbc, aes-192-cbc, aes-256-cbc, aes-128-gcm, aes-192-gcm, aes-256-gcm";
    choice(name, known, all)
}

fn choice<T>(name: &str, known: Option<T>, all: &str) -> Result<Choice<T>, String> {
    match (name, known) {
        ("none", _) => Ok(Choice(None)),
        (_, Some(known)) => Ok(Choice(Some(known))),
        _ => Err(format!(
            "choose one of {all} or none; weaker ones are read, never written"
        )),
    }
}

fn as2_name(name: &str) -> Result<String, String> {
    unquote_name("name", &quote_name(name)).map_err(|why| why.to_string())
}

impl Seal {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let profile = Profile {
            our_id: self.from.clone(),
            their_id: self.to.clone(),
            sign: self.sign.0,
            rsa_signature: self.signature,
            encrypt: self.encrypt.0,
            key_transport: self.key_transport,
            encrypt_for_all: self.encrypt_for_all,
            encrypt_for_us: self.encrypt_for_us,
            compress: self.compress,
            ..Profile::default()
        };
        if profile.sign.is_some() && self.trust.key.is_none() {
            let next =
                say("signing needs our key: give --key and --password-file, or say --sign none");
            return Err(Failure::usage(next));
        }
        if profile.encrypt.is_some() && self.trust.partner_cert.is_empty() {
            let next = say(
                "encryption needs the partner's certificate: give --partner-cert, or say \
                 --encrypt none",
            );
            return Err(Failure::usage(next));
        }
        let (keys, at) = (self.trust.keys()?, self.trust.at());
        let message_id = match &self.message_id {
            Some(id) => format!("<{}>", id.trim_start_matches('<').trim_end_matches('>')),
            None => as2::message_id(&self.from, &mut net::entropy, at),
        };
        let (payload, content_type) = self.payload(&profile)?;
        let document = Document {
            content_type: &content_type,
            file_name: parts::name(&self.files[0]).filter(|_| self.files.len() == 1),
            message_id: &message_id,
        };
        let failed = |why: as2::Error| {
            Failure::usage(said(&text!(
                "cannot seal {file}: {why}; check the certificates' dates, or say --at",
                file = self.files[0].display().to_string(),
                why = why.to_string()
            )))
        };
        let entropy = &mut net::entropy;
        let sealing = Sealing::new(payload, document, &keys, &profile, entropy, at);
        let sealing = sealing.map_err(failed)?;
        let length = sealing.body_length().map_err(failed)?;
        let head = sealing.headers().to_bytes();
        let told = |sealed: as2::Sealed| {
            json!({
                "message_id": message_id,
                "mic": sealed.mic.to_string(),
                "mic_algorithm": sealed.mic.digest.name(),
                "body_length": length,
            })
        };
        let Some(place) = &self.out else {
            out.write_all(&head)?;
            let sealed = sealing.write(&mut *out).map_err(failed)?;
            let _ = writeln!(io::stderr(), "{}", told(sealed));
            return Ok(Exit::Clean);
        };
        let mut landing = Landing::new(place)?;
        let written = landing.file.write_all(&head);
        written.map_err(|why| unwritable(place, &why))?;
        let sealed = sealing.write(&mut landing.file).map_err(failed)?;
        landing.keep()?;
        writeln!(out, "{}", told(sealed))?;
        Ok(Exit::Clean)
    }

    /// The payload and its media type.
    fn payload(&self, profile: &Profile) -> Result<(Box<dyn Source>, String), Failure> {
        if let [file] = self.files.as_slice() {
            return Ok((parts::source(file)?, self.content_type.clone()));
        }
        if profile.sign.is_none() || profile.encrypt.is_none() {
            // RFC 6362 §2.3: receivers differ on what the MIC then covers.
            let told = say("warning: several documents should be signed and encrypted");
            let _ = writeln!(io::stderr(), "{told}");
        }
        let related = parts::related(&self.files, &self.content_type)?;
        let content_type = related.content_type().to_owned();
        Ok((Box::new(related), content_type))
    }
}
