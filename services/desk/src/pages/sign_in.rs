//! Signing in and out: `/signin`, `/signout`.
//!
//! Whatever is wrong with an address and a password, the answer is one and the same, and takes as long: nobody finds out here who has
//! an account. Where somebody comes from and goes to is a path of this desk, never another site.

use askama::Template;
use axum::{
    Extension, Router,
    extract::{FromRequest, Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use schemas::values::Role;
use serde::Deserialize;

use super::frame::{Frame, local_path};
use crate::{
    body::{RequestPrint, form::Form},
    caller::{Caller, client::Client, password, provenance::Provenance},
    host::Site,
    limits,
    problem::{ApiError, ApiResult},
    session::{
        cookie::{self, is_over_tls},
        end, start,
    },
    state::Desk,
};

/// The two pages.
pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/signin", get(show).post(submit)).route("/signout", post(sign_out))
}

/// Where to go afterwards.
#[derive(Debug, Deserialize)]
struct Back {
    #[serde(default)]
    return_to: String,
}

/// The form.
#[derive(Template)]
#[template(path = "signin.html")]
struct SignInPage<'a> {
    frame: &'a Frame,
    slug: &'a str,
    /// What was typed.
    email: &'a str,
    return_to: &'a str,
    is_wrong: bool,
    /// How many minutes to wait after too many attempts.
    wait: Option<i64>,
}

/// `GET /signin`: whoever is signed in already goes on.
async fn show(
    caller: Result<Caller, ApiError>,
    Query(back): Query<Back>,
    frame: Frame,
    Extension(site): Extension<Site>,
) -> ApiResult {
    let Site::Tenant(resident) = site else { return Err(ApiError::unknown_path()) };
    if let Some(caller) = caller.ok().filter(|caller| caller.session.is_some()) {
        return Ok(Redirect::to(landing(&back.return_to, caller.role)).into_response());
    }
    let return_to = local_path(&back.return_to).unwrap_or_default();
    let page =
        SignInPage { frame: &frame, slug: resident.slug().as_str(), email: "", return_to, is_wrong: false, wait: None };
    Ok(unkept(frame.page(&page)?))
}

/// `POST /signin`.
async fn submit(
    State(desk): State<Desk>,
    caller: Result<Caller, ApiError>,
    Extension(site): Extension<Site>,
    (frame, client, from): (Frame, Client, Provenance),
    request: Request,
) -> ApiResult {
    let Site::Tenant(resident) = site else { return Err(ApiError::unknown_path()) };
    refuse_header(request.headers())?;
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let over_tls = is_over_tls(&parts);
    let form = Form::from_request(Request::from_parts(parts, body), &desk).await?;
    let (email, return_to) =
        (form.text("email").to_lowercase(), local_path(form.text("return_to")).unwrap_or_default());
    let again = |status, wait: Option<i64>| {
        let slug = resident.slug().as_str();
        let page = SignInPage { frame: &frame, slug, email: &email, return_to, is_wrong: wait.is_none(), wait };
        Ok(unkept(frame.respond(status, &page)?))
    };
    // As it was typed: space around a password is part of it.
    let password = form.raw("password").to_owned();
    let signed_in = password::sign_in(&desk, &resident, (client, from.clone()), (&email, password)).await;
    let proven = match signed_in {
        Ok(Some(proven)) => proven,
        Ok(None) => return again(StatusCode::UNAUTHORIZED, None),
        Err(refused) => {
            let Some(seconds) = refused.wait_after_attempts() else { return Err(refused) };
            let mut answer = again(StatusCode::TOO_MANY_REQUESTS, Some(seconds.div_euclid(60) + 1))?;
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            return Ok(answer);
        }
    };
    limits::count(&desk, &resident, proven.reader, &asked).await?;
    let replaced = caller.ok().and_then(|caller| caller.session);
    let Some(secret) = start::start(&desk, &resident, (&proven, from), replaced).await? else {
        return again(StatusCode::UNAUTHORIZED, None);
    };
    let cookie = cookie::issue(&desk, &resident, &secret, over_tls).await?;
    let to = Redirect::to(landing(return_to, proven.role));
    Ok(unkept(([(header::SET_COOKIE, cookie)], to).into_response()))
}

/// `POST /signout`: also of a session that is over, so that a browser can always be left.
async fn sign_out(
    State(desk): State<Desk>,
    caller: Result<Caller, ApiError>,
    print: RequestPrint,
    parts: Parts,
) -> ApiResult {
    refuse_header(&parts.headers)?;
    match caller {
        Ok(caller) => {
            if let Some(session) = caller.session {
                end::end(&desk, &caller.issuer(&desk, &print), &[session]).await?;
            }
        }
        Err(over) if over.status() == StatusCode::UNAUTHORIZED => {}
        // The session is still there: who believes to have left it has not.
        Err(refused) => return Err(refused),
    }
    let cookie = cookie::forget(is_over_tls(&parts));
    Ok(unkept(([(header::SET_COOKIE, cookie)], Redirect::to("/signin")).into_response()))
}

/// Whoever says in a header who they are has no use for a session.
fn refuse_header(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(ApiError::forbidden("Takes no Authorization header"));
    }
    Ok(())
}

/// Where somebody goes who signed in: back, or to where their work is.
fn landing(return_to: &str, role: Role) -> &str {
    local_path(return_to).unwrap_or(match role {
        Role::Agent | Role::Admin => "/agent",
        Role::EndUser | Role::Auditor => "/requests",
    })
}

/// Nobody keeps a page with a form that signs in, nor an answer with a cookie.
fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
