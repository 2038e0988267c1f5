//! Files that a comment brings along: upload tokens become attachments.

use jiff::Timestamp;
use schemas::{AttachmentId, Hash};

use super::settle;
use crate::{
    caller::Caller,
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
    for token in tokens {
        let rows = of_token(desk, caller, token).await?;
        if rows.is_empty() || !rows.iter().all(|row| is_claimable(row, caller, at)) {
            return Err(ApiError::invalid("comment.uploads", format!("comment.uploads: {TAKES}"), "InvalidValue"));
        }
        files.extend(rows.iter().map(|row| AttachmentId::new(row.attachment_id)));
    }
    Ok(files)
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
    let mut transaction = regions::begin(&desk.pool, &caller.resident).await?;
    let ids = read::attachments::ids_of_token(&mut transaction, &caller.resident, &hash(token)).await?;
    Ok(read::attachments::many(&mut transaction, &caller.resident, &ids).await?)
}
