//! Projections over a real database: events in, rows out.

mod accounts;
mod audits;
mod batches;
mod checking;
mod halting;
mod histories;
mod people;
mod threads;
mod tickets;
mod tombstones;
mod twins;
mod working;
mod world;
