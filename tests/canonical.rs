//! The canonical documents' public face: the schemas under `mappings/schema/`.

use std::path::{Path, PathBuf};

use transload::canonical::{Document, DocumentKind};

fn published(kind: DocumentKind) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/schema");
    folder.join(format!("{kind}.json"))
}

/// `UPDATE=1 cargo test canonical` writes them anew.
#[test]
fn published_schemas_are_those_of_the_code() {
    for kind in DocumentKind::ALL {
        let schema = serde_json::to_string_pretty(&kind.published_schema()).unwrap() + "\n";
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(published(kind), &schema).unwrap();
        }
        let file = std::fs::read_to_string(published(kind)).unwrap_or_default();
        assert!(
            file == schema,
            "mappings/schema/{kind}.json is out of date: run with UPDATE=1"
        );
    }
}

/// No field may be `null` or untyped: the engine and a user's program read the same plain schema.
#[test]
fn schemas_are_plain() {
    for kind in DocumentKind::ALL {
        let schema = serde_json::to_string(&kind.published_schema()).unwrap();
        assert!(!schema.contains("\"null\""), "{kind} allows null");
        assert!(!schema.contains("\"default\""), "{kind} names defaults");
        assert!(
            schema.contains("https://json-schema.org/draft/2020-12/schema"),
            "{kind}"
        );
    }
}

#[test]
fn a_document_is_the_same_after_json() {
    let json = r#"{"document":"invoice","invoiced_on":"2026-03-01","number":"R-7","ship_to":{"name":"Store 9","id":{"qualifier":"assigned_by_buyer","id":"0009"},"address":{"lines":["1 Quay"],"city":"Porto"}},"dates":[{"qualifier":"011","moment":{"date":"2026-03-01","time":"08:30","zone":"UT"}}],"lines":[{"number":"001","quantity":{"value":"3.0","unit":"case","pack_size":12},"price":{"amount":"10.00","currency":"EUR","basis":"per_each"},"ids":[{"qualifier":"ean","id":"4006381333931"},{"qualifier":"other:Q9","id":"x"}],"ext":{"lot":"A","weight":{"decimal":"1.50"}}}],"totals":{"total":"30.00"},"provenance":{"interchange":"000000007","order":{"heading/70":["N1","N1-ST"]}}}"#;
    let invoice = Document::from_json(json.as_bytes()).unwrap();
    assert_eq!(serde_json::to_string(&invoice).unwrap(), json);
}
