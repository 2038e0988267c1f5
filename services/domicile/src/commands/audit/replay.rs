//! `domicile audit replay` and `show`: a history opened with the region's keys.

use auditor::replay::{AsOf, Decoded, Filter, Fold, State, Taken, decode};
use regions::{DatabaseRole, Resident};
use schemas::{Position, Recorded};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::PgPool;
use vault::{Plaintext, Vault};

use super::{Replay, Show};
use crate::{
    cli::{Place, TenantOption},
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Format, Row, print_list},
};

/// Events that are read and opened at once.
const BATCH: i64 = 1000;
/// The longest data shown in a column; everything is in the other formats.
const DATA_LENGTH_MAX: usize = 100;

/// A tenant's log, opened.
struct History {
    pool: PgPool,
    vault: Vault,
    resident: Resident,
}

impl History {
    async fn open(place: &Place, tenant: &TenantOption) -> Result<Self, Failure> {
        let deployment = Deployment::open(place)?;
        let region = deployment.region(&tenant.region)?;
        let pool = deployment.pool(&region, DatabaseRole::Projector).await?;
        let vault = deployment.vault(&region, pool.clone())?;
        let resident = deployment.resident(&mut *pool.acquire().await?, &region.id, &tenant.tenant).await?;
        Ok(Self { pool, vault, resident })
    }

    /// The next events after a position, each with its payload; nothing for a payload whose key was destroyed.
    async fn after(&self, position: Position, limit: i64) -> Result<Vec<(Recorded, Option<Plaintext>)>, Failure> {
        let events = eventlog::read_log(&mut *self.pool.acquire().await?, &self.resident, position, limit).await?;
        let opened = self.vault.open_all(&self.resident, &events).await?;
        Ok(events.into_iter().zip(opened).collect())
    }

    /// Gives every event to `take` until it has seen enough.
    async fn each(&self, mut take: impl FnMut(&Recorded, Option<Plaintext>) -> Result<Taken, Failure>) -> Outcome {
        let mut position = Position::ZERO;
        loop {
            let batch = self.after(position, BATCH).await?;
            let Some((last, _)) = batch.last() else { return Ok(()) };
            position = last.position;
            for (recorded, plaintext) in batch {
                if take(&recorded, plaintext)? == Taken::Over {
                    return Ok(());
                }
            }
        }
    }
}

/// An event as a row.
#[derive(Serialize)]
#[serde(transparent)]
struct EventRow(Decoded);

impl Row for EventRow {
    const HEADINGS: &'static [&'static str] =
        &["position", "recorded at", "stream", "version", "type", "actor", "data"];

    fn cells(&self) -> Vec<String> {
        let Decoded { position, recorded_at, stream, version, event_type, actor, .. } = &self.0;
        let data = match (&self.0.data, &self.0.unreadable) {
            (Some(data), _) => shortened(&data.expose().to_string()),
            (None, Some(reason)) => format!("(unreadable: {reason})"),
            (None, None) => "(erased)".to_owned(),
        };
        vec![
            position.to_string(),
            recorded_at.to_string(),
            stream.to_string(),
            version.to_string(),
            event_type.clone(),
            actor.to_string(),
            data,
        ]
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= DATA_LENGTH_MAX {
        return text.to_owned();
    }
    text.chars().take(DATA_LENGTH_MAX - 1).chain(['…']).collect()
}

pub(super) async fn run(place: &Place, options: &Replay) -> Outcome {
    let history = History::open(place, &options.tenant).await?;
    let as_of = match options.as_of {
        None => AsOf::End,
        Some(super::AsOf::Time(time)) => AsOf::Time(time),
        Some(super::AsOf::Position(position)) => AsOf::Position(position),
    };
    let filter = Filter { as_of, stream: options.stream.clone() };
    if options.state {
        state(&history, filter, options.format).await
    } else {
        events(&history, &filter, options.format).await
    }
}

async fn events(history: &History, filter: &Filter, format: Format) -> Outcome {
    let mut rows = Vec::new();
    history
        .each(|recorded, plaintext| {
            let taken = filter.takes(recorded);
            if taken == Taken::Yes {
                let row = EventRow(decode(recorded, plaintext));
                // One object a line needs no end to begin with: a long history is shown while it is read.
                if format == Format::Ndjson { println!("{}", serde_json::to_string(&row)?) } else { rows.push(row) }
            }
            Ok(taken)
        })
        .await?;
    if format == Format::Ndjson { Ok(()) } else { print_list(&rows, format) }
}

#[derive(Serialize)]
struct StreamRow {
    stream: String,
    version: i64,
    changed_at: String,
    state: Value,
}

impl Row for StreamRow {
    const HEADINGS: &'static [&'static str] = &["stream", "version", "changed at", "state"];

    fn cells(&self) -> Vec<String> {
        let state = shortened(&self.state.to_string());
        vec![self.stream.clone(), self.version.to_string(), self.changed_at.clone(), state]
    }
}

async fn state(history: &History, filter: Filter, format: Format) -> Outcome {
    let mut fold = Fold::new(filter);
    history.each(|recorded, plaintext| Ok(fold.push(recorded, plaintext))).await?;
    let state: State = fold.finish();
    if format == Format::Json {
        println!("{}", serde_json::to_string_pretty(&state)?);
        return Ok(());
    }
    let rows = state.streams.iter().map(|(stream, folded)| StreamRow {
        stream: stream.to_string(),
        version: folded.version.get(),
        changed_at: folded.changed_at.to_string(),
        state: folded.state.expose().clone(),
    });
    print_list(&rows.collect::<Vec<_>>(), format)
}

/// One event with everything that can be said of it.
pub(super) async fn show(place: &Place, options: &Show) -> Outcome {
    let history = History::open(place, &options.tenant).await?;
    let found = history.after(Position::new(options.position.get() - 1), 1).await?.pop();
    let found = found.filter(|(recorded, _)| recorded.position == options.position);
    let (recorded, plaintext) =
        found.ok_or_else(|| Failure::usage(format!("--position: the log holds no position {}", options.position)))?;
    let sealed = &recorded.sealed;
    let entry = sealed.envelope.entry(&sealed.payload);
    let shown = json!({
        "position": recorded.position,
        "envelope": sealed.envelope,
        "payload_bytes": sealed.payload.len(),
        "entry": String::from_utf8_lossy(&entry),
        "leaf": sealed.leaf,
        "event": decode(&recorded, plaintext),
    });
    println!("{}", serde_json::to_string_pretty(&shown)?);
    Ok(())
}
