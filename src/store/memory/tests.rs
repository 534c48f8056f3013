use super::*;
use crate::store::suite::conformance;
use std::sync::Arc;

conformance!(opened);

fn opened() -> (Arc<dyn Store>, ()) {
    (Arc::new(Memory::default()), ())
}
