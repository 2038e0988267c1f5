//! Uploaded files, from the projection `ticket_thread`.

use jiff::Timestamp;
use regions::Resident;
use schemas::AttachmentId;
use sqlx::PgConnection;

/// One file, whether or not a comment claimed it yet.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) attachment_id: i64,
    pub(crate) file_name: String,
    pub(crate) content_type: String,
    pub(crate) size_bytes: i64,
    pub(crate) uploader_id: i64,
    pub(crate) token_expires_at: Timestamp,
    pub(crate) blob: Vec<u8>,
    pub(crate) key_id: uuid::Uuid,
    pub(crate) comment_id: Option<i64>,
    pub(crate) ticket_id: Option<i64>,
    pub(crate) is_public: Option<bool>,
}

/// Those of these files that exist, by id; those of a deleted ticket do not.
pub(crate) async fn many(
    conn: &mut PgConnection,
    resident: &Resident,
    ids: &[i64],
) -> Result<Vec<Attachment>, sqlx::Error> {
    sqlx::query_as!(
        Attachment,
        r#"select attachment_id, file_name, content_type, size_bytes, uploader_id, blob, key_id, comment_id, ticket_id,
                  is_public, token_expires_at as "token_expires_at: jiff_sqlx::Timestamp"
           from attachment
           where tenant_id = $1 and attachment_id = any($2)
                 and not exists (select from ticket_list
                                 where ticket_list.tenant_id = $1 and ticket_list.ticket_id = attachment.ticket_id
                                       and ticket_list.deleted_at is not null)
           order by attachment_id"#,
        resident.tenant_id().get(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// One file.
pub(crate) async fn one(
    conn: &mut PgConnection,
    resident: &Resident,
    attachment: AttachmentId,
) -> Result<Option<Attachment>, sqlx::Error> {
    Ok(many(conn, resident, &[attachment.get()]).await?.pop())
}

/// The ids of the files of an upload, by the hash of its token.
pub(crate) async fn ids_of_token(
    conn: &mut PgConnection,
    resident: &Resident,
    token_sha256: &str,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar!(
        "select attachment_id from attachment where tenant_id = $1 and token_sha256 = $2 order by attachment_id",
        resident.tenant_id().get(),
        token_sha256,
    )
    .fetch_all(conn)
    .await
}
