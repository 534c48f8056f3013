//! The invoice (X12 810).

use super::{
    Amount, Charge, Code, Contact, Currency, Date, DateReference, Decimal, DeliveryTerms,
    Description, ItemId, Measurement, Message, Moment, Money, Note, Pack, Packaging, Party,
    PriceDetail, Provenance, Quantity, QuantityDetail, Reference, Routing, ShipmentSummary,
    StoreQuantities, Subline, Tax, TaxReference, Terms, Totals,
};

records! {
    /// What a seller asks to be paid.
    Invoice {
        /// Date of the invoice.
        invoiced_on: Option<Date>,
        /// The invoice's number.
        number: Option<String>,
        /// Date of the order.
        ordered_on: Option<Date>,
        /// The order's number.
        order_number: Option<String>,
        /// Release of a blanket order.
        release: Option<String>,
        /// Number of a change to the order.
        change_order: Option<String>,
        /// `debit`, `credit`, `consolidated` …
        kind: Option<Code>,
        /// Original, change, cancellation …
        purpose: Option<Code>,
        /// What to do with it, as a raw code (X12 306).
        action: Option<String>,
        /// Number of an invoice that this one belongs to.
        original_number: Option<String>,
        /// How its lines are arranged, as a raw code (X12 1005).
        hierarchy: Option<String>,
        /// Currency of all amounts that name none.
        currency: Option<Currency>,
        /// Other numbers.
        references: Vec<Reference>,
        /// People.
        contacts: Vec<Contact>,
        /// Who buys.
        buyer: Option<Party>,
        /// Who sells.
        vendor: Option<Party>,
        /// Where it went.
        ship_to: Option<Party>,
        /// Where it came from.
        ship_from: Option<Party>,
        /// Who is billed.
        bill_to: Option<Party>,
        /// Who is paid.
        remit_to: Option<Party>,
        /// Parties of other roles.
        parties: Vec<Party>,
        /// Payment terms.
        terms: Vec<Terms>,
        /// When it was shipped.
        shipped_at: Option<Moment>,
        /// Other dates.
        dates: Vec<DateReference>,
        /// Freight payment and trade terms.
        delivery_terms: Option<DeliveryTerms>,
        /// Descriptions of the whole.
        descriptions: Vec<Description>,
        /// Packaging.
        packaging: Vec<Packaging>,
        /// Tax numbers.
        tax_references: Vec<TaxReference>,
        /// Measurements of the whole.
        measurements: Vec<Measurement>,
        /// Remarks.
        messages: Vec<Message>,
        /// Notes.
        notes: Vec<Note>,
        /// The lines.
        lines: Vec<InvoiceLine>,
        /// What is to be paid, as the seller reckoned it.
        totals: Option<InvoiceTotals>,
        /// Taxes on the whole.
        taxes: Vec<Tax>,
        /// Carrier of the whole.
        carrier: Option<Routing>,
        /// Sums of the whole.
        amounts: Vec<Amount>,
        /// Allowances and charges on the whole.
        charges: Vec<Charge>,
        /// What was shipped.
        shipments: Vec<ShipmentSummary>,
        /// Totals for control.
        control: Option<Totals>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// One line of an invoice.
    InvoiceLine {
        /// Its number.
        number: Option<String>,
        /// How much is invoiced.
        quantity: Option<Quantity>,
        /// Price of one unit.
        price: Option<Money>,
        /// The item's ids.
        ids: Vec<ItemId>,
        /// Currency of this line.
        currency: Option<Currency>,
        /// Quantities of other kinds.
        quantities: Vec<QuantityDetail>,
        /// Taxes on this line.
        taxes: Vec<Tax>,
        /// Other prices.
        prices: Vec<PriceDetail>,
        /// Descriptions.
        descriptions: Vec<Description>,
        /// Packaging.
        packs: Vec<Pack>,
        /// Other numbers.
        references: Vec<Reference>,
        /// Dates.
        dates: Vec<DateReference>,
        /// Carriers.
        routing: Vec<Routing>,
        /// Allowances and charges on this line.
        charges: Vec<Charge>,
        /// Parties to this line.
        parties: Vec<Party>,
        /// What was shipped of it, and how that differs from what was ordered.
        shipped: Vec<LineShipment>,
        /// Measurements.
        measurements: Vec<Measurement>,
        /// Packaging asked for.
        packaging: Vec<Packaging>,
        /// Payment terms of this line.
        terms: Vec<Terms>,
        /// People.
        contacts: Vec<Contact>,
        /// The quantity split over stores.
        store_quantities: Vec<StoreQuantities>,
        /// Components, sizes, colours.
        sublines: Vec<Subline>,
    }

    /// What was shipped of a line (X12 IT3).
    LineShipment {
        /// How many.
        units: Option<Decimal>,
        /// Of what.
        unit: Option<Code>,
        /// Whether the shipment is complete, as a raw code (X12 368).
        status: Option<String>,
        /// How many more or fewer than ordered.
        difference: Option<Decimal>,
        /// Why, as a raw code (X12 371).
        reason: Option<String>,
    }

    /// What is to be paid (X12 TDS).
    InvoiceTotals {
        /// The total.
        total: Option<Decimal>,
        /// Part of it that the discount is taken of.
        discountable: Option<Decimal>,
        /// The total after the discount.
        discounted: Option<Decimal>,
        /// The discount.
        discount: Option<Decimal>,
    }
}
