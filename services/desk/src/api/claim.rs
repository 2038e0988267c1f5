//! Files that a comment brings along: upload tokens become attachments.
//!
//! The read model finds the files of a token, and refuses early; the claim itself is decided on each file's stream, in the
//! same append as the comment, so that of two comments that claim a file at once one is refused.

use domain::upload::{Claim, Upload};
use jiff::Timestamp;
use schemas::{AttachmentId, Hash, PersonId, StreamName, TicketId};

use super::settle;
use crate::{
    caller::Caller,
    execute::{Batch, Issuer},
    problem::ApiError,
    read::{self, attachments::Attachment},
    state::Desk,
};

/// What the field takes, for every reason a token is refused: which one it was is nobody's business.
const TAKES: &str = "takes tokens of the caller's own uploads of the last 3 days that no comment has used";

/// How a token is kept: its SHA-256 in hex.
pub(crate) fn hash(token: &str) -> String {
    Hash::of(&[token.as_bytes()]).to_string()
}

/// The files behind the tokens, in order.
pub(crate) async fn files(
    desk: &Desk,
    caller: &Caller,
    tokens: &[String],
    at: Timestamp,
) -> Result<Vec<AttachmentId>, ApiError> {
    let mut files = Vec::with_capacity(tokens.len());
    let once = tokens.iter().enumerate().filter(|(place, token)| !tokens[..*place].contains(token));
    for (_, token) in once {
        let rows = of_token(desk, caller, token).await?;
        if rows.is_empty() || !rows.iter().all(|row| is_claimable(row, caller, at)) {
            return Err(refused());
        }
        files.extend(rows.iter().map(|row| AttachmentId::new(row.attachment_id)));
    }
    Ok(files)
}

/// Adds the claims of a comment's files to a command on a ticket.
pub(crate) async fn decide<'a>(
    mut batch: Batch<'a>,
    by: &Issuer,
    (ticket, person): (TicketId, PersonId),
    files: &[AttachmentId],
) -> Result<Batch<'a>, ApiError> {
    let command = Claim { ticket, by: person, at: by.at }.into();
    for file in files {
        batch = batch.decide::<Upload>(StreamName::Upload(*file), None, &command).await?;
    }
    Ok(batch)
}

/// The refusal of a token, or of a file that somebody claimed since its token was looked up.
pub(crate) fn refused() -> ApiError {
    ApiError::invalid("comment.uploads", format!("comment.uploads: {TAKES}"), "InvalidValue")
}

/// Refuses an idempotency key where the answer holds a secret that nobody keeps: a repeated request could not be answered as
/// the first one was.
pub(crate) fn refuse_key(by: &Issuer) -> Result<(), ApiError> {
    match by.idempotency {
        None => Ok(()),
        Some(_) => Err(ApiError::invalid(
            "Idempotency-Key",
            "Idempotency-Key: is not taken here, because the token in the answer is shown once",
            "InvalidValue",
        )),
    }
}

/// Whether the caller may still use the file in a comment, or add a file to its upload.
pub(crate) fn is_claimable(row: &Attachment, caller: &Caller, at: Timestamp) -> bool {
    row.uploader_id == caller.person.get() && row.comment_id.is_none() && at < row.token_expires_at
}

/// The files of an upload, also of one that arrived a moment ago.
pub(crate) async fn of_token(desk: &Desk, caller: &Caller, token: &str) -> Result<Vec<Attachment>, ApiError> {
    let rows = read_token(desk, caller, token).await?;
    if !rows.is_empty() {
        return Ok(rows);
    }
    settle::catch_up(desk, &caller.resident, settle::FILES).await?;
    read_token(desk, caller, token).await
}

async fn read_token(desk: &Desk, caller: &Caller, token: &str) -> Result<Vec<Attachment>, ApiError> {
    let mut transaction = desk.reading(&caller.resident).await?;
    let ids = read::attachments::ids_of_token(&mut transaction, &caller.resident, &hash(token)).await?;
    Ok(read::attachments::many(&mut transaction, &caller.resident, &ids).await?)
}
