//! A 997 as the content of a document row: what it says, and its segments as they are written.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::{DocumentState, NewDocument, Verdict};
use crate::x12::{
    self, Delimiters, FunctionalAcknowledgment, GroupHeader, Position, Segments, SetVerdict,
};

/// The kind of the document row.
pub(super) const KIND: &str = "functional_acknowledgment";
/// Its set.
pub(super) const SET: &str = "997";

/// A 997, received or to be sent. JSON, so that it is shown like any other document.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Acknowledgment {
    /// [`KIND`].
    document: String,
    /// GS02 of the group that carries it.
    pub(super) sender: String,
    /// GS03 of the group that carries it.
    pub(super) receiver: String,
    /// GS08 of the group that carries it.
    pub(super) version: String,
    /// The transport that the acknowledged group came by.
    pub(super) via: Option<String>,
    /// AK901.
    verdict: String,
    /// AK102: the group that is spoken of.
    pub(super) group: String,
    /// The body between ST and SE, elements as text.
    segments: Vec<Vec<String>>,
}

impl Acknowledgment {
    /// The answer to a group that came `via` a transport.
    pub(super) fn answer(
        said: &FunctionalAcknowledgment,
        about: &GroupHeader,
        delimiters: &Delimiters,
        via: Option<&str>,
    ) -> Acknowledgment {
        Acknowledgment {
            document: KIND.into(),
            sender: about.receiver.clone(),
            receiver: about.sender.clone(),
            version: about.version.clone(),
            via: via.map(str::to_owned),
            verdict: said.verdict.code().into(),
            group: said.control_number.clone(),
            segments: texts(&said.write(delimiters)),
        }
    }

    /// One that was received in a group with this header.
    pub(super) fn received(
        said: &FunctionalAcknowledgment,
        header: &GroupHeader,
        body: &Segments,
    ) -> Acknowledgment {
        Acknowledgment {
            document: KIND.into(),
            sender: header.sender.clone(),
            receiver: header.receiver.clone(),
            version: header.version.clone(),
            via: None,
            verdict: said.verdict.code().into(),
            group: said.control_number.clone(),
            segments: texts(body),
        }
    }

    /// As a document that goes out.
    pub(super) fn draft(&self, number: &str, key: Option<String>) -> NewDocument {
        NewDocument {
            id: Uuid::now_v7(),
            kind: KIND.into(),
            set: SET.into(),
            number: number.into(),
            key,
            group_control: None,
            set_control: None,
            content: self.to_json(),
            findings: "[]".into(),
            state: DocumentState::Drafted,
        }
    }

    /// As JSON.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text and lists of text are always JSON")
    }

    /// The body, to be written.
    pub(super) fn body(&self) -> Segments {
        let mut body = Segments::default();
        for segment in &self.segments {
            let parts: Vec<&[u8]> = segment.iter().map(String::as_bytes).collect();
            body.push_parts(&parts, Position::default());
        }
        body
    }
}

fn texts(body: &Segments) -> Vec<Vec<String>> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    body.iter()
        .map(|one| (0..=one.count()).map(|n| text(one.element(n))).collect())
        .collect()
}

/// What a received 997 says about what we sent. Where it names no set, it speaks of all.
pub(super) fn verdicts(said: &FunctionalAcknowledgment) -> Vec<Verdict> {
    let note = |code: &x12::Verdict, codes: &[String]| match codes {
        [] => format!("997 {}", code.code()),
        codes => format!("997 {}: {}", code.code(), codes.join(", ")),
    };
    let of_set = |set: &SetVerdict| Verdict {
        group_control: said.control_number.clone(),
        set_control: Some(set.control_number.clone()),
        accepted: set.verdict.is_accepted(),
        note: note(&set.verdict, &set.codes),
    };
    if said.sets.is_empty() {
        return vec![Verdict {
            group_control: said.control_number.clone(),
            set_control: None,
            accepted: said.verdict.is_accepted(),
            note: note(&said.verdict, &said.codes),
        }];
    }
    said.sets.iter().map(of_set).collect()
}
