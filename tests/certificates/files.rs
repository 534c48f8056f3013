//! The folder of keys: what is refused, what is warned of, and which key is used when.

use transload::partner::keyring::{Use, accepted, in_force};
use transload::partner::keys;

use super::{at, key};

#[test]
fn cards_say_what_is_used_when() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    key(folder, "old", (-100, 100), "");
    let from = at(10).to_rfc3339();
    key(
        folder,
        "new",
        (-1, 400),
        &format!("from = \"{from}\"\nuses = [\"sign\"]\n"),
    );
    let read = keys::load(&folder.join("keys")).unwrap();
    assert_eq!(read.warnings, [""; 0]);
    let list: Vec<_> = read.ours.iter().map(|own| own.dated.clone()).collect();
    let signs = |days| {
        let first = in_force(&list, Use::Sign, at(days)).into_iter().next();
        first.map(|own| own.item.certificate.subject())
    };
    assert_eq!(signs(9).as_deref(), Some("CN=old"));
    assert_eq!(signs(11).as_deref(), Some("CN=new"));
    assert_eq!(signs(401), None);
    assert_eq!(accepted(&list, Use::Decrypt, at(11)).len(), 1);
    assert_eq!(accepted(&list, Use::Decrypt, at(101)).len(), 0);
}

#[test]
fn a_key_in_clear_or_without_a_password_is_refused() {
    let wrong = |name: &str, bytes: &str, want: &str| {
        let folder = tempfile::tempdir().unwrap();
        key(folder.path(), "us", (-1, 100), "");
        let keys = folder.path().join("keys");
        std::fs::write(keys.join(name), bytes).unwrap();
        let why = keys::load(&keys).err().unwrap().to_string();
        assert!(why.contains(want), "{why}");
    };
    wrong("us.key", "-----BEGIN RSA PRIVATE KEY-----\n", "in clear");
    wrong("other.pem", "x\n-----BEGIN PRIVATE KEY-----\n", "in clear");
    wrong("us.password", "\n", "in clear");
    wrong("us.password", "other\n", "does not open");
    wrong("us.toml", "use = [\"sign\"]\n", "unknown field");
    // What openssl encrypted is not in clear.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a.key"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
    )
    .unwrap();
    assert!(keys::load(folder.path()).is_ok());
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_and_keys_for_everything_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    key(
        folder.path(),
        "us",
        (-1, 100),
        "uses = [\"sign\", \"tls\"]\n",
    );
    let keys = folder.path().join("keys");
    let open = |name: &str| {
        let path = keys.join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    };
    open("us.password");
    open("us.p12");
    let warnings = keys::load(&keys).unwrap().warnings;
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(
        warnings
            .iter()
            .filter(|one| one.contains("chmod 600"))
            .count()
            == 2
    );
    assert!(
        warnings.iter().any(|one| one.contains("TLS")),
        "{warnings:?}"
    );
}
