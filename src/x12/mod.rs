//! X12 syntax, both directions: bytes to segments and envelopes, and back.
//!
//! ```text
//! bytes ─ Reader ─► segments ─ Envelopes ─► sets ─ read() ─► Interchange
//!                                             └ findings ─ acknowledge() ─► 997, 999, TA1
//! bytes ◄─────────────────────────────────────── write() ── Interchange
//! bytes ◄─ rewrite() ─ bytes, each segment as it stood or changed on purpose
//! ```
//!
//! Reading never fails on what a partner sent: it gives what can be read, and a [`Finding`] for
//! each thing that is wrong. Only a failing source, and a file without any ISA, are errors.
//! [`Reader`] and [`Envelopes`] work in memory that does not grow with the file; [`read()`] holds
//! it whole.
//!
//! ```
//! use transload::x12::{Form, acknowledge, read};
//! let file = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              \
//! *260102*0304*U*00401*000000001*0*P*>~GS*PO*A*B*20260102*0304*7*X*004010~\
//! ST*850*0001~BEG*00*NE*4711**20260102~SE*9*0001~GE*1*7~IEA*1*000000001~";
//! let reading = read(&file[..])?;
//! assert_eq!(reading.findings[0].message.to_string(), "SE01 says 9 segments; set 0001 has 3 from ST to SE");
//! let answer = &acknowledge(&reading.interchanges[0], &reading.findings, Form::F997)[0];
//! assert_eq!(answer.sets[0].codes, ["4"]);
//! # Ok::<(), transload::x12::Error>(())
//! ```
//!
//! What this room does not do: it knows no segment but the envelopes and those of acknowledgments, no types,
//! lengths or codes (that is `mapping`), and it opens no file and reads no clock.
mod ack;
mod answer;
mod check;
mod delimiters;
mod envelope;
mod finding;
mod form;
mod header;
mod hunt;
mod inspect;
mod interchange;
mod isa;
mod read;
mod rewrite;
mod segment;
mod settle;
mod source;
mod split;
mod ta1;
mod text;
mod tokens;
mod unended;
mod unknown;
mod values;
mod verdict;
mod write;

pub use ack::{ReplyNumbers, acknowledge, reply, set_verdict};
pub use answer::{About, Answer, answers};
pub use delimiters::{Delimiters, LineBreak};
pub use envelope::{Envelopes, Event, SET_LIMIT};
pub use finding::{Fault, Finding, Location, Severity};
pub use form::Form;
pub use header::{GroupHeader, InterchangeHeader, Qualified, functional_id};
pub use interchange::{FunctionalGroup, Interchange, Reading, Trailer, TransactionSet, read};
pub use isa::WIDTHS as ISA_WIDTHS;
pub use read::{BINARY_LIMIT, FINDINGS_LIMIT, Reader, SEGMENT_LIMIT, WINDOW};
pub use rewrite::rewrite;
pub use segment::{Position, Segment, Segments, components, repetitions};
pub use split::split;
pub use ta1::InterchangeAcknowledgment;
pub use text::{Text, Value, Words};
pub(crate) use text::{fits, text};
pub use unknown::{Error, Resemblance};
pub use verdict::{ElementFault, FunctionalAcknowledgment, SegmentFault, SetVerdict, Verdict};
pub use write::{WriteError, WriteOptions, write, write_with};
