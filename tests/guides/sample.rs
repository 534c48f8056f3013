//! `mappings sample`: what it makes is valid, by every guide.

use transload::cli::{Guides, check};
use transload::mapping::Library;

use super::{run, run_in};

/// Whether `check` has nothing at all to say of a sample, not even a note.
#[track_caller]
fn is_clean(bytes: &str, partner: Option<&str>) {
    let guides = Guides {
        library: Library::embedded(),
        partner: partner.map(str::to_owned),
    };
    let report = check(bytes.as_bytes(), &guides).unwrap();
    assert!(report.findings.is_empty(), "{}", report.plain("sample"));
    assert_eq!(report.interchanges, 1);
}

#[test]
fn every_guide_has_a_clean_sample_and_a_clean_full_one() {
    let names = Library::embedded().names();
    for name in &names {
        let partner = name
            .strip_prefix("partners/")
            .and_then(|name| name.split('/').next());
        let (usual, _) = run(0, &["mappings", "sample", name]);
        is_clean(&usual, partner);
        let (full, _) = run(0, &["mappings", "sample", name, "--full"]);
        is_clean(&full, partner);
        assert!(full.len() >= usual.len(), "{name}: a full sample says more");
    }
    assert!(names.len() > 20, "{names:?}");
}

#[test]
fn a_sample_is_plausible_and_the_same_every_time() {
    let (order, _) = run(0, &["mappings", "sample", "850", "--partner", "amazon"]);
    assert!(order.contains("BEG*00*NE*PO-1001**20260302~"), "{order}");
    assert!(
        order.contains("PO1*1*10*EA*12.50**UP*614141000012~"),
        "{order}"
    );
    assert!(
        order.contains("N1*ST*Quillfeather Retail*92*0007~"),
        "{order}"
    );
    assert_eq!(
        run(0, &["mappings", "sample", "850", "--partner", "amazon"]).0,
        order
    );
    let (notice, _) = run(0, &["mappings", "sample", "856"]);
    for level in [
        "HL*1**S~",
        "HL*2*1*O~",
        "HL*3*2*P~",
        "HL*4*3*I~",
        "HL*5*3*I~",
    ] {
        assert!(notice.contains(level), "{level} in {notice}");
    }
    let (payment, _) = run(
        0,
        &["mappings", "sample", "820", "--sender", "01:123456789"],
    );
    assert!(payment.contains("BPR*I*250.00*"), "{payment}");
    assert_eq!(payment.matches("**125.00*125.00~").count(), 2, "{payment}");
    assert!(
        payment.contains("*01*123456789      *ZZ*RECEIVER"),
        "{payment}"
    );
}

#[test]
fn a_guide_that_asks_for_the_impossible_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    // Its only code does not fit the element's length.
    let guide = "base = \"x12/004010/850\"\n[heading.BEG]\nBEG02 = { codes = \"odd\" }\n";
    super::put(
        folder.path(),
        &[
            ("partners/odd/850.toml", guide),
            ("codes/odd.toml", "TOOLONG = \"x\"\n"),
        ],
    );
    let asked = [
        "mappings",
        "sample",
        "850",
        "--partner",
        "odd",
        "--mappings",
        ".",
    ];
    let (_, err) = run_in(folder.path(), 2, &asked);
    assert!(err.contains("no sample of partners/odd/850"), "{err}");
    assert!(err.contains("BEG02"), "{err}");
}
