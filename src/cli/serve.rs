//! `transload serve`: the gateway, from its settings to its last answer.
//!
//! stderr has the addresses and the log; with `--json`, stdout has one line with the addresses
//! once both are bound. SIGTERM or SIGINT ends it: no new connection, then the answers and steps
//! in flight, 30 s at most. A second signal ends it at once, and loses nothing that was answered
//! for.
//!
//! Guides and partner files that change while it runs are taken over: see `reload`. SIGHUP looks at
//! once.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::acme::Authorized;
use super::doctor;
use super::files::library;
use super::reload;
use super::{Exit, Failure, Outcome};
use crate::as2;
use crate::config::{self, Config, Setting};
use crate::gateway::{self, Gateway, Settings};
use crate::net::tls::Server;
use crate::partner::{self, Partners};
use crate::store::{self, Sqlite, Store};
use crate::web::{self, Believed, Listeners};

/// The settings file that is read where none is named and this one exists.
const FILE: &str = "transload.toml";
/// The variable that says what is logged, as `info` or `transload=debug`.
const LOG: &str = "TRANSLOAD_LOG";
/// Between two looks at whether the store still stands.
const LOOK: Duration = Duration::from_secs(1);
/// How long requests in flight are answered after it has failed.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Where the settings are: what `serve` and `send` share.
#[derive(clap::Args)]
pub(super) struct Place {
    /// The settings file; transload.toml where it exists, and else none
    #[arg(long, value_name = "FILE", env = "TRANSLOAD_CONFIG")]
    config: Option<PathBuf>,
    /// The folder of the store
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Where the settings are, and how the result is told.
#[derive(clap::Args)]
pub(super) struct Asked {
    #[command(flatten)]
    pub(super) place: Place,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
}

/// See the command's help.
#[derive(clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    place: Place,
    /// Where partners post to; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    as2_listen: Option<String>,
    /// Where operators look; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// Write every layer of every exchange into this folder
    #[arg(long, value_name = "DIR")]
    trace: Option<String>,
    /// Print the addresses as JSON once they are bound
    #[arg(long)]
    json: bool,
}

impl Place {
    /// The settings: flag over environment over file over default.
    pub(super) fn config(&self, flags: &[(&str, &Option<String>)]) -> Result<Config, Failure> {
        let (text, name) = self.file()?;
        let env = |wanted: &str| self.variable(wanted, flags);
        Config::parse(&text, &name, &env).map_err(Failure::state)
    }

    /// The same, one by one, with where each comes from.
    pub(super) fn settings(&self) -> Result<Vec<Setting>, Failure> {
        let (text, name) = self.file()?;
        let env = |wanted: &str| self.variable(wanted, &[]).filter(|_| !wanted.is_empty());
        let flag = |wanted: &str| {
            let data = wanted == "TRANSLOAD_DATA" && self.data.is_some();
            data.then(|| "--data".to_owned())
        };
        Config::settings(&text, &name, &env, &flag).map_err(Failure::state)
    }

    /// The settings file's text and name; no text where there is no file.
    pub(super) fn file(&self) -> Result<(String, String), Failure> {
        let default = Path::new(FILE);
        let file = match &self.config {
            Some(file) => Some(file.as_path()),
            None => default.exists().then_some(default),
        };
        let text = match file {
            Some(file) => fs::read_to_string(file)
                .map_err(|why| Failure::state(format!("{}: {why}", file.display())))?,
            None => String::new(),
        };
        let name = file.unwrap_or(default).to_string_lossy().into_owned();
        Ok((text, name))
    }

    fn variable(&self, wanted: &str, flags: &[(&str, &Option<String>)]) -> Option<String> {
        let mut flags = flags.iter().filter(|(name, _)| *name == wanted);
        let flag = flags.find_map(|(_, value)| (*value).clone());
        let data = self.data.as_ref().filter(|_| wanted == "TRANSLOAD_DATA");
        flag.or_else(|| data.map(|folder| folder.to_string_lossy().into_owned()))
            .or_else(|| std::env::var(wanted).ok())
    }
}

/// A gateway's settings with all files read and the store open. Everything that can be wrong with
/// them is told here.
pub(super) fn settings(config: &Config) -> Result<Settings, Failure> {
    settings_on(config, || {
        let store = Sqlite::open(&config.data).map_err(Failure::state)?;
        Ok(Arc::new(store))
    })
}

/// The partner files of the settings.
pub(super) fn partners(config: &Config) -> Result<Partners, Failure> {
    if !config.partners.exists() {
        return Ok(Partners::default());
    }
    partner::load(&config.partners).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::state(lines.join("\n"))
    })
}

/// The same with another store, which is opened last.
pub(super) fn settings_on(
    config: &Config,
    open: impl FnOnce() -> Result<Arc<dyn Store>, Failure>,
) -> Result<Settings, Failure> {
    let partners = partners(config)?;
    let library = library(config.mappings.iter().cloned())
        .map_err(|why| Failure::state(format!("guides: {why}")))?;
    let identities = config.identity.iter().map(identity);
    let identities = identities.collect::<Result<_, _>>()?;
    let proxy = config.proxy.as_ref().map(gateway::proxy);
    let trace = config.trace.folder.as_deref().map(|folder| {
        let trace = gateway::Trace::new(folder, config.trace.max);
        trace.map_err(|why| Failure::state(format!("{}: {why}", folder.display())))
    });
    Ok(Settings {
        library,
        trace: trace.transpose()?,
        identities,
        keys: Some(config.keys.clone()),
        limits: config.gateway_limits(),
        receipt_url: config.receipt_url().cloned(),
        proxy: proxy.transpose().map_err(Failure::state)?,
        tell_strangers: config.as2.tell_strangers,
        ..Settings::new(open()?, partners, &config.bridge.folder)
    })
}

/// Our key and certificate.
pub(super) fn identity(own: &config::Identity) -> Result<as2::Identity, Failure> {
    let told = |path: &Path, why: &dyn std::fmt::Display| {
        Failure::state(format!("{}: {why}", path.display()))
    };
    let credential = own.password_credential.as_deref().map(|name| {
        partner::keys::credential(name).ok_or_else(|| {
            Failure::state(format!(
                "systemd passes no credential {name}; name it in LoadCredential= of the service"
            ))
        })
    });
    let password = match (&own.password_file, &own.password_env, credential) {
        (Some(file), ..) => fs::read_to_string(file).map_err(|why| told(file, &why))?,
        (_, Some(name), _) => std::env::var(name)
            .map_err(|_| Failure::state(format!("the variable {name} has no password in it")))?,
        (_, _, Some(file)) => {
            let file = file?;
            fs::read_to_string(&file).map_err(|why| told(&file, &why))?
        }
        (None, None, None) => String::new(),
    };
    let der = fs::read(&own.p12).map_err(|why| told(&own.p12, &why))?;
    as2::Identity::from_pkcs12(&der, password.trim_end_matches(['\r', '\n']))
        .map_err(|why| told(&own.p12, &why))
}

/// What the AS2 listener shows.
fn tls(own: &config::Tls) -> Result<Server, Failure> {
    let (der, password) = key(own).map_err(Failure::state)?;
    let server = Server::from_pkcs12(&der, &password, own.clients);
    server.map_err(|why| Failure::state(format!("{}: {why}", own.p12.display())))
}

/// The PKCS#12 file and its password.
pub(super) fn key(own: &config::Tls) -> Result<(Vec<u8>, String), String> {
    let password = gateway::secret(own.password_file.as_deref(), own.password_env.as_deref())?;
    let der = fs::read(&own.p12).map_err(|why| format!("{}: {why}", own.p12.display()))?;
    Ok((der, password))
}

/// Logs to stderr: what, and message ids; never content.
pub(super) fn log(usual: &str) {
    let usual = super::manners().level.unwrap_or(usual);
    let wanted = std::env::var(LOG).unwrap_or_else(|_| usual.to_owned());
    let filter = tracing_subscriber::EnvFilter::try_new(&wanted)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // What cannot be logged is not told on stderr either: that is where the log goes.
        .log_internal_errors(false)
        .finish();
    // A second one in the same process keeps the first.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

impl Serve {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        log("info");
        let config = self.place.config(&[
            ("TRANSLOAD_AS2_LISTEN", &self.as2_listen),
            ("TRANSLOAD_ADMIN_LISTEN", &self.admin_listen),
            ("TRANSLOAD_TRACE", &self.trace),
        ])?;
        let runtime = Runtime::new().map_err(Failure::state)?;
        let ended = runtime.block_on(Box::pin(self.serve(&config, out)));
        // Whatever still blocks a thread was given its time.
        runtime.shutdown_background();
        ended
    }

    /// Opens the store before it listens: who can reach us finds one.
    async fn serve(&self, config: &Config, out: &mut dyn Write) -> Outcome {
        let mut ends = Ends::watch()?;
        doctor::at_start(config)?;
        let gateway = Gateway::new(settings(config)?).map_err(Failure::state)?;
        let mut listeners = Listeners::bind(config.as2.listen, config.admin.listen)
            .await
            .map_err(|why| Failure::state(format!("cannot listen on {why}")))?;
        listeners.path.clone_from(&config.as2.path);
        listeners.limits = config.serve_limits();
        listeners.believed = Believed {
            proxies: config.as2.trusted_proxies.clone(),
            certificate: config.as2.client_certificate_header.clone(),
        };
        let acme = Authorized::bind(config).await?;
        let tls = match (&acme, &config.as2.tls) {
            (Some(acme), _) => Some(acme.keeper.server()?),
            (None, own) => own.as_ref().map(tls).transpose()?,
        };
        let tls = tls.map(Arc::new);
        listeners.tls.clone_from(&tls);
        listeners.issued = acme.is_some();
        let spool = config.data.join("spool");
        let running = web::run(gateway, listeners, spool).map_err(Failure::state)?;
        let watching = reload::watch(Arc::clone(&running.gateway), tls.clone(), config.clone());
        let watching = tokio::spawn(watching.map_err(Failure::state)?);
        let asked = acme.as_ref().map(|acme| acme.address.to_string());
        let ordering = acme
            .zip(tls.clone())
            .map(|(acme, tls)| tokio::spawn(acme.keep(tls, Arc::clone(&running.gateway))));
        let (as2, admin, path) = (running.as2, running.admin, &config.as2.path);
        let scheme = if tls.is_some() { "https" } else { "http" };
        tell(format_args!(
            "transload: partners post to {scheme}://{as2}{path}, operators look at http://{admin}"
        ));
        let clear = tls.is_none() && config.as2.trusted_proxies.is_empty();
        if clear && !as2.ip().is_loopback() {
            tell(format_args!(
                "transload: what partners post comes by plain HTTP; set as2.tls, or list the \
                 reverse proxy that speaks TLS in as2.trusted_proxies"
            ));
        }
        if self.json {
            let (as2, admin) = (as2.to_string(), admin.to_string());
            let mut line = json!({ "as2": as2, "admin": admin, "path": path, "scheme": scheme });
            if let Some(asked) = asked {
                line["acme"] = asked.into();
            }
            writeln!(out, "{line}")?;
            out.flush()?;
        }
        let broken = tokio::select! {
            () = ends.next() => None,
            why = broken(running.gateway.store().as_ref()) => Some(why),
        };
        watching.abort();
        ordering.iter().for_each(JoinHandle::abort);
        if let Some(why) = broken {
            // Who asks now gets a 503, for a moment; nothing is written any more.
            sleep(LAST_WORDS).await;
            return Err(Failure::broken(why));
        }
        tell(format_args!(
            "transload: stopping; a second signal stops at once"
        ));
        tokio::select! {
            stopped = running.stop() => stopped.map_err(Failure::state)?,
            () = ends.next() => tell(format_args!("transload: stopped at once")),
        }
        Ok(Exit::Clean)
    }
}

/// Says something on stderr, if that can be written to: a log whose disk is full stops nobody.
fn tell(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Waits until the store has failed, and says why.
async fn broken(store: &dyn Store) -> store::Error {
    loop {
        match store.ready().await {
            Err(why) if why.kind() == store::Kind::Failed => return why,
            _ => sleep(LOOK).await,
        }
    }
}

/// The signals that end us.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    fn watch() -> Result<Ends, Failure> {
        let watch = |kind| signal(kind).map_err(Failure::state);
        Ok(Ends {
            terminate: watch(SignalKind::terminate())?,
            interrupt: watch(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
