//! Two gateways that are put together by hand: bound first, told of each other, then started.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tempfile::TempDir;
use transload::as2::{Identity, KeyKind};
use transload::gateway::{Gateway, Limits, Sent, Settings};
use transload::net::Network;
use transload::net::tls::{Clients, Server};
use transload::partner;
use transload::store::{Memory, MessageDetail, MessageState};
use transload::web::{self, Listeners, Running};

/// The password of every key here.
pub(crate) const PASSWORD: &str = "open sesame";

/// Keys that all tests share: making one takes a while.
pub(crate) struct Keys {
    /// Ours.
    pub(crate) us: Identity,
    /// The partner's.
    pub(crate) them: Identity,
    /// Nobody's: what is wrong is this one.
    pub(crate) other: Identity,
    /// One whose time is over.
    pub(crate) past: Identity,
}

pub(crate) fn keys() -> &'static Keys {
    static MADE: OnceLock<Keys> = OnceLock::new();
    MADE.get_or_init(|| {
        let (from, to) = (
            Utc::now() - TimeDelta::days(1),
            Utc::now() + TimeDelta::days(30),
        );
        let make = |name: &str, serial| Identity::generate(name, serial, from, to).unwrap();
        let (start, end) = (from - TimeDelta::days(9), from);
        let past = Identity::generate_as(KeyKind::P256, "past", 4, start, end);
        Keys {
            us: make("us", 1),
            them: make("them", 2),
            other: make("other", 3),
            past: past.unwrap(),
        }
    })
}

/// A key as a PKCS#12 file's bytes.
pub(crate) fn p12(identity: &Identity) -> Vec<u8> {
    identity.to_pkcs12("edi", PASSWORD).unwrap()
}

/// A gateway that is bound and not yet made.
pub(crate) struct Plan {
    pub(crate) listeners: Listeners,
    pub(crate) folder: TempDir,
    opening: usize,
}

impl Plan {
    pub(crate) async fn new() -> Plan {
        let any = ([127, 0, 0, 1], 0).into();
        Plan {
            listeners: Listeners::bind(any, any).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            opening: Limits::default().opening,
        }
    }

    /// Opens so many messages at once.
    pub(crate) fn opening(mut self, most: usize) -> Plan {
        self.opening = most;
        self
    }

    /// Speaks TLS.
    pub(crate) fn tls(mut self, identity: &Identity, clients: Clients) -> Plan {
        let server = Server::from_pkcs12(&p12(identity), PASSWORD, clients).unwrap();
        self.listeners.tls = Some(Arc::new(server));
        self
    }

    /// Believes these proxies.
    pub(crate) fn behind(mut self, proxies: &[&str]) -> Plan {
        let parse = |text: &&str| text.parse::<Network>().unwrap();
        self.listeners.believed.proxies = proxies.iter().map(parse).collect();
        self
    }

    pub(crate) fn url(&self) -> String {
        self.listeners.url().unwrap()
    }

    /// Writes a file beside the partner files.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        write(self.folder.path(), name, bytes)
    }

    /// Starts it with these partner files.
    pub(crate) fn start(self, identity: &Identity, files: &[String]) -> Side {
        self.start_with(vec![identity.clone()], files)
    }

    /// The same with several keys, the first of which signs.
    pub(crate) fn start_with(self, identities: Vec<Identity>, files: &[String]) -> Side {
        for (n, text) in files.iter().enumerate() {
            self.file(&format!("{n}.toml"), text);
        }
        furnish(&self.folder.path().join("partners"));
        let Plan {
            listeners,
            folder,
            opening,
        } = self;
        let settings = Settings {
            identities,
            limits: Limits {
                poll: Duration::from_secs(3600),
                opening,
                ..Limits::default()
            },
            ..Settings::new(
                Arc::new(Memory::default()),
                partner::load(&folder.path().join("partners")).unwrap(),
                &folder.path().join("bridge"),
            )
        };
        let gateway = Gateway::new(settings).unwrap();
        let running = web::run(gateway, listeners, folder.path().join("spool")).unwrap();
        Side {
            running,
            _folder: folder,
        }
    }
}

/// Puts all certificates, keys and the password beside partner files.
pub(crate) fn furnish(partners: &Path) {
    std::fs::create_dir_all(partners).unwrap();
    let put = |name: String, bytes: Vec<u8>| std::fs::write(partners.join(name), bytes).unwrap();
    let Keys {
        us,
        them,
        other,
        past,
    } = keys();
    for (name, known) in [("us", us), ("them", them), ("other", other), ("past", past)] {
        put(format!("{name}.pem"), known.certificate.to_pem().unwrap());
        put(format!("{name}.p12"), p12(known));
    }
    put("password".into(), format!("{PASSWORD}\n").into());
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let partners = folder.join("partners");
    std::fs::create_dir_all(&partners).unwrap();
    let path = partners.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A gateway that runs.
pub(crate) struct Side {
    pub(crate) running: Running,
    _folder: TempDir,
}

impl Side {
    /// Sends one order to `partner` and gives the message as its first try left it.
    pub(crate) async fn send(&self, partner: &str) -> MessageDetail {
        let order = std::io::Cursor::new(ORDER);
        let gateway = &self.running.gateway;
        let id = gateway.send_from(partner, order).await.unwrap();
        match gateway.wait(id, transload::gateway::Until::Tried).await {
            Ok(Sent::Message(detail)) => *detail,
            Ok(Sent::Held(why)) => panic!("held: {why}"),
            Err(why) => panic!("{why}"),
        }
    }

    /// The same, which is confirmed.
    pub(crate) async fn confirmed(&self, partner: &str) -> MessageDetail {
        let detail = self.send(partner).await;
        let events = &detail.events;
        assert_eq!(detail.message.state, MessageState::Confirmed, "{events:#?}");
        detail
    }

    /// The same, which is not: what its events say.
    pub(crate) async fn failed(&self, partner: &str) -> String {
        let detail = self.send(partner).await;
        assert_ne!(detail.message.state, MessageState::Confirmed);
        let events = detail.events.iter().map(|event| event.detail.clone());
        events
            .chain([detail.message.note])
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// Our file of them, or theirs of us, with more lines.
pub(crate) fn relation(ours: &str, theirs: &str, url: &str, more: &str) -> String {
    format!(
        "name = \"{theirs}\"\n[as2]\nour_id = \"{ours}\"\nid = \"{theirs}\"\nurl = \"{url}\"\n\
         certificates = [\"{theirs}.pem\"]\n{more}\n"
    )
}

/// One interchange.
pub(crate) const ORDER: &[u8] = b"ISA*00*          *00*          *ZZ*US             \
*ZZ*THEM           *260102*0304*U*00401*000000001*0*T*>~GS*PO*US*THEM*20260102*0304*1*X*004010~\
ST*850*0001~BEG*00*SA*4711**20260102~PO1*1*2*EA*3.50**VN*A1~CTT*1~SE*5*0001~GE*1*1~\
IEA*1*000000001~";
