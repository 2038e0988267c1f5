//! By what people are reached and known, from the projection `people`.

use jiff::Timestamp;
use regions::Resident;
use schemas::{IdentityId, PersonId};
use sqlx::PgConnection;

use super::List;

/// One identity.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) identity_id: i64,
    pub(crate) person_id: i64,
    pub(crate) kind: String,
    pub(crate) value: String,
    pub(crate) is_primary: bool,
    pub(crate) is_verified: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// A person's.
pub(crate) fn list(person: PersonId) -> List {
    List::new(("identity", "identity_id"), move |statement| {
        statement.push(" and identity.person_id = ").push_bind(person.get());
    })
}

/// Those of these identities that exist, by id.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Identity>, sqlx::Error> {
    sqlx::query_as!(
        Identity,
        r#"select identity_id, person_id, kind, value, is_primary, is_verified,
                  created_at as "created_at: jiff_sqlx::Timestamp", updated_at as "updated_at: jiff_sqlx::Timestamp"
           from identity where tenant_id = $1 and identity_id = any($2) order by identity_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// One identity of a person.
pub(crate) async fn one(
    conn: &mut PgConnection,
    resident: &Resident,
    (person, identity): (PersonId, IdentityId),
) -> Result<Option<Identity>, sqlx::Error> {
    let found = many(conn, resident, &[identity.get()]).await?.pop();
    Ok(found.filter(|found| found.person_id == person.get()))
}
