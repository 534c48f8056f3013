//! `split`: a file for each set.

use super::{folder, path, run, run_on};

const TWO: &str = "samples/x12/004010/850/pass/two-orders.edi";

#[test]
fn each_set_is_a_file_that_is_valid() {
    let folder = folder(&[]);
    let (_, to) = path(&folder, "orders");
    let (out, err) = run(0, &["split", TWO, "--to", &to]);
    let files: Vec<&str> = out.lines().collect();
    assert_eq!(files.len(), 2, "{out}");
    assert!(files[0].ends_with("000000004-850-0001.edi"), "{out}");
    assert!(err.contains("2 files written"), "{err}");
    for (file, number) in files.iter().zip(["PO-1001", "PO-1002"]) {
        let (out, _) = run(0, &["check", file]);
        assert!(out.contains(number), "{out}");
        let text = std::fs::read_to_string(file).unwrap();
        assert!(
            text.contains("GE*1*4~") && text.contains("IEA*1*000000004~"),
            "{text}"
        );
    }
    let (_, err) = run(4, &["split", TWO, "--to", &to]);
    assert!(err.contains("is there already"), "{err}");
}

#[test]
fn sets_of_one_number_do_not_overwrite_each_other() {
    let folder = folder(&[]);
    let (_, to) = path(&folder, "orders");
    let two = std::fs::read_to_string(TWO).unwrap();
    let alike = two.replace("*0002~", "*0001~");
    let (out, _) = run_on(0, &["split", "-", "--json", "--to", &to], alike.as_bytes());
    assert!(out.contains("000000004-850-0001-2.edi"), "{out}");
}

#[test]
fn control_numbers_that_are_paths_stay_in_the_folder() {
    let folder = folder(&[]);
    let (_, to) = path(&folder, "orders");
    let order = super::order(&[("*0001~", "*/../x~")]);
    let (out, _) = run_on(0, &["split", "-", "--to", &to], order.as_bytes());
    assert!(
        out.trim_end().ends_with("orders/000000041-850-x.edi"),
        "{out}"
    );
}
