//! A tenant with a canary in every field that people fill.

use anyhow::Context;
use http::{Method, header};
use serde_json::json;

use crate::{Deployment, Tenant, canary::Canaries, client};

/// Signs one up in a region, and lets people do everything in it that takes a text; some of it is refused.
pub async fn populated(deployment: &Deployment, region: &str) -> anyhow::Result<(Tenant, Canaries)> {
    let mut canaries = Canaries::new();
    let mut canary = |field: &str| canaries.make(field);
    let slug = format!("home-{region}");
    let email = format!("{}@{}.example", canary("box"), canary("host"));
    let signup = json!({
        "subdomain": slug, "company": canary("company"), "plan": "professional", "locality": region,
        "admin": {"name": canary("admin"), "email": email, "password": canary("password")},
    });
    let answer = deployment.try_signup(region, &signup).await?.expect(201)?;
    let tenant = Tenant::of(deployment, &answer.body)?;
    let client = &tenant.client;

    let user = json!({"user": {"name": canary("user"), "email": format!("{}@example.org", canary("usermail"))}});
    client.post("/api/v2/users.json", &user).await?.expect(201)?;
    client.post("/api/v2/groups.json", &json!({"group": {"name": canary("group")}})).await?.expect(201)?;
    client
        .post("/api/v2/api_tokens.json", &json!({"api_token": {"description": canary("token")}}))
        .await?
        .expect(201)?;
    let sought = json!({"field": "subject_includes_word", "operator": "includes", "value": canary("sought")});
    let view = json!({"view": {
        "title": canary("view"), "description": canary("viewdescription"),
        "all": [{"field": "status", "operator": "is", "value": "new"}, sought],
    }});
    client.post("/api/v2/views.json", &view).await?.expect(201)?;
    let action = json!({"field": "comment_value", "value": canary("saying")});
    let saying = json!({"macro": {"title": canary("macro"), "actions": [action]}});
    client.post("/api/v2/macros.json", &saying).await?.expect(201)?;
    let upload = client.request(Method::POST, &format!("/api/v2/uploads.json?filename={}.txt", canary("file")));
    let upload = upload.header(header::CONTENT_TYPE, "text/plain").body(canary("bytes").repeat(500));
    let upload = client::send(upload).await?.expect(201)?;
    let ticket = json!({"ticket": {
        "subject": canary("subject"), "tags": [canary("tag")], "external_id": canary("external"),
        "requester": {"name": canary("requester"), "email": format!("{}@example.org", canary("requestermail"))},
        "comment": {"body": canary("body"), "uploads": [upload.body["upload"]["token"]]},
    }});
    let answer = client.post("/api/v2/tickets.json", &ticket).await?.expect(201)?;
    let path = format!("/api/v2/tickets/{}.json", answer.body["ticket"]["id"].as_i64().context("a number")?);
    let comment = json!({"html_body": format!("<p>{}</p>", canary("html")), "public": false});
    let update = client.request(Method::PUT, &path).header("Idempotency-Key", canary("key"));
    let update = update.json(&json!({"ticket": {"subject": canary("newsubject"), "comment": comment}}));
    client::send(update).await?.expect(200)?;
    refused(client, &mut canary).await?;
    Ok((tenant, canaries))
}

/// What is refused must not lie anywhere either.
async fn refused(client: &client::Client, canary: &mut impl FnMut(&str) -> String) -> anyhow::Result<()> {
    let user = json!({"user": {"name": "x", "email": canary("wrongmail")}});
    client.post("/api/v2/users.json", &user).await?.expect(422)?;
    let broken = format!("{{\"ticket\": {}", canary("broken"));
    let request = client.request(Method::POST, "/api/v2/tickets.json").header(header::CONTENT_TYPE, "application/json");
    client::send(request.body(broken)).await?.expect(400)?;
    client.get(&format!("/api/v2/users/search.json?query={}", canary("query"))).await?.expect(200)?;
    client.get(&format!("/api/v2/search.json?query={}", canary("search"))).await?.expect(200)?;
    client.get(&format!("/api/v2/{}", canary("path"))).await?.expect(404)?;
    client.with_token(&canary("badtoken")).get("/api/v2/users/me.json").await?.expect(401)?;
    let login = client.without_token().request(Method::GET, "/api/v2/users/me.json");
    let login = login.basic_auth(format!("{}@example.org", canary("login")), Some(canary("badpassword")));
    client::send(login).await?.expect(401)?;
    Ok(())
}
