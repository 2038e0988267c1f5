//! The token in the address of a file's content: whoever holds it may fetch a public file.
//!
//! It is a blind index of the attachment's id under a key of the tenant, followed by the id, in hex. Nothing about it is
//! stored, and nobody without the tenant's key can make one.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use regions::Resident;
use schemas::AttachmentId;

use crate::{problem::ApiError, state::Desk};

/// Characters of the blind index.
const INDEX_LENGTH: usize = 32;

/// The token of an attachment.
pub(crate) async fn of(desk: &Desk, resident: &Resident, attachment: AttachmentId) -> Result<String, ApiError> {
    let index = desk.vault.blind_index(resident, "attachment", &attachment.to_string()).await?;
    Ok(format!("{index}{:x}", attachment.get()))
}

/// The attachment a token was made for; none if the token is not one of ours.
pub(crate) async fn read(desk: &Desk, resident: &Resident, token: &str) -> Result<Option<AttachmentId>, ApiError> {
    let id = token.get(INDEX_LENGTH..).and_then(|id| i64::from_str_radix(id, 16).ok());
    let Some(attachment) = id.map(AttachmentId::new) else { return Ok(None) };
    let expected = of(desk, resident, attachment).await?;
    Ok(verify_slices_are_equal(expected.as_bytes(), token.as_bytes()).is_ok().then_some(attachment))
}
