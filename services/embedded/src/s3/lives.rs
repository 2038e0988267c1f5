//! Ends the lives that are over by the rules of their bucket, as the real service does once a day. What a lock holds stays.

use std::{collections::BTreeSet, io};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::{
    files::Files,
    record::Record,
    settings::{Rule, Settings},
    versions::{Content, Version, VersionIds},
};

/// What one look at every bucket ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    /// Objects that were deleted; their versions live on for a while.
    pub objects: u64,
    /// Versions that are gone for good.
    pub versions: u64,
    /// Delete markers that had nothing left under them.
    pub markers: u64,
}

/// Looks at every object once. `replacing` is held for one object at a time.
pub(super) fn end(files: &Files, ids: &VersionIds, replacing: &Mutex<()>) -> io::Result<Ended> {
    let mut ended = Ended::default();
    for bucket in files.buckets()? {
        let settings = Settings::read(files, &bucket)?;
        let rules: Vec<_> = settings.lives.iter().flatten().filter(|rule| rule.is_enabled).collect();
        if rules.is_empty() {
            continue;
        }
        let mut keys: BTreeSet<String> = files.keys(&bucket, "")?.into_iter().collect();
        keys.extend(files.keys_of_versions(&bucket, "")?);
        for key in keys {
            let rules: Vec<_> = rules.iter().copied().filter(|rule| key.starts_with(&rule.prefix)).collect();
            let _replacing = replacing.blocking_lock();
            let object = Object { files, bucket: &bucket, key: &key, keeps_versions: settings.keeps_versions };
            object.end(&rules, ids, &mut ended)?;
        }
    }
    Ok(ended)
}

struct Object<'store> {
    files: &'store Files,
    bucket: &'store str,
    key: &'store str,
    keeps_versions: bool,
}

impl Object<'_> {
    fn end(&self, rules: &[&Rule], ids: &VersionIds, ended: &mut Ended) -> io::Result<()> {
        let now = ids.now();
        let mut versions = self.files.versions(self.bucket, self.key)?;
        if let Some(latest) = versions.first()
            && matches!(latest.content, Content::Object(_))
            && is_any_over(rules, latest, now)?
        {
            ended.objects += 1;
            if !self.keeps_versions {
                return self.files.remove_version(self.bucket, self.key, latest);
            }
            self.files.mark_deleted(self.bucket, self.key, &ids.next())?;
            versions = self.files.versions(self.bucket, self.key)?;
        }
        for (after, version) in versions.iter().zip(versions.iter().skip(1)) {
            // It is not current since the one after it was made.
            let is_over = rules.iter().any(|rule| is_over(after.made_at, rule.noncurrent_days, now));
            if is_over && !is_held(version, now)? {
                self.files.remove_version(self.bucket, self.key, version)?;
                ended.versions += 1;
            }
        }
        if let [only] = self.files.versions(self.bucket, self.key)?.as_slice()
            && matches!(only.content, Content::Marker)
            && rules.iter().any(|rule| rule.ends_markers)
        {
            self.files.remove_version(self.bucket, self.key, only)?;
            ended.markers += 1;
        }
        Ok(())
    }
}

/// Whether a rule ends the current version: one that asks for a tag ends what carries it.
fn is_any_over(rules: &[&Rule], latest: &Version, now: Timestamp) -> io::Result<bool> {
    for rule in rules.iter().filter(|rule| is_over(latest.made_at, rule.days, now)) {
        if rule.tag.is_none() || Record::read(&latest.path)?.tag == rule.tag {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_over(since: Timestamp, days: Option<u32>, now: Timestamp) -> bool {
    days.is_some_and(|days| now.duration_since(since) >= SignedDuration::from_hours(24 * i64::from(days)))
}

fn is_held(version: &Version, now: Timestamp) -> io::Result<bool> {
    match version.content {
        Content::Object(_) => Ok(Record::read(&version.path)?.is_held(now, false)),
        Content::Marker => Ok(false),
    }
}
