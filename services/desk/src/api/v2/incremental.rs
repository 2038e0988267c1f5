//! Incremental exports, `GET /api/v2/incremental/...`: what changed since, in the order of the log, for admins.
//!
//! By cursor, a page goes on at the position where the last one ended: nothing is skipped, whatever clocks say, and what changes
//! meanwhile comes again further on. By time, as older clients do it, a page goes on at the last second of the one before, all of which
//! it holds; that time is the projection's own, which never goes back. Its newest minute is left out, as in the reference.
//!
//! That one is begun is in the audit log ([`taken`]), what each page held in the access log.
//!
//! Deleted tickets and users are among what is exported; an erased ticket is told as gone, once, with nothing else of it.

pub(crate) mod by_cursor;
pub(crate) mod by_time;
mod exported;
mod start;
mod taken;

pub(crate) use self::taken::Taken;

#[cfg(test)]
mod tests;
