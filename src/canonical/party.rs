//! Who: parties with ids that say who numbered them, addresses and contacts.

use super::{Code, Reference};

records! {
    /// A party to the transaction (X12 N1 loop).
    Party {
        /// What it is to the transaction, as a raw code (X12 98). Only where a list holds parties
        /// of any role; a field such as `ship_to` says it by its name.
        role: Option<String>,
        /// Its name.
        name: Option<String>,
        /// Further lines of the name.
        more_names: Vec<String>,
        /// Its id and who gave it.
        id: Option<Identifier>,
        /// Where it is.
        address: Option<Address>,
        /// Its own numbers: tax ids, departments, accounts.
        references: Vec<Reference>,
        /// People.
        contacts: Vec<Contact>,
        /// A person's name in its parts.
        name_parts: Vec<NamePart>,
    }

    /// A part of a person's name (X12 IN2).
    NamePart {
        /// Which part, as a raw code (X12 1104).
        kind: Option<String>,
        /// The part.
        text: Option<String>,
        /// Where it went on.
        more: Option<String>,
    }

    /// An id, and whose numbering it is.
    Identifier {
        /// Whose numbering: `duns`, `gln`, `assigned_by_buyer`, `san` …
        qualifier: Option<Code>,
        /// The id.
        id: Option<String>,
    }

    /// A postal address.
    Address {
        /// Street lines, in order.
        lines: Vec<String>,
        /// City.
        city: Option<String>,
        /// State or province, as a code.
        state: Option<String>,
        /// Postal or ZIP code.
        postal_code: Option<String>,
        /// Country, as a code.
        country: Option<String>,
        /// What `location` is, as a raw code (X12 309).
        location_qualifier: Option<String>,
        /// A named place, dock or region.
        location: Option<String>,
        /// Part of a country that is no state or province, as a code (X12 1715).
        subdivision: Option<String>,
    }

    /// Someone to ask (X12 PER).
    Contact {
        /// What for, as a raw code (X12 366).
        function: Option<String>,
        /// Name.
        name: Option<String>,
        /// How to reach them.
        numbers: Vec<ContactNumber>,
        /// What to mention when asking.
        reference: Option<String>,
    }

    /// A telephone number, address and the like.
    ContactNumber {
        /// What it is: `telephone`, `email` …
        kind: Option<Code>,
        /// The number itself.
        number: Option<String>,
    }
}
