//! What is asked: bodies, their limits, and the idempotency key.

pub(crate) mod fields;

use std::time::Duration;

use axum::{
    body::{Body as HttpBody, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use eventlog::Idempotency;
use futures::StreamExt;
use http_body_util::LengthLimitError;
use schemas::{Hash, PersonId};
use serde_json::{Map, Value};

pub(crate) use self::fields::Fields;
use crate::{problem::ApiError, state::Desk};

/// The longest JSON body.
pub(crate) const JSON_BYTES_MAX: usize = 1024 * 1024;
/// The longest upload.
pub(crate) const UPLOAD_BYTES_MAX: usize = 50 * 1024 * 1024;

const JSON_PATIENCE: Duration = Duration::from_secs(20);
const UPLOAD_PATIENCE: Duration = Duration::from_secs(300);
/// How long a body that is too large is read and thrown away, so that a client that only listens after sending hears why.
const DISCARD_PATIENCE: Duration = Duration::from_secs(2);

/// What tells one request from another: method, path, query and body, and the client's `Idempotency-Key`.
/// As an argument of its own: for requests without a body. [`Body`] and [`RawBody`] carry their own.
#[derive(Debug, Clone)]
pub(crate) struct RequestPrint {
    key: Option<Hash>,
    digest: Hash,
}

impl RequestPrint {
    fn of(parts: &Parts, body: &[u8]) -> Result<Self, ApiError> {
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        let digest = Hash::of(&[parts.method.as_str().as_bytes(), b"\0", target.as_bytes(), b"\0", body]);
        Ok(Self { key: idempotency_key(&parts.headers)?, digest })
    }

    /// The key as the log keeps it: bound to the person, so that two people's keys never meet, and hashed, because clients
    /// put all sorts of things into it.
    pub(crate) fn idempotency(&self, person: PersonId) -> Option<Idempotency> {
        let key = self.key?;
        let fingerprint = Hash::of(&[person.to_string().as_bytes(), b"\0", self.digest.as_bytes()]);
        Some(Idempotency { key: format!("person-{person}:{key}"), fingerprint })
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<Hash>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.as_bytes();
    if key.is_empty() || key.len() > 255 || !key.iter().all(u8::is_ascii_graphic) {
        return Err(ApiError::invalid_parameter("Idempotency-Key", "1 to 255 visible ASCII characters"));
    }
    Ok(Some(Hash::of(&[key])))
}

impl FromRequestParts<Desk> for RequestPrint {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _desk: &Desk) -> Result<Self, ApiError> {
        Self::of(parts, b"")
    }
}

/// A JSON object of at most 1 MiB: wrong content type 415, no JSON 400, too large 413. It is read field by field with
/// [`Fields`], so that every wrong field can be named at once.
#[derive(Debug)]
pub(crate) struct Body {
    /// The object.
    pub(crate) object: Map<String, Value>,
    /// What tells the request from others.
    pub(crate) print: RequestPrint,
}

impl FromRequest<Desk> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, _desk: &Desk) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if !content_type(&parts.headers).is_some_and(|found| found.eq_ignore_ascii_case("application/json")) {
            discard(body).await;
            return Err(ApiError::unsupported_media_type("application/json"));
        }
        let bytes = read(&parts.headers, body, JSON_BYTES_MAX, JSON_PATIENCE).await?;
        let print = RequestPrint::of(&parts, &bytes)?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(object)) => Ok(Self { object, print }),
            Ok(_) => Err(ApiError::invalid("base", "the body takes a JSON object", "InvalidFormat")),
            Err(error) => Err(ApiError::bad_json(format!("The body takes JSON: {error}"))),
        }
    }
}

/// Any bytes, at most 50 MiB.
#[derive(Debug)]
pub(crate) struct RawBody {
    /// The bytes.
    pub(crate) bytes: Bytes,
    /// The content type the client named.
    pub(crate) content_type: Option<String>,
    /// What tells the request from others.
    pub(crate) print: RequestPrint,
}

impl FromRequest<Desk> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _desk: &Desk) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read(&parts.headers, body, UPLOAD_BYTES_MAX, UPLOAD_PATIENCE).await?;
        let print = RequestPrint::of(&parts, &bytes)?;
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Ok(Self { bytes, content_type: content_type.map(str::to_owned), print })
    }
}

/// The content type without its parameters.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split_once(';').map_or(value, |(essence, _)| essence).trim())
}

/// Reads a body under its limits of length and time.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: HttpBody,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > u64::try_from(limit).unwrap_or(u64::MAX)) {
        discard(body).await;
        return Err(ApiError::too_large(limit));
    }
    match tokio::time::timeout(patience, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => Err(ApiError::too_large(limit)),
        Ok(Err(_)) => Err(ApiError::bad_request("The body ended early")),
        Err(_) => Err(ApiError::timeout()),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>())
}

async fn discard(body: HttpBody) {
    let mut chunks = body.into_data_stream();
    let all = async { while let Some(Ok(_)) = chunks.next().await {} };
    let _ = tokio::time::timeout(DISCARD_PATIENCE, all).await;
}
