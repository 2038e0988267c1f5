//! Ending sessions before they are over by themselves.

use domain::session::{Command, Session};
use futures::FutureExt;
use schemas::{SessionId, StreamName};

use crate::{
    api::settle::{self, settled},
    execute::{Batch, Issuer, retried},
    problem::ApiError,
    state::Desk,
    visible::Written,
};

/// Adds the ends of sessions to what else is decided.
pub(crate) async fn decide<'a>(mut batch: Batch<'a>, sessions: &[SessionId]) -> Result<Batch<'a>, ApiError> {
    for session in sessions {
        batch = batch.decide::<Session>(StreamName::Session(*session), None, &Command::End).await?;
    }
    Ok(batch)
}

/// Ends sessions; those that are over already stay so.
pub(crate) async fn end(desk: &Desk, by: &Issuer, sessions: &[SessionId]) -> Result<Written, ApiError> {
    let attempt = || async move { Ok::<_, ApiError>(decide(Batch::new(desk, by), sessions).await?.commit().await) };
    let done = retried(|| attempt().boxed()).await?;
    Ok(settled(desk, &by.resident, &done, settle::SESSIONS).await)
}
