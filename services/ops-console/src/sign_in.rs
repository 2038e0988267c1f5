//! Signing in and out: `/ops/signin`, `/ops/signout`.

use askama::Template;
use axum::{
    Router,
    extract::{FromRequest, FromRequestParts, Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use desk::foundation::{ApiError, ApiResult, Frame};
use serde::Deserialize;

use crate::{
    signed::{Order, Signed, fields, frame, kept, secret, unkept},
    state::Console,
};

const HOME: &str = "/ops";

/// `/ops/signin` and `/ops/signout`.
pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/ops/signin", get(show).post(submit)).route("/ops/signout", post(sign_out))
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    return_to: String,
}

#[derive(Template)]
#[template(path = "ops/signin.html")]
struct SignInPage<'a> {
    frame: &'a Frame,
    region: &'a str,
    return_to: &'a str,
    is_wrong: bool,
}

/// A page of the console: nobody is led elsewhere by an address that looks like ours.
fn own_path(path: &str) -> &str {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_ours = path == HOME || path.starts_with("/ops/") || path.starts_with("/ops?");
    if is_plain && is_ours { path } else { HOME }
}

async fn show(
    State(console): State<Console>,
    Query(back): Query<Back>,
    request: Request,
) -> Result<Response, ApiError> {
    let (mut parts, _) = request.into_parts();
    if Signed::from_request_parts(&mut parts, &console).await.is_ok() {
        return Ok(Redirect::to(own_path(&back.return_to)).into_response());
    }
    page(&console, (&frame(&parts, &console), StatusCode::OK), (&back.return_to, false))
}

fn page(console: &Console, (frame, status): (&Frame, StatusCode), (return_to, is_wrong): (&str, bool)) -> ApiResult {
    let region = console.desk.region.id.as_str();
    let page = SignInPage { frame, region, return_to: own_path(return_to), is_wrong };
    Ok(unkept(frame.respond(status, &page)?))
}

async fn submit(State(console): State<Console>, request: Request) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let fields = fields(Request::from_parts(parts, body), &console).await?;
    let text = |name: &str| fields.get(name).map_or("", |value| value.trim());
    let (ids, now) = (console.desk.ids.as_ref(), console.desk.clock.now());
    let started = console.sessions().start(&console.operators, text("key"), (ids, now));
    let started = started.map_err(|error| ApiError::unavailable(error).into_response())?;
    let Some(secret) = started else {
        tracing::warn!(region = %console.desk.region.id, "somebody tried to sign in to the operators' console with a wrong key");
        let (frame, status) = (frame(&asked, &console), StatusCode::FORBIDDEN);
        let again = page(&console, (&frame, status), (text("return_to"), true));
        return again.map_err(IntoResponse::into_response);
    };
    let cookie = kept(&asked, Some(&secret)).map_err(IntoResponse::into_response)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(own_path(text("return_to")))).into_response())
}

async fn sign_out(State(console): State<Console>, request: Request) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let request = Request::from_parts(parts, body);
    Order::from_request(request, &console).await?;
    if let Some(secret) = secret(&asked) {
        console.sessions().end(&secret);
    }
    let cookie = kept(&asked, None).map_err(IntoResponse::into_response)?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/ops/signin")).into_response())
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn nobody_is_led_elsewhere_after_signing_in() {
        for path in ["/ops", "/ops/backups", "/ops?x=1"] {
            assert_eq!(own_path(path), path);
        }
        for path in
            ["", "/", "//elsewhere.example/ops/", "https://elsewhere.example", "/opsx", "/ops/\\elsewhere", "/ops/ x"]
        {
            assert_eq!(own_path(path), "/ops", "{path}");
        }
    }
}
