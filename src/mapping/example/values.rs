//! What a made-up seller and buyer would write.

use crate::canonical::check_digit;
use crate::mapping::dictionary::DataType;
use crate::mapping::guide::PartUse;

/// Values by the number of their data element: what a made-up seller and buyer would write. Those
/// above the line are in any sample, those below it in a full one.
#[rustfmt::skip]
pub(super) const VALUES: &[(&str, &str)] = &[
    ("19", "Larkhaven"), ("26", "US"), ("67", "4417"), ("76", "INV-4711"), ("87", "4711"),
    ("93", "Tinderbox Goods"), ("116", "98101"), ("127", "R-1001"), ("156", "WA"), ("166", "12 Harbour Road"),
    ("212", "12.50"), ("324", "PO-1001"), ("330", "10"), ("337", "0915"), ("350", "1"), ("352", "Kettle, 1.7 litres"),
    ("358", "10"), ("373", "20260302"), ("380", "10"), ("382", "10"), ("387", "Northwind Freight"), ("396", "SHIP-1001"),
    ("610", "25000"), ("782", "250.00"), ("734", "1"), ("554", "1"), ("81", "24.5"), ("80", "2"),
    ("", ""),
    ("28", "1"), ("97", "1"), ("123", "1"), ("2", "1"), ("96", "8"), ("329", "0001"), ("719", "3"), ("722", "3"),
    ("100", "USD"), ("140", "NWFR"), ("182", "Nightingale"), ("207", "4711"), ("225", "S-4711"), ("234", "TK-1001"),
    ("310", "Seattle"), ("325", "91-4711000"), ("326", "RQ-1001"), ("327", "1"), ("328", "R1"), ("332", "2.5"),
    ("338", "2"), ("347", "10"), ("351", "10"), ("356", "4"), ("357", "6"), ("364", "+1 206 555 0100"), ("367", "C-2026-7"),
    ("370", "20260312"), ("386", "30"), ("388", "20260401"), ("389", "12500"), ("362", "250"), ("446", "20260401"),
    ("443", "desk 3"), ("463", "1"), ("507", "125000024"), ("508", "4711004711"), ("509", "1914711000"), ("510", "000000001"),
    ("646", "10"), ("649", "0.95"), ("724", "EACH"), ("725", "355"), ("739", "17.5"), ("751", "4711"), ("770", "1"),
    ("812", "CTX"), ("933", "Please deliver to dock 4."), ("954", "0.095"), ("956", "WA"), ("1196", "4711"), ("1251", "20260302"),
    ("1271", "4711"), ("1551", "Please deliver to dock 4."),
];

/// Codes that are meant before others of their list or type, by data element.
#[rustfmt::skip]
pub(super) const CODES: &[(&str, &[&str])] = &[
    ("66", &["92", "2"]), ("88", &["GM"]), ("91", &["M"]), ("92", &["SA", "NE"]), ("98", &["VN", "SU", "BY", "CN"]),
    ("103", &["CTN25", "CTN"]), ("128", &["CO", "ZZ", "IV", "BM"]), ("143", &["850"]), ("146", &["PP", "CC"]), ("235", &["UP", "EN", "VN", "BP"]),
    ("236", &["UCP", "NET"]), ("248", &["C"]), ("305", &["I", "C"]), ("336", &["01"]), ("333", &["3"]), ("344", &["DA"]),
    ("349", &["F"]), ("353", &["00"]), ("355", &["EA"]), ("365", &["TE", "EM"]), ("366", &["OC"]), ("374", &["097", "102", "196"]),
    ("478", &["C"]), ("479", &["PO"]), ("481", &["1"]), ("522", &["1", "TT"]), ("559", &["VI"]), ("563", &["SC", "N"]),
    ("587", &["AD", "AC"]), ("591", &["ACH"]), ("623", &["UT"]), ("639", &["PE"]), ("668", &["IA"]), ("673", &["38"]),
    ("715", &["A"]), ("717", &["A"]), ("735", &["I"]), ("736", &["1"]), ("963", &["ST"]), ("1005", &["0001"]),
];

/// Values that an element has instead, by its designator.
#[rustfmt::skip]
pub(super) const INSTEAD: &[(&str, &str)] = &[("CUR01", "BY"), ("BSN03", "20260306"),
    ("TD502", "2"), ("TD503", "NWFR"), ("ENT02", "PE"), ("RMR01", "IV"), ("TD108", "LB")];

/// What the buying side has instead: in the parties with these codes, and below them.
pub(super) const BUYERS: &[&str] = &["BT", "BY", "ST", "PR"];
#[rustfmt::skip]
pub(super) const OF_BUYERS: &[(&str, &str)] = &[
    ("93", "Quillfeather Retail"), ("67", "0007"), ("166", "400 Market Street"), ("19", "Port Amber"),
    ("156", "OR"), ("116", "97201"),
];

/// What a line has instead of the whole document.
pub(super) const OF_LINES: &[(&str, &str)] = &[("782", "125.00"), ("610", "12500")];

/// Segments that a sample has beside the mandatory ones and the loops of its detail, where the
/// guide has a place for their values; and of a ship notice, in which levels;
/// after `=`, in these alone.
#[rustfmt::skip]
pub(super) const USUAL: &[(&str, &str)] = &[
    ("ACK", ""), ("LIN", "I"), ("MAN", "=TP"), ("N1-BY", "S"), ("N1-PE", ""), ("N1-PR", ""), ("N1-SE", ""), ("N1-SF", "=S"),
    ("N1-ST", "S"), ("N3", "S"), ("N4", "S"), ("PRF", "O"), ("RMR", ""), ("SN1", "I"), ("TD1", "S"), ("TD5", "=S"),
    ("TRN", ""),
];

/// Elements that only a full sample has, though their values are usual elsewhere.
#[rustfmt::skip]
pub(super) const SPARE: &[&str] = &[
    "BAK08", "BAK09", "CTT03", "CTT04", "CTT05", "CTT06", "CTT07", "MAN03",
    "MAN06", "PRF05", "REF03", "SN105", "SN106", "TD109", "TD110", "BIG10", "CSH03", "CSH05", "DTM03", "ENT05", "ENT06", "ENT07", "ENT08", "ENT09", "RMR06",
    "RMR07", "RMR08", "TD107", "TDS02", "TDS03", "TDS04", "TRN04",
];

/// Dates after these qualifiers (374): an order of 2 March ships on the 6th and arrives on the 9th.
#[rustfmt::skip]
pub(super) const DATES: &[(&str, &str)] = &[
    ("001", "20260316"), ("002", "20260309"), ("010", "20260306"), ("011", "20260306"), ("017", "20260309"),
    ("037", "20260306"), ("038", "20260309"), ("063", "20260313"), ("064", "20260309"),
];

/// Segments that open a line.
pub(super) const LINE_TAGS: &[&str] = &["IT1", "LIN", "OTI", "PO1", "POC", "RMR"];

/// Lines of a sample: two show that there may be several.
pub(super) const LINES: u32 = 2;

/// The number of an item or a carton, of the kind that its qualifier says, with its check digit;
/// `None` for kinds without one.
pub(super) fn numbered_item(qualifier: &str, line: u32) -> Option<String> {
    let rest = match qualifier {
        "UP" => format!("6141410000{line}"),
        "EN" => format!("06141410000{line}"),
        "UK" | "UC" => format!("106141410000{line}"),
        "GM" => format!("000061414100000000{line}"),
        _ => return None,
    };
    let digit = char::from(check_digit(rest.as_bytes())?);
    Some(format!("{rest}{digit}"))
}

/// Any value of the element's type and length.
pub(super) fn any(part: &PartUse, fits: &dyn Fn(&str) -> bool) -> String {
    let def = &part.def;
    let length = def.min.max(1);
    let value = |n: usize| match def.data {
        DataType::Date => if def.max == 6 { "260302" } else { "20260302" }.to_owned(),
        DataType::Time => "0915".to_owned(),
        DataType::Decimal | DataType::Implied(_) => format!("{:0>length$}", n + 1),
        _ => format!("{:A>length$}", char::from(b'A' + (n % 26) as u8)),
    };
    let formed = part.forms.iter().map(|form| form.plain());
    formed
        .chain((0..26).map(value))
        .find(|text| fits(text))
        .unwrap_or_else(|| value(0))
}
