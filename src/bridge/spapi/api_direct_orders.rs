//! Direct fulfillment orders, v1 and 2021-12-28 in one: a field of one only is optional here.
//!
//! Source: `vendorDirectFulfillmentOrdersV1.json`, `vendorDirectFulfillmentOrders_2021-12-28.json`. Each field has the key of the model in its doc.

use super::api_transactions::{ApiError, TransactionReference};
use super::wire::wire;

wire! {
    /// What the model calls `GetOrdersResponse`.
    GetOrdersResponse {
        payload: OrderList = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `GetOrderResponse`.
    GetOrderResponse {
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
        order_details: OrderDetails = "orderDetails";
    }

    /// What an order says beside its number and state.
    OrderDetails {
        customer_order_number: String = "customerOrderNumber", required;
        order_date: String = "orderDate", required, instant;
        order_status: String = "orderStatus", one_of(&["NEW", "SHIPPED", "ACCEPTED", "CANCELLED"]);
        shipment_details: ShipmentDetails = "shipmentDetails", required;
        tax_total: TaxItemDetails = "taxTotal";
        selling_party: PartyIdentification = "sellingParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        ship_to_party: Address = "shipToParty", required;
        bill_to_party: PartyIdentification = "billToParty", required;
        items: Vec<OrderItem> = "items", required;
        has_customizable_items: bool = "hasCustomizableItems";
    }

    /// A party: its id, and where the site wants it an address and a tax number.
    PartyIdentification {
        party_id: String = "partyId", required;
        address: Address = "address";
        tax_info: TaxRegistrationDetails = "taxInfo";
    }

    /// A tax number and its kind.
    TaxRegistrationDetails {
        tax_registration_type: String = "taxRegistrationType", one_of(&["VAT", "GST"]);
        tax_registration_number: String = "taxRegistrationNumber", required;
        tax_registration_address: Address = "taxRegistrationAddress";
        tax_registration_messages: String = "taxRegistrationMessages";
    }

    /// A postal address; the country is ISO 3166, two letters.
    Address {
        name: String = "name", required;
        attention: String = "attention";
        address_line1: String = "addressLine1", required;
        address_line2: String = "addressLine2";
        address_line3: String = "addressLine3";
        city: String = "city";
        county: String = "county";
        district: String = "district";
        state_or_region: String = "stateOrRegion", required;
        postal_code: String = "postalCode";
        country_code: String = "countryCode", required;
        phone: String = "phone";
    }

    /// A line of an order. `itemSequenceNumber` is text here, an integer in invoices.
    OrderItem {
        item_sequence_number: String = "itemSequenceNumber", required;
        buyer_product_identifier: String = "buyerProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        title: String = "title";
        ordered_quantity: ItemQuantity = "orderedQuantity", required;
        scheduled_delivery_shipment: ScheduledDeliveryShipment = "scheduledDeliveryShipment";
        gift_details: GiftDetails = "giftDetails";
        net_price: Money = "netPrice", required;
        tax_details: TaxItemDetails = "taxDetails";
        total_price: Money = "totalPrice";
        buyer_customized_info: BuyerCustomizedInfoDetail = "buyerCustomizedInfo";
    }

    /// An amount in major units as decimal text, and its ISO 4217 currency.
    Money {
        currency_code: String = "currencyCode";
        amount: String = "amount", decimal;
    }

    /// What the model calls `SubmitAcknowledgementResponse`.
    SubmitAcknowledgementResponse {
        payload: TransactionReference = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// The body of `submitAcknowledgement`.
    SubmitAcknowledgementRequest {
        order_acknowledgements: Vec<OrderAcknowledgementItem> = "orderAcknowledgements";
    }

    /// What is said to one line; the parts should make up what was ordered.
    OrderAcknowledgementItem {
        purchase_order_number: String = "purchaseOrderNumber", required;
        vendor_order_number: String = "vendorOrderNumber", required;
        acknowledgement_date: String = "acknowledgementDate", required, instant;
        acknowledgement_status: AcknowledgementStatus = "acknowledgementStatus", required;
        selling_party: PartyIdentification = "sellingParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        item_acknowledgements: Vec<OrderItemAcknowledgement> = "itemAcknowledgements", required;
    }

    /// What happens to a quantity of a line.
    OrderItemAcknowledgement {
        item_sequence_number: String = "itemSequenceNumber", required;
        buyer_product_identifier: String = "buyerProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        acknowledged_quantity: ItemQuantity = "acknowledgedQuantity", required;
    }

    /// A whole number of eaches or of cases; `unitSize` is what a case holds.
    ItemQuantity {
        amount: i64 = "amount";
        unit_of_measure: String = "unitOfMeasure", one_of(&["Each"]);
    }

    /// A tax: kind, rate and amount.
    TaxDetails {
        tax_rate: String = "taxRate", decimal;
        tax_amount: Money = "taxAmount", required;
        taxable_amount: Money = "taxableAmount";
        kind: String = "type", one_of(&["CONSUMPTION", "GST", "MwSt.", "PST", "TOTAL", "TVA", "VAT"]);
    }

    /// What the vendor confirmed of a line. In direct fulfillment: the answer's code.
    AcknowledgementStatus {
        code: String = "code";
        description: String = "description";
    }

    /// What the model calls `ShipmentDetails`.
    ShipmentDetails {
        is_priority_shipment: bool = "isPriorityShipment", required;
        is_scheduled_delivery_shipment: bool = "isScheduledDeliveryShipment";
        is_pslip_required: bool = "isPslipRequired", required;
        is_gift: bool = "isGift";
        ship_method: String = "shipMethod", required;
        shipment_dates: ShipmentDates = "shipmentDates", required;
        message_to_customer: String = "messageToCustomer", required;
    }

    /// What the model calls `ShipmentDates`.
    ShipmentDates {
        required_ship_date: String = "requiredShipDate", required, instant;
        promised_delivery_date: String = "promisedDeliveryDate", instant;
    }

    /// What the model calls `ScheduledDeliveryShipment`.
    ScheduledDeliveryShipment {
        scheduled_delivery_service_type: String = "scheduledDeliveryServiceType";
        earliest_nominated_delivery_date: String = "earliestNominatedDeliveryDate", instant;
        latest_nominated_delivery_date: String = "latestNominatedDeliveryDate", instant;
    }

    /// What the model calls `GiftDetails`.
    GiftDetails {
        gift_message: String = "giftMessage";
        gift_wrap_id: String = "giftWrapId";
    }

    /// What the model calls `TaxItemDetails`.
    TaxItemDetails {
        tax_line_item: Vec<TaxDetails> = "taxLineItem";
    }

    /// What the model calls `BuyerCustomizedInfoDetail`.
    BuyerCustomizedInfoDetail {
        customized_url: String = "customizedUrl";
    }

    /// What the model calls `ErrorList`.
    ErrorList {
        errors: Vec<ApiError> = "errors", required;
    }
}
