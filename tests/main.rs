//! One integration binary: a module for each thing that is tested.
mod bridge;
mod client;
mod partner;
mod web;
