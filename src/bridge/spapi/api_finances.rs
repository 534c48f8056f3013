//! Finances invoices 2026-06-25: what was paid of an invoice, and why not all of it.
//!
//! Source: `financesInvoices_2026-06-25.json`. Each field has the key of the model in its doc.

use super::api_transactions::ApiError;
use serde_json::Number;

use super::wire::wire;

wire! {
    /// An amount as a JSON number (elsewhere it is text) and its ISO 4217 currency.
    Currency {
        currency_code: String = "currencyCode", required;
        currency_amount: Number = "currencyAmount", required;
    }

    /// A part of an amount, which may have parts itself.
    Breakdown {
        breakdown_type: String = "breakdownType", required;
        breakdown_amount: Currency = "breakdownAmount", required;
        breakdowns: Vec<Breakdown> = "breakdowns";
    }

    /// What the model calls `BillingPeriod`.
    BillingPeriod {
        start_date: String = "startDate", required, instant;
        end_date: String = "endDate", required, instant;
    }

    /// What the model calls `ErrorList`.
    ErrorList {
        errors: Vec<ApiError> = "errors", required;
    }

    /// Who pays or is paid.
    PartnerMetadata {
        partner_id: String = "partnerId", required;
        partner_type: String = "partnerType", required, one_of(&["SELLER", "VENDOR", "AMAZON"]);
        partner_entities: Vec<String> = "partnerEntities";
        partner_name: String = "partnerName";
        partner_address: String = "partnerAddress";
        tax_registration_number: String = "taxRegistrationNumber";
    }

    /// Numbers of one kind: orders, payments, ship notices.
    RelatedIdentifier {
        related_identifier_name: String = "relatedIdentifierName", required, one_of(&["PAYEE_CODE", "PURCHASE_ORDER_IDS", "SHORTAGE_INVOICE_IDS", "ASN_IDS", "RETURN_IDS", "AGREEMENT_IDS", "PRODUCT_LINE", "VENDOR_CODE", "UNIQUE_PAYMENT_IDS", "WAREHOUSE_ID"]);
        related_identifier_value: Vec<String> = "relatedIdentifierValue", required;
    }

    /// An invoice in the buyer's books, and what became of it.
    InvoiceHeader {
        invoice_number: String = "invoiceNumber", required;
        invoice_status: String = "invoiceStatus", required, one_of(&["IN_PROGRESS", "REJECTED", "PARTIALLY_PAID", "PARTIALLY_DEDUCTED", "PAID", "DEDUCTED"]);
        invoice_type: String = "invoiceType", required, one_of(&["AP_INVENTORY", "OTHER"]);
        billing_period: BillingPeriod = "billingPeriod";
        payer: PartnerMetadata = "payer", required;
        payee: PartnerMetadata = "payee", required;
        invoice_identifier: String = "invoiceIdentifier", required;
        issue_date: String = "issueDate", required, instant;
        due_date: String = "dueDate", instant;
        payment_terms: String = "paymentTerms";
        invoice_amount: Currency = "invoiceAmount", required;
        invoice_amount_breakdowns: Vec<Breakdown> = "invoiceAmountBreakdowns";
        invoice_settlement_breakdowns: Vec<Breakdown> = "invoiceSettlementBreakdowns";
        related_identifiers: Vec<RelatedIdentifier> = "relatedIdentifiers";
        creation_date: String = "creationDate", required, instant;
        last_updated_date: String = "lastUpdatedDate", required, instant;
    }

    /// What the model calls `ItemIdentifier`.
    ItemIdentifier {
        item_identifier_name: String = "itemIdentifierName", required, one_of(&["ASIN", "EXTERNAL_ID", "SKU", "UPC", "EAN", "ISBN"]);
        item_identifier_value: String = "itemIdentifierValue", required;
    }

    /// What the model calls `ServiceChargePeriod`.
    ServiceChargePeriod {
        start_date: String = "startDate", required, instant;
        end_date: String = "endDate", required, instant;
    }

    /// What the model calls `LineItemContext`.
    LineItemContext {
        line_item_type: String = "lineItemType", required, one_of(&["GOODS", "SERVICES", "OTHERS"]);
        item_identifiers: Vec<ItemIdentifier> = "itemIdentifiers";
        item_description: String = "itemDescription";
        service_charge_type: String = "serviceChargeType", one_of(&["DAMAGE_ALLOWANCE", "PRICE_PROTECTION", "FBA_INVENTORY_STORAGE_FEE", "OTHER"]);
        service_charge_period: ServiceChargePeriod = "serviceChargePeriod";
        matching_context: MatchingContext = "matchingContext";
    }

    /// Why a line was not paid in full.
    VarianceReason {
        variance_type: String = "varianceType", required, one_of(&["PQV", "PPV", "OTHER"]);
        defect_types: Vec<String> = "defectTypes";
    }

    /// How a line compares with what was received and agreed.
    MatchingContext {
        matched_quantity: i64 = "matchedQuantity", required;
        matched_amount: Currency = "matchedAmount", required;
        quantity_variance: i64 = "quantityVariance";
        price_variance: Currency = "priceVariance";
        paid_quantity: i64 = "paidQuantity";
        paid_amount: Currency = "paidAmount";
        variance_reasons: Vec<VarianceReason> = "varianceReasons";
    }

    /// A line that is invoiced; several orders may stand in one invoice, line by line.
    InvoiceItem {
        line_item_id: String = "lineItemId", required;
        unit_cost: Currency = "unitCost";
        quantity: i64 = "quantity";
        tax_rate_codes: Vec<String> = "taxRateCodes";
        total_amount: Currency = "totalAmount", required;
        total_amount_breakdown: Vec<Breakdown> = "totalAmountBreakdown";
        line_item_context: LineItemContext = "lineItemContext", required;
        related_item_identifiers: Vec<RelatedIdentifier> = "relatedItemIdentifiers";
    }

    /// What the model calls `GetInvoicesResponse`.
    GetInvoicesResponse {
        invoices: Vec<InvoiceHeader> = "invoices";
        num_of_records: i64 = "numOfRecords";
        next_token: String = "nextToken";
    }

    /// What the model calls `GetInvoiceResponse`.
    GetInvoiceResponse {
        invoice_header: InvoiceHeader = "invoiceHeader";
        invoice_items: Vec<InvoiceItem> = "invoiceItems";
        next_token_for_line_items: String = "nextTokenForLineItems";
    }
}
