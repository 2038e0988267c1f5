//! `GET /api/v2/users`: the users, sorted by id, for agents. `role=` or `role[]=` narrows the list.

use axum::{Json, extract::State};
use serde_json::Value;

use crate::{
    api::v2::{
        page::{Page, PageQuery},
        present,
    },
    caller::Caller,
    problem::ApiResult,
    read::{
        self, List,
        memberships::Kind,
        people::{Filter, Which},
    },
    state::Desk,
};

/// Answers a page of users.
pub(crate) async fn list(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    let roles: Vec<String> = query.all_of("role").chain(query.all_of("role[]")).map(str::to_owned).collect();
    let filter = Filter { roles: (!roles.is_empty()).then_some(roles), ..Filter::default() };
    let page = query.page(&caller)?;
    Ok(Json(answer(&desk, &caller, ("users", &page), &filter).await?))
}

/// A page of the users who pass the filter, under a key.
pub(crate) async fn answer(
    desk: &Desk,
    caller: &Caller,
    (key, page): (&str, &Page),
    filter: &Filter,
) -> ApiResult<Value> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let slice = page.slice(read::people::ids(&mut transaction, &caller.resident, filter, page.window()).await?);
    let count = match page.is_counted() {
        true => Some(read::people::count(&mut transaction, &caller.resident, filter).await?),
        false => None,
    };
    let rows = read::people::many(&mut transaction, &caller.resident, &slice.ids).await?;
    let shown = if filter.deleted { present::user::deleted_user } else { present::user::user };
    let users = rows.iter().map(|row| shown(caller, row)).collect();
    Ok(page.answer(key, users, &slice, count))
}

/// A page of the users who belong to an organization or a group.
pub(crate) async fn members(desk: &Desk, caller: &Caller, page: &Page, of: (Kind, i64)) -> ApiResult<Json<Value>> {
    listed(desk, caller, page, &read::people::list(Which::Of(of.0, of.1))).await
}

/// A page of some users.
pub(super) async fn listed(desk: &Desk, caller: &Caller, page: &Page, list: &List) -> ApiResult<Json<Value>> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let (slice, count) = page.read(&mut transaction, list).await?;
    let rows = read::people::many(&mut transaction, &caller.resident, &slice.ids).await?;
    let users = rows.iter().map(|row| present::user::user(caller, row)).collect();
    Ok(Json(page.answer("users", users, &slice, count)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Answer, Bench};

    fn ids(answer: &Answer) -> Vec<i64> {
        answer.body["users"].as_array().into_iter().flatten().filter_map(|user| user["id"].as_i64()).collect()
    }

    #[tokio::test]
    async fn users_come_in_both_kinds_of_pages_and_by_role() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let all = bench.get(ALAN, "/api/v2/users").await;
        assert_eq!((ids(&all), &all.body["count"]), (vec![1, 2, 3, 4], &json!(4)));
        let page = bench.get(ALAN, "/api/v2/users?page[size]=3").await;
        assert_eq!((ids(&page), &page.body["meta"]["has_more"]), (vec![1, 2, 3], &json!(true)));
        assert_eq!(ids(&bench.get(ALAN, "/api/v2/users?role=end-user").await), [3, 4]);
        assert_eq!(ids(&bench.get(ALAN, "/api/v2/users?role[]=admin&role[]=agent&page[size]=9").await), [1, 2]);
        assert_eq!(ids(&bench.get(ALAN, "/api/v2/users/show_many?ids=4,1,77").await), [1, 4]);
        assert_eq!(bench.get(ADA, "/api/v2/users").await.status, 403);
        assert_eq!(bench.get(ADA, "/api/v2/users/show_many?ids=1").await.status, 403);
        Ok(())
    }
}
