//! The event log: every fact of every tenant at home in a region, in Postgres, appended and never changed.
//!
//! One writer, the [`Appender`]: callers hand it an [`Append`] and learn their positions when the commit is durable. Readers
//! take a connection and a [`Resident`](regions::Resident): a stream ([`read_stream`]), the tenant's log ([`read_log`]), the
//! heads of all ([`heads`]), woken by [`Wakeups`]. Beside the log lie the few facts that follow from it: tree heads, marks,
//! idempotency keys, and the counters for small ids.
//!
//! Positions are dense and in commit order by construction: they are assigned under the tenant's row lock, in the function
//! `log.append`, which is the only thing in the product that may insert an event.
//!
//! This crate refuses to know payloads (they arrive sealed), rules, projections and HTTP.
//!
//! Reading order: [`append`](Append) (what a caller asks), `migrations/1002_append.sql` (what happens to it), [`appender`]
//! (lanes and group commit), [`read`](read_stream), [`wakeup`](Wakeups), [`tenant`](NewTenant), [`tree_head`](TreeHead),
//! [`mark`](Marks), [`standing`](Standing) (of all tenants, for who runs the region), [`restore`] (a log brought back from its archive), [`error`](Error).

mod append;
pub mod appender;
mod error;
mod idempotency;
mod mark;
mod migrate;
mod read;
pub mod restore;
mod standing;
mod streams;
mod tenant;
mod tree_head;
mod wakeup;
pub mod witness;

pub use append::{Append, Appended, EVENTS_MAX, Expected, Idempotency, StreamAppend};
pub use appender::{Appender, AppenderConfig, KeptOpen};
pub use error::Error;
pub use idempotency::{Remembered, find_idempotent};
pub use mark::{Mark, MarkKind, Marks, marks, put_mark};
pub use migrate::{MIGRATIONS, migrate};
pub use read::{Head, head, heads, read_log, read_logs, read_stream, stream_version};
pub use standing::{Standing, Totals, standings, totals};
pub use streams::{positions_with_uploads, streams_between};
pub use tenant::{NewTenant, allocate_ids, allocate_ticket, create_tenant, hold_behind};
pub use tree_head::{TreeHead, put_tree_head, tree_head};
pub use wakeup::{Wakeup, Wakeups};
