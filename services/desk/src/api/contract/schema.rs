//! As much of JSON Schema as the contract uses, with one thing more: an attribute that no schema names is a fault.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Schemas by name.
pub(super) struct Schemas(BTreeMap<String, Value>);

/// A schema, and where in the answer it is held against something.
type At<'a> = (&'a Value, &'a str);

impl Schemas {
    /// Those of the description, and what is known better.
    pub(super) fn of(described: &Value, deviations: &Value) -> Self {
        let mut schemas: BTreeMap<String, Value> =
            described.as_object().expect("schemas").clone().into_iter().collect();
        for (name, deviation) in deviations.as_object().expect("deviations") {
            assert!(deviation["because"].is_string(), "{name}: a deviation has a reason");
            let schema = schemas.entry(name.clone()).or_insert_with(|| json!({}));
            deviate(schema, deviation);
        }
        Self(schemas)
    }

    /// What a value breaks of a schema.
    pub(super) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check((schema, ""), value, &mut faults);
        faults
    }

    /// The attributes that a schema names, with all it is made of. None, if it takes any.
    pub(super) fn properties(&self, schema: &Value) -> Option<Map<String, Value>> {
        let schema = self.resolved(schema);
        if schema["additionalProperties"] == true {
            return None;
        }
        let mut named = schema["properties"].as_object().cloned().unwrap_or_default();
        let parts = ["allOf", "anyOf", "oneOf"].iter().flat_map(|way| schema[way].as_array().into_iter().flatten());
        for part in parts {
            named.extend(self.properties(part)?);
        }
        (!named.is_empty()).then_some(named)
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) else { return schema };
        self.resolved(self.0.get(name).unwrap_or_else(|| panic!("the contract has no schema {name}")))
    }

    fn check(&self, at: At<'_>, value: &Value, faults: &mut Vec<String>) {
        self.check_known((at.0, at.1), value, faults);
        self.check_within(at, value, faults);
    }

    /// All but whether an object's attributes are known, which only the whole of a schema says.
    fn check_within(&self, (schema, at): At<'_>, value: &Value, faults: &mut Vec<String>) {
        let schema = self.resolved(schema);
        let wrong = |takes: &Value| format!("{at}: {value} instead of {takes}");
        if !types(&schema["type"]).is_none_or(|types| types.iter().any(|name| is_a(name, value))) {
            return faults.push(wrong(&schema["type"]));
        }
        if let Some(one_of) = schema["enum"].as_array().filter(|one_of| !one_of.contains(value)) {
            return faults.push(wrong(&json!(one_of)));
        }
        let is_moment = |text: &str| text.parse::<Timestamp>().is_ok();
        if schema["format"] == "date-time" && value.as_str().is_some_and(|text| !is_moment(text)) {
            return faults.push(wrong(&schema["format"]));
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check_within((part, at), value, faults);
        }
        for way in ["anyOf", "oneOf"] {
            self.check_ways((&schema[way], at), value, faults);
        }
        self.check_object((schema, at), value, faults);
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check((&schema["items"], &format!("{at}/{index}")), item, faults);
        }
    }

    /// At least one of several schemas; of the closest, what is wrong.
    fn check_ways(&self, (ways, at): At<'_>, value: &Value, faults: &mut Vec<String>) {
        let found = ways.as_array().into_iter().flatten().map(|way| {
            let mut faults = Vec::new();
            self.check((way, at), value, &mut faults);
            faults
        });
        faults.extend(found.min_by_key(Vec::len).unwrap_or_default());
    }

    fn check_object(&self, (schema, at): At<'_>, value: &Value, faults: &mut Vec<String>) {
        let Some(object) = value.as_object() else { return };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                faults.push(format!("{at}: no {name}"));
            }
        }
        for (name, value) in object {
            let at = format!("{at}/{name}");
            match schema["properties"].get(name) {
                Some(property) => self.check((property, &at), value, faults),
                None if schema["additionalProperties"].is_object() => {
                    self.check((&schema["additionalProperties"], &at), value, faults);
                }
                None => {}
            }
        }
    }

    fn check_known(&self, (schema, at): At<'_>, value: &Value, faults: &mut Vec<String>) {
        let (Some(object), Some(known)) = (value.as_object(), self.properties(schema)) else { return };
        faults.extend(
            object.keys().filter(|name| !known.contains_key(*name)).map(|name| format!("{at}/{name}: nobody knows it")),
        );
    }
}

fn deviate(schema: &mut Value, deviation: &Value) {
    if deviation["is"].is_object() {
        *schema = deviation["is"].clone();
    }
    for (name, of) in deviation["properties"].as_object().into_iter().flatten() {
        schema["properties"][name] = of.clone();
    }
    for name in deviation["null"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let described = schema["properties"][name].take();
        schema["properties"][name] = json!({"anyOf": [{"type": "null"}, described]});
    }
    if deviation["required"].is_array() {
        schema["required"] = deviation["required"].clone();
    }
}

fn types(named: &Value) -> Option<Vec<&str>> {
    match named {
        Value::String(name) => Some(vec![name]),
        Value::Array(names) => Some(names.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("the contract has a type {name}"),
    }
}
