//! Certificates that come and go by messages (`as2::cem`): what is held of a request, and the
//! answers and offers that are drafted like any other document.
//!
//! ```text
//! theirs   Read ─► held in the folder of keys, pending | accepted | rejected
//!                     └ decided, by the partner file or by a person ─► a response is drafted
//! ours     offer ─► a request is drafted; their response says who has what
//! ```
//!
//! A message that exchanges certificates has to be signed, whatever is agreed for others: by a
//! certificate that is in force for this partner. A response is drafted under the request's id, so
//! that it goes out once, however often the folder is looked at.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::outbound::checked;
use super::route::Partnership;
use super::worker::{Setback, unread};
use super::{Error, Gateway, compose};
use crate::as2::cem::{
    self, CERTIFICATES, CertUse, EXCHANGED, Exchange, MEDIA_TYPE, Reference, Request, Response,
    Trust, Verdict, XML_BYTES, is_exchange,
};
use crate::as2::{self, Certificate, Disposition, Entropy, Opened, attachments, content_id};
use crate::net::spool::Spooled;
use crate::partner::keyring::Use;
use crate::partner::keys::{self, Card, Held, Own, State};
use crate::partner::{As2, Cem, Partner};
use crate::store::{
    DocumentState, Draft, Drafted, Message, NewDocument, Payload, Reading, Seen, Work,
};

/// Certificates that are held of one partner: more is a fault of somebody's, or an attack.
const HELD: usize = 100;
/// How old a request may be, by its own signed word: as long as a partner tries to send it, and a
/// weekend. Who recorded one cannot bring back a certificate that was taken away since.
const FRESH: TimeDelta = TimeDelta::days(7);
/// Bytes of a certificate's part: a SignedData with a chain has a few thousand.
const PART_BYTES: u64 = 256 << 10;

/// A message that was taken apart: what it says, and each certificate that it names.
struct Came {
    exchange: Exchange,
    certificates: Vec<Certificate>,
}

fn take_apart(content_type: &str, body: impl Read) -> Result<Came, as2::Error> {
    let (mut xml, mut parts) = (Vec::new(), Vec::new());
    if content_type.to_ascii_lowercase().starts_with(MEDIA_TYPE) {
        body.take(XML_BYTES as u64 + 1).read_to_end(&mut xml)?;
    } else {
        attachments(content_type, body, |about, content| {
            let mut bytes = Vec::new();
            if about.root {
                return content
                    .take(XML_BYTES as u64 + 1)
                    .read_to_end(&mut xml)
                    .map(drop);
            }
            content.take(PART_BYTES).read_to_end(&mut bytes)?;
            if parts.len() <= EXCHANGED {
                parts.push((about.content_id.clone().unwrap_or_default(), bytes));
            }
            Ok(())
        })?;
    }
    let exchange = Exchange::read(&xml)?;
    let mut certificates = Vec::new();
    if let Exchange::Request(request) = &exchange {
        for trust in &request.trust {
            certificates.push(named(trust, &parts)?);
        }
    }
    Ok(Came {
        exchange,
        certificates,
    })
}

/// The certificate that a request names, from the part that it names.
fn named(trust: &Trust, parts: &[(String, Vec<u8>)]) -> Result<Certificate, as2::Error> {
    let wanted = trust.content_id.trim_start_matches("cid:");
    let wanted = wanted.trim_start_matches('<').trim_end_matches('>');
    let missing = |what: &str| as2::Error::Mime(format!("certificate exchange: {what} {wanted:?}"));
    let part = parts.iter().find(|(id, _)| id == wanted);
    let (_, bytes) = part.ok_or_else(|| missing("no part has the Content-ID"))?;
    let serial = trust.certificate.serial.trim_start_matches('0');
    let found = cem::unpack(bytes)?.into_iter().find(|one| {
        let own = one.serial();
        own == serial || own == trust.certificate.serial
    });
    found.ok_or_else(|| missing("another certificate than is named is in the part"))
}

/// Why a message that exchanges certificates cannot be taken, and what is answered.
///
/// # Errors
/// Where it cannot be read again.
pub(super) fn unusable(
    opened: &Opened,
    content: &Spooled,
) -> io::Result<Option<(Disposition, String)>> {
    if !is_exchange(&opened.content_type) {
        return Ok(None);
    }
    if opened.secured.signed.is_none() {
        let told = Disposition::error("insufficient-message-security");
        return Ok(Some((
            told,
            "a certificate exchange without a signature".into(),
        )));
    }
    match take_apart(&opened.content_type, content.open()?) {
        Ok(_) => Ok(None),
        Err(as2::Error::Io(why)) => Err(why),
        Err(why) => Ok(Some((Disposition::from(&why), why.to_string()))),
    }
}

impl Gateway {
    /// The Read step of a message that exchanges certificates.
    pub(super) async fn exchanged(
        self: &Arc<Self>,
        work: &Work,
        message: &Message,
        content: Payload,
    ) -> Result<(), Setback> {
        let (this, known, at) = (Arc::clone(self), self.known(work)?, self.clock.now());
        let kind = message.content_type.clone().unwrap_or_default();
        // A copy under another id changes nothing: its first one was taken in, and answered for.
        let again = message.resend_of;
        let taken = tokio::task::spawn_blocking(move || {
            let came = take_apart(&kind, checked(&content)?);
            match came.map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))? {
                Came {
                    exchange: Exchange::Request(request),
                    certificates,
                } => match again {
                    Some(first) => Ok((format!("came before, as {first}"), Vec::new())),
                    None => {
                        let note = this.hold(&known, &request, &certificates, at);
                        note.map(|note| (note, Vec::new()))
                    }
                },
                Came {
                    exchange: Exchange::Response(response),
                    ..
                } => Ok(this.answered_by(&known, &response, at)),
            }
        });
        let taken = taken.await.map_err(Setback::panicked)?;
        let (note, seen) = taken.map_err(unread)?;
        if !seen.is_empty() {
            self.store.seen(seen).await?;
        }
        tracing::info!(partner = work.partner, note, "certificates exchanged");
        let reading = Reading {
            note,
            ..Reading::default()
        };
        self.store
            .read(work.lease, reading, self.clock.now())
            .await?;
        let this = Arc::clone(self);
        let renewed = tokio::task::spawn_blocking(move || this.renew()).await;
        match renewed.map_err(Setback::panicked)? {
            Err(why) => tracing::error!(%why, "what was in use stays in use"),
            Ok(()) => self.exchange().await.map_err(Setback::later)?,
        }
        Ok(())
    }

    /// Takes over what the folder of keys holds now; partners and guides stay.
    ///
    /// # Errors
    /// As [`Gateway::agree`].
    pub fn renew(&self) -> Result<(), Error> {
        let agreed = self.agreed();
        let partners = agreed.partnerships.iter().map(|known| &known.partner);
        self.agree_with(Arc::clone(&agreed.library), partners)
    }

    /// Holds what a request brings. Blocks.
    fn hold(
        &self,
        known: &Partnership,
        request: &Request,
        certificates: &[Certificate],
        at: DateTime<Utc>,
    ) -> io::Result<String> {
        let name = &known.partner.name;
        let Some(folder) = &self.keys else {
            return Ok("certificates came, and there is no folder of keys to hold them".into());
        };
        if (at - request.originated).abs() > FRESH {
            let (id, date) = (&request.id, request.originated);
            return Ok(format!(
                "certificate exchange {id} is of {date}: nothing of it is held"
            ));
        }
        let held = keys::load(folder).map_err(io::Error::other)?;
        let held: &[Held] = held.theirs.get(name).map_or(&[], Vec::as_slice);
        if held.len() + certificates.len() > HELD {
            return Ok(format!(
                "more than {HELD} certificates of {name}: none is held"
            ));
        }
        let mut told = Vec::new();
        for (trust, one) in request.trust.iter().zip(certificates) {
            let before = held
                .iter()
                .find(|held| held.dated.item.fingerprint() == one.fingerprint());
            let card = match before.map(|held| &held.card) {
                // What was decided stands.
                Some(decided) if decided.state != State::Pending => Card {
                    request: Some(request.id.clone()),
                    ..decided.clone()
                },
                _ => Card {
                    uses: uses(&trust.uses),
                    from: Some(trust.respond_by.map_or(at, |due| due.max(at))),
                    state: first_state(known, one, at),
                    request: Some(request.id.clone()),
                    ..Card::default()
                },
            };
            let state = card.state;
            keys::hold(folder, name, one, &card)?;
            told.push(format!("{} {}", one.fingerprint(), state.as_str()));
        }
        Ok(format!(
            "certificate exchange {}: {}",
            request.id,
            told.join(", ")
        ))
    }

    /// What their response says of what we offered.
    fn answered_by(
        &self,
        known: &Partnership,
        response: &Response,
        at: DateTime<Utc>,
    ) -> (String, Vec<Seen>) {
        let (mut told, mut seen) = (Vec::new(), Vec::new());
        for verdict in &response.verdicts {
            let mut ours = known.keys.ours.iter().map(|own| &own.item.certificate);
            let own = ours.find(|own| own.serial() == verdict.certificate.serial);
            let word = if verdict.accepted {
                "accepted"
            } else {
                "rejected"
            };
            let why = verdict.reason.as_deref().unwrap_or_default();
            let Some(own) = own else {
                told.push(format!(
                    "{word} serial {}, which is none of ours",
                    verdict.certificate.serial
                ));
                continue;
            };
            told.push(
                format!("{word} {} {why}", own.fingerprint())
                    .trim_end()
                    .to_owned(),
            );
            seen.push(Seen {
                partner: known.partner.name.clone(),
                purpose: word.into(),
                fingerprint: own.fingerprint().to_owned(),
                at,
            });
        }
        (
            format!("answer to {}: {}", response.id, told.join(", ")),
            seen,
        )
    }

    /// Drafts the responses to all requests that were decided, each once.
    ///
    /// # Errors
    /// The folder of keys, or the store.
    pub async fn exchange(&self) -> Result<(), Error> {
        let Some(folder) = self.keys.clone() else {
            return Ok(());
        };
        let read = tokio::task::spawn_blocking(move || keys::load(&folder)).await;
        let held = read.map_err(|why| Error::NotSendable(why.to_string()))??;
        let at = self.clock.now();
        for (name, held) in held.theirs {
            let Some(known) = self.partnership(&name) else {
                continue;
            };
            let Some(as2) = &known.partner.as2 else {
                continue;
            };
            let mut requests: BTreeMap<String, Vec<Held>> = BTreeMap::new();
            for one in held {
                if let Some(id) = one.card.request.clone() {
                    requests.entry(id).or_default().push(one);
                }
            }
            for (id, all) in requests {
                if all.iter().any(|one| one.card.state == State::Pending) {
                    continue;
                }
                let answer = answer(as2, &id, &all, at);
                let key = format!("certificate exchange {id}");
                let mut entropy = self.entropy;
                let draft = draft(&known.partner, &answer, &[], (&id, key), &mut entropy)?;
                if self.store.draft(draft, at).await? == Drafted::New {
                    tracing::info!(
                        partner = name,
                        request = id,
                        "certificates are answered for"
                    );
                    self.poke();
                }
            }
        }
        Ok(())
    }
}

/// What the partner file makes of a certificate that is new.
fn first_state(known: &Partnership, one: &Certificate, at: DateTime<Utc>) -> State {
    match known.partner.as2.as_ref().map(|as2| as2.cem) {
        _ if unfit(one, at).is_some() => State::Rejected,
        Some(Cem::Accept) => State::Accepted,
        Some(Cem::Ask) => State::Pending,
        Some(Cem::Off) | None => State::Rejected,
    }
}

/// Why a certificate cannot be used, whoever says that it may.
fn unfit(one: &Certificate, at: DateTime<Utc>) -> Option<String> {
    let expired = || one.not_after() < at;
    one.weakness()
        .or_else(|| expired().then(|| "it has expired".to_owned()))
}

fn uses(named: &[CertUse]) -> Vec<Use> {
    let mut uses: Vec<Use> = named
        .iter()
        .map(|one| match one {
            CertUse::DigitalSignature => Use::Verify,
            CertUse::KeyEncipherment => Use::Encrypt,
            CertUse::TlsServer | CertUse::TlsClient => Use::Tls,
        })
        .collect();
    uses.dedup();
    uses
}

fn answer(as2: &As2, id: &str, all: &[Held], at: DateTime<Utc>) -> Exchange {
    let verdict = |one: &Held| {
        let accepted = one.card.state == State::Accepted;
        let why = || unfit(&one.dated.item, at).unwrap_or_else(|| "it is not accepted here".into());
        Verdict {
            certificate: Reference::from(&one.dated.item),
            accepted,
            reason: (!accepted).then(why),
        }
    };
    Exchange::Response(Response {
        id: id.to_owned(),
        sender: as2.our_id.clone(),
        originated: at,
        verdicts: all.iter().map(verdict).collect(),
    })
}

/// A request that offers keys of ours to a partner, to be drafted; `answer_to` is our URL. From the
/// time on at which we begin to use a key, the partner has to have its certificate.
///
/// # Errors
/// [`Error::NotSendable`] where the partner has no AS2, or there is nothing to offer.
pub fn offer(
    partner: &Partner,
    ours: &[&Own],
    answer_to: &str,
    entropy: Entropy<'_>,
    at: DateTime<Utc>,
) -> Result<Draft, Error> {
    let wrong = |why: &str| Error::NotSendable(format!("{}: {why}", partner.name));
    let as2 = partner
        .as2
        .as_ref()
        .ok_or_else(|| wrong("there is no [as2]"))?;
    if ours.is_empty() || ours.len() > EXCHANGED {
        return Err(wrong("there is no key to offer, or too many"));
    }
    let mut random = [0; 16];
    entropy(&mut random);
    let id = format!("{}@{}", as2::hex(&random), host(&as2.our_id));
    // The parts are named by what was drawn, so the boundary comes from the same.
    let mut fixed = |out: &mut [u8]| {
        let drawn = random.iter().cycle();
        out.iter_mut().zip(drawn).for_each(|(to, from)| *to = *from);
    };
    let trust = ours.iter().enumerate().map(|(n, own)| Trust {
        uses: offered(&own.dated.uses),
        respond_by: own.dated.from.filter(|from| *from > at),
        response_url: answer_to.to_owned(),
        certificate: Reference::from(&own.dated.item.certificate),
        content_id: content_id(&random, n + 2),
    });
    let request = Exchange::Request(Request {
        id: id.clone(),
        sender: as2.our_id.clone(),
        originated: at,
        trust: trust.collect(),
    });
    let parts = ours
        .iter()
        .map(|own| cem::pack(&[&own.dated.item.certificate]));
    let parts: Vec<Vec<u8>> = parts
        .collect::<Result<_, _>>()
        .map_err(|why| wrong(&why.to_string()))?;
    let key = format!("certificate exchange {id}");
    draft(partner, &request, &parts, (&id, key), &mut fixed)
}

fn offered(uses: &[Use]) -> Vec<CertUse> {
    let word = |one: &Use| match one {
        Use::Sign => Some(CertUse::DigitalSignature),
        Use::Decrypt => Some(CertUse::KeyEncipherment),
        Use::Tls => Some(CertUse::TlsServer),
        Use::Verify | Use::Encrypt => None,
    };
    uses.iter().filter_map(word).collect()
}

fn host(name: &str) -> String {
    let safe = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c));
    safe.collect()
}

/// The XML with its certificates as a document that goes as it is.
fn draft(
    partner: &Partner,
    exchange: &Exchange,
    certificates: &[Vec<u8>],
    (id, key): (&str, String),
    entropy: Entropy<'_>,
) -> Result<Draft, Error> {
    let xml = exchange.write();
    let document = |content_type, file_name| as2::Document {
        content_type,
        file_name,
        message_id: "",
    };
    let root = (document(MEDIA_TYPE, None), Cursor::new(xml.as_bytes()));
    let rest = certificates.iter().map(|one| {
        (
            document(CERTIFICATES, Some("certificate.p7c")),
            Cursor::new(&one[..]),
        )
    });
    let parts = std::iter::once(root).chain(rest).collect();
    let wrong = |why: String| Error::NotSendable(why);
    let mut related = as2::Related::new(parts, entropy).map_err(|why| wrong(why.to_string()))?;
    let mut bytes = Vec::new();
    related
        .read_to_end(&mut bytes)
        .map_err(|why| wrong(why.to_string()))?;
    let digest = as2::sha256(&bytes);
    let content = json!({
        "document": compose::INTERCHANGE,
        "pair": "certificates",
        "control": id,
        "group": "",
        "set": "",
        "sha256": as2::hex(&digest),
        "content_type": related.content_type(),
    });
    let document = NewDocument {
        id: Uuid::now_v7(),
        kind: compose::INTERCHANGE.into(),
        set: "CEM".into(),
        number: id.to_owned(),
        key: Some(key),
        group_control: None,
        set_control: None,
        content: content.to_string(),
        findings: "[]".into(),
        state: DocumentState::Drafted,
    };
    Ok(Draft {
        partner: partner.name.clone(),
        document,
        payload: Some(Payload::new(bytes, digest)),
    })
}
