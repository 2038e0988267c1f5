//! A build: the tables of one version of a projection, in a Postgres schema of its own.
//!
//! The statements of a projection name tables without a schema; the search path picks the build. So the same code writes the
//! build that serves and the one that is to replace it, and cannot tell them apart.

mod open;
mod registry;
mod rows;

use sqlx::PgConnection;

use crate::projections::Projection;

pub use open::OpenBuild;
pub use registry::{BuildState, BuildStatus, builds};
pub(crate) use registry::{missing, serving};
pub(crate) use rows::{Columns, Row};

/// One version of a projection.
#[derive(Clone, Copy)]
pub(crate) struct Build {
    /// Of which projection.
    pub(crate) projection: &'static Projection,
    /// Which of its builds, from 1.
    pub(crate) version: i32,
    /// Whether readers are to see what is written, so that it is only written while the build does serve.
    pub(crate) is_serving: bool,
}

impl Build {
    /// The schema its tables are in.
    pub(crate) fn schema(&self) -> String {
        format!("read_{}_{}", self.projection.name, self.version)
    }

    /// The same build, written as one that nobody reads.
    pub(crate) const fn unread(self) -> Self {
        Self { is_serving: false, ..self }
    }
}

/// Enters the gates of builds that serve, until the transaction ends, and tells which ones are open. Nobody waits for a switch.
pub(crate) async fn enter(conn: &mut PgConnection, builds: &[Build]) -> Result<Vec<Build>, sqlx::Error> {
    let gates: Vec<_> = builds.iter().map(|build| gate_name(build.projection)).collect();
    let open = sqlx::query_scalar!(
        r#"select gate as "gate!" from unnest($1::text[]) as build (gate)
           where pg_try_advisory_xact_lock_shared(hashtextextended(gate, 0))"#,
        &gates,
    );
    let open = open.fetch_all(conn).await?;
    Ok(builds.iter().zip(gates).filter(|(_, gate)| open.contains(gate)).map(|(build, _)| *build).collect())
}

/// The key of the advisory lock in front of the builds of a projection, as SQL. Whoever moves the build that serves holds it
/// shared; whoever switches holds it alone, so that nothing moves while positions are compared.
pub(crate) fn gate(projection: &Projection) -> String {
    format!("hashtextextended('{}', 0)", gate_name(projection))
}

fn gate_name(projection: &Projection) -> String {
    format!("read.serving/{}", projection.name)
}
