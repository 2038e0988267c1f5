use axum::body::Body;
use serde_json::json;

use super::RateLimits;
use crate::{
    api::testing::{ALAN, Answer, Bench, GRACE, Who, request},
    app,
};

/// A bench whose plan, professional, is answered 400 requests a minute.
async fn limited() -> anyhow::Result<Bench> {
    let mut bench = Bench::start().await?;
    let desk = bench.test.another_with(RateLimits::Policy).await?;
    bench.test.app = app(desk);
    Ok(bench)
}

/// Asks until it is refused: how often it was not, and the refusal.
async fn exhaust(bench: &Bench, who: Who, path: &str) -> (u32, Answer) {
    let mut answered = 0;
    loop {
        let answer = bench.get(who, path).await;
        if answer.status == 429 {
            return (answered, answer);
        }
        answered += 1;
        assert!(answered < 1000, "it is never refused");
    }
}

#[tokio::test]
async fn answers_tell_what_is_left_and_one_too_many_is_refused_until_the_minute_ends() -> anyhow::Result<()> {
    let bench = limited().await?;
    let first = bench.get(ALAN, "/api/v2/users/me").await;
    let left = ["x-rate-limit", "x-rate-limit-remaining", "rate-limit", "rate-limit-remaining", "rate-limit-reset"];
    assert_eq!(left.map(|name| first.header(name).to_owned()), ["400", "399", "400", "399", "60"]);
    let (answered, refused) = exhaust(&bench, ALAN, "/api/v2/users/me").await;
    assert_eq!((answered, refused.header("retry-after"), refused.header("x-rate-limit-remaining")), (399, "60", "0"));
    assert_eq!(refused.body["error"], "APIRateLimitExceeded");
    let problem = bench.get(ALAN, "/api/domicile/v1/residency").await;
    assert_eq!((problem.status.as_u16(), &problem.body["type"]), (429, &json!("urn:domicile:problem:rate-limited")));
    bench.advance_seconds(59);
    assert_eq!(bench.get(ALAN, "/api/v2/users/me").await.header("retry-after"), "1");
    bench.advance_seconds(1);
    assert_eq!(bench.get(ALAN, "/api/v2/users/me").await.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_token_that_floods_takes_neither_anothers_share_nor_another_tenants() -> anyhow::Result<()> {
    let bench = limited().await?;
    bench.get(GRACE, "/api/v2/users/me").await;
    let (answered, _) = exhaust(&bench, ALAN, "/api/v2/users/me").await;
    assert_eq!(answered, 200, "the other half is kept");
    assert_eq!(bench.get(GRACE, "/api/v2/users/me").await.status, 200);
    let of_globex = bench.send(request("GET", "globex", Some(ALAN), "/api/v2/users/me", Body::empty())).await;
    assert_eq!(of_globex.header("x-rate-limit-remaining"), "399");
    Ok(())
}

#[tokio::test]
async fn a_single_endpoint_has_its_own_limit() -> anyhow::Result<()> {
    let bench = limited().await?;
    let ticket = bench.ticket(ALAN, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    let path = format!("/api/v2/tickets/{ticket}.json");
    for left in (0..30).rev() {
        let answer = bench.put(ALAN, &path, json!({"ticket": {"subject": format!("{left}")}})).await;
        let told = format!("total=30; remaining={left}; resets=600");
        assert_eq!(
            (answer.status.as_u16(), answer.header("zendesk-ratelimit-per-ticket-updates")),
            (200, told.as_str())
        );
    }
    let refused = bench.put(ALAN, &path, json!({"ticket": {"subject": "x"}})).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "600"));
    let by_another = bench.put(GRACE, &path, json!({"ticket": {"subject": "y"}})).await;
    assert_eq!(by_another.header("zendesk-rate-limit-tickets-update"), "total=100; remaining=68; resets=60");
    let (answered, refused) = exhaust(&bench, ALAN, "/api/v2/tickets").await;
    let told = refused.header("zendesk-ratelimit-tickets-index");
    assert_eq!((answered, told), (100, "total=100; remaining=0; resets=60"));
    Ok(())
}

#[tokio::test]
async fn a_view_is_executed_so_often_by_one_person_and_another_view_is_another() -> anyhow::Result<()> {
    let bench = limited().await?;
    let view = json!({"view": {"title": "New", "all": [{"field": "status", "operator": "is", "value": "new"}]}});
    let mut paths = Vec::new();
    for _ in 0..2 {
        let made = bench.post(GRACE, "/api/v2/views", view.clone()).await;
        paths.push(format!("/api/v2/views/{}/execute", made.body["view"]["id"]));
    }
    let (answered, refused) = exhaust(&bench, ALAN, &paths[0]).await;
    assert_eq!((answered, refused.header("zendesk-ratelimit-view-executions")), (5, "total=5; remaining=0; resets=60"));
    assert_eq!(bench.get(ALAN, &paths[1]).await.status, 200);
    assert_eq!(bench.get(GRACE, &paths[0]).await.status, 200);
    Ok(())
}

#[tokio::test]
async fn no_way_to_a_views_tickets_is_without_a_limit() -> anyhow::Result<()> {
    let bench = limited().await?;
    let view = json!({"view": {"title": "New", "all": [{"field": "status", "operator": "is", "value": "new"}]}});
    let id = bench.post(GRACE, "/api/v2/views", view.clone()).await.body["view"]["id"].clone();
    let (answered, refused) = exhaust(&bench, ALAN, &format!("/api/v2/views/{id}/tickets")).await;
    assert_eq!((answered, refused.header("zendesk-ratelimit-view-tickets")), (30, "total=30; remaining=0; resets=60"));
    assert_eq!(bench.get(ALAN, &format!("/api/v2/views/{id}/execute")).await.status, 200, "it has its own");
    let previews = ["/api/v2/views/preview", "/api/v2/views/preview/count"];
    for (path, header) in previews.into_iter().zip(["view-executions", "view-counts"]) {
        for left in (0..5).rev() {
            let answer = bench.post(ALAN, path, view.clone()).await;
            let told = format!("total=5; remaining={left}; resets=60");
            let header = format!("zendesk-ratelimit-{header}");
            assert_eq!((answer.status.as_u16(), answer.header(&header)), (200, told.as_str()), "{path}");
        }
        let refused = bench.post(ALAN, path, view.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "60"), "{path}");
        assert_eq!(bench.post(GRACE, path, view.clone()).await.status, 200, "another person's are another's");
    }
    assert_eq!(bench.get(ALAN, &format!("/api/v2/views/{id}/count")).await.status, 200, "what is made is not used up");
    Ok(())
}

#[tokio::test]
async fn a_person_searches_so_often_and_an_account_exports_so_often() -> anyhow::Result<()> {
    let bench = limited().await?;
    let counted = bench.get(ALAN, "/api/v2/search/count?query=x").await;
    assert_eq!(counted.header("zendesk-ratelimit-searches"), "total=100; remaining=99; resets=60");
    let (answered, refused) = exhaust(&bench, ALAN, "/api/v2/search?query=x").await;
    assert_eq!((answered, refused.header("retry-after")), (99, "60"));
    assert_eq!(bench.get(GRACE, "/api/v2/search?query=x").await.status, 200, "another person's are another's");
    // The account's own minute begins anew.
    bench.advance_seconds(60);
    let export = "/api/v2/search/export?query=x&filter[type]=ticket";
    let of_another = bench.get(GRACE, export).await;
    assert_eq!(of_another.header("zendesk-ratelimit-search-exports"), "total=100; remaining=99; resets=60");
    let (answered, refused) = exhaust(&bench, ALAN, export).await;
    assert_eq!(
        (answered, refused.header("zendesk-ratelimit-search-exports")),
        (99, "total=100; remaining=0; resets=60")
    );
    Ok(())
}

#[tokio::test]
async fn who_is_not_known_uses_up_nothing() -> anyhow::Result<()> {
    let bench = limited().await?;
    for _ in 0..3 {
        let nobody = bench.send(request("GET", "acme", None, "/api/v2/users/me", Body::empty())).await;
        assert_eq!((nobody.status.as_u16(), nobody.header("x-rate-limit")), (401, ""));
    }
    assert_eq!(bench.get(ALAN, "/api/v2/users/me").await.header("x-rate-limit-remaining"), "399");
    Ok(())
}
