//! An event that cannot be applied: its tenant waits there, visibly; nobody else does, nothing is skipped, and once it is mended the
//! tenant goes on by itself.

use anyhow::Context;
use regions::DatabaseRole;
use schemas::TenantId;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use system_tests::{Client, Deployment, Setup, Tenant, wait};

const READ_BY: [&str; 6] = ["ticket_list", "ticket_thread", "audits", "changes", "search", "ticket_metrics"];

/// A region where one comment in a tenant's log is not what was written.
struct World {
    deployment: Deployment,
    owner: PgConnection,
    acme: Tenant,
    other: Tenant,
}

impl World {
    async fn new() -> anyhow::Result<Self> {
        let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
        let owner = regions::connection(&deployment.region("eu")?, DatabaseRole::Owner).await?;
        let acme = deployment.signup("eu", "acme").await?;
        let other = deployment.signup("eu", "other").await?;
        Ok(Self { deployment, owner, acme, other })
    }

    /// From now on the tenant's comments are spoilt as they are written, so that nobody ever reads a sound one.
    async fn poison(&mut self) -> anyhow::Result<()> {
        let id = self.acme.id.parse::<TenantId>()?;
        let spoil = format!(
            "create function public.spoil() returns trigger language plpgsql set search_path = pg_catalog as $$
             begin
                 if new.tenant_id = '{id}' and new.event_type = 'comment_added' then
                     new.payload := set_byte(new.payload, 20, get_byte(new.payload, 20) # 1);
                 end if;
                 return new;
             end $$;
             create trigger spoil before insert on log.event for each row execute function public.spoil()"
        );
        self.owner.execute(AssertSqlSafe(spoil)).await?;
        Ok(())
    }

    async fn stop_poisoning(&mut self) -> anyhow::Result<()> {
        self.owner.execute("drop trigger spoil on log.event").await?;
        Ok(())
    }

    /// Where the spoilt comment is. The tenant's own list of events cannot be asked: it would show what does not open.
    async fn spoilt(&mut self) -> anyhow::Result<i64> {
        let spoilt = sqlx::query_scalar(
            "select max(position) from log.event where tenant_id = $1 and event_type = 'comment_added'",
        );
        Ok(spoilt.bind(self.acme.id.parse::<TenantId>()?.get()).fetch_one(&mut self.owner).await?)
    }

    /// The byte as it was.
    async fn mend(&mut self, position: i64) -> anyhow::Result<()> {
        let id = self.acme.id.parse::<TenantId>()?;
        let mended = sqlx::query!(
            "update log.event set payload = set_byte(payload, 20, get_byte(payload, 20) # 1)
             where tenant_id = $1 and position = $2",
            id.get(),
            position
        );
        anyhow::ensure!(mended.execute(&mut self.owner).await?.rows_affected() == 1, "no event at {position}");
        Ok(())
    }

    /// The tenant's rows of `domicile projections status`, as programs read them.
    async fn status(&self, tenant: &Tenant) -> anyhow::Result<Vec<Value>> {
        let arguments = ["projections", "status", "--region", "eu", "--format", "json"];
        let rows = self.deployment.cli(&arguments).await?.expect(0)?.json()?;
        let rows = rows.as_array().context("a list")?;
        Ok(rows.iter().filter(|row| row["tenant"] == *tenant.slug).cloned().collect())
    }

    /// The tenants halted, as the metrics page says it once the projector has looked.
    async fn halted_tenants(&self, projection: &str) -> anyhow::Result<Option<i64>> {
        let page = self.operations()?.get("/metrics").await?.expect(200)?.text();
        let name = format!("domicile_subscription_halted_tenants{{subscription=\"{projection}\",region=\"eu\"}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&name));
        Ok(value.map(str::parse).transpose()?)
    }

    fn operations(&self) -> anyhow::Result<Client> {
        let region = "eu".parse()?;
        let running = self.deployment.running()?.regions.get(&region).context("the region runs")?;
        Client::new(running.operations, "localhost")
    }

    async fn until_shown(&self, tenant: &Tenant, ticket: i64, comments: &[&str]) -> anyhow::Result<()> {
        let what = format!("{} shows {comments:?}", tenant.slug);
        wait::until(&what, async || Ok((tenant.comments(ticket).await? == comments).then_some(()))).await
    }
}

#[tokio::test]
async fn a_spoilt_event_halts_its_tenant_visibly_and_once_mended_it_goes_on_by_itself() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let (acme, other) = (world.acme.clone(), world.other.clone());
    let (ticket, others) = (acme.ticket("Kettle", "It whistles.").await?, other.ticket("Pot", "It is silent.").await?);
    world.until_shown(&acme, ticket, &["It whistles."]).await?;

    world.poison().await?;
    // It is in the log; the answer would show the ticket with it, and cannot.
    acme.comment(ticket, "Spoilt.", "spoilt").await?.expect(500)?;
    world.stop_poisoning().await?;
    let position = world.spoilt().await?;
    // Commands are taken as ever: what was spoilt is one ticket, and the log goes on.
    let later = acme.ticket("Later", "After it.").await?;

    for projection in READ_BY {
        wait::until(&format!("{projection} is halted"), async || {
            Ok((world.halted_tenants(projection).await? == Some(1)).then_some(()))
        })
        .await?;
    }
    for row in world.status(&acme).await? {
        if READ_BY.iter().any(|projection| row["projection"] == *projection) {
            assert_eq!(row["position"], position - 1, "up to the event before: {row}");
            assert_eq!(
                (&row["halted_at"], &row["halted_event_type"]),
                (&position.into(), &"comment_added".into()),
                "{row}"
            );
            assert_eq!(row["halted_reason"], "the payload does not open under its key and envelope", "{row}");
        } else {
            assert!(row["halted_at"].is_null(), "it has no use for comments: {row}");
        }
    }
    assert!(world.status(&other).await?.iter().all(|row| row["halted_at"].is_null()), "nobody else halts");
    other.comment(others, "Still.", "still").await?.expect(200)?;
    world.until_shown(&other, others, &["It is silent.", "Still."]).await?;
    assert_eq!(acme.comments(ticket).await?, ["It whistles."], "nothing after it is applied");
    let ready = world.operations()?.get("/readyz").await?;
    assert_eq!((ready.status, ready.text().as_str()), (200, "ready\n"), "a halt is no reason to take the region away");

    world.mend(position).await?;
    world.until_shown(&acme, ticket, &["It whistles.", "Spoilt."]).await?;
    world.until_shown(&acme, later, &["After it."]).await?;
    for projection in READ_BY {
        wait::until(&format!("{projection} alarms no more"), async || {
            Ok((world.halted_tenants(projection).await? == Some(0)).then_some(()))
        })
        .await?;
    }
    let head = acme.assert_dense().await?;
    for row in world.status(&acme).await? {
        assert!(row["position"].as_i64() >= Some(head) && row["halted_at"].is_null(), "{row}");
    }
    world.deployment.cli(&["projections", "check", "--region", "eu"]).await?.expect(0)?;
    acme.archived().await?;
    Ok(())
}
