//! The two tables of `ARCHITECTURE.md`: which room may name which, and where foreign crates live.

use super::code::{self, Token};
use super::{Complaint, House, holds, says};
use std::collections::{BTreeMap, BTreeSet};

const MAP: &str = "ARCHITECTURE.md";
const ROOMS: &str = "| room | may name |";
const HOMES: &str = "| crate | home |";

/// A row of a table: its line, and its cells.
type Row<'a> = (usize, Vec<&'a str>);

/// The rows under the table whose head starts as given.
fn table<'a>(house: &'a House, head: &str) -> Vec<Row<'a>> {
    let lines = house.text(MAP).lines().enumerate();
    lines
        .skip_while(|(_, line)| !line.starts_with(head))
        .skip(2)
        .take_while(|(_, line)| line.starts_with('|'))
        .map(|(at, line)| {
            (
                at + 1,
                line.trim_matches('|').split('|').map(str::trim).collect(),
            )
        })
        .collect()
}

/// The names in backticks.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// What a room may name, and whether it keeps away from the world.
#[derive(Default)]
struct Room<'a> {
    may_name: BTreeSet<&'a str>,
    pure: bool,
}

fn rooms(house: &House) -> BTreeMap<&str, Room<'_>> {
    let (mut rooms, mut above) = (BTreeMap::new(), BTreeSet::new());
    for (_, cells) in table(house, ROOMS) {
        let here = names(cells[0]);
        for room in &here {
            let may_name = match cells[1] {
                "all above" => above.clone(),
                some => names(some)
                    .into_iter()
                    .filter(|name| above.contains(name))
                    .collect(),
            };
            rooms.insert(
                *room,
                Room {
                    may_name,
                    pure: cells.get(2) == Some(&"pure"),
                },
            );
        }
        above.extend(here);
    }
    rooms
}

/// The room a file belongs to: `src/x12/read.rs` and `src/x12.rs` are x12's.
fn room_of(path: &str) -> &str {
    let inside = path.trim_start_matches("src/");
    inside
        .split('/')
        .next()
        .unwrap_or(inside)
        .trim_end_matches(".rs")
}

/// Source that is shipped, with the room of each file. `lib.rs` only lists the rooms, and a file
/// that its parent declares under `#[cfg(test)]` is not shipped.
fn shipped(house: &House) -> Vec<(&str, &str, Vec<Token<'_>>)> {
    let files = house.rust("src/").filter(|(path, _)| *path != "src/lib.rs");
    let files = files.filter(|(path, _)| !only_for_tests(house, path));
    files
        .map(|(path, text)| {
            (
                room_of(path),
                path,
                code::without_tests(&code::tokens(text)),
            )
        })
        .collect()
}

fn only_for_tests(house: &House, path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let name = file.trim_end_matches(".rs");
    let declared = [code::TEST, &["mod", name, ";"]].concat();
    [format!("{folder}/mod.rs"), format!("{folder}.rs")]
        .iter()
        .any(|parent| {
            let tokens = code::tokens(house.text(parent));
            (0..tokens.len()).any(|at| code::starts(&tokens[at..], &declared))
        })
}

/// Every room has a row, and names only what its row allows.
fn layers(house: &House) -> Vec<Complaint> {
    let rooms = rooms(house);
    let mut complaints = Vec::new();
    for (room, path, tokens) in shipped(house) {
        let Some(known) = rooms.get(room) else {
            let what = format!("the room {room} has no row in the import table");
            complaints.push(Complaint::at(
                path,
                1,
                what,
                &format!("give it one in {MAP}"),
            ));
            continue;
        };
        for named in named_rooms(path, &tokens) {
            let other = named.text;
            if other != room && rooms.contains_key(other) && !known.may_name.contains(other) {
                let what = format!("{room} may not name {other}");
                let help = &format!(
                    "move what is shared into a room above both, or pass it in as an argument; \
                     the import table is in {MAP}"
                );
                complaints.push(Complaint::at(path, named.line, what, help));
            }
        }
    }
    complaints
}

/// The names right under the crate's root, however the path starts.
fn named_rooms<'a>(path: &str, tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let inside = path
        .trim_start_matches("src/")
        .trim_end_matches(".rs")
        .trim_end_matches("/mod");
    let depth = inside.split('/').count();
    let mut upward = vec!["super"; depth * 2 - 1];
    upward
        .iter_mut()
        .skip(1)
        .step_by(2)
        .for_each(|word| *word = "::");
    [vec!["crate"], vec!["transload"], upward]
        .iter()
        .flat_map(|root| code::named_under(tokens, root))
        .collect()
}

/// The table itself is in order: a row names only rooms above it.
fn no_circles(house: &House) -> Vec<Complaint> {
    let mut above = BTreeSet::new();
    let mut complaints = Vec::new();
    for (line, cells) in table(house, ROOMS) {
        for name in names(cells[1])
            .into_iter()
            .filter(|name| !above.contains(name))
        {
            let what = format!("{name} is not a room above this row");
            complaints.push(Complaint::at(MAP, line, what, "order the rows by layer"));
        }
        above.extend(names(cells[0]));
    }
    if complaints.is_empty() && above.is_empty() {
        let what = "the import table is missing".to_owned();
        complaints.push(Complaint::at(
            MAP,
            1,
            what,
            &format!("its head is `{ROOMS}`"),
        ));
    }
    complaints
}

/// The dependencies of the manifest, with their lines.
fn dependencies(house: &House) -> Vec<(usize, &str)> {
    let lines = house.text("Cargo.toml").lines().enumerate();
    lines
        .skip_while(|(_, line)| *line != "[dependencies]")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['))
        .filter(|(_, line)| !line.starts_with('#'))
        .filter_map(|(at, line)| Some((at + 1, line.split_once('=')?.0.trim())))
        .collect()
}

/// Every foreign crate has a home, and is used only there.
fn homes(house: &House) -> Vec<Complaint> {
    let rows = table(house, HOMES);
    let home = |name: &str| {
        rows.iter()
            .find(|(_, cells)| names(cells[0]).contains(&name))
    };
    let listed = dependencies(house);
    let mut complaints = Vec::new();
    for (line, name) in &listed {
        if home(name).is_none() {
            let what = format!("{name} has no home");
            let help = &format!("say in {MAP} which rooms may use it");
            complaints.push(Complaint::at("Cargo.toml", *line, what, help));
        }
    }
    for (line, cells) in &rows {
        for name in names(cells[0])
            .into_iter()
            .filter(|name| !listed.iter().any(|l| l.1 == *name))
        {
            let what = format!("{name} is not a dependency");
            complaints.push(Complaint::at(MAP, *line, what, "remove its row"));
        }
    }
    for (room, path, tokens) in shipped(house) {
        for (_, name) in &listed {
            let at_home = home(name).is_none_or(|(_, cells)| {
                cells[1] == "everywhere" || names(cells[1]).contains(&room)
            });
            for line in uses(&tokens, &name.replace('-', "_"))
                .into_iter()
                .filter(|_| !at_home)
            {
                let what = format!("{name} does not live in {room}");
                let help = &format!("use the room that houses it; the table is in {MAP}");
                complaints.push(Complaint::at(path, line, what, help));
            }
        }
    }
    complaints
}

/// The lines where a path starts with the crate.
fn uses(tokens: &[Token<'_>], name: &str) -> Vec<usize> {
    let starts = |at: usize| {
        let before = at.checked_sub(1).map_or("", |at| tokens[at].text);
        let after = tokens.get(at + 1).map_or("", |token| token.text);
        !["::", "."].contains(&before) && after == "::" || before == "use" && after != "::"
    };
    (0..tokens.len())
        .filter(|&at| tokens[at].text == name && starts(at))
        .map(|at| tokens[at].line)
        .collect()
}

/// A pure room opens no file or socket, reads no clock and draws no randomness.
fn pure(house: &House) -> Vec<Complaint> {
    const STD: &[&str] = &["fs", "net", "env", "process", "thread"];
    const CALLS: &[[&str; 2]] = &[
        ["File", "open"],
        ["SystemTime", "now"],
        ["Instant", "now"],
        ["Utc", "now"],
        ["Local", "now"],
        ["rand", "rand_bytes"],
        ["Uuid", "now_v7"],
        ["Uuid", "new_v4"],
    ];
    let rooms = rooms(house);
    let mut complaints = Vec::new();
    for (room, path, tokens) in shipped(house) {
        if !rooms.get(room).is_some_and(|room| room.pure) {
            continue;
        }
        let std = code::named_under(&tokens, &["std"]).into_iter();
        let std = std
            .filter(|name| STD.contains(&name.text))
            .map(|name| ("std", name));
        let calls = tokens.windows(3).filter_map(|way| {
            let call = [way[0].text, way[2].text];
            (way[1].text == "::" && CALLS.contains(&call)).then_some((way[0].text, way[2]))
        });
        for (root, name) in std.chain(calls) {
            let what = format!("{room} is pure and reaches for {root}::{}", name.text);
            let help = "take bytes, the time or a source of randomness as an argument";
            complaints.push(Complaint::at(path, name.line, what, help));
        }
    }
    complaints
}

#[test]
fn rooms_name_only_rooms_above() {
    holds(layers);
}

#[test]
fn the_import_table_has_no_circles() {
    holds(no_circles);
}

#[test]
fn foreign_crates_stay_at_home() {
    holds(homes);
}

#[test]
fn pure_rooms_do_not_reach_the_world() {
    holds(pure);
}

const TABLES: &str = "\
| room | may name | reach |
|---|---|---|
| `x12`, `as2` | nothing of ours | pure |
| `gateway` | all above | |

| crate | home |
|---|---|
| `nom` | `x12` |
";
const MANIFEST: (&str, &str) = ("Cargo.toml", "[dependencies]\nnom = \"8\"\n[lints]\n");

#[test]
fn a_room_that_names_its_neighbour_is_caught() {
    let files = [
        (MAP, TABLES),
        ("src/lib.rs", "pub mod as2;"),
        (
            "src/x12/read.rs",
            "use std::fmt;\nuse crate::{x12, as2::open};",
        ),
        (
            "src/x12/mod.rs",
            "// crate::as2\n#[cfg(test)] mod t { use crate::as2; }\n",
        ),
        ("src/as2/mod.rs", "fn f() { super::gateway::inbound() }"),
        ("src/gateway/mod.rs", "use crate::{as2, x12};"),
        ("src/attic.rs", ""),
    ];
    let expected = [
        "src/as2/mod.rs:1: as2 may not name gateway",
        "src/attic.rs:1: the room attic has no row in the import table",
        "src/x12/read.rs:2: x12 may not name as2",
    ];
    says(layers, &files, &expected);
}

#[test]
fn a_file_for_tests_alone_is_free() {
    let files = [
        (MAP, TABLES),
        ("src/x12/mod.rs", "#[cfg(test)]\nmod tests;"),
        ("src/x12/tests.rs", "use crate::as2;"),
    ];
    says(layers, &files, &[]);
}

#[test]
fn a_row_that_looks_down_is_caught() {
    let table = "| room | may name |\n|---|---|\n| `net` | `web` |\n| `web` | all above |\n";
    says(
        no_circles,
        &[(MAP, table)],
        &["ARCHITECTURE.md:3: web is not a room above this row"],
    );
    says(
        no_circles,
        &[(MAP, "")],
        &["ARCHITECTURE.md:1: the import table is missing"],
    );
}

#[test]
fn a_crate_away_from_home_is_caught() {
    let files = [
        (MAP, TABLES),
        MANIFEST,
        ("src/x12/mod.rs", "use nom::IResult;"),
        (
            "src/as2/mod.rs",
            "use crate::nom::x;\nfn f() { nom::bytes::take(1) }",
        ),
    ];
    says(
        homes,
        &files,
        &["src/as2/mod.rs:2: nom does not live in as2"],
    );
}

#[test]
fn a_crate_without_a_home_is_caught() {
    let manifest = ("Cargo.toml", "[dependencies]\ntoml = \"1\"\n");
    let expected = [
        "Cargo.toml:2: toml has no home",
        "ARCHITECTURE.md:8: nom is not a dependency",
    ];
    says(homes, &[(MAP, TABLES), manifest], &expected);
}

#[test]
fn a_pure_room_that_reads_the_clock_is_caught() {
    let files = [
        (MAP, TABLES),
        (
            "src/as2/mod.rs",
            "use std::{fmt, fs};\nfn f() { chrono::Utc::now() }",
        ),
        ("src/gateway/mod.rs", "use std::fs;"),
    ];
    let expected = [
        "src/as2/mod.rs:1: as2 is pure and reaches for std::fs",
        "src/as2/mod.rs:2: as2 is pure and reaches for Utc::now",
    ];
    says(pure, &files, &expected);
}
