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

use super::loss::{Loss, LossKind, Way};
use super::parts::ORDERS;
use super::rows::{Row, Via, Walk};
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
pub fn to_api(order: &PurchaseOrder, context: &Context) -> (Value, Vec<Loss>) {
    let mut walk = Walk::new("order", Way::ToApi, tree(order), context);
    walk.ours.take_if("purpose", "original");
    if context.collect && !walk.ours.has("ship_window") && walk.ours.has("delivery_window") {
        walk.over("delivery_window", "orderDetails.shipWindow", Via::Interval);
        let window = walk
            .theirs
            .text("orderDetails.shipWindow")
            .unwrap_or_default();
        walk.note(LossKind::Inferred, "orderDetails.shipWindow", window);
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
        walk.theirs
            .put(&format!("{theirs}.isBackOrderAllowed"), back_orders);
    }
    if order.lines.is_empty() {
        walk.theirs.put("orderDetails.items", serde_json::json!([]));
    }
    let state = "purchaseOrderState";
    walk.theirs.put(state, "New");
    walk.note(LossKind::Synthesised, state, "New");
    walk.now("orderDetails.purchaseOrderDate");
    walk.now("orderDetails.purchaseOrderStateChangedDate");
    walk.end_to_api()
}

/// An order that the API gave.
#[must_use]
pub fn from_api(order: Value, context: &Context) -> (PurchaseOrder, Vec<Loss>) {
    let mut walk = Walk::of("order", "Order", order, context);
    walk.constant("purpose", "original");
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
    let (value, mut losses) = walk.end_from_api();
    (document(value, &mut losses), losses)
}

impl Walk<'_> {
    /// Where no reference says the vendor code the vendor's own id does; it comes back as the code.
    fn seller_to_api(&mut self) {
        let code = "orderDetails.sellingParty.partyId";
        if self.theirs.has(code) {
            return;
        }
        if let Some(id) = self.ours.text("vendor.id.id") {
            self.note(LossKind::Split, "vendor.id.id", &id);
            self.note(LossKind::Inferred, code, id);
            if let Some(word) = self.ours.text("vendor.id.qualifier") {
                self.note(LossKind::Split, "vendor.id.qualifier", word);
            }
        }
    }

    fn import_to_api(&mut self) {
        let terms = "delivery_terms[0]";
        if self
            .theirs
            .has(&format!("{IMPORT}.internationalCommercialTerms"))
        {
            self.ours
                .take_if(&format!("{terms}.trade_terms_qualifier"), "01");
        }
        if self
            .ours
            .text(&format!("{terms}.place_qualifier"))
            .as_deref()
            == Some("OV")
        {
            let place = format!("{terms}.place");
            self.over(&place, &format!("{IMPORT}.portOfDelivery"), Via::Cut(64));
            if self.theirs.has(&format!("{IMPORT}.portOfDelivery")) {
                self.ours.take(&format!("{terms}.place_qualifier"));
            }
        }
        let free = |name| self.ours.text(&format!("packaging[0].{name}"));
        if free("form").as_deref() == Some("free_form")
            && free("characteristic").as_deref() == Some("CS")
        {
            self.over(
                "packaging[0].text",
                &format!("{IMPORT}.importContainers"),
                Via::Cut(64),
            );
            if self.theirs.has(&format!("{IMPORT}.importContainers")) {
                self.ours.take("packaging[0].form");
                self.ours.take("packaging[0].characteristic");
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
        let pieces: Vec<(String, String)> = (0..self.ours.len(&format!("{note}.text")))
            .map(|n| format!("{note}.text[{n}].text"))
            .filter_map(|path| Some((self.ours.take(&path)?, path)))
            .collect();
        if pieces.is_empty() {
            return;
        }
        self.ours.take(&format!("{note}.qualifier"));
        let all: Vec<&str> = pieces.iter().map(|(text, _)| text.as_str()).collect();
        self.theirs
            .put(&format!("{IMPORT}.shippingInstructions"), all.join(" "));
        if pieces.len() > 1 {
            for (text, path) in pieces {
                self.note(LossKind::Split, &path, text);
            }
        }
    }

    fn import_from_api(&mut self) {
        let terms = "delivery_terms[0]";
        if self.ours.has(&format!("{terms}.trade_terms")) {
            self.constant(&format!("{terms}.trade_terms_qualifier"), "01");
            self.note(
                LossKind::Synthesised,
                &format!("{terms}.trade_terms_qualifier"),
                "01",
            );
        }
        let port = format!("{IMPORT}.portOfDelivery");
        if self.theirs.has(&port) {
            self.constant(&format!("{terms}.place_qualifier"), "OV");
            self.back(&format!("{terms}.place"), &port, Via::Text);
        }
        let containers = format!("{IMPORT}.importContainers");
        if self.theirs.has(&containers) {
            self.constant("packaging[0].form", "free_form");
            self.constant("packaging[0].characteristic", "CS");
            self.back("packaging[0].text", &containers, Via::Text);
        }
        let instructions = format!("{IMPORT}.shippingInstructions");
        if self.theirs.has(&instructions) {
            self.constant("notes[0].qualifier", "L1");
            self.constant("notes[0].id", "1");
            self.note(LossKind::Synthesised, "notes[0].id", "1");
            self.back("notes[0].text[0].text", &instructions, Via::Text);
        }
    }

    /// What the 850 says once for all its lines.
    fn back_orders_to_api(&mut self) -> bool {
        if self.ours.len("lines") == 0 {
            return false;
        }
        for n in 0..self.ours.len("sales_requirements") {
            let path = format!("sales_requirements[{n}].requirement");
            if self.ours.take_if(&path, "back_order_if_out_of_stock") {
                return true;
            }
            if self.ours.take_if(&path, "no_back_order") {
                return false;
            }
        }
        let place = "orderDetails.items.isBackOrderAllowed";
        self.note(LossKind::Synthesised, place, false);
        false
    }

    /// Allowed where every line allows it.
    fn back_orders_from_api(&mut self) {
        let lines = 0..self.theirs.len("orderDetails.items");
        let paths: Vec<String> = lines
            .map(|n| format!("orderDetails.items[{n}].isBackOrderAllowed"))
            .collect();
        let said: Vec<(String, String)> = paths
            .into_iter()
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
        self.ours.put("sales_requirements[0].requirement", word);
        self.note(
            LossKind::Inferred,
            "sales_requirements[0].requirement",
            word,
        );
        for (text, path) in said.into_iter().filter(|(text, _)| (text == "true") != all) {
            self.note(LossKind::Dropped, &path, text);
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
            let _ = self.ours.take_if(&basis, "retail_per_each")
                || self.ours.take_if(&basis, "per_each");
        }
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
            let word = self.ours.take(&kind).unwrap_or_default();
            // A price that comes back as the line's own, and not beside it.
            if word == "net" || !self.theirs.has(&format!("{theirs}.netCost")) {
                self.note(LossKind::Split, &amount, &said);
                self.note(LossKind::Inferred, &place, said);
            }
            if word != "list" || !self.theirs.has(&format!("{theirs}.netCost")) {
                self.note(LossKind::Dropped, &kind, word);
            }
        }
        let both = self.theirs.has(&format!("{theirs}.netCost"));
        if let Some(retail) = retail.filter(|_| both) {
            self.note(LossKind::Split, &amount, &retail);
            self.note(LossKind::Inferred, &format!("{theirs}.listPrice"), retail);
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
            self.ours.put(&basis, "per_each");
            self.note(LossKind::Inferred, &basis, "per_each");
            if self.theirs.has(&format!("{list}.amount")) {
                self.ours.put(&format!("{ours}.prices[0].kind"), "list");
                self.money_from_api(&format!("{ours}.prices[0].amount"), "", &list);
            }
        } else if self.theirs.has(&format!("{list}.amount")) {
            self.money_from_api(&amount, &own, &list);
            self.ours.put(&basis, "retail_per_each");
        }
    }

    /// Whose currency it is, which X12 asks and the API does not say.
    pub(super) fn role_of_currency(&mut self, role: &str) {
        self.ours.put("currency.role", role);
        self.note(LossKind::Synthesised, "currency.role", role);
    }
}
