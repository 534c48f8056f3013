//! F14: requests that a proxy in front of us and we could read in two ways.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use transload::store::Direction;

use super::figure;
use super::http::framed;
use crate::conformance::wire::{Request, Us, ask, fresh, swap};

/// An nginx in front of a gateway, until it is dropped.
struct Nginx {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nginx {
    /// None where there is no such program.
    fn before(us: &Us) -> Option<Nginx> {
        let there = |name: &&str| {
            let asked = Command::new(name).arg("-v").stderr(Stdio::null()).status();
            asked.is_ok_and(|status| status.success())
        };
        let Some(program) = ["nginx", "/usr/sbin/nginx"].into_iter().find(there) else {
            assert!(std::env::var_os("CI").is_none(), "CI has nginx");
            say!("skipped: no nginx");
            return None;
        };
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let folder = tempfile::tempdir().unwrap();
        let (root, to) = (folder.path().display(), us.address());
        // One connection to us for all who come: what is left on it would be the next one's.
        let settings = format!(
            "daemon off; master_process off; pid {root}/pid; error_log {root}/errors;\n\
             events {{}}\nhttp {{ access_log off; client_body_temp_path {root}/b;\n\
             proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u;\n\
             scgi_temp_path {root}/s; upstream us {{ server {to}; keepalive 1; }}\n\
             keepalive_timeout 0; lingering_time 1s; lingering_timeout 100ms;\n\
             server {{ listen 127.0.0.1:{port}; underscores_in_headers on;\n\
             ignore_invalid_headers off; location / {{ proxy_pass http://us;\n\
             proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_request_buffering off; }} }} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, settings).unwrap();
        let child = Command::new(program)
            .arg("-e")
            .arg(folder.path().join("errors"))
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut nginx = Nginx {
            child,
            port,
            _folder: folder,
        };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(nginx.child.try_wait().unwrap().is_none(), "nginx ended");
            std::thread::yield_now();
        }
        Some(nginx)
    }
}

#[test]
fn f14_one_request_is_one_request_behind_nginx() {
    let us = Us::lax();
    let Some(nginx) = Nginx::before(&us) else {
        return;
    };
    let ends = "0\r\n\r\n";
    let framings = [
        (
            "Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n",
            ends,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: {n}\r\n",
            ends,
        ),
        ("Content-Length: 0\r\nContent-Length: {n}\r\n", ""),
        ("Content-Length: {n}\r\nContent-Length: 0\r\n", ""),
        ("Content-Length: +{n}\r\n", ""),
        ("Content-Length: 0{n}\r\n", ""),
        ("Content-Length: {n} \r\n", ""),
        ("Content-Length:\t{n}\r\n", ""),
        ("Content-Length: 0\r\nContent_Length: {n}\r\n", ""),
        (
            "Transfer-Encoding: xchunked\r\nContent-Length: {n}\r\n",
            ends,
        ),
        (
            "Transfer-Encoding : chunked\r\nContent-Length: {n}\r\n",
            ends,
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\nContent-Length: {n}\r\n",
            ends,
        ),
        (
            "Transfer-Encoding:\r\n chunked\r\nContent-Length: {n}\r\n",
            ends,
        ),
        (
            "X: y\nTransfer-Encoding: chunked\r\nContent-Length: {n}\r\n",
            ends,
        ),
        ("Transfer-Encoding: CHUNKED\r\n", ends),
        ("Transfer-Encoding: chunked\r\n", "0\r\nX: y\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "0;a=b\r\n\r\n"),
        ("Expect: 100-continue\r\nContent-Length: {n}\r\n", ""),
        ("", ""),
    ];
    let (mut asked, mut answered) = (0, 0);
    for (framing, before) in framings {
        for method in ["POST", "GET", "PUT"] {
            let smuggled = Request::plain(b"evil").bytes();
            let body = [before.as_bytes(), &smuggled].concat();
            let framing = framing.replace("{n}", &body.len().to_string());
            let first = swap(&framed(&framing, &body), b"Connection: close\r\n", b"");
            let first = swap(&first, b"POST", method.as_bytes());
            let earlier = us.messages(Direction::Inbound).len();
            let replies = ask(([127, 0, 0, 1], nginx.port).into(), &[&first]);
            // Another one comes by the same connection of nginx's: nothing may be left on it.
            let id = fresh();
            let next = Request::plain(b"next").set("Message-ID", &id);
            let mut own = ask(([127, 0, 0, 1], nginx.port).into(), &[&next.bytes()]);
            let own = own.pop().expect("an answer");
            assert!(
                own.status == 200 && own.mdn().answers(&id),
                "{framing:?}: another's answer"
            );
            let taken = us.messages(Direction::Inbound).len() - earlier - 1;
            let good = replies
                .iter()
                .filter(|one| one.status == 200 && !one.body.is_empty());
            assert!(
                taken <= good.count(),
                "{method} {framing:?}: {taken} taken, {replies:?}"
            );
            asked += 1;
            answered += taken;
        }
    }
    let told = format!(
        "{asked} ambiguous requests: {answered} messages taken, each one answered by nginx as one; the next request got its own answer"
    );
    figure("F14", asked as u64, 0, &told);
}
