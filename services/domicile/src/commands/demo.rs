//! `domicile demo`: mail as tickets in four tenants in four regions, then each history verified from its archive.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf, time::Duration};

use clap::Args;
use futures::future::try_join_all;
use regions::Region;
use reqwest::Method;
use runtime::Shutdown;
use serde_json::{Value, json};

use super::import::{folders, import_into, stop_on_interrupt};
use crate::{
    cli::{Place, RateLimits, RateLimitsOption, Up},
    commands::audit,
    deployment::Deployment,
    exit::{Failure, Outcome},
    import::{Client, Counts, Source},
    mail::{self, Folder},
    output::{Format, print_list},
    running::Running,
    up::Started,
};

/// How often the archive's mark is looked at, and how often at most.
const ARCHIVE_POLL_INTERVAL: Duration = Duration::from_millis(250);
const ARCHIVE_POLLS_MAX: u32 = 480;

/// `domicile demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Folder of mail; its folders are spread over the regions. A small set of its own when absent.
    #[arg(long, value_name = "FOLDER")]
    pub mail: Option<PathBuf>,
    /// How to print the counts.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Runs it, on the running `up` or on one of its own.
pub async fn run(place: &Place, options: &Demo) -> Outcome {
    let deployment = Deployment::open(place)?;
    if let Ok(running) = deployment.running() {
        return demonstrate(&deployment, &running, options).await;
    }
    eprintln!("nothing runs on {}: starting it for the demo", deployment.data.path().display());
    let free = "127.0.0.1:0".parse().expect("a literal address");
    // Nobody else is on it.
    let rate_limits = RateLimitsOption { rate_limits: RateLimits::Off };
    let started = Started::start(place, &Up { listen: free, listen_tls: free, rate_limits }).await?;
    let outcome = demonstrate(&deployment, &started.running, options).await;
    started.stop().await;
    outcome
}

async fn demonstrate(deployment: &Deployment, running: &Running, options: &Demo) -> Outcome {
    let sample = tempfile_with_sample(options)?;
    let folders = folders(
        options.mail.as_deref().unwrap_or_else(|| sample.as_ref().expect("made when there is no --mail").path()),
    )?;
    let regions: Vec<&Region> = deployment.regions.iter().collect();
    let shutdown = stop_on_interrupt();
    let imports = spread(folders, regions.len()).into_iter().zip(&regions).map(|(folders, region)| {
        let shutdown = &shutdown;
        async move { import_share(deployment, running, region, folders, shutdown).await }
    });
    let counts = try_join_all(imports).await?;
    let interrupted = counts.iter().any(|counts| counts.interrupted);
    print_list(&counts, options.format)?;
    summarise(&counts);
    if interrupted {
        return Err(Failure::unavailable(anyhow::anyhow!("interrupted: run the same command again to go on")));
    }
    let mut is_sound = true;
    for region in regions {
        is_sound &= verify(deployment, running, region).await?;
    }
    shutdown.request();
    if is_sound { Ok(()) } else { Err(Failure::check("an archive does not verify; see above")) }
}

async fn import_share(
    deployment: &Deployment,
    running: &Running,
    region: &Region,
    folders: Vec<Folder>,
    shutdown: &Shutdown,
) -> Result<Counts, Failure> {
    let tenant = tenant_of(region);
    let names: Vec<&str> = folders.iter().map(|folder| folder.name.as_str()).collect();
    eprintln!(
        "{tenant}, at home in {}: {}",
        region.id,
        if names.is_empty() { "no folder".to_owned() } else { names.join(", ") }
    );
    let token = signed_up(deployment, running, region, &tenant).await?;
    let source = Source { tenant, files: folders.into_iter().flat_map(|folder| folder.files).collect() };
    Ok(import_into(&deployment.data, running, &source, &token, shutdown).await?)
}

fn tenant_of(region: &Region) -> String {
    format!("demo-{}", region.id)
}

/// Spreads folders so that every share holds about as many files: the largest goes to the emptiest share.
fn spread(mut folders: Vec<Folder>, shares: usize) -> Vec<Vec<Folder>> {
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.files.len()));
    let mut spread: Vec<Vec<Folder>> = (0..shares).map(|_| Vec::new()).collect();
    for folder in folders {
        let size = |share: &Vec<Folder>| share.iter().map(|folder| folder.files.len()).sum::<usize>();
        if let Some(emptiest) = spread.iter_mut().min_by_key(|share| size(share)) {
            emptiest.push(folder);
        }
    }
    spread
}

/// The tenant's token: of an earlier run, or of the signup that happens now.
async fn signed_up(
    deployment: &Deployment,
    running: &Running,
    region: &Region,
    tenant: &str,
) -> Result<String, Failure> {
    let file = deployment.data.keys(&region.id).join(format!("{tenant}.token"));
    if let Ok(token) = fs::read_to_string(&file) {
        return Ok(token);
    }
    let host = format!("{}.{}", region.id, running.apex);
    let password: String = hex::encode(&deployment.ids.secret()[..16]);
    let signup = json!({
        "subdomain": tenant, "company": format!("Demo {}", region.name), "plan": "enterprise", "locality": region.id,
        "admin": {"name": "Demo Admin", "email": format!("admin@{tenant}.example"), "password": password},
    });
    let answer = Client::new(running.listen, &host, None)?.send(Method::POST, "/api/signup", &signup, None).await?;
    let token = answer.body["api_token"].as_str().unwrap_or_default().to_owned();
    let mut opened = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    opened.write_all(token.as_bytes())?;
    Ok(token)
}

fn summarise(counts: &[Counts]) {
    let sum = |of: fn(&Counts) -> usize| counts.iter().map(of).sum::<usize>();
    eprintln!(
        "{} files: {} messages in {} tickets, {} copies, {} unreadable, {} refused",
        sum(|counts| counts.files),
        sum(|counts| counts.messages),
        sum(|counts| counts.tickets),
        sum(|counts| counts.copies),
        sum(|counts| counts.unreadable),
        sum(|counts| counts.refused),
    );
}

/// Waits until the archive holds everything, then verifies it.
async fn verify(deployment: &Deployment, running: &Running, region: &Region) -> Result<bool, Failure> {
    let tenant = tenant_of(region);
    let token = signed_up(deployment, running, region, &tenant).await?;
    let client = Client::new(running.listen, &format!("{tenant}.{}", running.apex), Some(&token))?;
    for _ in 0..ARCHIVE_POLLS_MAX {
        let marks: Value = client.get("/api/domicile/v1/marks").await?;
        let position = |mark: &str| marks[mark]["position"].as_i64();
        if position("archived").is_some() && position("archived") >= position("acked") {
            break;
        }
        tokio::time::sleep(ARCHIVE_POLL_INTERVAL).await;
    }
    let report = audit::verify_tenant(deployment, &region.id, &tenant.parse()?).await?;
    audit::print_report(&report, &format!("{}/{tenant}", region.id), Format::Table)
}

fn tempfile_with_sample(options: &Demo) -> anyhow::Result<Option<mail::sample::Sample>> {
    if options.mail.is_some() {
        return Ok(None);
    }
    Ok(Some(mail::sample::Sample::unpack()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_spread_evenly_and_none_is_lost() {
        let folder = |name: &str, files: usize| Folder { name: name.to_owned(), files: vec![PathBuf::new(); files] };
        let folders =
            vec![folder("a", 2), folder("b", 53), folder("c", 9), folder("d", 2), folder("e", 210), folder("f", 12)];
        let shares = spread(folders, 4);
        let sizes: Vec<usize> =
            shares.iter().map(|share| share.iter().map(|folder| folder.files.len()).sum()).collect();
        assert_eq!(sizes, [210, 53, 12, 13]);
    }
}
