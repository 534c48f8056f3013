//! Completions, manual pages, help, and where settings come from.

use super::{put, run, run_in};

#[test]
fn completions_know_every_command() {
    for (shell, sign) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef transload"),
        ("fish", "complete -c transload"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let (script, _) = run(0, &["completions", shell]);
        assert!(script.contains(sign), "{shell}");
        for word in ["mappings", "sample", "partner", "bundle"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let (_, err) = run(2, &["completions", "bahs"]);
    assert!(err.contains("bash"), "{err}");
}

#[test]
fn there_is_a_page_for_each_command() {
    let (page, _) = run(0, &["man"]);
    assert!(page.contains(".TH transload 1"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), 0, &["man", "man1"]);
    for name in [
        "transload",
        "transload-check",
        "transload-mappings-show",
        "transload-partner-bundle-export",
    ] {
        let page = folder.path().join(format!("man1/{name}.1"));
        assert!(page.is_file(), "{name}");
    }
}

/// The commands below `path`, as its help lists them.
fn below(help: &str) -> Vec<String> {
    let list = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = list.lines().take_while(|line| !line.trim().is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn help_of_every_command_begins_with_examples() {
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let mut count = 0;
    while let Some(path) = open.pop() {
        let mut asked: Vec<&str> = path.iter().map(String::as_str).collect();
        asked.push("--help");
        let (help, _) = run(0, &asked);
        let (usage, examples, options) = (
            help.find("Usage:"),
            help.find("Examples:"),
            help.find("Options:"),
        );
        assert!(
            usage.is_some() && usage < examples && examples < options,
            "{path:?}\n{help}"
        );
        count += 1;
        open.extend(below(&help).into_iter().map(|name| {
            let mut path = path.clone();
            path.push(name);
            path
        }));
    }
    assert!(count > 25, "{count} commands");
}

#[test]
fn a_typing_error_gets_the_nearest_name() {
    let (_, err) = run(2, &["mapings", "show"]);
    assert!(err.contains("mappings"), "{err}");
    let (_, err) = run(2, &["mappings", "show", "850", "--htm"]);
    assert!(err.contains("--html"), "{err}");
}

#[test]
fn settings_say_where_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let (out, _) = run_in(folder.path(), 0, &["config", "show", "--origin"]);
    let line = |out: &str, name: &str| {
        let found = out
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        found
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line(&out, "as2.listen"), "as2.listen 0.0.0.0:4080 default");
    assert_eq!(line(&out, "identity.p12"), "identity.p12 - default");
    let file = "partners = \"agreements\"\n[as2]\nlisten = \"127.0.0.1:5080\"\n[limits]\nconnections = 9\n";
    put(folder.path(), &[("transload.toml", file)]);
    let (out, _) = run_in(
        folder.path(),
        0,
        &["config", "show", "--origin", "--data", "d"],
    );
    assert_eq!(
        line(&out, "as2.listen"),
        "as2.listen 127.0.0.1:5080 file transload.toml"
    );
    assert_eq!(
        line(&out, "limits.connections"),
        "limits.connections 9 file transload.toml"
    );
    assert_eq!(
        line(&out, "partners"),
        "partners agreements file transload.toml"
    );
    assert_eq!(line(&out, "data"), "data d flag --data");
    assert_eq!(
        line(&out, "admin.listen"),
        "admin.listen 127.0.0.1:4081 default"
    );
    let (json, _) = run_in(folder.path(), 0, &["config", "show", "--json"]);
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(first["origin"], "default");
    put(folder.path(), &[("transload.toml", "partnrs = \"x\"\n")]);
    let (_, err) = run_in(folder.path(), 4, &["config", "show"]);
    assert!(err.contains("partners"), "{err}");
}

#[test]
fn the_environment_goes_before_the_file() {
    let env = |name: &str| (name == "TRANSLOAD_DATA").then(|| "elsewhere".to_owned());
    let all =
        transload::config::Config::settings("data = \"x\"", "t.toml", &env, &|_| None).unwrap();
    let data = all.iter().find(|setting| setting.name == "data").unwrap();
    assert_eq!(data.value, "elsewhere");
    let origin = transload::config::Origin::Environment("TRANSLOAD_DATA".into());
    assert_eq!(data.origin, origin);
}
