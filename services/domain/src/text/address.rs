//! E-mail addresses.

use super::Invalid;

/// The longest address (RFC 5321, section 4.5.3.1.3, less the angle brackets of a path).
const ADDRESS_LENGTH_MAX: usize = 254;
/// The longest part before the `@` (RFC 5321, section 4.5.3.1.1).
const LOCAL_LENGTH_MAX: usize = 64;
/// The longest label of a domain (RFC 1035, section 2.3.4).
const LABEL_LENGTH_MAX: usize = 63;

/// An address: the part of RFC 5321's `Mailbox` that people have (a dot-string, an `@`, a domain), lower-cased.
///
/// Quoted local parts and address literals are refused: they are legal, nobody has them, and they are a classic way
/// around checks. The local part is lower-cased although the RFC lets hosts tell cases apart: no large host does, and two
/// people who differ in case only are one person.
pub fn email(text: &str) -> Result<String, Invalid> {
    let address = text.trim().to_ascii_lowercase();
    if is_address(&address) {
        return Ok(address);
    }
    Err(Invalid::new(
        "email",
        format!(
            "an address such as name@example.com: at most {LOCAL_LENGTH_MAX} characters before the @, \
             {ADDRESS_LENGTH_MAX} in all"
        ),
    ))
}

fn is_address(address: &str) -> bool {
    address.len() <= ADDRESS_LENGTH_MAX
        && address.split_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain))
}

/// How many domains an organization has at most.
const DOMAINS_MAX: usize = 100;

/// Domains whose people belong to an organization: lower-cased, sorted, each once. One label is no domain of anybody.
pub fn domain_names(sent: &[String]) -> Result<Vec<String>, Invalid> {
    let mut names: Vec<String> = sent.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    let is_name = |name: &String| name.len() <= ADDRESS_LENGTH_MAX && name.contains('.') && is_domain(name);
    if names.len() > DOMAINS_MAX || !names.iter().all(is_name) {
        return Err(Invalid::new("domain_names", format!("at most {DOMAINS_MAX} domains such as example.com")));
    }
    Ok(names)
}

/// `Dot-string` of RFC 5321, section 4.1.2: atoms with single dots between them.
fn is_local(local: &str) -> bool {
    local.len() <= LOCAL_LENGTH_MAX && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_byte))
}

/// `atext` of RFC 5322, section 3.2.3.
fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// `Domain` of RFC 5321, section 4.1.2. One label is enough: `root@localhost` is an address.
fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=LABEL_LENGTH_MAX).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_lower_cased_and_trimmed() {
        assert_eq!(email(" Ada.Lovelace+tickets@Example.COM "), Ok("ada.lovelace+tickets@example.com".to_owned()));
        assert!(email("root@localhost").is_ok());
        assert!(email(&format!("{}@example.com", "a".repeat(64))).is_ok());
    }

    #[test]
    fn domains_are_lower_cased_sorted_and_each_once() {
        let texts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let sent = texts(&["Engines.example", "a.example", "engines.EXAMPLE "]);
        assert_eq!(domain_names(&sent), Ok(texts(&["a.example", "engines.example"])));
        for bad in ["", "localhost", "a..b", "@example.com", "a b.example", "ä.example"] {
            assert_eq!(domain_names(&texts(&[bad])).expect_err(bad).field, "domain_names");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("a@{}.com", "b".repeat(64));
        let long_address = format!("a@{}com", "bcdefghi.".repeat(28));
        for bad in [
            "",
            "@",
            "a@",
            "@b.c",
            "a b@c.d",
            "a@b@c.d",
            "a..b@c.d",
            ".a@b.c",
            "a.@b.c",
            "a@b..c",
            "a@-b.c",
            "a@b-.c",
            "\"a b\"@c.d",
            "a@[127.0.0.1]",
            "a@b.c\r\nBcc: d@e.f",
            "ä@b.c",
            "a@b.c.",
            &long_local,
            &long_label,
            &long_address,
        ] {
            assert_eq!(email(bad).expect_err(bad).field, "email", "{bad}");
        }
    }
}
