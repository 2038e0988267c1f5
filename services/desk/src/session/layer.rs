//! What surrounds every request to a tenant: it takes up the session's cookie, and lets nobody's browser be used by another site.
//!
//! A browser sends its cookie with whatever another site makes it send. So a request that is to change something and comes with a session
//! bears the session's token, in the header `X-CSRF-Token` or in the form's field `csrf`, and does not come from elsewhere, as far as the
//! browser says. This is the one place that takes up the cookie: without having been here, a request has no session.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    Form,
    body::Body,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::cookie::Presented;
use crate::{
    body::{
        self, form,
        multipart::{boundary, cut},
    },
    host::Origin,
    problem::ApiError,
    state::Desk,
};

const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORM: &str = "application/x-www-form-urlencoded";
/// The field of a form that bears the session's token.
const FIELD: &str = "csrf";

/// A session's cookie that may be taken for what it says, once it is looked up.
#[derive(Clone)]
pub(crate) struct Taken {
    /// What the browser sent.
    pub(crate) presented: Presented,
    renewed: Arc<Mutex<Option<HeaderValue>>>,
}

impl Taken {
    /// The answer gives the browser a newer cookie.
    pub(crate) fn renew(&self, cookie: HeaderValue) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookie);
    }
}

/// The layer.
pub(crate) async fn layer(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let (mut parts, mut body) = request.into_parts();
    let is_command = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let presented = Presented::read(&parts);
    // A form of ours is sent from our own pages, also before anybody signed in, and whatever the browser adds by itself.
    let is_of_pages = !parts.uri.path().starts_with("/api/");
    if is_command && (is_of_pages || presented.is_some()) && !is_from_here(&parts) {
        return from_elsewhere().into_response();
    }
    let Some(presented) = presented else { return next.run(Request::from_parts(parts, body)).await };
    if is_command {
        // Nothing is read for a cookie that anybody can make, nor for one that has run out: it is none.
        match presented.is_in_use(&desk, &parts).await {
            Ok(true) => {}
            Ok(false) => return next.run(Request::from_parts(parts, body)).await,
            Err(refused) => return refused.into_response(),
        }
        body = match check(&desk, &mut parts, &presented, body).await {
            Ok(body) => body,
            Err(refused) => return refused.into_response(),
        };
    }
    let taken = Taken { presented, renewed: Arc::default() };
    parts.extensions.insert(taken.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let renewed = taken.renewed.lock().unwrap_or_else(PoisonError::into_inner).take();
    // A handler that signs somebody in or out has the last word.
    if let Some(cookie) = renewed.filter(|_| !response.headers().contains_key(header::SET_COOKIE)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Whether the browser says that one of our own pages sent it, or says nothing: programs need not.
pub fn is_from_here(parts: &Parts) -> bool {
    let said = |name| parts.headers.get(name).map(HeaderValue::as_bytes);
    if let Some(site) = said(FETCH_SITE) {
        return site == b"same-origin";
    }
    let here = parts.extensions.get::<Origin>().map(|origin| origin.url(""));
    said(header::ORIGIN).is_none_or(|origin| here.is_some_and(|here| here.as_bytes() == origin))
}

/// Gives the body back, if the request bears the session's token. What was read keeps its place, which the handler takes over.
async fn check(desk: &Desk, parts: &mut Parts, presented: &Presented, body: Body) -> Result<Body, ApiError> {
    let token = presented.csrf();
    let is_right = |sent: &[u8]| verify_slices_are_equal(sent, token.as_bytes()).is_ok();
    if let Some(sent) = parts.headers.get(TOKEN_HEADER) {
        return if is_right(sent.as_bytes()) { Ok(body) } else { Err(from_elsewhere()) };
    }
    let boundary = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(boundary);
    if !is_form(&parts.headers) && boundary.is_none() {
        return Err(from_elsewhere());
    }
    let limit = if boundary.is_some() { body::UPLOAD } else { form::FORM };
    let read = body::read_of(desk.room(), parts, body, limit).await?;
    let pairs = match boundary {
        Some(boundary) => cut(read.bytes.clone(), &boundary).await?.0,
        None => {
            let request = Request::from_parts(parts.clone(), Body::from(read.bytes.clone()));
            let pairs = Form::<Vec<(String, String)>>::from_request(request, desk).await;
            pairs.map_err(|_| ApiError::bad_request("The form is malformed"))?.0
        }
    };
    let sent = pairs.iter().find(|(name, _)| name == FIELD);
    if sent.is_some_and(|(_, sent)| is_right(sent.as_bytes())) {
        let (bytes, place) = read.into_kept();
        parts.extensions.insert(place);
        Ok(Body::from(bytes))
    } else {
        Err(from_elsewhere())
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    body::content_type(headers).is_some_and(|found| found.eq_ignore_ascii_case(FORM))
}

fn from_elsewhere() -> ApiError {
    ApiError::forbidden(
        "This was not sent from a page of this desk that is still good; load the page anew and send it again",
    )
}
