//! Who may call what: each key has its secret, and the policy that says what it may do.

use std::collections::BTreeMap;

use http::{HeaderMap, Uri};
use jiff::Timestamp;
use s3s::{
    S3Request, S3Result,
    access::{S3Access, S3AccessContext},
    auth::{Credentials, S3Auth, SecretKey},
    dto::{ListObjectVersionsInput, ListObjectsV2Input, PutObjectRetentionInput},
    path::S3Path,
    s3_error,
};

use super::{
    policy::{Policy, Request},
    store::{days_until, time_of},
    versions::VersionIds,
};

/// A key, and what it may do.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Its id.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// What it may do; everything, without one.
    pub policy: Option<Policy>,
    /// The tags of whoever holds it, which a policy may name.
    pub tags: BTreeMap<String, String>,
}

impl Credential {
    /// A key that may do everything.
    pub fn unlimited(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        let (access_key, secret_key) = (access_key.into(), secret_key.into());
        Self { access_key, secret_key, policy: None, tags: BTreeMap::new() }
    }
}

/// The keys of an endpoint.
#[derive(Clone)]
pub(super) struct Access {
    by_key: std::sync::Arc<BTreeMap<String, Credential>>,
    ids: std::sync::Arc<VersionIds>,
}

impl Access {
    pub(super) fn new(credentials: &[Credential], ids: std::sync::Arc<VersionIds>) -> Self {
        let by_key = credentials.iter().map(|it| (it.access_key.clone(), it.clone())).collect();
        Self { by_key: std::sync::Arc::new(by_key), ids }
    }

    fn judge(&self, who: Option<&Credentials>, requests: &[Request]) -> S3Result<()> {
        let who = who.and_then(|who| self.by_key.get(&who.access_key));
        let who = who.ok_or_else(|| s3_error!(AccessDenied, "Signature is required"))?;
        let Some(policy) = &who.policy else { return Ok(()) };
        match requests.iter().find(|request| !policy.allows(request, &who.tags)) {
            None => Ok(()),
            Some(Request { action, .. }) => {
                let message = format!("{} may not call {action} here", who.access_key);
                Err(s3s::S3Error::with_message(s3s::S3ErrorCode::AccessDenied, message))
            }
        }
    }

    fn judge_list(&self, who: Option<&Credentials>, action: &'static str, of: (&str, Option<&str>)) -> S3Result<()> {
        let (bucket, prefix) = of;
        let context = BTreeMap::from([("s3:prefix", prefix.unwrap_or_default().to_owned())]);
        self.judge(who, &[Request { action, resource: arn(bucket, None), context }])
    }
}

#[async_trait::async_trait]
impl S3Auth for Access {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let known = self.by_key.get(access_key);
        known.map(|it| SecretKey::from(it.secret_key.as_str())).ok_or_else(|| s3_error!(InvalidAccessKeyId))
    }
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = cx.s3_op().name();
        // Judged below, by what their input says.
        if matches!(operation, "ListObjectsV2" | "ListObjectVersions") && cx.credentials().is_some() {
            return Ok(());
        }
        let Some(action) = action(operation, cx.uri()) else {
            return Err(s3_error!(NotImplemented, "this call is not supported"));
        };
        let resource = match cx.s3_path() {
            S3Path::Root => "arn:aws:s3:::*".to_owned(),
            S3Path::Bucket { bucket } => arn(bucket, None),
            S3Path::Object { bucket, key } => arn(bucket, Some(key)),
        };
        let context = context(cx.headers(), self.ids.now());
        let also = also(operation, cx.headers());
        let request = |action| Request { action, resource: resource.clone(), context: context.clone() };
        let requests: Vec<_> = std::iter::once(action).chain(also).map(request).collect();
        self.judge(cx.credentials(), &requests)
    }

    async fn list_objects_v2(&self, request: &mut S3Request<ListObjectsV2Input>) -> S3Result<()> {
        let of = (request.input.bucket.as_str(), request.input.prefix.as_deref());
        self.judge_list(request.credentials.as_ref(), "s3:ListBucket", of)
    }

    async fn list_object_versions(&self, request: &mut S3Request<ListObjectVersionsInput>) -> S3Result<()> {
        let of = (request.input.bucket.as_str(), request.input.prefix.as_deref());
        self.judge_list(request.credentials.as_ref(), "s3:ListBucketVersions", of)
    }

    /// The end of the retention stands in the body.
    async fn put_object_retention(&self, request: &mut S3Request<PutObjectRetentionInput>) -> S3Result<()> {
        let until = request.input.retention.as_ref().and_then(|it| it.retain_until_date.as_ref());
        let Some(until) = until.and_then(time_of) else { return Ok(()) };
        let context = BTreeMap::from([(REMAINING_DAYS, days_until(until, self.ids.now()).to_string())]);
        let resource = arn(&request.input.bucket, Some(&request.input.key));
        let asked = Request { action: "s3:PutObjectRetention", resource, context };
        self.judge(request.credentials.as_ref(), &[asked])
    }
}

const REMAINING_DAYS: &str = "s3:object-lock-remaining-retention-days";
const MODE: &str = "x-amz-object-lock-mode";
const RETAIN_UNTIL: &str = "x-amz-object-lock-retain-until-date";
const HOLD: &str = "x-amz-object-lock-legal-hold";
const BYPASS: &str = "x-amz-bypass-governance-retention";

fn arn(bucket: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
        None => format!("arn:aws:s3:::{bucket}"),
    }
}

/// The action a call is, in the words of policies.
fn action(operation: &str, uri: &Uri) -> Option<&'static str> {
    let names_version = uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("versionId=")));
    Some(match operation {
        "CreateBucket" => "s3:CreateBucket",
        "HeadBucket" => "s3:ListBucket",
        "GetBucketLocation" => "s3:GetBucketLocation",
        "GetBucketVersioning" => "s3:GetBucketVersioning",
        "PutBucketVersioning" => "s3:PutBucketVersioning",
        "GetObjectLockConfiguration" => "s3:GetBucketObjectLockConfiguration",
        "PutObjectLockConfiguration" => "s3:PutBucketObjectLockConfiguration",
        "GetBucketLifecycleConfiguration" => "s3:GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" => "s3:PutLifecycleConfiguration",
        "GetBucketEncryption" => "s3:GetEncryptionConfiguration",
        "PutObject" => "s3:PutObject",
        "GetObject" | "HeadObject" if names_version => "s3:GetObjectVersion",
        "GetObject" | "HeadObject" => "s3:GetObject",
        "DeleteObject" if names_version => "s3:DeleteObjectVersion",
        "DeleteObject" => "s3:DeleteObject",
        "GetObjectRetention" => "s3:GetObjectRetention",
        "PutObjectRetention" => "s3:PutObjectRetention",
        "GetObjectLegalHold" => "s3:GetObjectLegalHold",
        "PutObjectLegalHold" => "s3:PutObjectLegalHold",
        "GetObjectTagging" if names_version => "s3:GetObjectVersionTagging",
        "GetObjectTagging" => "s3:GetObjectTagging",
        "PutObjectTagging" if names_version => "s3:PutObjectVersionTagging",
        "PutObjectTagging" => "s3:PutObjectTagging",
        "ListObjectsV2" => "s3:ListBucket",
        "ListObjectVersions" => "s3:ListBucketVersions",
        _ => return None,
    })
}

/// What a call needs to be allowed besides.
fn also(operation: &str, headers: &HeaderMap) -> Vec<&'static str> {
    let mut also = Vec::new();
    if operation == "PutObject" && headers.contains_key(MODE) {
        also.push("s3:PutObjectRetention");
    }
    if operation == "PutObject" && headers.contains_key(HOLD) {
        also.push("s3:PutObjectLegalHold");
    }
    if headers.get(BYPASS).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true")) {
        also.push("s3:BypassGovernanceRetention");
    }
    also
}

fn context(headers: &HeaderMap, now: Timestamp) -> BTreeMap<&'static str, String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let named = [("s3:if-match", "if-match"), ("s3:if-none-match", "if-none-match"), ("s3:object-lock-mode", MODE)];
    let mut context: BTreeMap<_, _> = named.iter().filter_map(|(key, header)| Some((*key, text(header)?))).collect();
    // One that cannot be read is refused where it is used.
    let until = text(RETAIN_UNTIL).and_then(|until| until.parse::<Timestamp>().ok());
    context.extend(until.map(|until| (REMAINING_DAYS, days_until(until, now).to_string())));
    context
}
