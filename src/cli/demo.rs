//! `transload demo`: two gateways on this machine, and a whole exchange between them.
//!
//! A buyer sends an order over AS2, signed and encrypted; the seller answers with a signed
//! receipt and a 997, and its own side finds the order as canonical JSON in a folder. It puts an
//! acknowledgment and an invoice into another folder, and they go back the same way. Everything
//! is real: keys, sockets, stores, partner files. Nothing leaves the machine.

mod answers;
mod ledger;
mod side;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio::runtime::Runtime;
use uuid::Uuid;

use super::{Exit, Failure, Outcome};
use crate::canonical::Document;
use crate::store::{Direction, DocumentState};
use crate::x12;
use ledger::Ledger;
use side::{Relation, Side};

/// The order that comes with Transload.
const ORDER: &[u8] = include_bytes!("../../samples/demo/order.edi");

/// See the command's help.
#[derive(clap::Args)]
pub(super) struct Demo {
    /// An 850 of your own instead of the one that comes along
    #[arg(long, value_name = "FILE")]
    order: Option<PathBuf>,
    /// Leave everything on disk and running until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        super::serve::log("error");
        let order = match &self.order {
            Some(path) => std::fs::read(path)
                .map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?,
            None => ORDER.to_vec(),
        };
        let folder = std::env::temp_dir().join(format!("transload-demo-{}", Uuid::now_v7()));
        private(&folder)?;
        let runtime = Runtime::new().map_err(Failure::state)?;
        let outcome = runtime.block_on(Box::pin(self.exchange(&order, &folder, out)));
        runtime.shutdown_background();
        if !self.keep
            && let Err(why) = std::fs::remove_dir_all(&folder)
        {
            eprintln!("transload: {} is left behind: {why}", folder.display());
        }
        outcome
    }

    async fn exchange(&self, order: &[u8], folder: &Path, out: &mut dyn Write) -> Outcome {
        let start = Instant::now();
        let (buyer, seller) = sides(order, folder).await?;
        let ledger = Box::pin(walk(order, &buyer, &seller)).await;
        let ledger = match ledger {
            Ok(mut ledger) => {
                ledger.seconds = start.elapsed().as_secs_f64();
                ledger
            }
            Err(failure) => {
                // What was reached says more than what was not.
                let _ = (buyer.running.stop().await, seller.running.stop().await);
                return Err(failure);
            }
        };
        if self.keep {
            buyer.copies().await?;
            seller.copies().await?;
        }
        match self.json {
            true => writeln!(
                out,
                "{}",
                ledger.json(self.keep.then_some((folder, &buyer, &seller)))
            )?,
            false => ledger.table(out, self.keep.then_some((folder, &buyer, &seller)))?,
        }
        out.flush()?;
        if self.keep {
            eprintln!("transload: running until Ctrl-C");
            tokio::signal::ctrl_c().await.map_err(Failure::state)?;
        }
        buyer.running.stop().await.map_err(Failure::state)?;
        seller.running.stop().await.map_err(Failure::state)?;
        Ok(if ledger.is_sound() {
            Exit::Clean
        } else {
            Exit::Findings
        })
    }
}

/// A folder that only its owner may read: it will hold keys.
fn private(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().mode(0o700).create(folder);
    made.map_err(|why| Failure::state(format!("{}: {why}", folder.display())))
}

/// Both sides, started: keys, partner files and settings in folders of their own. Their X12 ids
/// are those of the order.
async fn sides(order: &[u8], folder: &Path) -> Result<(Side, Side), Failure> {
    let reading = x12::read(order).map_err(Failure::usage)?;
    let header = reading
        .interchanges
        .first()
        .map(|interchange| interchange.header.clone());
    let header = header.ok_or_else(|| Failure::usage("the order has no interchange"))?;
    let (buyers, sellers) = (header.sender, header.receiver);
    let buyer = Relation {
        name: "buyer",
        as2_id: "BUYER-AS2",
        x12: buyers,
    };
    let seller = Relation {
        name: "seller",
        as2_id: "SELLER-AS2",
        x12: sellers,
    };
    side::pair(folder, &buyer, &seller).await
}

/// The exchange, step by step; each waits until the other side is done with the one before.
async fn walk(order: &[u8], buyer: &Side, seller: &Side) -> Result<Ledger, Failure> {
    let gateway = &buyer.running.gateway;
    let sent = gateway
        .send(&seller.name, order)
        .await
        .map_err(Failure::usage)?;
    let delivered = seller
        .document(Direction::Inbound, "850", DocumentState::Delivered)
        .await?;
    buyer.settled(sent).await?;

    let (path, json) = seller.delivered().await?;
    let document: Document = Document::from_json(&json).map_err(Failure::state)?;
    let Document::PurchaseOrder(order) = &document else {
        return Err(Failure::usage("the order file holds no 850"));
    };
    let today = crate::clock::Clock::now(&crate::clock::System).date_naive();
    let acknowledgment = answers::acknowledgment(order, today);
    let invoice = answers::invoice(order, today);
    for (set, answer) in [("855", acknowledgment), ("810", invoice)] {
        seller.answer(&answer)?;
        seller
            .document(Direction::Outbound, set, DocumentState::Accepted)
            .await?;
        buyer
            .document(Direction::Inbound, set, DocumentState::Delivered)
            .await?;
    }
    let mut ledger = Ledger::read(buyer, seller).await?;
    ledger.order = delivered.number;
    ledger.canonical = json;
    ledger.path = path;
    Ok(ledger)
}
