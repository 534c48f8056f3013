//! The API's answer to a POST → a 997, for who sent X12 and waits for one.
//!
//! | the API | the 997 |
//! |---|---|
//! | 202, taken | the set is accepted (AK501 A): its form was right, and nothing more |
//! | 400, refused for its form | the set is rejected (AK501 R), with the segments that are known |
//! | a time-out, 5xx, 429 | none: nobody knows, or it was not looked at |
//!
//! What comes later, the outcome, is about business: that is an 824, which
//! [`advice`](super::advice) makes. Whoever calls this keeps to one 997 a set: it does not know
//! whether one went already.
//!
//! ```
//! use transload::bridge::spapi::advice::Sent;
//! use transload::bridge::spapi::functional::acknowledgment;
//! use transload::x12::{Form, Verdict};
//!
//! let sent = Sent {
//!     set: "810".into(),
//!     number: "I-77".into(),
//!     group: Some("39".into()),
//!     control_number: Some("0001".into()),
//!     ..Default::default()
//! };
//! let taken = acknowledgment(&sent, Ok(()), Form::F997);
//! assert_eq!((taken.functional_id.as_str(), taken.control_number.as_str()), ("IN", "39"));
//! assert_eq!(taken.verdict, Verdict::Accepted);
//! let refused = acknowledgment(&sent, Err(Vec::new()), Form::F997);
//! assert_eq!(refused.sets[0].codes, ["5"]);
//! assert_eq!(refused.verdict, Verdict::Rejected);
//! ```

use super::advice::Sent;
use crate::x12::{
    Form, FunctionalAcknowledgment, SegmentFault, SetVerdict, Verdict, functional_id,
};

/// AK502: one or more segments in error.
const SEGMENTS: &str = "5";

/// The acknowledgment of the one set that was sent: taken, or refused with the segments that the
/// API named, as far as they are known ([`Request::place`](super::operation::Request::place) leads
/// from its words to the document).
#[must_use]
pub fn acknowledgment(
    sent: &Sent,
    answer: Result<(), Vec<SegmentFault>>,
    form: Form,
) -> FunctionalAcknowledgment {
    let (verdict, codes, segments) = match answer {
        Ok(()) => (Verdict::Accepted, Vec::new(), Vec::new()),
        Err(segments) => (Verdict::Rejected, vec![SEGMENTS.to_owned()], segments),
    };
    let set = SetVerdict {
        id: sent.set.clone(),
        control_number: sent.control_number.clone().unwrap_or_default(),
        segments,
        verdict,
        codes,
        ..Default::default()
    };
    let mut acknowledgment = FunctionalAcknowledgment {
        form,
        functional_id: functional_id(&sent.set).unwrap_or_default().to_owned(),
        control_number: sent.group.clone().unwrap_or_default(),
        sets: vec![set],
        ..Default::default()
    };
    acknowledgment.close(Some(1), Vec::new());
    acknowledgment
}
