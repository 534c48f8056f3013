//! Two fresh installations exchange an order: the nine checks of that journey, by the real program
//! from empty folders, without another program and without a question.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::proxy::house::{ORDER, PASSWORD, keys, p12};

/// A free port, by asking for one and giving it back.
fn port() -> u16 {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    taken.local_addr().unwrap().port()
}

/// A firm with an empty folder.
struct Firm {
    id: &'static str,
    folder: TempDir,
    as2: u16,
    serving: Option<Child>,
    /// How many commands its people typed.
    typed: usize,
}

impl Drop for Firm {
    fn drop(&mut self) {
        if let Some(mut serving) = self.serving.take() {
            let _ = serving.kill();
            let _ = serving.wait();
        }
    }
}

impl Firm {
    fn new(id: &'static str) -> Firm {
        Firm {
            id,
            folder: tempfile::tempdir().unwrap(),
            as2: port(),
            serving: None,
            typed: 0,
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// In its folder, with no other program to be found and nobody to answer.
    fn command(&mut self, arguments: &[&str]) -> Command {
        self.typed += 1;
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
        command.args(arguments).current_dir(self.folder.path());
        command.env_clear().env("PATH", self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    fn run(&mut self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The same, which ends with 0: what it said.
    fn sound(&mut self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        let (out, talk) = (
            String::from_utf8(ended.stdout).unwrap(),
            String::from_utf8_lossy(&ended.stderr).into_owned(),
        );
        assert!(ended.status.success(), "{arguments:?}: {out}{talk}");
        out
    }

    /// Begins, on ports of its own.
    fn init(&mut self) -> String {
        let (as2, admin) = (format!("127.0.0.1:{}", self.as2), "127.0.0.1:0");
        let id = self.id;
        let more = ["--as2-listen", &as2, "--admin-listen", admin];
        self.sound(&[&["init", "--as2-id", id][..], &more].concat())
    }

    /// Takes the other's sheet, as it came by mail.
    fn add(&mut self, name: &str, sheet: &str, more: &[&str]) -> String {
        let file = format!("{name}.sheet");
        fs::write(self.path().join(&file), sheet).unwrap();
        self.sound(&[&["partner", "add", name, "--from", &file][..], more].concat())
    }

    fn serve(&mut self) {
        let mut command = self.command(&["serve", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("serve says where it listens");
        assert_eq!(said["as2"], format!("127.0.0.1:{}", self.as2));
        self.serving = Some(child);
    }

    fn kill(&mut self) {
        let mut serving = self.serving.take().unwrap();
        serving.kill().unwrap();
        serving.wait().unwrap();
    }

    /// The lines of JSON that a command prints, and its exit code.
    fn json(&mut self, arguments: &[&str]) -> (Vec<Value>, i32) {
        let ended = self.run(arguments);
        let out = String::from_utf8(ended.stdout).unwrap();
        let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
        (lines.collect(), ended.status.code().unwrap())
    }

    /// Our order, in its folder.
    fn order(&self) {
        fs::write(self.path().join("order.edi"), ORDER).unwrap();
    }
}

/// Two firms that know each other; neither serves yet.
fn pair() -> (Firm, Firm) {
    let (mut us, mut them) = (Firm::new("US"), Firm::new("THEM"));
    us.init();
    them.init();
    let (ours, theirs) = (
        us.sound(&["partner", "sheet"]),
        them.sound(&["partner", "sheet"]),
    );
    us.add("them", &theirs, &[]);
    them.add("us", &ours, &[]);
    us.order();
    (us, them)
}

#[test]
fn b1_two_fresh_installations_exchange_by_six_commands() {
    let (mut us, mut them) = pair();
    them.serve();
    us.serve();
    us.sound(&["partner", "test", "them"]);
    let said = us.sound(&["send", "them", "order.edi"]);
    assert!(said.contains("confirmed"), "{said}");
    assert!(
        us.typed <= 6 && them.typed <= 4,
        "{} and {}",
        us.typed,
        them.typed
    );
}

#[test]
fn b2_one_command_shows_two_gateways_that_talk() {
    let ended = Firm::new("US").run(&["demo"]);
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success() && said.contains("997"), "{said}");
}

#[test]
fn b3_peers_are_proven_in_ci() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("tests/interop/table.md"))
        .unwrap()
        .to_lowercase();
    for proven in [
        "bouncy castle",
        "pyas2lib",
        "openssl cms",
        "sha1",
        "sha512",
        "aes-128",
        "aes-256",
        "3des",
    ] {
        assert!(table.contains(proven), "{proven}");
    }
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    assert!(ci.contains("tests/interop/setup.sh") && ci.contains("nginx"));
}

#[test]
fn b4_both_sides_digest_the_same_bytes_and_say_so() {
    let (mut us, mut them) = pair();
    them.serve();
    let (stages, _) = us.json(&["partner", "test", "them", "--json"]);
    let last = stages.last().unwrap();
    assert_eq!(
        (&last["stage"], &last["verdict"]),
        (&"MIC".into(), &"ok".into()),
        "{stages:#?}"
    );
    let (sent, exit) = us.json(&["send", "them", "order.edi", "--json"]);
    assert_eq!(exit, 0, "{sent:#?}");
    let mic = &sent[0]["mic"];
    assert!(mic["ours"].is_string());
    assert_eq!(mic["ours"], mic["theirs"]);
}

#[test]
fn b5_a_refusal_names_its_cause() {
    let (mut us, mut them) = pair();
    // They have a certificate of somebody else for us.
    let pem = them.path().join("partners/us.pem");
    fs::write(&pem, keys().other.certificate.to_pem().unwrap()).unwrap();
    them.serve();
    let (stages, exit) = us.json(&["partner", "test", "them", "--json"]);
    let last = stages.last().unwrap();
    assert_eq!((exit, &last["stage"]), (3, &"AS2".into()), "{stages:#?}");
    let said = last["said"].as_str().unwrap();
    assert!(
        said.contains("decryption-failed"),
        "an encrypted message is no oracle: {said}"
    );
    let help = last["help"].as_str().unwrap();
    assert!(help.contains("another certificate of ours"), "{help}");
    // The fingerprint that they should have is told.
    let ours = us.sound(&["partner", "sheet", "--json"]);
    let ours: Value = serde_json::from_str(&ours).unwrap();
    let ours = ours["certificates"][0]["fingerprint"].as_str().unwrap();
    let ours = ours.replace(' ', "").to_lowercase();
    assert!(help.contains(&ours[..16]), "{help}");
}

#[test]
fn b6_a_side_that_is_killed_loses_nothing_and_has_nothing_twice() {
    let (mut us, mut them) = pair();
    them.serve();
    let (sent, exit) = us.json(&["send", "them", "order.edi", "--json"]);
    assert_eq!(exit, 0, "{sent:#?}");
    // At whatever step it is: the receipt said that the order is safe.
    them.kill();
    them.serve();
    let inbox = them.path().join("bridge/us/out");
    let files = || -> Vec<_> {
        let entries = fs::read_dir(&inbox).into_iter().flatten().flatten();
        let entries = entries.map(|entry| entry.path());
        entries
            .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
            .collect()
    };
    while files().is_empty() {
        let ended = them.serving.as_mut().unwrap().try_wait().unwrap();
        assert!(ended.is_none(), "serve ended");
        std::thread::yield_now();
    }
    them.kill();
    them.serve();
    let (stages, exit) = us.json(&["partner", "test", "them", "--json"]);
    assert_eq!(exit, 0, "{stages:#?}");
    assert_eq!(files().len(), 1, "the order, once");
    let text = fs::read_to_string(&files()[0]).unwrap();
    assert!(text.contains("4711"), "{text}");
}

#[test]
fn b7_tls_is_one_setting_and_its_certificate_is_in_the_sheet() {
    let (mut us, mut them) = (Firm::new("US"), Firm::new("THEM"));
    us.init();
    them.init();
    fs::write(them.path().join("tls.p12"), p12(&keys().them)).unwrap();
    fs::write(them.path().join("tls.password"), PASSWORD).unwrap();
    let file = them.path().join("transload.toml");
    let mut settings = fs::read_to_string(&file).unwrap();
    settings.push_str("\n[as2.tls]\np12 = \"tls.p12\"\npassword_file = \"tls.password\"\n");
    fs::write(&file, settings).unwrap();
    let theirs = them.sound(&["partner", "sheet"]);
    assert!(theirs.contains("https://"), "{theirs}");
    us.add("them", &theirs, &[]);
    let ours = us.sound(&["partner", "sheet"]);
    them.add("us", &ours, &[]);
    them.serve();
    let (stages, exit) = us.json(&["partner", "test", "them", "--json"]);
    let tls = stages.iter().find(|stage| stage["stage"] == "TLS").unwrap();
    assert_eq!((exit, &tls["verdict"]), (0, &"ok".into()), "{stages:#?}");
}

#[test]
fn b8_a_sheet_says_what_is_seen_through_a_reverse_proxy() {
    let mut us = Firm::new("US");
    let url = "https://edge.example/edi/inbox";
    us.sound(&["init", "--as2-id", "US", "--url", url]);
    let sheet = us.sound(&["partner", "sheet", "--json"]);
    let sheet: Value = serde_json::from_str(&sheet).unwrap();
    assert_eq!(sheet["url"], url);
    // Where nobody can know the address from outside, nothing is made up.
    let mut bare = Firm::new("BARE");
    bare.sound(&["init", "--as2-id", "BARE"]);
    let ended = bare.run(&["partner", "sheet"]);
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(2));
    assert!(said.contains("as2.url"), "{said}");
}

#[test]
fn b9_what_is_made_is_safe_and_anything_less_is_asked_for_by_name() {
    let (us, mut them) = pair();
    let text = fs::read_to_string(us.path().join("partners/them.toml")).unwrap();
    let made = transload::partner::parse(&text, "them.toml")
        .unwrap()
        .as2
        .unwrap();
    assert_eq!(made.sign, transload::partner::Sign::Sha256);
    assert_eq!(made.encrypt, transload::partner::Encrypt::Aes256Cbc);
    assert_eq!(made.receipt, transload::partner::Receipt::Signed);
    assert!(made.require_signed && made.require_encrypted && made.require_mic);
    assert!(made.legacy_until.is_none(), "no SHA-1, no 3DES");
    let weak = them
        .sound(&["partner", "sheet"])
        .replace("sha-256", "sha-1");
    fs::write(them.path().join("weak.sheet"), weak).unwrap();
    let ended = them.run(&["partner", "add", "weak", "--from", "weak.sheet"]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(!them.path().join("partners/weak.toml").exists());
    // Keys are for their owner alone.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for name in ["keys/US.p12", "keys/US.password"] {
            let mode = fs::metadata(us.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0, "{name}");
        }
    }
}

#[test]
fn what_is_there_already_stays_as_it_is() {
    let (mut us, mut them) = pair();
    let before = fs::read(us.path().join("keys/US.p12")).unwrap();
    let again = us.run(&["init", "--as2-id", "US"]);
    assert_eq!(again.status.code(), Some(4));
    assert_eq!(fs::read(us.path().join("keys/US.p12")).unwrap(), before);
    let sheet = them.sound(&["partner", "sheet"]);
    fs::write(us.path().join("again.sheet"), &sheet).unwrap();
    for name in ["them", "again"] {
        let ended = us.run(&["partner", "add", name, "--from", "again.sheet"]);
        assert!(
            !ended.status.success(),
            "{name}: the same names are one partner's"
        );
    }
    // A certificate that is not the one whose fingerprint stands there.
    let other = String::from_utf8(keys().other.certificate.to_pem().unwrap()).unwrap();
    let from = sheet.find("-----BEGIN").unwrap();
    let to = sheet.find("-----END CERTIFICATE-----").unwrap() + 25;
    let forged = format!("{}{}{}", &sheet[..from], other.trim_end(), &sheet[to..]);
    fs::write(us.path().join("forged.sheet"), forged).unwrap();
    let ended = us.run(&["partner", "add", "forged", "--from", "forged.sheet"]);
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(
        !ended.status.success() && said.contains("fingerprint"),
        "{said}"
    );
}

#[test]
fn a_sheet_that_is_added_says_what_it_said() {
    use transload::partner::sheet::Sheet;
    let (us, mut them) = pair();
    for arguments in [&["partner", "sheet"][..], &["partner", "sheet", "--json"]] {
        let text = them.sound(arguments);
        let sheet = Sheet::parse(&text, "them.sheet").unwrap();
        assert_eq!(Sheet::parse(&sheet.to_toml(), "again").unwrap(), sheet);
        let partners = transload::partner::load(&us.path().join("partners")).unwrap();
        let made = partners.get("them").unwrap();
        let (as2, x12) = (made.as2.as_ref().unwrap(), made.x12.as_ref().unwrap());
        assert_eq!(
            (&as2.id, &as2.url, &*as2.our_id),
            (&sheet.as2_id, &sheet.url, "US")
        );
        let theirs = sheet.x12.as_ref().unwrap();
        assert!(x12.theirs.is(&theirs.qualifier, &theirs.id) && x12.ours.is("ZZ", "US"));
        for (entry, one) in as2.certificates.iter().zip(&sheet.certificates) {
            let pem = fs::read_to_string(&entry.file).unwrap();
            assert_eq!(pem, one.pem);
        }
        assert_eq!(as2.certificates.len(), sheet.certificates.len());
    }
}

#[test]
fn a_preset_changes_the_settings_that_it_names_and_no_other() {
    use transload::partner::preset;
    let (mut us, mut them) = (Firm::new("US"), Firm::new("THEM"));
    us.init();
    them.init();
    let sheet = them.sound(&["partner", "sheet"]);
    us.add("them", &sheet, &[]);
    let read = |us: &Firm| -> toml::Table {
        let text = fs::read_to_string(us.path().join("partners/them.toml")).unwrap();
        transload::partner::parse(&text, "them.toml").unwrap();
        fs::remove_file(us.path().join("partners/them.toml")).unwrap();
        fs::remove_file(us.path().join("partners/them.pem")).unwrap();
        toml::from_str(&text).unwrap()
    };
    let plain = read(&us);
    let listed = us.sound(&["partner", "presets"]);
    for name in preset::names() {
        assert!(listed.contains(name), "{name}");
        let known = preset::named(name).unwrap().unwrap();
        let reasons = known.reasons.iter();
        let mut reasons: Vec<_> = reasons.filter_map(|one| one.setting.as_deref()).collect();
        reasons.sort_unstable();
        let mut settings: Vec<_> = known.as2.keys().map(String::as_str).collect();
        settings.sort_unstable();
        assert_eq!(reasons, settings, "{name}: each setting has its reason");
        us.add("them", &sheet, &["--preset", name]);
        let (with, mut want) = (read(&us), plain.clone());
        let as2 = want["as2"].as_table_mut().unwrap();
        as2.extend(known.as2.clone());
        assert_eq!(with, want, "{name}");
    }
    let ended = us.run(&["partner", "presets", "opneas2"]);
    assert!(String::from_utf8_lossy(&ended.stderr).contains("`openas2`"));
}

#[test]
fn a_partner_without_a_sheet_is_added_by_flags() {
    let (mut us, them) = pair();
    fs::remove_file(us.path().join("partners/them.toml")).unwrap();
    let pem = them.path().join("keys/THEM.pem");
    let said = us.sound(&[
        "partner",
        "add",
        "flags",
        "--as2-id",
        "THEM",
        "--url",
        "https://edi.example/as2",
        "--cert",
        pem.to_str().unwrap(),
    ]);
    assert!(said.contains("partner test flags"), "{said}");
    let mut ended = us.command(&["partner", "check"]);
    let mut child = ended.stdout(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
}
