//! X12 ⇄ canonical documents, by data.
mod compile;
mod dictionary;
mod element;
mod empty;
mod explain;
mod fill;
mod guide;
mod library;
mod lint;
mod read;
mod sample;
mod shape;
mod slots;
mod source;
mod value;
mod view;
mod write;

pub use dictionary::{
    DataType, Dictionary, ElementDef, Note, NoteKind, Part, Place, SegmentDef, Usage,
};
pub use guide::Guide;
pub use library::Library;
pub use read::{MAX_FINDINGS, Reading, read};
pub use sample::{Fill, sample};
pub use source::{GuideError, nearest, suggestion};
pub use value::CodeList;
pub use view::{ElementView, UseView, bind};
pub use write::{Writing, write};
