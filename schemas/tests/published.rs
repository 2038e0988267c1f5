//! The fixtures and the published schemas: one of each for every version ever shipped, and all of them tell the truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use schemas::{DataClass, Envelope, TenantLogEvent, event::EventType, published};
use serde_json::{Value, json};

/// The JSON files of a folder of this crate, by name without `.json`.
fn files(folder: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the folder is part of the crate");
    let read = entries.map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8").to_owned();
        (name, fs::read_to_string(path).expect("a text"))
    });
    read.collect()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Every type with every version it ever had.
fn every_version() -> impl Iterator<Item = (&'static EventType, u16, String)> {
    TenantLogEvent::catalogue()
        .flat_map(|known| (1..=known.version).map(move |version| (known, version)))
        .map(|(known, version)| (known, version, published::schema_name(known.name, version)))
}

fn every_name() -> BTreeSet<String> {
    every_version().map(|(_, _, name)| name).chain([published::ENVELOPE.to_owned()]).collect()
}

#[test]
fn every_version_ever_shipped_has_a_fixture_and_a_published_schema() {
    assert_eq!(files("fixtures").into_keys().collect::<BTreeSet<_>>(), every_name());
    assert_eq!(files("published").into_keys().collect::<BTreeSet<_>>(), every_name());
}

#[test]
fn every_fixture_is_decoded_whatever_its_version() {
    let fixtures = files("fixtures");
    for (known, version, name) in every_version() {
        let event = TenantLogEvent::decode(known.name, version, fixtures[&name].as_bytes())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((event.event_type(), event.schema_version()), (known.name, known.version));
        if version == known.version {
            let written = String::from_utf8(event.encode()).expect("JSON is UTF-8");
            assert_eq!(parsed(&written), parsed(&fixtures[&name]), "{name} reads back as itself");
        }
    }
    let envelope: Envelope = serde_json::from_str(&fixtures[published::ENVELOPE]).expect("an envelope");
    assert_eq!(parsed(&fixtures[published::ENVELOPE]), serde_json::to_value(&envelope).expect("JSON"));
}

#[test]
fn every_fixture_has_the_shape_its_published_schema_promises() {
    let fixtures = files("fixtures");
    for (name, schema) in published::all() {
        let validator = jsonschema::validator_for(&parsed(schema)).expect("a JSON Schema");
        let fixture = parsed(&fixtures[name]);
        assert!(validator.is_valid(&fixture), "{name}: {:?}", validator.iter_errors(&fixture).next());
    }
}

/// The twin of the test above: a validation that nothing fails would prove nothing.
#[test]
fn a_payload_without_one_of_its_fields_breaks_the_published_schema() {
    let fixtures = files("fixtures");
    for (name, schema) in published::all().filter(|(name, _)| *name != published::ENVELOPE) {
        let validator = jsonschema::validator_for(&parsed(schema)).expect("a JSON Schema");
        let fixture = parsed(&fixtures[name]);
        for field in fixture.as_object().expect("an object").keys() {
            let mut broken = fixture.clone();
            broken.as_object_mut().expect("an object").remove(field);
            assert!(!validator.is_valid(&broken), "{name} without {field}");
        }
    }
}

#[test]
fn the_published_files_are_what_the_code_generates_and_embeds() {
    let files = files("published");
    let advice = "run: cargo run --package schemas --example publish";
    for (name, schema) in published::generated() {
        assert_eq!(files[&name], format!("{schema:#}\n"), "{name}.json is stale; {advice}");
    }
    let embedded: BTreeMap<_, _> = published::all().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    assert_eq!(embedded, files, "the crate embeds other files; {advice}");
}

#[test]
fn every_field_of_every_published_schema_says_its_data_class() {
    let classes: Vec<Value> = DataClass::ALL.iter().map(|class| json!(class.as_str())).collect();
    let fixtures = files("fixtures");
    for (name, schema) in published::all().filter(|(name, _)| *name != published::ENVELOPE) {
        let schema = parsed(schema);
        let Some(fields) = schema["properties"].as_object() else {
            assert_eq!(parsed(&fixtures[name]), json!({}), "{name}: only an event without fields has no properties");
            continue;
        };
        for (field, schema) in fields {
            assert!(classes.contains(&schema["x-data-class"]), "{name}: {field}");
        }
    }
}

#[test]
fn type_names_are_snake_case_and_each_belongs_to_one_event() {
    let names: Vec<_> = TenantLogEvent::catalogue().map(|known| known.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "no name is taken twice");
    for name in names {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
    }
}
