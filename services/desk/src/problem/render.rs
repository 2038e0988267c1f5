//! Writes refusals in the dialect of the path, and logs those that are our fault, once.

use axum::{
    Json,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use serde_json::{Map, Value, json};

use super::{ApiError, FieldFault, Kind, table, table::Words};
use crate::pages::{
    ProblemPage,
    frame::{Frame, percent},
};

/// Clients of the v2 dialect look for it on refusals too.
const API_VERSION: HeaderName = HeaderName::from_static("x-zendesk-api-version");

/// The id of a request, in its answer's `X-Request-Id` and in the log.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    V2,
    Problem,
    Page,
}

impl Dialect {
    fn of(path: &str) -> Self {
        let within =
            |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if within("/api/v2") {
            Self::V2
        } else if within("/api") || ["/healthz", "/readyz", "/metrics"].contains(&path) {
            Self::Problem
        } else {
            Self::Page
        }
    }
}

/// The layer: looks whether a handler refused, and says so in the dialect of the path.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let dialect = Dialect::of(request.uri().path());
    let (parts, body) = request.into_parts();
    let frame = Frame::without_script(&parts);
    let is_shown = matches!(parts.method, Method::GET | Method::HEAD);
    let leads_to_sign_in = dialect == Dialect::Page && !is_file_for_a_program(&parts);
    let request = Request::from_parts(parts, body);
    let id = request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.clone());
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions().get::<ApiError>().cloned().or_else(|| foreign(&response)) {
        log(&error, &id);
        let mut written = match error.0.kind {
            Kind::Unauthorized if leads_to_sign_in => to_sign_in(&frame, is_shown),
            _ => write(&error, (dialect, &frame), &id),
        };
        keep_headers(written.headers_mut(), response.headers());
        response = written;
    }
    if dialect == Dialect::V2 {
        response.headers_mut().entry(API_VERSION).or_insert(HeaderValue::from_static("v2"));
    }
    response
}

/// Keeps what the layers and routes below said (`Allow`, for one), but for what describes the body that was replaced.
fn keep_headers(written: &mut HeaderMap, below: &HeaderMap) {
    const OF_BODY: [HeaderName; 3] = [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::ETAG];
    for name in below.keys().filter(|name| !OF_BODY.contains(name)) {
        if !written.contains_key(name) {
            for value in below.get_all(name) {
                written.append(name, value.clone());
            }
        }
    }
}

/// Refusals of extractors and layers that are not ours: plain text that no client of either dialect expects.
fn foreign(response: &Response) -> Option<ApiError> {
    let written = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if written.is_some_and(|content_type| !content_type.starts_with("text/plain")) {
        return None;
    }
    match response.status() {
        StatusCode::BAD_REQUEST => Some(ApiError::bad_request("The path or the query is malformed")),
        StatusCode::NOT_FOUND => Some(ApiError::unknown_path()),
        StatusCode::METHOD_NOT_ALLOWED => Some(ApiError::method_not_allowed()),
        StatusCode::PAYLOAD_TOO_LARGE => Some(ApiError::too_large(crate::body::JSON_BYTES_MAX)),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Some(ApiError::unsupported_media_type("application/json")),
        _ => None,
    }
}

fn log(error: &ApiError, id: &str) {
    let Some(source) = &error.0.source else { return };
    let chain = runtime::chain(source.as_ref());
    match error.0.kind {
        Kind::Internal => tracing::error!(request.id = id, error = chain, "a request failed"),
        _ => tracing::warn!(request.id = id, error = chain, "a request was put off"),
    }
}

fn write(error: &ApiError, (dialect, frame): (Dialect, &Frame), id: &str) -> Response {
    let kind = &error.0.kind;
    let words = table::words(kind);
    let status = words.status;
    let mut response = match dialect {
        Dialect::V2 => (status, Json(v2(kind, &words, id))).into_response(),
        Dialect::Problem => {
            let problem = Json(problem(kind, &words, id));
            (status, [(header::CONTENT_TYPE, "application/problem+json")], problem).into_response()
        }
        Dialect::Page => page(kind, frame, &words, id),
    };
    let headers = response.headers_mut();
    match kind {
        Kind::Unauthorized => {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"domicile\", charset=\"UTF-8\""),
            );
        }
        Kind::Unavailable { retry_after_s }
        | Kind::BeingRestored { retry_after_s }
        | Kind::OutcomeUnknown { retry_after_s }
        | Kind::TooManyAttempts { retry_after_s }
        | Kind::TooManyRequests { retry_after_s }
        | Kind::TooManyJobs { retry_after_s }
        | Kind::RateLimited { retry_after_s } => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_s));
        }
        _ => {}
    }
    response
}

/// The bodies of the v2 API, exactly.
fn v2(kind: &Kind, words: &Words<'_>, id: &str) -> Value {
    let titled = |title: &str| json!({ "error": { "title": title, "message": words.detail } });
    match kind {
        Kind::Unauthorized => json!({ "error": words.v2_error }),
        Kind::InvalidParameter { .. } | Kind::BadRequest(_) => titled(words.title),
        Kind::TooDeep { .. } => {
            json!({ "errors": [{ "code": words.v2_error, "title": words.title, "detail": words.detail }] })
        }
        Kind::Misdirected { host, .. } => titled(&format!("No help desk at {host}")),
        Kind::Invalid(faults) => details(faults, words.v2_error),
        Kind::Taken(fault) => details(std::slice::from_ref(fault), words.v2_error),
        Kind::TooManyValues { max } => {
            json!({ "error": words.v2_error, "description": words.detail, "max_count": max })
        }
        Kind::Internal => json!({ "error": words.v2_error, "description": words.detail, "request_id": id }),
        _ => json!({ "error": words.v2_error, "description": words.detail }),
    }
}

fn details(faults: &[FieldFault], error: &str) -> Value {
    let mut details = Map::new();
    for fault in faults {
        let of_field = details.entry(fault.field.clone()).or_insert_with(|| json!([]));
        if let Value::Array(of_field) = of_field {
            of_field.push(json!({ "description": fault.description, "error": fault.code }));
        }
    }
    json!({ "error": error, "description": "Record validation errors", "details": details })
}

/// RFC 9457.
fn problem(kind: &Kind, words: &Words<'_>, id: &str) -> Value {
    let mut problem = json!({
        "type": format!("urn:domicile:problem:{}", words.name),
        "title": words.title,
        "status": words.status.as_u16(),
        "detail": words.detail,
    });
    let faults: &[FieldFault] = match kind {
        Kind::Invalid(faults) => faults,
        Kind::Taken(fault) => std::slice::from_ref(fault),
        _ => &[],
    };
    if !faults.is_empty() {
        let named =
            |fault: &FieldFault| json!({ "field": fault.field, "detail": fault.description, "code": fault.code });
        let detail: Vec<&str> = faults.iter().map(|fault| fault.description.as_str()).collect();
        problem["detail"] = detail.join("; ").into();
        problem["errors"] = faults.iter().map(named).collect();
    }
    if let Kind::Misdirected { url: Some(url), .. } = kind {
        problem["url"] = url.as_str().into();
    }
    if let Kind::Internal = kind {
        problem["instance"] = format!("urn:domicile:request:{id}").into();
    }
    problem
}

/// Programs fetch files of comments at addresses that the API gave them, and are to hear that they may not; people follow a link.
fn is_file_for_a_program(parts: &Parts) -> bool {
    let accepted = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    parts.uri.path().starts_with("/attachments/") && !accepted.contains("text/html")
}

/// Whoever is not signed in is shown where to, and comes back to the page; to what was sent with a form there is no coming back.
fn to_sign_in(frame: &Frame, is_shown: bool) -> Response {
    let back = if is_shown { format!("?return_to={}", percent(&frame.path)) } else { String::new() };
    Redirect::to(&format!("/signin{back}")).into_response()
}

fn page(kind: &Kind, frame: &Frame, words: &Words<'_>, id: &str) -> Response {
    let url = match kind {
        Kind::Misdirected { url, .. } => url.as_deref(),
        _ => None,
    };
    let request_id = matches!(kind, Kind::Internal).then_some(id);
    // What the API says is for programs and their authors; people are told in their own language what to do.
    let said = |part: &str| frame.words.known(&format!("problem-{}{part}", words.name));
    let page = ProblemPage {
        frame,
        status: words.status.as_u16(),
        title: said("").unwrap_or_else(|| words.title.to_owned()),
        detail: said("-detail").unwrap_or_else(|| words.detail.to_string()),
        url,
        request_id,
    };
    let unwritten = |_| (words.status, Body::from(words.title.to_owned())).into_response();
    frame.respond(words.status, &page).unwrap_or_else(unwritten)
}
