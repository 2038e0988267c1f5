//! How many requests a tenant is answered: a minute's allowance by its plan, which its clients share fairly, and limits of single
//! endpoints. The numbers are the hosting policy's; the headers are those that clients of the v2 API know.
//!
//! It is counted in this process alone, in memory: two desks of a region answer twice as many, and one that starts anew begins at
//! nothing. So a limit protects a desk and other tenants, and costs no request a round trip; it is no bill.
//!
//! Reading order: this file (what is counted when, and told), [`minute`] (the shared allowance), [`endpoints`] (which request counts
//! where), [`window`] (a single endpoint's), [`remembered`] (a bounded memory).

mod endpoints;
mod minute;
mod remembered;
mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
    middleware::Next,
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use regions::{EndpointLimit, LimitedEndpoint, Resident};
use schemas::{PersonId, TenantId, TokenId, values::Plan};

use self::{minute::Minute, remembered::Remembered, window::Window};
use crate::{access::Reader, caller::client, problem::ApiError, read, state::Desk};

/// Whether the hosting policy's limits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateLimits {
    /// They do.
    #[default]
    Policy,
    /// There are none: for loading much, and for measuring.
    Off,
}

/// Tenants whose minute is remembered.
const TENANTS_MAX: usize = 20_000;
/// Windows of single endpoints that are remembered.
const WINDOWS_MAX: usize = 50_000;

/// Clients that ask whether names are free and are remembered.
const NAME_CHECKS_REMEMBERED: usize = 10_000;
/// How often a client may ask whether a name is free: as often as somebody types, not as often as somebody who lists them all.
const NAME_CHECKS: EndpointLimit = EndpointLimit { most: 60, seconds: 60 };

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Who asks, as far as a share goes: a token, or a person with a password.
type Client = (PersonId, Option<TokenId>);

/// Whose window of which endpoint: of one person and one thing, or of all.
type WindowKey = (TenantId, LimitedEndpoint, Option<(PersonId, i64)>);

/// What every tenant used of its allowance.
pub(crate) struct Limits {
    rate_limits: RateLimits,
    minutes: Mutex<Remembered<TenantId, Minute>>,
    windows: Mutex<Remembered<WindowKey, Window>>,
    name_checks: Mutex<Remembered<client::Client, Window>>,
}

/// What is left of one limit, after the request that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    limit: u32,
    remaining: u32,
    resets_s: i64,
    is_refused: bool,
}

/// What a request's answer says of limits. Whoever knows who asks fills it in; the layer writes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<Mutex<HeaderMap>>);

/// The layer around a tenant's routes: writes on the answer what was told.
pub(crate) async fn layer(mut request: Request, next: Next) -> Response {
    let told = Told::default();
    request.extensions_mut().insert(told.clone());
    let mut response = next.run(request).await;
    response.headers_mut().extend(std::mem::take(&mut *locked(&told.0)));
    response
}

impl Limits {
    pub(crate) fn new(rate_limits: RateLimits) -> Self {
        let (minutes, windows) = (Remembered::new(TENANTS_MAX), Remembered::new(WINDOWS_MAX));
        let name_checks = Mutex::new(Remembered::new(NAME_CHECKS_REMEMBERED));
        Self { rate_limits, minutes: Mutex::new(minutes), windows: Mutex::new(windows), name_checks }
    }

    /// Counts a question whether a name is free, and refuses it if it is one too many.
    pub(crate) fn count_name_check(&self, client: client::Client, now: Timestamp) -> Result<(), ApiError> {
        if self.rate_limits == RateLimits::Off {
            return Ok(());
        }
        let mut name_checks = locked(&self.name_checks);
        let window = name_checks.get_or_insert(client, now, || Window::new(now, NAME_CHECKS));
        window.count(now, NAME_CHECKS).check()
    }
}

/// Counts a request of somebody who proved who they are, and refuses it if it is one too many.
pub(crate) async fn count(desk: &Desk, resident: &Resident, reader: Reader, parts: &Parts) -> Result<(), ApiError> {
    if desk.limits().rate_limits == RateLimits::Off {
        return Ok(());
    }
    let now = desk.clock.now();
    let mut headers = HeaderMap::new();
    let counted = count_all(desk, resident, reader, (parts, now), &mut headers).await;
    if let Some(told) = parts.extensions.get::<Told>() {
        locked(&told.0).extend(headers);
    }
    counted
}

async fn count_all(
    desk: &Desk,
    resident: &Resident,
    reader: Reader,
    (parts, now): (&Parts, Timestamp),
    headers: &mut HeaderMap,
) -> Result<(), ApiError> {
    let limits = desk.limits();
    let tenant_id = resident.tenant_id();
    let begins = locked(&limits.minutes).get(&tenant_id).is_none_or(|minute| minute.is_over(now));
    if begins {
        // Two requests may both find that a minute begins: the first begins it.
        let limit = limit_of(desk, resident).await?;
        locked(&limits.minutes).get_or_insert(tenant_id, now, || Minute::new(limit, now)).begin(limit, now);
    }
    let left =
        locked(&limits.minutes).get_mut(&tenant_id).and_then(|minute| minute.count((reader.person, reader.token), now));
    if let Some(left) = left {
        tell_minute(headers, left);
        left.check()?;
    }
    for endpoint in endpoints::of(parts) {
        let Some(limit) = desk.regions.policy().rate_limits().of(endpoint.which) else { continue };
        let key = (tenant_id, endpoint.which, endpoint.thing.map(|thing| (reader.person, thing)));
        let left = locked(&limits.windows).get_or_insert(key, now, || Window::new(now, limit)).count(now, limit);
        headers.insert(endpoint.header(), left.in_one_line());
        left.check()?;
    }
    Ok(())
}

/// What the tenant's plan allows a minute; nothing, while nobody knows its plan.
async fn limit_of(desk: &Desk, resident: &Resident) -> Result<Option<u32>, ApiError> {
    let mut transaction = desk.reading(resident).await?;
    let account = read::account::one(&mut transaction, resident).await?;
    let plan = account.and_then(|account| account.plan).and_then(|plan| plan.parse::<Plan>().ok());
    Ok(plan.and_then(|plan| desk.regions.policy().rate_limits().requests_per_minute(plan)))
}

/// Every spelling that clients look for.
fn tell_minute(headers: &mut HeaderMap, left: Left) {
    let (limit, remaining) = (left.limit.into(), left.remaining.into());
    for (name, value) in [
        ("x-rate-limit", &limit),
        ("x-rate-limit-remaining", &remaining),
        ("rate-limit", &limit),
        ("rate-limit-remaining", &remaining),
        ("rate-limit-reset", &left.resets_s.into()),
        ("ratelimit-limit", &limit),
        ("ratelimit-remaining", &remaining),
        ("ratelimit-reset", &left.resets_s.into()),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::clone(value));
    }
}

impl Left {
    fn check(self) -> Result<(), ApiError> {
        if self.is_refused { Err(ApiError::rate_limited(self.resets_s)) } else { Ok(()) }
    }

    /// As single endpoints tell it.
    fn in_one_line(self) -> HeaderValue {
        let line = format!("total={}; remaining={}; resets={}", self.limit, self.remaining, self.resets_s);
        line.parse().expect("digits and words")
    }
}

/// Whole seconds until `end`, at least one: who comes back after them finds it over.
fn seconds_until(end: Timestamp, now: Timestamp) -> i64 {
    let left = end.duration_since(now);
    (left.as_secs() + i64::from(left.subsec_nanos() > 0)).max(1)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
