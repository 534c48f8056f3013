//! Levels (HL): every nesting that ship notices use, both ways, and what is done to broken ones.

mod real;

use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use transload::canonical::{Document, Level, ShipNotice};
use transload::mapping::{Guide, Library, Reading, read, write};
use transload::x12::{Delimiters, Fault, Position, Segments, Severity};

fn guide() -> &'static Arc<Guide> {
    static GUIDE: OnceLock<Arc<Guide>> = OnceLock::new();
    GUIDE.get_or_init(|| {
        let library = Library::embedded();
        library.guide(None, "004010", "856").unwrap().unwrap()
    })
}

/// `HL*1**S ~ PRF*…` as a set's body.
fn body(text: &str) -> Segments {
    let mut segments = Segments::default();
    for (ordinal, segment) in text.split('~').map(str::trim).enumerate() {
        let parts: Vec<&[u8]> = segment.split('*').map(str::as_bytes).collect();
        let position = Position {
            ordinal: ordinal as u32 + 1,
            ..Position::default()
        };
        if !segment.is_empty() {
            segments.push_parts(&parts, position);
        }
    }
    segments
}

fn text(segments: &Segments) -> String {
    let one = |segment: transload::x12::Segment<'_>| {
        let parts = (0..=segment.count()).map(|n| String::from_utf8_lossy(segment.element(n)));
        parts.collect::<Vec<_>>().join("*")
    };
    segments.iter().map(one).collect::<Vec<_>>().join(" ~ ")
}

const BSN: &str = "BSN*00*SN-1*20261122*1305 ~ ";

fn reading(text: &str) -> Reading {
    read(
        guide(),
        &body(&format!("{BSN}{text}")),
        &Delimiters::default(),
    )
}

fn notice(reading: &Reading) -> &ShipNotice {
    match &reading.document {
        Some(Document::ShipNotice(notice)) => notice,
        other => panic!("{other:?}"),
    }
}

/// `S(O(I I))`: the tree as the document has it.
fn tree(levels: &[Level]) -> String {
    let one = |level: &Level| {
        let word = level.level.as_ref().map_or("?", |code| code.as_str());
        let letter = match word.strip_prefix("other:") {
            Some(raw) => raw.to_owned(),
            None => word[..1].to_uppercase(),
        };
        match tree(&level.levels) {
            below if below.is_empty() => letter,
            below => format!("{letter}({below})"),
        }
    };
    levels.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Findings that are more than the note of a CTT that is not there.
fn told(reading: &Reading) -> Vec<(Fault, String)> {
    let real = reading
        .findings
        .iter()
        .filter(|f| f.location.tag != "CTT" || f.fault != Fault::Normalised);
    real.map(|f| (f.fault, f.message.to_string())).collect()
}

/// Reads `HL*…` segments: the tree, no finding, and the same segments after writing.
#[track_caller]
fn holds(hls: &str, expected: &str) {
    let count = hls.matches("HL*").count();
    let whole = format!("{BSN}{hls} ~ CTT*{count}");
    let reading = read(guide(), &body(&whole), &Delimiters::default());
    assert_eq!(reading.findings, [], "{hls}");
    assert_eq!(tree(&notice(&reading).levels), expected);
    let document = reading.document.unwrap();
    let writing = write(guide(), &document, &Delimiters::default());
    assert!(writing.findings.is_empty(), "{:?}", writing.findings);
    assert_eq!(text(&writing.segments), text(&body(&whole)));
}

/// The tree of broken levels, and the faults that are told.
#[track_caller]
fn mends(hls: &str, expected: &str, faults: &[Fault]) -> Vec<String> {
    let reading = reading(hls);
    let told = told(&reading);
    assert_eq!(tree(&notice(&reading).levels), expected, "{told:#?}");
    let found: Vec<Fault> = told.iter().map(|(fault, _)| *fault).collect();
    assert_eq!(found, faults, "{told:#?}");
    told.into_iter().map(|(_, message)| message).collect()
}

#[test]
fn shipment_order_item() {
    holds("HL*1**S ~ HL*2*1*O ~ HL*3*2*I ~ HL*4*2*I", "S(O(I I))");
}

#[test]
fn shipment_order_pack_item() {
    holds(
        "HL*1**S ~ HL*2*1*O ~ HL*3*2*P ~ HL*4*3*I ~ HL*5*2*P ~ HL*6*5*I",
        "S(O(P(I) P(I)))",
    );
}

#[test]
fn shipment_order_tare_pack_item() {
    holds(
        "HL*1**S ~ HL*2*1*O ~ HL*3*2*T ~ HL*4*3*P ~ HL*5*4*I ~ HL*6*1*O ~ HL*7*6*T",
        "S(O(T(P(I))) O(T))",
    );
}

#[test]
fn shipment_order_tare_item_pack() {
    holds(
        "HL*1**S ~ HL*2*1*O ~ HL*3*2*T ~ HL*4*3*I ~ HL*5*4*P ~ HL*6*4*P",
        "S(O(T(I(P P))))",
    );
}

#[test]
fn shipment_tare_order_item() {
    holds(
        "HL*1**S ~ HL*2*1*T ~ MAN*GM*00100000000000000014 ~ HL*3*2*O ~ PRF*4711 ~ HL*4*3*I ~ HL*5*2*O ~ PRF*4712 ~ HL*6*5*I",
        "S(T(O(I) O(I)))",
    );
}

#[test]
fn shipment_pack_order_item() {
    holds(
        "HL*1**S ~ HL*2*1*P ~ HL*3*2*O ~ HL*4*3*I ~ HL*5*2*O ~ HL*6*5*I",
        "S(P(O(I) O(I)))",
    );
}

#[test]
fn order_item_pack_as_direct_fulfillment_has_it() {
    holds("HL*1**O ~ PRF*4711 ~ HL*2*1*I ~ HL*3*2*P", "O(I(P))");
}

/// One item in two cartons is an item twice, each with its own carton.
#[test]
fn one_item_in_two_cartons() {
    holds(
        "HL*1**O ~ HL*2*1*I ~ LIN*1*VN*A ~ SN1**3*EA ~ HL*3*2*P ~ MAN*CP*X1 ~ HL*4*1*I ~ LIN*1*VN*A ~ SN1**2*EA ~ HL*5*4*P ~ MAN*CP*X2",
        "O(I(P) I(P))",
    );
}

#[test]
fn several_shipments() {
    holds("HL*1**S ~ HL*2*1*O ~ HL*3**S ~ HL*4*3*O", "S(O) S(O)");
}

#[test]
fn marks_on_tares_and_packs_are_kept_with_their_ranges() {
    let hls = "HL*1**S ~ HL*2*1*T ~ MAN*GM*00100000000000000014 ~ HL*3*2*P ~ MAN*SM*0001*0012*UC*50012345678900 ~ MAN*CP*1Z999*1Z998";
    holds(hls, "S(T(P))");
    let reading = reading(hls);
    let json = serde_json::to_value(&notice(&reading).levels[0].levels[0].levels[0].marks);
    assert_eq!(
        json.unwrap(),
        serde_json::json!([
            { "ranges": [
                { "qualifier": "shipper_assigned_carton", "first": "0001", "last": "0012" },
                { "qualifier": "upc_case", "first": "50012345678900" },
            ] },
            { "ranges": [{ "qualifier": "carrier_package", "first": "1Z999", "last": "1Z998" }] },
        ])
    );
}

/// A segment belongs to its own level, never to a level around it.
#[test]
fn a_level_is_a_wall() {
    let reading = reading(
        "HL*1**S ~ REF*BM*B ~ HL*2*1*O ~ PRF*4711 ~ REF*DP*D ~ HL*3*2*I ~ LIN**VN*A ~ REF*LT*L",
    );
    let shipment = &notice(&reading).levels[0];
    let order = &shipment.levels[0];
    let item = &order.levels[0];
    let id = |level: &Level| level.references[0].id.clone().unwrap();
    assert_eq!([id(shipment), id(order), id(item)], ["B", "D", "L"]);
}

/// What is late in a level stays in it, and does not go to the heading.
#[test]
fn what_is_late_in_a_level_stays_there() {
    let reading = reading("HL*1**S ~ N1*ST*Dock 9 ~ DTM*011*20261122 ~ HL*2*1*O ~ PRF*4711");
    assert_eq!(told(&reading)[0].0, Fault::SegmentOrder);
    assert!(notice(&reading).shipped.is_none());
    assert!(notice(&reading).levels[0].shipped.is_some());
    assert!(notice(&reading).levels[0].levels[0].order.is_some());
}

#[test]
fn x12_case_053_hl_bad_parent() {
    let told = mends(
        "HL*1**S ~ HL*2*1*O ~ HL*3*9*I",
        "S(O(I))",
        &[Fault::LevelParent],
    );
    assert_eq!(
        told[0],
        "HL02: no HL before this one has the number 9; it was put below the set's HL no. 2"
    );
}

#[test]
fn x12_case_054_hl_gap() {
    let hls = "HL*10**S ~ HL*20*10*O ~ HL*30*20*I ~ HL*40*20*I";
    let told = mends(hls, "S(O(I I))", &[Fault::Normalised]);
    assert_eq!(
        told[0],
        "HL01: levels are numbered 1, 2, 3 … when they are written"
    );
    mends(
        "HL*1**S ~ HL*2*1*O ~ HL*4*2*I",
        "S(O(I))",
        &[Fault::Normalised],
    );
    mends("HL*001**S ~ HL*002*001*O", "S(O)", &[Fault::Normalised]);
}

#[test]
fn x12_cases_052_055_079_ctt_counts_levels() {
    holds("HL*1**S ~ HL*2*1*O ~ HL*3*2*P ~ HL*4*3*I", "S(O(P(I)))");
    let reading = reading("HL*1**S ~ HL*2*1*O ~ HL*3*2*I ~ CTT*1");
    let told = told(&reading);
    assert_eq!(told[0].0, Fault::ValueDiffers);
    assert_eq!(told[0].1, "CTT01: \"1\" where the set has 3");
}

#[test]
fn x12_case_077_levels_that_the_guide_does_not_list() {
    let told = mends(
        "HL*1**S ~ HL*2*1*AG ~ REF*DP*7 ~ HL*3*2*I",
        "S(AG(I))",
        &[Fault::ElementCode],
    );
    assert!(told[0].contains("\"AG\""), "{told:?}");
    mends(
        "HL*1**S ~ HL*2*1*K ~ HL*3*2*I",
        "S(K(I))",
        &[Fault::ElementCode],
    );
}

#[test]
fn x12_case_077_a_level_without_its_parent() {
    let told = mends("HL*1**S ~ HL*2**I", "S(I)", &[Fault::LevelParent]);
    assert_eq!(
        told[0],
        "HL02: a level I stands below S, O, T, P or I, and this one names no parent; it was put below the set's HL no. 1"
    );
}

#[test]
fn a_parent_that_may_not_hold_it() {
    let told = mends(
        "HL*1**S ~ HL*2*1*O ~ HL*3*2*I ~ HL*4*3*T",
        "S(O(I T))",
        &[Fault::LevelParent],
    );
    assert_eq!(
        told[0],
        "HL02: a level T stands below S or O, not below HL 3 (HL-I); it was put below the set's HL no. 2"
    );
}

#[test]
fn a_parent_of_a_level_that_stands_at_the_top() {
    let told = mends("HL*1**S ~ HL*2*1*S", "S S", &[Fault::LevelParent]);
    assert!(told[0].contains("stands at the top"), "{told:?}");
}

#[test]
fn a_parent_that_comes_later_or_is_itself() {
    mends(
        "HL*1**S ~ HL*2*3*I ~ HL*3*1*O",
        "S(I O)",
        &[Fault::LevelParent],
    );
    let told = mends("HL*1**S ~ HL*2*2*O", "S(O)", &[Fault::LevelParent]);
    assert!(told[0].contains("names itself"), "{told:?}");
}

#[test]
fn a_number_that_is_there_twice() {
    let told = mends(
        "HL*1**S ~ HL*2*1*O ~ HL*2*1*O ~ HL*4*2*I",
        "S(O O(I))",
        &[Fault::Normalised, Fault::LevelNumber],
    );
    assert_eq!(
        told[1],
        "HL01: 2 is the number of the set's HL no. 2 already"
    );
}

/// All orders, then all their items: legal, and written depth first.
#[test]
fn breadth_first() {
    let hls = "HL*1**S ~ HL*2*1*O ~ HL*3*1*O ~ HL*4*2*I ~ LIN**VN*A ~ HL*5*3*I ~ LIN**VN*B";
    mends(hls, "S(O(I) O(I))", &[Fault::Normalised]);
    let document = reading(hls).document.unwrap();
    let writing = write(guide(), &document, &Delimiters::default());
    assert_eq!(
        text(&writing.segments),
        format!(
            "{BSN}HL*1**S ~ HL*2*1*O ~ HL*3*2*I ~ LIN**VN*A ~ HL*4*1*O ~ HL*5*4*I ~ LIN**VN*B ~ CTT*5"
        )
    );
}

/// The order of segments at one position is kept in every level.
#[test]
fn unusual_orders_in_levels_are_kept() {
    holds(
        "HL*1**S ~ DTM*067*20261130 ~ DTM*011*20261122 ~ HL*2*1*O ~ DTM*017*20261124 ~ DTM*011*20261123 ~ HL*3*1*O ~ N1*BY*Buyer ~ N1*ST*Dock ~ N3*1 Quay",
        "S(O O)",
    );
}

#[test]
fn levels_end_at_the_limit_of_depth() {
    let mut hls = "HL*1**S".to_owned();
    for n in 2..=40 {
        hls += &format!(" ~ HL*{n}*{}*P", n - 1);
    }
    let reading = reading(&hls);
    let faults = told(&reading);
    assert!(
        faults.len() == 8 && faults.iter().all(|f| f.0 == Fault::LevelParent),
        "{faults:?}"
    );
    let mut depth = 0;
    let mut level = &notice(&reading).levels[0];
    while let Some(next) = level.levels.first() {
        (depth, level) = (depth + 1, next);
    }
    assert_eq!(depth, 31);
    let json = serde_json::to_string(reading.document.as_ref().unwrap()).unwrap();
    let again = Document::from_json(json.as_bytes()).unwrap();
    let writing = write(guide(), &again, &Delimiters::default());
    assert_eq!(
        writing.segments.iter().filter(|s| s.tag() == b"HL").count(),
        40
    );
}

/// A document that the guide does not allow is not sent.
#[test]
fn what_may_not_stand_there_is_not_written() {
    let json = r#"{"document":"ship_notice","number":"SN-1","made":{"date":"2026-11-22","time":"13:05"},
        "levels":[{"level":"shipment","levels":[{"level":"shipment"}]}]}"#;
    let document = Document::from_json(json.as_bytes()).unwrap();
    let writing = write(guide(), &document, &Delimiters::default());
    assert!(!writing.is_sound());
    assert!(
        writing
            .findings
            .iter()
            .any(|f| f.message == "HL02: a level S stands at the top, not below HL 1 (HL-S)"),
        "{:?}",
        writing.findings
    );
}

/// An overlay replaces `under`, and may ask for HL04 to be made.
#[test]
fn an_overlay_replaces_under_and_makes_hl04() {
    let overlay = "base = \"x12/004010/856\"\n[detail.HL]\nHL04 = { is = \"hl(children)\" }\n[detail.HL-I]\nunder = [\"P\"]\n";
    let library = Library::embedded().with([("partners/nobody/856.toml".into(), overlay.into())]);
    let error = library.guide(Some("nobody"), "004010", "856").unwrap();
    let guide = error.unwrap_or_else(|errors| panic!("{}", errors[0]));
    let text_in = format!("{BSN}HL*1**S*1 ~ HL*2*1*O*1 ~ HL*3*2*P*0 ~ HL*4*2*I*0 ~ CTT*4");
    let reading = read(&guide, &body(&text_in), &Delimiters::default());
    let faults: Vec<_> = told(&reading)
        .into_iter()
        .map(|(_, message)| message)
        .collect();
    assert_eq!(
        faults,
        [
            "HL02: a level I stands below P, not below HL 2 (HL-O); it was put below the set's HL no. 2"
        ]
    );
}

#[test]
fn a_guide_whose_levels_cannot_be_reached_is_refused() {
    let refused = |overlay: &str| {
        let overlay = format!("base = \"x12/004010/856\"\n{overlay}");
        let library = Library::embedded().with([("partners/nobody/856.toml".into(), overlay)]);
        let outcome = library.guide(Some("nobody"), "004010", "856").unwrap();
        outcome.map_or_else(
            |errors| errors[0].message.to_string(),
            |_| "accepted".to_owned(),
        )
    };
    assert_eq!(
        refused("[detail.HL-I]\nunder = [\"Q\"]"),
        "HL-I stands under \"Q\", which no HL of this guide is"
    );
    assert_eq!(
        refused("[detail.HL-I]\nunder = [\"I\"]"),
        "HL-I can be reached from no level at the top"
    );
    assert_eq!(
        refused("[detail.HL-K]\nlike = \"HL\"\nwhen = { HL03 = \"I\" }"),
        "HL-I and HL-K cannot be told apart: give them different when"
    );
    assert_eq!(
        refused("[detail.HL-K]\nlike = \"LH\"\nwhen = { HL03 = \"K\" }"),
        "neighbour \"LH\" is not known; did you mean \"HL\"?"
    );
}

/// Uses at one position may fill one list: its order is the file's, and each item goes back to the
/// use that its own values say.
#[test]
fn uses_that_fill_one_list() {
    let overlay = "base = \"x12/004010/850\"\n[heading.REF-numbers]\npos = 50\nmax = 9\nas = \"references[]\"\n\
        when = { REF01 = [\"CR\", \"VR\"] }\nREF01 = { as = \"qualifier\" }\nREF02 = { as = \"id\", usage = \"M\" }\n";
    let library = Library::embedded().with([("partners/nobody/850.toml".into(), overlay.into())]);
    let guide = library.guide(Some("nobody"), "004010", "850").unwrap();
    let guide = guide.unwrap_or_else(|errors| panic!("{}", errors[0]));
    let whole = "BEG*00*NE*4711**20261122 ~ REF*VR*1 ~ REF*AA*2 ~ REF*DP*3 ~ REF*CR*4 ~ REF*AA**words ~ PO1*1*1*EA ~ CTT*1";
    let reading = read(&guide, &body(whole), &Delimiters::default());
    assert_eq!(told(&reading), []);
    let writing = write(
        &guide,
        reading.document.as_ref().unwrap(),
        &Delimiters::default(),
    );
    assert_eq!(text(&writing.segments), text(&body(whole)));
    let unsaid = whole.replace("VR*1", "VR**words");
    let reading = read(&guide, &body(&unsaid), &Delimiters::default());
    assert_eq!(told(&reading)[0].0, Fault::ElementMissing);
}

/// Address lines are one list: two segments of one line each are written as one, and that is told.
#[test]
fn what_is_written_together_is_told() {
    let lines = |n3: &str| told(&reading(&format!("HL*1**S ~ N1*ST*Dock ~ {n3}")));
    assert_eq!(lines("N3*a*b"), []);
    assert_eq!(lines("N3*a*b ~ N3*c"), []);
    let joined = "N3 is written together with the one before it".to_owned();
    assert_eq!(lines("N3*a ~ N3*b"), [(Fault::Normalised, joined)]);
    assert_eq!(lines("N3*a ~ N4*Porto ~ N1*SF*Yard ~ N3*b"), []);
}

/// A quarter of a million levels, all in one set: linear in their number.
#[test]
fn many_levels() {
    let mut segments = body(&format!("{BSN}HL*1**S ~ HL*2*1*O"));
    for n in 3..50_000_u32 {
        let number = n.to_string();
        segments.push_parts(&[b"HL", number.as_bytes(), b"2", b"I"], Position::default());
    }
    let reading = read(guide(), &segments, &Delimiters::default());
    assert_eq!(notice(&reading).levels[0].levels[0].levels.len(), 49_997);
    assert_eq!(told(&reading), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Random levels with random parents: no panic, and every segment is in the document.
    #[test]
    fn random_levels_lose_nothing(
        picks in prop::collection::vec((0_u8..40, 0_u8..45, 0_usize..8), 1..60)
    ) {
        let codes = ["S", "O", "T", "P", "I", "AG", "K", ""];
        let mut hls = Vec::new();
        for (n, (number, parent, code)) in picks.iter().enumerate() {
            let number = if number % 3 == 0 { *number as usize } else { n + 1 };
            let parent = if *parent == 0 { String::new() } else { parent.to_string() };
            hls.push(format!("HL*{number}*{parent}*{} ~ REF*ZZ*{n}", codes[*code]));
        }
        let reading = reading(&hls.join(" ~ "));
        let notice = notice(&reading);
        let levels: Vec<&Level> = notice.levels.iter().flat_map(Level::walk).collect();
        prop_assert_eq!(levels.len(), picks.len());
        let mut kept: Vec<usize> = levels
            .iter()
            .map(|level| level.references[0].id.as_ref().unwrap().parse().unwrap())
            .collect();
        kept.sort_unstable();
        prop_assert!(kept.into_iter().eq(0..picks.len()));
        let sound = told(&reading).iter().all(|(fault, _)| fault.severity() < Severity::Error);
        let writing = write(guide(), reading.document.as_ref().unwrap(), &Delimiters::default());
        if sound && picks.iter().all(|(.., code)| !codes[*code].is_empty()) {
            prop_assert!(writing.is_sound(), "{:?}", writing.findings);
        }
        let again = read(guide(), &writing.segments, &Delimiters::default());
        let written = writing.segments.iter().filter(|s| s.tag() == b"HL").count();
        prop_assert_eq!(written, picks.len());
        prop_assert!(again.document.is_some());
    }
}
