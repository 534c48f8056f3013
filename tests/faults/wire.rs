//! The asking partner's side of the wire: one request on a connection that is kept, and its answer;
//! or a piece of one.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use openssl::sha::Sha256;
use transload::as2::Headers;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(40);

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// What has to be the same for the same question: all but the time of the transport and its way
    /// with the connection.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(&self.status.to_be_bytes());
        for (name, value) in self.headers.iter() {
            let own = ["date", "connection", "keep-alive"];
            if !own.contains(&name.to_ascii_lowercase().as_str()) {
                digest.update(format!("{}: {value}\n", name.to_ascii_lowercase()).as_bytes());
            }
        }
        digest.update(&self.body);
        digest.finish()
    }
}

/// A connection that is made when it is needed.
pub(super) struct Line {
    port: u16,
    stream: Option<TcpStream>,
}

impl Line {
    pub(super) fn new(port: u16) -> Line {
        Line { port, stream: None }
    }

    fn stream(&mut self) -> std::io::Result<&mut TcpStream> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER))?;
            self.stream = Some(stream);
        }
        Ok(self.stream.as_mut().unwrap())
    }

    /// Asks, and reads the whole answer.
    pub(super) fn ask(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        let asked = self.stream().and_then(|stream| {
            stream.write_all(request)?;
            read(stream)
        });
        let close = match &asked {
            Ok(answer) => answer
                .headers
                .get("Connection")
                .is_some_and(|way| way.eq_ignore_ascii_case("close")),
            Err(_) => true,
        };
        if close {
            self.stream = None;
        }
        asked
    }

    /// Writes the first `write` bytes of a request on a connection of its own, and reads up to `read`
    /// bytes of what comes; the connection is given back open.
    pub(super) fn piece(&self, request: &[u8], read: usize) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.write_all(request)?;
        if read > 0 {
            let mut got = vec![0; read];
            let _ = stream.read(&mut got)?;
        }
        Ok(stream)
    }
}

fn read(stream: &mut TcpStream) -> std::io::Result<Answer> {
    let cut = || std::io::Error::from(ErrorKind::UnexpectedEof);
    let (mut got, mut block) = (Vec::new(), [0; 8 << 10]);
    let mut more = |got: &mut Vec<u8>| {
        let n = stream.read(&mut block)?;
        got.extend_from_slice(&block[..n]);
        if n == 0 { Err(cut()) } else { Ok(()) }
    };
    let head = loop {
        if let Some(at) = got.windows(4).position(|end| end == b"\r\n\r\n") {
            break at + 4;
        }
        more(&mut got)?;
    };
    let invalid = |_| std::io::Error::from(ErrorKind::InvalidData);
    let line = got.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1;
    let status = std::str::from_utf8(&got[..line]).unwrap_or_default();
    let status = status.split(' ').nth(1).and_then(|s| s.parse().ok());
    let headers = Headers::read(&mut &got[line..head]).map_err(invalid)?;
    let length: usize = headers
        .get("Content-Length")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    while got.len() < head + length {
        more(&mut got)?;
    }
    Ok(Answer {
        status: status.ok_or_else(cut)?,
        headers,
        body: got[head..head + length].to_vec(),
    })
}
