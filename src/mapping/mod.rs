//! X12 ⇄ canonical documents, by data.
mod dictionary;
mod empty;
mod fill;
mod shape;
mod slots;
mod source;
mod value;
pub use source::{GuideError, suggestion};
