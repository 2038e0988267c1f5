//! By what people are reached and known.

use std::collections::{BTreeMap, BTreeSet};

use jiff_sqlx::Timestamp;
use schemas::{PersonId, TenantId, person::PersonEvent, values::IdentityKind};
use sqlx::error::BoxDynError;

use super::is_one_of;
use crate::{
    batch::Applied,
    build::{Columns, OpenBuild, Row},
};

/// The events that change them.
const TYPES: &[&str] = &[
    "person_email_changed",
    "identity_added",
    "identity_changed",
    "identity_verified",
    "identity_removed",
    "primary_identity_chosen",
    "person_erased",
];

/// The identities of the people of a batch, as its events leave them.
#[derive(Default)]
pub(super) struct Identities {
    rows: BTreeMap<i64, Identity>,
    /// Which of them are in the table.
    known: BTreeSet<i64>,
    touched: BTreeSet<i64>,
}

struct Identity {
    identity_id: i64,
    person_id: i64,
    kind: String,
    value: String,
    is_primary: bool,
    is_verified: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Identities {
    /// Those of the people whose events say something of them.
    pub(super) async fn load(
        build: &mut OpenBuild,
        tenant: TenantId,
        events: &[(PersonId, &Applied)],
    ) -> Result<Self, sqlx::Error> {
        let concerned = events.iter().filter(|(_, event)| is_one_of(event, TYPES));
        let people: Vec<i64> = concerned.map(|(person, _)| person.get()).collect();
        if people.is_empty() {
            return Ok(Self::default());
        }
        let rows = sqlx::query_as!(
            Identity,
            r#"select identity_id, person_id, kind, value, is_primary, is_verified,
                      created_at as "created_at: Timestamp", updated_at as "updated_at: Timestamp"
               from identity where tenant_id = $1 and person_id = any($2)"#,
            tenant.get(),
            &people,
        )
        .fetch_all(build)
        .await?;
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.identity_id, row)).collect();
        Ok(Self { known: rows.keys().copied().collect(), rows, touched: BTreeSet::new() })
    }

    /// The address a person came with, whose identity has the person's own number.
    pub(super) fn begin(&mut self, person: PersonId, email: Option<&str>, at: Timestamp) {
        let Some(email) = email else { return };
        let kind = IdentityKind::Email.as_str();
        self.insert(Identity { is_primary: true, ..Identity::new((person.get(), person), (kind, email), at) });
    }

    /// What an event makes of them; the primary address, if it is another then.
    pub(super) fn take(
        &mut self,
        (person, person_added_at): (PersonId, Timestamp),
        event: &PersonEvent,
        at: Timestamp,
    ) -> Option<Option<String>> {
        match event {
            PersonEvent::PersonEmailChanged(event) => {
                let primary = self.primary_of(person);
                match (event.email.expose(), primary) {
                    (Some(email), Some(primary)) => {
                        let row = self.touch(primary)?;
                        (row.value, row.is_verified) = (email.clone(), false);
                    }
                    (Some(email), None) => self.begin(person, Some(email), person_added_at),
                    (None, Some(primary)) => self.remove(primary),
                    (None, None) => {}
                }
                return Some(event.email.expose().clone());
            }
            PersonEvent::IdentityAdded(event) => {
                let (id, value) = (event.identity.get(), event.value.expose().as_str());
                self.insert(Identity::new((id, person), (event.kind.as_str(), value), at));
            }
            PersonEvent::IdentityChanged(event) => {
                let row = self.touch(event.identity.get())?;
                row.value.clone_from(event.value.expose());
                (row.is_verified, row.updated_at) = (false, at);
                return row.is_primary.then(|| Some(row.value.clone()));
            }
            PersonEvent::IdentityVerified(event) => {
                let row = self.touch(event.identity.get())?;
                (row.is_verified, row.updated_at) = (true, at);
            }
            PersonEvent::IdentityRemoved(event) => self.remove(event.identity.get()),
            PersonEvent::PrimaryIdentityChosen(event) => {
                if let Some(row) = self.primary_of(person).and_then(|primary| self.touch(primary)) {
                    row.is_primary = false;
                }
                let row = self.touch(event.identity.get())?;
                row.is_primary = true;
                return Some(Some(row.value.clone()));
            }
            PersonEvent::PersonErased(_) => {
                let theirs = self.rows.values().filter(|row| row.person_id == person.get());
                let theirs: Vec<i64> = theirs.map(|row| row.identity_id).collect();
                theirs.into_iter().for_each(|identity| self.remove(identity));
            }
            _ => {}
        }
        None
    }

    fn primary_of(&self, person: PersonId) -> Option<i64> {
        let mut rows = self.rows.values();
        rows.find(|row| row.person_id == person.get() && row.is_primary).map(|row| row.identity_id)
    }

    fn insert(&mut self, row: Identity) {
        self.touched.insert(row.identity_id);
        self.rows.insert(row.identity_id, row);
    }

    fn touch(&mut self, identity: i64) -> Option<&mut Identity> {
        let row = self.rows.get_mut(&identity)?;
        self.touched.insert(identity);
        Some(row)
    }

    fn remove(&mut self, identity: i64) {
        self.rows.remove(&identity);
        self.touched.insert(identity);
    }

    /// Writes what has changed.
    pub(super) async fn store(mut self, build: &mut OpenBuild, tenant: TenantId) -> Result<(), sqlx::Error> {
        let (mut changed, mut new, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for identity in self.touched {
            match (self.rows.remove(&identity), self.known.contains(&identity)) {
                (Some(row), true) => changed.push(row),
                (Some(row), false) => new.push(row),
                (None, true) => removed.push(identity),
                // It came and went within the batch.
                (None, false) => {}
            }
        }
        if !removed.is_empty() {
            sqlx::query!("delete from identity where tenant_id = $1 and identity_id = any($2)", tenant.get(), &removed)
                .execute(&mut *build)
                .await?;
        }
        build.put(&changed).await?;
        build.add(&new).await
    }
}

impl Identity {
    fn new((identity_id, person): (i64, PersonId), (kind, value): (&str, &str), at: Timestamp) -> Self {
        Self {
            identity_id,
            person_id: person.get(),
            kind: kind.to_owned(),
            value: value.to_owned(),
            is_primary: false,
            is_verified: false,
            created_at: at,
            updated_at: at,
        }
    }
}

impl Row for Identity {
    const TABLE: &'static str = "identity";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("identity_id", self.identity_id)?;
        to.value("person_id", self.person_id)?;
        to.value("kind", self.kind.as_str())?;
        to.value("value", self.value.as_str())?;
        to.value("is_primary", self.is_primary)?;
        to.value("is_verified", self.is_verified)?;
        to.value("created_at", self.created_at)?;
        to.value("updated_at", self.updated_at)
    }
}
