//! A partner's server that answers as it is told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use transload::as2::{self, Digest, Disposition, Headers, Mdn, MdnFields, Opened, Profile};
use transload::net;

use super::wire::{Party, day, find, their_keys, theirs, them};

/// A request that a partner's server saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The head as it came.
    pub(crate) head: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_default()
    }

    /// How often a field stands there.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.headers.all(name).count()
    }

    /// Opens it as the partner does.
    pub(crate) fn opened(&self) -> (Opened, Vec<u8>) {
        let profile = Profile {
            require_signed: false,
            require_encrypted: false,
            ..theirs()
        };
        let (headers, body) = (&self.headers, self.body.as_slice());
        let mut payload = Vec::new();
        let opened = as2::open(headers, body, &mut payload, &their_keys(), &profile, day());
        (opened.unwrap(), payload)
    }

    /// A receipt for it, signed, with `change` made to what it says.
    pub(crate) fn receipt(&self, change: impl FnOnce(&mut MdnFields)) -> Vec<u8> {
        let (headers, body) = self.mdn(Some(them()), change);
        respond(200, &headers, &body)
    }

    /// The receipt's headers and body, signed by `who`.
    pub(crate) fn mdn(
        &self,
        who: Option<&Party>,
        change: impl FnOnce(&mut MdnFields),
    ) -> (Headers, Vec<u8>) {
        let mic = Some(self.opened().0.mic);
        let done = Disposition::processed();
        let mut fields = MdnFields::answer(&self.headers, "<mdn@acme.example>", done, mic);
        change(&mut fields);
        let signer = who.map(|who| (&who.identity, Digest::Sha256));
        Mdn::write(&fields, signer, &mut net::entropy, day()).unwrap()
    }
}

/// The bytes of an answer with its length; the connection closes after it.
pub(crate) fn respond(status: u16, headers: &Headers, body: &[u8]) -> Vec<u8> {
    let mut headers = headers.clone();
    headers.set("Content-Length", &body.len().to_string());
    headers.set("Connection", "close");
    let line = format!("HTTP/1.1 {status} X\r\n").into_bytes();
    [line, headers.to_bytes(), body.to_vec()].concat()
}

/// An answer of a status alone.
pub(crate) fn status(status: u16) -> Vec<u8> {
    respond(status, &Headers::new(), b"")
}

/// A partner's server. It gives what it is told to, and keeps what it saw; what is not a whole
/// answer ends the connection.
pub(crate) struct Stub {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Stub {
    /// `answer` gets the number of the request, from 0, and the request.
    pub(crate) fn new(answer: impl Fn(usize, &Seen) -> Vec<u8> + Send + Sync + 'static) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/as2", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (kept, answer) = (Arc::clone(&seen), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || serve(&mut stream.unwrap(), &*answer, &kept));
            }
        });
        Stub { url, seen }
    }

    /// One that gives a good receipt.
    pub(crate) fn good() -> Stub {
        Stub::new(|_, seen| seen.receipt(|_| {}))
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The first request.
    pub(crate) fn first(&self) -> Seen {
        self.seen().swap_remove(0)
    }
}

/// One request of a connection, answered, and the connection closed.
fn serve(
    stream: &mut TcpStream,
    answer: &impl Fn(usize, &Seen) -> Vec<u8>,
    kept: &Mutex<Vec<Seen>>,
) {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = find(&bytes, b"\r\n\r\n") {
            break at + 4;
        }
        let mut more = [0; 4096];
        match stream.read(&mut more) {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend_from_slice(&more[..length]),
        }
    };
    let headers = Headers::read(&mut &bytes[..head]).unwrap();
    let length = headers
        .get("Content-Length")
        .map_or(0, |n| n.parse().unwrap());
    while bytes.len() < head + length {
        let mut more = [0; 4096];
        match stream.read(&mut more) {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend_from_slice(&more[..length]),
        }
    }
    let seen = Seen {
        head: String::from_utf8_lossy(&bytes[..head]).into_owned(),
        headers,
        body: bytes[head..].to_vec(),
    };
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push(seen.clone());
        kept.len() - 1
    };
    let _ = stream.write_all(&answer(number, &seen));
    // The peer is to see the end, not a reset.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read(&mut [0; 1]);
}
