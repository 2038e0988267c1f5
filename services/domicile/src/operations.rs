//! Health and metrics of a worker that runs alone. A desk serves its own.

use axum::{Router, routing::get};
use runtime::{RegionMetrics, Shutdown};
use tokio::net::TcpListener;

/// Serves `/healthz`, `/readyz` and `/metrics` until shutdown.
pub async fn serve(listener: TcpListener, metrics: RegionMetrics, shutdown: Shutdown) {
    let page = move || {
        let page = metrics.page();
        async move { ([("content-type", "text/plain; version=0.0.4")], page) }
    };
    let routes = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async || "ok\n"))
        .route("/metrics", get(page));
    let served = axum::serve(listener, routes).with_graceful_shutdown(async move { shutdown.requested().await }).await;
    if let Err(error) = served {
        tracing::error!(%error, "the operations port failed");
    }
}
