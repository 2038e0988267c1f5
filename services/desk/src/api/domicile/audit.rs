//! `/api/domicile/v1/audit`: what auditors take along to verify without us, by the code that they have themselves.
//!
//! Proofs and bundles are made of the tenant's archive, which lies in the region's bucket: what is not archived yet is not in them.
//! Whatever is given was checked against the tree head that the region signed.

pub(crate) mod bundle;
mod objects;
pub(crate) mod proof;

use archive::{Verifier, checkpoint::origin, layout};
use auditor::{Log, log};
use regions::Resident;

use self::objects::Objects;
use crate::{problem::ApiError, state::Desk};

/// A tenant's archive, and the key that it is signed with.
struct Archived {
    objects: Objects,
    key: Verifier,
}

impl Archived {
    fn of(desk: &Desk, resident: &Resident) -> Result<Self, ApiError> {
        let signing = desk.witness.signing.read().map_err(ApiError::internal)?;
        let key = Verifier::new(origin(&desk.region.id, resident.tenant_id()), signing.key.public_key());
        Ok(Self { objects: Objects::new(desk.bucket.clone(), resident.tenant_id(), signing.successions), key })
    }

    async fn log(&self) -> Result<Log<'_>, ApiError> {
        Log::open(&self.objects, Some(&self.key)).await.map_err(refused)
    }
}

/// Why there is no proof, or no bundle.
fn refused(error: log::Error) -> ApiError {
    match error {
        log::Error::NoSuchEvent { size } => ApiError::invalid_parameter(
            "event",
            &format!("a position from 1 to {size}, as far as is archived, or an id"),
        ),
        // The first generation of an archive is a matter of seconds.
        log::Error::Missing { object } if object == layout::CHECKPOINT => ApiError::unavailable("not archived yet"),
        log::Error::Source(error) => ApiError::unavailable(error),
        error => ApiError::internal(error),
    }
}

#[cfg(test)]
mod tests;
