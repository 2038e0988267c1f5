//! Who may ask for what: every route, every method and every kind of caller, in one table that the router is held against.

use std::fmt::Write;

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::json;

use super::testing::{ADA, ALAN, Bench, GRACE, Who, request};
use crate::access::routes::ROWS;

/// A request of a kind of caller.
type Ask = Box<dyn Fn(&str, &str) -> Request<Body>>;

fn by(who: Option<Who>) -> Ask {
    Box::new(move |method, path| request(method, "acme", who, path, Body::from("{}")))
}

fn with_token(token: String) -> Ask {
    Box::new(move |method, path| {
        let mut request = request(method, "acme", None, path, Body::from("{}"));
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().expect("a header"));
        request
    })
}

async fn auditor(bench: &Bench, tickets: serde_json::Value) -> Ask {
    let wanted = json!({"name": "Otto", "email": "otto@audit.example", "expires_at": "2026-12-02T10:00:00Z", "tickets": tickets});
    let answer = bench.post(GRACE, "/api/domicile/v1/auditor_grants", wanted).await;
    with_token(answer.body["token"].as_str().expect("a token").to_owned())
}

/// What a route's place holders stand for: what is read is there, and nothing is changed that is.
pub(crate) fn filled(path: &str, method: &str, audit: i64) -> String {
    let of = |path: &str| match path {
        path if path.contains("/invocations/") => "0000000000000000000000000B",
        path if path.contains("/webhooks/") && method != "GET" => "0000000000000000000000000Z",
        _ if method != "GET" => "999",
        path if path.contains("/users/") => "4",
        path if path.contains("/groups/") => "5",
        path if path.contains("/organizations/") => "6",
        path if path.contains("/organization_memberships/") => "7",
        path if path.contains("/group_memberships/") => "901",
        path if path.contains("/views/") => "8",
        path if path.contains("/api/v2/macros/") => "9",
        path if path.contains("/triggers/") => "10",
        path if path.contains("/automations/") => "12",
        path if path.contains("/webhooks/") => "0000000000000000000000000B",
        _ => "1",
    };
    let audit_log = if path.contains("/audit_logs/") { "LOG" } else { of(path) };
    let membership = if path.contains("group_memberships") { "999" } else { "7" };
    path.replace("{id}", audit_log)
        .replace("{audit_id}", &audit.to_string())
        .replace("{membership_id}", membership)
        .replace("{identity_id}", "4")
        .replace("{session_id}", "999")
        .replace("{macro_id}", "9")
        .replace("{name}", "domicile.css")
        .replace("{code}", "de")
        .replace("{invocation_id}", "0000000000005G000000000020")
        .replace("{token}", "wrong")
}

/// One line a route and method: what each kind of caller is answered.
async fn answered(bench: &Bench) -> anyhow::Result<String> {
    bench.ticket(ALAN, json!({"subject": "Printer", "comment": {"body": "It smokes"}})).await;
    // Organization 6, and membership 7 of user 4 in it.
    let organization = json!({"organization": {"name": "Engines"}});
    assert_eq!(bench.post(GRACE, "/api/v2/organizations", organization).await.status, 201);
    let membership = json!({"organization_membership": {"user_id": 4, "organization_id": 6}});
    assert_eq!(bench.post(GRACE, "/api/v2/organization_memberships", membership).await.status, 201);
    // View 8, macro 9 and trigger 10.
    let view = json!({"view": {"title": "Open", "all": [{"field": "status", "operator": "is", "value": "open"}]}});
    assert_eq!(bench.post(GRACE, "/api/v2/views", view).await.status, 201);
    let close = json!({"macro": {"title": "Close", "actions": [{"field": "status", "value": "solved"}]}});
    assert_eq!(bench.post(GRACE, "/api/v2/macros", close).await.status, 201);
    let smokes = json!([{"field": "subject_includes_word", "operator": "includes", "value": "smokes"}]);
    let low = json!({"trigger": {"title": "Low", "all": smokes, "actions": [{"field": "priority", "value": "low"}]}});
    assert_eq!(bench.post(GRACE, "/api/v2/triggers", low).await.status, 201);
    // Webhook 11, which was told nothing.
    let webhook = json!({"webhook": {
        "name": "Warehouse", "endpoint": "https://hooks.example/", "http_method": "POST", "request_format": "json", "status": "active",
    }});
    assert_eq!(bench.post(GRACE, "/api/v2/webhooks", webhook).await.status, 201);
    // Automation 12.
    let late = json!([{"field": "type", "operator": "is", "value": "task"}, {"field": "due_date", "operator": "is", "value": "1"}]);
    let late =
        json!({"automation": {"title": "Late", "all": late, "actions": [{"field": "priority", "value": "high"}]}});
    assert_eq!(bench.post(GRACE, "/api/v2/automations", late).await.status, 201);
    let callers = [
        by(None),
        by(Some(ADA)),
        by(Some(ALAN)),
        by(Some(GRACE)),
        auditor(bench, json!(null)).await,
        auditor(bench, json!([1])).await,
    ];
    bench.settle(&bench.acme).await?;
    let audits = bench.get(ALAN, "/api/v2/tickets/1/audits").await.body;
    let audit = audits["audits"][0]["id"].as_i64().expect("an audit");
    let logs = bench.get(GRACE, "/api/v2/audit_logs").await.body;
    let log = logs["audit_logs"][0]["id"].to_string();
    let mut table = String::new();
    for (path, _) in ROWS {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let target = filled(path, method, audit).replace("LOG", &log);
            let mut statuses = Vec::new();
            for ask in &callers {
                statuses.push(bench.send(ask(method, &target)).await.status.as_u16().to_string());
            }
            // The router does not know the method here, whoever asks.
            if statuses.iter().any(|status| status != "405") {
                writeln!(table, "{method} {path} {}", statuses.join(" "))?;
            }
        }
    }
    Ok(table)
}

/// Route; then nobody, an end user, an agent, an admin, an auditor, an auditor of ticket 1 only. What an admin is answered says what
/// becomes of the empty request itself.
const TABLE: &str = "\
GET / 200 200 200 200 200 200
GET /agent 303 403 200 200 200 403
GET /agent/admin 303 403 403 200 403 403
GET /agent/admin/groups 303 403 403 200 403 403
POST /agent/admin/groups 303 403 403 415 403 403
GET /agent/admin/groups/new 303 403 403 200 403 403
GET /agent/admin/groups/{id} 303 403 403 200 403 403
POST /agent/admin/groups/{id} 303 403 403 415 403 403
POST /agent/admin/groups/{id}/deletion 303 403 403 415 403 403
GET /agent/admin/people 303 403 403 200 403 403
POST /agent/admin/people 303 403 403 415 403 403
GET /agent/admin/people/new 303 403 403 200 403 403
GET /agent/admin/people/{id} 303 403 403 200 403 403
POST /agent/admin/people/{id} 303 403 403 415 403 403
POST /agent/admin/people/{id}/deletion 303 403 403 415 403 403
POST /agent/admin/people/{id}/groups 303 403 403 415 403 403
POST /agent/admin/people/{id}/groups/{membership_id} 303 403 403 415 403 403
GET /agent/admin/tokens 303 403 403 200 403 403
POST /agent/admin/tokens 303 403 403 415 403 403
GET /agent/admin/tokens/new 303 403 403 200 403 403
POST /agent/admin/tokens/{id}/end 303 403 403 415 403 403
GET /agent/live 303 403 400 400 403 403
POST /agent/live/typing 303 403 415 415 403 403
GET /agent/organizations/{id} 303 403 200 200 200 403
GET /agent/search 303 403 200 200 200 403
POST /agent/tickets 303 403 415 415 403 403
GET /agent/tickets/new 303 403 200 200 403 403
GET /agent/tickets/{id} 303 403 200 200 200 200
POST /agent/tickets/{id} 303 403 415 415 403 403
GET /agent/tickets/{id}/history 303 403 200 200 200 200
GET /agent/tickets/{id}/merge 303 403 200 200 403 403
POST /agent/tickets/{id}/merge 303 403 415 415 403 403
GET /agent/users/{id} 303 403 200 200 200 403
GET /agent/views/{id} 303 403 200 200 200 403
GET /assets/{name} 200 200 200 200 200 200
GET /signin 200 200 200 200 200 200
POST /signin 415 403 403 403 403 403
POST /signout 303 403 403 403 403 403
GET /account/security 303 200 200 200 403 403
POST /account/security/password 303 415 415 415 403 403
POST /account/security/sessions 303 415 415 415 403 403
GET /api/v2/access_logs 401 403 403 200 200 403
GET /api/v2/api_tokens 401 200 200 200 200 403
POST /api/v2/api_tokens 401 403 403 422 403 403
DELETE /api/v2/api_tokens/{id} 401 404 404 404 403 403
GET /api/v2/attachments/{id} 401 404 404 404 404 404
GET /api/v2/audit_logs 401 403 403 200 200 403
GET /api/v2/audit_logs/{id} 401 403 403 200 200 403
GET /api/v2/automations 401 403 200 200 200 403
POST /api/v2/automations 401 403 422 422 403 403
GET /api/v2/automations/active 401 403 200 200 200 403
DELETE /api/v2/automations/destroy_many 401 403 400 400 403 403
PUT /api/v2/automations/update_many 401 403 422 422 403 403
GET /api/v2/automations/{id} 401 403 200 200 200 403
PUT /api/v2/automations/{id} 401 403 404 404 403 403
DELETE /api/v2/automations/{id} 401 403 404 404 403 403
GET /api/v2/deleted_tickets 401 403 200 200 200 403
DELETE /api/v2/deleted_tickets/destroy_many 401 403 400 400 403 403
PUT /api/v2/deleted_tickets/restore_many 401 400 400 400 403 403
DELETE /api/v2/deleted_tickets/{id} 401 403 404 404 403 403
PUT /api/v2/deleted_tickets/{id}/restore 401 403 404 404 403 403
GET /api/v2/deleted_users 401 403 200 200 200 403
GET /api/v2/deleted_users/{id} 401 403 404 404 404 403
DELETE /api/v2/deleted_users/{id} 401 403 403 404 403 403
GET /api/v2/group_memberships 401 403 200 200 200 403
POST /api/v2/group_memberships 401 403 403 422 403 403
GET /api/v2/group_memberships/{id} 401 403 200 200 200 403
DELETE /api/v2/group_memberships/{id} 401 403 403 404 403 403
GET /api/v2/groups 401 403 200 200 200 403
POST /api/v2/groups 401 403 403 422 403 403
GET /api/v2/groups/assignable 401 403 200 200 200 403
GET /api/v2/groups/count 401 403 200 200 200 403
GET /api/v2/groups/{id} 401 403 200 200 200 403
PUT /api/v2/groups/{id} 401 403 403 422 403 403
DELETE /api/v2/groups/{id} 401 403 403 404 403 403
GET /api/v2/groups/{id}/memberships 401 403 200 200 200 403
GET /api/v2/groups/{id}/users 401 403 200 200 200 403
POST /api/v2/imports/tickets 401 403 403 422 403 403
POST /api/v2/imports/tickets/create_many 401 403 403 422 403 403
GET /api/v2/incremental/ticket_events 401 403 403 400 400 403
GET /api/v2/incremental/tickets 401 403 403 400 400 403
GET /api/v2/incremental/tickets/cursor 401 403 403 400 400 403
GET /api/v2/incremental/users 401 403 403 400 400 403
GET /api/v2/incremental/users/cursor 401 403 403 400 400 403
GET /api/v2/job_statuses 401 403 200 200 200 403
GET /api/v2/job_statuses/show_many 401 403 400 400 400 403
GET /api/v2/job_statuses/{id} 401 403 404 404 404 404
GET /api/v2/macros 401 403 200 200 200 403
POST /api/v2/macros 401 403 422 422 403 403
GET /api/v2/macros/active 401 403 200 200 200 403
DELETE /api/v2/macros/destroy_many 401 403 400 400 403 403
GET /api/v2/macros/{id} 401 403 200 200 200 403
PUT /api/v2/macros/{id} 401 403 404 404 403 403
DELETE /api/v2/macros/{id} 401 403 404 404 403 403
GET /api/v2/macros/{id}/apply 401 403 200 200 403 403
GET /api/v2/organization_memberships 401 403 200 200 200 403
POST /api/v2/organization_memberships 401 403 422 422 403 403
GET /api/v2/organization_memberships/{id} 401 403 200 200 200 403
DELETE /api/v2/organization_memberships/{id} 401 403 404 404 403 403
GET /api/v2/organizations 401 403 200 200 200 403
POST /api/v2/organizations 401 403 403 422 403 403
GET /api/v2/organizations/autocomplete 401 403 400 400 400 403
GET /api/v2/organizations/count 401 403 200 200 200 403
POST /api/v2/organizations/create_or_update 401 403 403 422 403 403
GET /api/v2/organizations/search 401 403 400 400 400 403
GET /api/v2/organizations/show_many 401 403 400 400 400 403
GET /api/v2/organizations/{id} 401 403 200 200 200 403
PUT /api/v2/organizations/{id} 401 403 422 422 403 403
DELETE /api/v2/organizations/{id} 401 403 403 404 403 403
GET /api/v2/organizations/{id}/organization_memberships 401 403 200 200 200 403
GET /api/v2/organizations/{id}/related 401 403 200 200 200 403
GET /api/v2/organizations/{id}/tags 401 403 200 200 200 403
POST /api/v2/organizations/{id}/tags 401 403 422 422 403 403
PUT /api/v2/organizations/{id}/tags 401 403 422 422 403 403
DELETE /api/v2/organizations/{id}/tags 401 403 422 422 403 403
GET /api/v2/organizations/{id}/users 401 403 200 200 200 403
GET /api/v2/problems 401 403 200 200 200 403
GET /api/v2/search 401 403 400 400 400 403
GET /api/v2/search/count 401 403 400 400 400 403
GET /api/v2/search/export 401 403 400 400 400 403
GET /api/v2/sessions 401 403 403 200 200 403
GET /api/v2/ticket_audits 401 403 403 200 200 403
GET /api/v2/ticket_fields 401 403 200 200 200 200
POST /api/v2/ticket_fields 401 403 403 422 403 403
GET /api/v2/ticket_fields/count 401 403 200 200 200 200
GET /api/v2/ticket_fields/{id} 401 403 404 404 404 404
PUT /api/v2/ticket_fields/{id} 401 403 403 404 403 403
DELETE /api/v2/ticket_fields/{id} 401 403 403 404 403 403
GET /api/v2/ticket_metrics 401 403 200 200 200 403
GET /api/v2/ticket_metrics/{id} 401 403 200 200 200 200
GET /api/v2/tickets 401 200 200 200 200 403
POST /api/v2/tickets 401 422 422 422 403 403
GET /api/v2/tickets/count 401 200 200 200 200 403
POST /api/v2/tickets/create_many 401 403 422 422 403 403
DELETE /api/v2/tickets/destroy_many 401 403 400 400 403 403
PUT /api/v2/tickets/mark_many_as_spam 401 403 400 400 403 403
GET /api/v2/tickets/show_many 401 400 400 400 400 403
PUT /api/v2/tickets/update_many 401 403 422 422 403 403
GET /api/v2/tickets/{id} 401 404 200 200 200 200
PUT /api/v2/tickets/{id} 401 404 404 404 403 403
DELETE /api/v2/tickets/{id} 401 404 404 404 403 403
GET /api/v2/tickets/{id}/audits 401 403 200 200 200 200
GET /api/v2/tickets/{id}/audits/count 401 403 200 200 200 200
GET /api/v2/tickets/{id}/audits/{audit_id} 401 403 200 200 200 200
GET /api/v2/tickets/{id}/collaborators 401 403 200 200 200 403
GET /api/v2/tickets/{id}/comments 401 404 200 200 200 200
GET /api/v2/tickets/{id}/comments/count 401 404 200 200 200 200
GET /api/v2/tickets/{id}/email_ccs 401 403 200 200 200 403
GET /api/v2/tickets/{id}/followers 401 403 200 200 200 403
GET /api/v2/tickets/{id}/incidents 401 403 200 200 200 403
GET /api/v2/tickets/{id}/macros/{macro_id}/apply 401 403 200 200 403 403
PUT /api/v2/tickets/{id}/mark_as_spam 401 403 404 404 403 403
POST /api/v2/tickets/{id}/merge 401 403 404 404 403 403
GET /api/v2/tickets/{id}/metrics 401 403 200 200 200 200
GET /api/v2/tickets/{id}/related 401 403 200 200 200 200
GET /api/v2/tickets/{id}/tags 401 403 200 200 200 200
POST /api/v2/tickets/{id}/tags 401 403 404 404 403 403
PUT /api/v2/tickets/{id}/tags 401 403 404 404 403 403
DELETE /api/v2/tickets/{id}/tags 401 403 404 404 403 403
GET /api/v2/triggers 401 403 200 200 200 403
POST /api/v2/triggers 401 403 422 422 403 403
GET /api/v2/triggers/active 401 403 200 200 200 403
DELETE /api/v2/triggers/destroy_many 401 403 400 400 403 403
PUT /api/v2/triggers/reorder 401 403 422 422 403 403
PUT /api/v2/triggers/update_many 401 403 422 422 403 403
GET /api/v2/triggers/{id} 401 403 200 200 200 403
PUT /api/v2/triggers/{id} 401 403 404 404 403 403
DELETE /api/v2/triggers/{id} 401 403 404 404 403 403
POST /api/v2/uploads 401 422 422 422 403 403
GET /api/v2/users 401 403 200 200 200 403
POST /api/v2/users 401 403 422 422 403 403
GET /api/v2/users/autocomplete 401 403 400 400 400 403
GET /api/v2/users/count 401 403 200 200 200 403
POST /api/v2/users/create_or_update 401 403 422 422 403 403
GET /api/v2/users/me 401 200 200 200 200 200
DELETE /api/v2/users/me/logout 401 404 404 404 403 403
GET /api/v2/users/me/session 401 404 404 404 404 403
GET /api/v2/users/search 401 403 400 400 400 403
GET /api/v2/users/show_many 401 403 400 400 400 403
GET /api/v2/users/{id} 401 404 200 200 200 403
PUT /api/v2/users/{id} 401 404 422 422 403 403
DELETE /api/v2/users/{id} 401 403 403 404 403 403
GET /api/v2/users/{id}/group_memberships 401 403 200 200 200 403
POST /api/v2/users/{id}/group_memberships 401 403 403 422 403 403
GET /api/v2/users/{id}/group_memberships/{membership_id} 401 403 404 404 404 403
DELETE /api/v2/users/{id}/group_memberships/{membership_id} 401 403 403 404 403 403
PUT /api/v2/users/{id}/group_memberships/{membership_id}/make_default 401 403 403 404 403 403
GET /api/v2/users/{id}/groups 401 403 200 200 200 403
GET /api/v2/users/{id}/identities 401 404 200 200 200 403
POST /api/v2/users/{id}/identities 401 403 404 404 403 403
GET /api/v2/users/{id}/identities/{identity_id} 401 404 200 200 200 403
PUT /api/v2/users/{id}/identities/{identity_id} 401 403 404 404 403 403
DELETE /api/v2/users/{id}/identities/{identity_id} 401 403 404 404 403 403
PUT /api/v2/users/{id}/identities/{identity_id}/make_primary 401 403 404 404 403 403
PUT /api/v2/users/{id}/identities/{identity_id}/verify 401 403 404 404 403 403
GET /api/v2/users/{id}/organization_memberships 401 403 200 200 200 403
POST /api/v2/users/{id}/organization_memberships 401 403 422 422 403 403
GET /api/v2/users/{id}/organization_memberships/{membership_id} 401 403 200 200 200 403
DELETE /api/v2/users/{id}/organization_memberships/{membership_id} 401 403 404 404 403 403
PUT /api/v2/users/{id}/organization_memberships/{membership_id}/make_default 401 403 404 404 403 403
GET /api/v2/users/{id}/organizations 401 403 200 200 200 403
GET /api/v2/users/{id}/related 401 403 200 200 200 403
GET /api/v2/users/{id}/sessions 401 404 404 200 200 403
DELETE /api/v2/users/{id}/sessions 401 404 404 404 403 403
GET /api/v2/users/{id}/sessions/{session_id} 401 404 404 404 404 403
DELETE /api/v2/users/{id}/sessions/{session_id} 401 404 404 404 403 403
GET /api/v2/users/{id}/tags 401 403 200 200 200 403
POST /api/v2/users/{id}/tags 401 403 422 422 403 403
PUT /api/v2/users/{id}/tags 401 403 422 422 403 403
DELETE /api/v2/users/{id}/tags 401 403 422 422 403 403
GET /api/v2/users/{id}/tickets/assigned 401 403 200 200 200 403
GET /api/v2/users/{id}/tickets/requested 401 403 200 200 200 403
GET /api/v2/views 401 403 200 200 200 403
POST /api/v2/views 401 403 422 422 403 403
GET /api/v2/views/active 401 403 200 200 200 403
GET /api/v2/views/compact 401 403 200 200 200 403
GET /api/v2/views/count 401 403 200 200 200 403
GET /api/v2/views/count_many 401 403 400 400 400 403
DELETE /api/v2/views/destroy_many 401 403 400 400 403 403
POST /api/v2/views/preview 401 403 422 422 403 403
POST /api/v2/views/preview/count 401 403 422 422 403 403
GET /api/v2/views/show_many 401 403 400 400 400 403
GET /api/v2/views/{id} 401 403 200 200 200 403
PUT /api/v2/views/{id} 401 403 404 404 403 403
DELETE /api/v2/views/{id} 401 403 404 404 403 403
GET /api/v2/views/{id}/count 401 403 200 200 200 403
GET /api/v2/views/{id}/execute 401 403 200 200 200 403
GET /api/v2/views/{id}/tickets 401 403 200 200 200 403
GET /api/v2/webhooks 401 403 403 200 403 403
POST /api/v2/webhooks 401 403 403 422 403 403
POST /api/v2/webhooks/test 401 403 403 422 403 403
GET /api/v2/webhooks/{id} 401 403 403 200 403 403
PUT /api/v2/webhooks/{id} 401 403 403 404 403 403
PATCH /api/v2/webhooks/{id} 401 403 403 404 403 403
DELETE /api/v2/webhooks/{id} 401 403 403 404 403 403
GET /api/v2/webhooks/{id}/invocations 401 403 403 200 403 403
GET /api/v2/webhooks/{id}/invocations/{invocation_id}/attempts 401 403 403 404 403 403
GET /api/v2/webhooks/{id}/signing_secret 401 403 403 200 403 403
POST /api/v2/webhooks/{id}/signing_secret 401 403 403 404 403 403
GET /attachments/token/{token} 404 404 404 404 404 404
GET /attachments/token/{token}/ 404 404 404 404 404 404
GET /api/domicile/v1/auditor_grants 401 403 403 200 403 403
POST /api/domicile/v1/auditor_grants 401 403 403 422 403 403
DELETE /api/domicile/v1/auditor_grants/{id} 401 403 403 404 403 403
GET /api/domicile/v1/audit/bundle 401 403 403 503 503 403
GET /api/domicile/v1/audit/proof 401 403 403 400 400 400
GET /api/domicile/v1/audit_logs.csv 401 403 403 200 200 403
GET /api/domicile/v1/events 401 403 403 200 200 403
GET /api/domicile/v1/marks 401 403 200 200 200 200
GET /api/domicile/v1/residency 401 200 200 200 200 200
GET /api/domicile/v1/tickets/{id} 401 403 200 200 200 200
GET /api/domicile/v1/tickets/{id}/bundle 401 403 403 503 503 503
POST /api/domicile/v1/tickets/{id}/comments 401 404 404 404 403 403
GET /api/domicile/v1/tickets/{id}/history 401 403 200 200 200 200
POST /api/domicile/v1/triggers/dry_run 401 403 422 422 403 403
POST /api/domicile/v1/webhooks/{id}/invocations/{invocation_id}/replay 401 403 403 404 403 403
GET /account/data 303 200 200 200 200 403
POST /account/data/erasure 303 415 415 415 403 403
GET /account/data/export 303 200 200 200 200 403
GET /language/{code} 303 303 303 303 303 303
GET /requests 303 200 200 200 200 403
POST /requests 303 415 415 415 403 403
GET /requests/new 303 200 200 200 200 200
GET /requests/{id} 303 404 200 404 404 404
POST /requests/{id} 303 415 415 415 403 403
GET /residency 200 200 200 200 200 200
GET /trust 200 200 200 200 200 200
";

#[tokio::test]
async fn every_route_answers_every_role_as_the_table_says() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    assert_eq!(answered(&bench).await?, TABLE);
    Ok(())
}

#[test]
fn no_auditor_may_write() {
    for line in TABLE.lines().filter(|line| !line.starts_with("GET ")) {
        let auditors: Vec<&str> = line.split(' ').skip(6).collect();
        assert_eq!(auditors, ["403", "403"], "{line}");
    }
}
