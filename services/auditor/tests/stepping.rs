//! Stepping through a history: every way leads where going event by event leads.

use auditor::replay::{Index, Indexing, Of, Stay, Step};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use schemas::{
    Actor, CommandId, Envelope, EventId, KeyId, PersonId, Position, Recorded, Sealed, StreamName, TenantId, Version,
};

/// What a test says of an event: its ticket, how much later than the one before it was recorded, whether it goes on with the
/// command, and how far back its cause lies.
type Drawn = (i64, i64, bool, Option<usize>);

fn uuid<I: std::str::FromStr>(kind: u8, number: usize) -> I {
    let Ok(id) = format!("018f0000-0000-7000-800{kind}-{number:012}").parse() else { panic!("a UUID") };
    id
}

fn start() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("a time")
}

fn history(drawn: &[Drawn]) -> Vec<Recorded> {
    let (mut time, mut command) = (start(), 0);
    let events = drawn.iter().enumerate().map(|(place, (ticket, later, goes_on, cause))| {
        // A clock may be behind that of the event before.
        time += later.seconds();
        command += usize::from(!goes_on);
        let envelope = Envelope {
            tenant_id: uuid::<TenantId>(0, 1),
            stream: stream(*ticket),
            version: Version::new(1),
            event_id: uuid::<EventId>(1, place + 1),
            event_type: "status_set".into(),
            schema_version: 1,
            recorded_at: time,
            actor: Actor::System,
            command_id: uuid::<CommandId>(2, command),
            causation_id: cause.map(|back| uuid::<EventId>(1, (place + 1).saturating_sub(back + 1))),
            trace_parent: None,
            key_id: uuid::<KeyId>(3, 1),
            blob: None,
        };
        Recorded { position: Position::new(place as i64 + 1), sealed: Sealed::new(envelope, vec![0]) }
    });
    events.collect()
}

fn stream(ticket: i64) -> StreamName {
    format!("ticket-{ticket}").parse().expect("a stream")
}

fn indexed(events: &[Recorded]) -> Index {
    let mut indexing = Indexing::default();
    events.iter().for_each(|event| indexing.push(event));
    indexing.finish()
}

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    prop::collection::vec((1..6_i64, -2..9_i64, any::<bool>(), prop::option::weighted(0.2, 0..9_usize)), 1..60)
}

/// Goes on by one event at a time while `goes_on` says so; nothing if it reaches the end and it still does.
fn walk(index: &Index, from: Position, step: &Step, stop: impl Fn(Position) -> bool) -> Option<Position> {
    let mut at = from;
    loop {
        at = index.step(at, step).ok()?;
        if stop(at) {
            return Some(at);
        }
    }
}

proptest! {
    #[test]
    fn next_and_back_undo_each_other(drawn in drawn(), place in any::<prop::sample::Index>()) {
        let index = indexed(&history(&drawn));
        let at = Position::new(place.index(drawn.len()) as i64 + 1);
        let steps = [
            (Step::Next, Step::Back),
            (Step::NextOfSame, Step::BackOfSame),
        ];
        for (one, other) in steps {
            for (one, other) in [(&one, &other), (&other, &one)] {
                if let Ok(there) = index.step(at, one) {
                    prop_assert_eq!(index.step(there, other), Ok(at));
                }
            }
        }
    }

    #[test]
    fn a_jump_leads_where_single_steps_lead(drawn in drawn(), place in any::<prop::sample::Index>(), ticket in 1..7_i64) {
        let events = history(&drawn);
        let index = indexed(&events);
        let at = Position::new(place.index(drawn.len()) as i64 + 1);
        let stream_at = |position: Position| &events[position.get() as usize - 1].sealed.envelope.stream;
        let (name, own) = (stream(ticket), stream_at(at).clone());
        prop_assert_eq!(index.step(at, &Step::NextOf(Of::Stream(name.clone()))).ok(), walk(&index, at, &Step::Next, |p| *stream_at(p) == name));
        prop_assert_eq!(index.step(at, &Step::BackOf(Of::Stream(name.clone()))).ok(), walk(&index, at, &Step::Back, |p| *stream_at(p) == name));
        prop_assert_eq!(index.step(at, &Step::NextOfSame).ok(), walk(&index, at, &Step::Next, |p| *stream_at(p) == own));
        prop_assert_eq!(index.step(at, &Step::BackOfSame).ok(), walk(&index, at, &Step::Back, |p| *stream_at(p) == own));
        let first = Position::new(1);
        for to in 0..=drawn.len() as i64 + 1 {
            let to = Position::new(to);
            let walked = if to == first { Some(first) } else { walk(&index, first, &Step::Next, |p| p == to) };
            prop_assert_eq!(index.step(at, &Step::To(to)).ok(), walked);
        }
        prop_assert_eq!(index.step(at, &Step::ToEnd), Ok(Position::new(drawn.len() as i64)));
    }

    #[test]
    fn a_person_is_everywhere_they_acted_and_on_their_own_stream(
        drawn in drawn(), place in any::<prop::sample::Index>(), person in 1..5_i64,
    ) {
        let mut events = history(&drawn);
        for event in &mut events {
            let envelope = &mut event.sealed.envelope;
            let ticket = envelope.stream.to_string();
            let number: i64 = ticket.trim_start_matches("ticket-").parse().expect("a ticket");
            // Some act on tickets, on themselves and on one another; and nobody does the rest.
            envelope.actor = if number % 3 == 0 { Actor::System } else { Actor::Person(PersonId::new(number)) };
            if number % 2 == 0 {
                envelope.stream = StreamName::Person(PersonId::new(event.position.get() % 4 + 1));
            }
        }
        let (index, person) = (indexed(&events), PersonId::new(person));
        let at = Position::new(place.index(drawn.len()) as i64 + 1);
        let is_theirs = |position: Position| {
            let envelope = &events[position.get() as usize - 1].sealed.envelope;
            envelope.actor == Actor::Person(person) || envelope.stream == StreamName::Person(person)
        };
        prop_assert_eq!(index.step(at, &Step::NextOf(Of::Person(person))).ok(), walk(&index, at, &Step::Next, is_theirs));
        prop_assert_eq!(index.step(at, &Step::BackOf(Of::Person(person))).ok(), walk(&index, at, &Step::Back, is_theirs));
        let nobody = Of::Person(PersonId::new(99));
        prop_assert_eq!(index.step(at, &Step::NextOf(nobody.clone())), Err(Stay::NothingOf(nobody)));
    }

    #[test]
    fn a_time_is_the_last_event_before_anything_later(drawn in drawn(), seconds in -5..60_i64) {
        let events = history(&drawn);
        let time = start() + seconds.seconds();
        let before = events.iter().take_while(|event| event.sealed.envelope.recorded_at <= time).last();
        let reached = indexed(&events).step(Position::new(1), &Step::ToTime(time)).ok();
        prop_assert_eq!(reached, before.map(|event| event.position));
    }

    #[test]
    fn causes_and_effects_are_the_same_edges(drawn in drawn()) {
        let events = history(&drawn);
        let index = indexed(&events);
        for event in &events {
            let at = event.position;
            let named = event.sealed.envelope.causation_id;
            let cause = events.iter().find(|cause| Some(cause.sealed.envelope.event_id) == named);
            let expected = match (named, cause) {
                (None, _) => Err(Stay::NoCause),
                (Some(_), None) => Err(Stay::CauseElsewhere),
                (_, Some(cause)) => Ok(cause.position),
            };
            prop_assert_eq!(index.step(at, &Step::Cause), expected);
            for (number, effect) in index.caused_by(at).into_iter().enumerate() {
                prop_assert_eq!(index.step(at, &Step::Effect(number + 1)), Ok(effect));
                prop_assert_eq!(index.step(effect, &Step::Cause), Ok(at));
            }
        }
    }

    #[test]
    fn a_command_is_the_events_around_that_share_its_id(drawn in drawn()) {
        let events = history(&drawn);
        let index = indexed(&events);
        for event in &events {
            let (first, last) = index.of_same_command(event.position);
            let ids = events.iter().filter(|other| other.sealed.envelope.command_id == event.sealed.envelope.command_id);
            let positions: Vec<_> = ids.map(|event| event.position).collect();
            prop_assert_eq!((Some(&first), Some(&last)), (positions.first(), positions.last()));
        }
    }
}

#[test]
fn staying_says_why() {
    let index = indexed(&history(&[(1, 0, false, None), (2, 0, false, None), (1, 0, false, None)]));
    let stay = |at, step| index.step(Position::new(at), &step).expect_err("one stays").to_string();
    assert_eq!(stay(3, Step::Next), "this is the last event");
    assert_eq!(stay(1, Step::Back), "this is the first event");
    assert_eq!(stay(2, Step::NextOfSame), "it has no later event; its last is at 2");
    assert_eq!(stay(1, Step::BackOf(Of::Stream(stream(1)))), "it has no earlier event; its first is at 1");
    assert_eq!(stay(1, Step::NextOf(Of::Stream(stream(9)))), "the log holds no event of ticket-9");
    let nobody = Step::NextOf(Of::Person(PersonId::new(9)));
    assert_eq!(stay(1, nobody), "the log holds no event of person 9, nor of what they did");
    assert_eq!(stay(1, Step::To(Position::new(4))), "the log has positions 1 to 3");
    assert!(stay(1, Step::ToTime(start() - 1.second())).starts_with("nothing was recorded by then"));
    assert!(stay(1, Step::Effect(1)).starts_with("no event names this one"));
}
