//! From a host to a place: the apex, a region, or a tenant's name.

/// What a host means below an apex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// The apex itself.
    Apex,
    /// One label below it: a region or a tenant.
    Label(&'a str),
    /// Nothing of ours.
    Foreign,
}

/// Reads a host; both are in lower case.
pub(crate) fn place<'a>(host: &'a str, apex: &str) -> Place<'a> {
    match host.strip_suffix(apex) {
        Some("") => Place::Apex,
        Some(rest) => match rest.strip_suffix('.') {
            Some(label) if !label.is_empty() && !label.contains('.') => Place::Label(label),
            _ => Place::Foreign,
        },
        None => Place::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_below_the_apex_is_a_place() {
        assert_eq!(place("localhost", "localhost"), Place::Apex);
        assert_eq!(place("acme.localhost", "localhost"), Place::Label("acme"));
        for foreign in ["a.b.localhost", ".localhost", "xlocalhost", "example.com", "localhost.", "acme.localhost.", ""]
        {
            assert_eq!(place(foreign, "localhost"), Place::Foreign, "{foreign}");
        }
    }
}
