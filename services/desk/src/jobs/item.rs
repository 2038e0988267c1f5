//! One item of a job: the command that a request of its own would give.

use axum::http::StatusCode;
use domain::{
    job::{FinishItem, Job, Rejection},
    ticket::{Command, Ticket},
};
use regions::Resident;
use schemas::{CommandId, Hash, JobId, StreamName, TicketId, job::JobQueued, values::JobKind};
use serde_json::{Map, Value};

use super::work::issuer;
use crate::{
    api::v2::tickets::{
        create::{self, Intake},
        merge, spam, update,
    },
    body::Fields,
    caller::Caller,
    execute::{Done, Issuer, PartOf, Refusal, execute},
    problem::ApiError,
    state::Desk,
};

/// Does an item, or notes why it is refused. An error says that it waits on.
pub(super) async fn finish(
    desk: &Desk,
    (resident, asker): (&Resident, Option<&Caller>),
    (job, queued): (&Job, &JobQueued),
    index: u32,
) -> Result<(), ApiError> {
    let part_of = Some(PartOf { job: queued.job, index });
    let by = Issuer { command_id: command_id(queued.job, index), part_of, ..issuer(desk, resident, queued) };
    let attempted = match asker {
        Some(asker) => attempt(desk, asker, &by, (job, queued, index)).await,
        None => Err(ApiError::forbidden("whoever asked for it was deleted meanwhile")),
    };
    let Err(error) = attempted else { return Ok(()) };
    if is_passing(&error) {
        return Err(error);
    }
    note(desk, &by, (queued, index), item_id(job, index), &error).await
}

/// The same for whoever tries: events of one item never have two.
fn command_id(job: JobId, index: u32) -> CommandId {
    let hash = Hash::of(&[job.get().as_bytes(), &index.to_be_bytes()]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    CommandId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// What will be otherwise in a moment: nobody is told that it was refused.
fn is_passing(error: &ApiError) -> bool {
    matches!(
        error.status(),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS | StatusCode::MISDIRECTED_REQUEST
    )
}

async fn attempt(
    desk: &Desk,
    asker: &Caller,
    by: &Issuer,
    (job, queued, index): (&Job, &JobQueued, u32),
) -> Result<Done, ApiError> {
    let object = object(job, index).ok_or_else(|| ApiError::internal("an item that waits has no text"))?;
    let ticket = || object.get("id").and_then(Value::as_i64).map(TicketId::new).ok_or_else(ApiError::not_found);
    match queued.kind {
        JobKind::CreateTickets => create::open(desk, asker, by, (Fields::new(&object, ""), Intake::Now)).await,
        JobKind::ImportTickets => create::open(desk, asker, by, (Fields::new(&object, ""), Intake::Past)).await,
        JobKind::MergeTickets => merge::carry_out(desk, asker, by, &object).await,
        JobKind::UpdateTickets | JobKind::SolveIncidents => {
            let row = update::in_sight(desk, asker, ticket()?).await?;
            update::change(desk, asker, by, (&row, Fields::new(&object, ""))).await
        }
        JobKind::MarkTicketsAsSpam => spam::carry_out(desk, asker, by, ticket()?).await,
        JobKind::DeleteTickets => {
            let (stream, command) = (StreamName::Ticket(ticket()?), Command::Delete(asker.by()));
            Ok(execute::<Ticket>(desk, by, stream, None, &command).await?)
        }
    }
}

/// The item, over what is the same for all.
fn object(job: &Job, index: u32) -> Option<Map<String, Value>> {
    let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let mut object = job.shared().and_then(read).unwrap_or_default();
    object.extend(read(job.item(index)?.expose())?);
    Some(object)
}

fn item_id(job: &Job, index: u32) -> Option<i64> {
    object(job, index)?.get("id")?.as_i64()
}

/// Notes that an item was refused.
async fn note(
    desk: &Desk,
    by: &Issuer,
    (queued, index): (&JobQueued, u32),
    item: Option<i64>,
    error: &ApiError,
) -> Result<(), ApiError> {
    let by = Issuer { part_of: None, ..by.clone() };
    let refused = Some((error_of(queued.kind).to_owned(), error.sentence().into()));
    let finish = FinishItem { index, item, refused }.into();
    match execute::<Job>(desk, &by, StreamName::Job(queued.job), None, &finish).await {
        // Somebody else did it meanwhile.
        Ok(_) | Err(Refusal::Rejected(Rejection::ItemDone)) => Ok(()),
        Err(Refusal::Rejected(rejection)) => Err(ApiError::internal(rejection)),
        Err(Refusal::Failed(failure)) => Err(failure.into()),
    }
}

/// The word of the reference for an item that was refused.
const fn error_of(kind: JobKind) -> &'static str {
    match kind {
        JobKind::CreateTickets | JobKind::ImportTickets => "TicketCreateFailed",
        JobKind::MergeTickets => "TicketMergeFailed",
        JobKind::UpdateTickets | JobKind::SolveIncidents => "TicketUpdateFailed",
        JobKind::DeleteTickets => "TicketDeleteFailed",
        JobKind::MarkTicketsAsSpam => "TicketMarkAsSpamFailed",
    }
}
