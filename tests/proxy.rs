//! What stands between two gateways: TLS both ways, passwords, proxies before and behind.

pub(crate) mod house;
mod nginx;

use std::sync::{Arc, Mutex};

use house::{PASSWORD, Plan, keys, p12, relation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use transload::net::client::{self, Client, Error, Proxy, Trust, Way};
use transload::net::tls::{Clients, Server};
use transload::net::way::Login;

/// Both sides, they with what their plan has; `ours` and `theirs` are more lines of the files.
async fn pair(plan: Plan, ours: &str, theirs: &str) -> (house::Side, house::Side) {
    let us = Plan::new().await;
    let of_them = relation("us", "them", &plan.url(), ours);
    let of_us = relation("them", "us", &us.url(), theirs);
    let them = plan.start(&keys().them, &[of_us]);
    (us.start(&keys().us, &[of_them]), them)
}

const PINNED: &str = "[as2.connect]\nserver_certificates = [\"them.pem\"]\n";

#[tokio::test]
async fn a_message_and_its_receipt_go_by_tls() {
    let plan = Plan::new().await.tls(&keys().them, Clients::Ignored);
    let (us, them) = pair(plan, PINNED, "").await;
    us.confirmed("them").await;
    // The system's authorities know nobody who is self-signed, and another pin is another's.
    let plan = Plan::new().await.tls(&keys().them, Clients::Ignored);
    let (us, _them) = pair(plan, "", "").await;
    let why = us.failed("them").await;
    assert!(why.contains("no TLS with"), "{why}");
    let plan = Plan::new().await.tls(&keys().other, Clients::Ignored);
    let (us, _other) = pair(plan, PINNED, "").await;
    let why = us.failed("them").await;
    assert!(why.contains("no TLS with"), "{why}");
    drop(them);
}

#[tokio::test]
async fn another_certificate_is_shown_to_who_comes_next_and_nobody_is_cut_off() {
    let server = Server::from_pkcs12(&p12(&keys().them), PASSWORD, Clients::Ignored).unwrap();
    let server = Arc::new(server);
    let mut plan = Plan::new().await;
    plan.listeners.tls = Some(Arc::clone(&server));
    let url = plan.url();
    let _them = plan.start(&keys().them, &[]);
    let trusting = |identity: &transload::as2::Identity| {
        let pem = identity.certificate.to_pem().unwrap();
        Client::new(Trust::Only(pem), client::Limits::default())
    };
    let old = trusting(&keys().them);
    let post = async |client: &Client| client.post(&url, &[], bytes::Bytes::new()).await;
    assert_eq!(post(&old).await.unwrap().status, 403);
    server.replace(&p12(&keys().other), PASSWORD).unwrap();
    // Its connection is open still: a new handshake would fail.
    assert_eq!(post(&old).await.unwrap().status, 403);
    assert_eq!(post(&trusting(&keys().other)).await.unwrap().status, 403);
    assert!(matches!(
        post(&trusting(&keys().them)).await,
        Err(Error::Tls { .. })
    ));
    // What is no key file changes nothing.
    server.replace(b"not one", PASSWORD).unwrap_err();
    assert_eq!(server.fingerprint(), keys().other.certificate.fingerprint());
}

#[tokio::test]
async fn who_speaks_http_to_a_port_of_tls_is_told() {
    let plan = Plan::new().await.tls(&keys().them, Clients::Ignored);
    let url = plan.url().replace("https", "http");
    let _them = plan.start(&keys().them, &[]);
    let client = Client::new(Trust::System, client::Limits::default());
    let answer = client
        .post(&url, &[], bytes::Bytes::from_static(b"x"))
        .await
        .unwrap();
    assert_eq!(answer.status, 400);
    assert!(answer.body.ends_with(b"use https://\n"));
}

#[tokio::test]
async fn a_client_certificate_is_the_pinned_one_or_the_request_is_refused() {
    let demand = "[as2.demand]\nclient_certificates = [\"us.pem\"]\n";
    let showing = |name: &str| {
        format!("{PINNED}client = {{ p12 = \"{name}.p12\", password_file = \"password\" }}\n")
    };
    for clients in [Clients::Asked, Clients::Required] {
        let plan = Plan::new().await.tls(&keys().them, clients);
        let (us, _them) = pair(plan, &showing("us"), demand).await;
        us.confirmed("them").await;
        let plan = Plan::new().await.tls(&keys().them, clients);
        let (us, _them) = pair(plan, &showing("other"), demand).await;
        let why = us.failed("them").await;
        assert!(why.contains("403"), "{why}");
    }
    let plan = Plan::new().await.tls(&keys().them, Clients::Asked);
    let (us, _them) = pair(plan, PINNED, demand).await;
    let why = us.failed("them").await;
    assert!(why.contains("403"), "{why}");
    let plan = Plan::new().await.tls(&keys().them, Clients::Required);
    let (us, _them) = pair(plan, PINNED, "").await;
    let why = us.failed("them").await;
    assert!(!why.contains("HTTP status"), "no handshake, no HTTP: {why}");
}

#[tokio::test]
async fn a_password_is_demanded_before_anything_is_read_and_kept_nowhere() {
    let demand = "[as2.demand]\nlogin = { user = \"us\", password_file = \"password\" }\n";
    let showing = |user: &str| {
        format!("[as2.connect]\nlogin = {{ user = \"{user}\", password_file = \"password\" }}\n")
    };
    let (us, them) = pair(Plan::new().await, &showing("us"), demand).await;
    us.confirmed("them").await;
    let kept = them.running.gateway.store();
    let came = kept
        .messages(transload::store::Filter::default())
        .await
        .unwrap();
    assert_eq!(came.len(), 1);
    let detail = kept.message(came[0].id).await.unwrap().unwrap();
    let named = |(name, _): &(String, String)| name.eq_ignore_ascii_case("authorization");
    assert!(!detail.headers.iter().any(named), "{:?}", detail.headers);
    for wrong in [showing("them"), String::new()] {
        let (us, them) = pair(Plan::new().await, &wrong, demand).await;
        let why = us.failed("them").await;
        assert!(why.contains("401"), "{why}");
        let kept = them.running.gateway.store();
        let came = kept
            .messages(transload::store::Filter::default())
            .await
            .unwrap();
        assert!(came.is_empty());
    }
}

/// A proxy that lets through who shows `login`: its address, and the head of each request.
async fn proxy(login: Option<&'static str>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(through(stream, login, Arc::clone(&kept)));
        }
    });
    (url, heads)
}

async fn through(mut stream: TcpStream, login: Option<&str>, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    heads.lock().unwrap().push(head.clone());
    if login.is_some_and(|login| !head.to_lowercase().contains(&login.to_lowercase())) {
        let refused = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(refused).await.unwrap();
        return;
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let authority = target
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap();
    let mut peer = TcpStream::connect(authority).await.unwrap();
    match method {
        "CONNECT" => stream.write_all(b"HTTP/1.1 200 Yes\r\n\r\n").await.unwrap(),
        _ => {
            let rest = head.replacen(&format!("http://{authority}"), "", 1);
            peer.write_all(rest.as_bytes()).await.unwrap();
        }
    }
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut peer).await;
}

#[tokio::test]
async fn a_proxy_is_asked_for_https_and_told_the_whole_url_of_http() {
    // "us:open sesame", as RFC 7617 writes it.
    const LOGIN: &str = "Proxy-Authorization: Basic dXM6b3BlbiBzZXNhbWU=";
    for secure in [false, true] {
        let (url, heads) = proxy(Some(LOGIN)).await;
        let login = "login = { user = \"us\", password_file = \"password\" }";
        let by = |login: &str| format!("proxy = {{ url = \"{url}\"{login} }}\n");
        let plan = Plan::new().await;
        let (plan, pin) = match secure {
            true => (plan.tls(&keys().them, Clients::Ignored), PINNED),
            false => (plan, "[as2.connect]\n"),
        };
        let to = plan.url();
        let known = format!("{pin}{}", by(&format!(", {login}")));
        let (us, _them) = pair(plan, &known, "").await;
        us.confirmed("them").await;
        let head = heads.lock().unwrap().remove(0);
        let line = match secure {
            true => format!("CONNECT {} ", to.split('/').nth(2).unwrap()),
            false => format!("POST {to} "),
        };
        assert!(head.starts_with(&line), "{head}");
        let plan = Plan::new().await;
        let plan = match secure {
            true => plan.tls(&keys().them, Clients::Ignored),
            false => plan,
        };
        let (us, _them) = pair(plan, &format!("{pin}{}", by("")), "").await;
        let why = us.failed("them").await;
        assert!(
            why.contains("the proxy 127.0.0.1") && why.contains("407"),
            "{why}"
        );
    }
}

#[tokio::test]
async fn a_proxy_does_not_see_who_is_excepted_nor_a_password_for_another() {
    let (url, heads) = proxy(None).await;
    let plan = Plan::new().await;
    let them = plan.url();
    let _side = plan.start(&keys().them, &[]);
    let login = Login::new("us", PASSWORD);
    let way = |except: &[&str], home: &str| Way {
        proxy: Some(Proxy::new(&url, None, except).unwrap()),
        login: Some((login.clone(), home.to_owned())),
        ..Way::default()
    };
    let post = async |way: Way| {
        let client = Client::by(way, client::Limits::default());
        client
            .post(&them, &[], bytes::Bytes::new())
            .await
            .unwrap()
            .status
    };
    assert_eq!(post(way(&["127.0.0.0/8"], &them)).await, 403);
    assert!(heads.lock().unwrap().is_empty());
    assert_eq!(post(way(&[], &them)).await, 403);
    assert_eq!(
        post(way(&["elsewhere"], "http://127.0.0.1:1/as2")).await,
        403
    );
    let heads = heads.lock().unwrap();
    let shown: Vec<bool> = heads
        .iter()
        .map(|head| head.to_lowercase().contains("authorization: basic"))
        .collect();
    assert_eq!(shown, [true, false], "{heads:#?}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let by = format!("[as2.connect]\nproxy = {{ url = \"{url}\" }}\n");
    let (us, _them) = pair(Plan::new().await, &by, "").await;
    let why = us.failed("them").await;
    assert!(why.contains(&format!("the proxy {}", &url[7..])), "{why}");
}

#[tokio::test]
async fn a_partner_who_wants_it_hears_that_we_are_at_it() {
    // As busy as can be: no message is ever opened.
    let busy = |more: &'static str| async move {
        let plan = Plan::new().await.opening(0);
        let address = plan.listeners.as2.local_addr().unwrap();
        let us = "http://127.0.0.1:9/as2";
        let them = plan.start(&keys().them, &[relation("them", "us", us, more)]);
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = "POST /as2 HTTP/1.1\r\nHost: a\r\nAS2-From: us\r\nAS2-To: them\r\n\
                       Message-ID: <1@us>\r\nContent-Length: 1\r\n\r\nx";
        stream.write_all(request.as_bytes()).await.unwrap();
        (them, stream)
    };
    let (_them, mut stream) = busy("interim_seconds = 1").await;
    let mut line = [0; 27];
    stream.read_exact(&mut line).await.unwrap();
    assert_eq!(&line, b"HTTP/1.1 102 Processing\r\n\r\n");
    drop(stream);
}
