//! `GET /api/v2/users/search`: users by text, by address, or by external id, for agents.
//!
//! `query=email:ada@example.com` and a query that is an address find whoever has it; any other query finds users whose name
//! or address holds it.

use axum::{Json, extract::State};
use domain::text;
use serde_json::Value;

use super::list;
use crate::{
    api::v2::page::PageQuery,
    caller::Caller,
    problem::{ApiError, ApiResult},
    read::{
        self,
        people::{Filter, Which},
    },
    state::Desk,
};

/// Answers a page of the users found.
pub(crate) async fn search(State(desk): State<Desk>, caller: Caller, query: PageQuery) -> ApiResult<Json<Value>> {
    caller.require_insider()?;
    if let Some(id) = query.get("external_id") {
        let which = Which::External(vec![id.trim().to_owned()]);
        return list::listed(&desk, &caller, &query.offset_page(&caller)?, &read::people::list(which)).await;
    }
    let filter = filter(&query)?;
    let page = query.offset_page(&caller)?;
    Ok(Json(list::answer(&desk, &caller, ("users", &page), &filter).await?))
}

fn filter(query: &PageQuery) -> Result<Filter, ApiError> {
    let text = query.get("query").map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| ApiError::invalid_parameter("query", "a text, or email:<address>"))?;
    let (address, is_email) = match text.strip_prefix("email:") {
        Some(address) => (address.trim_matches('"'), true),
        None => (text, false),
    };
    Ok(match text::email(address) {
        Ok(email) => Filter { email: Some(email), ..Filter::default() },
        Err(_) if is_email => Filter { roles: Some(Vec::new()), ..Filter::default() },
        Err(_) => Filter { text: Some(text.to_owned()), ..Filter::default() },
    })
}

#[cfg(test)]
mod tests {
    use crate::api::testing::{ADA, ALAN, Bench};

    #[tokio::test]
    async fn users_are_found_by_address_and_by_text() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for (query, expected) in [
            ("query=email:Ada@acme.example", vec![3]),
            ("query=email%3A%22ada%40acme.example%22", vec![3]),
            ("query=ada@acme.example", vec![3]),
            ("query=ADA", vec![3]),
            ("query=acme", vec![1, 2, 3, 4]),
            ("query=globex", vec![]),
            ("query=email:nonsense", vec![]),
            ("external_id=1", vec![]),
        ] {
            let body = bench.get(ALAN, &format!("/api/v2/users/search.json?{query}")).await.body;
            let ids: Vec<i64> =
                body["users"].as_array().into_iter().flatten().filter_map(|user| user["id"].as_i64()).collect();
            assert_eq!(
                (ids.len(), body["count"].as_u64()),
                (expected.len(), u64::try_from(expected.len()).ok()),
                "{query}"
            );
            assert_eq!(ids, expected, "{query}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_search_needs_a_query_and_an_agent() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        assert_eq!(bench.get(ALAN, "/api/v2/users/search").await.status, 400);
        assert_eq!(bench.get(ADA, "/api/v2/users/search?query=x").await.status, 403);
        Ok(())
    }
}
