//! A real nginx in front: TLS of its own, a sub-path, and the receipt that comes back through it.

use std::process::{Child, Command, Stdio};

use transload::as2::{Headers, Keys, Mdn, Profile};
use transload::store::{Direction, Filter};

use super::house::{PASSWORD, Plan, keys, p12, relation};

/// Where it is, or none.
fn nginx() -> Option<&'static str> {
    let found = ["nginx", "/usr/sbin/nginx"].into_iter().find(|name| {
        let asked = Command::new(name).arg("-v").stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    });
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI has nginx");
        say!("skipped: no nginx");
    }
    found
}

/// One that runs, until it is dropped.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A free port, by asking for one and giving it back.
fn port() -> u16 {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    taken.local_addr().unwrap().port()
}

impl Nginx {
    /// Passes what comes by TLS at `/edi/inbox` to `/as2` of `to`.
    fn start(program: &str, folder: &std::path::Path, port: u16, to: &str) -> Nginx {
        let pem = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(name), bytes).unwrap();
        pem("edge.p12", p12(&keys().other));
        pem("edge.crt", keys().other.certificate.to_pem().unwrap());
        pem("edge.key", key(folder));
        let root = folder.display();
        // It asks for a certificate, proves that the client has its key, and passes it on.
        let settings = format!(
            "daemon off; master_process off; pid {root}/pid; error_log {root}/errors;\n\
             events {{}}\nhttp {{ access_log off; client_body_temp_path {root}/b;\n\
             proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u;\n\
             scgi_temp_path {root}/s;\n\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {root}/edge.crt;\n\
             ssl_certificate_key {root}/edge.key; ssl_verify_client optional_no_ca;\n\
             location = /edi/inbox {{ proxy_pass {to}; proxy_http_version 1.1;\n\
             proxy_set_header Host $host; proxy_set_header X-Forwarded-Proto $scheme;\n\
             proxy_set_header Client-Cert $ssl_client_escaped_cert;\n\
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }} }}\n"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, settings).unwrap();
        let child = Command::new(program)
            .arg("-e")
            .arg(folder.join("errors"))
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut running = Nginx(child);
        // It says nothing when it listens: each try is a connection that either is or is not.
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = running.0.try_wait().unwrap();
            let said = std::fs::read_to_string(folder.join("errors")).unwrap_or_default();
            assert!(ended.is_none(), "nginx ended: {said}");
            std::thread::yield_now();
        }
        running
    }
}

/// The key of a PKCS#12 file as PEM, as another program reads it.
fn key(folder: &std::path::Path) -> Vec<u8> {
    let made = Command::new("openssl")
        .args(["pkcs12", "-nodes", "-nocerts", "-passin"])
        .arg(format!("pass:{PASSWORD}"))
        .arg("-in")
        .arg(folder.join("edge.p12"))
        .output()
        .unwrap();
    assert!(made.status.success());
    made.stdout
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_with_tls_and_a_sub_path_changes_nothing_of_a_message() {
    let Some(program) = nginx() else { return };
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new().await.behind(&["127.0.0.1"]);
    let (inside, port) = (plan.url(), port());
    let edge = format!("https://127.0.0.1:{port}/edi/inbox");
    let us = Plan::new().await;
    let pin = "[as2.connect]\nserver_certificates = [\"other.pem\"]\n";
    let by_edge = relation("us", "them", &edge, pin);
    let direct = relation("us2", "them", &inside, "").replacen("\"them\"", "\"direct\"", 1);
    let of_us = |id: &str| relation("them", id, &us.url(), "").replace("us2.pem", "us.pem");
    let them = plan.start(&keys().them, &[of_us("us"), of_us("us2")]);
    let us = us.start(&keys().us, &[by_edge, direct]);
    let _nginx = Nginx::start(program, folder.path(), port, &inside);

    // The same order by both ways: what was stored there and what was said of it is the same.
    let through = us.confirmed("them").await;
    let straight = us.confirmed("direct").await;
    let mut said = Vec::new();
    for sent in [&through, &straight] {
        let answer = sent
            .answer
            .as_ref()
            .expect("a receipt came with the answer");
        let headers: Headers = answer.headers.iter().cloned().collect();
        let known = Keys {
            ours: vec![keys().us.clone()],
            theirs: vec![keys().them.certificate.clone()],
        };
        let profile = Profile::default();
        let mdn = Mdn::read(&headers, &answer.body, &known, &profile, chrono::Utc::now());
        let mdn = mdn.unwrap();
        assert!(mdn.answers(&sent.message.key.message_id));
        let mic = mdn.mic.map(|mic| mic.to_string());
        assert!(mic.is_some() && mic == sent.message.mic);
        said.push((mdn.disposition, mdn.signature, mdn.reporting_ua));
        let filter = Filter {
            direction: Some(Direction::Inbound),
            ..Filter::default()
        };
        let store = them.running.gateway.store();
        let came = store.messages(filter).await.unwrap();
        let id = &sent.message.key.message_id;
        let came = came.iter().find(|came| came.key.message_id == *id);
        assert_eq!(came.expect("it came").body, sent.message.body);
    }
    assert_eq!(said[0], said[1]);
    assert!(said[0].0.is_positive() && said[0].1.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_passes_on_the_certificate_of_a_client() {
    let Some(program) = nginx() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut plan = Plan::new().await.behind(&["127.0.0.1"]);
    plan.listeners.believed.certificate = Some("client-cert".into());
    let (inside, port) = (plan.url(), port());
    let edge = format!("https://127.0.0.1:{port}/edi/inbox");
    let pin = "[as2.connect]\nserver_certificates = [\"other.pem\"]\n";
    let showing = |name: &str| {
        format!("{pin}client = {{ p12 = \"{name}.p12\", password_file = \"password\" }}\n")
    };
    let us = Plan::new().await;
    let demand = "[as2.demand]\nclient_certificates = [\"us.pem\"]\n";
    let of_us = relation("them", "us", &us.url(), demand);
    let twins = ["right", "wrong", "bare"];
    let files = [&showing("us"), &showing("them"), &pin.to_owned()];
    let files = twins.iter().zip(files).map(|(name, more)| {
        let file = relation("us", "them", &edge, more);
        file.replacen("\"them\"", &format!("{name:?}"), 1)
    });
    let _them = plan.start(&keys().them, &[of_us]);
    let _nginx = Nginx::start(program, folder.path(), port, &inside);
    for file in files {
        let name = twins
            .iter()
            .find(|name| file.contains(&format!("{name:?}")))
            .unwrap();
        let us = Plan::new()
            .await
            .start(&keys().us, std::slice::from_ref(&file));
        match *name {
            "right" => drop(us.confirmed(name).await),
            _ => {
                let why = us.failed(name).await;
                assert!(why.contains("403"), "{name}: {why}");
            }
        }
    }
    // Who comes past nginx writes the header himself.
    let us = Plan::new().await;
    let past = relation("us", "them", &inside, "");
    let us = us.start(&keys().us, &[past]);
    let why = us.failed("them").await;
    assert!(why.contains("403"), "{why}");
}
