//! The words that rows are in: directions, states, kinds of work.

use std::fmt;
use std::str::FromStr;

use super::Error;

/// Defines an enum whose values are stored, filtered and shown as one lower-case word each.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every value, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(word: &str) -> Result<Self, Error> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word).ok_or_else(|| {
                    Error::invalid(format!("{word:?} is not one of {}", words_of(Self::ALL)))
                })
            }
        }
    };
}

fn words_of(all: &[impl fmt::Display]) -> String {
    all.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

words! {
    /// Which way a row travels, seen from us.
    Direction {
        /// From the partner to us.
        Inbound = "inbound",
        /// From us to the partner.
        Outbound = "outbound",
    }
}

words! {
    /// The states of a message (one AS2 exchange, or one file of a folder transport).
    ///
    /// Inbound `received → answered`, outbound `sealed → sent → confirmed`, aside the rest.
    MessageState {
        /// Inbound: durable, with its verdict and its answer; the answer may not have left yet.
        Received = "received",
        /// Inbound: the answer left, or there is none to give.
        Answered = "answered",
        /// Outbound: the wire bytes are durable; no connection was made yet, none succeeded, or a
        /// person wants them sent again.
        Sealed = "sealed",
        /// Outbound: the bytes went out, the MDN is awaited.
        Sent = "sent",
        /// Outbound: a verified MDN says that the bytes are safe.
        Confirmed = "confirmed",
        /// Inbound: we gave an error MDN. Outbound: the partner gave us one.
        Refused = "refused",
        /// Outbound: the partner may or may not have it; a late MDN or a person settles it.
        /// Inbound: it is ours, but our receipt could not be delivered; a copy asks for it again.
        Uncertain = "uncertain",
        /// Work on it killed its worker three times, or it must not go on for another reason.
        Quarantined = "quarantined",
        /// Outbound: given up, by age or by a person.
        Dead = "dead",
    }
}

words! {
    /// The states of a document (one transaction set).
    ///
    /// Inbound `read → delivered → settled`, outbound `drafted → sent → accepted → settled`.
    DocumentState {
        /// Inbound: read, waiting for its bridge.
        Read = "read",
        /// Inbound: the bridge has it.
        Delivered = "delivered",
        /// Outbound: came from the bridge (or from us: a 997); nothing proves yet that it arrived.
        Drafted = "drafted",
        /// Outbound: a verified MDN says that its message arrived.
        Sent = "sent",
        /// Outbound: the partner's 997 accepts its syntax.
        Accepted = "accepted",
        /// The business is done with it.
        Settled = "settled",
        /// Waits for a person (a suspected duplicate, a policy).
        Held = "held",
        /// The partner's 997, or the bridge, said no; inbound: our 997 did.
        Rejected = "rejected",
        /// Could not be delivered or sent.
        Failed = "failed",
    }
}

words! {
    /// What a row of the queue asks for. The store queues each one itself, in the transaction of
    /// its cause.
    WorkKind {
        /// Read an accepted message (subject: the message). Ends in [`Store::read`](super::Store::read).
        Read = "read",
        /// Deliver a document to its bridge (subject: the document). Ends in `delivered`.
        Deliver = "deliver",
        /// Ask what became of a document that an API took (subject: the document). Ends in `submit`.
        Ask = "ask",
        /// Put a drafted document into an interchange (subject: the document). Ends in `compose`.
        Compose = "compose",
        /// Sign and encrypt an interchange (subject: the interchange). Ends in `seal`.
        Seal = "seal",
        /// Send a sealed message (subject: the message). Ends in `receipt`, or `sent` to wait.
        Send = "send",
        /// Post the receipt for a message to where it was asked for (subject: the message). Ends
        /// in `posted`.
        Answer = "answer",
    }
}

words! {
    /// Where [`Store::bury`](super::Store::bury) puts the subject of a piece of work: the first
    /// four are for messages, the rest for documents (and for all documents of an interchange).
    Aside {
        /// See [`MessageState::Refused`].
        Refused = "refused",
        /// See [`MessageState::Uncertain`].
        Uncertain = "uncertain",
        /// See [`MessageState::Quarantined`].
        Quarantined = "quarantined",
        /// See [`MessageState::Dead`]; the documents of a dead message have failed.
        Dead = "dead",
        /// See [`DocumentState::Held`].
        Held = "held",
        /// See [`DocumentState::Rejected`].
        Rejected = "rejected",
        /// See [`DocumentState::Failed`].
        Failed = "failed",
    }
}

impl Aside {
    /// The state of a message, or an error where this one is for documents.
    pub(super) fn message(self) -> Result<MessageState, Error> {
        match self {
            Self::Refused => Ok(MessageState::Refused),
            Self::Uncertain => Ok(MessageState::Uncertain),
            Self::Quarantined => Ok(MessageState::Quarantined),
            Self::Dead => Ok(MessageState::Dead),
            _ => Err(Error::invalid(format!("a message cannot be {self}"))),
        }
    }

    /// Where work for a partner goes that was tried for too long.
    pub(super) const fn given_up(kind: WorkKind, state: MessageState) -> Aside {
        match (kind, state) {
            (WorkKind::Send, MessageState::Sealed) => Self::Dead,
            // They may have it.
            _ => Self::Uncertain,
        }
    }

    /// The state of a document, or an error where this one is for messages.
    pub(super) fn document(self) -> Result<DocumentState, Error> {
        match self {
            Self::Held => Ok(DocumentState::Held),
            Self::Rejected => Ok(DocumentState::Rejected),
            Self::Failed => Ok(DocumentState::Failed),
            _ => Err(Error::invalid(format!("a document cannot be {self}"))),
        }
    }
}

/// What a row of the queue is about; follows from its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Message,
    Interchange,
    Document,
}

impl WorkKind {
    pub(super) const fn subject(self) -> Subject {
        match self {
            Self::Read | Self::Send | Self::Answer => Subject::Message,
            Self::Seal => Subject::Interchange,
            Self::Deliver | Self::Ask | Self::Compose => Subject::Document,
        }
    }

    /// Whether it waits for a partner's server: at most [`AT_ONCE`](super::AT_ONCE) of one partner
    /// are done at once, and none while that server is taken for dead.
    pub(super) const fn asks_partner(self) -> bool {
        matches!(self, Self::Send | Self::Answer)
    }

    /// Where a piece of work goes that killed its worker [`DEATHS`](super::DEATHS) times.
    pub(super) const fn poisoned(self) -> Aside {
        match (self, self.subject()) {
            // The message itself is sound, and ours.
            (Self::Answer, _) => Aside::Uncertain,
            (_, Subject::Message) => Aside::Quarantined,
            (_, Subject::Interchange | Subject::Document) => Aside::Held,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for state in MessageState::ALL {
            assert_eq!(state.as_str().parse::<MessageState>().unwrap(), *state);
        }
        let error = "sealde".parse::<MessageState>().unwrap_err();
        assert!(error.to_string().contains("sealed, sent"), "{error}");
    }

    /// Every stored word of `Aside` is the word of a message or of a document, never of both.
    #[test]
    fn asides_are_states() {
        for aside in Aside::ALL {
            match (aside.message(), aside.document()) {
                (Ok(state), Err(_)) => assert_eq!(state.as_str(), aside.as_str()),
                (Err(_), Ok(state)) => assert_eq!(state.as_str(), aside.as_str()),
                _ => panic!("{aside} is both or neither"),
            }
        }
    }
}
