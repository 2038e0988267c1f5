//! What an `Authorization` header says.

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};

/// The longest header that is looked at: an address, a password of 128 characters, and base64.
const HEADER_LENGTH_MAX: usize = 2048;

/// Credentials, not checked yet.
pub(super) enum Credentials {
    /// An API token, perhaps with the address of the person it belongs to.
    Token { email: Option<String>, token: String },
    /// An address and its password.
    Password { email: String, password: String },
}

impl Credentials {
    /// None, if there are none, or none of a kind we take.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let value =
            headers.get(header::AUTHORIZATION)?.to_str().ok().filter(|value| value.len() <= HEADER_LENGTH_MAX)?;
        let (scheme, rest) = value.split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return (!rest.is_empty()).then(|| Self::Token { email: None, token: rest.to_owned() });
        }
        if scheme.eq_ignore_ascii_case("basic") { Self::basic(rest) } else { None }
    }

    /// RFC 7617: `base64(user:password)`, where the user `<email>/token` says that the password is a token.
    fn basic(encoded: &str) -> Option<Self> {
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (user, secret) = decoded.split_once(':')?;
        if user.is_empty() || secret.is_empty() || decoded.contains('\0') {
            return None;
        }
        Some(match user.strip_suffix("/token") {
            Some(email) => Self::Token { email: Some(email.to_lowercase()), token: secret.to_owned() },
            None => Self::Password { email: user.to_lowercase(), password: secret.to_owned() },
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(value: &str) -> Option<Credentials> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).expect("a header"));
        Credentials::read(&headers)
    }

    #[test]
    fn the_three_kinds_are_told_apart() {
        let basic = |text: &str| read(&format!("Basic {}", STANDARD.encode(text)));
        assert!(matches!(basic("A@b.example/token:t:1"),
            Some(Credentials::Token { email: Some(email), token }) if email == "a@b.example" && token == "t:1"));
        assert!(matches!(basic("a@b.example:p:w"),
            Some(Credentials::Password { email, password }) if email == "a@b.example" && password == "p:w"));
        assert!(matches!(read("bearer t1"), Some(Credentials::Token { email: None, token }) if token == "t1"));
    }

    #[test]
    fn nonsense_is_no_credentials() {
        for value in ["", "Basic", "Basic !", "Basic YQ==", "Bearer ", "Digest x", "Basic Og==", "token t1"] {
            assert!(read(value).is_none(), "{value}");
        }
        assert!(read(&format!("Bearer {}", "x".repeat(HEADER_LENGTH_MAX))).is_none());
    }
}
