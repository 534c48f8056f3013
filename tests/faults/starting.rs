//! The start: the process is killed while it makes its database, or brings it up to date; its folder is
//! on no disk of this machine.

use std::time::Duration;

use super::figure;
use super::house::House;
use super::image::run;

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

/// Names, and the numbers by which the kernel says them: what statfs(2) writes first.
const NETWORKS: [(&str, u32); 5] = [
    ("NFS", 0x6969),
    ("SMB", 0xFF53_4D42),
    ("SMB", 0xFE53_4D42),
    ("9P", 0x0102_1997),
    ("Ceph", 0x00C3_6400),
];

#[test]
fn a_folder_on_a_network_file_system_is_refused() {
    if let Err(why) = run("strace", &["-V"]) {
        return say!("skipped: {why}");
    }
    for (name, number) in NETWORKS {
        let mut house = House::new("http://127.0.0.1:9/as2", None);
        let bytes: String = number
            .to_le_bytes()
            .map(|byte| format!("{byte:02x}"))
            .concat();
        let inject = format!("inject=statfs:poke_exit=@arg2={bytes}");
        let wrapper = [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=statfs",
        ];
        house.wrapper = wrapper.map(str::to_owned).to_vec();
        house.wrapper.extend(["-e".to_owned(), inject]);
        let mut process = house.start(&[]);
        assert_eq!(process.ready(), None, "{name}");
        let ended = process.end(Duration::from_secs(10)).unwrap();
        let said = house.said();
        assert_eq!(ended.code(), Some(4), "{name}: {said}");
        assert!(said.contains(name), "{name}: {said}");
        assert!(!house.data.join("data/transload.db").exists());
    }
    figure(
        "B16",
        NETWORKS.len() as u64,
        0,
        "refused by name, exit code 4",
    );
}

/// Whoever reaches the gateway finds a store: it is looked at before the first listener is.
#[test]
fn the_store_is_there_before_anybody_can_connect() {
    let house = House::new("http://127.0.0.1:9/as2", None);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", house.port)).unwrap();
    std::fs::create_dir(house.data.join("data")).unwrap();
    std::fs::write(house.data.join("data/transload.db"), [7; 8192]).unwrap();
    let mut process = house.start(&[]);
    assert_eq!(process.ready(), None);
    let ended = process.end(Duration::from_secs(10)).unwrap();
    assert_eq!(ended.code(), Some(4));
    let said = house.said();
    assert!(
        said.contains("database") && !said.contains("listen"),
        "{said}"
    );
}
