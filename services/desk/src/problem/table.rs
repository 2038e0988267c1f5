//! The one table from refusal to status and words.

use std::borrow::Cow;

use axum::http::StatusCode;

use super::{ApiError, Kind};
use crate::execute::{Failure, Refusal};

/// When a tenant that sends too much may try again. What waits of it is gone by then: a lane empties a queue in milliseconds.
const RETRY_AFTER_S: i64 = 1;

/// How a refusal is written in either dialect.
pub(super) struct Words<'a> {
    pub(super) status: StatusCode,
    /// The last part of the problem's type URI.
    pub(super) name: &'static str,
    /// `error` in the v2 dialect.
    pub(super) v2_error: &'static str,
    pub(super) title: &'static str,
    /// `description` in the v2 dialect, `detail` in a problem.
    pub(super) detail: Cow<'a, str>,
}

pub(super) fn words(kind: &Kind) -> Words<'_> {
    use StatusCode as S;
    let words = |status, name, v2_error, title, detail| Words { status, name, v2_error, title, detail };
    match kind {
        Kind::Invalid(_) => {
            words(S::UNPROCESSABLE_ENTITY, "invalid-fields", "RecordInvalid", "Fields are wrong", "Record validation errors".into())
        }
        Kind::InvalidParameter { name, takes } => words(
            S::BAD_REQUEST,
            "invalid-parameter",
            "InvalidParameter",
            "Invalid attribute",
            format!("You passed an invalid value for the {name} attribute. Invalid parameter: {name} must be {takes}").into(),
        ),
        Kind::TooManyValues { max } => words(
            S::BAD_REQUEST,
            "too-many-values",
            "TooManyValues",
            "Too many values",
            format!("Parameter  cannot specify more than {max} values").into(),
        ),
        Kind::TooDeep { most } => words(
            S::BAD_REQUEST,
            "page-too-deep",
            "InvalidPaginationDepth",
            "Invalid pagination depth",
            format!("page and per_page lead to the first {most} rows; page[size] leads beyond").into(),
        ),
        Kind::SearchTooDeep { most } => words(
            S::UNPROCESSABLE_ENTITY,
            "search-too-deep",
            "invalid",
            "Too many results",
            format!("Invalid search: page and per_page lead to the first {most} results; search/export leads beyond").into(),
        ),
        Kind::StartTimeTooRecent => words(
            S::UNPROCESSABLE_ENTITY,
            "start-time-too-recent",
            "StartTimeTooRecent",
            "Too recent",
            "Too recent start_time. Use a start_time older than 60 seconds".into(),
        ),
        Kind::BadJson(detail) => words(S::BAD_REQUEST, "malformed-json", "Unprocessable", "Malformed JSON", detail.into()),
        Kind::BadRequest(detail) => words(S::BAD_REQUEST, "bad-request", "BadRequest", "Malformed request", detail.into()),
        Kind::NotFound => words(S::NOT_FOUND, "not-found", "RecordNotFound", "Not found", "Not found".into()),
        Kind::UnknownPath => {
            words(S::NOT_FOUND, "unknown-path", "InvalidEndpoint", "There is nothing at this address", "Not found".into())
        }
        Kind::MethodNotAllowed => words(
            S::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "MethodNotAllowed",
            "Method not allowed",
            "This address does not take this method".into(),
        ),
        Kind::Conflict => words(
            S::CONFLICT,
            "update-conflict",
            "UpdateConflict",
            "Outdated data",
            "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data and try again.".into(),
        ),
        Kind::Taken(fault) => words(S::CONFLICT, "taken", "RecordInvalid", "Taken", (&fault.description).into()),
        Kind::IdempotencyKeyReused => words(
            S::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            "IdempotentRequestError",
            "Idempotency key reused",
            "Idempotency-Key: another request used this key".into(),
        ),
        Kind::Forbidden(detail) => words(S::FORBIDDEN, "forbidden", "Forbidden", "Forbidden", detail.into()),
        Kind::Unauthorized => words(
            S::UNAUTHORIZED,
            "unauthorized",
            "Couldn't authenticate you",
            "Couldn't authenticate you",
            "Takes Basic <email>/token:<api token>, Basic <email>:<password> or Bearer <api token>".into(),
        ),
        Kind::TooManyAttempts { .. } => words(
            S::TOO_MANY_REQUESTS,
            "too-many-attempts",
            "TooManyRequests",
            "Too many attempts",
            "Too many failed attempts for this address; wait as long as Retry-After says".into(),
        ),
        Kind::TooManyRequests { .. } => words(
            S::TOO_MANY_REQUESTS,
            "too-many-requests",
            "APIRateLimitExceeded",
            "Too many requests",
            "Too many changes of this account are waiting; send fewer at a time, after as long as Retry-After says".into(),
        ),
        Kind::TooManyJobs { .. } => words(
            S::TOO_MANY_REQUESTS,
            "too-many-jobs",
            "TooManyJobs",
            "Too many jobs",
            "30 jobs of this account are queued or running; wait until one is completed".into(),
        ),
        Kind::RateLimited { .. } => words(
            S::TOO_MANY_REQUESTS,
            "rate-limited",
            "APIRateLimitExceeded",
            "Too many requests",
            "Number of allowed API requests per minute exceeded; wait as long as Retry-After says".into(),
        ),
        Kind::UnsupportedMediaType { takes } => words(
            S::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "UnsupportedMediaType",
            "Unsupported content type",
            format!("Content-Type: takes {takes}").into(),
        ),
        Kind::TooLarge { limit_bytes } => words(
            S::PAYLOAD_TOO_LARGE,
            "too-large",
            "PayloadTooLarge",
            "Too large",
            format!("The body takes at most {limit_bytes} bytes").into(),
        ),
        Kind::Timeout => {
            words(S::REQUEST_TIMEOUT, "timeout", "RequestTimeout", "Too slow", "The body did not arrive in time".into())
        }
        Kind::Misdirected { detail, .. } => {
            words(S::MISDIRECTED_REQUEST, "misdirected", "MisdirectedRequest", "Not at home here", detail.into())
        }
        Kind::Unavailable { .. } => words(
            S::SERVICE_UNAVAILABLE,
            "unavailable",
            "ServiceUnavailable",
            "Try again in a moment",
            "The request was not carried out".into(),
        ),
        Kind::BeingRestored { .. } => words(
            S::SERVICE_UNAVAILABLE,
            "being-restored",
            "ServiceUnavailable",
            "Being restored",
            "This account is closed until its history is whole again; nothing is lost meanwhile, and nothing was carried out".into(),
        ),
        Kind::OutcomeUnknown { .. } => words(
            S::SERVICE_UNAVAILABLE,
            "outcome-unknown",
            "ServiceUnavailable",
            "Perhaps done",
            "Whether the request was carried out is not known; with the same Idempotency-Key it can be sent again safely".into(),
        ),
        Kind::Internal => words(
            S::INTERNAL_SERVER_ERROR,
            "internal",
            "InternalError",
            "Something went wrong on our side",
            "The request failed; the id in X-Request-Id finds the reason in our log".into(),
        ),
    }
}

/// A database that cannot be reached, or has no connection free, is unavailable; other errors are ours.
impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        if is_unavailable(&error) { Self::unavailable(error) } else { Self::internal(error) }
    }
}

pub(crate) fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        // Class 57: operator intervention (shutdown, crash, starting up, a statement that took too long). 53: out of disk, memory or
        // connections. 08: connection. 42P01, 42883: no such table or function, while the build that will have it is being made.
        sqlx::Error::Database(error) => {
            let classes = ["57", "53", "08", "42P01", "42883"];
            error.code().is_some_and(|code| classes.iter().any(|class| code.starts_with(class)))
        }
        _ => false,
    }
}

/// A store that does not answer, below however many layers.
fn is_unavailable_below(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(|error| error.downcast_ref::<sqlx::Error>().is_some_and(is_unavailable))
}

/// An error of a store: unavailable, if that is what lies below it, ours otherwise.
pub(super) fn store_error(error: impl std::error::Error + Send + Sync + 'static) -> ApiError {
    if is_unavailable_below(&error) { ApiError::unavailable(error) } else { ApiError::internal(error) }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflict { .. } => Self::conflict(),
            // It was erased since it was read.
            Failure::Keys(vault::Error::Erased { .. }) => Self::not_found(),
            Failure::NotAtHome { .. } => {
                Self::misdirected("this host", "This desk is not at home in this region any more", None)
            }
            Failure::IdempotencyKeyReused => Self::idempotency_key_reused(),
            Failure::TenantOverloaded { .. } => Self::too_many_requests(RETRY_AFTER_S),
            Failure::Overloaded | Failure::StoreFull | Failure::Unreachable => Self::unavailable(failure),
            Failure::OutcomeUnknown(_) => Self::outcome_unknown(failure),
            Failure::Begin(error) => error.into(),
            Failure::Read(_) | Failure::Append(_) | Failure::Keys(_) | Failure::Open(_) => store_error(failure),
            Failure::Decode(_) | Failure::ForeignEvent { .. } => Self::internal(failure),
        }
    }
}

impl<R> From<Refusal<R>> for ApiError
where
    R: std::error::Error + 'static,
    Self: From<R>,
{
    fn from(refusal: Refusal<R>) -> Self {
        match refusal {
            Refusal::Rejected(rejection) => rejection.into(),
            Refusal::Failed(failure) => failure.into(),
        }
    }
}

impl From<vault::Error> for ApiError {
    fn from(error: vault::Error) -> Self {
        store_error(error)
    }
}

impl From<eventlog::Error> for ApiError {
    fn from(error: eventlog::Error) -> Self {
        Failure::from(error).into()
    }
}
