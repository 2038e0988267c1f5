//! Two tenants of one region that hold the same ids at the same positions, and never see one another.

use std::fs;

use anyhow::Context;
use http::{Method, header};
use jiff::SignedDuration;
use runtime::{Clock, SystemClock};
use serde_json::{Value, json};
use system_tests::{Answer, Client, Deployment, Tenant, client, repository};

/// A tenant with one of everything; every text in it carries the tenant's name.
struct Desk {
    tenant: Tenant,
    ticket: i64,
    audit: i64,
    audit_log: i64,
    person: i64,
    group: i64,
    attachment: i64,
    deleted_person: i64,
    job: String,
    field: i64,
    view: i64,
    close: i64,
    trigger: i64,
    automation: i64,
    webhook: String,
    content: String,
}

impl Desk {
    async fn open(deployment: &Deployment, slug: &str) -> anyhow::Result<Self> {
        let tenant = deployment.signup("eu", slug).await?;
        let user = json!({"user": {"name": format!("Alan of {slug}"), "email": format!("alan@{slug}.example"), "role": "agent"}});
        let person = id(&post(&tenant.client, "/api/v2/users.json", &user).await?["user"])?;
        let group = json!({"group": {"name": format!("Group of {slug}")}});
        let group = id(&post(&tenant.client, "/api/v2/groups.json", &group).await?["group"])?;
        let upload = tenant.client.request(Method::POST, &format!("/api/v2/uploads.json?filename=file-of-{slug}.txt"));
        let upload = upload.header(header::CONTENT_TYPE, "text/plain").body(format!("bytes of {slug}"));
        let upload = client::send(upload).await?.expect(201)?.body["upload"].clone();
        let attachment = id(&upload["attachment"])?;
        let content = path_of(upload["attachment"]["content_url"].as_str().context("a content_url")?)?;
        let ticket = json!({"ticket": {
            "subject": format!("Subject of {slug}"), "tags": [format!("tag-of-{slug}")], "external_id": format!("id-of-{slug}"),
            "assignee_id": person, "group_id": group, "followers": [{"user_id": person}],
            "email_ccs": [{"user_email": format!("ben@{slug}.example")}],
            "comment": {"body": format!("Body of {slug}"), "uploads": [upload["token"]]},
        }});
        let opened = post(&tenant.client, "/api/v2/tickets.json", &ticket).await?;
        let (ticket, audit) = (id(&opened["ticket"])?, id(&opened["audit"])?);
        let user = json!({"user": {"name": format!("Gone of {slug}"), "email": format!("gone@{slug}.example")}});
        let deleted_person = id(&post(&tenant.client, "/api/v2/users.json", &user).await?["user"])?;
        delete(&tenant.client, &format!("/api/v2/users/{deleted_person}.json")).await?;
        let field = json!({"ticket_field": {"title": format!("Field of {slug}")}});
        let field = id(&post(&tenant.client, "/api/v2/ticket_fields.json", &field).await?["ticket_field"])?;
        let all = json!([{"field": "assignee_id", "operator": "is", "value": person}]);
        let view = json!({"view": {"title": format!("View of {slug}"), "all": all}});
        let view = id(&post(&tenant.client, "/api/v2/views.json", &view).await?["view"])?;
        let actions =
            json!([{"field": "comment_value", "value": format!("Closed by {{{{current_user.name}}}} of {slug}")}]);
        let close = json!({"macro": {"title": format!("Macro of {slug}"), "actions": actions}});
        let close = id(&post(&tenant.client, "/api/v2/macros.json", &close).await?["macro"])?;
        let actions = json!([{"field": "current_tags", "value": format!("triggered-{slug}")}]);
        let all = json!([{"field": "subject_includes_word", "operator": "includes", "value": format!("never-{slug}")}]);
        let trigger = json!({"trigger": {"title": format!("Trigger of {slug}"), "all": all, "actions": actions}});
        let trigger = id(&post(&tenant.client, "/api/v2/triggers.json", &trigger).await?["trigger"])?;
        let all = json!([
            {"field": "assignee_id", "operator": "is", "value": person}, {"field": "NEW", "operator": "is", "value": "1000000"},
        ]);
        let actions = json!([{"field": "current_tags", "value": format!("automated-{slug}")}]);
        let automation =
            json!({"automation": {"title": format!("Automation of {slug}"), "all": all, "actions": actions}});
        let automation = id(&post(&tenant.client, "/api/v2/automations.json", &automation).await?["automation"])?;
        let webhook = json!({"webhook": {
            "name": format!("Webhook of {slug}"), "endpoint": format!("https://hooks.example/{slug}"), "http_method": "POST",
            "request_format": "json", "status": "active", "subscriptions": [],
        }});
        let webhook = post(&tenant.client, "/api/v2/webhooks", &webhook).await?["webhook"]["id"].clone();
        let webhook = webhook.as_str().context("an id")?.to_owned();
        let mut job = String::new();
        for text in ["Deleted", "Erased"] {
            let deleted = tenant.ticket(&format!("{text} of {slug}"), "x").await?;
            delete(&tenant.client, &format!("/api/v2/tickets/{deleted}.json")).await?;
            if text == "Erased" {
                let erased = delete(&tenant.client, &format!("/api/v2/deleted_tickets/{deleted}.json")).await?;
                job = erased["job_status"]["id"].as_str().context("a job")?.to_owned();
            }
        }
        let until = SystemClock.now() + SignedDuration::from_hours(1);
        let grant =
            json!({"name": format!("Eve of {slug}"), "email": format!("eve@{slug}.example"), "expires_at": until});
        post(&tenant.client, "/api/domicile/v1/auditor_grants", &grant).await?;
        tenant.archived().await?;
        let audited = tenant.client.get("/api/v2/audit_logs.json?per_page=1").await?.expect(200)?.body;
        let audit_log = id(&audited["audit_logs"][0])?;
        Ok(Self {
            tenant,
            ticket,
            audit,
            audit_log,
            person,
            group,
            attachment,
            deleted_person,
            job,
            field,
            view,
            close,
            trigger,
            automation,
            webhook,
            content,
        })
    }

    /// Where this desk's records are, for every route that reads.
    fn paths(&self) -> Vec<(&'static str, String)> {
        let Self {
            ticket,
            audit,
            audit_log,
            person,
            group,
            attachment,
            deleted_person,
            job,
            field,
            view,
            close,
            trigger,
            automation,
            webhook,
            ..
        } = self;
        vec![
            ("/api/v2/tickets", "/api/v2/tickets.json".to_owned()),
            ("/api/v2/tickets/count", "/api/v2/tickets/count.json".to_owned()),
            ("/api/v2/tickets/show_many", format!("/api/v2/tickets/show_many.json?ids={ticket}")),
            ("/api/v2/tickets/{id}", format!("/api/v2/tickets/{ticket}.json")),
            ("/api/v2/ticket_audits", "/api/v2/ticket_audits.json?page[size]=2".to_owned()),
            ("/api/v2/tickets/{id}/audits/count", format!("/api/v2/tickets/{ticket}/audits/count.json")),
            ("/api/v2/tickets/{id}/comments/count", format!("/api/v2/tickets/{ticket}/comments/count.json")),
            ("/api/v2/ticket_fields", "/api/v2/ticket_fields.json".to_owned()),
            ("/api/v2/ticket_fields/count", "/api/v2/ticket_fields/count.json".to_owned()),
            ("/api/v2/ticket_fields/{id}", format!("/api/v2/ticket_fields/{field}.json")),
            ("/api/v2/views", "/api/v2/views.json".to_owned()),
            ("/api/v2/views/active", "/api/v2/views/active.json".to_owned()),
            ("/api/v2/views/compact", "/api/v2/views/compact.json".to_owned()),
            ("/api/v2/views/count", "/api/v2/views/count.json".to_owned()),
            ("/api/v2/views/count_many", format!("/api/v2/views/count_many.json?ids={view}")),
            ("/api/v2/views/show_many", format!("/api/v2/views/show_many.json?ids={view}")),
            ("/api/v2/views/{id}", format!("/api/v2/views/{view}.json")),
            ("/api/v2/views/{id}/count", format!("/api/v2/views/{view}/count.json")),
            ("/api/v2/views/{id}/execute", format!("/api/v2/views/{view}/execute.json")),
            ("/api/v2/views/{id}/tickets", format!("/api/v2/views/{view}/tickets.json")),
            ("/api/v2/macros", "/api/v2/macros.json".to_owned()),
            ("/api/v2/macros/active", "/api/v2/macros/active.json".to_owned()),
            ("/api/v2/macros/{id}", format!("/api/v2/macros/{close}.json")),
            ("/api/v2/macros/{id}/apply", format!("/api/v2/macros/{close}/apply.json")),
            (
                "/api/v2/tickets/{id}/macros/{macro_id}/apply",
                format!("/api/v2/tickets/{ticket}/macros/{close}/apply.json"),
            ),
            ("/api/v2/triggers", "/api/v2/triggers.json".to_owned()),
            ("/api/v2/triggers/active", "/api/v2/triggers/active.json".to_owned()),
            ("/api/v2/triggers/{id}", format!("/api/v2/triggers/{trigger}.json")),
            ("/api/v2/automations", "/api/v2/automations.json".to_owned()),
            ("/api/v2/automations/active", "/api/v2/automations/active.json".to_owned()),
            ("/api/v2/automations/{id}", format!("/api/v2/automations/{automation}.json")),
            ("/api/v2/problems", "/api/v2/problems.json".to_owned()),
            ("/api/v2/webhooks", "/api/v2/webhooks".to_owned()),
            ("/api/v2/webhooks/{id}", format!("/api/v2/webhooks/{webhook}")),
            ("/api/v2/webhooks/{id}/signing_secret", format!("/api/v2/webhooks/{webhook}/signing_secret")),
            ("/api/v2/webhooks/{id}/invocations", format!("/api/v2/webhooks/{webhook}/invocations")),
            ("/api/v2/tickets/{id}/collaborators", format!("/api/v2/tickets/{ticket}/collaborators.json")),
            ("/api/v2/tickets/{id}/email_ccs", format!("/api/v2/tickets/{ticket}/email_ccs.json")),
            ("/api/v2/tickets/{id}/followers", format!("/api/v2/tickets/{ticket}/followers.json")),
            ("/api/v2/tickets/{id}/incidents", format!("/api/v2/tickets/{ticket}/incidents.json")),
            ("/api/v2/ticket_metrics", "/api/v2/ticket_metrics.json".to_owned()),
            ("/api/v2/ticket_metrics/{id}", format!("/api/v2/ticket_metrics/{ticket}.json")),
            ("/api/v2/tickets/{id}/metrics", format!("/api/v2/tickets/{ticket}/metrics.json")),
            ("/api/v2/tickets/{id}/related", format!("/api/v2/tickets/{ticket}/related.json")),
            ("/api/v2/tickets/{id}/tags", format!("/api/v2/tickets/{ticket}/tags.json")),
            ("/api/v2/tickets/{id}/comments", format!("/api/v2/tickets/{ticket}/comments.json")),
            ("/api/v2/tickets/{id}/audits", format!("/api/v2/tickets/{ticket}/audits.json")),
            ("/api/v2/tickets/{id}/audits/{audit_id}", format!("/api/v2/tickets/{ticket}/audits/{audit}.json")),
            ("/api/v2/deleted_tickets", "/api/v2/deleted_tickets.json".to_owned()),
            ("/api/v2/deleted_users", "/api/v2/deleted_users.json".to_owned()),
            ("/api/v2/deleted_users/{id}", format!("/api/v2/deleted_users/{deleted_person}.json")),
            ("/api/v2/job_statuses", "/api/v2/job_statuses.json".to_owned()),
            ("/api/v2/job_statuses/show_many", format!("/api/v2/job_statuses/show_many.json?ids={job}")),
            ("/api/v2/job_statuses/{id}", format!("/api/v2/job_statuses/{job}.json")),
            ("/api/v2/incremental/tickets", "/api/v2/incremental/tickets.json?start_time=0".to_owned()),
            ("/api/v2/incremental/tickets/cursor", "/api/v2/incremental/tickets/cursor.json?start_time=0".to_owned()),
            ("/api/v2/incremental/users", "/api/v2/incremental/users.json?start_time=0".to_owned()),
            ("/api/v2/incremental/users/cursor", "/api/v2/incremental/users/cursor.json?start_time=0".to_owned()),
            ("/api/v2/incremental/ticket_events", "/api/v2/incremental/ticket_events.json?start_time=0".to_owned()),
            ("/api/v2/search", "/api/v2/search.json?query=subject%20body".to_owned()),
            ("/api/v2/search/count", "/api/v2/search/count.json?query=subject".to_owned()),
            ("/api/v2/search/export", "/api/v2/search/export.json?query=subject&filter[type]=ticket".to_owned()),
            ("/api/v2/users", "/api/v2/users.json".to_owned()),
            ("/api/v2/users/me", "/api/v2/users/me.json".to_owned()),
            ("/api/v2/users/search", "/api/v2/users/search.json?query=alan".to_owned()),
            ("/api/v2/users/show_many", format!("/api/v2/users/show_many.json?ids={person}")),
            ("/api/v2/users/{id}", format!("/api/v2/users/{person}.json")),
            ("/api/v2/sessions", "/api/v2/sessions.json".to_owned()),
            ("/api/v2/users/{id}/sessions", format!("/api/v2/users/{person}/sessions.json")),
            ("/api/v2/groups", "/api/v2/groups.json".to_owned()),
            ("/api/v2/groups/{id}", format!("/api/v2/groups/{group}.json")),
            ("/api/v2/attachments/{id}", format!("/api/v2/attachments/{attachment}.json")),
            ("/api/v2/access_logs", "/api/v2/access_logs.json".to_owned()),
            ("/api/v2/audit_logs", "/api/v2/audit_logs.json".to_owned()),
            ("/api/v2/audit_logs/{id}", format!("/api/v2/audit_logs/{audit_log}.json")),
            ("/api/domicile/v1/auditor_grants", "/api/domicile/v1/auditor_grants".to_owned()),
            ("/api/domicile/v1/audit/bundle", "/api/domicile/v1/audit/bundle".to_owned()),
            ("/api/domicile/v1/audit/proof", "/api/domicile/v1/audit/proof?event=1".to_owned()),
            ("/api/domicile/v1/audit_logs.csv", "/api/domicile/v1/audit_logs.csv".to_owned()),
            ("/api/v2/api_tokens", "/api/v2/api_tokens.json".to_owned()),
            ("/api/domicile/v1/residency", "/api/domicile/v1/residency".to_owned()),
            ("/api/domicile/v1/marks", "/api/domicile/v1/marks".to_owned()),
            ("/api/domicile/v1/events", "/api/domicile/v1/events".to_owned()),
            ("/api/domicile/v1/tickets/{id}", format!("/api/domicile/v1/tickets/{ticket}")),
            ("/api/domicile/v1/tickets/{id}/bundle", format!("/api/domicile/v1/tickets/{ticket}/bundle")),
            ("/api/domicile/v1/tickets/{id}/history", format!("/api/domicile/v1/tickets/{ticket}/history")),
        ]
    }
}

/// Routes that are not asked with a token: what opens them is in the address.
const BY_ADDRESS: [&str; 2] = ["/attachments/token/{token}/", "/attachments/token/{token}"];

/// What is there only when a server outside was told something: the desk's own tests have such servers.
const OF_WHAT_WAS_TOLD: [&str; 1] = ["/api/v2/webhooks/{id}/invocations/{invocation_id}/attempts"];

#[tokio::test]
async fn tenants_with_the_same_ids_never_see_one_another() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    // One after the other, so that both count alike.
    let (one, other) = (Desk::open(deployment, "twin-one").await?, Desk::open(deployment, "twin-other").await?);
    assert_eq!(one.paths(), other.paths(), "the same ids at the same positions, or the test shows nothing");

    for (own, foreign) in [(&one, &other), (&other, &one)] {
        for (route, path) in own.paths() {
            let shown = own.tenant.client.get(&path).await?.expect(200)?;
            assert_only_own(&shown, own, foreign, route);
            let as_foreigner =
                deployment.client(&own.tenant.slug)?.with_token(&foreign.tenant.token).get(&path).await?;
            assert_eq!(as_foreigner.status, 401, "{route} with the other's token: {}", as_foreigner.text());
            assert!(!as_foreigner.text().contains(" of "), "{route} leaks: {}", as_foreigner.text());
            let as_nobody = own.tenant.client.without_token().get(&path).await?;
            assert_eq!(as_nobody.status, 401, "{route} without a token");
        }
        let content = own.tenant.client.without_token().get(&own.content).await?.expect(200)?;
        assert_eq!(content.text(), format!("bytes of {}", own.tenant.slug));
        assert_eq!(own.tenant.client.get(&foreign.content).await?.status, 404, "the other's file");
    }
    Ok(())
}

fn assert_only_own(shown: &Answer, own: &Desk, foreign: &Desk, route: &str) {
    let text = shown.text();
    for secret in [&foreign.tenant.slug, &foreign.tenant.id, &foreign.tenant.token] {
        assert!(!text.contains(secret.as_str()), "{route} of {} shows {secret}: {text}", own.tenant.slug);
    }
}

#[tokio::test]
async fn ids_that_only_another_tenant_has_are_not_found() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let (small, large) = (deployment.signup("eu", "twin-small").await?, Desk::open(deployment, "twin-large").await?);
    let lists = ["/api/v2/tickets", "/api/v2/users", "/api/v2/groups", "/api/v2/api_tokens"];
    for (route, path) in large.paths().into_iter().filter(|(route, _)| route.contains("{id}")) {
        assert_eq!(small.client.get(&path).await?.status, 404, "{route}");
    }
    for (route, path) in
        large.paths().into_iter().filter(|(route, _)| route.ends_with("show_many") || lists.contains(route))
    {
        let shown = small.client.get(&path).await?.expect(200)?.text();
        assert!(!shown.contains("twin-large"), "{route}: {shown}");
    }
    let (ticket, person) = (large.ticket, large.person);
    let comment = json!({"ticket": {"comment": {"body": "mine"}}});
    assert_eq!(small.client.put(&format!("/api/v2/tickets/{ticket}.json"), &comment).await?.status, 404);
    let assigned = json!({"ticket": {"comment": {"body": "x"}, "assignee_id": person, "group_id": large.group}});
    let refused = small.client.post("/api/v2/tickets.json", &assigned).await?.expect(422)?;
    assert_eq!(refused.wrong_fields(), ["assignee_id", "group_id"]);
    assert_eq!(large.tenant.comments(ticket).await?, ["Body of twin-large"]);
    Ok(())
}

#[tokio::test]
async fn one_tenants_cursor_is_none_of_anothers() -> anyhow::Result<()> {
    let deployment = Deployment::shared().await?;
    let (one, other) = (deployment.signup("eu", "twin-cursor").await?, deployment.signup("eu", "twin-cursor-b").await?);
    for tenant in [&one, &other] {
        tenant.ticket("first", "x").await?;
        tenant.ticket("second", "x").await?;
    }
    let page = one.client.get("/api/v2/tickets.json?page[size]=1").await?.expect(200)?.body;
    let next = path_of(page["links"]["next"].as_str().context("a next page")?)?;
    one.client.get(&next).await?.expect(200)?;
    assert_eq!(other.client.get(&next).await?.status, 400);
    Ok(())
}

/// A route that reads and is not in the table is one nobody looked at.
#[test]
fn every_route_that_reads_is_looked_at() -> anyhow::Result<()> {
    let mut routes = Vec::new();
    for file in ["api/v2.rs", "api/domicile.rs", "tokens.rs"] {
        let source = fs::read_to_string(repository().join("services/desk/src").join(file))?;
        let lines = source.split(".route(").skip(1).filter(|line| line.split(".route(").next().is_some_and(reads));
        routes
            .extend(lines.filter_map(|line| line.trim_start().strip_prefix('"')?.split('"').next().map(str::to_owned)));
    }
    anyhow::ensure!(routes.len() > 15, "the routes are written in another way now: {routes:?}");
    let looked_at = Desk::nowhere()?;
    let looked_at: Vec<&str> =
        looked_at.paths().iter().map(|(route, _)| *route).chain(BY_ADDRESS).chain(OF_WHAT_WAS_TOLD).collect();
    let missing: Vec<_> = routes.iter().filter(|route| !looked_at.contains(&route.as_str())).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    Ok(())
}

/// Whether what follows `.route(` names a handler of GET.
fn reads(route: &str) -> bool {
    let handlers = route.split_once(',').map_or("", |(_, handlers)| handlers);
    handlers.split('\n').next().is_some_and(|line| line.contains("get(")) || handlers.trim_start().starts_with("get(")
}

impl Desk {
    /// For its table alone.
    fn nowhere() -> anyhow::Result<Self> {
        let client = Client::new(std::net::SocketAddr::from(([127, 0, 0, 1], 9)), "nowhere.localhost")?;
        let text = String::new;
        let tenant = Tenant { id: text(), slug: text(), region: text(), token: text(), client };
        Ok(Self {
            tenant,
            ticket: 0,
            audit: 0,
            audit_log: 0,
            person: 0,
            group: 0,
            attachment: 0,
            deleted_person: 0,
            job: text(),
            field: 0,
            view: 0,
            close: 0,
            trigger: 0,
            automation: 0,
            webhook: text(),
            content: text(),
        })
    }
}

async fn post(client: &Client, path: &str, body: &Value) -> anyhow::Result<Value> {
    Ok(client.post(path, body).await?.expect(201)?.body)
}

async fn delete(client: &Client, path: &str) -> anyhow::Result<Value> {
    let answer = client::send(client.request(Method::DELETE, path)).await?;
    anyhow::ensure!([200, 204].contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
    Ok(answer.body)
}

fn id(record: &Value) -> anyhow::Result<i64> {
    record["id"].as_i64().with_context(|| format!("no id: {record}"))
}

fn path_of(url: &str) -> anyhow::Result<String> {
    let (_, rest) = url.split_once("://").with_context(|| format!("no address: {url}"))?;
    Ok(rest[rest.find('/').context("a path")?..].to_owned())
}
