//! Who belongs to which organization or group.

use std::collections::{BTreeMap, BTreeSet};

use jiff_sqlx::{Timestamp, ToSqlx};
use schemas::{PersonId, TenantId, TenantLogEvent, person::PersonEvent};
use sqlx::error::BoxDynError;

use super::is_one_of;
use crate::{
    batch::{Applied, Payload},
    build::{Columns, OpenBuild, Row},
    error::ApplyError,
};

/// The events that change memberships.
const TYPES: &[&str] = &[
    "organization_joined",
    "organization_left",
    "default_organization_chosen",
    "group_joined",
    "group_left",
    "default_group_chosen",
    "person_deleted",
    "person_erased",
];

struct Membership {
    membership_id: i64,
    person_id: i64,
    organization_id: Option<i64>,
    group_id: Option<i64>,
    is_chosen: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Default)]
struct Fold {
    rows: BTreeMap<i64, Membership>,
    touched: BTreeSet<i64>,
}

pub(super) async fn apply(
    build: &mut OpenBuild,
    tenant: TenantId,
    events: &[(PersonId, &Applied)],
) -> Result<(), ApplyError> {
    let concerned: Vec<_> = events.iter().filter(|(_, event)| is_one_of(event, TYPES)).collect();
    if concerned.is_empty() {
        return Ok(());
    }
    let people: Vec<i64> = concerned.iter().map(|(person, _)| person.get()).collect();
    let mut fold = Fold { rows: load(build, tenant, &people).await?, ..Fold::default() };
    let known: BTreeSet<i64> = fold.rows.keys().copied().collect();
    for (person, applied) in concerned {
        if let Payload::Event(TenantLogEvent::Person(event)) = &applied.payload {
            fold.take(*person, event, applied.envelope.recorded_at.to_sqlx());
        }
    }
    fold.store(build, tenant, &known).await
}

impl Fold {
    fn take(&mut self, person: PersonId, event: &PersonEvent, at: Timestamp) {
        match event {
            PersonEvent::OrganizationJoined(joined) => {
                let to = (Some(joined.organization.get()), None);
                self.insert(Membership::new((joined.membership.get(), person), to, at));
            }
            PersonEvent::GroupJoined(joined) => {
                let to = (None, Some(joined.group.get()));
                self.insert(Membership::new((joined.membership.get(), person), to, at));
            }
            PersonEvent::OrganizationLeft(left) => self.remove(left.membership.get()),
            PersonEvent::GroupLeft(left) => self.remove(left.membership.get()),
            PersonEvent::DefaultOrganizationChosen(chosen) => {
                self.choose(person, (Some(chosen.organization.get()), None), at);
            }
            PersonEvent::DefaultGroupChosen(chosen) => self.choose(person, (None, Some(chosen.group.get())), at),
            PersonEvent::PersonDeleted(_) | PersonEvent::PersonErased(_) => {
                let theirs = self.rows.values().filter(|row| row.person_id == person.get());
                let theirs: Vec<i64> = theirs.map(|row| row.membership_id).collect();
                theirs.into_iter().for_each(|membership| self.remove(membership));
            }
            _ => {}
        }
    }

    fn insert(&mut self, row: Membership) {
        self.touched.insert(row.membership_id);
        self.rows.insert(row.membership_id, row);
    }

    fn remove(&mut self, membership: i64) {
        self.rows.remove(&membership);
        self.touched.insert(membership);
    }

    /// Of the memberships of a kind one is chosen.
    fn choose(&mut self, person: PersonId, to: (Option<i64>, Option<i64>), at: Timestamp) {
        let is_of_kind =
            |row: &&mut Membership| row.person_id == person.get() && row.organization_id.is_some() == to.0.is_some();
        for row in self.rows.values_mut().filter(is_of_kind) {
            let is_chosen = (row.organization_id, row.group_id) == to;
            if row.is_chosen != is_chosen {
                (row.is_chosen, row.updated_at) = (is_chosen, at);
                self.touched.insert(row.membership_id);
            }
        }
    }

    async fn store(mut self, build: &mut OpenBuild, tenant: TenantId, known: &BTreeSet<i64>) -> Result<(), ApplyError> {
        let (mut changed, mut new, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for membership in self.touched {
            match (self.rows.remove(&membership), known.contains(&membership)) {
                (Some(row), true) => changed.push(row),
                (Some(row), false) => new.push(row),
                (None, true) => removed.push(membership),
                // It came and went within the batch.
                (None, false) => {}
            }
        }
        if !removed.is_empty() {
            sqlx::query!(
                "delete from membership where tenant_id = $1 and membership_id = any($2)",
                tenant.get(),
                &removed
            )
            .execute(&mut *build)
            .await?;
        }
        build.put(&changed).await?;
        build.add(&new).await?;
        Ok(())
    }
}

async fn load(
    build: &mut OpenBuild,
    tenant: TenantId,
    people: &[i64],
) -> Result<BTreeMap<i64, Membership>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Membership,
        r#"select membership_id, person_id, organization_id, group_id, is_chosen,
                  created_at as "created_at: Timestamp", updated_at as "updated_at: Timestamp"
           from membership where tenant_id = $1 and person_id = any($2)"#,
        tenant.get(),
        people,
    )
    .fetch_all(build)
    .await?;
    Ok(rows.into_iter().map(|row| (row.membership_id, row)).collect())
}

impl Membership {
    fn new(
        (membership_id, person): (i64, PersonId),
        (organization_id, group_id): (Option<i64>, Option<i64>),
        at: Timestamp,
    ) -> Self {
        let person_id = person.get();
        Self { membership_id, person_id, organization_id, group_id, is_chosen: false, created_at: at, updated_at: at }
    }
}

impl Row for Membership {
    const TABLE: &'static str = "membership";

    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
        to.value("membership_id", self.membership_id)?;
        to.value("person_id", self.person_id)?;
        to.value("organization_id", self.organization_id)?;
        to.value("group_id", self.group_id)?;
        to.value("is_chosen", self.is_chosen)?;
        to.value("created_at", self.created_at)?;
        to.value("updated_at", self.updated_at)
    }
}
