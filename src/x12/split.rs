//! One interchange into many: each set on its own, in its envelope.
//!
//! ```
//! use transload::x12::{read, split};
//! let file = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              \
//! *260102*0304*U*00401*000000001*0*P*>~GS*PO*A*B*20260102*0304*7*X*004010~\
//! ST*850*0001~BEG*00*NE*1**20260102~SE*3*0001~ST*850*0002~BEG*00*NE*2**20260102~SE*3*0002~\
//! GE*2*7~IEA*1*000000001~";
//! let reading = read(&file[..])?;
//! let parts: Vec<_> = split(&reading.interchanges[0]).collect();
//! assert_eq!(parts.len(), 2);
//! let text = parts[1].to_bytes()?;
//! assert!(text.ends_with(b"SE*3*0002~GE*1*7~IEA*1*000000001~"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::{FunctionalGroup, Interchange, Segments, TransactionSet};

/// Each set of `interchange` in an interchange of its own, in order. Headers, separators and
/// control numbers are those that came; counts are made anew when a part is written. TA1 segments
/// go with none of them.
pub fn split(interchange: &Interchange) -> impl Iterator<Item = Interchange> + '_ {
    let alone = |(group, set): (&FunctionalGroup, &TransactionSet)| Interchange {
        ta1: Segments::default(),
        groups: vec![FunctionalGroup {
            sets: vec![set.clone()],
            trailer: group.trailer.clone(),
            position: group.position,
            header: group.header.clone(),
        }],
        header: interchange.header.clone(),
        delimiters: interchange.delimiters,
        position: interchange.position,
        trailer: interchange.trailer.clone(),
    };
    interchange.sets().map(alone)
}
