//! `GET /agent/search?q=&page=`: what is found by a query in the language of [`domain::search`]: tickets, people, organizations, groups.

use askama::Template;
use axum::extract::State;
use domain::{
    rule::Column,
    search::{Asked, Asking, Kind, asked::OrderBy},
};
use schemas::values::{ReadKind, SortOrder};

use super::{
    Insider, Shell,
    table::{self, Row},
};
use crate::{
    api::v2::page::PageQuery,
    pages::frame::{Frame, percent},
    problem::{ApiError, ApiResult},
    read::{
        self, Window,
        search::{Search, by_kind},
    },
    state::Desk,
};

/// Results on a page.
const PAGE_LENGTH: i64 = 30;
/// The page beyond which only exports lead.
const PAGE_MAX: i64 = 33;
/// What is shown of a ticket.
const COLUMNS: [Column; 5] = [Column::Subject, Column::Status, Column::Requester, Column::Assignee, Column::Updated];

#[derive(Template)]
#[template(path = "agent/search.html")]
struct SearchPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    /// Why the query is refused.
    error: Option<String>,
    count: Option<i64>,
    tickets: Vec<Row>,
    people: Vec<Link>,
    organizations: Vec<Link>,
    previous: Option<String>,
    next: Option<String>,
}

/// Something that is found and has a page.
struct Link {
    id: i64,
    name: String,
    beside: String,
}

impl<'a> SearchPage<'a> {
    fn of(frame: &'a Frame, shell: Shell) -> Self {
        let (tickets, people, organizations) = (Vec::new(), Vec::new(), Vec::new());
        Self { frame, shell, error: None, count: None, tickets, people, organizations, previous: None, next: None }
    }
}

/// What is found, the best first.
pub(super) async fn show(
    State(desk): State<Desk>,
    Insider(caller): Insider,
    frame: Frame,
    query: PageQuery,
) -> ApiResult {
    let sought = query.get("q").unwrap_or_default().trim().to_owned();
    let shell = Shell { sought: sought.clone(), ..Shell::of(&caller) };
    let mut page = SearchPage::of(&frame, shell);
    if sought.is_empty() {
        return frame.page(&page);
    }
    let asking = Asking { person: caller.person, now: desk.clock.now() };
    let asked = match Asked::read(&sought, &asking) {
        Ok(asked) => asked,
        Err(refused) => {
            page.error = Some(refused.to_string());
            return frame.respond(axum::http::StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let number = query.get("page").unwrap_or("1").parse().ok().filter(|page| (1..=PAGE_MAX).contains(page));
    let number = number.ok_or_else(|| ApiError::invalid_parameter("page", "an integer from 1 to 33"))?;
    let order = (asked.order_by.unwrap_or(OrderBy::Relevance), asked.sort_order.unwrap_or(SortOrder::Descending));
    let offset = (number - 1) * PAGE_LENGTH;
    let window = Window { after: 0, before: None, limit: PAGE_LENGTH + 1, offset, is_by_offset: true };
    let resident = &caller.resident;
    let _turn = desk.searches().turn().await?;
    let mut transaction = desk.reading(resident).await?;
    let search = Search::of(&mut transaction, resident, &asked).await?;
    let mut found = search.page(&mut transaction, order, window).await?;
    page.count = Some(search.count(&mut transaction).await?);
    let length = usize::try_from(PAGE_LENGTH).unwrap_or_default();
    let has_more = found.len() > length;
    found.truncate(length);
    let known = read::ticket_fields::known(&mut transaction, resident).await?;
    for (kind, ids) in by_kind(&found) {
        match kind {
            Kind::Ticket => {
                let of = (&caller, &frame.words);
                page.tickets = table::rows(&mut transaction, of, &ids, (&COLUMNS, &known)).await?;
            }
            Kind::User => {
                caller.reading.beside(ReadKind::User, ids.iter().copied());
                let rows = read::people::many(&mut transaction, resident, &ids).await?;
                let link = |row: read::people::Person| Link {
                    id: row.person_id,
                    name: row.name,
                    beside: row.email.unwrap_or_default(),
                };
                page.people = rows.into_iter().map(link).collect();
            }
            Kind::Organization => {
                caller.reading.beside(ReadKind::Organization, ids.iter().copied());
                let rows = read::organizations::many(&mut transaction, resident, &ids).await?;
                let link = |row: read::organizations::Organization| Link {
                    id: row.organization_id,
                    name: row.name,
                    beside: row.domain_names.join(", "),
                };
                page.organizations = rows.into_iter().map(link).collect();
            }
            // A group has no page of its own: its views lead to its tickets.
            Kind::Group => {}
        }
    }
    drop(transaction);
    let link = |page: i64| format!("/agent/search?q={}&page={page}", percent(&sought));
    page.previous = (number > 1).then(|| link(number - 1));
    page.next = (has_more && number < PAGE_MAX).then(|| link(number + 1));
    frame.page(&page)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{page, text};
    use crate::api::testing::{ADA, ALAN, Bench, GRACE};

    #[tokio::test]
    async fn tickets_people_and_organizations_are_found_and_lead_to_their_pages() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "Kettle <b>leaks</b>", "comment": {"body": "It drips"}})).await;
        let made = bench.post(GRACE, "/api/v2/organizations", json!({"organization": {"name": "Kettle Works"}})).await;
        bench.settle(&bench.acme).await?;
        let organization = format!("/agent/organizations/{}", made.body["organization"]["id"]);
        let found = page(&bench, ALAN, "/agent/search?q=kettle").await;
        assert!(found.contains(r#"href="/agent/tickets/1""#) && found.contains("Kettle &#60;b&#62;leaks"), "{found}");
        assert!(found.contains(&organization) && found.contains(r#"value="kettle""#), "{found}");
        assert!(page(&bench, ALAN, "/agent/search?q=type:user%20ada").await.contains(r#"href="/agent/users/3""#));
        assert!(page(&bench, ALAN, "/agent/search?q=nothing-such").await.contains("Nothing was found"));
        page(&bench, ALAN, "/agent/search").await;
        let refused = bench.get(ALAN, "/agent/search?q=created%3Eyesterdayish").await;
        assert_eq!(refused.status, 422, "{}", text(&refused));
        assert!(text(&refused).contains("created&#62;yesterdayish"));
        Ok(())
    }

    #[tokio::test]
    async fn profiles_show_what_is_known_and_the_tickets() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"subject": "Kettle", "comment": {"body": "It drips"}, "assignee_id": null})).await;
        bench.put(ALAN, "/api/v2/users/3", json!({"user": {"notes": "Likes <b>tea</b>", "tags": ["vip"]}})).await;
        let organization = json!({"organization": {"name": "Engines", "domain_names": ["engines.example"]}});
        let made = bench.post(GRACE, "/api/v2/organizations", organization).await.body["organization"]["id"].clone();
        let membership = json!({"organization_membership": {"user_id": ADA.id, "organization_id": made}});
        assert_eq!(bench.post(GRACE, "/api/v2/organization_memberships", membership).await.status, 201);
        bench.settle(&bench.acme).await?;
        let person = page(&bench, ALAN, "/agent/users/3").await;
        assert!(person.contains("<bdi>ada@acme.example</bdi>") && person.contains("Likes &#60;b&#62;tea"), "{person}");
        assert!(person.contains("Kettle") && person.contains(&format!("/agent/organizations/{made}")), "{person}");
        let shown = page(&bench, ALAN, &format!("/agent/organizations/{made}")).await;
        assert!(shown.contains("engines.example") && shown.contains(r#"href="/agent/users/3""#), "{shown}");
        assert_eq!(bench.get(ALAN, "/agent/users/999").await.status, 404);
        assert_eq!(bench.get(ALAN, "/agent/organizations/999").await.status, 404);
        Ok(())
    }
}
