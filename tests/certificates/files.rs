//! The folder of keys.
