//! The name in a tenant's address.

use schemas::{RegionId, Slug};

use super::Invalid;

/// Names that would pass for something of ours, or that hosts and mail programs give a meaning of their own.
pub const RESERVED_SLUGS: &[&str] = &[
    "about",
    "abuse",
    "account",
    "accounts",
    "admin",
    "administrator",
    "api",
    "app",
    "apps",
    "assets",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "cdn",
    "console",
    "dashboard",
    "developer",
    "developers",
    "directory",
    "docs",
    "domicile",
    "email",
    "ftp",
    "health",
    "help",
    "hostmaster",
    "imap",
    "internal",
    "localhost",
    "login",
    "mail",
    "metrics",
    "mta-sts",
    "ns1",
    "ns2",
    "oauth",
    "pop",
    "pop3",
    "postmaster",
    "root",
    "router",
    "security",
    "signup",
    "smtp",
    "sso",
    "static",
    "status",
    "support",
    "system",
    "webmail",
    "webmaster",
    "wpad",
    "www",
];

/// A tenant's name: a DNS label that is neither reserved nor the id of a region, whose host it would be.
pub fn slug<'a>(text: &str, regions: impl IntoIterator<Item = &'a RegionId>) -> Result<Slug, Invalid> {
    let slug: Slug = text.parse().map_err(|_| Invalid::new("subdomain", Slug::TAKES))?;
    let is_region = regions.into_iter().any(|region| region.as_str() == slug.as_str());
    // "xn--" marks a label in Punycode (RFC 5890): it would show as other letters than were checked here.
    if is_region || RESERVED_SLUGS.contains(&slug.as_str()) || slug.as_str().starts_with("xn--") {
        return Err(Invalid::new("subdomain", "a name that is not reserved"));
    }
    Ok(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_ours_or_of_a_region_is_refused() {
        let regions: Vec<RegionId> = vec!["europe".parse().expect("a region")];
        for bad in ["www", "api", "admin", "mail", "europe", "xn--cme-5qa", "Acme", "a", "a.b"] {
            assert_eq!(slug(bad, &regions).expect_err(bad).field, "subdomain");
        }
        assert_eq!(slug("acme", &regions).map(|slug| slug.to_string()), Ok("acme".to_owned()));
    }

    #[test]
    fn the_reserved_names_are_sorted_and_could_be_slugs() {
        assert!(RESERVED_SLUGS.is_sorted());
        assert!(RESERVED_SLUGS.iter().all(|name| name.parse::<Slug>().is_ok()));
    }
}
