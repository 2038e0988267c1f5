//! Sessions: people who signed in on a page.
//!
//! What starts and ends a session is in the tenant's log; that one is in use is not, or every request would write. The browser holds a
//! secret and, proven by a key of the tenant's, when it last came: so any process of the region knows how long nobody came, and
//! whoever holds an old copy holds one that has run out.
//!
//! Reading order: [`cookie`] (what the browser holds), [`layer`] (what surrounds every request that bears it), [`start`] and [`end`];
//! who it makes somebody is with the other ways to come in, in `caller`.

pub(crate) mod cookie;
pub(crate) mod end;
pub(crate) mod layer;
pub(crate) mod seen;
pub(crate) mod start;

use jiff::SignedDuration;

/// How long nobody may come until a session is over.
pub(crate) const IDLE_FOR: SignedDuration = SignedDuration::from_hours(8);
/// How long a session lasts at most, however often somebody comes.
pub(crate) const LASTS_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How old what the browser holds becomes before it is given a newer one. By so much a session may be over too early.
pub(crate) const RENEWED_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// Where somebody is signed in at most: beyond, the oldest session ends.
const SESSIONS_MAX: usize = 50;

#[cfg(test)]
pub(crate) mod tests;
