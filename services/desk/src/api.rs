//! What people and programs call: the Zendesk-compatible API under `/api/v2` and the product's own under
//! `/api/domicile/v1`.
//!
//! One operation per file: what it takes, the handler, and its tests. A handler proves who asks (the [`Caller`] in its
//! arguments), reads the body field by field, gives one command to `execute`, waits until the read models show it, and
//! answers from them. It decides nothing.
//!
//! What operations share: [`named`] (people whom a request names), [`comment`] (what a client may say in a comment), [`claim`] (files it brings), [`turn`] (a command on a ticket with
//! those files), [`unique`] (values that only one may have), [`settle`] (waiting for one's own write), [`refused`] (rejections as answers), [`fold`] (a ticket straight from the log), [`html`].
//!
//! [`Caller`]: crate::caller::Caller

pub(crate) mod add_person;
pub(crate) mod claim;
pub(crate) mod comment;
pub(crate) mod domicile;
pub(crate) mod fold;
pub(crate) mod html;
pub(crate) mod named;
pub(crate) mod refused;
pub(crate) mod settle;
pub(crate) mod turn;
pub(crate) mod unique;
pub(crate) mod v2;
pub(crate) mod who;

#[cfg(test)]
mod contract;
#[cfg(test)]
pub(crate) mod permissions;
#[cfg(test)]
pub(crate) mod testing;
