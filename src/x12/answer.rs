//! What came back: a received TA1, 997 or 999 as verdicts on what we sent.
//!
//! A 997 may name each set, or none where it takes or refuses a whole group; a TA1 speaks of an
//! interchange. [`answers`] gives one [`Answer`] for each thing that is spoken of, and whoever
//! keeps what was sent finds its documents by the control numbers.

use serde::Serialize;

use super::{
    Finding, Form, FunctionalAcknowledgment, Interchange, InterchangeAcknowledgment, Verdict,
};

/// What a verdict is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum About {
    /// All of an interchange.
    Interchange {
        /// Its ISA13.
        interchange: String,
    },
    /// All sets of a group.
    Group {
        /// Its GS01.
        functional_id: String,
        /// Its GS06.
        group: String,
    },
    /// A set.
    Set {
        /// GS01 of its group.
        functional_id: String,
        /// GS06 of its group.
        group: String,
        /// Its ST01.
        set: String,
        /// Its ST02.
        control_number: String,
    },
}

/// One verdict of a partner's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// On what.
    #[serde(flatten)]
    pub about: About,
    /// A set that is accepted in a rejected group is rejected.
    pub verdict: Verdict,
    /// The codes that say why: TA105, AK905 or AK502 and their like.
    pub codes: Vec<String>,
}

/// All that the acknowledgments in `interchange` say, in order, and what is wrong with them.
///
/// ```
/// use transload::x12::{About, answers, read};
/// let file = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              \
/// *260102*0304*U*00401*000000001*0*P*>~TA1*000000042*260101*1200*R*023~IEA*0*000000001~";
/// let (answers, _) = answers(&read(&file[..])?.interchanges[0]);
/// assert_eq!(answers[0].about, About::Interchange { interchange: "000000042".into() });
/// assert!(!answers[0].verdict.is_accepted());
/// # Ok::<(), transload::x12::Error>(())
/// ```
pub fn answers(interchange: &Interchange) -> (Vec<Answer>, Vec<Finding>) {
    let ta1 = interchange.ta1.iter();
    let mut all: Vec<Answer> = ta1
        .map(|segment| InterchangeAcknowledgment::read(&segment).answer())
        .collect();
    let mut findings = Vec::new();
    for (_, set) in interchange.sets() {
        if let Some(form) = Form::of(&set.id) {
            let delimiters = &interchange.delimiters;
            let (said, more) = FunctionalAcknowledgment::read(form, &set.segments, delimiters);
            all.extend(said.answers());
            findings.extend(more);
        }
    }
    (all, findings)
}

impl InterchangeAcknowledgment {
    /// The verdict that it is.
    pub fn answer(&self) -> Answer {
        Answer {
            about: About::Interchange {
                interchange: self.control_number.clone(),
            },
            verdict: self.verdict.clone(),
            codes: vec![self.code.clone()],
        }
    }
}

impl FunctionalAcknowledgment {
    /// The verdict on each set that it names; on the group, where it names none.
    pub fn answers(&self) -> Vec<Answer> {
        let (functional_id, group) = (&self.functional_id, &self.control_number);
        if self.sets.is_empty() {
            return vec![Answer {
                about: About::Group {
                    functional_id: functional_id.clone(),
                    group: group.clone(),
                },
                verdict: self.verdict.clone(),
                codes: self.codes.clone(),
            }];
        }
        let of_set = |set: &super::SetVerdict| Answer {
            about: About::Set {
                functional_id: functional_id.clone(),
                group: group.clone(),
                set: set.id.clone(),
                control_number: set.control_number.clone(),
            },
            verdict: match (&self.verdict, set.verdict.is_accepted()) {
                (Verdict::Rejected, true) => Verdict::Rejected,
                _ => set.verdict.clone(),
            },
            codes: set.codes.clone(),
        };
        self.sets.iter().map(of_set).collect()
    }
}
