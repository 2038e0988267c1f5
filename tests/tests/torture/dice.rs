//! Chance from a seed: the same seed, the same throws.

use std::time::Duration;

/// SplitMix64: small, and good enough to choose who dies next.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice of somebody's own, so that what one throws changes nothing for another.
    pub(crate) fn of(seed: u64, name: &str) -> Self {
        let mixed = name.bytes().fold(seed, |mixed, byte| Self(mixed ^ u64::from(byte)).throw());
        Self(mixed)
    }

    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 that is smaller than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("a length fits 64 bits");
        usize::try_from(self.throw() % end).expect("it is smaller than a length")
    }

    /// One of a list.
    pub(crate) fn one<'list, T>(&mut self, list: &'list [T]) -> &'list T {
        &list[self.below(list.len())]
    }

    /// True so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A time between two numbers of milliseconds.
    pub(crate) fn between_ms(&mut self, least: usize, most: usize) -> Duration {
        let ms = least + self.below(most - least + 1);
        Duration::from_millis(u64::try_from(ms).expect("a pause fits 64 bits"))
    }

    /// Brings a list into another order.
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}

#[test]
fn a_seed_fixes_every_throw_and_names_have_dice_of_their_own() {
    let throws = |mut dice: Dice| (0..20).map(|_| dice.below(1000)).collect::<Vec<_>>();
    assert_eq!(throws(Dice::new(7)), throws(Dice::new(7)));
    assert_ne!(throws(Dice::new(7)), throws(Dice::new(8)));
    assert_ne!(throws(Dice::of(7, "killer")), throws(Dice::of(7, "writer")));
}
