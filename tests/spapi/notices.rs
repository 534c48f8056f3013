//! Ship notices that are made up as shipments are: seven structures, everything that the API has a
//! place for, at random.

use proptest::prelude::*;
use serde_json::{Value, json};
use transload::bridge::spapi::operation;
use transload::canonical::Document;

use super::context;
use super::samples::{draws, over_and_back};

const STRUCTURES: [&str; 8] = [
    "SOTPI", "SOPI", "SOTI", "SOTIP", "SOIP", "STOI", "SPOI", "SOI",
];

struct Maker<'a> {
    draw: &'a mut dyn FnMut(u32) -> u32,
    count: u64,
}

impl Maker<'_> {
    fn maybe(&mut self) -> bool {
        (self.draw)(3) > 0
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn party(&mut self, id: &str) -> Value {
        let mut party = json!({"id": {"qualifier": "assigned_by_buyer", "id": id}});
        if self.maybe() {
            party["name"] = "TINDERBOX TOYS".into();
            party["address"] = json!({"lines": ["1 DOCK ROAD", "GATE 2"], "city": "PHOENIX",
                "state": "AZ", "postal_code": "85001", "country": "US"});
        }
        party
    }

    fn date(&mut self) -> Value {
        let day = format!("2027-01-{:02}", 1 + (self.draw)(28));
        match self.maybe() {
            true => json!({"date": day}),
            false => json!({"date": day, "time": "14:30", "zone": "UT"}),
        }
    }

    fn shipment(&mut self) -> Value {
        let mut level = json!({"level": "shipment"});
        let mut references = Vec::new();
        for code in ["BM", "CN", "BX", "SN", "PK"] {
            if self.maybe() {
                references.push(json!({"qualifier": code, "id": format!("R{}", self.next())}));
            }
        }
        level["references"] = references.into();
        if self.maybe() {
            let mode = ["M", "LT", "U", "A", "O"][(self.draw)(5) as usize];
            level["routing"] =
                json!([{"carrier_qualifier": "scac", "carrier": "UPSN", "mode": mode}]);
        }
        if self.maybe() {
            level["lading"] = json!([{"packaging": "CTN", "count": 12, "weight_qualifier": "G",
                "weight": "120.5", "weight_unit": "pound"}]);
        }
        level["ship_to"] = self.party("PHX3");
        level["ship_from"] = self.party("TB1");
        let mut vendor = self.party("TNDBX");
        vendor["role"] = "VN".into();
        level["parties"] = json!([vendor]);
        level["shipped"] = self.date();
        if self.maybe() {
            level["expected"] = self.date();
        }
        level
    }

    fn package(&mut self, letter: char) -> Value {
        let mark =
            json!({"ranges": [{"qualifier": "sscc", "first": format!("{:018}", self.next())}]});
        let mut level = json!({"marks": [mark]});
        let size = json!({"length": "10", "width": "20.5", "height": "30",
            "dimension_unit": "inch"});
        if letter == 'T' {
            level["level"] = "tare".into();
            if self.maybe() {
                level["pallet"] = size;
                level["pallet"]["tiers"] = 4.into();
                level["pallet"]["blocks"] = 6.into();
                level["pallet"]["gross_weight"] = "310".into();
                level["pallet"]["gross_weight_unit"] = "pound".into();
            }
            return level;
        }
        level["level"] = "pack".into();
        if self.maybe() {
            let track = format!("1Z{:08}", self.next());
            let track = json!({"ranges": [{"qualifier": "carrier_package", "first": track}]});
            level["marks"].as_array_mut().unwrap().push(track);
        }
        if self.maybe() {
            level["pack"] = size;
            level["pack"]["weight"] = "12.25".into();
            level["pack"]["weight_unit"] = "kilogram".into();
        }
        level
    }

    fn item(&mut self) -> Value {
        let n = self.next();
        let mut ids = vec![json!({"qualifier": "vendor_item", "id": format!("TK-{n}")})];
        if self.maybe() {
            ids.insert(
                0,
                json!({"qualifier": "buyer_part", "id": format!("B{n:09}")}),
            );
        }
        let unit = ["each", "case"][(self.draw)(2) as usize];
        // A multiple of as many cases as there may be.
        let amount = (6 * (1 + (self.draw)(40))).to_string();
        let mut level = json!({"level": "item",
            "item": {"ids": ids, "quantity": {"value": amount, "unit": unit}}});
        if self.maybe() {
            level["references"] = json!([{"qualifier": "LT", "id": format!("LOT{n}")}]);
        }
        if self.maybe() {
            let (good, made) = (self.date(), self.date());
            level["dates"] = json!([{"qualifier": "036", "moment": good},
                {"qualifier": "094", "moment": made}]);
        }
        level
    }

    fn level(&mut self, chain: &str) -> Value {
        let (letter, rest) = chain.split_at(1);
        let mut level = match letter {
            "S" => self.shipment(),
            "O" => json!({"level": "order", "order": {"number": format!("PO{}", self.next())}}),
            "I" => self.item(),
            other => self.package(other.chars().next().unwrap()),
        };
        let count = match (letter, rest) {
            (_, "") => 0,
            ("S", _) => 1 + (self.draw)(2),
            _ => 1 + (self.draw)(3),
        };
        if count > 0 {
            level["levels"] = (0..count).map(|_| self.level(rest)).collect();
        }
        level
    }
}

pub(super) fn notice(chain: &str, seed: u64) -> Document {
    let mut draw = draws(seed);
    let mut maker = Maker {
        draw: &mut draw,
        count: 0,
    };
    let levels = maker.level(chain);
    let value = json!({"document": "ship_notice", "purpose": "original", "number": "SN-26-0417",
        "made": {"date": "2026-11-22", "time": "13:05", "zone": "UT"}, "levels": [levels]});
    Document::from_json(value.to_string().as_bytes()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everything_that_a_notice_may_say_comes_back(which in 0..STRUCTURES.len(), seed: u64) {
        let chain = STRUCTURES[which];
        let (wrong, _) = over_and_back(&notice(chain, seed), false);
        prop_assert!(wrong.is_empty(), "{chain} {seed}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn a_range_of_marks_is_as_many_cartons() {
    let pack = json!({"level": "pack",
        "marks": [{"ranges": [{"qualifier": "carrier_package", "first": "1Z0098", "last": "1Z0101"}]}],
        "levels": [{"level": "item", "item": {"ids": [{"qualifier": "vendor_item", "id": "TK-1"}],
            "quantity": {"value": "8", "unit": "each"}}}]});
    let order = json!({"level": "order", "order": {"number": "PO1"}, "levels": [pack]});
    let value = json!({"document": "ship_notice", "purpose": "original", "number": "SN-1",
        "levels": [{"level": "shipment", "levels": [order]}]});
    let document = Document::from_json(value.to_string().as_bytes()).unwrap();
    let request = operation::write(&document, &context()).unwrap();
    let record = &request.body["shipmentConfirmations"][0];
    let cartons = record["cartons"].as_array().unwrap();
    let tracked: Vec<&str> = cartons
        .iter()
        .map(|carton| carton["trackingNumber"].as_str().unwrap())
        .collect();
    assert_eq!(tracked, ["1Z0098", "1Z0099", "1Z0100", "1Z0101"]);
    assert!(
        cartons
            .iter()
            .all(|carton| carton["items"][0]["shippedQuantity"]["amount"] == 2)
    );
    assert_eq!(record["shippedItems"][0]["shippedQuantity"]["amount"], 8);
    let (wrong, _) = over_and_back(&document, false);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
