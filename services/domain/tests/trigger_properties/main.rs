//! What triggers do, held against an interpreter of their words that takes nothing from the rules: which of them do something, in which
//! order, what the ticket is then, and that there is an end.

mod interpreter;
mod words;

use std::collections::BTreeSet;

use domain::{
    Aggregate,
    ticket::{Command, Comment, Open, Ticket, by_people, fired},
};
use proptest::{collection::vec, prelude::*};
use schemas::{
    ticket::TicketEvent,
    values::{Channel, Priority, Visibility},
};

use self::{
    interpreter::{Model, World},
    words::{AGENT, REQUESTER, Words, openings, triggers, typed, updates},
};

/// What the platform did: which triggers, and what the ticket was after each.
fn done(mut ticket: Ticket, events: &[TicketEvent]) -> Vec<(usize, Model)> {
    let (mut done, mut left) = (Vec::new(), 0);
    let mut rule = None;
    for event in events {
        ticket.evolve(event);
        if let TicketEvent::RuleApplied(applied) = event {
            assert_eq!(left, 0, "a rule does as much as it says");
            (rule, left) = (Some(applied.rule), applied.changes);
        } else if let Some(by) = rule {
            left -= 1;
            if left == 0 {
                let place = usize::try_from(by.get()).expect("a place");
                done.push((place, Model::of(ticket.details().expect("it was opened"))));
                rule = None;
            }
        }
    }
    assert_eq!(left, 0, "a rule does as much as it says");
    done
}

fn after(ticket: &Ticket, events: &[TicketEvent]) -> Ticket {
    let mut after = ticket.clone();
    events.iter().for_each(|event| after.evolve(event));
    after
}

/// One command, with and without triggers. Gives the ticket after it.
fn check(ticket: &Ticket, command: &Command, words: &[Words]) -> Result<Ticket, TestCaseError> {
    let watched = Command::Watched(Box::new(command.clone()), typed(words));
    let (plain, watched) = (ticket.decide(command), ticket.decide(&watched));
    let Ok(plain) = plain else {
        prop_assert!(watched.is_err(), "triggers allow nothing");
        return Ok(ticket.clone());
    };
    let Ok(watched) = watched else { return Err(TestCaseError::fail("triggers refuse nothing")) };
    let (by_people, by_triggers) = watched.split_at(plain.len());
    prop_assert!(by_people == plain.as_slice(), "what was asked for comes first");
    let then = after(ticket, &plain);
    let world = World {
        before: ticket.details().map(Model::of),
        by: command.by(),
        said: plain.iter().rev().find_map(|event| match event {
            TicketEvent::CommentAdded(added) => {
                Some((added.body.expose().clone(), added.visibility == Visibility::Public))
            }
            _ => None,
        }),
        is_by_mail: plain
            .iter()
            .any(|event| matches!(event, TicketEvent::CommentAdded(added) if added.channel == Channel::Email)),
    };
    let expected = match (plain.is_empty(), then.details()) {
        (false, Some(details)) => world.run(Model::of(details), words, (true, usize::MAX)),
        _ => Vec::new(),
    };
    let done = done(then.clone(), by_triggers);
    prop_assert_eq!(&done, &expected);
    let who: BTreeSet<usize> = done.iter().map(|(place, _)| *place).collect();
    prop_assert_eq!(who.len(), done.len(), "each once");
    Ok(after(&then, by_triggers))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn triggers_do_what_their_words_say_in_their_order_each_once(
        words in triggers(),
        opening in openings(),
        updates in vec(updates(), 0..4),
    ) {
        let mut ticket = check(&Ticket::default(), &opening, &words)?;
        for update in &updates {
            ticket = check(&ticket, update, &words)?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A tenant has some triggers, and asks what others would have done to its history. At each command that is what they really do when
    /// the same command is given while they are in use.
    #[test]
    fn what_history_says_triggers_would_have_done_is_what_they_do(
        had in triggers(),
        tried in triggers(),
        opening in openings(),
        updates in vec(updates(), 0..5),
    ) {
        let mut ticket = Ticket::default();
        for command in std::iter::once(&opening).chain(&updates) {
            let with = |words: &[Words]| ticket.decide(&Command::Watched(Box::new(command.clone()), typed(words)));
            let Ok(recorded) = with(&had) else { continue };
            let people = by_people(&recorded);
            prop_assert_eq!(&people, &ticket.decide(command).expect("it was taken"));
            let would_have = fired(&ticket, command.by(), (&people, &typed(&tried)));
            let real = with(&tried).expect("it was taken");
            prop_assert_eq!(would_have.as_slice(), &real[people.len()..]);
            ticket = after(&ticket, &recorded);
        }
    }

    /// Until a trigger first does something, a tenant that has it lives as one that has not; and what it does first is what the history of
    /// the other says.
    #[test]
    fn the_first_thing_that_a_trigger_does_is_what_the_history_without_it_says(
        tried in triggers(),
        opening in openings(),
        updates in vec(updates(), 0..5),
    ) {
        let (mut without, mut with) = (Ticket::default(), Ticket::default());
        for command in std::iter::once(&opening).chain(&updates) {
            let watched = Command::Watched(Box::new(command.clone()), typed(&tried));
            let (Ok(plain), Ok(real)) = (without.decide(command), with.decide(&watched)) else { continue };
            let would_have = fired(&without, command.by(), (&by_people(&plain), &typed(&tried)));
            prop_assert_eq!(&real, &[plain.clone(), would_have.clone()].concat());
            if !would_have.is_empty() {
                break;
            }
            (without, with) = (after(&without, &plain), after(&with, &real));
        }
    }
}

/// Two that undo each other.
fn a_loop() -> Vec<Words> {
    let turn =
        |from, to| Words { all: vec![("priority", "is", from)], any: Vec::new(), actions: vec![("priority", to)] };
    vec![turn("high", "low"), turn("low", "high")]
}

#[test]
fn two_triggers_that_undo_each_other_come_to_an_end() {
    let comment = Comment::public("It smokes".to_owned());
    let open = Open::new(AGENT, REQUESTER.person, "Kettle".to_owned(), comment);
    let opening = Open { priority: Some(Priority::High), ..open }.into();
    let ticket = check(&Ticket::default(), &opening, &a_loop()).expect("as the interpreter says");
    assert_eq!(ticket.details().and_then(|details| details.priority), Some(Priority::High), "there and back");
}

/// The twin of the interpreter: without its guard the loop above goes on.
#[test]
fn without_the_guard_they_would_not() {
    let opened = Ticket::default().decide(&openings_of_agent()).expect("it is right");
    let ticket = after(&Ticket::default(), &opened);
    let world = World { before: None, by: AGENT, said: None, is_by_mail: false };
    let now = Model { priority: "high".to_owned(), ..Model::of(ticket.details().expect("it was opened")) };
    assert_eq!(world.run(now.clone(), &a_loop(), (true, 100)).len(), 2);
    assert_eq!(world.run(now, &a_loop(), (false, 100)).len(), 100);
}

fn openings_of_agent() -> Command {
    Open::new(AGENT, REQUESTER.person, "Kettle".to_owned(), Comment::public("It smokes".to_owned())).into()
}
