//! As much of Rust's grammar as the rules need: words and signs with their lines, without
//! comments, strings and characters.

/// A word, a number, `::`, or one sign. A string or character stands as `"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Token<'a> {
    pub(crate) line: usize,
    pub(crate) text: &'a str,
}

/// A function: its name, the line of its `fn`, and how many lines it has from there to its brace.
#[derive(Debug, PartialEq)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let (length, kept) = next(rest);
        if let Some(kept) = kept {
            tokens.push(Token { line, text: kept });
        }
        line += rest[..length].matches('\n').count();
        at += length;
    }
    tokens
}

/// How long the next thing is, and what of it is kept.
fn next(rest: &str) -> (usize, Option<&str>) {
    let word = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    let literal = ["", "r", "b", "br", "c", "cr"].contains(&&rest[..word]);
    if literal && let Some(length) = string(&rest[word..], rest[..word].contains('r')) {
        return (word + length, Some("\""));
    }
    if word > 0 {
        return (word, Some(&rest[..word]));
    }
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), None);
    }
    if rest.starts_with('\'') {
        return character(rest).map_or((1, None), |length| (length, Some("\"")));
    }
    if rest.starts_with("::") {
        return (2, Some("::"));
    }
    let sign = rest.chars().next().map_or(1, char::len_utf8);
    (
        sign,
        Some(&rest[..sign]).filter(|sign| !sign.trim().is_empty()),
    )
}

fn string(rest: &str, raw: bool) -> Option<usize> {
    let hashes = if raw {
        rest.len() - rest.trim_start_matches('#').len()
    } else {
        0
    };
    if !rest[hashes..].starts_with('"') {
        return None;
    }
    let start = hashes + 1;
    if raw {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(
            rest[start..]
                .find(&end)
                .map_or(rest.len(), |at| start + at + end.len()),
        );
    }
    let mut escaped = false;
    for (at, c) in rest[start..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(start + at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

/// The length of `'x'` or `'\x'`; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let mut inside = rest[1..].char_indices();
    let (_, first) = inside.next()?;
    if first == '\\' {
        inside.next()?;
        return rest[3..].find('\'').map(|at| 3 + at + 1);
    }
    inside
        .next()
        .filter(|&(_, c)| c == '\'')
        .map(|(at, _)| 1 + at + 1)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The same without items under `#[cfg(test)]`: a test may use what its room may not.
pub(crate) fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if starts(&tokens[at..], TEST) {
            at = item_end(tokens, at + TEST.len());
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// How an item for tests alone begins.
pub(crate) const TEST: &[&str] = &["#", "[", "cfg", "(", "test", ")", "]"];

pub(crate) fn starts(tokens: &[Token<'_>], words: &[&str]) -> bool {
    tokens.len() >= words.len()
        && tokens
            .iter()
            .zip(words)
            .all(|(token, word)| token.text == *word)
}

/// Past the `;` or the closing brace of the item that starts at `at`.
fn item_end(tokens: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" {
                    return index + 1;
                }
            }
            ";" if depth == 0 => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

pub(crate) fn functions<'a>(tokens: &[Token<'a>]) -> Vec<Function<'a>> {
    let mut functions = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let named = pair[1]
            .text
            .starts_with(|c: char| c.is_alphabetic() || c == '_');
        if pair[0].text == "fn" && named {
            let line = pair[0].line;
            let last = tokens[item_end(tokens, at) - 1].line;
            functions.push(Function {
                name: pair[1].text,
                line,
                lines: last - line + 1,
            });
        }
    }
    functions
}

/// The names that stand right after `root::`, also in a group: `root::{a, b::c}` gives a and b.
pub(crate) fn named_under<'a>(tokens: &[Token<'a>], root: &[&str]) -> Vec<Token<'a>> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if !starts(&tokens[at..], root) || (at > 0 && tokens[at - 1].text == "::") {
            continue;
        }
        let after = &tokens[at + root.len()..];
        if !starts(after, &["::", "{"]) {
            found.extend(after.get(1).filter(|_| starts(after, &["::"])));
            continue;
        }
        let mut depth = 0_usize;
        for pair in after[1..].windows(2) {
            match pair[0].text {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            match (depth, pair[0].text) {
                (0, _) => break,
                (1, "{" | ",") if pair[1].text != "}" => found.push(pair[1]),
                _ => {}
            }
        }
    }
    found
}

fn words(text: &str) -> Vec<(usize, &str)> {
    tokens(text)
        .iter()
        .map(|token| (token.line, token.text))
        .collect()
}

#[test]
fn comments_strings_and_characters_are_not_code() {
    let text = "a // b\n/* c /* d */ e */ \"f \\\" g\" r#\"h \" i\"# 'j' '\\'' &'k l::m";
    let expected = [
        (1, "a"),
        (2, "\""),
        (2, "\""),
        (2, "\""),
        (2, "\""),
        (2, "&"),
        (2, "k"),
    ];
    assert_eq!(words(text)[..7], expected);
    assert_eq!(words(text)[7..], [(2, "l"), (2, "::"), (2, "m")]);
}

#[test]
fn lines_count_through_long_strings() {
    assert_eq!(words("\"a\nb\" c\nd"), [(1, "\""), (2, "c"), (3, "d")]);
}

#[test]
fn functions_are_measured_to_their_brace() {
    let tokens = tokens("fn a(x: [u8; 2]) -> fn(u8) {\n  if b {\n  }\n}\nfn c();\n");
    let a = Function {
        name: "a",
        line: 1,
        lines: 4,
    };
    assert_eq!(
        functions(&tokens),
        [
            a,
            Function {
                name: "c",
                line: 5,
                lines: 1
            }
        ]
    );
}

#[test]
fn items_for_tests_are_left_out() {
    let tokens = tokens("a; #[cfg(test)] mod t { b } c; #[cfg(test)] mod u; d");
    let kept: Vec<&str> = without_tests(&tokens)
        .iter()
        .map(|token| token.text)
        .collect();
    assert_eq!(kept, ["a", ";", "c", ";", "d"]);
}

#[test]
fn groups_name_their_first_words() {
    let tokens = tokens("use crate::{a::{b, c}, d}; crate::e::f(); other::crate::g;");
    let named: Vec<&str> = named_under(&tokens, &["crate"])
        .iter()
        .map(|t| t.text)
        .collect();
    assert_eq!(named, ["a", "d", "e"]);
}
