//! What the fields shall hold that the tenant made: `custom_fields`, or `fields`, as a list of `id` and `value` or an object of values.

use domain::ticket;
use regions::Resident;
use schemas::{Personal, TicketFieldId, ticket_field::FieldValue};
use serde::Deserialize;
use serde_json::Value;

use crate::{api::settle, body::Fields, problem::ApiError, read, state::Desk};

/// Fields that a request names at most.
const ASKED_MAX: usize = 200;

/// As a client sent them.
pub(crate) type Asked = Vec<(TicketFieldId, Personal<Option<FieldValue>>)>;

/// Reads them. What is wrong is noted in `fields`.
pub(crate) fn read(fields: &mut Fields<'_>) -> Asked {
    let name = if fields.has("custom_fields") { "custom_fields" } else { "fields" };
    let sent: Option<Asked> = match fields.value(name) {
        None => return Vec::new(),
        Some(Value::Object(object)) => {
            object.iter().map(|(id, value)| pair(&Value::String(id.clone()), value)).collect()
        }
        Some(Value::Array(items)) => items.iter().map(|item| pair(&item["id"], &item["value"])).collect(),
        Some(_) => None,
    };
    match sent.filter(|asked| asked.len() <= ASKED_MAX) {
        Some(asked) => asked,
        None => {
            fields.fault(
                name,
                format!("takes a list of at most {ASKED_MAX} objects with id and value"),
                "InvalidFormat",
            );
            Vec::new()
        }
    }
}

fn pair(id: &Value, value: &Value) -> Option<(TicketFieldId, Personal<Option<FieldValue>>)> {
    let id = id.as_i64().or_else(|| id.as_str()?.parse().ok())?;
    let value = Option::<FieldValue>::deserialize(value).ok()?;
    Some((TicketFieldId::new(id), value.into()))
}

/// With the fields that take values, also one that was made a moment ago.
pub(crate) async fn resolve(desk: &Desk, resident: &Resident, asked: Asked) -> Result<ticket::Fields, ApiError> {
    let mut transaction = desk.reading(resident).await?;
    let mut known = read::ticket_fields::known(&mut transaction, resident).await?;
    drop(transaction);
    if !asked.iter().all(|(field, _)| known.iter().any(|known| known.field == *field)) {
        settle::catch_up(desk, resident, settle::TICKET_FIELDS).await?;
        let mut transaction = desk.reading(resident).await?;
        known = read::ticket_fields::known(&mut transaction, resident).await?;
    }
    Ok(ticket::Fields { known: known.into(), asked })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::{ADA, ALAN, Bench, GRACE, without_ids};

    async fn field(bench: &Bench, field: Value) -> i64 {
        let answer = bench.post(GRACE, "/api/v2/ticket_fields", json!({"ticket_field": field})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["ticket_field"]["id"].as_i64().expect("an id")
    }

    fn options() -> Value {
        json!([{"name": "Red", "value": "red"}, {"name": "Green", "value": "green"}])
    }

    async fn update(bench: &Bench, ticket: Value) -> crate::api::testing::Answer {
        bench.put(ALAN, "/api/v2/tickets/1", json!({"ticket": ticket})).await
    }

    #[tokio::test]
    async fn fields_hold_values_and_what_is_chosen_is_a_tag() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let colour =
            field(&bench, json!({"type": "tagger", "title": "Colour", "custom_field_options": options()})).await;
        let count = field(&bench, json!({"type": "integer", "title": "Count"})).await;
        let ticked = field(&bench, json!({"type": "checkbox", "title": "Ticked", "tag": "ticked"})).await;
        let values = json!([{"id": colour, "value": "red"}, {"id": count, "value": "7"}]);
        let ticket = json!({"comment": {"body": "x"}, "tags": ["own"], "custom_fields": values});
        let opened = bench.post(ALAN, "/api/v2/tickets", json!({"ticket": ticket})).await.body;
        let expected =
            json!([{"id": colour, "value": "red"}, {"id": count, "value": 7}, {"id": ticked, "value": null}]);
        assert_eq!((&opened["ticket"]["custom_fields"], &opened["ticket"]["fields"]), (&expected, &expected));
        assert_eq!(opened["ticket"]["tags"], json!(["own", "red"]));
        let created = opened["audit"]["events"].as_array().expect("events").clone();
        let named = json!(colour.to_string());
        assert!(created.iter().any(|event| event["field_name"] == named && event["value"] == "red"));

        let changed =
            update(&bench, json!({"custom_fields": [{"id": colour, "value": "green"}, {"id": ticked, "value": true}]}))
                .await
                .body;
        assert_eq!(changed["ticket"]["tags"], json!(["green", "own", "ticked"]));
        let change = |field: String, value: Value, previous: Value| json!({"id": "…", "type": "Change", "field_name": field, "value": value, "previous_value": previous});
        assert_eq!(
            without_ids(changed["audit"]["events"].clone(), &["id"]),
            json!([
                change("tags".to_owned(), json!(["green", "own", "ticked"]), json!(["own", "red"])),
                change(colour.to_string(), json!("green"), json!("red")),
                change(ticked.to_string(), json!("true"), json!(null)),
            ])
        );
        let emptied = update(&bench, json!({"fields": {colour.to_string(): null}})).await.body;
        assert_eq!(
            (&emptied["ticket"]["tags"], &emptied["ticket"]["fields"][0]["value"]),
            (&json!(["own", "ticked"]), &json!(null))
        );
        Ok(())
    }

    #[tokio::test]
    async fn what_a_field_does_not_take_is_refused_and_named() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let colour =
            field(&bench, json!({"type": "tagger", "title": "Colour", "custom_field_options": options()})).await;
        bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        let refused = update(&bench, json!({"custom_fields": [{"id": colour, "value": "blue"}]})).await;
        assert_eq!(refused.wrong_fields(), [format!("custom_fields.{colour}")]);
        assert_eq!(
            update(&bench, json!({"custom_fields": [{"id": 999, "value": 1}]})).await.wrong_fields(),
            ["custom_fields.999"]
        );
        for sent in [json!("x"), json!([{"value": 1}]), json!([{"id": colour, "value": {"a": 1}}])] {
            assert_eq!(update(&bench, json!({"custom_fields": sent})).await.wrong_fields(), ["custom_fields"]);
        }
        Ok(())
    }

    #[tokio::test]
    async fn what_is_required_is_there_when_an_agent_solves() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let cause = field(&bench, json!({"title": "Cause", "required": true})).await;
        bench.ticket(ADA, json!({"comment": {"body": "x"}})).await;
        assert_eq!(update(&bench, json!({"status": "open"})).await.status, 200);
        let refused = update(&bench, json!({"status": "solved"})).await;
        assert_eq!(refused.wrong_fields(), [format!("custom_fields.{cause}")]);
        let solved =
            update(&bench, json!({"status": "solved", "custom_fields": [{"id": cause, "value": "fire"}]})).await;
        assert_eq!(solved.body["ticket"]["status"], "solved");
        Ok(())
    }

    #[tokio::test]
    async fn end_users_see_and_fill_in_what_the_portal_shows() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let open = json!({
            "title": "Order", "visible_in_portal": true, "editable_in_portal": true, "required_in_portal": true,
        });
        let order = field(&bench, open).await;
        let inner = field(&bench, json!({"title": "Inner"})).await;
        let ticket = |fields: Value| json!({"ticket": {"comment": {"body": "x"}, "custom_fields": fields}});
        let sent = [(json!([]), 422), (json!([{"id": inner, "value": "a"}, {"id": order, "value": "b"}]), 403)];
        for (fields, status) in sent {
            assert_eq!(bench.post(ADA, "/api/v2/tickets", ticket(fields)).await.status, status);
        }
        let opened = bench.post(ADA, "/api/v2/tickets", ticket(json!([{"id": order, "value": "b"}]))).await.body;
        assert_eq!(opened["ticket"]["custom_fields"], json!([{"id": order, "value": "b"}]));
        let id = opened["ticket"]["id"].as_i64().expect("an id");
        let later = json!({"ticket": {"custom_fields": [{"id": order, "value": "c"}]}});
        assert_eq!(bench.put(ADA, &format!("/api/v2/tickets/{id}"), later).await.status, 403);
        Ok(())
    }
}
