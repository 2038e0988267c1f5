//! What surrounds every page: the reader's language and clock, the script that may run, the headers.
//!
//! A [`Frame`] in a handler's arguments is made from the request alone, before anybody proved who they are; whatever page a handler
//! answers goes through [`Frame::respond`].

use std::convert::Infallible;

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use jiff::tz::TimeZone;

use super::{
    assets, cookies,
    words::{Language, Words},
};
use crate::{
    problem::{ApiError, ApiResult},
    session::cookie::Presented,
    state::Desk,
};

/// What surrounds a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The reader's language and time zone.
    pub words: Words,
    /// Path and query of the page, to come back to.
    pub path: String,
    /// What a form sends back in its hidden field `csrf`, and a script in `X-CSRF-Token`, so that it is taken for ours; empty for whoever has
    /// no session.
    pub csrf: String,
    /// What a script of this answer bears so that the browser runs it, and no other one; empty where none runs.
    pub nonce: String,
}

impl Frame {
    /// The frame of the answer to a request; `secret` is new for each.
    pub fn of(parts: &Parts, secret: [u8; 32]) -> Self {
        let path = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let csrf = Presented::read(parts).map(|presented| presented.csrf()).unwrap_or_default();
        Self { words: words(&parts.headers), path, csrf, nonce: STANDARD_NO_PAD.encode(&secret[..16]) }
    }

    /// The frame of a page on which no script runs: refusals.
    pub(crate) fn without_script(parts: &Parts) -> Self {
        Self { nonce: String::new(), ..Self::of(parts, [0; 32]) }
    }

    /// Every language, with the address that chooses it and comes back here.
    pub fn languages(&self) -> Vec<(Language, String, bool)> {
        let back = percent(&self.path);
        let link = |language: Language| format!("/language/{}?to={back}", language.code());
        let all = Language::ALL.into_iter();
        all.map(|language| (language, link(language), language == self.words.language)).collect()
    }

    /// The address of one of our own files, which changes when the file does.
    pub fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    /// A page as the answer, under a policy that runs the scripts with this frame's nonce alone.
    ///
    /// # Errors
    /// If the page cannot be written.
    pub fn respond(&self, status: StatusCode, page: &impl Template) -> ApiResult {
        let html = page.render().map_err(ApiError::internal)?;
        let mut response = (status, Html(html)).into_response();
        let headers = response.headers_mut();
        let scripts = if self.nonce.is_empty() { "'none'".to_owned() } else { format!("'nonce-{}'", self.nonce) };
        let policy = format!(
            "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).map_err(ApiError::internal)?);
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(self.words.language.code()));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
        Ok(response)
    }

    /// The same with status 200.
    ///
    /// # Errors
    /// As for [`Frame::respond`].
    pub fn page(&self, page: &impl Template) -> ApiResult {
        self.respond(StatusCode::OK, page)
    }
}

impl FromRequestParts<Desk> for Frame {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Infallible> {
        Ok(Self::of(parts, desk.ids.secret()))
    }
}

/// What was chosen, else what the browser asks for, else English.
fn words(headers: &HeaderMap) -> Words {
    let chosen = cookie(headers, cookies::LANGUAGE.name).and_then(|tag| Language::of_tag(&tag));
    let asked = || Language::accepted(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?);
    let zone = cookie(headers, cookies::ZONE.name).and_then(|name| TimeZone::get(&name).ok());
    Words { language: chosen.or_else(asked).unwrap_or(Language::English), zone: zone.unwrap_or(TimeZone::UTC) }
}

/// The value of a cookie (RFC 6265, section 4.2), the first one if there are several of the name.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}

/// A path of this site, so that nobody is sent elsewhere by an address that looks like ours: it begins with one slash and no
/// browser reads a host in it.
pub(crate) fn local_path(path: &str) -> Option<&str> {
    let is_local = path.starts_with('/') && !path.starts_with("//") && path.bytes().all(|byte| byte.is_ascii_graphic());
    (is_local && !path.contains('\\')).then_some(path)
}

/// A text as a value within a query (RFC 3986, section 2.1).
pub fn percent(text: &str) -> String {
    let kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if kept(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests;
