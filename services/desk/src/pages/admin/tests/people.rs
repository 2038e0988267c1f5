use serde_json::json;

use crate::{
    access::flush,
    api::testing::{ADA, ALAN, Bench, EVE, GRACE, SUPPORT},
    pages::agent::testing::{page, post_form, text},
};

/// What stands in a hidden field of a page.
pub(super) fn hidden(page: &str, name: &str) -> String {
    let marked = format!(r#"name="{name}" value=""#);
    let value = page.split(&marked).nth(1).and_then(|rest| rest.split('"').next());
    value.unwrap_or_else(|| panic!("no {name} in {page}")).to_owned()
}

#[tokio::test]
async fn the_overview_says_how_many_there_are_and_where_the_desk_is_at_home() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let shown = page(&bench, GRACE, "/agent/admin").await;
    assert!(shown.contains("<b>2</b> Team") && shown.contains("<b>2</b> End users"), "{shown}");
    assert!(shown.contains("<b>1</b> Groups") && shown.contains(r#"<dd class="plan">professional</dd>"#), "{shown}");
    assert!(page(&bench, GRACE, "/agent").await.contains(r#"href="/agent/admin""#));
    assert!(!page(&bench, ALAN, "/agent").await.contains("/agent/admin"), "nothing leads agents there");
    Ok(())
}

#[tokio::test]
async fn somebody_is_made_known_once_and_belongs_to_the_group_that_was_chosen() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let support = SUPPORT.to_string();
    let fields = [
        ("once", "a1"),
        ("name", "Barbara"),
        ("email", "Barbara@acme.example"),
        ("role", "agent"),
        ("default_group_id", &support),
    ];
    for _ in 0..2 {
        let answer = post_form(&bench, GRACE, "/agent/admin/people", &fields).await;
        let to = (answer.status.as_u16(), answer.header("location").to_owned());
        assert_eq!(to, (303, "/agent/admin/people/6?done=made".to_owned()), "{}", text(&answer));
    }
    let users = bench.get(GRACE, "/api/v2/users?role=agent").await.body;
    assert_eq!(users["count"], 2, "{users}");
    assert_eq!(users["users"][1]["email"], "barbara@acme.example");
    assert_eq!(bench.get(GRACE, "/api/v2/users/6/groups").await.body["groups"][0]["id"], SUPPORT);
    let shown = page(&bench, GRACE, "/agent/admin/people/6?done=made").await;
    assert!(shown.contains(r#"role="status">Made."#) && shown.contains("<bdi>Support</bdi>"), "{shown}");
    assert!(!page(&bench, GRACE, "/agent/admin/people/6?done=else").await.contains(r#"role="status""#));
    Ok(())
}

#[tokio::test]
async fn a_wrong_form_comes_again_with_what_was_typed() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let fields = [("name", ""), ("email", "Ba\"rbara"), ("role", "admin"), ("default_group_id", "")];
    let answer = post_form(&bench, GRACE, "/agent/admin/people", &fields).await;
    let shown = text(&answer);
    assert_eq!(answer.status, 422, "{shown}");
    for part in [
        r##"<a href="#name">Name: "##,
        r##"<a href="#email">E-mail: "##,
        r#"id="email-error""#,
        r#"value="Ba&#34;rbara""#,
        r#"<option value="admin" selected>"#,
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let fields = [("name", "Ada"), ("email", "ada@acme.example"), ("role", "agent")];
    let taken = text(&post_form(&bench, GRACE, "/agent/admin/people", &fields).await);
    assert!(taken.contains("Is already being used by another user"), "{taken}");
    assert_eq!(bench.get(GRACE, "/api/v2/users").await.body["count"], 4);
    Ok(())
}

#[tokio::test]
async fn the_list_is_narrowed_by_role_and_by_what_is_sought() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let has = |shown: &str, who: &str| shown.contains(&format!("<bdi>{who}</bdi></a>"));
    let team = page(&bench, GRACE, "/agent/admin/people").await;
    assert!(has(&team, "grace") && has(&team, "alan") && !has(&team, "ada"), "{team}");
    let all = page(&bench, GRACE, "/agent/admin/people?role=all&q=A").await;
    assert!(has(&all, "ada") && has(&all, "alan") && has(&all, "grace"), "{all}");
    let ends = page(&bench, GRACE, "/agent/admin/people?role=end-user&q=ev").await;
    assert!(has(&ends, "eve") && !has(&ends, "ada"), "{ends}");
    Ok(())
}

#[tokio::test]
async fn somebody_is_suspended_and_given_another_role_unless_another_admin_was_faster() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let path = format!("/agent/admin/people/{}", ALAN.id);
    let seen = hidden(&page(&bench, GRACE, &path).await, "seen");
    let fields = [("seen", seen.as_str()), ("name", "Alan T"), ("role", "agent"), ("suspended", "true")];
    let saved = post_form(&bench, GRACE, &path, &fields).await;
    assert_eq!((saved.status.as_u16(), saved.header("location")), (303, "/agent/admin/people/2?done=saved"));
    assert_eq!(bench.get(ALAN, "/api/v2/tickets").await.status, 401, "whoever is suspended does not come in");
    // Sent from the page of before: somebody else was faster.
    let late = [("seen", seen.as_str()), ("name", "Alan Turing"), ("role", "admin")];
    let answer = post_form(&bench, GRACE, &path, &late).await;
    let shown = text(&answer);
    assert_eq!(answer.status, 409, "{shown}");
    assert!(shown.contains(r#"value="Alan Turing""#) && shown.contains("<bdi>Alan T</bdi>"), "{shown}");
    assert!(shown.contains(r#"id="suspended-now""#) && shown.contains(r#"<option value="admin" selected>"#), "{shown}");
    assert_eq!(bench.get(GRACE, "/api/v2/users/2").await.body["user"]["name"], "Alan T");
    let newer = hidden(&shown, "seen");
    let again = [("seen", newer.as_str()), ("name", "Alan Turing"), ("role", "agent")];
    assert_eq!(post_form(&bench, GRACE, &path, &again).await.status, 303);
    let user = &bench.get(GRACE, "/api/v2/users/2").await.body["user"];
    assert_eq!((&user["name"], &user["suspended"]), (&json!("Alan Turing"), &json!(false)));
    Ok(())
}

#[tokio::test]
async fn the_last_admin_stays_one_and_nobody_deletes_themselves() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let path = format!("/agent/admin/people/{}", GRACE.id);
    let fields = [("name", "Grace H"), ("role", "agent")];
    let answer = post_form(&bench, GRACE, &path, &fields).await;
    let shown = text(&answer);
    assert_eq!(answer.status, 403, "{shown}");
    assert!(shown.contains("This is the last admin") && shown.contains(r#"value="Grace H""#), "{shown}");
    assert!(!shown.contains("/deletion"));
    assert_eq!(post_form(&bench, GRACE, &format!("{path}/deletion"), &[("once", "x")]).await.status, 403);
    Ok(())
}

#[tokio::test]
async fn somebody_is_put_into_groups_taken_out_and_put_away() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let group =
        bench.post(GRACE, "/api/v2/groups", json!({"group": {"name": "Looms"}})).await.body["group"]["id"].clone();
    let path = format!("/agent/admin/people/{}", ALAN.id);
    let groups = format!("{path}/groups");
    let join = [("once", "j"), ("group_id", &group.to_string())];
    for _ in 0..2 {
        assert_eq!(post_form(&bench, GRACE, &groups, &join).await.status, 303);
    }
    let twice = post_form(&bench, GRACE, &groups, &[("once", "k"), ("group_id", &group.to_string())]).await;
    assert_eq!(twice.status, 422);
    assert!(text(&twice).contains(r#"role="alert""#), "{}", text(&twice));
    let memberships = bench.get(GRACE, "/api/v2/users/2/group_memberships").await.body;
    let is_new = |membership: &&serde_json::Value| membership["group_id"] == group;
    let new =
        memberships["group_memberships"].as_array().and_then(|all| all.iter().find(is_new)).expect("a membership");
    let new = new["id"].to_string();
    let first = post_form(&bench, GRACE, &format!("{groups}/{new}"), &[("once", "l"), ("do", "default")]).await;
    assert_eq!(first.status, 303, "{}", text(&first));
    assert_eq!(bench.get(GRACE, "/api/v2/users/2").await.body["user"]["default_group_id"], group);
    let left = post_form(&bench, GRACE, &format!("{groups}/{new}"), &[("once", "m"), ("do", "leave")]).await;
    assert_eq!(left.status, 303);
    assert_eq!(bench.get(GRACE, "/api/v2/users/2/groups").await.body["count"], 1);
    let gone = post_form(&bench, GRACE, &format!("{path}/deletion"), &[("once", "n")]).await;
    assert_eq!(gone.header("location"), "/agent/admin/people?done=deleted", "{}", text(&gone));
    assert_eq!(bench.get(GRACE, &path).await.status, 404);
    bench.ticket(ADA, json!({"subject": "Mine", "comment": {"body": "mine"}})).await;
    let asks = post_form(&bench, GRACE, &format!("/agent/admin/people/{}/deletion", ADA.id), &[("once", "o")]).await;
    assert_eq!(asks.status, 422);
    assert!(text(&asks).contains("whose tickets are closed"), "{}", text(&asks));
    Ok(())
}

#[tokio::test]
async fn nothing_that_people_write_becomes_markup() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let hostile = "<script>alert(1)</script>";
    bench.put(GRACE, &format!("/api/v2/users/{}", EVE.id), json!({"user": {"name": hostile}})).await;
    let group = json!({"group": {"name": "<img src=x onerror=alert(1)>", "description": hostile}});
    let group = bench.post(GRACE, "/api/v2/groups", group).await.body["group"]["id"].to_string();
    for path in [
        "/agent/admin/people?role=all",
        &format!("/agent/admin/people/{}", EVE.id),
        "/agent/admin/people/2",
        "/agent/admin/people/new",
        "/agent/admin/groups",
        &format!("/agent/admin/groups/{group}"),
    ] {
        let shown = page(&bench, GRACE, path).await;
        let body = shown.split("<main").nth(1).expect("a main part");
        assert!(!body.contains("<script>") && !body.contains("<img"), "{path}: {body}");
    }
    Ok(())
}

#[tokio::test]
async fn whoever_is_shown_is_in_the_access_log_also_where_nothing_was_written() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    page(&bench, GRACE, "/agent/admin/people").await;
    page(&bench, GRACE, "/agent/admin/people/2").await;
    post_form(&bench, GRACE, "/agent/admin/people/2", &[("name", ""), ("role", "agent")]).await;
    flush(&bench).await;
    bench.settle(&bench.acme).await?;
    let told = bench.get(GRACE, "/api/v2/access_logs").await.body;
    let told = told["access_logs"].as_array().expect("entries").iter().filter(|entry| entry["category"] == "user");
    let told: Vec<_> = told.map(|entry| json!([entry["method"], entry["status"], entry["read_ids"]])).collect();
    assert_eq!(told, [json!(["GET", 200, [1, 2]]), json!(["GET", 200, [2]]), json!(["POST", 422, [2]])]);
    Ok(())
}
