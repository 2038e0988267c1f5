//! A copy's database: its name, its making and its end, and the claim of whoever is at work on it.

use eventlog::restore::Claim;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::{deps::RestorerDeps, error::Error};

/// What the names of scratch begin with: nobody else's do.
pub(crate) const SCRATCH: &str = "drill-";
/// The longest name of a copy.
const NAME_LENGTH_MAX: usize = 24;
/// The longest name of a database: Postgres cuts what is longer.
const DATABASE_LENGTH_MAX: usize = 63;

/// Claims a copy by its name, or whatever else two must not do at once.
///
/// # Errors
/// [`Error::UnderWay`], or if the database fails.
pub(crate) async fn claim(deps: &RestorerDeps, what: &str) -> Result<Claim, Error> {
    let claim = Claim::take(deps.reader().await?, what).await?;
    claim.ok_or_else(|| Error::UnderWay { what: what.to_owned() })
}

/// What the database of a copy is called.
///
/// # Errors
/// [`Error::BadName`].
pub(crate) fn named(deps: &RestorerDeps, name: &str) -> Result<String, Error> {
    let database = format!("{}{name}", prefix(deps));
    if is_name(name) && database.len() <= DATABASE_LENGTH_MAX {
        return Ok(database);
    }
    Err(Error::BadName { name: name.to_owned() })
}

/// The copies there are whose names begin so, of those that this login may look into and drop.
pub(crate) async fn names(
    maker: &mut PgConnection,
    deps: &RestorerDeps,
    beginning: &str,
) -> Result<Vec<String>, Error> {
    let prefix = prefix(deps);
    let databases = sqlx::query_scalar!(
        r#"select datname as "name!" from pg_database
        where starts_with(datname, $1) and pg_has_role(datdba, 'usage') order by datname"#,
        format!("{prefix}{beginning}")
    );
    let databases: Vec<String> = databases.fetch_all(maker).await.map_err(Error::Copy)?;
    let names = databases.iter().filter_map(|database| database.strip_prefix(&prefix));
    Ok(names.filter(|name| is_name(name)).map(str::to_owned).collect())
}

pub(crate) async fn exists(maker: &mut PgConnection, deps: &RestorerDeps, name: &str) -> Result<bool, Error> {
    let database = named(deps, name)?;
    let exists =
        sqlx::query_scalar!(r#"select exists (select from pg_database where datname = $1) as "exists!""#, database);
    exists.fetch_one(maker).await.map_err(Error::Copy)
}

pub(crate) async fn create(maker: &mut PgConnection, deps: &RestorerDeps, name: &str) -> Result<(), Error> {
    // Scratch is every replicator's, whoever drills: one of them sweeps it should the drill die.
    let owner = if name.starts_with(SCRATCH) { " owner domicile_replicator" } else { "" };
    run(maker, format!("create database \"{}\"{owner}", named(deps, name)?)).await
}

/// Drops the database if it is there, whoever is connected to it.
pub(crate) async fn remove(maker: &mut PgConnection, deps: &RestorerDeps, name: &str) -> Result<(), Error> {
    run(maker, format!("drop database if exists \"{}\" with (force)", named(deps, name)?)).await
}

/// Neither takes a parameter. Names are checked: letters, digits and '-'.
async fn run(maker: &mut PgConnection, statement: String) -> Result<(), Error> {
    maker.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.map_err(Error::Copy)?;
    Ok(())
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_LENGTH_MAX).contains(&name.len()) && name.bytes().all(is_plain)
}

fn prefix(deps: &RestorerDeps) -> String {
    let database = deps.region().postgres().map_or("", |endpoint| endpoint.database.as_str());
    format!("{database}_beside_")
}
