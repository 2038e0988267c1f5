//! What a refusal looks like from outside.
//!
//! Handlers of every path return one type, [`ApiError`]: what is wrong, not how to say it. The outermost layer
//! ([`render`]) says it in the dialect of the path: the v2 dialect under `/api/v2`, RFC 9457 problems under `/api`, a page
//! elsewhere. So extractors and rules need not know which API they serve.

pub(crate) mod render;
mod table;

use std::sync::Arc;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// One wrong field: its name, what it takes, and the v2 dialect's code (`BlankValue`, `InvalidValue`, ...).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldFault {
    /// The field, as the client wrote it: `subject`, `admin.email`; `base` for the whole.
    pub(crate) field: String,
    /// A sentence: what the field takes.
    pub(crate) description: String,
    /// The code of the v2 dialect.
    pub(crate) code: &'static str,
}

/// An error of ours, on its way to the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// A request that is not carried out. The same for both APIs; the path decides how it is written.
#[derive(Debug, Clone)]
pub struct ApiError(Arc<Fault>);

/// What handlers return.
pub type ApiResult<T = Response> = Result<T, ApiError>;

#[derive(Debug)]
struct Fault {
    kind: Kind,
    /// What lies behind a 500 or 503. Logged once by the layer, never answered.
    source: Option<Source>,
}

/// Every refusal there is; [`table`] gives each its status and words.
#[derive(Debug)]
enum Kind {
    Invalid(Vec<FieldFault>),
    InvalidParameter { name: String, takes: String },
    TooManyValues { max: usize },
    TooDeep { most: i64 },
    SearchTooDeep { most: i64 },
    StartTimeTooRecent,
    BadJson(String),
    BadRequest(String),
    NotFound,
    UnknownPath,
    MethodNotAllowed,
    Conflict,
    Taken(FieldFault),
    IdempotencyKeyReused,
    Forbidden(String),
    Unauthorized,
    TooManyAttempts { retry_after_s: i64 },
    TooManyRequests { retry_after_s: i64 },
    TooManyJobs { retry_after_s: i64 },
    RateLimited { retry_after_s: i64 },
    UnsupportedMediaType { takes: String },
    TooLarge { limit_bytes: usize },
    Timeout,
    Misdirected { host: String, detail: String, url: Option<String> },
    Unavailable { retry_after_s: i64 },
    BeingRestored { retry_after_s: i64 },
    OutcomeUnknown { retry_after_s: i64 },
    Internal,
}

impl ApiError {
    fn new(kind: Kind) -> Self {
        Self(Arc::new(Fault { kind, source: None }))
    }

    /// 422: one field is wrong. `code`: `BlankValue`, `DuplicateValue`, `InvalidValue`, `InvalidFormat`.
    pub(crate) fn invalid(field: impl Into<String>, description: impl Into<String>, code: &'static str) -> Self {
        Self::invalid_fields(vec![FieldFault { field: field.into(), description: description.into(), code }])
    }

    /// 422: several fields are wrong, all named at once.
    pub(crate) fn invalid_fields(faults: Vec<FieldFault>) -> Self {
        Self::new(Kind::Invalid(faults))
    }

    /// 400: a path or query parameter has not the right form: `Invalid parameter: id must be an integer`.
    pub(crate) fn invalid_parameter(name: &str, takes: &str) -> Self {
        Self::new(Kind::InvalidParameter { name: name.to_owned(), takes: takes.to_owned() })
    }

    /// 400: too many values in a list parameter.
    pub(crate) fn too_many_values(max: usize) -> Self {
        Self::new(Kind::TooManyValues { max })
    }

    /// 400: a page by offset beyond the first `most` rows.
    pub(crate) fn too_deep(most: i64) -> Self {
        Self::new(Kind::TooDeep { most })
    }

    /// 422: a page of a search beyond its first `most` results.
    pub(crate) fn search_too_deep(most: i64) -> Self {
        Self::new(Kind::SearchTooDeep { most })
    }

    /// 422: an export that is to begin with what may still be going on.
    pub(crate) fn start_time_too_recent() -> Self {
        Self::new(Kind::StartTimeTooRecent)
    }

    /// 400: the body is no JSON. The description says where.
    pub(crate) fn bad_json(description: impl Into<String>) -> Self {
        Self::new(Kind::BadJson(description.into()))
    }

    /// 400: anything else that is malformed.
    pub fn bad_request(description: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest(description.into()))
    }

    /// 404: no such record, or none the caller may know of.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound)
    }

    /// 404: no such path.
    pub(crate) fn unknown_path() -> Self {
        Self::new(Kind::UnknownPath)
    }

    /// 405.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(Kind::MethodNotAllowed)
    }

    /// 409: the data is newer than the client thinks.
    pub(crate) fn conflict() -> Self {
        Self::new(Kind::Conflict)
    }

    /// 409: somebody else holds what the field asks for.
    pub(crate) fn taken(field: impl Into<String>, description: impl Into<String>) -> Self {
        let fault = FieldFault { field: field.into(), description: description.into(), code: "DuplicateValue" };
        Self::new(Kind::Taken(fault))
    }

    /// 422: the idempotency key belongs to another request.
    pub(crate) fn idempotency_key_reused() -> Self {
        Self::new(Kind::IdempotencyKeyReused)
    }

    /// 403.
    pub fn forbidden(description: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden(description.into()))
    }

    /// 401, with `WWW-Authenticate`.
    pub(crate) fn unauthorized() -> Self {
        Self::new(Kind::Unauthorized)
    }

    /// 429: too many wrong passwords; with `Retry-After`.
    pub(crate) fn too_many_attempts(retry_after_s: i64) -> Self {
        Self::new(Kind::TooManyAttempts { retry_after_s })
    }

    /// 429: the tenant's clients send more than it may have waiting; with `Retry-After`.
    pub(crate) fn too_many_requests(retry_after_s: i64) -> Self {
        Self::new(Kind::TooManyRequests { retry_after_s })
    }

    /// 429: as many jobs are unfinished as a tenant may have; with `Retry-After`.
    pub(crate) fn too_many_jobs() -> Self {
        Self::new(Kind::TooManyJobs { retry_after_s: 1 })
    }

    /// 429: the tenant, or the endpoint, was asked as often as it may be; with `Retry-After`.
    pub(crate) fn rate_limited(retry_after_s: i64) -> Self {
        Self::new(Kind::RateLimited { retry_after_s })
    }

    /// 415: `takes` is the content type that is taken.
    pub(crate) fn unsupported_media_type(takes: &str) -> Self {
        Self::new(Kind::UnsupportedMediaType { takes: takes.to_owned() })
    }

    /// 413.
    pub(crate) fn too_large(limit_bytes: usize) -> Self {
        Self::new(Kind::TooLarge { limit_bytes })
    }

    /// 408: the body did not arrive in time.
    pub(crate) fn timeout() -> Self {
        Self::new(Kind::Timeout)
    }

    /// 421: not here. `url` is where, if we know.
    pub(crate) fn misdirected(host: &str, detail: impl Into<String>, url: Option<String>) -> Self {
        Self::new(Kind::Misdirected { host: host.to_owned(), detail: detail.into(), url })
    }

    /// 503 with `Retry-After`.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self(Arc::new(Fault { kind: Kind::Unavailable { retry_after_s: 1 }, source: Some(source.into()) }))
    }

    /// 503 with `Retry-After`: the tenant is closed until its log is whole again.
    pub(crate) fn being_restored() -> Self {
        Self::new(Kind::BeingRestored { retry_after_s: 30 })
    }

    /// 503 with `Retry-After`, for a write that broke off where nobody knows whether it was done.
    pub(crate) fn outcome_unknown(source: impl Into<Source>) -> Self {
        Self(Arc::new(Fault { kind: Kind::OutcomeUnknown { retry_after_s: 1 }, source: Some(source.into()) }))
    }

    /// The same, after the command was carried out: that its result cannot be shown does not undo it, so nobody is told that it
    /// was not done.
    pub(crate) fn after_done(self) -> Self {
        match Arc::into_inner(self.0) {
            Some(Fault { kind: Kind::Unavailable { retry_after_s }, source }) => {
                Self(Arc::new(Fault { kind: Kind::OutcomeUnknown { retry_after_s }, source }))
            }
            Some(other) => Self(Arc::new(other)),
            // Somebody else holds this error too, which handlers never do.
            None => Self::new(Kind::Internal),
        }
    }

    /// 500 with the request's id and nothing else; the layer logs the chain once.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self(Arc::new(Fault { kind: Kind::Internal, source: Some(source.into()) }))
    }

    /// The wrong fields, for a form that shows each error at its field. None, when the refusal is about something else.
    pub(crate) fn fields(&self) -> &[FieldFault] {
        match &self.0.kind {
            Kind::Invalid(faults) => faults,
            Kind::Taken(fault) => std::slice::from_ref(fault),
            _ => &[],
        }
    }

    /// It in a sentence, each wrong field with it: for the results of a job.
    pub(crate) fn sentence(&self) -> String {
        let fields: Vec<&str> = self.fields().iter().map(|fault| fault.description.as_str()).collect();
        if fields.is_empty() { table::words(&self.0.kind).detail.into_owned() } else { fields.join("; ") }
    }

    /// How many seconds to wait after too many attempts.
    pub(crate) fn wait_after_attempts(&self) -> Option<i64> {
        match self.0.kind {
            Kind::TooManyAttempts { retry_after_s } => Some(retry_after_s),
            _ => None,
        }
    }

    /// The status it is answered with.
    pub(crate) fn status(&self) -> StatusCode {
        table::words(&self.0.kind).status
    }
}

impl IntoResponse for ApiError {
    /// Marks the answer; [`render`] writes it.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests;
