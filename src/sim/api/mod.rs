//! The SP-API door.
