//! The client of the API: its laws, and storms against a server that counts what it is asked.

mod doctor;
mod laws;
mod server;
mod storms;
mod world;

/// Words that stand in secrets and documents here, and may stand in no log and no error.
const SECRET: &str = "canary-secret";
const REFRESH: &str = "Atzr|canary-refresh";
const TOKEN: &str = "Atza|canary-token";
const CONTENT: &str = "CANARY-CONTENT";
/// Order numbers begin so: eight characters are all that they have.
const NUMBER: &str = "CNRY";
