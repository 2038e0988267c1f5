//! `domicile audit show`: one event, one aggregate as of a moment, or a tenant as of a moment in counts.

use auditor::replay::{AsOf, Filter, Fold, StreamState, Summary, decode};
use clap::Args;
use schemas::{Position, StreamName};
use serde_json::{Value, json};

use super::{
    Moment,
    history::{History, HistoryOption, Selection},
};
use crate::{
    cli::Place,
    exit::{Failure, Outcome},
    output::{Format, json_pretty, print_one},
};

/// `domicile audit show`.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub history: HistoryOption,
    /// One event: its envelope, its hashes, its data; by its position in the tenant's log.
    #[arg(long, value_name = "POSITION", required_unless_present = "as_of", conflicts_with_all = ["as_of", "Selection"])]
    pub position: Option<Position>,
    /// The state after this moment: of the tenant in counts, or of one ticket, person or stream.
    #[arg(long, value_name = "TIME|POSITION")]
    pub as_of: Option<Moment>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub selection: Selection,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub(super) async fn run(place: &Place, options: &Show) -> Outcome {
    let history = options.history.open(place, options.selection.stream().as_ref()).await?;
    match (options.position, options.as_of) {
        (Some(position), _) => event(&history, position).await,
        (None, Some(moment)) => {
            let as_of = history.place_after_first(moment, "--as-of").await?;
            match options.selection.stream() {
                Some(stream) => aggregate(&history, options, &stream, as_of).await,
                None => tenant(&history, as_of, options.format).await,
            }
        }
        (None, None) => Err(Failure::usage("takes --position or --as-of")),
    }
}

/// One event with everything that can be said of it.
async fn event(history: &History, position: Position) -> Outcome {
    let found = if position > Position::ZERO { history.at(position).await? } else { None };
    let (recorded, payload) =
        found.ok_or_else(|| Failure::usage(format!("--position: the log holds no position {position}")))?;
    let sealed = &recorded.sealed;
    let entry = sealed.envelope.entry(&sealed.payload);
    let shown = json!({
        "position": recorded.position,
        "envelope": sealed.envelope,
        "payload_bytes": sealed.payload.len(),
        "entry": String::from_utf8_lossy(&entry),
        "leaf": sealed.leaf,
        "event": decode(&recorded, payload),
    });
    println!("{}", json_pretty(&shown)?);
    Ok(())
}

async fn folded(history: &History, filter: Filter, fold: Fold) -> Result<Fold, Failure> {
    let mut fold = fold;
    history
        .each(
            |event| filter.takes(event),
            |event, payload| {
                fold.push(event, payload);
            },
        )
        .await?;
    Ok(fold)
}

async fn aggregate(history: &History, options: &Show, stream: &StreamName, as_of: Position) -> Outcome {
    let filter = Filter { as_of: AsOf::Position(as_of), stream: Some(stream.clone()), from: None };
    let fold = folded(history, filter.clone(), Fold::new(filter)).await?;
    let state = fold.finish().streams.remove(stream).ok_or_else(|| options.selection.unknown(stream, as_of))?;
    let shown = json!({"as_of": as_of, "stream": stream, "aggregate": state});
    print_one(&shown, options.format, || aggregate_in_words(stream, as_of, &state))
}

fn aggregate_in_words(stream: &StreamName, as_of: Position, state: &StreamState) -> String {
    let StreamState { version, created_at, changed_at, .. } = state;
    let unseen = [
        (state.erased_events, "erased"),
        (state.sealed_events, "sealed for want of keys"),
        (state.unreadable_events, "unreadable"),
    ];
    let unseen = unseen.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("  {count} events {why}\n"));
    let value: &Value = state.state.expose();
    format!(
        "{stream} as of position {as_of}: version {version}, made {created_at}, changed {changed_at}\n{}{}\n",
        unseen.collect::<String>(),
        serde_json::to_string_pretty(value).expect("a value is JSON"),
    )
}

async fn tenant(history: &History, as_of: Position, format: Format) -> Outcome {
    let filter = Filter { as_of: AsOf::Position(as_of), ..Filter::default() };
    let summary = folded(history, filter.clone(), Fold::new(filter).without_comments()).await?.summarize();
    print_one(&summary, format, || tenant_in_words(history.name(), &summary))
}

fn tenant_in_words(name: &str, summary: &Summary) -> String {
    let by = |counts: &std::collections::BTreeMap<String, u64>| {
        let parts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
        if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
    };
    let recorded_at = summary.recorded_at.map_or_else(String::new, |time| format!(", recorded {time}"));
    let unseen = [
        (summary.erased_events, "erased"),
        (summary.sealed_events, "sealed for want of keys"),
        (summary.unreadable_events, "unreadable"),
    ];
    let unseen = unseen.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("  {count} events {why}\n"));
    format!(
        "{name} as of position {}{recorded_at}\n  events     {}\n  tickets    {}{}\n  people     {}{}\n  uploads    {}\n{}",
        summary.as_of,
        summary.as_of,
        summary.tickets,
        by(&summary.tickets_by_status),
        summary.people,
        by(&summary.people_by_role),
        summary.uploads,
        unseen.collect::<String>(),
    )
}
