//! The order: an 850's purchase order ⇄ what `getPurchaseOrder` answers.
//!
//! | of the 850 | of the API |
//! |---|---|
//! | BEG02, BEG03, BEG05 | type, number, date (an instant there) |
//! | REF CR | the selling party's id, which is the vendor code |
//! | FOB, PKG05, N9 L1 | import details |
//! | CSH01, of the whole | back orders, line by line |
//! | PO1 | items; of several ids of the vendor one |
//!
//! The API's state of an order is in no 850; going there, it is new, as of now.

use super::loss::{LossKind, Report, Way};
use super::parts::ORDERS;
use super::rows::{Row, Via};
use super::walk::Walk;
use super::{Context, document, tree};
use crate::canonical::PurchaseOrder;
use serde_json::Value;

const ROWS: [Row; 15] = [
    Row("number", "purchaseOrderNumber", Via::Text),
    Row(
        "kind",
        "orderDetails.purchaseOrderType",
        Via::Code("order_type"),
    ),
    Row("ordered_on", "orderDetails.purchaseOrderDate", Via::Date),
    Row("deal", "orderDetails.dealCode", Via::Text),
    Row(
        "vendor_number",
        "orderDetails.sellingParty.partyId",
        Via::Text,
    ),
    Row(
        "delivery_terms[0].payment",
        "orderDetails.importDetails.methodOfPayment",
        Via::Code("method_of_payment"),
    ),
    Row(
        "delivery_terms[0].trade_terms",
        "orderDetails.importDetails.internationalCommercialTerms",
        Via::Code("incoterms"),
    ),
    Row(
        "delivery_window",
        "orderDetails.deliveryWindow",
        Via::Interval,
    ),
    Row("ship_window", "orderDetails.shipWindow", Via::Interval),
    Row(
        "lines[].number",
        "orderDetails.items[].itemSequenceNumber",
        Via::Text,
    ),
    Row(
        "lines[].quantity.value",
        "orderDetails.items[].orderedQuantity.amount",
        Via::Whole,
    ),
    Row(
        "lines[].quantity.unit",
        "orderDetails.items[].orderedQuantity.unitOfMeasure",
        Via::Unit("unit"),
    ),
    Row(
        "lines[].packs[0].packs",
        "orderDetails.items[].orderedQuantity.unitSize",
        Via::Count,
    ),
    Row(
        "lines[].quantity.pack_size",
        "orderDetails.items[].orderedQuantity.unitSize",
        Via::Count,
    ),
    Row(
        "lines[].price.unit",
        "orderDetails.items[].netCost.unitOfMeasure",
        Via::Code("total_weight"),
    ),
];

const PARTIES: [(&str, &str); 4] = [
    ("buyer", "orderDetails.buyingParty"),
    ("vendor", "orderDetails.sellingParty"),
    ("ship_to", "orderDetails.shipToParty"),
    ("bill_to", "orderDetails.billToParty"),
];

const IMPORT: &str = "orderDetails.importDetails";
const ASIN: &str = "amazonProductIdentifier";

/// An order as the API would have given it.
#[must_use]
pub fn to_api(order: &PurchaseOrder, context: &Context) -> (Value, Report) {
    let mut walk = Walk::new("order", Way::ToApi, tree(order), context);
    walk.said_if("purpose", "original", "");
    if context.collect && !walk.ours.has("ship_window") && walk.ours.has("delivery_window") {
        walk.over("delivery_window", "orderDetails.shipWindow", Via::Interval);
        let window = walk.theirs.text("orderDetails.shipWindow");
        walk.note(
            LossKind::Inferred,
            "orderDetails.shipWindow",
            window.unwrap_or_default(),
        );
    }
    walk.rows_to_api(&ROWS);
    walk.seller_to_api();
    for (ours, theirs) in PARTIES {
        walk.party_to_api(ours, theirs, ORDERS);
    }
    walk.vendor_code("orderDetails.sellingParty");
    walk.import_to_api();
    let back_orders = walk.back_orders_to_api();
    for n in 0..order.lines.len() {
        let (ours, theirs) = (format!("lines[{n}]"), format!("orderDetails.items[{n}]"));
        walk.ids_to_api(&ours, &theirs, ASIN);
        walk.prices_to_api(&ours, &theirs);
        let place = format!("{theirs}.isBackOrderAllowed");
        match &back_orders {
            Some((said, allowed)) => walk.make(&place, *allowed, said),
            None => walk.add(LossKind::Synthesised, &place, false),
        }
    }
    if order.lines.is_empty() {
        walk.theirs.put("orderDetails.items", serde_json::json!([]));
    }
    walk.add(LossKind::Synthesised, "purchaseOrderState", "New");
    walk.now("orderDetails.purchaseOrderDate");
    walk.now("orderDetails.purchaseOrderStateChangedDate");
    walk.end_to_api()
}

/// An order that the API gave.
#[must_use]
pub fn from_api(order: Value, context: &Context) -> (PurchaseOrder, Report) {
    let mut walk = Walk::of("order", "Order", order, context);
    walk.add(LossKind::Synthesised, "purpose", "original");
    walk.rows_from_api(&ROWS);
    for (ours, theirs) in PARTIES {
        walk.party_from_api(ours, theirs, ORDERS);
    }
    walk.import_from_api();
    walk.back_orders_from_api();
    for n in 0..walk.theirs.len("orderDetails.items") {
        let (ours, theirs) = (format!("lines[{n}]"), format!("orderDetails.items[{n}]"));
        walk.ids_from_api(&ours, &theirs, ASIN);
        walk.prices_from_api(&ours, &theirs);
    }
    if walk.ours.has("currency.code") {
        walk.role_of_currency("BY");
    }
    document(walk.end_from_api())
}

impl Walk<'_> {
    /// Where no reference says the vendor code the vendor's own id does; it comes back as the code.
    fn seller_to_api(&mut self) {
        let code = "orderDetails.sellingParty.partyId";
        if self.theirs.has(code) {
            return;
        }
        for part in ["id", "qualifier"] {
            let path = format!("vendor.id.{part}");
            if let Some(text) = self
                .ours
                .text(&path)
                .filter(|_| self.ours.has("vendor.id.id"))
            {
                self.note(LossKind::Split, &path, &text);
                if part == "id" {
                    self.note(LossKind::Inferred, code, text.trim());
                }
            }
        }
    }

    fn import_to_api(&mut self) {
        let terms = "delivery_terms[0]";
        let incoterm = format!("{IMPORT}.internationalCommercialTerms");
        if self.theirs.has(&incoterm) {
            self.said_if(&format!("{terms}.trade_terms_qualifier"), "01", &incoterm);
        }
        if self
            .ours
            .text(&format!("{terms}.place_qualifier"))
            .as_deref()
            == Some("OV")
        {
            let port = format!("{IMPORT}.portOfDelivery");
            self.over(&format!("{terms}.place"), &port, Via::Cut(64));
            if self.theirs.has(&port) {
                self.said(&format!("{terms}.place_qualifier"), &port);
            }
        }
        let free = |name| self.ours.text(&format!("packaging[0].{name}"));
        if free("form").as_deref() == Some("free_form")
            && free("characteristic").as_deref() == Some("CS")
        {
            let containers = format!("{IMPORT}.importContainers");
            self.over("packaging[0].text", &containers, Via::Cut(64));
            if self.theirs.has(&containers) {
                self.said("packaging[0].form", &containers);
                self.said("packaging[0].characteristic", &containers);
            }
        }
        let notes = 0..self.ours.len("notes");
        let mut notes = notes.map(|n| format!("notes[{n}]"));
        let is =
            |note: &String| self.ours.text(&format!("{note}.qualifier")).as_deref() == Some("L1");
        if let Some(note) = notes.find(is) {
            self.instructions_to_api(&note);
        }
    }

    /// All the text of a note, in one.
    fn instructions_to_api(&mut self, note: &str) {
        let place = format!("{IMPORT}.shippingInstructions");
        let pieces: Vec<(String, String)> = (0..self.ours.len(&format!("{note}.text")))
            .map(|n| format!("{note}.text[{n}].text"))
            .filter_map(|path| Some((self.said(&path, &place)?, path)))
            .collect();
        if pieces.is_empty() {
            return;
        }
        self.said(&format!("{note}.qualifier"), &place);
        let all: Vec<&str> = pieces.iter().map(|(text, _)| text.as_str()).collect();
        let all = all.join(" ");
        self.theirs.put(&place, all.trim());
        if pieces.len() > 1 || all.trim() != all {
            for (text, path) in pieces {
                self.note(LossKind::Split, &path, text);
            }
        }
    }

    fn import_from_api(&mut self) {
        let terms = "delivery_terms[0]";
        if self.ours.has(&format!("{terms}.trade_terms")) {
            let path = format!("{terms}.trade_terms_qualifier");
            self.add(LossKind::Synthesised, &path, "01");
            self.trace(&path, &format!("{IMPORT}.internationalCommercialTerms"));
        }
        let port = format!("{IMPORT}.portOfDelivery");
        if self.theirs.has(&port) {
            self.means(&format!("{terms}.place_qualifier"), "OV", &port);
            self.back(&format!("{terms}.place"), &port, Via::Text);
        }
        let containers = format!("{IMPORT}.importContainers");
        if self.theirs.has(&containers) {
            self.means("packaging[0].form", "free_form", &containers);
            self.means("packaging[0].characteristic", "CS", &containers);
            self.back("packaging[0].text", &containers, Via::Text);
        }
        let instructions = format!("{IMPORT}.shippingInstructions");
        if self.theirs.has(&instructions) {
            self.means("notes[0].qualifier", "L1", &instructions);
            self.add(LossKind::Synthesised, "notes[0].id", "1");
            self.back("notes[0].text[0].text", &instructions, Via::Text);
        }
    }

    /// What the 850 says once for all its lines, and where it says so.
    fn back_orders_to_api(&mut self) -> Option<(String, bool)> {
        let lines = self.ours.len("lines");
        let count = self.ours.len("sales_requirements");
        let mut paths = (0..count).map(|n| format!("sales_requirements[{n}].requirement"));
        paths.find_map(|path| {
            let allowed = match self.ours.text(&path).as_deref() {
                Some("back_order_if_out_of_stock") => true,
                Some("no_back_order") => false,
                _ => return None,
            };
            (lines > 0).then(|| self.ours.take(&path))?;
            Some((path, allowed))
        })
    }

    /// Allowed where every line allows it.
    fn back_orders_from_api(&mut self) {
        let lines = 0..self.theirs.len("orderDetails.items");
        let paths = lines.map(|n| format!("orderDetails.items[{n}].isBackOrderAllowed"));
        let said: Vec<(String, String)> = paths
            .filter_map(|path| Some((self.theirs.take(&path)?, path)))
            .collect();
        if said.is_empty() {
            return;
        }
        let all = said.iter().all(|(text, _)| text == "true");
        let word = if all {
            "back_order_if_out_of_stock"
        } else {
            "no_back_order"
        };
        let ours = "sales_requirements[0].requirement";
        self.add(LossKind::Inferred, ours, word);
        for (text, path) in said {
            match (text == "true") == all {
                true => self.trace(ours, &path),
                false => self.note(LossKind::Dropped, &path, text),
            }
        }
    }

    /// Net cost and list price of a line.
    pub(super) fn prices_to_api(&mut self, ours: &str, theirs: &str) {
        let (amount, own) = (
            format!("{ours}.price.amount"),
            format!("{ours}.price.currency"),
        );
        let basis = format!("{ours}.price.basis");
        let place = match self.ours.text(&basis).as_deref() {
            Some("retail_per_each") => format!("{theirs}.listPrice"),
            _ => format!("{theirs}.netCost"),
        };
        let retail = self
            .ours
            .text(&amount)
            .filter(|_| place.ends_with("listPrice"));
        if self.ours.has(&amount) {
            self.money_to_api(&amount, &own, &place);
            let _ = self.said_if(&basis, "retail_per_each", &place)
                || self.said_if(&basis, "per_each", &format!("{place}.amount"));
        }
        let mut beside = Vec::new();
        for n in 0..self.ours.len(&format!("{ours}.prices")) {
            let price = format!("{ours}.prices[{n}]");
            let place = match self.ours.text(&format!("{price}.kind")).as_deref() {
                Some("net") => format!("{theirs}.netCost"),
                Some("list" | "suggested_list") => format!("{theirs}.listPrice"),
                _ => continue,
            };
            let amount = format!("{price}.amount");
            if self.theirs.has(&place) || !self.ours.has(&amount) {
                continue;
            }
            let said = self.ours.text(&amount).unwrap_or_default();
            self.money_to_api(&amount, "", &place);
            if !self.theirs.has(&place) {
                continue;
            }
            let kind = format!("{price}.kind");
            let word = self
                .said(&kind, &format!("{place}.amount"))
                .unwrap_or_default();
            beside.push((amount, said, kind, word, place));
        }
        // A price that comes back as the line's own, and not beside it; or the other way.
        let both = self.theirs.has(&format!("{theirs}.netCost"));
        for (amount, said, kind, word, place) in beside {
            if word == "net" || !both {
                self.note(LossKind::Split, &amount, &said);
                self.note(LossKind::Inferred, &format!("{place}.amount"), said);
            }
            if word != "list" || !both {
                self.note(LossKind::Dropped, &kind, word);
            }
        }
        if let Some(retail) = retail.filter(|_| both) {
            self.note(LossKind::Split, &amount, &retail);
            self.note(
                LossKind::Inferred,
                &format!("{theirs}.listPrice.amount"),
                retail,
            );
            self.note(LossKind::Dropped, &basis, "retail_per_each");
        }
    }

    /// Net cost, and beside it the list price; a list price alone is the line's price.
    pub(super) fn prices_from_api(&mut self, ours: &str, theirs: &str) {
        let (net, list) = (format!("{theirs}.netCost"), format!("{theirs}.listPrice"));
        let (amount, own) = (
            format!("{ours}.price.amount"),
            format!("{ours}.price.currency"),
        );
        let basis = format!("{ours}.price.basis");
        if self.theirs.has(&format!("{net}.amount")) {
            self.money_from_api(&amount, &own, &net);
            self.add(LossKind::Inferred, &basis, "per_each");
            self.trace(&basis, &format!("{net}.amount"));
            if self.theirs.has(&format!("{list}.amount")) {
                let kind = format!("{ours}.prices[0].kind");
                self.means(&kind, "list", &format!("{list}.amount"));
                self.money_from_api(&format!("{ours}.prices[0].amount"), "", &list);
            }
        } else if self.theirs.has(&format!("{list}.amount")) {
            self.money_from_api(&amount, &own, &list);
            self.add(LossKind::Inferred, &basis, "retail_per_each");
            self.trace(&basis, &format!("{list}.amount"));
        }
    }

    /// Whose currency it is, which X12 asks and the API does not say.
    pub(super) fn role_of_currency(&mut self, role: &str) {
        self.add(LossKind::Synthesised, "currency.role", role);
    }
}
