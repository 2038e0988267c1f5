//! What is told of users besides name, address and role.

use axum::body::Body;
use serde_json::{Value, json};

use crate::api::testing::{ADA, ALAN, Answer, Bench, EVE, GRACE, SUPPORT, email, request};

async fn change(bench: &Bench, id: i64, user: Value) -> Answer {
    bench.put(ALAN, &format!("/api/v2/users/{id}"), json!({ "user": user })).await
}

#[tokio::test]
async fn a_user_tells_everything_that_was_told_of_them() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let told = json!({
        "phone": "+44 20 7946 0000", "alias": "Countess", "details": "Line 1\nLine 2", "notes": "VIP", "signature": "Ada",
        "external_id": "A-1", "time_zone": "Berlin", "locale": "de", "tags": ["Poet", "maths"], "verified": true,
    });
    let shown = json!({"iana_time_zone": "Europe/Berlin", "locale_id": 8, "tags": ["maths", "poet"]});
    let mut sent = told.clone();
    sent["name"] = json!("Zoe");
    sent["email"] = json!("zoe@example.org");
    let added = bench.post(ALAN, "/api/v2/users", json!({ "user": sent })).await;
    assert_eq!(added.status, 201, "{}", added.body);
    let changed = change(&bench, ADA.id, {
        let mut told = told.clone();
        told["external_id"] = json!("A-2");
        told
    })
    .await;
    for answer in [&added, &changed] {
        for (field, value) in told
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(field, _)| !["tags", "external_id"].contains(&field.as_str()))
        {
            assert_eq!(answer.body["user"][field], *value, "{field}");
        }
        for (field, value) in shown.as_object().into_iter().flatten() {
            assert_eq!(answer.body["user"][field], *value, "{field}");
        }
    }
    let none = change(&bench, ADA.id, json!({"phone": null, "notes": "", "tags": null})).await;
    let of = |field: &str| none.body["user"][field].clone();
    assert_eq!(
        (of("phone"), of("notes"), of("tags"), of("alias")),
        (Value::Null, Value::Null, json!([]), json!("Countess"))
    );
    assert_eq!(
        change(&bench, ADA.id, json!({"iana_time_zone": "Asia/Tokyo", "locale_id": 67})).await.body["user"]["time_zone"],
        "Tokyo"
    );
    for (bad, field) in [
        (json!({"time_zone": "Atlantis"}), "time_zone"),
        (json!({"locale": "tlh"}), "locale"),
        (json!({"locale_id": 5}), "locale_id"),
        (json!({"tags": ["two words"]}), "tags"),
        (json!({"organization_id": 99}), "organization_id"),
        (json!({"default_group_id": SUPPORT}), "default_group_id"),
    ] {
        assert_eq!(change(&bench, ADA.id, bad.clone()).await.wrong_fields(), [field], "{bad}");
    }
    Ok(())
}

#[tokio::test]
async fn an_id_elsewhere_is_one_users_only() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    change(&bench, ADA.id, json!({"external_id": "A-1"})).await;
    assert_eq!(change(&bench, EVE.id, json!({"external_id": "a-1"})).await.wrong_fields(), ["external_id"]);
    for path in ["search?external_id=a-1", "show_many?external_ids=x,A-1"] {
        let found = bench.get(ALAN, &format!("/api/v2/users/{path}")).await.body;
        assert_eq!((&found["count"], &found["users"][0]["id"]), (&json!(1), &json!(3)), "{path}");
    }
    let known = json!({"user": {"name": "Ada Lovelace", "external_id": "A-1"}});
    let changed = bench.post(ALAN, "/api/v2/users/create_or_update", known).await;
    assert_eq!((changed.status.as_u16(), &changed.body["user"]["id"]), (200, &json!(3)));
    change(&bench, ADA.id, json!({"external_id": null})).await;
    assert_eq!(change(&bench, EVE.id, json!({"external_id": "a-1"})).await.status, 200, "free again");
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_sent_for_somebody_who_has_one_is_one_more() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let changed = change(&bench, ADA.id, json!({"email": "ada@engines.example"})).await;
    assert_eq!(changed.body["user"]["email"], email("acme", ADA));
    assert_eq!(bench.get(ALAN, "/api/v2/users/3/identities").await.body["count"], 2);
    assert_eq!(change(&bench, ADA.id, json!({"email": "ada@engines.example"})).await.status, 200, "no change");
    assert_eq!(change(&bench, ADA.id, json!({"email": null})).await.wrong_fields(), ["email"]);
    let both = json!({"user": {
        "name": "Zoe", "email": "zoe@example.org",
        "identities": [{"type": "email", "value": "zoe@engines.example"}, {"type": "phone_number", "value": "+49 30 901820"}],
    }});
    let added = bench.post(ALAN, "/api/v2/users", both).await;
    let path = format!("/api/v2/users/{}/identities", added.body["user"]["id"]);
    assert_eq!(bench.get(ALAN, &path).await.body["count"], 3, "{}", added.body);
    Ok(())
}

#[tokio::test]
async fn a_suspended_user_cannot_come_in() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let suspended = change(&bench, ADA.id, json!({"suspended": true})).await;
    assert_eq!((suspended.status.as_u16(), &suspended.body["user"]["suspended"]), (200, &json!(true)));
    assert_eq!(bench.get(ADA, "/api/v2/users/me").await.status, 401);
    assert_eq!(change(&bench, ADA.id, json!({"suspended": false})).await.body["user"]["suspended"], false);
    assert_eq!(bench.get(ADA, "/api/v2/users/me").await.status, 200);
    let of = async |who, id: i64| {
        let path = format!("/api/v2/users/{id}");
        bench.put(who, &path, json!({"user": {"suspended": true}})).await.status.as_u16()
    };
    assert_eq!((of(ALAN, GRACE.id).await, of(ALAN, ALAN.id).await, of(ADA, ADA.id).await), (403, 403, 403));
    assert_eq!((of(GRACE, ALAN.id).await, of(GRACE, GRACE.id).await), (200, 403));
    assert_eq!(bench.get(ALAN, "/api/v2/users/me").await.status, 401);
    let raise = json!({"user": {"role": "admin"}});
    assert_eq!(bench.put(GRACE, "/api/v2/users/2", raise).await.wrong_fields(), ["suspended"]);
    Ok(())
}

#[tokio::test]
async fn end_users_see_and_change_little_of_themselves() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    change(&bench, ADA.id, json!({"notes": "Canary notes", "tags": ["canary"]})).await;
    for path in ["/api/v2/users/3", "/api/v2/users/me"] {
        let body = bench.get(ADA, path).await.body;
        assert!(!body.to_string().to_lowercase().contains("canary"), "{path}: {body}");
        assert_eq!(body["user"]["email"], email("acme", ADA));
    }
    let own = json!({"user": {"phone": "1", "time_zone": "Tokyo", "locale": "ja"}});
    let changed = bench.put(ADA, "/api/v2/users/3", own).await;
    assert_eq!((changed.status.as_u16(), &changed.body["user"]["time_zone"]), (200, &json!("Tokyo")));
    for field in ["notes", "details", "external_id", "tags", "verified", "organization_id"] {
        let sent = json!({"user": {field: null}});
        let status = bench.put(ADA, "/api/v2/users/3", sent).await.status;
        assert_eq!(status, if field == "verified" { 200 } else { 403 }, "{field}");
    }
    Ok(())
}

#[tokio::test]
async fn where_a_user_belongs_is_set_and_taken_away_with_the_user() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let mut ids = Vec::new();
    for name in ["Engines", "Looms"] {
        let made = bench.post(GRACE, "/api/v2/organizations", json!({"organization": {"name": name}})).await;
        ids.push(made.body["organization"]["id"].clone());
    }
    for id in &ids {
        let changed = change(&bench, ADA.id, json!({"organization_id": id})).await;
        assert_eq!(changed.body["user"]["organization_id"], *id, "{}", changed.body);
    }
    assert_eq!(bench.get(ALAN, "/api/v2/users/3/organizations").await.body["count"], 2, "the first one stays");
    let left = change(&bench, ADA.id, json!({"organization_id": null})).await;
    assert_eq!(left.body["user"]["organization_id"], ids[0]);
    let agent = json!({"user": {"name": "Zoe", "role": "agent", "default_group_id": SUPPORT}});
    let agent = bench.post(GRACE, "/api/v2/users", agent).await;
    assert_eq!(agent.body["user"]["default_group_id"], SUPPORT, "{}", agent.body);
    Ok(())
}

#[tokio::test]
async fn users_are_counted_and_found_by_their_beginning() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    assert_eq!(bench.get(ALAN, "/api/v2/users/count").await.body["count"]["value"], 4);
    assert_eq!(bench.get(ALAN, "/api/v2/users/count?role=end-user").await.body["count"]["value"], 2);
    let found = bench.get(ALAN, "/api/v2/users/autocomplete?name=AL").await.body;
    assert_eq!((&found["count"], &found["users"][0]["id"]), (&json!(1), &json!(ALAN.id)));
    assert_eq!(bench.get(ALAN, "/api/v2/users/autocomplete?name=a").await.status, 400);
    bench.ticket(ADA, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"assignee_id": ALAN.id}})).await;
    let related =
        async |id: i64| bench.get(ALAN, &format!("/api/v2/users/{id}/related")).await.body["user_related"].clone();
    assert_eq!((&related(3).await["requested_tickets"], &related(2).await["assigned_tickets"]), (&json!(1), &json!(1)));
    for path in ["count", "autocomplete?name=al", "3/related"] {
        assert_eq!(bench.get(EVE, &format!("/api/v2/users/{path}")).await.status, 403, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn an_erased_user_takes_everything_along_that_was_told() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    let organization = bench.post(GRACE, "/api/v2/organizations", json!({"organization": {"name": "Engines"}})).await;
    let told = json!({
        "phone": "canaryphone", "alias": "canaryalias", "details": "canarydetails", "notes": "canarynotes",
        "signature": "canarysignature", "external_id": "canaryid", "tags": ["canarytag"], "email": "canary@b.example",
        "organization_id": organization.body["organization"]["id"],
    });
    let changed = change(&bench, ADA.id, told).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let phone = json!({"identity": {"type": "phone_number", "value": "+44 20 7946 0001"}});
    assert_eq!(bench.post(ALAN, "/api/v2/users/3/identities", phone).await.status, 201);
    let words = [
        "canaryphone",
        "canaryalias",
        "canarydetails",
        "canarynotes",
        "canarysignature",
        "canaryid",
        "canarytag",
        "canary@b.example",
        "+442079460001",
    ];
    for word in words {
        assert!(bench.holds(word).await?, "{word}");
    }
    assert_eq!(bench.delete(GRACE, "/api/v2/users/3").await.status, 200);
    assert_eq!(bench.get(ALAN, "/api/v2/organization_memberships").await.body["count"], 0);
    assert_eq!(bench.delete(GRACE, "/api/v2/deleted_users/3").await.status, 200);
    for word in words {
        assert!(!bench.holds(word).await?, "{word}");
    }
    assert_eq!(bench.get(ALAN, "/api/v2/users/3/identities").await.status, 404);
    let next = json!({"user": {"name": "Zoe", "email": "canary@b.example", "external_id": "canaryid"}});
    assert_eq!(bench.post(ALAN, "/api/v2/users", next).await.status, 201, "what the user was known by is free");
    Ok(())
}

#[tokio::test]
async fn two_tenants_with_the_same_ids_never_share_a_value() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    for slug in ["acme", "globex"] {
        let body = json!({"user": {"external_id": "A-1", "notes": format!("at {slug}")}}).to_string();
        let answer = bench.send(request("PUT", slug, Some(ALAN), "/api/v2/users/3", Body::from(body))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body = json!({"organization": {"name": "Engines", "notes": format!("at {slug}")}}).to_string();
        let answer = bench.send(request("POST", slug, Some(GRACE), "/api/v2/organizations", Body::from(body))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let body = json!({"organization_membership": {"user_id": 4, "organization_id": 6}}).to_string();
        let answer =
            bench.send(request("POST", slug, Some(GRACE), "/api/v2/organization_memberships", Body::from(body))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    for (slug, other) in [("acme", "globex"), ("globex", "acme")] {
        for path in [
            "organizations",
            "organizations/6",
            "organizations/search?name=engines",
            "organizations/autocomplete?name=en",
            "organizations/6/users",
            "organizations/6/organization_memberships",
            "organization_memberships",
            "organization_memberships/7",
            "users/4/organizations",
            "users/4/organization_memberships",
            "users/3/identities",
            "users/3/identities/3",
            "users/search?external_id=a-1",
            "users/autocomplete?name=ada",
            "groups/5/users",
            "groups/5/memberships",
            "users/2/group_memberships",
            "users/2/groups",
        ] {
            let path = format!("/api/v2/{path}");
            let answer = bench.send(request("GET", slug, Some(GRACE), &path, Body::empty())).await;
            let text = answer.body.to_string();
            assert_eq!(answer.status, 200, "{slug} {path}");
            assert!(text.contains(slug) && !text.contains(other), "{slug} {path}: {text}");
        }
    }
    Ok(())
}
