//! Waiting until a write can be read.
//!
//! A write is done when it is in the log. Its answer waits a moment for the projections that show it, so that a client
//! reads its own writes; if they are late, the answer goes out all the same and says so.

use std::time::Duration;

use axum::{
    http::{HeaderName, HeaderValue},
    response::{IntoResponseParts, ResponseParts},
};
use regions::Resident;
use schemas::Position;
use tokio::time::Instant;

use crate::state::Desk;

/// How long an answer waits for the read models.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE_MIN: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(50);

const POSITION: HeaderName = HeaderName::from_static("x-domicile-position");
const VISIBLE: HeaderName = HeaderName::from_static("x-domicile-visible");
const REPLAYED: HeaderName = HeaderName::from_static("x-domicile-replayed");

/// Whether the read models show a write already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visible {
    /// They do.
    Yes,
    /// Not within the time we wait; they will.
    NotYet,
}

/// The headers of every answer to a write: `X-Domicile-Position` and `X-Domicile-Visible`; and `X-Domicile-Replayed`, if
/// an earlier request with the same idempotency key did the work. Put it before the body:
/// `(StatusCode::CREATED, written, Json(..))`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    /// The last position the write took.
    pub(crate) position: Position,
    /// Whether it can be read.
    pub(crate) visible: Visible,
    /// Whether it was done earlier.
    pub(crate) replayed: bool,
    /// Whether it wrote nothing now: what the answer tells was read, and nothing else says by whom.
    pub(crate) is_read: bool,
}

/// On the answer to a command that wrote nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WroteNothing;

impl IntoResponseParts for Written {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        let visible = match self.visible {
            Visible::Yes => "yes",
            Visible::NotYet => "pending",
        };
        parts.headers_mut().insert(POSITION, HeaderValue::from(self.position.get()));
        parts.headers_mut().insert(VISIBLE, HeaderValue::from_static(visible));
        if self.replayed {
            parts.headers_mut().insert(REPLAYED, HeaderValue::from_static("yes"));
        }
        if self.is_read {
            parts.extensions_mut().insert(WroteNothing);
        }
        Ok(parts)
    }
}

/// Waits, at most two seconds, until each of `projections` has handled `position` of the tenant.
pub(crate) async fn wait(desk: &Desk, resident: &Resident, position: Position, projections: &[&str]) -> Visible {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = PAUSE_MIN;
    loop {
        match progress(desk, resident, position, projections).await {
            Ok(Progress::Reached) => return Visible::Yes,
            // A projection that stands still for this tenant will not move while we look.
            Ok(Progress::Halted) => return Visible::NotYet,
            Ok(Progress::Behind) => {}
            // The write is done; that we cannot look must not turn its answer into an error.
            Err(error) => {
                tracing::warn!(error = runtime::chain(&error), "cannot see how far the read models are");
                return Visible::NotYet;
            }
        }
        if Instant::now() + pause >= deadline {
            return Visible::NotYet;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

enum Progress {
    Reached,
    Behind,
    Halted,
}

async fn progress(
    desk: &Desk,
    resident: &Resident,
    position: Position,
    projections: &[&str],
) -> Result<Progress, sqlx::Error> {
    let (names, shapes) = desk.read_models.only(projections).columns();
    let mut transaction = regions::begin(&desk.pool, resident).await?;
    let row = sqlx::query!(
        r#"select count(*) filter (where checkpoint.position >= $2) as "reached!",
                  count(checkpoint.halted_at_position) as "halted!"
           from unnest($3::text[], $4::integer[]) as known (name, shape)
           join read.serving as serving on serving.projection = known.name and serving.shape = known.shape
           join read.checkpoint as checkpoint on checkpoint.tenant_id = $1
             and checkpoint.projection = serving.projection and checkpoint.version = serving.version"#,
        resident.tenant_id().get(),
        position.get(),
        &names as _,
        &shapes,
    )
    .fetch_one(&mut *transaction)
    .await?;
    Ok(match usize::try_from(row.reached) {
        Ok(reached) if reached == projections.len() => Progress::Reached,
        _ if row.halted > 0 => Progress::Halted,
        _ => Progress::Behind,
    })
}
