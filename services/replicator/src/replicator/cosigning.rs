//! Has the other regions cosign the tree heads of this one's logs.
//!
//! Each witness has a loop of its own beside the archive's, so one that is down delays its own cosignatures and nothing else. What
//! leaves the region is a log's origin, size, root hash, hashes of its tree, and signatures.
//!
//! How far a witness has come is noted in the database; if the note is lost or wrong, the witness says where it stands.

use archive::{Object, checkpoint::origin, layout, witness::AddCheckpoint};
use auditor::Log;
use eventlog::witness::{Unwitnessed, put_submitted, refused, unwitnessed};
use futures::future::join_all;
use jiff::SignedDuration;
use regions::Resident;
use runtime::Shutdown;
use tokio::time::Instant;

use super::proving;
use crate::{
    deps::ReplicatorDeps,
    error::Error,
    witnesses::{Answer, Asked},
};

/// Logs that are shown to a witness in one round.
const LOGS_MAX: i64 = 200;
/// How long a log that was refused is not shown again.
const REFUSED_FOR: SignedDuration = SignedDuration::from_secs(30);
/// Intervals between two rounds, once a witness has failed as often or more.
const BACKOFF_INTERVALS_MAX: u32 = 32;
/// Rounds between two looks at what a witness holds against this region's logs.
const ROUNDS_BETWEEN_LOOKS: u32 = 5;
/// Times that a witness may correct what size it saw last.
const CORRECTIONS_MAX: u32 = 3;

pub(super) async fn run(deps: &ReplicatorDeps, shutdown: &Shutdown) {
    join_all(deps.witnesses.iter().map(|witness| follow(deps, witness, shutdown))).await;
}

/// Shows a witness what it has not seen, again and again, less often while it is silent.
async fn follow(deps: &ReplicatorDeps, witness: &Asked, shutdown: &Shutdown) {
    let silent = deps.metrics.witness_silent_seconds.with_label_values(&[witness.region.as_str()]);
    // Not in the first round: the others may be starting, too.
    let (mut intervals, mut answered_at, mut rounds) = (1, Instant::now(), 1_u32);
    while shutdown.sleep(deps.interval * intervals).await {
        let is_look = rounds.is_multiple_of(ROUNDS_BETWEEN_LOOKS);
        let done = tokio::select! {
            done = round(deps, witness, is_look) => done,
            () = shutdown.requested() => return,
        };
        rounds = rounds.wrapping_add(1);
        match done {
            Ok(()) => {
                (intervals, answered_at) = (1, Instant::now());
                silent.set(0.0);
            }
            Err(error) => {
                intervals = (intervals * 2).min(BACKOFF_INTERVALS_MAX);
                silent.set(answered_at.elapsed().as_secs_f64());
                let error = runtime::chain(&error);
                tracing::warn!(witness = %witness.region, error, "tree heads are not cosigned, and shown again later");
            }
        }
    }
}

/// Shows what is new; now and then, also proves what somebody else has shown it.
async fn round(deps: &ReplicatorDeps, witness: &Asked, is_look: bool) -> Result<(), Error> {
    show(deps, witness).await?;
    if is_look { proving::look(deps, witness).await } else { Ok(()) }
}

async fn show(deps: &ReplicatorDeps, witness: &Asked) -> Result<(), Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let refused_after = deps.clock.now() - REFUSED_FOR;
    let logs = unwitnessed(&mut connection, &witness.region, refused_after, LOGS_MAX).await.map_err(Error::Log)?;
    drop(connection);
    for log in logs {
        match one(deps, witness, log).await {
            // What is wrong with one log is no reason not to show the others.
            Err(error) if error.is_of_one() => {
                tracing::warn!(tenant.id = %log.tenant_id, witness = %witness.region,
                    error = runtime::chain(&error), "a tree head cannot be shown");
                note(deps, witness, log, Some("its archive cannot be read")).await?;
            }
            done => done?,
        }
    }
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let count = refused(&mut connection, &witness.region).await.map_err(Error::Log)?;
    deps.metrics.witness_refusals.with_label_values(&[witness.region.as_str()]).set(count);
    Ok(())
}

async fn note(deps: &ReplicatorDeps, witness: &Asked, log: Unwitnessed, refusal: Option<&str>) -> Result<(), Error> {
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    put_submitted(&mut connection, (log, &witness.region), refusal, deps.clock.now()).await.map_err(Error::Log)
}

/// Shows the published tree head of a log, and keeps what the witness says of it.
async fn one(deps: &ReplicatorDeps, witness: &Asked, unwitnessed: Unwitnessed) -> Result<(), Error> {
    let tenant_id = unwitnessed.tenant_id;
    let mut connection = deps.pool.acquire().await.map_err(Error::Database)?;
    let resident = Resident::prove_id(&mut connection, &deps.region.id, tenant_id).await;
    drop(connection);
    let resident = resident.map_err(Error::Database)?.ok_or(Error::NotAtHome { tenant_id })?;
    let objects = deps.objects(&resident);
    let key = deps.ring()?.signer_of(tenant_id).verifier().clone();
    let log = Log::open(&objects, Some(&key)).await.map_err(Error::Proof)?;
    let mut old_size = unwitnessed.size;
    for _ in 0..CORRECTIONS_MAX {
        if old_size > log.head().size {
            let refusal = format!("it has seen {old_size} events, and the log has {}", log.head().size);
            tracing::error!(tenant.id = %tenant_id, witness = %witness.region, why = refusal,
                "a witness has seen more of a log than there is");
            return note(deps, witness, Unwitnessed { size: 0, ..unwitnessed }, Some(&refusal)).await;
        }
        let proof = log.growth(old_size).await.map_err(Error::Proof)?;
        let request = AddCheckpoint { old_size, proof, checkpoint: log.note().to_owned() };
        match witness.add_checkpoint(&request).await.map_err(Error::Witness)? {
            Answer::Cosigned(line) => {
                let note_text = format!("{}{line}\n", log.note());
                let object = Object { key: layout::witness(&witness.region), bytes: note_text.into_bytes() };
                objects.replace(&object).await?;
                // A crash before this line: the same head is shown once more, and cosigned once more.
                return note(deps, witness, Unwitnessed { size: log.head().size, ..unwitnessed }, None).await;
            }
            Answer::OldSize(size) => old_size = size,
            Answer::Refused(why) => {
                tracing::error!(tenant.id = %tenant_id, origin = origin(&deps.region.id, tenant_id),
                    witness = %witness.region, why, "a witness refuses a tree head");
                return note(deps, witness, Unwitnessed { size: old_size, ..unwitnessed }, Some(&why)).await;
            }
        }
    }
    note(deps, witness, unwitnessed, Some("it names another size each time")).await
}
