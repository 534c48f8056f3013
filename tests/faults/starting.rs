//! The process is killed while it makes its database, or brings it up to date.

use std::time::Duration;

use super::figure;
use super::house::House;

pub(super) const POINTS: &[&str] = &["migrating", "migrated"];

/// More steps than there are.
const MOST: u32 = 100;

#[test]
fn killed_in_each_step_of_the_schema_the_next_start_ends_it() {
    let mut trials = 0;
    for point in POINTS {
        for step in 1..MOST {
            let house = House::new("http://127.0.0.1:9/as2", None);
            let mut process = house.start(&[("TRANSLOAD_KILL", format!("{point}:{step}"))]);
            if process.ready().is_some() {
                // There is no such step.
                assert!(step > 9, "{point}:{step} is never passed");
                break;
            }
            process.end(Duration::from_secs(10)).unwrap();
            let version = |house: &House| {
                let query = house.database();
                let version = query.query_row("PRAGMA user_version", [], |row| row.get(0));
                version.unwrap_or(0_u32)
            };
            let due = match *point {
                "migrating" => step - 1,
                _ => step,
            };
            assert_eq!(version(&house), due, "a step is done, or it is not");
            let mut again = house.start(&[]);
            assert!(again.ready().is_some(), "{}", house.said());
            assert!(version(&house) > 9);
            assert_eq!(again.terminate(), Some(0));
            trials += 1;
        }
    }
    figure("A21", trials, 0, "the next start has all steps");
}
