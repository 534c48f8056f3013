//! What the outbound walk writes: drafts, envelopes, sealed messages, receipts.

use uuid::Uuid;

use super::{Answer, Error, Headers, Key, MessageState, NewDocument, Payload};

/// A document to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The partner's name in our settings.
    pub partner: String,
    /// The document.
    pub document: NewDocument,
    /// Bytes to keep with it, which its content names by their digest: an interchange that goes
    /// out as it is.
    pub payload: Option<Payload>,
}

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drafted {
    /// Stored, and queued.
    New,
    /// The same key was drafted before, as this document.
    Duplicate(Uuid),
}

/// An outgoing interchange, before it has numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// A new id (UUID v7).
    pub id: Uuid,
    /// ISA05 to ISA08 as one text, the sender (us) first: what numbers are counted by.
    pub pair: String,
    /// How many functional groups, so how many GS06 are wanted.
    pub groups: usize,
}

/// The numbers of one interchange: 1 to 999,999,999, then 1 again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlNumbers {
    /// ISA13.
    pub interchange: u32,
    /// GS06 of each group.
    pub groups: Vec<u32>,
}

/// The interchange as text, and where its documents stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The X12 bytes.
    pub payload: Payload,
    /// Every document in it. The one that the work is about must be among them; the work of the
    /// others is done with it.
    pub documents: Vec<Placed>,
}

/// A document's place in an interchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The document.
    pub document: Uuid,
    /// GS06, as a 997 will name it.
    pub group_control: String,
    /// ST02, as a 997 will name it.
    pub set_control: String,
}

/// Writes an interchange with the numbers that it is given. Runs inside the transaction, so that a
/// refusal uses no number: pure, quick, and without a wait.
pub type Compose = Box<dyn FnOnce(&ControlNumbers) -> Result<Composed, String> + Send>;

/// A message ready for the wire. Every retry sends these bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// A new id (UUID v7).
    pub id: Uuid,
    /// `as2`, `folder` …
    pub transport: String,
    /// Our name, the partner's, the Message-ID without angle brackets.
    pub key: Key,
    /// The header fields to send.
    pub headers: Headers,
    /// The body to send.
    pub body: Payload,
    /// The MIC that the MDN must name, as it will stand there.
    pub mic: Option<String>,
    /// The media type of the content, as its part says it.
    pub content_type: Option<String>,
    /// The file name of the content, as its part says it.
    pub file_name: Option<String>,
    /// One line for people: what it is protected by.
    pub note: String,
}

/// How a partner took a message: a verified MDN, or the end of a transport that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it makes of the message: `Confirmed` (it says `processed`), `Refused` (a verified
    /// error MDN), or `Uncertain` (verified, but about other bytes).
    pub state: MessageState,
    /// The MDN as it came.
    pub answer: Option<Answer>,
    /// One line for people.
    pub note: String,
}

impl Receipt {
    /// Whether it changes a message in this state.
    pub(super) fn changes(&self, known: MessageState) -> Result<bool, Error> {
        match self.state {
            MessageState::Confirmed | MessageState::Refused => Ok(known != MessageState::Confirmed),
            MessageState::Uncertain => Ok(!matches!(
                known,
                MessageState::Confirmed | MessageState::Refused
            )),
            state => Err(Error::invalid(format!("a receipt does not make {state}"))),
        }
    }
}
