//! The stock report (X12 846): who has how much of what, where, and when more will come.
//!
//! An item has several quantities at once, told apart by their qualifier: on hand, for sale, on
//! order, under way. What they add up to differs from partner to partner, so nothing is reckoned
//! here. An item of no quantity at all is not an item of quantity 0: the one says nothing of its
//! stock, the other that there is none.

use super::{
    Charge, Code, Contact, Currency, DateReference, Decimal, Description, ItemId, LeadTime, Marks,
    Measurement, Moment, Money, Packaging, Party, PriceDetail, Provenance, Reference, Schedule,
    StoreQuantities, Subline, Totals,
};

records! {
    /// What somebody has in stock, or asks for.
    InventoryAdvice {
        /// Original, replacement, query …
        purpose: Option<Code>,
        /// Kind of report, as a raw code (X12 755), such as `SI` for a seller's own stock.
        kind: Option<String>,
        /// The report's number.
        number: Option<String>,
        /// When the report was made.
        made: Option<Moment>,
        /// What to do with it, as a raw code (X12 306).
        action: Option<String>,
        /// Currency of all amounts that name none.
        currency: Option<Currency>,
        /// Dates, such as when the stock was counted.
        dates: Vec<DateReference>,
        /// Other numbers.
        references: Vec<Reference>,
        /// People.
        contacts: Vec<Contact>,
        /// Measurements of the whole.
        measurements: Vec<Measurement>,
        /// Who buys.
        buyer: Option<Party>,
        /// Who sells.
        vendor: Option<Party>,
        /// The warehouse whose stock it is.
        warehouse: Option<Party>,
        /// Where the stock would be sent from.
        ship_from: Option<Party>,
        /// Parties of other roles.
        parties: Vec<Party>,
        /// The items.
        lines: Vec<StockLine>,
        /// Totals for control.
        totals: Option<Totals>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// One item and its stock (X12 LIN loop).
    StockLine {
        /// Its number.
        number: Option<String>,
        /// The item's ids.
        ids: Vec<ItemId>,
        /// How much there is.
        quantities: Vec<StockQuantity>,
        /// Descriptions.
        descriptions: Vec<Description>,
        /// Measurements.
        measurements: Vec<Measurement>,
        /// Packaging.
        packaging: Vec<Packaging>,
        /// Dates.
        dates: Vec<DateReference>,
        /// Prices with their conditions.
        prices: Vec<PriceDetail>,
        /// The price of one unit, for each unit that it is sold in.
        unit_prices: Vec<Money>,
        /// Currency of this item.
        currency: Option<Currency>,
        /// Allowances and charges.
        charges: Vec<Charge>,
        /// Other numbers.
        references: Vec<Reference>,
        /// People.
        contacts: Vec<Contact>,
        /// The quantity split over stores.
        store_quantities: Vec<StoreQuantities>,
        /// Marks on its packages.
        marks: Option<Marks>,
        /// What becomes of the item, as a raw code (X12 875): `021` is new, `024` discontinued.
        maintenance: Option<String>,
        /// How long it takes to get more.
        lead_times: Vec<LeadTime>,
        /// What it is made of.
        sublines: Vec<Subline>,
        /// Parties to this item, such as the warehouses that have it.
        parties: Vec<Party>,
    }

    /// How much of an item there is, of one kind (X12 QTY loop).
    StockQuantity {
        /// Which quantity, as a raw code (X12 673): `33` for sale, `17` on hand, `63` on order.
        qualifier: Option<String>,
        /// The number.
        value: Option<Decimal>,
        /// In what: `each`, `case` …
        unit: Option<Code>,
        /// The price of one unit.
        unit_prices: Vec<Money>,
        /// Measurements.
        measurements: Vec<Measurement>,
        /// How long it takes to get it.
        lead_times: Vec<LeadTime>,
        /// Dates, such as when it is available.
        dates: Vec<DateReference>,
        /// How much of it comes when.
        schedules: Vec<Schedule>,
    }
}
