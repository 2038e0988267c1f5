//! The vocabulary every other crate speaks: ids, data classes, events, the envelope and the upcasters.
//!
//! This crate knows shapes and nothing else. It refuses to know stores, clocks, randomness and rules: it can say what a
//! `CommentAdded` looks like and how its bytes of last year are read today, never whether a comment may be added.
//!
//! Reading order: [`class`] (what a field may hold), [`ids`], [`values`], the events of each aggregate
//! ([`tenant`], [`person`], [`organization`], [`claim`], [`ticket`], [`upload`], [`erasure`], [`name`], [`access`], [`audit`], [`job`], [`rule`], [`webhook`], [`session`]), [`event`] (what the macro makes of
//! them), [`envelope`] (what surrounds a sealed payload), [`published`] (JSON Schemas for readers without this binary).

// The macro names this crate by its own name, so that it works here and in other crates alike.
extern crate self as schemas;

pub mod access;
pub mod audit;
pub mod claim;
pub mod class;
pub mod day;
pub mod envelope;
pub mod erasure;
pub mod event;
pub mod ids;
pub mod job;
pub mod name;
pub mod organization;
pub mod person;
pub mod published;
pub mod rule;
pub mod session;
pub mod stream;
pub mod tenant;
pub mod ticket;
pub mod ticket_field;
pub mod upload;
pub mod values;
pub mod webhook;

pub use class::{DataClass, Personal};
pub use day::Day;
pub use envelope::{Actor, Entry, Envelope, Hash, Recorded, Sealed};
pub use event::{DecodeError, EventField, EventType, TenantLogEvent};
pub use ids::{
    AttachmentId, CommandId, Epoch, EventId, GroupId, IdentityId, JobId, KeyId, MembershipId, OrganizationId, PersonId,
    Position, RegionId, RestoreId, RuleId, SessionId, Slug, TenantId, TicketFieldId, TicketId, TokenId, Version,
    WebhookId,
};
pub use stream::StreamName;
