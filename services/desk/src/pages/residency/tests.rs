use axum::body::Body;
use jiff::tz::TimeZone;

use crate::{
    api::testing::{ADA, ALAN, Bench, GRACE, Who, request},
    pages::words::{Language, Words},
};

async fn certificate(bench: &Bench, who: Option<Who>) -> String {
    let answer = bench.test.call(request("GET", "acme", who, "/residency", Body::empty())).await;
    assert_eq!(answer.status, 200);
    answer.text()
}

#[tokio::test]
async fn everybody_sees_where_a_desk_lives_and_only_insiders_how_far_its_log_has_come() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let version = format!("Version {}, in force now", bench.test.desk.regions.policy().version());
    for (who, sees_marks) in [(None, false), (Some(ADA), false), (Some(ALAN), true), (Some(GRACE), true)] {
        let page = certificate(&bench, who).await;
        for fact in ["European Union", "European Economic Area", "eu-central-1", &version] {
            assert!(page.contains(fact), "{who:?}: {fact}");
        }
        for secret in ["<table", "Up to position", "residency.js", "professional"] {
            assert_eq!(page.contains(secret), sees_marks, "{who:?}: {secret}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_four_marks_are_those_of_the_log_with_moment_and_age() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.advance_seconds(3 * 60 + 7);
    let marks = bench.get(ALAN, "/api/domicile/v1/marks").await.body;
    let page = certificate(&bench, Some(ALAN)).await;
    let acked = page.split("Durable").nth(1).and_then(|rest| rest.split("</tr>").next()).expect("a row");
    assert!(acked.contains(&format!("<td>{}</td>", marks["acked"]["position"])), "{acked}");
    assert!(acked.contains(&format!("<time datetime=\"{}\">", marks["acked"]["time"].as_str().expect("a time"))));
    assert!(acked.contains("<td>3 min</td>"), "{acked}");
    assert_eq!(page.matches("Not reached yet").count(), 3, "sealed, archived, verified");
    assert!(page.contains("The desk chose this region, and its plan (professional) promises it, under version"));
    Ok(())
}

#[test]
fn an_age_is_told_in_the_largest_unit() {
    let words = Words { language: Language::German, zone: TimeZone::UTC };
    let told = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 86_400 * 1_500].map(|seconds| super::age(&words, seconds));
    assert_eq!(told, ["0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d", "1.500 d"]);
}
