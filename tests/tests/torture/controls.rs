//! Positive controls: with something broken on purpose, the checker must go red, and with nothing broken it must not.
//!
//! Each runs real desks and writers, without kills.

use std::path::{Path, PathBuf};

use regions::DatabaseRole;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use system_tests::history::{Finding, check::Rule};

use crate::{
    crew::{Ground, REGION},
    run::Run,
};

/// Any seed: what is broken does not depend on luck.
const SEED: u64 = 7;
/// Acknowledged operations that a control lets through.
const OPERATIONS: usize = 50;

fn rules(findings: &[Finding]) -> Vec<Rule> {
    let mut rules: Vec<Rule> = findings.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

async fn owner(run: &Run) -> anyhow::Result<PgConnection> {
    Ok(regions::connection(&run.crew.roles.region(REGION)?, DatabaseRole::Owner).await?)
}

async fn written(run: &Run) -> anyhow::Result<()> {
    run.write(SEED, run.desks.acknowledged(OPERATIONS)).await?;
    run.settle().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_row_lock_the_checker_goes_red() -> anyhow::Result<()> {
    let run = Run::start(Ground::Careless).await?;
    let mut owner = owner(&run).await?;
    remove_row_lock(&mut owner).await?;
    written(&run).await?;
    let findings = run.findings_in_logs().await?;
    let rules = rules(&findings);
    assert!(rules.contains(&Rule::PositionsAreDense), "two desks at once take the same positions: {rules:?}");
    Ok(())
}

/// The step behind the lock, as the functions name it.
const READ: &str = "-- 2. Read";

/// The functions that append read the head row without locking it and take their time, and the unique indexes that would
/// still refuse a double are gone.
async fn remove_row_lock(owner: &mut PgConnection) -> anyhow::Result<()> {
    let functions = sqlx::query!(
        r#"select p.proname as "name!", pg_get_functiondef(p.oid) as "definition!" from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'log' and p.proname like 'append%'"#
    )
    .fetch_all(&mut *owner)
    .await?;
    let mut locks = 0;
    for function in functions {
        let definition = function.definition;
        let changed = if definition.contains("for update") {
            locks += 1;
            definition
                .replace("for update", "")
                .replace(READ, &format!("perform pg_catalog.pg_sleep(0.02);\n    {READ}"))
        } else {
            // The quick way for one event locks by its update. It may always say that it cannot, and the other is asked.
            definition.replacen("begin\n", "begin\n    return null;\n", 1)
        };
        let is_known = changed.contains("pg_sleep") || changed.contains("begin\n    return null;");
        anyhow::ensure!(is_known, "log.{} is not as this control knows it", function.name);
        owner.execute(AssertSqlSafe(changed)).await?;
    }
    anyhow::ensure!(locks > 0, "no function of the log locks a row: the control has nothing to remove");
    let constraints = sqlx::query_scalar!(
        r#"select conname::text as "name!" from pg_constraint where conrelid = 'log.event'::regclass and contype in ('p', 'u')"#
    )
    .fetch_all(&mut *owner)
    .await?;
    for constraint in constraints {
        owner.execute(AssertSqlSafe(format!("alter table log.event drop constraint {constraint}"))).await?;
    }
    owner.execute("create index on log.event (tenant_id, position)").await?;
    owner.execute("create index on log.event (tenant_id, stream, version)").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_fsync_and_with_a_lost_page_cache_the_checker_goes_red() -> anyhow::Result<()> {
    let run = Run::start(Ground::Careless).await?;
    written(&run).await?;
    let on_disk = run.crew.with_postgres_down(copy_of_data).await??;
    written(&run).await?;
    // Asked before: desks that see the archive ahead of their log answer nothing afterwards.
    let marked = run.marked().await?;
    // Power fails: what the server had written and never synced is gone.
    run.crew.with_postgres_down(|folder| restore_data(folder, &on_disk)).await??;
    run.settle().await?;
    let rules = rules(&run.findings_in_logs_of(&marked).await?);
    assert!(rules.contains(&Rule::AcknowledgedIsThere), "what was acknowledged is gone: {rules:?}");
    Ok(())
}

fn copy_of_data(folder: &Path) -> anyhow::Result<PathBuf> {
    let copy = folder.with_file_name("on-disk");
    copy_whole(&folder.join("data"), &copy)?;
    Ok(copy)
}

fn restore_data(folder: &Path, on_disk: &Path) -> anyhow::Result<()> {
    std::fs::remove_dir_all(folder.join("data"))?;
    copy_whole(on_disk, &folder.join("data"))
}

/// With owners and modes, which the server looks at.
fn copy_whole(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).output()?;
    anyhow::ensure!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_idempotency_check_the_checker_goes_red() -> anyhow::Result<()> {
    let run = Run::start(Ground::Careless).await?;
    // Nothing is remembered of any request, so that nothing is found when it comes again.
    let forget = "create function public.forget() returns trigger language plpgsql as 'begin return null; end';
        create trigger forget before insert on log.idempotency for each row execute function public.forget();";
    owner(&run).await?.execute(sqlx::raw_sql(forget)).await?;
    run.write(SEED, run.desks.acknowledged(OPERATIONS * 2)).await?;
    run.settle().await?;
    let rules = rules(&run.findings_in_logs().await?);
    assert!(rules.contains(&Rule::NothingIsDoubled), "a repeated request appends again: {rules:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_tampered_row_or_a_lost_object_the_checker_goes_red_and_without_it_does_not() -> anyhow::Result<()> {
    let run = Run::start(Ground::Careless).await?;
    written(&run).await?;
    let (findings, _) = run.findings().await?;
    assert_eq!(findings, [], "nothing is broken");

    let mut owner = owner(&run).await?;
    let table = sqlx::query!(
        r#"select table_schema as "schema!", table_name as "name!" from information_schema.columns
        where column_name = 'subject' and table_schema like 'read%' order by 1, 2 limit 1"#
    )
    .fetch_one(&mut owner)
    .await?;
    let tamper = format!("update {}.{} set subject = 'tampered'", table.schema, table.name);
    owner.execute(AssertSqlSafe(tamper)).await?;
    std::fs::remove_file(a_segment(run.crew.roles.ground(REGION)?.objects())?)?;
    let rules = rules(&run.findings().await?.0);
    assert_eq!(rules, [Rule::ReadModelsEqualReplay, Rule::ArchiveIsTheLog]);
    Ok(())
}

/// Any segment of an archive.
fn a_segment(objects: &Path) -> anyhow::Result<PathBuf> {
    for entry in std::fs::read_dir(objects)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Ok(found) = a_segment(&path) {
                return Ok(found);
            }
        } else if path.extension().is_some_and(|extension| extension == "zst") {
            return Ok(path);
        }
    }
    anyhow::bail!("no segment under {}", objects.display())
}
