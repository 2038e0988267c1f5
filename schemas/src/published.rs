//! The published JSON Schemas: what an archive needs to be readable without this binary.
//!
//! The folder `schemas/published/` holds one file for every version of every event ever shipped, and one for the
//! envelope. The files of current versions are written by `cargo run --package schemas --example publish`; a file of an
//! older version stays as it was on the day it was superseded. A test holds them to what the code says.

mod embedded;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::{
    envelope::Envelope,
    event::{EventType, TenantLogEvent},
};

/// The name of the envelope's schema.
pub const ENVELOPE: &str = "envelope";

/// Every published schema: its name (`comment_added@1`, `envelope`) and its text, as they go into an archive.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    embedded::SCHEMAS.iter().copied()
}

/// The schemas that today's code generates: all but those of older versions.
pub fn generated() -> impl Iterator<Item = (String, Value)> {
    let events = TenantLogEvent::catalogue().map(|known| (schema_name(known.name, known.version), schema(known)));
    events.chain([(ENVELOPE.to_owned(), envelope_schema())])
}

/// The published schema of an event type's current version: JSON Schema 2020-12, with `x-data-class` on every field.
pub fn schema(event_type: &EventType) -> Value {
    let mut schema = (event_type.schema)().to_value();
    schema["$id"] = json!(format!("urn:domicile:event:{}@{}", event_type.name, event_type.version));
    for field in event_type.fields {
        schema["properties"][field.name]["x-data-class"] = json!(field.class.as_str());
    }
    schema
}

/// The published schema of the envelope. It has no data classes: an envelope holds no personal data and no content.
pub fn envelope_schema() -> Value {
    let mut schema = written::<Envelope>().to_value();
    schema["$id"] = json!("urn:domicile:envelope");
    schema
}

/// `<type>@<version>`, as files and archive objects are called.
pub fn schema_name(event_type: &str, version: u16) -> String {
    format!("{event_type}@{version}")
}

/// The schema of what is written, not of what would be read: every field that is always there is required. Nothing is
/// behind a reference, so that whoever finds one file understands it alone.
pub(crate) fn written<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>()
}
