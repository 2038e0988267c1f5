//! Data classes: what kind of data a field holds, and the wrapper that keeps it from slipping out.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// What a field of an event may hold. The hosting policy decides per class what may leave a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum DataClass {
    /// Data about a person: names, addresses, credentials.
    Personal,
    /// What people wrote or attached: subjects, bodies, files.
    Content,
    /// What the product needs to work: ids, states, times.
    Operational,
    /// What the router may know: slug, region, epoch, state.
    Routing,
}

impl DataClass {
    /// Every class, in the order of the policy's matrix.
    pub const ALL: [Self; 4] = [Self::Personal, Self::Content, Self::Operational, Self::Routing];

    /// The word used in policy files, schemas and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Content => "content",
            Self::Operational => "operational",
            Self::Routing => "routing",
        }
    }
}

impl fmt::Display for DataClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A value of class `personal` or `content`.
///
/// It has no `Serialize` and its `Debug` tells nothing, so it cannot reach a log line, a trace or a response by accident:
/// whoever means to show it says [`Personal::expose`].
#[derive(Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for those who seal it or show it to somebody entitled.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, owned.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<personal>")
    }
}

/// In a schema it is the value and nothing else: the class stands beside it, as `x-data-class`.
impl<T: JsonSchema> JsonSchema for Personal<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_nothing() {
        assert_eq!(format!("{:?}", Personal::new("Ada")), "<personal>");
        assert_eq!(format!("{:#?}", Some(Personal::new(vec!["Ada"]))), "Some(\n    <personal>,\n)");
    }
}
