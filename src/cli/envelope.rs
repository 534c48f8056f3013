//! A document's envelope: kept with it when it is read, and made again when it is written.

use super::translate::{Envelope, group_id};
use super::words::said;
use crate::canonical::{Document, ExtValue, Provenance};
use crate::mapping::Guide;
use crate::x12::{
    self, Delimiters, FunctionalGroup, GroupHeader, Interchange, InterchangeHeader, text,
};

/// The free field of the provenance that holds an interchange without its sets.
const ENVELOPE: &str = "envelope";

/// Where the sets of a group come from, without their own numbers.
pub(super) fn origin(
    isa: &InterchangeHeader,
    gs: &GroupHeader,
    delimiters: &Delimiters,
) -> Provenance {
    let mut provenance = Provenance {
        sender: Some(gs.sender.clone()),
        receiver: Some(gs.receiver.clone()),
        interchange: Some(isa.control_number.clone()),
        group: Some(gs.control_number.clone()),
        version: Some(gs.version.clone()),
        ..Provenance::default()
    };
    let groups = vec![FunctionalGroup::new(gs.clone(), Vec::new())];
    let empty = Interchange::new(isa.clone(), *delimiters, groups);
    // Separators above 0x7F are no text; then the envelope is told by its parts alone.
    let text = empty
        .to_bytes()
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(text) = text {
        let field = ExtValue::Text(text);
        provenance.ext.0.insert(ENVELOPE.to_owned(), field);
    }
    provenance
}

/// An interchange without sets for a document: as it carries it, changed by what `wanted` says.
pub(super) fn envelope_of(
    document: &Document,
    guide: &Guide,
    wanted: &Envelope,
) -> Result<Interchange, String> {
    let provenance = document.provenance();
    let carried = match provenance.ext.0.get(ENVELOPE) {
        Some(ExtValue::Text(text)) => x12::read(text.as_bytes()).ok(),
        _ => None,
    };
    let carried = carried.and_then(|mut reading| reading.interchanges.pop());
    let mut interchange = match carried.filter(|interchange| interchange.groups.len() == 1) {
        Some(carried) => Interchange::new(carried.header, carried.delimiters, carried.groups),
        None => fresh(provenance, &guide.version, wanted),
    };
    let header = &mut interchange.header;
    let group = &mut interchange.groups[0].header;
    group.functional_id = group_id(&guide.set);
    if let Some(sender) = &wanted.sender {
        header.sender = sender.clone();
        group.sender = sender.id.clone();
    }
    if let Some(receiver) = &wanted.receiver {
        header.receiver = receiver.clone();
        group.receiver = receiver.id.clone();
    }
    if let Some(control) = wanted.control {
        header.control_number = format!("{control:09}");
        group.control_number = control.to_string();
    }
    if let Some(time) = wanted.time {
        *header = header.clone().at(time);
        *group = group.clone().at(time);
    }
    if header.sender.id.is_empty() {
        return Err(said(&text!(
            "it does not say who sends it: give --sender ZZ:ID"
        )));
    }
    if header.receiver.id.is_empty() {
        return Err(said(&text!(
            "it does not say who gets it: give --receiver ZZ:ID"
        )));
    }
    Ok(interchange)
}

/// For a document that carries no envelope, and perhaps no version: then it is of `release`.
pub(super) fn fresh(provenance: &Provenance, release: &str, wanted: &Envelope) -> Interchange {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let number = |field: &Option<String>| field.clone().unwrap_or_else(|| "1".to_owned());
    let version = provenance.version.clone();
    let version = version.unwrap_or_else(|| release.to_owned());
    let header = InterchangeHeader {
        sender: x12::Qualified::new("ZZ", &text(&provenance.sender)),
        receiver: x12::Qualified::new("ZZ", &text(&provenance.receiver)),
        // 004010 stands in ISA12 as 00401.
        version: version.get(..5).unwrap_or("00401").to_owned(),
        control_number: format!("{:0>9}", number(&provenance.interchange)),
        ..InterchangeHeader::default()
    };
    let group = GroupHeader {
        sender: text(&provenance.sender),
        receiver: text(&provenance.receiver),
        control_number: number(&provenance.group),
        agency: "X".to_owned(),
        version,
        ..GroupHeader::default()
    };
    let groups = vec![FunctionalGroup::new(group.at(wanted.now), Vec::new())];
    Interchange::new(header.at(wanted.now), Delimiters::default(), groups)
}
