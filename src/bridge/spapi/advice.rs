//! The outcome of a POST → an 824's application advice.
//!
//! A failure is told after the request was taken, so it is about business and not about syntax: an
//! 824, never a 997 that rejects. `Processing` says nothing, however long it lasts; whether it
//! means acceptance is for the witnesses to say, and not for this map.

use super::loss::{LossKind, Report};
use super::rows::Via;
use super::walk::Walk;
use super::{Context, document};
use crate::canonical::{ApplicationAdvice, Message};
use serde_json::Value;

/// What was sent, so that the sender finds it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Which set it was, such as `810`.
    pub set: String,
    /// The document's own number.
    pub number: String,
    /// Who sent it, as its group said (X12 GS02).
    pub sender: Option<String>,
    /// Who was to get it (X12 GS03).
    pub receiver: Option<String>,
    /// Control number of its group (X12 GS06).
    pub group: Option<String>,
    /// Control number of its set (X12 ST02).
    pub control_number: Option<String>,
}

/// X12 128 of the number of a document of this set.
pub(crate) fn qualifier(set: &str) -> &'static str {
    match set {
        "810" => "IV",
        "855" => "PO",
        "856" => "SI",
        _ => "TN",
    }
}

/// The advice of a transaction that ended; none of one that is still open.
#[must_use]
pub fn from_api(
    transaction: Value,
    sent: &Sent,
    context: &Context,
) -> Option<(ApplicationAdvice, Report)> {
    let mut walk = Walk::of("advice", "Transaction", transaction, context);
    let result = "results[0]";
    walk.back(
        &format!("{result}.status"),
        "status",
        Via::Code("transaction"),
    );
    walk.ours.text(&format!("{result}.status"))?;
    walk.ours.put("purpose", "original");
    walk.back("number", "transactionId", Via::Text);
    walk.put_moment("made", context.now, true);
    walk.ours
        .put(&format!("{result}.qualifier"), qualifier(&sent.set));
    walk.ours.put(&format!("{result}.id"), sent.number.clone());
    walk.ours.put(&format!("{result}.set"), sent.set.clone());
    let rest = [
        ("sender", &sent.sender),
        ("receiver", &sent.receiver),
        ("group", &sent.group),
        ("control_number", &sent.control_number),
    ];
    for (name, value) in rest {
        if let Some(value) = value {
            walk.ours.put(&format!("{result}.{name}"), value.clone());
        }
    }
    for n in 0..walk.theirs.len("errors") {
        let (error, theirs) = (format!("{result}.errors[{n}]"), format!("errors[{n}]"));
        // X12 647 has a list of its own; the API's code goes before the words.
        walk.ours.put(&format!("{error}.code"), "ZZZ");
        walk.note(LossKind::Synthesised, &format!("{error}.code"), "ZZZ");
        let part = |name: &str| {
            walk.theirs
                .text(&format!("{theirs}.{name}"))
                .unwrap_or_default()
        };
        let message = format!("{}: {}", part("code"), part("message"));
        walk.ours.put(
            &format!("{error}.message"),
            message.trim_matches([':', ' ']),
        );
        walk.theirs.take(&format!("{theirs}.code"));
        walk.theirs.take(&format!("{theirs}.message"));
        walk.back(
            &format!("{error}.notes[0].text"),
            &format!("{theirs}.details"),
            Via::Text,
        );
    }
    Some(document(walk.end_from_api()))
}

/// Makes what an API says fit into an 824: a transaction's number is longer than BGN02 (30), and its
/// words than TED02 (60) and NTE02 (80). Words go on in notes; of the number its beginning is kept,
/// and the document's own page has all of it.
pub fn fit(advice: &mut ApplicationAdvice) {
    if let Some(number) = &mut advice.number {
        *number = number.chars().take(30).collect();
    }
    let results = advice.results.iter_mut();
    for error in results.flat_map(|result| &mut result.errors) {
        let whole = error.message.take().unwrap_or_default();
        let mut said = pieces(&whole, 60, 80);
        let notes = error.notes.iter().filter_map(|note| note.text.as_deref());
        let notes: Vec<String> = notes.flat_map(|text| pieces(text, 80, 80)).collect();
        let message = |text| Message {
            text: Some(text),
            ..Message::default()
        };
        let rest = said.split_off(said.len().min(1));
        error.notes = rest.into_iter().chain(notes).map(message).collect();
        error.message = said.pop();
    }
}

/// A text in pieces, cut between words where it can be: the first has at most `first` characters,
/// the others `most`.
fn pieces(text: &str, first: usize, most: usize) -> Vec<String> {
    let (mut pieces, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let room = if pieces.is_empty() { first } else { most };
        let full = rest.char_indices().nth(room).map(|(at, _)| at);
        let cut = full.map_or(rest.len(), |at| {
            // A space right behind what fits is a place to cut, too.
            let fits = rest[at..].starts_with(' ').then_some(at);
            fits.or_else(|| rest[..at].rfind(' ')).unwrap_or(at)
        });
        let (piece, after) = rest.split_at(cut);
        pieces.push(piece.trim_end().to_owned());
        rest = after.trim_start();
    }
    pieces
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bridge::spapi::Site;

    #[test]
    fn a_failure_is_an_advice_and_processing_is_not() {
        let context = Context::new(Site::find("us").unwrap(), chrono::DateTime::UNIX_EPOCH);
        let sent = Sent {
            set: "810".into(),
            number: "I-77".into(),
            ..Default::default()
        };
        let open = json!({"transactionId": "t-1", "status": "Processing"});
        assert!(from_api(open, &sent, &context).is_none());
        let errors = json!([{"code": "INVALID_ORDER_ID", "message": "no such order"}]);
        let failed = json!({"transactionId": "t-1", "status": "Failure", "errors": errors});
        let (advice, _) = from_api(failed, &sent, &context).unwrap();
        let result = &advice.results[0];
        assert_eq!(result.status.as_ref().unwrap().as_str(), "set_rejected");
        assert_eq!(result.id.as_deref(), Some("I-77"));
        assert_eq!(
            result.errors[0].message.as_deref(),
            Some("INVALID_ORDER_ID: no such order")
        );
    }
    #[test]
    fn a_text_is_cut_between_words() {
        let cut = |text| pieces(text, 9, 12);
        assert_eq!(cut("one two three four"), ["one two", "three four"]);
        assert_eq!(cut("one sixes seven"), ["one sixes", "seven"]);
        assert_eq!(cut("onewordonly and"), ["onewordon", "ly and"]);
        assert_eq!(cut("  "), [""; 0]);
    }
}
