//! The power of the bridge's disk fails after a delivery was recorded on another: the file has its name,
//! which nothing but an fsync of its folder keeps. (On one disk, with one journal, the next commit of
//! the database would keep it, too.)

use std::fs::File;

use super::house::{House, PATIENCE};
use super::image::Image;
use super::order::Order;
use super::partner::Partner;
use super::reconcile::delivered_of;

/// Delivers an order, and cuts the power when that is in the store. Gives what is wrong after it.
///
/// # Errors
/// Where the system mounts nothing for us.
pub(super) fn cut_after_a_delivery(planted: Option<&str>) -> Result<Vec<String>, String> {
    let mut image = Image::new()?;
    let partner = Partner::new();
    let disk = image.mounted();
    let mut house = House::new(&partner.url, Some(&disk));
    let store = house.folder.path().join("store");
    std::fs::create_dir(&store).unwrap();
    std::os::unix::fs::symlink(&store, disk.join("data")).unwrap();
    File::open(&disk).unwrap().sync_all().unwrap();
    let bug = planted.map(|bug| ("TRANSLOAD_PLANTED".to_owned(), bug.to_owned()));
    house.env.extend(bug);
    let mut process = house.start(&[("TRANSLOAD_KILL", "delivered".into())]);
    assert!(process.ready().is_some(), "{}", house.said());
    let order = Order { seed: 5, index: 3 };
    let _ = house.ask(&order.sealed(&partner.url));
    let ended = process.end(PATIENCE);
    image.freeze();
    assert!(ended.is_some(), "it is delivered");
    image.replace();
    let mut process = house.start(&[]);
    assert!(process.ready().is_some(), "{}", house.said());
    house.idle();
    let mut wrong = Vec::new();
    delivered_of(&house, &[order], &mut wrong);
    let code = process.terminate();
    if code != Some(0) {
        wrong.push(format!("it ended with {code:?}"));
    }
    Ok(wrong)
}
