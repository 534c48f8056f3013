//! Guides, partner files and keys that change while `serve` runs: loaded, checked, compared, and taken over
//! all at once, or told and left alone.
//!
//! Folders are looked at, and not watched by the system: that works on every file system, a mounted
//! one too, and costs a few dozen `stat` calls. What is being written is taken once it rests. A
//! message that is under way goes on by the guides that it began with.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};

use super::files::{below, library};
use super::mappings::sentence;
use super::serve::key;
use crate::config::{self, Config};
use crate::gateway::{Gateway, Told};
use crate::mapping::{Fate, changed};
use crate::net::tls::Server;
use crate::partner::expiry::Warned;
use crate::partner::{self, Partners};

/// How often the folders are looked at: soon enough for somebody who waits for it.
const LOOK: Duration = Duration::from_secs(2);
/// After so many looks the ends of certificates are looked at: each minute.
const WARN: u32 = 30;
/// Folders below those of partners and guides that are looked into, as when they are loaded.
const DEPTH: usize = 3;
/// Differences of one guide that are logged; the rest is counted.
const LOGGED: usize = 20;

/// What tells a file from what it was: path, time and size.
type Stamp = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// Looks until it is aborted.
///
/// # Errors
/// Where SIGHUP cannot be listened to.
pub(super) fn watch(
    gateway: Arc<Gateway>,
    tls: Option<Arc<Server>>,
    config: Config,
) -> io::Result<impl Future<Output = ()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut taken = stamp(&config);
    let mut partners = partner::load(&config.partners).unwrap_or_default();
    // What an authority issues is shown, whatever key for TLS there is besides.
    let own = config.as2.tls.as_ref();
    let issued = own.is_some_and(|own| own.acme.is_some());
    Ok(async move {
        let (mut seen, mut looks) = (taken.clone(), 0_u32);
        let (mut warned, mut told) = (Warned::default(), Told::default());
        loop {
            // A switch is at a time, not at a change of files.
            if let Some(tls) = tls.as_ref().filter(|_| !issued)
                && let Err(why) = gateway.show_tls(tls)
            {
                tracing::error!(%why, "the TLS certificate in use stays in use");
            }
            if looks.is_multiple_of(WARN) {
                gateway.warn(&mut warned);
                told.tell(&gateway).await;
            }
            looks = looks.wrapping_add(1);
            let asked = tokio::select! {
                _ = hangup.recv() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let now = stamp(&config);
            let rests = now == seen;
            seen.clone_from(&now);
            if !(asked || rests && now != taken) {
                continue;
            }
            taken = now;
            let answering = Arc::clone(&gateway);
            let (gateway, tls, config, before) = (
                Arc::clone(&gateway),
                tls.clone(),
                config.clone(),
                partners.clone(),
            );
            let done = tokio::task::spawn_blocking(move || {
                // What is to be issued may not be there yet.
                let own = config.as2.tls.as_ref();
                let own = own.filter(|own| !issued || own.p12.exists());
                if let (Some(tls), Some(own)) = (&tls, own)
                    && (issued || !gateway.show_tls(tls).is_ok_and(|shown| shown))
                {
                    show(tls, own);
                }
                take(&gateway, &config, &before)
            });
            let done = done.await;
            match done {
                Ok(Some(now)) => {
                    partners = now;
                    if let Err(why) = answering.exchange().await {
                        tracing::error!(%why, "certificates cannot be answered for");
                    }
                }
                Ok(None) => tracing::error!("what was in use stays in use"),
                Err(why) => tracing::error!(%why, "looking at changed files panicked"),
            }
        }
    })
}

fn stamp(config: &Config) -> Stamp {
    let folders = config
        .mappings
        .iter()
        .chain([&config.partners, &config.keys]);
    let files = folders.flat_map(|folder: &PathBuf| below(folder, DEPTH).unwrap_or_default());
    let stamp = |path: PathBuf| {
        let data = std::fs::metadata(&path).ok();
        let time = data.as_ref().and_then(|data| data.modified().ok());
        (path, time, data.map_or(0, |data| data.len()))
    };
    let tls = config.as2.tls.iter();
    let tls = tls.flat_map(|own| std::iter::once(&own.p12).chain(&own.password_file).cloned());
    files
        .filter(|path| matters(path))
        .chain(tls)
        .map(stamp)
        .collect()
}

/// Shows who connects from here on what the file holds now.
fn show(tls: &Server, own: &config::Tls) {
    let before = tls.fingerprint();
    let taken = key(own).and_then(|(der, password)| {
        let replaced = tls.replace(&der, &password);
        replaced.map_err(|why| format!("{}: {why}", own.p12.display()))
    });
    match taken {
        Err(why) => tracing::error!(why, "the TLS certificate in use stays in use"),
        Ok(()) if tls.fingerprint() == before => {}
        Ok(()) => tracing::info!(fingerprint = tls.fingerprint(), "another TLS certificate"),
    }
}

/// A folder of partners may hold their inboxes: what comes and goes there is no setting.
fn matters(path: &Path) -> bool {
    let kinds = ["toml", "pem", "crt", "cer", "der", "p12", "password"];
    path.extension()
        .is_some_and(|kind| kinds.iter().any(|known| kind.eq_ignore_ascii_case(known)))
}

/// Takes over what the folders hold now; `None` where anything in them is wrong, which is logged.
fn take(gateway: &Gateway, config: &Config, before: &Partners) -> Option<Partners> {
    let loaded = library(config.mappings.iter().cloned());
    let guides = loaded.map_err(|why| tracing::error!(why, "the guides cannot be read"));
    let partners = partner::load(&config.partners).map_err(|errors| {
        for error in errors {
            tracing::error!(%error, "a partner file is wrong");
        }
    });
    let (guides, partners) = (guides.ok()?, partners.ok()?);
    let fates = changed(&gateway.library(), &guides);
    let mut sound = true;
    for (guide, fate) in &fates {
        let Fate::Broken(errors) = fate else { continue };
        sound = false;
        for error in errors {
            tracing::error!(guide, %error, "a guide is broken");
        }
    }
    if !sound {
        return None;
    }
    let agreed = gateway.agree(guides, &partners);
    agreed
        .map_err(|why| tracing::error!(%why, "the partners cannot be taken"))
        .ok()?;
    for (guide, fate) in &fates {
        told(guide, fate);
    }
    for partner in partners.iter() {
        match before.get(&partner.name) {
            None => tracing::info!(partner = partner.name, "a partner is new"),
            Some(known) if known != partner => {
                tracing::info!(partner = partner.name, "a partner file is changed");
            }
            Some(_) => {}
        }
    }
    for gone in before
        .iter()
        .filter(|known| partners.get(&known.name).is_none())
    {
        tracing::warn!(partner = gone.name, "a partner is gone");
    }
    tracing::info!(
        guides = fates.len(),
        "changed guides, partner files and keys are in use"
    );
    Some(partners)
}

fn told(guide: &str, fate: &Fate) {
    let changes = match fate {
        Fate::Added => return tracing::info!(guide, "a guide is new"),
        Fate::Removed => return tracing::warn!(guide, "a guide is gone"),
        Fate::Repaired => return tracing::info!(guide, "a guide is sound again"),
        Fate::Broken(_) => return,
        Fate::Changed(changes) => changes,
    };
    tracing::info!(guide, differences = changes.len(), "a guide is changed");
    for change in changes.iter().take(LOGGED) {
        let (place, element, how) = (&change.place, &change.element, sentence(change));
        tracing::info!(guide, place, element, how, "a difference");
    }
}
