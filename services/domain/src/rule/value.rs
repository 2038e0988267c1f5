//! What the words of a rule name, read as one thing or another.

use schemas::{rule::RuleValue, ticket_field::FieldValue};

use crate::text;

/// What is taken for a field that is gone.
pub(super) const NO_FIELD: &str = "nothing: there is no such ticket field, or it is not active";

/// A value as a text: numbers written out, nothing as nothing.
pub(super) fn text(value: &RuleValue) -> Option<String> {
    match value {
        RuleValue::Flag(flag) => Some(flag.to_string()),
        RuleValue::Integer(number) => Some(number.to_string()),
        RuleValue::Decimal(number) => Some(number.to_string()),
        RuleValue::Text(text) => Some(text.clone()),
        RuleValue::Many(many) => match many.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        },
        RuleValue::Nothing => Some(String::new()),
    }
}

/// A value as a field takes it that the tenant made.
pub(super) fn of_field(value: &RuleValue) -> Option<FieldValue> {
    match value {
        RuleValue::Flag(flag) => Some(FieldValue::Flag(*flag)),
        RuleValue::Integer(number) => Some(FieldValue::Integer(*number)),
        RuleValue::Decimal(number) => Some(FieldValue::Decimal(*number)),
        RuleValue::Text(text) => Some(FieldValue::Text(text.clone())),
        RuleValue::Many(many) => Some(FieldValue::Many(many.clone())),
        RuleValue::Nothing => None,
    }
}

/// Whether it is no value of any field.
pub(super) fn is_nothing(value: &RuleValue) -> bool {
    match value {
        RuleValue::Text(text) => text.is_empty(),
        RuleValue::Many(many) => many.is_empty(),
        RuleValue::Nothing => true,
        RuleValue::Flag(_) | RuleValue::Integer(_) | RuleValue::Decimal(_) => false,
    }
}

/// Tags, in a list or with spaces between them.
pub(super) fn tags(value: &RuleValue) -> Option<Vec<String>> {
    let sent: Vec<String> = match value {
        RuleValue::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
        RuleValue::Many(many) => many.clone(),
        RuleValue::Flag(_) | RuleValue::Integer(_) | RuleValue::Decimal(_) => return None,
        RuleValue::Nothing => Vec::new(),
    };
    text::tags(&sent).ok()
}
