//! The files that pages load, all from this site and all compiled in. An address bears the hash of what it answers, so browsers
//! keep it for ever and never see an old one.

use std::sync::LazyLock;

use axum::{
    Router,
    extract::{Path, RawQuery},
    http::header,
    response::IntoResponse,
    routing::get,
};
use schemas::Hash;

use crate::problem::{ApiError, ApiResult};

/// Name, content type, text.
const FILES: &[(&str, &str, &str)] = &[
    ("admin.css", "text/css; charset=utf-8", include_str!("../../templates/admin.css")),
    ("agent.css", "text/css; charset=utf-8", include_str!("../../templates/agent.css")),
    ("agent.js", "text/javascript; charset=utf-8", include_str!("../../templates/agent.js")),
    ("domicile.css", "text/css; charset=utf-8", include_str!("../../templates/domicile.css")),
    ("domicile.js", "text/javascript; charset=utf-8", include_str!("../../templates/domicile.js")),
    ("ops.css", "text/css; charset=utf-8", include_str!("../../templates/ops.css")),
    ("ops.js", "text/javascript; charset=utf-8", include_str!("../../templates/ops.js")),
    ("residency.js", "text/javascript; charset=utf-8", include_str!("../../templates/residency.js")),
    ("signup.js", "text/javascript; charset=utf-8", include_str!("../../templates/signup.js")),
];

/// The version of each file: the beginning of its hash.
static VERSIONS: LazyLock<Vec<String>> = LazyLock::new(|| {
    FILES.iter().map(|(_, _, text)| Hash::of(&[text.as_bytes()]).to_string()[..12].to_owned()).collect()
});

/// `/assets/{name}`.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{name}", get(show))
}

/// The address of a file.
pub(crate) fn url(name: &str) -> String {
    let place = FILES.iter().position(|(found, ..)| *found == name).expect("a file that pages load is in the table");
    format!("/assets/{name}?v={}", VERSIONS[place])
}

async fn show(Path(name): Path<String>, RawQuery(query): RawQuery) -> ApiResult {
    let found = FILES.iter().zip(&*VERSIONS).find(|((found, ..), _)| *found == name);
    let ((_, content_type, text), version) = found.ok_or_else(ApiError::not_found)?;
    // Without its version, or with that of another build, it is what is current, and only for a while.
    let is_exact = query.is_some_and(|query| query.strip_prefix("v=") == Some(version));
    let kept = if is_exact { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    Ok(([(header::CONTENT_TYPE, *content_type), (header::CACHE_CONTROL, kept)], *text).into_response())
}
