//! `GET /api/v2/tickets/{id}`: one ticket. A ticket out of the caller's sight does not exist.

use axum::{Json, extract::State, response::IntoResponse};
use schemas::TicketId;
use serde_json::json;

use crate::{
    api::v2::{ids::Id, include::Include, page::PageQuery, present, tickets::answer},
    caller::Caller,
    problem::{ApiError, ApiResult},
    read,
    state::Desk,
};

/// Answers the ticket, and its version in a header: what `expected_version` of an update names.
pub(crate) async fn show(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    query: PageQuery,
) -> ApiResult<impl IntoResponse> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::tickets::one(&mut transaction, &caller.resident, caller.sight(), ticket).await?;
    let row = row.ok_or_else(ApiError::not_found)?;
    drop(transaction);
    let mut shown = json!({"ticket": present::ticket::ticket(&caller, &row)});
    Include::of(query.get("include"), &caller).beside_tickets(&desk, &caller, &mut shown).await?;
    Ok((answer::version(&caller, &row), Json(shown)))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, EVE, request};

    #[tokio::test]
    async fn a_ticket_has_every_attribute_of_its_shape() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let comment = json!({"body": "It smokes"});
        let id = bench.ticket(ADA, json!({"subject": "Printer", "comment": comment, "priority": "high"})).await;
        for path in [format!("/api/v2/tickets/{id}"), format!("/api/v2/tickets/{id}.json?include=None")] {
            let answer = bench.get(ALAN, &path).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("x-domicile-version"), "2");
            assert_eq!(bench.get(ADA, &path).await.header("x-domicile-version"), "", "it counts notes too");
            assert_eq!(
                answer.body,
                json!({"ticket": {
                    "id": 1, "url": "http://acme.localhost:8080/api/v2/tickets/1.json", "external_id": null,
                    "via": {"channel": "api", "source": {"from": {}, "to": {}, "rel": null}},
                    "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z",
                    "type": null, "subject": "Printer", "raw_subject": "Printer", "description": "It smokes",
                    "priority": "high", "status": "new", "recipient": null, "requester_id": 3, "submitter_id": 3,
                    "assignee_id": null, "organization_id": null, "group_id": null, "collaborator_ids": [],
                    "follower_ids": [], "email_cc_ids": [], "forum_topic_id": null, "problem_id": null,
                    "has_incidents": false, "is_public": true, "due_at": null, "tags": [], "custom_fields": [], "fields": [],
                    "satisfaction_rating": null, "sharing_agreement_ids": [], "followup_ids": [], "ticket_form_id": null,
                    "custom_status_id": null, "brand_id": 1, "allow_channelback": false, "allow_attachments": true,
                    "from_messaging_channel": false,
                }})
            );
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_ticket_out_of_sight_does_not_exist() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let adas = bench.ticket(ADA, json!({"subject": "Mine", "comment": {"body": "mine"}})).await;
        let note = json!({"body": "She called", "public": false});
        let noted = bench.ticket(ALAN, json!({"subject": "Call", "comment": note, "requester_id": ADA.id})).await;
        let not_found = (404, json!({"error": "RecordNotFound", "description": "Not found"}));
        assert_eq!(bench.get(ADA, &format!("/api/v2/tickets/{adas}")).await.status, 200);
        assert_eq!(bench.get(EVE, &format!("/api/v2/tickets/{adas}")).await.refusal(), not_found, "another's");
        assert_eq!(bench.get(ADA, &format!("/api/v2/tickets/{noted}")).await.refusal(), not_found, "only noted");
        assert_eq!(bench.get(ALAN, "/api/v2/tickets/999").await.refusal(), not_found);
        let foreign = request("GET", "globex", Some(ALAN), &format!("/api/v2/tickets/{adas}"), Body::empty());
        assert_eq!(bench.send(foreign).await.refusal(), not_found, "another tenant's agent with the same id");
        Ok(())
    }

    #[tokio::test]
    async fn a_requester_never_reads_a_note_as_the_description() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let note = json!({"body": "She is rude", "public": false});
        let id = bench.ticket(ALAN, json!({"subject": "Call", "comment": note, "requester_id": ADA.id})).await;
        let path = format!("/api/v2/tickets/{id}");
        bench.put(ALAN, &path, json!({"ticket": {"comment": {"body": "Dear Ada", "public": true}}})).await;
        assert_eq!(bench.get(ADA, &path).await.body["ticket"]["description"], "Dear Ada");
        assert_eq!(bench.get(ALAN, &path).await.body["ticket"]["description"], "She is rude");
        Ok(())
    }

    #[tokio::test]
    async fn an_id_that_is_no_integer_is_a_bad_request() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let message = "You passed an invalid value for the id attribute. Invalid parameter: id must be an integer";
        let expected = (400, json!({"error": {"title": "Invalid attribute", "message": message}}));
        for path in ["/api/v2/tickets/abc", "/api/v2/tickets/1.5.json", "/api/v2/users/x", "/api/v2/tickets/1/audits/x"]
        {
            assert_eq!(bench.get(ALAN, path).await.refusal(), expected, "{path}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn whoever_does_not_say_who_they_are_is_asked() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let answer = bench.send(request("GET", "acme", None, "/api/v2/tickets/1", Body::empty())).await;
        assert_eq!(answer.refusal(), (401, json!({"error": "Couldn't authenticate you"})));
        let mut foreign = request("GET", "acme", Some(ALAN), "/api/v2/tickets/1", Body::empty());
        let token = request("GET", "globex", Some(ALAN), "/", Body::empty()).headers()["authorization"].clone();
        foreign.headers_mut().insert("authorization", token);
        assert_eq!(bench.send(foreign).await.status, 401, "another tenant's token");
        Ok(())
    }
}
