//! `POST /api/v2/views`, `macros`, `triggers` and `automations`, and `PUT` and `DELETE` of one: agents make, change and delete their own,
//! admins what is shared; and admins delete what is somebody's own.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
};
use domain::rule::{
    AUTOMATION_WORDS_MAX, AUTOMATIONS_MAX, Command, Known, Rule, TRIGGER_WORDS_MAX, TRIGGERS_MAX, words_in_use,
};
use futures::FutureExt;
use schemas::{
    Personal, RuleId, StreamName, Version,
    rule::{Audience, RuleDefinition},
    values::RuleKind,
};
use serde_json::{Value, json};
use sqlx::types::Json as Stored;

use super::{Resource, fields, one, request, require_deletable};
use crate::{
    api::{
        add_person::allocate_id,
        settle,
        v2::{
            ids::{self, Id},
            page::PageQuery,
            present,
        },
        who,
    },
    body::{Body, Fields, RequestPrint},
    caller::Caller,
    execute::{Batch, Done, execute, load, replayed, retried},
    problem::{ApiError, ApiResult},
    read::{self, log, rules::Filter},
    state::Desk,
    visible::Written,
};

/// Answers the rule as it was made.
pub(crate) async fn create<R: Resource>(
    State(desk): State<Desk>,
    caller: Caller,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            let mut sent = Fields::root(&body, R::ROOT)?;
            let definition = request::definition(&mut sent, R::KIND, None).into();
            let audience = request::audience(&mut sent, None);
            sent.finish()?;
            check_groups(&desk, &caller, (&audience, None)).await?;
            check_room(&desk, &caller, (R::KIND, [(None, &definition)])).await?;
            let fields = fields(&desk, &caller.resident).await?;
            let rule = RuleId::new(allocate_id(&desk, &caller.resident).await?);
            let known = Known { rule, kind: R::KIND, audience, definition };
            let command = Command::Make { by: caller.by(), rule: known, fields };
            execute::<Rule>(&desk, &by, StreamName::Rule(rule), None, &command).await?
        }
    };
    let Some(StreamName::Rule(rule)) = done.stream.clone() else { return Err(ApiError::idempotency_key_reused()) };
    let (written, shown) = shown::<R>(&desk, &caller, rule, &done).await.map_err(ApiError::after_done)?;
    let location = [(LOCATION, present::rule::url(&caller, R::PLURAL, rule.get()))];
    Ok((StatusCode::CREATED, location, written, shown))
}

/// Answers the rule as it is afterwards.
pub(crate) async fn update<R: Resource>(
    State(desk): State<Desk>,
    caller: Caller,
    Id(rule): Id<RuleId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &body.print);
    let stream = StreamName::Rule(rule);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            one::<R>(&desk, &caller, rule).await?;
            let (state, version) = load::<Rule>(&desk, &caller.resident, &stream).await?;
            let known = known_of(&state, R::KIND)?;
            let mut sent = Fields::root(&body, R::ROOT)?;
            let definition = request::definition(&mut sent, R::KIND, Some(known.definition.expose())).into();
            let audience = request::audience(&mut sent, Some(&known.audience));
            sent.finish()?;
            check_groups(&desk, &caller, (&audience, Some(&known.audience))).await?;
            check_room(&desk, &caller, (R::KIND, [(Some(&known.definition), &definition)])).await?;
            let fields = fields(&desk, &caller.resident).await?;
            let command = Command::Change { by: caller.by(), audience, definition, fields };
            execute::<Rule>(&desk, &by, stream, Some(version), &command).await?
        }
    };
    shown::<R>(&desk, &caller, rule, &done).await.map_err(ApiError::after_done)
}

/// Answers nothing.
pub(crate) async fn destroy<R: Resource>(
    State(desk): State<Desk>,
    caller: Caller,
    Id(rule): Id<RuleId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            require_deletable::<R>(&desk, &caller, rule).await?;
            execute::<Rule>(&desk, &by, StreamName::Rule(rule), None, &Command::Delete(caller.by())).await?
        }
    };
    let written = settle::settled(&desk, &caller.resident, &done, settle::RULES).await;
    Ok((StatusCode::NO_CONTENT, written, ()))
}

/// Answers nothing: all of the `ids` are deleted, or none.
pub(crate) async fn destroy_many<R: Resource>(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let ids: BTreeSet<i64> = ids::listed(query.get("ids"))?.into_iter().collect();
    let by = caller.issuer(&desk, &print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            for rule in &ids {
                require_deletable::<R>(&desk, &caller, RuleId::new(*rule)).await?;
            }
            let (desk, by, ids, delete) = (&desk, &by, &ids, &Command::Delete(caller.by()));
            let attempt = || async move {
                let mut batch = Batch::new(desk, by);
                for rule in ids {
                    batch = batch.decide::<Rule>(StreamName::Rule(RuleId::new(*rule)), None, delete).await?;
                }
                Ok::<_, ApiError>(batch.commit().await)
            };
            retried(|| attempt().boxed()).await?
        }
    };
    let written = settle::settled(&desk, &caller.resident, &done, settle::RULES).await;
    Ok((StatusCode::NO_CONTENT, written, ()))
}

/// What is known of a rule of this kind.
pub(crate) fn known_of(rule: &Rule, kind: RuleKind) -> Result<&Known, ApiError> {
    rule.known().filter(|known| known.kind == kind).ok_or_else(ApiError::not_found)
}

/// Refuses more triggers than a tenant has, and more automations in use; and more words than those that are in use look for.
pub(crate) async fn check_room<'a>(
    desk: &Desk,
    caller: &Caller,
    (kind, changes): (
        RuleKind,
        impl IntoIterator<Item = (Option<&'a Personal<RuleDefinition>>, &'a Personal<RuleDefinition>)>,
    ),
) -> Result<(), ApiError> {
    match kind {
        RuleKind::View | RuleKind::Macro => return Ok(()),
        RuleKind::Automation => return check_room_in_use(desk, caller, changes).await,
        RuleKind::Trigger => {}
    }
    let (mut made, mut before, mut after) = (0, 0, 0);
    for (now, then) in changes {
        made += usize::from(now.is_none());
        before += now.map_or(0, |now| words_in_use(kind, now.expose()));
        after += words_in_use(kind, then.expose());
    }
    if made == 0 && after <= before {
        return Ok(());
    }
    let mut transaction = desk.reading(&caller.resident).await?;
    let there = read::rules::trigger_ids(&mut transaction, &caller.resident).await?.len();
    if made > 0 && there + made > TRIGGERS_MAX {
        let description = format!("triggers: takes at most {TRIGGERS_MAX}, in use or not");
        return Err(ApiError::invalid("triggers", description, "TooManyValues"));
    }
    let most = i64::try_from(TRIGGERS_MAX).unwrap_or(i64::MAX);
    let in_use = read::rules::triggers(&mut transaction, &caller.resident, most).await?;
    let words: usize = in_use.iter().map(|row| words_in_use(kind, &row.definition.0)).sum();
    if after <= before || (words + after).saturating_sub(before) <= TRIGGER_WORDS_MAX {
        return Ok(());
    }
    let takes = format!("at most {TRIGGER_WORDS_MAX} words to look for in texts, all triggers in use together");
    Err(ApiError::invalid("conditions", format!("conditions: takes {takes}"), "TooManyValues"))
}

async fn check_room_in_use<'a>(
    desk: &Desk,
    caller: &Caller,
    changes: impl IntoIterator<Item = (Option<&'a Personal<RuleDefinition>>, &'a Personal<RuleDefinition>)>,
) -> Result<(), ApiError> {
    let kind = RuleKind::Automation;
    let weigh = |definition: &Personal<RuleDefinition>| {
        let definition = definition.expose();
        (usize::from(definition.is_active), words_in_use(kind, definition))
    };
    let (mut before, mut after) = ((0, 0), (0, 0));
    for (now, then) in changes {
        let (now, then) = (now.map_or((0, 0), weigh), weigh(then));
        before = (before.0 + now.0, before.1 + now.1);
        after = (after.0 + then.0, after.1 + then.1);
    }
    if after.0 <= before.0 && after.1 <= before.1 {
        return Ok(());
    }
    let mut transaction = desk.reading(&caller.resident).await?;
    let filter = Filter { is_active: Some(true), ..Filter::of(kind, caller.by()) };
    let in_use = read::rules::list(filter).count(&mut transaction, &caller.resident).await?;
    let in_use = usize::try_from(in_use).unwrap_or(usize::MAX);
    if after.0 > before.0 && in_use.saturating_add(after.0).saturating_sub(before.0) > AUTOMATIONS_MAX {
        let description = format!("automations: takes at most {AUTOMATIONS_MAX} in use");
        return Err(ApiError::invalid("automations", description, "TooManyValues"));
    }
    let most = i64::try_from(AUTOMATIONS_MAX).unwrap_or(i64::MAX);
    let in_use = read::rules::automations(&mut transaction, &caller.resident, most).await?;
    let words: usize = in_use.iter().map(|row| words_in_use(kind, &row.definition.0)).sum();
    if after.1 <= before.1 || (words + after.1).saturating_sub(before.1) <= AUTOMATION_WORDS_MAX {
        return Ok(());
    }
    let takes = format!("at most {AUTOMATION_WORDS_MAX} words to look for in texts, all automations in use together");
    Err(ApiError::invalid("conditions", format!("conditions: takes {takes}"), "TooManyValues"))
}

/// Refuses groups that there are not. Those that share the rule now may have been deleted since.
async fn check_groups(
    desk: &Desk,
    caller: &Caller,
    (audience, now): (&Audience, Option<&Audience>),
) -> Result<(), ApiError> {
    let Audience::Groups(groups) = audience else { return Ok(()) };
    let known = match now {
        Some(Audience::Groups(known)) => known.as_slice(),
        _ => &[],
    };
    for group in groups.iter().filter(|group| !known.contains(group)) {
        if !who::is_group(desk, &caller.resident, *group).await? {
            return Err(ApiError::invalid("restriction", "restriction: takes the ids of groups", "InvalidValue"));
        }
    }
    Ok(())
}

/// The rule, by the log itself: no read model is between the answer and what was said just now.
async fn shown<R: Resource>(
    desk: &Desk,
    caller: &Caller,
    rule: RuleId,
    done: &Done,
) -> Result<(Written, Json<Value>), ApiError> {
    let written = settle::settled(desk, &caller.resident, done, settle::RULES).await;
    let stream = StreamName::Rule(rule);
    let logged = log::whole_stream(desk, &caller.resident, &stream, Version::ZERO).await?;
    let (state, _) = load::<Rule>(desk, &caller.resident, &stream).await?;
    let known = known_of(&state, R::KIND)?;
    // One that is shared since is as new, and so is one that is somebody's own since.
    let made = logged.iter().rfind(|event| event.envelope.event_type == "rule_made");
    let (first, last) = made.zip(logged.last()).ok_or_else(ApiError::not_found)?;
    let row = read::rules::Rule {
        rule_id: rule.get(),
        owner_id: domain::rule::owner(&known.audience).map(schemas::PersonId::get),
        group_ids: match &known.audience {
            Audience::Groups(groups) => groups.iter().map(|group| group.get()).collect(),
            Audience::Everybody | Audience::Person(_) => Vec::new(),
        },
        definition: Stored(known.definition.expose().clone()),
        created_at: jiff_sqlx::ToSqlx::to_sqlx(first.envelope.recorded_at),
        updated_at: jiff_sqlx::ToSqlx::to_sqlx(last.envelope.recorded_at),
    };
    let fields = fields(desk, &caller.resident).await?;
    Ok((written, Json(json!({ R::ROOT: R::shown(caller, &row, &fields) }))))
}
