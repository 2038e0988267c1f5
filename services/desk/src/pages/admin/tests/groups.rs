use serde_json::json;

use super::people::hidden;
use crate::{
    api::testing::{Bench, GRACE, SUPPORT},
    pages::agent::testing::{page, post_form, text},
};

#[tokio::test]
async fn a_group_is_made_once_changed_and_deleted() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let fields = [("once", "a"), ("name", "Looms"), ("description", "Weave"), ("private", "true")];
    for _ in 0..2 {
        let made = post_form(&bench, GRACE, "/agent/admin/groups", &fields).await;
        assert_eq!(made.header("location"), "/agent/admin/groups?done=made", "{}", text(&made));
    }
    let groups = bench.get(GRACE, "/api/v2/groups").await.body;
    assert_eq!(groups["count"], 2);
    let made = &groups["groups"][1];
    assert_eq!((&made["description"], &made["is_public"]), (&json!("Weave"), &json!(false)));
    let path = format!("/agent/admin/groups/{}", made["id"]);
    let shown = page(&bench, GRACE, &path).await;
    assert!(!shown.contains(r#"name="private""#), "a private group stays one: {shown}");
    let seen = hidden(&shown, "seen");
    let fields = [("seen", seen.as_str()), ("name", "Engines"), ("description", ""), ("default", "true")];
    assert_eq!(post_form(&bench, GRACE, &path, &fields).await.status, 303);
    let changed = bench.get(GRACE, &format!("/api/v2/groups/{}", made["id"])).await.body;
    let group = &changed["group"];
    assert_eq!(
        (&group["name"], &group["description"], &group["default"]),
        (&json!("Engines"), &json!(""), &json!(true))
    );
    let gone = post_form(&bench, GRACE, &format!("{path}/deletion"), &[("once", "b")]).await;
    assert_eq!(gone.header("location"), "/agent/admin/groups?done=deleted", "{}", text(&gone));
    assert_eq!(bench.get(GRACE, &path).await.status, 404);
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_field_and_whoever_was_faster_is_not_undone() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let path = format!("/agent/admin/groups/{SUPPORT}");
    let seen = hidden(&page(&bench, GRACE, &path).await, "seen");
    let blank = post_form(&bench, GRACE, &path, &[("seen", &seen), ("name", ""), ("description", "D\"")]).await;
    let shown = text(&blank);
    assert_eq!(blank.status, 422, "{shown}");
    assert!(shown.contains(r##"<a href="#name">Name: "##) && shown.contains("D&#34;</textarea>"), "{shown}");
    bench.put(GRACE, &format!("/api/v2/groups/{SUPPORT}"), json!({"group": {"name": "Help"}})).await;
    let late = post_form(&bench, GRACE, &path, &[("seen", &seen), ("name", "Aid"), ("description", "")]).await;
    let shown = text(&late);
    assert_eq!(late.status, 409, "{shown}");
    assert!(shown.contains(r#"value="Aid""#) && shown.contains("<bdi>Help</bdi>"), "{shown}");
    assert_eq!(bench.get(GRACE, &format!("/api/v2/groups/{SUPPORT}")).await.body["group"]["name"], "Help");
    let newer = hidden(&shown, "seen");
    assert_eq!(post_form(&bench, GRACE, &path, &[("seen", &newer), ("name", "Aid")]).await.status, 303);
    Ok(())
}
