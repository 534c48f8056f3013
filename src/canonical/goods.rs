//! What and how much: item ids, quantities, prices, descriptions, packs, schedules.

use super::{Code, Date, Decimal, Moment, Reference, Routing};

records! {
    /// One of an item's ids and whose it is (X12 235/234).
    ItemId {
        /// Whose: `upc`, `ean`, `vendor_item`, `buyer_item` …
        qualifier: Option<Code>,
        /// The id.
        id: Option<String>,
    }

    /// How much, in what.
    Quantity {
        /// The number.
        value: Option<Decimal>,
        /// In what: `each`, `case` …
        unit: Option<Code>,
        /// Eaches in one unit, where it is known.
        pack_size: Option<u32>,
    }

    /// A quantity of a named kind (X12 QTY).
    QuantityDetail {
        /// Which quantity, as a raw code (X12 673).
        qualifier: Option<String>,
        /// The number.
        value: Option<Decimal>,
        /// In what.
        unit: Option<Code>,
    }

    /// An amount of money, and what it is for.
    Money {
        /// The amount, in major units (dollars, not cents).
        amount: Option<Decimal>,
        /// ISO 4217; absent means the document's currency.
        currency: Option<String>,
        /// What kind of price it is: `per_each`, `list_price_per_each` …
        basis: Option<Code>,
        /// The unit that the price is for, where it is not the quantity's.
        unit: Option<Code>,
    }

    /// A sum of a named kind (X12 AMT).
    Amount {
        /// Which sum, as a raw code (X12 522).
        qualifier: Option<String>,
        /// The sum, in major units of the document's currency.
        amount: Option<Decimal>,
        /// Whether it is a credit or a debit, as a raw code (X12 478).
        credit_debit: Option<String>,
        /// Numbers that it goes by.
        references: Vec<Reference>,
    }

    /// A price with its conditions (X12 CTP).
    PriceDetail {
        /// Class of trade, as a raw code (X12 687).
        class: Option<String>,
        /// Which price: `net`, `list`, `suggested_retail` …
        kind: Option<Code>,
        /// The price of one unit.
        amount: Option<Decimal>,
        /// Quantity that it holds for.
        quantity: Option<Decimal>,
        /// Unit of the quantity and the price.
        unit: Option<Code>,
        /// What `multiplier` does, as a raw code (X12 648).
        multiplier_qualifier: Option<String>,
        /// A factor on the price.
        multiplier: Option<Decimal>,
        /// A total, in major units.
        total: Option<Decimal>,
        /// What kind of price it is.
        basis: Option<Code>,
        /// A condition, as text.
        condition: Option<String>,
        /// How many units the price is for.
        per: Option<u32>,
    }

    /// What something is, in words or codes (X12 PID).
    Description {
        /// How it is said: `free_form`, `coded` …
        form: Option<Code>,
        /// Which property, as a raw code (X12 750).
        characteristic: Option<String>,
        /// Whose code list, as a raw code (X12 559).
        agency: Option<String>,
        /// The code.
        code: Option<String>,
        /// The words.
        text: Option<String>,
        /// Which side or layer, as a raw code (X12 752).
        surface: Option<String>,
        /// Which part of the code list.
        source: Option<String>,
        /// Whether it holds: yes or no, as a raw code (X12 1073).
        applies: Option<String>,
        /// Language, as a code.
        language: Option<String>,
        /// Measurements that belong to it.
        measurements: Vec<Measurement>,
    }

    /// A measured property (X12 MEA).
    Measurement {
        /// What is measured, as a raw code (X12 737).
        reference: Option<String>,
        /// Which dimension, as a raw code (X12 738).
        qualifier: Option<String>,
        /// The value.
        value: Option<Decimal>,
        /// Its unit.
        unit: Option<Code>,
        /// Lowest value allowed.
        minimum: Option<Decimal>,
        /// Highest value allowed.
        maximum: Option<Decimal>,
        /// What the value means, as a raw code (X12 935).
        significance: Option<String>,
        /// A property that is not a number, as a raw code (X12 936).
        attribute: Option<String>,
        /// Which side or layer, as a raw code (X12 752).
        surface: Option<String>,
        /// How it was measured, as a raw code (X12 1373).
        method: Option<String>,
        /// Whose list `code` is of, as a raw code (X12 1270).
        code_list: Option<String>,
        /// A unit or result, in that list.
        code: Option<String>,
    }

    /// How an item is packed (X12 PO4).
    Pack {
        /// Inner packs in one outer pack.
        packs: Option<u32>,
        /// Size of one unit in a pack.
        size: Option<Decimal>,
        /// Unit of the size.
        size_unit: Option<Code>,
        /// Kind of packaging, as a raw code (X12 103).
        packaging: Option<String>,
        /// Which weight, as a raw code (X12 187).
        weight_qualifier: Option<String>,
        /// Gross weight of one pack.
        weight: Option<Decimal>,
        /// Unit of the weight.
        weight_unit: Option<Code>,
        /// Gross volume of one pack.
        volume: Option<Decimal>,
        /// Unit of the volume.
        volume_unit: Option<Code>,
        /// Length.
        length: Option<Decimal>,
        /// Width.
        width: Option<Decimal>,
        /// Height.
        height: Option<Decimal>,
        /// Unit of the three.
        dimension_unit: Option<Code>,
        /// Eaches in one inner pack.
        inner_packs: Option<u32>,
        /// Which side or layer, as a raw code (X12 752).
        surface: Option<String>,
        /// First line number that this pack holds.
        first: Option<String>,
        /// Last line number that this pack holds.
        last: Option<String>,
        /// How many.
        number: Option<u32>,
    }

    /// How much is wanted or promised when (X12 SCH).
    Schedule {
        /// How much.
        quantity: Option<Quantity>,
        /// Role of the party it concerns, as a raw code (X12 98).
        role: Option<String>,
        /// Name of that party.
        name: Option<String>,
        /// What happens then, as a raw code (X12 374).
        qualifier: Option<String>,
        /// When.
        moment: Option<Moment>,
        /// What happens at the second moment.
        second_qualifier: Option<String>,
        /// A second moment.
        second_moment: Option<Moment>,
        /// The number of a request that this answers.
        request: Option<String>,
        /// Its own number.
        number: Option<String>,
        /// Other numbers.
        references: Vec<Reference>,
        /// How it travels.
        routing: Vec<Routing>,
    }

    /// How long something takes (X12 LDT).
    LeadTime {
        /// From what to what, as a raw code (X12 345), such as `AF` from order to delivery.
        kind: Option<String>,
        /// How many.
        value: Option<Decimal>,
        /// Of what, as a raw code (X12 344), such as `DA` for calendar days.
        unit: Option<String>,
        /// From when on that holds.
        from: Option<Date>,
    }

    /// One line's quantity split over stores (X12 SDQ).
    StoreQuantities {
        /// Unit of all quantities.
        unit: Option<Code>,
        /// Whose numbering the stores' ids are.
        id_qualifier: Option<Code>,
        /// Store by store.
        stores: Vec<StoreQuantity>,
        /// A place within the stores.
        location: Option<String>,
    }

    /// How much for one store.
    StoreQuantity {
        /// The store's id.
        store: Option<String>,
        /// How much.
        value: Option<Decimal>,
    }
}
