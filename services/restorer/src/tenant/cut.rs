//! Where a restore leads, and up to which event.

use archive::merkle::Frontier;
use auditor::replay::{AsOf, Filter, Taken};
use schemas::Recorded;

/// Where a restore leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The tenant's place: all of its archive, with keys, and open afterwards.
    Place,
    /// A drill's scratch: all of its archive, with keys, and closed.
    Scratch,
    /// A copy: its archive up to a moment, closed, and without keys. Whoever reads it has those of the living tenant.
    Copy(AsOf),
}

impl Target {
    pub(super) const fn as_of(self) -> AsOf {
        match self {
            Self::Place | Self::Scratch => AsOf::End,
            Self::Copy(as_of) => as_of,
        }
    }
}

/// What is put of an archive, which is read to its end.
pub(super) struct Cut {
    filter: Filter,
    is_over: bool,
    /// Of what was put.
    pub(super) tree: Frontier,
}

impl Cut {
    pub(super) fn new(as_of: AsOf) -> Self {
        Self { filter: Filter { as_of, ..Filter::default() }, is_over: false, tree: Frontier::new() }
    }

    /// The events before the moment.
    pub(super) fn take<'events>(&mut self, events: &'events [Recorded]) -> &'events [Recorded] {
        let is_over = |event: &Recorded| self.filter.takes(event) == Taken::Over;
        let end = if self.is_over { Some(0) } else { events.iter().position(is_over) };
        self.is_over = end.is_some();
        let taken = &events[..end.unwrap_or(events.len())];
        taken.iter().for_each(|event| self.tree.push(event.sealed.leaf));
        taken
    }
}
