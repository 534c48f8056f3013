//! What documents say of each other, and what one says of itself: sums, days, prices, quantities.
//!
//! A guide looks at one value at a time; here the arithmetic of a business is done. From a document
//! a [`Paper`] is kept, the keys by which others are held against it; its money and days are added
//! up in [`Sums`] as they go by. Both can be made of a canonical document, or by whoever reads the
//! keys from the wire: `P` is where a thing stands, a segment for the desk, a row for a gateway.
//!
//! | function | holds | against |
//! |---|---|---|
//! | [`check::of`] | the total, taxes, line amounts, prices, days of one document | itself |
//! | [`reconcile()`] | answers, notices, invoices | the order, and what came before |
//!
//! ```
//! use transload::canonical::Document;
//! use transload::lifecycle::{What, check};
//! let invoice: Document = serde_json::from_str(r#"{"document":"invoice","number":"R-1",
//!     "lines":[{"quantity":{"value":"10"},"price":{"amount":"4.50"}}],
//!     "totals":{"total":"54.00"}}"#).unwrap();
//! let remarks = check::of(&invoice);
//! assert!(matches!(&remarks[0].what, What::Total { said, reckoned, .. }
//!     if said.to_string() == "54.00" && reckoned.to_string() == "45.00"));
//! ```
//!
//! What it does not do: it finds no words (a remark is a kind and its values), it knows nothing that
//! it was not given, so what has to be unique within a year is unique among these papers only, and it
//! keeps no clock: a deadline is not its business.

pub mod check;
mod paper;
mod reconcile;
mod remark;

pub use check::{Given, Sums};
pub use paper::{Kind, Line, Paper, Parties, Purpose, Verdict};
pub use reconcile::reconcile;
pub use remark::{Item, Part, Remark, What};
