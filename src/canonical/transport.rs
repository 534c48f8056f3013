//! How it travels: delivery terms, carriers, equipment, packaging, what was shipped.

use super::{Code, Decimal, Description, Moment};

records! {
    /// Who pays freight, where it is handed over, who bears the risk (X12 FOB).
    DeliveryTerms {
        /// Who pays: `collect`, `prepaid_by_seller` …
        payment: Option<Code>,
        /// What kind of place, as a raw code (X12 309).
        place_qualifier: Option<String>,
        /// The place.
        place: Option<String>,
        /// Whose trade terms, as a raw code (X12 334).
        trade_terms_qualifier: Option<String>,
        /// Trade terms, as a raw code such as an Incoterm (X12 335).
        trade_terms: Option<String>,
        /// What kind of place the title passes at, as a raw code (X12 309).
        title_qualifier: Option<String>,
        /// The place that the title passes at.
        title: Option<String>,
        /// Who bears the risk, as a raw code (X12 54).
        risk: Option<String>,
        /// The risk in words.
        risk_description: Option<String>,
    }

    /// Who carries it, and how (X12 TD5, CAD).
    Routing {
        /// Place in the chain of carriers, as a raw code (X12 133).
        sequence: Option<String>,
        /// Whose code the carrier's is: `scac` …
        carrier_qualifier: Option<Code>,
        /// The carrier's code.
        carrier: Option<String>,
        /// Road, rail, sea, air, parcel, as a raw code (X12 91).
        mode: Option<String>,
        /// Route or carrier in words.
        description: Option<String>,
        /// Whether the shipment is complete, as a raw code (X12 368).
        status: Option<String>,
        /// What kind of place, as a raw code (X12 309).
        place_qualifier: Option<String>,
        /// The place.
        place: Option<String>,
        /// Direction of transit, as a raw code (X12 731).
        direction: Option<String>,
        /// What the transit time is measured in, as a raw code (X12 732).
        transit_qualifier: Option<String>,
        /// Transit time.
        transit: Option<Decimal>,
        /// Service level, as a raw code (X12 284).
        service: Option<String>,
        /// Equipment, such as a trailer's initial and number.
        equipment_initial: Option<String>,
        /// Equipment number.
        equipment_number: Option<String>,
        /// What `reference` numbers, as a raw code (X12 128).
        reference_qualifier: Option<String>,
        /// Tracking, bill of lading and the like.
        reference: Option<String>,
    }

    /// How many packages of a kind, and what they weigh together (X12 TD1).
    Lading {
        /// Kind of packaging, as a raw code (X12 103), such as `CTN` or `PLT94`.
        packaging: Option<String>,
        /// How many packages.
        count: Option<u32>,
        /// Whose list `commodity` is of, as a raw code (X12 23).
        commodity_qualifier: Option<String>,
        /// What is in them, as a code.
        commodity: Option<String>,
        /// What is in them, in words.
        description: Option<String>,
        /// Which weight, as a raw code (X12 187).
        weight_qualifier: Option<String>,
        /// Weight.
        weight: Option<Decimal>,
        /// Unit of the weight.
        weight_unit: Option<Code>,
        /// Volume.
        volume: Option<Decimal>,
        /// Unit of the volume.
        volume_unit: Option<Code>,
    }

    /// A trailer, container or other carrier's equipment (X12 TD3).
    Equipment {
        /// What it is, as a raw code (X12 40), such as `TL` for a trailer.
        kind: Option<String>,
        /// The letters before its number.
        initial: Option<String>,
        /// Its number.
        number: Option<String>,
        /// Which weight, as a raw code (X12 187).
        weight_qualifier: Option<String>,
        /// Weight.
        weight: Option<Decimal>,
        /// Unit of the weight.
        weight_unit: Option<Code>,
        /// Whose it is, as a raw code (X12 102).
        ownership: Option<String>,
        /// Whether the seal is whole, as a raw code (X12 407).
        seal_status: Option<String>,
        /// The seal's number.
        seal: Option<String>,
        /// Its type and size, as a raw code (X12 24).
        size: Option<String>,
    }

    /// Markings and packaging asked for (X12 PKG).
    Packaging {
        /// How it is said: `free_form`, `coded` …
        form: Option<Code>,
        /// Which property, as a raw code (X12 753).
        characteristic: Option<String>,
        /// Whose code list, as a raw code (X12 559).
        agency: Option<String>,
        /// The code.
        code: Option<String>,
        /// The words.
        text: Option<String>,
        /// Which load, as a raw code (X12 400).
        load: Option<String>,
    }

    /// What was shipped in all (X12 ISS).
    ShipmentSummary {
        /// How many.
        units: Option<Decimal>,
        /// Of what.
        unit: Option<Code>,
        /// Weight.
        weight: Option<Decimal>,
        /// Unit of the weight.
        weight_unit: Option<Code>,
        /// Volume.
        volume: Option<Decimal>,
        /// Unit of the volume.
        volume_unit: Option<Code>,
        /// How many shipping units.
        quantity: Option<Decimal>,
        /// Another weight, of the goods alone or the like.
        second_weight: Option<Decimal>,
        /// What it was, in words.
        descriptions: Vec<Description>,
    }

    /// A date, a time or both, and what happens to a shipment then (X12 G62).
    TransitDate {
        /// What happens on the date, as a raw code (X12 432): `10` for the pickup that is asked
        /// for, `69` for the one that is planned, `02` for the delivery that is asked for.
        qualifier: Option<String>,
        /// When.
        moment: Option<Moment>,
        /// What happens at the time of day, as a raw code (X12 176).
        time_qualifier: Option<String>,
    }

    /// An order in a shipment, and how much room it takes (X12 OID loop).
    RoutedOrder {
        /// The order's number.
        order_number: Option<String>,
        /// The seller's own number for it.
        seller_number: Option<String>,
        /// What the receiver adds to the order's number, such as a store or a department.
        part: Option<String>,
        /// In what form it is packed, as a raw code (X12 211), such as `CTN` or `PLT`.
        packaging: Option<String>,
        /// How many of them.
        count: Option<Decimal>,
        /// Unit of the weight, as a raw code (X12 188): `L` for pounds, `K` for kilograms.
        weight_unit: Option<String>,
        /// Weight.
        weight: Option<Decimal>,
        /// Unit of the volume, as a raw code (X12 184): `E` for cubic feet, `X` for cubic metres.
        volume_unit: Option<String>,
        /// Volume.
        volume: Option<Decimal>,
        /// What is wrong with it, as a raw code (X12 647).
        error: Option<String>,
        /// A further number.
        reference: Option<String>,
        /// What it is, as a code of the freight tariff.
        commodity: Option<String>,
        /// Its class in the freight tariff, such as `70` or `77.5`.
        freight_class: Option<String>,
    }
}
