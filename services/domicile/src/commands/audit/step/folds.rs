//! The states of the streams that were looked at last. A step forward goes on from where the last one came: nobody who walks through
//! a long stream waits at every key for all of it to be read again.

use std::collections::VecDeque;

use auditor::replay::{Filter, Fold, Payload};
use schemas::{Position, Recorded, StreamName};
use serde_json::Value;

/// Streams whose state is kept.
const STREAMS_KEPT: usize = 16;

/// States of streams, those that were begun last at the end.
#[derive(Default)]
pub(super) struct Folds(VecDeque<Kept>);

struct Kept {
    stream: StreamName,
    reached: Position,
    before: Value,
    fold: Fold,
}

impl Folds {
    /// Which of a stream's positions are still to be taken for its state after the last of them. A state that is beyond it is begun
    /// again.
    pub(super) fn missing(&mut self, stream: &StreamName, positions: &[Position]) -> Vec<Position> {
        let at = positions.last().copied().unwrap_or(Position::ZERO);
        self.0.retain(|kept| kept.stream != *stream || kept.reached <= at);
        let reached = self.0.iter().find(|kept| kept.stream == *stream).map(|kept| kept.reached);
        if reached.is_none() {
            if self.0.len() == STREAMS_KEPT {
                self.0.pop_front();
            }
            let (before, fold) = (Value::Null, Fold::new(Filter::default()));
            self.0.push_back(Kept { stream: stream.clone(), reached: Position::ZERO, before, fold });
        }
        let reached = reached.unwrap_or(Position::ZERO);
        positions.iter().copied().filter(|position| *position > reached).collect()
    }

    /// Takes the next event of a stream; the state before it is kept where it is the last one.
    pub(super) fn push<P: AsRef<[u8]>>(&mut self, event: &Recorded, payload: Payload<P>, is_last: bool) {
        let stream = &event.sealed.envelope.stream;
        if let Some(kept) = self.0.iter_mut().find(|kept| kept.stream == *stream) {
            if is_last {
                kept.before = kept.fold.view(stream);
            }
            kept.fold.push(event, payload);
            kept.reached = event.position;
        }
    }

    /// The state before the last event that was taken of a stream, and after it.
    pub(super) fn states(&self, stream: &StreamName) -> (Value, Value) {
        let kept = self.0.iter().find(|kept| kept.stream == *stream);
        kept.map_or((Value::Null, Value::Null), |kept| (kept.before.clone(), kept.fold.view(stream)))
    }
}

#[cfg(test)]
mod tests {
    use schemas::Sealed;
    use serde_json::json;

    use super::*;

    const PAYLOAD: &str = r#"{"accesses":[{"at":"2026-11-22T10:00:00Z","means":"password","method":"GET","url":"/","kind":"ticket","status":200}]}"#;

    /// A batch of one read on a day.
    fn event(day: &str, position: i64) -> Recorded {
        let envelope = json!({
            "tenant_id": "018f0000-0000-7000-8000-000000000001", "stream": format!("access-{day}"), "version": position,
            "event_id": format!("018f0000-0000-7000-8000-{position:012}"), "event_type": "accesses_recorded",
            "schema_version": 1, "recorded_at": "2026-11-22T10:00:00Z", "actor": "system",
            "command_id": "018f0000-0000-7000-8001-000000000001", "key_id": "018f0000-0000-7000-8000-000000000004",
        });
        let envelope = serde_json::from_value(envelope).expect("an envelope");
        Recorded { position: Position::new(position), sealed: Sealed::new(envelope, Vec::new()) }
    }

    /// Goes to a position: which events are read for it, and how many reads there were before and after it.
    fn go(folds: &mut Folds, day: &str, to: i64) -> (Vec<i64>, Option<i64>, Option<i64>) {
        let stream = event(day, to).sealed.envelope.stream;
        let positions: Vec<_> = (1..=to).map(Position::new).collect();
        let missing = folds.missing(&stream, &positions);
        for position in &missing {
            folds.push(&event(day, position.get()), Payload::Open(PAYLOAD), position.get() == to);
        }
        let (before, after) = folds.states(&stream);
        (missing.iter().map(|position| position.get()).collect(), before["reads"].as_i64(), after["reads"].as_i64())
    }

    #[test]
    fn a_step_forward_reads_only_what_comes_after_and_one_back_begins_again() {
        let mut folds = Folds::default();
        let day = "20261122";
        assert_eq!(go(&mut folds, day, 1), (vec![1], None, Some(1)));
        assert_eq!(go(&mut folds, day, 3), (vec![2, 3], Some(2), Some(3)));
        assert_eq!(go(&mut folds, day, 3), (vec![], Some(2), Some(3)), "the same again");
        assert_eq!(go(&mut folds, day, 4), (vec![4], Some(3), Some(4)));
        assert_eq!(go(&mut folds, day, 2), (vec![1, 2], Some(1), Some(2)));
        assert_eq!(go(&mut folds, "20261123", 2), (vec![1, 2], Some(1), Some(2)), "another stream");
        assert_eq!(go(&mut folds, day, 3), (vec![3], Some(2), Some(3)), "kept meanwhile");
    }

    #[test]
    fn only_the_streams_that_were_begun_last_are_kept() {
        let mut folds = Folds::default();
        for day in 1..=STREAMS_KEPT + 1 {
            go(&mut folds, &format!("202610{day:02}"), 1);
        }
        assert_eq!(folds.0.len(), STREAMS_KEPT);
        assert_eq!(go(&mut folds, "20261002", 1).0, [0; 0]);
        assert_eq!(go(&mut folds, "20261001", 1), (vec![1], None, Some(1)));
    }
}
