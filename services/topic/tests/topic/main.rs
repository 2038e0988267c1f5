//! The topic over librdkafka's mock brokers and a real database.

mod given;
mod reading;
mod refusing;
mod vouching;
