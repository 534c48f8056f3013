//! The admin listener: is the process alive, and may it be sent work.
//!
//! `/healthz` answers as long as the process runs: a supervisor restarts on silence. `/readyz`
//! asks the gateway (the store writes, the disk has room, no drain is under way): a balancer
//! takes the node out on 503. Neither says more than a word and the reason.

use std::future::Future;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::net::serve::{Limits, serve};

/// The routes that every gateway has. `ready` gives the reason while it is not ready; more
/// routes are merged into the router.
pub fn router<R, F>(ready: R) -> Router
where
    R: Fn() -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let readyz = move || {
        let ready = ready.clone();
        async move { readiness(ready().await) }
    };
    Router::new()
        .route("/healthz", get(async || Json(json!({ "alive": true }))))
        .route("/readyz", get(readyz))
}

fn readiness(ready: Result<(), String>) -> (StatusCode, Json<Value>) {
    match ready {
        Ok(()) => (StatusCode::OK, Json(json!({ "ready": true }))),
        Err(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "ready": false, "reason": reason })),
        ),
    }
}

/// Serves `router` on `listener` until `shutdown` resolves and its requests are drained.
pub async fn listen(
    listener: TcpListener,
    limits: Limits,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let service = TowerToHyperService::new(router);
    let answer = move |request: Request<Incoming>, peer| {
        let asked = service.call(request);
        async move {
            let answer = asked.await.unwrap_or_else(|never| match never {});
            tracing::debug!(%peer, status = answer.status().as_u16(), "admin request");
            answer
        }
    };
    serve(listener, None, limits, answer, shutdown).await;
}
