//! Keys and certificates as the walks use them: what opens and what seals at a time, who was seen
//! with which, and what soon ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Error, Gateway, Settings, route};
use crate::as2::{self, Certificate, Identity};
use crate::net::tls::Server;
use crate::partner::expiry::{Standing, Warned, standing};
use crate::partner::keyring::{Dated, Use, accepted, in_force, listed};
use crate::partner::keys::{self, Keys};
use crate::store::{self, Seen};

/// How often it is written down that a certificate is still in use: a row an hour, not a row a
/// message.
pub const NOTED_EVERY: TimeDelta = TimeDelta::hours(1);
/// Our keys and one partner's certificates, with their dates.
pub(super) struct Ring {
    pub(super) ours: Arc<Vec<Dated<Identity>>>,
    pub(super) theirs: Vec<Dated<Certificate>>,
}

impl Ring {
    /// What opens a message or a receipt. Certificates of theirs that have expired are among them:
    /// who verifies says so.
    pub(super) fn opening(&self, at: DateTime<Utc>) -> as2::Keys {
        as2::Keys {
            ours: items(accepted(&self.ours, Use::Decrypt, at)),
            theirs: items(listed(&self.theirs, Use::Verify, at)),
        }
    }

    /// What seals a message, and signs a receipt: the newest first.
    pub(super) fn sealing(&self, at: DateTime<Utc>) -> as2::Keys {
        as2::Keys {
            ours: items(in_force(&self.ours, Use::Sign, at)),
            theirs: items(in_force(&self.theirs, Use::Encrypt, at)),
        }
    }

    /// What their server may show.
    pub(super) fn servers(&self, at: DateTime<Utc>) -> Vec<&Certificate> {
        let servers = accepted(&self.theirs, Use::Tls, at);
        servers.into_iter().map(|one| &one.item).collect()
    }
}

fn items<T: Clone>(dated: Vec<&Dated<T>>) -> Vec<T> {
    dated.into_iter().map(|one| one.item.clone()).collect()
}

/// Every key of ours and every certificate of a partner, whatever its dates: for looking back.
/// Blocks.
///
/// # Errors
/// [`Error::Keys`], [`Error::Certificate`].
pub fn of_all_times(settings: &Settings, partner: &str) -> Result<as2::Keys, Error> {
    let held = settings.keys.as_deref();
    let held = held.map_or_else(|| Ok(Keys::default()), keys::load)?;
    let first = settings.identities.iter().cloned();
    let ours = first.chain(held.ours.iter().map(|own| own.dated.item.clone()));
    let known = settings.partners.iter().find(|known| known.name == partner);
    let theirs = known.map_or_else(|| Ok(Vec::new()), |known| route::certificates(known, &held))?;
    Ok(as2::Keys {
        ours: ours.collect(),
        theirs: theirs.into_iter().map(|one| one.item).collect(),
    })
}

/// When each use was last written down.
#[derive(Default)]
pub(super) struct Noted(Mutex<HashMap<(String, String, String), DateTime<Utc>>>);

impl Noted {
    /// Those that were not written down for an hour.
    fn due(&self, seen: Vec<Seen>) -> Vec<Seen> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = |one: &Seen| {
            let key = (
                one.partner.clone(),
                one.purpose.clone(),
                one.fingerprint.clone(),
            );
            let last = noted.insert(key.clone(), one.at);
            match last {
                Some(last) if (one.at - last).abs() < NOTED_EVERY => {
                    noted.insert(key, last);
                    false
                }
                _ => true,
            }
        };
        seen.into_iter().filter(due).collect()
    }
}

impl Gateway {
    /// What time it is for this gateway.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Every certificate in use with its end: ours first, then each partner's.
    #[must_use]
    pub fn certificates(&self) -> Vec<Standing> {
        let agreed = self.agreed();
        let mut all = standing(&agreed.ours, None, |own| &own.certificate);
        all.extend(self.listener().filter(|shown| {
            let mut known = all.iter();
            known.all(|own| own.fingerprint != shown.fingerprint)
        }));
        for known in &agreed.partnerships {
            let name = Some(known.partner.name.as_str());
            all.extend(standing(&known.keys.theirs, name, |one| one));
        }
        all
    }

    /// What our listener shows is looked at with the other certificates from here on. What an
    /// authority renews (`issued`) is no concern of anybody's while it does.
    pub fn listens_with(&self, server: Arc<Server>, issued: bool) {
        // A gateway has one listener; a second word changes nothing.
        let _ = self.listener.set((server, issued));
    }

    fn listener(&self) -> Option<Standing> {
        let (server, issued) = self.listener.get()?;
        let ((from, until), now) = (server.validity(), self.now());
        Some(Standing {
            partner: None,
            uses: vec![Use::Tls],
            subject: "the AS2 listener".to_owned(),
            fingerprint: server.fingerprint(),
            from: Some(from),
            until,
            // It is renewed when a third of its time is left: half of that later it was not.
            followed: *issued && until - now > (until - from) / 6,
        })
    }

    /// Shows who connects from here on the newest TLS key of the folder of keys; `false` where there
    /// is none, and what is shown stays.
    ///
    /// # Errors
    /// What OpenSSL cannot use.
    pub fn show_tls(&self, server: &Server) -> Result<bool, String> {
        let (agreed, now) = (self.agreed(), self.clock.now());
        let newest = in_force(&agreed.ours, Use::Tls, now).into_iter().next();
        let Some(Dated { item: own, .. }) = newest else {
            return Ok(false);
        };
        let fingerprint = own.certificate.fingerprint();
        if server.fingerprint() != fingerprint {
            // From one room to the other, in memory: the password protects nothing.
            let der = own.to_pkcs12("tls", "tls").map_err(|why| why.to_string())?;
            server.replace(&der, "tls").map_err(|why| why.to_string())?;
            tracing::info!(fingerprint, "another TLS certificate");
        }
        Ok(true)
    }

    /// Says in the log which certificates soon end, each once a threshold.
    pub fn warn(&self, warned: &mut Warned) {
        let (all, now) = (self.certificates(), self.clock.now());
        for (one, days) in warned.due(&all, now) {
            let whose = one.partner.as_deref().unwrap_or("ours");
            let uses: Vec<&str> = one.uses.iter().map(|purpose| purpose.as_str()).collect();
            let (uses, fingerprint, until) = (uses.join(", "), &one.fingerprint, one.until);
            match one.until < now {
                true => {
                    tracing::error!(whose, uses, days, %until, fingerprint, "a certificate has expired")
                }
                false => {
                    tracing::warn!(whose, uses, days, %until, fingerprint, "a certificate soon expires")
                }
            }
        }
    }

    /// Writes down which certificates a partner was seen with, once an hour each.
    pub(super) async fn note(
        &self,
        partner: &str,
        seen: Vec<(Use, String)>,
        at: DateTime<Utc>,
    ) -> Result<(), store::Error> {
        let whole = |(purpose, fingerprint): (Use, String)| Seen {
            partner: partner.to_owned(),
            purpose: purpose.as_str().to_owned(),
            fingerprint,
            at,
        };
        let due = self.noted.due(seen.into_iter().map(whole).collect());
        match due.is_empty() {
            true => Ok(()),
            false => self.store.seen(due).await,
        }
    }

    /// Writes down which certificate a partner signed a receipt with.
    pub(super) async fn note_signer(
        &self,
        partner: &str,
        signer: Option<String>,
        at: DateTime<Utc>,
    ) {
        let seen = signer.map(|signer| (Use::Verify, signer));
        if let Err(why) = self.note(partner, seen.into_iter().collect(), at).await {
            tracing::warn!(partner, %why, "cannot note which certificate signed a receipt");
        }
    }
}

/// Which of our keys and which of theirs a message was opened with.
pub(super) fn seen(opened: &as2::Opened) -> Vec<(Use, String)> {
    let signed = opened.secured.signed.as_ref();
    let encrypted = opened.secured.encrypted.as_ref();
    let signed = signed.map(|signed| (Use::Verify, signed.signer.clone()));
    let encrypted = encrypted.map(|encrypted| (Use::Decrypt, encrypted.recipient.clone()));
    signed.into_iter().chain(encrypted).collect()
}
