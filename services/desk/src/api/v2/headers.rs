//! Headers of the v2 API's answers: the version, and a weak `ETag` on what was read.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use schemas::Hash;

use crate::problem::ApiError;

const API_VERSION: HeaderName = HeaderName::from_static("x-zendesk-api-version");
/// Hex digits of a body's hash that tell two answers apart.
const ETAG_LENGTH: usize = 32;

/// The layer. Whether the client has the answer already is looked at further out, by [`crate::conditional`].
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let is_read = request.method() == Method::GET;
    let mut response = next.run(request).await;
    response.headers_mut().insert(API_VERSION, HeaderValue::from_static("v2"));
    if is_read && response.status() == StatusCode::OK && is_json(response.headers()) {
        return tagged(response).await;
    }
    response
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

async fn tagged(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // The body is JSON that a handler has built in memory already.
    let bytes = match to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return ApiError::internal(error).into_response(),
    };
    let hash = Hash::of(&[&bytes]).to_string();
    if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{}\"", &hash[..ETAG_LENGTH])) {
        parts.headers.insert(header::ETAG, tag);
    }
    Response::from_parts(parts, Body::from(bytes))
}
