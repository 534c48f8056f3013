//! What `check` found as SARIF 2.1.0 (OASIS), which code hosts and editors read.
//!
//! One run holds the results of all files, written as they come. Columns count bytes, as they do
//! elsewhere in `check`: in X12, which is ASCII with rare exceptions, they are characters.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::report::Report;
use super::walk::Noted;
use super::words::{language, said, say};
use crate::x12::{Fault, Severity};

/// Everything before the results.
pub(super) fn begin(out: &mut dyn Write) -> io::Result<()> {
    let rules = Fault::ALL.iter().map(|fault| {
        json!({
            "id": fault.rule(),
            "shortDescription": { "text": say(fault.why()) },
            "help": { "text": help(*fault) },
            "defaultConfiguration": { "level": level(fault.severity()) },
        })
    });
    let tool = json!({ "driver": {
        "name": "Transload",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules.collect::<Vec<Value>>(),
    }});
    let language = language().tag();
    write!(
        out,
        "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\
         \"runs\":[{{\"tool\":{tool},\"language\":\"{language}\",\
         \"columnKind\":\"unicodeCodePoints\",\"results\":["
    )
}

/// The results of one file; `first` is whether none was written before, and is kept up to date.
pub(super) fn results(
    file: &str,
    report: &Report,
    first: &mut bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    for noted in &report.findings {
        let comma = if std::mem::take(first) { "" } else { "," };
        write!(out, "{comma}\n{}", result(file, noted))?;
    }
    Ok(())
}

/// Everything after the results: the files that could not be read, each with the reason.
pub(super) fn end(unread: &[(String, String)], out: &mut dyn Write) -> io::Result<()> {
    let notifications = unread.iter().map(|(file, why)| {
        let place = json!({ "physicalLocation": { "artifactLocation": { "uri": uri(file) } } });
        json!({ "level": "error", "message": { "text": why }, "locations": [place] })
    });
    let invocation = json!({
        "executionSuccessful": unread.is_empty(),
        "toolExecutionNotifications": notifications.collect::<Vec<Value>>(),
    });
    writeln!(out, "\n],\"invocations\":[{invocation}]}}]}}")
}

fn result(file: &str, noted: &Noted) -> Value {
    let finding = &noted.finding;
    let location = &finding.location;
    let fix = said(&finding.fix);
    let message = match said(&finding.message) {
        message if fix.is_empty() => message,
        message => format!("{message}\n{fix}"),
    };
    let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
    if location.line > 0 {
        let length = noted.excerpt.as_ref().map_or(0, |excerpt| excerpt.length);
        physical["region"] = json!({
            "startLine": location.line,
            "startColumn": location.column,
            "endColumn": location.column as usize + length,
            "byteOffset": location.offset,
            "byteLength": length,
        });
    }
    let mut place = json!({ "physicalLocation": physical });
    let name = location.designator();
    if !name.is_empty() {
        let whole = location
            .in_loop
            .iter()
            .map(|name| format!("{name}/"))
            .collect::<String>()
            + &name;
        place["logicalLocations"] = json!([{ "name": name, "fullyQualifiedName": whole }]);
    }
    json!({
        "ruleId": finding.fault.rule(),
        "ruleIndex": Fault::ALL.iter().position(|fault| *fault == finding.fault),
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": [place],
        "properties": { "segment": location.segment, "acknowledgment": finding.code_997() },
    })
}

/// Why a rule matters, and the code that an acknowledgment gives it.
fn help(fault: Fault) -> String {
    let why = say(fault.why());
    match fault.code_997() {
        Some(code) => format!("{why} ({code})"),
        None => why.to_owned(),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A path as a relative URI (RFC 3986): `/` between names, other bytes than the unreserved escaped.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}
