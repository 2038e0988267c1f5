//! What can fail between a region and its topic, by step.

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tables of the topic could not be made.
    #[error("could not bring the schema topic up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// No connection to the region's database.
    #[error("could not ask the region's database")]
    Database(#[source] sqlx::Error),
    /// No client, or one of brokers that are not the region's.
    #[error(transparent)]
    Brokers(#[from] regions::Error),
    /// The topic could not be made.
    #[error("the brokers did not make topic {topic}: {reason}")]
    Create {
        /// Its name.
        topic: String,
        /// What they said.
        reason: String,
    },
    /// The brokers did not say how large a record may be.
    #[error("the brokers did not say how large a record of topic {topic} may be: {reason}")]
    Limit {
        /// Of which topic.
        topic: String,
        /// What they said.
        reason: String,
    },
    /// The group could not be joined.
    #[error("could not subscribe to topic {topic}")]
    Subscribe {
        /// Its name.
        topic: String,
        /// Why.
        #[source]
        source: rdkafka::error::KafkaError,
    },
    /// The brokers are not those that were asked whose they are: somebody put others in their place.
    #[error("the brokers are of another cluster than when they were asked")]
    Elsewhere,
    /// The brokers did not take a record.
    #[error("the brokers did not take a record")]
    Publish(#[source] rdkafka::error::KafkaError),
    /// The brokers said nothing for too long while records were on their way.
    #[error("the brokers acknowledged nothing for {after:?}")]
    Unacknowledged {
        /// For how long.
        after: std::time::Duration,
    },
    /// The brokers stopped answering a reader, or no longer have the topic.
    #[error("the brokers ended reading")]
    Read(#[source] rdkafka::error::KafkaError),
}

impl Error {
    /// Whether it stays until somebody changes brokers, topic or region file.
    pub const fn is_refused_topic(&self) -> bool {
        matches!(self, Self::Brokers(error) if error.is_refused_topic())
    }
}
