//! The one vocabulary of faults: what can be wrong with a partner's bytes, how grave it is, the
//! code that a 997 gives it, and why it matters.
//!
//! A [`Finding`] is reported, never branched on; reading goes on after it. The table of
//! [`Fault`]s below is the only place where a fault meets its acknowledgment code.
//!
//! ```
//! use transload::x12::{Fault, Severity};
//! assert_eq!(Fault::ElementCode.rule(), "element.code");
//! assert_eq!(Fault::ElementCode.code_997(), Some("AK403=7"));
//! assert_eq!(Fault::Unmapped.severity(), Severity::Info);
//! ```

use serde::Serialize;

use super::{Position, Segment, Text};

/// How grave a finding is. Ordered: `Info < Warning < Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A note: nothing is wrong.
    Info,
    /// Legal or tolerable, but a partner may trip over it.
    Warning,
    /// Against the standard or the guide.
    Error,
}

/// Where, as exactly as is known. Numbers are 1-based; 0 or `None` is "not known" or "not there".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Location {
    /// Line in the file.
    pub line: u32,
    /// Column in bytes.
    pub column: u32,
    /// Bytes before it in the file (0-based).
    pub offset: u64,
    /// Ordinal of the segment in the file.
    pub segment: u32,
    /// Ordinal in its set, ST being the first, where it is known to stand in one (AK301 counts so).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_set: Option<u32>,
    /// Its tag.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tag: String,
    /// The loop's name in its guide.
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    pub in_loop: Option<String>,
    /// Element number in the segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<u32>,
    /// Component number in the element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<u32>,
    /// Repetition number of the element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition: Option<u32>,
    /// The element's number in the data element dictionary (353 of BEG01), where a guide knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_element: Option<u32>,
}

impl From<Position> for Location {
    fn from(position: Position) -> Location {
        Location {
            line: position.line,
            column: position.column,
            offset: position.offset,
            segment: position.ordinal,
            ..Location::default()
        }
    }
}

impl Location {
    /// The whole of `segment`.
    pub fn of(segment: &Segment<'_>) -> Location {
        Location {
            tag: String::from_utf8_lossy(segment.tag()).into_owned(),
            ..segment.position().into()
        }
    }

    /// Element `number` of `segment`: offset and column are the element's own.
    pub fn of_element(segment: &Segment<'_>, number: usize) -> Location {
        let start = segment.start(number);
        let mut location = Location::of(segment);
        location.offset += start as u64;
        location.column += start as u32;
        location.element = Some(number as u32);
        location
    }

    /// The reference designator as guides print it (`PO103`, `REF04-1`), or the tag alone.
    pub fn designator(&self) -> String {
        match (self.element, self.component) {
            (Some(e), Some(c)) => format!("{}{e:02}-{c}", self.tag),
            (Some(e), None) => format!("{}{e:02}", self.tag),
            _ => self.tag.clone(),
        }
    }
}

impl Fault {
    /// Whether it is told of amounts that are added up.
    pub fn is_sum(self) -> bool {
        use Fault::*;
        matches!(self, TotalDiffers | TaxDiffers | LineAmount | ValueScale)
    }

    /// Whether it breaks what a guide asks with `fits` or `with`.
    pub fn is_demand(self) -> bool {
        use Fault::*;
        matches!(
            self,
            ElementForm | ElementWith | ElementWithout | SegmentWith | SegmentWithout | ValueBounds
        )
    }
}

/// One thing to tell about a partner's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub fault: Fault,
    /// Usually [`Fault::severity`]; a guide may lower it.
    pub severity: Severity,
    /// What, in one sentence with the values in it.
    pub message: Text,
    /// What to do next.
    pub fix: Text,
    /// Where.
    pub location: Location,
}

impl Finding {
    /// A finding of the fault's usual severity.
    pub fn new(fault: Fault, location: Location, message: Text, fix: Text) -> Finding {
        Finding {
            fault,
            severity: fault.severity(),
            message,
            fix,
            location,
        }
    }

    /// The element of a 997 (or TA1) and the code in it that this finding earns. It is that of its
    /// fault, but for ISA, where each element has a code of its own.
    ///
    /// ```
    /// use transload::x12::{Fault, Finding, Location, Text};
    /// let time = Location { element: Some(10), ..Location::default() };
    /// let (message, fix) = (Text::new("ISA10 is 2575", []), Text::default());
    /// let finding = Finding::new(Fault::IsaValue, time, message, fix);
    /// assert_eq!(finding.code_997(), Some("TA105=015"));
    /// ```
    pub fn code_997(&self) -> Option<&'static str> {
        match (self.fault, self.location.element) {
            (Fault::IsaValue, Some(n)) => OF_ISA.get(n as usize - 1).copied(),
            _ => self.fault.code_997(),
        }
    }

    /// The code alone, if it is one for the element that `name` (`AK403=`) says.
    pub(super) fn code_in(&self, name: &str) -> Option<&'static str> {
        self.code_997()?.strip_prefix(name)
    }
}

/// The code for a wrong value of ISA01 to ISA16.
#[rustfmt::skip]
const OF_ISA: [&str; 16] = [
    "TA105=010", "TA105=011", "TA105=012", "TA105=013", "TA105=005", "TA105=006", "TA105=007",
    "TA105=008", "TA105=014", "TA105=015", "TA105=016", "TA105=017", "TA105=018", "TA105=019",
    "TA105=020", "TA105=027",
];

impl Serialize for Finding {
    /// The shape of `check --json`: rule, severity, message, why, fix, location, code_997.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut s = serializer.serialize_struct("Finding", 7)?;
        s.serialize_field("rule", self.fault.rule())?;
        s.serialize_field("severity", &self.severity)?;
        s.serialize_field("message", &self.message)?;
        s.serialize_field("why", self.fault.why())?;
        s.serialize_field("fix", &self.fix)?;
        s.serialize_field("location", &self.location)?;
        s.serialize_field("code_997", &self.code_997())?;
        s.end()
    }
}

/// Declares [`Fault`]: variant, rule id, severity, 997 code, why.
macro_rules! faults {
    ($($(#[doc = $example:literal])* $variant:ident $rule:literal $severity:ident $code:expr, $why:literal;)*) => {
        /// What can be wrong. Each variant's comment shows an input that causes it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault { $($(#[doc = $example])* $variant,)* }

        impl Fault {
            /// All of them, in the order of the table.
            pub const ALL: &[Fault] = &[$(Fault::$variant,)*];

            /// Its stable name, never translated.
            pub fn rule(self) -> &'static str {
                match self { $(Fault::$variant => $rule,)* }
            }

            /// How grave it is unless a guide says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Fault::$variant => Severity::$severity,)* }
            }

            /// The element of a 997 (or TA1) and the code in it that this fault earns.
            pub fn code_997(self) -> Option<&'static str> {
                match self { $(Fault::$variant => $code,)* }
            }

            /// Why it matters, in one sentence.
            pub fn why(self) -> &'static str {
                match self { $(Fault::$variant => $why,)* }
            }

            /// An input that causes it: its comment in the table.
            pub fn example(self) -> &'static str {
                match self { $(Fault::$variant => concat!($($example),*).trim_ascii(),)* }
            }
        }
    };
}

faults! {
    /// `EF BB BF ISA*…`
    ByteOrderMark "source.bom" Info None, "an editor put a mark before the first byte; strict partners refuse the file";
    /// A file saved as UTF-16.
    Transcoded "source.encoding" Warning None, "X12 is a stream of single bytes; another encoding changes lengths and separators";
    /// `From: van@…\n\nISA*…`, or bytes between IEA and the next ISA.
    StrayBytes "source.stray-bytes" Warning None, "bytes outside ISA to IEA belong to no document";
    /// Blank lines before ISA, Ctrl-Z or NUL padding after IEA.
    Padding "source.padding" Info None, "padding outside the interchange carries nothing";
    /// `…IEA*1*000000001` and the file ends.
    NoTerminator "source.no-final-terminator" Info None, "the last segment is complete but its terminator is missing";
    /// `…PO1*1*10*EA` and the file ends.
    Truncated "source.truncated" Error Some("TA105=023"), "the file was cut short: what follows is lost";
    /// A segment of more bytes than the limit.
    TooLong "source.limit" Error None, "a segment beyond the limit is data in the wrong place or a wrong terminator";
    /// `…*P*> ~GS`: bytes between ISA16 and the terminator, or a terminator elsewhere.
    IsaLength "isa.length" Warning Some("TA105=022"), "ISA has 106 bytes; programs that count them read the terminator wrongly";
    /// An ISA element of another width than its own.
    IsaElement "isa.element" Error Some("TA105=022"), "ISA has fixed widths; programs that count bytes read the separators wrongly";
    /// ISA10 = `2575`.
    IsaValue "isa.value" Warning Some("TA105=022"), "the element has a fixed form, and routing programs read it";
    /// `*` as element separator and as segment terminator.
    DelimiterClash "isa.delimiter-clash" Error Some("TA105=026"), "one byte with two roles cannot be read in one way only";
    /// `…*P*>GS*PO…`: the segments run into one another.
    TerminatorMissing "isa.terminator" Error Some("TA105=004"), "without a terminator nobody can tell where a segment ends";
    /// ISA11 = `U` with ISA12 = 00501.
    RepetitionUnusable "isa.repetition" Error Some("TA105=026"), "a letter, digit or blank as separator would split data";
    /// ISA11 = `^` with ISA12 = 00401: a standards id was due.
    RepetitionEarly "isa.repetition-early" Warning None, "before release 00402 ISA11 is a standards identifier, not a separator";
    /// `\x85` written as `C2 85`.
    TranscodedTerminator "isa.terminator-transcoded" Warning None, "the terminator was rewritten as several bytes on its way";
    /// `isa*00*…`
    LowercaseTag "segment.lowercase" Error Some("AK304=1"), "segment identifiers are upper case";
    /// A file that ends before IEA.
    MissingIea "iea.missing" Error Some("TA105=023"), "without its trailer nobody can tell whether the interchange is whole";
    /// IEA01 is not the number of groups.
    IeaCount "iea.count" Error Some("TA105=021"), "a differing count means that a group was lost or added";
    /// IEA02 is not ISA13.
    IeaControl "iea.control-number" Error Some("TA105=001"), "header and trailer belong to different interchanges";
    /// ISA then IEA, and no TA1.
    NoGroups "isa.empty" Error Some("TA105=024"), "an interchange holds at least one group or one TA1";
    /// The same ISA13 twice from one sender in one file.
    DuplicateInterchange "isa.duplicate" Error Some("TA105=025"), "the same number again is the same interchange again";
    /// ISA12 = 00401 with GS08 = 005010.
    VersionMismatch "gs.version" Warning None, "envelope and group name different releases";
    /// GS04 = `240102` in release 004010, where eight digits are due.
    GsValue "gs.value" Warning Some("TA105=024"), "the element has a fixed form, which follows the release";
    /// A segment outside any group or set.
    OutsideSet "segment.outside-set" Error Some("TA105=024"), "it belongs to no transaction set, so it is not read";
    /// A group without GE.
    MissingGe "ge.missing" Error Some("AK905=3"), "without its trailer nobody can tell whether the group is whole";
    /// GE01 is not the number of sets.
    GeCount "ge.count" Error Some("AK905=5"), "a differing count means that a set was lost or added";
    /// GE02 is not GS06.
    GeControl "ge.control-number" Error Some("AK905=4"), "header and trailer belong to different groups";
    /// GS01 = IN around an 850.
    GroupIdMismatch "gs.functional-id" Error Some("AK905=1"), "the group says one kind of document and holds another";
    /// The same GS06 twice in one interchange.
    DuplicateGroup "gs.duplicate" Error Some("AK905=19"), "the same number again is the same group again";
    /// GS then GE.
    EmptyGroup "gs.empty" Warning None, "a group without a set carries nothing";
    /// A set without SE.
    MissingSe "se.missing" Error Some("AK502=2"), "without its trailer nobody can tell whether the set is whole";
    /// SE01 is not the number of segments.
    SeCount "se.count" Error Some("AK502=4"), "a differing count means that a segment was lost or added";
    /// SE02 is not ST02.
    SeControl "se.control-number" Error Some("AK502=3"), "header and trailer belong to different sets";
    /// The same ST02 twice in one group.
    DuplicateSet "st.duplicate" Error Some("AK502=23"), "an acknowledgment names a set by this number, so it must be unique in its group";
    /// `SE*007*0001`
    LeadingZeros "count.leading-zeros" Info None, "zeros in front do not change a number; they are not written again";
    /// `~~`
    EmptySegment "segment.empty" Error Some("AK304=8"), "a terminator with nothing before it is not a segment";
    /// `REF*DP*042***~`
    TrailingSeparators "segment.trailing-separators" Warning None, "separators after the last value shall be left out";
    /// `BIN*11a*…`
    BinaryLength "segment.binary-length" Warning None, "without a length nobody can tell where binary data ends";
    /// A transaction set that no guide describes.
    NoGuide "set.no-guide" Info None, "its envelope was checked; its content was not";
    /// A segment that the dictionary does not have.
    SegmentUnknown "segment.unknown" Error Some("AK304=1"), "the standard has no such segment in this set";
    /// A known segment in a place where the guide has none.
    SegmentUnexpected "segment.unexpected" Error Some("AK304=2"), "the guide has no place for it here";
    /// An 850 without PO1.
    SegmentMissing "segment.missing" Error Some("AK304=3"), "the guide makes it mandatory";
    /// More repeats of a loop than its maximum.
    LoopTooMany "loop.too-many" Error Some("AK304=4"), "the guide limits how often the loop may occur";
    /// More repeats of a segment than its maximum.
    SegmentTooMany "segment.too-many" Error Some("AK304=5"), "the guide limits how often the segment may occur";
    /// A segment that an overlay marks as not used.
    SegmentNotUsed "segment.not-used" Warning Some("AK304=2"), "the partner's guide says that it is not used";
    /// REF after N1 where it is due before.
    SegmentOrder "segment.order" Error Some("AK304=7"), "order gives a segment its meaning: elsewhere it belongs to another loop";
    /// `HL*3*9*I` without an HL*9, or an item below a level that may not hold it.
    LevelParent "hl.parent" Error Some("AK403=7"), "the levels are a tree: what is not below its own parent belongs to something else";
    /// Two HL with one HL01.
    LevelNumber "hl.number" Error Some("AK403=7"), "levels name their parents by this number, so it must be unique in its set";
    /// PO1 without PO102 where it is mandatory.
    ElementMissing "element.missing" Error Some("AK403=1"), "the guide makes it mandatory";
    /// PO103 absent though PO102 is there.
    ElementConditional "element.condition" Error Some("AK403=2"), "a syntax note ties these elements together";
    /// More elements than the segment has.
    ElementTooMany "element.too-many" Error Some("AK403=3"), "the standard has no such element in this segment";
    /// `BEG*0*…` where two characters are due.
    ElementTooShort "element.too-short" Error Some("AK403=4"), "the standard gives the element a least length";
    /// A REF02 of 31 characters.
    ElementTooLong "element.too-long" Error Some("AK403=5"), "the standard gives the element a greatest length";
    /// `PO1*1*1O*EA`: a letter in a number.
    ElementCharacter "element.character" Error Some("AK403=6"), "the element's type does not allow this character";
    /// PO103 = `EACH`.
    ElementCode "element.code" Warning Some("AK403=7"), "the code is not in the list that the guide gives";
    /// DTM02 = `20261301`.
    ElementDate "element.date" Error Some("AK403=8"), "it is not a day of the calendar";
    /// DTM03 = `2575`.
    ElementTime "element.time" Error Some("AK403=9"), "it is not a time of day";
    /// MAN02 of 17 digits where a guide asks for 18.
    ElementForm "element.form" Error Some("AK403=7"), "the partner's guide gives the value a form";
    /// No PRO number where a guide asks for one of every shipment by truck.
    ElementWith "element.with" Error Some("AK403=2"), "the partner's guide asks for it where another value says so";
    /// A value where a guide forbids it because of another.
    ElementWithout "element.without" Error Some("AK403=10"), "the partner's guide forbids it where another value says so";
    /// An 856 of a truckload without REF*BM where a guide asks for it then.
    SegmentWith "segment.with" Error Some("AK304=3"), "the partner's guide asks for it where another value says so";
    /// A segment where a guide forbids it because of another value.
    SegmentWithout "segment.without" Error Some("AK304=2"), "the partner's guide forbids it where another value says so";
    /// An invoice that is older than its order.
    ValueBounds "value.bounds" Warning None, "the partner's guide sets the value against another";
    /// Both of two elements that exclude each other.
    ElementExclusive "element.exclusive" Error Some("AK403=10"), "a syntax note allows only one of them";
    /// CTT01 = 3 with two lines; a constant of the guide with another value.
    ValueDiffers "value.differs" Warning None, "the guide derives this value from the rest of the set";
    /// A price of 450 among prices of 4.25 and 5.10; a total a hundred times the lines' sum.
    ValueScale "value.scale" Warning None, "a point that is lost makes an amount a hundred times as large";
    /// TDS01 = `45000` where lines, charges and taxes come to 465.00.
    TotalDiffers "total.differs" Warning None, "an invoice is paid by its total, and one that cannot be reckoned anew is sent back";
    /// A TXI of 35.10 in the summary where the lines' come to 31.50.
    TaxDiffers "total.tax" Warning None, "a tax is paid on to the state, line by line";
    /// PAM05 = `54.00` of a line of 10 at 4.50.
    LineAmount "line.amount" Warning None, "who pays reckons the line anew, and stops where it differs";
    /// Goods that arrive before they leave.
    DateOrder "value.date-order" Warning None, "goods leave, then arrive, and a notice comes before them";
    /// A 997 for a group that is in none of the files.
    AnswerUnknown "answer.unknown-group" Error None, "an acknowledgment that belongs to nothing was misrouted, or answers what was never kept";
    /// A group without its 997 among the files.
    AnswerMissing "answer.missing" Warning None, "either the document did not arrive, or its acknowledgment did not";
    /// A segment that the partner's 997 rejects.
    AnswerRejected "answer.rejected" Error None, "the partner did not take the document";
    /// A ship notice of 12 where 10 were ordered.
    LineQuantity "line.quantity" Warning None, "more than was ordered is refused or charged for";
    /// An invoice at another price than the order's.
    LinePrice "line.price" Warning None, "an invoice is paid only where its price is the order's";
    /// A line of an order that its acknowledgment leaves out.
    LineMissing "line.missing" Warning None, "a line without an answer counts as rejected";
    /// A line that one acknowledgment rejects and the next one accepts.
    LineRevived "line.revived" Warning None, "a buyer that was told no has ordered elsewhere";
    /// One SSCC on two cartons; one number of two invoices.
    NumberTwice "number.twice" Warning None, "a number that comes twice names two things, and one of them is not found";
    /// A ship notice stamped before the order that it ships.
    FlowOrder "flow.order" Warning None, "who reads by the envelope's time takes the later for the earlier";
    /// A value that no `as` or `is` of the guide names.
    Unmapped "value.unmapped" Info None, "the guide gives it no place in the document, so it is kept as a note";
    /// `007` read as 7.
    Normalised "value.normalised" Info None, "it is written in its normal form";
    /// A UPC of 036000291453.
    CheckDigit "value.check-digit" Warning None, "a number with a wrong digit names another item, or none";
    /// A byte above 0x7F that is not UTF-8.
    NotUtf8 "value.charset" Warning None, "the byte was read as Latin-1; another system may read it otherwise";
    /// `中` in a name.
    CharacterSet "value.character-set" Warning None, "the character is outside X12's extended set; agree on it with the partner";
    /// A value to be written that holds a separator.
    Unwritable "value.separator" Error None, "X12 has no escape: the value would be cut in two";
}
