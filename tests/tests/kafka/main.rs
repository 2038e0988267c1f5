//! A region on a real Apache Kafka: roles as processes of their own over real brokers, and what happens to both of them.
//!
//! Tests that end their broker have one of their own. The others share one, where each has a region, and with it a topic and
//! consumer groups, of its own.

mod broker;
mod foreign;
mod load;
mod outage;
mod readers;
mod switching;
mod topic;
mod world;
