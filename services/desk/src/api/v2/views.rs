//! What views are for: their tickets, how many there are, and both before a view is made.

pub(crate) mod count;
pub(crate) mod execute;
pub(crate) mod preview;

use domain::rule::{Asking, Column, Conditions, Unknown, Vocabulary};
use schemas::rule::RuleDefinition;
use sqlx::PgConnection;

use super::rules;
use crate::{
    caller::Caller,
    problem::ApiError,
    read::{self, List, views::Order},
    state::Desk,
};

/// The tickets of a view, as whoever asks now would see them. What it says of a field that is gone holds as of an empty one.
pub(crate) async fn tickets(
    desk: &Desk,
    caller: &Caller,
    conn: &mut PgConnection,
    definition: &RuleDefinition,
) -> Result<List, ApiError> {
    let fields = read::ticket_fields::known(conn, &caller.resident).await?;
    let vocabulary = Vocabulary { fields: &fields, unknown: Unknown::Empty };
    let conditions = Conditions::read(&definition.conditions, vocabulary)?;
    let groups = read::rules::groups_of(conn, &caller.resident, caller.person).await?;
    let asking = Asking { person: caller.person, groups, now: desk.clock.now(), is_past: false };
    Ok(read::views::tickets(conditions, asking, &order(definition, vocabulary)))
}

/// Groups stand together, and within one tickets are sorted.
fn order(definition: &RuleDefinition, vocabulary: Vocabulary<'_>) -> Order {
    let Some(output) = &definition.output else { return Order::new() };
    let by = [(&output.group_by, output.group_order), (&output.sort_by, output.sort_order)];
    let read = |word: &String| Column::read("sort_by", word, vocabulary).ok();
    by.into_iter().filter_map(|(by, order)| Some((by.as_ref().and_then(read)?, order))).collect()
}
