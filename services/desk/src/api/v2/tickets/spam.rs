//! `PUT /api/v2/tickets/{id}/mark_as_spam` and `mark_many_as_spam?ids=`: puts a ticket away and suspends whoever requested it, both or
//! neither. For agents.

use axum::{Json, extract::State, response::IntoResponse};
use domain::{
    person::{self, Person},
    ticket::{Command, Ticket},
};
use futures::FutureExt;
use schemas::{
    StreamName, TicketId,
    values::{JobKind, Role},
};

use super::bulk;
use crate::{
    api::{
        settle,
        v2::{ids::Id, page::PageQuery},
    },
    body::RequestPrint,
    caller::Caller,
    execute::{Batch, Done, Failure, Issuer, load, replayed, retried},
    jobs::Asked,
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// What shows that it was done.
const SHOWN: &[&str] = &["ticket_list", "ticket_thread", "audits", "people"];

/// Answers an empty text, as the reference does.
pub(crate) async fn mark_as_spam(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_agent()?;
    let by = caller.issuer(&desk, &print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => carry_out(&desk, &caller, &by, ticket).await?,
    };
    let written = settle::settled(&desk, &caller.resident, &done, SHOWN).await;
    Ok((written, Json("")))
}

/// The same to each of `?ids=`, as a job.
pub(crate) async fn mark_many_as_spam(
    State(desk): State<Desk>,
    caller: Caller,
    query: PageQuery,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    let asked = || Ok(Asked { kind: JobKind::MarkTicketsAsSpam, items: bulk::named(query.get("ids"))?, shared: None });
    bulk::ask(&desk, &caller, &print, asked).await
}

/// Does it to one ticket.
pub(crate) async fn carry_out(desk: &Desk, caller: &Caller, by: &Issuer, ticket: TicketId) -> Result<Done, ApiError> {
    retried(|| attempt(desk, caller, by, ticket).boxed()).await
}

/// Decides on the ticket and the person as they were read: one who became an agent meanwhile is not suspended.
async fn attempt(
    desk: &Desk,
    caller: &Caller,
    by: &Issuer,
    ticket: TicketId,
) -> Result<Result<Done, Failure>, ApiError> {
    let stream = StreamName::Ticket(ticket);
    let (state, version) = load::<Ticket>(desk, &by.resident, &stream).await?;
    let requester = state.details().map(|details| details.requester).ok_or_else(ApiError::not_found)?;
    let batch = Batch::new(desk, by).decide::<Ticket>(stream, Some(version), &Command::Delete(caller.by())).await;
    let mut batch = match batch {
        Err(refusal) => return Ok(Err(refusal.conflict()?)),
        Ok(batch) => batch,
    };
    let stream = StreamName::Person(requester);
    let (state, version) = load::<Person>(desk, &by.resident, &stream).await?;
    // Of somebody who was deleted or erased there is nothing left to suspend.
    if let Some(profile) = state.profile().filter(|profile| !profile.is_deleted) {
        if profile.role != Role::EndUser {
            let takes = "requester_id: takes an end user's ticket; what agents request is no spam";
            return Err(ApiError::invalid("requester_id", takes, "InvalidValue"));
        }
        let suspended = batch.decide::<Person>(stream, Some(version), &person::Command::Suspend(true)).await;
        batch = match suspended {
            Err(refusal) => return Ok(Err(refusal.conflict()?)),
            Ok(batch) => batch,
        };
    }
    Ok(batch.commit().await)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Bench, EVE, Who};

    async fn suspended(bench: &Bench, who: Who) -> Value {
        bench.get(ALAN, &format!("/api/v2/users/{}", who.id)).await.body["user"]["suspended"].clone()
    }

    #[tokio::test]
    async fn spam_is_put_away_and_who_sent_it_kept_out() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for _ in 0..2 {
            bench.ticket(EVE, json!({"comment": {"body": "Cheap watches"}})).await;
        }
        let marked = bench.put(ALAN, "/api/v2/tickets/1/mark_as_spam.json", json!({})).await;
        assert_eq!((marked.status.as_u16(), &marked.body), (200, &json!("")));
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/1").await.status, 404);
        assert_eq!(bench.get(ALAN, "/api/v2/deleted_tickets").await.body["deleted_tickets"][0]["id"], 1);
        assert_eq!(suspended(&bench, EVE).await, true);
        assert_eq!(bench.get(EVE, "/api/v2/tickets/2").await.status, 401, "who is suspended does not come in");
        // One who is suspended already is no reason to keep the ticket.
        assert_eq!(bench.put(ALAN, "/api/v2/tickets/2/mark_as_spam", json!({})).await.status, 200);
        assert_eq!(bench.get(ALAN, "/api/v2/tickets").await.body["count"], 0);
        assert_eq!(bench.put(ALAN, "/api/v2/tickets/2/mark_as_spam", json!({})).await.status, 404, "it is gone");
        Ok(())
    }

    #[tokio::test]
    async fn what_is_no_spam_changes_nothing() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ALAN, json!({"comment": {"body": "x"}})).await;
        bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        let agents = bench.put(ALAN, "/api/v2/tickets/1/mark_as_spam", json!({})).await;
        assert_eq!(agents.wrong_fields(), ["requester_id"]);
        assert_eq!(bench.put(ADA, "/api/v2/tickets/2/mark_as_spam", json!({})).await.status, 403);
        assert_eq!(bench.put(ALAN, "/api/v2/tickets/9/mark_as_spam", json!({})).await.status, 404);
        assert_eq!(bench.put(ALAN, "/api/v2/tickets/mark_many_as_spam", json!({})).await.status, 400);
        assert_eq!(bench.get(ALAN, "/api/v2/tickets").await.body["count"], 2);
        assert_eq!((suspended(&bench, ALAN).await, suspended(&bench, ADA).await), (json!(false), json!(false)));
        Ok(())
    }

    #[tokio::test]
    async fn many_are_marked_as_a_job_and_each_alone() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for who in [EVE, ALAN, EVE] {
            bench.ticket(who, json!({"comment": {"body": "x"}})).await;
        }
        let asked = bench.put(ALAN, "/api/v2/tickets/mark_many_as_spam.json?ids=1,2,3", json!({})).await;
        let job = bench.finished(ALAN, &asked.body["job_status"]).await;
        let results = job["results"].as_array().expect("results").clone();
        assert_eq!((&results[0]["success"], &results[2]["success"]), (&json!(true), &json!(true)), "{job}");
        assert_eq!((&results[1]["id"], &results[1]["error"]), (&json!(2), &json!("TicketMarkAsSpamFailed")));
        let left = bench.get(ALAN, "/api/v2/tickets").await.body;
        assert_eq!((&left["count"], &left["tickets"][0]["id"]), (&json!(1), &json!(2)));
        assert_eq!(suspended(&bench, EVE).await, true);
        Ok(())
    }
}
