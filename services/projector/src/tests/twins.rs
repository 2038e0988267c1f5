//! Two tenants with identical ids and positions.

use super::{
    accounts, people, threads,
    world::{World, comment, opened},
};
use crate::{Selection, check, rebuild};

#[tokio::test]
async fn twin_tenants_never_see_each_other() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (left, right) = (world.tenant("left").await?, world.tenant("right").await?);
    for twin in [&left, &right] {
        let name = twin.slug().as_str();
        world.say(twin, "tenant", vec![accounts::registered(name)]).await?;
        world.say(twin, "person-3", vec![people::added(3, name, Some("ann@example.com"))]).await?;
        world.say(twin, "upload-20", vec![threads::received(20)]).await?;
        world.say(twin, "ticket-1", vec![opened(name), comment(name)]).await?;
        world.say(twin, "ticket-1", vec![comment("More.")]).await?;
    }
    world.catch_up(&left).await?;
    let without_right = world.fingerprints(&right).await?;
    assert!(without_right.iter().all(|(_, fingerprint)| fingerprint.rows == 0), "{without_right:?}");
    world.catch_up(&right).await?;

    for twin in [&left, &right] {
        let texts = sqlx::query_scalar!(
            r#"select account.company || person.name || ticket.subject || ticket.description || comment.body as "texts!"
               from account join person using (tenant_id) join ticket_list as ticket using (tenant_id)
               join comment using (tenant_id) where tenant_id = $1 order by comment_id limit 1"#,
            twin.tenant_id().get()
        );
        assert_eq!(texts.fetch_one(&mut world.reader().await?).await?, twin.slug().as_str().repeat(5));
    }

    let right_before = world.fingerprints(&right).await?;
    rebuild(&world.deps, &Selection::all().of(vec![left.tenant_id()]), &|_| {}).await?;
    assert_eq!(world.fingerprints(&right).await?, right_before, "rebuilding one leaves the other alone");
    assert!(check(&world.deps, &Selection::all(), &|_| {}).await?.is_clean());
    Ok(())
}
