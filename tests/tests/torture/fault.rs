//! What is done to the processes: two lists that the seed fixes, who is killed and what else happens.

use std::time::Duration;

use crate::dice::Dice;

/// Who is killed, and for how long it stays away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kill {
    pub(crate) victim: Victim,
    pub(crate) down: Duration,
}

/// Somebody to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// The server alone, or with everything it started.
    Postgres { with_children: bool },
    /// The Kafka broker.
    Broker,
    /// A role, by its place in the crew.
    Member(usize),
}

/// Anything that is no kill. It is over when its time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) kind: Kind,
    pub(crate) lasts: Duration,
    /// Which desk, tenant or direction, of as many as there are.
    pub(crate) which: usize,
}

/// Kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A desk is stopped, its connections to Postgres are replaced, and it goes on as if nothing had been.
    Zombie,
    /// The same with a worker.
    WorkerZombie,
    /// Somebody holds a tenant's head row in a transaction and does nothing.
    HeadRowHeld,
    /// The same with a projection's checkpoints.
    CheckpointHeld,
    /// A desk's connections to Postgres are reset, time and again.
    Resets,
    /// Nothing passes between a desk and Postgres.
    Stall,
    /// What Postgres answers a desk is lost, and then the connections.
    AnswersLost,
    /// No page is free on the disk of Postgres.
    FullDisk,
    /// The clocks of all processes are an hour off.
    ClockStep,
}

pub(crate) const KINDS: [Kind; 9] = [
    Kind::Zombie,
    Kind::HeadRowHeld,
    Kind::AnswersLost,
    Kind::CheckpointHeld,
    Kind::Resets,
    Kind::Stall,
    Kind::FullDisk,
    Kind::ClockStep,
    Kind::WorkerZombie,
];

/// So many kills among so many roles, and perhaps a broker. Postgres dies more often than others: it is where appends are lost, if they are.
pub(crate) fn kills(seed: u64, count: usize, (members, has_broker): (usize, bool)) -> Vec<Kill> {
    let mut dice = Dice::of(seed, "kills");
    let kill = |_| {
        let victim = match dice.below(members + 2 + usize::from(has_broker)) {
            member if member < members => Victim::Member(member),
            place if place == members + 2 => Victim::Broker,
            _ => Victim::Postgres { with_children: dice.chance(60) },
        };
        Kill { victim, down: dice.between_ms(0, 900) }
    };
    (0..count).map(kill).collect()
}

/// Trouble without end: every kind once, in random order, and again in another.
pub(crate) fn troubles(seed: u64) -> impl Iterator<Item = Trouble> + Send {
    let mut dice = Dice::of(seed, "troubles");
    let mut deck = Vec::new();
    std::iter::from_fn(move || {
        if deck.is_empty() {
            deck = KINDS.to_vec();
            dice.shuffle(&mut deck);
        }
        let kind = deck.pop()?;
        Some(Trouble { kind, lasts: dice.between_ms(800, 6500), which: dice.below(1 << 16) })
    })
}

#[test]
fn a_seed_fixes_kills_and_troubles_and_no_kind_is_left_out() {
    const CREW: (usize, bool) = (5, true);
    assert_eq!(kills(7, 50, CREW), kills(7, 50, CREW));
    assert_ne!(kills(7, 50, CREW), kills(8, 50, CREW));
    let some = |seed| troubles(seed).take(18).collect::<Vec<_>>();
    assert_eq!(some(7), some(7));
    assert_ne!(some(7), some(8));
    for kind in KINDS {
        assert_eq!(some(7).iter().filter(|trouble| trouble.kind == kind).count(), 2, "{kind:?}");
    }
    let victims = kills(7, 200, CREW);
    for member in 0..5 {
        assert!(victims.iter().any(|kill| kill.victim == Victim::Member(member)));
    }
    assert!(victims.iter().any(|kill| kill.victim == Victim::Broker));
    for with_children in [false, true] {
        assert!(victims.iter().any(|kill| kill.victim == Victim::Postgres { with_children }));
    }
}
