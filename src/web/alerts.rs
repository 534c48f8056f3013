//! What somebody has to look at: `GET /alerts` on the admin listener, for monitoring that asks.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::gateway::Gateway;

/// The route.
pub(super) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new().route("/alerts", get(async move || all(&gateway).await))
}

async fn all(gateway: &Gateway) -> (StatusCode, Json<Value>) {
    match gateway.alerts().await {
        Ok(alerts) => (
            StatusCode::OK,
            Json(json!({ "at": gateway.now(), "alerts": alerts })),
        ),
        Err(why) => {
            tracing::error!(%why, "alerts cannot be told");
            let why = json!({ "error": "the store cannot be asked" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(why))
        }
    }
}
