//! Direct fulfillment payments v1: the invoices of orders that go to consumers.
//!
//! Source: `vendorDirectFulfillmentPaymentsV1.json`. Each field has the key of the model in its doc.

use super::api_transactions::{ApiError, TransactionReference};
use super::wire::wire;

wire! {
    /// The body of `submitInvoice`.
    SubmitInvoiceRequest {
        invoices: Vec<InvoiceDetail> = "invoices";
    }

    /// The invoice of direct fulfillment orders.
    InvoiceDetail {
        invoice_number: String = "invoiceNumber", required;
        invoice_date: String = "invoiceDate", required, instant;
        reference_number: String = "referenceNumber";
        remit_to_party: PartyIdentification = "remitToParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        bill_to_party: PartyIdentification = "billToParty";
        ship_to_country_code: String = "shipToCountryCode";
        payment_terms_code: String = "paymentTermsCode";
        invoice_total: Money = "invoiceTotal", required;
        tax_totals: Vec<TaxDetail> = "taxTotals";
        additional_details: Vec<AdditionalDetails> = "additionalDetails";
        charge_details: Vec<ChargeDetails> = "chargeDetails";
        items: Vec<InvoiceItem> = "items", required;
    }

    /// A line that is invoiced; several orders may stand in one invoice, line by line.
    InvoiceItem {
        item_sequence_number: String = "itemSequenceNumber", required;
        buyer_product_identifier: String = "buyerProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        invoiced_quantity: ItemQuantity = "invoicedQuantity", required;
        net_cost: Money = "netCost", required;
        purchase_order_number: String = "purchaseOrderNumber", required;
        vendor_order_number: String = "vendorOrderNumber";
        hsn_code: String = "hsnCode";
        tax_details: Vec<TaxDetail> = "taxDetails";
        charge_details: Vec<ChargeDetails> = "chargeDetails";
    }

    /// A party: its id, and where the site wants it an address and a tax number.
    PartyIdentification {
        party_id: String = "partyId", required;
        address: Address = "address";
        tax_registration_details: Vec<TaxRegistrationDetail> = "taxRegistrationDetails";
    }

    /// What the model calls `TaxRegistrationDetail`.
    TaxRegistrationDetail {
        tax_registration_type: String = "taxRegistrationType", one_of(&["VAT", "GST"]);
        tax_registration_number: String = "taxRegistrationNumber", required;
        tax_registration_address: Address = "taxRegistrationAddress";
        tax_registration_message: String = "taxRegistrationMessage";
    }

    /// A postal address; the country is ISO 3166, two letters.
    Address {
        name: String = "name", required;
        address_line1: String = "addressLine1", required;
        address_line2: String = "addressLine2";
        address_line3: String = "addressLine3";
        city: String = "city", required;
        county: String = "county";
        district: String = "district";
        state_or_region: String = "stateOrRegion", required;
        postal_code: String = "postalCode", required;
        country_code: String = "countryCode", required;
        phone: String = "phone";
    }

    /// An amount in major units as decimal text, and its ISO 4217 currency.
    Money {
        currency_code: String = "currencyCode", required;
        amount: String = "amount", required, decimal;
    }

    /// What the model calls `TaxDetail`.
    TaxDetail {
        tax_type: String = "taxType", required, one_of(&["CGST", "SGST", "CESS", "UTGST", "IGST", "MwSt.", "PST", "TVA", "VAT", "GST", "ST", "Consumption", "MutuallyDefined", "DomesticVAT"]);
        tax_rate: String = "taxRate", decimal;
        tax_amount: Money = "taxAmount", required;
        taxable_amount: Money = "taxableAmount";
    }

    /// A charge and its taxes.
    ChargeDetails {
        kind: String = "type", required, one_of(&["GIFTWRAP", "FULFILLMENT", "MARKETINGINSERT", "PACKAGING", "LOADING", "FREIGHTOUT", "TAX_COLLECTED_AT_SOURCE"]);
        charge_amount: Money = "chargeAmount", required;
        tax_details: Vec<TaxDetail> = "taxDetails";
    }

    /// Something else that a country's law or the buyer wants on it.
    AdditionalDetails {
        kind: String = "type", required, one_of(&["SUR", "OCR"]);
        detail: String = "detail", required;
        language_code: String = "languageCode";
    }

    /// A whole number of eaches or of cases; `unitSize` is what a case holds.
    ItemQuantity {
        amount: i64 = "amount", required;
        unit_of_measure: String = "unitOfMeasure", required;
    }

    /// What the model calls `SubmitInvoiceResponse`.
    SubmitInvoiceResponse {
        payload: TransactionReference = "payload";
        errors: Vec<ApiError> = "errors";
    }
}
