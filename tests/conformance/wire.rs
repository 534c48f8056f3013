//! Raw bytes on a socket: the gateway as a partner sees it, and a partner as the gateway sees him.
//!
//! The gateway is called WE, the partner ACME; nobody else has a key that counts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use transload::as2::{self, Document, Error, Headers, Identity, Keys, Mdn, Opened, Profile};
use transload::net;

pub(crate) use super::house::{INTERCHANGE, LAX, Relation, Us, parsed};
pub(crate) use super::stub::{Seen, Stub, respond, status};

/// How long something that never happens is waited for before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The day that every test here lives on.
pub(crate) fn day() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 12, 0, 0).unwrap()
}

/// Somebody with a key.
pub(crate) struct Party {
    pub(crate) identity: Identity,
    pub(crate) x509: X509,
    pub(crate) key: PKey<Private>,
}

impl Party {
    fn new(name: &str, serial: u64) -> Party {
        let (from, to) = (day() - TimeDelta::days(1), day() + TimeDelta::days(365));
        let identity = Identity::generate(name, serial, from, to).unwrap();
        let pem = identity.private_key_to_pem().unwrap();
        Party {
            x509: X509::from_pem(&identity.certificate.to_pem().unwrap()).unwrap(),
            key: PKey::private_key_from_pem(&pem).unwrap(),
            identity,
        }
    }
}

/// The gateway's own key, made once.
pub(crate) fn us() -> &'static Party {
    static MADE: OnceLock<Party> = OnceLock::new();
    MADE.get_or_init(|| Party::new("we", 1))
}

/// The partner's.
pub(crate) fn them() -> &'static Party {
    static MADE: OnceLock<Party> = OnceLock::new();
    MADE.get_or_init(|| Party::new("acme", 2))
}

/// Somebody's whom nobody knows.
pub(crate) fn stranger() -> &'static Party {
    static MADE: OnceLock<Party> = OnceLock::new();
    MADE.get_or_init(|| Party::new("stranger", 3))
}

/// What the partner holds.
pub(crate) fn their_keys() -> Keys {
    Keys {
        ours: vec![them().identity.clone()],
        theirs: vec![us().identity.certificate.clone()],
    }
}

/// What the gateway holds.
pub(crate) fn our_keys() -> Keys {
    Keys {
        ours: vec![us().identity.clone()],
        theirs: vec![them().identity.certificate.clone()],
    }
}

/// The agreement as the partner sees it: signed and encrypted, a signed receipt.
pub(crate) fn theirs() -> Profile {
    Profile {
        our_id: "ACME".into(),
        their_id: "WE".into(),
        ..Profile::default()
    }
}

/// The agreement as we see it, with nothing required.
pub(crate) fn lax() -> Profile {
    Profile {
        our_id: "WE".into(),
        their_id: "ACME".into(),
        require_signed: false,
        require_encrypted: false,
        ..Profile::default()
    }
}

/// Opens a message as the gateway would.
pub(crate) fn open(kind: &str, body: &[u8]) -> Result<(Opened, Vec<u8>), Error> {
    open_with(&our_keys(), &lax(), kind, body)
}

pub(crate) fn open_with(
    keys: &Keys,
    profile: &Profile,
    kind: &str,
    body: &[u8],
) -> Result<(Opened, Vec<u8>), Error> {
    let headers: Headers = [("Content-Type", kind)].into_iter().collect();
    let mut payload = Vec::new();
    let opened = as2::open(&headers, body, &mut payload, keys, profile, day())?;
    Ok((opened, payload))
}

/// What a failure is told as, the message not being encrypted.
pub(crate) fn told(error: &Error) -> String {
    error.disposition(true).detail
}

/// A Message-ID that no other test has.
pub(crate) fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("<{}@acme.example>", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A request of the partner's.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A body with what AS2 wants around it, and a signed receipt asked for.
    pub(crate) fn new(kind: &str, body: impl AsRef<[u8]>) -> Request {
        let options = "signed-receipt-protocol=optional, pkcs7-signature; \
                       signed-receipt-micalg=optional, sha-256";
        let headers = [
            ("AS2-Version", "1.2"),
            ("AS2-From", "ACME"),
            ("AS2-To", "WE"),
            ("Message-ID", &fresh()),
            ("Disposition-Notification-To", "edi@acme.example"),
            ("Disposition-Notification-Options", options),
            ("Content-Type", kind),
        ];
        Request {
            headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(),
            body: body.as_ref().to_vec(),
        }
    }

    /// A payload in clear.
    pub(crate) fn plain(payload: impl AsRef<[u8]>) -> Request {
        Request::new("application/EDI-X12", payload)
    }

    /// A payload as agreed.
    pub(crate) fn sealed(payload: &[u8]) -> Request {
        Request::sealed_with(payload, &their_keys(), &theirs())
    }

    pub(crate) fn sealed_with(payload: &[u8], keys: &Keys, profile: &Profile) -> Request {
        let id = fresh();
        let (headers, body) = seal_as(&id, payload, keys, profile);
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Request {
            headers: headers.iter().map(owned).collect(),
            body,
        }
    }

    /// One field, whatever stood there before.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Request {
        self = self.without(name);
        self.also(name, value)
    }

    /// One more field.
    pub(crate) fn also(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Request {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn id(&self) -> &str {
        let found = self.headers.iter().find(|(name, _)| name == "Message-ID");
        found.map_or("", |(_, id)| id)
    }

    /// The head, framed as `framing` says; the connection closes after the answer.
    pub(crate) fn head(&self, framing: &str) -> Vec<u8> {
        let mut head = String::from("POST /as2 HTTP/1.1\r\nHost: we.example\r\n");
        head.push_str("Connection: close\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(framing);
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// All of it with its length.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let length = format!("Content-Length: {}\r\n", self.body.len());
        [self.head(&length), self.body.clone()].concat()
    }

    /// All of it in chunks of `size`, with `extension` behind each size.
    pub(crate) fn chunked(&self, size: usize, extension: &str) -> Vec<u8> {
        let mut out = self.head("Transfer-Encoding: chunked\r\n");
        for chunk in self.body.chunks(size) {
            out.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
            out.extend_from_slice(chunk);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"0\r\n\r\n");
        out
    }
}

/// Seals a payload as the profile says: headers and body.
pub(crate) fn seal(payload: &[u8], profile: &Profile) -> (Headers, Vec<u8>, as2::Mic) {
    seal_with("<1@acme.example>", payload, &their_keys(), profile)
}

pub(crate) fn seal_as(
    id: &str,
    payload: &[u8],
    keys: &Keys,
    profile: &Profile,
) -> (Headers, Vec<u8>) {
    let (headers, body, _) = seal_with(id, payload, keys, profile);
    (headers, body)
}

pub(crate) fn seal_with(
    id: &str,
    payload: &[u8],
    keys: &Keys,
    profile: &Profile,
) -> (Headers, Vec<u8>, as2::Mic) {
    let (mut body, source) = (Vec::new(), std::io::Cursor::new(payload));
    let (entropy, document) = (&mut net::entropy, document(id));
    let sealed = as2::seal(source, &mut body, document, keys, profile, entropy, day()).unwrap();
    (sealed.headers, body, sealed.mic)
}

pub(crate) fn document(message_id: &str) -> Document<'_> {
    Document {
        content_type: "application/EDI-X12",
        file_name: None,
        message_id,
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The head as it came.
    pub(crate) head: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The receipt in it, verified as the partner does.
    pub(crate) fn mdn(&self) -> Mdn {
        let read = Mdn::read(&self.headers, &self.body, &their_keys(), &theirs(), day());
        read.unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    /// What the receipt says: `processed`, `processed/error: decryption-failed`.
    pub(crate) fn said(&self) -> String {
        let said = self.mdn().disposition.to_string();
        said.rsplit_once("; ").unwrap().1.to_owned()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Writes pieces to an address, and gives every answer until it closes.
pub(crate) fn ask(address: SocketAddr, pieces: &[&[u8]]) -> Vec<Reply> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        // Who is refused early closes early.
        let _ = stream.write_all(piece);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    replies(&answer)
}

/// The answers in what came over a connection, interim ones too.
pub(crate) fn replies(mut bytes: &[u8]) -> Vec<Reply> {
    let mut replies = Vec::new();
    while !bytes.is_empty() {
        let end = find(bytes, b"\r\n\r\n").expect("the head of an answer") + 4;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let headers = Headers::read(&mut &bytes[..end]).unwrap();
        let length = headers.get("Content-Length").map(|n| n.parse().unwrap());
        let body = &bytes[end..];
        let body = match status {
            100..200 | 204 => &body[..0],
            _ => &body[..length.unwrap_or(body.len())],
        };
        replies.push(Reply {
            status,
            head,
            headers,
            body: body.to_vec(),
        });
        bytes = &bytes[end + body.len()..];
    }
    replies
}

pub(crate) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The bytes with the first `from` made `to`.
pub(crate) fn swap(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = find(bytes, from).unwrap_or_else(|| {
        let shown = String::from_utf8_lossy(bytes);
        panic!("no {:?} in {shown}", String::from_utf8_lossy(from))
    });
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}
