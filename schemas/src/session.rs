//! Events of the streams `session-<id>`: a person signed in on a page, until they sign out or are signed out. Both are sealed under the key of
//! the person whose session it is, and are gone with it.

use jiff::Timestamp;

use crate::{
    events,
    ids::{PersonId, SessionId},
};

events! {
    /// What happens to a session.
    pub enum SessionEvent {
        /// Somebody signed in.
        "session_started" @ 1 => SessionStarted {
            /// The session.
            operational session: SessionId,
            /// Who.
            operational person: PersonId,
            /// SHA-256 of the secret that the browser holds, in hex. The secret itself is never stored.
            personal secret_sha256: String,
            /// The network address they came from, where the router names it.
            personal address: Option<String>,
            /// What their program calls itself.
            personal client: Option<String>,
            /// When it ends in any case.
            operational expires_at: Timestamp,
        },
        /// It is over: they signed out, or somebody ended it.
        "session_ended" @ 1 => SessionEnded {
            /// Whose it was.
            operational person: PersonId,
        },
    }
}
