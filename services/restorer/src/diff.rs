//! What a copy and the living tenant differ in: the state of each stream, folded from the two logs by the rules of the domain, and
//! compared as an auditor compares two moments.

use std::collections::BTreeSet;

use auditor::replay::{Change, Filter, Fold, Kind, Payload, State, changes};
use regions::Resident;
use schemas::{Position, StreamName, TenantId};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    beside::{self, Beside},
    deps::RestorerDeps,
    error::Error,
};

/// Events that are read and opened at once.
const BATCH: i64 = 1_000;

/// A stream that is another in the living tenant than in a copy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Which.
    pub stream: StreamName,
    /// What became of it since.
    pub kind: Kind,
    /// Its fields: of the copy the old, of the living tenant the new.
    pub changes: Vec<Change>,
}

/// The state of the living tenant, as its log tells it. Personal data is exposed to whoever asks.
///
/// # Errors
/// If the tenant is not open here, or a store does not answer.
pub async fn living(deps: &RestorerDeps, tenant_id: TenantId) -> Result<State, Error> {
    let resident = deps.resident(tenant_id).await?;
    fold(deps, &mut deps.owner().await?, &resident).await
}

/// The state of a copy, opened with the living tenant's keys: what was erased since is erased here.
///
/// # Errors
/// [`Error::NotWhole`], if the living tenant is not open here, or a store does not answer.
pub async fn copied(deps: &RestorerDeps, copy: &Beside) -> Result<State, Error> {
    let not_whole = || Error::NotWhole { name: copy.name.clone() };
    let (tenant_id, _) = copy.tenant.as_ref().filter(|_| copy.state == beside::State::Whole).ok_or_else(not_whole)?;
    let resident = deps.resident(*tenant_id).await?;
    let mut owner = beside::inside(deps, &copy.name)?.owner().await?;
    fold(deps, &mut owner, &resident).await
}

async fn fold(deps: &RestorerDeps, log: &mut PgConnection, resident: &Resident) -> Result<State, Error> {
    let vault = deps.vault(&deps.replicator.pool);
    let mut fold = Fold::new(Filter::default());
    let mut after = Position::ZERO;
    loop {
        let events = eventlog::read_log(log, resident, after, BATCH).await?;
        let Some(last) = events.last() else { return Ok(fold.finish()) };
        after = last.position;
        let opened = vault.open_all(resident, &events).await?;
        for (event, plaintext) in events.iter().zip(opened) {
            fold.push(event, plaintext.map_or(Payload::Erased, Payload::Open));
        }
    }
}

/// Every stream that differs, by name.
pub fn differences(copied: &State, living: &State) -> Vec<Difference> {
    let streams: BTreeSet<_> = copied.streams.keys().chain(living.streams.keys()).collect();
    let differing = streams.into_iter().filter_map(|stream| {
        let (old, new) = (copied.streams.get(stream), living.streams.get(stream));
        let kind = match (old, new) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => Kind::Changed,
        };
        let state =
            |side: Option<&auditor::replay::StreamState>| side.map_or(Value::Null, |side| side.state.expose().clone());
        let changes = changes(&state(old), &state(new));
        let is_same = kind == Kind::Changed && changes.is_empty();
        (!is_same).then(|| Difference { stream: stream.clone(), kind, changes })
    });
    differing.collect()
}
