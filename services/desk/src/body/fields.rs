//! Reading an object field by field, gathering everything that is wrong with it.

use std::{fmt::Display, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemas::values::UnknownWord;
use serde_json::{Map, Value};

use super::Body;
use crate::problem::{ApiError, FieldFault};

const BLANK: &str = "BlankValue";
const INVALID: &str = "InvalidValue";
const FORMAT: &str = "InvalidFormat";

/// Reads an object field by field and gathers what is wrong; [`Fields::finish`] refuses with all of it.
///
/// Absent and `null` are the same to the readers; [`Fields::has`] tells them apart (a PUT with `"assignee_id": null`
/// takes the assignee away). Empty strings are `null` for numbers and words, as v2 clients send them.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    prefix: String,
    faults: Vec<FieldFault>,
}

impl<'a> Fields<'a> {
    /// Reads `object` itself. Fields are named `<prefix><name>` in faults (`""`, `"admin."`).
    pub(crate) fn new(object: &'a Map<String, Value>, prefix: &str) -> Self {
        Self { object, prefix: prefix.to_owned(), faults: Vec::new() }
    }

    /// Reads the object under the root key `{"ticket": {...}}`; another shape is 422 naming the key.
    pub(crate) fn root(body: &'a Body, key: &str) -> Result<Self, ApiError> {
        match body.object.get(key) {
            Some(Value::Object(object)) => Ok(Self::new(object, "")),
            Some(_) => Err(ApiError::invalid(key, format!("{key}: takes an object"), FORMAT)),
            None => Err(ApiError::invalid(key, format!("{key}: cannot be missing"), BLANK)),
        }
    }

    /// Whether the field was sent at all, `null` included.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// The raw value; absent and null are `None`.
    pub(crate) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// A string.
    pub(crate) fn string(&mut self, name: &str) -> Option<&'a str> {
        let text = self.value(name)?.as_str();
        if text.is_none() {
            self.fault(name, "takes a string", FORMAT);
        }
        text
    }

    /// A string put through a rule: `fields.checked("subject", domain::text::subject)`.
    pub(crate) fn checked<T, E: Display>(&mut self, name: &str, rule: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.string(name)?;
        match rule(text) {
            Ok(value) => Some(value),
            Err(error) => {
                let code = if text.trim().is_empty() { BLANK } else { INVALID };
                self.fault(name, error.to_string(), code);
                None
            }
        }
    }

    /// The same, and it must be there.
    pub(crate) fn required<T, E: Display>(&mut self, name: &str, rule: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        if self.value(name).is_none() {
            self.fault(name, "cannot be blank", BLANK);
        }
        self.checked(name, rule)
    }

    /// One of a list of words (`Status`, `Priority`, ...).
    pub(crate) fn word<T: FromStr<Err = UnknownWord>>(&mut self, name: &str) -> Option<T> {
        if self.value(name).and_then(Value::as_str) == Some("") {
            return None;
        }
        self.checked(name, str::parse)
    }

    /// An integer, also written as a string of digits.
    pub(crate) fn integer(&mut self, name: &str) -> Option<i64> {
        let value = self.value(name)?;
        if value.as_str() == Some("") {
            return None;
        }
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        if number.is_none() {
            self.fault(name, "takes an integer", INVALID);
        }
        number
    }

    /// A boolean, also written as "true" or "false".
    pub(crate) fn boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.value(name)?;
        let flag = value.as_bool().or_else(|| value.as_str()?.parse().ok());
        if flag.is_none() {
            self.fault(name, "takes true or false", INVALID);
        }
        flag
    }

    /// A list of strings; one string is a list of one.
    pub(crate) fn strings(&mut self, name: &str) -> Option<Vec<&'a str>> {
        let strings = match self.value(name)? {
            Value::String(one) => Some(vec![one.as_str()]),
            Value::Array(many) => many.iter().map(Value::as_str).collect(),
            _ => None,
        };
        if strings.is_none() {
            self.fault(name, "takes a list of strings", FORMAT);
        }
        strings
    }

    /// A list of anything.
    pub(crate) fn items(&mut self, name: &str) -> Option<&'a [Value]> {
        let items = self.value(name)?.as_array();
        if items.is_none() {
            self.fault(name, "takes a list", FORMAT);
        }
        items.map(Vec::as_slice)
    }

    /// A moment, or a day that begins at midnight UTC.
    pub(crate) fn moment(&mut self, name: &str) -> Option<Timestamp> {
        if self.value(name).and_then(Value::as_str) == Some("") {
            return None;
        }
        self.checked(name, moment)
    }

    /// An object within: its reader shares nothing; give its faults back with [`Fields::absorb`].
    pub(crate) fn object(&mut self, name: &str) -> Option<Fields<'a>> {
        let Value::Object(object) = self.value(name)? else {
            self.fault(name, "takes an object", FORMAT);
            return None;
        };
        Some(Self::new(object, &format!("{}{name}.", self.prefix)))
    }

    /// Notes a wrong field.
    pub(crate) fn fault(&mut self, name: &str, description: impl Into<String>, code: &'static str) {
        let field = format!("{}{name}", self.prefix);
        let description = description.into();
        // Sentences begin with the field's name, as the v2 API writes them; rules that name it themselves keep theirs.
        let description = if description.starts_with(name) { description } else { format!("{name}: {description}") };
        self.faults.push(FieldFault { field, description, code });
    }

    /// Takes over the faults of an inner reader.
    pub(crate) fn absorb(&mut self, inner: Fields<'_>) {
        self.faults.extend(inner.faults);
    }

    /// Refuses with everything noted, if anything was.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.faults.is_empty() { Ok(()) } else { Err(ApiError::invalid_fields(self.faults)) }
    }
}

fn moment(text: &str) -> Result<Timestamp, &'static str> {
    let day = |text: &str| text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp());
    text.parse().ok().or_else(|| day(text)).ok_or("takes a moment such as 2026-11-22T10:00:00Z")
}

#[cfg(test)]
mod tests {
    use schemas::values::Priority;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let object = json!({"name": 5, "priority": "asap", "count": "x", "flag": 1, "tags": [1], "inner": []});
        let mut fields = Fields::new(object.as_object().expect("an object"), "admin.");
        assert_eq!(fields.string("name"), None);
        assert_eq!(fields.word::<Priority>("priority"), None);
        assert_eq!(fields.integer("count"), None);
        assert_eq!(fields.boolean("flag"), None);
        assert_eq!(fields.strings("tags"), None);
        assert!(fields.object("inner").is_none());
        assert_eq!(fields.required("missing", str::parse::<Priority>), None);
        let named: Vec<_> = fields.faults.into_iter().map(|fault| fault.field).collect();
        assert_eq!(
            named,
            ["admin.name", "admin.priority", "admin.count", "admin.flag", "admin.tags", "admin.inner", "admin.missing"]
        );
    }

    #[test]
    fn v2_clients_may_write_numbers_and_booleans_as_text() {
        let object = json!({"a": "7", "b": 7, "c": "", "d": "true", "e": null});
        let mut fields = Fields::new(object.as_object().expect("an object"), "");
        assert_eq!(fields.integer("a"), Some(7));
        assert_eq!(fields.integer("b"), Some(7));
        assert_eq!(fields.integer("c"), None);
        assert_eq!(fields.boolean("d"), Some(true));
        assert_eq!(fields.integer("e"), None);
        assert!(fields.has("e") && !fields.has("f"));
        assert!(fields.finish().is_ok());
    }
}
