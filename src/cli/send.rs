//! `transload send`: X12 files to one partner, through the store.
//!
//! A file goes as it is, with its own envelope. What is kept, what is sent again and what counts
//! as a receipt is as for everything that `serve` sends: where the partner cannot be reached now,
//! `serve` goes on with the same bytes under the same Message-ID. Where a `serve` has the data
//! folder, the files are queued in it, and that one sends them.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::messages::{Desk, failed};
use super::serve::{Asked, log, partners, settings_on};
use super::words::said;
use super::{Exit, Failure, Outcome};
use crate::clock::{Clock, System};
use crate::config::Config;
use crate::gateway::{Error, Gateway, Parcel, Sent, Until, became};
use crate::net;
use crate::partner::Partner;
use crate::store::{DATABASE, Kind, Memory, MessageDetail, MessageState, Sealed, Sqlite, Store};
use crate::x12::text;

/// How often the store of another process is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long a `serve` that has just begun may take to make its store.
const MAKING: Duration = Duration::from_secs(5);

/// See the command's help.
#[derive(clap::Args)]
pub(super) struct Send {
    /// The partner's name, as its file says it
    partner: String,
    /// X12 interchanges, each a message of its own; - is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Send all files as one message (multipart/related)
    #[arg(long)]
    together: bool,
    /// Wait until each message is settled, for so long at most, and not for its first try alone
    #[arg(long, value_name = "SECONDS", num_args = 0..=1)]
    wait: Option<Option<u64>>,
    /// Seal, show what would be sent, send nothing and keep nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Write every layer of the exchange into this folder
    #[arg(long, value_name = "DIR")]
    trace: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

impl Send {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        log("warn");
        self.readable()?;
        let config = self
            .asked
            .place
            .config(&[("TRANSLOAD_TRACE", &self.trace)])?;
        let runtime = Runtime::new().map_err(Failure::state)?;
        let ended = runtime.block_on(Box::pin(async {
            if self.dry_run {
                return self.rehearse(&config, out).await;
            }
            match Sqlite::open(&config.data) {
                Ok(store) => self.send(&config, Arc::new(store), out).await,
                Err(why) if why.kind() == Kind::Locked => self.queue(&config, out).await,
                Err(why) => Err(Failure::state(why)),
            }
        }));
        runtime.shutdown_background();
        ended
    }

    /// Sends by ourselves.
    async fn send(&self, config: &Config, store: Arc<dyn Store>, out: &mut dyn Write) -> Outcome {
        let gateway = Gateway::new(settings_on(config, || Ok(store))?).map_err(Failure::state)?;
        let partner = self.partner(config)?;
        let walking = gateway.start_queue();
        let sent = async {
            let mut ids = Vec::new();
            for parcel in self.parcels(&partner, gateway.store().spool())? {
                ids.push(gateway.send_parcel(parcel).await.map_err(told)?);
            }
            let mut all = Vec::new();
            for id in ids {
                let waiting = gateway.wait(id, self.until());
                all.push(match self.at_most() {
                    None => waiting.await,
                    Some(most) => match timeout(most, waiting).await {
                        Ok(sent) => sent,
                        Err(_) => gateway.wait(id, Until::Now).await,
                    },
                });
            }
            all.into_iter()
                .collect::<Result<Vec<Sent>, _>>()
                .map_err(failed)
        };
        let sent = sent.await;
        walking.stop().await;
        gateway.store().close().await.map_err(Failure::state)?;
        self.print_all(
            &sent?,
            &|detail| gateway.mdn(detail).map(|mdn| mdn.disposition.to_string()),
            out,
        )
    }

    /// Queues in the store of the `serve` that has it, and looks what that one makes of it.
    async fn queue(&self, config: &Config, out: &mut dyn Write) -> Outcome {
        // Who has the folder since a moment is making the store.
        let until = Instant::now() + MAKING;
        while !config.data.join(DATABASE).exists() && Instant::now() < until {
            sleep(LOOK).await;
        }
        let desk = Desk::beside(config)?;
        let partner = self.partner(config)?;
        let mut ids = Vec::new();
        for parcel in self.parcels(&partner, desk.store.spool())? {
            let drafted = desk.store.draft(parcel.draft(), System.now()).await;
            drafted.map_err(failed)?;
            ids.push(parcel.id());
        }
        let mut sent = Vec::new();
        for id in ids {
            let waiting = watch(&desk.store, id, self.until());
            let most = self.at_most().unwrap_or(Duration::MAX);
            sent.push(match timeout(most, waiting).await {
                Ok(sent) => sent?,
                Err(_) => watch(&desk.store, id, Until::Now).await?,
            });
        }
        self.print_all(&sent, &|detail| Some(detail.message.note.clone()), out)
    }

    /// Seals into memory, and shows it.
    async fn rehearse(&self, config: &Config, out: &mut dyn Write) -> Outcome {
        // No folder of the partner's is opened: a `serve` may have them.
        let scratch = std::env::temp_dir().join(format!("transload-{}", Uuid::now_v7()));
        let mut settings = settings_on(config, || Ok(Arc::new(Memory::default())))?;
        let mut partner = self.partner(config)?;
        let url = partner.as2.as_ref().map(|as2| as2.url.clone());
        let outbox = partner.folder.take().map(|folder| folder.outbox);
        settings.partners = crate::partner::Partners::new(vec![partner.clone()])
            .map_err(|why| Failure::state(why.to_string()))?;
        settings.bridge.clone_from(&scratch);
        let (Some(url), _) = (url, &outbox) else {
            let outbox = outbox.unwrap_or_default();
            let told = text!(
                "each file would be put into {folder}",
                folder = outbox.display().to_string()
            );
            writeln!(out, "{}", said(&told))?;
            return Ok(Exit::Clean);
        };
        let rehearsed = async {
            let gateway = Gateway::new(settings).map_err(Failure::state)?;
            for parcel in self.parcels(&partner, gateway.store().spool())? {
                let sealed = gateway.rehearse(&parcel).await.map_err(told)?;
                self.show(&url, &sealed, out)?;
            }
            Ok(Exit::Clean)
        };
        let rehearsed = rehearsed.await;
        let _ = std::fs::remove_dir_all(&scratch);
        rehearsed
    }

    fn show(&self, url: &str, sealed: &Sealed, out: &mut dyn Write) -> Result<(), Failure> {
        if self.asked.json {
            let line = json!({
                "partner": self.partner,
                "url": url,
                "headers": sealed.headers,
                "body_bytes": sealed.body.len(),
                "mic": sealed.mic,
                "note": sealed.note,
                "sent": false,
            });
            return Ok(writeln!(out, "{line}")?);
        }
        writeln!(out, "POST {url}")?;
        for (name, value) in &sealed.headers {
            writeln!(out, "{name}: {value}")?;
        }
        let mic = sealed.mic.as_deref().unwrap_or("-");
        let told = text!(
            "{bytes} bytes ({protection}), MIC {mic}; nothing was sent",
            bytes = sealed.body.len().to_string(),
            protection = sealed.note.clone(),
            mic = mic.to_owned(),
        );
        Ok(writeln!(out, "\n{}", said(&told))?)
    }

    fn partner(&self, config: &Config) -> Result<Partner, Failure> {
        let partners = partners(config)?;
        let found = partners.iter().find(|partner| partner.name == self.partner);
        found
            .cloned()
            .ok_or_else(|| told(Error::NoPartner(self.partner.clone())))
    }

    fn parcels(&self, partner: &Partner, spool: &Path) -> Result<Vec<Parcel>, Failure> {
        let unread = |file: &Path, why: &dyn std::fmt::Display| {
            Failure::usage(format!("{}: {why}", file.display()))
        };
        if !self.together {
            let parcel = |file: &PathBuf| {
                let source = source(file)?;
                let parcel = Parcel::file(partner, source, spool);
                parcel.map_err(|why| match why {
                    Error::NotSendable(why) => unread(file, &why),
                    other => told(other),
                })
            };
            return self.files.iter().map(parcel).collect();
        }
        let read = |file: &PathBuf| {
            let mut bytes = Vec::new();
            let read = source(file)?.read_to_end(&mut bytes);
            read.map_err(|why| unread(file, &why))?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            Ok((name.into_owned(), bytes))
        };
        let files = self
            .files
            .iter()
            .map(read)
            .collect::<Result<_, Failure>>()?;
        let parcel = Parcel::together(partner, files, spool, &mut net::entropy);
        Ok(vec![parcel.map_err(told)?])
    }

    fn readable(&self) -> Result<(), Failure> {
        let files = self.files.iter().filter(|file| file.as_os_str() != "-");
        files
            .map(PathBuf::as_path)
            .try_for_each(|file| source(file).map(drop))
    }

    fn until(&self) -> Until {
        match self.wait {
            Some(_) => Until::Settled,
            None => Until::Tried,
        }
    }

    /// How long it is waited for at most: for ever, where nothing is said.
    fn at_most(&self) -> Option<Duration> {
        self.wait.flatten().map(Duration::from_secs)
    }

    fn print_all(
        &self,
        sent: &[Sent],
        disposition: &dyn Fn(&MessageDetail) -> Option<String>,
        out: &mut dyn Write,
    ) -> Outcome {
        let mut worst = Exit::Clean;
        for sent in sent {
            worst = worst.max(self.print(sent, disposition, out)?);
        }
        Ok(worst)
    }

    fn print(
        &self,
        sent: &Sent,
        disposition: &dyn Fn(&MessageDetail) -> Option<String>,
        out: &mut dyn Write,
    ) -> Outcome {
        let (exit, line) = match sent {
            Sent::Held(why) => (Exit::Findings, json!({ "state": "held", "note": why })),
            Sent::Message(detail) => {
                let exit = match detail.message.state {
                    MessageState::Confirmed => Exit::Clean,
                    MessageState::Refused => Exit::Findings,
                    _ => Exit::Network,
                };
                (exit, self.line(detail, disposition(detail)))
            }
        };
        if self.asked.json {
            writeln!(out, "{line}")?;
            return Ok(exit);
        }
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        writeln!(
            out,
            "{} to {}: {}",
            text(&line["message_id"]),
            self.partner,
            text(&line["state"])
        )?;
        for (name, value) in [
            ("disposition", &line["disposition"]),
            ("our MIC", &line["mic"]["ours"]),
            ("their MIC", &line["mic"]["theirs"]),
            ("note", &line["note"]),
        ] {
            writeln!(out, "  {name:<12}{}", text(value))?;
        }
        Ok(exit)
    }

    fn line(&self, detail: &MessageDetail, disposition: Option<String>) -> Value {
        let message = &detail.message;
        let last = detail.events.iter().rfind(|event| event.what == "retry");
        let note = match (&last, message.state) {
            (_, MessageState::Sent) => format!("{}; serve will try again", message.note),
            (Some(retry), MessageState::Sealed) => {
                format!("{}; serve will try again", retry.detail)
            }
            _ => message.note.clone(),
        };
        let settled = matches!(
            message.state,
            MessageState::Confirmed | MessageState::Refused
        );
        json!({
            "partner": self.partner,
            "id": message.id.to_string(),
            "message_id": format!("<{}>", message.key.message_id),
            "state": message.state.as_str(),
            "disposition": disposition.filter(|_| settled || detail.answer.is_some()),
            "mic": {
                "ours": message.mic,
                "theirs": detail.answer.as_ref().and_then(|answer| mic(&answer.body)),
            },
            "note": note,
        })
    }
}

/// The MIC that a receipt names.
fn mic(receipt: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(receipt);
    let mut lines = text.lines();
    let line = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("Received-Content-MIC")
            .then(|| value.trim().to_owned())
    })?;
    crate::as2::Mic::parse(&line).map(|mic| mic.to_string())
}

/// Looks until there is an outcome. Another process brings it about.
async fn watch(store: &Arc<Sqlite>, document: Uuid, until: Until) -> Result<Sent, Failure> {
    loop {
        if let Some(sent) = became(&**store, document, until).await.map_err(failed)? {
            return Ok(sent);
        }
        sleep(LOOK).await;
    }
}

fn source(file: &Path) -> Result<Box<dyn Read + std::marker::Send>, Failure> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin()));
    }
    let opened = std::fs::File::open(file);
    let opened = opened.map_err(|why| Failure::usage(format!("{}: {why}", file.display())))?;
    Ok(Box::new(opened))
}

fn told(why: Error) -> Failure {
    match why {
        Error::NoPartner(_) | Error::NotSendable(_) => Failure::usage(why),
        _ => Failure::state(why),
    }
}
