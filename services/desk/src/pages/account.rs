//! What people look after themselves: `/account/security`, where they are signed in and their password.

use askama::Template;
use axum::{
    Router,
    extract::{FromRequest, Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use domain::{
    person::{self, Person},
    text,
};
use futures::FutureExt;
use schemas::{SessionId, StreamName, values::Role};
use serde::Deserialize;

use super::frame::Frame;
use crate::{
    api::{
        settle::{self, settled},
        v2::sessions::last_seen,
    },
    body::form::Form,
    caller::{Caller, client::Client, password},
    execute::{Batch, retried},
    problem::{ApiError, ApiResult},
    read,
    session::{
        cookie::{self, is_over_tls},
        end,
        start::New,
    },
    state::Desk,
};

const PAGE: &str = "/account/security";

/// The page and its forms.
pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route(PAGE, get(show))
        .route("/account/security/password", post(change_password))
        .route("/account/security/sessions", post(end_sessions))
}

/// What was done a moment ago.
#[derive(Debug, Default, Deserialize)]
struct Done {
    #[serde(default)]
    done: String,
}

/// What is wrong with a password that was to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// The old one is another.
    Old,
    /// The new one is too short or too long.
    Length,
    /// The new one is the old one.
    Same,
    /// The old one was wrong too often: wait so many minutes.
    Wait(i64),
}

/// A session as the page shows it.
struct Shown {
    session: i64,
    client: Option<String>,
    address: Option<String>,
    started_at: String,
    seen_at: String,
    is_this: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "security.html")]
struct SecurityPage<'a> {
    frame: &'a Frame,
    email: &'a str,
    sessions: &'a [Shown],
    done: &'a str,
    wrong: Option<Wrong>,
}

impl SecurityPage<'_> {
    /// Whether somebody may be signed in elsewhere.
    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.is_this)
    }

    fn is_old_wrong(&self) -> bool {
        matches!(self.wrong, Some(Wrong::Old | Wrong::Wait(_)))
    }

    fn is_new_wrong(&self) -> bool {
        matches!(self.wrong, Some(Wrong::Length | Wrong::Same))
    }
}

/// `GET /account/security`.
async fn show(State(desk): State<Desk>, caller: Caller, Query(done): Query<Done>, frame: Frame) -> ApiResult {
    let sessions = sessions(&desk, &caller, &frame).await?;
    let email = caller.email.as_deref().unwrap_or_default();
    frame.page(&SecurityPage { frame: &frame, email, sessions: &sessions, done: &done.done, wrong: None })
}

async fn sessions(desk: &Desk, caller: &Caller, frame: &Frame) -> Result<Vec<Shown>, ApiError> {
    if caller.role == Role::Auditor {
        return Err(ApiError::forbidden("Auditors do not sign in on pages"));
    }
    let mut transaction = desk.reading(&caller.resident).await?;
    let rows = read::sessions::of(&mut transaction, &caller.resident, caller.person, desk.clock.now()).await?;
    drop(transaction);
    caller.reading.of(rows.iter().map(|row| row.session_id));
    let shown = rows.into_iter().map(|row| Shown {
        session: row.session_id,
        started_at: frame.words.moment(row.started_at),
        seen_at: frame.words.moment(last_seen(desk, caller, &row)),
        is_this: caller.session == Some(SessionId::new(row.session_id)),
        client: row.client,
        address: row.address,
    });
    Ok(shown.collect())
}

/// `POST /account/security/sessions`: ends the session named in `session`, or without one all others.
async fn end_sessions(State(desk): State<Desk>, caller: Caller, form: Form) -> ApiResult {
    let mut transaction = desk.reading(&caller.resident).await?;
    let theirs = read::sessions::of(&mut transaction, &caller.resident, caller.person, desk.clock.now()).await?;
    drop(transaction);
    let named = form.text("session");
    let is_meant = |session: &SessionId| {
        if named.is_empty() { caller.session != Some(*session) } else { session.to_string() == named }
    };
    let meant: Vec<SessionId> = theirs.iter().map(|row| SessionId::new(row.session_id)).filter(is_meant).collect();
    if !meant.is_empty() {
        end::end(&desk, &caller.issuer(&desk, &form.print), &meant).await?;
    }
    Ok(Redirect::to("/account/security?done=sessions").into_response())
}

/// `POST /account/security/password`: all sessions end with it, and this browser gets a new one.
async fn change_password(State(desk): State<Desk>, caller: Caller, frame: Frame, request: Request) -> ApiResult {
    let (parts, body) = request.into_parts();
    let (client, over_tls) = (Client::of(&parts), is_over_tls(&parts));
    let form = Form::from_request(Request::from_parts(parts, body), &desk).await?;
    let (old, new) = (form.raw("old"), form.raw("new"));
    if let Some(wrong) = check(&desk, &caller, client, (old, new)).await? {
        let sessions = sessions(&desk, &caller, &frame).await?;
        let email = caller.email.as_deref().unwrap_or_default();
        let page = SecurityPage { frame: &frame, email, sessions: &sessions, done: "", wrong: Some(wrong) };
        let status = match wrong {
            Wrong::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
            Wrong::Old | Wrong::Length | Wrong::Same => StatusCode::UNPROCESSABLE_ENTITY,
        };
        return frame.respond(status, &page);
    }
    let phc = desk.guard().hash(desk.guard().turn(client).await?, new.to_owned(), desk.ids.secret()).await?;
    let by = &caller.issuer(&desk, &form.print);
    let session = &New::make(&desk, &caller.resident).await?;
    let (stream, set) = (&StreamName::Person(caller.person), &person::SetPassword { phc: phc.into() }.into());
    let attempt = || async {
        let batch = Batch::new(&desk, by).decide::<Person>(stream.clone(), None, set).await?;
        Ok::<_, ApiError>(session.decide(batch, by, caller.person).await?.commit().await)
    };
    let done = retried(|| attempt().boxed()).await?;
    settled(&desk, &caller.resident, &done, settle::SIGNED_IN).await;
    let cookie = cookie::issue(&desk, &caller.resident, &session.secret, over_tls).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/account/security?done=password")).into_response())
}

/// What is wrong with the passwords, if anything is. What costs nothing is looked at first, and guesses are braked as at the door.
async fn check(
    desk: &Desk,
    caller: &Caller,
    client: Client,
    (old, new): (&str, &str),
) -> Result<Option<Wrong>, ApiError> {
    if text::password(new).is_err() {
        return Ok(Some(Wrong::Length));
    }
    if old == new {
        return Ok(Some(Wrong::Same));
    }
    let Some(email) = &caller.email else { return Ok(Some(Wrong::Old)) };
    let from = caller.provenance.clone();
    let confirmed = password::confirm(desk, &caller.resident, (client, from), (email, old.to_owned())).await;
    match confirmed {
        Ok(person) => Ok((person != Some(caller.person)).then_some(Wrong::Old)),
        Err(refused) => match refused.wait_after_attempts() {
            Some(seconds) => Ok(Some(Wrong::Wait(seconds.div_euclid(60) + 1))),
            None => Err(refused),
        },
    }
}
