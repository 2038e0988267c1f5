//! Rebuilding read models while the region works: killed at every step, taken up again, compared, switched, switched back.

use anyhow::Context;
use regions::DatabaseRole;
use sqlx::AssertSqlSafe;
use system_tests::{Deployment, Setup, Tenant};

/// Every step of `domicile projections rebuild`, in its order.
const STEPS: [&str; 7] = [
    "rebuild.made",
    "rebuild.batch",
    "rebuild.filled",
    "rebuild.completed",
    "rebuild.compared",
    "rebuild.switching",
    "rebuild.switched",
];

const REBUILD: [&str; 4] = ["projections", "rebuild", "--region", "eu"];

/// Adds a comment and reads all of them, as a client does.
async fn comments(acme: &Tenant, ticket: i64, text: &str) -> anyhow::Result<usize> {
    acme.comment(ticket, text, &text.replace(' ', "-")).await?.expect(200)?;
    Ok(acme.comments(ticket).await?.len())
}

/// The version of a projection in this state.
async fn version(deployment: &Deployment, projection: &str, state: &str) -> anyhow::Result<String> {
    let builds = ["projections", "builds", "--region", "eu", "--format", "json"];
    let builds = deployment.cli(&builds).await?.expect(0)?.json()?;
    let mut builds = builds.as_array().into_iter().flatten();
    let found = builds.find(|build| build["projection"] == projection && build["state"] == state);
    Ok(found.with_context(|| format!("no {state} build of {projection}"))?["version"].to_string())
}

#[tokio::test]
async fn a_rebuild_killed_at_every_step_goes_on_while_the_region_works() -> anyhow::Result<()> {
    let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    let ticket = acme.ticket("Printer on fire", "It smokes").await?;
    for (step, said) in STEPS.iter().zip(2..) {
        let killed = deployment.cli_with(&REBUILD, &[("DOMICILE_CRASH_AT", step)]).await?;
        anyhow::ensure!(killed.code.is_none(), "it did not die at {step}: {killed:?}");
        assert_eq!(comments(&acme, ticket, step).await?, said, "after a kill at {step}");
    }
    let rebuilt = deployment.cli(&REBUILD).await?.expect(0)?;
    assert!(rebuilt.stderr.contains("comparing the rows"), "{rebuilt:?}");
    assert_eq!(comments(&acme, ticket, "After all.").await?, STEPS.len() + 2);
    deployment.cli(&["projections", "check", "--region", "eu"]).await?.expect(0)?;

    let previous = version(&deployment, "ticket_thread", "previous").await?;
    let switch = ["projections", "switch", "--region", "eu", "--projection", "ticket_thread", "--to", &previous];
    deployment.cli(&switch).await?.expect(0)?;
    assert_eq!(version(&deployment, "ticket_thread", "serving").await?, previous);
    assert_eq!(comments(&acme, ticket, "After the way back.").await?, STEPS.len() + 3);
    Ok(())
}

#[tokio::test]
async fn rows_that_differ_are_named_and_the_switch_waits_for_a_word() -> anyhow::Result<()> {
    let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
    let acme = deployment.signup("eu", "acme").await?;
    let ticket = acme.ticket("Printer on fire", "It smokes").await?;
    let mut owner = regions::connection(&deployment.region("eu")?, DatabaseRole::Owner).await?;
    let schema = format!("read_ticket_list_{}", version(&deployment, "ticket_list", "serving").await?);
    let spoil = format!("update {schema}.ticket_list set subject = 'Spoilt'");
    sqlx::raw_sql(AssertSqlSafe(spoil)).execute(&mut owner).await?;

    let rebuild = [&REBUILD[..], &["--projection", "ticket_list"]].concat();
    let refused = deployment.cli(&rebuild).await?.expect(1)?;
    let named =
        format!("differs: tenant {}, ticket_list: ticket_list has 1 rows, a replay 1, first at {ticket}", acme.id);
    assert!(refused.stdout.contains(&named), "{refused:?}");
    let subject = async || {
        let answer = acme.client.get(&format!("/api/v2/tickets/{ticket}.json")).await?.expect(200)?;
        anyhow::Ok(answer.body["ticket"]["subject"].clone())
    };
    assert_eq!(subject().await?, "Spoilt");
    deployment.cli(&[&rebuild[..], &["--accept-differences"]].concat()).await?.expect(0)?;
    assert_eq!(subject().await?, "Printer on fire");

    let serving = version(&deployment, "ticket_list", "serving").await?;
    let drop = ["projections", "drop", "--region", "eu", "--projection", "ticket_list", "--version", &serving];
    let refused = deployment.cli(&drop).await?.expect(64)?;
    assert!(refused.stderr.contains("switch to another first"), "{refused:?}");
    Ok(())
}
