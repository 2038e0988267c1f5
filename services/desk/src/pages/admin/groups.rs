//! `GET /agent/admin/groups`, `new` and `{id}`: the groups that tickets are given to.

use askama::Template;
use axum::extract::State;
use domain::tenant::Tenant;
use schemas::{GroupId, StreamName, Version, values::ReadKind};
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
            groups::{create, delete as deletion, update},
            ids::Id,
        },
    },
    body::{Fields, form::Form},
    caller::Caller,
    execute::{load, replayed},
    pages::{agent::Shell, frame::Frame, words::Words},
    problem::{ApiError, ApiResult},
    read::{self, Window, groups::Group, memberships::Kind, people::Which},
    state::Desk,
};

const PAGE: &str = "/agent/admin/groups";
/// Groups that the list has at most, as everywhere else.
const LISTED_MAX: i64 = 500;
/// Members of a group that are listed at most.
const MEMBERS_MAX: i64 = 100;

#[derive(Template)]
#[template(path = "admin/groups.html")]
struct GroupsPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    around: Around,
    groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "admin/form.html")]
struct NewGroupPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    around: Around,
    above: (&'static str, String),
    title: String,
    lead: String,
    sheet: Sheet,
}

#[derive(Template)]
#[template(path = "admin/group.html")]
struct GroupPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    around: Around,
    group: i64,
    name: String,
    sheet: Sheet,
    members: Vec<(i64, String)>,
    once: String,
    refused: Option<String>,
}

/// What was typed.
#[derive(Default)]
struct Typed {
    name: String,
    description: String,
    is_private: bool,
    is_default: bool,
    /// Whether it is private for good, or first already: that is not to be chosen any more.
    was: (bool, bool),
}

impl Typed {
    fn of(row: &Group) -> Self {
        Self {
            name: row.name.clone(),
            description: row.description.clone(),
            is_private: !row.is_public,
            is_default: row.is_default,
            was: (!row.is_public, row.is_default),
        }
    }

    fn read(form: &Form, was: (bool, bool)) -> Self {
        Self {
            name: form.text("name").to_owned(),
            description: form.text("description").to_owned(),
            is_private: form.has("private"),
            is_default: form.has("default"),
            was,
        }
    }

    /// As the API takes it: what is no choice is not sent.
    fn request(&self) -> Map<String, Value> {
        let mut request = Map::new();
        request.insert("name".to_owned(), json!(self.name));
        request.insert("description".to_owned(), json!(self.description));
        if self.is_private && !self.was.0 {
            request.insert("is_public".to_owned(), json!(false));
        }
        if self.is_default && !self.was.1 {
            request.insert("default".to_owned(), json!(true));
        }
        request
    }

    fn fields(&self, words: &Words, is_new: bool) -> Vec<Field> {
        let mut fields = vec![
            Field::text("text", "name", words.say("admin-name"), &self.name),
            Field::text("textarea", "description", words.say("admin-description"), &self.description),
        ];
        if !self.was.0 {
            let private = Field::tick("private", words.say("admin-group-private"), self.is_private);
            fields.push(private.hint(words.say("admin-group-private-hint")));
        }
        if !is_new && !self.was.1 {
            let first = Field::tick("default", words.say("admin-group-default"), self.is_default);
            fields.push(first.hint(words.say("admin-group-default-hint")));
        }
        fields
    }
}

/// What the API calls these fields.
const INPUTS: [(&str, &str); 1] = [("is_public", "private")];

/// The list.
pub(super) async fn list(State(desk): State<Desk>, Admin(caller): Admin, frame: Frame) -> ApiResult {
    let window = Window { after: 0, before: None, limit: LISTED_MAX, offset: 0, is_by_offset: true };
    let mut transaction = desk.reading(&caller.resident).await?;
    let ids = read::groups::list(None).ids(&mut transaction, &caller.resident, window).await?;
    let groups = read::groups::many(&mut transaction, &caller.resident, &ids).await?;
    drop(transaction);
    caller.reading.of(ids);
    let around = Around::of(&frame, Part::Groups);
    frame.page(&GroupsPage { frame: &frame, shell: Shell::of(&caller), around, groups })
}

/// The empty form.
pub(super) async fn blank(State(desk): State<Desk>, Admin(caller): Admin, frame: Frame) -> ApiResult {
    frame.page(&new_page(&caller, &frame, new_sheet(&desk, &frame.words, &Typed::default())))
}

/// Makes a group, and goes to the list; or shows the form again with what is wrong.
pub(super) async fn make(State(desk): State<Desk>, Admin(caller): Admin, frame: Frame, form: Form) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let typed = Typed::read(&form, (false, false));
    match create::carry_out(&desk, &caller, &by, Fields::new(&typed.request(), "")).await {
        Ok(done) => sheet::done((&desk, &caller), &done, settle::ACCOUNT, (PAGE, "made")).await,
        Err(error) if sheet::is_mendable(&error) => {
            let sheet = new_sheet(&desk, &frame.words, &typed).refused(&error, &INPUTS);
            sheet::again(frame.respond(error.status(), &new_page(&caller, &frame, sheet)))
        }
        Err(error) => Err(error),
    }
}

fn new_sheet(desk: &Desk, words: &Words, typed: &Typed) -> Sheet {
    Sheet::new(desk, PAGE, words.say("admin-group-add"), typed.fields(words, true))
}

fn new_page<'a>(caller: &Caller, frame: &'a Frame, sheet: Sheet) -> NewGroupPage<'a> {
    NewGroupPage {
        frame,
        shell: Shell::of(caller),
        around: Around::of(frame, Part::Groups),
        above: (PAGE, frame.words.say("admin-groups").to_string()),
        title: frame.words.say("admin-group-new").to_string(),
        lead: frame.words.say("admin-group-new-lead").to_string(),
        sheet,
    }
}

/// A group.
pub(super) async fn show(
    State(desk): State<Desk>,
    Admin(caller): Admin,
    frame: Frame,
    Id(group): Id<GroupId>,
) -> ApiResult {
    let (row, version) = there(&desk, &caller, group).await?;
    let sheet = sheet(&desk, &frame.words, (group, version), &Typed::of(&row));
    frame.page(&page((&desk, &caller, &frame), &row, sheet, None).await?)
}

/// Changes what was typed; or shows the form again with what is wrong.
pub(super) async fn change(
    State(desk): State<Desk>,
    Admin(caller): Admin,
    frame: Frame,
    Id(group): Id<GroupId>,
    form: Form,
) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let (row, version) = there(&desk, &caller, group).await?;
    let typed = Typed::read(&form, Typed::of(&row).was);
    let (request, seen) = (typed.request(), sheet::seen(&form));
    match update::carry_out(&desk, &caller, &by, (group, seen, Fields::new(&request, ""))).await {
        Ok(done) => sheet::done((&desk, &caller), &done, settle::ACCOUNT, (PAGE, "saved")).await,
        Err(error) if sheet::is_mendable(&error) => {
            let sheet = sheet(&desk, &frame.words, (group, version), &typed);
            let sheet = match seen.is_some_and(|seen| seen != version) {
                true => sheet.overtaken(&frame.words, &Typed::of(&row).fields(&frame.words, false)),
                false => sheet.refused(&error, &INPUTS),
            };
            sheet::again(frame.respond(error.status(), &page((&desk, &caller, &frame), &row, sheet, None).await?))
        }
        Err(error) => Err(error),
    }
}

/// `POST …/deletion`: puts a group away.
pub(super) async fn delete(
    State(desk): State<Desk>,
    Admin(caller): Admin,
    frame: Frame,
    Id(group): Id<GroupId>,
    form: Form,
) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let deleted = match replayed(&desk, &by).await? {
        Some(done) => Ok(done),
        None => deletion::carry_out(&desk, &caller, &by, group).await,
    };
    match deleted {
        Ok(done) => sheet::done((&desk, &caller), &done, settle::ACCOUNT, (PAGE, "deleted")).await,
        Err(error) if sheet::is_mendable(&error) => {
            let (row, version) = there(&desk, &caller, group).await?;
            let sheet = sheet(&desk, &frame.words, (group, version), &Typed::of(&row));
            let page = page((&desk, &caller, &frame), &row, sheet, Some(error.sentence())).await?;
            sheet::again(frame.respond(error.status(), &page))
        }
        Err(error) => Err(error),
    }
}

/// A group that is there, and the version of the tenant, whose groups are one.
async fn there(desk: &Desk, caller: &Caller, group: GroupId) -> Result<(Group, Version), ApiError> {
    // The version first: what is read afterwards is as new at least, or the change is refused.
    let (_, version) = load::<Tenant>(desk, &caller.resident, &StreamName::Tenant).await?;
    settle::catch_up(desk, &caller.resident, settle::ACCOUNT).await?;
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::groups::one(&mut transaction, &caller.resident, group).await?;
    let row = row.filter(|row| !row.is_deleted).ok_or_else(ApiError::not_found)?;
    Ok((row, version))
}

fn sheet(desk: &Desk, words: &Words, (group, version): (GroupId, Version), typed: &Typed) -> Sheet {
    let fields = typed.fields(words, false);
    Sheet::new(desk, format!("{PAGE}/{group}"), words.say("admin-save"), fields).seen(version)
}

async fn page<'a>(
    (desk, caller, frame): (&Desk, &Caller, &'a Frame),
    row: &Group,
    sheet: Sheet,
    refused: Option<String>,
) -> Result<GroupPage<'a>, ApiError> {
    let window = Window { after: 0, before: None, limit: MEMBERS_MAX, offset: 0, is_by_offset: true };
    let mut transaction = desk.reading(&caller.resident).await?;
    let list = read::people::list(Which::Of(Kind::Group, row.group_id));
    let ids = list.ids(&mut transaction, &caller.resident, window).await?;
    let members = read::people::many(&mut transaction, &caller.resident, &ids).await?;
    drop(transaction);
    caller.reading.beside(ReadKind::User, ids);
    Ok(GroupPage {
        frame,
        shell: Shell::of(caller),
        around: Around::of(frame, Part::Groups),
        group: row.group_id,
        name: row.name.clone(),
        sheet,
        members: members.into_iter().map(|row| (row.person_id, row.name)).collect(),
        once: desk.ids.uuid().to_string(),
        refused,
    })
}
