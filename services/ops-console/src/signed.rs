//! Whoever asks, proven to be an operator: an argument of every page, and of every order.

use std::collections::HashMap;

use axum::{
    Form,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderValue, Method, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use desk::foundation::{ApiError, Frame, OPERATOR_COOKIE, cookie, is_from_here, is_over_tls, percent};

use crate::{session, state::Console};

/// An operator who is signed in, and the frame of what they are shown.
pub(crate) struct Signed {
    /// The name under which the process's log tells what they do.
    pub(crate) name: String,
    /// What forms send back.
    pub(crate) token: String,
    /// Their language and clock.
    pub(crate) frame: Frame,
}

/// A form that an operator sent from one of our pages.
pub(crate) struct Order {
    /// Who.
    pub(crate) by: Signed,
    fields: HashMap<String, String>,
}

impl Order {
    /// What was typed into a field, without space around it.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value.trim())
    }
}

/// The frame of a page of the console. The token of the layout's own form is a tenant's: there is none.
pub(crate) fn frame(parts: &Parts, console: &Console) -> Frame {
    Frame { csrf: String::new(), ..Frame::of(parts, console.desk.ids.secret()) }
}

/// What the browser holds, if it holds something.
pub(crate) fn secret(parts: &Parts) -> Option<String> {
    cookie(&parts.headers, &cookie_name(parts))
}

/// The cookie that keeps a secret, or forgets it. Over TLS it comes from this very host alone.
pub(crate) fn kept(parts: &Parts, secret: Option<&str>) -> Result<HeaderValue, ApiError> {
    let secure = if is_over_tls(parts) { "; Secure" } else { "" };
    let age = if secret.is_none() { "; Max-Age=0" } else { "" };
    let (name, secret) = (cookie_name(parts), secret.unwrap_or_default());
    let cookie = format!("{name}={secret}; Path=/{age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(cookie).map_err(ApiError::internal)
}

fn cookie_name(parts: &Parts) -> String {
    let host = if is_over_tls(parts) { "__Host-" } else { "" };
    format!("{host}{OPERATOR_COOKIE}")
}

impl FromRequestParts<Console> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let frame = frame(parts, console);
        let to_sign_in = || {
            // To what was sent with a form there is no coming back.
            let is_shown = matches!(parts.method, Method::GET | Method::HEAD);
            let back = if is_shown { format!("?return_to={}", percent(&frame.path)) } else { String::new() };
            Redirect::to(&format!("/ops/signin{back}")).into_response()
        };
        let Some(secret) = secret(parts) else { return Err(to_sign_in()) };
        let whose = console.sessions().whose(&console.operators, &secret, console.desk.clock.now());
        let whose = whose.map_err(|error| ApiError::unavailable(error).into_response())?;
        let operator = whose.ok_or_else(to_sign_in)?;
        Ok(Self { name: operator.name, token: session::csrf(&secret), frame })
    }
}

impl FromRequest<Console> for Order {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let by = Signed::from_request_parts(&mut parts, console).await?;
        let fields = fields(Request::from_parts(parts, body), console).await?;
        let order = Self { by, fields };
        let is_ours = aws_lc_rs::constant_time::verify_slices_are_equal;
        match is_ours(order.text("csrf").as_bytes(), order.by.token.as_bytes()) {
            Ok(()) => Ok(order),
            Err(_) => Err(from_elsewhere().into_response()),
        }
    }
}

/// The fields of a form that one of our own pages sent, as far as the browser says.
pub(crate) async fn fields(request: Request, console: &Console) -> Result<HashMap<String, String>, Response> {
    let (parts, body) = request.into_parts();
    if !is_from_here(&parts) {
        return Err(from_elsewhere().into_response());
    }
    let sent = Form::<HashMap<String, String>>::from_request(Request::from_parts(parts, body), console).await;
    sent.map(|Form(fields)| fields).map_err(|_| ApiError::bad_request("The form is malformed").into_response())
}

fn from_elsewhere() -> ApiError {
    ApiError::forbidden("This was not sent from a page of this console that is still good; load the page anew")
}

/// A page that nobody keeps: what it shows is an operator's.
pub(crate) fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
