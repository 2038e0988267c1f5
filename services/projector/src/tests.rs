//! Projections over a real database: events in, rows out.

mod accounts;
mod audits;
mod batches;
mod builds;
mod changes;
mod checking;
mod feeds;
mod halting;
mod histories;
mod metrics;
mod people;
mod resuming;
mod rules;
mod search;
mod sessions;
mod structure;
mod switching;
mod switching_feeds;
mod threads;
mod tickets;
mod tombstones;
mod twins;
mod webhooks;
mod working;
mod world;
