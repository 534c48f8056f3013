//! X12 → canonical → API → canonical → X12, for every sample and for documents that are made up:
//! equal but for the loss report, and no loss that is not on the committed list.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;
use transload::bridge::spapi::{LossKind, operation};
use transload::canonical::Document;
use transload::mapping::{Fill, Library, read, sample, write};
use transload::x12::{self, Delimiters, Severity};

use super::compare::{unexplained, unlisted};
use super::context;
use super::examples::definition;
use super::schema::{Model, models};

fn json(document: &Document) -> Value {
    serde_json::to_value(document).unwrap()
}

/// What is wrong with a document's way over and back.
fn over_and_back(document: &Document, direct: bool) -> (Vec<String>, Option<Document>) {
    let mut context = context();
    context.direct = direct;
    let Some(request) = operation::write(document, &context) else {
        return (vec!["the API has no such document".into()], None);
    };
    let mut wrong = unlisted(&request.losses);
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
    // What a person must decide first is not sent, so nothing of it needs to come back.
    if request
        .losses
        .iter()
        .any(|loss| loss.kind == LossKind::Refused)
    {
        return (wrong, None);
    }
    wrong.extend(unexplained(
        &json(document),
        &json(&back.document),
        &request.losses,
        &back.losses,
    ));
    (wrong, Some(back.document))
}

/// What the API's own model does not allow in a request that we find no fault in.
fn refused_by_the_model(request: &operation::Request) -> Vec<String> {
    static MODELS: OnceLock<Option<BTreeMap<String, Model>>> = OnceLock::new();
    let Some(models) = MODELS.get_or_init(models) else {
        return Vec::new();
    };
    if !request.faults.is_empty() {
        return Vec::new();
    }
    let records = operation::records(&request.body, Some(request.operation));
    let (model, name) = definition(request.operation);
    let model = &models[model];
    records
        .iter()
        .flat_map(|(_, record)| model.faults(model.named(name), record))
        .collect()
}

/// Every document of the samples of a set, with its file and its guide.
fn documents(set: &str) -> Vec<(String, Document, std::sync::Arc<transload::mapping::Guide>)> {
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

/// The same on X12: what came back can be written, and is read as it was.
fn on_x12(guide: &transload::mapping::Guide, back: &Document) -> Vec<String> {
    let delimiters = Delimiters::default();
    let writing = write(guide, back, &delimiters);
    if writing
        .findings
        .iter()
        .any(|finding| finding.severity >= Severity::Error)
    {
        return Vec::new();
    }
    let again = read(guide, &writing.segments, &delimiters)
        .document
        .unwrap();
    let (mut a, mut b) = (json(back), json(&again));
    for value in [&mut a, &mut b] {
        value.as_object_mut().unwrap().shift_remove("provenance");
    }
    let lost: Vec<String> = super::compare::leaves(&a)
        .into_iter()
        .filter(|leaf| !super::compare::leaves(&b).contains(leaf))
        .map(|(path, value)| format!("X12 has no {path} = {value}"))
        .collect();
    lost.into_iter()
        .filter(|_| writing.findings.is_empty())
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

/// `whole`: what comes back is compared too. The levels of a made-up ship notice stand in each other
/// as no shipment does, so of those only the reports count.
fn made_up(set: &str, whole: bool) {
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
            let (mut what, _) = over_and_back(&document, name.contains("amazon-df"));
            what.retain(|what| whole || !what.starts_with("gone ") && !what.starts_with("new "));
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
    made_up("850", true);
}

#[test]
fn acknowledgments_that_are_made_up_go_over_and_back() {
    made_up("855", true);
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
    made_up("856", false);
}

#[test]
fn invoices_that_are_made_up_go_over_and_back() {
    made_up("810", true);
}

#[test]
fn stock_that_is_made_up_goes_over_and_back() {
    made_up("846", true);
}

#[test]
fn requests_for_a_carrier_that_are_made_up_go_over_and_back() {
    made_up("753", true);
}
