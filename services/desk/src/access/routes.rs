//! Which route reads what: one row a route, and a test that finds the route without one.

use axum::http::Method;
use schemas::values::ReadKind;

/// What is known about a route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Its path, as the router has it.
    pub(crate) path: &'static str,
    /// What reading it reads.
    pub(crate) reads: Reads,
}

/// What a GET of a route reads. Other methods are commands, but for [`READ_BY_POST`]: what they do is in the log anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// The thing whose id is `{id}` in the path.
    One(ReadKind),
    /// Things that are known when they are found: a list, a search, a file behind a link.
    Many(ReadKind),
    /// All of its kind.
    All(ReadKind),
    /// Nothing: it takes commands only. The answer to one that wrote nothing is a read of this.
    Answers(&'static Reads),
    /// Nothing that is about anybody. Says why.
    Nothing(&'static str),
}

use ReadKind as K;
use Reads::{All, Answers, Many, Nothing, One};

const PUBLIC: Reads = Nothing("the same for everybody, and about nobody");
const COMMAND: Reads = Nothing("it takes commands only");
const SETTINGS: Reads = Nothing("settings of the tenant, and about nobody");
const PLACE: Reads = Nothing("positions and places of the tenant, and about nobody");

/// Routes that are asked by a POST, because what is asked does not fit into an address, and write nothing.
pub(crate) const READ_BY_POST: [&str; 3] =
    ["/api/v2/views/preview", "/api/v2/views/preview/count", "/api/domicile/v1/triggers/dry_run"];

/// Every route of a tenant's host.
pub(crate) const ROWS: &[(&str, Reads)] = &[
    ("/", PUBLIC),
    ("/agent", Many(K::Ticket)),
    // How many people, groups and rules there are, as the API's counts are read.
    ("/agent/admin", All(K::User)),
    ("/agent/admin/groups", Many(K::Group)),
    ("/agent/admin/groups/new", Nothing("an empty form")),
    ("/agent/admin/groups/{id}", One(K::Group)),
    ("/agent/admin/groups/{id}/deletion", Answers(&One(K::Group))),
    ("/agent/admin/people", Many(K::User)),
    // The form, with the groups that somebody may be put into.
    ("/agent/admin/people/new", Many(K::Group)),
    ("/agent/admin/people/{id}", One(K::User)),
    ("/agent/admin/people/{id}/deletion", Answers(&One(K::User))),
    ("/agent/admin/people/{id}/groups", Answers(&One(K::User))),
    ("/agent/admin/people/{id}/groups/{membership_id}", COMMAND),
    // Sent again, it shows none, and leads to the list.
    ("/agent/admin/tokens", Many(K::ApiToken)),
    // The form, with those whom a token may speak for.
    ("/agent/admin/tokens/new", Many(K::User)),
    ("/agent/admin/tokens/{id}/end", COMMAND),
    ("/agent/live", Nothing("positions of tickets, and which colleagues look at one now")),
    ("/agent/live/typing", COMMAND),
    ("/agent/organizations/{id}", One(K::Organization)),
    // Of what it finds: tickets, and beside them people and organizations.
    ("/agent/search", Many(K::Ticket)),
    // The form, with the agents whom a ticket may be given to.
    ("/agent/tickets", Answers(&Many(K::User))),
    ("/agent/tickets/new", Many(K::User)),
    ("/agent/tickets/{id}", One(K::Ticket)),
    ("/agent/tickets/{id}/history", One(K::Ticket)),
    ("/agent/tickets/{id}/merge", One(K::Ticket)),
    ("/agent/users/{id}", One(K::User)),
    ("/agent/views/{id}", Many(K::Ticket)),
    ("/assets/{name}", PUBLIC),
    ("/signin", PUBLIC),
    ("/signout", COMMAND),
    ("/account/security", Many(K::Session)),
    ("/account/security/password", COMMAND),
    ("/account/security/sessions", COMMAND),
    ("/api/v2/access_logs", All(K::AccessLog)),
    ("/api/v2/api_tokens", Many(K::ApiToken)),
    ("/api/v2/api_tokens/{id}", COMMAND),
    ("/api/v2/attachments/{id}", One(K::Attachment)),
    ("/api/v2/audit_logs", All(K::AuditLog)),
    ("/api/v2/audit_logs/{id}", One(K::AuditLog)),
    ("/api/v2/automations", Many(K::Rule)),
    ("/api/v2/automations/active", Many(K::Rule)),
    ("/api/v2/automations/destroy_many", COMMAND),
    ("/api/v2/automations/update_many", Answers(&Many(K::Rule))),
    ("/api/v2/automations/{id}", One(K::Rule)),
    ("/api/v2/deleted_tickets", Many(K::Ticket)),
    ("/api/v2/deleted_tickets/destroy_many", COMMAND),
    ("/api/v2/deleted_tickets/restore_many", COMMAND),
    ("/api/v2/deleted_tickets/{id}", COMMAND),
    ("/api/v2/deleted_tickets/{id}/restore", COMMAND),
    ("/api/v2/deleted_users", Many(K::User)),
    ("/api/v2/deleted_users/{id}", One(K::User)),
    ("/api/v2/group_memberships", Many(K::Membership)),
    ("/api/v2/group_memberships/{id}", One(K::Membership)),
    ("/api/v2/groups", Many(K::Group)),
    ("/api/v2/groups/assignable", Many(K::Group)),
    ("/api/v2/groups/count", All(K::Group)),
    ("/api/v2/groups/{id}", One(K::Group)),
    ("/api/v2/groups/{id}/memberships", Many(K::Membership)),
    ("/api/v2/groups/{id}/users", Many(K::User)),
    ("/api/v2/imports/tickets", Answers(&Many(K::Ticket))),
    ("/api/v2/imports/tickets/create_many", COMMAND),
    ("/api/v2/incremental/ticket_events", Many(K::Ticket)),
    ("/api/v2/incremental/tickets", Many(K::Ticket)),
    ("/api/v2/incremental/tickets/cursor", Many(K::Ticket)),
    ("/api/v2/incremental/users", Many(K::User)),
    ("/api/v2/incremental/users/cursor", Many(K::User)),
    ("/api/v2/job_statuses", PLACE),
    ("/api/v2/job_statuses/show_many", PLACE),
    ("/api/v2/job_statuses/{id}", PLACE),
    ("/api/v2/macros", Many(K::Rule)),
    ("/api/v2/macros/active", Many(K::Rule)),
    ("/api/v2/macros/destroy_many", COMMAND),
    ("/api/v2/macros/{id}", One(K::Rule)),
    ("/api/v2/macros/{id}/apply", One(K::Rule)),
    ("/api/v2/organization_memberships", Many(K::Membership)),
    ("/api/v2/organization_memberships/{id}", One(K::Membership)),
    ("/api/v2/organizations", Many(K::Organization)),
    ("/api/v2/organizations/autocomplete", Many(K::Organization)),
    ("/api/v2/organizations/count", All(K::Organization)),
    ("/api/v2/organizations/create_or_update", Answers(&Many(K::Organization))),
    ("/api/v2/organizations/search", Many(K::Organization)),
    ("/api/v2/organizations/show_many", Many(K::Organization)),
    ("/api/v2/organizations/{id}", One(K::Organization)),
    ("/api/v2/organizations/{id}/organization_memberships", Many(K::Membership)),
    ("/api/v2/organizations/{id}/related", One(K::Organization)),
    ("/api/v2/organizations/{id}/tags", One(K::Organization)),
    ("/api/v2/organizations/{id}/users", Many(K::User)),
    ("/api/v2/problems", Many(K::Ticket)),
    // Of what it finds: tickets, and beside them people, organizations and groups.
    ("/api/v2/search", Many(K::Ticket)),
    ("/api/v2/search/count", All(K::Ticket)),
    ("/api/v2/search/export", Many(K::Ticket)),
    ("/api/v2/sessions", Many(K::Session)),
    ("/api/v2/ticket_audits", Many(K::Ticket)),
    ("/api/v2/ticket_fields", SETTINGS),
    ("/api/v2/ticket_fields/count", SETTINGS),
    ("/api/v2/ticket_fields/{id}", SETTINGS),
    ("/api/v2/ticket_metrics", Many(K::Ticket)),
    ("/api/v2/ticket_metrics/{id}", One(K::Ticket)),
    ("/api/v2/tickets", Many(K::Ticket)),
    ("/api/v2/tickets/count", All(K::Ticket)),
    ("/api/v2/tickets/create_many", COMMAND),
    ("/api/v2/tickets/destroy_many", COMMAND),
    ("/api/v2/tickets/mark_many_as_spam", COMMAND),
    ("/api/v2/tickets/show_many", Many(K::Ticket)),
    ("/api/v2/tickets/update_many", COMMAND),
    ("/api/v2/tickets/{id}", One(K::Ticket)),
    ("/api/v2/tickets/{id}/audits", One(K::Ticket)),
    ("/api/v2/tickets/{id}/audits/count", One(K::Ticket)),
    ("/api/v2/tickets/{id}/audits/{audit_id}", One(K::Ticket)),
    ("/api/v2/tickets/{id}/collaborators", Many(K::User)),
    ("/api/v2/tickets/{id}/comments", One(K::Ticket)),
    ("/api/v2/tickets/{id}/comments/count", One(K::Ticket)),
    ("/api/v2/tickets/{id}/email_ccs", Many(K::User)),
    ("/api/v2/tickets/{id}/followers", Many(K::User)),
    ("/api/v2/tickets/{id}/incidents", Many(K::Ticket)),
    ("/api/v2/tickets/{id}/macros/{macro_id}/apply", One(K::Ticket)),
    ("/api/v2/tickets/{id}/mark_as_spam", COMMAND),
    ("/api/v2/tickets/{id}/merge", COMMAND),
    ("/api/v2/tickets/{id}/metrics", One(K::Ticket)),
    ("/api/v2/tickets/{id}/related", One(K::Ticket)),
    ("/api/v2/tickets/{id}/tags", One(K::Ticket)),
    ("/api/v2/triggers", Many(K::Rule)),
    ("/api/v2/triggers/active", Many(K::Rule)),
    ("/api/v2/triggers/destroy_many", COMMAND),
    ("/api/v2/triggers/reorder", Answers(&Many(K::Rule))),
    ("/api/v2/triggers/update_many", Answers(&Many(K::Rule))),
    ("/api/v2/triggers/{id}", One(K::Rule)),
    ("/api/v2/uploads", COMMAND),
    ("/api/v2/users", Many(K::User)),
    ("/api/v2/users/autocomplete", Many(K::User)),
    ("/api/v2/users/count", All(K::User)),
    ("/api/v2/users/create_or_update", Answers(&Many(K::User))),
    ("/api/v2/users/me", Many(K::User)),
    ("/api/v2/users/me/logout", COMMAND),
    ("/api/v2/users/me/session", Many(K::Session)),
    ("/api/v2/users/search", Many(K::User)),
    ("/api/v2/users/show_many", Many(K::User)),
    ("/api/v2/users/{id}", One(K::User)),
    ("/api/v2/users/{id}/group_memberships", Many(K::Membership)),
    ("/api/v2/users/{id}/group_memberships/{membership_id}", Many(K::Membership)),
    ("/api/v2/users/{id}/group_memberships/{membership_id}/make_default", Answers(&Many(K::Membership))),
    ("/api/v2/users/{id}/groups", Many(K::Group)),
    ("/api/v2/users/{id}/identities", One(K::User)),
    ("/api/v2/users/{id}/identities/{identity_id}", One(K::User)),
    ("/api/v2/users/{id}/identities/{identity_id}/make_primary", Answers(&One(K::User))),
    ("/api/v2/users/{id}/identities/{identity_id}/verify", Answers(&One(K::User))),
    ("/api/v2/users/{id}/organization_memberships", Many(K::Membership)),
    ("/api/v2/users/{id}/organization_memberships/{membership_id}", Many(K::Membership)),
    ("/api/v2/users/{id}/organization_memberships/{membership_id}/make_default", Answers(&Many(K::Membership))),
    ("/api/v2/users/{id}/organizations", Many(K::Organization)),
    ("/api/v2/users/{id}/related", One(K::User)),
    ("/api/v2/users/{id}/sessions", Many(K::Session)),
    ("/api/v2/users/{id}/sessions/{session_id}", Many(K::Session)),
    ("/api/v2/users/{id}/tags", One(K::User)),
    ("/api/v2/users/{id}/tickets/assigned", Many(K::Ticket)),
    ("/api/v2/users/{id}/tickets/requested", Many(K::Ticket)),
    ("/api/v2/views", Many(K::Rule)),
    ("/api/v2/views/active", Many(K::Rule)),
    ("/api/v2/views/compact", Many(K::Rule)),
    ("/api/v2/views/count", All(K::Rule)),
    ("/api/v2/views/count_many", All(K::Ticket)),
    ("/api/v2/views/destroy_many", COMMAND),
    ("/api/v2/views/preview", Many(K::Ticket)),
    ("/api/v2/views/preview/count", All(K::Ticket)),
    ("/api/v2/views/show_many", Many(K::Rule)),
    ("/api/v2/views/{id}", One(K::Rule)),
    ("/api/v2/views/{id}/count", All(K::Ticket)),
    ("/api/v2/views/{id}/execute", Many(K::Ticket)),
    ("/api/v2/views/{id}/tickets", Many(K::Ticket)),
    ("/api/v2/webhooks", Many(K::Webhook)),
    ("/api/v2/webhooks/test", COMMAND),
    ("/api/v2/webhooks/{id}", Many(K::Webhook)),
    ("/api/v2/webhooks/{id}/invocations", Many(K::Webhook)),
    ("/api/v2/webhooks/{id}/invocations/{invocation_id}/attempts", Many(K::Webhook)),
    ("/api/v2/webhooks/{id}/signing_secret", Many(K::Webhook)),
    ("/attachments/token/{token}", Many(K::Attachment)),
    ("/attachments/token/{token}/", Many(K::Attachment)),
    ("/api/domicile/v1/auditor_grants", Many(K::AuditorGrant)),
    ("/api/domicile/v1/auditor_grants/{id}", COMMAND),
    ("/api/domicile/v1/audit/bundle", All(K::Event)),
    ("/api/domicile/v1/audit/proof", Many(K::Event)),
    ("/api/domicile/v1/audit_logs.csv", All(K::AuditLog)),
    ("/api/domicile/v1/events", Many(K::Event)),
    ("/api/domicile/v1/marks", PLACE),
    ("/api/domicile/v1/residency", PLACE),
    ("/api/domicile/v1/tickets/{id}", One(K::Ticket)),
    ("/api/domicile/v1/tickets/{id}/bundle", One(K::Ticket)),
    ("/api/domicile/v1/tickets/{id}/comments", Answers(&One(K::Ticket))),
    ("/api/domicile/v1/tickets/{id}/history", One(K::Ticket)),
    ("/api/domicile/v1/triggers/dry_run", Many(K::Ticket)),
    ("/api/domicile/v1/webhooks/{id}/invocations/{invocation_id}/replay", COMMAND),
    ("/account/data", Many(K::User)),
    ("/account/data/erasure", COMMAND),
    ("/account/data/export", Many(K::User)),
    ("/language/{code}", PUBLIC),
    ("/requests", Many(K::Ticket)),
    ("/requests/new", Nothing("an empty form")),
    ("/requests/{id}", One(K::Ticket)),
    ("/residency", PLACE),
    ("/trust", PUBLIC),
];

/// The row of a route. One that has none is recorded all the same, as something else.
pub(crate) fn row(path: &str) -> Row {
    let found = ROWS.iter().find(|(known, _)| *known == path);
    found.map_or(Row { path: "", reads: All(K::Other) }, |(path, reads)| Row { path, reads: *reads })
}

impl Reads {
    /// What an answer shows that is a read.
    pub(crate) const fn shown(self) -> Self {
        match self {
            Answers(shown) => *shown,
            reads => reads,
        }
    }
}

impl Row {
    /// Whether a request of this method is a read that is recorded.
    pub(crate) fn is_read(&self, method: &Method) -> bool {
        let is_asking = match *method {
            Method::GET | Method::HEAD => true,
            Method::POST => READ_BY_POST.contains(&self.path),
            _ => false,
        };
        is_asking && !matches!(self.reads, Nothing(_) | Answers(_))
    }

    /// Whether a request of this method is a command, whose answer may be a read.
    pub(crate) fn is_command(&self, method: &Method) -> bool {
        matches!(*method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE) && self.reads != PUBLIC
    }

    /// What is read.
    pub(crate) const fn kind(&self) -> ReadKind {
        match self.reads.shown() {
            One(kind) | Many(kind) | All(kind) => kind,
            Answers(_) | Nothing(_) => K::Other,
        }
    }

    /// The id in a request's path of what is read. Where all of a kind is read, an id is that of a list: a view's, for instance.
    pub(crate) fn read_in(&self, path: &str) -> Option<i64> {
        let is_of_list = matches!(self.reads.shown(), All(_));
        self.id_in(path).filter(|_| !is_of_list)
    }

    /// The id in a request's path, where the route has one and it is one.
    pub(crate) fn id_in(&self, path: &str) -> Option<i64> {
        let mut parts = self.path.split('/').zip(path.split('/'));
        let (_, id) = parts.find(|(name, _)| *name == "{id}")?;
        id.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{app, testing::TestDesk};

    /// The paths of a router. It tells them to nobody but a debugger.
    fn paths(router: &str) -> BTreeSet<String> {
        let quoted = router.split('"').skip(1).step_by(2);
        let is_route = |text: &&str| text.starts_with('/') && !text.contains("__private__");
        quoted.filter(is_route).map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn every_route_of_a_tenant_has_a_row_and_every_row_a_route() -> anyhow::Result<()> {
        let desk = TestDesk::new().await?;
        let served = paths(&format!("{:?}", app::tenant(&desk.desk)));
        let known: BTreeSet<String> = ROWS.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(served, known, "left: routes, right: rows of this table");
        Ok(())
    }

    #[test]
    fn a_route_without_a_row_is_found() {
        let router = axum::Router::<()>::new().route("/api/v2/secrets/{id}", axum::routing::get(async || ""));
        assert!(paths(&format!("{router:?}")).contains("/api/v2/secrets/{id}"));
        assert!(row("/api/v2/secrets/{id}").is_read(&Method::GET), "and recorded as long as it has none");
    }

    #[test]
    fn the_id_is_the_one_in_the_path() {
        assert_eq!(row("/api/v2/tickets/{id}/audits/{audit_id}").id_in("/api/v2/tickets/7/audits/9"), Some(7));
        assert_eq!(row("/api/v2/tickets/{id}").id_in("/api/v2/tickets/x"), None);
        assert_eq!(row("/api/v2/tickets").id_in("/api/v2/tickets"), None);
    }
}
