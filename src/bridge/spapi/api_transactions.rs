//! What became of a POST: retail v1, direct fulfillment v1 and 2021-12-28 (whose answer is bare).
//!
//! Source: `vendorTransactionStatus.json`, `vendorDirectFulfillmentTransactionsV1.json`, `vendorDirectFulfillmentTransactions_2021-12-28.json`. Each field has the key of the model in its doc.

use super::wire::wire;

wire! {
    /// What the model calls `GetTransactionResponse`.
    GetTransactionResponse {
        payload: TransactionStatus = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// The wrapper of a transaction.
    TransactionStatus {
        transaction_status: Transaction = "transactionStatus";
    }

    /// How far a POST is. `Processing` may be the last that is ever said.
    Transaction {
        transaction_id: String = "transactionId", required;
        status: String = "status", required, one_of(&["Failure", "Processing", "Success"]);
        errors: Vec<ApiError> = "errors";
    }

    /// What went wrong, in a code and words; what is in neither is in `details`.
    ApiError {
        code: String = "code", required;
        message: String = "message", required;
        details: String = "details";
    }

    /// What the model calls `ErrorList`.
    ErrorList {
        errors: Vec<ApiError> = "errors", required;
    }

    /// The number under which a POST's outcome can be asked for: opaque text.
    TransactionReference {
        transaction_id: String = "transactionId";
    }
}
