//! `GET /language/{code}?to=/path`: keeps the language somebody chose, and goes back to where they were.

use axum::{
    Router,
    extract::{Path, Query},
    http::header,
    response::{IntoResponse, Redirect},
    routing::get,
};
use serde::Deserialize;

use super::{cookies, frame::local_path, words::Language};
use crate::{
    host::Origin,
    problem::{ApiError, ApiResult},
};

/// `/language/{code}`.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/language/{code}", get(choose))
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    to: String,
}

async fn choose(Path(code): Path<String>, Query(back): Query<Back>, origin: Origin) -> ApiResult {
    let language = Language::of_tag(&code).ok_or_else(ApiError::not_found)?;
    let cookie = cookies::LANGUAGE.set(language.code(), origin.is_secure());
    let to = local_path(&back.to).unwrap_or("/");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response())
}
