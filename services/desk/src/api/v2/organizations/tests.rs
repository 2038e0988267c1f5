use schemas::OrganizationId;
use serde_json::{Value, json};
use vault::Scope;

use crate::api::testing::{ADA, ALAN, Answer, Bench, EVE, GRACE, SUPPORT};

async fn add(bench: &Bench, organization: Value) -> Answer {
    bench.post(GRACE, "/api/v2/organizations.json", json!({ "organization": organization })).await
}

async fn added(bench: &Bench, organization: Value) -> i64 {
    let answer = add(bench, organization).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["organization"]["id"].as_i64().expect("an id")
}

fn ids(answer: &Answer, key: &str) -> Vec<i64> {
    let rows = answer.body[key].as_array().cloned().unwrap_or_default();
    rows.iter().filter_map(|row| row["id"].as_i64()).collect()
}

#[tokio::test]
async fn an_organization_has_every_attribute_of_its_shape() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let sent = json!({
        "id": "", "name": " Engines ", "external_id": "E-1", "details": "Line 1\nLine 2", "notes": "Ask for Charles",
        "domain_names": ["Engines.example"], "tags": ["VIP"], "group_id": SUPPORT,
    });
    let answer = add(&bench, sent).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("location"), "http://acme.localhost:8080/api/v2/organizations/6.json");
    assert_eq!(
        answer.body,
        json!({"organization": {
            "id": 6, "url": "http://acme.localhost:8080/api/v2/organizations/6.json", "name": "Engines",
            "external_id": "E-1", "details": "Line 1\nLine 2", "notes": "Ask for Charles",
            "domain_names": ["engines.example"], "tags": ["vip"], "group_id": SUPPORT, "shared_tickets": false,
            "shared_comments": false, "organization_fields": {},
            "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z",
        }})
    );
    assert_eq!(bench.get(ALAN, "/api/v2/organizations/6").await.body, answer.body);
    assert_eq!(bench.get(ADA, "/api/v2/organizations/6").await.status, 403);
    Ok(())
}

#[tokio::test]
async fn an_answer_before_the_read_models_is_the_same() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let held = bench.hold_projector().await?;
    let early = add(&bench, json!({"name": "Engines", "notes": "x", "domain_names": ["b.example", "a.example"]})).await;
    assert_eq!((early.status.as_u16(), early.header("x-domicile-visible")), (201, "pending"));
    drop(held);
    bench.settle(&bench.acme).await?;
    assert_eq!(bench.get(ALAN, "/api/v2/organizations/6").await.body, early.body);
    Ok(())
}

#[tokio::test]
async fn names_and_ids_elsewhere_are_one_organizations_only() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let one = added(&bench, json!({"name": "Engines", "external_id": "E-1"})).await;
    let twin = add(&bench, json!({"name": "ENGINES"})).await;
    assert_eq!(
        (twin.wrong_fields(), &twin.body["details"]["name"][0]["error"]),
        (vec!["name".to_owned()], &json!("DuplicateValue"))
    );
    assert_eq!(add(&bench, json!({"name": "Other", "external_id": "e-1"})).await.wrong_fields(), ["external_id"]);
    let path = format!("/api/v2/organizations/{one}");
    let other = added(&bench, json!({"name": "Looms"})).await;
    let renamed =
        bench.put(GRACE, &format!("/api/v2/organizations/{other}"), json!({"organization": {"name": "engines"}})).await;
    assert_eq!(renamed.wrong_fields(), ["name"]);
    let change = json!({"organization": {"name": "Analytical Engines", "external_id": null}});
    assert_eq!(bench.put(GRACE, &path, change).await.body["organization"]["external_id"], Value::Null);
    added(&bench, json!({"name": "Engines", "external_id": "E-1"})).await;
    for (bad, field) in [
        (json!({"name": ""}), "name"),
        (json!({}), "name"),
        (json!({"name": "x", "domain_names": ["nonsense"]}), "domain_names"),
        (json!({"name": "x", "group_id": 99}), "group_id"),
        (json!({"name": "x", "shared_tickets": true}), "shared_tickets"),
    ] {
        assert_eq!(add(&bench, bad.clone()).await.wrong_fields(), [field], "{bad}");
    }
    Ok(())
}

#[tokio::test]
async fn of_two_organizations_that_take_one_name_at_once_one_is_refused() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let (one, other) = tokio::join!(add(&bench, json!({"name": "Engines"})), add(&bench, json!({"name": "engines"})));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    Ok(())
}

#[tokio::test]
async fn organizations_are_found_by_name_id_elsewhere_and_beginning() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let engines = added(&bench, json!({"name": "Engines 100%", "external_id": "E-1"})).await;
    let looms = added(&bench, json!({"name": "Engine_rooms", "external_id": "L-1"})).await;
    for (path, expected) in [
        ("organizations", vec![engines, looms]),
        ("organizations?page[size]=1", vec![engines]),
        ("organizations/show_many?ids=99,7,6", vec![engines, looms]),
        ("organizations/show_many?external_ids=l-1,x", vec![looms]),
        ("organizations/search?name=engines%20100%25", vec![engines]),
        ("organizations/search?external_id=e-1", vec![engines]),
        ("organizations/search?name=engine", vec![]),
        ("organizations/autocomplete?name=ENGINE", vec![engines, looms]),
        ("organizations/autocomplete?name=engine_", vec![looms]),
        ("organizations/autocomplete?name=engines%20100%25", vec![engines]),
    ] {
        assert_eq!(ids(&bench.get(ALAN, &format!("/api/v2/{path}")).await, "organizations"), expected, "{path}");
    }
    assert_eq!(bench.get(ALAN, "/api/v2/organizations/count").await.body["count"]["value"], 2);
    assert_eq!(bench.get(ALAN, "/api/v2/organizations/autocomplete?name=e").await.status, 400);
    assert_eq!(bench.get(ALAN, "/api/v2/organizations/search").await.status, 400);
    assert_eq!(bench.get(EVE, "/api/v2/organizations").await.status, 403);
    Ok(())
}

#[tokio::test]
async fn create_or_update_finds_by_id_and_id_elsewhere() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let path = "/api/v2/organizations/create_or_update";
    let body = |name: &str| json!({"organization": {"name": name, "external_id": "E-1"}});
    let (made, changed) =
        (bench.post(GRACE, path, body("Engines")).await, bench.post(GRACE, path, body("Looms")).await);
    assert_eq!((made.status.as_u16(), changed.status.as_u16()), (201, 200), "{} {}", made.body, changed.body);
    assert_eq!(
        (&changed.body["organization"]["id"], &changed.body["organization"]["name"]),
        (&made.body["organization"]["id"], &json!("Looms"))
    );
    let by_id = json!({"organization": {"id": made.body["organization"]["id"], "notes": "x"}});
    assert_eq!(bench.post(GRACE, path, by_id).await.body["organization"]["notes"], "x");
    let keyed = async || bench.keyed("POST", GRACE, (path, json!({"organization": {"name": "Mills"}})), "mills").await;
    let (first, again) = (keyed().await, keyed().await);
    assert_eq!((first.status.as_u16(), again.status.as_u16(), again.header("x-domicile-replayed")), (201, 201, "yes"));
    assert_eq!(bench.post(ALAN, path, body("x")).await.status, 403);
    Ok(())
}

#[tokio::test]
async fn admins_change_organizations_and_agents_their_notes() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let path = format!("/api/v2/organizations/{}", added(&bench, json!({"name": "Engines"})).await);
    let change = |field: &str| json!({"organization": {field: "x"}});
    assert_eq!(bench.put(ALAN, &path, change("notes")).await.body["organization"]["notes"], "x");
    assert_eq!(bench.put(ALAN, &path, change("details")).await.status, 403);
    assert_eq!(bench.put(ADA, &path, change("notes")).await.status, 403);
    assert_eq!(bench.delete(ALAN, &path).await.status, 403);
    let log = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=organization").await.body;
    let told: Vec<_> =
        log["audit_logs"].as_array().into_iter().flatten().map(|entry| entry["action"].clone()).collect();
    assert_eq!(told, [json!("update"), json!("create")]);
    Ok(())
}

#[tokio::test]
async fn a_new_user_of_a_domain_becomes_a_member() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let engines = added(&bench, json!({"name": "Engines", "domain_names": ["engines.example"]})).await;
    let looms = added(&bench, json!({"name": "Looms", "domain_names": ["engines.example"]})).await;
    let user =
        async |user: Value| bench.post(ALAN, "/api/v2/users", json!({ "user": user })).await.body["user"].clone();
    let zoe = user(json!({"name": "Zoe", "email": "zoe@ENGINES.example"})).await;
    assert_eq!(zoe["organization_id"], engines, "the oldest that has the domain");
    let max = user(json!({"name": "Max", "email": "max@engines.example", "organization_id": looms})).await;
    assert_eq!(max["organization_id"], looms, "what is said counts");
    assert_eq!(user(json!({"name": "Eva", "email": "eva@other.example"})).await["organization_id"], Value::Null);
    let ticket = json!({"requester": {"name": "Tim", "email": "tim@engines.example"}, "comment": {"body": "x"}});
    bench.ticket(ALAN, ticket).await;
    let path = format!("/api/v2/organizations/{engines}/users");
    let members = bench.get(ALAN, &path).await;
    let names: Vec<_> =
        members.body["users"].as_array().into_iter().flatten().map(|user| user["name"].clone()).collect();
    assert_eq!((names, &members.body["count"]), (vec![json!("Zoe"), json!("Tim")], &json!(2)));
    let related = bench.get(ALAN, &format!("/api/v2/organizations/{engines}/related")).await.body;
    assert_eq!(related["organization_related"], json!({"tickets_count": 1, "users_count": 2}));
    Ok(())
}

#[tokio::test]
async fn a_deleted_organization_leaves_no_word_and_nobody_belongs_to_it() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let sent = json!({"name": "Canaryname Engines", "notes": "Ask for canarynotes", "external_id": "canaryid", "domain_names": ["canary.example"]});
    let engines = added(&bench, sent.clone()).await;
    let path = format!("/api/v2/organizations/{engines}");
    bench.put(GRACE, &path, json!({"organization": {"details": "The canarydetails house"}})).await;
    let membership = json!({"organization_membership": {"user_id": ADA.id, "organization_id": engines}});
    assert_eq!(bench.post(ALAN, "/api/v2/organization_memberships", membership.clone()).await.status, 201);
    let of_ada = format!("/api/v2/users/{}", ADA.id);
    assert_eq!(bench.get(ALAN, &of_ada).await.body["user"]["organization_id"], engines);
    let words = ["Canaryname Engines", "canaryname", "canarynotes", "canaryid", "canary.example", "canarydetails"];
    for word in words {
        assert!(bench.holds(word).await?, "{word}");
    }
    assert_eq!(bench.delete(GRACE, &path).await.status, 204);
    for word in words {
        assert!(!bench.holds(word).await?, "{word}");
    }
    let key = Scope::Organization(OrganizationId::new(engines));
    assert_eq!(bench.test.desk.vault.living(&bench.acme, &[key]).await?, []);
    for path in [path.as_str(), &format!("{path}/users"), &format!("{path}/related")] {
        assert_eq!(bench.get(ALAN, path).await.status, 404, "{path}");
    }
    assert_eq!(bench.delete(GRACE, &path).await.status, 404, "once");
    assert_eq!(bench.put(GRACE, &path, json!({"organization": {"notes": "x"}})).await.status, 404);
    assert_eq!(bench.get(ALAN, &of_ada).await.body["user"]["organization_id"], Value::Null);
    assert_eq!(bench.get(ALAN, "/api/v2/organization_memberships").await.body["count"], 0);
    assert_eq!(
        bench.post(ALAN, "/api/v2/organization_memberships", membership).await.wrong_fields(),
        ["organization_id"]
    );
    let log = bench.get(GRACE, "/api/v2/audit_logs?filter[source_type]=organization").await.body;
    assert_eq!(
        (&log["audit_logs"][0]["action"], &log["audit_logs"][0]["source_id"]),
        (&json!("destroy"), &json!(engines))
    );
    assert_eq!(add(&bench, sent).await.status, 201, "what it was known by is free");
    Ok(())
}
