//! Whether the region is well, a line for each thing that may be wrong.

use archive::BackupManifest;
use desk::foundation::{self, Words};
use replicator::backup;

use crate::state::Console;

/// One thing that was looked at.
pub(crate) struct Finding {
    /// What.
    pub(crate) what: String,
    /// Whether nobody need do anything about it.
    pub(crate) is_well: bool,
    /// What was found, in the reader's language.
    pub(crate) found: String,
    /// What the program said, in its own.
    pub(crate) said: Option<String>,
}

type Found = Result<(bool, String), Box<dyn std::error::Error + Send + Sync>>;

/// Looks at everything. A store that does not answer is a finding.
pub(crate) async fn look(console: &Console, words: &Words) -> Vec<Finding> {
    let desk = match foundation::ready(&console.desk).await {
        Ok(()) => finding(words, "ops-health-desk", Ok((true, words.say("ops-ready").to_string()))),
        Err(why) => finding(words, "ops-health-desk", Err(why.into())),
    };
    let all = [
        ("ops-health-tenants", held(console, words).await),
        ("ops-health-projections", halted(console, words).await),
        ("ops-health-backup", newest_backup(console, words).await),
        ("ops-health-drill", newest_drill(console, words).await),
    ];
    std::iter::once(desk).chain(all.into_iter().map(|(what, found)| finding(words, what, found))).collect()
}

fn finding(words: &Words, what: &str, found: Found) -> Finding {
    let what = words.say(what).to_string();
    match found {
        Ok((is_well, found)) => Finding { what, is_well, found, said: None },
        Err(error) => {
            let said = Some(runtime::chain(error.as_ref()).to_string());
            Finding { what, is_well: false, found: words.say("ops-not-known").to_string(), said }
        }
    }
}

async fn held(console: &Console, words: &Words) -> Found {
    let totals = eventlog::totals(&mut *console.backups.deps().pool.acquire().await?).await?;
    Ok((totals.held == 0, words.say("ops-held").count("n", totals.held).to_string()))
}

async fn halted(console: &Console, words: &Words) -> Found {
    let status = projector::status(&mut *console.projector.pool.acquire().await?).await?;
    let halted = status.iter().filter(|one| one.halted.is_some()).count();
    Ok((halted == 0, words.say("ops-halted").count("n", i64::try_from(halted)?).to_string()))
}

/// The newest that is a backup is to be whole, and no older than two times the interval at which they are made.
async fn newest_backup(console: &Console, words: &Words) -> Found {
    let deps = console.backups.deps();
    let listed = backup::list(deps).await?;
    let Some(newest) = listed.iter().filter_map(|listed| listed.manifest.as_ref().ok()).next_back() else {
        return Ok((false, words.say("ops-backup-none").to_string()));
    };
    let age = deps.clock.now().duration_since(newest.cut_at);
    let is_late = deps.region.backup_every.is_some_and(|every| age > every * 2);
    let moment = words.moment(newest.cut_at);
    let said = if is_whole(newest) { "ops-backup-newest" } else { "ops-backup-newest-incomplete" };
    Ok((is_whole(newest) && !is_late, words.say(said).with("moment", moment).to_string()))
}

/// Whether a backup lacks nothing.
pub(crate) fn is_whole(manifest: &BackupManifest) -> bool {
    manifest.incomplete().next().is_none()
}

async fn newest_drill(console: &Console, words: &Words) -> Found {
    let deps = console.backups.deps();
    let Some(newest) = replicator::drills(deps).await?.pop() else {
        return Ok((true, words.say("ops-drill-none").to_string()));
    };
    let report = replicator::show_drill(deps, &newest).await?;
    let wrong = report.tenants.iter().filter(|tenant| tenant.finding.is_some()).count();
    let said = words.say("ops-drill-newest").with("moment", words.moment(report.completed_at));
    Ok((wrong == 0, said.count("wrong", i64::try_from(wrong)?).to_string()))
}
