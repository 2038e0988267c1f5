//! Make a bucket, and tell it how to keep objects.

use s3s::{
    S3Result,
    dto::{
        AbortIncompleteMultipartUpload, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput,
        CreateBucketOutput, DefaultRetention as S3DefaultRetention, ExpirationStatus,
        GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput, GetBucketLocationInput,
        GetBucketLocationOutput, GetBucketVersioningInput, GetBucketVersioningOutput, GetObjectLockConfigurationInput,
        GetObjectLockConfigurationOutput, HeadBucketInput, HeadBucketOutput, LifecycleExpiration, LifecycleRule,
        LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration, ObjectLockConfiguration,
        ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule, PutBucketLifecycleConfigurationInput,
        PutBucketLifecycleConfigurationOutput, PutBucketVersioningInput, PutBucketVersioningOutput,
        PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
    },
    s3_error,
};

use super::{FolderStore, internal, locks, tags};
use crate::s3::{
    record::{Record, Tag},
    settings::{DefaultRetention, Rule, Settings},
};

impl FolderStore {
    pub(super) async fn create_bucket(&self, input: CreateBucketInput) -> S3Result<CreateBucketOutput> {
        let location = self.files.location(&input.bucket);
        if location.exists() {
            return Err(s3_error!(BucketAlreadyOwnedByYou, "the bucket exists"));
        }
        std::fs::create_dir_all(self.files.bucket(&input.bucket)).map_err(internal)?;
        let locks = input.object_lock_enabled_for_bucket == Some(true);
        self.tell(&input.bucket, |settings| (settings.keeps_versions, settings.locks) = (locks, locks)).await?;
        std::fs::write(location, &self.location).map_err(internal)?;
        Ok(CreateBucketOutput::default())
    }

    pub(super) async fn head_bucket(&self, input: HeadBucketInput) -> S3Result<HeadBucketOutput> {
        self.bucket(&input.bucket)?;
        Ok(HeadBucketOutput { bucket_region: Some(self.location.clone()), ..Default::default() })
    }

    pub(super) async fn get_bucket_location(&self, input: GetBucketLocationInput) -> S3Result<GetBucketLocationOutput> {
        self.bucket(&input.bucket)?;
        let location = std::fs::read_to_string(self.files.location(&input.bucket)).map_err(internal)?;
        // The real service answers nothing for its first region.
        let constraint = (location != "us-east-1").then(|| BucketLocationConstraint::from(location));
        Ok(GetBucketLocationOutput { location_constraint: constraint })
    }

    pub(super) async fn get_bucket_versioning(
        &self,
        input: GetBucketVersioningInput,
    ) -> S3Result<GetBucketVersioningOutput> {
        let enabled = || BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED);
        let status = self.settings(&input.bucket)?.keeps_versions.then(enabled);
        Ok(GetBucketVersioningOutput { status, ..Default::default() })
    }

    pub(super) async fn put_bucket_versioning(
        &self,
        input: PutBucketVersioningInput,
    ) -> S3Result<PutBucketVersioningOutput> {
        self.bucket(&input.bucket)?;
        let status = input.versioning_configuration.status;
        if status.as_ref().map(BucketVersioningStatus::as_str) != Some(BucketVersioningStatus::ENABLED) {
            return Err(s3_error!(InvalidBucketState, "a bucket that keeps versions goes on to"));
        }
        // Where versions cannot be told apart, that is said now and not at the first write.
        let staged = self.files.stage().map_err(internal)?;
        Record::default().write(staged.path()).map_err(internal)?;
        self.tell(&input.bucket, |settings| settings.keeps_versions = true).await?;
        Ok(PutBucketVersioningOutput::default())
    }

    pub(super) async fn get_object_lock_configuration(
        &self,
        input: GetObjectLockConfigurationInput,
    ) -> S3Result<GetObjectLockConfigurationOutput> {
        let settings = self.settings(&input.bucket)?;
        if !settings.locks {
            return Err(s3_error!(ObjectLockConfigurationNotFoundError, "the bucket has no object lock"));
        }
        let rule = settings.default_retention.map(|retention| ObjectLockRule {
            default_retention: Some(S3DefaultRetention {
                mode: Some(ObjectLockRetentionMode::from_static(locks::name(retention.mode))),
                days: i32::try_from(retention.days).ok(),
                years: None,
            }),
        });
        let enabled = ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED);
        let configuration = ObjectLockConfiguration { object_lock_enabled: Some(enabled), rule };
        Ok(GetObjectLockConfigurationOutput { object_lock_configuration: Some(configuration) })
    }

    pub(super) async fn put_object_lock_configuration(
        &self,
        input: PutObjectLockConfigurationInput,
    ) -> S3Result<PutObjectLockConfigurationOutput> {
        if !self.settings(&input.bucket)?.keeps_versions {
            return Err(s3_error!(InvalidBucketState, "a bucket that locks keeps versions"));
        }
        let rule = input.object_lock_configuration.and_then(|configuration| configuration.rule);
        let retention = rule.and_then(|rule| rule.default_retention).map(default_retention).transpose()?;
        self.tell(&input.bucket, |settings| (settings.locks, settings.default_retention) = (true, retention)).await?;
        Ok(PutObjectLockConfigurationOutput::default())
    }

    pub(super) async fn get_bucket_lifecycle_configuration(
        &self,
        input: GetBucketLifecycleConfigurationInput,
    ) -> S3Result<GetBucketLifecycleConfigurationOutput> {
        let rules = self.settings(&input.bucket)?.lives;
        let rules = rules.ok_or_else(|| s3_error!(NoSuchLifecycleConfiguration, "no life ends here by itself"))?;
        let rules = rules.iter().map(as_told).collect();
        Ok(GetBucketLifecycleConfigurationOutput { rules: Some(rules), ..Default::default() })
    }

    pub(super) async fn put_bucket_lifecycle_configuration(
        &self,
        input: PutBucketLifecycleConfigurationInput,
    ) -> S3Result<PutBucketLifecycleConfigurationOutput> {
        self.bucket(&input.bucket)?;
        let rules = input.lifecycle_configuration.map(|configuration| configuration.rules).unwrap_or_default();
        let rules = rules.into_iter().map(rule).collect::<S3Result<Vec<_>>>()?;
        self.tell(&input.bucket, |settings| settings.lives = Some(rules)).await?;
        Ok(PutBucketLifecycleConfigurationOutput::default())
    }

    async fn tell(&self, bucket: &str, change: impl FnOnce(&mut Settings)) -> S3Result<()> {
        let _replacing = self.replacing.lock().await;
        let mut settings = Settings::read(&self.files, bucket).map_err(internal)?;
        change(&mut settings);
        settings.write(&self.files, bucket).map_err(internal)
    }
}

fn default_retention(told: S3DefaultRetention) -> S3Result<DefaultRetention> {
    let (Some(mode), Some(days), None) = (told.mode, told.days, told.years) else {
        return Err(s3_error!(NotImplemented, "a default retention takes a mode and days"));
    };
    let days = u32::try_from(days).map_err(|_| s3_error!(MalformedXML, "days are counted from 1"))?;
    Ok(DefaultRetention { mode: locks::mode(mode.as_str())?, days })
}

/// A rule; one that asks for what is not done here is refused rather than not followed.
fn rule(told: LifecycleRule) -> S3Result<Rule> {
    let unsupported = || {
        s3_error!(NotImplemented, "a rule takes a prefix, perhaps a tag, and days for versions that are current or not")
    };
    if told.transitions.is_some_and(|it| !it.is_empty())
        || told.noncurrent_version_transitions.is_some_and(|it| !it.is_empty())
    {
        return Err(unsupported());
    }
    let (prefix, tag) = about(told.filter.unwrap_or_default()).ok_or_else(unsupported)?;
    let expiration = told.expiration.unwrap_or_default();
    let noncurrent = told.noncurrent_version_expiration.unwrap_or_default();
    if expiration.date.is_some() || noncurrent.newer_noncurrent_versions.is_some() {
        return Err(unsupported());
    }
    let is_for_all = expiration.expired_object_delete_marker == Some(true)
        || noncurrent.noncurrent_days.is_some()
        || told.abort_incomplete_multipart_upload.is_some();
    if tag.is_some() && is_for_all {
        return Err(s3_error!(NotImplemented, "a rule for a tag takes days for versions that are current"));
    }
    let days = |days: Option<i32>| days.map(u32::try_from).transpose().map_err(|_| unsupported());
    Ok(Rule {
        id: told.id.unwrap_or_default(),
        prefix: prefix.or(told.prefix).unwrap_or_default(),
        tag,
        is_enabled: told.status.as_str() == ExpirationStatus::ENABLED,
        days: days(expiration.days)?,
        noncurrent_days: days(noncurrent.noncurrent_days)?,
        ends_markers: expiration.expired_object_delete_marker == Some(true),
        incomplete_days: days(told.abort_incomplete_multipart_upload.and_then(|it| it.days_after_initiation))?,
    })
}

/// Which objects a rule is about: a prefix, or a prefix and one tag. Nothing for a filter of another form.
fn about(filter: LifecycleRuleFilter) -> Option<(Option<String>, Option<Tag>)> {
    let is_by_size = |greater: Option<i64>, less: Option<i64>| greater.is_some() || less.is_some();
    if filter.tag.is_some() || is_by_size(filter.object_size_greater_than, filter.object_size_less_than) {
        return None;
    }
    let Some(and) = filter.and else { return Some((filter.prefix, None)) };
    if is_by_size(and.object_size_greater_than, and.object_size_less_than) || filter.prefix.is_some() {
        return None;
    }
    Some((and.prefix, Some(tags::only(and.tags.unwrap_or_default())?)))
}

fn as_filter(rule: &Rule) -> LifecycleRuleFilter {
    let prefix = Some(rule.prefix.clone());
    let Some(tag) = &rule.tag else { return LifecycleRuleFilter { prefix, ..Default::default() } };
    let and = LifecycleRuleAndOperator { prefix, tags: Some(vec![tags::told(tag)]), ..Default::default() };
    LifecycleRuleFilter { and: Some(and), ..Default::default() }
}

fn as_told(rule: &Rule) -> LifecycleRule {
    let days = |days: Option<u32>| days.and_then(|days| i32::try_from(days).ok());
    let status = if rule.is_enabled { ExpirationStatus::ENABLED } else { ExpirationStatus::DISABLED };
    let expiration = LifecycleExpiration {
        days: days(rule.days),
        expired_object_delete_marker: rule.ends_markers.then_some(true),
        date: None,
    };
    let noncurrent = NoncurrentVersionExpiration { noncurrent_days: days(rule.noncurrent_days), ..Default::default() };
    let incomplete = AbortIncompleteMultipartUpload { days_after_initiation: days(rule.incomplete_days) };
    LifecycleRule {
        id: Some(rule.id.clone()),
        filter: Some(as_filter(rule)),
        status: ExpirationStatus::from_static(status),
        expiration: (rule.days.is_some() || rule.ends_markers).then_some(expiration),
        noncurrent_version_expiration: rule.noncurrent_days.is_some().then_some(noncurrent),
        abort_incomplete_multipart_upload: rule.incomplete_days.is_some().then_some(incomplete),
        noncurrent_version_transitions: None,
        prefix: None,
        transitions: None,
    }
}
