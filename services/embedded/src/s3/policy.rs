//! A policy document: what a key may do. The few forms that the product's own documents use; any other is refused when it is
//! read, so that no rule is silently left out.
//!
//! As the real service judges: what nothing allows is refused, and what anything denies is refused, whatever allows it.

use std::{collections::BTreeMap, io};

use serde::Deserialize;

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Policy {
    #[serde(rename = "Version")]
    _version: Version,
    statement: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
enum Version {
    #[serde(rename = "2012-10-17")]
    Current,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Statement {
    #[serde(rename = "Sid")]
    _sid: String,
    effect: Effect,
    action: OneOrMany,
    #[serde(default)]
    resource: OneOrMany,
    #[serde(default)]
    not_resource: OneOrMany,
    #[serde(default)]
    condition: Condition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Conditions, of which all must hold; each by the name of what is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
struct Condition {
    null: BTreeMap<String, OneOrMany>,
    string_not_equals: BTreeMap<String, OneOrMany>,
    string_like: BTreeMap<String, OneOrMany>,
    numeric_greater_than: BTreeMap<String, OneOrMany>,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    /// The action, `s3:GetObject` and so on.
    pub(super) action: &'static str,
    /// The bucket, or the bucket and the key, as an ARN.
    pub(super) resource: String,
    /// What conditions may look at.
    pub(super) context: BTreeMap<&'static str, String>,
}

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    /// If it is none, or uses a form that is not judged here.
    pub fn parse(text: &str) -> io::Result<Self> {
        serde_json::from_str(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    pub(super) fn allows(&self, request: &Request, tags: &BTreeMap<String, String>) -> bool {
        let applies = |effect| move |it: &&Statement| it.effect == effect && it.applies(request, tags);
        let statements = || self.statement.iter();
        statements().any(|it| applies(Effect::Allow)(&it)) && !statements().any(|it| applies(Effect::Deny)(&it))
    }
}

impl Statement {
    fn applies(&self, request: &Request, tags: &BTreeMap<String, String>) -> bool {
        let names = |list: &OneOrMany| list.iter().any(|it| is_like(&with_tags(it, tags), &request.resource));
        let is_about = names(&self.resource) || (!self.not_resource.is_empty() && !names(&self.not_resource));
        self.action.iter().any(|it| is_like(it, request.action)) && is_about && self.condition.holds(request, tags)
    }
}

impl Condition {
    fn holds(&self, request: &Request, tags: &BTreeMap<String, String>) -> bool {
        let found = |key: &String| request.context.get(key.as_str());
        let any = |wanted: &OneOrMany, is: &dyn Fn(&str) -> bool| wanted.iter().any(|it| is(&with_tags(it, tags)));
        let null = self.null.iter().all(|(key, wanted)| any(wanted, &|it| (it == "true") == found(key).is_none()));
        // As the real service has it, what is not there equals nothing.
        let not_equals = self
            .string_not_equals
            .iter()
            .all(|(key, wanted)| !any(wanted, &|it| found(key).is_some_and(|is| is == it)));
        let like = self
            .string_like
            .iter()
            .all(|(key, wanted)| any(wanted, &|it| found(key).is_some_and(|is| is_like(it, is))));
        let number = |text: &str| text.parse::<i64>().ok();
        let greater = self.numeric_greater_than.iter().all(|(key, wanted)| {
            let is = found(key).and_then(|is| number(is));
            any(wanted, &|it| is.zip(number(it)).is_some_and(|(is, it)| is > it))
        });
        null && not_equals && like && greater
    }
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    fn iter(&self) -> impl Iterator<Item = &String> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
        .iter()
    }

    fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// With the tags of whoever asks in their places. Somebody without the tag gets a text that nothing is like.
fn with_tags(text: &str, tags: &BTreeMap<String, String>) -> String {
    let text = tags
        .iter()
        .fold(text.to_owned(), |text, (tag, value)| text.replace(&format!("${{aws:PrincipalTag/{tag}}}"), value));
    if text.contains("${") { "\0".to_owned() } else { text }
}

/// Whether a text is like a pattern, in which `*` stands for any characters.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(action: &'static str, resource: &str, context: &[(&'static str, &str)]) -> Request {
        let context = context.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        Request { action, resource: resource.to_owned(), context }
    }

    fn policy(statements: &str) -> Policy {
        Policy::parse(&format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)).expect("a document")
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("s3:*", "s3:GetObject", true),
            ("s3:Get*", "s3:PutObject", false),
            ("b/tenants/*/attachments/*", "b/tenants/1/attachments/2", true),
            ("b/tenants/*/attachments/*", "b/tenants/1/events/2", false),
            ("b/tenants/*/log/checkpoint", "b/tenants/1/log/checkpoint", true),
            ("b/tenants/*/log/checkpoint", "b/tenants/1/log/checkpoint2", false),
            ("b", "b", true),
            ("b", "bc", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_denied_is_refused_whatever_allows_it_and_what_nothing_allows_is_refused() {
        let policy = policy(
            r#"{"Sid": "1", "Effect": "Allow", "Action": "s3:*", "Resource": "b/*"},
               {"Sid": "2", "Effect": "Deny", "Action": "s3:Put*", "NotResource": ["b/open/*"],
                "Condition": {"Null": {"if-none-match": "true"}}}"#,
        );
        let allows =
            |action, resource, context: &[_]| policy.allows(&request(action, resource, context), &BTreeMap::new());
        assert!(allows("s3:GetObject", "b/x", &[]));
        assert!(!allows("s3:GetObject", "c/x", &[]), "nothing allows it");
        assert!(!allows("s3:PutObject", "b/x", &[]), "denied");
        assert!(allows("s3:PutObject", "b/x", &[("if-none-match", "*")]));
        assert!(allows("s3:PutObject", "b/open/x", &[]), "not a resource of the denial");
    }

    #[test]
    fn every_condition_looks_at_what_it_names() {
        let with = |condition: &str| {
            policy(&format!(
                r#"{{"Sid": "1", "Effect": "Allow", "Action": "a", "Resource": "*", "Condition": {condition}}}"#
            ))
        };
        let tags = BTreeMap::from([("tenant".to_owned(), "7".to_owned())]);
        for (condition, holds, fails) in [
            (r#"{"StringNotEquals": {"k": "v"}}"#, vec![vec![], vec![("k", "w")]], vec![vec![("k", "v")]]),
            (r#"{"NumericGreaterThan": {"k": "30"}}"#, vec![vec![("k", "31")]], vec![vec![], vec![("k", "30")]]),
            (
                r#"{"StringLike": {"k": "t/${aws:PrincipalTag/tenant}/*"}}"#,
                vec![vec![("k", "t/7/x")]],
                vec![vec![], vec![("k", "t/77/x")], vec![("k", "")]],
            ),
            (r#"{"Null": {"k": "true", "l": "true"}}"#, vec![vec![]], vec![vec![("k", "")], vec![("l", "")]]),
        ] {
            for (contexts, expected) in [(holds, true), (fails, false)] {
                for context in contexts {
                    assert_eq!(
                        with(condition).allows(&request("a", "r", &context), &tags),
                        expected,
                        "{condition} {context:?}"
                    );
                }
            }
        }
        let tagged =
            policy(r#"{"Sid": "1", "Effect": "Allow", "Action": "a", "Resource": "t/${aws:PrincipalTag/tenant}/*"}"#);
        assert!(!tagged.allows(&request("a", "t//x", &[]), &BTreeMap::new()), "nobody without the tag");
    }

    #[test]
    fn a_form_that_is_not_judged_is_refused() {
        for statement in [
            r#"{"Sid": "1", "Effect": "Allow", "NotAction": "a", "Resource": "*"}"#,
            r#"{"Sid": "1", "Effect": "Allow", "Action": "a", "Resource": "*", "Condition": {"Bool": {"k": "true"}}}"#,
        ] {
            let document = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
            assert!(Policy::parse(&document).is_err(), "{statement}");
        }
    }
}
