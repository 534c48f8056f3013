//! The question how to send what is ready (X12 753): from one place to several, order by order.
//!
//! The seller asks where the buyer pays the freight and so chooses the carrier. The answer is
//! [`RoutingInstructions`](super::RoutingInstructions).

use super::{
    Code, Contact, Decimal, Moment, Party, Provenance, Reference, RoutedOrder, TransitDate,
};

records! {
    /// A seller asks the buyer which carrier comes, and when.
    RoutingRequest {
        /// Original, cancellation, change …
        purpose: Option<Code>,
        /// The request's number.
        number: Option<String>,
        /// When the request was made.
        made: Option<Moment>,
        /// The number of an earlier request that this one is about.
        earlier: Option<String>,
        /// Kind of transaction, as a raw code (X12 640).
        transaction: Option<String>,
        /// What to do with it, as a raw code (X12 306).
        action: Option<String>,
        /// Security level, as a raw code (X12 786).
        security: Option<String>,
        /// Whom to ask.
        contacts: Vec<Contact>,
        /// Where the goods are ready.
        ship_from: Option<Party>,
        /// Where they go.
        destinations: Vec<Destination>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// What goes to one place (X12 753, N1 loop).
    Destination {
        /// The place.
        ship_to: Option<Party>,
        /// Numbers and instructions: bill of lading, load.
        references: Vec<Reference>,
        /// When it is ready, and when it has to arrive.
        dates: Vec<TransitDate>,
        /// Pallets and the like.
        unit_loads: Option<UnitLoads>,
        /// The orders.
        orders: Vec<RoutedOrder>,
    }

    /// Pallets and other loads that are moved as one (X12 USI).
    UnitLoads {
        /// How many.
        count: Option<Decimal>,
        /// Of what form, as a raw code (X12 211), such as `PLT`.
        packaging: Option<String>,
        /// Whether one may stand on another: yes or no, as a raw code (X12 1073).
        stackable: Option<String>,
    }
}
