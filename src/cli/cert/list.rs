//! `transload cert list` and `show`.

use std::io::Write;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::told::{All, Row, handed, spoken, time};
use super::{SOON, exit};
use crate::cli::serve::Place;
use crate::cli::{Exit, Failure, Outcome};
use crate::partner::moment_of;

/// Every key and certificate: use, dates, fingerprint, and who was seen with it
///
/// Exit code 1 where one that has no successor has expired or does within 30 days. What is marked
/// "still" was used after we changed to a newer one: that partner has not changed yet.
#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// What it would say at that time [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment_of)]
    at: Option<DateTime<Utc>>,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
}

/// All about one key or certificate
#[derive(clap::Args)]
pub(super) struct Show {
    /// Its name, the beginning of its fingerprint, or a file
    certificate: String,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let now = self.at.unwrap_or_else(Utc::now);
        let all = All::read(&self.place.config(&[])?, now)?;
        let soon = all.rows.iter().any(|row| row.soon(now));
        if self.json {
            for row in &all.rows {
                writeln!(out, "{}", row.json(now))?;
            }
            return Ok(exit(soon));
        }
        if all.rows.is_empty() {
            writeln!(
                out,
                "no key and no certificate yet; make one with `transload cert new --name NAME \
                 --out keys`"
            )?;
        }
        for row in &all.rows {
            tell(row, now, out)?;
        }
        for warning in &all.held.warnings {
            eprintln!("transload: {warning}");
        }
        Ok(exit(soon))
    }
}

fn tell(row: &Row, now: DateTime<Utc>, out: &mut dyn Write) -> Result<(), Failure> {
    let own = &row.standing;
    let whose = own.partner.as_deref().unwrap_or("ours");
    let days = match own.days(now) {
        days if days < 0 => format!("ended {} days ago", -days),
        days => format!("{days} days left"),
    };
    let mark = if row.soon(now) { "! " } else { "" };
    writeln!(
        out,
        "{mark}{whose}: {}  [{}]  {}\n  {} to {}, {days}\n  SHA-256 {}",
        row.name,
        row.uses(),
        row.state,
        time(own.from.or(Some(row.certificate.not_before()))),
        time(Some(own.until)),
        spoken(&own.fingerprint).join(" "),
    )?;
    for (seen, late) in &row.seen {
        let (still, at) = (if *late { "still " } else { "" }, time(Some(seen.at)));
        let told = match seen.purpose.as_str() {
            "decrypt" => format!("{still}encrypted to by {}, last {at}", seen.partner),
            "verify" => format!("{still}signed with by {}, last {at}", seen.partner),
            word @ ("accepted" | "rejected") => format!("{word} by {}, {at}", seen.partner),
            _ => format!("{still}used by {}, last {at}", seen.partner),
        };
        writeln!(out, "  {told}")?;
    }
    if row.soon(now) {
        let next = match &own.partner {
            None => "transload cert roll --activate TIME".to_owned(),
            Some(partner) => format!(
                "ask {partner} for the next one, then transload cert import FILE --partner {partner}"
            ),
        };
        writeln!(out, "  fewer than {SOON} days and no successor: {next}")?;
    }
    if row.state == "pending" {
        let digits = own.fingerprint.get(..16).unwrap_or_default();
        writeln!(
            out,
            "  compare the fingerprint with {whose} by telephone, then: transload cert accept \
             {whose} {digits}"
        )?;
    }
    Ok(())
}

impl Show {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let (now, path) = (Utc::now(), Path::new(&self.certificate));
        if path.is_file() {
            let read = handed(path)?;
            let told = json!({
                "subject": read.subject(),
                "issuer": read.issuer(),
                "serial": read.serial(),
                "key": read.key_name(),
                "fingerprint": read.fingerprint(),
                "from": read.not_before(),
                "until": read.not_after(),
            });
            return self.print(&told, out);
        }
        let all = All::read(&self.place.config(&[])?, now)?;
        let row = all.one(&self.certificate)?;
        let mut told = row.json(now);
        told["issuer"] = row.certificate.issuer().into();
        told["serial"] = row.certificate.serial().into();
        self.print(&told, out)
    }

    fn print(&self, told: &serde_json::Value, out: &mut dyn Write) -> Outcome {
        if self.json {
            writeln!(out, "{told}")?;
            return Ok(Exit::Clean);
        }
        let fields = told.as_object().into_iter().flatten();
        for (name, value) in fields.filter(|(_, value)| !value.is_null()) {
            match (name.as_str(), value.as_str()) {
                ("fingerprint", Some(digits)) => {
                    let groups = spoken(digits);
                    let lines: Vec<String> = groups.chunks(4).map(|line| line.join(" ")).collect();
                    writeln!(out, "{name:<12}{}", lines.join(&format!("\n{:<12}", "")))?;
                }
                (_, Some(text)) => writeln!(out, "{name:<12}{text}")?,
                _ => writeln!(out, "{name:<12}{value}")?,
            }
        }
        Ok(Exit::Clean)
    }
}
