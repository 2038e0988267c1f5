//! Which partitions the group has given to this process.

use std::sync::Arc;

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, ConsumerContext, Rebalance},
    error::KafkaError,
    topic_partition_list::TopicPartitionList,
};
use regions::KafkaLog;

use crate::Delivered;

pub(super) struct Membership {
    delivered: Arc<Delivered>,
    log: KafkaLog,
}

impl Membership {
    pub(super) fn new(delivered: Arc<Delivered>) -> Self {
        Self { delivered, log: KafkaLog::default() }
    }

    /// Waits until the brokers are of another cluster than when the client was made.
    pub(super) async fn elsewhere(&self) {
        self.log.elsewhere().await;
    }
}

impl ClientContext for Membership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(error, reason);
    }
}

impl ConsumerContext for Membership {
    /// What was delivered of a partition is let go before the partition is.
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(partitions) => self.delivered.revoke(numbers(partitions)),
            Rebalance::Assign(partitions) => self.delivered.assign(numbers(partitions)),
            // Nothing is known any more, so nothing is owned; the next assignment tells.
            Rebalance::Error(_) => self.delivered.revoke_all(),
        }
    }
}

/// Copied out: a list that outlives the call keeps the client from ending.
fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions.elements().iter().map(|element| element.partition()).collect()
}
