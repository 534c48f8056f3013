//! Direct fulfillment inventory v1: what a warehouse has for sale.
//!
//! Source: `vendorDirectFulfillmentInventoryV1.json`. Each field has the key of the model in its doc.

use super::api_transactions::{ApiError, TransactionReference};
use super::wire::wire;

wire! {
    /// The body of `submitInventoryUpdate`.
    SubmitInventoryUpdateRequest {
        inventory: InventoryUpdate = "inventory";
    }

    /// What one warehouse has for sale.
    InventoryUpdate {
        selling_party: PartyIdentification = "sellingParty", required;
        is_full_update: bool = "isFullUpdate", required;
        items: Vec<ItemDetails> = "items", required;
    }

    /// Order, lot, expiry and the like of what is shipped.
    ItemDetails {
        buyer_product_identifier: String = "buyerProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        available_quantity: ItemQuantity = "availableQuantity", required;
        is_obsolete: bool = "isObsolete";
    }

    /// A party: its id, and where the site wants it an address and a tax number.
    PartyIdentification {
        party_id: String = "partyId", required;
    }

    /// A whole number of eaches or of cases; `unitSize` is what a case holds.
    ItemQuantity {
        amount: i64 = "amount";
        unit_of_measure: String = "unitOfMeasure", required;
    }

    /// What the model calls `SubmitInventoryUpdateResponse`.
    SubmitInventoryUpdateResponse {
        payload: TransactionReference = "payload";
        errors: Vec<ApiError> = "errors";
    }
}
