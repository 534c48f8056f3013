//! X12 syntax, both directions.
mod delimiters;
mod finding;
mod segment;

pub use delimiters::{Delimiters, LineBreak};
pub use finding::{Fault, Finding, Location, Severity};
pub use segment::{Position, Segment, Segments, components, repetitions};
