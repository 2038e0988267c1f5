//! Putting away, bringing back, erasing.

use super::*;
use crate::ticket::Erase;

fn opened() -> Vec<TicketEvent> {
    Ticket::default().decide(&open_by(REQUESTER).into()).expect("a plain ticket opens")
}

fn opened_and(more: impl IntoIterator<Item = TicketEvent>) -> Vec<TicketEvent> {
    opened().into_iter().chain(more).collect()
}

fn erase_by(by: By) -> Erase {
    Erase { by, attachments: vec![AttachmentId::new(9)] }
}

#[test]
fn a_ticket_is_deleted_restored_and_erased_in_that_order_only() {
    let erased: TicketEvent = TicketErased { attachments: vec![AttachmentId::new(9)] }.into();
    given::<Ticket>(opened()).when(Command::Restore(AGENT)).then_refused(Rejection::Unknown);
    given::<Ticket>(opened()).when(erase_by(AGENT)).then_refused(Rejection::Unknown);
    given::<Ticket>(opened()).when(Command::Delete(AGENT)).then([TicketDeleted {}.into()]);
    let deleted = || opened_and([TicketDeleted {}.into()]);
    given::<Ticket>(deleted()).when(Command::Delete(AGENT)).then_refused(Rejection::Unknown);
    given::<Ticket>(deleted()).when(Command::Restore(ADMIN)).then([TicketRestored {}.into()]);
    given::<Ticket>(deleted()).when(erase_by(AGENT)).then([erased.clone()]);
    let restored = opened_and([TicketDeleted {}.into(), TicketRestored {}.into()]);
    given::<Ticket>(restored).when(Command::Delete(AGENT)).then([TicketDeleted {}.into()]);
    for gone in [opened_and([TicketDeleted {}.into(), erased.clone()]), vec![erased]] {
        given::<Ticket>(gone.clone()).when(erase_by(AGENT)).then_refused(Rejection::Unknown);
        given::<Ticket>(gone).when(Command::Restore(AGENT)).then_refused(Rejection::Unknown);
    }
}

#[test]
fn a_deleted_ticket_takes_no_change_and_no_comment() {
    let deleted = opened_and([TicketDeleted {}.into()]);
    let say = update_by(AGENT, Changes::default(), Some(public("x")));
    given::<Ticket>(deleted.clone()).when(say).then_refused(Rejection::Unknown);
    given::<Ticket>(deleted).when(change_by(REQUESTER, Changes::default())).then_refused(Rejection::Unknown);
}

#[test]
fn a_closed_ticket_is_deleted_all_the_same() {
    let closed = opened_and([StatusSet { status: Status::Closed }.into()]);
    given::<Ticket>(closed).when(Command::Delete(AGENT)).then([TicketDeleted {}.into()]);
}

#[test]
fn an_end_user_deletes_nothing_and_a_stranger_learns_nothing() {
    given::<Ticket>(opened()).when(Command::Delete(REQUESTER)).then_refused(Rejection::AgentsDelete);
    given::<Ticket>(opened()).when(Command::Delete(STRANGER)).then_refused(Rejection::NotYours);
}
