//! `fix`: what has one answer only is repaired, and the rest is kept and told.

use serde_json::Value;

use super::{FAULTY, SOUND, folder, four_faults, order, path, run, run_on};
use crate::cli::transload;
use crate::samples::samples;

/// What `fix` makes of a file, and what it says.
#[track_caller]
fn fixed(exit: i32, file: &str) -> (String, String) {
    run_on(exit, &["fix", "-"], file.as_bytes())
}

#[test]
fn a5_four_planted_faults_are_found_and_fixed() {
    let faulty = four_faults();
    let (found, _) = run_on(1, &["check", "-"], faulty.as_bytes());
    for rule in [
        "element.code",
        "value.differs",
        "se.count",
        "iea.control-number",
    ] {
        assert!(found.contains(&format!("[{rule}]")), "{rule}:\n{found}");
    }
    assert!(found.contains("did you mean EA?"), "{found}");
    let (out, err) = fixed(0, &faulty);
    assert_eq!(out, order(&[]));
    for due in [
        "PO103: EACH → EA [element.code]",
        "CTT01: 4 → 3 [value.differs]",
        "SE01: 25 → 24 [se.count]",
        "IEA02: 000000099 → 000000041 [iea.control-number]",
        "a line was lost on the way",
        "4 changes; the result is clean",
    ] {
        assert!(err.contains(due), "{due}:\n{err}");
    }
}

#[test]
fn what_a_later_set_derives_is_reckoned_over_all_of_it() {
    let sound = std::fs::read_to_string("samples/x12/004010/850/pass/two-orders.edi").unwrap();
    let line = "PO1*1*3*EA*21.90*PE*VN*TK-1700~\n";
    let lines = line.repeat(3).replacen("PO1*1*", "PO1*3*", 1);
    let sound = sound
        .replace(line, &lines)
        .replace("CTT*1~", "CTT*3~")
        .replace("SE*7*", "SE*9*");
    let faulty = sound
        .replace("CTT*3~", "CTT*7~")
        .replacen("*3*EA*", "*3*EACH*", 1);
    assert_eq!(fixed(0, &faulty).0, sound);
}

#[test]
fn what_is_sound_stays_byte_for_byte() {
    for path in samples("pass") {
        let bytes = std::fs::read(&path).unwrap();
        let mut arguments = vec!["fix", path.to_str().unwrap()];
        let guides = crate::samples::guides(&path);
        if let Some(partner) = &guides.partner {
            arguments.extend(["--partner", partner]);
        }
        let output = transload(&arguments, b"");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{err}");
        // Zeros in front of a count are a note, and written as they are due.
        if !err.contains("[se.count]") && !err.contains("control-number]") {
            assert!(output.stdout == bytes, "{}\n{err}", path.display());
        }
    }
}

#[test]
fn a6_what_files_suffer_on_their_way_is_undone() {
    let sound = order(&[]);
    let flat = sound.replace('\n', "");
    let lines: Vec<&str> = flat
        .as_bytes()
        .chunks(80)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let (out, err) = fixed(0, &lines.join("\r\n"));
    assert_eq!(out, flat, "{err}");
    for (broken, due) in [
        (format!("\u{feff}{sound}"), "source.bom"),
        (format!("From: van\r\n\r\n{sound}"), "source.stray-bytes"),
        (format!("{sound}\x1a\0\0"), "source.padding"),
        (sound.replace("CSH*N~", "CSH*N~~"), "segment.empty"),
        (
            sound.replace("CSH*N~", "CSH*N***~"),
            "segment.trailing-separators",
        ),
        (sound.replace("\nCSH*", "\ncsh*"), "segment.lowercase"),
        (sound.replace("SE*24*0001~\n", ""), "se.missing"),
        (sound.replace("GE*1*41~\n", ""), "ge.missing"),
        (sound.replace("IEA*1*000000041~\n", ""), "iea.missing"),
        (sound.replace("GE*1*41~", "GE*2*42~"), "ge.count"),
        (
            sound.replace("SE*24*0001~", "SE*24*0009~"),
            "se.control-number",
        ),
        (
            sound
                .replace("*P*>~", "*P*>  ~")
                .replace("*T*>~", "*T*>  ~"),
            "isa.length",
        ),
        (
            sound.replace("TINDERBOX      *260302", "TINDERBOX*20260302"),
            "isa.element",
        ),
        (
            sound.replace("*U*00401*", "*^*00401*"),
            "isa.repetition-early",
        ),
        (
            sound.replace(
                "BEG*00*NE*7QK4M2XD**20260302",
                "BEG*00*NE*7QK4M2XD**2026-03-02",
            ),
            "element.date",
        ),
    ] {
        let (out, err) = fixed(0, &broken);
        assert!(err.contains(&format!("[{due}]")), "{due}:\n{err}");
        assert_eq!(out, sound, "{due}:\n{err}");
    }
    for end in ["~\r\n", "\n", "\r\n", "~", "\u{1d}"] {
        let other = sound.replace("~\n", end);
        let (out, err) = fixed(0, &other);
        assert!(
            out == other && err.contains("nothing changed"),
            "{end:?}: {err}"
        );
    }
    let transcoded = sound.replace("~\n", "\u{85}");
    let output = transload(&["fix", "-"], transcoded.as_bytes());
    let single = transcoded.chars().map(|c| u32::from(c) as u8);
    assert!(output.stdout == single.collect::<Vec<u8>>());
    let utf16: Vec<u8> = sound.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (out, _) = run_on(0, &["fix", "-"], &utf16);
    assert_eq!(out, sound);
}

#[test]
fn a_file_that_was_cut_short_is_not_made_up() {
    let sound = order(&[]);
    for end in ["PO4*6", "PO1*3*10*CA", "CTT*3*82~\n"] {
        let cut = &sound[..sound.find(end).unwrap() + end.len()];
        let (out, err) = fixed(1, cut);
        assert_eq!(out, cut, "{end}");
        assert!(err.contains("[source.truncated]"), "{err}");
    }
}

#[test]
fn what_has_several_answers_is_kept_and_told() {
    let (out, err) = run(1, &["fix", FAULTY]);
    assert!(
        out.contains("DTM*002*20261301~") && out.contains("*5*EA*"),
        "{out}"
    );
    assert!(
        err.contains("left, because") && err.contains("[element.date]"),
        "{err}"
    );
    let unsure = order(&[("PO1*2*24*EA*", "PO1*2*24*XQ*")]);
    assert_eq!(fixed(1, &unsure).0, unsure);
    // A count of nothing is no answer: the lines are lost.
    let from = order(&[]).find("PO1*1*").unwrap();
    let to = order(&[]).find("CTT*").unwrap();
    let mut empty = order(&[]);
    empty.replace_range(from..to, "");
    assert!(fixed(1, &empty).0.contains("CTT*3*82~"));
    // A count is not derived from a set of which something could not be read.
    let lost = order(&[("PO1*2*24", "PO9*2*24")]);
    assert!(fixed(1, &lost).0.contains("CTT*3*82~"));
}

#[test]
fn fixing_twice_is_fixing_once() {
    for path in samples("fail") {
        let bytes = std::fs::read(&path).unwrap();
        let once = transload(&["fix", "-"], &bytes).stdout;
        let twice = transload(&["fix", "-"], &once);
        assert!(twice.stdout == once, "{}", path.display());
        let err = String::from_utf8_lossy(&twice.stderr).into_owned();
        assert!(err.contains("nothing changed"), "{}: {err}", path.display());
    }
}

#[test]
fn the_file_itself_is_never_written() {
    let faulty = four_faults();
    let folder = folder(&[("order.edi", faulty.as_bytes())]);
    let (file, name) = path(&folder, "order.edi");
    let (copy, copied) = path(&folder, "repaired.edi");
    let (_, err) = run(2, &["fix", &name, "-o", &name]);
    assert!(err.contains("is the file itself"), "{err}");
    std::fs::hard_link(&file, &copy).unwrap();
    run(0, &["fix", &name, "-o", &copied]);
    assert_eq!(run(0, &["fix", &name, "-o", "-"]).0, order(&[]));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), faulty);
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), order(&[]));
}

#[test]
fn json_lists_each_change() {
    let faulty = four_faults();
    let (_, err) = run_on(0, &["fix", "--json", "-"], faulty.as_bytes());
    let said: Value = serde_json::from_str(&err).unwrap();
    let changes = said["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 4);
    assert_eq!(changes[0]["old"], "EACH");
    assert_eq!(changes[0]["location"]["line"], 20);
    assert_eq!(said["left"].as_array().unwrap().len(), 0);
    assert_eq!(run(0, &["fix", SOUND]).0, order(&[]));
}
