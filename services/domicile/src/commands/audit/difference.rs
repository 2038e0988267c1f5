//! `domicile audit diff`: what changed between two moments, by which events and by whom.

use std::collections::BTreeSet;

use auditor::replay::{Change, Comparing, Difference, Kind, StreamDifference, Taken};
use clap::Args;
use schemas::{Personal, Position, Recorded};
use serde_json::Value;

use super::{
    Moment,
    history::{HistoryOption, Selection},
};
use crate::{
    cli::Place,
    exit::{Failure, Outcome},
    output::{Format, print_one},
};

/// The longest value shown in words; all of it is in the other formats.
const VALUE_LENGTH_MAX: usize = 200;

/// `domicile audit diff`.
#[derive(Debug, Args)]
pub struct Diff {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub history: HistoryOption,
    /// The earlier moment; position 0 is before the first event.
    #[arg(long, value_name = "TIME|POSITION")]
    pub from_moment: Moment,
    /// The later moment; the end when absent.
    #[arg(long, value_name = "TIME|POSITION")]
    pub to_moment: Option<Moment>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub selection: Selection,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub(super) async fn run(place: &Place, options: &Diff) -> Outcome {
    let history = options.history.open(place, options.selection.stream().as_ref()).await?;
    let from = history.place(options.from_moment, "--from-moment").await?;
    let to = match options.to_moment {
        Some(moment) => history.place(moment, "--to-moment").await?,
        None => history.head().await?,
    };
    if from > to {
        return Err(Failure::usage(format!("--from-moment: is position {from}, after --to-moment, which is {to}")));
    }
    let only = options.selection.stream();
    let (mut meant, mut is_known) = (BTreeSet::new(), only.is_none());
    history
        .each_sealed(to, |event| {
            let stream = &event.sealed.envelope.stream;
            let is_meant = only.as_ref().is_none_or(|only| only == stream);
            is_known = is_known || is_meant;
            if is_meant && event.position > from && !meant.contains(stream) {
                meant.insert(stream.clone());
            }
        })
        .await?;
    if let Some(stream) = only.filter(|_| !is_known) {
        return Err(options.selection.unknown(&stream, to));
    }
    let mut comparing = Comparing::new(from, to);
    let wants = |event: &Recorded| match event {
        event if event.position > to => Taken::Over,
        event if meant.contains(&event.sealed.envelope.stream) => Taken::Yes,
        _ => Taken::No,
    };
    history.each(wants, |event, payload| comparing.push(event, payload)).await?;
    let difference = comparing.finish();
    print_one(&difference, options.format, || in_words_all(history.name(), &difference))
}

fn in_words_all(name: &str, difference: &Difference) -> String {
    let Difference { from, to, streams } = difference;
    let events: usize = streams.iter().map(|stream| stream.events.len()).sum();
    let mut text = format!("{name}, from position {from} to {to}: {events} events in {} streams\n", streams.len());
    for stream in streams {
        text.push_str(&stream_in_words(stream));
    }
    text
}

fn stream_in_words(difference: &StreamDifference) -> String {
    let kind = match difference.kind {
        Kind::Added => "added",
        Kind::Changed => "changed",
        Kind::Removed => "removed",
        Kind::Same => "the same, or unreadable",
    };
    let mut text = format!("\n{}: {kind}\n", difference.stream);
    for change in &difference.changes {
        text.push_str(&format!("  {}{}\n", in_words(change), by(&change.by)));
    }
    for event in &difference.events {
        let unseen = if event.is_erased {
            " (erased)"
        } else if event.is_sealed {
            " (sealed)"
        } else {
            ""
        };
        text.push_str(&format!(
            "    {}  {}  {} by {}{unseen}\n",
            event.position, event.recorded_at, event.event_type, event.actor
        ));
    }
    text
}

fn by(positions: &[Position]) -> String {
    if positions.is_empty() {
        return String::new();
    }
    let positions: Vec<_> = positions.iter().map(Position::to_string).collect();
    format!("   (by {})", positions.join(", "))
}

/// A change in a line.
pub(crate) fn in_words(change: &Change) -> String {
    let value = |value: &Personal<Value>| {
        let text = value.expose().to_string();
        if text.chars().count() <= VALUE_LENGTH_MAX {
            return text;
        }
        text.chars().take(VALUE_LENGTH_MAX - 1).chain(['…']).collect()
    };
    match (&change.old, &change.new) {
        (None, Some(new)) => format!("+ {}: {}", change.field, value(new)),
        (Some(old), None) => format!("- {}: {}", change.field, value(old)),
        (Some(old), Some(new)) => format!("~ {}: {} -> {}", change.field, value(old), value(new)),
        (None, None) => change.field.clone(),
    }
}
