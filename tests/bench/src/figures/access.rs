//! What it costs to note who reads what: a ticket read through the desk's routes, with the access log and without. The entries are
//! sealed and appended meanwhile, on the same machine: by how much that slows one reader who waits for each answer, and how many fewer
//! reads there are where readers keep all processors busy.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{Router, body::Body};
use desk::{Desk, serve};
use http::{Request, StatusCode, header};
use regions::{BucketRole, ReadModels, Regions, Resident};
use schemas::{
    CommandId, EventId, Hash, PersonId, StreamName, TokenId, Version,
    person::{ApiTokenIssued, PersonAdded, PersonEvent},
    values::Role,
};
use tower::ServiceExt;
use vault::Scope;

use super::Bench;
use crate::{
    ground::{REPOSITORY, Store},
    history, load,
    report::{Figure, Reach},
    turns::turns,
    writer,
};

const READERS: i64 = 16;
const TICKETS: i64 = 100;
const TOKEN: &str = "a-token-of-the-bench";
const APEX: &str = "localhost:8080";
/// How long to wait until all that was read is appended.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let store = bench.ground.store().await?;
    let resident = store.tenant().await?;
    add_agent(&store, &resident).await?;
    history::write(&store, &resident, 1, TICKETS).await?;
    let projector = store.projector().await?;
    projector::catch_up(&projector, &resident).await?;
    let desk = desk(&store).await?;
    let (noted, unnoted) = (desk::app(desk.clone()), desk::app_without_access_log(desk.clone()));
    serve_nobody(&store, desk).await?;
    let round = bench.pace.round;
    let ours = async || {
        let rate = rate(&noted, &resident, round).await?;
        // What is appended late is not to be paid for by the other side.
        settled(&store).await?;
        Ok(rate)
    };
    let pairs = turns(bench.pace.rounds, ours, async || rate(&unnoted, &resident, round).await).await?;
    let against = "the same reads, noted by nobody";
    let reach = Reach::AtLeast(0.98);
    bench.report.add(Figure { name: "access_log_read", against, unit: "reads/s", reach }, &pairs);
    let ours = async || {
        let median = median(&noted, &resident, round).await?;
        settled(&store).await?;
        Ok(median)
    };
    let pairs = turns(bench.pace.rounds, ours, async || median(&unnoted, &resident, round).await).await?;
    let (name, unit, reach) = ("access_log_read_latency", "us", Reach::AtMost(1.02));
    bench.report.add(Figure { name, against, unit, reach }, &pairs);
    let entries = eventlog::head(&mut *store.desk.acquire().await?, &resident).await?;
    anyhow::ensure!(entries.get() > TICKETS * history::EVENTS_PER_TICKET + 2, "nothing was noted");
    projector.pool.close().await;
    store.end(&bench.ground).await
}

/// An agent with a token.
async fn add_agent(store: &Store, resident: &Resident) -> anyhow::Result<()> {
    let person = PersonId::new(1);
    let added = PersonAdded { person, name: "Agent".to_owned().into(), email: None.into(), role: Role::Agent };
    let token = ApiTokenIssued {
        token: TokenId::new(2),
        token_sha256: Hash::of(&[TOKEN.as_bytes()]).to_string().into(),
        description: "bench".to_owned().into(),
        expires_at: None,
    };
    let stream = StreamName::Person(person);
    let key = store.vault.data_keys(resident, &[Scope::Person(person)]).await?.remove(0);
    let (command_id, mut version) = (CommandId::new(store.ids.uuid()), Version::ZERO);
    let events = [PersonEvent::from(added), PersonEvent::from(token)].map(|event| {
        version = version.next();
        let ids = (command_id, EventId::new(store.ids.uuid()), &key);
        writer::seal(store, (resident, &stream, version), ids, &event.into())
    });
    let streams =
        vec![eventlog::StreamAppend { stream, expected: eventlog::Expected::NoStream, events: events.into() }];
    let append = eventlog::Append { resident: resident.clone(), command_id, idempotency: None, streams };
    store.appender.append(append).await?;
    Ok(())
}

async fn desk(store: &Store) -> anyhow::Result<Desk> {
    // Nobody signs up.
    let directory = directory::Client::new("http://127.0.0.1:1", "none")?;
    Ok(Desk::new(desk::Deps {
        region: store.region.clone(),
        regions: Arc::new(Regions::load(&Path::new(REPOSITORY).join("regions"))?),
        apex: APEX.to_owned(),
        pool: store.desk.clone(),
        read_models: ReadModels::new(projector::shapes()),
        vault: store.vault.clone(),
        appender: store.appender.clone(),
        bucket: regions::bucket(&store.region, BucketRole::Desk, &store.clock).await?,
        witness: desk::Witness { signing: store.signing()?, keys: desk::WitnessKeys::new(directory.clone(), None) },
        directory,
        clock: Arc::clone(&store.clock),
        ids: Arc::clone(&store.ids),
        metrics: store.metrics.clone(),
        rate_limits: desk::RateLimits::Off,
    }))
}

/// Starts what works beside a desk's connections, which append what was read. Requests are made in process.
async fn serve_nobody(store: &Store, desk: Desk) -> anyhow::Result<()> {
    let listen = "127.0.0.1:0".parse()?;
    let listeners = serve::Listeners::bind(&serve::Config { listen, listen_tls: None, listen_ops: listen }).await?;
    store.shutdown.spawn(serve::run(desk, listeners, serve::More::default(), store.shutdown.clone()));
    Ok(())
}

/// Tickets read a second.
async fn rate(app: &Router, resident: &Resident, round: Duration) -> anyhow::Result<f64> {
    let host = format!("{}.{APEX}", resident.slug());
    let app = app.clone();
    let read = move |ticket: i64| {
        let (app, host) = (app.clone(), host.clone());
        async move {
            read_ticket(app, &host, ticket).await?;
            Ok(ticket % TICKETS + 1)
        }
    };
    Ok(load::per_second((1..=READERS).collect(), round, read).await?.1)
}

/// What half of one reader's reads take at most, in microseconds.
async fn median(app: &Router, resident: &Resident, round: Duration) -> anyhow::Result<f64> {
    let host = format!("{}.{APEX}", resident.slug());
    let mut tickets: Vec<i64> = (1..=TICKETS).collect();
    let read = async |ticket: &mut i64| read_ticket(app.clone(), &host, *ticket).await;
    Ok(load::latency(&mut tickets, round, read).await?.p50)
}

async fn read_ticket(app: Router, host: &str, ticket: i64) -> anyhow::Result<()> {
    let request = Request::builder()
        .uri(format!("/api/v2/tickets/{ticket}.json"))
        .header(header::HOST, host)
        .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
        .body(Body::empty())?;
    let answer = match app.oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await?;
    anyhow::ensure!(status == StatusCode::OK, "ticket {ticket}: {status} {}", String::from_utf8_lossy(&body));
    Ok(())
}

/// Waits until nothing waits to be appended.
async fn settled(store: &Store) -> anyhow::Result<()> {
    let waiting = store.metrics.queue_length.with_label_values(&["desk_accesses"]);
    let none = async {
        while waiting.get() > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(PATIENCE, none).await.context("what was read is not appended")
}
