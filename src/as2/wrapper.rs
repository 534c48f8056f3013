//! The headers of the layers inside an envelope: multipart/signed and its signature part.
//!
//! Nothing signs these lines, and in CBC mode a flipped bit garbles one block and changes one
//! letter of the next. So here, and only here, what nobody writes is refused: other bytes than
//! printable ASCII, other fields, odd spellings, unknown parameters.

use std::io::{BufRead, Read};

use super::cms::ber::ELEMENT_BYTES;
use super::error::Error;
use super::headers::shown;
use super::mic::Digest;
use super::mime::{self, Head, Value};

/// Every field that products put on these layers; lower and upper case are fine as well.
const FIELDS: [&str; 14] = [
    "Date",
    "Message-ID",
    "Content-Type",
    "Content-type",
    "Content-Transfer-Encoding",
    "Content-transfer-encoding",
    "Content-Disposition",
    "Content-disposition",
    "Content-Description",
    "Content-ID",
    "Content-Id",
    "Content-Length",
    "MIME-Version",
    "Mime-Version",
];

const PARAMETERS: [&str; 8] = [
    "boundary",
    "charset",
    "filename",
    "micalg",
    "name",
    "protocol",
    "smime-type",
    "type",
];

/// Refuses a header block that is not plain.
pub(crate) fn check(head: &Head) -> Result<(), Error> {
    let printable = |byte: &u8| (b' '..=b'~').contains(byte) || b"\r\n\t".contains(byte);
    if let Some(bad) = head.raw.iter().find(|byte| !printable(byte)) {
        return Err(Error::Mime(format!(
            "byte {bad:02x} in the header of a security layer"
        )));
    }
    match head
        .headers
        .iter()
        .find(|(name, value)| !is_plain(name, value))
    {
        None => Ok(()),
        Some((name, value)) => {
            let field = shown(format!("{name}: {value}").as_bytes());
            Err(Error::Mime(format!("on a security layer: {field:?}")))
        }
    }
}

fn is_plain(name: &str, value: &str) -> bool {
    let one_case = !(name.bytes().any(|byte| byte.is_ascii_lowercase())
        && name.bytes().any(|byte| byte.is_ascii_uppercase()));
    let known = FIELDS
        .iter()
        .any(|field| *field == name || (one_case && field.eq_ignore_ascii_case(name)));
    let words = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" ,./_-+:()<>@=".contains(&byte))
    };
    known
        && match name.to_ascii_lowercase().as_str() {
            "content-type" => parameters_are_plain(value),
            "content-disposition" => {
                let kind = Value::parse(value).kind;
                matches!(kind.as_str(), "attachment" | "inline") && parameters_are_plain(value)
            }
            "content-transfer-encoding" => {
                let value = value.to_ascii_lowercase();
                matches!(value.as_str(), "binary" | "base64" | "7bit" | "8bit")
            }
            "mime-version" => value == "1.0",
            "content-length" => value.bytes().all(|byte| byte.is_ascii_digit()),
            _ => words(value),
        }
}

fn parameters_are_plain(value: &str) -> bool {
    let file = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" ._-".contains(&byte))
    };
    Value::parse(value)
        .parameters()
        .iter()
        .all(|(name, value)| {
            PARAMETERS.contains(&name.as_str())
                && match name.as_str() {
                    "name" | "filename" | "charset" => file(value),
                    "micalg" => Digest::parse(value).is_some(),
                    "smime-type" => value.eq_ignore_ascii_case("signed-data"),
                    // The walk itself looks at these.
                    _ => true,
                }
        })
}

/// Room for a signature and two certificates in base64: it seldom has to grow.
const SIGNATURE: usize = 8 * 1024;

/// The signature part's CMS object, whatever its transfer encoding is or says.
pub(crate) fn signature(mut part: impl BufRead, encrypted: bool) -> Result<Vec<u8>, Error> {
    let head = mime::head(&mut part)?;
    if encrypted {
        check(&head)?;
    }
    let kind = head.headers.get("Content-Type").map(Value::parse);
    if let Some(kind) = kind.filter(|kind| !is_signature_type(&kind.kind)) {
        return Err(Error::Mime(format!(
            "{} where the signature is due",
            kind.kind
        )));
    }
    let limit = ELEMENT_BYTES as u64;
    let mut bytes = Vec::with_capacity(SIGNATURE);
    let source = head.body_start.chain(part);
    let read = source.take(limit + 1).read_to_end(&mut bytes);
    if bytes.len() as u64 > limit {
        return Err(Error::Limit {
            what: "the signature",
            limit,
        });
    }
    if bytes.first() == Some(&0x30) {
        read?;
        return Ok(bytes);
    }
    // Before the end is looked at, so that a part that is cut short takes as long as one that is not.
    let mut decoded = Vec::with_capacity(SIGNATURE);
    let base64 = mime::Base64::new(&mut bytes.as_slice()).read_to_end(&mut decoded);
    read?;
    base64?;
    Ok(decoded)
}

/// Whether a media type is that of a signature part.
pub(crate) fn is_signature_type(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    matches!(
        kind.as_str(),
        "application/pkcs7-signature" | "application/x-pkcs7-signature"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(mut block: &[u8]) -> bool {
        check(&super::super::mime::head(&mut block).unwrap()).is_ok()
    }

    #[test]
    fn what_products_write_is_plain() {
        for block in [
            &b"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; \r\n\tboundary=\"----=_Part_1_1.2\"\r\n\r\n"[..],
            b"content-type: application/pkcs7-signature; name=smime.p7s; smime-type=signed-data\r\nCONTENT-TRANSFER-ENCODING: BASE64\r\nContent-Description: S/MIME Cryptographic Signature\r\n\r\n",
            b"MIME-Version: 1.0\nContent-Disposition: attachment; filename=\"smime.p7s\"\n\n",
        ] {
            assert!(checked(block), "{}", String::from_utf8_lossy(block));
        }
    }

    #[test]
    fn what_damage_writes_is_not() {
        for block in [
            &b"content-Type: application/pkcs7-signature\r\n\r\n"[..],
            b"Content-Type: multipart/signed; g2lJs3/=\"x\"\r\n\r\n",
            b"Content-Type: application/pkcs7-signature; name=sm[vz,YOvA smime%type=x\r\n\r\n",
            b"Content-Type: multipart/signed; micalg=sha-2u6\r\n\r\n",
            b"Content-Description: \xff\r\n\r\n",
            b"X-Other: 1\r\n\r\n",
        ] {
            assert!(!checked(block), "{}", String::from_utf8_lossy(block));
        }
    }
}
