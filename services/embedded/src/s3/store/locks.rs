//! Retentions and legal holds of single versions.

use jiff::{SignedDuration, Timestamp};
use s3s::{
    S3Result,
    dto::{
        GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectRetentionInput, GetObjectRetentionOutput,
        ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode,
        PutObjectLegalHoldInput, PutObjectLegalHoldOutput, PutObjectRetentionInput, PutObjectRetentionOutput,
        Timestamp as S3Timestamp, TimestampFormat,
    },
    s3_error,
};

use super::{FolderStore, Found, internal};
use crate::s3::{
    record::{Mode, Record, Retention},
    settings::Settings,
};

impl FolderStore {
    pub(super) async fn get_object_retention(
        &self,
        input: GetObjectRetentionInput,
    ) -> S3Result<GetObjectRetentionOutput> {
        let found = self.lockable(&input.bucket, &input.key, input.version_id.as_deref())?;
        let none = || s3_error!(NoSuchObjectLockConfiguration, "the version has no retention");
        let retention = found.record.retention.ok_or_else(none)?;
        let retention = ObjectLockRetention {
            mode: Some(ObjectLockRetentionMode::from_static(name(retention.mode))),
            retain_until_date: Some(end(retention.until)),
        };
        Ok(GetObjectRetentionOutput { retention: Some(retention) })
    }

    pub(super) async fn put_object_retention(
        &self,
        input: PutObjectRetentionInput,
    ) -> S3Result<PutObjectRetentionOutput> {
        let _replacing = self.replacing.lock().await;
        let found = self.lockable(&input.bucket, &input.key, input.version_id.as_deref())?;
        let now = self.ids.now();
        let asked = input.retention.unwrap_or_default();
        let retention = match (asked.mode, asked.retain_until_date) {
            (Some(mode), Some(until)) => {
                Some(Retention { mode: self::mode(mode.as_str())?, until: future(&until, now)? })
            }
            (None, None) => None,
            _ => return Err(s3_error!(MalformedXML, "a retention takes both its mode and its end")),
        };
        if !found.record.may_become(retention, now, input.bypass_governance_retention == Some(true)) {
            return Err(s3_error!(AccessDenied, "the version is locked, and a retention only grows"));
        }
        self.keep(found, |record| record.retention = retention)?;
        Ok(PutObjectRetentionOutput::default())
    }

    pub(super) async fn get_object_legal_hold(
        &self,
        input: GetObjectLegalHoldInput,
    ) -> S3Result<GetObjectLegalHoldOutput> {
        let found = self.lockable(&input.bucket, &input.key, input.version_id.as_deref())?;
        let status =
            if found.record.is_on_hold { ObjectLockLegalHoldStatus::ON } else { ObjectLockLegalHoldStatus::OFF };
        let hold = ObjectLockLegalHold { status: Some(ObjectLockLegalHoldStatus::from_static(status)) };
        Ok(GetObjectLegalHoldOutput { legal_hold: Some(hold) })
    }

    pub(super) async fn put_object_legal_hold(
        &self,
        input: PutObjectLegalHoldInput,
    ) -> S3Result<PutObjectLegalHoldOutput> {
        let _replacing = self.replacing.lock().await;
        let found = self.lockable(&input.bucket, &input.key, input.version_id.as_deref())?;
        let status = input.legal_hold.and_then(|hold| hold.status);
        let is_on_hold = match status.as_ref().map(ObjectLockLegalHoldStatus::as_str) {
            Some(ObjectLockLegalHoldStatus::ON) => true,
            Some(ObjectLockLegalHoldStatus::OFF) => false,
            _ => return Err(s3_error!(MalformedXML, "a legal hold is ON or OFF")),
        };
        self.keep(found, |record| record.is_on_hold = is_on_hold)?;
        Ok(PutObjectLegalHoldOutput::default())
    }

    fn lockable(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Found> {
        if !self.settings(bucket)?.locks {
            return Err(s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration"));
        }
        self.find(bucket, key, version)
    }

    fn keep(&self, mut found: Found, change: impl FnOnce(&mut Record)) -> S3Result<()> {
        change(&mut found.record);
        found.record.write(&found.path).map_err(internal)?;
        self.files.sync_file(&found.path).map_err(internal)
    }
}

/// The retention of a bucket's objects that are written without one.
pub(super) fn by_default(settings: &Settings, now: Timestamp) -> Option<Retention> {
    let retention = settings.default_retention.filter(|_| settings.locks)?;
    Some(Retention { mode: retention.mode, until: now + SignedDuration::from_hours(24 * i64::from(retention.days)) })
}

pub(super) fn mode(name: &str) -> S3Result<Mode> {
    match name {
        ObjectLockRetentionMode::GOVERNANCE => Ok(Mode::Governance),
        ObjectLockRetentionMode::COMPLIANCE => Ok(Mode::Compliance),
        _ => Err(s3_error!(InvalidArgument, "a lock's mode is GOVERNANCE or COMPLIANCE")),
    }
}

pub(super) const fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Governance => ObjectLockRetentionMode::GOVERNANCE,
        Mode::Compliance => ObjectLockRetentionMode::COMPLIANCE,
    }
}

/// The end of a retention, which must be ahead.
pub(super) fn future(until: &S3Timestamp, now: Timestamp) -> S3Result<Timestamp> {
    let until = time_of(until).ok_or_else(|| s3_error!(InvalidArgument, "this is no date"))?;
    if until > now {
        Ok(until)
    } else {
        Err(s3_error!(InvalidArgument, "The retain until date must be in the future!"))
    }
}

/// The same time, in our words.
pub(in crate::s3) fn time_of(time: &S3Timestamp) -> Option<Timestamp> {
    let mut text = Vec::new();
    time.format(TimestampFormat::DateTime, &mut text).ok()?;
    std::str::from_utf8(&text).ok()?.parse().ok()
}

/// Whole days from now.
pub(in crate::s3) fn days_until(until: Timestamp, now: Timestamp) -> i64 {
    until.duration_since(now).as_hours() / 24
}

pub(super) fn end(until: Timestamp) -> S3Timestamp {
    S3Timestamp::from(std::time::SystemTime::from(until))
}
