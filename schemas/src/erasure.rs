//! Events of the stream `erasures`: a tenant's erasure list. What it names is gone for good, and a restore makes sure of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{events, ids::KeyId, values::ErasureReason};

events! {
    /// What is erased in a tenant's log.
    pub enum ErasureEvent {
        /// Data keys are to be destroyed: recorded first, carried out then. Sealed under the tenant's general key, which is never
        /// destroyed, so that the list stays readable.
        "keys_destroyed" @ 1 => KeysDestroyed {
            /// Why.
            operational reason: ErasureReason,
            /// Which keys.
            operational keys: Vec<DestroyedKey>,
        },
    }
}

/// A data key that is destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DestroyedKey {
    /// Its id, as the envelopes of what it sealed carry it.
    pub key_id: KeyId,
    /// What it sealed: `person-<id>`, `organization-<id>`, `ticket-<number>`, `comment-<event id>`, `attachment-<id>`. No other key will ever have it.
    pub scope: String,
}
