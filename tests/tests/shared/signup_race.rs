//! Two regions, one name.

use serde_json::Value;
use system_tests::{Answer, Deployment, Tenant, setup::signup, wait};

#[tokio::test]
async fn of_two_signups_for_one_name_from_two_regions_one_wins_and_nothing_is_half_made() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    for round in 0..4 {
        let slug = format!("race-{round}");
        let (in_eu, in_jp) = (signup("eu", &slug), signup("jp", &slug));
        let (eu, jp) = tokio::join!(answered(deployment, "eu", &in_eu), answered(deployment, "jp", &in_jp));
        let ((winner, won), (loser, lost)) = match (eu?, jp?) {
            (eu, jp) if eu.status == 201 => (("eu", eu), ("jp", jp)),
            (eu, jp) => (("jp", jp), ("eu", eu)),
        };
        assert_eq!((won.status, lost.status), (201, 409), "{}\n{}", won.text(), lost.text());
        assert_eq!(lost.wrong_fields(), ["subdomain"]);
        assert_whole(deployment, &slug, winner, &won).await?;
        assert_eq!(head_rows(deployment, loser, &slug).await?, 0, "nothing in {loser}");
        assert_eq!(head_rows(deployment, winner, &slug).await?, 1);
    }
    Ok(())
}

#[tokio::test]
async fn of_many_signups_for_one_name_in_one_region_one_wins() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    for round in 0..4 {
        let slug = format!("race-at-home-{round}");
        let body = signup("us", &slug);
        let answers = futures::future::try_join_all((0..4).map(|_| answered(deployment, "us", &body))).await?;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 1);
        for lost in lost {
            assert_eq!((lost.status, lost.wrong_fields()), (409, vec!["subdomain".to_owned()]), "{}", lost.text());
        }
        assert_whole(deployment, &slug, "us", won[0]).await?;
        assert_eq!(head_rows(deployment, "us", &slug).await?, 1);
    }
    Ok(())
}

/// A signup, sent again as long as the region says that it has no time for it now.
async fn answered(deployment: &Deployment, region: &str, body: &Value) -> anyhow::Result<Answer> {
    wait::until("an answer to a signup", async || {
        let answer = deployment.try_signup(region, body).await?;
        Ok((answer.status != 503).then_some(answer))
    })
    .await
}

/// The winner's tenant can be used, and the directory knows one home of it.
async fn assert_whole(deployment: &Deployment, slug: &str, region: &str, won: &Answer) -> anyhow::Result<()> {
    let token = won.body["api_token"].as_str().unwrap_or_default();
    let client = deployment.client(slug)?.with_token(token);
    wait::until("the read models know who signed up", async || {
        Ok((client.get("/api/v2/users/me.json").await?.status == 200).then_some(()))
    })
    .await?;
    let residency = client.get("/api/domicile/v1/residency").await?.expect(200)?.body;
    assert_eq!(residency["region"]["id"], region);
    let listed = deployment.cli(&["tenant", "list", "--format", "json"]).await?.expect(0)?.json()?;
    let homes: Vec<_> = listed.as_array().into_iter().flatten().filter(|row| row["tenant"] == slug).collect();
    assert_eq!(homes.len(), 1);
    assert_eq!((&homes[0]["region"], &homes[0]["tenant_id"]), (&region.into(), &won.body["tenant"]["id"]));
    Ok(())
}

async fn head_rows(deployment: &Deployment, region: &str, slug: &str) -> anyhow::Result<i64> {
    let region = deployment.region(region)?;
    let mut owner = regions::connection(&region, regions::DatabaseRole::Owner).await?;
    let count = sqlx::query_scalar!(r#"select count(*) as "count!" from log.tenant where slug = $1"#, slug);
    Ok(count.fetch_one(&mut owner).await?)
}

/// The control: a tenant that signed up alone is found by the same look.
#[tokio::test]
async fn a_head_row_is_seen_where_there_is_one() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let Tenant { slug, .. } = deployment.signup("au", "race-alone").await?;
    assert_eq!((head_rows(deployment, "au", &slug).await?, head_rows(deployment, "eu", &slug).await?), (1, 0));
    Ok(())
}
