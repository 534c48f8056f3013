//! Three real 850s, value by value, against a second reader that knows no guide: it takes
//! elements out by position.

use transload::canonical::{Document, Party, PurchaseOrder};
use transload::mapping::{Library, read};

/// The second reader: segments of the file as lists of elements. Nothing of ours is used.
fn elements(text: &str) -> Vec<Vec<&str>> {
    let (separator, terminator) = (&text[3..4], &text[105..106]);
    let segments = text.split(terminator).map(|s| s.trim_matches(['\r', '\n']));
    segments.map(|s| s.split(separator).collect()).collect()
}

/// Element `number` of a segment, absent where it is empty.
fn at<'a>(segment: &[&'a str], number: usize) -> Option<&'a str> {
    segment.get(number).copied().filter(|e| !e.is_empty())
}

fn order(file: &str) -> Option<(String, PurchaseOrder)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/x12/corpus/");
    let Ok(text) = std::fs::read_to_string(format!("{root}{file}")) else {
        say!("skipped: no ../shared");
        return None;
    };
    let interchange = &transload::x12::read(text.as_bytes()).unwrap().interchanges[0];
    let group = &interchange.groups[0];
    let guide = Library::embedded()
        .guide(None, &group.header.version, "850")
        .unwrap()
        .unwrap();
    match read(&guide, &group.sets[0].segments, &interchange.delimiters).document {
        Some(Document::PurchaseOrder(order)) => Some((text, order)),
        other => panic!("{other:?}"),
    }
}

/// The id qualifier's word, the other way round.
fn qualifiers(library: &Library) -> impl Fn(&str) -> String + use<> {
    let text = library.text("codes/product_id.toml").unwrap().to_owned();
    move |code| {
        let line = text
            .lines()
            .find(|l| l.starts_with(&format!("{code} =")) || l.starts_with(&format!("{code}  =")));
        line.map_or_else(
            || format!("other:{code}"),
            |l| l.split('"').nth(1).unwrap().to_owned(),
        )
    }
}

fn party<'a>(order: &'a PurchaseOrder, role: &str) -> &'a Party {
    let named = match role {
        "ST" => &order.ship_to,
        "BT" => &order.bill_to,
        "BY" => &order.buyer,
        "VN" | "SE" | "SU" => &order.vendor,
        "SF" => &order.ship_from,
        _ => &None,
    };
    let others = || {
        order
            .parties
            .iter()
            .find(|p| p.role.as_deref() == Some(role))
    };
    named
        .as_ref()
        .or_else(others)
        .unwrap_or_else(|| panic!("no party {role}"))
}

#[track_caller]
fn check(file: &str, least: usize) {
    let Some((text, order)) = order(file) else {
        return;
    };
    let (mut compared, mut line, mut described, mut schedule) = (0, 0, 0, 0);
    let mut same = |what: &str, ours: Option<String>, theirs: Option<&str>| {
        assert_eq!(ours.as_deref(), theirs, "{what} in {file}");
        compared += usize::from(theirs.is_some());
    };
    let word = qualifiers(&Library::embedded());
    let mut role = "";
    for s in elements(&text) {
        let current = (line > 0).then(|| &order.lines[line - 1]);
        match s[0] {
            "BEG" => {
                same("BEG03", order.number.clone(), at(&s, 3));
                let date = order.ordered_on.map(|d| d.to_string().replace('-', ""));
                same("BEG05", date, at(&s, 5));
            }
            "N1" if line == 0 => {
                role = s[1];
                same("N102", party(&order, role).name.clone(), at(&s, 2));
                let id = party(&order, role).id.as_ref();
                same("N104", id.and_then(|i| i.id.clone()), at(&s, 4));
            }
            "N4" if line == 0 => {
                let address = party(&order, role).address.clone().unwrap_or_default();
                same("N401", address.city, at(&s, 1));
                same("N402", address.state, at(&s, 2));
                same("N403", address.postal_code, at(&s, 3));
            }
            "PO1" => {
                (line, described, schedule) = (line + 1, 0, 0);
                let item = &order.lines[line - 1];
                let quantity = item.quantity.clone().unwrap_or_default();
                let price = item.price.clone().unwrap_or_default();
                same("PO101", item.number.clone(), at(&s, 1));
                same("PO102", quantity.value.map(|v| v.to_string()), at(&s, 2));
                same("PO104", price.amount.map(|v| v.to_string()), at(&s, 4));
                for (index, pair) in s[6.min(s.len())..].chunks(2).enumerate() {
                    let id = &item.ids[index];
                    let code = word(pair[0]);
                    same(
                        "PO106 …",
                        id.qualifier.as_ref().map(|q| q.to_string()),
                        Some(&code),
                    );
                    same("PO107 …", id.id.clone(), at(pair, 1));
                }
            }
            "PID" => {
                let item = current.expect("PID stands in a line here");
                same(
                    "PID05",
                    item.descriptions[described].text.clone(),
                    at(&s, 5),
                );
                described += 1;
            }
            "PO4" => {
                let packs = &current.expect("PO4 stands in a line").packs;
                let inner = packs[schedule].packs.map(|v| v.to_string());
                same("PO401", inner, at(&s, 1));
                schedule += 1;
            }
            _ => {}
        }
    }
    assert_eq!(order.lines.len(), line, "lines in {file}");
    say!("{file}: {compared} values are the same");
    assert!(
        compared >= least,
        "only {compared} values compared in {file}"
    );
}

#[test]
fn a_retailers_order() {
    check("aaronhuggins__node-x12/test__test-data__850.edi", 60);
}

#[test]
fn an_order_in_cases() {
    check("apimeister__x12-types/test-data__004010_850.edi", 60);
}

#[test]
fn an_order_with_line_feeds_as_terminators() {
    check(
        "walmartlabs__gozer/src__test__resources__po850__po850.txt",
        25,
    );
}
