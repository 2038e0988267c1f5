//! Reads the topic as a member of a group, into [`Delivered`].
//!
//! The group shares out partitions; that is all it decides. Its offsets are hints: a record that is read twice is a double, one
//! that is missed is a gap, and both are known by their positions.

mod membership;

use std::{pin::pin, sync::Arc};

use rdkafka::{
    Message,
    consumer::{Consumer, StreamConsumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use regions::{DatabaseRole, Feed, Region};
use runtime::{RegionMetrics, Shutdown};
use schemas::TenantId;

use self::membership::Membership;
use crate::{Delivered, Error, Hints, Outage, Record, Refused};

/// A reader of the region's topic.
pub struct Reader {
    /// Whose topic.
    pub region: Region,
    /// As whom to ask the region's database.
    pub role: DatabaseRole,
    /// What reads: every process that does the same work is a member of the same group.
    pub subscription: &'static str,
    /// Where refusals and outages are shown.
    pub metrics: RegionMetrics,
    /// Whom to tell of tenants with something new; nobody, where work has a pace of its own.
    pub hints: Option<Hints>,
}

impl Reader {
    /// Reads until shutdown, if the region's readers read the topic. What is delivered comes into what is returned.
    pub fn start(self, shutdown: &Shutdown) -> Option<Arc<Delivered>> {
        let endpoint = self.region.kafka().filter(|_| self.region.feed == Feed::Kafka)?;
        let delivered = Delivered::new(endpoint.partitions, self.subscription, self.metrics.clone());
        let delivered = Arc::new(delivered);
        let task = Task { reader: self, delivered: Arc::clone(&delivered) };
        shutdown.spawn(task.run(shutdown.clone()));
        Some(delivered)
    }
}

struct Task {
    reader: Reader,
    delivered: Arc<Delivered>,
}

type Client = StreamConsumer<Membership>;

impl Task {
    /// After an outage the client is made anew, so that brokers that come back are asked again whose they are.
    async fn run(self, shutdown: Shutdown) {
        let mut outage = Outage::new(self.reader.subscription, self.reader.metrics.clone());
        while !shutdown.is_requested() {
            let ended = match self.connect().await {
                Ok(client) => self.read(client, &mut outage, &shutdown).await,
                Err(error) => Err(error),
            };
            self.delivered.revoke_all();
            if let Err(error) = ended {
                let wait = outage.note(&error);
                shutdown.sleep(wait).await;
            }
        }
    }

    async fn connect(&self) -> Result<Client, Error> {
        let Reader { region, role, subscription, .. } = &self.reader;
        let mut connection = regions::connection(region, *role).await?;
        let group = format!("{}-{subscription}", region.topic());
        let settings = [
            ("group.id", group.as_str()),
            ("partition.assignment.strategy", "cooperative-sticky"),
            // Offsets are stored by hand and committed now and then.
            ("enable.auto.commit", "true"),
            ("enable.auto.offset.store", "false"),
            ("auto.commit.interval.ms", "1000"),
            // Of a partition nobody has read yet. "latest" would mean: from whenever the question is answered.
            ("auto.offset.reset", "earliest"),
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "1500"),
            ("fetch.wait.max.ms", "100"),
            ("queued.max.messages.kbytes", "16384"),
        ];
        let membership = Membership::new(Arc::clone(&self.delivered));
        let client = regions::kafka_consumer(region, &mut connection, &settings, membership).await?;
        let topic = region.topic();
        if let Err(source) = client.subscribe(&[&topic]) {
            regions::kafka_end(client).await;
            return Err(Error::Subscribe { topic, source });
        }
        Ok(client)
    }

    /// Until shutdown, or until the brokers are gone.
    async fn read(&self, mut client: Client, outage: &mut Outage, shutdown: &Shutdown) -> Result<(), Error> {
        loop {
            match self.take_all(&client, outage, shutdown).await {
                // One broker of several, or all of them: whoever is left answers.
                Err(Error::Read(error))
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::BrokerTransportFailure) =>
                {
                    self.delivered.doubt();
                    client = regions::kafka_answers(&self.reader.region, client).await?;
                    self.delivered.believe();
                }
                ended => {
                    // It leaves the group. Who does not manage is missed by the group, and its partitions go to others.
                    regions::kafka_end(client).await;
                    return ended;
                }
            }
        }
    }

    async fn take_all(&self, client: &Client, outage: &mut Outage, shutdown: &Shutdown) -> Result<(), Error> {
        let (mut elsewhere, mut is_read) = (pin!(client.context().elsewhere()), pin!(self.delivered.is_read()));
        let mut is_told = false;
        loop {
            let message = tokio::select! {
                () = shutdown.requested() => return Ok(()),
                () = &mut elsewhere => return Err(Error::Elsewhere),
                // Brokers that answer, and let nobody into the group, are not back yet.
                () = &mut is_read, if !is_told => {
                    outage.over();
                    is_told = true;
                    continue;
                }
                message = client.recv() => message,
            };
            match message {
                Ok(message) => {
                    self.take(&message);
                    // A hint: a partition that has just gone to somebody else does not take it.
                    let _ = client.store_offset_from_message(&message);
                }
                Err(error) if is_end(&error) => return Err(Error::Read(error)),
                Err(error) => tracing::debug!(%error, "reading the topic goes on"),
            }
        }
    }

    fn take(&self, message: &BorrowedMessage<'_>) {
        match Record::decode(message, self.delivered.partitions()) {
            Ok(record) => {
                let (tenant, is_whole) = (record.tenant(), record.ends_command());
                self.delivered.add(record);
                if is_whole {
                    self.wake(tenant);
                }
            }
            Err(refused) => self.refuse(message, refused),
        }
    }

    /// From here on the tenant's events come from the log. One that cannot be named has a gap there, and so its log is read too.
    fn refuse(&self, message: &BorrowedMessage<'_>, refused: Refused) {
        self.reader.metrics.topic_records_refused.with_label_values(&[refused.reason]).inc();
        if refused.is_misplaced() {
            return;
        }
        tracing::error!(
            topic = message.topic(),
            partition = message.partition(),
            offset = message.offset(),
            tenant.id = refused.tenant.map(|tenant| tenant.to_string()),
            position = refused.position.map(schemas::Position::get),
            reason = refused.reason,
            "a record of the topic is not what it claims to be; its tenant is read from the log"
        );
        if let Some(tenant) = refused.tenant {
            self.delivered.stop(tenant);
            self.wake(tenant);
        }
    }

    fn wake(&self, tenant: TenantId) {
        if let Some(hints) = &self.reader.hints {
            hints.give(tenant);
        }
    }
}

/// What the client may not get over by itself, or not without being asked again whose the brokers are.
fn is_end(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    matches!(
        code,
        Some(
            Code::BrokerTransportFailure
                | Code::AllBrokersDown
                | Code::UnknownTopic
                | Code::UnknownTopicOrPartition
                | Code::UnknownPartition
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::Fatal
        )
    )
}
