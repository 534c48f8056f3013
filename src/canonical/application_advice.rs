//! The application advice (X12 824): what a receiver's own program made of what it was sent.
//!
//! A 997 says that a document's syntax is sound; this says whether its content was taken, and what
//! was wrong with it, result by result. A result is about a group, a set or an item in one.

use super::{
    Amount, Code, Contact, Date, DateReference, Message, Moment, Party, Provenance, QuantityDetail,
    Reference, Time,
};

records! {
    /// What became of documents that were sent.
    ApplicationAdvice {
        /// Original, response …
        purpose: Option<Code>,
        /// The advice's number.
        number: Option<String>,
        /// When it was made.
        made: Option<Moment>,
        /// A number that it goes by as well.
        second_number: Option<String>,
        /// Kind of transaction, as a raw code (X12 640).
        transaction: Option<String>,
        /// What is to be done, as a raw code (X12 306).
        action: Option<String>,
        /// Security level, as a raw code (X12 786).
        security: Option<String>,
        /// Who says it.
        from: Option<Party>,
        /// To whom.
        to: Option<Party>,
        /// Parties of other roles.
        parties: Vec<Party>,
        /// What became of each document or part of one.
        results: Vec<ApplicationResult>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// What became of one document, or of a part of it (X12 OTI loop).
    ApplicationResult {
        /// `set_accepted`, `set_rejected`, `item_accepted_with_change` …
        status: Option<Code>,
        /// What `id` numbers, as a raw code (X12 128), such as `IV` for an invoice.
        qualifier: Option<String>,
        /// The document or item.
        id: Option<String>,
        /// Who sent it, as its group said (X12 GS02).
        sender: Option<String>,
        /// Who got it, as its group said (X12 GS03).
        receiver: Option<String>,
        /// Date of its group (X12 GS04).
        date: Option<Date>,
        /// Time of its group (X12 GS05).
        time: Option<Time>,
        /// Control number of its group (X12 GS06).
        group: Option<String>,
        /// Control number of the set (X12 ST02).
        control_number: Option<String>,
        /// Which set it is, such as `810`.
        set: Option<String>,
        /// Version that it was written in (X12 GS08).
        version: Option<String>,
        /// Why it was sent.
        purpose: Option<Code>,
        /// Kind of transaction, as a raw code (X12 640).
        transaction: Option<String>,
        /// Kind of application, as a raw code (X12 346).
        application: Option<String>,
        /// What is to be done, as a raw code (X12 306).
        action: Option<String>,
        /// How it is to be handled, as a raw code (X12 305).
        handling: Option<String>,
        /// Why, as a raw code (X12 641).
        reason: Option<String>,
        /// Other numbers: the order's, the line's.
        references: Vec<Reference>,
        /// Dates.
        dates: Vec<DateReference>,
        /// People to ask.
        contacts: Vec<Contact>,
        /// Sums.
        amounts: Vec<Amount>,
        /// Quantities.
        quantities: Vec<QuantityDetail>,
        /// What was wrong.
        errors: Vec<ApplicationError>,
        /// The same in the codes of an industry.
        industry_errors: Vec<IndustryErrors>,
    }

    /// Something that was wrong (X12 TED loop).
    ApplicationError {
        /// What, as a raw code (X12 647), such as `009` for a bad date.
        code: Option<String>,
        /// What, in words.
        message: Option<String>,
        /// The segment in which it was, such as `IT1`.
        segment: Option<String>,
        /// Which segment of the set that is; ST is the first.
        position: Option<u32>,
        /// Which element of the segment.
        element: Option<u32>,
        /// Which component of the element.
        component: Option<u32>,
        /// Which repetition of the element.
        repetition: Option<u32>,
        /// The element's number in the standard, such as `355`.
        reference: Option<u32>,
        /// The component's number in the standard.
        component_reference: Option<u32>,
        /// What stood there.
        value: Option<String>,
        /// What the receiver put in its place.
        new_value: Option<String>,
        /// Further words.
        notes: Vec<Message>,
        /// Data that help to find it.
        related: Vec<RelatedData>,
    }

    /// What was wrong, in the codes of an industry (X12 LM loop).
    IndustryErrors {
        /// Whose codes, as a raw code (X12 559).
        agency: Option<String>,
        /// Which part of them.
        source: Option<String>,
        /// The codes.
        codes: Vec<IndustryError>,
    }

    /// One such code (X12 LQ loop).
    IndustryError {
        /// Which list it is of, as a raw code (X12 1270).
        list: Option<String>,
        /// The code.
        code: Option<String>,
        /// Data that help to find it.
        related: Vec<RelatedData>,
    }

    /// Data beside an error (X12 RED).
    RelatedData {
        /// The data, in words.
        text: Option<String>,
        /// What they are, as a raw code (X12 1609).
        kind: Option<String>,
        /// Whose list `code` is of, as a raw code (X12 559).
        agency: Option<String>,
        /// Which part of it.
        source: Option<String>,
        /// Which list, as a raw code (X12 1270).
        list: Option<String>,
        /// What they are, in that list.
        code: Option<String>,
    }
}
