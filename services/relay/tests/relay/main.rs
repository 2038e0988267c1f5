//! The relay over librdkafka's mock brokers and a real database.

mod copying;
mod given;
mod halting;
