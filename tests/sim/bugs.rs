//! Bugs that a gateway could have, each planted into an honest paper: the buyer refuses it or remarks
//! it, with a reason that names the place.

use chrono::{DateTime, TimeDelta, Utc};
use transload::canonical::{Code, Document};
use transload::sim::{Door, Scenario, Verdict, World};

use super::vendor::{Papers, digit};

/// Where the first carton and its item stand in a notice.
const CARTON: &str = "/levels/0/levels/0/levels/0";

/// A document with another value at a JSON pointer.
fn broken(document: &Document, at: &str, value: serde_json::Value) -> Document {
    let mut json = serde_json::to_value(document).unwrap();
    *json
        .pointer_mut(at)
        .unwrap_or_else(|| panic!("no {at} in {document:?}")) = value;
    serde_json::from_value(json).unwrap()
}

/// A notice whose first item has so many more.
fn off_by(notice: &Document, more: i64) -> Document {
    let json = serde_json::to_value(notice).unwrap();
    let at = format!("{CARTON}/levels/0/item/quantity/value");
    let units: i64 = json
        .pointer(&at)
        .unwrap()
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    broken(notice, &at, (units + more).to_string().into())
}

/// A world with one order that has come as far as a bug needs, and its honest papers.
struct Case {
    world: World,
    papers: Papers,
    now: DateTime<Utc>,
}

impl Case {
    fn ordered() -> Case {
        let now = super::start();
        // The first seed whose order has two lines or more: a bug can mix them up.
        let with = |seed: u64| {
            let mut world = World::new(Scenario::named("standard").unwrap(), seed, now, 1);
            let order = world.due(now).remove(0).document;
            let Document::PurchaseOrder(order) = order else {
                panic!("the first thing said is an order")
            };
            (order.lines.len() > 1).then_some((world, order))
        };
        let (world, order) = (1..50).find_map(with).unwrap();
        let papers = Papers::of(order, now + TimeDelta::hours(24));
        Case { world, papers, now }
    }

    fn take(&mut self, document: &Document, hours: i64) -> Verdict {
        let now = self.now + TimeDelta::hours(hours);
        self.world.take(document, Door::Edi, now)
    }

    fn acknowledged() -> Case {
        let mut case = Case::ordered();
        let answer = case.papers.answer(case.now);
        assert!(case.take(&answer, 1).accepted());
        case
    }

    fn shipped() -> Case {
        let mut case = Case::acknowledged();
        let notice = case.papers.notice("SN-1");
        let verdict = case.take(&notice, 24);
        assert!(
            verdict.accepted() && verdict.reasons().is_empty(),
            "{verdict:?}"
        );
        case
    }

    /// Takes a document that must be refused for this reason at this place, and changes nothing.
    fn refuses(mut self, document: &Document, hours: i64, code: &str, path: &str) {
        let before = self.world.ledger();
        let verdict = self.take(document, hours);
        let found = verdict.reasons().iter().find(|one| one.code == code);
        let found = found.unwrap_or_else(|| panic!("no {code}: {verdict:?}"));
        assert!(
            !verdict.accepted() && found.path.contains(path),
            "{verdict:?}"
        );
        assert!(
            found.sentence.len() > 8 && !found.sentence.ends_with('.'),
            "{found:?}"
        );
        assert_eq!(
            self.world.ledger(),
            before,
            "{code}: what is refused counts for nothing"
        );
    }
}

#[test]
fn an_acknowledgment_for_the_wrong_line() {
    let case = Case::ordered();
    let Document::PurchaseOrderAcknowledgment(mut answer) = case.papers.answer(case.now) else {
        panic!()
    };
    let (first, second) = (
        answer.lines[0].number.clone(),
        answer.lines[1].number.clone(),
    );
    (answer.lines[0].number, answer.lines[1].number) = (second, first);
    case.refuses(
        &Document::PurchaseOrderAcknowledgment(answer),
        1,
        "wrong_item",
        "lines[0].ids",
    );
}

#[test]
fn an_acknowledgment_of_one_more() {
    let case = Case::ordered();
    let Document::PurchaseOrderAcknowledgment(mut answer) = case.papers.answer(case.now) else {
        panic!()
    };
    let said = &mut answer.lines[1].acknowledgments[0];
    said.quantity.as_mut().unwrap().value = "9999".parse().ok();
    let document = Document::PurchaseOrderAcknowledgment(answer);
    case.refuses(&document, 1, "quantity_above_order", "lines[1]");
}

#[test]
fn an_acknowledgment_that_is_dearer() {
    let case = Case::ordered();
    let Document::PurchaseOrderAcknowledgment(mut answer) = case.papers.answer(case.now) else {
        panic!()
    };
    answer.lines[0].price.as_mut().unwrap().amount = "99999.99".parse().ok();
    let document = Document::PurchaseOrderAcknowledgment(answer);
    case.refuses(&document, 1, "price_above_order", "lines[0].price");
}

#[test]
fn a_line_that_was_rejected_and_is_accepted_after_all() {
    let mut case = Case::ordered();
    let Document::PurchaseOrderAcknowledgment(mut answer) = case.papers.answer(case.now) else {
        panic!()
    };
    answer.lines[0].acknowledgments[0].status = Some(Code::new("rejected"));
    assert!(
        case.take(&Document::PurchaseOrderAcknowledgment(answer), 1)
            .accepted()
    );
    let honest = case.papers.answer(case.now);
    case.refuses(&honest, 2, "rejected_before", "lines[0]");
}

#[test]
fn a_notice_before_the_acknowledgment() {
    let case = Case::ordered();
    let notice = case.papers.notice("SN-1");
    case.refuses(&notice, 24, "not_acknowledged", "levels[0]");
}

#[test]
fn a_notice_of_one_more() {
    let case = Case::acknowledged();
    let notice = off_by(&case.papers.notice("SN-1"), 1);
    case.refuses(&notice, 24, "quantity_above_acknowledged", "item.quantity");
}

#[test]
fn a_notice_of_one_less_shows_at_the_invoice() {
    let mut case = Case::acknowledged();
    let notice = off_by(&case.papers.notice("SN-1"), -1);
    assert!(case.take(&notice, 24).accepted());
    let bill = case.papers.bill("R-1", case.now + TimeDelta::hours(30));
    case.refuses(&bill, 30, "quantity_above_shipped", "lines");
}

#[test]
fn an_sscc_with_another_check_digit_or_twice() {
    let case = Case::acknowledged();
    let notice = case.papers.notice("SN-1");
    let first = format!("{CARTON}/marks/0/ranges/0/first");
    let json = serde_json::to_value(&notice).unwrap();
    let sscc = json.pointer(&first).unwrap().as_str().unwrap().to_owned();
    assert_eq!(digit(&sscc[..17]).to_string(), sscc[17..]);
    let second = "/levels/0/levels/0/levels/1/marks/0/ranges/0/first";
    let twice = broken(&notice, second, sscc.clone().into());
    Case::acknowledged().refuses(&twice, 24, "sscc_used", "levels[1].marks");
    let wrong = (digit(&sscc[..17]) + 1) % 10;
    let wrong = broken(&notice, &first, format!("{}{wrong}", &sscc[..17]).into());
    case.refuses(&wrong, 24, "sscc_check_digit", "levels[0].marks");
}

#[test]
fn a_notice_twice_and_one_of_goods_that_nobody_ordered() {
    let case = Case::shipped();
    let again = case.papers.notice("SN-1");
    case.refuses(&again, 25, "number_used", "number");
    let case = Case::acknowledged();
    let ids = serde_json::json!([{"qualifier": "buyer_part", "id": "B0SIMXXXXX"}]);
    let at = format!("{CARTON}/levels/0/item/ids");
    let notice = broken(&case.papers.notice("SN-1"), &at, ids);
    case.refuses(&notice, 24, "unknown_item", "item.ids");
}

#[test]
fn an_invoice_before_the_goods_leave() {
    let case = Case::acknowledged();
    let bill = case.papers.bill("R-1", case.now + TimeDelta::hours(2));
    case.refuses(&bill, 2, "not_shipped", "order_number");
}

#[test]
fn an_invoice_whose_total_is_off_by_a_cent() {
    let case = Case::shipped();
    let Document::Invoice(mut bill) = case.papers.bill("R-1", case.now + TimeDelta::hours(27))
    else {
        panic!()
    };
    let totals = bill.totals.as_mut().unwrap();
    let one: transload::canonical::Decimal = "0.01".parse().unwrap();
    totals.total = totals.total.and_then(|total| total.checked_add(one));
    case.refuses(
        &Document::Invoice(bill),
        27,
        "total_differs",
        "totals.total",
    );
}

#[test]
fn a_second_invoice_by_its_number_and_by_another() {
    let mut case = Case::shipped();
    let at = case.now + TimeDelta::hours(27);
    let (first, again) = (case.papers.bill("R-1", at), case.papers.bill("R-1", at));
    assert!(case.take(&first, 27).accepted());
    case.refuses(&again, 28, "number_used", "number");
    let mut case = Case::shipped();
    let (first, other) = (case.papers.bill("R-1", at), case.papers.bill("R-2", at));
    assert!(case.take(&first, 27).accepted());
    case.refuses(&other, 28, "quantity_above_shipped", "lines");
}

#[test]
fn a_paper_for_an_order_that_nobody_made() {
    let case = Case::ordered();
    let Document::PurchaseOrderAcknowledgment(mut answer) = case.papers.answer(case.now) else {
        panic!()
    };
    answer.order_number = Some("NOSUCH01".into());
    let document = Document::PurchaseOrderAcknowledgment(answer);
    case.refuses(&document, 1, "unknown_order", "order_number");
}
