//! What the browser holds: `<secret>.<when it last came>.<proof of that>`.
//!
//! The secret is what the log knows the hash of. The proof is made with a key of the tenant's, so that nobody makes themselves younger.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::{HeaderValue, header, request::Parts};
use jiff::Timestamp;
use regions::Resident;
use schemas::Hash;

use super::IDLE_FOR;
use crate::{
    host::Site,
    pages::{cookies, frame::cookie},
    problem::ApiError,
    serve::Peer,
    state::Desk,
};

/// Where the browser sends nothing in the clear; it then takes the cookie from this very host alone (RFC 6265bis, section 4.1.3.2).
const NAME_OVER_TLS: &str = "__Host-domicile_session";
/// Where it does: a desk on somebody's own machine.
const NAME: &str = cookies::SESSION.name;
/// The longest one that is looked at.
const LENGTH_MAX: usize = 256;

/// What a browser sent of it, not checked yet.
#[derive(Clone)]
pub(crate) struct Presented {
    secret: String,
    seen_at: Timestamp,
    proof: String,
}

impl Presented {
    /// Nothing, if there is none, or if the request says by other means who it is from.
    pub(crate) fn read(parts: &Parts) -> Option<Self> {
        if parts.headers.contains_key(header::AUTHORIZATION) {
            return None;
        }
        let value = cookie(&parts.headers, name(is_over_tls(parts)))?;
        let mut fields = value.split('.').filter(|_| value.len() <= LENGTH_MAX);
        let (secret, seconds, proof) = (fields.next()?, fields.next()?, fields.next()?);
        let seen_at = Timestamp::from_second(seconds.parse().ok()?).ok()?;
        Some(Self { secret: secret.to_owned(), seen_at, proof: proof.to_owned() })
    }

    /// When the browser last came, if that is proven.
    pub(crate) async fn seen_at(&self, desk: &Desk, resident: &Resident) -> Result<Option<Timestamp>, ApiError> {
        let proof = proof(desk, resident, (&self.secret, self.seen_at)).await?;
        Ok(verify_slices_are_equal(proof.as_bytes(), self.proof.as_bytes()).is_ok().then_some(self.seen_at))
    }

    /// Whether the browser came lately, as far as the cookie alone can say.
    pub(super) async fn is_in_use(&self, desk: &Desk, parts: &Parts) -> Result<bool, ApiError> {
        let Some(Site::Tenant(resident)) = parts.extensions.get::<Site>() else { return Ok(false) };
        let seen_at = self.seen_at(desk, resident).await?;
        Ok(seen_at.is_some_and(|at| desk.clock.now().duration_since(at) < IDLE_FOR))
    }

    /// What the log knows of the secret.
    pub(crate) fn secret_sha256(&self) -> String {
        Hash::of(&[self.secret.as_bytes()]).to_string()
    }

    /// What our pages send back to show that they are ours: nobody who does not have the cookie can make it, and the cookie cannot be
    /// made from it.
    pub(crate) fn csrf(&self) -> String {
        Hash::of(&[b"csrf\0", self.secret.as_bytes()]).to_string()
    }

    /// The cookie anew, as of now.
    pub(crate) async fn renewed(
        &self,
        desk: &Desk,
        resident: &Resident,
        parts: &Parts,
    ) -> Result<HeaderValue, ApiError> {
        issue(desk, resident, &self.secret, is_over_tls(parts)).await
    }
}

/// The cookie of a session, as of now. It has no end of its own: it is gone with the browser.
pub(crate) async fn issue(
    desk: &Desk,
    resident: &Resident,
    secret: &str,
    is_over_tls: bool,
) -> Result<HeaderValue, ApiError> {
    let seconds = desk.clock.now().as_second();
    let seen_at = Timestamp::from_second(seconds).map_err(ApiError::internal)?;
    let proof = proof(desk, resident, (secret, seen_at)).await?;
    let (name, secure) = (name(is_over_tls), secure(is_over_tls));
    let cookie = format!("{name}={secret}.{seconds}.{proof}; Path=/; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(cookie).map_err(ApiError::internal)
}

/// The browser forgets its cookie.
pub(crate) fn forget(is_over_tls: bool) -> HeaderValue {
    HeaderValue::from_static(if is_over_tls {
        "__Host-domicile_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
    } else {
        "domicile_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    })
}

/// Whether nobody reads what the browser sends.
pub fn is_over_tls(parts: &Parts) -> bool {
    parts.extensions.get::<Peer>().is_some_and(|peer| peer.tls)
}

async fn proof(desk: &Desk, resident: &Resident, (secret, at): (&str, Timestamp)) -> Result<String, ApiError> {
    let seen = format!("{}.{secret}", at.as_second());
    desk.vault.blind_index(resident, "session seen at", &seen).await.map_err(ApiError::internal)
}

const fn name(is_over_tls: bool) -> &'static str {
    if is_over_tls { NAME_OVER_TLS } else { NAME }
}

const fn secure(is_over_tls: bool) -> &'static str {
    if is_over_tls { "; Secure" } else { "" }
}
