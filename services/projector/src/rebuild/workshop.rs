//! Where builds are made and taken away: the owner's connection, and the right to work on these projections alone.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use regions::DatabaseRole;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    BuildState, BuildStatus, Error, ProjectorDeps,
    build::{self, Build},
    projections::Projection,
};

/// Privileges and policies of a build's tables, once they are filled: until then they are the projector's alone, which may copy
/// rows into them because they have no policies.
const FENCES_SQL: &str = include_str!("../../sql/fences.sql");

/// How long to wait for somebody else's work to end.
const PATIENCE: &str = "3s";

/// Nobody else makes, switches or drops builds of these projections as long as it is open. A process that dies closes it.
pub(crate) struct Workshop {
    owner: PgConnection,
}

/// What a build is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To serve.
    Serve,
    /// To be compared and dropped.
    Check,
}

impl Workshop {
    /// Opens it, unless somebody is at work on one of the projections. It waits a moment: whoever died just now may not be
    /// known to be dead.
    pub(crate) async fn open(deps: &ProjectorDeps, projections: &[&'static Projection]) -> Result<Self, Error> {
        let mut owner = regions::connection(&deps.region, DatabaseRole::Owner).await.map_err(Error::Owner)?;
        // What a crash of the server takes away is made, or dropped, again by the next call: only a switch waits for the disk.
        sqlx::query!(
            "select set_config('lock_timeout', $1, false) as lock, set_config('synchronous_commit', 'off', false) as commit",
            PATIENCE
        )
            .fetch_one(&mut owner)
            .await
            .map_err(Error::Builds)?;
        for projection in projections {
            sqlx::query!("select pg_advisory_lock(hashtextextended('read.build/' || $1, 0))", projection.name)
                .fetch_one(&mut owner)
                .await
                .map_err(|error| held(projection, error))?;
        }
        sqlx::query!("select set_config('lock_timeout', '0', false)")
            .fetch_one(&mut owner)
            .await
            .map_err(Error::Builds)?;
        Ok(Self { owner })
    }

    /// The builds there are of a projection.
    pub(crate) async fn builds(&mut self, projection: &Projection) -> Result<Vec<BuildStatus>, Error> {
        let mut builds = build::builds(&mut self.owner).await?;
        builds.retain(|build| build.projection == projection.name);
        Ok(builds)
    }

    /// The build that serves this program, if there is one.
    pub(crate) async fn serving(&mut self, projection: &'static Projection) -> Result<Option<Build>, Error> {
        let mut serving = build::serving(&mut self.owner, &[projection]).await.map_err(Error::Builds)?;
        Ok(serving.pop())
    }

    /// Makes the empty tables of a new build, all or nothing.
    pub(crate) async fn create(
        &mut self,
        projection: &'static Projection,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Build, Error> {
        let state = match purpose {
            Purpose::Serve => BuildState::Building,
            Purpose::Check => BuildState::Checking,
        };
        let mut transaction = self.owner.begin().await.map_err(Error::Builds)?;
        let version = sqlx::query_scalar!(
            "insert into read.build (projection, version, shape, state, created_at)
             select $1, coalesce(max(version), 0) + 1, $2, $3, $4 from read.build where projection = $1
             returning version",
            projection.name,
            projection.shape,
            state.as_str(),
            now.to_sqlx() as _,
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(Error::Builds)?;
        let build = Build { projection, version, is_serving: false };
        let schema = build.schema();
        let statements = format!(
            "create schema {schema};
             comment on schema {schema} is 'Build {version} of the projection {}.';
             set local search_path = {schema};\n{}
             grant usage on schema {schema} to domicile_projector;
             grant select, insert, update, delete, truncate on all tables in schema {schema} to domicile_projector;",
            projection.name, projection.tables_sql,
        );
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *transaction).await.map_err(Error::Builds)?;
        transaction.commit().await.map_err(Error::Builds)?;
        Ok(build)
    }

    /// Makes indexes and fences of a build that is filled, and has Postgres look at some of its rows, so that readers get good
    /// plans until it looks more closely by itself.
    pub(crate) async fn complete(&mut self, build: &Build, now: Timestamp) -> Result<(), Error> {
        let tables: Vec<_> = build.projection.tables.iter().map(|table| table.name).collect();
        let statements = format!(
            "set local search_path = {};\n{};\n{FENCES_SQL};\nset local default_statistics_target = 10;\nanalyze {}",
            build.schema(),
            build.projection.indexes_sql,
            tables.join(", "),
        );
        let mut transaction = self.owner.begin().await.map_err(Error::Builds)?;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *transaction).await.map_err(Error::Builds)?;
        sqlx::query!(
            "update read.build set state = 'complete', completed_at = $3 where projection = $1 and version = $2",
            build.projection.name,
            build.version,
            now.to_sqlx() as _,
        )
        .execute(&mut *transaction)
        .await
        .map_err(Error::Builds)?;
        transaction.commit().await.map_err(Error::Builds)
    }

    /// Drops a build, and with it what it serves: tables, checkpoints, and the rows that know it, all or nothing.
    pub(crate) async fn discard(&mut self, projection: &str, version: i32) -> Result<(), Error> {
        let mut transaction = self.owner.begin().await.map_err(Error::Builds)?;
        sqlx::query!(
            "update read.serving set previous_version = null where projection = $1 and previous_version = $2",
            projection,
            version,
        )
        .execute(&mut *transaction)
        .await
        .map_err(Error::Builds)?;
        sqlx::query!("delete from read.serving where projection = $1 and version = $2", projection, version)
            .execute(&mut *transaction)
            .await
            .map_err(Error::Builds)?;
        sqlx::query!("delete from read.build where projection = $1 and version = $2", projection, version)
            .execute(&mut *transaction)
            .await
            .map_err(Error::Builds)?;
        sqlx::query!("delete from read.checkpoint where projection = $1 and version = $2", projection, version)
            .execute(&mut *transaction)
            .await
            .map_err(Error::Builds)?;
        // The name was read from read.build, where only this crate writes.
        let statement = format!("drop schema if exists read_{projection}_{version} cascade");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await.map_err(Error::Builds)?;
        transaction.commit().await.map_err(Error::Builds)
    }

    /// The owner's connection.
    pub(crate) fn conn(&mut self) -> &mut PgConnection {
        &mut self.owner
    }
}

/// `lock_not_available` (PostgreSQL, appendix A): somebody else is at it.
fn held(projection: &'static Projection, error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(refusal) if refusal.code().as_deref() == Some("55P03") => {
            Error::UnderWay { projection: projection.name }
        }
        _ => Error::Builds(error),
    }
}
