//! `partner test` names the cause: one row a fault, each with real sockets on this machine.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use transload::as2::{self, Disposition, Headers, Identity, Mdn, MdnFields, Mic};
use transload::gateway::{Stage, Trial, Verdict};
use transload::net::client::{self, Way};
use transload::net::serve::Limits;
use transload::net::tls::Clients;
use transload::partner::{self, keys::Keys};
use transload::web::Believed;
use transload::web::as2::{Answer, Arrival, Settings};

use crate::proxy::house::{Plan, Side, furnish, keys, relation};

/// Who is at the other end.
struct Peer {
    url: String,
    _side: Option<Side>,
}

/// A gateway, with its file of us.
async fn gateway(change: impl FnOnce(Plan) -> Plan, theirs: &str) -> Peer {
    gateway_of(
        vec![keys().them.clone()],
        change,
        &relation("them", "us", NOBODY, theirs),
    )
    .await
}

async fn gateway_of(own: Vec<Identity>, change: impl FnOnce(Plan) -> Plan, file: &str) -> Peer {
    let plan = change(Plan::new().await);
    Peer {
        url: plan.url(),
        _side: Some(plan.start_with(own, &[file.to_owned()])),
    }
}

/// Where nobody listens, and nothing is sent.
const NOBODY: &str = "http://127.0.0.1:9/as2";

fn at(url: impl Into<String>) -> Peer {
    Peer {
        url: url.into(),
        _side: None,
    }
}

/// A server that says this to everybody, once it heard something.
async fn says(answer: &'static str) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/as2", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = [0; 1 << 14];
                if stream.read(&mut heard).await.is_ok_and(|got| got > 0) {
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                    while stream.read(&mut heard).await.is_ok_and(|got| got > 0) {}
                }
            });
        }
    });
    at(url)
}

/// A server whose receipts say what they are told to, signed by the partner.
async fn answers(disposition: Disposition, mic: Option<&'static str>) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/as2", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        path: "/as2".into(),
        spool: folder.path().into(),
        limits: Limits::default(),
        tls: None,
        believed: Believed::default(),
    };
    let disposition = Arc::new(disposition);
    let handler = move |arrival: Arrival| {
        let disposition = Disposition::clone(&disposition);
        async move {
            let headers: Headers = arrival.headers.iter().cloned().collect();
            arrival.body.read().await.unwrap();
            let mic = mic.and_then(Mic::parse);
            let fields = MdnFields::answer(&headers, "<mdn@them>", disposition, mic);
            let by = Some((&keys().them, as2::Digest::Sha256));
            let mut entropy = transload::net::entropy;
            let (headers, body) = Mdn::write(&fields, by, &mut entropy, Utc::now()).unwrap();
            Answer {
                status: 200,
                headers: headers
                    .iter()
                    .map(|(a, b)| (a.to_owned(), b.to_owned()))
                    .collect(),
                body: body.into(),
            }
        }
    };
    tokio::spawn(async move {
        let _folder = folder;
        let never = std::future::pending();
        transload::web::as2::listen(listener, settings, handler, never).await;
    });
    at(url)
}

/// What `partner test` says, with this file of them; `change` makes the fault in it.
async fn trial(
    peer: &Peer,
    more: &str,
    change: &[(&str, &str)],
    own: &Identity,
    now: fn() -> DateTime<Utc>,
) -> Vec<Stage> {
    let mut text = relation("us", "them", &peer.url, more);
    for (from, to) in change {
        assert!(text.contains(from), "{from} is not in {text}");
        text = text.replacen(from, to, 1);
    }
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path());
    std::fs::write(folder.path().join("them.toml"), text).unwrap();
    let partners = partner::load(folder.path()).unwrap_or_else(|why| panic!("{why:?}"));
    let trial = Trial {
        partner: partners.get("them").unwrap(),
        identities: vec![own.clone()],
        keys: &Keys::default(),
        way: Way::default(),
        limits: client::Limits {
            connect_time: Duration::from_secs(10),
            ..client::Limits::default()
        },
        now,
        entropy: transload::net::entropy,
    };
    let mut stages = Vec::new();
    Box::pin(trial.run(&mut |stage| stages.push(stage))).await;
    stages
}

const PINNED: &str = "[as2.connect]\nserver_certificates = [\"them.pem\"]\n";

fn tls(clients: Clients) -> impl FnOnce(Plan) -> Plan {
    move |plan| plan.tls(&keys().them, clients)
}

fn as_it_is(plan: Plan) -> Plan {
    plan
}

#[tokio::test]
async fn a_sound_connection_passes_every_stage() {
    for (peer, more, tls) in [
        (gateway(as_it_is, "").await, "", Verdict::Skipped),
        (
            gateway(tls(Clients::Ignored), "").await,
            PINNED,
            Verdict::Passed,
        ),
    ] {
        let stages = trial(&peer, more, &[], &keys().us, Utc::now).await;
        let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
        assert_eq!(
            names,
            ["settings", "DNS", "TCP", "TLS", "HTTP", "AS2", "MDN", "MIC"]
        );
        for stage in &stages {
            let want = if stage.name == "TLS" {
                tls
            } else {
                Verdict::Passed
            };
            assert_eq!(stage.verdict, want, "{stage:?}");
            assert!(stage.help.is_none());
        }
    }
}

/// The fault, the peer, our lines, what is wrong in our file, the stage that names it, its words.
type Row = (
    &'static str,
    Peer,
    String,
    Vec<(&'static str, &'static str)>,
    &'static str,
    &'static [&'static str],
);

/// Faults of the way to the server.
async fn ways() -> Vec<Row> {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let mut https = gateway(as_it_is, "").await;
    https.url = https.url.replace("http", "https");
    let secure = gateway(tls(Clients::Ignored), "").await;
    let http = at(secure.url.replace("https", "http"));
    let old = gateway(|plan| plan.tls(&keys().past, Clients::Ignored), "").await;
    let other = gateway(|plan| plan.tls(&keys().other, Clients::Ignored), "").await;
    let asks = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    let asking = says(asks).await.url.replace("/as2", "");
    let by = |url: &str| format!("[as2.connect]\nproxy = {{ url = \"{url}\" }}\n");
    let past = PINNED.replace("them", "past");
    let none = String::new;
    vec![
        (
            "host",
            at("http://nosuch.invalid/as2"),
            none(),
            vec![],
            "DNS",
            &["`url`", "spelt"],
        ),
        (
            "port",
            at(closed.clone()),
            none(),
            vec![],
            "TCP",
            &["`url`", "port"],
        ),
        (
            "TLS where there is none",
            https,
            none(),
            vec![],
            "TLS",
            &["plain HTTP", "http://"],
        ),
        (
            "no TLS where there is",
            http,
            none(),
            vec![],
            "HTTP",
            &["`url`", "TLS", "https"],
        ),
        (
            "not pinned",
            secure,
            none(),
            vec![],
            "TLS",
            &["server_certificates", "them"],
        ),
        (
            "other pin",
            other,
            PINNED.into(),
            vec![],
            "TLS",
            &["not the one", "other"],
        ),
        (
            "expired TLS",
            old,
            past,
            vec![],
            "TLS",
            &["expired", "renew"],
        ),
        (
            "no proxy there",
            at(NOBODY),
            by(&closed),
            vec![],
            "TCP",
            &["`proxy`"],
        ),
        (
            "proxy's password",
            at(NOBODY),
            by(&asking),
            vec![],
            "HTTP",
            &["407", "`login`"],
        ),
        (
            "no client certificate",
            gateway(tls(Clients::Required), "").await,
            PINNED.into(),
            vec![],
            "HTTP",
            &["`client`", "[as2.connect]"],
        ),
        (
            "another client certificate",
            gateway(
                tls(Clients::Asked),
                "[as2.demand]\nclient_certificates = [\"us.pem\"]\n",
            )
            .await,
            format!("{PINNED}client = {{ p12 = \"other.p12\", password_file = \"password\" }}\n"),
            vec![],
            "HTTP",
            &["`client`", "certificate"],
        ),
    ]
}

/// Faults that the server tells by its status.
async fn statuses() -> Vec<Row> {
    let demand = "[as2.demand]\nlogin = { user = \"us\", password_file = \"password\" }\n";
    let wrong = "[as2.connect]\nlogin = { user = \"them\", password_file = \"password\" }\n";
    let here = gateway(as_it_is, "").await;
    let path = at(here.url.replace("/as2", "/edi/as2"));
    let moved = says(
        "HTTP/1.1 301 Moved Permanently\r\nlocation: https://edi.example/x\r\n\
         content-length: 0\r\n\r\n",
    );
    let bad = says("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    let length = says("HTTP/1.1 411 Length Required\r\ncontent-length: 0\r\n\r\n");
    let none = String::new;
    vec![
        (
            "sub-path",
            path,
            none(),
            vec![],
            "HTTP",
            &["404", "`url`", "sub-path"],
        ),
        (
            "no password",
            gateway(as_it_is, demand).await,
            none(),
            vec![],
            "HTTP",
            &["401", "`login`"],
        ),
        (
            "wrong password",
            gateway(as_it_is, demand).await,
            wrong.into(),
            vec![],
            "HTTP",
            &["401", "`login`", "password"],
        ),
        (
            "redirect",
            moved.await,
            none(),
            vec![],
            "HTTP",
            &["`url`", "https://edi.example/x"],
        ),
        (
            "their proxy",
            bad.await,
            none(),
            vec![],
            "HTTP",
            &["502", "reverse proxy"],
        ),
        (
            "length",
            length.await,
            "chunked = true".into(),
            vec![],
            "HTTP",
            &["`chunked = false`"],
        ),
        (
            "their id's case",
            gateway(as_it_is, "").await,
            none(),
            vec![("id = \"them\"", "id = \"Them\"")],
            "HTTP",
            &["`id` = \"Them\"", "case"],
        ),
        (
            "our id's case",
            here,
            none(),
            vec![("our_id = \"us\"", "our_id = \"US\"")],
            "HTTP",
            &["`our_id` = \"US\"", "case"],
        ),
        (
            "no HTTP",
            says("SSH-2.0-x\r\n").await,
            none(),
            vec![],
            "HTTP",
            &["`url`", "HTTP"],
        ),
    ]
}

/// Faults between the two AS2 servers.
async fn understanding() -> Vec<Row> {
    let page =
        says("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>");
    let empty = says("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n");
    let file = relation("them", "us", NOBODY, "").replacen("us.pem", "other.pem", 1);
    let holds_other = gateway_of(vec![keys().them.clone()], as_it_is, &file).await;
    let ours = relation("them", "us", NOBODY, "");
    let two = vec![keys().other.clone(), keys().them.clone()];
    let signs_other = gateway_of(two, as_it_is, &ours).await;
    let unknown = Disposition::error("unknown-trading-relationship");
    let digest = Disposition::failure("unsupported MIC-algorithms");
    let zlib = Disposition::error("decompression-failed");
    let mic = "7ccLRGBWOBHq4bRQVZIR6vRGSZFhIZnVG26wFTiRXhA=, sha-256";
    let apart = "certificates = [{ file = \"other.pem\", uses = [\"encrypt\"] }, \
                 { file = \"them.pem\", uses = [\"verify\"] }]";
    let sound = || gateway(as_it_is, "");
    let none = String::new;
    vec![
        (
            "web page",
            page.await,
            none(),
            vec![],
            "AS2",
            &["web page", "`url`"],
        ),
        (
            "later",
            empty.await,
            none(),
            vec![],
            "AS2",
            &["`receipt_mode`"],
        ),
        (
            "their copy of ours",
            holds_other,
            none(),
            vec![],
            "AS2",
            &["another certificate of ours", "partner sheet"],
        ),
        (
            "encrypted for another",
            sound().await,
            none(),
            vec![("certificates = [\"them.pem\"]", apart)],
            "AS2",
            &["`certificates`", "encrypted for", "other"],
        ),
        (
            "signed by another",
            signs_other,
            none(),
            vec![],
            "MDN",
            &["`certificates`", "signs"],
        ),
        (
            "unsigned",
            sound().await,
            "sign = \"none\"".into(),
            vec![],
            "AS2",
            &["`sign`", "unsigned"],
        ),
        (
            "in clear",
            sound().await,
            "encrypt = \"none\"".into(),
            vec![],
            "AS2",
            &["`encrypt`", "in clear"],
        ),
        (
            "unknown",
            answers(unknown, None).await,
            none(),
            vec![],
            "AS2",
            &["`our_id`", "`id`", "case"],
        ),
        (
            "digest",
            answers(digest, None).await,
            none(),
            vec![],
            "AS2",
            &["`sign`", "digest"],
        ),
        (
            "compression",
            answers(zlib, None).await,
            "compress = true".into(),
            vec![],
            "AS2",
            &["`compress`"],
        ),
        (
            "line ends",
            answers(Disposition::processed(), Some(mic)).await,
            none(),
            vec![],
            "MIC",
            &["line ends", "`require_mic"],
        ),
        (
            "no MIC",
            answers(Disposition::processed(), None).await,
            none(),
            vec![],
            "MIC",
            &["no MIC", "`require_mic"],
        ),
    ]
}

async fn named(rows: Vec<Row>) {
    for (fault, peer, more, change, stage, words) in rows {
        let stages = trial(&peer, &more, &change, &keys().us, Utc::now).await;
        let last = stages.last().unwrap();
        let help = last.help.as_ref().map(ToString::to_string);
        let told = format!("{} {}", last.said, help.unwrap_or_default());
        assert_eq!(
            (last.name, last.verdict),
            (stage, Verdict::Failed),
            "{fault}: {stages:#?}"
        );
        for word in words {
            assert!(told.contains(word), "{fault}: {word} is not in {told}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_way_is_named() {
    named(ways().await).await;
}

#[tokio::test]
async fn what_the_server_refuses_is_named() {
    named(statuses().await).await;
}

#[tokio::test]
async fn what_the_partner_does_not_understand_is_named() {
    named(understanding().await).await;
}

#[tokio::test]
async fn wrong_clocks_and_old_certificates_are_named() {
    let peer = gateway(as_it_is, "").await;
    let later = || Utc::now() + TimeDelta::hours(2);
    let stages = trial(&peer, "", &[], &keys().us, later).await;
    let http = stages.iter().find(|stage| stage.name == "HTTP").unwrap();
    assert_eq!(http.verdict, Verdict::Warned);
    assert!(
        http.help.as_ref().unwrap().to_string().contains("clock"),
        "{http:?}"
    );
    assert!(
        http.help
            .as_ref()
            .unwrap()
            .to_string()
            .contains("120 minutes"),
        "{http:?}"
    );

    let stages = trial(&peer, "", &[], &keys().past, Utc::now).await;
    assert!(
        stages.len() == 1
            && stages[0]
                .said
                .to_string()
                .contains("our own certificate expired")
    );
    assert!(
        stages[0]
            .help
            .as_ref()
            .unwrap()
            .to_string()
            .contains("cert new")
    );
    let old = [("them.pem", "past.pem")];
    let stages = trial(&peer, "", &old, &keys().us, Utc::now).await;
    assert!(
        stages.len() == 1 && stages[0].said.to_string().contains("expired on"),
        "{stages:?}"
    );
    assert!(
        stages[0]
            .help
            .as_ref()
            .unwrap()
            .to_string()
            .contains("`certificates`")
    );
}
