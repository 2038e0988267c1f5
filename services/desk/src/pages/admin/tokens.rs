//! `GET` and `POST /agent/admin/tokens`: the tokens that programs come in with. A token is shown once, in the answer to the form that made
//! it; the same form sent again makes no other one, and shows none.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect},
};
use jiff::{civil::Date, tz::TimeZone};
use schemas::{TokenId, values::ReadKind};
use serde_json::{Map, Value, json};

use super::{
    Admin,
    around::{self, Around, Part},
    people,
    sheet::{self, Field, Sheet},
};
use crate::{
    api::{settle, v2::ids::Id},
    body::{Fields, form::Form},
    caller::Caller,
    pages::{agent::Shell, frame::Frame, words::Words},
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
    tokens::{issue, list as listing, revoke},
};

const PAGE: &str = "/agent/admin/tokens";
/// What the API calls the fields of the form.
const INPUTS: [(&str, &str); 1] = [("expires_at", "expires_on")];

#[derive(Template)]
#[template(path = "admin/tokens.html")]
struct TokensPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    around: Around,
    tokens: Vec<Shown>,
    once: String,
}

/// A token in the list.
struct Shown {
    id: i64,
    description: String,
    person: i64,
    name: String,
    created: String,
    expires: Option<String>,
    is_active: bool,
}

#[derive(Template)]
#[template(path = "admin/form.html")]
struct NewTokenPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    around: Around,
    above: (&'static str, String),
    title: String,
    lead: String,
    sheet: Sheet,
}

#[derive(Template)]
#[template(path = "admin/token.html")]
struct IssuedPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    around: Around,
    description: &'a str,
    secret: &'a str,
}

/// What was typed.
struct Typed {
    description: String,
    person: String,
    expires_on: String,
}

impl Typed {
    fn read(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self { description: text("description"), person: text("user_id"), expires_on: text("expires_on") }
    }

    /// As the API takes it: a day is over at its end, where the reader is.
    fn request(&self, zone: &TimeZone) -> Map<String, Value> {
        let mut request = Map::new();
        request.insert("description".to_owned(), json!(self.description));
        request.insert("user_id".to_owned(), json!(self.person));
        if !self.expires_on.is_empty() {
            let end = self.expires_on.parse::<Date>().ok().and_then(|day| day.tomorrow().ok());
            let end = end.and_then(|day| day.to_zoned(zone.clone()).ok());
            let end = end.map_or_else(|| self.expires_on.clone(), |end| end.timestamp().to_string());
            request.insert("expires_at".to_owned(), json!(end));
        }
        request
    }
}

/// The list.
pub(super) async fn list(State(desk): State<Desk>, Admin(caller): Admin, frame: Frame) -> ApiResult {
    let rows = listing::rows(&desk, &caller).await?;
    let owners: Vec<i64> = rows.iter().map(|row| row.user_id).collect();
    let mut transaction = desk.reading(&caller.resident).await?;
    let people = read::people::many(&mut transaction, &caller.resident, &owners).await?;
    drop(transaction);
    caller.reading.beside(ReadKind::User, owners);
    let name = |id: i64| people.iter().find(|row| row.person_id == id).map_or_else(String::new, |row| row.name.clone());
    let words = &frame.words;
    let mut tokens: Vec<Shown> = rows
        .into_iter()
        .map(|row| Shown {
            id: row.id,
            person: row.user_id,
            name: name(row.user_id),
            created: words.moment(row.created_at),
            expires: row.expires_at.map(|at| words.moment(at)),
            is_active: row.active,
            description: row.description,
        })
        .collect();
    // Those that work first, and of them the newest.
    tokens.sort_by_key(|token| (!token.is_active, std::cmp::Reverse(token.id)));
    frame.page(&TokensPage {
        frame: &frame,
        shell: Shell::of(&caller),
        around: Around::of(&frame, Part::Tokens),
        tokens,
        once: desk.ids.uuid().to_string(),
    })
}

/// The empty form.
pub(super) async fn blank(State(desk): State<Desk>, Admin(caller): Admin, frame: Frame) -> ApiResult {
    let typed = Typed { description: String::new(), person: caller.person.to_string(), expires_on: String::new() };
    let (sheet, team) = sheet(&desk, &caller, &frame.words, &typed).await?;
    caller.reading.of(team);
    frame.page(&page(&caller, &frame, sheet))
}

/// Issues a token and shows it, this once; or shows the form again with what is wrong.
pub(super) async fn make(State(desk): State<Desk>, Admin(caller): Admin, frame: Frame, form: Form) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let typed = Typed::read(&form);
    let request = typed.request(&frame.words.zone);
    match issue::carry_out(&desk, &caller, &by, Fields::new(&request, "")).await {
        Ok(issued) => {
            let written = settle::settled(&desk, &caller.resident, &issued.done, settle::PEOPLE).await;
            let Some(secret) = &issued.secret else {
                return Ok((written, Redirect::to(&around::after(PAGE, "issued"))).into_response());
            };
            let page = IssuedPage {
                frame: &frame,
                shell: Shell::of(&caller),
                around: Around::of(&frame, Part::Tokens),
                description: &issued.shown.description,
                secret,
            };
            let mut page = frame.respond(StatusCode::CREATED, &page)?;
            page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok((written, page).into_response())
        }
        Err(error) if sheet::is_mendable(&error) => {
            let (sheet, team) = sheet(&desk, &caller, &frame.words, &typed).await?;
            caller.reading.beside(ReadKind::User, team);
            let page = page(&caller, &frame, sheet.refused(&error, &INPUTS));
            sheet::again(frame.respond(error.status(), &page))
        }
        Err(error) => Err(error),
    }
}

/// `POST …/{id}/end`: a token works no longer.
pub(super) async fn end(
    State(desk): State<Desk>,
    Admin(caller): Admin,
    Id(token): Id<TokenId>,
    form: Form,
) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let done = revoke::carry_out(&desk, &caller, &by, token).await?;
    sheet::done((&desk, &caller), &done, settle::PEOPLE, (PAGE, "ended")).await
}

/// The form, and those whom it offers: they are read.
async fn sheet(desk: &Desk, caller: &Caller, words: &Words, typed: &Typed) -> Result<(Sheet, Vec<i64>), ApiError> {
    let team = people::team(desk, caller).await?;
    let offered = team.iter().map(|(id, _)| *id).collect();
    let team = team.into_iter().map(|(id, name)| (id.to_string(), name));
    let fields = vec![
        Field::text("text", "description", words.say("admin-token-for"), &typed.description),
        Field::select(("user_id", words.say("admin-token-person")), &typed.person, team)
            .hint(words.say("admin-token-person-hint")),
        Field::text("date", "expires_on", words.say("admin-token-expires"), &typed.expires_on)
            .hint(words.say("admin-token-expires-hint")),
    ];
    Ok((Sheet::new(desk, PAGE, words.say("admin-token-issue"), fields), offered))
}

fn page<'a>(caller: &Caller, frame: &'a Frame, sheet: Sheet) -> NewTokenPage<'a> {
    NewTokenPage {
        frame,
        shell: Shell::of(caller),
        around: Around::of(frame, Part::Tokens),
        above: (PAGE, frame.words.say("admin-tokens").to_string()),
        title: frame.words.say("admin-token-new").to_string(),
        lead: frame.words.say("admin-token-new-lead").to_string(),
        sheet,
    }
}
