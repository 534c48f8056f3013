//! `docs/reliability.md` names the tests that would show its promises to be false; each of them exists.

use std::collections::BTreeSet;
use std::path::Path;

use crate::faults::tests;

fn text(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join(file)).unwrap()
}

/// The promises: each from its number to the next one, or to the next head.
fn promises(text: &str) -> Vec<&str> {
    let all = text.split("\n**").skip(1);
    let own = all.map(|promise| promise.split("\n## ").next().unwrap_or_default());
    own.filter(|promise| promise.starts_with(|c: char| c.is_ascii_digit()))
        .collect()
}

/// What stands in backticks and looks like the name of a test.
fn named(promise: &str) -> BTreeSet<&str> {
    let quoted = promise.split('`').skip(1).step_by(2);
    quoted
        .filter(|name| name.contains("::") && !name.contains(' '))
        .collect()
}

#[test]
fn each_promise_has_tests_that_exist() {
    let (text, known) = (text("docs/reliability.md"), tests());
    let promises = promises(&text);
    assert_eq!(promises.len(), 12);
    // The last is about people.
    for (n, promise) in promises[..11].iter().enumerate() {
        assert!(promise.starts_with(&format!("{}. ", n + 1)), "{promise}");
        let named = named(promise);
        assert!(!named.is_empty(), "promise {} names no test", n + 1);
        for name in named {
            assert!(
                known.contains(name),
                "promise {}: there is no test {name}",
                n + 1
            );
        }
    }
    assert!(text.contains("## What is not promised"));
}

/// What is promised about reports stands in both places.
#[test]
fn the_process_is_the_one_that_is_promised() {
    let (promises, process) = (text("docs/reliability.md"), text("SECURITY.md"));
    for word in ["24 hours", "90 days", "wo release lines"] {
        assert!(promises.contains(word) && process.contains(word), "{word}");
    }
}
