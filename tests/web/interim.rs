//! Interim answers while a request is worked on.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Server, post, read_all, short, status};

#[tokio::test]
async fn who_waits_long_hears_that_we_are_at_it() {
    const LINE: &str = "HTTP/1.1 102 Processing\r\n\r\n";
    let server = Server::start(short()).await;
    let slow = "as2-from: slow\r\nconnection: close\r\ncontent-length: 4";
    let quick = post("connection: close\r\ncontent-length: 1", "x");
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&post(slow, "")).await.unwrap();
    stream.write_all(b"slow").await.unwrap();
    let mut interim = [0; 2 * LINE.len()];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(interim.as_slice(), LINE.repeat(2).as_bytes());
    assert_eq!(status(&server.talk(&[&quick]).await), "200");
    let rest = read_all(stream).await;
    let answer = rest.trim_start_matches(LINE);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.ends_with("4 in memory\n") && !answer.contains("102"),
        "{answer}"
    );

    // A client of HTTP/1.0 knows nothing of it.
    let old = String::from_utf8(post(slow, "slow")).unwrap();
    let old = old.replace("HTTP/1.1", "HTTP/1.0");
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(old.as_bytes()).await.unwrap();
    while server.kept().len() < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(status(&server.talk(&[&quick]).await), "200");
    let answer = read_all(stream).await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn expect_continue_is_answered_before_the_body() {
    let server = Server::start(short()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = post(
        "expect: 100-continue\r\nconnection: close\r\ncontent-length: 5",
        "",
    );
    stream.write_all(&head).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"after").await.unwrap();
    assert_eq!(status(&read_all(stream).await), "200");
    assert_eq!(server.kept(), [b"after"]);
}
