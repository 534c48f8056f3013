//! The catalogue is whole: what is said in English has its entry, with the same placeholders, and
//! nothing else has one. The sources themselves are read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use transload::lang::Language;
use transload::mapping::Library;
use transload::x12::Fault;

type Table = BTreeMap<String, BTreeMap<String, String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn catalogue(file: &str) -> Table {
    let text = std::fs::read_to_string(root().join("src/lang").join(file)).unwrap();
    toml::from_str(&text).unwrap()
}

/// The sources as they are compiled for users: without comments and tests.
fn sources() -> Vec<(String, String)> {
    let (mut folders, mut all) = (vec![root().join("src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
                let lines = shipped
                    .lines()
                    .filter(|l| !l.trim_start().starts_with("//"));
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                all.push((name, lines.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    all
}

/// The literal that `text` begins with.
fn literal(text: &str) -> Option<String> {
    let inside = text.trim_start().strip_prefix('"')?;
    let (mut said, mut chars) = (String::new(), inside.chars());
    loop {
        match chars.next()? {
            '"' => return Some(said),
            '\\' => match chars.next()? {
                '\n' => chars = chars.as_str().trim_start().chars(),
                c => said.push(c),
            },
            c => said.push(c),
        }
    }
}

/// The last argument of the call that `text` begins inside of, if it is a literal.
fn last_argument(text: &str) -> Option<String> {
    let mut depth = 0;
    let end = text.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth < 0
    })?;
    let argument = text[..end].trim_end().trim_end_matches(',');
    literal(&argument[argument[..argument.len().checked_sub(1)?].rfind('"')?..])
        .filter(|_| argument.ends_with('"'))
}

/// All that the sources say, and where.
fn said() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (path, text) in sources() {
        let after =
            |call: &'static str| text.match_indices(call).map(move |(at, _)| at + call.len());
        let templates = after("text!(")
            .chain(after("say("))
            .filter_map(|at| literal(&text[at..]));
        let counted = after("count(").filter_map(|at| last_argument(&text[at..]));
        let counted = counted.map(|noun| format!("{{n}} {noun}s"));
        all.extend(templates.chain(counted).map(|said| (said, path.clone())));
    }
    // Tables whose every sentence is said.
    let tables = [
        "src/cli/explain/codes.rs",
        "src/cli/explain/rules.rs",
        "src/cli/topics.rs",
    ];
    for (path, text) in sources() {
        if tables.contains(&path.as_str()) {
            all.extend(sentences(&text).map(|said| (said, path.clone())));
        }
    }
    for fault in Fault::ALL {
        all.insert(fault.why().to_owned(), fault.rule().to_owned());
        // What is bytes and nothing else is the same everywhere.
        let example = fault.example();
        let outside = example.split('`').step_by(2);
        if outside.flat_map(str::chars).any(|c| c.is_ascii_lowercase()) {
            all.insert(example.to_owned(), fault.rule().to_owned());
        }
    }
    all
}

/// The sentences in a table's rows: `("AK", "it is missing", "add it")`, and its constants.
fn sentences(text: &str) -> impl Iterator<Item = String> + '_ {
    let rows = text.lines().filter(|line| {
        let line = line.trim_start();
        line.starts_with("(\"") || line.starts_with("const ") || line.starts_with('"')
    });
    let literals = rows.flat_map(|line| {
        let mut found = Vec::new();
        let mut rest = line;
        while let Some(at) = rest.find('"') {
            let Some(said) = literal(&rest[at..]) else {
                break;
            };
            rest = &rest[at + said.len() + 2..];
            found.push(said);
        }
        found
    });
    literals.filter(|said| said.contains(' ') && !said.contains('{'))
}

/// Each word of a code list, and what the codes of elements mean that guides keep as they came.
#[test]
fn words_of_code_lists_have_their_chinese() {
    let folder = root().join("mappings/codes");
    let (mut missing, mut known) = (BTreeSet::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let list: toml::Table = toml::from_str(&text).unwrap();
        for word in list.values().filter_map(|word| word.as_str()) {
            match Language::Chinese.say(word) {
                Some(_) => known += 1,
                None => drop(missing.insert(format!("{}: {word}", path.display()))),
            }
        }
    }
    assert!(
        missing.is_empty(),
        "src/lang/zh-CN.names.toml lacks {missing:#?}"
    );
    assert!(known > 1000, "{known}");
}

fn placeholders(template: &str) -> BTreeSet<&str> {
    let parts = template.split('{').skip(1);
    parts
        .filter_map(|part| Some(part.split_once('}')?.0))
        .collect()
}

#[test]
fn everything_said_has_its_chinese() {
    let (said, catalogue) = (said(), catalogue("zh-CN.toml"));
    let entries: BTreeMap<&String, &String> = catalogue.values().flatten().collect();
    let words = |template: &str| {
        let bare = template
            .split('{')
            .map(|part| part.split_once('}').map_or(part, |p| p.1));
        bare.collect::<String>().chars().any(char::is_alphabetic)
    };
    let missing = said
        .iter()
        .filter(|(english, _)| words(english) && !entries.contains_key(english));
    let missing: Vec<String> = missing
        .map(|(english, at)| format!("{at}: {english:?}"))
        .collect();
    assert!(
        missing.is_empty(),
        "src/lang/zh-CN.toml lacks\n{}",
        missing.join("\n")
    );
    assert!(said.len() > 300, "the scan finds little: {}", said.len());
}

#[test]
fn nothing_has_chinese_that_is_not_said() {
    let (said, names) = (said(), titles());
    let catalogue = catalogue("zh-CN.toml");
    let unsaid = catalogue.values().flatten().map(|(english, _)| english);
    let unsaid: Vec<&String> = unsaid
        .filter(|english| !said.contains_key(*english) && !names.contains(*english))
        .collect();
    assert!(unsaid.is_empty(), "nobody says {unsaid:#?}");
}

/// Words that the sources keep in tables: titles of sets, kinds of files, names of rows.
fn titles() -> BTreeSet<String> {
    let tables = [
        "src/cli/sentence.rs",
        "src/cli/report.rs",
        "src/cli/window.rs",
        "src/x12/unknown.rs",
    ];
    let mut all = BTreeSet::new();
    for (_, text) in sources()
        .iter()
        .filter(|(path, _)| tables.contains(&path.as_str()))
    {
        let starts = text.match_indices('"').map(|(at, _)| at);
        all.extend(starts.filter_map(|at| literal(&text[at..])));
        let nouns = all
            .iter()
            .map(|noun| format!("{{n}} {noun}s"))
            .collect::<Vec<_>>();
        all.extend(nouns);
    }
    all
}

#[test]
fn placeholders_are_the_same() {
    for file in ["zh-CN.toml", "zh-CN.names.toml"] {
        for (english, chinese) in catalogue(file).values().flatten() {
            assert_eq!(placeholders(english), placeholders(chinese), "{english}");
            assert!(!chinese.is_empty(), "{english}");
            assert_eq!(
                Language::Chinese.say(english),
                Some(chinese.as_str()),
                "said twice: {english}"
            );
        }
    }
}

#[test]
fn names_of_the_dictionary_have_their_chinese() {
    let library = Library::embedded();
    let names = &catalogue("zh-CN.names.toml")["names"];
    let (mut missing, mut known) = (BTreeSet::new(), 0);
    for release in ["004010", "005010"] {
        let dictionary = library.dictionary(release).unwrap();
        for tag in dictionary.tags() {
            let segment = dictionary.segment(tag).unwrap();
            let parts = segment.places.iter().flat_map(|place| &place.parts);
            for name in parts.map(|part| &part.def.name).chain([&segment.name]) {
                match names.contains_key(&**name) {
                    true => known += 1,
                    false => drop(missing.insert(name.clone())),
                }
            }
        }
    }
    assert!(
        missing.is_empty(),
        "src/lang/zh-CN.names.toml lacks {missing:#?}"
    );
    assert!(known > 1000, "{known}");
}
