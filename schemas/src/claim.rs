//! Events of the streams `claim-<index>`: who holds a value that only one may have. The stream's name is a blind index of the kind of
//! value and the value itself, so that neither is in the events.

use crate::events;

events! {
    /// What happens to a value that only one may have.
    pub enum ClaimEvent {
        /// Somebody or something took it.
        "value_claimed" @ 1 => ValueClaimed {
            /// The number of the person or organization.
            operational holder: i64,
        },
        /// It was given up.
        "value_released" @ 1 => ValueReleased {
            /// The number of the person or organization.
            operational holder: i64,
        },
    }
}
