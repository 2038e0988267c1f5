//! The tables `[backup]` and `[drill]` of a region file.

use jiff::SignedDuration;

use crate::{
    config::{ConfigError, document::Table},
    storage::ObjectLock,
};

/// How often a region is backed up, and drilled, that says nothing of it.
const EVERY: SignedDuration = days(1);
const EVERY_MIN: SignedDuration = SignedDuration::from_mins(1);
const EVERY_MAX: SignedDuration = days(31);
/// How long a region keeps backups that says nothing of it.
const KEEP: SignedDuration = days(90);
const KEEP_MAX: SignedDuration = days(3650);
/// How many tenants a drill takes in a region that says nothing of it.
const SAMPLE: u32 = 3;
const SAMPLE_MAX: u32 = 1_000;

/// How often what the table is about is done by itself, if it is to be.
pub(super) fn every(file: &Table<'_>, name: &'static str) -> Result<Option<SignedDuration>, ConfigError> {
    let Some(table) = table(file, (name, "every"))? else { return Ok(Some(EVERY)) };
    let takes = "takes a time from 1m to 31d, as 6h or 1d, or never";
    let every = |text: &str| parsed(text).filter(|every| (EVERY_MIN..=EVERY_MAX).contains(every));
    match table.text("every", takes, |text| text == "never" || every(text).is_some())? {
        "never" => Ok(None),
        text => Ok(every(text)),
    }
}

/// For how long backups are kept. What is locked cannot be gone before its lock ends, so the file may not promise it.
pub(super) fn keep(file: &Table<'_>, lock: Option<ObjectLock>) -> Result<SignedDuration, ConfigError> {
    let locked = lock.map_or(days(1), |lock| days(lock.days.into()));
    let Some(table) = table(file, ("backup", "keep"))? else { return Ok(KEEP.max(locked)) };
    let takes = format!("takes days from {}d to 3650d: no fewer than object_lock.days", locked.as_hours() / 24);
    let keep = |text: &str| text.strip_suffix('d').and(parsed(text)).filter(|keep| (locked..=KEEP_MAX).contains(keep));
    let text = table.text("keep", &takes, |text| keep(text).is_some())?;
    Ok(keep(text).expect("it was just found"))
}

/// How many tenants a drill takes that nobody asked for.
pub(super) fn sample(file: &Table<'_>) -> Result<u32, ConfigError> {
    let Some(table) = table(file, ("drill", "sample"))? else { return Ok(SAMPLE) };
    let takes = format!("takes a number from 1 to {SAMPLE_MAX}");
    let sample = table.number("sample", &takes)?;
    if sample <= SAMPLE_MAX { Ok(sample) } else { Err(table.wrong("sample", &takes)) }
}

/// The table, if it has this field.
fn table<'document>(
    file: &Table<'document>,
    (name, field): (&'static str, &str),
) -> Result<Option<Table<'document>>, ConfigError> {
    let Some(table) = file.optional_table(name)? else { return Ok(None) };
    table.only(if name == "backup" { &["every", "keep"] } else { &["every", "sample"] })?;
    Ok(table.has(field).then_some(table))
}

/// jiff has no days in durations, because they differ; here a day is 24 hours.
fn parsed(text: &str) -> Option<SignedDuration> {
    match text.strip_suffix('d').and_then(|number| number.parse::<u16>().ok()) {
        Some(number) => Some(days(number.into())),
        None => text.parse().ok(),
    }
}

const fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}
