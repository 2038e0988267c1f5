//! An attachment, and the address its content is at.

use std::collections::HashMap;

use schemas::AttachmentId;
use serde_json::{Value, json};

use crate::{
    api::v2::{attachments::token, page::encode},
    caller::Caller,
    problem::ApiError,
    read::{self, attachments::Attachment},
    state::Desk,
};

/// The attachment as the API shows it.
pub(crate) async fn attachment(desk: &Desk, caller: &Caller, row: &Attachment) -> Result<Value, ApiError> {
    let token = token::of(desk, &caller.resident, AttachmentId::new(row.attachment_id)).await?;
    let content_url = caller.origin.url(&format!("/attachments/token/{token}/?name={}", encode(&row.file_name)));
    Ok(json!({
        "id": row.attachment_id,
        "url": caller.origin.url(&format!("/api/v2/attachments/{}.json", row.attachment_id)),
        "file_name": row.file_name,
        "content_type": row.content_type,
        "size": row.size_bytes,
        "width": null,
        "height": null,
        "content_url": content_url,
        "mapped_content_url": content_url,
        "inline": false,
        "deleted": false,
        "malware_access_override": false,
        "malware_scan_result": "not_scanned",
        "thumbnails": [],
    }))
}

/// Several of them.
pub(crate) async fn attachments(desk: &Desk, caller: &Caller, rows: &[Attachment]) -> Result<Vec<Value>, ApiError> {
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        shown.push(attachment(desk, caller, row).await?);
    }
    Ok(shown)
}

/// The files of the comments of an answer, ready to be shown.
pub(crate) struct Files(HashMap<i64, Value>);

impl Files {
    /// Reads and presents these files. It opens a transaction of its own, and closes it before the vault is asked: whoever
    /// holds a connection while waiting for another can wait for ever.
    pub(crate) async fn load(desk: &Desk, caller: &Caller, ids: &[i64]) -> Result<Self, ApiError> {
        if ids.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let mut transaction = desk.reading(&caller.resident).await?;
        let rows = read::attachments::many(&mut transaction, &caller.resident, ids).await?;
        drop(transaction);
        let shown = attachments(desk, caller, &rows).await?;
        Ok(Self(rows.iter().map(|row| row.attachment_id).zip(shown).collect()))
    }

    /// Those of one comment, in order.
    pub(crate) fn of(&self, ids: &[i64]) -> Vec<&Value> {
        ids.iter().filter_map(|id| self.0.get(id)).collect()
    }
}
