//! The two vocabularies of a functional acknowledgment.
//!
//! | | 997 | 999 |
//! |---|---|---|
//! | a segment in error | AK3, up to five codes | IK3, one code; repeated for more |
//! | what it belongs to | | CTX |
//! | an element in error | AK4 | IK4 |
//! | the set's verdict | AK5 | IK5 |
//! | release | that of the group it answers | 005010, implementation 005010X231A1 |
//! | what only a partner's guide forbids | the standard's codes | codes of its own: I4, I10 |
//!
//! AK1, AK2 and AK9 are the same in both.

use super::{Fault, Finding};

/// Which set says it: 997, the standard's, or 999, the implementation acknowledgment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// 997.
    #[default]
    F997,
    /// 999, in release 005010.
    F999,
}

impl Form {
    /// The form that a set with this ST01 has.
    ///
    /// ```
    /// use transload::x12::Form;
    /// assert_eq!(Form::of("999"), Some(Form::F999));
    /// assert_eq!(Form::of("850"), None);
    /// ```
    pub fn of(set_id: &str) -> Option<Form> {
        [Form::F997, Form::F999]
            .into_iter()
            .find(|f| f.set_id() == set_id)
    }

    /// ST01.
    pub fn set_id(self) -> &'static str {
        match self {
            Form::F997 => "997",
            Form::F999 => "999",
        }
    }

    /// ST03 and GS08, where the form prescribes them.
    pub fn implementation(self) -> Option<&'static str> {
        (self == Form::F999).then_some("005010X231A1")
    }

    /// Whether AK103, AK203 and their like are there: they came with release 005010.
    pub(super) fn names_version(self, release: &str) -> bool {
        self == Form::F999 || release >= "005010"
    }

    /// The tags of a segment in error, an element in error, and the end of a set.
    pub(super) fn tags(self) -> [&'static str; 3] {
        match self {
            Form::F997 => ["AK3", "AK4", "AK5"],
            Form::F999 => ["IK3", "IK4", "IK5"],
        }
    }

    /// How many codes a segment in error holds.
    pub(super) fn codes_per_segment(self) -> usize {
        match self {
            Form::F997 => super::ack::CODES_LIMIT,
            Form::F999 => 1,
        }
    }

    /// What `finding` says of its segment and of its element, in this form's codes.
    pub(super) fn codes(self, finding: &Finding) -> (Option<&'static str>, Option<&'static str>) {
        if self == Form::F999 && finding.fault == Fault::SegmentNotUsed {
            return match finding.location.element {
                Some(_) => (None, Some("I10")),
                None => (Some("I4"), None),
            };
        }
        (finding.code_in("AK304="), finding.code_in("AK403="))
    }
}
