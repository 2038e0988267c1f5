//! The words for conditions on fields that the tenant made: which operators a kind of field has, and which values it takes.

use schemas::{TicketFieldId, ticket_field::FieldValue, values::FieldKind};

use super::{Clause, Unknown, Vocabulary};
use crate::{
    rule::{
        condition::{Compare, Condition, FieldTest},
        value,
    },
    text::Invalid,
    ticket_field::Known,
};

impl Clause<'_> {
    pub(super) fn field(self, id: TicketFieldId, vocabulary: Vocabulary<'_>) -> Result<Condition, Invalid> {
        let known = vocabulary.field(id).ok_or_else(|| self.refused(value::NO_FIELD))?;
        let (test, is) = self.field_test(known, vocabulary.unknown)?;
        Ok(Condition::Field { field: id, test, is })
    }

    /// Whether it holds where a field holds nothing.
    pub(super) fn holds_of_nothing(self) -> bool {
        let asks_for_nothing = value::is_nothing(self.value);
        match self.operator {
            "is" => asks_for_nothing,
            "is_not" => !asks_for_nothing,
            operator => matches!(operator, "not_present" | "not_includes"),
        }
    }

    fn field_test(self, known: &Known, unknown: Unknown) -> Result<(FieldTest, bool), Invalid> {
        let is_chosen = matches!(known.kind, FieldKind::Tagger | FieldKind::Multiselect);
        let has_order = matches!(known.kind, FieldKind::Integer | FieldKind::Decimal | FieldKind::Date);
        let is_one = known.kind != FieldKind::Multiselect;
        let operators = [
            (true, ("present", Asked::Present(true))),
            (true, ("not_present", Asked::Present(false))),
            (is_one, ("is", Asked::Is(Compare::Is, true))),
            (is_one, ("is_not", Asked::Is(Compare::Is, false))),
            (has_order, ("less_than", Asked::Is(Compare::Less, true))),
            (has_order, ("greater_than", Asked::Is(Compare::Greater, true))),
            (is_chosen, ("includes", Asked::AnyOf(true))),
            (is_chosen, ("not_includes", Asked::AnyOf(false))),
        ];
        let operators: Vec<(&str, Asked)> =
            operators.into_iter().filter(|(is, _)| *is).map(|(_, known)| known).collect();
        Ok(match self.operator(&operators)? {
            Asked::Present(is) => (FieldTest::Present, is),
            Asked::AnyOf(is) => (FieldTest::AnyOf(self.chosen(known, unknown)?), is),
            Asked::Is(compare, is) => match (self.field_value(known, unknown)?, compare) {
                (None, Compare::Is) => (FieldTest::Present, !is),
                (None, Compare::Less | Compare::Greater) => return Err(self.refused("a value")),
                (Some(value), Compare::Is) => (FieldTest::Is(value), is),
                (Some(value), compare) => (ordered(compare, value), is),
            },
        })
    }

    /// What the field would hold; nothing for nothing.
    fn field_value(self, known: &Known, unknown: Unknown) -> Result<Option<FieldValue>, Invalid> {
        let sent = value::of_field(self.value);
        let value = match unknown {
            Unknown::Refused => known.value(sent.as_ref()),
            Unknown::Empty => known.value_once(sent.as_ref()),
        };
        value.map_err(|takes| self.refused(takes))
    }

    /// Several of what there is to choose from, or was.
    fn chosen(self, known: &Known, unknown: Unknown) -> Result<Vec<String>, Invalid> {
        let words = value::tags(self.value).unwrap_or_default();
        let options = &known.definition.expose().options;
        let is_option = |word: &String| unknown == Unknown::Empty || options.iter().any(|option| option.value == *word);
        if words.is_empty() || !words.iter().all(is_option) {
            return Err(self.refused("values of the field's options, with spaces between them"));
        }
        Ok(words)
    }
}

/// What an operator asks of a field that the tenant made.
#[derive(Clone, Copy)]
enum Asked {
    Present(bool),
    Is(Compare, bool),
    AnyOf(bool),
}

fn ordered(compare: Compare, value: FieldValue) -> FieldTest {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "as the database compares a whole number with any number")]
        FieldValue::Integer(number) => FieldTest::Number(compare, number as f64),
        FieldValue::Decimal(number) => FieldTest::Number(compare, number),
        FieldValue::Text(day) => FieldTest::Day(compare, day),
        value @ (FieldValue::Flag(_) | FieldValue::Many(_)) => FieldTest::Is(value),
    }
}
