//! What a bridge to an API has to keep: named states, what it saw, what it handed over.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{DocumentState, Draft, Error, NewDocument, WorkKind};

/// Makes of what is kept under a name what is kept from here on. Runs inside the transaction: pure,
/// quick, and without a wait.
pub type Step = Box<dyn FnOnce(Option<&str>) -> String + Send>;

/// An order as an API shows it, and the documents that follow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Whose: environment, region, name.
    pub account: String,
    /// The order's number.
    pub number: String,
    /// When it was changed, as the API says it.
    pub changed: String,
    /// The canonical document (JSON).
    pub content: String,
    /// What goes out because of it.
    pub drafts: Vec<Draft>,
}

/// What was last seen of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// When it was changed, as the API says it.
    pub changed: String,
    /// The canonical document (JSON).
    pub content: String,
}

/// A document on its way into an API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submission {
    /// The document.
    pub document: Uuid,
    /// Whose: environment, region, name.
    pub account: String,
    /// The API's operation.
    pub operation: String,
    /// How far it is, in the bridge's word.
    pub stage: String,
    /// The number by which its outcome can be asked for.
    pub transaction: Option<String>,
    /// All that the bridge needs to go on (JSON).
    pub detail: String,
    /// While it may be seen in a list in which others stand as well: the list, and its name there.
    pub listed: Option<(String, String)>,
    /// As what it was [seen](super::Store::sighted) in that list. What is submitted does not change it.
    pub seen: Option<String>,
}

/// What follows from a submission's step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// The same worker goes on: the lease stays.
    Stay,
    /// The same work again at a time, and why.
    Again(DateTime<Utc>, String),
    /// The API has the document, as far as is known: it is `delivered`, and its outcome is asked for
    /// at a time, and what is known; and what its sender is told.
    Ask(DateTime<Utc>, String, Vec<NewDocument>),
    /// The work is done: the document is `delivered` (nobody will say more), `settled`, `rejected` or
    /// `held`, with a line for people; and what its sender is told.
    End(DocumentState, String, Vec<NewDocument>),
}

impl Submission {
    /// Whether work of this kind, on this document, may keep it.
    pub(super) fn check(&self, kind: WorkKind, subject: Uuid) -> Result<(), Error> {
        match (kind, subject == self.document) {
            (WorkKind::Deliver | WorkKind::Ask, true) => Ok(()),
            _ => Err(Error::invalid(format!(
                "work to {kind} does not submit this"
            ))),
        }
    }
}

impl Then {
    /// What the document's sender is told.
    pub(super) fn drafts(&self) -> &[NewDocument] {
        match self {
            Then::Ask(_, _, drafts) | Then::End(_, _, drafts) => drafts,
            Then::Stay | Then::Again(..) => &[],
        }
    }

    /// Whether a document may end so.
    pub(super) fn check(&self) -> Result<(), Error> {
        use DocumentState::{Delivered, Held, Rejected, Settled};
        match self {
            Then::End(Delivered | Held | Rejected | Settled, ..) => Ok(()),
            Then::End(state, ..) => {
                Err(Error::invalid(format!("a submission does not end {state}")))
            }
            _ => Ok(()),
        }
    }
}
