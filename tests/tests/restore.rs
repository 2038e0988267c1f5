//! A region's database is gone, or an old one is put in its place: what was archived comes back, whoever kills the restore in
//! between, and no second history begins.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use anyhow::Context;
use archive::{Manifest, layout};
use regions::DatabaseRole;
use reqwest::Method;
use schemas::{Hash, TenantId};
use serde_json::Value;
use system_tests::{
    Deployment, Setup, Tenant,
    client::{self, Answer},
    wait,
};

/// The steps of a tenant's restore, in their order.
const STEPS: [&str; 4] = ["restore.closed", "restore.put", "restore.keys", "restore.opened"];

struct Region {
    deployment: Deployment,
    acme: Tenant,
    globex: Tenant,
    ticket: i64,
}

impl Region {
    async fn start() -> anyhow::Result<Self> {
        let deployment = Deployment::start(Setup::regions(&["eu"])).await?;
        let (acme, globex) = (deployment.signup("eu", "acme").await?, deployment.signup("eu", "globex").await?);
        let ticket = acme.ticket("Printer on fire", "It smokes").await?;
        globex.ticket("Printer", "It is out of paper").await?;
        deployment.flush("eu").await?;
        Ok(Self { deployment, acme, globex, ticket })
    }

    /// Starts it again after something was done to its folder.
    async fn again(&mut self) -> anyhow::Result<()> {
        self.deployment.begin().await?;
        self.acme = self.acme.again(&self.deployment)?;
        self.globex = self.globex.again(&self.deployment)?;
        Ok(())
    }

    /// What commands of both tenants wrote, by their own accounts: once the read models know those again.
    async fn events(&self) -> anyhow::Result<[Vec<Value>; 2]> {
        let events = async |tenant: &Tenant| {
            wait::until("the read models know who asks", async || Ok(tenant.written_events().await.ok())).await
        };
        Ok([events(&self.acme).await?, events(&self.globex).await?])
    }

    /// Every log is whole, read models and archives agree with it.
    async fn whole(&self) -> anyhow::Result<()> {
        self.deployment.flush("eu").await?;
        self.deployment.cli(&["projections", "check", "--region", "eu"]).await?.expect(0)?;
        for tenant in ["acme", "globex"] {
            self.deployment.cli(&["audit", "verify", "--region", "eu", "--tenant", tenant]).await?.expect(0)?;
        }
        self.deployment.cli(&["doctor"]).await?.expect(0).map(drop)
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(Command::new("cp").arg("-a").arg(from).arg(to).status()?.success());
    Ok(())
}

/// What a command said of its progress, as done and total: it only goes up, to all of it.
fn progress(stderr: &str, what: &str) -> anyhow::Result<Vec<(u64, u64)>> {
    let counts = stderr.lines().filter_map(|line| line.strip_prefix(&format!("{what}, steps: "))).map(|line| {
        let count = line.split([' ', ',']).next().unwrap_or_default();
        let (done, total) = count.split_once('/').with_context(|| format!("no count: {line}"))?;
        anyhow::Ok((done.parse()?, total.parse()?))
    });
    let counts = counts.collect::<Result<Vec<_>, _>>()?;
    let last = counts.last().with_context(|| format!("no progress of {what}: {stderr}"))?;
    assert!(
        last.0 == last.1 && last.1 > 0 && counts.is_sorted() && counts.iter().all(|count| count.1 == last.1),
        "{stderr}"
    );
    Ok(counts)
}

#[tokio::test]
async fn a_region_whose_database_is_gone_comes_back_through_a_kill_at_every_step() -> anyhow::Result<()> {
    let mut region = Region::start().await?;
    let before = region.events().await?;
    region.deployment.interrupt().await?;
    fs::remove_dir_all(region.deployment.data().join("eu/postgres"))?;
    region.again().await?;
    assert_eq!(region.acme.comment(region.ticket, "Hello?", "k").await?.status, 421, "nobody is at home");

    let restore = ["restore", "region", "--region", "eu", "--format", "json"];
    for step in STEPS {
        let killed = region.deployment.cli_with(&restore, &[("DOMICILE_CRASH_AT", step)]).await?;
        assert_eq!(killed.code, None, "{step}: {}{}", killed.stdout, killed.stderr);
        if step == "restore.keys" {
            let found = region.deployment.cli(&["doctor"]).await?.expect(1)?;
            let named =
                "a restore of it was begun and is not finished; it takes no writes until: domicile doctor --heal";
            assert!(found.stdout.contains(named), "{}", found.stdout);
        }
    }
    let restored = region.deployment.cli(&restore).await?.expect(0)?;
    // Killed when the first tenant was open: that one is not to be done again, and counts.
    let begun_at = progress(&restored.stderr, "restore eu")?[0];
    assert!(begun_at.0 > 0 && begun_at.0 < begun_at.1, "{}", restored.stderr);
    assert!(restored.stderr.contains("written; 2 of 2 tenants)"), "{}", restored.stderr);
    let rows = restored.json()?;
    let results: Vec<_> = rows.as_array().into_iter().flatten().map(|row| row["result"].clone()).collect();
    assert!(results.len() == 2 && results.iter().all(|result| result.to_string().contains("restored")), "{rows}");

    let after = region.events().await?;
    for (before, after) in before.iter().zip(&after) {
        let restored = after.get(..before.len());
        assert_eq!(restored, Some(&before[..]), "the same positions, ids, times and data; what is told of it follows");
    }
    region.acme.comment(region.ticket, "It is out", "l").await?.expect(200)?;
    wait::until("both comments are there", async || {
        let mut comments = region.acme.comments(region.ticket).await?;
        comments.sort();
        Ok((comments == ["It is out", "It smokes"]).then_some(()))
    })
    .await?;
    region.whole().await?;
    // Not once more, over what has happened since.
    let signup = region.deployment.signup("eu", "initech").await?;
    let refused = region.deployment.cli(&restore).await?.expect(64)?;
    assert!(refused.stderr.contains("region eu is not empty: it holds initech"), "{}", refused.stderr);
    signup.ticket("Mine", "stays").await?;
    Ok(())
}

/// The last positions of the segments and of what the manifests name, of every tenant.
fn written(bucket: &Path) -> anyhow::Result<[BTreeMap<TenantId, u64>; 2]> {
    let (mut segments, mut named) = (BTreeMap::new(), BTreeMap::new());
    for tenant in fs::read_dir(bucket.join("tenants"))? {
        let tenant = tenant?.path();
        let id: TenantId = tenant.file_name().and_then(|name| name.to_str()).context("a name")?.parse()?;
        let keys = |folder: &str| anyhow::Ok(fs::read_dir(tenant.join(folder))?.collect::<Result<Vec<_>, _>>()?);
        for segment in keys("events")? {
            let key = format!("events/{}", segment.file_name().to_string_lossy());
            let last = layout::segment_range(&key).map_or(0, |(_, last)| last.get().unsigned_abs());
            segments.entry(id).and_modify(|newest| *newest = last.max(*newest)).or_insert(last);
        }
        for manifest in keys("manifest")? {
            let size = Manifest::claimed(&fs::read(manifest.path())?).map_or(0, |manifest| manifest.size);
            named.entry(id).and_modify(|newest| *newest = size.max(*newest)).or_insert(size);
        }
    }
    Ok([segments, named])
}

#[tokio::test]
async fn a_segment_whose_database_died_before_it_was_published_comes_back() -> anyhow::Result<()> {
    let mut region = Region::start().await?;
    let bucket = region.deployment.data().join("eu/s3").join(&region.deployment.region("eu")?.bucket);
    region.deployment.interrupt().await?;
    region.deployment.launch(&[("DOMICILE_CRASH_AT", "replicator.segment")]).await?;
    let acme = region.acme.again(&region.deployment)?;
    let mut number = 0;
    wait::until("the process dies with a segment", async || {
        if region.deployment.has_ended() {
            return Ok(Some(()));
        }
        number += 1;
        let _ = acme.comment(region.ticket, &format!("comment {number}"), &format!("k{number}")).await;
        Ok(None)
    })
    .await?;
    region.deployment.ended().await?;
    let [segments, named] = written(&bucket)?;
    assert_ne!(segments, named, "a segment that no manifest names");
    // Its last process may outlive the one that died by a moment, and writes until then.
    let postgres = region.deployment.data().join("eu/postgres");
    wait::until("the database is gone", async || Ok(fs::remove_dir_all(&postgres).is_ok().then_some(()))).await?;

    region.again().await?;
    let restore = ["restore", "region", "--region", "eu", "--format", "json"];
    let rows = region.deployment.cli(&restore).await?.expect(0)?.json()?;
    for row in rows.as_array().into_iter().flatten() {
        let id: TenantId = row["tenant_id"].as_str().context("an id")?.parse()?;
        assert_eq!(row["events"].as_u64(), segments.get(&id).copied(), "{rows}");
    }
    region.events().await?;
    region.acme.comment(region.ticket, "And on", "on").await?.expect(200)?;
    region.whole().await
}

#[tokio::test]
async fn a_database_that_was_put_back_takes_no_writes_until_it_is_healed() -> anyhow::Result<()> {
    let mut region = Region::start().await?;
    region.deployment.interrupt().await?;
    let (postgres, old) = (region.deployment.data().join("eu/postgres"), region.deployment.beside("old"));
    copy(&postgres, &old)?;
    region.again().await?;
    for number in 0..3 {
        region.acme.comment(region.ticket, &format!("comment {number}"), &format!("k{number}")).await?.expect(200)?;
    }
    // Nobody reads meanwhile: that would be in the log, too.
    region.deployment.flush("eu").await?;
    region.deployment.interrupt().await?;
    fs::remove_dir_all(&postgres)?;
    copy(&old, &postgres)?;

    region.again().await?;
    let log = region.deployment.log()?;
    assert!(log.contains("3 events are missing; it takes no writes until: domicile doctor --heal"), "{log}");
    let refused = region.acme.comment(region.ticket, "A second history", "fork").await?;
    assert_eq!(refused.status, 503, "{:?}", refused.body);
    assert!(refused.body.to_string().contains("closed until its history is whole again"), "{:?}", refused.body);
    region.globex.ticket("Next door", "goes on").await?;
    let found = region.deployment.cli(&["doctor"]).await?.expect(1)?;
    assert!(found.stdout.contains("tenant acme: the published checkpoint is at position"), "{}", found.stdout);

    let healed = region.deployment.cli(&["doctor", "--heal"]).await?.expect(0)?;
    assert_eq!(progress(&healed.stderr, "restore acme")?[0].0, 0, "{}", healed.stderr);
    assert!(healed.stdout.contains("brought forward by 3 events"), "{}", healed.stdout);
    wait::until("the comments are back", async || {
        let comments = region.acme.comments(region.ticket).await?;
        Ok((comments == ["It smokes", "comment 0", "comment 1", "comment 2"]).then_some(()))
    })
    .await?;
    region.acme.comment(region.ticket, "And on", "on").await?.expect(200)?;
    region.whole().await
}

#[tokio::test]
async fn a_tenant_that_came_after_the_database_was_put_back_is_named_and_healed() -> anyhow::Result<()> {
    let mut region = Region::start().await?;
    region.deployment.interrupt().await?;
    let (postgres, old) = (region.deployment.data().join("eu/postgres"), region.deployment.beside("old"));
    copy(&postgres, &old)?;
    region.again().await?;
    let initech = region.deployment.signup("eu", "initech").await?;
    let ticket = initech.ticket("Stapler", "It is mine").await?;
    initech.comment(ticket, "It is red", "k").await?.expect(200)?;
    region.deployment.cli(&["doctor"]).await?.expect(0)?;
    region.deployment.flush("eu").await?;
    region.deployment.interrupt().await?;
    fs::remove_dir_all(&postgres)?;
    copy(&old, &postgres)?;

    region.again().await?;
    let initech = initech.again(&region.deployment)?;
    assert_eq!(initech.comment(ticket, "Anybody?", "lost").await?.status, 421);
    region.globex.ticket("Next door", "goes on").await?;
    let found = region.deployment.cli(&["doctor"]).await?.expect(1)?;
    let named: Vec<_> = found.stdout.lines().filter(|line| line.contains("tenant initech")).collect();
    assert_eq!(named.len(), 1, "{}", found.stdout);
    assert!(named[0].contains("the database does not know it"), "{}", named[0]);
    assert!(named[0].contains("domicile doctor --heal"), "{}", named[0]);
    assert!(!found.stdout.contains("tenant acme") && !found.stdout.contains("tenant globex"), "{}", found.stdout);

    let healed = region.deployment.cli(&["doctor", "--heal"]).await?.expect(0)?;
    assert_eq!(progress(&healed.stderr, "restore initech")?[0].0, 0, "{}", healed.stderr);
    wait::until("the comments are back", async || {
        // Until the desk finds the tenant, nobody is at home, and until the read models do, nobody may come in.
        Ok((initech.comments(ticket).await.unwrap_or_default() == ["It is mine", "It is red"]).then_some(()))
    })
    .await?;
    region.deployment.cli(&["doctor"]).await?.expect(0)?;
    initech.comment(ticket, "And on", "on").await?.expect(200)?;
    region.whole().await?;
    region.deployment.cli(&["audit", "verify", "--region", "eu", "--tenant", "initech"]).await?.expect(0).map(drop)
}

#[tokio::test]
async fn a_tenant_as_it_was_lies_beside_the_living_one_until_it_is_dropped() -> anyhow::Result<()> {
    let region = Region::start().await?;
    let moment = region.acme.written().await?.to_string();
    region.acme.comment(region.ticket, "It is out", "k").await?.expect(200)?;
    region.deployment.flush("eu").await?;
    let stream = format!("ticket-{}", region.ticket);
    let named = ["--region", "eu", "--name", "then"];
    let restore = async |verb: &str, rest: &[&str]| {
        let arguments = [&["restore", verb][..], &named, rest].concat();
        region.deployment.cli(&arguments).await
    };
    let json = ["--format", "json"];

    let beside = ["--tenant", "acme", "--at", &moment];
    // Killed in between, the same command goes on.
    for step in ["beside.database", "restore.put", "restore.keys"] {
        let killed = [&["restore", "beside"][..], &named, &beside].concat();
        let killed = region.deployment.cli_with(&killed, &[("DOMICILE_CRASH_AT", step)]).await?;
        assert_eq!(killed.code, None, "{step}: {}{}", killed.stdout, killed.stderr);
        let half = restore("diff", &[]).await?.expect(64)?;
        assert!(half.stderr.contains("then is not whole"), "{}", half.stderr);
    }
    let another = restore("beside", &["--tenant", "globex"]).await?.expect(64)?;
    assert!(another.stderr.contains("then"), "{}", another.stderr);
    let made = restore("beside", &beside).await?.expect(0)?;
    progress(&made.stderr, "copy acme")?;
    restore("beside", &beside).await?.expect(64)?;
    let listed = region.deployment.cli(&["restore", "list", "--region", "eu", "--format", "json"]).await?.expect(0)?;
    assert_eq!((&listed.json()?[0]["name"], &listed.json()?[0]["state"]), (&"then".into(), &"whole".into()));

    let shown = restore("show", &json).await?.expect(0)?.json()?;
    assert_eq!((&shown[0]["ticket"], &shown[0]["subject"]), (&Value::from(&*stream), &"Printer on fire".into()));
    let found = restore("diff", &json).await?.expect(0)?;
    assert!(found.stdout.contains("It is out") && !found.stdout.contains("It is out of paper"), "{}", found.stdout);
    let found = found.json()?;
    let changed = found.as_array().into_iter().flatten().find(|row| row["stream"] == *stream);
    assert_eq!(changed.map(|row| &row["kind"]), Some(&"changed".into()), "{found}");
    restore("drop", &[]).await?.expect(0)?;
    restore("show", &[]).await?.expect(64)?;
    region.whole().await
}

#[tokio::test]
async fn a_drill_finds_tenants_the_same_until_one_is_not_and_leaves_no_scratch() -> anyhow::Result<()> {
    let region = Region::start().await?;
    let drill = async |rest: &[&str]| {
        region.deployment.cli(&[&["drill", "--region", "eu", "--format", "json"][..], rest].concat()).await
    };
    let copies = async || {
        let listed = region.deployment.cli(&["restore", "list", "--region", "eu", "--format", "ndjson"]).await?;
        Ok::<_, anyhow::Error>(listed.expect(0)?.stdout.lines().count())
    };
    // A drill that is killed leaves its scratch to the next.
    let killed = ["drill", "--region", "eu"];
    let killed = region.deployment.cli_with(&killed, &[("DOMICILE_CRASH_AT", "restore.opened")]).await?;
    assert_eq!((killed.code, copies().await?), (None, 1), "{}{}", killed.stdout, killed.stderr);
    // An archive that was read back is left alone for an hour: only the drill moves the mark from here on.
    let mut read_back = [0; 2];
    for (mark, tenant) in read_back.iter_mut().zip([&region.acme, &region.globex]) {
        let verified = async || Ok(Some(tenant.mark("verified").await?).filter(|mark| *mark > 0));
        *mark = wait::until("it was read back", verified).await?;
        tenant.ticket("Another", "Since then").await?;
    }
    region.deployment.flush("eu").await?;
    assert_eq!([region.acme.mark("verified").await?, region.globex.mark("verified").await?], read_back);
    let same = drill(&[]).await?.expect(0)?;
    progress(&same.stderr, "drill eu")?;
    let same = same.json()?;
    let tenants: Vec<_> = same["tenants"].as_array().into_iter().flatten().collect();
    assert!(tenants.len() == 2 && tenants.iter().all(|tenant| tenant["finding"].is_null()), "{same}");
    assert_eq!(copies().await?, 0);
    let drilled = [region.acme.mark("verified").await?, region.globex.mark("verified").await?];
    assert!(drilled[0] > read_back[0] && drilled[1] > read_back[1], "{read_back:?} {drilled:?}");

    let mut owner = regions::connection(&region.deployment.region("eu")?, DatabaseRole::Owner).await?;
    let spoil = "update read_ticket_list_1.ticket_list set subject = 'Another' where subject = 'Printer'";
    anyhow::ensure!(sqlx::raw_sql(spoil).execute(&mut owner).await?.rows_affected() == 1);
    drill(&["--tenant", "acme"]).await?.expect(0)?;
    region.globex.ticket("One more", "And archived").await?;
    region.deployment.flush("eu").await?;
    let wrong = drill(&["--tenant", "globex"]).await?.expect(1)?;
    assert_eq!(region.globex.mark("verified").await?, drilled[1], "what did not come out as it lives is not verified");
    assert!(wrong.stdout.contains("ticket_list") && wrong.stderr.contains("1 tenants did not come out"), "{wrong:?}");
    let listed = drill(&["--list"]).await?.expect(0)?.json()?;
    let results: Vec<_> = listed.as_array().into_iter().flatten().map(|row| &row["result"]).collect();
    assert_eq!(results, ["the same", "the same", "1 wrong"]);
    let id = listed[2]["drill"].as_str().unwrap_or_default();
    assert_eq!(drill(&["--show", id]).await?.expect(1)?.json()?, wrong.json()?);
    drill(&["--show", "20260101T000000Z-0000"]).await?.expect(64)?;
    Ok(())
}

/// The root over a tenant's first events, as many as are asked for; its state, too.
async fn root_of(region: &Region, slug: &str, size: Option<u64>) -> anyhow::Result<(u64, Hash, String)> {
    let mut owner = regions::connection(&region.deployment.region("eu")?, DatabaseRole::Owner).await?;
    let leaves = sqlx::query_scalar!(
        "select e.leaf from log.event e join log.tenant t using (tenant_id) where t.slug = $1 and e.position <= $2
        order by e.position",
        slug,
        size.map_or(i64::MAX, u64::cast_signed)
    );
    let leaves: Vec<_> =
        leaves.fetch_all(&mut owner).await?.iter().map(|leaf| Hash::try_from(leaf.as_slice())).collect();
    let leaves = leaves.into_iter().collect::<Result<Vec<_>, _>>()?;
    let state = sqlx::query_scalar!("select state from log.tenant where slug = $1", slug).fetch_one(&mut owner).await?;
    Ok((leaves.len() as u64, archive::merkle::root_of(&leaves), state))
}

/// Uploads a file to a new ticket; gives where it is read.
async fn attach(tenant: &Tenant, bytes: &[u8]) -> anyhow::Result<String> {
    let upload = tenant.client.request(Method::POST, "/api/v2/uploads.json?filename=scan.bin").body(bytes.to_vec());
    let upload = client::send(upload.header("content-type", "application/octet-stream")).await?.expect(201)?.body;
    let comment = serde_json::json!({ "body": "See the file", "uploads": [upload["upload"]["token"]] });
    let ticket = serde_json::json!({ "ticket": { "subject": "A file", "comment": comment } });
    tenant.client.post("/api/v2/tickets.json", &ticket).await?.expect(201)?;
    let url = upload["upload"]["attachment"]["content_url"].as_str().context("an address")?;
    let (_, path) = url.split_once("/attachments/").with_context(|| format!("no address of a file: {url}"))?;
    Ok(format!("/attachments/{path}"))
}

#[tokio::test]
async fn a_tenant_comes_back_in_its_place_with_its_files_and_a_wrong_clock_does_not_close_it() -> anyhow::Result<()> {
    let mut region = Region::start().await?;
    let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    let file = attach(&region.acme, &bytes).await?;
    assert_eq!(region.acme.client.get(&file).await?.expect(200)?.bytes, bytes);
    region.deployment.flush("eu").await?;
    let restore = ["restore", "tenant", "--region", "eu", "--tenant", "acme", "--format", "json"];

    let behind = region.deployment.beside("clock");
    fs::write(&behind, "-86400")?;
    let clock = [("DOMICILE_CLOCK_OFFSET_FILE", behind.to_str().context("a path")?)];
    let refused = region.deployment.cli_with(&restore, &clock).await?.expect(1)?;
    let line = refused.stderr.lines().find(|line| line.contains("this machine's clock says")).context("a line")?;
    assert!(line.contains("of acme was made at") && line.ends_with("set the clock first"), "{line}");
    assert_eq!(root_of(&region, "acme", None).await?.2, "active");
    region.acme.comment(region.ticket, "We are still here", "still").await?.expect(200)?;
    region.deployment.flush("eu").await?;

    let (acme, globex) = (root_of(&region, "acme", None).await?, root_of(&region, "globex", None).await?);
    let mut owner = regions::connection(&region.deployment.region("eu")?, DatabaseRole::Owner).await?;
    let spoil = "delete from log.event e using log.tenant t
        where t.tenant_id = e.tenant_id and t.slug = 'acme' and e.position between 3 and 5;
        update log.event e set payload = '\\x00' from log.tenant t
        where t.tenant_id = e.tenant_id and t.slug = 'acme' and e.position = 7;
        delete from vault.data_key k using log.tenant t
        where t.tenant_id = k.tenant_id and t.slug = 'acme' and k.scope like 'attachment-%'";
    sqlx::raw_sql(spoil).execute(&mut owner).await?;
    assert_ne!(root_of(&region, "acme", Some(acme.0)).await?.1, acme.1, "the control");
    let restored = region.deployment.cli(&restore).await?.expect(0)?;
    progress(&restored.stderr, "restore acme")?;
    let restored = restored.json()?;
    let found = ["added", "mended", "set_aside", "keys", "keys_missing"].map(|name| restored[name].as_u64());
    assert_eq!(found, [3, 1, 0, 1, 0].map(Some), "{restored}");
    assert_eq!(root_of(&region, "acme", Some(acme.0)).await?, acme);
    assert_eq!(root_of(&region, "globex", Some(globex.0)).await?, globex);

    // A desk that holds no key in memory.
    region.deployment.interrupt().await?;
    region.again().await?;
    let file = wait::until("the file is back", async || {
        let answer = region.acme.client.get(&file).await?;
        Ok((answer.status == 200).then_some(answer.bytes))
    });
    assert_eq!(file.await?, bytes, "every byte of the file");
    region.acme.comment(region.ticket, "And on", "on").await?.expect(200)?;
    region.whole().await
}

async fn delete(tenant: &Tenant, path: &str) -> anyhow::Result<Answer> {
    client::send(tenant.client.request(Method::DELETE, path)).await
}

/// A hash of everything in the neighbour's log, but for who read what, which comes a moment after it was read.
async fn neighbours_log(region: &Region) -> anyhow::Result<Option<String>> {
    let mut owner = regions::connection(&region.deployment.region("eu")?, DatabaseRole::Owner).await?;
    let log = sqlx::query_scalar!(
        "select md5(string_agg(encode(e.leaf, 'hex'), ',' order by e.position)) from log.event e
        join log.tenant t using (tenant_id) where t.slug = 'globex' and e.stream not like 'access-%'"
    );
    Ok(log.fetch_one(&mut owner).await?)
}

#[tokio::test]
async fn a_deleted_ticket_is_brought_back_by_an_event_and_nobody_else_is_touched() -> anyhow::Result<()> {
    let region = Region::start().await?;
    let number = region.ticket.to_string();
    let moment = region.acme.written().await?.to_string();
    let restore = async |rest: &[&str]| {
        let named =
            ["restore", "ticket", "--region", "eu", "--tenant", "acme", "--ticket", &number, "--format", "json"];
        region.deployment.cli(&[&named[..], rest].concat()).await
    };
    let path = format!("/api/v2/tickets/{number}");
    let neighbour = neighbours_log(&region).await?;
    let spoilt = serde_json::json!({ "ticket": { "subject": "Nothing", "priority": "low" } });
    region.acme.client.put(&path, &spoilt).await?.expect(200)?;
    restore(&[]).await?.expect(64)?;
    delete(&region.acme, &path).await?.expect(204)?;
    let back = restore(&["--at", &moment]).await?.expect(0)?.json()?;
    assert_eq!((&back["was_deleted"], back["events"].as_i64() > Some(0)), (&true.into(), true), "{back}");
    let ticket = wait::until("the ticket is back", async || {
        let found = region.acme.client.get(&path).await?;
        Ok((found.status == 200).then_some(found.body))
    })
    .await?;
    let fields = ["subject", "priority"].map(|field| ticket["ticket"][field].clone());
    assert_eq!(fields, ["Printer on fire".into(), Value::Null], "{ticket}");
    assert_eq!(neighbours_log(&region).await?, neighbour);

    delete(&region.acme, &path).await?.expect(204)?;
    delete(&region.acme, &format!("/api/v2/deleted_tickets/{number}")).await?.expect(200)?;
    let erased = restore(&[]).await?.expect(64)?;
    assert!(erased.stderr.contains("was erased: its keys are destroyed"), "{}", erased.stderr);
    Ok(())
}
