//! Histories as a timeline and as states.

use auditor::replay::{
    AsOf, Comparing, Decoded, Difference, Filter, Fold, Kind, Payload, Taken, decode, events, state,
};
use jiff::{Timestamp, ToSpan};
use schemas::{
    Envelope, PersonId, Position, Recorded, Sealed, StreamName, TenantLogEvent, TicketId, Version,
    person::{PasswordSet, PersonAdded, PersonEvent},
    ticket::{CommentAdded, StatusSet, TicketEvent, TicketOpened},
    values::{Channel, Role, Status, Visibility},
};
use serde_json::json;

type Opened = (Recorded, Option<Vec<u8>>);

fn start() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("a time")
}

/// An event at a position, recorded that many minutes after the start.
fn opened(position: i64, stream: StreamName, version: i64, event: impl Into<TenantLogEvent>) -> Opened {
    let event = event.into();
    let id = |kind: u8| format!("018f0000-0000-7000-800{kind}-{position:012}").parse().expect("a UUID");
    let uuid = |kind: u8| -> schemas::EventId { id(kind) };
    let envelope = Envelope {
        tenant_id: schemas::TenantId::new(uuid(0).get()),
        stream,
        version: Version::new(version),
        event_id: uuid(1),
        event_type: event.event_type().to_owned(),
        schema_version: event.schema_version(),
        recorded_at: start() + position.minutes(),
        actor: schemas::Actor::System,
        command_id: schemas::CommandId::new(uuid(2).get()),
        causation_id: None,
        trace_parent: None,
        key_id: schemas::KeyId::new(uuid(3).get()),
        blob: None,
    };
    (Recorded { position: Position::new(position), sealed: Sealed::new(envelope, vec![0]) }, Some(event.encode()))
}

fn comment(body: &str) -> TicketEvent {
    CommentAdded {
        author: PersonId::new(7),
        visibility: Visibility::Public,
        body: body.to_owned().into(),
        html_body: None.into(),
        attachments: vec![],
        channel: Channel::Api,
    }
    .into()
}

fn history() -> Vec<Opened> {
    let (ticket, person) = (StreamName::Ticket(TicketId::new(42)), StreamName::Person(PersonId::new(7)));
    let added: PersonEvent = PersonAdded {
        person: PersonId::new(7),
        name: "Jo Canary".to_owned().into(),
        email: Some("jo@example.org".to_owned()).into(),
        role: Role::EndUser,
    }
    .into();
    let password: PersonEvent = PasswordSet { phc: "$argon2id$secret".to_owned().into() }.into();
    let ticket_opened: TicketEvent = TicketOpened {
        requester: PersonId::new(7),
        submitter: PersonId::new(7),
        subject: "The kettle leaks".to_owned().into(),
        priority: None,
        ticket_type: None,
        assignee: None,
        group: None,
        tags: vec!["kettle".to_owned()].into(),
        channel: Channel::Api,
        external_id: None.into(),
    }
    .into();
    let solved: TicketEvent = StatusSet { status: Status::Solved }.into();
    vec![
        opened(1, person.clone(), 1, added),
        opened(2, person, 2, password),
        opened(3, ticket.clone(), 1, ticket_opened),
        opened(4, ticket.clone(), 2, comment("It leaks on the table.")),
        opened(5, ticket.clone(), 3, comment("Now on the floor.")),
        opened(6, ticket, 4, solved),
    ]
}

fn ticket_at(as_of: AsOf) -> serde_json::Value {
    let filter = Filter { as_of, stream: Some(StreamName::Ticket(TicketId::new(42))), ..Filter::default() };
    serde_json::to_value(state(history(), &filter)).expect("JSON")["streams"]["ticket-42"].clone()
}

#[test]
fn a_timeline_shows_the_events_in_order_and_no_credentials() {
    let timeline: Vec<Decoded> = events(history(), &Filter::default()).collect();
    let positions: Vec<_> = timeline.iter().map(|event| event.position.get()).collect();
    assert_eq!(positions, [1, 2, 3, 4, 5, 6]);
    let shown = serde_json::to_value(&timeline).expect("JSON");
    assert_eq!(shown[0]["data"]["name"], "Jo Canary");
    assert_eq!(shown[3]["event_type"], "comment_added");
    assert_eq!(shown[1]["data"]["phc"], "(credential, not shown)");
    assert!(!shown.to_string().contains("argon2id"));
}

#[test]
fn debug_tells_no_personal_data() {
    let told = format!(
        "{:?}{:?}",
        events(history(), &Filter::default()).collect::<Vec<_>>(),
        state(history(), &Filter::default())
    );
    assert!(!told.contains("Canary") && !told.contains("kettle") && !told.contains("leaks"), "{told}");
}

#[test]
fn a_stream_is_shown_alone() {
    let filter = Filter { stream: Some(StreamName::Person(PersonId::new(7))), ..Filter::default() };
    assert_eq!(events(history(), &filter).count(), 2);
    assert_eq!(state(history(), &filter).streams.len(), 1);
}

#[test]
fn a_state_is_that_of_the_moment() {
    assert_eq!(ticket_at(AsOf::End)["state"]["status"], "solved");
    assert_eq!(ticket_at(AsOf::Position(Position::new(5)))["state"]["status"], "new");
    let at = ticket_at(AsOf::Time(start() + 4.minutes() + 30.seconds()));
    assert_eq!((at["version"].clone(), at["state"]["comments"].as_array().map(Vec::len)), (json!(2), Some(1)));
    assert_eq!(at["state"]["subject"], "The kettle leaks");
    assert_eq!(ticket_at(AsOf::Time(start())), serde_json::Value::Null);
}

#[test]
fn a_time_ends_the_replay_at_the_first_event_recorded_later() {
    let mut history = history();
    // A desk whose clock is behind appended after one whose clock is ahead.
    history[4].0.sealed.envelope.recorded_at = start();
    let filter = Filter { as_of: AsOf::Time(start() + 3.minutes()), ..Filter::default() };
    assert_eq!(state(history, &filter).as_of, Position::new(3));
}

#[test]
fn an_erased_comment_leaves_a_tombstone() {
    let mut history = history();
    history[3].1 = None;
    let timeline = serde_json::to_value(events(history.clone(), &Filter::default()).collect::<Vec<_>>()).expect("JSON");
    assert_eq!((timeline[3]["is_erased"].clone(), timeline[3]["data"].clone()), (json!(true), json!(null)));
    let state = serde_json::to_value(state(history, &Filter::default())).expect("JSON");
    let ticket = &state["streams"]["ticket-42"];
    assert_eq!(ticket["erased_events"], 1);
    assert_eq!(ticket["state"]["comments"][0]["is_erased"], true);
    assert_eq!(ticket["state"]["comments"][1]["body"], "Now on the floor.");
    assert_eq!(state["streams"]["person-7"]["state"]["has_password"], true);
}

#[test]
fn a_payload_nobody_can_read_is_named_and_skips_nothing_else() {
    let mut history = history();
    history[3].1 = Some(b"{}".to_vec());
    let timeline: Vec<_> = events(history.clone(), &Filter::default()).collect();
    assert!(timeline[3].unreadable.as_deref().is_some_and(|why| why.starts_with("comment_added")));
    assert_eq!(timeline.len(), 6);
    let mut fold = Fold::new(Filter::default());
    for (recorded, plaintext) in &history {
        assert_eq!(fold.push(recorded, plaintext.as_ref().into()), Taken::Yes);
    }
    let state = fold.finish();
    assert_eq!(state.streams[&StreamName::Ticket(TicketId::new(42))].unreadable_events, 1);
}

#[test]
fn without_keys_events_are_sealed_and_say_nothing() {
    let (recorded, _) = &history()[3];
    let sealed = decode(recorded, Payload::<Vec<u8>>::Sealed);
    assert_eq!((sealed.is_sealed, sealed.is_erased, sealed.data.is_none()), (true, false, true));
    let mut fold = Fold::new(Filter::default());
    for (recorded, _) in &history() {
        fold.push(recorded, Payload::<Vec<u8>>::Sealed);
    }
    let counted = fold.summarize();
    assert_eq!((counted.sealed_events, counted.tickets, counted.tickets_by_status.len()), (6, 1, 0));
    assert_eq!(fold.finish().streams[&StreamName::Ticket(TicketId::new(42))].state.expose(), &serde_json::Value::Null);
}

#[test]
fn a_tenant_is_counted_as_of_a_moment() {
    let counted = |as_of| {
        let mut fold = Fold::new(Filter { as_of: AsOf::Position(Position::new(as_of)), ..Filter::default() });
        for (recorded, plaintext) in &history() {
            fold.push(recorded, plaintext.as_ref().into());
        }
        let counted = fold.without_comments().summarize();
        (counted.people, counted.tickets, counted.tickets_by_status)
    };
    assert_eq!(counted(2), (1, 0, [].into()));
    assert_eq!(counted(5), (1, 1, [("new".to_owned(), 1)].into()));
    assert_eq!(counted(6), (1, 1, [("solved".to_owned(), 1)].into()));
}

fn difference(history: Vec<Opened>, from: i64, to: i64) -> Difference {
    let mut comparing = Comparing::new(Position::new(from), Position::new(to));
    for (recorded, plaintext) in history {
        comparing.push(&recorded, plaintext.into());
    }
    comparing.finish()
}

#[test]
fn a_difference_names_fields_events_and_authors() {
    let difference = serde_json::to_value(difference(history(), 4, 6)).expect("JSON");
    let [ticket] = difference["streams"].as_array().expect("a list").as_slice() else { panic!("{difference}") };
    assert_eq!((&ticket["stream"], &ticket["kind"]), (&json!("ticket-42"), &json!("changed")));
    let changes = ticket["changes"].as_array().expect("a list");
    let fields: Vec<_> = changes.iter().map(|change| (change["field"].as_str(), change["by"].clone())).collect();
    assert_eq!(fields, [(Some("comments[5]"), json!([5])), (Some("status"), json!([6]))]);
    assert_eq!((&changes[1]["old"], &changes[1]["new"]), (&json!("new"), &json!("solved")));
    assert_eq!(changes[0]["new"]["body"], "Now on the floor.");
    assert_eq!(
        (&ticket["events"][1]["event_type"], &ticket["events"][1]["actor"]),
        (&json!("status_set"), &json!("system"))
    );
}

#[test]
fn from_before_the_first_event_everything_was_added_and_to_itself_nothing() {
    let all = difference(history(), 0, 6);
    assert!(all.streams.len() == 2 && all.streams.iter().all(|stream| stream.kind == Kind::Added), "{all:?}");
    assert!(difference(history(), 6, 6).streams.is_empty());
}

#[test]
fn what_was_changed_and_changed_back_is_the_same_and_its_events_are_still_there() {
    let mut history = history();
    let ticket = StreamName::Ticket(TicketId::new(42));
    let set = |status| TicketEvent::from(StatusSet { status });
    history.push(opened(7, ticket.clone(), 5, set(Status::Open)));
    history.push(opened(8, ticket, 6, set(Status::Solved)));
    let difference = difference(history, 6, 8);
    let [ticket] = difference.streams.as_slice() else { panic!("{difference:?}") };
    assert_eq!((ticket.kind, ticket.changes.len(), ticket.events.len()), (Kind::Same, 0, 2));
}

#[test]
fn an_erased_event_between_is_named_and_changes_what_can_be_seen() {
    let mut history = history();
    history[5].1 = None;
    let difference = difference(history, 5, 6);
    let [ticket] = difference.streams.as_slice() else { panic!("{difference:?}") };
    assert!(ticket.kind == Kind::Same && ticket.events[0].is_erased, "{ticket:?}");
}

#[test]
fn events_before_a_time_are_left_out() {
    let filter = Filter { from: Some(start() + 5.minutes()), ..Filter::default() };
    let positions: Vec<_> = events(history(), &filter).map(|event| event.position.get()).collect();
    assert_eq!(positions, [5, 6]);
}
