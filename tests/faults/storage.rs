//! The disk fails: it is full, it lies, it loses files and turns bits.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::figure;
use super::house::{House, Process};
use super::image::{Image, run};
use super::order::{Order, Sealed};
use super::partner::Partner;
use super::reconcile::delivered_of;
use super::wire::Line;

/// Messages after which a disk that was to fail has failed.
const MANY: usize = 2000;
/// Where commits are written first.
pub(super) const LOG: &str = "transload.db-wal";
/// How long something that has to happen may take.
const SOON: Duration = Duration::from_secs(30);

/// A gateway on a disk of its own, and a partner.
struct Stand {
    house: House,
    partner: Partner,
}

/// A file system in memory, unmounted with this value.
struct Small {
    folder: TempDir,
}

impl Small {
    fn new(options: &str) -> Result<Small, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_string_lossy().into_owned();
        run("mount", &["-t", "tmpfs", "-o", options, "tmpfs", &path])?;
        Ok(Small { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it but for so many bytes.
    fn fill(&self, but: u64) -> PathBuf {
        let path = self.path().join("filler");
        let mut size = 64 << 20;
        let file = std::fs::File::create(&path).unwrap();
        // Halving steps find what is free to the page.
        let mut have = 0;
        while size >= 4096 {
            let block = vec![1_u8; size];
            use std::os::unix::fs::FileExt as _;
            match file.write_at(&block, have) {
                Ok(written) => have += written as u64,
                Err(_) => size /= 2,
            }
        }
        file.set_len(have.saturating_sub(but)).unwrap();
        path
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let path = self.path().to_string_lossy().into_owned();
        let _ = run("umount", &["-l", &path]);
    }
}

impl Stand {
    fn new(data: Option<&Path>) -> Stand {
        let partner = Partner::new();
        Stand {
            house: House::new(&partner.url, data),
            partner,
        }
    }

    fn order(index: usize) -> Order {
        Order { seed: 7, index }
    }

    fn sealed(&self, index: usize) -> Sealed {
        Stand::order(index).sealed(&self.partner.url)
    }

    fn started(&self) -> Process {
        let mut process = self.house.start(&[]);
        assert!(process.ready().is_some(), "{}", self.house.said());
        process
    }

    /// The status that a message gets; none where nobody answers.
    fn ask(&self, sealed: &Sealed) -> Option<u16> {
        let answer = Line::new(self.house.port).ask(&sealed.bytes);
        answer.ok().map(|answer| answer.status)
    }

    /// Waits until nothing is left to do.
    fn idle(&self) {
        let start = Instant::now();
        while self.house.count("SELECT count(*) FROM work") > 0 {
            assert!(start.elapsed() < SOON, "{}", self.house.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What is wrong with what was delivered of these.
    fn delivered(&self, indexes: impl IntoIterator<Item = usize>) -> Vec<String> {
        let orders: Vec<Order> = indexes.into_iter().map(Stand::order).collect();
        let mut found = Vec::new();
        delivered_of(&self.house, &orders, &mut found);
        found
    }
}

/// Skips a test with a word where the system does not let us.
macro_rules! or_skip {
    ($made:expr) => {
        match $made {
            Ok(made) => made,
            Err(why) => return say!("skipped: {why}"),
        }
    };
}

/// The disk is full: before a message, in the middle of one, at the commit; then there is room again.
fn full(row: &str, options: &str, memory: bool, large: bool) {
    let small = or_skip!(Small::new(options));
    let stand = Stand::new(Some(small.path()));
    if memory {
        stand
            .house
            .set("body_memory = 2048", "body_memory = 262144");
    }
    let process = stand.started();
    assert_eq!(stand.ask(&stand.sealed(1)), Some(200));
    stand.idle();
    let index = if large { 39 } else { 3 };
    let sealed = stand.sealed(index);
    let mut filled = Vec::new();
    if options.contains("nr_inodes") {
        for n in 0.. {
            let path = small.path().join(format!("empty.{n}"));
            if std::fs::write(&path, b"").is_err() {
                break;
            }
            filled.push(path);
        }
    } else {
        filled.push(small.fill(if large { 40 << 10 } else { 0 }));
    }
    let mut violations = Vec::new();
    for _ in 0..5 {
        match stand.ask(&sealed) {
            Some(503) => {}
            other => violations.push(format!("{other:?} on a full disk")),
        }
    }
    let left = stand.house.files("data/spool").len();
    if left > 0 {
        violations.push(format!("{left} files are left in the spool"));
    }
    for path in filled {
        std::fs::remove_file(path).unwrap();
    }
    assert_eq!(stand.ask(&sealed), Some(200), "{}", stand.house.said());
    stand.idle();
    violations.extend(stand.delivered([1, index]));
    assert_eq!(process.terminate(), Some(0));
    assert!(
        violations.is_empty(),
        "{violations:#?}\n{}",
        stand.house.said()
    );
    figure(
        row,
        5,
        violations.len() as u64,
        "503 each time, and 200 once there was room",
    );
}

#[test]
fn a_full_disk_is_told_and_survived() {
    full("B3", "size=32m", false, false);
}

#[test]
fn a_disk_that_gets_full_within_a_body_keeps_nothing_of_it() {
    full("B4", "size=32m", false, true);
}

#[test]
fn a_disk_that_is_full_at_the_commit_acknowledges_nothing() {
    full("B5", "size=32m", true, false);
}

#[test]
fn a_disk_without_inodes_is_told_and_survived() {
    full("B7", "size=32m,nr_inodes=128", false, false);
}

/// What came of one failing fsync.
pub(super) struct Trial {
    pub(super) wrong: Vec<String>,
}

/// One fsync of the log, or of the database that it is folded into, fails with EIO, under a load of
/// small messages; those after it would not.
///
/// # Errors
/// Where nothing can be traced here.
pub(super) fn fsync_fails(planted: Option<&str>, file: &str, from: u32) -> Result<Trial, String> {
    run("strace", &["-V"])?;
    let mut stand = Stand::new(None);
    // No spool file: the first that fails is the database's.
    stand
        .house
        .set("body_memory = 2048", "body_memory = 262144");
    let bug = planted.map(|bug| ("TRANSLOAD_PLANTED".to_owned(), bug.to_owned()));
    stand.house.env.extend(bug);
    let inject = format!("inject=fsync,fdatasync:error=EIO:when={from}");
    let file = stand.house.data.join("data").join(file);
    let wrapper = [
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync,fdatasync",
        "-P",
        &file.to_string_lossy(),
        "-e",
        &inject,
    ];
    stand.house.wrapper = wrapper.map(str::to_owned).to_vec();
    let mut process = stand.house.start(&[]);
    if process.ready().is_none() {
        return Err(format!("cannot trace: {}", stand.house.said()));
    }
    let (mut wrong, mut acknowledged, mut refused) = (Vec::new(), Vec::new(), 0);
    let (mut start, mut last) = (Instant::now(), None);
    for index in 1..MANY {
        // Messages whose receipts come with the answer, small ones.
        if index % 8 < 3 || Stand::order(index).large() {
            continue;
        }
        last = stand.ask(&stand.sealed(index));
        match last {
            Some(200) if refused == 0 => acknowledged.push(index),
            Some(200) => wrong.push(format!("{index} is acknowledged after the failure")),
            Some(503) => {
                // However long it took until the disk failed: from here on it has to end soon.
                start = if refused == 0 { Instant::now() } else { start };
                refused += 1;
            }
            None => break,
            other => wrong.push(format!("{other:?}")),
        }
        if refused > 200 || refused > 0 && start.elapsed() > SOON {
            break;
        }
    }
    match process.end(Duration::from_secs(10)) {
        Some(status) if status.code() == Some(74) => {}
        Some(status) => wrong.push(format!(
            "it ended with {:?} {:?}",
            status.code(),
            status.signal()
        )),
        None => wrong.push(format!(
            "it goes on after {} messages and {refused} refusals; the last answer is {last:?}: {}",
            acknowledged.len(),
            stand.house.said()
        )),
    }
    drop(process);
    // The disk is sound again: all that was acknowledged is there.
    stand.house.wrapper.clear();
    stand.house.env.clear();
    let process = stand.started();
    for index in &acknowledged {
        if stand.ask(&stand.sealed(*index)) == Some(200) {
            continue;
        }
        wrong.push(format!("{index} is not known any more"));
    }
    stand.idle();
    wrong.extend(
        stand
            .delivered(acknowledged)
            .into_iter()
            .filter(|what| !what.starts_with("I3")),
    );
    if process.terminate() != Some(0) {
        wrong.push("the next start does not end clean".into());
    }
    Ok(Trial { wrong })
}

#[test]
fn after_an_fsync_that_failed_nothing_is_acknowledged() {
    let (mut trials, mut wrong) = (0, Vec::new());
    let log = [40, 43, 47, 52, 60, 75].map(|from| (LOG, from));
    for (file, from) in log.into_iter().chain([("transload.db", 1)]) {
        let trial = or_skip!(fsync_fails(None, file, from));
        trials += 1;
        wrong.extend(
            trial
                .wrong
                .into_iter()
                .map(|what| format!("{file} from {from}: {what}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    figure(
        "B8",
        trials,
        0,
        "0 acknowledged after the failure, exit code 74",
    );
}

/// A large message is accepted, the process dies before it is read, and its file comes to harm.
fn harmed(row: &str, harm: impl Fn(&Path)) {
    let stand = Stand::new(None);
    let mut process = stand.house.start(&[("TRANSLOAD_KILL", "reading".into())]);
    process.ready();
    let large = stand.sealed(39);
    let _ = stand.ask(&large);
    assert!(process.end(SOON).is_some());
    let files = stand.house.files("data/payloads");
    let count = files.len() as u64;
    assert!(count > 0, "a large payload lies in a file");
    files.iter().for_each(|path| harm(path));
    let process = stand.started();
    for index in [1, 3, 4, 5] {
        assert_eq!(stand.ask(&stand.sealed(index)), Some(200));
    }
    stand.idle();
    let aside = "SELECT count(*) FROM message WHERE state = 'quarantined'";
    assert_eq!(stand.house.count(aside), 1, "{}", stand.house.said());
    let wrong = stand.delivered([1, 3, 4, 5]);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(process.terminate(), Some(0));
    figure(row, count, 0, "quarantined; four others delivered");
}

#[test]
fn a_payload_that_is_missing_sets_its_message_aside() {
    harmed("B13", |path| std::fs::remove_file(path).unwrap());
}

#[test]
fn a_payload_with_a_turned_bit_sets_its_message_aside() {
    harmed("B14", |path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        std::fs::write(path, bytes).unwrap();
    });
}

/// The kernel finds the file system broken and makes it read-only.
#[test]
fn a_file_system_that_turns_read_only_ends_it() {
    let image = or_skip!(Image::new());
    let disk = image.mounted();
    let stand = Stand::new(Some(&disk));
    let mut process = stand.started();
    assert_eq!(stand.ask(&stand.sealed(1)), Some(200));
    stand.idle();
    run("mount", &["-o", "remount,abort", &disk.to_string_lossy()]).unwrap();
    let sealed = stand.sealed(3);
    let mut wrong = Vec::new();
    let start = Instant::now();
    while let Some(status) = stand.ask(&sealed) {
        if status != 503 || start.elapsed() > SOON {
            wrong.push(format!("answered {status}"));
            break;
        }
    }
    let ended = process.end(SOON).and_then(|status| status.code());
    if ended != Some(74) {
        wrong.push(format!("it ended with {ended:?}"));
    }
    drop(process);
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", stand.house.said());
    figure("B10", 1, 0, "503, then exit code 74");
}

#[test]
fn slow_fsyncs_make_it_slow_and_no_more() {
    or_skip!(run("strace", &["-V"]));
    let mut stand = Stand::new(None);
    stand
        .house
        .set("body_memory = 2048", "body_memory = 262144");
    let mut process = stand.started();
    process.kill();
    drop(process);
    let wrapper = [
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync,fdatasync",
        "-e",
        "inject=fsync,fdatasync:delay_enter=500ms",
    ];
    stand.house.wrapper = wrapper.map(str::to_owned).to_vec();
    let process = stand.started();
    let indexes: Vec<usize> = (0..60)
        .filter(|n| n % 8 > 2 && !Stand::order(*n).large())
        .collect();
    let start = Instant::now();
    let statuses: Vec<Option<u16>> = std::thread::scope(|threads| {
        let asked = indexes.iter().map(|index| {
            let stand = &stand;
            threads.spawn(move || stand.ask(&stand.sealed(*index)))
        });
        let asked: Vec<_> = asked.collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let took = start.elapsed();
    let taken = statuses
        .iter()
        .filter(|status| **status == Some(200))
        .count();
    let refused = statuses
        .iter()
        .filter(|status| **status == Some(503))
        .count();
    assert_eq!(taken + refused, indexes.len(), "{statuses:?}");
    drop(process);
    let text = format!(
        "{taken} accepted and {refused} times 503 in {:.1} s",
        took.as_secs_f64()
    );
    figure("B15", indexes.len() as u64, 0, &text);
}

#[test]
fn without_file_descriptors_it_waits_and_burns_nothing() {
    or_skip!(run("prlimit", &["--version"]));
    let mut stand = Stand::new(None);
    let wrapper = ["prlimit", "--nofile=64:64"];
    stand.house.wrapper = wrapper.map(str::to_owned).to_vec();
    let process = stand.started();
    let open = || std::net::TcpStream::connect(("127.0.0.1", stand.house.port)).unwrap();
    let held: Vec<_> = (0..150).map(|_| open()).collect();
    let cpu = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let (before, wait) = (cpu(), Duration::from_secs(2));
    std::thread::sleep(wait);
    // Ticks of ten milliseconds.
    let percent = (cpu() - before) / wait.as_secs();
    drop(held);
    let start = Instant::now();
    while stand.ask(&stand.sealed(1)) != Some(200) {
        assert!(start.elapsed() < SOON, "{}", stand.house.said());
    }
    assert!(percent < 20, "{percent} % of a processor");
    figure(
        "B19",
        1,
        0,
        &format!("{percent} % of a processor with 150 connections on 64 descriptors"),
    );
}

/// What it logs has no room: nobody else notices.
#[test]
fn a_full_disk_of_the_log_stops_nothing() {
    let small = or_skip!(Small::new("size=64k"));
    small.fill(0);
    let mut stand = Stand::new(None);
    stand.house.log = small.path().join("log");
    stand
        .house
        .env
        .push(("TRANSLOAD_LOG".into(), "debug".into()));
    let process = stand.started();
    for index in [3, 4, 5, 6, 7] {
        assert_eq!(stand.ask(&stand.sealed(index)), Some(200));
    }
    stand.idle();
    let wrong = stand.delivered([3, 4, 5, 6, 7]);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(process.terminate(), Some(0));
    figure("B6", 5, 0, "all accepted and delivered");
}
