//! The routes of people, and of what they belong to.

use axum::{
    Router,
    routing::{get, post, put},
};
use domain::{organization::Organization, person::Person};

use super::{
    groups, identities,
    memberships::{self, Groups, Organizations},
    organizations, tags, users,
};
use crate::state::Desk;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .merge(user_routes())
        .merge(identity_routes())
        .merge(organization_routes())
        .merge(group_routes())
        .merge(membership_routes())
}

fn user_routes() -> Router<Desk> {
    Router::new()
        .route("/api/v2/users", get(users::list::list).post(users::create::create))
        .route("/api/v2/users/autocomplete", get(users::autocomplete::autocomplete))
        .route("/api/v2/users/count", get(users::count::count))
        .route("/api/v2/users/create_or_update", post(users::create_or_update::create_or_update))
        .route("/api/v2/users/me", get(users::me::me))
        .route("/api/v2/users/search", get(users::search::search))
        .route("/api/v2/users/show_many", get(users::show_many::show_many))
        .route("/api/v2/users/{id}", get(users::show::show).put(users::update::update).delete(users::delete::delete))
        .route("/api/v2/users/{id}/groups", get(groups::list::of_user))
        .route("/api/v2/users/{id}/organizations", get(organizations::list::of_user))
        .route("/api/v2/users/{id}/related", get(users::related::related))
        .route(
            "/api/v2/users/{id}/tags",
            get(tags::show::<Person>).post(tags::set::<Person>).put(tags::add::<Person>).delete(tags::remove::<Person>),
        )
        .route("/api/v2/users/{id}/tickets/assigned", get(users::tickets::assigned))
        .route("/api/v2/users/{id}/tickets/requested", get(users::tickets::requested))
}

fn identity_routes() -> Router<Desk> {
    Router::new()
        .route("/api/v2/users/{id}/identities", get(identities::list::list).post(identities::create::create))
        .route(
            "/api/v2/users/{id}/identities/{identity_id}",
            get(identities::show::show).put(identities::update::update).delete(identities::delete::delete),
        )
        .route("/api/v2/users/{id}/identities/{identity_id}/make_primary", put(identities::update::make_primary))
        .route("/api/v2/users/{id}/identities/{identity_id}/verify", put(identities::update::verify))
}

fn organization_routes() -> Router<Desk> {
    Router::new()
        .route("/api/v2/organizations", get(organizations::list::list).post(organizations::create::create))
        .route("/api/v2/organizations/autocomplete", get(organizations::autocomplete::autocomplete))
        .route("/api/v2/organizations/count", get(organizations::count::count))
        .route("/api/v2/organizations/create_or_update", post(organizations::create_or_update::create_or_update))
        .route("/api/v2/organizations/search", get(organizations::search::search))
        .route("/api/v2/organizations/show_many", get(organizations::show_many::show_many))
        .route(
            "/api/v2/organizations/{id}",
            get(organizations::show::show).put(organizations::update::update).delete(organizations::delete::delete),
        )
        .route("/api/v2/organizations/{id}/related", get(organizations::related::related))
        .route(
            "/api/v2/organizations/{id}/tags",
            get(tags::show::<Organization>)
                .post(tags::set::<Organization>)
                .put(tags::add::<Organization>)
                .delete(tags::remove::<Organization>),
        )
        .route("/api/v2/organizations/{id}/users", get(organizations::users::of_organization))
}

fn group_routes() -> Router<Desk> {
    Router::new()
        .route("/api/v2/groups", get(groups::list::list).post(groups::create::create))
        .route("/api/v2/groups/assignable", get(groups::list::list))
        .route("/api/v2/groups/count", get(groups::count::count))
        .route(
            "/api/v2/groups/{id}",
            get(groups::show::show).put(groups::update::update).delete(groups::delete::delete),
        )
        .route("/api/v2/groups/{id}/users", get(organizations::users::of_group))
}

fn membership_routes() -> Router<Desk> {
    use memberships::{create, delete, list, make_default, show};
    Router::new()
        .route(
            "/api/v2/organization_memberships",
            get(list::list::<Organizations>).post(create::create::<Organizations>),
        )
        .route(
            "/api/v2/organization_memberships/{id}",
            get(show::show::<Organizations>).delete(delete::delete::<Organizations>),
        )
        .route("/api/v2/organizations/{id}/organization_memberships", get(list::leading_to::<Organizations>))
        .route(
            "/api/v2/users/{id}/organization_memberships",
            get(list::of_user::<Organizations>).post(create::create_of_user::<Organizations>),
        )
        .route(
            "/api/v2/users/{id}/organization_memberships/{membership_id}",
            get(show::show_of_user::<Organizations>).delete(delete::delete_of_user::<Organizations>),
        )
        .route(
            "/api/v2/users/{id}/organization_memberships/{membership_id}/make_default",
            put(make_default::make_default::<Organizations>),
        )
        .route("/api/v2/group_memberships", get(list::list::<Groups>).post(create::create::<Groups>))
        .route("/api/v2/group_memberships/{id}", get(show::show::<Groups>).delete(delete::delete::<Groups>))
        .route("/api/v2/groups/{id}/memberships", get(list::leading_to::<Groups>))
        .route(
            "/api/v2/users/{id}/group_memberships",
            get(list::of_user::<Groups>).post(create::create_of_user::<Groups>),
        )
        .route(
            "/api/v2/users/{id}/group_memberships/{membership_id}",
            get(show::show_of_user::<Groups>).delete(delete::delete_of_user::<Groups>),
        )
        .route(
            "/api/v2/users/{id}/group_memberships/{membership_id}/make_default",
            put(make_default::make_default::<Groups>),
        )
}
