//! Why a tenant goes no further, as commands print it.

use schemas::Position;
use serde::Serialize;

/// A halt, or none; in JSON three fields of the row it belongs to.
#[derive(Debug, Default, Serialize)]
pub(super) struct Halt {
    halted_at: Option<i64>,
    halted_event_type: Option<String>,
    halted_reason: Option<String>,
}

impl Halt {
    /// At an event of this type.
    pub(super) fn at(position: Position, event_type: String, reason: String) -> Self {
        Self { halted_at: Some(position.get()), halted_event_type: Some(event_type), halted_reason: Some(reason) }
    }

    /// The cell of a table.
    pub(super) fn cell(&self) -> String {
        match self {
            Self { halted_at: Some(at), halted_event_type: Some(event_type), halted_reason: Some(reason) } => {
                format!("at {at}, {event_type}: {reason}")
            }
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Serialize)]
    struct Row {
        tenant: &'static str,
        #[serde(flatten)]
        halt: Halt,
    }

    #[test]
    fn a_halt_is_three_fields_of_its_row_and_one_cell_of_its_table() -> Result<(), serde_json::Error> {
        let halt = Halt::at(Position::new(3), "comment_added".to_owned(), "it does not open".to_owned());
        assert_eq!(halt.cell(), "at 3, comment_added: it does not open");
        assert_eq!(
            serde_json::to_value(Row { tenant: "acme", halt })?,
            json!({
                "tenant": "acme", "halted_at": 3, "halted_event_type": "comment_added",
                "halted_reason": "it does not open"
            })
        );
        assert_eq!(Halt::default().cell(), "");
        assert_eq!(
            serde_json::to_value(Row { tenant: "acme", halt: Halt::default() })?,
            json!({"tenant": "acme", "halted_at": null, "halted_event_type": null, "halted_reason": null})
        );
        Ok(())
    }
}
