//! `diff`: by meaning.

use serde_json::Value;

use super::{SOUND, folder, order, path, run, run_on};

#[test]
fn a9_lines_are_compared_by_item_and_fields_by_name() {
    let changed = order(&[
        ("PO1*2*24*EA*", "PO1*2*30*EA*"),
        ("CTT*3*82", "CTT*3*88"),
        ("REF*CR*TNDBX", "REF*CR*TNDB2"),
        ("*OH*44805*", "*OH*44806*"),
    ]);
    let (out, err) = run_on(1, &["diff", SOUND, "-"], changed.as_bytes());
    for due in [
        "purchase order 7QK4M2XD: 4 differences",
        "reference CR\n    id: TNDBX → TNDB2  (references[0].id)",
        "ship to address postal code: 44805 → 44806  (ship_to.address.postal_code)",
        "line 2, upc 731200000223",
        "quantity value: 24 → 30  (lines[1].quantity.value)",
        "totals hash: 82 → 88",
    ] {
        assert!(out.contains(due), "{due}:\n{out}");
    }
    assert!(err.contains("1 document differs"), "{err}");
}

#[test]
fn lines_that_came_and_went_are_told() {
    let line = "PO1*3*10*CA*64.00*PE*UP*731200000339*VN*TC-0004-6~";
    let changed = order(&[(line, "PO1*4*10*CA*64.00*PE*UP*731200000445*VN*TC-0009-6~")]);
    let (out, _) = run_on(1, &["diff", SOUND, "-"], changed.as_bytes());
    assert!(out.contains("- line 3, upc 731200000339"), "{out}");
    assert!(out.contains("+ line 4, upc 731200000445"), "{out}");
}

#[test]
fn lines_in_another_order_are_the_same_lines() {
    let order = order(&[]);
    let from = order.find("PO1*1*").unwrap();
    let to = order.find("PO1*2*").unwrap();
    let end = order.find("PO1*3*").unwrap();
    let swapped = [
        &order[..from],
        &order[to..end],
        &order[from..to],
        &order[end..],
    ]
    .concat();
    assert_ne!(swapped, order);
    let (out, _) = run_on(0, &["diff", SOUND, "-"], swapped.as_bytes());
    assert_eq!(out, "");
}

#[test]
fn envelope_and_formatting_are_no_differences() {
    let other = order(&[
        ("~\n", "~"),
        ("*U*00401*000000041*", "*U*00401*000000999*"),
        ("IEA*1*000000041", "IEA*1*000000999"),
        ("17.25", "17.250"),
    ]);
    let (out, err) = run_on(0, &["diff", SOUND, "-"], other.as_bytes());
    assert_eq!(out, "");
    assert!(
        err.contains("only the envelope or the formatting differs"),
        "{err}"
    );
    let (_, err) = run(0, &["diff", SOUND, SOUND]);
    assert!(err.contains("the same bytes"), "{err}");
}

#[test]
fn what_has_no_place_in_the_document_is_compared_too() {
    let other = order(&[("CSH*N~\n", "CSH*N~\nZZZ*1~\n"), ("SE*24", "SE*25")]);
    let another = other.replace("ZZZ*1", "ZZZ*2");
    let folder = folder(&[("a.edi", other.as_bytes()), ("b.edi", another.as_bytes())]);
    let (a, b) = (path(&folder, "a.edi").1, path(&folder, "b.edi").1);
    let (out, _) = run(1, &["diff", &a, &b]);
    assert!(out.contains("ZZZ*1") && out.contains("ZZZ*2"), "{out}");
}

#[test]
fn documents_are_matched_by_number_and_sets_without_a_guide_by_segment() {
    let two = "samples/x12/004010/850/pass/two-orders.edi";
    let (out, _) = run(1, &["diff", SOUND, two]);
    assert!(
        out.contains("+ purchase order PO-1001: only in the new file"),
        "{out}"
    );
    assert!(
        out.contains("- purchase order 7QK4M2XD: only in the old file"),
        "{out}"
    );
    let renumbered = order(&[("7QK4M2XD", "7QK4M2XE")]);
    let (out, _) = run_on(1, &["diff", SOUND, "-"], renumbered.as_bytes());
    assert!(out.contains("number: 7QK4M2XD → 7QK4M2XE"), "{out}");
    let text = order(&[("ST*850", "ST*864")]);
    let other = text.replace("BEG*00*NE", "BEG*00*SA");
    let folder = folder(&[("a.edi", text.as_bytes()), ("b.edi", other.as_bytes())]);
    let (a, b) = (path(&folder, "a.edi").1, path(&folder, "b.edi").1);
    let (out, _) = run(1, &["diff", &a, &b]);
    assert!(
        out.contains("BEG*00*NE*7QK4M2XD**20260302 → BEG*00*SA"),
        "{out}"
    );
}

#[test]
fn json_has_each_path_with_old_and_new() {
    let changed = order(&[("PO1*2*24*EA*", "PO1*2*30*EA*")]);
    let (out, _) = run_on(1, &["diff", "--json", SOUND, "-"], changed.as_bytes());
    let said: Value = serde_json::from_str(&out).unwrap();
    let change = &said["documents"][0]["differences"][0];
    assert_eq!(said["same"], false);
    assert_eq!(change["path"], "lines[1].quantity.value");
    assert_eq!(
        (&change["old"], &change["new"]),
        (&"24".into(), &"30".into())
    );
}
