//! Guides and partner files that change while `serve` runs.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use super::put;

const PARTNER: &str = r#"
name = "acme"
[x12]
ours = { qualifier = "ZZ", id = "RECEIVER" }
theirs = { qualifier = "ZZ", id = "SENDER" }
acknowledge = false
[folder]
inbox = "acme-in"
outbox = "acme-out"
[documents.850]
guide = "acme"
"#;

const PLAIN: &str = "base = \"x12/004010/850\"\n";
const NAMED: &str = "base = \"x12/004010/850\"\n[heading.REF-4N]\npos = 50\nwhen = { REF01 = \"4N\" }\nREF02 = { as = \"ext.promotion\" }\n";

/// A gateway in a process of its own, with its log.
struct Serving {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Serving {
    fn start(folder: &Path) -> Serving {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
        command.args([
            "serve",
            "--as2-listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ]);
        command
            .current_dir(folder)
            .env("TRANSLOAD_MAPPINGS", "mappings");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut serving = Serving { child, log };
        serving.until("partners post to");
        serving
    }

    /// Reads the log up to a line with these words, and gives all of it.
    #[track_caller]
    fn until(&mut self, words: &str) -> String {
        let mut all = String::new();
        loop {
            let from = all.len();
            let read = self.log.read_line(&mut all).unwrap();
            assert!(read > 0, "the gateway ended before {words:?}:\n{all}");
            if all[from..].contains(words) {
                return all;
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An order with a promotion code, as the partner puts it into the folder.
fn order(number: u32) -> String {
    format!(
        "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260302*0915*U*00401*{number:09}*0*T*>~\
         GS*PO*SENDER*RECEIVER*20260302*0915*{number}*X*004010~ST*850*0001~BEG*00*SA*PO-{number}**20260302~\
         REF*4N*SPRING~PO1*1*10*EA*12.50**VN*TK-1~CTT*1~SE*6*0001~GE*1*{number}~IEA*1*{number:09}~"
    )
}

/// The canonical documents that the bridge was given, by their file names.
fn delivered(folder: &Path, number: u32) -> String {
    let out = std::fs::read_dir(folder.join("bridge/acme/out")).unwrap();
    let name = format!("PO-{number}-");
    let mut paths = out.map(|entry| entry.unwrap().path());
    let path = paths
        .find(|path| path.to_string_lossy().contains(&name))
        .unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_changed_overlay_is_checked_compared_and_taken_over_while_serve_runs() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    put(
        at,
        &[
            ("partners/acme.toml", PARTNER),
            ("mappings/partners/acme/850.toml", PLAIN),
        ],
    );
    let mut serving = Serving::start(at);
    put(at, &[("partners/acme-in/1.edi", &order(1))]);
    serving.until("delivered");
    assert!(
        !delivered(at, 1).contains("\"promotion\""),
        "no place for it yet"
    );

    put(at, &[("mappings/partners/acme/850.toml", NAMED)]);
    let log = serving.until("are in use");
    assert!(
        log.contains("a guide is changed") && log.contains("heading.REF-4N"),
        "{log}"
    );
    assert!(log.contains("as ext.promotion"), "{log}");
    put(at, &[("partners/acme-in/2.edi", &order(2))]);
    serving.until("delivered");
    assert!(
        delivered(at, 2).contains("\"promotion\":\"SPRING\""),
        "{}",
        delivered(at, 2)
    );

    // A broken one is told with its place, and changes nothing.
    put(
        at,
        &[(
            "mappings/partners/acme/850.toml",
            "base = \"x12/004010/850\"\n[heading.REF-4N\n",
        )],
    );
    put(
        at,
        &[(
            "partners/other.toml",
            "name = \"other\"\n[as2]\nurll = \"x\"\n",
        )],
    );
    let log = serving.until("stays in use");
    assert!(
        log.contains("partners/other.toml") || log.contains("other.toml"),
        "{log}"
    );
    std::fs::remove_file(at.join("partners/other.toml")).unwrap();
    let log = serving.until("stays in use");
    assert!(log.contains("partners/acme/850.toml:2:"), "{log}");
    put(at, &[("partners/acme-in/3.edi", &order(3))]);
    serving.until("delivered");
    assert!(delivered(at, 3).contains("\"promotion\":\"SPRING\""));

    // Made sound again, with a new partner beside it, both are taken.
    let beta = PARTNER
        .replace("acme", "beta")
        .replace("SENDER", "BETA")
        .replace("guide = \"beta\"", "");
    put(
        at,
        &[
            ("mappings/partners/acme/850.toml", PLAIN),
            ("partners/beta.toml", &beta),
        ],
    );
    let log = serving.until("are in use");
    assert!(
        log.contains("a partner is new") && log.contains("beta"),
        "{log}"
    );
    put(
        at,
        &[(
            "partners/beta-in/4.edi",
            &order(4)
                .replace("SENDER         ", "BETA           ")
                .replace("SENDER", "BETA"),
        )],
    );
    serving.until("delivered");
    assert!(at.join("bridge/beta/out").is_dir());
}
