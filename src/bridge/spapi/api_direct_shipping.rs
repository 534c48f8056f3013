//! Direct fulfillment shipping, v1 and 2021-12-28 in one: a field of one only is optional here.
//!
//! Source: `vendorDirectFulfillmentShippingV1.json`, `vendorDirectFulfillmentShipping_2021-12-28.json`. Each field has the key of the model in its doc.

use super::api_transactions::{ApiError, TransactionReference};
use super::wire::wire;

wire! {
    /// A packing slip, as base64.
    PackingSlip {
        purchase_order_number: String = "purchaseOrderNumber", required, alphanumeric;
        content: String = "content", required;
        content_type: String = "contentType", one_of(&["application/pdf"]);
    }

    /// What the model calls `PackingSlipList`.
    PackingSlipList {
        pagination: Pagination = "pagination";
        packing_slips: Vec<PackingSlip> = "packingSlips";
    }

    /// What the model calls `GetPackingSlipListResponse`.
    GetPackingSlipListResponse {
        payload: PackingSlipList = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `GetPackingSlipResponse`.
    GetPackingSlipResponse {
        payload: PackingSlip = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `SubmitShippingLabelsRequest`.
    SubmitShippingLabelsRequest {
        shipping_label_requests: Vec<ShippingLabelRequest> = "shippingLabelRequests";
    }

    /// What the model calls `ShippingLabelRequest`.
    ShippingLabelRequest {
        purchase_order_number: String = "purchaseOrderNumber", required, alphanumeric;
        selling_party: PartyIdentification = "sellingParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        containers: Vec<Container> = "containers";
    }

    /// An item that is shipped, numbered within this notice.
    Item {
        item_sequence_number: i64 = "itemSequenceNumber", required;
        buyer_product_identifier: String = "buyerProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        shipped_quantity: ItemQuantity = "shippedQuantity", required;
    }

    /// What the model calls `PackedItem`.
    PackedItem {
        item_sequence_number: i64 = "itemSequenceNumber", required;
        buyer_product_identifier: String = "buyerProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        packed_quantity: ItemQuantity = "packedQuantity", required;
        piece_number: i64 = "pieceNumber";
    }

    /// A party: its id, and where the site wants it an address and a tax number.
    PartyIdentification {
        party_id: String = "partyId", required;
        address: Address = "address";
        tax_registration_details: Vec<TaxRegistrationDetails> = "taxRegistrationDetails";
    }

    /// What the model calls `ShipmentDetails`.
    ShipmentDetails {
        shipped_date: String = "shippedDate", required, instant;
        shipment_status: String = "shipmentStatus", required, one_of(&["SHIPPED", "FLOOR_DENIAL"]);
        is_priority_shipment: bool = "isPriorityShipment";
        vendor_order_number: String = "vendorOrderNumber";
        estimated_delivery_date: String = "estimatedDeliveryDate", instant;
    }

    /// A carrier's event, in status and reason codes.
    StatusUpdateDetails {
        tracking_number: String = "trackingNumber", required;
        status_code: String = "statusCode", required;
        reason_code: String = "reasonCode", required;
        status_date_time: String = "statusDateTime", required, instant;
        status_location_address: Address = "statusLocationAddress", required;
        shipment_schedule: ShipmentSchedule = "shipmentSchedule";
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
        address_line1: String = "addressLine1", required;
        address_line2: String = "addressLine2";
        address_line3: String = "addressLine3";
        city: String = "city";
        county: String = "county";
        district: String = "district";
        state_or_region: String = "stateOrRegion";
        postal_code: String = "postalCode";
        country_code: String = "countryCode", required;
        phone: String = "phone";
    }

    /// Length, width and height in one unit.
    Dimensions {
        length: String = "length", required, decimal;
        width: String = "width", required, decimal;
        height: String = "height", required, decimal;
        unit_of_measure: String = "unitOfMeasure", required, one_of(&["IN", "CM"]);
    }

    /// A weight and its unit.
    Weight {
        unit_of_measure: String = "unitOfMeasure", required, one_of(&["KG", "LB"]);
        value: String = "value", required, decimal;
    }

    /// A whole number of eaches or of cases; `unitSize` is what a case holds.
    ItemQuantity {
        amount: i64 = "amount", required;
        unit_of_measure: String = "unitOfMeasure", required;
    }

    /// What the model calls `SubmitShipmentConfirmationsResponse`.
    SubmitShipmentConfirmationsResponse {
        payload: TransactionReference = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `SubmitShipmentStatusUpdatesResponse`.
    SubmitShipmentStatusUpdatesResponse {
        payload: TransactionReference = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `GetShippingLabelListResponse`.
    GetShippingLabelListResponse {
        payload: ShippingLabelList = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `GetShippingLabelResponse`.
    GetShippingLabelResponse {
        payload: ShippingLabel = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `ShippingLabelList`.
    ShippingLabelList {
        pagination: Pagination = "pagination";
        shipping_labels: Vec<ShippingLabel> = "shippingLabels";
    }

    /// What the model calls `LabelData`.
    LabelData {
        package_identifier: String = "packageIdentifier";
        tracking_number: String = "trackingNumber";
        ship_method: String = "shipMethod";
        ship_method_name: String = "shipMethodName";
        content: String = "content", required;
    }

    /// A label of a package, as base64.
    ShippingLabel {
        purchase_order_number: String = "purchaseOrderNumber", required, alphanumeric;
        selling_party: PartyIdentification = "sellingParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        label_format: String = "labelFormat", required, one_of(&["PNG", "ZPL"]);
        label_data: Vec<LabelData> = "labelData", required;
    }

    /// What the model calls `SubmitShippingLabelsResponse`.
    SubmitShippingLabelsResponse {
        payload: TransactionReference = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// The body of the operation that submits ship notices.
    SubmitShipmentConfirmationsRequest {
        shipment_confirmations: Vec<ShipmentConfirmation> = "shipmentConfirmations";
    }

    /// A ship notice: levels are references from pallets to cartons to items.
    ShipmentConfirmation {
        purchase_order_number: String = "purchaseOrderNumber", required, alphanumeric;
        shipment_details: ShipmentDetails = "shipmentDetails", required;
        selling_party: PartyIdentification = "sellingParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        items: Vec<Item> = "items", required;
        containers: Vec<Container> = "containers";
    }

    /// What the model calls `SubmitShipmentStatusUpdatesRequest`.
    SubmitShipmentStatusUpdatesRequest {
        shipment_status_updates: Vec<ShipmentStatusUpdate> = "shipmentStatusUpdates", min_items(1);
    }

    /// What the model calls `ShipmentStatusUpdate`.
    ShipmentStatusUpdate {
        purchase_order_number: String = "purchaseOrderNumber", required, alphanumeric;
        selling_party: PartyIdentification = "sellingParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        status_update_details: StatusUpdateDetails = "statusUpdateDetails", required;
    }

    /// What the model calls `GetCustomerInvoicesResponse`.
    GetCustomerInvoicesResponse {
        payload: CustomerInvoiceList = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `GetCustomerInvoiceResponse`.
    GetCustomerInvoiceResponse {
        payload: CustomerInvoice = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `CustomerInvoiceList`.
    CustomerInvoiceList {
        pagination: Pagination = "pagination";
        customer_invoices: Vec<CustomerInvoice> = "customerInvoices";
    }

    /// Where the next page begins.
    Pagination {
        next_token: String = "nextToken";
    }

    /// What the model calls `CustomerInvoice`.
    CustomerInvoice {
        purchase_order_number: String = "purchaseOrderNumber", required, alphanumeric;
        content: String = "content", required;
    }

    /// What the model calls `Container`.
    Container {
        container_type: String = "containerType", required, one_of(&["carton", "pallet", "Carton", "Pallet"]);
        container_identifier: String = "containerIdentifier", required;
        tracking_number: String = "trackingNumber";
        manifest_id: String = "manifestId";
        manifest_date: String = "manifestDate";
        ship_method: String = "shipMethod";
        scac_code: String = "scacCode";
        carrier: String = "carrier";
        container_sequence_number: i64 = "containerSequenceNumber";
        dimensions: Dimensions = "dimensions";
        weight: Weight = "weight", required;
        packed_items: Vec<PackedItem> = "packedItems", required;
    }

    /// What the model calls `ShipmentSchedule`.
    ShipmentSchedule {
        estimated_delivery_date_time: String = "estimatedDeliveryDateTime", instant;
        appt_window_start_date_time: String = "apptWindowStartDateTime", instant;
        appt_window_end_date_time: String = "apptWindowEndDateTime", instant;
    }

    /// What the model calls `CreateShippingLabelsRequest`.
    CreateShippingLabelsRequest {
        selling_party: PartyIdentification = "sellingParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        containers: Vec<Container> = "containers";
    }

    /// What the model calls `ErrorList`.
    ErrorList {
        errors: Vec<ApiError> = "errors", required;
    }

    /// What the model calls `CreateContainerLabelRequest`.
    CreateContainerLabelRequest {
        selling_party: PartyIdentification = "sellingParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        carrier_id: String = "carrierId", required, one_of(&["SWA"]);
        vendor_container_id: String = "vendorContainerId", required;
        packages: Vec<Package> = "packages", required;
    }

    /// What the model calls `Package`.
    Package {
        package_tracking_number: String = "packageTrackingNumber", required;
    }

    /// What the model calls `CreateContainerLabelResponse`.
    CreateContainerLabelResponse {
        container_label: ContainerLabel = "containerLabel", required;
    }

    /// What the model calls `ContainerLabel`.
    ContainerLabel {
        container_tracking_number: String = "containerTrackingNumber";
        content: String = "content", required;
        format: String = "format", required, one_of(&["PNG", "ZPL"]);
    }
}
