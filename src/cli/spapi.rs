//! `translate --to spapi` and `--from spapi`: the pure half of the bridge, on files.

use std::io::Write;

use chrono::FixedOffset;
use serde_json::{Value, json};

use super::{Exit, Failure, Outcome};
use crate::bridge::spapi::operation::{self, Incoming, Operation, Request};
use crate::bridge::spapi::{Context, Loss, LossKind, Site};
use crate::canonical::Document;
use crate::clock::{Clock, System};

/// What neither the file nor the API says.
#[derive(clap::Args)]
pub(super) struct Options {
    /// The API's site, such as `us` or `de`, or the file of one's own [to and from spapi]
    #[arg(long, value_name = "SITE", default_value = "us", value_parser = site)]
    site: Site,
    /// The vendor code, where the document does not say it [to spapi]
    #[arg(long, value_name = "CODE")]
    vendor_code: Option<String>,
    /// How far the document's dates are from UTC, as `-08:00` [default: the site's, or UTC]
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    zone: Option<FixedOffset>,
    /// What the JSON is, if its shape does not say, such as `getPurchaseOrder` [from spapi]
    #[arg(long, value_name = "NAME", value_parser = operation)]
    operation: Option<Operation>,
    /// It is direct fulfillment: a consumer's order, or what is said to one [to spapi]
    #[arg(long)]
    direct: bool,
    /// The order that an acknowledgment answers, as canonical JSON [to spapi]
    #[arg(long, value_name = "FILE")]
    order: Option<std::path::PathBuf>,
    /// Write the loss report with the result, as one JSON object a document [to spapi]
    #[arg(long)]
    json: bool,
}

/// A site by its name, or of a file of one's own.
pub(super) fn site(name: &str) -> Result<Site, String> {
    if name.ends_with(".toml") {
        let text = std::fs::read_to_string(name).map_err(|error| error.to_string())?;
        return Site::read(&text).map_err(|error| error.to_string());
    }
    let names = || {
        Site::all()
            .iter()
            .map(|site| site.name.as_str())
            .collect::<Vec<_>>()
    };
    Site::find(name)
        .cloned()
        .ok_or_else(|| format!("it is none of {}", names().join(", ")))
}

fn operation(name: &str) -> Result<Operation, String> {
    let names = || Operation::all().map(Operation::name).collect::<Vec<_>>();
    Operation::find(name).ok_or_else(|| format!("it is none of {}", names().join(", ")))
}

impl Options {
    fn context(&self) -> Result<Context, Failure> {
        let mut context = Context::new(&self.site, System.now());
        context.vendor_code = self.vendor_code.clone();
        context.offset = self.zone.unwrap_or(context.offset);
        context.direct = self.direct;
        if let Some(path) = &self.order {
            let name = path.to_string_lossy();
            let json = std::fs::read(path)
                .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
            match Document::from_json(&json) {
                Ok(Document::PurchaseOrder(order)) => context.order = Some(order),
                Ok(other) => {
                    let kind = other.kind();
                    return Err(Failure::usage(format!(
                        "{name} is a {kind}, not a purchase_order"
                    )));
                }
                Err(error) => return Err(Failure::usage(format!("{name}: {error}"))),
            }
        }
        Ok(context)
    }

    /// Writes the request that each document makes; the loss report goes to `talk`.
    pub(super) fn requests(
        &self,
        documents: &[Document],
        out: &mut dyn Write,
        talk: &mut dyn Write,
    ) -> Outcome {
        let context = self.context()?;
        let mut exit = Exit::Clean;
        for document in documents {
            let Some(request) = operation::write(document, &context) else {
                let kind = document.kind();
                return Err(Failure::usage(format!("the API takes and gives no {kind}")));
            };
            let refused = request
                .losses
                .iter()
                .any(|loss| loss.kind == LossKind::Refused);
            if refused || !request.faults.is_empty() {
                exit = Exit::Findings;
            }
            self.tell(&request, out, talk)?;
        }
        Ok(exit)
    }

    fn tell(
        &self,
        request: &Request,
        out: &mut dyn Write,
        talk: &mut dyn Write,
    ) -> Result<(), Failure> {
        let line = match self.json {
            true => json!({
                "operation": request.operation.name(),
                "path": request.path,
                "body": request.body,
                "losses": request.losses,
                "faults": request.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            }),
            false => {
                losses(&request.losses, talk)?;
                for fault in &request.faults {
                    match request.place(&fault.at) {
                        Some(place) => writeln!(talk, "fault {place} ({fault})")?,
                        None => writeln!(talk, "fault {fault}")?,
                    }
                }
                request.body.clone()
            }
        };
        writeln!(out, "{line}")?;
        Ok(())
    }

    /// The documents in a JSON of the API; the loss report goes to `talk`.
    ///
    /// # Errors
    /// Not JSON, or nothing in it that we know.
    pub(super) fn documents(
        &self,
        json: &[u8],
        talk: &mut dyn Write,
    ) -> Result<Vec<Document>, Failure> {
        let context = self.context()?;
        let value: Value = serde_json::from_slice(json)
            .map_err(|error| Failure::usage(format!("it is not JSON: {error}")))?;
        let read = operation::read(&value, self.operation, &context);
        if read.is_empty() {
            let names: Vec<&str> = Operation::all().map(Operation::name).collect();
            let names = names.join(", ");
            return Err(Failure::usage(format!(
                "nothing in it looks like what an operation takes or gives; --operation says which it is: {names}"
            )));
        }
        let mut documents = Vec::new();
        for Incoming {
            document,
            losses: told,
            ..
        } in read
        {
            losses(&told, talk)?;
            documents.push(document);
        }
        Ok(documents)
    }
}

fn losses(losses: &[Loss], talk: &mut dyn Write) -> std::io::Result<()> {
    losses.iter().try_for_each(|loss| writeln!(talk, "{loss}"))
}
