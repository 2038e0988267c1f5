//! A region's replicator at work, and what is said when it ends by itself.

use replicator::Error;
use runtime::Shutdown;
use schemas::RegionId;
use tokio::task::JoinHandle;

use crate::exit::{Failure, Outcome};

/// A replicator that runs until shutdown, unless it must not go on.
pub struct Replicating {
    region: RegionId,
    task: JoinHandle<Result<(), Error>>,
}

impl Replicating {
    /// Runs it. If it fails, it says so and asks the roles to stop: a region must not take what it does not archive.
    pub(super) fn spawn<F>(region: RegionId, roles: &Shutdown, run: F) -> Self
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (shutdown, id) = (roles.clone(), region.clone());
        let task = roles.spawn(async move {
            let ended = run.await;
            if let Err(error) = &ended {
                tracing::error!(region = %id, error = runtime::chain(error), "the replicator ended");
                shutdown.request();
            }
            ended
        });
        Self { region, task }
    }

    /// Fails, once, if it has failed.
    pub async fn check(&mut self) -> Outcome {
        if !self.task.is_finished() {
            return Ok(());
        }
        let what = format!("the replicator of {} ended", self.region);
        match (&mut self.task).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Error::Bucket(error))) if error.is_refused_bucket() => {
                Err(Failure::configuration(anyhow::Error::from(error).context(what)))
            }
            Ok(Err(error)) => Err(Failure::unavailable(anyhow::Error::from(error).context(what))),
            Err(panicked) => Err(Failure::unavailable(anyhow::Error::from(panicked).context(what))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_replicator_that_fails_stops_the_roles_and_names_its_region() {
        let roles = Shutdown::new();
        let region: RegionId = "eu".parse().expect("an id");
        let mut others = Replicating::spawn("us".parse().expect("an id"), &roles, {
            let roles = roles.clone();
            async move {
                roles.requested().await;
                Ok(())
            }
        });
        assert!(others.check().await.is_ok(), "it runs");
        let mut replicating = Replicating::spawn(region, &roles, async { Err(Error::Contended) });
        roles.requested().await;
        assert!(roles.drain(std::time::Duration::from_secs(20)).await);
        let failure = replicating.check().await.expect_err("it failed");
        assert!(
            failure.to_string().starts_with("the replicator of eu ended: the tenant's archive or log was moved"),
            "{failure}"
        );
        assert!(others.check().await.is_ok(), "it was asked to end");
    }
}
