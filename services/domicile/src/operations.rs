//! What ops asks a process: health and metrics of a worker that runs alone (a desk serves its own), and backups.

pub mod backups;

use axum::{Router, routing::get};
use runtime::{RegionMetrics, Shutdown};
use tokio::net::TcpListener;

/// Serves `/healthz`, `/readyz`, `/metrics` and what else a worker has for ops until shutdown.
pub async fn serve(listener: TcpListener, (metrics, more): (RegionMetrics, Router), shutdown: Shutdown) {
    let page = move || {
        let page = metrics.page();
        async move { ([("content-type", "text/plain; version=0.0.4")], page) }
    };
    let routes = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async || "ok\n"))
        .route("/metrics", get(page))
        .merge(more);
    let served = axum::serve(listener, routes).with_graceful_shutdown(async move { shutdown.requested().await }).await;
    if let Err(error) = served {
        tracing::error!(%error, "the operations port failed");
    }
}
