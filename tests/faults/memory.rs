//! B20: little memory, and many large bodies at once.

use super::crowd::{Program, post, runtime, sealed};
use super::{figure, often};

/// What the process may take above what it has when it begins to work: two megabytes a thread, and as
/// many threads may write bodies to disk as there are bodies.
const ROOM: u64 = 100 << 20;
/// A machine on which a gateway has to do.
const SMALL: u64 = 256 << 20;

#[test]
fn b20_little_memory_and_many_large_bodies() {
    let (many, size) = (20, often(8, 50) << 20);
    let program = Program::start("");
    let most = match often(0, 1) {
        0 => (program.kib("VmHWM:") << 10) + ROOM,
        _ => SMALL,
    };
    assert!((many * size) as u64 > most, "it would fit");
    let whole = sealed(&vec![7; size]);
    let (mut taken, mut later) = (0, 0);
    runtime().block_on(async {
        let mut all = tokio::task::JoinSet::new();
        for n in 0..many {
            // The id of a message is no part of what is sealed.
            let one = whole
                .clone()
                .set("Message-ID", &format!("<{n}@large.example>"));
            let address = program.address;
            all.spawn(async move { post(address, one).await });
        }
        while let Some(answer) = all.join_next().await {
            match answer.unwrap().get(9..12) {
                Some("200") => taken += 1,
                Some("503") => later += 1,
                other => panic!("{other:?}"),
            }
        }
    });
    assert!(taken > 0, "none of {many} was taken");
    let peak = program.kib("VmHWM:") << 10;
    assert!(peak < most, "{peak} bytes of {most}");
    let told = format!(
        "{many} bodies of {} MiB at once: {taken} taken, {later} times 503; {} MiB of memory at most",
        size >> 20,
        peak >> 20
    );
    figure("B20", many as u64, 0, &told);
}
