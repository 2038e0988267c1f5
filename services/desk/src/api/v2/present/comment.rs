//! Comments with the files that came along.

use serde_json::{Value, json};

use super::{attachment::Files, metadata, moment, via};
use crate::{api::html, caller::Caller, problem::ApiError, read::comments::Comment, state::Desk};

/// The comments as the API shows them.
pub(crate) async fn comments(desk: &Desk, caller: &Caller, rows: &[Comment]) -> Result<Vec<Value>, ApiError> {
    let ids: Vec<i64> = rows.iter().flat_map(|row| row.attachment_ids.iter().copied()).collect();
    let files = Files::load(desk, caller, &ids).await?;
    Ok(rows.iter().map(|row| comment(row, &files)).collect())
}

fn comment(row: &Comment, files: &Files) -> Value {
    json!({
        "id": row.comment_id,
        "type": "Comment",
        "author_id": row.author_id,
        "body": row.body,
        "html_body": html::of_comment(&row.body, row.html_body.as_deref()),
        "plain_body": row.body,
        "public": row.is_public,
        "attachments": files.of(&row.attachment_ids),
        "audit_id": row.audit_id,
        "via": via(&row.channel),
        "created_at": moment(row.created_at),
        "metadata": metadata(),
    })
}
