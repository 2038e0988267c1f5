//! The table `[backup]` of a region file.

use jiff::SignedDuration;

use crate::config::{ConfigError, document::Table};

/// How often a region is backed up that says nothing of it.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
const EVERY_MIN: SignedDuration = SignedDuration::from_mins(1);
const EVERY_MAX: SignedDuration = SignedDuration::from_hours(24 * 31);

/// How often the region is backed up by itself, if it is to be.
pub(super) fn every(file: &Table<'_>) -> Result<Option<SignedDuration>, ConfigError> {
    let Some(table) = file.optional_table("backup")? else { return Ok(Some(EVERY)) };
    table.only(&["every"])?;
    let takes = "takes a time from 1m to 31d, as 6h or 1d, or never";
    match table.text("every", takes, |text| text == "never" || parsed(text).is_some())? {
        "never" => Ok(None),
        text => Ok(parsed(text)),
    }
}

/// jiff has no days in durations, because they differ; here a day is 24 hours.
fn parsed(text: &str) -> Option<SignedDuration> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u8>().ok());
    let every = match days {
        Some(days) => SignedDuration::from_hours(24 * i64::from(days)),
        None => text.parse().ok()?,
    };
    (EVERY_MIN..=EVERY_MAX).contains(&every).then_some(every)
}
