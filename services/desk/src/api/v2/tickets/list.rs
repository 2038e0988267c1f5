//! `GET /api/v2/tickets`: the tickets in sight, sorted by id. `external_id=` narrows the list to those with that id.

use axum::{Json, extract::State};
use serde_json::Value;

use crate::{
    api::v2::{include::Include, page::PageQuery, present},
    caller::Caller,
    problem::ApiResult,
    read::{self, tickets::Filter},
    state::Desk,
};

/// Answers a page of tickets.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    let external_id = query.get("external_id").map(str::to_owned);
    let filter = Filter { external_id: external_id.as_deref(), ..Filter::of(caller.sight()) };
    page(&desk, &caller, query, filter).await
}

/// A page of the tickets that pass a filter.
pub(super) async fn page(desk: &Desk, caller: &Caller, query: PageQuery, filter: Filter<'_>) -> ApiResult<Json<Value>> {
    let include = Include::of(query.get("include"), caller);
    let page = query.page(caller)?;
    let resident = &caller.resident;
    let mut transaction = desk.reading(resident).await?;
    let slice = page.slice(read::tickets::ids(&mut transaction, resident, filter, page.window()).await?);
    let count = match page.is_counted() {
        true => Some(read::tickets::count(&mut transaction, resident, filter).await?),
        false => None,
    };
    let rows = read::tickets::many(&mut transaction, resident, filter.sight, &slice.ids).await?;
    let tickets = rows.iter().map(|row| present::ticket::ticket(caller, row)).collect();
    drop(transaction);
    let mut answer = page.answer("tickets", tickets, &slice, count);
    include.beside_tickets(desk, caller, &mut answer).await?;
    Ok(Json(answer))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Answer, Bench, EVE, request};

    const HOST: &str = "http://acme.localhost:8080";

    async fn bench_with_tickets() -> anyhow::Result<Bench> {
        let bench = Bench::start().await?;
        for (who, subject) in [(ADA, "1"), (EVE, "2"), (ADA, "3"), (ADA, "4"), (EVE, "5")] {
            bench.ticket(who, json!({"subject": subject, "comment": {"body": subject}})).await;
        }
        Ok(bench)
    }

    fn ids(answer: &Answer) -> Vec<i64> {
        let tickets = answer.body["tickets"].as_array().expect("tickets");
        tickets.iter().filter_map(|ticket| ticket["id"].as_i64()).collect()
    }

    fn path(link: &Value) -> String {
        link.as_str().and_then(|link| link.strip_prefix(HOST)).expect("a link to the tenant's own host").to_owned()
    }

    #[tokio::test]
    async fn pages_by_offset_count_and_lead_to_their_neighbours() -> anyhow::Result<()> {
        let bench = bench_with_tickets().await?;
        let all = bench.get(ALAN, "/api/v2/tickets.json").await;
        assert_eq!(ids(&all), [1, 2, 3, 4, 5]);
        assert_eq!(
            (&all.body["count"], &all.body["next_page"], &all.body["previous_page"]),
            (&json!(5), &Value::Null, &Value::Null)
        );
        let middle = bench.get(ALAN, "/api/v2/tickets?per_page=2&include=x&page=2").await;
        assert_eq!((ids(&middle), &middle.body["count"]), (vec![3, 4], &json!(5)));
        assert_eq!(middle.body["next_page"], format!("{HOST}/api/v2/tickets.json?per_page=2&include=x&page=3"));
        assert_eq!(middle.body["previous_page"], format!("{HOST}/api/v2/tickets.json?per_page=2&include=x&page=1"));
        let last = bench.get(ALAN, &path(&middle.body["next_page"])).await;
        assert_eq!((ids(&last), &last.body["next_page"]), (vec![5], &Value::Null));
        Ok(())
    }

    #[tokio::test]
    async fn pages_by_cursor_go_forth_and_back() -> anyhow::Result<()> {
        let bench = bench_with_tickets().await?;
        let first = bench.get(ALAN, "/api/v2/tickets?page[size]=2").await;
        assert_eq!(first.body.as_object().map(serde_json::Map::len), Some(3), "tickets, meta and links");
        assert_eq!((ids(&first), &first.body["meta"]["has_more"]), (vec![1, 2], &json!(true)));
        assert!(
            first.body["links"]["next"].as_str().is_some_and(|next| next.contains("page%5Bsize%5D=2&page%5Bafter%5D="))
        );
        assert!(first.body["links"]["prev"].is_string(), "set on the first page too");
        let second = bench.get(ALAN, &path(&first.body["links"]["next"])).await;
        let third = bench.get(ALAN, &path(&second.body["links"]["next"])).await;
        assert_eq!((ids(&second), ids(&third)), (vec![3, 4], vec![5]));
        assert_eq!(third.body["meta"]["has_more"], false);
        assert!(third.body["links"]["next"].is_string(), "set on the last page too");
        let beyond = bench.get(ALAN, &path(&third.body["links"]["next"])).await;
        assert_eq!(
            beyond.body,
            json!({
                "tickets": [], "links": {"next": null, "prev": null},
                "meta": {"has_more": false, "after_cursor": null, "before_cursor": null},
            })
        );
        let back = bench.get(ALAN, &path(&third.body["links"]["prev"])).await;
        assert_eq!((ids(&back), &back.body["meta"]["has_more"]), (vec![3, 4], &json!(true)));
        let front = bench.get(ALAN, &path(&back.body["links"]["prev"])).await;
        assert_eq!((ids(&front), &front.body["meta"]["has_more"]), (vec![1, 2], &json!(false)));
        Ok(())
    }

    #[tokio::test]
    async fn an_end_user_lists_only_their_own() -> anyhow::Result<()> {
        let bench = bench_with_tickets().await?;
        let adas = bench.get(ADA, "/api/v2/tickets").await;
        assert_eq!((ids(&adas), &adas.body["count"]), (vec![1, 3, 4], &json!(3)));
        assert_eq!(ids(&bench.get(ADA, "/api/v2/tickets?page[size]=2").await), [1, 3]);
        let foreign = bench.send(request("GET", "globex", Some(ALAN), "/api/v2/tickets", Body::empty())).await;
        assert_eq!((ids(&foreign), &foreign.body["count"]), (vec![], &json!(0)), "another tenant has none");
        Ok(())
    }

    #[tokio::test]
    async fn a_list_by_external_id_holds_nothing_else() -> anyhow::Result<()> {
        let bench = bench_with_tickets().await?;
        for (who, external_id) in [(ADA, "x-1"), (EVE, "x-2"), (EVE, "x-1"), (ADA, "x-1")] {
            let comment = json!({"body": "x"});
            let ticket = json!({"external_id": external_id, "requester_id": who.id, "comment": comment});
            bench.ticket(ALAN, ticket).await;
        }
        let first = bench.get(ALAN, "/api/v2/tickets.json?external_id=x-1&per_page=2").await;
        assert_eq!((ids(&first), &first.body["count"]), (vec![6, 8], &json!(3)));
        assert_eq!(ids(&bench.get(ALAN, &path(&first.body["next_page"])).await), [9], "the links keep the filter");
        let cursor = bench.get(ALAN, "/api/v2/tickets?external_id=x-1&page[size]=2").await;
        let next = bench.get(ALAN, &path(&cursor.body["links"]["next"])).await;
        assert_eq!(
            (ids(&next), ids(&bench.get(ALAN, &path(&next.body["links"]["prev"])).await)),
            (vec![9], vec![6, 8])
        );
        let adas = bench.get(ADA, "/api/v2/tickets?external_id=x-1").await;
        assert_eq!((ids(&adas), &adas.body["count"]), (vec![6, 9], &json!(2)));
        assert_eq!(bench.get(ALAN, "/api/v2/tickets?external_id=x-3").await.body["count"], 0);
        Ok(())
    }

    #[tokio::test]
    async fn a_page_that_is_none_is_a_bad_request() -> anyhow::Result<()> {
        let bench = bench_with_tickets().await?;
        let foreign =
            bench.send(request("GET", "globex", Some(ALAN), "/api/v2/users?page[size]=1", Body::empty())).await;
        let cursor = foreign.body["meta"]["after_cursor"].as_str().expect("a cursor").to_owned();
        for query in [
            "page=0",
            "page=x",
            "per_page=-1",
            "page=99999999999",
            "page[size]=0",
            "page[size]=x",
            "page[size]=2&page[after]=x",
            &format!("page[size]=2&page[after]={cursor}"),
        ] {
            assert_eq!(bench.get(ALAN, &format!("/api/v2/tickets?{query}")).await.status, 400, "{query}");
        }
        assert_eq!(
            bench.get(ALAN, "/api/v2/tickets?per_page=1000").await.status,
            200,
            "too many are as many as there may be"
        );
        Ok(())
    }

    #[tokio::test]
    async fn an_answer_the_client_has_is_not_sent_again() -> anyhow::Result<()> {
        let bench = bench_with_tickets().await?;
        let first = bench.get(ALAN, "/api/v2/tickets").await;
        assert!(first.header("etag").starts_with("W/\""));
        let mut again = request("GET", "acme", Some(ALAN), "/api/v2/tickets", Body::empty());
        again.headers_mut().insert("if-none-match", first.headers["etag"].clone());
        let again = bench.send(again).await;
        assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
        Ok(())
    }
}
