//! What operators and their monitoring ask about certificates: `GET /certificates` on the admin
//! listener, every one in use with its end, those first that end first.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::gateway::Gateway;

/// The route.
pub(super) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new().route("/certificates", get(async move || Json(all(&gateway))))
}

fn all(gateway: &Gateway) -> Value {
    let now = gateway.now();
    let mut all = gateway.certificates();
    all.sort_by_key(|one| one.until);
    let told = all.iter().map(|one| {
        json!({
            "whose": one.partner.as_deref().unwrap_or("ours"),
            "uses": one.uses.iter().map(|purpose| purpose.as_str()).collect::<Vec<_>>(),
            "subject": one.subject,
            "fingerprint": one.fingerprint,
            "from": one.from,
            "until": one.until,
            "days_left": one.days(now),
            "followed": one.followed,
            // The threshold that was passed; null while nobody need think of it.
            "warning": one.warning(now).filter(|_| !one.followed),
        })
    });
    json!({ "at": now, "certificates": told.collect::<Vec<_>>() })
}
