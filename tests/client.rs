//! The outgoing client: an answer, or why there is none.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use transload::net::client::{self, Client, Trust};

use crate::web::{Server, short};

#[tokio::test]
async fn the_client_posts_and_reads_the_answer() {
    let server = Server::start(short()).await;
    let url = format!("http://{}/as2", server.address);
    let client = Client::new(Trust::System, client::Limits::default());
    for body in ["one", "three"] {
        let headers = [("AS2-From".to_owned(), "m\u{fc}ller".to_owned())];
        let answer = client
            .post(&url, &headers, Bytes::from(body))
            .await
            .unwrap();
        assert_eq!((answer.status, answer.taken()), (200, true));
        assert_eq!(answer.body, format!("{} in memory\n", body.len()));
        assert!(
            answer
                .headers
                .iter()
                .any(|(name, _)| name == "content-type")
        );
    }
    let early = [("AS2-From".to_owned(), "early".to_owned())];
    let busy = client.post(&url, &early, Bytes::new()).await.unwrap();
    assert_eq!(
        (busy.status, busy.taken(), busy.retry()),
        (503, false, true)
    );
}

/// A peer that says `pieces` to whoever connects, each in its own packet, then closes.
async fn says(pieces: Vec<&'static [u8]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
        for piece in pieces {
            stream.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    url
}

#[tokio::test]
async fn interim_answers_are_skipped_and_the_last_one_is_read_however_it_is_framed() {
    let client = Client::new(Trust::System, client::Limits::default());
    let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nx: y\r\n\r\n\
                    HTTP/1.1 103 Early Hints\r\n\r\n";
    let folded = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/report;\r\n\tboundary=b\r\n";
    for end in [
        &b"Content-Length: 5\r\n\r\nhello"[..],
        b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n",
        b"Connection: close\r\n\r\nhello",
    ] {
        let url = says(vec![interim, interim, folded, end]).await;
        let answer = client.post(&url, &[], Bytes::new()).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"hello"[..]));
        let kind = answer
            .headers
            .iter()
            .find(|(name, _)| name == "content-type");
        let words: Vec<&str> = kind.unwrap().1.split_whitespace().collect();
        assert_eq!(words, ["multipart/report;", "boundary=b"]);
    }
    for status in ["204 No Content", "202 Accepted"] {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        let url = says(vec![head.leak().as_bytes()]).await;
        let answer = client.post(&url, &[], Bytes::new()).await.unwrap();
        assert!(answer.taken() && answer.body.is_empty(), "{status}");
    }
}

#[tokio::test]
async fn the_client_says_why_there_is_no_answer() {
    /// A peer that says `bytes` to whoever connects, then closes, or not.
    async fn peer(bytes: &'static [u8], close: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(bytes).await;
            if !close {
                std::future::pending::<()>().await;
            }
        });
        url
    }
    let limits = client::Limits {
        total_time: Duration::from_millis(300),
        answer: 10,
        ..Default::default()
    };
    let client = Client::new(Trust::System, limits);
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n";
    let long = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world";
    let away = b"HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\n\r\n";
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let table = [
        (nobody, "cannot connect", true, false),
        (
            "ftp://a/".to_owned(),
            "not an http or https URL",
            false,
            false,
        ),
        ("http://a b/".to_owned(), "cannot ask", false, false),
        (peer(b"", false).await, "no answer within", true, true),
        (peer(ok, false).await, "no answer within", true, true),
        (peer(ok, true).await, "broke off", true, true),
        (
            peer(b"SSH-2.0-hello\r\n\r\n", true).await,
            "broke off",
            true,
            true,
        ),
        (peer(b"", true).await, "broke off", true, true),
        (peer(long, false).await, "larger than 10 bytes", false, true),
    ];
    for (url, why, retry, sent) in table {
        let error = client
            .post(&url, &[], Bytes::from_static(b"x"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(why), "{url}: {error}");
        assert_eq!((error.retry(), error.sent()), (retry, sent), "{error}");
    }
    let moved = client
        .post(&peer(away, false).await, &[], Bytes::new())
        .await
        .unwrap();
    assert_eq!(
        (moved.status, moved.taken(), moved.retry()),
        (302, false, false),
        "not followed"
    );
    let split = [("x".to_owned(), "a\r\nb: c".to_owned())];
    let error = client
        .post("http://127.0.0.1:1/", &split, Bytes::new())
        .await
        .unwrap_err();
    assert!(!error.sent(), "{error}");
}

/// A key and a certificate for 127.0.0.1, signed by itself.
fn self_signed() -> (
    openssl::pkey::PKey<openssl::pkey::Private>,
    openssl::x509::X509,
) {
    use openssl::asn1::Asn1Time;
    use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
    let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).unwrap();
    let key = openssl::ec::EcKey::generate(&group).unwrap();
    let key = openssl::pkey::PKey::from_ec_key(key).unwrap();
    let mut name = openssl::x509::X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "peer").unwrap();
    let name = name.build();
    let mut x509 = openssl::x509::X509::builder().unwrap();
    x509.set_version(2).unwrap();
    x509.set_subject_name(&name).unwrap();
    x509.set_issuer_name(&name).unwrap();
    x509.set_pubkey(&key).unwrap();
    x509.set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    x509.set_not_after(&Asn1Time::days_from_now(1).unwrap())
        .unwrap();
    let context = x509.x509v3_context(None, None);
    let address = SubjectAlternativeName::new()
        .ip("127.0.0.1")
        .build(&context)
        .unwrap();
    x509.append_extension(address).unwrap();
    x509.append_extension(BasicConstraints::new().ca().build().unwrap())
        .unwrap();
    x509.sign(&key, openssl::hash::MessageDigest::sha256())
        .unwrap();
    (key, x509.build())
}

#[tokio::test]
async fn the_client_verifies_certificates_and_takes_a_pinned_one() {
    use openssl::ssl::{Ssl, SslAcceptor, SslMethod};
    let (key, certificate) = self_signed();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    let acceptor = acceptor.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let ssl = Ssl::new(acceptor.context()).unwrap();
            let mut stream = tokio_openssl::SslStream::new(ssl, stream).unwrap();
            if std::pin::Pin::new(&mut stream).accept().await.is_ok() {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            }
        }
    });
    let post = async |trust, url: &str| {
        Client::new(trust, client::Limits::default())
            .post(url, &[], Bytes::from("x"))
            .await
    };
    let pinned = || Trust::Only(certificate.to_pem().unwrap());
    assert_eq!(post(pinned(), &url).await.unwrap().status, 204);
    // What is pinned is that certificate, whatever host it names.
    let renamed = url.replace("127.0.0.1", "localhost");
    assert_eq!(post(pinned(), &renamed).await.unwrap().status, 204);
    let other = Trust::Only(self_signed().1.to_pem().unwrap());
    for (trust, url) in [(Trust::System, url.clone()), (other, url.clone())] {
        let error = post(trust, &url).await.unwrap_err();
        assert!(matches!(error, client::Error::Tls { .. }), "{error}");
        assert!(error.retry() && !error.sent());
    }
}
