//! Who may speak to a service of ours: whoever holds its token.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use schemas::Hash;

/// The token a service was started with, hashed: comparing hashes takes the same time for every wrong token, whatever
/// its length.
#[derive(Debug, Clone)]
pub struct Access(Hash);

impl Access {
    /// Opens to `token`.
    pub fn new(token: &str) -> Self {
        Self(Hash::of(&[token.as_bytes()]))
    }

    /// Whether an `Authorization` header carries the token (RFC 6750, section 2.1).
    pub fn permits(&self, authorization: Option<&[u8]>) -> bool {
        let Some((scheme, token)) = authorization.and_then(|value| value.split_at_checked(b"Bearer ".len())) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"Bearer ")
            && verify_slices_are_equal(Hash::of(&[token]).as_bytes(), self.0.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_opens() {
        let access = Access::new("secret");
        assert!(access.permits(Some(b"Bearer secret")));
        assert!(access.permits(Some(b"bearer secret")));
        for wrong in
            [None, Some(&b""[..]), Some(b"secret"), Some(b"Bearer "), Some(b"Bearer secrets"), Some(b"Basic secret")]
        {
            assert!(!access.permits(wrong), "{wrong:?}");
        }
    }
}
