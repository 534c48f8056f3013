//! One integration binary: a module for each thing that is tested.
mod store;
