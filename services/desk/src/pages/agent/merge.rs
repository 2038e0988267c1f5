//! `GET` and `POST /agent/tickets/{id}/merge`: closes a ticket and goes on with it in another one.

use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect},
};
use schemas::TicketId;
use serde_json::{Map, Value, json};

use super::{Agent, Shell, faults::Faults};
use crate::{
    api::{
        settle,
        v2::{
            ids::Id,
            tickets::{merge, update::in_sight},
        },
    },
    body::form::Form,
    caller::Caller,
    execute::replayed,
    pages::frame::Frame,
    problem::{ApiError, ApiResult},
    read::tickets::Ticket,
    state::Desk,
    visible::WroteNothing,
};

#[derive(Template)]
#[template(path = "agent/merge.html")]
struct MergePage<'a> {
    frame: &'a Frame,
    shell: Shell,
    once: String,
    ticket: &'a Ticket,
    faults: Faults,
    into: String,
    target_comment: String,
    source_comment: String,
}

/// The form.
pub(super) async fn show(
    State(desk): State<Desk>,
    Agent(caller): Agent,
    frame: Frame,
    Id(ticket): Id<TicketId>,
) -> ApiResult {
    let row = in_sight(&desk, &caller, ticket).await?;
    frame.page(&page((&desk, &caller, &frame), &row, None, None))
}

/// Merges, and goes to the ticket that goes on; or shows the form again with what is wrong.
pub(super) async fn send(
    State(desk): State<Desk>,
    Agent(caller): Agent,
    frame: Frame,
    Id(ticket): Id<TicketId>,
    form: Form,
) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let into = form.text("into").trim_start_matches('#').parse::<i64>().ok();
    let outcome = match (replayed(&desk, &by).await?, into) {
        (Some(done), _) => Ok(done),
        (None, Some(into)) if into != ticket.get() => {
            in_sight(&desk, &caller, ticket).await?;
            merge::carry_out(&desk, &caller, &by, &item(ticket, into, &form)).await
        }
        (None, _) => Err(no_target()),
    };
    match outcome {
        Ok(done) => {
            let written = settle::settled(&desk, &caller.resident, &done, settle::TICKET).await;
            let to = format!("/agent/tickets/{}", into.unwrap_or(ticket.get()));
            Ok((written, Redirect::to(&to)).into_response())
        }
        Err(error) => {
            let row = in_sight(&desk, &caller, ticket).await?;
            // The ticket that is there is this one: what is not found is the other.
            let error = if error.status() == StatusCode::NOT_FOUND { no_target() } else { error };
            if error.fields().is_empty() {
                return Err(error);
            }
            let page =
                frame.respond(error.status(), &page((&desk, &caller, &frame), &row, Some(&form), Some(&error)))?;
            Ok((Extension(WroteNothing), page).into_response())
        }
    }
}

fn no_target() -> ApiError {
    ApiError::invalid("into", "into: takes the number of another ticket", "InvalidValue")
}

/// What the API's merge is asked for. Comments of both are notes: whoever requested them is told by an answer, not by a merge.
fn item(ticket: TicketId, into: i64, form: &Form) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("id".to_owned(), json!(into));
    item.insert("ids".to_owned(), json!([ticket]));
    for name in ["target_comment", "source_comment"] {
        let said = form.text(name);
        if !said.is_empty() {
            item.insert(name.to_owned(), json!(said));
            item.insert(format!("{name}_is_public"), json!(false));
        }
    }
    item
}

fn page<'a>(
    (desk, caller, frame): (&Desk, &Caller, &'a Frame),
    row: &'a Ticket,
    typed: Option<&Form>,
    error: Option<&ApiError>,
) -> MergePage<'a> {
    let words = &frame.words;
    let said = |name: &str, default: String| typed.map_or(default, |form| form.text(name).to_owned());
    MergePage {
        frame,
        shell: Shell::of(caller),
        once: desk.ids.uuid().to_string(),
        ticket: row,
        faults: error.map(|error| Faults::of(error, words, &[])).unwrap_or_default(),
        into: said("into", String::new()),
        target_comment: said(
            "target_comment",
            words.say("agent-merge-into-said").with("id", row.ticket_id).to_string(),
        ),
        source_comment: said("source_comment", words.say("agent-merge-from-said").to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{page, post_form, text};
    use crate::api::testing::{ADA, ALAN, Bench, EVE};

    #[tokio::test]
    async fn a_ticket_goes_on_in_another_one() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for who in [ADA, EVE] {
            bench.ticket(who, json!({"subject": "Kettle", "comment": {"body": "It drips"}})).await;
        }
        let shown = page(&bench, ALAN, "/agent/tickets/2/merge").await;
        assert!(shown.contains(r#"name="into""#) && shown.contains("#2"), "{shown}");
        for (into, status) in [("2", 422), ("99", 422), ("x", 422), ("", 422)] {
            let answer = post_form(&bench, ALAN, "/agent/tickets/2/merge", &[("into", into)]).await;
            assert_eq!(answer.status.as_u16(), status, "{into}");
            assert!(text(&answer).contains("Takes the number of another ticket"), "{}", text(&answer));
        }
        let fields = [("into", "#1"), ("target_comment", "From 2"), ("source_comment", "Into 1"), ("once", "a")];
        for _ in 0..2 {
            let answer = post_form(&bench, ALAN, "/agent/tickets/2/merge", &fields).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/agent/tickets/1"));
        }
        let source = bench.get(ALAN, "/api/v2/tickets/2").await.body["ticket"].clone();
        assert_eq!((&source["status"], &source["tags"]), (&json!("closed"), &json!(["closed_by_merge"])));
        let comments = bench.get(ALAN, "/api/v2/tickets/1/comments").await.body;
        assert_eq!((&comments["count"], &comments["comments"][1]["public"]), (&json!(2), &json!(false)));
        assert_eq!(comments["comments"][1]["body"], "From 2");
        Ok(())
    }
}
