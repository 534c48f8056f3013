//! `transload partner test`: where a connection fails, and the setting that would likely help.

use std::io::Write;

use chrono::Utc;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::cli::serve::{Place, identity};
use crate::cli::words::{plain, said, say};
use crate::cli::{Exit, Failure, Outcome};
use crate::config::Config;
use crate::gateway::{self, Stage, Trial, Verdict};
use crate::lang::pad;
use crate::net;
use crate::net::client::Way;
use crate::partner::keys;

/// Try the connection to a partner, stage by stage: settings, DNS, TCP, TLS, HTTP, AS2, MDN, MIC
///
/// A line of text is sent, which is no order whatever becomes of it; it is not stored, and `serve`
/// may run meanwhile. Exit code 1: it works, with warnings; 3: it does not; 4: our settings.
#[derive(clap::Args)]
pub(super) struct Test {
    /// The partner's name
    name: String,
    #[command(flatten)]
    place: Place,
    /// Print JSON, one object a stage
    #[arg(long)]
    json: bool,
}

impl Test {
    pub(super) fn run(self, out: &mut dyn Write) -> Outcome {
        let config = self.place.config(&[])?;
        let stages = self.stages(&config)?;
        let (tell, told) = std::sync::mpsc::channel();
        let mut exit = Exit::Clean;
        std::thread::scope(|scope| {
            scope.spawn(move || stages(&mut |stage| drop(tell.send(stage))));
            for stage in told {
                exit = exit.max(weight(&stage));
                self.print(&stage, out)?;
            }
            Ok::<_, Failure>(())
        })?;
        Ok(exit)
    }

    /// What goes through the stages, once all that it needs is read.
    fn stages(
        &self,
        config: &Config,
    ) -> Result<impl FnOnce(&mut (dyn FnMut(Stage) + Send)) + Send + use<>, Failure> {
        let partner = super::known(config, &self.name)?;
        let identities = config.identity.iter().map(identity);
        let identities = identities.collect::<Result<Vec<_>, _>>()?;
        let held = keys::load(&config.keys).map_err(Failure::state)?;
        let proxy = config.proxy.as_ref().map(gateway::proxy);
        let way = Way {
            proxy: proxy.transpose().map_err(Failure::state)?,
            ..Way::default()
        };
        let limits = config.gateway_limits().client;
        let runtime = Runtime::new().map_err(Failure::state)?;
        Ok(move |tell: &mut (dyn FnMut(Stage) + Send)| {
            let trial = Trial {
                partner: &partner,
                identities,
                keys: &held,
                way,
                limits,
                now: Utc::now,
                entropy: net::entropy,
            };
            runtime.block_on(Box::pin(trial.run(tell)));
        })
    }

    fn print(&self, stage: &Stage, out: &mut dyn Write) -> Result<(), Failure> {
        let millis = stage.took.as_secs_f64() * 1000.0;
        let name = stage.name;
        if self.json {
            let told = json!({
                "stage": name,
                "verdict": stage.verdict.as_str(),
                "millis": (millis * 10.0).round() / 10.0,
                "said": stage.said,
                "help": stage.help,
            });
            writeln!(out, "{told}")?;
        } else {
            let verdict = pad(word(stage.verdict), 8);
            let told = said(&stage.said);
            let told = plain(&told);
            writeln!(out, "{name:<9} {verdict} {millis:>8.1} ms  {told}")?;
            if let Some(help) = &stage.help {
                writeln!(out, "{:<31} {}", "", plain(&said(help)))?;
            }
        }
        out.flush()?;
        Ok(())
    }
}

/// How a stage ended, in the language that is spoken.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => say("ok"),
        Verdict::Warned => say("warning"),
        Verdict::Failed => say("failed"),
        Verdict::Skipped => "-",
    }
}

/// The exit code that a stage earns.
fn weight(stage: &Stage) -> Exit {
    match (stage.verdict, stage.name) {
        (Verdict::Passed | Verdict::Skipped, _) => Exit::Clean,
        (Verdict::Warned, _) => Exit::Findings,
        (Verdict::Failed, "settings") => Exit::State,
        (Verdict::Failed, _) => Exit::Network,
    }
}
