//! Vendor payments v1: invoices and credit notes that a vendor submits.
//!
//! Source: `vendorInvoices.json`. Each field has the key of the model in its doc.

use super::api_transactions::{ApiError, TransactionReference};
use serde_json::Number;

use super::wire::wire;

wire! {
    /// What the model calls `SubmitInvoicesResponse`.
    SubmitInvoicesResponse {
        payload: TransactionReference = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// The body of `submitInvoices`.
    SubmitInvoicesRequest {
        invoices: Vec<Invoice> = "invoices";
    }

    /// An invoice or a credit note.
    Invoice {
        invoice_type: String = "invoiceType", required, one_of(&["Invoice", "CreditNote"]);
        id: String = "id", required;
        reference_number: String = "referenceNumber";
        date: String = "date", required, instant;
        remit_to_party: PartyIdentification = "remitToParty", required;
        ship_to_party: PartyIdentification = "shipToParty";
        ship_from_party: PartyIdentification = "shipFromParty";
        bill_to_party: PartyIdentification = "billToParty";
        payment_terms: PaymentTerms = "paymentTerms";
        invoice_total: Money = "invoiceTotal", required;
        tax_details: Vec<TaxDetails> = "taxDetails";
        additional_details: Vec<AdditionalDetails> = "additionalDetails";
        charge_details: Vec<ChargeDetails> = "chargeDetails";
        allowance_details: Vec<AllowanceDetails> = "allowanceDetails";
        items: Vec<InvoiceItem> = "items";
    }

    /// A party: its id, and where the site wants it an address and a tax number.
    PartyIdentification {
        party_id: String = "partyId", required;
        address: Address = "address";
        tax_registration_details: Vec<TaxRegistrationDetails> = "taxRegistrationDetails";
    }

    /// A tax number and its kind.
    TaxRegistrationDetails {
        tax_registration_type: String = "taxRegistrationType", required, one_of(&["VAT", "GST"]);
        tax_registration_number: String = "taxRegistrationNumber", required;
    }

    /// A postal address; the country is ISO 3166, two letters.
    Address {
        name: String = "name", required;
        address_line1: String = "addressLine1", required;
        address_line2: String = "addressLine2";
        address_line3: String = "addressLine3";
        city: String = "city";
        county: String = "county";
        district: String = "district";
        state_or_region: String = "stateOrRegion";
        postal_or_zip_code: String = "postalOrZipCode";
        country_code: String = "countryCode", required, max(2);
        phone: String = "phone";
    }

    /// A line that is invoiced; several orders may stand in one invoice, line by line.
    InvoiceItem {
        item_sequence_number: i64 = "itemSequenceNumber", required;
        amazon_product_identifier: String = "amazonProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        invoiced_quantity: ItemQuantity = "invoicedQuantity", required;
        net_cost: Money = "netCost", required;
        net_cost_unit_of_measure: String = "netCostUnitOfMeasure", one_of(&["POUNDS", "OUNCES", "GRAMS", "KILOGRAMS"]);
        purchase_order_number: String = "purchaseOrderNumber";
        hsn_code: String = "hsnCode";
        credit_note_details: CreditNoteDetails = "creditNoteDetails";
        tax_details: Vec<TaxDetails> = "taxDetails";
        charge_details: Vec<ChargeDetails> = "chargeDetails";
        allowance_details: Vec<AllowanceDetails> = "allowanceDetails";
    }

    /// A tax: kind, rate and amount.
    TaxDetails {
        tax_type: String = "taxType", required, one_of(&["CGST", "SGST", "CESS", "UTGST", "IGST", "MwSt.", "PST", "TVA", "VAT", "GST", "ST", "Consumption", "MutuallyDefined", "DomesticVAT"]);
        tax_rate: String = "taxRate", decimal;
        tax_amount: Money = "taxAmount", required;
        taxable_amount: Money = "taxableAmount";
    }

    /// An amount in major units as decimal text, and its ISO 4217 currency.
    Money {
        currency_code: String = "currencyCode";
        amount: String = "amount", decimal;
    }

    /// Something else that a country's law or the buyer wants on it.
    AdditionalDetails {
        kind: String = "type", required, one_of(&["SUR", "OCR", "CartonCount"]);
        detail: String = "detail", required;
        language_code: String = "languageCode";
    }

    /// A charge and its taxes.
    ChargeDetails {
        kind: String = "type", required, one_of(&["Freight", "Packing", "Duty", "Service", "SmallOrder", "InsurancePlacementCost", "InsuranceFee", "SpecialHandlingService", "CollectionAndRecyclingService", "EnvironmentalProtectionService", "TaxCollectedAtSource"]);
        description: String = "description";
        charge_amount: Money = "chargeAmount", required;
        tax_details: Vec<TaxDetails> = "taxDetails";
    }

    /// An allowance and its taxes.
    AllowanceDetails {
        kind: String = "type", required, one_of(&["Discount", "DiscountIncentive", "Defective", "Promotional", "UnsaleableMerchandise", "Special"]);
        description: String = "description";
        allowance_amount: Money = "allowanceAmount", required;
        tax_details: Vec<TaxDetails> = "taxDetails";
    }

    /// When to pay, and the discount for paying early.
    PaymentTerms {
        kind: String = "type", one_of(&["Basic", "EndOfMonth", "FixedDate", "Proximo", "PaymentDueUponReceiptOfInvoice", "LetterofCredit"]);
        discount_percent: String = "discountPercent", decimal;
        discount_due_days: Number = "discountDueDays";
        net_due_days: Number = "netDueDays";
    }

    /// What a credit is for: invoice, return, agreement.
    CreditNoteDetails {
        reference_invoice_number: String = "referenceInvoiceNumber";
        debit_note_number: String = "debitNoteNumber";
        returns_reference_number: String = "returnsReferenceNumber";
        goods_return_date: String = "goodsReturnDate", instant;
        rma_id: String = "rmaId";
        coop_reference_number: String = "coopReferenceNumber";
        consignors_reference_number: String = "consignorsReferenceNumber";
    }

    /// A whole number of eaches or of cases; `unitSize` is what a case holds.
    ItemQuantity {
        amount: i64 = "amount", required;
        unit_of_measure: String = "unitOfMeasure", required, one_of(&["Cases", "Eaches"]);
        unit_size: i64 = "unitSize";
        total_weight: TotalWeight = "totalWeight";
    }

    /// What the model calls `TotalWeight`.
    TotalWeight {
        unit_of_measure: String = "unitOfMeasure", required, one_of(&["POUNDS", "OUNCES", "GRAMS", "KILOGRAMS"]);
        amount: String = "amount", required, decimal;
    }
}
