//! A ticket that goes on where a closed one ended: it has its fields and tags, where the request does not name others, and no comments.

use domain::ticket::{Details, Open, Ticket};
use schemas::{StreamName, TicketId, values::Status};

use super::changes::Attributes;
use crate::{caller::Caller, execute::load, problem::ApiError, state::Desk};

/// The closed ticket, if the caller may see it: agents any, others their own.
pub(super) async fn source(desk: &Desk, caller: &Caller, source: TicketId) -> Result<Details, ApiError> {
    let (ticket, _) = load::<Ticket>(desk, &caller.resident, &StreamName::Ticket(source)).await?;
    let is_open_to =
        |details: &&Details| caller.is_agent() || (details.requester == caller.person && details.is_public);
    let is_closed = |details: &&Details| details.status == Status::Closed && !details.is_deleted;
    let found = ticket.details().filter(is_open_to).filter(is_closed).cloned();
    found.ok_or_else(|| {
        let description = "via_followup_source_id: takes the id of a closed ticket";
        ApiError::invalid("via_followup_source_id", description, "InvalidValue")
    })
}

/// Copies what the request leaves open. What only agents set stays what it was, whoever asks.
pub(super) fn copy(source: &Details, attributes: &Attributes, command: &mut Open) {
    if attributes.subject.is_none() {
        command.subject = source.subject.clone();
    }
    if attributes.priority.is_none() {
        command.priority = source.priority;
    }
    if attributes.ticket_type.is_none() {
        command.ticket_type = source.ticket_type;
    }
    command.inherited = source.fields.clone();
    if !command.by.is_agent() {
        return;
    }
    if attributes.group.is_none() {
        command.group = source.group;
    }
    if attributes.tags.is_none() {
        command.tags = source.tags.clone();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, EVE, SUPPORT};

    #[tokio::test]
    async fn a_followup_has_the_fields_of_the_closed_ticket_and_says_where_it_comes_from() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let comment = json!({"body": "x"});
        let first = json!({"subject": "Printer", "comment": comment, "priority": "high"});
        bench.ticket(ADA, first).await;
        let closed = json!({"status": "closed", "tags": ["fire"], "group_id": SUPPORT});
        bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": closed})).await;
        bench.ticket(ALAN, json!({"comment": comment, "via_followup_source_id": 1, "priority": "low"})).await;
        bench.ticket(ADA, json!({"comment": comment, "via_followup_source_id": 1})).await;
        let by_agent = bench.get(ALAN, "/api/v2/tickets/2").await.body["ticket"].clone();
        let values =
            ["subject", "priority", "tags", "group_id", "requester_id", "status"].map(|field| by_agent[field].clone());
        assert_eq!(json!(values), json!(["Printer", "low", ["fire"], SUPPORT, ADA.id, "new"]));
        assert_eq!(by_agent["via"]["source"], json!({"from": {"ticket_id": 1}, "to": {}, "rel": "follow_up"}));
        let by_requester = bench.get(ADA, "/api/v2/tickets/3").await.body["ticket"].clone();
        assert_eq!((&by_requester["priority"], &by_requester["tags"]), (&json!("high"), &json!([])));
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/1").await.body["ticket"]["followup_ids"], json!([2, 3]));
        Ok(())
    }

    #[tokio::test]
    async fn only_a_closed_ticket_in_sight_is_followed_up() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        let followup = json!({"ticket": {"comment": {"body": "y"}, "via_followup_source_id": 1}});
        for (who, becomes) in [(ALAN, "closed"), (EVE, "closed")] {
            let answer = bench.post(who, "/api/v2/tickets", followup.clone()).await;
            assert_eq!(answer.wrong_fields(), ["via_followup_source_id"]);
            bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": {"status": becomes}})).await;
        }
        assert_eq!(bench.post(EVE, "/api/v2/tickets", followup).await.wrong_fields(), ["via_followup_source_id"]);
        Ok(())
    }
}
