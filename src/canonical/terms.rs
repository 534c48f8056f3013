//! Money's rules: currency, payment terms, allowances and charges, taxes, conditions of sale.
//! Amounts are in major units of the document's currency.

use super::{Code, Date, DateReference, Decimal, ItemId, PriceDetail};

records! {
    /// The currency of a document or line, and who said it (X12 CUR).
    Currency {
        /// Whose currency, as a raw code (X12 98).
        role: Option<String>,
        /// ISO 4217.
        code: Option<String>,
        /// Exchange rate.
        rate: Option<Decimal>,
        /// Whose the currency is that the rate leads to, as a raw code (X12 98).
        other_role: Option<String>,
        /// The currency that the rate leads to.
        other_code: Option<String>,
        /// Which market the rate is of, as a raw code (X12 669).
        market: Option<String>,
    }

    /// When and how to pay (X12 ITD).
    Terms {
        /// Kind: `basic`, `end_of_month` …
        kind: Option<Code>,
        /// From which date days are counted: `invoice_date` …
        from: Option<Code>,
        /// Discount for early payment, in percent.
        discount_percent: Option<Decimal>,
        /// The discount is lost after this date.
        discount_due: Option<Date>,
        /// The discount is lost after so many days.
        discount_days: Option<u32>,
        /// Everything is due at this date.
        net_due: Option<Date>,
        /// Everything is due after so many days.
        net_days: Option<u32>,
        /// Discount as an amount.
        discount_amount: Option<Decimal>,
        /// When the deferred part is due.
        deferred_due: Option<Date>,
        /// The deferred part.
        deferred_amount: Option<Decimal>,
        /// Part of the invoice that is payable, in percent.
        invoice_percent: Option<Decimal>,
        /// In words.
        description: Option<String>,
        /// Day of the month.
        day_of_month: Option<u32>,
        /// How to pay, as a raw code (X12 107).
        method: Option<String>,
        /// A percentage.
        percent: Option<Decimal>,
    }

    /// An allowance, a charge or a service (X12 SAC).
    Charge {
        /// `allowance`, `charge`, `no_allowance_or_charge` …
        kind: Option<Code>,
        /// Which, as a raw code (X12 1300), such as `D240` for freight.
        code: Option<String>,
        /// Whose list `agency_code` is of, as a raw code (X12 559).
        agency: Option<String>,
        /// Which, in that list.
        agency_code: Option<String>,
        /// The amount.
        amount: Option<Decimal>,
        /// What the percentage is of, as a raw code (X12 378).
        percent_of: Option<String>,
        /// The percentage.
        percent: Option<Decimal>,
        /// The amount for one unit.
        rate: Option<Decimal>,
        /// That unit.
        unit: Option<Code>,
        /// How many units.
        quantity: Option<Decimal>,
        /// How many units at most or otherwise.
        second_quantity: Option<Decimal>,
        /// How it is settled, as a raw code (X12 331).
        handling: Option<String>,
        /// A number for it.
        reference: Option<String>,
        /// Which option, as text.
        option: Option<String>,
        /// In words.
        description: Option<String>,
        /// Language of the words.
        language: Option<String>,
        /// Currency of this amount.
        currency: Option<Currency>,
        /// Prices that it is reckoned from.
        prices: Vec<PriceDetail>,
        /// Taxes on it.
        taxes: Vec<Tax>,
        /// When it holds.
        dates: Vec<DateReference>,
    }

    /// A tax (X12 TXI).
    Tax {
        /// Which: `vat`, `state_sales`, `goods_and_services` …
        kind: Option<Code>,
        /// The amount.
        amount: Option<Decimal>,
        /// The rate in percent.
        percent: Option<Decimal>,
        /// Whose list the jurisdiction is of, as a raw code (X12 955).
        jurisdiction_qualifier: Option<String>,
        /// Where.
        jurisdiction: Option<String>,
        /// Whether it is exempt, as a raw code (X12 441).
        exempt: Option<String>,
        /// Whether it is in the price, as a raw code (X12 662).
        included: Option<String>,
        /// The amount that it is taken of.
        basis: Option<Decimal>,
        /// The tax number.
        number: Option<String>,
        /// Which line it belongs to.
        line: Option<String>,
        /// When it holds.
        dates: Vec<DateReference>,
    }

    /// A tax number and where it holds (X12 TAX).
    TaxReference {
        /// The number.
        number: Option<String>,
        /// Where it holds.
        jurisdictions: Vec<Jurisdiction>,
        /// Whether the buyer is exempt, as a raw code (X12 441).
        exempt: Option<String>,
    }

    /// A place that taxes.
    Jurisdiction {
        /// What kind of place, as a raw code (X12 309).
        qualifier: Option<String>,
        /// The place.
        location: Option<String>,
    }

    /// What the buyer lets the seller do: back-order, substitute, ship in part (X12 CSH, IT8).
    SalesRequirement {
        /// What is asked: `back_order_allowed`, `no_back_order` …
        requirement: Option<Code>,
        /// What to do otherwise, as a raw code (X12 306).
        action: Option<String>,
        /// Up to this amount.
        amount: Option<Decimal>,
        /// An account.
        account: Option<String>,
        /// By this date.
        date: Option<Date>,
        /// Whose list `special_service` is of, as a raw code (X12 559).
        agency: Option<String>,
        /// A service, in that list.
        special_service: Option<String>,
        /// Whether another item may be sent, as a raw code (X12 566).
        substitution: Option<String>,
        /// A percentage.
        percent: Option<Decimal>,
        /// What the percentage is of, as a raw code (X12 1004).
        percent_of: Option<String>,
        /// Items that may be sent.
        ids: Vec<ItemId>,
    }
}
