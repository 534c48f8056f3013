//! Keys, certificates and TLS (rows of `certificates` and `tls`).

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslMethod, SslVersion};
use openssl::x509::extension::KeyUsage;
use openssl::x509::{X509, X509Ref};
use transload::as2::Keys;
use transload::net::client::{self, Client, Error, Response, Trust};
use transload::store::MessageState;

use super::forge::{Authority, ENVELOPED, Forged, SIGNED, Scheme, Signed, multipart, signed, x12};
use super::wire::{
    LAX, Relation, Request, Stub, Us, document, lax, open_with, our_keys, seal_as, stranger,
    their_keys, theirs, them, told,
};

/// What the gateway says to a part that this key signed, its certificate being pinned.
fn signed_by(forged: &Forged) -> Result<(), String> {
    let keys = Keys {
        theirs: vec![forged.certificate()],
        ..our_keys()
    };
    let part = x12(b"x");
    let mut cms = Signed::of(&part);
    cms.scheme = Scheme::Combined;
    let body = multipart(&part, &cms.by_key(&forged.x509, &forged.key, &part));
    open_with(&keys, &lax(), SIGNED, &body)
        .map(drop)
        .map_err(|why| told(&why))
}

/// Whether something can be encrypted to this certificate.
fn encrypted_to(forged: &Forged) -> bool {
    let keys = Keys {
        theirs: vec![forged.certificate()],
        ..their_keys()
    };
    let (source, mut out) = (std::io::Cursor::new(b"x"), Vec::new());
    let (entropy, day) = (&mut transload::net::entropy, super::wire::day());
    let (document, profile) = (document("<1@x>"), theirs());
    transload::as2::seal(source, &mut out, document, &keys, &profile, entropy, day).is_ok()
}

/// Certificates in files, as a line of a partner file.
fn files(folder: &std::path::Path, certificates: &[&X509Ref]) -> String {
    let paths = certificates.iter().enumerate().map(|(n, x509)| {
        let path = folder.join(format!("{n}.pem"));
        std::fs::write(&path, x509.to_pem().unwrap()).unwrap();
        path
    });
    format!("certificates = {:?}\n", paths.collect::<Vec<_>>())
}

#[test]
fn as2_186_self_signed_or_by_an_authority() {
    let authority = Authority::new();
    let issued = authority.issue("acme.example");
    for forged in [Forged::rsa(2048), issued] {
        assert_eq!(signed_by(&forged), Ok(()));
        assert!(encrypted_to(&forged));
    }
}

#[test]
fn as2_187_each_certificate_in_its_role() {
    // One of theirs signs, another is encrypted to; each says so.
    let folder = tempfile::tempdir().unwrap();
    let rsa = || PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let signs = Forged::new(rsa(), Some(KeyUsage::new().digital_signature()));
    let opens = Forged::new(rsa(), Some(KeyUsage::new().key_encipherment()));
    let line = files(folder.path(), &[&signs.x509, &opens.x509]);
    let stub = Stub::new(|_, _| super::wire::status(200));
    let relations = [
        Relation::default().url(&stub.url).more(&line).also(LAX),
        Relation::default().names("WE", "OTHER").more(LAX),
    ];
    let us = Us::with(&relations, 1 << 20);
    us.sent();
    let cms = openssl::cms::CmsContentInfo::from_der(&stub.first().body).unwrap();
    assert!(cms.decrypt(&opens.key, &opens.x509).is_ok());
    let part = x12(b"x");
    let body = |forged: &Forged| {
        let cms = Signed::of(&part).by_key(&forged.x509, &forged.key, &part);
        Request::new(SIGNED, multipart(&part, &cms))
    };
    assert_eq!(us.post(&body(&signs)).status, 200);
    assert_eq!(us.inbox().len(), 1);
    us.post(&body(&opens));
    us.post(&Request::new(SIGNED, signed(&part)));
    assert_eq!(
        us.inbox().len(),
        1,
        "neither the other certificate nor another partner's"
    );
    us.post(&Request::new(SIGNED, signed(&part)).set("AS2-From", "OTHER"));
    assert_eq!(us.inbox().len(), 2, "which is good for him");
}

#[test]
fn as2_190_weak_keys_are_refused() {
    for weak in [Forged::rsa(1024), Forged::ec(Nid::X9_62_PRIME192V1)] {
        assert_eq!(
            signed_by(&weak),
            Err("insufficient-message-security".into())
        );
        assert!(!encrypted_to(&weak));
        assert!(weak.certificate().weakness().is_some());
    }
    for sound in [Forged::rsa(2048), Forged::ec(Nid::X9_62_PRIME256V1)] {
        assert_eq!(signed_by(&sound), Ok(()));
        assert_eq!(sound.certificate().weakness(), None);
    }
}

#[test]
fn as2_191_certificates_out_of_their_time_are_told() {
    let us = Us::new("");
    us.later(TimeDelta::days(400));
    // Sending: said at once to who sends.
    let sent = us.wait(us.gateway().send("acme", super::wire::INTERCHANGE));
    assert!(sent.unwrap_err().to_string().contains("valid now"));
    // Receiving: theirs is over, ours is good.
    let headers = [("Content-Type", SIGNED)].into_iter().collect();
    let late = super::wire::day() + TimeDelta::days(400);
    let (body, keys) = (signed(&x12(b"x")), our_keys());
    let sink = std::io::sink();
    let why = transload::as2::open(&headers, &body[..], sink, &keys, &lax(), late).unwrap_err();
    assert_eq!(told(&why), "authentication-failed");
    let foreign = multipart(
        &x12(b"x"),
        &Signed::of(&x12(b"x")).by(stranger(), &x12(b"x")),
    );
    let lax = Us::lax();
    assert_eq!(
        lax.says(SIGNED, &foreign),
        "processed/error: authentication-failed"
    );
    assert_eq!(lax.post(&Request::plain(b"x")).status, 200);
    let inbound = lax.messages(transload::store::Direction::Inbound).remove(0);
    assert_eq!(inbound.state, MessageState::Refused);
    assert!(
        inbound.note.contains("authentication-failed"),
        "{}",
        inbound.note
    );
}

#[test]
fn as2_192_old_and_new_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let line = files(folder.path(), &[&them().x509, &stranger().x509]);
    let us = Us::new(&line);
    for party in [them(), stranger()] {
        let keys = Keys {
            ours: vec![party.identity.clone()],
            ..their_keys()
        };
        assert_eq!(
            us.post(&Request::sealed_with(b"x", &keys, &theirs()))
                .said(),
            "processed"
        );
    }
    // Ours: what is encrypted for the old key or for the new one opens.
    for party in [super::wire::us(), them()] {
        let keys = Keys {
            theirs: vec![party.identity.certificate.clone()],
            ..their_keys()
        };
        let both = Keys {
            ours: vec![super::wire::us().identity.clone(), them().identity.clone()],
            ..our_keys()
        };
        let (_, body) = seal_as("<1@x>", b"x", &keys, &theirs());
        assert!(open_with(&both, &lax(), ENVELOPED, &body).is_ok());
    }
}

#[test]
fn as2_197_key_usage_is_honoured() {
    let rsa = || PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let with = |usage: &mut KeyUsage| Forged::new(rsa(), Some(usage));
    assert_eq!(
        signed_by(&with(KeyUsage::new().digital_signature())),
        Ok(())
    );
    assert_eq!(signed_by(&with(KeyUsage::new().non_repudiation())), Ok(()));
    assert!(signed_by(&with(KeyUsage::new().key_encipherment())).is_err());
    assert!(encrypted_to(&with(KeyUsage::new().key_encipherment())));
    assert!(!encrypted_to(&with(KeyUsage::new().digital_signature())));
    let without = Forged::new(rsa(), None);
    assert!(
        signed_by(&without) == Ok(()) && encrypted_to(&without),
        "no extension: both"
    );
}

/// A TLS server on a port of its own that says 204 to everything, and the versions it spoke.
struct Secure {
    url: String,
    spoken: Arc<Mutex<Vec<String>>>,
}

impl Secure {
    fn new(chain: &[&X509Ref], key: &PKey<Private>, most: Option<SslVersion>) -> Secure {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        if let Some(most) = most {
            // Whatever the system's OpenSSL thinks of old versions.
            acceptor.set_security_level(0);
            acceptor.set_min_proto_version(None).unwrap();
            acceptor.clear_options(openssl::ssl::SslOptions::all());
            acceptor.set_max_proto_version(Some(most)).unwrap();
        }
        acceptor.set_private_key(key).unwrap();
        acceptor.set_certificate(chain[0]).unwrap();
        for more in &chain[1..] {
            acceptor.add_extra_chain_cert((*more).to_owned()).unwrap();
        }
        let acceptor = acceptor.build();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let spoken: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&spoken);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if let Ok(mut stream) = acceptor.accept(stream.unwrap()) {
                    kept.lock()
                        .unwrap()
                        .push(stream.ssl().version_str().to_owned());
                    let _ = stream.read(&mut [0; 1024]);
                    let _ = stream.write_all(b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n");
                    let _ = stream.shutdown();
                }
            }
        });
        Secure { url, spoken }
    }
}

fn post(trust: Trust, url: &str) -> Result<Response, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = Client::new(trust, client::Limits::default());
    runtime.block_on(client.post(url, &[], bytes::Bytes::from_static(b"secret")))
}

fn only(x509: &X509) -> Trust {
    Trust::Only(x509.to_pem().unwrap())
}

#[test]
fn as2_198_tls_1_2_and_nothing_older() {
    let own = Forged::for_address();
    let new = Secure::new(&[&own.x509], &own.key, Some(SslVersion::TLS1_2));
    assert_eq!(post(only(&own.x509), &new.url).unwrap().status, 204);
    assert_eq!(*new.spoken.lock().unwrap(), ["TLSv1.2"]);
    for old in [SslVersion::TLS1_1, SslVersion::TLS1] {
        let server = Secure::new(&[&own.x509], &own.key, Some(old));
        let refused = post(only(&own.x509), &server.url).unwrap_err();
        assert!(matches!(refused, Error::Tls { .. }), "{refused}");
        assert!(server.spoken.lock().unwrap().is_empty());
    }
}

#[test]
fn as2_199_tls_1_3_where_both_know_it() {
    let own = Forged::for_address();
    let server = Secure::new(&[&own.x509], &own.key, Some(SslVersion::TLS1_3));
    assert_eq!(post(only(&own.x509), &server.url).unwrap().status, 204);
    assert_eq!(*server.spoken.lock().unwrap(), ["TLSv1.3"]);
}

#[test]
fn as2_202_https_never_falls_back() {
    let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/as2", listener.local_addr().unwrap());
    let kept = Arc::clone(&heard);
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).unwrap();
        kept.lock().unwrap().extend_from_slice(&bytes[..length]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    assert!(matches!(post(Trust::System, &url), Err(Error::Tls { .. })));
    server.join().unwrap();
    let heard = heard.lock().unwrap();
    assert!(heard.starts_with(&[0x16, 3]), "a handshake");
    assert!(super::wire::find(&heard, b"secret").is_none());
}

#[test]
fn as2_203_server_certificates_of_every_kind() {
    let authority = Authority::new();
    let own = Forged::for_address();
    // With the address in its name alone, and with another name and the address beside it.
    let issued = [authority.issue("127.0.0.1"), authority.issue("whoever")];
    for (forged, trusted) in [
        (&own, &own.x509),
        (&issued[0], &authority.x509),
        (&issued[1], &authority.x509),
    ] {
        let server = Secure::new(&[&forged.x509], &forged.key, None);
        assert_eq!(post(only(trusted), &server.url).unwrap().status, 204);
        assert!(
            post(Trust::System, &server.url).is_err(),
            "not where nobody trusts it"
        );
    }
}

#[test]
fn as2_205_a_chain_ends_at_what_is_trusted() {
    let authority = Authority::new();
    let middle = authority.authority();
    let leaf = middle.issue("127.0.0.1");
    let whole = Secure::new(&[&leaf.x509, &middle.x509], &leaf.key, None);
    assert_eq!(post(only(&authority.x509), &whole.url).unwrap().status, 204);
    let torn = Secure::new(&[&leaf.x509], &leaf.key, None);
    assert!(matches!(
        post(only(&authority.x509), &torn.url),
        Err(Error::Tls { .. })
    ));
}

#[test]
fn as2_206_a_host_stands_in_its_certificate() {
    let (from, to) = (super::wire::day(), super::wire::day() + TimeDelta::days(1));
    for (name, due) in [
        ("edi.acme.example", Some("edi.acme.example")),
        ("192.0.2.1", Some("192.0.2.1")),
        ("ACME, Inc.", None),
        ("acme", None),
    ] {
        let made = transload::as2::Identity::generate(name, 1, from, to).unwrap();
        let x509 = X509::from_pem(&made.certificate.to_pem().unwrap()).unwrap();
        let names = x509.subject_alt_names();
        let found = names.as_ref().and_then(|names| names.get(0)).map(|one| {
            let address =
                |four: &[u8]| four.iter().map(u8::to_string).collect::<Vec<_>>().join(".");
            let host = one.dnsname().map(str::to_owned);
            host.unwrap_or_else(|| address(one.ipaddress().unwrap()))
        });
        assert_eq!(found.as_deref(), due);
        let text = String::from_utf8(x509.to_text().unwrap()).unwrap();
        assert!(!text.contains("Alternative Name: critical"));
    }
}

#[test]
fn as2_case_d17_an_expired_key_signs_nothing_and_says_so() {
    let us = Us::lax();
    us.later(TimeDelta::days(400));
    let reply = us.post(&Request::plain(b"x"));
    assert_eq!(
        reply.status, 503,
        "no receipt, signed or not; the sender tries again"
    );
    assert!(us.inbox().is_empty());
}
