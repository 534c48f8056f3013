//! Vendor orders v1: orders, their status, and what a vendor says to them.
//!
//! Source: `vendorOrders.json`. Each field has the key of the model in its doc.

use super::api_transactions::{ApiError, TransactionReference};
use super::wire::wire;

wire! {
    /// What the model calls `GetPurchaseOrdersResponse`.
    GetPurchaseOrdersResponse {
        payload: OrderList = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `GetPurchaseOrderResponse`.
    GetPurchaseOrderResponse {
        payload: Order = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `OrderList`.
    OrderList {
        pagination: Pagination = "pagination";
        orders: Vec<Order> = "orders";
    }

    /// Where the next page begins.
    Pagination {
        next_token: String = "nextToken";
    }

    /// One order, or of an order that was asked for without details its number and state.
    Order {
        purchase_order_number: String = "purchaseOrderNumber", required;
        purchase_order_state: String = "purchaseOrderState", required, one_of(&["New", "Acknowledged", "Closed"]);
        order_details: OrderDetails = "orderDetails";
    }

    /// What an order says beside its number and state.
    OrderDetails {
        purchase_order_date: String = "purchaseOrderDate", required, instant;
        purchase_order_changed_date: String = "purchaseOrderChangedDate", instant;
        purchase_order_state_changed_date: String = "purchaseOrderStateChangedDate", required, instant;
        purchase_order_type: String = "purchaseOrderType", one_of(&["RegularOrder", "ConsignedOrder", "NewProductIntroduction", "RushOrder"]);
        import_details: ImportDetails = "importDetails";
        deal_code: String = "dealCode";
        payment_method: String = "paymentMethod", one_of(&["Invoice", "Consignment", "CreditCard", "Prepaid"]);
        buying_party: PartyIdentification = "buyingParty";
        selling_party: PartyIdentification = "sellingParty";
        ship_to_party: PartyIdentification = "shipToParty";
        bill_to_party: PartyIdentification = "billToParty";
        ship_window: String = "shipWindow", interval;
        delivery_window: String = "deliveryWindow", interval;
        items: Vec<OrderItem> = "items", required;
    }

    /// Freight payment, trade terms, port and containers of an import.
    ImportDetails {
        method_of_payment: String = "methodOfPayment", one_of(&["PaidByBuyer", "CollectOnDelivery", "DefinedByBuyerAndSeller", "FOBPortOfCall", "PrepaidBySeller", "PaidBySeller"]);
        international_commercial_terms: String = "internationalCommercialTerms", one_of(&["ExWorks", "FreeCarrier", "FreeOnBoard", "FreeAlongSideShip", "CarriagePaidTo", "CostAndFreight", "CarriageAndInsurancePaidTo", "CostInsuranceAndFreight", "DeliveredAtTerminal", "DeliveredAtPlace", "DeliverDutyPaid"]);
        port_of_delivery: String = "portOfDelivery", max(64);
        import_containers: String = "importContainers", max(64);
        shipping_instructions: String = "shippingInstructions";
    }

    /// A party: its id, and where the site wants it an address and a tax number.
    PartyIdentification {
        party_id: String = "partyId", required;
        address: Address = "address";
        tax_info: TaxRegistrationDetails = "taxInfo";
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
        postal_code: String = "postalCode";
        country_code: String = "countryCode", required, max(2);
        phone: String = "phone";
    }

    /// A line of an order. `itemSequenceNumber` is text here, an integer in invoices.
    OrderItem {
        item_sequence_number: String = "itemSequenceNumber", required;
        amazon_product_identifier: String = "amazonProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        ordered_quantity: ItemQuantity = "orderedQuantity", required;
        is_back_order_allowed: bool = "isBackOrderAllowed", required;
        net_cost: Money = "netCost";
        list_price: Money = "listPrice";
    }

    /// An amount in major units as decimal text, and its ISO 4217 currency.
    Money {
        currency_code: String = "currencyCode", max(3);
        amount: String = "amount", decimal;
        unit_of_measure: String = "unitOfMeasure", one_of(&["POUNDS", "OUNCES", "GRAMS", "KILOGRAMS"]);
    }

    /// What the model calls `SubmitAcknowledgementResponse`.
    SubmitAcknowledgementResponse {
        payload: TransactionReference = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// The body of `submitAcknowledgement`.
    SubmitAcknowledgementRequest {
        acknowledgements: Vec<OrderAcknowledgement> = "acknowledgements";
    }

    /// What the vendor says to one order.
    OrderAcknowledgement {
        purchase_order_number: String = "purchaseOrderNumber", required;
        selling_party: PartyIdentification = "sellingParty", required;
        acknowledgement_date: String = "acknowledgementDate", required, instant;
        items: Vec<OrderAcknowledgementItem> = "items", required;
    }

    /// What is said to one line; the parts should make up what was ordered.
    OrderAcknowledgementItem {
        item_sequence_number: String = "itemSequenceNumber";
        amazon_product_identifier: String = "amazonProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        ordered_quantity: ItemQuantity = "orderedQuantity", required;
        net_cost: Money = "netCost";
        list_price: Money = "listPrice";
        discount_multiplier: String = "discountMultiplier";
        item_acknowledgements: Vec<OrderItemAcknowledgement> = "itemAcknowledgements", required;
    }

    /// What happens to a quantity of a line.
    OrderItemAcknowledgement {
        acknowledgement_code: String = "acknowledgementCode", required, one_of(&["Accepted", "Backordered", "Rejected"]);
        acknowledged_quantity: ItemQuantity = "acknowledgedQuantity", required;
        scheduled_ship_date: String = "scheduledShipDate", instant;
        scheduled_delivery_date: String = "scheduledDeliveryDate", instant;
        rejection_reason: String = "rejectionReason", one_of(&["TemporarilyUnavailable", "InvalidProductIdentifier", "ObsoleteProduct"]);
    }

    /// A whole number of eaches or of cases; `unitSize` is what a case holds.
    ItemQuantity {
        amount: i64 = "amount";
        unit_of_measure: String = "unitOfMeasure", one_of(&["Cases", "Eaches"]);
        unit_size: i64 = "unitSize";
    }

    /// What the model calls `GetPurchaseOrdersStatusResponse`.
    GetPurchaseOrdersStatusResponse {
        payload: OrderListStatus = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `OrderListStatus`.
    OrderListStatus {
        pagination: Pagination = "pagination";
        orders_status: Vec<OrderStatus> = "ordersStatus";
    }

    /// How far an order is: what was confirmed, what was received.
    OrderStatus {
        purchase_order_number: String = "purchaseOrderNumber", required;
        purchase_order_status: String = "purchaseOrderStatus", required, one_of(&["OPEN", "CLOSED"]);
        purchase_order_date: String = "purchaseOrderDate", required, instant;
        last_updated_date: String = "lastUpdatedDate", instant;
        selling_party: PartyIdentification = "sellingParty", required;
        ship_to_party: PartyIdentification = "shipToParty", required;
        item_status: Vec<OrderItemStatus> = "itemStatus", required;
    }

    /// How far a line is.
    OrderItemStatus {
        item_sequence_number: String = "itemSequenceNumber", required;
        buyer_product_identifier: String = "buyerProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        net_cost: Money = "netCost";
        list_price: Money = "listPrice";
        ordered_quantity: OrderedStatus = "orderedQuantity";
        acknowledgement_status: AcknowledgementStatus = "acknowledgementStatus";
        receiving_status: ReceivingStatus = "receivingStatus";
    }

    /// What the model calls `OrderedQuantityDetails`.
    OrderedQuantityDetails {
        updated_date: String = "updatedDate", instant;
        ordered_quantity: ItemQuantity = "orderedQuantity";
        cancelled_quantity: ItemQuantity = "cancelledQuantity";
    }

    /// What the model calls `AcknowledgementStatusDetails`.
    AcknowledgementStatusDetails {
        acknowledgement_date: String = "acknowledgementDate", instant;
        accepted_quantity: ItemQuantity = "acceptedQuantity";
        rejected_quantity: ItemQuantity = "rejectedQuantity";
    }

    /// What is ordered of a line now, and how that came about.
    OrderedStatus {
        ordered_quantity: ItemQuantity = "orderedQuantity";
        ordered_quantity_details: Vec<OrderedQuantityDetails> = "orderedQuantityDetails";
    }

    /// What the vendor confirmed of a line. In direct fulfillment: the answer's code.
    AcknowledgementStatus {
        confirmation_status: String = "confirmationStatus", one_of(&["ACCEPTED", "PARTIALLY_ACCEPTED", "REJECTED", "UNCONFIRMED"]);
        accepted_quantity: ItemQuantity = "acceptedQuantity";
        rejected_quantity: ItemQuantity = "rejectedQuantity";
        acknowledgement_status_details: Vec<AcknowledgementStatusDetails> = "acknowledgementStatusDetails";
    }

    /// What the buyer has received of a line.
    ReceivingStatus {
        receive_status: String = "receiveStatus", one_of(&["NOT_RECEIVED", "PARTIALLY_RECEIVED", "RECEIVED"]);
        received_quantity: ItemQuantity = "receivedQuantity";
        last_receive_date: String = "lastReceiveDate", instant;
    }
}
