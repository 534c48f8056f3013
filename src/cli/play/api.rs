//! The buyer's other door, opened for a play.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;

use super::super::Failure;
use crate::clock::Clock;
use crate::sim::World;

/// The door, open.
pub(super) struct Open {
    pub(super) url: String,
    pub(super) task: JoinHandle<()>,
}

/// Opens it, and leaves a credential for it in the folder.
pub(super) async fn open(
    _folder: &Path,
    _world: (&Arc<Mutex<World>>, &Arc<dyn Clock>),
    _shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Option<Open>, Failure> {
    Ok(None)
}
