//! X12 ⇄ canonical documents, by data: one guide says a transaction set's structure *and* where
//! each value goes, and is used in both directions.
//!
//! A guide is TOML. A table is a segment; a table with tables under it is a loop; an overlay
//! (`base = "…"`) is a deep merge keyed by reference designator. At the head stand `set`,
//! `version`, `document` (none for a guide that is structure only) and `base`; then, under
//! `[heading]`, `[detail]` and `[summary]`:
//!
//! | word | says |
//! |---|---|
//! | `pos` | the standard's position: order comes from it, never from the file |
//! | `max`, `usage` | repeats; M, O, X (conditional), N (not used) |
//! | `when` | what tells this use of a segment from another: a value, a list, a prefix `"CTN*"`. The most exact wins; a use without one takes the rest |
//! | `as` | where the value goes: `name`, `ship_to.id.id`, `lines[]`, `ext.colour`; relative to the loop's own |
//! | `is` | a constant, `count(path)`, `sum(path)`, `seq()`, `hl()`, `hl(parent)`, `hl(children)`: written, and compared when read |
//! | `codes` | a list in `codes/`: X12 code ⇄ canonical word, one to one; an unknown code stays `other:XX`. Its table `[meant]` (`pcs = "PC"`) says what people write instead |
//! | `run` | groups of elements inside a segment, `{ n = 10, width = 2 }`: the first fields of a list's items, in the order in which the schema has them |
//! | `under` | for HL: the levels (codes of HL03) below which it may stand; `"top"` and `"*"` (anywhere) are words too. None is the top. An overlay replaces it |
//! | `like` | all that a neighbour's table says, but its `when`, `usage`, `with` and `under`, below what this one says |
//! | `fits` | a form, `n18`, `an8..30`, `'00' n18`, or a comparison, `> 0`, `>= BIG03`, `<= BSN.BSN03 + 2`, `<= today`; of a list all hold |
//! | `with` | where the `usage` (M or N) and the `fits` beside it hold: `{ FOB.FOB01 = "CC" }`; `"*"` is any value, `""` none |
//!
//! **Uses that fill one list.** Several uses at one position may name one list (`levels[]`). Then
//! the list's order is the file's, and writing gives each item to the first, most exact use whose
//! `when` the item's own values meet; a use without `when` takes the rest. So each element of such
//! a `when` has an `as`.
//!
//! **Levels.** An HL whose first element is `hl()` is a level. Its list's items have the same list
//! again (`ShipNotice::levels`, `Level::levels`): a tree of any nesting that `under` allows, each
//! level written once. `hl()` is the level's ordinal in the set, `hl(parent)` that of the level
//! around it, `hl(children)` 1 where levels stand below it, else 0; `count(levels)` counts the
//! whole tree. A level is a wall: a segment after it belongs to it or to the set, never to a level
//! around it. A level whose parent is missing, unknown or not allowed is told and put below the
//! nearest that may hold it; one that the guide does not list is taken by the HL without `when`,
//! with a warning, and may hold anything. Writing is depth first and numbers anew.
//!
//! ```
//! use transload::mapping::{Library, read, write};
//! use transload::x12::{Delimiters, Position, Segments};
//!
//! let library = Library::embedded();
//! let guide = library.guide(None, "004010", "850").unwrap().unwrap();
//! let mut set = Segments::default();
//! for segment in ["BEG*00*NE*4711**20261122", "PO1*1*10*EA*9.95*PE*VN*TK-1", "CTT*1"] {
//!     let parts: Vec<&[u8]> = segment.split('*').map(str::as_bytes).collect();
//!     set.push_parts(&parts, Position::default());
//! }
//! let order = read(&guide, &set, &Delimiters::default()).document.unwrap();
//! assert_eq!(order.number(), Some("4711"));
//! assert_eq!(write(&guide, &order, &Delimiters::default()).segments, set);
//! ```
//!
//! How it runs: when a guide is loaded each `as` becomes a path of slot numbers, taken from the
//! JSON Schema of its document (`shape`). `read` binds segments to uses and values to slots
//! (`slots`); a serde deserializer over the slots gives the document (`empty`), a serializer fills
//! them again (`fill`), `write` walks the guide over them. The laws that tie the directions
//! together are in `tests/laws.rs`.
//!
//! It opens no file (the embedded guides are part of the program, a user's own are handed in as
//! text), checks no total against a price (`lifecycle` will), and has no scripts.

mod candidate;
mod check_digit;
mod compile;
mod demand;
mod dictionary;
mod diff;
mod element;
mod empty;
mod example;
mod explain;
mod fill;
mod guide;
mod json;
mod level;
mod library;
mod lint;
mod misplaced;
mod moves;
mod packed;
mod plain;
mod plan;
mod reach;
mod read;
mod sample;
mod schema;
mod shape;
mod slots;
mod source;
mod tally;
mod value;
mod view;
mod write;

pub use dictionary::{
    DataType, Dictionary, ElementDef, Note, NoteKind, Part, Place, SegmentDef, Usage,
};
pub use diff::{Change, Codes, Fate, changed, diff};
pub use example::example;
pub use guide::Guide;
pub use library::{Library, shipped};
pub use read::{Gist, MAX_FINDINGS, Reader, Reading, check, gist, read, read_json};
pub use sample::{Fill, sample};
pub use schema::schema;
pub use source::{GuideError, nearest, suggestion};
pub use value::CodeList;
pub use view::{ElementView, UseView, bind};
pub use write::{Writing, write};
