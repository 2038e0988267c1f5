//! `GET /api/domicile/v1/audit/bundle` and `GET /api/domicile/v1/tickets/{id}/bundle`: all that a verification takes, as a tar, for admins
//! and auditors. The first is the tenant's whole archive, the second one ticket's events, each with its proof.
//!
//! Payloads in it are sealed. It is made while it is sent, an object at a time. What breaks off lacks the list of its files, which
//! comes last, and is no bundle.

use std::time::Duration;

use archive::tar;
use auditor::{
    Source,
    bundle::{
        self,
        copy::Listed,
        make::{About, Making, Sink, Stopped},
    },
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{FutureExt, SinkExt, StreamExt, channel::mpsc, future, stream};
use regions::Resident;
use schemas::{
    Position, StreamName, TicketId,
    audit::{ChangeNoted, FieldChange},
    values::{AuditAction, AuditSource},
};
use tokio::sync::OwnedSemaphorePermit;

use super::Archived;
use crate::{
    api::v2::ids::Id,
    body::RequestPrint,
    caller::Caller,
    execute::note,
    problem::{ApiError, ApiResult},
    state::Desk,
};

/// How long a client may take nothing: who stands still does not keep a place from others.
const PATIENCE: Duration = Duration::from_secs(60);
/// About how many files are to come, for whoever shows progress.
const FILES: HeaderName = HeaderName::from_static("x-domicile-files");
/// The key, the steps, the list, and a ticket's checkpoint or the archive's.
const FILES_BESIDE: usize = 4;

/// Answers the whole archive.
pub(crate) async fn of_tenant(State(desk): State<Desk>, caller: Caller, print: RequestPrint) -> ApiResult {
    caller.require_overseer()?;
    let place = desk.room().bundle()?;
    let archived = Archived::of(&desk, &caller.resident)?;
    archived.log().await?;
    let listed = Listed::of(&archived.objects).await.map_err(ApiError::unavailable)?;
    let listed = listed.ok_or_else(|| ApiError::unavailable("not archived yet"))?;
    let files = listed.count() + FILES_BESIDE;
    record(&desk, &caller, &print, None).await?;
    let making = Wanted { desk, resident: caller.resident, what: What::Tenant(listed), archived };
    Ok(answer(making, files, place))
}

/// Answers one ticket.
pub(crate) async fn of_ticket(
    State(desk): State<Desk>,
    caller: Caller,
    Id(ticket): Id<TicketId>,
    print: RequestPrint,
) -> ApiResult {
    caller.require_overseer()?;
    let place = desk.room().bundle()?;
    let mut transaction = regions::begin(&desk.pool, &caller.resident).await?;
    let stream = StreamName::Ticket(ticket);
    let version = eventlog::stream_version(&mut transaction, &caller.resident, &stream).await;
    if version.map_err(ApiError::internal)? == schemas::Version::ZERO {
        return Err(ApiError::not_found());
    }
    drop(transaction);
    let archived = Archived::of(&desk, &caller.resident)?;
    let up_to = archived.log().await?.head().size;
    let up_to = Position::new(i64::try_from(up_to).map_err(ApiError::internal)?);
    let mut transaction = regions::begin(&desk.pool, &caller.resident).await?;
    let positions = eventlog::positions_with_uploads(&mut transaction, &caller.resident, (&stream, up_to)).await;
    let positions = positions.map_err(ApiError::internal)?;
    drop(transaction);
    if positions.is_empty() {
        return Err(ApiError::unavailable("not archived yet"));
    }
    let files = 2 * positions.len() + FILES_BESIDE;
    record(&desk, &caller, &print, Some(ticket)).await?;
    let making = Wanted { desk, resident: caller.resident, what: What::Ticket(ticket, positions), archived };
    Ok(answer(making, files, place))
}

/// Tells the audit log that it leaves, before it does: what cannot be recorded is not given.
async fn record(desk: &Desk, caller: &Caller, print: &RequestPrint, ticket: Option<TicketId>) -> Result<(), ApiError> {
    let said = |field: &str, text: String| FieldChange { field: field.to_owned(), old: None, new: Some(text) };
    let of = ticket.map_or_else(|| "everything".to_owned(), |ticket| format!("ticket {ticket}"));
    let taken = ChangeNoted {
        action: AuditAction::Exported,
        source: AuditSource::History,
        source_id: ticket.map_or(0, TicketId::get),
        person: None,
        label: "Bundle".to_owned().into(),
        changes: vec![said("contents", of)].into(),
    };
    note(desk, &caller.issuer(desk, print), &taken).await?;
    Ok(())
}

fn answer(wanted: Wanted, files: usize, place: OwnedSemaphorePermit) -> Response {
    let name = match &wanted.what {
        What::Tenant(_) => format!("{}.tar", wanted.resident.slug()),
        What::Ticket(ticket, _) => format!("{}-ticket-{ticket}.tar", wanted.resident.slug()),
    };
    let (sender, parts) = mpsc::channel(0);
    let made = async move {
        let tenant_id = wanted.resident.tenant_id();
        let made = wanted.make(Tar { sender, patience: PATIENCE }).await;
        drop(place);
        match made {
            Err(Stopped::Sink(Broken::Gone)) | Ok(()) => None,
            Err(stopped) => {
                tracing::error!(tenant.id = %tenant_id, ?stopped, "a bundle broke off");
                // Whoever reads it must not take it for whole.
                Some(Err(std::io::Error::other("the bundle broke off")))
            }
        }
    };
    let body = stream::select(parts.map(Ok), made.into_stream().filter_map(future::ready));
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (FILES, files.to_string()),
    ];
    (headers, Body::from_stream(body)).into_response()
}

/// A bundle to be made.
struct Wanted {
    desk: Desk,
    resident: Resident,
    archived: Archived,
    what: What,
}

enum What {
    Tenant(Listed),
    Ticket(TicketId, Vec<Position>),
}

impl Wanted {
    async fn make(self, tar: Tar) -> Result<(), Stopped<Broken>> {
        let objects = &self.archived.objects;
        let mut end = tar.clone();
        let mut making = Making::begin(objects, Some(&self.archived.key), tar).await?;
        let ticket = match &self.what {
            What::Tenant(listed) => {
                listed.copy(objects, (&mut making, bundle::ARCHIVE), || {}).await?;
                None
            }
            What::Ticket(ticket, positions) => {
                let keys = objects.list().await.map_err(bundle::make::Error::Source)?;
                for position in positions {
                    let event = self.event(*position).await.map_err(Stopped::Sink)?;
                    making.event(&event, &keys).await?;
                }
                Some(*ticket)
            }
        };
        let about = About { ticket, has_payloads: false, made_at: self.desk.clock.now() };
        making.finish(about).await.map_err(Stopped::Sink)?;
        end.send(Bytes::from_static(&tar::END)).await.map_err(Stopped::Sink)
    }

    /// An event as the log holds it. What is archived is the same, or its proof and its payload do not fit, which whoever verifies sees.
    async fn event(&self, position: Position) -> Result<schemas::Recorded, Broken> {
        let mut transaction = regions::begin(&self.desk.pool, &self.resident).await.map_err(Broken::Begin)?;
        let before = Position::new(position.get() - 1);
        let found = eventlog::read_log(&mut transaction, &self.resident, before, 1).await.map_err(Broken::Read)?;
        found.into_iter().next().ok_or(Broken::NoEvent { position })
    }
}

/// Files onto a connection.
#[derive(Clone)]
struct Tar {
    sender: mpsc::Sender<Bytes>,
    patience: Duration,
}

/// Why a bundle was not sent to its end.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the client went away")]
    Gone,
    #[error("the client takes nothing")]
    Stalled,
    #[error("{path}: a tar takes no such path, or no file of {size} bytes")]
    DoesNotFit { path: String, size: u64 },
    #[error("a transaction could not be begun")]
    Begin(#[source] sqlx::Error),
    #[error("the log could not be read")]
    Read(#[source] eventlog::Error),
    #[error("the log holds no event at position {position}")]
    NoEvent { position: Position },
}

impl Tar {
    async fn send(&mut self, bytes: Bytes) -> Result<(), Broken> {
        let taken = tokio::time::timeout(self.patience, self.sender.send(bytes)).await;
        taken.map_err(|_| Broken::Stalled)?.map_err(|_| Broken::Gone)
    }
}

impl Sink for Tar {
    type Error = Broken;

    async fn put(&mut self, path: &str, bytes: Bytes) -> Result<(), Broken> {
        let size = bytes.len() as u64;
        let header = tar::header(path, size).ok_or_else(|| Broken::DoesNotFit { path: path.to_owned(), size })?;
        self.send(Bytes::copy_from_slice(&header)).await?;
        self.send(bytes).await?;
        self.send(Bytes::from_static(tar::padding(size))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_takes_nothing_or_goes_away_ends_the_bundle() {
        let (sender, parts) = mpsc::channel(0);
        let mut tar = Tar { sender, patience: Duration::from_millis(10) };
        let stalled = tar.put("a", Bytes::from_static(b"x")).await;
        assert!(matches!(stalled, Err(Broken::Stalled)), "{stalled:?}");
        drop(parts);
        let gone = tar.put("a", Bytes::from_static(b"x")).await;
        assert!(matches!(gone, Err(Broken::Gone)), "{gone:?}");
        let long = tar.put(&"a".repeat(300), Bytes::new()).await;
        assert!(matches!(long, Err(Broken::DoesNotFit { .. })), "{long:?}");
    }
}
