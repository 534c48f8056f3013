//! The client of the API: its laws, and storms against a server that counts.

mod laws;
