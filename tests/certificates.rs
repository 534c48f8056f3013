//! Certificates from the first to the last day: the folder of keys, rolls, imports, lists,
//! warnings, and their exchange by messages.
#![allow(clippy::unwrap_used)]

mod acme;
mod exchange;
mod files;
mod list;

use std::path::Path;
use std::process::Command;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use transload::as2::Identity;

/// What a run of `transload` left behind: its exit code, stdout, and stderr.
struct Ran(i32, String, String);

impl Ran {
    #[track_caller]
    fn says(&self, code: i32, words: &[&str]) -> &Ran {
        let Ran(exit, out, err) = self;
        assert_eq!(*exit, code, "{out}{err}");
        for word in words {
            assert!(
                out.contains(word) || err.contains(word),
                "no {word:?} in {out}{err}"
            );
        }
        self
    }

    /// The JSON objects of stdout, one a line.
    fn json(&self) -> Vec<Value> {
        self.1
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Runs `transload ARGS` in a folder, whose settings it takes.
fn run(folder: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    command.args(args).current_dir(folder);
    for variable in [
        "TRANSLOAD_PARTNERS",
        "TRANSLOAD_KEYS",
        "TRANSLOAD_DATA",
        "TRANSLOAD_CONFIG",
    ] {
        command.env_remove(variable);
    }
    let ran = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran(
        ran.status.code().unwrap(),
        text(ran.stdout),
        text(ran.stderr),
    )
}

fn at(days: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::days(days) + TimeDelta::hours(1)
}

/// A key in the folder of keys, which ends in so many days; its fingerprint.
fn key(folder: &Path, name: &str, (from, until): (i64, i64), card: &str) -> String {
    let keys = folder.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    let serial = name
        .bytes()
        .fold(7, |sum: u64, byte| sum * 31 + u64::from(byte))
        >> 1;
    let made = Identity::generate(name, serial, at(from), at(until)).unwrap();
    let put = |kind: &str, bytes: &[u8]| {
        let path = keys.join(format!("{name}.{kind}"));
        std::fs::write(&path, bytes).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    };
    if !card.is_empty() {
        put("toml", card.as_bytes());
    }
    put("password", b"secret\n");
    put("pem", &made.certificate.to_pem().unwrap());
    put("p12", &made.to_pkcs12(name, "secret").unwrap());
    made.certificate.fingerprint().to_owned()
}

/// A partner's file with a certificate that ends in so many days; the certificate's fingerprint.
fn partner(folder: &Path, name: &str, until: i64) -> String {
    let partners = folder.join("partners");
    std::fs::create_dir_all(&partners).unwrap();
    let made = Identity::generate(name, 3, at(-2), at(until)).unwrap();
    std::fs::write(
        partners.join(format!("{name}.pem")),
        made.certificate.to_pem().unwrap(),
    )
    .unwrap();
    let text = format!(
        "name = {name:?}\n[as2]\nid = {name:?}\nour_id = \"US\"\nurl = \"https://{name}.example/as2\"\n\
         certificates = [\"{name}.pem\"]\n"
    );
    std::fs::write(partners.join(format!("{name}.toml")), text).unwrap();
    made.certificate.fingerprint().to_owned()
}
