//! The faces that speak HTTP, each on its own listener.
//!
//! | listener | answers |
//! |---|---|
//! | [`as2`] | `POST` at one path, for partners: HTTP/1.1, no session, no cookie |
//! | [`admin`] | `/healthz`, `/readyz` and what is merged in; on loopback unless told otherwise |
//!
//! ```
//! use transload::web::as2::Answer;
//!
//! // What the walk says while the store cannot take a message: senders try again later.
//! let answer = Answer::unavailable(30);
//! assert_eq!((answer.status, answer.header("retry-after")), (503, Some("30")));
//! ```
//!
//! No face decides anything about a message: the AS2 listener hands over what came and writes
//! what the walk answers.

pub mod admin;
mod alerts;
pub mod as2;
mod certificates;
mod forwarded;
mod run;
mod strangers;

pub use forwarded::Believed;
pub use run::{Listeners, Running, run};
