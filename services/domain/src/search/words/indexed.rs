//! What a text is found by.
//!
//! A `tsvector` tells 16,383 places from one another, keeps 255 of a form, and has less than 1 MiB (PostgreSQL, section 8.11.1), where a
//! comment may have four times as many characters. So a text has pieces, each with places of its own; a piece begins a little before
//! the last one ends, so that a phrase of that many words is whole in one of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use super::{Forms, Run, Sought, forms, runs};

/// The last place of a piece.
const PLACE_MAX: u16 = 16_382;
/// Places of a form in a piece.
const PLACES_MAX: usize = 255;
/// What a piece has, in bytes; a word more stays below what Postgres takes.
const BYTES_MAX: usize = 900_000;
/// Places that a piece has in common with the one before it.
const OVERLAP: usize = 50;

/// What a piece of a text is found by: forms of its words, and their places, from 1 on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexed(pub BTreeMap<String, Vec<u16>>);

impl Indexed {
    /// What a text is found by: one piece, unless it is very long; none, if there is no word in it.
    pub fn of(text: &str) -> Vec<Self> {
        let words: Vec<Vec<String>> = runs(text).flat_map(forms_of).collect();
        let (mut pieces, mut from) = (Vec::new(), 0);
        while from < words.len() {
            let (piece, count) = Self::beginning(&words[from..]);
            pieces.push(piece);
            let end = from + count;
            if end == words.len() {
                break;
            }
            from = end.saturating_sub(OVERLAP).max(from + 1);
        }
        pieces
    }

    /// As many words as a piece has room for, and how many these are: one at least.
    fn beginning(words: &[Vec<String>]) -> (Self, usize) {
        let (mut piece, mut bytes) = (Self::default(), 0);
        for (word, place) in words.iter().zip(1..=PLACE_MAX) {
            let is_full = |form: &String| piece.0.get(form).is_some_and(|places| places.len() == PLACES_MAX);
            if bytes >= BYTES_MAX || word.iter().any(is_full) {
                return (piece, usize::from(place - 1));
            }
            for form in word {
                let places = piece.0.entry(form.clone()).or_default();
                bytes += if places.is_empty() { form.len() + 16 } else { 2 };
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        (piece, words.len().min(PLACE_MAX.into()))
    }

    /// The places of a form.
    fn places(&self, form: &str) -> impl Iterator<Item = u16> {
        self.0.get(form).into_iter().flatten().copied()
    }

    /// The places of all forms that begin so.
    fn places_of_beginning<'a>(&'a self, beginning: &'a str) -> impl Iterator<Item = u16> + 'a {
        let from = self.0.range::<str, _>((Bound::Included(beginning), Bound::Unbounded));
        from.take_while(move |(form, _)| form.starts_with(beginning)).flat_map(|(_, places)| places).copied()
    }
}

impl Sought {
    /// Whether a text holds it.
    pub fn is_in(&self, pieces: &[Indexed]) -> bool {
        pieces.iter().any(|piece| self.is_in_one(piece))
    }

    fn is_in_one(&self, piece: &Indexed) -> bool {
        // Where the first word would stand, by each of the words.
        let mut firsts: Option<BTreeSet<u16>> = None;
        for word in &self.0 {
            let exact = word.forms.iter().flat_map(|form| piece.places(form));
            let longer = word.beginnings.iter().flat_map(|form| piece.places_of_beginning(form));
            let by_it: BTreeSet<u16> = exact.chain(longer).filter_map(|place| place.checked_sub(word.place)).collect();
            firsts = Some(firsts.map_or_else(|| by_it.clone(), |known| &known & &by_it));
        }
        firsts.is_some_and(|firsts| !firsts.is_empty())
    }
}

/// The forms at each of a run's places.
fn forms_of(run: Run) -> Vec<Vec<String>> {
    match run {
        Run::Spaced(word) => {
            let Forms { written, stems } = forms(&word);
            vec![written.into_iter().chain(stems).collect()]
        }
        Run::Unspaced(characters) => (0..characters.len())
            .map(|at| vec![characters[at..characters.len().min(at + 2)].iter().collect()])
            .collect(),
    }
}
