//! The listener's certificate from an authority, for `serve`: ordered where there is none, renewed
//! ahead of its end, shown to who connects from then on.
//!
//! ```text
//! keys/tls/edi.p12             the key and its chain, under the password
//! keys/tls/edi.password        its password; made where it is missing
//! keys/tls/edi.account         our account at the authority; its key is under the same password
//! ```
//!
//! Until the first one is issued, the listener shows a certificate that nobody vouches for: whoever
//! checks it does not connect, and tries again.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::Failure;
use super::cert::fresh;
use crate::as2::Identity;
use crate::config::{self, Config};
use crate::gateway::{self, Gateway};
use crate::net::acme::{self, Authority, Challenges, Standing};
use crate::net::client::{self, Client, Trust, Way};
use crate::net::tls::{Clients, Server};
use crate::partner::keys;

/// How often it is looked whether another certificate is due.
const LOOK: Duration = Duration::from_secs(3600);
/// The first wait after an order failed; each further one is twice as long. Authorities allow a
/// few failures an hour.
const AGAIN: Duration = Duration::from_secs(15 * 60);
/// The longest such wait: there are weeks left when the first order fails.
const AGAIN_CAP: Duration = Duration::from_secs(12 * 3600);
/// Characters of a common name.
const COMMON_NAME: usize = 64;

/// Keeps one certificate.
pub(super) struct Keeper {
    p12: PathBuf,
    password: String,
    names: Vec<String>,
    authority: Authority,
    client: Arc<Client>,
    challenges: Challenges,
    clients: Clients,
}

impl Keeper {
    /// Reads what the settings name, and makes a password where there is none yet.
    pub(super) fn new(
        config: &Config,
        own: &config::Tls,
        wish: &config::Acme,
    ) -> Result<Keeper, Failure> {
        if let Some(file) = own.password_file.as_ref().filter(|file| !file.exists()) {
            let word = format!("{}\n", fresh());
            put(file, word.as_bytes()).map_err(|why| unwritten(file, &why))?;
        }
        let password = gateway::secret(own.password_file.as_deref(), own.password_env.as_deref());
        let external = wish.external.as_ref().map(|known| {
            let file = &known.key_file;
            let told =
                |why: &dyn std::fmt::Display| Failure::state(format!("{}: {why}", file.display()));
            let text = fs::read_to_string(file).map_err(|why| told(&why))?;
            let key = acme::external_key(&text).map_err(|why| told(&why))?;
            Ok::<_, Failure>((known.id.clone(), key))
        });
        let proxy = config.proxy.as_ref().map(gateway::proxy).transpose();
        let way = Way {
            trust: trust(&wish.server_certificates)?,
            proxy: proxy.map_err(Failure::state)?,
            ..Way::default()
        };
        Ok(Keeper {
            p12: own.p12.clone(),
            password: password.map_err(Failure::state)?,
            names: wish.domains.clone(),
            authority: Authority {
                directory: wish.directory.clone(),
                contact: wish.contact.clone(),
                external: external.transpose()?,
            },
            client: Arc::new(Client::by(way, client::Limits::default())),
            challenges: Challenges::default(),
            clients: own.clients,
        })
    }

    /// What the listener shows to begin with: what was issued before, or what nobody vouches for.
    pub(super) fn server(&self) -> Result<Server, Failure> {
        let internal =
            |why: &dyn std::fmt::Display| Failure::state(format!("{}: {why}", self.p12.display()));
        let der = match fs::read(&self.p12) {
            Ok(der) => der,
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                let now = Utc::now();
                let (from, to) = (now - TimeDelta::hours(1), now + TimeDelta::days(7));
                let name = self.names[0].get(..COMMON_NAME).unwrap_or(&self.names[0]);
                let own = Identity::generate(name, 1, from, to).map_err(|why| internal(&why))?;
                let der = own.to_pkcs12("edi", &self.password);
                der.map_err(|why| internal(&why))?
            }
            Err(why) => return Err(internal(&why)),
        };
        let server = Server::from_pkcs12(&der, &self.password, self.clients);
        server.map_err(|why| internal(&why))
    }

    /// Answers the authority and orders what is due, until it is aborted.
    pub(super) async fn keep(
        self,
        listener: TcpListener,
        server: Arc<Server>,
        now: impl Fn() -> DateTime<Utc> + Send,
    ) {
        let answering = acme::listen(listener, self.challenges.clone(), std::future::pending());
        let looking = async {
            let mut failed = 0;
            loop {
                let wait = match self.look(&server, now()).await {
                    Ok(()) => {
                        failed = 0;
                        LOOK
                    }
                    Err(why) => {
                        failed += 1;
                        let wait = again(failed);
                        let (names, again) = (self.names.join(", "), wait.as_secs());
                        tracing::error!(names, why, again, "no certificate from the authority");
                        wait
                    }
                };
                sleep(wait).await;
            }
        };
        tokio::join!(answering, looking);
    }

    /// Orders a certificate where one is due, keeps it, and shows it.
    async fn look(&self, server: &Server, now: DateTime<Utc>) -> Result<(), String> {
        let told = |why: &dyn std::fmt::Display| format!("{}: {why}", self.p12.display());
        match fs::read(&self.p12) {
            Ok(der) => {
                let standing = Standing::of(&der, &self.password).map_err(|why| told(&why))?;
                if !standing.due(&self.names, now) {
                    return Ok(());
                }
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(told(&why)),
        }
        let account = self.account().await?;
        let (client, password) = (&self.client, &self.password);
        let order = acme::order(client, &account, &self.names, password, &self.challenges);
        let der = order.await.map_err(|why| why.to_string())?;
        put(&self.p12, &der).map_err(|why| told(&why))?;
        server.replace(&der, password).map_err(|why| told(&why))?;
        let until = Standing::of(&der, password).map(|own| own.until);
        let until = until.map_err(|why| told(&why))?;
        let names = self.names.join(", ");
        tracing::info!(names, %until, fingerprint = server.fingerprint(), "the authority issued a certificate");
        Ok(())
    }

    /// Our account, opened where there is none yet.
    async fn account(&self) -> Result<Vec<u8>, String> {
        let file = self.p12.with_extension("account");
        match fs::read(&file) {
            Ok(known) if acme::is_at(&known, &self.authority.directory) => return Ok(known),
            Ok(_) => {}
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(format!("{}: {why}", file.display())),
        }
        let made = acme::enrol(&self.client, &self.authority, &self.password).await;
        let made = made.map_err(|why| why.to_string())?;
        put(&file, &made).map_err(|why| format!("{}: {why}", file.display()))?;
        tracing::info!(
            directory = self.authority.directory,
            "an account at the authority"
        );
        Ok(made)
    }
}

/// The same, once its port is bound.
pub(super) struct Authorized {
    pub(super) keeper: Keeper,
    pub(super) address: SocketAddr,
    listener: TcpListener,
}

impl Authorized {
    /// Where the settings name an authority.
    pub(super) async fn bind(config: &Config) -> Result<Option<Authorized>, Failure> {
        let own = config.as2.tls.as_ref();
        let Some((own, wish)) = own.and_then(|own| Some((own, own.acme.as_ref()?))) else {
            return Ok(None);
        };
        let told = |why: io::Error| {
            let place = wish.listen;
            Failure::state(format!(
                "cannot listen on {place}, where the authority asks (as2.tls.acme.listen): {why}"
            ))
        };
        let listener = TcpListener::bind(wish.listen).await.map_err(told)?;
        Ok(Some(Authorized {
            keeper: Keeper::new(config, own, wish)?,
            address: listener.local_addr().map_err(told)?,
            listener,
        }))
    }

    /// See [`Keeper::keep`]; `gateway` says what time it is.
    pub(super) async fn keep(self, server: Arc<Server>, gateway: Arc<Gateway>) {
        let now = move || gateway.now();
        self.keeper.keep(self.listener, server, now).await;
    }
}

/// The wait after so many failures in a row.
fn again(failed: u32) -> Duration {
    let doubled = AGAIN * (1 << failed.saturating_sub(1).min(10));
    doubled.min(AGAIN_CAP)
}

fn trust(files: &[PathBuf]) -> Result<Trust, Failure> {
    let mut all = Vec::new();
    for file in files {
        let pem = fs::read(file).map_err(|why| unread(file, &why))?;
        all.extend(pem);
    }
    Ok(match files {
        [] => Trust::System,
        _ => Trust::Only(all),
    })
}

/// Writes a file that we alone may read, in a folder that is made.
fn put(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    keys::write_secret(file, bytes)
}

fn unread(file: &Path, why: &io::Error) -> Failure {
    Failure::state(format!("{}: {why}", file.display()))
}

fn unwritten(file: &Path, why: &io::Error) -> Failure {
    Failure::state(format!("cannot write {}: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let minutes = [1, 2, 3, 6, 7, 99].map(|n| again(n).as_secs() / 60);
        assert_eq!(minutes, [15, 30, 60, 480, 720, 720]);
    }
}
