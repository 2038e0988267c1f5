//! What the fields hold that the tenant made.

use schemas::{
    TicketFieldId,
    ticket_field::{FieldSet, FieldValue},
    values::Status,
};

use super::super::{By, Details, Fields, Rejection};
use crate::ticket_field::Known;

/// Tags that come and go because of what fields hold.
#[derive(Debug, Default)]
pub(super) struct Because {
    pub(super) come: Vec<String>,
    pub(super) gone: Vec<String>,
}

impl Because {
    pub(super) const fn is_empty(&self) -> bool {
        self.come.is_empty() && self.gone.is_empty()
    }
}

/// What is asked for, as it is recorded, each field once.
pub(super) fn asked(by: By, fields: &Fields) -> Result<Vec<FieldSet>, Rejection> {
    let mut asked: Vec<FieldSet> = Vec::new();
    for (field, sent) in &fields.asked {
        let known = known(fields, *field)?;
        if !by.is_agent() && !known.definition.expose().is_editable_in_portal {
            return Err(Rejection::AgentsOnly { field: "custom_fields" });
        }
        let value = known.value(sent.expose().as_ref());
        let value = value.map_err(|takes| Rejection::Field { field: *field, takes })?;
        // The last word counts.
        asked.retain(|set| set.field != *field);
        asked.push(FieldSet { field: *field, value });
    }
    Ok(asked)
}

/// Those of them that hold something else now.
pub(super) fn changed(details: &Details, mut asked: Vec<FieldSet>) -> Vec<FieldSet> {
    asked.retain(|set| set.value.as_ref() != details.fields.expose().get(&set.field));
    asked
}

fn known(fields: &Fields, field: TicketFieldId) -> Result<&Known, Rejection> {
    let takes = || "nothing: there is no such field, or it is not active".to_owned();
    fields.known.iter().find(|known| known.field == field).ok_or_else(|| Rejection::Field { field, takes: takes() })
}

/// What that does to the tags, also where a field holds it already: the same request makes the same tags.
pub(super) fn because(details: &Details, fields: &Fields, asked: &[FieldSet]) -> Because {
    let mut because = Because::default();
    for FieldSet { field, value } in asked {
        let Ok(known) = known(fields, *field) else { continue };
        because.gone.extend(known.tags(details.fields.expose().get(field)));
        because.come.extend(known.tags(value.as_ref()));
    }
    because
}

/// Refuses what lacks a field: an agent fills in what is required before a ticket is solved, an end user when they open it.
pub(super) fn check_required(
    by: By,
    details: &Details,
    (fields, asked): (&Fields, &[FieldSet]),
    status: Status,
) -> Result<(), Rejection> {
    let is_solved = matches!(status, Status::Solved | Status::Closed);
    for Known { field, definition, .. } in fields.known.iter() {
        let definition = definition.expose();
        let is_required =
            if by.is_agent() { is_solved && definition.is_required } else { definition.is_required_in_portal };
        let set = asked.iter().find(|set| set.field == *field);
        let value: Option<&FieldValue> = match set {
            Some(set) => set.value.as_ref(),
            None => details.fields.expose().get(field),
        };
        if is_required && matches!(value, None | Some(FieldValue::Flag(false))) {
            return Err(Rejection::Field { field: *field, takes: "a value: it is required".to_owned() });
        }
    }
    Ok(())
}
