//! The table `[kafka]` of a region file.

use std::path::Path;

use super::{host_of, is_plain, read, secret};
use crate::{
    config::{ConfigError, document::Table},
    database::is_this_machine,
    region::{KafkaEndpoint, KafkaLogin, KafkaSecurity, Secret},
};

const FIELDS: &[&str] = &["brokers", "partitions", "replication", "security", "ca_file", "username", "password_file"];
/// More would cost every broker files and memory, and no region has that many readers.
const PARTITIONS_MAX: i32 = 1000;
const REPLICATION_MAX: i32 = 15;
/// Survives one broker at rest and one that fails meanwhile.
const REPLICATION_DEFAULT: i32 = 3;

pub(super) fn endpoint(path: &Path, table: &Table<'_>) -> Result<KafkaEndpoint, ConfigError> {
    table.only(FIELDS)?;
    let brokers = brokers(table)?;
    let partitions = counted(table, "partitions", PARTITIONS_MAX)?;
    let replication =
        if table.has("replication") { counted(table, "replication", REPLICATION_MAX)? } else { REPLICATION_DEFAULT };
    let security = security(path, table, &brokers)?;
    let login = login(path, table)?;
    Ok(KafkaEndpoint { brokers, partitions, replication, security, login })
}

fn brokers(table: &Table<'_>) -> Result<Vec<String>, ConfigError> {
    let takes = "takes a list of brokers, each as host:port";
    let brokers = table.texts("brokers", takes, |text| {
        let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        is_plain(text) && !text.contains([',', '/', '@']) && !host_of(text).is_empty() && port.is_some_and(|it| it > 0)
    })?;
    match brokers.is_empty() {
        true => Err(table.wrong("brokers", "takes at least one broker, as host:port")),
        false => Ok(brokers.into_iter().map(str::to_owned).collect()),
    }
}

fn counted(table: &Table<'_>, field: &str, max: i32) -> Result<i32, ConfigError> {
    let takes = format!("takes a number from 1 to {max}");
    let number: i32 = table.number(field, &takes)?;
    if number <= max { Ok(number) } else { Err(table.wrong(field, &takes)) }
}

/// What goes to brokers is sealed, but who it belongs to, its type and its time are not: over a network it takes TLS.
fn security(path: &Path, table: &Table<'_>, brokers: &[String]) -> Result<KafkaSecurity, ConfigError> {
    let named = if table.has("security") {
        table.text("security", "takes tls or plaintext", |text| matches!(text, "tls" | "plaintext"))?
    } else {
        "tls"
    };
    match named {
        "tls" if table.has("ca_file") => Ok(KafkaSecurity::Tls { ca_file: Some(read(path, table, "ca_file")?.0) }),
        "tls" => Ok(KafkaSecurity::Tls { ca_file: None }),
        _ if table.has("ca_file") => Err(table.wrong("ca_file", "is of use with security = \"tls\" only")),
        _ if brokers.iter().all(|broker| is_this_machine(host_of(broker))) => Ok(KafkaSecurity::Plaintext),
        _ => Err(table.wrong("security", "takes plaintext only if every broker is this machine")),
    }
}

fn login(path: &Path, table: &Table<'_>) -> Result<Option<KafkaLogin>, ConfigError> {
    match (table.has("username"), table.has("password_file")) {
        (false, false) => Ok(None),
        (true, false) => Err(table.wrong("password_file", "is missing; username and password_file go together")),
        (false, true) => Err(table.wrong("username", "is missing; username and password_file go together")),
        (true, true) => {
            let username = table.text("username", "takes a user's name", is_plain)?.to_owned();
            Ok(Some(KafkaLogin { username, password: Secret::new(secret(path, table, "password_file")?) }))
        }
    }
}
