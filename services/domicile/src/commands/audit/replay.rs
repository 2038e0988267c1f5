//! `domicile audit replay`: a history event by event, on a terminal step by step.

use std::io::{IsTerminal, stdin, stdout};

use auditor::replay::{AsOf, Decoded, Filter, Fold, Taken, decode};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    Moment,
    history::{History, HistoryOption, Selection},
    step,
};
use crate::{
    cli::Place,
    exit::{Failure, Outcome},
    output::{Format, Row, json, print_list, print_one},
};

/// The longest data shown in a column; everything is in the other formats.
const DATA_LENGTH_MAX: usize = 100;

/// `domicile audit replay`.
#[derive(Debug, Args)]
pub struct Replay {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub history: HistoryOption,
    /// Show the state the events lead to instead of the events.
    #[arg(long)]
    pub state: bool,
    /// Up to this moment (RFC 3339, such as 2026-11-22T10:00:00Z) or position. Where it steps, it begins there.
    #[arg(long, value_name = "TIME|POSITION")]
    pub as_of: Option<Moment>,
    /// Only what was recorded at or after this time. Where it steps, it begins there.
    #[arg(long, value_name = "TIME", conflicts_with = "state")]
    pub from_time: Option<Timestamp>,
    /// Only up to this time. Where it steps, it ends there.
    #[arg(long, value_name = "TIME", conflicts_with = "as_of")]
    pub to_time: Option<Timestamp>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub selection: Selection,
    /// How to print. On a terminal, and without this or --state, it steps from event to event instead: ? lists the keys.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
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
        vec![
            position.to_string(),
            recorded_at.to_string(),
            stream.to_string(),
            version.to_string(),
            event_type.clone(),
            actor.to_string(),
            data(&self.0).map_or_else(|data| shortened(&data.to_string()), str::to_owned),
        ]
    }
}

/// What an event says, or in a word why that cannot be seen.
pub(super) fn data(event: &Decoded) -> Result<&str, &Value> {
    match &event.data {
        Some(data) => Err(data.expose()),
        None if event.is_sealed => Ok("(sealed)"),
        None if event.is_erased => Ok("(erased)"),
        None => Ok("(unreadable)"),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= DATA_LENGTH_MAX {
        return text.to_owned();
    }
    text.chars().take(DATA_LENGTH_MAX - 1).chain(['…']).collect()
}

pub(super) async fn run(place: &Place, options: &Replay) -> Outcome {
    let history = options.history.open(place, options.selection.stream().as_ref()).await?;
    if options.format.is_none() && !options.state && stdin().is_terminal() && stdout().is_terminal() {
        return step::run(&history, options).await;
    }
    let up_to = match (options.as_of, options.to_time) {
        (Some(moment), _) => Some(history.place(moment, "--as-of").await?),
        (None, Some(time)) => Some(history.place(Moment::Time(time), "--to-time").await?),
        (None, None) => None,
    };
    let as_of = up_to.map_or(AsOf::End, AsOf::Position);
    let filter = Filter { as_of, from: options.from_time, stream: options.selection.stream() };
    let format = options.format.unwrap_or_default();
    let is_known =
        if options.state { state(&history, filter, format).await? } else { events(&history, &filter, format).await? };
    match options.selection.stream().filter(|_| !is_known) {
        Some(stream) => Err(options.selection.unknown(&stream, up_to.unwrap_or(history.head().await?))),
        None => Ok(()),
    }
}

/// Prints the events; tells whether the stream that was asked for has any, shown or not.
async fn events(history: &History, filter: &Filter, format: Format) -> Result<bool, Failure> {
    let (mut rows, mut is_known) = (Vec::new(), filter.stream.is_none());
    let wants = |event: &schemas::Recorded| {
        is_known = is_known || filter.stream.as_ref() == Some(&event.sealed.envelope.stream);
        filter.takes(event)
    };
    history
        .each(wants, |recorded, payload| {
            let row = EventRow(decode(recorded, payload));
            // One object a line needs no end to begin with: a long history is shown while it is read.
            if format == Format::Ndjson {
                println!("{}", json(&row).expect("an event is JSON"));
            } else {
                rows.push(row);
            }
        })
        .await?;
    if is_known && format != Format::Ndjson {
        print_list(&rows, format)?;
    }
    Ok(is_known)
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

/// Prints the state; tells whether there is any.
async fn state(history: &History, filter: Filter, format: Format) -> Result<bool, Failure> {
    let stream = filter.stream.clone();
    let mut fold = Fold::new(filter.clone());
    let mut reached = None;
    let wants = |event: &schemas::Recorded| {
        let taken = filter.takes(event);
        if taken != Taken::Over {
            reached = Some((event.position, event.sealed.envelope.recorded_at));
        }
        taken
    };
    history
        .each(wants, |recorded, payload| {
            fold.push(recorded, payload);
        })
        .await?;
    let mut state = fold.finish();
    if let Some((position, recorded_at)) = reached {
        (state.as_of, state.recorded_at) = (position, Some(recorded_at));
    }
    if stream.is_some() && state.streams.is_empty() {
        return Ok(false);
    }
    if format == Format::Json {
        print_one(&state, format, String::new)?;
        return Ok(true);
    }
    let rows = state.streams.iter().map(|(stream, folded)| StreamRow {
        stream: stream.to_string(),
        version: folded.version.get(),
        changed_at: folded.changed_at.to_string(),
        state: folded.state.expose().clone(),
    });
    print_list(&rows.collect::<Vec<_>>(), format)?;
    Ok(true)
}
