//! A partner with its keys and folders, and which guide and transport a document takes.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::Error;
use super::api::Api;
use super::certificates::Ring;
use super::link::Link;
use crate::as2::{self, Certificate, Cipher, Identity, Profile};
use crate::bridge::folder::{Folder, Inbox, Outbox};
use crate::canonical::DocumentKind;
use crate::mapping::{Guide, Library};
use crate::partner::keyring::Dated;
use crate::partner::keys::Keys;
use crate::partner::{Encrypt, Partner, Receipt, Sign, Transport};
use std::sync::Arc;

/// One partner, ready for use.
pub(super) struct Partnership {
    pub(super) partner: Partner,
    pub(super) keys: Ring,
    /// How its server is reached, and what its requests have to show.
    pub(super) link: Link,
    /// The guides that were agreed with it.
    pub(super) library: Arc<Library>,
    /// Our own side: `<bridge>/<partner>/in` and `out`.
    pub(super) bridge: Arc<Folder>,
    /// The folder transport, where the partner has one.
    pub(super) files: Option<Arc<(Inbox, Outbox)>>,
    /// The account of an API, where the partner has one.
    pub(super) api: Option<Arc<Api>>,
}

impl Partnership {
    /// Reads certificates and opens folders. Folders that are open in `before`, the same partner as
    /// it was, stay so: opening one takes back what is claimed in it.
    pub(super) fn open(
        partner: &Partner,
        library: &Arc<Library>,
        (ours, held): (&Arc<Vec<Dated<Identity>>>, &Keys),
        bridge: &Path,
        before: Option<&Arc<Partnership>>,
    ) -> Result<Partnership, Error> {
        let theirs = certificates(partner, held)?;
        if partner.as2.is_some() && ours.is_empty() {
            return Err(Error::NoIdentity(partner.name.clone()));
        }
        let files = match (&partner.folder, before) {
            (None, _) => None,
            (folder, Some(before)) if *folder == before.partner.folder => before.files.clone(),
            (Some(folder), _) => {
                let inbox = Inbox::open(&folder.inbox)?;
                Some(Arc::new((inbox, Outbox::open(&folder.outbox)?)))
            }
        };
        let api = match before {
            // Its tokens stay good.
            Some(before) if before.partner.spapi == partner.spapi => before.api.clone(),
            _ => Api::open(partner).map_err(|why| Error::Api {
                partner: partner.name.clone(),
                why,
            })?,
        };
        let bridge = match before {
            Some(before) => Arc::clone(&before.bridge),
            None => Arc::new(Folder::open(&bridge.join(&partner.name))?),
        };
        Ok(Partnership {
            partner: partner.clone(),
            keys: Ring {
                ours: Arc::clone(ours),
                theirs,
            },
            link: Link::default(),
            library: Arc::clone(library),
            bridge,
            files,
            api,
        })
    }
}

/// All certificates of a partner: those that its file names, and those that were exchanged.
pub(super) fn certificates(
    partner: &Partner,
    held: &Keys,
) -> Result<Vec<Dated<Certificate>>, Error> {
    let mut theirs = Vec::new();
    for entry in partner.as2.iter().flat_map(|as2| &as2.certificates) {
        let path = &entry.file;
        let certificate = std::fs::read(path)
            .map_err(|why| why.to_string())
            .and_then(|bytes| certificate(&bytes).map_err(|why| why.to_string()));
        let certificate = certificate.map_err(|why| Error::Certificate {
            partner: partner.name.clone(),
            path: path.clone(),
            why,
        })?;
        theirs.push(entry.dated(certificate));
    }
    theirs.extend(held.accepted(&partner.name).cloned());
    Ok(theirs)
}

pub(super) fn certificate(bytes: &[u8]) -> Result<Certificate, as2::Error> {
    match bytes.windows(11).any(|w| w == b"-----BEGIN ") {
        true => Certificate::from_pem(bytes),
        false => Certificate::from_der(bytes),
    }
}

/// What was agreed about security, as it stands on the day of `at`.
pub(super) fn profile(
    as2: &crate::partner::As2,
    inflated_limit: u64,
    at: DateTime<Utc>,
) -> Profile {
    let today = at.date_naive();
    let sign = match as2.sign {
        Sign::Sha256 => Some(as2::Digest::Sha256),
        Sign::Sha384 => Some(as2::Digest::Sha384),
        Sign::Sha512 => Some(as2::Digest::Sha512),
        Sign::None => None,
    };
    let encrypt = match as2.encrypt {
        Encrypt::Aes256Cbc => Some(Cipher::Aes256Cbc),
        Encrypt::Aes192Cbc => Some(Cipher::Aes192Cbc),
        Encrypt::Aes128Cbc => Some(Cipher::Aes128Cbc),
        Encrypt::Aes256Gcm => Some(Cipher::Aes256Gcm),
        Encrypt::Aes192Gcm => Some(Cipher::Aes192Gcm),
        Encrypt::Aes128Gcm => Some(Cipher::Aes128Gcm),
        Encrypt::None => None,
    };
    let receipt = match as2.receipt {
        Receipt::Signed => as2::Receipt::Signed,
        Receipt::Unsigned => as2::Receipt::Unsigned,
        Receipt::None => as2::Receipt::No,
    };
    Profile {
        our_id: as2.our_id.clone(),
        their_id: as2.id.clone(),
        require_signed: as2.require_signed,
        require_encrypted: as2.require_encrypted,
        sign,
        rsa_signature: as2.signature,
        encrypt,
        key_transport: as2.key_transport,
        encrypt_for_all: as2.encrypt_for_all,
        encrypt_for_us: as2.encrypt_for_us,
        compress: as2.compress,
        receipt,
        micalg: sign.unwrap_or(as2::Digest::Sha256),
        legacy: as2.legacy(today),
        short_tags: as2.short_tags,
        gcm_in_enveloped_data: as2.gcm_in_enveloped_data,
        diagnostic: as2.diagnostic(today),
        accept_anything: false,
        inflated_limit,
    }
}

/// How documents of `set` go out. What the partner file has no line for (a 997) goes as `via`
/// came, or else by AS2 if there is an `[as2]`.
pub(super) fn transport(partner: &Partner, set: &str, via: Option<&str>) -> Option<Transport> {
    let as2 = partner.as2.is_some().then_some(Transport::As2);
    let folder = partner.folder.is_some().then_some(Transport::Folder);
    let back = match via {
        Some("as2") => as2,
        Some("folder") => folder,
        _ => None,
    };
    partner.transport(set).or(back).or(as2).or(folder)
}

/// The guide for a set of this partner, or why there is none, in words for a person.
pub(super) fn guide(
    library: &Library,
    partner: &Partner,
    version: &str,
    set: &str,
) -> Result<Arc<Guide>, String> {
    let Some(document) = partner.documents.get(set) else {
        return Err(format!(
            "the partner file has no [documents.{set}]; add one if it is agreed"
        ));
    };
    match library.guide(document.guide.as_deref(), version, set) {
        Some(Ok(guide)) => Ok(guide),
        Some(Err(errors)) => {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Err(format!("the guide is broken: {}", errors.join("; ")))
        }
        None => Err(format!("there is no guide for set {set} in {version}")),
    }
}

/// The set that a document of our own side goes out as, with its guide: the partner's first one
/// that writes this kind.
pub(super) fn way_out(
    library: &Library,
    partner: &Partner,
    kind: DocumentKind,
) -> Result<(String, Arc<Guide>), String> {
    let mut broken = None;
    for (set, document) in &partner.documents {
        match guide(library, partner, &document.version, set) {
            Ok(guide) if guide.document == Some(kind) => return Ok((set.clone(), guide)),
            Ok(_) => {}
            Err(why) => broken = Some(why),
        }
    }
    Err(broken.unwrap_or_else(|| {
        format!(
            "the partner file of {} has no document that a {kind} could go out as",
            partner.name
        )
    }))
}

/// ISA05 to ISA08 as one text, the sender first: what control numbers are counted by.
pub(super) fn pair(sender: (&str, &str), receiver: (&str, &str)) -> String {
    format!("{}/{} {}/{}", sender.0, sender.1, receiver.0, receiver.1)
}
