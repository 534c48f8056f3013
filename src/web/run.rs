//! A gateway behind its two listeners: all of it, from start to stop.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::as2::{Answer, Arrival, Settings};
use super::forwarded::Believed;
use super::strangers::Strangers;
use super::{admin, alerts, as2, certificates};
use crate::gateway::{Gateway, Walking};
use crate::net::serve::Limits;
use crate::net::tls::Server;
use crate::net::transfer::Transfers;
use crate::store;

/// The sockets of a gateway, bound before it is made: so that partners who run in one process can
/// know each other's ports.
#[derive(Debug)]
pub struct Listeners {
    /// For partners.
    pub as2: TcpListener,
    /// For operators.
    pub admin: TcpListener,
    /// The one path that partners post to: `/as2`.
    pub path: String,
    /// Limits of both.
    pub limits: Limits,
    /// What partners are shown where they come by TLS.
    pub tls: Option<Arc<Server>>,
    /// Whether an authority renews that.
    pub issued: bool,
    /// Whose word is taken for where a request comes from.
    pub believed: Believed,
}

impl Listeners {
    /// Binds both addresses; port 0 takes a free one. The path is `/as2`, the limits are the
    /// usual ones.
    ///
    /// # Errors
    /// Where an address is taken or not ours.
    pub async fn bind(as2: SocketAddr, admin: SocketAddr) -> io::Result<Listeners> {
        let bind = async |address: SocketAddr| {
            let told = |why: io::Error| io::Error::new(why.kind(), format!("{address}: {why}"));
            TcpListener::bind(address).await.map_err(told)
        };
        Ok(Listeners {
            as2: bind(as2).await?,
            admin: bind(admin).await?,
            path: "/as2".into(),
            limits: Limits::default(),
            tls: None,
            issued: false,
            believed: Believed::default(),
        })
    }

    /// The URL that partners post to.
    ///
    /// # Errors
    /// Where the system does not say the port.
    pub fn url(&self) -> io::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let address = self.as2.local_addr()?;
        Ok(format!("{scheme}://{address}{}", self.path))
    }
}

/// A gateway that runs.
pub struct Running {
    /// Where partners post to.
    pub as2: SocketAddr,
    /// Where operators look.
    pub admin: SocketAddr,
    /// The gateway itself.
    pub gateway: Arc<Gateway>,
    stop: watch::Sender<bool>,
    listening: Vec<JoinHandle<()>>,
    walking: Walking,
}

/// Starts the listeners and the worker. `spool` is the folder for large bodies; it is made where
/// it is missing, and what an earlier process left there is removed.
///
/// # Errors
/// Where the spool folder cannot be made, or the system does not say our ports.
pub fn run(gateway: Arc<Gateway>, listeners: Listeners, spool: PathBuf) -> io::Result<Running> {
    sweep(&spool)?;
    let transfers = Transfers::new(spool.join("transfers"))?;
    let (stop, stopped) = watch::channel(false);
    let ended = |mut stopped: watch::Receiver<bool>| async move {
        // The sender is dropped only with all of us.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let Listeners {
        as2,
        admin,
        path,
        limits,
        tls,
        issued,
        believed,
    } = listeners;
    if let Some(tls) = &tls {
        gateway.listens_with(Arc::clone(tls), issued);
    }
    let addresses = (as2.local_addr()?, admin.local_addr()?);
    let settings = Settings {
        path,
        spool,
        limits: limits.clone(),
        tls,
        believed,
    };
    let walk = Arc::clone(&gateway);
    let strangers = Arc::new(Strangers::new(limits.exempt.clone()));
    let handler = move |arrival: Arrival| {
        let (gateway, strangers) = (Arc::clone(&walk), Arc::clone(&strangers));
        receive(gateway, strangers, transfers.clone(), arrival)
    };
    let partners = tokio::spawn(as2::listen(as2, settings, handler, ended(stopped.clone())));
    let (state, draining) = (Arc::clone(&gateway), stopped.clone());
    let router = admin::router(move || {
        let (state, draining) = (Arc::clone(&state), *draining.borrow());
        async move {
            match draining {
                true => Err("stopping".to_owned()),
                false => state.ready().await,
            }
        }
    });
    let router = router
        .merge(certificates::router(Arc::clone(&gateway)))
        .merge(alerts::router(Arc::clone(&gateway)));
    let operators = tokio::spawn(admin::listen(admin, limits, router, ended(stopped)));
    Ok(Running {
        as2: addresses.0,
        admin: addresses.1,
        walking: gateway.start(),
        gateway,
        stop,
        listening: vec![partners, operators],
    })
}

impl Running {
    /// Takes no new connection, answers the requests in flight, ends the steps in flight, closes
    /// the store.
    ///
    /// # Errors
    /// What the store says of its end; all of it is safe all the same.
    pub async fn stop(self) -> Result<(), store::Error> {
        self.stop.send_replace(true);
        for task in self.listening {
            if let Err(why) = task.await {
                tracing::error!(%why, "a listener ended badly");
            }
        }
        self.walking.stop().await;
        self.gateway.store().close().await
    }
}

/// One request of a partner: strangers are refused before their body is read.
async fn receive(
    gateway: Arc<Gateway>,
    strangers: Arc<Strangers>,
    transfers: Transfers,
    arrival: Arrival,
) -> Answer {
    let Arrival {
        peer,
        headers,
        asks,
        body,
        certificate,
        interim,
        ..
    } = arrival;
    let now = gateway.now();
    if let Err(answer) = strangers.hear(peer, now) {
        return answer;
    }
    let caller = match gateway.admit(headers, certificate.as_deref()) {
        Ok(caller) => caller.at(peer),
        Err(answer) => {
            strangers.refused(peer, now);
            return answer.into();
        }
    };
    if let Err(answer) = gateway.hears(&caller) {
        return answer.into();
    }
    let transfer = caller.transfer().map(|name| transfers.take(&name));
    let read = match transfer.map(|taken| taken.map(Arc::new)) {
        // Its last request is still open: perhaps we have not seen yet that it broke.
        Some(None) => return Answer::text(500, "this transfer is under way"),
        Some(Some(transfer)) if asks => return held(transfer.held()),
        None if asks => return held(0),
        Some(Some(transfer)) => body.resume(&transfer).await,
        None => body.read().await,
    };
    match read {
        Ok(body) => {
            let every = interim.zip(caller.interim());
            let work = gateway.receive(caller, body);
            match every {
                Some((interim, every)) => interim.during(every, work).await.into(),
                None => work.await.into(),
            }
        }
        Err(answer) => answer,
    }
}

/// How much of a transfer is here.
fn held(bytes: u64) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-length".into(), bytes.to_string())],
        body: Bytes::new(),
    }
}

impl From<store::Answer> for Answer {
    fn from(answer: store::Answer) -> Answer {
        Answer {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
        }
    }
}

/// Makes the spool folder, and removes what was cut off in it: nothing of it was answered for.
fn sweep(spool: &std::path::Path) -> io::Result<()> {
    std::fs::create_dir_all(spool)?;
    for entry in std::fs::read_dir(spool)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "part")
        {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}
