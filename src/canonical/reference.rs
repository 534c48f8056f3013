//! Numbers, moments and notes that point elsewhere or say something to people.

use super::{Code, Date, Decimal, Time};

records! {
    /// A number that points to something else (X12 REF).
    Reference {
        /// What it numbers, as a raw code (X12 128).
        qualifier: Option<String>,
        /// The number.
        id: Option<String>,
        /// Words about it.
        description: Option<String>,
        /// A number that narrows it, such as a line of the order that it names.
        second: Option<ReferenceNumber>,
        /// And another.
        third: Option<ReferenceNumber>,
        /// And another.
        fourth: Option<ReferenceNumber>,
    }

    /// A number beside another (X12 C040).
    ReferenceNumber {
        /// What it numbers, as a raw code (X12 128).
        qualifier: Option<String>,
        /// The number.
        id: Option<String>,
    }

    /// A point in time, as exactly as it was said: a date alone has no time and no zone.
    Moment {
        /// Date.
        date: Option<Date>,
        /// Time of day.
        time: Option<Time>,
        /// Zone of that time, as a raw code (X12 623); absent means not said.
        zone: Option<String>,
    }

    /// A moment with what happens then (X12 DTM).
    DateReference {
        /// What happens, as a raw code (X12 374).
        qualifier: Option<String>,
        /// When.
        moment: Option<Moment>,
        /// How `period` is written, as a raw code (X12 1250).
        period_format: Option<String>,
        /// A period, as text.
        period: Option<String>,
    }

    /// Not before and not after.
    Window {
        /// Not before.
        from: Option<Moment>,
        /// Not after.
        to: Option<Moment>,
    }

    /// A note with what it is about (X12 N9 loop).
    Note {
        /// What the note is, as a raw code (X12 128).
        qualifier: Option<String>,
        /// A number for it.
        id: Option<String>,
        /// A heading.
        title: Option<String>,
        /// When it was made.
        moment: Option<Moment>,
        /// Dates that it speaks of.
        dates: Vec<DateReference>,
        /// The text, in the pieces it came in.
        text: Vec<Message>,
        /// A number that narrows the first.
        second: Option<ReferenceNumber>,
        /// And another.
        third: Option<ReferenceNumber>,
        /// And another.
        fourth: Option<ReferenceNumber>,
    }

    /// One piece of free text (X12 MSG, MTX, NTE).
    Message {
        /// The text.
        text: Option<String>,
        /// How a printer should advance, as a raw code (X12 934).
        advance: Option<String>,
        /// Lines to advance.
        lines: Option<u32>,
        /// What the text is about, as a raw code (X12 363).
        kind: Option<String>,
        /// Where the text went on in an element of its own.
        more: Option<String>,
        /// Language, as a code.
        language: Option<String>,
    }

    /// Totals for control (X12 CTT). The count of lines is always made anew.
    Totals {
        /// Sum of the lines' quantities, as the sender reckoned it.
        hash: Option<Decimal>,
        /// Total weight.
        weight: Option<Decimal>,
        /// Unit of the weight.
        weight_unit: Option<Code>,
        /// Total volume.
        volume: Option<Decimal>,
        /// Unit of the volume.
        volume_unit: Option<Code>,
        /// Words about them.
        description: Option<String>,
    }
}
