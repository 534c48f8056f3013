//! The command line: X12 to the API's JSON and back.

use std::path::Path;

use crate::cli::{run, run_on};

fn samples() -> impl Iterator<Item = std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/spapi");
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
}

#[test]
fn each_sample_becomes_documents() {
    let mut n = 0;
    for path in samples() {
        let (out, _) = run(
            0,
            &["translate", &path.to_string_lossy(), "--from", "spapi"],
        );
        assert!(out.contains("\"document\":"), "{}: {out}", path.display());
        n += 1;
    }
    assert!(n > 1, "{n} samples");
}

#[test]
fn an_order_becomes_an_850_and_an_850_an_order() {
    let x12 = [
        "--from",
        "spapi",
        "--to",
        "x12",
        "--sender",
        "ZZ:BUYER",
        "--receiver",
        "ZZ:SELLER",
        "--control",
        "7",
    ];
    let (edi, _) = run(
        0,
        &[&["translate", "samples/spapi/order.json"][..], &x12].concat(),
    );
    assert!(edi.contains("BEG*00*NE*4Z32PABC**20261102"), "{edi}");
    let (body, talk) = run_on(0, &["translate", "-", "--to", "spapi"], edi.as_bytes());
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["orders"][0]["purchaseOrderNumber"], "4Z32PABC");
    assert!(talk.contains("synthesised purchaseOrderState"), "{talk}");
}

#[test]
fn an_answer_with_a_substitute_is_refused() {
    let (body, _) = run(
        1,
        &[
            "translate",
            "samples/x12/004010/855/pass/mixed.edi",
            "--to",
            "spapi",
            "--json",
        ],
    );
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    let refused = |loss: &&serde_json::Value| loss["kind"] == "refused";
    let loss = told["losses"]
        .as_array()
        .unwrap()
        .iter()
        .find(refused)
        .unwrap();
    assert_eq!(loss["path"], "lines[1].acknowledgments[0].status");
}

#[test]
fn payments_become_one_advice_that_says_where_it_is_from() {
    let (out, talk) = run(
        0,
        &[
            "translate",
            "samples/spapi/settlements.json",
            "--from",
            "spapi",
        ],
    );
    assert_eq!(out.lines().count(), 1, "{out}");
    let advice: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(advice["number"], "PMT-98");
    assert_eq!(advice["total"], "1566.25");
    assert_eq!(advice["handling"], "remittance_only");
    assert_eq!(
        advice["remarks"][0]["text"],
        "reconstructed from invoice settlement data"
    );
    assert_eq!(advice["remittances"][0]["items"][0]["discount"], "30.25");
    assert!(talk.contains("inferred total"), "{talk}");
}

#[test]
fn a_ship_notice_becomes_an_856_with_its_pallet() {
    let x12 = [
        "--from",
        "spapi",
        "--to",
        "x12",
        "--sender",
        "ZZ:SELLER",
        "--receiver",
        "ZZ:BUYER",
        "--control",
        "7",
    ];
    let (edi, _) = run(
        0,
        &[
            &["translate", "samples/spapi/shipment-confirmation.json"][..],
            &x12,
        ]
        .concat(),
    );
    for part in [
        "BSN*00*SN-26-0417*20261122*1305*0001",
        "HL*3*2*T",
        "MAN*GM*00207312000000000012",
        "REF*BX*7700123456",
        "SN1**24*EA",
    ] {
        assert!(edi.contains(part), "{part}: {edi}");
    }
}

#[test]
fn what_is_no_record_is_told() {
    let (_, talk) = run_on(
        2,
        &["translate", "-", "--from", "spapi"],
        b"{\"orders\": [{}]}",
    );
    assert!(
        talk.contains("--operation says which it is: getPurchaseOrder"),
        "{talk}"
    );
}
