//! What an ISA settles for the segments that follow it: the separators, and whether they can be
//! used at all.

use super::isa::{Isa, Terminator, WIDTHS};
use super::{Delimiters, Fault, Finding, LineBreak, Location, Position, Severity, Text, text};

/// The outcome of reading an ISA.
pub(super) struct Settled {
    pub(super) delimiters: Delimiters,
    /// All bytes of the terminator.
    pub(super) terminator: Vec<u8>,
    /// Bytes between the component separator and what follows ISA's own terminator.
    pub(super) skip: usize,
    /// Whether the segments that follow can be told apart.
    pub(super) readable: bool,
    pub(super) findings: Vec<Finding>,
}

/// The release from which ISA11 is the repetition separator.
pub(super) const REPETITION_SINCE: u64 = 402;

/// Reads the separators out of `isa` and checks its widths.
pub(super) fn settle(isa: &Isa<'_>, position: Position) -> Settled {
    let mut settled = Settled {
        delimiters: Delimiters {
            element: isa.element,
            component: isa.component,
            repetition: None,
            segment: b'~',
            line_break: LineBreak::None,
        },
        terminator: Vec::new(),
        skip: 0,
        readable: true,
        findings: Vec::new(),
    };
    let at = |element: u32, offset: usize| Location {
        tag: "ISA".to_owned(),
        element: Some(element),
        offset: position.offset + offset as u64,
        column: position.column + offset as u32,
        ..position.into()
    };
    let mut offset = 4;
    for (number, (value, width)) in (1u32..).zip(isa.values.iter().zip(WIDTHS)) {
        let length = value.len();
        if length != width {
            let (name, value) = (format!("ISA{number:02}"), String::from_utf8_lossy(value));
            settled.findings.push(Finding::new(
                Fault::IsaElement,
                at(number, offset),
                text!(
                    "{name} `{value}` has {length} bytes instead of {width}",
                    name = &name,
                    value,
                    length,
                    width
                ),
                text!(
                    "write {name} with exactly {width} bytes, blanks or zeros included",
                    name,
                    width
                ),
            ));
        }
        offset += length + 1;
    }
    settled.terminate(&isa.terminator, at(16, offset));
    settled.repeat(isa, at(11, 0));
    settled.clash(at(16, offset));
    settled
}

/// What the bytes after ISA's terminator say about line breaks.
pub(super) fn line_break(after: &[u8]) -> LineBreak {
    match after {
        [b'\n', ..] => LineBreak::Lf,
        [b'\r', b'\n', ..] => LineBreak::CrLf,
        _ => LineBreak::None,
    }
}

impl Settled {
    fn tell(&mut self, fault: Fault, location: Location, message: Text, fix: Text) {
        self.findings
            .push(Finding::new(fault, location, message, fix));
    }

    fn terminate(&mut self, terminator: &Terminator, location: Location) {
        match terminator {
            Terminator::Found { bytes, skip } => {
                self.skip = skip + bytes.len();
                self.terminator = bytes.clone();
                if *skip > 0 {
                    let message = text!(
                        "{skip} bytes between ISA16 and the segment terminator",
                        skip = *skip
                    );
                    let fix = text!("put the segment terminator right behind ISA16");
                    self.tell(Fault::IsaLength, location.clone(), message, fix);
                }
                let character = std::str::from_utf8(bytes)
                    .ok()
                    .and_then(|s| s.chars().next());
                self.delimiters.segment = match character {
                    // It was one byte before it was transcoded, if it can be one.
                    Some(c) if bytes.len() > 1 => u8::try_from(u32::from(c)).unwrap_or(b'~'),
                    _ => bytes[0],
                };
                if bytes.len() > 1 {
                    let bytes = bytes.iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>();
                    let message = text!(
                        "the segment terminator is {count} bytes: {bytes}",
                        count = bytes.len(),
                        bytes = bytes.join(" ")
                    );
                    let fix = text!("send the file as bytes, without a change of character set");
                    self.tell(Fault::TranscodedTerminator, location, message, fix);
                }
            }
            Terminator::Elsewhere(byte) => {
                self.terminator = vec![*byte];
                self.delimiters.segment = *byte;
                let shown = byte.escape_ascii();
                let message = text!(
                    "ISA ends in a line break, all other segments in `{shown}`",
                    shown = shown.to_string()
                );
                let fix = text!("put the segment terminator right behind ISA16");
                self.tell(Fault::IsaLength, location, message, fix);
            }
            Terminator::Missing => {
                self.readable = false;
                let message = text!("no segment terminator stands behind ISA16");
                let fix =
                    text!("put a terminator, such as ~, behind ISA16 and behind every segment");
                self.tell(Fault::TerminatorMissing, location, message, fix);
            }
        }
    }

    fn repeat(&mut self, isa: &Isa<'_>, location: Location) {
        let version = String::from_utf8_lossy(isa.values[11]).into_owned();
        let &[byte] = isa.values[10] else { return };
        let since = super::read::number(&version).is_some_and(|v| v >= REPETITION_SINCE);
        let usable = byte.is_ascii_punctuation() || byte.is_ascii_control();
        let shown = byte.escape_ascii();
        match (since, usable) {
            (true, true) => self.delimiters.repetition = Some(byte),
            (true, false) => {
                let told = text!(
                    "ISA11 `{shown}` cannot separate repetitions, which ISA12 {version} asks for",
                    shown = shown.to_string(),
                    version
                );
                let fix = text!("put a byte such as ^ into ISA11; no repetitions were split");
                let mut finding = Finding::new(Fault::RepetitionUnusable, location, told, fix);
                if byte == b'U' {
                    // The standards identifier of earlier releases, left standing: nothing is
                    // meant by it, and nothing is split.
                    finding.severity = Severity::Warning;
                }
                self.findings.push(finding);
            }
            (false, true) => self.tell(
                Fault::RepetitionEarly,
                location,
                text!(
                    "ISA11 is `{shown}` where ISA12 {version} asks for a standards identifier",
                    shown = shown.to_string(),
                    version
                ),
                text!("put U into ISA11, or 00402 or later into ISA12"),
            ),
            (false, false) => {}
        }
    }

    fn clash(&mut self, location: Location) {
        let Delimiters {
            element,
            component,
            repetition,
            segment,
            ..
        } = self.delimiters;
        let mut tell = |byte: u8, roles: Text| {
            let message = text!(
                "`{byte}` is {roles} at once",
                byte = byte.escape_ascii().to_string(),
                roles
            );
            self.findings.push(Finding::new(
                Fault::DelimiterClash,
                location.clone(),
                message,
                text!("choose four different bytes that do not occur in data"),
            ));
        };
        if element == segment {
            self.readable = false;
            tell(element, text!("element separator and segment terminator"));
        } else if component == element {
            tell(component, text!("component and element separator"));
        } else if component == segment {
            tell(
                component,
                text!("component separator and segment terminator"),
            );
        }
        if let Some(byte) = repetition
            && [element, component, segment].contains(&byte)
        {
            tell(byte, text!("repetition separator and another one"));
            self.delimiters.repetition = None;
        }
    }
}
