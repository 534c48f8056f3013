//! Real 856s and 820s, value by value, against the second reader of `orders.rs`, which knows no
//! guide. Releases that we have no guide of are read by the next one.

use transload::canonical::{Document, Level, Party, Remittance, RemittanceAdvice, ShipNotice};
use transload::mapping::{Library, read};
use transload::x12;

use crate::orders::{Eyes, at, elements, party_segment, text};

fn document(text: &str, guide: &str) -> Document {
    let interchange = &x12::read(text.as_bytes()).unwrap().interchanges[0];
    let guide = Library::embedded().named(guide).unwrap().unwrap();
    let set = &interchange.groups[0].sets[0].segments;
    let reading = read(&guide, set, &interchange.delimiters);
    reading.document.expect("a document")
}

/// Our levels in the order of the file, each with the number of the one around it (from 1, 0 for
/// none).
fn levels(levels: &[Level]) -> Vec<(usize, &Level)> {
    fn add<'a>(levels: &'a [Level], around: usize, all: &mut Vec<(usize, &'a Level)>) {
        for level in levels {
            all.push((around, level));
            let number = all.len();
            add(&level.levels, number, all);
        }
    }
    let mut all = Vec::new();
    add(levels, 0, &mut all);
    all
}

/// How many of each tag the level has had so far.
#[derive(Default)]
struct Seen {
    tags: Vec<String>,
    party: Party,
    lines: usize,
}

impl Seen {
    /// Which of its tag this is, from 0.
    fn next(&mut self, tag: &str) -> usize {
        let before = self.tags.iter().filter(|t| *t == tag).count();
        self.tags.push(tag.to_owned());
        before
    }
}

fn goods(eyes: &mut Eyes<'_>, level: &Level, s: &[&str], index: usize) {
    let item = level.item.clone().unwrap_or_default();
    let quantity = item.quantity.unwrap_or_default();
    match s[0] {
        "LIN" => {
            eyes.same("LIN01", item.number, at(s, 1));
            eyes.ids("LIN02", &item.ids, s, 2);
        }
        "SN1" => {
            eyes.same("SN101", item.shipped_number, at(s, 1));
            eyes.same("SN102", quantity.value, at(s, 2));
        }
        "PRF" => {
            let order = level.order.clone().unwrap_or_default();
            eyes.same("PRF01", order.number, at(s, 1));
            eyes.date("PRF04", order.ordered_on, at(s, 4));
        }
        "PO4" => {
            let pack = level.pack.clone().unwrap_or_default();
            eyes.same("PO401", pack.packs, at(s, 1));
            eyes.same("PO402", pack.size, at(s, 2));
            eyes.same("PO406", pack.weight, at(s, 6));
        }
        "PID" => eyes.same("PID05", level.descriptions[index].text.as_ref(), at(s, 5)),
        "MAN" => {
            let range = &level.marks[index].ranges[0];
            eyes.same("MAN02", range.first.as_ref(), at(s, 2));
            eyes.same("MAN03", range.last.as_ref(), at(s, 3));
        }
        _ => {}
    }
}

fn journey(eyes: &mut Eyes<'_>, level: &Level, s: &[&str], index: usize) {
    match s[0] {
        "TD1" => {
            let lading = &level.lading[index];
            eyes.same("TD101", lading.packaging.as_ref(), at(s, 1));
            eyes.same("TD102", lading.count, at(s, 2));
            eyes.same("TD107", lading.weight, at(s, 7));
            eyes.same("TD109", lading.volume, at(s, 9));
        }
        "TD5" => {
            let routing = &level.routing[index];
            eyes.same("TD503", routing.carrier.as_ref(), at(s, 3));
            eyes.same("TD505", routing.description.as_ref(), at(s, 5));
        }
        "TD3" => {
            let equipment = &level.equipment[index];
            eyes.same("TD301", equipment.kind.as_ref(), at(s, 1));
            eyes.same("TD303", equipment.number.as_ref(), at(s, 3));
        }
        "REF" => {
            let reference = &level.references[index];
            eyes.same("REF01", reference.qualifier.as_ref(), at(s, 1));
            eyes.same("REF02", reference.id.as_ref(), at(s, 2));
        }
        "DTM" => {
            let moment = match at(s, 1) {
                Some("011") => level.shipped.as_deref(),
                Some("017") => level.expected.as_deref(),
                _ => level.dates.iter().find_map(|date| date.moment.as_ref()),
            };
            eyes.date("DTM02", moment.and_then(|moment| moment.date), at(s, 2));
        }
        _ => {}
    }
}

/// The party that an N1 of this level opens.
fn party(level: &Level, s: &[&str], seen: &mut Seen) -> Party {
    let found = match at(s, 1) {
        Some("ST") => level.ship_to.as_deref(),
        Some("SF") => level.ship_from.as_deref(),
        role => level.parties.iter().find(|p| p.role.as_deref() == role),
    };
    seen.lines = 0;
    found.cloned().expect("the party of an N1")
}

fn notice(file: &str, guide: &str, least: usize) {
    let Some(text) = text(file) else { return };
    // One file declares `-` to separate repetitions and has it in its values.
    let text = text.replace("*-*00406*", "*U*00401*");
    let Document::ShipNotice(notice) = document(&text, guide) else {
        panic!("{file} is no ship notice");
    };
    let ShipNotice { number, made, .. } = &notice;
    let made = made.clone().unwrap_or_default();
    let ours = levels(&notice.levels);
    let mut eyes = Eyes::on(file);
    let (mut here, mut count, mut seen) = (None, 0, Seen::default());
    for s in elements(&text) {
        match (s[0], here) {
            ("SE", _) => break,
            ("BSN", _) => {
                eyes.same("BSN02", number.as_ref(), at(&s, 2));
                eyes.date("BSN03", made.date, at(&s, 3));
                let time = made
                    .time
                    .clone()
                    .map(|t| t.as_str().replace([':', '.'], ""));
                eyes.same("BSN04", time, at(&s, 4));
            }
            ("HL", _) => {
                let (around, level) = ours[count];
                let around = Some(around).filter(|&around| around > 0);
                eyes.same("HL02", around, at(&s, 2));
                let letter = level
                    .level
                    .as_ref()
                    .map(|code| code.as_str()[..1].to_uppercase());
                eyes.same("HL03", letter, at(&s, 3));
                (here, count, seen) = (Some(level), count + 1, Seen::default());
            }
            ("CTT", _) => {
                let totals = notice.totals.clone().unwrap_or_default();
                eyes.same("CTT01", Some(ours.len()), at(&s, 1));
                eyes.same("CTT02", totals.hash, at(&s, 2));
            }
            ("N1" | "N3" | "N4", Some(level)) => {
                if s[0] == "N1" {
                    seen.party = party(level, &s, &mut seen);
                }
                party_segment(&mut eyes, &seen.party, &s, &mut seen.lines);
            }
            (tag, Some(level)) => {
                let index = seen.next(tag);
                goods(&mut eyes, level, &s, index);
                journey(&mut eyes, level, &s, index);
            }
            _ => {}
        }
    }
    assert_eq!(count, ours.len(), "levels in {file}");
    eyes.end(least);
}

#[test]
fn a_crossdock_856_with_two_stores() {
    let file = "olmelabs__EdiEngine/EdiEngine.Tests__TestData__856.Crossdock.OK.edi";
    notice(file, "x12/004010/856", 90);
}

#[test]
fn an_856_in_004060() {
    let file = "aaronhuggins__node-x12/test__test-data__856.edi";
    notice(file, "x12/005010/856", 55);
}

#[test]
fn an_856_in_004060_without_its_last_terminator() {
    let file = "apimeister__x12-types/test-data__004060_856.edi";
    notice(file, "x12/004010/856", 55);
}

fn heading(eyes: &mut Eyes<'_>, advice: &RemittanceAdvice, s: &[&str]) {
    let named = |role: Option<&str>| match role {
        Some("PR") => advice.payer.clone(),
        Some("PE") => advice.payee.clone(),
        role => {
            let mut others = advice.parties.iter();
            others.find(|p| p.role.as_deref() == role).cloned()
        }
    };
    match s[0] {
        "BPR" => {
            let (payer, payee) = (advice.payer_account.clone(), advice.payee_account.clone());
            let (payer, payee) = (payer.unwrap_or_default(), payee.unwrap_or_default());
            eyes.same("BPR02", advice.total, at(s, 2));
            eyes.same("BPR03", advice.credit_debit.as_ref(), at(s, 3));
            eyes.same("BPR05", advice.format.as_ref(), at(s, 5));
            eyes.same("BPR07", payer.bank, at(s, 7));
            eyes.same("BPR09", payer.number, at(s, 9));
            eyes.same("BPR10", advice.originator.as_ref(), at(s, 10));
            eyes.same("BPR13", payee.bank, at(s, 13));
            eyes.same("BPR15", payee.number, at(s, 15));
            eyes.date("BPR16", advice.paid_on, at(s, 16));
        }
        "TRN" => {
            eyes.same("TRN01", advice.trace.as_ref(), at(s, 1));
            eyes.same("TRN02", advice.number.as_ref(), at(s, 2));
            eyes.same("TRN03", advice.number_by.as_ref(), at(s, 3));
        }
        "REF" => {
            let found = advice
                .references
                .iter()
                .find(|r| r.id.as_deref() == at(s, 2));
            let qualifier = found.and_then(|r| r.qualifier.as_ref());
            eyes.same("REF01", qualifier, at(s, 1));
        }
        "N1" => {
            let party = named(at(s, 1)).unwrap_or_default();
            eyes.same("N102", party.name, at(s, 2));
            eyes.same("N104", party.id.and_then(|id| id.id), at(s, 4));
        }
        _ => {}
    }
}

/// Compares one RMR with the item, which the remittance has at `index`.
fn item(eyes: &mut Eyes<'_>, remittance: &Remittance, s: &[&str], index: usize) {
    let item = &remittance.items[index];
    eyes.same("RMR01", item.qualifier.as_ref(), at(s, 1));
    eyes.same("RMR02", item.id.as_ref(), at(s, 2));
    eyes.same("RMR03", item.action.as_ref(), at(s, 3));
    eyes.same("RMR04", item.paid, at(s, 4));
    eyes.same("RMR05", item.invoiced, at(s, 5));
}

fn advice(file: &str, least: usize) {
    let folder = "kputnam__stupidedi/spec__fixtures__005010__";
    let Some(text) = text(&format!("{folder}{file}")) else {
        return;
    };
    let Document::RemittanceAdvice(advice) = document(&text, "x12/005010/820") else {
        panic!("{file} is no remittance advice");
    };
    let mut eyes = Eyes::on(file);
    let (mut entities, mut items) = (0, 0);
    for s in elements(&text) {
        let here = advice.remittances.get(entities.max(1) - 1);
        match s[0] {
            "SE" => break,
            "ENT" => {
                (entities, items) = (entities + 1, 0);
                let remittance = &advice.remittances[entities - 1];
                eyes.same("ENT01", remittance.number.as_ref(), at(&s, 1));
                eyes.same("ENT02", remittance.role.as_ref(), at(&s, 2));
                let id = remittance.id.clone().unwrap_or_default();
                eyes.same("ENT04", id.id, at(&s, 4));
            }
            "RMR" => {
                item(&mut eyes, here.expect("an entity"), &s, items);
                items += 1;
            }
            "DTM" if items > 0 => {
                let dates = &here.expect("an entity").items[items - 1].dates;
                eyes.same("DTM01", dates[0].qualifier.as_ref(), at(&s, 1));
                eyes.same("DTM06", dates[0].period.as_ref(), at(&s, 6));
            }
            _ if entities == 0 => heading(&mut eyes, &advice, &s),
            _ => {}
        }
    }
    assert_eq!(advice.remittances.len(), entities, "entities in {file}");
    eyes.end(least);
}

#[test]
fn an_820_with_four_entities() {
    advice(
        "X218_RA820_Payroll_Deducted_and_Other_Group_Premium_Payment_for_Insurance_Products__pass__list-bill-payment.edi",
        45,
    );
}

#[test]
fn an_820_of_one_sum() {
    advice(
        "X218_RA820_Payroll_Deducted_and_Other_Group_Premium_Payment_for_Insurance_Products__pass__summary-bill.edi",
        25,
    );
}

#[test]
fn an_820_with_negative_items() {
    advice(
        "X306_RA820_Health_Insurance_Exchange_Related_Payments__pass__final-hix-820-charges-exceed-payments.edi",
        25,
    );
}

/// All of the corpus' ship notices and remittance advices: what is sound has no error.
#[test]
fn sound_notices_and_advices_have_no_error() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/x12/corpus/");
    let Ok(index) = std::fs::read_to_string(format!("{root}index.tsv")) else {
        say!("skipped: no ../shared");
        return;
    };
    let library = Library::embedded();
    let mut clean = 0;
    for line in index.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (set, class) = (columns[4], columns[9]);
        if !["856", "820"].contains(&set) || class == "malformed" {
            continue;
        }
        let text = std::fs::read_to_string(format!("{root}{}", columns[0])).unwrap();
        let bytes = text.replace("*-*00406*", "*U*00401*").into_bytes();
        let file = x12::read(&bytes[..]).unwrap();
        for interchange in &file.interchanges {
            for group in &interchange.groups {
                let version = match &group.header.version {
                    v if v.starts_with("004") => "004010",
                    _ => "005010",
                };
                for one in &group.sets {
                    let guide = library.guide(None, version, &one.id).unwrap().unwrap();
                    let reading = read(&guide, &one.segments, &interchange.delimiters);
                    let errors = reading.findings.iter();
                    let errors = errors.filter(|f| f.severity == x12::Severity::Error);
                    let errors: Vec<_> = errors.map(|f| &f.message).collect();
                    assert!(errors.is_empty(), "{}: {errors:#?}", columns[0]);
                    clean += 1;
                }
            }
        }
    }
    say!("{clean} notices and advices of the corpus have no error");
    assert!(clean >= 20, "{clean}");
}
