//! What the fields hold that the tenant made.

use schemas::{
    TicketFieldId,
    ticket::{CustomFieldsSet, TagsSet},
    ticket_field::{FieldDefinition, FieldOption, FieldSet, FieldValue},
    values::FieldKind,
};

use super::*;
use crate::{
    ticket::{Fields, Further},
    ticket_field::Known,
};

const COLOUR: TicketFieldId = TicketFieldId::new(1);

/// A field to choose a colour in.
fn known(change: impl Fn(&mut FieldDefinition)) -> Known {
    let option = |value: &str| FieldOption { id: 1, name: value.to_owned(), value: value.to_owned() };
    let mut definition = FieldDefinition {
        title: "Colour".to_owned(),
        title_in_portal: "Colour".to_owned(),
        position: 1,
        is_active: true,
        is_visible_in_portal: true,
        is_editable_in_portal: true,
        options: vec![option("red"), option("green")],
        ..FieldDefinition::default()
    };
    change(&mut definition);
    Known { field: COLOUR, kind: FieldKind::Tagger, definition: definition.into() }
}

fn text(value: &str) -> FieldValue {
    FieldValue::Text(value.to_owned())
}

fn further(known: Known, asked: Option<Option<&str>>) -> Further {
    let asked = asked.map(|asked| (COLOUR, asked.map(text).into())).into_iter().collect();
    Further { fields: Fields { known: [known].into(), asked }, ..Further::default() }
}

fn asks(known: Known, asked: Option<Option<&str>>) -> Changes {
    Changes { further: further(known, asked), ..Changes::default() }
}

fn set(value: Option<&str>) -> TicketEvent {
    CustomFieldsSet { fields: vec![FieldSet { field: COLOUR, value: value.map(text) }].into() }.into()
}

fn tagged(tags: &[&str]) -> TicketEvent {
    TagsSet { tags: tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>().into() }.into()
}

#[test]
fn what_is_chosen_is_a_tag_until_something_else_is() {
    let red = || [ticket_in(Status::Open), vec![tagged(&["own", "red"]), set(Some("red"))]].concat();
    given::<Ticket>(ticket_in(Status::Open))
        .when(change_by(AGENT, asks(known(|_| {}), Some(Some("RED")))))
        .then([tagged(&["red"]), set(Some("red"))]);
    given::<Ticket>(red())
        .when(change_by(AGENT, asks(known(|_| {}), Some(Some("green")))))
        .then([tagged(&["green", "own"]), set(Some("green"))]);
    given::<Ticket>(red()).when(change_by(AGENT, asks(known(|_| {}), Some(None)))).then([tagged(&["own"]), set(None)]);
    given::<Ticket>(red()).when(change_by(AGENT, asks(known(|_| {}), Some(Some("red"))))).then_nothing();
}

#[test]
fn a_field_takes_what_it_is_for() {
    let refused = Rejection::Field { field: COLOUR, takes: "the value of one of the field's options".to_owned() };
    given::<Ticket>(ticket_in(Status::Open))
        .when(change_by(AGENT, asks(known(|_| {}), Some(Some("blue")))))
        .then_refused(refused);
}

#[test]
fn what_is_required_is_there_before_an_agent_solves() {
    let required = || known(|definition| definition.is_required = true);
    let missing = || Rejection::Field { field: COLOUR, takes: "a value: it is required".to_owned() };
    let solve = |asked| Changes { status: Some(Status::Solved), ..asks(required(), asked) };
    given::<Ticket>(ticket_in(Status::Open)).when(change_by(AGENT, solve(None))).then_refused(missing());
    given::<Ticket>(ticket_in(Status::Open)).when(change_by(AGENT, solve(Some(Some("red"))))).then([
        tagged(&["red"]),
        set(Some("red")),
        status_set(Status::Solved),
    ]);
    let opened = Open { status: Some(Status::Solved), further: further(required(), None), ..open_by(AGENT) };
    given::<Ticket>([]).when(opened).then_refused(missing());
}

#[test]
fn end_users_fill_in_what_the_portal_asks_for_when_they_open() {
    let open = |known, asked| Open { further: further(known, asked), ..open_by(REQUESTER) };
    let missing = Rejection::Field { field: COLOUR, takes: "a value: it is required".to_owned() };
    given::<Ticket>([])
        .when(open(known(|definition| definition.is_required_in_portal = true), None))
        .then_refused(missing);
    given::<Ticket>([])
        .when(open(known(|definition| definition.is_editable_in_portal = false), Some(Some("red"))))
        .then_refused(Rejection::AgentsOnly { field: "custom_fields" });
    given::<Ticket>(ticket_in(Status::Open))
        .when(change_by(REQUESTER, asks(known(|_| {}), Some(Some("red")))))
        .then_refused(Rejection::AgentsOnly { field: "custom_fields" });
}
