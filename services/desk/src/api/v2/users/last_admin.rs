//! An admin always remains: nobody deletes or demotes the last one.
//!
//! Each admin has a stream of their own, so two who delete one another at once would not meet. Therefore whoever takes an admin away
//! also writes to the tenant's stream, at the version it had before they looked who else there is: of two, the second is refused by
//! the log, looks again, and finds nobody.

use domain::{
    person::{Person, Profile},
    tenant::{Tenant, WithdrawAdmin},
};
use schemas::{PersonId, StreamName};

use crate::{
    api::settle,
    execute::{Batch, Issuer, load},
    problem::ApiError,
    read,
    state::Desk,
};

/// Adds to a command that an admin is one no longer.
pub(super) async fn withdraw<'a>(
    batch: Batch<'a>,
    desk: &Desk,
    by: &Issuer,
    person: PersonId,
) -> Result<Batch<'a>, ApiError> {
    // The tenant's stream first: whoever is found afterwards is still there when it is written, or it is refused.
    let batch = batch.decide::<Tenant>(StreamName::Tenant, None, &WithdrawAdmin { person }.into()).await?;
    if remains(desk, by, person).await? {
        return Ok(batch);
    }
    // Somebody who was made an admin a moment ago may not be among those who are known.
    settle::catch_up(desk, &by.resident, settle::PEOPLE).await?;
    if remains(desk, by, person).await? {
        return Ok(batch);
    }
    Err(ApiError::forbidden("This is the last admin; make somebody else an admin first"))
}

/// Whether somebody else is an admin: the read model says who may be, the log who is.
async fn remains(desk: &Desk, by: &Issuer, but: PersonId) -> Result<bool, ApiError> {
    let mut transaction = desk.reading(&by.resident).await?;
    let admins = read::people::admins(&mut transaction, &by.resident).await?;
    drop(transaction);
    for admin in admins.into_iter().filter(|admin| *admin != but.get()) {
        let stream = StreamName::Person(PersonId::new(admin));
        let (person, _) = load::<Person>(desk, &by.resident, &stream).await?;
        if person.profile().is_some_and(Profile::is_active_admin) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ALAN, Bench, GRACE, Who};

    async fn bench_with_two_admins() -> anyhow::Result<Bench> {
        let bench = Bench::start().await?;
        assert_eq!(role(&bench, GRACE, ALAN, "admin").await, 200);
        Ok(bench)
    }

    async fn role(bench: &Bench, by: Who, of: Who, role: &str) -> u16 {
        bench.put(by, &format!("/api/v2/users/{}", of.id), json!({"user": {"role": role}})).await.status.as_u16()
    }

    async fn delete(bench: &Bench, by: Who, whom: Who) -> u16 {
        bench.delete(by, &format!("/api/v2/users/{}", whom.id)).await.status.as_u16()
    }

    async fn admins(bench: &Bench) -> anyhow::Result<i64> {
        bench.settle(&bench.acme).await?;
        let mut transaction = bench.test.desk.reading(&bench.acme).await?;
        Ok(i64::try_from(crate::read::people::admins(&mut transaction, &bench.acme).await?.len())?)
    }

    #[tokio::test]
    async fn the_last_admin_stays_one() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        assert_eq!(role(&bench, GRACE, GRACE, "agent").await, 403);
        assert_eq!(role(&bench, GRACE, ALAN, "admin").await, 200);
        assert_eq!(role(&bench, GRACE, GRACE, "agent").await, 200, "somebody else is one now");
        assert_eq!(role(&bench, ALAN, ALAN, "end-user").await, 403);
        Ok(())
    }

    #[tokio::test]
    async fn of_two_admins_who_delete_one_another_one_remains() -> anyhow::Result<()> {
        let bench = bench_with_two_admins().await?;
        let (one, other) = tokio::join!(delete(&bench, GRACE, ALAN), delete(&bench, ALAN, GRACE));
        assert!([one, other].contains(&200), "{one} {other}");
        assert!(one != 200 || other != 200, "{one} {other}");
        assert_eq!(admins(&bench).await?, 1);
        Ok(())
    }

    #[tokio::test]
    async fn of_two_admins_who_step_down_at_once_one_remains() -> anyhow::Result<()> {
        let bench = bench_with_two_admins().await?;
        let down = tokio::join!(role(&bench, GRACE, GRACE, "agent"), role(&bench, ALAN, ALAN, "agent"));
        let mut down = [down.0, down.1];
        down.sort_unstable();
        assert_eq!(down, [200, 403]);
        assert_eq!(admins(&bench).await?, 1);
        Ok(())
    }
}
