//! What every event has in common, and the macro that declares one.
//!
//! A declaration names the event's type, its current schema version, and each field with its data class:
//!
//! ```
//! schemas::events! {
//!     /// What happens to a kettle.
//!     pub enum KettleEvent {
//!         /// Somebody filled it.
//!         "kettle_filled" @ 1 => KettleFilled {
//!             /// How much, in millilitres.
//!             operational millilitres: u32,
//!             /// Who did.
//!             personal by: String,
//!         },
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! A field without a class does not compile:
//!
//! ```compile_fail
//! schemas::events! {
//!     /// What happens to a kettle.
//!     pub enum KettleEvent {
//!         /// Somebody filled it.
//!         "kettle_filled" @ 1 => KettleFilled {
//!             /// How much, in millilitres.
//!             millilitres: u32,
//!         },
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! Neither does one with a class nobody knows:
//!
//! ```compile_fail
//! schemas::events! {
//!     /// What happens to a kettle.
//!     pub enum KettleEvent {
//!         /// Somebody filled it.
//!         "kettle_filled" @ 1 => KettleFilled {
//!             /// How much, in millilitres.
//!             secret millilitres: u32,
//!         },
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! Bytes stay as they were written. When a shape changes, the version goes up and a step reads the older shape:
//! `"comment_added" @ 2, upcasts [comment_added_v1] => CommentAdded { … }` lists one step per older version, oldest first.

use serde_json::{Map, Value};

use crate::class::DataClass;

/// A field of an event: its name and its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventField {
    /// The field's name in the payload.
    pub name: &'static str,
    /// What it may hold.
    pub class: DataClass,
}

/// One event type as declared: what the catalogue of schemas, the policy and the tests walk over.
#[derive(Debug, Clone, Copy)]
pub struct EventType {
    /// The name stored in the envelope, in snake case and past tense.
    pub name: &'static str,
    /// The version written today.
    pub version: u16,
    /// Every field with its class.
    pub fields: &'static [EventField],
    /// The JSON Schema of the version written today.
    pub schema: fn() -> schemars::Schema,
}

/// Turns the payload of one version into the next.
pub type Upcast = fn(&mut Map<String, Value>);

/// A payload that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No aggregate knows the type.
    #[error("unknown event type {0:?}")]
    UnknownType(String),
    /// The payload was written by a newer program, or the version is none.
    #[error("{event_type}: version {version} is unknown, this program reads 1 to {newest}")]
    UnknownVersion {
        /// The event's type.
        event_type: &'static str,
        /// The version found.
        version: u16,
        /// The newest version this program reads.
        newest: u16,
    },
    /// The payload has not the shape of its version.
    #[error("{event_type}: the payload does not have the shape of its version: {fault}")]
    Shape {
        /// The event's type.
        event_type: &'static str,
        /// What is wrong with it, without any value.
        fault: String,
    },
}

/// Lifts a payload to the current version and decodes it. The macro calls this; nobody else needs to.
pub fn decode_payload<T: serde::de::DeserializeOwned>(
    event_type: &'static str,
    newest: u16,
    upcasts: &[Upcast],
    version: u16,
    payload: &[u8],
) -> Result<T, DecodeError> {
    if version == 0 || version > newest {
        return Err(DecodeError::UnknownVersion { event_type, version, newest });
    }
    let shape = |error| DecodeError::Shape { event_type, fault: fault_without_values(&error) };
    if version == newest {
        return serde_json::from_slice(payload).map_err(shape);
    }
    let mut fields: Map<String, Value> = serde_json::from_slice(payload).map_err(shape)?;
    for upcast in &upcasts[usize::from(version) - 1..] {
        upcast(&mut fields);
    }
    serde_json::from_value(Value::Object(fields)).map_err(shape)
}

/// Says what is wrong with a payload. Not the error itself: it quotes what it found, which may be somebody's data.
fn fault_without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
        Some((field, _)) => format!("the field {field} is missing"),
        None => format!("{:?} error in line {}, column {}", error.classify(), error.line(), error.column()),
    }
}

/// Any event of a tenant's log, decoded by its type name.
#[derive(Debug, Clone, PartialEq)]
pub enum TenantLogEvent {
    /// Of the stream `tenant`.
    Tenant(crate::tenant::TenantEvent),
    /// Of a stream `person-<id>`.
    Person(crate::person::PersonEvent),
    /// Of a stream `email-<index>`.
    Email(crate::person::EmailEvent),
    /// Of a stream `organization-<id>`.
    Organization(crate::organization::OrganizationEvent),
    /// Of a stream `claim-<index>`.
    Claim(crate::claim::ClaimEvent),
    /// Of a stream `ticket-<number>`.
    Ticket(crate::ticket::TicketEvent),
    /// Of a stream `ticket-field-<id>`.
    TicketField(crate::ticket_field::TicketFieldEvent),
    /// Of a stream `rule-<id>`.
    Rule(crate::rule::RuleEvent),
    /// Of a stream `webhook-<id>`.
    Webhook(crate::webhook::WebhookEvent),
    /// Of a stream `session-<id>`.
    Session(crate::session::SessionEvent),
    /// Of a stream `upload-<id>`.
    Upload(crate::upload::UploadEvent),
    /// Of the stream `erasures`.
    Erasure(crate::erasure::ErasureEvent),
    /// Of a stream `name-<slug>` (the directory's log).
    Name(crate::name::NameEvent),
    /// Of a stream `access-<day>`.
    Access(crate::access::AccessEvent),
    /// Of a stream `audit-<command id>`.
    Audit(crate::audit::AuditEvent),
    /// Of a stream `job-<job id>`.
    Job(crate::job::JobEvent),
}

macro_rules! log_events {
    ($($variant:ident($event:path),)+) => {
        impl TenantLogEvent {
            /// Decodes an opened payload of whichever type, lifted to its current version.
            pub fn decode(event_type: &str, version: u16, payload: &[u8]) -> Result<Self, DecodeError> {
                $(if <$event>::TYPES.iter().any(|known| known.name == event_type) {
                    return <$event>::decode(event_type, version, payload).map(Self::$variant);
                })+
                Err(DecodeError::UnknownType(event_type.to_owned()))
            }

            /// Every event type of the product.
            pub fn catalogue() -> impl Iterator<Item = &'static EventType> {
                [$(<$event>::TYPES),+].into_iter().flatten()
            }

            /// The payload to be sealed.
            pub fn encode(&self) -> Vec<u8> {
                match self { $(Self::$variant(event) => event.encode()),+ }
            }

            /// The type name in the envelope.
            pub fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(event) => event.event_type()),+ }
            }

            /// The schema version written today.
            pub fn schema_version(&self) -> u16 {
                match self { $(Self::$variant(event) => event.schema_version()),+ }
            }
        }

        $(impl From<$event> for TenantLogEvent {
            fn from(event: $event) -> Self { Self::$variant(event) }
        })+
    };
}

log_events! {
    Tenant(crate::tenant::TenantEvent),
    Person(crate::person::PersonEvent),
    Email(crate::person::EmailEvent),
    Organization(crate::organization::OrganizationEvent),
    Claim(crate::claim::ClaimEvent),
    Ticket(crate::ticket::TicketEvent),
    TicketField(crate::ticket_field::TicketFieldEvent),
    Rule(crate::rule::RuleEvent),
    Webhook(crate::webhook::WebhookEvent),
    Session(crate::session::SessionEvent),
    Upload(crate::upload::UploadEvent),
    Erasure(crate::erasure::ErasureEvent),
    Name(crate::name::NameEvent),
    Access(crate::access::AccessEvent),
    Audit(crate::audit::AuditEvent),
    Job(crate::job::JobEvent),
}

/// Declares the events of an aggregate; see the module's page.
#[macro_export]
macro_rules! events {
    (
        $(#[$enum_doc:meta])*
        pub enum $enum_name:ident {
            $(
                $(#[$event_doc:meta])*
                $type_name:literal @ $version:literal $(, upcasts [$($upcast:path),+ $(,)?])? => $event:ident {
                    $($(#[$field_doc:meta])* $class:ident $field:ident: $field_type:ty,)*
                },
            )+
        }
    ) => {
        $(
            $(#[$event_doc])*
            #[derive(Debug, Clone, PartialEq, $crate::event::macro_support::Deserialize, $crate::event::macro_support::JsonSchema)]
            #[serde(crate = "schemas::event::macro_support::serde")]
            #[schemars(crate = "schemas::event::macro_support::schemars")]
            #[allow(missing_docs)]
            pub struct $event {
                $($(#[$field_doc])* pub $field: $crate::class_type!($class, $field_type),)*
            }

            impl $event {
                /// The payload to be sealed: the only way these fields leave as bytes.
                fn payload(&self) -> Vec<u8> {
                    #[allow(unused_mut)]
                    let mut payload = $crate::event::macro_support::Payload::default();
                    $(payload.field(stringify!($field), $crate::class_wire!($class, self.$field));)*
                    payload.end()
                }
            }

            impl From<$event> for $enum_name {
                fn from(event: $event) -> Self { Self::$event(event) }
            }
        )+

        $(#[$enum_doc])*
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs)]
        pub enum $enum_name { $($(#[$event_doc])* $event($event),)+ }

        impl $enum_name {
            /// Every event of this aggregate.
            pub const TYPES: &'static [$crate::event::EventType] = &[$(
                $crate::event::EventType {
                    name: $type_name,
                    version: $version,
                    fields: &[$($crate::event::EventField { name: stringify!($field), class: $crate::class_value!($class) }),*],
                    schema: $crate::event::macro_support::schema_of::<$event>,
                },
            )+];

            /// The type name in the envelope.
            pub fn event_type(&self) -> &'static str {
                match self { $(Self::$event(_) => $type_name),+ }
            }

            /// The schema version written today.
            pub fn schema_version(&self) -> u16 {
                match self { $(Self::$event(_) => $version),+ }
            }

            /// The payload to be sealed, as JSON.
            pub fn encode(&self) -> Vec<u8> {
                match self { $(Self::$event(event) => event.payload()),+ }
            }

            /// Decodes an opened payload, lifted to its current version.
            pub fn decode(event_type: &str, version: u16, payload: &[u8]) -> Result<Self, $crate::event::DecodeError> {
                match event_type {
                    $($type_name => {
                        const UPCASTS: &[$crate::event::Upcast] = &[$($($upcast),+)?];
                        const { assert!(UPCASTS.len() + 1 == $version, "one upcast per older version") };
                        $crate::event::decode_payload($type_name, $version, UPCASTS, version, payload).map(Self::$event)
                    })+
                    _ => Err($crate::event::DecodeError::UnknownType(event_type.to_owned())),
                }
            }
        }
    };
}

/// The type of a field of a class: personal data and content are wrapped.
#[doc(hidden)]
#[macro_export]
macro_rules! class_type {
    (personal, $type:ty) => { $crate::Personal<$type> };
    (content, $type:ty) => { $crate::Personal<$type> };
    (operational, $type:ty) => { $type };
    (routing, $type:ty) => { $type };
}

/// What of a field goes into the payload.
#[doc(hidden)]
#[macro_export]
macro_rules! class_wire {
    (personal, $value:expr) => {
        $value.expose()
    };
    (content, $value:expr) => {
        $value.expose()
    };
    (operational, $value:expr) => {
        &$value
    };
    (routing, $value:expr) => {
        &$value
    };
}

/// The class as a value.
#[doc(hidden)]
#[macro_export]
macro_rules! class_value {
    (personal) => {
        $crate::DataClass::Personal
    };
    (content) => {
        $crate::DataClass::Content
    };
    (operational) => {
        $crate::DataClass::Operational
    };
    (routing) => {
        $crate::DataClass::Routing
    };
}

/// What the macro needs where it is used.
#[doc(hidden)]
pub mod macro_support {
    pub use schemars::{self, JsonSchema};
    pub use serde::{self, Deserialize};

    /// A JSON object that is being written, field by field.
    #[derive(Default)]
    pub struct Payload(Vec<u8>);

    impl Payload {
        pub fn field<T: serde::Serialize + ?Sized>(&mut self, name: &'static str, value: &T) {
            self.0.push(if self.0.is_empty() { b'{' } else { b',' });
            // A field's name has nothing that JSON escapes.
            for part in [b"\"", name.as_bytes(), b"\":"] {
                self.0.extend_from_slice(part);
            }
            serde_json::to_writer(&mut self.0, value)
                .expect("fields of events are plain values, which always have a JSON form");
        }

        pub fn end(mut self) -> Vec<u8> {
            if self.0.is_empty() {
                self.0.push(b'{');
            }
            self.0.push(b'}');
            self.0
        }
    }

    pub fn schema_of<T: JsonSchema>() -> schemars::Schema {
        crate::published::written::<T>()
    }
}
