//! `GET` and `POST /agent/admin/people/{id}`: what somebody may do, whether they may come in, and the groups they belong to.

use askama::Template;
use axum::extract::State;
use schemas::{
    MembershipId, PersonId, Version,
    values::{ReadKind, Role},
};
use serde_json::{Map, Value, json};

use super::{
    Admin,
    around::{Around, Part},
    people,
    sheet::{self, Field, Pick, Sheet},
};
use crate::{
    api::{
        settle,
        v2::{
            ids::{Id, TwoIds},
            memberships,
            users::{
                answer, delete,
                request::{Name, UserRequest},
                update,
            },
        },
    },
    body::{Fields, form::Form},
    caller::Caller,
    execute::replayed,
    pages::{agent::Shell, frame::Frame, words::Words},
    problem::{ApiError, ApiResult},
    read::{
        self, Window,
        memberships::{Kind, Which},
        people::Person,
    },
    state::Desk,
};

/// Groups of somebody that are listed at most.
const LISTED_MAX: i64 = 100;

#[derive(Template)]
#[template(path = "admin/person.html")]
struct PersonPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    around: Around,
    person: i64,
    name: String,
    email: String,
    since: String,
    is_self: bool,
    sheet: Sheet,
    groups: Vec<Membership>,
    /// Groups that the person does not belong to.
    others: Vec<Pick>,
    /// Whether somebody with this role belongs to groups.
    works_here: bool,
    once: String,
    /// What was wrong with another form than the first.
    refused: Option<String>,
}

/// That somebody belongs to a group.
struct Membership {
    id: i64,
    group: i64,
    name: String,
    is_default: bool,
}

/// What was typed.
struct Typed {
    name: String,
    role: String,
    is_suspended: bool,
}

impl Typed {
    fn of(row: &Person) -> Self {
        Self { name: row.name.clone(), role: row.role.clone(), is_suspended: row.is_suspended }
    }

    fn read(form: &Form) -> Self {
        Self {
            name: form.text("name").to_owned(),
            role: form.text("role").to_owned(),
            is_suspended: form.has("suspended"),
        }
    }

    /// As the API takes it.
    fn request(&self) -> Map<String, Value> {
        let request = [("name", json!(self.name)), ("role", json!(self.role)), ("suspended", json!(self.is_suspended))];
        request.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn fields(&self, words: &Words) -> Vec<Field> {
        vec![
            Field::text("text", "name", words.say("admin-name"), &self.name),
            people::given(words, &self.role),
            Field::tick("suspended", words.say("admin-suspended"), self.is_suspended)
                .hint(words.say("admin-suspended-hint")),
        ]
    }
}

/// The page.
pub(super) async fn show(
    State(desk): State<Desk>,
    Admin(caller): Admin,
    frame: Frame,
    Id(person): Id<PersonId>,
) -> ApiResult {
    let (row, version) = there(&desk, &caller, person).await?;
    let sheet = sheet(&desk, &frame.words, (&row, version), &Typed::of(&row));
    frame.page(&page((&desk, &caller, &frame), &row, sheet, None).await?)
}

/// Changes what was typed; or shows the form again with what is wrong.
pub(super) async fn change(
    State(desk): State<Desk>,
    Admin(caller): Admin,
    frame: Frame,
    Id(person): Id<PersonId>,
    form: Form,
) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let typed = Typed::read(&form);
    let changed = match replayed(&desk, &by).await? {
        Some(done) => Ok(done),
        None => {
            there(&desk, &caller, person).await?;
            match UserRequest::of(Fields::new(&typed.request(), ""), Name::Required) {
                Ok(request) => update::change(&desk, &caller, &by, (person, sheet::seen(&form), request)).await,
                Err(error) => Err(error),
            }
        }
    };
    match changed {
        Ok(done) => {
            let path = path(person);
            sheet::done((&desk, &caller), &done, settle::PEOPLE, (&path, "saved")).await
        }
        Err(error) if sheet::is_mendable(&error) => {
            let (row, version) = there(&desk, &caller, person).await?;
            let is_overtaken = sheet::seen(&form).is_some_and(|seen| seen != version);
            let sheet = sheet(&desk, &frame.words, (&row, version), &typed);
            let sheet = match is_overtaken {
                true => sheet.overtaken(&frame.words, &Typed::of(&row).fields(&frame.words)),
                false => sheet.refused(&error, &[]),
            };
            let page = page((&desk, &caller, &frame), &row, sheet, None).await?;
            sheet::again(frame.respond(error.status(), &page))
        }
        Err(error) => Err(error),
    }
}

/// `POST …/groups`: lets somebody belong to a group.
pub(super) async fn join(
    State(desk): State<Desk>,
    Admin(caller): Admin,
    frame: Frame,
    Id(person): Id<PersonId>,
    form: Form,
) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let asked: Map<String, Value> = std::iter::once(("group_id".to_owned(), json!(form.text("group_id")))).collect();
    let joined = match replayed(&desk, &by).await? {
        Some(done) => Ok(done),
        None => {
            there(&desk, &caller, person).await?;
            let fields = Fields::new(&asked, "");
            memberships::create::carry_out(&desk, &caller, &by, (Kind::Group, Some(person), fields)).await
        }
    };
    match joined {
        Ok(done) => sheet::done((&desk, &caller), &done, settle::PEOPLE, (&path(person), "saved")).await,
        Err(error) => refused((&desk, &caller, &frame), person, error).await,
    }
}

/// `POST …/groups/{membership_id}`: somebody belongs to a group no longer, or to this one first.
pub(super) async fn leave(
    State(desk): State<Desk>,
    Admin(caller): Admin,
    TwoIds(person, membership): TwoIds<PersonId, MembershipId>,
    form: Form,
) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let done = match form.text("do") {
        "default" => {
            memberships::make_default::carry_out(&desk, &caller, &by, (Kind::Group, person, membership)).await?
        }
        "leave" => {
            let which = (Some(person), membership);
            memberships::delete::carry_out(&desk, &caller, &by, (Kind::Group, which)).await?
        }
        _ => return Err(ApiError::invalid("do", "do: takes default or leave", "InvalidValue")),
    };
    sheet::done((&desk, &caller), &done, settle::PEOPLE, (&path(person), "saved")).await
}

/// `POST …/deletion`: puts somebody away.
pub(super) async fn delete(
    State(desk): State<Desk>,
    Admin(caller): Admin,
    frame: Frame,
    Id(person): Id<PersonId>,
    form: Form,
) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let deleted = match replayed(&desk, &by).await? {
        Some(done) => Ok(done),
        None => delete::put_away(&desk, &caller, &by, person).await,
    };
    match deleted {
        Ok(done) => sheet::done((&desk, &caller), &done, settle::PEOPLE, ("/agent/admin/people", "deleted")).await,
        Err(error) => refused((&desk, &caller, &frame), person, error).await,
    }
}

/// The page once more, with a sentence on top of it: what was wrong is about no field.
async fn refused(around: (&Desk, &Caller, &Frame), person: PersonId, error: ApiError) -> ApiResult {
    if !sheet::is_mendable(&error) {
        return Err(error);
    }
    let (desk, caller, frame) = around;
    let (row, version) = there(desk, caller, person).await?;
    let sheet = sheet(desk, &frame.words, (&row, version), &Typed::of(&row));
    sheet::again(frame.respond(error.status(), &page(around, &row, sheet, Some(error.sentence())).await?))
}

fn path(person: PersonId) -> String {
    format!("/agent/admin/people/{person}")
}

/// Somebody who is there, by the log itself; an auditor is looked after with their grant.
async fn there(desk: &Desk, caller: &Caller, person: PersonId) -> Result<(Person, Version), ApiError> {
    let found = answer::folded(desk, caller, person).await?;
    let found = found.filter(|(row, _)| row.is_active && row.role != Role::Auditor.as_str());
    found.ok_or_else(ApiError::not_found)
}

fn sheet(desk: &Desk, words: &Words, (row, version): (&Person, Version), typed: &Typed) -> Sheet {
    let path = format!("/agent/admin/people/{}", row.person_id);
    Sheet::new(desk, path, words.say("admin-save"), typed.fields(words)).seen(version)
}

async fn page<'a>(
    (desk, caller, frame): (&Desk, &Caller, &'a Frame),
    row: &Person,
    sheet: Sheet,
    refused: Option<String>,
) -> Result<PersonPage<'a>, ApiError> {
    let all = people::groups(desk, caller).await?;
    let window = Window { after: 0, before: None, limit: LISTED_MAX, offset: 0, is_by_offset: true };
    let list = read::memberships::list(Kind::Group, Which::Of(row.person_id));
    let mut transaction = desk.reading(&caller.resident).await?;
    let ids = list.ids(&mut transaction, &caller.resident, window).await?;
    let rows = read::memberships::many(&mut transaction, &caller.resident, &ids).await?;
    drop(transaction);
    caller.reading.beside(ReadKind::Membership, ids);
    caller.reading.beside(ReadKind::Group, all.iter().map(|(id, _)| *id));
    let name = |group: i64| all.iter().find(|(id, _)| *id == group).map_or_else(String::new, |(_, name)| name.clone());
    let groups: Vec<Membership> = rows
        .iter()
        .filter_map(|row| Some((row, row.group_id?)))
        .map(|(row, group)| Membership { id: row.membership_id, group, name: name(group), is_default: row.is_default })
        .collect();
    let is_other = |(id, _): &&(i64, String)| !groups.iter().any(|membership| membership.group == *id);
    let others = all.iter().filter(is_other);
    let others =
        others.map(|(id, name)| Pick { value: id.to_string(), name: name.clone(), is_chosen: false }).collect();
    Ok(PersonPage {
        frame,
        shell: Shell::of(caller),
        around: Around::of(frame, Part::People),
        person: row.person_id,
        name: row.name.clone(),
        email: row.email.clone().unwrap_or_default(),
        since: frame.words.moment(row.created_at),
        is_self: row.person_id == caller.person.get(),
        sheet,
        groups,
        others,
        works_here: row.role != Role::EndUser.as_str(),
        once: desk.ids.uuid().to_string(),
        refused,
    })
}
