//! The rules of fields, as sentences.

use schemas::ticket_field::{FieldOption, FieldValue};

use super::*;
use crate::scenario::given;

fn definition() -> FieldDefinition {
    FieldDefinition {
        title: "Kettle".to_owned(),
        title_in_portal: "Kettle".to_owned(),
        position: 1,
        is_active: true,
        ..FieldDefinition::default()
    }
}

fn option(value: &str) -> FieldOption {
    FieldOption { id: 1, name: value.to_owned(), value: value.to_owned() }
}

fn known(kind: FieldKind, definition: FieldDefinition) -> Known {
    Known { field: TicketFieldId::new(7), kind, definition: definition.into() }
}

fn made(kind: FieldKind, definition: FieldDefinition) -> Vec<TicketFieldEvent> {
    TicketField::default().decide(&Command::Make(known(kind, definition))).expect("it is right")
}

fn with_options(values: &[&str]) -> FieldDefinition {
    FieldDefinition { options: values.iter().map(|value| option(value)).collect(), ..definition() }
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.to_owned())
}

#[test]
fn a_field_is_made_changed_and_deleted() {
    let history = made(FieldKind::Text, definition());
    let renamed = FieldDefinition { title: "Pot".to_owned(), ..definition() };
    given::<TicketField>(history.clone())
        .when(Command::Change(renamed.clone().into()))
        .then([TicketFieldChanged { definition: renamed.into() }.into()]);
    given::<TicketField>(history.clone()).when(Command::Change(definition().into())).then_nothing();
    given::<TicketField>(history.clone()).when(Command::Delete).then([TicketFieldDeleted {}.into()]);
    let gone = [history, vec![TicketFieldDeleted {}.into()]].concat();
    for command in [Command::Delete, Command::Change(definition().into())] {
        given::<TicketField>(gone.clone()).when(command).then_refused(Rejection::Unknown);
    }
    given::<TicketField>(gone)
        .when(Command::Make(known(FieldKind::Text, definition())))
        .then_refused(Rejection::AlreadyExists);
}

#[test]
fn a_definition_says_what_its_kind_needs() {
    let wrong = [
        (FieldKind::Text, FieldDefinition { title: " ".to_owned(), ..definition() }, "title"),
        (FieldKind::Regexp, definition(), "regexp_for_validation"),
        (FieldKind::Regexp, FieldDefinition { regexp: Some("(".to_owned()), ..definition() }, "regexp_for_validation"),
        (FieldKind::Tagger, definition(), "custom_field_options"),
        (FieldKind::Tagger, with_options(&["a", "A"]), "custom_field_options"),
        (FieldKind::Multiselect, with_options(&["a b"]), "custom_field_options"),
        (FieldKind::Checkbox, FieldDefinition { tag: Some("a b".to_owned()), ..definition() }, "tag"),
    ];
    for (kind, definition, field) in wrong {
        given::<TicketField>([]).when(Command::Make(known(kind, definition))).then_refused_field(field);
    }
}

#[test]
fn every_kind_takes_its_values_and_no_others() {
    let expression = FieldDefinition { regexp: Some("^[A-Z]{2}[0-9]+$".to_owned()), ..definition() };
    let many = |values: &[&str]| FieldValue::Many(values.iter().map(|&value| value.to_owned()).collect());
    let taken = [
        (FieldKind::Text, definition(), FieldValue::Integer(5), text("5")),
        (FieldKind::Checkbox, definition(), text("true"), FieldValue::Flag(true)),
        (FieldKind::Date, definition(), text("2026-11-22T10:00:00Z"), text("2026-11-22")),
        (FieldKind::Integer, definition(), text("-7"), FieldValue::Integer(-7)),
        (FieldKind::Decimal, definition(), FieldValue::Integer(2), FieldValue::Decimal(2.0)),
        (FieldKind::Regexp, expression.clone(), text("AB12"), text("AB12")),
        (FieldKind::Tagger, with_options(&["a", "b"]), text("B"), text("b")),
        (FieldKind::Multiselect, with_options(&["a", "b", "c"]), many(&["c", "a", "c"]), many(&["a", "c"])),
    ];
    for (kind, definition, sent, value) in taken {
        assert_eq!(known(kind, definition).value(Some(&sent)), Ok(Some(value)), "{kind}");
    }
    let refused = [
        (FieldKind::Text, definition(), FieldValue::Flag(true)),
        (FieldKind::Checkbox, definition(), text("yes")),
        (FieldKind::Date, definition(), text("2026-02-30")),
        (FieldKind::Integer, definition(), text("7.5")),
        (FieldKind::Decimal, definition(), text("NaN")),
        (FieldKind::Regexp, expression, text("ab")),
        (FieldKind::Tagger, with_options(&["a"]), text("c")),
        (FieldKind::Multiselect, with_options(&["a"]), many(&["a", "c"])),
    ];
    for (kind, definition, sent) in refused {
        assert!(known(kind, definition).value(Some(&sent)).is_err(), "{kind}");
    }
    for kind in FieldKind::ALL {
        assert_eq!(known(*kind, definition()).value(Some(&text(""))), Ok(None), "{kind}");
    }
}

#[test]
fn what_is_chosen_is_a_tag() {
    let ticked = FieldDefinition { tag: Some("ticked".to_owned()), ..definition() };
    let checkbox = known(FieldKind::Checkbox, ticked);
    assert_eq!(checkbox.tags(Some(&FieldValue::Flag(true))), ["ticked"]);
    assert!(checkbox.tags(Some(&FieldValue::Flag(false))).is_empty());
    let tagger = known(FieldKind::Tagger, with_options(&["a"]));
    assert_eq!(tagger.tags(Some(&text("a"))), ["a"]);
    assert!(tagger.tags(None).is_empty());
}
