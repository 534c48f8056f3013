//! The client of the API: its laws, and storms against a server that counts what it is asked.

mod direct;
mod doctor;
mod laws;
mod lists;
mod odd;
pub(crate) mod server;
mod storms;
mod wire;
pub(crate) mod world;

/// Words that stand in secrets and documents here, and may stand in no log and no error.
pub(crate) const SECRET: &str = "canary-secret";
pub(crate) const REFRESH: &str = "Atzr|canary-refresh";
pub(crate) const TOKEN: &str = "Atza|canary-token";
pub(crate) const CONTENT: &str = "CANARY-CONTENT";
/// Order numbers begin so: eight characters are all that they have.
pub(crate) const NUMBER: &str = "CNRY";
