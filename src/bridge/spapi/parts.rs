//! What every document has: amounts, parties, ids of items.

use super::loss::LossKind;
use super::rows::Via;
use super::walk::Walk;
use crate::canonical::check_digit;

/// How an API spells a party.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spelling {
    /// The key of the postal code.
    pub(super) postal: &'static str,
    /// Where the tax number stands: an object, a list's first, or nowhere.
    pub(super) tax: Option<&'static str>,
}

/// Vendor orders.
pub(super) const ORDERS: Spelling = Spelling {
    postal: "postalCode",
    tax: Some("taxInfo"),
};
/// Vendor shipments, direct fulfillment shipping and orders.
pub(super) const SHIPMENTS: Spelling = Spelling {
    postal: "postalCode",
    tax: Some("taxRegistrationDetails[0]"),
};
/// Vendor invoices.
pub(super) const INVOICES: Spelling = Spelling {
    postal: "postalOrZipCode",
    tax: Some("taxRegistrationDetails[0]"),
};

const ADDRESS: [(&str, &str); 7] = [
    ("name", "name"),
    ("address.lines[0]", "addressLine1"),
    ("address.lines[1]", "addressLine2"),
    ("address.lines[2]", "addressLine3"),
    ("address.city", "city"),
    ("address.state", "stateOrRegion"),
    ("address.country", "countryCode"),
];

/// X12 98 of the parties that have several.
const ROLES: [(&str, &str); 2] = [("vendor", "VN"), ("remit_to", "RI")];

impl Walk<'_> {
    /// An amount of ours, with the currency at `own`, the document's, or the site's.
    pub(super) fn money_to_api(&mut self, amount: &str, own: &str, theirs: &str) {
        let Some(text) = self.ours.text(amount) else {
            return;
        };
        if self.theirs.has(theirs) {
            return;
        }
        let place = format!("{theirs}.amount");
        self.said(amount, &place);
        self.theirs.put(&place, text);
        let code = format!("{theirs}.currencyCode");
        if let Some(word) = self.said(own, &code) {
            // Which amount's currency becomes the document's again is for the way back.
            self.note(LossKind::Split, own, &word);
            return self.theirs.put(&code, word);
        }
        if let Some(currency) = self.currency.clone() {
            self.ours.take("currency.code");
            return self.make(&code, currency, "currency.code");
        }
        let currency = self.context.site.currency.clone();
        self.add(LossKind::Synthesised, &code, currency);
    }

    /// The other way; the first currency becomes the document's.
    pub(super) fn money_from_api(&mut self, amount: &str, own: &str, theirs: &str) {
        self.back(amount, &format!("{theirs}.amount"), Via::Decimal);
        self.currency_from_api(own, &format!("{theirs}.currencyCode"));
    }

    /// The currency of an amount: the document's, if it is the first; else the amount's own, if it
    /// can have one.
    pub(super) fn currency_from_api(&mut self, own: &str, code: &str) {
        let Some(currency) = self.theirs.text(code) else {
            return;
        };
        match self.currency.as_deref() {
            None => {
                self.add(LossKind::Inferred, "currency.code", currency.as_str());
                self.trace("currency.code", code);
                self.currency = Some(currency);
            }
            Some(same) if same == currency => self.trace("currency.code", code),
            Some(_) if own.is_empty() => self.note(LossKind::Refused, code, currency),
            Some(_) => {
                self.trace(own, code);
                self.add(LossKind::Inferred, own, currency);
            }
        }
        self.theirs.take(code);
    }

    /// A party. The API has no qualifier of its id, and wants an address whole or not at all.
    pub(super) fn party_to_api(&mut self, ours: &str, theirs: &str, spelling: Spelling) {
        self.party_id_to_api(ours, theirs);
        self.address_to_api(ours, &format!("{theirs}.address"), spelling);
        let Some(tax) = spelling.tax else { return };
        for n in 0..self.ours.len(&format!("{ours}.references")) {
            let reference = format!("{ours}.references[{n}]");
            let kind = self.ours.text(&format!("{reference}.qualifier"));
            if kind.is_some_and(|kind| super::codes::theirs("tax_number", &kind).is_some()) {
                let tax = format!("{theirs}.{tax}");
                let (kind, number) = (
                    format!("{tax}.taxRegistrationType"),
                    format!("{tax}.taxRegistrationNumber"),
                );
                if self.ours.has(&format!("{reference}.id")) && !self.theirs.has(&tax) {
                    self.over(
                        &format!("{reference}.qualifier"),
                        &kind,
                        Via::Code("tax_number"),
                    );
                    self.over(&format!("{reference}.id"), &number, Via::Text);
                }
            }
        }
    }

    /// A party's id, and whose numbering it is where its form says so.
    pub(super) fn party_id_to_api(&mut self, ours: &str, theirs: &str) {
        let (id, place) = (format!("{ours}.id.id"), format!("{theirs}.partyId"));
        let Some(text) = self.ours.text(&id).filter(|_| !self.theirs.has(&place)) else {
            return;
        };
        self.over(&id, &place, Via::Text);
        let qualifier = format!("{ours}.id.qualifier");
        self.said_if(&qualifier, party_qualifier(text.trim()), &place);
    }

    /// Name and address of a party, if they are enough for the API.
    pub(super) fn address_to_api(&mut self, ours: &str, theirs: &str, spelling: Spelling) {
        let has = |path: &str| self.ours.has(&format!("{ours}.{path}"));
        if !has("name") || !has("address.lines[0]") {
            return;
        }
        for (our, their) in ADDRESS {
            self.over(
                &format!("{ours}.{our}"),
                &format!("{theirs}.{their}"),
                Via::Text,
            );
        }
        let postal = format!("{theirs}.{}", spelling.postal);
        self.over(&format!("{ours}.address.postal_code"), &postal, Via::Text);
        let country = format!("{theirs}.countryCode");
        if !self.theirs.has(&country) {
            let site = self.context.site.country.clone();
            self.add(LossKind::Synthesised, &country, site);
        }
        let contact = format!("{ours}.contacts[0]");
        let phone = [("function", "IC"), ("numbers[0].kind", "telephone")];
        let is = |(name, value): (&str, &str)| {
            self.ours.text(&format!("{contact}.{name}")).as_deref() == Some(value)
        };
        if phone.into_iter().all(is) {
            let (number, place) = (
                format!("{contact}.numbers[0].number"),
                format!("{theirs}.phone"),
            );
            self.over(&number, &place, Via::Text);
            if self.theirs.has(&place) && !self.ours.has(&number) {
                self.said(&format!("{contact}.function"), &place);
                self.said(&format!("{contact}.numbers[0].kind"), &place);
            }
        }
    }

    /// A party, with the qualifier that its id looks like.
    pub(super) fn party_from_api(&mut self, ours: &str, theirs: &str, spelling: Spelling) {
        let id = format!("{ours}.id.id");
        let place = format!("{theirs}.partyId");
        self.back(&id, &place, Via::Text);
        if let Some(text) = self.ours.text(&id) {
            let path = format!("{ours}.id.qualifier");
            self.add(LossKind::Inferred, &path, party_qualifier(&text));
            self.trace(&path, &place);
        }
        self.address_from_api(ours, &format!("{theirs}.address"), spelling);
        // X12 has several words for who it is, and the API none.
        let role = ROLES.iter().find(|(name, _)| *name == ours);
        if let Some((_, role)) = role.filter(|_| self.ours.has(ours)) {
            self.add(LossKind::Inferred, &format!("{ours}.role"), *role);
        }
        let Some(tax) = spelling.tax else { return };
        let tax = format!("{theirs}.{tax}");
        let reference = format!("{ours}.references[0]");
        self.back(
            &format!("{reference}.qualifier"),
            &format!("{tax}.taxRegistrationType"),
            Via::Code("tax_number"),
        );
        let number = format!("{tax}.taxRegistrationNumber");
        self.back(&format!("{reference}.id"), &number, Via::Text);
    }

    /// Name and address of a party.
    pub(super) fn address_from_api(&mut self, ours: &str, theirs: &str, spelling: Spelling) {
        for (our, their) in ADDRESS {
            self.back(
                &format!("{ours}.{our}"),
                &format!("{theirs}.{their}"),
                Via::Text,
            );
        }
        let postal = format!("{theirs}.{}", spelling.postal);
        self.back(&format!("{ours}.address.postal_code"), &postal, Via::Text);
        let phone = format!("{theirs}.phone");
        if self.theirs.has(&phone) {
            let contact = format!("{ours}.contacts[0]");
            self.means(&format!("{contact}.function"), "IC", &phone);
            self.means(&format!("{contact}.numbers[0].kind"), "telephone", &phone);
            self.back(&format!("{contact}.numbers[0].number"), &phone, Via::Text);
        }
    }

    /// The ids of an item: the API has one slot for the buyer's and one for the vendor's.
    pub(super) fn ids_to_api(&mut self, ours: &str, theirs: &str, buyer: &str) {
        let list = format!("{ours}.ids");
        let mut vendor = None;
        for n in 0..self.ours.len(&list) {
            let item = format!("{list}[{n}]");
            let (Some(word), true) = (
                self.ours.text(&format!("{item}.qualifier")),
                self.ours.has(&format!("{item}.id")),
            ) else {
                continue;
            };
            let slot = format!("{theirs}.{buyer}");
            if word == "buyer_part" && !self.theirs.has(&slot) {
                self.over(&format!("{item}.id"), &slot, Via::Text);
                self.said(&format!("{item}.qualifier"), &slot);
            } else if is_vendors(&word) {
                let wanted = self.context.vendor_id.as_deref() == Some(&word);
                if vendor.is_none() || wanted {
                    vendor = Some(item);
                }
            }
        }
        let slot = format!("{theirs}.vendorProductIdentifier");
        let Some(item) = vendor.filter(|_| !self.theirs.has(&slot)) else {
            return;
        };
        let qualifier = format!("{item}.qualifier");
        let id = self.ours.text(&format!("{item}.id")).unwrap_or_default();
        self.over(&format!("{item}.id"), &slot, Via::Text);
        let word = self.vendor_qualifier(id.trim());
        self.said_if(&qualifier, &word, &slot);
    }

    /// The other way: the vendor's id is what its check digit makes it, or what the account says.
    pub(super) fn ids_from_api(&mut self, ours: &str, theirs: &str, buyer: &str) {
        let list = format!("{ours}.ids");
        for (slot, buyers) in [(buyer, true), ("vendorProductIdentifier", false)] {
            let slot = format!("{theirs}.{slot}");
            let Some(text) = self.theirs.text(&slot) else {
                continue;
            };
            let item = format!("{list}[{}]", self.ours.len(&list));
            let word = match buyers {
                true => "buyer_part".to_owned(),
                false => self.vendor_qualifier(text.trim()),
            };
            let qualifier = format!("{item}.qualifier");
            if !buyers {
                self.note(LossKind::Inferred, &qualifier, &word);
            }
            self.means(&qualifier, word, &slot);
            self.back(&format!("{item}.id"), &slot, Via::Text);
        }
    }

    fn vendor_qualifier(&self, id: &str) -> String {
        match &self.context.vendor_id {
            Some(word) => word.clone(),
            None => item_qualifier(id).to_owned(),
        }
    }

    /// The vendor code, from where the document has it or from the account.
    pub(super) fn vendor_code(&mut self, theirs: &str) {
        let path = format!("{theirs}.partyId");
        if let Some(code) = self
            .context
            .vendor_code
            .clone()
            .filter(|_| !self.theirs.has(&path))
        {
            self.add(LossKind::Synthesised, &path, code);
        }
    }

    /// The present time, where the API must have one and nobody said it.
    pub(super) fn now(&mut self, theirs: &str) {
        if !self.theirs.has(theirs) {
            let now = self.context.stamp();
            self.add(LossKind::Synthesised, theirs, now);
        }
    }
}

/// Whose numbering a party's id looks like: a SAN has seven digits, a GLN thirteen with a check
/// digit; all else is the buyer's own.
fn party_qualifier(id: &str) -> &'static str {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    match id.len() {
        7 if digits => "san",
        13 if is_gs1(id) => "gln",
        _ => "assigned_by_buyer",
    }
}

fn is_vendors(word: &str) -> bool {
    matches!(
        word,
        "upc" | "ean" | "gtin_14" | "upc_case_2_5_5" | "isbn" | "vendor_item" | "vendor_part"
    )
}

/// What an id of an item looks like: a GTIN by its length and check digit, an ISBN, or the
/// vendor's own.
fn item_qualifier(id: &str) -> &'static str {
    match id.len() {
        12 if is_gs1(id) => "upc",
        13 if is_gs1(id) => "ean",
        14 if is_gs1(id) => "gtin_14",
        10 if isbn(id) => "isbn",
        _ => "vendor_item",
    }
}

/// Whether a GS1 number ends in its check digit.
fn is_gs1(id: &str) -> bool {
    let split = id.as_bytes().split_last();
    split.is_some_and(|(last, rest)| check_digit(rest) == Some(*last))
}

/// ISBN-10: digits weigh 10 to 1, `X` is ten; the sum is a multiple of eleven.
fn isbn(id: &str) -> bool {
    let value = |(n, byte): (usize, u8)| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0') * (10 - n as u32)),
        b'X' if n == 9 => Some(10),
        _ => None,
    };
    let sum: Option<Vec<u32>> = id.bytes().enumerate().map(value).collect();
    sum.is_some_and(|parts| parts.iter().sum::<u32>() % 11 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_its_check_digit_makes_it() {
        for (id, wanted) in [
            ("036000291452", "upc"),
            ("036000291453", "vendor_item"),
            ("4006381333931", "ean"),
            ("10036000291459", "gtin_14"),
            ("0306406152", "isbn"),
            ("080442957X", "isbn"),
            ("TK-1200", "vendor_item"),
        ] {
            assert_eq!(item_qualifier(id), wanted, "{id}");
        }
        assert_eq!(party_qualifier("1234567"), "san");
        assert_eq!(party_qualifier("PHX3"), "assigned_by_buyer");
    }
}
