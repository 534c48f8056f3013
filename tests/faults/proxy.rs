//! A TCP proxy that does to a request what networks do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::conformance::wire::find;

/// What becomes of one connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// It is reset after so many bytes of the request.
    Reset(usize),
    /// The request arrives, and so many bytes of the answer come back.
    Cut(usize),
    /// The request arrives, and nothing comes back, nor an end.
    Hole,
    /// The answer comes a byte at a time, with this between two.
    Trickle(Duration),
    /// One letter of the receipt in the answer is another.
    Corrupt,
    /// The request arrives twice; the second answer comes back.
    Twice,
}

/// One that runs.
pub(super) struct Proxy {
    /// What to ask instead of the server.
    pub(super) url: String,
}

impl Proxy {
    /// In front of a server at this URL; `fault` gets the number of the connection, from 0.
    pub(super) fn to(url: &str, fault: impl Fn(usize) -> Fault + Send + 'static) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = format!("http://{}/as2", listener.local_addr().unwrap());
        let server = url
            .trim_start_matches("http://")
            .trim_end_matches("/as2")
            .to_owned();
        std::thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                let (fault, server) = (fault(number), server.clone());
                // Who breaks off has his fault, whichever side it is.
                std::thread::spawn(move || pass(client.unwrap(), &server, fault));
            }
        });
        Proxy { url: own }
    }
}

fn pass(mut client: TcpStream, server: &str, fault: Fault) -> std::io::Result<()> {
    if let Fault::Reset(most) = fault {
        // What is left unread turns the close into a reset.
        let mut some = vec![0; most.max(1)];
        client.read_exact(&mut some)?;
        client.peek(&mut [0])?;
        return Ok(());
    }
    let request = request(&mut client)?;
    if fault == Fault::Twice {
        asked(server, &request)?;
    }
    let mut answer = asked(server, &request)?;
    match fault {
        Fault::Cut(most) => answer.truncate(most),
        Fault::Corrupt => {
            let signed = find(&answer, b"Original-Message-ID").expect("a receipt");
            answer[signed] ^= 0x10;
        }
        Fault::Hole => {
            // Until the other side gives up.
            while client.read(&mut [0; 1024])? > 0 {}
            return Ok(());
        }
        Fault::Trickle(pause) => {
            for byte in answer {
                client.write_all(&[byte])?;
                std::thread::sleep(pause);
            }
            return Ok(());
        }
        _ => {}
    }
    client.write_all(&answer)?;
    client.shutdown(std::net::Shutdown::Write)?;
    // The peer is to see the end, not a reset.
    let _ = client.read(&mut [0; 1]);
    Ok(())
}

/// One whole request with a length.
fn request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut bytes, mut more) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(head) = find(&bytes, b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length = text.split("content-length:").nth(1);
            let length = length.and_then(|rest| rest.lines().next());
            let length: usize = length.map_or(0, |text| text.trim().parse().unwrap());
            if bytes.len() >= head + 4 + length {
                return Ok(bytes);
            }
        }
        match client.read(&mut more)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            length => bytes.extend_from_slice(&more[..length]),
        }
    }
}

/// What the server says to a request.
fn asked(server: &str, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let (mut stream, mut answer) = (TcpStream::connect(server)?, Vec::new());
    stream.write_all(request)?;
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
