//! A first ticket to play with, for whoever signs up in a browser.
//!
//! It is an ordinary ticket that the first admin opens, in the admin's language. A signup without it is as good: whoever cannot have it
//! now opens one by themselves.

use schemas::StreamName;
use serde_json::json;

use super::create::Created;
use crate::{
    api::{
        settle,
        v2::tickets::create::{Intake, open},
    },
    body::{Fields, RequestPrint},
    caller::{Caller, provenance::Provenance},
    pages::words::Words,
    problem::ApiError,
    state::Desk,
};

/// Opens it, and gives its number if that went well.
pub(super) async fn give(
    desk: &Desk,
    created: &Created,
    (words, provenance, print): (&Words, Provenance, &RequestPrint),
) -> Option<i64> {
    let caller = Caller::of_signup(&created.resident, created.person, created.email.clone(), provenance);
    let ticket = json!({
        "subject": words.say("signup-ticket-subject").to_string(),
        "comment": { "body": words.say("signup-ticket-body").to_string() },
    });
    let by = caller.issuer(desk, print);
    let ticket = ticket.as_object().expect("a literal object");
    let opened: Result<_, ApiError> = open(desk, &caller, &by, (Fields::new(ticket, ""), Intake::Now)).await;
    match opened {
        Ok(done) => {
            // So that it is there when the page that leads to it is.
            settle::settled(desk, &created.resident, &done, settle::TICKET).await;
            let Some(StreamName::Ticket(ticket)) = done.stream else { return None };
            Some(ticket.get())
        }
        Err(error) => {
            let tenant = created.resident.tenant_id();
            tracing::warn!(tenant.id = %tenant, status = %error.status(), "a new tenant has no first ticket");
            None
        }
    }
}
