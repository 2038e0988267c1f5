//! Saying something on a ticket.

use super::*;

#[test]
fn a_ticket_that_is_not_open_takes_no_comment() {
    given::<Ticket>([]).when(comment_by(AGENT, public("Hello?"))).then_refused(Rejection::Unknown);
}

#[test]
fn a_closed_ticket_refuses_comments() {
    for by in [REQUESTER, AGENT, ADMIN] {
        given::<Ticket>(ticket_in(Status::Closed))
            .when(comment_by(by, public("One more thing")))
            .then_refused(Rejection::Closed);
    }
}

#[test]
fn the_requester_reopens_a_pending_or_solved_ticket() {
    for status in [Status::Pending, Status::Solved] {
        given::<Ticket>(ticket_in(status))
            .when(comment_by(REQUESTER, public("Still whistles")))
            .then([status_set(Status::Open), said(REQUESTER, Visibility::Public, "Still whistles")]);
    }
}

#[test]
fn an_agent_who_writes_down_what_the_requester_said_reopens_too() {
    let comment = Comment { author: Some(REQUESTER), ..public("Still whistles") };
    given::<Ticket>(ticket_in(Status::Solved))
        .when(comment_by(AGENT, comment))
        .then([status_set(Status::Open), said(REQUESTER, Visibility::Public, "Still whistles")]);
}

#[test]
fn the_requester_does_not_move_a_ticket_that_is_new_open_or_on_hold() {
    for status in [Status::New, Status::Open, Status::Hold] {
        given::<Ticket>(ticket_in(status)).when(comment_by(REQUESTER, public("Any news?"))).then([said(
            REQUESTER,
            Visibility::Public,
            "Any news?",
        )]);
    }
}

#[test]
fn the_first_public_reply_of_an_agent_opens_a_new_ticket() {
    given::<Ticket>(ticket_in(Status::New))
        .when(comment_by(AGENT, public("We look into it")))
        .then([status_set(Status::Open), said(AGENT, Visibility::Public, "We look into it")]);
}

#[test]
fn an_internal_note_moves_nothing() {
    for status in [Status::New, Status::Pending, Status::Solved] {
        given::<Ticket>(ticket_in(status)).when(comment_by(AGENT, internal("Third one"))).then([said(
            AGENT,
            Visibility::Internal,
            "Third one",
        )]);
    }
}

#[test]
fn an_agent_who_replies_does_not_reopen() {
    for status in [Status::Pending, Status::Solved] {
        given::<Ticket>(ticket_in(status)).when(comment_by(AGENT, public("By the way"))).then([said(
            AGENT,
            Visibility::Public,
            "By the way",
        )]);
    }
}

#[test]
fn a_stranger_cannot_tell_a_ticket_from_another() {
    for status in [Status::New, Status::Closed] {
        given::<Ticket>(ticket_in(status)).when(comment_by(STRANGER, public(""))).then_refused(Rejection::NotYours);
    }
}

#[test]
fn an_end_user_writes_no_internal_notes_and_speaks_for_nobody_else() {
    let ticket = || given::<Ticket>(ticket_in(Status::Open));
    let agents_only = |field| Rejection::AgentsOnly { field };
    ticket().when(comment_by(REQUESTER, internal("psst"))).then_refused(agents_only("comment.public"));
    let forged = Comment { author: Some(AGENT), ..public("Granted.") };
    ticket().when(comment_by(REQUESTER, forged)).then_refused(agents_only("comment.author_id"));
    let unreadable = Comment { author: Some(REQUESTER), ..internal("psst") };
    ticket().when(comment_by(AGENT, unreadable)).then_refused(agents_only("comment.public"));
}

#[test]
fn a_blank_comment_is_refused_even_with_a_file() {
    let comment = Comment { attachments: vec![AttachmentId::new(3)], ..public(" \n ") };
    given::<Ticket>(ticket_in(Status::Open)).when(comment_by(AGENT, comment)).then_refused_field("comment.body");
}

#[test]
fn a_file_comes_along_once() {
    let attachments = [3, 4, 3].map(AttachmentId::new).to_vec();
    let comment = Comment { attachments, ..internal("The recordings") };
    let TicketEvent::CommentAdded(said) = said(AGENT, Visibility::Internal, "The recordings") else {
        unreachable!("said makes comments")
    };
    given::<Ticket>(ticket_in(Status::Open)).when(comment_by(AGENT, comment)).then([CommentAdded {
        attachments: [3, 4].map(AttachmentId::new).to_vec(),
        ..said
    }
    .into()]);
    let too_many = (0..=100).map(AttachmentId::new).collect();
    let comment = Comment { attachments: too_many, ..public("Everything") };
    given::<Ticket>(ticket_in(Status::Open)).when(comment_by(AGENT, comment)).then_refused_field("comment.uploads");
}
