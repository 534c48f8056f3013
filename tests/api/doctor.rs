//! `amazon connect` and `amazon doctor`, as a person runs them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::world::{World, file};

/// Runs the command with lines on its standard input.
fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
    let command = command.args(arguments).current_dir(folder);
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.stderr(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    let parts = [&output.stdout, &output.stderr];
    let text: String = parts
        .iter()
        .map(|part| String::from_utf8_lossy(part))
        .collect();
    for canary in [
        "canary-secret",
        "canary-refresh",
        "canary-token",
        super::CONTENT,
    ] {
        assert!(!text.contains(canary), "{canary} was printed: {text}");
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_connected_and_examined() {
    let world = World::start(false).await;
    let (folder, url) = (world.folder.path().to_path_buf(), world.server.url.clone());
    // The answers are of the server's clock, which stands elsewhere: the doctor is another process.
    world.server.set(|state| {
        state.any_token = true;
        state.denied = ["vendorShipments.GetShipmentDetails"].into();
    });
    let work = tokio::task::spawn_blocking(move || {
        let connect = |file: &str, more: &[&str], input: &str| {
            let base = [
                "amazon",
                "connect",
                file,
                "--application",
                "app-1",
                "--environment",
            ];
            let base = [&base[..], &["simulator", "--url", url.as_str()], more].concat();
            run(&folder, &base, input)
        };
        let lines = format!("{}\n{}\n", super::SECRET, super::REFRESH);
        let wrong = connect("no.credential", &[], "canary-secret-wrong\nx\n");
        assert_eq!(wrong.status.code(), Some(3), "{}", said(&wrong));
        assert!(!folder.join("no.credential").exists());
        let right = connect("new.credential", &[], &lines);
        assert_eq!(right.status.code(), Some(0), "{}", said(&right));
        assert!(said(&right).contains("ends in 180 days"));

        let partners = folder.join("partners");
        std::fs::create_dir_all(&partners).unwrap();
        let text = file(&folder, &url).replace("us.credential", "new.credential");
        std::fs::write(partners.join("erp.toml"), text).unwrap();
        let doctor = run(&folder, &["amazon", "doctor", "erp", "--curl"], "");
        let told = said(&doctor);
        assert_eq!(doctor.status.code(), Some(1), "{told}");
        assert!(told.contains("ok       token"), "{told}");
        assert!(told.contains("x-amz-access-token: $TOKEN"), "{told}");
        let denied = told
            .lines()
            .find(|line| line.starts_with("error    vendorShipments"));
        assert!(
            denied.is_some_and(|line| line.contains("access is denied")),
            "{told}"
        );
        let json = run(&folder, &["amazon", "doctor", "erp", "--json"], "");
        for line in said(&json).lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(
                row["verdict"].is_string() && row["about"].is_string(),
                "{row}"
            );
        }
        // A credential of one environment is refused by the others.
        let other = text_of(&folder).replace("simulator", "sandbox");
        std::fs::write(folder.join("new.credential"), other).unwrap();
        let refused = run(&folder, &["amazon", "doctor", "erp"], "");
        assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
        assert!(said(&refused).contains("each environment has its own credential"));
    });
    work.await.unwrap();
    world.stop().await;
}

fn text_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("new.credential")).unwrap()
}
