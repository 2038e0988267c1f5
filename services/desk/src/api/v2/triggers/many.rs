//! `PUT /api/v2/triggers/update_many` and `reorder`, and `PUT /api/v2/automations/update_many`: places of many, and which are in use, in one
//! command.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, extract::State, response::IntoResponse};
use domain::rule::{Command, Known, Rule, TRIGGERS_MAX};
use futures::FutureExt;
use schemas::{RuleId, StreamName, rule::RuleDefinition};
use serde_json::{Map, Value};

use crate::{
    api::{
        settle,
        v2::{
            page::{Page, PageQuery},
            rules::{self, Resource, Trigger, write},
        },
    },
    body::{Body, Fields},
    caller::Caller,
    execute::{Batch, Done, Issuer, load, replayed, retried},
    problem::{ApiError, ApiResult},
    read::{self, rules::Filter},
    state::Desk,
    visible::Written,
};

/// Each that changes takes an event, and one of the audit log, beside the one that says where the command came from.
const _: () = assert!(2 * TRIGGERS_MAX < eventlog::EVENTS_MAX);

/// What becomes of one: nothing is left as it is.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    position: Option<i64>,
    is_active: Option<bool>,
}

/// Takes `triggers`, or `automations`, each with an `id` and perhaps `position` and `active`. Answers those that were named.
pub(crate) async fn update_many<R: Resource>(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let page = query.offset_page(&caller)?;
    let by = caller.issuer(&desk, &body.print);
    let mut sent = Fields::new(&body.object, "");
    let changes = named::<R>(&mut sent);
    sent.finish()?;
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => change::<R>(&desk, &caller, &by, &changes).await?,
    };
    answer::<R>(&desk, &caller, (&page, &done), changes.keys().copied().collect()).await.map_err(ApiError::after_done)
}

/// Takes `trigger_ids`: all that there are, in the order in which they shall be asked.
pub(crate) async fn reorder(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let page = query.offset_page(&caller)?;
    let by = caller.issuer(&desk, &body.print);
    let mut sent = Fields::new(&body.object, "");
    let named = sent.items("trigger_ids").filter(|ids| ids.len() <= TRIGGERS_MAX);
    let ids: Option<Vec<i64>> = named.and_then(|ids| ids.iter().map(id).collect());
    let ids = ids.unwrap_or_else(|| {
        let takes = format!("takes the ids of all triggers, in an order, {TRIGGERS_MAX} at most");
        sent.fault("trigger_ids", takes, "InvalidFormat");
        Vec::new()
    });
    sent.finish()?;
    let places = (1..).map(|place| Change { position: Some(place), is_active: None });
    let changes: BTreeMap<i64, Change> = ids.iter().copied().zip(places).collect();
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            require_all(&desk, &caller, &changes).await?;
            change::<Trigger>(&desk, &caller, &by, &changes).await?
        }
    };
    answer::<Trigger>(&desk, &caller, (&page, &done), ids).await.map_err(ApiError::after_done)
}

fn id(sent: &Value) -> Option<i64> {
    sent.as_i64().or_else(|| sent.as_str()?.parse().ok())
}

fn named<R: Resource>(fields: &mut Fields<'_>) -> BTreeMap<i64, Change> {
    let one = |item: &Map<String, Value>| {
        let (position, is_active) = (item.get("position"), item.get("active"));
        let change = Change {
            position: position.map(|position| id(position).ok_or(())).transpose().ok()?,
            is_active: is_active.map(|active| active.as_bool().ok_or(())).transpose().ok()?,
        };
        Some((id(item.get("id")?)?, change))
    };
    let sent = fields.items(R::PLURAL).filter(|items| (1..=TRIGGERS_MAX).contains(&items.len()));
    let read = sent.and_then(|items| items.iter().map(|item| one(item.as_object()?)).collect::<Option<_>>());
    read.unwrap_or_else(|| {
        let takes = format!("takes a list of 1 to {TRIGGERS_MAX} objects with id, and perhaps position and active");
        fields.fault(R::PLURAL, takes, "InvalidFormat");
        BTreeMap::new()
    })
}

/// An order is one of all triggers: of another one, somebody has made or deleted one since it was thought of.
async fn require_all(desk: &Desk, caller: &Caller, changes: &BTreeMap<i64, Change>) -> Result<(), ApiError> {
    settle::catch_up(desk, &caller.resident, settle::RULES).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let ids = read::rules::trigger_ids(&mut transaction, &caller.resident).await?;
    if ids.iter().copied().collect::<BTreeSet<_>>() == changes.keys().copied().collect() {
        return Ok(());
    }
    Err(ApiError::not_found())
}

/// All of them or none.
async fn change<R: Resource>(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    changes: &BTreeMap<i64, Change>,
) -> Result<Done, ApiError> {
    let fields = &rules::fields(desk, &caller.resident).await?;
    let attempt = || async move {
        let mut decided = Vec::new();
        for (rule, change) in changes {
            let stream = StreamName::Rule(RuleId::new(*rule));
            let (state, version) = load::<Rule>(desk, &caller.resident, &stream).await?;
            let Known { definition, audience, .. } = write::known_of(&state, R::KIND)?.clone();
            let now = definition.expose().clone();
            let then = RuleDefinition {
                position: change.position.unwrap_or(now.position),
                is_active: change.is_active.unwrap_or(now.is_active),
                ..now
            };
            decided.push((stream, version, audience, (definition, then.into())));
        }
        let both = decided.iter().map(|(.., (now, then))| (Some(now), then));
        write::check_room(desk, caller, (R::KIND, both)).await?;
        let mut batch = Batch::new(desk, by);
        for (stream, version, audience, (_, definition)) in decided {
            let command = Command::Change { by: caller.by(), audience, definition, fields: fields.clone() };
            batch = batch.decide::<Rule>(stream, Some(version), &command).await?;
        }
        Ok::<_, ApiError>(batch.commit().await)
    };
    retried(|| attempt().boxed()).await
}

async fn answer<R: Resource>(
    desk: &Desk,
    caller: &Caller,
    (page, done): (&Page, &Done),
    ids: Vec<i64>,
) -> Result<(Written, Json<Value>), ApiError> {
    let written = settle::settled(desk, &caller.resident, done, settle::RULES).await;
    let mut transaction = desk.reading(&caller.resident).await?;
    let of = Filter::of(R::KIND, caller.by());
    let rows = read::rules::many(&mut transaction, &caller.resident, (of, &ids)).await?;
    let ids = rows.iter().map(|row| row.rule_id).collect();
    let shown = rows.iter().map(|row| R::shown(caller, row, &[])).collect();
    Ok((written, Json(page.all(R::PLURAL, shown, ids))))
}
