//! `GET /agent/admin/people?q=&role=&page=`, and `new`: everybody who is known, and somebody more.

use askama::Template;
use axum::extract::State;
use schemas::{StreamName, values::ReadKind};
use serde_json::{Map, Value, json};

use super::{
    Admin,
    around::{Around, Part},
    sheet::{self, Field, Sheet},
};
use crate::{
    api::{
        settle,
        v2::{
            page::PageQuery,
            users::{
                create,
                request::{Name, UserRequest},
            },
        },
    },
    body::{Fields, form::Form},
    caller::Caller,
    execute::replayed,
    pages::{
        agent::{Shell, profile::role},
        frame::{Frame, percent},
        words::Words,
    },
    problem::{ApiError, ApiResult},
    read::{self, Window, people::Filter},
    state::Desk,
};

/// People on a page.
const PAGE_LENGTH: i64 = 50;
/// The page beyond which nobody turns: a search finds who lies so deep.
const PAGE_MAX: i64 = 200;
/// Groups, and people who work here, that are offered at most, as on the other pages.
const OFFERED_MAX: i64 = 500;
/// Those who work here: who is listed if nobody says whom.
const TEAM: &str = "team";

#[derive(Template)]
#[template(path = "admin/people.html")]
struct PeoplePage<'a> {
    frame: &'a Frame,
    shell: Shell,
    around: Around,
    sought: String,
    roles: Field,
    people: Vec<Listed>,
    count: i64,
    previous: Option<String>,
    next: Option<String>,
}

/// Somebody in the list.
struct Listed {
    id: i64,
    name: String,
    email: String,
    role: String,
    is_suspended: bool,
}

#[derive(Template)]
#[template(path = "admin/form.html")]
struct NewPersonPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    around: Around,
    above: (&'static str, String),
    title: String,
    lead: String,
    sheet: Sheet,
}

/// The list.
pub(super) async fn list(State(desk): State<Desk>, Admin(caller): Admin, frame: Frame, query: PageQuery) -> ApiResult {
    let (words, resident) = (&frame.words, &caller.resident);
    let page = query.get("page").unwrap_or("1").parse().ok().filter(|page| (1..=PAGE_MAX).contains(page));
    let page: i64 = page.ok_or_else(|| ApiError::invalid_parameter("page", "an integer from 1 to 200"))?;
    let sought = query.get("q").unwrap_or_default().trim().to_owned();
    let asked = query.get("role").filter(|role| ROLES.contains(role)).unwrap_or(TEAM);
    let filter = Filter {
        roles: match asked {
            TEAM => Some(vec!["agent".to_owned(), "admin".to_owned()]),
            "all" => None,
            role => Some(vec![role.to_owned()]),
        },
        text: (!sought.is_empty()).then(|| sought.clone()),
        ..Filter::default()
    };
    let window =
        Window { after: 0, before: None, limit: PAGE_LENGTH + 1, offset: (page - 1) * PAGE_LENGTH, is_by_offset: true };
    let mut transaction = desk.reading(resident).await?;
    let mut ids = read::people::ids(&mut transaction, resident, &filter, window).await?;
    let count = read::people::count(&mut transaction, resident, &filter).await?;
    let kept = usize::try_from(PAGE_LENGTH).unwrap_or_default();
    let has_more = ids.len() > kept;
    ids.truncate(kept);
    let rows = read::people::many(&mut transaction, resident, &ids).await?;
    drop(transaction);
    caller.reading.of(ids);
    let listed = |row: read::people::Person| Listed {
        id: row.person_id,
        name: row.name,
        email: row.email.unwrap_or_default(),
        role: role(words, &row.role),
        is_suspended: row.is_suspended,
    };
    let link = |page: i64| format!("/agent/admin/people?q={}&role={asked}&page={page}", percent(&sought));
    frame.page(&PeoplePage {
        frame: &frame,
        shell: Shell::of(&caller),
        around: Around::of(&frame, Part::People),
        roles: roles(words, asked),
        people: rows.into_iter().map(listed).collect(),
        count,
        previous: (page > 1).then(|| link(page - 1)),
        next: (has_more && page < PAGE_MAX).then(|| link(page + 1)),
        sought,
    })
}

/// Whom the list may be narrowed to.
const ROLES: [&str; 5] = [TEAM, "admin", "agent", "end-user", "all"];

fn roles(words: &Words, chosen: &str) -> Field {
    let name = |word: &str| match word {
        TEAM => words.say("admin-people-team").to_string(),
        "all" => words.say("admin-people-all").to_string(),
        other => role(words, other),
    };
    let options = ROLES.map(|word| (word.to_owned(), name(word)));
    Field::select(("role", words.say("agent-person-role")), chosen, options)
}

/// The roles that somebody may be given. An auditor's comes with a grant.
pub(super) fn given(words: &Words, chosen: &str) -> Field {
    let options = ["agent", "admin", "end-user"].map(|word| (word.to_owned(), role(words, word)));
    Field::select(("role", words.say("agent-person-role")), chosen, options).hint(words.say("admin-role-hint"))
}

/// What was typed about somebody new.
struct Typed {
    name: String,
    email: String,
    role: String,
    group: String,
}

impl Typed {
    fn blank() -> Self {
        Self { name: String::new(), email: String::new(), role: "agent".to_owned(), group: String::new() }
    }

    fn read(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self { name: text("name"), email: text("email"), role: text("role"), group: text("default_group_id") }
    }

    /// As the API takes it.
    fn request(&self) -> Map<String, Value> {
        let mut request = Map::new();
        for (name, text) in [("name", &self.name), ("email", &self.email), ("role", &self.role)] {
            request.insert(name.to_owned(), json!(text));
        }
        if !self.group.is_empty() {
            request.insert("default_group_id".to_owned(), json!(self.group));
        }
        request
    }
}

/// The empty form.
pub(super) async fn blank(State(desk): State<Desk>, Admin(caller): Admin, frame: Frame) -> ApiResult {
    let (sheet, groups) = sheet(&desk, &caller, &frame.words, &Typed::blank()).await?;
    caller.reading.of(groups);
    frame.page(&page(&caller, &frame, sheet))
}

/// Makes somebody known, and goes to them; or shows the form again with what is wrong.
pub(super) async fn make(State(desk): State<Desk>, Admin(caller): Admin, frame: Frame, form: Form) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let typed = Typed::read(&form);
    let made = match replayed(&desk, &by).await? {
        Some(done) => Ok(done),
        None => match UserRequest::of(Fields::new(&typed.request(), ""), Name::Required) {
            Ok(request) => create::add(&desk, &caller, &by, request).await,
            Err(error) => Err(error),
        },
    };
    match made {
        Ok(done) => {
            let Some(StreamName::Person(person)) = done.stream else { return Err(ApiError::idempotency_key_reused()) };
            let path = format!("/agent/admin/people/{person}");
            sheet::done((&desk, &caller), &done, settle::PEOPLE, (&path, "made")).await
        }
        Err(error) if sheet::is_mendable(&error) => {
            let (sheet, groups) = sheet(&desk, &caller, &frame.words, &typed).await?;
            caller.reading.beside(ReadKind::Group, groups);
            let page = page(&caller, &frame, sheet.refused(&error, &[]));
            sheet::again(frame.respond(error.status(), &page))
        }
        Err(error) => Err(error),
    }
}

/// The form, and the groups that it offers: they are read.
async fn sheet(desk: &Desk, caller: &Caller, words: &Words, typed: &Typed) -> Result<(Sheet, Vec<i64>), ApiError> {
    let groups = groups(desk, caller).await?;
    let offered = groups.iter().map(|(id, _)| *id).collect();
    let none = (String::new(), "—".to_owned());
    let groups = std::iter::once(none).chain(groups.into_iter().map(|(id, name)| (id.to_string(), name)));
    let fields = vec![
        Field::text("text", "name", words.say("admin-name"), &typed.name),
        Field::text("email", "email", words.say("admin-email"), &typed.email),
        given(words, &typed.role),
        Field::select(("default_group_id", words.say("agent-field-group")), &typed.group, groups),
    ];
    Ok((Sheet::new(desk, "/agent/admin/people", words.say("admin-person-add"), fields), offered))
}

fn page<'a>(caller: &Caller, frame: &'a Frame, sheet: Sheet) -> NewPersonPage<'a> {
    NewPersonPage {
        frame,
        shell: Shell::of(caller),
        around: Around::of(frame, Part::People),
        above: ("/agent/admin/people", frame.words.say("admin-people").to_string()),
        title: frame.words.say("admin-person-new").to_string(),
        lead: frame.words.say("admin-person-new-lead").to_string(),
        sheet,
    }
}

/// The groups there are, with their names.
pub(super) async fn groups(desk: &Desk, caller: &Caller) -> Result<Vec<(i64, String)>, ApiError> {
    let window = Window { after: 0, before: None, limit: OFFERED_MAX, offset: 0, is_by_offset: true };
    let mut transaction = desk.reading(&caller.resident).await?;
    let ids = read::groups::list(None).ids(&mut transaction, &caller.resident, window).await?;
    let rows = read::groups::many(&mut transaction, &caller.resident, &ids).await?;
    Ok(rows.into_iter().map(|row| (row.group_id, row.name)).collect())
}

/// Those who work here, with their names.
pub(super) async fn team(desk: &Desk, caller: &Caller) -> Result<Vec<(i64, String)>, ApiError> {
    let window = Window { after: 0, before: None, limit: OFFERED_MAX, offset: 0, is_by_offset: true };
    let roles = Some(vec!["agent".to_owned(), "admin".to_owned()]);
    let filter = Filter { roles, ..Filter::default() };
    let mut transaction = desk.reading(&caller.resident).await?;
    let ids = read::people::ids(&mut transaction, &caller.resident, &filter, window).await?;
    let rows = read::people::many(&mut transaction, &caller.resident, &ids).await?;
    Ok(rows.into_iter().map(|row| (row.person_id, row.name)).collect())
}
