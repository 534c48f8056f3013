//! The ship notice (X12 856): a tree of levels.
//!
//! A notice is not orders with cartons: a pallet may hold several orders (S-T-O-I), a carton too
//! (S-P-O-I), and a package may say less than the items before it (O-I-P). So there is one record
//! for a level of any kind, it says which in `level`, and levels stand in levels. What a level says
//! holds for all below it. Fields that most levels do not have take one word each, because a notice
//! may have a million levels.

use super::{
    Charge, Code, Contact, Currency, Date, DateReference, Decimal, DeliveryTerms, Description,
    Equipment, Few, ItemId, Lading, Measurement, Moment, Pack, Packaging, Party, Provenance,
    Quantity, Reference, Routing, StoreQuantities, Subline, Totals,
};

records! {
    /// What a seller has sent, or is about to send.
    ShipNotice {
        /// Original, replacement, cancellation …
        purpose: Option<Code>,
        /// The notice's number, the shipment's own.
        number: Option<String>,
        /// When the notice was made.
        made: Option<Moment>,
        /// How levels are nested, as a raw code (X12 1005). The tree itself is what counts.
        structure: Option<String>,
        /// Kind of transaction, as a raw code (X12 640).
        transaction: Option<String>,
        /// Why it is as it is, as a raw code (X12 641).
        reason: Option<String>,
        /// When it left.
        shipped: Option<Moment>,
        /// When it should arrive.
        expected: Option<Moment>,
        /// Other dates of the whole.
        dates: Vec<DateReference>,
        /// The levels at the top: shipments, or orders.
        levels: Vec<Level>,
        /// Totals for control.
        totals: Option<Totals>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// A shipment, an order, a pallet, a carton, an item, or whatever else `level` says
    /// (X12 HL loop).
    Level {
        /// `shipment`, `order`, `tare`, `pack`, `item` … or `other:XX`.
        level: Option<Code>,
        /// Whether levels follow below it, as a raw code (X12 736), where the sender said it.
        child_code: Option<String>,
        /// The item that is shipped.
        item: Option<Box<ShippedItem>>,
        /// The order that it belongs to.
        order: Option<Box<OrderReference>>,
        /// Marks on packages and pallets: SSCC and tracking numbers.
        marks: Few<Marks>,
        /// How an item is packed.
        pack: Option<Box<Pack>>,
        /// Descriptions.
        descriptions: Few<Description>,
        /// Measurements.
        measurements: Few<Measurement>,
        /// Packaging.
        packaging: Few<Packaging>,
        /// How many packages, and their weight.
        lading: Few<Lading>,
        /// Carriers.
        routing: Few<Routing>,
        /// Trailers and containers.
        equipment: Few<Equipment>,
        /// Other numbers: bill of lading, packing list, lot.
        references: Few<Reference>,
        /// People.
        contacts: Few<Contact>,
        /// When it left.
        shipped: Option<Box<Moment>>,
        /// When it should arrive.
        expected: Option<Box<Moment>>,
        /// Other dates.
        dates: Few<DateReference>,
        /// Freight payment and trade terms.
        delivery_terms: Option<Box<DeliveryTerms>>,
        /// How the pallet is built.
        pallet: Option<Box<Pallet>>,
        /// Where it goes.
        ship_to: Option<Box<Party>>,
        /// Where it comes from.
        ship_from: Option<Box<Party>>,
        /// Parties of other roles.
        parties: Few<Party>,
        /// The quantity split over stores.
        store_quantities: Few<StoreQuantities>,
        /// Currency of the charges.
        currency: Option<Box<Currency>>,
        /// Allowances and charges.
        charges: Few<Charge>,
        /// What it holds.
        levels: Few<Level>,
    }

    /// What item, and how much of it (X12 LIN, SN1, SLN).
    ShippedItem {
        /// The order line's number.
        number: Option<String>,
        /// The item's ids.
        ids: Vec<ItemId>,
        /// The sender's own number for what was shipped (X12 SN101).
        shipped_number: Option<String>,
        /// How much is shipped.
        quantity: Option<Quantity>,
        /// How much has been shipped to date.
        to_date: Option<Decimal>,
        /// How much was ordered.
        ordered: Option<Box<Quantity>>,
        /// How returnable containers are loaded, as a raw code (X12 728).
        returnable: Option<String>,
        /// What happened to the line: `accepted`, `rejected` …
        status: Option<Code>,
        /// Parts of it, and quantities that were not shipped.
        sublines: Few<Subline>,
    }

    /// The order that a level belongs to (X12 PRF).
    OrderReference {
        /// The order's number.
        number: Option<String>,
        /// Release of a blanket order.
        release: Option<String>,
        /// Number of a change to the order.
        change_order: Option<String>,
        /// Date of the order.
        ordered_on: Option<Date>,
        /// The order's line.
        line: Option<String>,
        /// Contract that it falls under.
        contract: Option<String>,
        /// Kind of order.
        kind: Option<Code>,
    }

    /// What stands on one package or on each of several (X12 MAN).
    Marks {
        /// The marks: a second range says the same of the same packages in another numbering.
        ranges: Vec<MarkRange>,
    }

    /// One mark, or all from one to another.
    MarkRange {
        /// Whose numbering: `sscc`, `carrier_package`, `upc_case` …
        qualifier: Option<Code>,
        /// The mark, or the first of a range.
        first: Option<String>,
        /// The last of a range.
        last: Option<String>,
    }

    /// How a pallet is built (X12 PAL).
    Pallet {
        /// What it is made of, as a raw code (X12 883).
        kind: Option<String>,
        /// Layers.
        tiers: Option<u32>,
        /// Packages in a layer.
        blocks: Option<u32>,
        /// Inner packs in one package.
        packs: Option<u32>,
        /// Weight of the pallet.
        weight: Option<Decimal>,
        /// Unit of the weight.
        weight_unit: Option<Code>,
        /// Length.
        length: Option<Decimal>,
        /// Width.
        width: Option<Decimal>,
        /// Height.
        height: Option<Decimal>,
        /// Unit of the three.
        dimension_unit: Option<Code>,
        /// Gross weight with its load.
        gross_weight: Option<Decimal>,
        /// Unit of the gross weight.
        gross_weight_unit: Option<Code>,
        /// Gross volume with its load.
        gross_volume: Option<Decimal>,
        /// Unit of the gross volume.
        gross_volume_unit: Option<Code>,
        /// Whether it is exchanged, as a raw code (X12 399).
        exchange: Option<String>,
        /// Eaches in one inner pack.
        inner_packs: Option<u32>,
    }
}

impl Level {
    /// Every level of the tree below and with this one, a level before what it holds.
    pub fn walk(&self) -> impl Iterator<Item = &Level> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            let next = open.pop()?;
            open.extend(next.levels.iter().rev());
            Some(next)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A notice of 20 MB has 277,785 levels: each byte here is a quarter of a megabyte there.
    #[test]
    fn a_level_is_small() {
        assert!(size_of::<Level>() <= 288, "{}", size_of::<Level>());
    }

    #[test]
    fn a_level_is_walked_before_what_it_holds() {
        let named = |name: &str, levels: Vec<Level>| Level {
            level: Some(Code::new(name)),
            levels: levels.into(),
            ..Level::default()
        };
        let tree = named(
            "a",
            vec![
                named("b", vec![named("c", Vec::new())]),
                named("d", Vec::new()),
            ],
        );
        let words: String = tree
            .walk()
            .map(|l| l.level.as_ref().unwrap().as_str())
            .collect();
        assert_eq!(words, "abcd");
    }
}
