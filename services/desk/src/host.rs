//! Whose site is asked for.
//!
//! The router only hints: what is served is decided here, by the host the client named and the tenants this region's
//! database holds. Everything else is answered 421 (RFC 9110, section 15.5.20), which also tells an HTTP/2 client that
//! reused a connection for another host to open one of its own.

use axum::{
    extract::Request,
    http::{header, request::Parts},
};
use regions::Resident;
use schemas::{RegionId, Slug};

use crate::{problem::ApiError, serve::Peer, state::Desk};

/// Whose site a request asks for.
#[derive(Clone)]
pub(crate) enum Site {
    /// The deployment's own host: any region serves it.
    Apex,
    /// This region's host.
    Region,
    /// A tenant that is at home here.
    Tenant(Resident),
}

/// The address a request was sent to, as the client typed it: scheme, host and port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: &'static str,
    host: String,
    apex: String,
}

impl Origin {
    /// An absolute URL on the host that was asked: `origin.url("/api/v2/tickets/1.json")`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.host)
    }

    /// Whether what is sent there is encrypted on its way: a cookie may ask for it.
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == "https"
    }

    /// An absolute URL on `<label>.<apex>`.
    pub(crate) fn url_of(&self, label: &str, path: &str) -> String {
        format!("{}://{label}.{}{path}", self.scheme, self.apex)
    }

    /// An absolute URL on the apex.
    pub(crate) fn url_of_apex(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.apex)
    }
}

/// The address that was typed, where there is one site alone, and nobody in between: not by TLS.
pub(crate) fn typed(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    // Without one, nothing is taken for sent from here.
    let host = typed_host(&parts).unwrap_or_default().to_ascii_lowercase();
    parts.extensions.insert(Origin { scheme: "http", apex: host.clone(), host });
    Request::from_parts(parts, body)
}

/// Finds out whose site a request asks for.
pub(crate) async fn resolve(desk: &Desk, parts: &Parts) -> Result<(Site, Origin), ApiError> {
    let typed = typed_host(parts)?.to_ascii_lowercase();
    let (name, port) = split_port(&typed);
    let (apex_name, _) = split_port(&desk.apex);
    let tls = parts.extensions.get::<Peer>().is_some_and(|peer| peer.tls);
    let scheme = if tls { "https" } else { "http" };
    let apex = format!("{apex_name}{port}");
    let origin = Origin { scheme, host: typed.clone(), apex };
    if name == apex_name {
        return Ok((Site::Apex, origin));
    }
    let label = name.strip_suffix(apex_name).and_then(|rest| rest.strip_suffix('.'));
    let Some(label) = label else { return Err(misdirected(desk, &typed, None)) };
    if label == desk.region.id.as_str() {
        return Ok((Site::Region, origin));
    }
    if label.parse::<RegionId>().is_ok_and(|id| desk.regions.get(&id).is_some()) {
        return Err(misdirected(desk, &typed, None));
    }
    match tenant(desk, label).await? {
        Some(resident) => Ok((Site::Tenant(resident), origin)),
        None if is_being_restored(desk, label).await? => Err(ApiError::being_restored()),
        None => Err(misdirected(desk, &typed, None)),
    }
}

/// Whether the tenant is at home here and closed, because its log ends before what was published of it or is being brought back.
async fn is_being_restored(desk: &Desk, label: &str) -> Result<bool, ApiError> {
    let found = sqlx::query_scalar!(
        r#"select exists (
            select from log.tenant where slug = $1 and region = $2 and state in ('behind', 'restoring')
        ) as "found!""#,
        label,
        desk.region.id.as_str()
    );
    Ok(found.fetch_one(&desk.pool).await?)
}

async fn tenant(desk: &Desk, label: &str) -> Result<Option<Resident>, ApiError> {
    let Ok(slug) = label.parse::<Slug>() else { return Ok(None) };
    let mut connection = desk.pool.acquire().await?;
    Ok(Resident::prove(&mut connection, &desk.region.id, &slug).await?)
}

fn misdirected(desk: &Desk, host: &str, url: Option<String>) -> ApiError {
    desk.metrics.misdirected_requests.inc();
    let detail = format!("{host} is not at home in the region {}", desk.region.id);
    ApiError::misdirected(host, detail, url)
}

/// The authority of the target (`:authority` of HTTP/2), or `Host`. Two names that differ are refused rather than ranked
/// (RFC 9112, section 3.2): whoever looked at the request before us may have ranked them the other way round.
fn typed_host(parts: &Parts) -> Result<&str, ApiError> {
    let refused = || ApiError::bad_request("Host: takes the address of a desk, once");
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next().map(|host| host.to_str().map_err(|_| refused())).transpose()?;
    if hosts.next().is_some() {
        return Err(refused());
    }
    match (parts.uri.authority(), host) {
        (Some(target), Some(host)) if !target.as_str().eq_ignore_ascii_case(host) => Err(refused()),
        (Some(target), _) => Ok(target.as_str()),
        (None, host) => host.filter(|host| !host.is_empty()).ok_or_else(refused),
    }
}

/// The name, and `:port` with its colon, or nothing.
fn split_port(host: &str) -> (&str, &str) {
    match host.rfind(':') {
        Some(colon) if host[colon + 1..].bytes().all(|byte| byte.is_ascii_digit()) => host.split_at(colon),
        _ => (host, ""),
    }
}

/// The address of a request that the host was found for.
impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Origin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Ok(parts.extensions.get::<Self>().cloned().expect("every route is reached through the host"))
    }
}

#[cfg(test)]
mod tests;
