//! What is sent: orders that differ in their numbers, made from the index of the message alone.

use std::io::Cursor;
use std::sync::OnceLock;

use chrono::{TimeDelta, Utc};
use transload::as2::{self, Document, Identity, KeyKind, Keys, Profile};
use transload::mapping::{self, Library};
use transload::{net, x12};

use crate::exchange::pair::identities;

/// A message as it goes on the wire.
pub(super) struct Sealed {
    /// The request, to the last byte.
    pub(super) bytes: Vec<u8>,
    /// Where its body begins.
    pub(super) head: usize,
    /// What its receipt has to repeat.
    pub(super) mic: String,
}

/// Stands for an order's number in the template; as long as a number.
const MARK: &str = "NUMBERED00";
/// Every so many messages one has several orders, one is too large for a row, and one waits for its
/// receipt on a request of its own.
const SEVERAL: usize = 16;
const LARGE: usize = 20;
/// Orders in a message that has several.
const MANY: usize = 5;

/// A relation between the partner of the harness and the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Relation {
    /// Receipts in the answer, no acknowledgments.
    Quiet,
    /// Receipts in the answer, and a 997 for each message.
    Loud,
    /// Receipts by requests of their own, both ways, and a 997 for each message.
    Later,
}

impl Relation {
    pub(super) const ALL: [Relation; 3] = [Relation::Quiet, Relation::Loud, Relation::Later];

    pub(super) fn name(self) -> &'static str {
        match self {
            Relation::Quiet => "quiet",
            Relation::Loud => "loud",
            Relation::Later => "later",
        }
    }

    /// The partner's AS2 name and X12 id.
    pub(super) fn id(self) -> String {
        self.name().to_uppercase()
    }

    /// What the gateway's file of it says.
    pub(super) fn file(self, pem: &str, url: &str) -> String {
        let (name, id) = (self.name(), self.id());
        let more = match self {
            Relation::Later => "receipt_mode = \"async\"\n",
            _ => "",
        };
        let acknowledge = self != Relation::Quiet;
        format!(
            "name = {name:?}\n[as2]\nour_id = \"TINDERBOX\"\nid = {id:?}\nurl = {url:?}\n{more}\
             certificates = [{pem:?}]\n[x12]\nacknowledge = {acknowledge}\n\
             ours = {{ qualifier = \"ZZ\", id = \"TINDERBOX\" }}\n\
             theirs = {{ qualifier = \"ZZ\", id = {id:?} }}\n[documents.850]\n"
        )
    }

    /// What the partner agreed to with the gateway.
    pub(super) fn profile(self) -> Profile {
        Profile {
            our_id: self.id(),
            their_id: "TINDERBOX".into(),
            ..Profile::default()
        }
    }
}

/// The partner: on P-256, where a signature costs next to nothing. The gateway has the RSA key that
/// gateways have, and what it does takes most of a run.
pub(super) fn partner() -> &'static Identity {
    static MADE: OnceLock<Identity> = OnceLock::new();
    MADE.get_or_init(|| {
        let (from, to) = (
            Utc::now() - TimeDelta::days(1),
            Utc::now() + TimeDelta::days(30),
        );
        Identity::generate_as(KeyKind::P256, "partner", 1, from, to).unwrap()
    })
}

/// The partner's keys.
pub(super) fn keys() -> Keys {
    let [_, seller, _] = identities();
    Keys {
        ours: vec![partner().clone()],
        theirs: vec![seller.certificate.clone()],
    }
}

/// One message of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) seed: u64,
    pub(super) index: usize,
}

impl Order {
    pub(super) fn relation(self) -> Relation {
        match self.index % 8 {
            0 => Relation::Later,
            1 | 2 => Relation::Loud,
            _ => Relation::Quiet,
        }
    }

    pub(super) fn message_id(self) -> String {
        format!("<{}.{}@harness.example>", self.seed, self.index)
    }

    pub(super) fn large(self) -> bool {
        self.index % LARGE == LARGE - 1
    }

    /// The numbers of its orders.
    pub(super) fn numbers(self) -> Vec<String> {
        let many = match self.index % SEVERAL == SEVERAL - 1 && !self.large() {
            true => MANY,
            false => 1,
        };
        (0..many)
            .map(|set| format!("{:08}-{set}", self.index))
            .collect()
    }

    /// How the JSON begins that has to be delivered for each: all but the rest of where it comes from.
    pub(super) fn delivered(self) -> Vec<(String, String)> {
        let [small, large] = expected();
        let template = if self.large() { large } else { small };
        let content = template.strip_suffix('}').unwrap();
        let (id, control) = (self.relation().id(), self.index + 1);
        let provenance = format!(
            ",\"provenance\":{{\"sender\":\"{id}\",\"receiver\":\"TINDERBOX\",\
             \"interchange\":\"{control:09}\",\"group\":\"{control}\""
        );
        let one = |number: String| {
            let wanted = content.replace(MARK, &number) + &provenance;
            (number, wanted)
        };
        self.numbers().into_iter().map(one).collect()
    }

    fn interchange(self) -> String {
        let control = self.index + 1;
        let mut sets = String::new();
        let numbers = self.numbers();
        for (set, number) in numbers.iter().enumerate() {
            sets += &set_text(self.large(), number, set + 1);
        }
        format!(
            "ISA*00*          *00*          *ZZ*{:<15}*ZZ*TINDERBOX      *260302*0915*U*00401*\
             {control:09}*0*T*>~\nGS*PO*{}*TINDERBOX*20260302*0915*{control}*X*004010~\n{sets}\
             GE*{}*{control}~\nIEA*1*{control:09}~\n",
            self.relation().id(),
            self.relation().id(),
            numbers.len()
        )
    }

    /// Signed, encrypted, with what asks for its receipt.
    pub(super) fn sealed(self, receipts_to: &str) -> Sealed {
        let document = Document {
            content_type: "application/EDI-X12",
            file_name: None,
            message_id: &self.message_id(),
        };
        let (profile, entropy) = (self.relation().profile(), &mut net::entropy);
        let (source, mut body) = (Cursor::new(self.interchange()), Vec::new());
        let sealed = as2::seal(
            source,
            &mut body,
            document,
            &keys(),
            &profile,
            entropy,
            Utc::now(),
        );
        let sealed = sealed.unwrap();
        let mut headers = sealed.headers;
        if self.relation() == Relation::Later {
            headers.push("Receipt-Delivery-Option", receipts_to);
        }
        headers.push("Content-Length", &body.len().to_string());
        let line = b"POST /as2 HTTP/1.1\r\nHost: gateway\r\n".to_vec();
        let head = [line, headers.to_bytes()].concat();
        Sealed {
            head: head.len(),
            bytes: [head, body].concat(),
            mic: sealed.mic.to_string(),
        }
    }
}

/// One order, with a text of more than a row takes where it is large.
fn set_text(large: bool, number: &str, set: usize) -> String {
    let mut lines = vec![
        format!("ST*850*{set:04}"),
        format!("BEG*00*NE*{number}**20260302"),
        "DTM*064*20260316".into(),
        "N9*L1*SHIPPING".into(),
    ];
    let messages = if large { 400 } else { 1 };
    let text = "Book a dock door two days before you ship; ".repeat(4);
    lines.extend((0..messages).map(|n| format!("MSG*{n:04} {}", text.trim_end())));
    lines.extend([
        "N1*ST*Depot Ashby*92*ASH4".into(),
        "PO1*1*48*EA*17.25*PE*UP*731200000117".into(),
        "CTT*1".into(),
    ]);
    lines.push(format!("SE*{}*{set:04}", lines.len() + 1));
    lines.iter().map(|line| format!("{line}~\n")).collect()
}

/// The JSON of a small order and of a large one, with the mark for a number.
fn expected() -> &'static [String; 2] {
    static MADE: OnceLock<[String; 2]> = OnceLock::new();
    MADE.get_or_init(|| {
        [false, true].map(|large| {
            let set = set_text(large, MARK, 1);
            let text = format!(
                "ISA*00*          *00*          *ZZ*QUIET          *ZZ*TINDERBOX      \
                 *260302*0915*U*00401*000000001*0*T*>~\n\
                 GS*PO*QUIET*TINDERBOX*20260302*0915*1*X*004010~\n{set}GE*1*1~\n\
                 IEA*1*000000001~\n"
            );
            let file = x12::read(text.as_bytes()).unwrap();
            let one = &file.interchanges[0];
            let (group, set) = one.sets().next().unwrap();
            let guide = Library::embedded().guide(None, &group.header.version, &set.id);
            let read = mapping::read(&guide.unwrap().unwrap(), &set.segments, &one.delimiters);
            serde_json::to_string(&read.document.unwrap()).unwrap()
        })
    })
}
