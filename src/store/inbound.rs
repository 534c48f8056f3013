//! What the inbound walk writes: arrivals, and what was read in them.

use bytes::Bytes;
use uuid::Uuid;

use super::{DocumentState, Payload};

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// Header fields, in order, as they stood on the wire.
pub type Headers = Vec<(String, String)>;

/// What tells one message from another: compared byte by byte, case and all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Our AS2 name (or that of a folder).
    pub our_id: String,
    /// The partner's AS2 name.
    pub partner_id: String,
    /// The Message-ID without angle brackets. A folder gives the content's digest in hex, or a
    /// file's id.
    pub message_id: String,
}

/// An HTTP answer: what we gave to an inbound message (its MDN), or got for an outbound one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header fields, in order.
    pub headers: Headers,
    /// The body; for an MDN, its exact bytes.
    pub body: Bytes,
}

/// An inbound message with its verdict, for [`accept`](super::Store::accept) and
/// [`refuse`](super::Store::refuse).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// A new id (UUID v7).
    pub id: Uuid,
    /// The partner's name in our settings: what lists filter by and turns are taken by.
    pub partner: String,
    /// `as2`, `folder` …
    pub transport: String,
    /// What a second copy is told by.
    pub key: Key,
    /// The request's header fields.
    pub headers: Headers,
    /// The request's body, as it came.
    pub body: Payload,
    /// What was inside, once verified, decrypted and decompressed; `None` where it was not opened.
    pub content: Option<Payload>,
    /// The media type of the content, as it stood.
    pub content_type: Option<String>,
    /// The file name of the content as claimed, made safe.
    pub file_name: Option<String>,
    /// The MIC that the MDN names, as it stands there.
    pub mic: Option<String>,
    /// The answer to give and to give again; `None` where the transport has none.
    pub answer: Option<Answer>,
    /// The URL that the answer is posted to; `None` where it is given to the request itself.
    pub answer_to: Option<String>,
    /// One line for people: the disposition, or what the message was protected by.
    pub note: String,
}

/// What became of an arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It is ours now, and durable.
    New {
        /// An earlier message of this partner with the same content under another id, within
        /// [`DUPLICATE_WINDOW`](super::DUPLICATE_WINDOW): probably a re-send.
        resend_of: Option<Uuid>,
    },
    /// The same message was accepted before: give the stored answer, deliver nothing.
    Duplicate {
        /// The first one.
        message: Uuid,
        /// Its answer, byte for byte.
        answer: Option<Answer>,
    },
    /// The id was used before for other content: refuse it. Nothing was stored but an event.
    Reused {
        /// The first one.
        message: Uuid,
    },
}

/// What the read step found in a message, or a part of it: a file of half a million orders is
/// recorded in many transactions, so that none of them is long.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The interchanges, in order.
    pub interchanges: Vec<NewInterchange>,
    /// Answers to write to the same partner: a 997, a TA1.
    pub drafts: Vec<NewDocument>,
    /// What received 997s say about documents that we sent.
    pub verdicts: Vec<Verdict>,
    /// What to do with the documents of an interchange that was seen before.
    pub on_duplicate: OnDuplicate,
    /// One line for people.
    pub note: String,
    /// `Some` where this is a part and more follows: the work stays, and gives the number back as
    /// [`Work::done`](super::Work::done) if another worker has to go on.
    pub more: Option<u64>,
}

/// The policy for an interchange whose ISA05–08 and ISA13 came before, within
/// [`DUPLICATE_WINDOW`](super::DUPLICATE_WINDOW).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDuplicate {
    /// Its documents are held for a person.
    #[default]
    Hold,
    /// It is flagged, and goes on.
    Pass,
}

/// An interchange that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInterchange {
    /// A new id (UUID v7); or that of one that an earlier part of the same message began, which
    /// then gets these documents too.
    pub id: Uuid,
    /// ISA05 to ISA08 as one text, the sender first.
    pub pair: String,
    /// ISA13 as received.
    pub control: String,
    /// What reading said of the envelope (JSON).
    pub verdict: String,
    /// Its transaction sets, in order.
    pub documents: Vec<NewDocument>,
}

/// A document, read or drafted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// A new id (UUID v7).
    pub id: Uuid,
    /// The canonical kind: `purchase_order` …
    pub kind: String,
    /// ST01: `850` …
    pub set: String,
    /// The business number: BEG03 …
    pub number: String,
    /// Outbound: what a second draft of the same thing is told by (a file's name and digest); a
    /// second one is not stored. Unique for a partner.
    pub key: Option<String>,
    /// Inbound: GS06 as received.
    pub group_control: Option<String>,
    /// Inbound: ST02 as received.
    pub set_control: Option<String>,
    /// The canonical document (JSON).
    pub content: String,
    /// What reading said of it (JSON).
    pub findings: String,
    /// Inbound: `Read` (it goes to the bridge), `Held`, `Rejected`, or `Settled` (a 997: nothing to
    /// deliver). Outbound: `Drafted` (it goes to the partner) or `Held`.
    pub state: DocumentState,
}

/// What a received 997 says (AK5, or AK9 for a whole group).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// AK102, compared as text with what [`Composed`](super::Composed) said.
    pub group_control: String,
    /// AK202; `None` for the whole group.
    pub set_control: Option<String>,
    /// Whether the syntax was accepted (A and E are, R is not).
    pub accepted: bool,
    /// One line for people.
    pub note: String,
}

/// What became of a [`Reading`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Interchanges that came before: the new one's id, the first one's id.
    pub duplicates: Vec<(Uuid, Uuid)>,
    /// The outbound documents that the verdicts settled.
    pub judged: Vec<Uuid>,
    /// How many verdicts named nothing that we sent.
    pub unmatched: usize,
}
