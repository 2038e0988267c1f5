//! The rules of jobs, as sentences.

use uuid::Uuid;

use super::*;
use crate::scenario::given;

fn queue(items: &[&str]) -> Queue {
    let items: Vec<String> = items.iter().map(|&item| item.to_owned()).collect();
    let job = JobId::new(Uuid::from_u128(1));
    Queue {
        job,
        kind: JobKind::UpdateTickets,
        items: items.into(),
        shared: Some("{}".to_owned()).into(),
        by: PersonId::new(7),
        means: Means::BearerToken,
        token: None,
    }
}

fn queued(items: &[&str]) -> Vec<JobEvent> {
    Job::default().decide(&queue(items).into()).expect("nothing refuses")
}

const fn done(index: u32) -> FinishItem {
    FinishItem { index, item: None, refused: None }
}

fn after(items: &[&str], indexes: &[u32]) -> Vec<JobEvent> {
    let mut events = queued(items);
    for index in indexes {
        events.extend(Job::after(&events).decide(&done(*index).into()).expect("it waits"));
    }
    events
}

#[test]
fn every_item_is_done_once_and_then_the_job_is_finished() {
    given::<Job>(after(&["1", "2"], &[1])).when(done(1)).then_refused(Rejection::ItemDone);
    given::<Job>(after(&["1", "2"], &[1])).when(Command::Finish).then_refused(Rejection::Waiting);
    assert_eq!(Job::after(&after(&["1", "2"], &[1])).waiting(), [0]);
    given::<Job>(after(&["1", "2"], &[1, 0])).when(Command::Finish).then([JobFinished {}.into()]);
    let mut finished = after(&["1"], &[0]);
    finished.push(JobFinished {}.into());
    given::<Job>(finished).when(Command::Finish).then_nothing();
}

#[test]
fn a_job_that_nobody_asked_for_does_nothing() {
    given::<Job>([]).when(done(0)).then_refused(Rejection::Unknown);
    given::<Job>([]).when(Command::Finish).then_refused(Rejection::Unknown);
    given::<Job>(queued(&["1"])).when(done(1)).then_refused(Rejection::Unknown);
    given::<Job>(queued(&["1"])).when(queue(&["1"])).then_refused(Rejection::AlreadyQueued);
}

#[test]
fn many_bytes_are_several_events_and_every_item_is_found() {
    let long: Vec<String> = (0..20).map(|number| format!("{number:040000}")).collect();
    let items: Vec<&str> = long.iter().map(String::as_str).collect();
    let events = queued(&items);
    assert_eq!(events.len(), 1 + 7, "three of 40 kB in each");
    let job = Job::after(&events);
    assert_eq!(job.shared(), Some("{}"));
    for (index, item) in long.iter().enumerate() {
        assert_eq!(job.item(place(index)).map(|item| item.expose()), Some(item));
    }
}
