//! One region file.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use schemas::RegionId;

use super::{
    ConfigError,
    document::{Document, Table},
    policy_file::PolicyFile,
};
use crate::{
    database::is_this_machine,
    egress::{InvalidNetwork, Network},
    region::{Endpoints, Feed, Incident, PostgresEndpoint, Region, S3Endpoint},
};

mod backup;
mod kafka;
mod storage;

const FIELDS: &[&str] = &[
    "id",
    "name",
    "jurisdiction",
    "cloud_region",
    "bucket",
    "key_alias",
    "url",
    "feed",
    "backup",
    "drill",
    "object_lock",
    "encryption",
    "private_networks",
    "incident",
    "postgres",
    "s3",
    "kafka",
];

/// Reads a region file. `buckets` are those of the files read before it: two regions never share one.
pub(super) fn parse(
    path: &Path,
    text: &str,
    policy: &PolicyFile<'_>,
    buckets: &BTreeMap<String, RegionId>,
) -> Result<Region, ConfigError> {
    let document = Document::parse(path, text)?;
    let file = document.root();
    file.only(FIELDS)?;
    let id = id(path, &file)?;
    let (jurisdiction, cloud_region) = place(&file, policy)?;
    let bucket = bucket(&file, buckets)?;
    let name = file.text("name", "takes 1 to 80 characters, no control characters", |text| {
        (1..=80).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    })?;
    let key_alias = file.text("key_alias", "takes 1 to 256 letters, digits, '/', '_' or '-'", |text| {
        (1..=256).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte))
    })?;
    let url = if file.has("url") { Some(url(&file)?) } else { None };
    let (postgres, s3) = endpoints(path, &file)?.map(|it| (it.postgres, it.s3)).unzip();
    let kafka = file.optional_table("kafka")?.map(|table| kafka::endpoint(path, &table)).transpose()?;
    let feed = feed(&file)?;
    let storage = storage::storage(&file, policy.deletion())?;
    let (backup_every, drill_every) = (backup::every(&file, "backup")?, backup::every(&file, "drill")?);
    let backup_keep = backup::keep(&file, storage.lock)?;
    Ok(Region {
        id,
        name: name.to_owned(),
        jurisdiction,
        cloud_region,
        bucket,
        key_alias: key_alias.to_owned(),
        url: url.map(str::to_owned),
        feed,
        backup_every,
        backup_keep,
        drill_every,
        drill_sample: backup::sample(&file)?,
        storage,
        private_networks: private_networks(&file)?,
        incidents: incidents(&file)?,
        postgres,
        s3,
        kafka,
    })
}

fn id(path: &Path, file: &Table<'_>) -> Result<RegionId, ConfigError> {
    let id: RegionId = file.parsed("id", &format!("takes {}", RegionId::TAKES))?;
    if id.as_str() == "directory" {
        return Err(file.wrong("id", "takes any name but directory, which is the directory's own"));
    }
    match path.file_stem().and_then(|stem| stem.to_str()) {
        Some(stem) if stem == id.as_str() => Ok(id),
        stem => Err(file.wrong("id", &format!("takes the file's name, {}", stem.unwrap_or_default()))),
    }
}

/// Jurisdiction and cloud region, of which the second must lie in the first.
fn place(file: &Table<'_>, policy: &PolicyFile<'_>) -> Result<(String, String), ConfigError> {
    let jurisdiction = file.text("jurisdiction", "takes EEA, or a country code of two upper-case letters", |text| {
        text == "EEA" || is_country(text)
    })?;
    let inside = policy.cloud_regions_in(jurisdiction);
    if inside.is_empty() {
        return Err(file.wrong("jurisdiction", "takes one in which the hosting policy knows a cloud region"));
    }
    let takes = format!("takes a cloud region in {jurisdiction}: {}", inside.join(", "));
    let cloud_region = file.text("cloud_region", &takes, |text| inside.contains(&text))?;
    Ok((jurisdiction.to_owned(), cloud_region.to_owned()))
}

fn private_networks(file: &Table<'_>) -> Result<Vec<Network>, ConfigError> {
    const NAME: &str = "private_networks";
    if !file.has(NAME) {
        return Ok(Vec::new());
    }
    let networks = file.texts(NAME, &InvalidNetwork.to_string(), |text| text.parse::<Network>().is_ok())?;
    Ok(networks.into_iter().filter_map(|text| text.parse().ok()).collect())
}

fn incidents(file: &Table<'_>) -> Result<Vec<Incident>, ConfigError> {
    const NAME: &str = "incident";
    const MOMENT: &str = "takes a moment such as 2026-11-22T10:00:00Z";
    let tables = if file.has(NAME) { file.tables(NAME)? } else { Vec::new() };
    let incident = |table: &Table<'_>| {
        table.only(&["began", "ended", "what"])?;
        let began: Timestamp = table.parsed("began", MOMENT)?;
        let ended: Option<Timestamp> = table.has("ended").then(|| table.parsed("ended", MOMENT)).transpose()?;
        if ended.is_some_and(|ended| ended < began) {
            return Err(table.wrong("ended", "takes a moment after began"));
        }
        let what = table.text("what", "takes what happened, for people to read", |text| !text.trim().is_empty())?;
        Ok(Incident { began, ended, what: what.to_owned() })
    };
    let mut incidents = tables.iter().map(incident).collect::<Result<Vec<_>, _>>()?;
    incidents.sort_by_key(|incident| Reverse(incident.began));
    Ok(incidents)
}

fn bucket(file: &Table<'_>, buckets: &BTreeMap<String, RegionId>) -> Result<String, ConfigError> {
    let bucket = file.text(
        "bucket",
        "takes 3 to 63 lower-case letters, digits, '.' or '-', beginning and ending with a letter or digit",
        is_bucket,
    )?;
    match buckets.get(bucket) {
        None => Ok(bucket.to_owned()),
        Some(other) => Err(file.wrong("bucket", &format!("takes a bucket of its own; {bucket} is region {other}'s"))),
    }
}

fn endpoints(path: &Path, file: &Table<'_>) -> Result<Option<Endpoints>, ConfigError> {
    match (file.optional_table("postgres")?, file.optional_table("s3")?) {
        (None, None) => Ok(None),
        (Some(postgres), Some(s3)) => {
            Ok(Some(Endpoints { postgres: postgres_endpoint(path, &postgres)?, s3: s3_endpoint(path, &s3)? }))
        }
        (Some(_), None) => Err(file.wrong("s3", "is missing; a region names both [postgres] and [s3], or neither")),
        (None, Some(_)) => {
            Err(file.wrong("postgres", "is missing; a region names both [postgres] and [s3], or neither"))
        }
    }
}

/// Readers may be told to read the topic only where there is one. The other way round is fine: a relay may fill the topic
/// before the readers switch to it.
fn feed(file: &Table<'_>) -> Result<Feed, ConfigError> {
    if !file.has("feed") {
        return Ok(Feed::Log);
    }
    match file.text("feed", "takes log or kafka", |text| matches!(text, "log" | "kafka"))? {
        "log" => Ok(Feed::Log),
        _ if file.has("kafka") => Ok(Feed::Kafka),
        _ => Err(file.wrong("feed", "takes kafka only where a table [kafka] names brokers and partitions")),
    }
}

fn postgres_endpoint(path: &Path, table: &Table<'_>) -> Result<PostgresEndpoint, ConfigError> {
    table.only(&["host", "port", "database", "user", "password_file"])?;
    let host = table.text("host", "takes a host name, an address or a socket's folder", is_plain)?;
    let port = table.number("port", "takes a number from 1 to 65535")?;
    let database = table.text("database", "takes a database's name", is_plain)?;
    let user = table.text("user", "takes a user's name", is_plain)?;
    let password = if table.has("password_file") { secret(path, table, "password_file")? } else { String::new() };
    Ok(PostgresEndpoint::new(host, port, database, user, password))
}

fn s3_endpoint(path: &Path, table: &Table<'_>) -> Result<S3Endpoint, ConfigError> {
    table.only(&["url", "access_key", "secret_key_file"])?;
    let url = url(table)?;
    let access_key = table.text("access_key", "takes an access key's id", is_plain)?;
    Ok(S3Endpoint::new(url, access_key, secret(path, table, "secret_key_file")?))
}

/// Where a server is reached, without a path.
fn url<'file>(table: &Table<'file>) -> Result<&'file str, ConfigError> {
    let takes = "takes https://, a host and perhaps a port; http:// if the host is this machine";
    table.text("url", takes, |text| {
        let is_authority = |text: &str| is_plain(text) && !text.contains(['/', '?', '#', '@']);
        match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(authority), _) => is_authority(authority),
            (_, Some(authority)) => is_authority(authority) && is_this_machine(host_of(authority)),
            _ => false,
        }
    })
}

/// The host of a URL's `host`, `host:port` or `[address]:port`.
fn host_of(authority: &str) -> &str {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// The secret in the file that a field names, relative to the region file. Secrets do not stand in region files.
fn secret(path: &Path, table: &Table<'_>, field: &str) -> Result<String, ConfigError> {
    let (file, text) = read(path, table, field)?;
    match text.trim_end() {
        "" => Err(table.wrong(field, &format!("takes a file that is not empty; {} is", file.display()))),
        secret => Ok(secret.to_owned()),
    }
}

/// The file that a field names, relative to the region file.
fn read(path: &Path, table: &Table<'_>, field: &str) -> Result<(PathBuf, String), ConfigError> {
    let named = table.text(field, "takes the path of a file", |text| !text.is_empty())?;
    let file = path.parent().unwrap_or(Path::new("")).join(named);
    let text = fs::read_to_string(&file)
        .map_err(|error| table.wrong(field, &format!("takes a readable file; {}: {}", file.display(), error.kind())))?;
    Ok((file, text))
}

/// Two upper-case letters (ISO 3166-1).
pub(super) fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_bucket(text: &str) -> bool {
    let is_edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&text.len())
        && text.bytes().all(|byte| is_edge(byte) || byte == b'.' || byte == b'-')
        && text.bytes().next().is_some_and(is_edge)
        && text.bytes().next_back().is_some_and(is_edge)
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|it| it.is_control() || it.is_whitespace())
}
