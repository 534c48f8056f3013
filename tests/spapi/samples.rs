//! X12 → canonical → API → canonical → X12, for every sample and for documents that are made up:
//! equal but for the loss report, and no loss that is not on the committed list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;
use transload::bridge::spapi::{LossKind, operation};
use transload::canonical::Document;
use transload::mapping::{Fill, Library, read, sample, write};
use transload::x12::{self, Delimiters, Severity};

use super::compare::{Leg, leaves, unexplained, unlisted};
use super::context;
use super::examples::definition;
use super::refusals::refusals;
use super::schema::{Model, models};

fn json(document: &Document) -> Value {
    serde_json::to_value(document).unwrap()
}

/// What is wrong with a document's way over and back.
pub(super) fn over_and_back(document: &Document, direct: bool) -> (Vec<String>, Option<Document>) {
    let mut context = context();
    context.direct = direct;
    let Some(request) = operation::write(document, &context) else {
        return (vec!["the API has no such document".into()], None);
    };
    let mut wrong = unlisted(&request.losses);
    let refused: std::collections::BTreeSet<(String, String)> = request
        .losses
        .iter()
        .filter(|loss| loss.kind == LossKind::Refused)
        .map(|loss| (loss.path.clone(), loss.value.clone()))
        .collect();
    let wanted = refusals(&json(document), direct);
    if refused != wanted {
        wrong.push(format!("refused {refused:?}, and not {wanted:?}"));
    }
    wrong.extend(refused_by_the_model(&request));
    let mut back = operation::read(&request.body, Some(request.operation), &context);
    if back.len() != 1 {
        // A request to several places is several there.
        let split = request
            .losses
            .iter()
            .any(|loss| loss.kind == LossKind::Split);
        wrong.extend((!split).then(|| format!("{} documents came back", back.len())));
        return (wrong, None);
    }
    let back = back.remove(0);
    wrong.extend(unlisted(&back.losses));
    let record = operation::records(&request.body, Some(request.operation))
        .remove(0)
        .1;
    let out = Leg::to_api(&json(document), &record, &request);
    let home = Leg::from_api(&record, &back);
    wrong.extend(
        out.faults()
            .into_iter()
            .map(|fault| format!("out: {fault}")),
    );
    wrong.extend(
        home.faults()
            .into_iter()
            .map(|fault| format!("home: {fault}")),
    );
    // Of a tree that no structure has, a part is not even looked at: a person decides first.
    if !refused.iter().any(|(path, _)| path.ends_with("].level")) {
        wrong.extend(unexplained(&out, &home));
    }
    // Of what is never sent nothing comes back.
    (wrong, refused.is_empty().then_some(back.document))
}

/// What the API's own model does not allow in a request that we find no fault in.
fn refused_by_the_model(request: &operation::Request) -> Vec<String> {
    static MODELS: OnceLock<Option<BTreeMap<String, Model>>> = OnceLock::new();
    let Some(models) = MODELS.get_or_init(models) else {
        return Vec::new();
    };
    let records = operation::records(&request.body, Some(request.operation));
    let (model, name) = definition(request.operation);
    let model = &models[model];
    let ours = |record: &Value| operation::faults(request.operation, record).is_empty();
    records
        .iter()
        .filter(|(_, record)| ours(record))
        .flat_map(|(_, record)| model.faults(model.named(name), record))
        .collect()
}

/// Every document of the samples of a set, with its file and its guide.
pub(super) fn documents(
    set: &str,
) -> Vec<(String, Document, std::sync::Arc<transload::mapping::Guide>)> {
    let library = Library::embedded();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(&root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".edi") && name.contains(&format!("/{set}/pass/")) {
                let partner = name
                    .strip_prefix("partners/")
                    .and_then(|rest| rest.split('/').next());
                for interchange in x12::read(std::fs::read(&path).unwrap().as_slice())
                    .unwrap()
                    .interchanges
                {
                    for group in &interchange.groups {
                        for one in &group.sets {
                            let version = &group.header.version[..6];
                            let guide = library.guide(partner, version, &one.id).unwrap().unwrap();
                            let reading = read(&guide, &one.segments, &interchange.delimiters);
                            found.push((name.clone(), reading.document.unwrap(), guide));
                        }
                    }
                }
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Set and element of what X12 wants and the API has no place for, each with its reason.
fn unwritable() -> &'static BTreeSet<(String, String)> {
    static ROWS: OnceLock<BTreeSet<(String, String)>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let lines = include_str!("unwritable.tsv").lines();
        let lines = lines.filter(|line| !line.starts_with('#'));
        let row = |line: &str| {
            let cells: Vec<&str> = line.split('\t').collect();
            let [set, place, cites, why] = cells[..] else {
                panic!("{line:?} is not set, element, section, reason")
            };
            assert!(
                cites.starts_with(['1', '4', '5', '6']) && why.len() > 10,
                "{line}"
            );
            (set.to_owned(), place.to_owned())
        };
        lines.map(row).collect()
    })
}

/// The same on X12: what came back can be written, and is read as it was.
fn on_x12(guide: &transload::mapping::Guide, back: &Document) -> Vec<String> {
    let delimiters = Delimiters::default();
    let writing = write(guide, back, &delimiters);
    let grave = writing.findings.iter();
    let grave = grave.filter(|finding| finding.severity >= Severity::Error);
    let lacking: Vec<String> = grave
        .map(|finding| {
            let at = &finding.location;
            (
                format!("{}{:02}", at.tag, at.element.unwrap_or_default()),
                finding,
            )
        })
        .filter(|(place, _)| !unwritable().contains(&(guide.set.clone(), place.clone())))
        .map(|(place, finding)| format!("X12 cannot be written: {place} {}", finding.message))
        .collect();
    if !writing.is_sound() {
        return lacking;
    }
    let again = read(guide, &writing.segments, &delimiters)
        .document
        .unwrap();
    let (a, b) = (leaves(&json(back)), leaves(&json(&again)));
    let same = |path: &String, value: &String| b.get(path) == Some(value);
    let lost = a.iter().filter(|(path, value)| !same(path, value));
    let told: Vec<String> = writing
        .findings
        .iter()
        .map(|finding| format!("{:?}", finding.message))
        .collect();
    // A moment is one leaf of several words.
    let named = |value: &str| {
        let mut parts = value.split(' ');
        parts.any(|part| told.iter().any(|words| words.contains(part)))
    };
    lost.filter(|(_, value)| !named(value))
        .map(|(path, value)| format!("X12 has no {path} = {value}"))
        .collect()
}

fn each_sample_of(set: &str) {
    let documents = documents(set);
    assert!(documents.len() > 4, "{}", documents.len());
    let mut wrong = Vec::new();
    for (file, document, guide) in documents {
        let (what, back) = over_and_back(&document, file.contains("amazon-df"));
        wrong.extend(what.into_iter().map(|what| format!("{file}: {what}")));
        if let Some(back) = back {
            wrong.extend(
                on_x12(&guide, &back)
                    .into_iter()
                    .map(|what| format!("{file}: {what}")),
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A small generator, so that a failing seed says all.
pub(super) fn draws(mut seed: u64) -> impl FnMut(u32) -> u32 {
    move |n| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((seed >> 33) as u32) % n.max(1)
    }
}

/// How many documents of each guide are made up.
const MADE_UP: u64 = 12;

fn made_up(set: &str) {
    let library = Library::embedded();
    let mut wrong = Vec::new();
    for name in library.names() {
        if !name.ends_with(set) {
            continue;
        }
        let guide = library.named(&name).unwrap().unwrap();
        for seed in 0..MADE_UP {
            let fill = if seed % 3 == 0 { Fill::All } else { Fill::Some };
            let document = sample(&guide, fill, &mut draws(seed)).expect("the guide maps");
            let (mut what, back) = over_and_back(&document, name.contains("amazon-df"));
            what.extend(back.into_iter().flat_map(|back| on_x12(&guide, &back)));
            wrong.extend(
                what.into_iter()
                    .map(|what| format!("{name} seed {seed}: {what}")),
            );
        }
    }
    wrong.sort();
    let shown: Vec<&str> = wrong.iter().map(String::as_str).take(400).collect();
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        shown.join("\n")
    );
}

#[test]
fn each_850_goes_over_and_back() {
    each_sample_of("850");
}

#[test]
fn each_855_goes_over_and_back() {
    each_sample_of("855");
}

#[test]
fn orders_that_are_made_up_go_over_and_back() {
    made_up("850");
}

#[test]
fn acknowledgments_that_are_made_up_go_over_and_back() {
    made_up("855");
}

#[test]
fn each_856_goes_over_and_back() {
    each_sample_of("856");
}

#[test]
fn each_810_goes_over_and_back() {
    each_sample_of("810");
}

#[test]
fn each_846_goes_over_and_back() {
    each_sample_of("846");
}

#[test]
fn ship_notices_that_are_made_up_go_over_and_back() {
    made_up("856");
}

#[test]
fn invoices_that_are_made_up_go_over_and_back() {
    made_up("810");
}

#[test]
fn stock_that_is_made_up_goes_over_and_back() {
    made_up("846");
}

#[test]
fn requests_for_a_carrier_that_are_made_up_go_over_and_back() {
    made_up("753");
}
