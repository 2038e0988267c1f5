//! What ties a ticket to moments, problems and people, the same whether it is opened or changed.

use schemas::{
    PersonId, TicketId,
    ticket::{DueSet, EmailCcsSet, FollowersSet, ProblemSet, TicketEvent},
    values::TicketType,
};

use super::super::{CIRCLE_MAX, Circle, Details, Further, Rejection};

/// What changes, in a fixed order. `ticket_type` is the one it has afterwards.
pub(super) fn events(
    details: &Details,
    ticket_type: Option<TicketType>,
    further: &Further,
) -> Result<Vec<TicketEvent>, Rejection> {
    let mut events = Vec::new();
    if let Some(due_at) = further.due_at.filter(|&asked| asked != details.due_at) {
        events.push(DueSet { due_at }.into());
    }
    let problem = problem(details, ticket_type, further)?;
    if problem != details.problem {
        events.push(ProblemSet { problem }.into());
    }
    let (email_ccs, followers) = circles(details, further)?;
    if email_ccs != details.email_ccs {
        events.push(EmailCcsSet { people: email_ccs }.into());
    }
    if followers != details.followers {
        events.push(FollowersSet { people: followers }.into());
    }
    Ok(events)
}

/// The problem afterwards. What is no incident has none, also what was one.
fn problem(
    details: &Details,
    ticket_type: Option<TicketType>,
    further: &Further,
) -> Result<Option<TicketId>, Rejection> {
    let is_incident = ticket_type == Some(TicketType::Incident);
    match further.problem {
        Some(Some(_)) if !is_incident => Err(Rejection::NoIncident),
        Some(asked) => Ok(asked),
        None => Ok(details.problem.filter(|_| is_incident)),
    }
}

/// Who gets copies and who follows afterwards.
fn circles(details: &Details, further: &Further) -> Result<(Vec<PersonId>, Vec<PersonId>), Rejection> {
    let (mut email_ccs, mut followers) = (details.email_ccs.clone(), details.followers.clone());
    if let Some(all) = &further.collaborators {
        email_ccs.retain(|person| all.contains(person));
        followers.retain(|person| all.contains(person));
        email_ccs.extend(all.iter().filter(|person| !followers.contains(person)));
    }
    Ok((circle("email_ccs", email_ccs, &further.email_ccs)?, circle("followers", followers, &further.followers)?))
}

fn circle(field: &'static str, people: Vec<PersonId>, change: &Circle) -> Result<Vec<PersonId>, Rejection> {
    let mut people = change.all.clone().unwrap_or(people);
    people.extend(&change.put);
    people.retain(|person| !change.delete.contains(person));
    people.sort_unstable();
    people.dedup();
    if people.len() > CIRCLE_MAX {
        return Err(Rejection::Invalid { field, takes: format!("at most {CIRCLE_MAX} people") });
    }
    Ok(people)
}
