//! Real 850s, 855s, 810s and 997s, value by value, against a second reader that knows no guide: it
//! takes elements out by position.

use transload::canonical::{
    AcknowledgedLine, Date, Document, Invoice, ItemId, OrderLine, Party, PurchaseOrder,
    PurchaseOrderAcknowledgment,
};
use transload::mapping::{Library, read};
use transload::x12::{self, FunctionalAcknowledgment};

/// The second reader: segments of the file as lists of elements. Nothing of ours is used.
pub(crate) fn elements(text: &str) -> Vec<Vec<&str>> {
    let (separator, terminator) = (&text[3..4], &text[105..106]);
    let segments = text.split(terminator).map(|s| s.trim_matches(['\r', '\n']));
    segments.map(|s| s.split(separator).collect()).collect()
}

/// Element `number` of a segment, absent where it is empty.
pub(crate) fn at<'a>(segment: &[&'a str], number: usize) -> Option<&'a str> {
    segment.get(number).copied().filter(|e| !e.is_empty())
}

/// The corpus' file, or nothing (and a word about it) where there is no `../shared`.
pub(crate) fn text(file: &str) -> Option<String> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/x12/corpus/");
    let text = std::fs::read_to_string(format!("{root}{file}"));
    if text.is_err() {
        say!("skipped: no ../shared");
    }
    Some(text.ok()?.trim_start_matches('\u{feff}').to_owned())
}

/// The document that we make of the file's first set.
fn document(text: &str) -> Document {
    let interchange = &x12::read(text.as_bytes()).unwrap().interchanges[0];
    let group = &interchange.groups[0];
    let guide = Library::embedded().guide(None, &group.header.version, &group.sets[0].id);
    let guide = guide.unwrap().unwrap();
    let reading = read(&guide, &group.sets[0].segments, &interchange.delimiters);
    reading.document.expect("a document")
}

/// Compares what two readers say, and counts what there was to compare.
pub(crate) struct Eyes<'a> {
    file: &'a str,
    compared: usize,
    word: Box<dyn Fn(&str) -> String>,
}

impl<'a> Eyes<'a> {
    pub(crate) fn on(file: &'a str) -> Eyes<'a> {
        Eyes {
            file,
            compared: 0,
            word: Box::new(qualifiers(&Library::embedded())),
        }
    }

    #[track_caller]
    pub(crate) fn same(&mut self, what: &str, ours: Option<impl ToString>, theirs: Option<&str>) {
        let ours = ours.map(|value| value.to_string());
        assert_eq!(ours.as_deref(), theirs, "{what} in {}", self.file);
        self.compared += usize::from(theirs.is_some());
    }

    #[track_caller]
    pub(crate) fn date(&mut self, what: &str, ours: Option<Date>, theirs: Option<&str>) {
        let digits = ours.map(|date| date.to_string().replace('-', ""));
        self.same(what, digits, theirs);
    }

    /// Pairs of qualifier and id, from element `first` on.
    #[track_caller]
    pub(crate) fn ids(&mut self, what: &str, ours: &[ItemId], segment: &[&str], first: usize) {
        let pairs: Vec<_> = segment[first.min(segment.len())..]
            .chunks(2)
            .take(10)
            .collect();
        let filled = pairs.iter().filter(|pair| !pair[0].is_empty());
        for (id, pair) in ours.iter().zip(filled.clone()) {
            let code = (self.word)(pair[0]);
            self.same(what, id.qualifier.as_ref(), Some(&code));
            self.same(what, id.id.as_ref(), at(pair, 1));
        }
        assert_eq!(ours.len(), filled.count(), "{what} in {}", self.file);
    }

    /// An amount in cents on the wire.
    #[track_caller]
    fn cents(&mut self, what: &str, ours: Option<impl ToString>, theirs: Option<&str>) {
        let ours = ours.map(|value| value.to_string().replace('.', ""));
        let ours = ours.map(|digits| digits.trim_start_matches('0').to_owned());
        self.same(what, ours, theirs);
    }

    #[track_caller]
    pub(crate) fn end(self, least: usize) {
        say!("{}: {} values are the same", self.file, self.compared);
        let few = format!("only {} values compared in {}", self.compared, self.file);
        assert!(self.compared >= least, "{few}");
    }
}

/// What names, places and ids a party has, as N1, N3 and N4 say it.
pub(crate) fn party_segment(eyes: &mut Eyes<'_>, party: &Party, s: &[&str], seen: &mut usize) {
    let address = party.address.clone().unwrap_or_default();
    match s[0] {
        "N1" => {
            eyes.same("N102", party.name.as_ref(), at(s, 2));
            let id = party.id.clone().unwrap_or_default();
            eyes.same("N104", id.id, at(s, 4));
            *seen = 0;
        }
        "N3" => {
            for number in [1, 2] {
                if let Some(line) = at(s, number) {
                    eyes.same("N301", address.lines.get(*seen), Some(line));
                    *seen += 1;
                }
            }
        }
        "N4" => {
            eyes.same("N401", address.city, at(s, 1));
            eyes.same("N402", address.state, at(s, 2));
            eyes.same("N403", address.postal_code, at(s, 3));
        }
        _ => {}
    }
}

/// The id qualifier's word, the other way round.
fn qualifiers(library: &Library) -> impl Fn(&str) -> String + use<> {
    let text = library.text("codes/product_id.toml").unwrap().to_owned();
    move |code| {
        let line = text
            .lines()
            .find(|l| l.starts_with(&format!("{code} =")) || l.starts_with(&format!("{code}  =")));
        line.map_or_else(
            || format!("other:{code}"),
            |l| l.split('"').nth(1).unwrap().to_owned(),
        )
    }
}

/// The party of a role: the field named for it, or the first of the others.
fn party<'a>(role: &str, named: [&'a Option<Party>; 5], others: &'a [Party]) -> &'a Party {
    let [ship_to, bill_to, buyer, vendor, ship_from] = named;
    let field = match role {
        "ST" => ship_to,
        "BT" => bill_to,
        "BY" => buyer,
        "VN" | "SE" | "SU" => vendor,
        "SF" => ship_from,
        _ => &None,
    };
    let other = || others.iter().find(|p| p.role.as_deref() == Some(role));
    let found = field.as_ref().or_else(other);
    found.unwrap_or_else(|| panic!("no party {role}"))
}

fn order_line(eyes: &mut Eyes<'_>, line: &OrderLine, s: &[&str]) {
    let quantity = line.quantity.clone().unwrap_or_default();
    let price = line.price.clone().unwrap_or_default();
    eyes.same("PO101", line.number.as_ref(), at(s, 1));
    eyes.same("PO102", quantity.value, at(s, 2));
    eyes.same("PO104", price.amount, at(s, 4));
    eyes.ids("PO106 …", &line.ids, s, 6);
}

#[track_caller]
fn check_850(file: &str, least: usize) {
    let Some(text) = text(file) else {
        return;
    };
    let Document::PurchaseOrder(order) = document(&text) else {
        panic!("{file} is an order");
    };
    let mut eyes = Eyes::on(file);
    let (mut role, mut lines, mut described, mut packed, mut street) = ("", 0, 0, 0, 0);
    for s in elements(&text) {
        let current = (lines > 0).then(|| &order.lines[lines - 1]);
        match (s[0], current) {
            ("BEG", _) => {
                eyes.same("BEG03", order.number.as_ref(), at(&s, 3));
                eyes.date("BEG05", order.ordered_on, at(&s, 5));
            }
            ("N1" | "N3" | "N4", None) => {
                role = if s[0] == "N1" { s[1] } else { role };
                let PurchaseOrder {
                    ship_to,
                    bill_to,
                    buyer,
                    vendor,
                    ship_from,
                    parties,
                    ..
                } = &order;
                let one = party(role, [ship_to, bill_to, buyer, vendor, ship_from], parties);
                party_segment(&mut eyes, one, &s, &mut street);
            }
            ("PO1", _) => {
                (lines, described, packed) = (lines + 1, 0, 0);
                order_line(&mut eyes, &order.lines[lines - 1], &s);
            }
            ("PID", Some(line)) => {
                eyes.same(
                    "PID05",
                    line.descriptions[described].text.as_ref(),
                    at(&s, 5),
                );
                described += 1;
            }
            ("PO4", Some(line)) => {
                eyes.same("PO401", line.packs[packed].packs, at(&s, 1));
                packed += 1;
            }
            _ => {}
        }
    }
    assert_eq!(order.lines.len(), lines, "lines in {file}");
    eyes.end(least);
}

fn acknowledged_segment(
    eyes: &mut Eyes<'_>,
    line: &AcknowledgedLine,
    s: &[&str],
    seen: &mut [usize; 4],
) {
    match s[0] {
        "PO1" => {
            let quantity = line.quantity.clone().unwrap_or_default();
            let price = line.price.clone().unwrap_or_default();
            eyes.same("PO101", line.number.as_ref(), at(s, 1));
            eyes.same("PO102", quantity.value, at(s, 2));
            eyes.same("PO104", price.amount, at(s, 4));
            eyes.ids("PO106 …", &line.ids, s, 6);
            *seen = [0; 4];
        }
        "PID" => {
            let one = &line.descriptions[seen[0]];
            eyes.same("PID05", one.text.as_ref(), at(s, 5));
            seen[0] += 1;
        }
        "ACK" => {
            let one = &line.acknowledgments[seen[1]];
            eyes.same(
                "ACK02",
                one.quantity.clone().unwrap_or_default().value,
                at(s, 2),
            );
            eyes.same("ACK04", one.qualifier.as_ref(), at(s, 4));
            eyes.date(
                "ACK05",
                one.moment.clone().unwrap_or_default().date,
                at(s, 5),
            );
            eyes.ids("ACK07 …", &one.ids, &s[..s.len().min(27)], 7);
            eyes.same("ACK27", one.agency.as_ref(), at(s, 27));
            eyes.same("ACK28", one.source.as_ref(), at(s, 28));
            eyes.same("ACK29", one.reason.as_ref(), at(s, 29));
            seen[1] += 1;
        }
        "SCH" => {
            let one = &line.schedules[seen[2]];
            eyes.same(
                "SCH01",
                one.quantity.clone().unwrap_or_default().value,
                at(s, 1),
            );
            eyes.same("SCH03", one.role.as_ref(), at(s, 3));
            eyes.same("SCH04", one.name.as_ref(), at(s, 4));
            eyes.same("SCH05", one.qualifier.as_ref(), at(s, 5));
            eyes.date(
                "SCH06",
                one.moment.clone().unwrap_or_default().date,
                at(s, 6),
            );
            eyes.same("SCH11", one.request.as_ref(), at(s, 11));
            seen[2] += 1;
        }
        "CTP" => {
            let one = &line.prices[seen[3]];
            eyes.same("CTP03", one.amount, at(s, 3));
            eyes.same("CTP04", one.quantity, at(s, 4));
            seen[3] += 1;
        }
        _ => {}
    }
}

#[track_caller]
fn check_855(file: &str, least: usize) {
    let Some(text) = text(file) else {
        return;
    };
    let Document::PurchaseOrderAcknowledgment(ack) = document(&text) else {
        panic!("{file} is an acknowledgment");
    };
    let mut eyes = Eyes::on(file);
    let (mut role, mut lines, mut seen, mut street) = ("", 0, [0; 4], 0);
    for s in elements(&text) {
        lines += usize::from(s[0] == "PO1");
        match s[0] {
            // One set is read of each file.
            "SE" => break,
            "BAK" => {
                eyes.same("BAK03", ack.order_number.as_ref(), at(&s, 3));
                eyes.date("BAK04", ack.ordered_on, at(&s, 4));
                eyes.same("BAK06", ack.request.as_ref(), at(&s, 6));
                eyes.same("BAK07", ack.contract.as_ref(), at(&s, 7));
                eyes.same("BAK08", ack.seller_number.as_ref(), at(&s, 8));
                eyes.date("BAK09", ack.acknowledged_on, at(&s, 9));
            }
            "PER" if lines == 0 => {
                eyes.same("PER02", ack.contacts[0].name.as_ref(), at(&s, 2));
                eyes.same(
                    "PER04",
                    ack.contacts[0].numbers[0].number.as_ref(),
                    at(&s, 4),
                );
            }
            "N1" | "N3" | "N4" if lines == 0 => {
                role = if s[0] == "N1" { s[1] } else { role };
                let PurchaseOrderAcknowledgment {
                    ship_to,
                    bill_to,
                    buyer,
                    vendor,
                    ship_from,
                    parties,
                    ..
                } = &ack;
                let one = party(role, [ship_to, bill_to, buyer, vendor, ship_from], parties);
                party_segment(&mut eyes, one, &s, &mut street);
            }
            "CTT" => {
                let totals = ack.totals.clone().unwrap_or_default();
                eyes.same("CTT02", totals.hash, at(&s, 2));
            }
            _ if lines > 0 => acknowledged_segment(&mut eyes, &ack.lines[lines - 1], &s, &mut seen),
            _ => {}
        }
    }
    assert_eq!(ack.lines.len(), lines, "lines in {file}");
    eyes.end(least);
}

#[track_caller]
fn check_810(file: &str, least: usize) {
    let Some(text) = text(file) else {
        return;
    };
    let Document::Invoice(invoice) = document(&text) else {
        panic!("{file} is an invoice");
    };
    let mut eyes = Eyes::on(file);
    let (mut role, mut lines, mut described, mut street) = ("", 0, 0, 0);
    for s in elements(&text) {
        match s[0] {
            "BIG" => {
                eyes.date("BIG01", invoice.invoiced_on, at(&s, 1));
                eyes.same("BIG02", invoice.number.as_ref(), at(&s, 2));
                eyes.date("BIG03", invoice.ordered_on, at(&s, 3));
                eyes.same("BIG04", invoice.order_number.as_ref(), at(&s, 4));
                eyes.same("BIG05", invoice.release.as_ref(), at(&s, 5));
            }
            "N1" | "N3" | "N4" => {
                role = if s[0] == "N1" { s[1] } else { role };
                let Invoice {
                    ship_to,
                    bill_to,
                    buyer,
                    vendor,
                    ship_from,
                    remit_to,
                    parties,
                    ..
                } = &invoice;
                let one = match (role, remit_to) {
                    ("RE" | "RI", Some(remit_to)) => remit_to,
                    _ => party(role, [ship_to, bill_to, buyer, vendor, ship_from], parties),
                };
                party_segment(&mut eyes, one, &s, &mut street);
            }
            "ITD" => {
                eyes.same("ITD03", invoice.terms[0].discount_percent, at(&s, 3));
                eyes.same("ITD05", invoice.terms[0].discount_days, at(&s, 5));
                eyes.same("ITD07", invoice.terms[0].net_days, at(&s, 7));
            }
            "IT1" => {
                let line = &invoice.lines[lines];
                (lines, described) = (lines + 1, 0);
                eyes.same("IT101", line.number.as_ref(), at(&s, 1));
                eyes.same(
                    "IT102",
                    line.quantity.clone().unwrap_or_default().value,
                    at(&s, 2),
                );
                eyes.same(
                    "IT104",
                    line.price.clone().unwrap_or_default().amount,
                    at(&s, 4),
                );
                eyes.ids("IT106 …", &line.ids, &s, 6);
            }
            "PID" => {
                let one = &invoice.lines[lines - 1].descriptions[described];
                eyes.same("PID05", one.text.as_ref(), at(&s, 5));
                described += 1;
            }
            "TDS" => {
                let totals = invoice.totals.clone().unwrap_or_default();
                eyes.cents("TDS01", totals.total, at(&s, 1));
            }
            "CTT" => {
                let control = invoice.control.clone().unwrap_or_default();
                eyes.same("CTT02", control.hash, at(&s, 2));
            }
            _ => {}
        }
    }
    assert_eq!(invoice.lines.len(), lines, "lines in {file}");
    eyes.end(least);
}

/// The first set of a file as the verdict that it holds.
fn verdict(text: &str) -> FunctionalAcknowledgment {
    let interchange = &x12::read(text.as_bytes()).unwrap().interchanges[0];
    let body = &interchange.groups[0].sets[0].segments;
    FunctionalAcknowledgment::read(x12::Form::F997, body, &interchange.delimiters).0
}

/// Codes that stand in the elements from `first` on.
fn codes(segment: &[&str], first: usize) -> Vec<String> {
    let all = segment.iter().skip(first).filter(|e| !e.is_empty());
    all.map(|code| (*code).to_owned()).collect()
}

#[track_caller]
fn check_997(file: &str, least: usize) {
    let Some(text) = text(file) else {
        return;
    };
    let ack = verdict(&text);
    let mut eyes = Eyes::on(file);
    let mut sets = ack.sets.iter();
    let (mut set, mut segments, mut elements_of) = (None, [].iter(), [].iter());
    for s in elements(&text) {
        match s[0] {
            "SE" => break,
            "AK1" => {
                eyes.same("AK101", Some(&ack.functional_id), at(&s, 1));
                eyes.same("AK102", Some(&ack.control_number), at(&s, 2));
                eyes.same("AK103", ack.version.as_ref(), at(&s, 3));
            }
            "AK2" => {
                let one = sets.next().expect("as many sets as AK2");
                eyes.same("AK201", Some(&one.id), at(&s, 1));
                eyes.same("AK202", Some(&one.control_number), at(&s, 2));
                (set, segments) = (Some(one), one.segments.iter());
            }
            "AK3" => {
                let one = segments.next().expect("as many notes as AK3");
                eyes.same("AK301", Some(&one.tag), at(&s, 1));
                eyes.same("AK302", Some(one.position), at(&s, 2));
                eyes.same("AK303", one.in_loop.as_ref(), at(&s, 3));
                assert_eq!(one.codes, codes(&s, 4), "AK304 in {file}");
                elements_of = one.elements.iter();
            }
            "AK4" => {
                let one = elements_of.next().expect("as many notes as AK4");
                eyes.same("AK401", Some(one.element), at(&s, 1));
                eyes.same("AK402", one.reference.as_ref(), at(&s, 2));
                eyes.same("AK403", Some(&one.code), at(&s, 3));
                eyes.same("AK404", one.copy.as_ref(), at(&s, 4));
            }
            "AK5" => {
                let one = set.expect("AK5 follows AK2");
                eyes.same("AK501", Some(one.verdict.code()), at(&s, 1));
                assert_eq!(one.codes, codes(&s, 2), "AK502 in {file}");
            }
            "AK9" => {
                eyes.same("AK901", Some(ack.verdict.code()), at(&s, 1));
                eyes.same("AK902", Some(ack.included), at(&s, 2));
                eyes.same("AK903", Some(ack.received), at(&s, 3));
                eyes.same("AK904", Some(ack.accepted), at(&s, 4));
                assert_eq!(ack.codes, codes(&s, 5), "AK905 in {file}");
            }
            _ => {}
        }
    }
    eyes.end(least);
}

#[test]
fn a_retailers_order() {
    check_850("aaronhuggins__node-x12/test__test-data__850.edi", 60);
}

#[test]
fn an_order_in_cases() {
    check_850("apimeister__x12-types/test-data__004010_850.edi", 60);
}

#[test]
fn an_order_with_line_feeds_as_terminators() {
    check_850(
        "walmartlabs__gozer/src__test__resources__po850__po850.txt",
        25,
    );
}

#[test]
fn a_booksellers_acknowledgment() {
    check_855("aaronhuggins__node-x12/test__test-data__855.edi", 90);
}

#[test]
fn an_acknowledgment_with_several_answers_to_a_line() {
    check_855(
        &aerospace(
            "X358_SC855",
            "Purchase_Order_Acknowledgment",
            "po-ack-minor-changes",
        ),
        29,
    );
}

#[test]
fn an_acknowledgment_with_schedules() {
    check_855(
        &aerospace(
            "X358_SC855",
            "Purchase_Order_Acknowledgment",
            "po-ack-ship-details",
        ),
        43,
    );
}

#[test]
fn a_plants_acknowledgment() {
    check_855(
        "kputnam__stupidedi/spec__fixtures__004010__PR855__pass__1.edi",
        13,
    );
}

#[test]
fn a_booksellers_invoice() {
    check_810(
        "kputnam__stupidedi/spec__fixtures__004010__IN810__pass__1.edi",
        24,
    );
}

#[test]
fn an_aerospace_invoice() {
    check_810(&aerospace("X348_SC810", "Invoice", "basic-invoice"), 13);
}

#[test]
fn an_acknowledgment_of_syntax() {
    check_997("xlate__staedi/src__test__resources__x12__simple997.edi", 15);
}

#[test]
fn an_acknowledgment_of_a_group_alone() {
    check_997(
        "xlate__staedi/src__test__resources__x12__optionalInterchangeServices.edi",
        6,
    );
}

#[test]
fn an_acknowledgment_of_several_sets() {
    check_997(
        "kputnam__stupidedi/spec__fixtures__005010__X230_FA997_Functional_Acknowledgment_for_Health_Care_Insurance__pass__response-to-functional-group-containing-837s.edi",
        14,
    );
}

/// Where the corpus keeps an example of the aerospace industry's guides.
fn aerospace(guide: &str, title: &str, example: &str) -> String {
    format!(
        "kputnam__stupidedi/spec__fixtures__004010__{guide}_Aerospace_Industry_{title}__pass__{example}.edi"
    )
}
