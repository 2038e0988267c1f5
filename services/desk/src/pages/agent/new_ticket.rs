//! `GET /agent/tickets/new` and `POST /agent/tickets`: a ticket that an agent opens, for somebody who called for instance.

use askama::Template;
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Redirect},
};
use schemas::StreamName;
use serde_json::{Map, Value, json};

use super::{
    Agent, Shell,
    attributes::Attributes,
    choices::{Choices, Field, Offered},
    faults::Faults,
};
use crate::{
    api::{
        settle,
        v2::tickets::create::{self, Intake},
    },
    body::{Fields, form::Form},
    caller::Caller,
    execute::replayed,
    pages::frame::Frame,
    problem::{ApiError, ApiResult},
    state::Desk,
    visible::WroteNothing,
};

#[derive(Template)]
#[template(path = "agent/new_ticket.html")]
struct NewTicketPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    once: String,
    faults: &'a Faults,
    typed: &'a Typed,
    status: Field,
    fields: Vec<Field>,
}

/// What was typed.
#[derive(Default)]
struct Typed {
    attributes: Attributes,
    requester_name: String,
    comment: String,
    is_note: bool,
}

impl Typed {
    fn read(form: &Form, offered: &Offered) -> Self {
        Self {
            attributes: Attributes::read(form, &offered.known),
            requester_name: form.text("requester_name").to_owned(),
            comment: form.text("comment").to_owned(),
            is_note: form.text("said") == "note",
        }
    }

    fn subject(&self) -> &str {
        self.attributes.text("subject")
    }

    fn requester(&self) -> &str {
        self.attributes.text("requester")
    }

    /// What was said, as the API takes it.
    fn request(&self, offered: &Offered) -> Map<String, Value> {
        let mut request = self.attributes.changed_from(&Attributes::default()).request(&offered.known);
        if let Some(Value::Object(requester)) = request.get_mut("requester")
            && !self.requester_name.is_empty()
        {
            requester.insert("name".to_owned(), json!(self.requester_name));
        }
        request.insert("comment".to_owned(), json!({"body": self.comment, "public": !self.is_note}));
        request.insert("via".to_owned(), json!({"channel": "web"}));
        request
    }
}

/// The empty form.
pub(super) async fn show(State(desk): State<Desk>, Agent(caller): Agent, frame: Frame) -> ApiResult {
    let offered = offered(&desk, &caller).await?;
    let (typed, faults) = (Typed::default(), Faults::default());
    frame.page(&page((&desk, &caller, &frame), &offered, &typed, &faults))
}

/// Opens the ticket and goes to it; or shows the form again with what is wrong.
pub(super) async fn open(State(desk): State<Desk>, Agent(caller): Agent, frame: Frame, form: Form) -> ApiResult {
    let by = caller.issuer(&desk, &form.print);
    let offered = offered(&desk, &caller).await?;
    let typed = Typed::read(&form, &offered);
    let request = typed.request(&offered);
    let done = match replayed(&desk, &by).await? {
        Some(done) => Ok(done),
        None => create::open(&desk, &caller, &by, (Fields::new(&request, ""), Intake::Now)).await,
    };
    let done = match done {
        Ok(done) => done,
        Err(error) if !error.fields().is_empty() => {
            let faults = Faults::of(&error, &frame.words, &offered.known);
            let page = frame.respond(error.status(), &page((&desk, &caller, &frame), &offered, &typed, &faults))?;
            return Ok((Extension(WroteNothing), page).into_response());
        }
        Err(error) => return Err(error),
    };
    let Some(StreamName::Ticket(ticket)) = done.stream else { return Err(ApiError::idempotency_key_reused()) };
    let written = settle::settled(&desk, &caller.resident, &done, settle::TICKET).await;
    Ok((written, Redirect::to(&format!("/agent/tickets/{ticket}"))).into_response())
}

async fn offered(desk: &Desk, caller: &Caller) -> Result<Offered, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let offered = Offered::load(&mut transaction, caller).await?;
    caller.reading.of(offered.agents());
    Ok(offered)
}

fn page<'a>(
    (desk, caller, frame): (&Desk, &Caller, &'a Frame),
    offered: &Offered,
    typed: &'a Typed,
    faults: &'a Faults,
) -> NewTicketPage<'a> {
    let Choices { status, fields } = offered.choices(&typed.attributes, &frame.words, faults);
    let once = desk.ids.uuid().to_string();
    NewTicketPage { frame, shell: Shell::of(caller), once, faults, typed, status, fields }
}

#[cfg(test)]
mod tests;
