//! The buyer's other door, opened for a play.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;

use super::super::Failure;
use crate::clock::Clock;
use crate::net::loopback::Loopback;
use crate::sim::World;
use crate::sim::listen::{Shifted, Simulator};

/// The door, open.
pub(super) struct Open {
    pub(super) url: String,
    pub(super) simulator: Arc<Simulator>,
    pub(super) task: JoinHandle<()>,
}

/// Opens it, and leaves a credential for it in the folder.
pub(super) async fn open(
    folder: &Path,
    (world, seed): (&Arc<Mutex<World>>, u64),
    clock: &Arc<dyn Clock>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Open, Failure> {
    let shifted = Arc::new(Shifted::of(Arc::clone(clock)));
    let simulator = Arc::new(Simulator::new(Arc::clone(world), seed, shifted).taped());
    let credential = simulator.credential();
    let path = folder.join("api.credential");
    credential.save(&path).map_err(Failure::state)?;
    let at = Loopback::bind(0).await.map_err(Failure::network)?;
    let url = at.url().map_err(Failure::network)?;
    let task = tokio::spawn(Arc::clone(&simulator).serve(at, shutdown));
    Ok(Open {
        url,
        simulator,
        task,
    })
}
