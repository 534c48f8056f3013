//! The keys of a document: what is kept of it, so that others can be held against it.

use std::sync::Arc;

use chrono::NaiveDateTime;

use crate::canonical::{
    AcknowledgedLine, Code, Decimal, Document, Invoice, ItemId, Level, Money, Provenance, Quantity,
    ShipNotice,
};

/// Kinds of documents about one order, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The order.
    Order,
    /// What the seller says to it.
    Answer,
    /// A ship notice.
    Notice,
    /// An invoice.
    Invoice,
}

/// Sender and receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Parties(pub Arc<str>, pub Arc<str>);

impl Parties {
    /// The other way round.
    pub fn back(&self) -> Parties {
        Parties(self.1.clone(), self.0.clone())
    }
}

/// Why a document was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// It is the first of its number.
    #[default]
    New,
    /// It takes the place of one of the same number.
    Again,
    /// It takes back one of the same number.
    Void,
}

impl Purpose {
    /// Of a code's word.
    pub fn of(word: &str) -> Purpose {
        match word {
            "cancellation" | "deletion" | "cancel_to_be_reissued" => Purpose::Void,
            "change" | "replacement" | "corrected" | "resubmission" | "duplicate" | "copy"
            | "information_copy" | "reissue" => Purpose::Again,
            _ => Purpose::New,
        }
    }
}

/// What an answer says to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Some of it will come.
    Taken,
    /// None of it will.
    Rejected,
}

impl Verdict {
    /// Of a code's word; `None` where it settles nothing.
    pub fn of(word: &str) -> Option<Verdict> {
        match word {
            word if word.starts_with("accepted") || word.starts_with("backordered") => {
                Some(Verdict::Taken)
            }
            word if word.starts_with("rejected") || word == "deleted" => Some(Verdict::Rejected),
            _ => None,
        }
    }

    /// Of two for one line: what is accepted in part is not rejected.
    pub fn and(self, other: Option<Verdict>) -> Verdict {
        match (self, other) {
            (Verdict::Rejected, Some(Verdict::Rejected) | None) => Verdict::Rejected,
            _ => Verdict::Taken,
        }
    }
}

/// An order, an answer to it, a ship notice or an invoice. A text is empty where nothing is said.
#[derive(Clone, Debug)]
pub struct Paper<P> {
    /// Which of them.
    pub kind: Kind,
    /// Who sent it to whom.
    pub parties: Parties,
    /// Its own number: of an order and its answer that of the order.
    pub number: Box<str>,
    /// The order that it is, or names first.
    pub order: Arc<str>,
    /// Why it was sent.
    pub purpose: Purpose,
    /// When it was written.
    pub written: Option<NaiveDateTime>,
    /// Where it stands.
    pub at: P,
    /// Its lines.
    pub lines: Vec<Line<P>>,
    /// Serial numbers of its packages (SSCC), and where they stand.
    pub packages: Vec<(Box<str>, P)>,
}

/// A line of a document.
#[derive(Clone, Debug)]
pub struct Line<P> {
    /// Its order.
    pub order: Arc<str>,
    /// Its number in the order.
    pub number: Box<str>,
    /// Qualifiers and ids. Words that come again and again are shared, in memory too.
    pub ids: Box<[(Arc<str>, Box<str>)]>,
    /// How much of it.
    pub quantity: Option<Decimal>,
    /// In what.
    pub unit: Arc<str>,
    /// The price of one.
    pub price: Option<Decimal>,
    /// What an answer says to it.
    pub verdict: Option<Verdict>,
    /// Where it stands.
    pub at: P,
}

impl<P: Clone> Paper<P> {
    /// The keys of a document that stands at one place; `None` for a kind that has no order.
    pub fn of(document: &Document, written: Option<NaiveDateTime>, at: P) -> Option<Paper<P>> {
        let text =
            |text: &Option<String>| -> Box<str> { text.as_deref().unwrap_or_default().into() };
        let (kind, number, order, purpose) = match document {
            Document::PurchaseOrder(it) => (Kind::Order, &it.number, &it.number, &it.purpose),
            Document::PurchaseOrderAcknowledgment(it) => (
                Kind::Answer,
                &it.order_number,
                &it.order_number,
                &it.purpose,
            ),
            Document::ShipNotice(it) => (Kind::Notice, &it.number, &None, &it.purpose),
            Document::Invoice(it) => (Kind::Invoice, &it.number, &it.order_number, &it.purpose),
            _ => return None,
        };
        let mut paper = Paper {
            kind,
            parties: parties(document.provenance()),
            number: text(number),
            order: text(order).into(),
            purpose: purpose
                .as_ref()
                .map_or(Purpose::New, |code| Purpose::of(code.as_str())),
            written,
            lines: Vec::new(),
            packages: Vec::new(),
            at,
        };
        match document {
            Document::PurchaseOrder(it) => {
                for line in &it.lines {
                    paper.line(&line.number, &line.ids, &line.quantity, &line.price);
                }
            }
            Document::PurchaseOrderAcknowledgment(it) => {
                for line in &it.lines {
                    paper.line(&line.number, &line.ids, &line.quantity, &line.price);
                    paper.verdict(line);
                }
            }
            Document::ShipNotice(it) => paper.levels(it),
            Document::Invoice(it) => paper.billed(it),
            _ => {}
        }
        Some(paper)
    }

    fn line(
        &mut self,
        number: &Option<String>,
        ids: &[ItemId],
        quantity: &Option<Quantity>,
        price: &Option<Money>,
    ) {
        let quantity = quantity.as_ref();
        let code = |code: Option<&Code>| -> Arc<str> { code.map_or("", Code::as_str).into() };
        let ids = ids.iter().filter_map(|id| {
            let (kind, id) = (code(id.qualifier.as_ref()), id.id.as_deref()?);
            (!id.is_empty()).then(|| (kind, id.into()))
        });
        self.lines.push(Line {
            order: self.order.clone(),
            number: number.as_deref().unwrap_or_default().into(),
            ids: ids.collect(),
            quantity: quantity.and_then(|quantity| quantity.value),
            unit: code(quantity.and_then(|quantity| quantity.unit.as_ref())),
            price: price.as_ref().and_then(|price| price.amount),
            verdict: None,
            at: self.at.clone(),
        });
    }

    fn verdict(&mut self, line: &AcknowledgedLine) {
        let said = line.acknowledgments.iter();
        let said = said.filter_map(|said| Verdict::of(said.status.as_ref()?.as_str()));
        let verdict = said.reduce(|one, other| one.and(Some(other)));
        if let Some(line) = self.lines.last_mut() {
            line.verdict = verdict;
        }
    }

    fn billed(&mut self, invoice: &Invoice) {
        for line in &invoice.lines {
            self.line(&line.number, &line.ids, &line.quantity, &line.price);
            // X12 128: the number of an order.
            let mut orders = line
                .references
                .iter()
                .filter(|one| one.qualifier.as_deref() == Some("PO"));
            let order = orders.next_back().and_then(|order| order.id.as_deref());
            if let (Some(order), Some(line)) = (order, self.lines.last_mut()) {
                line.order = order.into();
            }
        }
    }

    /// Each level with the order that it or the nearest level around it names.
    fn levels(&mut self, notice: &ShipNotice) {
        let top = notice.levels.iter().rev().map(|level| (level, None));
        let mut open: Vec<(&Level, Option<Arc<str>>)> = top.collect();
        while let Some((level, around)) = open.pop() {
            let own = level
                .order
                .as_ref()
                .and_then(|order| order.number.as_deref());
            let order = own.map(Arc::from).or(around);
            if let (Some(order), true) = (&order, self.order.is_empty()) {
                self.order = order.clone();
            }
            let marks = level.marks.iter().flat_map(|marks| &marks.ranges);
            for mark in marks {
                let kind = mark.qualifier.as_ref().map_or("", Code::as_str);
                if let (true, Some(number)) = (kind.starts_with("sscc"), &mark.first) {
                    self.packages
                        .push((number.as_str().into(), self.at.clone()));
                }
            }
            if let Some(item) = &level.item {
                self.line(&item.number, &item.ids, &item.quantity, &None);
                if let (Some(line), Some(order)) = (self.lines.last_mut(), &order) {
                    line.order = order.clone();
                }
            }
            open.extend(
                level
                    .levels
                    .iter()
                    .rev()
                    .map(|level| (level, order.clone())),
            );
        }
    }
}

fn parties(provenance: &Provenance) -> Parties {
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
    Parties(text(&provenance.sender), text(&provenance.receiver))
}
