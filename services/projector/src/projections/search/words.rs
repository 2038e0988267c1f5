//! Words on their way into a `tsvector`, as Postgres reads it (PostgreSQL, `tsvectorrecv`).

use domain::search::{Indexed, lexeme};
use schemas::TenantId;
use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, types::Oid},
};

/// The types `tsvector` and `tsvector[]` (PostgreSQL, `pg_type.dat`).
const TSVECTOR: Oid = Oid(3614);
const TSVECTORS: Oid = Oid(3643);

/// How much a word says of what a text is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// As much as in a title.
    A = 3,
    /// As much as in any text.
    D = 0,
}

/// The words of a text, each with its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(Vec<u8>);

impl Words {
    pub(super) fn new(tenant: TenantId, indexed: &Indexed, weight: Weight) -> Self {
        let mut bytes = Vec::new();
        let count = i32::try_from(indexed.0.len()).expect("a text has fewer words than bytes");
        bytes.extend_from_slice(&count.to_be_bytes());
        for (form, places) in &indexed.0 {
            bytes.extend_from_slice(lexeme(tenant, form).as_bytes());
            bytes.push(0);
            let count = u16::try_from(places.len()).expect("few places are kept of a form");
            bytes.extend_from_slice(&count.to_be_bytes());
            let weighted = places.iter().map(|place| place | (weight as u16) << 14);
            weighted.for_each(|place| bytes.extend_from_slice(&place.to_be_bytes()));
        }
        Self(bytes)
    }
}

impl Type<Postgres> for Words {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TSVECTOR)
    }
}

impl PgHasArrayType for Words {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TSVECTORS)
    }
}

impl Encode<'_, Postgres> for Words {
    fn encode_by_ref(&self, to: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        to.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }
}
