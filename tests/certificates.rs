//! Certificates from the first to the last day: the folder of keys, rolls, imports, lists, warnings.
#![allow(clippy::unwrap_used)]

mod files;
mod list;
