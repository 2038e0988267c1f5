//! Signing up: how a tenant comes into being, in the region it chose.
//!
//! The form and the API are on the region's own host, so that what a person types goes straight to the region it will live
//! in. A signup that belongs into another region is answered with that region's address and leaves nothing here.

mod create;
mod first_ticket;
mod form;
mod name;
mod request;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};

pub(crate) use self::create::{new_api_token, token_sha256};
use self::{
    create::{Created, create},
    request::Request,
};
use crate::{
    body::{Body, form::Form},
    caller::{client::Client, provenance::Provenance},
    host::Origin,
    pages::{self, WelcomePage, frame::Frame, places},
    problem::{ApiError, ApiResult},
    state::Desk,
    visible::{self, Visible, Written},
};

/// The projections a new tenant needs before its first request.
const FIRST_NEEDED: &[&str] = &["account", "people"];

/// Who sends a form, as far as limits and the audit log go.
type From = (Client, Provenance);

/// On the region's host.
pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/signup", get(form::show).post(submit))
        .route("/api/signup", post(sign_up))
        .route("/api/signup/name", get(name::check))
}

/// On the apex, which is every region's: there is nothing to post to.
pub(crate) fn elsewhere() -> Router<Desk> {
    Router::new().route("/api/signup", post(which_region))
}

/// `POST /api/signup`.
async fn sign_up(State(desk): State<Desk>, origin: Origin, from: From, body: Body) -> ApiResult {
    let request = Request::read(&desk, &origin, &body.object)?;
    let created = create(&desk, from, request).await?;
    let written = settled(&desk, &created).await;
    let answer = Json(answer(&created, &origin));
    Ok((StatusCode::CREATED, written, [no_store()], answer).into_response())
}

/// `POST /signup`: the same for the form, whose answers are pages.
async fn submit(State(desk): State<Desk>, origin: Origin, frame: Frame, from: From, form: Form) -> ApiResult {
    let (object, provenance) = (form.object(), from.1.clone());
    let created = match Request::read(&desk, &origin, &object) {
        Ok(request) => create(&desk, from, request).await,
        Err(error) => Err(error),
    };
    let created = match created {
        Ok(created) => created,
        // The form again, with each error at its field and everything but the password as it was typed.
        Err(error) => {
            let page = form::page((&desk, &frame), &origin, &object, error.fields());
            return if page.errors().is_empty() { Err(error) } else { frame.respond(error.status(), &page) };
        }
    };
    let written = settled(&desk, &created).await;
    let ticket = first_ticket::give(&desk, &created, (&frame.words, provenance, &form.print)).await;
    let url = origin.url_of(created.resident.slug().as_str(), "");
    let page = WelcomePage {
        frame: &frame,
        ticket: ticket.map(|ticket| format!("{url}/agent/tickets/{ticket}")),
        url,
        region: places::region(&frame.words, &desk.region),
        api_token: &created.api_token,
        curl_user: pages::shell_word(&format!("{}/token:{}", created.email, created.api_token)),
        is_pending: written.visible == Visible::NotYet || !created.is_confirmed,
    };
    Ok((written, [no_store()], frame.respond(StatusCode::CREATED, &page)?).into_response())
}

/// `POST /api/signup` on the apex.
async fn which_region(State(desk): State<Desk>, origin: Origin) -> ApiError {
    let region = desk.regions.policy().default_region();
    let url = origin.url_of(region.as_str(), "/api/signup");
    let all: Vec<String> = desk.regions.iter().map(|region| origin.url_of(region.id.as_str(), "/api/signup")).collect();
    desk.metrics.misdirected_requests.inc();
    ApiError::misdirected("the apex", format!("A signup goes to the region it chooses: {}", all.join(", ")), Some(url))
}

async fn settled(desk: &Desk, created: &Created) -> Written {
    let visible = visible::wait(desk, &created.resident, created.position, FIRST_NEEDED).await;
    Written { position: created.position, visible, replayed: false, is_read: false }
}

fn answer(created: &Created, origin: &Origin) -> Value {
    let resident = &created.resident;
    json!({
        "tenant": {
            "id": resident.tenant_id(),
            "subdomain": resident.slug(),
            "region": resident.region(),
            "epoch": resident.epoch(),
        },
        "url": origin.url_of(resident.slug().as_str(), ""),
        "api_token": created.api_token,
    })
}

/// The answer holds a secret that is shown once.
const fn no_store() -> (header::HeaderName, HeaderValue) {
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

#[cfg(test)]
pub(crate) use self::create::for_test;

#[cfg(test)]
mod tests;
