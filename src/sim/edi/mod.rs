//! The EDI door of the buyer: X12 over AS2, over the same state as the other door.
//!
//! ```text
//! vendor ─ AS2 ─► open ─► desk ─ documents ─► World      997, then what the state says
//!        ◄─ MDN ─┘         └ 997 ─► outbox ─► seal ─ AS2 ─► vendor
//! ```
//!
//! | file | is |
//! |---|---|
//! | `desk` | one side's X12: guides, control numbers, 997s; pure |
//! | `door` | the listener and the sender |
//!
//! ```
//! use std::sync::Arc;
//! use transload::canonical::{Document, PurchaseOrderAcknowledgment};
//! use transload::mapping::Library;
//! use transload::sim::edi::Desk;
//! use transload::x12::Qualified;
//!
//! let (us, them) = (Qualified::new("ZZ", "VENDOR"), Qualified::new("ZZ", "BUYER"));
//! let mut desk = Desk::new(Arc::new(Library::embedded()), "", us, them);
//! let empty = Document::PurchaseOrderAcknowledgment(PurchaseOrderAcknowledgment::default());
//! let why = desk.write(&empty, chrono::NaiveDateTime::default()).unwrap_err();
//! assert!(why.contains("BAK"), "{why}");
//! ```
//!
//! What it does not do: it sends no TA1, puts one document into an interchange, and knows one vendor.

mod desk;
mod door;

pub use desk::{Came, Desk, Read, SETS, Written, set_of};
pub use door::{Edi, Judged, PATH, Settings, Spoken, identity};
