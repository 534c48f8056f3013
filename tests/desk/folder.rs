//! `transload` alone, and `check` over a folder of many files.

use std::path::Path;
use std::process::Command;

use super::{FAULTY, folder, order, run};

/// What `transload` alone says in a folder.
fn alone(folder: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_transload"))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_folder_is_told_file_by_file() {
    let faulty = std::fs::read(FAULTY).unwrap();
    let utf16: Vec<u8> = order(&[])
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let folder = folder(&[
        ("a.edi", order(&[]).as_bytes()),
        ("b.edi", &faulty),
        ("c.txt", &utf16),
        ("notes.txt", b"ISA is a word here"),
        ("picture.png", &[0x89, b'P', b'N', b'G']),
        (".hidden.edi", b"ISA*"),
    ]);
    let out = alone(folder.path());
    let lines: Vec<Vec<&str>> = out
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|c| !c.is_empty())
                .collect()
        })
        .collect();
    let parties = "QUILLFEATHER → TINDERBOX";
    assert_eq!(
        lines[0],
        ["a.edi", "850 purchase order", parties, "7QK4M2XD", "clean"]
    );
    assert_eq!(lines[1][3..], ["PO-2001", "2 errors, 1 warning, 1 note"]);
    assert_eq!(lines[2][0], "c.txt");
    assert_eq!(lines.len(), 3, "{out}");
    assert!(out.ends_with("Next: transload check b.edi\n"), "{out}");
}

#[test]
fn an_answer_is_explained_next() {
    let ta1 = order(&[]);
    let start = &ta1[..ta1.find("GS*").unwrap()];
    let ta1 = format!("{start}TA1*000000007*260302*0915*A*000~\nIEA*0*000000041~\n");
    let folder = folder(&[("answer.ta1", ta1.as_bytes())]);
    let out = alone(folder.path());
    assert!(out.contains("TA1 acknowledgment"), "{out}");
    assert!(
        out.ends_with("Next: transload explain answer.ta1\n"),
        "{out}"
    );
}

#[test]
fn a1_an_empty_folder_gets_examples() {
    let folder = folder(&[]);
    let out = alone(folder.path());
    assert!(out.starts_with("No EDI file lies in this folder."), "{out}");
    assert!(out.contains("\n  transload check order.edi "), "{out}");
}

#[test]
fn ten_thousand_files_have_one_summary() {
    const FILES: usize = 10_000;
    let folder = folder(&[]);
    let sound = order(&[]);
    let control = sound.split('*').nth(13).unwrap().to_owned();
    for n in 0..FILES {
        let broken = n % 100 == 7;
        let lines = if broken { "CTT*4*82" } else { "CTT*3*82" };
        // Each has an interchange number of its own.
        let number = format!("{n:09}");
        let file = sound.replace("CTT*3*82", lines).replace(&control, &number);
        std::fs::write(folder.path().join(format!("{n:05}.edi")), file).unwrap();
    }
    let (out, err) = run(1, &["check", folder.path().to_str().unwrap()]);
    assert_eq!(err, "10000 files checked: 100 warnings\n");
    let heads = out.lines().filter(|line| !line.starts_with(' '));
    assert_eq!(heads.count(), FILES);
    let names = out.lines().filter(|line| !line.starts_with(' '));
    let names: Vec<&str> = names.map(|line| line.split(':').next().unwrap()).collect();
    assert!(names.is_sorted(), "in the order of their names");
}

/// What has more keys than are kept is checked by itself, and the summary says so, in both languages.
#[test]
fn a_file_of_too_many_lines_is_not_compared() {
    let line = "PO1*1*24*EA*21.90*PE*UP*731200000223~\n";
    let sound = order(&[]);
    let at = sound.find("PO1*").unwrap();
    let long = format!("{}{}{}", &sound[..at], line.repeat(20_000), &sound[at..]);
    let folder = folder(&[
        ("long.edi", long.as_bytes()),
        ("order.edi", sound.as_bytes()),
    ]);
    let path = folder.path().to_str().unwrap();
    let (out, err) = run(1, &["check", path]);
    let due = "1 file not compared with the others: of one file 20000 keys are kept, of all 200000";
    assert_eq!(err.lines().nth(1), Some(due), "{err}");
    // The number that both have is not told: one of them is not known.
    assert!(!out.contains("isa.duplicate"), "{out}");
    let (_, err) = run(1, &["check", path, "--lang", "zh-CN"]);
    assert!(err.contains("1 个文件未与其他文件比对"), "{err}");
}
