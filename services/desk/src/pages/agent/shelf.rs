//! The views somebody works from: their own and the shared ones, or, where nobody made any, four that everybody has.

use schemas::{
    RuleId,
    rule::{RuleCondition, RuleConditions, RuleDefinition, RuleOutput, RuleValue},
    values::{ReadKind, RuleKind, SortOrder},
};

use crate::{
    caller::Caller,
    pages::words::Words,
    problem::ApiError,
    read::{self, Window, rules::Filter},
    state::Desk,
};

/// Views that stand beside the tickets, each with its count.
const SHELVES_MAX: i64 = 20;

/// One view.
pub(super) struct Shelf {
    /// What it goes by in addresses: the number of one that was made, a word of one that everybody has.
    pub(super) id: String,
    /// What it is called.
    pub(super) title: String,
    /// Which tickets it has, and how it shows them.
    pub(super) definition: RuleDefinition,
}

/// The views of a reader, in their order. Reading them is noted.
pub(super) async fn all(desk: &Desk, caller: &Caller, words: &Words) -> Result<Vec<Shelf>, ApiError> {
    let filter = Filter { is_active: Some(true), ..Filter::of(RuleKind::View, caller.by()) };
    let window = Window { after: 0, before: None, limit: SHELVES_MAX, offset: 0, is_by_offset: true };
    let mut transaction = desk.reading(&caller.resident).await?;
    let ids = read::rules::list(filter).ids(&mut transaction, &caller.resident, window).await?;
    let rows = read::rules::many(&mut transaction, &caller.resident, (filter, &ids)).await?;
    drop(transaction);
    if rows.is_empty() {
        return Ok(everybodys(words));
    }
    caller.reading.beside(ReadKind::Rule, rows.iter().map(|row| row.rule_id));
    let made = |row: read::rules::Rule| Shelf {
        id: row.rule_id.to_string(),
        title: row.definition.0.title.clone(),
        definition: row.definition.0,
    };
    Ok(rows.into_iter().map(made).collect())
}

/// One that is not among the first: an address leads to it all the same.
pub(super) async fn one(desk: &Desk, caller: &Caller, words: &Words, id: &str) -> Result<Shelf, ApiError> {
    if let Some(shelf) = everybodys(words).into_iter().find(|shelf| shelf.id == id) {
        return Ok(shelf);
    }
    let rule: RuleId = id.parse().map_err(|_| ApiError::not_found())?;
    let filter = Filter::of(RuleKind::View, caller.by());
    let mut transaction = desk.reading(&caller.resident).await?;
    let row = read::rules::many(&mut transaction, &caller.resident, (filter, &[rule.get()])).await?.pop();
    drop(transaction);
    let row = row.ok_or_else(ApiError::not_found)?;
    caller.reading.beside(ReadKind::Rule, [row.rule_id]);
    Ok(Shelf { id: id.to_owned(), title: row.definition.0.title.clone(), definition: row.definition.0 })
}

/// Those that everybody has.
fn everybodys(words: &Words) -> Vec<Shelf> {
    let unsolved = || condition("status", "less_than", "solved");
    let mine = condition("assignee_id", "is", "current_user");
    let nobodys = condition("assignee_id", "is", "");
    let solved = condition("status", "is", "solved");
    let recently = condition("updated_at", "less_than", "168");
    vec![
        shelf("mine", words.say("agent-view-mine").to_string(), vec![unsolved(), mine]),
        shelf("unassigned", words.say("agent-view-unassigned").to_string(), vec![unsolved(), nobodys]),
        shelf("unsolved", words.say("agent-view-unsolved").to_string(), vec![unsolved()]),
        shelf("solved", words.say("agent-view-solved").to_string(), vec![solved, recently]),
    ]
}

fn shelf(id: &str, title: String, all: Vec<RuleCondition>) -> Shelf {
    let columns = ["subject", "status", "priority", "requester", "assignee", "updated"];
    let output = RuleOutput {
        columns: columns.map(str::to_owned).to_vec(),
        group_by: None,
        group_order: SortOrder::Ascending,
        sort_by: Some("updated".to_owned()),
        sort_order: SortOrder::Descending,
    };
    let definition = RuleDefinition {
        title: title.clone(),
        description: None,
        position: 0,
        is_active: true,
        conditions: RuleConditions { all, any: Vec::new() },
        actions: Vec::new(),
        output: Some(Box::new(output)),
    };
    Shelf { id: id.to_owned(), title, definition }
}

fn condition(field: &str, operator: &str, value: &str) -> RuleCondition {
    RuleCondition { field: field.to_owned(), operator: operator.to_owned(), value: RuleValue::Text(value.to_owned()) }
}
