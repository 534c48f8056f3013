//! The seller's answer to an order (X12 855).

use super::{
    Amount, Charge, Code, Contact, Currency, Date, DateReference, DeliveryTerms, Description,
    ItemId, Measurement, Moment, Money, Note, Pack, Packaging, Party, PriceDetail, Provenance,
    Quantity, QuantityDetail, Reference, Routing, SalesRequirement, Schedule, StoreQuantities,
    Subline, Tax, TaxReference, Terms, Totals,
};

records! {
    /// What a seller says to an order: all of it, with changes, or none of it.
    PurchaseOrderAcknowledgment {
        /// Original, change, cancellation …
        purpose: Option<Code>,
        /// What is said to the whole: `accepted`, `accepted_with_changes`, `rejected` …
        status: Option<Code>,
        /// The order's number.
        order_number: Option<String>,
        /// Date of the order.
        ordered_on: Option<Date>,
        /// Release of a blanket order.
        release: Option<String>,
        /// The number of a request that this answers.
        request: Option<String>,
        /// Contract that it falls under.
        contract: Option<String>,
        /// The seller's own number for the order.
        seller_number: Option<String>,
        /// Date of this answer.
        acknowledged_on: Option<Date>,
        /// Kind of transaction, as a raw code (X12 640).
        transaction: Option<String>,
        /// Currency of all amounts that name none.
        currency: Option<Currency>,
        /// Other numbers.
        references: Vec<Reference>,
        /// People.
        contacts: Vec<Contact>,
        /// Back orders, accounts.
        sales_requirements: Vec<SalesRequirement>,
        /// Allowances and charges on the whole.
        charges: Vec<Charge>,
        /// Payment terms.
        terms: Vec<Terms>,
        /// Dates.
        dates: Vec<DateReference>,
        /// Carriers.
        routing: Vec<Routing>,
        /// Tax numbers.
        tax_references: Vec<TaxReference>,
        /// Freight payment and trade terms.
        delivery_terms: Vec<DeliveryTerms>,
        /// Prices that hold for the whole order.
        prices: Vec<PriceDetail>,
        /// Descriptions of the whole.
        descriptions: Vec<Description>,
        /// Measurements of the whole.
        measurements: Vec<Measurement>,
        /// Packaging.
        packaging: Vec<Packaging>,
        /// Taxes on the whole order.
        taxes: Vec<Tax>,
        /// Notes.
        notes: Vec<Note>,
        /// Who buys.
        buyer: Option<Party>,
        /// Who sells.
        vendor: Option<Party>,
        /// Where it goes.
        ship_to: Option<Party>,
        /// Where it comes from.
        ship_from: Option<Party>,
        /// Who is billed.
        bill_to: Option<Party>,
        /// Parties of other roles.
        parties: Vec<Party>,
        /// The lines.
        lines: Vec<AcknowledgedLine>,
        /// Totals for control.
        totals: Option<Totals>,
        /// Total amount.
        total: Option<Amount>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// One line of the order, and what is said to it.
    AcknowledgedLine {
        /// The order line's number.
        number: Option<String>,
        /// How much was ordered.
        quantity: Option<Quantity>,
        /// Price of one unit.
        price: Option<Money>,
        /// The item's ids.
        ids: Vec<ItemId>,
        /// Other prices.
        prices: Vec<PriceDetail>,
        /// Descriptions.
        descriptions: Vec<Description>,
        /// How it is packed.
        packs: Vec<Pack>,
        /// Other numbers.
        references: Vec<Reference>,
        /// Allowances and charges on this line.
        charges: Vec<Charge>,
        /// Dates.
        dates: Vec<DateReference>,
        /// What is said to it; the quantities should make up what was ordered.
        acknowledgments: Vec<LineAcknowledgment>,
        /// Partial deliveries.
        schedules: Vec<Schedule>,
        /// Notes.
        notes: Vec<Note>,
        /// Parties to this line.
        parties: Vec<Party>,
        /// Currency of this line.
        currency: Option<Currency>,
        /// Measurements.
        measurements: Vec<Measurement>,
        /// People.
        contacts: Vec<Contact>,
        /// Payment terms of this line.
        terms: Vec<Terms>,
        /// Tax numbers.
        tax_references: Vec<TaxReference>,
        /// Freight payment and trade terms.
        delivery_terms: Vec<DeliveryTerms>,
        /// The quantity split over stores.
        store_quantities: Vec<StoreQuantities>,
        /// Carriers.
        routing: Vec<Routing>,
        /// Amounts of this line.
        amounts: Vec<Amount>,
        /// Taxes on this line.
        taxes: Vec<Tax>,
        /// Quantities of other kinds.
        quantities: Vec<QuantityDetail>,
        /// Packaging.
        packaging: Vec<Packaging>,
        /// Components, sizes, colours.
        sublines: Vec<Subline>,
    }

    /// What happens to a quantity of a line (X12 ACK).
    LineAcknowledgment {
        /// `accepted`, `backordered`, `rejected` …
        status: Option<Code>,
        /// How much of the line.
        quantity: Option<Quantity>,
        /// What happens at `moment`, as a raw code (X12 374).
        qualifier: Option<String>,
        /// When.
        moment: Option<Moment>,
        /// The number of a request that this answers.
        request: Option<String>,
        /// Ids of the item that is sent, where it is another one.
        ids: Vec<ItemId>,
        /// Whose list `reason` is of, as a raw code (X12 559).
        agency: Option<String>,
        /// Which part of that list.
        source: Option<String>,
        /// The reason, in that list.
        reason: Option<String>,
        /// Further dates of that quantity.
        dates: Vec<DateReference>,
    }
}
