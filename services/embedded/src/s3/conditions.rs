//! Conditional writes: what `If-Match` and `If-None-Match` ask for (RFC 9110, section 13.1).

use s3s::{
    S3Result,
    dto::{ETagCondition, PutObjectInput},
    s3_error,
};

use super::files::Stat;

/// What must be there for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Anything or nothing.
    None,
    /// Nothing.
    Absent,
    /// Any object.
    Present,
    /// This very object.
    Exactly(String),
}

impl Condition {
    pub(super) fn of(input: &PutObjectInput) -> S3Result<Self> {
        match (&input.if_match, &input.if_none_match) {
            (None, None) => Ok(Self::None),
            (None, Some(ETagCondition::Any)) => Ok(Self::Absent),
            (Some(ETagCondition::Any), None) => Ok(Self::Present),
            (Some(ETagCondition::ETag(etag)), None) => Ok(Self::Exactly(etag.value().to_owned())),
            // As the real service: a write takes `If-None-Match: *` only, and one condition.
            _ => Err(s3_error!(NotImplemented, "this combination of conditions is not supported")),
        }
    }

    pub(super) fn holds(&self, current: Option<&Stat>) -> bool {
        match self {
            Self::None => true,
            Self::Absent => current.is_none(),
            Self::Present => current.is_some(),
            Self::Exactly(etag) => current.is_some_and(|stat| stat.etag == *etag),
        }
    }
}
