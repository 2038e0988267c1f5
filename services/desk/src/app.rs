//! Which routes answer on which host, and what surrounds every answer.
//!
//! ```text
//! request -> id, metrics, span -> headers -> dialect of refusals -> panics -> host -> apex | region | tenant routes
//! ```
//!
//! A route of one site does not exist on the others: signup lives on the region's host, tickets on the tenant's.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower::{ServiceExt, util::MapRequestLayer};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::{
    access, api, conditional,
    host::{self, Site},
    limits, ops, pages,
    problem::{
        ApiError,
        render::{self, RequestId},
    },
    session, signup,
    state::Desk,
    tokens, witness,
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything a region answers, as one service: what the listeners serve and what tests call in process.
pub fn app(desk: Desk) -> Router {
    app_with(desk, Router::new())
}

/// The same with the pages of the region's operators, on the region's host.
pub fn app_with(desk: Desk, operators: Router) -> Router {
    let tenant = tenant(&desk);
    over(desk, tenant, operators)
}

/// The same without a note of who reads what, so that a benchmark can tell what the notes cost. Nothing that serves anybody calls it.
#[doc(hidden)]
pub fn app_without_access_log(desk: Desk) -> Router {
    let tenant = finish(tenant_routes(&desk), &desk);
    over(desk, tenant, Router::new())
}

fn over(desk: Desk, tenant: Router, operators: Router) -> Router {
    let sites = Sites { desk: desk.clone(), apex: apex(&desk), region: region(&desk).merge(operators), tenant };
    Router::new()
        .fallback(dispatch)
        .with_state(sites)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(render::layer))
        .layer(middleware::from_fn(headers))
        .layer(middleware::from_fn_with_state(desk, observe))
        .layer(MapRequestLayer::new(without_json_suffix))
}

/// The pages of the region's operators by themselves, for a process that is no desk: the same headers, refusals and files.
pub fn alone(operators: Router) -> Router {
    operators
        .merge(pages::assets::routes())
        .merge(pages::language::routes())
        .fallback(async || ApiError::unknown_path())
        .layer(MapRequestLayer::new(host::typed))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(render::layer))
        .layer(middleware::from_fn(headers))
}

#[derive(Clone)]
struct Sites {
    desk: Desk,
    apex: Router,
    region: Router,
    tenant: Router,
}

fn apex(desk: &Desk) -> Router {
    let routes = Router::new().merge(pages::landing::routes()).merge(signup::elsewhere());
    finish(routes, desk)
}

fn region(desk: &Desk) -> Router {
    let routes = Router::new()
        .merge(pages::region::routes())
        .merge(signup::routes())
        .merge(ops::routes())
        .merge(witness::routes());
    finish(routes, desk)
}

/// Reads are noted outermost, so that the note says what was answered.
pub(crate) fn tenant(desk: &Desk) -> Router {
    finish(tenant_routes(desk).layer(middleware::from_fn_with_state(desk.clone(), access::layer)), desk)
}

fn tenant_routes(desk: &Desk) -> Router<Desk> {
    Router::new()
        .merge(pages::tenant::routes())
        .merge(pages::help::routes())
        .merge(pages::sign_in::routes())
        .merge(pages::residency::routes())
        .merge(pages::account::routes())
        .merge(pages::agent::routes())
        .merge(pages::admin::routes())
        .merge(tokens::routes())
        .merge(api::v2::routes())
        .merge(api::domicile::routes())
        .layer(middleware::from_fn(conditional::layer))
        .layer(middleware::from_fn(limits::layer))
        .layer(middleware::from_fn_with_state(desk.clone(), session::layer::layer))
}

fn finish(routes: Router<Desk>, desk: &Desk) -> Router {
    routes
        .merge(pages::assets::routes())
        .merge(pages::language::routes())
        .merge(pages::trust::routes())
        .fallback(async || ApiError::unknown_path())
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .with_state(desk.clone())
}

async fn dispatch(State(sites): State<Sites>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let (site, origin) = match host::resolve(&sites.desk, &parts).await {
        Ok(found) => found,
        Err(error) => return error.into_response(),
    };
    let routes = match &site {
        Site::Apex => sites.apex,
        Site::Region => sites.region,
        Site::Tenant(_) => sites.tenant,
    };
    parts.extensions.insert(site);
    parts.extensions.insert(origin);
    match routes.oneshot(Request::from_parts(parts, body)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Every path of the v2 API works with and without `.json`.
fn without_json_suffix(mut request: Request) -> Request {
    let path = request.uri().path();
    let Some(bare) = path.strip_suffix(".json").filter(|path| path.starts_with("/api/v2/")) else { return request };
    let target = match request.uri().query() {
        Some(query) => format!("{bare}?{query}"),
        None => bare.to_owned(),
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = target.parse().ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

/// Gives the request its id and a span, and counts it.
async fn observe(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    let id = desk.ids.uuid().to_string();
    // Neither path nor query: they may hold addresses and tokens.
    let span = tracing::info_span!("desk.request", region = %desk.region.id, request.id = %id,
        http.method = %request.method(), http.status = tracing::field::Empty);
    // The client's trace is linked, not continued: it is not ours to trust, and the log keeps our span for ever.
    if let Some(client) = request.headers().get("traceparent").and_then(|value| value.to_str().ok()) {
        runtime::telemetry::link(&span, client);
    }
    request.extensions_mut().insert(RequestId(id.clone()));
    let timer = desk.metrics.http_seconds.start_timer();
    let mut response = next.run(request).instrument(span.clone()).await;
    timer.observe_duration();
    let status = response.status();
    span.record("http.status", status.as_u16());
    desk.metrics.http_requests.with_label_values(&[status_class(status.as_u16())]).inc();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

const fn status_class(status: u16) -> &'static str {
    match status {
        0..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

/// Headers every answer carries, unless the handler set its own.
async fn headers(request: Request, next: Next) -> Response {
    const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
                       frame-ancestors 'none'";
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let defaults = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // No other site learns an address. With less, browsers would not say of our own forms that they are from here.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::CACHE_CONTROL, "max-age=0, private, must-revalidate"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // The v2 API names the charset; serde_json writes UTF-8 only.
    if headers.get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json") {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    }
    response
}

/// A panic is a broken invariant: the client hears 500, the log which one.
pub(crate) fn panicked(payload: Box<dyn std::any::Any + Send>) -> Response {
    let what = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let what = what.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
    ApiError::internal(format!("a handler panicked: {what}")).into_response()
}
