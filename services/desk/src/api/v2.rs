//! The Zendesk-compatible API, `/api/v2`.
//!
//! Paths, shapes and refusals are those that existing clients expect; every path works with and without `.json`. One
//! operation per file: [`tickets`], [`users`], [`identities`], [`organizations`], [`groups`], [`memberships`], [`uploads`], [`attachments`],
//! [`access_logs`], [`audit_logs`], [`rules`], [`views`], [`macros`], [`triggers`], [`deleted_tickets`], [`deleted_users`], [`incremental`], [`search`], [`sessions`]. What they share: [`page`] (both kinds
//! of pages), [`ids`] (ids in addresses), [`tags`], [`present`] (rows in the API's shapes), [`include`] (what stands beside lists), [`headers`] (what every answer carries).

pub(crate) mod access_logs;
pub(crate) mod attachments;
pub(crate) mod audit_logs;
pub(crate) mod deleted_tickets;
pub(crate) mod deleted_users;
pub(crate) mod groups;
pub(crate) mod headers;
pub(crate) mod identities;
pub(crate) mod ids;
pub(crate) mod include;
pub(crate) mod incremental;
pub(crate) mod job_statuses;
pub(crate) mod macros;
pub(crate) mod memberships;
pub(crate) mod organizations;
pub(crate) mod page;
pub(crate) mod present;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod sessions;
pub(crate) mod tags;
pub(crate) mod ticket_fields;
pub(crate) mod ticket_metrics;
pub(crate) mod tickets;
pub(crate) mod triggers;
pub(crate) mod uploads;
pub(crate) mod users;
pub(crate) mod views;
pub(crate) mod webhooks;

mod people;

use axum::{
    Router, middleware,
    routing::{delete, get, post, put},
};

use crate::state::Desk;

/// Every route of the API, and the address that attachments' contents are at.
pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .merge(ticket_routes())
        .merge(people::routes())
        .merge(deletion_routes())
        .merge(export_routes())
        .merge(rule_routes())
        .merge(webhook_routes())
        .merge(sessions::routes())
        .route("/api/v2/access_logs", get(access_logs::list::list))
        .route("/api/v2/audit_logs", get(audit_logs::list::list))
        .route("/api/v2/audit_logs/{id}", get(audit_logs::show::show))
        .route("/api/v2/search", get(search::results::results))
        .route("/api/v2/search/count", get(search::count::count))
        .route("/api/v2/search/export", get(search::export::export))
        .route("/api/v2/uploads", post(uploads::create::create))
        .route("/api/v2/attachments/{id}", get(attachments::show::show))
        .layer(middleware::from_fn(headers::layer))
        .route("/attachments/token/{token}/", get(attachments::content::content))
        .route("/attachments/token/{token}", get(attachments::content::content))
}

fn ticket_routes() -> Router<Desk> {
    Router::new()
        .route("/api/v2/tickets", get(tickets::list::list).post(tickets::create::create))
        .route("/api/v2/tickets/count", get(tickets::count::count))
        .route("/api/v2/tickets/create_many", post(tickets::bulk::create_many))
        .route("/api/v2/tickets/update_many", put(tickets::bulk::update_many))
        .route("/api/v2/tickets/destroy_many", delete(tickets::bulk::destroy_many))
        .route("/api/v2/tickets/mark_many_as_spam", put(tickets::spam::mark_many_as_spam))
        .route("/api/v2/tickets/show_many", get(tickets::show_many::show_many))
        .route(
            "/api/v2/tickets/{id}",
            get(tickets::show::show).put(tickets::update::update).delete(tickets::delete::delete),
        )
        .route("/api/v2/ticket_fields", get(ticket_fields::list::list).post(ticket_fields::write::create))
        .route("/api/v2/ticket_fields/count", get(ticket_fields::list::count))
        .route(
            "/api/v2/ticket_fields/{id}",
            get(ticket_fields::list::show).put(ticket_fields::write::update).delete(ticket_fields::write::destroy),
        )
        .route("/api/v2/imports/tickets", post(tickets::import::import))
        .route("/api/v2/imports/tickets/create_many", post(tickets::import::import_many))
        .route("/api/v2/tickets/{id}/mark_as_spam", put(tickets::spam::mark_as_spam))
        .route("/api/v2/tickets/{id}/merge", post(tickets::merge::merge))
        .route("/api/v2/tickets/{id}/related", get(tickets::related::related))
        .route("/api/v2/tickets/{id}/metrics", get(ticket_metrics::of_ticket))
        .route("/api/v2/ticket_metrics", get(ticket_metrics::list))
        .route("/api/v2/ticket_metrics/{id}", get(ticket_metrics::show))
        .route("/api/v2/ticket_audits", get(tickets::audits::all))
        .route("/api/v2/tickets/{id}/audits/count", get(tickets::audits::count))
        .route("/api/v2/tickets/{id}/comments/count", get(tickets::comments::count))
        .route("/api/v2/problems", get(tickets::incidents::problems))
        .route("/api/v2/tickets/{id}/collaborators", get(tickets::people::collaborators))
        .route("/api/v2/tickets/{id}/email_ccs", get(tickets::people::email_ccs))
        .route("/api/v2/tickets/{id}/followers", get(tickets::people::followers))
        .route("/api/v2/tickets/{id}/incidents", get(tickets::incidents::incidents))
        .route(
            "/api/v2/tickets/{id}/tags",
            get(tickets::tags::show).post(tickets::tags::set).put(tickets::tags::add).delete(tickets::tags::remove),
        )
        .route("/api/v2/tickets/{id}/comments", get(tickets::comments::comments))
        .route("/api/v2/tickets/{id}/audits", get(tickets::audits::audits))
        .route("/api/v2/tickets/{id}/audits/{audit_id}", get(tickets::show_audit::show_audit))
}

fn deletion_routes() -> Router<Desk> {
    Router::new()
        .route("/api/v2/deleted_tickets", get(deleted_tickets::list::list))
        .route("/api/v2/deleted_tickets/restore_many", put(deleted_tickets::restore::restore_many))
        .route("/api/v2/deleted_tickets/destroy_many", delete(deleted_tickets::destroy::destroy_many))
        .route("/api/v2/deleted_tickets/{id}", delete(deleted_tickets::destroy::destroy))
        .route("/api/v2/deleted_tickets/{id}/restore", put(deleted_tickets::restore::restore))
        .route("/api/v2/deleted_users", get(deleted_users::list::list))
        .route("/api/v2/deleted_users/{id}", get(deleted_users::show::show).delete(deleted_users::destroy::destroy))
        .route("/api/v2/job_statuses", get(job_statuses::list))
        .route("/api/v2/job_statuses/show_many", get(job_statuses::show_many))
        .route("/api/v2/job_statuses/{id}", get(job_statuses::show))
}

fn export_routes() -> Router<Desk> {
    use incremental::{by_cursor, by_time};
    Router::new()
        .route("/api/v2/incremental/tickets", get(by_time::tickets))
        .route("/api/v2/incremental/tickets/cursor", get(by_cursor::tickets))
        .route("/api/v2/incremental/users", get(by_time::users))
        .route("/api/v2/incremental/users/cursor", get(by_cursor::users))
        .route("/api/v2/incremental/ticket_events", get(by_time::ticket_events))
}

fn rule_routes() -> Router<Desk> {
    use rules::{Automation, Macro, Trigger, View, list, write};
    Router::new()
        .route("/api/v2/views", get(list::list::<View>).post(write::create::<View>))
        .route("/api/v2/views/active", get(list::active::<View>))
        .route("/api/v2/views/compact", get(list::compact::<View>))
        .route("/api/v2/views/count", get(list::count::<View>))
        .route("/api/v2/views/count_many", get(views::count::count_many))
        .route("/api/v2/views/destroy_many", delete(write::destroy_many::<View>))
        .route("/api/v2/views/preview", post(views::preview::preview))
        .route("/api/v2/views/preview/count", post(views::preview::preview_count))
        .route("/api/v2/views/show_many", get(list::show_many::<View>))
        .route("/api/v2/views/{id}", get(list::show::<View>).put(write::update::<View>).delete(write::destroy::<View>))
        .route("/api/v2/views/{id}/count", get(views::count::count))
        .route("/api/v2/views/{id}/execute", get(views::execute::execute))
        .route("/api/v2/views/{id}/tickets", get(views::execute::tickets))
        .route("/api/v2/macros", get(list::list::<Macro>).post(write::create::<Macro>))
        .route("/api/v2/macros/active", get(list::active::<Macro>))
        .route("/api/v2/macros/destroy_many", delete(write::destroy_many::<Macro>))
        .route(
            "/api/v2/macros/{id}",
            get(list::show::<Macro>).put(write::update::<Macro>).delete(write::destroy::<Macro>),
        )
        .route("/api/v2/macros/{id}/apply", get(macros::apply::apply))
        .route("/api/v2/tickets/{id}/macros/{macro_id}/apply", get(macros::apply::apply_to_ticket))
        .route("/api/v2/triggers", get(list::list::<Trigger>).post(write::create::<Trigger>))
        .route("/api/v2/triggers/active", get(list::active::<Trigger>))
        .route("/api/v2/triggers/destroy_many", delete(write::destroy_many::<Trigger>))
        .route("/api/v2/triggers/reorder", put(triggers::many::reorder))
        .route("/api/v2/triggers/update_many", put(triggers::many::update_many::<Trigger>))
        .route(
            "/api/v2/triggers/{id}",
            get(list::show::<Trigger>).put(write::update::<Trigger>).delete(write::destroy::<Trigger>),
        )
        .route("/api/v2/automations", get(list::list::<Automation>).post(write::create::<Automation>))
        .route("/api/v2/automations/active", get(list::active::<Automation>))
        .route("/api/v2/automations/destroy_many", delete(write::destroy_many::<Automation>))
        .route("/api/v2/automations/update_many", put(triggers::many::update_many::<Automation>))
        .route(
            "/api/v2/automations/{id}",
            get(list::show::<Automation>).put(write::update::<Automation>).delete(write::destroy::<Automation>),
        )
}

fn webhook_routes() -> Router<Desk> {
    use webhooks::{list, secret, told, try_out, write};
    Router::new()
        .route("/api/v2/webhooks", get(list::list).post(write::create))
        .route("/api/v2/webhooks/test", post(try_out::try_out))
        .route("/api/v2/webhooks/{id}", get(list::show).put(write::replace).patch(write::update).delete(write::destroy))
        .route("/api/v2/webhooks/{id}/signing_secret", get(secret::show).post(secret::renew))
        .route("/api/v2/webhooks/{id}/invocations", get(told::invocations))
        .route("/api/v2/webhooks/{id}/invocations/{invocation_id}/attempts", get(told::attempts))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::json;

    use crate::api::testing::{ALAN, Bench, GRACE, request};

    #[tokio::test]
    async fn an_unknown_path_is_no_endpoint() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let expected = (404, json!({"error": "InvalidEndpoint", "description": "Not found"}));
        for path in ["/api/v2/nothing", "/api/v2/tickets/1/nothing.json", "/api/v2"] {
            assert_eq!(bench.get(ALAN, path).await.refusal(), expected, "{path}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_body_must_be_json_of_a_mebibyte_at_most() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let mut form = request("POST", "acme", Some(ALAN), "/api/v2/tickets", Body::from("a=b"));
        form.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse()?);
        assert_eq!(bench.send(form).await.status, 415);
        let broken = request("POST", "acme", Some(ALAN), "/api/v2/tickets", Body::from("{\"ticket\": "));
        assert_eq!(bench.send(broken).await.status, 400);
        let long = request("POST", "acme", Some(ALAN), "/api/v2/tickets", Body::from("x".repeat(1024 * 1024 + 1)));
        assert_eq!(bench.send(long).await.status, 413);
        Ok(())
    }

    /// Every read of either API, with ids that both tenants hold.
    const READS: &[&str] = &[
        "/api/v2/tickets",
        "/api/v2/tickets?page[size]=9",
        "/api/v2/tickets/show_many?ids=1",
        "/api/v2/tickets/1",
        "/api/v2/tickets/1/comments",
        "/api/v2/tickets/1/comments?page[size]=9",
        "/api/v2/tickets/1/audits",
        "/api/v2/tickets/1/audits?page[size]=9",
        "/api/v2/users",
        "/api/v2/users?page[size]=9",
        "/api/v2/users/3",
        "/api/v2/users/me",
        "/api/v2/users/show_many?ids=1,2,3,4",
        "/api/v2/users/search?query=example",
        "/api/v2/groups",
        "/api/v2/groups?page[size]=9",
        "/api/v2/groups/6",
        "/api/v2/attachments/7",
        "/api/domicile/v1/residency",
        "/api/domicile/v1/events",
        "/api/domicile/v1/tickets/1",
        "/api/domicile/v1/tickets/1/history",
    ];

    #[tokio::test]
    async fn two_tenants_with_the_same_ids_never_meet() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for slug in ["acme", "globex"] {
            let post = |path: &str, body: serde_json::Value| {
                request("POST", slug, Some(GRACE), path, Body::from(body.to_string()))
            };
            bench.send(post("/api/v2/groups", json!({"group": {"name": format!("group of {slug}")}}))).await;
            let upload = post(&format!("/api/v2/uploads?filename=file-of-{slug}.txt"), json!("bytes"));
            let token = bench.send(upload).await.body["upload"]["token"].clone();
            let comment = json!({"body": format!("said at {slug}"), "uploads": token});
            let ticket = json!({"ticket": {"subject": format!("about {slug}"), "comment": comment}});
            assert_eq!(bench.send(post("/api/v2/tickets", ticket)).await.status, 201);
        }
        for (slug, other) in [("acme", "globex"), ("globex", "acme")] {
            for path in READS {
                let answer = bench.send(request("GET", slug, Some(GRACE), path, Body::empty())).await;
                let text = answer.body.to_string();
                assert_eq!(answer.status, 200, "{slug} {path}");
                assert!(text.contains(slug) && !text.contains(other), "{slug} {path}: {text}");
            }
        }
        Ok(())
    }
}
