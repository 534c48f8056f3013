//! Which receipt a message asks for (RFC 4130 §7.3).

use super::disposition::Disposition;
use super::headers::Headers;
use super::mic::Digest;

/// The receipt that was asked for. Its presence is all that `Disposition-Notification-To` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRequest {
    /// A signature is wanted.
    pub signed: bool,
    /// The first algorithm asked for that we may use; `None`: none was named.
    pub micalg: Option<Digest>,
    /// Where an asynchronous receipt goes (`Receipt-Delivery-Option`); `None`: synchronous.
    pub deliver_to: Option<String>,
    /// What was asked cannot be done: answer this, never a positive receipt.
    pub refusal: Option<Disposition>,
}

impl ReceiptRequest {
    /// Reads the request headers; `None` where no receipt is asked for. `weak` allows SHA-1.
    ///
    /// ```
    /// use transload::as2::{Digest, Headers, ReceiptRequest};
    /// let headers: Headers = [
    ///     ("Disposition-Notification-To", "anything"),
    ///     ("Disposition-Notification-Options",
    ///      "signed-receipt-protocol=optional, pkcs7-signature; \
    ///       signed-receipt-micalg=optional, sha1, sha256"),
    /// ].into_iter().collect();
    /// let request = ReceiptRequest::read(&headers, false).unwrap();
    /// assert!(request.signed);
    /// assert_eq!(request.micalg, Some(Digest::Sha256));
    /// ```
    pub fn read(headers: &Headers, weak: bool) -> Option<ReceiptRequest> {
        headers.get("Disposition-Notification-To")?;
        let deliver_to = headers
            .get("Receipt-Delivery-Option")
            .filter(|url| !url.is_empty());
        let mut request = ReceiptRequest {
            signed: false,
            micalg: None,
            deliver_to: deliver_to.map(str::to_owned),
            refusal: None,
        };
        let options = headers
            .get("Disposition-Notification-Options")
            .unwrap_or_default();
        for option in options.split(';') {
            let (name, values) = option.split_once('=').unwrap_or((option, ""));
            let mut values = values
                .split(',')
                .map(|value| value.trim().trim_matches('"'));
            let required = values
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case("required"));
            let values: Vec<&str> = values.filter(|value| !value.is_empty()).collect();
            request.take(&name.trim().to_ascii_lowercase(), required, &values, weak);
        }
        Some(request)
    }

    fn take(&mut self, name: &str, required: bool, values: &[&str], weak: bool) {
        match name {
            "signed-receipt-protocol" => {
                let known = |value: &&str| {
                    let value = value.to_ascii_lowercase();
                    value.trim_start_matches("x-") == "pkcs7-signature"
                };
                self.signed = values.iter().any(known);
                if !self.signed && required {
                    self.refusal = Some(Disposition::failure("unsupported format"));
                }
            }
            "signed-receipt-micalg" => {
                // MD5 is read in old messages, and vouches for none of theirs.
                let known = values.iter().filter_map(|value| Digest::parse(value));
                let usable = |digest: &Digest| !digest.weak() || (weak && *digest == Digest::Sha1);
                let first = known.clone().find(usable);
                self.micalg = planted!("last-micalg-taken", known.clone().next_back(), first);
                if self.micalg.is_none() && !values.is_empty() {
                    self.refusal = Some(Disposition::failure("unsupported MIC-algorithms"));
                }
            }
            "" => {}
            _ if required => self.refusal = Some(Disposition::failure("unsupported format")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str) -> ReceiptRequest {
        let headers: Headers = [
            ("Disposition-Notification-To", ""),
            ("disposition-notification-options", options),
        ]
        .into_iter()
        .collect();
        ReceiptRequest::read(&headers, false).unwrap()
    }

    #[test]
    fn tolerant_of_order_case_blanks_and_quotes() {
        let request = read(
            " Signed-Receipt-Micalg = OPTIONAL ,\"SHA-512\" ;signed-receipt-protocol=required,PKCS7-Signature;",
        );
        assert_eq!(
            (request.signed, request.micalg),
            (true, Some(Digest::Sha512))
        );
        assert_eq!(request.refusal, None);
    }

    #[test]
    fn no_fallback_to_another_algorithm() {
        let refused = Some(Disposition::failure("unsupported MIC-algorithms"));
        assert_eq!(
            read("signed-receipt-micalg=optional, sha1").refusal,
            refused
        );
        assert_eq!(
            read("signed-receipt-micalg=optional, crc32, x").refusal,
            refused
        );
    }

    #[test]
    fn the_first_that_may_be_used_even_for_a_legacy_partner() {
        let legacy = |options: &str| {
            let headers: Headers = [
                ("Disposition-Notification-To", ""),
                ("Disposition-Notification-Options", options),
            ]
            .into_iter()
            .collect();
            ReceiptRequest::read(&headers, true).unwrap().micalg
        };
        let sha1 = legacy("signed-receipt-micalg=optional, md5, sha1, sha-256");
        assert_eq!(sha1, Some(Digest::Sha1));
        assert_eq!(legacy("signed-receipt-micalg=optional, md5"), None);
    }

    #[test]
    fn what_is_required_and_unknown_is_refused() {
        let refused = Some(Disposition::failure("unsupported format"));
        assert_eq!(
            read("signed-receipt-protocol=required, pgp").refusal,
            refused
        );
        assert_eq!(read("signed-receipt-protocol=optional, pgp").refusal, None);
        assert_eq!(read("new-thing=required, x").refusal, refused);
    }

    #[test]
    fn nothing_asked_and_empty_delivery_option() {
        assert_eq!(ReceiptRequest::read(&Headers::new(), false), None);
        assert_eq!(read("").deliver_to, None);
    }
}
