//! How fast X12 is read and written, against the floor in the same run: one pass of `memchr2`
//! that fills a reused list of element slices and does nothing else.
//!
//! `cargo bench --bench x12` prints MB of input for each second of CPU, and the ratio to the
//! floor. `cargo bench --bench x12 -- 100` takes 100 MB of input instead of 20, and `--brief`
//! takes 2: enough to see that it runs, too little to mean anything.

#![allow(clippy::print_stdout)]

use std::fmt::Write;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Instant;

use transload::canonical::Provenance;
use transload::mapping::{self, Library};
use transload::x12::{Delimiters, Envelopes, Event, Form, Reader, read, set_verdict};

/// Passes over the input for each figure; the fastest counts.
const PASSES: u32 = 5;

/// What the figures are measured against.
const GOALS: &str = "goals: segments 1.00 x floor, check 150 and translate 80 MB/s of CPU over 850s, \
    an 856 1.20 x an 850's CPU a byte, one 850 100 \u{b5}s warm and 10 ms for the whole command";

fn main() {
    // Cargo passes flags of its own (`--bench`); the first number is ours.
    let usual = match std::env::args().any(|a| a == "--brief") {
        true => 2,
        false => 20,
    };
    let megabytes = std::env::args()
        .find_map(|a| a.parse().ok())
        .unwrap_or(usual);
    let size = megabytes * 1_000_000;
    let (input, whose) = match generated("850", size) {
        Some(input) => (input, "the measurements' generator"),
        None => (orders(size), "this program"),
    };
    println!(
        "{} MB of 850s, made by {whose}, best of {PASSES} passes",
        input.len() / 1_000_000
    );
    let floor = measure("floor: memchr2 into element slices", &input, None, || {
        floor(&input)
    });
    measure("read: segments with positions", &input, Some(floor), || {
        let mut reader = Reader::new(&input[..]);
        let mut elements = 0;
        while let Some(segment) = reader.next().expect("the input is X12") {
            elements += black_box(segment).count();
        }
        elements
    });
    measure("read: sets, envelopes checked", &input, Some(floor), || {
        let mut envelopes = Envelopes::new(&input[..]);
        while let Some(event) = envelopes.next().expect("the input is X12") {
            black_box(event);
        }
        assert!(envelopes.take_findings().is_empty());
        envelopes.segments() as usize
    });
    measure("read: into interchanges", &input, Some(floor), || {
        read(&input[..])
            .expect("the input is X12")
            .interchanges
            .len()
    });
    let reading = read(&input[..]).expect("the input is X12");
    let mut out = Vec::with_capacity(input.len());
    measure("write: interchanges", &input, Some(floor), || {
        out.clear();
        for interchange in &reading.interchanges {
            transload::x12::write(interchange, &mut out).expect("what was read can be written");
        }
        out.len()
    });
    assert!(out == input, "what was written is what was read");
    drop(out);
    mapping(&input, &reading.interchanges, floor);
    drop(reading);
    let ours = checked(&input, "004010", "850", floor);
    let size = input.len() / 5;
    let notice = generated("856", size).unwrap_or_else(|| notice(size));
    println!("{} MB of one 856", notice.len() / 1_000_000);
    let floor = measure("floor: the same over the 856", &notice, None, || {
        self::floor(&notice)
    });
    let its = checked(&notice, "004010", "856", floor);
    let share = (its / notice.len() as f64) / (ours / input.len() as f64);
    println!("{:<36} {share:>7.2} x the 850's CPU a byte", "check an 856");
    one();
    println!("{GOALS}");
}

/// The input that all measurements share, where their generator is there.
fn generated(set: &str, size: usize) -> Option<Vec<u8>> {
    let generator = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/x12/measure/gen.py");
    let file = tempfile::NamedTempFile::new().ok()?;
    let mut made = Command::new("python3");
    let made = made.args([generator, set, &size.to_string()]);
    let done = made.arg(file.path()).stdout(Stdio::null());
    done.stderr(Stdio::null())
        .status()
        .ok()?
        .success()
        .then_some(())?;
    std::fs::read(file.path()).ok()
}

/// Checking against the guide, with the 997 that says so; then translating to JSON. Returns the
/// seconds of checking.
fn checked(input: &[u8], version: &str, set: &str, floor: f64) -> f64 {
    let library = Library::embedded();
    let guide = library.guide(None, version, set).expect("a guide");
    let guide = guide.expect("a sound guide");
    let delimiters = Delimiters::default();
    let seconds = measure(
        "check: guide, notes, and the 997",
        input,
        Some(floor),
        || {
            let mut envelopes = Envelopes::new(input);
            let mut sets = 0;
            let mut findings = Vec::new();
            while let Some(event) = envelopes.next().expect("the input is X12") {
                match event {
                    Event::SetBegin(_) => {
                        let reader = mapping::Reader::checking(&guide, &delimiters);
                        findings = body(&mut envelopes, reader).findings();
                    }
                    Event::Set(set) => {
                        black_box(set_verdict(Form::F997, set, &delimiters, &findings));
                        sets += 1;
                    }
                    _ => {}
                }
            }
            sets
        },
    );
    let mut out = Vec::new();
    measure("translate: to JSON", input, Some(floor), || {
        let mut envelopes = Envelopes::new(input);
        let mut length = 0;
        while let Some(event) = envelopes.next().expect("the input is X12") {
            if let Event::SetBegin(_) = event {
                out.clear();
                let reader = mapping::Reader::new(&guide, &delimiters);
                let reader = body(&mut envelopes, reader);
                reader.json(Provenance::default(), &mut out);
                length += black_box(&out).len();
            }
        }
        length
    });
    seconds
}

/// A set's body, read on its way, as the commands do it.
fn body<'g>(
    envelopes: &mut Envelopes<&[u8]>,
    mut reader: mapping::Reader<'g>,
) -> mapping::Reader<'g> {
    while let Some(segment) = envelopes.segment().expect("the input is X12") {
        reader.segment(&segment);
    }
    reader
}

/// One order of about ten thousand bytes: warm in this process, and by the whole command.
fn one() {
    let file = [
        "ISA*00*          *00*          *ZZ*BUYEREXAMPLE   *ZZ*SELLEREXAMPLE  *260102*0304*U*00401*000000001*0*P*>~",
        "GS*PO*BUYER*SELLER*20260102*0304*1*X*004010~",
        "",
        "GE*1*1~",
        "IEA*1*000000001~\n",
    ];
    let mut body = String::new();
    lines(&mut body, 1, 120, &mut Random(850));
    let file = file.map(|line| {
        if line.is_empty() {
            body.trim_end()
        } else {
            line
        }
    });
    let file = file.join("\n");
    let library = Library::embedded();
    let guide = library.guide(None, "004010", "850").expect("a guide");
    let guide = guide.expect("a sound guide");
    let runs = 500;
    let best = |mut pass: Box<dyn FnMut() + '_>| {
        let pass = || {
            let start = Instant::now();
            pass();
            start.elapsed()
        };
        std::iter::repeat_with(pass)
            .take(runs)
            .min()
            .unwrap_or_default()
    };
    let warm = best(Box::new(|| {
        let mut envelopes = Envelopes::new(file.as_bytes());
        while let Some(event) = envelopes.next().expect("the input is X12") {
            if let Event::Set(set) = event {
                let findings = mapping::check(&guide, &set.segments, &Delimiters::default());
                assert!(black_box(findings).is_empty());
            }
        }
    }));
    let path = std::env::temp_dir().join(format!("transload-bench-{}.edi", std::process::id()));
    std::fs::write(&path, &file).expect("a folder for temporary files");
    let whole = best(Box::new(|| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_transload"));
        let ran = command
            .arg("check")
            .arg(&path)
            .output()
            .expect("the command runs");
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stdout)
        );
    }));
    let _ = std::fs::remove_file(&path);
    let kilobytes = file.len() as f64 / 1000.0;
    println!(
        "one 850 of {kilobytes:.1} KB, checked: {} \u{b5}s warm, {:.1} ms for the whole command (best of {runs})",
        warm.as_micros(),
        whole.as_secs_f64() * 1000.0
    );
}

/// One ship notice of at least `size` bytes: orders, pallets, cartons and items.
fn notice(size: usize) -> Vec<u8> {
    let mut random = Random(856);
    let mut out = String::with_capacity(size + 1000);
    out.push_str(
        "ISA*00*          *00*          *ZZ*SELLEREXAMPLE  *ZZ*BUYEREXAMPLE   *260102*0304*U*00401*000000001*0*P*>~\n\
         GS*SH*SELLER*BUYER*20260102*0304*1*X*004010~\nST*856*0001~\nBSN*00*N1*20260102*0304*0001~\nHL*1**S~\n",
    );
    let (mut segments, mut level) = (3, 1);
    while out.len() < size {
        let order = level + 1;
        let _ = writeln!(
            out,
            "HL*{order}*1*O~\nPRF*P{order:08}~\nHL*{}*{order}*T~",
            order + 1
        );
        level += 2;
        let pallet = level;
        segments += 3;
        for _ in 0..20 {
            let carton = level + 1;
            let (mark, sku) = (random.below(9_999_999_999), random.below(99_999));
            let quantity = 1 + random.below(500);
            let _ = writeln!(
                out,
                "HL*{carton}*{pallet}*P~\nMAN*CP*{mark:018}~\nHL*{}*{carton}*I~\nLIN**VN*SKU-{sku:05}~\nSN1**{quantity}*EA~",
                carton + 1
            );
            level += 2;
            segments += 5;
        }
    }
    let _ = writeln!(
        out,
        "CTT*{level}~\nSE*{}*0001~\nGE*1*1~\nIEA*1*000000001~",
        segments + 2
    );
    out.into_bytes()
}

/// Reading and mapping to canonical documents, as `check` and the gateway do it; then back.
fn mapping(input: &[u8], interchanges: &[transload::x12::Interchange], floor: f64) {
    let library = Library::embedded();
    let guide = library
        .guide(None, "004010", "850")
        .expect("a guide")
        .expect("a sound guide");
    measure("read and map: to canonical", input, Some(floor), || {
        let mut envelopes = Envelopes::new(input);
        let mut documents = 0;
        while let Some(event) = envelopes.next().expect("the input is X12") {
            if let Event::Set(set) = event {
                let reading = mapping::read(&guide, &set.segments, &Delimiters::default());
                documents += usize::from(black_box(reading).document.is_some());
            }
        }
        documents
    });
    let delimiters = Delimiters::default();
    let sets = interchanges
        .iter()
        .flat_map(|i| &i.groups)
        .flat_map(|g| &g.sets);
    let documents: Vec<_> = sets
        .filter_map(|set| mapping::read(&guide, &set.segments, &delimiters).document)
        .collect();
    measure("map: canonical to segments", input, Some(floor), || {
        documents
            .iter()
            .map(|d| {
                black_box(mapping::write(&guide, d, &delimiters))
                    .segments
                    .len()
            })
            .sum()
    });
}

/// Runs `pass` and prints its MB/s of CPU; returns the seconds of its best pass.
fn measure(name: &str, input: &[u8], floor: Option<f64>, mut pass: impl FnMut() -> usize) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..PASSES {
        let start = cpu_seconds();
        black_box(pass());
        best = best.min(cpu_seconds() - start);
    }
    let speed = input.len() as f64 / 1e6 / best;
    let ratio = floor.map_or(1.0, |f| best / f);
    println!("{name:<36} {speed:>7.0} MB/s of CPU  {ratio:>5.2} x floor");
    best
}

/// CPU time of this thread where the kernel tells it, else the clock's.
fn cpu_seconds() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|s| s.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |n| n / 1e9)
}

/// The floor: every element of every segment as a slice, in one reused list.
fn floor(input: &[u8]) -> usize {
    let mut elements: Vec<&[u8]> = Vec::with_capacity(32);
    let (mut from, mut count) = (0, 0);
    for at in memchr::memchr2_iter(b'~', b'*', input) {
        elements.push(&input[from..at]);
        from = at + 1;
        if input[at] == b'~' {
            count += elements.len();
            black_box(&elements);
            elements.clear();
            from += usize::from(input.get(from) == Some(&b'\n'));
        }
    }
    count
}

/// At least `size` bytes of 850s, as interchanges of twenty groups of fifty orders of one to
/// thirty lines each. The same bytes every time.
fn orders(size: usize) -> Vec<u8> {
    let mut random = Random(850);
    let mut out = String::with_capacity(size + 1_000_000);
    let mut interchange = 0;
    while out.len() < size {
        interchange += 1;
        let _ = writeln!(
            out,
            "ISA*00*          *00*          *ZZ*BUYEREXAMPLE   *ZZ*SELLEREXAMPLE  *260102*0304*U*00401*{interchange:09}*0*P*>~"
        );
        for group in 1..=20 {
            let _ = writeln!(out, "GS*PO*BUYER*SELLER*20260102*0304*{group}*X*004010~");
            for number in 1..=50 {
                order(&mut out, number, &mut random);
            }
            let _ = writeln!(out, "GE*50*{group}~");
        }
        let _ = writeln!(out, "IEA*20*{interchange:09}~");
    }
    out.into_bytes()
}

fn order(out: &mut String, number: u32, random: &mut Random) {
    let lines = 1 + random.below(30);
    self::lines(out, number, lines, random);
}

/// An order of so many lines.
fn lines(out: &mut String, number: u32, lines: u64, random: &mut Random) {
    let mut segments = 15;
    let _ = writeln!(
        out,
        "ST*850*{number:04}~\nBEG*00*NE*P{:08}**20260102~",
        random.below(99_999_999)
    );
    out.push_str("REF*DP*038~\nFOB*CC*OR*ORIGIN~\nCSH*N~\nITD*01*3*2**10**30~\n");
    out.push_str("DTM*064*20260110~\nDTM*063*20260124~\n");
    for party in ["ST", "BT"] {
        let _ = writeln!(
            out,
            "N1*{party}*EXAMPLE WAREHOUSE {}*92*W{:03}~",
            random.below(10),
            random.below(999)
        );
        let _ = writeln!(
            out,
            "N3*{} EXAMPLE AVENUE*DOCK {}~",
            random.below(9999),
            random.below(40)
        );
    }
    out.push_str("N4*SPRINGFIELD*IL*62701*US~\n");
    let mut total = 0;
    for line in 1..=lines {
        let quantity = 1 + random.below(500);
        total += quantity;
        let (cents, upc, sku) = (
            random.below(99_999),
            upc(random.below(99_999_999)),
            random.below(99_999),
        );
        let _ = writeln!(
            out,
            "PO1*{line}*{quantity}*EA*{}.{:02}*NT*UP*{upc:012}*VN*SKU-{sku:05}~",
            cents / 100,
            cents % 100
        );
        segments += 1;
        if random.below(10) < 8 {
            out.push_str("PID*F*08***STEEL TRAVEL MUG WITH LID, SET OF FOUR~\n");
            segments += 1;
        }
        if random.below(10) < 5 {
            let _ = writeln!(out, "SCH*{quantity}*EA***002*20260112~");
            segments += 1;
        }
    }
    let _ = writeln!(out, "CTT*{lines}*{total}~\nSE*{segments}*{number:04}~");
}

/// A twelve-digit item number whose last digit is right.
fn upc(item: u64) -> u64 {
    let number = 61_400_000_000 + item;
    let digits = (0..11).map(|place| number / 10_u64.pow(place) % 10);
    let sum: u64 = digits
        .zip([3, 1].into_iter().cycle())
        .map(|(d, w)| d * w)
        .sum();
    number * 10 + (10 - sum % 10) % 10
}

/// Xorshift: enough to vary lengths, and the same everywhere.
struct Random(u64);

impl Random {
    /// A number below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
