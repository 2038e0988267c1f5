//! The cookies that pages set, all of them: the trust page lists this table, and what is set is made from it.

use super::words::Words;

/// A cookie.
pub(crate) struct Cookie {
    /// Its name.
    pub(crate) name: &'static str,
    /// The sentence that says what it is for.
    purpose: &'static str,
    /// For how long the browser keeps it; until it is closed, when nothing.
    days: Option<u32>,
}

/// The language somebody chose.
pub(crate) const LANGUAGE: Cookie =
    Cookie { name: "domicile_language", purpose: "trust-cookie-language", days: Some(365) };
/// The IANA name of the reader's time zone. A script of ours sets it, `templates/domicile.js`.
pub(crate) const ZONE: Cookie = Cookie { name: "domicile_zone", purpose: "trust-cookie-zone", days: Some(365) };

/// That somebody is signed in. `session::cookie` makes its value; over TLS its name begins with `__Host-`.
pub(crate) const SESSION: Cookie = Cookie { name: "domicile_session", purpose: "trust-cookie-session", days: None };

/// That an operator of the region is signed in to its console, which makes its value; over TLS its name begins with `__Host-`.
pub(crate) const OPERATOR: Cookie = Cookie { name: "domicile_operator", purpose: "trust-cookie-operator", days: None };

/// Every cookie there is.
pub(crate) const ALL: &[Cookie] = &[LANGUAGE, ZONE, SESSION, OPERATOR];

impl Cookie {
    /// The value of a `Set-Cookie` header; over TLS the browser sends it back over TLS alone.
    pub(crate) fn set(&self, value: &str, is_secure: bool) -> String {
        const SECONDS_OF_A_DAY: u32 = 24 * 60 * 60;
        let age = self.days.map(|days| format!("; Max-Age={}", days * SECONDS_OF_A_DAY)).unwrap_or_default();
        let name = self.name;
        let secure = if is_secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/{age}; SameSite=Lax{secure}")
    }

    /// What it is for.
    pub(crate) fn purpose(&self, words: &Words) -> String {
        words.say(self.purpose).to_string()
    }

    /// For how long the browser keeps it.
    pub(crate) fn life(&self, words: &Words) -> String {
        match self.days {
            Some(days) => words.say("trust-days").with("days", days).to_string(),
            None => words.say("trust-until-closed").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_sets_its_cookie_as_the_table_says() {
        let script = include_str!("../../templates/domicile.js");
        let set = ZONE.set("${zone}", false);
        assert!(script.contains(&format!("`{set}${{secure}}`")), "{set}");
        let named = script.matches("domicile_").count();
        assert_eq!(named, script.matches(ZONE.name).count(), "the script sets no other");
    }
}
