//! The purchase order (X12 850).

use super::{
    Amount, Charge, Code, Contact, Currency, Date, DateReference, DeliveryTerms, Description,
    ItemId, LineAcknowledgment, Measurement, Message, Moment, Money, Note, Pack, Packaging, Party,
    PriceDetail, Provenance, Quantity, QuantityDetail, Reference, Routing, SalesRequirement,
    Schedule, StoreQuantities, Tax, TaxReference, Terms, Totals, Window,
};

records! {
    /// An order from a buyer to a seller.
    PurchaseOrder {
        /// Original, change, cancellation …
        purpose: Option<Code>,
        /// Kind of order: `stand_alone`, `new_order`, `consigned`, `rush` …
        kind: Option<Code>,
        /// The order's number.
        number: Option<String>,
        /// Release of a blanket order.
        release: Option<String>,
        /// Date of the order.
        ordered_on: Option<Date>,
        /// Contract that it falls under.
        contract: Option<String>,
        /// Which acknowledgment is asked for, as a raw code (X12 587).
        acknowledgment_wanted: Option<String>,
        /// Which invoice is asked for, as a raw code (X12 1019).
        invoice_wanted: Option<String>,
        /// Kind of contract, as a raw code (X12 1166).
        contract_kind: Option<String>,
        /// Purchase category, as a raw code (X12 1232).
        category: Option<String>,
        /// Security level, as a raw code (X12 786).
        security: Option<String>,
        /// Kind of transaction, as a raw code (X12 640).
        transaction: Option<String>,
        /// Currency of all amounts that name none.
        currency: Option<Currency>,
        /// The seller's number in the buyer's books.
        vendor_number: Option<String>,
        /// Deal or promotion that the prices come from.
        deal: Option<String>,
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
        /// Other sums, such as a limit that the order must not exceed.
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
        lines: Vec<OrderLine>,
        /// Totals for control.
        totals: Option<Totals>,
        /// Total amount, as the buyer reckoned it.
        total: Option<Amount>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// One line of an order.
    OrderLine {
        /// Its number, which answers refer to.
        number: Option<String>,
        /// How much is ordered.
        quantity: Option<Quantity>,
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
        /// Carriers asked for.
        routing: Vec<Routing>,
        /// Free text.
        messages: Vec<Message>,
        /// Taxes on this line.
        taxes: Vec<Tax>,
        /// Packaging asked for.
        packaging: Vec<Packaging>,
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

    /// A part of a line: a component, a size, a colour (X12 SLN).
    Subline {
        /// Its number.
        number: Option<String>,
        /// Number of the subline that it belongs to.
        parent: Option<String>,
        /// How it belongs: `included`, `added` …
        relationship: Option<Code>,
        /// How much.
        quantity: Option<Quantity>,
        /// Price of one unit.
        price: Option<Money>,
        /// Whether the price is part of the line's, as a raw code (X12 662).
        price_relationship: Option<String>,
        /// The item's ids.
        ids: Vec<ItemId>,
        /// Free text.
        messages: Vec<Message>,
        /// Descriptions.
        descriptions: Vec<Description>,
        /// Allowances and charges.
        charges: Vec<Charge>,
        /// Dates.
        dates: Vec<DateReference>,
        /// Other prices.
        prices: Vec<PriceDetail>,
        /// How it is packed.
        packs: Vec<Pack>,
        /// Tax numbers.
        tax_references: Vec<TaxReference>,
        /// Notes.
        notes: Vec<Note>,
        /// Parties to this part.
        parties: Vec<Party>,
        /// Other numbers.
        references: Vec<Reference>,
        /// Taxes.
        taxes: Vec<Tax>,
        /// Quantities of other kinds.
        quantities: Vec<QuantityDetail>,
        /// Measurements.
        measurements: Vec<Measurement>,
        /// What is said to it, in an acknowledgment.
        acknowledgments: Vec<LineAcknowledgment>,
    }
}
