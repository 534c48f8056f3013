//! The change of an order (X12 860) and the seller's answer to it (X12 865).
//!
//! A change names the order and then either all lines anew (`purpose` is `replacement`) or only
//! those that change, each with what happens to it. The seller answers line by line, or begins a
//! change of their own with the same document.

use super::{
    Amount, Charge, Code, Contact, Currency, Date, DateReference, Decimal, DeliveryTerms,
    Description, ItemId, LineAcknowledgment, Measurement, Message, Moment, Money, Note, Pack,
    Packaging, Party, PriceDetail, Provenance, Quantity, QuantityDetail, Reference, Routing,
    SalesRequirement, Schedule, StoreQuantities, Subline, Tax, TaxReference, Terms, Totals, Window,
};

records! {
    /// What a buyer changes in an order that was sent before.
    PurchaseOrderChange {
        /// Change, cancellation, replacement …
        purpose: Option<Code>,
        /// Kind of order: `stand_alone`, `release`, `change` …
        kind: Option<Code>,
        /// The order's number.
        number: Option<String>,
        /// Release of a blanket order.
        release: Option<String>,
        /// Which change of the order this is.
        change_number: Option<String>,
        /// Date of the order.
        ordered_on: Option<Date>,
        /// The number of a request that this answers.
        request: Option<String>,
        /// Contract that it falls under.
        contract: Option<String>,
        /// The seller's own number for the order.
        seller_number: Option<String>,
        /// Date of an acknowledgment that this answers.
        acknowledged_on: Option<Date>,
        /// Date of this change.
        changed_on: Option<Date>,
        /// Kind of contract, as a raw code (X12 1166).
        contract_kind: Option<String>,
        /// Security level, as a raw code (X12 786).
        security: Option<String>,
        /// Which acknowledgment is asked for, as a raw code (X12 587).
        acknowledgment_wanted: Option<String>,
        /// Kind of transaction, as a raw code (X12 640).
        transaction: Option<String>,
        /// Purchase category, as a raw code (X12 1232).
        category: Option<String>,
        /// Currency of all amounts that name none.
        currency: Option<Currency>,
        /// The seller's number in the buyer's books.
        vendor_number: Option<String>,
        /// The buyer's department.
        department: Option<String>,
        /// Other numbers.
        references: Vec<Reference>,
        /// People.
        contacts: Vec<Contact>,
        /// Tax numbers of the buyer.
        tax_references: Vec<TaxReference>,
        /// Freight payment and trade terms.
        delivery_terms: Vec<DeliveryTerms>,
        /// Prices that hold for the whole order.
        prices: Vec<PriceDetail>,
        /// Back orders, substitution.
        sales_requirements: Vec<SalesRequirement>,
        /// Allowances and charges on the whole order.
        charges: Vec<Charge>,
        /// Payment terms.
        terms: Vec<Terms>,
        /// Delivery asked for at.
        requested_delivery: Option<Moment>,
        /// Shipment asked for at.
        requested_shipment: Option<Moment>,
        /// When it may be delivered.
        delivery_window: Option<Window>,
        /// When it may be shipped.
        ship_window: Option<Window>,
        /// Void if not delivered by.
        cancel_after: Option<Moment>,
        /// Other dates.
        dates: Vec<DateReference>,
        /// Descriptions of the whole order.
        descriptions: Vec<Description>,
        /// Measurements of the whole order.
        measurements: Vec<Measurement>,
        /// Packaging asked for.
        packaging: Vec<Packaging>,
        /// Carriers asked for.
        routing: Vec<Routing>,
        /// Taxes on the whole order.
        taxes: Vec<Tax>,
        /// Other sums.
        amounts: Vec<Amount>,
        /// Notes and instructions.
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
        /// Who is paid.
        remit_to: Option<Party>,
        /// Parties of other roles.
        parties: Vec<Party>,
        /// The lines.
        lines: Vec<ChangedLine>,
        /// Totals for control.
        totals: Option<Totals>,
        /// Total amount of the order as it is now.
        total: Option<Amount>,
        /// Totals of other kinds.
        total_amounts: Vec<Amount>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// What a seller says to a change of an order, or changes in it.
    PurchaseOrderChangeAcknowledgment {
        /// Original, seller's change, response …
        purpose: Option<Code>,
        /// What is said to the whole: `accepted`, `accepted_with_detail_and_change` …
        status: Option<Code>,
        /// The order's number.
        order_number: Option<String>,
        /// Release of a blanket order.
        release: Option<String>,
        /// Which change of the order it answers.
        change_number: Option<String>,
        /// Date of the order.
        ordered_on: Option<Date>,
        /// The number of a request that this answers.
        request: Option<String>,
        /// Contract that it falls under.
        contract: Option<String>,
        /// The seller's own number for the order.
        seller_number: Option<String>,
        /// Date of this answer.
        acknowledged_on: Option<Date>,
        /// Date of the change that it answers.
        changed_on: Option<Date>,
        /// Date of a change that the seller began.
        seller_changed_on: Option<Date>,
        /// Kind of order.
        kind: Option<Code>,
        /// Security level, as a raw code (X12 786).
        security: Option<String>,
        /// Kind of transaction, as a raw code (X12 640).
        transaction: Option<String>,
        /// Currency of all amounts that name none.
        currency: Option<Currency>,
        /// Other numbers.
        references: Vec<Reference>,
        /// People.
        contacts: Vec<Contact>,
        /// Tax numbers.
        tax_references: Vec<TaxReference>,
        /// Freight payment and trade terms.
        delivery_terms: Vec<DeliveryTerms>,
        /// Prices that hold for the whole order.
        prices: Vec<PriceDetail>,
        /// Back orders, accounts.
        sales_requirements: Vec<SalesRequirement>,
        /// Allowances and charges on the whole.
        charges: Vec<Charge>,
        /// Payment terms.
        terms: Vec<Terms>,
        /// Dates.
        dates: Vec<DateReference>,
        /// Descriptions of the whole.
        descriptions: Vec<Description>,
        /// Measurements of the whole.
        measurements: Vec<Measurement>,
        /// Packaging.
        packaging: Vec<Packaging>,
        /// Carriers.
        routing: Vec<Routing>,
        /// Taxes on the whole order.
        taxes: Vec<Tax>,
        /// Other sums.
        amounts: Vec<Amount>,
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
        lines: Vec<ChangedLine>,
        /// Totals for control.
        totals: Option<Totals>,
        /// Total amount of the order as it is now.
        total: Option<Amount>,
        /// Totals of other kinds.
        total_amounts: Vec<Amount>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// One line of an order, and what happens to it.
    ChangedLine {
        /// The order line's number.
        number: Option<String>,
        /// What happens: `added`, `deleted`, `quantity_increased`, `price_changed` …
        change: Option<Code>,
        /// How much is ordered now.
        quantity: Option<Quantity>,
        /// How much of it has not come yet, in the quantity's unit; of many partners the new
        /// quantity, and `quantity` the old one.
        left_to_receive: Option<Decimal>,
        /// Price of one unit.
        price: Option<Money>,
        /// The item's ids.
        ids: Vec<ItemId>,
        /// Currency of this line.
        currency: Option<Currency>,
        /// Other prices.
        prices: Vec<PriceDetail>,
        /// Measurements.
        measurements: Vec<Measurement>,
        /// Descriptions.
        descriptions: Vec<Description>,
        /// Packaging.
        packaging: Vec<Packaging>,
        /// How it is packed.
        packs: Vec<Pack>,
        /// Other numbers.
        references: Vec<Reference>,
        /// People.
        contacts: Vec<Contact>,
        /// Allowances and charges on this line.
        charges: Vec<Charge>,
        /// Conditions of sale.
        conditions: Vec<SalesRequirement>,
        /// Back orders, substitution.
        sales_requirements: Vec<SalesRequirement>,
        /// Payment terms of this line.
        terms: Vec<Terms>,
        /// Tax numbers.
        tax_references: Vec<TaxReference>,
        /// Freight payment and trade terms.
        delivery_terms: Vec<DeliveryTerms>,
        /// The quantity split over stores.
        store_quantities: Vec<StoreQuantities>,
        /// Delivery asked for at.
        requested_delivery: Option<Moment>,
        /// Shipment asked for at.
        requested_shipment: Option<Moment>,
        /// Other dates.
        dates: Vec<DateReference>,
        /// Carriers.
        routing: Vec<Routing>,
        /// Taxes on this line.
        taxes: Vec<Tax>,
        /// Free text.
        messages: Vec<Message>,
        /// What the seller says to it; the quantities should make up what is ordered.
        acknowledgments: Vec<LineAcknowledgment>,
        /// Quantities of other kinds.
        quantities: Vec<QuantityDetail>,
        /// Partial deliveries.
        schedules: Vec<Schedule>,
        /// Notes and instructions.
        notes: Vec<Note>,
        /// Parties to this line.
        parties: Vec<Party>,
        /// What it is made of.
        sublines: Vec<Subline>,
        /// Sums of this line.
        amounts: Vec<Amount>,
    }
}
