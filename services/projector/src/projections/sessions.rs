//! The projection `sessions`: one row a session that nobody ended and nothing has ended. What a person does that ends all of theirs is
//! read from the person's own stream, so that nobody who changes a password has to remember it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::Resident;
use schemas::{
    StreamName, TenantId, TenantLogEvent,
    session::{SessionEvent, SessionStarted},
};
use sqlx::error::BoxDynError;

use crate::{
    batch::Applied,
    build::{Columns, OpenBuild, Row},
    error::ApplyError,
    projections::{Projection, apply_span},
    table::Table,
};

/// See the module.
pub(super) static PROJECTION: Projection = Projection {
    name: "sessions",
    shape: 1,
    tables_sql: include_str!("../../sql/sessions/tables.sql"),
    indexes_sql: include_str!("../../sql/sessions/indexes.sql"),
    tables: &[Table { name: "session", key: "session_id" }],
    reads: |stream| matches!(stream, StreamName::Session(_) | StreamName::Person(_)),
    passes_over: &[
        "person_added",
        "person_renamed",
        "person_email_changed",
        "role_changed",
        "api_token_issued",
        "api_token_revoked",
        "auditor_granted",
        "person_detail_set",
        "person_tags_set",
        "person_reinstated",
        "identity_added",
        "identity_changed",
        "identity_verified",
        "identity_removed",
        "primary_identity_chosen",
        "organization_joined",
        "organization_left",
        "default_organization_chosen",
        "group_joined",
        "group_left",
        "default_group_chosen",
    ],
    span: || apply_span!("projection.sessions.apply"),
    apply: |build, resident, events| Box::pin(apply(build, resident, events)),
};

/// What ends all sessions of a person.
const ENDS_ALL: &[&str] = &["password_set", "person_suspended", "person_deleted", "person_erased"];

/// What the events of a batch make of the sessions: rows to add, and those in the table that are over.
#[derive(Default)]
struct Fold<'event> {
    started: BTreeMap<i64, New<'event>>,
    ended: BTreeSet<i64>,
    /// The people all of whose sessions are over.
    emptied: BTreeSet<i64>,
    /// The people who signed in, and when last: what has expired by then is cleared away.
    seen: BTreeMap<i64, Timestamp>,
}

struct New<'event> {
    event: &'event SessionStarted,
    started_at: Timestamp,
}

async fn apply(build: &mut OpenBuild, resident: &Resident, events: &[Applied]) -> Result<(), ApplyError> {
    let mut fold = Fold::default();
    for applied in events {
        fold.take(applied);
    }
    fold.store(build, resident.tenant_id()).await
}

impl<'event> Fold<'event> {
    fn take(&mut self, applied: &'event Applied) {
        match (&applied.envelope.stream, applied.event()) {
            // The event need not be readable any more.
            (StreamName::Person(person), _) if ENDS_ALL.contains(&applied.envelope.event_type.as_str()) => {
                self.started.retain(|_, new| new.event.person != *person);
                self.emptied.insert(person.get());
            }
            (StreamName::Session(session), Some(TenantLogEvent::Session(SessionEvent::SessionStarted(event)))) => {
                let started_at = applied.envelope.recorded_at;
                self.started.retain(|_, new| new.event.person != event.person || new.event.expires_at > started_at);
                self.started.insert(session.get(), New { event, started_at });
                let seen = self.seen.entry(event.person.get()).or_insert(started_at);
                *seen = started_at.max(*seen);
            }
            (StreamName::Session(session), _) if applied.envelope.event_type == "session_ended" => {
                self.started.remove(&session.get());
                self.ended.insert(session.get());
            }
            // A start whose key was destroyed: the person is gone.
            _ => {}
        }
    }

    async fn store(self, build: &mut OpenBuild, tenant: TenantId) -> Result<(), ApplyError> {
        let (ended, emptied): (Vec<i64>, Vec<i64>) =
            (self.ended.into_iter().collect(), self.emptied.into_iter().collect());
        let (people, moments): (Vec<i64>, Vec<_>) =
            self.seen.into_iter().map(|(person, at)| (person, at.to_sqlx())).unzip();
        sqlx::query!(
            r#"delete from session where tenant_id = $1 and (session_id = any($2) or person_id = any($3)
               or exists (select from unnest($4::bigint[], $5::timestamptz[]) as seen (person_id, at)
                          where seen.person_id = session.person_id and session.expires_at <= seen.at))"#,
            tenant.get(),
            &ended,
            &emptied,
            &people,
            &moments as _,
        )
        .execute(&mut *build)
        .await?;
        let new: Vec<New<'_>> = self.started.into_values().collect();
        build.add(&new).await?;
        Ok(())
    }
}

impl Row for New<'_> {
    const TABLE: &'static str = "session";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("session_id", self.event.session.get())?;
        to.value("person_id", self.event.person.get())?;
        to.value("secret_sha256", self.event.secret_sha256.expose().as_str())?;
        to.value("address", self.event.address.expose().as_deref())?;
        to.value("client", self.event.client.expose().as_deref())?;
        to.value("started_at", self.started_at.to_sqlx())?;
        to.value("expires_at", self.event.expires_at.to_sqlx())
    }
}
