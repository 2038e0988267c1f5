//! The tables `[object_lock]` and `[encryption]` of a region file.

use crate::{
    config::{ConfigError, document::Table},
    storage::{Deletion, LockMode, ObjectLock, Storage},
};

pub(super) fn storage(file: &Table<'_>, deletion: Deletion) -> Result<Storage, ConfigError> {
    let lock = file.optional_table("object_lock")?.map(|table| object_lock(&table, deletion)).transpose()?;
    let is_encrypted_by_kms = match file.optional_table("encryption")? {
        Some(table) => kms(file, &table)?,
        None => false,
    };
    Ok(Storage { lock, is_encrypted_by_kms, deletion })
}

/// What is locked for as long as the promise, or longer, cannot be gone when it is promised to be.
fn object_lock(table: &Table<'_>, deletion: Deletion) -> Result<ObjectLock, ConfigError> {
    table.only(&["mode", "days"])?;
    let takes = "takes governance or compliance";
    let mode = match table.text("mode", takes, |text| matches!(text, "governance" | "compliance"))? {
        "governance" => LockMode::Governance,
        _ => LockMode::Compliance,
    };
    let (promise, noncurrent) = (deletion.promise_days, deletion.noncurrent_days);
    // What is deleted when its lock ends is a noncurrent version for a while yet.
    let most = promise.saturating_sub(noncurrent).saturating_sub(1);
    let takes = format!(
        "takes 1 to {most} days: with noncurrent_days = {noncurrent}, less than the promise_days = {promise} after which the \
         hosting policy has what was deleted be gone"
    );
    let days = table.number("days", &takes)?;
    if days <= most { Ok(ObjectLock { mode, days }) } else { Err(table.wrong("days", &takes)) }
}

/// Only where a key service is: the embedded endpoint has none.
fn kms(file: &Table<'_>, table: &Table<'_>) -> Result<bool, ConfigError> {
    table.only(&["kms"])?;
    match table.boolean("kms")? {
        true if !file.has("s3") => {
            Err(table.wrong("kms", "takes true only with [s3]: an embedded bucket has no key service"))
        }
        kms => Ok(kms),
    }
}
