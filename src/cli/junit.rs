//! What `check` found as JUnit's XML, which build servers read: a suite a file, a case a set, and
//! one for what stands outside of sets.

use std::io::{self, Write};

use super::report::{Case, Paint, Report};
use super::walk::Noted;
use super::window;
use super::words::{said, say};
use crate::x12::Severity;

/// Everything before the suites.
pub(super) fn begin(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"transload check\">"
    )
}

/// One file. A case fails where it has a finding of `fail_on` or graver.
pub(super) fn suite(
    file: &str,
    report: &Report,
    fail_on: Severity,
    out: &mut dyn Write,
) -> io::Result<()> {
    let envelope = Case {
        name: say("envelope").to_owned(),
        first: 0,
        last: 0,
    };
    let within = |case: &Case, noted: &Noted| {
        (case.first..=case.last).contains(&noted.finding.location.segment)
    };
    // Findings and sets are both in the order of the file.
    let of = |case: &Case| -> Vec<&Noted> {
        let from = report
            .findings
            .partition_point(|n| n.finding.location.segment < case.first);
        report.findings[from..]
            .iter()
            .take_while(|noted| within(case, noted))
            .collect()
    };
    let outside = |noted: &&Noted| {
        let at = report
            .cases
            .partition_point(|case| case.last < noted.finding.location.segment);
        report.cases.get(at).is_none_or(|case| !within(case, noted))
    };
    let of_envelope: Vec<&Noted> = report.findings.iter().filter(outside).collect();
    let cases = || {
        let sets = report.cases.iter().map(|set| (set, of(set)));
        std::iter::once((&envelope, of_envelope.clone())).chain(sets)
    };
    let fails = |found: &[&Noted]| found.iter().any(|noted| noted.finding.severity >= fail_on);
    let failures = cases().filter(|(_, found)| fails(found)).count();
    let (suite, tests) = (xml(file), report.cases.len() + 1);
    writeln!(
        out,
        "<testsuite name=\"{suite}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    )?;
    for (case, found) in cases() {
        let name = xml(&case.name);
        write!(out, "<testcase classname=\"{suite}\" name=\"{name}\"")?;
        if found.is_empty() {
            writeln!(out, "/>")?;
            continue;
        }
        let (grave, other): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|noted| noted.finding.severity >= fail_on);
        writeln!(out, ">")?;
        if let Some(first) = grave.first() {
            let rule = first.finding.fault.rule();
            let message = xml(&said(&first.finding.message));
            let told = told(file, grave)?;
            writeln!(
                out,
                "<failure type=\"{rule}\" message=\"{message}\">{told}</failure>"
            )?;
        }
        if !other.is_empty() {
            writeln!(out, "<system-out>{}</system-out>", told(file, other)?)?;
        }
        writeln!(out, "</testcase>")?;
    }
    writeln!(out, "</testsuite>")
}

/// A file that could not be read.
pub(super) fn refused(file: &str, why: &str, out: &mut dyn Write) -> io::Result<()> {
    let (file, why) = (xml(file), xml(why));
    writeln!(
        out,
        "<testsuite name=\"{file}\" tests=\"1\" failures=\"0\" errors=\"1\">\n\
         <testcase classname=\"{file}\" name=\"{file}\"><error type=\"unreadable\" message=\"{why}\"/>\
         </testcase>\n</testsuite>"
    )
}

/// Everything after the suites.
pub(super) fn end(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</testsuites>")
}

/// Findings as they are told on a terminal.
fn told(file: &str, found: Vec<&Noted>) -> io::Result<String> {
    let mut text = Vec::new();
    window::findings(file, found, Paint::PLAIN, &mut text)?;
    Ok(xml(&String::from_utf8_lossy(&text)))
}

/// Text for XML 1.0: its five signs escaped, and characters that it may not hold shown as `·`.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&apos;",
            '\n' | '\t' => safe.push(c),
            '\u{FFFE}' | '\u{FFFF}' => safe.push('·'),
            c if c.is_control() => safe.push('·'),
            c => safe.push(c),
        }
    }
    safe
}
