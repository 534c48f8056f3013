//! How to send a shipment (X12 754): the carrier, the service, the day.
//!
//! It answers a [`RoutingRequest`](super::RoutingRequest), or comes unasked. An order may be split
//! over shipments, and a shipment may hold several orders.

use super::{
    Code, Contact, Decimal, Moment, Party, Provenance, Reference, RoutedOrder, TransitDate,
};

records! {
    /// A buyer tells the seller which carrier comes, and when.
    RoutingInstructions {
        /// Original, cancellation, change, response …
        purpose: Option<Code>,
        /// The instructions' number.
        number: Option<String>,
        /// When they were given.
        made: Option<Moment>,
        /// The number of the request that this answers, or of earlier instructions.
        earlier: Option<String>,
        /// Kind of transaction, as a raw code (X12 640).
        transaction: Option<String>,
        /// What to do with it, as a raw code (X12 306).
        action: Option<String>,
        /// Security level, as a raw code (X12 786).
        security: Option<String>,
        /// Whom to ask.
        contacts: Vec<Contact>,
        /// Where the goods are fetched.
        ship_from: Option<Party>,
        /// Parties of other roles.
        parties: Vec<Party>,
        /// The shipments.
        shipments: Vec<RoutedShipment>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// One shipment (X12 754, LX loop).
    RoutedShipment {
        /// Its number in the set.
        number: Option<String>,
        /// Numbers and instructions: authorization, load, appointment.
        references: Vec<Reference>,
        /// The carrier's SCAC.
        carrier: Option<String>,
        /// From when on the carrier is right.
        carrier_from: Option<Moment>,
        /// What the carrier does, and who pays.
        services: Vec<CarrierService>,
        /// The orders.
        orders: Vec<RoutedOrder>,
        /// When it is fetched, and when it has to arrive.
        dates: Vec<TransitDate>,
        /// Whether the vehicle stops at several places: yes or no, as a raw code (X12 1073).
        multi_stop: Option<String>,
        /// Which of its stops this is.
        stop: Option<u32>,
        /// How much it is.
        quantities: Vec<RoutedQuantity>,
        /// Where it goes.
        ship_to: Option<Party>,
    }

    /// A service of the carrier (X12 SMD).
    CarrierService {
        /// Service level, as a raw code (X12 284).
        level: Option<String>,
        /// Who pays: `collect`, `prepaid_by_seller` …
        payment: Option<Code>,
        /// Where it is handed over, as a raw code (X12 108).
        handover: Option<String>,
    }

    /// How much of something, and the trailer or container that it takes (X12 QTY, AT9).
    RoutedQuantity {
        /// Which quantity, as a raw code (X12 673).
        qualifier: Option<String>,
        /// The number.
        value: Option<Decimal>,
        /// In what: `carton`, `pallet_unit_load` …
        unit: Option<Code>,
        /// The trailer or container.
        equipment: Option<EquipmentSize>,
    }

    /// How large a trailer or container is (X12 AT9).
    EquipmentSize {
        /// Length in feet and inches, the inches as the last two digits: `5300` is 53 feet.
        length: Option<String>,
        /// Height in inches.
        height: Option<Decimal>,
        /// Width in inches.
        width: Option<Decimal>,
        /// Which weight, as a raw code (X12 187).
        weight_qualifier: Option<String>,
        /// Unit of the weight, as a raw code (X12 188).
        weight_unit: Option<String>,
        /// Weight when it is empty.
        weight: Option<Decimal>,
        /// Unit of the volume, as a raw code (X12 184).
        volume_unit: Option<String>,
        /// How much it holds.
        volume: Option<Decimal>,
    }
}
