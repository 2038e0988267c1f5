//! What the data classes promise: the directory's events are routable, and nothing personal shows by accident.

use std::{fs, path::Path};

use proptest::prelude::*;
use schemas::{
    Actor, CommandId, DataClass, Day, Envelope, EventId, Hash, KeyId, OrganizationId, PersonId, StreamName, TenantId,
    TenantLogEvent, TicketId, Version, event::EventType, name::NameEvent, published,
};
use serde_json::Value;
use uuid::Uuid;

#[test]
fn every_field_of_every_event_of_the_directory_is_for_routing() {
    for known in NameEvent::TYPES {
        for field in known.fields {
            assert_eq!(field.class, DataClass::Routing, "{}: {}", known.name, field.name);
        }
    }
}

/// The class of a field follows from what it holds: whatever people type is a text, so a text that is not wrapped must
/// be one that we made.
#[test]
fn a_free_text_that_is_neither_personal_nor_content_is_one_of_ours() {
    let ours = [
        ("upload_received", "token_sha256"),
        // Verifier keys of the region.
        ("signing_key_succeeded", "old"),
        ("signing_key_succeeded", "new"),
    ];
    for known in TenantLogEvent::catalogue() {
        let schema = published::schema(known);
        for field in known.fields {
            let shape = &schema["properties"][field.name];
            let is_free_text =
                shape["type"] == "string" && shape.get("format").is_none() && shape.get("oneOf").is_none();
            let is_wrapped = matches!(field.class, DataClass::Personal | DataClass::Content);
            let is_label = matches!(field.name, "slug" | "region" | "granted");
            assert!(
                !is_free_text || is_wrapped || is_label || ours.contains(&(known.name, field.name)),
                "{}: {} is {} and takes any text",
                known.name,
                field.name,
                field.class
            );
        }
    }
}

/// The fixture of a type's current version, with `text` in every field that holds what people typed.
fn payload(known: &EventType, text: &str) -> Vec<u8> {
    let name = published::schema_name(known.name, known.version);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/{name}.json"));
    let mut payload: Value = serde_json::from_slice(&fs::read(path).expect("a fixture")).expect("JSON");
    for field in known.fields {
        if matches!(field.class, DataClass::Personal | DataClass::Content) {
            fill(&mut payload[field.name], &published::schema(known)["properties"][field.name], text);
        }
    }
    payload.to_string().into_bytes()
}

/// Puts `text` into every place of a value that takes any text.
fn fill(value: &mut Value, shape: &Value, text: &str) {
    match value {
        Value::Array(items) if items.first().is_some_and(Value::is_object) => {
            items.iter_mut().for_each(|item| fill(item, &shape["items"], text));
        }
        Value::Array(items) => *items = vec![text.into()],
        Value::Object(fields) => {
            for (name, field) in fields {
                let shape = &shape["properties"][name.as_str()];
                if takes_any_text(shape) {
                    *field = text.into();
                }
            }
        }
        _ => *value = text.into(),
    }
}

/// Whether any text has a shape, or one of the shapes that it may have.
fn takes_any_text(shape: &Value) -> bool {
    let is_text = shape["type"] == "string" || shape["type"][0] == "string";
    let is_limited = ["format", "enum", "oneOf"].iter().any(|limit| shape.get(limit).is_some());
    is_text && !is_limited || shape["anyOf"].as_array().is_some_and(|shapes| shapes.iter().any(takes_any_text))
}

proptest! {
    #[test]
    fn every_event_reads_back_as_itself_whatever_people_typed(text in any::<String>()) {
        for known in TenantLogEvent::catalogue() {
            let event = TenantLogEvent::decode(known.name, known.version, &payload(known, &text))?;
            let again = TenantLogEvent::decode(event.event_type(), event.schema_version(), &event.encode())?;
            prop_assert_eq!(event, again);
        }
    }

    #[test]
    fn debug_never_shows_what_people_typed(mark in "canary-[a-z]{12}") {
        for known in TenantLogEvent::catalogue() {
            let event = TenantLogEvent::decode(known.name, known.version, &payload(known, &mark))?;
            prop_assert!(String::from_utf8_lossy(&event.encode()).contains(&mark) || holds_no_text(known));
            prop_assert!(!format!("{event:?} {event:#?}").contains(&mark), "{}", known.name);
        }
    }

    #[test]
    fn an_error_never_shows_what_people_typed(mark in "canary-[a-z]{12}") {
        for known in TenantLogEvent::catalogue() {
            let good: Value = serde_json::from_slice(&payload(known, &mark))?;
            for field in known.fields {
                // A list where a text belongs, a text where a number or a list belongs, and nothing at all.
                let wrong = if good[field.name].is_string() { serde_json::json!([mark]) } else { mark.as_str().into() };
                for value in [Some(wrong), None] {
                    let mut bad = good.clone();
                    let fields = bad.as_object_mut().expect("an object");
                    fields.remove(field.name);
                    fields.extend(value.map(|value| (field.name.to_owned(), value)));
                    let Err(error) = TenantLogEvent::decode(known.name, known.version, bad.to_string().as_bytes()) else {
                        continue;
                    };
                    prop_assert!(!format!("{} {:?}", error, error).contains(&mark), "{}: {}", known.name, field.name);
                }
            }
        }
    }

    #[test]
    fn an_envelope_reads_back_as_itself(envelope in envelopes()) {
        let bytes = envelope.associated_data();
        let again: Envelope = serde_json::from_slice(&bytes)?;
        prop_assert_eq!(&again, &envelope);
        prop_assert_eq!(again.associated_data(), bytes, "the canonical form is one");
    }

    #[test]
    fn an_envelope_has_the_shape_its_published_schema_promises(envelope in envelopes()) {
        let validator = jsonschema::validator_for(&published::envelope_schema())?;
        let value = serde_json::to_value(&envelope)?;
        prop_assert!(validator.is_valid(&value), "{value}");
    }
}

fn holds_no_text(known: &EventType) -> bool {
    known.fields.iter().all(|field| matches!(field.class, DataClass::Operational | DataClass::Routing))
}

fn envelopes() -> impl Strategy<Value = Envelope> {
    let places = (any::<u128>(), streams(), 1..i64::MAX, any::<u128>(), "[a-z_]{1,30}", 1..u16::MAX);
    let circumstances = (0..4_000_000_000_000_000_i64, actors(), any::<u128>(), any::<Option<u128>>(), any::<u128>());
    let extras = (any::<Option<[u8; 32]>>(), proptest::option::of("00-[0-9a-f]{32}-[0-9a-f]{16}-01"));
    (places, circumstances, extras).prop_map(|(places, circumstances, (blob, trace_parent))| {
        let (tenant_id, stream, version, event_id, event_type, schema_version) = places;
        let (microseconds, actor, command_id, causation_id, key_id) = circumstances;
        Envelope {
            tenant_id: TenantId::new(Uuid::from_u128(tenant_id)),
            stream,
            version: Version::new(version),
            event_id: EventId::new(Uuid::from_u128(event_id)),
            event_type,
            schema_version,
            recorded_at: jiff::Timestamp::from_microsecond(microseconds).expect("within the range"),
            actor,
            command_id: CommandId::new(Uuid::from_u128(command_id)),
            causation_id: causation_id.map(Uuid::from_u128).map(EventId::new),
            trace_parent,
            key_id: KeyId::new(Uuid::from_u128(key_id)),
            blob: blob.map(Hash::new),
        }
    })
}

fn streams() -> impl Strategy<Value = StreamName> {
    prop_oneof![
        Just(StreamName::Tenant),
        Just(StreamName::Erasures),
        (1..i64::MAX).prop_map(|id| StreamName::Person(PersonId::new(id))),
        (1..i64::MAX).prop_map(|id| StreamName::Ticket(TicketId::new(id))),
        "[0-9a-f]{32}".prop_map(StreamName::Email),
        "[0-9a-f]{32}".prop_map(StreamName::Claim),
        (1..i64::MAX).prop_map(|id| StreamName::Organization(OrganizationId::new(id))),
        (0..4_000_000_000_i64).prop_map(|second| {
            StreamName::Access(Day::of(jiff::Timestamp::from_second(second).expect("within the range")))
        }),
        any::<u128>().prop_map(|id| StreamName::Audit(CommandId::new(Uuid::from_u128(id)))),
        "[a-z]{3,63}".prop_map(|slug| StreamName::Name(slug.parse().expect("a slug"))),
    ]
}

fn actors() -> impl Strategy<Value = Actor> {
    prop_oneof![Just(Actor::System), (1..i64::MAX).prop_map(|id| Actor::Person(PersonId::new(id)))]
}
