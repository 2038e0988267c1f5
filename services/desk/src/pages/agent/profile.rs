//! `GET /agent/users/{id}` and `/agent/organizations/{id}`: what is known of somebody, or of those who belong together, and their tickets.

use askama::Template;
use axum::extract::State;
use domain::rule::Column;
use schemas::{
    OrganizationId, PersonId,
    values::{PersonDetail, ReadKind},
};

use super::{
    Insider, Shell,
    table::{self, Row},
};
use crate::{
    api::v2::ids::Id,
    caller::Caller,
    pages::{frame::Frame, words::Words},
    problem::{ApiError, ApiResult},
    read::{
        self, List, Window, memberships::Kind, organizations::Which as Organizations, people::Which as People,
        tickets::Part,
    },
    state::Desk,
};

/// What a page lists of each at most; a search finds the others.
const LISTED_MAX: i64 = 25;
const COLUMNS: [Column; 4] = [Column::Subject, Column::Status, Column::Priority, Column::Updated];

#[derive(Template)]
#[template(path = "agent/profile.html")]
struct ProfilePage<'a> {
    frame: &'a Frame,
    shell: Shell,
    name: String,
    /// What is known: what it is called, and what it is.
    facts: Vec<(String, String)>,
    /// Where else this leads: a heading, and links with their names.
    links: Vec<(String, Vec<(String, String)>)>,
    /// Tickets: a heading, how many there are, and the newest of them.
    tickets: Vec<(String, i64, Vec<Row>)>,
}

/// A person.
pub(super) async fn person(
    State(desk): State<Desk>,
    Insider(caller): Insider,
    frame: Frame,
    Id(person): Id<PersonId>,
) -> ApiResult {
    let (words, resident) = (&frame.words, &caller.resident);
    let mut transaction = desk.reading(resident).await?;
    let row = read::people::one(&mut transaction, resident, person).await?.ok_or_else(ApiError::not_found)?;
    let identities = read::identities::list(person).ids(&mut transaction, resident, window()).await?;
    let identities = read::identities::many(&mut transaction, resident, &identities).await?;
    let list = read::organizations::list(Organizations::Of(person.get()));
    let organizations = list.ids(&mut transaction, resident, window()).await?;
    caller.reading.beside(ReadKind::Organization, organizations.iter().copied());
    let organizations = read::organizations::many(&mut transaction, resident, &organizations).await?;
    let around = (&caller, words);
    let requested = newest(&mut transaction, around, &read::tickets::with(Part::Requester, person)).await?;
    let assigned = newest(&mut transaction, around, &read::tickets::with(Part::Assignee, person)).await?;
    drop(transaction);
    let detail = |detail| row.detail(detail).unwrap_or_default().to_owned();
    let reached = identities.iter().map(|identity| identity.value.clone()).collect::<Vec<_>>().join(", ");
    let mut facts = vec![
        (words.say("agent-person-role").to_string(), role(words, &row.role)),
        (words.say("agent-person-reached").to_string(), reached),
        (words.say("agent-person-phone").to_string(), detail(PersonDetail::Phone)),
        (words.say("agent-details").to_string(), detail(PersonDetail::Details)),
        (words.say("agent-notes").to_string(), detail(PersonDetail::Notes)),
        (words.say("agent-field-tags").to_string(), row.tags.join(" ")),
        (words.say("agent-person-since").to_string(), words.moment(row.created_at)),
    ];
    facts.retain(|(_, text)| !text.is_empty());
    let link =
        |row: read::organizations::Organization| (format!("/agent/organizations/{}", row.organization_id), row.name);
    let mut tickets = vec![(words.say("agent-person-requested").to_string(), requested.0, requested.1)];
    if assigned.0 > 0 {
        tickets.push((words.say("agent-person-assigned").to_string(), assigned.0, assigned.1));
    }
    frame.page(&ProfilePage {
        frame: &frame,
        shell: Shell::of(&caller),
        name: row.name.clone(),
        facts,
        links: vec![(words.say("agent-organizations").to_string(), organizations.into_iter().map(link).collect())],
        tickets,
    })
}

/// An organization.
pub(super) async fn organization(
    State(desk): State<Desk>,
    Insider(caller): Insider,
    frame: Frame,
    Id(organization): Id<OrganizationId>,
) -> ApiResult {
    let (words, resident) = (&frame.words, &caller.resident);
    let mut transaction = desk.reading(resident).await?;
    let row = read::organizations::one(&mut transaction, resident, organization).await?;
    let row = row.ok_or_else(ApiError::not_found)?;
    let list = read::people::list(People::Of(Kind::Organization, organization.get()));
    let people = list.ids(&mut transaction, resident, window()).await?;
    caller.reading.beside(ReadKind::User, people.iter().copied());
    let people = read::people::many(&mut transaction, resident, &people).await?;
    let count = read::organizations::people(&mut transaction, resident, organization).await?;
    let tickets = read::organizations::tickets(&mut transaction, resident, organization).await?;
    drop(transaction);
    let detail = |name: &str| row.details[name].as_str().unwrap_or_default().to_owned();
    let mut facts = vec![
        (words.say("agent-organization-domains").to_string(), row.domain_names.join(", ")),
        (words.say("agent-details").to_string(), detail("details")),
        (words.say("agent-notes").to_string(), detail("notes")),
        (words.say("agent-field-tags").to_string(), row.tags.join(" ")),
        (words.say("agent-organization-people").to_string(), words.number(count)),
        (words.say("agent-organization-tickets").to_string(), words.number(tickets)),
    ];
    facts.retain(|(_, text)| !text.is_empty());
    let link = |row: read::people::Person| (format!("/agent/users/{}", row.person_id), row.name);
    frame.page(&ProfilePage {
        frame: &frame,
        shell: Shell::of(&caller),
        name: row.name.clone(),
        facts,
        links: vec![(words.say("agent-organization-people").to_string(), people.into_iter().map(link).collect())],
        tickets: Vec::new(),
    })
}

const fn window() -> Window {
    Window { after: 0, before: None, limit: LISTED_MAX, offset: 0, is_by_offset: true }
}

/// How many tickets a list has, and its newest.
async fn newest(
    conn: &mut sqlx::PgConnection,
    around: (&Caller, &Words),
    list: &List,
) -> Result<(i64, Vec<Row>), sqlx::Error> {
    let resident = &around.0.resident;
    let newest = Window { before: Some(i64::MAX), is_by_offset: false, ..window() };
    let mut ids = list.ids(conn, resident, newest).await?;
    ids.reverse();
    let count = list.count(conn, resident).await?;
    // They stand beside what was asked for, which is the person.
    around.0.reading.beside(ReadKind::Ticket, ids.iter().copied());
    Ok((count, table::rows(conn, around, &ids, (&COLUMNS, &[])).await?))
}

/// What somebody may do, in the reader's words.
pub(in crate::pages) fn role(words: &Words, role: &str) -> String {
    let sentence = match role {
        "admin" => words.say("agent-role-admin"),
        "agent" => words.say("agent-role-agent"),
        "auditor" => words.say("agent-role-auditor"),
        _ => words.say("agent-role-end-user"),
    };
    sentence.to_string()
}
