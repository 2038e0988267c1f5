//! What views, macros, triggers and automations have in common: how they are made, changed, deleted and listed, and who sees which.

pub(crate) mod list;
mod request;
pub(crate) mod write;

use domain::ticket_field::Known;
use regions::Resident;
use schemas::{
    RuleId,
    values::{Role, RuleKind},
};
use serde_json::Value;

use super::present;
use crate::{
    api::settle,
    caller::Caller,
    problem::ApiError,
    read::{self, rules::Filter},
    state::Desk,
};

pub(crate) use self::request::definition;

/// A kind of rules as the API has it.
pub(crate) trait Resource: Send + Sync + 'static {
    /// Which kind.
    const KIND: RuleKind;
    /// The key of one.
    const ROOT: &'static str;
    /// The key of several, and the last part of their address.
    const PLURAL: &'static str;

    /// One as the API shows it.
    fn shown(caller: &Caller, row: &read::rules::Rule, fields: &[Known]) -> Value;
}

/// What shows some of the tickets.
pub(crate) struct View;

/// What changes a ticket when somebody says so.
pub(crate) struct Macro;

/// What changes tickets by itself, when somebody opens or changes one.
pub(crate) struct Trigger;

/// What changes tickets by itself, when time has gone by.
pub(crate) struct Automation;

impl Resource for View {
    const KIND: RuleKind = RuleKind::View;
    const ROOT: &'static str = "view";
    const PLURAL: &'static str = "views";

    fn shown(caller: &Caller, row: &read::rules::Rule, fields: &[Known]) -> Value {
        present::rule::view(caller, row, fields)
    }
}

impl Resource for Macro {
    const KIND: RuleKind = RuleKind::Macro;
    const ROOT: &'static str = "macro";
    const PLURAL: &'static str = "macros";

    fn shown(caller: &Caller, row: &read::rules::Rule, _: &[Known]) -> Value {
        present::rule::macro_of(caller, row)
    }
}

impl Resource for Trigger {
    const KIND: RuleKind = RuleKind::Trigger;
    const ROOT: &'static str = "trigger";
    const PLURAL: &'static str = "triggers";

    fn shown(caller: &Caller, row: &read::rules::Rule, _: &[Known]) -> Value {
        present::rule::trigger(caller, row)
    }
}

impl Resource for Automation {
    const KIND: RuleKind = RuleKind::Automation;
    const ROOT: &'static str = "automation";
    const PLURAL: &'static str = "automations";

    fn shown(caller: &Caller, row: &read::rules::Rule, _: &[Known]) -> Value {
        present::rule::automation(caller, row)
    }
}

/// A rule that the caller may see, also one that was made a moment ago.
pub(super) async fn one<R: Resource>(
    desk: &Desk,
    caller: &Caller,
    rule: RuleId,
) -> Result<read::rules::Rule, ApiError> {
    found::<R>(desk, caller, (Filter::of(R::KIND, caller.by()), rule)).await
}

/// Refuses a rule that the caller may not even know of. Admins delete what is somebody's own without seeing it: its owner may be gone.
async fn require_deletable<R: Resource>(desk: &Desk, caller: &Caller, rule: RuleId) -> Result<(), ApiError> {
    let has_others_own = caller.by().role == Role::Admin;
    let filter = Filter { has_others_own, ..Filter::of(R::KIND, caller.by()) };
    found::<R>(desk, caller, (filter, rule)).await.map(drop)
}

async fn found<R: Resource>(
    desk: &Desk,
    caller: &Caller,
    (filter, rule): (Filter, RuleId),
) -> Result<read::rules::Rule, ApiError> {
    let read = async || {
        let mut transaction = desk.reading(&caller.resident).await?;
        read::rules::many(&mut transaction, &caller.resident, (filter, &[rule.get()])).await
    };
    if let Some(row) = read().await?.pop() {
        return Ok(row);
    }
    settle::catch_up(desk, &caller.resident, settle::RULES).await?;
    read().await?.pop().ok_or_else(ApiError::not_found)
}

/// The fields that the tenant made: words of rules may be about them.
pub(crate) async fn fields(desk: &Desk, resident: &Resident) -> Result<Vec<Known>, ApiError> {
    let mut transaction = desk.reading(resident).await?;
    Ok(read::ticket_fields::known(&mut transaction, resident).await?)
}

#[cfg(test)]
mod tests;
