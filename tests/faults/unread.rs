//! B9: what was stored cannot be read any more.

use super::figure;
use super::house::{House, PATIENCE};
use super::image::run;
use super::order::Order;
use super::partner::Partner;
use super::reconcile::delivered_of;

#[test]
fn a_payload_that_the_disk_gives_up_sets_its_message_aside() {
    if let Err(why) = run("strace", &["-V"]) {
        return say!("skipped: {why}");
    }
    let partner = Partner::new();
    let mut house = House::new(&partner.url, None);
    let order = |index| Order { seed: 7, index };
    let mut process = house.start(&[("TRANSLOAD_KILL", "reading".into())]);
    assert!(process.ready().is_some(), "{}", house.said());
    let _ = house.ask(&order(39).sealed(&partner.url));
    assert!(process.end(PATIENCE).is_some(), "a large one is read");
    let files = house.files("data/payloads");
    assert!(!files.is_empty(), "a large payload lies in a file");
    let mut wrapper = vec!["strace", "-f", "-qq", "-o", "/dev/null"];
    let files: Vec<String> = files
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    files.iter().for_each(|path| wrapper.extend(["-P", path]));
    wrapper.extend(["-e", "trace=read,pread64,readv", "-e"]);
    wrapper.push("inject=read,pread64,readv:error=EIO");
    house.wrapper = wrapper.into_iter().map(str::to_owned).collect();
    let mut process = house.start(&[]);
    assert!(process.ready().is_some(), "{}", house.said());
    for index in [1, 3, 4, 5] {
        assert_eq!(house.ask(&order(index).sealed(&partner.url)), Some(200));
    }
    house.idle();
    let aside = "SELECT count(*) FROM message WHERE state = 'quarantined'";
    assert_eq!(house.count(aside), 1, "{}", house.said());
    let mut wrong = Vec::new();
    delivered_of(&house, &[1, 3, 4, 5].map(order), &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(process.kill().code(), None);
    let told = "EIO at each read: quarantined; four others delivered";
    figure("B9", files.len() as u64, 0, told);
}
