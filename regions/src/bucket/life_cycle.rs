//! When lives of objects end: the rules that the hosting policy asks for, and whether a bucket has them.

use std::collections::BTreeSet;

use aws_sdk_s3::{
    error::{BuildError, ProvideErrorMetadata},
    types::{
        AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
        LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration, Tag,
    },
};

use super::{Bucket, keeping::over};
use crate::{error::Error, storage::Deletion};

/// Where wrapped keys lie, which live shorter than everything else.
const KEYS: &str = "keys/";
/// Where the reports of restore drills lie, which live for as long as the policy says.
const DRILLS: &str = "drills/";
/// Where backups lie, which live for as long as nobody marks them as over.
const BACKUPS: &str = "backups/";

impl Bucket {
    /// Asks the bucket whether it ends lives as the hosting policy says. Only who looks after buckets may ask: nothing that runs
    /// would do anything else without it, but destroyed keys would stay in exports that do not end.
    ///
    /// # Errors
    /// If it cannot be asked, lacks a rule, or has one that nobody asked for.
    pub async fn check_life_cycle(&self) -> Result<(), Error> {
        let inspect_failed = |source| Error::InspectBucket { bucket: self.name.clone(), field: "deletion", source };
        let answer = self.client.get_bucket_lifecycle_configuration().bucket(&self.name).send().await;
        let found = match answer {
            Ok(answer) => answer.rules.unwrap_or_default(),
            Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Vec::new(),
            Err(error) => return Err(inspect_failed(error.into())),
        };
        let asked = life_cycle(self.storage.deletion).map_err(|error| inspect_failed(error.into()))?;
        let found: Vec<_> =
            found.iter().filter(|rule| *rule.status() == ExpirationStatus::Enabled).map(Life::of).collect();
        let asked: Vec<_> = asked.rules().iter().map(Life::of).collect();
        let not_in = |these: &[Life], others: &[Life]| {
            let lives = these.iter().filter(|life| !others.contains(life)).map(ToString::to_string);
            lives.collect::<Vec<_>>().join(", ")
        };
        match (not_in(&asked, &found), not_in(&found, &asked)) {
            (missing, foreign) if missing.is_empty() && foreign.is_empty() => Ok(()),
            (missing, foreign) => Err(Error::LivesOtherwise { bucket: self.name.clone(), missing, foreign }),
        }
    }
}

/// What a rule ends, and when, whatever it is called and however it is put.
#[derive(PartialEq)]
struct Life {
    prefix: String,
    tags: BTreeSet<(String, String)>,
    days: Option<i32>,
    ends_markers: bool,
    noncurrent_days: Option<i32>,
    incomplete_days: Option<i32>,
    /// What else the rule says, which we never ask for: sizes, dates, other kinds of storage.
    is_strange: bool,
}

impl Life {
    fn of(rule: &LifecycleRule) -> Self {
        let filter = rule.filter();
        let both = filter.and_then(|filter| filter.and());
        #[expect(deprecated, reason = "older rules, and servers, say it there")]
        let prefixes = [filter.and_then(|filter| filter.prefix()), both.and_then(|both| both.prefix()), rule.prefix()];
        let tags = filter.and_then(|filter| filter.tag()).into_iter().chain(both.iter().flat_map(|both| both.tags()));
        let (expiration, noncurrent) = (rule.expiration(), rule.noncurrent_version_expiration());
        let sizes = [
            filter.and_then(|filter| filter.object_size_greater_than()),
            filter.and_then(|filter| filter.object_size_less_than()),
            both.and_then(|both| both.object_size_greater_than()),
            both.and_then(|both| both.object_size_less_than()),
        ];
        Self {
            prefix: prefixes.into_iter().flatten().next().unwrap_or_default().to_owned(),
            tags: tags.map(|tag: &Tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
            days: expiration.and_then(|expiration| expiration.days()),
            ends_markers: expiration.and_then(|expiration| expiration.expired_object_delete_marker()).unwrap_or(false),
            noncurrent_days: noncurrent.and_then(|noncurrent| noncurrent.noncurrent_days()),
            incomplete_days: rule.abort_incomplete_multipart_upload().and_then(|it| it.days_after_initiation()),
            is_strange: sizes.iter().any(Option::is_some)
                || expiration.is_some_and(|expiration| expiration.date().is_some())
                || noncurrent.is_some_and(|noncurrent| noncurrent.newer_noncurrent_versions().is_some())
                || !rule.transitions().is_empty()
                || !rule.noncurrent_version_transitions().is_empty(),
        }
    }
}

impl std::fmt::Display for Life {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.days, self.noncurrent_days) {
            (Some(days), _) => write!(formatter, "{}* after {days} days", self.prefix)?,
            (None, Some(days)) => write!(formatter, "what was replaced in {}* after {days} days", self.prefix)?,
            (None, None) => write!(formatter, "something in {}*", self.prefix)?,
        }
        if let Some((key, value)) = self.tags.first() {
            write!(formatter, " where {key} is {value}")?;
        }
        if self.is_strange { formatter.write_str(" under further conditions") } else { Ok(()) }
    }
}

/// Keys and reports of drills expire, and so do backups that are marked as over; versions that were replaced or deleted go after a
/// while, once no lock holds them; so do unfinished uploads and delete markers with nothing left under them.
pub(super) fn life_cycle(deletion: Deletion) -> Result<BucketLifecycleConfiguration, BuildError> {
    let rule = |id: &str, prefix: &str| {
        let filter = LifecycleRuleFilter::builder().prefix(prefix).build();
        LifecycleRule::builder().id(id).status(ExpirationStatus::Enabled).filter(filter)
    };
    let days = |days: u16| i32::from(days);
    let keys = LifecycleExpiration::builder().days(days(deletion.keys_days)).build();
    let drills = LifecycleExpiration::builder().days(days(deletion.drills_days)).build();
    let over = LifecycleRuleAndOperator::builder().prefix(BACKUPS).tags(over()?).build();
    // Counted from the backup's writing: it is over at once.
    let at_once = LifecycleExpiration::builder().days(1).build();
    let markers = LifecycleExpiration::builder().expired_object_delete_marker(true).build();
    let noncurrent = NoncurrentVersionExpiration::builder().noncurrent_days(days(deletion.noncurrent_days)).build();
    let incomplete =
        AbortIncompleteMultipartUpload::builder().days_after_initiation(days(deletion.incomplete_days)).build();
    let replaced = rule("replaced-versions", "").noncurrent_version_expiration(noncurrent).expiration(markers);
    BucketLifecycleConfiguration::builder()
        .rules(rule("keys", KEYS).expiration(keys).build()?)
        .rules(rule("drills", DRILLS).expiration(drills).build()?)
        .rules(
            LifecycleRule::builder()
                .id("backups")
                .status(ExpirationStatus::Enabled)
                .filter(LifecycleRuleFilter::builder().and(over).build())
                .expiration(at_once)
                .build()?,
        )
        .rules(replaced.abort_incomplete_multipart_upload(incomplete).build()?)
        .build()
}
