//! X12 to JSON and back, by the command line.

use transload::cli::{Noted, check};
use transload::x12::Fault;

use crate::cli::transload;
use crate::samples::{guides, samples};

#[test]
fn a8_json_and_back_is_the_same_bytes() {
    let mut same = 0;
    for path in samples("pass") {
        let bytes = std::fs::read(&path).unwrap();
        let partner = guides(&path).partner;
        let mut with = vec!["translate", "-", "--to"];
        let options: Vec<&str> = partner.iter().flat_map(|p| ["--partner", p]).collect();
        with.splice(1..1, options);
        let report = check(&bytes[..], &guides(&path)).unwrap();
        let lossy = |n: &Noted| matches!(n.finding.fault, Fault::Unmapped | Fault::Normalised);
        let json = transload(&[&with[..], &["json"]].concat(), &bytes).stdout;
        // A 997 is no document.
        if json.is_empty() || report.findings.iter().any(lossy) {
            continue;
        }
        let again = transload(&[&with[..], &["x12"]].concat(), &json);
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(again.stdout == bytes, "{}: {said}", path.display());
        same += 1;
    }
    say!("{same} samples are the same bytes after JSON, by the command line");
    assert!(same >= 25, "{same}");
}
