//! What becomes of rules when somebody is erased whose own they are, or were.

use schemas::{
    PersonId, RuleId,
    rule::{Audience, RuleChanged, RuleConditions, RuleDefinition, RuleEvent, RuleMade},
    values::RuleKind,
};

use super::{
    people,
    world::{Draft, World},
};
use crate::{Selection, catch_up, rebuild};

fn definition(title: &str) -> RuleDefinition {
    RuleDefinition {
        title: title.to_owned(),
        description: None,
        position: 1,
        is_active: true,
        conditions: RuleConditions::default(),
        actions: Vec::new(),
        output: None,
    }
}

fn made(rule: i64, audience: &Audience, title: &str) -> Draft {
    let definition = definition(title).into();
    let made = RuleMade { rule: RuleId::new(rule), kind: RuleKind::Macro, audience: audience.clone(), definition };
    RuleEvent::from(made).into()
}

fn changed(audience: &Audience, title: &str) -> Draft {
    RuleEvent::from(RuleChanged { audience: audience.clone(), definition: definition(title).into() }).into()
}

async fn titles(world: &World) -> anyhow::Result<Vec<String>> {
    let titles = sqlx::query_scalar!(
        r#"select concat_ws(' ', rule_id, definition ->> 'title', owner_id) as "title!" from rule order by rule_id"#
    );
    Ok(titles.fetch_all(&mut world.reader().await?).await?)
}

#[tokio::test]
async fn what_was_somebodys_own_goes_with_them_and_what_is_shared_stays() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let (all, own, anothers) =
        (Audience::Everybody, Audience::Person(PersonId::new(3)), Audience::Person(PersonId::new(4)));
    for person in [3, 4] {
        let added = people::added(person, "Ann", None);
        world.say(&acme, if person == 3 { "person-3" } else { "person-4" }, vec![added]).await?;
    }
    world.say(&acme, "rule-11", vec![made(11, &own, "Own")]).await?;
    world.say(&acme, "rule-11", vec![changed(&own, "Own still")]).await?;
    world.say(&acme, "rule-12", vec![made(12, &all, "Shared once")]).await?;
    world.say(&acme, "rule-12", vec![made(12, &own, "Taken back")]).await?;
    world.say(&acme, "rule-13", vec![made(13, &own, "Own once")]).await?;
    world.say(&acme, "rule-13", vec![made(13, &all, "Given to all")]).await?;
    world.say(&acme, "rule-13", vec![changed(&all, "Shared")]).await?;
    world.say(&acme, "rule-14", vec![made(14, &anothers, "Another's")]).await?;
    world.catch_up(&acme).await?;
    assert_eq!(titles(&world).await?, ["11 Own still 3", "12 Taken back 3", "13 Shared", "14 Another's 4"]);

    for event_type in ["person_deleted", "person_erased"] {
        world.say(&acme, "person-3", vec![Draft::raw(event_type, 1, "{}")]).await?;
    }
    // Keys that are still held in memory, as when a projector reads of an erasure.
    world.catch_up(&acme).await?;
    let left = ["13 Shared", "14 Another's 4"];
    assert_eq!(titles(&world).await?, left);
    let live = world.fingerprints(&acme).await?;

    let erase = "delete from vault.data_key where scope = 'person-3' and tenant_id = ";
    assert_eq!(world.as_owner(erase, &acme).await?, 1);
    rebuild(&world.restarted().await?, &Selection::all(), &|_| {}).await?;
    assert_eq!(titles(&world).await?, left);
    assert_eq!(world.fingerprints(&acme).await?, live, "and the rebuild itself found no difference");
    Ok(())
}

#[tokio::test]
async fn a_rule_that_does_not_open_any_more_is_left_out_before_it_is_known_why() -> anyhow::Result<()> {
    let world = World::new().await?;
    let acme = world.tenant("acme").await?;
    let (all, own) = (Audience::Everybody, Audience::Person(PersonId::new(3)));
    world.say(&acme, "rule-11", vec![made(11, &own, "Own")]).await?;
    world.say(&acme, "rule-11", vec![changed(&own, "Own still")]).await?;
    world.say(&acme, "rule-12", vec![made(12, &all, "Shared once")]).await?;
    world.say(&acme, "rule-12", vec![made(12, &own, "Taken back")]).await?;
    world.as_owner("delete from vault.data_key where scope = 'person-3' and tenant_id = ", &acme).await?;
    let head = catch_up(&world.restarted().await?, &acme).await?;
    assert_eq!(head.get(), 4, "a tombstone halts nobody");
    assert_eq!(titles(&world).await?, [] as [&str; 0]);
    Ok(())
}
