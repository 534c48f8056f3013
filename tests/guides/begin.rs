//! `mappings new`, `check` and `schema`: guides of one's own.

use std::path::Path;

use serde_json::Value;
use transload::mapping::Library;

use super::{put, run, run_in};

#[test]
fn new_guides_compile_at_once_and_so_do_their_examples() {
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = run_in(
        folder.path(),
        0,
        &["mappings", "new", "acme", "--like", "amazon"],
    );
    assert!(out.contains("mappings/partners/acme/850.toml"), "{out}");
    assert!(
        err.contains("mappings show 753 --partner acme --mappings mappings"),
        "{err}"
    );
    run_in(folder.path(), 0, &["mappings", "check", "mappings"]);
    let path = folder.path().join("mappings/partners/acme/850.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("#:schema ../../schema/guide.json\n"),
        "{text}"
    );
    assert!(folder.path().join("mappings/schema/guide.json").is_file());
    assert!(text.contains("base = \"partners/amazon/850\""), "{text}");
    // It says nothing yet.
    let same = [
        "mappings",
        "diff",
        "850",
        "--partner",
        "acme",
        "--mappings",
        "mappings",
    ];
    run_in(folder.path(), 0, &same);
    // What it teaches is true: with the `#` gone it is a sound guide that says something else.
    let taught: String = text
        .lines()
        .map(|line| line.replacen("#   ", "", 1) + "\n")
        .collect();
    assert!(
        taught.contains("usage = \"N\"") && taught.contains("ext.promotion"),
        "{taught}"
    );
    std::fs::write(&path, taught).unwrap();
    run_in(folder.path(), 0, &["mappings", "check", "mappings"]);
    run_in(folder.path(), 1, &same);
}

#[test]
fn every_guide_can_be_begun_from_and_its_examples_are_sound() {
    let folder = tempfile::tempdir().unwrap();
    for release in ["004010", "005010"] {
        let dir = folder.path().join(release);
        let sets: Vec<String> = Library::embedded()
            .names()
            .iter()
            .filter_map(|name| {
                name.strip_prefix(&format!("x12/{release}/"))
                    .map(str::to_owned)
            })
            .collect();
        let mut asked = vec!["mappings", "new", "acme", "--version", release];
        asked.extend(["--dir", dir.to_str().unwrap()]);
        asked.extend(sets.iter().flat_map(|set| ["--set", set]));
        run(0, &asked);
        for set in &sets {
            let path = dir.join(format!("partners/acme/{set}.toml"));
            let text = std::fs::read_to_string(&path).unwrap();
            let taught: String = text
                .lines()
                .map(|l| l.replacen("#   ", "", 1) + "\n")
                .collect();
            std::fs::write(&path, taught).unwrap();
        }
        run(0, &["mappings", "check", dir.to_str().unwrap()]);
    }
}

#[test]
fn nothing_is_overwritten_and_names_stay_in_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mine = "base = \"x12/004010/850\"\n# mine\n";
    put(folder.path(), &[("mappings/partners/acme/850.toml", mine)]);
    let (_, err) = run_in(folder.path(), 2, &["mappings", "new", "acme"]);
    assert!(err.contains("acme/850.toml: there already"), "{err}");
    let there = folder.path().join("mappings/partners/acme");
    assert_eq!(
        std::fs::read_to_string(there.join("850.toml")).unwrap(),
        mine
    );
    assert!(!there.join("810.toml").exists(), "all or nothing");
    run_in(
        folder.path(),
        0,
        &["mappings", "new", "acme", "--set", "810"],
    );
    for bad in ["../acme", "a/b", ".hidden", ""] {
        run_in(folder.path(), 2, &["mappings", "new", bad]);
    }
    let (_, err) = run_in(
        folder.path(),
        2,
        &["mappings", "new", "b", "--like", "amazn"],
    );
    assert!(err.contains("did you mean \"amazon\"?"), "{err}");
}

#[test]
fn check_tells_every_error_of_every_file_in_one_pass() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        &[
            (
                "partners/one/850.toml",
                "base = \"x12/004010/850\"\n[heading.BEG\nusage = \"M\"\n",
            ),
            (
                "partners/two/850.toml",
                "base = \"x12/004010/850\"\n[heading.BEG]\nusge = \"M\"\nBEG03 = { as = \"nmber\" }\n",
            ),
            ("partners/two/810.toml", "base = \"x12/004010/81\"\n"),
            (
                "partners/three/850.toml",
                "base = \"x12/004010/850\"\n[heading.BEG]\nBEG02 = { codes = \"ours\" }\n",
            ),
            ("codes/ours.toml", "AA = \"word\"\nBB = \"word\"\n"),
            ("codes/unused.toml", "AA = = \"word\"\n"),
        ],
    );
    let (out, err) = run(1, &["mappings", "check", folder.path().to_str().unwrap()]);
    for place in [
        "partners/one/850.toml:2:",
        "partners/two/850.toml:3:1: ",
        "did you mean \"usage\"?",
        "partners/two/850.toml:4:",
        "did you mean \"number\"?",
        "partners/two/810.toml:1:",
        "did you mean \"x12/004010/810\"?",
        "codes/ours.toml:2:1: \"word\" is AA already",
        "codes/unused.toml:1:",
    ] {
        assert!(out.contains(place), "{place} in\n{out}");
    }
    // What is broken in itself is told once.
    assert_eq!(out.matches("codes/ours.toml:2:1").count(), 1, "{out}");
    assert!(
        !out.contains("ok     x12/"),
        "only what is one's own: {out}"
    );
    assert!(err.contains("broken"), "{err}");
}

/// Whether a value meets a schema, for the words that ours uses; what is wrong, with its place.
fn meets(schema: &Value, root: &Value, value: &Value, place: &str) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap();
        return meets(target, root, value, place);
    }
    let known = [
        "$schema",
        "title",
        "description",
        "type",
        "additionalProperties",
        "properties",
        "patternProperties",
        "$defs",
        "enum",
        "anyOf",
        "items",
        "minimum",
        "required",
    ];
    for word in schema.as_object().unwrap().keys() {
        assert!(
            known.contains(&word.as_str()),
            "the test does not know {word}"
        );
    }
    if let Some(all) = schema["enum"].as_array() {
        return all
            .contains(value)
            .then_some(())
            .ok_or(format!("{place}: {value} is none of {all:?}"));
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let one = any
            .iter()
            .any(|schema| meets(schema, root, value, place).is_ok());
        return one.then_some(()).ok_or(format!("{place}: {value}"));
    }
    let right = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() && value.as_i64() >= schema["minimum"].as_i64(),
        Some("array") => value.as_array().is_some_and(|all| {
            all.iter()
                .all(|item| meets(&schema["items"], root, item, place).is_ok())
        }),
        Some("object") => value.is_object(),
        other => panic!("{other:?}"),
    };
    if !right {
        return Err(format!("{place}: {value}"));
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        let place = format!("{place}.{key}");
        let own = schema["properties"].get(key);
        let patterns = schema["patternProperties"]
            .as_object()
            .into_iter()
            .flatten();
        let mut patterns = patterns.filter(|(pattern, _)| fits(pattern, key));
        let others = schema.get("additionalProperties").filter(|s| s.is_object());
        let patterned = || patterns.next().map(|(_, schema)| schema);
        let Some(schema) = own.or_else(patterned).or(others) else {
            return Err(format!("{place} is not known"));
        };
        meets(schema, root, value, &place)?;
    }
    for due in schema["required"].as_array().into_iter().flatten() {
        let there = value.get(due.as_str().unwrap()).is_some();
        there.then_some(()).ok_or(format!("{place} lacks {due}"))?;
    }
    Ok(())
}

/// The two patterns of keys, in code.
fn fits(pattern: &str, key: &str) -> bool {
    let (tag, rest) = key
        .split_once('-')
        .map_or((key, None), |(tag, rest)| (tag, Some(rest)));
    let upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let is_tag = |tag: &str| {
        (2..=3).contains(&tag.len())
            && tag.as_bytes()[0].is_ascii_uppercase()
            && tag.bytes().all(upper)
    };
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    match pattern {
        "^[A-Z][A-Z0-9]{1,2}(-.+)?$" => is_tag(tag) && rest != Some(""),
        "^[A-Z][A-Z0-9]{1,2}[0-9]{2}(-[0-9]{1,2})?$" => {
            let cut = tag.len().saturating_sub(2);
            tag.is_char_boundary(cut)
                && is_tag(&tag[..cut])
                && digits(&tag[cut..], 2)
                && rest.is_none_or(|rest| digits(rest, 2))
        }
        other => panic!("the test does not know the pattern {other}"),
    }
}

#[test]
fn the_schema_is_published_and_every_guide_meets_it() {
    let (schema, _) = run(0, &["mappings", "schema"]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let path = folder.join("schema/guide.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        published, schema,
        "mappings/schema/guide.json is out of date: run with UPDATE=1"
    );
    let schema: Value = serde_json::from_str(&schema).unwrap();
    // No word of the compiler is missing: an unknown one has the schema `false`.
    assert!(!schema.to_string().contains("false,\"") || !schema.to_string().contains(":false}"));
    let library = Library::embedded();
    let mut count = 0;
    for name in library.names() {
        let text = library.text(&format!("{name}.toml")).unwrap();
        let guide = toml::from_str::<Value>(text).unwrap();
        meets(&schema, &schema, &guide, &name).unwrap();
        count += 1;
    }
    assert!(count > 20, "{count}");
    let wrong = [
        (
            "[heading.BEG]\nusge = \"M\"",
            "heading.BEG.usge is not known",
        ),
        ("[heading.BEG]\nusage = \"Z\"", "heading.BEG.usage"),
        ("[heading.BEG]\npos = \"20\"", "heading.BEG.pos"),
        ("[heading.BEG]\nBEG3 = {}", "heading.BEG.BEG3 is not known"),
        ("[header.BEG]\npos = 1", "header is not known"),
        (
            "[detail.PO1]\nPO106 = { run = { n = 1 } }",
            "lacks \"width\"",
        ),
    ];
    for (text, place) in wrong {
        let guide = toml::from_str::<Value>(text).unwrap();
        let error = meets(&schema, &schema, &guide, "").unwrap_err();
        assert!(error.contains(place), "{place} in {error}");
    }
}
