//! What is asked: bodies, their limits, and the idempotency key.

pub(crate) mod fields;
pub(crate) mod form;
pub(crate) mod multipart;
pub(crate) mod room;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body as HttpBody, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use bytes::BytesMut;
use eventlog::Idempotency;
use futures::StreamExt;
use schemas::{Hash, PersonId};
use serde_json::{Map, Value};

pub(crate) use self::fields::Fields;
use self::room::{Place, Room};
use crate::{problem::ApiError, state::Desk};

/// The longest JSON body.
pub(crate) const JSON_BYTES_MAX: usize = 1024 * 1024;
/// The longest upload.
pub(crate) const UPLOAD_BYTES_MAX: usize = 50 * 1024 * 1024;

const JSON: Limit = Limit { bytes: JSON_BYTES_MAX, patience: Duration::from_secs(20) };
pub(crate) const UPLOAD: Limit = Limit { bytes: UPLOAD_BYTES_MAX, patience: Duration::from_secs(300) };

/// How long a body may be, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// The most bytes.
    pub(crate) bytes: usize,
    /// The longest time from the first to the last.
    pub(crate) patience: Duration,
}

/// A body that was read.
#[derive(Debug)]
pub(crate) struct Read {
    /// The bytes.
    pub(crate) bytes: Bytes,
    place: Place,
}

impl Read {
    /// The bytes, and their place for whoever reads them again.
    pub(crate) fn into_kept(self) -> (Bytes, Kept) {
        (self.bytes, Kept(Arc::new(Mutex::new(self.place))))
    }
}

/// The place of a body that was read before the handler reads it: it goes with the request, and the next to read takes it over.
#[derive(Clone)]
pub(crate) struct Kept(Arc<Mutex<Place>>);

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

    /// The same with a key that stands in the body.
    fn with_key(self, key: &str) -> Self {
        Self { key: Some(Hash::of(&[key.as_bytes()])), ..self }
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
    /// Held as long as what came out of the bytes.
    _place: Place,
}

impl FromRequest<Desk> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if !content_type(&parts.headers).is_some_and(|found| found.eq_ignore_ascii_case("application/json")) {
            return Err(ApiError::unsupported_media_type("application/json"));
        }
        let Read { bytes, place } = read_of(desk.room(), &parts, body, JSON).await?;
        let print = RequestPrint::of(&parts, &bytes)?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(object)) => Ok(Self { object, print, _place: place }),
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
    /// Held as long as what came out of the bytes.
    _place: Place,
}

impl FromRequest<Desk> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let Read { bytes, place } = read_of(desk.room(), &parts, body, UPLOAD).await?;
        let print = RequestPrint::of(&parts, &bytes)?;
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Ok(Self { bytes, content_type: content_type.map(str::to_owned), print, _place: place })
    }
}

/// The content type without its parameters.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split_once(';').map_or(value, |(essence, _)| essence).trim())
}

/// Reads a body under its limits of length and time, and the one of all bodies together.
pub(crate) async fn read(room: &Room, headers: &HeaderMap, body: HttpBody, limit: Limit) -> Result<Read, ApiError> {
    read_into((room, Place::default()), headers, body, limit).await
}

/// The same of a request, which may have been read before.
pub(crate) async fn read_of(room: &Room, parts: &Parts, body: HttpBody, limit: Limit) -> Result<Read, ApiError> {
    let kept = parts.extensions.get::<Kept>();
    let place = kept.map(|kept| std::mem::take(&mut *kept.0.lock().unwrap_or_else(PoisonError::into_inner)));
    read_into((room, place.unwrap_or_default()), &parts.headers, body, limit).await
}

async fn read_into(
    (room, place): (&Room, Place),
    headers: &HeaderMap,
    body: HttpBody,
    limit: Limit,
) -> Result<Read, ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > u64::try_from(limit.bytes).unwrap_or(u64::MAX)) {
        return Err(ApiError::too_large(limit.bytes));
    }
    let gathered = tokio::time::timeout(limit.patience, gather((room, place), body, limit.bytes)).await;
    gathered.map_err(|_| ApiError::timeout())?
}

async fn gather((room, mut place): (&Room, Place), body: HttpBody, bytes_max: usize) -> Result<Read, ApiError> {
    let mut bytes = BytesMut::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::bad_request("The body ended early"))?;
        let length = bytes.len() + chunk.len();
        if length > bytes_max {
            return Err(ApiError::too_large(bytes_max));
        }
        room.grow(&mut place, length).await?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(Read { bytes: bytes.freeze(), place })
}
