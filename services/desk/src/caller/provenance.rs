//! Where a command comes from: what the audit log says besides who and what.

use std::{convert::Infallible, net::IpAddr};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use schemas::{TokenId, audit::OriginNoted, values::Means};

use crate::serve::Peer;

/// How much of what a client says about itself is kept, in characters.
const TEXT_LENGTH_MAX: usize = 500;

/// By what somebody came in, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Provenance {
    /// By what.
    pub(crate) means: Means,
    /// By which API token, if it was one.
    pub(crate) token: Option<TokenId>,
    /// The network address, where the router names it.
    pub(crate) address: Option<IpAddr>,
    /// What the program calls itself.
    pub(crate) client: Option<String>,
}

impl Provenance {
    /// Nobody came in: the product does it.
    pub(crate) const fn system() -> Self {
        Self { means: Means::System, token: None, address: None, client: None }
    }

    /// What a request says of itself, before anybody proved who they are: a form on a page.
    pub(crate) fn of(parts: &Parts) -> Self {
        let address = parts.extensions.get::<Peer>().and_then(address_of);
        Self { means: Means::Page, token: None, address, client: text(&parts.headers, &header::USER_AGENT) }
    }

    /// As the audit log has it.
    pub(crate) fn noted(&self) -> OriginNoted {
        OriginNoted {
            means: self.means,
            token: self.token,
            address: self.address.map(|address| address.to_string()).into(),
            client: self.client.clone().into(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Provenance {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// The client's address; one of IPv4 as such, however it was written.
pub(crate) fn address_of(peer: &Peer) -> Option<IpAddr> {
    Some(peer.address?.ip().to_canonical())
}

/// A header field, as far as it is kept.
pub(crate) fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.chars().take(TEXT_LENGTH_MAX).collect())
}
