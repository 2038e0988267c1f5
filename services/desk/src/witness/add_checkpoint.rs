//! `POST /witness/add-checkpoint`: look at a tree head, and cosign it if it follows on the last one.

use std::time::Duration;

use archive::{
    Checkpoint,
    checkpoint::origin,
    cosignature,
    merkle::{
        empty_root,
        proof::{Tree, consistency_holds},
    },
    note::{self, Verifier},
    witness::AddCheckpoint,
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use eventlog::witness::{self, ForeignLog, Head};
use schemas::{Hash, RegionId};

use super::{keys, signer};
use crate::{
    body::{self, Limit},
    problem::ApiError,
    state::Desk,
};

/// Longer than any request: 64 hashes, three lines and a few signatures.
const LIMIT: Limit = Limit { bytes: 16 * 1024, patience: Duration::from_secs(10) };

pub(super) const MALFORMED: &str = "takes old size, proof and checkpoint\n";
pub(super) const UNKNOWN_LOG: &str = "no log of another region\n";

/// Why a head is not cosigned, in the protocol's words.
enum Refusal {
    /// 400: no such request, or it asks for a smaller tree than it says it had.
    Malformed,
    /// 404: the log is none of another region's.
    UnknownLog,
    /// 403: not signed by the log's key.
    Unsigned,
    /// 409: the last head that was cosigned has another size.
    OldSize(u64),
    /// 422: it is not shown to follow on the last one.
    Inconsistent,
    /// 503: this desk cannot know the log's key.
    NoKeys,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, MALFORMED).into_response(),
            Self::UnknownLog => (StatusCode::NOT_FOUND, UNKNOWN_LOG).into_response(),
            Self::Unsigned => (StatusCode::FORBIDDEN, "not signed by the log's key\n").into_response(),
            Self::OldSize(size) => {
                (StatusCode::CONFLICT, [(header::CONTENT_TYPE, "text/x.tlog.size")], format!("{size}\n"))
                    .into_response()
            }
            Self::Inconsistent => {
                (StatusCode::UNPROCESSABLE_ENTITY, "not shown to follow on the last one\n").into_response()
            }
            Self::NoKeys => {
                (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", keys::Error::NoDirectoryKey)).into_response()
            }
        }
    }
}

pub(super) async fn add_checkpoint(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Some((request, claimed)) = asked(&desk, &headers, body).await? else {
        return Ok(Refusal::Malformed.into_response());
    };
    let Some(log) = log_of(&desk, &claimed.origin) else { return Ok(Refusal::UnknownLog.into_response()) };
    let signed = |key: Verifier| note::only_by(&request.checkpoint, &key).ok();
    let opened =
        desk.witness.keys.opened(&log.region, |keys| signed(Verifier::new(&claimed.origin, keys.newest()))).await;
    let note = match opened {
        Ok(Some(note)) => note,
        Ok(None) => return Ok(Refusal::Unsigned.into_response()),
        Err(keys::Error::NoDirectoryKey) => return Ok(Refusal::NoKeys.into_response()),
        Err(error) => return Err(ApiError::unavailable(error)),
    };
    let shown = Shown { log, head: claimed, request: AddCheckpoint { checkpoint: note, ..request } };
    Ok(match shown.cosign(&desk).await? {
        Ok(line) => format!("{line}\n").into_response(),
        Err(refusal) => refusal.into_response(),
    })
}

/// A request, and what its checkpoint says. Nothing if it is none.
pub(super) async fn asked(
    desk: &Desk,
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<(AddCheckpoint, Checkpoint)>, ApiError> {
    let body = body::read(desk.room(), headers, body, LIMIT).await?;
    let request = std::str::from_utf8(&body.bytes).ok().and_then(AddCheckpoint::parse);
    Ok(request.and_then(|request| claimed(&request).map(|claimed| (request, claimed))))
}

/// The tree under a head.
pub(super) fn tree(head: &Checkpoint) -> Tree {
    Tree { size: head.size, root: head.root }
}

/// What the checkpoint says; only with the three lines that ours have.
fn claimed(request: &AddCheckpoint) -> Option<Checkpoint> {
    let is_plain = note::text(&request.checkpoint).ok()?.lines().count() == 3;
    Checkpoint::claimed(&request.checkpoint).ok().filter(|head| is_plain && i64::try_from(head.size).is_ok())
}

/// The log of another region that an origin names.
pub(super) fn log_of(desk: &Desk, named: &str) -> Option<ForeignLog> {
    let (region, tenant_id) = named.strip_prefix("domicile/")?.split_once('/')?;
    let (region, tenant_id): (RegionId, _) = (region.parse().ok()?, tenant_id.parse().ok()?);
    let is_foreign = region != desk.region.id && desk.regions.get(&region).is_some();
    let is_so_spelled = origin(&region, tenant_id) == named;
    let origin_sha256 = Hash::of(&[named.as_bytes()]);
    (is_foreign && is_so_spelled).then_some(ForeignLog { tenant_id, region, origin_sha256 })
}

/// A head that the log's key has signed.
struct Shown {
    log: ForeignLog,
    head: Checkpoint,
    /// The checkpoint in it has the log's signature and no other.
    request: AddCheckpoint,
}

impl Shown {
    /// Compares with the last head and takes its place. The cosignature is made before and given away after: a crash between
    /// leaves a head that nobody was told is cosigned, and that is cosigned when it is shown again.
    async fn cosign(&self, desk: &Desk) -> Result<Result<String, Refusal>, ApiError> {
        let (now, signer) = (desk.clock.now(), signer(desk).map_err(ApiError::internal)?);
        let line = cosignature::line(&self.request.checkpoint, &signer, now).map_err(ApiError::internal)?;
        let cosigned = self.head(format!("{}{line}\n", self.request.checkpoint));
        let mut connection = desk.pool.acquire().await?;
        // Whoever moves the last head between the look and the swap makes it larger, so the second look is the end.
        loop {
            let last = witness::seen(&mut connection, &self.log).await.map_err(ApiError::internal)?;
            if let Err(refusal) = self.follows(last.as_ref())? {
                let theirs = self.head(self.request.checkpoint.clone());
                // The very head that was cosigned contradicts nothing, whatever proof it comes with.
                if let (Refusal::Inconsistent, Some(last)) = (&refusal, &last)
                    && theirs.sha256 != last.sha256
                {
                    let kept = witness::put_conflict(&mut connection, &self.log, (last, &theirs), now).await;
                    if kept.map_err(ApiError::internal)? {
                        self.report(desk, last);
                    }
                }
                return Ok(Err(refusal));
            }
            let swapped = witness::swap_seen(&mut connection, &self.log, (last.as_ref(), &cosigned), now).await;
            if swapped.map_err(ApiError::internal)? {
                return Ok(Ok(line));
            }
        }
    }

    fn head(&self, note: String) -> Head {
        let text = note::text(&note).unwrap_or_default();
        Head { size: self.head.size, sha256: Hash::of(&[text.as_bytes()]), note }
    }

    /// Whether it follows on the last head, as the protocol checks it. An error if that one cannot be read.
    fn follows(&self, last: Option<&Head>) -> Result<Result<(), Refusal>, ApiError> {
        let old = match last {
            Some(last) => tree(&Checkpoint::claimed(&last.note).map_err(ApiError::internal)?),
            None => Tree { size: 0, root: empty_root() },
        };
        let new = tree(&self.head);
        if self.request.old_size > new.size {
            return Ok(Err(Refusal::Malformed));
        }
        if self.request.old_size != old.size {
            return Ok(Err(Refusal::OldSize(old.size)));
        }
        let is_consistent =
            (new.size > 0 || new.root == empty_root()) && consistency_holds(&old, &new, &self.request.proof);
        Ok(if is_consistent { Ok(()) } else { Err(Refusal::Inconsistent) })
    }

    /// Says that the region tells two histories, or has not shown yet that it tells one.
    fn report(&self, desk: &Desk, last: &Head) {
        let (of, last_size, size) = (self.log.region.as_str(), last.size, self.head.size);
        if last_size == size {
            desk.metrics.witness_forks.with_label_values(&[of]).inc();
            tracing::error!(tenant.id = %self.log.tenant_id, of, size,
                "a log of another region was forked: it has signed two histories of one size; both tree heads are kept");
        } else {
            tracing::warn!(tenant.id = %self.log.tenant_id, of, last_size, size,
                "a tree head of another region is not shown to follow on the last one; it is not cosigned, and both tree heads are kept \
                 until the region shows it");
        }
    }
}
