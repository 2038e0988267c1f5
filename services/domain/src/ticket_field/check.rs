//! What may be said of a field.

use regex::Regex;
use schemas::{
    ticket_field::{FieldDefinition, FieldOption},
    values::FieldKind,
};

use crate::text::{self, Invalid};

/// How many options a field has at most.
pub const OPTIONS_MAX: usize = 2000;

/// A definition as it is recorded.
pub(super) fn definition(kind: FieldKind, sent: &FieldDefinition) -> Result<FieldDefinition, Invalid> {
    Ok(FieldDefinition {
        title: text::line("title", &sent.title)?,
        title_in_portal: text::line("title_in_portal", &sent.title_in_portal)?,
        description: long("description", &sent.description)?,
        agent_description: sent.agent_description.as_deref().map(|said| long("agent_description", said)).transpose()?,
        regexp: regexp(kind, sent.regexp.as_deref())?,
        tag: tag(kind, sent.tag.as_deref())?,
        options: options(kind, &sent.options)?,
        ..sent.clone()
    })
}

fn long(field: &'static str, said: &str) -> Result<String, Invalid> {
    if said.chars().count() > text::BODY_LENGTH_MAX || said.contains('\0') {
        return Err(Invalid::new(field, format!("at most {} characters, none of them U+0000", text::BODY_LENGTH_MAX)));
    }
    Ok(said.to_owned())
}

/// An expression that a value matches. Such expressions are read in time that grows with the value, whatever they are.
fn regexp(kind: FieldKind, sent: Option<&str>) -> Result<Option<String>, Invalid> {
    let wrong = || {
        Invalid::new("regexp_for_validation", "a regular expression without look-around, of at most 1000 characters")
    };
    match (kind, sent) {
        (FieldKind::Regexp, Some(sent)) if sent.chars().count() <= 1000 && Regex::new(sent).is_ok() => {
            Ok(Some(sent.to_owned()))
        }
        (FieldKind::Regexp, _) => Err(wrong()),
        _ => Ok(None),
    }
}

/// One tag.
fn one_tag(field: &'static str, sent: &str) -> Result<String, Invalid> {
    let tags = text::tags(&[sent.to_owned()]).map_err(|_| {
        Invalid::new(field, format!("1 to {} letters, digits or any of _-./:;@+#", text::TAG_LENGTH_MAX))
    })?;
    Ok(tags.into_iter().next().unwrap_or_default())
}

fn tag(kind: FieldKind, sent: Option<&str>) -> Result<Option<String>, Invalid> {
    match sent.filter(|sent| kind == FieldKind::Checkbox && !sent.is_empty()) {
        Some(sent) => one_tag("tag", sent).map(Some),
        None => Ok(None),
    }
}

/// What there is to choose from: something, and each value once.
fn options(kind: FieldKind, sent: &[FieldOption]) -> Result<Vec<FieldOption>, Invalid> {
    if !matches!(kind, FieldKind::Tagger | FieldKind::Multiselect) {
        return Ok(Vec::new());
    }
    let mut options = Vec::with_capacity(sent.len());
    for FieldOption { id, name, value } in sent {
        let (name, value) = (text::line("custom_field_options", name)?, one_tag("custom_field_options", value)?);
        options.push(FieldOption { id: *id, name, value });
    }
    let mut values: Vec<&str> = options.iter().map(|option| option.value.as_str()).collect();
    values.sort_unstable();
    values.dedup();
    if values.is_empty() || values.len() != options.len() || options.len() > OPTIONS_MAX {
        let takes = format!("1 to {OPTIONS_MAX} options with a name and a value each, no value twice");
        return Err(Invalid::new("custom_field_options", takes));
    }
    Ok(options)
}
