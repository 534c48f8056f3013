//! The simulator as it runs: one state, its doors on this machine, a clock that can be moved.
//!
//! | request | does |
//! |---|---|
//! | `POST /clock` `+23h` | moves the clock on, and lets all happen that is due by then |
//! | `GET /clock` | the time there |
//! | `GET /state` | where every order stands, what was refused, what is not as the scenario says |
//! | `GET /ledger` | the money, order by order, with every difference and its reason |
//! | anything else | the SP-API ([`super::api`]) |
//!
//! It is bound by a port and never by an address ([`Loopback`]): nothing outside this machine reaches
//! it, and nothing here sends anything anywhere.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::api::Api;
use super::{Ledger, Saying, World};
use crate::bridge::spapi::Credential;
use crate::clock::Clock;
use crate::net::client::{self, Client, Limits, Trust};
use crate::net::loopback::Loopback;
use crate::net::whole::{Asked, Told};

/// The port of the API and of the control, where nobody says another.
pub const PORT: u16 = 8425;
/// How far the clock is moved at most in one request: two years, more than any term of payment.
const FURTHEST: TimeDelta = TimeDelta::days(730);

/// A clock that goes as another one does, so much later.
pub struct Shifted {
    base: Arc<dyn Clock>,
    by: Mutex<TimeDelta>,
}

impl Shifted {
    /// As late as the other one, to begin with.
    #[must_use]
    pub fn of(base: Arc<dyn Clock>) -> Shifted {
        Shifted {
            base,
            by: Mutex::new(TimeDelta::zero()),
        }
    }

    /// Moves it on; it does not go back.
    pub fn forward(&self, step: TimeDelta) {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        *by += step.max(TimeDelta::zero());
    }
}

impl Clock for Shifted {
    fn now(&self) -> DateTime<Utc> {
        self.base.now() + *self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A world with its doors. It is shared: each door, the control and a player hold it.
pub struct Simulator {
    world: Arc<Mutex<World>>,
    api: Mutex<Api>,
    clock: Arc<Shifted>,
}

impl Simulator {
    /// The API and the control over a world, which other doors may share. The seed gives the
    /// credential and the tokens.
    #[must_use]
    pub fn new(world: Arc<Mutex<World>>, seed: u64, clock: Arc<Shifted>) -> Simulator {
        Simulator {
            world,
            api: Mutex::new(Api::new(seed)),
            clock,
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn api(&self) -> MutexGuard<'_, Api> {
        self.api.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<Shifted> {
        &self.clock
    }

    /// What lets a client in at the API door.
    #[must_use]
    pub fn credential(&self) -> Credential {
        self.api().access().credential()
    }

    /// What the buyer says by now. See [`World::due`].
    pub fn due(&self) -> Vec<Saying> {
        let now = self.clock.now();
        self.world().due(now)
    }

    /// Something of the world as of now, such as an order's position.
    pub fn look<T>(&self, at: impl FnOnce(&World) -> T) -> T {
        let now = self.clock.now();
        let mut world = self.world();
        world.pass(now);
        at(&world)
    }

    /// The money as of now.
    pub fn ledger(&self) -> Ledger {
        self.look(World::ledger)
    }

    /// Answers a request: of the control, or of the API.
    pub fn answer(&self, asked: &Asked) -> Told {
        match (asked.method.as_str(), asked.path()) {
            ("POST", "/clock") => self.moved(asked),
            ("GET", "/clock") => json_told(200, &json!({"now": self.clock.now()})),
            ("GET", "/state") => json_told(200, &self.look(state)),
            ("GET", "/ledger") => {
                let ledger = self.ledger();
                let mut body = serde_json::to_value(&ledger).unwrap_or_default();
                body["unexplained"] = ledger.unexplained().into();
                json_told(200, &body)
            }
            _ => {
                let now = self.clock.now();
                let mut world = self.world();
                self.api().answer(&mut world, asked, now)
            }
        }
    }

    fn moved(&self, asked: &Asked) -> Told {
        let text = String::from_utf8_lossy(&asked.body);
        match step(text.trim()) {
            Ok(step) => {
                self.clock.forward(step);
                json_told(200, &json!({"now": self.look(World::now)}))
            }
            Err(why) => json_told(400, &json!({"error": why})),
        }
    }

    /// Serves the API and the control on a port of this machine until `shutdown` resolves.
    pub async fn serve(self: Arc<Self>, at: Loopback, shutdown: impl Future<Output = ()>) {
        let answer = move |asked: Asked| {
            let told = self.answer(&asked);
            std::future::ready(told)
        };
        at.serve(answer, shutdown).await;
    }
}

/// Asks the control of a simulator that listens on a port of this machine: whether it did it, and
/// what it says.
///
/// # Errors
/// Nobody listens there.
pub async fn ask(
    port: u16,
    (method, what): (&'static str, &str),
    body: String,
) -> Result<(bool, String), client::Error> {
    let body = Told::new(0, body).body;
    let url = format!("http://127.0.0.1:{port}/{what}");
    // Nothing is asked by TLS, so nobody is trusted.
    let client = Client::new(Trust::Only(Vec::new()), Limits::default());
    let answer = client.send(method, &url, &[], body).await?;
    let said = String::from_utf8_lossy(&answer.body).trim().to_owned();
    Ok((answer.taken(), said))
}

fn json_told(status: u16, body: &Value) -> Told {
    Told {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: format!("{body:#}\n").into(),
    }
}

/// Where every order stands, and what is not as it will be.
fn state(world: &World) -> Value {
    let order =
        |row: &super::Row| json!({"order": row.order, "door": row.door, "state": row.state});
    let ledger = world.ledger();
    json!({
        "scenario": world.scenario().name,
        "now": world.now(),
        "next": world.next(),
        "orders": ledger.rows.iter().map(order).collect::<Vec<Value>>(),
        "refused": world.refusals(),
        "short_of_end": world.end(),
    })
}

/// A step of the clock: `+23h`, `30m`, `2d`, `+1d12h`.
///
/// # Errors
/// What is possible.
pub fn step(text: &str) -> Result<TimeDelta, String> {
    let wrong = || format!("{text:?} is no step of a clock; write +30m, +23h, +2d or +1d12h");
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut sum = TimeDelta::zero();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let count: i64 = rest[..end].parse().map_err(|_| wrong())?;
        let unit = match rest.as_bytes()[end] {
            b'm' => TimeDelta::try_minutes(count),
            b'h' => TimeDelta::try_hours(count),
            b'd' => TimeDelta::try_days(count),
            _ => None,
        };
        sum = unit
            .and_then(|unit| sum.checked_add(&unit))
            .ok_or_else(wrong)?;
        rest = &rest[end + 1..];
    }
    match sum <= FURTHEST {
        true => Ok(sum),
        false => Err(format!(
            "{text} is further than {} days",
            FURTHEST.num_days()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moved;
    use crate::sim::Door;
    use crate::sim::Scenario;

    #[test]
    fn a_step_is_read_or_told_how_to_write() {
        for (text, minutes) in [
            ("+23h", 23 * 60),
            ("30m", 30),
            ("+1d12h", 36 * 60),
            ("0m", 0),
        ] {
            assert_eq!(step(text).unwrap().num_minutes(), minutes, "{text}");
        }
        for text in [
            "",
            "+",
            "h",
            "23",
            "+23é",
            "-1h",
            "99999999999999999999h",
            "9999d",
        ] {
            assert!(step(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_clock_goes_on_and_never_back() {
        let base = Arc::new(Moved::to(DateTime::UNIX_EPOCH));
        let clock = Shifted::of(Arc::<Moved>::clone(&base) as Arc<dyn Clock>);
        clock.forward(TimeDelta::hours(2));
        clock.forward(TimeDelta::hours(-9));
        base.forward(TimeDelta::hours(1));
        assert_eq!(clock.now(), DateTime::UNIX_EPOCH + TimeDelta::hours(3));
    }

    #[test]
    fn the_control_tells_and_moves() {
        let base = Arc::new(Moved::to(DateTime::UNIX_EPOCH));
        let clock = Arc::new(Shifted::of(base));
        let scenario = Scenario::named("standard").unwrap();
        let world = World::new(scenario, 7, clock.now(), 3);
        let simulator = Simulator::new(Arc::new(Mutex::new(world)), 7, clock);
        let ask = |method: &str, target: &str, body: &str| {
            let told = simulator.answer(&Asked {
                method: method.into(),
                target: target.into(),
                body: body.to_owned().into(),
                ..Asked::default()
            });
            (
                told.status,
                serde_json::from_slice::<Value>(&told.body).unwrap(),
            )
        };
        assert_eq!(
            ask("GET", "/state", "").1["orders"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            ask("POST", "/clock", "+1h").1["now"],
            "1970-01-01T01:00:00Z"
        );
        assert_eq!(
            ask("GET", "/state", "").1["orders"]
                .as_array()
                .unwrap()
                .len(),
            3
        );
        assert_eq!(ask("GET", "/ledger", "").1["unexplained"], 0);
        assert_eq!(ask("POST", "/clock", "tomorrow").0, 400);
        let doors: Vec<Door> = simulator.due().iter().map(|said| said.door).collect();
        assert_eq!(doors, [Door::Edi, Door::Api, Door::Edi]);
    }
}
