//! What a tenant's read models look like, to be held against those that somebody made of the same log elsewhere.

use schemas::{Position, TenantId};
use sqlx::PgConnection;

use crate::{Error, checkpoint, projections};

/// A tenant's read models at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadModels {
    /// Where all of them stand.
    pub position: Position,
    /// Every table, in the order of the projections.
    pub tables: Vec<TableRows>,
}

/// A tenant's rows in a table, in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRows {
    /// The projection and its table: `people.person`.
    pub table: String,
    /// How many.
    pub rows: i64,
    /// The sum of the rows' 64-bit hashes.
    pub hashes: String,
}

/// The read models that serve, as they are in the connection's transaction, which must have one snapshot for all its statements.
/// `None`: the projections stand at different positions, or nobody has begun to follow the tenant.
///
/// # Errors
/// If the database fails.
pub async fn fingerprints(conn: &mut PgConnection, tenant: TenantId) -> Result<Option<ReadModels>, Error> {
    let serving = checkpoint::serving(conn, tenant, projections::ALL).await.map_err(Error::Checkpoint)?;
    let mut positions: Vec<_> = serving.iter().map(|(_, position)| *position).collect();
    positions.dedup();
    let [Some(position)] = positions[..] else { return Ok(None) };
    let mut tables = Vec::new();
    for (build, _) in &serving {
        for table in build.projection.tables {
            let found = table.fingerprint(conn, (build, tenant)).await?;
            let name = format!("{}.{}", build.projection.name, table.name);
            tables.push(TableRows { table: name, rows: found.rows, hashes: found.hashes });
        }
    }
    Ok(Some(ReadModels { position, tables }))
}
