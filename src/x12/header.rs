//! ISA and GS as values. Text is kept as received, without ISA's padding.

use chrono::NaiveDateTime;

use super::Segment;

/// A party: a qualifier and an id (ISA05/06, ISA07/08), or any other such pair of ISA.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Qualified {
    /// Two characters, such as `ZZ` or `01`.
    pub qualifier: String,
    /// The value, without the blanks that fill it up.
    pub id: String,
}

impl Qualified {
    /// `qualifier` and `id`.
    pub fn new(qualifier: &str, id: &str) -> Qualified {
        Qualified {
            qualifier: qualifier.to_owned(),
            id: id.to_owned(),
        }
    }
}

/// ISA, without its separators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterchangeHeader {
    /// ISA01 and ISA02; `00` and nothing where none is used.
    pub authorization: Qualified,
    /// ISA03 and ISA04.
    pub security: Qualified,
    /// ISA05 and ISA06.
    pub sender: Qualified,
    /// ISA07 and ISA08.
    pub receiver: Qualified,
    /// ISA09, YYMMDD.
    pub date: String,
    /// ISA10, HHMM.
    pub time: String,
    /// ISA11. Written only where the delimiters have no repetition separator; empty means `U`
    /// before release 00402 and `^` from it on.
    pub standard: String,
    /// ISA12, such as `00401`.
    pub version: String,
    /// ISA13, nine digits; written with the zeros that are missing.
    pub control_number: String,
    /// ISA14: `1` asks for a TA1.
    pub ack_requested: String,
    /// ISA15: `P`, `T` or `I`.
    pub usage: String,
}

impl Default for InterchangeHeader {
    /// No authorization, no security, 00401, no TA1, production.
    fn default() -> InterchangeHeader {
        InterchangeHeader {
            authorization: Qualified::new("00", ""),
            security: Qualified::new("00", ""),
            sender: Qualified::default(),
            receiver: Qualified::default(),
            date: String::new(),
            time: String::new(),
            standard: String::new(),
            version: "00401".to_owned(),
            control_number: String::new(),
            ack_requested: "0".to_owned(),
            usage: "P".to_owned(),
        }
    }
}

impl InterchangeHeader {
    pub(super) fn read(isa: &Segment<'_>) -> InterchangeHeader {
        let text = |n| text(isa.element(n)).trim_end().to_owned();
        let pair = |n| Qualified {
            qualifier: text(n),
            id: text(n + 1),
        };
        InterchangeHeader {
            authorization: pair(1),
            security: pair(3),
            sender: pair(5),
            receiver: pair(7),
            date: text(9),
            time: text(10),
            standard: text(11),
            version: text(12),
            control_number: text(13),
            ack_requested: text(14),
            usage: text(15),
        }
    }

    /// This header with ISA09 and ISA10 of `moment`.
    pub fn at(mut self, moment: NaiveDateTime) -> InterchangeHeader {
        self.date = moment.format("%y%m%d").to_string();
        self.time = moment.format("%H%M").to_string();
        self
    }

    /// Whether release 00402 or later is named, which has a repetition separator.
    pub fn has_repetition(&self) -> bool {
        super::read::number(&self.version).is_some_and(|v| v >= super::settle::REPETITION_SINCE)
    }

    /// Whether ISA14 asks for a TA1.
    pub fn wants_ta1(&self) -> bool {
        self.ack_requested == "1"
    }
}

/// GS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupHeader {
    /// GS01, such as `PO`.
    pub functional_id: String,
    /// GS02.
    pub sender: String,
    /// GS03.
    pub receiver: String,
    /// GS04, CCYYMMDD (YYMMDD before release 003070).
    pub date: String,
    /// GS05, HHMM to HHMMSSDD.
    pub time: String,
    /// GS06.
    pub control_number: String,
    /// GS07: `X` for X12.
    pub agency: String,
    /// GS08: release and, where there is one, the guide: `004010VICS`.
    pub version: String,
}

impl GroupHeader {
    pub(super) fn read(gs: &Segment<'_>) -> GroupHeader {
        let text = |n| text(gs.element(n)).into_owned();
        GroupHeader {
            functional_id: text(1),
            sender: text(2),
            receiver: text(3),
            date: text(4),
            time: text(5),
            control_number: text(6),
            agency: text(7),
            version: text(8),
        }
    }

    /// This header with GS04 and GS05 of `moment`, in the form of its release.
    pub fn at(mut self, moment: NaiveDateTime) -> GroupHeader {
        let before = super::values::is_before_century(self.release());
        let form = if before { "%y%m%d" } else { "%Y%m%d" };
        self.date = moment.format(form).to_string();
        self.time = moment.format("%H%M").to_string();
        self
    }

    /// The release in GS08 without the name of a guide: `004010` of `004010VICS`.
    pub fn release(&self) -> &str {
        self.version.get(..6).unwrap_or(&self.version)
    }
}

/// Bytes as text: UTF-8, or else each byte its Latin-1 character.
pub(super) fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes
            .iter()
            .map(|&b| char::from(b))
            .collect::<String>()
            .into(),
    }
}

/// The functional identifier (GS01) that each transaction set travels under.
#[rustfmt::skip]
const FUNCTIONAL_IDS: &[(&str, &str)] = &[
    ("180", "AN"), ("204", "SM"), ("210", "IM"), ("214", "QM"), ("270", "HS"), ("271", "HB"),
    ("276", "HR"), ("277", "HN"), ("278", "HI"), ("810", "IN"), ("812", "CD"), ("816", "OR"),
    ("820", "RA"), ("824", "AG"), ("830", "PS"), ("832", "SC"), ("834", "BE"), ("835", "HP"),
    ("837", "HC"), ("840", "RQ"), ("843", "RR"), ("846", "IB"), ("850", "PO"), ("852", "PD"),
    ("855", "PR"), ("856", "SH"), ("860", "PC"), ("861", "RC"), ("862", "SS"), ("864", "TX"),
    ("865", "CA"), ("867", "PT"), ("869", "RS"), ("870", "RS"), ("753", "RF"), ("754", "RG"),
    ("875", "OG"), ("880", "GP"), ("940", "OW"), ("943", "AR"), ("944", "RE"), ("945", "SW"),
    ("947", "AW"), ("990", "GF"), ("997", "FA"), ("999", "FA"),
];

/// The GS01 that transaction set `id` travels under, where it is one that we know.
///
/// ```
/// assert_eq!(transload::x12::functional_id("850"), Some("PO"));
/// ```
pub fn functional_id(id: &str) -> Option<&'static str> {
    let found = FUNCTIONAL_IDS.iter().find(|(set, _)| *set == id)?;
    Some(found.1)
}
