//! X12 syntax, both directions.
mod check;
mod delimiters;
mod envelope;
mod finding;
mod header;
mod hunt;
mod inspect;
mod interchange;
mod isa;
mod read;
mod segment;
mod settle;
mod source;
mod tokens;
mod unknown;

pub use delimiters::{Delimiters, LineBreak};
pub use envelope::{Envelopes, Event, SET_LIMIT};
pub use finding::{Fault, Finding, Location, Severity};
pub use header::{GroupHeader, InterchangeHeader, Qualified, functional_id};
pub use interchange::{FunctionalGroup, Interchange, Reading, Trailer, TransactionSet, read};
pub use read::{BINARY_LIMIT, FINDINGS_LIMIT, Reader, SEGMENT_LIMIT, WINDOW};
pub use segment::{Position, Segment, Segments, components, repetitions};
pub use unknown::{Error, Resemblance};
