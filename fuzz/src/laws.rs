//! The laws of mapping on documents whose values the bytes draw.

use transload::mapping::{self, Fill, read_json, sample, write};

use super::guide::{delimiters, picked};

/// What is written of a document is read as that document, and no reading differs from another.
///
/// The first byte picks the guide, as for `mapping_read`; the second's parity how much of it is
/// filled; the rest are draws.
pub fn laws(bytes: &[u8]) {
    let [pick, fill, drawn @ ..] = bytes else {
        return;
    };
    let (guide, delimiters) = (picked(*pick), delimiters(*pick));
    let all = fill % 2 == 0;
    let fill = if all { Fill::All } else { Fill::Some };
    let mut draws = draws(drawn);
    let Some(mut document) = sample(&guide, fill, &mut draws) else {
        return;
    };
    let writing = write(&guide, &document, &delimiters);
    let reading = mapping::read(&guide, &writing.segments, &delimiters);
    let again = reading.document.expect("the guide maps");
    assert_eq!(again, document, "L1: {}", guide.name);

    let (segments, none) = (&writing.segments, Default::default());
    let mut json = Vec::new();
    let told = read_json(&guide, segments, &delimiters, none, &mut json);
    assert_eq!(told, reading.findings);
    assert_eq!(mapping::check(&guide, segments, &delimiters), told);
    let due = serde_json::to_string(&again).expect("JSON");
    assert_eq!(String::from_utf8(json).expect("UTF-8"), due);

    if all {
        document.provenance_mut().order = guide.shuffled(&mut draws);
        let bytes = write(&guide, &document, &delimiters).segments;
        let reading = mapping::read(&guide, &bytes, &delimiters);
        let document = reading.document.expect("the guide maps");
        let again = write(&guide, &document, &delimiters).segments;
        assert_eq!(bytes, again, "L2: {}", guide.name);
    }
}

/// Draws: the first four bytes begin a generator, each of the others is a draw of its own (so
/// that a changed byte is a changed value), and when they are used up the generator goes on.
fn draws(bytes: &[u8]) -> impl FnMut(u32) -> u32 {
    let (first, rest) = bytes.split_at(bytes.len().min(4));
    let begin = |seed: u64, byte: &u8| seed << 8 | u64::from(*byte);
    let mut seed = first.iter().fold(0, begin);
    let mut rest = rest.iter();
    move |n| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let generated = (seed >> 33) as u32;
        let drawn = rest.next().map_or(generated, |byte| u32::from(*byte));
        drawn % n.max(1)
    }
}
