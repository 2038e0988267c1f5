//! What a field takes on a ticket.

use jiff::civil::Date;
use regex::Regex;
use schemas::{
    ticket_field::{FieldDefinition, FieldValue},
    values::FieldKind,
};

use super::Known;
use crate::text::BODY_LENGTH_MAX;

impl Known {
    /// A value as it is recorded, or what the field takes. Nothing, an empty text and an empty list are no value.
    pub fn value(&self, sent: Option<&FieldValue>) -> Result<Option<FieldValue>, String> {
        let Some(once) = self.value_once(sent)? else { return Ok(None) };
        let definition = self.definition.expose();
        let value = match (self.kind, once) {
            (FieldKind::Regexp, FieldValue::Text(text)) => {
                Some(text).filter(|text| matches(definition, text)).map(FieldValue::Text)
            }
            (FieldKind::Tagger, FieldValue::Text(text)) => {
                Some(text).filter(|text| is_option(definition, text)).map(FieldValue::Text)
            }
            (FieldKind::Multiselect, FieldValue::Many(many)) => in_order(definition, &many).map(FieldValue::Many),
            (_, value) => Some(value),
        };
        value.map(Some).ok_or_else(|| self.takes().to_owned())
    }

    /// A value that the field takes, or took while its options or its expression were others: tickets that have not changed since
    /// hold such values still.
    pub fn value_once(&self, sent: Option<&FieldValue>) -> Result<Option<FieldValue>, String> {
        let Some(sent) = sent.filter(|sent| !is_empty(sent)) else { return Ok(None) };
        let value = match self.kind {
            FieldKind::Text | FieldKind::Textarea | FieldKind::Regexp => text(sent).map(FieldValue::Text),
            FieldKind::Checkbox => flag(sent).map(FieldValue::Flag),
            FieldKind::Date => date(sent).map(FieldValue::Text),
            FieldKind::Integer => integer(sent).map(FieldValue::Integer),
            FieldKind::Decimal => decimal(sent).map(FieldValue::Decimal),
            // Options are in small letters.
            FieldKind::Tagger => text(sent).map(|text| FieldValue::Text(text.to_lowercase())),
            FieldKind::Multiselect => many(sent).map(FieldValue::Many),
        };
        value.map(Some).ok_or_else(|| self.takes().to_owned())
    }

    /// The tags that a ticket has because of a value.
    pub fn tags(&self, value: Option<&FieldValue>) -> Vec<String> {
        match (self.kind, value) {
            (FieldKind::Tagger, Some(FieldValue::Text(value))) => vec![value.clone()],
            (FieldKind::Multiselect, Some(FieldValue::Many(values))) => values.clone(),
            (FieldKind::Checkbox, Some(FieldValue::Flag(true))) => {
                self.definition.expose().tag.iter().cloned().collect()
            }
            _ => Vec::new(),
        }
    }

    const fn takes(&self) -> &'static str {
        match self.kind {
            FieldKind::Text | FieldKind::Textarea => "a text of at most 65536 characters",
            FieldKind::Checkbox => "true or false",
            FieldKind::Date => "a day such as 2026-11-22",
            FieldKind::Integer => "an integer",
            FieldKind::Decimal => "a number",
            FieldKind::Regexp => "a text that matches the field's expression",
            FieldKind::Tagger => "the value of one of the field's options",
            FieldKind::Multiselect => "a list of values of the field's options",
        }
    }
}

fn is_empty(value: &FieldValue) -> bool {
    match value {
        FieldValue::Text(text) => text.is_empty(),
        FieldValue::Many(many) => many.is_empty(),
        FieldValue::Flag(_) | FieldValue::Integer(_) | FieldValue::Decimal(_) => false,
    }
}

/// A text; numbers are written out, as clients send them for fields of text.
fn text(sent: &FieldValue) -> Option<String> {
    let text = match sent {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Integer(number) => number.to_string(),
        FieldValue::Decimal(number) => number.to_string(),
        FieldValue::Flag(_) | FieldValue::Many(_) => return None,
    };
    (text.chars().count() <= BODY_LENGTH_MAX && !text.contains('\0')).then_some(text)
}

fn flag(sent: &FieldValue) -> Option<bool> {
    match sent {
        FieldValue::Flag(flag) => Some(*flag),
        FieldValue::Integer(number) => [false, true].into_iter().find(|flag| i64::from(*flag) == *number),
        FieldValue::Text(text) => match text.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        FieldValue::Decimal(_) | FieldValue::Many(_) => None,
    }
}

/// A day; of a moment, the day it begins with.
fn date(sent: &FieldValue) -> Option<String> {
    let text = text(sent)?;
    let day: Date = text.get(..10)?.parse().ok()?;
    let rest = &text[10..];
    (rest.is_empty() || rest.starts_with('T') || rest.starts_with(' ')).then(|| day.to_string())
}

fn integer(sent: &FieldValue) -> Option<i64> {
    match sent {
        FieldValue::Integer(number) => Some(*number),
        FieldValue::Text(text) => text.trim().parse().ok(),
        FieldValue::Decimal(_) | FieldValue::Flag(_) | FieldValue::Many(_) => None,
    }
}

fn decimal(sent: &FieldValue) -> Option<f64> {
    let number = match sent {
        FieldValue::Decimal(number) => *number,
        FieldValue::Integer(_) | FieldValue::Text(_) => text(sent)?.trim().parse().ok()?,
        FieldValue::Flag(_) | FieldValue::Many(_) => return None,
    };
    number.is_finite().then_some(number)
}

fn matches(definition: &FieldDefinition, text: &str) -> bool {
    let expression = definition.regexp.as_deref().and_then(|regexp| Regex::new(regexp).ok());
    expression.is_some_and(|expression| expression.is_match(text))
}

fn is_option(definition: &FieldDefinition, value: &str) -> bool {
    definition.options.iter().any(|option| option.value == value)
}

/// Several values, in small letters.
fn many(sent: &FieldValue) -> Option<Vec<String>> {
    let sent = match sent {
        FieldValue::Many(many) => many.clone(),
        FieldValue::Text(one) => vec![one.clone()],
        FieldValue::Flag(_) | FieldValue::Integer(_) | FieldValue::Decimal(_) => return None,
    };
    Some(sent.iter().map(|value| value.to_lowercase()).collect())
}

/// Each once, in the order of the options.
fn in_order(definition: &FieldDefinition, wanted: &[String]) -> Option<Vec<String>> {
    let values = definition.options.iter().map(|option| &option.value);
    let are_options = wanted.iter().all(|value| is_option(definition, value));
    are_options.then(|| values.filter(|value| wanted.contains(value)).cloned().collect())
}
