//! Which builds there are, and which of them serve: rows of `read.build` and `read.serving`.

use jiff::Timestamp;
use sqlx::PgConnection;

use super::Build;
use crate::{
    Error,
    projections::{self, Projection},
};

/// What a build is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildState {
    /// It is being filled.
    Building,
    /// It is filled and could serve.
    Complete,
    /// It is made to be compared and dropped.
    Checking,
    /// Programs of its shape read it.
    Serving,
    /// They read it before: kept, not followed, so that one can switch back.
    Previous,
}

impl BuildState {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Complete => "complete",
            Self::Checking => "checking",
            Self::Serving => "serving",
            Self::Previous => "previous",
        }
    }
}

/// A build, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildStatus {
    /// Of which projection.
    pub projection: String,
    /// Which of its builds.
    pub version: i32,
    /// Which columns it has.
    pub shape: i32,
    /// What it is there for.
    pub state: BuildState,
    /// When its tables were made.
    pub created_at: Timestamp,
    /// Since when it serves, if it does.
    pub serves_since: Option<Timestamp>,
}

/// Every build of the region, by projection and version.
///
/// # Errors
/// If the database fails.
pub async fn builds(conn: &mut PgConnection) -> Result<Vec<BuildStatus>, Error> {
    let rows = sqlx::query!(
        r#"select build.projection, build.version, build.shape, build.state,
                  build.created_at as "created_at: jiff_sqlx::Timestamp",
                  serving.switched_at as "serves_since?: jiff_sqlx::Timestamp",
                  exists (select from read.serving as other
                          where other.projection = build.projection and other.previous_version = build.version)
                      as "is_previous!"
           from read.build as build
           left join read.serving as serving
             on serving.projection = build.projection and serving.version = build.version
           order by build.projection, build.version"#
    )
    .fetch_all(conn)
    .await
    .map_err(Error::Builds)?;
    let state = |stored: &str, serves, is_previous| match stored {
        _ if serves => BuildState::Serving,
        _ if is_previous => BuildState::Previous,
        "building" => BuildState::Building,
        "checking" => BuildState::Checking,
        _ => BuildState::Complete,
    };
    Ok(rows
        .into_iter()
        .map(|row| BuildStatus {
            state: state(&row.state, row.serves_since.is_some(), row.is_previous),
            projection: row.projection,
            version: row.version,
            shape: row.shape,
            created_at: row.created_at.to_jiff(),
            serves_since: row.serves_since.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}

/// The builds that serve this program's shapes of these projections.
pub(crate) async fn serving(
    conn: &mut PgConnection,
    projections: &[&'static Projection],
) -> Result<Vec<Build>, sqlx::Error> {
    let (names, shapes) = projections::names_and_shapes();
    let rows = sqlx::query!(
        "select serving.projection, serving.version
         from unnest($1::text[], $2::integer[]) as known (name, shape)
         join read.serving as serving on serving.projection = known.name and serving.shape = known.shape",
        names as _,
        shapes,
    )
    .fetch_all(conn)
    .await?;
    let version = |name: &str| rows.iter().find(|row| row.projection == name).map(|row| row.version);
    let serves = |projection: &&'static Projection| {
        Some(Build { projection, version: version(projection.name)?, is_serving: true })
    };
    Ok(projections.iter().filter_map(serves).collect())
}

/// The projections of which no build serves this program's shape.
pub(crate) async fn missing(conn: &mut PgConnection) -> Result<Vec<&'static str>, sqlx::Error> {
    let serving = serving(conn, projections::ALL).await?;
    let is_served = |name: &str| serving.iter().any(|build| build.projection.name == name);
    Ok(projections::ALL.iter().map(|projection| projection.name).filter(|name| !is_served(name)).collect())
}
