//! `backup`, `restore` and `release`, as a person runs them beside a `serve`.

use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta};
use transload::as2::Identity;
use transload::backup::{Error, Lock, Opener, Sources, check, restore, take};
use transload::store::{Sqlite, Store};

use crate::houses::{Sync, both};

fn sample(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/x12/004010");
    root.join(name).to_string_lossy().into_owned()
}

/// A backup under way of a gateway that runs; a gateway from it elsewhere, which sends and delivers
/// nothing by itself, and goes on behind the numbers that were used since.
#[test]
fn a_gateway_goes_on_from_a_backup() {
    let (seller, buyer) = both(Sync);
    let running = (seller.start(None), buyer.start(None));
    seller.bound();
    buyer.bound();
    let order = sample("855/pass/accepted.edi");
    let send = ["send", "quillfeather", &order, "--json", "--wait", "60"];
    assert_eq!(seller.told(0, &send)[0]["state"], "confirmed");
    // What waits while the backup is taken: the other side is away.
    drop(running.1);
    let waiting = seller.told(
        3,
        &["send", "quillfeather", &order, "--json", "--wait", "0"],
    );
    let id = waiting[0]["id"].as_str().unwrap().to_owned();

    let (file, words) = (seller.path("now.backup"), seller.path("words"));
    fs::write(&words, "a passphrase of some length\n").unwrap();
    let (file, words) = (file.to_str().unwrap(), words.to_str().unwrap());
    let shut = ["--passphrase-file", words];
    let backup = [&["backup", file, "--with-keys", "--json"][..], &shut].concat();
    let taken = seller.told(0, &backup);
    assert_eq!(taken[0]["card"]["messages"], 2, "{taken:?}");
    let again = seller.run(&backup);
    assert_eq!(again.status.code(), Some(2), "nothing is written over");
    assert_eq!(
        seller.run(&["backup", "x"]).status.code(),
        Some(2),
        "it is shut, or not at all"
    );
    drop(running.0);

    let (into, bad) = (seller.path("elsewhere"), seller.path("bad"));
    let (there, bad) = (into.to_str().unwrap(), bad.to_str().unwrap());
    // By themselves: the settings of this folder have no part in it.
    let run = |code: i32, arguments: &[&str]| crate::cli::run(code, arguments);
    let restore = [&["restore", file, "--into", there][..], &shut].concat();
    let checked = [restore.as_slice(), &["--check", "--json"]].concat();
    assert!(run(0, &checked).0.contains("\"messages\":2"));
    fs::write(bad, "another\n").unwrap();
    let wrong = ["restore", file, "--into", there, "--passphrase-file", bad];
    assert!(run(2, &wrong).1.contains("does not open"));
    let bytes = fs::read(file).unwrap();
    for at in [3, 30, 300, bytes.len() / 2, bytes.len() - 1] {
        let mut turned = bytes.clone();
        turned[at] ^= 4;
        fs::write(bad, &turned).unwrap();
        let turned = ["restore", bad, "--into", there, shut[0], shut[1]];
        let ended = crate::cli::transload(&turned, b"");
        assert!(matches!(ended.status.code(), Some(2 | 4)), "byte {at}");
        assert!(
            !into.exists(),
            "nothing is written before all was read: byte {at}"
        );
    }
    let (out, _) = run(0, &restore);
    assert!(
        out.contains("1000 ahead") && out.contains("nobody knows what came after"),
        "{out}"
    );
    assert!(run(2, &restore).1.contains("is there already"));

    let settings = into.join("transload.toml");
    let settings = ["--config", settings.to_str().unwrap()];
    let queue = run(0, &[&["queue", "--json"][..], &settings].concat()).0;
    assert!(
        queue.contains("9999-12-31") && queue.contains(&id),
        "{queue}"
    );
    let one = run(0, &[&["message", &id, "--json"][..], &settings].concat()).0;
    assert!(
        one.contains("\"uncertain\"") && one.contains("held by a restore"),
        "{one}"
    );
    assert!(into.join("partners/quillfeather.toml").exists());
    let release = [
        &["release", "--all", "--reason", "asked", "--json"][..],
        &settings,
    ]
    .concat();
    assert_eq!(run(0, &release).0, "{\"released\":1}\n");
    let one = ["release", &id, "--reason", "asked"];
    assert!(
        run(2, &[&one[..], &settings].concat())
            .1
            .contains("nothing about")
    );
}

/// For the holder of a certificate's key, and for nobody else.
#[tokio::test]
async fn a_backup_is_shut_for_the_holder_of_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name);
    let at = DateTime::UNIX_EPOCH;
    let made = |serial| Identity::generate("office", serial, at, at + TimeDelta::days(1)).unwrap();
    let (office, other) = (made(1), made(2));
    let store = Sqlite::open(&inside("data")).unwrap();
    fs::create_dir_all(inside("mine/x12")).unwrap();
    fs::write(inside("mine/x12/850.toml"), "set = \"850\"").unwrap();
    let sources = Sources {
        data: inside("data"),
        settings: Some("data = \"data\"\n".into()),
        partners: inside("partners"),
        mappings: vec![inside("mine")],
        keys: None,
    };
    let lock = Lock::Certificate(Box::new(office.certificate.clone()));
    let file = inside("a.backup");
    let taken = take(&sources, &file, &lock, at).unwrap();
    assert_eq!(
        (taken.files, taken.card.keys),
        (4, false),
        "card, settings, guide, database"
    );
    assert!(matches!(
        take(&sources, &file, &lock, at),
        Err(Error::Taken(_))
    ));
    store.close().await.unwrap();

    let keys = |own: &Identity| Opener::Keys(vec![own.clone()]);
    assert!(matches!(check(&file, &keys(&other)), Err(Error::WrongKey)));
    let words = Opener::Passphrase(String::from("x").into());
    assert!(matches!(check(&file, &words), Err(Error::AsksKey(_))));
    let into = inside("into");
    fs::create_dir(&into).unwrap();
    let restored = restore(&file, &keys(&office), &into, 5, at).unwrap();
    assert_eq!(restored.card, taken.card);
    let guide = fs::read_to_string(into.join("mappings/0/x12/850.toml")).unwrap();
    assert_eq!(guide, "set = \"850\"");
    Sqlite::open(&into.join("data"))
        .unwrap()
        .close()
        .await
        .unwrap();
    let before = fs::read_dir(folder.path()).unwrap().count();
    assert!(matches!(
        restore(&file, &keys(&office), &into, 5, at),
        Err(Error::Taken(_))
    ));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        before,
        "nothing is left beside"
    );
}
