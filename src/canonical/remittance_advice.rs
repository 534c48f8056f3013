//! The remittance advice (X12 820): what a payment is for.
//!
//! A payment is split over entities (the payee's accounts, divisions or vendor codes); each has
//! items that are paid and adjustments that belong to none. Amounts may be negative: a deduction
//! is one, and so is an invoice of credit. That the parts make up the total is not checked here.

use super::{
    Code, Contact, Currency, Date, DateReference, Decimal, Identifier, Message, Party, Provenance,
    Reference,
};

records! {
    /// What a payment is for, and often the payment itself.
    RemittanceAdvice {
        /// Whether it pays, advises or both: `remittance_only`, `payment_and_remittance` …
        handling: Option<Code>,
        /// What is paid in all.
        total: Option<Decimal>,
        /// Whether that is a credit or a debit, as a raw code (X12 478).
        credit_debit: Option<String>,
        /// How it is paid: `ach`, `check`, `wire` …
        method: Option<Code>,
        /// The payment's format, as a raw code (X12 812).
        format: Option<String>,
        /// Where it is paid from.
        payer_account: Option<BankAccount>,
        /// Who gave the order to pay, as the bank knows them.
        originator: Option<String>,
        /// A part of that originator.
        originator_part: Option<String>,
        /// Where it is paid to.
        payee_account: Option<BankAccount>,
        /// When the money arrives; for a check its date.
        paid_on: Option<Date>,
        /// What the payment is for, as a raw code (X12 1048).
        business: Option<String>,
        /// Where it goes if it is returned.
        return_account: Option<BankAccount>,
        /// What kind of trace `number` is, as a raw code (X12 481).
        trace: Option<String>,
        /// The payment's number, by which bank and payee find it.
        number: Option<String>,
        /// Who gave that number.
        number_by: Option<String>,
        /// A further number.
        number_part: Option<String>,
        /// Currency of all amounts.
        currency: Option<Currency>,
        /// Remarks.
        remarks: Vec<Message>,
        /// Other numbers.
        references: Vec<Reference>,
        /// Dates.
        dates: Vec<DateReference>,
        /// Who pays.
        payer: Option<Party>,
        /// Who is paid.
        payee: Option<Party>,
        /// Parties of other roles.
        parties: Vec<Party>,
        /// What is paid, entity by entity.
        remittances: Vec<Remittance>,
        /// Where it came from.
        provenance: Provenance,
    }

    /// An account at a bank (X12 BPR).
    BankAccount {
        /// Whose numbering the bank's is, as a raw code (X12 506).
        bank_qualifier: Option<String>,
        /// The bank.
        bank: Option<String>,
        /// What kind of account, as a raw code (X12 569).
        kind: Option<String>,
        /// The account.
        number: Option<String>,
    }

    /// What is paid for one entity (X12 ENT loop).
    Remittance {
        /// Its number.
        number: Option<String>,
        /// What the entity is to the payment, as a raw code (X12 98).
        role: Option<String>,
        /// The entity.
        id: Option<Identifier>,
        /// What a second entity is, as a raw code (X12 98).
        second_role: Option<String>,
        /// A second entity.
        second_id: Option<Identifier>,
        /// Another number of it.
        reference: Option<Reference>,
        /// Adjustments that belong to no item.
        adjustments: Vec<Adjustment>,
        /// What is paid.
        items: Vec<PaidItem>,
    }

    /// An invoice or another item that is paid, in full or in part (X12 RMR loop).
    PaidItem {
        /// What `id` numbers, as a raw code (X12 128), such as `IV` for an invoice.
        qualifier: Option<String>,
        /// The item.
        id: Option<String>,
        /// What is done to it, as a raw code (X12 482), such as `PO` for payment on account.
        action: Option<String>,
        /// What is paid.
        paid: Option<Decimal>,
        /// What was asked for, with discounts.
        invoiced: Option<Decimal>,
        /// The discount that was taken.
        discount: Option<Decimal>,
        /// Why it was adjusted, as a raw code (X12 426).
        adjustment_reason: Option<String>,
        /// By how much.
        adjustment: Option<Decimal>,
        /// Remarks.
        remarks: Vec<Message>,
        /// Other numbers: the order's, the bill of lading's.
        references: Vec<Reference>,
        /// Dates.
        dates: Vec<DateReference>,
        /// Adjustments to it.
        adjustments: Vec<Adjustment>,
    }

    /// An amount taken off or put on (X12 ADX loop).
    Adjustment {
        /// The amount; what is taken off is negative.
        amount: Option<Decimal>,
        /// Why, as a raw code (X12 426).
        reason: Option<String>,
        /// What `id` numbers, as a raw code (X12 128).
        qualifier: Option<String>,
        /// What it is about.
        id: Option<String>,
        /// Remarks.
        remarks: Vec<Message>,
        /// People.
        contacts: Vec<Contact>,
        /// Dates.
        dates: Vec<DateReference>,
        /// Other numbers.
        references: Vec<Reference>,
    }
}
