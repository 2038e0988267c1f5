//! The event log against a real Postgres: one binary, so that one server serves all tests.

mod allocating;
mod appending;
mod batches;
mod checks;
mod fairness;
mod fences;
mod given;
mod idempotency;
mod marks;
mod outages;
mod racing;
mod side_by_side;
mod twins;
mod wakeups;
