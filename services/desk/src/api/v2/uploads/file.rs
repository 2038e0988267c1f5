//! Where the bytes of a file lie: sealed under the file's own key, in the region's bucket, named by the hash of the
//! ciphertext.

use bytes::Bytes;
use regions::{Put, Resident};
use schemas::{AttachmentId, Hash, KeyId, TenantId};
use vault::{Plaintext, Scope};

use crate::{problem::ApiError, state::Desk};

/// What binds a ciphertext to its file, so that it cannot be taken for another's.
fn associated_data(resident: &Resident, attachment: AttachmentId) -> Vec<u8> {
    format!("{}/attachment-{attachment}", resident.tenant_id()).into_bytes()
}

/// The object's key in the bucket.
fn object_key(tenant_id: TenantId, blob: Hash) -> String {
    format!("tenants/{tenant_id}/attachments/{blob}")
}

/// Seals the bytes and writes them to the bucket; gives the hash the object is named by.
///
/// This comes before the event that tells of the file: a crash in between leaves an object that nothing names, which harms
/// nobody; the other way round would leave an event that names nothing.
pub(crate) async fn write(
    desk: &Desk,
    resident: &Resident,
    attachment: AttachmentId,
    bytes: &[u8],
) -> Result<Hash, ApiError> {
    let keys = desk.vault.data_keys(resident, &[Scope::Attachment(attachment)]).await?;
    let key = keys.first().expect("the vault gives one key per scope");
    let sealed = key.seal(&associated_data(resident, attachment), bytes);
    let blob = Hash::of(&[&sealed]);
    let object = object_key(resident.tenant_id(), blob);
    let put = desk.bucket.put_new(&object, sealed.into()).await.map_err(ApiError::unavailable)?;
    // An earlier attempt whose answer was lost wrote it; an event must not name what only a conflict speaks of.
    if put == Put::Existed && desk.bucket.head(&object).await.map_err(ApiError::unavailable)?.is_none() {
        return Err(ApiError::unavailable("the bucket refused a file as existing that it does not have"));
    }
    Ok(blob)
}

/// Reads and opens the bytes; none when the key was destroyed.
pub(crate) async fn read(
    desk: &Desk,
    resident: &Resident,
    attachment: AttachmentId,
    (blob, key): (Hash, KeyId),
) -> Result<Option<Bytes>, ApiError> {
    let object = desk.bucket.get(&object_key(resident.tenant_id(), blob)).await.map_err(ApiError::unavailable)?;
    let object = object.ok_or_else(|| ApiError::internal(format!("the object of attachment {attachment} is gone")))?;
    let opened = desk.vault.open(resident, key, &associated_data(resident, attachment), &object.body).await?;
    Ok(opened.map(|plaintext: Plaintext| Bytes::copy_from_slice(&plaintext)))
}
