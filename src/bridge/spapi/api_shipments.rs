//! Vendor shipments v1: what was shipped, what asks for a carrier, and labels.
//!
//! Source: `vendorShipments.json`. Each field has the key of the model in its doc.

use super::api_transactions::{ApiError, TransactionReference};
use super::wire::wire;

wire! {
    /// The body of the operation that submits ship notices.
    SubmitShipmentConfirmationsRequest {
        shipment_confirmations: Vec<ShipmentConfirmation> = "shipmentConfirmations";
    }

    /// The body of the operation that asks for carriers.
    SubmitShipments {
        shipments: Vec<Shipment> = "shipments";
    }

    /// What the model calls `GetShipmentDetailsResponse`.
    GetShipmentDetailsResponse {
        payload: ShipmentDetails = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `GetShipmentLabels`.
    GetShipmentLabels {
        payload: TransportationLabels = "payload";
        errors: Vec<ApiError> = "errors";
    }

    /// What the model calls `ShipmentDetails`.
    ShipmentDetails {
        pagination: Pagination = "pagination";
        shipments: Vec<Shipment> = "shipments";
    }

    /// What the model calls `TransportationLabels`.
    TransportationLabels {
        pagination: Pagination = "pagination";
        transport_labels: Vec<TransportLabel> = "transportLabels";
    }

    /// Where the next page begins.
    Pagination {
        next_token: String = "nextToken";
    }

    /// A ship notice: levels are references from pallets to cartons to items.
    ShipmentConfirmation {
        shipment_identifier: String = "shipmentIdentifier", required;
        shipment_confirmation_type: String = "shipmentConfirmationType", required, one_of(&["Original", "Replace"]);
        shipment_type: String = "shipmentType", one_of(&["TruckLoad", "LessThanTruckLoad", "SmallParcel"]);
        shipment_structure: String = "shipmentStructure", one_of(&["PalletizedAssortmentCase", "LooseAssortmentCase", "PalletOfItems", "PalletizedStandardCase", "LooseStandardCase", "MasterPallet", "MasterCase"]);
        transportation_details: TransportationDetailsForShipmentConfirmation = "transportationDetails";
        amazon_reference_number: String = "amazonReferenceNumber";
        shipment_confirmation_date: String = "shipmentConfirmationDate", required, instant;
        shipped_date: String = "shippedDate", instant;
        estimated_delivery_date: String = "estimatedDeliveryDate", instant;
        selling_party: PartyIdentification = "sellingParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        ship_to_party: PartyIdentification = "shipToParty", required;
        shipment_measurements: ShipmentMeasurements = "shipmentMeasurements";
        import_details: ImportDetails = "importDetails";
        shipped_items: Vec<Item> = "shippedItems", required;
        cartons: Vec<Carton> = "cartons";
        pallets: Vec<Pallet> = "pallets";
    }

    /// A request for a carrier and its answer, in one record.
    Shipment {
        vendor_shipment_identifier: String = "vendorShipmentIdentifier", required;
        transaction_type: String = "transactionType", required, one_of(&["New", "Cancel"]);
        buyer_reference_number: String = "buyerReferenceNumber";
        transaction_date: String = "transactionDate", required, instant;
        current_shipment_status: String = "currentShipmentStatus", one_of(&["Created", "TransportationRequested", "CarrierAssigned", "Shipped"]);
        currentshipment_status_date: String = "currentshipmentStatusDate", instant;
        shipment_status_details: Vec<ShipmentStatusDetails> = "shipmentStatusDetails";
        shipment_create_date: String = "shipmentCreateDate", instant;
        shipment_confirm_date: String = "shipmentConfirmDate", instant;
        package_label_create_date: String = "packageLabelCreateDate", instant;
        shipment_freight_term: String = "shipmentFreightTerm", one_of(&["Collect", "Prepaid"]);
        selling_party: PartyIdentification = "sellingParty", required;
        ship_from_party: PartyIdentification = "shipFromParty", required;
        ship_to_party: PartyIdentification = "shipToParty", required;
        shipment_measurements: TransportShipmentMeasurements = "shipmentMeasurements";
        collect_freight_pickup_details: CollectFreightPickupDetails = "collectFreightPickupDetails";
        purchase_orders: Vec<PurchaseOrders> = "purchaseOrders";
        import_details: ImportDetails = "importDetails";
        containers: Vec<Containers> = "containers";
        transportation_details: TransportationDetails = "transportationDetails";
    }

    /// What the model calls `TransportLabel`.
    TransportLabel {
        label_create_date_time: String = "labelCreateDateTime", instant;
        shipment_information: ShipmentInformation = "shipmentInformation";
        label_data: Vec<LabelData> = "labelData";
    }

    /// Weight, volume and counts of the whole.
    ShipmentMeasurements {
        gross_shipment_weight: Weight = "grossShipmentWeight";
        shipment_volume: Volume = "shipmentVolume";
        carton_count: i64 = "cartonCount";
        pallet_count: i64 = "palletCount";
    }

    /// What the model calls `ShipmentInformation`.
    ShipmentInformation {
        vendor_details: VendorDetails = "vendorDetails";
        buyer_reference_number: String = "buyerReferenceNumber";
        ship_to_party: PartyIdentification = "shipToParty";
        ship_from_party: PartyIdentification = "shipFromParty";
        warehouse_id: String = "warehouseId";
        master_tracking_id: String = "masterTrackingId";
        total_label_count: i64 = "totalLabelCount";
        ship_mode: String = "shipMode", one_of(&["SmallParcel", "LTL"]);
    }

    /// What the model calls `LabelData`.
    LabelData {
        label_sequence_number: i64 = "labelSequenceNumber";
        label_format: String = "labelFormat", one_of(&["PDF"]);
        carrier_code: String = "carrierCode";
        tracking_id: String = "trackingId";
        label: String = "label";
    }

    /// What the model calls `VendorDetails`.
    VendorDetails {
        selling_party: PartyIdentification = "sellingParty";
        vendor_shipment_identifier: String = "vendorShipmentIdentifier";
    }

    /// What the model calls `ShipmentStatusDetails`.
    ShipmentStatusDetails {
        shipment_status: String = "shipmentStatus", one_of(&["Created", "TransportationRequested", "CarrierAssigned", "Shipped"]);
        shipment_status_date: String = "shipmentStatusDate", instant;
    }

    /// What the model calls `TransportShipmentMeasurements`.
    TransportShipmentMeasurements {
        total_carton_count: i64 = "totalCartonCount";
        total_pallet_stackable: i64 = "totalPalletStackable";
        total_pallet_non_stackable: i64 = "totalPalletNonStackable";
        shipment_weight: Weight = "shipmentWeight";
        shipment_volume: Volume = "shipmentVolume";
    }

    /// What the model calls `CollectFreightPickupDetails`.
    CollectFreightPickupDetails {
        requested_pick_up: String = "requestedPickUp", instant;
        scheduled_pick_up: String = "scheduledPickUp", instant;
        carrier_assignment_date: String = "carrierAssignmentDate", instant;
    }

    /// What the model calls `PurchaseOrders`.
    PurchaseOrders {
        purchase_order_number: String = "purchaseOrderNumber";
        purchase_order_date: String = "purchaseOrderDate", instant;
        ship_window: String = "shipWindow";
        items: Vec<PurchaseOrderItems> = "items";
    }

    /// Carrier, mode, dates and freight papers of a shipment.
    TransportationDetails {
        ship_mode: String = "shipMode", one_of(&["TruckLoad", "LessThanTruckLoad", "SmallParcel"]);
        transportation_mode: String = "transportationMode", one_of(&["Road", "Air", "Ocean"]);
        shipped_date: String = "shippedDate", instant;
        estimated_delivery_date: String = "estimatedDeliveryDate", instant;
        shipment_delivery_date: String = "shipmentDeliveryDate", instant;
        carrier_details: CarrierDetails = "carrierDetails";
        bill_of_lading_number: String = "billOfLadingNumber";
    }

    /// Carrier, mode and freight papers of a notice.
    TransportationDetailsForShipmentConfirmation {
        carrier_scac: String = "carrierScac";
        carrier_shipment_reference_number: String = "carrierShipmentReferenceNumber";
        transportation_mode: String = "transportationMode", one_of(&["Road", "Air", "Ocean"]);
        bill_of_lading_number: String = "billOfLadingNumber";
    }

    /// What the model calls `CarrierDetails`.
    CarrierDetails {
        name: String = "name";
        code: String = "code";
        phone: String = "phone";
        email: String = "email";
        shipment_reference_number: String = "shipmentReferenceNumber";
    }

    /// Freight payment, trade terms, port and containers of an import.
    ImportDetails {
        method_of_payment: String = "methodOfPayment", one_of(&["PaidByBuyer", "CollectOnDelivery", "DefinedByBuyerAndSeller", "FOBPortOfCall", "PrepaidBySeller", "PaidBySeller"]);
        seal_number: String = "sealNumber";
        route: Route = "route";
        import_containers: String = "importContainers", max(64);
        billable_weight: Weight = "billableWeight";
        estimated_ship_by_date: String = "estimatedShipByDate", instant;
        handling_instructions: String = "handlingInstructions", one_of(&["Oversized", "Fragile", "Food", "HandleWithCare"]);
    }

    /// What the model calls `Containers`.
    Containers {
        container_type: String = "containerType", required, one_of(&["carton", "pallet"]);
        container_sequence_number: String = "containerSequenceNumber";
        container_identifiers: Vec<ContainerIdentification> = "containerIdentifiers", required;
        tracking_number: String = "trackingNumber";
        dimensions: Dimensions = "dimensions";
        weight: Weight = "weight";
        tier: i64 = "tier";
        block: i64 = "block";
        inner_containers_details: InnerContainersDetails = "innerContainersDetails";
        packed_items: Vec<PackedItems> = "packedItems";
    }

    /// What the model calls `PackedItems`.
    PackedItems {
        item_sequence_number: String = "itemSequenceNumber";
        buyer_product_identifier: String = "buyerProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        packed_quantity: ItemQuantity = "packedQuantity";
        item_details: PackageItemDetails = "itemDetails";
    }

    /// An item that is shipped, numbered within this notice.
    Item {
        item_sequence_number: String = "itemSequenceNumber", required;
        amazon_product_identifier: String = "amazonProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        shipped_quantity: ItemQuantity = "shippedQuantity", required;
        item_details: ItemDetails = "itemDetails";
    }

    /// What the model calls `PurchaseOrderItems`.
    PurchaseOrderItems {
        item_sequence_number: String = "itemSequenceNumber", required;
        buyer_product_identifier: String = "buyerProductIdentifier";
        vendor_product_identifier: String = "vendorProductIdentifier";
        shipped_quantity: ItemQuantity = "shippedQuantity", required;
        maximum_retail_price: Money = "maximumRetailPrice";
    }

    /// A carton and the items in it, by reference to `shippedItems`.
    Carton {
        carton_identifiers: Vec<ContainerIdentification> = "cartonIdentifiers";
        carton_sequence_number: String = "cartonSequenceNumber", required;
        dimensions: Dimensions = "dimensions";
        weight: Weight = "weight";
        tracking_number: String = "trackingNumber";
        items: Vec<ContainerItem> = "items", required;
    }

    /// What the model calls `InnerContainersDetails`.
    InnerContainersDetails {
        container_count: i64 = "containerCount";
        container_sequence_numbers: Vec<ContainerSequenceNumbers> = "containerSequenceNumbers";
    }

    /// What the model calls `ContainerSequenceNumbers`.
    ContainerSequenceNumbers {
        container_sequence_number: String = "containerSequenceNumber";
    }

    /// A pallet: the cartons on it by reference, or items that stand on it without one.
    Pallet {
        pallet_identifiers: Vec<ContainerIdentification> = "palletIdentifiers", required;
        tier: i64 = "tier";
        block: i64 = "block";
        dimensions: Dimensions = "dimensions";
        weight: Weight = "weight";
        carton_reference_details: CartonReferenceDetails = "cartonReferenceDetails";
        items: Vec<ContainerItem> = "items";
    }

    /// Order, lot, expiry and the like of what is shipped.
    ItemDetails {
        purchase_order_number: String = "purchaseOrderNumber";
        lot_number: String = "lotNumber";
        lot_number_source_reference: String = "lotNumberSourceReference";
        lot_number_source_type: String = "lotNumberSourceType", one_of(&["GLN", "FFRN", "USDA_E", "URL"]);
        country_of_origin: String = "countryOfOrigin", country;
        regulation_references: RegulationReferences = "regulationReferences";
        expiry: Expiry = "expiry";
        maximum_retail_price: Money = "maximumRetailPrice";
        handling_code: String = "handlingCode", one_of(&["Oversized", "Fragile", "Food", "HandleWithCare"]);
    }

    /// What the model calls `PackageItemDetails`.
    PackageItemDetails {
        purchase_order_number: String = "purchaseOrderNumber";
        lot_number: String = "lotNumber";
        expiry: Expiry = "expiry";
    }

    /// A container's number and whose numbering it is.
    ContainerIdentification {
        container_identification_type: String = "containerIdentificationType", required, one_of(&["SSCC", "AMZNCC", "GTIN", "BPS", "CID"]);
        container_identification_number: String = "containerIdentificationNumber", required;
    }

    /// So much of an item in a carton or on a pallet.
    ContainerItem {
        item_reference: String = "itemReference", required;
        shipped_quantity: ItemQuantity = "shippedQuantity", required;
        item_details: ItemDetails = "itemDetails";
    }

    /// What the model calls `CartonReferenceDetails`.
    CartonReferenceDetails {
        carton_count: i64 = "cartonCount";
        carton_reference_numbers: Vec<String> = "cartonReferenceNumbers", required;
    }

    /// A party: its id, and where the site wants it an address and a tax number.
    PartyIdentification {
        address: Address = "address";
        party_id: String = "partyId", required;
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
        postal_code: String = "postalCode";
        country_code: String = "countryCode", required;
        phone: String = "phone";
    }

    /// What the model calls `Route`.
    Route {
        stops: Vec<Stop> = "stops", required;
    }

    /// What the model calls `Stop`.
    Stop {
        function_code: String = "functionCode", required, one_of(&["PortOfDischarge", "FreightPayableAt", "PortOfLoading"]);
        location_identification: Location = "locationIdentification";
        arrival_time: String = "arrivalTime", instant;
        departure_time: String = "departureTime", instant;
    }

    /// What the model calls `Location`.
    Location {
        kind: String = "type";
        location_code: String = "locationCode";
        country_code: String = "countryCode";
    }

    /// Length, width and height in one unit.
    Dimensions {
        length: String = "length", required, decimal;
        width: String = "width", required, decimal;
        height: String = "height", required, decimal;
        unit_of_measure: String = "unitOfMeasure", required, one_of(&["In", "Ft", "Meter", "Yard"]);
    }

    /// A volume and its unit.
    Volume {
        unit_of_measure: String = "unitOfMeasure", required, one_of(&["CuFt", "CuIn", "CuM", "CuY"]);
        value: String = "value", required, decimal;
    }

    /// A weight and its unit.
    Weight {
        unit_of_measure: String = "unitOfMeasure", required, one_of(&["G", "Kg", "Oz", "Lb"]);
        value: String = "value", required, decimal;
    }

    /// An amount in major units as decimal text, and its ISO 4217 currency.
    Money {
        currency_code: String = "currencyCode", required;
        amount: String = "amount", required, decimal;
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

    /// What the model calls `RegulationReferences`.
    RegulationReferences {
        due_diligence_reference: String = "dueDiligenceReference";
        due_diligence_verification: String = "dueDiligenceVerification";
        due_diligence_information: String = "dueDiligenceInformation";
        due_diligence_exemption_code: String = "dueDiligenceExemptionCode";
    }

    /// Until when goods are good, or from when and for how long.
    Expiry {
        manufacturer_date: String = "manufacturerDate", instant;
        expiry_date: String = "expiryDate", instant;
        expiry_after_duration: Duration = "expiryAfterDuration";
    }

    /// So many days or months.
    Duration {
        duration_unit: String = "durationUnit", required, one_of(&["Days", "Months"]);
        duration_value: i64 = "durationValue", required;
    }

    /// What the model calls `SubmitShipmentConfirmationsResponse`.
    SubmitShipmentConfirmationsResponse {
        payload: TransactionReference = "payload";
        errors: Vec<ApiError> = "errors";
    }
}
