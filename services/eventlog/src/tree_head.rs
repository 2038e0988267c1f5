//! The newest signed head of each tenant's Merkle log: the mark "sealed".

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use regions::Resident;
use schemas::{Hash, Position};
use sqlx::PgConnection;

use crate::error::Error;

/// A signed tree head (RFC 6962, section 3.5; C2SP tlog-checkpoint), and what the next one grows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// How many leaves: the last position under it.
    pub size: Position,
    /// The root at that size.
    pub root: Hash,
    /// The roots of the perfect subtrees, largest first.
    pub frontier: Vec<Hash>,
    /// The signed note.
    pub note: String,
    /// When it was signed.
    pub sealed_at: Timestamp,
}

/// The newest tree head of a tenant, if it has one.
///
/// # Errors
/// If the database fails.
pub async fn tree_head(connection: &mut PgConnection, resident: &Resident) -> Result<Option<TreeHead>, Error> {
    let row = sqlx::query!(
        r#"select size, root, frontier, note, sealed_at as "sealed_at: jiff_sqlx::Timestamp"
        from log.tree_head where tenant_id = $1"#,
        resident.tenant_id().get()
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::TreeHead)?;
    row.map(|row| {
        Ok(TreeHead {
            size: Position::new(row.size),
            root: hash(&row.root)?,
            frontier: row.frontier.iter().map(|root| hash(root)).collect::<Result<_, _>>()?,
            note: row.note,
            sealed_at: row.sealed_at.to_jiff(),
        })
    })
    .transpose()
}

/// Stores a tree head. The same one again is fine.
///
/// A tree head is a promise, so it is refused if it is smaller than the stored one, or of the same size with another root, or
/// larger than the log: the last happens when a database was restored to an older state than its archive.
///
/// # Errors
/// [`Error::TreeHeadRefused`], or if the database fails.
pub async fn put_tree_head(connection: &mut PgConnection, resident: &Resident, head: &TreeHead) -> Result<(), Error> {
    let frontier: Vec<_> = head.frontier.iter().map(|root| root.as_bytes().to_vec()).collect();
    let stored = sqlx::query!(
        "insert into log.tree_head (tenant_id, size, root, frontier, note, sealed_at)
        select tenant_id, $2, $3, $4, $5, $6 from log.tenant where tenant_id = $1 and position >= $2
        on conflict (tenant_id) do update
            set size = excluded.size, root = excluded.root, frontier = excluded.frontier, note = excluded.note,
                sealed_at = excluded.sealed_at
            where tree_head.size < excluded.size or (tree_head.size = excluded.size and tree_head.root = excluded.root)",
        resident.tenant_id().get(),
        head.size.get(),
        head.root.as_bytes().as_slice(),
        &frontier,
        head.note,
        head.sealed_at.to_sqlx() as _
    )
    .execute(connection)
    .await
    .map_err(Error::TreeHead)?;
    match stored.rows_affected() {
        0 => Err(Error::TreeHeadRefused { tenant_id: resident.tenant_id(), size: head.size }),
        _ => Ok(()),
    }
}

fn hash(bytes: &[u8]) -> Result<Hash, Error> {
    Hash::try_from(bytes).map_err(|error| Error::TreeHead(sqlx::Error::Decode(Box::new(error))))
}
