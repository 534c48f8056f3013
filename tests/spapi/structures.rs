//! The seven structures of a ship notice: the tree that comes back is the tree that went, level by
//! level, with what it holds.

use transload::bridge::spapi::{LossKind, operation};
use transload::canonical::{
    Code, Document, ItemId, Level, MarkRange, Marks, Quantity, ShipNotice, ShippedItem,
};

use super::context;

/// A tree of one branch at each letter but the last two, which come twice.
fn notice(chain: &str) -> ShipNotice {
    let mut n = 0;
    let mut notice = ShipNotice {
        purpose: Some(Code::new("original")),
        number: Some("SN-1".into()),
        ..Default::default()
    };
    notice.levels = vec![level(chain, &mut n)];
    notice
}

fn level(chain: &str, n: &mut u32) -> Level {
    let (letter, rest) = chain.split_at(1);
    *n += 1;
    let mut level = Level::default();
    let word = match letter {
        "S" => "shipment",
        "O" => "order",
        "T" => "tare",
        "P" => "pack",
        _ => "item",
    };
    level.level = Some(Code::new(word));
    match letter {
        "O" => {
            let order = transload::canonical::OrderReference {
                number: Some(format!("PO{n}")),
                ..Default::default()
            };
            level.order = Some(Box::new(order));
        }
        "T" | "P" => {
            let range = MarkRange {
                qualifier: Some(Code::new("sscc")),
                first: Some(format!("{n:018}")),
                ..Default::default()
            };
            level.marks = vec![Marks {
                ranges: vec![range],
                ..Default::default()
            }]
            .into();
        }
        "I" => {
            let item = ShippedItem {
                ids: vec![ItemId {
                    qualifier: Some(Code::new("vendor_item")),
                    id: Some(format!("TK-{n}")),
                    ..Default::default()
                }],
                quantity: Some(Quantity {
                    value: "12".parse().ok(),
                    unit: Some(Code::new("each")),
                    ..Default::default()
                }),
                ..Default::default()
            };
            level.item = Some(Box::new(item));
        }
        _ => {}
    }
    let twice = if letter == "S" || (letter == "I") {
        1
    } else {
        2
    };
    if !rest.is_empty() {
        level.levels = (0..twice)
            .map(|_| self::level(rest, n))
            .collect::<Vec<_>>()
            .into();
    }
    level
}

#[test]
fn each_structure_is_itself_again() {
    for (chain, structure) in [
        ("SOTPI", "PalletizedAssortmentCase"),
        ("SOPI", "LooseAssortmentCase"),
        ("SOTI", "PalletOfItems"),
        ("SOTIP", "PalletizedStandardCase"),
        ("SOIP", "LooseStandardCase"),
        ("STOI", "MasterPallet"),
        ("SPOI", "MasterCase"),
        ("SOI", ""),
    ] {
        let notice = notice(chain);
        let request = operation::write(&Document::ShipNotice(notice.clone()), &context()).unwrap();
        let record = &request.body["shipmentConfirmations"][0];
        assert_eq!(
            record["shipmentStructure"].as_str().unwrap_or_default(),
            structure
        );
        let refused: Vec<_> = request
            .losses
            .iter()
            .filter(|loss| loss.kind == LossKind::Refused)
            .collect();
        assert!(refused.is_empty(), "{chain}: {refused:?}");
        let back = operation::read(&request.body, None, &context()).remove(0);
        let Document::ShipNotice(back) = back.document else {
            panic!("{chain}")
        };
        let mut tree = back.levels[0].clone();
        tree.parties = Default::default();
        tree.ship_from = None;
        assert_eq!(tree, notice.levels[0], "{chain}\n{record:#}");
    }
}
