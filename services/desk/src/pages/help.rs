//! The help centre: where people ask, follow what they asked, and see what is held about them.
//!
//! It shows a person their own requests and nothing else, whatever else they may see: agents ask here as everybody does.

mod data;
mod list;
mod new;
mod request;

#[cfg(test)]
mod tests;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{caller::Caller, problem::FieldFault, read::Sight, state::Desk};

/// `/requests` and `/account/data`.
pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/requests", get(list::show).post(new::send))
        .route("/requests/new", get(new::show))
        .route("/requests/{id}", get(request::show).post(request::reply))
        .route("/account/data", get(data::show))
        .route("/account/data/export", get(data::export))
        .route("/account/data/erasure", post(data::erasure))
}

/// What a person asked for themselves.
fn own(caller: &Caller) -> Sight {
    Sight::Own(caller.person)
}

/// The key of a status in words of the person who waits: whether a ticket is new, open or on hold is how the desk works.
fn status_key(status: &str) -> &'static str {
    match status {
        "pending" => "help-status-pending",
        "solved" => "help-status-solved",
        "closed" => "help-status-closed",
        _ => "help-status-open",
    }
}

/// What is wrong with a field of a form of these pages.
fn fault_of(faults: &[FieldFault], names: &[&str]) -> Option<String> {
    let fault = faults.iter().find(|fault| names.contains(&fault.field.as_str()))?;
    let text = fault.description.split_once(": ").map_or(fault.description.as_str(), |(_, text)| text);
    Some(text.to_owned())
}
