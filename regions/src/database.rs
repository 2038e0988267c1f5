//! Connections to a region's Postgres. Each is asked, before anybody gets it, whose database it is and how it keeps data.

use std::time::Duration;

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions, PgSslMode},
};
use tokio::time::timeout;

use crate::{
    error::Error,
    region::{PostgresEndpoint, Region},
};

/// As whom to work in a region's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseRole {
    /// Owns the schemas: migrates.
    Owner,
    /// Makes tenants and keys, appends, reads one tenant at a time.
    Desk,
    /// Reads the log of all tenants, writes read models.
    Projector,
    /// Reads the log of all tenants, writes tree heads and marks.
    Replicator,
    /// Reads the log of all tenants, writes how far the topic has it. Opens nothing.
    Relay,
}

/// How long the database lets a statement be busy before it rolls it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// With waiting for one lock.
    pub lock: Duration,
    /// In all. The commit that follows is not counted: Postgres disarms the timer before it.
    pub statement: Duration,
}

/// What a database says of itself.
struct Inspection {
    is_test_cluster: bool,
    settings: [(&'static str, String); 3],
    /// Outer: whether the log's schema exists. Inner: whether a region was written into it.
    home: Option<Option<String>>,
}

/// How long a server may take from the first packet to the last answer about itself. One that takes packets and says nothing
/// (paused, or behind a firewall that drops) would otherwise hold its caller for minutes, or for ever.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that was idle for so long may have lost its server, which is noticed before somebody relies on it.
const TESTED_AFTER_IDLE: Duration = Duration::from_secs(1);

impl DatabaseRole {
    const fn database_role(self) -> Option<&'static str> {
        match self {
            Self::Owner => None,
            Self::Desk => Some("domicile_desk"),
            Self::Projector => Some("domicile_projector"),
            Self::Replicator => Some("domicile_replicator"),
            Self::Relay => Some("domicile_relay"),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Desk => "desk",
            Self::Projector => "projector",
            Self::Replicator => "replicator",
            Self::Relay => "relay",
        }
    }

    /// Whether this role acknowledges writes, so that the store must keep them.
    const fn acknowledges(self) -> bool {
        matches!(self, Self::Owner | Self::Desk)
    }

    /// Whether what this role writes is derived from the log: what a crash of the server takes away is made again, from
    /// checkpoints that it took away too. So its commits need not wait for the disk, but for the few that somebody is told of.
    const fn derives(self) -> bool {
        matches!(self, Self::Projector | Self::Relay)
    }

    /// The desk works while somebody waits: whoever holds a row it needs must not hold all its connections too. Migrations and
    /// workers take the time they take.
    const fn patience(self) -> Option<Patience> {
        match self {
            Self::Desk => Some(Patience::DESK),
            Self::Owner | Self::Projector | Self::Replicator | Self::Relay => None,
        }
    }
}

impl Patience {
    /// The desk's. Shorter than the appender waits for an answer, so that the database gives up first and says so.
    pub const DESK: Self = Self { lock: Duration::from_secs(5), statement: Duration::from_secs(20) };

    fn settings(self) -> [(&'static str, u128); 2] {
        [("lock_timeout", self.lock.as_millis()), ("statement_timeout", self.statement.as_millis())]
    }
}

/// A pool of connections to a region's database.
///
/// # Errors
/// If the database cannot be reached, belongs to another region, or (for the owner and the desk) runs with a setting that
/// loses acknowledged data.
pub async fn connect(region: &Region, role: DatabaseRole, max_connections: u32) -> Result<PgPool, Error> {
    // The first connection says clearly what is wrong; the pool would only retry until its timeout.
    let first = connection(region, role).await?;
    // It has said what it knows; that its goodbye may get lost changes nothing.
    let _ = first.close().await;
    lazy_pool(region, role, max_connections)
}

/// One connection to a region's database.
///
/// # Errors
/// As for [`connect`].
pub async fn connection(region: &Region, role: DatabaseRole) -> Result<PgConnection, Error> {
    checked(region, role, options(region, role)?, CONNECT_TIMEOUT).await
}

/// One connection to a region's database, whose statements are given up after `patience` instead of the role's own.
///
/// # Errors
/// As for [`connect`].
pub async fn connection_with(region: &Region, role: DatabaseRole, patience: Patience) -> Result<PgConnection, Error> {
    // Of two settings of one name, the later one counts.
    checked(region, role, options(region, role)?.options(patience.settings()), CONNECT_TIMEOUT).await
}

async fn checked(
    region: &Region,
    role: DatabaseRole,
    options: PgConnectOptions,
    at_most: Duration,
) -> Result<PgConnection, Error> {
    let checked = async {
        let mut connection = options.connect().await.map_err(|source| Error::Connect {
            region: region.id.clone(),
            role: role.name(),
            source,
        })?;
        check(region, role, &mut connection).await?;
        Ok(connection)
    };
    let silent = || Error::Silent { region: region.id.clone(), role: role.name(), after: at_most };
    timeout(at_most, checked).await.unwrap_or_else(|_| Err(silent()))
}

/// A connection that hears notifications and reconnects by itself.
///
/// # Errors
/// As for [`connect`].
pub async fn listener(region: &Region, role: DatabaseRole) -> Result<PgListener, Error> {
    let pool = connect(region, role, 1).await?;
    PgListener::connect_with(&pool).await.map_err(|source| Error::Connect {
        region: region.id.clone(),
        role: role.name(),
        source,
    })
}

/// A pool whose every new connection is checked: after a failover, the same address may lead to another database.
fn lazy_pool(region: &Region, role: DatabaseRole, max_connections: u32) -> Result<PgPool, Error> {
    let options = options(region, role)?;
    let region = region.clone();
    let pool = PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A connection in use a moment ago is not asked whether it lives: that is a round trip on every request.
        .test_before_acquire(false)
        .before_acquire(|connection, held| {
            Box::pin(async move {
                if held.idle_for >= TESTED_AFTER_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            let region = region.clone();
            Box::pin(async move {
                check(&region, role, connection).await.map_err(|error| sqlx::Error::Configuration(Box::new(error)))
            })
        })
        .connect_lazy_with(options);
    Ok(pool)
}

fn options(region: &Region, role: DatabaseRole) -> Result<PgConnectOptions, Error> {
    let PostgresEndpoint { host, port, database, user, password } =
        region.postgres().ok_or_else(|| Error::NoEndpoint { region: region.id.clone(), store: "postgres" })?;
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(host)
        .port(*port)
        .database(database)
        .username(user)
        .ssl_mode(if is_this_machine(host) { PgSslMode::Disable } else { PgSslMode::VerifyFull })
        .application_name(&format!("domicile {}", role.name()));
    if !password.expose().is_empty() {
        options = options.password(password.expose());
    }
    if let Some(database_role) = role.database_role() {
        options = options.options([("role", database_role)]);
    }
    if let Some(patience) = role.patience() {
        options = options.options(patience.settings());
    }
    if role.derives() {
        options = options.options([("synchronous_commit", "off")]);
    }
    Ok(options)
}

/// Whether what is sent there stays on this machine, so that it needs no TLS.
pub(crate) fn is_this_machine(host: &str) -> bool {
    host.starts_with('/')
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

async fn check(region: &Region, role: DatabaseRole, connection: &mut PgConnection) -> Result<(), Error> {
    let inspection =
        inspect(connection).await.map_err(|source| Error::Inspect { region: region.id.clone(), source })?;
    check_home(region, role, inspection.home)?;
    if role.acknowledges() && !inspection.is_test_cluster {
        check_settings(region, inspection.settings)?;
    }
    Ok(())
}

async fn inspect(connection: &mut PgConnection) -> Result<Inspection, sqlx::Error> {
    let row = sqlx::query!(
        r#"select current_setting('fsync') as "fsync!", current_setting('synchronous_commit') as "synchronous_commit!",
            current_setting('full_page_writes') as "full_page_writes!",
            current_setting('domicile.test_cluster', true) as test_cluster,
            to_regclass('log.home') is not null as "has_home!""#
    )
    .fetch_one(&mut *connection)
    .await?;
    let home = if row.has_home {
        Some(sqlx::query_scalar!("select region from log.home").fetch_optional(connection).await?)
    } else {
        None
    };
    Ok(Inspection {
        is_test_cluster: row.test_cluster.as_deref() == Some("on"),
        settings: [
            ("fsync", row.fsync),
            ("synchronous_commit", row.synchronous_commit),
            ("full_page_writes", row.full_page_writes),
        ],
        home,
    })
}

fn check_home(region: &Region, role: DatabaseRole, home: Option<Option<String>>) -> Result<(), Error> {
    match home {
        Some(Some(home)) if home == region.id.as_str() => Ok(()),
        // A database that is being set up: the owner is about to write the region into it.
        None | Some(None) if role == DatabaseRole::Owner => Ok(()),
        found => Err(Error::AnotherHome {
            region: region.id.clone(),
            found: found.flatten().unwrap_or_else(|| "nobody".to_owned()),
        }),
    }
}

fn check_settings(region: &Region, settings: [(&'static str, String); 3]) -> Result<(), Error> {
    match settings.into_iter().find(|(_, value)| value == "off") {
        None => Ok(()),
        Some((setting, value)) => Err(Error::UnsafeSetting { region: region.id.clone(), setting, value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached_without_tls() {
        for here in ["/run/postgres", "localhost", "127.0.0.1", "::1"] {
            assert!(is_this_machine(here), "{here}");
        }
        for there in ["db.example", "10.0.0.1", "localhost.example"] {
            assert!(!is_this_machine(there), "{there}");
        }
    }

    #[tokio::test]
    async fn a_server_that_takes_the_connection_and_says_nothing_is_given_up() -> Result<(), Box<dyn std::error::Error>>
    {
        // Its backlog takes the connection; nobody ever reads what is sent.
        let paused = std::net::TcpListener::bind("127.0.0.1:0")?;
        let endpoint = PostgresEndpoint::new("127.0.0.1", paused.local_addr()?.port(), "domicile", "domicile", "");
        let (region, role) = (Region::for_directory(endpoint), DatabaseRole::Desk);
        let connecting = checked(&region, role, options(&region, role)?, Duration::from_millis(50));
        let error = timeout(Duration::from_secs(20), connecting).await?.expect_err("nobody answered");
        assert_eq!(error.to_string(), "region directory: Postgres did not answer desk within 50ms");
        Ok(())
    }

    #[test]
    fn a_store_that_would_lose_acknowledged_data_is_refused() {
        let endpoint = PostgresEndpoint::new("localhost", 5432, "domicile", "domicile", "");
        let region = Region::for_directory(endpoint);
        let settings = |changed: &str| {
            ["fsync", "synchronous_commit", "full_page_writes"]
                .map(|name| (name, if name == changed { "off" } else { "on" }.to_owned()))
        };
        assert!(check_settings(&region, settings("none")).is_ok());
        for unsafe_setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let error = check_settings(&region, settings(unsafe_setting)).expect_err("refused");
            assert_eq!(
                error.to_string(),
                format!(
                    "region directory: Postgres runs with {unsafe_setting} = off, which loses acknowledged data in a crash"
                )
            );
        }
    }
}
