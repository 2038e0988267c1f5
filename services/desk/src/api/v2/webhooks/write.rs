//! `POST /api/v2/webhooks`, and `PUT`, `PATCH` and `DELETE` of one.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use domain::webhook::{Command, Known, Webhook};
use schemas::{StreamName, Version, WebhookId};
use serde_json::{Map, json};

use super::{
    Of, known, opened,
    request::{self, Credential},
};
use crate::{
    api::{
        add_person::allocate_id,
        settle,
        v2::{page::PageQuery, present},
    },
    body::{Body, Fields, RequestPrint},
    caller::Caller,
    erase,
    execute::{Issuer, execute, replayed},
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
    webhooks::{
        secrets::{self, Secrets},
        ulid,
    },
};

/// How many webhooks an account has that tries the product out.
const OF_TRIALS_MAX: i64 = 10;

/// How many are in use, of any account.
const IN_USE_MAX: i64 = 100;

/// How much of a webhook a request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Whole,
    Part,
}

/// Answers the webhook as it was made; with `clone_webhook_id`, like another but for what is sent.
pub(crate) async fn create(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            check_room(&desk, &caller).await?;
            let source = match query.get("clone_webhook_id") {
                None => None,
                Some(id) => Some(known(&desk, &caller, ulid::webhook(id).ok_or_else(ApiError::not_found)?).await?.0),
            };
            let nothing = Map::new();
            let is_bare = source.is_some() && !body.object.contains_key("webhook");
            let mut fields = if is_bare { Fields::new(&nothing, "") } else { Fields::root(&body, "webhook")? };
            let now = source.as_ref().map(|source| source.settings.expose());
            let (settings, credential) = request::settings(&mut fields, &desk, now);
            fields.finish()?;
            if settings.is_active {
                check_use(&desk, &caller).await?;
            }
            let credential = match (credential, &source) {
                (Credential::Said(credential), _) => credential,
                (Credential::Kept, Some(source)) => opened(&desk, &caller, source).await?.credential.clone(),
                (Credential::Kept, None) => None,
            };
            let webhook = WebhookId::new(allocate_id(&desk, &caller.resident).await?);
            let secrets = Secrets { signing: secrets::new_signing_secret(&desk), credential };
            let secrets = secrets::seal(&desk, &caller.resident, (webhook, &secrets)).await?.into();
            let command = Command::Make(Known { webhook, settings: settings.into(), secrets });
            execute::<Webhook>(&desk, &by, StreamName::Webhook(webhook), None, &command).await?
        }
    };
    let Some(StreamName::Webhook(webhook)) = done.stream.clone() else {
        return Err(ApiError::idempotency_key_reused());
    };
    let written = settle::settled(&desk, &caller.resident, &done, settle::WEBHOOKS).await;
    let (made, _) = known(&desk, &caller, webhook).await.map_err(ApiError::after_done)?;
    let (times, people) = ((by.at, by.at), (Some(caller.person.get()), Some(caller.person.get())));
    let shown = present::webhook::of(webhook, made.settings.expose(), times, people);
    Ok((StatusCode::CREATED, written, Json(json!({ "webhook": shown }))))
}

/// Answers nothing: it is all that is sent now, and nothing else.
pub(crate) async fn replace(
    State(desk): State<Desk>,
    caller: Caller,
    Of(webhook): Of,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    change(&desk, &caller, (webhook, &body), Sent::Whole).await
}

/// Answers nothing: what is not sent stays.
pub(crate) async fn update(
    State(desk): State<Desk>,
    caller: Caller,
    Of(webhook): Of,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    change(&desk, &caller, (webhook, &body), Sent::Part).await
}

async fn change(
    desk: &Desk,
    caller: &Caller,
    (webhook, body): (WebhookId, &Body),
    sent: Sent,
) -> ApiResult<impl IntoResponse + use<>> {
    caller.require_admin()?;
    let by = caller.issuer(desk, &body.print);
    let done = match replayed(desk, &by).await? {
        Some(done) => done,
        None => {
            let (now, version) = known(desk, caller, webhook).await?;
            let mut fields = Fields::root(body, "webhook")?;
            let kept = (sent == Sent::Part).then(|| now.settings.expose());
            let (settings, credential) = request::settings(&mut fields, desk, kept);
            fields.finish()?;
            if settings.is_active && !now.settings.expose().is_active {
                check_use(desk, caller).await?;
            }
            let secrets = match credential {
                Credential::Kept => None,
                Credential::Said(said) => {
                    let mut secrets = opened(desk, caller, &now).await?;
                    if secrets.credential == said {
                        None
                    } else {
                        secrets.credential = said;
                        Some(secrets::seal(desk, &caller.resident, (webhook, &secrets)).await?.into())
                    }
                }
            };
            let command = Command::Change { settings: settings.into(), secrets };
            apply(desk, &by, (webhook, Some(version)), &command).await?
        }
    };
    let written = settle::settled(desk, &caller.resident, &done, settle::WEBHOOKS).await;
    Ok((StatusCode::NO_CONTENT, written, ()))
}

/// Answers nothing.
pub(crate) async fn destroy(
    State(desk): State<Desk>,
    caller: Caller,
    Of(webhook): Of,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &print);
    let done = erase::webhook(&desk, &by, webhook).await?.done;
    let written = settle::settled(&desk, &caller.resident, &done, settle::WEBHOOKS).await;
    Ok((StatusCode::NO_CONTENT, written, ()))
}

pub(super) async fn apply(
    desk: &Desk,
    by: &Issuer,
    (webhook, expected): (WebhookId, Option<Version>),
    command: &Command,
) -> Result<crate::execute::Done, ApiError> {
    Ok(execute::<Webhook>(desk, by, StreamName::Webhook(webhook), expected, command).await?)
}

/// Refuses one more than a trial may have, if the account is one.
async fn check_room(desk: &Desk, caller: &Caller) -> Result<(), ApiError> {
    let full = ("base", format!("base: a trial has {OF_TRIALS_MAX} webhooks at most"));
    if is_trial(desk, caller).await? { check_count(desk, caller, (None, OF_TRIALS_MAX), full).await } else { Ok(()) }
}

/// Refuses one more in use: each of them looks at everything that happens.
async fn check_use(desk: &Desk, caller: &Caller) -> Result<(), ApiError> {
    let full = ("status", format!("status: takes inactive: {IN_USE_MAX} webhooks are in use at most"));
    check_count(desk, caller, (Some(true), IN_USE_MAX), full).await
}

async fn check_count(
    desk: &Desk,
    caller: &Caller,
    (is_active, most): (Option<bool>, i64),
    (field, description): (&'static str, String),
) -> Result<(), ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let count = read::webhooks::list(None, is_active).count(&mut transaction, &caller.resident).await?;
    if count < most { Ok(()) } else { Err(ApiError::invalid(field, description, "InvalidValue")) }
}

/// Whether the account tries the product out.
pub(super) async fn is_trial(desk: &Desk, caller: &Caller) -> Result<bool, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let account = read::account::one(&mut transaction, &caller.resident).await?;
    Ok(account.is_some_and(|account| account.is_trial()))
}
