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
        let ask = |more: &[&str]| {
            let ended = run(&folder, &[&["amazon", "ask"], more].concat(), "");
            (ended.status.code(), said(&ended))
        };
        let known = ["erp", "getPurchaseOrdersStatus", "limit=2"];
        let (status, told) = ask(&known);
        assert_eq!(status, Some(0), "{told}");
        let answer: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert!(answer["payload"].is_object(), "{told}");
        // The marketplace of the account's site is meant.
        assert_eq!(ask(&["erp", "getInvoiceHeaders"]).0, Some(0));
        let list = ask(&[]).1;
        assert!(
            list.contains("vendorOrders.getPurchaseOrder purchaseOrderNumber=…")
                && !list.contains("submit"),
            "{list}"
        );
        for (wrong, why) in [
            (&["erp", "getPurchaseOrder"][..], "purchaseOrderNumber"),
            (
                &["erp", "getPurchaseOrders", "limi=2"],
                "did you mean limit?",
            ),
            (&["erp", "getPurchaseOrders", "limit"], "is no NAME=VALUE"),
            (&["erp", "submitInvoices"], "documents go by the gateway"),
            (&["erp", "getOrders"], "is one of"),
            (
                &["erp", "getPurchaseOrderz"],
                "did you mean getPurchaseOrder",
            ),
            (&["erb", "getPurchaseOrders"], "did you mean `erp`?"),
        ] {
            let (status, told) = ask(wrong);
            assert!(status == Some(2) && told.contains(why), "{wrong:?}: {told}");
        }
        assert_eq!(ask(&["erp", "GetShipmentDetails"]).0, Some(3));
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

#[test]
fn a_site_is_listed_copied_and_named_in_a_partner_file() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let sites = run(root, &["amazon", "site", "list"], "");
    let sites = String::from_utf8(sites.stdout).unwrap();
    assert!(
        sites.lines().count() >= 20 && sites.contains("ATVPDKIKX0DER"),
        "{sites}"
    );
    let copied = |site: &str, file: &str| {
        let ended = run(root, &["amazon", "site", "clone", site, file], "");
        (ended.status.code(), said(&ended))
    };
    assert_eq!(copied("us", "us-west.toml").0, Some(0));
    let (again, why) = copied("us", "us-west.toml");
    assert!(again == Some(2) && why.contains("there already"), "{why}");
    assert_eq!(copied("atlantis", "a.toml").0, Some(2));
    let (known, why) = copied("us", "de.toml");
    assert!(known == Some(2) && why.contains("another name"), "{why}");
    let site = root.join("us-west.toml");
    let text = std::fs::read_to_string(&site).unwrap();
    let changed = text.replace("cartons_need_sscc = true", "cartons_need_sscc = false");
    std::fs::write(&site, changed).unwrap();

    std::fs::create_dir(root.join("partners")).unwrap();
    let text = file(root, "http://127.0.0.1:9");
    let text = text.replace("site = \"us\"", "site = \"../us-west.toml\"");
    std::fs::write(root.join("partners/erp.toml"), text).unwrap();
    let partners = transload::partner::load(&root.join("partners")).unwrap();
    let agreed = partners.get("erp").unwrap().spapi.clone().unwrap();
    let account = transload::gateway::account("erp", &agreed).unwrap();
    assert_eq!(
        (account.site.name.as_str(), account.site.cartons_need_sscc),
        ("us-west", false)
    );
    assert_eq!(account.key(), "simulator/na/erp");
    std::fs::remove_file(&site).unwrap();
    let why = transload::gateway::account("erp", &agreed).unwrap_err();
    assert!(why.contains("us-west.toml"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_documents_request_is_copied_as_curl() {
    let world = World::start(true).await;
    world.server.set(|state| {
        state.orders = super::world::orders(super::world::start() - chrono::TimeDelta::hours(2), 1);
    });
    let minute = chrono::TimeDelta::minutes(1);
    let out = async || world.sent("850").len() == 1;
    world.until(minute, "the order went out", out).await;
    world.answer(1, "CNRY0000", 24);
    let taken = async || world.documents("855").await.len() == 1;
    world.until(minute, "the answer is there", taken).await;
    let id = world.documents("855").await[0].id;
    let kept = async || world.store().submission(id).await.unwrap().is_some();
    world.until(minute, "it is drawn up", kept).await;
    let root = world.folder.path();
    std::fs::create_dir(root.join("partners")).unwrap();
    std::fs::write(
        root.join("partners/erp.toml"),
        file(root, &world.server.url),
    )
    .unwrap();
    let (none, id) = (uuid::Uuid::nil().to_string(), id.to_string());
    let curl = |id: &str| run(root, &["amazon", "curl", id, "--data", "data"], "");
    let ended = curl(&id);
    let line = String::from_utf8(ended.stdout.clone()).unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert!(
        line.starts_with("curl -X POST 'http://127.0.0.1:"),
        "{line}"
    );
    assert!(
        line.contains("/vendor/orders/v1/acknowledgements") && line.contains("CNRY0000"),
        "{line}"
    );
    assert!(
        line.contains("x-amz-access-token: $TOKEN") && !line.contains(super::SECRET),
        "{line}"
    );
    assert_eq!(curl(&none).status.code(), Some(2));
    world.stop().await;
}
