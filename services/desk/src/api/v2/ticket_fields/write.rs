//! `POST /api/v2/ticket_fields`, and `PUT` and `DELETE /api/v2/ticket_fields/{id}`: makes, changes and deletes a field, for admins.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
};
use domain::ticket_field::{Command, Known, TicketField};
use schemas::{StreamName, TicketFieldId, Version, ticket_field::FieldDefinition, values::FieldKind};
use serde_json::{Value, json};
use sqlx::types::Json as Stored;

use super::request;
use crate::{
    api::{
        add_person::allocate_id,
        settle,
        v2::{ids::Id, present},
    },
    body::{Body, Fields, RequestPrint},
    caller::Caller,
    execute::{Done, execute, load, replayed},
    problem::{ApiError, ApiResult},
    read::{self, log},
    state::Desk,
    visible::Written,
};

/// Answers the field as it was made.
pub(crate) async fn create(State(desk): State<Desk>, caller: Caller, body: Body) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            let mut fields = Fields::root(&body, "ticket_field")?;
            let kind = fields.word("type").unwrap_or(FieldKind::Text);
            let definition = request::definition(&mut fields, None);
            fields.finish()?;
            let definition = with_ids(&desk, &caller, definition).await?;
            let field = TicketFieldId::new(allocate_id(&desk, &caller.resident).await?);
            let command = Command::Make(Known { field, kind, definition: definition.into() });
            execute::<TicketField>(&desk, &by, StreamName::TicketField(field), None, &command).await?
        }
    };
    let Some(StreamName::TicketField(field)) = done.stream.clone() else {
        return Err(ApiError::idempotency_key_reused());
    };
    let (written, shown) = shown(&desk, &caller, field, &done).await.map_err(ApiError::after_done)?;
    let location = [(LOCATION, present::ticket_field::url(&caller, field.get()))];
    Ok((StatusCode::CREATED, location, written, shown))
}

/// Answers the field as it is afterwards. Its type stays what it is.
pub(crate) async fn update(
    State(desk): State<Desk>,
    caller: Caller,
    Id(field): Id<TicketFieldId>,
    body: Body,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &body.print);
    let stream = StreamName::TicketField(field);
    let done = match replayed(&desk, &by).await? {
        Some(done) => done,
        None => {
            let (state, version) = load::<TicketField>(&desk, &caller.resident, &stream).await?;
            let known = state.known().ok_or_else(ApiError::not_found)?;
            let mut fields = Fields::root(&body, "ticket_field")?;
            let kind: Option<FieldKind> = fields.word("type");
            if kind.is_some_and(|kind| kind != known.kind) {
                fields.fault("type", format!("takes {}, as it is: it does not change", known.kind), "InvalidValue");
            }
            let definition = request::definition(&mut fields, Some(known.definition.expose()));
            fields.finish()?;
            let definition = with_ids(&desk, &caller, definition).await?;
            execute::<TicketField>(&desk, &by, stream, Some(version), &Command::Change(definition.into())).await?
        }
    };
    shown(&desk, &caller, field, &done).await.map_err(ApiError::after_done)
}

/// Answers nothing.
pub(crate) async fn destroy(
    State(desk): State<Desk>,
    caller: Caller,
    Id(field): Id<TicketFieldId>,
    print: RequestPrint,
) -> ApiResult<impl IntoResponse> {
    caller.require_admin()?;
    let by = caller.issuer(&desk, &print);
    let done = execute::<TicketField>(&desk, &by, StreamName::TicketField(field), None, &Command::Delete).await?;
    let written = settle::settled(&desk, &caller.resident, &done, settle::TICKET_FIELDS).await;
    Ok((StatusCode::NO_CONTENT, written, ()))
}

/// New options get an id.
async fn with_ids(desk: &Desk, caller: &Caller, mut definition: FieldDefinition) -> Result<FieldDefinition, ApiError> {
    for option in definition.options.iter_mut().filter(|option| option.id == 0) {
        option.id = allocate_id(desk, &caller.resident).await?;
    }
    Ok(definition)
}

/// The field, by the log itself: no read model is between the answer and what was said just now.
async fn shown(
    desk: &Desk,
    caller: &Caller,
    field: TicketFieldId,
    done: &Done,
) -> Result<(Written, Json<Value>), ApiError> {
    let written = settle::settled(desk, &caller.resident, done, settle::TICKET_FIELDS).await;
    let stream = StreamName::TicketField(field);
    let logged = log::whole_stream(desk, &caller.resident, &stream, Version::ZERO).await?;
    let (state, _) = load::<TicketField>(desk, &caller.resident, &stream).await?;
    let known = state.known().ok_or_else(ApiError::not_found)?;
    let (first, last) = logged.first().zip(logged.last()).ok_or_else(ApiError::not_found)?;
    let row = read::ticket_fields::TicketField {
        field_id: field.get(),
        kind: known.kind.to_string(),
        definition: Stored(known.definition.expose().clone()),
        created_at: first.envelope.recorded_at,
        updated_at: last.envelope.recorded_at,
    };
    Ok((written, Json(json!({"ticket_field": present::ticket_field::ticket_field(caller, &row)}))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::{ADA, ALAN, Bench, GRACE, without_ids};

    const FIELDS: &str = "/api/v2/ticket_fields.json";

    #[tokio::test]
    async fn a_field_is_made_shown_changed_and_deleted() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        let sent = json!({"type": "multiselect", "title": "Colours", "required": "true", "custom_field_options": [
            {"name": "Red", "value": "red"}, {"name": "Green", "value": "Green"},
        ]});
        let made = bench.post(GRACE, FIELDS, json!({"ticket_field": sent})).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let field = made.body["ticket_field"].clone();
        assert_eq!(
            without_ids(field.clone(), &["id", "url"]),
            json!({
                "id": "…", "url": "…", "type": "multiselect", "key": null, "title": "Colours", "raw_title": "Colours",
                "description": "Colours", "raw_description": "Colours", "title_in_portal": "Colours",
                "raw_title_in_portal": "Colours", "agent_description": null, "position": 9999, "active": true,
                "required": true, "required_in_portal": false, "visible_in_portal": false, "editable_in_portal": false,
                "collapsed_for_agents": false, "regexp_for_validation": null, "tag": null, "removable": true,
                "created_at": "2026-11-22T10:00:00Z", "updated_at": "2026-11-22T10:00:00Z", "custom_field_options": [
                    {"id": "…", "name": "Red", "raw_name": "Red", "value": "red", "default": false},
                    {"id": "…", "name": "Green", "raw_name": "Green", "value": "green", "default": false},
                ],
            })
        );
        let path = format!("/api/v2/ticket_fields/{}", field["id"]);
        assert_eq!(made.header("location"), format!("http://acme.localhost:8080{path}.json"));
        assert_eq!(bench.get(ALAN, &path).await.body["ticket_field"], field);
        let options = json!([{"name": "Rot", "value": "red"}, {"name": "Blue", "value": "blue"}]);
        let changed = bench.put(GRACE, &path, json!({"ticket_field": {"custom_field_options": options}})).await.body;
        let options = changed["ticket_field"]["custom_field_options"].clone();
        assert_eq!((&options[0]["id"], &options[0]["name"]), (&field["custom_field_options"][0]["id"], &json!("Rot")));
        assert_eq!(bench.get(ALAN, FIELDS).await.body["ticket_fields"], json!([changed["ticket_field"]]));
        assert_eq!(bench.get(ALAN, "/api/v2/ticket_fields/count").await.body["count"]["value"], 1);
        assert_eq!(bench.delete(GRACE, &path).await.status, 204);
        assert_eq!(bench.get(ALAN, &path).await.status, 404);
        assert_eq!(bench.put(GRACE, &path, json!({"ticket_field": {}})).await.status, 404);
        Ok(())
    }

    #[tokio::test]
    async fn a_field_that_says_too_little_is_refused_and_agents_make_none() -> anyhow::Result<()> {
        let bench = Bench::start().await?;
        for (sent, field) in [
            (json!({}), "title"),
            (json!({"title": "x", "type": "lookup"}), "type"),
            (json!({"title": "x", "type": "tagger"}), "custom_field_options"),
            (json!({"title": "x", "type": "tagger", "custom_field_options": [{"name": "x"}]}), "custom_field_options"),
            (json!({"title": "x", "type": "regexp", "regexp_for_validation": "("}), "regexp_for_validation"),
        ] {
            assert_eq!(bench.post(GRACE, FIELDS, json!({"ticket_field": sent})).await.wrong_fields(), [field]);
        }
        assert_eq!(bench.post(ALAN, FIELDS, json!({"ticket_field": {"title": "x"}})).await.status, 403);
        assert_eq!(bench.get(ADA, FIELDS).await.status, 403);
        Ok(())
    }
}
