//! What the region's operator did, told to every tenant it was done to: another signing key, a newer hosting policy, a log that came
//! back from its archive. Each is an event of the tenant's own log, with its entry in the audit log.
//!
//! A command line has no way into every tenant's log: some are closed while it works, and it may be killed. So it leaves what it did
//! where it did it (the folder of keys, the policy's version, `log.restored`), and a desk compares that with what each tenant's log
//! says, at its start, when it changes, and now and then.
//!
//! A crash anywhere leaves tenants who were told and tenants who were not; the next look tells the rest. Two desks that tell the same
//! meet in the stream's version, and the second finds that it was said.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use archive::Succession;
use domain::{
    Aggregate,
    tenant::{Command, Operation, Rejection, Tenant},
};
use eventlog::restore::{self, Restored};
use jiff::{SignedDuration, Timestamp};
use regions::Resident;
use runtime::{Shutdown, crash};
use schemas::{Position, StreamName, TenantId, tenant::SigningKeySucceeded, values::Means};

use crate::{
    caller::provenance::Provenance,
    execute::{Failure, Issuer, Refusal, execute, load},
    home::{Home, home},
    state::Desk,
};

/// How often to look for something new.
const INTERVAL: Duration = Duration::from_secs(2);
/// How often to ask every log again: a tenant may have come from elsewhere, or signed up at a desk that knew less.
const ASK_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Why somebody was not told.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read which keys the region had")]
    Keys(#[source] vault::Error),
    #[error("the statement of succession {number} cannot be read")]
    Succession {
        number: u64,
        #[source]
        source: archive::succession::Error,
    },
    #[error("cannot ask which logs came back from their archives")]
    Restored(#[source] eventlog::Error),
    #[error("cannot ask for the tenants")]
    Tenants(#[source] eventlog::Error),
    #[error("cannot ask where the tenant is")]
    Home(#[source] sqlx::Error),
    #[error("cannot read what the tenant was told")]
    Read(#[source] Failure),
    #[error("cannot read when the tenant signed up")]
    SignedUp(#[source] eventlog::Error),
    #[error("the tenant's rules refuse it")]
    Refused(#[source] Rejection),
    #[error("cannot write to the tenant's log")]
    Write(#[source] Failure),
}

/// What was done in the region.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    successions: Vec<SigningKeySucceeded>,
    policy_version: u32,
    restored: BTreeMap<TenantId, Vec<Restored>>,
}

impl Known {
    async fn read(desk: &Desk) -> Result<Self, Error> {
        let keys = desk.witness.signing.read().map_err(Error::Keys)?;
        let mut successions = Vec::with_capacity(keys.successions.len());
        for (number, statement) in keys.successions {
            let Succession { old, new, at, .. } = Succession::open(&String::from_utf8_lossy(&statement))
                .map_err(|source| Error::Succession { number, source })?;
            // The last one may be of a takeover that is not finished: the key it retires is still at work.
            if *old.public_key() != keys.key.public_key() {
                successions.push(SigningKeySucceeded { number, old: old.to_string(), new: new.to_string(), at });
            }
        }
        let mut connection = desk.pool.acquire().await.map_err(Error::Home)?;
        let mut restored = BTreeMap::<_, Vec<_>>::new();
        for of_one in restore::restored(&mut connection).await.map_err(Error::Restored)? {
            restored.entry(of_one.tenant_id).or_default().push(of_one);
        }
        Ok(Self { successions, policy_version: desk.regions.policy().version(), restored })
    }

    /// What concerns a tenant, and by what means it was done. Keys of before it signed up never signed for it.
    fn of(&self, tenant: TenantId, signed_up_at: Timestamp) -> Vec<(Operation, Provenance)> {
        let successions = self.successions.iter().filter(|succession| succession.at > signed_up_at).map(|succession| {
            (Operation::Succession(succession.clone()), by(Means::CommandLine, "domicile keys rotate"))
        });
        let restored = self.restored.get(&tenant).into_iter().flatten();
        let restored = restored
            .map(|restored| (Operation::Restore(restored.told.clone()), by(Means::CommandLine, &restored.command)));
        let policy = (Operation::Policy(self.policy_version), by(Means::Configuration, "hosting-policy.toml"));
        successions.chain(restored).chain([policy]).collect()
    }
}

fn by(means: Means, client: &str) -> Provenance {
    Provenance { means, client: Some(client.to_owned()), ..Provenance::system() }
}

/// How far this process has come. It only saves asking every log at each look: what a log says decides.
#[derive(Default)]
struct Told {
    of: Option<(Known, Timestamp)>,
    /// Whom it could not tell yet.
    left: BTreeSet<TenantId>,
}

/// Looks now and then until the process ends, and at once when it starts.
pub(crate) async fn run(desk: Desk, shutdown: Shutdown) {
    let mut told = Told::default();
    loop {
        if let Err(error) = told.look(&desk, &shutdown).await {
            tracing::warn!(error = runtime::chain(&error), "tenants are not told yet what was done in the region");
        }
        if !shutdown.sleep(INTERVAL).await {
            return;
        }
    }
}

impl Told {
    /// Looks once.
    async fn look(&mut self, desk: &Desk, shutdown: &Shutdown) -> Result<(), Error> {
        let (known, now) = (Known::read(desk).await?, desk.clock.now());
        let is_told = |(of, at): &&mut (Known, Timestamp)| {
            of.successions == known.successions
                && of.policy_version == known.policy_version
                && now.duration_since(*at) < ASK_EVERY
        };
        match self.of.as_mut().filter(is_told) {
            // A log that came back concerns its tenant alone.
            Some((of, _)) => {
                let came_back =
                    known.restored.iter().filter(|(tenant, restored)| of.restored.get(tenant) != Some(restored));
                self.left.extend(came_back.map(|(tenant, _)| *tenant));
                of.restored.clone_from(&known.restored);
            }
            None => {
                let mut connection = desk.pool.acquire().await.map_err(Error::Home)?;
                let heads = eventlog::heads(&mut connection).await.map_err(Error::Tenants)?;
                self.left = heads.into_iter().map(|head| head.tenant_id).collect();
                self.of = Some((known.clone(), now));
            }
        }
        for tenant in self.left.clone() {
            if shutdown.is_requested() {
                return Ok(());
            }
            match tell(desk, &known, tenant).await {
                Ok(true) => _ = self.left.remove(&tenant),
                // Being restored, or moved: it is told when it is open.
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(tenant.id = %tenant, error = runtime::chain(&error), "a tenant is not told yet what was done");
                }
            }
        }
        Ok(())
    }
}

/// Tells one tenant what its log does not say yet. Whether that is done, and not left for later.
async fn tell(desk: &Desk, known: &Known, tenant: TenantId) -> Result<bool, Error> {
    let resident = match home(desk, tenant).await.map_err(Error::Home)? {
        Home::Open(resident) => resident,
        Home::Closed => return Ok(false),
        // Elsewhere somebody else tells it.
        Home::Elsewhere => return Ok(true),
    };
    let stream = StreamName::Tenant;
    let (state, _) = load::<Tenant>(desk, &resident, &stream).await.map_err(Error::Read)?;
    let signed_up_at = signed_up_at(desk, &resident).await?;
    // A signup that was not finished has nobody to tell.
    let (Some(_), Some(signed_up_at)) = (state.account(), signed_up_at) else { return Ok(true) };
    for (operation, provenance) in known.of(tenant, signed_up_at) {
        let command = Command::Note(operation);
        if state.decide(&command).map_err(Error::Refused)?.is_empty() {
            continue;
        }
        let by = Issuer::system(desk, &resident, provenance);
        match execute::<Tenant>(desk, &by, stream.clone(), None, &command).await {
            Ok(_) => crash::point("desk.operation_told"),
            Err(Refusal::Failed(Failure::NotAtHome { .. })) => return Ok(false),
            Err(Refusal::Failed(failure)) => return Err(Error::Write(failure)),
            Err(Refusal::Rejected(rejection)) => return Err(Error::Refused(rejection)),
        }
    }
    Ok(true)
}

async fn signed_up_at(desk: &Desk, resident: &Resident) -> Result<Option<Timestamp>, Error> {
    let mut transaction = regions::begin(&desk.pool, resident).await.map_err(Error::Home)?;
    let first = eventlog::read_log(&mut transaction, resident, Position::ZERO, 1).await.map_err(Error::SignedUp)?;
    Ok(first.first().map(|event| event.sealed.envelope.recorded_at))
}

#[cfg(test)]
mod tests;
