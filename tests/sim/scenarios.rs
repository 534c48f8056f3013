//! Every file of `mappings/scenarios/` is played by a vendor without a gateway, and ends as it says.

use transload::sim::{Scenario, What, Who};

use super::vendor::Run;

fn folder() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/mappings/scenarios");
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(file).collect();
    all.sort();
    all
}

#[test]
fn each_scenario_ends_as_its_file_says() {
    let mut wrong = String::new();
    for (name, text) in folder() {
        let scenario = Scenario::read(&name, &text).unwrap_or_else(|why| panic!("{why}"));
        for seed in [7, 8, 9] {
            let orders = scenario.orders;
            let run = Run::play(scenario.clone(), seed, orders);
            for short in run.world.end() {
                wrong.push_str(&format!("{name}, seed {seed}: {short:?}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A file of the folder is built in, and one that is built in is in the folder.
#[test]
fn each_file_is_built_in() {
    let files: Vec<String> = folder().into_iter().map(|(name, _)| name).collect();
    let mut names: Vec<&str> = Scenario::names().collect();
    names.sort_unstable();
    assert_eq!(names, files);
}

/// What is said, what is made of it, and the money.
#[test]
fn two_runs_with_one_seed_are_the_same_byte_for_byte() {
    for name in ["standard", "shortage", "late-notice"] {
        let play = |seed| {
            let run = Run::play(Scenario::named(name).unwrap(), seed, 12);
            (
                run.said.join("\n"),
                run.told.join("\n"),
                format!("{:?}", run.world.ledger()),
            )
        };
        assert!(play(7) == play(7), "{name}");
        assert!(
            play(7).0 != play(8).0,
            "{name}: another seed is another run"
        );
    }
}

/// The scenario is not only told: without what happens, its end is not met.
#[test]
fn an_end_can_be_missed() {
    for (name, text) in folder() {
        let mut scenario = Scenario::read(&name, &text).unwrap();
        let wire = scenario
            .happens
            .iter()
            .all(|one| matches!(one.what.who(), Who::Edi | Who::Api));
        let unseen = |what| {
            matches!(
                what,
                What::Duplicate | What::Backorder | What::LateAcknowledgment
            )
        };
        if wire || scenario.happens.iter().all(|one| unseen(one.what)) {
            continue;
        }
        scenario.happens.clear();
        let orders = scenario.orders;
        let run = Run::play(scenario, 7, orders);
        assert!(
            !run.world.end().is_empty(),
            "{name} ends so whatever happens"
        );
    }
}

#[test]
fn a_typo_is_told_with_its_line_and_what_is_possible() {
    let told = |text: &str| Scenario::read("mine", text).unwrap_err().to_string();
    let head = "about = \"a\"\nabout_zh = \"b\"\n";
    let why = told(&format!("{head}[[happens]]\nwhat = \"shortge\"\n"));
    assert!(why.contains("line 4") && why.contains("shortage"), "{why}");
    let why = told(&format!("{head}[end]\nstate = {{ paid = 1 }}\n"));
    assert!(why.contains("line 4") && why.contains("states"), "{why}");
    let why = told(&format!("{head}[end]\nstates = {{ payed = 1 }}\n"));
    assert!(why.contains("line 4") && why.contains("paid"), "{why}");
    let why = told(&format!("{head}[end]\nstates = {{ paid = \"every\" }}\n"));
    assert!(why.contains("line 4") && why.contains("all, rest"), "{why}");
    let why = told(&format!("{head}doors = []\n"));
    assert!(why.contains("edi"), "{why}");
    let why = Scenario::named("standrad").unwrap_err().to_string();
    assert!(why.contains("standard"), "{why}");
}

/// Memory and money of a large run: every cent is explained.
#[test]
fn a_thousand_orders_are_explained_to_the_cent() {
    let run = Run::play(Scenario::named("standard").unwrap(), 7, 1000);
    let ledger = run.world.ledger();
    assert_eq!((ledger.rows.len(), ledger.unexplained()), (1000, 0));
    assert!(ledger.remitted > 0);
    assert_eq!(run.world.end(), []);
}

/// Nothing here takes a port but by the type that takes none of another machine, and nothing names an
/// address.
#[test]
fn no_door_can_be_bound_to_another_address() {
    let mut open = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/sim"
    ))];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        files += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        for word in [
            "TcpListener",
            "SocketAddr",
            "IpAddr",
            "0.0.0.0",
            "https://",
            "amazon.com",
        ] {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
    assert!(files > 15);
}
