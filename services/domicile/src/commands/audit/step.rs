//! `domicile audit replay` on a terminal: step by step through a history.
//!
//! Lines rather than single keys: a line works over any connection, in any terminal, with any keyboard and screen reader, and
//! can be typed by a script. What is asked for is read by [`ask`], where it leads is worked out by the auditor's index, and
//! what is shown is made by [`screen`]; here is only the loop.

mod ask;
mod folds;
mod screen;

use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, Write, stdin, stdout},
};

use auditor::replay::{Index, Indexing, Step};
use jiff::Timestamp;
use schemas::{Position, StreamName};
use serde_json::Value;

use self::{ask::Ask, folds::Folds};
use super::{
    Moment,
    history::{History, Opened},
    replay::Replay,
};
use crate::{
    exit::{Failure, Outcome},
    output::harmless,
    progress::Progress,
};

/// Histories shorter than this are indexed before anybody could read how far it is.
const WORTH_A_BAR: i64 = 20_000;
/// Events that are held opened: those that were read last.
const EVENTS_HELD: usize = 2_000;

pub(super) async fn run(history: &History, options: &Replay) -> Outcome {
    let head = history.head().await?;
    if head == Position::ZERO {
        println!("{} holds no events.", history.name());
        return Ok(());
    }
    // What comes after the end is not looked at: no step leads there.
    let end = match options.to_time {
        Some(time) => history.place_after_first(Moment::Time(time), "--to-time").await?,
        None => head,
    };
    let index = indexed(history, end).await?;
    let mut stepping =
        Stepping { history, index, folds: Folds::default(), held: HashMap::new(), order: VecDeque::new() };
    let mut at = stepping.start(options).await?;
    println!("{}: positions 1 to {}. Type ? for the keys, q to quit.\n", history.name(), stepping.index.head());
    stepping.show(at).await?;
    let mut last = Ask::Step(Step::Next);
    while let Some(line) = read_line(at, stepping.index.head())? {
        let ask = match Ask::read(&line, &last) {
            Ok(ask) => ask,
            Err(why) => {
                println!("{why}; ? lists the keys");
                continue;
            }
        };
        match &ask {
            Ask::Quit => return Ok(()),
            Ask::Help => println!("{}", ask::HELP),
            Ask::Command => stepping.list(stepping.command(at), "of the same command").await?,
            Ask::Effects => stepping.list(stepping.index.caused_by(at), "caused by this one").await?,
            Ask::State => stepping.state(at).await?,
            Ask::Step(step) => match stepping.index.step(at, step) {
                Ok(there) => {
                    at = there;
                    stepping.show(at).await?;
                }
                Err(why) => println!("{why}"),
            },
        }
        last = ask;
    }
    Ok(())
}

/// The next line; nothing at the end of the input.
fn read_line(at: Position, head: Position) -> Result<Option<String>, Failure> {
    print!("{at}/{head}> ");
    stdout().flush()?;
    let mut line = String::new();
    Ok((stdin().lock().read_line(&mut line)? > 0).then_some(line))
}

async fn indexed(history: &History, end: Position) -> Result<Index, Failure> {
    let bar = (end.get() > WORTH_A_BAR).then(|| Progress::new("index, events", end.get().unsigned_abs()));
    let mut indexing = Indexing::default();
    history
        .each_sealed(end, |event| {
            indexing.push(event);
            if let Some(bar) = &bar {
                bar.advance(1);
            }
        })
        .await?;
    if let Some(bar) = bar {
        bar.finish();
    }
    Ok(indexing.finish())
}

/// A history that is stepped through.
struct Stepping<'history> {
    history: &'history History,
    index: Index,
    folds: Folds,
    /// Opened events, and their positions in the order in which they were read.
    held: HashMap<Position, Opened>,
    order: VecDeque<Position>,
}

impl Stepping<'_> {
    /// Where to begin: at what was last recorded by a moment, at the first event since a time, at a stream's first event, or at the
    /// first of all.
    async fn start(&self, options: &Replay) -> Result<Position, Failure> {
        let end = self.index.head();
        let begin = match (options.as_of, options.from_time) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage("--as-of, --from-time: both say where stepping begins; takes one of them"));
            }
            (Some(moment), None) => self.history.place_after_first(moment, "--as-of").await?,
            (None, Some(time)) => self.index.first_since(time).ok_or_else(|| none_since(time, end))?,
            (None, None) => Position::new(1),
        };
        let Some(stream) = options.selection.stream() else { return Ok(begin) };
        let positions = self.index.of_stream(&stream);
        let last = positions.last().ok_or_else(|| options.selection.unknown(&stream, end))?;
        match (positions.iter().find(|position| **position >= begin), options.as_of, options.from_time) {
            (Some(later), _, _) => Ok(*later),
            (None, None, Some(time)) => Err(none_since(time, end)),
            (None, _, _) => Ok(*last),
        }
    }

    fn command(&self, at: Position) -> Vec<Position> {
        let (first, last) = self.index.of_same_command(at);
        (first.get()..=last.get()).map(Position::new).collect()
    }

    /// An event, opened; read once while it is held.
    async fn event(&mut self, at: Position) -> Result<Opened, Failure> {
        if let Some(held) = self.held.get(&at) {
            return Ok(held.clone());
        }
        let found = self.history.at(at).await?;
        let opened = found.ok_or_else(|| Failure::check(format!("position {at}: the event went away")))?;
        if self.order.len() == EVENTS_HELD
            && let Some(oldest) = self.order.pop_front()
        {
            self.held.remove(&oldest);
        }
        self.order.push_back(at);
        self.held.insert(at, opened.clone());
        Ok(opened)
    }

    /// The state of an event's aggregate, before it and after it.
    async fn states(&mut self, at: Position, stream: &StreamName) -> Result<(Value, Value), Failure> {
        let positions: Vec<_> = self.index.of_same_stream(at).iter().copied().filter(|of| *of <= at).collect();
        for position in self.folds.missing(stream, &positions) {
            let (event, payload) = self.event(position).await?;
            self.folds.push(&event, payload.as_ref(), position == at);
        }
        Ok(self.folds.states(stream))
    }

    async fn show(&mut self, at: Position) -> Outcome {
        let (event, payload) = self.event(at).await?;
        let (before, after) = self.states(at, &event.sealed.envelope.stream).await?;
        let cause = self.index.cause_of(at);
        let place = screen::Place { head: self.index.head(), command: self.index.of_same_command(at), cause };
        say(&screen::event(&event, payload, &place));
        say(&screen::changed(&event, &before, &after, self.history.has_keys()));
        Ok(())
    }

    async fn state(&mut self, at: Position) -> Outcome {
        let (event, _) = self.event(at).await?;
        let (_, after) = self.states(at, &event.sealed.envelope.stream).await?;
        say(&screen::state(&event, &after));
        Ok(())
    }

    async fn list(&mut self, positions: Vec<Position>, what: &str) -> Outcome {
        println!("{} events {what}", positions.len());
        for position in positions {
            let (event, _) = self.event(position).await?;
            say(&screen::line(&event));
        }
        Ok(())
    }
}

/// There is nothing to begin at.
fn none_since(time: Timestamp, end: Position) -> Failure {
    Failure::usage(format!("--from-time: nothing up to position {end} was recorded at or after {time}"))
}

/// Prints text that came from a history. None of its characters speaks to the terminal.
fn say(text: &str) {
    println!("{}", harmless(text));
}
