//! A large message whose transfer broke goes on where it broke (draft-harding-as2-restart-07), where
//! the partner file says `restart = true`.
//!
//! ```text
//! sealed    ETag: "…"                                     drawn once, kept with the message
//! again     HEAD, ETag  ─►  Content-Length: n             they have n bytes
//!           POST, ETag, Content-Range: bytes n-…/len      the rest; of all of it, the last byte
//!           416, Content-Range: bytes */m                 the rest from there
//! ```
//!
//! Who does not know of it answers the HEAD with 0 or an error, and gets the whole again.

use super::inbound::Caller;
use super::transport::Ask;
use crate::as2::{hex, sha256};
use crate::net::client::{Client, Error, Outgoing, Response};
use crate::store::{Headers, MessageDetail, MessageState};

/// The header that names a transfer.
pub(super) const TAG: &str = "ETag";
/// The headers of the question how much they have.
const ASKED: [&str; 5] = ["AS2-Version", "AS2-From", "AS2-To", "Message-ID", TAG];

/// A tag that nobody guesses: who knows it can add to the transfer.
pub(super) fn tag(entropy: fn(&mut [u8])) -> String {
    let mut fresh = [0; 16];
    entropy(&mut fresh);
    format!("\"{}\"", hex(&fresh))
}

/// Posts a message, from where its transfer broke if it did.
pub(super) async fn post(
    client: &Client,
    ask: &Ask<'_>,
    detail: &MessageDetail,
) -> Result<Response, Error> {
    let tried = detail.message.state == MessageState::Sent
        || detail.events.iter().any(|event| event.what == "retry");
    let has_tag = detail.headers.iter().any(|(name, _)| name == TAG);
    if !(has_tag && tried) {
        return client.post(ask.url, ask.headers, ask.body.clone()).await;
    }
    let held = held(client, ask).await;
    let answer = part(client, ask, held).await?;
    // They know better: another request of ours may have reached them meanwhile.
    let elsewhere = field(&answer, "content-range")
        .filter(|_| answer.status == 416)
        .and_then(|range| range.rsplit_once("*/")?.1.trim().parse().ok());
    let Some(there) = elsewhere else {
        return Ok(answer);
    };
    let answer = part(client, ask, there).await?;
    // Before a message is lost over where its transfer is, it goes whole.
    match answer.status {
        416 => client.post(ask.url, ask.headers, ask.body.clone()).await,
        _ => Ok(answer),
    }
}

/// How many bytes they say they have.
async fn held(client: &Client, ask: &Ask<'_>) -> u64 {
    let asked = ask.headers.iter();
    let asked = asked.filter(|(name, _)| ASKED.contains(&name.as_str()));
    let asked: Headers = asked.cloned().collect();
    match client.head(ask.url, &asked).await {
        Ok(answer) if answer.taken() => {
            let length = field(&answer, "content-length");
            length.and_then(|text| text.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    }
}

/// Posts what they do not have.
async fn part(client: &Client, ask: &Ask<'_>, held: u64) -> Result<Response, Error> {
    let len = ask.len;
    // Of a message that is all there, the last byte brings the answer.
    let from = held.min(len.saturating_sub(1));
    if held == 0 || held > len || len == 0 {
        return client.post(ask.url, ask.headers, ask.body.clone()).await;
    }
    let mut headers = ask.headers.to_vec();
    let range = format!("bytes {from}-{}/{len}", len - 1);
    tracing::info!(range, "the transfer goes on");
    headers.push(("Content-Range".into(), range));
    let rest: Outgoing = ask.body.clone().after(from);
    client.post(ask.url, &headers, rest).await
}

fn field<'a>(answer: &'a Response, wanted: &str) -> Option<&'a str> {
    let mut headers = answer.headers.iter();
    let found = headers.find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.as_str())
}

impl Caller {
    /// The name of the transfer that a request belongs to, where that is agreed: no two partners
    /// and no two tags have one.
    #[must_use]
    pub fn transfer(&self) -> Option<String> {
        let as2 = self.partnership.partner.as2.as_ref()?;
        let tag = self.headers.get(TAG).filter(|_| as2.restart)?;
        let key = [&self.key.our_id, &self.key.partner_id, tag];
        let parts = key.map(|part| format!("{} {part}", part.len()));
        Some(hex(&sha256(parts.concat().as_bytes())))
    }
}
